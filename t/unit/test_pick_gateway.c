
/*
 * The dispatcher's decisions about gateways: one that is full or rests is passed over, its slots go round, a busy one is given fewer.
 */

#include "pick.h"


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


int
main(void)
{
    test_gateways();
    test_slots();
    test_busy();

    return done_testing();
}
