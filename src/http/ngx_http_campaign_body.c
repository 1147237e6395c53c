
/*
 * The body of a call, read slice by slice without nginx's temporary files.  Lines are taken as they stream in; JSON is collected and then parsed, on the
 * thread pool if it is long.  It keeps true: no event works through more than a slice, and what is built from a body is bounded before it is built.
 */

#include "ngx_http_campaign_call.h"
#include "ngx_http_campaign_error.h"
#include "ngx_http_campaign_field.h"


#define NGX_CAMPAIGN_BODY_INLINE    65536               /* bytes of JSON parsed in the event loop */
#define NGX_CAMPAIGN_BODY_SLICE     65536               /* bytes of a body taken in one event */
#define NGX_CAMPAIGN_BODY_SHORT     65536               /* bytes of a body that is taken as it is */
#define NGX_CAMPAIGN_BODY_MAX       (64 * 1024 * 1024)  /* bytes of JSON, whatever client_max_body_size allows */
#define NGX_CAMPAIGN_JSON_NESTED    16
#define NGX_CAMPAIGN_JSON_LISTS     250000              /* objects and arrays in a body: a contact has two at most */
#define NGX_CAMPAIGN_JSON_VALUES    1500000


struct ngx_http_campaign_body_s {
    u_char                     *data;           /* JSON collected so far */
    size_t                      len, size;
    ngx_http_campaign_lines_t  *lines;          /* NULL: JSON */
    ngx_event_t                 event;          /* goes on with the next slice */
    ngx_int_t                   rc;             /* of the thread */
    unsigned                    waiting:1;      /* for nginx, which has all of it already */
};


static ngx_int_t ngx_http_campaign_body_type(ngx_http_campaign_call_t *call);
static ngx_int_t ngx_http_campaign_body_lines(ngx_http_campaign_call_t *call, ngx_campaign_lines_form_e form);
static void ngx_http_campaign_body_begun(ngx_http_request_t *r);
static void ngx_http_campaign_body_event(ngx_http_request_t *r);
static void ngx_http_campaign_body_next(ngx_event_t *ev);
static ngx_int_t ngx_http_campaign_body_take(ngx_http_campaign_call_t *call);
static ngx_int_t ngx_http_campaign_body_slice(ngx_http_campaign_call_t *call, u_char *p, u_char *end);
static ngx_int_t ngx_http_campaign_body_collect(ngx_http_campaign_call_t *call, u_char *p, size_t len);
static ngx_int_t ngx_http_campaign_body_records(ngx_http_campaign_call_t *call, u_char *p, u_char *end, ngx_uint_t last);
static ngx_int_t ngx_http_campaign_body_status(ngx_http_campaign_call_t *call, ngx_int_t status);
static ngx_int_t ngx_http_campaign_body_done(ngx_http_campaign_call_t *call);
static void ngx_http_campaign_body_thread(void *data, ngx_log_t *log);
static ngx_int_t ngx_http_campaign_body_result(ngx_http_campaign_call_t *call);
static ngx_int_t ngx_http_campaign_body_parse(ngx_http_campaign_call_t *call);
static ngx_int_t ngx_http_campaign_body_fill(ngx_http_campaign_call_t *call, json_t *root);
static const char *ngx_http_campaign_body_bomb(const u_char *p, const u_char *end);


ngx_int_t
ngx_http_campaign_body_read(ngx_http_campaign_call_t *call)
{
    ngx_int_t            rc;
    ngx_http_request_t  *r;

    if (!(call->route->flags & NGX_CAMPAIGN_BODY)) {
        return NGX_OK;
    }

    call->body = ngx_pcalloc(call->pool, sizeof(ngx_http_campaign_body_t));
    if (call->body == NULL) {
        return NGX_ERROR;
    }

    rc = ngx_http_campaign_body_type(call);
    if (rc != NGX_OK) {
        return rc;
    }

    r = call->request;

    call->body->event.handler = ngx_http_campaign_body_next;
    call->body->event.data = call;
    call->body->event.log = r->connection->log;

    r->request_body_no_buffering = 1;
    r->main->count--;                           /* reading takes a reference of its own, that becomes the call's */

    rc = ngx_http_read_client_request_body(r, ngx_http_campaign_body_begun);

    if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {
        r->main->count++;
        return ngx_http_campaign_body_status(call, rc);
    }

    call->body_read = 1;

    if (rc == NGX_AGAIN && !r->request_body_no_buffering) {
        call->body->waiting = 1;                /* over HTTP/2 the stream was closed before, and an event brings its body */
        return NGX_AGAIN;
    }

    return ngx_http_campaign_body_take(call);
}


/* without buffering it is called before the first slice is taken, and there is nothing to do */

static void
ngx_http_campaign_body_begun(ngx_http_request_t *r)
{
    ngx_http_campaign_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_campaign_module);

    if (ctx->call->body->waiting) {
        ctx->call->body->waiting = 0;
        ctx->call->then = ngx_http_campaign_body_take;

        ngx_http_campaign_call_run(ctx->call);
    }
}


/* what kind of body this is; another kind is refused before a byte of it is read */

static ngx_int_t
ngx_http_campaign_body_type(ngx_http_campaign_call_t *call)
{
    u_char              *end;
    ngx_str_t            type;
    ngx_table_elt_t     *encoding;
    ngx_http_request_t  *r;

    r = call->request;
    encoding = ngx_http_campaign_call_header(r, "Content-Encoding");

    if (encoding && !(encoding->value.len == 8 && ngx_strncasecmp(encoding->value.data, (u_char *) "identity", 8) == 0)) {
        return ngx_http_campaign_error_text(call, NGX_CAMPAIGN_E_MEDIA_TYPE, "unsupported content encoding: send the body as it is");
    }

    if (r->headers_in.content_type == NULL || (call->route->flags & NGX_CAMPAIGN_BODY_RAW)) {
        return NGX_OK;
    }

    type = r->headers_in.content_type->value;
    end = ngx_strlchr(type.data, type.data + type.len, ';');

    if (end) {
        type.len = end - type.data;
    }

    while (type.len && type.data[type.len - 1] == ' ') {
        type.len--;
    }

    if (type.len == sizeof("application/json") - 1 && ngx_strncasecmp(type.data, (u_char *) "application/json", type.len) == 0) {
        return NGX_OK;
    }

    if (!(call->route->flags & NGX_CAMPAIGN_BODY_LINES)) {
        return ngx_http_campaign_error(call, NGX_CAMPAIGN_E_MEDIA_TYPE);
    }

    if (type.len == sizeof("text/csv") - 1 && ngx_strncasecmp(type.data, (u_char *) "text/csv", type.len) == 0) {
        return ngx_http_campaign_body_lines(call, NGX_CAMPAIGN_LINES_CSV);
    }

    if (type.len == sizeof("application/x-ndjson") - 1 && ngx_strncasecmp(type.data, (u_char *) "application/x-ndjson", type.len) == 0) {
        return ngx_http_campaign_body_lines(call, NGX_CAMPAIGN_LINES_NDJSON);
    }

    return ngx_http_campaign_error_text(call, NGX_CAMPAIGN_E_MEDIA_TYPE, "unsupported media type: send application/json, text/csv or "
                                        "application/x-ndjson");
}


static ngx_int_t
ngx_http_campaign_body_lines(ngx_http_campaign_call_t *call, ngx_campaign_lines_form_e form)
{
    ngx_http_campaign_lines_t  *lines;

    lines = ngx_pcalloc(call->pool, sizeof(ngx_http_campaign_lines_t));

    if (lines == NULL
        || ngx_array_init(&lines->columns, call->pool, 8, sizeof(ngx_int_t)) != NGX_OK
        || ngx_array_init(&lines->errors, call->pool, 8, sizeof(ngx_http_campaign_line_error_t)) != NGX_OK
        || ngx_campaign_lines_init(&lines->reader, call->pool, form) != NGX_OK)
    {
        return NGX_ERROR;
    }

    call->body->lines = lines;
    call->data = lines;

    return NGX_OK;
}


/* the client sent more */

static void
ngx_http_campaign_body_event(ngx_http_request_t *r)
{
    ngx_http_campaign_ctx_t  *ctx;

    if (r->connection->read->timedout) {
        r->connection->timedout = 1;
        ngx_http_finalize_request(r, NGX_HTTP_REQUEST_TIME_OUT);
        return;
    }

    ctx = ngx_http_get_module_ctx(r, ngx_http_campaign_module);

    ctx->call->then = ngx_http_campaign_body_take;
    ngx_http_campaign_call_run(ctx->call);
}


/* the event loop had its turn */

static void
ngx_http_campaign_body_next(ngx_event_t *ev)
{
    ngx_connection_t          *c;
    ngx_http_campaign_call_t  *call = ev->data;

    c = call->request->connection;

    call->then = ngx_http_campaign_body_take;
    ngx_http_campaign_call_run(call);

    ngx_http_run_posted_requests(c);
}


/* takes what has arrived, a slice at most; a step */

static ngx_int_t
ngx_http_campaign_body_take(ngx_http_campaign_call_t *call)
{
    size_t               taken;
    ngx_int_t            rc;
    ngx_chain_t         *cl;
    ngx_http_request_t  *r;

    r = call->request;
    ngx_http_campaign_body_stop(call);

    for (taken = 0; taken < NGX_CAMPAIGN_BODY_SLICE; /* void */ ) {

        while (r->request_body && r->request_body->bufs) {
            cl = r->request_body->bufs;
            r->request_body->bufs = cl->next;

            taken += cl->buf->last - cl->buf->pos;

            rc = ngx_http_campaign_body_slice(call, cl->buf->pos, cl->buf->last);

            cl->buf->pos = cl->buf->last;
            ngx_free_chain(r->pool, cl);

            if (rc != NGX_OK) {
                call->body_read = !r->reading_body;
                return rc;
            }
        }

        if (!r->reading_body) {
            r->read_event_handler = ngx_http_block_reading;
            return ngx_http_campaign_body_done(call);
        }

        rc = ngx_http_read_unbuffered_request_body(r);

        if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {
            return ngx_http_campaign_body_status(call, rc);
        }

        if (rc == NGX_AGAIN && r->request_body->bufs == NULL) {
            r->read_event_handler = ngx_http_campaign_body_event;
            return NGX_AGAIN;
        }
    }

    r->read_event_handler = ngx_http_block_reading;
    ngx_post_event(&call->body->event, &ngx_posted_next_events);

    return NGX_AGAIN;
}


void
ngx_http_campaign_body_raw(ngx_http_campaign_call_t *call, ngx_str_t *text)
{
    text->data = call->body->data;
    text->len = call->body->len;
}


void
ngx_http_campaign_body_stop(ngx_http_campaign_call_t *call)
{
    if (call->body && call->body->event.posted) {
        ngx_delete_posted_event(&call->body->event);
    }
}


static ngx_int_t
ngx_http_campaign_body_slice(ngx_http_campaign_call_t *call, u_char *p, u_char *end)
{
    ngx_int_t  rc;

    rc = ngx_http_campaign_idempotency_body(call, p, end - p);

    if (rc != NGX_OK) {
        return rc == NGX_DONE ? NGX_OK : rc;
    }

    if (call->body->lines) {
        rc = ngx_http_campaign_body_records(call, p, end, 0);

    } else {
        rc = ngx_http_campaign_body_collect(call, p, end - p);
    }

    return rc == NGX_DECLINED ? ngx_http_campaign_idempotency_refuse(call) : rc;
}


static ngx_int_t
ngx_http_campaign_body_collect(ngx_http_campaign_call_t *call, u_char *p, size_t len)
{
    u_char                    *data;
    off_t                      expected;
    size_t                     size, most;
    ngx_http_campaign_body_t  *b;

    b = call->body;

    if (len == 0) {
        return NGX_OK;
    }

    most = (call->route->flags & NGX_CAMPAIGN_BODY_RAW) ? NGX_CAMPAIGN_BODY_SHORT : NGX_CAMPAIGN_BODY_MAX;

    if (len > most - b->len) {
        return ngx_http_campaign_error(call, NGX_CAMPAIGN_E_TOO_LARGE);
    }

    if (b->len + len > b->size) {
        expected = call->request->headers_in.content_length_n;

        size = ngx_max(b->len + len, 2 * b->size);

        if (expected > (off_t) size) {
            size = (size_t) ngx_min(expected, (off_t) most);
        }

        data = ngx_pnalloc(call->pool, size);
        if (data == NULL) {
            return NGX_ERROR;
        }

        if (b->len) {
            ngx_memcpy(data, b->data, b->len);
            (void) ngx_pfree(call->pool, b->data);
        }

        b->data = data;
        b->size = size;
    }

    ngx_memcpy(b->data + b->len, p, len);
    b->len += len;

    return NGX_OK;
}


static ngx_int_t
ngx_http_campaign_body_records(ngx_http_campaign_call_t *call, u_char *p, u_char *end, ngx_uint_t last)
{
    ngx_int_t                   rc;
    ngx_http_campaign_lines_t  *lines;

    lines = call->body->lines;

    for ( ;; ) {
        rc = ngx_campaign_lines_next(&lines->reader, &p, end, last);

        if (rc == NGX_AGAIN || rc == NGX_DONE) {
            return NGX_OK;
        }

        if (rc == NGX_OK) {
            rc = call->route->resource->record(call, &lines->reader, lines);

        } else {
            rc = call->route->resource->record_bad(call, lines, lines->reader.line);
        }

        if (rc != NGX_OK) {
            return rc;
        }
    }
}


/* nginx's answer to a body that can not be read, as ours */

static ngx_int_t
ngx_http_campaign_body_status(ngx_http_campaign_call_t *call, ngx_int_t status)
{
    call->request->keepalive = 0;               /* where the next request would begin is not known */

    if (status == NGX_HTTP_INTERNAL_SERVER_ERROR) {
        return NGX_ERROR;
    }

    if (status == NGX_HTTP_REQUEST_ENTITY_TOO_LARGE) {
        return ngx_http_campaign_error(call, NGX_CAMPAIGN_E_TOO_LARGE);
    }

    ngx_http_campaign_idempotency_forget(call);         /* the client went away, perhaps */

    return ngx_http_campaign_error_text(call, NGX_CAMPAIGN_E_JSON, "the body can not be read");
}


static ngx_int_t
ngx_http_campaign_body_done(ngx_http_campaign_call_t *call)
{
    ngx_int_t  rc;

    rc = ngx_http_campaign_idempotency_whole(call);

    if (rc != NGX_OK) {
        return rc == NGX_DONE ? NGX_OK : rc;
    }

    if (call->body->lines) {
        rc = ngx_http_campaign_body_records(call, NULL, NULL, 1);

        if (rc == NGX_OK && call->pile.n == 0 && call->body->lines->invalid == 0) {
            return ngx_http_campaign_error_text(call, NGX_CAMPAIGN_E_NO_DATA, "request data is missing: there is no line in it");
        }

        return rc;
    }

    if (call->route->flags & NGX_CAMPAIGN_BODY_RAW) {
        return NGX_OK;
    }

    if (call->body->len <= NGX_CAMPAIGN_BODY_INLINE) {
        return ngx_http_campaign_body_parse(call);
    }

    return ngx_http_campaign_call_thread(call, ngx_http_campaign_body_thread, ngx_http_campaign_body_result);
}


static void
ngx_http_campaign_body_thread(void *data, ngx_log_t *log)
{
    ngx_http_campaign_call_t *call = data;

    call->body->rc = ngx_http_campaign_body_parse(call);
}


static ngx_int_t
ngx_http_campaign_body_result(ngx_http_campaign_call_t *call)
{
    return call->body->rc;
}


/* JSON to call->rec; in the event loop or on a thread.  No value of jansson's outlives it */

static ngx_int_t
ngx_http_campaign_body_parse(ngx_http_campaign_call_t *call)
{
    json_t                    *root;
    ngx_int_t                  rc;
    const char                *bomb;
    json_error_t               error;
    ngx_http_campaign_body_t  *b;

    b = call->body;

    if (b->len == 0) {
        return ngx_http_campaign_error(call, NGX_CAMPAIGN_E_NO_DATA);
    }

    bomb = ngx_http_campaign_body_bomb(b->data, b->data + b->len);

    if (bomb) {
        return ngx_http_campaign_error_text(call, NGX_CAMPAIGN_E_JSON, "invalid JSON body: %s", bomb);
    }

    rc = ngx_http_campaign_json_load(b->data, b->len, &error, &root);

    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    if (rc == NGX_DECLINED) {
        return ngx_http_campaign_error_text(call, NGX_CAMPAIGN_E_JSON, "invalid JSON body: line %d, column %d: %s", error.line,
                                            error.column, error.text);
    }

    rc = ngx_http_campaign_body_fill(call, root);

    json_decref(root);

    return rc;
}


static ngx_int_t
ngx_http_campaign_body_fill(ngx_http_campaign_call_t *call, json_t *root)
{
    json_t                              *data;
    ngx_int_t                            rc;
    ngx_uint_t                           flag;
    const ngx_http_campaign_resource_t  *resource;

    resource = call->route->resource;
    data = json_object_get(root, "data");               /* NULL, too, if root is no object */

    if (!json_is_object(data) && !(json_is_array(data) && (call->route->flags & NGX_CAMPAIGN_BODY_LIST))) {
        return ngx_http_campaign_error(call, resource->no_data ? resource->no_data : NGX_CAMPAIGN_E_NO_DATA);
    }

    if (resource->read) {
        return resource->read(call, data);
    }

    call->rec = ngx_pcalloc(call->pool, resource->size);
    if (call->rec == NULL) {
        return NGX_ERROR;
    }

    flag = (call->route->method == NGX_HTTP_POST) ? NGX_CAMPAIGN_F_POST : NGX_CAMPAIGN_F_PUT;

    rc = ngx_http_campaign_field_read(call, resource->fields, flag, data, call->rec);

    if (rc != NGX_ERROR && resource->check) {
        rc = resource->check(call);
    }

    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    return call->notes.nelts ? NGX_DECLINED : NGX_OK;
}


/* what makes a body too costly for a tree of values, told before one is built; NULL: nothing */

static const char *
ngx_http_campaign_body_bomb(const u_char *p, const u_char *end)
{
    ngx_uint_t  nested, lists, values;

    nested = 0;
    lists = 0;
    values = 0;

    for ( /* void */ ; p < end; p++) {

        switch (*p) {

        case '"':
            for (p++; p < end && *p != '"'; p++) {
                if (*p == '\\') {
                    p++;
                }
            }
            break;

        case '{':
        case '[':
            if (++nested > NGX_CAMPAIGN_JSON_NESTED) {
                return "nested too deeply";
            }

            if (++lists > NGX_CAMPAIGN_JSON_LISTS) {
                return "too many objects and arrays";
            }
            break;

        case '}':
        case ']':
            nested -= (nested != 0);
            break;

        case ',':
            if (++values > NGX_CAMPAIGN_JSON_VALUES) {
                return "too many values";
            }
            break;
        }
    }

    return NULL;
}
