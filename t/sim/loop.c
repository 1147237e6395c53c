
/*
 * Virtual time, and what a kernel and nginx's event loop are to a process: events, timers, the thread pool, LMDB's write lock.  It keeps
 * true: nothing happens but at its time, in an order that the seed alone decides.
 */

#include "sim.h"


#define SIM_TURN      10                        /* us that a turn of an event loop takes */
#define SIM_TASK      30                        /* us until a task is at work, and until its end is seen */
#define SIM_LAZY      300                       /* ms: as NGX_TIMER_LAZY_DELAY */


typedef struct {
    int64_t         at;
    uint64_t        order;
    sim_thing_pt    fn;
    void           *data;
    uint64_t        life;
} sim_thing_t;


static void sim_thing_sift(void);
static ngx_uint_t sim_thing_before(const sim_thing_t *a, const sim_thing_t *b);
static int64_t sim_process_next(sim_process_t *p);
static void sim_process_run(sim_process_t *p);
static void sim_process_timers(sim_process_t *p);
static void sim_process_posted(void);
static ngx_event_t *sim_process_timer(sim_process_t *p);
static ngx_uint_t sim_process_stays(sim_process_t *p);

static void sim_task_lock(void *data, uint64_t life);
static void sim_task_go(sim_process_t *p);
static void sim_task_run(void *data, uint64_t life);
static void sim_task_next(void);


int64_t                 sim_mono;
int64_t                 sim_shift;
sim_process_t           sim_processes[SIM_PROCESSES];
sim_process_t          *sim_current;

ngx_queue_t            *sim_posted, *sim_posted_next;
ngx_uint_t              ngx_process = NGX_PROCESS_WORKER;
ngx_uint_t              ngx_exiting;
ngx_cycle_t            *ngx_cycle;

static int64_t          sim_back;               /* the clock of a task stands at its beginning */
static sim_thing_t     *sim_things;
static size_t           sim_nthings, sim_room;
static uint64_t         sim_order;

static sim_process_t   *sim_owner;              /* of the write lock */
static uint64_t         sim_owner_life;
static sim_process_t   *sim_waiting[SIM_PROCESSES];
static ngx_uint_t       sim_nwaiting;


void
sim_loop_reset(void)
{
    ngx_uint_t  i;

    for (i = 0; i < SIM_PROCESSES; i++) {
        if (sim_processes[i].life) {
            sim_engine_crash(&sim_processes[i]);
            sim_process_free(&sim_processes[i]);
        }
    }

    sim_mono = 1000000;
    sim_shift = SIM_START - sim_mono;
    sim_back = 0;
    sim_nthings = 0;
    sim_order = 0;
    sim_owner = NULL;
    sim_nwaiting = 0;
}


void
sim_at(int64_t at, sim_thing_pt fn, void *data, uint64_t life)
{
    size_t       i;
    sim_thing_t  t;

    if (sim_nthings == sim_room) {
        sim_room = sim_room ? sim_room * 2 : 256;
        sim_things = realloc(sim_things, sim_room * sizeof(sim_thing_t));

        if (sim_things == NULL) {
            abort();
        }
    }

    t.at = ngx_max(at, sim_mono);
    t.order = ++sim_order;
    t.fn = fn;
    t.data = data;
    t.life = life;

    for (i = sim_nthings++; i > 0 && sim_thing_before(&t, &sim_things[(i - 1) / 2]); i = (i - 1) / 2) {
        sim_things[i] = sim_things[(i - 1) / 2];
    }

    sim_things[i] = t;
}


static ngx_uint_t
sim_thing_before(const sim_thing_t *a, const sim_thing_t *b)
{
    return a->at != b->at ? a->at < b->at : a->order < b->order;
}


/* takes the first thing away */

static void
sim_thing_sift(void)
{
    size_t       i, child;
    sim_thing_t  last;

    last = sim_things[--sim_nthings];

    for (i = 0; (child = 2 * i + 1) < sim_nthings; i = child) {
        if (child + 1 < sim_nthings && sim_thing_before(&sim_things[child + 1], &sim_things[child])) {
            child++;
        }

        if (!sim_thing_before(&sim_things[child], &last)) {
            break;
        }

        sim_things[i] = sim_things[child];
    }

    sim_things[i] = last;
}


ngx_uint_t
sim_step(void)
{
    int64_t         at, next;
    ngx_uint_t      i;
    sim_thing_t     t;
    sim_process_t  *p;

    at = sim_nthings ? sim_things[0].at : SIM_NEVER;

    for (i = 0; i < SIM_PROCESSES; i++) {
        if (sim_processes[i].life) {
            next = sim_process_next(&sim_processes[i]);
            at = ngx_min(at, next);
        }
    }

    if (at == SIM_NEVER) {
        return 0;
    }

    sim_mono = ngx_max(sim_mono, at);

    while (sim_nthings && sim_things[0].at <= sim_mono) {
        t = sim_things[0];
        sim_thing_sift();
        t.fn(t.data, t.life);
    }

    for (i = 0; i < SIM_PROCESSES; i++) {
        p = &sim_processes[i];

        if (p->life && sim_process_next(p) <= sim_mono) {
            sim_process_run(p);
        }
    }

    return 1;
}


/* when a process has something to do */

static int64_t
sim_process_next(sim_process_t *p)
{
    ngx_event_t  *ev;

    if (p->stopped) {
        return SIM_NEVER;
    }

    if (p->completes || !ngx_queue_empty(&p->posted) || !ngx_queue_empty(&p->next) || !ngx_queue_empty(&p->answers)
        || sim_hinted(p) || (p->exiting && !sim_process_stays(p)))
    {
        return p->ready;
    }

    ev = sim_process_timer(p);

    return ev ? ngx_max((int64_t) ev->at * 1000, p->ready) : SIM_NEVER;
}


void
sim_enter(sim_process_t *p)
{
    sim_current = p;
    sim_posted = &p->posted;
    sim_posted_next = &p->next;
    ngx_exiting = p->exiting;
    ngx_cycle = &p->cycle;

    sim_worker_switch(p);
}


void
sim_leave(void)
{
    sim_current = NULL;
    sim_posted = NULL;
    sim_posted_next = NULL;
}


/* a turn of its event loop, in nginx's order */

static void
sim_process_run(sim_process_t *p)
{
    uint64_t            life;
    ngx_queue_t        *q;
    ngx_event_t        *ev;
    ngx_thread_task_t  *task;

    life = p->life;
    sim_enter(p);

    while (!ngx_queue_empty(&p->next)) {
        q = ngx_queue_head(&p->next);
        ngx_queue_remove(q);
        ngx_queue_insert_tail(&p->posted, q);
    }

    if (p->completes) {
        task = p->task;
        p->completes = 0;
        p->task = NULL;

        ev = &task->event;
        ev->complete = 1;
        ev->active = 0;
        ev->handler(ev);
    }

    while (p->life == life && !ngx_queue_empty(&p->answers)) {
        q = ngx_queue_head(&p->answers);
        ngx_queue_remove(q);
        sim_gateway_answer(ngx_queue_data(q, sim_flight_t, queue));
    }

    if (p->life == life) {
        sim_hint_read(p);
        sim_process_timers(p);
    }

    if (p->life == life) {
        sim_process_posted();
    }

    sim_leave();

    if (p->life == life && p->log.lines && !sim_sick && !sim_verbose) {
        sim_fail("an alert: %s", ngx_stub_log_line);
    }

    if (p->life == life && p->doomed) {
        sim_worker_crash(p);
    }

    if (p->life == life) {
        p->ready = sim_mono + SIM_TURN;

        if (p->exiting && !sim_process_stays(p)) {
            sim_worker_exit(p);
        }
    }
}


static void
sim_process_timers(sim_process_t *p)
{
    uint64_t      life;
    ngx_event_t  *ev;

    life = p->life;

    while (p->life == life) {
        ev = sim_process_timer(p);

        if (ev == NULL || (int64_t) ev->at * 1000 > sim_mono) {
            return;
        }

        ngx_del_timer(ev);
        ev->timedout = 1;
        ev->handler(ev);
    }
}


static void
sim_process_posted(void)
{
    ngx_queue_t  *q;
    ngx_event_t  *ev;

    while (sim_current && !ngx_queue_empty(sim_posted)) {
        q = ngx_queue_head(sim_posted);
        ev = ngx_queue_data(q, ngx_event_t, queue);

        ngx_delete_posted_event(ev);
        ev->handler(ev);
    }
}


/* the earliest timer; of equal ones that which was set first */

static ngx_event_t *
sim_process_timer(sim_process_t *p)
{
    ngx_queue_t  *q;
    ngx_event_t  *ev, *first;

    first = NULL;

    for (q = ngx_queue_head(&p->timers); q != ngx_queue_sentinel(&p->timers); q = ngx_queue_next(q)) {
        ev = ngx_queue_data(q, ngx_event_t, timer);

        if (first == NULL || ev->at < first->at) {
            first = ev;
        }
    }

    return first;
}


/* a worker that is to exit waits for timers that are not cancelable */

static ngx_uint_t
sim_process_stays(sim_process_t *p)
{
    ngx_queue_t  *q;
    ngx_event_t  *ev;

    if (p->flights || p->calls) {
        return 1;                               /* they have timers of nginx's own */
    }

    for (q = ngx_queue_head(&p->timers); q != ngx_queue_sentinel(&p->timers); q = ngx_queue_next(q)) {
        ev = ngx_queue_data(q, ngx_event_t, timer);

        if (!ev->cancelable) {
            return 1;
        }
    }

    return 0;
}


void
ngx_add_timer(ngx_event_t *ev, ngx_msec_t timer)
{
    ngx_msec_t      at;
    ngx_msec_int_t  diff;

    at = (ngx_msec_t) (sim_mono / 1000) + timer;

    if (ev->timer_set) {
        diff = (ngx_msec_int_t) (at - ev->at);

        if (ngx_abs(diff) < SIM_LAZY) {
            return;
        }

        ngx_del_timer(ev);
    }

    ev->at = at;
    ev->timer_set = 1;
    ngx_queue_insert_tail(&sim_current->timers, &ev->timer);
}


void
ngx_del_timer(ngx_event_t *ev)
{
    ev->timer_set = 0;
    ngx_queue_remove(&ev->timer);
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
    if (task->event.active || sim_current->task) {
        return NGX_ERROR;
    }

    task->event.active = 1;
    sim_current->task = task;
    sim_current->task_at = 0;

    sim_at(sim_mono + SIM_TASK, sim_task_lock, sim_current, sim_current->life);

    return NGX_OK;
}


/* a task writes to the store: it waits for the lock, then for its disk */

static void
sim_task_lock(void *data, uint64_t life)
{
    sim_process_t *p = data;

    if (p->life != life) {
        return;
    }

    if (sim_owner || p->stopped) {
        sim_waiting[sim_nwaiting++] = p;
        return;
    }

    sim_task_go(p);
}


static void
sim_task_go(sim_process_t *p)
{
    int64_t   took;
    uint64_t  rnd;

    sim_owner = p;
    sim_owner_life = p->life;

    p->task_at = sim_mono;

    sim_point(SIM_POINT_BEGIN, p);
    if (sim_owner != p) {
        return;
    }

    rnd = sim_random(11, (uint64_t) sim_mono, p->id);
    took = sim_scenario.commit / 2 + (int64_t) (rnd % (uint64_t) (sim_scenario.commit + 1)) + sim_disk;

    sim_at(sim_mono + took, sim_task_run, p, p->life);
}


static void
sim_task_run(void *data, uint64_t life)
{
    sim_process_t *p = data;

    ngx_thread_task_t  *task;

    if (p->life != life) {
        return;
    }

    if (p->stopped) {                           /* with the lock: the others wait */
        sim_at(sim_mono + 10000, sim_task_run, p, life);
        return;
    }

    task = p->task;

    sim_enter(p);
    sim_back = sim_mono - p->task_at;

    task->handler(task->ctx, &p->log);

    sim_back = 0;
    sim_leave();

    p->completes = 1;
    p->ready = ngx_max(p->ready, sim_mono + SIM_TASK);

    sim_owner = NULL;
    sim_point(SIM_POINT_COMMIT, p);

    sim_task_next();
}


/* the lock is free */

static void
sim_task_next(void)
{
    ngx_uint_t      i, n;
    sim_process_t  *p;

    if (sim_owner) {
        return;
    }

    for (i = 0; i < sim_nwaiting; i++) {
        p = sim_waiting[i];

        if (p->stopped) {
            continue;
        }

        sim_nwaiting--;
        for (n = i; n < sim_nwaiting; n++) {
            sim_waiting[n] = sim_waiting[n + 1];
        }

        sim_task_go(p);

        if (sim_owner) {
            return;
        }

        i = (ngx_uint_t) -1;
    }
}


void
sim_task_wake(void)
{
    sim_task_next();
}


/* somebody else has the lock and is stopped: the end of a process does not wait for its task then */

ngx_uint_t
sim_task_hangs(sim_process_t *p)
{
    return p->task && !p->completes && sim_owner && sim_owner != p && sim_owner->stopped;
}


void
sim_task_last(sim_process_t *p)
{
    ngx_thread_task_t  *task;

    task = p->task;

    if (task && !p->completes) {
        task->handler(task->ctx, &p->log);
    }
}


void
sim_process_free(sim_process_t *p)
{
    ngx_uint_t  i, n;

    sim_gateway_cut(p);
    sim_files_close(p);
    sim_memory_free(p);

    for (i = 0, n = 0; i < sim_nwaiting; i++) {
        if (sim_waiting[i] != p) {
            sim_waiting[n++] = sim_waiting[i];
        }
    }

    sim_nwaiting = n;
    p->life = 0;

    if (sim_owner == p) {
        sim_owner = NULL;
        sim_task_next();
    }

    if (sim_current == p) {
        sim_current = NULL;
    }
}


int64_t
ngx_campaign_now(void)
{
    return sim_mono - sim_back + sim_shift;
}


time_t
ngx_time(void)
{
    return (time_t) ((sim_mono + sim_shift) / 1000000);
}


int
__wrap_clock_gettime(clockid_t clock, struct timespec *ts)
{
    int64_t  us;

    us = sim_mono - sim_back + (clock == CLOCK_REALTIME ? sim_shift : 0);

    ts->tv_sec = us / 1000000;
    ts->tv_nsec = us % 1000000 * 1000;

    return 0;
}


long
ngx_random(void)
{
    return (long) (sim_random(12, (uint64_t) sim_mono, ++sim_order) & 0x7fffffff);
}
