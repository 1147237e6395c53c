
/*
 * Contacts of an audience through the operations of ngx_campaign_store.h.  A deletion is written into its block by the test, which so
 * chooses its mark; the operation itself: test_store_change.c.
 */

#include "store_make.h"

#include <time.h>


static void test_import(void);
static void test_import_doubles(void);
static void test_import_single(void);
static void test_import_refused(void);
static void test_import_mixed(void);
static void test_import_group(void);
static void test_full(void);
static void test_fields(void);
static void test_pages(void);
static void test_pages_refused(void);
static void test_deleted(void);
static void test_damage(void);
static void test_drop(void);

static void test_audience(u_char *id, ngx_campaign_audience_t *a, store_op_t *so);
static ngx_uint_t test_numbers(u_char *audience, ngx_uint_t size, uint64_t *numbers, ngx_uint_t most);
static ngx_campaign_rc_e test_page(store_op_t *so, u_char *audience, ngx_campaign_page_t *page, ngx_str_t token, ngx_uint_t size);
static uint64_t test_number(ngx_campaign_page_t *page, ngx_uint_t i);
static ngx_campaign_rc_e test_flip_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args);


static const ngx_str_t  test_first = ngx_string("");
static uint32_t         mine, other;


int
main(int argc, char **argv)
{
    make_store(argv[0]);

    mine = make_account("mine");
    other = make_account("other");

    test_import();
    test_import_doubles();
    test_import_single();
    test_import_refused();
    test_import_mixed();
    test_import_group();
    test_full();
    test_fields();
    test_pages();
    test_pages_refused();
    test_deleted();
    test_damage();
    test_drop();

    make_end();

    return done_testing();
}


static void
test_import(void)
{
    u_char                   id[NGX_CAMPAIGN_ID_LEN];
    uint64_t                 numbers[700];
    ngx_uint_t               i, wrong;
    store_op_t              *so;
    ngx_campaign_import_t    im;
    ngx_campaign_member_t    member;
    ngx_campaign_audience_t  a;

    make_audience(mine, "import", id);
    ngx_memzero(&im, sizeof(im));
    so = store_op();

    ngx_stub_now = MAKE_NOW + 5000000;

    is_uint(make_import(mine, id, &im, 15550000600, (uint64_t) -1, 600), NGX_CAMPAIGN_OK, "600 contacts go into an empty audience");
    is_uint(im.created, 600, "all of them are created");
    is_uint(im.duplicates, 0, "none is a duplicate");

    is_uint(store_wait(so, ngx_campaign_store_contact(st, &so->op, mine, id, im.id, &member)), NGX_CAMPAIGN_OK,
            "the id of an import leads to a contact");
    is_uint(member.contact.number, 15550000001, "... to the last one");

    is_uint(make_import(mine, id, &im, 15550001000, 1, 37), NGX_CAMPAIGN_OK, "37 more fill a block that is not full");

    test_audience(id, &a, so);
    is_uint(a.contacts, 637, "the audience counts its contacts");
    is_uint(a.next, 637, "places are given in a row");
    is_int(a.rec.updated, MAKE_NOW / 1000000 + 5, "an import changes the audience's date");
    is_int(a.rec.created, MAKE_NOW / 1000000, "... but not that of its creation");

    is_uint(test_numbers(id, 100, numbers, 700), 637, "all of them stand in its pages");

    for (wrong = 0, i = 0; i < 637; i++) {
        wrong += numbers[i] != (i < 600 ? 15550000600 - i : 15550001000 + i - 600);
    }

    is_uint(wrong, 0, "in the order in which they came");

    is_uint(make_import(mine, id, &im, 0, 0, 0), NGX_CAMPAIGN_OK, "an empty import is none");
    is_uint(im.created + im.duplicates, 0, "... and creates nobody");

    ngx_stub_now = MAKE_NOW;
    store_free(so);
}


static void
test_import_doubles(void)
{
    u_char                   id[NGX_CAMPAIGN_ID_LEN], zero[NGX_CAMPAIGN_ID_LEN];
    uint64_t                 numbers[300];
    ngx_uint_t               i, wrong;
    store_op_t              *so;
    ngx_campaign_import_t    im;
    ngx_campaign_audience_t  a, before;

    make_audience(mine, "doubles", id);
    ngx_memzero(&im, sizeof(im));
    ngx_memzero(zero, sizeof(zero));
    so = store_op();

    is_uint(make_import(mine, id, &im, 15550000000, 0, 50), NGX_CAMPAIGN_OK, "one number fifty times");
    is_uint(im.created, 1, "... is one contact");
    is_uint(im.duplicates, 49, "... and 49 duplicates");

    (void) make_import(mine, id, &im, 15550000000, 2, 100);
    is_uint(im.created, 99, "numbers that stand there are left out");
    is_uint(im.duplicates, 1, "... and counted");

    (void) make_import(mine, id, &im, 15550000000, 1, 201);
    is_uint(im.created, 101, "numbers between and after those that stand there are created");
    is_uint(im.duplicates, 100, "... the others are duplicates");

    is_uint(test_numbers(id, 7, numbers, 300), 201, "each number stands there once");

    for (wrong = 0, i = 100; i < 200; i++) {
        wrong += numbers[i] != 15550000001 + 2 * (i - 100);
    }

    is_uint(wrong, 0, "new ones in the order in which they came");

    test_audience(id, &before, so);
    ngx_stub_now += 9000000;

    is_uint(make_import(mine, id, &im, 15550000000, 1, 201), NGX_CAMPAIGN_OK, "an import of duplicates only is carried out");
    is_uint(im.created, 0, "... creates nobody");
    is_bytes(im.id, NGX_CAMPAIGN_ID_LEN, zero, NGX_CAMPAIGN_ID_LEN, "... gives no id");

    test_audience(id, &a, so);
    is_int(a.rec.updated, before.rec.updated, "... and changes nothing");

    ngx_stub_now = MAKE_NOW;
    store_free(so);
}


static void
test_import_single(void)
{
    u_char                 id[NGX_CAMPAIGN_ID_LEN];
    uint64_t               numbers[4];
    ngx_campaign_import_t  im;

    make_audience(mine, "single", id);
    ngx_memzero(&im, sizeof(im));
    im.single = 1;

    is_uint(make_import(mine, id, &im, 15550000001, 1, 1), NGX_CAMPAIGN_OK, "a single contact is created");
    is_uint(make_import(mine, id, &im, 15550000001, 1, 1), NGX_CAMPAIGN_EXISTS, "its repeat is refused");
    is_uint(test_numbers(id, 10, numbers, 4), 1, "... and nothing is changed");
}


static void
test_import_refused(void)
{
    u_char                   id[NGX_CAMPAIGN_ID_LEN];
    store_op_t              *so;
    ngx_campaign_import_t    im;
    ngx_campaign_audience_t  a;

    make_audience(mine, "refused", id);
    ngx_memzero(&im, sizeof(im));
    so = store_op();

    is_uint(make_import(other, id, &im, 15550000001, 1, 10), NGX_CAMPAIGN_NOT_FOUND, "another account's audience is not found");

    test_audience(id, &a, so);
    is_uint(a.contacts, 0, "... and stays as it is");

    id[3] ^= 1;
    is_uint(make_import(mine, id, &im, 15550000001, 1, 10), NGX_CAMPAIGN_NOT_FOUND, "a made-up audience is not found");

    store_free(so);
}


/* random numbers in a small range against a table of those that were seen: the index is right wherever the next one falls */

static void
test_import_mixed(void)
{
    static u_char             seen[5000];

    u_char                    id[NGX_CAMPAIGN_ID_LEN];
    uint64_t                  n, numbers[5001];
    uint32_t                  fresh;
    ngx_uint_t                i, round, wrong, living;
    store_op_t               *so;
    ngx_campaign_import_t     im;
    ngx_campaign_contact_t    c;
    ngx_campaign_pile_t       pile;

    make_audience(mine, "mixed", id);
    ngx_memzero(seen, sizeof(seen));

    wrong = 0;
    living = 0;

    for (round = 0; round < 40; round++) {
        so = store_op();

        ngx_memzero(&im, sizeof(im));
        ngx_memzero(&c, sizeof(c));
        ngx_campaign_pile_init(&pile, so->op.pool);

        for (fresh = 0, i = 0; i < 200; i++) {
            n = tap_below(5000);
            fresh += !seen[n];
            seen[n] = 1;
            c.number = 15550000000 + n;
            (void) ngx_campaign_pile_add(&pile, &c);
        }

        im.account = mine;
        im.pile = &pile;
        ngx_memcpy(im.audience, id, NGX_CAMPAIGN_ID_LEN);

        wrong += store_wait(so, ngx_campaign_store_import(st, &so->op, &im)) != NGX_CAMPAIGN_OK;
        wrong += im.created != fresh || im.duplicates != 200 - fresh;
        living += fresh;

        store_free(so);
    }

    is_uint(wrong, 0, "40 imports of random numbers create each number once");
    is_uint(test_numbers(id, 100, numbers, 5001), living, "... and the audience holds what they created");

    for (i = 0; i < living; i++) {
        wrong += numbers[i] < 15550000000 || !seen[numbers[i] - 15550000000];
        seen[numbers[i] - 15550000000] = 0;
    }

    is_uint(wrong, 0, "... no number twice");
}


/* two imports in one commit: the second sees what the first wrote; and a work that is run twice answers as if it ran once */

static void
test_import_group(void)
{
    u_char                  id[NGX_CAMPAIGN_ID_LEN];
    ngx_uint_t              i;
    store_op_t             *so[3];
    ngx_campaign_import_t   im[3];

    make_audience(mine, "group", id);
    ngx_memzero(im, sizeof(im));

    for (i = 0; i < 3; i++) {
        so[i] = store_op();
        im[i].account = mine;
        im[i].pile = make_pile(so[i]->op.pool, 15550000000 + 50 * i, 1, 100, 0);
        ngx_memcpy(im[i].audience, id, NGX_CAMPAIGN_ID_LEN);
        (void) ngx_campaign_store_import(st, &so[i]->op, &im[i]);
    }

    (void) ngx_stub_run_posted();

    is_uint(so[0]->rc + so[1]->rc + so[2]->rc, NGX_CAMPAIGN_OK, "three imports share a commit");
    is_uint(im[0].created, 100, "the first creates all of its contacts");
    is_uint(im[1].created, 50, "the second only those that the first did not");
    is_uint(im[2].duplicates, 50, "the third finds those of the second");

    for (i = 0; i < 3; i++) {
        store_free(so[i]);
    }
}


static void
test_full(void)
{
    u_char                   id[NGX_CAMPAIGN_ID_LEN];
    int64_t                  us;
    store_op_t              *so;
    struct timespec          from, to;
    ngx_campaign_import_t    im;
    ngx_campaign_audience_t  a;

    make_audience(mine, "full", id);
    ngx_memzero(&im, sizeof(im));
    so = store_op();

    (void) clock_gettime(CLOCK_MONOTONIC, &from);
    is_uint(make_import(mine, id, &im, 15550000000, 3, 99999), NGX_CAMPAIGN_OK, "99 999 contacts in one import");
    (void) clock_gettime(CLOCK_MONOTONIC, &to);

    us = (to.tv_sec - from.tv_sec) * 1000000 + (to.tv_nsec - from.tv_nsec) / 1000;
    diag("import of 99 999 contacts, pile and commit included: %ld us", (long) us);

    is_uint(make_import(mine, id, &im, 15550000001, 3, 2), NGX_CAMPAIGN_TOO_MANY, "two more are one too many");
    is_uint(im.created, 0, "... none of them is created");

    test_audience(id, &a, so);
    is_uint(a.contacts, 99999, "... nothing is changed");

    is_uint(make_import(mine, id, &im, 15550000001, 3, 1), NGX_CAMPAIGN_OK, "the hundred thousandth still goes in");
    is_uint(make_import(mine, id, &im, 15550000004, 3, 1), NGX_CAMPAIGN_TOO_MANY, "then the audience is full");
    is_uint(make_import(mine, id, &im, 15550000000, 3, 99999), NGX_CAMPAIGN_OK, "duplicates are no reason to refuse an import");
    is_uint(im.duplicates, 99999, "... and all found");

    (void) clock_gettime(CLOCK_MONOTONIC, &from);
    is_uint(make_delete(NGX_CAMPAIGN_AUDIENCE, mine, id), NGX_CAMPAIGN_OK, "a full audience is deleted");
    (void) clock_gettime(CLOCK_MONOTONIC, &to);

    us = (to.tv_sec - from.tv_sec) * 1000000 + (to.tv_nsec - from.tv_nsec) / 1000;
    diag("deletion of 100 000 contacts: %ld us", (long) us);

    store_free(so);
}


static void
test_fields(void)
{
    u_char                   id[NGX_CAMPAIGN_ID_LEN];
    ngx_uint_t               i, wrong;
    store_op_t              *so;
    ngx_campaign_pile_t      pile;
    ngx_campaign_import_t    im;
    ngx_campaign_member_t    member, *members;
    ngx_campaign_page_t      page;
    ngx_campaign_contact_t   c;

    make_audience(mine, "fields", id);
    ngx_memzero(&im, sizeof(im));
    so = store_op();

    ngx_campaign_pile_init(&pile, so->op.pool);
    ngx_memzero(&c, sizeof(c));

    c.number = 15550000001;
    c.field[NGX_CAMPAIGN_CONTACT_FIRST_NAME] = make_str("Ada");
    c.field[NGX_CAMPAIGN_CONTACT_CUSTOM2] = make_str("2026-11-24");
    c.field[NGX_CAMPAIGN_CONTACT_TAGS] = make_str("a\x1f" "b");
    (void) ngx_campaign_pile_add(&pile, &c);

    ngx_memzero(&c, sizeof(c));
    c.number = 15550000002;
    (void) ngx_campaign_pile_add(&pile, &c);

    im.account = mine;
    im.pile = &pile;
    ngx_memcpy(im.audience, id, NGX_CAMPAIGN_ID_LEN);

    is_uint(store_wait(so, ngx_campaign_store_import(st, &so->op, &im)), NGX_CAMPAIGN_OK, "contacts with fields");
    is_uint(test_page(so, id, &page, test_first, 10), NGX_CAMPAIGN_OK, "... are read again");

    members = page.items->elts;
    is_str(&members[0].contact.field[NGX_CAMPAIGN_CONTACT_FIRST_NAME], "Ada", "first name");
    is_str(&members[0].contact.field[NGX_CAMPAIGN_CONTACT_CUSTOM2], "2026-11-24", "custom2");
    is_str(&members[0].contact.field[NGX_CAMPAIGN_CONTACT_TAGS], "a\x1f" "b", "tags");

    for (wrong = 0, i = 0; i < NGX_CAMPAIGN_CONTACT_FIELDS; i++) {
        wrong += members[1].contact.field[i].len != 0;
    }

    is_uint(wrong, 0, "fields that were not given are empty");

    ngx_memzero(&member, sizeof(member));
    is_uint(store_wait(so, ngx_campaign_store_contact(st, &so->op, mine, id, members[0].id, &member)), NGX_CAMPAIGN_OK,
            "a contact by its id");
    is_str(&member.contact.field[NGX_CAMPAIGN_CONTACT_FIRST_NAME], "Ada", "... with its fields");
    is_bytes(member.id, NGX_CAMPAIGN_ID_LEN, members[0].id, NGX_CAMPAIGN_ID_LEN, "... and its id");

    is_uint(store_wait(so, ngx_campaign_store_contact(st, &so->op, other, id, members[0].id, &member)), NGX_CAMPAIGN_NOT_FOUND,
            "another account does not find it");
    is_uint(store_wait(so, ngx_campaign_store_contact(st, &so->op, mine, id, id, &member)), NGX_CAMPAIGN_NOT_FOUND,
            "an id of another kind is no contact");

    make_audience(mine, "fields of another", id);
    is_uint(store_wait(so, ngx_campaign_store_contact(st, &so->op, mine, id, members[0].id, &member)), NGX_CAMPAIGN_NOT_FOUND,
            "a contact is not found in another audience");

    store_free(so);
}


static void
test_pages(void)
{
    u_char                id[NGX_CAMPAIGN_ID_LEN];
    ngx_str_t             token, back;
    store_op_t           *so;
    ngx_campaign_page_t   page;

    make_audience(mine, "pages", id);
    so = store_op();

    is_uint(test_page(so, id, &page, test_first, 10), NGX_CAMPAIGN_OK, "a page of an empty audience");
    is_uint(page.items->nelts, 0, "... is empty");
    ok(page.first.data != NULL && page.first.len == 0, "... has a first page without a token");
    ok(page.next.data == NULL && page.previous.data == NULL, "... and no other");

    make_add(mine, id, 15550000000, 525);

    (void) test_page(so, id, &page, test_first, 100);
    is_uint(page.items->nelts, 100, "a page holds as many as were asked for");
    is_uint(page.total, 525, "total counts all contacts");
    is_uint(page.number, 1, "the first page is number 1");
    ok(page.previous.data == NULL, "nothing is before the first page");
    ok(page.current.data != NULL && page.current.len == 0, "the first page has no token");

    token = page.next;
    (void) test_page(so, id, &page, token, 100);
    is_uint(test_number(&page, 0), 15550000100, "the next page goes on after the last contact");
    is_uint(page.number, 2, "... and is number 2");
    is_bytes(page.current.data, page.current.len, token.data, token.len, "... under the token it was asked for with");

    make_add(mine, id, 15560000000, 3);

    token = page.next;
    (void) test_page(so, id, &page, token, 100);
    is_uint(test_number(&page, 0), 15550000200, "contacts added meanwhile change no page before them");
    is_uint(page.total, 528, "... but the total");

    back = page.previous;
    (void) test_page(so, id, &page, back, 100);
    is_uint(test_number(&page, 0), 15550000100, "the previous page is the one before");
    is_uint(page.items->nelts, 100, "... in full");
    is_uint(page.number, 2, "... and its number");

    back = page.previous;
    (void) test_page(so, id, &page, back, 100);
    is_uint(test_number(&page, 0), 15550000000, "and back to the first");
    is_uint(page.number, 1, "... which is number 1 again");
    ok(page.previous.data == NULL, "... with nothing before it");
    ok(page.next.data != NULL, "... and one after it");

    (void) test_page(so, id, &page, page.next, 528);
    is_uint(page.items->nelts, 428, "a page crosses blocks");
    is_uint(test_number(&page, 427), 15560000002, "... up to the last contact");
    ok(page.next.data == NULL, "nothing is after the last page");

    (void) test_page(so, id, &page, page.previous, 60);
    is_uint(test_number(&page, 0), 15550000040, "back by another size of page");
    is_uint(test_number(&page, 59), 15550000099, "... ends where the page began");

    store_free(so);
}


static void
test_pages_refused(void)
{
    u_char                id[NGX_CAMPAIGN_ID_LEN], another[NGX_CAMPAIGN_ID_LEN];
    ngx_str_t             token, broken;
    store_op_t           *so;
    ngx_campaign_page_t   page;

    make_audience(mine, "tokens", id);
    make_audience(mine, "tokens of another", another);
    so = store_op();

    make_add(mine, id, 15550000000, 30);
    make_add(mine, another, 15550000000, 30);
    (void) test_page(so, id, &page, test_first, 10);

    token = page.next;
    is_uint(test_page(so, another, &page, token, 10), NGX_CAMPAIGN_INVALID, "a token of another audience is refused");

    broken.len = token.len;
    broken.data = ngx_pstrdup(so->op.pool, &token);
    broken.data[token.len / 2] = (broken.data[token.len / 2] == 'A') ? 'B' : 'A';
    is_uint(test_page(so, id, &page, broken, 10), NGX_CAMPAIGN_INVALID, "a broken token is refused");

    is_uint(test_page(so, id, &page, token, 10), NGX_CAMPAIGN_OK, "the whole one is taken");

    page.account = other;
    page.token = token;
    is_uint(store_wait(so, ngx_campaign_store_contacts(st, &so->op, id, &page)), NGX_CAMPAIGN_NOT_FOUND,
            "another account does not find the audience");

    store_free(so);
}


static void
test_deleted(void)
{
    u_char                    id[NGX_CAMPAIGN_ID_LEN], gone[NGX_CAMPAIGN_ID_LEN];
    ngx_str_t                 token;
    store_op_t               *so;
    make_erase_t              erase;
    ngx_campaign_page_t       page;
    ngx_campaign_import_t     im;
    ngx_campaign_member_t     member;
    ngx_campaign_audience_t   a;

    make_audience(mine, "deleted", id);
    ngx_memzero(&im, sizeof(im));
    so = store_op();

    (void) make_import(mine, id, &im, 15550000000, 1, 300);

    test_audience(id, &a, so);
    erase.list = NGX_CAMPAIGN_LIST_AUDIENCE(a.rec.no);
    erase.audience = NULL;
    erase.mark = 0;
    erase.from = 5;
    erase.to = 250;
    is_uint(store_wait(so, ngx_campaign_lmdb_write(st, &so->op, make_erase_work, &erase)), NGX_CAMPAIGN_OK, "245 contacts are erased");

    (void) test_page(so, id, &page, test_first, 10);
    is_uint(page.items->nelts, 10, "a page is full though contacts in it were deleted");
    is_uint(test_number(&page, 4), 15550000004, "it goes on");
    is_uint(test_number(&page, 5), 15550000250, "... behind them");

    token = page.next;
    (void) test_page(so, id, &page, token, 10);
    is_uint(test_number(&page, 0), 15550000255, "the next page too");

    (void) test_page(so, id, &page, page.previous, 10);
    is_uint(test_number(&page, 0), 15550000000, "and the one before it begins where it began");
    is_uint(page.items->nelts, 10, "... with as many");
    ok(page.previous.data == NULL, "... and nothing before it");

    ngx_campaign_id_make(st->secret, NGX_CAMPAIGN_CONTACT, erase.list, 100, gone);
    is_uint(store_wait(so, ngx_campaign_store_contact(st, &so->op, mine, id, gone, &member)), NGX_CAMPAIGN_NOT_FOUND,
            "a deleted contact is not found");

    ngx_campaign_id_make(st->secret, NGX_CAMPAIGN_CONTACT, erase.list, 300, gone);
    is_uint(store_wait(so, ngx_campaign_store_contact(st, &so->op, mine, id, gone, &member)), NGX_CAMPAIGN_NOT_FOUND,
            "nor one behind the last");

    (void) make_import(mine, id, &im, 15550000300, 1, 1);
    is_uint(im.created, 1, "contacts go behind those that were deleted");

    store_free(so);
}


static void
test_damage(void)
{
    u_char                    id[NGX_CAMPAIGN_ID_LEN];
    uint64_t                  list;
    ngx_uint_t                level;
    store_op_t               *so;
    ngx_campaign_page_t       page;
    ngx_campaign_import_t     im;
    ngx_campaign_audience_t   a;

    make_audience(mine, "damage", id);
    ngx_memzero(&im, sizeof(im));
    so = store_op();

    make_add(mine, id, 15550000000, 20);

    test_audience(id, &a, so);
    list = NGX_CAMPAIGN_LIST_AUDIENCE(a.rec.no);
    (void) store_wait(so, ngx_campaign_lmdb_write(st, &so->op, test_flip_work, &list));

    level = store_log.log_level;
    store_log.log_level = NGX_LOG_EMERG;

    is_uint(test_page(so, id, &page, test_first, 10), NGX_CAMPAIGN_FAILURE, "a block with a flipped bit is not believed");
    is_uint(make_import(mine, id, &im, 15560000000, 1, 1), NGX_CAMPAIGN_FAILURE, "... nor written on");

    store_log.log_level = level;

    test_audience(id, &a, so);
    is_uint(a.contacts, 20, "... and the import that found it changed nothing");

    store_free(so);
}


static void
test_drop(void)
{
    u_char                id[NGX_CAMPAIGN_ID_LEN], keep[NGX_CAMPAIGN_ID_LEN];
    uint64_t              numbers[600];
    store_op_t           *so;
    make_look_t           before, after;
    ngx_campaign_page_t   page;

    so = store_op();
    make_audience(mine, "kept", keep);
    make_add(mine, keep, 15550000000, 512);

    (void) make_look(&before);

    make_audience(mine, "dropped", id);
    make_add(mine, id, 15550000000, 1000);

    is_uint(make_delete(NGX_CAMPAIGN_AUDIENCE, other, id), NGX_CAMPAIGN_NOT_FOUND, "another account cannot delete an audience");
    is_uint(make_delete(NGX_CAMPAIGN_AUDIENCE, mine, id), NGX_CAMPAIGN_OK, "an audience is deleted");

    (void) make_look(&after);
    is_uint(after.entries[NGX_CAMPAIGN_DB_BLOCK], before.entries[NGX_CAMPAIGN_DB_BLOCK], "... with its blocks");
    is_uint(after.entries[NGX_CAMPAIGN_DB_NUMBER], before.entries[NGX_CAMPAIGN_DB_NUMBER], "... its numbers");
    is_uint(after.entries[NGX_CAMPAIGN_DB_LIST], before.entries[NGX_CAMPAIGN_DB_LIST], "... its places in lists");
    is_uint(after.entries[NGX_CAMPAIGN_DB_NAME], before.entries[NGX_CAMPAIGN_DB_NAME], "... and its name");

    is_uint(make_delete(NGX_CAMPAIGN_AUDIENCE, mine, id), NGX_CAMPAIGN_NOT_FOUND, "it is not found again");
    is_uint(test_page(so, id, &page, test_first, 10), NGX_CAMPAIGN_NOT_FOUND, "... nor its contacts");
    is_uint(test_numbers(keep, 100, numbers, 600), 512, "the neighbour's contacts are all there");

    store_free(so);
}


static void
test_audience(u_char *id, ngx_campaign_audience_t *a, store_op_t *so)
{
    if (store_wait(so, ngx_campaign_store_get(st, &so->op, NGX_CAMPAIGN_AUDIENCE, mine, id, a)) != NGX_CAMPAIGN_OK) {
        diag("no such audience");
        exit(2);
    }
}


/* all contacts, page by page */

static ngx_uint_t
test_numbers(u_char *audience, ngx_uint_t size, uint64_t *numbers, ngx_uint_t most)
{
    ngx_str_t             token;
    ngx_uint_t            i, n;
    store_op_t           *so;
    ngx_campaign_page_t   page;

    so = store_op();
    token = test_first;

    for (n = 0; ; /* void */ ) {
        if (test_page(so, audience, &page, token, size) != NGX_CAMPAIGN_OK) {
            break;
        }

        for (i = 0; i < page.items->nelts && n < most; i++) {
            numbers[n++] = test_number(&page, i);
        }

        if (page.next.data == NULL || n == most) {
            break;
        }

        token = page.next;
    }

    store_free(so);

    return n;
}


static ngx_campaign_rc_e
test_page(store_op_t *so, u_char *audience, ngx_campaign_page_t *page, ngx_str_t token, ngx_uint_t size)
{
    ngx_memzero(page, sizeof(ngx_campaign_page_t));

    page->kind = NGX_CAMPAIGN_CONTACT;
    page->account = mine;
    page->token = token;
    page->size = size;

    return store_wait(so, ngx_campaign_store_contacts(st, &so->op, audience, page));
}


static uint64_t
test_number(ngx_campaign_page_t *page, ngx_uint_t i)
{
    ngx_campaign_member_t  *members;

    members = page->items->elts;

    return i < page->items->nelts ? members[i].contact.number : 0;
}


static ngx_campaign_rc_e
test_flip_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args)
{
    uint64_t *list = args;

    u_char   key[12], block[NGX_CAMPAIGN_BLOCK * 64];
    MDB_val  value;

    ngx_campaign_be32_put(ngx_campaign_be64_put(key, *list), 0);

    if (ngx_campaign_lmdb_get(t, NGX_CAMPAIGN_DB_BLOCK, key, 12, &value) != 0) {
        return NGX_CAMPAIGN_FAILURE;
    }

    ngx_memcpy(block, value.mv_data, value.mv_size);
    block[9] ^= 4;

    return ngx_campaign_lmdb_put(t, NGX_CAMPAIGN_DB_BLOCK, key, 12, block, value.mv_size) == 0 ? NGX_CAMPAIGN_OK
                                                                                                : NGX_CAMPAIGN_FAILURE;
}
