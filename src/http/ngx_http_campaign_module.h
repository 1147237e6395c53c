
/*
 * The module's configuration, and what its files share: who holds the store of this process, and what a request carries.
 */

#ifndef _NGX_HTTP_CAMPAIGN_MODULE_H_INCLUDED_
#define _NGX_HTTP_CAMPAIGN_MODULE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_campaign_store.h"
#include "ngx_campaign_address.h"
#include "ngx_campaign_retry.h"
#include "ngx_campaign_reply.h"


typedef struct ngx_http_campaign_call_s      ngx_http_campaign_call_t;
typedef struct ngx_http_campaign_delivery_s  ngx_http_campaign_delivery_t;
typedef struct ngx_http_campaign_incoming_conf_s  ngx_http_campaign_incoming_conf_t;

typedef ngx_int_t (*ngx_http_campaign_step_pt)(ngx_http_campaign_call_t *call);     /* see ngx_http_campaign_call.h */


/* campaign_gateway CHANNEL uri: one a channel in all of http{} */

#define NGX_HTTP_CAMPAIGN_GATEWAY_IDS  4

typedef struct {
    ngx_str_t                   channel;        /* upper case */
    ngx_str_t                   uri;
    ngx_uint_t                  concurrency;    /* deliveries at once */
    ngx_flag_t                  receipts;       /* on: accepted is `sent`; off: `delivered` */
    ngx_campaign_reply_place_t  ids[NGX_HTTP_CAMPAIGN_GATEWAY_IDS];     /* where its replies have its own ids, in this order */
    ngx_uint_t                  nids;           /* 0: they are not looked for */
    ngx_uint_t                  named;          /* a campaign_receipts finds its messages by these */
    ngx_http_core_srv_conf_t   *cscf;           /* the server block that declared it */
    ngx_http_conf_ctx_t        *ctx;            /* of the deliveries' main requests */
    ngx_str_t                   request_line;   /* theirs, too */
    u_char                     *file;           /* where, for messages */
    ngx_uint_t                  line;
} ngx_http_campaign_gateway_t;


/* campaign_webhook uri [allow=cidr]…: one in all of http{} */

typedef struct {
    ngx_http_campaign_gateway_t gateway;        /* channel is empty; uri.data NULL: there is none */
    ngx_array_t                *allow;          /* ngx_campaign_cidr_t, besides public addresses; NULL: none */
    ngx_http_core_loc_conf_t   *clcf;           /* of the location: its resolver */
} ngx_http_campaign_webhook_conf_t;


typedef struct {
    ngx_campaign_store_conf_t   store;          /* path.data NULL: none was given */
    ngx_flag_t                  dispatch;
    ngx_array_t                 gateways;       /* ngx_http_campaign_gateway_t */
    ngx_array_t                 receipts;       /* ngx_http_campaign_receipts_conf_t *: one a location of campaign_receipts */
    ngx_http_campaign_webhook_conf_t  webhook;
    const char                 *user;           /* first directive that needs a store, and where; NULL: none */
    u_char                     *user_file;
    ngx_uint_t                  user_line;
    ngx_str_t                   channels;       /* "SMS, VIBER": for error messages */
} ngx_http_campaign_main_conf_t;


typedef struct {
    ngx_campaign_retry_t        retry;          /* campaign_retry */
    ngx_flag_t                  redelivery;     /* campaign_redelivery */
} ngx_http_campaign_srv_conf_t;


typedef enum {
    NGX_HTTP_CAMPAIGN_NONE = 0,
    NGX_HTTP_CAMPAIGN_API,
    NGX_HTTP_CAMPAIGN_ADMIN,
    NGX_HTTP_CAMPAIGN_INCOMING                  /* what gateways tell us */
} ngx_http_campaign_service_e;


typedef struct {
    ngx_http_campaign_service_e         service;    /* what this location serves */
    const ngx_http_campaign_step_pt    *steps;      /* INCOMING: of its calls */
    ngx_http_campaign_incoming_conf_t  *incoming;
    ngx_campaign_retry_t                retry;      /* campaign_retry of a webhook's location; attempts unset: the contract's schedule */
} ngx_http_campaign_loc_conf_t;


/* what a request carries: a call of the API, or (background requests) the delivery of a message */

typedef struct {
    ngx_http_campaign_call_t      *call;
    ngx_http_campaign_delivery_t  *delivery;
    ngx_chain_t                   *error;       /* the envelope that replaces a page of nginx's own */
} ngx_http_campaign_ctx_t;


extern ngx_module_t  ngx_http_campaign_module;
extern ngx_module_t  ngx_http_campaign_check_module;     /* ngx_http_campaign_conf.c */


/* the store of this process; NULL: not open (503) */
ngx_campaign_store_t *ngx_http_campaign_store(void);

/* the gateway of a channel (any case); NULL: none is configured */
ngx_http_campaign_gateway_t *ngx_http_campaign_gateway(ngx_http_campaign_main_conf_t *cmcf, ngx_str_t *channel);

/* ngx_http_campaign_call.c: content handler of campaign_api and campaign_admin locations */
ngx_int_t ngx_http_campaign_handler(ngx_http_request_t *r);

/* ngx_http_campaign_call.c: authentication, before nginx's own limits; in postconfiguration */
ngx_int_t ngx_http_campaign_call_init(ngx_conf_t *cf);

/* ngx_http_campaign_call.c: the account that a request was authenticated for; NULL: none (yet) */
ngx_campaign_account_t *ngx_http_campaign_call_account(ngx_http_request_t *r);

/* ngx_http_campaign_error.c: header and body filter that give nginx's own errors the contract's form */
ngx_int_t ngx_http_campaign_error_filter_init(ngx_conf_t *cf);

/* ngx_http_campaign_json.c: before the first text is read, in a worker */
void ngx_http_campaign_json_init(void);

/* ngx_http_campaign_variable.c: in preconfiguration */
ngx_int_t ngx_http_campaign_variables_add(ngx_conf_t *cf);

/* ngx_http_campaign_delivery.c: in postconfiguration, when all gateways are known */
ngx_int_t ngx_http_campaign_delivery_init(ngx_conf_t *cf);

/*
 * ngx_http_campaign_dispatch.c.  _prepare: in the master, before the fork (the hint's eventfd).  _init: in a worker, the store may still be closed
 * (ngx_http_campaign_store() is asked again at each try for the lock).  _exit: in exit_process, before ngx_campaign_store_flush: what is left is handed to
 * the store.  _flushed: behind it, tells of what the store did not take.  _lost: in place of both, when the store takes nothing any more.  _cut: no
 * answer is waited for any longer.  _wake: from any worker, after a commit that gives the dispatcher something to do; a hint, may be lost.
 */
ngx_int_t ngx_http_campaign_dispatch_prepare(ngx_cycle_t *cycle);
ngx_int_t ngx_http_campaign_dispatch_init(ngx_cycle_t *cycle);
void ngx_http_campaign_dispatch_exit(ngx_cycle_t *cycle);
void ngx_http_campaign_dispatch_flushed(void);
void ngx_http_campaign_dispatch_lost(void);
void ngx_http_campaign_dispatch_cut(void);

void ngx_http_campaign_dispatch_wake(void);

/* ngx_http_campaign_purge.c */
void ngx_http_campaign_purge_init(ngx_cycle_t *cycle);

/*
 * ngx_http_campaign_exit.c.  _init: in a worker, before it can end.  _begin: it is told to (ngx_exiting), seen for the first time or once more.
 * _limit: ms that the end of this process waits for the store's write lock, in the event loop (QUIT) and behind it.
 */
#define NGX_HTTP_CAMPAIGN_EXIT_QUIT  5000

void ngx_http_campaign_exit_init(void);
void ngx_http_campaign_exit_begin(void);
ngx_msec_t ngx_http_campaign_exit_limit(void);


#endif /* _NGX_HTTP_CAMPAIGN_MODULE_H_INCLUDED_ */
