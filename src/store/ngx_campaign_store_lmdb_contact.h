
/*
 * What the files of contacts share: a pile compared with an audience's numbers, and the change of one contact.
 */

#ifndef _NGX_CAMPAIGN_STORE_LMDB_CONTACT_H_INCLUDED_
#define _NGX_CAMPAIGN_STORE_LMDB_CONTACT_H_INCLUDED_


#include "ngx_campaign_store_lmdb.h"


#define NGX_CAMPAIGN_SIFT_DOUBLE  0xffffffff


typedef struct {
    uint64_t                   number;
    uint32_t                   at;              /* place in the pile */
} ngx_campaign_sifted_t;

typedef struct {
    uint32_t                   n;               /* contacts in the pile */
    uint32_t                   fresh;           /* of them new: not in the index, nor earlier in the pile */
    uint32_t                   tail;            /* from here on `sorted` is above every number of the index */
    ngx_campaign_sifted_t     *sorted;          /* by number */
    uint32_t                  *seq;             /* by place in the pile: its place in the list, or NGX_CAMPAIGN_SIFT_DOUBLE */
} ngx_campaign_sift_t;


/* ngx_campaign_store_lmdb_block.c */

/* compares; reads only.  next: place of the first new contact.  OK: sift has to be freed; TOO_MANY: the list has no such places */
ngx_campaign_rc_e ngx_campaign_contact_sift(ngx_campaign_txn_t *t, uint64_t list, uint32_t next, ngx_campaign_pile_t *pile,
    ngx_campaign_sift_t *sift);
void ngx_campaign_contact_sift_free(ngx_campaign_sift_t *sift);

/* appends what is new, and its numbers; sift NULL: all of the pile, without an index */
ngx_campaign_rc_e ngx_campaign_contact_store(ngx_campaign_txn_t *t, uint64_t list, uint32_t next, ngx_campaign_pile_t *pile,
    const ngx_campaign_sift_t *sift);

/* OK: the number stands in the audience; NOT_FOUND.  Reads only */
ngx_campaign_rc_e ngx_campaign_contact_number_find(ngx_campaign_txn_t *t, uint64_t list, uint64_t number);

/* the living contact at a place becomes another one, or a deleted one: block and index */
ngx_campaign_rc_e ngx_campaign_contact_replace(ngx_campaign_txn_t *t, uint64_t list, uint32_t seq, const ngx_campaign_contact_t *contact);

/* ngx_campaign_store_lmdb_contact.c: takes a contact's strings out of the map; NGX_ERROR: no memory */
ngx_int_t ngx_campaign_contact_copy(ngx_pool_t *pool, ngx_campaign_contact_t *contact);


#endif /* _NGX_CAMPAIGN_STORE_LMDB_CONTACT_H_INCLUDED_ */
