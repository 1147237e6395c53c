
/*
 * What a campaign would send, without sending it: each recipient's text is rendered and measured, and only sums, a few samples and the
 * characters that make a text UCS-2 are kept.  A text without placeholders is measured once.
 */

#ifndef _NGX_CAMPAIGN_PREVIEW_H_INCLUDED_
#define _NGX_CAMPAIGN_PREVIEW_H_INCLUDED_


#include "ngx_campaign_number.h"
#include "ngx_campaign_sms.h"
#include "ngx_campaign_template.h"


#define NGX_CAMPAIGN_PREVIEW_SAMPLES  10
#define NGX_CAMPAIGN_PREVIEW_CHARS    64        /* different ones that are told of; others are only counted as UCS-2 */


typedef struct {
    uint64_t             number;
    ngx_str_t            text;
    ngx_campaign_size_t  size;
} ngx_campaign_sample_t;

typedef struct {
    uint32_t             code;
    uint64_t             count;                 /* in all texts */
} ngx_campaign_char_t;

typedef struct {
    ngx_pool_t                *pool;
    ngx_campaign_template_t    text;
    unsigned                   plain:1;         /* no placeholder: every text is the same */
    unsigned                   sized:1;         /* plain, and same is its size */
    ngx_campaign_size_t        same;
    u_char                    *buffer;
    size_t                     room;

    /* results */
    uint32_t                   recipients;
    uint64_t                   segments;        /* of all texts */
    uint32_t                   least, most;     /* segments of a text */
    uint32_t                   encodings[2];    /* texts, by ngx_campaign_encoding_e */
    uint32_t                   missing[NGX_CAMPAIGN_CONTACT_FIELDS];    /* recipients without a value that the text has no default for */
    ngx_campaign_sample_t      samples[NGX_CAMPAIGN_PREVIEW_SAMPLES];   /* the first */
    ngx_uint_t                 nsamples;
    ngx_campaign_char_t        chars[NGX_CAMPAIGN_PREVIEW_CHARS];       /* not in the 7-bit alphabet; most frequent first after _end */
    ngx_uint_t                 nchars;
} ngx_campaign_preview_t;


/* text: UTF-8; it lives as long as the preview.  NGX_DECLINED: a broken placeholder (*bad); NGX_ERROR: no memory */
ngx_int_t ngx_campaign_preview_init(ngx_campaign_preview_t *pv, ngx_pool_t *pool, ngx_str_t *text, ngx_str_t *bad);

/* one recipient; its strings need not outlive the call.  NGX_ERROR: no memory */
ngx_int_t ngx_campaign_preview_add(ngx_campaign_preview_t *pv, const ngx_campaign_contact_t *contact);

/* after the last recipient */
void ngx_campaign_preview_end(ngx_campaign_preview_t *pv);


#endif /* _NGX_CAMPAIGN_PREVIEW_H_INCLUDED_ */
