
/*
 * What the tests of the engine share: a new store, and works that put and get items: plain numbers in one of its tables.
 */

#ifndef _STORE_ITEM_H_INCLUDED_
#define _STORE_ITEM_H_INCLUDED_


#include "store.h"


typedef struct {
    uint32_t            key;
    uint32_t            n;          /* put: as many keys from key on */
    size_t              bytes;      /* put: of each value, at least 4 */
    ngx_campaign_rc_e   rc;         /* put: answer in place of writing */
    unsigned            bad:1;      /* put: LMDB refuses what comes after the first write */
    uint32_t            runs;       /* how often work ran */
    uint32_t            found;      /* get */
} item_arg_t;


static const char  *item_program;


STORE_UNUSED static ngx_campaign_store_t *
item_store(void)
{
    ngx_campaign_store_t  *st;

    store_fresh(item_program);

    st = ngx_campaign_store_open(&store_conf, &store_log);

    if (!ok(st != NULL, "a new store is opened")) {
        exit(1);
    }

    return st;
}


static ngx_campaign_rc_e
item_put_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args)
{
    item_arg_t *a = args;

    int       err;
    u_char    key[4], *value;
    uint32_t  i;

    static u_char  zero[4096];

    a->runs++;

    if (a->rc != NGX_CAMPAIGN_OK) {
        return a->rc;
    }

    value = zero;

    for (i = 0; i < ngx_max(a->n, 1); i++) {
        ngx_campaign_be32_put(key, a->key + i);

        err = ngx_campaign_lmdb_put(t, NGX_CAMPAIGN_DB_LIMIT, key, 4, value, ngx_max(a->bytes, 4));
        if (err != 0) {
            return ngx_campaign_lmdb_failed(t, err, "put of a test");
        }
    }

    if (a->bad) {
        err = ngx_campaign_lmdb_put(t, NGX_CAMPAIGN_DB_LIMIT, zero, 4096, value, 4);
        return ngx_campaign_lmdb_failed(t, err, "put of a test with a long key");
    }

    return NGX_CAMPAIGN_OK;
}


static ngx_campaign_rc_e
item_get_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args)
{
    item_arg_t *a = args;

    int      err;
    u_char   key[4];
    MDB_val  value;

    ngx_campaign_be32_put(key, a->key);

    err = ngx_campaign_lmdb_get(t, NGX_CAMPAIGN_DB_LIMIT, key, 4, &value);
    if (err == MDB_NOTFOUND) {
        return NGX_CAMPAIGN_NOT_FOUND;
    }

    return err == 0 ? NGX_CAMPAIGN_OK : ngx_campaign_lmdb_failed(t, err, "get of a test");
}


STORE_UNUSED static item_arg_t *
item_put(ngx_campaign_store_t *st, store_op_t *so, uint32_t key)
{
    item_arg_t  *a;

    a = ngx_pcalloc(so->op.pool, sizeof(item_arg_t));
    a->key = key;

    so->rc = NGX_CAMPAIGN_RC_MAX;

    if (ngx_campaign_lmdb_write(st, &so->op, item_put_work, a) != NGX_AGAIN) {
        so->rc = so->op.rc;
    }

    return a;
}


STORE_UNUSED static ngx_uint_t
item_has(ngx_campaign_store_t *st, uint32_t key)
{
    item_arg_t         a;
    ngx_campaign_rc_e  rc;

    ngx_memzero(&a, sizeof(a));
    a.key = key;

    rc = store_answer(ngx_campaign_lmdb_read(st, store_begin(), item_get_work, &a));

    return rc == NGX_CAMPAIGN_OK;
}


STORE_UNUSED static ngx_uint_t
item_txnid(ngx_campaign_store_t *st)
{
    MDB_envinfo  info;

    (void) mdb_env_info(st->env, &info);

    return info.me_last_txnid;
}


#endif /* _STORE_ITEM_H_INCLUDED_ */
