
/*
 * The dispatcher's decisions, against a store and gateways played by the test: a clock that jumps from one look to the next, claims
 * that are answered at once, messages that are settled after the gateway's latency.
 */

#include "ngx_campaign_pick.h"
#include "tap.h"

#include <string.h>


#define GATEWAYS   3
#define ACCOUNTS   64
#define CAMPAIGNS  10240
#define FLIGHTS    4096

#define SECOND     ((int64_t) 1000000)
#define START      (1700000000 * SECOND)


typedef struct {
    ngx_campaign_pick_campaign_t  pick;
    uint32_t                      fresh, again;     /* the store's: not claimed, repeats that wait; all of them due at once */
    int64_t                       due;
    uint64_t                      sent, repeated;   /* repeated: of sent */
    int64_t                       last;             /* when the last message was claimed */
} campaign_t;

typedef struct {
    ngx_campaign_pick_gateway_t  *gateway;          /* NULL: free */
    int64_t                       at;               /* when it is settled */
} flight_t;


static ngx_campaign_pick_t          pick;
static ngx_campaign_pick_gateway_t  gateways[GATEWAYS];
static ngx_campaign_pick_account_t  accounts[ACCOUNTS];
static ngx_campaign_pick_lane_t     lanes[ACCOUNTS][GATEWAYS];
static campaign_t                   campaigns[CAMPAIGNS];

static int64_t     now, latency;
static ngx_uint_t  turns, wrong, stuck;             /* stuck: the store claims no fresh message */
static uint64_t    by_account[ACCOUNTS], by_gateway[GATEWAYS];
static uint32_t    in_flight[GATEWAYS], claimed[CAMPAIGNS];
static flight_t    flights[FLIGHTS];


static void answer(ngx_campaign_pick_campaign_t *pc);


static void
begin(uint32_t slots, int64_t latency_us)
{
    ngx_uint_t  i;

    memset(gateways, 0, sizeof(gateways));
    memset(accounts, 0, sizeof(accounts));
    memset(campaigns, 0, sizeof(campaigns));
    memset(by_account, 0, sizeof(by_account));
    memset(by_gateway, 0, sizeof(by_gateway));
    memset(in_flight, 0, sizeof(in_flight));
    memset(flights, 0, sizeof(flights));
    memset(&pick, 0, sizeof(pick));

    for (i = 0; i < GATEWAYS; i++) {
        gateways[i].slots = slots;
    }

    now = START;
    latency = latency_us;
    turns = 0;
    wrong = 0;
    stuck = 0;

    pick.gateways = gateways;
    pick.ngateways = GATEWAYS;
    pick.horizon = 40000;
    pick.most = 2000;

    ngx_campaign_pick_init(&pick);
}


static void
account(ngx_uint_t i, uint64_t rate, uint32_t burst)
{
    accounts[i].gcra.rate = rate * NGX_CAMPAIGN_RATE_UNIT;
    accounts[i].gcra.burst = burst;
    accounts[i].active = 1;
    accounts[i].lanes = lanes[i];

    ngx_campaign_pick_account_add(&pick, &accounts[i]);
}


static void
campaign(ngx_uint_t i, ngx_uint_t a, ngx_uint_t g, uint32_t fresh, uint32_t again, int64_t due)
{
    campaign_t  *c;

    c = &campaigns[i];
    c->fresh = fresh;
    c->again = again;
    c->due = due;

    c->pick.account = &accounts[a];
    c->pick.gateway = &gateways[g];
    c->pick.data = c;

    ngx_campaign_pick_campaign_set(&pick, &c->pick, fresh, again ? due : 0, now);
}


/* the store's part: repeats up to their share, or as many as are due when no fresh one is left */

static uint32_t
claim(campaign_t *c)
{
    uint32_t  again, fresh;

    again = 0;

    if (c->again && c->due <= now) {
        again = c->fresh ? c->pick.again : c->pick.want;
        again = ngx_min(c->again, again);
        c->again -= again;
        c->repeated += again;
    }

    fresh = stuck ? 0 : ngx_min(c->fresh, c->pick.want - again);
    c->fresh -= fresh;

    if (again + fresh) {
        c->last = now;
    }

    c->sent += again + fresh;
    by_account[c->pick.account - accounts] += again + fresh;
    by_gateway[c->pick.gateway - gateways] += again + fresh;

    return again + fresh;
}


static void
fly(ngx_campaign_pick_gateway_t *g, int64_t at)
{
    ngx_uint_t  i;

    for (i = 0; i < FLIGHTS; i++) {
        if (flights[i].gateway == NULL) {
            flights[i].gateway = g;
            flights[i].at = at + latency;
            break;
        }
    }

    if (i == FLIGHTS || ++in_flight[g - gateways] > g->slots || g->held > now) {
        wrong++;
    }
}


static uint32_t
tick(void)
{
    int64_t                        first, step;
    uint32_t                       n, k, total;
    ngx_queue_t                   *q, *p;
    ngx_campaign_pick_account_t   *a;
    ngx_campaign_pick_campaign_t  *c;

    total = ngx_campaign_pick_turn(&pick, now);

    if (total) {
        turns++;
    }

    for (q = ngx_queue_head(&pick.asked); q != ngx_queue_sentinel(&pick.asked); q = ngx_queue_next(q)) {
        a = ngx_queue_data(q, ngx_campaign_pick_account_t, asked);

        if (a->want > ngx_campaign_gcra_peek(&a->gcra, now * 1000, (now + pick.horizon) * 1000, a->want) || !a->active) {
            wrong++;                                    /* more than the rate allows was asked for */
        }

        for (n = 0, p = ngx_queue_head(&a->claims); p != ngx_queue_sentinel(&a->claims); p = ngx_queue_next(p)) {
            c = ngx_queue_data(p, ngx_campaign_pick_campaign_t, claim);

            if (c->again > c->want) {
                wrong++;
            }

            claimed[((campaign_t *) c->data) - campaigns] = claim(c->data);
            n += claimed[((campaign_t *) c->data) - campaigns];
        }

        (void) ngx_campaign_gcra_take(&a->gcra, now * 1000, (now + pick.horizon) * 1000, n, &first, &step);

        for (k = 0, p = ngx_queue_head(&a->claims); p != ngx_queue_sentinel(&a->claims); p = ngx_queue_next(p)) {
            c = ngx_queue_data(p, ngx_campaign_pick_campaign_t, claim);

            for (n = claimed[((campaign_t *) c->data) - campaigns]; n; n--, k++) {
                fly(c->gateway, ngx_max(now, (first + (int64_t) k * step) / 1000));
            }

            answer(c);
        }

        ngx_campaign_pick_granted(&pick, a, now);
    }

    return total;
}


static void
answer(ngx_campaign_pick_campaign_t *pc)
{
    campaign_t  *c;

    c = pc->data;

    ngx_campaign_pick_claimed(&pick, pc, claimed[c - campaigns], c->fresh, c->again ? c->due : 0, now);
}


/* settles what has landed; when the next one will */

static int64_t
land(void)
{
    int64_t     at;
    ngx_uint_t  i;

    for (at = NGX_CAMPAIGN_PICK_NEVER, i = 0; i < FLIGHTS; i++) {
        if (flights[i].gateway == NULL) {
            continue;
        }

        if (flights[i].at > now) {
            at = ngx_min(at, flights[i].at);
            continue;
        }

        in_flight[flights[i].gateway - gateways]--;
        ngx_campaign_pick_settled(flights[i].gateway, 1);
        flights[i].gateway = NULL;
    }

    return at;
}


/* runs until then; the clock goes at least 1 ms at a time, as timers do */

static void
run(int64_t until)
{
    int64_t  at, landing;

    while (now < until) {
        landing = land();
        (void) tick();

        at = ngx_min(ngx_campaign_pick_next(&pick, now), landing);
        landing = land();
        at = ngx_min(at, landing);

        now = ngx_min(until, ngx_max(at, now + 1000));
    }
}


static void
test_rates(void)
{
    uint64_t    n;
    ngx_uint_t  i;

    static const uint64_t  rates[] = { 1, 50, 1000, 20000 };

    for (i = 0; i < 4; i++) {
        begin(1024, 5000);
        account(0, rates[i], 1);
        campaign(0, 0, 0, 1000000, 0, 0);

        run(START + 10 * SECOND);

        n = campaigns[0].sent;

        ok(n * 100 >= rates[i] * 10 * 99 && n * 100 <= rates[i] * 10 * 101 + 300,
           "rate %" PRIu64 ": ten seconds of it are claimed in 10 s: %" PRIu64, rates[i], n);
        ok(turns <= 10 * 1000000 / 10000, "rate %" PRIu64 ": not more than a turn each quarter of the horizon: %" PRIu64,
           rates[i], (uint64_t) turns);
        is_uint(wrong, 0, "rate %" PRIu64 ": never more than rate and slots allow", rates[i]);
    }

    begin(1024, 5000);
    account(0, 100, 500);
    campaign(0, 0, 0, 100000, 0, 0);

    is_uint(tick(), 504, "burst is asked for at once, and what the horizon releases");
}


static void
test_shares(void)
{
    uint64_t    most, least;
    ngx_uint_t  i;

    begin(64, 2000);
    account(0, 1000, 100);
    campaign(0, 0, 0, 100000, 0, 0);
    run(START + SECOND);
    campaign(1, 0, 0, 10, 0, 0);
    run(START + 2 * SECOND);

    is_uint(campaigns[1].sent, 10, "a campaign of 10 is not stuck behind one of 100000");
    ok(campaigns[1].last - START - SECOND <= 100000, "it takes its fair half of the rate: done in %" PRId64 " us",
       campaigns[1].last - START - SECOND);

    begin(1024, 2000);
    account(0, 1000, 1);

    for (i = 0; i < 10; i++) {
        campaign(i, 0, i % 3, 100000, 0, 0);
    }

    run(START + 10 * SECOND);

    for (most = 0, least = 1000000, i = 0; i < 10; i++) {
        most = ngx_max(most, campaigns[i].sent);
        least = ngx_min(least, campaigns[i].sent);
    }

    ok(most - least <= most / 50, "ten campaigns on three gateways share their account's rate evenly: %" PRIu64 " .. %" PRIu64,
       least, most);

    begin(8, 10000);                                    /* 800 a second at most */

    for (i = 0; i < 20; i++) {
        account(i, 10000, 1000);
    }

    for (i = 0; i < 20; i++) {
        campaign(i, i, 0, 100000, 0, 0);
    }

    for (i = 20; i < 1000; i++) {
        campaign(i, 0, 0, 100000, 0, 0);                /* the first account has 981 */
    }

    run(START + 10 * SECOND);

    for (most = 0, least = 1000000, i = 0; i < 20; i++) {
        most = ngx_max(most, by_account[i]);
        least = ngx_min(least, by_account[i]);
    }

    ok(by_gateway[0] >= 6400, "a full gateway is kept busy: %" PRIu64 " of 8000", by_gateway[0]);
    ok(most - least <= most / 20, "accounts share a full gateway evenly, whatever their campaigns: %" PRIu64 " .. %" PRIu64, least, most);
    is_uint(wrong, 0, "never more in flight than slots");
}


static void
test_gateways(void)
{
    uint64_t  before, slow;

    begin(4, 1000000);
    account(0, 1000, 1);
    account(1, 1000, 1);
    gateways[1].slots = 256;
    campaign(0, 0, 0, 100000, 0, 0);                    /* 4 a second: the gateway is slow */
    campaign(1, 0, 1, 100000, 0, 0);
    campaign(2, 1, 0, 100000, 0, 0);

    latency = 100000;
    run(START + 10 * SECOND);

    ok(campaigns[1].sent >= 9400 && campaigns[0].sent >= 120 && campaigns[0].sent <= 220,
       "a full gateway is passed over: %" PRIu64 " there, %" PRIu64 " beside it", campaigns[0].sent, campaigns[1].sent);
    ok(campaigns[2].sent >= 180 && campaigns[0].sent + campaigns[2].sent >= 320,
       "the other account has the rest of it: %" PRIu64, campaigns[2].sent);

    ngx_campaign_pick_hold(&gateways[1], now + 3 * SECOND, now);
    ngx_campaign_pick_hold(&gateways[1], now + SECOND, now);
    before = campaigns[1].sent;
    slow = campaigns[0].sent;
    run(START + 13 * SECOND - 1);

    is_uint(campaigns[1].sent, before, "a gateway that rests is asked for nothing, and a shorter rest does not wake it");
    ok(campaigns[0].sent >= slow + 50, "the others go on meanwhile");

    run(START + 14 * SECOND);

    ok(campaigns[1].sent >= before + 940, "after its rest it goes on at once: %" PRIu64, campaigns[1].sent - before);
    is_uint(wrong, 0, "never more in flight than slots, nothing in a rest");
}


/* answers come a few at a time: who has a slot first one time must not have it twice the next, nor lose it to another account */

static void
slots(ngx_uint_t few, ngx_uint_t others)
{
    ngx_uint_t  i, k, n, of, least, most;

    for (of = 2; of < 6; of++) {
        begin(20, 3600 * SECOND);
        for (i = 0; i <= others; i++) {
            account(i, i ? 150 : 100000, i ? 1 : 1000);
        }

        for (i = 0; i < of + others; i++) {
            campaign(i, i < of ? 0 : i - of + 1, 0, 1000000, 0, 0);
        }

        for (i = 0; i < 3000; i++) {
            (void) tick();

            for (now += 2000, n = 1 + i % few, k = 0; n && k < FLIGHTS; k++) {
                n -= (flights[k].gateway != NULL);
                flights[k].at = now;
            }

            (void) land();
        }

        for (least = UINT32_MAX, most = 0, i = 0; i < of; i++) {
            least = ngx_min(least, campaigns[i].sent);
            most = ngx_max(most, campaigns[i].sent);
        }

        ok(most - least <= 1 && wrong == 0, "%d campaigns beside %d accounts have a full gateway's slots in turn: %d .. %d", (int) of,
           (int) others, (int) least, (int) most);
    }
}


/* a slot is free each time an account's rate comes back: whose rate was spent has no more of it than who waits for a slot alone */

static void
spent(ngx_uint_t of)
{
    ngx_uint_t  i, k;

    begin(1, 3600 * SECOND);
    account(0, 10, 1);
    account(1, 1000, 1000);

    for (i = 0; i <= of; i++) {
        campaign(i, i == of, 0, 100000, 0, 0);
    }

    for (i = 0; i < 600; i++) {
        (void) tick();

        now += SECOND / 10;
        for (k = 0; k < FLIGHTS; k++) {
            flights[k].at = now;
        }

        (void) land();
    }

    ok(by_account[0] + by_account[1] >= 590 && by_account[0] <= by_account[1] + 2 && by_account[1] <= by_account[0] + 2 && wrong == 0,
       "%d campaigns whose rate is spent with each message have every other slot: %" PRIu64 ", and %" PRIu64, (int) of, by_account[0],
       by_account[1]);
}


/* an answer to each of n messages that were sent then; what they say a gateway's slots become: in all */

static ngx_uint_t
answers(ngx_campaign_pick_gateway_t *g, ngx_uint_t busy, uint32_t n, int64_t sent, int64_t at)
{
    uint32_t    i;
    ngx_uint_t  said;

    for (said = 0, i = 0; i < n; i++) {
        said += busy ? ngx_campaign_pick_busy(g, sent, at) : ngx_campaign_pick_fine(g, at);
    }

    return said;
}


static void
test_busy(void)
{
    ngx_uint_t                    i;
    ngx_campaign_pick_gateway_t  *g;

    begin(64, 1000);
    g = &gateways[0];
    g->used = 64;

    is_uint(ngx_campaign_pick_open(g), 64, "a gateway is given all of its slots");
    is_uint(answers(g, 0, 100, START, START), 0, "and that it is fine is no news");
    is_uint(answers(g, 1, 64, START, START + SECOND), 1, "a round of refusals is told once");
    is_uint(ngx_campaign_pick_open(g), 32, "and halves them once");

    g->used = 10;
    answers(g, 1, 1, START + SECOND, START + 2 * SECOND);
    is_uint(ngx_campaign_pick_open(g), 5, "half of what is out there, when that is less");

    for (i = 0; i < 10; i++) {
        answers(g, 0, ngx_campaign_pick_open(g), START + 2 * SECOND, START + 3 * SECOND);
    }

    ok(ngx_campaign_pick_open(g) >= 14 && ngx_campaign_pick_open(g) <= 15, "each round of answers gives one back: %u after ten",
       ngx_campaign_pick_open(g));
    is_uint(answers(g, 0, 10000, START, START), 1, "until it has all, which is told once");
    is_uint(ngx_campaign_pick_open(g), 64, "and no more");

    g->used = 1;
    for (i = 0; i < 20; i++) {
        answers(g, 1, 1, START + (4 + (int64_t) i) * SECOND, START + (4 + (int64_t) i) * SECOND);
    }

    ok(ngx_campaign_pick_open(g) == 1 && g->held - (START + 23 * SECOND) == SECOND / 2, "at the least one at a time, and two a second");
    answers(g, 0, 50, START, START + 30 * SECOND);
    ok(g->pause == 0 && ngx_campaign_pick_open(g) > 1, "from which it comes back, too");

    answers(g, 1, 1, START + 40 * SECOND, START + 40 * SECOND);
    ngx_campaign_pick_gateway_back(g, START);
    ok(g->held <= START + SECOND && answers(g, 1, 1, START, START) == 0 && g->cut == START, "a clock that was set back changes nothing of it");

    begin(64, 1000);
    g = &gateways[0];
    ngx_campaign_pick_hold(g, START + 3600 * SECOND + SECOND / 50, START + 3600 * SECOND);
    ngx_campaign_pick_hold(g, START + 2 * SECOND, START);
    ngx_campaign_pick_gateway_back(g, START + SECOND / 1000);
    ok(g->held == START + 2 * SECOND, "a rest that is asked for after the clock was set back is kept");

    begin(64, 1000);
    account(0, 1000, 1);
    campaign(0, 0, 0, 100000, 0, 0);
    gateways[0].few = (uint64_t) 2 << 16;
    latency = 100000;
    run(START + 10 * SECOND);
    ok(campaigns[0].sent >= 100 && campaigns[0].sent <= 202, "no more is claimed than it is given: %" PRIu64, campaigns[0].sent);
}


static void
test_slots(void)
{
    ngx_uint_t  of;

    slots(2, 0);
    slots(1, 1);
    slots(2, 3);

    for (of = 1; of < 4; of++) {
        spent(of);
    }
}


static void
test_repeats(void)
{
    ngx_uint_t  i;

    begin(64, 1000);
    account(0, 1000, 1);
    campaign(0, 0, 0, 100000, 100000, START);
    run(START + 10 * SECOND);

    ok(campaigns[0].sent >= 9900 && campaigns[0].repeated * 100 >= campaigns[0].sent * 48
       && campaigns[0].repeated * 100 <= campaigns[0].sent * 52,
       "repeats and fresh messages go half and half: %" PRIu64 " of %" PRIu64, campaigns[0].repeated, campaigns[0].sent);

    begin(64, 1000);
    account(0, 10, 1);
    campaign(0, 0, 0, 1000, 1000, START);
    run(START + 10 * SECOND);

    ok(campaigns[0].repeated >= 48 && campaigns[0].repeated <= 52, "also when they go one by one: %" PRIu64 " of %" PRIu64,
       campaigns[0].repeated, campaigns[0].sent);

    begin(64, 1000);
    account(0, 1000000, 1000);
    campaign(0, 0, 0, 0, 5, START + 7 * SECOND);

    is_uint(tick(), 0, "a repeat is not asked for before it is due");
    is_int(ngx_campaign_pick_next(&pick, now) - START, 7 * SECOND, "and that is when to look again");

    ngx_campaign_pick_campaign_again(&pick, &campaigns[0].pick, START + 3 * SECOND, now);
    is_int(ngx_campaign_pick_next(&pick, now) - START, 3 * SECOND, "an earlier repeat moves the look");
    ngx_campaign_pick_campaign_again(&pick, &campaigns[0].pick, START + 5 * SECOND, now);
    is_int(ngx_campaign_pick_next(&pick, now) - START, 3 * SECOND, "a later one does not");

    campaigns[0].due = START + 3 * SECOND;
    run(START + 4 * SECOND);
    is_uint(campaigns[0].repeated, 5, "all that are due go");
    ok(ngx_campaign_pick_next(&pick, now) == NGX_CAMPAIGN_PICK_NEVER, "then there is nothing to look for");

    begin(64, 1000);
    account(0, 1000000, 1000);

    for (i = 0; i < 1000; i++) {
        campaign(i, 0, i % GATEWAYS, 0, 1, START + (int64_t) (1 + tap_below(1000)) * 10000);
    }

    for (i = 0; i < 1000; i += 3) {
        ngx_campaign_pick_campaign_remove(&pick, &campaigns[i].pick);
    }

    run(START + 11 * SECOND);

    for (turns = 0, i = 0; i < 1000; i++) {
        if (i % 3 == 0 ? campaigns[i].sent != 0 : campaigns[i].sent != 1 || campaigns[i].last < campaigns[i].due
                                                  || campaigns[i].last > campaigns[i].due + 1000)
        {
            turns++;
        }
    }

    is_uint(turns, 0, "each of 1000 repeats goes in the millisecond it is due; those of campaigns removed do not");
}


static void
test_waiting(void)
{
    ngx_uint_t                     i;
    ngx_queue_t                   *q;
    ngx_campaign_pick_account_t   *a;

    begin(64, 1000);
    account(0, 1000, 1);

    ok(ngx_campaign_pick_next(&pick, now) == NGX_CAMPAIGN_PICK_NEVER, "without campaigns there is nothing to look for");

    for (i = 0; i < CAMPAIGNS; i++) {
        campaign(i, 0, i % GATEWAYS, 0, 0, 0);
    }

    is_uint(tick(), 0, "campaigns that have nothing to send ask for nothing");
    ok(ngx_campaign_pick_next(&pick, now) == NGX_CAMPAIGN_PICK_NEVER, "and there is nothing to look for");

    begin(64, 1000);
    account(0, 1000, 1);
    campaign(0, 0, 0, 100, 0, 0);
    stuck = 1;
    (void) tick();

    is_uint(gateways[0].used, 0, "a claim that got nothing gives its slots back");
    is_int(ngx_campaign_pick_next(&pick, now) - now, NGX_CAMPAIGN_PICK_REST, "and its campaign rests for a while");

    now += NGX_CAMPAIGN_PICK_REST;
    stuck = 0;
    ok(tick() > 0, "then it is asked again");

    begin(64, 1000);
    account(0, 1000, 10);
    campaign(0, 0, 0, 100, 0, 0);
    i = ngx_campaign_pick_turn(&pick, now);
    ok(i > 0 && gateways[0].used == i, "a turn takes the slots of what it asks for");

    q = ngx_queue_head(&pick.asked);
    a = ngx_queue_data(q, ngx_campaign_pick_account_t, asked);
    ngx_campaign_pick_failed(&pick, &campaigns[0].pick, now);
    ngx_campaign_pick_granted(&pick, a, now);

    is_uint(gateways[0].used, 0, "a turn that failed gives them back");
    is_uint(tick(), i, "and the next asks for the same");

    begin(64, 1000);
    account(0, 1000, 10);
    campaign(0, 0, 0, 100000, 0, 0);
    run(START + SECOND);
    accounts[0].active = 0;
    ngx_campaign_pick_account_set(&pick, &accounts[0], now);
    by_account[0] = 0;
    run(START + 2 * SECOND);

    is_uint(by_account[0], 0, "a disabled account is asked for nothing");

    accounts[0].active = 1;
    ngx_campaign_pick_account_set(&pick, &accounts[0], now);
    run(START + 3 * SECOND);

    ok(by_account[0] >= 990, "its campaigns go on when it is active again: %" PRIu64, by_account[0]);

    begin(64, 1000);
    account(0, 1, 1);
    campaign(0, 0, 0, 100000, 0, 0);
    run(START + SECOND / 2);
    accounts[0].gcra.rate = 1000 * (uint64_t) NGX_CAMPAIGN_RATE_UNIT;
    accounts[0].gcra.tat = now * 1000;
    ngx_campaign_pick_account_set(&pick, &accounts[0], now);
    run(START + SECOND);

    ok(by_account[0] >= 490, "a higher rate holds at once: %" PRIu64, by_account[0]);
}


static void
test_clock(void)
{
    begin(64, 1000);
    account(0, 50, 1);
    account(1, 1000, 1);
    campaign(0, 0, 0, 100000, 0, 0);
    campaign(1, 1, 1, 100000, 0, 0);
    run(START + SECOND);
    ngx_campaign_pick_hold(&gateways[1], now + SECOND / 2, now);

    now -= 3600 * SECOND;
    memset(flights, 0, sizeof(flights));
    memset(in_flight, 0, sizeof(in_flight));
    gateways[0].used = 0;
    gateways[1].used = 0;
    by_account[0] = 0;
    by_account[1] = 0;
    run(START - 3598 * SECOND);

    ok(by_account[0] >= 45 && by_account[0] <= 55, "a clock set back an hour stalls no account: %" PRIu64, by_account[0]);
    ok(by_account[1] >= 450 && by_account[1] <= 550, "and no gateway's rest grows: %" PRIu64, by_account[1]);

    now -= 100 * SECOND;
    ngx_campaign_pick_hold(&gateways[1], now + SECOND / 2, now);

    memset(flights, 0, sizeof(flights));
    memset(in_flight, 0, sizeof(in_flight));
    gateways[0].used = 0;
    gateways[1].used = 0;
    by_account[1] = 0;
    run(START - 3697 * SECOND);

    ok(by_account[1] >= 450 && by_account[1] <= 550, "nor does one get lost that was asked for since: %" PRIu64, by_account[1]);

    begin(64, 1000);
    account(0, 100, 1);
    campaign(0, 0, 0, 100000, 0, 0);
    stuck = 1;
    (void) tick();

    stuck = 0;
    run(START + SECOND);

    now -= 3600 * SECOND;
    memset(flights, 0, sizeof(flights));
    memset(in_flight, 0, sizeof(in_flight));
    gateways[0].used = 0;
    by_account[0] = 0;
    run(START - 3598 * SECOND);

    ok(by_account[0] >= 90 && by_account[0] <= 110, "a campaign that rested before does not rest for that hour: %" PRIu64, by_account[0]);
}


/* whatever happens: no slot is lost, nothing is asked for twice, and all is sent in the end */

static void
test_random(void)
{
    uint64_t    total, sent;
    ngx_uint_t  i, k, n;

    begin(7, 3000);
    gateways[1].slots = 1;
    gateways[2].slots = 50;

    for (i = 0; i < ACCOUNTS; i++) {
        account(i, 1 + tap_below(2000), (uint32_t) (1 + tap_below(50)));
    }

    for (total = 0, n = 0, k = 0; k < 2000; k++) {

        switch (tap_below(8)) {

        case 0:
            if (n < 600) {
                campaigns[n].pick.urgent = tap_below(4) == 0;
                campaign(n, tap_below(ACCOUNTS), tap_below(GATEWAYS), (uint32_t) tap_below(40), (uint32_t) tap_below(10),
                         now + (int64_t) tap_below(SECOND));
                total += campaigns[n].fresh + campaigns[n].again;
                n++;
            }
            break;

        case 1:
            i = tap_below(ACCOUNTS);
            accounts[i].active = !accounts[i].active;
            ngx_campaign_pick_account_set(&pick, &accounts[i], now);
            break;

        case 2:
            ngx_campaign_pick_hold(&gateways[tap_below(GATEWAYS)], now + (int64_t) tap_below(20000), now);
            break;

        default:
            latency = (int64_t) (100 + tap_below(20000));
            run(now + (int64_t) tap_below(20000));
        }
    }

    for (i = 0; i < ACCOUNTS; i++) {
        accounts[i].active = 1;
        ngx_campaign_pick_account_set(&pick, &accounts[i], now);
    }

    run(now + 120 * SECOND);
    (void) land();

    for (sent = 0, i = 0; i < n; i++) {
        sent += campaigns[i].sent;
    }

    is_uint(sent, total, "%" PRIu64 " random campaigns are sent to their end", (uint64_t) n);
    is_uint(gateways[0].used + gateways[1].used + gateways[2].used, 0, "and every slot is free again");
    is_uint(wrong, 0, "never more than rate and slots allowed, nothing in a rest");
    ok(ngx_campaign_pick_next(&pick, now) == NGX_CAMPAIGN_PICK_NEVER, "nothing is looked for any more");

    for (i = 0; i < n; i++) {
        ngx_campaign_pick_campaign_remove(&pick, &campaigns[i].pick);
    }

    for (i = 0; i < ACCOUNTS; i++) {
        ngx_campaign_pick_account_remove(&pick, &accounts[i]);
    }

    ok(pick.accounts == NULL && pick.campaigns == NULL && ngx_queue_empty(&pick.ring), "what is removed stands nowhere");
}


/* messages sent alone: in a class of their own, ahead of the account's campaigns, wherever these wait */

static void
test_urgent(void)
{
    ngx_uint_t  i;

    begin(1024, 2000);
    account(0, 100, 1);

    for (i = 0; i < 50; i++) {
        campaign(i, 0, 0, 100000, 0, 0);
    }

    run(START + SECOND);

    campaigns[50].pick.urgent = 1;
    campaign(50, 0, 0, 1, 0, 0);
    run(now + SECOND);

    is_uint(campaigns[50].sent, 1, "an urgent message is sent");
    ok(campaigns[50].last - START - SECOND <= pick.horizon,
       "behind 50 campaigns it waits for what is booked ahead, no longer: %" PRId64 " us",
       campaigns[50].last - START - SECOND);

    begin(1024, 2000);
    account(0, 1000, 1);
    campaign(0, 0, 0, 100000, 0, 0);
    campaigns[1].pick.urgent = 1;
    campaign(1, 0, 0, 100000, 0, 0);
    run(START + 4 * SECOND);

    ok(campaigns[0].sent * NGX_CAMPAIGN_PICK_URGENT >= (campaigns[0].sent + campaigns[1].sent) * 9 / 10
       && campaigns[0].sent * (NGX_CAMPAIGN_PICK_URGENT - 2) <= campaigns[1].sent,
       "urgent ones without end leave others one message in eight: %" PRIu64 " of %" PRIu64, campaigns[0].sent,
       campaigns[0].sent + campaigns[1].sent);

    begin(1, 10000);
    account(0, 1000, 100);
    campaign(0, 0, 0, 100000, 0, 0);
    campaign(1, 0, 0, 100000, 0, 0);
    run(START + SECOND);

    campaigns[2].pick.urgent = 1;
    campaign(2, 0, 0, 1, 0, 0);
    run(now + 2 * latency + 2000);

    is_uint(campaigns[2].sent, 1, "at a gateway without a free slot it gets the next one");

    campaigns[3].pick.urgent = 1;
    campaign(3, 0, 0, 100000, 0, 0);
    campaigns[0].sent = 0;
    campaigns[1].sent = 0;
    run(now + 4 * SECOND);

    ok(campaigns[0].sent + campaigns[1].sent >= campaigns[3].sent / NGX_CAMPAIGN_PICK_URGENT
       && campaigns[0].sent + campaigns[1].sent <= campaigns[3].sent / 5,
       "and there, too, others get one in eight: %" PRIu64 " beside %" PRIu64, campaigns[0].sent + campaigns[1].sent, campaigns[3].sent);
    is_uint(wrong, 0, "never more than rate and slots allow");
}


int
main(void)
{
    test_rates();
    test_shares();
    test_urgent();
    test_gateways();
    test_slots();
    test_busy();
    test_repeats();
    test_waiting();
    test_clock();
    test_random();

    return done_testing();
}
