
/*
 * URLs of webhooks.  It keeps true: the rebuilt URL is a fixed point; nothing of it but what was checked here reaches a request line, a
 * header or a resolver.
 */

#include "ngx_campaign_url.h"
#include "ngx_campaign_number.h"


#define NGX_CAMPAIGN_URL_NAME_MAX   253         /* RFC 1035, 2.3.4, without the root's dot */
#define NGX_CAMPAIGN_URL_LABEL_MAX  63


static ngx_int_t ngx_campaign_url_host(const u_char *p, size_t len, u_char **out, ngx_campaign_url_t *url);
static ngx_int_t ngx_campaign_url_name(const u_char *p, size_t len);
static ngx_uint_t ngx_campaign_url_number(const u_char *p, size_t len);
static ngx_int_t ngx_campaign_url_port(const u_char *p, size_t len, ngx_uint_t *port);
static ngx_int_t ngx_campaign_url_path(const u_char *p, size_t len);
static ngx_uint_t ngx_campaign_url_hex(u_char ch);


/* names that no public server has: RFC 6761, RFC 6762 (mDNS), RFC 8375, RFC 7686, and ICANN's reserved "internal" */

static const ngx_str_t  ngx_campaign_url_special[] = {
    ngx_string("localhost"),
    ngx_string("local"),
    ngx_string("internal"),
    ngx_string("home.arpa"),
    ngx_string("onion"),
    ngx_string("test"),
    ngx_string("invalid"),
    ngx_string("example")
};


ngx_int_t
ngx_campaign_url_parse(const ngx_str_t *text, u_char *buf, ngx_campaign_url_t *url)
{
    u_char              *out;
    size_t               scheme, host;
    const u_char        *p, *end, *stop, *colon;
    ngx_campaign_url_t   u;

    ngx_memzero(&u, sizeof(ngx_campaign_url_t));

    p = text->data;
    end = p + text->len;

    if (text->len > NGX_CAMPAIGN_URL_MAX) {
        return NGX_ERROR;
    }

    if (text->len > 8 && ngx_strncasecmp((u_char *) p, (u_char *) "https://", 8) == 0) {
        u.tls = 1;
        scheme = 8;

    } else if (text->len > 7 && ngx_strncasecmp((u_char *) p, (u_char *) "http://", 7) == 0) {
        scheme = 7;

    } else {
        return NGX_ERROR;
    }

    u.port = u.tls ? 443 : 80;
    out = ngx_cpymem(buf, u.tls ? "https://" : "http://", scheme);
    p += scheme;

    for (stop = p; stop < end && *stop != '/' && *stop != '?'; stop++) { /* void */ }

    /* a colon within brackets is the address's own */

    for (colon = stop; colon > p && colon[-1] >= '0' && colon[-1] <= '9'; colon--) { /* void */ }

    colon = (colon > p && colon[-1] == ':' && (p[0] != '[' || (colon - p > 1 && colon[-2] == ']'))) ? colon - 1 : stop;
    host = colon - p;

    /* a path that is rebuilt is at most one slash longer; a name is as long as it was */

    if (host > NGX_CAMPAIGN_URL_NAME_MAX || ngx_campaign_url_host(p, host, &out, &u) != NGX_OK) {
        return NGX_ERROR;
    }

    u.host.data = buf + scheme;
    u.host.len = out - u.host.data;
    u.authority.data = u.host.data;

    if (colon < stop && ngx_campaign_url_port(colon + 1, stop - colon - 1, &u.port) != NGX_OK) {
        return NGX_ERROR;
    }

    if (u.port != (u.tls ? 443u : 80u)) {
        *out++ = ':';
        out = ngx_campaign_number_print(out, u.port);
    }

    u.authority.len = out - u.authority.data;
    u.path.data = out;

    if (ngx_campaign_url_path(stop, end - stop) != NGX_OK
        || (out - buf) + (end - stop) + (stop == end || *stop != '/') > NGX_CAMPAIGN_URL_MAX)
    {
        return NGX_ERROR;
    }

    if (stop == end || *stop != '/') {
        *out++ = '/';
    }

    out = ngx_cpymem(out, stop, end - stop);

    u.path.len = out - u.path.data;
    u.text.data = buf;
    u.text.len = out - buf;

    *url = u;

    return NGX_OK;
}


static ngx_int_t
ngx_campaign_url_host(const u_char *p, size_t len, u_char **out, ngx_campaign_url_t *url)
{
    u_char  *o;
    size_t   i;

    o = *out;

    if (len > 2 && p[0] == '[' && p[len - 1] == ']') {

        if (ngx_campaign_address_v6(p + 1, len - 2, &url->address) != NGX_OK) {
            return NGX_ERROR;
        }

        url->literal = 1;

        *o++ = '[';
        o = ngx_campaign_address_print(o, &url->address);
        *o++ = ']';
        *out = o;

        return NGX_OK;
    }

    if (ngx_campaign_url_name(p, len) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ngx_campaign_address_v4(p, len, &url->address) == NGX_OK) {
        url->literal = 1;
        *out = ngx_campaign_address_print(o, &url->address);

        return NGX_OK;
    }

    for (i = len; i && p[i - 1] != '.'; i--) { /* void */ }

    if (ngx_campaign_url_number(p + i, len - i)) {
        return NGX_ERROR;
    }

    for (i = 0; i < len; i++) {
        *o++ = ngx_tolower(p[i]);
    }

    *out = o;

    return NGX_OK;
}


/* labels of letters, digits and hyphens (RFC 1123, 2.1) */

static ngx_int_t
ngx_campaign_url_name(const u_char *p, size_t len)
{
    u_char  ch;
    size_t  i, label;

    label = 0;

    for (i = 0; i <= len; i++) {

        if (i == len || p[i] == '.') {
            if (label == 0 || label > NGX_CAMPAIGN_URL_LABEL_MAX || p[i - 1] == '-') {
                return NGX_ERROR;
            }

            label = 0;
            continue;
        }

        ch = p[i] | 0x20;

        if (!((ch >= 'a' && ch <= 'z') || (p[i] >= '0' && p[i] <= '9') || (p[i] == '-' && label))) {
            return NGX_ERROR;
        }

        label++;
    }

    return NGX_OK;
}


/* 1: decimal, octal or hexadecimal to somebody */

static ngx_uint_t
ngx_campaign_url_number(const u_char *p, size_t len)
{
    size_t  i;

    if (len >= 2 && p[0] == '0' && (p[1] | 0x20) == 'x') {
        for (i = 2; i < len && ngx_campaign_url_hex(p[i]); i++) { /* void */ }

        return i == len;
    }

    for (i = 0; i < len && p[i] >= '0' && p[i] <= '9'; i++) { /* void */ }

    return i == len;
}


static ngx_int_t
ngx_campaign_url_port(const u_char *p, size_t len, ngx_uint_t *port)
{
    ngx_int_t  n;

    if (len == 0 || len > 5 || p[0] == '0') {
        return NGX_ERROR;
    }

    n = ngx_atoi((u_char *) p, len);

    if (n < 1 || n > 65535) {
        return NGX_ERROR;
    }

    *port = n;

    return NGX_OK;
}


/* path and query of RFC 3986: anything else has to be written as %XX, and a fragment is nobody's but the client's own */

static ngx_int_t
ngx_campaign_url_path(const u_char *p, size_t len)
{
    u_char  ch;
    size_t  i;

    static const char  marks[] = "-._~!$&'()*+,;=:@/?";

    for (i = 0; i < len; i++) {
        ch = p[i];

        if (ch == '%') {
            if (len - i < 3 || !ngx_campaign_url_hex(p[i + 1]) || !ngx_campaign_url_hex(p[i + 2])) {
                return NGX_ERROR;
            }

            i += 2;
            continue;
        }

        if (!(((ch | 0x20) >= 'a' && (ch | 0x20) <= 'z') || (ch >= '0' && ch <= '9')) && (ch == '\0' || ngx_strchr(marks, ch) == NULL)) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_uint_t
ngx_campaign_url_hex(u_char ch)
{
    return (ch >= '0' && ch <= '9') || ((ch | 0x20) >= 'a' && (ch | 0x20) <= 'f');
}


ngx_uint_t
ngx_campaign_url_public(const ngx_campaign_url_t *url)
{
    ngx_uint_t        i;
    const ngx_str_t  *host, *name;

    if (url->literal) {
        return ngx_campaign_address_public(&url->address);
    }

    host = &url->host;

    if (ngx_strlchr(host->data, host->data + host->len, '.') == NULL) {
        return 0;
    }

    for (i = 0; i < sizeof(ngx_campaign_url_special) / sizeof(ngx_campaign_url_special[0]); i++) {
        name = &ngx_campaign_url_special[i];

        if (host->len > name->len
            && host->data[host->len - name->len - 1] == '.'
            && ngx_memcmp(host->data + host->len - name->len, name->data, name->len) == 0)
        {
            return 0;
        }
    }

    return 1;
}
