
/*
 * Exports, page by page.  It keeps true: between two pages there is a turn of the event loop, and no page is read before the client took
 * the one before it; a client that goes away leaves nothing behind but, perhaps, a read that the store finishes by itself.
 */

#include "ngx_http_campaign_error.h"
#include "ngx_http_campaign_export.h"
#include "ngx_http_campaign_reply.h"

#include "ngx_campaign_time.h"


#define NGX_CAMPAIGN_EXPORT_BUF    16384
#define NGX_CAMPAIGN_EXPORT_TOKEN  256          /* most bytes of a token */


struct ngx_http_campaign_export_s {
    const ngx_http_campaign_export_source_t  *source;
    ngx_http_campaign_export_form_e           form;
    ngx_campaign_page_t                       like;     /* the filters of every page */
    ngx_str_t                                 token;    /* of the page to be read */

    ngx_campaign_op_t                        *op;       /* in the pool of the page that is read; NULL: none is */
    ngx_campaign_page_t                      *page;

    ngx_chain_t                              *free, *busy;      /* buffers: all of them in r->pool */
    ngx_event_t                               event;    /* goes on with the next page */
    unsigned                                  raw:1;
    unsigned                                  last:1;   /* all is printed */
};


static void ngx_http_campaign_export_cleanup(void *data);
static ngx_int_t ngx_http_campaign_export_read(ngx_http_campaign_call_t *call);
static void ngx_http_campaign_export_done(ngx_campaign_op_t *op);
static ngx_int_t ngx_http_campaign_export_page(ngx_http_campaign_call_t *call);
static ngx_int_t ngx_http_campaign_export_failed(ngx_http_campaign_call_t *call, ngx_campaign_rc_e rc);
static ngx_int_t ngx_http_campaign_export_head(ngx_http_campaign_call_t *call);
static void ngx_http_campaign_export_rows(ngx_http_campaign_call_t *call, ngx_http_campaign_out_t *out);
static void ngx_http_campaign_export_row(ngx_http_campaign_call_t *call, ngx_http_campaign_out_t *out, const u_char *item);
static void ngx_http_campaign_export_cell(ngx_http_campaign_out_t *out, const ngx_str_t *text, ngx_uint_t raw);
static ngx_int_t ngx_http_campaign_export_send(ngx_http_campaign_call_t *call, ngx_chain_t *out);
static ngx_int_t ngx_http_campaign_export_next(ngx_http_campaign_call_t *call);
static void ngx_http_campaign_export_event(ngx_event_t *ev);
static void ngx_http_campaign_export_writable(ngx_http_request_t *r);
static ngx_int_t ngx_http_campaign_export_flush(ngx_http_campaign_call_t *call);
static ngx_uint_t ngx_http_campaign_export_quality(u_char *p, u_char *end);


static const struct {
    ngx_str_t                        type;
    ngx_http_campaign_export_form_e  form;
} ngx_http_campaign_export_types[] = {
    { ngx_string("application/json"),     NGX_CAMPAIGN_EXPORT_NOT },
    { ngx_string("application/*"),        NGX_CAMPAIGN_EXPORT_NOT },
    { ngx_string("*/*"),                  NGX_CAMPAIGN_EXPORT_NOT },
    { ngx_string("text/csv"),             NGX_CAMPAIGN_EXPORT_CSV },
    { ngx_string("application/x-ndjson"), NGX_CAMPAIGN_EXPORT_NDJSON },
    { ngx_null_string,                    NGX_CAMPAIGN_EXPORT_NOT }
};


ngx_http_campaign_export_form_e
ngx_http_campaign_export_form(ngx_http_campaign_call_t *call)
{
    u_char                           *p, *end, *comma, *semicolon;
    size_t                            len;
    ngx_uint_t                        i, quality, best;
    ngx_table_elt_t                  *accept;
    ngx_http_campaign_export_form_e   form;

    form = NGX_CAMPAIGN_EXPORT_NOT;
    accept = ngx_http_campaign_call_header(call->request, "Accept");

    if (accept == NULL) {
        return form;
    }

    best = 0;
    end = accept->value.data + accept->value.len;

    for (p = accept->value.data; p < end; p = comma + 1) {

        comma = ngx_strlchr(p, end, ',');
        if (comma == NULL) {
            comma = end;
        }

        while (p < comma && (*p == ' ' || *p == '\t')) {
            p++;
        }

        for (semicolon = p; semicolon < comma && *semicolon != ';' && *semicolon != ' ' && *semicolon != '\t'; semicolon++) {
            /* void */
        }

        len = semicolon - p;
        quality = ngx_http_campaign_export_quality(semicolon, comma);

        for (i = 0; ngx_http_campaign_export_types[i].type.len; i++) {
            if (ngx_http_campaign_export_types[i].type.len == len
                && ngx_strncasecmp(ngx_http_campaign_export_types[i].type.data, p, len) == 0
                && quality > best)
            {
                best = quality;
                form = ngx_http_campaign_export_types[i].form;
            }
        }
    }

    return form;
}


/* thousandths of a media type's parameter q (RFC 9110, 12.4.2); 1000 without one */

static ngx_uint_t
ngx_http_campaign_export_quality(u_char *p, u_char *end)
{
    ngx_uint_t  quality, digit;

    for ( /* void */ ; p + 1 < end; p++) {
        if ((*p == 'q' || *p == 'Q') && p[1] == '=' && (p[-1] == ';' || p[-1] == ' ' || p[-1] == '\t')) {
            break;
        }
    }

    if (p + 1 >= end) {
        return 1000;
    }

    p += 2;

    if (p == end || *p != '0') {
        return 1000;
    }

    quality = 0;

    for (p += 2, digit = 100; p < end && *p >= '0' && *p <= '9' && digit; p++, digit /= 10) {
        quality += (*p - '0') * digit;
    }

    return quality;
}


ngx_int_t
ngx_http_campaign_export(ngx_http_campaign_call_t *call, const ngx_http_campaign_export_source_t *source,
    ngx_http_campaign_export_form_e form, const ngx_campaign_page_t *page)
{
    ngx_int_t                    rc;
    ngx_str_t                    raw;
    ngx_pool_cleanup_t          *cln;
    ngx_http_campaign_export_t  *ex;

    ex = ngx_pcalloc(call->pool, sizeof(ngx_http_campaign_export_t));
    cln = ngx_pool_cleanup_add(call->request->pool, 0);         /* runs before the call's, that was added earlier */

    if (ex == NULL || cln == NULL) {
        return NGX_ERROR;
    }

    ex->token.data = ngx_pnalloc(call->pool, NGX_CAMPAIGN_EXPORT_TOKEN);
    if (ex->token.data == NULL) {
        return NGX_ERROR;
    }

    ex->source = source;
    ex->form = form;
    ex->like = *page;
    ex->like.size = source->size ? source->size : NGX_CAMPAIGN_EXPORT_PAGE;

    ex->event.handler = ngx_http_campaign_export_event;
    ex->event.data = call;
    ex->event.log = call->request->connection->log;

    rc = ngx_http_campaign_call_arg(call, "raw", &raw);
    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    ex->raw = (rc == NGX_OK && raw.len == 4 && ngx_strncasecmp(raw.data, (u_char *) "true", 4) == 0);

    call->export = ex;

    cln->handler = ngx_http_campaign_export_cleanup;
    cln->data = ex;

    return ngx_http_campaign_export_read(call);
}


static void
ngx_http_campaign_export_cleanup(void *data)
{
    ngx_http_campaign_export_t *ex = data;

    if (ex->event.posted) {
        ngx_delete_posted_event(&ex->event);
    }

    if (ex->op) {
        ngx_campaign_store_cancel(ex->op);
        ex->op = NULL;
    }
}


/* a step: the next page in a pool of its own.  What the store works with is in that pool, filters included: it may outlive the call */

static ngx_int_t
ngx_http_campaign_export_read(ngx_http_campaign_call_t *call)
{
    ngx_int_t                    rc;
    ngx_uint_t                   i;
    ngx_pool_t                  *pool;
    ngx_str_t                   *s;
    ngx_campaign_page_t         *page;
    ngx_http_campaign_export_t  *ex;

    static const size_t  strings[] = NGX_CAMPAIGN_PAGE_STRINGS;

    ex = call->export;

    pool = ngx_create_pool(4096, ngx_cycle->log);
    if (pool == NULL) {
        return NGX_ERROR;
    }

    ex->op = ngx_pcalloc(pool, sizeof(ngx_campaign_op_t));
    page = ngx_palloc(pool, sizeof(ngx_campaign_page_t));

    if (ex->op == NULL || page == NULL) {
        goto failed;
    }

    *page = ex->like;
    page->token = ex->token;

    for (i = 0; i < sizeof(strings) / sizeof(strings[0]); i++) {
        s = (ngx_str_t *) ((u_char *) page + strings[i]);

        if (s->len && (s->data = ngx_pstrdup(pool, s)) == NULL) {
            goto failed;
        }
    }

    ngx_campaign_op_init(ex->op, pool, ngx_cycle->log, ngx_http_campaign_export_done, call);

    ex->page = page;
    call->then = ngx_http_campaign_export_page;

    rc = ex->source->read(call, ex->op, page);

    if (rc == NGX_AGAIN) {
        return NGX_AGAIN;
    }

    call->then = NULL;
    rc = ngx_http_campaign_export_failed(call, ex->op->rc);

    ex->op = NULL;
    ngx_destroy_pool(pool);

    return rc;

failed:

    ex->op = NULL;
    ngx_destroy_pool(pool);

    return NGX_ERROR;
}


static void
ngx_http_campaign_export_done(ngx_campaign_op_t *op)
{
    ngx_connection_t          *c;
    ngx_http_campaign_call_t  *call = op->data;

    c = call->request->connection;

    ngx_http_campaign_call_run(call);

    ngx_http_run_posted_requests(c);
}


/* a step: a page was read.  Its rows are copied into buffers, its pool goes before they are sent */

static ngx_int_t
ngx_http_campaign_export_page(ngx_http_campaign_call_t *call)
{
    ngx_int_t                    rc;
    ngx_str_t                   *next;
    ngx_http_campaign_out_t      out;
    ngx_http_campaign_export_t  *ex;

    ex = call->export;

    if (ex->op->rc != NGX_CAMPAIGN_OK) {
        return ngx_http_campaign_export_failed(call, ex->op->rc);       /* the pool goes with the request */
    }

    ngx_http_campaign_out_init(&out, call->request->pool);
    out.free = &ex->free;
    out.least = NGX_CAMPAIGN_EXPORT_BUF;

    if (!call->replied) {
        rc = ngx_http_campaign_export_head(call);
        if (rc != NGX_OK) {
            return rc;
        }

        if (ex->form == NGX_CAMPAIGN_EXPORT_CSV) {
            ngx_http_campaign_export_row(call, &out, NULL);
        }
    }

    if (ex->source->render && ex->source->render(call, ex->op->pool, ex->page) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_http_campaign_export_rows(call, &out);

    next = &ex->page->next;

    if (next->len > NGX_CAMPAIGN_EXPORT_TOKEN || out.failed) {
        return NGX_ERROR;
    }

    ex->last = (next->len == 0);
    ex->token.len = next->len;

    if (next->len) {
        ngx_memcpy(ex->token.data, next->data, next->len);
    }

    ngx_destroy_pool(ex->op->pool);
    ex->op = NULL;

    if (out.buf) {
        out.buf->flush = 1;
    }

    return ngx_http_campaign_export_send(call, out.first);
}


/* an error has its envelope as long as the reply has not begun */

static ngx_int_t
ngx_http_campaign_export_failed(ngx_http_campaign_call_t *call, ngx_campaign_rc_e rc)
{
    if (!call->replied) {
        call->op.rc = rc;
        return ngx_http_campaign_call_answer(call);
    }

    ngx_log_error(NGX_LOG_ERR, call->request->connection->log, 0, "export is cut off: its next page could not be read (%d)", (int) rc);

    return NGX_ERROR;
}


/* NGX_DONE: only the header was asked for */

static ngx_int_t
ngx_http_campaign_export_head(ngx_http_campaign_call_t *call)
{
    u_char                      *p;
    ngx_int_t                    rc;
    ngx_str_t                    value;
    ngx_uint_t                   csv;
    ngx_http_request_t          *r;
    ngx_http_campaign_export_t  *ex;

    r = call->request;
    ex = call->export;
    csv = (ex->form == NGX_CAMPAIGN_EXPORT_CSV);

    if (!call->body_read && ngx_http_discard_request_body(r) != NGX_OK) {
        r->keepalive = 0;
    }

    r->headers_out.status = NGX_HTTP_OK;
    r->headers_out.content_length_n = -1;

    if (csv) {
        ngx_str_set(&r->headers_out.content_type, "text/csv; charset=utf-8");
        r->headers_out.content_type_len = sizeof("text/csv") - 1;       /* what gzip_types and its kin compare */

    } else {
        ngx_str_set(&r->headers_out.content_type, "application/x-ndjson");
        r->headers_out.content_type_len = r->headers_out.content_type.len;
    }

    r->headers_out.content_type_lowcase = NULL;
    ngx_str_null(&r->headers_out.charset);

    value.data = ngx_pnalloc(r->pool, sizeof("attachment; filename=\"..ndjson\"") + ex->source->file.len);
    if (value.data == NULL) {
        return NGX_ERROR;
    }

    p = ngx_sprintf(value.data, "attachment; filename=\"%V.%s\"", &ex->source->file, csv ? "csv" : "ndjson");
    value.len = p - value.data;

    if (ngx_http_campaign_reply_header(r, "Content-Disposition", &value) != NGX_OK) {
        return NGX_ERROR;
    }

    call->replied = 1;
    r->connection->log->action = "sending an export to client";

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    if (rc > NGX_OK || r->header_only) {
        return NGX_DONE;
    }

    if (!r->discard_body) {
        r->read_event_handler = ngx_http_test_reading;
    }

    return NGX_OK;
}


static void
ngx_http_campaign_export_rows(ngx_http_campaign_call_t *call, ngx_http_campaign_out_t *out)
{
    u_char                      *item;
    ngx_uint_t                   i;
    ngx_http_campaign_export_t  *ex;

    ex = call->export;

    for (i = 0, item = ex->page->items->elts; i < ex->page->items->nelts; i++, item += ex->page->items->size) {

        if (ex->form == NGX_CAMPAIGN_EXPORT_CSV) {
            ngx_http_campaign_export_row(call, out, item);

        } else {
            ngx_http_campaign_field_print(call, out, ex->source->resource, item);
            ngx_http_campaign_out_lit(out, "\n");
        }
    }
}


/* item NULL: the header row */

static void
ngx_http_campaign_export_row(ngx_http_campaign_call_t *call, ngx_http_campaign_out_t *out, const u_char *item)
{
    u_char                             room[NGX_CAMPAIGN_EXPORT_ROOM];
    ngx_str_t                          text;
    ngx_http_campaign_export_t        *ex;
    const ngx_http_campaign_column_t  *column;

    ex = call->export;

    for (column = ex->source->columns; column->name.len; column++) {

        if (column != ex->source->columns) {
            ngx_http_campaign_out_lit(out, ",");
        }

        if (item == NULL) {
            ngx_http_campaign_out_raw(out, column->name.data, column->name.len);
            continue;
        }

        ngx_str_null(&text);
        column->cell(call, item + column->offset, room, &text);

        ngx_http_campaign_export_cell(out, &text, ex->raw);
    }

    ngx_http_campaign_out_lit(out, "\r\n");
}


static void
ngx_http_campaign_export_cell(ngx_http_campaign_out_t *out, const ngx_str_t *text, ngx_uint_t raw)
{
    u_char      *p, *end, *quote;
    ngx_uint_t   formula, quoted;

    if (text->len == 0) {
        return;
    }

    end = text->data + text->len;
    formula = !raw && ngx_http_campaign_export_formula(text);
    quoted = 0;

    for (p = text->data; p < end; p++) {
        if (*p == '"' || *p == ',' || *p == CR || *p == LF) {
            quoted = 1;
            break;
        }
    }

    if (quoted) {
        ngx_http_campaign_out_lit(out, "\"");
    }

    if (formula) {
        ngx_http_campaign_out_lit(out, "'");
    }

    for (p = text->data; quoted && p < end; p = quote + 1) {

        quote = ngx_strlchr(p, end, '"');
        if (quote == NULL) {
            break;
        }

        ngx_http_campaign_out_raw(out, p, quote + 1 - p);
        ngx_http_campaign_out_lit(out, "\"");
    }

    if (p < end) {
        ngx_http_campaign_out_raw(out, p, end - p);
    }

    if (quoted) {
        ngx_http_campaign_out_lit(out, "\"");
    }
}


ngx_uint_t
ngx_http_campaign_export_formula(const ngx_str_t *value)
{
    size_t  i;

    for (i = 0; i < value->len; i++) {

        switch (value->data[i]) {

        case '\'':
            continue;

        case '=':
        case '+':
        case '-':
        case '@':
        case '\t':
        case CR:
            return 1;

        default:
            return 0;
        }
    }

    return 0;
}


static ngx_int_t
ngx_http_campaign_export_send(ngx_http_campaign_call_t *call, ngx_chain_t *out)
{
    ngx_int_t                    rc;
    ngx_http_request_t          *r;
    ngx_http_campaign_export_t  *ex;

    r = call->request;
    ex = call->export;

    rc = ngx_http_output_filter(r, out);

    ngx_chain_update_chains(r->pool, &ex->free, &ex->busy, &out, (ngx_buf_tag_t) &ngx_http_campaign_module);

    return rc == NGX_ERROR ? NGX_ERROR : ngx_http_campaign_export_next(call);
}


/* what the client has not taken yet is waited for; then comes the end, or the next page after a turn of the event loop */

static ngx_int_t
ngx_http_campaign_export_next(ngx_http_campaign_call_t *call)
{
    ngx_event_t                 *wev;
    ngx_http_request_t          *r;
    ngx_http_core_loc_conf_t    *clcf;
    ngx_http_campaign_export_t  *ex;

    r = call->request;
    ex = call->export;
    wev = r->connection->write;

    if (ex->busy) {
        clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

        r->write_event_handler = ngx_http_campaign_export_writable;

        if (!wev->delayed) {
            ngx_add_timer(wev, clcf->send_timeout);
        }

        return ngx_handle_write_event(wev, clcf->send_lowat) == NGX_OK ? NGX_AGAIN : NGX_ERROR;
    }

    r->write_event_handler = ngx_http_request_empty_handler;

    if (wev->timer_set && !wev->delayed) {
        ngx_del_timer(wev);
    }

    if (ex->last) {
        return ngx_http_send_special(r, NGX_HTTP_LAST) == NGX_ERROR ? NGX_ERROR : NGX_DONE;
    }

    ngx_post_event(&ex->event, &ngx_posted_next_events);

    return NGX_AGAIN;
}


static void
ngx_http_campaign_export_event(ngx_event_t *ev)
{
    ngx_connection_t          *c;
    ngx_http_campaign_call_t  *call = ev->data;

    c = call->request->connection;

    call->then = ngx_http_campaign_export_read;
    ngx_http_campaign_call_run(call);

    ngx_http_run_posted_requests(c);
}


static void
ngx_http_campaign_export_writable(ngx_http_request_t *r)
{
    ngx_http_campaign_ctx_t  *ctx;

    if (r->connection->write->timedout) {
        r->connection->timedout = 1;
        ngx_http_finalize_request(r, NGX_HTTP_REQUEST_TIME_OUT);
        return;
    }

    ctx = ngx_http_get_module_ctx(r, ngx_http_campaign_module);

    ctx->call->then = ngx_http_campaign_export_flush;
    ngx_http_campaign_call_run(ctx->call);
}


/* a step: the client takes more */

static ngx_int_t
ngx_http_campaign_export_flush(ngx_http_campaign_call_t *call)
{
    return ngx_http_campaign_export_send(call, NULL);
}


void
ngx_http_campaign_export_text(ngx_http_campaign_call_t *call, const void *place, u_char *room, ngx_str_t *text)
{
    *text = *(const ngx_str_t *) place;
}


void
ngx_http_campaign_export_uuid(ngx_http_campaign_call_t *call, const void *place, u_char *room, ngx_str_t *text)
{
    if (!ngx_campaign_uuid_none(place)) {
        text->data = room;
        text->len = ngx_campaign_uuid_print(room, place) - room;
    }
}


void
ngx_http_campaign_export_date(ngx_http_campaign_call_t *call, const void *place, u_char *room, ngx_str_t *text)
{
    time_t  t;

    t = *(const time_t *) place;

    if (t) {
        text->data = room;
        text->len = ngx_campaign_time_print(room, t) - room;
    }
}
