
/*
 * URLs of webhooks, and addresses: what is taken, what it is rebuilt to, what is public.
 */

#include "tap.h"
#include "ngx_campaign_url.h"

#include <arpa/inet.h>


static void test_taken(void);
static void test_refused(void);
static void test_length(void);
static void test_public(void);
static void test_cidr(void);
static void test_addresses(void);
static void test_random(void);
static ngx_int_t parse(const char *text, size_t len, u_char *buf, ngx_campaign_url_t *url);


int
main(void)
{
    test_taken();
    test_refused();
    test_length();
    test_public();
    test_cidr();
    test_addresses();
    test_random();

    return done_testing();
}


/* from memory of the exact size, so that a byte read beyond it is seen */

static ngx_int_t
parse(const char *text, size_t len, u_char *buf, ngx_campaign_url_t *url)
{
    ngx_int_t  rc;
    ngx_str_t  copy;

    copy.len = len;
    copy.data = malloc(len ? len : 1);
    memcpy(copy.data, text, len);

    rc = ngx_campaign_url_parse(&copy, buf, url);

    free(copy.data);

    return rc;
}


static void
test_taken(void)
{
    size_t               i;
    u_char               buf[NGX_CAMPAIGN_URL_MAX], again[NGX_CAMPAIGN_URL_MAX];
    ngx_campaign_url_t   url, twice;
    static const struct {
        const char      *text, *rebuilt, *host, *authority, *path;
        ngx_uint_t       port, tls, literal;
    } cases[] = {
        { "http://example.com", "http://example.com/", "example.com", "example.com", "/", 80, 0, 0 },
        { "HTTPS://Example.COM/", "https://example.com/", "example.com", "example.com", "/", 443, 1, 0 },
        { "https://example.com:443/Path?Q=1", "https://example.com/Path?Q=1", "example.com", "example.com", "/Path?Q=1", 443, 1, 0 },
        { "http://example.com:443/", "http://example.com:443/", "example.com", "example.com:443", "/", 443, 0, 0 },
        { "http://example.com:80", "http://example.com/", "example.com", "example.com", "/", 80, 0, 0 },
        { "https://example.com:80/x", "https://example.com:80/x", "example.com", "example.com:80", "/x", 80, 1, 0 },
        { "http://a-b.c1.example:65535/", "http://a-b.c1.example:65535/", "a-b.c1.example", "a-b.c1.example:65535", "/", 65535, 0, 0 },
        { "http://example.com?x=/y?z", "http://example.com/?x=/y?z", "example.com", "example.com", "/?x=/y?z", 80, 0, 0 },
        { "http://example.com//a/../b;c=@:!$&'()*+,~._-", "http://example.com//a/../b;c=@:!$&'()*+,~._-", "example.com", "example.com",
          "//a/../b;c=@:!$&'()*+,~._-", 80, 0, 0 },
        { "http://example.com/%00%0d%0aX:%20y%fF", "http://example.com/%00%0d%0aX:%20y%fF", "example.com", "example.com",
          "/%00%0d%0aX:%20y%fF", 80, 0, 0 },
        { "http://xn--bcher-kva.example/", "http://xn--bcher-kva.example/", "xn--bcher-kva.example", "xn--bcher-kva.example", "/", 80, 0, 0 },
        { "http://1.2.3.4/", "http://1.2.3.4/", "1.2.3.4", "1.2.3.4", "/", 80, 0, 1 },
        { "http://255.255.255.255:8080", "http://255.255.255.255:8080/", "255.255.255.255", "255.255.255.255:8080", "/", 8080, 0, 1 },
        { "http://[2001:DB8:0:0:0:0:0:1]:8080/", "http://[2001:db8::1]:8080/", "[2001:db8::1]", "[2001:db8::1]:8080", "/", 8080, 0, 1 },
        { "http://[::ffff:1.2.3.4]/", "http://[::ffff:102:304]/", "[::ffff:102:304]", "[::ffff:102:304]", "/", 80, 0, 1 },
        { "https://[::]:443?", "https://[::]/?", "[::]", "[::]", "/?", 443, 1, 1 },
        { "http://localhost/", "http://localhost/", "localhost", "localhost", "/", 80, 0, 0 },
        { "http://1e3.com/", "http://1e3.com/", "1e3.com", "1e3.com", "/", 80, 0, 0 },
        { "http://0x.com/", "http://0x.com/", "0x.com", "0x.com", "/", 80, 0, 0 },
        { "http://123.example.0xg/", "http://123.example.0xg/", "123.example.0xg", "123.example.0xg", "/", 80, 0, 0 }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (!is_int(parse(cases[i].text, strlen(cases[i].text), buf, &url), NGX_OK, "%s is taken", cases[i].text)) {
            continue;
        }

        is_str(&url.text, cases[i].rebuilt, "%s is rebuilt", cases[i].text);
        is_str(&url.host, cases[i].host, "%s: host", cases[i].text);
        is_str(&url.authority, cases[i].authority, "%s: authority", cases[i].text);
        is_str(&url.path, cases[i].path, "%s: path", cases[i].text);
        is_uint(url.port, cases[i].port, "%s: port", cases[i].text);
        is_uint(url.tls, cases[i].tls, "%s: scheme", cases[i].text);
        is_uint(url.literal, cases[i].literal, "%s: address or name", cases[i].text);

        is_int(parse((char *) url.text.data, url.text.len, again, &twice), NGX_OK, "%s: what was rebuilt is taken", cases[i].text);
        is_bytes(twice.text.data, twice.text.len, url.text.data, url.text.len, "%s: and is a fixed point", cases[i].text);
    }
}


static void
test_refused(void)
{
    size_t                    i;
    u_char                    buf[NGX_CAMPAIGN_URL_MAX];
    const char               *name;
    ngx_campaign_url_t        url;
    static const char *const  cases[] = {
        "", "h", "http", "http:", "http:/", "http://", "https://", "http:///", "http:///x", "http:example.com", "http:/example.com",
        "//example.com/", "/example.com", "example.com", "ftp://example.com/", "unix:/run/x.sock", "http://unix:/run/x.sock:/",
        "file:///etc/passwd", "gopher://example.com/", "javascript:alert(1)", "data:text/plain,x", "httpx://example.com/", "htt://example.com/",
        "http://user@example.com/", "http://user:pass@example.com/", "http://@example.com/", "http://example.com@127.0.0.1/",
        "http://example.com#@127.0.0.1/", "http://example.com/#fragment", "http://example.com\\@127.0.0.1/", "http:\\\\example.com\\",
        "http://example.com\\.evil.com/", "http://exa mple.com/", " http://example.com/", "http://example.com/ ", "http://example.com/a b",
        "http://example.com/\r\nX: y", "http://example.com\r\n/", "http://example.com/\t", "http://example.com/\x01", "http://example.com/\x7f",
        "http://ex\xc3\xa4mple.com/", "http://example.com/\xc3\xa4", ("http://example\xe3\x80\x82" "com/"), "http://\xe2\x91\xa0.com/",
        "http://example.com:0/", "http://example.com:65536/", "http://example.com:99999/", "http://example.com:080/", "http://example.com:/",
        "http://example.com:http/", "http://example.com:-1/", "http://example.com:+80/", "http://example.com:80:80/", "http://:80/",
        "http://example.com: 80/", "http://.example.com/", "http://example..com/", "http://example.com./", "http://./", "http://-a.com/",
        "http://a-.com/", "http://a_b.com/", "http://a*b.com/", "http://%65xample.com/", "http://127.0.0.1%2f.example.com/", "http://a,b.com/",
        "http://0177.0.0.1/", "http://0x7f.0.0.1/", "http://0x7f000001/", "http://2130706433/", "http://017700000001/", "http://127.1/",
        "http://127.0.1/", "http://127.0.0.1./", "http://127.0.0.01/", "http://127.0.0.256/", "http://127.0.0.0.1/", "http://1.2.3/",
        "http://0x7f.1/", "http://00.0.0.0/", "http://0/", "http://0x/", "http://1.2.3.0x4/", "http://example.1/", "http://a.0x1/",
        "http://[127.0.0.1]/", "http://[::1/", "http://::1/", "http://[::1]x/", "http://[::1].com/", "http://[::1%25lo]/", "http://[::1%lo]/",
        "http://[fe80::1%eth0]/", "http://[]/", "http://[:]/", "http://[:::]/", "http://[1::2::3]/", "http://[1:2:3:4:5:6:7]/",
        "http://[1:2:3:4:5:6:7:8:9]/", "http://[12345::]/", "http://[g::]/", "http://[::1.2.3]/", "http://[1.2.3.4::]/", "http://[1:2:3:4:5:6:7:1.2.3.4]/",
        "http://[::1]:0/", "http://[::1]80/", "http://[[::1]]/", "http://example.com/%", "http://example.com/%4", "http://example.com/%zz",
        "http://example.com/<x>", "http://example.com/\"", "http://example.com/^", "http://example.com/`", "http://example.com/{x}",
        "http://example.com/|", "http://example.com/[x]", "http://${x}/", "http://example.com/?x=\\"
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        url.port = 77;

        name = strpbrk(cases[i], "\r\n") ? "a URL with a line break" : cases[i];

        is_int(parse(cases[i], strlen(cases[i]), buf, &url), NGX_ERROR, "\"%s\" is refused", name);
        is_uint(url.port, 77, "\"%s\" leaves the result untouched", name);
    }

    is_int(parse("http://a.com/\0x", 15, buf, &url), NGX_ERROR, "a zero byte is refused");
    is_int(parse("http://a\0.com/", 14, buf, &url), NGX_ERROR, "a zero byte in a name is refused");
}


static void
test_length(void)
{
    char                long_url[NGX_CAMPAIGN_URL_MAX + 8];
    u_char              buf[NGX_CAMPAIGN_URL_MAX];
    ngx_campaign_url_t  url;

    memset(long_url, 'a', sizeof(long_url));
    memcpy(long_url, "http://a.example/", 17);

    is_int(parse(long_url, NGX_CAMPAIGN_URL_MAX, buf, &url), NGX_OK, "2083 bytes are taken");
    is_uint(url.text.len, NGX_CAMPAIGN_URL_MAX, "as they are");
    is_int(parse(long_url, NGX_CAMPAIGN_URL_MAX + 1, buf, &url), NGX_ERROR, "2084 bytes are not");

    memcpy(long_url, "http://a.example?", 17);
    is_int(parse(long_url, NGX_CAMPAIGN_URL_MAX, buf, &url), NGX_ERROR, "nor those that would be 2084 with their slash");
    is_int(parse(long_url, NGX_CAMPAIGN_URL_MAX - 1, buf, &url), NGX_OK, "one less is taken");

    memset(long_url, 'a', sizeof(long_url));
    memcpy(long_url, "http://", 7);
    long_url[7 + 63] = '.';
    long_url[7 + 64] = 'b';
    is_int(parse(long_url, 7 + 65, buf, &url), NGX_OK, "a label of 63 characters");
    long_url[7 + 63] = 'a';
    long_url[7 + 64] = '.';
    long_url[7 + 65] = 'b';
    is_int(parse(long_url, 7 + 66, buf, &url), NGX_ERROR, "one of 64");

    memset(long_url, 'a', sizeof(long_url));
    memcpy(long_url, "http://", 7);
    long_url[7 + 60] = long_url[7 + 121] = long_url[7 + 182] = long_url[7 + 243] = '.';
    is_int(parse(long_url, 7 + 253, buf, &url), NGX_OK, "a name of 253 characters");
    is_int(parse(long_url, 7 + 254, buf, &url), NGX_ERROR, "one of 254");
}


static void
test_public(void)
{
    char                text[128];
    size_t              i;
    u_char              buf[NGX_CAMPAIGN_URL_MAX];
    ngx_campaign_url_t  url;
    static const struct {
        const char     *host;
        ngx_uint_t      public;
    } cases[] = {
        { "8.8.8.8", 1 }, { "1.1.1.1", 1 }, { "9.255.255.255", 1 }, { "11.0.0.0", 1 }, { "100.63.255.255", 1 }, { "100.128.0.0", 1 },
        { "126.255.255.255", 1 }, { "128.0.0.0", 1 }, { "169.253.255.255", 1 }, { "169.255.0.0", 1 }, { "172.15.255.255", 1 },
        { "172.32.0.0", 1 }, { "191.255.255.255", 1 }, { "192.0.1.0", 1 }, { "192.0.3.0", 1 }, { "192.88.98.255", 1 }, { "192.88.100.0", 1 },
        { "192.167.255.255", 1 }, { "192.169.0.0", 1 }, { "198.17.255.255", 1 }, { "198.20.0.0", 1 }, { "198.51.99.255", 1 },
        { "198.51.101.0", 1 }, { "203.0.112.255", 1 }, { "203.0.114.0", 1 }, { "223.255.255.255", 1 },
        { "0.0.0.0", 0 }, { "0.255.255.255", 0 }, { "10.0.0.0", 0 }, { "10.255.255.255", 0 }, { "100.64.0.0", 0 }, { "100.127.255.255", 0 },
        { "127.0.0.1", 0 }, { "127.255.255.255", 0 }, { "169.254.169.254", 0 }, { "169.254.0.0", 0 }, { "172.16.0.0", 0 },
        { "172.31.255.255", 0 }, { "192.0.0.1", 0 }, { "192.0.0.255", 0 }, { "192.0.2.1", 0 }, { "192.88.99.1", 0 }, { "192.168.0.0", 0 },
        { "192.168.255.255", 0 }, { "198.18.0.0", 0 }, { "198.19.255.255", 0 }, { "198.51.100.1", 0 }, { "203.0.113.1", 0 },
        { "224.0.0.1", 0 }, { "239.255.255.255", 0 }, { "240.0.0.1", 0 }, { "255.255.255.255", 0 },
        { "[2001:4860:4860::8888]", 1 }, { "[2606:4700::1111]", 1 }, { "[2a00::]", 1 }, { "[2001:200::]", 1 }, { "[3ffd:ffff::]", 1 },
        { "[2003::1]", 1 }, { "[2620:4f:8000::1]", 1 },
        { "[::]", 0 }, { "[::1]", 0 }, { "[::127.0.0.1]", 0 }, { "[::8.8.8.8]", 0 }, { "[::ffff:127.0.0.1]", 0 }, { "[::ffff:8.8.8.8]", 0 },
        { "[::ffff:0:127.0.0.1]", 0 }, { "[64:ff9b::127.0.0.1]", 0 }, { "[64:ff9b::8.8.8.8]", 0 }, { "[64:ff9b:1::1]", 0 }, { "[100::1]", 0 },
        { "[2001::1]", 0 }, { "[2001:0:7f00:1::]", 0 }, { "[2001:2::1]", 0 }, { "[2001:10::1]", 0 }, { "[2001:20::1]", 0 },
        { "[2001:1ff:ffff::]", 0 }, { "[2001:db8::1]", 0 }, { "[2002:7f00:1::]", 0 }, { "[2002:808:808::]", 0 }, { "[3ffe::1]", 0 },
        { "[3fff::1]", 0 }, { "[3fff:fff:ffff::]", 0 }, { "[3fff:1000::]", 1 }, { "[4000::]", 0 }, { "[5f00::1]", 0 }, { "[fc00::1]", 0 },
        { "[fd12:3456::1]", 0 }, { "[fe80::1]", 0 }, { "[fec0::1]", 0 }, { "[ff02::1]", 0 }, { "[1fff::]", 0 },
        { "example.com", 1 }, { "a.b.co.uk", 1 }, { "localhost.com", 1 }, { "xlocal.org", 1 },
        { "localhost", 0 }, { "LOCALHOST", 0 }, { "a.localhost", 0 }, { "gateway", 0 }, { "printer.local", 0 }, { "metadata.google.internal", 0 },
        { "x.home.arpa", 0 }, { "abc.onion", 0 }, { "a.test", 0 }, { "a.invalid", 0 }, { "a.example", 0 }, { "A.INTERNAL", 0 }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        snprintf(text, sizeof(text), "http://%s:8080/", cases[i].host);

        is_int(parse(text, strlen(text), buf, &url), NGX_OK, "%s is a host", cases[i].host);
        is_uint(ngx_campaign_url_public(&url), cases[i].public, "%s is %s", cases[i].host, cases[i].public ? "public" : "not public");
    }
}


static void
test_cidr(void)
{
    size_t                   i;
    ngx_str_t                text;
    ngx_campaign_cidr_t      cidr;
    ngx_campaign_address_t   a;
    static const struct {
        const char          *cidr, *address;
        ngx_int_t            match;             /* -1: no CIDR */
    } cases[] = {
        { "127.0.0.0/8", "127.255.0.1", 1 }, { "127.0.0.0/8", "128.0.0.1", 0 }, { "10.1.2.3", "10.1.2.3", 1 }, { "10.1.2.3", "10.1.2.4", 0 },
        { "0.0.0.0/0", "8.8.8.8", 1 }, { "0.0.0.0/0", "::1", 0 }, { "::/0", "fe80::1", 1 }, { "::/0", "127.0.0.1", 0 },
        { "fd00::/8", "fd12::1", 1 }, { "fd00::/8", "fc12::1", 0 }, { "10.0.0.0/31", "10.0.0.1", 1 }, { "10.0.0.0/31", "10.0.0.2", 0 },
        { "::1", "::1", 1 }, { "2001:db8::/33", "2001:db8:7fff::1", 1 }, { "2001:db8::/33", "2001:db8:8000::1", 0 },
        { "127.0.0.1/8", "", -1 }, { "127.0.0.0/33", "", -1 }, { "127.0.0.0/", "", -1 }, { "127.0.0.0/x", "", -1 }, { "::1/64", "", -1 },
        { "::/129", "", -1 }, { "127.0/8", "", -1 }, { "", "", -1 }, { "/8", "", -1 }, { "localhost", "", -1 }, { "[::1]", "", -1 }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        text.data = (u_char *) cases[i].cidr;
        text.len = strlen(cases[i].cidr);

        is_int(ngx_campaign_cidr_parse(&text, &cidr), cases[i].match < 0 ? NGX_ERROR : NGX_OK, "CIDR \"%s\"", cases[i].cidr);

        if (cases[i].match < 0) {
            continue;
        }

        if (ngx_campaign_address_v4((u_char *) cases[i].address, strlen(cases[i].address), &a) != NGX_OK) {
            ngx_campaign_address_v6((u_char *) cases[i].address, strlen(cases[i].address), &a);
        }

        is_int(ngx_campaign_cidr_match(&cidr, &a), cases[i].match, "%s in %s", cases[i].address, cases[i].cidr);
    }
}


/* against libc's: the same texts are addresses, and mean the same */

static void
test_addresses(void)
{
    char                     text[64], theirs[64];
    u_char                   libc[16], ours[64], *end;
    size_t                   j, len;
    uint64_t                 i, bits, wrong;
    ngx_int_t                rc;
    ngx_campaign_address_t   a, b;
    static const char        letters[] = "0123456789abcdef::::..";

    (void) tap_seed();
    wrong = 0;

    for (i = 0; i < 200000; i++) {

        if (i % 2) {                            /* a true one, with runs of zeros */
            bits = tap_random();

            for (j = 0; j < 16; j++) {
                libc[j] = (bits >> j & 1) ? (u_char) tap_random() : 0;
            }

            inet_ntop(AF_INET6, libc, text, sizeof(text));
            len = strlen(text);

        } else {
            len = tap_below(40);

            for (j = 0; j < len; j++) {
                text[j] = letters[tap_below(sizeof(letters) - 1)];
            }

            text[len] = '\0';
        }

        rc = ngx_campaign_address_v6((u_char *) text, len, &a);

        if ((rc == NGX_OK) != (inet_pton(AF_INET6, text, libc) == 1) || (rc == NGX_OK && memcmp(a.bytes, libc, 16) != 0)) {
            diag("IPv6 \"%s\"", text);
            wrong++;
            continue;
        }

        if (rc == NGX_OK) {
            end = ngx_campaign_address_print(ours, &a);

            if (ngx_campaign_address_v6(ours, end - ours, &b) != NGX_OK || memcmp(a.bytes, b.bytes, 16) != 0) {
                diag("IPv6 \"%s\" printed", text);
                wrong++;
            }

            inet_ntop(AF_INET6, libc, theirs, sizeof(theirs));

            if (strchr(theirs, '.') == NULL && ((size_t) (end - ours) != strlen(theirs) || memcmp(ours, theirs, end - ours) != 0)) {
                diag("\"%s\" printed as \"%.*s\"", theirs, (int) (end - ours), ours);
                wrong++;
            }
        }

        rc = ngx_campaign_address_v4((u_char *) text, len, &a);

        if ((rc == NGX_OK) != (inet_pton(AF_INET, text, libc) == 1) || (rc == NGX_OK && memcmp(&a.bytes[12], libc, 4) != 0)) {
            diag("IPv4 \"%s\"", text);
            wrong++;
        }
    }

    is_uint(wrong, 0, "200000 texts are read as libc reads them");
}


/* whatever is taken is a fixed point, and holds only what may be in a request line */

static void
test_random(void)
{
    char                 text[128];
    u_char               buf[NGX_CAMPAIGN_URL_MAX], again[NGX_CAMPAIGN_URL_MAX];
    size_t               j, len;
    uint64_t             i, wrong, taken;
    ngx_campaign_url_t   url, twice;
    static const char   *parts[] = {
        "http://", "https://", "HTTP://", "a", "example", ".", ".com", "127.0.0.1", "0x7f", "1", "[", "]", "::", "::1", ":", "80", "443", "0",
        "/", "?", "#", "@", "\\", "%", "%2f", "%00", " ", "\r\n", "\t", "\x01", "\xc3\xa4", "-", "_", "xn--", "x=1", "&", "ffff:1.2.3.4", ":65536"
    };

    wrong = 0;
    taken = 0;

    for (i = 0; i < 300000; i++) {
        len = 0;

        if (tap_below(8)) {
            len = snprintf(text, sizeof(text), "%s", parts[tap_below(3)]);
        }

        for (j = tap_below(8); j; j--) {
            len += snprintf(text + len, sizeof(text) - len, "%s", parts[tap_below(sizeof(parts) / sizeof(parts[0]))]);
        }

        if (tap_below(4) == 0 && len) {
            text[tap_below(len)] = (char) tap_random();
        }

        if (parse(text, len, buf, &url) != NGX_OK) {
            continue;
        }

        taken++;

        for (j = 0; j < url.text.len; j++) {
            if (url.text.data[j] <= 0x20 || url.text.data[j] >= 0x7f || strchr("\\\"<>#@^`{|}", url.text.data[j])) {
                wrong += (url.text.data[j] != '@' || &url.text.data[j] < url.path.data);
            }
        }

        if (parse((char *) url.text.data, url.text.len, again, &twice) != NGX_OK
            || twice.text.len != url.text.len || memcmp(again, buf, url.text.len) != 0
            || twice.port != url.port || twice.tls != url.tls || twice.literal != url.literal)
        {
            diag("\"%.*s\"", (int) len, text);
            wrong++;
        }
    }

    is_uint(wrong, 0, "what is taken of 300000 random texts is a fixed point of harmless bytes");
    ok(taken > 1000, "%" PRIu64 " were taken", taken);
}
