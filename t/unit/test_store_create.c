
/*
 * Campaigns are created through ngx_campaign_store.h: on an audience, with numbers of their own, several in one commit; or refused.
 */

#include "store_life.h"


static void test_create_audience(void);
static void test_create_thinned(void);
static void test_create_inline(void);
static void test_create_refused(void);
static void test_create_group(void);


int
main(int argc, char **argv)
{
    life_begin(argv[0]);

    test_create_audience();
    test_create_thinned();
    test_create_inline();
    test_create_refused();
    test_create_group();

    return life_end();
}


static void
test_create_audience(void)
{
    ngx_campaign_peek_t      peek;
    ngx_campaign_campaign_t  c;

    is_uint(life_create(&c, "autumn", audience, 0), NGX_CAMPAIGN_OK, "a campaign on an audience is created");

    is_uint(c.rec.status, NGX_CAMPAIGN_C_SCHEDULED, "it is scheduled");
    is_uint(c.progress.total, 300, "its total is the audience's living contacts");
    is_uint(c.progress.pending, 300, "all of them are pending");
    is_uint(c.progress.enroute + c.progress.sent + c.progress.delivered + c.progress.failed + c.progress.canceled + c.progress.skipped,
            0, "none is anything else");
    is_uint(c.span, 300, "its span is the audience's places");
    is_int(c.progress.started, 0, "it has not started");
    is_int(c.rec.created, LIFE_NOW, "it has a date of creation");
    is_int(c.rec.updated, LIFE_NOW, "... and of its last change");

    (void) life_peek(&peek);
    ok(peek.changed, "the dispatcher is told");
    is_int(peek.next, MAKE_NOW, "... that it starts now");

    make_add(mine, audience, 15560000000, 10);

    is_uint(life_get(&c), NGX_CAMPAIGN_OK, "it is found by its id");
    is_uint(c.progress.total, 300, "contacts added later are not in it");
    is_str(&c.rec.name, "autumn", "its name");
    is_str(&c.rec.channel, "SMS", "its channel");
    is_str(&c.from, "Acme", "its sender");
    is_str(&c.text, "Hello", "its text");
    is_bytes(c.audience, NGX_CAMPAIGN_ID_LEN, audience, NGX_CAMPAIGN_ID_LEN, "its audience");
    ok(make_look(NULL), "the store agrees with itself");
}


/* an audience some of whose contacts were deleted before, and some after the campaign was created */

static void
test_create_thinned(void)
{
    u_char                    id[NGX_CAMPAIGN_ID_LEN];
    store_op_t               *so;
    make_erase_t              erase;
    ngx_campaign_audience_t   a;
    ngx_campaign_campaign_t   c;

    so = store_op();
    make_audience(mine, "thinned", id);
    make_add(mine, id, 15550000000, 20);

    (void) store_wait(so, ngx_campaign_store_get(st, &so->op, NGX_CAMPAIGN_AUDIENCE, mine, id, &a));

    erase.audience = &a;
    erase.list = NGX_CAMPAIGN_LIST_AUDIENCE(a.rec.no);
    erase.mark = 0;
    erase.from = 2;
    erase.to = 8;
    (void) store_wait(so, ngx_campaign_lmdb_write(st, &so->op, make_erase_work, &erase));

    is_uint(life_create(&c, "thinned", id, 0), NGX_CAMPAIGN_OK, "a campaign on an audience with deleted contacts");
    is_uint(c.progress.total, 14, "counts those who live");
    is_uint(c.span, 20, "... and spans the places of all");

    erase.mark = c.rec.no;
    erase.from = 10;
    erase.to = 13;
    (void) store_wait(so, ngx_campaign_lmdb_write(st, &so->op, make_erase_work, &erase));

    (void) make_turn(NULL, 0, NULL, 0);
    is_uint(make_turn(&c, 100, NULL, 0), 11, "those who still live are claimed, up to the last");

    (void) life_get(&c);
    is_uint(c.progress.skipped, 3, "those deleted after its creation are skipped");
    is_uint(c.progress.pending, 0, "nobody is left");
    ok(make_look(NULL), "the store agrees with itself");

    store_free(so);
}


static void
test_create_inline(void)
{
    make_look_t              before, after;
    ngx_campaign_campaign_t  c;

    (void) make_look(&before);

    is_uint(life_create(&c, "to some", NULL, 1000), NGX_CAMPAIGN_OK, "a campaign to numbers given with it is created");
    is_uint(c.progress.total, 1000, "its total is their number");
    is_uint(c.progress.pending, 1000, "all of them are pending");
    is_uint(c.span, 1000, "each has a place");

    (void) make_look(&after);
    is_uint(after.entries[NGX_CAMPAIGN_DB_BLOCK] - before.entries[NGX_CAMPAIGN_DB_BLOCK], 4, "they stand in four blocks");
    is_uint(after.entries[NGX_CAMPAIGN_DB_NUMBER], before.entries[NGX_CAMPAIGN_DB_NUMBER], "... and in no index");

    is_uint(life_create(&c, "", NULL, 1), NGX_CAMPAIGN_OK, "a name may be left out");
    ok(c.rec.name.len > 0, "... and is given");

    is_uint(life_create(&c, "to all", NULL, NGX_CAMPAIGN_RECIPIENTS_MAX), NGX_CAMPAIGN_OK, "a campaign to 100 000 numbers");
    is_uint(life_create(&c, "to more", NULL, NGX_CAMPAIGN_RECIPIENTS_MAX + 1), NGX_CAMPAIGN_TOO_MANY, "one more is too many");
    ok(make_look(NULL), "the store agrees with itself");
}


static void
test_create_refused(void)
{
    u_char                   unknown[NGX_CAMPAIGN_ID_LEN];
    make_look_t              before, after;
    ngx_uint_t               i, wrong;
    store_op_t              *so;
    ngx_campaign_campaign_t  c;

    (void) make_look(&before);

    is_uint(life_create(&c, "autumn", audience, 0), NGX_CAMPAIGN_EXISTS, "a name that is taken is refused");

    make_campaign(&c, mine, "autumn", NULL);
    c.rec.no = 1;
    is_uint(life_create(&c, NULL, audience, 0), NGX_CAMPAIGN_EXISTS, "... whatever number the caller's struct had");

    ngx_memcpy(unknown, audience, NGX_CAMPAIGN_ID_LEN);
    unknown[0] ^= 1;
    is_uint(life_create(&c, "refused", unknown, 0), NGX_CAMPAIGN_NOT_FOUND, "an audience that is not there is not found");
    is_uint(life_create(&c, "refused", empty, 0), NGX_CAMPAIGN_INVALID, "an empty audience is refused");
    is_uint(life_create(&c, "refused", NULL, 0), NGX_CAMPAIGN_INVALID, "an empty list of numbers is refused");

    so = store_op();
    make_campaign(&c, mine, "refused", audience);
    c.from = make_str("Nobody");
    is_uint(store_wait(so, ngx_campaign_store_create(st, &so->op, &c, NULL)), NGX_CAMPAIGN_NOT_FOUND,
            "a sender that is not there is not found");

    c.from = make_str("Acme");
    c.rec.channel = make_str("VIBER");
    is_uint(store_wait(so, ngx_campaign_store_create(st, &so->op, &c, NULL)), NGX_CAMPAIGN_NOT_FOUND, "nor one of another channel");

    c.rec.channel = make_str("SMS");
    c.rec.account = other;
    is_uint(store_wait(so, ngx_campaign_store_create(st, &so->op, &c, NULL)), NGX_CAMPAIGN_NOT_FOUND, "nor one of another account");
    store_free(so);

    (void) make_look(&after);

    for (wrong = 0, i = 0; i < NGX_CAMPAIGN_DB_MAX; i++) {
        wrong += after.entries[i] != before.entries[i];
    }

    is_uint(wrong, 0, "nothing of what was refused is in the store");
}


/* in one commit: two of the same name, and a neighbour between them */

static void
test_create_group(void)
{
    ngx_uint_t                i;
    store_op_t               *so[3];
    ngx_campaign_campaign_t   c[3];

    static const char  *names[] = { "twin", "neighbour", "twin" };

    for (i = 0; i < 3; i++) {
        so[i] = store_op();
        make_campaign(&c[i], mine, names[i], audience);
        (void) ngx_campaign_store_create(st, &so[i]->op, &c[i], NULL);
    }

    (void) ngx_stub_run_posted();

    is_uint(so[0]->rc, NGX_CAMPAIGN_OK, "of two campaigns of one name in a commit the first is created");
    is_uint(so[1]->rc, NGX_CAMPAIGN_OK, "... its neighbour too");
    is_uint(so[2]->rc, NGX_CAMPAIGN_EXISTS, "... the second is refused");
    ok(c[0].rec.no && c[1].rec.no == c[0].rec.no + 1, "... and those created have numbers in a row");
    ok(make_look(NULL), "the store agrees with itself");

    for (i = 0; i < 3; i++) {
        store_free(so[i]);
    }
}
