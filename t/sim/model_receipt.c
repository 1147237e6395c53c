
/*
 * Receipts, as their contract says it: delivered beats failed, failed (canceled, skipped) beats sent, sent beats what has no end; what never
 * went to a gateway is nobody's to speak of.  Segments count once: that it was sent, and that it was accepted.
 */

#include "sim.h"


static ngx_campaign_rc_e sim_model_receipt(sim_call_t *call, sim_receipt_t *r);
static ngx_uint_t sim_model_receipt_open(sim_call_t *call, sim_campaign_t *c, uint32_t seq);
static sim_message_t *sim_model_receipt_named(uint32_t theirs, ngx_uint_t channel, sim_campaign_t **c);
static ngx_uint_t sim_model_receipt_hears(sim_call_t *call, ngx_uint_t channel);
static ngx_campaign_rc_e sim_model_receipt_take(sim_campaign_t *c, sim_message_t *m, ngx_campaign_receipt_e receipt);
static void sim_model_receipt_settle(sim_campaign_t *c, sim_message_t *m, ngx_campaign_receipt_e receipt);
static ngx_uint_t sim_model_rank(ngx_uint_t state);


static const uint8_t  sim_said[NGX_CAMPAIGN_RECEIPT_MAX] = {
    [NGX_CAMPAIGN_RECEIPT_SENT]      = SIM_S_SENT,
    [NGX_CAMPAIGN_RECEIPT_DELIVERED] = SIM_S_DELIVERED,
    [NGX_CAMPAIGN_RECEIPT_FAILED]    = SIM_S_FAILED,
    [NGX_CAMPAIGN_RECEIPT_EXPIRED]   = SIM_S_FAILED,
    [NGX_CAMPAIGN_RECEIPT_REJECTED]  = SIM_S_FAILED
};

static const uint8_t  sim_said_why[NGX_CAMPAIGN_RECEIPT_MAX] = {
    [NGX_CAMPAIGN_RECEIPT_FAILED]    = NGX_CAMPAIGN_R_RECEIPT_FAILED,
    [NGX_CAMPAIGN_RECEIPT_EXPIRED]   = NGX_CAMPAIGN_R_RECEIPT_EXPIRED,
    [NGX_CAMPAIGN_RECEIPT_REJECTED]  = NGX_CAMPAIGN_R_RECEIPT_REJECTED
};


void
sim_model_receipts(sim_call_t *call)
{
    ngx_uint_t         i;
    sim_receipt_t     *r;
    ngx_campaign_rc_e  rc;

    for (i = 0; i < call->receipts.nreceipts; i++) {
        r = call->said[i];
        rc = sim_model_receipt(call, r);

        if (rc != call->receipts.receipts[i].rc) {
            sim_fail("a receipt (%d) of message %u of campaign %" PRIu64 " is answered %d, not %d", r->receipt, r->seq,
                     (uint64_t) sim_campaigns[r->which].c.rec.no, call->receipts.receipts[i].rc, rc);
        }
    }
}


static ngx_campaign_rc_e
sim_model_receipt(sim_call_t *call, sim_receipt_t *r)
{
    ngx_uint_t       i;
    sim_message_t   *m;
    sim_campaign_t  *c;

    c = &sim_campaigns[r->which];

    if (r->ours && sim_model_receipt_open(call, c, r->seq)) {
        return sim_model_receipt_take(c, &c->messages[r->seq], r->receipt);
    }

    for (i = 0; r->theirs && i < SIM_CHANNELS; i++) {
        m = sim_model_receipt_hears(call, i) ? sim_model_receipt_named(r->theirs, i, &c) : NULL;

        if (m && !c->gone) {
            return sim_model_receipt_take(c, m, r->receipt);
        }
    }

    return NGX_CAMPAIGN_NOT_FOUND;
}


static ngx_uint_t
sim_model_receipt_open(sim_call_t *call, sim_campaign_t *c, uint32_t seq)
{
    return !c->gone && seq < c->span && sim_model_receipt_hears(call, c->channel);
}


static ngx_uint_t
sim_model_receipt_hears(sim_call_t *call, ngx_uint_t channel)
{
    return (call->said[0]->channels >> channel) & 1;
}


/* whom a name leads to: the last that was given it */

static sim_message_t *
sim_model_receipt_named(uint32_t theirs, ngx_uint_t channel, sim_campaign_t **c)
{
    uint32_t        seq;
    ngx_uint_t      i;
    sim_message_t  *m, *last;

    for (last = NULL, i = 0; i < SIM_CAMPAIGNS; i++) {

        for (seq = 0; sim_campaigns[i].known && sim_campaigns[i].channel == channel && seq < sim_campaigns[i].span; seq++) {
            m = &sim_campaigns[i].messages[seq];

            if (m->theirs == theirs && m->named && (last == NULL || m->named > last->named)) {
                last = m;
                *c = &sim_campaigns[i];
            }
        }
    }

    return last;
}


void
sim_model_named(sim_message_t *m, ngx_campaign_outcome_t *o)
{
    char  text[NGX_CAMPAIGN_GATEWAY_ID_MAX + 1];

    static uint64_t  names;

    if (o->id_len == 0 || m->theirs || m->state < SIM_S_ENROUTE || m->state == SIM_S_NONE) {
        return;
    }

    ngx_memzero(text, sizeof(text));
    ngx_memcpy(text, o->id, ngx_min(o->id_len, NGX_CAMPAIGN_GATEWAY_ID_MAX));

    m->theirs = (uint32_t) strtoul(text + 2, NULL, 10);
    m->named = (sim_scenario.receipts && sim_scenario.named) ? ++names : 0;
}


static ngx_campaign_rc_e
sim_model_receipt_take(sim_campaign_t *c, sim_message_t *m, ngx_campaign_receipt_e receipt)
{
    switch (m->state) {

    case SIM_S_FRESH:
    case SIM_S_NONE:
        return NGX_CAMPAIGN_NOT_FOUND;

    case SIM_S_AGAIN:
    case SIM_S_CANCELED:
    case SIM_S_SKIPPED:
        if (m->attempts == 0) {
            return NGX_CAMPAIGN_NOT_FOUND;
        }
        break;

    case SIM_S_FAILED:
        if (m->reason == NGX_CAMPAIGN_R_EXPIRED && m->attempts == 0) {
            return NGX_CAMPAIGN_NOT_FOUND;
        }
        break;

    default:
        break;
    }

    m->best = ngx_max(m->best, sim_model_rank(sim_said[receipt]));
    sim_model_touch(c);

    if (sim_said[receipt] != SIM_S_DELIVERED && m->passed && m->state == SIM_S_AGAIN) {
        m->said = m->said && sim_model_rank(sim_said[m->said]) >= sim_model_rank(sim_said[receipt]) ? m->said : receipt;
        return NGX_CAMPAIGN_OK;
    }

    if (sim_model_rank(sim_said[receipt]) > sim_model_rank(m->state)) {
        sim_model_receipt_settle(c, m, receipt);
        (void) sim_model_ended(c);
    }

    return NGX_CAMPAIGN_OK;
}


static void
sim_model_receipt_settle(sim_campaign_t *c, sim_message_t *m, ngx_campaign_receipt_e receipt)
{
    uint32_t    seq;
    ngx_uint_t  unsent;

    unsent = (m->state != SIM_S_SENT && (m->state != SIM_S_FAILED || m->reason == NGX_CAMPAIGN_R_EXPIRED));

    if (unsent) {
        c->segments += SIM_SEGMENTS;
    }

    if (unsent || (m->state == SIM_S_FAILED && m->reason != NGX_CAMPAIGN_R_RECEIPT_FAILED && m->reason != NGX_CAMPAIGN_R_RECEIPT_EXPIRED
                   && m->reason != NGX_CAMPAIGN_R_RECEIPT_REJECTED))
    {
        c->accepted += SIM_SEGMENTS;
    }

    for (seq = 0; c->status == NGX_CAMPAIGN_C_IN_PROGRESS && seq < c->span; seq++) {
        c->either |= (c->messages[seq].passed != 0);
    }

    if (m->state == SIM_S_AGAIN && m->passed == NGX_CAMPAIGN_R_EXPIRED) {
        sim_model_expired_maybe(c, m);
    }

    m->early |= (m->state == SIM_S_ENROUTE);
    m->vouched = 1;
    m->state = sim_said[receipt];
    m->reason = sim_said_why[receipt];

    sim_model_settled(c, m);
}


/* it may have been skipped before in the same transaction; else the receipt counts */

void
sim_model_receipt_said(sim_campaign_t *c, sim_message_t *m)
{
    if (m->said && m->state == SIM_S_AGAIN) {
        m->passed = 0;
        sim_model_receipt_settle(c, m, (ngx_campaign_receipt_e) m->said);
    }

    m->said = NGX_CAMPAIGN_RECEIPT_NONE;
}


/* whatever came in which order: the end is not less than the best of what was said */

void
sim_model_receipt_end(sim_campaign_t *c, sim_message_t *m)
{
    if (m->state != SIM_S_NONE && sim_model_rank(m->state) < m->best) {
        sim_model_wrong(c, m, "a receipt says that it came further");
    }
}


static ngx_uint_t
sim_model_rank(ngx_uint_t state)
{
    switch (state) {

    case SIM_S_DELIVERED:
        return 3;

    case SIM_S_FAILED:
    case SIM_S_CANCELED:
    case SIM_S_SKIPPED:
        return 2;

    case SIM_S_SENT:
        return 1;

    default:
        return 0;
    }
}
