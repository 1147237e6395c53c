
/*
 * Changes: records renamed, one contact changed or deleted, and lists whose filter looks into records and contacts.
 */

#include "store_campaign.h"


#define TEST_MODEL  700                         /* places of the model: three blocks, the last one not full */


typedef struct {
    uint64_t    number;                         /* 0: deleted, or not there yet */
    ngx_uint_t  name;                           /* first name is n<name> */
    u_char      id[NGX_CAMPAIGN_ID_LEN];
} test_place_t;


static void test_update(void);
static void test_contact_change(void);
static void test_contact_delete(void);
static void test_contact_mark(void);
static void test_contact_model(void);
static void test_search(void);
static void test_search_many(void);
static void test_names(void);
static void test_names_many(void);

static ngx_campaign_rc_e test_rename(ngx_campaign_kind_e kind, void *rec, uint32_t account, const u_char *id, const char *name,
    const char *text);
static ngx_campaign_rc_e test_set(u_char *audience, const u_char *id, uint64_t number, const char *name, ngx_campaign_member_t *out);
static ngx_campaign_rc_e test_gone(u_char *audience, const u_char *id);
static ngx_campaign_rc_e test_get(u_char *audience, const u_char *id, ngx_campaign_member_t *out);
static ngx_uint_t test_members(u_char *audience, const char *match, ngx_uint_t size, test_place_t *places, ngx_uint_t most,
    ngx_uint_t *pages);
static uint32_t test_count(u_char *audience);
static ngx_uint_t test_walk(const char *match, ngx_uint_t back, ngx_uint_t *pages, uint64_t *sum);


static uint32_t  mine, other;


int
main(int argc, char **argv)
{
    make_store(argv[0]);

    mine = make_account("mine");
    other = make_account("other");

    test_update();
    test_contact_change();
    test_contact_delete();
    test_contact_mark();
    test_contact_model();
    test_search();
    test_search_many();
    test_names();
    test_names_many();

    make_end();

    return done_testing();
}


static void
test_update(void)
{
    u_char                    one[NGX_CAMPAIGN_ID_LEN], two[NGX_CAMPAIGN_ID_LEN];
    ngx_campaign_text_t       t;
    ngx_campaign_sender_t     s;
    ngx_campaign_audience_t   a;

    make_audience(mine, "one", one);
    make_audience(mine, "two", two);

    ngx_stub_now = MAKE_NOW + 7000000;

    is_uint(test_rename(NGX_CAMPAIGN_AUDIENCE, &a, mine, one, "first", NULL), NGX_CAMPAIGN_OK, "an audience is renamed");
    is_str(&a.rec.name, "first", "the result has its name");
    is_str(&a.rec.channel, "SMS", "and its channel");
    is_int(a.rec.updated, MAKE_NOW / 1000000 + 7, "and the date");
    is_uint(test_rename(NGX_CAMPAIGN_AUDIENCE, &a, mine, one, "two", NULL), NGX_CAMPAIGN_EXISTS, "a taken name is refused");
    is_uint(test_rename(NGX_CAMPAIGN_AUDIENCE, &a, mine, one, "first", NULL), NGX_CAMPAIGN_OK, "its own is not");
    is_uint(test_rename(NGX_CAMPAIGN_AUDIENCE, &a, mine, two, "one", NULL), NGX_CAMPAIGN_OK, "a name given up is free");
    is_uint(test_rename(NGX_CAMPAIGN_AUDIENCE, &a, other, one, "x", NULL), NGX_CAMPAIGN_NOT_FOUND, "another account's is not found");
    is_uint(test_rename(NGX_CAMPAIGN_TEMPLATE, &t, mine, one, "x", NULL), NGX_CAMPAIGN_NOT_FOUND, "nor one of another kind");

    ngx_memzero(&t, sizeof(t));
    t.text = make_str("old");
    is_uint(make_put(NGX_CAMPAIGN_TEMPLATE, &t, mine, "t", "SMS", NULL), NGX_CAMPAIGN_OK, "a template");
    ngx_memcpy(one, t.rec.id, NGX_CAMPAIGN_ID_LEN);
    is_uint(test_rename(NGX_CAMPAIGN_TEMPLATE, &t, mine, one, NULL, "new"), NGX_CAMPAIGN_OK, "its text is changed");
    is_str(&t.text, "new", "it is");
    is_str(&t.rec.name, "t", "its name stays");
    is_uint(test_rename(NGX_CAMPAIGN_TEMPLATE, &t, mine, one, "u", NULL), NGX_CAMPAIGN_OK, "its name is changed");
    is_str(&t.text, "new", "its text stays");

    ngx_memzero(&s, sizeof(s));
    is_uint(test_rename(NGX_CAMPAIGN_SENDER, &s, mine, one, "x", NULL), NGX_CAMPAIGN_FAILURE, "senders are not changed");
    ok(make_look(NULL), "all that is kept twice agrees");
}


static void
test_contact_change(void)
{
    u_char                    audience[NGX_CAMPAIGN_ID_LEN], id[NGX_CAMPAIGN_ID_LEN], fresh[NGX_CAMPAIGN_ID_LEN];
    test_place_t              places[4];
    ngx_campaign_import_t     im;
    ngx_campaign_member_t     m;

    make_audience(mine, "change", audience);
    ngx_memzero(&im, sizeof(im));
    is_uint(make_import(mine, audience, &im, 15550000000, 1, 3), NGX_CAMPAIGN_OK, "three contacts");
    is_uint(test_members(audience, "", 10, places, 4, NULL), 3, "they are there");
    ngx_memcpy(id, places[1].id, NGX_CAMPAIGN_ID_LEN);

    is_uint(test_set(audience, id, 0, "n12", &m), NGX_CAMPAIGN_OK, "a name is set");
    ok(m.contact.number == 15550000001 && m.contact.field[0].len == 3, "the result has name and number");
    is_uint(test_set(audience, id, 15550000002, NULL, &m), NGX_CAMPAIGN_EXISTS, "the number of another is refused");
    is_uint(test_set(audience, id, 15550000001, NULL, &m), NGX_CAMPAIGN_OK, "its own is not");
    is_uint(test_set(audience, id, 15559999999, NULL, &m), NGX_CAMPAIGN_OK, "a new one is taken");
    is_uint(test_members(audience, "", 10, places, 4, NULL), 3, "still three");
    ok(places[0].number == 15550000000 && places[1].number == 15559999999 && places[1].name == 12 && places[2].number == 15550000002,
       "each in its place");

    im.single = 1;
    is_uint(make_import(mine, audience, &im, 15559999999, 1, 1), NGX_CAMPAIGN_EXISTS, "the new number can not be added");
    is_uint(make_import(mine, audience, &im, 15550000001, 1, 1), NGX_CAMPAIGN_OK, "the old one can");
    is_uint(test_count(audience), 4, "four");

    make_audience(mine, "change other", fresh);
    is_uint(test_set(fresh, id, 0, "n1", &m), NGX_CAMPAIGN_NOT_FOUND, "of another audience it is not found");
    is_uint(test_set(audience, audience, 0, "n1", &m), NGX_CAMPAIGN_NOT_FOUND, "nor by an id of another kind");
    is_uint(test_set(audience, id, 0, "", &m), NGX_CAMPAIGN_OK, "a field is emptied");
    ok(m.contact.field[0].len == 0 && m.contact.number == 15559999999, "and only that");
}


static void
test_contact_delete(void)
{
    u_char                    audience[NGX_CAMPAIGN_ID_LEN];
    test_place_t              places[8];
    ngx_campaign_import_t     im;
    ngx_campaign_member_t     m;

    make_audience(mine, "delete", audience);
    ngx_memzero(&im, sizeof(im));
    is_uint(make_import(mine, audience, &im, 15550000000, 1, 4), NGX_CAMPAIGN_OK, "four contacts");
    is_uint(test_members(audience, "", 3, places, 8, NULL), 4, "they are there");

    is_uint(test_gone(audience, places[1].id), NGX_CAMPAIGN_OK, "one is deleted");
    is_uint(test_gone(audience, places[1].id), NGX_CAMPAIGN_NOT_FOUND, "once");
    is_uint(test_get(audience, places[1].id, &m), NGX_CAMPAIGN_NOT_FOUND, "it is not found");
    is_uint(test_set(audience, places[1].id, 0, "n1", &m), NGX_CAMPAIGN_NOT_FOUND, "nor changed");
    is_uint(test_count(audience), 3, "three are counted");
    is_uint(make_import(mine, audience, &im, 15550000001, 1, 1), NGX_CAMPAIGN_OK, "its number is added again");
    is_uint(im.created, 1, "as a new contact");
    is_uint(test_members(audience, "", 3, places, 8, NULL), 4, "four again");
    ok(places[0].number == 15550000000 && places[1].number == 15550000002 && places[3].number == 15550000001, "it is the last one");
}


/* campaigns up to the mark count the contact, later ones do not */

static void
test_contact_mark(void)
{
    u_char                   audience[NGX_CAMPAIGN_ID_LEN];
    test_place_t             places[4];
    ngx_campaign_campaign_t  c[2];

    make_audience(mine, "mark", audience);
    make_sender(mine, "Mark", NULL);
    make_add(mine, audience, 15550000000, 3);
    (void) test_members(audience, "", 3, places, 4, NULL);

    make_campaign(&c[0], mine, "", audience);
    c[0].from = make_str("Mark");
    c[0].schedule = (time_t) (MAKE_NOW / 1000000) + 1000;
    c[1] = c[0];

    is_uint(make_create(&c[0], 0, 0), NGX_CAMPAIGN_OK, "a campaign");
    is_uint(test_gone(audience, places[0].id), NGX_CAMPAIGN_OK, "then a contact goes");
    is_uint(make_create(&c[1], 0, 0), NGX_CAMPAIGN_OK, "then another campaign");
    is_uint(c[0].progress.total, 3, "the first one counts it");
    is_uint(c[1].progress.total, 2, "the second one does not");
}


/* random changes, deletions and imports against a plain array */

static void
test_contact_model(void)
{
    u_char                    audience[NGX_CAMPAIGN_ID_LEN];
    char                      name[16];
    uint64_t                  number;
    ngx_uint_t                i, n, step, at, wrong, taken, living;
    test_place_t             *model, *found;
    ngx_campaign_rc_e         rc, expected;
    ngx_campaign_member_t     m;
    ngx_campaign_import_t     im;

    diag("seed %" PRIu64, tap_seed());

    model = calloc(TEST_MODEL + 400, sizeof(test_place_t));
    found = calloc(TEST_MODEL + 400, sizeof(test_place_t));

    make_audience(mine, "model", audience);
    ngx_memzero(&im, sizeof(im));
    (void) make_import(mine, audience, &im, 15550000000, 1, TEST_MODEL);
    n = test_members(audience, "", 100, model, TEST_MODEL, NULL);
    is_uint(n, TEST_MODEL, "the model is filled");

    wrong = 0;

    for (step = 0; step < 600; step++) {
        at = tap_below(n);
        number = 15550000000 + tap_below(TEST_MODEL + 50);

        for (taken = 0, i = 0; i < n; i++) {
            taken |= (model[i].number == number && i != at);
        }

        switch (tap_below(4)) {

        case 0:
            rc = test_gone(audience, model[at].id);
            expected = model[at].number ? NGX_CAMPAIGN_OK : NGX_CAMPAIGN_NOT_FOUND;
            model[at].number = 0;
            break;

        case 1:
            im.single = 0;
            rc = make_import(mine, audience, &im, number, 1, 1);
            expected = NGX_CAMPAIGN_OK;
            taken |= (model[at].number == number);
            wrong += (im.created != (taken ? 0 : 1));

            if (!taken) {
                model[n].number = number;
                model[n].name = 0;
                ngx_memcpy(model[n++].id, im.id, NGX_CAMPAIGN_ID_LEN);
            }
            break;

        default:
            (void) snprintf(name, sizeof(name), "n%lu", (unsigned long) step);
            rc = test_set(audience, model[at].id, number, name, &m);
            expected = model[at].number == 0 ? NGX_CAMPAIGN_NOT_FOUND : taken ? NGX_CAMPAIGN_EXISTS : NGX_CAMPAIGN_OK;

            if (expected == NGX_CAMPAIGN_OK) {
                model[at].number = number;
                model[at].name = step;
            }
        }

        wrong += (rc != expected);
    }

    is_uint(wrong, 0, "every answer is the model's");

    (void) test_members(audience, "", 100, found, TEST_MODEL + 400, NULL);

    for (living = 0, i = 0; i < n; i++) {
        if (model[i].number) {
            wrong += (found[living].number != model[i].number || found[living].name != model[i].name
                      || ngx_memcmp(found[living].id, model[i].id, NGX_CAMPAIGN_ID_LEN) != 0);
            living++;
        }
    }

    is_uint(wrong, 0, "and so is every contact, in its place");
    is_uint(test_count(audience), living, "and their count");

    free(model);
    free(found);
}


static void
test_search(void)
{
    u_char                 audience[NGX_CAMPAIGN_ID_LEN];
    test_place_t           places[16];
    ngx_campaign_member_t  m;

    make_audience(mine, "search", audience);
    make_add(mine, audience, 15550000000, 12);
    (void) test_members(audience, "", 12, places, 16, NULL);
    (void) test_set(audience, places[3].id, 447900900000, "n44", &m);

    is_uint(test_members(audience, "44", 2, places, 16, NULL), 1, "a prefix of the number, and a part of a name");
    is_uint(test_members(audience, "1555000001", 1, places, 16, NULL), 2, "page by page");
    ok(places[0].number == 15550000010 && places[1].number == 15550000011, "in order");
    is_uint(test_members(audience, "+1555", 5, places, 16, NULL), 11, "with a plus");
    is_uint(test_members(audience, "N4", 5, places, 16, NULL), 1, "a part of a name, in any case");
    is_uint(test_members(audience, "5550", 5, places, 16, NULL), 0, "not a part of a number");
}


static void
test_search_many(void)
{
    u_char                 audience[NGX_CAMPAIGN_ID_LEN];
    ngx_uint_t             pages;
    store_op_t            *so;
    test_place_t           places[4];
    ngx_campaign_page_t    page;
    ngx_campaign_import_t  im;

    make_audience(mine, "many", audience);
    ngx_memzero(&im, sizeof(im));
    is_uint(make_import(mine, audience, &im, 15550000000, 1, 30000), NGX_CAMPAIGN_OK, "30 000 contacts");

    is_uint(test_members(audience, "15550029999", 100, places, 4, &pages), 1, "the last one is found");
    is_uint(pages, 3, "by three reads");

    so = store_op();
    ngx_memzero(&page, sizeof(page));
    page.kind = NGX_CAMPAIGN_CONTACT;
    page.account = mine;
    page.size = 10;
    page.match = make_str("15550029999");

    is_uint(store_wait(so, ngx_campaign_store_contacts(st, &so->op, audience, &page)), NGX_CAMPAIGN_OK, "the first read");
    ok(page.items->nelts == 0 && page.uncounted && page.next.len, "finds nothing, does not know how many there are, and goes on");
    page.token = page.next;
    page.match = make_str("1555002999");
    is_uint(store_wait(so, ngx_campaign_store_contacts(st, &so->op, audience, &page)), NGX_CAMPAIGN_INVALID, "not with another search");
    store_free(so);
}


static void
test_names(void)
{
    ngx_uint_t              i;
    store_op_t             *so;
    ngx_campaign_page_t     page;
    ngx_campaign_sender_t   s;
    ngx_campaign_sender_t  *items;

    static const char *const  names[] = { "ab", "abc", "b", "12345", "ab1" };

    for (i = 0; i < 5; i++) {
        ngx_memzero(&s, sizeof(s));
        s.type = i == 3 ? NGX_CAMPAIGN_T_SHORT_CODE : NGX_CAMPAIGN_T_ALPHANUMERIC;
        (void) make_put(NGX_CAMPAIGN_SENDER, &s, other, names[i], i == 1 ? "VIBER" : "SMS", NULL);
    }

    so = store_op();
    ngx_memzero(&page, sizeof(page));
    page.kind = NGX_CAMPAIGN_SENDER;
    page.account = other;
    page.size = 10;
    page.match = make_str("ab");

    is_uint(store_wait(so, ngx_campaign_store_page(st, &so->op, &page)), NGX_CAMPAIGN_OK, "by a prefix of the name");
    items = page.items->elts;
    ok(page.items->nelts == 3 && page.total == 3 && !page.uncounted && page.next.data == NULL && page.previous.data == NULL, "three");
    is_str(&items[0].rec.name, "ab1", "newest first");

    page.channel = make_str("SMS");
    is_uint(store_wait(so, ngx_campaign_store_page(st, &so->op, &page)), NGX_CAMPAIGN_OK, "and channel");
    ok(page.items->nelts == 2 && page.total == 2, "two");

    page.match.len = 0;
    page.type = NGX_CAMPAIGN_T_SHORT_CODE;
    is_uint(store_wait(so, ngx_campaign_store_page(st, &so->op, &page)), NGX_CAMPAIGN_OK, "and by type");
    ok(page.items->nelts == 1 && page.total == 1, "one");
    store_free(so);
}


/* more records than a read looks at */

static void
test_names_many(void)
{
    char                 *name;
    uint64_t              sum[2];
    ngx_uint_t            i, n, pages;
    store_op_t           *so, *puts[128];
    ngx_campaign_page_t   page;
    ngx_campaign_text_t  *t;

    n = 0;

    while (n < 2 * NGX_CAMPAIGN_PAGE_SCAN + 500) {              /* many to a commit */

        for (i = 0; i < 128 && n < 2 * NGX_CAMPAIGN_PAGE_SCAN + 500; i++, n++) {
            puts[i] = store_op();

            t = ngx_pcalloc(puts[i]->op.pool, sizeof(ngx_campaign_text_t));
            name = ngx_palloc(puts[i]->op.pool, 32);
            (void) snprintf(name, 32, n % 1000 == 7 ? "rare %lu" : "common %lu", (unsigned long) n);

            t->rec.account = other;
            t->rec.name = make_str(name);
            t->rec.channel = make_str("SMS");
            t->text = make_str("x");

            (void) ngx_campaign_store_put(st, &puts[i]->op, NGX_CAMPAIGN_TEMPLATE, t, NULL);
        }

        (void) ngx_stub_run_posted();

        while (i) {
            store_free(puts[--i]);
        }
    }

    is_uint(test_walk("rare", 0, &pages, &sum[0]), 5, "all of a rare name are found");
    is_uint(pages, 3, "in pages of two, two of them cut short");
    is_uint(test_walk("rare", 1, &pages, &sum[1]), 5, "on the way back, too");
    is_uint(sum[1], sum[0], "the same ones");
    is_uint(test_walk("common 12", 0, &pages, &sum[0]), 111, "and all of another");

    so = store_op();
    ngx_memzero(&page, sizeof(page));
    page.kind = NGX_CAMPAIGN_TEMPLATE;
    page.account = other;
    page.size = 2;
    page.match = make_str("rare");
    is_uint(store_wait(so, ngx_campaign_store_page(st, &so->op, &page)), NGX_CAMPAIGN_OK, "the first page");
    ok(page.uncounted && page.previous.data == NULL, "does not know how many there are; none is before it");
    page.match.len = 0;
    is_uint(store_wait(so, ngx_campaign_store_page(st, &so->op, &page)), NGX_CAMPAIGN_OK, "a page of all");
    ok(page.total == n && !page.uncounted, "does");
    store_free(so);
}


/* templates of `other` by pages of two, from the newest to the oldest, or (back) once more from there to the newest */

static ngx_uint_t
test_walk(const char *match, ngx_uint_t back, ngx_uint_t *pages, uint64_t *sum)
{
    ngx_str_t             token;
    ngx_uint_t            i, n, way;
    store_op_t           *so;
    ngx_campaign_page_t   page;
    ngx_campaign_text_t  *items;

    so = store_op();
    token = make_str("");
    n = 0;

    for (way = 0; way <= back; way++) {

        for (n = 0, *sum = 0, *pages = 1; ; (*pages)++) {
            ngx_memzero(&page, sizeof(page));
            page.kind = NGX_CAMPAIGN_TEMPLATE;
            page.account = other;
            page.size = 2;
            page.match = make_str(match);
            page.token = token;

            if (store_wait(so, ngx_campaign_store_page(st, &so->op, &page)) != NGX_CAMPAIGN_OK) {
                diag("no page");
                return 0;
            }

            items = page.items->elts;

            for (i = 0; i < page.items->nelts; i++, n++) {
                *sum += items[i].rec.no * items[i].rec.no;
            }

            if ((way ? page.previous : page.next).data == NULL) {
                break;
            }

            token = way ? page.previous : page.next;
        }
    }

    store_free(so);

    return n;
}


static ngx_campaign_rc_e
test_rename(ngx_campaign_kind_e kind, void *rec, uint32_t account, const u_char *id, const char *name, const char *text)
{
    store_op_t          *so;
    ngx_campaign_rc_e    rc;
    ngx_campaign_rec_t  *head;

    static u_char        kept[512];

    head = rec;
    ngx_memzero(head, sizeof(ngx_campaign_rec_t));
    head->account = account;
    head->name = make_str(name ? name : "");
    ngx_memcpy(head->id, id, NGX_CAMPAIGN_ID_LEN);

    if (kind == NGX_CAMPAIGN_TEMPLATE) {
        ((ngx_campaign_text_t *) rec)->text = make_str(text ? text : "");
    }

    so = store_op();
    rc = store_wait(so, ngx_campaign_store_update(st, &so->op, kind, rec, (name ? NGX_CAMPAIGN_SET_NAME : 0)
                                                                          | (text ? NGX_CAMPAIGN_SET_TEXT : 0)));

    if (rc == NGX_CAMPAIGN_OK) {                /* strings are in the operation's pool */
        ngx_memcpy(kept, head->name.data, head->name.len);
        head->name.data = kept;
        ngx_memcpy(&kept[200], head->channel.data, head->channel.len);
        head->channel.data = &kept[200];

        if (kind == NGX_CAMPAIGN_TEMPLATE) {
            ngx_memcpy(&kept[300], ((ngx_campaign_text_t *) rec)->text.data, ((ngx_campaign_text_t *) rec)->text.len);
            ((ngx_campaign_text_t *) rec)->text.data = &kept[300];
        }
    }

    store_free(so);

    return rc;
}


/* number 0, name NULL: stays */

static ngx_campaign_rc_e
test_set(u_char *audience, const u_char *id, uint64_t number, const char *name, ngx_campaign_member_t *out)
{
    ngx_memzero(out, sizeof(ngx_campaign_member_t));
    ngx_memcpy(out->id, id, NGX_CAMPAIGN_ID_LEN);
    out->contact.number = number;
    out->contact.field[NGX_CAMPAIGN_CONTACT_FIRST_NAME] = make_str(name ? name : "");

    return store_answer(ngx_campaign_store_contact_change(st, store_begin(), mine, audience, out,
                                                          (number ? NGX_CAMPAIGN_SET_NUMBER : 0)
                                                          | (name ? 1 << NGX_CAMPAIGN_CONTACT_FIRST_NAME : 0)));
}


static ngx_campaign_rc_e
test_gone(u_char *audience, const u_char *id)
{
    return store_answer(ngx_campaign_store_contact_delete(st, store_begin(), mine, audience, (u_char *) id));
}


static ngx_campaign_rc_e
test_get(u_char *audience, const u_char *id, ngx_campaign_member_t *out)
{
    return store_answer(ngx_campaign_store_contact(st, store_begin(), mine, audience, (u_char *) id, out));
}


/* all contacts that match, page by page; total has to be theirs if it is known */

static ngx_uint_t
test_members(u_char *audience, const char *match, ngx_uint_t size, test_place_t *places, ngx_uint_t most, ngx_uint_t *pages)
{
    ngx_str_t               token;
    ngx_uint_t              i, n, read;
    store_op_t             *so;
    ngx_campaign_page_t     page;
    ngx_campaign_member_t  *m;

    so = store_op();
    token = make_str("");

    for (n = 0, read = 1; ; read++) {
        ngx_memzero(&page, sizeof(page));
        page.kind = NGX_CAMPAIGN_CONTACT;
        page.account = mine;
        page.size = size;
        page.match = make_str(match);
        page.token = token;

        if (store_wait(so, ngx_campaign_store_contacts(st, &so->op, audience, &page)) != NGX_CAMPAIGN_OK) {
            diag("no page");
            break;
        }

        m = page.items->elts;

        for (i = 0; i < page.items->nelts && n < most; i++, n++) {
            places[n].number = m[i].contact.number;
            places[n].name = m[i].contact.field[0].len > 1
                             ? (ngx_uint_t) ngx_atoi(m[i].contact.field[0].data + 1, m[i].contact.field[0].len - 1) : 0;
            ngx_memcpy(places[n].id, m[i].id, NGX_CAMPAIGN_ID_LEN);
        }

        if (page.next.data == NULL || n == most) {
            break;
        }

        token = page.next;
    }

    if (!page.uncounted && n < most && page.total != n) {
        diag("total is %" PRIu64 ", found were %lu", page.total, (unsigned long) n);
        n = most + 1;
    }

    store_free(so);

    if (pages) {
        *pages = read;
    }

    return n;
}


static uint32_t
test_count(u_char *audience)
{
    ngx_campaign_audience_t  a;

    ngx_memzero(&a, sizeof(a));

    (void) store_answer(ngx_campaign_store_get(st, store_begin(), NGX_CAMPAIGN_AUDIENCE, mine, audience, &a));

    return a.contacts;
}
