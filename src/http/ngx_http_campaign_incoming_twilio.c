
/*
 * Twilio's signature: base64 of the HMAC-SHA1, under the account's auth token, of the URL as Twilio calls it and, of a form, of each name
 * and value in the order of the names, with nothing between them (https://www.twilio.com/docs/usage/security).  A body of JSON is covered
 * by its SHA-256 in the URL, bodySHA256.  It keeps true: nothing of the request is believed that the signature does not cover.
 */

#include "ngx_http_campaign_incoming.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>


#define NGX_CAMPAIGN_TWILIO_HEADER  "X-Twilio-Signature"
#define NGX_CAMPAIGN_TWILIO_FIELDS  256         /* of a form; Twilio sends some 30 */


typedef struct {
    ngx_str_t    name;
    ngx_str_t    value;
} ngx_http_campaign_twilio_field_t;


static ngx_int_t ngx_http_campaign_twilio_text(ngx_http_campaign_call_t *call, ngx_http_campaign_incoming_conf_t *conf, ngx_str_t *text);
static ngx_int_t ngx_http_campaign_twilio_form(ngx_http_campaign_call_t *call, const ngx_str_t *form, ngx_array_t *fields);
static ngx_int_t ngx_http_campaign_twilio_cmp(const void *one, const void *two);
static int ngx_http_campaign_twilio_order(const ngx_str_t *a, const ngx_str_t *b);
static ngx_int_t ngx_http_campaign_twilio_join(ngx_http_campaign_call_t *call, ngx_array_t *fields, ngx_str_t *text);
static ngx_uint_t ngx_http_campaign_twilio_json(ngx_http_campaign_call_t *call);


ngx_uint_t
ngx_http_campaign_incoming_twilio(ngx_http_campaign_call_t *call, ngx_http_campaign_incoming_conf_t *conf)
{
    u_char            mac[SHA_DIGEST_LENGTH], given[SHA_DIGEST_LENGTH + 4];
    ngx_str_t         text, out;
    unsigned int      n;
    ngx_table_elt_t  *h;

    h = ngx_http_campaign_call_header(call->request, NGX_CAMPAIGN_TWILIO_HEADER);

    if (h == NULL || h->value.len > ngx_base64_encoded_length(SHA_DIGEST_LENGTH)) {
        return 0;
    }

    out.data = given;

    if (ngx_decode_base64(&out, &h->value) != NGX_OK || out.len != SHA_DIGEST_LENGTH
        || ngx_http_campaign_twilio_text(call, conf, &text) != NGX_OK)
    {
        return 0;
    }

    if (HMAC(EVP_sha1(), conf->secret.data, (int) conf->secret.len, text.data, text.len, mac, &n) == NULL) {
        return 0;
    }

    return CRYPTO_memcmp(given, mac, SHA_DIGEST_LENGTH) == 0;
}


/* what is signed.  NGX_DECLINED: this is nothing that Twilio signs */

static ngx_int_t
ngx_http_campaign_twilio_text(ngx_http_campaign_call_t *call, ngx_http_campaign_incoming_conf_t *conf, ngx_str_t *text)
{
    ngx_array_t                    fields;
    ngx_http_campaign_incoming_t  *in;

    in = call->data;

    if (ngx_http_complex_value(call->request, &conf->url_value, text) != NGX_OK) {
        return NGX_ERROR;
    }

    if (in->query.len && (text->len <= in->query.len || text->data[text->len - in->query.len - 1] != '?'
                          || ngx_memcmp(text->data + text->len - in->query.len, in->query.data, in->query.len) != 0))
    {
        in->query.len = 0;
    }

    if (in->body.len == 0) {
        return NGX_OK;
    }

    if (in->json) {
        return ngx_http_campaign_twilio_json(call) ? NGX_OK : NGX_DECLINED;
    }

    if (ngx_array_init(&fields, call->pool, 32, sizeof(ngx_http_campaign_twilio_field_t)) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ngx_http_campaign_twilio_form(call, &in->body, &fields) != NGX_OK) {
        return NGX_DECLINED;
    }

    return ngx_http_campaign_twilio_join(call, &fields, text);
}


static ngx_int_t
ngx_http_campaign_twilio_form(ngx_http_campaign_call_t *call, const ngx_str_t *form, ngx_array_t *fields)
{
    ngx_str_t                          rest, name, value;
    ngx_http_campaign_twilio_field_t  *field;

    rest = *form;

    while (ngx_http_campaign_call_next_pair(&rest, &name, &value) == NGX_OK) {

        if (fields->nelts == NGX_CAMPAIGN_TWILIO_FIELDS) {
            return NGX_DECLINED;
        }

        field = ngx_array_push(fields);
        if (field == NULL) {
            return NGX_ERROR;
        }

        if (ngx_http_campaign_call_unescape(call->pool, &name, &field->name) != NGX_OK
            || ngx_http_campaign_call_unescape(call->pool, &value, &field->value) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_campaign_twilio_cmp(const void *one, const void *two)
{
    int                                      order;
    const ngx_http_campaign_twilio_field_t  *a = one, *b = two;

    order = ngx_http_campaign_twilio_order(&a->name, &b->name);

    return order ? order : ngx_http_campaign_twilio_order(&a->value, &b->value);
}


static int
ngx_http_campaign_twilio_order(const ngx_str_t *a, const ngx_str_t *b)
{
    int  order;

    order = ngx_memcmp(a->data, b->data, ngx_min(a->len, b->len));

    return order ? order : (a->len > b->len) - (a->len < b->len);
}


/* behind the URL, in order; a name that comes twice with the same value counts once */

static ngx_int_t
ngx_http_campaign_twilio_join(ngx_http_campaign_call_t *call, ngx_array_t *fields, ngx_str_t *text)
{
    u_char                            *p;
    size_t                             len;
    ngx_str_t                          url;
    ngx_uint_t                         i;
    ngx_http_campaign_twilio_field_t  *field;

    field = fields->elts;
    ngx_sort(field, fields->nelts, sizeof(ngx_http_campaign_twilio_field_t), ngx_http_campaign_twilio_cmp);

    url = *text;
    len = url.len;

    for (i = 0; i < fields->nelts; i++) {
        len += field[i].name.len + field[i].value.len;
    }

    p = ngx_pnalloc(call->pool, len + 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    text->data = p;
    p = ngx_cpymem(p, url.data, url.len);

    for (i = 0; i < fields->nelts; i++) {

        if (i && ngx_http_campaign_twilio_cmp(&field[i - 1], &field[i]) == 0) {
            continue;
        }

        p = ngx_cpymem(p, field[i].name.data, field[i].name.len);
        p = ngx_cpymem(p, field[i].value.data, field[i].value.len);
    }

    text->len = p - text->data;

    return NGX_OK;
}


/* 1: the query, which the URL covers, has the body's SHA-256 */

static ngx_uint_t
ngx_http_campaign_twilio_json(ngx_http_campaign_call_t *call)
{
    u_char                         digest[SHA256_DIGEST_LENGTH], hex[2 * SHA256_DIGEST_LENGTH];
    ngx_str_t                      name, value;
    ngx_http_campaign_incoming_t  *in;

    in = call->data;
    ngx_str_set(&name, "bodySHA256");

    if (ngx_http_campaign_call_pair(call->pool, &in->query, &name, &value) != NGX_OK || value.len != sizeof(hex)) {
        return 0;
    }

    SHA256(in->body.data, in->body.len, digest);
    ngx_hex_dump(hex, digest, SHA256_DIGEST_LENGTH);
    ngx_strlow(value.data, value.data, value.len);

    return CRYPTO_memcmp(hex, value.data, sizeof(hex)) == 0;
}
