
/*
 * Webhooks and their events at the store: kept only if somebody hears, told in the order of their message, bounded, and gone with their
 * webhook.
 */

#include "store_make.h"
#include "ngx_campaign_store_lmdb_event.h"
#include "ngx_campaign_webhook.h"


typedef struct {
    uint32_t                  account;
    uint64_t                  campaign;
    uint32_t                  seq;
    ngx_uint_t                n;
} test_add_t;


static void test_heard(void);
static void test_order(void);
static void test_outcomes(void);
static void test_gone(void);
static void test_bounded(void);
static void test_delete(void);

static ngx_campaign_webhook_t test_hook(uint32_t account, ngx_uint_t event);
static ngx_campaign_webhook_t test_get(ngx_campaign_webhook_t *w);
static void test_add(uint32_t account, uint64_t campaign, uint32_t seq, ngx_uint_t n);
static ngx_campaign_rc_e test_add_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args);
static ngx_campaign_rc_e test_message_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args);
static ngx_uint_t test_take(ngx_campaign_webhook_t *w, uint64_t *no, ngx_uint_t *held, ngx_uint_t most);
static ngx_campaign_rc_e test_tell(ngx_campaign_webhook_t *w, uint64_t no, ngx_campaign_tell_e kind, uint32_t attempt, int64_t due);
static ngx_uint_t test_due(ngx_campaign_webhook_t *w);


static uint32_t                test_account;
static ngx_campaign_webhook_t  test_w;


int
main(int argc, char **argv)
{
    make_store(argv[0]);

    test_account = make_account("one");

    test_heard();
    test_order();
    test_outcomes();
    test_gone();
    test_bounded();
    test_delete();

    make_end();

    return done_testing();
}


static void
test_heard(void)
{
    uint64_t                 no[4];
    ngx_uint_t               held[4];
    store_op_t              *so;
    ngx_campaign_take_t      take;
    ngx_campaign_webhook_t   again, message;
    ngx_campaign_notice_t   *notice;

    test_add(test_account, 7, 1, 3);
    is_uint(make_entries(NGX_CAMPAIGN_DB_EVENT), 0, "nobody hears: nothing is kept");

    test_w = test_hook(test_account, NGX_CAMPAIGN_W_DELIVERY);

    ngx_memzero(&again, sizeof(ngx_campaign_webhook_t));
    again.event = NGX_CAMPAIGN_W_DELIVERY;
    again.url = make_str("http://example.com/");
    is_uint(make_put(NGX_CAMPAIGN_WEBHOOK, &again, test_account, "delivery", "", NULL), NGX_CAMPAIGN_EXISTS, "one for each event");

    so = store_op();
    (void) ngx_campaign_lmdb_write_now(st, &so->op, test_message_work, &test_account);
    store_free(so);
    is_uint(make_entries(NGX_CAMPAIGN_DB_EVENT), 0, "another kind of event is not heard");

    message = test_hook(test_account, NGX_CAMPAIGN_W_MESSAGE);

    so = store_op();
    (void) ngx_campaign_lmdb_write_now(st, &so->op, test_message_work, &test_account);
    store_free(so);

    is_uint(test_take(&message, no, held, 4), 1, "an inbound message is");

    so = store_op();
    take.webhook = message.rec.no;
    take.most = 4;
    (void) store_wait(so, ngx_campaign_store_take(st, &so->op, &take));
    notice = take.notices->elts;
    is_str(&notice->event.from, "15551234567", "with its sender");
    is_str(&notice->event.text, "STOP", "and its text");
    is_str(&take.hook.url, "http://example.com/hook", "for that URL");
    store_free(so);

    is_uint(make_delete(NGX_CAMPAIGN_WEBHOOK, test_account, message.rec.id), NGX_CAMPAIGN_OK, "the webhook goes");
    is_uint(make_entries(NGX_CAMPAIGN_DB_EVENT) + make_entries(NGX_CAMPAIGN_DB_DUE), 0, "and its event with it");
}


static void
test_order(void)
{
    uint64_t    no[8];
    int64_t     later;
    ngx_uint_t  held[8];

    test_add(test_account, 7, 1, 2);
    test_add(test_account, 7, 2, 1);

    is_uint(test_due(&test_w), 1, "something is due");
    is_uint(test_take(&test_w, no, held, 8), 3, "three events");
    ok(no[0] == 1 && no[1] == 2 && no[2] == 3 && !held[0] && !held[1] && !held[2], "in their order");
    is_uint(test_take(&test_w, no, held, 2), 2, "no more than asked for");

    later = ngx_stub_now + 5000000;
    is_uint(test_tell(&test_w, 1, NGX_CAMPAIGN_TELL_AGAIN, 1, later), NGX_CAMPAIGN_OK, "the first has to be repeated");
    is_uint(test_take(&test_w, no, held, 8), 2, "two are due");
    ok(no[0] == 2 && held[0] && no[1] == 3 && !held[1], "the other one of its message is held, that of another message is not");

    (void) test_tell(&test_w, 2, NGX_CAMPAIGN_TELL_HELD, 1, 0);
    is_uint(test_take(&test_w, no, held, 8), 1, "which then waits, too");
    is_uint(no[0], 3, "and not in the way of others");
    (void) test_tell(&test_w, 3, NGX_CAMPAIGN_TELL_DONE, 1, 0);
    is_uint(test_due(&test_w), 0, "nothing is due");
    is_int(test_get(&test_w).queue.next, later, "until the repeat");

    ngx_stub_now = later + 1;
    is_uint(test_take(&test_w, no, held, 8), 2, "both are due again");
    ok(no[0] == 1 && !held[0] && no[1] == 2 && held[1], "the first first");
    (void) test_tell(&test_w, 1, NGX_CAMPAIGN_TELL_DONE, 2, 0);
    is_uint(test_take(&test_w, no, held, 8), 1, "it was told");
    ok(no[0] == 2 && !held[0], "now the second one may go");
    is_uint(make_entries(NGX_CAMPAIGN_DB_HOLD), 0, "nothing holds up anything");
}


static void
test_outcomes(void)
{
    store_op_t              *so;
    ngx_campaign_replay_t    replay;
    ngx_campaign_webhook_t   w;

    (void) test_tell(&test_w, 2, NGX_CAMPAIGN_TELL_AGAIN, 1, ngx_stub_now + 1000);
    (void) test_tell(&test_w, 2, NGX_CAMPAIGN_TELL_FAILED, 1, 0);
    w = test_get(&test_w);
    ok(w.queue.waiting == 1 && w.queue.failed == 0, "an outcome of a try that was recorded before changes nothing");

    (void) test_tell(&test_w, 77, NGX_CAMPAIGN_TELL_DONE, 1, 0);
    is_uint(test_get(&test_w).queue.waiting, 1, "nor does one of an event that is not there");

    (void) test_tell(&test_w, 2, NGX_CAMPAIGN_TELL_FAILED, 2, 0);
    w = test_get(&test_w);
    ok(w.queue.waiting == 0 && w.queue.failed == 1 && w.queue.next == 0, "what failed does not wait");
    ok(w.queue.told == NGX_CAMPAIGN_TOLD_STATUS && w.queue.code == 500, "and the last result is shown");
    is_uint(make_entries(NGX_CAMPAIGN_DB_HOLD), 0, "it holds up no other");

    ngx_memzero(&replay, sizeof(ngx_campaign_replay_t));
    replay.account = test_account;
    replay.webhook = test_w.rec.id;
    replay.from = 0;
    replay.to = MAKE_NOW / 1000000 - 1;

    so = store_op();
    is_uint(store_wait(so, ngx_campaign_store_replay(st, &so->op, &replay)), NGX_CAMPAIGN_OK, "a replay of a time before it");
    is_uint(replay.n, 0, "finds nothing");
    replay.to++;
    is_uint(store_wait(so, ngx_campaign_store_replay(st, &so->op, &replay)), NGX_CAMPAIGN_OK, "one of its time");
    is_uint(replay.n, 1, "finds it");
    is_uint(replay.more, 0, "and nothing else");
    store_free(so);

    w = test_get(&test_w);
    ok(w.queue.waiting == 1 && w.queue.failed == 0, "it waits");
    (void) test_tell(&test_w, 2, NGX_CAMPAIGN_TELL_DONE, 1, 0);
    is_uint(make_entries(NGX_CAMPAIGN_DB_EVENT), 0, "as if it were new");
}


static void
test_gone(void)
{
    ngx_campaign_webhook_t  w;

    test_add(test_account, 8, 1, 2);
    (void) test_tell(&test_w, 4, NGX_CAMPAIGN_TELL_GONE, 1, 0);

    w = test_get(&test_w);
    is_uint(w.rec.status, NGX_CAMPAIGN_A_DISABLED, "410 disables a webhook");
    is_uint(w.queue.waiting, 1, "what waits stays");
    is_uint(test_due(&test_w), 0, "and is not due");

    test_add(test_account, 8, 2, 1);
    is_uint(make_entries(NGX_CAMPAIGN_DB_EVENT), 2, "it hears nothing more");

    w.rec.status = NGX_CAMPAIGN_A_ACTIVE;
    is_uint(store_answer(ngx_campaign_store_webhook(st, store_begin(), &w, NGX_CAMPAIGN_SET_STATUS)), NGX_CAMPAIGN_OK, "it is made active");
    is_uint(test_due(&test_w), 1, "and what waited is due");
}


static void
test_bounded(void)
{
    uint64_t                 no[1];
    ngx_uint_t               i, held[1];
    ngx_campaign_webhook_t   w;

    w = test_get(&test_w);
    i = NGX_CAMPAIGN_EVENTS_MAX - w.queue.waiting - w.queue.failed;

    test_add(test_account, 9, 1, i);
    w = test_get(&test_w);
    ok(w.queue.waiting + w.queue.failed == NGX_CAMPAIGN_EVENTS_MAX && w.queue.dropped == 0, "so many events are kept");

    test_add(test_account, 9, 1, 5);
    w = test_get(&test_w);
    ok(w.queue.waiting == NGX_CAMPAIGN_EVENTS_MAX && w.queue.failed == 0 && w.queue.dropped == 5, "the oldest go first, and are counted");
    is_uint(test_take(&test_w, no, held, 1), 1, "the oldest that is left");
    is_uint(no[0], 9, "is the one behind them");
    is_uint(make_entries(NGX_CAMPAIGN_DB_EVENT), NGX_CAMPAIGN_EVENTS_MAX, "no event is left over");
    is_uint(make_entries(NGX_CAMPAIGN_DB_DUE), NGX_CAMPAIGN_EVENTS_MAX, "nor a due time");
}


static void
test_delete(void)
{
    (void) test_tell(&test_w, 9, NGX_CAMPAIGN_TELL_AGAIN, 1, ngx_stub_now + 1000);

    is_uint(make_delete(NGX_CAMPAIGN_WEBHOOK, test_account + 1, test_w.rec.id), NGX_CAMPAIGN_NOT_FOUND, "another account's is not there");
    is_uint(make_delete(NGX_CAMPAIGN_WEBHOOK, test_account, test_w.rec.id), NGX_CAMPAIGN_OK, "it is deleted");
    is_uint(make_entries(NGX_CAMPAIGN_DB_HOOK) + make_entries(NGX_CAMPAIGN_DB_EVENT) + make_entries(NGX_CAMPAIGN_DB_DUE)
            + make_entries(NGX_CAMPAIGN_DB_HOLD), 0, "with all that hung on it");
    is_uint(test_tell(&test_w, 10, NGX_CAMPAIGN_TELL_DONE, 1, 0), NGX_CAMPAIGN_OK, "an outcome that comes later changes nothing");
}


static ngx_campaign_webhook_t
test_hook(uint32_t account, ngx_uint_t event)
{
    ngx_campaign_webhook_t  w;

    ngx_memzero(&w, sizeof(ngx_campaign_webhook_t));

    w.event = event;
    w.url = make_str("http://example.com/hook");
    w.secret = make_str("secret");

    is_uint(make_put(NGX_CAMPAIGN_WEBHOOK, &w, account, (char *) ngx_campaign_webhook_event_name(event)->data, "", NULL), NGX_CAMPAIGN_OK,
            "a webhook");

    return w;
}


/* without its strings */

static ngx_campaign_webhook_t
test_get(ngx_campaign_webhook_t *w)
{
    ngx_campaign_webhook_t  out;

    ngx_memzero(&out, sizeof(ngx_campaign_webhook_t));

    (void) store_answer(ngx_campaign_store_get(st, store_begin(), NGX_CAMPAIGN_WEBHOOK, test_account, w->rec.id, &out));

    return out;
}


static void
test_add(uint32_t account, uint64_t campaign, uint32_t seq, ngx_uint_t n)
{
    store_op_t  *so;
    test_add_t   add = { account, campaign, seq, n };

    so = store_op();
    is_uint(ngx_campaign_lmdb_write_now(st, &so->op, test_add_work, &add), NGX_CAMPAIGN_OK, "%u events", (unsigned) n);
    store_free(so);
}


static ngx_campaign_rc_e
test_add_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args)
{
    test_add_t *add = args;

    ngx_uint_t             i;
    ngx_campaign_rc_e      rc;
    ngx_campaign_event_t   e;
    ngx_campaign_hears_t   h;

    ngx_memzero(&h, sizeof(ngx_campaign_hears_t));

    rc = ngx_campaign_hears_open(t, &h, add->account, NGX_CAMPAIGN_W_DELIVERY);

    for (i = 0; i < add->n && rc == NGX_CAMPAIGN_OK && h.webhook; i++) {
        ngx_memzero(&e, sizeof(ngx_campaign_event_t));

        e.event = NGX_CAMPAIGN_W_DELIVERY;
        e.campaign = add->campaign;
        e.seq = add->seq;

        rc = ngx_campaign_hears_add(t, &h, &e);
    }

    return rc == NGX_CAMPAIGN_OK ? ngx_campaign_hears_close(t, &h) : rc;
}


static ngx_campaign_rc_e
test_message_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args)
{
    ngx_str_t  channel, from, to, text;

    channel = make_str("SMS");
    from = make_str("15551234567");
    to = make_str("12345");
    text = make_str("STOP");

    return ngx_campaign_lmdb_event_message(t, *(uint32_t *) args, &channel, &from, &to, &text);
}


static ngx_uint_t
test_take(ngx_campaign_webhook_t *w, uint64_t *no, ngx_uint_t *held, ngx_uint_t most)
{
    ngx_uint_t              i, n;
    store_op_t             *so;
    ngx_campaign_take_t     take;
    ngx_campaign_notice_t  *notice;

    ngx_memzero(&take, sizeof(ngx_campaign_take_t));
    take.webhook = w->rec.no;
    take.most = most;

    so = store_op();
    n = 0;

    if (store_wait(so, ngx_campaign_store_take(st, &so->op, &take)) == NGX_CAMPAIGN_OK) {
        n = take.notices->nelts;
        notice = take.notices->elts;

        for (i = 0; i < n; i++) {
            no[i] = notice[i].event.no;
            held[i] = notice[i].held;
        }
    }

    store_free(so);

    return n;
}


static ngx_campaign_rc_e
test_tell(ngx_campaign_webhook_t *w, uint64_t no, ngx_campaign_tell_e kind, uint32_t attempt, int64_t due)
{
    ngx_campaign_tell_t  tell;

    ngx_memzero(&tell, sizeof(ngx_campaign_tell_t));

    tell.webhook = w->rec.no;
    tell.no = no;
    tell.kind = kind;
    tell.attempt = attempt;
    tell.due = due;
    tell.told = kind == NGX_CAMPAIGN_TELL_DONE ? NGX_CAMPAIGN_TOLD_DELIVERED : NGX_CAMPAIGN_TOLD_STATUS;
    tell.code = kind == NGX_CAMPAIGN_TELL_DONE ? 200 : 500;

    return store_answer(ngx_campaign_store_tell(st, store_begin(), &tell, 1));
}


static ngx_uint_t
test_due(ngx_campaign_webhook_t *w)
{
    ngx_uint_t          i, n;
    ngx_campaign_due_t  due;

    ngx_memzero(&due, sizeof(ngx_campaign_due_t));

    (void) store_answer(ngx_campaign_store_due(st, store_begin(), &due));

    for (n = 0, i = 0; i < due.n; i++) {
        n += (due.webhooks[i] == w->rec.no);
    }

    return n;
}
