
/*
 * GCRA.  With tau = (burst - 1) steps, a message conforms at t if t >= tat - tau, and then tat = max(t, tat) + step.  For messages that
 * each go as soon as they may this is a straight line: message k goes at max(now, base - tau + k steps), base being max(now, tat); so a
 * grant is one division.  A window of a second never holds more than rate + burst messages.
 */

#include "ngx_campaign_gcra.h"


/* longest time that is reckoned with, 73 years in ns: sums of two such and of a date stay below 2^63 */
#define NGX_CAMPAIGN_GCRA_LONG  ((int64_t) 1 << 61)


static void ngx_campaign_gcra_line(const ngx_campaign_gcra_t *g, int64_t now, int64_t ahead, int64_t *base, int64_t *first,
    int64_t *step);
static int64_t ngx_campaign_gcra_tau(const ngx_campaign_gcra_t *g, int64_t step);
static ngx_uint_t ngx_campaign_gcra_count(int64_t now, int64_t until, ngx_uint_t want, int64_t first, int64_t step);


ngx_uint_t
ngx_campaign_gcra_take(ngx_campaign_gcra_t *g, int64_t now, int64_t until, ngx_uint_t want, int64_t *first, int64_t *step)
{
    int64_t     base;
    ngx_uint_t  n;

    until = ngx_min(until, now + NGX_CAMPAIGN_GCRA_LONG);

    ngx_campaign_gcra_line(g, now, until - now, &base, first, step);

    n = ngx_campaign_gcra_count(now, until, want, *first, *step);

    if (n) {
        g->tat = base + (int64_t) n * *step;

    } else {
        *first = ngx_max(*first, now);
    }

    return n;
}


ngx_uint_t
ngx_campaign_gcra_peek(const ngx_campaign_gcra_t *g, int64_t now, int64_t until, ngx_uint_t want)
{
    int64_t  base, first, step;

    until = ngx_min(until, now + NGX_CAMPAIGN_GCRA_LONG);

    ngx_campaign_gcra_line(g, now, until - now, &base, &first, &step);

    return ngx_campaign_gcra_count(now, until, want, first, step);
}


int64_t
ngx_campaign_gcra_next(const ngx_campaign_gcra_t *g, int64_t now)
{
    int64_t  base, first, step;

    ngx_campaign_gcra_line(g, now, 0, &base, &first, &step);

    return ngx_max(first, now);
}


int64_t
ngx_campaign_gcra_step(uint64_t rate)
{
    uint64_t  unit;

    unit = (uint64_t) NGX_CAMPAIGN_NS * NGX_CAMPAIGN_RATE_UNIT;
    rate = ngx_max(rate, 1);

    return (int64_t) (unit / rate + (unit % rate ? 1 : 0));
}


/*
 * Releases may have been booked up to `ahead` after the present; a tat beyond what they account for comes from a clock that was set back.
 * It is brought down so far that one message may go now: a grant, unlike a mere wait, is what a caller keeps.
 */

static void
ngx_campaign_gcra_line(const ngx_campaign_gcra_t *g, int64_t now, int64_t ahead, int64_t *base, int64_t *first, int64_t *step)
{
    int64_t  tau, tat;

    *step = ngx_campaign_gcra_step(g->rate);

    tau = ngx_campaign_gcra_tau(g, *step);
    tat = g->tat;

    if (tat > now + tau + *step + ngx_max(ahead, NGX_CAMPAIGN_GCRA_AHEAD)) {
        tat = now + tau;
    }

    *base = ngx_max(tat, now);
    *first = *base - tau;
}


static int64_t
ngx_campaign_gcra_tau(const ngx_campaign_gcra_t *g, int64_t step)
{
    if (g->burst <= 1) {
        return 0;
    }

    if (g->burst - 1 < NGX_CAMPAIGN_GCRA_LONG / step) {
        return (int64_t) (g->burst - 1) * step;
    }

    return NGX_CAMPAIGN_GCRA_LONG;
}


static ngx_uint_t
ngx_campaign_gcra_count(int64_t now, int64_t until, ngx_uint_t want, int64_t first, int64_t step)
{
    uint64_t  n;

    if (until < now || until < first) {
        return 0;
    }

    n = (uint64_t) (until - first) / (uint64_t) step + 1;

    return ngx_min(n, want);
}


int64_t
ngx_campaign_gcra_pace_next(const ngx_campaign_gcra_t *g, int64_t slack, int64_t now)
{
    int64_t  tau;

    tau = ngx_campaign_gcra_tau(g, ngx_campaign_gcra_step(g->rate));

    return ngx_max(now, g->tat - ngx_max(tau, slack));
}


void
ngx_campaign_gcra_pace_sent(ngx_campaign_gcra_t *g, int64_t now)
{
    g->tat = ngx_max(g->tat, now) + ngx_campaign_gcra_step(g->rate);
}


/* messages that were late by less than the burst, or the slack, have moved nothing */

int64_t
ngx_campaign_gcra_pace_tat(const ngx_campaign_gcra_t *g, int64_t slack, uint64_t n)
{
    int64_t  tau, step;

    step = ngx_campaign_gcra_step(g->rate);
    tau = ngx_campaign_gcra_tau(g, step);

    n = ngx_min(n, (uint64_t) (NGX_CAMPAIGN_GCRA_LONG / step));

    return g->tat + (int64_t) n * step - ngx_max(slack - tau, 0);
}


void
ngx_campaign_gcra_change(ngx_campaign_gcra_t *g, uint64_t rate, uint32_t burst, int64_t now)
{
    double   sent;
    int64_t  old, step;

    old = ngx_campaign_gcra_step(g->rate);
    step = ngx_campaign_gcra_step(rate);

    g->rate = rate;
    g->burst = burst;

    if (g->tat <= now) {
        return;
    }

    sent = (double) (g->tat - now) / (double) old;

    if (sent >= ngx_max(burst, 1)) {
        g->tat = ngx_campaign_gcra_spent(g, now);

    } else {
        g->tat = now + (int64_t) ngx_min(sent * (double) step, (double) NGX_CAMPAIGN_GCRA_LONG);
    }
}


int64_t
ngx_campaign_gcra_before(const ngx_campaign_gcra_t *g, int64_t first)
{
    return first + ngx_campaign_gcra_tau(g, ngx_campaign_gcra_step(g->rate));
}


int64_t
ngx_campaign_gcra_spent(const ngx_campaign_gcra_t *g, int64_t now)
{
    int64_t  step;

    step = ngx_campaign_gcra_step(g->rate);

    return now + ngx_campaign_gcra_tau(g, step) + step;
}
