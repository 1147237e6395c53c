
/*
 * The module: its directives, how configuration is made and merged, what is checked once all of it is read, and its life in a process.
 */

#include "ngx_http_campaign_module.h"
#include "ngx_http_campaign_conf.h"
#include "ngx_http_campaign_status.h"


#define NGX_CAMPAIGN_OPEN_AGAIN      1000       /* ms until a store that did not open is tried again */
#define NGX_CAMPAIGN_VARIABLES_HASH  1024       /* nginx's own default, too small for its variables and ours */


static void *ngx_http_campaign_create_main_conf(ngx_conf_t *cf);
static void *ngx_http_campaign_create_srv_conf(ngx_conf_t *cf);
static char *ngx_http_campaign_merge_srv_conf(ngx_conf_t *cf, void *parent, void *child);
static void *ngx_http_campaign_create_loc_conf(ngx_conf_t *cf);
static ngx_int_t ngx_http_campaign_postconfiguration(ngx_conf_t *cf);

static ngx_int_t ngx_http_campaign_init_module(ngx_cycle_t *cycle);
static ngx_int_t ngx_http_campaign_init_process(ngx_cycle_t *cycle);
static void ngx_http_campaign_exit_process(ngx_cycle_t *cycle);
static void ngx_http_campaign_open(ngx_event_t *ev);


/* of this process */
static ngx_campaign_store_t  *ngx_http_campaign_opened;
static ngx_event_t            ngx_http_campaign_open_event;
static ngx_log_t              ngx_http_campaign_open_log;       /* the store's: the cycle's, but for what was told often enough */
static ngx_uint_t             ngx_http_campaign_open_tries;     /* that failed */


static ngx_command_t  ngx_http_campaign_commands[] = {

    { ngx_string("campaign_store"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE123,
      ngx_http_campaign_conf_store,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("campaign_dispatch"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_campaign_main_conf_t, dispatch),
      NULL },

    { ngx_string("campaign_gateway"),
      NGX_HTTP_SRV_CONF|NGX_CONF_2MORE,
      ngx_http_campaign_conf_gateway,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("campaign_webhook"),
      NGX_HTTP_SRV_CONF|NGX_CONF_1MORE,
      ngx_http_campaign_conf_webhook,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("campaign_retry"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE123,
      ngx_http_campaign_conf_retry,
      NGX_HTTP_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("campaign_redelivery"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_SRV_CONF_OFFSET,
      offsetof(ngx_http_campaign_srv_conf_t, redelivery),
      NULL },

    { ngx_string("campaign_api"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_http_campaign_conf_service,
      NGX_HTTP_LOC_CONF_OFFSET,
      NGX_HTTP_CAMPAIGN_API,
      NULL },

    { ngx_string("campaign_admin"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_http_campaign_conf_service,
      NGX_HTTP_LOC_CONF_OFFSET,
      NGX_HTTP_CAMPAIGN_ADMIN,
      NULL },

    { ngx_string("campaign_inbound"),
      NGX_HTTP_LOC_CONF|NGX_CONF_ANY,
      ngx_http_campaign_conf_inbound,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("campaign_receipts"),
      NGX_HTTP_LOC_CONF|NGX_CONF_ANY,
      ngx_http_campaign_conf_receipts,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("campaign_status"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_http_campaign_conf_status,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_campaign_module_ctx = {
    ngx_http_campaign_variables_add,       /* preconfiguration */
    ngx_http_campaign_postconfiguration,   /* postconfiguration */

    ngx_http_campaign_create_main_conf,    /* create main configuration */
    NULL,                                  /* init main configuration */

    ngx_http_campaign_create_srv_conf,     /* create server configuration */
    ngx_http_campaign_merge_srv_conf,      /* merge server configuration */

    ngx_http_campaign_create_loc_conf,     /* create location configuration */
    NULL                                   /* merge location configuration */
};


ngx_module_t  ngx_http_campaign_module = {
    NGX_MODULE_V1,
    &ngx_http_campaign_module_ctx,         /* module context */
    ngx_http_campaign_commands,            /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    ngx_http_campaign_init_module,         /* init module */
    ngx_http_campaign_init_process,        /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    ngx_http_campaign_exit_process,        /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static void *
ngx_http_campaign_create_main_conf(ngx_conf_t *cf)
{
    ngx_http_campaign_main_conf_t  *cmcf;

    cmcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_campaign_main_conf_t));
    if (cmcf == NULL) {
        return NULL;
    }

    if (ngx_array_init(&cmcf->gateways, cf->pool, 4, sizeof(ngx_http_campaign_gateway_t)) != NGX_OK
        || ngx_array_init(&cmcf->receipts, cf->pool, 4, sizeof(void *)) != NGX_OK)
    {
        return NULL;
    }

    cmcf->dispatch = NGX_CONF_UNSET;

    return cmcf;
}


static void *
ngx_http_campaign_create_srv_conf(ngx_conf_t *cf)
{
    ngx_http_campaign_srv_conf_t  *cscf;

    cscf = ngx_pcalloc(cf->pool, sizeof(ngx_http_campaign_srv_conf_t));
    if (cscf == NULL) {
        return NULL;
    }

    cscf->retry.attempts = NGX_CONF_UNSET_UINT;
    cscf->retry.min = NGX_CONF_UNSET_MSEC;
    cscf->retry.max = NGX_CONF_UNSET_MSEC;
    cscf->redelivery = NGX_CONF_UNSET;

    return cscf;
}


static char *
ngx_http_campaign_merge_srv_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_http_campaign_srv_conf_t  *prev = parent;
    ngx_http_campaign_srv_conf_t  *conf = child;

    ngx_conf_merge_uint_value(conf->retry.attempts, prev->retry.attempts, 5);
    ngx_conf_merge_msec_value(conf->retry.min, prev->retry.min, 1000);
    ngx_conf_merge_msec_value(conf->retry.max, prev->retry.max, 300000);
    ngx_conf_merge_value(conf->redelivery, prev->redelivery, 1);

    if (conf->retry.min > conf->retry.max) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "\"min\" of \"campaign_retry\" is greater than its \"max\"");
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/* not inherited: a location serves the API only if it says so itself, and has waits of its own only if it is given some */

static void *
ngx_http_campaign_create_loc_conf(ngx_conf_t *cf)
{
    ngx_http_campaign_loc_conf_t  *clocf;

    clocf = ngx_pcalloc(cf->pool, sizeof(ngx_http_campaign_loc_conf_t));
    if (clocf == NULL) {
        return NULL;
    }

    clocf->retry.attempts = NGX_CONF_UNSET_UINT;
    clocf->retry.min = NGX_CONF_UNSET_MSEC;
    clocf->retry.max = NGX_CONF_UNSET_MSEC;

    return clocf;
}


static ngx_int_t
ngx_http_campaign_postconfiguration(ngx_conf_t *cf)
{
    ngx_http_core_main_conf_t      *core;
    ngx_http_campaign_main_conf_t  *cmcf;

    core = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);
    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_campaign_module);

    if (cmcf->dispatch == NGX_CONF_UNSET) {
        cmcf->dispatch = 1;
    }

    if (core->variables_hash_max_size == NGX_CAMPAIGN_VARIABLES_HASH) {
        core->variables_hash_max_size *= 2;             /* room for ours */
    }

    if (cmcf->user == NULL && cmcf->store.path.data == NULL) {
        return NGX_OK;
    }

    if (ngx_http_campaign_conf_check(cf, cmcf) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ngx_http_campaign_call_init(cf) != NGX_OK || ngx_http_campaign_error_filter_init(cf) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ngx_http_campaign_status_init(cf, cmcf) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_http_campaign_delivery_init(cf);
}


static ngx_http_campaign_main_conf_t *
ngx_http_campaign_configured(ngx_cycle_t *cycle)
{
    ngx_http_campaign_main_conf_t  *cmcf;

    cmcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_campaign_module);

    return (cmcf && cmcf->store.path.data) ? cmcf : NULL;
}


static ngx_int_t
ngx_http_campaign_init_module(ngx_cycle_t *cycle)
{
    if (ngx_test_config || ngx_http_campaign_configured(cycle) == NULL) {
        return NGX_OK;
    }

    return ngx_http_campaign_dispatch_prepare(cycle);
}


static ngx_int_t
ngx_http_campaign_init_process(ngx_cycle_t *cycle)
{
    if ((ngx_process != NGX_PROCESS_WORKER && ngx_process != NGX_PROCESS_SINGLE)
        || ngx_http_campaign_configured(cycle) == NULL)
    {
        return NGX_OK;
    }

    ngx_http_campaign_json_init();
    ngx_http_campaign_exit_init();

    ngx_http_campaign_open_event.handler = ngx_http_campaign_open;
    ngx_http_campaign_open_event.data = cycle;
    ngx_http_campaign_open_event.log = cycle->log;
    ngx_http_campaign_open_event.cancelable = 1;

    ngx_http_campaign_open(&ngx_http_campaign_open_event);
    ngx_http_campaign_purge_init(cycle);

    return ngx_http_campaign_dispatch_init(cycle);
}


/* after the fork, never before: LMDB's environment does not survive one */

static void
ngx_http_campaign_open(ngx_event_t *ev)
{
    ngx_cycle_t                    *cycle = ev->data;
    ngx_http_campaign_main_conf_t  *cmcf;

    cmcf = ngx_http_campaign_configured(cycle);

    ngx_http_campaign_open_log = *cycle->log;

    if (!ngx_campaign_store_tells(ngx_http_campaign_open_tries)) {
        ngx_http_campaign_open_log.log_level = NGX_LOG_STDERR;
    }

    ngx_http_campaign_opened = ngx_campaign_store_open(&cmcf->store, &ngx_http_campaign_open_log);

    ngx_http_campaign_open_log.log_level = cycle->log->log_level;

    if (ngx_http_campaign_opened == NULL) {
        ngx_http_campaign_open_tries++;
        ngx_add_timer(ev, NGX_CAMPAIGN_OPEN_AGAIN);

    } else if (ngx_http_campaign_open_tries) {
        ngx_log_error(NGX_LOG_NOTICE, cycle->log, 0, "campaign store \"%V\" is open", &cmcf->store.path);
    }
}


static void
ngx_http_campaign_exit_process(ngx_cycle_t *cycle)
{
    if (ngx_http_campaign_opened == NULL) {
        return;
    }

    ngx_http_campaign_dispatch_exit(cycle);
    ngx_campaign_store_flush(ngx_http_campaign_opened, ngx_http_campaign_exit_limit());
    ngx_http_campaign_dispatch_flushed();
}


ngx_campaign_store_t *
ngx_http_campaign_store(void)
{
    return ngx_http_campaign_opened;
}


ngx_http_campaign_gateway_t *
ngx_http_campaign_gateway(ngx_http_campaign_main_conf_t *cmcf, ngx_str_t *channel)
{
    ngx_uint_t                    i;
    ngx_http_campaign_gateway_t  *gateway;

    gateway = cmcf->gateways.elts;

    for (i = 0; i < cmcf->gateways.nelts; i++) {
        if (gateway[i].channel.len == channel->len
            && ngx_strncasecmp(gateway[i].channel.data, channel->data, channel->len) == 0)
        {
            return &gateway[i];
        }
    }

    return NULL;
}
