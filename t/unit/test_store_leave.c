
/*
 * A dispatcher that leaves with messages in flight, by the store's public header: its successor leaves them alone, their outcomes count as
 * any other's, and if nobody is there to bring them they are uncertain.
 */

#ifndef _GNU_SOURCE
#define _GNU_SOURCE                             /* F_OFD_SETLK */
#endif

#include "store_campaign.h"

#include <fcntl.h>
#include <unistd.h>


#define TEST_POSTS  ((off_t) 1 << 62)           /* in the file of locks */


static void test_outcomes(void);
static void test_repeats(void);
static void test_lost(void);
static void test_lost_fails(void);
static void test_late(void);
static void test_generations(void);
static void test_receipt(void);
static void test_canceled(void);
static void test_again(void);

static void test_campaign(ngx_campaign_campaign_t *c, ngx_uint_t n);
static ngx_uint_t test_claim(ngx_campaign_campaign_t *c, ngx_uint_t n);
static uint64_t test_hand_over(ngx_campaign_campaign_t *c, uint32_t from, uint32_t to);
static ngx_campaign_rc_e test_leave(uint64_t epoch, ngx_campaign_campaign_t *c, uint32_t from, uint32_t to,
    ngx_campaign_outcome_t *o, ngx_uint_t n);
static ngx_campaign_rc_e test_left(uint64_t epoch, ngx_campaign_outcome_t *o, ngx_uint_t n);
static ngx_uint_t test_look(const char *uncertain);
static void test_there(uint64_t epoch, ngx_uint_t there);


static uint32_t                 mine;
static ngx_fd_t                 other = NGX_INVALID_FILE;       /* another process's file of locks */
static int64_t                  again_at;                       /* of the campaign that the last look reported */


int
main(int argc, char **argv)
{
    make_store(argv[0]);

    test_outcomes();
    test_repeats();
    test_lost();
    test_lost_fails();
    test_late();
    test_generations();
    test_receipt();
    test_canceled();
    test_again();

    (void) close(other);
    make_end();

    return done_testing();
}


static void
test_outcomes(void)
{
    uint64_t                 old;
    ngx_campaign_outcome_t   o[4];
    ngx_campaign_campaign_t  c;

    test_campaign(&c, 20);
    is_uint(test_claim(&c, 10), 10, "ten are in flight");

    old = make_epoch;
    test_there(old, 1);

    o[0] = make_outcome(&c, 0, NGX_CAMPAIGN_OUTCOME_SETTLED, NGX_CAMPAIGN_S_SENT);
    is_int(test_leave(old, &c, 1, 5, o, 1), NGX_CAMPAIGN_OK, "one is recorded and four are handed over by the last turn");

    make_progress(&c);
    ok(c.progress.sent == 1 && c.progress.enroute == 9, "these are in flight");

    make_lease();
    is_uint(test_look(NULL), 4, "the next dispatcher is told how many there are");

    make_progress(&c);
    ok(c.progress.enroute == 4 && c.progress.again == 5, "what was not handed over is uncertain, what was is not");
    ok(make_look(NULL), "the store is sound");

    is_uint(test_claim(&c, 100), 15, "it claims all the others");

    o[0] = make_outcome(&c, 1, NGX_CAMPAIGN_OUTCOME_SETTLED, NGX_CAMPAIGN_S_SENT);
    o[1] = make_outcome(&c, 2, NGX_CAMPAIGN_OUTCOME_SETTLED, NGX_CAMPAIGN_S_FAILED);
    o[2] = make_outcome(&c, 9, NGX_CAMPAIGN_OUTCOME_SETTLED, NGX_CAMPAIGN_S_SENT);
    o[0].segments = o[1].segments = 1;

    is_int(test_left(old, o, 3), NGX_CAMPAIGN_OK, "the old one records outcomes, in a newer epoch");

    make_progress(&c);
    ok(c.progress.sent == 2 && c.progress.failed == 1 && c.progress.segments == 2 && c.progress.accepted == 1, "they count");
    is_uint(c.progress.enroute, 17, "but for one of a message that is another's by now");
    is_uint(make_entries(NGX_CAMPAIGN_DB_LEAVING), 2, "two are left");

    is_int(test_left(old, o, 3), NGX_CAMPAIGN_OK, "the same once more");
    make_progress(&c);
    ok(c.progress.sent == 2 && c.progress.failed == 1 && c.progress.enroute == 17, "changes nothing");

    o[0] = make_outcome(&c, 3, NGX_CAMPAIGN_OUTCOME_SETTLED, NGX_CAMPAIGN_S_SENT);
    is_int(test_left(old + 7, o, 1), NGX_CAMPAIGN_OK, "nor does one of an epoch that did not hand it over");
    make_progress(&c);
    is_uint(c.progress.sent, 2, "whoever says it");

    o[1] = make_outcome(&c, 4, NGX_CAMPAIGN_OUTCOME_SETTLED, NGX_CAMPAIGN_S_SENT);
    is_int(test_left(old, o, 2), NGX_CAMPAIGN_OK, "all are recorded");
    is_uint(make_entries(NGX_CAMPAIGN_DB_LEAVING), 0, "nothing is left");
    is_uint(test_look(NULL), 0, "and nobody is away");
    ok(make_look(NULL), "the store is sound");
    test_there(old, 0);
}


/* what is to be done next is the new dispatcher's, and it hears of it */

static void
test_repeats(void)
{
    uint64_t                 old;
    ngx_campaign_outcome_t   o[2];
    ngx_campaign_campaign_t  c;

    test_campaign(&c, 3);
    is_uint(test_claim(&c, 3), 3, "three are in flight");
    old = test_hand_over(&c, 0, 3);

    o[0] = make_outcome(&c, 0, NGX_CAMPAIGN_OUTCOME_AGAIN, NGX_CAMPAIGN_S_RETRY);
    o[1] = make_outcome(&c, 1, NGX_CAMPAIGN_OUTCOME_BACK, NGX_CAMPAIGN_S_RETRY);
    o[0].due = ngx_stub_now + 5000;
    o[1].due = ngx_stub_now + 9000;

    is_int(test_left(old, o, 2), NGX_CAMPAIGN_OK, "one is to be tried again, one never was tried");
    is_uint(test_look(NULL), 1, "one is left");
    is_int(again_at, ngx_stub_now + 5000, "the new dispatcher hears when the first of them is due");

    ngx_stub_now += 20000;
    is_uint(test_claim(&c, 3), 2, "and claims both");

    o[0] = make_outcome(&c, 2, NGX_CAMPAIGN_OUTCOME_SETTLED, NGX_CAMPAIGN_S_SENT);
    is_int(test_left(old, o, 1), NGX_CAMPAIGN_OK, "the third is sent");

    o[0] = make_outcome(&c, 0, NGX_CAMPAIGN_OUTCOME_SETTLED, NGX_CAMPAIGN_S_SENT);
    o[1] = make_outcome(&c, 1, NGX_CAMPAIGN_OUTCOME_SETTLED, NGX_CAMPAIGN_S_SENT);
    o[0].attempt = o[0].claim = 2;
    (void) make_turn(NULL, 0, o, 2);

    make_progress(&c);
    ok(c.rec.status == NGX_CAMPAIGN_C_COMPLETED && c.progress.sent == 3, "the campaign ends");

    test_campaign(&c, 1);
    (void) test_claim(&c, 1);
    old = test_hand_over(&c, 0, 1);
    o[0] = make_outcome(&c, 0, NGX_CAMPAIGN_OUTCOME_SETTLED, NGX_CAMPAIGN_S_SENT);
    (void) test_left(old, o, 1);
    make_progress(&c);
    is_uint(c.rec.status, NGX_CAMPAIGN_C_COMPLETED, "it ends as well with an outcome of one who left");
    ok(make_look(NULL), "the store is sound");
}


static void
test_lost(void)
{
    uint64_t                 old;
    ngx_campaign_outcome_t   o;
    ngx_campaign_campaign_t  c;

    test_campaign(&c, 5);
    is_uint(test_claim(&c, 5), 5, "five are in flight");
    old = test_hand_over(&c, 0, 5);

    o = make_outcome(&c, 0, NGX_CAMPAIGN_OUTCOME_SETTLED, NGX_CAMPAIGN_S_SENT);
    (void) test_left(old, &o, 1);

    is_uint(test_look(NULL), 4, "four are away, as long as their process lives");

    test_there(old, 0);
    is_uint(test_look(NULL), 0, "it dies");

    make_progress(&c);
    ok(c.progress.sent == 1 && c.progress.again == 4 && c.progress.enroute == 0, "what it did not record is uncertain");
    is_int(again_at, ngx_stub_now, "and goes again at once");
    is_uint(make_entries(NGX_CAMPAIGN_DB_LEAVING), 0, "nothing is left");
    ok(make_look(NULL), "the store is sound");

    ngx_stub_now += 1000000;
    is_uint(test_claim(&c, 9), 4, "as a redelivery");
    make_progress(&c);
    is_uint(c.progress.redelivered, 4, "which is counted");
}


static void
test_lost_fails(void)
{
    uint64_t                 old;
    ngx_campaign_campaign_t  c;

    test_campaign(&c, 3);
    (void) test_claim(&c, 3);
    old = test_hand_over(&c, 0, 3);
    test_there(old, 0);

    is_uint(test_look("SMS"), 0, "without redelivery");

    make_progress(&c);
    ok(c.progress.failed == 3 && c.progress.uncertain == 3, "those of a process that died fail");
    is_uint(c.rec.status, NGX_CAMPAIGN_C_FAILED, "and the campaign ends");
    ok(make_look(NULL), "the store is sound");
}


/* two processes that do not see each other's locks: another container, a file that was removed */

static void
test_late(void)
{
    uint64_t                 old;
    ngx_campaign_outcome_t   o;
    ngx_campaign_campaign_t  c;

    test_campaign(&c, 2);
    (void) test_claim(&c, 2);
    old = test_hand_over(&c, 0, 2);
    test_there(old, 0);

    (void) test_look(NULL);
    ngx_stub_now += 1000000;
    is_uint(test_claim(&c, 2), 2, "uncertain messages are claimed again");

    o = make_outcome(&c, 0, NGX_CAMPAIGN_OUTCOME_AGAIN, NGX_CAMPAIGN_S_RETRY);
    is_int(test_left(old, &o, 1), NGX_CAMPAIGN_OK, "then their first outcome comes");

    make_progress(&c);
    ok(c.progress.enroute == 2 && c.progress.again == 0, "it changes nothing: they are another's by now");
}


static void
test_generations(void)
{
    uint64_t                 first, second;
    ngx_campaign_outcome_t   o;
    ngx_campaign_campaign_t  c;

    test_campaign(&c, 6);
    is_uint(test_claim(&c, 2), 2, "two are in flight");
    first = test_hand_over(&c, 0, 2);

    is_uint(test_look(NULL), 2, "the next dispatcher looks");
    is_uint(test_claim(&c, 2), 2, "claims two more");
    second = test_hand_over(&c, 2, 4);

    is_uint(test_look(NULL), 4, "and leaves, too: four are away");
    test_there(first, 0);
    is_uint(test_look(NULL), 2, "one of them dies");

    make_progress(&c);
    ok(c.progress.again == 2 && c.progress.enroute == 2, "its messages are uncertain, the other's are not");

    o = make_outcome(&c, 3, NGX_CAMPAIGN_OUTCOME_SETTLED, NGX_CAMPAIGN_S_SENT);
    is_int(test_left(second, &o, 1), NGX_CAMPAIGN_OK, "the other records");
    make_progress(&c);
    is_uint(c.progress.sent, 1, "as ever");
    test_there(second, 0);
    (void) test_look(NULL);
}


static void
test_receipt(void)
{
    uint64_t                 old;
    store_op_t              *so;
    ngx_str_t                channel;
    ngx_campaign_outcome_t   o;
    ngx_campaign_receipt_t   r;
    ngx_campaign_receipts_t  rs;
    ngx_campaign_campaign_t  c;

    test_campaign(&c, 2);
    (void) test_claim(&c, 2);
    old = test_hand_over(&c, 0, 2);

    ngx_memzero(&r, sizeof(r));
    channel = make_str("SMS");
    rs.channels = &channel;
    rs.nchannels = 1;
    rs.receipts = &r;
    rs.nreceipts = 1;
    r.ours = 1;
    r.receipt = NGX_CAMPAIGN_RECEIPT_DELIVERED;
    ngx_campaign_id_make(ngx_campaign_store_secret(st), NGX_CAMPAIGN_MESSAGE, c.rec.no, 0, r.id);

    so = store_op();
    is_int(store_wait(so, ngx_campaign_store_receipts(st, &so->op, &rs)), NGX_CAMPAIGN_OK, "a receipt comes before the answer");
    is_int(r.rc, NGX_CAMPAIGN_OK, "for a message that was handed over");
    store_free(so);

    make_progress(&c);
    ok(c.progress.delivered == 1 && c.progress.enroute == 1, "and settles it");
    is_uint(test_look(NULL), 2, "its request is still on its way");

    o = make_outcome(&c, 0, NGX_CAMPAIGN_OUTCOME_SETTLED, NGX_CAMPAIGN_S_SENT);
    (void) test_left(old, &o, 1);
    make_progress(&c);
    ok(c.progress.delivered == 1 && c.progress.sent == 0, "the answer changes nothing then");
    is_uint(test_look(NULL), 1, "but that it is here");

    r.rc = 0;
    ngx_campaign_id_make(ngx_campaign_store_secret(st), NGX_CAMPAIGN_MESSAGE, c.rec.no, 1, r.id);
    (void) store_answer(ngx_campaign_store_receipts(st, store_begin(), &rs));
    test_there(old, 0);
    is_uint(test_look(NULL), 0, "of one that a receipt settled");

    make_progress(&c);
    ok(c.progress.delivered == 2 && c.progress.again == 0, "nothing is uncertain, though its process dies");
    is_uint(make_entries(NGX_CAMPAIGN_DB_LEAVING), 0, "nothing is left");

    test_campaign(&c, 1);
    (void) test_claim(&c, 1);
    old = test_hand_over(&c, 0, 1);
    ngx_campaign_id_make(ngx_campaign_store_secret(st), NGX_CAMPAIGN_MESSAGE, c.rec.no, 0, r.id);
    (void) store_answer(ngx_campaign_store_receipts(st, store_begin(), &rs));
    is_int(make_delete(NGX_CAMPAIGN_CAMPAIGN, mine, c.rec.id), NGX_CAMPAIGN_OK, "its campaign may be over, and deleted");
    is_uint(make_entries(NGX_CAMPAIGN_DB_LEAVING), 0, "which takes it along");

    o = make_outcome(&c, 0, NGX_CAMPAIGN_OUTCOME_SETTLED, NGX_CAMPAIGN_S_SENT);
    is_int(test_left(old, &o, 1), NGX_CAMPAIGN_OK, "before the answer comes");
    test_there(old, 0);
    ok(make_look(NULL), "the store is sound");
}


static void
test_canceled(void)
{
    u_char                   id[NGX_CAMPAIGN_ID_LEN];
    uint64_t                 old;
    ngx_campaign_outcome_t   o[2];
    ngx_campaign_campaign_t  c, change;

    test_campaign(&c, 8);
    (void) test_claim(&c, 4);
    old = test_hand_over(&c, 0, 4);

    ngx_campaign_id_make(ngx_campaign_store_secret(st), NGX_CAMPAIGN_MESSAGE, c.rec.no, 0, id);
    is_int(store_answer(ngx_campaign_store_message_cancel(st, store_begin(), mine, id)), NGX_CAMPAIGN_CONFLICT,
           "a message that was handed over is in flight: it cannot be canceled");

    change = c;
    change.rec.status = NGX_CAMPAIGN_C_CANCELED;
    is_int(store_answer(ngx_campaign_store_change(st, store_begin(), &change, NGX_CAMPAIGN_SET_STATUS,
                                                    (ngx_uint_t) 1 << NGX_CAMPAIGN_C_IN_PROGRESS)),
           NGX_CAMPAIGN_OK, "its campaign is");

    is_int(make_delete(NGX_CAMPAIGN_CAMPAIGN, mine, c.rec.id), NGX_CAMPAIGN_IN_USE, "and not deleted while it is in flight");

    o[0] = make_outcome(&c, 0, NGX_CAMPAIGN_OUTCOME_SETTLED, NGX_CAMPAIGN_S_SENT);
    o[1] = make_outcome(&c, 1, NGX_CAMPAIGN_OUTCOME_AGAIN, NGX_CAMPAIGN_S_RETRY);
    (void) test_left(old, o, 2);
    make_progress(&c);
    ok(c.progress.sent == 1 && c.progress.canceled == 5 && c.progress.enroute == 2, "what comes of it counts, none is repeated");

    test_there(old, 0);
    (void) test_look(NULL);
    make_progress(&c);
    ok(c.progress.failed == 2 && c.progress.uncertain == 2, "nor what is uncertain");
    is_int(make_delete(NGX_CAMPAIGN_CAMPAIGN, mine, c.rec.id), NGX_CAMPAIGN_OK, "then it is deleted");
    ok(make_look(NULL), "the store is sound");
}


/* the answer to a last turn was lost: it is taken once more, with what is in flight by then */

static void
test_again(void)
{
    uint64_t                 old;
    ngx_campaign_outcome_t   o[3];
    ngx_campaign_campaign_t  c;

    test_campaign(&c, 3);
    (void) test_claim(&c, 3);
    old = make_epoch;
    test_there(old, 1);

    is_int(test_leave(old, &c, 0, 3, NULL, 0), NGX_CAMPAIGN_OK, "three are handed over");
    o[0] = make_outcome(&c, 0, NGX_CAMPAIGN_OUTCOME_AGAIN, NGX_CAMPAIGN_S_RETRY);
    is_int(test_leave(old, &c, 0, 3, o, 1), NGX_CAMPAIGN_OK, "and once more, with an outcome");

    make_progress(&c);
    ok(c.progress.enroute == 2 && c.progress.again == 1, "which counts");
    is_uint(make_entries(NGX_CAMPAIGN_DB_LEAVING), 2, "and is not handed over");

    make_lease();
    is_int(test_leave(old, &c, 0, 3, NULL, 0), NGX_CAMPAIGN_FENCED, "nothing is handed over by an epoch that is not the newest");
    is_uint(test_look(NULL), 2, "two are away");
    test_there(old, 0);
    (void) test_look(NULL);
    ok(make_look(NULL), "the store is sound");
}


/* a campaign in progress */

static void
test_campaign(ngx_campaign_campaign_t *c, ngx_uint_t n)
{
    char  name[16];

    static ngx_uint_t  made;

    (void) snprintf(name, sizeof(name), "name %lu", (unsigned long) made);

    if (made++ % 3 == 0) {
        mine = make_account(name);
        make_sender(mine, "Acme", NULL);
    }

    make_lease();
    make_started(c, mine, name, n);
}


static ngx_uint_t
test_claim(ngx_campaign_campaign_t *c, ngx_uint_t n)
{
    ngx_stub_now += 1000000;

    return make_turn(c, (uint32_t) n, NULL, 0);
}


/* messages [from, to) are handed over by a living process, and a new one takes the lease */

static uint64_t
test_hand_over(ngx_campaign_campaign_t *c, uint32_t from, uint32_t to)
{
    uint64_t  old;

    old = make_epoch;
    test_there(old, 1);
    is_int(test_leave(old, c, from, to, NULL, 0), NGX_CAMPAIGN_OK, "they are handed over");
    make_lease();
    (void) test_look(NULL);

    return old;
}


static ngx_campaign_rc_e
test_leave(uint64_t epoch, ngx_campaign_campaign_t *c, uint32_t from, uint32_t to, ngx_campaign_outcome_t *o, ngx_uint_t n)
{
    uint32_t                i;
    ngx_campaign_turn_t     turn;
    ngx_campaign_leaving_t  leaving[8];

    ngx_memzero(&turn, sizeof(turn));

    turn.epoch = epoch;
    turn.outcomes = o;
    turn.noutcomes = n;
    turn.leaving = leaving;
    turn.last = 1;

    for (i = to; i > from; i--) {
        leaving[turn.nleaving].campaign = c->rec.no;
        leaving[turn.nleaving++].seq = i - 1;
    }

    return store_answer(ngx_campaign_store_turn(st, store_begin(), &turn));
}


static ngx_campaign_rc_e
test_left(uint64_t epoch, ngx_campaign_outcome_t *o, ngx_uint_t n)
{
    ngx_campaign_turn_t  turn;

    ngx_memzero(&turn, sizeof(turn));

    turn.epoch = epoch;
    turn.outcomes = o;
    turn.noutcomes = n;
    turn.left = 1;

    return store_answer(ngx_campaign_store_turn(st, store_begin(), &turn));
}


/* a turn of the newest dispatcher that looks; messages that are away */

static ngx_uint_t
test_look(const char *uncertain)
{
    ngx_str_t             channel;
    ngx_uint_t            i, n;
    store_op_t           *so;
    ngx_campaign_away_t  *away;
    ngx_campaign_live_t  *live;
    ngx_campaign_turn_t   turn;

    ngx_memzero(&turn, sizeof(turn));

    turn.epoch = make_epoch;
    turn.look = 1;

    if (uncertain) {
        channel = make_str(uncertain);
        turn.uncertain = &channel;
        turn.nuncertain = 1;
    }

    so = store_op();

    if (store_wait(so, ngx_campaign_store_turn(st, &so->op, &turn)) != NGX_CAMPAIGN_OK) {
        diag("the turn fails");
        exit(2);
    }

    away = turn.away->elts;

    for (n = 0, i = 0; i < turn.away->nelts; i++) {
        n += away[i].n;
    }

    live = turn.changes->elts;

    for (i = 0; i < turn.changes->nelts; i++) {
        if (live[i].kind == NGX_CAMPAIGN_CAMPAIGN) {
            again_at = live[i].again_at;
        }
    }

    store_free(so);

    return n;
}


/* whether another process is on the post of that epoch */

static void
test_there(uint64_t epoch, ngx_uint_t there)
{
    char          path[4096];
    struct flock  fl;

    if (other == NGX_INVALID_FILE) {
        (void) snprintf(path, sizeof(path), "%s/idempotency.lock", (char *) store_conf.path.data);
        other = open(path, O_RDWR|O_CLOEXEC);
    }

    ngx_memzero(&fl, sizeof(fl));
    fl.l_type = there ? F_WRLCK : F_UNLCK;
    fl.l_whence = SEEK_SET;
    fl.l_start = TEST_POSTS + (off_t) epoch;
    fl.l_len = 1;

    ok(fcntl(other, F_OFD_SETLK, &fl) == 0, there ? "a process is on its post" : "it leaves its post");
    is_int(ngx_campaign_store_post(st, epoch), there ? NGX_BUSY : NGX_OK, there ? "which no other one can take" : "which is free then");

    if (!there) {
        ngx_campaign_store_post_leave(st, epoch);
    }
}
