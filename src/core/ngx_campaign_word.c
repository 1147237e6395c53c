
/*
 * Folding of words.  It keeps true: it looks at a text once, from its start, and ends as soon as the text is too long to be a word.
 */

#include "ngx_campaign_word.h"


static ngx_uint_t ngx_campaign_word_next(const u_char **p, const u_char *end);
static ngx_uint_t ngx_campaign_word_plain(ngx_uint_t ch);


/* U+00C0 to U+00FF, without their marks; 0: no letter */

static const u_char  ngx_campaign_word_latin[] =
    "AAAAAAACEEEEIIII" "DNOOOOO\0OUUUUYTS" "AAAAAAACEEEEIIII" "DNOOOOO\0OUUUUYTY";


ngx_int_t
ngx_campaign_word_fold(const ngx_str_t *text, u_char *word, size_t *len)
{
    size_t         n, last;
    ngx_uint_t     ch;
    const u_char  *p, *end;

    n = 0;
    last = 0;                                   /* end of what is kept: behind the last letter or digit */
    end = text->data + text->len;

    for (p = text->data; p < end; /* void */ ) {

        ch = ngx_campaign_word_plain(ngx_campaign_word_next(&p, end));

        if (ch == 0 && n == 0) {
            continue;
        }

        if (ch && n >= NGX_CAMPAIGN_WORD_MAX) {
            return NGX_DECLINED;
        }

        if (n < NGX_CAMPAIGN_WORD_MAX) {
            word[n] = (u_char) (ch ? ch : p[-1] == '-' ? '-' : ' ');
        }

        n++;

        if (ch) {
            last = n;
        }
    }

    *len = last;

    return last ? NGX_OK : NGX_DECLINED;
}


/* the next code point; what is no UTF-8, or above U+FFFF, is taken byte by byte, as U+FFFD */

static ngx_uint_t
ngx_campaign_word_next(const u_char **p, const u_char *end)
{
    size_t         n;
    ngx_uint_t     ch;
    const u_char  *c;

    c = (*p)++;
    ch = *c;

    if (ch < 0xc2 || ch >= 0xf0) {
        return ch < 0x80 ? ch : 0xfffd;
    }

    n = ch < 0xe0 ? 1 : 2;
    ch &= n == 1 ? 0x1f : 0x0f;

    for (c++; n; n--, c++) {
        if (c == end || (*c & 0xc0) != 0x80) {
            return 0xfffd;
        }

        ch = ch << 6 | (*c & 0x3f);
    }

    *p = c;

    return ch;
}


/* a letter in upper case without its marks, or a digit; another alphabet's letter is one byte that no word of ASCII has; 0: neither */

static ngx_uint_t
ngx_campaign_word_plain(ngx_uint_t ch)
{
    if (ch >= 0xff01 && ch <= 0xff5e) {
        ch -= 0xfee0;                           /* wide forms */
    }

    if (ch < 0x80) {
        ch = ngx_toupper(ch);
        return (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9') ? ch : 0;
    }

    if (ch < 0xc0 || (ch >= 0x2000 && ch < 0x2070) || ch == 0x3000 || ch == 0x3002 || ch == 0xfeff) {
        return 0;                               /* spaces and punctuation */
    }

    if (ch == 0xfffd) {
        return 0;                               /* pictures, too */
    }

    return ch < 0x100 ? ngx_campaign_word_latin[ch - 0xc0] : 0xff;
}


ngx_uint_t
ngx_campaign_word_in(const u_char *word, size_t len, const ngx_str_t *list)
{
    u_char  *p, *end, *comma;

    end = list->data + list->len;

    for (p = list->data; p < end; p = comma + 1) {

        comma = ngx_strlchr(p, end, ',');
        if (comma == NULL) {
            comma = end;
        }

        if ((size_t) (comma - p) == len && ngx_memcmp(p, word, len) == 0) {
            return 1;
        }
    }

    return 0;
}
