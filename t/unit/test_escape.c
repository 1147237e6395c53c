
/*
 * Escaped text is read back as it was, by a reader that shares no code with the writer; every buffer has exactly the size of the length
 * pass, so that AddressSanitizer sees a write pass that writes more.
 */

#include "tap.h"
#include "ngx_campaign_escape.h"


#define TEST_CASES   20000
#define TEST_LENGTH  200


static void test_json_of_each_byte(void);
static void test_json_words(void);
static void test_uri_of_each_byte(void);
static void test_plain_of_each_byte(void);
static void test_xml(void);
static void test_utf16(void);
static void test_random(ngx_uint_t utf8, const char *what);

static ngx_str_t test_json(const u_char *text, size_t len);
static ngx_str_t test_uri(const u_char *text, size_t len);
static size_t test_json_read(const ngx_str_t *json, u_char *out);
static size_t test_uri_read(const ngx_str_t *uri, u_char *out);
static size_t test_text(u_char *text, ngx_uint_t utf8);
static u_char *test_utf8(u_char *p, uint32_t code);
static int test_hex(u_char c);


int
main(void)
{
    (void) tap_seed();

    test_json_of_each_byte();
    test_json_words();
    test_uri_of_each_byte();
    test_plain_of_each_byte();
    test_xml();
    test_utf16();
    test_random(1, "random_utf8");
    test_random(0, "random_bytes");

    return done_testing();
}


static void
test_json_of_each_byte(void)
{
    u_char      c, out[8];
    ngx_str_t   json;
    ngx_uint_t  i, bad, raw;

    bad = 0;
    raw = 0;

    for (i = 0; i < 256; i++) {
        c = (u_char) i;
        json = test_json(&c, 1);

        if (test_json_read(&json, out) != 1 || out[0] != c) {
            bad++;
        }

        if (json.len == 1 && (c < 0x20 || c == '"' || c == '\\' || c == 0x7f)) {
            raw++;
        }

        free(json.data);
    }

    is_uint(bad, 0, "json_of_each_byte_is_read_back");
    is_uint(raw, 0, "json_leaves_no_quote_backslash_or_control_character");
}


static void
test_json_words(void)
{
    ngx_uint_t  i;
    ngx_str_t   json;

    static struct {
        const char  *text, *json, *name;
    } words[] = {
        { "", "", "json_of_nothing_is_nothing" },
        { "a\"b\\c/", "a\\\"b\\\\c/", "json_escapes_quote_and_backslash_not_slash" },
        { "\b\t\n\f\r\x01\x1f\x7f", "\\b\\t\\n\\f\\r\\u0001\\u001f\\u007f", "json_has_short_and_long_escapes" },
        { "\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xaa", "\\u2028\\u2029\xe2\x80\xaa", "json_escapes_line_separators_and_not_their_neighbours" },
        { "\xe2\x80", "\xe2\x80", "json_of_a_cut_line_separator_stays_in_its_text" },
        { "\xf0\x9f\x98\x80\xc3\xa9", "\xf0\x9f\x98\x80\xc3\xa9", "json_keeps_utf8" },
        { NULL, NULL, NULL }
    };

    for (i = 0; words[i].text; i++) {
        json = test_json((u_char *) words[i].text, strlen(words[i].text));
        is_str(&json, words[i].json, "%s", words[i].name);
        free(json.data);
    }
}


static void
test_uri_of_each_byte(void)
{
    u_char      c, out[8];
    ngx_str_t   uri;
    ngx_uint_t  i, bad, raw;

    bad = 0;
    raw = 0;

    for (i = 0; i < 256; i++) {
        c = (u_char) i;
        uri = test_uri(&c, 1);

        if (test_uri_read(&uri, out) != 1 || out[0] != c) {
            bad++;
        }

        if ((uri.len == 1)
            != ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~'))
        {
            raw++;
        }

        free(uri.data);
    }

    is_uint(bad, 0, "uri_of_each_byte_is_read_back");
    is_uint(raw, 0, "uri_leaves_the_unreserved_characters_and_no_other");

    uri = test_uri((u_char *) "a b+c&to=#%\xc3\xa9~", 14);
    is_str(&uri, "a%20b%2Bc%26to%3D%23%25%C3%A9~", "uri_escapes_what_would_change_a_query");
    free(uri.data);
}


static void
test_plain_of_each_byte(void)
{
    u_char     *p, *end, text[256];
    ngx_uint_t  i, bad;

    for (i = 0; i < 256; i++) {
        text[i] = (u_char) i;
    }

    is_uint(ngx_campaign_escape_plain_count(text, 256), 33, "plain_counts_32_control_characters_and_del");

    p = malloc(256);
    if (p == NULL) {
        abort();
    }

    end = ngx_campaign_escape_plain(p, text, 256);
    is_uint(end - p, 256, "plain_keeps_the_length");

    for (bad = 0, i = 0; i < 256; i++) {
        if (p[i] != ((i < 0x20 || i == 0x7f) ? ' ' : i)) {
            bad++;
        }
    }

    is_uint(bad, 0, "plain_turns_control_characters_into_spaces_and_keeps_the_rest");
    free(p);
}


static void
test_random(ngx_uint_t utf8, const char *what)
{
    size_t      len;
    u_char      text[TEST_LENGTH], out[TEST_LENGTH];
    ngx_str_t   json, uri;
    ngx_uint_t  i, json_bad, uri_bad;

    json_bad = 0;
    uri_bad = 0;

    for (i = 0; i < TEST_CASES; i++) {
        len = test_text(text, utf8);

        json = test_json(text, len);
        if (test_json_read(&json, out) != len || memcmp(out, text, len) != 0) {
            json_bad++;
        }

        uri = test_uri(text, len);
        if (test_uri_read(&uri, out) != len || memcmp(out, text, len) != 0) {
            uri_bad++;
        }

        free(json.data);
        free(uri.data);
    }

    is_uint(json_bad, 0, "json_of_%s_is_read_back", what);
    is_uint(uri_bad, 0, "uri_of_%s_is_read_back", what);
}


/* the write pass into a buffer of the size that the length pass gave; a difference ends the program */

static ngx_str_t
test_json(const u_char *text, size_t len)
{
    ngx_str_t  json;

    json.len = ngx_campaign_escape_json_size(text, len);
    json.data = malloc(json.len ? json.len : 1);

    if (json.data == NULL || ngx_campaign_escape_json(json.data, text, len) != json.data + json.len) {
        diag("the passes of json differ");
        abort();
    }

    return json;
}


static ngx_str_t
test_uri(const u_char *text, size_t len)
{
    ngx_str_t  uri;

    uri.len = ngx_campaign_escape_uri_size(text, len);
    uri.data = malloc(uri.len ? uri.len : 1);

    if (uri.data == NULL || ngx_campaign_escape_uri(uri.data, text, len) != uri.data + uri.len) {
        diag("the passes of uri differ");
        abort();
    }

    return uri;
}


/* what a JSON parser makes of a string; (size_t) -1: it is none */

static size_t
test_json_read(const ngx_str_t *json, u_char *out)
{
    int       digit;
    u_char   *p, *o;
    size_t    i;
    uint32_t  code;

    static const char  escapes[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";

    o = out;

    for (p = json->data; p < json->data + json->len; p++) {

        if (*p < 0x20 || *p == '"') {
            return (size_t) -1;
        }

        if (*p != '\\') {
            *o++ = *p;
            continue;
        }

        if (++p == json->data + json->len) {
            return (size_t) -1;
        }

        if (*p == 'u') {
            if (json->data + json->len - p < 5) {
                return (size_t) -1;
            }

            for (code = 0, i = 1; i < 5; i++) {
                digit = test_hex(p[i]);
                if (digit < 0) {
                    return (size_t) -1;
                }

                code = code * 16 + (uint32_t) digit;
            }

            o = test_utf8(o, code);
            p += 4;
            continue;
        }

        if (*p == '\0' || strchr(escapes, *p) == NULL) {
            return (size_t) -1;
        }

        *o++ = (u_char) meanings[strchr(escapes, *p) - escapes];
    }

    return o - out;
}


static size_t
test_uri_read(const ngx_str_t *uri, u_char *out)
{
    u_char  *p, *o;

    o = out;

    for (p = uri->data; p < uri->data + uri->len; p++) {

        if (*p != '%') {
            *o++ = *p;
            continue;
        }

        if (uri->data + uri->len - p < 3 || test_hex(p[1]) < 0 || test_hex(p[2]) < 0) {
            return (size_t) -1;
        }

        *o++ = (u_char) (test_hex(p[1]) * 16 + test_hex(p[2]));
        p += 2;
    }

    return o - out;
}


/* a random text: characters of each length in UTF-8, the dangerous ones often; or any bytes */

static size_t
test_text(u_char *text, ngx_uint_t utf8)
{
    u_char   *p;
    size_t    len;
    uint32_t  code;

    static const uint32_t  dangerous[] = { '"', '\\', '\n', '\r', 0, 0x7f, 0x1f, 0x2028, 0x2029, 0x2027, '%', '+', '&', '/' };

    len = tap_below(TEST_LENGTH - 4);

    for (p = text; p < text + len; /* void */) {

        if (!utf8) {
            *p++ = (u_char) (tap_below(4) ? tap_random() : (uint64_t) "\xe2\x80\xa8\xa9\"\\"[tap_below(6)]);
            continue;
        }

        switch (tap_below(5)) {

        case 0:
            code = dangerous[tap_below(sizeof(dangerous) / sizeof(uint32_t))];
            break;

        case 1:
            code = 0x80 + (uint32_t) tap_below(0x780);
            break;

        case 2:
            code = 0x800 + (uint32_t) tap_below(0xd000);
            break;

        case 3:
            code = 0x10000 + (uint32_t) tap_below(0x100000);
            break;

        default:
            code = (uint32_t) tap_below(0x80);
        }

        p = test_utf8(p, code);
    }

    return p - text;
}


static u_char *
test_utf8(u_char *p, uint32_t code)
{
    if (code < 0x80) {
        *p++ = (u_char) code;
        return p;
    }

    if (code < 0x800) {
        *p++ = (u_char) (0xc0 | (code >> 6));
        *p++ = (u_char) (0x80 | (code & 0x3f));
        return p;
    }

    if (code < 0x10000) {
        *p++ = (u_char) (0xe0 | (code >> 12));
        *p++ = (u_char) (0x80 | ((code >> 6) & 0x3f));
        *p++ = (u_char) (0x80 | (code & 0x3f));
        return p;
    }

    *p++ = (u_char) (0xf0 | (code >> 18));
    *p++ = (u_char) (0x80 | ((code >> 12) & 0x3f));
    *p++ = (u_char) (0x80 | ((code >> 6) & 0x3f));
    *p++ = (u_char) (0x80 | (code & 0x3f));

    return p;
}


static int
test_hex(u_char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }

    c |= 0x20;

    return (c >= 'a' && c <= 'f') ? c - 'a' + 10 : -1;
}


static void
test_xml(void)
{
    u_char              out[64], *p;
    size_t              i, len, size;
    static const struct {
        const char     *text, *xml;
    } cases[] = {
        { "Hello", "Hello" }, { "a<b & \"c\">'d'", "a&lt;b &amp; &quot;c&quot;&gt;&#39;d&#39;" }, { "]]>", "]]&gt;" },
        { "1\n2\r3\t4", "1&#10;2&#13;3&#9;4" }, { "\x01\x1f\x7f", "   " }, { "\xef\xbf\xbf" "x\xef\xbf\xbe", " x " },
        { "\xc3\xa9\xf0\x9f\x98\x80", "\xc3\xa9\xf0\x9f\x98\x80" }, { "\xef\xbf", "\xef\xbf" }, { "", "" }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        len = strlen(cases[i].text);
        size = ngx_campaign_escape_xml_size((u_char *) cases[i].text, len);
        p = ngx_campaign_escape_xml(out, (u_char *) cases[i].text, len);

        ok((size_t) (p - out) == size && size == strlen(cases[i].xml) && memcmp(out, cases[i].xml, size) == 0, "XML of case %u",
           (unsigned) i);
    }
}


static void
test_utf16(void)
{
    u_char              out[64], *p;
    size_t              i, len, size;
    static const struct {
        const char     *text, *hex;
    } cases[] = {
        { "Hi", "00480069" }, { "\xc3\xa9\xe2\x82\xac", "00E920AC" }, { "\xf0\x9f\x98\x80", "D83DDE00" },
        { "\xf4\x8f\xbf\xbf", "DBFFDFFF" }, { "\n", "000A" }, { "", "" }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        len = strlen(cases[i].text);
        size = ngx_campaign_escape_utf16_size((u_char *) cases[i].text, len);
        p = ngx_campaign_escape_utf16(out, (u_char *) cases[i].text, len);

        ok((size_t) (p - out) == size && size == strlen(cases[i].hex) && memcmp(out, cases[i].hex, size) == 0, "UTF-16 of case %u",
           (unsigned) i);
    }
}
