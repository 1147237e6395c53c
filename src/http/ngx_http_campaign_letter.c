
/*
 * What a webhook is sent: where to, the body, its signatures.  It keeps true: the URL leads to the address that was checked and to no other;
 * body, id and signatures hold nothing that could end a header.
 */

#include "ngx_http_campaign_notify.h"
#include "ngx_http_campaign_reply.h"

#include "ngx_campaign_state.h"
#include "ngx_campaign_time.h"
#include "ngx_campaign_webhook.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>


#define NGX_HTTP_CAMPAIGN_LETTER_MAC  32        /* SHA-256 */


static ngx_int_t ngx_http_campaign_letter_url(ngx_http_campaign_letter_t *l, ngx_pool_t *pool, const ngx_campaign_url_t *url,
    const ngx_campaign_address_t *a);
static ngx_int_t ngx_http_campaign_letter_body(ngx_http_campaign_letter_t *l, ngx_pool_t *pool, const ngx_campaign_webhook_t *hook,
    const ngx_campaign_notice_t *notice);
static void ngx_http_campaign_letter_tell(ngx_http_campaign_out_t *out, const ngx_campaign_notice_t *notice, const u_char *secret);
static void ngx_http_campaign_letter_id(ngx_http_campaign_out_t *out, const u_char *secret, ngx_campaign_kind_e kind, uint64_t no,
    uint32_t seq);
static void ngx_http_campaign_letter_text(ngx_http_campaign_out_t *out, const ngx_str_t *text);
static void ngx_http_campaign_letter_upper(ngx_http_campaign_out_t *out, const ngx_str_t *word);
static ngx_int_t ngx_http_campaign_letter_sign(ngx_http_campaign_letter_t *l, ngx_pool_t *pool, const ngx_campaign_webhook_t *hook);
static ngx_int_t ngx_http_campaign_letter_sign_v1(ngx_http_campaign_letter_t *l, ngx_pool_t *pool, const ngx_str_t *secret);
static ngx_int_t ngx_http_campaign_letter_mac(u_char *mac, const ngx_str_t *key, const ngx_str_t *data);


ngx_int_t
ngx_http_campaign_letter_write(ngx_http_campaign_letter_t *l, ngx_pool_t *pool, const ngx_campaign_webhook_t *hook,
    const ngx_campaign_notice_t *notice, const ngx_campaign_url_t *url, const ngx_campaign_address_t *a, time_t now)
{
    u_char  *p;

    p = ngx_pnalloc(pool, NGX_CAMPAIGN_UUID_LEN + NGX_TIME_T_LEN);
    if (p == NULL) {
        return NGX_ERROR;
    }

    l->id.data = p;
    l->id.len = ngx_campaign_uuid_print(p, notice->event.id) - p;

    l->timestamp.data = p + l->id.len;
    l->timestamp.len = ngx_sprintf(l->timestamp.data, "%T", now) - l->timestamp.data;

    if (ngx_http_campaign_letter_url(l, pool, url, a) != NGX_OK
        || ngx_http_campaign_letter_body(l, pool, hook, notice) != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_str_set(&l->signature, "");
    ngx_str_set(&l->signature_v1, "");

    return hook->secret.len ? ngx_http_campaign_letter_sign(l, pool, hook) : NGX_OK;
}


static ngx_int_t
ngx_http_campaign_letter_url(ngx_http_campaign_letter_t *l, ngx_pool_t *pool, const ngx_campaign_url_t *url,
    const ngx_campaign_address_t *a)
{
    u_char  *p;

    l->host.data = ngx_pnalloc(pool, url->authority.len + sizeof("https://[]:65535") + NGX_CAMPAIGN_ADDRESS_TEXT + url->path.len);
    if (l->host.data == NULL) {
        return NGX_ERROR;
    }

    l->host.len = url->authority.len;
    p = ngx_cpymem(l->host.data, url->authority.data, url->authority.len);

    l->url.data = p;
    p = url->tls ? ngx_cpymem(p, "https://", 8) : ngx_cpymem(p, "http://", 7);

    if (!a->v4) {
        *p++ = '[';
    }

    p = ngx_campaign_address_print(p, a);

    if (!a->v4) {
        *p++ = ']';
    }

    p = ngx_sprintf(p, ":%ui", url->port);
    p = ngx_cpymem(p, url->path.data, url->path.len);

    l->url.len = p - l->url.data;

    return NGX_OK;
}


static ngx_int_t
ngx_http_campaign_letter_body(ngx_http_campaign_letter_t *l, ngx_pool_t *pool, const ngx_campaign_webhook_t *hook,
    const ngx_campaign_notice_t *notice)
{
    u_char                   *p;
    const u_char             *secret;
    ngx_chain_t              *cl;
    ngx_campaign_store_t     *st;
    ngx_http_campaign_out_t   out;

    st = ngx_http_campaign_store();
    if (st == NULL) {
        return NGX_ERROR;
    }

    secret = ngx_campaign_store_secret(st);

    ngx_http_campaign_out_init(&out, pool);

    ngx_http_campaign_out_lit(&out, "{\"data\":{\"account_id\":");
    ngx_http_campaign_letter_id(&out, secret, NGX_CAMPAIGN_ACCOUNT, hook->rec.account, 0);
    ngx_http_campaign_out_lit(&out, ",\"event\":");
    ngx_http_campaign_out_string(&out, ngx_campaign_webhook_event_name(notice->event.event));
    ngx_http_campaign_letter_tell(&out, notice, secret);
    ngx_http_campaign_out_lit(&out, ",\"timestamp\":");
    ngx_http_campaign_out_date(&out, (time_t) (notice->event.created / 1000000));
    ngx_http_campaign_out_lit(&out, "}}");

    p = out.failed ? NULL : ngx_pnalloc(pool, (size_t) out.size);
    if (p == NULL) {
        return NGX_ERROR;
    }

    l->body.data = p;

    for (cl = out.first; cl; cl = cl->next) {
        p = ngx_cpymem(p, cl->buf->pos, cl->buf->last - cl->buf->pos);
    }

    l->body.len = p - l->body.data;

    return NGX_OK;
}


/* what each kind of event tells */

static void
ngx_http_campaign_letter_tell(ngx_http_campaign_out_t *out, const ngx_campaign_notice_t *notice, const u_char *secret)
{
    u_char                      to[NGX_CAMPAIGN_NUMBER_LEN];
    ngx_str_t                   number;
    ngx_campaign_reason_e       reason;
    const ngx_campaign_event_t  *e;

    e = &notice->event;

    if (e->event == NGX_CAMPAIGN_W_MESSAGE) {
        ngx_http_campaign_out_lit(out, ",\"message_id\":");
        ngx_http_campaign_out_uuid(out, e->id);
        ngx_http_campaign_out_lit(out, ",\"channel\":");
        ngx_http_campaign_letter_text(out, &e->channel);
        ngx_http_campaign_out_lit(out, ",\"from\":");
        ngx_http_campaign_letter_text(out, &e->from);
        ngx_http_campaign_out_lit(out, ",\"to\":");
        ngx_http_campaign_letter_text(out, &e->to);
        ngx_http_campaign_out_lit(out, ",\"text\":");
        ngx_http_campaign_out_string(out, &e->text);
        return;
    }

    if (e->event != NGX_CAMPAIGN_W_DELIVERY && e->event != NGX_CAMPAIGN_W_CAMPAIGN) {
        return;
    }

    ngx_http_campaign_out_lit(out, ",\"campaign_id\":");

    if (notice->apart) {
        ngx_http_campaign_out_lit(out, "null");
    } else {
        ngx_http_campaign_letter_id(out, secret, NGX_CAMPAIGN_CAMPAIGN, e->campaign, 0);
    }

    if (e->event == NGX_CAMPAIGN_W_CAMPAIGN) {
        ngx_http_campaign_out_lit(out, ",\"name\":");
        ngx_http_campaign_letter_text(out, &notice->name);
        ngx_http_campaign_out_lit(out, ",\"status\":");
        ngx_http_campaign_letter_upper(out, ngx_campaign_status_name(e->value));

    } else {
        ngx_http_campaign_out_lit(out, ",\"message_id\":");
        ngx_http_campaign_letter_id(out, secret, NGX_CAMPAIGN_MESSAGE, e->campaign, e->seq);
        ngx_http_campaign_out_lit(out, ",\"status\":");
        ngx_http_campaign_letter_upper(out, ngx_campaign_state_name(ngx_campaign_byte_state(e->value)));

        reason = ngx_campaign_byte_reason(e->value);

        ngx_http_campaign_out_lit(out, ",\"reason\":");
        ngx_http_campaign_letter_text(out, ngx_campaign_reason_name(reason));

        number.data = to;
        number.len = notice->number ? (size_t) (ngx_campaign_number_print(to, notice->number) - to) : 0;

        ngx_http_campaign_out_lit(out, ",\"to\":");
        ngx_http_campaign_letter_text(out, &number);
    }

    ngx_http_campaign_out_lit(out, ",\"channel\":");
    ngx_http_campaign_letter_text(out, &notice->channel);
    ngx_http_campaign_out_lit(out, ",\"payload\":");
    ngx_http_campaign_letter_text(out, &notice->payload);
}


static void
ngx_http_campaign_letter_id(ngx_http_campaign_out_t *out, const u_char *secret, ngx_campaign_kind_e kind, uint64_t no, uint32_t seq)
{
    u_char  id[NGX_CAMPAIGN_ID_LEN];

    ngx_campaign_id_make(secret, kind, no, seq, id);
    ngx_http_campaign_out_uuid(out, id);
}


/* null if it is empty */

static void
ngx_http_campaign_letter_text(ngx_http_campaign_out_t *out, const ngx_str_t *text)
{
    if (text->len) {
        ngx_http_campaign_out_string(out, text);
    } else {
        ngx_http_campaign_out_lit(out, "null");
    }
}


/* words of status are in upper case here */

static void
ngx_http_campaign_letter_upper(ngx_http_campaign_out_t *out, const ngx_str_t *word)
{
    u_char  text[32];
    size_t  i, len;

    len = ngx_min(word->len, sizeof(text));

    for (i = 0; i < len; i++) {
        text[i] = ngx_toupper(word->data[i]);
    }

    ngx_http_campaign_out_lit(out, "\"");
    ngx_http_campaign_out_raw(out, text, len);
    ngx_http_campaign_out_lit(out, "\"");
}


static ngx_int_t
ngx_http_campaign_letter_sign(ngx_http_campaign_letter_t *l, ngx_pool_t *pool, const ngx_campaign_webhook_t *hook)
{
    u_char     mac[NGX_HTTP_CAMPAIGN_LETTER_MAC];
    ngx_str_t  src;

    if (ngx_http_campaign_letter_mac(mac, &hook->secret, &l->body) != NGX_OK) {
        return NGX_ERROR;
    }

    src.data = mac;
    src.len = sizeof(mac);

    l->signature.data = ngx_pnalloc(pool, 2 * sizeof(mac));
    if (l->signature.data == NULL) {
        return NGX_ERROR;
    }

    if (hook->hex) {
        l->signature.len = ngx_hex_dump(l->signature.data, mac, sizeof(mac)) - l->signature.data;
    } else {
        ngx_encode_base64(&l->signature, &src);
    }

    return ngx_http_campaign_letter_sign_v1(l, pool, &hook->secret);
}


/* Standard Webhooks 1.0: of "id.timestamp.body"; a secret in its form, "whsec_" and base64, is decoded, any other one is the key */

static ngx_int_t
ngx_http_campaign_letter_sign_v1(ngx_http_campaign_letter_t *l, ngx_pool_t *pool, const ngx_str_t *secret)
{
    u_char     *p, mac[NGX_HTTP_CAMPAIGN_LETTER_MAC];
    ngx_str_t   key, src, data, encoded;

    static const ngx_str_t  prefix = ngx_string("whsec_");

    key = *secret;

    if (secret->len > prefix.len && ngx_memcmp(secret->data, prefix.data, prefix.len) == 0) {
        src.data = secret->data + prefix.len;
        src.len = secret->len - prefix.len;

        key.data = ngx_pnalloc(pool, ngx_base64_decoded_length(src.len));
        if (key.data == NULL) {
            return NGX_ERROR;
        }

        if (ngx_decode_base64(&key, &src) != NGX_OK) {
            key = *secret;
        }
    }

    data.len = l->id.len + 1 + l->timestamp.len + 1 + l->body.len;
    data.data = ngx_pnalloc(pool, data.len);

    l->signature_v1.data = ngx_pnalloc(pool, sizeof("v1,") + ngx_base64_encoded_length(sizeof(mac)));

    if (data.data == NULL || l->signature_v1.data == NULL) {
        return NGX_ERROR;
    }

    (void) ngx_sprintf(data.data, "%V.%V.%V", &l->id, &l->timestamp, &l->body);

    if (ngx_http_campaign_letter_mac(mac, &key, &data) != NGX_OK) {
        return NGX_ERROR;
    }

    p = ngx_cpymem(l->signature_v1.data, "v1,", 3);

    src.data = mac;
    src.len = sizeof(mac);
    encoded.data = p;

    ngx_encode_base64(&encoded, &src);

    l->signature_v1.len = 3 + encoded.len;

    return NGX_OK;
}


static ngx_int_t
ngx_http_campaign_letter_mac(u_char *mac, const ngx_str_t *key, const ngx_str_t *data)
{
    unsigned  len;

    len = 0;

    if (HMAC(EVP_sha256(), key->data, (int) key->len, data->data, data->len, mac, &len) == NULL || len != NGX_HTTP_CAMPAIGN_LETTER_MAC) {
        ngx_log_error(NGX_LOG_CRIT, ngx_cycle->log, 0, "HMAC() failed: a webhook is not called");
        return NGX_ERROR;
    }

    return NGX_OK;
}
