
/*
 * The way of messages through the store, over its public header: what a dispatcher does from the first claim of a campaign to its last
 * outcome.
 */

#include "store_turn.h"


#define TEST_MANY      600                      /* campaigns: more than a turn starts or reports */


static void test_first_turns(void);
static void test_whole_campaign(void);
static void test_again_and_back(void);
static void test_outcome_twice(void);
static void test_outcome_earlier(void);
static void test_last(void);
static void test_none_accepted(void);
static void test_many(void);


int
main(int argc, char **argv)
{
    turn_program = argv[0];
    (void) tap_seed();

    test_first_turns();
    test_whole_campaign();
    test_again_and_back();
    test_outcome_twice();
    test_outcome_earlier();
    test_last();
    test_none_accepted();
    test_many();

    return turn_end();
}


static void
test_first_turns(void)
{
    uint32_t                 seqs[TURN_MOST];
    ngx_uint_t               i, n;
    turn_call_t              tt;
    ngx_campaign_live_t      live;
    static turn_campaign_t   tc;

    turn_open();
    turn_create(&tc, "first turns", 0);

    is_uint(turn_make(&tt, NULL, 0, NULL, 0), NGX_CAMPAIGN_OK, "a turn that claims nothing");
    ok(turn_live(&tt, &tc, &live), "reports the campaign");
    is_uint(live.fresh, TURN_CONTACTS, "with all its messages fresh");
    is_uint(live.campaign.rec.status, NGX_CAMPAIGN_C_IN_PROGRESS, "started");
    is_str(&live.campaign.text, "Hello {first_name}", "and with its text");
    turn_free(&tt);

    is_uint(turn_make(&tt, &tc, TURN_MOST, NULL, 0), NGX_CAMPAIGN_OK, "a turn that claims");
    is_uint(tt.turn.changes->nelts, 0, "reports nothing twice");
    n = turn_claimed(&tt, &tc, seqs);
    is_uint(n, TURN_BURST, "gets the burst");
    is_uint(tt.grant.granted, TURN_BURST, "and says so");
    is_uint(tt.claim.left, TURN_CONTACTS - TURN_BURST, "and what is left");

    for (i = 0; i < n; i++) {
        if (seqs[i] != i || tt.claim.messages[i].contact.number != TURN_FIRST + i
            || tt.claim.messages[i].contact.field[NGX_CAMPAIGN_CONTACT_FIRST_NAME].len != (i % 3 ? 0 : 4))
        {
            break;
        }
    }

    is_uint(i, n, "in the order of the contacts, each with its fields");
    is_uint(tc.bad, 0, "each for its first try");
    ok(turn_counters(&tc), "counters equal states");
    turn_free(&tt);

    is_uint(turn_make(&tt, &tc, TURN_MOST, NULL, 0), NGX_CAMPAIGN_OK, "a turn at the same time");
    is_uint(turn_claimed(&tt, &tc, seqs), 0, "gets nothing");
    ok(tt.grant.first > ngx_stub_now * 1000, "but a time to come back");
    turn_free(&tt);

    ngx_stub_now += 50 * TURN_MS;

    is_uint(turn_make(&tt, &tc, TURN_MOST, NULL, 0), NGX_CAMPAIGN_OK, "a turn 50 ms later");
    is_uint(turn_claimed(&tt, &tc, seqs), 50, "gets what the rate allows");
    ok(turn_counters(&tc), "counters equal states");
    turn_free(&tt);
}


/* random outcomes until all is settled */

static void
test_whole_campaign(void)
{
    uint32_t                  seqs[TURN_MOST];
    uint32_t                  flying[TURN_CONTACTS];
    int64_t                   start;
    ngx_uint_t                i, n, turns, nflying, noutcomes, wrong, fast, settled, dice;
    turn_call_t               tt;
    ngx_campaign_campaign_t   c;
    static turn_campaign_t    tc;
    ngx_campaign_outcome_t   *outcomes, o;

    turn_open();
    turn_create(&tc, "whole", 0);
    turn_start(&tc);

    outcomes = malloc(TURN_CONTACTS * sizeof(ngx_campaign_outcome_t));
    nflying = 0;
    wrong = 0;
    fast = 0;
    settled = 0;
    start = ngx_stub_now;

    for (turns = 0; turns < 2000 && !tc.over; turns++) {

        noutcomes = 0;

        for (i = 0; i < nflying; /* void */ ) {
            dice = tap_below(100);

            if (dice < 50) {
                i++;                            /* its answer has not come */
                continue;
            }

            if (dice < 70) {
                o = turn_outcome(&tc, flying[i], NGX_CAMPAIGN_OUTCOME_SETTLED, NGX_CAMPAIGN_S_DELIVERED, NGX_CAMPAIGN_R_NONE, 0);
            } else if (dice < 80) {
                o = turn_outcome(&tc, flying[i], NGX_CAMPAIGN_OUTCOME_SETTLED, NGX_CAMPAIGN_S_SENT, NGX_CAMPAIGN_R_NONE, 0);
            } else if (dice < 85) {
                o = turn_outcome(&tc, flying[i], NGX_CAMPAIGN_OUTCOME_SETTLED, NGX_CAMPAIGN_S_FAILED, NGX_CAMPAIGN_R_GATEWAY_4XX, 0);
            } else if (dice < 92) {
                o = turn_outcome(&tc, flying[i], NGX_CAMPAIGN_OUTCOME_AGAIN, NGX_CAMPAIGN_S_RETRY, NGX_CAMPAIGN_R_GATEWAY_5XX,
                                 tap_below(500) * TURN_MS);
            } else if (dice < 96) {
                o = turn_outcome(&tc, flying[i], NGX_CAMPAIGN_OUTCOME_AGAIN, NGX_CAMPAIGN_S_RETRY, NGX_CAMPAIGN_R_GATEWAY_TIMEOUT,
                                 tap_below(500) * TURN_MS);
            } else {
                o = turn_outcome(&tc, flying[i], NGX_CAMPAIGN_OUTCOME_BACK, NGX_CAMPAIGN_S_RETRY, NGX_CAMPAIGN_R_NONE, 0);
            }

            settled += (o.kind == NGX_CAMPAIGN_OUTCOME_SETTLED);
            outcomes[noutcomes++] = o;
            flying[i] = flying[--nflying];
        }

        ngx_stub_now += (1 + tap_below(40)) * TURN_MS;

        if (turn_make(&tt, &tc, TURN_MOST, outcomes, noutcomes) != NGX_CAMPAIGN_OK) {
            wrong++;
        }

        n = turn_claimed(&tt, &tc, seqs);

        for (i = 0; i < n; i++) {
            flying[nflying++] = seqs[i];
        }

        if (tc.claims > TURN_BURST + (ngx_uint_t) ((ngx_stub_now - start) * TURN_RATE / 1000000) + 1) {
            fast++;
        }

        wrong += !turn_counters(&tc);
        turn_free(&tt);
    }

    is_uint(wrong, 0, "in each of %u turns the counters equal the states", (unsigned) turns);
    is_uint(fast, 0, "never more claims than rate and burst allow");
    is_uint(tc.bad, 0, "no message is claimed twice at once, too early, once it is settled, or with a wrong count of tries");
    is_uint(settled, TURN_CONTACTS, "every message is settled once");
    ok(tc.over, "the turn that settles the last one says that the campaign ended");

    is_uint(turn_get(&tc, &c), NGX_CAMPAIGN_OK, "the campaign is there");
    is_uint(c.rec.status, NGX_CAMPAIGN_C_COMPLETED, "and completed");
    ok(c.progress.pending == 0 && c.progress.enroute == 0 && c.progress.again == 0, "nothing is left of it");
    ok(c.progress.finished == ngx_stub_now / 1000000, "its end is now");

    free(outcomes);
}


static void
test_again_and_back(void)
{
    uint32_t                seqs[TURN_MOST];
    int64_t                 due;
    ngx_uint_t              n;
    turn_call_t             tt;
    static turn_campaign_t  tc;
    ngx_campaign_outcome_t  o[3];

    turn_open();
    turn_create(&tc, "again", 3);
    turn_start(&tc);

    (void) turn_make(&tt, &tc, 3, NULL, 0);
    is_uint(turn_claimed(&tt, &tc, seqs), 3, "three are claimed");
    turn_free(&tt);

    o[0] = turn_outcome(&tc, 2, NGX_CAMPAIGN_OUTCOME_AGAIN, NGX_CAMPAIGN_S_RETRY, NGX_CAMPAIGN_R_GATEWAY_TIMEOUT, 100 * TURN_MS);
    o[1] = turn_outcome(&tc, 0, NGX_CAMPAIGN_OUTCOME_BACK, NGX_CAMPAIGN_S_RETRY, NGX_CAMPAIGN_R_NONE, 0);
    o[2] = turn_outcome(&tc, 1, NGX_CAMPAIGN_OUTCOME_AGAIN, NGX_CAMPAIGN_S_RETRY, NGX_CAMPAIGN_R_GATEWAY_5XX, 200 * TURN_MS);

    due = o[0].due;                             /* the store sorts them */

    ngx_stub_now += 10 * TURN_MS;
    (void) turn_make(&tt, &tc, 3, o, 3);
    n = turn_claimed(&tt, &tc, seqs);
    ok(n == 1 && seqs[0] == 0 && tt.claim.messages[0].attempt == 1, "one that was given back goes again as its first try");
    is_int(tt.claim.again_at, due, "the earliest repeat is known");
    ok(turn_counters(&tc), "counters equal states");
    turn_free(&tt);

    ngx_stub_now = due;
    (void) turn_make(&tt, &tc, 3, NULL, 0);
    n = turn_claimed(&tt, &tc, seqs);
    ok(n == 1 && seqs[0] == 2, "a repeat is claimed when it is due");
    ok(tt.claim.messages[0].attempt == 2 && tt.claim.messages[0].redelivery, "one without an answer goes as second try and redelivery");
    ok(turn_counters(&tc), "counters equal states");
    turn_free(&tt);

    /* given back and claimed once more: still a redelivery, counted once */

    o[0] = turn_outcome(&tc, 2, NGX_CAMPAIGN_OUTCOME_BACK, NGX_CAMPAIGN_S_RETRY, NGX_CAMPAIGN_R_NONE, 0);
    ngx_stub_now += 10 * TURN_MS;
    (void) turn_make(&tt, &tc, 3, o, 1);
    n = turn_claimed(&tt, &tc, seqs);
    ok(n == 1 && seqs[0] == 2 && tt.claim.messages[0].attempt == 2 && tt.claim.messages[0].redelivery,
       "given back it stays a second try and a redelivery");
    turn_free(&tt);

    (void) turn_get(&tc, &tc.c);
    is_uint(tc.c.progress.redelivered, 1, "which is counted once");

    ngx_stub_now += 1000 * TURN_MS;
    (void) turn_make(&tt, &tc, 3, NULL, 0);
    n = turn_claimed(&tt, &tc, seqs);
    ok(n == 1 && seqs[0] == 1 && tt.claim.messages[0].attempt == 2 && !tt.claim.messages[0].redelivery,
       "one that the gateway refused goes as second try, no redelivery");
    is_uint(tc.bad, 0, "every claim was due");
    turn_free(&tt);
}


static void
test_outcome_twice(void)
{
    uint32_t                 seqs[TURN_MOST];
    turn_call_t              tt;
    static turn_campaign_t   tc;
    ngx_campaign_outcome_t   o[2], repeated[4];
    ngx_campaign_campaign_t  c;

    turn_open();
    turn_create(&tc, "twice", 10);
    turn_start(&tc);

    (void) turn_make(&tt, &tc, 5, NULL, 0);
    is_uint(turn_claimed(&tt, &tc, seqs), 5, "five are claimed");
    turn_free(&tt);

    o[0] = turn_outcome(&tc, 0, NGX_CAMPAIGN_OUTCOME_SETTLED, NGX_CAMPAIGN_S_SENT, NGX_CAMPAIGN_R_NONE, 0);
    o[1] = turn_outcome(&tc, 1, NGX_CAMPAIGN_OUTCOME_AGAIN, NGX_CAMPAIGN_S_RETRY, NGX_CAMPAIGN_R_GATEWAY_5XX, 1000 * TURN_MS);
    repeated[0] = o[0];
    repeated[1] = o[1];
    repeated[2] = o[0];
    repeated[3] = o[1];

    (void) turn_make(&tt, NULL, 0, repeated, 4);
    turn_free(&tt);
    (void) turn_make(&tt, NULL, 0, o, 2);
    turn_free(&tt);

    /* of messages that were never claimed, and that do not exist */

    o[0].seq = 7;
    o[1].seq = 1000000;
    (void) turn_make(&tt, NULL, 0, o, 2);
    turn_free(&tt);

    (void) turn_get(&tc, &c);
    ok(c.progress.sent == 1 && c.progress.again == 1 && c.progress.enroute == 3 && c.progress.pending == 6,
       "an outcome counts once, and only of a message in flight");
    ok(turn_counters(&tc), "counters equal states");
}


/*
 * Outcomes of a turn that also claims the message anew come again, for nobody knows whether the turn was taken; and what it may have claimed is
 * given back.  Whichever is looked at first, the end is the same.
 */

static void
test_outcome_earlier(void)
{
    uint32_t                 seqs[TURN_MOST];
    ngx_uint_t               i, n;
    turn_call_t              tt;
    static turn_campaign_t   tc;
    ngx_campaign_outcome_t   o, again[2];
    ngx_campaign_campaign_t  c;

    for (i = 0; i < 4; i++) {
        turn_open();
        ngx_memzero(&tc, sizeof(tc));
        turn_create(&tc, "earlier", 1);
        turn_start(&tc);

        (void) turn_make(&tt, &tc, 1, NULL, 0);
        (void) turn_claimed(&tt, &tc, seqs);
        turn_free(&tt);

        o = turn_outcome(&tc, 0, NGX_CAMPAIGN_OUTCOME_AGAIN, NGX_CAMPAIGN_S_RETRY, NGX_CAMPAIGN_R_GATEWAY_TIMEOUT, 0);
        again[i & 1] = o;

        if (i & 2) {
            (void) turn_make(&tt, &tc, 1, &o, 1);
            n = turn_claimed(&tt, &tc, seqs);
            ok(n == 1 && tt.claim.messages[0].attempt == 2, "it was taken: its second try is claimed");
            turn_free(&tt);
        }

        again[!(i & 1)] = turn_outcome(&tc, 0, NGX_CAMPAIGN_OUTCOME_BACK, NGX_CAMPAIGN_S_RETRY, NGX_CAMPAIGN_R_NONE, 0);

        (void) turn_make(&tt, NULL, 0, again, 2);
        turn_free(&tt);

        (void) turn_get(&tc, &c);
        ok(c.progress.again == 1 && c.progress.pending == 1 && c.progress.enroute == 0 && c.progress.redelivered == 0, "it waits for its second try");
        ok(turn_counters(&tc), "counters equal states");

        ngx_stub_now += TURN_MS;
        (void) turn_make(&tt, &tc, 1, NULL, 0);
        n = turn_claimed(&tt, &tc, seqs);
        ok(n == 1 && tt.claim.messages[0].attempt == 2 && tt.claim.messages[0].redelivery, "which is claimed, as what may have been sent before");
        turn_free(&tt);

        (void) turn_get(&tc, &c);
        is_uint(c.progress.redelivered, 1, "and counted once");
        is_uint(tc.bad, 0, "every claim was due");
    }
}


static void
test_last(void)
{
    uint32_t                seqs[TURN_MOST];
    turn_call_t             tt;
    static turn_campaign_t  tc, other;
    ngx_campaign_outcome_t  o;

    turn_open();
    turn_create(&tc, "last", 10);
    turn_start(&tc);

    (void) turn_make(&tt, &tc, 1, NULL, 0);
    (void) turn_claimed(&tt, &tc, seqs);
    turn_free(&tt);

    turn_create(&other, "started by the next dispatcher", 10);
    o = turn_outcome(&tc, 0, NGX_CAMPAIGN_OUTCOME_SETTLED, NGX_CAMPAIGN_S_SENT, NGX_CAMPAIGN_R_NONE, 0);

    ngx_memzero(&tt, sizeof(tt));
    tt.so = store_op();
    tt.turn.epoch = turn_epoch;
    tt.turn.outcomes = &o;
    tt.turn.noutcomes = 1;
    tt.turn.last = 1;

    is_uint(store_wait(tt.so, ngx_campaign_store_turn(st, &tt.so->op, &tt.turn)), NGX_CAMPAIGN_OK, "the last turn of a dispatcher");
    is_uint(tt.turn.changes->nelts, 0, "reports nothing");
    turn_free(&tt);

    (void) turn_get(&tc, &tc.c);
    is_uint(tc.c.progress.sent, 1, "but records");
    (void) turn_get(&other, &other.c);
    is_uint(other.c.rec.status, NGX_CAMPAIGN_C_SCHEDULED, "and starts nothing");
}


static void
test_none_accepted(void)
{
    uint32_t                 seqs[TURN_MOST];
    ngx_uint_t               i;
    turn_call_t              tt;
    ngx_campaign_live_t      live;
    static turn_campaign_t   tc;
    ngx_campaign_outcome_t   o[5];
    ngx_campaign_campaign_t  c;

    turn_open();
    turn_create(&tc, "none accepted", 5);
    turn_start(&tc);

    (void) turn_make(&tt, &tc, 5, NULL, 0);
    (void) turn_claimed(&tt, &tc, seqs);
    turn_free(&tt);

    for (i = 0; i < 5; i++) {
        o[i] = turn_outcome(&tc, 4 - i, NGX_CAMPAIGN_OUTCOME_SETTLED, NGX_CAMPAIGN_S_FAILED, NGX_CAMPAIGN_R_GATEWAY_4XX, 0);
    }

    (void) turn_make(&tt, NULL, 0, o, 5);
    ok(tt.turn.finished->nelts == 1 && *(uint64_t *) tt.turn.finished->elts == tc.c.rec.no, "the turn names the campaign that ended");
    ok(turn_live(&tt, &tc, &live) && live.gone, "and reports it as gone");
    turn_free(&tt);

    (void) turn_get(&tc, &c);
    ok(c.rec.status == NGX_CAMPAIGN_C_FAILED && c.progress.reason[NGX_CAMPAIGN_R_GATEWAY_4XX] == 5,
       "a campaign of which the gateway accepted nothing is failed");
}


/* more campaigns than one turn starts or reports; what is not reported yet cannot be claimed, since it may have messages in flight */

static void
test_many(void)
{
    uint32_t                 seqs[TURN_MOST];
    ngx_uint_t               i, j, turns, reported, created;
    store_op_t              *so;
    turn_call_t              tt;
    ngx_campaign_live_t     *live;
    static turn_campaign_t   tc;

    turn_open();
    so = store_op();
    created = 0;

    for (i = 0; i < TEST_MANY; i++) {
        ngx_memzero(&tc, sizeof(tc));
        tc.c.rec.account = (uint32_t) turn_account.rec.no;
        ngx_str_set(&tc.c.rec.channel, "SMS");
        ngx_str_set(&tc.c.from, "SHOP");
        ngx_str_set(&tc.c.text, "Hello");
        tc.n = 5;

        created += (store_wait(so, ngx_campaign_store_create(st, &so->op, &tc.c, turn_pile(so->op.pool, 5))) == NGX_CAMPAIGN_OK);
    }

    is_uint(created, TEST_MANY, "%u campaigns are created", TEST_MANY);

    reported = 0;
    turns = 0;

    do {
        (void) turn_make(&tt, NULL, 0, NULL, 0);
        live = tt.turn.changes->elts;

        for (j = 0; j < tt.turn.changes->nelts; j++) {
            reported += (live[j].kind == NGX_CAMPAIGN_CAMPAIGN && !live[j].gone);
        }

        i = (tt.turn.next != 0 && tt.turn.next <= ngx_stub_now);
        turns++;
        turn_free(&tt);

    } while (i && turns < 20);

    is_uint(reported, TEST_MANY, "each is started and reported once");
    ok(turns > 1 && turns < 10, "over several turns, each of which asks for the next");

    (void) turn_make(&tt, &tc, 2, NULL, 0);
    is_uint(turn_claimed(&tt, &tc, seqs), 2, "two messages of the last one are in flight");
    turn_free(&tt);

    turn_epoch = turn_lease();
    ngx_stub_now += 100 * TURN_MS;

    (void) turn_make(&tt, &tc, 5, NULL, 0);
    ok(turn_claimed(&tt, &tc, seqs) == 0 && !tt.claim.gone, "a new dispatcher gets nothing of a campaign not yet reported to it");
    ok(tt.turn.next != 0 && tt.turn.next <= ngx_stub_now, "but is told to ask again at once");
    turn_free(&tt);

    (void) turn_make(&tt, NULL, 0, NULL, 0);
    turn_free(&tt);

    tc.fate[0] = tc.fate[1] = TURN_WAITS;
    tc.tries[0] = tc.tries[1] = 1;
    tc.unsure[0] = tc.unsure[1] = 1;
    ngx_stub_now += 100 * TURN_MS;

    (void) turn_make(&tt, &tc, 5, NULL, 0);
    is_uint(turn_claimed(&tt, &tc, seqs), 5, "then it gets all of it");
    is_uint(tc.bad, 0, "those that were in flight as redeliveries");
    ok(turn_counters(&tc), "counters equal states");
    turn_free(&tt);

    store_free(so);
}
