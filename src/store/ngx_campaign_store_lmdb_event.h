
/*
 * What the files of webhooks share: a webhook's queue while a transaction changes it, and its events.
 */

#ifndef _NGX_CAMPAIGN_STORE_LMDB_EVENT_H_INCLUDED_
#define _NGX_CAMPAIGN_STORE_LMDB_EVENT_H_INCLUDED_


#include "ngx_campaign_store_lmdb.h"


#define NGX_CAMPAIGN_EVENT_KEY  16              /* webhook u64, event u64 */
#define NGX_CAMPAIGN_DUE_KEY    24              /* webhook u64, due u64, event u64 */


/* an account's webhook for one kind of event: asked for once, written once */

typedef struct {
    uint64_t                 webhook;           /* 0: the account has none, or it is disabled */
    ngx_campaign_queue_t     queue;
    unsigned                 open:1;
    unsigned                 dirty:1;
} ngx_campaign_hears_t;

/* does nothing if it is open; what it was opened for must be the same */
ngx_campaign_rc_e ngx_campaign_hears_open(ngx_campaign_txn_t *t, ngx_campaign_hears_t *h, uint32_t account, ngx_uint_t event);

/* one more event (number, dates and due time are set); the oldest goes if there are too many.  h->webhook is not 0 */
ngx_campaign_rc_e ngx_campaign_hears_add(ngx_campaign_txn_t *t, ngx_campaign_hears_t *h, ngx_campaign_event_t *e);

/* writes what was changed */
ngx_campaign_rc_e ngx_campaign_hears_close(ngx_campaign_txn_t *t, ngx_campaign_hears_t *h);


/* NOT_FOUND: no such webhook */
ngx_campaign_rc_e ngx_campaign_queue_get(ngx_campaign_txn_t *t, uint64_t webhook, ngx_campaign_queue_t *queue);
ngx_campaign_rc_e ngx_campaign_queue_put(ngx_campaign_txn_t *t, uint64_t webhook, const ngx_campaign_queue_t *queue);

/* id: NGX_CAMPAIGN_ID_LEN bytes; e's webhook and number are set */
void ngx_campaign_event_id(ngx_campaign_txn_t *t, const ngx_campaign_event_t *e, u_char *id);

/* strings point into the map, or (pool) are copies; NOT_FOUND */
ngx_campaign_rc_e ngx_campaign_event_get(ngx_campaign_txn_t *t, uint64_t webhook, uint64_t no, ngx_pool_t *pool, ngx_campaign_event_t *e);

/* an event as it is now: attempts and outcome of e are written, its place moves from e->due to due, the queue's counters follow */
ngx_campaign_rc_e ngx_campaign_event_move(ngx_campaign_txn_t *t, ngx_campaign_queue_t *queue, ngx_campaign_event_t *e, int64_t due);

/* it is not kept any more */
ngx_campaign_rc_e ngx_campaign_event_drop(ngx_campaign_txn_t *t, ngx_campaign_queue_t *queue, const ngx_campaign_event_t *e);

/* the event that holds up later ones of e's message; 0: none.  An event that is of no message holds up none */
ngx_campaign_rc_e ngx_campaign_event_held(ngx_campaign_txn_t *t, const ngx_campaign_event_t *e, uint64_t *no);


#endif /* _NGX_CAMPAIGN_STORE_LMDB_EVENT_H_INCLUDED_ */
