
/*
 * Senders: who a message is from.  A name is unique in its channel; what it is (letters, a long or a short code) follows from it.
 */

#include "ngx_http_campaign_error.h"
#include "ngx_http_campaign_resource.h"

#include "ngx_campaign_number.h"


static ngx_int_t ngx_http_campaign_senders_check(ngx_http_campaign_call_t *call);
static void ngx_http_campaign_senders_type(ngx_http_campaign_call_t *call, ngx_http_campaign_out_t *out,
    const ngx_http_campaign_field_t *f, const void *place);
static void ngx_http_campaign_senders_phone(ngx_http_campaign_call_t *call, ngx_http_campaign_out_t *out,
    const ngx_http_campaign_field_t *f, const void *place);
static void ngx_http_campaign_senders_status(ngx_http_campaign_call_t *call, ngx_http_campaign_out_t *out,
    const ngx_http_campaign_field_t *f, const void *place);


static const ngx_http_campaign_field_type_t
    ngx_http_campaign_senders_field_type   = { NULL, ngx_http_campaign_senders_type },
    ngx_http_campaign_senders_field_phone  = { NULL, ngx_http_campaign_senders_phone },
    ngx_http_campaign_senders_field_status = { NULL, ngx_http_campaign_senders_status };


/* clang-format off */

static const ngx_http_campaign_field_t  ngx_http_campaign_senders_fields[] = {
    { ngx_string("id"), NGX_CAMPAIGN_F_SHOW, &ngx_http_campaign_field_id, 0, 0, 0, { 0, 0, 0 } },
    { ngx_string("account_id"), NGX_CAMPAIGN_F_SHOW, &ngx_http_campaign_field_account, 0, 0, 0, { 0, 0, 0 } },
    { ngx_string("name"), NGX_CAMPAIGN_F_POST|NGX_CAMPAIGN_F_MUST|NGX_CAMPAIGN_F_SHOW, &ngx_http_campaign_field_text,
      offsetof(ngx_campaign_sender_t, rec.name), 1, 16, { 1153, 1154, 1154 } },
    { ngx_string("display_name"), NGX_CAMPAIGN_F_SHOW, &ngx_http_campaign_field_text,
      offsetof(ngx_campaign_sender_t, rec.name), 0, 0, { 0, 0, 0 } },
    { ngx_string("code"), NGX_CAMPAIGN_F_SHOW, &ngx_http_campaign_senders_field_phone, 0, 0, 0, { 0, 0, 0 } },
    { ngx_string("phone"), NGX_CAMPAIGN_F_SHOW, &ngx_http_campaign_senders_field_phone, 0, 0, 0, { 0, 0, 0 } },
    { ngx_string("channel"), NGX_CAMPAIGN_F_POST|NGX_CAMPAIGN_F_MUST|NGX_CAMPAIGN_F_SHOW, &ngx_http_campaign_field_channel,
      offsetof(ngx_campaign_sender_t, rec.channel), 0, 0, { 1155, 1156, 1156 } },
    { ngx_string("type"), NGX_CAMPAIGN_F_SHOW, &ngx_http_campaign_senders_field_type, 0, 0, 0, { 0, 0, 0 } },
    { ngx_string("status"), NGX_CAMPAIGN_F_SHOW, &ngx_http_campaign_senders_field_status, 0, 0, 0, { 0, 0, 0 } },
    { ngx_string("create_date"), NGX_CAMPAIGN_F_SHOW, &ngx_http_campaign_field_date,
      offsetof(ngx_campaign_sender_t, rec.created), 0, 0, { 0, 0, 0 } },
    { ngx_string("update_date"), NGX_CAMPAIGN_F_SHOW, &ngx_http_campaign_field_date,
      offsetof(ngx_campaign_sender_t, rec.updated), 0, 0, { 0, 0, 0 } },
    { ngx_string("links"), NGX_CAMPAIGN_F_SHOW, &ngx_http_campaign_field_links, 0, 0, 0, { 0, 0, 0 } },
    { ngx_null_string, 0, NULL, 0, 0, 0, { 0, 0, 0 } }
};

static const ngx_str_t  ngx_http_campaign_senders_words[] = { ngx_string("ACTIVE"), ngx_null_string };

static const ngx_http_campaign_filter_t  ngx_http_campaign_senders_filters[] = {
    { ngx_string("channel"), ngx_http_campaign_filter_channel, NULL },
    { ngx_string("name"), ngx_http_campaign_filter_match, NULL },
    { ngx_string("status"), ngx_http_campaign_filter_word, ngx_http_campaign_senders_words },
    { ngx_string("type"), ngx_http_campaign_filter_type, NULL },
    { ngx_null_string, NULL, NULL }
};

const ngx_http_campaign_resource_t  ngx_http_campaign_senders = {
    .name    = ngx_string("senders"),
    .kind    = NGX_CAMPAIGN_SENDER,
    .size    = sizeof(ngx_campaign_sender_t),
    .fields  = ngx_http_campaign_senders_fields,
    .filters = ngx_http_campaign_senders_filters,
    .code    = { [NGX_CAMPAIGN_NOT_FOUND] = 1151, [NGX_CAMPAIGN_EXISTS] = 1157, [NGX_CAMPAIGN_IN_USE] = 1158,
                 [NGX_CAMPAIGN_INVALID] = NGX_CAMPAIGN_E_QUERY },
    .check   = ngx_http_campaign_senders_check
};

/* clang-format on */


static ngx_int_t
ngx_http_campaign_senders_check(ngx_http_campaign_call_t *call)
{
    ngx_campaign_sender_t  *sender;

    sender = call->rec;

    if (sender->rec.name.len == 0 || ngx_http_campaign_error_noted(call, 1154)) {
        return NGX_OK;                          /* noted */
    }

    sender->type = ngx_campaign_number_sender(&sender->rec.name);

    if (sender->type == 0) {
        return ngx_http_campaign_error(call, 1154);
    }

    if (sender->rec.name.data[0] == '+') {
        sender->rec.name.data++;
        sender->rec.name.len--;
    }

    return NGX_OK;
}


static void
ngx_http_campaign_senders_type(ngx_http_campaign_call_t *call, ngx_http_campaign_out_t *out, const ngx_http_campaign_field_t *f,
    const void *place)
{
    const ngx_campaign_sender_t *sender = place;

    ngx_http_campaign_out_string(out, ngx_campaign_number_sender_name(sender->type));
}


static void
ngx_http_campaign_senders_phone(ngx_http_campaign_call_t *call, ngx_http_campaign_out_t *out, const ngx_http_campaign_field_t *f,
    const void *place)
{
    const ngx_campaign_sender_t *sender = place;

    if (sender->type == NGX_CAMPAIGN_T_ALPHANUMERIC) {
        ngx_http_campaign_out_lit(out, "null");
        return;
    }

    ngx_http_campaign_out_string(out, &sender->rec.name);
}


static void
ngx_http_campaign_senders_status(ngx_http_campaign_call_t *call, ngx_http_campaign_out_t *out, const ngx_http_campaign_field_t *f,
    const void *place)
{
    ngx_http_campaign_out_string(out, &ngx_http_campaign_senders_words[0]);
}
