
/*
 * Campaigns through the operations of ngx_campaign_store.h: started by a turn, changed, canceled, paused, deleted.  After each step
 * the whole store is looked at: lists, counts and tables agree with what each campaign says of itself.
 */

#include "store_life.h"

#include "ngx_campaign_state.h"


#define S(status)  ((ngx_uint_t) 1 << NGX_CAMPAIGN_C_##status)


static void test_start(void);
static void test_reschedule(void);
static void test_rename(void);
static void test_cancel_scheduled(void);
static void test_cancel_running(void);
static void test_pause(void);
static void test_pause_settled(void);
static void test_wrong_status(void);
static void test_delete(void);
static void test_delete_audience(void);
static void test_delete_others(void);
static void test_foreign(void);


int
main(int argc, char **argv)
{
    life_begin(argv[0]);

    test_start();
    test_reschedule();
    test_rename();
    test_cancel_scheduled();
    test_cancel_running();
    test_pause();
    test_pause_settled();
    test_wrong_status();
    test_delete();
    test_delete_audience();
    test_delete_others();
    test_foreign();

    return life_end();
}


static void
test_start(void)
{
    ngx_campaign_outcome_t   o;
    ngx_campaign_campaign_t  c;

    (void) life_create(&c, "start", NULL, 3);

    (void) make_turn(NULL, 0, NULL, 0);
    (void) life_get(&c);
    is_uint(c.rec.status, NGX_CAMPAIGN_C_IN_PROGRESS, "a turn starts a campaign without a schedule");
    is_int(c.progress.started, LIFE_NOW, "... and notes when");
    ok(make_look(NULL), "the store agrees with itself");

    is_uint(make_turn(&c, 2, NULL, 0), 2, "its messages can be claimed");
    (void) life_get(&c);
    is_uint(c.progress.enroute, 2, "... are in flight then");
    is_uint(c.progress.pending, 1, "... and not pending");

    o = make_outcome(&c, 0, NGX_CAMPAIGN_OUTCOME_SETTLED, NGX_CAMPAIGN_S_SENT);
    (void) make_turn(&c, 1, &o, 1);
    o = make_outcome(&c, 1, NGX_CAMPAIGN_OUTCOME_SETTLED, NGX_CAMPAIGN_S_FAILED);
    (void) make_turn(NULL, 0, &o, 1);
    ngx_stub_now += 7000000;
    o = make_outcome(&c, 2, NGX_CAMPAIGN_OUTCOME_SETTLED, NGX_CAMPAIGN_S_FAILED);
    (void) make_turn(NULL, 0, &o, 1);

    (void) life_get(&c);
    is_uint(c.rec.status, NGX_CAMPAIGN_C_COMPLETED, "it is completed with its last message");
    is_int(c.progress.finished, LIFE_NOW + 7, "... and notes when");
    is_uint(c.progress.sent, 1, "one was sent");
    is_uint(c.progress.failed, 2, "two failed");
    ok(make_look(NULL), "the store agrees with itself");

    ngx_stub_now = MAKE_NOW;
}


static void
test_reschedule(void)
{
    ngx_campaign_peek_t      peek;
    ngx_campaign_campaign_t  c;

    make_campaign(&c, mine, "later", NULL);
    c.schedule = LIFE_NOW + 3600;
    is_uint(life_create(&c, NULL, NULL, 2), NGX_CAMPAIGN_OK, "a campaign for later");

    (void) make_turn(NULL, 0, NULL, 0);
    (void) life_get(&c);
    is_uint(c.rec.status, NGX_CAMPAIGN_C_SCHEDULED, "does not start before its time");
    is_int(c.schedule, LIFE_NOW + 3600, "... which it tells");

    ngx_stub_now += 60000000;
    c.schedule = LIFE_NOW + 1800;
    is_uint(life_change(&c, NGX_CAMPAIGN_SET_SCHEDULE, S(SCHEDULED)), NGX_CAMPAIGN_OK, "its time may be changed");
    is_int(c.schedule, LIFE_NOW + 1800, "... and is told");
    is_int(c.rec.updated, LIFE_NOW + 60, "... with the date of the change");
    is_str(&c.text, "Hello", "... and all the rest");

    (void) life_peek(&peek);
    is_int(peek.next, (LIFE_NOW + 1800) * 1000000LL, "the dispatcher sees the new time");
    ok(make_look(NULL), "the store agrees with itself");

    ngx_stub_now = (LIFE_NOW + 1800) * 1000000LL;
    (void) make_turn(NULL, 0, NULL, 0);
    (void) life_get(&c);
    is_uint(c.rec.status, NGX_CAMPAIGN_C_IN_PROGRESS, "then it starts");

    c.schedule = LIFE_NOW + 9000;
    is_uint(life_change(&c, NGX_CAMPAIGN_SET_SCHEDULE, S(SCHEDULED) | S(IN_PROGRESS)), NGX_CAMPAIGN_CONFLICT,
            "once it runs its time stays");
    ok(make_look(NULL), "the store agrees with itself");

    (void) life_status(&c, NGX_CAMPAIGN_C_CANCELED);

    ngx_stub_now = MAKE_NOW;
    make_campaign(&c, mine, "at once after all", NULL);
    c.schedule = LIFE_NOW + 3600;
    (void) life_create(&c, NULL, NULL, 2);
    c.schedule = 0;
    is_uint(life_change(&c, NGX_CAMPAIGN_SET_SCHEDULE, S(SCHEDULED)), NGX_CAMPAIGN_OK, "a schedule may be taken back");

    (void) make_turn(NULL, 0, NULL, 0);
    (void) life_get(&c);
    is_uint(c.rec.status, NGX_CAMPAIGN_C_IN_PROGRESS, "then the campaign starts at once");
    (void) life_status(&c, NGX_CAMPAIGN_C_CANCELED);
}


static void
test_rename(void)
{
    ngx_campaign_campaign_t  c, again;

    (void) life_create(&c, "old name", NULL, 2);

    c.rec.name = make_str("start");
    is_uint(life_change(&c, NGX_CAMPAIGN_SET_NAME, ~0), NGX_CAMPAIGN_EXISTS, "a campaign cannot take another's name");

    c.rec.name = make_str("old name");
    is_uint(life_change(&c, NGX_CAMPAIGN_SET_NAME, ~0), NGX_CAMPAIGN_OK, "it can keep its own");

    ngx_stub_now += 5000000;
    c.rec.name = make_str("new name");
    is_uint(life_change(&c, NGX_CAMPAIGN_SET_NAME, ~0), NGX_CAMPAIGN_OK, "it can take a free one");
    is_int(c.rec.updated, LIFE_NOW + 5, "... which is a change");

    (void) life_get(&c);
    is_str(&c.rec.name, "new name", "it is found under its new name");
    is_uint(c.progress.total, 2, "... with its messages");
    is_int(c.rec.created, LIFE_NOW, "... and its date of creation");

    is_uint(life_create(&again, "old name", NULL, 2), NGX_CAMPAIGN_OK, "the old name is free");
    is_uint(life_create(&again, "new name", NULL, 2), NGX_CAMPAIGN_EXISTS, "... the new one is not");

    (void) make_turn(NULL, 0, NULL, 0);
    c.rec.name = make_str("newest name");
    is_uint(life_change(&c, NGX_CAMPAIGN_SET_NAME, ~0), NGX_CAMPAIGN_OK, "a running campaign can be renamed");
    is_uint(c.rec.status, NGX_CAMPAIGN_C_IN_PROGRESS, "... and runs on");
    ok(make_look(NULL), "the store agrees with itself");

    c.rec.name = make_str("not this");
    c.rec.status = NGX_CAMPAIGN_C_COMPLETED;
    is_uint(life_change(&c, NGX_CAMPAIGN_SET_NAME | NGX_CAMPAIGN_SET_STATUS, ~0), NGX_CAMPAIGN_CONFLICT,
            "a change is carried out in whole or not at all");
    (void) life_get(&c);
    is_str(&c.rec.name, "newest name", "... here not at all");

    ngx_stub_now = MAKE_NOW;
}


static void
test_cancel_scheduled(void)
{
    ngx_campaign_campaign_t  c;

    make_campaign(&c, mine, "cancel before its time", NULL);
    c.schedule = LIFE_NOW + 3600;
    (void) life_create(&c, NULL, audience, 0);

    is_uint(life_status(&c, NGX_CAMPAIGN_C_CANCELED), NGX_CAMPAIGN_OK, "a scheduled campaign is canceled");
    is_uint(c.rec.status, NGX_CAMPAIGN_C_CANCELED, "... says so");
    is_uint(c.progress.canceled, 300, "all its messages are canceled");
    is_uint(c.progress.reason[NGX_CAMPAIGN_R_CANCELED], 300, "... for that reason");
    is_uint(c.progress.pending, 0, "none is pending");
    is_int(c.progress.started, 0, "it never started");
    is_int(c.progress.finished, LIFE_NOW, "it is finished");
    ok(make_look(NULL), "the store agrees with itself");

    ngx_stub_now += 7200LL * 1000000;
    (void) make_turn(NULL, 0, NULL, 0);
    (void) life_get(&c);
    is_uint(c.rec.status, NGX_CAMPAIGN_C_CANCELED, "its time comes and nothing starts");
    is_uint(life_status(&c, NGX_CAMPAIGN_C_CANCELED), NGX_CAMPAIGN_CONFLICT, "it cannot be canceled again");

    ngx_stub_now = MAKE_NOW;
}


static void
test_cancel_running(void)
{
    ngx_uint_t               i;
    ngx_campaign_outcome_t   o[4];
    ngx_campaign_campaign_t  c;

    (void) life_create(&c, "cancel while it runs", NULL, 10);
    (void) make_turn(NULL, 0, NULL, 0);
    is_uint(make_turn(&c, 6, NULL, 0), 6, "six of ten are claimed");

    o[0] = make_outcome(&c, 0, NGX_CAMPAIGN_OUTCOME_SETTLED, NGX_CAMPAIGN_S_SENT);
    o[1] = make_outcome(&c, 1, NGX_CAMPAIGN_OUTCOME_AGAIN, NGX_CAMPAIGN_S_RETRY);
    (void) make_turn(NULL, 0, o, 2);

    (void) life_get(&c);
    is_uint(c.progress.again, 1, "one waits for its repeat");
    is_uint(c.progress.pending, 5, "... and is pending as the four fresh ones");

    is_uint(life_status(&c, NGX_CAMPAIGN_C_CANCELED), NGX_CAMPAIGN_OK, "the campaign is canceled");
    is_uint(c.progress.canceled, 5, "... with all that is not in flight");
    is_uint(c.progress.enroute, 4, "those in flight go on");
    is_uint(c.progress.again, 0, "no repeat waits");
    ok(make_look(NULL), "the store agrees with itself");

    ngx_stub_now += 60000000;
    is_uint(make_turn(&c, 10, NULL, 0), 0, "nothing is claimed any more, no repeat either");

    is_uint(make_delete(NGX_CAMPAIGN_CAMPAIGN, mine, c.rec.id), NGX_CAMPAIGN_IN_USE, "it cannot be deleted while some are in flight");

    for (i = 0; i < 4; i++) {
        o[i] = make_outcome(&c, i + 2, i == 3 ? NGX_CAMPAIGN_OUTCOME_AGAIN : NGX_CAMPAIGN_OUTCOME_SETTLED, NGX_CAMPAIGN_S_SENT);
    }

    (void) make_turn(NULL, 0, o, 4);
    (void) life_get(&c);
    is_uint(c.progress.sent, 4, "their outcomes count");
    is_uint(c.progress.canceled, 6, "one that had to be repeated is canceled");
    is_uint(c.rec.status, NGX_CAMPAIGN_C_CANCELED, "the campaign stays canceled");
    ok(make_look(NULL), "the store agrees with itself");

    is_uint(make_delete(NGX_CAMPAIGN_CAMPAIGN, mine, c.rec.id), NGX_CAMPAIGN_OK, "now it can be deleted");
    ok(make_look(NULL), "the store agrees with itself");

    ngx_stub_now = MAKE_NOW;
}


static void
test_pause(void)
{
    ngx_campaign_outcome_t   o[2];
    ngx_campaign_campaign_t  c;

    (void) life_create(&c, "pause", NULL, 10);
    is_uint(life_status(&c, NGX_CAMPAIGN_C_PAUSED), NGX_CAMPAIGN_CONFLICT, "a scheduled campaign cannot be paused");

    (void) make_turn(NULL, 0, NULL, 0);
    (void) make_turn(&c, 2, NULL, 0);

    is_uint(life_status(&c, NGX_CAMPAIGN_C_PAUSED), NGX_CAMPAIGN_OK, "a running one can");
    is_uint(c.progress.pending, 8, "its messages wait");
    is_uint(c.progress.enroute, 2, "... but for those in flight");
    ok(make_look(NULL), "the store agrees with itself");

    is_uint(make_turn(&c, 10, NULL, 0), 0, "nothing is claimed during a pause");
    is_uint(life_status(&c, NGX_CAMPAIGN_C_PAUSED), NGX_CAMPAIGN_CONFLICT, "it cannot be paused twice");

    o[0] = make_outcome(&c, 0, NGX_CAMPAIGN_OUTCOME_SETTLED, NGX_CAMPAIGN_S_SENT);
    o[1] = make_outcome(&c, 1, NGX_CAMPAIGN_OUTCOME_AGAIN, NGX_CAMPAIGN_S_RETRY);
    (void) make_turn(NULL, 0, o, 2);
    ok(make_look(NULL), "outcomes are recorded during a pause, and the store agrees with itself");

    ngx_stub_now += 60000000;
    is_uint(life_status(&c, NGX_CAMPAIGN_C_IN_PROGRESS), NGX_CAMPAIGN_OK, "it goes on");
    is_int(c.progress.started, LIFE_NOW, "... started when it first did");
    is_uint(make_turn(&c, 10, NULL, 0), 9, "all the rest can be claimed");

    is_uint(life_status(&c, NGX_CAMPAIGN_C_PAUSED), NGX_CAMPAIGN_OK, "paused with all in flight");
    is_uint(life_status(&c, NGX_CAMPAIGN_C_CANCELED), NGX_CAMPAIGN_OK, "a paused campaign can be canceled");
    is_uint(c.progress.canceled, 0, "none was left to cancel");
    is_uint(c.progress.enroute, 9, "those in flight are in flight");
    ok(make_look(NULL), "the store agrees with itself");

    ngx_stub_now = MAKE_NOW;
}


static void
test_pause_settled(void)
{
    ngx_campaign_outcome_t   o;
    ngx_campaign_campaign_t  c;

    (void) life_create(&c, "settled during its pause", NULL, 1);
    (void) make_turn(NULL, 0, NULL, 0);
    (void) make_turn(&c, 1, NULL, 0);
    (void) life_status(&c, NGX_CAMPAIGN_C_PAUSED);

    o = make_outcome(&c, 0, NGX_CAMPAIGN_OUTCOME_SETTLED, NGX_CAMPAIGN_S_SENT);
    (void) make_turn(NULL, 0, &o, 1);
    (void) life_get(&c);
    is_uint(c.rec.status, NGX_CAMPAIGN_C_PAUSED, "a campaign whose last message is settled during a pause stays paused");

    is_uint(life_status(&c, NGX_CAMPAIGN_C_IN_PROGRESS), NGX_CAMPAIGN_OK, "resumed");
    is_uint(c.rec.status, NGX_CAMPAIGN_C_COMPLETED, "... it is completed at once");
    is_int(c.progress.finished, LIFE_NOW, "... with its date");
    ok(make_look(NULL), "the store agrees with itself");
}


/* every status against every other: allowed is what the table of moves allows, but its ends, which are the dispatcher's */

static void
test_wrong_status(void)
{
    char                     name[32];
    ngx_uint_t               from, to, wrong, expected;
    ngx_campaign_outcome_t   o;
    ngx_campaign_campaign_t  c;

    for (from = NGX_CAMPAIGN_C_SCHEDULED; from < NGX_CAMPAIGN_C_MAX; from++) {
        for (wrong = 0, to = NGX_CAMPAIGN_C_SCHEDULED; to < NGX_CAMPAIGN_C_MAX; to++) {

            (void) snprintf(name, sizeof(name), "from %d to %d", (int) from, (int) to);
            (void) life_create(&c, name, NULL, 1);

            if (from != NGX_CAMPAIGN_C_SCHEDULED) {
                (void) make_turn(NULL, 0, NULL, 0);
            }

            if (from == NGX_CAMPAIGN_C_COMPLETED || from == NGX_CAMPAIGN_C_FAILED) {
                (void) make_turn(&c, 1, NULL, 0);
                o = make_outcome(&c, 0, NGX_CAMPAIGN_OUTCOME_SETTLED,
                                 from == NGX_CAMPAIGN_C_FAILED ? NGX_CAMPAIGN_S_FAILED : NGX_CAMPAIGN_S_SENT);
                (void) make_turn(NULL, 0, &o, 1);

            } else if (from == NGX_CAMPAIGN_C_PAUSED || from == NGX_CAMPAIGN_C_CANCELED) {
                (void) life_status(&c, from);
            }

            (void) life_get(&c);
            wrong += c.rec.status != from;

            expected = ngx_campaign_status_allowed(from, to) && to != NGX_CAMPAIGN_C_COMPLETED && to != NGX_CAMPAIGN_C_FAILED;

            wrong += (life_status(&c, to) == NGX_CAMPAIGN_OK) != expected;
            (void) life_get(&c);
            wrong += c.rec.status != (expected ? to : from);
        }

        is_uint(wrong, 0, "from %s a client can move a campaign where the table allows", ngx_campaign_status_name(from)->data);
    }

    ok(make_look(NULL), "the store agrees with itself");

    (void) life_create(&c, "expected", NULL, 1);
    c.rec.status = NGX_CAMPAIGN_C_CANCELED;
    is_uint(life_change(&c, NGX_CAMPAIGN_SET_STATUS, S(IN_PROGRESS) | S(PAUSED)), NGX_CAMPAIGN_CONFLICT,
            "a status that the caller did not expect is a conflict");
    (void) life_get(&c);
    is_uint(c.rec.status, NGX_CAMPAIGN_C_SCHEDULED, "... and nothing is changed");
}


static void
test_delete(void)
{
    ngx_uint_t               i, wrong;
    make_look_t              before, after;
    ngx_campaign_outcome_t   o[20];
    ngx_campaign_campaign_t  c, kept;

    (void) life_create(&kept, "kept", NULL, 600);
    (void) make_turn(NULL, 0, NULL, 0);
    (void) make_turn(&kept, 5, NULL, 0);
    (void) make_look(&before);

    make_campaign(&c, mine, "deleted before its time", NULL);
    c.schedule = LIFE_NOW + 3600;
    (void) life_create(&c, NULL, NULL, 600);

    is_uint(make_delete(NGX_CAMPAIGN_CAMPAIGN, other, c.rec.id), NGX_CAMPAIGN_NOT_FOUND, "another account cannot delete a campaign");
    is_uint(make_delete(NGX_CAMPAIGN_CAMPAIGN, mine, c.rec.id), NGX_CAMPAIGN_OK, "a scheduled campaign can be deleted");
    is_uint(life_get(&c), NGX_CAMPAIGN_NOT_FOUND, "... and is gone");
    (void) make_turn(NULL, 0, NULL, 0);
    ok(make_look(NULL), "the store agrees with itself");

    (void) life_create(&c, "deleted at its end", NULL, 2000);
    (void) make_turn(NULL, 0, NULL, 0);
    is_uint(make_delete(NGX_CAMPAIGN_CAMPAIGN, mine, c.rec.id), NGX_CAMPAIGN_IN_USE, "a running campaign cannot");
    (void) make_turn(&c, 20, NULL, 0);

    for (i = 0; i < 20; i++) {
        o[i] = make_outcome(&c, i, i & 1 ? NGX_CAMPAIGN_OUTCOME_AGAIN : NGX_CAMPAIGN_OUTCOME_SETTLED, NGX_CAMPAIGN_S_SENT);
    }

    (void) make_turn(NULL, 0, o, 20);
    (void) life_status(&c, NGX_CAMPAIGN_C_PAUSED);
    is_uint(make_delete(NGX_CAMPAIGN_CAMPAIGN, mine, c.rec.id), NGX_CAMPAIGN_IN_USE, "nor a paused one");

    (void) life_status(&c, NGX_CAMPAIGN_C_CANCELED);
    (void) make_look(&after);
    is_uint(after.entries[NGX_CAMPAIGN_DB_AGAIN] - before.entries[NGX_CAMPAIGN_DB_AGAIN], 10, "a cancel leaves the repeats that waited");

    is_uint(make_delete(NGX_CAMPAIGN_CAMPAIGN, mine, c.rec.id), NGX_CAMPAIGN_OK, "a canceled one can");
    is_uint(make_delete(NGX_CAMPAIGN_CAMPAIGN, mine, c.rec.id), NGX_CAMPAIGN_NOT_FOUND, "... once");
    (void) make_turn(NULL, 0, NULL, 0);

    ok(make_look(&after), "the store agrees with itself");

    for (wrong = 0, i = 0; i < NGX_CAMPAIGN_DB_MAX; i++) {
        if (i != NGX_CAMPAIGN_DB_META && after.entries[i] != before.entries[i]) {
            diag("table %d: %zu entries, %zu before", (int) i, after.entries[i], before.entries[i]);
            wrong++;
        }
    }

    is_uint(wrong, 0, "nothing of a deleted campaign is left in any table");

    is_uint(life_create(&c, "deleted at its end", NULL, 1), NGX_CAMPAIGN_OK, "its name is free");
    (void) life_get(&kept);
    is_uint(kept.progress.enroute, 5, "its neighbour is untouched");
    is_uint(make_turn(&kept, 600, NULL, 0), 595, "... and its recipients are all there");
}


static void
test_delete_audience(void)
{
    u_char                   id[NGX_CAMPAIGN_ID_LEN];
    ngx_campaign_campaign_t  c;

    make_audience(mine, "in use", id);
    make_add(mine, id, 15550000000, 10);

    (void) life_create(&c, "uses an audience", id, 0);
    is_uint(make_delete(NGX_CAMPAIGN_AUDIENCE, mine, id), NGX_CAMPAIGN_IN_USE, "an audience of a scheduled campaign cannot be deleted");
    (void) make_turn(NULL, 0, NULL, 0);
    is_uint(make_delete(NGX_CAMPAIGN_AUDIENCE, mine, id), NGX_CAMPAIGN_IN_USE, "nor one of a running campaign");
    (void) life_status(&c, NGX_CAMPAIGN_C_PAUSED);
    is_uint(make_delete(NGX_CAMPAIGN_AUDIENCE, mine, id), NGX_CAMPAIGN_IN_USE, "nor one of a paused campaign");
    (void) life_status(&c, NGX_CAMPAIGN_C_CANCELED);
    is_uint(make_delete(NGX_CAMPAIGN_AUDIENCE, mine, id), NGX_CAMPAIGN_OK, "one of a canceled campaign can");
    is_uint(life_get(&c), NGX_CAMPAIGN_OK, "... which is still there");
    is_uint(c.progress.canceled, 10, "... with its counters");
}


static void
test_delete_others(void)
{
    u_char                   id[NGX_CAMPAIGN_ID_LEN], account_id[NGX_CAMPAIGN_ID_LEN], hash[32];
    uint32_t                 account;
    store_op_t              *so;
    make_look_t              before, after;
    ngx_campaign_key_t       key;
    ngx_campaign_text_t      text;
    ngx_campaign_account_t   a;

    so = store_op();

    is_uint(make_delete(NGX_CAMPAIGN_SENDER, other, sender), NGX_CAMPAIGN_NOT_FOUND, "another account cannot delete a sender");
    is_uint(make_delete(NGX_CAMPAIGN_SENDER, mine, sender), NGX_CAMPAIGN_IN_USE, "a sender of a campaign cannot be deleted");
    make_sender(mine, "Free", id);
    is_uint(make_delete(NGX_CAMPAIGN_SENDER, mine, id), NGX_CAMPAIGN_OK, "one that no campaign uses can");

    ngx_memzero(&text, sizeof(text));
    text.text = make_str("Hello");
    (void) make_put(NGX_CAMPAIGN_TEMPLATE, &text, mine, "greeting", "SMS", NULL);
    is_uint(make_delete(NGX_CAMPAIGN_TEMPLATE, mine, text.rec.id), NGX_CAMPAIGN_OK, "a template is deleted");
    is_uint(make_delete(NGX_CAMPAIGN_TEMPLATE, mine, text.rec.id), NGX_CAMPAIGN_NOT_FOUND, "... once");

    (void) make_look(&before);
    account = make_account("closed");

    ngx_memzero(&key, sizeof(key));
    key.scope = NGX_CAMPAIGN_SCOPE_READ;
    ngx_memset(key.hash, 7, 32);
    (void) make_put(NGX_CAMPAIGN_KEY, &key, account, "", "", NULL);
    is_uint(store_wait(so, ngx_campaign_store_auth(st, &so->op, key.hash, &a, &key)), NGX_CAMPAIGN_OK, "a key is known");
    is_uint(make_delete(NGX_CAMPAIGN_KEY, account, key.rec.id), NGX_CAMPAIGN_OK, "it is deleted");
    is_uint(store_wait(so, ngx_campaign_store_auth(st, &so->op, key.hash, &a, &key)), NGX_CAMPAIGN_NOT_FOUND, "... and known no more");

    ngx_memzero(hash, 32);
    ngx_memcpy(hash, "closed", 6);
    is_uint(store_wait(so, ngx_campaign_store_auth(st, &so->op, hash, &a, &key)), NGX_CAMPAIGN_OK, "an account has its first key");
    ngx_memcpy(account_id, a.rec.id, NGX_CAMPAIGN_ID_LEN);

    make_sender(account, "Acme", id);
    is_uint(make_delete(NGX_CAMPAIGN_ACCOUNT, 0, account_id), NGX_CAMPAIGN_IN_USE, "an account that owns something cannot be deleted");
    (void) make_delete(NGX_CAMPAIGN_SENDER, account, id);
    is_uint(make_delete(NGX_CAMPAIGN_ACCOUNT, 0, account_id), NGX_CAMPAIGN_OK, "one that owns only its keys can");
    is_uint(store_wait(so, ngx_campaign_store_auth(st, &so->op, hash, &a, &key)), NGX_CAMPAIGN_NOT_FOUND, "... and they go with it");

    (void) make_turn(NULL, 0, NULL, 0);
    (void) make_look(&after);
    is_uint(after.entries[NGX_CAMPAIGN_DB_REC], before.entries[NGX_CAMPAIGN_DB_REC], "no record of it is left");
    is_uint(after.entries[NGX_CAMPAIGN_DB_KEY], before.entries[NGX_CAMPAIGN_DB_KEY], "no key");
    is_uint(after.entries[NGX_CAMPAIGN_DB_LIST], before.entries[NGX_CAMPAIGN_DB_LIST], "no place in a list");

    ok(ngx_campaign_store_delete(st, &so->op, NGX_CAMPAIGN_MESSAGE, mine, id) == NGX_ERROR, "what is no record cannot be deleted");
    is_uint(so->op.rc, NGX_CAMPAIGN_FAILURE, "... and that is told at once");

    store_free(so);
}


static void
test_foreign(void)
{
    ngx_campaign_campaign_t  c, seen;

    (void) life_create(&c, "mine alone", NULL, 3);

    c.rec.account = other;
    is_uint(life_get(&c), NGX_CAMPAIGN_NOT_FOUND, "another account does not find a campaign");

    c.rec.account = other;
    c.rec.status = NGX_CAMPAIGN_C_CANCELED;
    is_uint(life_change(&c, NGX_CAMPAIGN_SET_STATUS, ~0), NGX_CAMPAIGN_NOT_FOUND, "... cannot change it");

    seen = c;
    seen.rec.account = mine;
    (void) life_get(&seen);
    is_uint(seen.rec.status, NGX_CAMPAIGN_C_SCHEDULED, "... and it stays as it is");
}
