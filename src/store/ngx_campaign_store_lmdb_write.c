
/*
 * The writer: all that waits to be written is committed together by a task on nginx's thread pool, one task at a time a process; without a
 * pool (tests, tools) in the event loop.  It keeps true: who is told OK is on disk; an operation that fails takes no other with it.
 *
 * A batch belongs to whoever turns its state from HANDED into BEGINNING: the thread, or at the end of the process _flush; while it waits for
 * the write lock the event loop may revoke it, and so may a process that ends (_exit.c).
 */

#include "ngx_campaign_store_lmdb.h"

#include <unistd.h>


#define NGX_CAMPAIGN_WRITER_BATCH  4096         /* operations committed together */
#define NGX_CAMPAIGN_WRITER_TRIES  10           /* of a batch that could not begin */
#define NGX_CAMPAIGN_WRITER_WAIT   5            /* seconds that a batch may take; longer: what waits behind it is refused */


typedef enum {
    NGX_CAMPAIGN_WRITER_IDLE = 0,
    NGX_CAMPAIGN_WRITER_HANDED,
    NGX_CAMPAIGN_WRITER_BEGINNING,              /* waits for the write lock: the batch was not touched */
    NGX_CAMPAIGN_WRITER_REVOKED,                /* its operations were answered meanwhile: there is nothing to run */
    NGX_CAMPAIGN_WRITER_RUNNING,
    NGX_CAMPAIGN_WRITER_RAN
} ngx_campaign_writer_state_e;


typedef enum {
    NGX_CAMPAIGN_GROUP_OK = 0,
    NGX_CAMPAIGN_GROUP_WORK,                    /* a work failed */
    NGX_CAMPAIGN_GROUP_COMMIT                   /* the commit failed */
} ngx_campaign_group_e;


struct ngx_campaign_writer_s {
    ngx_campaign_store_t   *store;
    ngx_queue_t             waiting;            /* operations in the order they came; event loop only */
    ngx_queue_t             batch;              /* those at work, in the same order */
    ngx_queue_t             finished;           /* those of the batch that have their answer */
    int                     state;              /* ngx_campaign_writer_state_e, atomic */
    int                     gone;               /* the process ends without it: nothing is run any more; atomic */
    int64_t                 since;              /* monotonic ms, when it began to wait for the write lock; 0: it does not; atomic */
    int                     err;                /* LMDB's code, if a begin failed: what is left in the batch never ran */
    ngx_uint_t              tries;              /* of a batch that could not begin */
    ngx_uint_t              ticks;              /* seconds since the batch was handed over */
    ngx_thread_task_t      *task;               /* NULL: no thread */
    ngx_event_t             event;              /* posted: there is something to hand over */
    unsigned                stuck:1;            /* the batch takes too long */
};


static void ngx_campaign_writer_handler(ngx_event_t *ev);
static void ngx_campaign_writer_hand(ngx_campaign_writer_t *w);
static void ngx_campaign_writer_take(ngx_campaign_writer_t *w);
static void ngx_campaign_writer_thread(void *data, ngx_log_t *log);
static void ngx_campaign_writer_run(ngx_campaign_writer_t *w);
static ngx_uint_t ngx_campaign_writer_turns(ngx_campaign_writer_t *w, int from, int to);
static ngx_campaign_group_e ngx_campaign_writer_group(ngx_campaign_writer_t *w, ngx_campaign_txn_t *t);
static ngx_campaign_group_e ngx_campaign_writer_group_work(ngx_campaign_writer_t *w, ngx_campaign_txn_t *t);
static ngx_campaign_rc_e ngx_campaign_writer_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, ngx_campaign_work_pt work, void *args);
static void ngx_campaign_writer_singly(ngx_campaign_writer_t *w, ngx_campaign_txn_t *t, ngx_campaign_group_e failed);
static ngx_campaign_rc_e ngx_campaign_writer_one(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_work_pt work, void *args,
    int *err);
static ngx_campaign_rc_e ngx_campaign_writer_begun(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, ngx_campaign_work_pt work, void *args,
    int *err);
static int ngx_campaign_writer_commit(ngx_campaign_txn_t *t);
static int ngx_campaign_writer_begin(ngx_campaign_store_t *st, ngx_campaign_txn_t *t, ngx_uint_t quiet);
static ngx_uint_t ngx_campaign_writer_ends(ngx_campaign_txn_t *t, ngx_campaign_rc_e rc);
static void ngx_campaign_writer_complete(ngx_event_t *ev);
static void ngx_campaign_writer_again(ngx_campaign_writer_t *w);
static void ngx_campaign_writer_answer(ngx_queue_t *ops, ngx_campaign_rc_e rc);
static void ngx_campaign_writer_move(ngx_queue_t *to, ngx_queue_t *from);


ngx_int_t
ngx_campaign_lmdb_writer_init(ngx_campaign_store_t *st)
{
    ngx_campaign_writer_t  *w;

    w = ngx_pcalloc(st->pool, sizeof(ngx_campaign_writer_t));
    if (w == NULL) {
        return NGX_ERROR;
    }

    w->store = st;

    ngx_queue_init(&w->waiting);
    ngx_queue_init(&w->batch);
    ngx_queue_init(&w->finished);

    w->event.handler = ngx_campaign_writer_handler;
    w->event.data = w;
    w->event.log = st->log;

    if (st->conf->threads) {
        w->task = ngx_thread_task_alloc(st->pool, 0);
        if (w->task == NULL) {
            return NGX_ERROR;
        }

        w->task->ctx = w;
        w->task->handler = ngx_campaign_writer_thread;
        w->task->event.handler = ngx_campaign_writer_complete;
        w->task->event.data = w;
        w->task->event.log = st->log;
    }

    st->writer = w;

    return NGX_OK;
}


ngx_int_t
ngx_campaign_lmdb_write(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_work_pt work, void *args)
{
    return ngx_campaign_lmdb_write_room(st, op, work, args, NGX_CAMPAIGN_ROOM_LAST);
}


ngx_int_t
ngx_campaign_lmdb_write_room(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_work_pt work, void *args,
    ngx_campaign_room_e room)
{
    ngx_campaign_writer_t  *w;

    w = st->writer;

    if (st->env == NULL || w->stuck || st->replaced) {
        op->rc = NGX_CAMPAIGN_UNAVAILABLE;
        return NGX_ERROR;
    }

    ngx_campaign_op_begin(st, op);

    op->work = work;
    op->args = args;
    op->room = room;

    ngx_queue_insert_tail(&w->waiting, &op->queue);

    /* not handed over here: what else this turn of the event loop brings goes into the same commit */

    ngx_post_event(&w->event, &ngx_posted_events);

    return NGX_AGAIN;
}


static void
ngx_campaign_writer_handler(ngx_event_t *ev)
{
    ngx_campaign_writer_t *w = ev->data;

    if (ngx_campaign_lmdb_writing(w->store) || ngx_queue_empty(&w->waiting)) {
        return;
    }

    if (w->store->env == NULL) {
        ngx_campaign_writer_answer(&w->waiting, NGX_CAMPAIGN_UNAVAILABLE);
        return;
    }

    ngx_campaign_writer_take(w);
    ngx_campaign_writer_hand(w);
}


static void
ngx_campaign_writer_hand(ngx_campaign_writer_t *w)
{
    if (w->task == NULL) {
        ngx_campaign_writer_run(w);
        ngx_campaign_writer_complete(&w->event);
        return;
    }

    if (ngx_thread_task_post(w->store->conf->threads, w->task) != NGX_OK) {
        w->state = NGX_CAMPAIGN_WRITER_IDLE;            /* logged: the queue of the thread pool is full */

        ngx_campaign_writer_move(&w->batch, &w->waiting);
        ngx_campaign_writer_answer(&w->batch, NGX_CAMPAIGN_UNAVAILABLE);
    }
}


/* a batch out of what waits */

static void
ngx_campaign_writer_take(ngx_campaign_writer_t *w)
{
    ngx_uint_t    i;
    ngx_queue_t  *q;

    for (i = 0; i < NGX_CAMPAIGN_WRITER_BATCH && !ngx_queue_empty(&w->waiting); i++) {
        q = ngx_queue_head(&w->waiting);

        ngx_queue_remove(q);
        ngx_queue_insert_tail(&w->batch, q);
    }

    w->err = 0;
    w->ticks = 0;

    __atomic_store_n(&w->since, ngx_campaign_lmdb_clock(), __ATOMIC_RELAXED);     /* for a thread, at first */
    __atomic_store_n(&w->state, NGX_CAMPAIGN_WRITER_HANDED, __ATOMIC_RELEASE);
}


static void
ngx_campaign_writer_thread(void *data, ngx_log_t *log)
{
    ngx_campaign_writer_run(data);
}


/* the batch, if nobody else took it */

static void
ngx_campaign_writer_run(ngx_campaign_writer_t *w)
{
    int                   err;
    ngx_campaign_txn_t    t;
    ngx_campaign_group_e  failed;

    if (!ngx_campaign_writer_turns(w, NGX_CAMPAIGN_WRITER_HANDED, NGX_CAMPAIGN_WRITER_BEGINNING)) {
        return;
    }

    err = ngx_campaign_writer_begin(w->store, &t, 1);

    if (!ngx_campaign_writer_turns(w, NGX_CAMPAIGN_WRITER_BEGINNING, NGX_CAMPAIGN_WRITER_RUNNING)) {
        if (err == 0) {
            mdb_txn_abort(t.txn);
        }

        __atomic_store_n(&w->state, NGX_CAMPAIGN_WRITER_RAN, __ATOMIC_RELEASE);
        return;
    }

    w->err = err;

    if (err == 0 && ngx_queue_head(&w->batch) == ngx_queue_last(&w->batch)) {
        ngx_campaign_writer_singly(w, &t, NGX_CAMPAIGN_GROUP_OK);

    } else if (err == 0) {
        failed = ngx_campaign_writer_group(w, &t);

        if (failed != NGX_CAMPAIGN_GROUP_OK) {
            ngx_campaign_writer_singly(w, NULL, failed);
        }
    }

    __atomic_store_n(&w->state, NGX_CAMPAIGN_WRITER_RAN, __ATOMIC_RELEASE);
}


static ngx_uint_t
ngx_campaign_writer_turns(ngx_campaign_writer_t *w, int from, int to)
{
    return __atomic_compare_exchange_n(&w->state, &from, to, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}


/* the whole batch in one transaction */

static ngx_campaign_group_e
ngx_campaign_writer_group(ngx_campaign_writer_t *w, ngx_campaign_txn_t *t)
{
    int  err;

    if (ngx_campaign_writer_group_work(w, t) != NGX_CAMPAIGN_GROUP_OK) {
        ngx_log_debug1(NGX_LOG_DEBUG_HTTP, t->log, 0, "campaign store: transaction %uz is undone", (size_t) mdb_txn_id(t->txn));
        mdb_txn_abort(t->txn);
        return NGX_CAMPAIGN_GROUP_WORK;
    }

    err = ngx_campaign_writer_commit(t);
    if (err != 0) {
        t->quiet = 0;
        (void) ngx_campaign_lmdb_failed(t, err, "commit of a group");
        return NGX_CAMPAIGN_GROUP_COMMIT;
    }

    ngx_campaign_writer_move(&w->finished, &w->batch);

    return NGX_CAMPAIGN_GROUP_OK;
}


static ngx_campaign_group_e
ngx_campaign_writer_group_work(ngx_campaign_writer_t *w, ngx_campaign_txn_t *t)
{
    ngx_queue_t           *q;
    ngx_campaign_op_t     *op;

    for (q = ngx_queue_head(&w->batch); q != ngx_queue_sentinel(&w->batch); q = ngx_queue_next(q)) {
        op = ngx_queue_data(q, ngx_campaign_op_t, queue);

        op->rc = ngx_campaign_writer_work(t, op, (ngx_campaign_work_pt) op->work, op->args);

        if (ngx_campaign_writer_ends(t, op->rc)) {
            return NGX_CAMPAIGN_GROUP_WORK;
        }
    }

    return NGX_CAMPAIGN_GROUP_OK;
}


static ngx_campaign_rc_e
ngx_campaign_writer_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, ngx_campaign_work_pt work, void *args)
{
    ngx_campaign_rc_e  rc;

    rc = ngx_campaign_lmdb_work(t, op, work, args);

    if (rc != NGX_CAMPAIGN_OK || op == NULL || op->room == NGX_CAMPAIGN_ROOM_LAST) {
        return rc;
    }

    return ngx_campaign_lmdb_room(t, op->room);
}


/* each operation in a transaction of its own (t: the first has begun), so that only the culprit fails; stops when one cannot begin */

static void
ngx_campaign_writer_singly(ngx_campaign_writer_t *w, ngx_campaign_txn_t *t, ngx_campaign_group_e failed)
{
    ngx_queue_t           *q;
    ngx_campaign_op_t     *op;
    ngx_campaign_work_pt   work;

    while (!ngx_queue_empty(&w->batch) && w->err == 0) {
        q = ngx_queue_head(&w->batch);
        op = ngx_queue_data(q, ngx_campaign_op_t, queue);

        work = (ngx_campaign_work_pt) op->work;

        if (t) {
            t->quiet = 0;
            op->rc = ngx_campaign_writer_begun(t, op, work, op->args, &w->err);
            t = NULL;

        } else {
            op->rc = ngx_campaign_writer_one(w->store, op, work, op->args, &w->err);
        }

        if (w->err != 0 && op->rc == NGX_CAMPAIGN_UNAVAILABLE) {
            break;
        }

        failed = NGX_CAMPAIGN_GROUP_OK;

        ngx_queue_remove(q);
        ngx_queue_insert_tail(&w->finished, q);
    }

    /*
     * What is left did not begin.  If that was the first one after the commit of the group failed, LMDB could not write its meta page, and the
     * group may stand or not; else nothing of it stands, whatever its works said in a group.
     */

    for (q = ngx_queue_head(&w->batch); q != ngx_queue_sentinel(&w->batch); q = ngx_queue_next(q)) {
        op = ngx_queue_data(q, ngx_campaign_op_t, queue);
        op->rc = (failed == NGX_CAMPAIGN_GROUP_COMMIT) ? NGX_CAMPAIGN_UNKNOWN : NGX_CAMPAIGN_UNAVAILABLE;
    }

    if (failed == NGX_CAMPAIGN_GROUP_COMMIT) {
        ngx_campaign_writer_move(&w->finished, &w->batch);
    }
}


/* *err: 0, or LMDB's code of a begin.  With UNAVAILABLE work was not run; with UNKNOWN its commit failed, and every begin after it */

static ngx_campaign_rc_e
ngx_campaign_writer_one(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_work_pt work, void *args, int *err)
{
    ngx_campaign_txn_t  t;

    *err = ngx_campaign_writer_begin(st, &t, 0);
    if (*err != 0) {
        return NGX_CAMPAIGN_UNAVAILABLE;
    }

    return ngx_campaign_writer_begun(&t, op, work, args, err);
}


static ngx_campaign_rc_e
ngx_campaign_writer_begun(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, ngx_campaign_work_pt work, void *args, int *err)
{
    int                code;
    ngx_campaign_rc_e  rc;

    rc = ngx_campaign_writer_work(t, op, work, args);

    if (rc != NGX_CAMPAIGN_OK || ngx_campaign_writer_ends(t, rc)) {
        ngx_log_debug1(NGX_LOG_DEBUG_HTTP, t->log, 0, "campaign store: transaction %uz is undone", (size_t) mdb_txn_id(t->txn));
        mdb_txn_abort(t->txn);
        return rc == NGX_CAMPAIGN_OK ? NGX_CAMPAIGN_FAILURE : rc;
    }

    code = ngx_campaign_writer_commit(t);
    if (code == 0) {
        return NGX_CAMPAIGN_OK;
    }

    rc = ngx_campaign_lmdb_failed(t, code, "commit");

    *err = ngx_campaign_writer_begin(t->store, t, 0);
    if (*err != 0) {
        return NGX_CAMPAIGN_UNKNOWN;
    }

    mdb_txn_abort(t->txn);

    return rc;
}


static int
ngx_campaign_writer_commit(ngx_campaign_txn_t *t)
{
    int                         err;
    struct timespec             from, to;
    ngx_campaign_store_stat_t  *stat;

#if (NGX_DEBUG)
    size_t  id = mdb_txn_id(t->txn);
#endif

    (void) clock_gettime(CLOCK_MONOTONIC, &from);

    err = mdb_txn_commit(t->txn);

    (void) clock_gettime(CLOCK_MONOTONIC, &to);

    ngx_log_debug2(NGX_LOG_DEBUG_HTTP, t->log, 0, "campaign store: transaction %uz: commit: %d", id, err);

    stat = t->store->conf->stat;

    if (stat) {
        (void) __atomic_fetch_add(err == 0 ? &stat->commits : &stat->failed, 1, __ATOMIC_RELAXED);
        ngx_campaign_histogram_add(&stat->time, (int64_t) (to.tv_sec - from.tv_sec) * 1000000 + (to.tv_nsec - from.tv_nsec) / 1000);
    }

    if (err == 0 && t->store->refuses) {
        t->store->refuses = 0;
        ngx_log_error(NGX_LOG_NOTICE, t->log, 0, "campaign store \"%V\" takes writes again", &t->store->conf->path);
    }

    return err;
}


int64_t
ngx_campaign_lmdb_clock(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_MONOTONIC, &ts);

    return (int64_t) ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}


static int
ngx_campaign_writer_begin(ngx_campaign_store_t *st, ngx_campaign_txn_t *t, ngx_uint_t quiet)
{
    int                     err;
    ngx_campaign_writer_t  *w;

    w = st->writer;

    if (__atomic_load_n(&w->since, __ATOMIC_RELAXED) == 0) {
        __atomic_store_n(&w->since, ngx_campaign_lmdb_clock(), __ATOMIC_RELAXED);
    }

    err = mdb_txn_begin(st->env, NULL, 0, &t->txn);

    __atomic_store_n(&w->since, 0, __ATOMIC_RELAXED);

    if (err != 0) {
        return err;
    }

    /* nobody would ever read what is written, or it was told that it was not */

    if (ngx_campaign_lmdb_replaced(st) || __atomic_load_n(&w->gone, __ATOMIC_ACQUIRE)) {
        mdb_txn_abort(t->txn);
        return ESTALE;
    }

    t->store = st;
    t->log = st->log;
    t->now = ngx_campaign_now();
    t->err = 0;
    t->near = NULL;
    t->quiet = quiet ? 1 : 0;

    return 0;
}


/* an error of LMDB, or of memory after the first write: the transaction is of no use.  Any other answer came before a write */

static ngx_uint_t
ngx_campaign_writer_ends(ngx_campaign_txn_t *t, ngx_campaign_rc_e rc)
{
    return t->err != 0 || rc == NGX_CAMPAIGN_FAILURE || rc == NGX_CAMPAIGN_FULL;
}


/* the batch ran: the environment is mended if need be, the next batch is under way before the answers of this one go out */

static void
ngx_campaign_writer_complete(ngx_event_t *ev)
{
    ngx_queue_t            finished;
    ngx_campaign_writer_t *w = ev->data;

    w->state = NGX_CAMPAIGN_WRITER_IDLE;

    ngx_queue_init(&finished);
    ngx_campaign_writer_move(&finished, &w->finished);

    if (w->stuck) {
        w->stuck = 0;
        ngx_log_error(NGX_LOG_NOTICE, w->store->log, 0, "campaign store \"%V\" is written again", &w->store->conf->path);
    }

    if (w->err == 0) {
        w->tries = 0;

    } else {
        ngx_campaign_writer_again(w);
    }

    ngx_campaign_lmdb_read_deferred(w->store);

    if (!ngx_queue_empty(&w->waiting)) {
        ngx_post_event(&w->event, &ngx_posted_events);
    }

    ngx_campaign_writer_answer(&finished, NGX_CAMPAIGN_OK);
}


/* what could not begin is put before what waits */

static void
ngx_campaign_writer_again(ngx_campaign_writer_t *w)
{
    int        err;
    ngx_int_t  rc;

    err = w->err;
    w->err = 0;

    if (err == ESTALE) {
        ngx_campaign_lmdb_watch(w->store);              /* says so */
        ngx_campaign_writer_answer(&w->batch, NGX_CAMPAIGN_UNAVAILABLE);
        return;
    }

    rc = ngx_campaign_lmdb_mend(w->store, err);

    if (rc != NGX_OK || ++w->tries > NGX_CAMPAIGN_WRITER_TRIES) {

        if (w->store->env) {                            /* else it was logged why there is none */
            ngx_log_error(NGX_LOG_ALERT, w->store->log, 0, "campaign store \"%V\": a transaction cannot begin: %s", &w->store->conf->path,
                          mdb_strerror(err));
        }

        w->tries = 0;
        ngx_campaign_writer_answer(&w->batch, NGX_CAMPAIGN_UNAVAILABLE);
        return;
    }

    ngx_campaign_writer_move(&w->batch, &w->waiting);
    ngx_campaign_writer_move(&w->waiting, &w->batch);
}


/* rc OK: each has its answer */

static void
ngx_campaign_writer_answer(ngx_queue_t *ops, ngx_campaign_rc_e rc)
{
    ngx_queue_t         queue;
    ngx_queue_t        *q;
    ngx_campaign_op_t  *op;

    /* `done` may start operations anew: they must not come into this queue */

    ngx_queue_init(&queue);
    ngx_campaign_writer_move(&queue, ops);

    while (!ngx_queue_empty(&queue)) {
        q = ngx_queue_head(&queue);
        op = ngx_queue_data(q, ngx_campaign_op_t, queue);

        ngx_queue_remove(q);

        if (rc != NGX_CAMPAIGN_OK) {
            op->rc = rc;
        }

        ngx_campaign_op_done(op);
    }
}


/* appends all of one queue to another */

static void
ngx_campaign_writer_move(ngx_queue_t *to, ngx_queue_t *from)
{
    ngx_queue_t  *q;

    while (!ngx_queue_empty(from)) {
        q = ngx_queue_head(from);

        ngx_queue_remove(q);
        ngx_queue_insert_tail(to, q);
    }
}


ngx_uint_t
ngx_campaign_lmdb_writing(ngx_campaign_store_t *st)
{
    return st->writer && __atomic_load_n(&st->writer->state, __ATOMIC_ACQUIRE) != NGX_CAMPAIGN_WRITER_IDLE;
}


ngx_uint_t
ngx_campaign_lmdb_writer_works(ngx_campaign_store_t *st)
{
    return ngx_campaign_lmdb_writing(st) && __atomic_load_n(&st->writer->state, __ATOMIC_ACQUIRE) != NGX_CAMPAIGN_WRITER_RAN;
}


ngx_uint_t
ngx_campaign_lmdb_writer_rests(ngx_campaign_store_t *st)
{
    return !ngx_campaign_lmdb_writer_works(st) && ngx_queue_empty(&st->writer->batch) && ngx_queue_empty(&st->writer->waiting);
}


ngx_msec_t
ngx_campaign_lmdb_writer_waits(ngx_campaign_store_t *st)
{
    int64_t  since;

    if (!ngx_campaign_lmdb_writer_works(st)) {
        return 0;
    }

    since = __atomic_load_n(&st->writer->since, __ATOMIC_RELAXED);

    return since ? (ngx_msec_t) ngx_max(ngx_campaign_lmdb_clock() - since, 1) : 0;
}


void
ngx_campaign_lmdb_writer_give_up(ngx_campaign_store_t *st)
{
    ngx_campaign_writer_t  *w;

    w = st->writer;

    __atomic_store_n(&w->gone, 1, __ATOMIC_RELEASE);

    if (!ngx_campaign_writer_turns(w, NGX_CAMPAIGN_WRITER_HANDED, NGX_CAMPAIGN_WRITER_REVOKED)) {
        (void) ngx_campaign_writer_turns(w, NGX_CAMPAIGN_WRITER_BEGINNING, NGX_CAMPAIGN_WRITER_REVOKED);
    }
}


/* LMDB's write lock has no time limit: a process stopped inside a transaction stops every writer */

void
ngx_campaign_lmdb_writer_tick(ngx_campaign_store_t *st)
{
    pid_t               pid;
    ngx_campaign_writer_t  *w;

    w = st->writer;

    if (!ngx_campaign_lmdb_writing(st) || ++w->ticks <= NGX_CAMPAIGN_WRITER_WAIT) {
        return;
    }

    if (!w->stuck) {
        w->stuck = 1;
        pid = ngx_campaign_lmdb_holder(st);

        if (pid && pid != getpid()) {
            ngx_log_error(NGX_LOG_ALERT, st->log, 0, "campaign store \"%V\": waiting for more than %d seconds to write: process %d holds the "
                          "lock, is it stopped?  Writes are refused meanwhile", &st->conf->path, NGX_CAMPAIGN_WRITER_WAIT, (int) pid);

        } else {
            ngx_log_error(NGX_LOG_ALERT, st->log, 0, "campaign store \"%V\": waiting for more than %d seconds to write: is another process "
                          "that has it open stopped, or its disk?  Writes are refused meanwhile", &st->conf->path, NGX_CAMPAIGN_WRITER_WAIT);
        }
    }

    if (ngx_campaign_writer_turns(w, NGX_CAMPAIGN_WRITER_BEGINNING, NGX_CAMPAIGN_WRITER_REVOKED)) {
        ngx_campaign_writer_answer(&w->batch, NGX_CAMPAIGN_UNAVAILABLE);
    }

    ngx_campaign_writer_answer(&w->waiting, NGX_CAMPAIGN_UNAVAILABLE);
}


ngx_campaign_rc_e
ngx_campaign_lmdb_write_now(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_work_pt work, void *args)
{
    int                err;
    ngx_campaign_rc_e  rc;

    rc = ngx_campaign_writer_one(st, op, work, args, &err);

    if (err != 0) {
        ngx_log_error(NGX_LOG_ALERT, st->log, 0, "campaign store \"%V\": a transaction cannot begin: %s", &st->conf->path,
                      mdb_strerror(err));
    }

    return rc;
}


/* the pool's threads are gone, so whatever state the batch is in stays: HANDED, it never ran; RAN, its completion was not handled */

void
ngx_campaign_lmdb_writer_flush(ngx_campaign_store_t *st)
{
    ngx_uint_t              i;
    ngx_campaign_writer_t  *w;

    w = st->writer;

    ngx_campaign_writer_run(w);

    if (ngx_campaign_lmdb_writing(st) && __atomic_load_n(&w->state, __ATOMIC_ACQUIRE) != NGX_CAMPAIGN_WRITER_RAN) {
        ngx_log_error(NGX_LOG_ALERT, st->log, 0, "campaign store \"%V\": the process ends while its writer is at work", &st->conf->path);
        return;
    }

    for (i = 0; i < NGX_CAMPAIGN_WRITER_TRIES && (st->env || w->err) && !__atomic_load_n(&w->gone, __ATOMIC_ACQUIRE); /* void */ ) {

        if (w->err != 0) {
            if (ngx_campaign_lmdb_mend(st, w->err) != NGX_OK) {
                break;
            }

            i++;
        }

        ngx_campaign_writer_move(&w->batch, &w->waiting);
        ngx_campaign_writer_move(&w->waiting, &w->batch);

        if (ngx_queue_empty(&w->waiting) || st->env == NULL) {
            break;
        }

        ngx_campaign_writer_take(w);
        ngx_campaign_writer_run(w);
    }

    if (__atomic_load_n(&w->gone, __ATOMIC_ACQUIRE)) {
        return;                                         /* logged by who did not wait */
    }

    __atomic_store_n(&w->state, NGX_CAMPAIGN_WRITER_IDLE, __ATOMIC_RELEASE);     /* whoever waits for the flush looks at it */

    if (!ngx_queue_empty(&w->waiting) || !ngx_queue_empty(&w->batch)) {
        ngx_log_error(NGX_LOG_ALERT, st->log, 0, "campaign store \"%V\": the process ends with operations that could not be written",
                      &st->conf->path);
    }
}


/* tests and tools: without threads */

void
ngx_campaign_lmdb_writer_close(ngx_campaign_store_t *st)
{
    if (st->writer && st->writer->event.posted) {
        ngx_delete_posted_event(&st->writer->event);
    }
}
