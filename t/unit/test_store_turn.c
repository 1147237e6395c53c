
/*
 * The way of messages through the store, over its public header: what a dispatcher does, on a clock of the test's.  After each turn the
 * campaign's counters are compared with the states of its messages, and every claim with what the test knows of that message.
 */

#include "store.h"
#include "ngx_campaign_store_lmdb_turn.h"


#define TEST_START     1790000000000000LL       /* us */
#define TEST_MS        1000
#define TEST_CONTACTS  3000
#define TEST_FIRST     380500000000ULL          /* number of the first contact */
#define TEST_RATE      1000                     /* messages a second */
#define TEST_BURST     100
#define TEST_MOST      200                      /* claims of one turn */
#define TEST_MANY      600                      /* campaigns: more than a turn starts or reports */


typedef enum {
    TEST_WAITS = 0,
    TEST_IN_FLIGHT,
    TEST_SETTLED
} test_fate_e;

/* a campaign as the test knows it */

typedef struct {
    ngx_campaign_campaign_t  c;
    ngx_uint_t               n;
    u_char                   fate[TEST_CONTACTS];
    u_char                   tries[TEST_CONTACTS];      /* that counted */
    u_char                   unsure[TEST_CONTACTS];     /* the next claim is a redelivery */
    int64_t                  due[TEST_CONTACTS];
    uint32_t                 claims, bad;               /* bad: claims that should not have been */
    ngx_uint_t               over;                      /* the store said that it ended */
} test_campaign_t;

/* a turn and its answers; it lives until the next */

typedef struct {
    store_op_t              *so;
    ngx_campaign_turn_t      turn;
    ngx_campaign_grant_t     grant;
    ngx_campaign_claim_t     claim;
} test_turn_t;

typedef struct {
    uint64_t                 campaign;
    uint32_t                 span;
    ngx_campaign_run_t       run;
    ngx_campaign_progress_t  counted;
} test_count_t;


static void test_open(void);
static void test_create(test_campaign_t *tc, const char *name, ngx_uint_t n);
static void test_first_turns(void);
static void test_whole_campaign(void);
static void test_again_and_back(void);
static void test_outcome_twice(void);
static void test_fenced(void);
static void test_recover_fails(void);
static void test_recover_repeat(void);
static void test_cancel(void);
static void test_pause(void);
static void test_disabled(void);
static void test_scheduled(void);
static void test_last(void);
static void test_none_accepted(void);
static void test_many(void);

static ngx_campaign_rc_e test_turn(test_turn_t *tt, test_campaign_t *tc, uint32_t want, ngx_campaign_outcome_t *outcomes, ngx_uint_t n);
static void test_turn_free(test_turn_t *tt);
static void test_start(test_campaign_t *tc);
static ngx_uint_t test_claimed(test_turn_t *tt, test_campaign_t *tc, uint32_t *seqs);
static ngx_campaign_outcome_t test_outcome(test_campaign_t *tc, uint32_t seq, ngx_uint_t kind, ngx_uint_t state, ngx_uint_t reason,
    int64_t wait);
static ngx_campaign_rc_e test_change(test_campaign_t *tc, ngx_uint_t status, ngx_uint_t from);
static ngx_campaign_rc_e test_get(test_campaign_t *tc, ngx_campaign_campaign_t *c);
static ngx_uint_t test_counters(test_campaign_t *tc);
static ngx_campaign_rc_e test_count_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args);
static ngx_uint_t test_live(test_turn_t *tt, test_campaign_t *tc, ngx_campaign_live_t *out);
static uint64_t test_lease(void);
static ngx_campaign_pile_t *test_pile(ngx_pool_t *pool, ngx_uint_t n);
static ngx_uint_t test_left(uint64_t campaign);


static const char              *test_program;
static ngx_campaign_store_t    *test_st;
static ngx_campaign_account_t   test_account;
static ngx_campaign_audience_t  test_audience;
static uint64_t                 test_epoch;
static ngx_str_t                test_uncertain[1] = { ngx_string("SMS") };
static ngx_uint_t               test_fail_uncertain;


int
main(int argc, char **argv)
{
    test_program = argv[0];
    (void) tap_seed();

    test_first_turns();
    test_whole_campaign();
    test_again_and_back();
    test_outcome_twice();
    test_fenced();
    test_recover_fails();
    test_recover_repeat();
    test_cancel();
    test_pause();
    test_disabled();
    test_scheduled();
    test_last();
    test_none_accepted();
    test_many();

    ngx_campaign_lmdb_close(test_st);
    store_remove();

    return done_testing();
}


/* a store with an account, a sender, a template and an audience */

static void
test_open(void)
{
    store_op_t              *so;
    ngx_campaign_key_t       key;
    ngx_campaign_text_t      text;
    ngx_campaign_sender_t    sender;
    ngx_campaign_account_t   found;

    if (test_st) {
        ngx_campaign_lmdb_close(test_st);
    }

    store_fresh(test_program);
    ngx_stub_now = TEST_START;
    test_fail_uncertain = 0;

    test_st = ngx_campaign_store_open(&store_conf, &store_log);
    so = store_op();

    ngx_memzero(&test_account, sizeof(test_account));
    ngx_str_set(&test_account.rec.name, "first");
    test_account.rec.status = NGX_CAMPAIGN_A_ACTIVE;
    test_account.rate = (uint64_t) TEST_RATE * NGX_CAMPAIGN_RATE_UNIT;
    test_account.burst = TEST_BURST;
    ngx_memset(test_account.key_hash, 7, 32);

    is_uint(store_wait(so, ngx_campaign_store_put(test_st, &so->op, NGX_CAMPAIGN_ACCOUNT, &test_account, NULL)), NGX_CAMPAIGN_OK,
            "an account is created");
    is_uint(store_wait(so, ngx_campaign_store_auth(test_st, &so->op, test_account.key_hash, &found, &key)), NGX_CAMPAIGN_OK,
            "its key leads to it");
    is_uint(found.rec.no, test_account.rec.no, "and to no other");

    ngx_memzero(&sender, sizeof(sender));
    sender.rec.account = (uint32_t) test_account.rec.no;
    ngx_str_set(&sender.rec.name, "SHOP");
    ngx_str_set(&sender.rec.channel, "SMS");
    sender.type = NGX_CAMPAIGN_T_ALPHANUMERIC;
    is_uint(store_wait(so, ngx_campaign_store_put(test_st, &so->op, NGX_CAMPAIGN_SENDER, &sender, NULL)), NGX_CAMPAIGN_OK,
            "a sender is created");

    ngx_memzero(&text, sizeof(text));
    text.rec.account = (uint32_t) test_account.rec.no;
    ngx_str_set(&text.rec.channel, "SMS");
    ngx_str_set(&text.text, "Hello {first_name}");
    is_uint(store_wait(so, ngx_campaign_store_put(test_st, &so->op, NGX_CAMPAIGN_TEMPLATE, &text, NULL)), NGX_CAMPAIGN_OK,
            "a template is created");

    ngx_memzero(&test_audience, sizeof(test_audience));
    test_audience.rec.account = (uint32_t) test_account.rec.no;
    ngx_str_set(&test_audience.rec.channel, "SMS");
    is_uint(store_wait(so, ngx_campaign_store_put(test_st, &so->op, NGX_CAMPAIGN_AUDIENCE, &test_audience,
                                                  test_pile(so->op.pool, TEST_CONTACTS))), NGX_CAMPAIGN_OK,
            "an audience is created");
    is_uint(test_audience.contacts, TEST_CONTACTS, "with all its contacts");

    store_free(so);

    test_epoch = test_lease();
}


/* n: 0 is the audience, else as many numbers given with it */

static void
test_create(test_campaign_t *tc, const char *name, ngx_uint_t n)
{
    store_op_t  *so;

    so = store_op();

    ngx_memzero(tc, sizeof(test_campaign_t));

    tc->c.rec.account = (uint32_t) test_account.rec.no;
    tc->c.rec.name.data = (u_char *) name;
    tc->c.rec.name.len = strlen(name);
    ngx_str_set(&tc->c.rec.channel, "SMS");
    ngx_str_set(&tc->c.from, "SHOP");
    ngx_str_set(&tc->c.text, "Hello {first_name}");
    ngx_memcpy(tc->c.audience, test_audience.rec.id, NGX_CAMPAIGN_ID_LEN);
    tc->n = n ? n : TEST_CONTACTS;

    is_uint(store_wait(so, ngx_campaign_store_create(test_st, &so->op, &tc->c, n ? test_pile(so->op.pool, n) : NULL)), NGX_CAMPAIGN_OK,
            "campaign %s is created", name);
    ok(tc->c.rec.status == NGX_CAMPAIGN_C_SCHEDULED && tc->c.progress.total == tc->n && tc->c.progress.pending == tc->n,
       "all its %u messages are pending", (unsigned) tc->n);

    store_free(so);                             /* strings of tc->c are gone with it */
}


static void
test_first_turns(void)
{
    uint32_t                 seqs[TEST_MOST];
    ngx_uint_t               i, n;
    test_turn_t              tt;
    ngx_campaign_live_t      live;
    static test_campaign_t   tc;

    test_open();
    test_create(&tc, "first turns", 0);

    is_uint(test_turn(&tt, NULL, 0, NULL, 0), NGX_CAMPAIGN_OK, "a turn that claims nothing");
    ok(test_live(&tt, &tc, &live), "reports the campaign");
    is_uint(live.fresh, TEST_CONTACTS, "with all its messages fresh");
    is_uint(live.campaign.rec.status, NGX_CAMPAIGN_C_IN_PROGRESS, "started");
    is_str(&live.campaign.text, "Hello {first_name}", "and with its text");
    test_turn_free(&tt);

    is_uint(test_turn(&tt, &tc, TEST_MOST, NULL, 0), NGX_CAMPAIGN_OK, "a turn that claims");
    is_uint(tt.turn.changes->nelts, 0, "reports nothing twice");
    n = test_claimed(&tt, &tc, seqs);
    is_uint(n, TEST_BURST, "gets the burst");
    is_uint(tt.grant.granted, TEST_BURST, "and says so");
    is_uint(tt.claim.left, TEST_CONTACTS - TEST_BURST, "and what is left");

    for (i = 0; i < n; i++) {
        if (seqs[i] != i || tt.claim.messages[i].contact.number != TEST_FIRST + i
            || tt.claim.messages[i].contact.field[NGX_CAMPAIGN_CONTACT_FIRST_NAME].len != (i % 3 ? 0 : 4))
        {
            break;
        }
    }

    is_uint(i, n, "in the order of the contacts, each with its fields");
    is_uint(tc.bad, 0, "each for its first try");
    ok(test_counters(&tc), "counters equal states");
    test_turn_free(&tt);

    is_uint(test_turn(&tt, &tc, TEST_MOST, NULL, 0), NGX_CAMPAIGN_OK, "a turn at the same time");
    is_uint(test_claimed(&tt, &tc, seqs), 0, "gets nothing");
    ok(tt.grant.first > ngx_stub_now * 1000, "but a time to come back");
    test_turn_free(&tt);

    ngx_stub_now += 50 * TEST_MS;

    is_uint(test_turn(&tt, &tc, TEST_MOST, NULL, 0), NGX_CAMPAIGN_OK, "a turn 50 ms later");
    is_uint(test_claimed(&tt, &tc, seqs), 50, "gets what the rate allows");
    ok(test_counters(&tc), "counters equal states");
    test_turn_free(&tt);
}


/* random outcomes until all is settled */

static void
test_whole_campaign(void)
{
    uint32_t                  seqs[TEST_MOST];
    uint32_t                  flying[TEST_CONTACTS];
    int64_t                   start;
    ngx_uint_t                i, n, turns, nflying, noutcomes, wrong, fast, settled, dice;
    test_turn_t               tt;
    ngx_campaign_campaign_t   c;
    static test_campaign_t    tc;
    ngx_campaign_outcome_t   *outcomes, o;

    test_open();
    test_create(&tc, "whole", 0);
    test_start(&tc);

    outcomes = malloc(TEST_CONTACTS * sizeof(ngx_campaign_outcome_t));
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
                o = test_outcome(&tc, flying[i], NGX_CAMPAIGN_OUTCOME_SETTLED, NGX_CAMPAIGN_S_DELIVERED, NGX_CAMPAIGN_R_NONE, 0);
            } else if (dice < 80) {
                o = test_outcome(&tc, flying[i], NGX_CAMPAIGN_OUTCOME_SETTLED, NGX_CAMPAIGN_S_SENT, NGX_CAMPAIGN_R_NONE, 0);
            } else if (dice < 85) {
                o = test_outcome(&tc, flying[i], NGX_CAMPAIGN_OUTCOME_SETTLED, NGX_CAMPAIGN_S_FAILED, NGX_CAMPAIGN_R_GATEWAY_4XX, 0);
            } else if (dice < 92) {
                o = test_outcome(&tc, flying[i], NGX_CAMPAIGN_OUTCOME_AGAIN, NGX_CAMPAIGN_S_RETRY, NGX_CAMPAIGN_R_GATEWAY_5XX,
                                 tap_below(500) * TEST_MS);
            } else if (dice < 96) {
                o = test_outcome(&tc, flying[i], NGX_CAMPAIGN_OUTCOME_AGAIN, NGX_CAMPAIGN_S_RETRY, NGX_CAMPAIGN_R_GATEWAY_TIMEOUT,
                                 tap_below(500) * TEST_MS);
            } else {
                o = test_outcome(&tc, flying[i], NGX_CAMPAIGN_OUTCOME_BACK, NGX_CAMPAIGN_S_RETRY, NGX_CAMPAIGN_R_NONE, 0);
            }

            settled += (o.kind == NGX_CAMPAIGN_OUTCOME_SETTLED);
            outcomes[noutcomes++] = o;
            flying[i] = flying[--nflying];
        }

        ngx_stub_now += (1 + tap_below(40)) * TEST_MS;

        if (test_turn(&tt, &tc, TEST_MOST, outcomes, noutcomes) != NGX_CAMPAIGN_OK) {
            wrong++;
        }

        n = test_claimed(&tt, &tc, seqs);

        for (i = 0; i < n; i++) {
            flying[nflying++] = seqs[i];
        }

        if (tc.claims > TEST_BURST + (ngx_uint_t) ((ngx_stub_now - start) * TEST_RATE / 1000000) + 1) {
            fast++;
        }

        wrong += !test_counters(&tc);
        test_turn_free(&tt);
    }

    is_uint(wrong, 0, "in each of %u turns the counters equal the states", (unsigned) turns);
    is_uint(fast, 0, "never more claims than rate and burst allow");
    is_uint(tc.bad, 0, "no message is claimed twice at once, too early, once it is settled, or with a wrong count of tries");
    is_uint(settled, TEST_CONTACTS, "every message is settled once");
    ok(tc.over, "the turn that settles the last one says that the campaign ended");

    is_uint(test_get(&tc, &c), NGX_CAMPAIGN_OK, "the campaign is there");
    is_uint(c.rec.status, NGX_CAMPAIGN_C_COMPLETED, "and completed");
    ok(c.progress.pending == 0 && c.progress.enroute == 0 && c.progress.again == 0, "nothing is left of it");
    ok(c.progress.finished == ngx_stub_now / 1000000, "its end is now");

    free(outcomes);
}


static void
test_again_and_back(void)
{
    uint32_t                seqs[TEST_MOST];
    int64_t                 due;
    ngx_uint_t              n;
    test_turn_t             tt;
    static test_campaign_t  tc;
    ngx_campaign_outcome_t  o[3];

    test_open();
    test_create(&tc, "again", 3);
    test_start(&tc);

    (void) test_turn(&tt, &tc, 3, NULL, 0);
    is_uint(test_claimed(&tt, &tc, seqs), 3, "three are claimed");
    test_turn_free(&tt);

    o[0] = test_outcome(&tc, 2, NGX_CAMPAIGN_OUTCOME_AGAIN, NGX_CAMPAIGN_S_RETRY, NGX_CAMPAIGN_R_GATEWAY_TIMEOUT, 100 * TEST_MS);
    o[1] = test_outcome(&tc, 0, NGX_CAMPAIGN_OUTCOME_BACK, NGX_CAMPAIGN_S_RETRY, NGX_CAMPAIGN_R_NONE, 0);
    o[2] = test_outcome(&tc, 1, NGX_CAMPAIGN_OUTCOME_AGAIN, NGX_CAMPAIGN_S_RETRY, NGX_CAMPAIGN_R_GATEWAY_5XX, 200 * TEST_MS);

    due = o[0].due;                             /* the store sorts them */

    ngx_stub_now += 10 * TEST_MS;
    (void) test_turn(&tt, &tc, 3, o, 3);
    n = test_claimed(&tt, &tc, seqs);
    ok(n == 1 && seqs[0] == 0 && tt.claim.messages[0].attempt == 1, "one that was given back goes again as its first try");
    is_int(tt.claim.again_at, due, "the earliest repeat is known");
    ok(test_counters(&tc), "counters equal states");
    test_turn_free(&tt);

    ngx_stub_now = due;
    (void) test_turn(&tt, &tc, 3, NULL, 0);
    n = test_claimed(&tt, &tc, seqs);
    ok(n == 1 && seqs[0] == 2, "a repeat is claimed when it is due");
    ok(tt.claim.messages[0].attempt == 2 && tt.claim.messages[0].redelivery, "one without an answer goes as second try and redelivery");
    ok(test_counters(&tc), "counters equal states");
    test_turn_free(&tt);

    /* given back and claimed once more: still a redelivery, counted once */

    o[0] = test_outcome(&tc, 2, NGX_CAMPAIGN_OUTCOME_BACK, NGX_CAMPAIGN_S_RETRY, NGX_CAMPAIGN_R_NONE, 0);
    ngx_stub_now += 10 * TEST_MS;
    (void) test_turn(&tt, &tc, 3, o, 1);
    n = test_claimed(&tt, &tc, seqs);
    ok(n == 1 && seqs[0] == 2 && tt.claim.messages[0].attempt == 2 && tt.claim.messages[0].redelivery,
       "given back it stays a second try and a redelivery");
    test_turn_free(&tt);

    (void) test_get(&tc, &tc.c);
    is_uint(tc.c.progress.redelivered, 1, "which is counted once");

    ngx_stub_now += 1000 * TEST_MS;
    (void) test_turn(&tt, &tc, 3, NULL, 0);
    n = test_claimed(&tt, &tc, seqs);
    ok(n == 1 && seqs[0] == 1 && tt.claim.messages[0].attempt == 2 && !tt.claim.messages[0].redelivery,
       "one that the gateway refused goes as second try, no redelivery");
    is_uint(tc.bad, 0, "every claim was due");
    test_turn_free(&tt);
}


static void
test_outcome_twice(void)
{
    uint32_t                 seqs[TEST_MOST];
    test_turn_t              tt;
    static test_campaign_t   tc;
    ngx_campaign_outcome_t   o[2], repeated[4];
    ngx_campaign_campaign_t  c;

    test_open();
    test_create(&tc, "twice", 10);
    test_start(&tc);

    (void) test_turn(&tt, &tc, 5, NULL, 0);
    is_uint(test_claimed(&tt, &tc, seqs), 5, "five are claimed");
    test_turn_free(&tt);

    o[0] = test_outcome(&tc, 0, NGX_CAMPAIGN_OUTCOME_SETTLED, NGX_CAMPAIGN_S_SENT, NGX_CAMPAIGN_R_NONE, 0);
    o[1] = test_outcome(&tc, 1, NGX_CAMPAIGN_OUTCOME_AGAIN, NGX_CAMPAIGN_S_RETRY, NGX_CAMPAIGN_R_GATEWAY_5XX, 1000 * TEST_MS);
    repeated[0] = o[0];
    repeated[1] = o[1];
    repeated[2] = o[0];
    repeated[3] = o[1];

    (void) test_turn(&tt, NULL, 0, repeated, 4);
    test_turn_free(&tt);
    (void) test_turn(&tt, NULL, 0, o, 2);
    test_turn_free(&tt);

    /* of messages that were never claimed, and that do not exist */

    o[0].seq = 7;
    o[1].seq = 1000000;
    (void) test_turn(&tt, NULL, 0, o, 2);
    test_turn_free(&tt);

    (void) test_get(&tc, &c);
    ok(c.progress.sent == 1 && c.progress.again == 1 && c.progress.enroute == 3 && c.progress.pending == 6,
       "an outcome counts once, and only of a message in flight");
    ok(test_counters(&tc), "counters equal states");
}


static void
test_fenced(void)
{
    uint32_t                 seqs[TEST_MOST];
    uint64_t                 old;
    ngx_uint_t               n, i;
    store_op_t              *so;
    test_turn_t              tt;
    ngx_campaign_peek_t      peek;
    ngx_campaign_live_t      live;
    static test_campaign_t   tc;
    ngx_campaign_outcome_t   o[2];
    ngx_campaign_campaign_t  c;

    test_open();
    test_create(&tc, "fenced", 200);
    test_start(&tc);

    (void) test_turn(&tt, &tc, 50, NULL, 0);
    is_uint(test_claimed(&tt, &tc, seqs), 50, "the first dispatcher claims 50");
    test_turn_free(&tt);

    old = test_epoch;
    test_epoch = test_lease();
    ok(test_epoch > old, "a second dispatcher has a newer epoch");

    so = store_op();
    is_uint(store_wait(so, ngx_campaign_store_peek(test_st, &so->op, &peek)), NGX_CAMPAIGN_OK, "the first one peeks");
    is_uint(peek.epoch, test_epoch, "and sees it");
    ok(peek.changed, "there are changes for the second");
    store_free(so);

    ngx_memzero(&o, sizeof(o));
    o[0] = test_outcome(&tc, 0, NGX_CAMPAIGN_OUTCOME_SETTLED, NGX_CAMPAIGN_S_SENT, NGX_CAMPAIGN_R_NONE, 0);
    tc.fate[0] = TEST_IN_FLIGHT;

    test_epoch = old;
    is_uint(test_turn(&tt, &tc, 10, o, 1), NGX_CAMPAIGN_FENCED, "a turn of the first is fenced");
    test_turn_free(&tt);
    (void) test_get(&tc, &c);
    ok(c.progress.sent == 0 && c.progress.enroute == 50, "it neither records nor claims");

    /* the second claims before it heard of the campaign: what is in flight would be lost */

    test_epoch++;
    (void) test_turn(&tt, NULL, 0, NULL, 0);
    ok(test_live(&tt, &tc, &live), "the second hears of the campaign");
    is_uint(live.campaign.progress.again, 50, "whose messages in flight are to be repeated");
    ok(live.again_at != 0 && live.again_at <= ngx_stub_now, "at once");
    test_turn_free(&tt);

    for (i = 0; i < 50; i++) {
        tc.fate[i] = TEST_WAITS;
        tc.tries[i] = 1;
        tc.unsure[i] = 1;
    }

    ok(test_counters(&tc), "counters equal states");

    ngx_stub_now += 100 * TEST_MS;
    (void) test_turn(&tt, &tc, 60, NULL, 0);
    n = test_claimed(&tt, &tc, seqs);
    is_uint(n, 60, "they go again, and fresh ones with them");

    for (i = 0; i < n; i++) {
        if (tt.claim.messages[i].redelivery != (i < 50) || tt.claim.messages[i].attempt != (i < 50 ? 2 : 1)) {
            break;
        }
    }

    is_uint(i, n, "each uncertain one as a redelivery and second try");
    is_uint(tc.bad, 0, "no fresh one is claimed twice");
    test_turn_free(&tt);

    (void) test_get(&tc, &c);
    is_uint(c.progress.redelivered, 50, "redeliveries are counted");
    ok(test_counters(&tc), "counters equal states");
}


/* campaign_redelivery off */

static void
test_recover_fails(void)
{
    uint32_t                 seqs[TEST_MOST];
    ngx_uint_t               i;
    test_turn_t              tt;
    static test_campaign_t   tc;
    ngx_campaign_campaign_t  c;

    test_open();
    test_create(&tc, "uncertain fails", 60);
    test_start(&tc);

    (void) test_turn(&tt, &tc, 40, NULL, 0);
    is_uint(test_claimed(&tt, &tc, seqs), 40, "40 are claimed");
    test_turn_free(&tt);

    test_epoch = test_lease();
    test_fail_uncertain = 1;

    (void) test_turn(&tt, NULL, 0, NULL, 0);
    test_turn_free(&tt);

    for (i = 0; i < 40; i++) {
        tc.fate[i] = TEST_SETTLED;
    }

    (void) test_get(&tc, &c);
    ok(c.progress.failed == 40 && c.progress.uncertain == 40 && c.progress.reason[NGX_CAMPAIGN_R_UNCERTAIN] == 40,
       "without redelivery what was in flight fails as uncertain");
    ok(test_counters(&tc), "counters equal states");

    ngx_stub_now += 100 * TEST_MS;
    (void) test_turn(&tt, &tc, 40, NULL, 0);
    is_uint(test_claimed(&tt, &tc, seqs), 20, "the fresh ones go on");
    is_uint(tc.bad, 0, "and none of the uncertain ones");
    test_turn_free(&tt);

    test_epoch = test_lease();
    (void) test_turn(&tt, NULL, 0, NULL, 0);
    test_turn_free(&tt);

    (void) test_get(&tc, &c);
    ok(c.rec.status == NGX_CAMPAIGN_C_FAILED && c.progress.failed == 60, "a campaign whose last ones fail so is ended by the recovery");
    ok(test_counters(&tc), "counters equal states");
}


/* a crash while a repeat is in flight */

static void
test_recover_repeat(void)
{
    uint32_t                 seqs[TEST_MOST];
    ngx_uint_t               n;
    test_turn_t              tt;
    static test_campaign_t   tc;
    ngx_campaign_outcome_t   o;
    ngx_campaign_campaign_t  c;

    test_open();
    test_create(&tc, "repeat in flight", 2);
    test_start(&tc);

    (void) test_turn(&tt, &tc, 1, NULL, 0);
    (void) test_claimed(&tt, &tc, seqs);
    test_turn_free(&tt);

    o = test_outcome(&tc, 0, NGX_CAMPAIGN_OUTCOME_AGAIN, NGX_CAMPAIGN_S_RETRY, NGX_CAMPAIGN_R_GATEWAY_5XX, 0);
    ngx_stub_now += 10 * TEST_MS;
    (void) test_turn(&tt, &tc, 1, &o, 1);
    n = test_claimed(&tt, &tc, seqs);
    ok(n == 1 && seqs[0] == 0 && tt.claim.messages[0].attempt == 2, "a repeat is in flight");
    test_turn_free(&tt);

    test_epoch = test_lease();
    (void) test_turn(&tt, NULL, 0, NULL, 0);
    test_turn_free(&tt);
    ok(test_counters(&tc), "counters equal states after its recovery");

    tc.fate[0] = TEST_WAITS;
    tc.tries[0] = 2;
    tc.unsure[0] = 1;

    ngx_stub_now += 10 * TEST_MS;
    (void) test_turn(&tt, &tc, 2, NULL, 0);
    n = test_claimed(&tt, &tc, seqs);
    ok(n == 2 && seqs[0] == 0 && tt.claim.messages[0].attempt == 3 && tt.claim.messages[0].redelivery,
       "it goes as third try, as a redelivery");
    is_uint(tc.bad, 0, "the other one as it was");
    test_turn_free(&tt);

    (void) test_get(&tc, &c);
    is_uint(c.progress.redelivered, 1, "and is counted as one");

    is_uint(test_change(&tc, NGX_CAMPAIGN_C_CANCELED, NGX_CAMPAIGN_C_IN_PROGRESS), NGX_CAMPAIGN_OK, "its campaign is canceled");
    o = test_outcome(&tc, 0, NGX_CAMPAIGN_OUTCOME_BACK, NGX_CAMPAIGN_S_RETRY, NGX_CAMPAIGN_R_NONE, 0);
    (void) test_turn(&tt, NULL, 0, &o, 1);
    test_turn_free(&tt);

    (void) test_get(&tc, &c);
    is_uint(c.progress.redelivered, 0, "one that was given back then was never sent once more");
}


static void
test_cancel(void)
{
    uint32_t                 seqs[TEST_MOST];
    uint64_t                 no;
    store_op_t              *so;
    test_turn_t              tt;
    ngx_campaign_live_t      live;
    static test_campaign_t   tc;
    ngx_campaign_outcome_t   o[3];
    ngx_campaign_campaign_t  c;

    test_open();
    test_create(&tc, "cancel", 100);
    test_start(&tc);
    so = store_op();
    no = tc.c.rec.no;

    is_uint(store_wait(so, ngx_campaign_store_delete(test_st, &so->op, NGX_CAMPAIGN_CAMPAIGN, tc.c.rec.account, tc.c.rec.id)),
            NGX_CAMPAIGN_IN_USE, "a campaign in progress is not deleted");

    (void) test_turn(&tt, &tc, 4, NULL, 0);
    is_uint(test_claimed(&tt, &tc, seqs), 4, "four are claimed");
    test_turn_free(&tt);

    o[0] = test_outcome(&tc, 0, NGX_CAMPAIGN_OUTCOME_AGAIN, NGX_CAMPAIGN_S_RETRY, NGX_CAMPAIGN_R_GATEWAY_5XX, 0);
    (void) test_turn(&tt, NULL, 0, o, 1);
    test_turn_free(&tt);

    is_uint(test_change(&tc, NGX_CAMPAIGN_C_CANCELED, NGX_CAMPAIGN_C_COMPLETED), NGX_CAMPAIGN_CONFLICT,
            "another status than the one expected is a conflict");
    is_uint(test_change(&tc, NGX_CAMPAIGN_C_CANCELED, NGX_CAMPAIGN_C_IN_PROGRESS), NGX_CAMPAIGN_OK, "the campaign is canceled");

    (void) test_get(&tc, &c);
    ok(c.progress.canceled == 97 && c.progress.pending == 0 && c.progress.again == 0 && c.progress.enroute == 3,
       "all that is not in flight is canceled");
    ok(test_counters(&tc), "counters equal states");

    ngx_stub_now += 50 * TEST_MS;
    (void) test_turn(&tt, &tc, 10, NULL, 0);
    ok(tt.claim.n == 0 && tt.claim.gone, "nothing of it is claimed any more");
    ok(test_live(&tt, &tc, &live) && live.gone, "and it is reported as gone");
    test_turn_free(&tt);

    is_uint(store_wait(so, ngx_campaign_store_delete(test_st, &so->op, NGX_CAMPAIGN_CAMPAIGN, tc.c.rec.account, tc.c.rec.id)),
            NGX_CAMPAIGN_IN_USE, "nor is it deleted while a message is in flight");

    o[0] = test_outcome(&tc, 1, NGX_CAMPAIGN_OUTCOME_SETTLED, NGX_CAMPAIGN_S_SENT, NGX_CAMPAIGN_R_NONE, 0);
    o[1] = test_outcome(&tc, 2, NGX_CAMPAIGN_OUTCOME_AGAIN, NGX_CAMPAIGN_S_RETRY, NGX_CAMPAIGN_R_GATEWAY_5XX, 0);
    o[2] = test_outcome(&tc, 3, NGX_CAMPAIGN_OUTCOME_BACK, NGX_CAMPAIGN_S_RETRY, NGX_CAMPAIGN_R_NONE, 0);
    (void) test_turn(&tt, NULL, 0, o, 3);
    test_turn_free(&tt);

    (void) test_get(&tc, &c);
    ok(c.progress.sent == 1 && c.progress.canceled == 99 && c.progress.enroute == 0, "those in flight finish and count, none is repeated");
    is_uint(c.rec.status, NGX_CAMPAIGN_C_CANCELED, "it stays canceled");
    ok(test_counters(&tc), "counters equal states");

    is_uint(store_wait(so, ngx_campaign_store_delete(test_st, &so->op, NGX_CAMPAIGN_CAMPAIGN, tc.c.rec.account, tc.c.rec.id)),
            NGX_CAMPAIGN_OK, "then it is deleted");
    is_uint(test_get(&tc, &c), NGX_CAMPAIGN_NOT_FOUND, "and not found");
    is_uint(test_left(no), 0, "nothing of its messages is left");

    (void) test_turn(&tt, NULL, 0, o, 3);
    is_uint(tt.so->rc, NGX_CAMPAIGN_OK, "late outcomes of it do no harm");
    test_turn_free(&tt);

    store_free(so);
}


static void
test_pause(void)
{
    uint32_t                 seqs[TEST_MOST];
    ngx_uint_t               n;
    test_turn_t              tt;
    ngx_campaign_live_t      live;
    static test_campaign_t   tc;
    ngx_campaign_outcome_t   o[2];

    test_open();
    test_create(&tc, "pause", 10);
    test_start(&tc);

    (void) test_turn(&tt, &tc, 2, NULL, 0);
    (void) test_claimed(&tt, &tc, seqs);
    test_turn_free(&tt);

    is_uint(test_change(&tc, NGX_CAMPAIGN_C_PAUSED, NGX_CAMPAIGN_C_IN_PROGRESS), NGX_CAMPAIGN_OK, "a campaign is paused");

    o[0] = test_outcome(&tc, 0, NGX_CAMPAIGN_OUTCOME_SETTLED, NGX_CAMPAIGN_S_SENT, NGX_CAMPAIGN_R_NONE, 0);
    o[1] = test_outcome(&tc, 1, NGX_CAMPAIGN_OUTCOME_AGAIN, NGX_CAMPAIGN_S_RETRY, NGX_CAMPAIGN_R_GATEWAY_5XX, 0);
    ngx_stub_now += 10 * TEST_MS;
    (void) test_turn(&tt, &tc, 5, o, 2);
    ok(tt.claim.n == 0 && tt.claim.gone, "nothing of it is claimed");
    ok(test_counters(&tc), "what was in flight is recorded");
    test_turn_free(&tt);

    test_epoch = test_lease();
    (void) test_turn(&tt, NULL, 0, NULL, 0);
    test_turn_free(&tt);

    is_uint(test_change(&tc, NGX_CAMPAIGN_C_IN_PROGRESS, NGX_CAMPAIGN_C_PAUSED), NGX_CAMPAIGN_OK,
            "it is resumed, under another dispatcher");

    (void) test_turn(&tt, NULL, 0, NULL, 0);
    ok(test_live(&tt, &tc, &live) && !live.gone && live.fresh == 8, "who hears of it");
    test_turn_free(&tt);

    ngx_stub_now += 10 * TEST_MS;
    (void) test_turn(&tt, &tc, 20, NULL, 0);
    n = test_claimed(&tt, &tc, seqs);
    ok(n == 9 && seqs[0] == 1 && tc.bad == 0, "and goes on where it stopped, repeats first");
    ok(test_counters(&tc), "counters equal states");
    test_turn_free(&tt);
}


static void
test_disabled(void)
{
    uint32_t                seqs[TEST_MOST];
    store_op_t             *so;
    test_turn_t             tt;
    ngx_campaign_live_t     live;
    static test_campaign_t  tc;

    test_open();
    test_create(&tc, "disabled", 10);
    test_start(&tc);
    so = store_op();

    test_account.rec.status = NGX_CAMPAIGN_A_DISABLED;
    is_uint(store_wait(so, ngx_campaign_store_account(test_st, &so->op, &test_account)), NGX_CAMPAIGN_OK, "an account is disabled");

    (void) test_turn(&tt, &tc, 5, NULL, 0);
    is_uint(test_claimed(&tt, &tc, seqs), 0, "no message of it is claimed");
    test_turn_free(&tt);

    test_account.rec.status = NGX_CAMPAIGN_A_ACTIVE;
    is_uint(store_wait(so, ngx_campaign_store_account(test_st, &so->op, &test_account)), NGX_CAMPAIGN_OK, "it is active again");

    (void) test_turn(&tt, NULL, 0, NULL, 0);
    ok(test_live(&tt, &tc, &live) && !live.gone, "its campaigns are reported anew");
    test_turn_free(&tt);

    ngx_stub_now += 10 * TEST_MS;
    (void) test_turn(&tt, &tc, 5, NULL, 0);
    is_uint(test_claimed(&tt, &tc, seqs), 5, "and go on");
    test_turn_free(&tt);

    store_free(so);
}


static void
test_scheduled(void)
{
    time_t                   at;
    uint32_t                 seqs[TEST_MOST];
    store_op_t              *so;
    test_turn_t              tt;
    ngx_campaign_live_t      live, *fresh;
    ngx_campaign_peek_t      peek;
    static test_campaign_t   tc;
    ngx_campaign_campaign_t  c;

    test_open();

    at = TEST_START / 1000000 + 10;
    so = store_op();

    ngx_memzero(&tc, sizeof(tc));
    tc.c.rec.account = (uint32_t) test_account.rec.no;
    ngx_str_set(&tc.c.rec.name, "scheduled");
    ngx_str_set(&tc.c.rec.channel, "SMS");
    ngx_str_set(&tc.c.from, "SHOP");
    ngx_str_set(&tc.c.text, "Hello");
    ngx_memcpy(tc.c.audience, test_audience.rec.id, NGX_CAMPAIGN_ID_LEN);
    tc.c.schedule = at;
    tc.n = TEST_CONTACTS;

    is_uint(store_wait(so, ngx_campaign_store_create(test_st, &so->op, &tc.c, NULL)), NGX_CAMPAIGN_OK, "a campaign is scheduled");

    (void) test_turn(&tt, NULL, 0, NULL, 0);
    is_int(tt.turn.next, (int64_t) at * 1000000, "a turn says when it starts");
    ok(!test_live(&tt, &tc, &live) || live.gone, "it is not to be sent yet");
    test_turn_free(&tt);

    is_uint(store_wait(so, ngx_campaign_store_peek(test_st, &so->op, &peek)), NGX_CAMPAIGN_OK, "a peek");
    ok(peek.next == (int64_t) at * 1000000 && !peek.changed, "says so too, and that nothing changed");

    ngx_stub_now = (int64_t) at * 1000000 - 1;
    (void) test_turn(&tt, NULL, 0, NULL, 0);
    (void) test_get(&tc, &c);
    is_uint(c.rec.status, NGX_CAMPAIGN_C_SCHEDULED, "a microsecond before it is still scheduled");
    test_turn_free(&tt);

    is_uint(store_wait(so, ngx_campaign_store_peek(test_st, &so->op, &peek)), NGX_CAMPAIGN_OK, "a peek then");
    ok(peek.fresh == NULL, "shows nothing to claim of");

    ngx_stub_now++;
    is_uint(store_wait(so, ngx_campaign_store_peek(test_st, &so->op, &peek)), NGX_CAMPAIGN_OK, "a peek in time");
    fresh = peek.fresh ? peek.fresh->elts : NULL;
    ok(fresh && peek.fresh->nelts == 2 && fresh[0].kind == NGX_CAMPAIGN_ACCOUNT && fresh[0].account == test_account.rec.no,
       "shows its account");
    ok(fresh && fresh[1].no == tc.c.rec.no && fresh[1].fresh == TEST_CONTACTS && fresh[1].campaign.text.len == 5, "... and the campaign");
    (void) test_get(&tc, &c);
    is_uint(c.rec.status, NGX_CAMPAIGN_C_SCHEDULED, "... which it does not start");

    (void) test_turn(&tt, &tc, 3, NULL, 0);
    is_uint(test_claimed(&tt, &tc, seqs), 3, "the turn that starts it claims of it, too");
    ok(test_live(&tt, &tc, &live) && !live.gone && live.fresh == TEST_CONTACTS, "then it is reported");
    is_int(tt.turn.next, 0, "and nothing is scheduled any more");
    (void) test_get(&tc, &c);
    ok(c.rec.status == NGX_CAMPAIGN_C_IN_PROGRESS && c.progress.started == at, "and in progress");
    test_turn_free(&tt);

    store_free(so);
}


static void
test_last(void)
{
    uint32_t                seqs[TEST_MOST];
    test_turn_t             tt;
    static test_campaign_t  tc, other;
    ngx_campaign_outcome_t  o;

    test_open();
    test_create(&tc, "last", 10);
    test_start(&tc);

    (void) test_turn(&tt, &tc, 1, NULL, 0);
    (void) test_claimed(&tt, &tc, seqs);
    test_turn_free(&tt);

    test_create(&other, "started by the next dispatcher", 10);
    o = test_outcome(&tc, 0, NGX_CAMPAIGN_OUTCOME_SETTLED, NGX_CAMPAIGN_S_SENT, NGX_CAMPAIGN_R_NONE, 0);

    ngx_memzero(&tt, sizeof(tt));
    tt.so = store_op();
    tt.turn.epoch = test_epoch;
    tt.turn.outcomes = &o;
    tt.turn.noutcomes = 1;
    tt.turn.last = 1;

    is_uint(store_wait(tt.so, ngx_campaign_store_turn(test_st, &tt.so->op, &tt.turn)), NGX_CAMPAIGN_OK, "the last turn of a dispatcher");
    is_uint(tt.turn.changes->nelts, 0, "reports nothing");
    test_turn_free(&tt);

    (void) test_get(&tc, &tc.c);
    is_uint(tc.c.progress.sent, 1, "but records");
    (void) test_get(&other, &other.c);
    is_uint(other.c.rec.status, NGX_CAMPAIGN_C_SCHEDULED, "and starts nothing");
}


static void
test_none_accepted(void)
{
    uint32_t                 seqs[TEST_MOST];
    ngx_uint_t               i;
    test_turn_t              tt;
    ngx_campaign_live_t      live;
    static test_campaign_t   tc;
    ngx_campaign_outcome_t   o[5];
    ngx_campaign_campaign_t  c;

    test_open();
    test_create(&tc, "none accepted", 5);
    test_start(&tc);

    (void) test_turn(&tt, &tc, 5, NULL, 0);
    (void) test_claimed(&tt, &tc, seqs);
    test_turn_free(&tt);

    for (i = 0; i < 5; i++) {
        o[i] = test_outcome(&tc, 4 - i, NGX_CAMPAIGN_OUTCOME_SETTLED, NGX_CAMPAIGN_S_FAILED, NGX_CAMPAIGN_R_GATEWAY_4XX, 0);
    }

    (void) test_turn(&tt, NULL, 0, o, 5);
    ok(tt.turn.finished->nelts == 1 && *(uint64_t *) tt.turn.finished->elts == tc.c.rec.no, "the turn names the campaign that ended");
    ok(test_live(&tt, &tc, &live) && live.gone, "and reports it as gone");
    test_turn_free(&tt);

    (void) test_get(&tc, &c);
    ok(c.rec.status == NGX_CAMPAIGN_C_FAILED && c.progress.reason[NGX_CAMPAIGN_R_GATEWAY_4XX] == 5,
       "a campaign of which the gateway accepted nothing is failed");
}


/* more campaigns than one turn starts or reports; what is not reported yet cannot be claimed, since it may have messages in flight */

static void
test_many(void)
{
    uint32_t                 seqs[TEST_MOST];
    ngx_uint_t               i, j, turns, reported, created;
    store_op_t              *so;
    test_turn_t              tt;
    ngx_campaign_live_t     *live;
    static test_campaign_t   tc;

    test_open();
    so = store_op();
    created = 0;

    for (i = 0; i < TEST_MANY; i++) {
        ngx_memzero(&tc, sizeof(tc));
        tc.c.rec.account = (uint32_t) test_account.rec.no;
        ngx_str_set(&tc.c.rec.channel, "SMS");
        ngx_str_set(&tc.c.from, "SHOP");
        ngx_str_set(&tc.c.text, "Hello");
        tc.n = 5;

        created += (store_wait(so, ngx_campaign_store_create(test_st, &so->op, &tc.c, test_pile(so->op.pool, 5))) == NGX_CAMPAIGN_OK);
    }

    is_uint(created, TEST_MANY, "%u campaigns are created", TEST_MANY);

    reported = 0;
    turns = 0;

    do {
        (void) test_turn(&tt, NULL, 0, NULL, 0);
        live = tt.turn.changes->elts;

        for (j = 0; j < tt.turn.changes->nelts; j++) {
            reported += (live[j].kind == NGX_CAMPAIGN_CAMPAIGN && !live[j].gone);
        }

        i = (tt.turn.next != 0 && tt.turn.next <= ngx_stub_now);
        turns++;
        test_turn_free(&tt);

    } while (i && turns < 20);

    is_uint(reported, TEST_MANY, "each is started and reported once");
    ok(turns > 1 && turns < 10, "over several turns, each of which asks for the next");

    (void) test_turn(&tt, &tc, 2, NULL, 0);
    is_uint(test_claimed(&tt, &tc, seqs), 2, "two messages of the last one are in flight");
    test_turn_free(&tt);

    test_epoch = test_lease();
    ngx_stub_now += 100 * TEST_MS;

    (void) test_turn(&tt, &tc, 5, NULL, 0);
    ok(test_claimed(&tt, &tc, seqs) == 0 && !tt.claim.gone, "a new dispatcher gets nothing of a campaign not yet reported to it");
    ok(tt.turn.next != 0 && tt.turn.next <= ngx_stub_now, "but is told to ask again at once");
    test_turn_free(&tt);

    (void) test_turn(&tt, NULL, 0, NULL, 0);
    test_turn_free(&tt);

    tc.fate[0] = tc.fate[1] = TEST_WAITS;
    tc.tries[0] = tc.tries[1] = 1;
    tc.unsure[0] = tc.unsure[1] = 1;
    ngx_stub_now += 100 * TEST_MS;

    (void) test_turn(&tt, &tc, 5, NULL, 0);
    is_uint(test_claimed(&tt, &tc, seqs), 5, "then it gets all of it");
    is_uint(tc.bad, 0, "those that were in flight as redeliveries");
    ok(test_counters(&tc), "counters equal states");
    test_turn_free(&tt);

    store_free(so);
}


/* a turn; tc NULL: one that claims nothing */

static ngx_campaign_rc_e
test_turn(test_turn_t *tt, test_campaign_t *tc, uint32_t want, ngx_campaign_outcome_t *outcomes, ngx_uint_t n)
{
    ngx_memzero(tt, sizeof(test_turn_t));

    tt->so = store_op();
    tt->turn.epoch = test_epoch;
    tt->turn.outcomes = outcomes;
    tt->turn.noutcomes = n;

    if (test_fail_uncertain) {
        tt->turn.uncertain = test_uncertain;
        tt->turn.nuncertain = 1;
    }

    if (tc) {
        tt->claim.campaign = tc->c.rec.no;
        tt->claim.want = want;
        tt->claim.again = want;

        tt->grant.account = tc->c.rec.account;
        tt->grant.claims = &tt->claim;
        tt->grant.nclaims = 1;
        tt->grant.until = ngx_stub_now * 1000;

        tt->turn.grants = &tt->grant;
        tt->turn.ngrants = 1;
    }

    return store_wait(tt->so, ngx_campaign_store_turn(test_st, &tt->so->op, &tt->turn));
}


static void
test_turn_free(test_turn_t *tt)
{
    store_free(tt->so);
}


static void
test_start(test_campaign_t *tc)
{
    test_turn_t          tt;
    ngx_campaign_live_t  live;

    (void) test_turn(&tt, NULL, 0, NULL, 0);
    ok(test_live(&tt, tc, &live) && !live.gone, "the dispatcher hears of the campaign");
    test_turn_free(&tt);
}


/* checks each claim against what is known of its message; returns their number */

static ngx_uint_t
test_claimed(test_turn_t *tt, test_campaign_t *tc, uint32_t *seqs)
{
    uint32_t                 i, seq;
    uint64_t                *over;
    ngx_campaign_claimed_t  *m;

    for (i = 0; i < tt->claim.n; i++) {
        m = &tt->claim.messages[i];
        seq = m->seq;
        seqs[i] = seq;

        if (m->campaign != tc->c.rec.no || seq >= tc->n || tc->fate[seq] != TEST_WAITS || tc->due[seq] > ngx_stub_now
            || m->attempt != tc->tries[seq] + 1 || m->redelivery != tc->unsure[seq] || m->contact.number != TEST_FIRST + seq)
        {
            tc->bad++;
            continue;
        }

        tc->fate[seq] = TEST_IN_FLIGHT;
        tc->claims++;
    }

    over = tt->turn.finished->elts;

    for (i = 0; i < tt->turn.finished->nelts; i++) {
        tc->over |= (over[i] == tc->c.rec.no);
    }

    return tt->claim.n;
}


static ngx_campaign_outcome_t
test_outcome(test_campaign_t *tc, uint32_t seq, ngx_uint_t kind, ngx_uint_t state, ngx_uint_t reason, int64_t wait)
{
    ngx_campaign_outcome_t  o;

    ngx_memzero(&o, sizeof(o));

    o.campaign = tc->c.rec.no;
    o.seq = seq;
    o.kind = (uint8_t) kind;
    o.state = (uint8_t) state;
    o.reason = (uint8_t) reason;
    o.attempt = tc->tries[seq] + 1;
    o.due = ngx_stub_now + wait;

    tc->fate[seq] = (kind == NGX_CAMPAIGN_OUTCOME_SETTLED) ? TEST_SETTLED : TEST_WAITS;
    tc->due[seq] = o.due;

    if (kind == NGX_CAMPAIGN_OUTCOME_AGAIN) {
        tc->tries[seq]++;
        tc->unsure[seq] = (reason == NGX_CAMPAIGN_R_GATEWAY_TIMEOUT);
    }

    return o;
}


static ngx_campaign_rc_e
test_change(test_campaign_t *tc, ngx_uint_t status, ngx_uint_t from)
{
    store_op_t               *so;
    ngx_campaign_rc_e         rc;
    ngx_campaign_campaign_t   c;

    so = store_op();
    c = tc->c;
    c.rec.status = status;

    rc = store_wait(so, ngx_campaign_store_change(test_st, &so->op, &c, NGX_CAMPAIGN_SET_STATUS, (ngx_uint_t) 1 << from));

    store_free(so);

    return rc;
}


/* strings of c are gone */

static ngx_campaign_rc_e
test_get(test_campaign_t *tc, ngx_campaign_campaign_t *c)
{
    u_char              id[NGX_CAMPAIGN_ID_LEN];
    store_op_t         *so;
    ngx_campaign_rc_e   rc;

    so = store_op();
    ngx_memcpy(id, tc->c.rec.id, NGX_CAMPAIGN_ID_LEN);

    rc = store_wait(so, ngx_campaign_store_get(test_st, &so->op, NGX_CAMPAIGN_CAMPAIGN, tc->c.rec.account, id, c));

    store_free(so);

    return rc;
}


/* 1: the campaign's counters are the states of its messages */

static ngx_uint_t
test_counters(test_campaign_t *tc)
{
    ngx_uint_t                i, fine;
    store_op_t               *so;
    test_count_t              count;
    ngx_campaign_progress_t  *a, *b;

    ngx_memzero(&count, sizeof(count));
    count.campaign = tc->c.rec.no;
    count.span = (uint32_t) tc->n;

    so = store_op();
    fine = (store_wait(so, ngx_campaign_lmdb_read(test_st, &so->op, test_count_work, &count)) == NGX_CAMPAIGN_OK);
    store_free(so);

    a = &count.run.progress;
    b = &count.counted;

    for (i = 0; i < NGX_CAMPAIGN_R_MAX; i++) {
        fine = fine && a->reason[i] == b->reason[i];
    }

    fine = fine && a->pending == b->pending && a->enroute == b->enroute && a->sent == b->sent && a->delivered == b->delivered
           && a->failed == b->failed && a->canceled == b->canceled && a->skipped == b->skipped && a->again == b->again
           && a->total == a->pending + a->enroute + a->sent + a->delivered + a->failed + a->canceled + a->skipped;

    if (!fine) {
        diag("stored:  pending %u enroute %u sent %u delivered %u failed %u canceled %u skipped %u again %u", a->pending, a->enroute,
             a->sent, a->delivered, a->failed, a->canceled, a->skipped, a->again);
        diag("counted: pending %u enroute %u sent %u delivered %u failed %u canceled %u skipped %u again %u", b->pending, b->enroute,
             b->sent, b->delivered, b->failed, b->canceled, b->skipped, b->again);
    }

    return fine;
}


static ngx_campaign_rc_e
test_count_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args)
{
    test_count_t *count = args;

    int                       rc;
    u_char                   *byte, key[20];
    MDB_val                   value;
    uint32_t                  seq;
    ngx_uint_t                canceled;
    ngx_campaign_rc_e         result;
    ngx_campaign_states_t    *x;
    ngx_campaign_progress_t  *p;

    p = &count->counted;

    x = ngx_pcalloc(op->pool, sizeof(ngx_campaign_states_t));
    x->t = t;
    x->pool = op->pool;

    result = ngx_campaign_states_open(x, count->campaign);
    if (result != NGX_CAMPAIGN_OK) {
        return result;
    }

    count->run = x->run;
    canceled = (x->run.status == NGX_CAMPAIGN_C_CANCELED);

    for (seq = 0; seq < count->span; seq++) {
        result = ngx_campaign_states_byte(x, seq, &byte);
        if (result != NGX_CAMPAIGN_OK) {
            return result;
        }

        switch (ngx_campaign_byte_state(*byte)) {

        case NGX_CAMPAIGN_S_PENDING:
        case NGX_CAMPAIGN_S_RETRY:
            ngx_campaign_be32_put(ngx_campaign_be64_put(ngx_campaign_be64_put(key, count->campaign), 0), seq);
            rc = ngx_campaign_lmdb_get(t, NGX_CAMPAIGN_DB_AGAIN, key, 20, &value);

            if (ngx_campaign_byte_state(*byte) == NGX_CAMPAIGN_S_PENDING ? seq >= x->run.done && seq < x->run.upto : rc == 0) {
                p->enroute++;

            } else if (canceled) {
                p->canceled++;
                p->reason[NGX_CAMPAIGN_R_CANCELED]++;

            } else {
                p->pending++;
                p->again += (ngx_campaign_byte_state(*byte) == NGX_CAMPAIGN_S_RETRY);
            }

            continue;

        case NGX_CAMPAIGN_S_SENT:
            p->sent++;
            break;

        case NGX_CAMPAIGN_S_DELIVERED:
            p->delivered++;
            break;

        case NGX_CAMPAIGN_S_FAILED:
            p->failed++;
            break;

        case NGX_CAMPAIGN_S_CANCELED:
            p->canceled++;
            break;

        case NGX_CAMPAIGN_S_SKIPPED:
            if (ngx_campaign_byte_reason(*byte) != NGX_CAMPAIGN_R_NONE) {
                p->skipped++;
            }
            break;

        default:
            return NGX_CAMPAIGN_FAILURE;
        }

        if (ngx_campaign_byte_reason(*byte) != NGX_CAMPAIGN_R_NONE) {
            p->reason[ngx_campaign_byte_reason(*byte)]++;
        }
    }

    return NGX_CAMPAIGN_OK;
}


/* the campaign among a turn's changes; strings live as long as the turn */

static ngx_uint_t
test_live(test_turn_t *tt, test_campaign_t *tc, ngx_campaign_live_t *out)
{
    ngx_uint_t            i, found;
    ngx_campaign_live_t  *live;

    found = 0;
    live = tt->turn.changes->elts;

    for (i = 0; i < tt->turn.changes->nelts; i++) {
        if (live[i].kind == NGX_CAMPAIGN_CAMPAIGN && live[i].no == tc->c.rec.no) {
            *out = live[i];
            found++;
        }
    }

    return found;
}


static uint64_t
test_lease(void)
{
    uint64_t     epoch;
    store_op_t  *so;

    so = store_op();
    is_uint(store_wait(so, ngx_campaign_store_lease(test_st, &so->op, &epoch)), NGX_CAMPAIGN_OK, "a dispatcher takes the lease");
    store_free(so);

    return epoch;
}


static ngx_campaign_pile_t *
test_pile(ngx_pool_t *pool, ngx_uint_t n)
{
    ngx_uint_t              i;
    ngx_campaign_pile_t    *pile;
    ngx_campaign_contact_t  contact;

    pile = ngx_pcalloc(pool, sizeof(ngx_campaign_pile_t));
    ngx_campaign_pile_init(pile, pool);

    for (i = 0; i < n; i++) {
        ngx_memzero(&contact, sizeof(contact));
        contact.number = TEST_FIRST + i;

        if (i % 3 == 0) {
            ngx_str_set(&contact.field[NGX_CAMPAIGN_CONTACT_FIRST_NAME], "Olha");
        }

        if (ngx_campaign_pile_add(pile, &contact) != NGX_OK) {
            exit(1);
        }
    }

    return pile;
}


static ngx_campaign_rc_e
test_left_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args)
{
    u_char       prefix[8];
    MDB_val      key, value;
    uint64_t    *arg = args;
    ngx_uint_t   i;
    MDB_cursor  *cursor;

    static const ngx_campaign_db_e  dbs[] = { NGX_CAMPAIGN_DB_RUN, NGX_CAMPAIGN_DB_CHUNK, NGX_CAMPAIGN_DB_AGAIN, NGX_CAMPAIGN_DB_TRIES,
                                              NGX_CAMPAIGN_DB_BLOCK };

    for (i = 0; i < sizeof(dbs) / sizeof(dbs[0]); i++) {
        ngx_campaign_be64_put(prefix, dbs[i] == NGX_CAMPAIGN_DB_BLOCK ? NGX_CAMPAIGN_LIST_CAMPAIGN(arg[0]) : arg[0]);
        key.mv_data = prefix;
        key.mv_size = 8;

        if (mdb_cursor_open(t->txn, t->store->dbi[dbs[i]], &cursor) != 0) {
            return NGX_CAMPAIGN_FAILURE;
        }

        if (mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE) == 0 && memcmp(key.mv_data, prefix, 8) == 0) {
            arg[1]++;
        }

        mdb_cursor_close(cursor);
    }

    return NGX_CAMPAIGN_OK;
}


/* tables that still know of a campaign */

static ngx_uint_t
test_left(uint64_t campaign)
{
    uint64_t     arg[2] = { campaign, 0 };
    store_op_t  *so;

    so = store_op();

    if (store_wait(so, ngx_campaign_lmdb_read(test_st, &so->op, test_left_work, arg)) != NGX_CAMPAIGN_OK) {
        arg[1] = 1000;
    }

    store_free(so);

    return arg[1];
}
