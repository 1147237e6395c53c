
/*
 * Walks over many contacts, off the event loop: each is shown to the caller on a thread, one walk at a time in a process.  It keeps
 * true: a read transaction of an audience is held for one slice; the environment is not replaced under a slice (who mends it waits for
 * its end).
 */

#include "ngx_campaign_store_lmdb_suppress.h"

#include <pthread.h>


#define NGX_CAMPAIGN_VISIT_SLICE  4096          /* contacts in one read transaction: some ms */


struct ngx_campaign_visits_s {
    pthread_mutex_t          mutex;             /* held for a slice, and while the environment is mended */
    ngx_queue_t              waiting;           /* operations; event loop only */
    unsigned                 busy:1;            /* a walk is under way, on one thread: the others are the writer's and the bodies' */
};

typedef struct {
    ngx_campaign_store_t    *store;
    ngx_campaign_op_t       *op;
    ngx_campaign_visit_t    *visit;
    ngx_thread_task_t       *task;
    ngx_campaign_rc_e        rc;
    uint32_t                 seq;               /* next place */
    ngx_campaign_pile_chunk_t  *chunk;          /* of a pile, and the next contact in it */
    const u_char            *p;
    ngx_campaign_gate_t      gate;              /* while a slice is read */
} ngx_campaign_visiting_t;


static void ngx_campaign_visit_next(ngx_campaign_store_t *st);
static void ngx_campaign_visit_thread(void *data, ngx_log_t *log);
static void ngx_campaign_visit_complete(ngx_event_t *ev);
static ngx_campaign_rc_e ngx_campaign_visit_slice(ngx_campaign_visiting_t *v, ngx_uint_t *more);
static ngx_campaign_rc_e ngx_campaign_visit_audience(ngx_campaign_txn_t *t, ngx_campaign_visiting_t *v, ngx_uint_t *more);
static ngx_campaign_rc_e ngx_campaign_visit_pile(ngx_campaign_txn_t *t, ngx_campaign_visiting_t *v, ngx_uint_t *more);
static ngx_campaign_rc_e ngx_campaign_visit_show(ngx_campaign_visiting_t *v, const ngx_campaign_contact_t *contact);
static ngx_campaign_rc_e ngx_campaign_visit_campaign(ngx_campaign_txn_t *t, ngx_campaign_visiting_t *v);
static ngx_campaign_rc_e ngx_campaign_visit_unsettled(ngx_campaign_txn_t *t, ngx_campaign_visiting_t *v, const ngx_campaign_run_t *run);
static ngx_campaign_rc_e ngx_campaign_visit_states(ngx_campaign_txn_t *t, uint64_t campaign, uint32_t chunk, const u_char **states);


ngx_int_t
ngx_campaign_store_visit(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_visit_t *visit)
{
    ngx_thread_task_t        *task;
    ngx_campaign_visiting_t  *v;

    v = ngx_pcalloc(op->pool, sizeof(ngx_campaign_visiting_t));
    task = ngx_thread_task_alloc(op->pool, 0);

    if (v == NULL || task == NULL) {
        op->rc = NGX_CAMPAIGN_FAILURE;
        return NGX_ERROR;
    }

    if (st->env == NULL) {
        op->rc = NGX_CAMPAIGN_UNAVAILABLE;
        return NGX_ERROR;
    }

    v->store = st;
    v->op = op;
    v->visit = visit;
    v->task = task;
    v->chunk = visit->pile ? visit->pile->first : NULL;
    v->p = v->chunk ? v->chunk->start : NULL;

    visit->suppressed = 0;

    task->ctx = v;
    task->handler = ngx_campaign_visit_thread;
    task->event.handler = ngx_campaign_visit_complete;
    task->event.data = v;
    task->event.log = st->log;

    ngx_campaign_op_begin(st, op);

    op->args = v;

    if (st->conf->threads == NULL) {
        ngx_campaign_visit_thread(v, st->log);
        ngx_campaign_op_post(op, v->rc);
        return NGX_AGAIN;
    }

    ngx_queue_insert_tail(&st->visits->waiting, &op->queue);

    if (!st->visits->busy) {
        ngx_campaign_visit_next(st);
    }

    return NGX_AGAIN;
}


static void
ngx_campaign_visit_next(ngx_campaign_store_t *st)
{
    ngx_queue_t              *q;
    ngx_campaign_op_t        *op;
    ngx_campaign_visiting_t  *v;

    st->visits->busy = 0;

    while (!st->visits->busy && !ngx_queue_empty(&st->visits->waiting)) {
        q = ngx_queue_head(&st->visits->waiting);
        ngx_queue_remove(q);

        op = ngx_queue_data(q, ngx_campaign_op_t, queue);
        v = op->args;

        if (op->canceled || ngx_thread_task_post(st->conf->threads, v->task) != NGX_OK) {
            ngx_campaign_op_post(op, NGX_CAMPAIGN_UNAVAILABLE);     /* logged: the queue of the thread pool is full */

        } else {
            st->visits->busy = 1;
        }
    }
}


ngx_int_t
ngx_campaign_lmdb_visits_init(ngx_campaign_store_t *st)
{
    st->visits = ngx_pcalloc(st->pool, sizeof(ngx_campaign_visits_t));

    if (st->visits == NULL || pthread_mutex_init(&st->visits->mutex, NULL) != 0) {
        return NGX_ERROR;
    }

    ngx_queue_init(&st->visits->waiting);

    return NGX_OK;
}


void
ngx_campaign_lmdb_visits_stop(ngx_campaign_store_t *st)
{
    (void) pthread_mutex_lock(&st->visits->mutex);
}


void
ngx_campaign_lmdb_visits_go(ngx_campaign_store_t *st)
{
    (void) pthread_mutex_unlock(&st->visits->mutex);
}


static void
ngx_campaign_visit_thread(void *data, ngx_log_t *log)
{
    ngx_uint_t               more;
    ngx_campaign_visiting_t *v = data;

    do {
        more = 0;

        (void) pthread_mutex_lock(&v->store->visits->mutex);

        v->rc = ngx_campaign_visit_slice(v, &more);

        (void) pthread_mutex_unlock(&v->store->visits->mutex);

    } while (v->rc == NGX_CAMPAIGN_OK && more);
}


static void
ngx_campaign_visit_complete(ngx_event_t *ev)
{
    ngx_campaign_visiting_t *v = ev->data;

    ngx_campaign_visit_next(v->store);

    v->op->rc = v->rc;

    ngx_campaign_op_done(v->op);
}


static ngx_campaign_rc_e
ngx_campaign_visit_slice(ngx_campaign_visiting_t *v, ngx_uint_t *more)
{
    int                    err;
    ngx_campaign_rc_e      rc;
    ngx_campaign_txn_t     t;
    ngx_campaign_store_t  *st;

    st = v->store;

    if (st->env == NULL) {
        return NGX_CAMPAIGN_UNAVAILABLE;
    }

    err = mdb_txn_begin(st->env, NULL, MDB_RDONLY, &t.txn);

    if (err != 0) {                                     /* a read of the event loop meets it, too, and mends it */
        ngx_log_error(NGX_LOG_WARN, st->log, 0, "campaign store \"%V\": a walk cannot begin: %s", &st->conf->path, mdb_strerror(err));
        return NGX_CAMPAIGN_UNAVAILABLE;
    }

    t.store = st;
    t.log = st->log;
    t.now = ngx_campaign_now();
    t.err = 0;
    t.near = NULL;
    t.quiet = 0;

    rc = NGX_CAMPAIGN_OK;
    v->gate.cursor = NULL;

    if (v->visit->channel.len) {
        rc = ngx_campaign_gate_open(&v->gate, &t, v->visit->account, &v->visit->channel, &v->visit->from);
    }

    if (rc == NGX_CAMPAIGN_OK) {
        rc = v->visit->audience ? ngx_campaign_visit_audience(&t, v, more)
             : v->visit->campaign ? ngx_campaign_visit_campaign(&t, v)
             : ngx_campaign_visit_pile(&t, v, more);
    }

    ngx_campaign_gate_close(&v->gate);
    mdb_txn_abort(t.txn);

    return rc;
}


static ngx_campaign_rc_e
ngx_campaign_visit_audience(ngx_campaign_txn_t *t, ngx_campaign_visiting_t *v, ngx_uint_t *more)
{
    ngx_uint_t                n;
    ngx_campaign_rc_e         rc;
    ngx_campaign_walk_t       walk;
    ngx_campaign_contact_t    contact;
    ngx_campaign_audience_t   a;

    rc = ngx_campaign_lmdb_record_find(t, NGX_CAMPAIGN_AUDIENCE, v->visit->account, v->visit->audience, NULL, &a);
    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    ngx_campaign_lmdb_walk_init(&walk, NGX_CAMPAIGN_LIST_AUDIENCE(a.rec.no), v->seq);

    for (n = 0; n < NGX_CAMPAIGN_VISIT_SLICE; n++) {

        rc = ngx_campaign_lmdb_walk_next(t, &walk, &contact);

        if (rc == NGX_CAMPAIGN_NOT_FOUND) {
            return NGX_CAMPAIGN_OK;
        }

        if (rc != NGX_CAMPAIGN_OK) {
            return rc;
        }

        if (!contact.deleted) {
            rc = ngx_campaign_visit_show(v, &contact);
            if (rc != NGX_CAMPAIGN_OK) {
                return rc;
            }
        }
    }

    v->seq = walk.seq;
    *more = 1;

    return NGX_CAMPAIGN_OK;
}


static ngx_campaign_rc_e
ngx_campaign_visit_pile(ngx_campaign_txn_t *t, ngx_campaign_visiting_t *v, ngx_uint_t *more)
{
    ngx_uint_t               n;
    ngx_campaign_rc_e        rc;
    ngx_campaign_contact_t   contact;

    for (n = 0; n < NGX_CAMPAIGN_VISIT_SLICE; n++) {

        while (v->chunk && v->p == v->chunk->last) {
            v->chunk = v->chunk->next;
            v->p = v->chunk ? v->chunk->start : NULL;
        }

        if (v->chunk == NULL) {
            return NGX_CAMPAIGN_OK;
        }

        v->p = ngx_campaign_contact_unpack(v->p, v->chunk->last, &contact);
        if (v->p == NULL) {
            return ngx_campaign_lmdb_failed(t, MDB_CORRUPTED, "contact of a pile");
        }

        rc = ngx_campaign_visit_show(v, &contact);
        if (rc != NGX_CAMPAIGN_OK) {
            return rc;
        }
    }

    *more = 1;

    return NGX_CAMPAIGN_OK;
}


static ngx_campaign_rc_e
ngx_campaign_visit_show(ngx_campaign_visiting_t *v, const ngx_campaign_contact_t *contact)
{
    ngx_uint_t         blocked;
    ngx_campaign_rc_e  rc;

    rc = ngx_campaign_gate_pass(&v->gate, contact->number, &blocked);
    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    if (blocked) {
        v->visit->suppressed++;
        return NGX_CAMPAIGN_OK;
    }

    return v->visit->visit(v->visit->data, contact) == NGX_OK ? NGX_CAMPAIGN_OK : NGX_CAMPAIGN_FAILURE;
}


/* one transaction for all: counters and messages have to be of one moment */

static ngx_campaign_rc_e
ngx_campaign_visit_campaign(ngx_campaign_txn_t *t, ngx_campaign_visiting_t *v)
{
    uint32_t                  zero;
    uint64_t                  no;
    ngx_campaign_rc_e         rc;
    ngx_campaign_run_t        run;
    ngx_campaign_campaign_t  *c;

    c = &v->visit->found;

    if (ngx_campaign_id_open(t->store->secret, NGX_CAMPAIGN_CAMPAIGN, v->visit->campaign, &no, &zero) != NGX_OK || zero != 0) {
        return NGX_CAMPAIGN_NOT_FOUND;
    }

    rc = ngx_campaign_lmdb_campaign_get(t, v->visit->account, no, v->op->pool, c);

    if (rc == NGX_CAMPAIGN_OK) {
        rc = ngx_campaign_lmdb_run_get(t, no, &run);
    }

    if (rc != NGX_CAMPAIGN_OK || run.status == NGX_CAMPAIGN_C_CANCELED || c->progress.pending + c->progress.enroute == 0) {
        return rc;
    }

    return ngx_campaign_visit_unsettled(t, v, &run);
}


static ngx_campaign_rc_e
ngx_campaign_visit_unsettled(ngx_campaign_txn_t *t, ngx_campaign_visiting_t *v, const ngx_campaign_run_t *run)
{
    uint32_t                  seq;
    const u_char             *states;
    ngx_campaign_rc_e         rc;
    ngx_campaign_walk_t       walk;
    ngx_campaign_contact_t    contact;
    ngx_campaign_campaign_t  *c;

    c = &v->visit->found;
    seq = run->progress.again || run->progress.enroute ? 0 : run->done - run->done % NGX_CAMPAIGN_CHUNK;
    states = NULL;

    ngx_campaign_lmdb_walk_init(&walk, c->list, seq);

    for ( /* void */ ; seq < c->span; seq++) {

        if (seq % NGX_CAMPAIGN_CHUNK == 0) {
            rc = ngx_campaign_visit_states(t, c->rec.no, seq / NGX_CAMPAIGN_CHUNK, &states);
            if (rc != NGX_CAMPAIGN_OK) {
                return rc;
            }
        }

        rc = ngx_campaign_lmdb_walk_next(t, &walk, &contact);
        if (rc != NGX_CAMPAIGN_OK) {
            return rc == NGX_CAMPAIGN_NOT_FOUND ? ngx_campaign_lmdb_failed(t, MDB_CORRUPTED, "contact of a message") : rc;
        }

        if (contact.deleted || (states && ngx_campaign_byte_state(states[seq % NGX_CAMPAIGN_CHUNK]) > NGX_CAMPAIGN_S_RETRY)) {
            continue;
        }

        rc = ngx_campaign_visit_show(v, &contact);
        if (rc != NGX_CAMPAIGN_OK) {
            return rc;
        }
    }

    return NGX_CAMPAIGN_OK;
}


/* *states is NULL where all are pending; else it points into the map */

static ngx_campaign_rc_e
ngx_campaign_visit_states(ngx_campaign_txn_t *t, uint64_t campaign, uint32_t chunk, const u_char **states)
{
    int            rc;
    u_char         key[12];
    MDB_val        value;
    const u_char  *p;

    ngx_campaign_be32_put(ngx_campaign_be64_put(key, campaign), chunk);

    rc = ngx_campaign_lmdb_get(t, NGX_CAMPAIGN_DB_CHUNK, key, 12, &value);

    if (rc == MDB_NOTFOUND) {
        *states = NULL;
        return NGX_CAMPAIGN_OK;
    }

    p = value.mv_data;

    if (rc != 0 || value.mv_size != NGX_CAMPAIGN_CHUNK + 4
        || ngx_campaign_crc32c(0, p, NGX_CAMPAIGN_CHUNK) != ngx_campaign_be32_get(p + NGX_CAMPAIGN_CHUNK))
    {
        return ngx_campaign_lmdb_failed(t, rc ? rc : MDB_CORRUPTED, "chunk");
    }

    *states = p;

    return NGX_CAMPAIGN_OK;
}
