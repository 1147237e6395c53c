
/*
 * Claimed messages until they are settled.  It keeps true: each claimed message gets one outcome (unless another dispatcher has it by
 * now), and there is room for it before the message is claimed; a turn's memory, where its messages live, is freed with the last of
 * them; an account's messages go in the order of their claims, at its pace, however late they are; nothing goes when it is not known
 * whether another dispatcher took over.
 */

#include "ngx_http_campaign_dispatch.h"


#define NGX_HTTP_CAMPAIGN_WINDOW_BUSY    10000          /* us until a message that found no connection is tried again */
#define NGX_HTTP_CAMPAIGN_WINDOW_ERROR   100000         /* us, the same for no memory */
#define NGX_HTTP_CAMPAIGN_WINDOW_LATE    1000000        /* ns of a pace behind that nobody need know of */
#define NGX_HTTP_CAMPAIGN_WINDOW_SLAB    16             /* deliveries allocated at once */


typedef struct ngx_http_campaign_flight_s  ngx_http_campaign_flight_t;

struct ngx_http_campaign_flight_s {
    ngx_http_campaign_delivery_t   delivery;
    ngx_http_campaign_turn_t      *turn;
    ngx_http_campaign_live_t      *live;
    int64_t                        started;     /* monotonic us */
    ngx_queue_t                    queue;       /* in dispatch->flights */
    ngx_http_campaign_flight_t    *next;        /* free ones */
};


static void ngx_http_campaign_window_lead(ngx_http_campaign_dispatch_t *d, ngx_http_campaign_window_t *w);
static void ngx_http_campaign_window_wait(ngx_http_campaign_dispatch_t *d, ngx_http_campaign_window_t *w);
static void ngx_http_campaign_window_leave(ngx_http_campaign_dispatch_t *d, ngx_http_campaign_window_t *w);
static ngx_uint_t ngx_http_campaign_window_next(ngx_http_campaign_dispatch_t *d, ngx_http_campaign_window_t *w);
static void ngx_http_campaign_window_sent(ngx_http_campaign_dispatch_t *d, ngx_http_campaign_live_account_t *a, int64_t now,
    int64_t wall);
static ngx_int_t ngx_http_campaign_window_message(ngx_http_campaign_dispatch_t *d, ngx_http_campaign_window_t *w, int64_t now);
static ngx_campaign_claim_t *ngx_http_campaign_window_claim(ngx_http_campaign_window_t *w);
static ngx_uint_t ngx_http_campaign_window_unsent(ngx_http_campaign_dispatch_t *d, ngx_http_campaign_live_t *live,
    ngx_campaign_claimed_t *m, int64_t wall);
static ngx_int_t ngx_http_campaign_window_start(ngx_http_campaign_dispatch_t *d, ngx_http_campaign_turn_t *t,
    ngx_http_campaign_live_t *live, ngx_campaign_claimed_t *m, int64_t now);
static void ngx_http_campaign_window_count(ngx_http_campaign_series_t *s, ngx_campaign_state_e state);
static ngx_http_campaign_gateway_status_t *ngx_http_campaign_window_gateway(ngx_http_campaign_dispatch_t *d,
    ngx_http_campaign_live_t *live);
static void ngx_http_campaign_window_done(ngx_http_campaign_delivery_t *delivery);
static void ngx_http_campaign_window_judge(ngx_http_campaign_dispatch_t *d, ngx_http_campaign_flight_t *f);
static void ngx_http_campaign_window_load(ngx_http_campaign_dispatch_t *d, ngx_http_campaign_flight_t *f, ngx_campaign_verdict_t *v,
    int64_t wall);
static ngx_campaign_outcome_t *ngx_http_campaign_window_outcome(ngx_http_campaign_dispatch_t *d, ngx_campaign_claimed_t *m);
static void ngx_http_campaign_window_settle(ngx_http_campaign_dispatch_t *d, ngx_http_campaign_turn_t *t,
    ngx_http_campaign_live_t *live);
static ngx_http_campaign_flight_t *ngx_http_campaign_window_flight(ngx_http_campaign_dispatch_t *d);


/*
 * Message k of a grant goes at first + k * step by the store's clock.  The first is no later than the turn looked ahead, unless the clock was set
 * back meanwhile
 */

void
ngx_http_campaign_window_open(ngx_http_campaign_dispatch_t *d, ngx_http_campaign_window_t *w, int64_t now, int64_t wall)
{
    int64_t     ahead;
    ngx_uint_t  i;

    ahead = ngx_min(w->grant->first - wall * 1000, d->pick.horizon * 1000);

    w->next = now * 1000 + ahead;
    w->step = w->grant->step;
    w->claim = 0;
    w->message = 0;
    w->left = w->grant->granted;
    w->account = NULL;

    d->claimed += w->grant->granted;
    ngx_http_campaign_status_add(&ngx_http_campaign_status()->claims, w->grant->granted);
    w->turn->messages += w->grant->granted;

    for (i = 0; i < w->grant->nclaims && w->account == NULL; i++) {
        w->account = w->lives[i]->account;              /* all are of one; NULL: the campaign left the picture */
    }

    if (w->account == NULL) {
        ngx_campaign_heap_add(&d->windows, &w->node, w->next / 1000);
        return;
    }

    w->account->unsent += w->left;
    ngx_queue_insert_tail(&w->account->windows, &w->queue);

    if (ngx_queue_head(&w->account->windows) == &w->queue) {
        ngx_http_campaign_window_lead(d, w);
    }
}


/* the account's first window: its pace goes on from where the store's limiter was when these messages were claimed */

static void
ngx_http_campaign_window_lead(ngx_http_campaign_dispatch_t *d, ngx_http_campaign_window_t *w)
{
    ngx_http_campaign_live_account_t  *a;

    a = w->account;

    a->tat = ngx_max(a->tat, ngx_campaign_gcra_before(&a->pick.gcra, w->next));

    ngx_http_campaign_window_wait(d, w);
}


/* until its next message may go */

static void
ngx_http_campaign_window_wait(ngx_http_campaign_dispatch_t *d, ngx_http_campaign_window_t *w)
{
    int64_t              at;
    ngx_campaign_gcra_t  pace;

    at = w->next;

    if (w->account) {
        pace = w->account->pick.gcra;
        pace.tat = w->account->tat;
        at = ngx_campaign_gcra_pace_next(&pace, NGX_HTTP_CAMPAIGN_DISPATCH_SLACK, at);
    }

    ngx_campaign_heap_add(&d->windows, &w->node, at / 1000);
}


/* its last message goes: the account's next window leads */

static void
ngx_http_campaign_window_leave(ngx_http_campaign_dispatch_t *d, ngx_http_campaign_window_t *w)
{
    ngx_http_campaign_live_account_t  *a;

    a = w->account;

    if (a == NULL) {
        return;
    }

    ngx_queue_remove(&w->queue);

    if (!ngx_queue_empty(&a->windows)) {
        ngx_http_campaign_window_lead(d, ngx_queue_data(ngx_queue_head(&a->windows), ngx_http_campaign_window_t, queue));
    }
}


void
ngx_http_campaign_window_change(ngx_http_campaign_dispatch_t *d, ngx_http_campaign_live_account_t *a, uint64_t rate, uint32_t burst)
{
    ngx_campaign_gcra_t          pace;
    ngx_http_campaign_window_t  *w;

    if (a->pick.gcra.rate == rate && a->pick.gcra.burst == burst) {
        return;
    }

    pace = a->pick.gcra;
    pace.tat = a->tat;

    ngx_campaign_gcra_change(&pace, rate, burst, ngx_http_campaign_dispatch_clock() * 1000);

    a->pick.gcra.rate = rate;
    a->pick.gcra.burst = burst;
    a->tat = pace.tat;

    if (ngx_queue_empty(&a->windows)) {
        return;
    }

    w = ngx_queue_data(ngx_queue_head(&a->windows), ngx_http_campaign_window_t, queue);

    if (w->node.set) {
        ngx_campaign_heap_remove(&d->windows, &w->node);
        ngx_http_campaign_window_wait(d, w);
    }
}


void
ngx_http_campaign_window_orphan(ngx_http_campaign_dispatch_t *d, ngx_http_campaign_live_account_t *a)
{
    ngx_http_campaign_window_t  *w;

    while (!ngx_queue_empty(&a->windows)) {
        w = ngx_queue_data(ngx_queue_head(&a->windows), ngx_http_campaign_window_t, queue);

        ngx_queue_remove(&w->queue);
        w->account = NULL;

        if (!w->node.set) {
            ngx_http_campaign_window_wait(d, w);
        }
    }

    if (a->is_late) {
        ngx_queue_remove(&a->late);
        a->is_late = 0;
    }
}


ngx_int_t
ngx_http_campaign_window_send(ngx_http_campaign_dispatch_t *d, int64_t now)
{
    ngx_int_t                    rc;
    ngx_uint_t                   n, most;
    ngx_http_campaign_window_t  *w;

    most = ngx_http_campaign_passage_round();

    for (n = 0; d->windows && d->windows->at <= now && d->busy <= now; n++) {

        if (n == most) {
            ngx_post_event(&d->tick, &ngx_posted_next_events);
            return NGX_OK;
        }

        now = ngx_http_campaign_dispatch_clock();       /* the process may have been stopped since the last one */

        if (now - d->sure > NGX_HTTP_CAMPAIGN_DISPATCH_SURE) {
            return NGX_DECLINED;
        }

        w = ngx_rbtree_data(d->windows, ngx_http_campaign_window_t, node);

        ngx_campaign_heap_remove(&d->windows, &w->node);

        rc = ngx_http_campaign_window_message(d, w, now);

        if (rc == NGX_DONE) {                           /* the turn may be gone, too */
            continue;
        }

        if (rc == NGX_BUSY) {
            d->busy = now + NGX_HTTP_CAMPAIGN_WINDOW_BUSY;
            ngx_campaign_heap_add(&d->windows, &w->node, d->busy);

        } else if (rc == NGX_ERROR) {
            ngx_campaign_heap_add(&d->windows, &w->node, now + NGX_HTTP_CAMPAIGN_WINDOW_ERROR);

        } else {
            ngx_http_campaign_window_wait(d, w);
        }
    }

    return NGX_OK;
}


/* the window's next message: NGX_OK, NGX_DONE (it was the last), NGX_BUSY or NGX_ERROR (it is still the next) */

static ngx_int_t
ngx_http_campaign_window_message(ngx_http_campaign_dispatch_t *d, ngx_http_campaign_window_t *w, int64_t now)
{
    int64_t                    due, wall;
    ngx_int_t                  rc;
    ngx_uint_t                 last, unsent;
    ngx_campaign_claim_t      *claim;
    ngx_campaign_claimed_t    *m;
    ngx_http_campaign_live_t  *live;
    ngx_http_campaign_turn_t  *t;

    t = w->turn;
    claim = ngx_http_campaign_window_claim(w);
    m = &claim->messages[w->message];
    live = w->lives[w->claim];

    wall = ngx_campaign_now();

    unsent = ngx_http_campaign_window_unsent(d, live, m, wall);

    if (!unsent) {
        rc = ngx_http_campaign_window_start(d, t, live, m, now);
        if (rc != NGX_OK) {
            return rc;
        }

        due = ngx_max(w->next / 1000, t->started);      /* a burst's times begin before anybody asked for it */

        ngx_http_campaign_status_went(live->series, wall, now - due + live->behind);
        live->behind = 0;

        if (w->account) {
            ngx_http_campaign_window_sent(d, w->account, now, wall);
        }
    }

    last = ngx_http_campaign_window_next(d, w);

    if (unsent) {
        ngx_http_campaign_window_settle(d, t, live);
    }

    return last ? NGX_DONE : NGX_OK;
}


/* a message has gone, or not: 1: it was the window's last */

static ngx_uint_t
ngx_http_campaign_window_next(ngx_http_campaign_dispatch_t *d, ngx_http_campaign_window_t *w)
{
    w->message++;
    w->next += w->step;
    w->left--;

    if (w->account) {
        w->account->unsent--;
    }

    if (ngx_http_campaign_window_claim(w)) {
        return 0;
    }

    ngx_http_campaign_window_leave(d, w);

    return 1;
}


/*
 * Notes the pace, of a message that still counts as unsent.  If it fell behind what the store knows, the next turn says so: claims go on from
 * there, and who takes over, too.
 */

static void
ngx_http_campaign_window_sent(ngx_http_campaign_dispatch_t *d, ngx_http_campaign_live_account_t *a, int64_t now, int64_t wall)
{
    int64_t              tat;
    ngx_campaign_gcra_t  pace;

    pace = a->pick.gcra;
    pace.tat = a->tat;

    ngx_campaign_gcra_pace_sent(&pace, now * 1000);

    a->tat = pace.tat;

    tat = ngx_campaign_gcra_pace_tat(&pace, NGX_HTTP_CAMPAIGN_DISPATCH_SLACK, a->unsent - 1) + (wall - now) * 1000;

    if (tat <= a->pick.gcra.tat + NGX_HTTP_CAMPAIGN_WINDOW_LATE) {
        return;
    }

    a->pick.gcra.tat = tat;

    if (!a->is_late) {
        a->is_late = 1;
        ngx_queue_insert_tail(&d->late, &a->late);
    }
}


/* moves on to the claim that has the next message; NULL: none is left */

static ngx_campaign_claim_t *
ngx_http_campaign_window_claim(ngx_http_campaign_window_t *w)
{
    ngx_campaign_claim_t  *claims;

    claims = w->grant->claims;

    while (w->claim < w->grant->nclaims && w->message == claims[w->claim].n) {
        w->claim++;
        w->message = 0;
    }

    return w->claim < w->grant->nclaims ? &claims[w->claim] : NULL;
}


/* a reason not to send a message after all: its outcome is noted */

static ngx_uint_t
ngx_http_campaign_window_unsent(ngx_http_campaign_dispatch_t *d, ngx_http_campaign_live_t *live, ngx_campaign_claimed_t *m,
    int64_t wall)
{
    ngx_campaign_outcome_t  *o;

    if (live->gone) {
        ngx_http_campaign_window_back(d, m, wall);
        return 1;
    }

    if (live->expires && wall >= live->expires) {
        o = ngx_http_campaign_window_outcome(d, m);
        if (o) {
            o->attempt = m->attempt - 1;
            o->kind = NGX_CAMPAIGN_OUTCOME_SETTLED;
            o->state = NGX_CAMPAIGN_S_FAILED;
            o->reason = NGX_CAMPAIGN_R_EXPIRED;

            ngx_http_campaign_window_count(live->series, NGX_CAMPAIGN_S_FAILED);
        }

        return 1;
    }

    if (live->pick.gateway->held > wall) {
        ngx_http_campaign_window_back(d, m, live->pick.gateway->held);
        return 1;
    }

    return 0;
}


static ngx_int_t
ngx_http_campaign_window_start(ngx_http_campaign_dispatch_t *d, ngx_http_campaign_turn_t *t, ngx_http_campaign_live_t *live,
    ngx_campaign_claimed_t *m, int64_t now)
{
    ngx_int_t                    rc;
    ngx_http_campaign_flight_t  *f;

    static time_t  complained;

    f = ngx_http_campaign_window_flight(d);
    if (f == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(f, sizeof(ngx_http_campaign_flight_t));

    f->turn = t;
    f->live = live;
    f->delivery.origin = &live->origin;
    f->delivery.message = m;
    f->delivery.done = ngx_http_campaign_window_done;
    f->delivery.data = f;

    rc = ngx_http_campaign_delivery_start(&f->delivery, d->log);

    ngx_log_debug4(NGX_LOG_DEBUG_HTTP, d->log, 0, "campaign message %*s: goes, try %d: %i",
                   (size_t) NGX_CAMPAIGN_UUID_LEN, f->delivery.id, (int) m->attempt, rc);

    if (rc == NGX_OK) {
        d->flying++;
        ngx_queue_insert_tail(&d->flights, &f->queue);
        f->started = now;

        ngx_http_campaign_status_add(&live->series->in_flight, 1);
        ngx_http_campaign_status_add(&ngx_http_campaign_window_gateway(d, live)->in_flight, 1);
        return NGX_OK;
    }

    f->next = d->free;
    d->free = f;

    if (ngx_time() - complained >= 60) {
        complained = ngx_time();
        ngx_log_error(NGX_LOG_WARN, d->log, 0, "campaign dispatcher: messages wait, %s",
                      rc == NGX_BUSY ? "worker_connections are used up" : "there is no memory");
    }

    return rc;
}


static void
ngx_http_campaign_window_done(ngx_http_campaign_delivery_t *delivery)
{
    ngx_http_campaign_live_t      *live;
    ngx_http_campaign_turn_t      *t;
    ngx_http_campaign_flight_t    *f;
    ngx_http_campaign_dispatch_t  *d;

    ngx_http_campaign_gateway_status_t  *gateway;

    f = delivery->data;
    t = f->turn;
    live = f->live;
    d = t->dispatch;

    ngx_log_debug4(NGX_LOG_DEBUG_HTTP, d->log, 0, "campaign message %*s: answer %d, status %ui",
                   (size_t) NGX_CAMPAIGN_UUID_LEN, delivery->id, (int) delivery->answer, delivery->status);

    ngx_queue_remove(&f->queue);

    if (t->turn.epoch == d->epoch) {
        d->flying--;

        gateway = ngx_http_campaign_window_gateway(d, live);

        ngx_campaign_histogram_add(&gateway->latency, ngx_http_campaign_dispatch_clock() - f->started);

        if (d->state == NGX_HTTP_CAMPAIGN_DISPATCH_RUNNING) {   /* else the next dispatcher counts what is in flight */
            ngx_http_campaign_status_add(&gateway->in_flight, -1);
            ngx_http_campaign_status_add(&live->series->in_flight, -1);
        }

        ngx_http_campaign_window_judge(d, f);
        ngx_http_campaign_window_settle(d, t, live);
        ngx_http_campaign_dispatch_soon(d);

    } else if (--t->messages == 0) {                    /* another dispatcher's by now */
        ngx_http_campaign_turn_free(t);
    }

    f->next = d->free;
    d->free = f;
}


static void
ngx_http_campaign_window_judge(ngx_http_campaign_dispatch_t *d, ngx_http_campaign_flight_t *f)
{
    int64_t                        wall;
    ngx_campaign_try_t             attempt;
    ngx_campaign_verdict_t         v;
    ngx_campaign_claimed_t        *m;
    ngx_campaign_outcome_t        *o;
    ngx_http_campaign_gateway_t   *gateway;
    ngx_http_campaign_srv_conf_t  *conf;

    m = f->delivery.message;
    wall = ngx_campaign_now();

    if (f->delivery.answer == NGX_CAMPAIGN_ANSWER_NONE) {
        ngx_http_campaign_window_back(d, m, wall + NGX_HTTP_CAMPAIGN_WINDOW_ERROR);
        return;
    }

    gateway = f->live->origin.gateway;
    conf = gateway->cscf->ctx->srv_conf[ngx_http_campaign_module.ctx_index];

    ngx_memzero(&attempt, sizeof(ngx_campaign_try_t));

    attempt.answer = f->delivery.answer;
    attempt.status = f->delivery.status;
    attempt.after = f->delivery.after;
    attempt.attempt = m->attempt;
    attempt.rnd = (uint32_t) ngx_random();
    attempt.redeliver = conf->redelivery ? 1 : 0;
    attempt.receipts = gateway->receipts ? 1 : 0;

    ngx_campaign_retry_judge(&conf->retry, &attempt, &v);

    ngx_http_campaign_window_load(d, f, &v, wall);

    o = ngx_http_campaign_window_outcome(d, m);
    if (o == NULL) {
        return;
    }

    o->kind = (v.state == NGX_CAMPAIGN_S_RETRY) ? NGX_CAMPAIGN_OUTCOME_AGAIN : NGX_CAMPAIGN_OUTCOME_SETTLED;
    o->state = (uint8_t) v.state;
    o->segments = f->delivery.size.segments;

    ngx_http_campaign_window_count(f->live->series, v.state);
    o->reason = (uint8_t) v.reason;
    o->due = (v.state == NGX_CAMPAIGN_S_RETRY) ? wall + (int64_t) v.wait * 1000 : 0;
    o->named = (gateway->receipts && gateway->named);
    o->id_len = (uint8_t) f->delivery.theirs_len;
    ngx_memcpy(o->id, f->delivery.theirs, f->delivery.theirs_len);
}


/* what the answer tells of the gateway */

static void
ngx_http_campaign_window_load(ngx_http_campaign_dispatch_t *d, ngx_http_campaign_flight_t *f, ngx_campaign_verdict_t *v, int64_t wall)
{
    int64_t                       sent;
    ngx_str_t                    *channel;
    ngx_campaign_pick_gateway_t  *g;

    g = f->live->pick.gateway;
    channel = &f->live->origin.gateway->channel;

    if (v->load == NGX_CAMPAIGN_LOAD_BUSY) {
        sent = wall - (ngx_http_campaign_dispatch_clock() - f->started);

        if (ngx_campaign_pick_busy(g, sent, wall)) {
            ngx_log_error(NGX_LOG_NOTICE, d->log, 0, "campaign dispatcher: the gateway of %V answers %ui, it is given less at once until "
                          "it takes more", channel, f->delivery.status);
        }

    } else if (v->load == NGX_CAMPAIGN_LOAD_FINE && ngx_campaign_pick_fine(g, wall)) {
        ngx_log_error(NGX_LOG_NOTICE, d->log, 0, "campaign dispatcher: the gateway of %V is given %uD messages at once again", channel,
                      g->slots);
    }

    if (v->hold) {
        ngx_log_error(NGX_LOG_INFO, d->log, 0, "campaign dispatcher: the gateway of %V rests for %M ms, it answered %ui", channel,
                      v->hold, f->delivery.status);

        ngx_campaign_pick_hold(g, wall + (int64_t) v->hold * 1000, wall);
    }
}


static void
ngx_http_campaign_window_count(ngx_http_campaign_series_t *s, ngx_campaign_state_e state)
{
    switch (state) {

    case NGX_CAMPAIGN_S_DELIVERED:
        ngx_http_campaign_status_add(&s->delivered, 1);
        /* fall through */

    case NGX_CAMPAIGN_S_SENT:
        ngx_http_campaign_status_add(&s->sent, 1);
        break;

    case NGX_CAMPAIGN_S_RETRY:
        ngx_http_campaign_status_add(&s->retried, 1);
        break;

    default:
        ngx_http_campaign_status_add(&s->failed, 1);
    }
}


static ngx_http_campaign_gateway_status_t *
ngx_http_campaign_window_gateway(ngx_http_campaign_dispatch_t *d, ngx_http_campaign_live_t *live)
{
    return d->statuses[live->pick.gateway - d->pick.gateways];
}


void
ngx_http_campaign_window_back(ngx_http_campaign_dispatch_t *d, ngx_campaign_claimed_t *m, int64_t due)
{
    ngx_campaign_outcome_t  *o;

    o = ngx_http_campaign_window_outcome(d, m);

    if (o) {
        o->kind = NGX_CAMPAIGN_OUTCOME_BACK;
        o->state = NGX_CAMPAIGN_S_RETRY;
        o->due = due;
    }
}


static ngx_campaign_outcome_t *
ngx_http_campaign_window_outcome(ngx_http_campaign_dispatch_t *d, ngx_campaign_claimed_t *m)
{
    ngx_campaign_outcome_t  *o;

    if (d->noutcomes == d->room) {                      /* cannot be: room was made before it was claimed */
        ngx_log_error(NGX_LOG_ALERT, d->log, 0, "campaign dispatcher: no room for an outcome of campaign %uL", m->campaign);
        return NULL;
    }

    o = &d->outcomes[d->noutcomes++];

    ngx_memzero(o, sizeof(ngx_campaign_outcome_t));

    o->campaign = m->campaign;
    o->seq = m->seq;
    o->attempt = m->attempt;
    o->claim = m->attempt;

    return o;
}


/* a message of this epoch has its outcome: its slot is free */

static void
ngx_http_campaign_window_settle(ngx_http_campaign_dispatch_t *d, ngx_http_campaign_turn_t *t, ngx_http_campaign_live_t *live)
{
    ngx_campaign_pick_settled(live->pick.gateway, 1);

    d->claimed--;

    if (--t->messages == 0) {
        ngx_http_campaign_turn_free(t);
    }
}


void
ngx_http_campaign_window_leaving(ngx_http_campaign_dispatch_t *d, ngx_campaign_leaving_t *leaving, ngx_uint_t n)
{
    ngx_uint_t                   i;
    ngx_queue_t                 *q;
    ngx_http_campaign_flight_t  *f;

    for (i = 0, q = ngx_queue_head(&d->flights); i < n && q != ngx_queue_sentinel(&d->flights); q = ngx_queue_next(q)) {
        f = ngx_queue_data(q, ngx_http_campaign_flight_t, queue);

        if (f->turn->turn.epoch == d->epoch) {
            leaving[i].campaign = f->delivery.message->campaign;
            leaving[i++].seq = f->delivery.message->seq;
        }
    }
}


void
ngx_http_campaign_window_cut(ngx_http_campaign_dispatch_t *d)
{
    ngx_uint_t                   n;
    ngx_queue_t                 *q;
    ngx_http_campaign_flight_t  *f;

    if (d->pool == NULL || ngx_queue_empty(&d->flights)) {
        return;
    }

    for (n = 0, q = ngx_queue_head(&d->flights); q != ngx_queue_sentinel(&d->flights); q = ngx_queue_next(q)) {
        f = ngx_queue_data(q, ngx_http_campaign_flight_t, queue);
        ngx_http_campaign_delivery_cut(&f->delivery);
        n++;
    }

    ngx_log_error(NGX_LOG_WARN, d->log, 0, "campaign dispatcher: the process is to end, %ui answers are not waited for any longer", n);
}


void
ngx_http_campaign_window_close(ngx_http_campaign_dispatch_t *d, ngx_uint_t record)
{
    int64_t                      wall;
    ngx_uint_t                   last;
    ngx_campaign_claim_t        *claim;
    ngx_http_campaign_live_t    *live;
    ngx_http_campaign_turn_t    *t;
    ngx_http_campaign_window_t  *w;

    wall = ngx_campaign_now();

    while (d->windows) {
        w = ngx_rbtree_data(d->windows, ngx_http_campaign_window_t, node);
        t = w->turn;

        ngx_campaign_heap_remove(&d->windows, &w->node);

        do {
            claim = ngx_http_campaign_window_claim(w);
            live = w->lives[w->claim];

            if (record) {
                ngx_http_campaign_window_back(d, &claim->messages[w->message], wall);
            }

            last = ngx_http_campaign_window_next(d, w);

            ngx_http_campaign_window_settle(d, t, live);

        } while (!last);
    }
}


ngx_int_t
ngx_http_campaign_window_reserve(ngx_http_campaign_dispatch_t *d, ngx_uint_t n)
{
    ngx_uint_t               room;
    ngx_campaign_outcome_t  *outcomes;

    n += d->claimed + d->noutcomes;

    if (n <= d->room) {
        return NGX_OK;
    }

    room = ngx_max(n, d->room * 2);

    outcomes = ngx_alloc(room * sizeof(ngx_campaign_outcome_t), d->log);
    if (outcomes == NULL) {
        return NGX_ERROR;
    }

    if (d->outcomes) {
        ngx_memcpy(outcomes, d->outcomes, d->noutcomes * sizeof(ngx_campaign_outcome_t));
        ngx_free(d->outcomes);
    }

    d->outcomes = outcomes;
    d->room = room;

    return NGX_OK;
}


static ngx_http_campaign_flight_t *
ngx_http_campaign_window_flight(ngx_http_campaign_dispatch_t *d)
{
    ngx_uint_t                   i;
    ngx_http_campaign_flight_t  *f;

    if (d->free == NULL) {
        f = ngx_palloc(d->pool, NGX_HTTP_CAMPAIGN_WINDOW_SLAB * sizeof(ngx_http_campaign_flight_t));
        if (f == NULL) {
            return NULL;
        }

        for (i = 0; i < NGX_HTTP_CAMPAIGN_WINDOW_SLAB; i++) {
            f[i].next = d->free;
            d->free = &f[i];
        }
    }

    f = d->free;
    d->free = f->next;

    return f;
}
