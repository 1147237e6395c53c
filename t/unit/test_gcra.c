
/*
 * Rate limiter.  Time is a number here, so ten seconds at any rate take as long as the arithmetic.
 */

#include "tap.h"
#include "ngx_campaign_gcra.h"


#define TEST_NOW  (1790000000LL * NGX_CAMPAIGN_NS)
#define TEST_MS   1000000LL


/* the dispatcher at its most eager, with uneven ticks; checks every release */

typedef struct {
    ngx_campaign_gcra_t   g;
    int64_t               now, end;         /* ns */
    int64_t               tick;             /* longest time to the next take, ns */
    int64_t               least, ahead;     /* least and greatest time that a take books ahead, ns */
    ngx_uint_t            want;             /* of one take; 0: all it gets */

    ngx_uint_t            released;         /* before end */
    ngx_uint_t            early, late, order, crowded, unequal;    /* releases that break a promise */

    int64_t              *ring;             /* times of the last `limit` releases */
    ngx_uint_t            limit, n;         /* limit: rate + burst */
} test_run_t;


static void test_steps(void);
static void test_rates(void);
static void test_uneven(void);
static void test_burst(void);
static void test_one(void);
static void test_peek_and_next(void);
static void test_clock(void);
static void test_extremes(void);
static void test_pace(void);
static void test_pace_late(void);
static void test_change(void);
static void test_changes(void);

static void test_run(test_run_t *t);
static void test_release(test_run_t *t, int64_t first, int64_t step, ngx_uint_t k, int64_t until);


int
main(void)
{
    (void) tap_seed();

    test_steps();
    test_rates();
    test_uneven();
    test_burst();
    test_one();
    test_peek_and_next();
    test_clock();
    test_extremes();
    test_pace();
    test_pace_late();
    test_change();
    test_changes();

    return done_testing();
}


static void
test_steps(void)
{
    int64_t      step;
    uint64_t     rate;
    __int128     unit;
    ngx_uint_t   i, fast, slow;

    is_int(ngx_campaign_gcra_step(500000), 2 * NGX_CAMPAIGN_NS, "step_at_half_a_message_a_second_is_2_s");
    is_int(ngx_campaign_gcra_step(50 * NGX_CAMPAIGN_RATE_UNIT), 20 * TEST_MS, "step_at_50_a_second_is_20_ms");
    is_int(ngx_campaign_gcra_step(3 * NGX_CAMPAIGN_RATE_UNIT), 333333334, "step_at_3_a_second_is_rounded_up");
    is_int(ngx_campaign_gcra_step((uint64_t) NGX_CAMPAIGN_RATE_MAX * NGX_CAMPAIGN_RATE_UNIT), 1000, "step_at_the_greatest_rate_is_1_us");
    is_int(ngx_campaign_gcra_step(1), 1000000 * NGX_CAMPAIGN_NS, "step_at_the_least_rate_is_a_million_seconds");

    unit = (__int128) NGX_CAMPAIGN_NS * NGX_CAMPAIGN_RATE_UNIT;

    for (fast = 0, slow = 0, i = 0; i < 100000; i++) {
        rate = 1 + tap_below((uint64_t) NGX_CAMPAIGN_RATE_MAX * NGX_CAMPAIGN_RATE_UNIT) / ((uint64_t) 1 << tap_below(40));
        step = ngx_campaign_gcra_step(rate);

        fast += ((__int128) step * rate < unit);
        slow += ((__int128) (step - 1) * rate >= unit);
    }

    is_uint(fast, 0, "step_never_exceeds_the_rate");
    is_uint(slow, 0, "step_is_no_longer_than_it_must_be");
}


static void
test_rates(void)
{
    double       expected;
    ngx_uint_t   i;
    test_run_t   t;

    static const struct {
        uint64_t      rate;
        uint32_t      burst;
        const char   *name;
    } rates[] = {
        { 500000ULL, 1, "0_5_a_second" },
        { 50 * 1000000ULL, 1, "50_a_second" },
        { 50 * 1000000ULL, 10, "50_a_second_with_a_burst_of_10" },
        { 1000 * 1000000ULL, 1, "1000_a_second" },
        { 1000 * 1000000ULL, 200, "1000_a_second_with_a_burst_of_200" },
        { 20000 * 1000000ULL, 1, "20000_a_second" },
        { 20000 * 1000000ULL, 20000, "20000_a_second_with_a_burst_of_20000" },
        { 1000000 * 1000000ULL, 1, "1000000_a_second" },
        { 999999 * 1000000ULL, 100, "999999_a_second_with_a_burst_of_100" }
    };

    for (i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {

        ngx_memzero(&t, sizeof(test_run_t));

        t.g.rate = rates[i].rate;
        t.g.burst = rates[i].burst;
        t.now = TEST_NOW;
        t.end = TEST_NOW + 10 * NGX_CAMPAIGN_NS;
        t.tick = 20 * TEST_MS;
        t.least = t.tick;                   /* shorter, and the time until the next tick were lost */
        t.ahead = 50 * TEST_MS;

        test_run(&t);

        expected = rates[i].rate / 1e6 * 10 + (rates[i].burst - 1);

        ok(t.released >= expected * 0.99 && t.released <= expected,
           "gcra_at_%s_is_within_1_percent_over_10_s (%lu of %.0f)", rates[i].name, (unsigned long) t.released, expected);

        ok(t.crowded == 0, "gcra_at_%s_has_no_second_above_rate_and_burst", rates[i].name);

        ok(t.early == 0 && t.late == 0 && t.order == 0,
           "gcra_at_%s_releases_in_order_not_before_now_not_after_until", rates[i].name);

        ok(t.unequal == 0, "gcra_at_%s_grants_what_peek_foretold", rates[i].name);
    }
}


/* random rates, bursts, ticks, look-ahead, appetite and pauses: the promise of no second above rate + burst holds */

static void
test_uneven(void)
{
    ngx_uint_t  i, j, crowded, order, late;
    test_run_t  t;

    crowded = order = late = 0;

    for (i = 0; i < 200; i++) {

        ngx_memzero(&t, sizeof(test_run_t));

        t.g.rate = NGX_CAMPAIGN_RATE_UNIT * (1 + tap_below(2000)) / (1 + tap_below(3));
        t.g.burst = 1 + (uint32_t) tap_below(500);
        t.now = TEST_NOW;

        for (j = 0; j < 4; j++) {
            t.tick = (1 + tap_below(300)) * TEST_MS;
            t.ahead = tap_below(1000) * TEST_MS;
            t.want = tap_below(2) ? 0 : 1 + tap_below(100);
            t.end = t.now + tap_below(2 * NGX_CAMPAIGN_NS);

            test_run(&t);

            t.now += tap_below(2) ? 0 : tap_below(3 * NGX_CAMPAIGN_NS);
        }

        free(t.ring);

        crowded += t.crowded;
        order += t.order;
        late += t.late + t.early;
    }

    is_uint(crowded, 0, "gcra_under_uneven_ticks_look_ahead_and_pauses_has_no_second_above_rate_and_burst");
    is_uint(order, 0, "gcra_under_uneven_ticks_releases_in_order");
    is_uint(late, 0, "gcra_under_uneven_ticks_releases_between_now_and_until");
}


static void
test_run(test_run_t *t)
{
    int64_t      first, step, until;
    ngx_uint_t   k, n, peek, want, own;

    own = (t->ring == NULL);

    if (own) {
        t->limit = (ngx_uint_t) ((t->g.rate + NGX_CAMPAIGN_RATE_UNIT - 1) / NGX_CAMPAIGN_RATE_UNIT) + t->g.burst;
        t->ring = calloc(t->limit, sizeof(int64_t));
    }

    while (t->now < t->end) {
        until = t->now + t->least + (int64_t) tap_below(t->ahead - t->least + 1);
        want = t->want ? t->want : 1000000000;

        peek = ngx_campaign_gcra_peek(&t->g, t->now, until, want);
        n = ngx_campaign_gcra_take(&t->g, t->now, until, want, &first, &step);

        t->unequal += (n != peek);

        for (k = 0; k < n; k++) {
            test_release(t, first, step, k, until);
        }

        t->now += 1 + (int64_t) tap_below(t->tick);
    }

    if (own && t->end == TEST_NOW + 10 * NGX_CAMPAIGN_NS) {
        free(t->ring);
        t->ring = NULL;
    }
}


static void
test_release(test_run_t *t, int64_t first, int64_t step, ngx_uint_t k, int64_t until)
{
    int64_t  at, last, old;

    at = ngx_max(t->now, first + (int64_t) k * step);

    last = t->n ? t->ring[(t->n - 1) % t->limit] : 0;
    old = t->ring[t->n % t->limit];

    t->late += (at > until);
    t->early += (at < t->now);
    t->order += (at < last);
    t->crowded += (t->n >= t->limit && at - old < NGX_CAMPAIGN_NS);
    t->released += (at < t->end);

    t->ring[t->n++ % t->limit] = at;
}


static void
test_burst(void)
{
    int64_t              first, step;
    ngx_campaign_gcra_t  g;

    g.rate = 50 * NGX_CAMPAIGN_RATE_UNIT;
    g.burst = 10;
    g.tat = 0;

    is_uint(ngx_campaign_gcra_take(&g, TEST_NOW, TEST_NOW, 4, &first, &step), 4, "gcra_grants_no_more_than_wanted");
    is_uint(ngx_campaign_gcra_take(&g, TEST_NOW, TEST_NOW, 100, &first, &step), 6, "gcra_grants_the_rest_of_the_burst_at_once");
    ok(first + 5 * step <= TEST_NOW, "gcra_burst_goes_now");

    is_uint(ngx_campaign_gcra_take(&g, TEST_NOW, TEST_NOW, 100, &first, &step), 0, "gcra_burst_is_spent");
    is_int(first, TEST_NOW + 20 * TEST_MS, "gcra_burst_is_spent_then_waits_20_ms");
    is_int(ngx_campaign_gcra_next(&g, TEST_NOW), TEST_NOW + 20 * TEST_MS, "gcra_next_is_after_20_ms");

    is_uint(ngx_campaign_gcra_take(&g, TEST_NOW + 20 * TEST_MS - 1, TEST_NOW + 20 * TEST_MS - 1, 100, &first, &step), 0,
            "gcra_grants_nothing_a_nanosecond_too_early");

    is_uint(ngx_campaign_gcra_take(&g, TEST_NOW + 20 * TEST_MS, TEST_NOW + 20 * TEST_MS, 100, &first, &step), 1,
            "gcra_grants_one_after_20_ms");

    is_uint(ngx_campaign_gcra_take(&g, TEST_NOW + 80 * TEST_MS, TEST_NOW + 80 * TEST_MS, 100, &first, &step), 3,
            "gcra_grants_three_after_60_ms_more");

    is_uint(ngx_campaign_gcra_take(&g, TEST_NOW + 3600 * NGX_CAMPAIGN_NS, TEST_NOW + 3600 * NGX_CAMPAIGN_NS, 100, &first, &step), 10,
            "gcra_grants_the_burst_and_no_more_after_an_idle_hour");
}


static void
test_one(void)
{
    int64_t              first, step;
    ngx_campaign_gcra_t  g;

    g.rate = 500000;
    g.burst = 1;
    g.tat = 0;

    is_uint(ngx_campaign_gcra_take(&g, TEST_NOW, TEST_NOW + 5 * NGX_CAMPAIGN_NS, 9, &first, &step), 3,
            "gcra_grants_what_falls_before_until");
    is_int(first, TEST_NOW, "gcra_first_of_an_idle_account_goes_now");
    is_int(step, 2 * NGX_CAMPAIGN_NS, "gcra_tells_the_step");
    is_int(g.tat, TEST_NOW + 6 * NGX_CAMPAIGN_NS, "gcra_books_what_it_grants");
}


static void
test_peek_and_next(void)
{
    int64_t              first, step, tat;
    ngx_campaign_gcra_t  g;

    g.rate = 50 * NGX_CAMPAIGN_RATE_UNIT;
    g.burst = 3;
    g.tat = 0;

    is_int(ngx_campaign_gcra_next(&g, TEST_NOW), TEST_NOW, "gcra_next_of_an_idle_account_is_now");
    is_uint(ngx_campaign_gcra_peek(&g, TEST_NOW, TEST_NOW + 20 * TEST_MS, 100), 4, "gcra_peek_counts_the_burst_and_what_comes_until");
    is_int(g.tat, 0, "gcra_peek_books_nothing");

    (void) ngx_campaign_gcra_take(&g, TEST_NOW, TEST_NOW, 100, &first, &step);
    tat = g.tat;

    is_uint(ngx_campaign_gcra_take(&g, TEST_NOW, TEST_NOW, 100, &first, &step), 0, "gcra_grants_nothing_out_of_a_spent_burst");
    is_int(g.tat, tat, "gcra_books_nothing_for_a_grant_of_none");

    is_uint(ngx_campaign_gcra_take(&g, TEST_NOW + NGX_CAMPAIGN_NS, TEST_NOW + NGX_CAMPAIGN_NS, 0, &first, &step), 0,
            "gcra_grants_none_if_none_is_wanted");
    is_int(first, TEST_NOW + NGX_CAMPAIGN_NS, "gcra_tells_when_the_next_may_go_if_none_is_wanted");
}


static void
test_clock(void)
{
    int64_t               now, first, step;
    ngx_uint_t            i, n, total;
    ngx_campaign_gcra_t   g, before;

    g.rate = 500000;
    g.burst = 5;
    g.tat = 0;

    (void) ngx_campaign_gcra_take(&g, TEST_NOW, TEST_NOW, 100, &first, &step);

    now = TEST_NOW - 3600 * NGX_CAMPAIGN_NS;
    before = g;

    is_int(ngx_campaign_gcra_next(&g, now), now, "gcra_clock_set_back_an_hour_does_not_stall");
    is_int(g.tat, before.tat, "gcra_next_books_nothing");
    is_uint(ngx_campaign_gcra_take(&g, now, now, 100, &first, &step), 1, "gcra_clock_set_back_an_hour_grants_one_not_a_burst");
    is_int(ngx_campaign_gcra_next(&g, now), now + 2 * NGX_CAMPAIGN_NS, "gcra_clock_set_back_an_hour_keeps_the_rate");

    /* a caller who keeps nothing of a refusal (the store) gets on all the same */

    g.tat = TEST_NOW + 3600 * NGX_CAMPAIGN_NS;

    for (total = 0, i = 0; i < 1000; i++) {
        now = TEST_NOW + (int64_t) i * 10 * TEST_MS;
        before = g;

        n = ngx_campaign_gcra_take(&g, now, now + 5 * TEST_MS, 100, &first, &step);
        total += n;

        if (n == 0) {
            g = before;
        }
    }

    is_uint(total, 5, "gcra_clock_set_back_keeps_the_rate_for_10_s");

    /* what was booked ahead is no clock set back */

    g.rate = 1000 * NGX_CAMPAIGN_RATE_UNIT;
    g.burst = 10;
    g.tat = 0;

    is_uint(ngx_campaign_gcra_take(&g, TEST_NOW, TEST_NOW + NGX_CAMPAIGN_NS, 5000, &first, &step), 1010, "gcra_books_a_second_ahead");
    is_uint(ngx_campaign_gcra_take(&g, TEST_NOW + TEST_MS, TEST_NOW + TEST_MS, 5000, &first, &step), 0,
            "gcra_does_not_take_releases_booked_ahead_for_a_clock_set_back");
    is_int(ngx_campaign_gcra_next(&g, TEST_NOW + TEST_MS), TEST_NOW + 1001 * TEST_MS, "gcra_next_is_after_what_was_booked_ahead");

    now = TEST_NOW + 7200 * NGX_CAMPAIGN_NS;

    is_uint(ngx_campaign_gcra_take(&g, now, now, 5000, &first, &step), 10, "gcra_clock_set_forward_grants_the_burst_and_no_more");
}


/* UndefinedBehaviorSanitizer watches the sums */

static void
test_extremes(void)
{
    int64_t              first, step, now, until;
    ngx_uint_t           i, n, bad;
    ngx_campaign_gcra_t  g;

    static const int64_t   nows[] = { 0, 1, TEST_NOW };
    static const int64_t   tats[] = { INT64_MIN, -1, 0, 1, TEST_NOW, INT64_MAX };
    static const uint32_t  bursts[] = { 0, 1, 2, UINT32_MAX };
    static const uint64_t  rates[] = { 1, 500000, 1000000000000ULL, 999999999999999ULL, UINT64_MAX };

    for (bad = 0, i = 0; i < 3 * 6 * 4 * 5 * 2; i++) {
        now = nows[i % 3];
        g.tat = tats[i / 3 % 6];
        g.burst = bursts[i / 18 % 4];
        g.rate = rates[i / 72 % 5];
        until = i / 360 ? INT64_MAX : now;

        n = ngx_campaign_gcra_peek(&g, now, until, UINTPTR_MAX);

        bad += (ngx_campaign_gcra_next(&g, now) < now);
        bad += (ngx_campaign_gcra_take(&g, now, until, UINTPTR_MAX, &first, &step) != n);
        bad += (step < 1 || g.tat < 0) && n;
    }

    is_uint(bad, 0, "gcra_with_the_greatest_and_least_of_all_values_stays_sound");

    g.rate = 50 * NGX_CAMPAIGN_RATE_UNIT;
    g.burst = 10;
    g.tat = 0;

    is_uint(ngx_campaign_gcra_take(&g, TEST_NOW, TEST_NOW - 1, 5, &first, &step), 0, "gcra_grants_nothing_until_before_now");
}


/* sends as soon as schedule and pace let, from `now` on; tells how many went before `until`, and moves the schedule's place on */

static ngx_uint_t
pace_run(ngx_campaign_gcra_t *pace, int64_t *at, int64_t step, int64_t now, int64_t until)
{
    int64_t     go;
    ngx_uint_t  n;

    for (n = 0; ; n++) {
        go = ngx_campaign_gcra_pace_next(pace, 5 * TEST_MS, ngx_max(now, *at));
        if (go >= until) {
            return n;
        }

        ngx_campaign_gcra_pace_sent(pace, go);
        *at += step;
    }
}


static void
test_pace(void)
{
    int64_t              first, step, at, now, tat;
    ngx_uint_t           i, late;
    ngx_campaign_gcra_t  g, pace;

    g.rate = 1000 * NGX_CAMPAIGN_RATE_UNIT;
    g.burst = 1;
    g.tat = 0;

    (void) ngx_campaign_gcra_take(&g, TEST_NOW, TEST_NOW + NGX_CAMPAIGN_NS, 1000, &first, &step);

    pace = g;
    pace.tat = ngx_campaign_gcra_before(&g, first);

    for (late = 0, i = 0; i < 1000; i++) {
        at = first + i * step;
        now = at + (i * 7919 % 4900) * 1000;            /* up to 4.9 ms late */
        late += (ngx_campaign_gcra_pace_next(&pace, 5 * TEST_MS, now) != now);
        ngx_campaign_gcra_pace_sent(&pace, now);
    }

    is_uint(late, 0, "pace_holds_nothing_back_that_is_late_by_less_than_the_slack");
    ok(ngx_campaign_gcra_pace_tat(&pace, 5 * TEST_MS, 0) <= g.tat, "pace_of_what_was_in_time_moves_no_limiter_on");

    tat = ngx_campaign_gcra_spent(&g, TEST_NOW);
    g.tat = tat;
    is_int(ngx_campaign_gcra_next(&g, TEST_NOW), TEST_NOW + step, "gcra_spent_leaves_the_next_message_a_step_away");
}


static void
test_pace_late(void)
{
    int64_t              first, step, at;
    ngx_uint_t           n;
    ngx_campaign_gcra_t  g, pace;

    g.rate = 500 * NGX_CAMPAIGN_RATE_UNIT;
    g.burst = 20;
    g.tat = 0;

    n = ngx_campaign_gcra_take(&g, TEST_NOW, TEST_NOW + NGX_CAMPAIGN_NS, 500, &first, &step);
    is_uint(n, 500, "half a thousand are booked");

    /* the commit comes 600 ms late: 300 are overdue */

    pace = g;
    at = first;
    pace.tat = ngx_max(0, ngx_campaign_gcra_before(&g, first));

    is_uint(pace_run(&pace, &at, step, TEST_NOW + 600 * TEST_MS, TEST_NOW + 601 * TEST_MS), 20, "pace_lets_the_burst_go_of_what_is_overdue");
    is_uint(pace_run(&pace, &at, step, TEST_NOW + 601 * TEST_MS, TEST_NOW + 1100 * TEST_MS), 249, "and_the_rest_by_the_rate");
    ok(ngx_campaign_gcra_pace_tat(&pace, 5 * TEST_MS, 500 - 269) > g.tat + 500 * TEST_MS, "pace_moves_the_limiter_on_by_what_was_lost");
}


static void
test_change(void)
{
    ngx_campaign_gcra_t  g;

    g.rate = 2 * NGX_CAMPAIGN_RATE_UNIT;
    g.burst = 100;
    g.tat = TEST_NOW + 50 * NGX_CAMPAIGN_NS;

    ngx_campaign_gcra_change(&g, 1000 * NGX_CAMPAIGN_RATE_UNIT, 1, TEST_NOW);
    is_uint(g.rate, 1000 * NGX_CAMPAIGN_RATE_UNIT, "change_sets_the_rate");
    is_uint(g.burst, 1, "change_sets_the_burst");
    is_int(ngx_campaign_gcra_pace_next(&g, 0, TEST_NOW), TEST_NOW + TEST_MS, "change_of_a_spent_burst_leaves_the_next_a_step_of_the_new_rate_away");

    g.rate = 2 * NGX_CAMPAIGN_RATE_UNIT;
    g.burst = 100;
    g.tat = TEST_NOW + 20 * NGX_CAMPAIGN_NS;

    ngx_campaign_gcra_change(&g, 4 * NGX_CAMPAIGN_RATE_UNIT, 50, TEST_NOW);
    is_int(g.tat, TEST_NOW + 10 * NGX_CAMPAIGN_NS, "change_counts_on_what_of_the_burst_was_sent");

    g.tat = TEST_NOW - 1;
    ngx_campaign_gcra_change(&g, 1, UINT32_MAX, TEST_NOW);
    is_int(g.tat, TEST_NOW - 1, "change_of_an_idle_account_leaves_it_idle");

    g.tat = INT64_MAX;
    ngx_campaign_gcra_change(&g, UINT64_MAX, 0, 0);
    is_int(g.tat, 1, "change_of_the_greatest_and_least_values_stays_sound");
}


/* sends all it may, before and after a change: no second holds more than the greater rate and the greater burst */

static void
test_changes(void)
{
    int64_t              at, end, *ring;
    uint32_t             burst[2];
    uint64_t             rate[2];
    ngx_uint_t           i, j, n, most, crowded, stalled;
    ngx_campaign_gcra_t  g;

    for (crowded = stalled = 0, i = 0; i < 200; i++) {

        for (j = 0; j < 2; j++) {
            rate[j] = 1 + tap_below(tap_below(2) ? 5 : 2000);
            burst[j] = 1 + (uint32_t) tap_below(tap_below(2) ? 5 : 500);
        }

        g.rate = rate[0] * NGX_CAMPAIGN_RATE_UNIT;
        g.burst = burst[0];
        g.tat = 0;

        most = ngx_max(rate[0], rate[1]) + ngx_max(burst[0], burst[1]);
        ring = calloc(most, sizeof(int64_t));

        for (end = TEST_NOW, n = 0, j = 0; j < 2; j++) {
            at = end;

            if (j) {
                ngx_campaign_gcra_change(&g, rate[1] * NGX_CAMPAIGN_RATE_UNIT, burst[1], at);
                stalled += (ngx_campaign_gcra_pace_next(&g, 0, at) > at + ngx_campaign_gcra_step(g.rate));
            }

            end += (int64_t) tap_below(2 * NGX_CAMPAIGN_NS);

            while ((at = ngx_campaign_gcra_pace_next(&g, 0, at)) < end) {
                ngx_campaign_gcra_pace_sent(&g, at);
                crowded += (n >= most && at - ring[n % most] < NGX_CAMPAIGN_NS);
                ring[n++ % most] = at;
            }
        }

        free(ring);
    }

    is_uint(stalled, 0, "change_never_keeps_the_next_waiting_for_more_than_a_step");
    is_uint(crowded, 0, "change_lets_no_second_hold_more_than_the_greater_rate_and_the_greater_burst");
}
