
/*
 * The stand-in's event loop and thread pool: see ngx_event.h and ngx_thread_pool.h beside this file.
 */

#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_thread_pool.h>


int64_t ngx_campaign_now(void);


ngx_queue_t         ngx_posted_events = { &ngx_posted_events, &ngx_posted_events };
static ngx_queue_t  ngx_stub_timers = { &ngx_stub_timers, &ngx_stub_timers };

int64_t             ngx_stub_now;


ngx_uint_t
ngx_stub_run_posted(void)
{
    ngx_uint_t    n;
    ngx_queue_t  *q;
    ngx_event_t  *ev;

    for (n = 0; !ngx_queue_empty(&ngx_posted_events); n++) {
        q = ngx_queue_head(&ngx_posted_events);
        ev = ngx_queue_data(q, ngx_event_t, queue);

        ngx_delete_posted_event(ev);
        ev->handler(ev);
    }

    return n;
}


void
ngx_add_timer(ngx_event_t *ev, ngx_msec_t timer)
{
    if (!ev->timer_set) {
        ev->timer_set = 1;
        ngx_queue_insert_tail(&ngx_stub_timers, &ev->timer);
    }
}


void
ngx_del_timer(ngx_event_t *ev)
{
    ev->timer_set = 0;
    ngx_queue_remove(&ev->timer);
}


void
ngx_stub_run_timers(void)
{
    ngx_uint_t    n;
    ngx_queue_t  *q;
    ngx_event_t  *ev;

    n = 0;

    for (q = ngx_queue_head(&ngx_stub_timers); q != ngx_queue_sentinel(&ngx_stub_timers); q = ngx_queue_next(q)) {
        n++;
    }

    while (n-- && !ngx_queue_empty(&ngx_stub_timers)) {
        q = ngx_queue_head(&ngx_stub_timers);
        ev = ngx_queue_data(q, ngx_event_t, timer);

        ngx_del_timer(ev);
        ev->timedout = 1;
        ev->handler(ev);
    }
}


ngx_thread_task_t *
ngx_thread_task_alloc(ngx_pool_t *pool, size_t size)
{
    ngx_thread_task_t  *task;

    task = ngx_pcalloc(pool, sizeof(ngx_thread_task_t) + size);
    if (task) {
        task->ctx = task + 1;
    }

    return task;
}


ngx_int_t
ngx_thread_task_post(ngx_thread_pool_t *tp, ngx_thread_task_t *task)
{
    ngx_thread_task_t  **last;

    if (task->event.active || tp->full) {
        return NGX_ERROR;
    }

    for (last = &tp->queue; *last; last = &(*last)->next) { /* void */ }

    task->event.active = 1;
    task->next = NULL;
    *last = task;

    return NGX_OK;
}


ngx_uint_t
ngx_stub_run_threads(ngx_thread_pool_t *tp)
{
    ngx_uint_t          n;
    ngx_log_t           log;
    ngx_thread_task_t  *task;

    memset(&log, 0, sizeof(ngx_log_t));
    log.log_level = NGX_LOG_NOTICE;

    for (n = 0; tp->queue; n++) {
        task = tp->queue;
        tp->queue = task->next;

        task->handler(task->ctx, &log);

        task->next = tp->done;
        tp->done = task;
    }

    return n;
}


ngx_uint_t
ngx_stub_complete_threads(ngx_thread_pool_t *tp)
{
    ngx_uint_t          n;
    ngx_thread_task_t  *task;

    for (n = 0; tp->done; n++) {
        task = tp->done;
        tp->done = task->next;

        task->event.complete = 1;
        task->event.active = 0;
        task->event.handler(&task->event);
    }

    return n;
}


/* src/store is compiled without its clock (NGX_CAMPAIGN_TEST_CLOCK) */

int64_t
ngx_campaign_now(void)
{
    struct timespec  ts;

    if (ngx_stub_now) {
        return ngx_stub_now;
    }

    (void) clock_gettime(CLOCK_REALTIME, &ts);

    return (int64_t) ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}
