
/*
 * Escapers.  They keep true: the write pass writes what the length pass counted, and nothing that ends a string, a line or a URI's part
 * goes through.
 */

#include "ngx_campaign_escape.h"
#include "ngx_campaign_eight.h"
#include "ngx_campaign_sms.h"


/* bytes that a byte becomes in JSON: 1 as it is, 2 a short escape, 6 \u00XX */

#define J_ROW  1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1

/* clang-format off */

static const u_char  ngx_campaign_escape_json_width[256] = {
    6, 6, 6, 6, 6, 6, 6, 6, 2, 2, 2, 6, 2, 2, 6, 6,     /* \b \t \n \f \r */
    6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6,
    1, 1, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,     /* " */
    J_ROW,
    J_ROW,
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 1, 1, 1,     /* \ */
    J_ROW,
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 6,     /* DEL */
    J_ROW, J_ROW, J_ROW, J_ROW, J_ROW, J_ROW, J_ROW, J_ROW
};

/* clang-format on */

/* "-" "." "_" "~", digits and letters */

static const uint32_t  ngx_campaign_escape_unreserved[8] = {
    0x00000000, 0x03ff6000, 0x87fffffe, 0x47fffffe, 0, 0, 0, 0
};

static const u_char  ngx_campaign_escape_lower[] = "0123456789abcdef";
static const u_char  ngx_campaign_escape_upper[] = "0123456789ABCDEF";


/* U+2028 and U+2029, which end a line in JavaScript before ES2019: E2 80 A8, E2 80 A9 */

#define ngx_campaign_escape_line(p, end)                                                                              \
    (*(p) == 0xe2 && (end) - (p) >= 3 && (p)[1] == 0x80 && ((p)[2] == 0xa8 || (p)[2] == 0xa9))

#define ngx_campaign_escape_reserved(c)                                                                               \
    (!(ngx_campaign_escape_unreserved[(c) >> 5] & ((uint32_t) 1 << ((c) & 0x1f))))


static ngx_uint_t ngx_campaign_escape_json_none(const u_char *p, const u_char *end);
static size_t ngx_campaign_escape_xml_char(const u_char **p, const u_char *end, const u_char **text);
static u_char *ngx_campaign_escape_hex(u_char *p, uint32_t unit);


size_t
ngx_campaign_escape_json_size(const u_char *text, size_t len)
{
    size_t         size;
    const u_char  *p, *end;

    size = 0;
    end = text + len;

    for (p = text; p < end; p++) {

        if (ngx_campaign_escape_json_none(p, end)) {
            size += 8;
            p += 7;
            continue;
        }

        if (ngx_campaign_escape_line(p, end)) {
            size += 6;
            p += 2;
            continue;
        }

        size += ngx_campaign_escape_json_width[*p];
    }

    return size;
}


u_char *
ngx_campaign_escape_json(u_char *p, const u_char *text, size_t len)
{
    u_char         c;
    const u_char  *s, *end;

    end = text + len;

    for (s = text; s < end; s++) {

        if (ngx_campaign_escape_json_none(s, end)) {
            p = ngx_cpymem(p, s, 8);
            s += 7;
            continue;
        }

        c = *s;

        if (ngx_campaign_escape_line(s, end)) {
            p = ngx_cpymem(p, "\\u202", 5);
            *p++ = (s[2] == 0xa8) ? '8' : '9';
            s += 2;
            continue;
        }

        switch (ngx_campaign_escape_json_width[c]) {

        case 1:
            *p++ = c;
            break;

        case 2:
            *p++ = '\\';
            *p++ = (c == '\n') ? 'n' : (c == '\r') ? 'r' : (c == '\t') ? 't' : (c == '\b') ? 'b' : (c == '\f') ? 'f' : c;
            break;

        default:
            p = ngx_cpymem(p, "\\u00", 4);
            *p++ = ngx_campaign_escape_lower[c >> 4];
            *p++ = ngx_campaign_escape_lower[c & 0xf];
        }
    }

    return p;
}


/* eight bytes at p that all go as they are; a byte that may begin U+2028 is looked at */

static ngx_uint_t
ngx_campaign_escape_json_none(const u_char *p, const u_char *end)
{
    uint64_t  x;

    if (end - p < 8) {
        return 0;
    }

    x = ngx_campaign_eight_get(p);

    return (ngx_campaign_eight_control(x) | ngx_campaign_eight_has(x, '"') | ngx_campaign_eight_has(x, '\\')
            | ngx_campaign_eight_has(x, 0xe2)) == 0;
}


size_t
ngx_campaign_escape_uri_size(const u_char *text, size_t len)
{
    size_t         size;
    const u_char  *p;

    size = len;

    for (p = text; p < text + len; p++) {
        if (ngx_campaign_escape_reserved(*p)) {
            size += 2;
        }
    }

    return size;
}


u_char *
ngx_campaign_escape_uri(u_char *p, const u_char *text, size_t len)
{
    const u_char  *s;

    for (s = text; s < text + len; s++) {

        if (ngx_campaign_escape_reserved(*s)) {
            *p++ = '%';
            *p++ = ngx_campaign_escape_upper[*s >> 4];
            *p++ = ngx_campaign_escape_upper[*s & 0xf];

        } else {
            *p++ = *s;
        }
    }

    return p;
}


size_t
ngx_campaign_escape_xml_size(const u_char *text, size_t len)
{
    size_t         size;
    const u_char  *p, *end, *out;

    size = 0;
    end = text + len;

    for (p = text; p < end; /* void */ ) {
        size += ngx_campaign_escape_xml_char(&p, end, &out);
    }

    return size;
}


u_char *
ngx_campaign_escape_xml(u_char *p, const u_char *text, size_t len)
{
    size_t         n;
    const u_char  *s, *end, *out;

    end = text + len;

    for (s = text; s < end; /* void */ ) {
        n = ngx_campaign_escape_xml_char(&s, end, &out);
        p = ngx_cpymem(p, out, n);
    }

    return p;
}


/* what the next byte, or character that XML cannot hold, becomes, and its length; *p moves on */

static size_t
ngx_campaign_escape_xml_char(const u_char **p, const u_char *end, const u_char **text)
{
    u_char       c;
    ngx_uint_t   i;

    static const struct {
        u_char       c;
        const char  *text;
        size_t       len;
    } refs[] = {
        { '&', "&amp;", 5 }, { '<', "&lt;", 4 }, { '>', "&gt;", 4 }, { '"', "&quot;", 6 }, { '\'', "&#39;", 5 },
        { '\t', "&#9;", 4 }, { '\n', "&#10;", 5 }, { '\r', "&#13;", 5 }
    };

    c = **p;
    *text = *p;

    for (i = 0; i < sizeof(refs) / sizeof(refs[0]); i++) {
        if (c == refs[i].c) {
            (*p)++;
            *text = (const u_char *) refs[i].text;
            return refs[i].len;
        }
    }

    if (c == 0xef && end - *p >= 3 && (*p)[1] == 0xbf && (*p)[2] >= 0xbe) {
        *p += 3;
        *text = (const u_char *) " ";
        return 1;
    }

    if (c < 0x20 || c == 0x7f) {
        *text = (const u_char *) " ";
    }

    (*p)++;

    return 1;
}


size_t
ngx_campaign_escape_utf16_size(const u_char *text, size_t len)
{
    size_t         size;
    const u_char  *p, *end;

    size = 0;
    end = text + len;

    for (p = text; p < end; /* void */ ) {
        size += ngx_campaign_utf8_next(&p, end) > 0xffff ? 8 : 4;
    }

    return size;
}


u_char *
ngx_campaign_escape_utf16(u_char *p, const u_char *text, size_t len)
{
    uint32_t       code;
    const u_char  *s, *end;

    end = text + len;

    for (s = text; s < end; /* void */ ) {
        code = ngx_campaign_utf8_next(&s, end);

        if (code > 0xffff) {
            p = ngx_campaign_escape_hex(p, 0xd800 + ((code - 0x10000) >> 10 & 0x3ff));
            code = 0xdc00 + (code & 0x3ff);
        }

        p = ngx_campaign_escape_hex(p, code);
    }

    return p;
}


static u_char *
ngx_campaign_escape_hex(u_char *p, uint32_t unit)
{
    ngx_int_t  shift;

    for (shift = 12; shift >= 0; shift -= 4) {
        *p++ = ngx_campaign_escape_upper[unit >> shift & 0xf];
    }

    return p;
}


size_t
ngx_campaign_escape_plain_count(const u_char *text, size_t len)
{
    size_t         n;
    const u_char  *p, *end;

    n = 0;
    end = text + len;

    for (p = text; p < end; p++) {

        if (end - p >= 8 && ngx_campaign_eight_control(ngx_campaign_eight_get(p)) == 0) {
            p += 7;
            continue;
        }

        n += (*p < 0x20 || *p == 0x7f);
    }

    return n;
}


u_char *
ngx_campaign_escape_plain(u_char *p, const u_char *text, size_t len)
{
    const u_char  *s;

    for (s = text; s < text + len; s++) {
        *p++ = (*s < 0x20 || *s == 0x7f) ? ' ' : *s;
    }

    return p;
}
