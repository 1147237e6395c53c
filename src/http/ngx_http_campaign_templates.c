
/*
 * Templates: a text with placeholders, checked when it is made, copied into each campaign that uses it.
 */

#include "ngx_http_campaign_error.h"
#include "ngx_http_campaign_resource.h"

#include "ngx_campaign_template.h"


static ngx_int_t ngx_http_campaign_templates_check(ngx_http_campaign_call_t *call);
static void ngx_http_campaign_templates_status(ngx_http_campaign_call_t *call, ngx_http_campaign_out_t *out,
    const ngx_http_campaign_field_t *f, const void *place);


static const ngx_http_campaign_field_type_t  ngx_http_campaign_templates_field_status = { NULL, ngx_http_campaign_templates_status };


/* clang-format off */

static const ngx_http_campaign_field_t  ngx_http_campaign_templates_fields[] = {
    { ngx_string("id"), NGX_CAMPAIGN_F_SHOW, &ngx_http_campaign_field_id, 0, 0, 0, { 0, 0, 0 } },
    { ngx_string("account_id"), NGX_CAMPAIGN_F_SHOW, &ngx_http_campaign_field_account, 0, 0, 0, { 0, 0, 0 } },
    { ngx_string("name"), NGX_CAMPAIGN_F_POST|NGX_CAMPAIGN_F_PUT|NGX_CAMPAIGN_F_SHOW, &ngx_http_campaign_field_text,
      offsetof(ngx_campaign_text_t, rec.name), 0, NGX_CAMPAIGN_NAME_MAX, { 0, 1259, 1263 } },
    { ngx_string("text"), NGX_CAMPAIGN_F_POST|NGX_CAMPAIGN_F_PUT|NGX_CAMPAIGN_F_MUST|NGX_CAMPAIGN_F_SHOW, &ngx_http_campaign_field_message,
      offsetof(ngx_campaign_text_t, text), 1, NGX_CAMPAIGN_TEXT_MAX, { 1254, 1255, 1260 } },
    { ngx_string("channel"), NGX_CAMPAIGN_F_POST|NGX_CAMPAIGN_F_MUST|NGX_CAMPAIGN_F_SHOW, &ngx_http_campaign_field_channel,
      offsetof(ngx_campaign_text_t, rec.channel), 0, 0, { 1256, 1257, 1257 } },
    { ngx_string("status"), NGX_CAMPAIGN_F_SHOW, &ngx_http_campaign_templates_field_status, 0, 0, 0, { 0, 0, 0 } },
    { ngx_string("create_date"), NGX_CAMPAIGN_F_SHOW, &ngx_http_campaign_field_date,
      offsetof(ngx_campaign_text_t, rec.created), 0, 0, { 0, 0, 0 } },
    { ngx_string("update_date"), NGX_CAMPAIGN_F_SHOW, &ngx_http_campaign_field_date,
      offsetof(ngx_campaign_text_t, rec.updated), 0, 0, { 0, 0, 0 } },
    { ngx_string("links"), NGX_CAMPAIGN_F_SHOW, &ngx_http_campaign_field_links, 0, 0, 0, { 0, 0, 0 } },
    { ngx_null_string, 0, NULL, 0, 0, 0, { 0, 0, 0 } }
};

static const ngx_str_t  ngx_http_campaign_templates_words[] = { ngx_string("COMPLETED"), ngx_null_string };

static const ngx_http_campaign_filter_t  ngx_http_campaign_templates_filters[] = {
    { ngx_string("channel"), ngx_http_campaign_filter_channel, NULL },
    { ngx_string("status"), ngx_http_campaign_filter_word, ngx_http_campaign_templates_words },
    { ngx_string("name"), ngx_http_campaign_filter_match, NULL },
    { ngx_null_string, NULL, NULL }
};

const ngx_http_campaign_resource_t  ngx_http_campaign_templates = {
    .name    = ngx_string("templates"),
    .kind    = NGX_CAMPAIGN_TEMPLATE,
    .size    = sizeof(ngx_campaign_text_t),
    .fields  = ngx_http_campaign_templates_fields,
    .filters = ngx_http_campaign_templates_filters,
    .code    = { [NGX_CAMPAIGN_NOT_FOUND] = 1251, [NGX_CAMPAIGN_EXISTS] = 1258, [NGX_CAMPAIGN_INVALID] = NGX_CAMPAIGN_E_QUERY },
    .no_data = 1253,
    .check   = ngx_http_campaign_templates_check
};

/* clang-format on */


static ngx_int_t
ngx_http_campaign_templates_check(ngx_http_campaign_call_t *call)
{
    ngx_int_t                rc;
    ngx_str_t                bad;
    ngx_campaign_text_t     *text;
    ngx_campaign_template_t  parsed;

    text = call->rec;

    if (text->text.len == 0) {
        return NGX_OK;                          /* noted, or (PUT) not given */
    }

    rc = ngx_campaign_template_parse(call->pool, &text->text, &parsed, &bad);

    if (rc == NGX_DECLINED) {
        return ngx_http_campaign_error_text(call, 1255, "'data.text' is invalid at \"%V\": a placeholder is one of {first_name} "
                                            "{last_name} {number} {custom1} {custom2} {timestamp} {date}, a literal brace is doubled", &bad);
    }

    return rc;
}


static void
ngx_http_campaign_templates_status(ngx_http_campaign_call_t *call, ngx_http_campaign_out_t *out, const ngx_http_campaign_field_t *f,
    const void *place)
{
    ngx_http_campaign_out_string(out, &ngx_http_campaign_templates_words[0]);
}
