
/*
 * $campaign_<name>, and $campaign_json_<name>, _uri_, _xml_ and _utf16_: the message that a request delivers.  They keep true: the plain form
 * holds no control character, so that no text ends a header; the others are exact (XML as far as it can: see ngx_campaign_escape.h).
 * $campaign_webhook_<name>: the event that a webhook is told of, in the plain form only.  Outside of a delivery nothing is found, but the
 * account of a call of the API.
 */

#include "ngx_http_campaign_delivery.h"
#include "ngx_campaign_escape.h"


#define NGX_HTTP_CAMPAIGN_VARIABLE_LEN  32      /* longest name */


typedef ngx_int_t (*ngx_http_campaign_variable_pt)(ngx_http_campaign_delivery_t *d, ngx_str_t *value);


/* the text as it is; data: the caller's, points to memory of the delivery.  text NULL: a part of a webhook's letter */

typedef struct {
    ngx_str_t                      name;
    ngx_http_campaign_variable_pt  text;
    size_t                         letter;
} ngx_http_campaign_variable_t;


typedef enum {
    NGX_HTTP_CAMPAIGN_PLAIN = 0,
    NGX_HTTP_CAMPAIGN_JSON,
    NGX_HTTP_CAMPAIGN_URI,
    NGX_HTTP_CAMPAIGN_XML,
    NGX_HTTP_CAMPAIGN_UTF16,
    NGX_HTTP_CAMPAIGN_FORMS
} ngx_http_campaign_form_e;


static ngx_int_t ngx_http_campaign_variable_get(ngx_http_request_t *r, ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_campaign_variable_text_of(ngx_http_campaign_delivery_t *d, const ngx_http_campaign_variable_t *var,
    ngx_str_t *text);
static ngx_int_t ngx_http_campaign_variable_form(ngx_pool_t *pool, ngx_http_campaign_form_e form, ngx_str_t *text);
static ngx_int_t ngx_http_campaign_variable_caller(ngx_http_request_t *r, ngx_http_variable_value_t *v);

static ngx_uint_t ngx_http_campaign_variable_free(ngx_http_campaign_variable_t *var);
static ngx_int_t ngx_http_campaign_variable_id(ngx_http_campaign_delivery_t *d, ngx_str_t *value);
static ngx_int_t ngx_http_campaign_variable_account(ngx_http_campaign_delivery_t *d, ngx_str_t *value);
static ngx_int_t ngx_http_campaign_variable_channel(ngx_http_campaign_delivery_t *d, ngx_str_t *value);
static ngx_int_t ngx_http_campaign_variable_message_id(ngx_http_campaign_delivery_t *d, ngx_str_t *value);
static ngx_int_t ngx_http_campaign_variable_from(ngx_http_campaign_delivery_t *d, ngx_str_t *value);
static ngx_int_t ngx_http_campaign_variable_to(ngx_http_campaign_delivery_t *d, ngx_str_t *value);
static ngx_int_t ngx_http_campaign_variable_text(ngx_http_campaign_delivery_t *d, ngx_str_t *value);
static ngx_int_t ngx_http_campaign_variable_attempt(ngx_http_campaign_delivery_t *d, ngx_str_t *value);
static ngx_int_t ngx_http_campaign_variable_segments(ngx_http_campaign_delivery_t *d, ngx_str_t *value);
static ngx_int_t ngx_http_campaign_variable_encoding(ngx_http_campaign_delivery_t *d, ngx_str_t *value);
static ngx_int_t ngx_http_campaign_variable_body(ngx_http_campaign_delivery_t *d, ngx_str_t *value);
static ngx_int_t ngx_http_campaign_variable_number(ngx_http_campaign_delivery_t *d, ngx_str_t *value, ngx_uint_t n);


/* clang-format off */

static ngx_http_campaign_variable_t  ngx_http_campaign_variables[] = {
    { ngx_string("id"),         ngx_http_campaign_variable_id, 0 },
    { ngx_string("account"),    ngx_http_campaign_variable_account, 0 },
    { ngx_string("channel"),    ngx_http_campaign_variable_channel, 0 },
    { ngx_string("message_id"), ngx_http_campaign_variable_message_id, 0 },
    { ngx_string("from"),       ngx_http_campaign_variable_from, 0 },
    { ngx_string("to"),         ngx_http_campaign_variable_to, 0 },
    { ngx_string("text"),       ngx_http_campaign_variable_text, 0 },
    { ngx_string("attempt"),    ngx_http_campaign_variable_attempt, 0 },
    { ngx_string("segments"),   ngx_http_campaign_variable_segments, 0 },
    { ngx_string("encoding"),   ngx_http_campaign_variable_encoding, 0 },
    { ngx_string("body"),       ngx_http_campaign_variable_body, 0 },
    { ngx_string("webhook_url"),          NULL, offsetof(ngx_http_campaign_letter_t, url) },
    { ngx_string("webhook_host"),         NULL, offsetof(ngx_http_campaign_letter_t, host) },
    { ngx_string("webhook_id"),           NULL, offsetof(ngx_http_campaign_letter_t, id) },
    { ngx_string("webhook_timestamp"),    NULL, offsetof(ngx_http_campaign_letter_t, timestamp) },
    { ngx_string("webhook_signature"),    NULL, offsetof(ngx_http_campaign_letter_t, signature) },
    { ngx_string("webhook_signature_v1"), NULL, offsetof(ngx_http_campaign_letter_t, signature_v1) },
    { ngx_null_string,          NULL, 0 }
};

static ngx_str_t  ngx_http_campaign_variable_forms[NGX_HTTP_CAMPAIGN_FORMS] = {
    [NGX_HTTP_CAMPAIGN_PLAIN] = ngx_string("campaign_"),
    [NGX_HTTP_CAMPAIGN_JSON]  = ngx_string("campaign_json_"),
    [NGX_HTTP_CAMPAIGN_URI]   = ngx_string("campaign_uri_"),
    [NGX_HTTP_CAMPAIGN_XML]   = ngx_string("campaign_xml_"),
    [NGX_HTTP_CAMPAIGN_UTF16] = ngx_string("campaign_utf16_")
};

/* clang-format on */


/* data: row * NGX_HTTP_CAMPAIGN_FORMS + form */

static ngx_int_t
ngx_http_campaign_variable_get(ngx_http_request_t *r, ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_str_t                      text;
    ngx_http_campaign_ctx_t       *ctx;
    ngx_http_campaign_form_e       form;
    ngx_http_campaign_variable_t  *var;
    ngx_http_campaign_delivery_t  *d;

    var = &ngx_http_campaign_variables[data / NGX_HTTP_CAMPAIGN_FORMS];

    /* a redirect clears the context of a subrequest, never that of its main request */

    ctx = ngx_http_get_module_ctx(r->main, ngx_http_campaign_module);
    d = ctx ? ctx->delivery : NULL;

    if (d == NULL) {
        if (var->text == ngx_http_campaign_variable_account) {
            return ngx_http_campaign_variable_caller(r->main, v);
        }

        v->not_found = 1;
        return NGX_OK;
    }

    if (ngx_http_campaign_variable_text_of(d, var, &text) == NGX_DECLINED) {
        v->not_found = 1;
        return NGX_OK;
    }

    if (text.data == NULL) {
        return NGX_ERROR;
    }

    form = data % NGX_HTTP_CAMPAIGN_FORMS;

    /* what no user has written, or is escaped already (the body), is plain as it is */

    if ((form != NGX_HTTP_CAMPAIGN_PLAIN || var->text == NULL || ngx_http_campaign_variable_free(var))
        && ngx_http_campaign_variable_form(r->pool, form, &text) != NGX_OK)
    {
        return NGX_ERROR;
    }

    v->len = text.len;
    v->data = text.data;
    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;

    return NGX_OK;
}


/* NGX_DECLINED: a message has no such text, or a letter; data NULL: no memory */

static ngx_int_t
ngx_http_campaign_variable_text_of(ngx_http_campaign_delivery_t *d, const ngx_http_campaign_variable_t *var, ngx_str_t *text)
{
    text->data = NULL;

    if (var->text == NULL) {
        if (d->letter == NULL) {
            return NGX_DECLINED;
        }

        *text = *(ngx_str_t *) ((u_char *) d->letter + var->letter);

        return NGX_OK;
    }

    if (d->letter && var->text != ngx_http_campaign_variable_account && var->text != ngx_http_campaign_variable_body) {
        return NGX_DECLINED;
    }

    if (var->text(d, text) != NGX_OK) {
        text->data = NULL;
    }

    return NGX_OK;
}


/* text in its form; not copied if it already is */

static ngx_int_t
ngx_http_campaign_variable_form(ngx_pool_t *pool, ngx_http_campaign_form_e form, ngx_str_t *text)
{
    size_t   len;
    u_char  *p;

    switch (form) {

    case NGX_HTTP_CAMPAIGN_JSON:
        len = ngx_campaign_escape_json_size(text->data, text->len);
        break;

    case NGX_HTTP_CAMPAIGN_URI:
        len = ngx_campaign_escape_uri_size(text->data, text->len);
        break;

    case NGX_HTTP_CAMPAIGN_XML:
        len = ngx_campaign_escape_xml_size(text->data, text->len);
        break;

    case NGX_HTTP_CAMPAIGN_UTF16:
        len = ngx_campaign_escape_utf16_size(text->data, text->len);
        break;

    default:
        len = text->len + ngx_campaign_escape_plain_count(text->data, text->len);
    }

    if (len == text->len && form != NGX_HTTP_CAMPAIGN_XML) {        /* where other characters may have the same length */
        return NGX_OK;
    }

    p = ngx_pnalloc(pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    switch (form) {

    case NGX_HTTP_CAMPAIGN_JSON:
        len = ngx_campaign_escape_json(p, text->data, text->len) - p;
        break;

    case NGX_HTTP_CAMPAIGN_URI:
        len = ngx_campaign_escape_uri(p, text->data, text->len) - p;
        break;

    case NGX_HTTP_CAMPAIGN_XML:
        len = ngx_campaign_escape_xml(p, text->data, text->len) - p;
        break;

    case NGX_HTTP_CAMPAIGN_UTF16:
        len = ngx_campaign_escape_utf16(p, text->data, text->len) - p;
        break;

    default:
        len = ngx_campaign_escape_plain(p, text->data, text->len) - p;
    }

    text->data = p;
    text->len = len;

    return NGX_OK;
}


/* the account that called the API; until the reply has begun, "none" is not for ever (limit_req asks before the key was looked up) */

static ngx_int_t
ngx_http_campaign_variable_caller(ngx_http_request_t *r, ngx_http_variable_value_t *v)
{
    u_char                  *p;
    ngx_campaign_account_t  *account;

    account = ngx_http_campaign_call_account(r);

    if (account == NULL) {
        v->len = 0;
        v->valid = 0;
        v->not_found = r->header_sent;
        return NGX_OK;
    }

    p = ngx_pnalloc(r->pool, NGX_CAMPAIGN_UUID_LEN);
    if (p == NULL) {
        return NGX_ERROR;
    }

    v->len = ngx_campaign_uuid_print(p, account->rec.id) - p;
    v->data = p;
    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;

    return NGX_OK;
}


static ngx_int_t
ngx_http_campaign_variable_id(ngx_http_campaign_delivery_t *d, ngx_str_t *value)
{
    value->data = d->origin->id;
    value->len = NGX_CAMPAIGN_UUID_LEN;

    return NGX_OK;
}


static ngx_int_t
ngx_http_campaign_variable_account(ngx_http_campaign_delivery_t *d, ngx_str_t *value)
{
    value->data = d->origin->account;
    value->len = NGX_CAMPAIGN_UUID_LEN;

    return NGX_OK;
}


static ngx_int_t
ngx_http_campaign_variable_channel(ngx_http_campaign_delivery_t *d, ngx_str_t *value)
{
    *value = d->origin->channel;

    return NGX_OK;
}


static ngx_int_t
ngx_http_campaign_variable_message_id(ngx_http_campaign_delivery_t *d, ngx_str_t *value)
{
    value->data = d->id;
    value->len = NGX_CAMPAIGN_UUID_LEN;

    return NGX_OK;
}


static ngx_int_t
ngx_http_campaign_variable_from(ngx_http_campaign_delivery_t *d, ngx_str_t *value)
{
    *value = d->origin->from;

    return NGX_OK;
}


static ngx_int_t
ngx_http_campaign_variable_to(ngx_http_campaign_delivery_t *d, ngx_str_t *value)
{
    value->data = d->to;
    value->len = d->to_len;

    return NGX_OK;
}


static ngx_int_t
ngx_http_campaign_variable_text(ngx_http_campaign_delivery_t *d, ngx_str_t *value)
{
    *value = d->text;

    return NGX_OK;
}


static ngx_int_t
ngx_http_campaign_variable_attempt(ngx_http_campaign_delivery_t *d, ngx_str_t *value)
{
    return ngx_http_campaign_variable_number(d, value, d->message->attempt);
}


static ngx_int_t
ngx_http_campaign_variable_segments(ngx_http_campaign_delivery_t *d, ngx_str_t *value)
{
    return ngx_http_campaign_variable_number(d, value, d->size.segments);
}


static ngx_int_t
ngx_http_campaign_variable_encoding(ngx_http_campaign_delivery_t *d, ngx_str_t *value)
{
    *value = *ngx_campaign_sms_name(d->size.encoding);

    return NGX_OK;
}


/* the request form of POST /v1/messages, and the message's id; made once, its forms are made of it */

static ngx_int_t
ngx_http_campaign_variable_body(ngx_http_campaign_delivery_t *d, ngx_str_t *value)
{
    u_char                     *p;
    size_t                      len;
    ngx_http_campaign_origin_t *o;

    static const ngx_str_t  from = ngx_string("{\"data\":{\"from\":\"");
    static const ngx_str_t  to = ngx_string("\",\"to\":[\"");
    static const ngx_str_t  text = ngx_string("\"],\"text\":\"");
    static const ngx_str_t  channel = ngx_string("\",\"channel\":\"");
    static const ngx_str_t  id = ngx_string("\",\"id\":\"");
    static const ngx_str_t  end = ngx_string("\"}}");

    if (d->body.data) {
        *value = d->body;
        return NGX_OK;
    }

    o = d->origin;

    len = from.len + ngx_campaign_escape_json_size(o->from.data, o->from.len)
          + to.len + d->to_len
          + text.len + ngx_campaign_escape_json_size(d->text.data, d->text.len)
          + channel.len + ngx_campaign_escape_json_size(o->channel.data, o->channel.len)
          + id.len + NGX_CAMPAIGN_UUID_LEN
          + end.len;

    p = ngx_pnalloc(d->pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    d->body.data = p;
    d->body.len = len;

    p = ngx_cpymem(p, from.data, from.len);
    p = ngx_campaign_escape_json(p, o->from.data, o->from.len);
    p = ngx_cpymem(p, to.data, to.len);
    p = ngx_cpymem(p, d->to, d->to_len);
    p = ngx_cpymem(p, text.data, text.len);
    p = ngx_campaign_escape_json(p, d->text.data, d->text.len);
    p = ngx_cpymem(p, channel.data, channel.len);
    p = ngx_campaign_escape_json(p, o->channel.data, o->channel.len);
    p = ngx_cpymem(p, id.data, id.len);
    p = ngx_cpymem(p, d->id, NGX_CAMPAIGN_UUID_LEN);
    (void) ngx_cpymem(p, end.data, end.len);

    *value = d->body;

    return NGX_OK;
}


static ngx_int_t
ngx_http_campaign_variable_number(ngx_http_campaign_delivery_t *d, ngx_str_t *value, ngx_uint_t n)
{
    value->data = ngx_pnalloc(d->pool, NGX_INT_T_LEN);
    if (value->data == NULL) {
        return NGX_ERROR;
    }

    value->len = ngx_sprintf(value->data, "%ui", n) - value->data;

    return NGX_OK;
}


/* whether a user chose its characters; of the others the plain form is that of XML, too */

static ngx_uint_t
ngx_http_campaign_variable_free(ngx_http_campaign_variable_t *var)
{
    return var->text == ngx_http_campaign_variable_from || var->text == ngx_http_campaign_variable_text;
}


ngx_int_t
ngx_http_campaign_variables_add(ngx_conf_t *cf)
{
    u_char                buf[NGX_HTTP_CAMPAIGN_VARIABLE_LEN];
    ngx_str_t             name, *prefix;
    ngx_uint_t            i, form, flags;
    ngx_http_variable_t  *var;

    for (i = 0; ngx_http_campaign_variables[i].name.len; i++) {

        flags = (ngx_http_campaign_variables[i].text == ngx_http_campaign_variable_account) ? NGX_HTTP_VAR_NOCACHEABLE : 0;

        /* those of a letter are safe as they are: they have the plain form only, for nginx's hash of variables has an end */

        for (form = 0; form < (ngx_http_campaign_variables[i].text ? NGX_HTTP_CAMPAIGN_FORMS : 1); form++) {

            if (form >= NGX_HTTP_CAMPAIGN_XML && !ngx_http_campaign_variable_free(&ngx_http_campaign_variables[i])) {
                continue;
            }

            prefix = &ngx_http_campaign_variable_forms[form];

            name.data = buf;
            name.len = ngx_snprintf(buf, sizeof(buf), "%V%V", prefix, &ngx_http_campaign_variables[i].name) - buf;

            var = ngx_http_add_variable(cf, &name, flags);
            if (var == NULL) {
                return NGX_ERROR;
            }

            var->get_handler = ngx_http_campaign_variable_get;
            var->data = i * NGX_HTTP_CAMPAIGN_FORMS + form;
        }
    }

    return NGX_OK;
}
