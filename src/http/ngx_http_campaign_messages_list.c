
/*
 * Lists of messages, of an account or of one campaign: filters, pages, export.
 */

#include "ngx_http_campaign_message.h"
#include "ngx_http_campaign_export.h"

#include "ngx_campaign_state.h"
#include "ngx_campaign_time.h"


#define NGX_CAMPAIGN_FILTER_FROM     64         /* bytes */
#define NGX_CAMPAIGN_FILTER_NOTHING  1          /* a mask of statuses in which no message is */


typedef struct {
    ngx_campaign_messages_t  m;
    ngx_campaign_page_t      page;
    u_char                   campaign[NGX_CAMPAIGN_ID_LEN];     /* of filter[campaign_id] */
} ngx_http_campaign_messages_query_t;


static ngx_int_t ngx_http_campaign_messages_wrong(ngx_http_campaign_call_t *call, const ngx_http_campaign_filter_t *f, const char *should);
static ngx_int_t ngx_http_campaign_messages_statuses(ngx_http_campaign_call_t *call, const ngx_http_campaign_filter_t *f,
    ngx_str_t *value, ngx_campaign_page_t *page);
static ngx_int_t ngx_http_campaign_messages_from(ngx_http_campaign_call_t *call, const ngx_http_campaign_filter_t *f,
    ngx_str_t *value, ngx_campaign_page_t *page);
static ngx_int_t ngx_http_campaign_messages_to(ngx_http_campaign_call_t *call, const ngx_http_campaign_filter_t *f,
    ngx_str_t *value, ngx_campaign_page_t *page);
static ngx_int_t ngx_http_campaign_messages_direction(ngx_http_campaign_call_t *call, const ngx_http_campaign_filter_t *f,
    ngx_str_t *value, ngx_campaign_page_t *page);
static ngx_int_t ngx_http_campaign_messages_date(ngx_http_campaign_call_t *call, const ngx_http_campaign_filter_t *f,
    ngx_str_t *value, ngx_campaign_page_t *page);
static ngx_int_t ngx_http_campaign_messages_campaign(ngx_http_campaign_call_t *call, const ngx_http_campaign_filter_t *f,
    ngx_str_t *value, ngx_campaign_page_t *page);
static ngx_int_t ngx_http_campaign_messages_read_page(ngx_http_campaign_call_t *call, ngx_campaign_op_t *op, ngx_campaign_page_t *page);
static ngx_int_t ngx_http_campaign_messages_render_page(ngx_http_campaign_call_t *call, ngx_pool_t *pool, ngx_campaign_page_t *page);
static ngx_int_t ngx_http_campaign_messages_listed(ngx_http_campaign_call_t *call);
static ngx_int_t ngx_http_campaign_messages_none(ngx_http_campaign_call_t *call, ngx_campaign_page_t *page);
static void ngx_http_campaign_messages_cell_to(ngx_http_campaign_call_t *call, const void *place, u_char *room, ngx_str_t *text);
static void ngx_http_campaign_messages_cell_status(ngx_http_campaign_call_t *call, const void *place, u_char *room, ngx_str_t *text);
static void ngx_http_campaign_messages_cell_reason(ngx_http_campaign_call_t *call, const void *place, u_char *room, ngx_str_t *text);
static void ngx_http_campaign_messages_cell_attempts(ngx_http_campaign_call_t *call, const void *place, u_char *room, ngx_str_t *text);
static void ngx_http_campaign_messages_cell_segments(ngx_http_campaign_call_t *call, const void *place, u_char *room, ngx_str_t *text);
static void ngx_http_campaign_messages_cell_encoding(ngx_http_campaign_call_t *call, const void *place, u_char *room, ngx_str_t *text);


/* clang-format off */

/* call->data is an ngx_http_campaign_messages_query_t */

const ngx_http_campaign_filter_t  ngx_http_campaign_messages_filters[] = {
    { ngx_string("status"), ngx_http_campaign_messages_statuses, NULL },
    { ngx_string("statuses"), ngx_http_campaign_messages_statuses, NULL },
    { ngx_string("from"), ngx_http_campaign_messages_from, NULL },
    { ngx_string("to"), ngx_http_campaign_messages_to, NULL },
    { ngx_string("to_prefix"), ngx_http_campaign_messages_to, NULL },
    { ngx_string("channel"), ngx_http_campaign_filter_channel, NULL },
    { ngx_string("direction"), ngx_http_campaign_messages_direction, NULL },
    { ngx_string("created_date_start"), ngx_http_campaign_messages_date, NULL },
    { ngx_string("created_date_end"), ngx_http_campaign_messages_date, NULL },
    { ngx_string("campaign_id"), ngx_http_campaign_messages_campaign, NULL },
    { ngx_null_string, NULL, NULL }
};

static const ngx_http_campaign_column_t  ngx_http_campaign_messages_columns[] = {
    { ngx_string("id"), ngx_http_campaign_export_uuid, offsetof(ngx_campaign_message_t, rec.id) },
    { ngx_string("to"), ngx_http_campaign_messages_cell_to, 0 },
    { ngx_string("status"), ngx_http_campaign_messages_cell_status, 0 },
    { ngx_string("reason"), ngx_http_campaign_messages_cell_reason, 0 },
    { ngx_string("attempts"), ngx_http_campaign_messages_cell_attempts, 0 },
    { ngx_string("from"), ngx_http_campaign_export_text, offsetof(ngx_campaign_message_t, from) },
    { ngx_string("channel"), ngx_http_campaign_export_text, offsetof(ngx_campaign_message_t, rec.channel) },
    { ngx_string("text"), ngx_http_campaign_export_text, offsetof(ngx_http_campaign_message_t, text) },
    { ngx_string("segments_count"), ngx_http_campaign_messages_cell_segments, 0 },
    { ngx_string("encoding"), ngx_http_campaign_messages_cell_encoding, 0 },
    { ngx_string("create_date"), ngx_http_campaign_export_date, offsetof(ngx_campaign_message_t, rec.created) },
    { ngx_string("update_date"), ngx_http_campaign_export_date, offsetof(ngx_campaign_message_t, rec.updated) },
    { ngx_string("gateway_id"), ngx_http_campaign_export_text, offsetof(ngx_campaign_message_t, gateway_id) },
    { ngx_null_string, NULL, 0 }
};

static const ngx_http_campaign_export_source_t  ngx_http_campaign_messages_source = {
    .resource = &ngx_http_campaign_campaign_messages,
    .columns  = ngx_http_campaign_messages_columns,
    .file     = ngx_string("messages"),
    .read     = ngx_http_campaign_messages_read_page,
    .render   = ngx_http_campaign_messages_render_page
};

/* clang-format on */


/* of the account, or of the campaign in the path */

ngx_int_t
ngx_http_campaign_messages_list(ngx_http_campaign_call_t *call)
{
    ngx_int_t                            rc;
    ngx_http_campaign_export_form_e      form;
    ngx_http_campaign_messages_query_t  *query;

    query = ngx_pcalloc(call->pool, sizeof(ngx_http_campaign_messages_query_t));
    if (query == NULL) {
        return NGX_ERROR;
    }

    call->data = query;
    query->m.page = &query->page;

    if (call->route->bad_id[0]) {
        query->m.campaign = call->id[0];
    }

    rc = ngx_http_campaign_resource_query(call, call->route->resource, &query->page);

    if (rc != NGX_OK) {
        return rc;
    }

    form = (call->route->bad_id[0]) ? ngx_http_campaign_export_form(call) : NGX_CAMPAIGN_EXPORT_NOT;

    if (form != NGX_CAMPAIGN_EXPORT_NOT) {
        return ngx_http_campaign_export(call, &ngx_http_campaign_messages_source, form, &query->page);
    }

    if (query->m.statuses == NGX_CAMPAIGN_FILTER_NOTHING) {
        return ngx_http_campaign_messages_none(call, &query->page);
    }

    rc = ngx_campaign_store_messages(call->store, ngx_http_campaign_call_op(call, ngx_http_campaign_messages_listed), &query->m);

    return ngx_http_campaign_call_wait(call, rc);
}


static ngx_int_t
ngx_http_campaign_messages_wrong(ngx_http_campaign_call_t *call, const ngx_http_campaign_filter_t *f, const char *should)
{
    return ngx_http_campaign_error_text(call, NGX_CAMPAIGN_E_QUERY, "'filter[%V]' is invalid: %s", &f->name, should);
}


/* one status, or several with commas between them */

static ngx_int_t
ngx_http_campaign_messages_statuses(ngx_http_campaign_call_t *call, const ngx_http_campaign_filter_t *f, ngx_str_t *value,
    ngx_campaign_page_t *page)
{
    ngx_http_campaign_messages_query_t *query = call->data;

    u_char                         *p, *end, *comma;
    ngx_str_t                       word;
    ngx_uint_t                      mask;
    ngx_campaign_message_status_e   status;

    mask = 0;
    end = value->data + value->len;

    for (p = value->data; p <= end; p = comma + 1) {

        comma = ngx_strlchr(p, end, ',');
        if (comma == NULL) {
            comma = end;
        }

        word.data = p;
        word.len = comma - p;

        while (word.len && word.data[0] == ' ') {
            word.data++;
            word.len--;
        }

        status = ngx_campaign_message_status_find(&word);

        if (status == 0) {
            return ngx_http_campaign_messages_wrong(call, f, "should be of [scheduled, enroute, sent, delivered, failed, canceled, "
                                                    "skipped]");
        }

        mask |= (ngx_uint_t) 1 << status;
    }

    if (query->m.statuses) {
        mask &= query->m.statuses;
    }

    query->m.statuses = mask ? mask : NGX_CAMPAIGN_FILTER_NOTHING;

    return NGX_OK;
}


/* a number is a sender without its + */

static ngx_int_t
ngx_http_campaign_messages_from(ngx_http_campaign_call_t *call, const ngx_http_campaign_filter_t *f, ngx_str_t *value,
    ngx_campaign_page_t *page)
{
    ngx_http_campaign_messages_query_t *query = call->data;

    query->m.from = *value;

    if (value->data[0] == '+' || value->data[0] == ' ') {       /* a + that was not encoded */
        query->m.from.data++;
        query->m.from.len--;
    }

    if (query->m.from.len == 0 || query->m.from.len > NGX_CAMPAIGN_FILTER_FROM) {
        return ngx_http_campaign_messages_wrong(call, f, "should be a sender's name");
    }

    return NGX_OK;
}


/* a number; its beginning: to_prefix, and `to` of a campaign's messages */

static ngx_int_t
ngx_http_campaign_messages_to(ngx_http_campaign_call_t *call, const ngx_http_campaign_filter_t *f, ngx_str_t *value,
    ngx_campaign_page_t *page)
{
    ngx_http_campaign_messages_query_t *query = call->data;

    size_t      i;
    ngx_str_t   to;

    to = *value;

    if (to.data[0] == '+' || to.data[0] == ' ') {
        to.data++;
        to.len--;
    }

    for (i = 0; i < to.len; i++) {
        if (to.data[i] < '0' || to.data[i] > '9') {
            break;
        }
    }

    if (i != to.len || to.len == 0 || to.len > NGX_CAMPAIGN_NUMBER_LEN) {
        return ngx_http_campaign_messages_wrong(call, f, "should be a number, or its first digits");
    }

    query->m.to = to;
    query->m.prefix = (call->route->bad_id[0] != 0 || f->name.len == sizeof("to_prefix") - 1);

    return NGX_OK;
}


/* inbound messages go to the webhook; none is kept */

static ngx_int_t
ngx_http_campaign_messages_direction(ngx_http_campaign_call_t *call, const ngx_http_campaign_filter_t *f, ngx_str_t *value,
    ngx_campaign_page_t *page)
{
    ngx_http_campaign_messages_query_t *query = call->data;

    if (value->len != 2 || ngx_strncasecmp(value->data, (u_char *) "M", 1) != 0) {
        return ngx_http_campaign_messages_wrong(call, f, "should be one of [MT, MO]");
    }

    switch (ngx_toupper(value->data[1])) {

    case 'T':
        return NGX_OK;

    case 'O':
        query->m.statuses = NGX_CAMPAIGN_FILTER_NOTHING;
        return NGX_OK;

    default:
        return ngx_http_campaign_messages_wrong(call, f, "should be one of [MT, MO]");
    }
}


static ngx_int_t
ngx_http_campaign_messages_date(ngx_http_campaign_call_t *call, const ngx_http_campaign_filter_t *f, ngx_str_t *value,
    ngx_campaign_page_t *page)
{
    ngx_http_campaign_messages_query_t *query = call->data;

    time_t  t;

    if (ngx_campaign_time_parse(value, &t) != NGX_OK) {
        return ngx_http_campaign_messages_wrong(call, f, "should be yyyy-MM-dd HH:mm:ss (UTC) or RFC 3339");
    }

    t = ngx_max(t, 1);                                  /* 0 is no filter */

    if (f->name.len == sizeof("created_date_end") - 1) {
        query->m.until = t;
    } else {
        query->m.since = t;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_campaign_messages_campaign(ngx_http_campaign_call_t *call, const ngx_http_campaign_filter_t *f, ngx_str_t *value,
    ngx_campaign_page_t *page)
{
    ngx_http_campaign_messages_query_t *query = call->data;

    if (ngx_campaign_uuid_parse(value, query->campaign) != NGX_OK) {
        return ngx_http_campaign_messages_wrong(call, f, "should be a campaign's identifier");
    }

    if (query->m.campaign && ngx_memcmp(query->m.campaign, query->campaign, NGX_CAMPAIGN_ID_LEN) != 0) {
        query->m.statuses = NGX_CAMPAIGN_FILTER_NOTHING;      /* another one than that in the path */

    } else if (query->m.campaign == NULL) {
        query->m.campaign = query->campaign;
    }

    return NGX_OK;
}


/* of an export; what the store works with is copied, for it may outlive the call */

static ngx_int_t
ngx_http_campaign_messages_read_page(ngx_http_campaign_call_t *call, ngx_campaign_op_t *op, ngx_campaign_page_t *page)
{
    u_char                              *id;
    ngx_campaign_messages_t             *m;
    ngx_http_campaign_messages_query_t  *query = call->data;

    op->rc = NGX_CAMPAIGN_FAILURE;

    m = ngx_palloc(op->pool, sizeof(ngx_campaign_messages_t));
    id = ngx_pnalloc(op->pool, NGX_CAMPAIGN_ID_LEN);

    if (m == NULL || id == NULL) {
        return NGX_ERROR;
    }

    *m = query->m;
    m->page = page;
    m->campaign = id;
    ngx_memcpy(id, query->m.campaign, NGX_CAMPAIGN_ID_LEN);

    if ((m->from.len && (m->from.data = ngx_pstrdup(op->pool, &m->from)) == NULL)
        || (m->to.len && (m->to.data = ngx_pstrdup(op->pool, &m->to)) == NULL))
    {
        return NGX_ERROR;
    }

    return ngx_campaign_store_messages(call->store, op, m);
}


static ngx_int_t
ngx_http_campaign_messages_render_page(ngx_http_campaign_call_t *call, ngx_pool_t *pool, ngx_campaign_page_t *page)
{
    page->items = ngx_http_campaign_messages_render(pool, page->items->elts, page->items->nelts);

    return page->items ? NGX_OK : NGX_ERROR;
}


static ngx_int_t
ngx_http_campaign_messages_listed(ngx_http_campaign_call_t *call)
{
    ngx_int_t                            rc;
    ngx_campaign_page_t                 *page;
    ngx_http_campaign_messages_query_t  *query = call->data;

    page = &query->page;

    if (call->op.rc == NGX_CAMPAIGN_NOT_FOUND && call->route->bad_id[0] == 0) {
        return ngx_http_campaign_messages_none(call, page);     /* that of the filter */
    }

    rc = ngx_http_campaign_call_answer(call);
    if (rc != NGX_OK) {
        return rc;
    }

    if (ngx_http_campaign_messages_render_page(call, call->request->pool, page) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_http_campaign_reply_page(call, call->route->resource, page);
}


static ngx_int_t
ngx_http_campaign_messages_none(ngx_http_campaign_call_t *call, ngx_campaign_page_t *page)
{
    page->items = ngx_array_create(call->pool, 1, sizeof(ngx_http_campaign_message_t));
    if (page->items == NULL) {
        return NGX_ERROR;
    }

    page->number = 1;
    page->total = 0;

    ngx_str_set(&page->first, "");
    ngx_str_set(&page->current, "");
    ngx_str_null(&page->previous);
    ngx_str_null(&page->next);

    return ngx_http_campaign_reply_page(call, call->route->resource, page);
}


static void
ngx_http_campaign_messages_cell_to(ngx_http_campaign_call_t *call, const void *place, u_char *room, ngx_str_t *text)
{
    const ngx_campaign_message_t *m = place;

    text->data = room;
    text->len = m->contact.number ? ngx_campaign_number_print(room, m->contact.number) - room : 0;
}


static void
ngx_http_campaign_messages_cell_status(ngx_http_campaign_call_t *call, const void *place, u_char *room, ngx_str_t *text)
{
    const ngx_campaign_message_t *m = place;

    *text = *ngx_campaign_message_status_name(m->rec.status);
}


static void
ngx_http_campaign_messages_cell_reason(ngx_http_campaign_call_t *call, const void *place, u_char *room, ngx_str_t *text)
{
    const ngx_campaign_message_t *m = place;

    *text = *ngx_campaign_reason_name(m->reason);
}


static void
ngx_http_campaign_messages_cell_attempts(ngx_http_campaign_call_t *call, const void *place, u_char *room, ngx_str_t *text)
{
    const ngx_campaign_message_t *m = place;

    text->data = room;
    text->len = ngx_sprintf(room, "%ui", m->attempts) - room;
}


static void
ngx_http_campaign_messages_cell_segments(ngx_http_campaign_call_t *call, const void *place, u_char *room, ngx_str_t *text)
{
    const ngx_http_campaign_message_t *shown = place;

    text->data = room;
    text->len = shown->text.data ? ngx_sprintf(room, "%uD", shown->size.segments) - room : 0;
}


static void
ngx_http_campaign_messages_cell_encoding(ngx_http_campaign_call_t *call, const void *place, u_char *room, ngx_str_t *text)
{
    const ngx_http_campaign_message_t *shown = place;

    if (shown->text.data) {
        *text = *ngx_campaign_sms_name(shown->size.encoding);
    }
}
