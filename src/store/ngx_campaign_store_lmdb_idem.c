
/*
 * Idempotency keys: which are carried out at the moment, and the answers of those that were.  It keeps true: a key's answer is committed
 * together with what the request changed, once; an account's newest answers are kept, at most NGX_CAMPAIGN_IDEM_MAX, and none for longer
 * than NGX_CAMPAIGN_IDEM_AGE; a write removes a few old ones at most.
 *
 * A key that is carried out is a locked byte of a file, at a place that is made from account and key: such a lock (fcntl(2), "open file
 * description locks") is another process's to see and ends with its holder.  Two keys of one place (62 bits) would be told that the
 * other is running.
 */

#ifndef _GNU_SOURCE
#define _GNU_SOURCE                             /* F_OFD_SETLK; nginx's own headers have it */
#endif

#include "ngx_campaign_store_lmdb.h"

#include <fcntl.h>
#include <unistd.h>


#define NGX_CAMPAIGN_IDEM_LOCK   "idempotency.lock"

#define NGX_CAMPAIGN_IDEM_HEAD   42             /* kept u64, digest, status u16 */
#define NGX_CAMPAIGN_IDEM_KEY    (4 + NGX_CAMPAIGN_IDEM_KEY_MAX)
#define NGX_CAMPAIGN_KEPT_KEY    (12 + NGX_CAMPAIGN_IDEM_KEY_MAX)

#define NGX_CAMPAIGN_IDEM_STEP   4              /* old answers removed by one write, of its own account and of another one */
#define NGX_CAMPAIGN_HELD_LISTS  256


struct ngx_campaign_held_s {
    ngx_fd_t      fd;
    ngx_queue_t   lists[NGX_CAMPAIGN_HELD_LISTS];       /* ngx_campaign_idem_t, by place */
};


static ngx_campaign_rc_e ngx_campaign_idem_hold_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args);
static ngx_campaign_rc_e ngx_campaign_idem_keep_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args);
static ngx_int_t ngx_campaign_idem_lock(ngx_campaign_store_t *st, ngx_campaign_idem_t *idem);
static uint64_t ngx_campaign_idem_place(ngx_campaign_store_t *st, const ngx_campaign_idem_t *idem);
static ngx_campaign_rc_e ngx_campaign_idem_find(ngx_campaign_txn_t *t, ngx_pool_t *pool, ngx_campaign_idem_t *out);
static ngx_campaign_rc_e ngx_campaign_idem_put(ngx_campaign_txn_t *t, const ngx_campaign_idem_t *idem, ngx_pool_t *pool);
static ngx_campaign_rc_e ngx_campaign_idem_tidy(ngx_campaign_txn_t *t, uint32_t account);
static ngx_campaign_rc_e ngx_campaign_idem_sweep(ngx_campaign_txn_t *t);
static ngx_campaign_rc_e ngx_campaign_idem_oldest(ngx_campaign_txn_t *t, uint32_t account, u_char *key, size_t *len);
static ngx_campaign_rc_e ngx_campaign_idem_remove(ngx_campaign_txn_t *t, u_char *key, size_t len);
static ngx_campaign_rc_e ngx_campaign_idem_count(ngx_campaign_txn_t *t, uint32_t account, ngx_int_t more, uint64_t *count);
static size_t ngx_campaign_idem_key(u_char *p, const ngx_campaign_idem_t *idem);
static size_t ngx_campaign_idem_kept_key(u_char *p, uint32_t account, uint64_t kept, const u_char *key, size_t len);


ngx_int_t
ngx_campaign_store_hold(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_idem_t *idem)
{
    return ngx_campaign_lmdb_read(st, op, ngx_campaign_idem_hold_work, idem);
}


ngx_int_t
ngx_campaign_store_keep(ngx_campaign_store_t *st, ngx_campaign_op_t *op)
{
    return ngx_campaign_lmdb_write(st, op, ngx_campaign_idem_keep_work, NULL);
}


void
ngx_campaign_store_release(ngx_campaign_store_t *st, ngx_campaign_idem_t *idem)
{
    if (!idem->held) {
        return;
    }

    idem->held = 0;
    ngx_queue_remove(&idem->queue);

    if (ngx_campaign_lmdb_held_lock(st, NGX_CAMPAIGN_HELD_UNLOCK, idem->place) != NGX_OK) {
        ngx_log_error(NGX_LOG_ALERT, st->log, ngx_errno, "campaign store \"%V\": unlock in \"" NGX_CAMPAIGN_IDEM_LOCK "\" failed",
                      &st->conf->path);
    }
}


/* an answer that was committed after this read began is found by the transaction that would carry the key out once more */

static ngx_campaign_rc_e
ngx_campaign_idem_hold_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args)
{
    ngx_campaign_idem_t *idem = args;

    ngx_campaign_rc_e  rc;

    rc = ngx_campaign_idem_find(t, op->pool, idem);

    if (rc != NGX_CAMPAIGN_NOT_FOUND) {
        return rc == NGX_CAMPAIGN_OK ? NGX_CAMPAIGN_REPEAT : rc;
    }

    switch (ngx_campaign_idem_lock(t->store, idem)) {

    case NGX_OK:
        return NGX_CAMPAIGN_OK;

    case NGX_BUSY:
        return NGX_CAMPAIGN_IN_USE;

    default:
        return NGX_CAMPAIGN_FAILURE;
    }
}


static ngx_campaign_rc_e
ngx_campaign_idem_keep_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args)
{
    return NGX_CAMPAIGN_OK;
}


ngx_campaign_rc_e
ngx_campaign_lmdb_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, ngx_campaign_work_pt work, void *args)
{
    ngx_campaign_rc_e     rc;
    ngx_campaign_idem_t  *idem, kept;

    idem = op ? op->idem : NULL;

    if (idem == NULL) {
        return work(t, op, args);
    }

    idem->other = 0;

    kept = *idem;
    rc = ngx_campaign_idem_find(t, op->pool, &kept);

    if (rc == NGX_CAMPAIGN_OK) {
        idem->other = (ngx_memcmp(idem->digest, kept.digest, 32) != 0);
        idem->status = kept.status;
        idem->body = kept.body;

        return NGX_CAMPAIGN_REPEAT;
    }

    if (rc != NGX_CAMPAIGN_NOT_FOUND) {
        return rc;
    }

    rc = work(t, op, args);
    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    if (idem->print && idem->print(op, idem) != NGX_OK) {
        return NGX_CAMPAIGN_FAILURE;
    }

    rc = ngx_campaign_idem_put(t, idem, op->pool);

    if (rc == NGX_CAMPAIGN_OK) {
        rc = ngx_campaign_idem_tidy(t, idem->account);
    }

    return rc == NGX_CAMPAIGN_OK ? ngx_campaign_idem_sweep(t) : rc;
}


ngx_int_t
ngx_campaign_lmdb_held_init(ngx_campaign_store_t *st)
{
    u_char               *p, *path;
    ngx_uint_t            i;
    ngx_campaign_held_t  *held;

    held = ngx_pcalloc(st->pool, sizeof(ngx_campaign_held_t));
    path = ngx_pnalloc(st->pool, st->conf->path.len + sizeof("/" NGX_CAMPAIGN_IDEM_LOCK));

    if (held == NULL || path == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < NGX_CAMPAIGN_HELD_LISTS; i++) {
        ngx_queue_init(&held->lists[i]);
    }

    p = ngx_cpymem(path, st->conf->path.data, st->conf->path.len);
    ngx_memcpy(p, "/" NGX_CAMPAIGN_IDEM_LOCK, sizeof("/" NGX_CAMPAIGN_IDEM_LOCK));

    held->fd = open((char *) path, O_RDWR|O_CREAT|O_CLOEXEC|O_NOFOLLOW, 0600);

    if (held->fd == NGX_INVALID_FILE) {
        ngx_log_error(NGX_LOG_EMERG, st->log, ngx_errno, "campaign store \"%V\" cannot be opened: open() \"%s\" failed, remove that file or "
                      "give it to the user of the worker processes", &st->conf->path, path);
        return NGX_ERROR;
    }

    st->held = held;

    return NGX_OK;
}


void
ngx_campaign_lmdb_held_close(ngx_campaign_store_t *st)
{
    if (st->held) {
        (void) close(st->held->fd);
        st->held = NULL;
    }
}


/* NGX_BUSY: this or another process carries the key out */

static ngx_int_t
ngx_campaign_idem_lock(ngx_campaign_store_t *st, ngx_campaign_idem_t *idem)
{
    ngx_queue_t          *q, *list;
    ngx_campaign_idem_t  *other;

    if (idem->held) {
        return NGX_OK;                                  /* the read is run once more */
    }

    idem->place = ngx_campaign_idem_place(st, idem);
    list = &st->held->lists[idem->place % NGX_CAMPAIGN_HELD_LISTS];

    for (q = ngx_queue_head(list); q != ngx_queue_sentinel(list); q = ngx_queue_next(q)) {
        other = ngx_queue_data(q, ngx_campaign_idem_t, queue);

        if (other->place == idem->place) {
            return NGX_BUSY;                            /* a process never waits for a lock of its own */
        }
    }

    switch (ngx_campaign_lmdb_held_lock(st, NGX_CAMPAIGN_HELD_LOCK, idem->place)) {

    case NGX_OK:
        break;

    case NGX_BUSY:
        return NGX_BUSY;

    default:
        ngx_log_error(NGX_LOG_CRIT, st->log, ngx_errno, "campaign store \"%V\": lock in \"" NGX_CAMPAIGN_IDEM_LOCK "\" failed",
                      &st->conf->path);
        return NGX_ERROR;
    }

    ngx_queue_insert_tail(list, &idem->queue);
    idem->held = 1;

    return NGX_OK;
}


ngx_int_t
ngx_campaign_lmdb_held_lock(ngx_campaign_store_t *st, ngx_campaign_held_e what, uint64_t place)
{
    struct flock  fl;

    ngx_memzero(&fl, sizeof(struct flock));

    fl.l_type = (what == NGX_CAMPAIGN_HELD_UNLOCK) ? F_UNLCK : F_WRLCK;
    fl.l_whence = SEEK_SET;
    fl.l_start = (off_t) place;
    fl.l_len = 1;

    if (fcntl(st->held->fd, what == NGX_CAMPAIGN_HELD_ASK ? F_OFD_GETLK : F_OFD_SETLK, &fl) == -1) {
        return (ngx_errno == EAGAIN || ngx_errno == EACCES) ? NGX_BUSY : NGX_ERROR;
    }

    return (what == NGX_CAMPAIGN_HELD_ASK && fl.l_type != F_UNLCK) ? NGX_BUSY : NGX_OK;
}


static uint64_t
ngx_campaign_idem_place(ngx_campaign_store_t *st, const ngx_campaign_idem_t *idem)
{
    u_char  key[NGX_CAMPAIGN_IDEM_KEY];

    return ngx_campaign_siphash(st->secret, key, ngx_campaign_idem_key(key, idem)) >> 2;
}


/* sets digest, status and body (in pool); NOT_FOUND: never seen, or too long ago */

static ngx_campaign_rc_e
ngx_campaign_idem_find(ngx_campaign_txn_t *t, ngx_pool_t *pool, ngx_campaign_idem_t *out)
{
    int            rc;
    u_char         key[NGX_CAMPAIGN_IDEM_KEY];
    size_t         len;
    MDB_val        value;
    const u_char  *p;

    if (out->key.len == 0 || out->key.len > NGX_CAMPAIGN_IDEM_KEY_MAX) {
        return ngx_campaign_lmdb_failed(t, MDB_BAD_VALSIZE, "idempotency key");
    }

    rc = ngx_campaign_lmdb_get(t, NGX_CAMPAIGN_DB_IDEM, key, ngx_campaign_idem_key(key, out), &value);

    if (rc == MDB_NOTFOUND) {
        return NGX_CAMPAIGN_NOT_FOUND;
    }

    p = value.mv_data;

    if (rc != 0 || value.mv_size < NGX_CAMPAIGN_IDEM_HEAD + 4
        || ngx_campaign_crc32c(0, p, value.mv_size - 4) != ngx_campaign_be32_get(p + value.mv_size - 4))
    {
        return ngx_campaign_lmdb_failed(t, rc ? rc : MDB_CORRUPTED, "answer of an idempotency key");
    }

    if ((int64_t) ngx_campaign_be64_get(p) + (int64_t) NGX_CAMPAIGN_IDEM_AGE * 1000000 <= t->now) {
        return NGX_CAMPAIGN_NOT_FOUND;
    }

    len = value.mv_size - NGX_CAMPAIGN_IDEM_HEAD - 4;

    out->body.len = len;
    out->body.data = ngx_pnalloc(pool, len ? len : 1);

    if (out->body.data == NULL) {
        return NGX_CAMPAIGN_FAILURE;
    }

    ngx_memcpy(out->body.data, p + NGX_CAMPAIGN_IDEM_HEAD, len);
    ngx_memcpy(out->digest, p + 8, 32);
    out->status = (ngx_uint_t) p[40] << 8 | p[41];

    return NGX_CAMPAIGN_OK;
}


/* in place of one that is too old, if there is any */

static ngx_campaign_rc_e
ngx_campaign_idem_put(ngx_campaign_txn_t *t, const ngx_campaign_idem_t *idem, ngx_pool_t *pool)
{
    int                 rc;
    u_char             *p, *value, key[NGX_CAMPAIGN_IDEM_KEY], kept[NGX_CAMPAIGN_KEPT_KEY];
    size_t              klen, len;
    MDB_val             old;
    ngx_campaign_rc_e   result;

    klen = ngx_campaign_idem_key(key, idem);

    rc = ngx_campaign_lmdb_get(t, NGX_CAMPAIGN_DB_IDEM, key, klen, &old);

    if (rc == 0) {
        len = ngx_campaign_idem_kept_key(kept, idem->account, ngx_campaign_be64_get(old.mv_data), idem->key.data, idem->key.len);

        result = ngx_campaign_idem_remove(t, kept, len);
        if (result != NGX_CAMPAIGN_OK) {
            return result;
        }

    } else if (rc != MDB_NOTFOUND) {
        return ngx_campaign_lmdb_failed(t, rc, "answer of an idempotency key");
    }

    len = NGX_CAMPAIGN_IDEM_HEAD + idem->body.len;

    value = ngx_pnalloc(pool, len + 4);
    if (value == NULL) {
        return NGX_CAMPAIGN_FAILURE;
    }

    p = ngx_campaign_be64_put(value, (uint64_t) t->now);
    p = ngx_cpymem(p, idem->digest, 32);
    *p++ = (u_char) (idem->status >> 8);
    *p++ = (u_char) idem->status;

    if (idem->body.len) {
        p = ngx_cpymem(p, idem->body.data, idem->body.len);
    }

    ngx_campaign_be32_put(p, ngx_campaign_crc32c(0, value, len));

    rc = ngx_campaign_lmdb_put(t, NGX_CAMPAIGN_DB_IDEM, key, klen, value, len + 4);

    if (rc == 0) {
        len = ngx_campaign_idem_kept_key(kept, idem->account, (uint64_t) t->now, idem->key.data, idem->key.len);
        rc = ngx_campaign_lmdb_put(t, NGX_CAMPAIGN_DB_KEPT, kept, len, "", 0);
    }

    if (rc != 0) {
        return ngx_campaign_lmdb_failed(t, rc, "answer of an idempotency key");
    }

    return ngx_campaign_idem_count(t, idem->account, 1, NULL);
}


/* a few of an account's answers go: those that are too old, and the oldest if there are too many */

static ngx_campaign_rc_e
ngx_campaign_idem_tidy(ngx_campaign_txn_t *t, uint32_t account)
{
    u_char             key[NGX_CAMPAIGN_KEPT_KEY];
    size_t             len;
    uint64_t           count;
    ngx_uint_t         i;
    ngx_campaign_rc_e  rc;

    count = 0;

    for (i = 0; i < NGX_CAMPAIGN_IDEM_STEP; i++) {

        rc = ngx_campaign_idem_oldest(t, account, key, &len);

        if (rc == NGX_CAMPAIGN_OK) {
            rc = ngx_campaign_idem_count(t, account, 0, &count);
        }

        if (rc == NGX_CAMPAIGN_NOT_FOUND || (rc == NGX_CAMPAIGN_OK && ngx_campaign_be32_get(key) != account)) {
            return NGX_CAMPAIGN_OK;
        }

        if (rc != NGX_CAMPAIGN_OK) {
            return rc;
        }

        if (count <= NGX_CAMPAIGN_IDEM_MAX
            && (int64_t) ngx_campaign_be64_get(key + 4) + (int64_t) NGX_CAMPAIGN_IDEM_AGE * 1000000 > t->now)
        {
            return NGX_CAMPAIGN_OK;
        }

        rc = ngx_campaign_idem_remove(t, key, len);
        if (rc != NGX_CAMPAIGN_OK) {
            return rc;
        }
    }

    return NGX_CAMPAIGN_OK;
}


/* one account more, in turn: who sends no more keys does not keep the last ones for ever */

static ngx_campaign_rc_e
ngx_campaign_idem_sweep(ngx_campaign_txn_t *t)
{
    u_char             key[NGX_CAMPAIGN_KEPT_KEY];
    size_t             len;
    ngx_campaign_rc_e  rc;

    rc = ngx_campaign_idem_oldest(t, t->store->swept + 1, key, &len);

    if (rc == NGX_CAMPAIGN_NOT_FOUND) {
        t->store->swept = 0;
        return NGX_CAMPAIGN_OK;
    }

    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    t->store->swept = ngx_campaign_be32_get(key);

    return ngx_campaign_idem_tidy(t, t->store->swept);
}


/* first entry of `kept` with a date, of this account or of one behind it; key has room for NGX_CAMPAIGN_KEPT_KEY */

static ngx_campaign_rc_e
ngx_campaign_idem_oldest(ngx_campaign_txn_t *t, uint32_t account, u_char *key, size_t *len)
{
    int          rc;
    MDB_val      k, none;
    MDB_cursor  *cursor;

    rc = mdb_cursor_open(t->txn, t->store->dbi[NGX_CAMPAIGN_DB_KEPT], &cursor);
    if (rc != 0) {
        return ngx_campaign_lmdb_failed(t, rc, "cursor of kept");
    }

    ngx_campaign_be32_put(key, account);
    k.mv_size = 4;
    k.mv_data = key;

    rc = mdb_cursor_get(cursor, &k, &none, MDB_SET_RANGE);

    if (rc == 0 && k.mv_size == 4) {                    /* the account's count stands before its answers */
        rc = mdb_cursor_get(cursor, &k, &none, MDB_NEXT);
    }

    if (rc == 0 && (k.mv_size <= 12 || k.mv_size > NGX_CAMPAIGN_KEPT_KEY)) {
        rc = MDB_CORRUPTED;
    }

    if (rc == 0) {
        ngx_memcpy(key, k.mv_data, k.mv_size);
        *len = k.mv_size;
    }

    mdb_cursor_close(cursor);

    if (rc == MDB_NOTFOUND) {
        return NGX_CAMPAIGN_NOT_FOUND;
    }

    return rc == 0 ? NGX_CAMPAIGN_OK : ngx_campaign_lmdb_failed(t, rc, "oldest of kept");
}


/* an answer, by its entry of `kept`; key is turned into that of `idem` */

static ngx_campaign_rc_e
ngx_campaign_idem_remove(ngx_campaign_txn_t *t, u_char *key, size_t len)
{
    int       rc;
    uint32_t  account;

    account = ngx_campaign_be32_get(key);

    rc = ngx_campaign_lmdb_del(t, NGX_CAMPAIGN_DB_KEPT, key, len);

    if (rc == 0) {
        ngx_campaign_be32_put(key + 8, account);
        rc = ngx_campaign_lmdb_del(t, NGX_CAMPAIGN_DB_IDEM, key + 8, len - 8);
    }

    if (rc != 0) {
        return ngx_campaign_lmdb_failed(t, rc == MDB_NOTFOUND ? MDB_CORRUPTED : rc, "old answer of an idempotency key");
    }

    return ngx_campaign_idem_count(t, account, -1, NULL);
}


/* answers of an account: more, less, or just how many (more 0, count may be NULL otherwise) */

static ngx_campaign_rc_e
ngx_campaign_idem_count(ngx_campaign_txn_t *t, uint32_t account, ngx_int_t more, uint64_t *count)
{
    int       rc;
    u_char    key[4], value[8];
    uint64_t  n;

    ngx_campaign_be32_put(key, account);

    if (ngx_campaign_lmdb_counter_get(t, NGX_CAMPAIGN_DB_KEPT, key, 4, &n) != NGX_CAMPAIGN_OK) {
        return NGX_CAMPAIGN_FAILURE;
    }

    if (count) {
        *count = n;
    }

    if (more == 0) {
        return NGX_CAMPAIGN_OK;
    }

    n += (uint64_t) more;

    if (n == 0) {
        rc = ngx_campaign_lmdb_del(t, NGX_CAMPAIGN_DB_KEPT, key, 4);

    } else {
        ngx_campaign_be64_put(value, n);
        rc = ngx_campaign_lmdb_put(t, NGX_CAMPAIGN_DB_KEPT, key, 4, value, 8);
    }

    return rc == 0 ? NGX_CAMPAIGN_OK : ngx_campaign_lmdb_failed(t, rc, "count of kept");
}


/* p: room for NGX_CAMPAIGN_IDEM_KEY; returns the length */

static size_t
ngx_campaign_idem_key(u_char *p, const ngx_campaign_idem_t *idem)
{
    ngx_memcpy(ngx_campaign_be32_put(p, idem->account), idem->key.data, idem->key.len);

    return 4 + idem->key.len;
}


static size_t
ngx_campaign_idem_kept_key(u_char *p, uint32_t account, uint64_t kept, const u_char *key, size_t len)
{
    p = ngx_campaign_be64_put(ngx_campaign_be32_put(p, account), kept);
    ngx_memcpy(p, key, len);

    return 12 + len;
}
