
/*
 * What a gateway's answer means.  It keeps true: no message is tried more often than `attempts`, and one that may have been taken by the
 * gateway is tried again only where redelivery is wanted.
 */

#include "ngx_campaign_retry.h"
#include "ngx_campaign_time.h"


#define NGX_CAMPAIGN_AFTER_MAX  86400           /* seconds of Retry-After that are believed */


static ngx_uint_t ngx_campaign_retry_repeats(ngx_uint_t status);
static void ngx_campaign_retry_again(const ngx_campaign_retry_t *rt, const ngx_campaign_try_t *t, ngx_campaign_verdict_t *v,
    ngx_campaign_reason_e reason);
static ngx_int_t ngx_campaign_http_date(ngx_str_t *value, const char *form, time_t now, time_t *t);
static ngx_int_t ngx_campaign_http_date_month(const u_char *name, char *digits);
static void ngx_campaign_http_date_year(char *date, time_t now);


/*
 * Forms of an HTTP date (RFC 9110, 5.6.7): IMF-fixdate, RFC 850, asctime.  w: name of a day, b: name of a month; y d h m s: a digit of
 * the year, day, hour, minute, second; _: a digit of the day, or a space.
 */

static const char *const  ngx_campaign_http_dates[] = {
    "w, dd b yyyy hh:mm:ss GMT",
    "w, dd-b-yy hh:mm:ss GMT",
    "w b _d hh:mm:ss yyyy",
    NULL
};


void
ngx_campaign_retry_judge(const ngx_campaign_retry_t *rt, const ngx_campaign_try_t *t, ngx_campaign_verdict_t *v)
{
    v->wait = 0;
    v->hold = 0;
    v->load = NGX_CAMPAIGN_LOAD_UNKNOWN;

    switch (t->answer) {

    case NGX_CAMPAIGN_ANSWER_NONE:
        v->state = NGX_CAMPAIGN_S_RETRY;
        v->reason = NGX_CAMPAIGN_R_NONE;
        return;

    case NGX_CAMPAIGN_ANSWER_UNREACHABLE:
        ngx_campaign_retry_again(rt, t, v, NGX_CAMPAIGN_R_GATEWAY_UNREACHABLE);
        return;

    case NGX_CAMPAIGN_ANSWER_UNCERTAIN:
        if (t->redeliver) {
            ngx_campaign_retry_again(rt, t, v, NGX_CAMPAIGN_R_GATEWAY_TIMEOUT);
            return;
        }

        v->state = NGX_CAMPAIGN_S_FAILED;
        v->reason = NGX_CAMPAIGN_R_UNCERTAIN;
        return;

    case NGX_CAMPAIGN_ANSWER_STATUS:
        break;
    }

    if (t->status >= 200 && t->status < 300) {
        v->state = t->receipts ? NGX_CAMPAIGN_S_SENT : NGX_CAMPAIGN_S_DELIVERED;
        v->reason = NGX_CAMPAIGN_R_NONE;
        v->load = NGX_CAMPAIGN_LOAD_FINE;
        return;
    }

    if (t->status == 429 || t->status == 503) {
        v->load = NGX_CAMPAIGN_LOAD_BUSY;
        v->hold = t->after;

    } else if (t->status < 500) {
        v->load = NGX_CAMPAIGN_LOAD_FINE;
    }

    v->reason = t->status >= 500 ? NGX_CAMPAIGN_R_GATEWAY_5XX : NGX_CAMPAIGN_R_GATEWAY_4XX;

    if (ngx_campaign_retry_repeats(t->status)) {
        ngx_campaign_retry_again(rt, t, v, v->reason);

    } else {
        v->state = NGX_CAMPAIGN_S_FAILED;
    }
}


static ngx_uint_t
ngx_campaign_retry_repeats(ngx_uint_t status)
{
    return status == 408 || status == 425 || status == 429 || (status >= 500 && status < 600);
}


/* another try, unless this one was the last; Retry-After takes the place of min if it is longer, so that the jitter stays */

static void
ngx_campaign_retry_again(const ngx_campaign_retry_t *rt, const ngx_campaign_try_t *t, ngx_campaign_verdict_t *v,
    ngx_campaign_reason_e reason)
{
    v->reason = reason;

    if (t->attempt >= rt->attempts) {
        v->state = NGX_CAMPAIGN_S_FAILED;
        return;
    }

    v->state = NGX_CAMPAIGN_S_RETRY;
    v->wait = ngx_campaign_retry_delay(rt, t->attempt, t->rnd);

    if (t->answer == NGX_CAMPAIGN_ANSWER_STATUS && t->after > rt->min) {
        v->wait += t->after - rt->min;
    }
}


ngx_msec_t
ngx_campaign_retry_delay(const ngx_campaign_retry_t *rt, ngx_uint_t n, uint32_t rnd)
{
    uint64_t  most, span;

    most = rt->min;

    for ( /* void */ ; n > 1 && most && most < rt->max; n--) {
        most = (most > rt->max / 2) ? rt->max : most * 2;
    }

    most = ngx_min(most, rt->max);

    if (most <= rt->min) {
        return (ngx_msec_t) most;
    }

    /* rnd / 2^32 of the span: its upper and lower halves apart, since a span may be longer than 32 bits */

    span = most - rt->min + 1;

    return (ngx_msec_t) (rt->min + (span >> 32) * rnd + (((span & 0xffffffff) * rnd) >> 32));
}


ngx_msec_t
ngx_campaign_retry_after(ngx_str_t *value, time_t now)
{
    size_t              i;
    time_t              t;
    ngx_msec_t          s;
    const char *const  *form;

    for (s = 0, i = 0; i < value->len && value->data[i] >= '0' && value->data[i] <= '9'; i++) {
        s = ngx_min(s * 10 + (value->data[i] - '0'), NGX_CAMPAIGN_AFTER_MAX);
    }

    if (i && i == value->len) {
        return s * 1000;
    }

    for (form = ngx_campaign_http_dates; *form; form++) {
        if (ngx_campaign_http_date(value, *form, now, &t) == NGX_OK) {
            return t <= now ? 0 : (ngx_msec_t) ngx_min(t - now, NGX_CAMPAIGN_AFTER_MAX) * 1000;
        }
    }

    return 0;
}


/* reads value by one form: each digit replaces a letter in the text of a date, which _time_parse then reads */

static ngx_int_t
ngx_campaign_http_date(ngx_str_t *value, const char *form, time_t now, time_t *t)
{
    char        date[] = "yyyy-nn-dd hh:mm:ss";
    u_char     *p, *end;
    ngx_str_t   text;

    p = value->data;
    end = p + value->len;

    for ( /* void */ ; *form; form++) {

        if (*form == 'w') {
            while (p < end && (*p | 0x20) >= 'a' && (*p | 0x20) <= 'z') {
                p++;
            }

            continue;
        }

        if (*form == 'b') {
            if (end - p < 3 || ngx_campaign_http_date_month(p, &date[5]) != NGX_OK) {
                return NGX_ERROR;
            }

            p += 3;
            continue;
        }

        if (p == end) {
            return NGX_ERROR;
        }

        if (*form == '_' && *p == ' ') {
            *ngx_strchr(date, 'd') = '0';

        } else if (*form >= 'a' || *form == '_') {
            if (*p < '0' || *p > '9') {
                return NGX_ERROR;
            }

            *ngx_strchr(date, *form == '_' ? 'd' : *form) = (char) *p;

        } else if (*p != (u_char) *form) {
            return NGX_ERROR;
        }

        p++;
    }

    if (p != end) {
        return NGX_ERROR;
    }

    if (date[2] == 'y') {
        ngx_campaign_http_date_year(date, now);
    }

    text.data = (u_char *) date;
    text.len = NGX_CAMPAIGN_DATE_LEN;

    return ngx_campaign_time_parse(&text, t);
}


static ngx_int_t
ngx_campaign_http_date_month(const u_char *name, char *digits)
{
    ngx_uint_t         i;
    static const char  months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

    for (i = 0; i < 12; i++) {
        if (ngx_memcmp(name, months + i * 3, 3) == 0) {
            digits[0] = (char) ('0' + (i + 1) / 10);
            digits[1] = (char) ('0' + (i + 1) % 10);
            return NGX_OK;
        }
    }

    return NGX_ERROR;
}


/* a year of two digits is the newest one that is at most 50 years ahead */

static void
ngx_campaign_http_date_year(char *date, time_t now)
{
    u_char     today[NGX_CAMPAIGN_DATE_LEN];
    ngx_int_t  year, last;

    (void) ngx_campaign_time_print(today, now);

    last = (today[0] - '0') * 1000 + (today[1] - '0') * 100 + (today[2] - '0') * 10 + (today[3] - '0') + 50;
    year = (date[0] - '0') * 10 + (date[1] - '0');
    year = last - (last - year) % 100;

    date[0] = (char) ('0' + year / 1000 % 10);
    date[1] = (char) ('0' + year / 100 % 10);
    date[2] = (char) ('0' + year / 10 % 10);
    date[3] = (char) ('0' + year % 10);
}
