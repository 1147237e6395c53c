
/*
 * The dispatcher's picture of all that can be sent: accounts and campaigns as turns report them.  It keeps true: a campaign of the
 * picture has an account in it and a gateway; what it shares with its messages lives until the last of them is settled, though it left
 * the picture.
 */

#include "ngx_http_campaign_dispatch.h"


static ngx_http_campaign_live_account_t *ngx_http_campaign_picture_account(ngx_http_campaign_dispatch_t *d, uint32_t no);
static ngx_int_t ngx_http_campaign_picture_change_account(ngx_http_campaign_dispatch_t *d, ngx_campaign_live_t *change, int64_t wall);
static ngx_int_t ngx_http_campaign_picture_change_campaign(ngx_http_campaign_dispatch_t *d, ngx_campaign_live_t *change,
    int64_t wall);
static void ngx_http_campaign_picture_started(ngx_http_campaign_live_t *live, ngx_campaign_campaign_t *c, int64_t wall);
static ngx_int_t ngx_http_campaign_picture_add(ngx_http_campaign_dispatch_t *d, ngx_campaign_live_t *change, ngx_uint_t gateway,
    ngx_http_campaign_live_t **added);
static ngx_int_t ngx_http_campaign_picture_origin(ngx_http_campaign_dispatch_t *d, ngx_http_campaign_live_t *live,
    ngx_campaign_campaign_t *c);
static ngx_int_t ngx_http_campaign_picture_gateway(ngx_http_campaign_dispatch_t *d, ngx_str_t *channel, ngx_uint_t *n);
static ngx_rbtree_node_t *ngx_http_campaign_picture_lookup(ngx_rbtree_t *tree, ngx_rbtree_key_t key);


ngx_int_t
ngx_http_campaign_picture_init(ngx_http_campaign_dispatch_t *d)
{
    ngx_uint_t                    i;
    ngx_http_campaign_gateway_t  *gateway;

    gateway = d->cmcf->gateways.elts;

    d->pick.ngateways = d->cmcf->gateways.nelts;
    d->pick.gateways = ngx_pcalloc(d->pool, d->pick.ngateways * sizeof(ngx_campaign_pick_gateway_t));

    d->statuses = ngx_pcalloc(d->pool, d->pick.ngateways * sizeof(ngx_http_campaign_gateway_status_t *));

    if (d->pick.gateways == NULL || d->statuses == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < d->pick.ngateways; i++) {
        d->pick.gateways[i].slots = (uint32_t) gateway[i].concurrency;
        d->pick.gateways[i].data = &gateway[i];
        d->statuses[i] = ngx_http_campaign_status_gateway(&gateway[i].channel);
    }

    d->pick.fast = NGX_CAMPAIGN_PICK_FAST;

    ngx_http_campaign_picture_reset(d);

    return NGX_OK;
}


void
ngx_http_campaign_picture_reset(ngx_http_campaign_dispatch_t *d)
{
    ngx_rbtree_init(&d->accounts, &d->no_account, ngx_rbtree_insert_value);
    ngx_rbtree_init(&d->campaigns, &d->no_campaign, ngx_rbtree_insert_value);
    ngx_queue_init(&d->idle);
    ngx_queue_init(&d->late);

    ngx_campaign_pick_init(&d->pick);
}


void
ngx_http_campaign_picture_clear(ngx_http_campaign_dispatch_t *d)
{
    ngx_rbtree_node_t                 *node;
    ngx_http_campaign_live_t          *live;
    ngx_http_campaign_live_account_t  *a;

    while (d->campaigns.root != d->campaigns.sentinel) {
        live = ngx_rbtree_data(d->campaigns.root, ngx_http_campaign_live_t, node);
        ngx_http_campaign_picture_remove(d, live);
    }

    while (d->accounts.root != d->accounts.sentinel) {
        node = d->accounts.root;
        a = ngx_rbtree_data(node, ngx_http_campaign_live_account_t, node);
        ngx_http_campaign_window_orphan(d, a);
        ngx_rbtree_delete(&d->accounts, node);
        ngx_free(a);
    }

    ngx_http_campaign_picture_reset(d);
}


ngx_int_t
ngx_http_campaign_picture_change(ngx_http_campaign_dispatch_t *d, ngx_campaign_turn_t *turn, int64_t wall)
{
    ngx_int_t             rc;
    ngx_uint_t            i;
    ngx_campaign_live_t  *change;

    change = turn->changes->elts;

    for (i = 0; i < turn->changes->nelts; i++) {

        ngx_log_debug4(NGX_LOG_DEBUG_HTTP, d->log, 0, "campaign dispatcher: kind %d no %uL of account %uD%s",
                       (int) change[i].kind, change[i].no, change[i].account, change[i].gone ? " is gone" : "");

        if (change[i].kind == NGX_CAMPAIGN_ACCOUNT) {
            rc = ngx_http_campaign_picture_change_account(d, &change[i], wall);

        } else {
            rc = ngx_http_campaign_picture_change_campaign(d, &change[i], wall);
        }

        if (rc != NGX_OK) {
            return rc;
        }
    }

    return NGX_OK;
}


void
ngx_http_campaign_picture_fresh(ngx_http_campaign_dispatch_t *d, ngx_array_t *fresh, int64_t wall)
{
    ngx_int_t             rc;
    ngx_uint_t            i, gateway;
    ngx_campaign_live_t  *change;

    change = fresh->elts;

    for (i = 0; i + 1 < fresh->nelts; i += 2) {

        if (ngx_http_campaign_picture_find(d, change[i + 1].no)
            || ngx_http_campaign_picture_gateway(d, &change[i + 1].campaign.rec.channel, &gateway) != NGX_OK)
        {
            continue;
        }

        /* of an account that stands in the picture it is the picture that knows the limiter's state best */

        rc = ngx_http_campaign_picture_find_account(d, change[i].account)
             ? NGX_OK : ngx_http_campaign_picture_change_account(d, &change[i], wall);

        if (rc == NGX_OK) {
            rc = ngx_http_campaign_picture_change_campaign(d, &change[i + 1], wall);
        }

        if (rc != NGX_OK) {
            break;
        }
    }

    ngx_http_campaign_picture_sweep(d);
}


static ngx_int_t
ngx_http_campaign_picture_change_account(ngx_http_campaign_dispatch_t *d, ngx_campaign_live_t *change, int64_t wall)
{
    ngx_http_campaign_live_account_t  *a;

    a = ngx_http_campaign_picture_account(d, change->account);
    if (a == NULL) {
        return NGX_ERROR;
    }

    if (change->gone) {
        a->pick.active = 0;

    } else {
        a->pick.active = 1;
        ngx_http_campaign_window_change(d, a, ngx_max(change->rate, 1), ngx_max(change->burst, 1));
        a->pick.gcra.tat = change->tat;
    }

    ngx_campaign_pick_account_set(&d->pick, &a->pick, wall);

    return NGX_OK;
}


/* found, or added: a campaign of it follows, else the sweep takes it away */

static ngx_http_campaign_live_account_t *
ngx_http_campaign_picture_account(ngx_http_campaign_dispatch_t *d, uint32_t no)
{
    ngx_http_campaign_live_account_t  *a;

    a = ngx_http_campaign_picture_find_account(d, no);
    if (a) {
        return a;
    }

    a = ngx_calloc(sizeof(ngx_http_campaign_live_account_t) + d->pick.ngateways * sizeof(ngx_campaign_pick_lane_t), d->log);
    if (a == NULL) {
        return NULL;
    }

    a->node.key = no;
    ngx_rbtree_insert(&d->accounts, &a->node);

    a->pick.lanes = (ngx_campaign_pick_lane_t *) &a[1];
    a->pick.gcra.rate = 1;
    a->pick.gcra.burst = 1;
    a->pick.data = a;

    ngx_campaign_pick_account_add(&d->pick, &a->pick);

    ngx_queue_init(&a->windows);

    ngx_queue_insert_tail(&d->idle, &a->queue);
    a->idle = 1;

    return a;
}


static ngx_int_t
ngx_http_campaign_picture_change_campaign(ngx_http_campaign_dispatch_t *d, ngx_campaign_live_t *change, int64_t wall)
{
    u_char                     uuid[NGX_CAMPAIGN_UUID_LEN];
    ngx_int_t                  rc;
    ngx_uint_t                 gateway;
    ngx_http_campaign_live_t  *live;

    live = ngx_http_campaign_picture_find(d, change->no);

    if (change->gone) {
        if (live) {
            live->gone = 1;

            if (!live->pick.in_turn) {                  /* else when its claim is answered */
                ngx_http_campaign_picture_remove(d, live);
            }
        }

        return NGX_OK;
    }

    if (live == NULL) {
        if (ngx_http_campaign_picture_gateway(d, &change->campaign.rec.channel, &gateway) != NGX_OK) {
            (void) ngx_campaign_uuid_print(uuid, change->campaign.rec.id);
            ngx_log_error(NGX_LOG_WARN, d->log, 0, "campaign %*s waits: there is no campaign_gateway for channel \"%V\"",
                          (size_t) NGX_CAMPAIGN_UUID_LEN, uuid, &change->campaign.rec.channel);
            return NGX_OK;
        }

        rc = ngx_http_campaign_picture_add(d, change, gateway, &live);
        if (rc != NGX_OK) {
            return rc == NGX_DECLINED ? NGX_OK : rc;
        }
    }

    if (live->started == 0) {                           /* a peek found it before its start */
        ngx_http_campaign_picture_started(live, &change->campaign, wall);
    }

    live->repeats = change->campaign.progress.again;
    ngx_campaign_pick_campaign_set(&d->pick, &live->pick, change->fresh, change->again_at, wall);

    return NGX_OK;
}


/* one that was started long ago, and whose first message is still to go, is not late by its schedule: it was paused, say */

static void
ngx_http_campaign_picture_started(ngx_http_campaign_live_t *live, ngx_campaign_campaign_t *c, int64_t wall)
{
    live->started = c->progress.started;
    live->expires = ngx_campaign_expires(c->validity, c->progress.started);

    if (c->schedule && c->progress.pending == c->progress.total && wall / 1000000 - c->progress.started <= 1) {
        live->behind = ngx_max(wall - (int64_t) c->schedule * 1000000, 0);
    }
}


static ngx_int_t
ngx_http_campaign_picture_add(ngx_http_campaign_dispatch_t *d, ngx_campaign_live_t *change, ngx_uint_t gateway,
    ngx_http_campaign_live_t **added)
{
    ngx_int_t                          rc;
    ngx_pool_t                        *pool;
    ngx_http_campaign_live_t          *live;
    ngx_campaign_campaign_t           *c;
    ngx_http_campaign_live_account_t  *a;

    c = &change->campaign;

    a = ngx_http_campaign_picture_account(d, change->account);
    if (a == NULL) {
        return NGX_ERROR;
    }

    pool = ngx_create_pool(4096, d->log);
    if (pool == NULL) {
        return NGX_ERROR;
    }

    live = ngx_pcalloc(pool, sizeof(ngx_http_campaign_live_t));
    if (live == NULL) {
        ngx_destroy_pool(pool);
        return NGX_ERROR;
    }

    live->pool = pool;
    live->origin.gateway = d->pick.gateways[gateway].data;
    rc = ngx_http_campaign_picture_origin(d, live, c);
    if (rc != NGX_OK) {
        ngx_destroy_pool(pool);
        return rc;
    }

    live->series = ngx_http_campaign_status_series(change->account, live->origin.account, &live->origin.channel);

    ngx_http_campaign_status_set(&live->series->rate, a->pick.gcra.rate);
    ngx_http_campaign_status_set(&live->series->burst, a->pick.gcra.burst);

    live->refs = 1;
    live->account = a;
    live->pick.account = &a->pick;
    live->pick.gateway = &d->pick.gateways[gateway];
    live->pick.data = live;
    live->pick.urgent = c->rec.apart ? 1 : 0;

    live->node.key = change->no;
    ngx_rbtree_insert(&d->campaigns, &live->node);

    if (a->idle) {
        ngx_queue_remove(&a->queue);
        a->idle = 0;
    }

    a->campaigns++;

    *added = live;

    return NGX_OK;
}


/* NGX_DECLINED: its text cannot be read; the campaign is passed over */

static ngx_int_t
ngx_http_campaign_picture_origin(ngx_http_campaign_dispatch_t *d, ngx_http_campaign_live_t *live, ngx_campaign_campaign_t *c)
{
    u_char                       id[NGX_CAMPAIGN_ID_LEN];
    ngx_int_t                    rc;
    ngx_str_t                    text, bad;
    ngx_http_campaign_origin_t  *o;

    o = &live->origin;

    o->no = c->rec.no;
    (void) ngx_campaign_uuid_print(o->id, c->rec.id);

    ngx_campaign_id_make(ngx_campaign_store_secret(ngx_http_campaign_store()), NGX_CAMPAIGN_ACCOUNT, c->rec.account, 0, id);
    (void) ngx_campaign_uuid_print(o->account, id);

    o->channel = o->gateway->channel;

    o->from.len = c->from.len;
    o->from.data = ngx_pstrdup(live->pool, &c->from);

    text.len = c->text.len;
    text.data = ngx_pstrdup(live->pool, &c->text);

    if (o->from.data == NULL || text.data == NULL) {
        return NGX_ERROR;
    }

    rc = ngx_campaign_template_parse(live->pool, &text, &o->text, &bad);

    if (rc == NGX_DECLINED) {
        ngx_log_error(NGX_LOG_ERR, d->log, 0, "campaign %*s waits: its text has a placeholder that cannot be read: \"%V\"",
                      (size_t) NGX_CAMPAIGN_UUID_LEN, o->id, &bad);
    }

    return rc;
}


static ngx_int_t
ngx_http_campaign_picture_gateway(ngx_http_campaign_dispatch_t *d, ngx_str_t *channel, ngx_uint_t *n)
{
    ngx_http_campaign_gateway_t  *gateway;

    gateway = ngx_http_campaign_gateway(d->cmcf, channel);

    if (gateway == NULL) {
        return NGX_DECLINED;
    }

    *n = gateway - (ngx_http_campaign_gateway_t *) d->cmcf->gateways.elts;

    return NGX_OK;
}


void
ngx_http_campaign_picture_remove(ngx_http_campaign_dispatch_t *d, ngx_http_campaign_live_t *live)
{
    ngx_http_campaign_live_account_t  *a;

    ngx_campaign_pick_campaign_remove(&d->pick, &live->pick);
    ngx_rbtree_delete(&d->campaigns, &live->node);

    a = live->account;
    live->account = NULL;
    live->gone = 1;

    if (--a->campaigns == 0) {
        ngx_queue_insert_tail(&d->idle, &a->queue);
        a->idle = 1;
    }

    ngx_http_campaign_live_unref(live);
}


void
ngx_http_campaign_picture_sweep(ngx_http_campaign_dispatch_t *d)
{
    ngx_http_campaign_live_account_t  *a;

    while (!ngx_queue_empty(&d->idle)) {
        a = ngx_queue_data(ngx_queue_head(&d->idle), ngx_http_campaign_live_account_t, queue);

        ngx_queue_remove(&a->queue);
        ngx_campaign_pick_account_remove(&d->pick, &a->pick);
        ngx_http_campaign_window_orphan(d, a);
        ngx_rbtree_delete(&d->accounts, &a->node);
        ngx_free(a);
    }
}


ngx_http_campaign_live_account_t *
ngx_http_campaign_picture_find_account(ngx_http_campaign_dispatch_t *d, uint32_t no)
{
    ngx_rbtree_node_t  *node;

    node = ngx_http_campaign_picture_lookup(&d->accounts, no);

    return node ? ngx_rbtree_data(node, ngx_http_campaign_live_account_t, node) : NULL;
}


ngx_http_campaign_live_t *
ngx_http_campaign_picture_find(ngx_http_campaign_dispatch_t *d, uint64_t campaign)
{
    ngx_rbtree_node_t  *node;

    node = ngx_http_campaign_picture_lookup(&d->campaigns, (ngx_rbtree_key_t) campaign);

    return node ? ngx_rbtree_data(node, ngx_http_campaign_live_t, node) : NULL;
}


static ngx_rbtree_node_t *
ngx_http_campaign_picture_lookup(ngx_rbtree_t *tree, ngx_rbtree_key_t key)
{
    ngx_rbtree_node_t  *node;

    node = tree->root;

    while (node != tree->sentinel && node->key != key) {
        node = (key < node->key) ? node->left : node->right;
    }

    return node == tree->sentinel ? NULL : node;
}


void
ngx_http_campaign_live_unref(ngx_http_campaign_live_t *live)
{
    if (--live->refs == 0) {
        ngx_destroy_pool(live->pool);
    }
}
