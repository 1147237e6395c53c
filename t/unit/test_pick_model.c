
/*
 * The dispatcher's decisions in the face of everything at once: accounts with and without rate, gateways that rest, are cut or are others',
 * claims that bring less or fail, clocks that go back.  What must hold after each turn is counted from the queues themselves.
 */

#include "pick.h"


#define MODEL_ACCOUNTS   8
#define MODEL_CAMPAIGNS  60
#define MODEL_ROUNDS     60
#define MODEL_TURNS      300


static void model_round(void);
static void model_trouble(void);
static void model_turn(void);
static void model_answer(ngx_campaign_pick_account_t *a);
static void model_check(ngx_uint_t asked, uint32_t n);
static void model_check_campaign(campaign_t *c, ngx_uint_t asked);
static void model_check_account(ngx_uint_t i, ngx_uint_t asked);
static void model_check_gateway(ngx_uint_t i, ngx_uint_t asked, uint32_t n);
static void model_check_line(ngx_campaign_pick_line_t *line, ngx_campaign_pick_account_t *a, ngx_uint_t place);
static ngx_uint_t model_in(ngx_queue_t *list, ngx_queue_t *q);
static void model_wrong(const char *what);


static ngx_uint_t  model_stands[CAMPAIGNS];     /* lines that hold the campaign */
static ngx_uint_t  model_faults;
static uint64_t    model_sent;


int
main(void)
{
    ngx_uint_t  i;

    diag("TAP_SEED=0x%" PRIx64, tap_seed());

    for (i = 0; i < MODEL_ROUNDS && model_faults == 0; i++) {
        model_round();
    }

    is_uint(model_faults, 0, "after each turn all stand where they belong, and slots are those of what is out: %" PRIu64 " messages", model_sent);
    ok(model_sent >= 1000 * MODEL_ROUNDS, "and much was sent");

    return done_testing();
}


static void
model_round(void)
{
    ngx_uint_t                    i;
    ngx_campaign_pick_account_t  *a;

    begin(1 + (uint32_t) tap_below(tap_below(2) ? 12 : 100), 1000 + (int64_t) tap_below(50000));

    pick.most = (tap_below(3) == 0) ? 1 + (uint32_t) tap_below(50) : 2000;
    pick.fast = (tap_below(2) == 0) ? 2 : NGX_CAMPAIGN_PICK_FAST;

    for (i = 0; i < MODEL_ACCOUNTS; i++) {
        account(i, tap_below(2) ? 100000 : 1 + tap_below(300), 1 + (uint32_t) tap_below(tap_below(2) ? 3 : 100));
    }

    for (i = 0; i < MODEL_CAMPAIGNS; i++) {
        campaigns[i].pick.urgent = (tap_below(5) == 0);
        campaign(i, tap_below(2) ? 0 : tap_below(MODEL_ACCOUNTS), tap_below(GATEWAYS), (uint32_t) tap_below(tap_below(2) ? 10 : 3000),
                 (uint32_t) tap_below(20), START + (int64_t) tap_below(2 * SECOND));
    }

    for (i = 0; i < MODEL_TURNS && model_faults == 0; i++) {
        (void) land();
        model_trouble();
        model_turn();

        now += (int64_t) tap_below(tap_below(10) ? 3000 : 60000);
    }

    /* calm again: all is sent in the end, whoever was forgotten is not */

    for (i = 0; i < GATEWAYS; i++) {
        ngx_campaign_pick_away(&gateways[i], 0);
        gateways[i].few = 0;
    }

    for (i = 0; i < MODEL_ACCOUNTS; i++) {
        a = &accounts[i];
        a->active = 1;
        a->gcra.rate = 100000 * (uint64_t) NGX_CAMPAIGN_RATE_UNIT;
        a->gcra.tat = 0;
        ngx_campaign_pick_account_set(&pick, a, now);
    }

    latency = 1000;
    pick.most = 2000;
    run(now + 200 * SECOND);

    for (i = 0; i < MODEL_CAMPAIGNS; i++) {
        if (campaigns[i].fresh || campaigns[i].again) {
            model_wrong("a campaign is forgotten");
        }

        model_sent += campaigns[i].sent;
    }

    if (wrong) {
        model_wrong("more than rate and slots allow");
    }
}


static void
model_trouble(void)
{
    campaign_t                   *c;
    ngx_campaign_pick_account_t  *a;
    ngx_campaign_pick_gateway_t  *g;

    a = &accounts[tap_below(MODEL_ACCOUNTS)];
    g = &gateways[tap_below(GATEWAYS)];
    c = &campaigns[tap_below(MODEL_CAMPAIGNS)];

    switch (tap_below(30)) {

    case 0:
        a->active ^= 1;
        ngx_campaign_pick_account_set(&pick, a, now);
        break;

    case 1:
        a->gcra.tat = tap_below(2) ? 0 : (now + (int64_t) tap_below(100000)) * 1000;
        ngx_campaign_pick_account_set(&pick, a, now);
        break;

    case 2:
        ngx_campaign_pick_hold(g, now + (int64_t) tap_below(30000), now);
        break;

    case 3:
        (void) ngx_campaign_pick_busy(g, now, now);
        break;

    case 4:
        (void) ngx_campaign_pick_fine(g, now);
        break;

    case 5:
        ngx_campaign_pick_away(g, (uint32_t) tap_below(2) * (uint32_t) tap_below(g->slots + 1));
        break;

    case 6:
        now -= (int64_t) tap_below(200000);
        break;

    case 7:
        c->fresh += (uint32_t) tap_below(50);
        ngx_campaign_pick_campaign_set(&pick, &c->pick, c->fresh, c->again ? c->due : 0, now);
        break;

    case 8:
        c->again++;
        c->due = ngx_min(c->due, now + (int64_t) tap_below(100000));
        ngx_campaign_pick_campaign_again(&pick, &c->pick, c->due, now);
        break;

    case 9:
        ngx_campaign_pick_campaign_remove(&pick, &c->pick);
        c->pick.again_at = 0;
        ngx_campaign_pick_campaign_set(&pick, &c->pick, c->fresh, c->again ? c->due : 0, now);
        break;
    }
}


static void
model_turn(void)
{
    uint32_t                      n, want;
    ngx_queue_t                  *q;
    ngx_campaign_pick_account_t  *a;

    n = ngx_campaign_pick_turn(&pick, now);

    for (want = 0, q = ngx_queue_head(&pick.asked); q != ngx_queue_sentinel(&pick.asked); q = ngx_queue_next(q)) {
        a = ngx_queue_data(q, ngx_campaign_pick_account_t, asked);
        want += a->want;

        if (a->want > ngx_campaign_gcra_peek(&a->gcra, now * 1000, (now + pick.horizon) * 1000, a->want) || !a->active) {
            model_wrong("an account is asked for more than it may send");
        }
    }

    if (want != n || n > pick.most) {
        model_wrong("a turn asks for more or less than it says");
    }

    model_check(1, n);

    for (q = ngx_queue_head(&pick.asked); q != ngx_queue_sentinel(&pick.asked); q = ngx_queue_next(q)) {
        model_answer(ngx_queue_data(q, ngx_campaign_pick_account_t, asked));
    }

    model_check(0, n);

    if (n == 0 && ngx_campaign_pick_next(&pick, now) <= now) {
        model_wrong("a turn for nothing, and another at once");
    }
}


static void
model_answer(ngx_campaign_pick_account_t *a)
{
    int64_t                        first, step;
    uint32_t                       n, k, all, want;
    campaign_t                    *c;
    ngx_uint_t                     fails;
    ngx_queue_t                   *q;
    ngx_campaign_pick_campaign_t  *pc;

    fails = (tap_below(20) == 0);
    all = 0;

    for (q = ngx_queue_head(&a->claims); q != ngx_queue_sentinel(&a->claims); q = ngx_queue_next(q)) {
        pc = ngx_queue_data(q, ngx_campaign_pick_campaign_t, claim);
        c = pc->data;

        if (fails) {
            ngx_campaign_pick_failed(&pick, pc, now);
            continue;
        }

        want = pc->want;
        pc->want = tap_below(20) ? want : (uint32_t) tap_below(want + 1);
        pc->again = ngx_min(pc->again, pc->want);
        n = claim(c);
        pc->want = want;

        for (k = 0; k < n; k++) {
            fly(pc->gateway, now);
        }

        ngx_campaign_pick_claimed(&pick, pc, n, c->fresh, c->again ? c->due : 0, now);
        all += n;
    }

    (void) ngx_campaign_gcra_take(&a->gcra, now * 1000, (now + pick.horizon) * 1000, all, &first, &step);
    ngx_campaign_pick_granted(&pick, a, now);
}


static void
model_check(ngx_uint_t asked, uint32_t n)
{
    ngx_uint_t  i, k;

    memset(model_stands, 0, sizeof(model_stands));

    for (i = 0; i < MODEL_ACCOUNTS; i++) {
        model_check_line(&accounts[i].ready, &accounts[i], 1);

        for (k = 0; k < GATEWAYS; k++) {
            model_check_line(&lanes[i][k].parked, &accounts[i], 2);
        }
    }

    for (i = 0; i < MODEL_CAMPAIGNS; i++) {
        model_check_campaign(&campaigns[i], asked);
    }

    for (i = 0; i < MODEL_ACCOUNTS; i++) {
        model_check_account(i, asked);
    }

    for (i = 0; i < GATEWAYS; i++) {
        model_check_gateway(i, asked, n);
    }

    if (asked && n < pick.most && !ngx_queue_empty(&pick.ring)) {
        model_wrong("a turn leaves an account in the ring");
    }
}


/* it stands in one place, or waits for its time, or has nothing to send */

static void
model_check_campaign(campaign_t *c, ngx_uint_t asked)
{
    ngx_campaign_pick_campaign_t  *pc;

    pc = &c->pick;

    if (model_stands[c - campaigns] != (pc->place != 0)) {
        model_wrong("a campaign stands in two places, or not where it says");
    }

    if (pc->in_turn != (asked && pc->want)) {
        model_wrong("a campaign is in a turn that asks for nothing of it");
    }

    if (pc->given >= NGX_CAMPAIGN_PICK_SHARE) {
        model_wrong("a campaign has had more than its share");
    }

    if (pc->in_turn) {
        if (pc->timer.set || (pc->place == 0 && pc->want < pc->fresh)) {
            model_wrong("a campaign that was asked for a part waits for nothing");
        }

        return;
    }

    if (pc->fresh != c->fresh || (pc->again_at != 0) != (c->again != 0)) {
        model_wrong("a campaign is not known as the store has it");
    }

    if ((pc->place != 0) + pc->timer.set != (c->fresh || c->again)) {
        model_wrong("a campaign with messages waits nowhere, or one without somewhere");
    }

    if (pc->timer.set && pc->timer.at > now + NGX_CAMPAIGN_PICK_REST && pc->fresh) {
        model_wrong("a campaign with fresh messages rests for long");
    }
}


static void
model_check_account(ngx_uint_t i, ngx_uint_t asked)
{
    ngx_uint_t                    k, spent;
    ngx_campaign_pick_lane_t     *lane;
    ngx_campaign_pick_account_t  *a;

    a = &accounts[i];
    spent = a->timer.set && !a->saves;

    if (model_in(&pick.ring, &a->queue) != a->in_ring
        || a->in_ring != (a->active && !a->timer.set && !ngx_campaign_pick_line_empty(&a->ready)))
    {
        model_wrong("an account that may send is not in the ring, or one that may not is");
    }

    if (!asked && (a->in_turn || (a->timer.set && a->timer.at > ngx_max(now + 1, (ngx_campaign_gcra_next(&a->gcra, now * 1000) + 999) / 1000)))) {
        model_wrong("an account waits longer than for its rate");
    }

    for (k = 0; k < GATEWAYS; k++) {
        lane = &lanes[i][k];

        if (model_in(&gateways[k].lanes, &lane->queue) != lane->waits || lane->served || lane->slots) {
            model_wrong("a lane waits when it does not, or has kept slots");
        }

        if (lane->waits + lane->due != (a->active && !ngx_campaign_pick_line_empty(&lane->parked))) {
            model_wrong("a lane with campaigns does not wait, or one without does");
        }

        if (lane->due && !spent) {
            model_wrong("a lane that is due does not wait");
        }
    }
}


static void
model_check_gateway(ngx_uint_t i, ngx_uint_t asked, uint32_t n)
{
    uint32_t                      out;
    ngx_uint_t                    k;
    ngx_campaign_pick_gateway_t  *g;

    g = &gateways[i];
    out = in_flight[i] + g->away;

    for (k = 0; k < MODEL_CAMPAIGNS; k++) {
        if (campaigns[k].pick.in_turn && campaigns[k].pick.gateway == g) {
            out += campaigns[k].pick.want;
        }
    }

    if (g->used != out) {
        model_wrong("slots were lost, or given twice");
    }

    if (!ngx_queue_empty(&g->served)) {
        model_wrong("lanes were left with slots");
    }

    if (asked && n < pick.most && !ngx_campaign_pick_blocked(g, now) && !ngx_queue_empty(&g->lanes)) {
        model_wrong("lanes wait for slots that are free");
    }
}


static void
model_check_line(ngx_campaign_pick_line_t *line, ngx_campaign_pick_account_t *a, ngx_uint_t place)
{
    ngx_uint_t                     k, given;
    ngx_queue_t                   *q;
    ngx_campaign_pick_campaign_t  *c;

    for (k = 0; k < 2; k++) {
        given = (line->given[k] == &line->of[k]);

        for (q = ngx_queue_head(&line->of[k]); q != ngx_queue_sentinel(&line->of[k]); q = ngx_queue_next(q)) {
            c = ngx_queue_data(q, ngx_campaign_pick_campaign_t, queue);
            model_stands[(campaign_t *) c->data - campaigns]++;

            if (c->place != place || c->account != a || c->urgent != k || (place == 2 && line != &a->lanes[c->gateway - gateways].parked)) {
                model_wrong("a campaign stands in another's line");
            }

            if (!given && !c->first) {
                model_wrong("a campaign that was given no slot stands before one that was");
            }

            given |= (line->given[k] == q);
        }

        if (!given) {
            model_wrong("the last that was given a slot is not in its line");
        }
    }
}


static ngx_uint_t
model_in(ngx_queue_t *list, ngx_queue_t *q)
{
    ngx_uint_t    n;
    ngx_queue_t  *p;

    for (n = 0, p = ngx_queue_head(list); p != ngx_queue_sentinel(list); p = ngx_queue_next(p)) {
        n += (p == q);
    }

    return n;
}


static void
model_wrong(const char *what)
{
    if (model_faults++ == 0) {
        diag("%s, at %" PRId64 " us", what, now - START);
    }
}
