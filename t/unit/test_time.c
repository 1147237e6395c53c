
/*
 * Dates to text and back; libc's timegm and gmtime_r are the reference.
 */

#include "tap.h"
#include "ngx_campaign_time.h"


#define TEST_LAST  253402300799LL           /* 9999-12-31 23:59:59 */


static void test_print(void);
static void test_round_trip(void);
static void test_read(void);
static void test_bad(void);
static ngx_int_t test_parse(const char *text, time_t *t);
static ngx_uint_t test_same(time_t t);


int
main(void)
{
    test_print();
    test_round_trip();
    test_read();
    test_bad();

    return done_testing();
}


static void
test_print(void)
{
    u_char                *end, *text;
    size_t                 i;
    static const struct {
        time_t             t;
        const char        *text;
    } cases[] = {
        { 0, "1970-01-01 00:00:00" }, { 951782400, "2000-02-29 00:00:00" }, { 951868799, "2000-02-29 23:59:59" },
        { 951868800, "2000-03-01 00:00:00" }, { 1763885700, "2025-11-23 08:15:00" }, { 4107542400, "2100-03-01 00:00:00" },
        { 4107542399, "2100-02-28 23:59:59" }, { 2147483648, "2038-01-19 03:14:08" }, { TEST_LAST, "9999-12-31 23:59:59" },
        { TEST_LAST + 1, "9999-12-31 23:59:59" }, { INT64_MAX, "9999-12-31 23:59:59" }, { -1, "1970-01-01 00:00:00" },
        { INT64_MIN, "1970-01-01 00:00:00" }
    };

    text = malloc(NGX_CAMPAIGN_DATE_LEN);

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        end = ngx_campaign_time_print(text, cases[i].t);
        is_text(text, end - text, cases[i].text, "%lld is printed", (long long) cases[i].t);
    }

    free(text);
}


static void
test_round_trip(void)
{
    time_t      t;
    ngx_uint_t  i, wrong;

    for (wrong = 0, t = 0; t <= TEST_LAST; t += 86400 * 3 + 3599) {
        wrong += !test_same(t);
    }

    is_uint(wrong, 0, "a time of every third day of 1970 .. 9999 is printed as libc does and read back");

    for (wrong = 0, t = 0; t <= 4102444800; t += 86400) {
        wrong += !test_same(t) + !test_same(t + 86399);
    }

    is_uint(wrong, 0, "first and last second of every day to 2100 too");

    tap_seed();

    for (wrong = 0, i = 0; i < 100000; i++) {
        wrong += !test_same((time_t) tap_below(TEST_LAST + 1));
    }

    is_uint(wrong, 0, "and 100 000 random seconds");
}


static void
test_read(void)
{
    size_t                 i;
    time_t                 t;
    static const struct {
        const char        *text;
        time_t             t;
    } cases[] = {
        { "1970-01-01 00:00:00", 0 },
        { "2025-11-23 08:15:00", 1763885700 },
        { "2025-11-23T08:15:00Z", 1763885700 },
        { "2025-11-23t08:15:00z", 1763885700 },
        { "2025-11-23 08:15:00Z", 1763885700 },
        { "2025-11-23T08:15:00.5Z", 1763885700 },
        { "2025-11-23T08:15:00.999999999999Z", 1763885700 },
        { "2025-11-23T10:15:00+02:00", 1763885700 },
        { "2025-11-23T10:15:00.25+02:00", 1763885700 },
        { "2025-11-23T02:45:00-05:30", 1763885700 },
        { "2025-11-23T08:15:00+00:00", 1763885700 },
        { "2025-11-23T08:15:00-00:00", 1763885700 },
        { "2025-11-24T08:14:00+23:59", 1763885700 },
        { "2025-11-22T08:16:00-23:59", 1763885700 },
        { "2025-11-23 10:15:00+02:00", 1763885700 },
        { "1970-01-01T01:00:00+01:00", 0 },
        { "1969-12-31T23:00:00-01:00", 0 },
        { "2016-12-31T23:59:60Z", 1483228800 },
        { "2016-12-31T15:59:60-08:00", 1483228800 },
        { "2016-12-31 23:59:60", 1483228800 },
        { "2024-02-29 00:00:00", 1709164800 },
        { "2000-02-29 00:00:00", 951782400 },
        { "9999-12-31 23:59:59", TEST_LAST }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        t = 77;
        is_int(test_parse(cases[i].text, &t), NGX_OK, "\"%s\" is a date", cases[i].text);
        is_int(t, cases[i].t, "\"%s\" is that second", cases[i].text);
    }
}


static void
test_bad(void)
{
    size_t                    i, n;
    char                      cut[64];
    time_t                    t;
    ngx_uint_t                wrong;
    static const char         whole[] = "2025-11-23T10:15:00.25+02:00";
    static const char *const  cases[] = {
        "", "2025-11-23", "2025-11-23 08:15", "20251123 08:15:00", "202511-23 08:15:00", "2025-11-23T08:15:00", "2025-11-23 08:15:00 ",
        " 2025-11-23 08:15:00", "2025-11-23  8:15:00", "2025-11-23_08:15:00", "2025/11/23 08:15:00", "2025-11-23 08.15.00",
        "2025-00-23 08:15:00", "2025-13-23 08:15:00", "2025-11-00 08:15:00", "2025-11-31 08:15:00", "2025-11-32 08:15:00",
        "2025-02-29 00:00:00", "1900-02-29 00:00:00", "2100-02-29 00:00:00", "2025-02-30 00:00:00", "2024-02-30 00:00:00",
        "2025-04-31 00:00:00", "2025-06-31 00:00:00", "2025-09-31 00:00:00", "2025-11-23 24:00:00", "2025-11-23 08:60:00",
        "2025-11-23 08:15:61", "2025-11-23 -1:15:00", "2025-11-23 +8:15:00", "2025-11-23T08:15:00.Z", "2025-11-23T08:15:00.5",
        "2025-11-23T08:15:00,5Z", "2025-11-23T08:15:00+0200", "2025-11-23T08:15:00+02", "2025-11-23T08:15:00+24:00",
        "2025-11-23T08:15:00+02:60", "2025-11-23T08:15:00+2:000", "2025-11-23T08:15:00ZZ", "2025-11-23T08:15:00Z+02:00",
        "2025-11-23T08:15:00 Z", "2025-11-23T08:15:00UTC", "1969-12-31 23:59:59", "1970-01-01T00:59:59+01:00", "0000-01-01 00:00:00",
        "9999-12-31 23:59:60", "9999-12-31T23:59:59-00:01", "-999-01-01 00:00:00", "12025-11-23 08:15:00", "2o25-11-23 08:15:00",
        "1763885700", "Sun, 23 Nov 2025 08:15:00 GMT"
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        t = 77;
        ok(test_parse(cases[i], &t) == NGX_ERROR && t == 77, "\"%s\" is no date", cases[i]);
    }

    for (wrong = 0, n = 0; n < sizeof(whole) - 1; n++) {
        memcpy(cut, whole, n);
        cut[n] = '\0';
        wrong += (test_parse(cut, &t) != NGX_ERROR);
    }

    is_uint(wrong, 0, "a date cut off anywhere is none");
}


/* from memory of exactly its size */

static ngx_int_t
test_parse(const char *text, time_t *t)
{
    ngx_int_t  rc;
    ngx_str_t  s;

    s.len = strlen(text);
    s.data = malloc(s.len);
    memcpy(s.data, text, s.len);

    rc = ngx_campaign_time_parse(&s, t);

    free(s.data);

    return rc;
}


static ngx_uint_t
test_same(time_t t)
{
    char       expected[64];
    u_char     text[NGX_CAMPAIGN_DATE_LEN];
    time_t     back;
    ngx_str_t  s;
    struct tm  tm;

    gmtime_r(&t, &tm);
    strftime(expected, sizeof(expected), "%Y-%m-%d %H:%M:%S", &tm);

    s.data = text;
    s.len = ngx_campaign_time_print(text, t) - text;

    if (s.len != strlen(expected) || memcmp(text, expected, s.len) != 0
        || ngx_campaign_time_parse(&s, &back) != NGX_OK || back != t || timegm(&tm) != t)
    {
        diag("%lld: %.*s, expected %s", (long long) t, (int) s.len, text, expected);
        return 0;
    }

    return 1;
}
