
/*
 * The twin's turn: outcomes, starts, changes, grants, in the words of the store's contract.
 */

#include "twin.h"
#include "ngx_campaign_gcra.h"


#define TWIN_SPAN  16                           /* as NGX_CAMPAIGN_CLAIM_SPAN of the Makefile */


static twin_campaign_t *twin_find(uint64_t no);
static void twin_outcomes(ngx_campaign_turn_t *turn, int64_t now);
static int twin_outcome_cmp(const void *one, const void *two);
static void twin_outcome(twin_campaign_t *c, ngx_campaign_outcome_t *o);
static void twin_leave(ngx_campaign_turn_t *turn, int64_t now);
static void twin_look_after(ngx_campaign_turn_t *turn, int64_t now);
static void twin_away(ngx_campaign_turn_t *turn, twin_campaign_t *c);
static void twin_uncertain(ngx_campaign_turn_t *turn, twin_campaign_t *c, twin_message_t *m, ngx_uint_t crashed, int64_t now);
static void twin_spend(twin_campaign_t *c, int64_t now);
static void twin_starts(ngx_campaign_turn_t *turn, int64_t now);
static void twin_peek_due(ngx_campaign_peek_t *peek, int64_t now);
static void twin_peek_live(ngx_campaign_peek_t *peek, twin_campaign_t *c);
static void twin_peek_fresh(ngx_campaign_peek_t *peek);
static void twin_changes(ngx_campaign_turn_t *turn, ngx_pool_t *pool, int64_t now);
static void twin_change_account(ngx_campaign_turn_t *turn, uint32_t account);
static void twin_change_campaign(ngx_campaign_turn_t *turn, twin_campaign_t *c, int64_t now);
static void twin_live_account(ngx_campaign_live_t *live, uint32_t account);
static void twin_live_campaign(ngx_campaign_live_t *live, twin_campaign_t *c);
static void twin_recover(ngx_campaign_turn_t *turn, twin_campaign_t *c, int64_t now);
static void twin_grant(ngx_campaign_turn_t *turn, ngx_campaign_grant_t *g, ngx_pool_t *pool, int64_t now);
static void twin_claim(ngx_campaign_turn_t *turn, ngx_campaign_claim_t *claim, uint32_t allowed, ngx_pool_t *pool, int64_t now);
static void twin_claim_again(twin_campaign_t *c, ngx_campaign_claim_t *claim, uint32_t most, int64_t now);
static void twin_claim_fresh(twin_campaign_t *c, ngx_campaign_claim_t *claim, uint32_t most, int64_t now);
static void twin_apart(twin_campaign_t *c);
static void twin_message(twin_campaign_t *c, ngx_campaign_claim_t *claim, uint32_t seq);
static twin_message_t *twin_again(twin_campaign_t *c);
static ngx_uint_t twin_suspect_waits(twin_campaign_t *c, twin_message_t *m, int64_t now);
static ngx_uint_t twin_quiet(int64_t now);
static void twin_unwant(int64_t now);
static void twin_pass(twin_campaign_t *c, ngx_campaign_claim_t *claim, twin_message_t *m, ngx_campaign_reason_e reason);
static ngx_campaign_reason_e twin_hindered(twin_campaign_t *c, uint32_t seq, int64_t now);
static void twin_finished(ngx_campaign_turn_t *turn, uint64_t no);


twin_disk_t  *twin;


static twin_campaign_t *
twin_find(uint64_t no)
{
    return (no <= twin->ncampaigns && twin->campaigns[no].no) ? &twin->campaigns[no] : NULL;
}


ngx_campaign_rc_e
twin_lease(uint64_t *epoch)
{
    ngx_uint_t  i;

    *epoch = ++twin->epoch;

    for (i = 1; i <= twin->ncampaigns; i++) {
        twin->campaigns[i].fed |= (twin->campaigns[i].no && twin->campaigns[i].active);
    }

    return NGX_CAMPAIGN_OK;
}


static int64_t
twin_next_start(ngx_uint_t *which)
{
    int64_t      at;
    ngx_uint_t   i;

    for (at = 0, *which = 0, i = 1; i <= twin->ncampaigns; i++) {
        if (twin->campaigns[i].no && twin->campaigns[i].status == NGX_CAMPAIGN_C_SCHEDULED
            && (*which == 0 || twin->campaigns[i].schedule < twin->campaigns[*which].schedule))
        {
            *which = i;
            at = (int64_t) twin->campaigns[i].schedule * 1000000;
        }
    }

    return at;
}


static ngx_uint_t
twin_fed(void)
{
    ngx_uint_t  i, n;

    for (n = 0, i = 1; i <= twin->naccounts; i++) {
        n += twin->accounts[i].fed;
    }

    for (i = 1; i <= twin->ncampaigns; i++) {
        n += twin->campaigns[i].fed;
    }

    return n;
}


void
twin_peek(ngx_campaign_peek_t *peek, ngx_pool_t *pool)
{
    ngx_uint_t  which;

    peek->epoch = twin->epoch;
    peek->changed = (twin_fed() || twin_names_left());
    peek->next = twin_next_start(&which);

    if (peek->changed || (peek->next && peek->next <= ngx_campaign_now())) {
        peek->fresh = ngx_array_create(pool, 2, sizeof(ngx_campaign_live_t));
        twin_peek_due(peek, ngx_campaign_now());
        twin_peek_fresh(peek);
    }
}


/* the first so many that start now, as many as the store looks at */

static void
twin_peek_due(ngx_campaign_peek_t *peek, int64_t now)
{
    ngx_uint_t        i, left;
    twin_campaign_t  *c, *first, *last;

    for (last = NULL, left = 16; left; left--, last = first) {

        for (first = NULL, i = 1; i <= twin->ncampaigns; i++) {
            c = &twin->campaigns[i];

            if (c->no && c->status == NGX_CAMPAIGN_C_SCHEDULED && (int64_t) c->schedule * 1000000 <= now
                && (last == NULL || c->schedule > last->schedule || (c->schedule == last->schedule && c > last))
                && (first == NULL || c->schedule < first->schedule))
            {
                first = c;
            }
        }

        if (first == NULL) {
            return;
        }

        twin_peek_live(peek, first);
    }
}


static void
twin_peek_live(ngx_campaign_peek_t *peek, twin_campaign_t *c)
{
    ngx_campaign_live_t  *live;

    if (c->no == 0 || (c->status != NGX_CAMPAIGN_C_IN_PROGRESS && c->status != NGX_CAMPAIGN_C_SCHEDULED) || c->upto || c->p.again
        || twin->accounts[c->account].status != NGX_CAMPAIGN_A_ACTIVE)
    {
        return;
    }

    twin_live_account(ngx_array_push(peek->fresh), c->account);

    live = ngx_array_push(peek->fresh);
    twin_live_campaign(live, c);
    live->gone = 0;
    live->campaign = c->record;
    live->campaign.progress = c->p;
    live->fresh = c->span;
}


/* of the first so many of what is fed, as many as the store looks at */

static void
twin_peek_fresh(ngx_campaign_peek_t *peek)
{
    ngx_uint_t        i, n, left;
    twin_campaign_t  *c;

    left = 16;

    for (i = 1; i <= SIM_ACCOUNTS && left; i++) {
        left -= twin->accounts[i].fed ? 1 : 0;
    }

    for (i = 1; i <= twin->naccounts; i++) {
        for (n = 1; n <= twin->ncampaigns && left; n++) {
            c = &twin->campaigns[n];

            if (!c->fed || c->account != i) {
                continue;
            }

            left--;
            twin_peek_live(peek, c);
        }
    }
}


ngx_campaign_rc_e
twin_turn(ngx_campaign_turn_t *turn, ngx_pool_t *pool, int64_t now)
{
    ngx_uint_t  i, which;

    if (turn->epoch != twin->epoch && !turn->left) {
        return NGX_CAMPAIGN_FENCED;
    }

    turn->next = 0;
    turn->changes = ngx_array_create(pool, 8, sizeof(ngx_campaign_live_t));
    turn->finished = ngx_array_create(pool, 4, sizeof(uint64_t));
    turn->away = ngx_array_create(pool, 4, sizeof(ngx_campaign_away_t));

    twin_outcomes(turn, now);

    for (i = 0; i < turn->nlimits; i++) {
        twin->accounts[turn->limits[i].account].tat = ngx_max(twin->accounts[turn->limits[i].account].tat, turn->limits[i].tat);
    }

    twin_leave(turn, now);

    if (turn->last || turn->left) {
        return NGX_CAMPAIGN_OK;
    }

    if (turn->look) {
        twin_look_after(turn, now);
    }

    twin_starts(turn, now);
    twin_changes(turn, pool, now);

    twin_unwant(now);

    for (i = 0; i < turn->ngrants; i++) {
        twin_grant(turn, &turn->grants[i], pool, now);
    }

    twin_names_step();

    turn->next = (twin_fed() || twin_names_left()) ? 1 : twin_next_start(&which);

    return NGX_CAMPAIGN_OK;
}


static void
twin_finished(ngx_campaign_turn_t *turn, uint64_t no)
{
    *(uint64_t *) ngx_array_push(turn->finished) = no;
}


static void
twin_outcomes(ngx_campaign_turn_t *turn, int64_t now)
{
    ngx_uint_t               i, own;
    twin_message_t          *m;
    twin_campaign_t         *c;
    ngx_campaign_outcome_t  *o;

    o = turn->outcomes;

    if (turn->noutcomes) {
        qsort(o, turn->noutcomes, sizeof(ngx_campaign_outcome_t), twin_outcome_cmp);
    }

    for (i = 0; i < turn->noutcomes; i++) {
        c = twin_find(o[i].campaign);

        if (c == NULL) {
            continue;
        }

        m = &c->m[o[i].seq];
        own = !turn->left;

        if (m->left == turn->epoch) {
            m->left = 0;
            own = 1;
        }

        if (own) {
            twin_outcome(c, &o[i]);
        }

        c->fed |= turn->left;

        if ((i + 1 == turn->noutcomes || o[i + 1].campaign != o[i].campaign) && twin_close(c, now)) {
            twin_finished(turn, c->no);
        }
    }
}


static void
twin_leave(ngx_campaign_turn_t *turn, int64_t now)
{
    ngx_uint_t        i;
    twin_message_t   *m;
    twin_campaign_t  *c;

    for (i = 0; i < turn->nleaving; i++) {
        c = twin_find(turn->leaving[i].campaign);

        if (c == NULL) {
            continue;
        }

        m = &c->m[turn->leaving[i].seq];

        if (m->state == NGX_CAMPAIGN_S_PENDING) {
            m->state = NGX_CAMPAIGN_S_RETRY;
            m->reason = NGX_CAMPAIGN_R_NONE;
            m->claimed = 1;
        }

        if (m->state != NGX_CAMPAIGN_S_RETRY || m->claimed) {
            m->left = turn->epoch;
        }
    }

    for (i = 1; i <= twin->ncampaigns && turn->nleaving; i++) {
        if (twin->campaigns[i].no && twin_close(&twin->campaigns[i], now)) {
            twin_finished(turn, i);
        }
    }
}


static void
twin_look_after(ngx_campaign_turn_t *turn, int64_t now)
{
    uint32_t          seq;
    ngx_uint_t        i, lost;
    twin_message_t   *m;
    twin_campaign_t  *c;

    for (i = 1; i <= twin->ncampaigns; i++) {
        c = &twin->campaigns[i];

        for (lost = 0, seq = 0; c->no && seq < c->upto; seq++) {
            m = &c->m[seq];

            if (m->left == 0) {
                continue;
            }

            if (twin_there(m->left)) {
                twin_away(turn, c);
                continue;
            }

            m->left = 0;
            lost++;

            if (m->state == NGX_CAMPAIGN_S_RETRY && m->claimed) {
                twin_uncertain(turn, c, m, 0, now);
            }
        }

        if (lost == 0) {
            continue;
        }

        if (twin_close(c, now)) {
            twin_finished(turn, c->no);
        }

        twin_spend(c, now);
        c->fed = 1;
    }
}


static void
twin_away(ngx_campaign_turn_t *turn, twin_campaign_t *c)
{
    ngx_uint_t            i;
    ngx_campaign_away_t  *away;

    away = turn->away->elts;

    for (i = 0; i < turn->away->nelts; i++) {
        if (away[i].channel.data == c->record.rec.channel.data) {
            away[i].n++;
            return;
        }
    }

    away = ngx_array_push(turn->away);
    away->channel = c->record.rec.channel;
    away->n = 1;
}


static int
twin_outcome_cmp(const void *one, const void *two)
{
    const ngx_campaign_outcome_t *a = one, *b = two;

    if (a->campaign != b->campaign) {
        return a->campaign < b->campaign ? -1 : 1;
    }

    return a->seq < b->seq ? -1 : a->seq > b->seq;
}


static void
twin_outcome(twin_campaign_t *c, ngx_campaign_outcome_t *o)
{
    ngx_uint_t       flying;
    twin_message_t  *m;

    m = &c->m[o->seq];
    flying = m->claimed;

    if (m->state == NGX_CAMPAIGN_S_PENDING) {
        flying = (o->seq >= c->done && o->seq < c->upto);
    }

    if (m->state > NGX_CAMPAIGN_S_RETRY) {          /* a receipt came before it */
        twin_named(c, m, o);
    }

    if (!flying) {
        return;
    }

    m->claimed = 0;
    c->p.enroute--;

    if (o->kind == NGX_CAMPAIGN_OUTCOME_SETTLED) {
        twin_settle(c, m, o->state, o->reason);
        c->p.segments += o->segments;
        c->p.accepted += (o->state == NGX_CAMPAIGN_S_SENT || o->state == NGX_CAMPAIGN_S_DELIVERED) ? o->segments : 0;

        if (o->attempt > 1) {
            m->attempts = o->attempt;
            m->uncertain = 0;
            m->deaths = 0;
        }

        twin_named(c, m, o);
        return;
    }

    if (o->kind == NGX_CAMPAIGN_OUTCOME_BACK) {
        c->p.redelivered -= m->uncertain;

    } else {
        m->attempts = o->attempt;
        m->uncertain = (o->reason == NGX_CAMPAIGN_R_GATEWAY_TIMEOUT || o->reason == NGX_CAMPAIGN_R_UNCERTAIN);
        m->deaths = 0;
    }

    if (c->status == NGX_CAMPAIGN_C_CANCELED) {
        twin_settle(c, m, NGX_CAMPAIGN_S_CANCELED, NGX_CAMPAIGN_R_CANCELED);
        return;
    }

    m->state = NGX_CAMPAIGN_S_RETRY;
    m->reason = o->reason;
    m->due = o->due;
    c->p.pending++;
    c->p.again++;
}


void
twin_settle(twin_campaign_t *c, twin_message_t *m, ngx_campaign_state_e state, ngx_campaign_reason_e reason)
{
    m->state = state;
    m->reason = reason;

    c->p.sent += (state == NGX_CAMPAIGN_S_SENT);
    c->p.delivered += (state == NGX_CAMPAIGN_S_DELIVERED);
    c->p.failed += (state == NGX_CAMPAIGN_S_FAILED);
    c->p.canceled += (state == NGX_CAMPAIGN_S_CANCELED);
    c->p.skipped += (state == NGX_CAMPAIGN_S_SKIPPED);
    c->p.uncertain += (reason == NGX_CAMPAIGN_R_UNCERTAIN);
    c->p.reason[reason] += (reason != NGX_CAMPAIGN_R_NONE);

    if (state != NGX_CAMPAIGN_S_CANCELED && state != NGX_CAMPAIGN_S_SKIPPED) {
        twin_tell(c->account, NGX_CAMPAIGN_W_DELIVERY, c->no, (uint32_t) (m - c->m), ngx_campaign_state_byte(state, reason));
    }
}


ngx_uint_t
twin_close(twin_campaign_t *c, int64_t now)
{
    while (c->done < c->upto && c->m[c->done].state != NGX_CAMPAIGN_S_PENDING) {
        c->done++;
    }

    if (c->p.enroute) {
        return 0;
    }

    if (c->status != NGX_CAMPAIGN_C_IN_PROGRESS) {
        c->active = 0;
        return 0;
    }

    if (c->p.pending) {
        return 0;
    }

    twin_move(c, ngx_campaign_status_settled(c->p.sent + c->p.delivered), now);

    return 1;
}


void
twin_move(twin_campaign_t *c, ngx_campaign_status_e to, int64_t now)
{
    c->status = to;

    if (!c->apart) {
        twin_tell(c->account, NGX_CAMPAIGN_W_CAMPAIGN, c->no, 0xffffffff, to);
    }

    c->active = (to == NGX_CAMPAIGN_C_IN_PROGRESS || c->p.enroute);
    c->fed = 1;

    if (to == NGX_CAMPAIGN_C_IN_PROGRESS && c->p.started == 0) {
        c->p.started = (time_t) (now / 1000000);
    }

    if (to == NGX_CAMPAIGN_C_CANCELED) {
        c->p.canceled += c->p.pending;
        c->p.reason[NGX_CAMPAIGN_R_CANCELED] += c->p.pending;
        c->p.pending = 0;
        c->p.again = 0;
    }
}


static void
twin_starts(ngx_campaign_turn_t *turn, int64_t now)
{
    int64_t     at;
    ngx_uint_t  which;

    for ( ;; ) {
        at = twin_next_start(&which);

        if (which == 0 || at > now) {
            return;
        }

        twin_move(&twin->campaigns[which], NGX_CAMPAIGN_C_IN_PROGRESS, now);

        if (twin_close(&twin->campaigns[which], now)) {
            twin_finished(turn, which);
        }
    }
}


/* accounts first, each once, then campaigns by account */

static void
twin_changes(ngx_campaign_turn_t *turn, ngx_pool_t *pool, int64_t now)
{
    ngx_uint_t        i, n;
    twin_campaign_t  *c;

    for (i = 1; i <= SIM_ACCOUNTS; i++) {
        if (twin->accounts[i].fed) {
            twin->accounts[i].fed = 0;
            twin_change_account(turn, (uint32_t) i);
        }
    }

    for (i = 1; i <= twin->naccounts; i++) {
        for (n = 1; n <= twin->ncampaigns; n++) {
            c = &twin->campaigns[n];

            if (c->fed && c->account == i) {
                twin_change_account(turn, c->account);
                twin_change_campaign(turn, c, now);
                c->fed = 0;
            }
        }
    }
}


static void
twin_change_account(ngx_campaign_turn_t *turn, uint32_t account)
{
    ngx_campaign_live_t  *live;

    live = turn->changes->elts;

    if (turn->changes->nelts && live[turn->changes->nelts - 1].account == account) {
        return;
    }

    twin_live_account(ngx_array_push(turn->changes), account);
}


static void
twin_live_account(ngx_campaign_live_t *live, uint32_t account)
{
    twin_account_t  *a;

    a = &twin->accounts[account];

    ngx_memzero(live, sizeof(ngx_campaign_live_t));

    live->kind = NGX_CAMPAIGN_ACCOUNT;
    live->account = account;
    live->no = account;

    if (a->status != NGX_CAMPAIGN_A_ACTIVE) {
        live->gone = 1;
        return;
    }

    live->rate = a->rate;
    live->burst = a->burst;
    live->tat = a->tat;
}


static void
twin_change_campaign(ngx_campaign_turn_t *turn, twin_campaign_t *c, int64_t now)
{
    if (c->no && c->epoch != turn->epoch) {
        twin_recover(turn, c, now);
    }

    twin_live_campaign(ngx_array_push(turn->changes), c);
}


static void
twin_live_campaign(ngx_campaign_live_t *live, twin_campaign_t *c)
{
    twin_message_t  *m;

    ngx_memzero(live, sizeof(ngx_campaign_live_t));

    live->kind = NGX_CAMPAIGN_CAMPAIGN;
    live->account = c->account;
    live->no = c - twin->campaigns;

    if (c->no == 0 || c->status != NGX_CAMPAIGN_C_IN_PROGRESS) {
        live->gone = 1;
        return;
    }

    live->campaign = c->record;
    live->campaign.rec.status = c->status;
    live->campaign.schedule = c->schedule;
    live->campaign.progress = c->p;
    live->fresh = c->span - c->upto;

    m = twin_again(c);
    live->again_at = m ? m->due : 0;
}


static void
twin_recover(ngx_campaign_turn_t *turn, twin_campaign_t *c, int64_t now)
{
    uint32_t         seq;
    ngx_uint_t       again, uncertain;
    twin_message_t  *m;

    for (uncertain = 0, again = 0; again < 2; again++) {                /* those claimed for the first time go first */

        for (seq = 0; seq < c->upto; seq++) {
            m = &c->m[seq];

            if (m->left == 0 && (again ? m->claimed : (m->state == NGX_CAMPAIGN_S_PENDING && seq >= c->done))) {
                twin_uncertain(turn, c, m, turn->crashed, now);
                uncertain++;
            }
        }
    }

    c->epoch = turn->epoch;

    if (twin_close(c, now)) {
        twin_finished(turn, c->no);
    }

    if (uncertain) {
        twin_spend(c, now);
    }
}


static void
twin_uncertain(ngx_campaign_turn_t *turn, twin_campaign_t *c, twin_message_t *m, ngx_uint_t crashed, int64_t now)
{
    ngx_uint_t  i, repeat, again, alone;

    repeat = (c->status != NGX_CAMPAIGN_C_CANCELED);

    for (i = 0; i < turn->nuncertain; i++) {
        if (turn->uncertain[i].len == c->record.rec.channel.len
            && memcmp(turn->uncertain[i].data, c->record.rec.channel.data, turn->uncertain[i].len) == 0)
        {
            repeat = 0;
        }
    }

    c->p.enroute--;

    again = m->claimed;

    if (!again) {
        m->attempts = 0;
        m->deaths = 0;
    }

    m->claimed = 0;

    if (!crashed) {
        m->deaths += NGX_CAMPAIGN_DEATHS_KILL;

    } else if (m->deaths < NGX_CAMPAIGN_DEATHS_ALONE) {
        m->deaths = ngx_min(m->deaths + NGX_CAMPAIGN_DEATHS_CRASH, NGX_CAMPAIGN_DEATHS_ALONE);
    }

    alone = (crashed && twin->alone && twin->suspect == c->no && twin->suspect_seq == (uint32_t) (m - c->m) && again);

    if (!repeat || alone || m->deaths >= NGX_CAMPAIGN_DEATHS_MAX) {
        twin_settle(c, m, NGX_CAMPAIGN_S_FAILED, repeat ? NGX_CAMPAIGN_R_POISON : NGX_CAMPAIGN_R_UNCERTAIN);
        c->p.segments += SIM_SEGMENTS;
        return;
    }

    m->state = NGX_CAMPAIGN_S_RETRY;
    m->reason = NGX_CAMPAIGN_R_UNCERTAIN;
    m->attempts++;
    m->uncertain = 1;
    m->due = now + (m->deaths < NGX_CAMPAIGN_DEATHS_SUSPECT ? 0 : NGX_CAMPAIGN_DEATHS_WAIT);
    c->p.pending++;
    c->p.again++;
}


/* nobody knows when they went: no burst */

static void
twin_spend(twin_campaign_t *c, int64_t now)
{
    twin_account_t       *a;
    ngx_campaign_gcra_t   gcra;

    a = &twin->accounts[c->account];

    gcra.rate = a->rate;
    gcra.burst = a->burst;
    gcra.tat = 0;

    a->tat = ngx_max(a->tat, ngx_campaign_gcra_spent(&gcra, now * 1000));
}


/* claims */

static void
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

static twin_message_t *
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

static void
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
