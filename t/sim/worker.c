
/*
 * A worker's life, around the real dispatcher: its one static struct is that of the process which runs at the moment.  The rest is what
 * ngx_http_campaign_module.c does at the start and the end of a process.
 */

#define ngx_http_campaign_dispatcher  (*sim_dispatcher)

#include "ngx_http_campaign_dispatch.c"

#undef ngx_http_campaign_dispatcher

#include "sim.h"
#include "ngx_campaign_store_lmdb.h"


#define SIM_OPEN_AGAIN  1000                    /* ms, as in ngx_http_campaign_module.c */
#define SIM_CUT         1000                    /* ms, longest worker_shutdown_timeout */


static void sim_worker_open(ngx_event_t *ev);
static void sim_worker_again(void *data, uint64_t life);
static void sim_worker_cut(ngx_event_t *ev);


ngx_module_t                          ngx_http_campaign_module;
int64_t                               sim_headless;
ngx_uint_t                            sim_framed;

static ngx_uint_t                     sim_crashed;            /* the mark that a dispatcher leaves which dies of itself */
static uint64_t                       sim_lives;
static ngx_uint_t                     sim_generation;
static ngx_fd_t                       sim_generation_hint;

static ngx_http_campaign_status_t     sim_status;
static ngx_http_campaign_main_conf_t  sim_main_conf;
static ngx_http_campaign_gateway_t    sim_gateways[SIM_CHANNELS];
static ngx_http_campaign_srv_conf_t   sim_srv_conf;
static void                          *sim_srv_confs[1] = { &sim_srv_conf };
static ngx_http_conf_ctx_t            sim_conf_ctx = { sim_srv_confs };
static ngx_http_core_srv_conf_t       sim_cscf = { &sim_conf_ctx };

extern char                           sim_dir[];


void
sim_worker_reset(void)
{
    ngx_uint_t  i;

    static const char *const  channels[SIM_CHANNELS] = { "SMS", "VIBER" };

    ngx_memzero(&sim_main_conf, sizeof(sim_main_conf));
    ngx_memzero(sim_gateways, sizeof(sim_gateways));

    sim_main_conf.store.path.data = (u_char *) sim_dir;
    sim_main_conf.store.path.len = strlen(sim_dir);
    sim_main_conf.store.size = 16 * 1024 * 1024;
    sim_main_conf.store.threads = (ngx_thread_pool_t *) &sim_main_conf;
    sim_main_conf.dispatch = 1;
    ngx_http_campaign_status_use(&sim_status);

    sim_main_conf.gateways.elts = sim_gateways;
    sim_main_conf.gateways.nelts = SIM_CHANNELS;

    for (i = 0; i < SIM_CHANNELS; i++) {
        sim_gateways[i].channel.data = (u_char *) channels[i];
        sim_gateways[i].channel.len = strlen(channels[i]);
        sim_gateways[i].concurrency = sim_scenario.concurrency[i];
        sim_gateways[i].receipts = sim_scenario.receipts;
        sim_gateways[i].named = sim_scenario.named;
        sim_gateways[i].cscf = &sim_cscf;
    }

    sim_srv_conf.retry = sim_scenario.retry;
    sim_srv_conf.redelivery = sim_scenario.redelivery;

    sim_lives = 0;
    sim_crashed = 0;
    sim_headless = 0;
    sim_framed = 0;
    sim_generation = 0;
    ngx_http_campaign_hint = NGX_INVALID_FILE;

    (void) ngx_http_campaign_dispatch_prepare(NULL);
    sim_generation_hint = ngx_http_campaign_hint;
}


void
sim_worker_switch(sim_process_t *p)
{
    sim_dispatcher = &p->dispatcher;
    ngx_http_campaign_hint = p->hint;
}


sim_process_t *
sim_worker_start(void)
{
    ngx_uint_t      i;
    sim_process_t  *p;

    for (i = 0; i < SIM_PROCESSES && sim_processes[i].life; i++) { /* void */ }

    if (i == SIM_PROCESSES) {
        return NULL;
    }

    p = &sim_processes[i];

    ngx_memzero(p, sizeof(sim_process_t));

    p->id = i;
    p->life = ++sim_lives;
    p->generation = sim_generation;
    p->hint = sim_generation_hint;
    p->log.log_level = sim_verbose ? NGX_LOG_INFO : NGX_LOG_ALERT;
    p->cycle.log = &p->log;
    p->cycle.main = &sim_main_conf;
    p->ready = sim_mono;

    ngx_queue_init(&p->posted);
    ngx_queue_init(&p->next);
    ngx_queue_init(&p->timers);
    ngx_queue_init(&p->memory);
    ngx_queue_init(&p->answers);

    sim_enter(p);

    p->opening.handler = sim_worker_open;
    p->opening.data = p;
    p->opening.log = &p->log;
    p->opening.cancelable = 1;

    sim_worker_open(&p->opening);

    if (ngx_http_campaign_dispatch_init(&p->cycle) != NGX_OK) {
        sim_fail("a dispatcher does not start");
    }

    p->dispatcher.pick.fast = (uint32_t) sim_scenario.fast;

    sim_leave();

    return p;
}


static void
sim_worker_open(ngx_event_t *ev)
{
    sim_process_t *p = ev->data;

    p->store = ngx_campaign_store_open(&sim_main_conf.store, &p->log);

    if (p->store == NULL) {
        ngx_add_timer(ev, SIM_OPEN_AGAIN);
    }
}


/* the master starts another one */

void
sim_worker_crash(sim_process_t *p)
{
    ngx_uint_t  serves;

    serves = !p->exiting;

    if (p->dispatcher.state == NGX_HTTP_CAMPAIGN_DISPATCH_RUNNING) {

        if (p->dispatcher.epoch == sim_epoch) {         /* else another one is at work: its lock was removed, and it has not seen that */
            sim_headless = sim_mono;
        }

        sim_crashed = p->poisoned || sim_chance(sim_random(22, (uint64_t) sim_mono, p->id), 2);
        sim_framed = sim_crashed && !p->poisoned;
    }

    sim_say("worker %u dies", (unsigned) p->id);
    sim_crashes++;

    sim_engine_crash(p);
    sim_process_free(p);

    if (serves) {
        sim_at(sim_mono + 1000 + (int64_t) (sim_random(21, (uint64_t) sim_mono, p->id) % 20000), sim_worker_again, NULL, sim_generation);
    }
}


static void
sim_worker_again(void *data, uint64_t life)
{
    (void) sim_worker_start();
}


void
sim_worker_quit(sim_process_t *p)
{
    p->exiting = 1;
}


/* one generation in three has a worker_shutdown_timeout */

void
ngx_http_campaign_exit_begin(void)
{
    uint64_t        rnd;
    sim_process_t  *p;

    p = sim_current;
    rnd = sim_random(23, (uint64_t) sim_mono, p->id);

    if (!p->cutting.timer_set && sim_chance(rnd, 3)) {
        p->cutting.handler = sim_worker_cut;
        p->cutting.log = &p->log;
        p->cutting.cancelable = 1;

        ngx_add_timer(&p->cutting, (rnd >> 32) % SIM_CUT);
    }
}


static void
sim_worker_cut(ngx_event_t *ev)
{
    ngx_http_campaign_dispatch_cut();
}


/* as ngx_worker_process_exit: first the pool of threads, unless its task cannot begin; then this module */

void
sim_worker_exit(sim_process_t *p)
{
    sim_say("worker %u exits", (unsigned) p->id);

    sim_enter(p);

    if (p->store && sim_task_hangs(p)) {
        ngx_http_campaign_dispatch_lost();

    } else {
        sim_task_last(p);

        if (p->store) {
            ngx_http_campaign_dispatch_exit(&p->cycle);
            ngx_campaign_store_flush(p->store, 0);
        }
    }

    sim_leave();

    sim_engine_crash(p);
    sim_process_free(p);
}


sim_process_t *
sim_worker_any(uint64_t rnd)
{
    ngx_uint_t      i;
    sim_process_t  *p;

    for (i = 0; i < SIM_PROCESSES; i++) {
        p = &sim_processes[(rnd + i) % SIM_PROCESSES];

        if (p->life && !p->stopped && !p->exiting && p->store) {
            return p;
        }
    }

    return NULL;
}


void
sim_workers_reload(void)
{
    ngx_uint_t  i, n;

    sim_generation++;

    ngx_http_campaign_hint = NGX_INVALID_FILE;          /* the workers of the last cycle have it, and it lives on in them */
    (void) ngx_http_campaign_dispatch_prepare(NULL);
    sim_generation_hint = ngx_http_campaign_hint;

    for (n = 0; n < sim_scenario.workers; n++) {
        (void) sim_worker_start();
    }

    for (i = 0; i < SIM_PROCESSES; i++) {
        if (sim_processes[i].life && sim_processes[i].generation != sim_generation) {
            sim_worker_quit(&sim_processes[i]);
        }
    }
}


/* how a process dies is known here */

void
ngx_http_campaign_crash_watch(ngx_fd_t fd, ngx_log_t *log)
{
}


ngx_uint_t
ngx_http_campaign_crash_take(ngx_fd_t fd, ngx_log_t *log)
{
    ngx_uint_t  crashed;

    crashed = sim_crashed;
    sim_crashed = 0;

    return crashed;
}


/* webhooks go their own way: none are here */

void
ngx_http_campaign_notify_start(ngx_http_campaign_main_conf_t *cmcf, ngx_log_t *log)
{
}


void
ngx_http_campaign_notify_stop(void)
{
}


ngx_uint_t
ngx_http_campaign_notify_drained(void)
{
    return 1;
}


/* what ngx_http_campaign_module.c has for the others */

ngx_campaign_store_t *
ngx_http_campaign_store(void)
{
    return sim_current->store;
}


ngx_http_campaign_gateway_t *
ngx_http_campaign_gateway(ngx_http_campaign_main_conf_t *cmcf, ngx_str_t *channel)
{
    ngx_uint_t  i;

    for (i = 0; i < SIM_CHANNELS; i++) {
        if (sim_gateways[i].channel.len == channel->len
            && ngx_strncasecmp(sim_gateways[i].channel.data, channel->data, channel->len) == 0)
        {
            return &sim_gateways[i];
        }
    }

    return NULL;
}


/* status is counted, and not looked at */

void
ngx_http_campaign_dispatch_show(ngx_http_campaign_dispatch_t *d, int64_t now)
{
    d->showed = now;
}


void
ngx_http_campaign_status_begin(uint64_t epoch)
{
}


void
ngx_http_campaign_status_end(void)
{
}
