
/*
 * Placeholders.  Texts and results live in memory of exactly their size, so that a byte too much is seen by AddressSanitizer.
 */

#include "tap.h"
#include "ngx_campaign_template.h"


static void test_render(void);
static void test_parts(void);
static void test_bad(void);
static void test_memory(void);
static void test_random(void);
static ngx_int_t test_parse(ngx_pool_t *pool, const char *text, ngx_campaign_template_t *t, ngx_str_t *bad);
static ngx_str_t test_text(ngx_pool_t *pool, const ngx_campaign_template_t *t, const ngx_campaign_contact_t *c);


static ngx_campaign_contact_t  test_full = {
    .number = 15551234567,
    .field = {
        [NGX_CAMPAIGN_CONTACT_FIRST_NAME] = ngx_string("Ann"),
        [NGX_CAMPAIGN_CONTACT_LAST_NAME] = ngx_string("{first_name}"),
        [NGX_CAMPAIGN_CONTACT_CUSTOM1] = ngx_string("{{x}}"),
        [NGX_CAMPAIGN_CONTACT_CUSTOM2] = ngx_string("b\0{"),
        [NGX_CAMPAIGN_CONTACT_TAGS] = ngx_string("never")
    }
};

static ngx_campaign_contact_t  test_bare = { .number = 1234567 };


int
main(void)
{
    test_render();
    test_parts();
    test_bad();
    test_memory();
    test_random();

    return done_testing();
}


static void
test_render(void)
{
    size_t                    i;
    ngx_str_t                 bad, out;
    ngx_pool_t               *pool;
    ngx_campaign_template_t   t;
    static const struct {
        const char           *text;
        const char           *full;
        const char           *bare;
    } cases[] = {
        { "", "", "" },
        { "Hello", "Hello", "Hello" },
        { "Hi {first_name}!", "Hi Ann!", "Hi !" },
        { "{first_name}", "Ann", "" },
        { "{first_name}{first_name}", "AnnAnn", "" },
        { "{first_name|friend}", "Ann", "friend" },
        { "{first_name|}", "Ann", "" },
        { "{first_name|a|b}", "Ann", "a|b" },
        { "{first_name|dear \xd0\x96}", "Ann", "dear \xd0\x96" },
        { "{number}", "15551234567", "1234567" },
        { "{number|none}", "15551234567", "1234567" },
        { "<{last_name}>", "<{first_name}>", "<>" },
        { "<{custom1}>", "<{{x}}>", "<>" },
        { "<{timestamp|t}>", "<{{x}}>", "<t>" },
        { "{{first_name}}", "{first_name}", "{first_name}" },
        { "{{{first_name}}}", "{Ann}", "{}" },
        { "{first_name}}}", "Ann}", "}" },
        { "{{", "{", "{" },
        { "}}", "}", "}" },
        { "{{}}", "{}", "{}" },
        { "{{{{", "{{", "{{" },
        { "a{{b}}c{number}d{{", "a{b}c15551234567d{", "a{b}c1234567d{" },
        { "{first_name}{{{number}", "Ann{15551234567", "{1234567" },
        { "{first_name|x}{last_name|y}{custom1|z}", "Ann{first_name}{{x}}", "xyz" }
    };

    pool = ngx_create_pool(1024, NULL);

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        is_int(test_parse(pool, cases[i].text, &t, &bad), NGX_OK, "\"%s\" is parsed", cases[i].text);

        out = test_text(pool, &t, &test_full);
        is_str(&out, cases[i].full, "\"%s\" for a contact with all fields", cases[i].text);

        out = test_text(pool, &t, &test_bare);
        is_str(&out, cases[i].bare, "\"%s\" for a contact with a number only", cases[i].text);
    }

    is_int(test_parse(pool, "{custom2}|{date}", &t, &bad), NGX_OK, "custom2 and its older name are parsed");
    out = test_text(pool, &t, &test_full);
    is_bytes(out.data, out.len, "b\0{|b\0{", 7, "a value is copied byte by byte");

    ngx_destroy_pool(pool);
}


static void
test_parts(void)
{
    ngx_str_t                 bad, text;
    ngx_pool_t               *pool;
    ngx_campaign_template_t   t;

    pool = ngx_create_pool(1024, NULL);

    text = (ngx_str_t) ngx_string("Hi {first_name|you}, {{x}} {number}");

    is_int(ngx_campaign_template_parse(pool, &text, &t, &bad), NGX_OK, "text and placeholders are parsed");
    is_uint(t.n, 4, "into four parts");
    is_int(t.parts[0].what, NGX_CAMPAIGN_PART_TEXT, "text comes first");
    ok(t.parts[0].text.data == text.data, "it points into the template");
    is_int(t.parts[1].what, NGX_CAMPAIGN_CONTACT_FIRST_NAME, "then a field");
    ok(t.parts[1].text.data == text.data + 15 && t.parts[1].text.len == 3, "its default points into the template");
    is_int(t.parts[2].what, NGX_CAMPAIGN_PART_TEXT, "text with doubled braces is one part");
    is_str(&t.parts[2].text, ", {x} ", "with single ones");
    is_int(t.parts[3].what, NGX_CAMPAIGN_PART_NUMBER, "the number comes last");
    is_uint(t.parts[3].text.len, 0, "without a default");

    is_int(test_parse(pool, "no {{placeholder}} here", &t, &bad), NGX_OK, "a text without a placeholder is parsed");
    is_uint(t.n, 1, "into one part");

    is_int(test_parse(pool, "", &t, &bad), NGX_OK, "an empty text is parsed");
    is_uint(t.n, 1, "into one part too");

    ngx_destroy_pool(pool);
}


static void
test_bad(void)
{
    size_t                    i;
    ngx_str_t                 bad;
    ngx_pool_t               *pool;
    ngx_campaign_template_t   t;
    static const struct {
        const char           *text;
        const char           *bad;
    } cases[] = {
        { "Hi {name}!", "{name}" }, { "{}", "{}" }, { "{|x}", "{|x}" }, { "{ first_name }", "{ first_name }" },
        { "{first_name }", "{first_name }" }, { "{FIRST_NAME}", "{FIRST_NAME}" }, { "{first_nam}", "{first_nam}" },
        { "{first_namee}", "{first_namee}" }, { "{tags}", "{tags}" }, { "{nope|x}", "{nope|x}" }, { "a{first_name", "{first_name" },
        { "a{", "{" }, { "a}", "}" }, { "}b", "}" }, { "a } b", "}" }, { "{first_name}}", "}" }, { "{{first_name}", "}" },
        { "{first_name{last_name}", "{first_name" }, { "{first_name|{x}}", "{first_name|" }, { "{{{", "{" }, { "}}}", "}" },
        { "{first_name}{last_nam}{number}", "{last_nam}" }
    };

    pool = ngx_create_pool(1024, NULL);

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        t.n = 77;
        t.parts = NULL;

        is_int(test_parse(pool, cases[i].text, &t, &bad), NGX_DECLINED, "\"%s\" is declined", cases[i].text);
        is_str(&bad, cases[i].bad, "\"%s\": that piece is named", cases[i].text);
        ok(t.n == 77 && t.parts == NULL, "\"%s\" leaves the result untouched", cases[i].text);
    }

    ngx_destroy_pool(pool);
}


static void
test_memory(void)
{
    ngx_int_t                 rc;
    ngx_str_t                 bad, out, text = ngx_string("a{{b {first_name} c}}d {number} }}");
    ngx_uint_t                n, failed;
    ngx_pool_t               *pool;
    ngx_campaign_template_t   t;

    pool = ngx_create_pool(1024, NULL);

    n = 0;

    for ( ;; ) {
        t.n = 77;
        bad.len = 77;

        ngx_stub_fail_at(++n);
        rc = ngx_campaign_template_parse(pool, &text, &t, &bad);
        failed = ngx_stub_fail_at(0);

        if (!failed) {
            break;
        }

        is_int(rc, NGX_ERROR, "allocation %u fails: an error", (unsigned) n);
        ok(t.n == 77 && bad.len == 77, "and the results are untouched");
    }

    is_int(rc, NGX_OK, "with memory enough it is parsed");
    is_uint(n, 5, "after four allocations: the parts, and three texts with doubled braces");

    out = test_text(pool, &t, &test_full);
    is_str(&out, "a{b Ann c}d 15551234567 }", "and renders");

    ngx_destroy_pool(pool);
}


/* pieces of known meaning in random order; then random bytes, which must not hurt */

static void
test_random(void)
{
    char                      text[512], expected[1024];
    ngx_str_t                 bad, out;
    ngx_uint_t                i, n, k, wrong;
    ngx_pool_t               *pool;
    ngx_campaign_template_t   t;
    static const char *const  pieces[][2] = {
        { "{first_name}", "Ann" }, { "{last_name|x}", "{first_name}" }, { "{number}", "15551234567" }, { "{custom1}", "{{x}}" },
        { "{{", "{" }, { "}}", "}" }, { "a", "a" }, { " b|c ", " b|c " }, { "\xd0\x96", "\xd0\x96" }, { "{timestamp|}", "{{x}}" }
    };
    static const char         bytes[] = "{{{{}}}}|number";

    tap_seed();

    for (wrong = 0, i = 0; i < 20000; i++) {
        pool = ngx_create_pool(1024, NULL);
        text[0] = expected[0] = '\0';

        for (n = tap_below(20); n; n--) {
            k = tap_below(sizeof(pieces) / sizeof(pieces[0]));
            strcat(text, pieces[k][0]);
            strcat(expected, pieces[k][1]);
        }

        if (test_parse(pool, text, &t, &bad) != NGX_OK) {
            diag("%s", text);
            wrong++;

        } else {
            out = test_text(pool, &t, &test_full);
            wrong += (out.len != strlen(expected) || memcmp(out.data, expected, out.len) != 0);
        }

        for (n = 0; n < tap_below(30); n++) {
            text[n] = bytes[tap_below(sizeof(bytes) - 1)];
        }

        text[n] = '\0';

        if (test_parse(pool, text, &t, &bad) == NGX_OK) {
            (void) test_text(pool, &t, &test_full);

        } else {
            wrong += (bad.len == 0 || bad.len > n || (bad.data[0] != '{' && bad.data[0] != '}'));
        }

        ngx_destroy_pool(pool);
    }

    is_uint(wrong, 0, "20 000 texts put together at random render as their pieces say");
}


/* text from memory of exactly its size, in pool */

static ngx_int_t
test_parse(ngx_pool_t *pool, const char *text, ngx_campaign_template_t *t, ngx_str_t *bad)
{
    ngx_str_t  s;

    s.len = strlen(text);
    s.data = ngx_pnalloc(pool, s.len);
    memcpy(s.data, text, s.len);

    return ngx_campaign_template_parse(pool, &s, t, bad);
}


static ngx_str_t
test_text(ngx_pool_t *pool, const ngx_campaign_template_t *t, const ngx_campaign_contact_t *c)
{
    ngx_str_t  out;

    out.len = ngx_campaign_template_size(t, c);
    out.data = ngx_pnalloc(pool, out.len);

    if (ngx_campaign_template_render(out.data, t, c) != out.data + out.len) {
        ok(0, "a text renders to the size that was told");
    }

    return out;
}
