
/*
 * Messages that wait for a repeat: a million of them cost a turn, a look and a new dispatcher no more than eleven.
 *
 * Two stores are made alike: eleven campaigns of one audience, in each of them one message, or 93 185, that was tried and waits for an hour;
 * and one campaign of which nothing was sent.  The same is done in both, and its work is counted: calls of LMDB, and branches taken in core
 * and store, since not every walk asks LMDB.  What LMDB itself does in a call, this does not see: tools/bench retries does.
 */

#include "store_campaign.h"
#include "work.h"


#define TEST_CAMPAIGNS  11
#define TEST_FEW        1                       /* messages of each that wait */
#define TEST_MANY       (91 * NGX_CAMPAIGN_CHUNK + TEST_FEW)    /* so that the places behind them lie alike in chunks and blocks */
#define TEST_FRESH      6200                    /* messages of each that were never claimed */
#define TEST_LOAD       8000                    /* claims of a turn, while the messages are tried: 8192 may be in flight */
#define TEST_TURNS      30
#define TEST_CLAIMS     200                     /* of such a turn */
#define TEST_HOUR       3600000000LL            /* us */


typedef enum {
    TEST_BESIDE = 0,                            /* fresh messages of a campaign of which nothing waits */
    TEST_SAME,                                  /* of one of those that wait */
    TEST_IDLE,                                  /* a turn that finds nothing to do */
    TEST_PEEK,
    TEST_LEASE,                                 /* a new dispatcher, and its first turn */
    TEST_DUE,                                   /* the hour is over: one repeat of each campaign, which has to be repeated again */
    TEST_LOST,                                  /* a new dispatcher, while a repeat of each was in flight */
    TEST_CANCEL,                                /* of a campaign, while they wait */
    TEST_PHASES,
    TEST_MORE = TEST_PHASES,                    /* ten repeats of each campaign, which are sent: where there are so many */
    TEST_ALL
} test_phase_e;

typedef struct {
    uint64_t  calls, steps;
} test_work_t;

typedef struct {
    uint32_t     each;                          /* messages of each campaign that wait */
    uint64_t     wrong;                         /* turns and looks that did not find or claim what they should */
    test_work_t  work[TEST_ALL];
} test_world_t;


static const char *const        test_names[TEST_PHASES] = {
    "turns of 200 fresh messages of another campaign", "turns of 200 fresh messages of the same campaign", "turns that have nothing to do",
    "looks", "a new dispatcher", "turns of eleven repeats", "a new dispatcher that finds eleven in flight", "a cancel"
};

static const char              *test_program;
static uint64_t                 test_calls;
static test_work_t              test_began;
static uint32_t                 test_account;
static ngx_campaign_campaign_t  test_waiting[TEST_CAMPAIGNS], test_fresh;
static ngx_campaign_outcome_t   test_outcomes[TEST_LOAD];       /* of what the last turn claimed */
static ngx_uint_t               test_noutcomes;


#define test_wrap(name, params, args)                                                                                                    \
    int __real_##name params;                                                                                                            \
    int __wrap_##name params;                                                                                                            \
                                                                                                                                         \
    int                                                                                                                                  \
    __wrap_##name params                                                                                                                 \
    {                                                                                                                                    \
        test_calls++;                                                                                                                    \
        return __real_##name args;                                                                                                       \
    }

test_wrap(mdb_get, (MDB_txn *txn, MDB_dbi dbi, MDB_val *key, MDB_val *value), (txn, dbi, key, value))
test_wrap(mdb_put, (MDB_txn *txn, MDB_dbi dbi, MDB_val *key, MDB_val *value, unsigned flags), (txn, dbi, key, value, flags))
test_wrap(mdb_del, (MDB_txn *txn, MDB_dbi dbi, MDB_val *key, MDB_val *value), (txn, dbi, key, value))
test_wrap(mdb_cursor_open, (MDB_txn *txn, MDB_dbi dbi, MDB_cursor **cursor), (txn, dbi, cursor))
test_wrap(mdb_cursor_get, (MDB_cursor *cursor, MDB_val *key, MDB_val *value, MDB_cursor_op op), (cursor, key, value, op))
test_wrap(mdb_cursor_put, (MDB_cursor *cursor, MDB_val *key, MDB_val *value, unsigned flags), (cursor, key, value, flags))
test_wrap(mdb_cursor_del, (MDB_cursor *cursor, unsigned flags), (cursor, flags))


static void
test_begin(void)
{
    test_began.calls = test_calls;
    test_began.steps = work_steps;
}


static void
test_end(test_world_t *w, test_phase_e phase)
{
    w->work[phase].calls += test_calls - test_began.calls;
    w->work[phase].steps += work_steps - test_began.steps;
}


/*
 * Records what the last turn claimed, and claims up to `want` of each of n campaigns, repeats before others.  What this turn claims was sent,
 * says the next, or (due not 0) has to wait: its due is later by its place in its block, so that who claims in the order of the dues meets
 * the first places of blocks first, and a contact is as quickly found in a long list as in a short one.  Messages claimed
 */

static ngx_uint_t
test_turn(ngx_campaign_campaign_t *c, ngx_uint_t n, uint32_t want, int64_t due)
{
    store_op_t              *so;
    ngx_uint_t               i, k;
    ngx_campaign_turn_t      turn;
    ngx_campaign_claim_t     claims[TEST_CAMPAIGNS];
    ngx_campaign_grant_t     grant;
    ngx_campaign_claimed_t  *m;
    ngx_campaign_outcome_t  *o;

    ngx_stub_now += 1000000;
    ngx_memzero(claims, sizeof(claims));

    for (i = 0; i < n; i++) {
        claims[i].campaign = c[i].rec.no;
        claims[i].want = want;
        claims[i].again = want;
    }

    make_grant(&turn, &grant, test_account, claims, n);
    grant.until = (ngx_stub_now + 1000000) * 1000;
    turn.ngrants = n ? 1 : 0;
    turn.outcomes = test_outcomes;
    turn.noutcomes = test_noutcomes;

    so = store_op();

    if (store_wait(so, ngx_campaign_store_turn(st, &so->op, &turn)) != NGX_CAMPAIGN_OK) {
        diag("the turn fails");
        exit(2);
    }

    test_noutcomes = 0;

    for (i = 0; i < n; i++) {
        for (k = 0; k < claims[i].n; k++) {
            m = &claims[i].messages[k];
            o = &test_outcomes[test_noutcomes++];

            *o = make_outcome(&c[i], m->seq, due ? NGX_CAMPAIGN_OUTCOME_AGAIN : NGX_CAMPAIGN_OUTCOME_SETTLED, NGX_CAMPAIGN_S_SENT);
            o->attempt = o->claim = m->attempt;
            o->due = due + m->seq % NGX_CAMPAIGN_BLOCK;
        }
    }

    store_free(so);

    return test_noutcomes;
}


/* the store, and w->each messages of each campaign tried in vain */

static void
test_make(test_world_t *w)
{
    char                    name[16];
    u_char                  audience[NGX_CAMPAIGN_ID_LEN];
    uint32_t                left;
    ngx_uint_t              i, n;
    ngx_campaign_account_t  a;

    make_store(test_program);

    ngx_memzero(&a, sizeof(ngx_campaign_account_t));
    a.rate = 1000000ULL * NGX_CAMPAIGN_RATE_UNIT;
    a.burst = 1000;

    if (make_put(NGX_CAMPAIGN_ACCOUNT, &a, 0, "waits", "", NULL) != NGX_CAMPAIGN_OK) {
        diag("no account");
        exit(2);
    }

    test_account = (uint32_t) a.rec.no;
    test_noutcomes = 0;

    make_sender(test_account, "Acme", NULL);
    make_audience(test_account, "all", audience);
    make_add(test_account, audience, MAKE_FIRST, w->each + TEST_FRESH);

    for (i = 0; i < TEST_CAMPAIGNS; i++) {
        (void) snprintf(name, sizeof(name), "waits %u", (unsigned) i);
        make_campaign(&test_waiting[i], test_account, name, audience);
        make_created(&test_waiting[i], 0, 0);
    }

    make_campaign(&test_fresh, test_account, "fresh", audience);
    make_created(&test_fresh, 0, 0);

    make_lease();
    (void) test_turn(NULL, 0, 0, 0);

    for (i = 0; i < TEST_CAMPAIGNS; i++) {
        for (left = w->each; left; left -= n) {
            n = test_turn(&test_waiting[i], 1, ngx_min(left, TEST_LOAD), MAKE_NOW + TEST_HOUR);

            if (n == 0) {
                diag("nothing is claimed");
                exit(2);
            }
        }
    }

    (void) test_turn(NULL, 0, 0, 0);
}


/* how many wait in all */

static uint64_t
test_again(void)
{
    uint64_t    n;
    ngx_uint_t  i;

    for (n = 0, i = 0; i < TEST_CAMPAIGNS; i++) {
        make_progress(&test_waiting[i]);
        n += test_waiting[i].progress.again;
    }

    return n;
}


/* turns of one kind, each of which should claim all that it wants */

static void
test_turns(test_world_t *w, test_phase_e phase, ngx_campaign_campaign_t *c, ngx_uint_t n, uint32_t want, int64_t due)
{
    ngx_uint_t  i;

    for (i = 0; i < TEST_TURNS; i++) {
        test_begin();

        if (test_turn(c, n, want, due) != n * want) {
            w->wrong++;
        }

        test_end(w, phase);
    }

    (void) test_turn(NULL, 0, 0, 0);
}


static void
test_look(test_world_t *w)
{
    store_op_t           *so;
    ngx_campaign_peek_t   peek;

    so = store_op();
    test_begin();

    if (store_wait(so, ngx_campaign_store_peek(st, &so->op, &peek)) != NGX_CAMPAIGN_OK || peek.changed) {
        w->wrong++;
    }

    test_end(w, TEST_PEEK);
    store_free(so);
}


static void
test_lease(test_world_t *w, test_phase_e phase)
{
    store_op_t           *so;
    ngx_uint_t            i, n;
    ngx_campaign_live_t  *live;
    ngx_campaign_turn_t   turn;

    so = store_op();
    ngx_memzero(&turn, sizeof(turn));

    test_begin();
    make_lease();
    turn.epoch = make_epoch;

    if (store_wait(so, ngx_campaign_store_turn(st, &so->op, &turn)) != NGX_CAMPAIGN_OK) {
        diag("the first turn fails");
        exit(2);
    }

    test_end(w, phase);

    live = turn.changes->elts;

    for (n = 0, i = 0; i < turn.changes->nelts; i++) {
        n += (live[i].again_at >= MAKE_NOW + TEST_HOUR);
    }

    is_uint(n, TEST_CAMPAIGNS, "a new dispatcher hears of each campaign when its first repeat is due");
    store_free(so);
}


static void
test_run(test_world_t *w)
{
    ngx_uint_t  i;

    test_make(w);

    is_uint(test_again(), (uint64_t) w->each * TEST_CAMPAIGNS, "%u messages wait", (unsigned) w->each * TEST_CAMPAIGNS);

    test_turns(w, TEST_BESIDE, &test_fresh, 1, TEST_CLAIMS, 0);
    test_turns(w, TEST_SAME, test_waiting, 1, TEST_CLAIMS, 0);
    test_turns(w, TEST_IDLE, NULL, 0, 0, 0);

    for (i = 0; i < TEST_TURNS; i++) {
        test_look(w);
    }

    test_lease(w, TEST_LEASE);

    ngx_stub_now = MAKE_NOW + 2 * TEST_HOUR;
    test_turns(w, TEST_DUE, test_waiting, TEST_CAMPAIGNS, 1, ngx_stub_now);

    is_uint(test_again(), (uint64_t) w->each * TEST_CAMPAIGNS, "as many wait as before");

    is_uint(test_turn(test_waiting, TEST_CAMPAIGNS, 1, 0), TEST_CAMPAIGNS, "one of each is in flight");
    test_noutcomes = 0;                         /* nobody ever hears of them */
    test_lease(w, TEST_LOST);
    is_uint(test_again(), (uint64_t) w->each * TEST_CAMPAIGNS, "those wait again, too");

    if (w->each >= 10 * TEST_TURNS) {
        test_turns(w, TEST_MORE, test_waiting, TEST_CAMPAIGNS, 10, 0);
        is_uint(test_again(), ((uint64_t) w->each - 10 * TEST_TURNS) * TEST_CAMPAIGNS, "those that are sent do not");
    }

    test_begin();

    if (make_status(test_waiting, NGX_CAMPAIGN_C_CANCELED, (ngx_uint_t) 1 << NGX_CAMPAIGN_C_IN_PROGRESS) != NGX_CAMPAIGN_OK) {
        w->wrong++;
    }

    test_end(w, TEST_CANCEL);

    is_uint(w->wrong, 0, "every turn and look had what it should");
    ok(make_look(NULL), "the store agrees with itself");
    make_end();
}


/* numbers in records are longer in the store of many: a few branches more */

static void
test_compare(const test_work_t *few, const test_work_t *many, const char *name, uint64_t times)
{
    ok(few->calls && few->steps, "%s: %" PRIu64 " calls of LMDB and %" PRIu64 " branches are counted", name, few->calls, few->steps);

    if (times == 1) {
        is_uint(many->calls, few->calls, "%s: no other calls where a million wait", name);

    } else {
        ok(many->calls <= few->calls * times, "%s: %" PRIu64 " calls where a million wait", name, many->calls);
    }

    ok(many->steps <= (few->steps + few->steps / 16) * times, "%s: %" PRIu64 " branches there", name, many->steps);
}


int
main(int argc, char **argv)
{
    ngx_uint_t           i;
    static test_world_t  few = { .each = TEST_FEW }, many = { .each = TEST_MANY };

    test_program = argv[0];

    test_run(&few);
    test_run(&many);

    for (i = 0; i < TEST_PHASES; i++) {
        test_compare(&few.work[i], &many.work[i], test_names[i], 1);
    }

    test_compare(&few.work[TEST_DUE], &many.work[TEST_MORE], "turns of ten times as many repeats", 10);

    return done_testing();
}
