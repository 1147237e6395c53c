
/*
 * Messages through the operations of ngx_campaign_store.h: what is shown of each, pages of a campaign's and of an account's, messages sent
 * alone, canceled one by one.  After each test the whole store is looked at.
 */

#include "store_campaign.h"

#include "ngx_campaign_state.h"


#define M(status)  ((ngx_uint_t) 1 << NGX_CAMPAIGN_M_##status)

#define TEST_FIRST  15550000000ULL


static void test_fates(void);
static void test_pages(void);
static void test_account(void);
static void test_tokens(void);
static void test_bounded(void);
static void test_dates(void);
static void test_deleted_contacts(void);
static void test_cancel(void);
static void test_cancel_claimed(void);
static void test_alone(void);
static void test_alone_canceled(void);
static void test_foreign(void);

static void test_create(ngx_campaign_campaign_t *c, uint32_t account, ngx_uint_t apart, uint64_t first, ngx_uint_t n);
static ngx_campaign_rc_e test_page(ngx_campaign_messages_t *m, ngx_str_t token, ngx_uint_t size);
static ngx_uint_t test_walk(ngx_campaign_messages_t *m, ngx_uint_t size, ngx_uint_t back);
static ngx_campaign_rc_e test_get(ngx_campaign_campaign_t *c, uint32_t seq, ngx_campaign_message_t *out);
static ngx_campaign_rc_e test_cancel_one(ngx_campaign_campaign_t *c, uint32_t account, uint32_t seq);
static ngx_uint_t test_is(ngx_campaign_campaign_t *c, uint32_t seq, ngx_uint_t status, ngx_uint_t reason, ngx_uint_t attempts);
static void test_query(ngx_campaign_messages_t *m, ngx_campaign_campaign_t *c);


static uint32_t  mine, other;

/* of the last walk: numbers of the contacts, pages, pages without a message */

static uint64_t    seen[4096];
static ngx_uint_t  nseen, pages, empty;

static ngx_pool_t           *pool;
static ngx_campaign_page_t   page;


int
main(int argc, char **argv)
{
    make_store(argv[0]);

    pool = ngx_create_pool(NGX_DEFAULT_POOL_SIZE, &store_log);

    mine = make_account("mine");
    other = make_account("other");

    make_sender(mine, "Acme", NULL);
    make_sender(other, "Acme", NULL);
    make_lease();

    test_fates();
    test_pages();
    test_account();
    test_tokens();
    test_bounded();
    test_dates();
    test_deleted_contacts();
    test_cancel();
    test_cancel_claimed();
    test_alone();
    test_alone_canceled();
    test_foreign();

    ngx_destroy_pool(pool);
    make_end();

    return done_testing();
}


static void
test_fates(void)
{
    store_op_t              *so;
    ngx_campaign_message_t   m;
    ngx_campaign_outcome_t   o[4];
    ngx_campaign_messages_t  q;
    ngx_campaign_campaign_t  c;

    test_create(&c, mine, 0, TEST_FIRST, 2000);
    test_query(&q, &c);

    ok(test_is(&c, 0, NGX_CAMPAIGN_M_SCHEDULED, 0, 0), "a message of a scheduled campaign is scheduled");
    is_uint(test_get(&c, 1999, &m), NGX_CAMPAIGN_OK, "the last one is found by its id");
    is_uint(m.contact.number, TEST_FIRST + 1999, "with its number");
    ok(m.text.len == 5 && ngx_memcmp(m.text.data, "Hello", 5) == 0 && m.from.len == 4 && m.rec.channel.len == 3,
       "text, sender and channel");
    ok(ngx_memcmp(m.campaign, c.rec.id, NGX_CAMPAIGN_ID_LEN) == 0, "and its campaign");
    is_uint(test_get(&c, 2000, &m), NGX_CAMPAIGN_NOT_FOUND, "one behind the last is not");

    (void) make_turn(NULL, 0, NULL, 0);
    is_uint(make_turn(&c, 6, NULL, 0), 6, "six are claimed");

    ok(test_is(&c, 5, NGX_CAMPAIGN_M_ENROUTE, 0, 1), "a claimed one is enroute, its first attempt");
    ok(test_is(&c, 6, NGX_CAMPAIGN_M_SCHEDULED, 0, 0), "the next one waits");

    o[0] = make_outcome(&c, 0, NGX_CAMPAIGN_OUTCOME_SETTLED, NGX_CAMPAIGN_S_SENT);
    o[1] = make_outcome(&c, 1, NGX_CAMPAIGN_OUTCOME_SETTLED, NGX_CAMPAIGN_S_FAILED);
    o[2] = make_outcome(&c, 2, NGX_CAMPAIGN_OUTCOME_AGAIN, 0);
    o[3] = make_outcome(&c, 3, NGX_CAMPAIGN_OUTCOME_SETTLED, NGX_CAMPAIGN_S_DELIVERED);
    (void) make_turn(NULL, 0, o, 4);

    ok(test_is(&c, 0, NGX_CAMPAIGN_M_SENT, 0, 1), "sent");
    ok(test_is(&c, 1, NGX_CAMPAIGN_M_FAILED, NGX_CAMPAIGN_R_GATEWAY_5XX, 1), "failed, and why");
    ok(test_is(&c, 2, NGX_CAMPAIGN_M_SCHEDULED, NGX_CAMPAIGN_R_GATEWAY_5XX, 1), "tried, and waits: scheduled, why, one attempt");
    ok(test_is(&c, 3, NGX_CAMPAIGN_M_DELIVERED, 0, 1), "delivered");

    q.statuses = M(FAILED);
    (void) test_walk(&q, 100, 0);
    ok(nseen == 1 && seen[0] == TEST_FIRST + 1 && page.total == 1, "one has failed");

    q.statuses = M(ENROUTE)|M(SENT);
    (void) test_walk(&q, 100, 0);
    ok(nseen == 3 && seen[2] == TEST_FIRST + 5 && page.total == 3, "one is sent, two are enroute");

    q.statuses = M(SCHEDULED);
    (void) test_walk(&q, 100, 0);
    ok(nseen == 1995 && seen[0] == TEST_FIRST + 2 && page.total == 1995, "the others are scheduled, the repeat among them");

    ngx_stub_now += 1000000;
    is_uint(make_turn(&c, 1, NULL, 0), 1, "the repeat is claimed");
    ok(test_is(&c, 2, NGX_CAMPAIGN_M_ENROUTE, NGX_CAMPAIGN_R_GATEWAY_5XX, 2), "it is enroute, its second attempt");

    o[0] = make_outcome(&c, 2, NGX_CAMPAIGN_OUTCOME_SETTLED, NGX_CAMPAIGN_S_SENT);
    o[0].attempt = o[0].claim = 2;
    o[1] = make_outcome(&c, 4, NGX_CAMPAIGN_OUTCOME_AGAIN, 0);
    (void) make_turn(NULL, 0, o, 2);
    ok(test_is(&c, 2, NGX_CAMPAIGN_M_SENT, 0, 2), "sent with the second");

    so = store_op();
    c.rec.status = NGX_CAMPAIGN_C_CANCELED;
    (void) store_wait(so, ngx_campaign_store_change(st, &so->op, &c, NGX_CAMPAIGN_SET_STATUS, ~(ngx_uint_t) 0));
    store_free(so);

    ok(test_is(&c, 1999, NGX_CAMPAIGN_M_CANCELED, NGX_CAMPAIGN_R_CANCELED, 0), "in a canceled campaign a fresh one is canceled");
    ok(test_is(&c, 4, NGX_CAMPAIGN_M_CANCELED, NGX_CAMPAIGN_R_CANCELED, 1), "one that waited for a repeat, too");
    ok(test_is(&c, 5, NGX_CAMPAIGN_M_ENROUTE, 0, 1), "one in flight is not");

    q.statuses = M(CANCELED);
    (void) test_walk(&q, 100, 0);
    is_uint(nseen, page.total, "as many are shown so as are counted");
    is_uint(nseen, 1995, "... 1995");

    ok(make_look(NULL), "the store agrees with itself");
}


static void
test_pages(void)
{
    ngx_uint_t               i, wrong;
    ngx_campaign_messages_t  q;
    ngx_campaign_campaign_t  c;

    test_create(&c, mine, 0, TEST_FIRST, 1100);
    test_query(&q, &c);

    for (i = 0; i < 3; i++) {
        is_uint(test_walk(&q, i == 0 ? 1 : i == 1 ? 7 : 1000, 0), 0, "pages walk a campaign");

        wrong = (nseen != 1100 || page.total != 1100);

        while (!wrong && nseen) {
            nseen--;
            wrong = (seen[nseen] != TEST_FIRST + nseen);
        }

        is_uint(wrong, 0, "each message once, in the order of the recipients");
    }

    is_uint(test_walk(&q, 7, 1), 0, "and back");
    ok(nseen == 1100 && seen[0] == TEST_FIRST + 1099 && seen[1099] == TEST_FIRST, "each once, from the last page to the first");
    is_uint(page.number, 1, "which is page 1");

    q.to = make_str("155500010");
    (void) test_walk(&q, 30, 0);
    ok(nseen == 0 && page.uncounted, "a whole number is not a beginning");

    q.prefix = 1;
    (void) test_walk(&q, 30, 0);
    ok(nseen == 100 && seen[0] == TEST_FIRST + 1000 && seen[99] == TEST_FIRST + 1099, "numbers that begin so");
    (void) test_walk(&q, 30, 1);
    ok(nseen == 100 && seen[99] == TEST_FIRST + 1000, "and back");
}


static void
test_account(void)
{
    ngx_uint_t               i;
    ngx_campaign_messages_t  q;
    ngx_campaign_campaign_t  c[5];

    test_query(&q, NULL);
    q.page->account = other;

    is_uint(test_walk(&q, 10, 0), 0, "an account without messages has an empty list");
    ok(nseen == 0 && page.total == 0 && page.next.data == NULL && page.previous.data == NULL, "of one page");

    for (i = 0; i < 5; i++) {
        test_create(&c[i], other, i & 1, 1000000000 * (i + 1), 3);
    }

    is_uint(test_walk(&q, 4, 0), 0, "campaigns and messages sent alone are one list");
    ok(nseen == 15 && page.total == 15, "of all messages");
    ok(seen[0] == 5000000000 && seen[2] == 5000000002 && seen[3] == 4000000000 && seen[14] == 1000000002, "newest first");
    is_uint(page.number, 4, "15 messages by 4 are 4 pages");

    (void) test_walk(&q, 4, 1);
    ok(nseen == 15 && seen[0] == 1000000002 && seen[14] == 5000000000, "and back");

    q.from = make_str("Acm");
    (void) test_walk(&q, 4, 0);
    is_uint(nseen, 0, "nobody is called that");

    q.from = make_str("Acme");
    q.page->channel = make_str("VIBER");
    (void) test_walk(&q, 4, 0);
    is_uint(nseen, 0, "nothing goes by that channel");

    q.page->channel = make_str("SMS");
    q.statuses = M(SCHEDULED)|M(SENT);
    (void) test_walk(&q, 4, 0);
    ok(nseen == 15 && page.uncounted, "all go by this one");

    q.statuses = M(SENT);
    (void) test_walk(&q, 4, 0);
    is_uint(nseen, 0, "none is sent");

    (void) make_delete(NGX_CAMPAIGN_CAMPAIGN, other, c[2].rec.id);
    test_query(&q, NULL);
    q.page->account = other;
    (void) test_walk(&q, 4, 0);
    ok(nseen == 12 && page.total == 12, "messages of a deleted campaign are gone");
    ok(make_look(NULL), "the store agrees with itself");
}


static void
test_tokens(void)
{
    ngx_str_t                token, none;
    ngx_uint_t               i;
    ngx_campaign_messages_t  q;
    ngx_campaign_campaign_t  c;

    ngx_str_null(&none);

    test_create(&c, mine, 0, TEST_FIRST, 10);
    test_query(&q, &c);
    (void) test_page(&q, none, 2);
    token = page.next;

    is_uint(test_page(&q, token, 2), NGX_CAMPAIGN_OK, "a token leads to the next page");
    is_uint(test_page(&q, token, 5), NGX_CAMPAIGN_OK, "of any size");

    q.statuses = M(SCHEDULED);
    is_uint(test_page(&q, token, 2), NGX_CAMPAIGN_INVALID, "not with another status");

    test_query(&q, &c);
    q.to = make_str("1");
    is_uint(test_page(&q, token, 2), NGX_CAMPAIGN_INVALID, "not with another number");

    test_query(&q, &c);
    q.since = 1;
    is_uint(test_page(&q, token, 2), NGX_CAMPAIGN_INVALID, "not with another date");

    test_query(&q, NULL);
    is_uint(test_page(&q, token, 2), NGX_CAMPAIGN_INVALID, "not in the list of all");

    test_query(&q, &c);

    for (i = 0; i < token.len; i++) {
        token.data[i] ^= 1;
        if (test_page(&q, token, 2) != NGX_CAMPAIGN_INVALID) {
            break;
        }
        token.data[i] ^= 1;
    }

    is_uint(i, token.len, "no bit of it may be another one");
}


/* what is asked for stands at the end of a long campaign: each operation looks at so much only, and is told where to go on */

static void
test_bounded(void)
{
    ngx_campaign_messages_t  q;
    ngx_campaign_campaign_t  c;

    test_create(&c, mine, 0, TEST_FIRST, 100000);
    test_query(&q, &c);

    q.to = make_str("15550099999");
    (void) test_walk(&q, 100, 0);

    ok(nseen == 1 && seen[0] == TEST_FIRST + 99999, "one of 100000 is found");
    ok(pages >= 4 && pages <= 8 && empty >= pages - 2, "over pages that are empty: %u of %u", (unsigned) empty, (unsigned) pages);

    (void) test_walk(&q, 100, 1);
    is_uint(nseen, 1, "and once only on the way back");

    test_query(&q, &c);
    q.statuses = M(FAILED);
    (void) test_walk(&q, 100, 0);
    ok(nseen == 0 && pages == 1, "what the campaign's counters rule out is not looked for");

    (void) make_delete(NGX_CAMPAIGN_CAMPAIGN, mine, c.rec.id);
}


static void
test_dates(void)
{
    time_t                   day, start;
    ngx_uint_t               i;
    ngx_campaign_messages_t  q;
    ngx_campaign_campaign_t  c;

    day = 86400;
    start = (time_t) (ngx_stub_now / 1000000) + 100 * day;

    for (i = 0; i < 20; i++) {
        ngx_stub_now = ((int64_t) start + i * 10 * day) * 1000000;
        test_create(&c, mine, i & 1, 2000000000 + i, 1);
    }

    test_query(&q, NULL);
    q.since = start + 50 * day;
    q.until = start + 80 * day;
    (void) test_walk(&q, 3, 0);
    ok(nseen == 4 && seen[0] == 2000000008 && seen[3] == 2000000005, "from date to date, both of them");

    (void) test_walk(&q, 3, 1);
    ok(nseen == 4 && seen[0] == 2000000005, "and back");

    q.since = 0;
    q.until = start;
    (void) test_page(&q, (ngx_str_t) ngx_null_string, 1);
    ok(page.items->nelts == 1 && ((ngx_campaign_message_t *) page.items->elts)->contact.number == 2000000000, "until a date");

    q.until = 1;
    (void) test_walk(&q, 3, 0);
    is_uint(nseen, 0, "before everything");

    q.since = start + 1000 * day;
    q.until = 0;
    (void) test_walk(&q, 3, 0);
    ok(nseen == 0 && pages == 1, "after everything");
}


static void
test_deleted_contacts(void)
{
    store_op_t               *so;
    make_erase_t              erase;
    ngx_campaign_audience_t   a;
    ngx_campaign_message_t    m;
    ngx_campaign_messages_t   q;
    ngx_campaign_campaign_t   c;
    u_char                    audience[NGX_CAMPAIGN_ID_LEN];

    make_audience(mine, "people", audience);
    make_add(mine, audience, TEST_FIRST, 10);

    so = store_op();
    (void) store_wait(so, ngx_campaign_store_get(st, &so->op, NGX_CAMPAIGN_AUDIENCE, mine, audience, &a));

    ngx_memzero(&erase, sizeof(erase));
    erase.audience = &a;
    erase.list = NGX_CAMPAIGN_LIST_AUDIENCE(a.rec.no);
    erase.from = 2;
    erase.to = 4;
    (void) store_wait(so, ngx_campaign_lmdb_write(st, &so->op, make_erase_work, &erase));   /* before every campaign */

    make_campaign(&c, mine, "", audience);
    is_uint(make_create(&c, 0, 0), NGX_CAMPAIGN_OK, "a campaign on an audience with gaps");

    erase.from = 5;
    erase.to = 6;
    erase.mark = c.rec.no;
    (void) store_wait(so, ngx_campaign_lmdb_write(st, &so->op, make_erase_work, &erase));

    test_query(&q, &c);
    (void) test_walk(&q, 3, 0);
    ok(nseen == 8 && page.total == 8, "those deleted before it are no messages of it");
    ok(seen[2] == TEST_FIRST + 4 && seen[3] == 0, "one deleted later is, without its number");
    is_uint(test_get(&c, 2, &m), NGX_CAMPAIGN_NOT_FOUND, "no id leads to the former");
    ok(test_is(&c, 5, NGX_CAMPAIGN_M_SCHEDULED, 0, 0), "the latter is scheduled until its turn");

    (void) make_turn(NULL, 0, NULL, 0);
    (void) make_turn(&c, 10, NULL, 0);
    ok(test_is(&c, 5, NGX_CAMPAIGN_M_SKIPPED, NGX_CAMPAIGN_R_DELETED, 0), "then it is skipped");

    (void) test_walk(&q, 3, 0);
    ok(nseen == 8 && page.total == 8, "the list has the same messages");

    store_free(so);
    ok(make_look(NULL), "the store agrees with itself");
}


static void
test_cancel(void)
{
    ngx_uint_t               i, claimed;
    ngx_campaign_outcome_t   o[10];
    ngx_campaign_messages_t  q;
    ngx_campaign_campaign_t  c;

    test_create(&c, mine, 0, TEST_FIRST, 10);

    is_uint(test_cancel_one(&c, mine, 9), NGX_CAMPAIGN_OK, "a fresh message is canceled");
    is_uint(test_cancel_one(&c, mine, 3), NGX_CAMPAIGN_OK, "and one in the middle");
    is_uint(test_cancel_one(&c, mine, 3), NGX_CAMPAIGN_OK, "once more is as good");
    ok(test_is(&c, 3, NGX_CAMPAIGN_M_CANCELED, NGX_CAMPAIGN_R_CANCELED, 0), "it is shown so");
    ok(make_look(NULL), "the store agrees with itself");

    (void) make_turn(NULL, 0, NULL, 0);
    claimed = make_turn(&c, 10, NULL, 0);
    is_uint(claimed, 8, "the others are claimed, these are not");

    for (i = 0; i < 8; i++) {
        o[i] = make_outcome(&c, i < 3 ? i : i + 1, NGX_CAMPAIGN_OUTCOME_SETTLED, NGX_CAMPAIGN_S_SENT);
    }

    (void) make_turn(NULL, 0, o, 8);

    test_query(&q, &c);
    q.statuses = M(CANCELED);
    (void) test_walk(&q, 5, 0);
    ok(nseen == 2 && page.total == 2, "two are canceled");

    q.statuses = M(SENT);
    (void) test_walk(&q, 5, 0);
    ok(nseen == 8 && page.total == 8, "eight are sent");
    ok(make_look(NULL), "the campaign is over, and the store agrees with itself");

    test_create(&c, mine, 0, TEST_FIRST, 2);
    (void) make_turn(NULL, 0, NULL, 0);
    (void) test_cancel_one(&c, mine, 0);
    (void) test_cancel_one(&c, mine, 1);
    is_uint(make_delete(NGX_CAMPAIGN_CAMPAIGN, mine, c.rec.id), NGX_CAMPAIGN_OK,
            "a running campaign all of whose messages were canceled is over");
    ok(make_look(NULL), "the store agrees with itself");
}


static void
test_cancel_claimed(void)
{
    ngx_campaign_outcome_t   o[2];
    ngx_campaign_campaign_t  c;

    test_create(&c, mine, 0, TEST_FIRST, 3);
    (void) make_turn(NULL, 0, NULL, 0);
    is_uint(make_turn(&c, 2, NULL, 0), 2, "two of three are claimed");

    is_uint(test_cancel_one(&c, mine, 0), NGX_CAMPAIGN_CONFLICT, "a claimed message is not canceled");

    o[0] = make_outcome(&c, 0, NGX_CAMPAIGN_OUTCOME_AGAIN, 0);
    o[1] = make_outcome(&c, 1, NGX_CAMPAIGN_OUTCOME_SETTLED, NGX_CAMPAIGN_S_SENT);
    (void) make_turn(NULL, 0, o, 2);

    is_uint(test_cancel_one(&c, mine, 1), NGX_CAMPAIGN_CONFLICT, "nor one that was sent");
    is_uint(test_cancel_one(&c, mine, 0), NGX_CAMPAIGN_OK, "one that waits for a repeat is");
    ok(test_is(&c, 0, NGX_CAMPAIGN_M_CANCELED, NGX_CAMPAIGN_R_CANCELED, 1), "after one attempt");

    ngx_stub_now += 2000000;
    is_uint(make_turn(&c, 5, NULL, 0), 1, "its repeat is not claimed, the fresh one is");
    is_uint(test_cancel_one(&c, mine, 2), NGX_CAMPAIGN_CONFLICT, "which is too late to cancel");
    ok(make_look(NULL), "the store agrees with itself");
}


static void
test_alone(void)
{
    u_char                    id[NGX_CAMPAIGN_ID_LEN];
    store_op_t               *so;
    ngx_campaign_page_t       list;
    ngx_campaign_message_t    m;
    ngx_campaign_messages_t   q;
    ngx_campaign_campaign_t   c, found;

    static const u_char  zero[NGX_CAMPAIGN_ID_LEN];

    test_create(&c, mine, 1, TEST_FIRST, 2);
    is_uint(c.rec.name.len, 0, "messages sent alone have no name");

    is_uint(test_get(&c, 1, &m), NGX_CAMPAIGN_OK, "one is found by its id");
    ok(ngx_memcmp(m.campaign, zero, NGX_CAMPAIGN_ID_LEN) == 0, "and has no campaign");

    so = store_op();

    is_uint(store_wait(so, ngx_campaign_store_get(st, &so->op, NGX_CAMPAIGN_CAMPAIGN, mine, c.rec.id, &found)), NGX_CAMPAIGN_NOT_FOUND,
            "there is no such campaign");
    found = c;
    found.rec.status = NGX_CAMPAIGN_C_CANCELED;
    is_uint(store_wait(so, ngx_campaign_store_change(st, &so->op, &found, NGX_CAMPAIGN_SET_STATUS, ~(ngx_uint_t) 0)),
            NGX_CAMPAIGN_NOT_FOUND, "to be changed");
    is_uint(make_delete(NGX_CAMPAIGN_CAMPAIGN, mine, c.rec.id), NGX_CAMPAIGN_NOT_FOUND, "or deleted");

    test_query(&q, &c);
    is_uint(test_page(&q, (ngx_str_t) ngx_null_string, 5), NGX_CAMPAIGN_NOT_FOUND, "or whose messages could be listed");

    ngx_memzero(&list, sizeof(list));
    list.kind = NGX_CAMPAIGN_CAMPAIGN;
    list.account = mine;
    list.size = 1;
    (void) store_wait(so, ngx_campaign_store_page(st, &so->op, &list));
    ok(list.items->nelts == 1 && ((ngx_campaign_campaign_t *) list.items->elts)->rec.no < c.rec.no, "it is in no list");

    make_sender(mine, "Alone", id);
    make_campaign(&found, mine, "", NULL);
    found.rec.apart = 1;
    found.from = make_str("Alone");
    (void) make_create(&found, TEST_FIRST, 1);

    is_uint(make_delete(NGX_CAMPAIGN_SENDER, mine, id), NGX_CAMPAIGN_IN_USE, "its sender is in use");
    is_uint(test_cancel_one(&found, mine, 0), NGX_CAMPAIGN_OK, "until it is canceled");
    is_uint(make_delete(NGX_CAMPAIGN_SENDER, mine, id), NGX_CAMPAIGN_OK, "then no more");

    store_free(so);
    ok(make_look(NULL), "the store agrees with itself");
}


static void
test_alone_canceled(void)
{
    ngx_campaign_campaign_t  c;

    test_create(&c, mine, 1, TEST_FIRST, 2);

    (void) test_cancel_one(&c, mine, 0);
    ok(test_is(&c, 1, NGX_CAMPAIGN_M_SCHEDULED, 0, 0), "with one of two canceled, the other waits");
    (void) test_cancel_one(&c, mine, 1);
    ok(make_look(NULL), "with both it waits for no start: the store agrees with itself");
    (void) make_turn(NULL, 0, NULL, 0);
    is_uint(make_turn(&c, 2, NULL, 0), 0, "nothing of it is claimed");
    ok(test_is(&c, 0, NGX_CAMPAIGN_M_CANCELED, NGX_CAMPAIGN_R_CANCELED, 0), "it stays canceled");
}


static void
test_foreign(void)
{
    ngx_campaign_message_t   m;
    ngx_campaign_messages_t  q;
    ngx_campaign_campaign_t  c;

    test_create(&c, mine, 1, TEST_FIRST, 1);
    is_uint(test_cancel_one(&c, other, 0), NGX_CAMPAIGN_NOT_FOUND, "another account cancels nothing");

    c.rec.account = other;
    is_uint(test_get(&c, 0, &m), NGX_CAMPAIGN_NOT_FOUND, "nor sees it");

    test_create(&c, mine, 0, TEST_FIRST, 1);
    test_query(&q, &c);
    q.page->account = other;
    is_uint(test_page(&q, (ngx_str_t) ngx_null_string, 5), NGX_CAMPAIGN_NOT_FOUND, "nor lists a campaign's");
}


static void
test_create(ngx_campaign_campaign_t *c, uint32_t account, ngx_uint_t apart, uint64_t first, ngx_uint_t n)
{
    make_campaign(c, account, "", NULL);
    c->rec.apart = apart;
    make_created(c, first, n);
}


/* of campaign c, or (NULL) of all; m->page is `page` */

static void
test_query(ngx_campaign_messages_t *m, ngx_campaign_campaign_t *c)
{
    ngx_memzero(m, sizeof(ngx_campaign_messages_t));
    ngx_memzero(&page, sizeof(page));

    page.kind = NGX_CAMPAIGN_MESSAGE;
    page.account = mine;

    m->page = &page;
    m->campaign = c ? c->rec.id : NULL;
}


/* its results are copies in `pool` */

static ngx_campaign_rc_e
test_page(ngx_campaign_messages_t *m, ngx_str_t token, ngx_uint_t size)
{
    store_op_t         *so;
    ngx_array_t        *items;
    ngx_campaign_rc_e   rc;

    page.token = token;
    page.size = size;

    so = store_op();
    rc = store_wait(so, ngx_campaign_store_messages(st, &so->op, m));

    if (rc == NGX_CAMPAIGN_OK) {
        items = ngx_array_create(pool, page.items->nelts + 1, sizeof(ngx_campaign_message_t));
        ngx_memcpy(items->elts, page.items->elts, page.items->nelts * sizeof(ngx_campaign_message_t));
        items->nelts = page.items->nelts;
        page.items = items;

        if (page.next.data) {
            page.next.data = ngx_pstrdup(pool, &page.next);
        }

        if (page.previous.data) {
            page.previous.data = ngx_pstrdup(pool, &page.previous);
        }
    }

    page.token = (ngx_str_t) ngx_null_string;
    store_free(so);

    return rc;
}


/* notes each page's numbers; back: from the last page to the first, each page from its end.  0: fine */

static ngx_uint_t
test_walk(ngx_campaign_messages_t *m, ngx_uint_t size, ngx_uint_t back)
{
    ngx_str_t                token;
    ngx_uint_t               i, wrong;
    ngx_campaign_message_t  *item;

    nseen = 0;
    pages = 0;
    empty = 0;
    wrong = 0;
    ngx_str_null(&token);

    if (back) {
        while (test_page(m, token, size) == NGX_CAMPAIGN_OK && page.next.data) {
            token = page.next;
        }
    }

    while (pages < 5000) {
        if (test_page(m, token, size) != NGX_CAMPAIGN_OK || page.items->nelts > size) {
            return 1;
        }

        item = page.items->elts;
        pages++;
        empty += (page.items->nelts == 0);

        for (i = 0; i < page.items->nelts && nseen < 4096; i++) {
            seen[nseen++] = item[back ? page.items->nelts - 1 - i : i].contact.number;
        }

        if (!back && page.number != pages) {
            wrong++;
        }

        token = back ? page.previous : page.next;

        if (token.data == NULL) {
            return wrong;
        }
    }

    return 1;
}


static ngx_campaign_rc_e
test_get(ngx_campaign_campaign_t *c, uint32_t seq, ngx_campaign_message_t *out)
{
    u_char              id[NGX_CAMPAIGN_ID_LEN];
    store_op_t         *so;
    ngx_campaign_rc_e   rc;

    ngx_campaign_id_make(ngx_campaign_store_secret(st), NGX_CAMPAIGN_MESSAGE, c->rec.no, seq, id);

    so = store_op();
    rc = store_wait(so, ngx_campaign_store_message(st, &so->op, c->rec.account, id, out));

    if (rc == NGX_CAMPAIGN_OK) {
        out->text.data = ngx_pstrdup(pool, &out->text);
        rc = ngx_memcmp(out->rec.id, id, NGX_CAMPAIGN_ID_LEN) == 0 ? NGX_CAMPAIGN_OK : NGX_CAMPAIGN_FAILURE;
    }

    store_free(so);

    return rc;
}


static ngx_campaign_rc_e
test_cancel_one(ngx_campaign_campaign_t *c, uint32_t account, uint32_t seq)
{
    u_char  id[NGX_CAMPAIGN_ID_LEN];

    ngx_campaign_id_make(ngx_campaign_store_secret(st), NGX_CAMPAIGN_MESSAGE, c->rec.no, seq, id);

    return store_answer(ngx_campaign_store_message_cancel(st, store_begin(), account, id));
}


static ngx_uint_t
test_is(ngx_campaign_campaign_t *c, uint32_t seq, ngx_uint_t status, ngx_uint_t reason, ngx_uint_t attempts)
{
    ngx_campaign_message_t  m;

    if (test_get(c, seq, &m) != NGX_CAMPAIGN_OK) {
        diag("message %u is not found", seq);
        return 0;
    }

    if (m.rec.status != status || m.reason != reason || m.attempts != attempts) {
        diag("message %u: status %u, reason %u, %u attempts", seq, (unsigned) m.rec.status, (unsigned) m.reason, (unsigned) m.attempts);
        return 0;
    }

    return 1;
}
