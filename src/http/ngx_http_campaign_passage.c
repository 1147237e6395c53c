
/*
 * A delivery in its gateway's location.  It keeps true: a reply leads nowhere (no X-Accel header of it is followed, no cache answers in its
 * place), and its body is read to its end and thrown away, but for its first bytes, in which the gateway's own id is looked for.
 *
 * Answers wait their turn: hundreds may come at once, and a client's request that comes behind them would wait for all.  So what epoll tells of
 * a gateway's connection is only noted; a few are taken when everybody else's events are done, the rest in the next rounds of the event loop.
 * Rounds are shorter while there are clients.
 */

#include "ngx_http_campaign_delivery.h"


#define NGX_HTTP_CAMPAIGN_REPLY_MAX   65536     /* bytes of a reply that are read to keep its connection */
#define NGX_HTTP_CAMPAIGN_REPLY_WAIT  5000      /* ms for the rest of a reply that has begun */
#define NGX_HTTP_CAMPAIGN_COMPLAIN    60        /* s between two complaints about a cache */

#define NGX_HTTP_CAMPAIGN_ROUND       32        /* deliveries started, or answers taken, before the event loop gets its turn, */
#define NGX_HTTP_CAMPAIGN_ROUND_SHORT 8         /* and after a client's request, */
#define NGX_HTTP_CAMPAIGN_ROUND_WHILE 10        /* for so many ms */

#define NGX_HTTP_CAMPAIGN_IGNORE                                                                                      \
    (NGX_HTTP_UPSTREAM_IGN_XA_REDIRECT | NGX_HTTP_UPSTREAM_IGN_XA_EXPIRES | NGX_HTTP_UPSTREAM_IGN_XA_LIMIT_RATE       \
     | NGX_HTTP_UPSTREAM_IGN_XA_BUFFERING | NGX_HTTP_UPSTREAM_IGN_XA_CHARSET)


static ngx_http_campaign_delivery_t *ngx_http_campaign_passage_of(ngx_http_request_t *r);
static ngx_int_t ngx_http_campaign_passage_client(ngx_http_request_t *r);
static ngx_int_t ngx_http_campaign_passage_precontent(ngx_http_request_t *r);
static ngx_int_t ngx_http_campaign_passage_content(ngx_http_request_t *r);
static ngx_int_t ngx_http_campaign_passage_configure(ngx_http_campaign_delivery_t *d, ngx_http_request_t *r);
static void ngx_http_campaign_passage_wait(ngx_http_campaign_delivery_t *d, ngx_http_request_t *r);
static void ngx_http_campaign_passage_readable(ngx_event_t *ev);
static void ngx_http_campaign_passage_turn(ngx_event_t *ev);
static void ngx_http_campaign_passage_read(ngx_event_t *ev);
static ngx_int_t ngx_http_campaign_passage_header(ngx_http_request_t *r);
static ngx_uint_t ngx_http_campaign_passage_keeping(ngx_http_campaign_delivery_t *d, ngx_http_request_t *r);
static void ngx_http_campaign_passage_keep(ngx_http_campaign_delivery_t *d, ngx_http_request_t *r, ngx_buf_t *b);
static ngx_int_t ngx_http_campaign_passage_body(ngx_http_request_t *r, ngx_chain_t *in);


static ngx_http_output_header_filter_pt  ngx_http_next_header_filter;
static ngx_http_output_body_filter_pt    ngx_http_next_body_filter;

/* of this process */
static ngx_queue_t                       ngx_http_campaign_passage_answers;     /* connections that have something to read */
static ngx_event_t                       ngx_http_campaign_passage_event;       /* takes some of them */
static ngx_event_handler_pt              ngx_http_campaign_passage_reader;      /* nginx's own, of every upstream */
static ngx_msec_t                        ngx_http_campaign_passage_asked;       /* when the last request of a client came */


/* the delivery whose background request r is; NULL: another request (one of auth_request or mirror in the gateway's location, too) */

static ngx_http_campaign_delivery_t *
ngx_http_campaign_passage_of(ngx_http_request_t *r)
{
    ngx_http_campaign_ctx_t  *ctx;

    if (r == r->main) {
        return NULL;
    }

    ctx = ngx_http_get_module_ctx(r->main, ngx_http_campaign_module);

    if (ctx == NULL || ctx->delivery == NULL || ctx->delivery->request != r) {
        return NULL;
    }

    return ctx->delivery;
}


/* background requests do not come here */

static ngx_int_t
ngx_http_campaign_passage_client(ngx_http_request_t *r)
{
    ngx_http_campaign_passage_asked = ngx_current_msec;

    return NGX_DECLINED;
}


ngx_uint_t
ngx_http_campaign_passage_round(void)
{
    return ngx_current_msec - ngx_http_campaign_passage_asked < NGX_HTTP_CAMPAIGN_ROUND_WHILE ? NGX_HTTP_CAMPAIGN_ROUND_SHORT
                                                                                              : NGX_HTTP_CAMPAIGN_ROUND;
}


/* each location that a delivery comes to, by its gateway, error_page, rewrite or try_files: its handler is called by ours */

static ngx_int_t
ngx_http_campaign_passage_precontent(ngx_http_request_t *r)
{
    ngx_http_campaign_delivery_t  *d;

    d = ngx_http_campaign_passage_of(r);

    if (d && r->content_handler && r->content_handler != ngx_http_campaign_passage_content) {
        d->handler = r->content_handler;
        r->content_handler = ngx_http_campaign_passage_content;
    }

    return NGX_DECLINED;
}


/*
 * proxy_pass and its kin make an upstream, give it the location's configuration and begin it, in one call.  What a delivery wants otherwise
 * has to be there before the upstream begins, for then a cache may answer or a peer's reply be at hand.  So it is held:
 * ngx_http_upstream_init does nothing on a request with aio, and is called again by us.
 */

static ngx_int_t
ngx_http_campaign_passage_content(ngx_http_request_t *r)
{
    ngx_int_t                      rc;
    ngx_http_campaign_delivery_t  *d;

    d = ngx_http_campaign_passage_of(r);
    if (d == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    r->method = NGX_HTTP_POST;                          /* error_page made it a GET */
    r->method_name = ngx_http_campaign_delivery_method;

    d->holding = 1;
    r->aio = 1;

    rc = d->handler(r);

    if (!d->holding) {
        return rc;
    }

    d->holding = 0;
    r->aio = 0;

    if (rc != NGX_DONE || r->upstream == NULL || r->upstream == d->upstream) {
        return rc;
    }

    d->upstream = r->upstream;

    if (ngx_http_campaign_passage_configure(d, r) != NGX_OK) {
        ngx_http_finalize_request(r, NGX_HTTP_INTERNAL_SERVER_ERROR);
        return NGX_DONE;
    }

    ngx_http_upstream_init(r);

    ngx_http_campaign_passage_wait(d, r);

    return NGX_DONE;
}


/* the first thing to read is the answer; what comes after it, on another connection or before the request has gone is nginx's as ever */

static void
ngx_http_campaign_passage_wait(ngx_http_campaign_delivery_t *d, ngx_http_request_t *r)
{
    ngx_connection_t  *c;

    if (d->answered || r->upstream != d->upstream || !d->upstream->request_sent) {
        return;
    }

    c = d->upstream->peer.connection;

    if (c == NULL || c->read->posted || c->read->handler == ngx_http_campaign_passage_readable) {
        return;
    }

#if (NGX_HTTP_SSL)

    if (c->ssl && !c->ssl->handshaked) {
        return;
    }

#endif

    ngx_http_campaign_passage_reader = c->read->handler;
    c->read->handler = ngx_http_campaign_passage_readable;
}


static void
ngx_http_campaign_passage_readable(ngx_event_t *ev)
{
    if (ev->timedout) {
        ngx_http_campaign_passage_read(ev);
        return;
    }

    ngx_post_event(ev, &ngx_http_campaign_passage_answers);

    if (!ngx_http_campaign_passage_event.posted) {
        ngx_http_campaign_passage_event.handler = ngx_http_campaign_passage_turn;
        ngx_http_campaign_passage_event.log = ngx_cycle->log;

        ngx_post_event(&ngx_http_campaign_passage_event, &ngx_posted_events);
    }
}


static void
ngx_http_campaign_passage_turn(ngx_event_t *ev)
{
    ngx_uint_t    n, most;
    ngx_queue_t  *q;
    ngx_event_t  *rev;

    most = ngx_http_campaign_passage_round();

    for (n = 0; !ngx_queue_empty(&ngx_http_campaign_passage_answers); n++) {

        if (n == most) {
            ngx_post_event(ev, &ngx_posted_next_events);
            return;
        }

        q = ngx_queue_head(&ngx_http_campaign_passage_answers);
        rev = ngx_queue_data(q, ngx_event_t, queue);

        ngx_delete_posted_event(rev);
        ngx_http_campaign_passage_read(rev);
    }
}


static void
ngx_http_campaign_passage_read(ngx_event_t *ev)
{
    if (ev->handler == ngx_http_campaign_passage_readable) {
        ev->handler = ngx_http_campaign_passage_reader;
    }

    ev->handler(ev);
}


/* the location's configuration, but for what would make a reply more, or less, than an answer */

static ngx_int_t
ngx_http_campaign_passage_configure(ngx_http_campaign_delivery_t *d, ngx_http_request_t *r)
{
    ngx_http_upstream_t       *u;
    ngx_http_upstream_conf_t  *conf;

#if (NGX_HTTP_CACHE)
    static time_t  complained;
#endif

    u = r->upstream;

    conf = ngx_palloc(r->pool, sizeof(ngx_http_upstream_conf_t));
    if (conf == NULL) {
        return NGX_ERROR;
    }

    *conf = *u->conf;

    d->redirect = (conf->ignore_headers & NGX_HTTP_UPSTREAM_IGN_XA_REDIRECT) ? 0 : 1;

    conf->ignore_headers |= NGX_HTTP_CAMPAIGN_IGNORE;
    conf->ignore_client_abort = 1;

#if (NGX_HTTP_CACHE)

    if (conf->cache && (r->method & conf->cache_methods) && ngx_time() - complained >= NGX_HTTP_CAMPAIGN_COMPLAIN) {
        complained = ngx_time();
        ngx_log_error(NGX_LOG_WARN, r->connection->log, 0,
                      "a cached reply is not a delivery: the cache of this location is not used, turn it off here");
    }

    conf->cache = 0;

#endif

    u->conf = conf;
    u->buffering = 0;                                   /* no memory and no file for a reply that nobody reads */

    return NGX_OK;
}


/* comes before any byte of a reply: a handler that answers by itself is not to be held */

static ngx_int_t
ngx_http_campaign_passage_header(ngx_http_request_t *r)
{
    ngx_http_campaign_delivery_t  *d;

    d = ngx_http_campaign_passage_of(r);

    if (d) {
        d->latency = ngx_current_msec - d->started;
        d->keeping = ngx_http_campaign_passage_keeping(d, r);
        ngx_str_null(&d->kept);

        if (d->holding) {
            d->holding = 0;
            r->aio = 0;
        }
    }

    return ngx_http_next_header_filter(r);
}


/* does this reply have to be kept to find an id in it? */

static ngx_uint_t
ngx_http_campaign_passage_keeping(ngx_http_campaign_delivery_t *d, ngx_http_request_t *r)
{
    ngx_uint_t                    i;
    ngx_http_campaign_gateway_t  *gateway;

    gateway = d->origin->gateway;

    if (r->headers_out.status < NGX_HTTP_OK || r->headers_out.status >= NGX_HTTP_SPECIAL_RESPONSE) {
        return 0;
    }

    for (i = 0; i < gateway->nids; i++) {
        if (gateway->ids[i].kind != NGX_CAMPAIGN_REPLY_HEADER) {
            return 1;
        }
    }

    return 0;
}


/* the first bytes of a reply; without memory for them the message is accepted all the same */

static void
ngx_http_campaign_passage_keep(ngx_http_campaign_delivery_t *d, ngx_http_request_t *r, ngx_buf_t *b)
{
    size_t  n;

    n = ngx_min((size_t) (b->last - b->pos), NGX_CAMPAIGN_REPLY_MAX - d->kept.len);

    if (n == 0 || !ngx_buf_in_memory(b)) {
        return;
    }

    if (d->kept.data == NULL) {
        d->keep_room = NGX_CAMPAIGN_REPLY_MAX;

        if (r->headers_out.content_length_n >= (off_t) n && r->headers_out.content_length_n < NGX_CAMPAIGN_REPLY_MAX) {
            d->keep_room = (size_t) r->headers_out.content_length_n;
        }

        d->kept.data = ngx_pnalloc(d->pool, d->keep_room);

        if (d->kept.data == NULL) {
            return;
        }
    }

    n = ngx_min(n, d->keep_room - d->kept.len);

    ngx_memcpy(d->kept.data + d->kept.len, b->pos, n);
    d->kept.len += n;
}


/*
 * The reply's body is nobody's.  A short one is read to its end, so that the connection to the gateway lives on; a long or slow one is
 * left, and the status that came before it counts.
 */

static ngx_int_t
ngx_http_campaign_passage_body(ngx_http_request_t *r, ngx_chain_t *in)
{
    ngx_buf_t                     *b;
    ngx_http_upstream_t           *u;
    ngx_http_campaign_delivery_t  *d;

    d = ngx_http_campaign_passage_of(r);

    if (d == NULL) {
        return ngx_http_next_body_filter(r, in);
    }

    for ( /* void */ ; in; in = in->next) {
        b = in->buf;

        if (d->keeping) {
            ngx_http_campaign_passage_keep(d, r, b);
        }

        d->reply += ngx_buf_size(b);

        b->pos = b->last;
        b->file_pos = b->file_last;
    }

    u = r->upstream;

    if (u == NULL || !u->header_sent || u->length == 0 || d->answered) {
        return NGX_OK;
    }

    if (d->reply > NGX_HTTP_CAMPAIGN_REPLY_MAX) {
        return NGX_ERROR;
    }

    if (!d->event.timer_set) {
        ngx_add_timer(&d->event, NGX_HTTP_CAMPAIGN_REPLY_WAIT);
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_campaign_passage_init(ngx_conf_t *cf)
{
    ngx_http_handler_pt        *h;
    ngx_http_core_main_conf_t  *cmcf;

    if (ngx_http_campaign_passage_answers.next == NULL) {
        ngx_queue_init(&ngx_http_campaign_passage_answers);
    }

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    h = ngx_array_push(&cmcf->phases[NGX_HTTP_POST_READ_PHASE].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = ngx_http_campaign_passage_client;

    h = ngx_array_push(&cmcf->phases[NGX_HTTP_PRECONTENT_PHASE].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = ngx_http_campaign_passage_precontent;

    ngx_http_next_header_filter = ngx_http_top_header_filter;
    ngx_http_top_header_filter = ngx_http_campaign_passage_header;

    ngx_http_next_body_filter = ngx_http_top_body_filter;
    ngx_http_top_body_filter = ngx_http_campaign_passage_body;

    return NGX_OK;
}
