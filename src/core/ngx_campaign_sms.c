
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


/* what looks like it, sorted; letters without their accents */

static const struct {
    uint32_t     code;
    const char  *instead;
} ngx_campaign_sms_instead_of[] = {
    { 0x0009, " " }, { 0x0060, "'" }, { 0x00a0, " " }, { 0x00a9, "(C)" }, { 0x00aa, "a" }, { 0x00ab, "\"" }, { 0x00ad, "" },
    { 0x00ae, "(R)" }, { 0x00b0, "o" }, { 0x00b2, "2" }, { 0x00b3, "3" }, { 0x00b4, "'" }, { 0x00b7, "*" }, { 0x00b9, "1" },
    { 0x00ba, "o" }, { 0x00bb, "\"" }, { 0x00bc, "1/4" }, { 0x00bd, "1/2" }, { 0x00be, "3/4" }, { 0x00c0, "A" }, { 0x00c1, "A" },
    { 0x00c2, "A" }, { 0x00c3, "A" }, { 0x00c8, "E" }, { 0x00ca, "E" }, { 0x00cb, "E" }, { 0x00cc, "I" }, { 0x00cd, "I" },
    { 0x00ce, "I" }, { 0x00cf, "I" }, { 0x00d0, "D" }, { 0x00d2, "O" }, { 0x00d3, "O" }, { 0x00d4, "O" }, { 0x00d5, "O" },
    { 0x00d7, "x" }, { 0x00d9, "U" }, { 0x00da, "U" }, { 0x00db, "U" }, { 0x00dd, "Y" }, { 0x00de, "Th" }, { 0x00e1, "a" },
    { 0x00e2, "a" }, { 0x00e3, "a" }, { 0x00e7, "c" }, { 0x00ea, "e" }, { 0x00eb, "e" }, { 0x00ed, "i" }, { 0x00ee, "i" },
    { 0x00ef, "i" }, { 0x00f0, "d" }, { 0x00f3, "o" }, { 0x00f4, "o" }, { 0x00f5, "o" }, { 0x00fa, "u" }, { 0x00fb, "u" },
    { 0x00fd, "y" }, { 0x00fe, "th" }, { 0x00ff, "y" }, { 0x0100, "A" }, { 0x0101, "a" }, { 0x0102, "A" }, { 0x0103, "a" },
    { 0x0104, "A" }, { 0x0105, "a" }, { 0x0106, "C" }, { 0x0107, "c" }, { 0x0108, "C" }, { 0x0109, "c" }, { 0x010a, "C" },
    { 0x010b, "c" }, { 0x010c, "C" }, { 0x010d, "c" }, { 0x010e, "D" }, { 0x010f, "d" }, { 0x0110, "D" }, { 0x0111, "d" },
    { 0x0112, "E" }, { 0x0113, "e" }, { 0x0114, "E" }, { 0x0115, "e" }, { 0x0116, "E" }, { 0x0117, "e" }, { 0x0118, "E" },
    { 0x0119, "e" }, { 0x011a, "E" }, { 0x011b, "e" }, { 0x011c, "G" }, { 0x011d, "g" }, { 0x011e, "G" }, { 0x011f, "g" },
    { 0x0120, "G" }, { 0x0121, "g" }, { 0x0122, "G" }, { 0x0123, "g" }, { 0x0124, "H" }, { 0x0125, "h" }, { 0x0128, "I" },
    { 0x0129, "i" }, { 0x012a, "I" }, { 0x012b, "i" }, { 0x012c, "I" }, { 0x012d, "i" }, { 0x012e, "I" }, { 0x012f, "i" },
    { 0x0130, "I" }, { 0x0131, "i" }, { 0x0134, "J" }, { 0x0135, "j" }, { 0x0136, "K" }, { 0x0137, "k" }, { 0x0139, "L" },
    { 0x013a, "l" }, { 0x013b, "L" }, { 0x013c, "l" }, { 0x013d, "L" }, { 0x013e, "l" }, { 0x0141, "L" }, { 0x0142, "l" },
    { 0x0143, "N" }, { 0x0144, "n" }, { 0x0145, "N" }, { 0x0146, "n" }, { 0x0147, "N" }, { 0x0148, "n" }, { 0x014c, "O" },
    { 0x014d, "o" }, { 0x014e, "O" }, { 0x014f, "o" }, { 0x0150, "O" }, { 0x0151, "o" }, { 0x0152, "OE" }, { 0x0153, "oe" },
    { 0x0154, "R" }, { 0x0155, "r" }, { 0x0156, "R" }, { 0x0157, "r" }, { 0x0158, "R" }, { 0x0159, "r" }, { 0x015a, "S" },
    { 0x015b, "s" }, { 0x015c, "S" }, { 0x015d, "s" }, { 0x015e, "S" }, { 0x015f, "s" }, { 0x0160, "S" }, { 0x0161, "s" },
    { 0x0162, "T" }, { 0x0163, "t" }, { 0x0164, "T" }, { 0x0165, "t" }, { 0x0168, "U" }, { 0x0169, "u" }, { 0x016a, "U" },
    { 0x016b, "u" }, { 0x016c, "U" }, { 0x016d, "u" }, { 0x016e, "U" }, { 0x016f, "u" }, { 0x0170, "U" }, { 0x0171, "u" },
    { 0x0172, "U" }, { 0x0173, "u" }, { 0x0174, "W" }, { 0x0175, "w" }, { 0x0176, "Y" }, { 0x0177, "y" }, { 0x0178, "Y" },
    { 0x0179, "Z" }, { 0x017a, "z" }, { 0x017b, "Z" }, { 0x017c, "z" }, { 0x017d, "Z" }, { 0x017e, "z" }, { 0x0218, "S" },
    { 0x0219, "s" }, { 0x021a, "T" }, { 0x021b, "t" }, { 0x02bc, "'" }, { 0x0391, "A" }, { 0x0392, "B" }, { 0x0395, "E" },
    { 0x0396, "Z" }, { 0x0397, "H" }, { 0x0399, "I" }, { 0x039a, "K" }, { 0x039c, "M" }, { 0x039d, "N" }, { 0x039f, "O" },
    { 0x03a1, "P" }, { 0x03a4, "T" }, { 0x03a5, "Y" }, { 0x03a7, "X" }, { 0x1e9e, "SS" }, { 0x2000, " " }, { 0x2001, " " },
    { 0x2002, " " }, { 0x2003, " " }, { 0x2004, " " }, { 0x2005, " " }, { 0x2006, " " }, { 0x2007, " " }, { 0x2008, " " },
    { 0x2009, " " }, { 0x200a, " " }, { 0x200b, "" }, { 0x200c, "" }, { 0x200d, "" }, { 0x200e, "" }, { 0x200f, "" },
    { 0x2010, "-" }, { 0x2011, "-" }, { 0x2012, "-" }, { 0x2013, "-" }, { 0x2014, "-" }, { 0x2015, "-" }, { 0x2018, "'" },
    { 0x2019, "'" }, { 0x201a, "'" }, { 0x201b, "'" }, { 0x201c, "\"" }, { 0x201d, "\"" }, { 0x201e, "\"" }, { 0x201f, "\"" },
    { 0x2022, "*" }, { 0x2026, "..." }, { 0x202f, " " }, { 0x2032, "'" }, { 0x2033, "\"" }, { 0x2039, "'" }, { 0x203a, "'" },
    { 0x2044, "/" }, { 0x205f, " " }, { 0x2060, "" }, { 0x2122, "TM" }, { 0x2190, "<-" }, { 0x2192, "->" }, { 0x2212, "-" },
    { 0x3000, " " }, { 0xfeff, "" }
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

        if (gsm) {                              /* most of most texts: ASCII of one septet, as far as this part has room */
            for (n = 0; p < end && *p < 0x80 && ngx_campaign_gsm_latin[*p] == 1 && used + n < part; n++) {
                p++;
            }

            size->characters += n;
            size->units += n;
            used += n;

            if (p == end) {
                break;
            }
        }

        code = ngx_campaign_utf8_next(&p, end);

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


const char *
ngx_campaign_sms_instead(uint32_t code)
{
    ngx_uint_t  low, high, middle;

    low = 0;
    high = sizeof(ngx_campaign_sms_instead_of) / sizeof(ngx_campaign_sms_instead_of[0]);

    while (low < high) {
        middle = (low + high) / 2;

        if (ngx_campaign_sms_instead_of[middle].code == code) {
            return ngx_campaign_sms_instead_of[middle].instead;
        }

        if (ngx_campaign_sms_instead_of[middle].code < code) {
            low = middle + 1;

        } else {
            high = middle;
        }
    }

    return NULL;
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


uint32_t
ngx_campaign_utf8_next(const u_char **p, const u_char *end)
{
    uint32_t  code;

    code = ngx_campaign_utf8_take(p, end);

    if (code == NGX_CAMPAIGN_NOT_UTF8) {
        (*p)++;
        return NGX_CAMPAIGN_REPLACEMENT;
    }

    return code;
}


u_char *
ngx_campaign_utf8_put(u_char *p, uint32_t code)
{
    if (code < 0x80) {
        *p++ = (u_char) code;
        return p;
    }

    if (code < 0x800) {
        *p++ = (u_char) (0xc0 | code >> 6);

    } else {
        if (code < 0x10000) {
            *p++ = (u_char) (0xe0 | code >> 12);

        } else {
            *p++ = (u_char) (0xf0 | code >> 18);
            *p++ = (u_char) (0x80 | ((code >> 12) & 0x3f));
        }

        *p++ = (u_char) (0x80 | ((code >> 6) & 0x3f));
    }

    *p++ = (u_char) (0x80 | (code & 0x3f));

    return p;
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
