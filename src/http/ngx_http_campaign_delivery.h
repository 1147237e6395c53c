
/*
 * A message on its way out: one background request to the internal location of its gateway.  The dispatcher says which message and when;
 * a delivery renders it, sends it and tells how that ended.  It judges nothing and records nothing.
 */

#ifndef _NGX_HTTP_CAMPAIGN_DELIVERY_H_INCLUDED_
#define _NGX_HTTP_CAMPAIGN_DELIVERY_H_INCLUDED_


#include "ngx_http_campaign_module.h"
#include "ngx_campaign_number.h"
#include "ngx_campaign_sms.h"
#include "ngx_campaign_template.h"


typedef void (*ngx_http_campaign_delivery_pt)(ngx_http_campaign_delivery_t *d);


/* what the messages of a campaign have in common; made by the dispatcher, outlives every delivery that names it */

typedef struct {
    uint64_t                      no;
    u_char                        id[NGX_CAMPAIGN_UUID_LEN];        /* text */
    u_char                        account[NGX_CAMPAIGN_UUID_LEN];
    ngx_str_t                     channel;
    ngx_str_t                     from;
    ngx_campaign_template_t       text;
    ngx_http_campaign_gateway_t  *gateway;
} ngx_http_campaign_origin_t;


/* a webhook's event on its way out, in place of a message: what its location's variables say.  Complete before the delivery starts */

typedef struct {
    ngx_str_t                     url;          /* the address that was checked stands in place of its host's name */
    ngx_str_t                     host;
    ngx_str_t                     id;
    ngx_str_t                     timestamp;
    ngx_str_t                     signature;    /* of the body; empty: no secret */
    ngx_str_t                     signature_v1; /* of id, timestamp and body */
    ngx_str_t                     body;
} ngx_http_campaign_letter_t;


struct ngx_http_campaign_delivery_s {
    /* set by the caller; all of it lives until `done` returns */
    ngx_http_campaign_origin_t     *origin;
    ngx_campaign_claimed_t         *message;    /* NULL: letter goes out */
    ngx_http_campaign_letter_t     *letter;
    ngx_msec_t                      limit;      /* ms for all of it; 0: the location's own time limits only */
    ngx_http_campaign_delivery_pt   done;
    void                           *data;

    /* result, in `done` */
    ngx_campaign_answer_e           answer;
    ngx_uint_t                      status;     /* with ANSWER_STATUS */
    ngx_msec_t                      after;      /* Retry-After, ms; 0: none */
    ngx_msec_t                      latency;    /* ms from start to the answer */
    size_t                          theirs_len; /* what the gateway calls a message that it accepted; 0: nothing */
    u_char                          theirs[NGX_CAMPAIGN_GATEWAY_ID_MAX];

    /* rendered by start, in the delivery's pool: for the variables */
    u_char                          id[NGX_CAMPAIGN_UUID_LEN];
    u_char                          to[NGX_CAMPAIGN_NUMBER_LEN];
    size_t                          to_len;
    ngx_str_t                       text;
    ngx_campaign_size_t             size;

    /* the rest is the delivery's own */
    ngx_pool_t                     *pool;       /* of the main request */
    ngx_connection_t               *connection; /* no socket: fd is -1 */
    ngx_http_request_t             *main;
    ngx_http_request_t             *request;    /* the background request */
    ngx_event_t                     event;      /* ends it: posted with the answer, or a timer on an endless reply */
    ngx_msec_t                      started;
    ngx_str_t                       body;       /* $campaign_body, once it was asked for */
    off_t                           reply;      /* bytes of the reply that were read */
    ngx_str_t                       kept;       /* its first ones, in which an id may stand */
    size_t                          keep_room;

    ngx_http_connection_t           http;       /* what a connection of nginx has with it */
    ngx_log_t                       log;
    ngx_http_log_ctx_t              log_ctx;
    ngx_buf_t                       buffer;
    ngx_http_post_subrequest_t      finalized;
    ngx_http_campaign_ctx_t         ctx;

    ngx_http_handler_pt             handler;    /* of the gateway's location: proxy_pass, … */
    ngx_http_upstream_t            *upstream;   /* the last one begun */

    unsigned                        answered:1;
    unsigned                        keeping:1;  /* an id is looked for in the reply's body */
    unsigned                        holding:1;  /* the upstream waits for its configuration */
    unsigned                        redirect:1; /* X-Accel-Redirect would have been followed */
};


/*
 * Starts the delivery d (zeroed but for the caller's part).  NGX_OK: under way, `done` is called exactly once, later, from the event loop,
 * never from inside this call; the caller may free or reuse d from inside `done`.  NGX_BUSY: no connection is free (worker_connections);
 * NGX_ERROR: no memory.  With both nothing has gone out and `done` is not called.
 */
ngx_int_t ngx_http_campaign_delivery_start(ngx_http_campaign_delivery_t *d, ngx_log_t *log);

/* its answer is not waited for any longer: as if its connection was closed.  `done` is called as ever */
void ngx_http_campaign_delivery_cut(ngx_http_campaign_delivery_t *d);

extern ngx_str_t  ngx_http_campaign_delivery_method;

/* ngx_http_campaign_passage.c: filters and phase handlers, in postconfiguration (the module is an HTTP_AUX_FILTER) */
ngx_int_t ngx_http_campaign_passage_init(ngx_conf_t *cf);

/* deliveries that are started at once, before the event loop gets its turn */
ngx_uint_t ngx_http_campaign_passage_round(void);

/* ngx_http_campaign_answer.c: answer, status, after and theirs of a delivery, whose background request has come to its end */
void ngx_http_campaign_answer_read(ngx_http_campaign_delivery_t *d);


#endif /* _NGX_HTTP_CAMPAIGN_DELIVERY_H_INCLUDED_ */
