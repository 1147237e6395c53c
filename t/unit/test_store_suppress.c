
/*
 * Suppressions through the operations of ngx_campaign_store.h, and what they do to claims; on a clock of the test's.
 */

#include "store_campaign.h"
#include "ngx_campaign_store_lmdb_suppress.h"


#define TEST_FIRST  380500000000ULL


static void test_add(void);
static void test_expiry(void);
static void test_purge(void);
static void test_scopes(void);
static void test_pages(void);
static void test_claims(void);
static void test_many(void);
static void test_damage(void);
static void test_drop(void);

static ngx_campaign_suppression_t test_given(uint64_t number, const char *channel, const char *from, time_t expires);
static ngx_campaign_rc_e test_suppress(uint32_t account, ngx_campaign_suppression_t given, ngx_campaign_suppress_t *out);
static ngx_campaign_rc_e test_lift(uint32_t account, uint64_t number);
static ngx_campaign_rc_e test_get(uint32_t account, uint64_t number, ngx_campaign_suppression_t *out);
static ngx_campaign_rc_e test_lapsed(ngx_campaign_purge_t *purge);
static ngx_campaign_rc_e test_purged(ngx_campaign_purge_t *purge);
static uint64_t test_total(uint32_t account);
static ngx_campaign_rc_e test_flip_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args);


static uint32_t  mine, other;


int
main(int argc, char **argv)
{
    make_store(argv[0]);

    mine = make_account("mine");
    other = make_account("other");
    make_sender(mine, "Acme", NULL);
    make_sender(other, "Acme", NULL);

    test_add();
    test_expiry();
    test_purge();
    test_scopes();
    test_pages();
    test_claims();
    test_many();
    test_damage();
    test_drop();

    make_end();

    return done_testing();
}


static void
test_add(void)
{
    ngx_campaign_suppress_t     s;
    ngx_campaign_suppression_t  out;

    is_int(test_suppress(mine, test_given(TEST_FIRST, "SMS", "Acme", 0), &s), NGX_CAMPAIGN_OK, "a number is suppressed");
    is_int(s.created, 1, "it was not there");
    is_int(test_get(mine, TEST_FIRST, &out), NGX_CAMPAIGN_OK, "it is found");
    is_int(out.number, TEST_FIRST, "its number");
    is_int(out.created, MAKE_NOW / 1000000, "its date");
    is_int(out.source, NGX_CAMPAIGN_SOURCE_API, "its source");

    is_int(test_suppress(mine, test_given(TEST_FIRST, "SMS", "Acme", 0), &s), NGX_CAMPAIGN_OK, "once more");
    is_int(s.created * 10 + s.duplicates, 1, "is a duplicate");
    is_int(test_total(mine), 1, "and counted once");
    is_int(test_get(other, TEST_FIRST, &out), NGX_CAMPAIGN_NOT_FOUND, "another account does not see it");
    is_int(test_lift(other, TEST_FIRST), NGX_CAMPAIGN_NOT_FOUND, "nor lift it");
    is_int(test_get(mine, TEST_FIRST / 10, &out), NGX_CAMPAIGN_NOT_FOUND, "the beginning of a number is another one");

    is_int(test_lift(mine, TEST_FIRST), NGX_CAMPAIGN_OK, "it is lifted");
    is_int(test_lift(mine, TEST_FIRST), NGX_CAMPAIGN_NOT_FOUND, "once");
    is_int(test_total(mine), 0, "none is counted");
    is_int(make_entries(NGX_CAMPAIGN_DB_SUPPRESS), 0, "no entry is left");
}


static void
test_expiry(void)
{
    int64_t                     now;
    time_t                      t;
    ngx_uint_t                  i;
    ngx_campaign_suppress_t     s;
    ngx_campaign_suppression_t  out;

    now = ngx_stub_now;
    t = (time_t) (now / 1000000);

    (void) test_suppress(mine, test_given(TEST_FIRST, "", "", t + 10), &s);
    (void) test_suppress(mine, test_given(TEST_FIRST, "", "", t + 5), &s);
    (void) test_get(mine, TEST_FIRST, &out);
    is_int(out.expires - t, 10, "a repeat makes it no shorter");

    (void) test_suppress(mine, test_given(TEST_FIRST, "", "", t + 20), &s);
    (void) test_get(mine, TEST_FIRST, &out);
    is_int(out.expires - t, 20, "but longer");
    is_int(make_entries(NGX_CAMPAIGN_DB_LAPSE), 1, "it stands once among those that expire");

    ngx_stub_now = now + 19999999;
    is_int(test_get(mine, TEST_FIRST, &out), NGX_CAMPAIGN_OK, "just before its end it is there");

    ngx_stub_now = now + 20000000;
    is_int(test_get(mine, TEST_FIRST, &out), NGX_CAMPAIGN_NOT_FOUND, "at its end it is gone");
    is_int(test_total(mine), 0, "and not counted, though its entry is still there");
    is_int(make_entries(NGX_CAMPAIGN_DB_SUPPRESS), 1, "which it is");
    is_int(test_lift(mine, TEST_FIRST), NGX_CAMPAIGN_NOT_FOUND, "there is nothing to lift");

    is_int(test_suppress(mine, test_given(TEST_FIRST, "", "", 0), &s), NGX_CAMPAIGN_OK, "it is suppressed anew");
    is_int(s.created, 1, "as a new one");
    is_int(make_entries(NGX_CAMPAIGN_DB_LAPSE), 0, "that lasts");
    is_int(test_lift(mine, TEST_FIRST), NGX_CAMPAIGN_OK, "and is lifted");

    for (i = 0; i < 100; i++) {
        (void) test_suppress(mine, test_given(TEST_FIRST + i, "", "", t + 30), &s);
    }

    is_int(make_entries(NGX_CAMPAIGN_DB_SUPPRESS), 100, "100 that expire");
    ngx_stub_now = now + 30000000;

    (void) test_suppress(mine, test_given(TEST_FIRST + 1000, "", "", 0), &s);
    is_int(make_entries(NGX_CAMPAIGN_DB_SUPPRESS), 37, "a write deletes 64 of them");
    (void) test_suppress(mine, test_given(TEST_FIRST + 1001, "", "", 0), &s);
    is_int(make_entries(NGX_CAMPAIGN_DB_SUPPRESS), 2, "the next one the rest");
    is_int(make_entries(NGX_CAMPAIGN_DB_LAPSE), 0, "in both tables");
    is_int(test_total(mine), 2, "the two that last are counted");

    (void) test_lift(mine, TEST_FIRST + 1000);
    (void) test_lift(mine, TEST_FIRST + 1001);
    is_int(test_total(mine), 0, "until they are lifted");
}


static void
test_purge(void)
{
    time_t                   t;
    ngx_uint_t               i;
    ngx_campaign_purge_t     purge = { 0, 0 };
    ngx_campaign_suppress_t  s;

    t = (time_t) (ngx_stub_now / 1000000);

    is_int(test_lapsed(&purge), NGX_CAMPAIGN_NOT_FOUND, "nothing expires");
    is_int(purge.account, 0, "all were looked at");

    for (i = 0; i < 300; i++) {
        (void) test_suppress(other, test_given(TEST_FIRST + i, "", "", t + 10), &s);
    }

    (void) test_suppress(other, test_given(TEST_FIRST + 300, "", "", t + 20), &s);
    (void) test_suppress(other, test_given(TEST_FIRST + 301, "", "", 0), &s);
    (void) test_suppress(mine, test_given(TEST_FIRST, "", "", t + 20), &s);

    is_int(test_lapsed(&purge), NGX_CAMPAIGN_NOT_FOUND, "nothing has expired yet");

    ngx_stub_now += 10000000;

    is_int(test_lapsed(&purge), NGX_CAMPAIGN_OK, "an account has some that expired");
    is_int(purge.account, other, "which one");
    is_int(test_purged(&purge), NGX_CAMPAIGN_OK, "a purge");
    is_int(purge.more, 1, "leaves some");
    is_int(make_entries(NGX_CAMPAIGN_DB_SUPPRESS), 47, "deletes 256");
    is_int(test_total(other), 2, "two live, whatever is left of the others");
    is_int(test_purged(&purge), NGX_CAMPAIGN_OK, "another one");
    is_int(purge.more, 0, "leaves none");
    is_int(make_entries(NGX_CAMPAIGN_DB_SUPPRESS), 3, "but those that live");
    is_int(make_entries(NGX_CAMPAIGN_DB_LAPSE), 2, "in both tables");
    is_int(test_total(other), 2, "as counted");
    is_int(test_lapsed(&purge), NGX_CAMPAIGN_NOT_FOUND, "no more");

    ngx_stub_now += 10000000;

    purge.account = other;
    is_int(test_lapsed(&purge) * 1000 + purge.account, NGX_CAMPAIGN_OK * 1000 + other, "looks go on where they are told to");
    (void) test_purged(&purge);
    purge.account++;
    is_int(test_lapsed(&purge), NGX_CAMPAIGN_NOT_FOUND, "to the end");
    is_int(purge.account, 0, "and begin again");
    is_int(test_lapsed(&purge) * 1000 + purge.account, NGX_CAMPAIGN_OK * 1000 + mine, "with those before");
    (void) test_purged(&purge);
    is_int(make_entries(NGX_CAMPAIGN_DB_LAPSE), 0, "all are gone");

    (void) test_lift(other, TEST_FIRST + 301);
    is_int(make_entries(NGX_CAMPAIGN_DB_SUPPRESS), 0, "none is left");
}


static void
test_scopes(void)
{
    char                        name[16];
    ngx_uint_t                  i;
    ngx_campaign_suppress_t     s;
    ngx_campaign_suppression_t  out;

    for (i = 1; i < NGX_CAMPAIGN_SUPPRESSIONS_MAX; i++) {
        (void) snprintf(name, sizeof(name), "S%u", (unsigned) i);

        if (test_suppress(mine, test_given(TEST_FIRST, "SMS", name, 0), &s) != NGX_CAMPAIGN_OK) {
            break;
        }
    }

    is_int(i, NGX_CAMPAIGN_SUPPRESSIONS_MAX, "15 senders of a number");
    is_int(test_suppress(mine, test_given(TEST_FIRST, "SMS", "S99", 0), &s), NGX_CAMPAIGN_TOO_MANY, "another one is too many");
    is_int(test_suppress(mine, test_given(TEST_FIRST, "", "", 0), &s), NGX_CAMPAIGN_OK, "all of them is not");
    (void) test_get(mine, TEST_FIRST, &out);
    is_int(out.from.len, 0, "and comes first");
    is_int(test_suppress(mine, test_given(TEST_FIRST, "SMS", "S7", 0), &s), NGX_CAMPAIGN_OK, "one of the 15");
    is_int(s.duplicates, 1, "is still there");
    is_int(test_total(mine), 16, "all are counted");
    is_int(test_lift(mine, TEST_FIRST), NGX_CAMPAIGN_OK, "all are lifted");
    is_int(make_entries(NGX_CAMPAIGN_DB_SUPPRESS), 0, "at once");
}


static void
test_pages(void)
{
    uint64_t                     last, digits;
    ngx_uint_t                   i, n, pages, wrong;
    ngx_str_t                    token;
    store_op_t                  *so;
    ngx_campaign_page_t          page;
    ngx_campaign_suppress_t      s;
    ngx_campaign_suppression_t  *item;

    /* more than a walk looks at, and only one in 100 of the wanted source */

    ngx_memzero(&s, sizeof(s));
    so = store_op();
    s.account = mine;
    s.source = NGX_CAMPAIGN_SOURCE_IMPORT;
    s.pile = make_pile(so->op.pool, TEST_FIRST, 100, 30000, 0);
    is_int(store_wait(so, ngx_campaign_store_suppress(st, &so->op, &s)), NGX_CAMPAIGN_OK, "30 000 at once");
    is_int(s.created, 30000, "are created");
    store_free(so);

    for (i = 0; i < 30; i++) {
        (void) test_suppress(mine, test_given(TEST_FIRST + 100000 * i + 99, "", "", 0), &s);
    }

    token.len = 0;
    token.data = NULL;
    n = 0;
    pages = 0;
    wrong = 0;
    last = 0;

    for ( ;; ) {
        ngx_memzero(&page, sizeof(page));
        so = store_op();
        page.kind = NGX_CAMPAIGN_SUPPRESSION;
        page.account = mine;
        page.type = NGX_CAMPAIGN_SOURCE_API;
        page.size = 10;
        page.token = token;

        if (store_wait(so, ngx_campaign_store_suppressions(st, &so->op, &page)) != NGX_CAMPAIGN_OK) {
            wrong++;
            break;
        }

        item = page.items->elts;

        for (i = 0; i < page.items->nelts; i++) {
            digits = ngx_campaign_suppress_digits(item[i].number);
            wrong += (item[i].source != NGX_CAMPAIGN_SOURCE_API) || digits <= last;
            last = digits;
            n++;
        }

        pages++;
        wrong += !page.uncounted;

        if (page.next.len == 0 || pages > 100) {
            break;
        }

        free(token.data);
        token.len = page.next.len;
        token.data = malloc(token.len);
        memcpy(token.data, page.next.data, token.len);
        store_free(so);
    }

    store_free(so);
    free(token.data);

    is_int(n, 30, "a walk that is cut goes on behind its last one");
    is_int(wrong, 0, "each once, in order, uncounted");
    ok(pages >= 3, "in several pages");

    so = store_op();
    ngx_memzero(&page, sizeof(page));
    page.kind = NGX_CAMPAIGN_SUPPRESSION;
    page.account = other;
    page.size = 10;
    is_int(store_wait(so, ngx_campaign_store_suppressions(st, &so->op, &page)), NGX_CAMPAIGN_OK, "another account's page");
    is_int(page.items->nelts + page.total, 0, "is empty");
    store_free(so);
}


/* of mine TEST_FIRST + 100 n and TEST_FIRST + 99 are suppressed now */

static void
test_claims(void)
{
    ngx_uint_t                i;
    make_look_t               look;
    ngx_campaign_campaign_t   c;
    ngx_campaign_suppress_t   s;
    ngx_campaign_outcome_t    o[8];

    make_campaign(&c, mine, "claims", NULL);
    make_created(&c, TEST_FIRST, 201);
    make_lease();
    (void) make_turn(NULL, 0, NULL, 0);

    is_int(make_turn(&c, 5, NULL, 0), 5, "five are claimed");

    for (i = 0; i < 5; i++) {
        o[i] = make_outcome(&c, i + 1, i < 2 ? NGX_CAMPAIGN_OUTCOME_AGAIN : NGX_CAMPAIGN_OUTCOME_SETTLED, NGX_CAMPAIGN_S_SENT);
    }

    (void) test_suppress(mine, test_given(TEST_FIRST + 1, "SMS", "Acme", 0), &s);       /* waits for its repeat */
    (void) test_suppress(mine, test_given(TEST_FIRST + 7, "SMS", "Other", 0), &s);
    (void) test_suppress(mine, test_given(TEST_FIRST + 8, "VIBER", "Acme", 0), &s);
    (void) test_suppress(mine, test_given(TEST_FIRST + 9, "SMS", "", 0), &s);

    ngx_stub_now += 1;
    (void) make_turn(&c, 0, o, 5);
    ngx_stub_now += 2000000;

    is_int(make_turn(&c, 300, NULL, 0), 1 + 195 - 4, "one of two repeats, and all others but four");
    make_progress(&c);
    is_int(c.progress.skipped, 6, "six are skipped");
    is_int(c.progress.reason[NGX_CAMPAIGN_R_SUPPRESSED], 6, "for that reason");
    is_int(c.progress.again, 0, "no repeat waits");
    is_int(c.progress.pending, 0, "nothing is left to be claimed");

    make_look(&look);
    is_int(look.wrong, 0, "counters are what the messages say");
}


/* a claim passes so many, not more */

static void
test_many(void)
{
    ngx_uint_t               turns;
    ngx_campaign_campaign_t  c;
    ngx_campaign_suppress_t  s;
    store_op_t              *so;

    ngx_memzero(&s, sizeof(s));
    so = store_op();
    s.account = other;
    s.source = NGX_CAMPAIGN_SOURCE_IMPORT;
    s.pile = make_pile(so->op.pool, TEST_FIRST, 1, 20000, 0);
    (void) store_wait(so, ngx_campaign_store_suppress(st, &so->op, &s));
    store_free(so);

    make_campaign(&c, other, "many", NULL);
    make_created(&c, TEST_FIRST, 20001);
    (void) make_turn(NULL, 0, NULL, 0);

    for (turns = 1; make_turn(&c, 10, NULL, 0) == 0 && turns < 20; turns++) {
        make_progress(&c);

        if (c.progress.skipped != turns * 4096) {
            break;
        }
    }

    is_int(turns, 5, "20 000 in a row are passed in five turns, 4 096 in each");
    make_progress(&c);
    is_int(c.progress.skipped, 20000, "all are skipped");
    is_int(c.progress.enroute, 1, "and the last one is claimed");
}


static void
test_damage(void)
{
    store_op_t                  *so;
    ngx_campaign_suppression_t   out;

    so = store_op();
    (void) ngx_campaign_lmdb_write_now(st, &so->op, test_flip_work, NULL);
    store_free(so);

    store_log.log_level = 0;
    is_int(test_get(mine, TEST_FIRST, &out), NGX_CAMPAIGN_FAILURE, "a flipped bit is seen");
    store_log.log_level = NGX_LOG_ERR;
}


static void
test_drop(void)
{
    uint32_t                 third;
    u_char                   id[NGX_CAMPAIGN_ID_LEN];
    size_t                   before;
    ngx_campaign_suppress_t  s;

    before = make_entries(NGX_CAMPAIGN_DB_SUPPRESS);
    third = make_account("third");

    (void) test_suppress(third, test_given(TEST_FIRST, "", "", ngx_stub_now / 1000000 + 100), &s);
    (void) test_suppress(third, test_given(TEST_FIRST + 1, "", "", 0), &s);

    ngx_campaign_id_make(ngx_campaign_store_secret(st), NGX_CAMPAIGN_ACCOUNT, third, 0, id);
    is_int(make_delete(NGX_CAMPAIGN_ACCOUNT, 0, id), NGX_CAMPAIGN_OK, "an account is deleted with its suppressions");
    is_int(make_entries(NGX_CAMPAIGN_DB_SUPPRESS), before, "they are gone");
    is_int(make_entries(NGX_CAMPAIGN_DB_LAPSE), 0, "from both tables");
    is_int(test_total(third), 0, "and not counted");
}


static ngx_campaign_suppression_t
test_given(uint64_t number, const char *channel, const char *from, time_t expires)
{
    ngx_campaign_suppression_t  s;

    ngx_memzero(&s, sizeof(s));

    s.number = number;
    s.channel = make_str(channel);
    s.from = make_str(from);
    s.reason = make_str("because");
    s.expires = expires;

    return s;
}


static ngx_campaign_rc_e
test_suppress(uint32_t account, ngx_campaign_suppression_t given, ngx_campaign_suppress_t *out)
{
    ngx_memzero(out, sizeof(ngx_campaign_suppress_t));

    out->account = account;
    out->source = NGX_CAMPAIGN_SOURCE_API;
    out->given = given;

    return store_answer(ngx_campaign_store_suppress(st, store_begin(), out));
}


static ngx_campaign_rc_e
test_lift(uint32_t account, uint64_t number)
{
    ngx_campaign_suppression_t  like;

    ngx_memzero(&like, sizeof(like));
    like.account = account;
    like.number = number;

    return store_answer(ngx_campaign_store_suppression_lift(st, store_begin(), &like));
}


/* without its strings, but for their lengths */

static ngx_campaign_rc_e
test_get(uint32_t account, uint64_t number, ngx_campaign_suppression_t *out)
{
    ngx_campaign_suppression_t  like;

    ngx_memzero(&like, sizeof(like));
    like.account = account;
    like.number = number;

    return store_answer(ngx_campaign_store_suppression(st, store_begin(), &like, out));
}


static ngx_campaign_rc_e
test_lapsed(ngx_campaign_purge_t *purge)
{
    return store_answer(ngx_campaign_store_lapsed(st, store_begin(), purge));
}


static ngx_campaign_rc_e
test_purged(ngx_campaign_purge_t *purge)
{
    return store_answer(ngx_campaign_store_purge(st, store_begin(), purge));
}


static uint64_t
test_total(uint32_t account)
{
    uint64_t             total;
    ngx_campaign_page_t  page;

    ngx_memzero(&page, sizeof(page));
    page.kind = NGX_CAMPAIGN_SUPPRESSION;
    page.account = account;
    page.size = 1;

    total = store_answer(ngx_campaign_store_suppressions(st, store_begin(), &page)) == NGX_CAMPAIGN_OK ? page.total : (uint64_t) -1;

    return total;
}


static ngx_campaign_rc_e
test_flip_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args)
{
    u_char   key[NGX_CAMPAIGN_SUPPRESS_KEY], bytes[NGX_CAMPAIGN_BLOCK];
    MDB_val  value;

    ngx_campaign_be64_put(ngx_campaign_be32_put(key, mine), ngx_campaign_suppress_digits(TEST_FIRST));
    key[NGX_CAMPAIGN_SUPPRESS_NUMBER] = 0;

    if (ngx_campaign_lmdb_get(t, NGX_CAMPAIGN_DB_SUPPRESS, key, sizeof(key), &value) != 0 || value.mv_size > sizeof(bytes)) {
        return NGX_CAMPAIGN_FAILURE;
    }

    ngx_memcpy(bytes, value.mv_data, value.mv_size);
    bytes[5] ^= 4;

    return ngx_campaign_lmdb_put(t, NGX_CAMPAIGN_DB_SUPPRESS, key, sizeof(key), bytes, value.mv_size) == 0 ? NGX_CAMPAIGN_OK
                                                                                                          : NGX_CAMPAIGN_FAILURE;
}
