
/*
 * Webhooks going out: which may be called, and telling them of their events.
 */

#ifndef _NGX_HTTP_CAMPAIGN_NOTIFY_H_INCLUDED_
#define _NGX_HTTP_CAMPAIGN_NOTIFY_H_INCLUDED_


#include "ngx_http_campaign_module.h"
#include "ngx_campaign_url.h"


/* 1: a webhook may be at that address: it is public, or the operator allows it */
ngx_uint_t ngx_http_campaign_notify_address(ngx_http_campaign_main_conf_t *cmcf, const ngx_campaign_address_t *a);

/* 1: it may be there, as far as its URL tells: a name is looked up when it is called, and may be any one if the operator allows addresses */
ngx_uint_t ngx_http_campaign_notify_allowed(ngx_http_campaign_main_conf_t *cmcf, const ngx_campaign_url_t *url);


#endif /* _NGX_HTTP_CAMPAIGN_NOTIFY_H_INCLUDED_ */
