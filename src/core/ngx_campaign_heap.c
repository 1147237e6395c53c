
/*
 * A pairing heap.  It keeps true: no node is earlier than its parent; the root has no sibling.
 */

#include "ngx_campaign_heap.h"


static ngx_campaign_heap_node_t *ngx_campaign_heap_merge(ngx_campaign_heap_node_t *a, ngx_campaign_heap_node_t *b);
static ngx_campaign_heap_node_t *ngx_campaign_heap_pairs(ngx_campaign_heap_node_t *t);


void
ngx_campaign_heap_add(ngx_campaign_heap_node_t **root, ngx_campaign_heap_node_t *t, int64_t at)
{
    t->at = at;
    t->child = NULL;
    t->next = NULL;
    t->prev = NULL;
    t->set = 1;

    *root = ngx_campaign_heap_merge(*root, t);
}


void
ngx_campaign_heap_remove(ngx_campaign_heap_node_t **root, ngx_campaign_heap_node_t *t)
{
    ngx_campaign_heap_node_t  *below;

    below = ngx_campaign_heap_pairs(t->child);

    if (t == *root) {
        *root = below;

    } else {
        if (t->prev->child == t) {
            t->prev->child = t->next;

        } else {
            t->prev->next = t->next;
        }

        if (t->next) {
            t->next->prev = t->prev;
        }

        *root = ngx_campaign_heap_merge(*root, below);
    }

    t->set = 0;
}


/* of two roots, either of which may be NULL, the later becomes the eldest child of the earlier */

static ngx_campaign_heap_node_t *
ngx_campaign_heap_merge(ngx_campaign_heap_node_t *a, ngx_campaign_heap_node_t *b)
{
    ngx_campaign_heap_node_t  *t;

    if (a == NULL || b == NULL) {
        return a ? a : b;
    }

    if (b->at < a->at) {
        t = a;
        a = b;
        b = t;
    }

    b->prev = a;
    b->next = a->child;

    if (b->next) {
        b->next->prev = b;
    }

    a->child = b;

    return a;
}


/* siblings become one tree: merged in pairs from the first to the last, and these from the last to the first */

static ngx_campaign_heap_node_t *
ngx_campaign_heap_pairs(ngx_campaign_heap_node_t *t)
{
    ngx_campaign_heap_node_t  *one, *two, *pairs;

    for (pairs = NULL; t; /* void */ ) {
        one = t;
        two = one->next;
        t = two ? two->next : NULL;

        one->next = NULL;
        one->prev = NULL;

        if (two) {
            two->next = NULL;
            two->prev = NULL;
        }

        one = ngx_campaign_heap_merge(one, two);
        one->next = pairs;
        pairs = one;
    }

    for (one = NULL; pairs; pairs = t) {
        t = pairs->next;
        pairs->next = NULL;
        one = ngx_campaign_heap_merge(one, pairs);
    }

    return one;
}
