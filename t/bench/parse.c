
/*
 * How long jansson takes to parse a file, in ns: once, in a process that has done nothing else before.
 *
 *     parse file
 */

#include <jansson.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>


static uint64_t parse_clock(void);


int
main(int argc, char *const *argv)
{
    FILE         *f;
    json_t       *json;
    size_t        len;
    uint64_t      from;
    json_error_t  error;

    static char  text[64 * 1024 * 1024];

    f = argc == 2 ? fopen(argv[1], "rb") : NULL;
    if (f == NULL) {
        (void) fprintf(stderr, "usage: parse file\n");
        return 2;
    }

    len = fread(text, 1, sizeof(text), f);
    (void) fclose(f);

    from = parse_clock();
    json = json_loadb(text, len, 0, &error);

    if (json == NULL) {
        (void) fprintf(stderr, "parse: %s\n", error.text);
        return 2;
    }

    (void) printf("%llu\n", (unsigned long long) (parse_clock() - from));

    return 0;
}


static uint64_t
parse_clock(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_MONOTONIC, &ts);

    return (uint64_t) ts.tv_sec * 1000000000 + (uint64_t) ts.tv_nsec;
}
