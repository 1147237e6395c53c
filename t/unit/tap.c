
/*
 * See tap.h.  All goes to stdout, line by line, so that the lines before a crash are seen.
 */

#include "tap.h"

#include <stdarg.h>


static int tap_result(int truth, const char *expr, const char *file, int line, const char *fmt, va_list args);
static void tap_dump(const char *what, const u_char *data, size_t len);


static uint64_t    tap_state;
static ngx_uint_t  tap_run, tap_failed, tap_planned;


int
tap_ok(int truth, const char *expr, const char *file, int line, const char *fmt, ...)
{
    va_list  args;

    va_start(args, fmt);
    (void) tap_result(truth, expr, file, line, fmt, args);
    va_end(args);

    return truth;
}


int
tap_is_uint(uint64_t got, uint64_t expected, const char *expr, const char *file, int line, const char *fmt, ...)
{
    va_list  args;

    va_start(args, fmt);

    if (!tap_result(got == expected, expr, file, line, fmt, args)) {
        printf("#        got: %" PRIu64 "\n#   expected: %" PRIu64 "\n", got, expected);
    }

    va_end(args);

    return got == expected;
}


int
tap_is_int(int64_t got, int64_t expected, const char *expr, const char *file, int line, const char *fmt, ...)
{
    va_list  args;

    va_start(args, fmt);

    if (!tap_result(got == expected, expr, file, line, fmt, args)) {
        printf("#        got: %" PRId64 "\n#   expected: %" PRId64 "\n", got, expected);
    }

    va_end(args);

    return got == expected;
}


int
tap_is_bytes(const void *got, size_t len, const void *expected, size_t elen, const char *expr, const char *file, int line,
    const char *fmt, ...)
{
    int      same;
    va_list  args;

    same = (len == elen && (len == 0 || (got && memcmp(got, expected, len) == 0)));

    va_start(args, fmt);

    if (!tap_result(same, expr, file, line, fmt, args)) {
        tap_dump("     got", got, len);
        tap_dump("expected", expected, elen);
    }

    va_end(args);

    return same;
}


static int
tap_result(int truth, const char *expr, const char *file, int line, const char *fmt, va_list args)
{
    if (tap_run++ == 0) {
        setvbuf(stdout, NULL, _IOLBF, 0);
    }

    printf("%s %lu - ", truth ? "ok" : "not ok", (unsigned long) tap_run);
    vprintf(fmt, args);
    printf("\n");

    if (!truth) {
        tap_failed++;
        printf("#   failed at %s:%d: %s\n", file, line, expr);
    }

    return truth;
}


static void
tap_dump(const char *what, const u_char *data, size_t len)
{
    size_t  i;

    printf("#   %s: %lu bytes", what, (unsigned long) len);

    if (data == NULL) {
        printf(" at NULL\n");
        return;
    }

    printf(" \"");

    for (i = 0; i < len && i < 512; i++) {
        if (data[i] >= 0x20 && data[i] < 0x7f && data[i] != '\\') {
            printf("%c", data[i]);

        } else {
            printf("\\x%02x", data[i]);
        }
    }

    printf("\"%s\n", i < len ? " ..." : "");
}


void
diag(const char *fmt, ...)
{
    va_list  args;

    printf("# ");

    va_start(args, fmt);
    vprintf(fmt, args);
    va_end(args);

    printf("\n");
}


void
plan(ngx_uint_t n)
{
    tap_planned = n;
    printf("1..%lu\n", (unsigned long) n);
}


int
done_testing(void)
{
    if (tap_planned == 0) {
        printf("1..%lu\n", (unsigned long) tap_run);

    } else if (tap_planned != tap_run) {
        diag("planned %lu tests, ran %lu", (unsigned long) tap_planned, (unsigned long) tap_run);
        return 1;
    }

    if (tap_failed) {
        diag("%lu of %lu tests failed", (unsigned long) tap_failed, (unsigned long) tap_run);
    }

    return (tap_failed || tap_run == 0) ? 1 : 0;
}


uint64_t
tap_seed(void)
{
    char             *env;
    struct timespec   ts;

    env = getenv("TAP_SEED");

    if (env) {
        tap_state = strtoull(env, NULL, 0);

    } else {
        clock_gettime(CLOCK_REALTIME, &ts);
        tap_state = (uint64_t) ts.tv_sec * 1000000007ULL ^ (uint64_t) ts.tv_nsec;
    }

    tap_state |= 1;                     /* zero is the one state without a successor */

    diag("TAP_SEED=0x%" PRIx64, tap_state);

    return tap_state;
}


uint64_t
tap_random(void)
{
    if (tap_state == 0) {
        (void) tap_seed();
    }

    tap_state ^= tap_state >> 12;
    tap_state ^= tap_state << 25;
    tap_state ^= tap_state >> 27;

    return tap_state * 0x2545f4914f6cdd1dULL;
}


uint64_t
tap_below(uint64_t n)
{
    return tap_random() % n;
}
