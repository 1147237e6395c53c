
/*
 * A call's life: made by the content handler, walks its steps, waits for store and body, ends with one reply.  It keeps true: a request that dies
 * leaves nothing behind that still points into it.
 */

#include "ngx_http_campaign_call.h"
#include "ngx_http_campaign_error.h"
#include "ngx_http_campaign_field.h"
#include "ngx_http_campaign_reply.h"

#include <openssl/evp.h>
#include <openssl/sha.h>


#define NGX_CAMPAIGN_KEY_HEADER  "X-Dexatel-Key"
#define NGX_CAMPAIGN_KEY_MAX     256

#define NGX_HTTP_CAMPAIGN_CALL_STAY  60000          /* ms, set anew each time */


static ngx_http_campaign_call_t *ngx_http_campaign_call_make(ngx_http_request_t *r);
static void ngx_http_campaign_call_stay(ngx_event_t *ev);
static void ngx_http_campaign_call_cleanup(void *data);
static void ngx_http_campaign_call_worked(ngx_event_t *ev);
static void ngx_http_campaign_call_end(ngx_http_campaign_call_t *call, ngx_int_t rc);
static ngx_int_t ngx_http_campaign_call_preaccess(ngx_http_request_t *r);
static ngx_int_t ngx_http_campaign_call_authenticate(ngx_http_campaign_call_t *call);
static ngx_int_t ngx_http_campaign_call_digest(ngx_str_t *key, u_char *hash);
static void ngx_http_campaign_call_authenticated(ngx_campaign_op_t *op);
static ngx_int_t ngx_http_campaign_call_authorize(ngx_http_campaign_call_t *call);
static ngx_int_t ngx_http_campaign_call_handle(ngx_http_campaign_call_t *call);


static const ngx_http_campaign_step_pt  ngx_http_campaign_call_steps[] = {
    ngx_http_campaign_route_open,
    ngx_http_campaign_call_authorize,
    ngx_http_campaign_route_find,
    ngx_http_campaign_idempotency_begin,
    ngx_http_campaign_body_read,
    ngx_http_campaign_idempotency_match,
    ngx_http_campaign_call_handle
};


ngx_int_t
ngx_http_campaign_handler(ngx_http_request_t *r)
{
    ngx_http_campaign_ctx_t   *ctx;
    ngx_http_campaign_call_t  *call;

    ctx = ngx_http_get_module_ctx(r, ngx_http_campaign_module);
    call = (ctx && ctx->call) ? ctx->call : ngx_http_campaign_call_make(r);

    if (call == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    r->main->count++;

    if (call->store == NULL) {
        ngx_http_campaign_call_end(call, ngx_http_campaign_error(call, NGX_CAMPAIGN_E_UNAVAILABLE));

    } else {
        ngx_http_campaign_call_run(call);
    }

    return NGX_DONE;
}


static ngx_http_campaign_call_t *
ngx_http_campaign_call_make(ngx_http_request_t *r)
{
    ngx_pool_t                    *pool;
    ngx_pool_cleanup_t            *cln;
    ngx_http_campaign_ctx_t       *ctx;
    ngx_http_campaign_call_t      *call;
    ngx_http_core_loc_conf_t      *clcf;
    ngx_http_campaign_loc_conf_t  *clocf;

    ctx = ngx_pcalloc(r->pool, sizeof(ngx_http_campaign_ctx_t));
    cln = ngx_pool_cleanup_add(r->pool, 0);         /* runs after the log phase, that may want $campaign_account */

    if (ctx == NULL || cln == NULL) {
        return NULL;
    }

    pool = ngx_create_pool(4096, ngx_cycle->log);
    if (pool == NULL) {
        return NULL;
    }

    call = ngx_pcalloc(pool, sizeof(ngx_http_campaign_call_t));

    if (call == NULL
        || ngx_array_init(&call->notes, pool, 4, sizeof(ngx_http_campaign_note_t)) != NGX_OK)
    {
        ngx_destroy_pool(pool);
        return NULL;
    }

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);
    clocf = ngx_http_get_module_loc_conf(r, ngx_http_campaign_module);

    call->request = r;
    call->pool = pool;
    call->store = ngx_http_campaign_store();
    call->cmcf = ngx_http_get_module_main_conf(r, ngx_http_campaign_module);
    call->service = clocf->service;
    call->steps = clocf->steps ? clocf->steps : ngx_http_campaign_call_steps;
    call->prefix = clcf->name;

    if (call->prefix.len && call->prefix.data[call->prefix.len - 1] == '/') {
        call->prefix.len--;
    }

    ngx_campaign_pile_init(&call->pile, pool);

    call->stay.handler = ngx_http_campaign_call_stay;
    call->stay.data = call;
    call->stay.log = ngx_cycle->log;

    ngx_add_timer(&call->stay, NGX_HTTP_CAMPAIGN_CALL_STAY);

    cln->handler = ngx_http_campaign_call_cleanup;
    cln->data = call;

    ctx->call = call;
    ngx_http_set_ctx(r, ctx, ngx_http_campaign_module);

    return call;
}


/* a call may wait for store or thread with no timer of its own, and a worker that has no timers left ends, in mid-call */

static void
ngx_http_campaign_call_stay(ngx_event_t *ev)
{
    ngx_add_timer(ev, NGX_HTTP_CAMPAIGN_CALL_STAY);
}


/* the request dies; whoever works in the call's pool is left to finish, then the pool goes */

static void
ngx_http_campaign_call_cleanup(void *data)
{
    ngx_http_campaign_call_t *call = data;

    if (call->stay.timer_set) {
        ngx_del_timer(&call->stay);
    }

    ngx_http_campaign_body_stop(call);

    if (call->op.busy) {
        ngx_campaign_store_cancel(&call->op);

    } else if (call->working) {
        call->gone = 1;                             /* who waits for the thread destroys it */

    } else {
        ngx_destroy_pool(call->pool);
    }
}


void
ngx_http_campaign_call_run(ngx_http_campaign_call_t *call)
{
    ngx_int_t                  rc;
    ngx_http_campaign_step_pt  step;

    for ( ;; ) {
        step = call->then ? call->then : call->steps[call->at++];
        call->then = NULL;

        rc = step(call);

        ngx_log_debug2(NGX_LOG_DEBUG_HTTP, call->request->connection->log, 0, "campaign call: step %ui: %i", call->at, rc);

        if (rc == NGX_AGAIN) {
            return;
        }

        if (rc != NGX_OK) {
            ngx_http_campaign_call_end(call, rc);
            return;
        }
    }
}


/* the last thing done with a call: finalizing may destroy it */

static void
ngx_http_campaign_call_end(ngx_http_campaign_call_t *call, ngx_int_t rc)
{
    ngx_http_request_t  *r;

    r = call->request;

    if (rc == NGX_ERROR && !call->replied) {
        call->notes.nelts = 0;
    }

    if (rc != NGX_DONE && !call->replied) {
        rc = ngx_http_campaign_reply_errors(call);

        if (rc == NGX_AGAIN) {
            return;                                     /* is kept for an idempotency key first */
        }
    }

    ngx_http_finalize_request(r, rc == NGX_DONE ? NGX_OK : NGX_ERROR);
}


void
ngx_http_campaign_call_wake(ngx_campaign_op_t *op)
{
    ngx_connection_t          *c;
    ngx_http_campaign_call_t  *call = op->data;

    c = call->request->connection;

    ngx_http_campaign_idempotency_done(call);
    ngx_http_campaign_call_run(call);

    ngx_http_run_posted_requests(c);
}


ngx_campaign_op_t *
ngx_http_campaign_call_op(ngx_http_campaign_call_t *call, ngx_http_campaign_step_pt then)
{
    ngx_campaign_op_init(&call->op, call->pool, ngx_cycle->log, ngx_http_campaign_call_wake, call);
    call->then = then;

    return &call->op;
}


ngx_int_t
ngx_http_campaign_call_wait(ngx_http_campaign_call_t *call, ngx_int_t rc)
{
    return rc == NGX_AGAIN ? NGX_AGAIN : ngx_http_campaign_call_answer(call);
}


ngx_int_t
ngx_http_campaign_call_thread(ngx_http_campaign_call_t *call, void (*handler)(void *data, ngx_log_t *log), ngx_http_campaign_step_pt then)
{
    ngx_thread_task_t  *task;

    task = ngx_thread_task_alloc(call->pool, 0);
    if (task == NULL) {
        return NGX_ERROR;
    }

    task->ctx = call;
    task->handler = handler;
    task->event.handler = ngx_http_campaign_call_worked;
    task->event.data = call;

    call->then = then;
    call->working = 1;

    if (ngx_thread_task_post(call->cmcf->store.threads, task) != NGX_OK) {
        call->working = 0;
        call->then = NULL;
        return ngx_http_campaign_error(call, NGX_CAMPAIGN_E_UNAVAILABLE);
    }

    return NGX_AGAIN;
}


static void
ngx_http_campaign_call_worked(ngx_event_t *ev)
{
    ngx_connection_t          *c;
    ngx_http_campaign_call_t  *call = ev->data;

    call->working = 0;

    if (call->gone) {
        ngx_destroy_pool(call->pool);
        return;
    }

    c = call->request->connection;

    ngx_http_campaign_call_run(call);

    ngx_http_run_posted_requests(c);
}


ngx_int_t
ngx_http_campaign_call_answer(ngx_http_campaign_call_t *call)
{
    ngx_uint_t  code;

    static const ngx_uint_t  general[NGX_CAMPAIGN_RC_MAX] = {
        [NGX_CAMPAIGN_NOT_FOUND]   = NGX_CAMPAIGN_E_NO_RESOURCE,
        [NGX_CAMPAIGN_FULL]        = NGX_CAMPAIGN_E_FULL,
        [NGX_CAMPAIGN_UNAVAILABLE] = NGX_CAMPAIGN_E_UNAVAILABLE,
        [NGX_CAMPAIGN_UNKNOWN]     = NGX_CAMPAIGN_E_UNAVAILABLE
    };

    if (call->op.rc == NGX_CAMPAIGN_OK) {
        return NGX_OK;
    }

    code = (call->route && call->route->resource) ? call->route->resource->code[call->op.rc] : 0;

    if (code == 0) {
        code = general[call->op.rc];
    }

    return ngx_http_campaign_error(call, code ? code : NGX_CAMPAIGN_E_INTERNAL);
}


ngx_int_t
ngx_http_campaign_call_init(ngx_conf_t *cf)
{
    ngx_http_handler_pt        *h;
    ngx_http_core_main_conf_t  *cmcf;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    h = ngx_array_push(&cmcf->phases[NGX_HTTP_PREACCESS_PHASE].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = ngx_http_campaign_call_preaccess;

    return NGX_OK;
}


/*
 * Whose request this is, is found out before limit_req and limit_conn ask for $campaign_account (handlers of a phase run in the reverse of the order in which
 * they were added).  Who is not known goes on, so that they limit him too; the call's first steps refuse him.
 */

static ngx_int_t
ngx_http_campaign_call_preaccess(ngx_http_request_t *r)
{
    ngx_http_campaign_ctx_t       *ctx;
    ngx_http_campaign_call_t      *call;
    ngx_http_campaign_loc_conf_t  *clocf;

    clocf = ngx_http_get_module_loc_conf(r, ngx_http_campaign_module);

    if (clocf->service != NGX_HTTP_CAMPAIGN_API || r != r->main) {
        return NGX_DECLINED;
    }

    ctx = ngx_http_get_module_ctx(r, ngx_http_campaign_module);

    if (ctx && ctx->call) {
        return ctx->call->op.busy ? NGX_AGAIN : NGX_DECLINED;
    }

    call = ngx_http_campaign_call_make(r);
    if (call == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return call->store ? ngx_http_campaign_call_authenticate(call) : NGX_DECLINED;
}


/* NGX_AGAIN: the store is asked; NGX_DECLINED: call->auth is known */

static ngx_int_t
ngx_http_campaign_call_authenticate(ngx_http_campaign_call_t *call)
{
    u_char           *hash;
    ngx_table_elt_t  *key;

    key = ngx_http_campaign_call_header(call->request, NGX_CAMPAIGN_KEY_HEADER);

    if (key == NULL || key->value.len == 0) {
        return NGX_DECLINED;
    }

    call->keyed = 1;
    call->auth = NGX_CAMPAIGN_NOT_FOUND;

    if (key->value.len > NGX_CAMPAIGN_KEY_MAX) {
        return NGX_DECLINED;
    }

    hash = ngx_pnalloc(call->pool, SHA256_DIGEST_LENGTH);
    if (hash == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ngx_http_campaign_call_digest(&key->value, hash) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_campaign_op_init(&call->op, call->pool, ngx_cycle->log, ngx_http_campaign_call_authenticated, call);

    if (ngx_campaign_store_auth(call->store, &call->op, hash, &call->account, &call->key) == NGX_AGAIN) {
        return NGX_AGAIN;
    }

    call->auth = call->op.rc;

    return NGX_DECLINED;
}


/* SHA-256 as SHA256() makes it, which would look up the algorithm and make a context for each call: that is most of its time */

static ngx_int_t
ngx_http_campaign_call_digest(ngx_str_t *key, u_char *hash)
{
    const EVP_MD  *sha256;

    static EVP_MD_CTX  *md;

    sha256 = NULL;                                      /* that of the context */

    if (md == NULL) {
        md = EVP_MD_CTX_new();
        sha256 = EVP_sha256();
    }

    if (md == NULL
        || EVP_DigestInit_ex(md, sha256, NULL) != 1
        || EVP_DigestUpdate(md, key->data, key->len) != 1
        || EVP_DigestFinal_ex(md, hash, NULL) != 1)
    {
        EVP_MD_CTX_free(md);
        md = NULL;
        return NGX_ERROR;
    }

    return NGX_OK;
}


static void
ngx_http_campaign_call_authenticated(ngx_campaign_op_t *op)
{
    ngx_connection_t          *c;
    ngx_http_campaign_call_t  *call = op->data;

    c = call->request->connection;
    call->auth = op->rc;

    ngx_http_core_run_phases(call->request);

    ngx_http_run_posted_requests(c);
}


/* the administration is guarded by its location (allow, deny, auth_basic) */

static ngx_int_t
ngx_http_campaign_call_authorize(ngx_http_campaign_call_t *call)
{
    if (call->service == NGX_HTTP_CAMPAIGN_ADMIN) {
        return NGX_OK;
    }

    if (!call->keyed) {
        return ngx_http_campaign_error(call, NGX_CAMPAIGN_E_KEY_MISSING);
    }

    if (call->auth == NGX_CAMPAIGN_NOT_FOUND) {
        return ngx_http_campaign_error(call, NGX_CAMPAIGN_E_KEY_INVALID);
    }

    if (call->auth != NGX_CAMPAIGN_OK) {
        return ngx_http_campaign_call_answer(call);
    }

    if (call->account.rec.status != NGX_CAMPAIGN_A_ACTIVE) {
        return ngx_http_campaign_error(call, NGX_CAMPAIGN_E_DISABLED);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_campaign_call_handle(ngx_http_campaign_call_t *call)
{
    return call->route->handler(call);
}


ngx_table_elt_t *
ngx_http_campaign_call_header(ngx_http_request_t *r, const char *name)
{
    size_t            len;
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    len = ngx_strlen(name);
    part = &r->headers_in.headers.part;
    h = part->elts;

    for (i = 0; /* void */; i++) {

        if (i >= part->nelts) {
            if (part->next == NULL) {
                return NULL;
            }

            part = part->next;
            h = part->elts;
            i = 0;
        }

        if (h[i].key.len == len && ngx_strncasecmp(h[i].key.data, (u_char *) name, len) == 0) {
            return &h[i];
        }
    }
}


ngx_int_t
ngx_http_campaign_call_arg(ngx_http_campaign_call_t *call, const char *name, ngx_str_t *value)
{
    ngx_str_t  key;

    key.data = (u_char *) name;
    key.len = ngx_strlen(name);

    return ngx_http_campaign_call_pair(call->pool, &call->request->args, &key, value);
}


ngx_int_t
ngx_http_campaign_call_pair(ngx_pool_t *pool, const ngx_str_t *pairs, const ngx_str_t *name, ngx_str_t *value)
{
    ngx_str_t  rest, raw, key;

    rest = *pairs;

    while (ngx_http_campaign_call_next_pair(&rest, &key, &raw) == NGX_OK) {

        if (key.len > 3 * name->len || key.len < name->len) {
            continue;
        }

        if (ngx_http_campaign_call_unescape(pool, &key, &key) != NGX_OK) {
            return NGX_ERROR;
        }

        if (key.len == name->len && ngx_memcmp(key.data, name->data, name->len) == 0) {
            return ngx_http_campaign_call_unescape(pool, &raw, value);
        }
    }

    return NGX_DECLINED;
}


ngx_int_t
ngx_http_campaign_call_next_pair(ngx_str_t *rest, ngx_str_t *name, ngx_str_t *value)
{
    u_char  *p, *end, *amp, *eq;

    p = rest->data;
    end = p + rest->len;

    while (p < end && *p == '&') {
        p++;
    }

    if (p == end) {
        return NGX_DONE;
    }

    amp = ngx_strlchr(p, end, '&');
    amp = amp ? amp : end;

    eq = ngx_strlchr(p, amp, '=');
    eq = eq ? eq : amp;

    name->data = p;
    name->len = eq - p;

    value->data = (eq < amp) ? eq + 1 : amp;
    value->len = amp - value->data;

    rest->data = amp;
    rest->len = end - amp;

    return NGX_OK;
}


/* percent-decoded, + is a space (URL Standard, application/x-www-form-urlencoded) */

ngx_int_t
ngx_http_campaign_call_unescape(ngx_pool_t *pool, const ngx_str_t *in, ngx_str_t *out)
{
    u_char  *src, *dst, *p;

    p = ngx_pnalloc(pool, in->len ? in->len : 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    for (src = in->data, dst = p; src < in->data + in->len; src++) {
        *dst++ = (*src == '+') ? ' ' : *src;
    }

    src = p;
    dst = p;

    ngx_unescape_uri(&dst, &src, in->len, 0);

    out->data = p;
    out->len = dst - p;

    return NGX_OK;
}


ngx_campaign_account_t *
ngx_http_campaign_call_account(ngx_http_request_t *r)
{
    ngx_http_campaign_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_campaign_module);

    if (ctx == NULL || ctx->call == NULL || ctx->call->account.rec.no == 0) {
        return NULL;
    }

    return &ctx->call->account;
}
