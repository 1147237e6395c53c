
/*
 * Webhooks going out: what is due is looked for, taken, sent, and its outcome told to the store.  It keeps true: a request goes to an address
 * that was checked after it was looked up, and to no other; an event is not sent while an earlier one of its message is on its way, or its
 * outcome is not yet recorded; a webhook that does not answer has one request at a time, and takes no other one's place.
 */

#include "ngx_http_campaign_notify.h"
#include "ngx_campaign_webhook.h"


#define NGX_HTTP_CAMPAIGN_NOTIFY_LOOK     100       /* ms between two looks */
#define NGX_HTTP_CAMPAIGN_NOTIFY_MOST     256       /* events on their way */
#define NGX_HTTP_CAMPAIGN_NOTIFY_EACH     16        /* of one webhook whose last try was well, or that was not tried yet */
#define NGX_HTTP_CAMPAIGN_NOTIFY_LIMIT    30000     /* ms for a request and its reply */
#define NGX_HTTP_CAMPAIGN_NOTIFY_DRAIN    2000      /* ms that an exit waits for what is on its way: it is repeated, with the same id */
#define NGX_HTTP_CAMPAIGN_NOTIFY_AGAIN    500       /* ms until outcomes that the store did not take are told again */
#define NGX_HTTP_CAMPAIGN_NOTIFY_TELL     128       /* outcomes in a transaction */
#define NGX_HTTP_CAMPAIGN_NOTIFY_GONE     410
#define NGX_HTTP_CAMPAIGN_NOTIFY_COMPLAIN 60        /* s between two complaints about a resolver that is not there */


typedef struct ngx_http_campaign_hook_s    ngx_http_campaign_hook_t;
typedef struct ngx_http_campaign_errand_s  ngx_http_campaign_errand_t;

/* an event from its taking until its outcome is recorded; in its own pool */

struct ngx_http_campaign_errand_s {
    ngx_http_campaign_delivery_t   delivery;
    ngx_http_campaign_letter_t     letter;
    ngx_http_campaign_origin_t     origin;
    ngx_pool_t                    *pool;
    ngx_http_campaign_hook_t      *hook;
    ngx_queue_t                    queue;           /* in hook->errands */
    ngx_queue_t                    told;            /* in notify.outcomes, once it has one */
    ngx_campaign_webhook_t         webhook;
    ngx_campaign_notice_t          notice;
    ngx_campaign_url_t             url;
    ngx_campaign_tell_t            tell;
};

/* a webhook of which something is on its way */

struct ngx_http_campaign_hook_s {
    ngx_queue_t                    queue;
    uint64_t                       no;
    ngx_uint_t                     n;               /* errands */
    ngx_queue_t                    errands;
    unsigned                       taking:1;
};

typedef struct {
    ngx_campaign_op_t              op;
    ngx_campaign_due_t             due;
} ngx_http_campaign_look_t;

typedef struct {
    ngx_campaign_op_t              op;
    ngx_campaign_take_t            take;
    ngx_http_campaign_hook_t      *hook;
} ngx_http_campaign_taking_t;

typedef struct {
    ngx_campaign_op_t              op;
    ngx_queue_t                    errands;
    ngx_campaign_tell_t            tells[NGX_HTTP_CAMPAIGN_NOTIFY_TELL];
} ngx_http_campaign_telling_t;

typedef struct {
    ngx_http_campaign_main_conf_t *cmcf;
    ngx_log_t                     *log;
    ngx_event_t                    tick;            /* looks */
    ngx_event_t                    retell;
    ngx_http_campaign_look_t      *look;            /* under way */
    ngx_http_campaign_telling_t   *telling;
    ngx_queue_t                    hooks;
    ngx_queue_t                    outcomes;        /* errands whose outcome is to be told */
    ngx_uint_t                     n;               /* errands in all */
    uint64_t                       after;
    ngx_msec_t                     drained;         /* when an exit began to wait; 0: it did not */
    unsigned                       init:1;
    unsigned                       on:1;
    unsigned                       posted:1;        /* on the post: no other process tells */
} ngx_http_campaign_notify_t;


static ngx_uint_t ngx_http_campaign_notify_waits(ngx_campaign_store_t *st);
static void ngx_http_campaign_notify_tick(ngx_event_t *ev);
static void ngx_http_campaign_notify_looked(ngx_campaign_op_t *op);
static void ngx_http_campaign_notify_take(uint64_t webhook);
static void ngx_http_campaign_notify_taken(ngx_campaign_op_t *op);
static ngx_uint_t ngx_http_campaign_notify_busy(ngx_http_campaign_hook_t *hook, const ngx_campaign_event_t *e);

static void ngx_http_campaign_notify_errand(ngx_http_campaign_hook_t *hook, const ngx_campaign_webhook_t *webhook,
    const ngx_campaign_notice_t *notice);
static ngx_int_t ngx_http_campaign_notify_copy(ngx_pool_t *pool, ngx_str_t *text);
static void ngx_http_campaign_notify_resolve(ngx_http_campaign_errand_t *e);
static void ngx_http_campaign_notify_resolved(ngx_resolver_ctx_t *ctx);
static void ngx_http_campaign_notify_send(ngx_http_campaign_errand_t *e, const ngx_campaign_address_t *a);
static void ngx_http_campaign_notify_done(ngx_http_campaign_delivery_t *d);
static void ngx_http_campaign_notify_judge(ngx_http_campaign_errand_t *e, ngx_uint_t told, ngx_uint_t code, ngx_msec_t after);

static void ngx_http_campaign_notify_tell(ngx_http_campaign_errand_t *e);
static void ngx_http_campaign_notify_retell(ngx_event_t *ev);
static void ngx_http_campaign_notify_told(ngx_campaign_op_t *op);
static void ngx_http_campaign_notify_free(ngx_http_campaign_errand_t *e);

static ngx_http_campaign_hook_t *ngx_http_campaign_notify_hook(uint64_t webhook);
static void ngx_http_campaign_notify_unhook(ngx_http_campaign_hook_t *hook);
static void *ngx_http_campaign_notify_op(size_t size, ngx_campaign_done_pt done);


/* of this process */
static ngx_http_campaign_notify_t  notify;


void
ngx_http_campaign_notify_start(ngx_http_campaign_main_conf_t *cmcf, ngx_log_t *log)
{
    if (cmcf->webhook.gateway.uri.data == NULL) {
        return;
    }

    if (!notify.init) {
        notify.init = 1;
        notify.cmcf = cmcf;
        notify.log = log;

        ngx_queue_init(&notify.hooks);
        ngx_queue_init(&notify.outcomes);

        notify.tick.handler = ngx_http_campaign_notify_tick;
        notify.tick.data = &notify;
        notify.tick.log = log;
        notify.tick.cancelable = 1;

        notify.retell.handler = ngx_http_campaign_notify_retell;
        notify.retell.data = &notify;
        notify.retell.log = log;
        notify.retell.cancelable = 1;
    }

    notify.on = 1;
    notify.after = 0;
    notify.drained = 0;

    if (!notify.tick.timer_set) {
        ngx_add_timer(&notify.tick, 1);
    }
}


void
ngx_http_campaign_notify_stop(void)
{
    ngx_campaign_store_t  *st;

    notify.on = 0;

    if (notify.init && notify.tick.timer_set) {
        ngx_del_timer(&notify.tick);
    }

    st = ngx_http_campaign_store();

    if (notify.posted && st) {
        ngx_campaign_store_post_leave(st, NGX_CAMPAIGN_POST_NOTIFY);
    }

    notify.posted = 0;
}


/* 1: who told before has not told all yet, and lives */

static ngx_uint_t
ngx_http_campaign_notify_waits(ngx_campaign_store_t *st)
{
    if (!notify.posted) {
        notify.posted = (ngx_campaign_store_post(st, NGX_CAMPAIGN_POST_NOTIFY) != NGX_BUSY);
    }

    return !notify.posted;
}


ngx_uint_t
ngx_http_campaign_notify_drained(void)
{
    if (!notify.init) {
        return 1;
    }

    notify.on = 0;

    if (notify.drained == 0) {
        notify.drained = ngx_current_msec;
    }

    if (notify.n && ngx_current_msec - notify.drained < NGX_HTTP_CAMPAIGN_NOTIFY_DRAIN) {
        return 0;
    }

    ngx_http_campaign_notify_stop();

    return 1;
}


void
ngx_http_campaign_notify_cut(void)
{
    ngx_queue_t                 *q, *p;
    ngx_http_campaign_hook_t    *hook;
    ngx_http_campaign_errand_t  *e;

    if (!notify.init) {
        return;
    }

    for (q = ngx_queue_head(&notify.hooks); q != ngx_queue_sentinel(&notify.hooks); q = ngx_queue_next(q)) {
        hook = ngx_queue_data(q, ngx_http_campaign_hook_t, queue);

        for (p = ngx_queue_head(&hook->errands); p != ngx_queue_sentinel(&hook->errands); p = ngx_queue_next(p)) {
            e = ngx_queue_data(p, ngx_http_campaign_errand_t, queue);
            ngx_http_campaign_delivery_cut(&e->delivery);
        }
    }
}


static void
ngx_http_campaign_notify_tick(ngx_event_t *ev)
{
    ngx_campaign_store_t      *st;
    ngx_http_campaign_look_t  *look;

    if (!notify.on || ngx_exiting) {
        return;
    }

    ngx_add_timer(&notify.tick, NGX_HTTP_CAMPAIGN_NOTIFY_LOOK);

    st = ngx_http_campaign_store();

    if (st == NULL || ngx_http_campaign_notify_waits(st) || notify.look || notify.n >= NGX_HTTP_CAMPAIGN_NOTIFY_MOST) {
        return;
    }

    look = ngx_http_campaign_notify_op(sizeof(ngx_http_campaign_look_t), ngx_http_campaign_notify_looked);
    if (look == NULL) {
        return;
    }

    look->due.after = notify.after;

    if (ngx_campaign_store_due(st, &look->op, &look->due) == NGX_ERROR) {
        ngx_destroy_pool(look->op.pool);
        return;
    }

    notify.look = look;
}


static void
ngx_http_campaign_notify_looked(ngx_campaign_op_t *op)
{
    ngx_uint_t           i;
    ngx_campaign_due_t   due;

    notify.look = NULL;
    due = ((ngx_http_campaign_look_t *) op)->due;

    if (op->rc != NGX_CAMPAIGN_OK || !notify.on) {
        ngx_destroy_pool(op->pool);
        return;
    }

    ngx_destroy_pool(op->pool);

    notify.after = due.after;

    for (i = 0; i < due.n; i++) {
        ngx_http_campaign_notify_take(due.webhooks[i]);
    }

    if (due.after && notify.tick.timer_set) {               /* there are more webhooks to look at */
        ngx_del_timer(&notify.tick);
        ngx_add_timer(&notify.tick, 1);
    }
}


static void
ngx_http_campaign_notify_take(uint64_t webhook)
{
    ngx_campaign_store_t        *st;
    ngx_http_campaign_hook_t    *hook;
    ngx_http_campaign_taking_t  *t;

    st = ngx_http_campaign_store();
    hook = ngx_http_campaign_notify_hook(webhook);

    if (st == NULL || hook == NULL || hook->taking || hook->n >= NGX_HTTP_CAMPAIGN_NOTIFY_EACH) {
        return;
    }

    t = ngx_http_campaign_notify_op(sizeof(ngx_http_campaign_taking_t), ngx_http_campaign_notify_taken);

    if (t == NULL) {
        ngx_http_campaign_notify_unhook(hook);
        return;
    }

    t->hook = hook;
    t->take.webhook = webhook;
    t->take.most = hook->n + NGX_HTTP_CAMPAIGN_NOTIFY_EACH;

    if (ngx_campaign_store_take(st, &t->op, &t->take) == NGX_ERROR) {
        ngx_destroy_pool(t->op.pool);
        ngx_http_campaign_notify_unhook(hook);
        return;
    }

    hook->taking = 1;
}


static void
ngx_http_campaign_notify_taken(ngx_campaign_op_t *op)
{
    ngx_uint_t                   i, most;
    ngx_campaign_take_t         *take;
    ngx_campaign_notice_t       *notice;
    ngx_http_campaign_hook_t    *hook;
    ngx_http_campaign_taking_t  *t;

    t = (ngx_http_campaign_taking_t *) op;
    take = &t->take;
    hook = t->hook;

    if (op->rc == NGX_CAMPAIGN_OK && notify.on && !ngx_exiting) {

        most = (take->hook.queue.told <= NGX_CAMPAIGN_TOLD_DELIVERED) ? NGX_HTTP_CAMPAIGN_NOTIFY_EACH : 1;
        notice = take->notices->elts;

        for (i = 0; i < take->notices->nelts && hook->n < most && notify.n < NGX_HTTP_CAMPAIGN_NOTIFY_MOST; i++) {
            if (!ngx_http_campaign_notify_busy(hook, &notice[i].event)) {
                ngx_http_campaign_notify_errand(hook, &take->hook, &notice[i]);
            }
        }
    }

    ngx_destroy_pool(op->pool);

    hook->taking = 0;
    ngx_http_campaign_notify_unhook(hook);
}


/* 1: the event itself, or another one of its message, is on its way */

static ngx_uint_t
ngx_http_campaign_notify_busy(ngx_http_campaign_hook_t *hook, const ngx_campaign_event_t *e)
{
    ngx_queue_t                 *q;
    const ngx_campaign_event_t  *other;
    ngx_http_campaign_errand_t  *errand;

    for (q = ngx_queue_head(&hook->errands); q != ngx_queue_sentinel(&hook->errands); q = ngx_queue_next(q)) {
        errand = ngx_queue_data(q, ngx_http_campaign_errand_t, queue);
        other = &errand->notice.event;

        if (other->no == e->no || (e->campaign && other->campaign == e->campaign && other->seq == e->seq)) {
            return 1;
        }
    }

    return 0;
}


static void
ngx_http_campaign_notify_errand(ngx_http_campaign_hook_t *hook, const ngx_campaign_webhook_t *webhook, const ngx_campaign_notice_t *notice)
{
    u_char                      *buf, id[NGX_CAMPAIGN_ID_LEN];
    ngx_uint_t                   i;
    ngx_pool_t                  *pool;
    ngx_campaign_store_t        *st;
    ngx_http_campaign_errand_t  *e;

    st = ngx_http_campaign_store();
    pool = st ? ngx_create_pool(4096, notify.log) : NULL;

    if (pool == NULL) {
        return;
    }

    e = ngx_pcalloc(pool, sizeof(ngx_http_campaign_errand_t));
    buf = ngx_pnalloc(pool, NGX_CAMPAIGN_URL_MAX);

    if (e == NULL || buf == NULL) {
        ngx_destroy_pool(pool);
        return;
    }

    e->pool = pool;
    e->hook = hook;
    e->webhook = *webhook;
    e->notice = *notice;

    {
        ngx_str_t  *texts[] = {
            &e->webhook.secret, &e->notice.event.channel, &e->notice.event.from, &e->notice.event.to, &e->notice.event.text,
            &e->notice.channel, &e->notice.payload, &e->notice.name
        };

        for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
            if (ngx_http_campaign_notify_copy(pool, texts[i]) != NGX_OK) {
                ngx_destroy_pool(pool);
                return;
            }
        }
    }

    ngx_campaign_id_make(ngx_campaign_store_secret(st), NGX_CAMPAIGN_ACCOUNT, webhook->rec.account, 0, id);
    (void) ngx_campaign_uuid_print(e->origin.account, id);

    e->origin.gateway = &notify.cmcf->webhook.gateway;

    e->tell.webhook = hook->no;
    e->tell.no = notice->event.no;
    e->tell.attempt = notice->event.attempts + 1;

    ngx_queue_insert_tail(&hook->errands, &e->queue);
    hook->n++;
    notify.n++;

    if (notice->held) {
        e->tell.kind = NGX_CAMPAIGN_TELL_HELD;
        ngx_http_campaign_notify_tell(e);
        return;
    }

    if (ngx_campaign_url_parse(&webhook->url, buf, &e->url) != NGX_OK) {
        ngx_http_campaign_notify_judge(e, NGX_CAMPAIGN_TOLD_FORBIDDEN, 0, 0);

    } else if (!e->url.literal) {
        ngx_http_campaign_notify_resolve(e);

    } else if (ngx_http_campaign_notify_address(notify.cmcf, &e->url.address)) {
        ngx_http_campaign_notify_send(e, &e->url.address);

    } else {
        ngx_http_campaign_notify_judge(e, NGX_CAMPAIGN_TOLD_FORBIDDEN, 0, 0);
    }
}


static ngx_int_t
ngx_http_campaign_notify_copy(ngx_pool_t *pool, ngx_str_t *text)
{
    u_char  *p;

    p = ngx_pnalloc(pool, text->len + 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    if (text->len) {
        ngx_memcpy(p, text->data, text->len);
    }

    text->data = p;

    return NGX_OK;
}


static void
ngx_http_campaign_notify_resolve(ngx_http_campaign_errand_t *e)
{
    ngx_resolver_ctx_t        *ctx;
    ngx_http_core_loc_conf_t  *clcf;

    static time_t  complained;

    clcf = notify.cmcf->webhook.clcf;

    ctx = ngx_resolve_start(clcf->resolver, NULL);

    if (ctx == NGX_NO_RESOLVER && ngx_time() - complained >= NGX_HTTP_CAMPAIGN_NOTIFY_COMPLAIN) {
        complained = ngx_time();
        ngx_log_error(NGX_LOG_ERR, notify.log, 0, "webhook at \"%V\" is not called: nothing tells the address of its host, add \"resolver "
                      "<address of a DNS server>;\" to location \"%V\"", &e->url.host, &notify.cmcf->webhook.gateway.uri);
    }

    if (ctx == NULL || ctx == NGX_NO_RESOLVER) {
        ngx_http_campaign_notify_judge(e, NGX_CAMPAIGN_TOLD_UNRESOLVED, 0, 0);
        return;
    }

    ctx->name = e->url.host;
    ctx->handler = ngx_http_campaign_notify_resolved;
    ctx->data = e;
    ctx->timeout = clcf->resolver_timeout;

    if (ngx_resolve_name(ctx) != NGX_OK) {              /* it has freed ctx */
        ngx_http_campaign_notify_judge(e, NGX_CAMPAIGN_TOLD_UNRESOLVED, 0, 0);
    }
}


/* perhaps from inside ngx_resolve_name() */

static void
ngx_http_campaign_notify_resolved(ngx_resolver_ctx_t *ctx)
{
    ngx_int_t                    rc;
    ngx_campaign_address_t       a;
    ngx_http_campaign_errand_t  *e;

    e = ctx->data;

    if (ctx->state) {
        ngx_log_error(NGX_LOG_INFO, notify.log, 0, "webhook at \"%V\" is not called: %s (%i)", &e->url.host,
                      ngx_resolver_strerror(ctx->state), ctx->state);

        ngx_resolve_name_done(ctx);
        ngx_http_campaign_notify_judge(e, NGX_CAMPAIGN_TOLD_UNRESOLVED, 0, 0);
        return;
    }

    rc = ngx_http_campaign_notify_choose(notify.cmcf, ctx, &a);

    ngx_resolve_name_done(ctx);

    if (rc != NGX_OK) {
        ngx_log_error(NGX_LOG_WARN, notify.log, 0, "webhook at \"%V\" is not called: its address is not public, nor allowed by "
                      "\"campaign_webhook\"", &e->url.host);
        ngx_http_campaign_notify_judge(e, NGX_CAMPAIGN_TOLD_FORBIDDEN, 0, 0);
        return;
    }

    ngx_http_campaign_notify_send(e, &a);
}


/* what found no memory or connection is taken again by a later look */

static void
ngx_http_campaign_notify_send(ngx_http_campaign_errand_t *e, const ngx_campaign_address_t *a)
{
    ngx_int_t  rc;

    if (ngx_http_campaign_letter_write(&e->letter, e->pool, &e->webhook, &e->notice, &e->url, a, (time_t) (ngx_campaign_now() / 1000000))
        != NGX_OK)
    {
        ngx_http_campaign_notify_free(e);
        return;
    }

    e->delivery.origin = &e->origin;
    e->delivery.letter = &e->letter;
    e->delivery.limit = NGX_HTTP_CAMPAIGN_NOTIFY_LIMIT;
    e->delivery.done = ngx_http_campaign_notify_done;
    e->delivery.data = e;

    rc = ngx_http_campaign_delivery_start(&e->delivery, notify.log);

    ngx_log_debug3(NGX_LOG_DEBUG_HTTP, notify.log, 0, "campaign webhook: event %V to %V: %i", &e->letter.id, &e->letter.url, rc);

    if (rc != NGX_OK) {
        ngx_http_campaign_notify_free(e);
    }
}


static void
ngx_http_campaign_notify_done(ngx_http_campaign_delivery_t *d)
{
    ngx_http_campaign_errand_t  *e;

    e = d->data;

    ngx_log_debug3(NGX_LOG_DEBUG_HTTP, notify.log, 0, "campaign webhook: event %V: answer %d, status %ui", &e->letter.id, (int) d->answer,
                   d->status);

    switch (d->answer) {

    case NGX_CAMPAIGN_ANSWER_STATUS:
        ngx_http_campaign_notify_judge(e, (d->status >= 200 && d->status < 300) ? NGX_CAMPAIGN_TOLD_DELIVERED : NGX_CAMPAIGN_TOLD_STATUS,
                                       d->status, d->after);
        return;

    case NGX_CAMPAIGN_ANSWER_UNREACHABLE:
        ngx_http_campaign_notify_judge(e, NGX_CAMPAIGN_TOLD_UNREACHABLE, 0, 0);
        return;

    case NGX_CAMPAIGN_ANSWER_UNCERTAIN:
        ngx_http_campaign_notify_judge(e, NGX_CAMPAIGN_TOLD_TIMEOUT, 0, 0);
        return;

    default:                                            /* never tried */
        ngx_http_campaign_notify_free(e);
    }
}


static void
ngx_http_campaign_notify_judge(ngx_http_campaign_errand_t *e, ngx_uint_t told, ngx_uint_t code, ngx_msec_t after)
{
    ngx_msec_t                     wait;
    ngx_campaign_tell_t           *tell;
    ngx_campaign_retry_t          *retry;
    ngx_http_campaign_loc_conf_t  *clocf;

    tell = &e->tell;
    tell->told = told;
    tell->code = code;

    clocf = notify.cmcf->webhook.clcf->loc_conf[ngx_http_campaign_module.ctx_index];
    retry = (clocf->retry.attempts == NGX_CONF_UNSET_UINT) ? NULL : &clocf->retry;

    if (told == NGX_CAMPAIGN_TOLD_DELIVERED) {
        tell->kind = NGX_CAMPAIGN_TELL_DONE;

    } else if (code == NGX_HTTP_CAMPAIGN_NOTIFY_GONE) {
        tell->kind = NGX_CAMPAIGN_TELL_GONE;

    } else if (ngx_campaign_webhook_wait(retry, tell->attempt, after, (uint32_t) ngx_random(), &wait) != NGX_OK) {
        tell->kind = NGX_CAMPAIGN_TELL_FAILED;

    } else {
        tell->kind = NGX_CAMPAIGN_TELL_AGAIN;
        tell->due = ngx_campaign_now() + (int64_t) wait * 1000;
    }

    ngx_http_campaign_notify_tell(e);
}


/* outcomes of one turn of the event loop are one transaction */

static void
ngx_http_campaign_notify_tell(ngx_http_campaign_errand_t *e)
{
    ngx_queue_insert_tail(&notify.outcomes, &e->told);

    if (notify.telling == NULL && !notify.retell.timer_set) {
        ngx_post_event(&notify.retell, &ngx_posted_events);
    }
}


static void
ngx_http_campaign_notify_retell(ngx_event_t *ev)
{
    ngx_uint_t                    n;
    ngx_queue_t                  *q;
    ngx_campaign_store_t         *st;
    ngx_http_campaign_errand_t   *e;
    ngx_http_campaign_telling_t  *t;

    if (notify.telling || ngx_queue_empty(&notify.outcomes)) {
        return;
    }

    st = ngx_http_campaign_store();
    t = st ? ngx_http_campaign_notify_op(sizeof(ngx_http_campaign_telling_t), ngx_http_campaign_notify_told) : NULL;

    if (t == NULL) {
        ngx_add_timer(&notify.retell, NGX_HTTP_CAMPAIGN_NOTIFY_AGAIN);
        return;
    }

    ngx_queue_init(&t->errands);

    for (n = 0; n < NGX_HTTP_CAMPAIGN_NOTIFY_TELL && !ngx_queue_empty(&notify.outcomes); n++) {
        q = ngx_queue_head(&notify.outcomes);
        ngx_queue_remove(q);
        ngx_queue_insert_tail(&t->errands, q);

        e = ngx_queue_data(q, ngx_http_campaign_errand_t, told);
        t->tells[n] = e->tell;
    }

    if (ngx_campaign_store_tell(st, &t->op, t->tells, n) == NGX_ERROR) {
        ngx_queue_add(&notify.outcomes, &t->errands);
        ngx_destroy_pool(t->op.pool);
        ngx_add_timer(&notify.retell, NGX_HTTP_CAMPAIGN_NOTIFY_AGAIN);
        return;
    }

    notify.telling = t;
}


static void
ngx_http_campaign_notify_told(ngx_campaign_op_t *op)
{
    ngx_queue_t                  *q;
    ngx_http_campaign_telling_t  *t;

    t = (ngx_http_campaign_telling_t *) op;
    notify.telling = NULL;

    if (op->rc != NGX_CAMPAIGN_OK) {
        ngx_queue_add(&notify.outcomes, &t->errands);
        ngx_destroy_pool(op->pool);
        ngx_add_timer(&notify.retell, NGX_HTTP_CAMPAIGN_NOTIFY_AGAIN);
        return;
    }

    while (!ngx_queue_empty(&t->errands)) {
        q = ngx_queue_head(&t->errands);
        ngx_queue_remove(q);

        ngx_http_campaign_notify_free(ngx_queue_data(q, ngx_http_campaign_errand_t, told));
    }

    ngx_destroy_pool(op->pool);

    if (!ngx_queue_empty(&notify.outcomes)) {
        ngx_post_event(&notify.retell, &ngx_posted_events);
    }

    if (notify.on && notify.tick.timer_set) {           /* the next ones have a place now */
        ngx_del_timer(&notify.tick);
        ngx_add_timer(&notify.tick, 1);
    }
}


static void
ngx_http_campaign_notify_free(ngx_http_campaign_errand_t *e)
{
    ngx_http_campaign_hook_t  *hook;

    hook = e->hook;

    ngx_queue_remove(&e->queue);
    hook->n--;
    notify.n--;

    ngx_destroy_pool(e->pool);

    ngx_http_campaign_notify_unhook(hook);
}


static ngx_http_campaign_hook_t *
ngx_http_campaign_notify_hook(uint64_t webhook)
{
    ngx_queue_t               *q;
    ngx_http_campaign_hook_t  *hook;

    for (q = ngx_queue_head(&notify.hooks); q != ngx_queue_sentinel(&notify.hooks); q = ngx_queue_next(q)) {
        hook = ngx_queue_data(q, ngx_http_campaign_hook_t, queue);

        if (hook->no == webhook) {
            return hook;
        }
    }

    hook = ngx_alloc(sizeof(ngx_http_campaign_hook_t), notify.log);
    if (hook == NULL) {
        return NULL;
    }

    ngx_memzero(hook, sizeof(ngx_http_campaign_hook_t));

    hook->no = webhook;
    ngx_queue_init(&hook->errands);
    ngx_queue_insert_tail(&notify.hooks, &hook->queue);

    return hook;
}


static void
ngx_http_campaign_notify_unhook(ngx_http_campaign_hook_t *hook)
{
    if (hook->n || hook->taking) {
        return;
    }

    ngx_queue_remove(&hook->queue);
    ngx_free(hook);
}


/* an operation in a pool of its own, first in its struct; NULL: no memory */

static void *
ngx_http_campaign_notify_op(size_t size, ngx_campaign_done_pt done)
{
    ngx_pool_t         *pool;
    ngx_campaign_op_t  *op;

    pool = ngx_create_pool(4096, notify.log);
    if (pool == NULL) {
        return NULL;
    }

    op = ngx_pcalloc(pool, size);
    if (op == NULL) {
        ngx_destroy_pool(pool);
        return NULL;
    }

    ngx_campaign_op_init(op, pool, notify.log, done, NULL);

    return op;
}
