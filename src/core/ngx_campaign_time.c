
/*
 * Dates to text and back, by the proleptic Gregorian calendar and without libc.  It keeps true: what _print writes _parse reads back to
 * the same second.  Days are counted in eras of 400 years (146 097 days) that begin on 1 March, so that the leap day ends a year.
 */

#include "ngx_campaign_time.h"


#define NGX_CAMPAIGN_DAY         86400
#define NGX_CAMPAIGN_ERA         146097         /* days */
#define NGX_CAMPAIGN_EPOCH       719468         /* days from 1 March of year 0 to 1 January 1970 */
#define NGX_CAMPAIGN_TIME_MAX    253402300799LL /* 9999-12-31 23:59:59 */


static ngx_int_t ngx_campaign_time_offset(const u_char *p, const u_char *end, int64_t *offset);
static ngx_int_t ngx_campaign_time_digits(const u_char *p, ngx_uint_t n, ngx_int_t most);
static u_char *ngx_campaign_time_put(u_char *p, ngx_uint_t n, ngx_int_t value);
static int64_t ngx_campaign_days(ngx_int_t year, ngx_int_t month, ngx_int_t day);
static void ngx_campaign_date(int64_t days, ngx_int_t *year, ngx_int_t *month, ngx_int_t *day);


/* a time out of the range is printed as the nearest end of it, since the caller has room for that many bytes and no more */

u_char *
ngx_campaign_time_print(u_char *p, time_t t)
{
    int64_t    s;
    ngx_int_t  year, month, day;

    s = ngx_max((int64_t) t, 0);
    s = ngx_min(s, NGX_CAMPAIGN_TIME_MAX);

    ngx_campaign_date(s / NGX_CAMPAIGN_DAY, &year, &month, &day);
    s %= NGX_CAMPAIGN_DAY;

    p = ngx_campaign_time_put(p, 4, year);
    *p++ = '-';
    p = ngx_campaign_time_put(p, 2, month);
    *p++ = '-';
    p = ngx_campaign_time_put(p, 2, day);
    *p++ = ' ';
    p = ngx_campaign_time_put(p, 2, (ngx_int_t) (s / 3600));
    *p++ = ':';
    p = ngx_campaign_time_put(p, 2, (ngx_int_t) (s / 60 % 60));
    *p++ = ':';

    return ngx_campaign_time_put(p, 2, (ngx_int_t) (s % 60));
}


ngx_int_t
ngx_campaign_time_parse(ngx_str_t *text, time_t *t)
{
    int64_t        s, days, offset;
    ngx_int_t      year, month, day, hour, min, sec, y, m, d;
    const u_char  *p, *end;

    p = text->data;

    if (text->len < NGX_CAMPAIGN_DATE_LEN || p[4] != '-' || p[7] != '-' || p[13] != ':' || p[16] != ':'
        || (p[10] != ' ' && p[10] != 'T' && p[10] != 't'))
    {
        return NGX_ERROR;
    }

    year = ngx_campaign_time_digits(p, 4, 9999);
    month = ngx_campaign_time_digits(p + 5, 2, 12);
    day = ngx_campaign_time_digits(p + 8, 2, 31);
    hour = ngx_campaign_time_digits(p + 11, 2, 23);
    min = ngx_campaign_time_digits(p + 14, 2, 59);
    sec = ngx_campaign_time_digits(p + 17, 2, 60);

    if (year < 0 || month < 1 || day < 1 || hour < 0 || min < 0 || sec < 0) {
        return NGX_ERROR;
    }

    days = ngx_campaign_days(year, month, day);

    ngx_campaign_date(days, &y, &m, &d);

    if (m != month) {                           /* no such day: it is one of the next month */
        return NGX_ERROR;
    }

    end = text->data + text->len;
    p += NGX_CAMPAIGN_DATE_LEN;
    offset = 0;

    if (p < end || text->data[10] != ' ') {     /* only the form with a space may be without an offset */
        if (ngx_campaign_time_offset(p, end, &offset) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    s = days * NGX_CAMPAIGN_DAY + hour * 3600 + min * 60 + sec - offset;

    if (s < 0 || s > NGX_CAMPAIGN_TIME_MAX) {
        return NGX_ERROR;
    }

    *t = (time_t) s;

    return NGX_OK;
}


/* the end of an RFC 3339 date: a fraction, then Z or an offset (seconds, east is positive) */

static ngx_int_t
ngx_campaign_time_offset(const u_char *p, const u_char *end, int64_t *offset)
{
    ngx_int_t      hour, min;
    const u_char  *first;

    if (p < end && *p == '.') {
        for (first = ++p; p < end && *p >= '0' && *p <= '9'; p++) { /* void */ }

        if (p == first) {
            return NGX_ERROR;
        }
    }

    if (end - p == 1 && (*p == 'Z' || *p == 'z')) {
        *offset = 0;
        return NGX_OK;
    }

    if (end - p != sizeof("+00:00") - 1 || (*p != '+' && *p != '-') || p[3] != ':') {
        return NGX_ERROR;
    }

    hour = ngx_campaign_time_digits(p + 1, 2, 23);
    min = ngx_campaign_time_digits(p + 4, 2, 59);

    if (hour < 0 || min < 0) {
        return NGX_ERROR;
    }

    *offset = hour * 3600 + min * 60;

    if (*p == '-') {
        *offset = -*offset;
    }

    return NGX_OK;
}


/* n digits as a number; NGX_ERROR: they are none, or more than `most` */

static ngx_int_t
ngx_campaign_time_digits(const u_char *p, ngx_uint_t n, ngx_int_t most)
{
    ngx_int_t  v;

    for (v = 0; n; n--, p++) {
        if (*p < '0' || *p > '9') {
            return NGX_ERROR;
        }

        v = v * 10 + (*p - '0');
    }

    return v <= most ? v : NGX_ERROR;
}


static u_char *
ngx_campaign_time_put(u_char *p, ngx_uint_t n, ngx_int_t value)
{
    ngx_uint_t  i;

    for (i = n; i; i--) {
        p[i - 1] = (u_char) ('0' + value % 10);
        value /= 10;
    }

    return p + n;
}


/*
 * Days since 1970-01-01 (H. Hinnant, "chrono-compatible low-level date algorithms").  Months count from March; (153 m + 2) / 5 is the
 * day of the year on which month m starts: months of 31, 30, 31, 30, 31 days come in turns of 153.
 */

static int64_t
ngx_campaign_days(ngx_int_t year, ngx_int_t month, ngx_int_t day)
{
    int64_t  era, y, d;

    if (month <= 2) {
        year--;
    }

    era = (year >= 0 ? year : year - 399) / 400;
    y = year - era * 400;
    d = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

    return era * NGX_CAMPAIGN_ERA + y * 365 + y / 4 - y / 100 + d - NGX_CAMPAIGN_EPOCH;
}


static void
ngx_campaign_date(int64_t days, ngx_int_t *year, ngx_int_t *month, ngx_int_t *day)
{
    int64_t  era, d, y, m;

    days += NGX_CAMPAIGN_EPOCH;
    era = (days >= 0 ? days : days - (NGX_CAMPAIGN_ERA - 1)) / NGX_CAMPAIGN_ERA;

    d = days - era * NGX_CAMPAIGN_ERA;
    y = (d - d / 1460 + d / 36524 - d / 146096) / 365;
    d -= y * 365 + y / 4 - y / 100;
    m = (5 * d + 2) / 153;

    *day = (ngx_int_t) (d - (153 * m + 2) / 5 + 1);
    *month = (ngx_int_t) (m + (m < 10 ? 3 : -9));
    *year = (ngx_int_t) (era * 400 + y + (*month <= 2 ? 1 : 0));
}
