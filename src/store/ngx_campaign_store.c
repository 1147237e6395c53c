
/*
 * Life of an operation: initialised, begun, done once, or canceled.  It keeps true: `done` is called from the event loop, never from
 * inside the call that started the operation; a pool is destroyed only when nothing works in it.
 */

#include "ngx_campaign_store_op.h"


static void ngx_campaign_op_handler(ngx_event_t *ev);


void
ngx_campaign_op_init(ngx_campaign_op_t *op, ngx_pool_t *pool, ngx_log_t *log, ngx_campaign_done_pt done, void *data)
{
    ngx_memzero(op, sizeof(ngx_campaign_op_t));

    op->done = done;
    op->data = data;
    op->pool = pool;
    op->log = log;

    op->event.handler = ngx_campaign_op_handler;
    op->event.data = op;
    op->event.log = log;
}


void
ngx_campaign_op_begin(ngx_campaign_store_t *st, ngx_campaign_op_t *op)
{
    ngx_campaign_store_life_t  *life;

    life = (ngx_campaign_store_life_t *) st;
    life->busy++;

    op->store = st;
    op->rc = NGX_CAMPAIGN_UNAVAILABLE;                  /* until it was run: a process may end before */
    op->busy = 1;
    op->canceled = 0;

    op->event.log = life->log;
    op->pool->log = life->log;
}


void
ngx_campaign_op_post(ngx_campaign_op_t *op, ngx_campaign_rc_e rc)
{
    op->rc = rc;

    ngx_post_event(&op->event, &ngx_posted_events);
}


static void
ngx_campaign_op_handler(ngx_event_t *ev)
{
    ngx_campaign_op_done(ev->data);
}


void
ngx_campaign_op_done(ngx_campaign_op_t *op)
{
    ngx_campaign_store_life_t  *life;

    life = (ngx_campaign_store_life_t *) op->store;
    life->busy--;

    op->busy = 0;

    if (op->canceled) {
        ngx_destroy_pool(op->pool);
        return;
    }

    op->event.log = op->log;
    op->pool->log = op->log;

    op->done(op);
}


/* of an operation that is not under way nothing but the pool is left */

void
ngx_campaign_store_cancel(ngx_campaign_op_t *op)
{
    if (op->busy) {
        op->canceled = 1;
        return;
    }

    ngx_destroy_pool(op->pool);
}


ngx_uint_t
ngx_campaign_store_busy(ngx_campaign_store_t *st)
{
    return ((ngx_campaign_store_life_t *) st)->busy != 0;
}


#ifndef NGX_CAMPAIGN_TEST_CLOCK                         /* the tests bring a clock of their own */

int64_t
ngx_campaign_now(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_REALTIME, &ts);          /* cannot fail: the clock exists, ts is ours */

    return (int64_t) ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

#endif
