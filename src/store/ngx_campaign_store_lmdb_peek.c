
/*
 * What a dispatcher sees without a turn: whether there is something to do, when the next campaign starts, and campaigns that are new, so that
 * the turn that takes them in claims of them, too.  It keeps true: nothing is written.
 */

#include "ngx_campaign_store_lmdb_turn.h"


#define NGX_CAMPAIGN_PEEK_CHANGES  16           /* entries of the feed that are looked at */


static ngx_campaign_rc_e ngx_campaign_peek_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args);
static ngx_campaign_rc_e ngx_campaign_peek_feed(ngx_campaign_txn_t *t, ngx_uint_t *any);
static ngx_campaign_rc_e ngx_campaign_peek_walk(ngx_campaign_txn_t *t, ngx_pool_t *pool, ngx_campaign_peek_t *peek, ngx_campaign_db_e db);
static ngx_campaign_rc_e ngx_campaign_peek_sound(ngx_campaign_txn_t *t, ngx_pool_t *pool, ngx_campaign_peek_t *peek, uint32_t account,
    uint64_t no);
static ngx_campaign_rc_e ngx_campaign_peek_campaign(ngx_campaign_txn_t *t, ngx_pool_t *pool, ngx_campaign_peek_t *peek, uint32_t account,
    uint64_t no);


ngx_int_t
ngx_campaign_store_peek(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_peek_t *peek)
{
    return ngx_campaign_lmdb_read(st, op, ngx_campaign_peek_work, peek);
}


static ngx_campaign_rc_e
ngx_campaign_peek_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args)
{
    ngx_campaign_peek_t *peek = args;

    ngx_uint_t            any;
    ngx_campaign_rc_e     rc;
    ngx_campaign_sched_t  first;

    peek->fresh = NULL;

    rc = ngx_campaign_turn_epoch(t, &peek->epoch);
    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    rc = ngx_campaign_turn_more(t, &any);
    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    peek->changed = any ? 1 : 0;

    rc = ngx_campaign_turn_sched_first(t, &first);

    peek->next = first.at;

    if (rc != NGX_CAMPAIGN_OK || (!any && (peek->next == 0 || peek->next > t->now))) {
        return rc;
    }

    peek->fresh = ngx_array_create(op->pool, 2, sizeof(ngx_campaign_live_t));
    if (peek->fresh == NULL) {
        return NGX_CAMPAIGN_FAILURE;
    }

    rc = ngx_campaign_peek_walk(t, op->pool, peek, NGX_CAMPAIGN_DB_SCHED);

    return rc == NGX_CAMPAIGN_OK ? ngx_campaign_peek_walk(t, op->pool, peek, NGX_CAMPAIGN_DB_FEED) : rc;
}


/* the first entries of the feed, or those of the schedule that are due */

static ngx_campaign_rc_e
ngx_campaign_peek_walk(ngx_campaign_txn_t *t, ngx_pool_t *pool, ngx_campaign_peek_t *peek, ngx_campaign_db_e db)
{
    int                 rc;
    u_char             *p;
    MDB_val             key, value;
    ngx_uint_t          i;
    MDB_cursor         *cursor;
    ngx_campaign_rc_e   result;

    rc = mdb_cursor_open(t->txn, t->store->dbi[db], &cursor);
    if (rc != 0) {
        return ngx_campaign_lmdb_failed(t, rc, "cursor of a peek");
    }

    result = NGX_CAMPAIGN_OK;
    rc = mdb_cursor_get(cursor, &key, &value, MDB_FIRST);

    for (i = 0; rc == 0 && result == NGX_CAMPAIGN_OK && i < NGX_CAMPAIGN_PEEK_CHANGES; i++) {
        p = key.mv_data;

        if (db == NGX_CAMPAIGN_DB_SCHED) {
            if (key.mv_size != 16 || value.mv_size != 4 || (int64_t) ngx_campaign_be64_get(p) * 1000000 > t->now) {
                break;
            }

            result = ngx_campaign_peek_sound(t, pool, peek, ngx_campaign_be32_get(value.mv_data), ngx_campaign_be64_get(p + 8));

        } else if (key.mv_size == 13 && p[0] == NGX_CAMPAIGN_CAMPAIGN) {
            result = ngx_campaign_peek_sound(t, pool, peek, ngx_campaign_be32_get(p + 1), ngx_campaign_be64_get(p + 5));
        }

        rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    }

    mdb_cursor_close(cursor);

    if (result == NGX_CAMPAIGN_OK && rc != 0 && rc != MDB_NOTFOUND) {
        return ngx_campaign_lmdb_failed(t, rc, "walk of a peek");
    }

    return result;
}


/* what is damaged is no news: the turn finds it, and says so */

static ngx_campaign_rc_e
ngx_campaign_peek_sound(ngx_campaign_txn_t *t, ngx_pool_t *pool, ngx_campaign_peek_t *peek, uint32_t account, uint64_t no)
{
    ngx_campaign_rc_e  rc;

    if (ngx_campaign_damage_has(t->store, NGX_CAMPAIGN_CAMPAIGN, no) || ngx_campaign_damage_has(t->store, NGX_CAMPAIGN_ACCOUNT, account)) {
        return NGX_CAMPAIGN_OK;
    }

    t->quiet = 1;
    rc = ngx_campaign_peek_campaign(t, pool, peek, account, no);
    t->quiet = 0;

    if (rc == NGX_CAMPAIGN_FAILURE && t->err == MDB_CORRUPTED) {
        t->err = 0;
        return NGX_CAMPAIGN_OK;
    }

    return rc;
}


/* one of which no dispatcher ever claimed, with its account; of others the turn knows more, that may have to recover them first */

static ngx_campaign_rc_e
ngx_campaign_peek_campaign(ngx_campaign_txn_t *t, ngx_pool_t *pool, ngx_campaign_peek_t *peek, uint32_t account, uint64_t no)
{
    int64_t                  tat;
    ngx_campaign_rc_e        rc;
    ngx_campaign_run_t       run;
    ngx_campaign_live_t     *live;
    ngx_campaign_account_t   a;
    ngx_campaign_campaign_t  c;

    ngx_memzero(&a, sizeof(ngx_campaign_account_t));
    ngx_memzero(&c, sizeof(ngx_campaign_campaign_t));
    ngx_memzero(&run, sizeof(ngx_campaign_run_t));

    rc = ngx_campaign_lmdb_run_get(t, no, &run);

    if (rc != NGX_CAMPAIGN_OK) {
        return rc == NGX_CAMPAIGN_NOT_FOUND ? NGX_CAMPAIGN_OK : rc;
    }

    if ((run.status != NGX_CAMPAIGN_C_IN_PROGRESS && run.status != NGX_CAMPAIGN_C_SCHEDULED) || run.upto || run.progress.again) {
        return NGX_CAMPAIGN_OK;
    }

    rc = ngx_campaign_lmdb_record_get(t, NGX_CAMPAIGN_ACCOUNT, 0, account, NULL, &a);

    tat = 0;

    if (rc == NGX_CAMPAIGN_OK) {
        rc = ngx_campaign_limit_get(t, account, &tat);
    }

    if (rc == NGX_CAMPAIGN_OK) {
        rc = ngx_campaign_lmdb_record_get(t, NGX_CAMPAIGN_CAMPAIGN, account, no, pool, &c);
    }

    if (rc != NGX_CAMPAIGN_OK || a.rec.status != NGX_CAMPAIGN_A_ACTIVE) {
        return rc == NGX_CAMPAIGN_NOT_FOUND ? NGX_CAMPAIGN_OK : rc;
    }

    live = ngx_array_push_n(peek->fresh, 2);
    if (live == NULL) {
        return NGX_CAMPAIGN_FAILURE;
    }

    ngx_memzero(live, 2 * sizeof(ngx_campaign_live_t));

    live[0].kind = NGX_CAMPAIGN_ACCOUNT;
    live[0].account = account;
    live[0].no = account;
    live[0].rate = a.rate;
    live[0].burst = a.burst;
    live[0].tat = tat;

    live[1].kind = NGX_CAMPAIGN_CAMPAIGN;
    live[1].account = account;
    live[1].no = no;
    live[1].campaign = c;
    live[1].campaign.rec.status = NGX_CAMPAIGN_C_IN_PROGRESS;
    live[1].campaign.rec.updated = run.updated;
    live[1].campaign.schedule = run.schedule;
    live[1].campaign.progress = run.progress;
    live[1].fresh = c.span;

    return NGX_CAMPAIGN_OK;
}


ngx_campaign_rc_e
ngx_campaign_turn_more(ngx_campaign_txn_t *t, ngx_uint_t *any)
{
    ngx_campaign_rc_e  rc;

    rc = ngx_campaign_peek_feed(t, any);

    return (rc == NGX_CAMPAIGN_OK && !*any) ? ngx_campaign_lmdb_theirs_any(t, any) : rc;
}


ngx_campaign_rc_e
ngx_campaign_turn_epoch(ngx_campaign_txn_t *t, uint64_t *epoch)
{
    int      rc;
    MDB_val  value;

    rc = ngx_campaign_lmdb_get(t, NGX_CAMPAIGN_DB_META, "epoch", 5, &value);

    if (rc == MDB_NOTFOUND) {
        *epoch = 0;
        return NGX_CAMPAIGN_OK;
    }

    if (rc != 0 || value.mv_size != 8) {
        return ngx_campaign_lmdb_failed(t, rc ? rc : MDB_CORRUPTED, "epoch");
    }

    *epoch = ngx_campaign_be64_get(value.mv_data);

    return NGX_CAMPAIGN_OK;
}


ngx_campaign_rc_e
ngx_campaign_turn_sched_first(ngx_campaign_txn_t *t, ngx_campaign_sched_t *first)
{
    int          rc;
    u_char      *p;
    MDB_val      key, value;
    MDB_cursor  *cursor;

    ngx_memzero(first, sizeof(ngx_campaign_sched_t));

    rc = mdb_cursor_open(t->txn, t->store->dbi[NGX_CAMPAIGN_DB_SCHED], &cursor);
    if (rc != 0) {
        return ngx_campaign_lmdb_failed(t, rc, "cursor of sched");
    }

    for (rc = mdb_cursor_get(cursor, &key, &value, MDB_FIRST); rc == 0; rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) {

        if (key.mv_size != 16 || value.mv_size != 4) {
            rc = MDB_CORRUPTED;
            break;
        }

        p = key.mv_data;

        if (ngx_campaign_damage_has(t->store, NGX_CAMPAIGN_CAMPAIGN, ngx_campaign_be64_get(p + 8))) {
            continue;
        }

        first->at = (int64_t) ngx_max(ngx_campaign_be64_get(p) * 1000000, 1);    /* at once, which is not never */
        first->no = ngx_campaign_be64_get(p + 8);
        first->account = ngx_campaign_be32_get(value.mv_data);
        break;
    }

    mdb_cursor_close(cursor);

    return (rc == 0 || rc == MDB_NOTFOUND) ? NGX_CAMPAIGN_OK : ngx_campaign_lmdb_failed(t, rc, "walk of sched");
}


static ngx_campaign_rc_e
ngx_campaign_peek_feed(ngx_campaign_txn_t *t, ngx_uint_t *any)
{
    int      rc;
    MDB_val  key, none;

    key.mv_size = 0;
    rc = ngx_campaign_lmdb_first(t, NGX_CAMPAIGN_DB_FEED, &key, &none);

    if (rc != 0 && rc != MDB_NOTFOUND) {
        return ngx_campaign_lmdb_failed(t, rc, "first of feed");
    }

    *any = (rc == 0);

    return NGX_CAMPAIGN_OK;
}
