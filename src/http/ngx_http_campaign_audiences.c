
/*
 * Audiences: named lists of contacts.  A few contacts may come with a new one; more are added to it (ngx_http_campaign_contacts.c).
 */

#include "ngx_http_campaign_error.h"
#include "ngx_http_campaign_resource.h"


#define NGX_CAMPAIGN_CONTACTS_MAX  1000         /* in one JSON request */


static ngx_int_t ngx_http_campaign_audiences_contacts(ngx_http_campaign_call_t *call, const ngx_http_campaign_field_t *f, json_t *value,
    void *place);
static ngx_int_t ngx_http_campaign_audiences_check(ngx_http_campaign_call_t *call);
static void ngx_http_campaign_audiences_links(ngx_http_campaign_call_t *call, ngx_http_campaign_out_t *out, const void *rec);


static const ngx_http_campaign_field_type_t  ngx_http_campaign_audiences_field_contacts = { ngx_http_campaign_audiences_contacts, NULL };


/* clang-format off */

static const ngx_http_campaign_field_t  ngx_http_campaign_audiences_fields[] = {
    { ngx_string("id"), NGX_CAMPAIGN_F_SHOW, &ngx_http_campaign_field_id, 0, 0, 0, { 0, 0, 0 } },
    { ngx_string("account_id"), NGX_CAMPAIGN_F_SHOW, &ngx_http_campaign_field_account, 0, 0, 0, { 0, 0, 0 } },
    { ngx_string("name"), NGX_CAMPAIGN_F_POST|NGX_CAMPAIGN_F_PUT|NGX_CAMPAIGN_F_MUST|NGX_CAMPAIGN_F_SHOW, &ngx_http_campaign_field_text,
      offsetof(ngx_campaign_audience_t, rec.name), 1, NGX_CAMPAIGN_NAME_MAX, { 1303, 1304, 1305 } },
    { ngx_string("channel"), NGX_CAMPAIGN_F_POST|NGX_CAMPAIGN_F_MUST|NGX_CAMPAIGN_F_SHOW, &ngx_http_campaign_field_channel,
      offsetof(ngx_campaign_audience_t, rec.channel), 0, 0, { 1306, 1307, 1307 } },
    { ngx_string("contacts"), NGX_CAMPAIGN_F_POST, &ngx_http_campaign_audiences_field_contacts, 0, 0, NGX_CAMPAIGN_CONTACTS_MAX,
      { 0, 1365, 1308 } },
    { ngx_string("contacts_count"), NGX_CAMPAIGN_F_SHOW, &ngx_http_campaign_field_uint,
      offsetof(ngx_campaign_audience_t, contacts), 0, 0, { 0, 0, 0 } },
    { ngx_string("create_date"), NGX_CAMPAIGN_F_SHOW, &ngx_http_campaign_field_date,
      offsetof(ngx_campaign_audience_t, rec.created), 0, 0, { 0, 0, 0 } },
    { ngx_string("update_date"), NGX_CAMPAIGN_F_SHOW, &ngx_http_campaign_field_date,
      offsetof(ngx_campaign_audience_t, rec.updated), 0, 0, { 0, 0, 0 } },
    { ngx_string("links"), NGX_CAMPAIGN_F_SHOW, &ngx_http_campaign_field_links, 0, 0, 0, { 0, 0, 0 } },
    { ngx_null_string, 0, NULL, 0, 0, 0, { 0, 0, 0 } }
};

static const ngx_http_campaign_filter_t  ngx_http_campaign_audiences_filters[] = {
    { ngx_string("channel"), ngx_http_campaign_filter_channel, NULL },
    { ngx_string("name"), ngx_http_campaign_filter_match, NULL },
    { ngx_null_string, NULL, NULL }
};

const ngx_http_campaign_resource_t  ngx_http_campaign_audiences = {
    .name    = ngx_string("audiences"),
    .kind    = NGX_CAMPAIGN_AUDIENCE,
    .size    = sizeof(ngx_campaign_audience_t),
    .fields  = ngx_http_campaign_audiences_fields,
    .filters = ngx_http_campaign_audiences_filters,
    .code    = { [NGX_CAMPAIGN_NOT_FOUND] = 1301, [NGX_CAMPAIGN_EXISTS] = 1309, [NGX_CAMPAIGN_TOO_MANY] = 1311,
                 [NGX_CAMPAIGN_IN_USE] = 1310, [NGX_CAMPAIGN_INVALID] = NGX_CAMPAIGN_E_QUERY },
    .check   = ngx_http_campaign_audiences_check,
    .links   = ngx_http_campaign_audiences_links
};

/* clang-format on */


static ngx_int_t
ngx_http_campaign_audiences_contacts(ngx_http_campaign_call_t *call, const ngx_http_campaign_field_t *f, json_t *value, void *place)
{
    if (!json_is_array(value)) {
        return ngx_http_campaign_error_text(call, f->code.wrong, "'data.contacts' is invalid: should be a list");
    }

    return ngx_http_campaign_contact_read_list(call, value, "data.contacts", f->most, f->code.size, 0);
}


static ngx_int_t
ngx_http_campaign_audiences_check(ngx_http_campaign_call_t *call)
{
    u_char                   ch;
    size_t                   i;
    ngx_campaign_audience_t *audience;

    audience = call->rec;

    for (i = 0; i < audience->rec.name.len; i++) {
        ch = audience->rec.name.data[i];

        if (!((ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9') || ch == '-' || ch == '_' || ch == ' '
              || ch >= 0x80))
        {
            return ngx_http_campaign_error(call, 1304);
        }
    }

    return NGX_OK;
}


static void
ngx_http_campaign_audiences_links(ngx_http_campaign_call_t *call, ngx_http_campaign_out_t *out, const void *rec)
{
    const ngx_campaign_rec_t *head = rec;

    ngx_http_campaign_out_link(call, out, "contacts", &ngx_http_campaign_audiences.name, head->id, "/contacts");
}
