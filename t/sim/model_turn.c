
/*
 * A turn, as its contract says it: outcomes, starts, what is reported (and recovered), claims.  Each outcome is held against what the
 * gateway did with the message, each claim against what may be claimed.
 */

#include "sim.h"


static void sim_model_outcome(sim_campaign_t *c, sim_message_t *m, ngx_campaign_outcome_t *o, ngx_campaign_turn_t *turn);
static void sim_model_outcome_settled(sim_campaign_t *c, sim_message_t *m, ngx_campaign_outcome_t *o);
static ngx_campaign_reason_e sim_model_reason(const sim_flight_t *f);
static ngx_uint_t sim_model_repeats(const sim_flight_t *f);
static void sim_model_changes(ngx_campaign_turn_t *turn);
static void sim_model_change_account(ngx_campaign_live_t *live);
static void sim_model_change_campaign(ngx_campaign_turn_t *turn, ngx_campaign_live_t *live);
static void sim_model_recover(sim_campaign_t *c, ngx_campaign_turn_t *turn);
static void sim_model_grant(ngx_campaign_turn_t *turn, ngx_campaign_grant_t *g);
static void sim_model_claim(ngx_campaign_turn_t *turn, ngx_campaign_claim_t *claim);
static void sim_model_claimed(sim_campaign_t *c, ngx_campaign_turn_t *turn, ngx_campaign_claimed_t *claimed);
static void sim_model_alone(sim_campaign_t *c, sim_message_t *m);
static ngx_campaign_reason_e sim_model_hindered(sim_campaign_t *c, sim_message_t *m);
static void sim_model_passed(sim_campaign_t *c, uint32_t upto);


sim_message_t   *sim_alone;
uint64_t         sim_set_aside;


void
sim_model_wrong(sim_campaign_t *c, sim_message_t *m, const char *what)
{
    sim_fail("message %u of campaign %" PRIu64 " (state %d, tries %d, claims %u): %s", m->seq, (uint64_t) c->c.rec.no, m->state, m->attempts,
             (unsigned) m->claims, what);
}


void
sim_model_turn(ngx_campaign_turn_t *turn)
{
    uint64_t        *no;
    ngx_uint_t       i, n;
    sim_campaign_t  *c;

    if (turn->epoch != sim_epoch && !turn->left) {
        sim_fail("a turn of epoch %" PRIu64 " was taken in epoch %" PRIu64, turn->epoch, sim_epoch);
    }

    for (i = 0; i < turn->noutcomes; i++) {
        c = sim_model_campaign(turn->outcomes[i].campaign);

        if (c && !c->gone) {
            sim_model_outcome(c, &c->messages[turn->outcomes[i].seq], &turn->outcomes[i], turn);

            if (i + 1 == turn->noutcomes || turn->outcomes[i + 1].campaign != c->c.rec.no) {
                (void) sim_model_ended(c);
            }
        }
    }

    sim_model_leave(turn);

    if (turn->look && !turn->last && !turn->left) {
        sim_model_look_after(turn);
    }

    for (i = 0; !turn->last && !turn->left && i < SIM_CAMPAIGNS; i++) {
        c = &sim_campaigns[i];

        if (c->known && !c->gone && c->status == NGX_CAMPAIGN_C_SCHEDULED && (int64_t) c->schedule * 1000000 <= ngx_campaign_now()) {
            sim_model_start(c);
        }
    }

    if (!turn->last && !turn->left) {
        sim_model_changes(turn);
    }

    for (i = 0; !turn->last && !turn->left && i < turn->ngrants; i++) {
        sim_model_grant(turn, &turn->grants[i]);
    }

    sim_model_shares(turn);
    sim_model_waits(turn);

    sim_trace_add(turn->next);

    no = turn->finished->elts;

    for (n = 0; n < turn->finished->nelts; n++) {
        sim_trace_add(no[n]);

        c = sim_model_campaign(no[n]);
        if (c == NULL || c->finished) {
            sim_fail("campaign %" PRIu64 " is said to be finished", no[n]);
        }

        c->finished = 1;
        sim_model_touch(c);
    }
}


/* outcomes */

static void
sim_model_outcome(sim_campaign_t *c, sim_message_t *m, ngx_campaign_outcome_t *o, ngx_campaign_turn_t *turn)
{
    sim_flight_t  *f;

    if (turn->left && m->left != turn->epoch) {
        return;                                 /* another's by now */
    }

    if (m->left == turn->epoch) {
        m->left = 0;
    }

    m->early = 0;
    sim_model_named(m, o);

    if (m->state != SIM_S_ENROUTE) {
        return;                                 /* recorded before: changes nothing */
    }

    if (o->claim != ngx_min(m->attempts + 1, 255)) {
        return;                                 /* recorded before, in the turn that claimed it anew: nobody knew whether that was taken */
    }

    sim_model_touch(c);

    if (m->epoch != turn->epoch) {
        sim_model_wrong(c, m, "an outcome from a dispatcher that did not claim it");
    }

    f = m->flight;

    switch (o->kind) {

    case NGX_CAMPAIGN_OUTCOME_SETTLED:
        sim_model_outcome_settled(c, m, o);
        return;

    case NGX_CAMPAIGN_OUTCOME_AGAIN:
        if (!m->started || !f->answered || !sim_model_repeats(f) || o->attempt != f->attempt) {
            sim_model_wrong(c, m, "is tried again without a reason");
        }

        if (o->attempt >= sim_scenario.retry.attempts) {
            sim_model_wrong(c, m, "is tried again though its tries are used up");
        }

        if (o->reason != sim_model_reason(f)) {
            sim_model_wrong(c, m, "is tried again for another reason");
        }

        m->attempts = o->attempt;
        m->deaths = 0;
        m->uncertain = (f->fate == SIM_FATE_RESET || f->fate == SIM_FATE_RESET_ACCEPTED);
        m->doubtful |= m->uncertain;
        break;

    case NGX_CAMPAIGN_OUTCOME_BACK:
        if (m->started && (!f->answered || f->fate != SIM_FATE_NONE)) {
            sim_model_wrong(c, m, "is given back though it went out");
        }

        if (m->uncertain) {
            c->redelivered--;
        }
        break;
    }

    m->state = SIM_S_AGAIN;
    m->reason = o->reason;
    m->due = o->due;

    if (c->status == NGX_CAMPAIGN_C_CANCELED) {
        m->state = SIM_S_CANCELED;
        m->reason = NGX_CAMPAIGN_R_CANCELED;
    }
}


static void
sim_model_outcome_settled(sim_campaign_t *c, sim_message_t *m, ngx_campaign_outcome_t *o)
{
    ngx_uint_t     accepted;
    sim_flight_t  *f;

    f = m->flight;

    if (o->state == NGX_CAMPAIGN_S_FAILED && o->reason == NGX_CAMPAIGN_R_EXPIRED) {

        if (m->started || c->c.validity == 0 || o->segments) {
            sim_model_wrong(c, m, "is said to have expired");
        }

    } else if (!m->started || !f->answered || o->segments != 1 + m->seq % 3 || o->attempt != f->attempt) {
        sim_model_wrong(c, m, "has an outcome that is not that of its try");
    }

    accepted = 0;

    switch (o->state) {

    case NGX_CAMPAIGN_S_SENT:
    case NGX_CAMPAIGN_S_DELIVERED:
        if (f->fate != SIM_FATE_ACCEPT || (o->state == NGX_CAMPAIGN_S_SENT) != sim_scenario.receipts || o->reason) {
            sim_model_wrong(c, m, "is said to be accepted");
        }

        m->state = (o->state == NGX_CAMPAIGN_S_SENT) ? SIM_S_SENT : SIM_S_DELIVERED;
        accepted = o->segments;
        break;

    case NGX_CAMPAIGN_S_FAILED:
        if (o->reason != NGX_CAMPAIGN_R_EXPIRED) {
            if (sim_model_repeats(f) && o->attempt < sim_scenario.retry.attempts) {
                sim_model_wrong(c, m, "fails though it could be tried again");
            }

            if (o->reason != sim_model_reason(f)) {
                sim_model_wrong(c, m, "fails for another reason");
            }
        }

        m->state = SIM_S_FAILED;
        break;

    default:
        sim_model_wrong(c, m, "is settled in a strange state");
    }

    m->reason = o->reason;
    c->segments += o->segments;
    c->accepted += accepted;

    sim_model_settled(c, m);
}


static ngx_campaign_reason_e
sim_model_reason(const sim_flight_t *f)
{
    switch (f->fate) {

    case SIM_FATE_STATUS:
        return f->status >= 500 ? NGX_CAMPAIGN_R_GATEWAY_5XX : NGX_CAMPAIGN_R_GATEWAY_4XX;

    case SIM_FATE_REFUSE:
        return NGX_CAMPAIGN_R_GATEWAY_UNREACHABLE;

    case SIM_FATE_RESET:
    case SIM_FATE_RESET_ACCEPTED:
        return sim_scenario.redelivery ? NGX_CAMPAIGN_R_GATEWAY_TIMEOUT : NGX_CAMPAIGN_R_UNCERTAIN;

    default:
        return NGX_CAMPAIGN_R_NONE;
    }
}


static ngx_uint_t
sim_model_repeats(const sim_flight_t *f)
{
    switch (f->fate) {

    case SIM_FATE_STATUS:
        return f->status == 408 || f->status == 425 || f->status == 429 || f->status >= 500;

    case SIM_FATE_REFUSE:
        return 1;

    case SIM_FATE_RESET:
    case SIM_FATE_RESET_ACCEPTED:
        return sim_scenario.redelivery;

    default:
        return 0;
    }
}


/* what the dispatcher is told */

static void
sim_model_changes(ngx_campaign_turn_t *turn)
{
    ngx_uint_t            i;
    ngx_campaign_live_t  *live;

    live = turn->changes->elts;

    for (i = 0; i < turn->changes->nelts; i++) {
        sim_trace_add(live[i].kind << 8 | live[i].gone);
        sim_trace_add(live[i].no);

        if (live[i].kind == NGX_CAMPAIGN_ACCOUNT) {
            sim_model_change_account(&live[i]);

        } else {
            sim_model_change_campaign(turn, &live[i]);
        }
    }
}


static void
sim_model_change_account(ngx_campaign_live_t *live)
{
    ngx_uint_t      i;
    sim_account_t  *a;

    for (i = 0; i < sim_naccounts; i++) {
        a = &sim_accounts[i];

        if (!a->known || a->no != live->account) {
            continue;
        }

        if (a->disabled != live->gone) {
            sim_fail("account %u is reported %s", a->no, live->gone ? "gone" : "alive");
        }

        if (!live->gone && (live->rate != a->rate || live->burst != a->burst)) {
            sim_fail("account %u is reported with another rate", a->no);
        }

        if (a->reported == 0) {
            a->reported = sim_mono;
        }

        a->tat = ngx_max(a->tat, live->tat);
        sim_trace_add((uint64_t) live->tat);
    }
}


static void
sim_model_change_campaign(ngx_campaign_turn_t *turn, ngx_campaign_live_t *live)
{
    uint32_t         seq, fresh;
    int64_t          again_at;
    ngx_uint_t       suspects;
    sim_message_t   *m;
    sim_campaign_t  *c;

    c = sim_model_campaign(live->no);

    if (c == NULL || c->gone) {
        if (!live->gone) {
            sim_fail("campaign %" PRIu64 " is reported, and is not there", live->no);
        }

        return;
    }

    if (c->epoch != turn->epoch) {
        sim_model_recover(c, turn);
    }

    if (live->gone != (c->status != NGX_CAMPAIGN_C_IN_PROGRESS)) {
        sim_fail("campaign %" PRIu64 " in status %d is reported %s", live->no, (int) c->status, live->gone ? "gone" : "alive");
    }

    if (live->gone) {
        return;
    }

    c->told = c->told ? c->told : sim_commits;

    for (fresh = 0, suspects = 0, again_at = 0, seq = 0; seq < c->span; seq++) {
        m = &c->messages[seq];
        fresh += (m->state == SIM_S_FRESH);
        suspects += (m->state == SIM_S_AGAIN && m->deaths >= NGX_CAMPAIGN_DEATHS_SUSPECT);      /* they may have been put off */

        if (m->state == SIM_S_AGAIN && (again_at == 0 || m->due < again_at)) {
            again_at = m->due;
        }
    }

    if (live->fresh < fresh || (live->again_at != again_at && !suspects)) {
        sim_fail("campaign %" PRIu64 " is reported with %u fresh messages and a repeat at %" PRId64 ", it has %u and one at %" PRId64,
                 live->no, live->fresh, live->again_at, fresh, again_at);
    }

    sim_trace_add(live->fresh);
    sim_trace_add((uint64_t) live->again_at);
}


/* an earlier dispatcher's messages: nobody knows whether they went out */

static void
sim_model_recover(sim_campaign_t *c, ngx_campaign_turn_t *turn)
{
    uint32_t        seq;
    sim_message_t  *m;

    sim_model_touch(c);

    for (seq = 0; seq < c->span; seq++) {
        m = &c->messages[seq];

        if (m->state == SIM_S_ENROUTE && m->left == 0) {
            sim_model_uncertain(c, m, turn->crashed);
        }
    }

    c->epoch = turn->epoch;
    c->told = 0;

    (void) sim_model_ended(c);
}


void
sim_model_uncertain(sim_campaign_t *c, sim_message_t *m, ngx_uint_t crashed)
{
    if (sim_gentle) {
        sim_model_wrong(c, m, "is uncertain, and nobody died");
    }

    sim_model_spent(c->account);

    if (c->status == NGX_CAMPAIGN_C_CANCELED || !sim_scenario.redelivery) {
        m->state = SIM_S_FAILED;
        m->reason = NGX_CAMPAIGN_R_UNCERTAIN;
        c->segments += SIM_SEGMENTS;
        sim_model_settled(c, m);
        return;
    }

    if (!crashed) {
        m->deaths += NGX_CAMPAIGN_DEATHS_KILL;

    } else if (m->deaths < NGX_CAMPAIGN_DEATHS_ALONE) {
        m->deaths = ngx_min(m->deaths + NGX_CAMPAIGN_DEATHS_CRASH, NGX_CAMPAIGN_DEATHS_ALONE);
    }

    if ((crashed && sim_alone == m) || m->deaths >= NGX_CAMPAIGN_DEATHS_MAX) {
        sim_set_aside++;

        if (sim_scenario.poison && !sim_poison(c->c.rec.no, m->seq) && !sim_framed) {
            sim_model_wrong(c, m, "is set aside, and kills nobody");
        }

        m->state = SIM_S_FAILED;
        m->reason = NGX_CAMPAIGN_R_POISON;
        c->segments += SIM_SEGMENTS;
        sim_model_settled(c, m);
        return;
    }

    m->state = SIM_S_AGAIN;
    m->reason = NGX_CAMPAIGN_R_UNCERTAIN;
    m->attempts++;
    m->uncertain = 1;
    m->doubtful = 1;
    m->due = ngx_campaign_now() + (m->deaths < NGX_CAMPAIGN_DEATHS_SUSPECT ? 0 : NGX_CAMPAIGN_DEATHS_WAIT);
}


/* claims */

static void
sim_model_grant(ngx_campaign_turn_t *turn, ngx_campaign_grant_t *g)
{
    uint32_t        n;
    ngx_uint_t      i;
    sim_account_t  *a;

    for (a = sim_accounts; a->no != g->account; a++) { /* void */ }

    sim_trace_add(g->granted);
    sim_trace_add((uint64_t) g->first);
    sim_trace_add((uint64_t) g->tat);

    a->tat = ngx_max(a->tat, g->tat);

    for (n = 0, i = 0; i < g->nclaims; i++) {
        n += g->claims[i].n;

        if (a->disabled && g->claims[i].n) {
            sim_fail("account %u is disabled, and messages of it are claimed", a->no);
        }

        if (g->claims[i].n > g->claims[i].want) {
            sim_fail("more is claimed than was asked for");
        }

        if (g->step) {
            sim_model_claim(turn, &g->claims[i]);
        }
    }

    if (n != g->granted) {
        sim_fail("account %u is granted %u messages, and %u are claimed", a->no, g->granted, n);
    }
}


static void
sim_model_claim(ngx_campaign_turn_t *turn, ngx_campaign_claim_t *claim)
{
    uint32_t         i;
    sim_message_t   *m;
    sim_campaign_t  *c;

    c = sim_model_campaign(claim->campaign);

    if (c == NULL || c->gone || c->status != NGX_CAMPAIGN_C_IN_PROGRESS) {
        if (claim->n || !claim->gone) {
            sim_fail("campaign %" PRIu64 " is not in progress, and is claimed of", claim->campaign);
        }

        return;
    }

    if (claim->n && c->epoch != turn->epoch) {
        if (c->epoch) {
            for (i = 0; i < c->span; i++) {
                if (c->messages[i].state == SIM_S_ENROUTE && c->messages[i].left == 0) {
                    sim_fail("campaign %" PRIu64 " is claimed of before it was recovered", claim->campaign);
                }
            }
        }

        c->epoch = turn->epoch;
    }

    sim_model_touch(c);

    for (i = 0; i < c->span; i++) {
        m = &c->messages[i];

        if (m->state == SIM_S_AGAIN && m->due <= ngx_campaign_now()) {
            m->passed = sim_model_hindered(c, m);
        }
    }

    for (i = 0; i < claim->n; i++) {
        sim_model_claimed(c, turn, &claim->messages[i]);
    }

    sim_model_passed(c, c->span - claim->left);
    (void) sim_model_ended(c);

    sim_say("campaign %" PRIu64 ": %u claimed of %u (%u repeats), %u left, repeat at %" PRId64, claim->campaign, claim->n, claim->want,
            claim->again, claim->left, claim->again_at);

    sim_trace_add(claim->n);
    sim_trace_add(claim->left);
    sim_trace_add((uint64_t) claim->again_at);
    sim_trace_add(claim->repeats);
    sim_trace_add(claim->gone | claim->spent << 1);
}


static void
sim_model_claimed(sim_campaign_t *c, ngx_campaign_turn_t *turn, ngx_campaign_claimed_t *claimed)
{
    sim_message_t  *m;

    if (claimed->seq >= c->span) {
        sim_fail("campaign %" PRIu64 " has no message %u", (uint64_t) c->c.rec.no, claimed->seq);
    }

    m = &c->messages[claimed->seq];

    sim_trace_add(claimed->seq);

    if (m->state != SIM_S_FRESH && (m->state != SIM_S_AGAIN || m->due > ngx_campaign_now())) {
        sim_model_wrong(c, m, "is claimed");
    }

    if (sim_model_hindered(c, m)) {
        sim_model_wrong(c, m, "is claimed though its contact was deleted or suppressed, or its time is over");
    }

    if (claimed->attempt != ngx_min(m->attempts + 1, 255)) {
        sim_model_wrong(c, m, "is claimed with another number of tries");
    }

    if (claimed->redelivery != m->uncertain) {
        sim_model_wrong(c, m, "is claimed as a redelivery, or is not");
    }

    if (claimed->contact.number == 0) {
        sim_model_wrong(c, m, "is claimed without a number");
    }

    sim_alone = NULL;

    if (m->deaths >= NGX_CAMPAIGN_DEATHS_SUSPECT) {
        sim_model_alone(c, m);
    }

    c->redelivered += m->uncertain;

    m->state = SIM_S_ENROUTE;
    m->epoch = turn->epoch;
    m->started = 0;
    m->early = 0;
    m->claims++;
}


/* one suspect at a time, and then one with nothing else in flight */

static void
sim_model_alone(sim_campaign_t *c, sim_message_t *m)
{
    uint32_t        seq;
    ngx_uint_t      i, alone;
    sim_message_t  *other;

    alone = (m->deaths >= NGX_CAMPAIGN_DEATHS_ALONE);

    for (i = 0; i < SIM_CAMPAIGNS; i++) {

        for (seq = 0; sim_campaigns[i].known && !sim_campaigns[i].gone && seq < sim_campaigns[i].span; seq++) {
            other = &sim_campaigns[i].messages[seq];

            if (other->state == SIM_S_ENROUTE && (alone || other->deaths >= NGX_CAMPAIGN_DEATHS_SUSPECT)) {
                sim_model_wrong(c, m, "is a suspect, and claimed beside another message");
            }
        }
    }

    sim_alone = alone ? m : NULL;
}


/* why a claim passes a message over; NGX_CAMPAIGN_R_NONE: it must not */

static ngx_campaign_reason_e
sim_model_hindered(sim_campaign_t *c, sim_message_t *m)
{
    if (m->deleted || m->hindered) {
        return m->deleted ? NGX_CAMPAIGN_R_DELETED : NGX_CAMPAIGN_R_SUPPRESSED;
    }

    return (c->c.validity && ngx_campaign_now() >= ((int64_t) c->started + c->c.validity + 1) * 1000000) ? NGX_CAMPAIGN_R_EXPIRED
                                                                                                         : NGX_CAMPAIGN_R_NONE;
}


/* what the walk of a claim has passed was claimed, or there was nobody to send it to */

static void
sim_model_passed(sim_campaign_t *c, uint32_t upto)
{
    uint32_t        seq;
    sim_message_t  *m;

    for (seq = 0; seq < upto; seq++) {
        m = &c->messages[seq];

        if (m->state != SIM_S_FRESH) {
            continue;
        }

        m->reason = sim_model_hindered(c, m);

        if (m->reason == NGX_CAMPAIGN_R_NONE) {
            sim_model_wrong(c, m, "was passed over: it is lost");
        }

        m->state = (m->reason == NGX_CAMPAIGN_R_EXPIRED) ? SIM_S_FAILED : SIM_S_SKIPPED;

        if (m->state == SIM_S_FAILED) {
            sim_model_settled(c, m);
        }
    }

    for ( /* void */ ; seq < c->span; seq++) {
        if (c->messages[seq].state == SIM_S_ENROUTE || c->messages[seq].state == SIM_S_AGAIN) {
            sim_model_wrong(c, &c->messages[seq], "is ahead of the walk");
        }
    }
}
