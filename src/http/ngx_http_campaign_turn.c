
/*
 * Turns: outcomes go to the store, claims and changes come back.  It keeps true: one turn is under way at a time; outcomes of a turn
 * that failed are in the next; nothing is claimed that could not be settled.
 */

#include "ngx_http_campaign_dispatch.h"


#define NGX_HTTP_CAMPAIGN_TURN_GAP          2000        /* us between the starts of two, when more than a few messages are under way */
#define NGX_HTTP_CAMPAIGN_TURN_WIDE         6000        /* us from the end of one, while so many are answered that the next can wait for more */
#define NGX_HTTP_CAMPAIGN_TURN_FEW          16
#define NGX_HTTP_CAMPAIGN_TURN_MANY         128         /* outcomes that do not wait for the gap, if they are two thirds of all */
#define NGX_HTTP_CAMPAIGN_TURN_MOST         2048        /* messages claimed in one */

#define NGX_HTTP_CAMPAIGN_TURN_HORIZON      40000       /* us; longer if turns take long */
#define NGX_HTTP_CAMPAIGN_TURN_FAR          500000

#define NGX_HTTP_CAMPAIGN_TURN_BACKOFF      100         /* ms after one that failed, doubled each time */
#define NGX_HTTP_CAMPAIGN_TURN_BACKOFF_MAX  5000


static int64_t ngx_http_campaign_turn_least(ngx_http_campaign_dispatch_t *d, int64_t now);
static ngx_uint_t ngx_http_campaign_turn_claims(ngx_http_campaign_dispatch_t *d);
static ngx_http_campaign_turn_t *ngx_http_campaign_turn_make(ngx_http_campaign_dispatch_t *d);
static ngx_int_t ngx_http_campaign_turn_limits(ngx_http_campaign_dispatch_t *d, ngx_http_campaign_turn_t *t);
static void ngx_http_campaign_turn_unlimit(ngx_http_campaign_dispatch_t *d, ngx_http_campaign_turn_t *t);
static ngx_int_t ngx_http_campaign_turn_grants(ngx_http_campaign_dispatch_t *d, ngx_http_campaign_turn_t *t, int64_t wall);
static ngx_int_t ngx_http_campaign_turn_grant(ngx_http_campaign_dispatch_t *d, ngx_http_campaign_turn_t *t, ngx_uint_t n,
    ngx_campaign_pick_account_t *a, int64_t wall);
static void ngx_http_campaign_turn_unpick(ngx_http_campaign_dispatch_t *d, int64_t wall);

static void ngx_http_campaign_turn_done(ngx_campaign_op_t *op);
static void ngx_http_campaign_turn_failed(ngx_http_campaign_dispatch_t *d, ngx_http_campaign_turn_t *t, int64_t now);
static void ngx_http_campaign_turn_well(ngx_http_campaign_dispatch_t *d, ngx_http_campaign_turn_t *t);
static void ngx_http_campaign_turn_take(ngx_http_campaign_dispatch_t *d, ngx_http_campaign_turn_t *t);
static void ngx_http_campaign_turn_finished(ngx_http_campaign_dispatch_t *d, uint64_t no);
static void ngx_http_campaign_turn_repeats(ngx_http_campaign_dispatch_t *d, ngx_http_campaign_turn_t *t, int64_t wall);
static void ngx_http_campaign_turn_claimed(ngx_http_campaign_dispatch_t *d, ngx_http_campaign_turn_t *t, int64_t wall);
static void ngx_http_campaign_turn_unref(void *data);
static void ngx_http_campaign_turn_back(ngx_http_campaign_dispatch_t *d, ngx_http_campaign_turn_t *t);


/* when a turn is worth while, monotonic us */

int64_t
ngx_http_campaign_turn_at(ngx_http_campaign_dispatch_t *d, int64_t now)
{
    int64_t  at, due, wall;

    if (d->turn) {
        return NGX_HTTP_CAMPAIGN_DISPATCH_NEVER;
    }

    at = NGX_HTTP_CAMPAIGN_DISPATCH_NEVER;

    if (d->noutcomes || (d->changed && !d->draining) || ngx_http_campaign_leave_due(d)) {
        at = now;

    } else if (!d->draining) {
        wall = ngx_campaign_now();
        due = ngx_campaign_pick_next(&d->pick, wall);

        if (d->start) {
            due = ngx_min(due, d->start);
        }

        at = d->look_at;

        if (due != NGX_CAMPAIGN_PICK_NEVER) {
            at = ngx_min(at, now + ngx_max(due - wall, 0));
        }
    }

    if (at == NGX_HTTP_CAMPAIGN_DISPATCH_NEVER) {
        return at;
    }

    if (d->failed_at) {
        return ngx_max(at, d->again_at);
    }

    return ngx_max(at, ngx_http_campaign_turn_least(d, now));
}


/*
 * When the next turn may begin, as far as the last one is concerned.  A commit costs about the same for one message as for hundreds, and while it
 * is under way the rest of what is claimed is sent: so where the gateways have answered a quarter of it, the next one waits, for no longer
 * than WIDE, until they have answered two thirds.  On a slow disk that is the difference between half and all of the messages in each commit.
 */

static int64_t
ngx_http_campaign_turn_least(ngx_http_campaign_dispatch_t *d, int64_t now)
{
    ngx_uint_t  all, most;

    all = d->claimed + d->noutcomes;
    most = d->noutcomes >= all - all / 3;

    if (all <= NGX_HTTP_CAMPAIGN_TURN_FEW || (most && d->noutcomes >= NGX_HTTP_CAMPAIGN_TURN_MANY)) {
        return d->turned;
    }

    if (most || now < d->turned + NGX_HTTP_CAMPAIGN_TURN_GAP || d->noutcomes < all / 4) {
        return d->turned + NGX_HTTP_CAMPAIGN_TURN_GAP;
    }

    return d->landed + NGX_HTTP_CAMPAIGN_TURN_WIDE;
}


/* with a store in trouble outcomes go first, alone: it may still take them */

static ngx_uint_t
ngx_http_campaign_turn_claims(ngx_http_campaign_dispatch_t *d)
{
    return !d->draining && d->looked && (d->failed_at == 0 || d->noutcomes == 0);
}


void
ngx_http_campaign_turn_start(ngx_http_campaign_dispatch_t *d, int64_t now)
{
    int64_t                    wall;
    uint32_t                   asked;
    ngx_campaign_store_t      *st;
    ngx_http_campaign_turn_t  *t;

    st = ngx_http_campaign_store();
    wall = ngx_campaign_now();
    asked = 0;

    d->pick.most = NGX_HTTP_CAMPAIGN_TURN_MOST;
    d->pick.horizon = ngx_min(ngx_max(NGX_HTTP_CAMPAIGN_TURN_HORIZON, 2 * d->lag + NGX_HTTP_CAMPAIGN_TURN_HORIZON / 2),
                              NGX_HTTP_CAMPAIGN_TURN_FAR);

    if (ngx_http_campaign_turn_claims(d)) {
        asked = ngx_campaign_pick_turn(&d->pick, wall);
    }

    if (asked == 0 && d->noutcomes == 0 && !d->changed && (d->start == 0 || d->start > wall) && d->look_at > now
        && !ngx_http_campaign_leave_due(d))
    {
        return;
    }

    t = ngx_http_campaign_turn_make(d);
    if (t == NULL || ngx_http_campaign_window_reserve(d, asked) != NGX_OK) {
        goto failed;
    }

    if (asked && ngx_http_campaign_turn_grants(d, t, wall) != NGX_OK) {
        goto failed;
    }

    t->started = now;
    d->turned = now;
    d->turn = t;

    d->noutcomes = 0;
    d->changed = 0;
    d->hinted = 0;

    ngx_log_debug3(NGX_LOG_DEBUG_HTTP, d->log, 0, "campaign dispatcher: turn, %ui outcomes, asks for %uD of %ui accounts",
                   t->turn.noutcomes, asked, t->turn.ngrants);

    if (ngx_campaign_store_turn(st, &t->op, &t->turn) == NGX_ERROR) {
        ngx_http_campaign_turn_done(&t->op);
    }

    return;

failed:

    if (asked) {
        ngx_http_campaign_turn_unpick(d, wall);
    }

    if (t) {
        ngx_http_campaign_turn_free(t);
    }

    if (d->failed_at == 0) {
        d->failed_at = now;
        ngx_log_error(NGX_LOG_ERR, d->log, 0, "campaign dispatcher: no memory for a turn, waits");
    }

    d->again_at = now + NGX_HTTP_CAMPAIGN_TURN_BACKOFF * 1000;
}


/* a turn with the outcomes, which stay where they are until it is under way; NULL: no memory */

static ngx_http_campaign_turn_t *
ngx_http_campaign_turn_make(ngx_http_campaign_dispatch_t *d)
{
    ngx_pool_t                *pool;
    ngx_pool_cleanup_t        *cln;
    ngx_http_campaign_turn_t  *t;

    pool = ngx_create_pool(4096, d->log);
    if (pool == NULL) {
        return NULL;
    }

    t = ngx_pcalloc(pool, sizeof(ngx_http_campaign_turn_t));
    cln = ngx_pool_cleanup_add(pool, 0);

    if (t == NULL || cln == NULL) {
        ngx_destroy_pool(pool);
        return NULL;
    }

    cln->handler = ngx_http_campaign_turn_unref;
    cln->data = t;

    ngx_campaign_op_init(&t->op, pool, d->log, ngx_http_campaign_turn_done, t);

    if (ngx_http_campaign_turn_limits(d, t) != NGX_OK) {
        ngx_destroy_pool(pool);
        return NULL;
    }

    if (d->noutcomes) {
        t->turn.outcomes = ngx_palloc(pool, d->noutcomes * sizeof(ngx_campaign_outcome_t));
        if (t->turn.outcomes == NULL) {
            ngx_destroy_pool(pool);
            return NULL;
        }

        ngx_memcpy(t->turn.outcomes, d->outcomes, d->noutcomes * sizeof(ngx_campaign_outcome_t));
        t->turn.noutcomes = d->noutcomes;
    }

    if (ngx_http_campaign_leave_due(d) && ngx_http_campaign_leave_turn(d, t) != NGX_OK) {
        ngx_http_campaign_turn_unlimit(d, t);
        ngx_destroy_pool(pool);
        return NULL;
    }

    t->dispatch = d;
    t->turn.epoch = d->epoch;
    t->turn.uncertain = d->uncertain;
    t->turn.nuncertain = d->nuncertain;
    t->turn.crashed = d->crashed;
    t->turn.last = d->draining;
    t->turn.left = (d->state == NGX_HTTP_CAMPAIGN_DISPATCH_LEFT);
    t->turn.look = (!d->draining && (d->look_at <= ngx_http_campaign_dispatch_clock()
                                     || (d->changed && d->look_at != NGX_HTTP_CAMPAIGN_DISPATCH_NEVER)));

    return t;
}


/* accounts whose messages went late; NGX_ERROR: no memory, they stay noted */

static ngx_int_t
ngx_http_campaign_turn_limits(ngx_http_campaign_dispatch_t *d, ngx_http_campaign_turn_t *t)
{
    ngx_uint_t                         n;
    ngx_queue_t                       *q;
    ngx_campaign_limit_t              *limit;
    ngx_http_campaign_live_account_t  *a;

    for (n = 0, q = ngx_queue_head(&d->late); q != ngx_queue_sentinel(&d->late); q = ngx_queue_next(q)) {
        n++;
    }

    if (n == 0) {
        return NGX_OK;
    }

    t->turn.limits = ngx_palloc(t->op.pool, n * sizeof(ngx_campaign_limit_t));
    if (t->turn.limits == NULL) {
        return NGX_ERROR;
    }

    while (!ngx_queue_empty(&d->late)) {
        a = ngx_queue_data(ngx_queue_head(&d->late), ngx_http_campaign_live_account_t, late);

        ngx_queue_remove(&a->late);
        a->is_late = 0;

        limit = &t->turn.limits[t->turn.nlimits++];
        limit->account = (uint32_t) a->node.key;
        limit->tat = a->pick.gcra.tat;
    }

    return NGX_OK;
}


/* the turn that was to tell of them failed */

static void
ngx_http_campaign_turn_unlimit(ngx_http_campaign_dispatch_t *d, ngx_http_campaign_turn_t *t)
{
    ngx_uint_t                         i;
    ngx_http_campaign_live_account_t  *a;

    for (i = 0; i < t->turn.nlimits; i++) {
        a = ngx_http_campaign_picture_find_account(d, t->turn.limits[i].account);

        if (a && !a->is_late) {
            a->pick.gcra.tat = ngx_max(a->pick.gcra.tat, t->turn.limits[i].tat);
            a->is_late = 1;
            ngx_queue_insert_tail(&d->late, &a->late);
        }
    }
}


/* what the picker asks for, in the store's words.  NGX_ERROR: no memory; t->turn.ngrants of them are complete */

static ngx_int_t
ngx_http_campaign_turn_grants(ngx_http_campaign_dispatch_t *d, ngx_http_campaign_turn_t *t, int64_t wall)
{
    ngx_uint_t    n;
    ngx_queue_t  *q, *asked;

    asked = &d->pick.asked;

    for (n = 0, q = ngx_queue_head(asked); q != ngx_queue_sentinel(asked); q = ngx_queue_next(q)) {
        n++;
    }

    t->turn.grants = ngx_pcalloc(t->op.pool, n * sizeof(ngx_campaign_grant_t));
    t->windows = ngx_pcalloc(t->op.pool, n * sizeof(ngx_http_campaign_window_t));
    t->accounts = ngx_pcalloc(t->op.pool, n * sizeof(ngx_campaign_pick_account_t *));

    if (t->turn.grants == NULL || t->windows == NULL || t->accounts == NULL) {
        return NGX_ERROR;
    }

    for (n = 0, q = ngx_queue_head(asked); q != ngx_queue_sentinel(asked); q = ngx_queue_next(q), n++) {
        if (ngx_http_campaign_turn_grant(d, t, n, ngx_queue_data(q, ngx_campaign_pick_account_t, asked), wall) != NGX_OK) {
            return NGX_ERROR;
        }

        t->turn.ngrants++;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_campaign_turn_grant(ngx_http_campaign_dispatch_t *d, ngx_http_campaign_turn_t *t, ngx_uint_t n,
    ngx_campaign_pick_account_t *a, int64_t wall)
{
    ngx_uint_t                         i;
    ngx_queue_t                       *q;
    ngx_campaign_grant_t              *grant;
    ngx_http_campaign_live_t          *live;
    ngx_http_campaign_window_t        *w;
    ngx_campaign_pick_campaign_t      *c;
    ngx_http_campaign_live_account_t  *account;

    grant = &t->turn.grants[n];
    account = a->data;

    for (i = 0, q = ngx_queue_head(&a->claims); q != ngx_queue_sentinel(&a->claims); q = ngx_queue_next(q)) {
        i++;
    }

    w = &t->windows[n];
    w->turn = t;
    w->grant = grant;
    w->lives = ngx_palloc(t->op.pool, i * sizeof(ngx_http_campaign_live_t *));

    grant->claims = ngx_pcalloc(t->op.pool, i * sizeof(ngx_campaign_claim_t));

    if (w->lives == NULL || grant->claims == NULL) {
        return NGX_ERROR;
    }

    grant->account = (uint32_t) account->node.key;
    grant->until = (wall + d->pick.horizon) * 1000;

    for (q = ngx_queue_head(&a->claims); q != ngx_queue_sentinel(&a->claims); q = ngx_queue_next(q)) {
        c = ngx_queue_data(q, ngx_campaign_pick_campaign_t, claim);
        live = c->data;

        grant->claims[grant->nclaims].campaign = live->origin.no;
        grant->claims[grant->nclaims].want = c->want;
        grant->claims[grant->nclaims].again = c->again;

        w->lives[grant->nclaims++] = live;
        live->refs++;
    }

    t->accounts[n] = a;

    return NGX_OK;
}


/* nothing came of what the picker asked for */

static void
ngx_http_campaign_turn_unpick(ngx_http_campaign_dispatch_t *d, int64_t wall)
{
    ngx_queue_t                  *q, *p;
    ngx_campaign_pick_account_t  *a;

    for (q = ngx_queue_head(&d->pick.asked); q != ngx_queue_sentinel(&d->pick.asked); q = ngx_queue_next(q)) {
        a = ngx_queue_data(q, ngx_campaign_pick_account_t, asked);

        for (p = ngx_queue_head(&a->claims); p != ngx_queue_sentinel(&a->claims); p = ngx_queue_next(p)) {
            ngx_campaign_pick_failed(&d->pick, ngx_queue_data(p, ngx_campaign_pick_campaign_t, claim), wall);
        }

        ngx_campaign_pick_granted(&d->pick, a, wall);
    }
}


static void
ngx_http_campaign_turn_done(ngx_campaign_op_t *op)
{
    int64_t                        now, took;
    ngx_uint_t                     leaving;
    ngx_http_campaign_turn_t      *t;
    ngx_http_campaign_status_t    *status;
    ngx_http_campaign_dispatch_t  *d;

    t = op->data;
    d = t->dispatch;

    now = ngx_http_campaign_dispatch_clock();
    took = now - t->started;

    d->turn = NULL;
    d->landed = now;
    d->lag = ngx_max(took, d->lag - d->lag / 8);

    status = ngx_http_campaign_status();

    ngx_campaign_histogram_add(&status->turn, took);
    ngx_http_campaign_status_add(op->rc == NGX_CAMPAIGN_OK ? &status->turns : &status->turns_failed, 1);

    ngx_log_debug3(NGX_LOG_DEBUG_HTTP, d->log, 0, "campaign dispatcher: turn done, %d after %L us, %ui changes",
                   (int) op->rc, took, op->rc == NGX_CAMPAIGN_OK ? t->turn.changes->nelts : 0);

    switch (op->rc) {

    case NGX_CAMPAIGN_OK:
        d->sure = ngx_max(d->sure, t->started);
        ngx_http_campaign_status_add(&status->outcomes, t->turn.noutcomes);
        leaving = t->turn.nleaving;
        ngx_http_campaign_turn_well(d, t);
        ngx_http_campaign_turn_take(d, t);

        if (leaving) {
            ngx_http_campaign_leave_go(d);
        }

        break;

    case NGX_CAMPAIGN_FENCED:
        ngx_http_campaign_turn_free(t);
        ngx_http_campaign_lease_fenced(d);
        return;

    default:
        ngx_http_campaign_turn_failed(d, t, now);
    }

    ngx_http_campaign_dispatch_soon(d);
}


static void
ngx_http_campaign_turn_failed(ngx_http_campaign_dispatch_t *d, ngx_http_campaign_turn_t *t, int64_t now)
{
    /* there is room: these outcomes were in it when the turn began, as was what it asked for, and it grew only between turns */

    if (t->turn.noutcomes) {
        ngx_memcpy(&d->outcomes[d->noutcomes], t->turn.outcomes, t->turn.noutcomes * sizeof(ngx_campaign_outcome_t));
        d->noutcomes += t->turn.noutcomes;
    }

    if (t->turn.ngrants) {
        ngx_http_campaign_turn_unpick(d, ngx_campaign_now());
    }

    ngx_http_campaign_turn_unlimit(d, t);

    d->changed = 1;

    if (t->op.rc == NGX_CAMPAIGN_DAMAGED) {             /* the store said so, and passes it over from now on */
        ngx_http_campaign_turn_free(t);
        return;
    }

    if (d->failed_at == 0) {
        d->failed_at = now;
        ngx_log_error(NGX_LOG_ERR, d->log, 0, "campaign dispatcher: the store %s, %ui outcomes wait and nothing is claimed until it does",
                      t->op.rc == NGX_CAMPAIGN_FULL ? "has no room" : "takes no turn", d->noutcomes);
    }

    d->backoff = ngx_min(ngx_max(d->backoff * 2, NGX_HTTP_CAMPAIGN_TURN_BACKOFF), NGX_HTTP_CAMPAIGN_TURN_BACKOFF_MAX);
    d->again_at = now + (int64_t) d->backoff * 1000;

    if (t->op.rc == NGX_CAMPAIGN_UNKNOWN) {
        ngx_http_campaign_turn_back(d, t);              /* claims that may stand */
        d->draining = 1;
    }

    ngx_http_campaign_turn_free(t);
}


/* a store that takes outcomes may still have no room for claims: it is well when it took all that there was */

static void
ngx_http_campaign_turn_well(ngx_http_campaign_dispatch_t *d, ngx_http_campaign_turn_t *t)
{
    int64_t  wall;

    if (d->failed_at == 0) {
        return;
    }

    wall = ngx_campaign_now();

    if (t->turn.ngrants == 0 && ngx_campaign_pick_next(&d->pick, wall) <= wall) {
        return;
    }

    ngx_log_error(NGX_LOG_NOTICE, d->log, 0, "campaign dispatcher: the store takes turns again");

    d->failed_at = 0;
    d->backoff = 0;
}


/* what a turn brought; the order is that of the transaction */

static void
ngx_http_campaign_turn_take(ngx_http_campaign_dispatch_t *d, ngx_http_campaign_turn_t *t)
{
    int64_t      now, wall;
    uint64_t    *no;
    ngx_uint_t   i;

    wall = ngx_campaign_now();
    now = ngx_http_campaign_dispatch_clock();           /* after it: whoever comes between the two makes messages later, not earlier */

    ngx_http_campaign_turn_repeats(d, t, wall);

    if (!t->turn.last && ngx_http_campaign_picture_change(d, &t->turn, wall) != NGX_OK) {
        ngx_log_error(NGX_LOG_ERR, d->log, 0, "campaign dispatcher: no memory, starts anew with what is to be sent");
        d->draining = 1;
    }

    ngx_http_campaign_turn_claimed(d, t, wall);

    no = t->turn.finished->elts;

    for (i = 0; i < t->turn.finished->nelts; i++) {
        ngx_http_campaign_turn_finished(d, no[i]);
    }

    ngx_http_campaign_picture_sweep(d);

    if (!t->turn.last) {
        d->start = t->turn.next;

        if (t->turn.look) {
            ngx_http_campaign_leave_looked(d, t->turn.away);
        }
    }

    for (i = 0; i < t->turn.ngrants; i++) {
        if (t->turn.grants[i].granted) {
            ngx_http_campaign_window_open(d, &t->windows[i], now, wall);
        }
    }

    if (t->messages == 0) {
        ngx_http_campaign_turn_free(t);
    }
}


static void
ngx_http_campaign_turn_finished(ngx_http_campaign_dispatch_t *d, uint64_t no)
{
    u_char                     id[NGX_CAMPAIGN_ID_LEN], uuid[NGX_CAMPAIGN_UUID_LEN];
    ngx_http_campaign_live_t  *live;

    ngx_campaign_id_make(ngx_campaign_store_secret(ngx_http_campaign_store()), NGX_CAMPAIGN_CAMPAIGN, no, 0, id);
    (void) ngx_campaign_uuid_print(uuid, id);

    ngx_log_error(NGX_LOG_INFO, d->log, 0, "campaign %*s is finished", (size_t) NGX_CAMPAIGN_UUID_LEN, uuid);

    live = ngx_http_campaign_picture_find(d, no);
    if (live) {
        ngx_http_campaign_picture_remove(d, live);
    }
}


static void
ngx_http_campaign_turn_repeats(ngx_http_campaign_dispatch_t *d, ngx_http_campaign_turn_t *t, int64_t wall)
{
    ngx_uint_t                 i;
    ngx_campaign_outcome_t    *o;
    ngx_http_campaign_live_t  *live;

    for (i = 0; i < t->turn.noutcomes; i++) {
        o = &t->turn.outcomes[i];

        if (o->kind == NGX_CAMPAIGN_OUTCOME_SETTLED) {
            continue;
        }

        live = ngx_http_campaign_picture_find(d, o->campaign);
        if (live) {
            live->repeats++;
            ngx_campaign_pick_campaign_again(&d->pick, &live->pick, o->due, wall);
        }
    }
}


static void
ngx_http_campaign_turn_claimed(ngx_http_campaign_dispatch_t *d, ngx_http_campaign_turn_t *t, int64_t wall)
{
    ngx_uint_t                 i, n;
    ngx_campaign_claim_t      *claim;
    ngx_campaign_grant_t      *grant;
    ngx_http_campaign_live_t  *live;

    ngx_http_campaign_live_account_t  *a;

    for (i = 0; i < t->turn.ngrants; i++) {
        grant = &t->turn.grants[i];

        ngx_log_debug3(NGX_LOG_DEBUG_HTTP, d->log, 0, "campaign dispatcher: account %uD is granted %uD messages, a step %L ns",
                       grant->account, grant->granted, grant->step);

        for (n = 0; n < grant->nclaims; n++) {
            claim = &grant->claims[n];
            live = t->windows[i].lives[n];

            if (grant->step == 0) {                     /* the account may not send: its claims were not looked at */
                ngx_campaign_pick_failed(&d->pick, &live->pick, wall);

                if (live->gone) {
                    ngx_http_campaign_picture_remove(d, live);
                }

                continue;
            }

            ngx_http_campaign_status_add(&live->series->failed, claim->expired);
            live->repeats = claim->repeats;

            if (claim->spent) {                         /* it need not rest: the account does, as the store's tat says */
                ngx_campaign_pick_failed(&d->pick, &live->pick, wall);

            } else {
                ngx_campaign_pick_claimed(&d->pick, &live->pick, claim->n, claim->left, claim->again_at, wall);
            }

            if (claim->gone || live->gone) {
                live->gone = 1;
                ngx_http_campaign_picture_remove(d, live);
            }
        }

        a = ngx_rbtree_data(t->accounts[i], ngx_http_campaign_live_account_t, pick);

        if (grant->tat) {                               /* messages that went late meanwhile are still to be told of */
            a->pick.gcra.tat = a->is_late ? ngx_max(a->pick.gcra.tat, grant->tat) : grant->tat;
        }

        ngx_campaign_pick_granted(&d->pick, &a->pick, wall);
    }
}


/* a turn of which nothing was claimed is freed at once, another by its last message */

void
ngx_http_campaign_turn_free(ngx_http_campaign_turn_t *t)
{
    ngx_destroy_pool(t->op.pool);
}


/* with the pool, which is the store's to free if the turn was canceled */

static void
ngx_http_campaign_turn_unref(void *data)
{
    ngx_http_campaign_turn_t *t = data;

    ngx_uint_t             i, n;
    ngx_campaign_grant_t  *grant;

    for (i = 0; i < t->turn.ngrants; i++) {
        grant = &t->turn.grants[i];

        for (n = 0; n < grant->nclaims; n++) {
            ngx_http_campaign_live_unref(t->windows[i].lives[n]);
        }
    }
}


void
ngx_http_campaign_turn_last(ngx_http_campaign_dispatch_t *d, ngx_campaign_store_t *st)
{
    ngx_http_campaign_turn_t  *t;

    if (d->turn) {                                      /* nobody will hear of it */
        ngx_http_campaign_turn_back(d, d->turn);
        d->turn->turn.ngrants = 0;                      /* if the flush is to take it still, it claims nothing */
    }

    if (d->noutcomes == 0) {
        return;
    }

    d->draining = 1;

    t = ngx_http_campaign_turn_make(d);

    if (t == NULL || ngx_campaign_store_turn(st, &t->op, &t->turn) == NGX_ERROR) {
        ngx_http_campaign_dispatch_uncertain(d, d->noutcomes);
        return;
    }

    d->last = t;
}


/* what a turn claimed, if it was taken, is given back: of what it did not claim that changes nothing */

static void
ngx_http_campaign_turn_back(ngx_http_campaign_dispatch_t *d, ngx_http_campaign_turn_t *t)
{
    int64_t                wall;
    uint32_t               m;
    ngx_uint_t             i, n;
    ngx_campaign_claim_t  *claim;

    wall = ngx_campaign_now();

    for (i = 0; i < t->turn.ngrants; i++) {

        for (n = 0; n < t->turn.grants[i].nclaims; n++) {
            claim = &t->turn.grants[i].claims[n];

            for (m = 0; m < claim->n; m++) {
                ngx_http_campaign_window_back(d, &claim->messages[m], wall);
            }
        }
    }
}
