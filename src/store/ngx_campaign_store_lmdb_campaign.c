
/*
 * Campaigns: created, changed, moved from status to status.  A campaign is a record, which stays as it was created but for its name,
 * and a run, which holds all that changes; of status, schedule and date of change the run's are the true ones.  It keeps true: each
 * list and count, `sched`, `active` and the counters agree with the run's status in every commit; creation costs the same for every
 * size of audience.
 */

#include "ngx_campaign_store_lmdb.h"
#include "ngx_campaign_state.h"


#define NGX_CAMPAIGN_RUN_MAX    320             /* bytes of a run: all varints at their longest, every reason that fits a state byte */
#define NGX_CAMPAIGN_SCHED_KEY  16              /* start u64, campaign u64 */


typedef struct {
    ngx_campaign_campaign_t   *campaign;        /* result */
    ngx_campaign_campaign_t    given;           /* as the caller gave it */
    ngx_campaign_pile_t       *pile;
} ngx_campaign_create_t;

typedef struct {
    ngx_campaign_campaign_t   *campaign;        /* result */
    ngx_campaign_campaign_t    given;
    ngx_uint_t                 mask;
    ngx_uint_t                 from;
} ngx_campaign_change_t;


static ngx_campaign_rc_e ngx_campaign_create_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args);
static ngx_campaign_rc_e ngx_campaign_create_check(ngx_campaign_txn_t *t, const ngx_campaign_create_t *create,
    ngx_campaign_campaign_t *c, ngx_campaign_run_t *run);
static ngx_campaign_rc_e ngx_campaign_create_inline(ngx_campaign_txn_t *t, ngx_campaign_campaign_t *c, ngx_campaign_pile_t *pile);
static ngx_campaign_rc_e ngx_campaign_change_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args);
static ngx_campaign_rc_e ngx_campaign_change_check(ngx_campaign_txn_t *t, const ngx_campaign_change_t *change,
    ngx_campaign_campaign_t *c, const ngx_campaign_run_t *run);
static ngx_campaign_rc_e ngx_campaign_change_name(ngx_campaign_txn_t *t, ngx_campaign_campaign_t *c, const ngx_str_t *name);
static ngx_campaign_rc_e ngx_campaign_change_schedule(ngx_campaign_txn_t *t, const ngx_campaign_rec_t *rec, ngx_campaign_run_t *run,
    time_t schedule);
static ngx_campaign_rc_e ngx_campaign_change_status(ngx_campaign_txn_t *t, const ngx_campaign_rec_t *rec, ngx_campaign_run_t *run,
    ngx_campaign_status_e to);

static void ngx_campaign_run_overlay(ngx_campaign_campaign_t *c, const ngx_campaign_run_t *run);
static void ngx_campaign_run_cancel(ngx_campaign_run_t *run);
static ngx_campaign_rc_e ngx_campaign_sched_put(ngx_campaign_txn_t *t, const ngx_campaign_rec_t *rec, const ngx_campaign_run_t *run);
static void ngx_campaign_sched_key(u_char *key, const ngx_campaign_rec_t *rec, const ngx_campaign_run_t *run);
static ngx_campaign_rc_e ngx_campaign_active_set(ngx_campaign_txn_t *t, const ngx_campaign_rec_t *rec, ngx_uint_t active);


#define ngx_campaign_run_field(type, field, n)  { NGX_CAMPAIGN_CODEC_##type, offsetof(ngx_campaign_run_t, field), n }

/* the counters are neighbours, from total to uncertain */

#define NGX_CAMPAIGN_RUN_COUNTERS                                                                                     \
    ((offsetof(ngx_campaign_progress_t, reason) - offsetof(ngx_campaign_progress_t, total)) / sizeof(uint32_t))

static const ngx_campaign_codec_field_t  ngx_campaign_run_fields[] = {
    ngx_campaign_run_field(U32, account, 0),
    ngx_campaign_run_field(UINT, status, 0),
    ngx_campaign_run_field(U64, epoch, 0),
    ngx_campaign_run_field(U32, done, 0),
    ngx_campaign_run_field(U32, upto, 0),
    ngx_campaign_run_field(TIME, updated, 0),
    ngx_campaign_run_field(TIME, schedule, 0),
    ngx_campaign_run_field(U32, progress.total, NGX_CAMPAIGN_RUN_COUNTERS),
    ngx_campaign_run_field(U32, progress.reason, NGX_CAMPAIGN_R_POISON),
    ngx_campaign_run_field(TIME, progress.started, 0),
    ngx_campaign_run_field(TIME, progress.finished, 0),
    ngx_campaign_run_field(U32, progress.segments, 2),
    ngx_campaign_run_field(U32, progress.reason[NGX_CAMPAIGN_R_POISON], NGX_CAMPAIGN_R_MAX - NGX_CAMPAIGN_R_POISON),
    { NGX_CAMPAIGN_CODEC_END, 0, 0 }
};


ngx_int_t
ngx_campaign_store_create(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_campaign_t *c, ngx_campaign_pile_t *pile)
{
    ngx_campaign_create_t  *create;

    create = ngx_palloc(op->pool, sizeof(ngx_campaign_create_t));
    if (create == NULL) {
        op->rc = NGX_CAMPAIGN_FAILURE;
        return NGX_ERROR;
    }

    create->campaign = c;
    create->given = *c;
    create->pile = pile;

    return ngx_campaign_lmdb_write_room(st, op, ngx_campaign_create_work, create, NGX_CAMPAIGN_ROOM_NEW);
}


ngx_int_t
ngx_campaign_store_change(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_campaign_t *c, ngx_uint_t mask, ngx_uint_t from)
{
    ngx_campaign_change_t  *change;

    change = ngx_palloc(op->pool, sizeof(ngx_campaign_change_t));
    if (change == NULL) {
        op->rc = NGX_CAMPAIGN_FAILURE;
        return NGX_ERROR;
    }

    change->campaign = c;
    change->given = *c;
    change->mask = mask;
    change->from = from;

    return ngx_campaign_lmdb_write(st, op, ngx_campaign_change_work, change);
}


static ngx_campaign_rc_e
ngx_campaign_create_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args)
{
    ngx_campaign_create_t *create = args;

    ngx_campaign_rc_e        rc;
    ngx_campaign_run_t       run;
    ngx_campaign_campaign_t  c;

    c = create->given;

    c.rec.no = 0;                                       /* a new one: else the name could count as its own */
    c.rec.status = NGX_CAMPAIGN_C_SCHEDULED;

    ngx_memzero(&run, sizeof(ngx_campaign_run_t));

    rc = ngx_campaign_create_check(t, create, &c, &run);
    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    rc = ngx_campaign_lmdb_record_create(t, NGX_CAMPAIGN_CAMPAIGN, &c, op->pool);

    if (rc == NGX_CAMPAIGN_OK && create->pile) {
        rc = ngx_campaign_create_inline(t, &c, create->pile);
    }

    run.account = c.rec.account;
    run.status = NGX_CAMPAIGN_C_SCHEDULED;
    run.updated = c.rec.updated;
    run.schedule = c.schedule;
    run.progress.pending = run.progress.total;

    if (rc == NGX_CAMPAIGN_OK) {
        rc = ngx_campaign_lmdb_run_put(t, c.rec.no, &run);
    }

    if (rc == NGX_CAMPAIGN_OK) {
        rc = ngx_campaign_lmdb_message_count(t, &c.rec, run.progress.total, 1);
    }

    if (rc == NGX_CAMPAIGN_OK) {
        rc = ngx_campaign_sched_put(t, &c.rec, &run);
    }

    if (rc == NGX_CAMPAIGN_OK) {
        rc = ngx_campaign_lmdb_feed(t, NGX_CAMPAIGN_CAMPAIGN, c.rec.account, c.rec.no);
    }

    if (rc == NGX_CAMPAIGN_OK) {
        ngx_campaign_run_overlay(&c, &run);
        *create->campaign = c;
    }

    return rc;
}


/* all that may refuse a new campaign; reads only.  Sets where its recipients are, and their number */

static ngx_campaign_rc_e
ngx_campaign_create_check(ngx_campaign_txn_t *t, const ngx_campaign_create_t *create, ngx_campaign_campaign_t *c,
    ngx_campaign_run_t *run)
{
    uint64_t                  no;
    ngx_campaign_rc_e         rc;
    ngx_campaign_rec_t        sender;
    ngx_campaign_audience_t   a;

    rc = ngx_campaign_lmdb_record_name(t, NGX_CAMPAIGN_CAMPAIGN, &c->rec);
    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    ngx_memzero(&sender, sizeof(ngx_campaign_rec_t));

    sender.account = c->rec.account;
    sender.name = c->from;
    sender.channel = c->rec.channel;

    rc = ngx_campaign_lmdb_record_name_find(t, NGX_CAMPAIGN_SENDER, &sender, &no);
    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    if (create->pile) {
        ngx_memzero(c->audience, NGX_CAMPAIGN_ID_LEN);

        c->list = 0;                                    /* known with its number: see _inline */
        c->span = create->pile->n;
        run->progress.total = create->pile->n;

    } else {
        rc = ngx_campaign_lmdb_record_find(t, NGX_CAMPAIGN_AUDIENCE, c->rec.account, c->audience, NULL, &a);
        if (rc != NGX_CAMPAIGN_OK) {
            return rc;
        }

        c->list = NGX_CAMPAIGN_LIST_AUDIENCE(a.rec.no);
        c->span = a.next;
        run->progress.total = a.contacts;
    }

    if (run->progress.total == 0) {
        return NGX_CAMPAIGN_INVALID;
    }

    return run->progress.total > NGX_CAMPAIGN_RECIPIENTS_MAX ? NGX_CAMPAIGN_TOO_MANY : NGX_CAMPAIGN_OK;
}


static ngx_campaign_rc_e
ngx_campaign_create_inline(ngx_campaign_txn_t *t, ngx_campaign_campaign_t *c, ngx_campaign_pile_t *pile)
{
    uint32_t           next, created, duplicates;
    ngx_campaign_rc_e  rc;

    next = 0;
    c->list = NGX_CAMPAIGN_LIST_CAMPAIGN(c->rec.no);

    rc = ngx_campaign_lmdb_contacts_add(t, c->list, &next, pile, 0, &created, &duplicates);
    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    return ngx_campaign_lmdb_record_update(t, NGX_CAMPAIGN_CAMPAIGN, c);
}


static ngx_campaign_rc_e
ngx_campaign_change_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args)
{
    ngx_campaign_change_t *change = args;

    ngx_campaign_rc_e         rc;
    ngx_campaign_run_t        run;
    ngx_campaign_campaign_t   c, *given;

    given = &change->given;

    rc = ngx_campaign_lmdb_record_find(t, NGX_CAMPAIGN_CAMPAIGN, given->rec.account, given->rec.id, op->pool, &c);
    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    rc = ngx_campaign_lmdb_run_get(t, c.rec.no, &run);
    if (rc != NGX_CAMPAIGN_OK) {
        return rc == NGX_CAMPAIGN_NOT_FOUND ? ngx_campaign_lmdb_failed(t, MDB_CORRUPTED, "run of a campaign") : rc;
    }

    rc = ngx_campaign_change_check(t, change, &c, &run);

    if (rc == NGX_CAMPAIGN_OK && change->mask & NGX_CAMPAIGN_SET_NAME) {
        rc = ngx_campaign_change_name(t, &c, &given->rec.name);
    }

    if (rc == NGX_CAMPAIGN_OK && change->mask & NGX_CAMPAIGN_SET_SCHEDULE) {
        rc = ngx_campaign_change_schedule(t, &c.rec, &run, given->schedule);
    }

    if (rc == NGX_CAMPAIGN_OK && change->mask & NGX_CAMPAIGN_SET_STATUS) {
        rc = ngx_campaign_change_status(t, &c.rec, &run, given->rec.status);
    }

    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    run.updated = (time_t) (t->now / 1000000);

    rc = ngx_campaign_lmdb_run_put(t, c.rec.no, &run);

    if (rc == NGX_CAMPAIGN_OK) {
        ngx_campaign_run_overlay(&c, &run);
        *change->campaign = c;
    }

    return rc;
}


/* all that may refuse a change; reads only.  How a campaign ends is the dispatcher's alone to say */

static ngx_campaign_rc_e
ngx_campaign_change_check(ngx_campaign_txn_t *t, const ngx_campaign_change_t *change, ngx_campaign_campaign_t *c,
    const ngx_campaign_run_t *run)
{
    ngx_campaign_rc_e        rc;
    ngx_campaign_status_e    to;
    ngx_campaign_campaign_t  renamed;

    if (!(change->from & ((ngx_uint_t) 1 << run->status))) {
        return NGX_CAMPAIGN_CONFLICT;
    }

    if (change->mask & NGX_CAMPAIGN_SET_SCHEDULE && run->status != NGX_CAMPAIGN_C_SCHEDULED) {
        return NGX_CAMPAIGN_CONFLICT;
    }

    if (change->mask & NGX_CAMPAIGN_SET_STATUS) {
        to = change->given.rec.status;

        if (to == NGX_CAMPAIGN_C_COMPLETED || to == NGX_CAMPAIGN_C_FAILED || !ngx_campaign_status_allowed(run->status, to)) {
            return NGX_CAMPAIGN_CONFLICT;
        }
    }

    if (!(change->mask & NGX_CAMPAIGN_SET_NAME)) {
        return NGX_CAMPAIGN_OK;
    }

    renamed = *c;
    renamed.rec.name = change->given.rec.name;

    rc = ngx_campaign_lmdb_record_fits(t, NGX_CAMPAIGN_CAMPAIGN, &renamed.rec);

    return rc == NGX_CAMPAIGN_OK ? ngx_campaign_lmdb_record_name(t, NGX_CAMPAIGN_CAMPAIGN, &renamed.rec) : rc;
}


static ngx_campaign_rc_e
ngx_campaign_change_name(ngx_campaign_txn_t *t, ngx_campaign_campaign_t *c, const ngx_str_t *name)
{
    ngx_str_t          old;
    ngx_campaign_rc_e  rc;

    if (name->len == 0) {
        return NGX_CAMPAIGN_OK;                         /* a campaign has a name: it stays */
    }

    old = c->rec.name;
    c->rec.name = *name;

    rc = ngx_campaign_lmdb_record_rename(t, NGX_CAMPAIGN_CAMPAIGN, &c->rec, &old);

    return rc == NGX_CAMPAIGN_OK ? ngx_campaign_lmdb_record_update(t, NGX_CAMPAIGN_CAMPAIGN, c) : rc;
}


static ngx_campaign_rc_e
ngx_campaign_change_schedule(ngx_campaign_txn_t *t, const ngx_campaign_rec_t *rec, ngx_campaign_run_t *run, time_t schedule)
{
    ngx_campaign_rc_e  rc;

    rc = ngx_campaign_lmdb_sched_del(t, rec, run);
    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    run->schedule = schedule;

    rc = ngx_campaign_sched_put(t, rec, run);

    return rc == NGX_CAMPAIGN_OK ? ngx_campaign_lmdb_feed(t, NGX_CAMPAIGN_CAMPAIGN, rec->account, rec->no) : rc;
}


/* the last message may have been settled during a pause: then nothing is left whose outcome would end the campaign */

static ngx_campaign_rc_e
ngx_campaign_change_status(ngx_campaign_txn_t *t, const ngx_campaign_rec_t *rec, ngx_campaign_run_t *run, ngx_campaign_status_e to)
{
    ngx_campaign_rc_e         rc;
    ngx_campaign_progress_t  *p;

    rc = ngx_campaign_lmdb_campaign_move(t, rec, run, to);

    p = &run->progress;

    if (rc != NGX_CAMPAIGN_OK || to != NGX_CAMPAIGN_C_IN_PROGRESS || p->pending != 0 || p->enroute != 0) {
        return rc;
    }

    return ngx_campaign_lmdb_campaign_move(t, rec, run, ngx_campaign_status_settled(p->sent + p->delivered));
}


ngx_campaign_rc_e
ngx_campaign_lmdb_run_get(ngx_campaign_txn_t *t, uint64_t campaign, ngx_campaign_run_t *run)
{
    int      rc;
    u_char   key[8];
    MDB_val  value;

    ngx_campaign_be64_put(key, campaign);

    rc = ngx_campaign_lmdb_get(t, NGX_CAMPAIGN_DB_RUN, key, 8, &value);

    if (rc == MDB_NOTFOUND) {
        return NGX_CAMPAIGN_NOT_FOUND;
    }

    if (rc != 0) {
        return ngx_campaign_lmdb_failed(t, rc, "run of a campaign");
    }

    ngx_memzero(run, sizeof(ngx_campaign_run_t));

    if (ngx_campaign_codec_unpack(value.mv_data, value.mv_size, ngx_campaign_run_fields, run) != NGX_OK) {
        return ngx_campaign_lmdb_failed(t, MDB_CORRUPTED, "run of a campaign");
    }

    return NGX_CAMPAIGN_OK;
}


ngx_campaign_rc_e
ngx_campaign_lmdb_run_put(ngx_campaign_txn_t *t, uint64_t campaign, const ngx_campaign_run_t *run)
{
    int      rc;
    u_char  *p, key[8], value[NGX_CAMPAIGN_RUN_MAX];

    if (ngx_campaign_codec_size(ngx_campaign_run_fields, run) > NGX_CAMPAIGN_RUN_MAX) {
        return ngx_campaign_lmdb_failed(t, MDB_BAD_VALSIZE, "run of a campaign");
    }

    ngx_campaign_be64_put(key, campaign);
    p = ngx_campaign_codec_pack(value, ngx_campaign_run_fields, run);

    rc = ngx_campaign_lmdb_put(t, NGX_CAMPAIGN_DB_RUN, key, 8, value, p - value);

    return rc == 0 ? NGX_CAMPAIGN_OK : ngx_campaign_lmdb_failed(t, rc, "run of a campaign");
}


ngx_campaign_rc_e
ngx_campaign_lmdb_campaign_get(ngx_campaign_txn_t *t, uint32_t account, uint64_t no, ngx_pool_t *pool, ngx_campaign_campaign_t *c)
{
    ngx_campaign_rc_e   rc;
    ngx_campaign_run_t  run;

    rc = ngx_campaign_lmdb_record_get(t, NGX_CAMPAIGN_CAMPAIGN, account, no, pool, c);
    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    rc = ngx_campaign_lmdb_run_get(t, no, &run);
    if (rc != NGX_CAMPAIGN_OK) {
        return rc == NGX_CAMPAIGN_NOT_FOUND ? ngx_campaign_lmdb_failed(t, MDB_CORRUPTED, "run of a campaign") : rc;
    }

    ngx_campaign_run_overlay(c, &run);

    return NGX_CAMPAIGN_OK;
}


static void
ngx_campaign_run_overlay(ngx_campaign_campaign_t *c, const ngx_campaign_run_t *run)
{
    c->rec.status = run->status;
    c->rec.updated = run->updated;
    c->schedule = run->schedule;
    c->progress = run->progress;
}


ngx_campaign_rc_e
ngx_campaign_lmdb_campaign_move(ngx_campaign_txn_t *t, const ngx_campaign_rec_t *rec, ngx_campaign_run_t *run, ngx_campaign_status_e to)
{
    ngx_uint_t         old;
    ngx_campaign_rc_e  rc;

    old = run->status;

    if (!ngx_campaign_status_allowed(old, to)) {
        return ngx_campaign_lmdb_failed(t, EINVAL, "move of a campaign");
    }

    rc = ngx_campaign_lmdb_record_move(t, NGX_CAMPAIGN_CAMPAIGN, rec, old, to);

    if (rc == NGX_CAMPAIGN_OK && old == NGX_CAMPAIGN_C_SCHEDULED) {
        rc = ngx_campaign_lmdb_sched_del(t, rec, run);
    }

    run->status = to;
    run->updated = (time_t) (t->now / 1000000);

    switch (to) {

    case NGX_CAMPAIGN_C_IN_PROGRESS:
        if (run->progress.started == 0) {
            run->progress.started = run->updated;
        }
        break;

    case NGX_CAMPAIGN_C_CANCELED:
        ngx_campaign_run_cancel(run);
        run->progress.finished = run->updated;
        break;

    case NGX_CAMPAIGN_C_COMPLETED:
    case NGX_CAMPAIGN_C_FAILED:
        run->progress.finished = run->updated;
        break;

    default:
        break;
    }

    if (rc == NGX_CAMPAIGN_OK) {
        rc = ngx_campaign_active_set(t, rec, to == NGX_CAMPAIGN_C_IN_PROGRESS || run->progress.enroute != 0);
    }

    if (rc == NGX_CAMPAIGN_OK && !rec->apart) {
        rc = ngx_campaign_lmdb_event_campaign(t, rec, to);
    }

    return rc == NGX_CAMPAIGN_OK ? ngx_campaign_lmdb_feed(t, NGX_CAMPAIGN_CAMPAIGN, rec->account, rec->no) : rc;
}


/* every message that is not in flight; its state byte stays as it is, see the key plan */

static void
ngx_campaign_run_cancel(ngx_campaign_run_t *run)
{
    ngx_campaign_progress_t  *p;

    p = &run->progress;

    p->canceled += p->pending;
    p->reason[NGX_CAMPAIGN_R_CANCELED] += p->pending;
    p->pending = 0;
    p->again = 0;
}


/* when a scheduled campaign starts: at its time, or at once, that is when it was created */

static void
ngx_campaign_sched_key(u_char *key, const ngx_campaign_rec_t *rec, const ngx_campaign_run_t *run)
{
    time_t  start;

    start = run->schedule ? run->schedule : rec->created;

    ngx_campaign_be64_put(ngx_campaign_be64_put(key, start > 0 ? (uint64_t) start : 0), rec->no);
}


static ngx_campaign_rc_e
ngx_campaign_sched_put(ngx_campaign_txn_t *t, const ngx_campaign_rec_t *rec, const ngx_campaign_run_t *run)
{
    int     rc;
    u_char  key[NGX_CAMPAIGN_SCHED_KEY], value[4];

    ngx_campaign_sched_key(key, rec, run);
    ngx_campaign_be32_put(value, rec->account);

    rc = ngx_campaign_lmdb_put(t, NGX_CAMPAIGN_DB_SCHED, key, NGX_CAMPAIGN_SCHED_KEY, value, 4);

    return rc == 0 ? NGX_CAMPAIGN_OK : ngx_campaign_lmdb_failed(t, rc, "start of a campaign");
}


ngx_campaign_rc_e
ngx_campaign_lmdb_sched_del(ngx_campaign_txn_t *t, const ngx_campaign_rec_t *rec, const ngx_campaign_run_t *run)
{
    int     rc;
    u_char  key[NGX_CAMPAIGN_SCHED_KEY];

    ngx_campaign_sched_key(key, rec, run);

    rc = ngx_campaign_lmdb_del(t, NGX_CAMPAIGN_DB_SCHED, key, NGX_CAMPAIGN_SCHED_KEY);

    return rc == 0 ? NGX_CAMPAIGN_OK
                   : ngx_campaign_lmdb_failed(t, rc == MDB_NOTFOUND ? MDB_CORRUPTED : rc, "start of a campaign");
}


static ngx_campaign_rc_e
ngx_campaign_active_set(ngx_campaign_txn_t *t, const ngx_campaign_rec_t *rec, ngx_uint_t active)
{
    int     rc;
    u_char  key[12];

    ngx_campaign_be64_put(ngx_campaign_be32_put(key, rec->account), rec->no);

    rc = active ? ngx_campaign_lmdb_put(t, NGX_CAMPAIGN_DB_ACTIVE, key, 12, "", 0)
                : ngx_campaign_lmdb_del(t, NGX_CAMPAIGN_DB_ACTIVE, key, 12);

    return (rc == 0 || (rc == MDB_NOTFOUND && !active)) ? NGX_CAMPAIGN_OK : ngx_campaign_lmdb_failed(t, rc, "active");
}


ngx_campaign_rc_e
ngx_campaign_lmdb_feed(ngx_campaign_txn_t *t, ngx_campaign_kind_e kind, uint32_t account, uint64_t no)
{
    int     rc;
    u_char  key[13];

    key[0] = (u_char) kind;
    ngx_campaign_be64_put(ngx_campaign_be32_put(key + 1, account), no);

    rc = ngx_campaign_lmdb_put(t, NGX_CAMPAIGN_DB_FEED, key, 13, "", 0);

    return rc == 0 ? NGX_CAMPAIGN_OK : ngx_campaign_lmdb_failed(t, rc, "feed");
}
