
/*
 * Directives: a setter each, and the checks that need the whole configuration.  Every message names the mend.
 */

#ifndef _NGX_HTTP_CAMPAIGN_CONF_H_INCLUDED_
#define _NGX_HTTP_CAMPAIGN_CONF_H_INCLUDED_


#include "ngx_http_campaign_module.h"


/* campaign_store path [size=16g] [durability=full|relaxed] */
char *ngx_http_campaign_conf_store(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/* campaign_gateway CHANNEL uri [concurrency=64] [receipts=on|off] [id=place]… */
char *ngx_http_campaign_conf_gateway(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/* campaign_webhook uri [allow=cidr]… */
char *ngx_http_campaign_conf_webhook(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/* campaign_retry [attempts=5] [min=1s] [max=5m]; in a webhook's location attempts=10 min=5s max=24h */
char *ngx_http_campaign_conf_retry(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/* campaign_api, campaign_admin: cmd->offset is the ngx_http_campaign_service_e */
char *ngx_http_campaign_conf_service(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/* ngx_http_campaign_receipts.c: campaign_receipts [parameters] */
char *ngx_http_campaign_conf_receipts(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/* ngx_http_campaign_inbound.c: campaign_inbound [parameters] */
char *ngx_http_campaign_conf_inbound(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/* after http{} is read: the channels of each, with a gateway.  Logs; NGX_ERROR: not usable */
ngx_int_t ngx_http_campaign_conf_receipts_check(ngx_conf_t *cf, ngx_http_campaign_main_conf_t *cmcf);


/* for the setters */

/* 1: arg is name=value */
ngx_uint_t ngx_http_campaign_conf_param(ngx_str_t *arg, const char *name, ngx_str_t *value);

/* complains of a parameter, NGX_CONF_ERROR */
char *ngx_http_campaign_conf_bad(ngx_conf_t *cf, ngx_command_t *cmd, ngx_str_t *arg, const char *mend);

/* remembers the first directive that needs a store */
void ngx_http_campaign_conf_user(ngx_conf_t *cf, ngx_http_campaign_main_conf_t *cmcf, const char *directive);

/* campaign_status */
char *ngx_http_campaign_conf_status(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/* after http{} is read: is there a store, does each gateway's location exist.  Logs; NGX_ERROR: not usable */
ngx_int_t ngx_http_campaign_conf_check(ngx_conf_t *cf, ngx_http_campaign_main_conf_t *cmcf);


#endif /* _NGX_HTTP_CAMPAIGN_CONF_H_INCLUDED_ */
