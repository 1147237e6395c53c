
/*
 * Dates to text and back.  Output: UTC, "yyyy-MM-dd HH:mm:ss".  Input: that, or RFC 3339 with an offset or Z.
 */

#ifndef _NGX_CAMPAIGN_TIME_H_INCLUDED_
#define _NGX_CAMPAIGN_TIME_H_INCLUDED_


#include "ngx_campaign.h"


#define NGX_CAMPAIGN_DATE_LEN  (sizeof("2026-11-23 08:15:00") - 1)


/* years 1970 to 9999; writes NGX_CAMPAIGN_DATE_LEN bytes at p, returns the end */
u_char *ngx_campaign_time_print(u_char *p, time_t t);

/* NGX_ERROR: no date, no such day, or out of 1970 .. 9999; fractions of a second are dropped, a leap second :60 is the next minute */
ngx_int_t ngx_campaign_time_parse(ngx_str_t *text, time_t *t);


#endif /* _NGX_CAMPAIGN_TIME_H_INCLUDED_ */
