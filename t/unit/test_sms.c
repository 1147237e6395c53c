
/*
 * Encoding, length and segments of a text.  The reference is the table of TS 23.038 as it is printed there, by septet, and a split that
 * looks a character ahead.
 */

#include "tap.h"
#include "ngx_campaign_sms.h"


#define TEST_MAX  2000


typedef struct {
    uint32_t  code[TEST_MAX];
    size_t    n;
} test_text_t;


static u_char *test_utf8(u_char *p, uint32_t code);
static void test_measure(test_text_t *t, ngx_campaign_size_t *size);
static void test_reference(test_text_t *t, ngx_campaign_size_t *size);
static ngx_uint_t test_gsm(uint32_t code);
static void test_fill(test_text_t *t, size_t n, uint32_t code);
static void test_add(test_text_t *t, size_t n, uint32_t code);
static void test_is(test_text_t *t, ngx_campaign_encoding_e encoding, uint32_t units, uint32_t segments, const char *name);
static void test_alphabet(void);
static void test_limits(void);
static void test_borders(void);
static void test_random(void);
static void test_utf8_strict(void);
static void test_broken(void);


/* 6.2.1, rows 0x00 .. 0x7f; 0: escape */

static const uint16_t  test_septets[128] = {
    0x0040, 0x00a3, 0x0024, 0x00a5, 0x00e8, 0x00e9, 0x00f9, 0x00ec, 0x00f2, 0x00c7, 0x000a, 0x00d8, 0x00f8, 0x000d, 0x00c5, 0x00e5,
    0x0394, 0x005f, 0x03a6, 0x0393, 0x039b, 0x03a9, 0x03a0, 0x03a8, 0x03a3, 0x0398, 0x039e, 0x0000, 0x00c6, 0x00e6, 0x00df, 0x00c9,
    0x0020, 0x0021, 0x0022, 0x0023, 0x00a4, 0x0025, 0x0026, 0x0027, 0x0028, 0x0029, 0x002a, 0x002b, 0x002c, 0x002d, 0x002e, 0x002f,
    0x0030, 0x0031, 0x0032, 0x0033, 0x0034, 0x0035, 0x0036, 0x0037, 0x0038, 0x0039, 0x003a, 0x003b, 0x003c, 0x003d, 0x003e, 0x003f,
    0x00a1, 0x0041, 0x0042, 0x0043, 0x0044, 0x0045, 0x0046, 0x0047, 0x0048, 0x0049, 0x004a, 0x004b, 0x004c, 0x004d, 0x004e, 0x004f,
    0x0050, 0x0051, 0x0052, 0x0053, 0x0054, 0x0055, 0x0056, 0x0057, 0x0058, 0x0059, 0x005a, 0x00c4, 0x00d6, 0x00d1, 0x00dc, 0x00a7,
    0x00bf, 0x0061, 0x0062, 0x0063, 0x0064, 0x0065, 0x0066, 0x0067, 0x0068, 0x0069, 0x006a, 0x006b, 0x006c, 0x006d, 0x006e, 0x006f,
    0x0070, 0x0071, 0x0072, 0x0073, 0x0074, 0x0075, 0x0076, 0x0077, 0x0078, 0x0079, 0x007a, 0x00e4, 0x00f6, 0x00f1, 0x00fc, 0x00e0
};

/* 6.2.1.1: 0x0a 0x14 0x28 0x29 0x2f 0x3c 0x3d 0x3e 0x40 0x65 */

static const uint16_t  test_extension[] = {
    0x000c, 0x005e, 0x007b, 0x007d, 0x005c, 0x005b, 0x007e, 0x005d, 0x007c, 0x20ac
};


int
main(void)
{
    test_alphabet();
    test_limits();
    test_borders();
    test_random();
    test_utf8_strict();
    test_broken();

    return done_testing();
}


static void
test_alphabet(void)
{
    uint32_t     code;
    ngx_uint_t   wrong, size[3];
    test_text_t  t;

    size[0] = size[1] = size[2] = 0;

    for (wrong = 0, code = 0; code <= 0x10ffff; code += (code < 0x20000 ? 1 : 977)) {
        size[test_gsm(code)]++;

        if (ngx_campaign_sms_gsm(code) != test_gsm(code)) {
            diag("U+%04X: got %u, expected %u", code, (unsigned) ngx_campaign_sms_gsm(code), (unsigned) test_gsm(code));
            wrong++;
        }
    }

    is_uint(wrong, 0, "every code point of the BMP, and many above, takes the septets of TS 23.038");
    is_uint(size[1], 127, "the default alphabet has 127 characters");
    is_uint(size[2], 10, "the extension table has 10");
    is_uint(ngx_campaign_sms_gsm(0xffffffff), 0, "a number beyond Unicode is in no alphabet");

    for (wrong = 0, code = 1; code < 0x10000; code++) {
        if (code >= 0xd800 && code <= 0xdfff) {
            continue;
        }

        test_fill(&t, 1, code);
        test_is(&t, test_gsm(code) ? NGX_CAMPAIGN_GSM7 : NGX_CAMPAIGN_UCS2, test_gsm(code) ? test_gsm(code) : 1, 1, NULL);
    }

    test_is(NULL, 0, 0, 0, "a text of any one BMP character has its encoding and size");

    test_fill(&t, 1, 0x1b);
    test_is(&t, NGX_CAMPAIGN_UCS2, 1, 1, "a literal ESC is no GSM character");
    test_fill(&t, 1, 0x0c);
    test_is(&t, NGX_CAMPAIGN_GSM7, 2, 1, "a form feed is in the extension table");
    test_fill(&t, 1, 0);
    test_is(&t, NGX_CAMPAIGN_UCS2, 1, 1, "a NUL is no GSM character, though @ is septet 0");
    test_fill(&t, 1, 0xe7);
    test_is(&t, NGX_CAMPAIGN_UCS2, 1, 1, "a small c with cedilla is no GSM character, the capital is one");
    test_fill(&t, 1, 0x1f600);
    test_is(&t, NGX_CAMPAIGN_UCS2, 2, 1, "a character above the BMP takes two UTF-16 units");
    test_fill(&t, 0, 0);
    test_is(&t, NGX_CAMPAIGN_GSM7, 0, 1, "an empty text is one segment of GSM-7");

    is_str(ngx_campaign_sms_name(NGX_CAMPAIGN_GSM7), "GSM-7", "the name of the 7-bit encoding");
    is_str(ngx_campaign_sms_name(NGX_CAMPAIGN_UCS2), "UCS-2", "the name of the 16-bit encoding");
}


static void
test_limits(void)
{
    char                  name[80];
    size_t                i;
    test_text_t           t;
    static const struct {
        uint32_t          code;
        size_t            n;
        uint32_t          units, segments;
    } cases[] = {
        { 'a', 159, 159, 1 }, { 'a', 160, 160, 1 }, { 'a', 161, 161, 2 }, { 'a', 306, 306, 2 }, { 'a', 307, 307, 3 },
        { 'a', 459, 459, 3 }, { 'a', 460, 460, 4 }, { 'a', 765, 765, 5 }, { 'a', 766, 766, 6 }, { 'a', 1000, 1000, 7 },
        { '{', 80, 160, 1 }, { '{', 81, 162, 2 }, { '{', 152, 304, 2 }, { '{', 153, 306, 3 }, { 0x20ac, 80, 160, 1 },
        { 0x20ac, 81, 162, 2 },
        { 0x416, 70, 70, 1 }, { 0x416, 71, 71, 2 }, { 0x416, 134, 134, 2 }, { 0x416, 135, 135, 3 }, { 0x416, 201, 201, 3 },
        { 0x416, 202, 202, 4 }, { 0x416, 1000, 1000, 15 },
        { 0x1f600, 35, 70, 1 }, { 0x1f600, 36, 72, 2 }, { 0x1f600, 66, 132, 2 }, { 0x1f600, 67, 134, 3 }, { 0x1f600, 1000, 2000, 31 }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        test_fill(&t, cases[i].n, cases[i].code);
        snprintf(name, sizeof(name), "%u times U+%04X: %u units, %u segments", (unsigned) cases[i].n, cases[i].code, cases[i].units,
                 cases[i].segments);

        test_is(&t, test_gsm(cases[i].code) ? NGX_CAMPAIGN_GSM7 : NGX_CAMPAIGN_UCS2, cases[i].units, cases[i].segments, name);
    }
}


static void
test_borders(void)
{
    test_text_t  t;

    test_fill(&t, 152, 'a');
    test_add(&t, 1, '[');
    test_add(&t, 152, 'a');
    test_is(&t, NGX_CAMPAIGN_GSM7, 306, 3, "an extension character is not split over the border of parts: 306 units, 3 parts");

    test_fill(&t, 151, 'a');
    test_add(&t, 1, '[');
    test_add(&t, 153, 'a');
    test_is(&t, NGX_CAMPAIGN_GSM7, 306, 2, "one that ends at the border leaves two full parts");

    test_fill(&t, 158, 'a');
    test_add(&t, 1, '[');
    test_is(&t, NGX_CAMPAIGN_GSM7, 160, 1, "an extension character at the end of a single part is no border");

    test_fill(&t, 66, 0x416);
    test_add(&t, 1, 0x1f600);
    test_add(&t, 66, 0x416);
    test_is(&t, NGX_CAMPAIGN_UCS2, 134, 3, "a surrogate pair is not split over the border of parts: 134 units, 3 parts");

    test_fill(&t, 65, 0x416);
    test_add(&t, 1, 0x1f600);
    test_add(&t, 67, 0x416);
    test_is(&t, NGX_CAMPAIGN_UCS2, 134, 2, "one that ends at the border leaves two full parts of UCS-2");

    test_fill(&t, 68, 0x416);
    test_add(&t, 1, 0x1f600);
    test_is(&t, NGX_CAMPAIGN_UCS2, 70, 1, "a surrogate pair at the end of a single part is no border");

    test_fill(&t, 160, 'a');
    test_add(&t, 1, 0x416);
    test_is(&t, NGX_CAMPAIGN_UCS2, 161, 3, "one character outside the alphabet makes all of it UCS-2");

    test_fill(&t, 100, '{');
    test_add(&t, 1, 0x416);
    test_is(&t, NGX_CAMPAIGN_UCS2, 101, 2, "in UCS-2 a character of the extension table takes one unit");
}


static void
test_random(void)
{
    ngx_uint_t             i, wrong;
    uint32_t               code;
    test_text_t            t;
    ngx_campaign_size_t    got, expected;
    static const uint32_t  others[] = { 0x416, 0x1f600, 0xfffd, 0x10ffff, 0xe7, 0x1b };

    tap_seed();

    for (wrong = 0, i = 0; i < 20000; i++) {
        test_fill(&t, 0, 0);

        while (t.n < 500 && tap_below(350)) {
            code = test_septets[tap_below(128)];

            if (tap_below(3) == 0) {
                code = test_extension[tap_below(10)];
            }

            if ((i & 1) && tap_below(3) == 0) {
                code = others[tap_below(6)];
            }

            test_add(&t, 1, code ? code : 'x');
        }

        test_measure(&t, &got);
        test_reference(&t, &expected);

        if (got.encoding != expected.encoding || got.characters != expected.characters || got.units != expected.units
            || got.segments != expected.segments)
        {
            diag("%u characters: %u units, %u segments; expected %u, %u", (unsigned) t.n, got.units, got.segments, expected.units,
                 expected.segments);
            wrong++;
        }
    }

    is_uint(wrong, 0, "20 000 random texts measure as the slow reference says");
}


static void
test_utf8_strict(void)
{
    u_char                *copy;
    size_t                 i;
    static const struct {
        const char        *text;
        size_t             len;
        ngx_int_t          n;
        const char        *name;
    } cases[] = {
        { "", 0, 0, "empty" },
        { "abc", 3, 3, "ASCII" },
        { "\0", 1, 1, "a NUL" },
        { "\xc2\x80\xdf\xbf", 4, 2, "ends of two bytes" },
        { "\xe0\xa0\x80\xef\xbf\xbf", 6, 2, "ends of three bytes" },
        { "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", 8, 2, "ends of four bytes" },
        { "\xed\x9f\xbf\xee\x80\x80", 6, 2, "neighbours of the surrogates" },
        { "\xed\xa0\x80", 3, NGX_ERROR, "a high surrogate" },
        { "\xed\xbf\xbf", 3, NGX_ERROR, "a low surrogate" },
        { "\xc0\x80", 2, NGX_ERROR, "overlong NUL" },
        { "\xc1\xbf", 2, NGX_ERROR, "overlong, two bytes" },
        { "\xe0\x9f\xbf", 3, NGX_ERROR, "overlong, three bytes" },
        { "\xf0\x8f\xbf\xbf", 4, NGX_ERROR, "overlong, four bytes" },
        { "\xf4\x90\x80\x80", 4, NGX_ERROR, "beyond U+10FFFF" },
        { "\xf8\x88\x80\x80\x80", 5, NGX_ERROR, "five bytes" },
        { "\xff", 1, NGX_ERROR, "0xff" },
        { "\x80", 1, NGX_ERROR, "a continuation alone" },
        { "a\xc3", 2, NGX_ERROR, "cut off after one byte of two" },
        { "a\xe2\x82", 3, NGX_ERROR, "cut off after two bytes of three" },
        { "a\xf0\x9f\x98", 4, NGX_ERROR, "cut off after three bytes of four" },
        { "\xc3(", 2, NGX_ERROR, "no continuation" },
        { "\xe2\x82(", 3, NGX_ERROR, "no second continuation" }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        copy = malloc(cases[i].len);
        memcpy(copy, cases[i].text, cases[i].len);

        is_int(ngx_campaign_utf8_length(copy, cases[i].len), cases[i].n, "UTF-8: %s", cases[i].name);

        free(copy);
    }
}


/* every ending that is cut off, and random bytes: nothing behind the text is read */

static void
test_broken(void)
{
    u_char               *copy;
    size_t                len, i;
    ngx_uint_t            n, wrong;
    ngx_campaign_size_t   size;

    for (wrong = 0, n = 0; n < 20000; n++) {
        len = tap_below(24);
        copy = malloc(len);

        for (i = 0; i < len; i++) {
            copy[i] = (u_char) tap_random();
        }

        ngx_campaign_sms_measure(copy, len, &size);

        if (size.characters > len || size.segments != 1 || (size.characters == 0) != (len == 0)) {
            wrong++;
        }

        free(copy);
    }

    is_uint(wrong, 0, "random bytes are measured within bounds");

    ngx_campaign_sms_measure((u_char *) "ab\xff\xfe", 4, &size);
    is_uint(size.characters, 4, "a byte that is no UTF-8 counts as a character");
    is_uint(size.encoding, NGX_CAMPAIGN_UCS2, "and makes the text UCS-2");
}


/* adds up until it is given a name */

static void
test_is(test_text_t *t, ngx_campaign_encoding_e encoding, uint32_t units, uint32_t segments, const char *name)
{
    ngx_uint_t           good;
    ngx_campaign_size_t  size;
    static ngx_uint_t    wrong;

    if (t) {
        test_measure(t, &size);

        good = size.encoding == encoding && size.characters == t->n && size.units == units && size.segments == segments;

        if (!good) {
            diag("U+%04X ...: encoding %u, %u characters, %u units, %u segments", t->n ? t->code[0] : 0, size.encoding, size.characters,
                 size.units, size.segments);
            wrong++;
        }
    }

    if (name) {
        is_uint(wrong, 0, "%s", name);
        wrong = 0;
    }
}


static void
test_measure(test_text_t *t, ngx_campaign_size_t *size)
{
    u_char  *p, *copy, buf[TEST_MAX * 4];
    size_t   i, len;

    for (p = buf, i = 0; i < t->n; i++) {
        p = test_utf8(p, t->code[i]);
    }

    len = p - buf;

    copy = malloc(len);
    memcpy(copy, buf, len);
    memset(size, 0xee, sizeof(ngx_campaign_size_t));

    ngx_campaign_sms_measure(copy, len, size);

    free(copy);
}


static void
test_reference(test_text_t *t, ngx_campaign_size_t *size)
{
    size_t    i;
    uint32_t  n, room, part, single;

    size->encoding = NGX_CAMPAIGN_GSM7;
    size->characters = t->n;
    size->units = 0;

    for (i = 0; i < t->n; i++) {
        if (test_gsm(t->code[i]) == 0) {
            size->encoding = NGX_CAMPAIGN_UCS2;
        }
    }

    single = size->encoding == NGX_CAMPAIGN_GSM7 ? 160 : 70;
    part = size->encoding == NGX_CAMPAIGN_GSM7 ? 153 : 67;

    size->segments = 0;
    room = 0;

    for (i = 0; i < t->n; i++) {
        n = size->encoding == NGX_CAMPAIGN_GSM7 ? test_gsm(t->code[i]) : 1 + (t->code[i] >> 16 != 0);
        size->units += n;

        if (n > room) {
            size->segments++;
            room = part;
        }

        room -= n;
    }

    if (size->units <= single) {
        size->segments = 1;
    }
}


static ngx_uint_t
test_gsm(uint32_t code)
{
    ngx_uint_t  i;

    for (i = 0; code && i < 128; i++) {
        if (test_septets[i] == code) {
            return 1;
        }
    }

    for (i = 0; i < sizeof(test_extension) / sizeof(test_extension[0]); i++) {
        if (test_extension[i] == code) {
            return 2;
        }
    }

    return 0;
}


static void
test_fill(test_text_t *t, size_t n, uint32_t code)
{
    t->n = 0;
    test_add(t, n, code);
}


static void
test_add(test_text_t *t, size_t n, uint32_t code)
{
    while (n--) {
        t->code[t->n++] = code;
    }
}


static u_char *
test_utf8(u_char *p, uint32_t code)
{
    if (code < 0x80) {
        *p++ = (u_char) code;

    } else if (code < 0x800) {
        *p++ = (u_char) (0xc0 | code >> 6);
        *p++ = (u_char) (0x80 | (code & 0x3f));

    } else if (code < 0x10000) {
        *p++ = (u_char) (0xe0 | code >> 12);
        *p++ = (u_char) (0x80 | (code >> 6 & 0x3f));
        *p++ = (u_char) (0x80 | (code & 0x3f));

    } else {
        *p++ = (u_char) (0xf0 | code >> 18);
        *p++ = (u_char) (0x80 | (code >> 12 & 0x3f));
        *p++ = (u_char) (0x80 | (code >> 6 & 0x3f));
        *p++ = (u_char) (0x80 | (code & 0x3f));
    }

    return p;
}
