
/*
 * Bits of a store change: turns pass over the campaign or account that they belong to, and all others go on.
 */

#include "store_campaign.h"


typedef struct {                        /* what is damaged */
    ngx_campaign_db_e   db;
    u_char              key[16];
    size_t              len;
} test_flip_t;


static void test_outcomes(void);
static void test_handed_over(void);
static void test_scheduled(void);
static void test_account(void);

static void test_flip(test_flip_t *flip);
static ngx_campaign_rc_e test_flip_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args);
static void test_chunk(ngx_campaign_campaign_t *c);
static void test_chunk_flip(ngx_campaign_campaign_t *c);
static ngx_campaign_rc_e test_turn(ngx_campaign_turn_t *turn);
static ngx_campaign_rc_e test_record(ngx_campaign_outcome_t *o, ngx_uint_t n);


static uint32_t  mine;


int
main(int argc, char **argv)
{
    make_store(argv[0]);

    mine = make_account("mine");
    make_sender(mine, "Acme", NULL);
    make_lease();
    store_log.log_level = NGX_LOG_EMERG;

    test_outcomes();
    test_handed_over();
    test_scheduled();
    test_account();

    is_uint(st->ndamaged, 4, "each was found once");

    make_end();

    return done_testing();
}


static void
test_outcomes(void)
{
    ngx_uint_t               i;
    ngx_campaign_turn_t      turn;
    ngx_campaign_claim_t     claim;
    ngx_campaign_grant_t     grant;
    ngx_campaign_outcome_t   o[2];
    ngx_campaign_campaign_t  bad, fine;

    make_started(&bad, mine, "bad", 10);
    make_started(&fine, mine, "fine", 10);

    test_chunk(&bad);
    is_uint(make_turn(&fine, 5, NULL, 0), 5, "of another one five are in flight");

    for (i = 0; i < 2; i++) {
        o[0] = make_outcome(&bad, 1, NGX_CAMPAIGN_OUTCOME_SETTLED, NGX_CAMPAIGN_S_SENT);
        o[1] = make_outcome(&fine, 0, NGX_CAMPAIGN_OUTCOME_SETTLED, NGX_CAMPAIGN_S_SENT);

        is_uint(test_record(o, 2), i ? NGX_CAMPAIGN_OK : NGX_CAMPAIGN_DAMAGED, i ? "the next turn passes it over" : "a turn finds a damaged campaign");
    }

    make_progress(&fine);
    is_uint(fine.progress.sent, 1, "and records what became of another one's messages");

    make_ask(&turn, &grant, &claim, &bad, 5, 5);
    is_uint(test_turn(&turn), NGX_CAMPAIGN_OK, "who asks for more of the damaged one");
    ok(claim.gone && claim.n == 0, "gets nothing");

    is_uint(make_turn(&fine, 5, NULL, 0), 5, "of the other one the rest is claimed");

    make_lease();
    (void) make_turn(NULL, 0, NULL, 0);
    is_uint(make_turn(&fine, 10, NULL, 0), 9, "a new dispatcher claims of the other one what was in flight");
}


static void
test_handed_over(void)
{
    ngx_campaign_turn_t      turn;
    ngx_campaign_leaving_t   leaving[2];
    ngx_campaign_campaign_t  bad, fine;

    make_started(&bad, mine, "bad, handed over", 10);
    make_started(&fine, mine, "fine, handed over", 10);

    is_uint(make_turn(&bad, 5, NULL, 0), 5, "of one five are in flight");
    is_uint(make_turn(&fine, 5, NULL, 0), 5, "of the other, too");

    ngx_memzero(&turn, sizeof(turn));
    ngx_memzero(leaving, sizeof(leaving));

    turn.epoch = make_epoch;
    turn.leaving = leaving;
    turn.nleaving = 2;
    turn.last = 1;

    leaving[0].campaign = bad.rec.no;
    leaving[1].campaign = fine.rec.no;

    is_uint(test_turn(&turn), NGX_CAMPAIGN_OK, "a message of each is handed over");

    test_chunk_flip(&bad);
    make_lease();

    ngx_memzero(&turn, sizeof(turn));
    turn.epoch = make_epoch;
    turn.look = 1;

    is_uint(test_turn(&turn), NGX_CAMPAIGN_DAMAGED, "who looks after them finds that one is damaged");
    is_uint(test_turn(&turn), NGX_CAMPAIGN_OK, "and passes it over");
    is_uint(make_turn(&fine, 100, NULL, 0), 10, "the other one goes again, whole");
}


static void
test_scheduled(void)
{
    test_flip_t              flip;
    ngx_campaign_turn_t      turn;
    ngx_campaign_campaign_t  bad, fine, later;

    make_campaign(&bad, mine, "bad, scheduled", NULL);
    make_campaign(&fine, mine, "fine, scheduled", NULL);
    make_campaign(&later, mine, "later", NULL);

    bad.schedule = (time_t) (ngx_stub_now / 1000000) + 10;
    fine.schedule = bad.schedule + 1;
    later.schedule = bad.schedule + 1000;

    make_created(&bad, MAKE_FIRST, 10);
    make_created(&fine, MAKE_FIRST, 10);
    make_created(&later, MAKE_FIRST, 10);

    flip.db = NGX_CAMPAIGN_DB_RUN;
    flip.len = ngx_campaign_be64_put(flip.key, bad.rec.no) - flip.key;
    test_flip(&flip);

    ngx_stub_now = (int64_t) fine.schedule * 1000000;

    ngx_memzero(&turn, sizeof(turn));
    turn.epoch = make_epoch;

    is_uint(test_turn(&turn), NGX_CAMPAIGN_DAMAGED, "a campaign that is to start is damaged");
    is_uint(test_turn(&turn), NGX_CAMPAIGN_OK, "the next turn passes it over");
    is_int(turn.next, (int64_t) later.schedule * 1000000, "and waits for the one that is to start next");

    make_progress(&fine);
    is_uint(fine.rec.status, NGX_CAMPAIGN_C_IN_PROGRESS, "one that was to start after it has started");
}


static void
test_account(void)
{
    u_char                  *p;
    uint32_t                 theirs;
    ngx_uint_t               i;
    test_flip_t              flip;
    ngx_campaign_turn_t      turn;
    ngx_campaign_claim_t     claims[2];
    ngx_campaign_grant_t     grants[2];
    ngx_campaign_campaign_t  bad, fine;

    theirs = make_account("theirs");
    make_sender(theirs, "Acme", NULL);

    make_started(&bad, theirs, "bad account's", 10);
    make_started(&fine, mine, "fine account's", 10);

    p = ngx_campaign_be32_put(flip.key, 0);
    *p++ = NGX_CAMPAIGN_ACCOUNT;
    flip.db = NGX_CAMPAIGN_DB_REC;
    flip.len = ngx_campaign_be64_put(p, theirs) - flip.key;
    test_flip(&flip);

    for (i = 0; i < 2; i++) {
        ngx_memzero(claims, sizeof(claims));

        claims[0].campaign = bad.rec.no;
        claims[0].want = 5;
        claims[1].campaign = fine.rec.no;
        claims[1].want = 5;

        make_grant(&turn, &grants[1], mine, &claims[1], 1);
        make_grant(&turn, &grants[0], theirs, &claims[0], 1);
        turn.ngrants = 2;

        is_uint(test_turn(&turn), i ? NGX_CAMPAIGN_OK : NGX_CAMPAIGN_DAMAGED, i ? "it is passed over" : "an account is damaged");
    }

    ok(claims[0].n == 0 && claims[0].gone, "nothing of it is claimed");
    is_uint(claims[1].n, 5, "another one's messages are");
}


/* five are in flight, one is sent, and the bytes of their states are damaged */

static void
test_chunk(ngx_campaign_campaign_t *c)
{
    ngx_campaign_outcome_t  o;

    is_uint(make_turn(c, 5, NULL, 0), 5, "of one five are in flight");

    o = make_outcome(c, 0, NGX_CAMPAIGN_OUTCOME_SETTLED, NGX_CAMPAIGN_S_SENT);
    is_uint(test_record(&o, 1), NGX_CAMPAIGN_OK, "one of them is sent");

    test_chunk_flip(c);
}


static void
test_chunk_flip(ngx_campaign_campaign_t *c)
{
    test_flip_t  flip;

    flip.db = NGX_CAMPAIGN_DB_CHUNK;
    flip.len = ngx_campaign_be32_put(ngx_campaign_be64_put(flip.key, c->rec.no), 0) - flip.key;

    test_flip(&flip);
}


static void
test_flip(test_flip_t *flip)
{
    store_op_t  *so;

    so = store_op();
    is_uint(store_wait(so, ngx_campaign_lmdb_write(st, &so->op, test_flip_work, flip)), NGX_CAMPAIGN_OK, "a bit is changed");
    store_free(so);
}


static ngx_campaign_rc_e
test_flip_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args)
{
    test_flip_t *flip = args;

    u_char   copy[8192];
    MDB_val  value;

    if (ngx_campaign_lmdb_get(t, flip->db, flip->key, flip->len, &value) != 0 || value.mv_size > sizeof(copy)) {
        return NGX_CAMPAIGN_FAILURE;
    }

    ngx_memcpy(copy, value.mv_data, value.mv_size);
    copy[value.mv_size / 2] ^= 4;

    return ngx_campaign_lmdb_put(t, flip->db, flip->key, flip->len, copy, value.mv_size) == 0 ? NGX_CAMPAIGN_OK : NGX_CAMPAIGN_FAILURE;
}


static ngx_campaign_rc_e
test_turn(ngx_campaign_turn_t *turn)
{
    return store_answer(ngx_campaign_store_turn(st, store_begin(), turn));
}


static ngx_campaign_rc_e
test_record(ngx_campaign_outcome_t *o, ngx_uint_t n)
{
    ngx_campaign_turn_t  turn;

    ngx_memzero(&turn, sizeof(turn));

    turn.epoch = make_epoch;
    turn.outcomes = o;
    turn.noutcomes = n;

    return test_turn(&turn);
}
