
/*
 * Addresses of the Internet: read from text, printed, and judged: may a URL that a user gave lead there?  IPv4 is kept in the last four
 * bytes of 16, the first ten zero and two of 0xff (RFC 4291, 2.5.5.2), so that one address has one form.
 */

#ifndef _NGX_CAMPAIGN_ADDRESS_H_INCLUDED_
#define _NGX_CAMPAIGN_ADDRESS_H_INCLUDED_


#include "ngx_campaign.h"


#define NGX_CAMPAIGN_ADDRESS_LEN   16
#define NGX_CAMPAIGN_ADDRESS_TEXT  45           /* most bytes of one as text */


typedef struct {
    u_char       bytes[NGX_CAMPAIGN_ADDRESS_LEN];
    ngx_uint_t   v4;                            /* 1: IPv4; 0: IPv6, ::ffff:0:0/96 too */
} ngx_campaign_address_t;

typedef struct {
    ngx_campaign_address_t  address;
    ngx_uint_t              bits;               /* of the family's own length: 0 .. 32, 0 .. 128 */
} ngx_campaign_cidr_t;


/* four decimal numbers without leading zeros, nothing else.  NGX_ERROR: it is none */
ngx_int_t ngx_campaign_address_v4(const u_char *p, size_t len, ngx_campaign_address_t *a);

/* RFC 4291, 2.2; no zone, no brackets */
ngx_int_t ngx_campaign_address_v6(const u_char *p, size_t len, ngx_campaign_address_t *a);

/* "a.b.c.d" or RFC 5952 at p (room for NGX_CAMPAIGN_ADDRESS_TEXT); returns the end */
u_char *ngx_campaign_address_print(u_char *p, const ngx_campaign_address_t *a);

/* "address/bits" or an address alone.  NGX_ERROR: it is none; bits beyond the length have to be zero */
ngx_int_t ngx_campaign_cidr_parse(const ngx_str_t *text, ngx_campaign_cidr_t *cidr);

ngx_uint_t ngx_campaign_cidr_match(const ngx_campaign_cidr_t *cidr, const ngx_campaign_address_t *a);

/*
 * 1: an address of the public Internet.  Everything else is 0: what IANA's registries of special-purpose addresses (RFC 6890) do not call
 * globally reachable, multicast, what is not assigned, and every form that hides an IPv4 address (mapped, compatible, 6to4, Teredo, NAT64).
 */
ngx_uint_t ngx_campaign_address_public(const ngx_campaign_address_t *a);


#endif /* _NGX_CAMPAIGN_ADDRESS_H_INCLUDED_ */
