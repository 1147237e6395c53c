
/*
 * Things that wait for a time, the earliest at hand: a pairing heap (Fredman, Sedgewick, Sleator, Tarjan 1986).  A node is part of what
 * waits; a heap is the pointer to its root, NULL when it is empty.  Adding is O(1), removing O(log n) amortized; nothing can fail.
 */

#ifndef _NGX_CAMPAIGN_HEAP_H_INCLUDED_
#define _NGX_CAMPAIGN_HEAP_H_INCLUDED_


#include "ngx_campaign.h"


typedef struct ngx_campaign_heap_node_s  ngx_campaign_heap_node_t;

struct ngx_campaign_heap_node_s {
    int64_t                    at;              /* the unit is the caller's */
    ngx_campaign_heap_node_t  *child, *next, *prev;     /* prev: elder sibling, or the parent of an eldest */
    unsigned                   set:1;           /* is in a heap */
};


void ngx_campaign_heap_add(ngx_campaign_heap_node_t **root, ngx_campaign_heap_node_t *t, int64_t at);
void ngx_campaign_heap_remove(ngx_campaign_heap_node_t **root, ngx_campaign_heap_node_t *t);


#endif /* _NGX_CAMPAIGN_HEAP_H_INCLUDED_ */
