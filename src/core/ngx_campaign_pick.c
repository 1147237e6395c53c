
/*
 * Whose turn it is.  It keeps true: a campaign stands in at most one place (its account's ready ring, a lane's parked queue, the heap)
 * and only if it has something to send; an account is in the ring if, and only if, it may send and has a ready campaign; a lane waits at
 * its gateway, or is due there, if campaigns are parked in it and its account is active; used slots are those of messages asked for,
 * claimed or in flight.
 */

#include "ngx_campaign_pick.h"


#define NGX_CAMPAIGN_PICK_NOWHERE  0
#define NGX_CAMPAIGN_PICK_READY    1
#define NGX_CAMPAIGN_PICK_PARKED   2

#define NGX_CAMPAIGN_PICK_REPEATS      8        /* repeats asked for at first, and at most */
#define NGX_CAMPAIGN_PICK_REPEATS_MAX  1024

#define NGX_CAMPAIGN_PICK_SPARE  2000           /* us before its release that a message is saved no longer */


static void ngx_campaign_pick_clock_back(ngx_campaign_pick_t *pick, int64_t now);
static void ngx_campaign_pick_expire(ngx_campaign_pick_t *pick, int64_t now);
static uint32_t ngx_campaign_pick_walk(ngx_campaign_pick_t *pick, uint32_t most, int64_t now);
static ngx_uint_t ngx_campaign_pick_visit(ngx_campaign_pick_t *pick, ngx_campaign_pick_account_t *a, int64_t now);
static void ngx_campaign_pick_allow(ngx_campaign_pick_t *pick, ngx_campaign_pick_account_t *a, int64_t now);
static void ngx_campaign_pick_spent(ngx_campaign_pick_t *pick, ngx_campaign_pick_account_t *a, int64_t now);
static void ngx_campaign_pick_share(ngx_campaign_pick_campaign_t *c, int64_t now);

static void ngx_campaign_pick_account_rest(ngx_campaign_pick_t *pick, ngx_campaign_pick_account_t *a);
static ngx_uint_t ngx_campaign_pick_account_idle(ngx_campaign_pick_t *pick, ngx_campaign_pick_account_t *a);
static ngx_uint_t ngx_campaign_pick_account_parked(ngx_campaign_pick_t *pick, ngx_campaign_pick_account_t *a);
static int64_t ngx_campaign_pick_account_look(ngx_campaign_pick_t *pick, ngx_campaign_pick_account_t *a, int64_t now);
static void ngx_campaign_pick_unring(ngx_campaign_pick_account_t *a);

static void ngx_campaign_pick_place(ngx_campaign_pick_t *pick, ngx_campaign_pick_campaign_t *c, int64_t now);
static void ngx_campaign_pick_park(ngx_campaign_pick_t *pick, ngx_campaign_pick_campaign_t *c, ngx_uint_t first);
static ngx_campaign_pick_lane_t *ngx_campaign_pick_lane(ngx_campaign_pick_t *pick, ngx_campaign_pick_campaign_t *c);
static uint64_t ngx_campaign_pick_need(ngx_campaign_pick_campaign_t *c, int64_t now);


#define ngx_campaign_pick_of(t, type)  ((type *) ((u_char *) (t) - offsetof(type, timer)))


uint32_t
ngx_campaign_pick_turn(ngx_campaign_pick_t *pick, int64_t now)
{
    uint32_t                      n;
    ngx_queue_t                  *q, *p;
    ngx_campaign_pick_account_t  *a;

    ngx_queue_init(&pick->asked);

    if (now < pick->now) {
        ngx_campaign_pick_clock_back(pick, now);
    }

    pick->now = now;

    ngx_campaign_pick_expire(pick, now);

    for (n = 0; n < pick->most; /* void */ ) {
        ngx_campaign_pick_unpark(pick, now);

        if (ngx_queue_empty(&pick->ring)) {
            break;
        }

        n += ngx_campaign_pick_walk(pick, pick->most - n, now);
    }

    for (q = ngx_queue_head(&pick->asked); q != ngx_queue_sentinel(&pick->asked); q = ngx_queue_next(q)) {
        a = ngx_queue_data(q, ngx_campaign_pick_account_t, asked);

        for (p = ngx_queue_head(&a->claims); p != ngx_queue_sentinel(&a->claims); p = ngx_queue_next(p)) {
            ngx_campaign_pick_share(ngx_queue_data(p, ngx_campaign_pick_campaign_t, claim), now);
        }
    }

    return n;
}


/* times of the old clock would be waited for too long: all is reckoned anew */

static void
ngx_campaign_pick_clock_back(ngx_campaign_pick_t *pick, int64_t now)
{
    ngx_uint_t                     i;
    ngx_campaign_heap_node_t      *t, *old;
    ngx_campaign_pick_account_t   *a;
    ngx_campaign_pick_campaign_t  *c;

    for (i = 0; i < pick->ngateways; i++) {
        ngx_campaign_pick_gateway_back(&pick->gateways[i], now);
    }

    while (pick->accounts) {
        a = ngx_campaign_pick_of(pick->accounts, ngx_campaign_pick_account_t);

        ngx_campaign_heap_remove(&pick->accounts, &a->timer);
        ngx_campaign_pick_account_place(pick, a);
    }

    for (old = pick->campaigns, pick->campaigns = NULL; old; /* void */ ) {
        t = old;
        ngx_campaign_heap_remove(&old, t);

        c = ngx_campaign_pick_of(t, ngx_campaign_pick_campaign_t);
        c->rest = 0;
        ngx_campaign_pick_place(pick, c, now);
    }
}


/* accounts a little early, so that many of them share a turn */

static void
ngx_campaign_pick_expire(ngx_campaign_pick_t *pick, int64_t now)
{
    ngx_campaign_pick_account_t   *a;
    ngx_campaign_pick_campaign_t  *c;

    while (pick->accounts && pick->accounts->at <= now + pick->horizon / 4) {
        a = ngx_campaign_pick_of(pick->accounts, ngx_campaign_pick_account_t);

        ngx_campaign_heap_remove(&pick->accounts, &a->timer);
        ngx_campaign_pick_account_place(pick, a);
    }

    while (pick->campaigns && pick->campaigns->at <= now) {
        c = ngx_campaign_pick_of(pick->campaigns, ngx_campaign_pick_campaign_t);

        ngx_campaign_heap_remove(&pick->campaigns, &c->timer);
        ngx_campaign_pick_place(pick, c, now);
    }
}


static uint32_t
ngx_campaign_pick_walk(ngx_campaign_pick_t *pick, uint32_t most, int64_t now)
{
    uint32_t                      n;
    ngx_uint_t                    i;
    ngx_campaign_pick_account_t  *a;

    for (n = 0; n < most && !ngx_queue_empty(&pick->ring); /* void */ ) {
        a = ngx_queue_data(ngx_queue_head(&pick->ring), ngx_campaign_pick_account_t, queue);

        ngx_queue_remove(&a->queue);
        ngx_queue_insert_tail(&pick->ring, &a->queue);

        n += ngx_campaign_pick_visit(pick, a, now);
    }

    for (i = 0; i < pick->ngateways; i++) {
        ngx_campaign_pick_unslot(pick, &pick->gateways[i]);
    }

    return n;
}


/* one message of the account's next campaign; 0: rate spent, or the campaign's gateway has no slot, and out it goes */

static ngx_uint_t
ngx_campaign_pick_visit(ngx_campaign_pick_t *pick, ngx_campaign_pick_account_t *a, int64_t now)
{
    ngx_uint_t                     stays;
    ngx_campaign_pick_lane_t      *lane;
    ngx_campaign_pick_campaign_t  *c;

    if (!a->in_turn) {
        ngx_campaign_pick_allow(pick, a, now);
    }

    c = ngx_campaign_pick_line_head(&a->ready);
    lane = ngx_campaign_pick_lane(pick, c);

    if (a->allowed == 0 || (a->allowed <= a->spare && lane->slots == 0)) {
        ngx_campaign_pick_spent(pick, a, now);
        return 0;
    }

    if (ngx_campaign_pick_blocked(c->gateway, now)
        || (lane->slots == 0 && (!ngx_queue_empty(&c->gateway->lanes) || !ngx_queue_empty(&c->gateway->served))))
    {
        /* others had the slots: it keeps its place if its turn has come, or its share goes on */

        ngx_campaign_pick_leave(pick, c);
        ngx_campaign_pick_park(pick, c, c->first);
        return 0;
    }

    if (!a->in_turn) {
        a->in_turn = 1;
        a->want = 0;
        ngx_queue_init(&a->claims);
        ngx_queue_insert_tail(&pick->asked, &a->asked);
    }

    if (!c->in_turn) {
        c->in_turn = 1;
        c->want = 0;
        ngx_queue_insert_tail(&a->claims, &c->claim);
    }

    a->allowed--;
    a->went++;
    a->want++;
    c->want++;
    c->given++;
    c->gateway->used++;
    lane->slots -= (lane->slots != 0);

    ngx_campaign_pick_line_went(&a->ready, c, c->urgent && ngx_campaign_pick_account_parked(pick, a));

    stays = (c->given < (a->fast ? NGX_CAMPAIGN_PICK_SHARE : 1));

    if (!stays) {
        c->given = 0;
    }

    if (!stays || !c->first) {
        ngx_campaign_pick_line_remove(&a->ready, c);
        ngx_campaign_pick_line_add(&a->ready, c, stays);
    }

    if (c->want >= ngx_campaign_pick_need(c, now)) {
        c->given = 0;
        ngx_campaign_pick_leave(pick, c);
    }

    return 1;
}


/* messages of this turn; one is spared for a lane that waits, if it need not go soon */

static void
ngx_campaign_pick_allow(ngx_campaign_pick_t *pick, ngx_campaign_pick_account_t *a, int64_t now)
{
    int64_t     last, passed;
    ngx_uint_t  i;

    passed = now - a->since;

    if (passed < 0 || passed >= NGX_CAMPAIGN_PICK_PACE) {
        a->fast = (passed > 0
                   && (int64_t) a->went * NGX_CAMPAIGN_PICK_PACE >= (int64_t) (a->fast ? pick->fast / 2 : pick->fast) * passed);
        a->went = 0;
        a->since = now;
    }

    a->allowed = (uint32_t) ngx_campaign_gcra_peek(&a->gcra, now * 1000, (now + pick->horizon) * 1000, pick->most);
    a->spare = 0;

    if (a->allowed == 0) {
        return;
    }

    last = (ngx_campaign_gcra_next(&a->gcra, now * 1000) + (a->allowed - 1) * ngx_campaign_gcra_step(a->gcra.rate)) / 1000;

    if (last <= now + NGX_CAMPAIGN_PICK_SPARE) {
        return;
    }

    for (i = 0; i < pick->ngateways; i++) {
        if (a->lanes[i].waits && !ngx_campaign_pick_line_empty(&a->lanes[i].parked) && pick->gateways[i].held <= now) {
            a->spare = 1;
        }
    }
}


/* out of the ring until there is rate again; with a message spared its lanes wait on */

static void
ngx_campaign_pick_spent(ngx_campaign_pick_t *pick, ngx_campaign_pick_account_t *a, int64_t now)
{
    int64_t  at;

    at = now;                                           /* in a turn: _granted will say */

    if (!a->in_turn) {
        at = ngx_campaign_pick_account_look(pick, a, now);

        if (a->allowed) {
            at += pick->horizon / 2 - NGX_CAMPAIGN_PICK_SPARE;
        }

        at = ngx_max(at, now + 1);
    }

    a->saves = (a->allowed != 0);
    ngx_campaign_heap_add(&pick->accounts, &a->timer, at);

    ngx_campaign_pick_account_place(pick, a);
}


/* repeats get half, or what fresh messages leave; of a single message each gets every other */

static void
ngx_campaign_pick_share(ngx_campaign_pick_campaign_t *c, int64_t now)
{
    if (c->again_at == 0 || c->again_at > now) {
        c->again = 0;
        return;
    }

    c->again = (c->want + c->odd) / 2;
    c->odd ^= 1;

    if (c->want - c->again > c->fresh) {
        c->again = c->want - c->fresh;
    }
}


void
ngx_campaign_pick_claimed(ngx_campaign_pick_t *pick, ngx_campaign_pick_campaign_t *c, uint32_t n, uint32_t fresh, int64_t again_at,
    int64_t now)
{
    c->gateway->used -= c->want - n;

    if (n < c->want) {
        c->repeats = NGX_CAMPAIGN_PICK_REPEATS;

    } else if (c->again) {
        c->repeats = ngx_min(c->repeats * 2, NGX_CAMPAIGN_PICK_REPEATS_MAX);
    }

    if (n == 0 && fresh == c->fresh) {
        c->rest = now + NGX_CAMPAIGN_PICK_REST;         /* its oldest messages are still in flight, say */
    }

    c->fresh = fresh;
    c->again_at = again_at;
    c->want = 0;
    c->in_turn = 0;

    ngx_campaign_pick_place(pick, c, now);
}


void
ngx_campaign_pick_failed(ngx_campaign_pick_t *pick, ngx_campaign_pick_campaign_t *c, int64_t now)
{
    c->gateway->used -= c->want;
    c->want = 0;
    c->in_turn = 0;

    ngx_campaign_pick_place(pick, c, now);
}


void
ngx_campaign_pick_granted(ngx_campaign_pick_t *pick, ngx_campaign_pick_account_t *a, int64_t now)
{
    int64_t  look;

    a->in_turn = 0;

    if (a->timer.set) {
        ngx_campaign_heap_remove(&pick->accounts, &a->timer);
    }

    if (a->active && !ngx_campaign_pick_account_idle(pick, a)) {
        look = ngx_campaign_pick_account_look(pick, a, now);

        if (look > now) {
            a->saves = (ngx_campaign_gcra_peek(&a->gcra, now * 1000, (now + pick->horizon) * 1000, 1) != 0);
            ngx_campaign_heap_add(&pick->accounts, &a->timer, look);
        }
    }

    ngx_campaign_pick_account_place(pick, a);
}


int64_t
ngx_campaign_pick_next(ngx_campaign_pick_t *pick, int64_t now)
{
    int64_t                       at;
    ngx_uint_t                    i;
    ngx_campaign_pick_gateway_t  *g;

    if (!ngx_queue_empty(&pick->ring) || now < pick->now) {
        return now;
    }

    at = NGX_CAMPAIGN_PICK_NEVER;

    for (i = 0; i < pick->ngateways; i++) {
        g = &pick->gateways[i];

        if (g->used < ngx_campaign_pick_open(g) && !ngx_queue_empty(&g->lanes)) {
            at = ngx_min(at, g->held);
        }
    }

    if (pick->accounts) {
        at = ngx_min(at, pick->accounts->at);
    }

    if (pick->campaigns) {
        at = ngx_min(at, pick->campaigns->at);
    }

    return at;
}


void
ngx_campaign_pick_campaign_set(ngx_campaign_pick_t *pick, ngx_campaign_pick_campaign_t *c, uint32_t fresh, int64_t again_at, int64_t now)
{
    if (c->repeats == 0) {
        c->repeats = NGX_CAMPAIGN_PICK_REPEATS;
    }

    c->fresh = fresh;
    c->again_at = again_at;
    c->rest = 0;

    ngx_campaign_pick_place(pick, c, now);
}


void
ngx_campaign_pick_campaign_again(ngx_campaign_pick_t *pick, ngx_campaign_pick_campaign_t *c, int64_t due, int64_t now)
{
    if (c->again_at == 0 || due < c->again_at) {
        c->again_at = due;
        ngx_campaign_pick_place(pick, c, now);
    }
}


void
ngx_campaign_pick_campaign_remove(ngx_campaign_pick_t *pick, ngx_campaign_pick_campaign_t *c)
{
    ngx_campaign_pick_leave(pick, c);

    if (c->timer.set) {
        ngx_campaign_heap_remove(&pick->campaigns, &c->timer);
    }
}


/* where the campaign belongs now; one that stands where it may keeps its position */

static void
ngx_campaign_pick_place(ngx_campaign_pick_t *pick, ngx_campaign_pick_campaign_t *c, int64_t now)
{
    int64_t  at;

    if (c->in_turn) {
        return;
    }

    if (c->timer.set) {
        ngx_campaign_heap_remove(&pick->campaigns, &c->timer);
    }

    if (c->fresh == 0 && c->again_at == 0) {
        c->rest = 0;
        ngx_campaign_pick_leave(pick, c);
        return;
    }

    at = c->fresh ? c->rest : ngx_max(c->rest, c->again_at);

    if (at > now) {
        ngx_campaign_pick_leave(pick, c);
        ngx_campaign_heap_add(&pick->campaigns, &c->timer, at);
        return;
    }

    c->rest = 0;                                        /* only in the heap it has one: _clock_back looks nowhere else */

    if (c->place != NGX_CAMPAIGN_PICK_NOWHERE) {
        return;
    }

    if (ngx_campaign_pick_blocked(c->gateway, now) || !ngx_queue_empty(&c->gateway->lanes)) {
        ngx_campaign_pick_park(pick, c, 0);

    } else {
        ngx_campaign_pick_ready(pick, c, 0);
    }
}


void
ngx_campaign_pick_ready(ngx_campaign_pick_t *pick, ngx_campaign_pick_campaign_t *c, ngx_uint_t first)
{
    ngx_campaign_pick_line_add(&c->account->ready, c, first);
    c->place = NGX_CAMPAIGN_PICK_READY;

    ngx_campaign_pick_account_place(pick, c->account);
}


static void
ngx_campaign_pick_park(ngx_campaign_pick_t *pick, ngx_campaign_pick_campaign_t *c, ngx_uint_t first)
{
    ngx_campaign_pick_lane_t  *lane;

    lane = ngx_campaign_pick_lane(pick, c);

    ngx_campaign_pick_line_add(&lane->parked, c, first);
    c->place = NGX_CAMPAIGN_PICK_PARKED;

    ngx_campaign_pick_account_place(pick, c->account);
}


void
ngx_campaign_pick_leave(ngx_campaign_pick_t *pick, ngx_campaign_pick_campaign_t *c)
{
    ngx_campaign_pick_lane_t  *lane;

    if (c->place == NGX_CAMPAIGN_PICK_NOWHERE) {
        return;
    }

    if (c->place == NGX_CAMPAIGN_PICK_READY) {
        ngx_campaign_pick_line_remove(&c->account->ready, c);

        if (ngx_campaign_pick_line_empty(&c->account->ready)) {
            ngx_campaign_pick_unring(c->account);
        }

    } else {
        lane = ngx_campaign_pick_lane(pick, c);
        ngx_campaign_pick_line_remove(&lane->parked, c);

        if (!lane->served && lane->slots == 0 && ngx_campaign_pick_line_empty(&lane->parked)) {
            ngx_campaign_pick_unwait(lane);
        }
    }

    c->place = NGX_CAMPAIGN_PICK_NOWHERE;
}


static ngx_campaign_pick_lane_t *
ngx_campaign_pick_lane(ngx_campaign_pick_t *pick, ngx_campaign_pick_campaign_t *c)
{
    return &c->account->lanes[c->gateway - pick->gateways];
}


static uint64_t
ngx_campaign_pick_need(ngx_campaign_pick_campaign_t *c, int64_t now)
{
    return (uint64_t) c->fresh + ((c->again_at && c->again_at <= now) ? c->repeats : 0);
}


/* into the ring, if it may send, and its lanes to their gateways; without rate these keep their turn, but use no slot */

void
ngx_campaign_pick_account_place(ngx_campaign_pick_t *pick, ngx_campaign_pick_account_t *a)
{
    ngx_uint_t                 i;
    ngx_campaign_pick_lane_t  *lane;

    if (!a->active) {
        ngx_campaign_pick_account_rest(pick, a);
        return;
    }

    if (a->timer.set) {
        ngx_campaign_pick_unring(a);

    } else if (!a->in_ring && !ngx_campaign_pick_line_empty(&a->ready)) {
        ngx_queue_insert_tail(&pick->ring, &a->queue);
        a->in_ring = 1;
    }

    for (i = 0; i < pick->ngateways; i++) {
        lane = &a->lanes[i];

        if (ngx_campaign_pick_account_spent(a)) {
            lane->slots = 0;
        }

        if (!lane->waits && !lane->served && (lane->slots || !ngx_campaign_pick_line_empty(&lane->parked))) {
            ngx_campaign_pick_wait(&pick->gateways[i], lane);
        }
    }
}


ngx_uint_t
ngx_campaign_pick_account_spent(const ngx_campaign_pick_account_t *a)
{
    return a->timer.set && !a->saves;
}


static void
ngx_campaign_pick_account_rest(ngx_campaign_pick_t *pick, ngx_campaign_pick_account_t *a)
{
    ngx_uint_t  i;

    ngx_campaign_pick_unring(a);

    for (i = 0; i < pick->ngateways; i++) {
        ngx_campaign_pick_unwait(&a->lanes[i]);
        a->lanes[i].slots = 0;
    }
}


static void
ngx_campaign_pick_unring(ngx_campaign_pick_account_t *a)
{
    if (a->in_ring) {
        ngx_queue_remove(&a->queue);
        a->in_ring = 0;
    }
}


static ngx_uint_t
ngx_campaign_pick_account_idle(ngx_campaign_pick_t *pick, ngx_campaign_pick_account_t *a)
{
    ngx_uint_t  i;

    for (i = 0; i < pick->ngateways; i++) {
        if (!ngx_campaign_pick_line_empty(&a->lanes[i].parked)) {
            return 0;
        }
    }

    return ngx_campaign_pick_line_empty(&a->ready);
}


/* campaigns that are not urgent wait for a slot */

static ngx_uint_t
ngx_campaign_pick_account_parked(ngx_campaign_pick_t *pick, ngx_campaign_pick_account_t *a)
{
    ngx_uint_t  i;

    for (i = 0; i < pick->ngateways; i++) {
        if (!ngx_queue_empty(&a->lanes[i].parked.of[0])) {
            return 1;
        }
    }

    return 0;
}


/* when half of the horizon is no longer booked: so a steady rate takes a turn every half horizon, not one a message */

static int64_t
ngx_campaign_pick_account_look(ngx_campaign_pick_t *pick, ngx_campaign_pick_account_t *a, int64_t now)
{
    return (ngx_campaign_gcra_next(&a->gcra, now * 1000) + 999) / 1000 - pick->horizon / 2;
}


void
ngx_campaign_pick_account_add(ngx_campaign_pick_t *pick, ngx_campaign_pick_account_t *a)
{
    ngx_uint_t  i;

    ngx_campaign_pick_line_init(&a->ready);
    ngx_queue_init(&a->claims);

    for (i = 0; i < pick->ngateways; i++) {
        ngx_campaign_pick_line_init(&a->lanes[i].parked);
        a->lanes[i].account = a;
        a->lanes[i].slots = 0;
        a->lanes[i].waits = 0;
        a->lanes[i].served = 0;
        a->lanes[i].due = 0;
    }
}


void
ngx_campaign_pick_account_set(ngx_campaign_pick_t *pick, ngx_campaign_pick_account_t *a, int64_t now)
{
    if (a->in_turn) {
        return;                                         /* _granted follows */
    }

    ngx_campaign_pick_granted(pick, a, now);
}


void
ngx_campaign_pick_account_remove(ngx_campaign_pick_t *pick, ngx_campaign_pick_account_t *a)
{
    ngx_campaign_pick_account_rest(pick, a);

    if (a->timer.set) {
        ngx_campaign_heap_remove(&pick->accounts, &a->timer);
    }
}


void
ngx_campaign_pick_init(ngx_campaign_pick_t *pick)
{
    ngx_uint_t  i;

    ngx_queue_init(&pick->ring);
    ngx_queue_init(&pick->asked);

    pick->accounts = NULL;
    pick->campaigns = NULL;
    pick->now = 0;

    for (i = 0; i < pick->ngateways; i++) {
        pick->gateways[i].used = 0;
        pick->gateways[i].away = 0;
        pick->gateways[i].held = 0;
        pick->gateways[i].since = 0;
        pick->gateways[i].few = 0;
        pick->gateways[i].cut = 0;
        pick->gateways[i].pause = 0;
        pick->gateways[i].again = 0;
        ngx_queue_init(&pick->gateways[i].lanes);
        ngx_queue_init(&pick->gateways[i].served);
    }
}
