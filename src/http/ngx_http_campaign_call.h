
/*
 * A call: one request of the API (or of the administration) on its way through its steps.
 *
 * The call, its operation at the store, what was read from the request and every error noted live in call->pool, which dies with the request, or,
 * if the request dies first, with the operation that is under way.  While a step waits (NGX_AGAIN) the pool belongs to whoever works: the store,
 * or the thread that reads a large body.  What the reply is made of lives in r->pool.
 */

#ifndef _NGX_HTTP_CAMPAIGN_CALL_H_INCLUDED_
#define _NGX_HTTP_CAMPAIGN_CALL_H_INCLUDED_


#include "ngx_http_campaign_module.h"


typedef struct ngx_http_campaign_route_s     ngx_http_campaign_route_t;
typedef struct ngx_http_campaign_resource_s  ngx_http_campaign_resource_t;
typedef struct ngx_http_campaign_field_s     ngx_http_campaign_field_t;
typedef struct ngx_http_campaign_body_s      ngx_http_campaign_body_t;
typedef struct ngx_http_campaign_idempotency_s  ngx_http_campaign_idempotency_t;
typedef struct ngx_http_campaign_export_s    ngx_http_campaign_export_t;


/*
 * What a step (ngx_http_campaign_step_pt) answers.  NGX_OK: go on with the next one; NGX_AGAIN: waits, ngx_http_campaign_call_run goes on with
 * call->then, or with the next step; NGX_DECLINED: errors are noted, reply with them; NGX_ERROR: ours, logged, 500; NGX_DONE: the reply has been
 * sent.
 */


#define NGX_CAMPAIGN_IDS_MAX     2              /* {id} in a path */

#define NGX_CAMPAIGN_FULL_KEY    0x01           /* flags of a route: a key of scope `read` may not */
#define NGX_CAMPAIGN_BODY        0x02           /* takes a JSON body, {"data": {…}} */
#define NGX_CAMPAIGN_BODY_LIST   0x04           /* data may be an array as well */
#define NGX_CAMPAIGN_BODY_LINES  0x08           /* takes text/csv and application/x-ndjson as well, streamed */
#define NGX_CAMPAIGN_OPEN        0x10           /* needs no key: handled before it is looked at, takes no body */
#define NGX_CAMPAIGN_BY_NUMBER   0x20           /* {id} is a number, not a UUID: call->number */
#define NGX_CAMPAIGN_BODY_RAW    0x40           /* takes a short body of any type, as it is: see ngx_http_campaign_body_raw */

struct ngx_http_campaign_route_s {
    ngx_str_t                             path;         /* below the location; {id} is any segment */
    ngx_uint_t                            method;       /* NGX_HTTP_…; GET serves HEAD */
    ngx_uint_t                            flags;
    const ngx_http_campaign_resource_t   *resource;
    ngx_http_campaign_step_pt             handler;
    ngx_uint_t                            status;       /* of success */
    ngx_uint_t                            bad_id[NGX_CAMPAIGN_IDS_MAX];     /* code for an {id} that is none */
};


typedef struct {
    ngx_uint_t                            code;
    ngx_uint_t                            status;
    ngx_str_t                             message;
} ngx_http_campaign_note_t;                             /* an error of this call */


struct ngx_http_campaign_call_s {
    ngx_http_request_t                   *request;
    ngx_pool_t                           *pool;
    ngx_campaign_store_t                 *store;
    ngx_http_campaign_main_conf_t        *cmcf;
    ngx_http_campaign_service_e           service;
    ngx_str_t                             prefix;       /* of the location, without a slash at its end: links begin with it */

    const ngx_http_campaign_route_t      *route;
    u_char                                id[NGX_CAMPAIGN_IDS_MAX][NGX_CAMPAIGN_ID_LEN];
    uint64_t                              number;

    ngx_event_t                           stay;         /* a timer as long as the call lives: without one nginx's graceful end would not wait for it */
    ngx_campaign_op_t                     op;
    ngx_campaign_rc_e                     auth;         /* what the store says of the key */
    ngx_campaign_account_t                account;      /* authenticated; zero in the administration */
    ngx_campaign_key_t                    key;

    const ngx_http_campaign_step_pt      *steps;
    ngx_uint_t                            at;           /* next of them */
    ngx_http_campaign_step_pt             then;         /* set by a step that waits: goes on here instead */

    ngx_http_campaign_idempotency_t      *idem;         /* an Idempotency-Key's; NULL: none, or its answer goes out */
    ngx_http_campaign_body_t             *body;         /* while it is read; NULL: the route takes none */
    void                                 *rec;          /* struct of the route's resource, filled from the body */
    ngx_uint_t                            given;        /* bit n: field n of the table stood in the body; contacts: see _contact_read */
    ngx_campaign_pile_t                   pile;         /* contacts of the body (`to`, `contacts`, lines) */
    uint32_t                              dropped;      /* doubles among them */
    ngx_str_t                             filters;      /* of the query, as the links of a list repeat them */
    ngx_array_t                           notes;        /* ngx_http_campaign_note_t */
    void                                 *data;         /* the handler's own */
    ngx_http_campaign_export_t           *export;       /* a reply that is streamed; NULL: none is */

    unsigned                              keyed:1;      /* the request has a key */
    unsigned                              body_read:1;  /* nothing of the body is left to be discarded */
    unsigned                              working:1;    /* a thread works in the pool */
    unsigned                              replied:1;    /* the header is ours: the error filter leaves it alone */
    unsigned                              gone:1;       /* the request died while a thread worked in the pool */
};


/* goes on: called by whoever made a step wait, from the event loop */
void ngx_http_campaign_call_run(ngx_http_campaign_call_t *call);

/* done handler of the call's operation: runs the call */
void ngx_http_campaign_call_wake(ngx_campaign_op_t *op);

/*
 * Prepares call->op for an operation of the store, that wakes the call; `then` goes on after it.  Use: return ngx_http_campaign_call_wait(call,
 * ngx_campaign_store_get(call->store, ngx_http_campaign_call_op(call, then), …));
 */
ngx_campaign_op_t *ngx_http_campaign_call_op(ngx_http_campaign_call_t *call, ngx_http_campaign_step_pt then);

/*
 * The same for the write that ends a POST: with an Idempotency-Key its answer is committed together with what it writes.  print is a
 * step that does nothing but print the reply of success into ngx_http_campaign_reply_…: it is run on the writer's thread, with
 * call->op.rc OK, and touches nothing of the request (ngx_http_campaign_reply_pool is its memory).  then is run as ever.  A POST that
 * ends without it is safe, too, but takes two commits: a crash between them forgets the key.
 */
ngx_campaign_op_t *ngx_http_campaign_call_last(ngx_http_campaign_call_t *call, ngx_http_campaign_step_pt then,
    ngx_http_campaign_step_pt print);

/* what the starting call of an operation returned, as a step's answer: NGX_AGAIN, or NGX_DECLINED with the error noted */
ngx_int_t ngx_http_campaign_call_wait(ngx_http_campaign_call_t *call, ngx_int_t rc);

/* runs handler(call, log) on the thread pool, where the call's pool is its memory, then goes on.  A step's answer */
ngx_int_t ngx_http_campaign_call_thread(ngx_http_campaign_call_t *call, void (*handler)(void *data, ngx_log_t *log),
    ngx_http_campaign_step_pt then);

/* the answer of the operation that just ended: NGX_OK, or NGX_DECLINED with the error noted by the resource's codes */
ngx_int_t ngx_http_campaign_call_answer(ngx_http_campaign_call_t *call);

/* a query parameter by its decoded name ("filter[channel]"); the decoded value lives in call->pool.  NGX_DECLINED: not there */
ngx_int_t ngx_http_campaign_call_arg(ngx_http_campaign_call_t *call, const char *name, ngx_str_t *value);

/* the same out of any text of that form; *value is decoded (in pool) */
ngx_int_t ngx_http_campaign_call_pair(ngx_pool_t *pool, const ngx_str_t *pairs, const ngx_str_t *name, ngx_str_t *value);

/* the next pair of such a text, as it stands in it; *rest is what comes behind.  NGX_DONE: there is none */
ngx_int_t ngx_http_campaign_call_next_pair(ngx_str_t *rest, ngx_str_t *name, ngx_str_t *value);

/* a name or value of it, decoded (in pool) */
ngx_int_t ngx_http_campaign_call_unescape(ngx_pool_t *pool, const ngx_str_t *in, ngx_str_t *out);

/* a header line of the request (any case); NULL: not there */
ngx_table_elt_t *ngx_http_campaign_call_header(ngx_http_request_t *r, const char *name);

/* number of the account whose objects this call may see; 0: the server's own (administration) */
#define ngx_http_campaign_call_owner(call)  ((uint32_t) (call)->account.rec.no)


/* ngx_http_campaign_route.c, both steps */
ngx_int_t ngx_http_campaign_route_open(ngx_http_campaign_call_t *call);         /* what needs no key: OPTIONS, rows that are open */
ngx_int_t ngx_http_campaign_route_find(ngx_http_campaign_call_t *call);

/*
 * ngx_http_campaign_body.c, a step: reads the body if the route takes one.  JSON: parses it, fills call->rec by the resource's fields and runs its `check`,
 * on the thread pool if it is long.  Lines: into call->pile as they stream in; call->data is an ngx_http_campaign_lines_t.
 */
ngx_int_t ngx_http_campaign_body_read(ngx_http_campaign_call_t *call);

/* what was read for a route of BODY_RAW */
void ngx_http_campaign_body_raw(ngx_http_campaign_call_t *call, ngx_str_t *text);

/* the request dies: no slice is taken any more */
void ngx_http_campaign_body_stop(ngx_http_campaign_call_t *call);


/* ngx_http_campaign_idempotency.c, both steps: before and after the body is read */
ngx_int_t ngx_http_campaign_idempotency_begin(ngx_http_campaign_call_t *call);
ngx_int_t ngx_http_campaign_idempotency_match(ngx_http_campaign_call_t *call);

/*
 * A piece of the body, and its end.  NGX_DONE: the answer is known, nothing needs to be parsed; NGX_DECLINED (of the end): refused
 * before; NGX_ERROR. Between them a piece may be refused: NGX_DECLINED, or NGX_OK: the rest has to be read, so that a repeat is known
 * again.
 */
ngx_int_t ngx_http_campaign_idempotency_body(ngx_http_campaign_call_t *call, const u_char *p, size_t len);
ngx_int_t ngx_http_campaign_idempotency_refuse(ngx_http_campaign_call_t *call);
ngx_int_t ngx_http_campaign_idempotency_whole(ngx_http_campaign_call_t *call);

/* nothing is kept of this request, its key is free */
void ngx_http_campaign_idempotency_forget(ngx_http_campaign_call_t *call);

/* the call's operation ended */
void ngx_http_campaign_idempotency_done(ngx_http_campaign_call_t *call);


#endif /* _NGX_HTTP_CAMPAIGN_CALL_H_INCLUDED_ */
