
/*
 * E.164 numbers, and what kind of sender a name is.
 */

#ifndef _NGX_CAMPAIGN_NUMBER_H_INCLUDED_
#define _NGX_CAMPAIGN_NUMBER_H_INCLUDED_


#include "ngx_campaign.h"


#define NGX_CAMPAIGN_NUMBER_LEN  15             /* digits at most (ITU-T E.164, 6.2) */


/* 7 to 15 digits, first one not 0, an optional + in front; surrounding spaces are not taken.  NGX_ERROR: it is none */
ngx_int_t ngx_campaign_number_parse(const u_char *text, size_t len, uint64_t *number);

/* digits at p (room for NGX_CAMPAIGN_NUMBER_LEN), returns the end */
u_char *ngx_campaign_number_print(u_char *p, uint64_t number);

/*
 * Kind of a sender's name: all digits (an optional +): 5 or 6 a short code, 7 to 15 a long code; up to 11 characters out of
 * letters, digits, space and - _ . & with at least one letter: alphanumeric.  0: no sender can be called that.
 */
ngx_campaign_sender_type_e ngx_campaign_number_sender(ngx_str_t *name);

/* "ALPHANUMERIC", "LONG_CODE", "SHORT_CODE": a constant */
ngx_str_t *ngx_campaign_number_sender_name(ngx_campaign_sender_type_e type);


#endif /* _NGX_CAMPAIGN_NUMBER_H_INCLUDED_ */
