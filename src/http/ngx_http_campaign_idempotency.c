
/*
 * Idempotency-Key: a POST is carried out once per account and key, a repeat gets the same status and body.  How key, object and answer
 * become one commit: see ngx_campaign_idem_t.  It keeps true: a key is held from before the body is read until the reply goes out, and
 * no longer than the call's pool lives; 2xx and 4xx are kept before they are sent; anything else leaves the key free.
 *
 * The administration takes no key: its replies show API keys, which are not stored.
 */

#include "ngx_http_campaign_call.h"
#include "ngx_http_campaign_error.h"
#include "ngx_http_campaign_reply.h"

#include <openssl/evp.h>


#define NGX_CAMPAIGN_IDEM_HEADER  "Idempotency-Key"


struct ngx_http_campaign_idempotency_s {
    ngx_campaign_idem_t          idem;
    ngx_campaign_store_t        *store;
    EVP_MD_CTX                  *digest;        /* of the request so far; NULL: complete */
    u_char                       kept_for[32];  /* digest of the request whose answer was kept, if `known` */
    ngx_http_campaign_step_pt    print;
    unsigned                     known:1;       /* an answer was kept before this request came */
    unsigned                     kept:1;        /* this request's answer is kept */
    unsigned                     refused:1;     /* the rest of the body is only read */
    unsigned                     printing:1;    /* the reply is for the store: nothing of the request may be touched */
};


static ngx_int_t ngx_http_campaign_idempotency_key(ngx_http_campaign_call_t *call, ngx_str_t *value, ngx_str_t *key);
static ngx_int_t ngx_http_campaign_idempotency_start(ngx_http_campaign_call_t *call, ngx_http_campaign_idempotency_t *x);
static void ngx_http_campaign_idempotency_cleanup(void *data);
static ngx_int_t ngx_http_campaign_idempotency_held(ngx_http_campaign_call_t *call);
static ngx_int_t ngx_http_campaign_idempotency_head(ngx_http_campaign_call_t *call, EVP_MD_CTX *md, const char *what);
static ngx_int_t ngx_http_campaign_idempotency_part(EVP_MD_CTX *md, const u_char *data, size_t len);
static ngx_int_t ngx_http_campaign_idempotency_unread(ngx_http_campaign_call_t *call, ngx_http_campaign_idempotency_t *x);
static ngx_int_t ngx_http_campaign_idempotency_print(ngx_campaign_op_t *op, ngx_campaign_idem_t *idem);
static ngx_int_t ngx_http_campaign_idempotency_replay(ngx_http_campaign_call_t *call);
static ngx_int_t ngx_http_campaign_idempotency_take(ngx_http_campaign_call_t *call, ngx_uint_t status, ngx_http_campaign_out_t *out);
static ngx_int_t ngx_http_campaign_idempotency_sent(ngx_http_campaign_call_t *call);
static ngx_int_t ngx_http_campaign_idempotency_failed(ngx_http_campaign_call_t *call);


/* a step, once the route is known and before the body is read */

ngx_int_t
ngx_http_campaign_idempotency_begin(ngx_http_campaign_call_t *call)
{
    ngx_int_t                         rc;
    ngx_str_t                         key;
    ngx_table_elt_t                  *h;
    ngx_http_campaign_idempotency_t  *x;

    if (call->route->method != NGX_HTTP_POST || call->service == NGX_HTTP_CAMPAIGN_ADMIN) {
        return NGX_OK;
    }

    h = ngx_http_campaign_call_header(call->request, NGX_CAMPAIGN_IDEM_HEADER);
    if (h == NULL) {
        return NGX_OK;
    }

    rc = ngx_http_campaign_idempotency_key(call, &h->value, &key);

    if (rc == NGX_DECLINED) {
        return ngx_http_campaign_error_text(call, NGX_CAMPAIGN_E_QUERY, "header '" NGX_CAMPAIGN_IDEM_HEADER "' is invalid: 1 to %d "
                                            "printable characters", NGX_CAMPAIGN_IDEM_KEY_MAX);
    }

    x = (rc == NGX_OK) ? ngx_pcalloc(call->pool, sizeof(ngx_http_campaign_idempotency_t)) : NULL;

    if (x == NULL) {
        return NGX_ERROR;
    }

    x->idem.account = ngx_http_campaign_call_owner(call);
    x->idem.key = key;
    x->idem.data = call;

    if (ngx_http_campaign_idempotency_start(call, x) != NGX_OK) {
        return NGX_ERROR;
    }

    call->idem = x;

    rc = ngx_campaign_store_hold(call->store, ngx_http_campaign_call_op(call, ngx_http_campaign_idempotency_held), &x->idem);

    if (rc != NGX_AGAIN) {
        call->idem = NULL;
    }

    return ngx_http_campaign_call_wait(call, rc);
}


/* plain, or as a string of RFC 8941.  NGX_DECLINED: neither; NGX_ERROR: no memory */

static ngx_int_t
ngx_http_campaign_idempotency_key(ngx_http_campaign_call_t *call, ngx_str_t *value, ngx_str_t *key)
{
    u_char      *p, *end, *dst;
    ngx_uint_t   quoted;

    p = value->data;
    end = p + value->len;
    quoted = (value->len && *p == '"');

    if (quoted) {
        if (value->len < 2 || end[-1] != '"') {
            return NGX_DECLINED;
        }

        p++;
        end--;
    }

    dst = ngx_pnalloc(call->pool, value->len + 1);
    if (dst == NULL) {
        return NGX_ERROR;
    }

    key->data = dst;

    for ( /* void */ ; p < end; p++) {

        if (quoted && *p == '\\') {
            p++;

            if (p == end || (*p != '"' && *p != '\\')) {
                return NGX_DECLINED;
            }

        } else if ((quoted && *p == '"') || *p < 0x20 || *p > 0x7e) {
            return NGX_DECLINED;
        }

        *dst++ = *p;
    }

    key->len = dst - key->data;

    return (key->len == 0 || key->len > NGX_CAMPAIGN_IDEM_KEY_MAX) ? NGX_DECLINED : NGX_OK;
}


static ngx_int_t
ngx_http_campaign_idempotency_start(ngx_http_campaign_call_t *call, ngx_http_campaign_idempotency_t *x)
{
    ngx_pool_cleanup_t  *cln;

    cln = ngx_pool_cleanup_add(call->pool, 0);
    if (cln == NULL) {
        return NGX_ERROR;
    }

    x->store = call->store;
    x->digest = EVP_MD_CTX_new();

    cln->handler = ngx_http_campaign_idempotency_cleanup;
    cln->data = x;

    if (x->digest == NULL || ngx_http_campaign_idempotency_head(call, x->digest, "read") != NGX_OK) {
        return ngx_http_campaign_idempotency_failed(call);
    }

    return NGX_OK;
}


/* the call's pool dies, in the event loop: whatever became of the request, its key is free */

static void
ngx_http_campaign_idempotency_cleanup(void *data)
{
    ngx_http_campaign_idempotency_t *x = data;

    ngx_campaign_store_release(x->store, &x->idem);
    EVP_MD_CTX_free(x->digest);
}


static ngx_int_t
ngx_http_campaign_idempotency_held(ngx_http_campaign_call_t *call)
{
    ngx_str_t                         value;
    ngx_http_campaign_idempotency_t  *x;

    x = call->idem;

    switch (call->op.rc) {

    case NGX_CAMPAIGN_OK:
        return NGX_OK;

    case NGX_CAMPAIGN_REPEAT:
        x->known = 1;
        ngx_memcpy(x->kept_for, x->idem.digest, 32);
        return NGX_OK;

    case NGX_CAMPAIGN_IN_USE:
        call->idem = NULL;
        ngx_str_set(&value, "1");

        if (ngx_http_campaign_reply_header(call->request, "Retry-After", &value) != NGX_OK) {
            return NGX_ERROR;
        }

        return ngx_http_campaign_error(call, NGX_CAMPAIGN_E_RUNNING);

    default:
        call->idem = NULL;
        return ngx_http_campaign_call_answer(call);
    }
}


/* what makes a request the same but for its body */

static ngx_int_t
ngx_http_campaign_idempotency_head(ngx_http_campaign_call_t *call, EVP_MD_CTX *md, const char *what)
{
    ngx_str_t            type;
    ngx_http_request_t  *r;

    r = call->request;

    ngx_str_null(&type);

    if (r->headers_in.content_type) {
        type = r->headers_in.content_type->value;
    }

    if (EVP_DigestInit_ex(md, EVP_sha256(), NULL) != 1
        || ngx_http_campaign_idempotency_part(md, (const u_char *) what, ngx_strlen(what)) != NGX_OK
        || ngx_http_campaign_idempotency_part(md, r->method_name.data, r->method_name.len) != NGX_OK
        || ngx_http_campaign_idempotency_part(md, r->uri.data, r->uri.len) != NGX_OK
        || ngx_http_campaign_idempotency_part(md, r->args.data, r->args.len) != NGX_OK
        || ngx_http_campaign_idempotency_part(md, type.data, type.len) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* with its length before it, so that no two requests run together into the same bytes */

static ngx_int_t
ngx_http_campaign_idempotency_part(EVP_MD_CTX *md, const u_char *data, size_t len)
{
    uint64_t  n;

    n = len;

    return EVP_DigestUpdate(md, &n, sizeof(n)) == 1 && (len == 0 || EVP_DigestUpdate(md, data, len) == 1) ? NGX_OK : NGX_ERROR;
}


ngx_int_t
ngx_http_campaign_idempotency_body(ngx_http_campaign_call_t *call, const u_char *p, size_t len)
{
    ngx_http_campaign_idempotency_t  *x;

    x = call->idem;

    if (x == NULL) {
        return NGX_OK;
    }

    if (x->digest && len && EVP_DigestUpdate(x->digest, p, len) != 1) {
        return ngx_http_campaign_idempotency_failed(call);
    }

    return (x->known || x->refused) ? NGX_DONE : NGX_OK;
}


ngx_int_t
ngx_http_campaign_idempotency_refuse(ngx_http_campaign_call_t *call)
{
    if (call->idem == NULL) {
        return NGX_DECLINED;
    }

    call->idem->refused = 1;

    return NGX_OK;
}


void
ngx_http_campaign_idempotency_forget(ngx_http_campaign_call_t *call)
{
    if (call->idem) {
        ngx_campaign_store_release(call->idem->store, &call->idem->idem);
        call->idem = NULL;
    }
}


ngx_int_t
ngx_http_campaign_idempotency_whole(ngx_http_campaign_call_t *call)
{
    ngx_http_campaign_idempotency_t  *x;

    x = call->idem;

    if (x == NULL) {
        return NGX_OK;
    }

    if (x->digest) {
        if (EVP_DigestFinal_ex(x->digest, x->idem.digest, NULL) != 1) {
            return ngx_http_campaign_idempotency_failed(call);
        }

        EVP_MD_CTX_free(x->digest);
        x->digest = NULL;
    }

    return x->known ? NGX_DONE : x->refused ? NGX_DECLINED : NGX_OK;
}


/* a refusal before the body was read: whatever the body is, the same head is refused in the same way */

static ngx_int_t
ngx_http_campaign_idempotency_unread(ngx_http_campaign_call_t *call, ngx_http_campaign_idempotency_t *x)
{
    if (x->digest && ngx_http_campaign_idempotency_head(call, x->digest, "unread") != NGX_OK) {
        return ngx_http_campaign_idempotency_failed(call);
    }

    return ngx_http_campaign_idempotency_whole(call) == NGX_ERROR ? NGX_ERROR : NGX_OK;
}


/* a step, once the body was read */

ngx_int_t
ngx_http_campaign_idempotency_match(ngx_http_campaign_call_t *call)
{
    ngx_int_t  rc;

    rc = ngx_http_campaign_idempotency_whole(call);

    return rc == NGX_DONE ? ngx_http_campaign_idempotency_replay(call) : rc;
}


ngx_campaign_op_t *
ngx_http_campaign_call_last(ngx_http_campaign_call_t *call, ngx_http_campaign_step_pt then, ngx_http_campaign_step_pt print)
{
    ngx_campaign_op_t                *op;
    ngx_http_campaign_idempotency_t  *x;

    op = ngx_http_campaign_call_op(call, then);
    x = call->idem;

    if (x) {
        x->print = print;
        x->idem.print = ngx_http_campaign_idempotency_print;
        op->idem = &x->idem;
    }

    return op;
}


/* inside the transaction, on the writer's thread; the request may be gone */

static ngx_int_t
ngx_http_campaign_idempotency_print(ngx_campaign_op_t *op, ngx_campaign_idem_t *idem)
{
    ngx_int_t                         rc;
    ngx_http_campaign_call_t         *call;
    ngx_http_campaign_idempotency_t  *x;

    call = idem->data;
    x = call->idem;

    op->rc = NGX_CAMPAIGN_OK;

    x->printing = 1;
    rc = x->print(call);
    x->printing = 0;

    return rc == NGX_DONE ? NGX_OK : NGX_ERROR;
}


void
ngx_http_campaign_idempotency_done(ngx_http_campaign_call_t *call)
{
    if (call->op.idem == NULL) {
        return;
    }

    call->op.idem = NULL;

    if (call->op.rc == NGX_CAMPAIGN_OK) {
        call->idem->kept = 1;

    } else if (call->op.rc == NGX_CAMPAIGN_REPEAT) {
        call->idem->known = 1;
        ngx_memcpy(call->idem->kept_for, call->idem->idem.digest, 32);

        if (call->idem->idem.other) {
            call->idem->kept_for[0] ^= 1;
        }

        call->then = ngx_http_campaign_idempotency_replay;
    }
}


/* the answer that was kept, if it was this request's */

static ngx_int_t
ngx_http_campaign_idempotency_replay(ngx_http_campaign_call_t *call)
{
    ngx_str_t                         value;
    ngx_http_campaign_out_t           out;
    ngx_http_campaign_idempotency_t  *x;

    x = call->idem;
    call->idem = NULL;
    call->notes.nelts = 0;

    ngx_campaign_store_release(x->store, &x->idem);

    if (ngx_memcmp(x->kept_for, x->idem.digest, 32) != 0) {
        return ngx_http_campaign_error(call, NGX_CAMPAIGN_E_REUSED);
    }

    ngx_str_set(&value, "true");

    if (ngx_http_campaign_reply_header(call->request, "Idempotency-Replayed", &value) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_http_campaign_out_init(&out, call->request->pool);

    if (x->idem.body.len) {
        ngx_http_campaign_out_raw(&out, x->idem.body.data, x->idem.body.len);
    }

    return ngx_http_campaign_reply_send(call, x->idem.status, &out);
}


ngx_pool_t *
ngx_http_campaign_idempotency_pool(ngx_http_campaign_call_t *call)
{
    return (call->idem && call->idem->printing) ? call->pool : call->request->pool;
}


ngx_int_t
ngx_http_campaign_idempotency_reply(ngx_http_campaign_call_t *call, ngx_uint_t status, ngx_http_campaign_out_t *out)
{
    ngx_int_t                         rc;
    ngx_campaign_op_t                *op;
    ngx_http_campaign_idempotency_t  *x;

    x = call->idem;

    if (x->printing) {
        return ngx_http_campaign_idempotency_take(call, status, out) == NGX_OK ? NGX_DONE : NGX_ERROR;
    }

    if (x->kept) {
        return ngx_http_campaign_idempotency_sent(call);
    }

    if (status >= 500 || status == NGX_HTTP_TOO_MANY_REQUESTS) {
        ngx_http_campaign_idempotency_forget(call);
        return NGX_OK;
    }

    if (ngx_http_campaign_idempotency_unread(call, x) != NGX_OK) {
        return NGX_ERROR;
    }

    if (x->known) {
        rc = ngx_http_campaign_idempotency_replay(call);
        return rc == NGX_DECLINED ? ngx_http_campaign_reply_errors(call) : rc;
    }

    if (ngx_http_campaign_idempotency_take(call, status, out) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_http_campaign_body_stop(call);                  /* what else the client sends wakes nobody */
    call->request->read_event_handler = ngx_http_block_reading;

    op = ngx_http_campaign_call_op(call, ngx_http_campaign_idempotency_sent);
    op->idem = &x->idem;
    x->idem.print = NULL;

    rc = ngx_campaign_store_keep(call->store, op);

    if (rc == NGX_AGAIN) {
        return NGX_AGAIN;
    }

    call->then = NULL;                                  /* the store is closed: it is sent all the same, and not kept */
    op->idem = NULL;

    return ngx_http_campaign_idempotency_sent(call);
}


/* status and body as bytes in the call's pool */

static ngx_int_t
ngx_http_campaign_idempotency_take(ngx_http_campaign_call_t *call, ngx_uint_t status, ngx_http_campaign_out_t *out)
{
    u_char               *p;
    ngx_chain_t          *cl;
    ngx_campaign_idem_t  *idem;

    idem = &call->idem->idem;

    p = out->failed ? NULL : ngx_pnalloc(call->pool, out->size ? out->size : 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    idem->status = status;
    idem->body.data = p;
    idem->body.len = out->size;

    for (cl = out->first; cl; cl = cl->next) {
        p = ngx_cpymem(p, cl->buf->pos, cl->buf->last - cl->buf->pos);
    }

    return NGX_OK;
}


/* a step: the answer was kept, so it goes out */

static ngx_int_t
ngx_http_campaign_idempotency_sent(ngx_http_campaign_call_t *call)
{
    ngx_http_campaign_out_t           out;
    ngx_http_campaign_idempotency_t  *x;

    x = call->idem;
    call->idem = NULL;

    ngx_campaign_store_release(x->store, &x->idem);     /* before a client can send it again */

    ngx_http_campaign_out_init(&out, call->request->pool);

    if (x->idem.body.len) {
        ngx_http_campaign_out_raw(&out, x->idem.body.data, x->idem.body.len);
    }

    return ngx_http_campaign_reply_send(call, x->idem.status, &out);
}


static ngx_int_t
ngx_http_campaign_idempotency_failed(ngx_http_campaign_call_t *call)
{
    ngx_log_error(NGX_LOG_CRIT, call->request->connection->log, 0, "SHA-256 of a request failed");

    return NGX_ERROR;
}
