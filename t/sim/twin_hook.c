
/*
 * The twin's webhooks and the events that are kept for them.
 */

#include "twin.h"


typedef struct {
    ngx_campaign_tell_t  *tells;
    ngx_uint_t            n;
} twin_tells_t;


static ngx_campaign_rc_e twin_tell_work(ngx_campaign_op_t *op, void *args, int64_t now);
static twin_event_t *twin_event(uint64_t hook, uint64_t no);
static twin_event_t *twin_holder(const twin_event_t *e);
static void twin_hold(twin_event_t *e);
static twin_event_t *twin_due(uint64_t hook, int64_t now, const twin_event_t *last);


int64_t  twin_now;


void
twin_hook_made(ngx_campaign_webhook_t *w)
{
    twin_hook_t  *h;

    w->rec.no = ++twin->nhooks;
    h = &twin->hooks[w->rec.no];

    ngx_memzero(h, sizeof(twin_hook_t));

    h->account = w->rec.account;
    h->event = w->event;
    h->status = NGX_CAMPAIGN_A_ACTIVE;
}


static ngx_campaign_rc_e
twin_webhook_work(ngx_campaign_op_t *op, void *args, int64_t now)
{
    ngx_campaign_webhook_t *w = args;

    uint32_t  zero;
    uint64_t  no;

    if (ngx_campaign_id_open(twin_store_secret(), NGX_CAMPAIGN_WEBHOOK, w->rec.id, &no, &zero) != NGX_OK) {
        return NGX_CAMPAIGN_NOT_FOUND;
    }

    twin->hooks[no].status = w->rec.status;

    return NGX_CAMPAIGN_OK;
}


ngx_int_t
twin_store_webhook(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_webhook_t *w, ngx_uint_t mask)
{
    return twin_write(st, op, twin_webhook_work, w);
}


void
twin_tell(uint32_t account, ngx_uint_t event, uint64_t campaign, uint32_t seq, ngx_uint_t value)
{
    ngx_uint_t     i;
    twin_event_t  *e;

    for (i = 1; i <= twin->nhooks && (twin->hooks[i].account != account || twin->hooks[i].event != event); i++) { /* void */ }

    if (i > twin->nhooks || twin->hooks[i].status != NGX_CAMPAIGN_A_ACTIVE) {
        return;
    }

    if (twin->nevents == TWIN_EVENTS) {
        sim_fail("the twin has no room for an event");
    }

    e = &twin->events[twin->nevents++];

    e->no = ++twin->hooks[i].last;
    e->campaign = campaign;
    e->seq = seq;
    e->due = twin_now;
    e->hook = (uint8_t) i;
    e->value = (uint8_t) value;
    e->attempts = 0;
    e->holds = 0;

    twin->hooks[i].waiting++;
}


static twin_event_t *
twin_event(uint64_t hook, uint64_t no)
{
    ngx_uint_t  i;

    for (i = 0; i < twin->nevents; i++) {
        if (twin->events[i].hook == hook && twin->events[i].no == no) {
            return &twin->events[i];
        }
    }

    return NULL;
}


static twin_event_t *
twin_holder(const twin_event_t *e)
{
    ngx_uint_t     i;
    twin_event_t  *h;

    for (i = 0; i < twin->nevents; i++) {
        h = &twin->events[i];

        if (h->holds && h->hook == e->hook && h->campaign == e->campaign && h->seq == e->seq) {
            return h;
        }
    }

    return NULL;
}


static void
twin_hold(twin_event_t *e)
{
    twin_event_t  *holder;

    holder = twin_holder(e);

    if (holder == NULL || holder->no > e->no) {
        e->holds = 1;

        if (holder) {
            holder->holds = 0;
        }
    }
}


static ngx_campaign_rc_e
twin_tell_work(ngx_campaign_op_t *op, void *args, int64_t now)
{
    twin_tells_t *ta = args;

    ngx_uint_t            i;
    twin_hook_t          *h;
    twin_event_t         *e, *holder;
    ngx_campaign_tell_t  *tell;

    for (i = 0; i < ta->n; i++) {
        tell = &ta->tells[i];
        h = &twin->hooks[tell->webhook];
        e = twin_event(tell->webhook, tell->no);

        if (e == NULL || (uint32_t) e->attempts + 1 != tell->attempt || e->due == NGX_CAMPAIGN_EVENT_NEVER) {
            continue;
        }

        switch (tell->kind) {

        case NGX_CAMPAIGN_TELL_DONE:
            h->waiting--;
            *e = twin->events[--twin->nevents];
            break;

        case NGX_CAMPAIGN_TELL_AGAIN:
            e->attempts++;
            e->due = tell->due;
            twin_hold(e);
            break;

        case NGX_CAMPAIGN_TELL_HELD:
            holder = twin_holder(e);

            if (holder && holder->no < e->no) {
                e->due = holder->due + 1;
            }
            break;

        default:
            if (tell->kind == NGX_CAMPAIGN_TELL_GONE) {
                h->status = NGX_CAMPAIGN_A_DISABLED;
            }

            h->waiting--;
            h->failed++;
            e->attempts++;
            e->holds = 0;
            e->due = NGX_CAMPAIGN_EVENT_NEVER;
        }
    }

    return NGX_CAMPAIGN_OK;
}


ngx_int_t
twin_store_tell(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_tell_t *tells, ngx_uint_t n)
{
    twin_tells_t  *ta;

    ta = ngx_palloc(op->pool, sizeof(twin_tells_t));
    ta->tells = tells;
    ta->n = n;

    return twin_write(st, op, twin_tell_work, ta);
}


/* the next that is due, by time and number */

static twin_event_t *
twin_due(uint64_t hook, int64_t now, const twin_event_t *last)
{
    ngx_uint_t     i;
    twin_event_t  *e, *first;

    for (first = NULL, i = 0; i < twin->nevents; i++) {
        e = &twin->events[i];

        if (e->hook == hook && e->due <= now && (last == NULL || e->due > last->due || (e->due == last->due && e->no > last->no))
            && (first == NULL || e->due < first->due || (e->due == first->due && e->no < first->no)))
        {
            first = e;
        }
    }

    return first;
}


ngx_int_t
twin_store_take(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_take_t *take)
{
    int64_t                 now;
    twin_event_t           *e, *holder;
    ngx_campaign_notice_t  *notice;

    ngx_campaign_op_begin(st, op);

    if (twin->hooks[take->webhook].status != NGX_CAMPAIGN_A_ACTIVE) {
        ngx_campaign_op_post(op, NGX_CAMPAIGN_NOT_FOUND);
        return NGX_AGAIN;
    }

    now = ngx_campaign_now();
    take->notices = ngx_array_create(op->pool, take->most, sizeof(ngx_campaign_notice_t));

    for (e = NULL; take->notices->nelts < take->most && (e = twin_due(take->webhook, now, e)) != NULL; /* void */ ) {
        notice = ngx_array_push(take->notices);
        ngx_memzero(notice, sizeof(ngx_campaign_notice_t));

        holder = twin_holder(e);

        notice->event.no = e->no;
        notice->event.attempts = e->attempts;
        notice->held = holder && holder->no < e->no;
    }

    ngx_campaign_op_post(op, NGX_CAMPAIGN_OK);

    return NGX_AGAIN;
}


/* for the model */

void
twin_hook(uint64_t hook, ngx_campaign_queue_t *queue)
{
    ngx_memzero(queue, sizeof(ngx_campaign_queue_t));

    queue->status = twin->hooks[hook].status;
    queue->last = twin->hooks[hook].last;
    queue->waiting = twin->hooks[hook].waiting;
    queue->failed = twin->hooks[hook].failed;
}


ngx_uint_t
twin_note(uint64_t hook, uint64_t no, sim_note_t *note)
{
    twin_event_t  *e;

    e = twin_event(hook, no);
    if (e == NULL) {
        return 0;
    }

    note->no = no;
    note->campaign = e->campaign;
    note->seq = e->seq;
    note->value = e->value;
    note->attempts = e->attempts;
    note->holds = e->holds;
    note->due = e->due;

    return 1;
}
