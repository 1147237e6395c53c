
/*
 * A seed as a scenario: accounts, audiences, a gateway, and events on a line of time.  Until `troubles` everything may break; then all is
 * well, and what was sent has to come to its end.
 */

#include "sim.h"


#define SIM_MS      ((int64_t) 1000)
#define SIM_S       ((int64_t) 1000000)


static void sim_scenario_events(uint64_t seed);
static void sim_event_run(void *data, uint64_t life);
static void sim_troubles_end(void *data, uint64_t life);
static void sim_calm(void *data, uint64_t life);
static sim_process_t *sim_event_worker(uint32_t rnd);
static void sim_continue(void *data, uint64_t life);


sim_scenario_t       sim_scenario;
ngx_uint_t           sim_deaf, sim_sick, sim_gentle, sim_compare, sim_is_calm;
int64_t              sim_disk;

static uint8_t       sim_without[SIM_EVENTS];
static int64_t       sim_deadline;
static int64_t       sim_set_back;              /* us, in all: schedules and repeats follow the wall clock */
static sim_point_e   sim_armed;
static uint32_t      sim_armed_n;               /* 0: not armed */


uint64_t
sim_random(uint64_t a, uint64_t b, uint64_t c)
{
    ngx_uint_t  i;
    uint64_t    x, in[3];

    in[0] = a;
    in[1] = b;
    in[2] = c;
    x = sim_scenario.seed;

    for (i = 0; i < 3; i++) {                   /* splitmix64 */
        x += in[i] + 0x9e3779b97f4a7c15ULL;
        x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
        x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
        x ^= x >> 31;
    }

    return x;
}


static const uint32_t  sim_weights[SIM_E_MAX] = {
    [SIM_E_CREATE]         = 20,
    [SIM_E_STATUS]         = 16,
    [SIM_E_DELETE]         = 4,
    [SIM_E_MESSAGE_CANCEL] = 6,
    [SIM_E_CONTACT_DELETE] = 8,
    [SIM_E_ACCOUNT]        = 6,
    [SIM_E_SUPPRESS]       = 8,
    [SIM_E_CRASH]          = 6,
    [SIM_E_CRASH_AT]       = 8,
    [SIM_E_STOP]           = 4,
    [SIM_E_RELOAD]         = 4,
    [SIM_E_LOCK]           = 3,
    [SIM_E_CLOCK]          = 3,
    [SIM_E_FAULT]          = 6,
    [SIM_E_DISK]           = 4,
    [SIM_E_GATEWAY]        = 16,
    [SIM_E_CONNECTIONS]    = 3,
    [SIM_E_DEAF]           = 3,
    [SIM_E_RECEIPT]        = 8,
    [SIM_E_WEBHOOK]        = 5
};

static const char *const  sim_names[SIM_E_MAX] = {
    [SIM_E_CREATE]         = "create a campaign",
    [SIM_E_STATUS]         = "pause, resume or cancel a campaign",
    [SIM_E_DELETE]         = "delete a campaign",
    [SIM_E_MESSAGE_CANCEL] = "cancel a message",
    [SIM_E_CONTACT_DELETE] = "delete a contact",
    [SIM_E_ACCOUNT]        = "change an account",
    [SIM_E_SUPPRESS]       = "suppress a number, or lift that",
    [SIM_E_CRASH]          = "kill a worker",
    [SIM_E_CRASH_AT]       = "kill a worker at a point",
    [SIM_E_STOP]           = "stop a worker",
    [SIM_E_RELOAD]         = "reload",
    [SIM_E_LOCK]           = "remove the lock",
    [SIM_E_CLOCK]          = "set the clock",
    [SIM_E_FAULT]          = "the store fails",
    [SIM_E_DISK]           = "the disk is slow",
    [SIM_E_GATEWAY]        = "the gateway changes",
    [SIM_E_CONNECTIONS]    = "no connections",
    [SIM_E_DEAF]           = "hints are lost",
    [SIM_E_RECEIPT]        = "a receipt",
    [SIM_E_WEBHOOK]        = "disable a webhook, or enable it"
};


void
sim_scenario_make(uint64_t seed, const uint8_t *without)
{
    ngx_uint_t       i;
    sim_scenario_t  *s;

    static const uint32_t  attempts[] = { 1, 2, 3, 5 };
    static const uint32_t  slots[] = { 1, 2, 5, 20, 64, 256 };

    s = &sim_scenario;
    ngx_memzero(s, sizeof(sim_scenario_t));
    s->seed = seed;

#define sim_choice(n, of)  (sim_random(2, n, 0) % (of))

    s->workers = 1 + sim_choice(1, 3);
    s->redelivery = sim_choice(2, 3) != 0;
    s->receipts = sim_choice(3, 2);
    s->talks = sim_choice(25, 3);
    s->named = sim_choice(26, 4) != 0;
    s->fast = sim_choice(27, 3) ? NGX_CAMPAIGN_PICK_FAST : 2;
    s->crowd = (sim_choice(28, 4) == 0);
    s->retry.attempts = attempts[sim_choice(4, 4)];
    s->retry.min = 100 + sim_choice(5, 2000);
    s->retry.max = s->retry.min + sim_choice(6, 10000);

    for (i = 0; i < SIM_CHANNELS; i++) {
        s->concurrency[i] = slots[sim_choice(7 + i, 6)];
    }

    s->latency = 1 * SIM_MS + (int64_t) sim_choice(10, sim_choice(11, 2) ? 20 * SIM_MS : 400 * SIM_MS);
    s->commit = 100 + (int64_t) sim_choice(12, sim_choice(13, 4) ? 2 * SIM_MS : 60 * SIM_MS);
    s->troubles = 500 * SIM_MS + (int64_t) sim_choice(14, sim_choice(15, 2) ? 4 * SIM_S : 30 * SIM_S);

    ngx_memzero(sim_without, sizeof(sim_without));

    if (without) {
        ngx_memcpy(sim_without, without, sizeof(sim_without));
    }

    sim_scenario_events(seed);
}


static void
sim_scenario_events(uint64_t seed)
{
    uint64_t         n, sum, rnd;
    ngx_uint_t       i, kind;
    sim_event_t     *e;
    sim_scenario_t  *s;

    s = &sim_scenario;
    sim_gentle = (sim_choice(23, 5) == 0) ? 1 + sim_choice(29, 2) : 0;
    s->poison = (!sim_gentle && sim_choice(24, 6) == 0);
    s->nevents = 4 + sim_choice(20, SIM_EVENTS / 2);

    if (sim_choice(21, 8) == 0) {
        s->nevents = 2 + sim_choice(22, 6);     /* one thing after the other is seen better in a short run */
    }

    for (sum = 0, i = 0; i < SIM_E_MAX; i++) {
        sum += sim_weights[i];
    }

    for (i = 0; i < s->nevents; i++) {
        e = &s->events[i];
        n = sim_random(3, i, 0) % sum;

        for (kind = 0; n >= sim_weights[kind]; kind++) {
            n -= sim_weights[kind];
        }

        rnd = sim_random(3, i, 1);

        e->kind = i == 0 ? SIM_E_CREATE : (sim_event_e) kind;
        e->at = 100 * SIM_MS + (int64_t) (rnd % (uint64_t) s->troubles);
        e->last = 10 * SIM_MS + (int64_t) (sim_random(3, i, 2) % (5 * SIM_S));
        e->a = (uint32_t) sim_random(3, i, 3);
        e->b = (uint32_t) sim_random(3, i, 4);
        e->c = (uint32_t) sim_random(3, i, 5);
        e->d = (uint32_t) sim_random(3, i, 6);
        e->e = (uint32_t) sim_random(3, i, 7);

        if (sim_gentle && e->kind != SIM_E_CREATE && e->kind >= SIM_E_CRASH && e->kind <= SIM_E_CLOCK && e->kind != SIM_E_RELOAD) {
            e->kind = SIM_E_RELOAD;
        }

        /* who exits while the store fails cannot record what became of its messages */

        if ((sim_gentle && e->kind == SIM_E_DISK) || (sim_gentle == 1 && e->kind == SIM_E_FAULT)
            || (sim_gentle == 2 && e->kind == SIM_E_RELOAD))
        {
            e->kind = SIM_E_GATEWAY;
        }

        if (i < 2) {
            e->kind = SIM_E_CREATE;
            e->at = 100 * SIM_MS + e->at % (500 * SIM_MS);
        }
    }
}


void
sim_scenario_begin(void)
{
    ngx_uint_t  i;

    sim_is_calm = 0;
    sim_sick = 0;
    sim_set_back = 0;
    sim_deaf = 0;
    sim_disk = 0;
    sim_armed_n = 0;
    sim_deadline = SIM_NEVER;
    sim_disturbed = -1000 * SIM_S;

    for (i = 0; i < sim_scenario.workers; i++) {
        (void) sim_worker_start();
    }

    sim_clients_begin();

    for (i = 0; i < sim_scenario.nevents; i++) {
        if (!sim_without[i]) {
            sim_at(sim_mono + sim_scenario.events[i].at, sim_event_run, &sim_scenario.events[i], 0);
        }
    }

    sim_at(sim_mono + sim_scenario.troubles + SIM_S, sim_troubles_end, NULL, 0);
}


static sim_process_t *
sim_event_worker(uint32_t rnd)
{
    ngx_uint_t      i;
    sim_process_t  *p;

    /* mostly the one that dispatches */

    for (i = 0; i < SIM_PROCESSES && rnd % 4; i++) {
        p = &sim_processes[i];

        if (p->life && p->dispatcher.state == NGX_HTTP_CAMPAIGN_DISPATCH_RUNNING) {
            return p;
        }
    }

    for (i = 0; i < SIM_PROCESSES; i++) {
        p = &sim_processes[(rnd / 4 + i) % SIM_PROCESSES];

        if (p->life) {
            return p;
        }
    }

    return NULL;
}


static void
sim_continue(void *data, uint64_t life)
{
    sim_process_t *p = data;

    if (p->life == life && p->stopped) {
        p->stopped = 0;
        p->continued = sim_mono;
        sim_say("worker %u continues", (unsigned) p->id);
        sim_task_wake();
    }
}


static void sim_fault_end(void *data, uint64_t life) { sim_fault = SIM_FAULT_NONE; }
static void sim_disk_end(void *data, uint64_t life) { sim_disk = 0; }
static void sim_deaf_end(void *data, uint64_t life) { sim_deaf = 0; }
static void sim_connections_end(void *data, uint64_t life) { sim_no_connections = 0; }
static void sim_gateway_well(void *data, uint64_t life) { *(sim_mode_e *) data = SIM_MODE_FINE; }


static void
sim_event_run(void *data, uint64_t life)
{
    sim_event_t *e = data;

    int64_t         step;
    sim_process_t  *p;

    static const sim_fault_e  common[] = { SIM_FAULT_COMMIT_FULL, SIM_FAULT_COMMIT_EIO, SIM_FAULT_OPEN };

    sim_say("event %d: %s", (int) (e - sim_scenario.events), sim_names[e->kind]);

    p = NULL;

    if (e->kind == SIM_E_CRASH || e->kind == SIM_E_STOP) {
        p = sim_event_worker(e->a);
        if (p == NULL) {
            return;
        }
    }

    switch (e->kind) {

    case SIM_E_CRASH:
        sim_worker_crash(p);
        break;

    case SIM_E_CRASH_AT:
        sim_armed = (sim_point_e) (e->a % SIM_POINT_MAX);
        sim_armed_n = 1 + e->b % 8;
        break;

    case SIM_E_STOP:
        p->halted = p->stopped ? p->halted : sim_mono;
        p->stopped = 1;
        sim_sick = 1;
        sim_at(sim_mono + e->last, sim_continue, p, p->life);
        break;

    case SIM_E_RELOAD:
        sim_workers_reload();
        break;

    case SIM_E_LOCK:
        sim_lock_lost();
        break;

    case SIM_E_CLOCK:
        step = (int64_t) (e->b % (e->c % 2 ? 3600 * SIM_S : 2 * SIM_S));
        sim_shift += e->a % 2 ? step : -step;
        sim_set_back += e->a % 2 ? 0 : step;
        sim_disturbed = sim_mono;
        break;

    case SIM_E_FAULT:
        sim_sick = 1;
        sim_fault = sim_compare ? common[e->a % 3] : (sim_fault_e) (1 + e->a % (SIM_FAULT_MAX - 1));
        sim_at(sim_mono + e->last, sim_fault_end, NULL, 0);
        break;

    case SIM_E_DISK:
        sim_sick = 1;
        sim_disk = 1 + e->a % (e->b % 4 ? 200 * SIM_MS : 9 * SIM_S);
        sim_at(sim_mono + e->last, sim_disk_end, NULL, 0);
        break;

    case SIM_E_GATEWAY:
        sim_mode[e->a % SIM_CHANNELS] = (sim_mode_e) (e->b % SIM_MODE_MAX);
        sim_at(sim_mono + e->last, sim_gateway_well, &sim_mode[e->a % SIM_CHANNELS], 0);
        break;

    case SIM_E_CONNECTIONS:
        sim_no_connections = 1;
        sim_at(sim_mono + e->last, sim_connections_end, NULL, 0);
        break;

    case SIM_E_DEAF:
        sim_deaf = 1;
        sim_at(sim_mono + e->last, sim_deaf_end, NULL, 0);
        break;

    default:
        sim_client_event(e);
        break;
    }
}


void
sim_point(sim_point_e point, sim_process_t *p)
{
    if (sim_armed_n == 0 || point != sim_armed || --sim_armed_n) {
        return;
    }

    sim_say("worker %u is killed at point %d", (unsigned) p->id, point);

    if (sim_current == p) {
        p->doomed = 1;

    } else {
        sim_worker_crash(p);
    }
}


/* from here on all is well */

static void
sim_troubles_end(void *data, uint64_t life)
{
    ngx_uint_t  i;

    sim_say("all is well from now on");

    sim_fault = SIM_FAULT_NONE;
    sim_disk = 0;
    sim_deaf = 0;
    sim_no_connections = 0;
    sim_armed_n = 0;

    for (i = 0; i < SIM_CHANNELS; i++) {
        sim_mode[i] = SIM_MODE_FINE;
    }

    for (i = 0; i < SIM_PROCESSES; i++) {
        sim_processes[i].stopped = 0;
    }

    sim_task_wake();

    sim_is_calm = 1;
    sim_calm(NULL, 0);
}


/* what rests is told to go on, until all has come to its end */

static void
sim_calm(void *data, uint64_t life)
{
    if (sim_deadline == SIM_NEVER && sim_clients_idle()) {       /* what there is to be sent is known */
        sim_deadline = sim_mono + sim_clients_patience() + sim_set_back + (sim_scenario.poison ? 300 * SIM_S : 0);
    }

    if (sim_mono > sim_deadline) {
        sim_fail("%u messages or campaigns have not come to their end", (unsigned) sim_model_left());
    }

    sim_clients_resume();

    sim_at(sim_mono + 500 * SIM_MS, sim_calm, NULL, 0);
}


ngx_uint_t
sim_scenario_over(void)
{
    return sim_is_calm && sim_clients_idle() && sim_steps % 16 == 0 && sim_model_left() == 0 && sim_hooks_idle();
}


void
sim_scenario_print(FILE *out, const uint8_t *without)
{
    ngx_uint_t       i;
    sim_event_t     *e;
    sim_scenario_t  *s;

    s = &sim_scenario;

    fprintf(out, "# seed %" PRIu64 ": %u workers, redelivery %s, receipts %s%s,%s%s%s attempts %u min %u max %u, concurrency %u %u, latency %" PRId64
            " us, commit %" PRId64 " us, calm after %" PRId64 " ms\n", s->seed, (unsigned) s->workers, s->redelivery ? "on" : "off",
            s->receipts ? "on" : "off", s->talks ? " and sent" : "", s->poison ? " poison," : "",
            s->fast == NGX_CAMPAIGN_PICK_FAST ? "" : " fast,", s->crowd ? " crowd," : "", (unsigned) s->retry.attempts,
            (unsigned) s->retry.min, (unsigned) s->retry.max, (unsigned) s->concurrency[0], (unsigned) s->concurrency[1], s->latency,
            s->commit, s->troubles / SIM_MS + 1000);

    for (i = 0; i < s->nevents; i++) {
        e = &s->events[i];

        if (!without[i]) {
            fprintf(out, "#   %6" PRId64 " ms  event %u: %s (for %" PRId64 " ms; %u %u %u %u %u)\n", e->at / SIM_MS, (unsigned) i,
                    sim_names[e->kind], e->last / SIM_MS, e->a, e->b, e->c, e->d, e->e);
        }
    }
}
