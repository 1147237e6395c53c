
/*
 * The twin's grants: an account's rate, shared among its campaigns, and claims of them; suspects go one at a time, and later alone.
 */

#include "twin.h"
#include "ngx_campaign_gcra.h"


#define TWIN_SPAN  16                           /* as NGX_CAMPAIGN_CLAIM_SPAN of the Makefile */


static void twin_claim(ngx_campaign_turn_t *turn, ngx_campaign_claim_t *claim, uint32_t allowed, ngx_pool_t *pool, int64_t now);
static void twin_claim_again(twin_campaign_t *c, ngx_campaign_claim_t *claim, uint32_t most, int64_t now);
static void twin_claim_fresh(twin_campaign_t *c, ngx_campaign_claim_t *claim, uint32_t most, int64_t now);
static void twin_apart(twin_campaign_t *c);
static void twin_message(twin_campaign_t *c, ngx_campaign_claim_t *claim, uint32_t seq);
static ngx_uint_t twin_suspect_waits(twin_campaign_t *c, twin_message_t *m, int64_t now);
static ngx_uint_t twin_quiet(int64_t now);
static void twin_pass(twin_campaign_t *c, ngx_campaign_claim_t *claim, twin_message_t *m, ngx_campaign_reason_e reason);
static ngx_campaign_reason_e twin_hindered(twin_campaign_t *c, uint32_t seq, int64_t now);


void
twin_grant(ngx_campaign_turn_t *turn, ngx_campaign_grant_t *g, ngx_pool_t *pool, int64_t now)
{
    int64_t               until;
    uint32_t              want, allowed, left, later, *shares;
    ngx_uint_t            i, given;
    twin_account_t       *a;
    ngx_campaign_gcra_t   gcra;

    a = &twin->accounts[g->account];
    until = ngx_max(g->until, now * 1000);

    g->granted = 0;
    g->first = 0;
    g->step = 0;
    g->tat = 0;

    for (want = 0, i = 0; i < g->nclaims; i++) {
        g->claims[i].n = 0;
        g->claims[i].left = 0;
        g->claims[i].again_at = 0;
        g->claims[i].repeats = 0;
        g->claims[i].gone = (a->status != NGX_CAMPAIGN_A_ACTIVE);
        g->claims[i].spent = 0;
        g->claims[i].expired = 0;
        want += g->claims[i].want;
    }

    if (a->status != NGX_CAMPAIGN_A_ACTIVE) {
        a->fed = 1;
        return;
    }

    gcra.rate = a->rate;
    gcra.burst = a->burst;
    gcra.tat = a->tat;

    allowed = (uint32_t) ngx_campaign_gcra_peek(&gcra, now * 1000, until, want);

    /* one for each in turn, as long as there are some */

    shares = ngx_pcalloc(pool, g->nclaims * sizeof(uint32_t));

    for (left = allowed, given = 1; given && left; /* void */ ) {
        for (given = 0, i = 0; i < g->nclaims && left; i++) {
            if (shares[i] < g->claims[i].want) {
                shares[i]++;
                left--;
                given = 1;
            }
        }
    }

    for (later = allowed, i = 0; i < g->nclaims; i++) {
        later -= shares[i];
        twin_claim(turn, &g->claims[i], allowed - g->granted - later, pool, now);
        g->granted += g->claims[i].n;
    }

    (void) ngx_campaign_gcra_take(&gcra, now * 1000, until, g->granted, &g->first, &g->step);

    if (g->granted) {
        a->tat = gcra.tat;
    }

    g->tat = a->tat;
}


static void
twin_claim(ngx_campaign_turn_t *turn, ngx_campaign_claim_t *claim, uint32_t allowed, ngx_pool_t *pool, int64_t now)
{
    uint32_t          want;
    twin_message_t   *m;
    twin_campaign_t  *c;

    c = twin_find(claim->campaign);

    if (c == NULL || c->status != NGX_CAMPAIGN_C_IN_PROGRESS) {
        claim->gone = 1;
        return;
    }

    claim->spent = (allowed == 0 || claim->want == 0);
    want = (c->epoch == turn->epoch) ? ngx_min(claim->want, allowed) : 0;

    if (twin_quiet(now) == 2 || (twin_quiet(now) && twin->want != c->no)) {
        want = 0;
    }

    if (want) {
        claim->messages = ngx_pcalloc(pool, want * sizeof(ngx_campaign_claimed_t));

        twin_claim_again(c, claim, c->upto < c->span ? ngx_min(claim->again, want) : want, now);

        if (twin_quiet(now) == 0) {
            twin_claim_fresh(c, claim, want, now);
        }
    }

    claim->left = c->span - c->upto;
    claim->repeats = c->p.again;

    m = twin_again(c);
    claim->again_at = m ? m->due : 0;

    if (want) {
        if (twin_close(c, now)) {
            twin_finished(turn, c->no);
        }

        claim->gone = (c->status != NGX_CAMPAIGN_C_IN_PROGRESS);
    }
}


/* the repeat that is due first, of those not claimed */

twin_message_t *
twin_again(twin_campaign_t *c)
{
    uint32_t         seq;
    twin_message_t  *m, *first;

    for (first = NULL, seq = 0; seq < c->upto; seq++) {
        m = &c->m[seq];

        if (m->state == NGX_CAMPAIGN_S_RETRY && !m->claimed && (first == NULL || m->due < first->due)) {
            first = m;
        }
    }

    return first;
}


static ngx_uint_t
twin_suspect_flies(void)
{
    twin_campaign_t  *c;

    c = twin_find(twin->suspect);

    return twin->suspect && c && c->m[twin->suspect_seq].claimed;
}


/* 1: only the one that wants to go alone may be claimed, 2: nobody */

static ngx_uint_t
twin_quiet(int64_t now)
{
    if (now < twin->since || now >= twin->since + NGX_CAMPAIGN_DEATHS_QUIET) {
        return 0;
    }

    return twin->want ? 1 : (twin->alone && twin_suspect_flies()) ? 2 : 0;
}


/* the one that wants to go alone may be settled by now */

void
twin_unwant(int64_t now)
{
    twin_message_t   *m;
    twin_campaign_t  *c;

    c = twin->want ? twin_find(twin->want) : NULL;
    m = c ? &c->m[twin->want_seq] : NULL;

    if (twin_quiet(now) == 1 && (m == NULL || m->state != NGX_CAMPAIGN_S_RETRY || m->claimed)) {
        twin->want = 0;
    }
}


/* one suspect at a time is in flight, and later nothing beside it */

static ngx_uint_t
twin_suspect_waits(twin_campaign_t *c, twin_message_t *m, int64_t now)
{
    ngx_uint_t  i, flying;

    if (m->deaths < NGX_CAMPAIGN_DEATHS_SUSPECT) {
        return 0;
    }

    if (twin_suspect_flies()) {
        m->due = now + NGX_CAMPAIGN_DEATHS_TURN;
        return 1;
    }

    if (m->deaths < NGX_CAMPAIGN_DEATHS_ALONE) {
        return 0;
    }

    for (flying = 0, i = 1; i <= twin->ncampaigns; i++) {
        flying += twin->campaigns[i].no ? twin->campaigns[i].p.enroute : 0;
    }

    if (flying == 0) {
        return 0;
    }

    if (twin_quiet(now) == 0) {

        if (twin->want && now >= twin->since && now < twin->since + NGX_CAMPAIGN_DEATHS_LATER) {
            m->due = twin->since + NGX_CAMPAIGN_DEATHS_LATER;
            return 1;
        }

        twin->want = c->no;
        twin->want_seq = (uint32_t) (m - c->m);
        twin->since = now;
    }

    return 1;
}


/* the next repeat of a claim; NULL: none may be claimed */

static twin_message_t *
twin_next(twin_campaign_t *c, int64_t now)
{
    ngx_uint_t       quiet;
    twin_message_t  *m;

    quiet = twin_quiet(now);
    m = quiet == 1 ? &c->m[twin->want_seq] : NULL;

    if (m == NULL || m->state != NGX_CAMPAIGN_S_RETRY || m->claimed) {
        twin->want = quiet == 1 ? 0 : twin->want;
        m = twin_again(c);
    }

    return (quiet < 2 && m && m->due <= now) ? m : NULL;
}


static void
twin_claim_again(twin_campaign_t *c, ngx_campaign_claim_t *claim, uint32_t most, int64_t now)
{
    twin_message_t         *m;
    ngx_campaign_reason_e   reason;

    while (claim->n < most && (m = twin_next(c, now)) != NULL) {

        if (twin_suspect_waits(c, m, now)) {
            if (twin_quiet(now)) {
                break;
            }

            continue;
        }

        c->p.again--;
        c->p.pending--;

        reason = twin_hindered(c, (uint32_t) (m - c->m), now);

        if (reason != NGX_CAMPAIGN_R_NONE) {
            twin_pass(c, claim, m, reason);
            continue;
        }

        m->claimed = 1;
        c->p.redelivered += m->uncertain;

        if (m->deaths >= NGX_CAMPAIGN_DEATHS_SUSPECT) {
            twin->suspect = c->no;
            twin->suspect_seq = (uint32_t) (m - c->m);
        }

        twin->alone = (m->deaths >= NGX_CAMPAIGN_DEATHS_ALONE);

        if (twin->alone) {
            twin->want = 0;
            twin->since = now;
        }

        twin_message(c, claim, (uint32_t) (m - c->m));
    }
}


/* what is in flight in the oldest of too many places stands apart */

static void
twin_apart(twin_campaign_t *c)
{
    uint32_t  end;

    if (c->upto - c->done < TWIN_SPAN) {
        return;
    }

    for (end = c->done + TWIN_SPAN / 8; c->done < end; c->done++) {
        if (c->m[c->done].state == NGX_CAMPAIGN_S_PENDING) {
            c->m[c->done].state = NGX_CAMPAIGN_S_RETRY;
            c->m[c->done].reason = NGX_CAMPAIGN_R_NONE;
            c->m[c->done].claimed = 1;
        }
    }
}


static void
twin_claim_fresh(twin_campaign_t *c, ngx_campaign_claim_t *claim, uint32_t most, int64_t now)
{
    uint64_t                deleted;
    twin_message_t         *m;
    ngx_campaign_reason_e   reason;

    for ( /* void */ ; claim->n < most && c->upto < c->span; c->upto++) {
        twin_apart(c);

        m = &c->m[c->upto];

        if (m->state != NGX_CAMPAIGN_S_PENDING) {
            continue;
        }

        reason = twin_hindered(c, c->upto, now);

        if (reason == NGX_CAMPAIGN_R_NONE) {
            c->p.pending--;
            twin_message(c, claim, c->upto);
            continue;
        }

        deleted = c->audience ? twin->audiences[c->audience].deleted[c->upto] : 0;

        if (deleted && c->no > deleted - 1) {           /* before the campaign was made: it never was a recipient */
            m->state = NGX_CAMPAIGN_S_SKIPPED;
            continue;
        }

        c->p.pending--;
        twin_pass(c, claim, m, reason);
    }
}


static void
twin_pass(twin_campaign_t *c, ngx_campaign_claim_t *claim, twin_message_t *m, ngx_campaign_reason_e reason)
{
    claim->expired += (reason == NGX_CAMPAIGN_R_EXPIRED);
    twin_settle(c, m, reason == NGX_CAMPAIGN_R_EXPIRED ? NGX_CAMPAIGN_S_FAILED : NGX_CAMPAIGN_S_SKIPPED, reason);
}


static ngx_campaign_reason_e
twin_hindered(twin_campaign_t *c, uint32_t seq, int64_t now)
{
    uint64_t          number;
    ngx_uint_t        i;
    sim_hindrance_t  *h;

    if (c->audience && twin->audiences[c->audience].deleted[seq]) {
        return NGX_CAMPAIGN_R_DELETED;
    }

    number = (c->audience ? SIM_AUDIENCE_NUMBER(twin->audiences[c->audience].which) : SIM_CAMPAIGN_NUMBER(c->which)) + seq;

    for (i = 0; i < twin->nhindrances; i++) {
        h = &twin->hindrances[i];

        if (h->account == c->account && h->number == number && (h->channel == 0 || h->channel == c->channel + 1)) {
            return NGX_CAMPAIGN_R_SUPPRESSED;
        }
    }

    if (c->record.validity && now / 1000000 > c->p.started + c->record.validity) {
        return NGX_CAMPAIGN_R_EXPIRED;
    }

    return NGX_CAMPAIGN_R_NONE;
}


static void
twin_message(twin_campaign_t *c, ngx_campaign_claim_t *claim, uint32_t seq)
{
    ngx_campaign_claimed_t  *m;

    m = &claim->messages[claim->n++];

    m->campaign = c->no;
    m->seq = seq;
    m->attempt = (uint8_t) ngx_min(c->m[seq].attempts + 1, 255);
    m->redelivery = c->m[seq].uncertain;
    m->contact.number = 1;

    if (c->m[seq].deaths < NGX_CAMPAIGN_DEATHS_SUSPECT || !c->m[seq].claimed) {
        twin->alone = 0;
    }

    c->p.enroute++;
}
