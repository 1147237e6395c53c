
/*
 * The dispatcher's decisions: what an account's campaigns get of its rate, and accounts of a gateway's slots.
 */

#include "pick.h"


static void test_shares(void);
static void test_slow(void);
static void test_fast(void);
static void test_fast_beside(void);
static void test_fast_ends(void);
static void test_crowds(void);
static void test_crossed(void);
static void test_equal(void);
static void test_equal_run(ngx_uint_t naccounts, ngx_uint_t n);
static uint64_t test_equal_apart(ngx_uint_t from, ngx_uint_t to, ngx_uint_t gateway, ngx_uint_t n);
static uint64_t test_equal_within(ngx_uint_t account, ngx_uint_t gateway, ngx_uint_t n);
static uint64_t test_apart(ngx_uint_t from, ngx_uint_t to);


int
main(void)
{
    test_shares();
    test_slow();
    test_fast();
    test_fast_beside();
    test_fast_ends();
    test_crowds();
    test_crossed();
    test_equal();

    return done_testing();
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


/* a gateway that answers all at once, a second later: who comes last in a round is first in the next */

static void
test_slow(void)
{
    ngx_uint_t  i;

    begin(64, SECOND);
    account(0, 1000000, 1000);

    for (i = 0; i < 100; i++) {
        campaign(i, 0, 0, 100000, 0, 0);
    }

    run(START + 10 * SECOND);

    ok(by_account[0] >= 9 * 64 && test_apart(0, 100) <= 1, "where little goes campaigns give one message by turns: %" PRIu64 " apart after %" PRIu64,
       test_apart(0, 100), by_account[0]);
}


static void
test_fast(void)
{
    uint64_t    before;
    ngx_uint_t  i;

    begin(256, 2000);
    account(0, 1000000, 1000);

    for (i = 0; i < 100; i++) {
        campaign(i, 0, 0, 10000000, 0, 0);
    }

    run(START + SECOND);

    before = by_account[0];
    asks = 0;
    run(START + 3 * SECOND);

    ok(by_account[0] - before >= 150000, "a fast account: %" PRIu64 " messages in two seconds", by_account[0] - before);
    ok(asks * 10 <= by_account[0] - before, "its campaigns give some before the next one's turn: %" PRIu64 " claims", (uint64_t) asks);
    ok(test_apart(0, 100) <= 2 * NGX_CAMPAIGN_PICK_SHARE, "and get the same: %" PRIu64 " apart", test_apart(0, 100));

    campaign(100, 0, 0, 10, 0, 0);
    run(now + 100000);

    is_uint(campaigns[100].sent, 10, "one of ten messages");
    ok(campaigns[100].last - START - 3 * SECOND <= 30000, "is sent behind a hundred others in %" PRId64 " us",
       campaigns[100].last - START - 3 * SECOND);

    before = by_account[0];
    gateways[0].slots = 24;                             /* less than two shares: one is cut short in each turn */
    run(now + SECOND);

    ok(by_account[0] - before >= 8000 && test_apart(0, 100) <= 2 * NGX_CAMPAIGN_PICK_SHARE, "a share that was cut short goes on in the next turn: %"
       PRIu64 " apart", test_apart(0, 100));
    is_uint(wrong, 0, "never more in flight than slots");
}


/* campaigns at several gateways, one of them slow, and another account */

static void
test_fast_beside(void)
{
    ngx_uint_t  i;

    begin(128, 2000);
    account(0, 1000000, 1000);
    account(1, 1000000, 1000);

    for (i = 0; i < 60; i++) {
        campaign(i, 0, i % 2, 10000000, 0, 0);
    }

    campaign(60, 1, 0, 10000000, 0, 0);
    run(START + 2 * SECOND);

    ok(by_account[1] * 100 >= by_gateway[0] * 48 && by_account[1] * 100 <= by_gateway[0] * 52,
       "beside a fast account another one gets half of a gateway: %" PRIu64 " of %" PRIu64, by_account[1], by_gateway[0]);

    for (i = 0; i < 60; i += 2) {
        campaigns[i / 2].sent = campaigns[i].sent;
    }

    ok(test_apart(0, 30) <= 2 * NGX_CAMPAIGN_PICK_SHARE, "and the campaigns there share the other half: %" PRIu64 " apart", test_apart(0, 30));
    is_uint(wrong, 0, "never more in flight than slots");
}


/* fast and slow by turns: a campaign is a share behind for each change, at most */

static void
test_fast_ends(void)
{
    ngx_uint_t  i, k, changes, fast;

    begin(256, 2000);
    account(0, 1000000, 1000);

    for (i = 0; i < 20; i++) {
        campaign(i, 0, 0, 10000000, 0, 0);
    }

    for (changes = 0, fast = 0, k = 0; k < 20; k++) {
        latency = (k % 2) ? 400000 : 2000;
        run(now + SECOND + (int64_t) tap_below(300000));

        changes += (accounts[0].fast != fast);
        fast = accounts[0].fast;
    }

    ok(changes >= 10, "an account is fast and slow by turns: %" PRIu64 " changes", (uint64_t) changes);
    ok(test_apart(0, 20) <= (changes + 2) * NGX_CAMPAIGN_PICK_SHARE, "each change costs a campaign a share at most: %" PRIu64 " apart of %" PRIu64,
       test_apart(0, 20), campaigns[0].sent);
}


/* an account with as many campaigns as there are slots, or more, beside others with one */

static void
test_crowds(void)
{
    uint64_t    others;
    ngx_uint_t  i, k;

    static const ngx_uint_t  crowd[] = { 1, 16, 64, 300 };

    for (k = 0; k < 4; k++) {
        begin(64, 10000);
        account(0, 1000000, 1000);
        account(1, 1000000, 1000);
        account(2, 1000000, 1000);
        account(3, 100, 10);

        campaign(0, 1, 0, 10000000, 0, 0);
        campaign(1, 2, 0, 100, 0, 0);
        campaign(2, 3, 0, 10000000, 0, 0);

        for (i = 0; i < crowd[k]; i++) {
            campaign(3 + i, 0, 0, 10000000, 0, 0);
        }

        run(START + 10 * SECOND);

        others = by_account[2] + by_account[3];

        ok(by_account[0] + by_account[1] + others >= 60000, "%" PRIu64 " campaigns of one account: the gateway is kept busy", (uint64_t) crowd[k]);
        ok(by_account[1] * 100 >= by_account[0] * 97 && by_account[1] * 100 <= by_account[0] * 103,
           "one campaign of another account gets as much as all of them: %" PRIu64 " and %" PRIu64, by_account[1], by_account[0]);
        is_uint(by_account[2], 100, "one that is soon sent leaves the slots to others");
        ok(by_account[3] >= 990 && by_account[3] <= 1020, "one with a rate gets all of that: %" PRIu64, by_account[3]);
        is_uint(wrong, 0, "never more than rate and slots allow");
    }
}


/*
 * Accounts that always have messages for each gateway, by one campaign or by many, urgent ones too, and one with less rate than its part.  Of
 * free slots accounts take one by turns, for whichever gateway: so at one of them some may have more, until all its slots were used once.
 */

static void
test_equal(void)
{
    int64_t     over;
    uint32_t    slots;
    uint64_t    within, sent;
    ngx_uint_t  i, k, naccounts, n;

    over = INT64_MIN;
    within = 0;
    sent = 0;

    for (i = 0; i < 30; i++) {
        slots = 1 + (uint32_t) tap_below((i % 2) ? 10 : 100);
        naccounts = 3 + tap_below(6);
        n = naccounts * GATEWAYS + tap_below(100);

        begin(slots, 0);
        test_equal_run(naccounts, n);

        for (k = 0; k < GATEWAYS; k++) {
            over = ngx_max(over, (int64_t) test_equal_apart(1, naccounts, k, n) - slots);
        }

        for (k = 0; k < naccounts * GATEWAYS; k++) {
            within = ngx_max(within, test_equal_within(k / GATEWAYS, k % GATEWAYS, n));
        }

        sent += by_account[1];
    }

    ok(over <= 4, "accounts get the same at each gateway, however many campaigns each has: a gateway's slots apart, and %" PRId64, over);
    ok(within <= 5 * NGX_CAMPAIGN_PICK_SHARE, "and of one's campaigns there each gets the same: %" PRIu64 " apart of %" PRIu64, within, sent);
}


/* the first account may be a slow one, and the second has most campaigns */

static void
test_equal_run(ngx_uint_t naccounts, ngx_uint_t n)
{
    ngx_uint_t  i;

    for (i = 0; i < naccounts; i++) {
        account(i, (i == 0 && tap_below(2)) ? 20 : 1000000, 1000);
    }

    for (i = 0; i < n; i++) {
        campaigns[i].pick.urgent = (i >= naccounts * GATEWAYS && tap_below(8) == 0);

        if (i < naccounts * GATEWAYS) {
            campaign(i, i / GATEWAYS, i % GATEWAYS, 10000000, 0, 0);

        } else {
            campaign(i, tap_below(2) ? 1 : tap_below(naccounts), tap_below(GATEWAYS), 10000000, 0, 0);
        }
    }

    while (now < START + 5 * SECOND) {
        latency = 2000 + (int64_t) tap_below(20000);
        run(now + 10000);
    }
}


static uint64_t
test_equal_apart(ngx_uint_t from, ngx_uint_t to, ngx_uint_t gateway, ngx_uint_t n)
{
    uint64_t    sent[ACCOUNTS], most, least;
    ngx_uint_t  i;

    memset(sent, 0, sizeof(sent));

    for (i = 0; i < n; i++) {
        if (campaigns[i].pick.gateway == &gateways[gateway]) {
            sent[campaigns[i].pick.account - accounts] += campaigns[i].sent;
        }
    }

    for (most = 0, least = UINT64_MAX, i = from; i < to; i++) {
        most = ngx_max(most, sent[i]);
        least = ngx_min(least, sent[i]);
    }

    return most - least;
}


static uint64_t
test_equal_within(ngx_uint_t account, ngx_uint_t gateway, ngx_uint_t n)
{
    uint64_t    most, least;
    ngx_uint_t  i;

    for (most = 0, least = UINT64_MAX, i = 0; i < n; i++) {
        if (campaigns[i].pick.account == &accounts[account] && campaigns[i].pick.gateway == &gateways[gateway] && !campaigns[i].pick.urgent) {
            most = ngx_max(most, campaigns[i].sent);
            least = ngx_min(least, campaigns[i].sent);
        }
    }

    return most - least;
}


/* a slow account's campaigns at a gateway that others fill: who waits longest keeps its turn, whatever a turn without a slot or rate makes of it */

static void
test_crossed(void)
{
    ngx_uint_t  i, k, worst;

    static const uint64_t  rates[] = { 30, 50, 100, 300 };

    for (k = 0; k < 8; k++) {
        begin(4, 20000);
        pick.fast = k < 4 ? 2 : NGX_CAMPAIGN_PICK_FAST;
        account(0, rates[k % 4], 1);
        account(1, 1000000, 1000);

        for (i = 0; i < 5; i++) {
            campaign(i, 0, 0, 1000000, 0, 0);
        }

        for ( /* void */ ; i < 8; i++) {
            campaign(i, 1, 0, 1000000, 0, 0);
        }

        for (worst = 0; now < START + 100 * SECOND; /* void */ ) {
            latency = 2000 + (int64_t) tap_below(60000);
            run(now + 5000);
            worst = ngx_max(worst, test_apart(0, 5));
        }

        ok(worst <= (k < 4 ? NGX_CAMPAIGN_PICK_SHARE + 2 : 1) && campaigns[0].sent >= 200, "%" PRIu64 " a second%s, five campaigns: never more than %"
           PRIu64 " apart", rates[k % 4], k < 4 ? " by shares" : "", (uint64_t) worst);
    }
}


/* between the campaign that got most and the one that got least */

static uint64_t
test_apart(ngx_uint_t from, ngx_uint_t to)
{
    uint64_t  most, least;

    for (most = 0, least = UINT64_MAX; from < to; from++) {
        most = ngx_max(most, campaigns[from].sent);
        least = ngx_min(least, campaigns[from].sent);
    }

    return most - least;
}
