
/*
 * Words of webhooks, and when one that could not be told of an event is tried again.
 */

#ifndef _NGX_CAMPAIGN_WEBHOOK_H_INCLUDED_
#define _NGX_CAMPAIGN_WEBHOOK_H_INCLUDED_


#include "ngx_campaign_retry.h"


/* constants; empty for a number out of range */
ngx_str_t *ngx_campaign_webhook_event_name(ngx_uint_t event);       /* "delivery", "message", "campaign", "test" */
ngx_str_t *ngx_campaign_webhook_told_name(ngx_uint_t told);         /* "delivered", "status", …; empty: not tried */

/* what a webhook may be for, any case: DELIVERY, MESSAGE or CAMPAIGN; 0: none of them */
ngx_uint_t ngx_campaign_webhook_event_find(const ngx_str_t *word);

/*
 * Wait after try n (from 1) that failed, ms; NGX_DECLINED in place of NGX_OK: there is no further try.  rt NULL: the contract's schedule
 * (0 s, 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h), each a tenth longer at most, by rnd, so that what failed together does not
 * come back together.  after: Retry-After, ms; the longer wait counts.
 */
ngx_int_t ngx_campaign_webhook_wait(const ngx_campaign_retry_t *rt, ngx_uint_t n, ngx_msec_t after, uint32_t rnd, ngx_msec_t *wait);


#endif /* _NGX_CAMPAIGN_WEBHOOK_H_INCLUDED_ */
