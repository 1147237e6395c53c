
/*
 * Delivery receipts through the store: early, late, twice, against each other, in every order.  After each event the campaign's counters
 * are compared with the states of its messages.
 */

#include "store_campaign.h"


#define TEST_MESSAGES  3
#define TEST_EVENTS    6
#define TEST_LONG      200                      /* characters: two segments */


typedef enum {
    TEST_END = 0,                               /* an outcome: the delivery's answer */
    TEST_AGAIN,
    TEST_REFUSED,
    TEST_SENT,                                  /* receipts */
    TEST_DELIVERED,
    TEST_FAILED,
    TEST_EXPIRED,
    TEST_REJECTED,
    TEST_CLAIM,
    TEST_CRASH,                                 /* of the dispatcher: another one takes over, unrecorded messages go again */
    TEST_CANCEL,
    TEST_PAUSE,
    TEST_DELETE
} test_event_e;

typedef struct {
    ngx_campaign_campaign_t   c;
    uint32_t                  counted[NGX_CAMPAIGN_M_MAX];
    uint32_t                  reasons[NGX_CAMPAIGN_R_MAX];
    ngx_campaign_run_t        run;
} test_count_t;


static void test_words(void);
static void test_moves(void);
static void test_early(void);
static void test_late(void);
static void test_unknown(void);
static void test_theirs(void);
static void test_not_sent(void);
static void test_expired(void);
static void test_many(void);
static void test_forged(void);
static void test_suspect(void);
static void test_orders(const char *name, const test_event_e *events);

static ngx_uint_t test_order(const char *name, const test_event_e *events, const ngx_uint_t *order);
static ngx_uint_t test_event(test_count_t *k, test_event_e event, ngx_uint_t *deleted, ngx_uint_t *over);
static void test_create(ngx_campaign_campaign_t *c, ngx_uint_t n, ngx_uint_t claims);
static ngx_campaign_rc_e test_receipt(ngx_campaign_campaign_t *c, uint32_t seq, ngx_campaign_receipt_e receipt);
static ngx_campaign_rc_e test_receipt_id(u_char *id, const char *theirs, const char *channel, ngx_campaign_receipt_e receipt);
static void test_outcome(ngx_campaign_campaign_t *c, uint32_t seq, ngx_uint_t kind, ngx_uint_t state);
static ngx_campaign_rc_e test_count_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args);
static ngx_uint_t test_count(test_count_t *k);
static ngx_uint_t test_is(test_count_t *k, uint32_t seq, ngx_uint_t status, ngx_uint_t reason, ngx_uint_t attempts);


static uint32_t     mine;
static ngx_pool_t  *pool;
static char         text[TEST_LONG + 1];


int
main(int argc, char **argv)
{
    static const test_event_e  one[TEST_EVENTS] = { TEST_END, TEST_SENT, TEST_FAILED, TEST_DELIVERED, TEST_DELIVERED, TEST_DELETE };
    static const test_event_e  two[TEST_EVENTS] = { TEST_AGAIN, TEST_CLAIM, TEST_EXPIRED, TEST_REJECTED, TEST_DELIVERED, TEST_CRASH };
    static const test_event_e  three[TEST_EVENTS] = { TEST_REFUSED, TEST_CANCEL, TEST_SENT, TEST_CRASH, TEST_FAILED, TEST_DELIVERED };
    static const test_event_e  four[TEST_EVENTS] = { TEST_AGAIN, TEST_CANCEL, TEST_CLAIM, TEST_DELETE, TEST_FAILED, TEST_DELIVERED };
    static const test_event_e  five[TEST_EVENTS] = { TEST_END, TEST_PAUSE, TEST_CRASH, TEST_CLAIM, TEST_SENT, TEST_DELIVERED };

    make_store(argv[0]);
    (void) mdb_env_set_flags(st->env, MDB_NOSYNC, 1);   /* some 50 000 commits, and nothing here is about power cuts */
    (void) tap_seed();

    pool = ngx_create_pool(NGX_DEFAULT_POOL_SIZE, &store_log);
    (void) memset(text, 'x', TEST_LONG);

    mine = make_account("mine");
    make_sender(mine, "Acme", NULL);
    make_lease();

    test_words();
    test_moves();
    test_early();
    test_late();
    test_unknown();
    test_theirs();
    test_not_sent();
    test_expired();
    test_many();
    test_forged();
    test_suspect();

    test_orders("accepted, receipts, deletion", one);
    test_orders("to be repeated, receipts, a crash", two);
    test_orders("refused, canceled, a crash, receipts", three);
    test_orders("to be repeated, canceled, deletion, receipts", four);
    test_orders("accepted, paused, a crash, receipts", five);

    ngx_destroy_pool(pool);
    make_end();

    return done_testing();
}


static void
test_words(void)
{
    ngx_str_t    word;
    ngx_uint_t   i, wrong;

    static const struct {
        const char              *word;
        ngx_campaign_receipt_e   receipt;
    } words[] = {
        { "DELIVERED", NGX_CAMPAIGN_RECEIPT_DELIVERED }, { "delivered", NGX_CAMPAIGN_RECEIPT_DELIVERED },
        { "DELIVRD", NGX_CAMPAIGN_RECEIPT_DELIVERED }, { "FAILED", NGX_CAMPAIGN_RECEIPT_FAILED },
        { "Undeliverable", NGX_CAMPAIGN_RECEIPT_FAILED }, { "undelivered", NGX_CAMPAIGN_RECEIPT_FAILED },
        { "EXPIRED", NGX_CAMPAIGN_RECEIPT_EXPIRED }, { "REJECTED", NGX_CAMPAIGN_RECEIPT_REJECTED },
        { "REJECTD", NGX_CAMPAIGN_RECEIPT_REJECTED }, { "ENROUTE", NGX_CAMPAIGN_RECEIPT_SENT }, { "sent", NGX_CAMPAIGN_RECEIPT_SENT },
        { "", NGX_CAMPAIGN_RECEIPT_NONE }, { "deliver", NGX_CAMPAIGN_RECEIPT_NONE }, { "1", NGX_CAMPAIGN_RECEIPT_NONE }
    };

    for (wrong = 0, i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        word = make_str(words[i].word);
        wrong += ngx_campaign_receipt_word(&word) != words[i].receipt;
    }

    is_uint(wrong, 0, "words of receipts, in any case");
}


static void
test_moves(void)
{
    ngx_uint_t  r, s, wrong;

    wrong = 0;

    for (r = NGX_CAMPAIGN_RECEIPT_SENT; r < NGX_CAMPAIGN_RECEIPT_MAX; r++) {
        wrong += !ngx_campaign_receipt_moves(r, NGX_CAMPAIGN_S_PENDING) || !ngx_campaign_receipt_moves(r, NGX_CAMPAIGN_S_RETRY);
        wrong += ngx_campaign_receipt_moves(r, ngx_campaign_receipt_state(r));
        wrong += ngx_campaign_receipt_moves(r, NGX_CAMPAIGN_S_DELIVERED);
        wrong += ngx_campaign_receipt_moves(r, NGX_CAMPAIGN_S_FAILED) != (r == NGX_CAMPAIGN_RECEIPT_DELIVERED);
        wrong += ngx_campaign_receipt_moves(r, NGX_CAMPAIGN_S_CANCELED) != (r == NGX_CAMPAIGN_RECEIPT_DELIVERED);
        wrong += ngx_campaign_receipt_moves(r, NGX_CAMPAIGN_S_SENT) != (r != NGX_CAMPAIGN_RECEIPT_SENT);

        for (s = 0; s < NGX_CAMPAIGN_S_MAX; s++) {
            wrong += ngx_campaign_receipt_moves(r, s) && ngx_campaign_receipt_state(r) == s;
        }
    }

    is_uint(wrong, 0, "delivered beats failed, failed beats sent, nothing moves to itself");
}


static void
test_early(void)
{
    test_count_t  k;

    test_create(&k.c, TEST_MESSAGES, TEST_MESSAGES);

    is_uint(test_receipt(&k.c, 0, NGX_CAMPAIGN_RECEIPT_DELIVERED), NGX_CAMPAIGN_OK, "a receipt before the delivery's answer is taken");
    ok(test_is(&k, 0, NGX_CAMPAIGN_M_DELIVERED, 0, 1), "the message is delivered");
    ok(test_count(&k), "counters equal states");
    is_uint(k.run.progress.enroute, 2, "and it is not in flight any more");
    ok(k.run.progress.segments == 2 && k.run.progress.accepted == 2, "its segments are counted");

    test_outcome(&k.c, 0, NGX_CAMPAIGN_OUTCOME_SETTLED, NGX_CAMPAIGN_S_SENT);
    ok(test_is(&k, 0, NGX_CAMPAIGN_M_DELIVERED, 0, 1), "the answer that comes then changes nothing");
    ok(test_count(&k) && k.run.progress.segments == 2 && k.run.progress.accepted == 2, "and counts nothing twice");

    (void) test_receipt(&k.c, 1, NGX_CAMPAIGN_RECEIPT_EXPIRED);
    test_outcome(&k.c, 1, NGX_CAMPAIGN_OUTCOME_AGAIN, 0);
    ok(test_is(&k, 1, NGX_CAMPAIGN_M_FAILED, NGX_CAMPAIGN_R_RECEIPT_EXPIRED, 1), "one whose receipt says expired is not repeated");

    (void) test_receipt(&k.c, 2, NGX_CAMPAIGN_RECEIPT_SENT);
    ok(test_is(&k, 2, NGX_CAMPAIGN_M_SENT, 0, 1), "one that the gateway has is sent");
    ok(test_count(&k) && k.c.rec.status == NGX_CAMPAIGN_C_COMPLETED, "and the campaign is over with its last message");

    is_uint(make_delete(NGX_CAMPAIGN_CAMPAIGN, mine, k.c.rec.id), NGX_CAMPAIGN_OK, "so that it can be deleted");
    test_outcome(&k.c, 2, NGX_CAMPAIGN_OUTCOME_SETTLED, NGX_CAMPAIGN_S_SENT);
    ok(make_look(NULL), "and an answer that comes after that finds nothing");

    test_create(&k.c, TEST_MESSAGES, TEST_MESSAGES);
    (void) test_receipt(&k.c, 1, NGX_CAMPAIGN_RECEIPT_DELIVERED);
    make_lease();
    (void) make_turn(NULL, 0, NULL, 0);
    is_uint(make_turn(&k.c, 10, NULL, 0), TEST_MESSAGES - 1, "after a crash a message with a receipt is not sent again");
    ok(test_count(&k), "counters equal states");
}


static void
test_late(void)
{
    test_count_t  k;

    test_create(&k.c, TEST_MESSAGES, TEST_MESSAGES);
    test_outcome(&k.c, 0, NGX_CAMPAIGN_OUTCOME_SETTLED, NGX_CAMPAIGN_S_SENT);
    test_outcome(&k.c, 1, NGX_CAMPAIGN_OUTCOME_SETTLED, NGX_CAMPAIGN_S_FAILED);
    test_outcome(&k.c, 2, NGX_CAMPAIGN_OUTCOME_SETTLED, NGX_CAMPAIGN_S_SENT);

    (void) test_receipt(&k.c, 0, NGX_CAMPAIGN_RECEIPT_REJECTED);
    ok(test_is(&k, 0, NGX_CAMPAIGN_M_FAILED, NGX_CAMPAIGN_R_RECEIPT_REJECTED, 1), "sent, then rejected: failed, and why");
    ok(test_count(&k), "counters equal states");
    is_uint(k.run.progress.accepted, 4, "the gateway accepted it all the same");

    (void) test_receipt(&k.c, 0, NGX_CAMPAIGN_RECEIPT_FAILED);
    ok(test_is(&k, 0, NGX_CAMPAIGN_M_FAILED, NGX_CAMPAIGN_R_RECEIPT_REJECTED, 1), "the first reason stays");
    (void) test_receipt(&k.c, 0, NGX_CAMPAIGN_RECEIPT_SENT);
    ok(test_is(&k, 0, NGX_CAMPAIGN_M_FAILED, NGX_CAMPAIGN_R_RECEIPT_REJECTED, 1), "a late \"sent\" changes nothing");
    (void) test_receipt(&k.c, 0, NGX_CAMPAIGN_RECEIPT_DELIVERED);
    ok(test_is(&k, 0, NGX_CAMPAIGN_M_DELIVERED, 0, 1), "delivered after all");
    ok(test_count(&k) && k.run.progress.accepted == 4 && k.run.progress.segments == 6, "counters equal states, segments stay");

    (void) test_receipt(&k.c, 1, NGX_CAMPAIGN_RECEIPT_DELIVERED);
    ok(test_is(&k, 1, NGX_CAMPAIGN_M_DELIVERED, 0, 1), "refused by the gateway, and delivered all the same");
    ok(test_count(&k) && k.run.progress.accepted == 6 && k.run.progress.segments == 6, "so it was accepted");
    is_uint(k.c.rec.status, NGX_CAMPAIGN_C_COMPLETED, "the campaign's status stays");
}


static void
test_unknown(void)
{
    u_char        id[NGX_CAMPAIGN_ID_LEN];
    test_count_t  k;

    test_create(&k.c, TEST_MESSAGES, 1);

    is_uint(test_receipt(&k.c, 1, NGX_CAMPAIGN_RECEIPT_DELIVERED), NGX_CAMPAIGN_NOT_FOUND, "one that was not claimed yet is not found");
    is_uint(test_receipt(&k.c, TEST_MESSAGES, NGX_CAMPAIGN_RECEIPT_DELIVERED), NGX_CAMPAIGN_NOT_FOUND, "nor one behind the last");
    ok(test_is(&k, 1, NGX_CAMPAIGN_M_SCHEDULED, 0, 0), "and nothing changes");

    ngx_campaign_id_make(ngx_campaign_store_secret(st), NGX_CAMPAIGN_CAMPAIGN, k.c.rec.no, 0, id);
    is_uint(test_receipt_id(id, NULL, "SMS", NGX_CAMPAIGN_RECEIPT_DELIVERED), NGX_CAMPAIGN_NOT_FOUND, "nor by a campaign's id");
    ngx_campaign_id_make(ngx_campaign_store_secret(st), NGX_CAMPAIGN_MESSAGE, k.c.rec.no + 1000, 0, id);
    is_uint(test_receipt_id(id, NULL, "SMS", NGX_CAMPAIGN_RECEIPT_DELIVERED), NGX_CAMPAIGN_NOT_FOUND, "nor one of no campaign");
    ngx_campaign_id_make(ngx_campaign_store_secret(st), NGX_CAMPAIGN_MESSAGE, k.c.rec.no, 0, id);
    is_uint(test_receipt_id(id, NULL, "VIBER", NGX_CAMPAIGN_RECEIPT_DELIVERED), NGX_CAMPAIGN_NOT_FOUND, "nor one of another channel");
    is_uint(test_receipt_id(id, NULL, "SMS", NGX_CAMPAIGN_RECEIPT_DELIVERED), NGX_CAMPAIGN_OK, "but on its own it is");

    (void) make_status(&k.c, NGX_CAMPAIGN_C_CANCELED, 0x0e);
    (void) make_delete(NGX_CAMPAIGN_CAMPAIGN, mine, k.c.rec.id);
    is_uint(test_receipt_id(id, NULL, "SMS", NGX_CAMPAIGN_RECEIPT_DELIVERED), NGX_CAMPAIGN_NOT_FOUND, "and gone with its campaign");
}


static void
test_theirs(void)
{
    u_char                   id[NGX_CAMPAIGN_ID_LEN];
    test_count_t             k;
    ngx_campaign_outcome_t   o;

    test_create(&k.c, TEST_MESSAGES, TEST_MESSAGES);

    o = make_outcome(&k.c, 1, NGX_CAMPAIGN_OUTCOME_SETTLED, NGX_CAMPAIGN_S_SENT);
    o.segments = 2;
    o.named = 1;
    o.id_len = 2;
    ngx_memcpy(o.id, "gw", 2);

    is_uint(test_receipt_id(NULL, "gw", "SMS", NGX_CAMPAIGN_RECEIPT_DELIVERED), NGX_CAMPAIGN_NOT_FOUND, "an id that was not given yet");
    (void) make_turn(NULL, 0, &o, 1);
    is_uint(test_receipt_id(NULL, "gw", "VIBER", NGX_CAMPAIGN_RECEIPT_DELIVERED), NGX_CAMPAIGN_NOT_FOUND, "is found on its channel only");
    is_uint(test_receipt_id(NULL, "gw", "SMS", NGX_CAMPAIGN_RECEIPT_DELIVERED), NGX_CAMPAIGN_OK, "by what the gateway calls it");
    ok(test_is(&k, 1, NGX_CAMPAIGN_M_DELIVERED, 0, 1), "the message is delivered");
    ok(test_count(&k), "counters equal states");

    ngx_campaign_id_make(ngx_campaign_store_secret(st), NGX_CAMPAIGN_MESSAGE, k.c.rec.no, 0, id);
    is_uint(test_receipt_id(id, "gw", "SMS", NGX_CAMPAIGN_RECEIPT_FAILED), NGX_CAMPAIGN_OK, "by both");
    ok(test_is(&k, 0, NGX_CAMPAIGN_M_FAILED, NGX_CAMPAIGN_R_RECEIPT_FAILED, 1), "ours counts");

    o.seq = 0;
    ngx_memcpy(o.id, "wg", 2);
    (void) make_turn(NULL, 0, &o, 1);
    is_uint(test_receipt_id(NULL, "wg", "SMS", NGX_CAMPAIGN_RECEIPT_DELIVERED), NGX_CAMPAIGN_OK,
            "an answer after an early receipt still brings the gateway's id");
    ok(test_is(&k, 0, NGX_CAMPAIGN_M_DELIVERED, 0, 1), "which leads to it");
}


static void
test_not_sent(void)
{
    test_count_t  k;

    test_create(&k.c, TEST_MESSAGES, TEST_MESSAGES);

    test_outcome(&k.c, 0, NGX_CAMPAIGN_OUTCOME_BACK, 0);
    is_uint(test_receipt(&k.c, 0, NGX_CAMPAIGN_RECEIPT_DELIVERED), NGX_CAMPAIGN_NOT_FOUND, "one that was given back untried is not found");

    test_outcome(&k.c, 1, NGX_CAMPAIGN_OUTCOME_AGAIN, 0);
    is_uint(test_receipt(&k.c, 1, NGX_CAMPAIGN_RECEIPT_SENT), NGX_CAMPAIGN_OK, "one that waits for a repeat, and that the gateway has after all");
    ok(test_is(&k, 1, NGX_CAMPAIGN_M_SENT, 0, 1), "is sent");
    ngx_stub_now += 10000000;
    is_uint(make_turn(&k.c, 10, NULL, 0), 1, "and not repeated");
    ok(test_count(&k), "counters equal states");
    test_outcome(&k.c, 0, NGX_CAMPAIGN_OUTCOME_AGAIN, 0);

    (void) make_status(&k.c, NGX_CAMPAIGN_C_CANCELED, 0x0e);
    ok(test_is(&k, 0, NGX_CAMPAIGN_M_CANCELED, NGX_CAMPAIGN_R_CANCELED, 1), "one that waited is canceled with its campaign");
    (void) test_receipt(&k.c, 0, NGX_CAMPAIGN_RECEIPT_FAILED);
    ok(test_is(&k, 0, NGX_CAMPAIGN_M_CANCELED, NGX_CAMPAIGN_R_CANCELED, 1), "that it failed does not matter");
    (void) test_receipt(&k.c, 0, NGX_CAMPAIGN_RECEIPT_DELIVERED);
    ok(test_is(&k, 0, NGX_CAMPAIGN_M_DELIVERED, 0, 1), "that it was delivered does");
    ok(test_count(&k), "counters equal states");

    test_outcome(&k.c, 2, NGX_CAMPAIGN_OUTCOME_AGAIN, 0);
    ok(test_is(&k, 2, NGX_CAMPAIGN_M_CANCELED, NGX_CAMPAIGN_R_CANCELED, 1), "one in flight is canceled by its answer");
    (void) test_receipt(&k.c, 2, NGX_CAMPAIGN_RECEIPT_DELIVERED);
    ok(test_is(&k, 2, NGX_CAMPAIGN_M_DELIVERED, 0, 1) && test_count(&k), "and was delivered all the same");
}


/* of a campaign whose validity is over: two wait for a repeat, two were never sent */

static void
test_expired(void)
{
    test_count_t          k;
    ngx_campaign_turn_t   turn;
    ngx_campaign_claim_t  claim;
    ngx_campaign_grant_t  grant;

    make_campaign(&k.c, mine, "", NULL);
    k.c.text = make_str(text);
    k.c.validity = 5;
    make_created(&k.c, MAKE_FIRST, 4);

    (void) make_turn(NULL, 0, NULL, 0);
    is_uint(make_turn(&k.c, 2, NULL, 0), 2, "two are claimed");
    test_outcome(&k.c, 0, NGX_CAMPAIGN_OUTCOME_AGAIN, 0);
    test_outcome(&k.c, 1, NGX_CAMPAIGN_OUTCOME_AGAIN, 0);
    ngx_stub_now += 10000000;

    ngx_memzero(&claim, sizeof(claim));
    make_grant(&turn, &grant, mine, &claim, 1);
    claim.campaign = k.c.rec.no;
    claim.want = 2;                                     /* of which no repeats */
    make_turned(&turn);

    ok(claim.n == 0 && claim.expired == 2 && claim.left == 0 && claim.again_at, "fresh ones expire, the repeats stay");
    (void) test_receipt(&k.c, 0, NGX_CAMPAIGN_RECEIPT_FAILED);
    ok(test_is(&k, 0, NGX_CAMPAIGN_M_FAILED, NGX_CAMPAIGN_R_RECEIPT_FAILED, 1), "a repeat that no claim passed is failed by its receipt");

    is_uint(make_turn(&k.c, 10, NULL, 0), 0, "none is claimed");
    ok(test_is(&k, 1, NGX_CAMPAIGN_M_FAILED, NGX_CAMPAIGN_R_EXPIRED, 1), "the other has expired");
    (void) test_receipt(&k.c, 1, NGX_CAMPAIGN_RECEIPT_FAILED);
    (void) test_receipt(&k.c, 1, NGX_CAMPAIGN_RECEIPT_SENT);
    ok(test_is(&k, 1, NGX_CAMPAIGN_M_FAILED, NGX_CAMPAIGN_R_EXPIRED, 1), "the first reason stays");
    ok(test_count(&k) && k.run.progress.segments == 2 && k.run.progress.accepted == 2, "and nothing is counted");

    (void) test_receipt(&k.c, 1, NGX_CAMPAIGN_RECEIPT_DELIVERED);
    ok(test_is(&k, 1, NGX_CAMPAIGN_M_DELIVERED, 0, 1), "delivered after all");
    ok(test_count(&k) && k.run.progress.segments == 4 && k.run.progress.accepted == 4, "which counts, once");
    is_uint(test_receipt(&k.c, 2, NGX_CAMPAIGN_RECEIPT_DELIVERED), NGX_CAMPAIGN_NOT_FOUND, "one that expired unsent is not found");
}


static void
test_many(void)
{
    ngx_uint_t                i, wrong;
    store_op_t               *so;
    test_count_t              k;
    ngx_str_t                 channel;
    ngx_campaign_receipt_t    r[100];
    ngx_campaign_receipts_t   rs;

    test_create(&k.c, 200, 90);
    ngx_memzero(r, sizeof(r));

    for (i = 0; i < 100; i++) {
        r[i].ours = 1;
        r[i].receipt = (i % 3) ? NGX_CAMPAIGN_RECEIPT_DELIVERED : NGX_CAMPAIGN_RECEIPT_FAILED;
        ngx_campaign_id_make(ngx_campaign_store_secret(st), NGX_CAMPAIGN_MESSAGE, k.c.rec.no, i, r[i].id);
    }

    channel = make_str("SMS");
    rs.channels = &channel;
    rs.nchannels = 1;
    rs.receipts = r;
    rs.nreceipts = 100;

    so = store_op();
    is_uint(store_wait(so, ngx_campaign_store_receipts(st, &so->op, &rs)), NGX_CAMPAIGN_OK, "a hundred receipts in one operation");

    for (wrong = 0, i = 0; i < 100; i++) {
        wrong += r[i].rc != (i < 90 ? NGX_CAMPAIGN_OK : NGX_CAMPAIGN_NOT_FOUND);
    }

    is_uint(wrong, 0, "each has its answer");
    ok(test_count(&k), "counters equal states");
    is_uint(k.run.progress.delivered, 60, "those delivered");
    is_uint(k.run.progress.failed, 30, "those failed");

    rs.nreceipts = NGX_CAMPAIGN_RECEIPTS_MAX + 1;
    store_log.log_level = NGX_LOG_EMERG;
    is_uint(store_wait(so, ngx_campaign_store_receipts(st, &so->op, &rs)), NGX_CAMPAIGN_FAILURE, "too many are refused");
    store_log.log_level = NGX_LOG_ERR;
    store_free(so);
}


/* random ids, and ids of which one bit is another one */

static void
test_forged(void)
{
    u_char         id[NGX_CAMPAIGN_ID_LEN];
    uint32_t       seq;
    uint64_t       no, r;
    ngx_uint_t     i, n, hits;
    test_count_t   k;

    test_create(&k.c, TEST_MESSAGES, TEST_MESSAGES);

    for (hits = 0, n = 0; n < 1000000; n++) {
        for (i = 0; i < NGX_CAMPAIGN_ID_LEN; i += 8) {
            r = tap_random();
            ngx_memcpy(&id[i], &r, 8);
        }

        id[6] = (id[6] & 0x0f) | 0x80;
        id[8] = (id[8] & 0x3f) | 0x80;

        hits += ngx_campaign_id_open(ngx_campaign_store_secret(st), NGX_CAMPAIGN_MESSAGE, id, &no, &seq) == NGX_OK;
    }

    is_uint(hits, 0, "a million random ids name no message");

    for (hits = 0, n = 0; n < 128; n++) {
        ngx_campaign_id_make(ngx_campaign_store_secret(st), NGX_CAMPAIGN_MESSAGE, k.c.rec.no, 0, id);
        id[n / 8] ^= (u_char) (1 << n % 8);
        hits += test_receipt_id(id, NULL, "SMS", NGX_CAMPAIGN_RECEIPT_FAILED) != NGX_CAMPAIGN_NOT_FOUND;
    }

    is_uint(hits, 0, "nor does an id of which a bit was changed");
}


/* a message that is to go alone, and then a receipt says that it was delivered */

static void
test_suspect(void)
{
    test_count_t  k;

    test_create(&k.c, TEST_MESSAGES, 1);
    make_suspect(&k.c);

    is_uint(test_receipt(&k.c, 0, NGX_CAMPAIGN_RECEIPT_DELIVERED), NGX_CAMPAIGN_OK, "a receipt settles it");
    is_uint(make_claim(&k.c, 0, 0), 1, "nobody waits for it any more");
    ok(test_count(&k), "counters equal states");
}


/* every order of the events, each on a message in flight */

static void
test_orders(const char *name, const test_event_e *events)
{
    ngx_uint_t  i, k, n, bad, t, order[TEST_EVENTS], c[TEST_EVENTS];

    for (i = 0; i < TEST_EVENTS; i++) {
        order[i] = i;
        c[i] = 0;
    }

    n = 1;
    bad = test_order(name, events, order);

    for (i = 0; i < TEST_EVENTS; /* void */ ) {         /* Heap's algorithm */

        if (c[i] == i) {
            c[i++] = 0;
            continue;
        }

        k = (i % 2) ? c[i] : 0;
        t = order[k];
        order[k] = order[i];
        order[i] = t;

        n++;
        bad += test_order(name, events, order);

        c[i]++;
        i = 0;
    }

    is_uint(n, 720, "%s: all orders", name);
    is_uint(bad, 0, "each ends delivered, with exact counters after each event");
}


static ngx_uint_t
test_order(const char *name, const test_event_e *events, const ngx_uint_t *order)
{
    ngx_uint_t     i, bad, deleted, over;
    test_count_t   k;

    bad = 0;
    deleted = 0;
    over = 0;

    test_create(&k.c, 1, 1);

    for (i = 0; i < TEST_EVENTS; i++) {
        bad += !test_event(&k, events[order[i]], &deleted, &over);
    }

    if (!deleted) {
        bad += !test_count(&k) || k.run.progress.delivered != 1 || k.run.progress.segments != 2 || k.run.progress.accepted != 2
               || k.run.progress.uncertain != 0;

        ngx_stub_now += 10000000;
        bad += make_turn(&k.c, 10, NULL, 0) != 0;

        if (make_status(&k.c, NGX_CAMPAIGN_C_CANCELED, 0x0e) != NGX_CAMPAIGN_OK && k.c.rec.status < NGX_CAMPAIGN_C_COMPLETED) {
            bad++;
        }

        bad += make_delete(NGX_CAMPAIGN_CAMPAIGN, mine, k.c.rec.id) != NGX_CAMPAIGN_OK;
    }

    bad += !make_look(NULL);

    if (bad) {
        diag("%s: order %d%d%d%d%d%d", name, (int) order[0], (int) order[1], (int) order[2], (int) order[3], (int) order[4], (int) order[5]);
    }

    return bad ? 1 : 0;
}


static ngx_uint_t
test_event(test_count_t *k, test_event_e event, ngx_uint_t *deleted, ngx_uint_t *over)
{
    ngx_uint_t         n;
    ngx_campaign_rc_e  rc;

    static const ngx_campaign_receipt_e  receipts[] = {
        [TEST_SENT]      = NGX_CAMPAIGN_RECEIPT_SENT,
        [TEST_DELIVERED] = NGX_CAMPAIGN_RECEIPT_DELIVERED,
        [TEST_FAILED]    = NGX_CAMPAIGN_RECEIPT_FAILED,
        [TEST_EXPIRED]   = NGX_CAMPAIGN_RECEIPT_EXPIRED,
        [TEST_REJECTED]  = NGX_CAMPAIGN_RECEIPT_REJECTED
    };

    switch (event) {

    case TEST_END:
        test_outcome(&k->c, 0, NGX_CAMPAIGN_OUTCOME_SETTLED, NGX_CAMPAIGN_S_SENT);
        break;

    case TEST_AGAIN:
        test_outcome(&k->c, 0, NGX_CAMPAIGN_OUTCOME_AGAIN, 0);
        break;

    case TEST_REFUSED:
        test_outcome(&k->c, 0, NGX_CAMPAIGN_OUTCOME_SETTLED, NGX_CAMPAIGN_S_FAILED);
        break;

    case TEST_CLAIM:
        ngx_stub_now += 10000000;
        n = make_turn(&k->c, 10, NULL, 0);

        if (n && *over) {
            diag("claimed after it was delivered");
            return 0;
        }

        break;

    case TEST_CRASH:
        make_lease();
        (void) make_turn(NULL, 0, NULL, 0);
        break;

    case TEST_CANCEL:
        (void) make_status(&k->c, NGX_CAMPAIGN_C_CANCELED, 0x0e);
        break;

    case TEST_PAUSE:
        (void) make_status(&k->c, NGX_CAMPAIGN_C_PAUSED, 0x0e);
        (void) make_status(&k->c, NGX_CAMPAIGN_C_IN_PROGRESS, 0x0e);
        break;

    case TEST_DELETE:
        rc = make_delete(NGX_CAMPAIGN_CAMPAIGN, mine, k->c.rec.id);
        *deleted = (rc == NGX_CAMPAIGN_OK);
        break;

    default:
        rc = test_receipt(&k->c, 0, receipts[event]);
        *over |= (event == TEST_DELIVERED);

        if (rc != (*deleted ? NGX_CAMPAIGN_NOT_FOUND : NGX_CAMPAIGN_OK)) {
            diag("receipt: %d", rc);
            return 0;
        }
    }

    return *deleted || test_count(k);
}


static void
test_create(ngx_campaign_campaign_t *c, ngx_uint_t n, ngx_uint_t claims)
{
    make_campaign(c, mine, "", NULL);
    c->text = make_str(text);
    make_created(c, MAKE_FIRST, n);

    ngx_stub_now += 1000000;
    (void) make_turn(NULL, 0, NULL, 0);

    if (make_turn(c, claims, NULL, 0) != claims) {
        diag("no claims");
        exit(2);
    }
}


static ngx_campaign_rc_e
test_receipt(ngx_campaign_campaign_t *c, uint32_t seq, ngx_campaign_receipt_e receipt)
{
    u_char  id[NGX_CAMPAIGN_ID_LEN];

    ngx_campaign_id_make(ngx_campaign_store_secret(st), NGX_CAMPAIGN_MESSAGE, c->rec.no, seq, id);

    return test_receipt_id(id, NULL, "SMS", receipt);
}


static ngx_campaign_rc_e
test_receipt_id(u_char *id, const char *theirs, const char *channel, ngx_campaign_receipt_e receipt)
{
    ngx_str_t                name;
    ngx_campaign_rc_e        rc;
    ngx_campaign_receipt_t   r;
    ngx_campaign_receipts_t  rs;

    ngx_memzero(&r, sizeof(r));
    r.receipt = receipt;

    if (id) {
        r.ours = 1;
        ngx_memcpy(r.id, id, NGX_CAMPAIGN_ID_LEN);
    }

    if (theirs) {
        r.theirs = make_str(theirs);
    }

    name = make_str(channel);
    rs.channels = &name;
    rs.nchannels = 1;
    rs.receipts = &r;
    rs.nreceipts = 1;

    rc = store_answer(ngx_campaign_store_receipts(st, store_begin(), &rs));

    return rc == NGX_CAMPAIGN_OK ? r.rc : NGX_CAMPAIGN_FAILURE;
}


static void
test_outcome(ngx_campaign_campaign_t *c, uint32_t seq, ngx_uint_t kind, ngx_uint_t state)
{
    ngx_campaign_outcome_t  o;

    o = make_outcome(c, seq, kind, state);
    o.segments = 2;

    (void) make_turn(NULL, 0, &o, 1);
}


static ngx_campaign_rc_e
test_count_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args)
{
    test_count_t *k = args;

    uint32_t                        seq;
    ngx_campaign_rc_e               rc;
    ngx_campaign_reason_e           reason;
    ngx_campaign_states_t           x;
    ngx_campaign_message_status_e   status;

    ngx_memzero(&x, sizeof(x));
    ngx_memzero(k->counted, sizeof(k->counted));
    ngx_memzero(k->reasons, sizeof(k->reasons));

    x.t = t;
    x.pool = op->pool;

    rc = ngx_campaign_states_open(&x, k->c.rec.no);

    for (seq = 0; rc == NGX_CAMPAIGN_OK && seq < k->c.span; seq++) {
        rc = ngx_campaign_message_state(&x, seq, &status, &reason);

        k->counted[status]++;
        k->reasons[reason] += (status != NGX_CAMPAIGN_M_SCHEDULED && status != NGX_CAMPAIGN_M_ENROUTE);
    }

    k->run = x.run;
    k->c.rec.status = x.run.status;

    return rc;
}


/* 1: the counters of k's campaign are the states of its messages */

static ngx_uint_t
test_count(test_count_t *k)
{
    ngx_uint_t                i, fine;
    ngx_campaign_progress_t  *p;

    fine = store_answer(ngx_campaign_lmdb_read(st, store_begin(), test_count_work, k)) == NGX_CAMPAIGN_OK;

    p = &k->run.progress;

    for (i = 1; i < NGX_CAMPAIGN_R_MAX; i++) {
        fine = fine && p->reason[i] == k->reasons[i];
    }

    fine = fine && p->pending == k->counted[NGX_CAMPAIGN_M_SCHEDULED] && p->enroute == k->counted[NGX_CAMPAIGN_M_ENROUTE]
           && p->sent == k->counted[NGX_CAMPAIGN_M_SENT] && p->delivered == k->counted[NGX_CAMPAIGN_M_DELIVERED]
           && p->failed == k->counted[NGX_CAMPAIGN_M_FAILED] && p->canceled == k->counted[NGX_CAMPAIGN_M_CANCELED]
           && p->skipped == k->counted[NGX_CAMPAIGN_M_SKIPPED] && p->again <= p->pending && p->uncertain == p->reason[NGX_CAMPAIGN_R_UNCERTAIN]
           && p->total == p->pending + p->enroute + p->sent + p->delivered + p->failed + p->canceled + p->skipped;

    if (!fine) {
        diag("pending %u enroute %u sent %u delivered %u failed %u canceled %u skipped %u again %u", p->pending, p->enroute, p->sent,
             p->delivered, p->failed, p->canceled, p->skipped, p->again);
    }

    return fine;
}


static ngx_uint_t
test_is(test_count_t *k, uint32_t seq, ngx_uint_t status, ngx_uint_t reason, ngx_uint_t attempts)
{
    u_char                  id[NGX_CAMPAIGN_ID_LEN];
    ngx_uint_t              is;
    ngx_campaign_message_t  m;

    ngx_campaign_id_make(ngx_campaign_store_secret(st), NGX_CAMPAIGN_MESSAGE, k->c.rec.no, seq, id);

    is = store_answer(ngx_campaign_store_message(st, store_begin(), mine, id, &m)) == NGX_CAMPAIGN_OK
         && m.rec.status == status && m.reason == reason && m.attempts == attempts;

    if (!is) {
        diag("message %u: status %u, reason %u, attempts %u", seq, (unsigned) m.rec.status, (unsigned) m.reason, (unsigned) m.attempts);
    }

    return is;
}
