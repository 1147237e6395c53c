
/*
 * What a gateway calls a message, out of its reply: by the path of a JSON value (data[0].id), word n of a text (word:2), the text of an
 * XML element (tag:messageId), or a header (header:X-Message-Id, which http reads).  An id is a word of printable ASCII.
 */

#ifndef _NGX_CAMPAIGN_REPLY_H_INCLUDED_
#define _NGX_CAMPAIGN_REPLY_H_INCLUDED_


#include "ngx_campaign.h"


#define NGX_CAMPAIGN_GATEWAY_ID_MAX  64         /* bytes; a longer one is not kept */
#define NGX_CAMPAIGN_REPLY_MAX       4096       /* bytes of a reply that are looked at */


typedef enum {
    NGX_CAMPAIGN_REPLY_JSON = 0,
    NGX_CAMPAIGN_REPLY_WORD,
    NGX_CAMPAIGN_REPLY_TAG,
    NGX_CAMPAIGN_REPLY_HEADER
} ngx_campaign_reply_kind_e;

typedef struct {
    ngx_campaign_reply_kind_e  kind;
    ngx_str_t                  name;            /* path, element or header */
    ngx_uint_t                 n;               /* which word, from 1 */
} ngx_campaign_reply_place_t;


/* NGX_ERROR: text says no place; name points into it */
ngx_int_t ngx_campaign_reply_place(const ngx_str_t *text, ngx_campaign_reply_place_t *place);

/* id has room for NGX_CAMPAIGN_GATEWAY_ID_MAX bytes.  NGX_DECLINED: there is none (always of HEADER) */
ngx_int_t ngx_campaign_reply_id(const ngx_campaign_reply_place_t *place, const u_char *p, const u_char *end, u_char *id, size_t *len);

/* the same out of the value itself, such as a header's */
ngx_int_t ngx_campaign_reply_value(const u_char *p, const u_char *end, u_char *id, size_t *len);


#endif /* _NGX_CAMPAIGN_REPLY_H_INCLUDED_ */
