
/*
 * Records as bytes.  A record is judged by its checksum before anything else in it is believed; a number has exactly one form (a
 * padded varint is refused), and no byte may be left over.
 *
 * A field of several U32 is written with their count in front: such an array may grow at its end, as enums do.
 */

#include "ngx_campaign_codec.h"


#define NGX_CAMPAIGN_CODEC_FRAME  (1 + 4)       /* version, crc32c */

#define ngx_campaign_zigzag(v)    (((uint64_t) (v) << 1) ^ (uint64_t) ((int64_t) (v) >> 63))
#define ngx_campaign_unzigzag(v)  ((int64_t) ((v) >> 1) ^ - (int64_t) ((v) & 1))


static size_t ngx_campaign_codec_field_size(const ngx_campaign_codec_field_t *f, const void *field);
static u_char *ngx_campaign_codec_field_pack(u_char *p, const ngx_campaign_codec_field_t *f, const void *field);
static const u_char *ngx_campaign_codec_field_unpack(const u_char *p, const u_char *end, const ngx_campaign_codec_field_t *f,
    void *field);
static const u_char *ngx_campaign_codec_u32_unpack(const u_char *p, const u_char *end, const ngx_campaign_codec_field_t *f,
    uint32_t *u);


/*
 * Tables for eight bytes at a time: row k, byte b is the remainder of b followed by k bytes of zero.  Remainders are linear, so a table is
 * made of those of its eight single bits.
 */

#define NGX_CAMPAIGN_CRC_2(x, a)                          (x), (x) ^ (a)
#define NGX_CAMPAIGN_CRC_4(x, a, b)                                                                                   \
    NGX_CAMPAIGN_CRC_2(x, a), NGX_CAMPAIGN_CRC_2((x) ^ (b), a)
#define NGX_CAMPAIGN_CRC_8(x, a, b, c)                                                                                \
    NGX_CAMPAIGN_CRC_4(x, a, b), NGX_CAMPAIGN_CRC_4((x) ^ (c), a, b)
#define NGX_CAMPAIGN_CRC_16(x, a, b, c, d)                                                                            \
    NGX_CAMPAIGN_CRC_8(x, a, b, c), NGX_CAMPAIGN_CRC_8((x) ^ (d), a, b, c)
#define NGX_CAMPAIGN_CRC_32(x, a, b, c, d, e)                                                                         \
    NGX_CAMPAIGN_CRC_16(x, a, b, c, d), NGX_CAMPAIGN_CRC_16((x) ^ (e), a, b, c, d)
#define NGX_CAMPAIGN_CRC_64(x, a, b, c, d, e, f)                                                                      \
    NGX_CAMPAIGN_CRC_32(x, a, b, c, d, e), NGX_CAMPAIGN_CRC_32((x) ^ (f), a, b, c, d, e)
#define NGX_CAMPAIGN_CRC_128(x, a, b, c, d, e, f, g)                                                                  \
    NGX_CAMPAIGN_CRC_64(x, a, b, c, d, e, f), NGX_CAMPAIGN_CRC_64((x) ^ (g), a, b, c, d, e, f)
#define NGX_CAMPAIGN_CRC_256(a, b, c, d, e, f, g, h)                                                                  \
    NGX_CAMPAIGN_CRC_128(0U, a, b, c, d, e, f, g), NGX_CAMPAIGN_CRC_128(h, a, b, c, d, e, f, g)

static const uint32_t  ngx_campaign_crc_table[8][256] = {
    { NGX_CAMPAIGN_CRC_256(0xf26b8303, 0xe13b70f7, 0xc79a971f, 0x8ad958cf, 0x105ec76f, 0x20bd8ede, 0x417b1dbc, 0x82f63b78) },
    { NGX_CAMPAIGN_CRC_256(0x13a29877, 0x274530ee, 0x4e8a61dc, 0x9d14c3b8, 0x3fc5f181, 0x7f8be302, 0xff17c604, 0xfbc3faf9) },
    { NGX_CAMPAIGN_CRC_256(0xa541927e, 0x4f6f520d, 0x9edea41a, 0x38513ec5, 0x70a27d8a, 0xe144fb14, 0xc76580d9, 0x8b277743) },
    { NGX_CAMPAIGN_CRC_256(0xdd45aab8, 0xbf672381, 0x7b2231f3, 0xf64463e6, 0xe964b13d, 0xd725148b, 0xaba65fe7, 0x52a0c93f) },
    { NGX_CAMPAIGN_CRC_256(0x38116fac, 0x7022df58, 0xe045beb0, 0xc5670b91, 0x8f2261d3, 0x1ba8b557, 0x37516aae, 0x6ea2d55c) },
    { NGX_CAMPAIGN_CRC_256(0xef306b19, 0xdb8ca0c3, 0xb2f53777, 0x6006181f, 0xc00c303e, 0x85f4168d, 0x0e045beb, 0x1c08b7d6) },
    { NGX_CAMPAIGN_CRC_256(0x68032cc8, 0xd0065990, 0xa5e0c5d1, 0x4e2dfd53, 0x9c5bfaa6, 0x3d5b83bd, 0x7ab7077a, 0xf56e0ef4) },
    { NGX_CAMPAIGN_CRC_256(0x493c7d27, 0x9278fa4e, 0x211d826d, 0x423b04da, 0x847609b4, 0x0d006599, 0x1a00cb32, 0x34019664) },
};


size_t
ngx_campaign_codec_size(const ngx_campaign_codec_field_t *fields, const void *rec)
{
    size_t                             size;
    const ngx_campaign_codec_field_t  *f;

    size = NGX_CAMPAIGN_CODEC_FRAME;

    for (f = fields; f->type != NGX_CAMPAIGN_CODEC_END; f++) {
        size += ngx_campaign_codec_field_size(f, (const u_char *) rec + f->offset);
    }

    return size;
}


static size_t
ngx_campaign_codec_field_size(const ngx_campaign_codec_field_t *f, const void *field)
{
    size_t            i, size;
    const uint32_t   *u;
    const ngx_str_t  *str;

    switch (f->type) {

    case NGX_CAMPAIGN_CODEC_U32:
        u = field;

        if (f->size <= 1) {
            return ngx_campaign_varint_size(*u);
        }

        size = ngx_campaign_varint_size(f->size);

        for (i = 0; i < f->size; i++) {
            size += ngx_campaign_varint_size(u[i]);
        }

        return size;

    case NGX_CAMPAIGN_CODEC_U64:
        return ngx_campaign_varint_size(*(const uint64_t *) field);

    case NGX_CAMPAIGN_CODEC_I64:
        return ngx_campaign_varint_size(ngx_campaign_zigzag(*(const int64_t *) field));

    case NGX_CAMPAIGN_CODEC_TIME:
        return ngx_campaign_varint_size(ngx_campaign_zigzag(*(const time_t *) field));

    case NGX_CAMPAIGN_CODEC_UINT:
        return ngx_campaign_varint_size(*(const ngx_uint_t *) field);

    case NGX_CAMPAIGN_CODEC_STR:
        str = field;
        return ngx_campaign_varint_size(str->len) + str->len;

    case NGX_CAMPAIGN_CODEC_BYTES:
        return f->size;

    default: /* NGX_CAMPAIGN_CODEC_END */
        return 0;
    }
}


u_char *
ngx_campaign_codec_pack(u_char *p, const ngx_campaign_codec_field_t *fields, const void *rec)
{
    u_char                            *start;
    const ngx_campaign_codec_field_t  *f;

    start = p;

    *p++ = NGX_CAMPAIGN_CODEC_VERSION;

    for (f = fields; f->type != NGX_CAMPAIGN_CODEC_END; f++) {
        p = ngx_campaign_codec_field_pack(p, f, (const u_char *) rec + f->offset);
    }

    return ngx_campaign_be32_put(p, ngx_campaign_crc32c(0, start, p - start));
}


static u_char *
ngx_campaign_codec_field_pack(u_char *p, const ngx_campaign_codec_field_t *f, const void *field)
{
    size_t            i;
    const uint32_t   *u;
    const ngx_str_t  *str;

    switch (f->type) {

    case NGX_CAMPAIGN_CODEC_U32:
        u = field;

        if (f->size <= 1) {
            return ngx_campaign_varint_put(p, *u);
        }

        p = ngx_campaign_varint_put(p, f->size);

        for (i = 0; i < f->size; i++) {
            p = ngx_campaign_varint_put(p, u[i]);
        }

        return p;

    case NGX_CAMPAIGN_CODEC_U64:
        return ngx_campaign_varint_put(p, *(const uint64_t *) field);

    case NGX_CAMPAIGN_CODEC_I64:
        return ngx_campaign_varint_put(p, ngx_campaign_zigzag(*(const int64_t *) field));

    case NGX_CAMPAIGN_CODEC_TIME:
        return ngx_campaign_varint_put(p, ngx_campaign_zigzag(*(const time_t *) field));

    case NGX_CAMPAIGN_CODEC_UINT:
        return ngx_campaign_varint_put(p, *(const ngx_uint_t *) field);

    case NGX_CAMPAIGN_CODEC_STR:
        str = field;
        p = ngx_campaign_varint_put(p, str->len);

        return str->len ? ngx_cpymem(p, str->data, str->len) : p;

    case NGX_CAMPAIGN_CODEC_BYTES:
        return ngx_cpymem(p, field, f->size);

    default: /* NGX_CAMPAIGN_CODEC_END */
        return p;
    }
}


ngx_int_t
ngx_campaign_codec_unpack(const u_char *data, size_t len, const ngx_campaign_codec_field_t *fields, void *rec)
{
    const u_char                      *p, *end;
    const ngx_campaign_codec_field_t  *f;

    if (len < NGX_CAMPAIGN_CODEC_FRAME) {
        return NGX_ERROR;
    }

    p = data;
    end = data + len - 4;

    if (ngx_campaign_be32_get(end) != ngx_campaign_crc32c(0, data, len - 4) || *p == 0) {
        return NGX_ERROR;
    }

    if (*p++ > NGX_CAMPAIGN_CODEC_VERSION) {
        return NGX_DECLINED;
    }

    /* an older record ends before the table does */

    for (f = fields; f->type != NGX_CAMPAIGN_CODEC_END && p < end; f++) {

        p = ngx_campaign_codec_field_unpack(p, end, f, (u_char *) rec + f->offset);
        if (p == NULL) {
            return NGX_ERROR;
        }
    }

    return p == end ? NGX_OK : NGX_ERROR;
}


static const u_char *
ngx_campaign_codec_field_unpack(const u_char *p, const u_char *end, const ngx_campaign_codec_field_t *f, void *field)
{
    uint64_t    v;
    ngx_str_t  *str;

    if (f->type == NGX_CAMPAIGN_CODEC_U32) {
        return ngx_campaign_codec_u32_unpack(p, end, f, field);
    }

    if (f->type == NGX_CAMPAIGN_CODEC_BYTES) {
        if ((size_t) (end - p) < f->size) {
            return NULL;
        }

        ngx_memcpy(field, p, f->size);

        return p + f->size;
    }

    p = ngx_campaign_varint_get(p, end, &v);
    if (p == NULL) {
        return NULL;
    }

    switch (f->type) {

    case NGX_CAMPAIGN_CODEC_U64:
        *(uint64_t *) field = v;
        break;

    case NGX_CAMPAIGN_CODEC_I64:
        *(int64_t *) field = ngx_campaign_unzigzag(v);
        break;

    case NGX_CAMPAIGN_CODEC_TIME:
        *(time_t *) field = (time_t) ngx_campaign_unzigzag(v);
        break;

    case NGX_CAMPAIGN_CODEC_UINT:
        *(ngx_uint_t *) field = (ngx_uint_t) v;
        break;

    case NGX_CAMPAIGN_CODEC_STR:
        if (v > (size_t) (end - p)) {
            return NULL;
        }

        str = field;
        str->len = (size_t) v;
        str->data = (u_char *) p;
        p += v;
        break;

    default:
        return NULL;
    }

    return p;
}


static const u_char *
ngx_campaign_codec_u32_unpack(const u_char *p, const u_char *end, const ngx_campaign_codec_field_t *f, uint32_t *u)
{
    uint64_t  v, i, n;

    n = 1;

    if (f->size > 1) {
        p = ngx_campaign_varint_get(p, end, &n);
        if (p == NULL || n > f->size) {
            return NULL;
        }
    }

    for (i = 0; i < n; i++) {
        p = ngx_campaign_varint_get(p, end, &v);
        if (p == NULL || v > UINT32_MAX) {
            return NULL;
        }

        u[i] = (uint32_t) v;
    }

    return p;
}


u_char *
ngx_campaign_varint_put(u_char *p, uint64_t v)
{
    while (v > 0x7f) {
        *p++ = (u_char) (v | 0x80);
        v >>= 7;
    }

    *p++ = (u_char) v;

    return p;
}


const u_char *
ngx_campaign_varint_get(const u_char *p, const u_char *end, uint64_t *v)
{
    uint64_t    value;
    ngx_uint_t  shift;

    value = 0;

    for (shift = 0; p < end; shift += 7) {

        if (shift == 63 && *p > 1) {
            return NULL;
        }

        value |= (uint64_t) (*p & 0x7f) << shift;

        if (*p++ & 0x80) {
            continue;
        }

        if (p[-1] == 0 && shift) {
            return NULL;
        }

        *v = value;

        return p;
    }

    return NULL;
}


size_t
ngx_campaign_varint_size(uint64_t v)
{
    size_t  n;

    for (n = 1; v > 0x7f; n++) {
        v >>= 7;
    }

    return n;
}


u_char *
ngx_campaign_be32_put(u_char *p, uint32_t v)
{
    p[0] = (u_char) (v >> 24);
    p[1] = (u_char) (v >> 16);
    p[2] = (u_char) (v >> 8);
    p[3] = (u_char) v;

    return p + 4;
}


u_char *
ngx_campaign_be64_put(u_char *p, uint64_t v)
{
    p = ngx_campaign_be32_put(p, (uint32_t) (v >> 32));

    return ngx_campaign_be32_put(p, (uint32_t) v);
}


uint32_t
ngx_campaign_be32_get(const u_char *p)
{
    return (uint32_t) p[0] << 24 | (uint32_t) p[1] << 16 | (uint32_t) p[2] << 8 | p[3];
}


uint64_t
ngx_campaign_be64_get(const u_char *p)
{
    return (uint64_t) ngx_campaign_be32_get(p) << 32 | ngx_campaign_be32_get(p + 4);
}


uint32_t
ngx_campaign_crc32c(uint32_t crc, const void *data, size_t len)
{
    const u_char    *p;
    const uint32_t (*t)[256];

    p = data;
    t = ngx_campaign_crc_table;

    crc = ~crc;

    for ( /* void */ ; len >= 8; len -= 8, p += 8) {
        crc ^= (uint32_t) p[3] << 24 | (uint32_t) p[2] << 16 | (uint32_t) p[1] << 8 | p[0];

        crc = t[7][crc & 0xff] ^ t[6][(crc >> 8) & 0xff] ^ t[5][(crc >> 16) & 0xff] ^ t[4][crc >> 24]
              ^ t[3][p[4]] ^ t[2][p[5]] ^ t[1][p[6]] ^ t[0][p[7]];
    }

    while (len--) {
        crc = t[0][(crc ^ *p++) & 0xff] ^ (crc >> 8);
    }

    return ~crc;
}
