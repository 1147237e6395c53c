
/*
 * Who tells webhooks of their events: it takes what is due, tries it, and records how that ended; all of it in one worker, which may die in
 * between, or stand still until another one has begun to do the same.
 */

#include "sim.h"


#define SIM_TICK   20000                        /* us */
#define SIM_STUCK  300000                       /* us after which another worker begins */


typedef struct {
    sim_process_t        *process;
    uint64_t              life;
    ngx_uint_t            which, n;
    ngx_campaign_tell_t   tells[SIM_TELLS];
} sim_errand_t;


static void sim_hooks_tick(void *data, uint64_t life);
static void sim_hooks_tell(void *data, uint64_t life);
static ngx_campaign_tell_e sim_hooks_try(ngx_campaign_notice_t *notice, ngx_campaign_tell_t *tell);


static int64_t     sim_hooks_since;             /* sim_mono when what is under way began; 0: nothing is */
static ngx_uint_t  sim_hooks_next;


void
sim_hooks_begin(void)
{
    sim_hooks_since = 0;
    sim_hooks_next = 0;

    sim_at(sim_mono + SIM_TICK, sim_hooks_tick, NULL, 0);
}


static void
sim_hooks_tick(void *data, uint64_t life)
{
    ngx_uint_t    i;
    sim_call_t   *call;

    sim_at(sim_mono + SIM_TICK, sim_hooks_tick, NULL, 0);

    if (sim_hooks_since && sim_mono < sim_hooks_since + SIM_STUCK) {
        return;
    }

    for (i = 0; i < SIM_HOOKS && !sim_model_due(&sim_hooks[(sim_hooks_next + i) % SIM_HOOKS]); i++) { /* void */ }

    if (i == SIM_HOOKS) {
        return;
    }

    i = (sim_hooks_next + i) % SIM_HOOKS;
    sim_hooks_next = i + 1;

    call = sim_call(SIM_OP_TAKE, sim_random(59, (uint64_t) sim_mono, 0));
    if (call == NULL) {
        return;
    }

    sim_hooks_since = sim_mono;

    call->which = i;
    call->take.webhook = sim_hooks[i].no;
    call->take.most = (sim_random(60, (uint64_t) sim_mono, 0) % 4) ? SIM_TELLS : 3;

    sim_model_take(call);

    sim_call_started(call, ngx_campaign_store_take(call->process->store, &call->op, &call->take));
}


void
sim_hooks_taken(sim_call_t *call)
{
    uint64_t                rnd;
    ngx_uint_t              i;
    sim_errand_t           *e;
    ngx_campaign_tell_t    *tell;
    ngx_campaign_notice_t  *notice;

    if (call->op.rc != NGX_CAMPAIGN_OK) {
        sim_hooks_since = 0;
        return;
    }

    sim_model_taken(call);

    e = calloc(1, sizeof(sim_errand_t));
    if (e == NULL) {
        abort();
    }

    e->process = call->process;
    e->life = call->life;
    e->which = call->which;

    notice = call->take.notices->elts;

    for (i = 0; i < call->take.notices->nelts; i++) {
        rnd = sim_random(61, (uint64_t) sim_mono, i);

        if (!sim_is_calm && rnd % 16 == 0) {
            continue;                           /* nobody knows: it is taken again */
        }

        tell = &e->tells[e->n++];
        tell->webhook = call->take.webhook;
        tell->no = notice[i].event.no;
        tell->attempt = notice[i].event.attempts + 1;
        tell->kind = sim_hooks_try(&notice[i], tell);
    }

    sim_at(sim_mono + 1000 + (int64_t) (sim_random(62, (uint64_t) sim_mono, 0) % 50000), sim_hooks_tell, e, 0);
}


static ngx_campaign_tell_e
sim_hooks_try(ngx_campaign_notice_t *notice, ngx_campaign_tell_t *tell)
{
    uint64_t  rnd;

    rnd = sim_random(63, (uint64_t) sim_mono, notice->event.no);

    if (notice->held) {
        return NGX_CAMPAIGN_TELL_HELD;
    }

    if (sim_is_calm || rnd % 16 < 11) {
        return NGX_CAMPAIGN_TELL_DONE;
    }

    if (rnd % 16 == 15) {
        return (rnd >> 8) % 16 ? NGX_CAMPAIGN_TELL_FAILED : NGX_CAMPAIGN_TELL_GONE;
    }

    tell->due = ngx_campaign_now() + (int64_t) ((rnd >> 8) % 2000000);

    return NGX_CAMPAIGN_TELL_AGAIN;
}


/* the worker that tried them records that, as long as it lives */

static void
sim_hooks_tell(void *data, uint64_t life)
{
    sim_errand_t *e = data;

    sim_call_t  *call;

    if (e->process->life == e->life && e->process->stopped) {
        sim_at(sim_mono + SIM_TICK, sim_hooks_tell, e, 0);
        return;
    }

    sim_hooks_since = 0;

    if (e->process->life == e->life && e->process->store && e->n) {
        call = sim_call_in(e->process, SIM_OP_TELL);

        call->which = e->which;
        call->ntells = e->n;
        call->tells = ngx_palloc(call->op.pool, e->n * sizeof(ngx_campaign_tell_t));
        ngx_memcpy(call->tells, e->tells, e->n * sizeof(ngx_campaign_tell_t));

        sim_call_started(call, ngx_campaign_store_tell(call->process->store, &call->op, call->tells, call->ntells));
    }

    free(e);
}
