
/*
 * The twin's operations, and its writer: what waits is committed together by a task, as one transaction; one that fails is made again one
 * by one.  The disk is one struct, a transaction that fails is undone by a copy of it.
 */

#include "twin.h"


#define TWIN_TICK   1000                        /* ms */
#define TWIN_PATIENCE  5                        /* ticks that a batch may take; longer: what waits behind it is refused */


typedef struct {
    ngx_campaign_store_life_t  life;            /* stands first: see ngx_campaign_store_op.h */
    ngx_queue_t                waiting, batch, finished;
    ngx_event_t                event, tick;
    ngx_thread_task_t         *task;
    ngx_uint_t                 ticks;
    int64_t                    since;           /* ms, when the batch was handed over */
    unsigned                   writing:1;
    unsigned                   stuck:1;
} twin_store_t;

typedef struct {
    ngx_campaign_kind_e        kind;
    void                      *rec;
    ngx_campaign_pile_t       *pile;
    uint32_t                   account;
    u_char                    *id;
    ngx_uint_t                 mask, from;
    ngx_campaign_campaign_t    given;
} twin_args_t;


static twin_args_t *twin_args(ngx_campaign_op_t *op);
static void twin_handler(ngx_event_t *ev);
static void twin_thread(void *data, ngx_log_t *log);
static ngx_uint_t twin_group(twin_store_t *ts);
static void twin_singly(twin_store_t *ts);
static ngx_campaign_rc_e twin_commit(void);
static void twin_begin(void);
static void twin_complete(ngx_event_t *ev);
static void twin_tick(ngx_event_t *ev);
static void twin_queue_move(ngx_queue_t *to, ngx_queue_t *from);
static void twin_answer(ngx_queue_t *ops, ngx_campaign_rc_e rc);
static ngx_uint_t twin_which(ngx_campaign_pile_t *pile);


static twin_disk_t      twin_disk, twin_copy;

static struct {
    uint64_t            post, life;             /* life 0: nobody */
    sim_process_t      *process;
} twin_posts[SIM_PROCESSES];

static u_char           twin_secret[NGX_CAMPAIGN_SECRET_LEN] = "the twin keeps no secret at all";
static ngx_str_t        twin_channels[SIM_CHANNELS] = { ngx_string("SMS"), ngx_string("VIBER") };
static ngx_str_t        twin_from = ngx_string("SHOP");
static ngx_str_t        twin_text = ngx_string("Hello {first_name}");


void
twin_reset(void)
{
    twin = &twin_disk;
    ngx_memzero(twin, sizeof(twin_disk_t));
    ngx_memzero(twin_posts, sizeof(twin_posts));
}


/* a process has one at most, that of its epoch */

ngx_int_t
twin_post(uint64_t post)
{
    ngx_uint_t  i;

    i = sim_current - sim_processes;

    if (twin_there(post)) {
        return NGX_BUSY;
    }

    twin_posts[i].post = post;
    twin_posts[i].life = sim_current->life;
    twin_posts[i].process = sim_current;

    return NGX_OK;
}


void
twin_post_leave(uint64_t post)
{
    twin_posts[sim_current - sim_processes].life = 0;
}


ngx_uint_t
twin_there(uint64_t post)
{
    ngx_uint_t  i;

    for (i = 0; i < SIM_PROCESSES; i++) {
        if (twin_posts[i].life && twin_posts[i].post == post && twin_posts[i].process->life == twin_posts[i].life) {
            return 1;
        }
    }

    return 0;
}


/* the store of a process */

ngx_campaign_store_t *
twin_open(ngx_log_t *log)
{
    ngx_pool_t    *pool;
    twin_store_t  *ts;

    if (sim_fault == SIM_FAULT_OPEN) {
        sim_faults++;
        return NULL;
    }

    pool = ngx_create_pool(4096, log);
    ts = ngx_pcalloc(pool, sizeof(twin_store_t));

    ts->life.log = log;

    ngx_queue_init(&ts->waiting);
    ngx_queue_init(&ts->batch);
    ngx_queue_init(&ts->finished);

    ts->event.handler = twin_handler;
    ts->event.data = ts;

    ts->task = ngx_thread_task_alloc(pool, 0);
    ts->task->ctx = ts;
    ts->task->handler = twin_thread;
    ts->task->event.handler = twin_complete;
    ts->task->event.data = ts;

    ts->tick.handler = twin_tick;
    ts->tick.data = ts;
    ts->tick.cancelable = 1;

    ngx_add_timer(&ts->tick, TWIN_TICK);

    return (ngx_campaign_store_t *) ts;
}


u_char *
twin_store_secret(void)
{
    return twin_secret;
}


ngx_int_t
twin_write(ngx_campaign_store_t *st, ngx_campaign_op_t *op, twin_work_pt work, void *args)
{
    twin_store_t *ts = (twin_store_t *) st;

    if (ts->stuck) {
        op->rc = NGX_CAMPAIGN_UNAVAILABLE;
        return NGX_ERROR;
    }

    ngx_campaign_op_begin(st, op);

    op->work = work;
    op->args = args;

    ngx_queue_insert_tail(&ts->waiting, &op->queue);
    ngx_post_event(&ts->event, &ngx_posted_events);

    return NGX_AGAIN;
}


static void
twin_handler(ngx_event_t *ev)
{
    twin_store_t *ts = ev->data;

    if (ts->writing || ngx_queue_empty(&ts->waiting)) {
        return;
    }

    twin_queue_move(&ts->batch, &ts->waiting);
    ts->writing = 1;
    ts->since = sim_mono / 1000;
    ts->ticks = 0;

    if (ngx_thread_task_post(NULL, ts->task) != NGX_OK) {
        sim_fail("a task of the twin is not taken");
    }
}


static void
twin_thread(void *data, ngx_log_t *log)
{
    twin_store_t *ts = data;

    if (!twin_group(ts)) {
        twin_singly(ts);
    }
}


/* 0: it has to be done one by one */

static ngx_uint_t
twin_group(twin_store_t *ts)
{
    int64_t             now;
    ngx_queue_t        *q;
    ngx_campaign_op_t  *op;

    if (ngx_queue_head(&ts->batch) == ngx_queue_last(&ts->batch)) {
        return 0;
    }

    twin_begin();
    now = ngx_campaign_now();

    for (q = ngx_queue_head(&ts->batch); q != ngx_queue_sentinel(&ts->batch); q = ngx_queue_next(q)) {
        op = ngx_queue_data(q, ngx_campaign_op_t, queue);

        twin_now = now;
        op->rc = ((twin_work_pt) op->work)(op, op->args, now);
        sim_op_ran(op, op->rc);
    }

    if (twin_commit() != NGX_CAMPAIGN_OK) {
        return 0;
    }

    twin_queue_move(&ts->finished, &ts->batch);

    return 1;
}


static void
twin_singly(twin_store_t *ts)
{
    ngx_queue_t        *q;
    ngx_campaign_op_t  *op;

    while (!ngx_queue_empty(&ts->batch)) {
        q = ngx_queue_head(&ts->batch);
        op = ngx_queue_data(q, ngx_campaign_op_t, queue);

        twin_begin();

        twin_now = ngx_campaign_now();
        op->rc = ((twin_work_pt) op->work)(op, op->args, twin_now);
        sim_op_ran(op, op->rc);

        if (op->rc == NGX_CAMPAIGN_OK) {
            op->rc = twin_commit();

        } else {
            sim_op_commit(0);
        }

        ngx_queue_remove(q);
        ngx_queue_insert_tail(&ts->finished, q);
    }
}


static void
twin_begin(void)
{
    if (sim_fault != SIM_FAULT_NONE) {
        twin_copy = twin_disk;
    }
}


static ngx_campaign_rc_e
twin_commit(void)
{
    if (!sim_fails()) {
        sim_op_commit(1);
        return NGX_CAMPAIGN_OK;
    }

    twin_disk = twin_copy;
    sim_op_commit(0);

    return sim_fault == SIM_FAULT_COMMIT_FULL ? NGX_CAMPAIGN_FULL : NGX_CAMPAIGN_FAILURE;
}


static void
twin_complete(ngx_event_t *ev)
{
    ngx_queue_t    finished;
    twin_store_t  *ts = ev->data;

    ts->writing = 0;
    ts->stuck = 0;

    ngx_queue_init(&finished);
    twin_queue_move(&finished, &ts->finished);

    if (!ngx_queue_empty(&ts->waiting)) {
        ngx_post_event(&ts->event, &ngx_posted_events);
    }

    twin_answer(&finished, NGX_CAMPAIGN_OK);
}


static void
twin_tick(ngx_event_t *ev)
{
    twin_store_t *ts = ev->data;

    if (ts->writing && ++ts->ticks > TWIN_PATIENCE) {
        ts->stuck = 1;
        twin_answer(&ts->waiting, NGX_CAMPAIGN_UNAVAILABLE);
    }

    ngx_add_timer(ev, TWIN_TICK);
}


ngx_msec_t
twin_waits(ngx_campaign_store_t *st)
{
    twin_store_t *ts = (twin_store_t *) st;

    return ts->writing && ngx_queue_empty(&ts->finished) ? (ngx_msec_t) ngx_max(sim_mono / 1000 - ts->since, 1) : 0;
}


/* the process ends; its thread is gone */

void
twin_flush(ngx_campaign_store_t *st)
{
    twin_store_t *ts = (twin_store_t *) st;

    if (ts->writing && ngx_queue_empty(&ts->finished)) {
        twin_thread(ts, NULL);
    }

    if (!ngx_queue_empty(&ts->waiting)) {
        twin_queue_move(&ts->batch, &ts->waiting);
        twin_thread(ts, NULL);
    }
}


static void
twin_queue_move(ngx_queue_t *to, ngx_queue_t *from)
{
    ngx_queue_t  *q;

    while (!ngx_queue_empty(from)) {
        q = ngx_queue_head(from);
        ngx_queue_remove(q);
        ngx_queue_insert_tail(to, q);
    }
}


static void
twin_answer(ngx_queue_t *ops, ngx_campaign_rc_e rc)
{
    ngx_queue_t         queue, *q;
    ngx_campaign_op_t  *op;

    ngx_queue_init(&queue);
    twin_queue_move(&queue, ops);

    while (!ngx_queue_empty(&queue)) {
        q = ngx_queue_head(&queue);
        op = ngx_queue_data(q, ngx_campaign_op_t, queue);
        ngx_queue_remove(q);

        if (rc != NGX_CAMPAIGN_OK) {
            op->rc = rc;
        }

        ngx_campaign_op_done(op);
    }
}


/* operations of the dispatcher */

static ngx_campaign_rc_e
twin_turn_work(ngx_campaign_op_t *op, void *args, int64_t now)
{
    return twin_turn(args, op->pool, now);
}


static ngx_campaign_rc_e
twin_lease_work(ngx_campaign_op_t *op, void *args, int64_t now)
{
    return twin_lease(args);
}


ngx_int_t
twin_store_turn(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_turn_t *turn)
{
    return twin_write(st, op, twin_turn_work, turn);
}


ngx_int_t
twin_store_lease(ngx_campaign_store_t *st, ngx_campaign_op_t *op, uint64_t *epoch)
{
    return twin_write(st, op, twin_lease_work, epoch);
}


ngx_int_t
twin_store_peek(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_peek_t *peek)
{
    ngx_campaign_op_begin(st, op);
    twin_peek(peek, op->pool);
    ngx_campaign_op_post(op, NGX_CAMPAIGN_OK);

    return NGX_AGAIN;
}


/* operations of clients */

static twin_args_t *
twin_args(ngx_campaign_op_t *op)
{
    return ngx_pcalloc(op->pool, sizeof(twin_args_t));
}


ngx_uint_t
twin_channel(const ngx_str_t *channel)
{
    return channel->data[0] == 'S' ? 0 : 1;
}


/* whose numbers they are: of which audience, or campaign, of the scenario */

static ngx_uint_t
twin_which(ngx_campaign_pile_t *pile)
{
    ngx_campaign_contact_t  c;

    (void) ngx_campaign_contact_unpack(pile->first->start, pile->first->last, &c);

    return c.number % 10000000 / 100000;
}


static ngx_campaign_rc_e
twin_put_work(ngx_campaign_op_t *op, void *args, int64_t now)
{
    twin_args_t *ta = args;

    twin_account_t           *ta_account;
    twin_audience_t          *au;
    ngx_campaign_rec_t       *rec;
    ngx_campaign_account_t   *account;
    ngx_campaign_audience_t  *audience;

    rec = ta->rec;

    switch (ta->kind) {

    case NGX_CAMPAIGN_ACCOUNT:
        account = ta->rec;
        rec->no = ++twin->naccounts;
        ta_account = &twin->accounts[rec->no];
        ta_account->rate = account->rate;
        ta_account->burst = account->burst;
        ta_account->status = NGX_CAMPAIGN_A_ACTIVE;
        ta_account->fed = 1;
        break;

    case NGX_CAMPAIGN_AUDIENCE:
        audience = ta->rec;
        rec->no = ++twin->naudiences;
        au = &twin->audiences[rec->no];
        au->account = rec->account;
        au->which = twin_which(ta->pile);
        au->living = ta->pile->n;
        au->next = ta->pile->n;
        au->list = rec->no << 1;
        audience->contacts = au->living;
        audience->next = au->next;
        break;

    case NGX_CAMPAIGN_WEBHOOK:
        twin_hook_made(ta->rec);
        break;

    default:
        twin->accounts[rec->account].senders |= (ngx_uint_t) 1 << twin_channel(&rec->channel);
        rec->no = 1;
        break;
    }

    ngx_campaign_id_make(twin_secret, ta->kind, rec->no, 0, rec->id);

    return NGX_CAMPAIGN_OK;
}


ngx_int_t
twin_store_put(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_kind_e kind, void *rec, ngx_campaign_pile_t *pile)
{
    twin_args_t  *ta;

    ta = twin_args(op);
    ta->kind = kind;
    ta->rec = rec;
    ta->pile = pile;

    return twin_write(st, op, twin_put_work, ta);
}


static ngx_campaign_rc_e
twin_account_work(ngx_campaign_op_t *op, void *args, int64_t now)
{
    ngx_campaign_account_t *given = args;

    uint32_t         zero;
    uint64_t         no;
    ngx_uint_t       i, old;
    twin_account_t  *a;

    if (ngx_campaign_id_open(twin_secret, NGX_CAMPAIGN_ACCOUNT, given->rec.id, &no, &zero) != NGX_OK) {
        return NGX_CAMPAIGN_NOT_FOUND;
    }

    a = &twin->accounts[no];
    old = a->status;

    a->rate = given->rate;
    a->burst = given->burst;
    a->status = given->rec.status;
    a->fed = 1;

    for (i = 1; old != a->status && a->status == NGX_CAMPAIGN_A_ACTIVE && i <= twin->ncampaigns; i++) {
        if (twin->campaigns[i].no && twin->campaigns[i].account == no) {
            twin->campaigns[i].fed |= twin->campaigns[i].active;
        }
    }

    return NGX_CAMPAIGN_OK;
}


ngx_int_t
twin_store_account(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_account_t *account)
{
    return twin_write(st, op, twin_account_work, account);
}


static ngx_campaign_rc_e
twin_create_work(ngx_campaign_op_t *op, void *args, int64_t now)
{
    twin_args_t *ta = args;

    uint32_t                  zero;
    uint64_t                  no;
    twin_audience_t          *au;
    twin_campaign_t          *c;
    ngx_campaign_campaign_t   given;

    given = ta->given;
    au = NULL;

    if (ta->pile == NULL) {
        if (ngx_campaign_id_open(twin_secret, NGX_CAMPAIGN_AUDIENCE, given.audience, &no, &zero) != NGX_OK) {
            return NGX_CAMPAIGN_NOT_FOUND;
        }

        au = &twin->audiences[no];

        if (au->living == 0) {
            return NGX_CAMPAIGN_INVALID;
        }
    }

    c = &twin->campaigns[++twin->ncampaigns];

    c->no = twin->ncampaigns;
    c->account = given.rec.account;
    c->audience = au ? (ngx_uint_t) (au - twin->audiences) : 0;
    c->which = au ? 0 : twin_which(ta->pile);
    c->channel = twin_channel(&given.rec.channel);
    c->apart = given.rec.apart;
    c->span = au ? au->next : ta->pile->n;
    c->p.total = au ? au->living : ta->pile->n;
    c->p.pending = c->p.total;
    c->status = NGX_CAMPAIGN_C_SCHEDULED;
    c->schedule = given.schedule ? given.schedule : (time_t) (now / 1000000);
    c->fed = 1;

    given.rec.no = c->no;
    given.rec.created = (time_t) (now / 1000000);
    given.span = c->span;
    given.progress = c->p;
    ngx_campaign_id_make(twin_secret, NGX_CAMPAIGN_CAMPAIGN, c->no, 0, given.rec.id);

    c->record = given;
    c->record.rec.channel = twin_channels[c->channel];
    c->record.from = twin_from;
    c->record.text = twin_text;

    *(ngx_campaign_campaign_t *) ta->rec = given;

    return NGX_CAMPAIGN_OK;
}


ngx_int_t
twin_store_create(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_campaign_t *c, ngx_campaign_pile_t *pile)
{
    twin_args_t  *ta;

    ta = twin_args(op);
    ta->rec = c;
    ta->given = *c;
    ta->pile = pile;

    return twin_write(st, op, twin_create_work, ta);
}


/* by id; apart: those of messages sent alone, too */

twin_campaign_t *
twin_campaign(ngx_campaign_kind_e kind, const u_char *id, uint32_t *seq)
{
    uint64_t  no;

    if (ngx_campaign_id_open(twin_secret, kind, id, &no, seq) != NGX_OK || no > twin->ncampaigns || twin->campaigns[no].no == 0
        || (kind == NGX_CAMPAIGN_CAMPAIGN && twin->campaigns[no].apart))
    {
        return NULL;
    }

    return &twin->campaigns[no];
}


static ngx_campaign_rc_e
twin_change_work(ngx_campaign_op_t *op, void *args, int64_t now)
{
    twin_args_t *ta = args;

    uint32_t                seq;
    twin_campaign_t        *c;
    ngx_campaign_status_e   to;

    c = twin_campaign(NGX_CAMPAIGN_CAMPAIGN, ta->given.rec.id, &seq);
    to = (ngx_campaign_status_e) ta->given.rec.status;

    if (c == NULL) {
        return NGX_CAMPAIGN_NOT_FOUND;
    }

    if (!(ta->from & ((ngx_uint_t) 1 << c->status)) || !ngx_campaign_status_allowed(c->status, to)) {
        return NGX_CAMPAIGN_CONFLICT;
    }

    twin_move(c, to, now);

    if (to == NGX_CAMPAIGN_C_IN_PROGRESS && c->p.pending == 0 && c->p.enroute == 0) {
        twin_move(c, ngx_campaign_status_settled(c->p.sent + c->p.delivered), now);
    }

    return NGX_CAMPAIGN_OK;
}


ngx_int_t
twin_store_change(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_campaign_t *c, ngx_uint_t mask, ngx_uint_t from)
{
    twin_args_t  *ta;

    ta = twin_args(op);
    ta->given = *c;
    ta->mask = mask;
    ta->from = from;

    return twin_write(st, op, twin_change_work, ta);
}


static ngx_campaign_rc_e
twin_delete_work(ngx_campaign_op_t *op, void *args, int64_t now)
{
    twin_args_t *ta = args;

    uint32_t          seq;
    twin_campaign_t  *c;

    c = twin_campaign(NGX_CAMPAIGN_CAMPAIGN, ta->id, &seq);

    if (c == NULL) {
        return NGX_CAMPAIGN_NOT_FOUND;
    }

    if (c->status == NGX_CAMPAIGN_C_IN_PROGRESS || c->status == NGX_CAMPAIGN_C_PAUSED || c->p.enroute) {
        return NGX_CAMPAIGN_IN_USE;
    }

    c->no = 0;
    c->active = 0;
    c->fed = 1;
    c->going = (c->names != 0);

    return NGX_CAMPAIGN_OK;
}


ngx_int_t
twin_store_delete(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_kind_e kind, uint32_t account, u_char *id)
{
    twin_args_t  *ta;

    ta = twin_args(op);
    ta->id = id;

    return twin_write(st, op, twin_delete_work, ta);
}


static ngx_uint_t
twin_shown(twin_campaign_t *c, uint32_t seq)
{
    ngx_uint_t       flying;
    twin_message_t  *m;

    static const uint8_t  settled[NGX_CAMPAIGN_S_MAX] = {
        [NGX_CAMPAIGN_S_SENT]      = NGX_CAMPAIGN_M_SENT,
        [NGX_CAMPAIGN_S_DELIVERED] = NGX_CAMPAIGN_M_DELIVERED,
        [NGX_CAMPAIGN_S_FAILED]    = NGX_CAMPAIGN_M_FAILED,
        [NGX_CAMPAIGN_S_CANCELED]  = NGX_CAMPAIGN_M_CANCELED,
        [NGX_CAMPAIGN_S_SKIPPED]   = NGX_CAMPAIGN_M_SKIPPED
    };

    m = &c->m[seq];

    if (m->state > NGX_CAMPAIGN_S_RETRY) {
        return settled[m->state];
    }

    flying = (m->state == NGX_CAMPAIGN_S_RETRY) ? m->claimed : (seq >= c->done && seq < c->upto);

    if (flying) {
        return NGX_CAMPAIGN_M_ENROUTE;
    }

    return c->status == NGX_CAMPAIGN_C_CANCELED ? NGX_CAMPAIGN_M_CANCELED : NGX_CAMPAIGN_M_SCHEDULED;
}


static ngx_campaign_rc_e
twin_message_cancel_work(ngx_campaign_op_t *op, void *args, int64_t now)
{
    twin_args_t *ta = args;

    uint32_t          seq;
    uint64_t          deleted;
    twin_message_t   *m;
    twin_campaign_t  *c;

    c = twin_campaign(NGX_CAMPAIGN_MESSAGE, ta->id, &seq);
    if (c == NULL) {
        return NGX_CAMPAIGN_NOT_FOUND;
    }

    deleted = c->audience ? twin->audiences[c->audience].deleted[seq] : 0;
    m = &c->m[seq];

    if (deleted && c->no > deleted - 1) {
        return NGX_CAMPAIGN_NOT_FOUND;
    }

    if (twin_shown(c, seq) == NGX_CAMPAIGN_M_CANCELED) {
        return NGX_CAMPAIGN_OK;
    }

    if (twin_shown(c, seq) != NGX_CAMPAIGN_M_SCHEDULED) {
        return NGX_CAMPAIGN_CONFLICT;
    }

    c->p.pending--;
    c->p.again -= (m->state == NGX_CAMPAIGN_S_RETRY);
    twin_settle(c, m, NGX_CAMPAIGN_S_CANCELED, NGX_CAMPAIGN_R_CANCELED);

    if (c->apart && c->status == NGX_CAMPAIGN_C_SCHEDULED && c->p.pending == 0) {
        twin_move(c, NGX_CAMPAIGN_C_CANCELED, now);
    }

    (void) twin_close(c, now);

    return NGX_CAMPAIGN_OK;
}


ngx_int_t
twin_store_message_cancel(ngx_campaign_store_t *st, ngx_campaign_op_t *op, uint32_t account, u_char *id)
{
    twin_args_t  *ta;

    ta = twin_args(op);
    ta->id = id;

    return twin_write(st, op, twin_message_cancel_work, ta);
}


static ngx_campaign_rc_e
twin_contact_delete_work(ngx_campaign_op_t *op, void *args, int64_t now)
{
    twin_args_t *ta = args;

    uint32_t          seq;
    uint64_t          list;
    twin_audience_t  *au;

    if (ngx_campaign_id_open(twin_secret, NGX_CAMPAIGN_CONTACT, ta->id, &list, &seq) != NGX_OK) {
        return NGX_CAMPAIGN_NOT_FOUND;
    }

    au = &twin->audiences[list >> 1];

    if (seq >= au->next || au->deleted[seq]) {
        return NGX_CAMPAIGN_NOT_FOUND;
    }

    au->deleted[seq] = twin->ncampaigns + 1;
    au->living--;

    return NGX_CAMPAIGN_OK;
}


ngx_int_t
twin_store_contact_delete(ngx_campaign_store_t *st, ngx_campaign_op_t *op, uint32_t account, u_char *audience, u_char *id)
{
    twin_args_t  *ta;

    ta = twin_args(op);
    ta->id = id;

    return twin_write(st, op, twin_contact_delete_work, ta);
}


static ngx_uint_t
twin_hindrance(const ngx_campaign_suppression_t *s, sim_hindrance_t *h)
{
    ngx_uint_t  i;

    h->account = s->account;
    h->number = s->number;
    h->channel = s->channel.len ? twin_channel(&s->channel) + 1 : 0;

    for (i = 0; i < twin->nhindrances && memcmp(&twin->hindrances[i], h, sizeof(sim_hindrance_t)) != 0; i++) { /* void */ }

    return i;
}


static ngx_campaign_rc_e
twin_suppress_work(ngx_campaign_op_t *op, void *args, int64_t now)
{
    ngx_uint_t       i;
    sim_hindrance_t  h;

    i = twin_hindrance(&((ngx_campaign_suppress_t *) args)->given, &h);

    if (i == twin->nhindrances) {
        twin->hindrances[twin->nhindrances++] = h;
    }

    return NGX_CAMPAIGN_OK;
}


static ngx_campaign_rc_e
twin_lift_work(ngx_campaign_op_t *op, void *args, int64_t now)
{
    ngx_uint_t       i;
    sim_hindrance_t  h;

    i = twin_hindrance(args, &h);

    if (i == twin->nhindrances) {
        return NGX_CAMPAIGN_NOT_FOUND;
    }

    twin->hindrances[i] = twin->hindrances[--twin->nhindrances];

    return NGX_CAMPAIGN_OK;
}


ngx_int_t
twin_store_suppress(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_suppress_t *suppress)
{
    return twin_write(st, op, twin_suppress_work, suppress);
}


ngx_int_t
twin_store_suppression_lift(ngx_campaign_store_t *st, ngx_campaign_op_t *op, const ngx_campaign_suppression_t *like)
{
    return twin_write(st, op, twin_lift_work, (void *) like);
}


/* for the model */

void
twin_look(sim_campaign_t *model, sim_look_t *look)
{
    uint32_t          seq;
    twin_campaign_t  *c;

    c = &twin->campaigns[model->c.rec.no];

    look->found = (c->no != 0);
    look->status = c->status;
    look->progress = c->p;

    for (seq = 0; seq < c->span; seq++) {
        look->states[seq] = (uint8_t) twin_shown(c, seq);
        look->reasons[seq] = c->m[seq].reason;
        look->attempts[seq] = c->m[seq].attempts;

        if (look->states[seq] == NGX_CAMPAIGN_M_CANCELED) {
            look->reasons[seq] = NGX_CAMPAIGN_R_CANCELED;
        }
    }
}
