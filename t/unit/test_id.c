
/*
 * Identifiers: computed from kind and numbers, and back.
 */

#include "tap.h"
#include "ngx_campaign_id.h"


static void test_siphash(void);
static void test_open_made(void);
static void test_distinct(void);
static void test_declined(void);
static void test_uuid_text(void);

static void test_random_id(u_char *id);
static int ngx_libc_cdecl test_compare(const void *one, const void *two);


static u_char  test_secret[NGX_CAMPAIGN_SECRET_LEN];


int
main(void)
{
    ngx_uint_t  i;

    (void) tap_seed();

    for (i = 0; i < NGX_CAMPAIGN_SECRET_LEN; i++) {
        test_secret[i] = (u_char) tap_random();
    }

    test_siphash();
    test_open_made();
    test_distinct();
    test_declined();
    test_uuid_text();

    return done_testing();
}


static void
test_siphash(void)
{
    u_char      key[16], data[64];
    ngx_uint_t  i;

    for (i = 0; i < 64; i++) {
        data[i] = (u_char) i;
    }

    ngx_memcpy(key, data, 16);

    is_uint(ngx_campaign_siphash(key, data, 15), 0xa129ca6149be45e5ULL, "siphash_of_15_bytes_is_the_papers");
    is_uint(ngx_campaign_siphash(key, data, 0), 0x726fdb47dd0e0e31ULL, "siphash_of_nothing_is_the_reference_codes");
    is_uint(ngx_campaign_siphash(key, data, 8), 0x93f5f5799a932462ULL, "siphash_of_8_bytes_is_the_reference_codes");
    is_uint(ngx_campaign_siphash(key, data, 63), 0x958a324ceb064572ULL, "siphash_of_63_bytes_is_the_reference_codes");
}


static void
test_open_made(void)
{
    u_char               id[NGX_CAMPAIGN_ID_LEN];
    uint32_t             b, gotb;
    uint64_t             a, gota;
    ngx_uint_t           i, bad, form;
    ngx_campaign_kind_e  kind;

    static const uint64_t  edges[] = { 0, 1, ((uint64_t) 1 << 32) - 1, ((uint64_t) 1 << 53), ((uint64_t) 1 << 54) - 1 };
    static const uint32_t  bedges[] = { 0, 1, 0x1fffffff, 0x20000000, UINT32_MAX };

    for (bad = 0, form = 0, i = 0; i < 100000; i++) {

        if (i < 25) {
            a = edges[i / 5];
            b = bedges[i % 5];

        } else {
            a = tap_random() >> (10 + tap_below(54));
            b = (uint32_t) tap_random() >> tap_below(32);
        }

        kind = 1 + i % (NGX_CAMPAIGN_KIND_MAX - 1);

        ngx_campaign_id_make(test_secret, kind, a, b, id);

        form += (id[6] >> 4 != 8 || id[8] >> 6 != 2);

        gota = 0;
        gotb = 0;

        bad += (ngx_campaign_id_open(test_secret, kind, id, &gota, &gotb) != NGX_OK || gota != a || gotb != b);
    }

    is_uint(bad, 0, "100000_ids_open_to_what_they_were_made_of");
    is_uint(form, 0, "every_id_has_version_8_and_the_variant_of_rfc_9562");
}


static void
test_distinct(void)
{
    u_char      *ids, x[NGX_CAMPAIGN_ID_LEN], y[NGX_CAMPAIGN_ID_LEN];
    ngx_uint_t   i, j, n, same, bits, low;

    n = 200000;
    ids = malloc(n * NGX_CAMPAIGN_ID_LEN);

    for (i = 0; i < n; i++) {
        ngx_campaign_id_make(test_secret, NGX_CAMPAIGN_MESSAGE, i / 1000, (uint32_t) (i % 1000), ids + i * NGX_CAMPAIGN_ID_LEN);
    }

    qsort(ids, n, NGX_CAMPAIGN_ID_LEN, test_compare);

    for (same = 0, i = 1; i < n; i++) {
        same += (test_compare(ids + (i - 1) * NGX_CAMPAIGN_ID_LEN, ids + i * NGX_CAMPAIGN_ID_LEN) == 0);
    }

    is_uint(same, 0, "ids_of_200000_neighbours_are_all_different");
    free(ids);

    /* half of 122 bits is 61; below 30 by chance: 1 in 10^8 */

    for (low = 0, bits = 0, i = 0; i < 1000; i++) {
        ngx_campaign_id_make(test_secret, NGX_CAMPAIGN_MESSAGE, 7, (uint32_t) i, x);
        ngx_campaign_id_make(test_secret, NGX_CAMPAIGN_MESSAGE, 7, (uint32_t) i + 1, y);

        for (n = 0, j = 0; j < NGX_CAMPAIGN_ID_LEN; j++) {
            n += (ngx_uint_t) __builtin_popcount(x[j] ^ y[j]);
        }

        low += (n < 30);
        bits += n;
    }

    ok(low == 0 && bits > 60000 && bits < 62000, "a_neighbours_id_differs_in_half_of_its_bits (%lu of 122000)", (unsigned long) bits);
}


static void
test_declined(void)
{
    u_char      id[NGX_CAMPAIGN_ID_LEN], other[NGX_CAMPAIGN_SECRET_LEN];
    uint32_t    b;
    uint64_t    a;
    ngx_uint_t  i, bad;

    a = 5;
    b = 6;

    ngx_campaign_id_make(test_secret, NGX_CAMPAIGN_CAMPAIGN, 42, 0, id);

    for (bad = 0, i = 1; i < NGX_CAMPAIGN_KIND_MAX; i++) {
        if (i != NGX_CAMPAIGN_CAMPAIGN) {
            bad += (ngx_campaign_id_open(test_secret, (ngx_campaign_kind_e) i, id, &a, &b) != NGX_DECLINED);
        }
    }

    is_uint(bad, 0, "id_of_another_kind_is_declined");

    for (bad = 0, i = 0; i < NGX_CAMPAIGN_SECRET_LEN * 8; i++) {
        ngx_memcpy(other, test_secret, NGX_CAMPAIGN_SECRET_LEN);
        other[i / 8] ^= (u_char) (1 << i % 8);
        bad += (ngx_campaign_id_open(other, NGX_CAMPAIGN_CAMPAIGN, id, &a, &b) != NGX_DECLINED);
    }

    is_uint(bad, 0, "id_under_a_secret_that_differs_in_any_bit_is_declined");

    for (bad = 0, i = 0; i < NGX_CAMPAIGN_ID_LEN * 8; i++) {
        id[i / 8] ^= (u_char) (1 << i % 8);
        bad += (ngx_campaign_id_open(test_secret, NGX_CAMPAIGN_CAMPAIGN, id, &a, &b) != NGX_DECLINED);
        id[i / 8] ^= (u_char) (1 << i % 8);
    }

    is_uint(bad, 0, "id_with_any_bit_flipped_is_declined");

    for (bad = 0, i = 0; i < 100000; i++) {
        test_random_id(id);

        id[6] = (u_char) ((id[6] & 0x0f) | 0x80);
        id[8] = (u_char) ((id[8] & 0x3f) | 0x80);

        bad += (ngx_campaign_id_open(test_secret, NGX_CAMPAIGN_CAMPAIGN, id, &a, &b) != NGX_DECLINED);
    }

    is_uint(bad, 0, "100000_guessed_ids_are_declined");

    ngx_memzero(id, NGX_CAMPAIGN_ID_LEN);
    is_int(ngx_campaign_id_open(test_secret, NGX_CAMPAIGN_CAMPAIGN, id, &a, &b), NGX_DECLINED, "nil_uuid_is_declined");

    ok(a == 5 && b == 6, "a_declined_id_leaves_the_results_alone");
}


static void
test_uuid_text(void)
{
    u_char       id[NGX_CAMPAIGN_ID_LEN], got[NGX_CAMPAIGN_ID_LEN], text[NGX_CAMPAIGN_UUID_LEN], *last;
    ngx_str_t    s;
    ngx_uint_t   i, j, bad;

    static ngx_str_t  upper = ngx_string("00112233-4455-6677-8899-AABBCCDDEEFF");

    static ngx_str_t  wrong[] = {
        ngx_string(""),
        ngx_string("00112233-4455-6677-8899-aabbccddeef"),
        ngx_string("00112233-4455-6677-8899-aabbccddeeff0"),
        ngx_string("00112233-4455-6677-8899-aabbccddeefg"),
        ngx_string("00112233-4455-6677-8899-aabbccddee`f"),
        ngx_string("00112233-4455-6677-8899+aabbccddeeff"),
        ngx_string("0011223-34455-6677-8899-aabbccddeeff"),
        ngx_string("00112233445566778899aabbccddeeff"),
        ngx_string("{0112233-4455-6677-8899-aabbccddeef}"),
        ngx_string("00112233-4455-6677-8899-aabbccddee f"),
        ngx_string("00112233-4455-6677-8899-aabbccddee\0f"),
    };

    for (i = 0; i < NGX_CAMPAIGN_ID_LEN; i++) {
        id[i] = (u_char) (i * 0x11);
    }

    last = ngx_campaign_uuid_print(text, id);
    is_text(text, (size_t) (last - text), "00112233-4455-6677-8899-aabbccddeeff", "uuid_is_printed_in_lower_case");

    is_int(ngx_campaign_uuid_parse(&upper, got), NGX_OK, "uuid_in_upper_case_is_taken");
    is_bytes(got, NGX_CAMPAIGN_ID_LEN, id, NGX_CAMPAIGN_ID_LEN, "uuid_in_upper_case_is_read");

    ngx_memset(got, 0x5a, NGX_CAMPAIGN_ID_LEN);

    for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        is_int(ngx_campaign_uuid_parse(&wrong[i], got), NGX_ERROR, "text_that_is_no_uuid_is_refused: %lu", (unsigned long) i);
    }

    for (bad = 0, i = 0; i < NGX_CAMPAIGN_ID_LEN; i++) {
        bad += (got[i] != 0x5a);
    }

    is_uint(bad, 0, "a_refused_text_leaves_the_result_alone");

    s.data = text;
    s.len = NGX_CAMPAIGN_UUID_LEN;

    for (bad = 0, i = 0; i < 20000; i++) {
        test_random_id(id);

        last = ngx_campaign_uuid_print(text, id);

        for (j = 0; j < NGX_CAMPAIGN_UUID_LEN; j++) {
            if (tap_below(2)) {
                text[j] = ngx_toupper(text[j]);
            }
        }

        bad += (last != text + NGX_CAMPAIGN_UUID_LEN || ngx_campaign_uuid_parse(&s, got) != NGX_OK
                || memcmp(got, id, NGX_CAMPAIGN_ID_LEN) != 0);
    }

    is_uint(bad, 0, "20000_uuids_in_any_case_come_back");
}


static void
test_random_id(u_char *id)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_CAMPAIGN_ID_LEN; i++) {
        id[i] = (u_char) (tap_random() >> 32);
    }
}


static int ngx_libc_cdecl
test_compare(const void *one, const void *two)
{
    return memcmp(one, two, NGX_CAMPAIGN_ID_LEN);
}
