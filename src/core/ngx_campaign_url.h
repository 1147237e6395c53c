
/*
 * The URL of a webhook: one strict reading of it, from which another one is built.  What is stored and called is the rebuilt one, so that no
 * two programs can read it differently: form and characters of RFC 3986 without user and fragment; a host is a name of letters, digits and
 * hyphens, four decimal numbers, or an IPv6 address in brackets.  A name whose last label is a number is none (WHATWG URL, "ends in a
 * number"): 127.1, 2130706433, 0x7f.1 and 0177.0.0.1 are refused.
 */

#ifndef _NGX_CAMPAIGN_URL_H_INCLUDED_
#define _NGX_CAMPAIGN_URL_H_INCLUDED_


#include "ngx_campaign_address.h"


#define NGX_CAMPAIGN_URL_MAX  2083              /* bytes, of the rebuilt one too */


typedef struct {
    ngx_uint_t               tls;               /* https */
    ngx_uint_t               port;
    ngx_uint_t               literal;           /* 1: the host is an address */
    ngx_campaign_address_t   address;           /* of a literal */
    ngx_str_t                host;              /* name in lower case, or the address as text, in brackets if it is IPv6 */
    ngx_str_t                authority;         /* host, and :port if it is not the scheme's own */
    ngx_str_t                path;              /* path and query, begins with a slash */
    ngx_str_t                text;              /* all of it; the strings above are parts of it */
} ngx_campaign_url_t;


/*
 * Reads text, rebuilds it at buf (room for NGX_CAMPAIGN_URL_MAX bytes, may not overlap text); url's strings point into buf.  NGX_ERROR: no
 * URL that is taken.  The rebuilt one reads back as itself.
 */
ngx_int_t ngx_campaign_url_parse(const ngx_str_t *text, u_char *buf, ngx_campaign_url_t *url);

/*
 * 1: it may lead into the public Internet: a public address, or a name of the public DNS (two labels or more, no special-use name of RFC
 * 6761, 6762, 8375 and "internal"), whose addresses are known only when it is called.
 */
ngx_uint_t ngx_campaign_url_public(const ngx_campaign_url_t *url);


#endif /* _NGX_CAMPAIGN_URL_H_INCLUDED_ */
