
/*
 * Rate limiter: the generic cell rate algorithm (ITU-T I.371, annex A, virtual scheduling).  An account may send a
 * message every 1/rate s, and `burst` of them at once after it was idle.  All times are ns since 1970; now is given.
 */

#ifndef _NGX_CAMPAIGN_GCRA_H_INCLUDED_
#define _NGX_CAMPAIGN_GCRA_H_INCLUDED_


#include "ngx_campaign.h"


#define NGX_CAMPAIGN_GCRA_AHEAD  NGX_CAMPAIGN_NS    /* a caller books releases at most this long ahead of now */


typedef struct {
    uint64_t     rate;          /* millionths of a message a second, 1 .. NGX_CAMPAIGN_RATE_MAX * NGX_CAMPAIGN_RATE_UNIT */
    uint32_t     burst;         /* messages, at least 1 */
    int64_t      tat;           /* theoretical arrival time: when a message would be due by the rate alone; 0: never sent */
} ngx_campaign_gcra_t;


/*
 * Grants up to `want` messages whose time of release is not after `until` (>= now) and books them (tat moves on).
 * Message k (from 0) of the grant may go at max(now, *first + k * *step).  Returns the number granted; with 0 the
 * results are still set: *first is when the next one may go.  A tat too far in the future (the clock was set back) is
 * brought down so that one message may go now, the next a step later: a step of the clock never stalls an account.
 * Too far is more than burst steps after what may be booked ahead: after the later of `until` and
 * now + NGX_CAMPAIGN_GCRA_AHEAD.
 */
ngx_uint_t ngx_campaign_gcra_take(ngx_campaign_gcra_t *g, int64_t now, int64_t until, ngx_uint_t want, int64_t *first,
    int64_t *step);

/* as take, but books nothing: how many of `want` would be granted */
ngx_uint_t ngx_campaign_gcra_peek(const ngx_campaign_gcra_t *g, int64_t now, int64_t until, ngx_uint_t want);

/* when the next message may go; not before now */
int64_t ngx_campaign_gcra_next(const ngx_campaign_gcra_t *g, int64_t now);

/* ns between two messages, rounded up so that the rate is never exceeded */
int64_t ngx_campaign_gcra_step(uint64_t rate);


/*
 * Pace: the limiter once more, at the moment of sending.  A grant's messages that are late (the commit was, the process did not run) would
 * all go at once; a limiter that notes when each really went holds them back, so that what arrives keeps rate and burst.  Its clock may be
 * any that never goes back.  `slack` ns that a message may be late without effect on those after it: no timer is finer.
 */

/* when the next message may go; not before now */
int64_t ngx_campaign_gcra_pace_next(const ngx_campaign_gcra_t *g, int64_t slack, int64_t now);

/* a message goes now */
void ngx_campaign_gcra_pace_sent(ngx_campaign_gcra_t *g, int64_t now);

/* tat that grants have to go on from, when n messages of theirs have still to go */
int64_t ngx_campaign_gcra_pace_tat(const ngx_campaign_gcra_t *g, int64_t slack, uint64_t n);

/*
 * Rate and burst are others from now on.  What was sent counts on as that many messages, no more than the new burst: the next one is at most a
 * step of the new rate away, and no second with one change in it holds more than the greater rate and the greater burst.
 */
void ngx_campaign_gcra_change(ngx_campaign_gcra_t *g, uint64_t rate, uint32_t burst, int64_t now);

/* tat as it was before a grant whose first message may go at `first` */
int64_t ngx_campaign_gcra_before(const ngx_campaign_gcra_t *g, int64_t first);

/* tat when the burst is spent, and one message more */
int64_t ngx_campaign_gcra_spent(const ngx_campaign_gcra_t *g, int64_t now);


#endif /* _NGX_CAMPAIGN_GCRA_H_INCLUDED_ */
