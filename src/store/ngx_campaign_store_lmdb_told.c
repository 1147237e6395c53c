
/*
 * What webhooks are to be told, and what they were told, for the dispatcher.  It keeps true: an event is taken back into the store by its
 * outcome only, so that one whose teller died is told again; an outcome that was recorded before changes nothing.
 */

#include "ngx_campaign_store_lmdb_event.h"


#define NGX_CAMPAIGN_DUE_SCAN  1024             /* webhooks looked at */


typedef struct {
    ngx_campaign_tell_t     *tells;
    ngx_uint_t               n;
} ngx_campaign_tell_args_t;


static ngx_campaign_rc_e ngx_campaign_due_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args);
static ngx_campaign_rc_e ngx_campaign_due_walk(ngx_campaign_txn_t *t, MDB_cursor *cursor, ngx_campaign_due_t *due);
static ngx_campaign_rc_e ngx_campaign_take_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args);
static ngx_campaign_rc_e ngx_campaign_take_walk(ngx_campaign_txn_t *t, ngx_campaign_take_t *take, ngx_pool_t *pool);
static ngx_campaign_rc_e ngx_campaign_take_known(ngx_campaign_txn_t *t, uint32_t account, ngx_pool_t *pool,
    ngx_campaign_notice_t *notice);
static ngx_campaign_rc_e ngx_campaign_take_fill(ngx_campaign_txn_t *t, uint32_t account, ngx_pool_t *pool, ngx_campaign_notice_t *notice);
static ngx_campaign_rc_e ngx_campaign_tell_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args);
static ngx_campaign_rc_e ngx_campaign_tell_one(ngx_campaign_txn_t *t, ngx_campaign_tell_t *tell, ngx_campaign_queue_t *queue,
    ngx_pool_t *pool);
static ngx_campaign_rc_e ngx_campaign_tell_held(ngx_campaign_txn_t *t, ngx_campaign_queue_t *queue, ngx_campaign_event_t *e);
static ngx_campaign_rc_e ngx_campaign_tell_gone(ngx_campaign_txn_t *t, uint64_t webhook, ngx_campaign_queue_t *queue, ngx_pool_t *pool);


ngx_int_t
ngx_campaign_store_due(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_due_t *due)
{
    return ngx_campaign_lmdb_read(st, op, ngx_campaign_due_work, due);
}


ngx_int_t
ngx_campaign_store_take(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_take_t *take)
{
    return ngx_campaign_lmdb_read(st, op, ngx_campaign_take_work, take);
}


ngx_int_t
ngx_campaign_store_tell(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_tell_t *tells, ngx_uint_t n)
{
    ngx_campaign_tell_args_t  *args;

    args = ngx_palloc(op->pool, sizeof(ngx_campaign_tell_args_t));
    if (args == NULL) {
        op->rc = NGX_CAMPAIGN_FAILURE;
        return NGX_ERROR;
    }

    args->tells = tells;
    args->n = n;

    return ngx_campaign_lmdb_write(st, op, ngx_campaign_tell_work, args);
}


static ngx_campaign_rc_e
ngx_campaign_due_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args)
{
    ngx_campaign_due_t *due = args;

    int                 rc;
    MDB_cursor         *cursor;
    ngx_campaign_rc_e   result;

    rc = mdb_cursor_open(t->txn, t->store->dbi[NGX_CAMPAIGN_DB_DUE], &cursor);
    if (rc != 0) {
        return ngx_campaign_lmdb_failed(t, rc, "cursor of due");
    }

    result = ngx_campaign_due_walk(t, cursor, due);

    mdb_cursor_close(cursor);

    return result;
}


/* the first event of each webhook is the one that is due first */

static ngx_campaign_rc_e
ngx_campaign_due_walk(ngx_campaign_txn_t *t, MDB_cursor *cursor, ngx_campaign_due_t *due)
{
    int                    rc;
    u_char                 start[NGX_CAMPAIGN_DUE_KEY];
    int64_t                at;
    MDB_val                key, none;
    uint64_t               webhook;
    ngx_uint_t             left;
    ngx_campaign_rc_e      result;
    ngx_campaign_queue_t   queue;

    due->n = 0;
    webhook = due->after;

    for (left = NGX_CAMPAIGN_DUE_SCAN; left && due->n < NGX_CAMPAIGN_DUE_MAX; left--) {

        ngx_campaign_be64_put(ngx_campaign_be64_put(ngx_campaign_be64_put(start, webhook + 1), 0), 0);
        key.mv_size = NGX_CAMPAIGN_DUE_KEY;
        key.mv_data = start;

        rc = mdb_cursor_get(cursor, &key, &none, MDB_SET_RANGE);

        if (rc == MDB_NOTFOUND) {
            due->after = 0;
            return NGX_CAMPAIGN_OK;
        }

        if (rc != 0 || key.mv_size != NGX_CAMPAIGN_DUE_KEY) {
            return ngx_campaign_lmdb_failed(t, rc ? rc : MDB_CORRUPTED, "walk of due");
        }

        webhook = ngx_campaign_be64_get(key.mv_data);
        at = (int64_t) ngx_campaign_be64_get((u_char *) key.mv_data + 8);

        if (at > t->now) {
            continue;
        }

        result = ngx_campaign_queue_get(t, webhook, &queue);
        if (result != NGX_CAMPAIGN_OK) {
            return result == NGX_CAMPAIGN_NOT_FOUND ? ngx_campaign_lmdb_failed(t, MDB_CORRUPTED, "queue of an event") : result;
        }

        if (queue.status == NGX_CAMPAIGN_A_ACTIVE) {
            due->webhooks[due->n++] = webhook;
        }
    }

    due->after = webhook;

    return NGX_CAMPAIGN_OK;
}


static ngx_campaign_rc_e
ngx_campaign_take_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args)
{
    ngx_campaign_take_t *take = args;

    ngx_campaign_rc_e      rc;
    ngx_campaign_queue_t   queue;

    take->notices = ngx_array_create(op->pool, take->most ? take->most : 1, sizeof(ngx_campaign_notice_t));
    if (take->notices == NULL) {
        return NGX_CAMPAIGN_FAILURE;
    }

    rc = ngx_campaign_queue_get(t, take->webhook, &queue);

    if (rc == NGX_CAMPAIGN_OK && queue.status != NGX_CAMPAIGN_A_ACTIVE) {
        return NGX_CAMPAIGN_NOT_FOUND;
    }

    if (rc == NGX_CAMPAIGN_OK) {
        rc = ngx_campaign_lmdb_record_get(t, NGX_CAMPAIGN_WEBHOOK, queue.account, take->webhook, op->pool, &take->hook);
    }

    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    take->hook.queue = queue;

    return ngx_campaign_take_walk(t, take, op->pool);
}


static ngx_campaign_rc_e
ngx_campaign_take_walk(ngx_campaign_txn_t *t, ngx_campaign_take_t *take, ngx_pool_t *pool)
{
    int                     rc;
    u_char                  start[NGX_CAMPAIGN_DUE_KEY], *p;
    MDB_val                 key, none;
    uint64_t                holder;
    MDB_cursor             *cursor;
    ngx_campaign_rc_e       result;
    ngx_campaign_notice_t  *notice;

    rc = mdb_cursor_open(t->txn, t->store->dbi[NGX_CAMPAIGN_DB_DUE], &cursor);
    if (rc != 0) {
        return ngx_campaign_lmdb_failed(t, rc, "cursor of due");
    }

    ngx_campaign_be64_put(ngx_campaign_be64_put(ngx_campaign_be64_put(start, take->webhook), 0), 0);
    key.mv_size = NGX_CAMPAIGN_DUE_KEY;
    key.mv_data = start;
    result = NGX_CAMPAIGN_OK;

    for (rc = mdb_cursor_get(cursor, &key, &none, MDB_SET_RANGE);
         rc == 0 && take->notices->nelts < take->most;
         rc = mdb_cursor_get(cursor, &key, &none, MDB_NEXT))
    {
        p = key.mv_data;

        if (key.mv_size != NGX_CAMPAIGN_DUE_KEY || ngx_memcmp(p, start, 8) != 0 || (int64_t) ngx_campaign_be64_get(p + 8) > t->now) {
            break;
        }

        notice = ngx_array_push(take->notices);
        if (notice == NULL) {
            result = NGX_CAMPAIGN_FAILURE;
            break;
        }

        ngx_memzero(notice, sizeof(ngx_campaign_notice_t));
        holder = 0;

        result = ngx_campaign_event_get(t, take->webhook, ngx_campaign_be64_get(p + 16), pool, &notice->event);

        if (result == NGX_CAMPAIGN_OK) {
            result = ngx_campaign_event_held(t, &notice->event, &holder);
        }

        if (result == NGX_CAMPAIGN_OK) {
            notice->held = holder && holder < notice->event.no;
            result = notice->event.campaign ? ngx_campaign_take_known(t, take->hook.rec.account, pool, notice) : NGX_CAMPAIGN_OK;
        }

        if (result != NGX_CAMPAIGN_OK) {
            break;
        }
    }

    mdb_cursor_close(cursor);

    if (result == NGX_CAMPAIGN_NOT_FOUND) {
        return ngx_campaign_lmdb_failed(t, MDB_CORRUPTED, "event that is due");
    }

    return (result != NGX_CAMPAIGN_OK || rc == 0 || rc == MDB_NOTFOUND) ? result : ngx_campaign_lmdb_failed(t, rc, "walk of due");
}


/* of a damaged campaign a webhook hears what can be read, so that it hears of others, too */

static ngx_campaign_rc_e
ngx_campaign_take_known(ngx_campaign_txn_t *t, uint32_t account, ngx_pool_t *pool, ngx_campaign_notice_t *notice)
{
    ngx_campaign_rc_e  rc;

    t->quiet = 1;
    rc = ngx_campaign_take_fill(t, account, pool, notice);
    t->quiet = 0;

    if (rc == NGX_CAMPAIGN_FAILURE && t->err == MDB_CORRUPTED) {
        t->err = 0;
        return NGX_CAMPAIGN_OK;
    }

    return rc;
}


/* what the campaign has of it; one that was deleted has nothing */

static ngx_campaign_rc_e
ngx_campaign_take_fill(ngx_campaign_txn_t *t, uint32_t account, ngx_pool_t *pool, ngx_campaign_notice_t *notice)
{
    ngx_campaign_rc_e        rc;
    ngx_campaign_walk_t      walk;
    ngx_campaign_contact_t   contact;
    ngx_campaign_campaign_t  c;

    rc = ngx_campaign_lmdb_record_get(t, NGX_CAMPAIGN_CAMPAIGN, account, notice->event.campaign, pool, &c);

    if (rc != NGX_CAMPAIGN_OK) {
        return rc == NGX_CAMPAIGN_NOT_FOUND ? NGX_CAMPAIGN_OK : rc;
    }

    notice->channel = c.rec.channel;
    notice->payload = c.payload;
    notice->name = c.rec.name;
    notice->apart = c.rec.apart;

    if (notice->event.event != NGX_CAMPAIGN_W_DELIVERY) {
        return NGX_CAMPAIGN_OK;
    }

    ngx_campaign_lmdb_walk_init(&walk, c.list, notice->event.seq);

    rc = ngx_campaign_lmdb_walk_next(t, &walk, &contact);

    if (rc == NGX_CAMPAIGN_OK && !contact.deleted) {
        notice->number = contact.number;
    }

    return rc == NGX_CAMPAIGN_NOT_FOUND ? NGX_CAMPAIGN_OK : rc;
}


static ngx_campaign_rc_e
ngx_campaign_tell_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args)
{
    ngx_campaign_tell_args_t *ta = args;

    ngx_uint_t             i, known;
    ngx_campaign_rc_e      rc;
    ngx_campaign_tell_t   *tell;
    ngx_campaign_queue_t   queue;

    known = 0;

    for (i = 0; i < ta->n; i++) {
        tell = &ta->tells[i];

        if (i == 0 || tell->webhook != tell[-1].webhook) {
            rc = ngx_campaign_queue_get(t, tell->webhook, &queue);

            if (rc != NGX_CAMPAIGN_OK && rc != NGX_CAMPAIGN_NOT_FOUND) {
                return rc;
            }

            known = (rc == NGX_CAMPAIGN_OK);
        }

        if (!known) {
            continue;
        }

        rc = ngx_campaign_tell_one(t, tell, &queue, op->pool);

        if (rc == NGX_CAMPAIGN_OK && (i + 1 == ta->n || tell[1].webhook != tell->webhook)) {
            rc = ngx_campaign_queue_put(t, tell->webhook, &queue);
        }

        if (rc != NGX_CAMPAIGN_OK) {
            return rc;
        }
    }

    return NGX_CAMPAIGN_OK;
}


static ngx_campaign_rc_e
ngx_campaign_tell_one(ngx_campaign_txn_t *t, ngx_campaign_tell_t *tell, ngx_campaign_queue_t *queue, ngx_pool_t *pool)
{
    ngx_campaign_rc_e     rc;
    ngx_campaign_event_t  e;

    rc = ngx_campaign_event_get(t, tell->webhook, tell->no, pool, &e);

    if (rc == NGX_CAMPAIGN_NOT_FOUND || (rc == NGX_CAMPAIGN_OK && (e.attempts + 1 != tell->attempt || e.due == NGX_CAMPAIGN_EVENT_NEVER))) {
        return NGX_CAMPAIGN_OK;
    }

    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    if (tell->kind == NGX_CAMPAIGN_TELL_HELD) {
        return ngx_campaign_tell_held(t, queue, &e);
    }

    queue->told_at = (time_t) (t->now / 1000000);
    queue->told = tell->told;
    queue->code = tell->code;

    e.attempts++;
    e.told = tell->told;
    e.code = tell->code;

    switch (tell->kind) {

    case NGX_CAMPAIGN_TELL_DONE:
        return ngx_campaign_event_drop(t, queue, &e);

    case NGX_CAMPAIGN_TELL_AGAIN:
        return ngx_campaign_event_move(t, queue, &e, tell->due);

    case NGX_CAMPAIGN_TELL_GONE:
        rc = ngx_campaign_tell_gone(t, tell->webhook, queue, pool);
        if (rc != NGX_CAMPAIGN_OK) {
            return rc;
        }

        /* fall through */

    default:
        return ngx_campaign_event_move(t, queue, &e, NGX_CAMPAIGN_EVENT_NEVER);
    }
}


/* right behind the one that it waits for */

static ngx_campaign_rc_e
ngx_campaign_tell_held(ngx_campaign_txn_t *t, ngx_campaign_queue_t *queue, ngx_campaign_event_t *e)
{
    uint64_t              no;
    ngx_campaign_rc_e     rc;
    ngx_campaign_event_t  holder;

    rc = ngx_campaign_event_held(t, e, &no);

    if (rc != NGX_CAMPAIGN_OK || no == 0 || no >= e->no) {
        return rc;
    }

    rc = ngx_campaign_event_get(t, e->webhook, no, NULL, &holder);

    if (rc == NGX_CAMPAIGN_NOT_FOUND || (rc == NGX_CAMPAIGN_OK && holder.due == NGX_CAMPAIGN_EVENT_NEVER)) {
        return ngx_campaign_lmdb_failed(t, MDB_CORRUPTED, "event that holds others");
    }

    return rc == NGX_CAMPAIGN_OK ? ngx_campaign_event_move(t, queue, e, holder.due + 1) : rc;
}


static ngx_campaign_rc_e
ngx_campaign_tell_gone(ngx_campaign_txn_t *t, uint64_t webhook, ngx_campaign_queue_t *queue, ngx_pool_t *pool)
{
    ngx_campaign_rc_e       rc;
    ngx_campaign_webhook_t  w;

    queue->status = NGX_CAMPAIGN_A_DISABLED;

    rc = ngx_campaign_lmdb_record_get(t, NGX_CAMPAIGN_WEBHOOK, queue->account, webhook, pool, &w);

    if (rc != NGX_CAMPAIGN_OK) {
        return rc == NGX_CAMPAIGN_NOT_FOUND ? ngx_campaign_lmdb_failed(t, MDB_CORRUPTED, "record of a webhook") : rc;
    }

    w.rec.status = NGX_CAMPAIGN_A_DISABLED;
    w.rec.updated = (time_t) (t->now / 1000000);

    return ngx_campaign_lmdb_record_update(t, NGX_CAMPAIGN_WEBHOOK, &w);
}
