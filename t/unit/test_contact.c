
/*
 * Packed contacts, and the pile of them.
 */

#include "tap.h"
#include "ngx_campaign_contact.h"


#define TEST_LOWEST  10000000           /* least number of a pile's contacts */


static void test_bytes(void);
static void test_round_trip(void);
static void test_deleted(void);
static void test_longest(void);
static void test_refused(void);
static void test_garbage(void);
static void test_pile(void);
static void test_pile_of_100000(void);
static void test_pile_corners(void);
static void test_pile_without_memory(void);

static void test_fill(ngx_campaign_contact_t *c, u_char *text, size_t room);
static ngx_uint_t test_same(const ngx_campaign_contact_t *a, const ngx_campaign_contact_t *b);
static ngx_int_t test_add(ngx_campaign_pile_t *pile, uint64_t number, ngx_uint_t place);
static ngx_uint_t test_place(const ngx_campaign_contact_t *c);
static ngx_uint_t test_count(const ngx_campaign_pile_t *pile);
static ngx_pool_t *test_pool(void);


int
main(void)
{
    (void) tap_seed();

    test_bytes();
    test_round_trip();
    test_deleted();
    test_longest();
    test_refused();
    test_garbage();
    test_pile();
    test_pile_of_100000();
    test_pile_corners();
    test_pile_without_memory();

    return done_testing();
}


static void
test_bytes(void)
{
    u_char                  buf[64], *last;
    ngx_campaign_contact_t  c;

    ngx_memzero(&c, sizeof(c));
    c.number = 300;
    ngx_str_set(&c.field[NGX_CAMPAIGN_CONTACT_FIRST_NAME], "Ada");
    ngx_str_set(&c.field[NGX_CAMPAIGN_CONTACT_TAGS], "a\x1f" "b");

    last = ngx_campaign_contact_pack(buf, &c);

    is_bytes(buf, (size_t) (last - buf), "\x11\xac\x02\x03" "Ada\x03" "a\x1f" "b", 11, "packed_contact_is_flags_number_and_given_fields");
}


static void
test_round_trip(void)
{
    u_char                  *buf, *last, text[256];
    size_t                   size;
    uint64_t                 number;
    ngx_uint_t               i, bad, skip;
    ngx_campaign_contact_t   c, got;

    for (bad = 0, skip = 0, i = 0; i < 20000; i++) {
        test_fill(&c, text, sizeof(text));

        size = ngx_campaign_contact_size(&c);
        buf = malloc(size);
        last = ngx_campaign_contact_pack(buf, &c);

        bad += (last != buf + size || ngx_campaign_contact_unpack(buf, last, &got) != last || !test_same(&c, &got));
        skip += (ngx_campaign_contact_skip(buf, last, &number) != last || number != c.number);

        free(buf);
    }

    is_uint(bad, 0, "20000_random_contacts_come_back_and_have_the_size_foretold");
    is_uint(skip, 0, "skip_ends_where_unpack_ends_and_tells_the_number");
}


static void
test_deleted(void)
{
    u_char                  buf[16], *last;
    uint64_t                number;
    ngx_uint_t              i;
    ngx_campaign_contact_t  c, got;

    static const uint64_t  marks[] = { 0, 1, 127, 128, (uint64_t) 1 << 54, UINT64_MAX - 1 };

    for (i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
        ngx_memzero(&c, sizeof(c));
        c.deleted = marks[i] + 1;

        last = ngx_campaign_contact_pack(buf, &c);
        number = 7;

        ok(ngx_campaign_contact_size(&c) == (size_t) (last - buf)
           && ngx_campaign_contact_unpack(buf, last, &got) == last && test_same(&c, &got)
           && ngx_campaign_contact_skip(buf, last, &number) == last && number == 0,
           "deleted_contact_with_mark_%llu_comes_back", (unsigned long long) marks[i]);
    }
}


static void
test_longest(void)
{
    u_char                  *text;
    ngx_uint_t               i;
    ngx_campaign_contact_t   c;

    static const size_t  longest[NGX_CAMPAIGN_CONTACT_FIELDS] = { 4 * 32, 4 * 32, 4 * 32, 4 * 70, NGX_CAMPAIGN_TAGS_MAX * (45 * 4 + 1) };

    text = calloc(1, 4096);

    ngx_memzero(&c, sizeof(c));
    c.number = UINT64_MAX;

    for (i = 0; i < NGX_CAMPAIGN_CONTACT_FIELDS; i++) {
        c.field[i].data = text;
        c.field[i].len = longest[i];
    }

    ok(ngx_campaign_contact_size(&c) <= NGX_CAMPAIGN_CONTACT_PACKED_MAX, "longest_contact_is_within_the_limit");

    free(text);
}


static void
test_refused(void)
{
    u_char                  *buf, *last, *copy, text[256];
    size_t                   n;
    ngx_uint_t               i, bad;
    ngx_campaign_contact_t   c, got;

    static const struct {
        size_t       len;
        u_char       bytes[16];
        const char  *name;
    } wrong[] = {
        { 0, { 0 }, "nothing_is_no_contact" },
        { 2, { 0x00, 0x00 }, "number_0_is_no_contact" },
        { 3, { 0x20, 0x07, 0x00 }, "unknown_flag_is_no_contact" },
        { 3, { 0x81, 0x07, 0x00 }, "deleted_contact_with_a_field_is_none" },
        { 3, { 0x01, 0x07, 0x00 }, "flag_of_an_empty_field_is_no_contact" },
        { 4, { 0x01, 0x07, 0x02, 'a' }, "field_longer_than_the_bytes_is_no_contact" },
        { 11, { 0x80, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01 }, "mark_without_a_successor_is_no_contact" },
        { 12, { 0x01, 0x07, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01 }, "length_of_2_to_the_64_is_no_contact" }
    };

    for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        copy = malloc(wrong[i].len);
        ngx_memcpy(copy, wrong[i].bytes, wrong[i].len);

        ok(ngx_campaign_contact_unpack(copy, copy + wrong[i].len, &got) == NULL, "%s", wrong[i].name);

        free(copy);
    }

    buf = malloc(NGX_CAMPAIGN_CONTACT_PACKED_MAX);

    for (bad = 0, i = 0; i < 500; i++) {
        test_fill(&c, text, sizeof(text));
        last = ngx_campaign_contact_pack(buf, &c);

        for (n = 0; n < (size_t) (last - buf); n++) {
            copy = malloc(n);
            ngx_memcpy(copy, buf, n);
            bad += (ngx_campaign_contact_unpack(copy, copy + n, &got) != NULL);
            free(copy);
        }
    }

    free(buf);

    is_uint(bad, 0, "contact_cut_short_anywhere_is_refused");
}


static void
test_garbage(void)
{
    u_char                  *copy, *again, buf[32];
    size_t                   n;
    ngx_uint_t               i, j, bad, taken;
    const u_char            *last;
    ngx_campaign_contact_t   got;

    for (bad = 0, taken = 0, i = 0; i < 200000; i++) {
        n = tap_below(sizeof(buf));
        copy = malloc(n);

        for (j = 0; j < n; j++) {
            copy[j] = (u_char) (tap_random() & (tap_below(2) ? 0x07 : 0xff));
        }

        last = ngx_campaign_contact_unpack(copy, copy + n, &got);

        if (last) {
            taken++;

            again = ngx_campaign_contact_pack(buf, &got);

            bad += (last > copy + n || again - buf != last - copy || memcmp(buf, copy, again - buf) != 0);
        }

        free(copy);
    }

    ok(bad == 0 && taken > 1000, "garbage_that_is_taken_for_a_contact_packs_to_the_same_bytes (%lu taken)", (unsigned long) taken);
}


static void
test_pile(void)
{
    u_char                           text[256];
    uint64_t                         state;
    ngx_pool_t                      *pool;
    ngx_uint_t                       i, n, bad, chunks;
    const u_char                    *p;
    ngx_campaign_pile_t              pile;
    ngx_campaign_contact_t           c, got;
    const ngx_campaign_pile_chunk_t *chunk;

    pool = test_pool();
    ngx_campaign_pile_init(&pile, pool);

    ok(pile.n == 0 && test_count(&pile) == 0, "new_pile_is_empty");

    for (bad = 0, i = 0; i < 5000; i++) {
        test_fill(&c, text, sizeof(text));
        bad += (ngx_campaign_pile_add(&pile, &c) != NGX_OK);
    }

    is_uint(bad, 0, "pile_takes_5000_contacts");
    is_uint(pile.n, 5000, "pile_counts_its_contacts");

    ngx_destroy_pool(pool);

    /* contents: the place of each contact stands in it */

    pool = test_pool();
    ngx_campaign_pile_init(&pile, pool);

    for (i = 0; i < 5000; i++) {
        (void) test_add(&pile, TEST_LOWEST + i, i);
    }

    state = TEST_LOWEST;

    for (n = 0, bad = 0, chunks = 0, chunk = pile.first; chunk; chunk = chunk->next) {
        chunks++;

        for (p = chunk->start; p && p < chunk->last; n++) {
            p = ngx_campaign_contact_unpack(p, chunk->last, &got);
            bad += (p == NULL || got.number != state++ || test_place(&got) != n);
        }
    }

    ok(bad == 0 && n == 5000 && chunks > 1, "pile_keeps_order_over_%lu_chunks", (unsigned long) chunks);

    ngx_destroy_pool(pool);
}


static void
test_pile_of_100000(void)
{
    u_char                           *seen;
    uint32_t                         *first, dropped;
    ngx_pool_t                       *pool;
    ngx_uint_t                        i, n, x, bad, doubles;
    const u_char                     *p;
    ngx_campaign_pile_t               pile;
    ngx_campaign_contact_t            got;
    const ngx_campaign_pile_chunk_t  *chunk;

    pool = test_pool();
    ngx_campaign_pile_init(&pile, pool);

    seen = calloc(1, 60000);
    first = calloc(100000, sizeof(uint32_t));

    for (doubles = 0, n = 0, i = 0; i < 100000; i++) {
        x = tap_below(60000);

        if (seen[x]) {
            doubles++;

        } else {
            first[n++] = (uint32_t) i;
        }

        seen[x] = 1;

        /* up to 13 digits: numbers differ in their least bits or in their greatest */

        (void) test_add(&pile, TEST_LOWEST + (x & 255) + ((uint64_t) (x >> 8) << 34), i);
    }

    is_uint(pile.n, 100000, "pile_takes_100000_contacts");
    is_int(ngx_campaign_pile_unique(&pile, &dropped), NGX_OK, "doubles_of_100000_are_found");
    is_uint(dropped, doubles, "every_double_of_100000_is_dropped");
    is_uint(pile.n, n, "pile_counts_what_is_left");

    for (i = 0, bad = 0, chunk = pile.first; chunk; chunk = chunk->next) {
        for (p = chunk->start; p && p < chunk->last; i++) {
            p = ngx_campaign_contact_unpack(p, chunk->last, &got);
            bad += (p == NULL || i >= n || test_place(&got) != first[i]);
        }
    }

    ok(bad == 0 && i == n, "first_of_each_number_is_kept_in_order");

    is_int(ngx_campaign_pile_unique(&pile, &dropped), NGX_OK, "pile_without_doubles_is_searched");
    is_uint(dropped, 0, "pile_without_doubles_loses_nothing");

    (void) test_add(&pile, TEST_LOWEST - 1, 100000);
    is_uint(test_count(&pile), n + 1, "pile_takes_more_after_its_doubles_went");

    free(first);
    free(seen);
    ngx_destroy_pool(pool);
}


static void
test_pile_corners(void)
{
    uint32_t                dropped;
    ngx_pool_t             *pool;
    ngx_uint_t              i;
    ngx_campaign_pile_t     pile;
    ngx_campaign_contact_t  c;

    pool = test_pool();
    ngx_campaign_pile_init(&pile, pool);

    dropped = 7;
    is_int(ngx_campaign_pile_unique(&pile, &dropped), NGX_OK, "empty_pile_has_no_doubles");
    is_uint(dropped, 0, "empty_pile_loses_nothing");

    for (i = 0; i < 1000; i++) {
        (void) test_add(&pile, UINT64_MAX, i);
    }

    is_int(ngx_campaign_pile_unique(&pile, &dropped), NGX_OK, "pile_of_one_number_is_searched");
    ok(dropped == 999 && pile.n == 1 && test_count(&pile) == 1, "pile_of_one_number_keeps_one");

    ngx_memzero(&c, sizeof(c));
    c.deleted = 5;

    (void) ngx_campaign_pile_add(&pile, &c);
    (void) ngx_campaign_pile_add(&pile, &c);

    (void) ngx_campaign_pile_unique(&pile, &dropped);
    ok(dropped == 0 && test_count(&pile) == 3, "deleted_contacts_are_no_doubles_of_each_other");

    ngx_destroy_pool(pool);
}


static void
test_pile_without_memory(void)
{
    uint32_t              count, dropped;
    ngx_int_t             rc;
    ngx_pool_t           *pool;
    ngx_uint_t            i, n, bad, failed;
    ngx_campaign_pile_t   pile;

    n = 0;
    bad = 0;
    failed = 0;

    do {
        pool = test_pool();
        ngx_campaign_pile_init(&pile, pool);

        ngx_stub_fail_at(++n);

        for (i = 0; i < 3000; i++) {
            count = pile.n;
            rc = test_add(&pile, TEST_LOWEST + i % 1000, i);

            failed += (rc == NGX_ERROR);
            bad += (pile.n != count + (rc == NGX_OK) || (rc != NGX_OK && test_count(&pile) != count));
        }

        count = pile.n;
        dropped = 7;
        rc = ngx_campaign_pile_unique(&pile, &dropped);

        if (rc == NGX_OK) {
            bad += (dropped != count - 1000 || test_count(&pile) != 1000);

        } else {
            failed++;
            bad += (rc != NGX_ERROR || dropped != 7 || test_count(&pile) != count);
        }

        ngx_destroy_pool(pool);

    } while (ngx_stub_fail_at(0));

    is_uint(bad, 0, "pile_stays_whole_when_any_allocation_fails");
    is_uint(failed, n - 1, "pile_tells_of_every_allocation_that_fails (%lu)", (unsigned long) n - 1);
}


static void
test_fill(ngx_campaign_contact_t *c, u_char *text, size_t room)
{
    size_t      i;
    ngx_uint_t  f;

    ngx_memzero(c, sizeof(ngx_campaign_contact_t));

    for (i = 0; i < room; i++) {
        text[i] = (u_char) (tap_random() >> 32);
    }

    c->number = 1 + (tap_random() >> (1 + tap_below(63)));

    for (f = 0; f < NGX_CAMPAIGN_CONTACT_FIELDS; f++) {
        if (tap_below(2)) {
            c->field[f].data = text + tap_below(room / 2);
            c->field[f].len = tap_below(room / 2);
        }
    }
}


static ngx_uint_t
test_same(const ngx_campaign_contact_t *a, const ngx_campaign_contact_t *b)
{
    ngx_uint_t  f;

    for (f = 0; f < NGX_CAMPAIGN_CONTACT_FIELDS; f++) {
        if (a->field[f].len != b->field[f].len
            || (a->field[f].len && memcmp(a->field[f].data, b->field[f].data, a->field[f].len) != 0))
        {
            return 0;
        }
    }

    return a->number == b->number && a->deleted == b->deleted;
}


/* a contact that carries its place */

static ngx_int_t
test_add(ngx_campaign_pile_t *pile, uint64_t number, ngx_uint_t place)
{
    char                    text[32];
    ngx_campaign_contact_t  c;

    ngx_memzero(&c, sizeof(c));

    c.number = number;
    c.field[NGX_CAMPAIGN_CONTACT_CUSTOM1].data = (u_char *) text;
    c.field[NGX_CAMPAIGN_CONTACT_CUSTOM1].len = (size_t) snprintf(text, sizeof(text), "%lu", (unsigned long) place);

    return ngx_campaign_pile_add(pile, &c);
}


static ngx_uint_t
test_place(const ngx_campaign_contact_t *c)
{
    return (ngx_uint_t) ngx_atoi(c->field[NGX_CAMPAIGN_CONTACT_CUSTOM1].data, c->field[NGX_CAMPAIGN_CONTACT_CUSTOM1].len);
}


/* contacts that stand in the pile; more than any pile has if its bytes are broken */

static ngx_uint_t
test_count(const ngx_campaign_pile_t *pile)
{
    uint64_t                          number;
    ngx_uint_t                        n;
    const u_char                     *p;
    const ngx_campaign_pile_chunk_t  *chunk;

    for (n = 0, chunk = pile->first; chunk; chunk = chunk->next) {
        for (p = chunk->start; p < chunk->last; n++) {
            p = ngx_campaign_contact_skip(p, chunk->last, &number);
            if (p == NULL) {
                return (ngx_uint_t) -1;
            }
        }
    }

    return n;
}


static ngx_pool_t *
test_pool(void)
{
    ngx_pool_t  *pool;

    ngx_stub_fail_at(0);

    pool = ngx_create_pool(NGX_DEFAULT_POOL_SIZE, NULL);
    if (pool == NULL) {
        diag("no memory");
        exit(2);
    }

    return pool;
}
