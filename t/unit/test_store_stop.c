
/*
 * Campaigns that do not go on, or not yet, while a dispatcher is at work: canceled, paused, of a disabled account, scheduled.
 */

#include "store_turn.h"


static void test_cancel(void);
static void test_pause(void);
static void test_disabled(void);
static void test_scheduled(void);

static ngx_uint_t test_left(uint64_t campaign);


int
main(int argc, char **argv)
{
    turn_program = argv[0];
    (void) tap_seed();

    test_cancel();
    test_pause();
    test_disabled();
    test_scheduled();

    return turn_end();
}


static void
test_cancel(void)
{
    uint32_t                 seqs[TURN_MOST];
    uint64_t                 no;
    store_op_t              *so;
    turn_call_t              tt;
    ngx_campaign_live_t      live;
    static turn_campaign_t   tc;
    ngx_campaign_outcome_t   o[3];
    ngx_campaign_campaign_t  c;

    turn_open();
    turn_create(&tc, "cancel", 100);
    turn_start(&tc);
    so = store_op();
    no = tc.c.rec.no;

    is_uint(store_wait(so, ngx_campaign_store_delete(st, &so->op, NGX_CAMPAIGN_CAMPAIGN, tc.c.rec.account, tc.c.rec.id)),
            NGX_CAMPAIGN_IN_USE, "a campaign in progress is not deleted");

    (void) turn_make(&tt, &tc, 4, NULL, 0);
    is_uint(turn_claimed(&tt, &tc, seqs), 4, "four are claimed");
    turn_free(&tt);

    o[0] = turn_outcome(&tc, 0, NGX_CAMPAIGN_OUTCOME_AGAIN, NGX_CAMPAIGN_S_RETRY, NGX_CAMPAIGN_R_GATEWAY_5XX, 0);
    (void) turn_make(&tt, NULL, 0, o, 1);
    turn_free(&tt);

    is_uint(turn_change(&tc, NGX_CAMPAIGN_C_CANCELED, NGX_CAMPAIGN_C_COMPLETED), NGX_CAMPAIGN_CONFLICT,
            "another status than the one expected is a conflict");
    is_uint(turn_change(&tc, NGX_CAMPAIGN_C_CANCELED, NGX_CAMPAIGN_C_IN_PROGRESS), NGX_CAMPAIGN_OK, "the campaign is canceled");

    (void) turn_get(&tc, &c);
    ok(c.progress.canceled == 97 && c.progress.pending == 0 && c.progress.again == 0 && c.progress.enroute == 3,
       "all that is not in flight is canceled");
    ok(turn_counters(&tc), "counters equal states");

    ngx_stub_now += 50 * TURN_MS;
    (void) turn_make(&tt, &tc, 10, NULL, 0);
    ok(tt.claim.n == 0 && tt.claim.gone, "nothing of it is claimed any more");
    ok(turn_live(&tt, &tc, &live) && live.gone, "and it is reported as gone");
    turn_free(&tt);

    is_uint(store_wait(so, ngx_campaign_store_delete(st, &so->op, NGX_CAMPAIGN_CAMPAIGN, tc.c.rec.account, tc.c.rec.id)),
            NGX_CAMPAIGN_IN_USE, "nor is it deleted while a message is in flight");

    o[0] = turn_outcome(&tc, 1, NGX_CAMPAIGN_OUTCOME_SETTLED, NGX_CAMPAIGN_S_SENT, NGX_CAMPAIGN_R_NONE, 0);
    o[1] = turn_outcome(&tc, 2, NGX_CAMPAIGN_OUTCOME_AGAIN, NGX_CAMPAIGN_S_RETRY, NGX_CAMPAIGN_R_GATEWAY_5XX, 0);
    o[2] = turn_outcome(&tc, 3, NGX_CAMPAIGN_OUTCOME_BACK, NGX_CAMPAIGN_S_RETRY, NGX_CAMPAIGN_R_NONE, 0);
    (void) turn_make(&tt, NULL, 0, o, 3);
    turn_free(&tt);

    (void) turn_get(&tc, &c);
    ok(c.progress.sent == 1 && c.progress.canceled == 99 && c.progress.enroute == 0, "those in flight finish and count, none is repeated");
    is_uint(c.rec.status, NGX_CAMPAIGN_C_CANCELED, "it stays canceled");
    ok(turn_counters(&tc), "counters equal states");

    is_uint(store_wait(so, ngx_campaign_store_delete(st, &so->op, NGX_CAMPAIGN_CAMPAIGN, tc.c.rec.account, tc.c.rec.id)),
            NGX_CAMPAIGN_OK, "then it is deleted");
    is_uint(turn_get(&tc, &c), NGX_CAMPAIGN_NOT_FOUND, "and not found");
    is_uint(test_left(no), 0, "nothing of its messages is left");

    (void) turn_make(&tt, NULL, 0, o, 3);
    is_uint(tt.so->rc, NGX_CAMPAIGN_OK, "late outcomes of it do no harm");
    turn_free(&tt);

    store_free(so);
}


static void
test_pause(void)
{
    uint32_t                 seqs[TURN_MOST];
    ngx_uint_t               n;
    turn_call_t              tt;
    ngx_campaign_live_t      live;
    static turn_campaign_t   tc;
    ngx_campaign_outcome_t   o[2];

    turn_open();
    turn_create(&tc, "pause", 10);
    turn_start(&tc);

    (void) turn_make(&tt, &tc, 2, NULL, 0);
    (void) turn_claimed(&tt, &tc, seqs);
    turn_free(&tt);

    is_uint(turn_change(&tc, NGX_CAMPAIGN_C_PAUSED, NGX_CAMPAIGN_C_IN_PROGRESS), NGX_CAMPAIGN_OK, "a campaign is paused");

    o[0] = turn_outcome(&tc, 0, NGX_CAMPAIGN_OUTCOME_SETTLED, NGX_CAMPAIGN_S_SENT, NGX_CAMPAIGN_R_NONE, 0);
    o[1] = turn_outcome(&tc, 1, NGX_CAMPAIGN_OUTCOME_AGAIN, NGX_CAMPAIGN_S_RETRY, NGX_CAMPAIGN_R_GATEWAY_5XX, 0);
    ngx_stub_now += 10 * TURN_MS;
    (void) turn_make(&tt, &tc, 5, o, 2);
    ok(tt.claim.n == 0 && tt.claim.gone, "nothing of it is claimed");
    ok(turn_counters(&tc), "what was in flight is recorded");
    turn_free(&tt);

    turn_epoch = turn_lease();
    (void) turn_make(&tt, NULL, 0, NULL, 0);
    turn_free(&tt);

    is_uint(turn_change(&tc, NGX_CAMPAIGN_C_IN_PROGRESS, NGX_CAMPAIGN_C_PAUSED), NGX_CAMPAIGN_OK,
            "it is resumed, under another dispatcher");

    (void) turn_make(&tt, NULL, 0, NULL, 0);
    ok(turn_live(&tt, &tc, &live) && !live.gone && live.fresh == 8, "who hears of it");
    turn_free(&tt);

    ngx_stub_now += 10 * TURN_MS;
    (void) turn_make(&tt, &tc, 20, NULL, 0);
    n = turn_claimed(&tt, &tc, seqs);
    ok(n == 9 && seqs[0] == 1 && tc.bad == 0, "and goes on where it stopped, repeats first");
    ok(turn_counters(&tc), "counters equal states");
    turn_free(&tt);
}


static void
test_disabled(void)
{
    uint32_t                seqs[TURN_MOST];
    store_op_t             *so;
    turn_call_t             tt;
    ngx_campaign_live_t     live;
    static turn_campaign_t  tc;

    turn_open();
    turn_create(&tc, "disabled", 10);
    turn_start(&tc);
    so = store_op();

    turn_account.rec.status = NGX_CAMPAIGN_A_DISABLED;
    is_uint(store_wait(so, ngx_campaign_store_account(st, &so->op, &turn_account)), NGX_CAMPAIGN_OK, "an account is disabled");

    (void) turn_make(&tt, &tc, 5, NULL, 0);
    is_uint(turn_claimed(&tt, &tc, seqs), 0, "no message of it is claimed");
    turn_free(&tt);

    turn_account.rec.status = NGX_CAMPAIGN_A_ACTIVE;
    is_uint(store_wait(so, ngx_campaign_store_account(st, &so->op, &turn_account)), NGX_CAMPAIGN_OK, "it is active again");

    (void) turn_make(&tt, NULL, 0, NULL, 0);
    ok(turn_live(&tt, &tc, &live) && !live.gone, "its campaigns are reported anew");
    turn_free(&tt);

    ngx_stub_now += 10 * TURN_MS;
    (void) turn_make(&tt, &tc, 5, NULL, 0);
    is_uint(turn_claimed(&tt, &tc, seqs), 5, "and go on");
    turn_free(&tt);

    store_free(so);
}


static void
test_scheduled(void)
{
    time_t                   at;
    uint32_t                 seqs[TURN_MOST];
    store_op_t              *so;
    turn_call_t              tt;
    ngx_campaign_live_t      live, *fresh;
    ngx_campaign_peek_t      peek;
    static turn_campaign_t   tc;
    ngx_campaign_campaign_t  c;

    turn_open();

    at = TURN_START / 1000000 + 10;
    so = store_op();

    ngx_memzero(&tc, sizeof(tc));
    tc.c.rec.account = (uint32_t) turn_account.rec.no;
    ngx_str_set(&tc.c.rec.name, "scheduled");
    ngx_str_set(&tc.c.rec.channel, "SMS");
    ngx_str_set(&tc.c.from, "SHOP");
    ngx_str_set(&tc.c.text, "Hello");
    ngx_memcpy(tc.c.audience, turn_audience.rec.id, NGX_CAMPAIGN_ID_LEN);
    tc.c.schedule = at;
    tc.n = TURN_CONTACTS;

    is_uint(store_wait(so, ngx_campaign_store_create(st, &so->op, &tc.c, NULL)), NGX_CAMPAIGN_OK, "a campaign is scheduled");

    (void) turn_make(&tt, NULL, 0, NULL, 0);
    is_int(tt.turn.next, (int64_t) at * 1000000, "a turn says when it starts");
    ok(!turn_live(&tt, &tc, &live) || live.gone, "it is not to be sent yet");
    turn_free(&tt);

    is_uint(store_wait(so, ngx_campaign_store_peek(st, &so->op, &peek)), NGX_CAMPAIGN_OK, "a peek");
    ok(peek.next == (int64_t) at * 1000000 && !peek.changed, "says so too, and that nothing changed");

    ngx_stub_now = (int64_t) at * 1000000 - 1;
    (void) turn_make(&tt, NULL, 0, NULL, 0);
    (void) turn_get(&tc, &c);
    is_uint(c.rec.status, NGX_CAMPAIGN_C_SCHEDULED, "a microsecond before it is still scheduled");
    turn_free(&tt);

    is_uint(store_wait(so, ngx_campaign_store_peek(st, &so->op, &peek)), NGX_CAMPAIGN_OK, "a peek then");
    ok(peek.fresh == NULL, "shows nothing to claim of");

    ngx_stub_now++;
    is_uint(store_wait(so, ngx_campaign_store_peek(st, &so->op, &peek)), NGX_CAMPAIGN_OK, "a peek in time");
    fresh = peek.fresh ? peek.fresh->elts : NULL;
    ok(fresh && peek.fresh->nelts == 2 && fresh[0].kind == NGX_CAMPAIGN_ACCOUNT && fresh[0].account == turn_account.rec.no,
       "shows its account");
    ok(fresh && fresh[1].no == tc.c.rec.no && fresh[1].fresh == TURN_CONTACTS && fresh[1].campaign.text.len == 5, "... and the campaign");
    (void) turn_get(&tc, &c);
    is_uint(c.rec.status, NGX_CAMPAIGN_C_SCHEDULED, "... which it does not start");

    (void) turn_make(&tt, &tc, 3, NULL, 0);
    is_uint(turn_claimed(&tt, &tc, seqs), 3, "the turn that starts it claims of it, too");
    ok(turn_live(&tt, &tc, &live) && !live.gone && live.fresh == TURN_CONTACTS, "then it is reported");
    is_int(tt.turn.next, 0, "and nothing is scheduled any more");
    (void) turn_get(&tc, &c);
    ok(c.rec.status == NGX_CAMPAIGN_C_IN_PROGRESS && c.progress.started == at, "and in progress");
    turn_free(&tt);

    store_free(so);
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
    uint64_t  arg[2] = { campaign, 0 };

    if (store_answer(ngx_campaign_lmdb_read(st, store_begin(), test_left_work, arg)) != NGX_CAMPAIGN_OK) {
        arg[1] = 1000;
    }

    return arg[1];
}
