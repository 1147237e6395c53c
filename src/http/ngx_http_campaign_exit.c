
/*
 * The end of a worker: who is told to end does so, whoever keeps it waiting.  It keeps true:
 *  - a gateway or a webhook's receiver that does not answer keeps it no longer than worker_shutdown_timeout: nginx's own timer closes the
 *    connections of clients, and a delivery has none.  What is cut off is uncertain if any of it was sent;
 *  - a process that was stopped while it holds the store's write lock keeps it a few seconds at most.  The thread that writes hangs in LMDB then, and
 *    nginx would wait for it for ever: it joins the threads of its pools.  What was not recorded is uncertain to the next dispatcher, as after a
 *    crash.
 */

#include "ngx_http_campaign_module.h"
#include "ngx_http_campaign_notify.h"


#define NGX_HTTP_CAMPAIGN_EXIT_TERM  1000       /* ms that TERM waits for the lock: the master kills after one and a half second */


extern ngx_module_t  ngx_thread_pool_module;         /* no header of nginx names it */


typedef void (*ngx_http_campaign_exit_pt)(ngx_cycle_t *cycle);


static void ngx_http_campaign_exit_cut(ngx_event_t *ev);
static void ngx_http_campaign_exit_threads(ngx_cycle_t *cycle);
static void ngx_http_campaign_exit_rest(ngx_cycle_t *cycle);


/* of this process */
static ngx_http_campaign_exit_pt  ngx_http_campaign_exit_next;
static ngx_event_t                ngx_http_campaign_exit_event;


/* nginx's modules end one after the other, its pools of threads before all of http */

void
ngx_http_campaign_exit_init(void)
{
    if (ngx_http_campaign_exit_next == NULL) {
        ngx_http_campaign_exit_next = ngx_thread_pool_module.exit_process;
        ngx_thread_pool_module.exit_process = ngx_http_campaign_exit_threads;
    }
}


void
ngx_http_campaign_exit_begin(void)
{
    ngx_core_conf_t  *ccf;

    ccf = (ngx_core_conf_t *) ngx_get_conf(ngx_cycle->conf_ctx, ngx_core_module);

    if (ccf->shutdown_timeout == 0 || ngx_http_campaign_exit_event.timer_set) {
        return;
    }

    ngx_http_campaign_exit_event.handler = ngx_http_campaign_exit_cut;
    ngx_http_campaign_exit_event.log = ngx_cycle->log;
    ngx_http_campaign_exit_event.cancelable = 1;

    ngx_add_timer(&ngx_http_campaign_exit_event, ccf->shutdown_timeout);
}


static void
ngx_http_campaign_exit_cut(ngx_event_t *ev)
{
    ngx_http_campaign_dispatch_cut();
    ngx_http_campaign_notify_cut();
}


ngx_msec_t
ngx_http_campaign_exit_limit(void)
{
    return ngx_terminate ? NGX_HTTP_CAMPAIGN_EXIT_TERM : NGX_HTTP_CAMPAIGN_EXIT_QUIT;
}


/* in place of the pools' own */

static void
ngx_http_campaign_exit_threads(ngx_cycle_t *cycle)
{
    ngx_msec_t             limit, waits;
    ngx_campaign_store_t  *st;

    st = ngx_http_campaign_store();

    if (st) {
        limit = ngx_http_campaign_exit_limit();
        waits = ngx_terminate ? 0 : ngx_campaign_store_waits(st);       /* the event loop has waited, too */

        if (ngx_campaign_store_rest(st, limit - ngx_min(limit, waits)) != NGX_OK) {
            ngx_http_campaign_dispatch_lost();
            ngx_http_campaign_exit_rest(cycle);
        }
    }

    ngx_http_campaign_exit_next(cycle);
}


/* of nginx's own exit, but for what would take the memory away under a thread that lives */

static void
ngx_http_campaign_exit_rest(ngx_cycle_t *cycle)
{
    ngx_uint_t  i;

    for (i = 0; cycle->modules[i] != &ngx_thread_pool_module; i++) { /* void */ }

    for (i++; cycle->modules[i]; i++) {
        if (cycle->modules[i]->exit_process && cycle->modules[i] != &ngx_http_campaign_module) {
            cycle->modules[i]->exit_process(cycle);
        }
    }

    ngx_log_error(NGX_LOG_NOTICE, cycle->log, 0, "exit");

    _exit(0);
}
