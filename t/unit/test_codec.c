
/*
 * Records, varints, big-endian numbers, checksum.
 */

#include "tap.h"
#include "ngx_campaign_codec.h"


typedef struct {
    uint32_t     u32;
    uint64_t     u64;
    int64_t      i64;
    time_t       time;
    ngx_uint_t   uint;
    ngx_str_t    str;
    u_char       bytes[5];
    uint32_t     many[4];
    uint32_t     added;
} test_rec_t;


static void test_crc32c(void);
static void test_varint(void);
static void test_big_endian(void);
static void test_record(void);
static void test_older_and_newer(void);
static void test_damage(void);
static void test_random_records(void);

static void test_fill(test_rec_t *rec, u_char *text);
static ngx_uint_t test_same(const test_rec_t *a, const test_rec_t *b);


static const ngx_campaign_codec_field_t  test_fields[] = {
    { NGX_CAMPAIGN_CODEC_U32, offsetof(test_rec_t, u32), 0 },
    { NGX_CAMPAIGN_CODEC_U64, offsetof(test_rec_t, u64), 0 },
    { NGX_CAMPAIGN_CODEC_I64, offsetof(test_rec_t, i64), 0 },
    { NGX_CAMPAIGN_CODEC_TIME, offsetof(test_rec_t, time), 0 },
    { NGX_CAMPAIGN_CODEC_UINT, offsetof(test_rec_t, uint), 0 },
    { NGX_CAMPAIGN_CODEC_STR, offsetof(test_rec_t, str), 0 },
    { NGX_CAMPAIGN_CODEC_BYTES, offsetof(test_rec_t, bytes), 5 },
    { NGX_CAMPAIGN_CODEC_U32, offsetof(test_rec_t, many), 4 },
    { NGX_CAMPAIGN_CODEC_U32, offsetof(test_rec_t, added), 0 },
    { NGX_CAMPAIGN_CODEC_END, 0, 0 }
};


int
main(void)
{
    (void) tap_seed();

    test_crc32c();
    test_varint();
    test_big_endian();
    test_record();
    test_older_and_newer();
    test_damage();
    test_random_records();

    return done_testing();
}


/* RFC 3720, B.4; its bytes are printed least first */

static void
test_crc32c(void)
{
    u_char       data[256];
    uint32_t     crc, slow;
    ngx_uint_t   i, j, k, bad;

    static const u_char  pdu[48] = {
        0x01, 0xc0, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
        0x14, 0x00, 0x00, 0x00, 0x00, 0x00, 0x04, 0x00, 0x00, 0x00, 0x00, 0x14, 0x00, 0x00, 0x00, 0x18,
        0x28, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00
    };

    ngx_memset(data, 0, 32);
    is_uint(ngx_campaign_crc32c(0, data, 32), 0x8a9136aa, "crc32c_of_32_zeros_is_rfc_3720s");

    ngx_memset(data, 0xff, 32);
    is_uint(ngx_campaign_crc32c(0, data, 32), 0x62a8ab43, "crc32c_of_32_ones_is_rfc_3720s");

    for (i = 0; i < 32; i++) {
        data[i] = (u_char) i;
    }

    is_uint(ngx_campaign_crc32c(0, data, 32), 0x46dd794e, "crc32c_of_32_rising_bytes_is_rfc_3720s");

    for (i = 0; i < 32; i++) {
        data[i] = (u_char) (31 - i);
    }

    is_uint(ngx_campaign_crc32c(0, data, 32), 0x113fdb5c, "crc32c_of_32_falling_bytes_is_rfc_3720s");
    is_uint(ngx_campaign_crc32c(0, pdu, 48), 0xd9963a56, "crc32c_of_an_iscsi_command_is_rfc_3720s");
    is_uint(ngx_campaign_crc32c(0, "123456789", 9), 0xe3069283, "crc32c_of_the_check_string");
    is_uint(ngx_campaign_crc32c(0, "", 0), 0, "crc32c_of_nothing_is_zero");

    for (i = 0; i < sizeof(data); i++) {
        data[i] = (u_char) tap_random();
    }

    for (bad = 0, i = 0; i < sizeof(data); i++) {

        for (slow = 0xffffffff, j = 0; j < i; j++) {
            for (slow ^= data[j], k = 0; k < 8; k++) {
                slow = (slow >> 1) ^ (slow & 1 ? 0x82f63b78 : 0);
            }
        }

        j = tap_below(i + 1);
        crc = ngx_campaign_crc32c(ngx_campaign_crc32c(0, data, j), data + j, i - j);

        bad += (crc != ~slow);
    }

    is_uint(bad, 0, "crc32c_goes_on_from_any_cut_and_equals_the_bitwise_one_at_every_length");
}


static void
test_varint(void)
{
    u_char         buf[16], *last;
    uint64_t       v, got;
    ngx_uint_t     i, j, bad, cut;
    const u_char  *p;

    static const u_char  longest[] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01 };
    static const u_char  above[] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02 };
    static const u_char  eleven[] = { 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x81, 0x00 };
    static const u_char  padded[] = { 0x81, 0x00 };

    last = ngx_campaign_varint_put(buf, 300);
    is_bytes(buf, (size_t) (last - buf), "\xac\x02", 2, "varint_of_300_is_ac_02");

    last = ngx_campaign_varint_put(buf, 0);
    is_bytes(buf, (size_t) (last - buf), "\0", 1, "varint_of_zero_is_one_byte");

    last = ngx_campaign_varint_put(buf, UINT64_MAX);
    is_bytes(buf, (size_t) (last - buf), longest, 10, "varint_of_the_greatest_number_is_ten_bytes");

    got = 7;
    ok(ngx_campaign_varint_get(above, above + 10, &got) == NULL, "varint_above_64_bits_is_refused");
    ok(ngx_campaign_varint_get(eleven, eleven + 11, &got) == NULL, "varint_of_eleven_bytes_is_refused");
    ok(ngx_campaign_varint_get(padded, padded + 2, &got) == NULL, "padded_varint_is_refused");
    ok(ngx_campaign_varint_get(buf, buf, &got) == NULL, "varint_out_of_no_bytes_is_refused");
    is_uint(got, 7, "refused_varint_leaves_the_result_alone");

    for (bad = 0, cut = 0, i = 0; i < 20000; i++) {
        v = tap_random() >> tap_below(64);
        last = ngx_campaign_varint_put(buf, v);

        p = ngx_campaign_varint_get(buf, last, &got);
        bad += (p != last || got != v || ngx_campaign_varint_size(v) != (size_t) (last - buf));

        for (j = 0; j < (ngx_uint_t) (last - buf); j++) {
            cut += (ngx_campaign_varint_get(buf, buf + j, &got) != NULL);
        }
    }

    is_uint(bad, 0, "varint_comes_back_and_has_the_size_foretold");
    is_uint(cut, 0, "varint_cut_short_is_refused");
}


static void
test_big_endian(void)
{
    u_char      a[8], b[8];
    uint64_t    x, y;
    ngx_uint_t  i, bad;

    ok(ngx_campaign_be32_put(a, 0x01020304) == a + 4, "be32_put_returns_the_end");
    is_bytes(a, 4, "\x01\x02\x03\x04", 4, "be32_puts_the_greatest_byte_first");
    is_uint(ngx_campaign_be32_get(a), 0x01020304, "be32_comes_back");

    for (bad = 0, i = 0; i < 20000; i++) {
        x = tap_random() >> tap_below(64);
        y = tap_random() >> tap_below(64);

        bad += (ngx_campaign_be64_put(a, x) != a + 8 || ngx_campaign_be64_put(b, y) != b + 8);
        bad += (ngx_campaign_be64_get(a) != x);
        bad += ((memcmp(a, b, 8) < 0) != (x < y));
    }

    is_uint(bad, 0, "order_of_be64_bytes_is_order_of_numbers");
}


static void
test_record(void)
{
    u_char      *buf;
    size_t       size, len;
    test_rec_t   rec, got;

    ngx_memzero(&rec, sizeof(rec));
    ngx_memzero(&got, sizeof(got));

    size = ngx_campaign_codec_size(test_fields, &rec);
    buf = malloc(size);
    len = ngx_campaign_codec_pack(buf, test_fields, &rec) - buf;

    is_uint(len, size, "record_of_zeros_has_the_size_foretold");
    is_uint(buf[0], NGX_CAMPAIGN_CODEC_VERSION, "record_starts_with_its_version");
    is_int(ngx_campaign_codec_unpack(buf, len, test_fields, &got), NGX_OK, "record_of_zeros_unpacks");
    ok(test_same(&rec, &got), "record_of_zeros_comes_back");
    free(buf);

    rec.u32 = UINT32_MAX;
    rec.u64 = UINT64_MAX;
    rec.i64 = INT64_MIN;
    rec.time = -1;
    rec.uint = 6;
    ngx_str_set(&rec.str, "caf\xc3\xa9");
    ngx_memcpy(rec.bytes, "\0\1\2\3\4", 5);
    rec.many[0] = 1;
    rec.many[3] = UINT32_MAX;
    rec.added = 9;

    size = ngx_campaign_codec_size(test_fields, &rec);
    buf = malloc(size);
    len = ngx_campaign_codec_pack(buf, test_fields, &rec) - buf;

    ngx_memzero(&got, sizeof(got));
    is_int(ngx_campaign_codec_unpack(buf, len, test_fields, &got), NGX_OK, "record_with_the_greatest_values_unpacks");
    ok(test_same(&rec, &got), "record_with_the_greatest_values_comes_back");
    ok(got.str.data > buf && got.str.data < buf + len, "string_points_into_the_record");
    free(buf);
}


static void
test_older_and_newer(void)
{
    u_char                      buf[256], *last;
    size_t                      len;
    test_rec_t                  rec, got;
    ngx_campaign_codec_field_t  older[10];

    ngx_memzero(&rec, sizeof(rec));
    rec.u32 = 1;
    rec.added = 2;
    rec.many[0] = 10;
    rec.many[1] = 11;
    rec.many[2] = 12;
    ngx_str_set(&rec.str, "name");

    ngx_memcpy(older, test_fields, sizeof(older));
    older[8].type = NGX_CAMPAIGN_CODEC_END;

    len = ngx_campaign_codec_pack(buf, older, &rec) - buf;
    ngx_memzero(&got, sizeof(got));

    is_int(ngx_campaign_codec_unpack(buf, len, test_fields, &got), NGX_OK, "record_without_a_later_field_unpacks");
    ok(got.u32 == 1 && got.added == 0 && got.str.len == 4, "a_later_field_reads_as_zero_from_an_older_record");

    ngx_memcpy(older, test_fields, sizeof(older));
    older[7].size = 2;

    len = ngx_campaign_codec_pack(buf, older, &rec) - buf;
    ngx_memzero(&got, sizeof(got));

    is_int(ngx_campaign_codec_unpack(buf, len, test_fields, &got), NGX_OK, "record_with_a_shorter_array_unpacks");
    ok(got.many[1] == 11 && got.many[2] == 0 && got.added == 2, "an_array_that_grew_reads_as_zero_at_its_end_and_what_follows_stays");

    len = ngx_campaign_codec_pack(buf, test_fields, &rec) - buf;

    is_int(ngx_campaign_codec_unpack(buf, len, older, &got), NGX_ERROR, "array_longer_than_the_tables_is_refused");

    ngx_memcpy(older, test_fields, sizeof(older));
    older[8].type = NGX_CAMPAIGN_CODEC_END;

    is_int(ngx_campaign_codec_unpack(buf, len, older, &got), NGX_ERROR, "record_with_bytes_left_over_is_refused");

    buf[0]++;
    last = ngx_campaign_be32_put(buf + len - 4, ngx_campaign_crc32c(0, buf, len - 4));
    is_int(ngx_campaign_codec_unpack(buf, last - buf, test_fields, &got), NGX_DECLINED, "record_of_a_version_from_the_future_is_declined");

    buf[0] = 0;
    last = ngx_campaign_be32_put(buf + len - 4, ngx_campaign_crc32c(0, buf, len - 4));
    is_int(ngx_campaign_codec_unpack(buf, last - buf, test_fields, &got), NGX_ERROR, "record_of_version_0_is_refused");
}


static void
test_damage(void)
{
    u_char      *copy, buf[256], text[64];
    size_t       len, n;
    ngx_uint_t   i, bad, sound;
    test_rec_t   rec, got;

    ngx_memzero(&got, sizeof(got));
    test_fill(&rec, text);
    len = ngx_campaign_codec_pack(buf, test_fields, &rec) - buf;

    for (bad = 0, i = 0; i < len * 8; i++) {
        buf[i / 8] ^= (u_char) (1 << i % 8);
        bad += (ngx_campaign_codec_unpack(buf, len, test_fields, &got) != NGX_ERROR);
        buf[i / 8] ^= (u_char) (1 << i % 8);
    }

    is_uint(bad, 0, "every_flipped_bit_is_noticed");

    for (bad = 0, n = 0; n < len; n++) {
        copy = malloc(n);
        ngx_memcpy(copy, buf, n);
        bad += (ngx_campaign_codec_unpack(copy, n, test_fields, &got) != NGX_ERROR);
        free(copy);
    }

    is_uint(bad, 0, "every_record_cut_short_is_refused");

    /* a length that would lead back to where it stands */

    buf[0] = NGX_CAMPAIGN_CODEC_VERSION;
    ngx_memzero(buf + 1, 5);
    n = ngx_campaign_varint_put(buf + 6, UINT64_MAX - 4) - buf;
    len = ngx_campaign_be32_put(buf + n, ngx_campaign_crc32c(0, buf, n)) - buf;

    is_int(ngx_campaign_codec_unpack(buf, len, test_fields, &got), NGX_ERROR, "string_as_long_as_the_address_space_is_refused");
    is_uint(got.str.len > sizeof(text), 0, "string_that_was_refused_is_not_in_the_record");

    for (bad = 0, sound = 0, i = 0; i < 50000; i++) {
        n = 5 + tap_below(40);
        copy = malloc(n);

        len = ngx_campaign_codec_pack(buf, test_fields, &rec) - buf;
        ngx_memcpy(copy, buf, ngx_min(n, len));

        for (len = tap_below(4) + (n > 40); len && n > 5; len--) {
            copy[1 + tap_below(n - 5)] = (u_char) tap_random();
        }

        (void) ngx_campaign_be32_put(copy + n - 4, ngx_campaign_crc32c(0, copy, n - 4));

        ngx_memzero(&got, sizeof(got));

        if (ngx_campaign_codec_unpack(copy, n, test_fields, &got) == NGX_OK) {
            sound++;
            bad += (got.str.len && (got.str.data < copy || got.str.data + got.str.len > copy + n - 4));
        }

        free(copy);
    }

    ok(bad == 0 && sound > 0, "garbage_under_a_right_checksum_never_leads_out_of_the_record (%lu taken)", (unsigned long) sound);
}


static void
test_random_records(void)
{
    u_char      *buf, text[64];
    size_t       size, len;
    ngx_uint_t   i, bad;
    test_rec_t   rec, got;

    for (bad = 0, i = 0; i < 5000; i++) {
        test_fill(&rec, text);

        size = ngx_campaign_codec_size(test_fields, &rec);
        buf = malloc(size);
        len = ngx_campaign_codec_pack(buf, test_fields, &rec) - buf;

        ngx_memzero(&got, sizeof(got));

        bad += (len > size || ngx_campaign_codec_unpack(buf, len, test_fields, &got) != NGX_OK || !test_same(&rec, &got));

        free(buf);
    }

    is_uint(bad, 0, "5000_random_records_come_back");
}


static void
test_fill(test_rec_t *rec, u_char *text)
{
    ngx_uint_t  i;

    ngx_memzero(rec, sizeof(test_rec_t));

    rec->u32 = (uint32_t) tap_random() >> tap_below(32);
    rec->u64 = tap_random() >> tap_below(64);
    rec->i64 = (int64_t) tap_random() >> tap_below(64);
    rec->time = (time_t) (tap_random() >> 30);
    rec->uint = tap_below(8);
    rec->str.data = text;
    rec->str.len = tap_below(64);

    for (i = 0; i < rec->str.len; i++) {
        text[i] = (u_char) tap_random();
    }

    for (i = 0; i < 5; i++) {
        rec->bytes[i] = (u_char) tap_random();
    }

    for (i = 0; i < 4; i++) {
        rec->many[i] = (uint32_t) tap_random() >> tap_below(32);
    }

    rec->added = (uint32_t) tap_random();
}


static ngx_uint_t
test_same(const test_rec_t *a, const test_rec_t *b)
{
    return a->u32 == b->u32 && a->u64 == b->u64 && a->i64 == b->i64 && a->time == b->time && a->uint == b->uint
           && a->added == b->added && memcmp(a->bytes, b->bytes, 5) == 0 && memcmp(a->many, b->many, sizeof(a->many)) == 0
           && a->str.len == b->str.len && (a->str.len == 0 || memcmp(a->str.data, b->str.data, a->str.len) == 0);
}
