
/*
 * Records and keys as bytes.  A record is: version u8, its fields in the order of a table, crc32c u32 (RFC 3720, B.4) over all
 * before it.  A field added later stands at the end of its table and reads as zero from an older record.  Keys are
 * big-endian, so that order on disk is order of service.
 */

#ifndef _NGX_CAMPAIGN_CODEC_H_INCLUDED_
#define _NGX_CAMPAIGN_CODEC_H_INCLUDED_


#include "ngx_campaign.h"


#define NGX_CAMPAIGN_CODEC_VERSION  1


typedef enum {
    NGX_CAMPAIGN_CODEC_END = 0,
    NGX_CAMPAIGN_CODEC_U32,         /* uint32_t, as varint */
    NGX_CAMPAIGN_CODEC_U64,         /* uint64_t, as varint */
    NGX_CAMPAIGN_CODEC_I64,         /* int64_t, zigzag varint */
    NGX_CAMPAIGN_CODEC_TIME,        /* time_t, zigzag varint */
    NGX_CAMPAIGN_CODEC_UINT,        /* ngx_uint_t, as varint: statuses, types, flags */
    NGX_CAMPAIGN_CODEC_STR,         /* ngx_str_t: length varint, bytes */
    NGX_CAMPAIGN_CODEC_BYTES        /* `size` bytes in place */
} ngx_campaign_codec_type_e;


typedef struct {
    ngx_campaign_codec_type_e  type;
    size_t                     offset;      /* in the record's struct */
    size_t                     size;        /* of BYTES; U32: number of neighbours (an array), 0 is 1 */
} ngx_campaign_codec_field_t;


/* most bytes that _pack can write for rec */
size_t ngx_campaign_codec_size(const ngx_campaign_codec_field_t *fields, const void *rec);

/* writes rec at p (room for _size bytes), returns the end */
u_char *ngx_campaign_codec_pack(u_char *p, const ngx_campaign_codec_field_t *fields, const void *rec);

/*
 * Fills the fields of rec (the caller zeroed it); strings point into data.  NGX_ERROR: checksum or form is wrong; NGX_DECLINED: a
 * version from the future.
 */
ngx_int_t ngx_campaign_codec_unpack(const u_char *data, size_t len, const ngx_campaign_codec_field_t *fields, void *rec);

/* LEB128; _put_ returns the end (at most 10 bytes on); _get_ returns the end, NULL if [p, end) holds none */
u_char *ngx_campaign_varint_put(u_char *p, uint64_t v);
const u_char *ngx_campaign_varint_get(const u_char *p, const u_char *end, uint64_t *v);
size_t ngx_campaign_varint_size(uint64_t v);

/* big-endian, for keys; _put_ return the end */
u_char *ngx_campaign_be32_put(u_char *p, uint32_t v);
u_char *ngx_campaign_be64_put(u_char *p, uint64_t v);
uint32_t ngx_campaign_be32_get(const u_char *p);
uint64_t ngx_campaign_be64_get(const u_char *p);

/* crc32c (Castagnoli); crc: 0, or the result over what stands before */
uint32_t ngx_campaign_crc32c(uint32_t crc, const void *data, size_t len);


#endif /* _NGX_CAMPAIGN_CODEC_H_INCLUDED_ */
