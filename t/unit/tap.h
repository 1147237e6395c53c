
/*
 * A tiny TAP (testanything.org) for the unit tests.  A name is a behaviour; it is a printf format.  A failing test says where it stands,
 * what was got and what was expected.  main ends with `return done_testing();`.
 */

#ifndef _TAP_H_INCLUDED_
#define _TAP_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>


/* each returns the truth of the test; the arguments of the name come last */

#define ok(cond, ...)               tap_ok((cond) ? 1 : 0, #cond, __FILE__, __LINE__, __VA_ARGS__)
#define is_uint(got, expected, ...)                                                                                   \
    tap_is_uint((uint64_t) (got), (uint64_t) (expected), #got, __FILE__, __LINE__, __VA_ARGS__)
#define is_int(got, expected, ...)                                                                                    \
    tap_is_int((int64_t) (got), (int64_t) (expected), #got, __FILE__, __LINE__, __VA_ARGS__)

/* got: ngx_str_t *; expected: a C string */
#define is_str(got, expected, ...)                                                                                    \
    tap_is_bytes((got)->data, (got)->len, expected, strlen(expected), #got, __FILE__, __LINE__, __VA_ARGS__)

/* got: bytes and their length; expected: a C string */
#define is_text(got, len, expected, ...)                                                                              \
    tap_is_bytes(got, len, expected, strlen(expected), #got, __FILE__, __LINE__, __VA_ARGS__)

/* bytes and lengths, zeros too */
#define is_bytes(got, len, expected, elen, ...)                                                                       \
    tap_is_bytes(got, len, expected, elen, #got, __FILE__, __LINE__, __VA_ARGS__)

/* a line of comment */
void diag(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* optional: the number of tests to come */
void plan(ngx_uint_t n);

/* prints the plan if it was not; the exit status: 0 if all tests passed and there were as many as planned */
int done_testing(void);

/*
 * xorshift64*, for loops over random cases.  The seed is printed; TAP_SEED in the environment chooses it, so that a failure
 * can be run again.
 */
uint64_t tap_seed(void);
uint64_t tap_random(void);
uint64_t tap_below(uint64_t n);     /* 0 .. n - 1 */


int tap_ok(int truth, const char *expr, const char *file, int line, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));
int tap_is_uint(uint64_t got, uint64_t expected, const char *expr, const char *file, int line, const char *fmt, ...)
    __attribute__((format(printf, 6, 7)));
int tap_is_int(int64_t got, int64_t expected, const char *expr, const char *file, int line, const char *fmt, ...)
    __attribute__((format(printf, 6, 7)));
int tap_is_bytes(const void *got, size_t len, const void *expected, size_t elen, const char *expr, const char *file, int line,
    const char *fmt, ...)
    __attribute__((format(printf, 8, 9)));


#endif /* _TAP_H_INCLUDED_ */
