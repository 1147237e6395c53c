
/*
 * Messages: of campaigns, and those sent alone; shown and canceled.  A message is not stored as it is shown: its text is rendered here, of
 * the text and the contact that it will be, or was, sent with.
 */

#include "ngx_http_campaign_message.h"

#include "ngx_campaign_state.h"


static ngx_int_t ngx_http_campaign_messages_found(ngx_http_campaign_call_t *call);

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
    { ngx_string("to"), NGX_CAMPAIGN_NEW|NGX_CAMPAIGN_F_MUST, &ngx_http_campaign_single_to,
      0, 1, NGX_CAMPAIGN_SINGLES_MAX, { 1505, 1506, 1507 } },
    { ngx_string("channel"), NGX_CAMPAIGN_NEW, &ngx_http_campaign_field_channel,
      offsetof(ngx_campaign_message_t, rec.channel), 0, 0, { 0, 1515, 1515 } },
    { ngx_string("direction"), NGX_CAMPAIGN_F_SHOW, &ngx_http_campaign_messages_type_direction, 0, 0, 0, { 0, 0, 0 } },
    { ngx_string("status"), NGX_CAMPAIGN_F_SHOW, &ngx_http_campaign_messages_type_status, 0, 0, 0, { 0, 0, 0 } },
    { ngx_string("text"), NGX_CAMPAIGN_F_POST, &ngx_http_campaign_field_message,
      offsetof(ngx_campaign_message_t, text), 1, NGX_CAMPAIGN_TEXT_MAX, { 1508, 1509, 1510 } },
    { ngx_string("text"), NGX_CAMPAIGN_F_SHOW, &ngx_http_campaign_messages_type_text, 0, 0, 0, { 0, 0, 0 } },
    { ngx_string("template"), NGX_CAMPAIGN_F_POST, &ngx_http_campaign_field_uuid,
      offsetof(ngx_campaign_message_t, template), 0, 0, { 0, 1511, 1511 } },
    { ngx_string("variables"), NGX_CAMPAIGN_F_POST, &ngx_http_campaign_single_variables,
      0, 0, NGX_CAMPAIGN_VARIABLE_MAX, { 0, 1516, 1526 } },
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
    .filters = ngx_http_campaign_messages_filters,
    .code   = { [NGX_CAMPAIGN_NOT_FOUND] = 1501, [NGX_CAMPAIGN_CONFLICT] = 1513, [NGX_CAMPAIGN_INVALID] = NGX_CAMPAIGN_E_QUERY },
    .check  = ngx_http_campaign_single_check,
    .links  = ngx_http_campaign_messages_links
};

/* below a campaign: what is not found is that */

const ngx_http_campaign_resource_t  ngx_http_campaign_campaign_messages = {
    .name   = ngx_string("messages"),
    .kind   = NGX_CAMPAIGN_MESSAGE,
    .size   = sizeof(ngx_http_campaign_single_t),
    .fields = ngx_http_campaign_messages_fields,
    .filters = ngx_http_campaign_messages_filters,
    .code   = { [NGX_CAMPAIGN_NOT_FOUND] = 1601, [NGX_CAMPAIGN_INVALID] = NGX_CAMPAIGN_E_QUERY },
    .links  = ngx_http_campaign_messages_links
};

/* clang-format on */


ngx_array_t *
ngx_http_campaign_messages_render(ngx_pool_t *pool, ngx_campaign_message_t *messages, ngx_uint_t n)
{
    u_char                       *last;
    ngx_str_t                     bad;
    ngx_uint_t                    i;
    ngx_array_t                  *all;
    ngx_campaign_template_t       parsed;
    ngx_http_campaign_message_t  *shown;

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

    shown = ngx_http_campaign_messages_render(call->request->pool, call->data, 1);

    return shown ? ngx_http_campaign_reply_object(call, call->route->resource, shown->elts) : NGX_ERROR;
}


ngx_int_t
ngx_http_campaign_messages_cancel(ngx_http_campaign_call_t *call)
{
    ngx_int_t  rc;

    rc = ngx_campaign_store_message_cancel(call->store, ngx_http_campaign_call_op(call, ngx_http_campaign_resource_deleted),
                                           ngx_http_campaign_call_owner(call), call->id[0]);

    return ngx_http_campaign_call_wait(call, rc);
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


static void
ngx_http_campaign_messages_print_gateway_id(ngx_http_campaign_call_t *call, ngx_http_campaign_out_t *out,
    const ngx_http_campaign_field_t *f, const void *place)
{
    const ngx_campaign_message_t *m = place;

    if (m->gateway_id.len == 0) {
        ngx_http_campaign_out_lit(out, "null");
        return;
    }

    ngx_http_campaign_out_string(out, &m->gateway_id);
}


static void
ngx_http_campaign_messages_links(ngx_http_campaign_call_t *call, ngx_http_campaign_out_t *out, const void *rec)
{
    const ngx_campaign_message_t *m = rec;

    ngx_http_campaign_out_link(call, out, "campaign", &ngx_http_campaign_campaigns.name, m->campaign, "");
    ngx_http_campaign_out_link(call, out, "template", &ngx_http_campaign_templates.name, m->template, "");
}
