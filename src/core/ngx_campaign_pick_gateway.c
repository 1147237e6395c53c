
/*
 * What a gateway is given at once.  It keeps true: one that says it has too much to do (429, 503) gets half of what it had, down to one
 * message and a pause after it; each answer that is not one of these gives a little back (so a round of them one slot), until it has all
 * of its slots; what was sent before it got less says nothing about it.
 */

#include "ngx_campaign_pick.h"


#define NGX_CAMPAIGN_PICK_SLOT       16         /* bits of a slot's fraction in gateway->few */
#define NGX_CAMPAIGN_PICK_PAUSE      20000      /* us after each message, when one at a time is too much */
#define NGX_CAMPAIGN_PICK_PAUSE_MAX  500000
#define NGX_CAMPAIGN_PICK_PAUSE_END  2500       /* a shorter pause is none */


uint32_t
ngx_campaign_pick_open(const ngx_campaign_pick_gateway_t *g)
{
    return g->few ? (uint32_t) (g->few >> NGX_CAMPAIGN_PICK_SLOT) : g->slots;
}


ngx_uint_t
ngx_campaign_pick_blocked(const ngx_campaign_pick_gateway_t *g, int64_t now)
{
    return g->used >= ngx_campaign_pick_open(g) || g->held > now;
}


void
ngx_campaign_pick_settled(ngx_campaign_pick_gateway_t *g, uint32_t n)
{
    g->used -= n;
}


void
ngx_campaign_pick_away(ngx_campaign_pick_gateway_t *g, uint32_t n)
{
    g->used = g->used - g->away + n;
    g->away = n;
}


void
ngx_campaign_pick_hold(ngx_campaign_pick_gateway_t *g, int64_t until, int64_t now)
{
    if (g->since > now) {                               /* what holds it was said by the old clock */
        ngx_campaign_pick_gateway_back(g, now);
    }

    if (until > g->held) {
        g->held = until;
        g->since = now;
    }
}


/* half of what is out there, not of what might be: a gateway that is given little may find even that too much */

ngx_uint_t
ngx_campaign_pick_busy(ngx_campaign_pick_gateway_t *g, int64_t sent, int64_t now)
{
    uint64_t    given;
    ngx_uint_t  first;

    if (sent < g->cut) {
        return 0;
    }

    first = (g->few == 0);
    given = ngx_min(ngx_campaign_pick_open(g), g->used);

    if (given <= 1) {
        g->pause = ngx_min(ngx_max(g->pause * 2, NGX_CAMPAIGN_PICK_PAUSE), NGX_CAMPAIGN_PICK_PAUSE_MAX);
    }

    g->few = ngx_max(given << (NGX_CAMPAIGN_PICK_SLOT - 1), (uint64_t) 1 << NGX_CAMPAIGN_PICK_SLOT);
    g->cut = now;

    ngx_campaign_pick_hold(g, now + g->pause, now);

    return first;
}


ngx_uint_t
ngx_campaign_pick_fine(ngx_campaign_pick_gateway_t *g, int64_t now)
{
    if (g->few == 0) {
        return 0;
    }

    if (g->pause) {
        g->pause -= g->pause / 8;

        if (g->pause < NGX_CAMPAIGN_PICK_PAUSE_END) {
            g->pause = 0;
        }

        ngx_campaign_pick_hold(g, now + g->pause, now);
        return 0;
    }

    g->few += ((uint64_t) 1 << (2 * NGX_CAMPAIGN_PICK_SLOT)) / g->few + 1;

    if (g->few >> NGX_CAMPAIGN_PICK_SLOT < g->slots) {
        return 0;
    }

    g->few = 0;

    return 1;
}


/* times of the old clock */

void
ngx_campaign_pick_gateway_back(ngx_campaign_pick_gateway_t *g, int64_t now)
{
    if (g->since > now) {                               /* else it was said by the new clock */
        g->held = now + (g->held - g->since);
        g->since = now;
    }

    g->cut = ngx_min(g->cut, now);
}
