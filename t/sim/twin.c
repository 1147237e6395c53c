
/*
 * The twin's operations, and its writer: what waits is committed together by a task, as one transaction; one that fails is made again one
 * by one.  The disk is one struct, a transaction that fails is undone by a copy of it.
 */

#include "twin.h"


#define TWIN_TICK   1000                        /* ms */
#define TWIN_PATIENCE  5                        /* ticks that a batch may take; longer: what waits behind it is refused */


typedef struct {
    ngx_campaign_store_life_t  life;            /* stands first: see ngx_campaign_store_op.h */
    ngx_queue_t                waiting, batch, finished;
    ngx_event_t                event, tick;
    ngx_thread_task_t         *task;
    ngx_uint_t                 ticks;
    int64_t                    since;           /* ms, when the batch was handed over */
    unsigned                   writing:1;
    unsigned                   stuck:1;
} twin_store_t;


static void twin_handler(ngx_event_t *ev);
static void twin_thread(void *data, ngx_log_t *log);
static ngx_uint_t twin_group(twin_store_t *ts);
static void twin_singly(twin_store_t *ts);
static ngx_campaign_rc_e twin_commit(void);
static void twin_begin(void);
static void twin_complete(ngx_event_t *ev);
static void twin_tick(ngx_event_t *ev);
static void twin_queue_move(ngx_queue_t *to, ngx_queue_t *from);
static void twin_answer(ngx_queue_t *ops, ngx_campaign_rc_e rc);


static twin_disk_t      twin_disk, twin_copy;

static struct {
    uint64_t            post, life;             /* life 0: nobody */
    sim_process_t      *process;
} twin_posts[SIM_PROCESSES];

u_char  twin_secret[NGX_CAMPAIGN_SECRET_LEN] = "the twin keeps no secret at all";


void
twin_reset(void)
{
    twin = &twin_disk;
    ngx_memzero(twin, sizeof(twin_disk_t));
    ngx_memzero(twin_posts, sizeof(twin_posts));
}


/* a process has one at most, that of its epoch */

ngx_int_t
twin_post(uint64_t post)
{
    ngx_uint_t  i;

    i = sim_current - sim_processes;

    if (twin_there(post)) {
        return NGX_BUSY;
    }

    twin_posts[i].post = post;
    twin_posts[i].life = sim_current->life;
    twin_posts[i].process = sim_current;

    return NGX_OK;
}


void
twin_post_leave(uint64_t post)
{
    twin_posts[sim_current - sim_processes].life = 0;
}


ngx_uint_t
twin_there(uint64_t post)
{
    ngx_uint_t  i;

    for (i = 0; i < SIM_PROCESSES; i++) {
        if (twin_posts[i].life && twin_posts[i].post == post && twin_posts[i].process->life == twin_posts[i].life) {
            return 1;
        }
    }

    return 0;
}


/* the store of a process */

ngx_campaign_store_t *
twin_open(ngx_log_t *log)
{
    ngx_pool_t    *pool;
    twin_store_t  *ts;

    if (sim_fault == SIM_FAULT_OPEN) {
        sim_faults++;
        return NULL;
    }

    pool = ngx_create_pool(4096, log);
    ts = ngx_pcalloc(pool, sizeof(twin_store_t));

    ts->life.log = log;

    ngx_queue_init(&ts->waiting);
    ngx_queue_init(&ts->batch);
    ngx_queue_init(&ts->finished);

    ts->event.handler = twin_handler;
    ts->event.data = ts;

    ts->task = ngx_thread_task_alloc(pool, 0);
    ts->task->ctx = ts;
    ts->task->handler = twin_thread;
    ts->task->event.handler = twin_complete;
    ts->task->event.data = ts;

    ts->tick.handler = twin_tick;
    ts->tick.data = ts;
    ts->tick.cancelable = 1;

    ngx_add_timer(&ts->tick, TWIN_TICK);

    return (ngx_campaign_store_t *) ts;
}


u_char *
twin_store_secret(void)
{
    return twin_secret;
}


ngx_int_t
twin_write(ngx_campaign_store_t *st, ngx_campaign_op_t *op, twin_work_pt work, void *args)
{
    twin_store_t *ts = (twin_store_t *) st;

    if (ts->stuck) {
        op->rc = NGX_CAMPAIGN_UNAVAILABLE;
        return NGX_ERROR;
    }

    ngx_campaign_op_begin(st, op);

    op->work = work;
    op->args = args;

    ngx_queue_insert_tail(&ts->waiting, &op->queue);
    ngx_post_event(&ts->event, &ngx_posted_events);

    return NGX_AGAIN;
}


static void
twin_handler(ngx_event_t *ev)
{
    twin_store_t *ts = ev->data;

    if (ts->writing || ngx_queue_empty(&ts->waiting)) {
        return;
    }

    twin_queue_move(&ts->batch, &ts->waiting);
    ts->writing = 1;
    ts->since = sim_mono / 1000;
    ts->ticks = 0;

    if (ngx_thread_task_post(NULL, ts->task) != NGX_OK) {
        sim_fail("a task of the twin is not taken");
    }
}


static void
twin_thread(void *data, ngx_log_t *log)
{
    twin_store_t *ts = data;

    if (!twin_group(ts)) {
        twin_singly(ts);
    }
}


/* 0: it has to be done one by one */

static ngx_uint_t
twin_group(twin_store_t *ts)
{
    int64_t             now;
    ngx_queue_t        *q;
    ngx_campaign_op_t  *op;

    if (ngx_queue_head(&ts->batch) == ngx_queue_last(&ts->batch)) {
        return 0;
    }

    twin_begin();
    now = ngx_campaign_now();

    for (q = ngx_queue_head(&ts->batch); q != ngx_queue_sentinel(&ts->batch); q = ngx_queue_next(q)) {
        op = ngx_queue_data(q, ngx_campaign_op_t, queue);

        twin_now = now;
        op->rc = ((twin_work_pt) op->work)(op, op->args, now);
        sim_op_ran(op, op->rc);
    }

    if (twin_commit() != NGX_CAMPAIGN_OK) {
        return 0;
    }

    twin_queue_move(&ts->finished, &ts->batch);

    return 1;
}


static void
twin_singly(twin_store_t *ts)
{
    ngx_queue_t        *q;
    ngx_campaign_op_t  *op;

    while (!ngx_queue_empty(&ts->batch)) {
        q = ngx_queue_head(&ts->batch);
        op = ngx_queue_data(q, ngx_campaign_op_t, queue);

        twin_begin();

        twin_now = ngx_campaign_now();
        op->rc = ((twin_work_pt) op->work)(op, op->args, twin_now);
        sim_op_ran(op, op->rc);

        if (op->rc == NGX_CAMPAIGN_OK) {
            op->rc = twin_commit();

        } else {
            sim_op_commit(0);
        }

        ngx_queue_remove(q);
        ngx_queue_insert_tail(&ts->finished, q);
    }
}


static void
twin_begin(void)
{
    if (sim_fault != SIM_FAULT_NONE) {
        twin_copy = twin_disk;
    }
}


static ngx_campaign_rc_e
twin_commit(void)
{
    if (!sim_fails()) {
        sim_op_commit(1);
        return NGX_CAMPAIGN_OK;
    }

    twin_disk = twin_copy;
    sim_op_commit(0);

    return sim_fault == SIM_FAULT_COMMIT_FULL ? NGX_CAMPAIGN_FULL : NGX_CAMPAIGN_UNAVAILABLE;
}


static void
twin_complete(ngx_event_t *ev)
{
    ngx_queue_t    finished;
    twin_store_t  *ts = ev->data;

    ts->writing = 0;
    ts->stuck = 0;

    ngx_queue_init(&finished);
    twin_queue_move(&finished, &ts->finished);

    if (!ngx_queue_empty(&ts->waiting)) {
        ngx_post_event(&ts->event, &ngx_posted_events);
    }

    twin_answer(&finished, NGX_CAMPAIGN_OK);
}


static void
twin_tick(ngx_event_t *ev)
{
    twin_store_t *ts = ev->data;

    if (ts->writing && ++ts->ticks > TWIN_PATIENCE) {
        ts->stuck = 1;
        twin_answer(&ts->waiting, NGX_CAMPAIGN_UNAVAILABLE);
    }

    ngx_add_timer(ev, TWIN_TICK);
}


ngx_msec_t
twin_waits(ngx_campaign_store_t *st)
{
    twin_store_t *ts = (twin_store_t *) st;

    return ts->writing && ngx_queue_empty(&ts->finished) ? (ngx_msec_t) ngx_max(sim_mono / 1000 - ts->since, 1) : 0;
}


/* the process ends; its thread is gone */

void
twin_flush(ngx_campaign_store_t *st)
{
    twin_store_t *ts = (twin_store_t *) st;

    if (ts->writing && ngx_queue_empty(&ts->finished)) {
        twin_thread(ts, NULL);
    }

    if (!ngx_queue_empty(&ts->waiting)) {
        twin_queue_move(&ts->batch, &ts->waiting);
        twin_thread(ts, NULL);
    }
}


static void
twin_queue_move(ngx_queue_t *to, ngx_queue_t *from)
{
    ngx_queue_t  *q;

    while (!ngx_queue_empty(from)) {
        q = ngx_queue_head(from);
        ngx_queue_remove(q);
        ngx_queue_insert_tail(to, q);
    }
}


static void
twin_answer(ngx_queue_t *ops, ngx_campaign_rc_e rc)
{
    ngx_queue_t         queue, *q;
    ngx_campaign_op_t  *op;

    ngx_queue_init(&queue);
    twin_queue_move(&queue, ops);

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


/* operations of the dispatcher */

static ngx_campaign_rc_e
twin_turn_work(ngx_campaign_op_t *op, void *args, int64_t now)
{
    return twin_turn(args, op->pool, now);
}


static ngx_campaign_rc_e
twin_lease_work(ngx_campaign_op_t *op, void *args, int64_t now)
{
    return twin_lease(args);
}


ngx_int_t
twin_store_turn(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_turn_t *turn)
{
    return twin_write(st, op, twin_turn_work, turn);
}


ngx_int_t
twin_store_lease(ngx_campaign_store_t *st, ngx_campaign_op_t *op, uint64_t *epoch)
{
    return twin_write(st, op, twin_lease_work, epoch);
}


ngx_int_t
twin_store_peek(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_peek_t *peek)
{
    ngx_campaign_op_begin(st, op);
    twin_peek(peek, op->pool);
    ngx_campaign_op_post(op, NGX_CAMPAIGN_OK);

    return NGX_AGAIN;
}


/* of an operation of clients, zeroed */

twin_args_t *
twin_args(ngx_campaign_op_t *op)
{
    return ngx_pcalloc(op->pool, sizeof(twin_args_t));
}
