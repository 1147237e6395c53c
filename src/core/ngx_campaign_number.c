
/*
 * E.164 numbers and kinds of sender.  It keeps true: what _parse takes _print gives back, without the +.
 */

#include "ngx_campaign_number.h"


#define NGX_CAMPAIGN_NUMBER_LEAST        7      /* digits */
#define NGX_CAMPAIGN_SHORT_CODE_LEAST    5
#define NGX_CAMPAIGN_SHORT_CODE_MAX      6
#define NGX_CAMPAIGN_ALPHANUMERIC_MAX    11     /* characters that fit the address field (TS 23.040, 9.1.2.5) */


static size_t ngx_campaign_number_digits(const u_char *text, size_t len);


static ngx_str_t  ngx_campaign_sender_names[] = {
    ngx_null_string,
    [NGX_CAMPAIGN_T_ALPHANUMERIC] = ngx_string("ALPHANUMERIC"),
    [NGX_CAMPAIGN_T_LONG_CODE] = ngx_string("LONG_CODE"),
    [NGX_CAMPAIGN_T_SHORT_CODE] = ngx_string("SHORT_CODE")
};


ngx_int_t
ngx_campaign_number_parse(const u_char *text, size_t len, uint64_t *number)
{
    size_t    i, n;
    uint64_t  v;

    n = ngx_campaign_number_digits(text, len);

    if (n < NGX_CAMPAIGN_NUMBER_LEAST || n > NGX_CAMPAIGN_NUMBER_LEN || text[len - n] == '0') {
        return NGX_ERROR;
    }

    for (v = 0, i = len - n; i < len; i++) {
        v = v * 10 + (text[i] - '0');
    }

    *number = v;

    return NGX_OK;
}


u_char *
ngx_campaign_number_print(u_char *p, uint64_t number)
{
    u_char   digits[NGX_CAMPAIGN_NUMBER_LEN];
    u_char  *d, *end;

    end = digits + NGX_CAMPAIGN_NUMBER_LEN;
    d = end;

    do {
        *--d = (u_char) ('0' + number % 10);
        number /= 10;
    } while (number && d > digits);

    return ngx_cpymem(p, d, end - d);
}


ngx_campaign_sender_type_e
ngx_campaign_number_sender(ngx_str_t *name)
{
    u_char      c;
    size_t      i, n;
    ngx_uint_t  letters;

    n = ngx_campaign_number_digits(name->data, name->len);

    if (n) {
        if (n >= NGX_CAMPAIGN_SHORT_CODE_LEAST && n <= NGX_CAMPAIGN_SHORT_CODE_MAX) {
            return NGX_CAMPAIGN_T_SHORT_CODE;
        }

        return (n >= NGX_CAMPAIGN_NUMBER_LEAST && n <= NGX_CAMPAIGN_NUMBER_LEN) ? NGX_CAMPAIGN_T_LONG_CODE : 0;
    }

    if (name->len > NGX_CAMPAIGN_ALPHANUMERIC_MAX) {
        return 0;
    }

    for (letters = 0, i = 0; i < name->len; i++) {
        c = name->data[i];

        if ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') {
            letters++;

        } else if ((c < '0' || c > '9') && c != ' ' && c != '-' && c != '_' && c != '.' && c != '&') {
            return 0;
        }
    }

    return letters ? NGX_CAMPAIGN_T_ALPHANUMERIC : 0;
}


ngx_str_t *
ngx_campaign_number_sender_name(ngx_campaign_sender_type_e type)
{
    return &ngx_campaign_sender_names[type <= NGX_CAMPAIGN_T_SHORT_CODE ? type : 0];
}


/* how many digits text is, after an optional +; 0: it is not digits alone */

static size_t
ngx_campaign_number_digits(const u_char *text, size_t len)
{
    size_t  i, plus;

    plus = (len && text[0] == '+') ? 1 : 0;

    for (i = plus; i < len; i++) {
        if (text[i] < '0' || text[i] > '9') {
            return 0;
        }
    }

    return len - plus;
}
