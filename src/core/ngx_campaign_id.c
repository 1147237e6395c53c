
/*
 * Identifiers.  A Feistel network is a permutation whatever its round function is, so no two objects share an id; the 32 bits of zero are
 * what tells an id of ours from any other UUID.
 */

#include "ngx_campaign_id.h"
#include "ngx_campaign_codec.h"


#define NGX_CAMPAIGN_ID_ROUNDS  8
#define NGX_CAMPAIGN_ID_HALF    (((uint64_t) 1 << 61) - 1)
#define NGX_CAMPAIGN_ID_A       (((uint64_t) 1 << 54) - 1)

#define ngx_campaign_rotl(x, b)  (((x) << (b)) | ((x) >> (64 - (b))))

#define ngx_campaign_sipround(v0, v1, v2, v3)                                                                         \
    v0 += v1; v1 = ngx_campaign_rotl(v1, 13); v1 ^= v0; v0 = ngx_campaign_rotl(v0, 32);                               \
    v2 += v3; v3 = ngx_campaign_rotl(v3, 16); v3 ^= v2;                                                               \
    v0 += v3; v3 = ngx_campaign_rotl(v3, 21); v3 ^= v0;                                                               \
    v2 += v1; v1 = ngx_campaign_rotl(v1, 17); v1 ^= v2; v2 = ngx_campaign_rotl(v2, 32)


typedef struct {
    uint64_t    v0, v1, v2, v3;
} ngx_campaign_sip_t;


static uint64_t ngx_campaign_id_round(const uint64_t *key, ngx_uint_t round, uint64_t half);
static void ngx_campaign_id_keys(const u_char *secret, uint64_t *keys);
static ngx_inline void ngx_campaign_sip_begin(ngx_campaign_sip_t *s, uint64_t k0, uint64_t k1);
static ngx_inline void ngx_campaign_sip_word(ngx_campaign_sip_t *s, uint64_t m);
static ngx_inline uint64_t ngx_campaign_sip_end(ngx_campaign_sip_t *s);
static uint64_t ngx_campaign_le64_get(const u_char *p);


void
ngx_campaign_id_make(const u_char *secret, ngx_campaign_kind_e kind, uint64_t a, uint32_t b, u_char *out)
{
    uint64_t    left, right, next, keys[4];
    ngx_uint_t  i;

    ngx_campaign_id_keys(secret, keys);

    left = (uint64_t) (kind & 15) << 57 | (a & NGX_CAMPAIGN_ID_A) << 3 | b >> 29;
    right = (uint64_t) (b & 0x1fffffff) << 32;

    for (i = 0; i < NGX_CAMPAIGN_ID_ROUNDS; i++) {
        next = left ^ ngx_campaign_id_round(&keys[(i & 1) * 2], i, right);
        left = right;
        right = next;
    }

    /* 48 bits, version 8 in 4 bits, 12 bits; variant 2 in 2 bits, 62 bits */

    out = ngx_campaign_be64_put(out, (left >> 13) << 16 | 0x8000 | ((left >> 1) & 0x0fff));

    (void) ngx_campaign_be64_put(out, (uint64_t) 2 << 62 | (left & 1) << 61 | right);
}


ngx_int_t
ngx_campaign_id_open(const u_char *secret, ngx_campaign_kind_e kind, const u_char *id, uint64_t *a, uint32_t *b)
{
    uint64_t    high, low, left, right, previous, keys[4];
    ngx_uint_t  i;

    high = ngx_campaign_be64_get(id);
    low = ngx_campaign_be64_get(id + 8);

    if ((high & 0xf000) != 0x8000 || low >> 62 != 2) {
        return NGX_DECLINED;
    }

    left = (high >> 16) << 13 | (high & 0x0fff) << 1 | ((low >> 61) & 1);
    right = low & NGX_CAMPAIGN_ID_HALF;

    ngx_campaign_id_keys(secret, keys);

    for (i = NGX_CAMPAIGN_ID_ROUNDS; i > 0; i--) {
        previous = right ^ ngx_campaign_id_round(&keys[((i - 1) & 1) * 2], i - 1, left);
        right = left;
        left = previous;
    }

    if ((uint32_t) right != 0 || left >> 57 != (uint64_t) kind) {
        return NGX_DECLINED;
    }

    *a = (left >> 3) & NGX_CAMPAIGN_ID_A;
    *b = (uint32_t) ((left & 7) << 29 | right >> 32);

    return NGX_OK;
}


/* SipHash-2-4 of the round's number and the half, big-endian: nine bytes, which are two words of it */

static uint64_t
ngx_campaign_id_round(const uint64_t *key, ngx_uint_t round, uint64_t half)
{
    ngx_campaign_sip_t  s;

    ngx_campaign_sip_begin(&s, key[0], key[1]);
    ngx_campaign_sip_word(&s, __builtin_bswap64(half) << 8 | (round & 0xff));
    ngx_campaign_sip_word(&s, (uint64_t) 9 << 56 | (half & 0xff));

    return ngx_campaign_sip_end(&s) & NGX_CAMPAIGN_ID_HALF;
}


/* even rounds use the first half of the secret, odd ones the second */

static void
ngx_campaign_id_keys(const u_char *secret, uint64_t *keys)
{
    ngx_uint_t  i;

    for (i = 0; i < 4; i++) {
        keys[i] = ngx_campaign_le64_get(secret + (i / 2) * (NGX_CAMPAIGN_SECRET_LEN / 2) + (i & 1) * 8);
    }
}


u_char *
ngx_campaign_uuid_print(u_char *p, const u_char *id)
{
    ngx_uint_t           i;
    static const u_char  hex[] = "0123456789abcdef";

    for (i = 0; i < NGX_CAMPAIGN_ID_LEN; i++) {

        if (i == 4 || i == 6 || i == 8 || i == 10) {
            *p++ = '-';
        }

        *p++ = hex[id[i] >> 4];
        *p++ = hex[id[i] & 15];
    }

    return p;
}


ngx_uint_t
ngx_campaign_uuid_none(const u_char *id)
{
    static const u_char  none[NGX_CAMPAIGN_ID_LEN];

    return ngx_memcmp(id, none, NGX_CAMPAIGN_ID_LEN) == 0;
}


ngx_int_t
ngx_campaign_uuid_parse(ngx_str_t *text, u_char *id)
{
    u_char      c, bytes[NGX_CAMPAIGN_ID_LEN];
    ngx_uint_t  i, n, digit;

    if (text->len != NGX_CAMPAIGN_UUID_LEN) {
        return NGX_ERROR;
    }

    ngx_memzero(bytes, sizeof(bytes));

    for (n = 0, i = 0; i < NGX_CAMPAIGN_UUID_LEN; i++) {
        c = text->data[i];

        if (i == 8 || i == 13 || i == 18 || i == 23) {
            if (c != '-') {
                return NGX_ERROR;
            }

            continue;
        }

        if (c >= '0' && c <= '9') {
            digit = c - '0';

        } else {
            c |= 0x20;

            if (c < 'a' || c > 'f') {
                return NGX_ERROR;
            }

            digit = c - 'a' + 10;
        }

        bytes[n / 2] = (u_char) (bytes[n / 2] << 4 | digit);
        n++;
    }

    ngx_memcpy(id, bytes, NGX_CAMPAIGN_ID_LEN);

    return NGX_OK;
}


uint64_t
ngx_campaign_siphash(const u_char *key, const u_char *data, size_t len)
{
    size_t              n;
    uint64_t            m;
    ngx_uint_t          i;
    ngx_campaign_sip_t  s;

    ngx_campaign_sip_begin(&s, ngx_campaign_le64_get(key), ngx_campaign_le64_get(key + 8));

    for (n = len; n >= 8; n -= 8, data += 8) {
        ngx_campaign_sip_word(&s, ngx_campaign_le64_get(data));
    }

    m = (uint64_t) len << 56;

    for (i = 0; i < n; i++) {
        m |= (uint64_t) data[i] << (8 * i);
    }

    ngx_campaign_sip_word(&s, m);

    return ngx_campaign_sip_end(&s);
}


static ngx_inline void
ngx_campaign_sip_begin(ngx_campaign_sip_t *s, uint64_t k0, uint64_t k1)
{
    s->v0 = k0 ^ 0x736f6d6570736575ULL;
    s->v1 = k1 ^ 0x646f72616e646f6dULL;
    s->v2 = k0 ^ 0x6c7967656e657261ULL;
    s->v3 = k1 ^ 0x7465646279746573ULL;
}


static ngx_inline void
ngx_campaign_sip_word(ngx_campaign_sip_t *s, uint64_t m)
{
    s->v3 ^= m;
    ngx_campaign_sipround(s->v0, s->v1, s->v2, s->v3);
    ngx_campaign_sipround(s->v0, s->v1, s->v2, s->v3);
    s->v0 ^= m;
}


static ngx_inline uint64_t
ngx_campaign_sip_end(ngx_campaign_sip_t *s)
{
    ngx_uint_t  i;

    s->v2 ^= 0xff;

    for (i = 0; i < 4; i++) {
        ngx_campaign_sipround(s->v0, s->v1, s->v2, s->v3);
    }

    return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}


static uint64_t
ngx_campaign_le64_get(const u_char *p)
{
    return (uint64_t) p[7] << 56 | (uint64_t) p[6] << 48 | (uint64_t) p[5] << 40 | (uint64_t) p[4] << 32
           | (uint64_t) p[3] << 24 | (uint64_t) p[2] << 16 | (uint64_t) p[1] << 8 | p[0];
}
