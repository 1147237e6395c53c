
/*
 * What other servers tell us.  It keeps true: a request that has to prove itself and does not is told no more than that; secrets are compared
 * in constant time; what a signature does not cover (the query) is not believed where one is asked for.
 */

#include "ngx_http_campaign_conf.h"
#include "ngx_http_campaign_incoming.h"
#include "ngx_campaign_json.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>


#define NGX_CAMPAIGN_INCOMING_HEADER     "X-Receipt-Secret"
#define NGX_CAMPAIGN_INCOMING_FIELD      "secret"
#define NGX_CAMPAIGN_INCOMING_SIGNATURE  "X-Dexatel-Signature"
#define NGX_CAMPAIGN_INCOMING_URL        "$scheme://$http_host$request_uri"


static const char *ngx_http_campaign_incoming_params(ngx_http_campaign_incoming_conf_t *conf);
static ngx_int_t ngx_http_campaign_incoming_url(ngx_conf_t *cf, ngx_http_campaign_incoming_conf_t *conf);
static ngx_int_t ngx_http_campaign_incoming_place(ngx_str_t *value, ngx_str_t *header, ngx_str_t *field);
static ngx_int_t ngx_http_campaign_incoming_field_of(ngx_http_campaign_call_t *call, const ngx_str_t *name, ngx_str_t *value,
    ngx_uint_t *json);
static ngx_uint_t ngx_http_campaign_incoming_is_json(ngx_http_request_t *r, const ngx_str_t *body);
static ngx_uint_t ngx_http_campaign_incoming_secret(ngx_http_campaign_call_t *call, ngx_http_campaign_incoming_conf_t *conf);
static ngx_uint_t ngx_http_campaign_incoming_signed(ngx_http_campaign_call_t *call, ngx_http_campaign_incoming_conf_t *conf);
static ngx_int_t ngx_http_campaign_incoming_mac(ngx_str_t *value, u_char *mac);


typedef struct {
    const char  *name;
    ngx_uint_t   proof;         /* ngx_http_campaign_incoming_proof_e */
    const char  *mend;
} ngx_http_campaign_incoming_proof_name_t;

/* clang-format off */

static const ngx_http_campaign_incoming_proof_name_t  ngx_http_campaign_incoming_proofs[] = {
    { "secret", NGX_CAMPAIGN_INCOMING_SECRET, "a secret that only the gateway knows, given once, or hmac= or twilio=" },
    { "hmac",   NGX_CAMPAIGN_INCOMING_HMAC,   "the key of the HMAC-SHA256 that signs the body, given once, or secret= or twilio=" },
    { "twilio", NGX_CAMPAIGN_INCOMING_TWILIO, "the account's auth token, with which Twilio signs, given once, or secret= or hmac=" }
};

/* clang-format on */


static const ngx_http_campaign_route_t  ngx_http_campaign_incoming_route = { .flags = NGX_CAMPAIGN_BODY|NGX_CAMPAIGN_BODY_RAW };


ngx_int_t
ngx_http_campaign_incoming_param(ngx_str_t *arg, ngx_http_campaign_incoming_conf_t *conf, const char **mend)
{
    ngx_str_t   value, none;
    ngx_uint_t  i;

    ngx_str_null(&none);

    for (i = 0; i < sizeof(ngx_http_campaign_incoming_proofs) / sizeof(ngx_http_campaign_incoming_proofs[0]); i++) {

        if (!ngx_http_campaign_conf_param(arg, ngx_http_campaign_incoming_proofs[i].name, &value)) {
            continue;
        }

        if (value.len == 0 || conf->proof != NGX_CAMPAIGN_INCOMING_OPEN) {
            *mend = ngx_http_campaign_incoming_proofs[i].mend;
            return NGX_ERROR;
        }

        conf->proof = ngx_http_campaign_incoming_proofs[i].proof;
        conf->secret = value;
        SHA256(value.data, value.len, conf->digest);

        return NGX_OK;
    }

    if (ngx_http_campaign_conf_param(arg, "secret_in", &value)) {

        if (conf->header.len || conf->field.len || ngx_http_campaign_incoming_place(&value, &conf->header, &conf->field) != NGX_OK) {
            *mend = "where the secret is: header:Name or field:name";
            return NGX_ERROR;
        }

        return NGX_OK;
    }

    if (ngx_http_campaign_conf_param(arg, "hmac_in", &value)) {

        if (conf->signature.len || ngx_http_campaign_incoming_place(&value, &conf->signature, &none) != NGX_OK || none.len) {
            *mend = "where the signature is: header:Name";
            return NGX_ERROR;
        }

        return NGX_OK;
    }

    if (ngx_http_campaign_conf_param(arg, "twilio_url", &value)) {

        if (value.len == 0 || conf->url.len) {
            *mend = "the URL that Twilio calls, given once, such as https://sms.example.com$request_uri";
            return NGX_ERROR;
        }

        conf->url = value;

        return NGX_OK;
    }

    if (ngx_http_campaign_conf_param(arg, "reply", &value)) {

        if (conf->reply.data) {
            *mend = "the text of the answer, given once";
            return NGX_ERROR;
        }

        conf->reply = value;

        return NGX_OK;
    }

    return NGX_DECLINED;
}


static ngx_int_t
ngx_http_campaign_incoming_place(ngx_str_t *value, ngx_str_t *header, ngx_str_t *field)
{
    if (value->len > 7 && ngx_strncmp(value->data, "header:", 7) == 0) {
        header->data = value->data + 7;
        header->len = value->len - 7;
        return NGX_OK;
    }

    if (value->len > 6 && ngx_strncmp(value->data, "field:", 6) == 0) {
        field->data = value->data + 6;
        field->len = value->len - 6;
        return ngx_campaign_json_path(field);
    }

    return NGX_ERROR;
}


char *
ngx_http_campaign_incoming_serve(ngx_conf_t *cf, ngx_command_t *cmd, ngx_http_campaign_loc_conf_t *clocf,
    ngx_http_campaign_incoming_conf_t *conf, const ngx_http_campaign_step_pt *steps)
{
    const char                *wrong;
    ngx_http_core_loc_conf_t  *clcf;

    wrong = ngx_http_campaign_incoming_params(conf);

    if (wrong) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "%s in \"%V\"", wrong, &cmd->name);
        return NGX_CONF_ERROR;
    }

    if (conf->proof == NGX_CAMPAIGN_INCOMING_TWILIO && ngx_http_campaign_incoming_url(cf, conf) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    clocf->service = NGX_HTTP_CAMPAIGN_INCOMING;
    clocf->steps = steps;
    clocf->incoming = conf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    clcf->handler = ngx_http_campaign_handler;

    ngx_http_campaign_conf_user(cf, ngx_http_conf_get_module_main_conf(cf, ngx_http_campaign_module), (const char *) cmd->name.data);

    return NGX_CONF_OK;
}


/* NULL, or what is wrong with them */

static const char *
ngx_http_campaign_incoming_params(ngx_http_campaign_incoming_conf_t *conf)
{
    if ((conf->header.len || conf->field.len) && conf->proof != NGX_CAMPAIGN_INCOMING_SECRET) {
        return "\"secret_in=\" without \"secret=\"";
    }

    if (conf->signature.len && conf->proof != NGX_CAMPAIGN_INCOMING_HMAC) {
        return "\"hmac_in=\" without \"hmac=\"";
    }

    if (conf->url.len && conf->proof != NGX_CAMPAIGN_INCOMING_TWILIO) {
        return "\"twilio_url=\" without \"twilio=\"";
    }

    if (conf->header.len == 0 && conf->field.len == 0) {
        ngx_str_set(&conf->header, NGX_CAMPAIGN_INCOMING_HEADER);
        ngx_str_set(&conf->field, NGX_CAMPAIGN_INCOMING_FIELD);
    }

    if (conf->signature.len == 0) {
        ngx_str_set(&conf->signature, NGX_CAMPAIGN_INCOMING_SIGNATURE);
    }

    return NULL;
}


static ngx_int_t
ngx_http_campaign_incoming_url(ngx_conf_t *cf, ngx_http_campaign_incoming_conf_t *conf)
{
    ngx_http_compile_complex_value_t  ccv;

    if (conf->url.len == 0) {
        ngx_str_set(&conf->url, NGX_CAMPAIGN_INCOMING_URL);
    }

    ngx_memzero(&ccv, sizeof(ngx_http_compile_complex_value_t));

    ccv.cf = cf;
    ccv.value = &conf->url;
    ccv.complex_value = &conf->url_value;

    return ngx_http_compile_complex_value(&ccv);
}


ngx_int_t
ngx_http_campaign_incoming_begin(ngx_http_campaign_call_t *call, size_t size)
{
    ngx_str_t  allow;

    if (call->request->method != NGX_HTTP_GET && call->request->method != NGX_HTTP_POST) {
        ngx_str_set(&allow, "GET, POST");

        if (ngx_http_campaign_reply_header(call->request, "Allow", &allow) != NGX_OK) {
            return NGX_ERROR;
        }

        return ngx_http_campaign_error(call, NGX_CAMPAIGN_E_METHOD);
    }

    call->data = ngx_pcalloc(call->pool, size);
    call->route = &ngx_http_campaign_incoming_route;

    return call->data ? NGX_OK : NGX_ERROR;
}


ngx_int_t
ngx_http_campaign_incoming_prove(ngx_http_campaign_call_t *call)
{
    ngx_uint_t                          proven;
    ngx_http_campaign_incoming_t       *in;
    ngx_http_campaign_loc_conf_t       *clocf;
    ngx_http_campaign_incoming_conf_t  *conf;

    clocf = ngx_http_get_module_loc_conf(call->request, ngx_http_campaign_module);
    conf = clocf->incoming;
    in = call->data;

    in->query = call->request->args;
    ngx_http_campaign_body_raw(call, &in->body);
    in->json = ngx_http_campaign_incoming_is_json(call->request, &in->body) ? 1 : 0;

    switch (conf->proof) {

    case NGX_CAMPAIGN_INCOMING_SECRET:
        proven = ngx_http_campaign_incoming_secret(call, conf);
        break;

    case NGX_CAMPAIGN_INCOMING_HMAC:
        proven = ngx_http_campaign_incoming_signed(call, conf);
        in->query.len = 0;
        break;

    case NGX_CAMPAIGN_INCOMING_TWILIO:
        proven = ngx_http_campaign_incoming_twilio(call, conf);
        break;

    default:
        proven = 1;
    }

    return proven ? NGX_OK : ngx_http_campaign_error(call, NGX_CAMPAIGN_E_SECRET);
}


/* by its type, or, if that says neither, by how it begins */

static ngx_uint_t
ngx_http_campaign_incoming_is_json(ngx_http_request_t *r, const ngx_str_t *body)
{
    size_t      i;
    ngx_str_t  *type;

    type = r->headers_in.content_type ? &r->headers_in.content_type->value : NULL;

    if (type && type->len >= 33 && ngx_strncasecmp(type->data, (u_char *) "application/x-www-form-urlencoded", 33) == 0) {
        return 0;
    }

    for (i = 0; i < body->len; i++) {
        if (body->data[i] > 0x20) {
            return body->data[i] == '{' || body->data[i] == '[';
        }
    }

    return 0;
}


/* the digests are compared, so that its length does not show either */

static ngx_uint_t
ngx_http_campaign_incoming_secret(ngx_http_campaign_call_t *call, ngx_http_campaign_incoming_conf_t *conf)
{
    u_char            digest[SHA256_DIGEST_LENGTH];
    ngx_str_t         value;
    ngx_uint_t        json;
    ngx_table_elt_t  *h;

    h = conf->header.len ? ngx_http_campaign_call_header(call->request, (char *) conf->header.data) : NULL;

    if (h) {
        value = h->value;

    } else if (conf->field.len == 0 || ngx_http_campaign_incoming_field(call, &conf->field, &value, &json) != NGX_OK) {
        return 0;
    }

    SHA256(value.data, value.len, digest);

    return CRYPTO_memcmp(digest, conf->digest, sizeof(digest)) == 0;
}


static ngx_uint_t
ngx_http_campaign_incoming_signed(ngx_http_campaign_call_t *call, ngx_http_campaign_incoming_conf_t *conf)
{
    u_char                         given[SHA256_DIGEST_LENGTH], mac[SHA256_DIGEST_LENGTH];
    unsigned int                   n;
    ngx_table_elt_t               *h;
    ngx_http_campaign_incoming_t  *in;

    in = call->data;
    h = ngx_http_campaign_call_header(call->request, (char *) conf->signature.data);

    if (h == NULL || ngx_http_campaign_incoming_mac(&h->value, given) != NGX_OK) {
        return 0;
    }

    if (HMAC(EVP_sha256(), conf->secret.data, (int) conf->secret.len, in->body.len ? in->body.data : (u_char *) "", in->body.len, mac, &n)
        == NULL)
    {
        return 0;
    }

    return CRYPTO_memcmp(given, mac, sizeof(mac)) == 0;
}


/* base64 or hexadecimal, with "sha256=" before it or not */

static ngx_int_t
ngx_http_campaign_incoming_mac(ngx_str_t *value, u_char *mac)
{
    u_char      buf[SHA256_DIGEST_LENGTH + 4];
    ngx_int_t   c;
    ngx_str_t   text, out;
    ngx_uint_t  i;

    text = *value;

    if (text.len > 7 && ngx_strncasecmp(text.data, (u_char *) "sha256=", 7) == 0) {
        text.data += 7;
        text.len -= 7;
    }

    if (text.len == 2 * SHA256_DIGEST_LENGTH) {

        for (i = 0; i < SHA256_DIGEST_LENGTH; i++) {
            c = ngx_hextoi(text.data + 2 * i, 2);
            if (c == NGX_ERROR) {
                return NGX_ERROR;
            }

            mac[i] = (u_char) c;
        }

        return NGX_OK;
    }

    if (text.len > ngx_base64_encoded_length(SHA256_DIGEST_LENGTH)) {
        return NGX_ERROR;
    }

    out.data = buf;

    if (ngx_decode_base64(&out, &text) != NGX_OK || out.len != SHA256_DIGEST_LENGTH) {
        return NGX_ERROR;
    }

    ngx_memcpy(mac, buf, SHA256_DIGEST_LENGTH);

    return NGX_OK;
}


ngx_int_t
ngx_http_campaign_incoming_field(ngx_http_campaign_call_t *call, const ngx_str_t *name, ngx_str_t *value, ngx_uint_t *json)
{
    ngx_int_t                      rc;
    ngx_http_campaign_incoming_t  *in;

    in = call->data;
    *json = 0;

    rc = ngx_http_campaign_call_pair(call->pool, &in->query, name, value);

    if (rc != NGX_DECLINED || in->body.len == 0) {
        return rc;
    }

    return ngx_http_campaign_incoming_field_of(call, name, value, json);
}


static ngx_int_t
ngx_http_campaign_incoming_field_of(ngx_http_campaign_call_t *call, const ngx_str_t *name, ngx_str_t *value, ngx_uint_t *json)
{
    u_char                        *end;
    ngx_http_campaign_incoming_t  *in;

    in = call->data;

    if (in->json) {
        *json = 1;
        return ngx_campaign_json_find(in->body.data, in->body.data + in->body.len, name, value);
    }

    for (end = in->body.data + in->body.len; end > in->body.data && (end[-1] == LF || end[-1] == CR); end--) { /* void */ }

    in->body.len = end - in->body.data;

    return ngx_http_campaign_call_pair(call->pool, &in->body, name, value);
}


ngx_int_t
ngx_http_campaign_incoming_word(ngx_http_campaign_call_t *call, const ngx_str_t *name, ngx_str_t *word)
{
    size_t      i;
    ngx_int_t   rc;
    ngx_str_t   value;
    ngx_uint_t  json;

    rc = ngx_http_campaign_incoming_field(call, name, &value, &json);
    if (rc != NGX_OK) {
        return rc;
    }

    if (json) {
        word->data = ngx_pnalloc(call->pool, NGX_CAMPAIGN_INCOMING_WORD);
        if (word->data == NULL) {
            return NGX_ERROR;
        }

        return ngx_campaign_json_text(&value, word->data, NGX_CAMPAIGN_INCOMING_WORD, &word->len);
    }

    if (value.len == 0 || value.len > NGX_CAMPAIGN_INCOMING_WORD) {
        return NGX_DECLINED;
    }

    for (i = 0; i < value.len; i++) {
        if (value.data[i] < 0x20 || value.data[i] >= 0x7f) {
            return NGX_DECLINED;
        }
    }

    *word = value;

    return NGX_OK;
}


ngx_int_t
ngx_http_campaign_incoming_reply(ngx_http_campaign_call_t *call)
{
    ngx_buf_t                          *b;
    ngx_chain_t                         chain;
    ngx_http_request_t                 *r;
    ngx_http_campaign_out_t             out;
    ngx_http_campaign_loc_conf_t       *clocf;
    ngx_http_campaign_incoming_conf_t  *conf;

    r = call->request;
    clocf = ngx_http_get_module_loc_conf(r, ngx_http_campaign_module);
    conf = clocf->incoming;

    if (conf->reply.data == NULL) {
        ngx_http_campaign_out_init(&out, r->pool);
        ngx_http_campaign_out_lit(&out, "{\"data\":{}}");

        return ngx_http_campaign_reply_send(call, NGX_HTTP_OK, &out);
    }

    b = ngx_calloc_buf(r->pool);
    if (b == NULL) {
        return NGX_ERROR;
    }

    b->pos = conf->reply.data;
    b->last = b->pos + conf->reply.len;
    b->memory = conf->reply.len ? 1 : 0;
    b->last_buf = 1;
    b->last_in_chain = 1;

    chain.buf = b;
    chain.next = NULL;

    ngx_str_set(&r->headers_out.content_type, "text/plain");
    r->headers_out.content_type_len = r->headers_out.content_type.len;
    r->headers_out.status = NGX_HTTP_OK;
    r->headers_out.content_length_n = conf->reply.len;

    call->replied = 1;

    if (ngx_http_send_header(r) == NGX_ERROR || ngx_http_output_filter(r, &chain) == NGX_ERROR) {
        return NGX_ERROR;
    }

    return NGX_DONE;
}
