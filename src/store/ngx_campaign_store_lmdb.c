
/*
 * The store of a process: its reads, what every work does with tables and errors, and the environment mended when LMDB says that it is
 * broken.  It keeps true: the map is replaced only while no transaction of this process is under way.
 */

#include "ngx_campaign_store_lmdb.h"

#include <sys/statvfs.h>
#include <unistd.h>


#define NGX_CAMPAIGN_LMDB_TRIES     10          /* of a read whose environment has to be mended */
#define NGX_CAMPAIGN_LMDB_TICK      1000        /* ms */
#define NGX_CAMPAIGN_LMDB_ROOM      (1024 * 1024)   /* bytes; a disk with less is full */
#define NGX_CAMPAIGN_LMDB_SAID      60          /* seconds between two entries about a disk or map that is full, or takes no writes */


static ngx_int_t ngx_campaign_lmdb_read_run(ngx_campaign_store_t *st, ngx_campaign_op_t *op);
static int ngx_campaign_lmdb_read_begin(ngx_campaign_store_t *st);
static ngx_uint_t ngx_campaign_lmdb_broken(int err);
static ngx_int_t ngx_campaign_lmdb_mend_env(ngx_campaign_store_t *st, int err);
static ngx_uint_t ngx_campaign_lmdb_full(ngx_campaign_store_t *st, int err);
static ngx_uint_t ngx_campaign_lmdb_says(ngx_campaign_txn_t *t, time_t *said);
static int ngx_campaign_lmdb_store(ngx_campaign_txn_t *t, ngx_campaign_db_e db, const void *key, size_t klen, const void *value,
    size_t vlen, unsigned flags);
static void ngx_campaign_lmdb_tick(ngx_event_t *ev);
static void ngx_campaign_lmdb_tick_open(ngx_campaign_store_t *st);


ngx_campaign_store_t *
ngx_campaign_store_open(ngx_campaign_store_conf_t *conf, ngx_log_t *log)
{
    ngx_pool_t            *pool;
    ngx_campaign_store_t  *st;

    if (ngx_strstr(conf->path.data, "://") != NULL) {
        ngx_log_error(NGX_LOG_EMERG, log, 0, "campaign store \"%V\": no such engine, give the path of a directory", &conf->path);
        return NULL;
    }

    pool = ngx_create_pool(NGX_DEFAULT_POOL_SIZE, log);
    if (pool == NULL) {
        return NULL;
    }

    st = ngx_pcalloc(pool, sizeof(ngx_campaign_store_t));
    if (st == NULL) {
        ngx_destroy_pool(pool);
        return NULL;
    }

    st->life.log = log;
    st->conf = conf;
    st->log = log;
    st->pool = pool;

    st->place = NGX_INVALID_FILE;

    ngx_queue_init(&st->deferred);

    if (ngx_campaign_lmdb_check(st) != NGX_OK || ngx_campaign_lmdb_place_take(st) != NGX_OK || ngx_campaign_lmdb_env_open(st) != NGX_OK
        || ngx_campaign_lmdb_held_init(st) != NGX_OK || ngx_campaign_lmdb_visits_init(st) != NGX_OK
        || ngx_campaign_lmdb_writer_init(st) != NGX_OK)
    {
        ngx_campaign_lmdb_close(st);
        return NULL;
    }

    st->tick.handler = ngx_campaign_lmdb_tick;
    st->tick.data = st;
    st->tick.log = log;
    st->tick.cancelable = 1;

    ngx_add_timer(&st->tick, NGX_CAMPAIGN_LMDB_TICK);

    return st;
}


u_char *
ngx_campaign_store_secret(ngx_campaign_store_t *st)
{
    return st->secret;
}


ngx_int_t
ngx_campaign_lmdb_read(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_work_pt work, void *args)
{
    op->work = work;
    op->args = args;

    if (st->env == NULL) {
        op->rc = NGX_CAMPAIGN_UNAVAILABLE;
        return NGX_ERROR;
    }

    ngx_campaign_op_begin(st, op);

    if (ngx_campaign_lmdb_read_run(st, op) == NGX_AGAIN) {
        ngx_queue_insert_tail(&st->deferred, &op->queue);
    }

    return NGX_AGAIN;
}


/* NGX_OK: done, the answer is posted; NGX_AGAIN: the environment needs mending, which has to wait for the writer */

static ngx_int_t
ngx_campaign_lmdb_read_run(ngx_campaign_store_t *st, ngx_campaign_op_t *op)
{
    int                   err;
    ngx_uint_t            i;
    ngx_campaign_rc_e     rc;
    ngx_campaign_txn_t    t;
    ngx_campaign_work_pt  work;

    work = (ngx_campaign_work_pt) op->work;
    err = 0;

    for (i = 0; i < NGX_CAMPAIGN_LMDB_TRIES && st->env; i++) {

        err = ngx_campaign_lmdb_read_begin(st);

        if (err == 0) {
            t.store = st;
            t.txn = st->read;
            t.log = st->log;
            t.now = ngx_campaign_now();
            t.err = 0;
            t.near = NULL;
            t.quiet = 0;

            rc = work(&t, op, op->args);

            mdb_txn_reset(st->read);

            if (!ngx_campaign_lmdb_broken(t.err)) {
                ngx_campaign_op_post(op, rc);
                return NGX_OK;
            }

            err = t.err;
        }

        if (ngx_campaign_lmdb_writing(st)) {
            return NGX_AGAIN;
        }

        if (ngx_campaign_lmdb_mend(st, err) != NGX_OK) {
            break;
        }
    }

    if (st->env) {
        ngx_log_error(NGX_LOG_ALERT, st->log, 0, "campaign store \"%V\": a read cannot begin: %s", &st->conf->path, mdb_strerror(err));
    }

    ngx_campaign_op_post(op, NGX_CAMPAIGN_UNAVAILABLE);

    return NGX_OK;
}


static int
ngx_campaign_lmdb_read_begin(ngx_campaign_store_t *st)
{
    int  rc, dead;

    if (st->read) {
        return mdb_txn_renew(st->read);
    }

    rc = mdb_txn_begin(st->env, NULL, MDB_RDONLY, &st->read);

    if (rc == MDB_READERS_FULL) {
        (void) mdb_reader_check(st->env, &dead);

        rc = mdb_txn_begin(st->env, NULL, MDB_RDONLY, &st->read);
    }

    if (rc != 0) {
        st->read = NULL;
    }

    return rc;
}


void
ngx_campaign_lmdb_read_deferred(ngx_campaign_store_t *st)
{
    ngx_queue_t        *q;
    ngx_campaign_op_t  *op;

    while (!ngx_queue_empty(&st->deferred)) {
        q = ngx_queue_head(&st->deferred);
        op = ngx_queue_data(q, ngx_campaign_op_t, queue);

        ngx_queue_remove(q);

        if (ngx_campaign_lmdb_read_run(st, op) == NGX_AGAIN) {
            ngx_queue_insert_head(&st->deferred, q);
            return;
        }
    }
}


/* codes after which an environment or its transactions are of no more use */

static ngx_uint_t
ngx_campaign_lmdb_broken(int err)
{
    return err == MDB_PANIC || err == MDB_BAD_TXN || err == MDB_BAD_RSLOT || err == MDB_MAP_RESIZED;
}


ngx_int_t
ngx_campaign_lmdb_mend(ngx_campaign_store_t *st, int err)
{
    ngx_int_t  rc;

    ngx_campaign_lmdb_visits_stop(st);

    rc = ngx_campaign_lmdb_mend_env(st, err);

    ngx_campaign_lmdb_visits_go(st);

    return rc;
}


static ngx_int_t
ngx_campaign_lmdb_mend_env(ngx_campaign_store_t *st, int err)
{
    if (st->env && err == MDB_MAP_RESIZED) {

        if (mdb_env_set_mapsize(st->env, 0) == 0) {
            ngx_log_error(NGX_LOG_NOTICE, st->log, 0, "campaign store \"%V\": took over the size that another process gave it",
                          &st->conf->path);
            return NGX_OK;
        }
    }

    if (st->env && !ngx_campaign_lmdb_broken(err) && err != EINVAL) {
        return NGX_ERROR;                               /* opening it again would not help */
    }

    if (st->env) {
        ngx_log_error(NGX_LOG_ERR, st->log, 0, "campaign store \"%V\" is opened again: %s", &st->conf->path, mdb_strerror(err));
    }

    ngx_campaign_lmdb_env_close(st);

    return ngx_campaign_lmdb_env_open(st);
}


ngx_campaign_rc_e
ngx_campaign_lmdb_failed(ngx_campaign_txn_t *t, int err, const char *what)
{
    ngx_campaign_store_t  *st;

    st = t->store;
    t->err = err;

    if (ngx_campaign_lmdb_full(st, err)) {

        if (ngx_campaign_lmdb_says(t, &st->full)) {
            ngx_log_error(NGX_LOG_CRIT, t->log, 0, "campaign store \"%V\" is full (%s: %s): %s; what is new is refused until there is room",
                          &st->conf->path, what, mdb_strerror(err),
                          err == MDB_MAP_FULL ? "raise \"size=\"" : "make room on its disk");
        }

        return NGX_CAMPAIGN_FULL;
    }

    /* the disk's: a commit that may stand is the writer's to tell from one that does not */

    if (err == EROFS || err == EIO) {

        if (ngx_campaign_lmdb_says(t, &st->refused)) {
            st->refuses = 1;

            ngx_log_error(NGX_LOG_CRIT, t->log, 0, "campaign store \"%V\" takes no writes (%s: %s): the kernel's log says why, %s; nothing is "
                          "changed or sent until it does", &st->conf->path, what, mdb_strerror(err),
                          err == EROFS ? "check its file system and mount it anew" : "look after its disk");
        }

        return NGX_CAMPAIGN_UNAVAILABLE;
    }

    if (!t->quiet) {
        ngx_log_error(NGX_LOG_CRIT, t->log, 0, "campaign store \"%V\": %s: %s", &st->conf->path, what, mdb_strerror(err));
    }

    return NGX_CAMPAIGN_FAILURE;
}


/* 1: it is said now, for the first time or after a while */

static ngx_uint_t
ngx_campaign_lmdb_says(ngx_campaign_txn_t *t, time_t *said)
{
    time_t  now;

    now = t->now / 1000000;

    if (t->quiet || (*said && now - *said < NGX_CAMPAIGN_LMDB_SAID && now >= *said)) {
        return 0;
    }

    *said = now;

    return 1;
}


/* LMDB makes EIO of a short write, and a write is short when the disk gets full */

static ngx_uint_t
ngx_campaign_lmdb_full(ngx_campaign_store_t *st, int err)
{
    mdb_filehandle_t  fd;
    struct statvfs    fs;

    if (err == MDB_MAP_FULL || err == ENOSPC || err == EDQUOT) {
        return 1;
    }

    if (err != EIO || mdb_env_get_fd(st->env, &fd) != 0 || fstatvfs(fd, &fs) == -1) {
        return 0;
    }

    return (uint64_t) (geteuid() == 0 ? fs.f_bfree : fs.f_bavail) * fs.f_frsize < NGX_CAMPAIGN_LMDB_ROOM;
}


int
ngx_campaign_lmdb_get(ngx_campaign_txn_t *t, ngx_campaign_db_e db, const void *key, size_t klen, MDB_val *value)
{
    MDB_val  k;

    k.mv_size = klen;
    k.mv_data = (void *) key;

    if (t->near && t->near[db]) {
        return mdb_cursor_get(t->near[db], &k, value, MDB_SET);
    }

    return mdb_get(t->txn, t->store->dbi[db], &k, value);
}


int
ngx_campaign_lmdb_near(ngx_campaign_txn_t *t, MDB_cursor **near)
{
    int  rc;

    ngx_memzero(near, NGX_CAMPAIGN_DB_MAX * sizeof(MDB_cursor *));
    t->near = near;

    rc = mdb_cursor_open(t->txn, t->store->dbi[NGX_CAMPAIGN_DB_REC], &near[NGX_CAMPAIGN_DB_REC]);

    if (rc == 0) {
        rc = mdb_cursor_open(t->txn, t->store->dbi[NGX_CAMPAIGN_DB_RUN], &near[NGX_CAMPAIGN_DB_RUN]);
    }

    return rc;
}


void
ngx_campaign_lmdb_far(ngx_campaign_txn_t *t)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_CAMPAIGN_DB_MAX; i++) {
        if (t->near[i]) {
            mdb_cursor_close(t->near[i]);
        }
    }

    t->near = NULL;
}


int
ngx_campaign_lmdb_put(ngx_campaign_txn_t *t, ngx_campaign_db_e db, const void *key, size_t klen, const void *value, size_t vlen)
{
    return ngx_campaign_lmdb_store(t, db, key, klen, value, vlen, 0);
}


int
ngx_campaign_lmdb_add(ngx_campaign_txn_t *t, ngx_campaign_db_e db, const void *key, size_t klen, const void *value, size_t vlen)
{
    return ngx_campaign_lmdb_store(t, db, key, klen, value, vlen, MDB_NOOVERWRITE);
}


static int
ngx_campaign_lmdb_store(ngx_campaign_txn_t *t, ngx_campaign_db_e db, const void *key, size_t klen, const void *value, size_t vlen,
    unsigned flags)
{
    MDB_val  k, v;

    k.mv_size = klen;
    k.mv_data = (void *) key;
    v.mv_size = vlen;
    v.mv_data = (void *) value;

    return mdb_put(t->txn, t->store->dbi[db], &k, &v, flags);
}


int
ngx_campaign_lmdb_first(ngx_campaign_txn_t *t, ngx_campaign_db_e db, MDB_val *key, MDB_val *value)
{
    int          rc;
    MDB_cursor  *cursor;

    rc = mdb_cursor_open(t->txn, t->store->dbi[db], &cursor);
    if (rc != 0) {
        return rc;
    }

    rc = mdb_cursor_get(cursor, key, value, key->mv_size ? MDB_SET_RANGE : MDB_FIRST);
    mdb_cursor_close(cursor);

    return rc;
}


int
ngx_campaign_lmdb_del(ngx_campaign_txn_t *t, ngx_campaign_db_e db, const void *key, size_t klen)
{
    MDB_val  k;

    k.mv_size = klen;
    k.mv_data = (void *) key;

    return mdb_del(t->txn, t->store->dbi[db], &k, NULL);
}


/* a reader that died with its snapshot makes the file grow */

static void
ngx_campaign_lmdb_tick(ngx_event_t *ev)
{
    int                    dead;
    ngx_campaign_store_t  *st;

    st = ev->data;

    if (st->env) {
        (void) mdb_reader_check(st->env, &dead);
        ngx_campaign_lmdb_watch(st);

    } else if (!ngx_campaign_lmdb_writing(st)) {
        ngx_campaign_lmdb_visits_stop(st);
        ngx_campaign_lmdb_tick_open(st);
        ngx_campaign_lmdb_visits_go(st);
    }

    ngx_campaign_lmdb_writer_tick(st);

    ngx_add_timer(ev, NGX_CAMPAIGN_LMDB_TICK);
}


static void
ngx_campaign_lmdb_tick_open(ngx_campaign_store_t *st)
{
    ngx_int_t   rc;
    ngx_uint_t  level;

    level = st->log->log_level;

    if (!ngx_campaign_store_tells(st->closed)) {
        st->log->log_level = NGX_LOG_STDERR;
    }

    rc = ngx_campaign_lmdb_env_open(st);

    st->log->log_level = level;
    st->closed++;

    if (rc == NGX_OK) {
        st->closed = 0;
        ngx_log_error(NGX_LOG_NOTICE, st->log, 0, "campaign store \"%V\" is open again", &st->conf->path);
    }
}


void
ngx_campaign_lmdb_close(ngx_campaign_store_t *st)
{
    if (st->tick.timer_set) {
        ngx_del_timer(&st->tick);
    }

    ngx_campaign_lmdb_writer_close(st);
    ngx_campaign_lmdb_held_close(st);
    ngx_campaign_lmdb_env_close(st);
    ngx_campaign_lmdb_cut_leave(st);
    ngx_campaign_lmdb_place_leave(st);

    ngx_destroy_pool(st->pool);
}
