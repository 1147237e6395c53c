
/*
 * A dispatcher that takes over from another: the one before it is fenced, what was in flight goes again or fails, as its channel has it.
 */

#include "store_turn.h"


static void test_fenced(void);
static void test_recover_fails(void);
static void test_recover_repeat(void);


int
main(int argc, char **argv)
{
    turn_program = argv[0];
    (void) tap_seed();

    test_fenced();
    test_recover_fails();
    test_recover_repeat();

    return turn_end();
}


static void
test_fenced(void)
{
    uint32_t                 seqs[TURN_MOST];
    uint64_t                 old;
    ngx_uint_t               n, i;
    store_op_t              *so;
    turn_call_t              tt;
    ngx_campaign_peek_t      peek;
    ngx_campaign_live_t      live;
    static turn_campaign_t   tc;
    ngx_campaign_outcome_t   o[2];
    ngx_campaign_campaign_t  c;

    turn_open();
    turn_create(&tc, "fenced", 200);
    turn_start(&tc);

    (void) turn_make(&tt, &tc, 50, NULL, 0);
    is_uint(turn_claimed(&tt, &tc, seqs), 50, "the first dispatcher claims 50");
    turn_free(&tt);

    old = turn_epoch;
    turn_epoch = turn_lease();
    ok(turn_epoch > old, "a second dispatcher has a newer epoch");

    so = store_op();
    is_uint(store_wait(so, ngx_campaign_store_peek(st, &so->op, &peek)), NGX_CAMPAIGN_OK, "the first one peeks");
    is_uint(peek.epoch, turn_epoch, "and sees it");
    ok(peek.changed, "there are changes for the second");
    store_free(so);

    ngx_memzero(&o, sizeof(o));
    o[0] = turn_outcome(&tc, 0, NGX_CAMPAIGN_OUTCOME_SETTLED, NGX_CAMPAIGN_S_SENT, NGX_CAMPAIGN_R_NONE, 0);
    tc.fate[0] = TURN_IN_FLIGHT;

    turn_epoch = old;
    is_uint(turn_make(&tt, &tc, 10, o, 1), NGX_CAMPAIGN_FENCED, "a turn of the first is fenced");
    turn_free(&tt);
    (void) turn_get(&tc, &c);
    ok(c.progress.sent == 0 && c.progress.enroute == 50, "it neither records nor claims");

    /* the second claims before it heard of the campaign: what is in flight would be lost */

    turn_epoch++;
    (void) turn_make(&tt, NULL, 0, NULL, 0);
    ok(turn_live(&tt, &tc, &live), "the second hears of the campaign");
    is_uint(live.campaign.progress.again, 50, "whose messages in flight are to be repeated");
    ok(live.again_at != 0 && live.again_at <= ngx_stub_now, "at once");
    turn_free(&tt);

    for (i = 0; i < 50; i++) {
        tc.fate[i] = TURN_WAITS;
        tc.tries[i] = 1;
        tc.unsure[i] = 1;
    }

    ok(turn_counters(&tc), "counters equal states");

    ngx_stub_now += 100 * TURN_MS;
    (void) turn_make(&tt, &tc, 60, NULL, 0);
    n = turn_claimed(&tt, &tc, seqs);
    is_uint(n, 60, "they go again, and fresh ones with them");

    for (i = 0; i < n; i++) {
        if (tt.claim.messages[i].redelivery != (i < 50) || tt.claim.messages[i].attempt != (i < 50 ? 2 : 1)) {
            break;
        }
    }

    is_uint(i, n, "each uncertain one as a redelivery and second try");
    is_uint(tc.bad, 0, "no fresh one is claimed twice");
    turn_free(&tt);

    (void) turn_get(&tc, &c);
    is_uint(c.progress.redelivered, 50, "redeliveries are counted");
    ok(turn_counters(&tc), "counters equal states");
}


/* campaign_redelivery off */

static void
test_recover_fails(void)
{
    uint32_t                 seqs[TURN_MOST];
    ngx_uint_t               i;
    turn_call_t              tt;
    static turn_campaign_t   tc;
    ngx_campaign_campaign_t  c;

    turn_open();
    turn_create(&tc, "uncertain fails", 60);
    turn_start(&tc);

    (void) turn_make(&tt, &tc, 40, NULL, 0);
    is_uint(turn_claimed(&tt, &tc, seqs), 40, "40 are claimed");
    turn_free(&tt);

    turn_epoch = turn_lease();
    turn_fail_uncertain = 1;

    (void) turn_make(&tt, NULL, 0, NULL, 0);
    turn_free(&tt);

    for (i = 0; i < 40; i++) {
        tc.fate[i] = TURN_SETTLED;
    }

    (void) turn_get(&tc, &c);
    ok(c.progress.failed == 40 && c.progress.uncertain == 40 && c.progress.reason[NGX_CAMPAIGN_R_UNCERTAIN] == 40,
       "without redelivery what was in flight fails as uncertain");
    ok(turn_counters(&tc), "counters equal states");

    ngx_stub_now += 100 * TURN_MS;
    (void) turn_make(&tt, &tc, 40, NULL, 0);
    is_uint(turn_claimed(&tt, &tc, seqs), 20, "the fresh ones go on");
    is_uint(tc.bad, 0, "and none of the uncertain ones");
    turn_free(&tt);

    turn_epoch = turn_lease();
    (void) turn_make(&tt, NULL, 0, NULL, 0);
    turn_free(&tt);

    (void) turn_get(&tc, &c);
    ok(c.rec.status == NGX_CAMPAIGN_C_FAILED && c.progress.failed == 60, "a campaign whose last ones fail so is ended by the recovery");
    ok(turn_counters(&tc), "counters equal states");
}


/* a crash while a repeat is in flight */

static void
test_recover_repeat(void)
{
    uint32_t                 seqs[TURN_MOST];
    ngx_uint_t               n;
    turn_call_t              tt;
    static turn_campaign_t   tc;
    ngx_campaign_outcome_t   o;
    ngx_campaign_campaign_t  c;

    turn_open();
    turn_create(&tc, "repeat in flight", 2);
    turn_start(&tc);

    (void) turn_make(&tt, &tc, 1, NULL, 0);
    (void) turn_claimed(&tt, &tc, seqs);
    turn_free(&tt);

    o = turn_outcome(&tc, 0, NGX_CAMPAIGN_OUTCOME_AGAIN, NGX_CAMPAIGN_S_RETRY, NGX_CAMPAIGN_R_GATEWAY_5XX, 0);
    ngx_stub_now += 10 * TURN_MS;
    (void) turn_make(&tt, &tc, 1, &o, 1);
    n = turn_claimed(&tt, &tc, seqs);
    ok(n == 1 && seqs[0] == 0 && tt.claim.messages[0].attempt == 2, "a repeat is in flight");
    turn_free(&tt);

    turn_epoch = turn_lease();
    (void) turn_make(&tt, NULL, 0, NULL, 0);
    turn_free(&tt);
    ok(turn_counters(&tc), "counters equal states after its recovery");

    tc.fate[0] = TURN_WAITS;
    tc.tries[0] = 2;
    tc.unsure[0] = 1;

    ngx_stub_now += 10 * TURN_MS;
    (void) turn_make(&tt, &tc, 2, NULL, 0);
    n = turn_claimed(&tt, &tc, seqs);
    ok(n == 2 && seqs[0] == 0 && tt.claim.messages[0].attempt == 3 && tt.claim.messages[0].redelivery,
       "it goes as third try, as a redelivery");
    is_uint(tc.bad, 0, "the other one as it was");
    turn_free(&tt);

    (void) turn_get(&tc, &c);
    is_uint(c.progress.redelivered, 1, "and is counted as one");

    is_uint(turn_change(&tc, NGX_CAMPAIGN_C_CANCELED, NGX_CAMPAIGN_C_IN_PROGRESS), NGX_CAMPAIGN_OK, "its campaign is canceled");
    o = turn_outcome(&tc, 0, NGX_CAMPAIGN_OUTCOME_BACK, NGX_CAMPAIGN_S_RETRY, NGX_CAMPAIGN_R_NONE, 0);
    (void) turn_make(&tt, NULL, 0, &o, 1);
    turn_free(&tt);

    (void) turn_get(&tc, &c);
    is_uint(c.progress.redelivered, 0, "one that was given back then was never sent once more");
}
