
/*
 * What the scripted gateway says of a message after it got it: nothing, one receipt or several, before its answer, with it, or seconds
 * later, in any order and against each other.  A receipt that was not taken, or of which the gateway does not know that it was, comes again.
 */

#include "sim.h"


#define SIM_S          ((int64_t) 1000000)
#define SIM_GATHERS    2000                     /* us that a receipt waits for others */
#define SIM_UNHEARD    700000                   /* us until one that was not answered comes again */
#define SIM_AT_ONCE    64                       /* so many operations may be under way: a gateway's connections have a bound, too */
#define SIM_NAMES      64                       /* so few names has a gateway that uses them again */


static sim_receipt_t *sim_receipt(ngx_uint_t which, uint32_t seq, ngx_campaign_receipt_e receipt, ngx_uint_t tries);
static void sim_receipt_wait(void *data, uint64_t life);
static void sim_receipts_send(void *data, uint64_t life);
static void sim_receipt_unheard(void *data, uint64_t life);
static void sim_receipt_over(sim_receipt_t *r);
static void sim_receipt_fill(sim_call_t *call, ngx_uint_t i, sim_receipt_t *r);


static sim_receipt_t  *sim_receipts, *sim_receipts_free;
static ngx_queue_t     sim_receipts_waiting;
static ngx_uint_t      sim_receipts_open;


void
sim_receipts_reset(void)
{
    sim_receipt_t  *r;

    while (sim_receipts) {
        r = sim_receipts;
        sim_receipts = r->next;
        r->next = sim_receipts_free;
        sim_receipts_free = r;
    }

    ngx_queue_init(&sim_receipts_waiting);
    sim_receipts_open = 0;
}


ngx_uint_t
sim_receipts_idle(void)
{
    return sim_receipts_open == 0;
}


uint32_t
sim_receipt_name(sim_campaign_t *c, uint32_t seq)
{
    uint64_t    rnd;
    ngx_uint_t  which;

    which = c - sim_campaigns;
    rnd = sim_random(47, which, seq);

    if (sim_scenario.talks == 0 || rnd % 8 == 0) {
        return 0;
    }

    return sim_scenario.talks == 2 ? 1 + (uint32_t) (rnd >> 8) % SIM_NAMES : 1 + (uint32_t) (which << 11 | seq);
}


static sim_receipt_t *
sim_receipt(ngx_uint_t which, uint32_t seq, ngx_campaign_receipt_e receipt, ngx_uint_t tries)
{
    sim_receipt_t  *r;

    r = sim_receipts_free;

    if (r) {
        sim_receipts_free = r->next;

    } else {
        r = malloc(sizeof(sim_receipt_t));
        if (r == NULL) {
            abort();
        }
    }

    ngx_memzero(r, sizeof(sim_receipt_t));

    r->next = sim_receipts;
    sim_receipts = r;
    sim_receipts_open++;

    r->which = which;
    r->seq = seq;
    r->receipt = receipt;
    r->tries = tries;
    r->ours = 1;
    r->channels = (ngx_uint_t) 1 << sim_campaigns[which].channel;

    return r;
}


/* a request came to the gateway */

void
sim_receipts_arrived(sim_flight_t *f)
{
    int64_t          after;
    uint64_t         rnd;
    ngx_uint_t       i, n;
    sim_receipt_t   *r;
    sim_campaign_t  *c;

    static const ngx_campaign_receipt_e  words[] = {
        NGX_CAMPAIGN_RECEIPT_SENT, NGX_CAMPAIGN_RECEIPT_SENT, NGX_CAMPAIGN_RECEIPT_DELIVERED, NGX_CAMPAIGN_RECEIPT_DELIVERED,
        NGX_CAMPAIGN_RECEIPT_DELIVERED, NGX_CAMPAIGN_RECEIPT_FAILED, NGX_CAMPAIGN_RECEIPT_EXPIRED, NGX_CAMPAIGN_RECEIPT_REJECTED
    };

    c = f->campaign;
    rnd = sim_random(48, c->c.rec.no << 32 | f->message->seq, f->message->arrived << 8 | f->attempt);

    if (sim_scenario.talks == 0 || (f->fate != SIM_FATE_ACCEPT && f->fate != SIM_FATE_RESET_ACCEPTED && rnd % 8)) {
        return;
    }

    n = (rnd >> 8) % 4;

    for (i = 0; i < n; i++) {
        rnd = sim_random(49, rnd, i);

        r = sim_receipt(c - sim_campaigns, f->message->seq, words[(rnd >> 8) % 8], 5);

        if ((rnd >> 12) % 3) {
            r->theirs = sim_receipt_name(c, f->message->seq);
            r->ours = (r->theirs == 0 || (rnd >> 16) % 2);
        }

        if ((rnd >> 20) % 4 == 0) {
            r->channels = 3;
        }

        switch ((rnd >> 24) % 4) {

        case 0:
            after = 0;                          /* long before the answer */
            break;

        case 1:
            after = (int64_t) ((rnd >> 32) % (uint64_t) (2 * sim_scenario.latency + 1));
            break;

        case 2:
            after = (int64_t) ((rnd >> 32) % 300000);
            break;

        default:
            after = (int64_t) ((rnd >> 32) % (uint64_t) (5 * SIM_S));
        }

        sim_at(sim_mono + after, sim_receipt_wait, r, 0);
    }
}


void
sim_receipts_event(uint32_t a, uint32_t b, uint32_t c, uint32_t d)
{
    ngx_uint_t       which;
    sim_receipt_t   *r;
    sim_campaign_t  *campaign;

    which = a % SIM_CAMPAIGNS;
    campaign = &sim_campaigns[which];

    if (!campaign->known) {
        return;
    }

    r = sim_receipt(which, b % (campaign->span + 1), (ngx_campaign_receipt_e) (1 + c % (NGX_CAMPAIGN_RECEIPT_MAX - 1)), 1);

    if (d % 4 == 0) {
        r->channels = 1 + d / 4 % 3;
    }

    sim_at(sim_mono, sim_receipt_wait, r, 0);
}


/* for others, or not */

static void
sim_receipt_wait(void *data, uint64_t life)
{
    sim_receipt_t *r = data;

    if (r->over) {
        return;
    }

    ngx_queue_insert_tail(&sim_receipts_waiting, &r->queue);

    sim_at(sim_mono + (sim_random(55, (uint64_t) sim_mono, r->seq) % 2 ? SIM_GATHERS : 0), sim_receipts_send, NULL, 0);
}


static void
sim_receipts_send(void *data, uint64_t life)
{
    ngx_uint_t      i, n;
    sim_call_t     *call;
    ngx_queue_t    *q;
    sim_receipt_t  *r;

    if (ngx_queue_empty(&sim_receipts_waiting)) {
        return;
    }

    for (n = 0, i = 0; i < SIM_PROCESSES; i++) {
        n += sim_processes[i].life ? sim_processes[i].calls : 0;
    }

    if (n > SIM_AT_ONCE) {
        sim_at(sim_mono + SIM_GATHERS, sim_receipts_send, NULL, 0);
        return;
    }

    call = sim_call(SIM_OP_RECEIPTS, sim_random(56, (uint64_t) sim_mono, 0));

    for (n = 0; n < SIM_BATCH && !ngx_queue_empty(&sim_receipts_waiting); n++) {
        q = ngx_queue_head(&sim_receipts_waiting);
        r = ngx_queue_data(q, sim_receipt_t, queue);
        ngx_queue_remove(q);

        r->tries--;
        r->sent++;
        sim_at(sim_mono + SIM_UNHEARD, sim_receipt_unheard, r, r->sent);

        if (call) {
            sim_receipt_fill(call, n, r);
        }
    }

    if (!ngx_queue_empty(&sim_receipts_waiting)) {
        sim_at(sim_mono, sim_receipts_send, NULL, 0);
    }

    if (call) {
        call->receipts.nreceipts = n;
        sim_call_started(call, ngx_campaign_store_receipts(call->process->store, &call->op, &call->receipts));
    }
}


static void
sim_receipt_fill(sim_call_t *call, ngx_uint_t i, sim_receipt_t *r)
{
    ngx_uint_t                n;
    ngx_pool_t               *pool;
    ngx_campaign_receipt_t   *given;

    pool = call->op.pool;

    if (i == 0) {
        call->receipts.receipts = ngx_pcalloc(pool, SIM_BATCH * sizeof(ngx_campaign_receipt_t));
        call->receipts.channels = ngx_pcalloc(pool, SIM_CHANNELS * sizeof(ngx_str_t));
    }

    /* one location, and what it is for, is that of the first */

    for (n = 0; i == 0 && n < SIM_CHANNELS; n++) {
        if (r->channels & ((ngx_uint_t) 1 << n)) {
            call->receipts.channels[call->receipts.nchannels++] = sim_text(pool, sim_channels[n], 0);
        }
    }

    call->said[i] = r;
    given = &call->receipts.receipts[i];

    given->ours = r->ours;
    given->receipt = r->receipt;

    if (r->ours) {
        ngx_campaign_id_make(ngx_campaign_store_secret(call->process->store), NGX_CAMPAIGN_MESSAGE, sim_campaigns[r->which].c.rec.no, r->seq,
                             given->id);
    }

    if (r->theirs) {
        given->theirs = sim_text(pool, "gw%u", r->theirs);
    }
}


static void
sim_receipt_over(sim_receipt_t *r)
{
    if (!r->over) {
        r->over = 1;
        sim_receipts_open--;
    }
}


/* one that was not found by the gateway's name may be early: it comes again */

void
sim_receipts_done(sim_call_t *call)
{
    ngx_uint_t      i;
    sim_receipt_t  *r;

    for (i = 0; i < call->receipts.nreceipts; i++) {
        r = call->said[i];

        if (call->op.rc == NGX_CAMPAIGN_OK) {
            sim_trace_add(call->receipts.receipts[i].rc);
        }

        if (call->op.rc == NGX_CAMPAIGN_OK && (call->receipts.receipts[i].rc == NGX_CAMPAIGN_OK || r->ours)
            && !sim_chance(sim_random(57, (uint64_t) sim_mono, r->seq), 16))
        {
            sim_receipt_over(r);
        }
    }
}


static void
sim_receipt_unheard(void *data, uint64_t life)
{
    sim_receipt_t *r = data;

    if (r->over) {
        return;
    }

    if (r->tries) {
        sim_receipt_wait(r, 0);

    } else {
        sim_receipt_over(r);
    }
}
