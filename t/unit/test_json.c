
/*
 * A value is found by its path in JSON of any form, cut off or wrong; every text ends at the end of its memory, so that AddressSanitizer
 * sees a look behind it.
 */

#include "tap.h"
#include "ngx_campaign_json.h"


#define TEST_CASES  20000


static void test_paths(void);
static void test_values(void);
static void test_cut(void);
static void test_words(void);
static void test_lists(void);
static void test_random(void);

static const char *test_find(const char *text, size_t len, const char *path);
static const char *test_list(const char *text, size_t len, const char *path);


typedef struct {
    const char  *path;
    ngx_uint_t   valid;
} test_path_t;

typedef struct {
    const char  *text, *path;
    const char  *value;                         /* NULL: none */
} test_value_t;

typedef struct {
    const char  *value;
    const char  *word;                          /* NULL: none */
} test_word_t;


static const test_path_t  test_path[] = {
    { "id", 1 }, { "data.id", 1 }, { "data[0].id", 1 }, { "[0]", 1 }, { "[0].id", 1 }, { "[1][2]", 1 }, { "a.b[0][10].c-d_e", 1 }, { "$x:y", 1 },
    { "", 0 }, { ".", 0 }, { ".id", 0 }, { "id.", 0 }, { "a..b", 0 }, { "[]", 0 }, { "[", 0 }, { "[0", 0 }, { "[x]", 0 }, { "[-1]", 0 },
    { "[0]id", 0 }, { "a[0]b", 0 }, { "a.[0]", 0 }, { "a b", 0 }, { "a\"b", 0 }, { "a\\b", 0 }, { "[99999999999999999999]", 0 }
};

static const test_value_t  test_value[] = {
    { "{\"id\":\"x\"}", "id", "x" },
    { " { \"id\" :\t\"x\" } ", "id", "x" },
    { "{\"id\":17}", "id", "17" },
    { "{\"id\":-1.5e3,\"a\":1}", "id", "-1.5e3" },
    { "{\"id\":true}", "id", "true" },
    { "{\"id\":null}", "id", NULL },
    { "{\"id\":{}}", "id", NULL },
    { "{\"id\":[]}", "id", NULL },
    { "{\"id\":\"\"}", "id", "" },
    { "{\"di\":1}", "id", NULL },
    { "{}", "id", NULL },
    { "[]", "id", NULL },
    { "", "id", NULL },
    { "x", "id", NULL },
    { "\"id\"", "id", NULL },
    { "{\"data\":[{\"id\":\"a\"},{\"id\":\"b\"}]}", "data[0].id", "a" },
    { "{\"data\":[{\"id\":\"a\"},{\"id\":\"b\"}]}", "data[1].id", "b" },
    { "{\"data\":[{\"id\":\"a\"},{\"id\":\"b\"}]}", "data[2].id", NULL },
    { "{\"data\":[{\"id\":\"a\"}]}", "data.id", NULL },
    { "{\"data\":{\"id\":\"a\"}}", "data[0].id", NULL },
    { "{\"data\":{\"id\":\"a\"}}", "data.id", "a" },
    { "[{\"a\":1,\"b\":2},{\"a\":3}]", "[0].b", "2" },
    { "[[1,2],[3,[4,5]]]", "[1][1][0]", "4" },
    { "[]", "[0]", NULL },
    { "[ ]", "[0]", NULL },
    { "{\"a\":{\"id\":1,\"x\":[{\"id\":2}]},\"b\":\"}]\\\"{\",\"id\":3}", "id", "3" },
    { "{\"a\":\"\\\\\",\"id\":4}", "id", "4" },
    { "{\"id\":1,\"id\":2}", "id", "1" },
    { "{\"id\":\"a\\\"b\"}", "id", "a\\\"b" },
    { "{\"id\" \"x\"}", "id", NULL },
    { "{\"a\":,\"id\":1}", "id", NULL },
    { "{\"a\"}", "id", NULL },
    { "{id:1}", "id", NULL },
    { "{\"a\":1 \"id\":2}", "id", NULL },
    { "{\"a\":]],\"id\":2}", "id", NULL },
    { "{\"id\":}", "id", NULL }
};

/* the elements, each with a | behind it */

static const test_value_t  test_lists_of[] = {
    { "[]", "", "" },
    { " [ ] ", "", "" },
    { "[1]", "", "1|" },
    { " [ 1 , \"a,]\" ,{ \"b\" : [2] } ] x", "", "1|\"a,]\"|{ \"b\" : [2] }|" },
    { "{\"data\":[{\"id\":1},{\"id\":2}]}", "data", "{\"id\":1}|{\"id\":2}|" },
    { "{\"a\":[{\"b\":[true,null]}]}", "a[0].b", "true|null|" },
    { "{\"data\":{}}", "data", NULL },
    { "{}", "", NULL },
    { "\"[]\"", "", NULL },
    { "", "", NULL },
    { "[1,]", "", NULL },
    { "[,1]", "", NULL },
    { "[1 2]", "", NULL },
    { "[1", "", NULL },
    { "[1,{]", "", NULL },
    { "[[[", "", NULL }
};

static const test_word_t  test_word[] = {
    { "abc", "abc" }, { "a\\/b", "a/b" }, { "a\\\\b", "a\\b" }, { "\\\"", "\"" }, { "\\u0041\\u007e", "A~" }, { "12345678", "12345678" },
    { "", NULL }, { "123456789", NULL }, { "a b", "a b" }, { "a\\nb", NULL }, { "\\u0000", NULL }, { "\\u00e9", NULL }, { "\xc3\xa9", NULL },
    { "\\u00", NULL }, { "\\u00xx", NULL }, { "\\", NULL }, { "a\x7f", NULL }
};


int
main(void)
{
    (void) tap_seed();

    test_paths();
    test_values();
    test_cut();
    test_words();
    test_lists();
    test_random();

    return done_testing();
}


static void
test_paths(void)
{
    ngx_str_t    path;
    ngx_uint_t   i;

    for (i = 0; i < sizeof(test_path) / sizeof(test_path[0]); i++) {
        path.data = (u_char *) test_path[i].path;
        path.len = strlen(test_path[i].path);

        is_int(ngx_campaign_json_path(&path), test_path[i].valid ? NGX_OK : NGX_ERROR, "\"%s\" is %s path", test_path[i].path,
               test_path[i].valid ? "a" : "no");
    }
}


static void
test_values(void)
{
    ngx_uint_t           i;
    const char          *got;
    const test_value_t  *v;

    for (i = 0; i < sizeof(test_value) / sizeof(test_value[0]); i++) {
        v = &test_value[i];
        got = test_find(v->text, strlen(v->text), v->path);

        ok((got == NULL && v->value == NULL) || (got && v->value && strcmp(got, v->value) == 0),
           "%s of %s is %s", v->path, v->text, v->value ? v->value : "none");
    }
}


/* cut anywhere the answer is the same, or none */

static void
test_cut(void)
{
    size_t       n;
    ngx_uint_t   found, wrong;
    const char  *got, *text;

    text = "{\"x\":[1,{\"a\":\"b\"}],\"data\":[{\"name\":\"data\",\"id\":\"one\"},{\"id\":\"two\"}]}";
    found = 0;
    wrong = 0;

    for (n = 0; n <= strlen(text); n++) {
        got = test_find(text, n, "data[0].id");

        if (got) {
            found++;
            wrong += strcmp(got, "one") != 0;
        }
    }

    is_uint(wrong, 0, "a text that is cut off gives no other value");
    is_uint(found, strlen("},{\"id\":\"two\"}]}"), "and the value as soon as something stands behind it");

    ok(test_find("{\"id\":12", 8, "id") == NULL, "a number that may go on is none");
}


static void
test_words(void)
{
    size_t       len;
    u_char       out[8];
    ngx_str_t    value;
    ngx_int_t    rc;
    ngx_uint_t   i;

    for (i = 0; i < sizeof(test_word) / sizeof(test_word[0]); i++) {
        value.data = (u_char *) test_word[i].value;
        value.len = strlen(test_word[i].value);

        rc = ngx_campaign_json_text(&value, out, sizeof(out), &len);

        if (test_word[i].word == NULL) {
            is_int(rc, NGX_DECLINED, "\"%s\" is no text", test_word[i].value);
        } else if (is_int(rc, NGX_OK, "\"%s\" is a text", test_word[i].value)) {
            is_text(out, len, test_word[i].word, "and reads so");
        }
    }
}


static void
test_lists(void)
{
    size_t       i, n, whole;
    const char  *list;

    static const char  text[] = "{\"a\":[{\"id\":\"]\"},[1,[2]],\"x\"]}";

    for (i = 0; i < sizeof(test_lists_of) / sizeof(test_lists_of[0]); i++) {
        list = test_list(test_lists_of[i].text, strlen(test_lists_of[i].text), test_lists_of[i].path);

        if (test_lists_of[i].value == NULL) {
            ok(list == NULL, "no list at \"%s\" of %s", test_lists_of[i].path, test_lists_of[i].text);
        } else if (ok(list != NULL, "a list at \"%s\" of %s", test_lists_of[i].path, test_lists_of[i].text)) {
            is_text((const u_char *) list, strlen(list), test_lists_of[i].value, "and its elements");
        }
    }

    for (n = 0, whole = 0; n < sizeof(text) - 1; n++) {
        whole += test_list(text, n, "a") != NULL;
    }

    ok(whole == 1, "a list that is cut off is none");
}


static void
test_random(void)
{
    char                text[64];
    size_t              n, i;
    ngx_uint_t          k, found;

    static const char   letters[] = "{}[]\",:\\ abid0123\n";
    static const char  *paths[] = { "id", "a.id", "a[0].id", "[1]", "[0].b" };

    for (found = 0, k = 0; k < TEST_CASES; k++) {
        n = tap_below(sizeof(text));

        for (i = 0; i < n; i++) {
            text[i] = letters[tap_below(sizeof(letters) - 1)];
        }

        (void) test_list(text, n, k % 2 ? "" : "a");

        found += test_find(text, n, paths[tap_below(sizeof(paths) / sizeof(paths[0]))]) != NULL;
    }

    ok(found < TEST_CASES, "random texts are survived");
}


static const char *
test_find(const char *text, size_t len, const char *path)
{
    u_char      *copy;
    ngx_int_t    rc;
    ngx_str_t    p, value;

    static char  out[128];

    copy = malloc(len ? len : 1);
    memcpy(copy, text, len);

    p.data = (u_char *) path;
    p.len = strlen(path);

    rc = ngx_campaign_json_find(copy, copy + len, &p, &value);

    if (rc == NGX_OK) {
        memcpy(out, value.data, value.len);
        out[value.len] = '\0';
    }

    free(copy);

    return rc == NGX_OK ? out : NULL;
}


/* the elements, each with a | behind it; NULL: no list */

static const char *
test_list(const char *text, size_t len, const char *path)
{
    char        *to;
    u_char      *copy;
    ngx_int_t    rc;
    ngx_str_t    p, rest, item;

    static char  out[256];

    copy = malloc(len ? len : 1);
    memcpy(copy, text, len);

    p.data = (u_char *) path;
    p.len = strlen(path);
    to = out;

    rc = ngx_campaign_json_list(copy, copy + len, &p, &rest);

    while (rc == NGX_OK && ngx_campaign_json_next(&rest, &item) == NGX_OK) {
        memcpy(to, item.data, item.len);
        to += item.len;
        *to++ = '|';
    }

    *to = '\0';

    free(copy);

    return rc == NGX_OK ? out : NULL;
}
