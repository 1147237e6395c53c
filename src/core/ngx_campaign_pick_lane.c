
/*
 * Slots of a gateway that campaigns wait for.  It keeps true: in a turn each free slot goes to the lane that has waited longest, and lanes that
 * have more to send go round, however many campaigns stand in each; so accounts have the same part of a full gateway.  Who has no rate when its
 * turn comes is due, and first when it has: else a slow account that sends at other gateways, too, would never have waited long enough here.
 */

#include "ngx_campaign_pick.h"


static void ngx_campaign_pick_unserve(ngx_campaign_pick_t *pick, ngx_campaign_pick_gateway_t *g);


/* the slots that are free go to lanes, by turns, and with each a campaign that is parked there */

void
ngx_campaign_pick_unpark(ngx_campaign_pick_t *pick, int64_t now)
{
    uint32_t                       n;
    ngx_uint_t                     i;
    ngx_campaign_pick_lane_t      *lane;
    ngx_campaign_pick_gateway_t   *g;
    ngx_campaign_pick_campaign_t  *c;

    for (i = 0; i < pick->ngateways; i++) {
        g = &pick->gateways[i];

        if (ngx_campaign_pick_blocked(g, now)) {
            continue;
        }

        for (n = ngx_campaign_pick_open(g) - g->used; n; /* void */ ) {

            if (ngx_queue_empty(&g->lanes)) {
                ngx_campaign_pick_unserve(pick, g);
                g->again = 1;
            }

            if (ngx_queue_empty(&g->lanes)) {
                break;
            }

            lane = ngx_queue_data(ngx_queue_head(&g->lanes), ngx_campaign_pick_lane_t, queue);

            ngx_campaign_pick_unwait(lane);

            if (ngx_campaign_pick_account_spent(lane->account)) {
                lane->due = 1;
                continue;
            }

            n--;
            lane->served = 1;
            lane->slots++;
            ngx_queue_insert_tail(&g->served, &lane->queue);

            if (ngx_campaign_pick_line_empty(&lane->parked)) {      /* those that it had are ready, and may have more to send */

                if (ngx_queue_empty(&g->lanes) && ngx_queue_head(&g->served) == ngx_queue_last(&g->served)) {
                    lane->slots += n;
                    break;
                }

                continue;
            }

            c = ngx_campaign_pick_line_head(&lane->parked);
            ngx_campaign_pick_line_went(&lane->parked, c, 0);

            if (lane->account->timer.set) {
                ngx_campaign_heap_remove(&pick->accounts, &lane->account->timer);
            }

            ngx_campaign_pick_leave(pick, c);
            ngx_campaign_pick_ready(pick, c, 1);
        }
    }
}


/* lanes that were given a slot wait for the next, in the order in which they were */

static void
ngx_campaign_pick_unserve(ngx_campaign_pick_t *pick, ngx_campaign_pick_gateway_t *g)
{
    ngx_campaign_pick_lane_t  *lane;

    while (!ngx_queue_empty(&g->served)) {
        lane = ngx_queue_data(ngx_queue_head(&g->served), ngx_campaign_pick_lane_t, queue);

        ngx_campaign_pick_unwait(lane);
        ngx_campaign_pick_account_place(pick, lane->account);
    }
}


/* slots that lanes did not use are free again; what waits only for more of them waits no longer */

void
ngx_campaign_pick_unslot(ngx_campaign_pick_t *pick, ngx_campaign_pick_gateway_t *g)
{
    ngx_queue_t               *q, *next;
    ngx_campaign_pick_lane_t  *lane;

    for (q = ngx_queue_head(&g->served); q != ngx_queue_sentinel(&g->served); q = ngx_queue_next(q)) {
        lane = ngx_queue_data(q, ngx_campaign_pick_lane_t, queue);
        lane->slots = 0;
    }

    if (g->again) {                                     /* then all that wait were given some, or came since */
        g->again = 0;

        for (q = ngx_queue_head(&g->lanes); q != ngx_queue_sentinel(&g->lanes); q = next) {
            next = ngx_queue_next(q);

            lane = ngx_queue_data(q, ngx_campaign_pick_lane_t, queue);
            lane->slots = 0;

            if (ngx_campaign_pick_line_empty(&lane->parked)) {
                ngx_campaign_pick_unwait(lane);
            }
        }
    }

    ngx_campaign_pick_unserve(pick, g);
}


void
ngx_campaign_pick_wait(ngx_campaign_pick_gateway_t *g, ngx_campaign_pick_lane_t *lane)
{
    if (!lane->due) {
        ngx_queue_insert_tail(&g->lanes, &lane->queue);

    } else if (ngx_campaign_pick_account_spent(lane->account)) {
        return;

    } else {
        ngx_queue_insert_head(&g->lanes, &lane->queue);
    }

    lane->waits = 1;
    lane->due = 0;
}


void
ngx_campaign_pick_unwait(ngx_campaign_pick_lane_t *lane)
{
    if (lane->waits || lane->served) {
        ngx_queue_remove(&lane->queue);
    }

    lane->waits = 0;
    lane->served = 0;
    lane->due = 0;
}
