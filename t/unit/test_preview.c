
/*
 * Previews: what a text becomes for each recipient, in sums.
 */

#include "tap.h"
#include "ngx_campaign_preview.h"


static ngx_log_t  test_log = { NGX_LOG_NOTICE, 0 };


static ngx_str_t
test_str(const char *text)
{
    ngx_str_t  s;

    s.len = strlen(text);
    s.data = (u_char *) text;

    return s;
}


static ngx_int_t
test_init(ngx_campaign_preview_t *pv, ngx_pool_t *pool, const char *text)
{
    ngx_str_t  s, bad;

    s = test_str(text);

    return ngx_campaign_preview_init(pv, pool, &s, &bad);
}


static ngx_int_t
test_add(ngx_campaign_preview_t *pv, uint64_t number, const char *first, const char *custom)
{
    ngx_campaign_contact_t  c;

    ngx_memzero(&c, sizeof(c));
    c.number = number;
    c.field[NGX_CAMPAIGN_CONTACT_FIRST_NAME] = test_str(first);
    c.field[NGX_CAMPAIGN_CONTACT_CUSTOM1] = test_str(custom);

    return ngx_campaign_preview_add(pv, &c);
}


static void
test_plain(void)
{
    ngx_uint_t              i;
    ngx_pool_t             *pool;
    ngx_campaign_preview_t  pv;

    pool = ngx_create_pool(4096, &test_log);

    is_int(test_init(&pv, pool, "It\xe2\x80\x99s \xe2\x80\x9copen\xe2\x80\x9d, it\xe2\x80\x99s free"), NGX_OK, "a text without placeholders");

    for (i = 0; i < 25; i++) {
        (void) test_add(&pv, 15551230000 + i, "", "");
    }

    ngx_campaign_preview_end(&pv);

    is_uint(pv.recipients, 25, "recipients");
    is_uint(pv.segments, 25, "a segment each");
    is_uint(pv.encodings[NGX_CAMPAIGN_UCS2], 25, "all are UCS-2");
    is_uint(pv.encodings[NGX_CAMPAIGN_GSM7], 0, "none is GSM-7");
    is_uint(pv.nsamples, 10, "ten samples");
    is_uint(pv.samples[9].number, 15551230009, "of the first");
    is_uint(pv.nchars, 3, "three characters are to blame");
    is_uint(pv.chars[0].code, 0x2019, "the most frequent comes first");
    is_uint(pv.chars[0].count, 50, "counted in all texts");
    is_uint(pv.chars[1].count, 25, "the others too");

    ngx_destroy_pool(pool);
}


static void
test_placeholders(void)
{
    char                    seventy[71];
    ngx_pool_t             *pool;
    ngx_campaign_preview_t  pv;

    pool = ngx_create_pool(4096, &test_log);

    memset(seventy, 'x', 70);
    seventy[70] = '\0';

    (void) test_init(&pv, pool, "Hello {first_name}, {first_name}! {last_name|friend} {custom1}{custom1}{timestamp}");

    (void) test_add(&pv, 1, "Ann", "");
    (void) test_add(&pv, 2, "", "y");
    (void) test_add(&pv, 3, "Zo\xc5\x82", seventy);

    ngx_campaign_preview_end(&pv);

    is_uint(pv.missing[NGX_CAMPAIGN_CONTACT_FIRST_NAME], 1, "one has no first name, though the text asks twice");
    is_uint(pv.missing[NGX_CAMPAIGN_CONTACT_LAST_NAME], 0, "a default is no lack");
    is_uint(pv.missing[NGX_CAMPAIGN_CONTACT_CUSTOM1], 1, "one has no custom1, by whatever name");
    is_uint(pv.encodings[NGX_CAMPAIGN_GSM7], 2, "two are GSM-7");
    is_uint(pv.encodings[NGX_CAMPAIGN_UCS2], 1, "one is UCS-2");
    is_uint(pv.least, 1, "the least segments");
    is_uint(pv.most, 4, "the most segments");
    is_uint(pv.segments, 6, "all segments");
    is_uint(pv.chars[0].code, 0x142, "a character of a value");
    is_uint(pv.chars[0].count, 2, "as often as it stands in the text");
    is_text(pv.samples[0].text.data, pv.samples[0].text.len, "Hello Ann, Ann! friend ", "a sample");

    ngx_destroy_pool(pool);
}


static void
test_memory(void)
{
    ngx_int_t               rc;
    ngx_uint_t              n, failed;
    ngx_pool_t             *pool;
    ngx_campaign_preview_t  pv;

    for (n = 1, failed = 1; failed; n++) {
        pool = ngx_create_pool(4096, &test_log);
        ngx_stub_fail_at(n);

        rc = test_init(&pv, pool, "Hello {first_name}");

        if (rc == NGX_OK) {
            rc = test_add(&pv, 1, "Ann", "");
        }

        failed = ngx_stub_fail_at(0);

        if (failed) {
            is_int(rc, NGX_ERROR, "allocation %u fails: told", (unsigned) n);
        }

        ngx_destroy_pool(pool);
    }
}


static void
test_instead(void)
{
    u_char       text[4];
    uint32_t     code;
    ngx_uint_t   bad;
    const char  *p, *instead;

    static const struct {
        uint32_t     code;
        const char  *instead;
    } row[] = {
        { 0x2019, "'" }, { 0x2018, "'" }, { 0x201c, "\"" }, { 0x201d, "\"" }, { 0x2013, "-" }, { 0x2014, "-" }, { 0x2026, "..." },
        { 0xa0, " " }, { 0x200b, "" }, { 0xe7, "c" }, { 0x142, "l" }, { '`', "'" }, { '\t', " " }
    };

    for (bad = 0; bad < sizeof(row) / sizeof(row[0]); bad++) {
        instead = ngx_campaign_sms_instead(row[bad].code);
        ok(instead && strcmp(instead, row[bad].instead) == 0, "U+%04X has a replacement", (unsigned) row[bad].code);
    }

    ok(ngx_campaign_sms_instead(0x1f600) == NULL, "an emoji has none");
    ok(ngx_campaign_sms_instead('a') == NULL, "nor has what needs none");

    for (code = 1, bad = 0; code < 0x10000; code++) {
        instead = ngx_campaign_sms_instead(code);

        if (instead && ngx_campaign_sms_gsm(code)) {
            bad++;
        }

        for (p = instead; p && *p; p++) {
            bad += (ngx_campaign_sms_gsm((u_char) *p) == 0);
        }
    }

    is_uint(bad, 0, "replacements stand for characters that need one, and are in the alphabet");

    for (code = 1, bad = 0; code < 0x110000; code += (code < 0x800 ? 1 : 97)) {
        const u_char  *q = text;

        if (code >= 0xd800 && code < 0xe000) {
            continue;
        }

        (void) ngx_campaign_utf8_put(text, code);
        bad += (ngx_campaign_utf8_next(&q, text + 4) != code);
    }

    is_uint(bad, 0, "code points are written as they are read");
}


int
main(int argc, char **argv)
{
    test_plain();
    test_placeholders();
    test_memory();
    test_instead();

    return done_testing();
}
