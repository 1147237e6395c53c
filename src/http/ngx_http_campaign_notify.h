
/*
 * Webhooks going out: which may be called, and telling them of their events.  The process that holds the dispatcher's lease tells; all runs
 * in the event loop.
 */

#ifndef _NGX_HTTP_CAMPAIGN_NOTIFY_H_INCLUDED_
#define _NGX_HTTP_CAMPAIGN_NOTIFY_H_INCLUDED_


#include "ngx_http_campaign_delivery.h"
#include "ngx_campaign_url.h"


/* ngx_http_campaign_notify_address.c */

/* 1: a webhook may be at that address: it is public, or the operator allows it */
ngx_uint_t ngx_http_campaign_notify_address(ngx_http_campaign_main_conf_t *cmcf, const ngx_campaign_address_t *a);

/* 1: it may be there, as far as its URL tells: a name is looked up when it is called, and may be any one if the operator allows addresses */
ngx_uint_t ngx_http_campaign_notify_allowed(ngx_http_campaign_main_conf_t *cmcf, const ngx_campaign_url_t *url);

/* the first of the addresses of a name that may be called; NGX_DECLINED: there is none */
ngx_int_t ngx_http_campaign_notify_choose(ngx_http_campaign_main_conf_t *cmcf, ngx_resolver_ctx_t *ctx, ngx_campaign_address_t *a);

/* begins to tell, and stops; what is on its way then ends, and is recorded, on its own.  Without campaign_webhook they do nothing */
void ngx_http_campaign_notify_start(ngx_http_campaign_main_conf_t *cmcf, ngx_log_t *log);
void ngx_http_campaign_notify_stop(void);

/* the process exits: begins no more.  1: nothing is on its way, or it has been waited for long enough, and another process may begin */
ngx_uint_t ngx_http_campaign_notify_drained(void);

/* waits for no receiver any longer */
void ngx_http_campaign_notify_cut(void);


/*
 * ngx_http_campaign_letter.c: what a webhook is sent of an event, by address a (of url's host); in pool.  now: s.  NGX_ERROR: no memory
 */
ngx_int_t ngx_http_campaign_letter_write(ngx_http_campaign_letter_t *l, ngx_pool_t *pool, const ngx_campaign_webhook_t *hook,
    const ngx_campaign_notice_t *notice, const ngx_campaign_url_t *url, const ngx_campaign_address_t *a, time_t now);


#endif /* _NGX_HTTP_CAMPAIGN_NOTIFY_H_INCLUDED_ */
