
/*
 * A suppression: a number that an account's messages do not go to, on any channel and from any sender, or on one channel, or from one
 * sender, or both.  Many on their way to the store are a pile of contacts, whose fields then have other meanings (see the .c).
 */

#ifndef _NGX_CAMPAIGN_SUPPRESSION_H_INCLUDED_
#define _NGX_CAMPAIGN_SUPPRESSION_H_INCLUDED_


#include "ngx_campaign.h"
#include "ngx_campaign_contact.h"
#include "ngx_campaign_id.h"


#define NGX_CAMPAIGN_SUPPRESSION_REASON  70     /* characters */
#define NGX_CAMPAIGN_SUPPRESSION_FROM    16     /* bytes */
#define NGX_CAMPAIGN_SUPPRESSIONS_MAX    16     /* of one number in an account, each with a scope of its own */


/* where one came from */

typedef enum {
    NGX_CAMPAIGN_SOURCE_API = 1,
    NGX_CAMPAIGN_SOURCE_IMPORT,
    NGX_CAMPAIGN_SOURCE_STOP,
    NGX_CAMPAIGN_SOURCE_RECEIPT,
    NGX_CAMPAIGN_SOURCE_MAX
} ngx_campaign_source_e;


typedef struct {
    uint32_t      account;
    uint64_t      number;
    ngx_str_t     channel;                      /* empty: all */
    ngx_str_t     from;                         /* name of a sender; empty: all */
    ngx_uint_t    source;
    ngx_str_t     reason;
    u_char        campaign[NGX_CAMPAIGN_ID_LEN];    /* zero: none */
    time_t        created;
    time_t        expires;                      /* 0: never */
} ngx_campaign_suppression_t;


/* "api", "import", "stop", "receipt": a constant */
ngx_str_t *ngx_campaign_source_name(ngx_uint_t source);

/* any case; 0: none of them */
ngx_campaign_source_e ngx_campaign_source_find(const ngx_str_t *name);

/* packs s (without account, source and created) onto the pile.  NGX_ERROR: no memory */
ngx_int_t ngx_campaign_suppression_pile(ngx_campaign_pile_t *pile, const ngx_campaign_suppression_t *s);

/* reads one of such a pile; strings point into the contact's */
void ngx_campaign_suppression_read(const ngx_campaign_contact_t *contact, ngx_campaign_suppression_t *s);


#endif /* _NGX_CAMPAIGN_SUPPRESSION_H_INCLUDED_ */
