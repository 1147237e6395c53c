
/*
 * A message as a background request to its gateway's location (what happens to it there: ngx_http_campaign_passage.c).  It keeps true:
 *  - nginx never frees the main request or closes its connection, which are not a client's: the main request is held (count, blocked), the
 *    answer is taken where the background request is finalized, and all is freed from an event of its own, outside of the upstream that
 *    finalizes;
 *  - the answer is told once, and only an answer of the gateway (or what its location made of one) is a status;
 *  - all that a delivery needs is one block of memory, unless its location asks for more than most.
 */

#include "ngx_http_campaign_delivery.h"


#define NGX_HTTP_CAMPAIGN_POOL        16384     /* bytes of a delivery, the buffer of its reply among them */
#define NGX_HTTP_CAMPAIGN_BUSY_WAIT   10        /* ms until a thread that still works for the request is looked for again */


static ngx_int_t ngx_http_campaign_delivery_connect(ngx_http_campaign_delivery_t *d, ngx_log_t *log);
static ngx_int_t ngx_http_campaign_delivery_main(ngx_http_campaign_delivery_t *d);
static ngx_int_t ngx_http_campaign_delivery_render(ngx_http_campaign_delivery_t *d);
static ngx_int_t ngx_http_campaign_delivery_request(ngx_http_campaign_delivery_t *d);

static ngx_int_t ngx_http_campaign_delivery_finalized(ngx_http_request_t *r, void *data, ngx_int_t rc);
static void ngx_http_campaign_delivery_terminated(void *data);
static void ngx_http_campaign_delivery_answer(ngx_http_campaign_delivery_t *d, ngx_int_t rc);

static void ngx_http_campaign_delivery_end(ngx_event_t *ev);
static void ngx_http_campaign_delivery_free(ngx_http_campaign_delivery_t *d);
static void ngx_http_campaign_delivery_wake(ngx_http_request_t *r);
static void ngx_http_campaign_delivery_event(ngx_event_t *ev);
static u_char *ngx_http_campaign_delivery_log(ngx_log_t *log, u_char *buf, size_t len);

static ngx_int_t ngx_http_campaign_delivery_gateway(ngx_conf_t *cf, ngx_http_campaign_gateway_t *gateway);


ngx_str_t  ngx_http_campaign_delivery_method = ngx_string("POST");

static ngx_str_t  ngx_http_campaign_delivery_protocol = ngx_string("HTTP/1.1");

/* a peer without an address: access rules for addresses do not match it, "deny all" and "allow unix:" do */

static struct sockaddr_un  ngx_http_campaign_delivery_sockaddr = { .sun_family = AF_UNIX };
static ngx_str_t           ngx_http_campaign_delivery_addr = ngx_string("unix:");
static ngx_listening_t     ngx_http_campaign_delivery_listening = { .addr_text = ngx_string("unix:") };


ngx_int_t
ngx_http_campaign_delivery_start(ngx_http_campaign_delivery_t *d, ngx_log_t *log)
{
    ngx_int_t  rc;

    d->started = ngx_current_msec;

    rc = ngx_http_campaign_delivery_connect(d, log);
    if (rc != NGX_OK) {
        return rc;
    }

    if (ngx_http_campaign_delivery_main(d) != NGX_OK
        || ngx_http_campaign_delivery_render(d) != NGX_OK
        || ngx_http_campaign_delivery_request(d) != NGX_OK)
    {
        ngx_http_campaign_delivery_free(d);
        return NGX_ERROR;
    }

    if (d->limit) {
        ngx_add_timer(&d->event, d->limit);
    }

    ngx_http_run_posted_requests(d->connection);

    return NGX_OK;
}


/* one of the worker's connections, without a socket; a sixteenth of them is left to clients: nginx closes idle ones below that */

static ngx_int_t
ngx_http_campaign_delivery_connect(ngx_http_campaign_delivery_t *d, ngx_log_t *log)
{
    ngx_connection_t  *c;

    if (ngx_cycle->free_connection_n <= ngx_cycle->connection_n / 16 + 2) {
        return NGX_BUSY;
    }

    c = ngx_get_connection(0, log);
    if (c == NULL) {
        return NGX_BUSY;
    }

    d->connection = c;

    d->log = *log;
    d->log.handler = ngx_http_campaign_delivery_log;
    d->log.data = &d->log_ctx;
    d->log.action = NULL;
    d->log_ctx.connection = c;

    d->http.conf_ctx = d->origin->gateway->ctx;

    c->fd = (ngx_socket_t) -1;
    c->data = &d->http;
    c->log = &d->log;
    c->listening = &ngx_http_campaign_delivery_listening;
    c->buffer = &d->buffer;
    c->number = ngx_atomic_fetch_add(ngx_connection_counter, 1);
    c->start_time = ngx_current_msec;
    c->log->connection = c->number;

    c->sockaddr = (struct sockaddr *) &ngx_http_campaign_delivery_sockaddr;
    c->socklen = sizeof(struct sockaddr_un);
    c->local_sockaddr = c->sockaddr;
    c->local_socklen = c->socklen;
    c->addr_text = ngx_http_campaign_delivery_addr;

    /* "active" keeps it out of epoll, "ready" and the options keep nginx from timers and calls that are for sockets */

    c->read->active = 1;
    c->write->active = 1;
    c->write->ready = 1;
    c->tcp_nodelay = NGX_TCP_NODELAY_DISABLED;

    c->read->handler = ngx_http_campaign_delivery_event;
    c->write->handler = ngx_http_campaign_delivery_event;
    c->read->log = c->log;
    c->write->log = c->log;

    d->event.handler = ngx_http_campaign_delivery_end;
    d->event.data = d;
    d->event.log = log;

    return NGX_OK;
}


/* the main request; it is never run: it holds what its background request refers to */

static ngx_int_t
ngx_http_campaign_delivery_main(ngx_http_campaign_delivery_t *d)
{
    ngx_connection_t             *c;
    ngx_http_cleanup_t           *cln;
    ngx_http_request_t           *r;
    ngx_http_campaign_gateway_t  *gateway;

    c = d->connection;
    gateway = d->origin->gateway;

    r = ngx_http_create_request(c);
    if (r == NULL) {
        return NGX_ERROR;
    }

    d->main = r;
    d->pool = r->pool;
    d->pool->max = ngx_pagesize;                        /* the buffer of a reply is of the block, too */

    c->data = r;
    c->pool = r->pool;

#if (NGX_STAT_STUB)
    (void) ngx_atomic_fetch_add(ngx_stat_reading, -1);
    (void) ngx_atomic_fetch_add(ngx_stat_requests, -1);
    r->stat_reading = 0;
#endif

    if (ngx_list_init(&r->headers_in.headers, r->pool, 1, sizeof(ngx_table_elt_t)) != NGX_OK) {
        return NGX_ERROR;
    }

    r->request_line = gateway->request_line;
    r->method = NGX_HTTP_POST;
    r->method_name = ngx_http_campaign_delivery_method;
    r->http_version = NGX_HTTP_VERSION_11;
    r->http_protocol = ngx_http_campaign_delivery_protocol;
    r->uri = gateway->uri;
    r->unparsed_uri = gateway->uri;
    r->internal = 1;

    r->http_state = NGX_HTTP_PROCESS_REQUEST_STATE;
    r->read_event_handler = ngx_http_request_empty_handler;
    r->write_event_handler = ngx_http_campaign_delivery_wake;

    d->ctx.delivery = d;
    ngx_http_set_ctx(r, &d->ctx, ngx_http_campaign_module);

    cln = ngx_http_cleanup_add(r, 0);
    if (cln == NULL) {
        return NGX_ERROR;
    }

    cln->handler = ngx_http_campaign_delivery_terminated;
    cln->data = d;

    r->count++;
    r->blocked++;

    return NGX_OK;
}


static ngx_int_t
ngx_http_campaign_delivery_render(ngx_http_campaign_delivery_t *d)
{
    u_char                     id[NGX_CAMPAIGN_ID_LEN];
    ngx_campaign_store_t      *st;
    ngx_campaign_claimed_t    *m;
    ngx_campaign_template_t   *t;

    if (d->letter) {
        d->body = d->letter->body;
        return NGX_OK;
    }

    st = ngx_http_campaign_store();
    if (st == NULL) {
        return NGX_ERROR;
    }

    m = d->message;
    t = &d->origin->text;

    ngx_campaign_id_make(ngx_campaign_store_secret(st), NGX_CAMPAIGN_MESSAGE, m->campaign, m->seq, id);
    (void) ngx_campaign_uuid_print(d->id, id);

    d->to_len = ngx_campaign_number_print(d->to, m->contact.number) - d->to;

    d->text.len = ngx_campaign_template_size(t, &m->contact);
    d->text.data = ngx_pnalloc(d->pool, d->text.len + 1);

    if (d->text.data == NULL) {
        return NGX_ERROR;
    }

    (void) ngx_campaign_template_render(d->text.data, t, &m->contact);

    ngx_campaign_sms_measure(d->text.data, d->text.len, &d->size);

    return NGX_OK;
}


/*
 * The background request.  It is a POST, whatever the gateway is asked with in the end: by r->method nginx decides whether a request that
 * has gone out may be sent again to another peer.
 */

static ngx_int_t
ngx_http_campaign_delivery_request(ngx_http_campaign_delivery_t *d)
{
    ngx_http_request_t  *r;

    d->finalized.handler = ngx_http_campaign_delivery_finalized;
    d->finalized.data = d;

    if (ngx_http_subrequest(d->main, &d->origin->gateway->uri, NULL, &r, &d->finalized, NGX_HTTP_SUBREQUEST_BACKGROUND) != NGX_OK) {
        return NGX_ERROR;
    }

    r->method = NGX_HTTP_POST;
    r->method_name = ngx_http_campaign_delivery_method;

    d->request = r;

    return NGX_OK;
}


/*
 * Called each time that nginx is done with the background request.  With an error it goes on to the error's page, which may be a location
 * with another gateway; any other end is the last one.  Then nginx is told that all is well: an error would make it close the connection,
 * which is none.
 */

static ngx_int_t
ngx_http_campaign_delivery_finalized(ngx_http_request_t *r, void *data, ngx_int_t rc)
{
    ngx_http_campaign_delivery_t *d = data;

    r->connection->error = 0;

    if (rc == NGX_HTTP_CREATED || rc == NGX_HTTP_NO_CONTENT
        || (rc >= NGX_HTTP_SPECIAL_RESPONSE
            && rc != NGX_HTTP_CLOSE && rc != NGX_HTTP_REQUEST_TIME_OUT && rc != NGX_HTTP_CLIENT_CLOSED_REQUEST))
    {
        return d->answered ? NGX_OK : rc;
    }

    r->buffered = 0;
    r->postponed = NULL;

    ngx_http_campaign_delivery_answer(d, rc);

    return NGX_OK;
}


/* nginx gave up the main request, for a request of auth_request or for want of memory; it runs cleanups, then stops, for it is blocked */

static void
ngx_http_campaign_delivery_terminated(void *data)
{
    ngx_http_campaign_delivery_answer(data, NGX_ERROR);
}


static void
ngx_http_campaign_delivery_answer(ngx_http_campaign_delivery_t *d, ngx_int_t rc)
{
    ngx_http_request_t  *r;

    if (d->answered || d->request == NULL) {
        return;
    }

    r = d->request;
    d->answered = 1;

    if (d->event.timer_set) {
        ngx_del_timer(&d->event);
    }

    ngx_post_event(&d->event, &ngx_posted_events);

    if (!r->header_sent) {
        d->latency = ngx_current_msec - d->started;
        r->headers_out.status = (rc > 0) ? rc : NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    d->log.action = NULL;

    ngx_http_campaign_answer_read(d);

    ngx_log_debug3(NGX_LOG_DEBUG_HTTP, &d->log, 0, "campaign delivery: answer %d, status %ui, rc %i", d->answer, d->status, rc);
}


void
ngx_http_campaign_delivery_cut(ngx_http_campaign_delivery_t *d)
{
    if (d->answered || d->request == NULL) {
        return;
    }

    ngx_http_campaign_delivery_answer(d, NGX_ERROR);

    if (d->request->upstream == NULL && !d->request->header_sent) {
        d->answer = NGX_CAMPAIGN_ANSWER_NONE;           /* it did not come to its upstream: limit_req, auth_request */
    }
}


/* posted with the answer; as a timer: the rest of a reply has not come in time */

static void
ngx_http_campaign_delivery_end(ngx_event_t *ev)
{
    ngx_http_campaign_delivery_t *d = ev->data;

    if (!d->answered) {
        ngx_http_campaign_delivery_answer(d, NGX_ERROR);    /* posts this event again */
        return;
    }

    if (d->main->blocked > 1) {
        ngx_add_timer(ev, NGX_HTTP_CAMPAIGN_BUSY_WAIT);
        return;
    }

    ngx_http_campaign_delivery_free(d);

    d->done(d);
}


static void
ngx_http_campaign_delivery_free(ngx_http_campaign_delivery_t *d)
{
    ngx_connection_t    *c;
    ngx_http_cleanup_t  *cln;

    c = d->connection;

    if (d->main) {
        cln = d->main->cleanup;
        d->main->cleanup = NULL;

        for ( /* void */ ; cln; cln = cln->next) {
            if (cln->handler) {
                cln->handler(cln->data);
            }
        }
    }

    if (c->read->timer_set) {
        ngx_del_timer(c->read);
    }

    if (c->write->timer_set) {
        ngx_del_timer(c->write);
    }

    if (c->read->posted) {
        ngx_delete_posted_event(c->read);
    }

    if (c->write->posted) {
        ngx_delete_posted_event(c->write);
    }

    if (d->main) {
        ngx_destroy_pool(d->pool);

        d->pool = NULL;
        d->main = NULL;
        d->request = NULL;
        ngx_str_null(&d->text);
        ngx_str_null(&d->body);
    }

    c->fd = 0;                                          /* the number it was taken with: poll and select count by it */
    c->destroyed = 1;
    ngx_free_connection(c);
    c->fd = (ngx_socket_t) -1;

    d->connection = NULL;
}


/* an event of the connection (limit_req waits by its timer) is the background request's */

static void
ngx_http_campaign_delivery_wake(ngx_http_request_t *r)
{
    ngx_http_campaign_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_campaign_module);
    r = ctx->delivery->request;

    if (!ctx->delivery->answered) {
        r->write_event_handler(r);
    }
}


static void
ngx_http_campaign_delivery_event(ngx_event_t *ev)
{
    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    c = ev->data;
    r = c->data;

    if (ev->delayed && ev->timedout) {
        ev->delayed = 0;
        ev->timedout = 0;
    }

    if (ev->write) {
        r->write_event_handler(r);
    }

    ngx_http_run_posted_requests(c);
}


static u_char *
ngx_http_campaign_delivery_log(ngx_log_t *log, u_char *buf, size_t len)
{
    u_char                        *p;
    ngx_str_t                      id;
    ngx_http_log_ctx_t            *ctx;
    ngx_http_campaign_delivery_t  *d;

    ctx = log->data;
    d = (ngx_http_campaign_delivery_t *) ((u_char *) ctx - offsetof(ngx_http_campaign_delivery_t, log_ctx));

    p = buf;

    if (log->action) {
        p = ngx_snprintf(p, len, " while %s", log->action);
        len -= p - buf;
        buf = p;
    }

    if (d->letter) {
        p = ngx_snprintf(p, len, ", webhook: %V, event: %V", &d->letter->host, &d->letter->id);
        len -= p - buf;

    } else if (d->to_len) {
        id.data = d->id;
        id.len = NGX_CAMPAIGN_UUID_LEN;

        p = ngx_snprintf(p, len, ", message: %V", &id);
        len -= p - buf;
    }

    return ctx->request ? ctx->request->log_handler(ctx->request, ctx->current_request, p, len) : p;
}


ngx_int_t
ngx_http_campaign_delivery_init(ngx_conf_t *cf)
{
    ngx_uint_t                      i;
    ngx_http_campaign_gateway_t    *gateway;
    ngx_http_campaign_main_conf_t  *cmcf;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_campaign_module);
    gateway = cmcf->gateways.elts;

    for (i = 0; i < cmcf->gateways.nelts; i++) {
        if (ngx_http_campaign_delivery_gateway(cf, &gateway[i]) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    if (cmcf->webhook.gateway.uri.data && ngx_http_campaign_delivery_gateway(cf, &cmcf->webhook.gateway) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_http_campaign_passage_init(cf);
}


/*
 * What the main requests of a gateway have in common.  Their configuration is that of its server, but for the size of a request's pool,
 * which is for those that clients send; the background request gets the server's own again from nginx.
 */

static ngx_int_t
ngx_http_campaign_delivery_gateway(ngx_conf_t *cf, ngx_http_campaign_gateway_t *gateway)
{
    u_char                    *p;
    ngx_str_t                 *line;
    ngx_http_conf_ctx_t       *ctx;
    ngx_http_core_srv_conf_t  *cscf;

    line = &gateway->request_line;
    line->len = ngx_http_campaign_delivery_method.len + gateway->uri.len + ngx_http_campaign_delivery_protocol.len + 2;

    p = ngx_pnalloc(cf->pool, line->len);
    ctx = ngx_palloc(cf->pool, sizeof(ngx_http_conf_ctx_t));
    cscf = ngx_palloc(cf->pool, sizeof(ngx_http_core_srv_conf_t));

    if (p == NULL || ctx == NULL || cscf == NULL) {
        return NGX_ERROR;
    }

    line->data = p;
    (void) ngx_sprintf(p, "%V %V %V", &ngx_http_campaign_delivery_method, &gateway->uri, &ngx_http_campaign_delivery_protocol);

    *cscf = *gateway->cscf;
    cscf->request_pool_size = ngx_max(cscf->request_pool_size, NGX_HTTP_CAMPAIGN_POOL);

    *ctx = *gateway->cscf->ctx;

    ctx->srv_conf = ngx_palloc(cf->pool, ngx_http_max_module * sizeof(void *));
    if (ctx->srv_conf == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(ctx->srv_conf, gateway->cscf->ctx->srv_conf, ngx_http_max_module * sizeof(void *));
    ctx->srv_conf[ngx_http_core_module.ctx_index] = cscf;

    gateway->ctx = ctx;

    return NGX_OK;
}
