
/*
 * What must be true of the requests that go out: claimed in a commit before, by whoever may send; in the order of the contacts; not after
 * they expired; not more at once than the gateway takes, nor in a second than the account may; not twice, unless nobody could know better.
 */

#include "sim.h"


#define SIM_SECOND  1000000
#define SIM_SLACK   5000                        /* us, as NGX_HTTP_CAMPAIGN_DISPATCH_SLACK */
#define SIM_TOLD    10000                       /* us in which a dispatcher that is not stopped reads what its turn brought */


static void sim_model_repeat(sim_flight_t *f);
static void sim_model_rate(sim_flight_t *f);
static ngx_uint_t sim_model_untold(sim_account_t *a, sim_process_t *p);
static void sim_model_bad(sim_flight_t *f, const char *what) __attribute__((noreturn));


int64_t  sim_disturbed;                         /* the clock was set: sim_mono */


static void
sim_model_bad(sim_flight_t *f, const char *what)
{
    sim_fail("message %u of campaign %" PRIu64 ", try %u: %s", f->message->seq, (uint64_t) f->campaign->c.rec.no, (unsigned) f->attempt, what);
}


void
sim_model_started(sim_flight_t *f, ngx_http_campaign_delivery_t *d)
{
    int64_t          wall;
    sim_message_t   *m;
    sim_process_t   *p;
    sim_campaign_t  *c;

    p = f->process;
    c = sim_model_campaign(d->message->campaign);

    if (c == NULL || d->message->seq >= c->span) {
        sim_fail("a message goes out that there is not");
    }

    m = &c->messages[d->message->seq];

    f->campaign = c;
    f->message = m;
    f->channel = c->channel;
    f->redelivery = d->message->redelivery;

    sim_say("worker %u: message %u of campaign %" PRIu64 " goes out, try %u", (unsigned) p->id, m->seq, (uint64_t) c->c.rec.no,
            (unsigned) f->attempt);

    if (p->dispatcher.epoch != sim_epoch) {
        f->stale = 1;                           /* claimed in its time; it will hear of its end at its next turn */
        return;
    }

    if (((c->gone || m->state != SIM_S_ENROUTE) && !m->early) || m->epoch != sim_epoch) {
        sim_model_bad(f, "goes out without a claim");           /* early: a receipt of an earlier try came after the claim */
    }

    if (m->started) {
        sim_model_bad(f, "goes out twice for one claim");
    }

    if (f->attempt != (ngx_uint_t) ngx_min(m->attempts + 1, 255)) {
        sim_model_bad(f, "is not the try that was claimed");
    }

    wall = ngx_campaign_now();

    if (c->c.validity && wall >= ((int64_t) c->started + c->c.validity + 1) * 1000000) {
        sim_model_bad(f, "goes out though it has expired");
    }

    if (p->held_epoch == sim_epoch && p->held[f->channel] > wall && sim_disturbed < p->held_at) {
        sim_model_bad(f, "goes out though the gateway asked for a rest");
    }

    if (m->claims == 1 && SIM_PACED) {
        if ((int64_t) m->seq <= c->order) {
            sim_model_bad(f, "goes out after one that stands behind it");
        }

        c->order = m->seq;
    }

    sim_model_repeat(f);
    sim_model_rate(f);

    m->started = 1;
    m->flight = f;

    f->epoch = sim_epoch;

    if (p->air_epoch != sim_epoch) {            /* it begins anew, and knows nothing of its earlier requests */
        p->air_epoch = sim_epoch;
        ngx_memzero(p->air, sizeof(p->air));
    }

    if (++p->air[f->channel] > sim_scenario.concurrency[f->channel]) {
        sim_model_bad(f, "is one too many for its gateway");
    }
}


static void
sim_model_repeat(sim_flight_t *f)
{
    sim_message_t  *m;

    m = f->message;

    if (m->flight && !m->flight->answered && !m->flight->cut && m->flight->life == f->life && m->flight->epoch == sim_epoch) {
        sim_model_bad(f, "goes out while another try is on its way");
    }

    if (m->accepted && !m->doubtful) {
        sim_model_bad(f, "was accepted before, and its fate was known");
    }

    if (f->redelivery && !sim_scenario.redelivery) {
        sim_model_bad(f, "is sent once more though redelivery is off");
    }

    if (f->attempt > sim_scenario.retry.attempts + sim_crashes + sim_epoch) {
        sim_model_bad(f, "is tried too often");
    }
}


/*
 * No second holds more than rate and burst.  What is claimed goes by the rate that its dispatcher knows: another one counts from the turn that
 * tells of it, which comes late if the process is stopped or the store takes no turns, and till then all goes as before.  So what went before
 * the dispatcher knew, and what goes after, may each be as much as its own rate and burst; a second that holds both is not looked at.
 */

static void
sim_model_rate(sim_flight_t *f)
{
    uint64_t        most;
    sim_account_t  *a;

    a = &sim_accounts[f->campaign->account];

    if (a->nstarts == a->room) {
        a->room = a->room ? a->room * 2 : 256;
        a->starts = realloc(a->starts, a->room * sizeof(int64_t));

        if (a->starts == NULL) {
            abort();
        }
    }

    a->starts[a->nstarts++] = sim_mono;

    while (a->starts[a->window] <= sim_mono - SIM_SECOND) {
        a->window++;
    }

    if (a->reported ? sim_model_untold(a, f->process) : sim_sick) {
        a->changed = sim_mono;
    }

    if (!SIM_PACED || sim_mono - a->changed < 2 * SIM_SECOND || sim_mono - sim_disturbed < 2 * SIM_SECOND) {
        return;
    }

    /* a timer fires once in a millisecond: so late a message may be, without effect on those after it */

    most = a->burst + (a->rate * (SIM_SECOND + SIM_SLACK) / SIM_SECOND + NGX_CAMPAIGN_RATE_UNIT - 1) / NGX_CAMPAIGN_RATE_UNIT;

    if (a->nstarts - a->window > most) {
        sim_fail("message %u of campaign %" PRIu64 " is one too many for its account: %u in a second, rate %u, burst %u", f->message->seq,
                 (uint64_t) f->campaign->c.rec.no, (unsigned) (a->nstarts - a->window), (unsigned) (a->rate / NGX_CAMPAIGN_RATE_UNIT),
                 a->burst);
    }
}


/* the turn that tells of the change is done, but it may be that its dispatcher has not read it: it was stopped */

static ngx_uint_t
sim_model_untold(sim_account_t *a, sim_process_t *p)
{
    int64_t  told;

    told = a->reported + SIM_TOLD;

    if (p->halted < told && p->continued > a->reported) {
        told = p->continued + SIM_TOLD;
    }

    return sim_mono < told;
}


void
sim_model_arrived(sim_flight_t *f)
{
    sim_message_t  *m;

    m = f->message;
    m->arrived++;

    if (f->fate != SIM_FATE_ACCEPT && f->fate != SIM_FATE_RESET_ACCEPTED) {
        return;
    }

    if (++m->accepted > 1 && !sim_scenario.redelivery && !f->stale) {
        sim_model_bad(f, "is accepted twice");
    }
}


void
sim_model_answered(sim_flight_t *f)
{
    int64_t         until;
    sim_process_t  *p;

    p = f->process;

    sim_say("worker %u: message %u of campaign %" PRIu64 " is answered, fate %d status %u after %u", (unsigned) p->id, f->message->seq,
            (uint64_t) f->campaign->c.rec.no, f->fate, (unsigned) f->status, (unsigned) f->after);

    if (f->stale || f->epoch != p->dispatcher.epoch) {
        return;
    }

    p->air[f->channel]--;

    if (f->fate == SIM_FATE_STATUS && (f->status == 429 || f->status == 503) && f->after) {
        if (p->held_epoch != f->epoch) {
            p->held_epoch = f->epoch;
            ngx_memzero(p->held, sizeof(p->held));
        }

        if (p->held_at <= sim_disturbed) {      /* asked for by another clock: that one says nothing about this wall */
            ngx_memzero(p->held, sizeof(p->held));
        }

        until = ngx_campaign_now() + (int64_t) f->after * 1000;
        p->held_at = sim_mono;
        p->held[f->channel] = ngx_max(p->held[f->channel], until);
    }
}
