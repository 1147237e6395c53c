
/*
 * The dispatcher's picture, put into status: a walk over all that can be sent, 50 ns a campaign.
 */

#include "ngx_http_campaign_dispatch.h"


void
ngx_http_campaign_dispatch_show(ngx_http_campaign_dispatch_t *d, int64_t now)
{
    ngx_uint_t                           i, n;
    ngx_rbtree_node_t                   *node;
    ngx_http_campaign_live_t            *live;
    ngx_http_campaign_series_t          *s;
    ngx_http_campaign_status_t          *status;
    ngx_http_campaign_gateway_status_t  *g;

    d->showed = now;
    status = ngx_http_campaign_status();

    for (i = 0; i < d->pick.ngateways; i++) {
        g = d->statuses[i];

        ngx_http_campaign_status_set(&g->slots, d->pick.gateways[i].slots);
        ngx_http_campaign_status_set(&g->limit, ngx_campaign_pick_open(&d->pick.gateways[i]));
        ngx_http_campaign_status_set(&g->held, d->pick.gateways[i].held);
    }

    for (s = status->series; s < status->series + NGX_HTTP_CAMPAIGN_STATUS_SERIES && s->channel[0]; s++) {
        s->shown = 0;
        s->shown_since = 0;
    }

    n = 0;

    if (d->campaigns.root != d->campaigns.sentinel) {
        for (node = ngx_rbtree_min(d->campaigns.root, d->campaigns.sentinel); node; node = ngx_rbtree_next(&d->campaigns, node)) {
            live = ngx_rbtree_data(node, ngx_http_campaign_live_t, node);
            s = live->series;
            n++;

            s->shown += live->pick.fresh + live->repeats;

            if (live->pick.fresh + live->repeats && (s->shown_since == 0 || live->started < (time_t) s->shown_since)) {
                s->shown_since = live->started;
            }

            ngx_http_campaign_status_set(&s->rate, live->pick.account->gcra.rate);
            ngx_http_campaign_status_set(&s->burst, live->pick.account->gcra.burst);
        }
    }

    for (s = status->series; s < status->series + NGX_HTTP_CAMPAIGN_STATUS_SERIES && s->channel[0]; s++) {
        ngx_http_campaign_status_set(&s->waiting, s->shown);
        ngx_http_campaign_status_set(&s->since, s->shown_since);
    }

    ngx_http_campaign_status_set(&status->campaigns, n);
}
