
/*
 * Identifiers are computed, not stored: a UUID of version 8 (RFC 9562, 5.8) whose 122 free bits are kind (4), number a (54),
 * number b (32) and 32 bits of zero, scrambled by a Feistel network of eight rounds with SipHash-2-4 (Aumasson, Bernstein 2012) under
 * the store's secret.  So an id leads to its object without an index, and nobody can guess a neighbour's.
 */

#ifndef _NGX_CAMPAIGN_ID_H_INCLUDED_
#define _NGX_CAMPAIGN_ID_H_INCLUDED_


#include "ngx_campaign.h"


#define NGX_CAMPAIGN_ID_LEN      16             /* bytes */
#define NGX_CAMPAIGN_UUID_LEN    36             /* as text */
#define NGX_CAMPAIGN_SECRET_LEN  32


/* out: NGX_CAMPAIGN_ID_LEN bytes.  a < 2^54.  contact: a list, b sequence; message: a campaign, b sequence; others: a only, b = 0 */
void ngx_campaign_id_make(const u_char *secret, ngx_campaign_kind_e kind, uint64_t a, uint32_t b, u_char *out);

/* NGX_DECLINED: not an id of that kind made under that secret */
ngx_int_t ngx_campaign_id_open(const u_char *secret, ngx_campaign_kind_e kind, const u_char *id, uint64_t *a, uint32_t *b);

/* lower-case text at p (room for NGX_CAMPAIGN_UUID_LEN), returns the end */
u_char *ngx_campaign_uuid_print(u_char *p, const u_char *id);

/* 1: all zero, which stands for none */
ngx_uint_t ngx_campaign_uuid_none(const u_char *id);

/* any case, with dashes; NGX_ERROR: no UUID */
ngx_int_t ngx_campaign_uuid_parse(ngx_str_t *text, u_char *id);

/* SipHash-2-4 of len bytes under a key of 16 bytes */
uint64_t ngx_campaign_siphash(const u_char *key, const u_char *data, size_t len);


#endif /* _NGX_CAMPAIGN_ID_H_INCLUDED_ */
