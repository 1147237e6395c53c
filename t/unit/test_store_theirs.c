
/*
 * What gateways call our messages: shown with the message, leads to it while a receipt may come, goes with its campaign, in steps.
 */

#include "store_campaign.h"


#define TEST_MANY  1200                         /* messages: more than two steps remove */


static void test_shown(void);
static void test_given_twice(void);
static void test_not_settled(void);
static void test_deleted(void);

static void test_create(ngx_campaign_campaign_t *c, ngx_uint_t n);
static ngx_campaign_outcome_t test_outcome(ngx_campaign_campaign_t *c, uint32_t seq, ngx_uint_t state, const char *id);
static ngx_campaign_rc_e test_theirs_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args);
static ngx_uint_t test_theirs(ngx_campaign_campaign_t *c, uint32_t seq, const char *id);
static ngx_campaign_rc_e test_ours_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args);
static ngx_uint_t test_ours(const char *channel, const char *id, ngx_campaign_campaign_t *c, uint32_t seq);


typedef struct {
    ngx_str_t   channel, id;
    uint64_t    campaign;
    uint32_t    seq;
} test_ours_t;


static uint32_t  mine;


int
main(int argc, char **argv)
{
    make_store(argv[0]);

    mine = make_account("mine");
    make_sender(mine, "Acme", NULL);
    make_lease();

    test_shown();
    test_given_twice();
    test_not_settled();
    test_deleted();

    make_end();

    return done_testing();
}


static void
test_shown(void)
{
    u_char                   id[NGX_CAMPAIGN_ID_LEN];
    store_op_t              *so;
    ngx_campaign_page_t      page;
    ngx_campaign_message_t   m, *item;
    ngx_campaign_outcome_t   o[3];
    ngx_campaign_campaign_t  c;
    ngx_campaign_messages_t  q;

    test_create(&c, 5);

    o[0] = test_outcome(&c, 0, NGX_CAMPAIGN_S_SENT, "first");
    o[1] = test_outcome(&c, 1, NGX_CAMPAIGN_S_DELIVERED, "second");
    o[2] = test_outcome(&c, 2, NGX_CAMPAIGN_S_SENT, NULL);
    (void) make_turn(NULL, 0, o, 3);

    so = store_op();
    ngx_campaign_id_make(ngx_campaign_store_secret(st), NGX_CAMPAIGN_MESSAGE, c.rec.no, 0, id);
    is_uint(store_wait(so, ngx_campaign_store_message(st, &so->op, mine, id, &m)), NGX_CAMPAIGN_OK, "a message is found");
    is_str(&m.gateway_id, "first", "with what its gateway calls it");
    store_free(so);

    so = store_op();
    ngx_memzero(&q, sizeof(q));
    ngx_memzero(&page, sizeof(page));
    page.kind = NGX_CAMPAIGN_MESSAGE;
    page.account = mine;
    page.size = 10;
    q.page = &page;
    q.campaign = c.rec.id;

    is_uint(store_wait(so, ngx_campaign_store_messages(st, &so->op, &q)), NGX_CAMPAIGN_OK, "a page of them");
    is_uint(page.items->nelts, 5, "has them all");

    item = page.items->elts;
    is_str(&item[0].gateway_id, "first", "the one that is sent");
    is_str(&item[1].gateway_id, "second", "the one that is delivered");
    is_uint(item[2].gateway_id.len, 0, "one that was given none has none");
    is_uint(item[3].gateway_id.len, 0, "nor has one in flight");
    store_free(so);

    ok(test_ours("SMS", "first", &c, 0), "the gateway's id leads to its message");
    ok(test_ours("SMS", "second", NULL, 0), "not to one for which no receipt comes");
    ok(test_ours("VIBER", "first", NULL, 0), "not on another channel");
    ok(test_ours("SMS", "third", NULL, 0), "an unknown one leads nowhere");
    ok(test_ours("SMS", "firs", NULL, 0), "nor does a part of one");
}


static void
test_given_twice(void)
{
    ngx_campaign_outcome_t   o[2];
    ngx_campaign_campaign_t  c, d;

    test_create(&c, 5);
    test_create(&d, 5);

    o[0] = test_outcome(&c, 0, NGX_CAMPAIGN_S_SENT, "twin");
    (void) make_turn(NULL, 0, o, 1);
    o[0] = test_outcome(&d, 3, NGX_CAMPAIGN_S_SENT, "twin");
    (void) make_turn(NULL, 0, o, 1);

    ok(test_ours("SMS", "twin", &d, 3), "an id given twice leads to the newer message");
    ok(test_theirs(&c, 0, "twin") && test_theirs(&d, 3, "twin"), "both show it");

    o[0] = test_outcome(&c, 0, NGX_CAMPAIGN_S_SENT, "again");
    (void) make_turn(NULL, 0, o, 1);
    ok(test_theirs(&c, 0, "twin"), "a repeated outcome changes nothing");
}


static void
test_not_settled(void)
{
    ngx_campaign_outcome_t   o[2];
    ngx_campaign_campaign_t  c;

    test_create(&c, 2);

    o[0] = test_outcome(&c, 0, 0, "retry");
    o[0].kind = NGX_CAMPAIGN_OUTCOME_AGAIN;
    o[1] = test_outcome(&c, 1, NGX_CAMPAIGN_S_FAILED, NULL);
    (void) make_turn(NULL, 0, o, 2);

    ok(test_theirs(&c, 0, ""), "a message that was not accepted has none");
    ok(test_ours("SMS", "retry", NULL, 0), "and nothing leads to it");
}


static void
test_deleted(void)
{
    char                     id[32];
    ngx_uint_t               i, steps;
    make_look_t              before, after;
    ngx_campaign_outcome_t  *o;
    ngx_campaign_campaign_t  c, kept;

    test_create(&kept, 2);
    (void) make_look(&before);

    test_create(&c, TEST_MANY);

    o = malloc(TEST_MANY * sizeof(ngx_campaign_outcome_t));

    for (i = 0; i < TEST_MANY; i++) {
        (void) snprintf(id, sizeof(id), "deleted-%u", (unsigned) i);
        o[i] = test_outcome(&c, i, NGX_CAMPAIGN_S_SENT, id);
    }

    (void) make_turn(NULL, 0, o, TEST_MANY);
    ok(test_ours("SMS", "deleted-700", &c, 700), "ids of a long campaign");

    o[0] = test_outcome(&kept, 0, NGX_CAMPAIGN_S_SENT, "deleted-17");
    (void) make_turn(NULL, 0, o, 1);

    is_uint(make_delete(NGX_CAMPAIGN_CAMPAIGN, mine, c.rec.id), NGX_CAMPAIGN_OK, "which is deleted");

    (void) make_look(&after);
    is_uint(after.entries[NGX_CAMPAIGN_DB_THEIRS] - before.entries[NGX_CAMPAIGN_DB_THEIRS], TEST_MANY + 1, "at first they stay");
    is_uint(after.entries[NGX_CAMPAIGN_DB_GONE], 1, "and that they have to go is noted");

    for (steps = 0; steps < 10 && after.entries[NGX_CAMPAIGN_DB_GONE]; steps++) {
        (void) make_turn(NULL, 0, NULL, 0);
        (void) make_look(&after);
    }

    is_uint(steps, (TEST_MANY + 499) / 500, "so many turns remove them");
    is_uint(after.entries[NGX_CAMPAIGN_DB_THEIRS] - before.entries[NGX_CAMPAIGN_DB_THEIRS], 1, "all but their neighbour's");
    is_uint(after.entries[NGX_CAMPAIGN_DB_OURS] - before.entries[NGX_CAMPAIGN_DB_OURS], 1, "with what led to them");
    ok(test_ours("SMS", "deleted-17", &kept, 0), "an id that was given again still leads to the newer message");
    ok(test_ours("SMS", "deleted-18", NULL, 0), "the others lead nowhere");

    free(o);
}


/* a campaign of n messages, all in flight */

static void
test_create(ngx_campaign_campaign_t *c, ngx_uint_t n)
{
    make_started(c, mine, "", n);

    while (n) {
        n -= make_turn(c, n, NULL, 0);
        ngx_stub_now += 1000000;
    }
}


static ngx_campaign_outcome_t
test_outcome(ngx_campaign_campaign_t *c, uint32_t seq, ngx_uint_t state, const char *id)
{
    ngx_campaign_outcome_t  o;

    o = make_outcome(c, seq, NGX_CAMPAIGN_OUTCOME_SETTLED, state);

    if (id) {
        o.named = (state == NGX_CAMPAIGN_S_SENT);
        o.id_len = (uint8_t) strlen(id);
        ngx_memcpy(o.id, id, o.id_len);
    }

    return o;
}


static ngx_campaign_rc_e
test_theirs_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args)
{
    test_ours_t *a = args;

    return ngx_campaign_lmdb_theirs_get(t, a->campaign, a->seq, op->pool, &a->id);
}


static ngx_uint_t
test_theirs(ngx_campaign_campaign_t *c, uint32_t seq, const char *id)
{
    ngx_uint_t    is;
    store_op_t   *so;
    test_ours_t   a;

    a.campaign = c->rec.no;
    a.seq = seq;

    so = store_op();

    is = (store_wait(so, ngx_campaign_lmdb_read(st, &so->op, test_theirs_work, &a)) == NGX_CAMPAIGN_OK
          && a.id.len == strlen(id) && (a.id.len == 0 || ngx_memcmp(a.id.data, id, a.id.len) == 0));

    store_free(so);

    return is;
}


static ngx_campaign_rc_e
test_ours_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args)
{
    test_ours_t *a = args;

    return ngx_campaign_lmdb_ours_get(t, &a->channel, &a->id, &a->campaign, &a->seq);
}


/* 1: the id leads to message seq of c, or (NULL) nowhere */

static ngx_uint_t
test_ours(const char *channel, const char *id, ngx_campaign_campaign_t *c, uint32_t seq)
{
    test_ours_t        a;
    ngx_campaign_rc_e  rc;

    a.channel = make_str(channel);
    a.id = make_str(id);

    rc = store_answer(ngx_campaign_lmdb_read(st, store_begin(), test_ours_work, &a));

    if (c == NULL) {
        return rc == NGX_CAMPAIGN_NOT_FOUND;
    }

    return rc == NGX_CAMPAIGN_OK && a.campaign == c->rec.no && a.seq == seq;
}
