
/*
 * What the tests of the dispatcher's decisions share: a store and gateways played by the test.  The clock jumps from one look to the next,
 * claims are answered at once, messages are settled after the gateway's latency.
 */

#ifndef _PICK_H_INCLUDED_
#define _PICK_H_INCLUDED_


#include "ngx_campaign_pick.h"
#include "tap.h"

#include <string.h>


#define GATEWAYS   3
#define ACCOUNTS   64
#define CAMPAIGNS  10240
#define FLIGHTS    4096

#define SECOND     ((int64_t) 1000000)
#define START      (1700000000 * SECOND)


typedef struct {
    ngx_campaign_pick_campaign_t  pick;
    uint32_t                      fresh, again;     /* the store's: not claimed, repeats that wait; all of them due at once */
    int64_t                       due;
    uint64_t                      sent, repeated;   /* repeated: of sent */
    int64_t                       last;             /* when the last message was claimed */
} campaign_t;

typedef struct {
    ngx_campaign_pick_gateway_t  *gateway;          /* NULL: free */
    int64_t                       at;               /* when it is settled */
} flight_t;


static ngx_campaign_pick_t          pick;
static ngx_campaign_pick_gateway_t  gateways[GATEWAYS];
static ngx_campaign_pick_account_t  accounts[ACCOUNTS];
static ngx_campaign_pick_lane_t     lanes[ACCOUNTS][GATEWAYS];
static campaign_t                   campaigns[CAMPAIGNS];

static int64_t     now, latency;
static ngx_uint_t  turns, asks, wrong, stuck;       /* asks: campaigns in turns; stuck: the store claims no fresh message */
static uint64_t    by_account[ACCOUNTS], by_gateway[GATEWAYS];
static uint32_t    in_flight[GATEWAYS], claimed[CAMPAIGNS];
static flight_t    flights[FLIGHTS];


static void
begin(uint32_t slots, int64_t latency_us)
{
    ngx_uint_t  i;

    memset(gateways, 0, sizeof(gateways));
    memset(accounts, 0, sizeof(accounts));
    memset(campaigns, 0, sizeof(campaigns));
    memset(by_account, 0, sizeof(by_account));
    memset(by_gateway, 0, sizeof(by_gateway));
    memset(in_flight, 0, sizeof(in_flight));
    memset(flights, 0, sizeof(flights));
    memset(&pick, 0, sizeof(pick));

    for (i = 0; i < GATEWAYS; i++) {
        gateways[i].slots = slots;
    }

    now = START;
    latency = latency_us;
    turns = 0;
    asks = 0;
    wrong = 0;
    stuck = 0;

    pick.gateways = gateways;
    pick.ngateways = GATEWAYS;
    pick.horizon = 40000;
    pick.most = 2000;
    pick.fast = NGX_CAMPAIGN_PICK_FAST;

    ngx_campaign_pick_init(&pick);
}


static void
account(ngx_uint_t i, uint64_t rate, uint32_t burst)
{
    accounts[i].gcra.rate = rate * NGX_CAMPAIGN_RATE_UNIT;
    accounts[i].gcra.burst = burst;
    accounts[i].active = 1;
    accounts[i].lanes = lanes[i];

    ngx_campaign_pick_account_add(&pick, &accounts[i]);
}


static void
campaign(ngx_uint_t i, ngx_uint_t a, ngx_uint_t g, uint32_t fresh, uint32_t again, int64_t due)
{
    campaign_t  *c;

    c = &campaigns[i];
    c->fresh = fresh;
    c->again = again;
    c->due = due;

    c->pick.account = &accounts[a];
    c->pick.gateway = &gateways[g];
    c->pick.data = c;

    ngx_campaign_pick_campaign_set(&pick, &c->pick, fresh, again ? due : 0, now);
}


/* the store's part: repeats up to their share, or as many as are due when no fresh one is left */

static uint32_t
claim(campaign_t *c)
{
    uint32_t  again, fresh;

    again = 0;

    if (c->again && c->due <= now) {
        again = c->fresh ? c->pick.again : c->pick.want;
        again = ngx_min(c->again, again);
        c->again -= again;
        c->repeated += again;
    }

    fresh = stuck ? 0 : ngx_min(c->fresh, c->pick.want - again);
    c->fresh -= fresh;

    if (again + fresh) {
        c->last = now;
    }

    c->sent += again + fresh;
    by_account[c->pick.account - accounts] += again + fresh;
    by_gateway[c->pick.gateway - gateways] += again + fresh;

    return again + fresh;
}


static void
fly(ngx_campaign_pick_gateway_t *g, int64_t at)
{
    ngx_uint_t  i;

    for (i = 0; i < FLIGHTS; i++) {
        if (flights[i].gateway == NULL) {
            flights[i].gateway = g;
            flights[i].at = at + latency;
            break;
        }
    }

    if (i == FLIGHTS || ++in_flight[g - gateways] > g->slots || g->held > now) {
        wrong++;
    }
}


static void
answer(ngx_campaign_pick_campaign_t *pc)
{
    campaign_t  *c;

    c = pc->data;

    ngx_campaign_pick_claimed(&pick, pc, claimed[c - campaigns], c->fresh, c->again ? c->due : 0, now);
}


static uint32_t
tick(void)
{
    int64_t                        first, step;
    uint32_t                       n, k, total;
    ngx_queue_t                   *q, *p;
    ngx_campaign_pick_account_t   *a;
    ngx_campaign_pick_campaign_t  *c;

    total = ngx_campaign_pick_turn(&pick, now);

    if (total) {
        turns++;
    }

    for (q = ngx_queue_head(&pick.asked); q != ngx_queue_sentinel(&pick.asked); q = ngx_queue_next(q)) {
        a = ngx_queue_data(q, ngx_campaign_pick_account_t, asked);

        if (a->want > ngx_campaign_gcra_peek(&a->gcra, now * 1000, (now + pick.horizon) * 1000, a->want) || !a->active) {
            wrong++;                                    /* more than the rate allows was asked for */
        }

        for (n = 0, p = ngx_queue_head(&a->claims); p != ngx_queue_sentinel(&a->claims); p = ngx_queue_next(p)) {
            c = ngx_queue_data(p, ngx_campaign_pick_campaign_t, claim);
            asks++;

            if (c->again > c->want) {
                wrong++;
            }

            claimed[((campaign_t *) c->data) - campaigns] = claim(c->data);
            n += claimed[((campaign_t *) c->data) - campaigns];
        }

        (void) ngx_campaign_gcra_take(&a->gcra, now * 1000, (now + pick.horizon) * 1000, n, &first, &step);

        for (k = 0, p = ngx_queue_head(&a->claims); p != ngx_queue_sentinel(&a->claims); p = ngx_queue_next(p)) {
            c = ngx_queue_data(p, ngx_campaign_pick_campaign_t, claim);

            for (n = claimed[((campaign_t *) c->data) - campaigns]; n; n--, k++) {
                fly(c->gateway, ngx_max(now, (first + (int64_t) k * step) / 1000));
            }

            answer(c);
        }

        ngx_campaign_pick_granted(&pick, a, now);
    }

    return total;
}


/* settles what has landed; when the next one will */

static int64_t
land(void)
{
    int64_t     at;
    ngx_uint_t  i;

    for (at = NGX_CAMPAIGN_PICK_NEVER, i = 0; i < FLIGHTS; i++) {
        if (flights[i].gateway == NULL) {
            continue;
        }

        if (flights[i].at > now) {
            at = ngx_min(at, flights[i].at);
            continue;
        }

        in_flight[flights[i].gateway - gateways]--;
        ngx_campaign_pick_settled(flights[i].gateway, 1);
        flights[i].gateway = NULL;
    }

    return at;
}


/* runs until then; the clock goes at least 1 ms at a time, as timers do */

static void
run(int64_t until)
{
    int64_t  at, landing;

    while (now < until) {
        landing = land();
        (void) tick();

        at = ngx_min(ngx_campaign_pick_next(&pick, now), landing);
        landing = land();
        at = ngx_min(at, landing);

        now = ngx_min(until, ngx_max(at, now + 1000));
    }
}


#endif /* _PICK_H_INCLUDED_ */
