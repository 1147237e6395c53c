
/*
 * The dispatcher's tick and its life in a process: what is due is started, turns are taken when they are worth while, the store is
 * looked at in case a hint was lost.  It keeps true: a process that exits lives until what it claimed is recorded; by the time it waits for
 * nothing but answers, another one is at work.
 */

#include "ngx_http_campaign_dispatch.h"
#include "ngx_http_campaign_notify.h"

#if (NGX_LINUX)
#include <sys/eventfd.h>
#endif


#define NGX_HTTP_CAMPAIGN_DISPATCH_PATIENCE  10000000   /* us that an exit waits for a store that takes no outcomes */


static void ngx_http_campaign_dispatch_tick(ngx_event_t *ev);
static void ngx_http_campaign_dispatch_arm(ngx_http_campaign_dispatch_t *d, int64_t now);
static ngx_uint_t ngx_http_campaign_dispatch_pending(ngx_http_campaign_dispatch_t *d, int64_t now);


/* of this process; the hint is the cycle's */
static ngx_http_campaign_dispatch_t  ngx_http_campaign_dispatcher;
static ngx_fd_t                      ngx_http_campaign_hint = NGX_INVALID_FILE;


static void
ngx_http_campaign_dispatch_tick(ngx_event_t *ev)
{
    ngx_http_campaign_dispatch_t *d = ev->data;

    int64_t  now;

    if (d->state != NGX_HTTP_CAMPAIGN_DISPATCH_RUNNING && d->state != NGX_HTTP_CAMPAIGN_DISPATCH_LEFT) {
        return;
    }

    now = ngx_http_campaign_dispatch_clock();

    if (ngx_exiting && !d->draining) {
        ngx_log_error(NGX_LOG_INFO, d->log, 0, "campaign dispatcher: drains, %ui messages in flight", d->flying);
        d->draining = 1;
        ngx_http_campaign_exit_begin();
    }

    if (d->flying || !d->draining) {
        d->answered = now;
    }

    if (d->draining) {
        ngx_http_campaign_window_close(d, 1);

    } else if (ngx_http_campaign_window_send(d, now) == NGX_DECLINED && d->peeking == NULL) {
        ngx_http_campaign_lease_peek(d);
    }

    if (ngx_http_campaign_turn_at(d, now) <= now) {
        ngx_http_campaign_turn_start(d, now);
    }

    if (d->draining && d->turn == NULL && d->claimed == 0 && d->noutcomes == 0) {

        if (ngx_http_campaign_notify_drained()) {
            ngx_http_campaign_lease_release(d, NGX_HTTP_CAMPAIGN_DISPATCH_TRY);
            return;
        }

        if (ngx_exiting && d->state == NGX_HTTP_CAMPAIGN_DISPATCH_RUNNING) {
            ngx_http_campaign_leave_go(d);
        }
    }

    if (d->state == NGX_HTTP_CAMPAIGN_DISPATCH_LEFT) {
        (void) ngx_http_campaign_notify_drained();
        ngx_http_campaign_dispatch_arm(d, now);
        return;
    }

    if (now - d->showed >= NGX_HTTP_CAMPAIGN_DISPATCH_SHOW) {
        ngx_http_campaign_dispatch_show(d, now);
    }

    if (d->peeking == NULL && (d->hinted || now - ngx_max(d->peeked, d->turned) >= NGX_HTTP_CAMPAIGN_DISPATCH_PEEK)) {
        ngx_http_campaign_lease_peek(d);
    }

    ngx_http_campaign_dispatch_arm(d, now);
}


/* while something is under way the timer keeps a worker alive that is to exit */

static void
ngx_http_campaign_dispatch_arm(ngx_http_campaign_dispatch_t *d, int64_t now)
{
    int64_t  at;

    at = now + NGX_HTTP_CAMPAIGN_DISPATCH_PEEK;

    if (!d->draining && d->windows && !(d->peeking && now - d->sure > NGX_HTTP_CAMPAIGN_DISPATCH_SURE)) {
        at = ngx_min(at, ngx_max(d->windows->at, d->busy));
    }

    at = ngx_min(at, ngx_http_campaign_turn_at(d, now));
    at = ngx_max(at - now, 0);

    if (d->tick.timer_set) {
        ngx_del_timer(&d->tick);
    }

    d->tick.cancelable = ngx_http_campaign_dispatch_pending(d, now) ? 0 : 1;

    ngx_add_timer(&d->tick, ngx_max((ngx_msec_t) (at + 999) / 1000, 1));
}


static ngx_uint_t
ngx_http_campaign_dispatch_pending(ngx_http_campaign_dispatch_t *d, int64_t now)
{
    if (d->turn == NULL && d->claimed == 0 && d->noutcomes == 0) {
        return 0;
    }

    if (d->flying) {
        return 1;
    }

    /* what was not recorded is uncertain, as after a crash */

    if (d->failed_at && now - d->failed_at > NGX_HTTP_CAMPAIGN_DISPATCH_PATIENCE) {
        return 0;
    }

    return now - d->answered < NGX_HTTP_CAMPAIGN_EXIT_QUIT * 1000
           || ngx_campaign_store_waits(ngx_http_campaign_store()) < NGX_HTTP_CAMPAIGN_EXIT_QUIT;
}


void
ngx_http_campaign_dispatch_run(ngx_http_campaign_dispatch_t *d)
{
    d->state = NGX_HTTP_CAMPAIGN_DISPATCH_RUNNING;

    ngx_http_campaign_status_begin(d->epoch);

    d->showed = 0;
    d->start = 0;
    d->turned = 0;
    d->lag = 0;
    d->failed_at = 0;
    d->again_at = 0;
    d->backoff = 0;
    d->busy = 0;
    d->answered = 0;
    d->draining = 0;
    d->changed = 1;
    d->hinted = 0;

    ngx_http_campaign_leave_begin(d);
    ngx_http_campaign_notify_start(d->cmcf, d->log);
    ngx_http_campaign_dispatch_soon(d);
}


void
ngx_http_campaign_dispatch_stop(ngx_http_campaign_dispatch_t *d)
{
    ngx_http_campaign_notify_stop();
    ngx_http_campaign_status_end();

    if (d->turn) {
        ngx_campaign_store_cancel(&d->turn->op);
        d->turn = NULL;
    }

    ngx_http_campaign_window_close(d, 0);
    ngx_http_campaign_picture_clear(d);

    d->noutcomes = 0;
    d->claimed = 0;
    d->flying = 0;
    d->draining = 0;

    if (d->tick.timer_set) {
        ngx_del_timer(&d->tick);
    }

    if (d->tick.posted) {
        ngx_delete_posted_event(&d->tick);
    }
}


void
ngx_http_campaign_dispatch_soon(ngx_http_campaign_dispatch_t *d)
{
    ngx_post_event(&d->tick, &ngx_posted_events);
}


int64_t
ngx_http_campaign_dispatch_clock(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_MONOTONIC, &ts);         /* cannot fail: the clock exists, ts is ours */

    return (int64_t) ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}


ngx_int_t
ngx_http_campaign_dispatch_prepare(ngx_cycle_t *cycle)
{
#if (NGX_LINUX)

    if (ngx_http_campaign_hint != NGX_INVALID_FILE) {

        if (ngx_process == NGX_PROCESS_SINGLE) {
            return NGX_OK;                              /* it is in use */
        }

        if (close(ngx_http_campaign_hint) == -1) {      /* the workers of the last cycle have it */
            ngx_log_error(NGX_LOG_ALERT, cycle->log, ngx_errno, "close() of the dispatcher's hint failed");
        }
    }

    ngx_http_campaign_hint = eventfd(0, EFD_NONBLOCK|EFD_CLOEXEC);

    if (ngx_http_campaign_hint == -1) {
        ngx_log_error(NGX_LOG_EMERG, cycle->log, ngx_errno, "eventfd() failed");
        return NGX_ERROR;
    }

#endif

    return NGX_OK;
}


ngx_fd_t
ngx_http_campaign_dispatch_hint(void)
{
    return ngx_http_campaign_hint;
}


void
ngx_http_campaign_dispatch_wake(void)
{
    uint64_t  one;

    if (ngx_http_campaign_hint == NGX_INVALID_FILE) {
        return;
    }

    one = 1;

    if (write(ngx_http_campaign_hint, &one, sizeof(uint64_t)) == -1) {
        ngx_log_debug0(NGX_LOG_DEBUG_HTTP, ngx_cycle->log, ngx_errno, "campaign dispatcher: hint was not given");
    }
}


ngx_int_t
ngx_http_campaign_dispatch_init(ngx_cycle_t *cycle)
{
    ngx_uint_t                      i;
    ngx_http_campaign_gateway_t    *gateway;
    ngx_http_campaign_srv_conf_t   *conf;
    ngx_http_campaign_dispatch_t   *d;
    ngx_http_campaign_main_conf_t  *cmcf;

    d = &ngx_http_campaign_dispatcher;
    cmcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_campaign_module);

    if ((ngx_process != NGX_PROCESS_WORKER && ngx_process != NGX_PROCESS_SINGLE)
        || cmcf == NULL || cmcf->store.path.data == NULL || !cmcf->dispatch
        || (cmcf->gateways.nelts == 0 && cmcf->webhook.gateway.uri.data == NULL))
    {
        return NGX_OK;
    }

    d->cmcf = cmcf;
    d->log = cycle->log;

    d->pool = ngx_create_pool(NGX_DEFAULT_POOL_SIZE, cycle->log);
    if (d->pool == NULL) {
        return NGX_ERROR;
    }

    d->uncertain = ngx_palloc(d->pool, cmcf->gateways.nelts * sizeof(ngx_str_t));
    if (d->uncertain == NULL) {
        return NGX_ERROR;
    }

    gateway = cmcf->gateways.elts;

    for (i = 0; i < cmcf->gateways.nelts; i++) {
        conf = gateway[i].cscf->ctx->srv_conf[ngx_http_campaign_module.ctx_index];

        if (!conf->redelivery) {
            d->uncertain[d->nuncertain++] = gateway[i].channel;
        }
    }

    ngx_queue_init(&d->flights);

    d->tick.handler = ngx_http_campaign_dispatch_tick;
    d->tick.data = d;
    d->tick.log = cycle->log;
    d->tick.cancelable = 1;

    if (ngx_http_campaign_picture_init(d) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_http_campaign_lease_init(d);
}


/* no event loop any more, and no threads: what can still be said goes to the store's flush; the lock goes with the process, after it */

void
ngx_http_campaign_dispatch_exit(ngx_cycle_t *cycle)
{
    ngx_campaign_store_t          *st;
    ngx_http_campaign_dispatch_t  *d;

    d = &ngx_http_campaign_dispatcher;
    st = ngx_http_campaign_store();

    ngx_http_campaign_lease_deaf(d);

    if ((d->state != NGX_HTTP_CAMPAIGN_DISPATCH_RUNNING && d->state != NGX_HTTP_CAMPAIGN_DISPATCH_LEFT) || st == NULL) {
        return;
    }

    d->posted = 0;                                      /* nothing is handed over by a process that does not wait for answers */

    ngx_http_campaign_window_close(d, 1);

    ngx_http_campaign_turn_last(d, st);
}


void
ngx_http_campaign_dispatch_lost(void)
{
    ngx_http_campaign_dispatch_t  *d;

    d = &ngx_http_campaign_dispatcher;

    if (d->state == NGX_HTTP_CAMPAIGN_DISPATCH_RUNNING || d->state == NGX_HTTP_CAMPAIGN_DISPATCH_LEFT) {
        ngx_http_campaign_dispatch_uncertain(d, d->claimed + d->noutcomes + (d->turn ? d->turn->turn.noutcomes : 0));
    }
}


void
ngx_http_campaign_dispatch_flushed(void)
{
    ngx_uint_t                     n;
    ngx_http_campaign_dispatch_t  *d;

    d = &ngx_http_campaign_dispatcher;

    n = (d->turn && d->turn->op.rc != NGX_CAMPAIGN_OK) ? d->turn->turn.noutcomes : 0;

    if (d->last && d->last->op.rc != NGX_CAMPAIGN_OK) {
        n += d->last->turn.noutcomes;
    }

    ngx_http_campaign_dispatch_uncertain(d, n);
}


void
ngx_http_campaign_dispatch_uncertain(ngx_http_campaign_dispatch_t *d, ngx_uint_t n)
{
    if (n) {
        ngx_log_error(NGX_LOG_ERR, d->log, 0, "campaign dispatcher: what became of %ui messages is not on record, they are uncertain", n);
    }
}


void
ngx_http_campaign_dispatch_cut(void)
{
    ngx_http_campaign_window_cut(&ngx_http_campaign_dispatcher);
}
