
/*
 * The scripted gateway, in place of ngx_http_campaign_delivery.c.  What it does with a request is decided by the request alone (campaign,
 * place, how often it was seen) and by the mode that the gateway is in.
 */

#include "sim.h"


#define SIM_TIMEOUT  5000000                    /* us until the dispatcher's side gives up waiting */


typedef struct {
    uint8_t  fates[6];                          /* weights, by sim_fate_e */
    uint16_t statuses[4];
    uint32_t after;                             /* ms of Retry-After, at most; 0: none */
    uint32_t slow;                              /* latency is so many times longer */
} sim_script_t;


static void sim_gateway_fate(sim_flight_t *f, int64_t *latency);
static void sim_gateway_arrive(void *data, uint64_t life);
static void sim_gateway_end(void *data, uint64_t life);
static void sim_gateway_name(sim_flight_t *f);


/*                                     accept status refuse reset reset+ none */

static const sim_script_t  sim_scripts[SIM_MODE_MAX] = {
    [SIM_MODE_FINE]    = { { 100, 0, 0, 0, 0, 0 },   { 0 }, 0, 1 },
    [SIM_MODE_SLOW]    = { { 100, 0, 0, 0, 0, 0 },   { 0 }, 0, 40 },
    [SIM_MODE_ERRORS]  = { { 40, 60, 0, 0, 0, 0 },   { 500, 502, 404, 408 }, 0, 1 },
    [SIM_MODE_BUSY]    = { { 30, 70, 0, 0, 0, 0 },   { 429, 503, 429, 429 }, 5000, 1 },
    [SIM_MODE_REFUSE]  = { { 10, 0, 90, 0, 0, 0 },   { 0 }, 0, 1 },
    [SIM_MODE_RESET]   = { { 40, 0, 0, 30, 30, 0 },  { 0 }, 0, 1 },
    [SIM_MODE_TIMEOUT] = { { 30, 0, 0, 35, 35, 0 },  { 0 }, 0, 0 },
    [SIM_MODE_MIXED]   = { { 50, 20, 10, 8, 8, 4 },  { 500, 429, 400, 425 }, 2000, 3 },
    [SIM_MODE_NONE]    = { { 40, 0, 0, 0, 0, 60 },   { 0 }, 0, 1 }
};


sim_mode_e           sim_mode[SIM_CHANNELS];
ngx_uint_t           sim_no_connections;
uint64_t             sim_deliveries;

static sim_flight_t *sim_flights;
static sim_flight_t *sim_flights_free;


void
sim_gateway_reset(void)
{
    ngx_uint_t     i;
    sim_flight_t  *f;

    while (sim_flights) {
        f = sim_flights;
        sim_flights = f->next;
        f->next = sim_flights_free;
        sim_flights_free = f;
    }

    for (i = 0; i < SIM_CHANNELS; i++) {
        sim_mode[i] = SIM_MODE_FINE;
    }

    sim_no_connections = 0;
}


/* by turns, as if there were clients at times */

ngx_uint_t
ngx_http_campaign_passage_round(void)
{
    return sim_chance(sim_random(61, (uint64_t) sim_mono, 0), 2) ? 8 : 32;
}


ngx_int_t
ngx_http_campaign_delivery_start(ngx_http_campaign_delivery_t *d, ngx_log_t *log)
{
    int64_t         latency;
    sim_flight_t   *f;
    sim_process_t  *p;

    p = sim_current;

    if (p->doomed) {
        return NGX_BUSY;
    }

    if (sim_no_connections && sim_chance(sim_random(41, (uint64_t) sim_mono, d->message->seq), 2)) {
        return sim_chance(sim_random(42, (uint64_t) sim_mono, d->message->seq), 4) ? NGX_ERROR : NGX_BUSY;
    }

    f = sim_flights_free;

    if (f) {
        sim_flights_free = f->next;

    } else {
        f = malloc(sizeof(sim_flight_t));
        if (f == NULL) {
            abort();
        }
    }

    ngx_memzero(f, sizeof(sim_flight_t));

    f->next = sim_flights;
    sim_flights = f;

    f->delivery = d;
    f->process = p;
    f->life = p->life;
    f->attempt = d->message->attempt;
    f->started = sim_mono;

    sim_model_started(f, d);

    sim_gateway_fate(f, &latency);

    d->size.segments = 1 + d->message->seq % 3;

    p->flights++;
    sim_deliveries++;

    if (f->fate != SIM_FATE_REFUSE && f->fate != SIM_FATE_NONE) {
        sim_at(sim_mono + latency / 3, sim_gateway_arrive, f, f->life);
    }

    sim_at(sim_mono + latency, sim_gateway_end, f, f->life);
    sim_point(SIM_POINT_START, p);

    if (sim_poison(f->campaign->c.rec.no, f->message->seq)) {
        p->doomed = 1;
        p->poisoned = 1;
    }

    return NGX_OK;
}


/* how it will end, and when */

static void
sim_gateway_fate(sim_flight_t *f, int64_t *latency)
{
    uint64_t             rnd, n;
    ngx_uint_t           i, sum;
    sim_mode_e           mode;
    const sim_script_t  *script;

    mode = sim_mode[f->channel];
    script = &sim_scripts[mode];

    rnd = sim_random(43, f->campaign->c.rec.no << 32 | f->message->seq, f->message->arrived << 8 | f->attempt);

    for (sum = 0, i = 0; i < 6; i++) {
        sum += script->fates[i];
    }

    n = rnd % sum;

    for (i = 0; n >= script->fates[i]; i++) {
        n -= script->fates[i];
    }

    f->fate = (sim_fate_e) i;
    rnd = sim_random(44, rnd, 0);

    *latency = sim_scenario.latency / 2 + (int64_t) (rnd % (uint64_t) (sim_scenario.latency + 1));

    if (script->slow == 0 && f->fate != SIM_FATE_ACCEPT) {
        *latency = SIM_TIMEOUT;

    } else {
        *latency *= ngx_max(script->slow, 1);
    }

    if (f->fate == SIM_FATE_STATUS) {
        f->status = script->statuses[(rnd >> 32) % 4];
        f->after = script->after && (rnd >> 40) % 2 ? (rnd >> 44) % script->after : 0;

        if (f->status < 429) {
            f->after = 0;
        }

    } else if (f->fate == SIM_FATE_ACCEPT) {
        f->status = 200 + (rnd >> 32) % 3;
    }
}


static void
sim_gateway_arrive(void *data, uint64_t life)
{
    sim_flight_t *f = data;

    if ((f->cut || f->given_up) && sim_chance(sim_random(45, (uint64_t) f->started, f->message->seq), 2)) {
        return;                                 /* it did not leave its process's machine */
    }

    f->arrived = 1;

    sim_model_arrived(f);
    sim_receipts_arrived(f);

    if (!f->cut && !f->given_up) {
        sim_point(SIM_POINT_ARRIVE, f->process);
    }
}


static void
sim_gateway_end(void *data, uint64_t life)
{
    sim_flight_t *f = data;

    if (!f->cut && !f->given_up) {
        f->ended = 1;
        ngx_queue_insert_tail(&f->process->answers, &f->queue);
    }
}


/* nobody waits for its answer any longer: what has come, comes first */

void
ngx_http_campaign_delivery_cut(ngx_http_campaign_delivery_t *d)
{
    sim_flight_t  *f;

    for (f = sim_flights; f && (f->delivery != d || f->life != sim_current->life || f->answered); f = f->next) { /* void */ }

    if (f == NULL || f->ended || f->given_up) {
        return;
    }

    f->given_up = 1;

    if (f->fate == SIM_FATE_ACCEPT) {
        f->fate = SIM_FATE_RESET_ACCEPTED;

    } else if (f->fate == SIM_FATE_STATUS) {
        f->fate = SIM_FATE_RESET;
    }

    ngx_queue_insert_tail(&sim_current->answers, &f->queue);
}


static void
sim_gateway_name(sim_flight_t *f)
{
    uint32_t  name;

    name = sim_receipt_name(f->campaign, f->message->seq);

    if (name) {
        f->delivery->theirs_len = (size_t) snprintf((char *) f->delivery->theirs, NGX_CAMPAIGN_GATEWAY_ID_MAX, "gw%u", name);
    }
}


void
sim_gateway_answer(sim_flight_t *f)
{
    ngx_http_campaign_delivery_t  *d;

    d = f->delivery;

    switch (f->fate) {

    case SIM_FATE_ACCEPT:
        sim_gateway_name(f);
        /* fall through */

    case SIM_FATE_STATUS:
        d->answer = NGX_CAMPAIGN_ANSWER_STATUS;
        d->status = f->status;
        d->after = f->after;
        break;

    case SIM_FATE_REFUSE:
        d->answer = NGX_CAMPAIGN_ANSWER_UNREACHABLE;
        break;

    case SIM_FATE_NONE:
        d->answer = NGX_CAMPAIGN_ANSWER_NONE;
        break;

    default:
        d->answer = NGX_CAMPAIGN_ANSWER_UNCERTAIN;
        break;
    }

    d->latency = (ngx_msec_t) ((sim_mono - f->started) / 1000);

    f->answered = 1;
    f->process->flights--;

    sim_model_answered(f);

    d->done(d);

    sim_point(SIM_POINT_ANSWER, f->process);
}


/* a process went, with all its requests; some have left it */

void
sim_gateway_cut(sim_process_t *p)
{
    sim_flight_t  *f;

    for (f = sim_flights; f; f = f->next) {
        if (f->life == p->life && !f->answered && !f->cut) {
            f->cut = 1;
            f->message->cuts++;
        }
    }
}
