
/*
 * Accounts and their keys: the administration.  A key is random, is shown in the reply that makes it, and only its SHA-256 is stored.
 */

#include "ngx_http_campaign_error.h"
#include "ngx_http_campaign_resource.h"

#include <openssl/rand.h>
#include <openssl/sha.h>


#define NGX_CAMPAIGN_KEY_BYTES  24              /* random bytes in a key: 32 characters */
#define NGX_CAMPAIGN_BURST_MAX  1000000


static ngx_int_t ngx_http_campaign_accounts_check(ngx_http_campaign_call_t *call);
static ngx_int_t ngx_http_campaign_accounts_found(ngx_http_campaign_call_t *call);
static ngx_int_t ngx_http_campaign_accounts_changed(ngx_http_campaign_call_t *call);
static ngx_int_t ngx_http_campaign_accounts_key(ngx_http_campaign_call_t *call, u_char *hash);
static ngx_int_t ngx_http_campaign_keys_owner(ngx_http_campaign_call_t *call, ngx_http_campaign_step_pt then);
static ngx_int_t ngx_http_campaign_keys_page(ngx_http_campaign_call_t *call);
static ngx_int_t ngx_http_campaign_keys_put(ngx_http_campaign_call_t *call);
static ngx_int_t ngx_http_campaign_keys_drop(ngx_http_campaign_call_t *call);
static ngx_int_t ngx_http_campaign_keys_dropped(ngx_http_campaign_call_t *call);
static ngx_int_t ngx_http_campaign_keys_check(ngx_http_campaign_call_t *call);

static void ngx_http_campaign_accounts_key_print(ngx_http_campaign_call_t *call, ngx_http_campaign_out_t *out,
    const ngx_http_campaign_field_t *f, const void *place);


static const ngx_str_t
    ngx_http_campaign_accounts_status[] = { ngx_string("active"), ngx_string("disabled"), ngx_null_string },
    ngx_http_campaign_accounts_scope[]  = { ngx_string("full"), ngx_string("read"), ngx_null_string };

static const ngx_http_campaign_field_word_t
    ngx_http_campaign_accounts_field_status = { NGX_CAMPAIGN_FIELD_WORD, NGX_CAMPAIGN_A_ACTIVE, ngx_http_campaign_accounts_status },
    ngx_http_campaign_accounts_field_scope  = { NGX_CAMPAIGN_FIELD_WORD, NGX_CAMPAIGN_SCOPE_FULL, ngx_http_campaign_accounts_scope };

static const ngx_http_campaign_field_type_t
    ngx_http_campaign_accounts_field_key = { NULL, ngx_http_campaign_accounts_key_print };


/* clang-format off */

static const ngx_http_campaign_field_t  ngx_http_campaign_accounts_fields[] = {
    { ngx_string("id"), NGX_CAMPAIGN_F_SHOW, &ngx_http_campaign_field_id, 0, 0, 0, { 0, 0, 0 } },
    { ngx_string("name"), NGX_CAMPAIGN_F_POST|NGX_CAMPAIGN_F_PUT|NGX_CAMPAIGN_F_MUST|NGX_CAMPAIGN_F_SHOW,
      &ngx_http_campaign_field_text, offsetof(ngx_campaign_account_t, rec.name), 1, NGX_CAMPAIGN_NAME_MAX, { 1903, 1904, 1904 } },
    { ngx_string("rate"), NGX_CAMPAIGN_F_POST|NGX_CAMPAIGN_F_PUT|NGX_CAMPAIGN_F_MUST|NGX_CAMPAIGN_F_SHOW,
      &ngx_http_campaign_field_rate, offsetof(ngx_campaign_account_t, rate), 0, NGX_CAMPAIGN_RATE_MAX, { 1906, 1907, 1907 } },
    { ngx_string("burst"), NGX_CAMPAIGN_F_POST|NGX_CAMPAIGN_F_PUT|NGX_CAMPAIGN_F_SHOW,
      &ngx_http_campaign_field_uint, offsetof(ngx_campaign_account_t, burst), 1, NGX_CAMPAIGN_BURST_MAX, { 0, 1908, 1908 } },
    { ngx_string("status"), NGX_CAMPAIGN_F_POST|NGX_CAMPAIGN_F_PUT|NGX_CAMPAIGN_F_SHOW,
      &ngx_http_campaign_accounts_field_status.type, offsetof(ngx_campaign_account_t, rec.status), 0, 0, { 0, 1909, 1909 } },
    { ngx_string("api_key"), NGX_CAMPAIGN_F_ONCE, &ngx_http_campaign_accounts_field_key, 0, 0, 0, { 0, 0, 0 } },
    { ngx_string("create_date"), NGX_CAMPAIGN_F_SHOW, &ngx_http_campaign_field_date,
      offsetof(ngx_campaign_account_t, rec.created), 0, 0, { 0, 0, 0 } },
    { ngx_string("update_date"), NGX_CAMPAIGN_F_SHOW, &ngx_http_campaign_field_date,
      offsetof(ngx_campaign_account_t, rec.updated), 0, 0, { 0, 0, 0 } },
    { ngx_string("links"), NGX_CAMPAIGN_F_SHOW, &ngx_http_campaign_field_links, 0, 0, 0, { 0, 0, 0 } },
    { ngx_null_string, 0, NULL, 0, 0, 0, { 0, 0, 0 } }
};

static const ngx_http_campaign_field_t  ngx_http_campaign_keys_fields[] = {
    { ngx_string("id"), NGX_CAMPAIGN_F_SHOW, &ngx_http_campaign_field_id, 0, 0, 0, { 0, 0, 0 } },
    { ngx_string("account_id"), NGX_CAMPAIGN_F_SHOW, &ngx_http_campaign_field_account, 0, 0, 0, { 0, 0, 0 } },
    { ngx_string("scope"), NGX_CAMPAIGN_F_POST|NGX_CAMPAIGN_F_SHOW, &ngx_http_campaign_accounts_field_scope.type,
      offsetof(ngx_campaign_key_t, scope), 0, 0, { 0, 1910, 1910 } },
    { ngx_string("expire_date"), NGX_CAMPAIGN_F_POST|NGX_CAMPAIGN_F_SHOW, &ngx_http_campaign_field_date,
      offsetof(ngx_campaign_key_t, expires), 0, 0, { 0, 1911, 1911 } },
    { ngx_string("api_key"), NGX_CAMPAIGN_F_ONCE, &ngx_http_campaign_accounts_field_key, 0, 0, 0, { 0, 0, 0 } },
    { ngx_string("create_date"), NGX_CAMPAIGN_F_SHOW, &ngx_http_campaign_field_date,
      offsetof(ngx_campaign_key_t, rec.created), 0, 0, { 0, 0, 0 } },
    { ngx_null_string, 0, NULL, 0, 0, 0, { 0, 0, 0 } }
};

const ngx_http_campaign_resource_t  ngx_http_campaign_accounts = {
    .name   = ngx_string("accounts"),
    .kind   = NGX_CAMPAIGN_ACCOUNT,
    .size   = sizeof(ngx_campaign_account_t),
    .fields = ngx_http_campaign_accounts_fields,
    .code   = { [NGX_CAMPAIGN_NOT_FOUND] = 1901, [NGX_CAMPAIGN_EXISTS] = 1905, [NGX_CAMPAIGN_IN_USE] = 1914,
                [NGX_CAMPAIGN_INVALID] = NGX_CAMPAIGN_E_QUERY },
    .check  = ngx_http_campaign_accounts_check
};

const ngx_http_campaign_resource_t  ngx_http_campaign_keys = {
    .name   = ngx_string("keys"),
    .kind   = NGX_CAMPAIGN_KEY,
    .size   = sizeof(ngx_campaign_key_t),
    .fields = ngx_http_campaign_keys_fields,
    .code   = { [NGX_CAMPAIGN_NOT_FOUND] = 1901, [NGX_CAMPAIGN_INVALID] = NGX_CAMPAIGN_E_QUERY },
    .check  = ngx_http_campaign_keys_check
};

/* clang-format on */


/* what a new account gets when it does not say: a burst of a tenth of a second, active */

static ngx_int_t
ngx_http_campaign_accounts_check(ngx_http_campaign_call_t *call)
{
    uint64_t                 tenth;
    ngx_campaign_account_t  *account;

    if (call->route->status != NGX_HTTP_CREATED) {
        return NGX_OK;
    }

    account = call->rec;

    if (account->burst == 0) {
        tenth = account->rate / (10 * (uint64_t) NGX_CAMPAIGN_RATE_UNIT);
        account->burst = (uint32_t) ngx_max(tenth, 1);
    }

    if (account->rec.status == 0) {
        account->rec.status = NGX_CAMPAIGN_A_ACTIVE;
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_campaign_accounts_create(ngx_http_campaign_call_t *call)
{
    ngx_campaign_account_t  *account;

    account = call->rec;

    if (ngx_http_campaign_accounts_key(call, account->key_hash) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_http_campaign_resource_create(call);
}


/* fields that were not given keep what is stored */

ngx_int_t
ngx_http_campaign_accounts_change(ngx_http_campaign_call_t *call)
{
    ngx_int_t                rc;
    ngx_campaign_account_t  *stored;

    stored = ngx_pcalloc(call->pool, sizeof(ngx_campaign_account_t));
    if (stored == NULL) {
        return NGX_ERROR;
    }

    call->data = stored;

    rc = ngx_campaign_store_get(call->store, ngx_http_campaign_call_op(call, ngx_http_campaign_accounts_found), NGX_CAMPAIGN_ACCOUNT, 0,
                                call->id[0], stored);

    return ngx_http_campaign_call_wait(call, rc);
}


static ngx_int_t
ngx_http_campaign_accounts_found(ngx_http_campaign_call_t *call)
{
    ngx_int_t                rc;
    ngx_campaign_account_t  *stored, *given;

    rc = ngx_http_campaign_call_answer(call);
    if (rc != NGX_OK) {
        return rc;
    }

    stored = call->data;
    given = call->rec;

    if (given->rec.name.len) {
        stored->rec.name = given->rec.name;
    }

    if (given->rec.status) {
        stored->rec.status = given->rec.status;
    }

    if (given->rate) {
        stored->rate = given->rate;
    }

    if (given->burst) {
        stored->burst = given->burst;
    }

    call->rec = stored;

    rc = ngx_campaign_store_account(call->store, ngx_http_campaign_call_op(call, ngx_http_campaign_accounts_changed), stored);

    return ngx_http_campaign_call_wait(call, rc);
}


static ngx_int_t
ngx_http_campaign_accounts_changed(ngx_http_campaign_call_t *call)
{
    if (call->op.rc == NGX_CAMPAIGN_OK) {
        ngx_http_campaign_dispatch_wake();
    }

    return ngx_http_campaign_resource_show(call);
}


static ngx_int_t
ngx_http_campaign_keys_check(ngx_http_campaign_call_t *call)
{
    ngx_campaign_key_t  *key;

    key = call->rec;

    if (key->scope == 0) {
        key->scope = NGX_CAMPAIGN_SCOPE_FULL;
    }

    if (key->expires && key->expires <= (time_t) (ngx_campaign_now() / 1000000)) {
        return ngx_http_campaign_error(call, 1911);
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_campaign_keys_list(ngx_http_campaign_call_t *call)
{
    return ngx_http_campaign_keys_owner(call, ngx_http_campaign_keys_page);
}


ngx_int_t
ngx_http_campaign_keys_create(ngx_http_campaign_call_t *call)
{
    return ngx_http_campaign_keys_owner(call, ngx_http_campaign_keys_put);
}


ngx_int_t
ngx_http_campaign_keys_delete(ngx_http_campaign_call_t *call)
{
    return ngx_http_campaign_keys_owner(call, ngx_http_campaign_keys_drop);
}


/* looks up the account whose keys these are, into call->data */

static ngx_int_t
ngx_http_campaign_keys_owner(ngx_http_campaign_call_t *call, ngx_http_campaign_step_pt then)
{
    ngx_int_t                rc;
    ngx_campaign_account_t  *account;

    account = ngx_pcalloc(call->pool, sizeof(ngx_campaign_account_t));
    if (account == NULL) {
        return NGX_ERROR;
    }

    call->data = account;

    rc = ngx_campaign_store_get(call->store, ngx_http_campaign_call_op(call, then), NGX_CAMPAIGN_ACCOUNT, 0, call->id[0], account);

    return ngx_http_campaign_call_wait(call, rc);
}


static ngx_int_t
ngx_http_campaign_keys_page(ngx_http_campaign_call_t *call)
{
    ngx_int_t                rc;
    ngx_campaign_page_t     *page;
    ngx_campaign_account_t  *account;

    rc = ngx_http_campaign_call_answer(call);
    if (rc != NGX_OK) {
        return rc;
    }

    account = call->data;

    rc = ngx_http_campaign_resource_page(call, &page);
    if (rc != NGX_OK) {
        return rc;
    }

    page->account = (uint32_t) account->rec.no;

    rc = ngx_campaign_store_page(call->store, ngx_http_campaign_call_op(call, ngx_http_campaign_resource_listed), page);

    return ngx_http_campaign_call_wait(call, rc);
}


static ngx_int_t
ngx_http_campaign_keys_put(ngx_http_campaign_call_t *call)
{
    ngx_int_t                rc;
    ngx_campaign_key_t      *key;
    ngx_campaign_account_t  *account;

    rc = ngx_http_campaign_call_answer(call);
    if (rc != NGX_OK) {
        return rc;
    }

    key = call->rec;
    account = call->data;

    if (ngx_http_campaign_accounts_key(call, key->hash) != NGX_OK) {
        return NGX_ERROR;
    }

    key->rec.account = (uint32_t) account->rec.no;

    rc = ngx_campaign_store_put(call->store, ngx_http_campaign_call_op(call, ngx_http_campaign_resource_show), NGX_CAMPAIGN_KEY, key, NULL);

    return ngx_http_campaign_call_wait(call, rc);
}


static ngx_int_t
ngx_http_campaign_keys_drop(ngx_http_campaign_call_t *call)
{
    ngx_int_t                rc;
    ngx_campaign_account_t  *account;

    rc = ngx_http_campaign_call_answer(call);
    if (rc != NGX_OK) {
        return rc;
    }

    account = call->data;

    rc = ngx_campaign_store_delete(call->store, ngx_http_campaign_call_op(call, ngx_http_campaign_keys_dropped), NGX_CAMPAIGN_KEY,
                                   (uint32_t) account->rec.no, call->id[1]);

    return ngx_http_campaign_call_wait(call, rc);
}


static ngx_int_t
ngx_http_campaign_keys_dropped(ngx_http_campaign_call_t *call)
{
    if (call->op.rc == NGX_CAMPAIGN_NOT_FOUND) {
        return ngx_http_campaign_error(call, 1912);
    }

    return ngx_http_campaign_resource_deleted(call);
}


/* a new key as text in call->data (ngx_str_t), its SHA-256 in hash */

static ngx_int_t
ngx_http_campaign_accounts_key(ngx_http_campaign_call_t *call, u_char *hash)
{
    u_char      random[NGX_CAMPAIGN_KEY_BYTES];
    ngx_str_t  *key, src;

    if (RAND_bytes(random, sizeof(random)) != 1) {
        ngx_log_error(NGX_LOG_CRIT, call->request->connection->log, 0, "RAND_bytes() failed: no key can be made");
        return NGX_ERROR;
    }

    key = ngx_palloc(call->pool, sizeof(ngx_str_t));
    if (key == NULL) {
        return NGX_ERROR;
    }

    key->data = ngx_pnalloc(call->pool, ngx_base64_encoded_length(sizeof(random)));
    if (key->data == NULL) {
        return NGX_ERROR;
    }

    src.data = random;
    src.len = sizeof(random);

    ngx_encode_base64url(key, &src);
    ngx_explicit_memzero(random, sizeof(random));

    if (SHA256(key->data, key->len, hash) == NULL) {
        return NGX_ERROR;
    }

    call->data = key;

    return NGX_OK;
}


static void
ngx_http_campaign_accounts_key_print(ngx_http_campaign_call_t *call, ngx_http_campaign_out_t *out, const ngx_http_campaign_field_t *f,
    const void *place)
{
    ngx_http_campaign_out_string(out, call->data);
}
