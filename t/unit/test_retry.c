
/*
 * What an answer means, waits, Retry-After.
 */

#include "tap.h"
#include "ngx_campaign_retry.h"


#define TEST_NOW  1763885700            /* Sun, 23 Nov 2025 08:15:00 GMT */
#define TEST_DAY  86400000              /* ms */


static void test_statuses(void);
static void test_accepted(void);
static void test_unanswered(void);
static void test_attempts(void);
static void test_waits(void);
static void test_hold(void);
static void test_delay(void);
static void test_after(void);
static ngx_campaign_verdict_t test_judge(ngx_campaign_answer_e answer, ngx_uint_t status, ngx_msec_t after, ngx_uint_t attempt,
    ngx_uint_t flags);


#define TEST_REDELIVER  1
#define TEST_RECEIPTS   2

#define STATUS(status, attempt)  test_judge(NGX_CAMPAIGN_ANSWER_STATUS, status, 0, attempt, TEST_REDELIVER|TEST_RECEIPTS)


static ngx_campaign_retry_t  test_retry = { .attempts = 5, .min = 1000, .max = 300000 };
static uint32_t              test_rnd;


int
main(void)
{
    test_statuses();
    test_accepted();
    test_unanswered();
    test_attempts();
    test_waits();
    test_hold();
    test_delay();
    test_after();

    return done_testing();
}


/* every status, on the first and on the last try */

static void
test_statuses(void)
{
    ngx_uint_t              status, repeats, wrong;
    ngx_campaign_state_e    first, last;
    ngx_campaign_reason_e   reason;
    ngx_campaign_verdict_t  v;

    for (wrong = 0, status = 0; status < 1000; status++) {
        repeats = (status == 408 || status == 425 || status == 429 || status / 100 == 5);

        first = status / 100 == 2 ? NGX_CAMPAIGN_S_SENT : repeats ? NGX_CAMPAIGN_S_RETRY : NGX_CAMPAIGN_S_FAILED;
        last = status / 100 == 2 ? NGX_CAMPAIGN_S_SENT : NGX_CAMPAIGN_S_FAILED;

        reason = status / 100 == 2 ? NGX_CAMPAIGN_R_NONE
                                   : status >= 500 ? NGX_CAMPAIGN_R_GATEWAY_5XX : NGX_CAMPAIGN_R_GATEWAY_4XX;

        v = STATUS(status, 1);

        if (v.state != first || v.reason != reason || v.hold != 0 || (v.wait != 0) != (first == NGX_CAMPAIGN_S_RETRY)) {
            diag("status %u, first try: state %u, reason %u", (unsigned) status, v.state, v.reason);
            wrong++;
        }

        v = STATUS(status, 5);

        if (v.state != last || v.reason != reason || v.hold != 0 || v.wait != 0) {
            diag("status %u, last try: state %u, reason %u", (unsigned) status, v.state, v.reason);
            wrong++;
        }
    }

    is_uint(wrong, 0, "2xx is sent; 408, 425, 429 and 5xx go again until tries are used up; all else fails at once");
}


static void
test_accepted(void)
{
    ngx_campaign_verdict_t  v;

    v = test_judge(NGX_CAMPAIGN_ANSWER_STATUS, 200, 0, 1, TEST_RECEIPTS);
    is_uint(v.state, NGX_CAMPAIGN_S_SENT, "accepted, receipts follow: sent");

    v = test_judge(NGX_CAMPAIGN_ANSWER_STATUS, 202, 0, 1, 0);
    is_uint(v.state, NGX_CAMPAIGN_S_DELIVERED, "accepted, no receipts: delivered");
    is_uint(v.reason, NGX_CAMPAIGN_R_NONE, "for no reason");

    v = test_judge(NGX_CAMPAIGN_ANSWER_STATUS, 200, 0, 9, TEST_RECEIPTS);
    is_uint(v.state, NGX_CAMPAIGN_S_SENT, "accepted counts on any try");
}


static void
test_unanswered(void)
{
    ngx_uint_t              flags;
    ngx_campaign_verdict_t  v;

    for (flags = 0; flags < 2; flags++) {
        v = test_judge(NGX_CAMPAIGN_ANSWER_UNREACHABLE, 0, 0, 1, flags);
        is_uint(v.state, NGX_CAMPAIGN_S_RETRY, "unreachable: again, redelivery %s", flags ? "on" : "off");
        is_uint(v.reason, NGX_CAMPAIGN_R_GATEWAY_UNREACHABLE, "and why is told");

        v = test_judge(NGX_CAMPAIGN_ANSWER_UNREACHABLE, 0, 0, 5, flags);
        is_uint(v.state, NGX_CAMPAIGN_S_FAILED, "unreachable on the last try: failed");
        is_uint(v.reason, NGX_CAMPAIGN_R_GATEWAY_UNREACHABLE, "as unreachable");
    }

    v = test_judge(NGX_CAMPAIGN_ANSWER_UNCERTAIN, 504, 0, 1, TEST_REDELIVER);
    is_uint(v.state, NGX_CAMPAIGN_S_RETRY, "uncertain, redelivery on: again");
    is_uint(v.reason, NGX_CAMPAIGN_R_GATEWAY_TIMEOUT, "no answer came");

    v = test_judge(NGX_CAMPAIGN_ANSWER_UNCERTAIN, 504, 0, 5, TEST_REDELIVER);
    is_uint(v.state, NGX_CAMPAIGN_S_FAILED, "uncertain, redelivery on, last try: failed");
    is_uint(v.reason, NGX_CAMPAIGN_R_GATEWAY_TIMEOUT, "as a timeout");

    v = test_judge(NGX_CAMPAIGN_ANSWER_UNCERTAIN, 0, 0, 5, TEST_REDELIVER);
    is_uint(v.reason, NGX_CAMPAIGN_R_GATEWAY_TIMEOUT, "without a status too");

    v = test_judge(NGX_CAMPAIGN_ANSWER_UNCERTAIN, 504, 0, 1, TEST_RECEIPTS);
    is_uint(v.state, NGX_CAMPAIGN_S_FAILED, "uncertain, redelivery off: failed on the first try");
    is_uint(v.reason, NGX_CAMPAIGN_R_UNCERTAIN, "as uncertain");
    is_uint(v.wait, 0, "nothing to wait for");

    v = test_judge(NGX_CAMPAIGN_ANSWER_UNCERTAIN, 200, 0, 1, TEST_RECEIPTS);
    is_uint(v.state, NGX_CAMPAIGN_S_FAILED, "a status beside it changes nothing");

    v = test_judge(NGX_CAMPAIGN_ANSWER_NONE, 0, 0, 5, 0);
    is_uint(v.state, NGX_CAMPAIGN_S_RETRY, "never tried: again, whatever the number of tries");
    is_uint(v.reason, NGX_CAMPAIGN_R_NONE, "for no reason");
    is_uint(v.wait, 0, "at once");
}


static void
test_attempts(void)
{
    ngx_uint_t              attempt;
    ngx_campaign_verdict_t  v;

    for (attempt = 1; attempt < 5; attempt++) {
        v = STATUS(503, attempt);
        is_uint(v.state, NGX_CAMPAIGN_S_RETRY, "try %u of 5: again", (unsigned) attempt);
    }

    v = STATUS(503, 5);
    is_uint(v.state, NGX_CAMPAIGN_S_FAILED, "try 5 of 5: failed");

    v = STATUS(503, 6);
    is_uint(v.state, NGX_CAMPAIGN_S_FAILED, "a sixth (attempts= was lowered): failed");

    test_retry.attempts = 1;
    v = STATUS(503, 1);
    is_uint(v.state, NGX_CAMPAIGN_S_FAILED, "attempts=1: no repeat");
    test_retry.attempts = 5;
}


static void
test_waits(void)
{
    ngx_uint_t              i;
    ngx_campaign_verdict_t  v;
    static const struct {
        ngx_uint_t          attempt;
        uint32_t            rnd;
        ngx_msec_t          after, wait;
    } cases[] = {
        { 1, 0, 0, 1000 }, { 1, 0xffffffff, 0, 1000 }, { 2, 0, 0, 1000 }, { 2, 0xffffffff, 0, 2000 }, { 4, 0, 0, 1000 },
        { 4, 0xffffffff, 0, 8000 },
        { 1, 0, 30000, 30000 }, { 4, 0, 30000, 30000 }, { 4, 0xffffffff, 30000, 37000 }, { 1, 0, 500, 1000 }, { 4, 0xffffffff, 500, 8000 },
        { 1, 0, TEST_DAY, TEST_DAY }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        test_rnd = cases[i].rnd;
        v = test_judge(NGX_CAMPAIGN_ANSWER_STATUS, 503, cases[i].after, cases[i].attempt, 0);

        is_uint(v.wait, cases[i].wait, "try %u, Retry-After %u ms: waits %u ms", (unsigned) cases[i].attempt, (unsigned) cases[i].after,
                (unsigned) cases[i].wait);
    }

    test_rnd = 0;
    v = test_judge(NGX_CAMPAIGN_ANSWER_STATUS, 408, 30000, 1, 0);
    is_uint(v.wait, 30000, "Retry-After is honoured with any status that goes again");

    v = test_judge(NGX_CAMPAIGN_ANSWER_STATUS, 404, 30000, 1, 0);
    is_uint(v.wait, 0, "but makes no failure a repeat");
    is_uint(v.state, NGX_CAMPAIGN_S_FAILED, "which stays failed");
}


static void
test_hold(void)
{
    ngx_uint_t              status, wrong;
    ngx_campaign_verdict_t  v;

    for (wrong = 0, status = 100; status < 600; status++) {
        v = test_judge(NGX_CAMPAIGN_ANSWER_STATUS, status, 30000, 1, 0);
        wrong += (v.hold != ((status == 429 || status == 503) ? 30000 : 0));
        wrong += (v.load != ((status == 429 || status == 503) ? NGX_CAMPAIGN_LOAD_BUSY
                             : status < 500 ? NGX_CAMPAIGN_LOAD_FINE : NGX_CAMPAIGN_LOAD_UNKNOWN));
    }

    is_uint(wrong, 0, "429 and 503 with Retry-After, and no other status, let the gateway rest");

    v = test_judge(NGX_CAMPAIGN_ANSWER_STATUS, 429, 30000, 5, 0);
    is_uint(v.hold, 30000, "also when the message has failed for good");
    is_uint(v.state, NGX_CAMPAIGN_S_FAILED, "which it has");
    is_uint(v.reason, NGX_CAMPAIGN_R_GATEWAY_4XX, "by the gateway's status");

    v = test_judge(NGX_CAMPAIGN_ANSWER_UNREACHABLE, 503, 30000, 1, 0);
    is_uint(v.hold, 0, "a status that is not the gateway's lets nothing rest");
    is_uint(v.wait, 1000, "nor does its Retry-After count");
}


static void
test_delay(void)
{
    uint64_t               least, most, sum, limit;
    ngx_msec_t             d;
    ngx_uint_t             n, i, wrong;
    ngx_campaign_retry_t   rt;

    tap_seed();

    for (n = 1; n <= 12; n++) {
        limit = ngx_min((uint64_t) 1000 << (n - 1), 300000);
        least = UINT64_MAX;
        most = 0;
        sum = 0;

        for (i = 0; i < 20000; i++) {
            d = ngx_campaign_retry_delay(&test_retry, n, (uint32_t) tap_random());
            least = ngx_min(least, d);
            most = ngx_max(most, d);
            sum += d;
        }

        ok(least >= 1000 && most <= limit, "repeat %u waits 1000 .. %u ms", (unsigned) n, (unsigned) limit);
        ok(least <= 1000 + (limit - 1000) / 100 && most >= limit - (limit - 1000) / 100, "repeat %u uses all of it", (unsigned) n);

        sum /= 20000;
        ok(sum >= (1000 + limit) / 2 - limit / 50 && sum <= (1000 + limit) / 2 + limit / 50, "repeat %u: evenly", (unsigned) n);

        is_uint(ngx_campaign_retry_delay(&test_retry, n, 0), 1000, "repeat %u: the shortest", (unsigned) n);
        is_uint(ngx_campaign_retry_delay(&test_retry, n, 0xffffffff), limit, "repeat %u: the longest", (unsigned) n);
    }

    is_uint(ngx_campaign_retry_delay(&test_retry, 1000000, 0xffffffff), 300000, "repeat 1 000 000 waits max");
    is_uint(ngx_campaign_retry_delay(&test_retry, 0, 0xffffffff), 1000, "repeat 0 waits as the first");

    rt = (ngx_campaign_retry_t) { 5, 700, 700 };
    is_uint(ngx_campaign_retry_delay(&rt, 4, 0xffffffff), 700, "min = max: always that");

    rt = (ngx_campaign_retry_t) { 5, 700, 1000 };
    is_uint(ngx_campaign_retry_delay(&rt, 2, 0xffffffff), 1000, "doubling stops at max");

    rt = (ngx_campaign_retry_t) { 5, 700, 300 };
    is_uint(ngx_campaign_retry_delay(&rt, 4, 0xffffffff), 300, "max is the longest wait, also below min");

    rt = (ngx_campaign_retry_t) { 5, 0, 1000 };
    is_uint(ngx_campaign_retry_delay(&rt, (ngx_uint_t) -1, 0xffffffff), 0, "min = 0: at once, whatever the number of the repeat");

    rt = (ngx_campaign_retry_t) { 5, 1, (ngx_msec_t) -1 };

    for (wrong = 0, n = 1; n < 100; n++) {
        most = n > 64 ? UINT64_MAX : (uint64_t) 1 << (n - 1);
        d = ngx_campaign_retry_delay(&rt, n, 0x80000000);
        wrong += (d != 1 + (ngx_msec_t) (((unsigned __int128) most * 0x80000000) >> 32));
    }

    is_uint(wrong, 0, "the longest max that can be written overflows nothing");
}


static void
test_after(void)
{
    ngx_str_t              value;
    ngx_uint_t             i, n, wrong;
    static const char      whole[] = "Sun, 23 Nov 2025 08:15:30 GMT";
    static const struct {
        const char        *value;
        ngx_msec_t         ms;
    } cases[] = {
        { "0", 0 }, { "1", 1000 }, { "120", 120000 }, { "00120", 120000 }, { "86400", TEST_DAY }, { "86401", TEST_DAY },
        { "1000000000", TEST_DAY }, { "18446744073709551617", TEST_DAY }, { "99999999999999999999999999999999999999", TEST_DAY },
        { "", 0 }, { "-1", 0 }, { "-120", 0 }, { "+1", 0 }, { "1.5", 0 }, { "1 ", 0 }, { " 1", 0 }, { "0x10", 0 }, { "soon", 0 },
        { "1e3", 0 }, { "120s", 0 },
        { "Sun, 23 Nov 2025 08:15:30 GMT", 30000 }, { "Sun, 23 Nov 2025 08:15:00 GMT", 0 }, { "Sun, 23 Nov 2025 08:14:59 GMT", 0 },
        { "Sun, 06 Nov 1994 08:49:37 GMT", 0 }, { "Mon, 24 Nov 2025 08:15:00 GMT", TEST_DAY },
        { "Mon, 24 Nov 2025 08:15:01 GMT", TEST_DAY }, { "Thu, 01 Jan 2099 00:00:00 GMT", TEST_DAY },
        { "Mon, 01 Dec 2025 00:00:00 GMT", TEST_DAY }, { "Fri, 31 Dec 9999 23:59:59 GMT", TEST_DAY },
        { "Sunday, 23-Nov-25 08:15:30 GMT", 30000 }, { "Sunday, 06-Nov-94 08:49:37 GMT", 0 },
        { "Tuesday, 23-Nov-75 08:15:30 GMT", TEST_DAY },
        { "Tuesday, 23-Nov-76 08:15:30 GMT", 0 }, { "Sunday, 23-Nov-00 08:15:30 GMT", 0 },
        { "Sun Nov 23 08:15:30 2025", 30000 }, { "Sun Nov  6 08:49:37 1994", 0 }, { "Mon Dec  1 00:00:00 2025", TEST_DAY },
        { "Sun, 23 nov 2025 08:15:30 GMT", 0 }, { "Sun, 23 Nov 2025 08:15:30 UTC", 0 }, { "Sun, 23 Nov 2025 08:15:30", 0 },
        { "Sun, 23 Nov 2025 08:15:30 GMT ", 0 }, { "Sun, 31 Nov 2025 08:15:30 GMT", 0 }, { "Sun, 00 Nov 2025 08:15:30 GMT", 0 },
        { "Sun, 3 Nov 2025 08:15:30 GMT", 0 }, { "Sun, 23 Nov 2025 25:15:30 GMT", 0 }, { "Sun, 23 Nov hh:mm:ss 2025 GMT", 0 },
        { "Sun, dd Nov yyyy hh:mm:ss GMT", 0 }, { "Sunday, dd-Nov-yy hh:mm:ss GMT", 0 }, { "Sun Nov _d hh:mm:ss yyyy", 0 },
        { "Sun, 23 Nov -025 08:15:30 GMT", 0 }, { "2025-11-23T08:15:30Z", 0 }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        value.len = strlen(cases[i].value);
        value.data = malloc(value.len);
        memcpy(value.data, cases[i].value, value.len);

        is_uint(ngx_campaign_retry_after(&value, TEST_NOW), cases[i].ms, "Retry-After: \"%s\"", cases[i].value);

        free(value.data);
    }

    for (wrong = 0, n = 0; n < sizeof(whole) - 1; n++) {
        value.len = n;
        value.data = malloc(n);
        memcpy(value.data, whole, n);
        wrong += (ngx_campaign_retry_after(&value, TEST_NOW) != 0);

        for (i = 0; i < n; i++) {
            value.data[i] = '\0';
            wrong += (ngx_campaign_retry_after(&value, TEST_NOW) != 0);
            value.data[i] = (u_char) whole[i];
        }

        free(value.data);
    }

    is_uint(wrong, 0, "a date cut off anywhere, or with a NUL in it, is unreadable");
}


static ngx_campaign_verdict_t
test_judge(ngx_campaign_answer_e answer, ngx_uint_t status, ngx_msec_t after, ngx_uint_t attempt, ngx_uint_t flags)
{
    ngx_campaign_try_t      t;
    ngx_campaign_verdict_t  v;

    t.answer = answer;
    t.status = status;
    t.after = after;
    t.attempt = attempt;
    t.rnd = test_rnd;
    t.redeliver = (flags & TEST_REDELIVER) != 0;
    t.receipts = (flags & TEST_RECEIPTS) != 0;

    memset(&v, 0xee, sizeof(v));

    ngx_campaign_retry_judge(&test_retry, &t, &v);

    return v;
}
