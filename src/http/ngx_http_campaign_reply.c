
/*
 * Replies: JSON into chained buffers, the envelopes of one object and of a page, links and their tokens, headers.
 */

#include "ngx_http_campaign_call.h"
#include "ngx_http_campaign_error.h"
#include "ngx_http_campaign_field.h"
#include "ngx_http_campaign_reply.h"

#include "ngx_campaign_escape.h"
#include "ngx_campaign_time.h"


#define NGX_CAMPAIGN_OUT_BUF  4096


static u_char *ngx_http_campaign_out_room(ngx_http_campaign_out_t *out, size_t len);
static ngx_chain_t *ngx_http_campaign_out_buf(ngx_http_campaign_out_t *out, size_t len);
static void ngx_http_campaign_reply_objects(ngx_http_campaign_call_t *call, ngx_http_campaign_out_t *out,
    const ngx_http_campaign_resource_t *resource, ngx_array_t *recs);
static void ngx_http_campaign_reply_link(ngx_http_campaign_call_t *call, ngx_http_campaign_out_t *out, const char *name,
    ngx_campaign_page_t *page, ngx_str_t *token);


void
ngx_http_campaign_out_init(ngx_http_campaign_out_t *out, ngx_pool_t *pool)
{
    ngx_memzero(out, sizeof(ngx_http_campaign_out_t));

    out->pool = pool;
    out->last = &out->first;
    out->least = NGX_CAMPAIGN_OUT_BUF;
}


/* len bytes in one piece to write to, counted as written; NULL: no memory, remembered */

static u_char *
ngx_http_campaign_out_room(ngx_http_campaign_out_t *out, size_t len)
{
    u_char       *p;
    ngx_chain_t  *cl;

    if (out->failed) {
        return NULL;
    }

    if (out->buf == NULL || (size_t) (out->buf->end - out->buf->last) < len) {

        cl = ngx_http_campaign_out_buf(out, len);
        if (cl == NULL) {
            out->failed = 1;
            return NULL;
        }

        cl->next = NULL;
        *out->last = cl;
        out->last = &cl->next;
        out->buf = cl->buf;
    }

    p = out->buf->last;
    out->buf->last += len;
    out->size += len;

    return p;
}


static ngx_chain_t *
ngx_http_campaign_out_buf(ngx_http_campaign_out_t *out, size_t len)
{
    ngx_chain_t  *cl, **ll;

    for (ll = out->free; ll && *ll; ll = &(*ll)->next) {

        cl = *ll;

        if ((size_t) (cl->buf->end - cl->buf->start) >= len) {
            *ll = cl->next;
            cl->buf->flush = 0;
            return cl;
        }
    }

    cl = ngx_alloc_chain_link(out->pool);
    if (cl == NULL) {
        return NULL;
    }

    cl->buf = ngx_create_temp_buf(out->pool, ngx_max(len, out->least));
    if (cl->buf == NULL) {
        return NULL;
    }

    cl->buf->tag = (ngx_buf_tag_t) &ngx_http_campaign_module;

    return cl;
}


void
ngx_http_campaign_out_raw(ngx_http_campaign_out_t *out, const u_char *data, size_t len)
{
    u_char  *p;

    p = ngx_http_campaign_out_room(out, len);

    if (p && len) {
        ngx_memcpy(p, data, len);
    }
}


/* no control character is left as it is: what is signed has to be what a variable, which replaces them, hands out */

void
ngx_http_campaign_out_string(ngx_http_campaign_out_t *out, const ngx_str_t *value)
{
    size_t   size;
    u_char  *p;

    size = value->len ? ngx_campaign_escape_json_size(value->data, value->len) : 0;

    p = ngx_http_campaign_out_room(out, size + 2);
    if (p == NULL) {
        return;
    }

    *p++ = '"';

    if (size != value->len) {
        p = ngx_campaign_escape_json(p, value->data, value->len);

    } else if (value->len) {
        p = ngx_cpymem(p, value->data, value->len);
    }

    *p = '"';
}


void
ngx_http_campaign_out_uint(ngx_http_campaign_out_t *out, uint64_t value)
{
    u_char  *p, text[NGX_INT64_LEN];

    p = ngx_sprintf(text, "%uL", value);

    ngx_http_campaign_out_raw(out, text, p - text);
}


void
ngx_http_campaign_out_uuid(ngx_http_campaign_out_t *out, const u_char *id)
{
    u_char  text[NGX_CAMPAIGN_UUID_LEN + 2];

    if (ngx_campaign_uuid_none(id)) {
        ngx_http_campaign_out_lit(out, "null");
        return;
    }

    text[0] = '"';
    *ngx_campaign_uuid_print(&text[1], id) = '"';

    ngx_http_campaign_out_raw(out, text, sizeof(text));
}


void
ngx_http_campaign_out_date(ngx_http_campaign_out_t *out, time_t t)
{
    u_char  text[NGX_CAMPAIGN_DATE_LEN + 2];

    if (t == 0) {
        ngx_http_campaign_out_lit(out, "null");
        return;
    }

    text[0] = '"';
    *ngx_campaign_time_print(&text[1], t) = '"';

    ngx_http_campaign_out_raw(out, text, sizeof(text));
}


void
ngx_http_campaign_out_link(ngx_http_campaign_call_t *call, ngx_http_campaign_out_t *out, const char *name, const ngx_str_t *segment,
    const u_char *id, const char *tail)
{
    if (ngx_campaign_uuid_none(id)) {
        return;
    }

    ngx_http_campaign_out_lit(out, ",\"");
    ngx_http_campaign_out_raw(out, (u_char *) name, ngx_strlen(name));
    ngx_http_campaign_out_lit(out, "\":");
    ngx_http_campaign_out_path(call, out, segment, id, tail);
}


void
ngx_http_campaign_out_path(ngx_http_campaign_call_t *call, ngx_http_campaign_out_t *out, const ngx_str_t *segment, const u_char *id,
    const char *tail)
{
    u_char  text[NGX_CAMPAIGN_UUID_LEN];

    ngx_http_campaign_out_lit(out, "\"");
    ngx_http_campaign_out_raw(out, call->prefix.data, call->prefix.len);
    ngx_http_campaign_out_lit(out, "/");
    ngx_http_campaign_out_raw(out, segment->data, segment->len);
    ngx_http_campaign_out_lit(out, "/");

    ngx_campaign_uuid_print(text, id);
    ngx_http_campaign_out_raw(out, text, sizeof(text));

    ngx_http_campaign_out_raw(out, (u_char *) tail, ngx_strlen(tail));
    ngx_http_campaign_out_lit(out, "\"");
}


void
ngx_http_campaign_out_name(ngx_http_campaign_out_t *out, const ngx_str_t *name, ngx_uint_t first)
{
    if (!first) {
        ngx_http_campaign_out_lit(out, ",");
    }

    ngx_http_campaign_out_string(out, name);
    ngx_http_campaign_out_lit(out, ":");
}


ngx_int_t
ngx_http_campaign_reply_object(ngx_http_campaign_call_t *call, const ngx_http_campaign_resource_t *resource, void *rec)
{
    ngx_http_campaign_out_t  out;

    ngx_http_campaign_out_init(&out, ngx_http_campaign_reply_pool(call));

    ngx_http_campaign_out_lit(&out, "{\"data\":");
    ngx_http_campaign_field_print(call, &out, resource, rec);
    ngx_http_campaign_out_lit(&out, "}");

    return ngx_http_campaign_reply_send(call, call->route->status, &out);
}


ngx_int_t
ngx_http_campaign_reply_list(ngx_http_campaign_call_t *call, const ngx_http_campaign_resource_t *resource, ngx_array_t *recs)
{
    ngx_http_campaign_out_t  out;

    ngx_http_campaign_out_init(&out, ngx_http_campaign_reply_pool(call));

    ngx_http_campaign_reply_objects(call, &out, resource, recs);
    ngx_http_campaign_out_lit(&out, "}");

    return ngx_http_campaign_reply_send(call, call->route->status, &out);
}


/* {"data":[…] */

static void
ngx_http_campaign_reply_objects(ngx_http_campaign_call_t *call, ngx_http_campaign_out_t *out, const ngx_http_campaign_resource_t *resource,
    ngx_array_t *recs)
{
    u_char      *rec;
    ngx_uint_t   i;

    ngx_http_campaign_out_lit(out, "{\"data\":[");

    for (i = 0, rec = recs->elts; i < recs->nelts; i++, rec += recs->size) {
        if (i) {
            ngx_http_campaign_out_lit(out, ",");
        }

        ngx_http_campaign_field_print(call, out, resource, rec);
    }

    ngx_http_campaign_out_lit(out, "]");
}


ngx_int_t
ngx_http_campaign_reply_page(ngx_http_campaign_call_t *call, const ngx_http_campaign_resource_t *resource, ngx_campaign_page_t *page)
{
    ngx_http_campaign_out_t  out;

    ngx_http_campaign_out_init(&out, call->request->pool);

    ngx_http_campaign_reply_objects(call, &out, resource, page->items);
    ngx_http_campaign_out_lit(&out, ",\"pagination\":{\"number\":");
    ngx_http_campaign_out_uint(&out, page->number);
    ngx_http_campaign_out_lit(&out, ",\"size\":");
    ngx_http_campaign_out_uint(&out, page->items->nelts);
    ngx_http_campaign_out_lit(&out, ",\"total\":");

    if (page->uncounted) {
        ngx_http_campaign_out_lit(&out, "null");
    } else {
        ngx_http_campaign_out_uint(&out, page->total);
    }

    ngx_http_campaign_out_lit(&out, ",\"links\":{");

    ngx_http_campaign_reply_link(call, &out, "\"first\":", page, &page->first);
    ngx_http_campaign_reply_link(call, &out, ",\"current\":", page, &page->current);
    ngx_http_campaign_reply_link(call, &out, ",\"previous\":", page, &page->previous);
    ngx_http_campaign_reply_link(call, &out, ",\"next\":", page, &page->next);

    ngx_http_campaign_out_lit(&out, "}}}");

    return ngx_http_campaign_reply_send(call, call->route->status, &out);
}


/* path, page_size, filters, page_token: a client takes the token out of the query as a named parameter, so it must not be the first */

static void
ngx_http_campaign_reply_link(ngx_http_campaign_call_t *call, ngx_http_campaign_out_t *out, const char *name, ngx_campaign_page_t *page,
    ngx_str_t *token)
{
    ngx_http_campaign_out_raw(out, (u_char *) name, ngx_strlen(name));

    if (token->data == NULL) {
        ngx_http_campaign_out_lit(out, "null");
        return;
    }

    ngx_http_campaign_out_lit(out, "\"");
    ngx_http_campaign_out_raw(out, call->request->uri.data, call->request->uri.len);    /* matched a route: names, UUIDs, the location */
    ngx_http_campaign_out_lit(out, "?page_size=");
    ngx_http_campaign_out_uint(out, page->size);

    ngx_http_campaign_out_raw(out, call->filters.data, call->filters.len);

    if (token->len) {
        ngx_http_campaign_out_lit(out, "&page_token=");
        ngx_http_campaign_out_raw(out, token->data, token->len);
    }

    ngx_http_campaign_out_lit(out, "\"");
}


ngx_int_t
ngx_http_campaign_reply_empty(ngx_http_campaign_call_t *call, ngx_uint_t status)
{
    ngx_http_campaign_out_t  out;

    ngx_http_campaign_out_init(&out, call->request->pool);

    return ngx_http_campaign_reply_send(call, status, &out);
}


ngx_int_t
ngx_http_campaign_reply_errors(ngx_http_campaign_call_t *call)
{
    ngx_uint_t               status;
    ngx_http_campaign_out_t  out;

    ngx_http_campaign_out_init(&out, call->request->pool);

    status = ngx_http_campaign_error_print(call, &out);

    return ngx_http_campaign_reply_send(call, status, &out);
}


ngx_int_t
ngx_http_campaign_reply_send(ngx_http_campaign_call_t *call, ngx_uint_t status, ngx_http_campaign_out_t *out)
{
    ngx_int_t            rc;
    ngx_http_request_t  *r;

    if (call->idem) {
        rc = ngx_http_campaign_idempotency_reply(call, status, out);
        if (rc != NGX_OK) {
            return rc;
        }
    }

    r = call->request;

    if (out->failed) {
        return NGX_ERROR;
    }

    if (r->reading_body || (!call->body_read && ngx_http_discard_request_body(r) != NGX_OK)) {
        r->keepalive = 0;
    }

    if (ngx_http_campaign_reply_head(r, status, out) != NGX_OK) {
        return NGX_ERROR;
    }

    call->replied = 1;

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    if (rc > NGX_OK || r->header_only || out->first == NULL) {
        return NGX_DONE;
    }

    return ngx_http_output_filter(r, out->first) == NGX_ERROR ? NGX_ERROR : NGX_DONE;
}


ngx_int_t
ngx_http_campaign_reply_head(ngx_http_request_t *r, ngx_uint_t status, ngx_http_campaign_out_t *out)
{
    ngx_str_t  value;

    if (out->buf) {
        out->buf->last_buf = 1;
        out->buf->last_in_chain = 1;

        ngx_str_set(&r->headers_out.content_type, "application/json");
        r->headers_out.content_type_len = r->headers_out.content_type.len;
        r->headers_out.content_type_lowcase = NULL;
        ngx_str_null(&r->headers_out.charset);
    }

    r->headers_out.status = status;
    r->headers_out.content_length_n = out->size;

    if (r->headers_out.content_length) {
        r->headers_out.content_length->hash = 0;
        r->headers_out.content_length = NULL;
    }

    ngx_http_clear_accept_ranges(r);
    ngx_http_clear_last_modified(r);
    ngx_http_clear_etag(r);

    if (status == NGX_HTTP_TOO_MANY_REQUESTS || status == NGX_HTTP_SERVICE_UNAVAILABLE || status == NGX_HTTP_INSUFFICIENT_STORAGE) {
        ngx_str_set(&value, "1");
        return ngx_http_campaign_reply_header(r, "Retry-After", &value);
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_campaign_reply_header(ngx_http_request_t *r, const char *name, ngx_str_t *value)
{
    ngx_table_elt_t  *h;

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    h->hash = 1;
    h->key.len = ngx_strlen(name);
    h->key.data = (u_char *) name;
    h->value = *value;
#if (nginx_version >= 1023000)
    h->next = NULL;
#endif

    return NGX_OK;
}
