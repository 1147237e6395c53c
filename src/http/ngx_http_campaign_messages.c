
/*
 * Messages: of campaigns, and those sent alone; listed, shown, canceled.  A message is not stored as it is shown: its text is rendered here, of the text and
 * the contact that it will be, or was, sent with.
 */

#include "ngx_http_campaign_message.h"

#include "ngx_campaign_state.h"
#include "ngx_campaign_time.h"


#define NGX_CAMPAIGN_FILTER_MAX  512            /* bytes of a filter's value */


typedef struct {
    ngx_str_t    name;
    ngx_int_t  (*read)(ngx_http_campaign_call_t *call, const ngx_str_t *name, ngx_str_t *value, ngx_campaign_messages_t *m);
} ngx_http_campaign_messages_filter_t;

typedef struct {
    ngx_campaign_messages_t  m;
    u_char                   campaign[NGX_CAMPAIGN_ID_LEN];     /* of filter[campaign_id] */
    unsigned                 none:1;            /* the filters leave nothing */
} ngx_http_campaign_messages_query_t;


static ngx_int_t ngx_http_campaign_messages_filters(ngx_http_campaign_call_t *call, ngx_campaign_messages_t *m);
static ngx_int_t ngx_http_campaign_messages_repeat(ngx_http_campaign_call_t *call, ngx_str_t *query, const ngx_str_t *name,
    ngx_str_t *value);
static ngx_int_t ngx_http_campaign_messages_wrong(ngx_http_campaign_call_t *call, const ngx_str_t *name, const char *should);
static ngx_int_t ngx_http_campaign_messages_statuses(ngx_http_campaign_call_t *call, const ngx_str_t *name, ngx_str_t *value,
    ngx_campaign_messages_t *m);
static ngx_int_t ngx_http_campaign_messages_from(ngx_http_campaign_call_t *call, const ngx_str_t *name, ngx_str_t *value,
    ngx_campaign_messages_t *m);
static ngx_int_t ngx_http_campaign_messages_to(ngx_http_campaign_call_t *call, const ngx_str_t *name, ngx_str_t *value,
    ngx_campaign_messages_t *m);
static ngx_int_t ngx_http_campaign_messages_channel(ngx_http_campaign_call_t *call, const ngx_str_t *name, ngx_str_t *value,
    ngx_campaign_messages_t *m);
static ngx_int_t ngx_http_campaign_messages_direction(ngx_http_campaign_call_t *call, const ngx_str_t *name, ngx_str_t *value,
    ngx_campaign_messages_t *m);
static ngx_int_t ngx_http_campaign_messages_date(ngx_http_campaign_call_t *call, const ngx_str_t *name, ngx_str_t *value,
    ngx_campaign_messages_t *m);
static ngx_int_t ngx_http_campaign_messages_campaign(ngx_http_campaign_call_t *call, const ngx_str_t *name, ngx_str_t *value,
    ngx_campaign_messages_t *m);
static ngx_int_t ngx_http_campaign_messages_listed(ngx_http_campaign_call_t *call);
static ngx_int_t ngx_http_campaign_messages_none(ngx_http_campaign_call_t *call, ngx_campaign_page_t *page);
static ngx_int_t ngx_http_campaign_messages_found(ngx_http_campaign_call_t *call);
static ngx_int_t ngx_http_campaign_messages_canceled(ngx_http_campaign_call_t *call);

static void ngx_http_campaign_messages_print_text(ngx_http_campaign_call_t *call, ngx_http_campaign_out_t *out,
    const ngx_http_campaign_field_t *f, const void *place);
static void ngx_http_campaign_messages_print_segments(ngx_http_campaign_call_t *call, ngx_http_campaign_out_t *out,
    const ngx_http_campaign_field_t *f, const void *place);
static void ngx_http_campaign_messages_print_encoding(ngx_http_campaign_call_t *call, ngx_http_campaign_out_t *out,
    const ngx_http_campaign_field_t *f, const void *place);
static void ngx_http_campaign_messages_print_status(ngx_http_campaign_call_t *call, ngx_http_campaign_out_t *out,
    const ngx_http_campaign_field_t *f, const void *place);
static void ngx_http_campaign_messages_print_reason(ngx_http_campaign_call_t *call, ngx_http_campaign_out_t *out,
    const ngx_http_campaign_field_t *f, const void *place);
static void ngx_http_campaign_messages_print_attempts(ngx_http_campaign_call_t *call, ngx_http_campaign_out_t *out,
    const ngx_http_campaign_field_t *f, const void *place);
static void ngx_http_campaign_messages_print_direction(ngx_http_campaign_call_t *call, ngx_http_campaign_out_t *out,
    const ngx_http_campaign_field_t *f, const void *place);
static void ngx_http_campaign_messages_print_gateway_id(ngx_http_campaign_call_t *call, ngx_http_campaign_out_t *out,
    const ngx_http_campaign_field_t *f, const void *place);
static void ngx_http_campaign_messages_links(ngx_http_campaign_call_t *call, ngx_http_campaign_out_t *out, const void *rec);
static void ngx_http_campaign_messages_link(ngx_http_campaign_call_t *call, ngx_http_campaign_out_t *out, const char *name,
    const char *path, const u_char *id);


static const ngx_http_campaign_field_type_t
    ngx_http_campaign_messages_type_text       = { NULL, ngx_http_campaign_messages_print_text },
    ngx_http_campaign_messages_type_segments   = { NULL, ngx_http_campaign_messages_print_segments },
    ngx_http_campaign_messages_type_encoding   = { NULL, ngx_http_campaign_messages_print_encoding },
    ngx_http_campaign_messages_type_status     = { NULL, ngx_http_campaign_messages_print_status },
    ngx_http_campaign_messages_type_reason     = { NULL, ngx_http_campaign_messages_print_reason },
    ngx_http_campaign_messages_type_attempts   = { NULL, ngx_http_campaign_messages_print_attempts },
    ngx_http_campaign_messages_type_direction  = { NULL, ngx_http_campaign_messages_print_direction },
    ngx_http_campaign_messages_type_gateway_id = { NULL, ngx_http_campaign_messages_print_gateway_id };


/* clang-format off */

#define NGX_CAMPAIGN_NEW  (NGX_CAMPAIGN_F_POST|NGX_CAMPAIGN_F_SHOW)

static const ngx_http_campaign_field_t  ngx_http_campaign_messages_fields[] = {
    { ngx_string("id"), NGX_CAMPAIGN_F_SHOW, &ngx_http_campaign_field_id, 0, 0, 0, { 0, 0, 0 } },
    { ngx_string("message_id"), NGX_CAMPAIGN_F_ONCE, &ngx_http_campaign_field_id, 0, 0, 0, { 0, 0, 0 } },
    { ngx_string("account_id"), NGX_CAMPAIGN_F_SHOW, &ngx_http_campaign_field_account, 0, 0, 0, { 0, 0, 0 } },
    { ngx_string("campaign_id"), NGX_CAMPAIGN_F_SHOW, &ngx_http_campaign_field_uuid,
      offsetof(ngx_campaign_message_t, campaign), 0, 0, { 0, 0, 0 } },
    { ngx_string("template_id"), NGX_CAMPAIGN_F_SHOW, &ngx_http_campaign_field_uuid,
      offsetof(ngx_campaign_message_t, template), 0, 0, { 0, 0, 0 } },
    { ngx_string("from"), NGX_CAMPAIGN_NEW|NGX_CAMPAIGN_F_MUST, &ngx_http_campaign_field_text,
      offsetof(ngx_campaign_message_t, from), 1, 16, { 1503, 1504, 1504 } },
    { ngx_string("to"), NGX_CAMPAIGN_NEW|NGX_CAMPAIGN_F_MUST, &ngx_http_campaign_single_to, 0, 1, NGX_CAMPAIGN_SINGLES_MAX, { 1505, 1506, 1507 } },
    { ngx_string("channel"), NGX_CAMPAIGN_NEW, &ngx_http_campaign_field_channel,
      offsetof(ngx_campaign_message_t, rec.channel), 0, 0, { 0, 1515, 1515 } },
    { ngx_string("direction"), NGX_CAMPAIGN_F_SHOW, &ngx_http_campaign_messages_type_direction, 0, 0, 0, { 0, 0, 0 } },
    { ngx_string("status"), NGX_CAMPAIGN_F_SHOW, &ngx_http_campaign_messages_type_status, 0, 0, 0, { 0, 0, 0 } },
    { ngx_string("text"), NGX_CAMPAIGN_F_POST, &ngx_http_campaign_field_message,
      offsetof(ngx_campaign_message_t, text), 1, NGX_CAMPAIGN_TEXT_MAX, { 1508, 1509, 1510 } },
    { ngx_string("text"), NGX_CAMPAIGN_F_SHOW, &ngx_http_campaign_messages_type_text, 0, 0, 0, { 0, 0, 0 } },
    { ngx_string("template"), NGX_CAMPAIGN_F_POST, &ngx_http_campaign_field_uuid,
      offsetof(ngx_campaign_message_t, template), 0, 0, { 0, 1511, 1511 } },
    { ngx_string("variables"), NGX_CAMPAIGN_F_POST, &ngx_http_campaign_single_variables, 0, 0, NGX_CAMPAIGN_VARIABLE_MAX, { 0, 1516, 1526 } },
    { ngx_string("segments_count"), NGX_CAMPAIGN_F_SHOW, &ngx_http_campaign_messages_type_segments, 0, 0, 0, { 0, 0, 0 } },
    { ngx_string("segments"), NGX_CAMPAIGN_F_SHOW, &ngx_http_campaign_messages_type_segments, 0, 0, 0, { 0, 0, 0 } },
    { ngx_string("encoding"), NGX_CAMPAIGN_F_SHOW, &ngx_http_campaign_messages_type_encoding, 0, 0, 0, { 0, 0, 0 } },
    { ngx_string("reason"), NGX_CAMPAIGN_F_SHOW, &ngx_http_campaign_messages_type_reason, 0, 0, 0, { 0, 0, 0 } },
    { ngx_string("attempts"), NGX_CAMPAIGN_F_SHOW, &ngx_http_campaign_messages_type_attempts, 0, 0, 0, { 0, 0, 0 } },
    { ngx_string("gateway_id"), NGX_CAMPAIGN_F_SHOW, &ngx_http_campaign_messages_type_gateway_id, 0, 0, 0, { 0, 0, 0 } },
    { ngx_string("schedule"), NGX_CAMPAIGN_NEW, &ngx_http_campaign_field_date,
      offsetof(ngx_campaign_message_t, schedule), 0, 0, { 0, 1521, 1521 } },
    { ngx_string("create_date"), NGX_CAMPAIGN_F_SHOW, &ngx_http_campaign_field_date,
      offsetof(ngx_campaign_message_t, rec.created), 0, 0, { 0, 0, 0 } },
    { ngx_string("update_date"), NGX_CAMPAIGN_F_SHOW, &ngx_http_campaign_field_date,
      offsetof(ngx_campaign_message_t, rec.updated), 0, 0, { 0, 0, 0 } },
    { ngx_string("links"), NGX_CAMPAIGN_F_SHOW, &ngx_http_campaign_field_links, 0, 0, 0, { 0, 0, 0 } },
    { ngx_null_string, 0, NULL, 0, 0, 0, { 0, 0, 0 } }
};

const ngx_http_campaign_resource_t  ngx_http_campaign_messages = {
    .name   = ngx_string("messages"),
    .kind   = NGX_CAMPAIGN_MESSAGE,
    .size   = sizeof(ngx_http_campaign_single_t),
    .fields = ngx_http_campaign_messages_fields,
    .code   = { [NGX_CAMPAIGN_NOT_FOUND] = 1501, [NGX_CAMPAIGN_CONFLICT] = 1513, [NGX_CAMPAIGN_INVALID] = NGX_CAMPAIGN_E_QUERY },
    .check  = ngx_http_campaign_single_check,
    .links  = ngx_http_campaign_messages_links
};

static const ngx_http_campaign_messages_filter_t  ngx_http_campaign_messages_rows[] = {
    { ngx_string("filter[status]"),             ngx_http_campaign_messages_statuses },
    { ngx_string("filter[statuses]"),           ngx_http_campaign_messages_statuses },
    { ngx_string("filter[from]"),               ngx_http_campaign_messages_from },
    { ngx_string("filter[to]"),                 ngx_http_campaign_messages_to },
    { ngx_string("filter[to_prefix]"),          ngx_http_campaign_messages_to },
    { ngx_string("filter[channel]"),            ngx_http_campaign_messages_channel },
    { ngx_string("filter[direction]"),          ngx_http_campaign_messages_direction },
    { ngx_string("filter[created_date_start]"), ngx_http_campaign_messages_date },
    { ngx_string("filter[created_date_end]"),   ngx_http_campaign_messages_date },
    { ngx_string("filter[campaign_id]"),        ngx_http_campaign_messages_campaign },
    { ngx_null_string, NULL }
};

/* clang-format on */


/* of the account, or of the campaign in the path */

ngx_int_t
ngx_http_campaign_messages_list(ngx_http_campaign_call_t *call)
{
    ngx_int_t                            rc;
    ngx_http_campaign_messages_query_t  *query;

    query = ngx_pcalloc(call->pool, sizeof(ngx_http_campaign_messages_query_t));
    if (query == NULL) {
        return NGX_ERROR;
    }

    call->data = query;

    if (call->route->bad_id[0]) {
        query->m.campaign = call->id[0];
    }

    rc = ngx_http_campaign_resource_query(call, call->route->resource, &query->m.page);

    if (rc != NGX_ERROR) {
        rc = ngx_http_campaign_messages_filters(call, &query->m);
    }

    if (rc != NGX_OK) {
        return rc;
    }

    if (query->none) {
        return ngx_http_campaign_messages_none(call, &query->m.page);
    }

    rc = ngx_campaign_store_messages(call->store, ngx_http_campaign_call_op(call, ngx_http_campaign_messages_listed), &query->m);

    return ngx_http_campaign_call_wait(call, rc);
}


/* an empty one filters nothing */

static ngx_int_t
ngx_http_campaign_messages_filters(ngx_http_campaign_call_t *call, ngx_campaign_messages_t *m)
{
    ngx_int_t                                   rc;
    ngx_str_t                                   value;
    const ngx_http_campaign_messages_filter_t  *f;

    for (f = ngx_http_campaign_messages_rows; f->name.len; f++) {

        rc = ngx_http_campaign_call_arg(call, (char *) f->name.data, &value);

        if (rc == NGX_OK && value.len > NGX_CAMPAIGN_FILTER_MAX) {
            rc = ngx_http_campaign_messages_wrong(call, &f->name, "too long");

        } else if (rc == NGX_OK && value.len) {
            rc = f->read(call, &f->name, &value, m);

            if (rc == NGX_OK) {
                rc = ngx_http_campaign_messages_repeat(call, &m->page.query, &f->name, &value);
            }
        }

        if (rc == NGX_ERROR) {
            return NGX_ERROR;
        }
    }

    return call->notes.nelts ? NGX_DECLINED : NGX_OK;
}


/* the filter as the links repeat it */

static ngx_int_t
ngx_http_campaign_messages_repeat(ngx_http_campaign_call_t *call, ngx_str_t *query, const ngx_str_t *name, ngx_str_t *value)
{
    u_char  *p, *start;

    start = ngx_pnalloc(call->pool, query->len + 2 + 3 * (name->len + value->len));
    if (start == NULL) {
        return NGX_ERROR;
    }

    p = ngx_cpymem(start, query->data, query->len);
    *p++ = '&';
    p = (u_char *) ngx_escape_uri(p, name->data, name->len, NGX_ESCAPE_URI_COMPONENT);
    *p++ = '=';
    p = (u_char *) ngx_escape_uri(p, value->data, value->len, NGX_ESCAPE_URI_COMPONENT);

    query->data = start;
    query->len = p - start;

    return NGX_OK;
}


static ngx_int_t
ngx_http_campaign_messages_wrong(ngx_http_campaign_call_t *call, const ngx_str_t *name, const char *should)
{
    return ngx_http_campaign_error_text(call, NGX_CAMPAIGN_E_QUERY, "'%V' is invalid: %s", name, should);
}


/* one status, or several with commas between them */

static ngx_int_t
ngx_http_campaign_messages_statuses(ngx_http_campaign_call_t *call, const ngx_str_t *name, ngx_str_t *value, ngx_campaign_messages_t *m)
{
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
            return ngx_http_campaign_messages_wrong(call, name, "should be of [scheduled, enroute, sent, delivered, failed, canceled, "
                                                    "skipped]");
        }

        mask |= (ngx_uint_t) 1 << status;
    }

    m->statuses = m->statuses ? m->statuses & mask : mask;

    if (m->statuses == 0) {
        ((ngx_http_campaign_messages_query_t *) call->data)->none = 1;
    }

    return NGX_OK;
}


/* a number is a sender without its + */

static ngx_int_t
ngx_http_campaign_messages_from(ngx_http_campaign_call_t *call, const ngx_str_t *name, ngx_str_t *value, ngx_campaign_messages_t *m)
{
    m->from = *value;

    if (value->data[0] == '+' || value->data[0] == ' ') {       /* a + that was not encoded */
        m->from.data++;
        m->from.len--;
    }

    return NGX_OK;
}


/* a number; its beginning: to_prefix, and `to` of a campaign's messages */

static ngx_int_t
ngx_http_campaign_messages_to(ngx_http_campaign_call_t *call, const ngx_str_t *name, ngx_str_t *value, ngx_campaign_messages_t *m)
{
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
        return ngx_http_campaign_messages_wrong(call, name, "should be a number, or its first digits");
    }

    m->to = to;
    m->prefix = (call->route->bad_id[0] != 0 || name->len == sizeof("filter[to_prefix]") - 1);

    return NGX_OK;
}


static ngx_int_t
ngx_http_campaign_messages_channel(ngx_http_campaign_call_t *call, const ngx_str_t *name, ngx_str_t *value, ngx_campaign_messages_t *m)
{
    ngx_http_campaign_gateway_t  *gateway;

    gateway = ngx_http_campaign_gateway(call->cmcf, value);

    if (gateway == NULL) {
        return ngx_http_campaign_error_text(call, NGX_CAMPAIGN_E_QUERY, "'%V' is invalid: should be one of [%V]", name, &call->cmcf->channels);
    }

    m->page.channel = gateway->channel;

    return NGX_OK;
}


/* inbound messages go to the webhook; none is kept */

static ngx_int_t
ngx_http_campaign_messages_direction(ngx_http_campaign_call_t *call, const ngx_str_t *name, ngx_str_t *value, ngx_campaign_messages_t *m)
{
    if (value->len != 2 || ngx_strncasecmp(value->data, (u_char *) "M", 1) != 0) {
        return ngx_http_campaign_messages_wrong(call, name, "should be one of [MT, MO]");
    }

    switch (ngx_toupper(value->data[1])) {

    case 'T':
        return NGX_OK;

    case 'O':
        ((ngx_http_campaign_messages_query_t *) call->data)->none = 1;
        return NGX_OK;

    default:
        return ngx_http_campaign_messages_wrong(call, name, "should be one of [MT, MO]");
    }
}


static ngx_int_t
ngx_http_campaign_messages_date(ngx_http_campaign_call_t *call, const ngx_str_t *name, ngx_str_t *value, ngx_campaign_messages_t *m)
{
    time_t  t;

    if (ngx_campaign_time_parse(value, &t) != NGX_OK) {
        return ngx_http_campaign_messages_wrong(call, name, "should be yyyy-MM-dd HH:mm:ss (UTC) or RFC 3339");
    }

    t = ngx_max(t, 1);                                  /* 0 is no filter */

    if (name->len == sizeof("filter[created_date_end]") - 1) {
        m->until = t;
    } else {
        m->since = t;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_campaign_messages_campaign(ngx_http_campaign_call_t *call, const ngx_str_t *name, ngx_str_t *value, ngx_campaign_messages_t *m)
{
    ngx_http_campaign_messages_query_t *query = call->data;

    if (ngx_campaign_uuid_parse(value, query->campaign) != NGX_OK) {
        return ngx_http_campaign_messages_wrong(call, name, "should be a campaign's identifier");
    }

    if (m->campaign && ngx_memcmp(m->campaign, query->campaign, NGX_CAMPAIGN_ID_LEN) != 0) {
        query->none = 1;                                /* another one than that in the path */

    } else if (m->campaign == NULL) {
        m->campaign = query->campaign;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_campaign_messages_listed(ngx_http_campaign_call_t *call)
{
    ngx_int_t                            rc;
    ngx_campaign_page_t                 *page;
    ngx_http_campaign_messages_query_t  *query = call->data;

    page = &query->m.page;

    if (call->op.rc == NGX_CAMPAIGN_NOT_FOUND) {
        return call->route->bad_id[0] ? ngx_http_campaign_error(call, 1601) : ngx_http_campaign_messages_none(call, page);
    }

    rc = ngx_http_campaign_call_answer(call);
    if (rc != NGX_OK) {
        return rc;
    }

    page->items = ngx_http_campaign_messages_render(call, page->items->elts, page->items->nelts);
    if (page->items == NULL) {
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


ngx_array_t *
ngx_http_campaign_messages_render(ngx_http_campaign_call_t *call, ngx_campaign_message_t *messages, ngx_uint_t n)
{
    u_char                       *last;
    ngx_str_t                     bad;
    ngx_uint_t                    i;
    ngx_pool_t                   *pool;
    ngx_array_t                  *all;
    ngx_campaign_template_t       parsed;
    ngx_http_campaign_message_t  *shown;

    pool = call->request->pool;

    all = ngx_array_create(pool, ngx_max(n, 1), sizeof(ngx_http_campaign_message_t));
    if (all == NULL) {
        return NULL;
    }

    for (last = NULL, i = 0; i < n; i++) {

        shown = ngx_array_push(all);                    /* not NULL: made for n */
        ngx_memzero(shown, sizeof(ngx_http_campaign_message_t));

        shown->message = messages[i];

        if (shown->message.contact.number == 0) {
            continue;
        }

        if (last == NULL || last != messages[i].text.data) {
            last = messages[i].text.data;               /* those of a campaign share it */

            if (ngx_campaign_template_parse(pool, &messages[i].text, &parsed, &bad) != NGX_OK) {
                return NULL;
            }
        }

        shown->text.len = ngx_campaign_template_size(&parsed, &shown->message.contact);
        shown->text.data = ngx_pnalloc(pool, shown->text.len + 1);

        if (shown->text.data == NULL) {
            return NULL;
        }

        (void) ngx_campaign_template_render(shown->text.data, &parsed, &shown->message.contact);
        ngx_campaign_sms_measure(shown->text.data, shown->text.len, &shown->size);
    }

    return all;
}


ngx_int_t
ngx_http_campaign_messages_get(ngx_http_campaign_call_t *call)
{
    ngx_int_t                rc;
    ngx_campaign_message_t  *m;

    m = ngx_pcalloc(call->pool, sizeof(ngx_campaign_message_t));
    if (m == NULL) {
        return NGX_ERROR;
    }

    call->data = m;

    rc = ngx_campaign_store_message(call->store, ngx_http_campaign_call_op(call, ngx_http_campaign_messages_found),
                                    ngx_http_campaign_call_owner(call), call->id[0], m);

    return ngx_http_campaign_call_wait(call, rc);
}


static ngx_int_t
ngx_http_campaign_messages_found(ngx_http_campaign_call_t *call)
{
    ngx_int_t     rc;
    ngx_array_t  *shown;

    rc = ngx_http_campaign_call_answer(call);
    if (rc != NGX_OK) {
        return rc;
    }

    shown = ngx_http_campaign_messages_render(call, call->data, 1);

    return shown ? ngx_http_campaign_reply_object(call, call->route->resource, shown->elts) : NGX_ERROR;
}


ngx_int_t
ngx_http_campaign_messages_cancel(ngx_http_campaign_call_t *call)
{
    ngx_int_t  rc;

    rc = ngx_campaign_store_message_cancel(call->store, ngx_http_campaign_call_op(call, ngx_http_campaign_messages_canceled),
                                           ngx_http_campaign_call_owner(call), call->id[0]);

    return ngx_http_campaign_call_wait(call, rc);
}


static ngx_int_t
ngx_http_campaign_messages_canceled(ngx_http_campaign_call_t *call)
{
    ngx_int_t  rc;

    rc = ngx_http_campaign_call_answer(call);

    return rc == NGX_OK ? ngx_http_campaign_reply_empty(call, call->route->status) : rc;
}


static void
ngx_http_campaign_messages_print_text(ngx_http_campaign_call_t *call, ngx_http_campaign_out_t *out, const ngx_http_campaign_field_t *f,
    const void *place)
{
    const ngx_http_campaign_message_t *shown = place;

    if (shown->text.data == NULL) {
        ngx_http_campaign_out_lit(out, "null");
        return;
    }

    ngx_http_campaign_out_string(out, &shown->text);
}


static void
ngx_http_campaign_messages_print_segments(ngx_http_campaign_call_t *call, ngx_http_campaign_out_t *out, const ngx_http_campaign_field_t *f,
    const void *place)
{
    const ngx_http_campaign_message_t *shown = place;

    if (shown->text.data == NULL) {
        ngx_http_campaign_out_lit(out, "null");
        return;
    }

    ngx_http_campaign_out_uint(out, shown->size.segments);
}


static void
ngx_http_campaign_messages_print_encoding(ngx_http_campaign_call_t *call, ngx_http_campaign_out_t *out, const ngx_http_campaign_field_t *f,
    const void *place)
{
    const ngx_http_campaign_message_t *shown = place;

    if (shown->text.data == NULL) {
        ngx_http_campaign_out_lit(out, "null");
        return;
    }

    ngx_http_campaign_out_string(out, ngx_campaign_sms_name(shown->size.encoding));
}


static void
ngx_http_campaign_messages_print_status(ngx_http_campaign_call_t *call, ngx_http_campaign_out_t *out, const ngx_http_campaign_field_t *f,
    const void *place)
{
    const ngx_campaign_message_t *m = place;

    ngx_http_campaign_out_string(out, ngx_campaign_message_status_name(m->rec.status));
}


static void
ngx_http_campaign_messages_print_reason(ngx_http_campaign_call_t *call, ngx_http_campaign_out_t *out, const ngx_http_campaign_field_t *f,
    const void *place)
{
    const ngx_campaign_message_t *m = place;

    if (m->reason == NGX_CAMPAIGN_R_NONE) {
        ngx_http_campaign_out_lit(out, "null");
        return;
    }

    ngx_http_campaign_out_string(out, ngx_campaign_reason_name(m->reason));
}


static void
ngx_http_campaign_messages_print_attempts(ngx_http_campaign_call_t *call, ngx_http_campaign_out_t *out, const ngx_http_campaign_field_t *f,
    const void *place)
{
    const ngx_campaign_message_t *m = place;

    ngx_http_campaign_out_uint(out, m->attempts);
}


static void
ngx_http_campaign_messages_print_direction(ngx_http_campaign_call_t *call, ngx_http_campaign_out_t *out,
    const ngx_http_campaign_field_t *f, const void *place)
{
    ngx_http_campaign_out_lit(out, "\"MT\"");
}


/* known from a gateway's receipts alone */

static void
ngx_http_campaign_messages_print_gateway_id(ngx_http_campaign_call_t *call, ngx_http_campaign_out_t *out,
    const ngx_http_campaign_field_t *f, const void *place)
{
    ngx_http_campaign_out_lit(out, "null");
}


static void
ngx_http_campaign_messages_links(ngx_http_campaign_call_t *call, ngx_http_campaign_out_t *out, const void *rec)
{
    const ngx_campaign_message_t *m = rec;

    ngx_http_campaign_messages_link(call, out, "campaign", "campaigns", m->campaign);
    ngx_http_campaign_messages_link(call, out, "template", "templates", m->template);
}


static void
ngx_http_campaign_messages_link(ngx_http_campaign_call_t *call, ngx_http_campaign_out_t *out, const char *name, const char *path,
    const u_char *id)
{
    u_char  *p, text[sizeof(",\"template\":\"/templates/\"") + NGX_CAMPAIGN_UUID_LEN];

    static const u_char  zero[NGX_CAMPAIGN_ID_LEN];

    if (ngx_memcmp(id, zero, NGX_CAMPAIGN_ID_LEN) == 0) {
        return;
    }

    p = ngx_sprintf(text, ",\"%s\":\"", name);
    ngx_http_campaign_out_raw(out, text, p - text);
    ngx_http_campaign_out_raw(out, call->prefix.data, call->prefix.len);

    p = ngx_sprintf(text, "/%s/", path);
    p = ngx_campaign_uuid_print(p, id);
    *p++ = '"';
    ngx_http_campaign_out_raw(out, text, p - text);
}
