
/*
 * Expired suppressions of accounts that rest.  It keeps true: a look steps over a bounded number of accounts and writes nothing; a purge
 * deletes a bounded number of one account's, and the count goes with them.
 */

#include "ngx_campaign_store_lmdb_suppress.h"


#define NGX_CAMPAIGN_PURGE_ACCOUNTS  256        /* of one look */
#define NGX_CAMPAIGN_PURGE_STEPS     4          /* of one purge, see _suppress_tidy */


static ngx_campaign_rc_e ngx_campaign_purge_look(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args);
static ngx_campaign_rc_e ngx_campaign_purge_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args);
static ngx_campaign_rc_e ngx_campaign_purge_find(ngx_campaign_txn_t *t, uint32_t *account, ngx_uint_t most);


ngx_int_t
ngx_campaign_store_lapsed(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_purge_t *purge)
{
    return ngx_campaign_lmdb_read(st, op, ngx_campaign_purge_look, purge);
}


ngx_int_t
ngx_campaign_store_purge(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_purge_t *purge)
{
    return ngx_campaign_lmdb_write(st, op, ngx_campaign_purge_work, purge);
}


static ngx_campaign_rc_e
ngx_campaign_purge_look(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args)
{
    ngx_campaign_purge_t *purge = args;

    return ngx_campaign_purge_find(t, &purge->account, NGX_CAMPAIGN_PURGE_ACCOUNTS);
}


static ngx_campaign_rc_e
ngx_campaign_purge_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args)
{
    ngx_campaign_purge_t *purge = args;

    uint32_t           account;
    ngx_uint_t         i;
    ngx_campaign_rc_e  rc;

    for (i = 0; i < NGX_CAMPAIGN_PURGE_STEPS; i++) {
        rc = ngx_campaign_suppress_tidy(t, purge->account);
        if (rc != NGX_CAMPAIGN_OK) {
            return rc;
        }
    }

    account = purge->account;
    rc = ngx_campaign_purge_find(t, &account, 1);

    if (rc != NGX_CAMPAIGN_OK && rc != NGX_CAMPAIGN_NOT_FOUND) {
        return rc;
    }

    purge->more = (rc == NGX_CAMPAIGN_OK && account == purge->account);

    return NGX_CAMPAIGN_OK;
}


/* the first from *account on that has some; NOT_FOUND: none of so many has, *account is the one behind them, or 0 */

static ngx_campaign_rc_e
ngx_campaign_purge_find(ngx_campaign_txn_t *t, uint32_t *account, ngx_uint_t most)
{
    int                 rc;
    u_char              start[4];
    int64_t             expires;
    MDB_val             key, none;
    uint32_t            at;
    MDB_cursor         *cursor;
    ngx_campaign_rc_e   result;

    rc = mdb_cursor_open(t->txn, t->store->dbi[NGX_CAMPAIGN_DB_LAPSE], &cursor);
    if (rc != 0) {
        return ngx_campaign_lmdb_failed(t, rc, "cursor of lapse");
    }

    at = *account;
    result = NGX_CAMPAIGN_NOT_FOUND;

    for ( /* void */ ; most; most--) {

        ngx_campaign_be32_put(start, at);
        key.mv_size = 4;
        key.mv_data = start;

        rc = mdb_cursor_get(cursor, &key, &none, MDB_SET_RANGE);

        if (rc == 0 && key.mv_size != NGX_CAMPAIGN_LAPSE_KEY) {
            rc = MDB_CORRUPTED;
        }

        if (rc != 0) {
            at = 0;
            result = (rc == MDB_NOTFOUND) ? NGX_CAMPAIGN_NOT_FOUND : ngx_campaign_lmdb_failed(t, rc, "walk of lapse");
            break;
        }

        at = ngx_campaign_be32_get(key.mv_data);
        expires = (int64_t) ngx_campaign_be64_get((u_char *) key.mv_data + 4);

        if (expires * 1000000 <= t->now) {
            result = NGX_CAMPAIGN_OK;
            break;
        }

        at++;                                           /* its others expire later still */

        if (at == 0) {
            break;
        }
    }

    mdb_cursor_close(cursor);

    *account = at;

    return result;
}
