
/*
 * The dispatcher's decisions: rates, repeats, when to look again, clocks that are set back.
 */

#include "pick.h"


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


/* a campaign waits at a gateway that others fill, another of its account, maybe an urgent one, has slots at once */

static void
test_beside(void)
{
    uint64_t    all;
    ngx_uint_t  i, k, urgent;

    static const struct {
        uint64_t  rate;
        int64_t   seconds;
    } of[] = { { 1, 400 }, { 10, 100 }, { 100, 40 }, { 1000, 10 } };

    for (k = 0; k < 8; k++) {
        urgent = k / 4;
        all = of[k % 4].rate * (uint64_t) of[k % 4].seconds;

        begin(1024, 100000);
        gateways[1].slots = 8;                          /* 80 a second there, of eight accounts */

        for (i = 1; i < 8; i++) {
            account(i, 1000000, 1000);
            campaign(i, i, 1, 100000, 0, 0);
        }

        account(0, of[k % 4].rate, 1);
        campaign(0, 0, 1, 100000, 0, 0);
        campaigns[8].pick.urgent = urgent;
        campaign(8, 0, 0, 100000, 0, 0);

        while (now < START + of[k % 4].seconds * SECOND) {
            latency = 50000 + (int64_t) tap_below(100000);
            run(now + 5000);
        }

        ok(campaigns[0].sent * 5 >= 2 * ngx_min(all / (urgent ? NGX_CAMPAIGN_PICK_URGENT : 2), 10 * (uint64_t) of[k % 4].seconds),
           "beside %s campaign with free slots, %" PRIu64 " a second, one that waits for slots gets some: %" PRIu64 " and %" PRIu64,
           urgent ? "an urgent" : "a", of[k % 4].rate, campaigns[0].sent, campaigns[8].sent);
        ok(by_account[0] * 100 >= all * 95, "and the account has its rate: %" PRIu64 " of %" PRIu64, by_account[0], all);
        is_uint(wrong, 0, "never more than rate and slots allow");
    }
}


int
main(void)
{
    test_rates();
    test_urgent();
    test_beside();
    test_repeats();
    test_waiting();
    test_clock();
    test_random();

    return done_testing();
}
