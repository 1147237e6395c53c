
/*
 * Size of a text as an SMS.  It keeps true: no byte behind the text is read, whatever the text is; what is
 * no UTF-8 counts as a replacement character a byte.
 */

#include "ngx_campaign_sms.h"


#define NGX_CAMPAIGN_GSM7_SINGLE  160           /* septets in the only part */
#define NGX_CAMPAIGN_GSM7_PART    153           /* in one of several: 134 bytes beside the header */
#define NGX_CAMPAIGN_UCS2_SINGLE  70
#define NGX_CAMPAIGN_UCS2_PART    67

#define NGX_CAMPAIGN_GREEK_FIRST  0x393
#define NGX_CAMPAIGN_GREEK_LAST   0x3a9

#define NGX_CAMPAIGN_NOT_UTF8     0xffffffff
#define NGX_CAMPAIGN_REPLACEMENT  0xfffd


static ngx_int_t ngx_campaign_sms_count(const u_char *text, size_t len, ngx_campaign_size_t *size);
static uint32_t ngx_campaign_utf8_take(const u_char **p, const u_char *end);


/* septets of U+0000 .. U+00FF.  ESC (0x1b) is the way into the extension table, not a character that a text may have */

/* clang-format off */

static const u_char  ngx_campaign_gsm_latin[256] = {
    ['\n'] = 1, ['\f'] = 2, ['\r'] = 1,
    [' ' ... 'Z'] = 1, ['_'] = 1, ['a' ... 'z'] = 1,
    ['['] = 2, ['\\'] = 2, [']'] = 2, ['^'] = 2, ['{'] = 2, ['|'] = 2, ['}'] = 2, ['~'] = 2,
    [0xa1] = 1, [0xa3] = 1, [0xa4] = 1, [0xa5] = 1,             /* inverted !, pound, currency, yen */
    [0xa7] = 1, [0xbf] = 1,                                     /* section, inverted ? */
    [0xc4] = 1, [0xc5] = 1, [0xc6] = 1, [0xc7] = 1, [0xc9] = 1, /* A diaeresis, A ring, AE, C cedilla, E acute */
    [0xd1] = 1, [0xd6] = 1, [0xd8] = 1, [0xdc] = 1, [0xdf] = 1, /* N tilde, O diaeresis, O stroke, U diaeresis, sharp s */
    [0xe0] = 1, [0xe4] = 1, [0xe5] = 1, [0xe6] = 1,             /* a grave, a diaeresis, a ring, ae */
    [0xe8] = 1, [0xe9] = 1, [0xec] = 1,                         /* e grave, e acute, i grave */
    [0xf1] = 1, [0xf2] = 1, [0xf6] = 1, [0xf8] = 1,             /* n tilde, o grave, o diaeresis, o stroke */
    [0xf9] = 1, [0xfc] = 1                                      /* u grave, u diaeresis */
};


/* septets of U+0393 .. U+03A9: the capitals that no Latin letter looks like */

static const u_char  ngx_campaign_gsm_greek[NGX_CAMPAIGN_GREEK_LAST - NGX_CAMPAIGN_GREEK_FIRST + 1] = {
    [0x393 - NGX_CAMPAIGN_GREEK_FIRST] = 1, [0x394 - NGX_CAMPAIGN_GREEK_FIRST] = 1,     /* gamma, delta */
    [0x398 - NGX_CAMPAIGN_GREEK_FIRST] = 1, [0x39b - NGX_CAMPAIGN_GREEK_FIRST] = 1,     /* theta, lambda */
    [0x39e - NGX_CAMPAIGN_GREEK_FIRST] = 1, [0x3a0 - NGX_CAMPAIGN_GREEK_FIRST] = 1,     /* xi, pi */
    [0x3a3 - NGX_CAMPAIGN_GREEK_FIRST] = 1, [0x3a6 - NGX_CAMPAIGN_GREEK_FIRST] = 1,     /* sigma, phi */
    [0x3a8 - NGX_CAMPAIGN_GREEK_FIRST] = 1, [0x3a9 - NGX_CAMPAIGN_GREEK_FIRST] = 1      /* psi, omega */
};

/* clang-format on */


static ngx_str_t  ngx_campaign_sms_names[] = {
    [NGX_CAMPAIGN_GSM7] = ngx_string("GSM-7"),
    [NGX_CAMPAIGN_UCS2] = ngx_string("UCS-2")
};


void
ngx_campaign_sms_measure(const u_char *text, size_t len, ngx_campaign_size_t *size)
{
    size->encoding = NGX_CAMPAIGN_GSM7;

    if (ngx_campaign_sms_count(text, len, size) != NGX_OK) {
        size->encoding = NGX_CAMPAIGN_UCS2;
        (void) ngx_campaign_sms_count(text, len, size);
    }
}


/* fills size for its encoding; NGX_DECLINED: a character is not in it */

static ngx_int_t
ngx_campaign_sms_count(const u_char *text, size_t len, ngx_campaign_size_t *size)
{
    uint32_t       code, n, part, single, used;
    ngx_uint_t     gsm;
    const u_char  *p, *end;

    gsm = (size->encoding == NGX_CAMPAIGN_GSM7);
    part = gsm ? NGX_CAMPAIGN_GSM7_PART : NGX_CAMPAIGN_UCS2_PART;
    single = gsm ? NGX_CAMPAIGN_GSM7_SINGLE : NGX_CAMPAIGN_UCS2_SINGLE;

    size->characters = 0;
    size->units = 0;
    size->segments = 1;

    used = 0;
    p = text;
    end = text + len;

    while (p < end) {
        code = ngx_campaign_utf8_take(&p, end);

        if (code == NGX_CAMPAIGN_NOT_UTF8) {
            code = NGX_CAMPAIGN_REPLACEMENT;
            p++;
        }

        n = gsm ? ngx_campaign_sms_gsm(code) : code > 0xffff ? 2 : 1;

        if (n == 0) {
            return NGX_DECLINED;
        }

        size->characters++;
        size->units += n;
        used += n;

        if (used > part) {                      /* a character goes whole into the next part */
            size->segments++;
            used = n;
        }
    }

    if (size->units <= single) {
        size->segments = 1;
    }

    return NGX_OK;
}


ngx_uint_t
ngx_campaign_sms_gsm(uint32_t code)
{
    if (code < 256) {
        return ngx_campaign_gsm_latin[code];
    }

    if (code >= NGX_CAMPAIGN_GREEK_FIRST && code <= NGX_CAMPAIGN_GREEK_LAST) {
        return ngx_campaign_gsm_greek[code - NGX_CAMPAIGN_GREEK_FIRST];
    }

    return code == 0x20ac ? 2 : 0;              /* the euro sign is the newest in the extension table */
}


ngx_str_t *
ngx_campaign_sms_name(ngx_campaign_encoding_e encoding)
{
    return &ngx_campaign_sms_names[encoding == NGX_CAMPAIGN_GSM7 ? NGX_CAMPAIGN_GSM7 : NGX_CAMPAIGN_UCS2];
}


ngx_int_t
ngx_campaign_utf8_length(const u_char *text, size_t len)
{
    ngx_int_t      n;
    const u_char  *p, *end;

    p = text;
    end = text + len;

    for (n = 0; p < end; n++) {
        if (ngx_campaign_utf8_take(&p, end) == NGX_CAMPAIGN_NOT_UTF8) {
            return NGX_ERROR;
        }
    }

    return n;
}


/* the code point at *p (p < end), which moves on; NGX_CAMPAIGN_NOT_UTF8 leaves *p where it is */

static uint32_t
ngx_campaign_utf8_take(const u_char **p, const u_char *end)
{
    size_t         i, n;
    uint32_t       code, least;
    const u_char  *s;

    s = *p;

    if (s[0] < 0x80) {
        *p = s + 1;
        return s[0];
    }

    if ((s[0] & 0xe0) == 0xc0) {
        n = 2;
        code = s[0] & 0x1f;
        least = 0x80;

    } else if ((s[0] & 0xf0) == 0xe0) {
        n = 3;
        code = s[0] & 0x0f;
        least = 0x800;

    } else if ((s[0] & 0xf8) == 0xf0) {
        n = 4;
        code = s[0] & 0x07;
        least = 0x10000;

    } else {
        return NGX_CAMPAIGN_NOT_UTF8;
    }

    if ((size_t) (end - s) < n) {
        return NGX_CAMPAIGN_NOT_UTF8;
    }

    for (i = 1; i < n; i++) {
        if ((s[i] & 0xc0) != 0x80) {
            return NGX_CAMPAIGN_NOT_UTF8;
        }

        code = (code << 6) | (s[i] & 0x3f);
    }

    if (code < least || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) {
        return NGX_CAMPAIGN_NOT_UTF8;
    }

    *p = s + n;

    return code;
}
