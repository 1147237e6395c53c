
/*
 * Edge rules of claims, by the store's public header: limiters that go on from what really went, no burst after a crash, messages without
 * an answer that hold up no other.
 */

#include "store_campaign.h"


static void test_limit_raised(void);
static void test_limit_spent(void);
static void test_limit_shared(void);
static void test_limit_changed(void);
static void test_hung(void);
static void test_audience(void);

static void test_campaign(ngx_campaign_campaign_t *c, ngx_uint_t n);
static void test_account(uint64_t rate, uint32_t burst);
static void test_sent(ngx_campaign_campaign_t *c, ngx_campaign_outcome_t *o, uint32_t seq, ngx_uint_t n);
static ngx_uint_t test_allowed(ngx_campaign_campaign_t *c, ngx_uint_t want, ngx_campaign_limit_t *limit);


static uint32_t     mine;
static ngx_pool_t  *pool;


int
main(int argc, char **argv)
{
    make_store(argv[0]);

    pool = ngx_create_pool(NGX_DEFAULT_POOL_SIZE, &store_log);

    test_limit_raised();
    test_limit_spent();
    test_limit_shared();
    test_limit_changed();
    test_hung();
    test_audience();

    ngx_destroy_pool(pool);
    make_end();

    return done_testing();
}


static void
test_limit_raised(void)
{
    ngx_campaign_limit_t     limit;
    ngx_campaign_campaign_t  c;

    test_campaign(&c, 3000);

    is_uint(test_allowed(&c, 500, NULL), 500, "half of the burst");

    limit.account = mine;
    limit.tat = ngx_stub_now * 1000 + 999 * (NGX_CAMPAIGN_NS / 1000);

    is_uint(test_allowed(&c, 500, &limit), 1, "what went late is told: its limiter goes on from there, before the turn's own claims");

    limit.tat = 1;
    is_uint(test_allowed(&c, 500, &limit), 0, "it never goes back");

    limit.account = 77;
    limit.tat = ngx_stub_now * 1000;
    is_uint(test_allowed(&c, 0, &limit), 0, "an account that is gone has none");

    ngx_stub_now += 10 * 1000000;
    is_uint(test_allowed(&c, 2000, NULL), 1000, "later there is a burst again");
    ok(make_look(NULL), "the store is sound");
}


static void
test_limit_spent(void)
{
    ngx_campaign_campaign_t  c;

    test_campaign(&c, 3000);

    is_uint(test_allowed(&c, 10, NULL), 10, "ten are in flight");

    make_lease();
    (void) make_turn(NULL, 0, NULL, 0);

    is_uint(test_allowed(&c, 1000, NULL), 0, "after a crash nobody knows when they went: no burst");

    ngx_stub_now += 20000;
    is_uint(test_allowed(&c, 1000, NULL), 20, "but the rate");
    ok(make_look(NULL), "the store is sound");
}


static void
test_limit_shared(void)
{
    ngx_uint_t               i;
    store_op_t              *so;
    ngx_campaign_turn_t      turn;
    ngx_campaign_claim_t     claims[4];
    ngx_campaign_grant_t     grant;
    ngx_campaign_campaign_t  c[4];

    static const uint32_t  wants[] = { 100, 900, 2000, 900 };

    test_campaign(&c[0], 3000);
    make_campaign(&c[1], mine, "second", NULL);
    make_created(&c[1], MAKE_FIRST, 3000);
    make_campaign(&c[2], mine, "third", NULL);
    make_created(&c[2], MAKE_FIRST, 20);
    make_campaign(&c[3], mine, "fourth", NULL);
    make_created(&c[3], MAKE_FIRST, 3000);

    (void) make_turn(NULL, 0, NULL, 0);

    ngx_memzero(claims, sizeof(claims));

    for (i = 0; i < 4; i++) {
        claims[i].campaign = c[i].rec.no;
        claims[i].want = wants[i];
    }

    make_grant(&turn, &grant, mine, claims, 4);

    so = store_op();

    is_int(store_wait(so, ngx_campaign_store_turn(st, &so->op, &turn)), NGX_CAMPAIGN_OK, "campaigns of one account ask for more than it may");
    is_uint(grant.granted, 1000, "all that it may is claimed");
    is_uint(claims[0].n, 100, "one that asks for less than its share gets that");
    is_uint(claims[1].n, 300, "the others get the same, whoever comes first");
    is_uint(claims[2].n, 20, "if they have as much");
    is_uint(claims[3].n, 580, "and what one leaves, the next gets");
    ok(!claims[0].spent && !claims[1].spent && !claims[2].spent && !claims[3].spent, "the rate had something for each");
    store_free(so);

    so = store_op();

    is_int(store_wait(so, ngx_campaign_store_turn(st, &so->op, &turn)), NGX_CAMPAIGN_OK, "they ask again at once");
    is_uint(grant.granted, 0, "nothing is claimed");
    ok(claims[0].spent && claims[1].spent && claims[3].spent, "each is told that it is the rate");
    store_free(so);

    ok(make_look(NULL), "the store is sound");
}


static void
test_limit_changed(void)
{
    ngx_campaign_campaign_t  c;

    test_campaign(&c, 3000);

    is_uint(test_allowed(&c, 400, NULL), 400, "a part of the burst goes");

    test_account(10 * NGX_CAMPAIGN_RATE_UNIT, 500);
    is_uint(test_allowed(&c, 1000, NULL), 100, "the account is changed: what was sent counts of the new burst, too");

    test_account(2000 * NGX_CAMPAIGN_RATE_UNIT, 1);
    is_uint(test_allowed(&c, 1000, NULL), 0, "changed once more: what is spent stays spent");

    ngx_stub_now += 500;
    is_uint(test_allowed(&c, 1000, NULL), 1, "and the next goes a step of the new rate later");

    test_account(2 * NGX_CAMPAIGN_RATE_UNIT, 1);
    is_uint(test_allowed(&c, 1000, NULL), 0, "the new rate is slow");

    test_account(2 * NGX_CAMPAIGN_RATE_UNIT, 1);
    ngx_stub_now += 499999;
    is_uint(test_allowed(&c, 1000, NULL), 0, "an account that is put as it was");
    ngx_stub_now += 1;
    is_uint(test_allowed(&c, 1000, NULL), 1, "waits no longer for that");

    is_uint(test_allowed(&c, 1000, NULL), 0, "half a second to wait");
    test_account(1000 * NGX_CAMPAIGN_RATE_UNIT, 1);
    ngx_stub_now += 1000;
    is_uint(test_allowed(&c, 1000, NULL), 1, "is a millisecond of a fast rate");
    ok(make_look(NULL), "the store is sound");
}


/* places 3 and 5 000 of a campaign are in flight while all the others are sent */

static void
test_hung(void)
{
    uint32_t                 seq;
    ngx_uint_t               n, all, stalled;
    ngx_campaign_outcome_t  *o;
    ngx_campaign_campaign_t  c;

    test_campaign(&c, 30000);

    o = ngx_palloc(pool, 1000 * sizeof(ngx_campaign_outcome_t));
    seq = 0;
    stalled = 0;

    for (all = 0; all < 30000 && !stalled; all += n) {
        ngx_stub_now += 1000000;
        n = make_turn(&c, 1000, NULL, 0);
        stalled = (n == 0);

        test_sent(&c, o, seq, n);
        seq += n;
    }

    is_uint(all, 30000, "two messages without an answer hold up no other");
    ok(make_look(NULL), "the store is sound");

    make_progress(&c);
    is_uint(c.progress.enroute, 2, "they are in flight");
    is_uint(c.progress.sent, 29998, "the others are sent");

    make_lease();
    (void) make_turn(NULL, 0, NULL, 0);
    ngx_stub_now += 1000000;
    is_uint(make_turn(&c, 100, NULL, 0), 2, "after a crash both go again");

    o[0] = make_outcome(&c, 3, NGX_CAMPAIGN_OUTCOME_SETTLED, NGX_CAMPAIGN_S_SENT);
    o[1] = make_outcome(&c, 5000, NGX_CAMPAIGN_OUTCOME_SETTLED, NGX_CAMPAIGN_S_FAILED);
    o[0].attempt = o[0].claim = 2;
    o[1].attempt = o[1].claim = 2;
    (void) make_turn(NULL, 0, o, 2);

    make_progress(&c);
    is_uint(c.progress.sent, 29999, "and their answers count");
    is_uint(c.progress.failed, 1, "once each");
    is_uint(c.progress.redelivered, 2, "as redeliveries");
    is_uint(c.rec.status, NGX_CAMPAIGN_C_COMPLETED, "with the last of them the campaign ends");
    ok(make_look(NULL), "the store is sound");
}


/* campaigns of one audience, each at another place of it, claimed in one turn after the other: each message goes to its own contact */

static void
test_audience(void)
{
    u_char                   id[NGX_CAMPAIGN_ID_LEN];
    uint32_t                 next[4];
    ngx_uint_t               i, k, m, wrong, all;
    store_op_t              *so;
    ngx_campaign_turn_t      turn;
    ngx_campaign_claim_t     claims[4];
    ngx_campaign_grant_t     grant;
    ngx_campaign_import_t    import;
    ngx_campaign_campaign_t  c[4];

    static const uint32_t  wants[][4] = { { 1, 3, 200, 7 }, { 2, 2, 2, 2 }, { 60, 60, 0, 60 }, { 253, 1, 1, 255 }, { 5, 300, 5, 5 }, { 9, 9, 9, 9 } };

    test_campaign(&c[0], 1);
    make_audience(mine, "one", id);

    ngx_memzero(&import, sizeof(import));
    is_uint(make_import(mine, id, &import, 15550000000ULL, 1, 700), NGX_CAMPAIGN_OK, "an audience");

    for (i = 0; i < 4; i++) {
        make_campaign(&c[i], mine, (char[]) { 'c', (char) ('0' + i), '\0' }, id);
        make_created(&c[i], 0, 0);
        next[i] = 0;
    }

    (void) make_turn(NULL, 0, NULL, 0);

    for (k = 0, wrong = 0, all = 0; k < sizeof(wants) / sizeof(wants[0]); k++) {

        ngx_memzero(claims, sizeof(claims));

        for (i = 0; i < 4; i++) {
            claims[i].campaign = c[i].rec.no;
            claims[i].want = wants[k][i];
        }

        make_grant(&turn, &grant, mine, claims, 4);
        ngx_stub_now += 1000000;
        so = store_op();
        (void) store_wait(so, ngx_campaign_store_turn(st, &so->op, &turn));

        for (i = 0; i < 4; i++) {
            for (m = 0; m < claims[i].n; m++) {
                wrong += (claims[i].messages[m].seq != next[i] || claims[i].messages[m].contact.number != 15550000000ULL + next[i]);
                next[i]++;
                all++;
            }
        }

        store_free(so);
    }

    is_uint(all, 1260, "all that was asked for is claimed");
    is_uint(wrong, 0, "and goes to its own contact");
}


/* n messages from seq on are sent, but for the two that hang */

static void
test_sent(ngx_campaign_campaign_t *c, ngx_campaign_outcome_t *o, uint32_t seq, ngx_uint_t n)
{
    uint32_t    end;
    ngx_uint_t  i;

    end = seq + (uint32_t) n;

    for (i = 0; seq < end; seq++) {
        if (seq != 3 && seq != 5000) {
            o[i++] = make_outcome(c, seq, NGX_CAMPAIGN_OUTCOME_SETTLED, NGX_CAMPAIGN_S_SENT);
        }
    }

    (void) make_turn(NULL, 0, o, i);
}


/* one in progress, of an account of its own: 1000 messages a second, 1000 at once */

static void
test_campaign(ngx_campaign_campaign_t *c, ngx_uint_t n)
{
    char  name[16];

    static ngx_uint_t  made;

    (void) snprintf(name, sizeof(name), "account %lu", (unsigned long) made++);

    mine = make_account(name);
    make_sender(mine, "Acme", NULL);
    make_lease();
    make_started(c, mine, name, n);
}


static void
test_account(uint64_t rate, uint32_t burst)
{
    ngx_campaign_account_t  a;

    ngx_memzero(&a, sizeof(ngx_campaign_account_t));

    ngx_campaign_id_make(ngx_campaign_store_secret(st), NGX_CAMPAIGN_ACCOUNT, mine, 0, a.rec.id);
    a.rate = rate;
    a.burst = burst;

    is_uint(store_answer(ngx_campaign_store_account(st, store_begin(), &a)), NGX_CAMPAIGN_OK, "the account is changed");
}


/* claims that a turn makes, of those that are to be released at once */

static ngx_uint_t
test_allowed(ngx_campaign_campaign_t *c, ngx_uint_t want, ngx_campaign_limit_t *limit)
{
    ngx_campaign_turn_t   turn;
    ngx_campaign_claim_t  claim;
    ngx_campaign_grant_t  grant;

    ngx_memzero(&claim, sizeof(claim));
    claim.campaign = c->rec.no;
    claim.want = want;
    claim.again = want;

    make_grant(&turn, &grant, c->rec.account, &claim, 1);
    turn.limits = limit;
    turn.nlimits = limit ? 1 : 0;
    make_turned(&turn);

    return claim.n;
}
