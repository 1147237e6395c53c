
/*
 * A contact, and contacts as bytes: the packed form is what a pile collects while a request streams in and what the
 * store keeps in its blocks, so that 100 000 of them are copied, never rebuilt.
 *
 * packed: flags u8 | number varint | for each flag set, in this order: length varint, bytes
 * A deleted contact keeps its place: flags = DELETED | mark varint (the newest campaign at that time).
 */

#ifndef _NGX_CAMPAIGN_CONTACT_H_INCLUDED_
#define _NGX_CAMPAIGN_CONTACT_H_INCLUDED_


#include "ngx_campaign.h"


typedef enum {
    NGX_CAMPAIGN_CONTACT_FIRST_NAME = 0,
    NGX_CAMPAIGN_CONTACT_LAST_NAME,
    NGX_CAMPAIGN_CONTACT_CUSTOM1,           /* older name: timestamp */
    NGX_CAMPAIGN_CONTACT_CUSTOM2,           /* older name: date */
    NGX_CAMPAIGN_CONTACT_TAGS,              /* joined by the unit separator, 0x1f */
    NGX_CAMPAIGN_CONTACT_FIELDS
} ngx_campaign_contact_field_e;

#define NGX_CAMPAIGN_CONTACT_DELETED  0x80

/* most bytes a packed contact takes: 4 bytes a character, ten tags of 45 characters */
#define NGX_CAMPAIGN_CONTACT_PACKED_MAX                                                                               \
    (1 + 10 + NGX_CAMPAIGN_CONTACT_FIELDS * 3 + 4 * (32 + 32 + 32 + 70) + NGX_CAMPAIGN_TAGS_MAX * (45 * 4 + 1))


typedef struct {
    uint64_t     number;                                /* E.164 digits as a number */
    ngx_str_t    field[NGX_CAMPAIGN_CONTACT_FIELDS];    /* empty: not given */
    uint64_t     deleted;                               /* 0: lives; else mark + 1, and nothing else is set */
} ngx_campaign_contact_t;


/* packed contacts on their way to the store: chunks of memory from one pool, in order */

typedef struct ngx_campaign_pile_chunk_s  ngx_campaign_pile_chunk_t;

struct ngx_campaign_pile_chunk_s {
    ngx_campaign_pile_chunk_t  *next;
    u_char                     *start, *last, *end;     /* whole contacts only, in [start, last) */
};

typedef struct {
    ngx_pool_t                 *pool;
    ngx_campaign_pile_chunk_t  *first, *tail;
    uint32_t                    n;
} ngx_campaign_pile_t;


/* bytes that _pack will write */
size_t ngx_campaign_contact_size(const ngx_campaign_contact_t *c);

/* writes c at p (room for _size bytes), returns the end */
u_char *ngx_campaign_contact_pack(u_char *p, const ngx_campaign_contact_t *c);

/* reads one contact from [p, end); strings point into it.  Returns its end, NULL if the bytes are no contact */
const u_char *ngx_campaign_contact_unpack(const u_char *p, const u_char *end, ngx_campaign_contact_t *c);

/* as _unpack, for a walk that needs the number only: *number is 0 for a deleted one */
const u_char *ngx_campaign_contact_skip(const u_char *p, const u_char *end, uint64_t *number);

/* starts an empty pile in pool */
void ngx_campaign_pile_init(ngx_campaign_pile_t *pile, ngx_pool_t *pool);

/* packs c onto the pile; NGX_ERROR: no memory */
ngx_int_t ngx_campaign_pile_add(ngx_campaign_pile_t *pile, const ngx_campaign_contact_t *c);

/*
 * Drops every contact whose number stands earlier in the pile; *dropped gets their count.  Keeps order.  Costs a sort
 * of the numbers (100 000: some ms), so it belongs on a thread.  NGX_ERROR: no memory, pile unchanged.
 */
ngx_int_t ngx_campaign_pile_unique(ngx_campaign_pile_t *pile, uint32_t *dropped);


#endif /* _NGX_CAMPAIGN_CONTACT_H_INCLUDED_ */
