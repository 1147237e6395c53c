
/*
 * CSV and NDJSON.  Each input is read in one slice, byte by byte and cut in two at every byte, and must give the same records; random input
 * is compared with a slow reader that has all of it at once.  Slices have their exact size and are freed behind the reader.
 */

#include "tap.h"
#include "ngx_campaign_lines.h"


#define TEST_MAX  (1024 * 1024)


/* what came out, as text: L1[cell][cell] for a record on line 1, L1! for a bad one */

typedef struct {
    size_t   len;
    char     text[TEST_MAX];
} test_out_t;


static void test_csv(void);
static void test_ndjson(void);
static void test_long(void);
static void test_cells(void);
static void test_random(void);
static void test_calls(void);
static void test_slices(ngx_campaign_lines_form_e form, const char *in, size_t len, const char *expected, const char *name);
static void test_read(ngx_campaign_lines_form_e form, const char *in, size_t len, size_t cut, size_t step, test_out_t *out);
static void test_note(test_out_t *out, ngx_uint_t line, ngx_str_t *cell, ngx_uint_t n);
static void test_reference(ngx_campaign_lines_form_e form, const char *in, size_t len, test_out_t *out);
static size_t test_reference_cell(ngx_campaign_lines_form_e form, const char *in, size_t len, size_t i, char *cell, size_t *n,
    ngx_uint_t *bad);
static ngx_uint_t test_end(const char *in, size_t len, size_t i);


static test_out_t  test_a, test_b;


#define csv(in, expected, name)     test_slices(NGX_CAMPAIGN_LINES_CSV, in, sizeof(in) - 1, expected, name)
#define ndjson(in, expected, name)  test_slices(NGX_CAMPAIGN_LINES_NDJSON, in, sizeof(in) - 1, expected, name)


int
main(void)
{
    test_csv();
    test_ndjson();
    test_long();
    test_cells();
    test_random();
    test_calls();

    return done_testing();
}


static void
test_csv(void)
{
    csv("", "", "an empty stream has no record");
    csv("a,b\nc,d\n", "L1[a][b]L2[c][d]", "lines end in LF");
    csv("a,b\r\nc,d\r\n", "L1[a][b]L2[c][d]", "or in CRLF");
    csv("a,b\r\nc,d", "L1[a][b]L2[c][d]", "the last line needs no end");
    csv("a,b\r\nc,d\r", "L1[a][b]L2[c][d]", "nor a whole one");
    csv("a\rb,c\n", "L1[a\rb][c]", "a CR alone is a byte of its cell");
    csv("a\r\r\n", "L1[a\r]", "the last CR alone belongs to the end");
    csv("a", "L1[a]", "one byte is a record");
    csv(",", "L1[][]", "a comma alone parts two empty cells");
    csv("a,,b,\n", "L1[a][][b][]", "empty cells stay");
    csv(" a , b \n", "L1[ a ][ b ]", "spaces are part of a cell");
    csv("\n\n\r\na\n\n\nb\n\n", "L4[a]L7[b]", "empty lines are passed over and counted");
    csv("\r", "", "half an end of line is an empty line");
    csv(" \n", "L1[ ]", "a line with a space is not empty");

    csv("\"a\",\"b\"\n", "L1[a][b]", "quotes are taken off");
    csv("\"a,b\",c\n", "L1[a,b][c]", "a comma inside quotes parts nothing");
    csv("\"a\"\"b\"\n", "L1[a\"b]", "a doubled quote is a quote");
    csv("\"\"\"\"\n", "L1[\"]", "also alone");
    csv("\"\"\"a\"\"\"\n", "L1[\"a\"]", "and at the ends of a cell");
    csv("\"\"\n", "L1[]", "an empty cell in quotes is a record");
    csv("\"\",\"\"", "L1[][]", "two of them at the end of the stream");
    csv("\"a\nb\",c\nd\n", "L1[a\nb][c]L3[d]", "LF inside quotes belongs to the cell, and counts as a line");
    csv("\"a\r\nb\",c\r\nd\r\n", "L1[a\r\nb][c]L3[d]", "CRLF inside quotes does");
    csv("\"a\r\",b\r\n", "L1[a\r][b]", "CR before the closing quote does");
    csv("\"\n\n\n\"\nx", "L1[\n\n\n]L5[x]", "empty lines inside quotes do");

    csv("a\"b,c\nd\n", "L1!L2[d]", "a quote inside a plain cell is bad, and opens nothing");
    csv("a\"\"b,\"c\nd\"\ne\n", "L1!L3[e]", "though a later cell of that record may be quoted");
    csv("\"a\"b,c\nd\n", "L1!L2[d]", "text behind a closing quote is bad");
    csv("\"a\" ,c\nd\n", "L1!L2[d]", "a space there too");
    csv("\"a\"\rb\nd\n", "L1!L2[d]", "a CR there too");
    csv("\"a\"b\"c\nd\n", "L1!L2[d]", "and a quote behind that opens nothing");
    csv(" \"a\"\nd\n", "L1!L2[d]", "a space before the quote is bad");
    csv("a\nb,\"c\nd\n", "L1[a]L2!", "a quote never closed makes the rest one bad record");
    csv("a\n\"", "L1[a]L2!", "also as the last byte");
    csv("\"a\"\"", "L1!", "a doubled quote closes nothing");
    csv("\"a\nb\"c,1\n15551234567\n", "L1!L3[15551234567]", "a line inside quotes of a bad record is not taken for a record");
    csv("\"a\"\"\n\"\"b\"\nc\n", "L1[a\"\n\"b]L3[c]", "doubled quotes around a line's end");

    csv("a\0b\nc\n", "L1!L2[c]", "a NUL byte is bad");
    csv("\0\nc\n", "L1!L2[c]", "as the only byte of a line");
    csv("\"a\0\nb\"\nc\n", "L1!L3[c]", "inside quotes the record goes on to its end");
    csv("\0", "L1!", "as the only byte of the stream");

    csv("\xef\xbb\xbf""a,b\n", "L1[a][b]", "a byte order mark is dropped");
    csv("\xef\xbb\xbf\"a\",b\n", "L1[a][b]", "before a quote too");
    csv("\xef\xbb\xbf", "", "alone it is nothing");
    csv("\xef\xbb\xbf\r\na", "L2[a]", "before an empty line too");
    csv("\xef\xbb", "L1[\xef\xbb]", "two bytes of it are data");
    csv("\xef\xbb\xbf\xef\xbb\xbf""a", "L1[\xef\xbb\xbf""a]", "a second one is data");
    csv("a\n\xef\xbb\xbf""b\n", "L1[a]L2[\xef\xbb\xbf""b]", "on a later line it is data");
    csv("\n\xef\xbb\xbf""b\n", "L2[\xef\xbb\xbf""b]", "behind an empty line it is data");
    csv("\"\xef\xbb\xbf\"\n", "L1[\xef\xbb\xbf]", "inside quotes it is data");
    csv("\xef,\xbb\xbf\n", "L1[\xef][\xbb\xbf]", "parted by a comma it is data");

    csv("number,first_name\r\n+15551234567,Zo\xc3\xab\r\n\r\n15557654321,\"O\"\"Hara, Jr\"\r\n",
        "L1[number][first_name]L2[+15551234567][Zo\xc3\xab]L4[15557654321][O\"Hara, Jr]", "a file as a spreadsheet writes it");
}


static void
test_ndjson(void)
{
    ndjson("", "", "NDJSON: an empty stream has no record");
    ndjson("{\"a\":1,\"b\":\"c\"}\n{\"d\":2}\n", "L1[{\"a\":1,\"b\":\"c\"}]L2[{\"d\":2}]",
        "NDJSON: a line is one cell, quotes and commas too");
    ndjson("{}\r\n{}\r\n", "L1[{}]L2[{}]", "NDJSON: CRLF");
    ndjson("{}\n\n\r\n[]", "L1[{}]L4[[]]", "NDJSON: empty lines, no last end");
    ndjson("\"a\n\"b\n", "L1[\"a]L2[\"b]", "NDJSON: a quote opens nothing");
    ndjson("a\rb\n", "L1[a\rb]", "NDJSON: a CR alone is data");
    ndjson("a\0b\nc\n", "L1!L2[c]", "NDJSON: a NUL byte is bad");
    ndjson("\xef\xbb\xbf{}\n", "L1[{}]", "NDJSON: a byte order mark is dropped");
}


static void
test_long(void)
{
    char          *in;
    size_t         i, len, n;
    ngx_uint_t     form, wrong;
    const char    *expected;

    in = malloc(TEST_MAX);

    for (form = NGX_CAMPAIGN_LINES_CSV; form <= NGX_CAMPAIGN_LINES_NDJSON; form++) {
        for (n = NGX_CAMPAIGN_LINE_MAX - 1; n <= NGX_CAMPAIGN_LINE_MAX + 2; n++) {
            memset(in, 'x', n);
            memcpy(in + n, "\r\ny\n", 4);
            len = n + 4;

            expected = n <= NGX_CAMPAIGN_LINE_MAX ? "L1[" : "L1!L2[y]";

            for (wrong = 0, i = NGX_CAMPAIGN_LINE_MAX - 4; i < NGX_CAMPAIGN_LINE_MAX + 5; i++) {
                test_read(form, in, len, i, 0, &test_a);
                wrong += (strncmp(test_a.text, expected, strlen(expected)) != 0);
                wrong += (strcmp(test_a.text + test_a.len - 5, "L2[y]") != 0);
                wrong += (n <= NGX_CAMPAIGN_LINE_MAX && test_a.len != 3 + n + 1 + 5);
            }

            is_uint(wrong, 0, "%s: a line of %u bytes is %s", form ? "NDJSON" : "CSV", (unsigned) n,
                    n <= NGX_CAMPAIGN_LINE_MAX ? "a record" : "too long");
        }
    }

    memset(in, 'x', 500000);
    in[0] = '"';

    for (i = 100; i < 499000; i += 100) {
        in[i] = '\n';
    }

    memcpy(in + 499000, "\"\"\n15551234567\n\",b\ny\n", 21);

    for (wrong = 0, i = 0; i < 499021; i += 41231) {
        test_read(NGX_CAMPAIGN_LINES_CSV, in, 499021, i, 0, &test_a);
        wrong += (strcmp(test_a.text, "L1!L4993[y]") != 0);
    }

    test_read(NGX_CAMPAIGN_LINES_CSV, in, 499021, 0, 1, &test_a);
    wrong += (strcmp(test_a.text, "L1!L4993[y]") != 0);

    is_uint(wrong, 0, "a cell of half a megabyte in quotes is passed over whole, and no line of it is a record");

    memset(in, '"', 2 + NGX_CAMPAIGN_LINE_MAX);
    in[NGX_CAMPAIGN_LINE_MAX] = '\n';
    test_read(NGX_CAMPAIGN_LINES_CSV, in, NGX_CAMPAIGN_LINE_MAX + 1, 0, 0, &test_a);
    is_uint(test_a.len, 3 + NGX_CAMPAIGN_LINE_MAX / 2 - 1 + 1, "quotes count to the length of a line: %u of them are one cell",
            NGX_CAMPAIGN_LINE_MAX);

    memset(in, 'x', TEST_MAX / 2);
    in[TEST_MAX / 2 - 1] = '\n';
    test_read(NGX_CAMPAIGN_LINES_NDJSON, in, TEST_MAX / 2, 12345, 0, &test_a);
    is_text(test_a.text, test_a.len, "L1!", "a line of half a megabyte is reported once");

    test_read(NGX_CAMPAIGN_LINES_NDJSON, in, TEST_MAX / 2 - 1, 12345, 0, &test_a);
    is_text(test_a.text, test_a.len, "L1!", "also when it never ends");

    free(in);
}


static void
test_cells(void)
{
    char        in[256];
    size_t      n;
    ngx_uint_t  i;

    for (n = NGX_CAMPAIGN_CELLS_MAX - 1; n <= NGX_CAMPAIGN_CELLS_MAX + 1; n++) {
        memset(in, ',', n - 1);
        memcpy(in + n - 1, "\nx\n", 3);

        test_a.len = 0;

        if (n <= NGX_CAMPAIGN_CELLS_MAX) {
            test_a.len = sprintf(test_a.text, "L1");

            for (i = 0; i < n; i++) {
                test_a.len += sprintf(test_a.text + test_a.len, "[]");
            }

        } else {
            test_a.len = sprintf(test_a.text, "L1!");
        }

        sprintf(test_a.text + test_a.len, "L2[x]");

        test_slices(NGX_CAMPAIGN_LINES_CSV, in, n + 2, test_a.text,
                    n <= NGX_CAMPAIGN_CELLS_MAX ? "63 and 64 cells are a record" : "65 cells are a bad one");
    }
}


static void
test_random(void)
{
    char               in[64];
    size_t             len, i;
    ngx_uint_t         n, wrong, form;
    static const char  bytes[] = "aab,,\"\"\"\r\r\n\n\n\0";

    tap_seed();

    for (wrong = 0, n = 0; n < 60000; n++) {
        form = n & 1;
        len = 0;

        if (tap_below(4) == 0) {
            memcpy(in, "\xef\xbb\xbf", 3);
            len = tap_below(4);
        }

        for (i = tap_below(30); i; i--) {
            in[len++] = bytes[tap_below(sizeof(bytes) - (tap_below(8) ? 2 : 1))];
        }

        test_reference(form, in, len, &test_a);

        test_read(form, in, len, tap_below(len + 1), 0, &test_b);
        wrong += (test_a.len != test_b.len || memcmp(test_a.text, test_b.text, test_a.len) != 0);

        test_read(form, in, len, 0, 1 + tap_below(3), &test_b);
        wrong += (test_a.len != test_b.len || memcmp(test_a.text, test_b.text, test_a.len) != 0);

        if (wrong) {
            is_bytes(test_b.text, test_b.len, test_a.text, test_a.len, "random input reads as the slow reader does");
            is_bytes(in, len, "", 0, "(that input)");
            return;
        }
    }

    is_uint(wrong, 0, "60 000 random inputs read as the slow reader says, however they are cut");
}


static void
test_calls(void)
{
    u_char                *p, *end, in[] = "a,b\nc";
    ngx_pool_t            *pool;
    ngx_campaign_lines_t   l;

    pool = ngx_create_pool(1024, NULL);

    ngx_stub_fail_at(1);
    is_int(ngx_campaign_lines_init(&l, pool, NGX_CAMPAIGN_LINES_CSV), NGX_ERROR, "no memory for the reader is an error");
    is_uint(ngx_stub_fail_at(0), 1, "that allocation did fail");

    is_int(ngx_campaign_lines_init(&l, pool, NGX_CAMPAIGN_LINES_CSV), NGX_OK, "the reader is made");

    p = in;
    end = in;
    is_int(ngx_campaign_lines_next(&l, &p, end, 0), NGX_AGAIN, "an empty slice asks for more");

    end = in + 5;
    is_int(ngx_campaign_lines_next(&l, &p, end, 0), NGX_OK, "a record");
    is_uint(p - in, 4, "the place moves behind its line and no further");
    is_uint(l.n, 2, "it has two cells");
    is_str(&l.cell[1], "b", "the second one is b");

    is_int(ngx_campaign_lines_next(&l, &p, end, 0), NGX_AGAIN, "an unfinished record waits");
    is_uint(p - in, 5, "its bytes are taken");

    is_int(ngx_campaign_lines_next(&l, &p, end, 1), NGX_OK, "when nothing comes after it, it is one");
    is_str(&l.cell[0], "c", "with what was kept");
    is_uint(l.line, 2, "on line 2");

    is_int(ngx_campaign_lines_next(&l, &p, end, 1), NGX_DONE, "then all is done");
    is_int(ngx_campaign_lines_next(&l, &p, end, 1), NGX_DONE, "and stays so");

    ngx_destroy_pool(pool);
}


static void
test_slices(ngx_campaign_lines_form_e form, const char *in, size_t len, const char *expected, const char *name)
{
    size_t  cut;

    test_reference(form, in, len, &test_b);

    if (strcmp(test_b.text, expected) != 0) {
        is_text(test_b.text, test_b.len, expected, "%s: the slow reader", name);
        return;
    }

    test_read(form, in, len, 0, 1, &test_b);

    for (cut = 0; cut <= len && strcmp(test_b.text, expected) == 0; cut++) {
        test_read(form, in, len, cut, 0, &test_b);
    }

    is_text(test_b.text, test_b.len, expected, "%s", name);
}


/* step: bytes of a slice; 0: two slices, parted at cut */

static void
test_read(ngx_campaign_lines_form_e form, const char *in, size_t len, size_t cut, size_t step, test_out_t *out)
{
    u_char                *slice, *p, *end;
    size_t                 at, n;
    ngx_int_t              rc;
    ngx_pool_t            *pool;
    ngx_campaign_lines_t   l;

    out->len = 0;
    out->text[0] = '\0';

    pool = ngx_create_pool(1024, NULL);

    if (ngx_campaign_lines_init(&l, pool, form) != NGX_OK) {
        test_note(out, 0, NULL, 0);
    }

    at = 0;

    do {
        n = step ? step : (at == 0 && cut) ? cut : len - at;
        n = ngx_min(n, len - at);

        slice = malloc(n);
        memcpy(slice, in + at, n);
        at += n;

        p = slice;
        end = slice + n;

        do {
            rc = ngx_campaign_lines_next(&l, &p, end, at == len);

            if (rc == NGX_OK || rc == NGX_DECLINED) {
                test_note(out, l.line, rc == NGX_OK ? l.cell : NULL, l.n);
            }

        } while (rc == NGX_OK || rc == NGX_DECLINED);

        if (p != end || rc != (at == len ? NGX_DONE : NGX_AGAIN)) {
            test_note(out, 0, NULL, 0);
        }

        free(slice);

    } while (at < len);

    ngx_destroy_pool(pool);
}


static void
test_note(test_out_t *out, ngx_uint_t line, ngx_str_t *cell, ngx_uint_t n)
{
    ngx_uint_t  i;

    out->len += sprintf(out->text + out->len, "L%u%s", (unsigned) line, cell ? "" : "!");

    for (i = 0; cell && i < n; i++) {
        out->text[out->len++] = '[';
        memcpy(out->text + out->len, cell[i].data, cell[i].len);
        out->len += cell[i].len;
        out->text[out->len++] = ']';
    }

    out->text[out->len] = '\0';
}


/* cell after cell, with all of the input at hand */

static void
test_reference(ngx_campaign_lines_form_e form, const char *in, size_t len, test_out_t *out)
{
    char        text[256];
    size_t      i, n, start, used;
    ngx_str_t   cell[256];
    ngx_uint_t  line, next, cells, bad;

    out->len = 0;
    out->text[0] = '\0';

    i = (len >= 3 && memcmp(in, "\xef\xbb\xbf", 3) == 0) ? 3 : 0;

    for (next = 1; i < len; /* void */ ) {
        line = next;
        start = i;
        bad = 0;
        used = 0;

        for (cells = 0; /* void */ ; i++) {
            cell[cells].data = (u_char *) text + used;
            i = test_reference_cell(form, in, len, i, text + used, &n, &bad);
            cell[cells++].len = n;
            used += n;

            if (test_end(in, len, i)) {
                break;
            }
        }

        bad |= (cells > NGX_CAMPAIGN_CELLS_MAX || memchr(in + start, '\0', i - start) != NULL);

        if (i > start) {
            test_note(out, line, bad ? NULL : cell, cells);
        }

        if (i < len && in[i] == '\r') {
            i++;
        }

        i++;

        for (next = 1, n = 0; n < i && n < len; n++) {
            next += (in[n] == '\n');
        }
    }
}


/* the place behind the cell that begins at i: at a comma or an end */

static size_t
test_reference_cell(ngx_campaign_lines_form_e form, const char *in, size_t len, size_t i, char *cell, size_t *n, ngx_uint_t *bad)
{
    *n = 0;

    if (form == NGX_CAMPAIGN_LINES_CSV && i < len && in[i] == '"') {
        for (i++; /* void */ ; i++) {
            if (i >= len) {
                *bad = 1;
                return len;
            }

            if (in[i] == '"') {
                if (i + 1 == len || in[i + 1] != '"') {
                    i++;
                    break;
                }

                i++;
            }

            cell[(*n)++] = in[i];
        }

        if (test_end(in, len, i) || in[i] == ',') {
            return i;
        }

        *bad = 1;
    }

    while (!test_end(in, len, i) && (form == NGX_CAMPAIGN_LINES_NDJSON || in[i] != ',')) {
        if (form == NGX_CAMPAIGN_LINES_CSV && in[i] == '"') {
            *bad = 1;
        }

        cell[(*n)++] = in[i++];
    }

    return i;
}


static ngx_uint_t
test_end(const char *in, size_t len, size_t i)
{
    return i >= len || in[i] == '\n' || (in[i] == '\r' && (i + 1 == len || in[i + 1] == '\n'));
}
