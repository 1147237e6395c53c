
/*
 * Purges suppressions that expired, now and then, in one worker of each generation.  It keeps true: one operation at a time, each
 * bounded; an exiting worker does not wait for it.
 */

#include "ngx_http_campaign_module.h"


#define NGX_HTTP_CAMPAIGN_PURGE_LOOK  5000      /* ms between two looks */
#define NGX_HTTP_CAMPAIGN_PURGE_MORE  100       /* while there is more to purge, or to look at */


typedef struct {
    ngx_campaign_op_t      op;                  /* stands first */
    ngx_campaign_purge_t   purge;
} ngx_http_campaign_purge_op_t;


static void ngx_http_campaign_purge_tick(ngx_event_t *ev);
static void ngx_http_campaign_purge_looked(ngx_campaign_op_t *op);
static void ngx_http_campaign_purge_purged(ngx_campaign_op_t *op);
static void ngx_http_campaign_purge_end(ngx_http_campaign_purge_op_t *p, uint32_t next, ngx_msec_t wait);


static ngx_event_t  ngx_http_campaign_purge_event;
static uint32_t     ngx_http_campaign_purge_next;       /* account to look from */


void
ngx_http_campaign_purge_init(ngx_cycle_t *cycle)
{
    if (ngx_process == NGX_PROCESS_WORKER && ngx_worker != 0) {
        return;
    }

    ngx_http_campaign_purge_event.handler = ngx_http_campaign_purge_tick;
    ngx_http_campaign_purge_event.data = cycle;
    ngx_http_campaign_purge_event.log = cycle->log;
    ngx_http_campaign_purge_event.cancelable = 1;

    ngx_add_timer(&ngx_http_campaign_purge_event, NGX_HTTP_CAMPAIGN_PURGE_LOOK);
}


static void
ngx_http_campaign_purge_tick(ngx_event_t *ev)
{
    ngx_pool_t                    *pool;
    ngx_campaign_store_t          *st;
    ngx_http_campaign_purge_op_t  *p;

    if (ngx_exiting) {
        return;
    }

    st = ngx_http_campaign_store();
    pool = st ? ngx_create_pool(1024, ev->log) : NULL;
    p = pool ? ngx_pcalloc(pool, sizeof(ngx_http_campaign_purge_op_t)) : NULL;

    if (p == NULL) {
        if (pool) {
            ngx_destroy_pool(pool);
        }

        ngx_add_timer(ev, NGX_HTTP_CAMPAIGN_PURGE_LOOK);
        return;
    }

    ngx_campaign_op_init(&p->op, pool, ev->log, ngx_http_campaign_purge_looked, NULL);

    p->purge.account = ngx_http_campaign_purge_next;

    if (ngx_campaign_store_lapsed(st, &p->op, &p->purge) == NGX_ERROR) {
        ngx_http_campaign_purge_end(p, 0, NGX_HTTP_CAMPAIGN_PURGE_LOOK);
    }
}


static void
ngx_http_campaign_purge_looked(ngx_campaign_op_t *op)
{
    ngx_campaign_store_t          *st;
    ngx_http_campaign_purge_op_t  *p;

    p = (ngx_http_campaign_purge_op_t *) op;
    st = ngx_http_campaign_store();

    if (op->rc != NGX_CAMPAIGN_OK || st == NULL || ngx_exiting) {
        ngx_http_campaign_purge_end(p, op->rc == NGX_CAMPAIGN_NOT_FOUND ? p->purge.account : 0,
                                    (op->rc == NGX_CAMPAIGN_NOT_FOUND && p->purge.account) ? NGX_HTTP_CAMPAIGN_PURGE_MORE
                                                                                           : NGX_HTTP_CAMPAIGN_PURGE_LOOK);
        return;
    }

    ngx_campaign_op_init(&p->op, p->op.pool, p->op.log, ngx_http_campaign_purge_purged, NULL);

    if (ngx_campaign_store_purge(st, &p->op, &p->purge) == NGX_ERROR) {
        ngx_http_campaign_purge_end(p, 0, NGX_HTTP_CAMPAIGN_PURGE_LOOK);
    }
}


static void
ngx_http_campaign_purge_purged(ngx_campaign_op_t *op)
{
    ngx_http_campaign_purge_op_t  *p;

    p = (ngx_http_campaign_purge_op_t *) op;

    if (op->rc != NGX_CAMPAIGN_OK) {                    /* a full disk, say */
        ngx_http_campaign_purge_end(p, 0, NGX_HTTP_CAMPAIGN_PURGE_LOOK);
        return;
    }

    ngx_http_campaign_purge_end(p, p->purge.account, NGX_HTTP_CAMPAIGN_PURGE_MORE);
}


static void
ngx_http_campaign_purge_end(ngx_http_campaign_purge_op_t *p, uint32_t next, ngx_msec_t wait)
{
    ngx_destroy_pool(p->op.pool);

    ngx_http_campaign_purge_next = next;

    if (!ngx_exiting) {
        ngx_add_timer(&ngx_http_campaign_purge_event, wait);
    }
}
