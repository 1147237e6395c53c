
/*
 * Life of an operation, for the engines behind ngx_campaign_store.h: begun once, then done once.  Event loop only.
 */

#ifndef _NGX_CAMPAIGN_STORE_OP_H_INCLUDED_
#define _NGX_CAMPAIGN_STORE_OP_H_INCLUDED_


#include "ngx_campaign_store.h"


/* each engine's struct ngx_campaign_store_s starts with it */

typedef struct {
    ngx_uint_t               busy;              /* operations begun and not done */
    ngx_log_t               *log;               /* lives as long as the process: what threads log to */
} ngx_campaign_store_life_t;


/* from here on op->pool is the store's, and logs to the store's log: the caller's may go away before the operation is done */
void ngx_campaign_op_begin(ngx_campaign_store_t *st, ngx_campaign_op_t *op);

/* the answer is known: `done` will be called from the event loop */
void ngx_campaign_op_post(ngx_campaign_op_t *op, ngx_campaign_rc_e rc);

/* calls `done`, or destroys the pool if the caller went away; op may be gone afterwards */
void ngx_campaign_op_done(ngx_campaign_op_t *op);


#endif /* _NGX_CAMPAIGN_STORE_OP_H_INCLUDED_ */
