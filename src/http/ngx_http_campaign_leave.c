
/*
 * A dispatcher whose process exits does not make the next one wait for its gateways: it hands over what is in flight, lets the lock go, and
 * stays until it has recorded what becomes of it.  And the other side: a dispatcher that takes over looks after what earlier ones have in
 * flight, until nothing is.  It keeps true: nothing is handed over that was not sent; messages in flight take slots, whoever sent them.
 */

#include "ngx_http_campaign_dispatch.h"
#include "ngx_http_campaign_notify.h"


void
ngx_http_campaign_leave_begin(ngx_http_campaign_dispatch_t *d)
{
    ngx_campaign_store_t  *st;

    st = ngx_http_campaign_store();

    /* without it this dispatcher waits for its answers before it lets go */

    d->posted = (st && ngx_campaign_store_post(st, d->epoch) == NGX_OK) ? 1 : 0;
    d->looked = 0;
    d->look_at = 0;
}


void
ngx_http_campaign_leave_end(ngx_http_campaign_dispatch_t *d)
{
    ngx_campaign_store_t  *st;

    st = ngx_http_campaign_store();

    if (d->posted && st) {
        ngx_campaign_store_post_leave(st, d->epoch);
    }

    d->posted = 0;
}


ngx_uint_t
ngx_http_campaign_leave_due(ngx_http_campaign_dispatch_t *d)
{
    return ngx_exiting && d->draining && d->posted && d->state == NGX_HTTP_CAMPAIGN_DISPATCH_RUNNING && d->turn == NULL
           && d->flying && d->flying == d->claimed;
}


ngx_int_t
ngx_http_campaign_leave_turn(ngx_http_campaign_dispatch_t *d, ngx_http_campaign_turn_t *t)
{
    t->turn.leaving = ngx_palloc(t->op.pool, d->flying * sizeof(ngx_campaign_leaving_t));
    if (t->turn.leaving == NULL) {
        return NGX_ERROR;
    }

    ngx_http_campaign_window_leaving(d, t->turn.leaving, d->flying);
    t->turn.nleaving = d->flying;

    return NGX_OK;
}


void
ngx_http_campaign_leave_go(ngx_http_campaign_dispatch_t *d)
{
    ngx_log_error(NGX_LOG_NOTICE, d->log, 0, "campaign dispatcher: handed over, epoch %uL, and waits for %ui answers", d->epoch, d->flying);

    d->state = NGX_HTTP_CAMPAIGN_DISPATCH_LEFT;

    if (d->peeking) {
        ngx_campaign_store_cancel(d->peeking);
        d->peeking = NULL;
    }

    ngx_http_campaign_status_end();
    ngx_http_campaign_lease_deaf(d);
    ngx_http_campaign_lease_unlock(d);
}


void
ngx_http_campaign_leave_looked(ngx_http_campaign_dispatch_t *d, ngx_array_t *away)
{
    uint32_t                      n, all;
    ngx_uint_t                    i, k;
    ngx_campaign_away_t          *a;
    ngx_campaign_pick_gateway_t  *g;
    ngx_http_campaign_gateway_t  *gateway;

    a = away->elts;
    all = 0;

    for (k = 0; k < away->nelts; k++) {
        all += a[k].n;
    }

    for (i = 0; i < d->pick.ngateways; i++) {
        g = &d->pick.gateways[i];
        gateway = g->data;
        n = 0;

        for (k = 0; k < away->nelts; k++) {
            if (ngx_http_campaign_gateway(d->cmcf, &a[k].channel) == gateway) {
                n += a[k].n;
            }
        }

        ngx_http_campaign_status_add(&d->statuses[i]->in_flight, (int64_t) n - g->away);
        ngx_campaign_pick_away(g, n);
    }

    d->looked = 1;
    d->look_at = all ? ngx_http_campaign_dispatch_clock() + NGX_HTTP_CAMPAIGN_DISPATCH_LOOK : NGX_HTTP_CAMPAIGN_DISPATCH_NEVER;
}
