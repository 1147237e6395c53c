
/*
 * Deletes objects with all that hangs on them.  It keeps true: a scheduled, running or paused campaign has its audience and its
 * sender; no message in flight loses its campaign; nothing of a deleted object is left in any table (but gateways' ids of its messages,
 * which the next turns remove).
 */

#include "ngx_campaign_store_lmdb_suppress.h"


typedef struct {
    ngx_campaign_kind_e           kind;
    uint32_t                      account;
    u_char                        id[NGX_CAMPAIGN_ID_LEN];
} ngx_campaign_delete_t;

/* what a campaign may be using */

typedef struct {
    uint64_t                      list;         /* an audience's; 0: not asked */
    const ngx_campaign_rec_t     *sender;       /* NULL: not asked */
} ngx_campaign_delete_use_t;


static ngx_campaign_rc_e ngx_campaign_delete_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args);
static ngx_campaign_rc_e ngx_campaign_delete_campaign(ngx_campaign_txn_t *t, const ngx_campaign_delete_t *d, ngx_pool_t *pool);
static ngx_campaign_rc_e ngx_campaign_delete_campaign_rest(ngx_campaign_txn_t *t, const ngx_campaign_campaign_t *c,
    const ngx_campaign_run_t *run);
static ngx_campaign_rc_e ngx_campaign_delete_audience(ngx_campaign_txn_t *t, const ngx_campaign_delete_t *d, ngx_pool_t *pool);
static ngx_campaign_rc_e ngx_campaign_delete_sender(ngx_campaign_txn_t *t, const ngx_campaign_delete_t *d, ngx_pool_t *pool);
static ngx_campaign_rc_e ngx_campaign_delete_template(ngx_campaign_txn_t *t, const ngx_campaign_delete_t *d, ngx_pool_t *pool);
static ngx_campaign_rc_e ngx_campaign_delete_webhook(ngx_campaign_txn_t *t, const ngx_campaign_delete_t *d, ngx_pool_t *pool);
static ngx_campaign_rc_e ngx_campaign_delete_key(ngx_campaign_txn_t *t, const ngx_campaign_delete_t *d, ngx_pool_t *pool);
static ngx_campaign_rc_e ngx_campaign_delete_account(ngx_campaign_txn_t *t, const ngx_campaign_delete_t *d, ngx_pool_t *pool);
static ngx_campaign_rc_e ngx_campaign_delete_account_keys(ngx_campaign_txn_t *t, uint32_t account, ngx_pool_t *pool);

static ngx_campaign_rc_e ngx_campaign_delete_used(ngx_campaign_txn_t *t, uint32_t account, const ngx_campaign_delete_use_t *use);
static ngx_campaign_rc_e ngx_campaign_delete_used_list(ngx_campaign_txn_t *t, uint32_t account, ngx_campaign_kind_e kind,
    ngx_uint_t status, const ngx_campaign_delete_use_t *use);
static ngx_campaign_rc_e ngx_campaign_delete_next(ngx_campaign_txn_t *t, const u_char *list, size_t len, uint64_t after, uint64_t *no);


typedef ngx_campaign_rc_e (*ngx_campaign_delete_pt)(ngx_campaign_txn_t *t, const ngx_campaign_delete_t *d, ngx_pool_t *pool);

static const ngx_str_t  ngx_campaign_delete_any = ngx_null_string;       /* channel of a list */

static const ngx_campaign_delete_pt  ngx_campaign_delete_kinds[NGX_CAMPAIGN_KIND_MAX] = {
    [NGX_CAMPAIGN_ACCOUNT]  = ngx_campaign_delete_account,
    [NGX_CAMPAIGN_KEY]      = ngx_campaign_delete_key,
    [NGX_CAMPAIGN_SENDER]   = ngx_campaign_delete_sender,
    [NGX_CAMPAIGN_TEMPLATE] = ngx_campaign_delete_template,
    [NGX_CAMPAIGN_AUDIENCE] = ngx_campaign_delete_audience,
    [NGX_CAMPAIGN_CAMPAIGN] = ngx_campaign_delete_campaign,
    [NGX_CAMPAIGN_WEBHOOK]  = ngx_campaign_delete_webhook
};


ngx_int_t
ngx_campaign_store_delete(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_kind_e kind, uint32_t account, u_char *id)
{
    ngx_campaign_delete_t  *d;

    d = ngx_palloc(op->pool, sizeof(ngx_campaign_delete_t));

    if (d == NULL || kind >= NGX_CAMPAIGN_KIND_MAX || ngx_campaign_delete_kinds[kind] == NULL) {
        op->rc = NGX_CAMPAIGN_FAILURE;
        return NGX_ERROR;
    }

    d->kind = kind;
    d->account = account;
    ngx_memcpy(d->id, id, NGX_CAMPAIGN_ID_LEN);

    return ngx_campaign_lmdb_write(st, op, ngx_campaign_delete_work, d);
}


static ngx_campaign_rc_e
ngx_campaign_delete_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args)
{
    ngx_campaign_delete_t *d = args;

    return ngx_campaign_delete_kinds[d->kind](t, d, op->pool);
}


static ngx_campaign_rc_e
ngx_campaign_delete_campaign(ngx_campaign_txn_t *t, const ngx_campaign_delete_t *d, ngx_pool_t *pool)
{
    ngx_campaign_rc_e        rc;
    ngx_campaign_run_t       run;
    ngx_campaign_campaign_t  c;

    rc = ngx_campaign_lmdb_record_find(t, NGX_CAMPAIGN_CAMPAIGN, d->account, d->id, pool, &c);
    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    rc = ngx_campaign_lmdb_run_get(t, c.rec.no, &run);
    if (rc != NGX_CAMPAIGN_OK) {
        return rc == NGX_CAMPAIGN_NOT_FOUND ? ngx_campaign_lmdb_failed(t, MDB_CORRUPTED, "run of a campaign") : rc;
    }

    if (run.status == NGX_CAMPAIGN_C_IN_PROGRESS || run.status == NGX_CAMPAIGN_C_PAUSED || run.progress.enroute) {
        return NGX_CAMPAIGN_IN_USE;
    }

    c.rec.status = run.status;                          /* it is listed under this one */

    rc = ngx_campaign_lmdb_message_count(t, &c.rec, run.progress.total, 0);

    if (rc == NGX_CAMPAIGN_OK) {
        rc = ngx_campaign_lmdb_record_delete(t, NGX_CAMPAIGN_CAMPAIGN, &c.rec);
    }

    return rc == NGX_CAMPAIGN_OK ? ngx_campaign_delete_campaign_rest(t, &c, &run) : rc;
}


static ngx_campaign_rc_e
ngx_campaign_delete_campaign_rest(ngx_campaign_txn_t *t, const ngx_campaign_campaign_t *c, const ngx_campaign_run_t *run)
{
    u_char             key[8];
    ngx_uint_t         i;
    ngx_campaign_rc_e  rc;

    static const ngx_campaign_db_e  tables[] = {
        NGX_CAMPAIGN_DB_RUN, NGX_CAMPAIGN_DB_CHUNK, NGX_CAMPAIGN_DB_AGAIN, NGX_CAMPAIGN_DB_TRIES, NGX_CAMPAIGN_DB_LEAVING
    };

    ngx_campaign_be64_put(key, c->rec.no);

    for (i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        rc = ngx_campaign_lmdb_prefix_drop(t, tables[i], key, 8);
        if (rc != NGX_CAMPAIGN_OK) {
            return rc;
        }
    }

    rc = ngx_campaign_lmdb_theirs_drop(t, &c->rec);
    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    if (run->status == NGX_CAMPAIGN_C_SCHEDULED) {
        rc = ngx_campaign_lmdb_sched_del(t, &c->rec, run);
        if (rc != NGX_CAMPAIGN_OK) {
            return rc;
        }
    }

    if (c->list == NGX_CAMPAIGN_LIST_CAMPAIGN(c->rec.no)) {
        rc = ngx_campaign_lmdb_contacts_drop(t, c->list);
        if (rc != NGX_CAMPAIGN_OK) {
            return rc;
        }
    }

    return ngx_campaign_lmdb_feed(t, NGX_CAMPAIGN_CAMPAIGN, c->rec.account, c->rec.no);
}


static ngx_campaign_rc_e
ngx_campaign_delete_audience(ngx_campaign_txn_t *t, const ngx_campaign_delete_t *d, ngx_pool_t *pool)
{
    ngx_campaign_rc_e          rc;
    ngx_campaign_audience_t    a;
    ngx_campaign_delete_use_t  use;

    rc = ngx_campaign_lmdb_record_find(t, NGX_CAMPAIGN_AUDIENCE, d->account, d->id, pool, &a);
    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    use.list = NGX_CAMPAIGN_LIST_AUDIENCE(a.rec.no);
    use.sender = NULL;

    rc = ngx_campaign_delete_used(t, d->account, &use);

    if (rc == NGX_CAMPAIGN_OK) {
        rc = ngx_campaign_lmdb_record_delete(t, NGX_CAMPAIGN_AUDIENCE, &a.rec);
    }

    return rc == NGX_CAMPAIGN_OK ? ngx_campaign_lmdb_contacts_drop(t, use.list) : rc;
}


static ngx_campaign_rc_e
ngx_campaign_delete_sender(ngx_campaign_txn_t *t, const ngx_campaign_delete_t *d, ngx_pool_t *pool)
{
    ngx_campaign_rc_e          rc;
    ngx_campaign_sender_t      s;
    ngx_campaign_delete_use_t  use;

    rc = ngx_campaign_lmdb_record_find(t, NGX_CAMPAIGN_SENDER, d->account, d->id, pool, &s);
    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    use.list = 0;
    use.sender = &s.rec;

    rc = ngx_campaign_delete_used(t, d->account, &use);

    return rc == NGX_CAMPAIGN_OK ? ngx_campaign_lmdb_record_delete(t, NGX_CAMPAIGN_SENDER, &s.rec) : rc;
}


/* campaigns have a copy of its text */

static ngx_campaign_rc_e
ngx_campaign_delete_template(ngx_campaign_txn_t *t, const ngx_campaign_delete_t *d, ngx_pool_t *pool)
{
    ngx_campaign_rc_e    rc;
    ngx_campaign_text_t  text;

    rc = ngx_campaign_lmdb_record_find(t, NGX_CAMPAIGN_TEMPLATE, d->account, d->id, pool, &text);

    return rc == NGX_CAMPAIGN_OK ? ngx_campaign_lmdb_record_delete(t, NGX_CAMPAIGN_TEMPLATE, &text.rec) : rc;
}


static ngx_campaign_rc_e
ngx_campaign_delete_webhook(ngx_campaign_txn_t *t, const ngx_campaign_delete_t *d, ngx_pool_t *pool)
{
    ngx_campaign_rc_e       rc;
    ngx_campaign_webhook_t  w;

    rc = ngx_campaign_lmdb_record_find(t, NGX_CAMPAIGN_WEBHOOK, d->account, d->id, pool, &w);

    if (rc == NGX_CAMPAIGN_OK) {
        rc = ngx_campaign_lmdb_record_delete(t, NGX_CAMPAIGN_WEBHOOK, &w.rec);
    }

    return rc == NGX_CAMPAIGN_OK ? ngx_campaign_lmdb_webhook_drop(t, w.rec.no) : rc;
}


static ngx_campaign_rc_e
ngx_campaign_delete_key(ngx_campaign_txn_t *t, const ngx_campaign_delete_t *d, ngx_pool_t *pool)
{
    ngx_campaign_rc_e   rc;
    ngx_campaign_key_t  key;

    rc = ngx_campaign_lmdb_record_find(t, NGX_CAMPAIGN_KEY, d->account, d->id, pool, &key);

    return rc == NGX_CAMPAIGN_OK ? ngx_campaign_lmdb_record_delete(t, NGX_CAMPAIGN_KEY, &key.rec) : rc;
}


/* an account that owns nothing but its keys and suppressions: IN_USE keeps a slip of the hand from taking campaigns and audiences along */

static ngx_campaign_rc_e
ngx_campaign_delete_account(ngx_campaign_txn_t *t, const ngx_campaign_delete_t *d, ngx_pool_t *pool)
{
    int                     rc;
    u_char                  key[NGX_CAMPAIGN_LIST_KEY];
    size_t                  len;
    uint32_t                no;
    uint64_t                n;
    ngx_uint_t              kind;
    ngx_campaign_rc_e       result;
    ngx_campaign_account_t  a;

    result = ngx_campaign_lmdb_record_find(t, NGX_CAMPAIGN_ACCOUNT, 0, d->id, pool, &a);
    if (result != NGX_CAMPAIGN_OK) {
        return result;
    }

    no = (uint32_t) a.rec.no;

    for (kind = 1; kind < NGX_CAMPAIGN_KIND_MAX; kind++) {

        if (kind == NGX_CAMPAIGN_ACCOUNT || kind == NGX_CAMPAIGN_KEY
            || (ngx_campaign_lmdb_record_size(kind) == 0 && kind != NGX_CAMPAIGN_MESSAGE))
        {
            continue;
        }

        len = ngx_campaign_lmdb_record_list(key, kind, no, &ngx_campaign_delete_any, 0);

        result = ngx_campaign_lmdb_counter_get(t, NGX_CAMPAIGN_DB_COUNT, key, len, &n);
        if (result != NGX_CAMPAIGN_OK || n) {
            return result == NGX_CAMPAIGN_OK ? NGX_CAMPAIGN_IN_USE : result;
        }
    }

    result = ngx_campaign_delete_account_keys(t, no, pool);

    if (result == NGX_CAMPAIGN_OK) {
        result = ngx_campaign_suppress_drop(t, no);
    }

    if (result == NGX_CAMPAIGN_OK) {
        result = ngx_campaign_lmdb_record_delete(t, NGX_CAMPAIGN_ACCOUNT, &a.rec);
    }

    if (result != NGX_CAMPAIGN_OK) {
        return result;
    }

    ngx_campaign_be32_put(key, no);

    rc = ngx_campaign_lmdb_del(t, NGX_CAMPAIGN_DB_LIMIT, key, 4);
    if (rc != 0 && rc != MDB_NOTFOUND) {
        return ngx_campaign_lmdb_failed(t, rc, "limit of account");
    }

    return ngx_campaign_lmdb_feed(t, NGX_CAMPAIGN_ACCOUNT, 0, no);
}


static ngx_campaign_rc_e
ngx_campaign_delete_account_keys(ngx_campaign_txn_t *t, uint32_t account, ngx_pool_t *pool)
{
    u_char              list[NGX_CAMPAIGN_LIST_KEY];
    size_t              len;
    uint64_t            no;
    ngx_campaign_rc_e   rc;
    ngx_campaign_key_t  key;

    len = ngx_campaign_lmdb_record_list(list, NGX_CAMPAIGN_KEY, account, &ngx_campaign_delete_any, 0);

    for ( ;; ) {
        rc = ngx_campaign_delete_next(t, list, len, 0, &no);
        if (rc != NGX_CAMPAIGN_OK) {
            return rc == NGX_CAMPAIGN_NOT_FOUND ? NGX_CAMPAIGN_OK : rc;
        }

        rc = ngx_campaign_lmdb_record_get(t, NGX_CAMPAIGN_KEY, account, no, pool, &key);

        if (rc == NGX_CAMPAIGN_OK) {
            rc = ngx_campaign_lmdb_record_delete(t, NGX_CAMPAIGN_KEY, &key.rec);
        }

        if (rc != NGX_CAMPAIGN_OK) {
            return rc == NGX_CAMPAIGN_NOT_FOUND ? ngx_campaign_lmdb_failed(t, MDB_CORRUPTED, "record of an API key") : rc;
        }
    }
}


/* IN_USE: a campaign that may still send uses it.  Walks these campaigns of the account: mostly few, and deletes are rare */

static ngx_campaign_rc_e
ngx_campaign_delete_used(ngx_campaign_txn_t *t, uint32_t account, const ngx_campaign_delete_use_t *use)
{
    ngx_uint_t         i;
    ngx_campaign_rc_e  rc;

    static const ngx_uint_t  status[] = { NGX_CAMPAIGN_C_SCHEDULED, NGX_CAMPAIGN_C_IN_PROGRESS, NGX_CAMPAIGN_C_PAUSED };

    for (i = 0; i < sizeof(status) / sizeof(status[0]); i++) {
        rc = ngx_campaign_delete_used_list(t, account, NGX_CAMPAIGN_CAMPAIGN, status[i], use);

        if (rc == NGX_CAMPAIGN_OK) {
            rc = ngx_campaign_delete_used_list(t, account, NGX_CAMPAIGN_MESSAGE, status[i], use);
        }

        if (rc != NGX_CAMPAIGN_OK) {
            return rc;
        }
    }

    return NGX_CAMPAIGN_OK;
}


static ngx_campaign_rc_e
ngx_campaign_delete_used_list(ngx_campaign_txn_t *t, uint32_t account, ngx_campaign_kind_e kind, ngx_uint_t status,
    const ngx_campaign_delete_use_t *use)
{
    u_char                    list[NGX_CAMPAIGN_LIST_KEY];
    size_t                    len;
    uint64_t                  no;
    ngx_campaign_rc_e         rc;
    ngx_campaign_campaign_t   c;
    const ngx_campaign_rec_t  *sender;

    len = ngx_campaign_lmdb_record_list(list, kind, account, &ngx_campaign_delete_any, status);
    sender = use->sender;

    for (no = 0; ; /* void */ ) {
        rc = ngx_campaign_delete_next(t, list, len, no, &no);
        if (rc != NGX_CAMPAIGN_OK) {
            return rc == NGX_CAMPAIGN_NOT_FOUND ? NGX_CAMPAIGN_OK : rc;
        }

        rc = ngx_campaign_lmdb_record_get(t, NGX_CAMPAIGN_CAMPAIGN, account, no, NULL, &c);
        if (rc != NGX_CAMPAIGN_OK) {
            return rc == NGX_CAMPAIGN_NOT_FOUND ? ngx_campaign_lmdb_failed(t, MDB_CORRUPTED, "campaign of a list") : rc;
        }

        if (use->list && use->list == c.list) {
            return NGX_CAMPAIGN_IN_USE;
        }

        if (sender && sender->name.len == c.from.len && sender->channel.len == c.rec.channel.len
            && ngx_memcmp(sender->name.data, c.from.data, c.from.len) == 0
            && ngx_memcmp(sender->channel.data, c.rec.channel.data, c.rec.channel.len) == 0)
        {
            return NGX_CAMPAIGN_IN_USE;
        }
    }
}


/* the first number of a list above `after`; NOT_FOUND: there is none */

static ngx_campaign_rc_e
ngx_campaign_delete_next(ngx_campaign_txn_t *t, const u_char *list, size_t len, uint64_t after, uint64_t *no)
{
    int      rc;
    u_char   start[NGX_CAMPAIGN_LIST_KEY];
    MDB_val  key, none;

    ngx_campaign_be64_put(ngx_cpymem(start, list, len), after + 1);

    key.mv_size = len + 8;
    key.mv_data = start;

    rc = ngx_campaign_lmdb_first(t, NGX_CAMPAIGN_DB_LIST, &key, &none);

    if (rc == MDB_NOTFOUND || (rc == 0 && (key.mv_size != len + 8 || ngx_memcmp(key.mv_data, list, len) != 0))) {
        return NGX_CAMPAIGN_NOT_FOUND;
    }

    if (rc != 0) {
        return ngx_campaign_lmdb_failed(t, rc, "list");
    }

    *no = ngx_campaign_be64_get((u_char *) key.mv_data + len);

    return NGX_CAMPAIGN_OK;
}
