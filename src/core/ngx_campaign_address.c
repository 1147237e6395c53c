
/*
 * Addresses.  It keeps true: what is printed reads back as the same address; what no registry calls public is not.
 */

#include "ngx_campaign_address.h"
#include "ngx_campaign_number.h"


typedef struct {
    u_char       prefix[NGX_CAMPAIGN_ADDRESS_LEN];
    ngx_uint_t   bits;
} ngx_campaign_address_range_t;


static ngx_uint_t ngx_campaign_address_in(const u_char *address, const u_char *prefix, ngx_uint_t bits);
static ngx_uint_t ngx_campaign_address_listed(const u_char *address, const ngx_campaign_address_range_t *range, ngx_uint_t n);
static ngx_int_t ngx_campaign_address_group(const u_char **text, const u_char *end, ngx_uint_t *group);


static const u_char  ngx_campaign_address_mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };


/* clang-format off */

/* IANA IPv4 Special-Purpose Address Registry (RFC 6890), and multicast (RFC 5771): all that is not globally reachable */

static const ngx_campaign_address_range_t  ngx_campaign_address_special4[] = {
    { { 0 },            8 },        /* "this network", RFC 791 */
    { { 10 },           8 },        /* private, RFC 1918 */
    { { 100, 64 },     10 },        /* shared by a carrier's NAT, RFC 6598 */
    { { 127 },          8 },        /* loopback, RFC 1122 */
    { { 169, 254 },    16 },        /* link-local, and the clouds' metadata, RFC 3927 */
    { { 172, 16 },     12 },        /* private, RFC 1918 */
    { { 192, 0, 0 },   24 },        /* IETF protocols, RFC 6890 */
    { { 192, 0, 2 },   24 },        /* documentation, RFC 5737 */
    { { 192, 88, 99 }, 24 },        /* relays of 6to4, RFC 7526 */
    { { 192, 168 },    16 },        /* private, RFC 1918 */
    { { 198, 18 },     15 },        /* benchmarks, RFC 2544 */
    { { 198, 51, 100 }, 24 },       /* documentation, RFC 5737 */
    { { 203, 0, 113 }, 24 },        /* documentation, RFC 5737 */
    { { 224 },          4 },        /* multicast, RFC 5771 */
    { { 240 },          4 }         /* reserved, and broadcast, RFC 1112 */
};

/*
 * Of IPv6 only 2000::/3 is assigned to the Internet (RFC 4291, 2.4): loopback, unique local, link-local, site-local, multicast, mapped,
 * compatible, NAT64 and discard addresses are outside.  Within it, the registry of IPv6:
 */

static const ngx_campaign_address_range_t  ngx_campaign_address_global6[] = {
    { { 0x20 },                         3 }
};

static const ngx_campaign_address_range_t  ngx_campaign_address_special6[] = {
    { { 0x20, 0x01, 0x00 },            23 },    /* IETF protocols: Teredo, benchmarks, ORCHID, RFC 2928 */
    { { 0x20, 0x01, 0x0d, 0xb8 },      32 },    /* documentation, RFC 3849 */
    { { 0x20, 0x02 },                  16 },    /* 6to4, RFC 3056 */
    { { 0x3f, 0xfe },                  16 },    /* 6bone, returned, RFC 3701 */
    { { 0x3f, 0xff, 0x00 },            20 }     /* documentation, RFC 9637 */
};

/* clang-format on */


ngx_int_t
ngx_campaign_address_v4(const u_char *p, size_t len, ngx_campaign_address_t *a)
{
    u_char         bytes[4];
    ngx_uint_t     i, n, digits;
    const u_char  *end;

    end = p + len;

    for (i = 0; i < 4; i++) {
        n = 0;

        for (digits = 0; p < end && *p >= '0' && *p <= '9' && digits < 4; digits++) {
            n = n * 10 + (*p++ - '0');
        }

        if (digits == 0 || n > 255 || (digits > 1 && p[-(ngx_int_t) digits] == '0')) {
            return NGX_ERROR;
        }

        bytes[i] = (u_char) n;

        if (i < 3 && (p == end || *p++ != '.')) {
            return NGX_ERROR;
        }
    }

    if (p != end) {
        return NGX_ERROR;
    }

    ngx_memcpy(a->bytes, ngx_campaign_address_mapped, 12);
    ngx_memcpy(&a->bytes[12], bytes, 4);
    a->v4 = 1;

    return NGX_OK;
}


/* groups from both ends: those after "::" are moved to the end */

ngx_int_t
ngx_campaign_address_v6(const u_char *p, size_t len, ngx_campaign_address_t *a)
{
    u_char                  bytes[NGX_CAMPAIGN_ADDRESS_LEN];
    ngx_uint_t              n, gap, group;
    const u_char           *end;
    ngx_campaign_address_t  tail;

    end = p + len;
    n = 0;
    gap = NGX_CAMPAIGN_ADDRESS_LEN + 1;         /* none */

    ngx_memzero(bytes, sizeof(bytes));

    if (len >= 2 && p[0] == ':' && p[1] == ':') {
        gap = 0;
        p += 2;
    }

    while (p < end) {

        if (n <= 12 && ngx_campaign_address_v4(p, end - p, &tail) == NGX_OK) {
            ngx_memcpy(&bytes[n], &tail.bytes[12], 4);
            n += 4;
            p = end;
            break;
        }

        if (n == 16 || ngx_campaign_address_group(&p, end, &group) != NGX_OK) {
            return NGX_ERROR;
        }

        bytes[n++] = (u_char) (group >> 8);
        bytes[n++] = (u_char) group;

        if (p == end) {
            break;
        }

        if (*p++ != ':' || p == end) {
            return NGX_ERROR;
        }

        if (*p == ':') {
            if (gap <= n) {
                return NGX_ERROR;
            }

            gap = n;
            p++;
        }
    }

    if (gap > n ? n != 16 : n > 14) {
        return NGX_ERROR;
    }

    ngx_memzero(a->bytes, sizeof(a->bytes));
    ngx_memcpy(a->bytes, bytes, ngx_min(gap, n));

    if (gap < n) {
        ngx_memcpy(&a->bytes[16 - (n - gap)], &bytes[gap], n - gap);
    }

    a->v4 = 0;

    return NGX_OK;
}


static ngx_int_t
ngx_campaign_address_group(const u_char **text, const u_char *end, ngx_uint_t *group)
{
    u_char         ch;
    ngx_uint_t     n, digits;
    const u_char  *p;

    p = *text;
    n = 0;

    for (digits = 0; p < end && digits < 5; digits++, p++) {
        ch = *p | 0x20;

        if (*p >= '0' && *p <= '9') {
            n = n * 16 + (*p - '0');

        } else if (ch >= 'a' && ch <= 'f') {
            n = n * 16 + (ch - 'a' + 10);

        } else {
            break;
        }
    }

    if (digits == 0 || digits > 4) {
        return NGX_ERROR;
    }

    *text = p;
    *group = n;

    return NGX_OK;
}


u_char *
ngx_campaign_address_print(u_char *p, const ngx_campaign_address_t *a)
{
    ngx_int_t      shift;
    ngx_uint_t     i, run, best, longest, group;
    const u_char  *b;

    static const char  digits[] = "0123456789abcdef";

    b = a->bytes;

    if (a->v4) {
        for (i = 12; i < 16; i++) {
            p = ngx_campaign_number_print(p, b[i]);
            *p++ = '.';
        }

        return p - 1;
    }

    /* the longest run of two or more zero groups, the first of equals */

    best = 8;
    longest = 1;
    run = 0;

    for (i = 0; i < 8; i++) {
        run = (b[2 * i] == 0 && b[2 * i + 1] == 0) ? run + 1 : 0;

        if (run > longest) {
            longest = run;
            best = i + 1 - run;
        }
    }

    for (i = 0; i < 8; i++) {

        if (i == best) {
            *p++ = ':';
            *p++ = ':';
            i += longest - 1;
            continue;
        }

        if (i && i != best + longest) {
            *p++ = ':';
        }

        group = (ngx_uint_t) b[2 * i] << 8 | b[2 * i + 1];

        for (shift = 12; shift && (group >> shift) == 0; shift -= 4) { /* void */ }

        for ( /* void */ ; shift >= 0; shift -= 4) {
            *p++ = digits[group >> shift & 15];
        }
    }

    return p;
}


ngx_int_t
ngx_campaign_cidr_parse(const ngx_str_t *text, ngx_campaign_cidr_t *cidr)
{
    u_char               *slash, *end;
    size_t                len;
    ngx_int_t             bits;
    ngx_uint_t            i, most;
    ngx_campaign_cidr_t   c;

    end = text->data + text->len;
    slash = ngx_strlchr(text->data, end, '/');
    len = slash ? (size_t) (slash - text->data) : text->len;

    if (ngx_campaign_address_v4(text->data, len, &c.address) != NGX_OK && ngx_campaign_address_v6(text->data, len, &c.address) != NGX_OK) {
        return NGX_ERROR;
    }

    most = c.address.v4 ? 32 : 128;
    bits = slash ? ngx_atoi(slash + 1, end - slash - 1) : (ngx_int_t) most;

    if (bits < 0 || (ngx_uint_t) bits > most) {
        return NGX_ERROR;
    }

    c.bits = bits;

    for (i = 128 - most + bits; i < 128; i++) {
        if (c.address.bytes[i / 8] & (0x80 >> i % 8)) {
            return NGX_ERROR;
        }
    }

    *cidr = c;

    return NGX_OK;
}


ngx_uint_t
ngx_campaign_cidr_match(const ngx_campaign_cidr_t *cidr, const ngx_campaign_address_t *a)
{
    if (cidr->address.v4 != a->v4) {
        return 0;
    }

    return a->v4 ? ngx_campaign_address_in(&a->bytes[12], &cidr->address.bytes[12], cidr->bits)
                 : ngx_campaign_address_in(a->bytes, cidr->address.bytes, cidr->bits);
}


ngx_uint_t
ngx_campaign_address_public(const ngx_campaign_address_t *a)
{
    if (a->v4) {
        return !ngx_campaign_address_listed(&a->bytes[12], ngx_campaign_address_special4,
                                            sizeof(ngx_campaign_address_special4) / sizeof(ngx_campaign_address_special4[0]));
    }

    return ngx_campaign_address_listed(a->bytes, ngx_campaign_address_global6, 1)
           && !ngx_campaign_address_listed(a->bytes, ngx_campaign_address_special6,
                                           sizeof(ngx_campaign_address_special6) / sizeof(ngx_campaign_address_special6[0]));
}


static ngx_uint_t
ngx_campaign_address_listed(const u_char *address, const ngx_campaign_address_range_t *range, ngx_uint_t n)
{
    for ( /* void */ ; n; n--, range++) {
        if (ngx_campaign_address_in(address, range->prefix, range->bits)) {
            return 1;
        }
    }

    return 0;
}


static ngx_uint_t
ngx_campaign_address_in(const u_char *address, const u_char *prefix, ngx_uint_t bits)
{
    u_char  mask;

    if (ngx_memcmp(address, prefix, bits / 8) != 0) {
        return 0;
    }

    if (bits % 8 == 0) {
        return 1;
    }

    mask = (u_char) (0xff << (8 - bits % 8));

    return (address[bits / 8] & mask) == (prefix[bits / 8] & mask);
}
