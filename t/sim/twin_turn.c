
/*
 * The twin's turn: outcomes, starts, changes, in the words of the store's contract; twin_claim.c has its grants.
 */

#include "twin.h"
#include "ngx_campaign_gcra.h"


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


twin_disk_t  *twin;


twin_campaign_t *
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


void
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

    if (!flying || o->claim != ngx_min(m->attempts + 1, 255)) {
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
