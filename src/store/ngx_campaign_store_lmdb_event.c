
/*
 * Events that wait for webhooks.  It keeps true: an event stands in `event` and, under its due time, in `due`, or in neither; the counts of
 * a queue are those of its events; what an event tells of was changed by the same transaction; no webhook has more than
 * NGX_CAMPAIGN_EVENTS_MAX.
 */

#include "ngx_campaign_store_lmdb_event.h"
#include "ngx_campaign_webhook.h"


#define NGX_CAMPAIGN_QUEUE_MAX  128             /* bytes of a queue: all varints at their longest */
#define NGX_CAMPAIGN_EVENT_MAX  16384           /* bytes of an event; the longest text is some 4 000 */
#define NGX_CAMPAIGN_HOLD_KEY   20              /* webhook u64, campaign u64, seq u32 */
#define NGX_CAMPAIGN_HOLD_ALL   0xffffffff      /* seq of what is told of a campaign itself */


static ngx_campaign_rc_e ngx_campaign_event_write(ngx_campaign_txn_t *t, const ngx_campaign_event_t *e);
static ngx_campaign_rc_e ngx_campaign_event_copy(ngx_campaign_txn_t *t, ngx_pool_t *pool, ngx_campaign_event_t *e);
static ngx_campaign_rc_e ngx_campaign_event_oldest(ngx_campaign_txn_t *t, ngx_campaign_hears_t *h);
static ngx_campaign_rc_e ngx_campaign_event_due(ngx_campaign_txn_t *t, const ngx_campaign_event_t *e, int64_t due, ngx_uint_t add);
static ngx_campaign_rc_e ngx_campaign_event_hold(ngx_campaign_txn_t *t, const ngx_campaign_event_t *e, ngx_uint_t hold);
static ngx_uint_t ngx_campaign_event_hold_key(u_char *key, const ngx_campaign_event_t *e);
static ngx_campaign_rc_e ngx_campaign_event_once(ngx_campaign_txn_t *t, uint32_t account, ngx_campaign_event_t *e);


#define ngx_campaign_event_field(type, tag, field)  { NGX_CAMPAIGN_CODEC_##type, offsetof(tag, field), 0 }

static const ngx_campaign_codec_field_t  ngx_campaign_queue_fields[] = {
    ngx_campaign_event_field(U32, ngx_campaign_queue_t, account),
    ngx_campaign_event_field(UINT, ngx_campaign_queue_t, status),
    ngx_campaign_event_field(U64, ngx_campaign_queue_t, last),
    ngx_campaign_event_field(U64, ngx_campaign_queue_t, waiting),
    ngx_campaign_event_field(U64, ngx_campaign_queue_t, failed),
    ngx_campaign_event_field(U64, ngx_campaign_queue_t, dropped),
    ngx_campaign_event_field(TIME, ngx_campaign_queue_t, told_at),
    ngx_campaign_event_field(UINT, ngx_campaign_queue_t, told),
    ngx_campaign_event_field(UINT, ngx_campaign_queue_t, code),
    { NGX_CAMPAIGN_CODEC_END, 0, 0 }
};

static const ngx_campaign_codec_field_t  ngx_campaign_event_fields[] = {
    ngx_campaign_event_field(UINT, ngx_campaign_event_t, event),
    ngx_campaign_event_field(I64, ngx_campaign_event_t, created),
    ngx_campaign_event_field(I64, ngx_campaign_event_t, due),
    ngx_campaign_event_field(U32, ngx_campaign_event_t, attempts),
    ngx_campaign_event_field(UINT, ngx_campaign_event_t, told),
    ngx_campaign_event_field(UINT, ngx_campaign_event_t, code),
    ngx_campaign_event_field(U64, ngx_campaign_event_t, campaign),
    ngx_campaign_event_field(U32, ngx_campaign_event_t, seq),
    ngx_campaign_event_field(UINT, ngx_campaign_event_t, value),
    ngx_campaign_event_field(STR, ngx_campaign_event_t, channel),
    ngx_campaign_event_field(STR, ngx_campaign_event_t, from),
    ngx_campaign_event_field(STR, ngx_campaign_event_t, to),
    ngx_campaign_event_field(STR, ngx_campaign_event_t, text),
    { NGX_CAMPAIGN_CODEC_END, 0, 0 }
};


ngx_campaign_rc_e
ngx_campaign_lmdb_event_campaign(ngx_campaign_txn_t *t, const ngx_campaign_rec_t *rec, ngx_campaign_status_e to)
{
    ngx_campaign_event_t  e;

    ngx_memzero(&e, sizeof(ngx_campaign_event_t));

    e.event = NGX_CAMPAIGN_W_CAMPAIGN;
    e.campaign = rec->no;
    e.seq = NGX_CAMPAIGN_HOLD_ALL;
    e.value = to;

    return ngx_campaign_event_once(t, rec->account, &e);
}


ngx_campaign_rc_e
ngx_campaign_lmdb_event_message(ngx_campaign_txn_t *t, uint32_t account, const ngx_str_t *channel, const ngx_str_t *from,
    const ngx_str_t *to, const ngx_str_t *text)
{
    ngx_campaign_event_t  e;

    ngx_memzero(&e, sizeof(ngx_campaign_event_t));

    e.event = NGX_CAMPAIGN_W_MESSAGE;
    e.channel = *channel;
    e.from = *from;
    e.to = *to;
    e.text = *text;

    return ngx_campaign_event_once(t, account, &e);
}


static ngx_campaign_rc_e
ngx_campaign_event_once(ngx_campaign_txn_t *t, uint32_t account, ngx_campaign_event_t *e)
{
    ngx_campaign_rc_e     rc;
    ngx_campaign_hears_t  h;

    ngx_memzero(&h, sizeof(ngx_campaign_hears_t));

    rc = ngx_campaign_hears_open(t, &h, account, e->event);

    if (rc == NGX_CAMPAIGN_OK && h.webhook) {
        rc = ngx_campaign_hears_add(t, &h, e);
    }

    return rc == NGX_CAMPAIGN_OK ? ngx_campaign_hears_close(t, &h) : rc;
}


ngx_campaign_rc_e
ngx_campaign_hears_open(ngx_campaign_txn_t *t, ngx_campaign_hears_t *h, uint32_t account, ngx_uint_t event)
{
    ngx_campaign_rc_e   rc;
    ngx_campaign_rec_t  rec;

    if (h->open) {
        return NGX_CAMPAIGN_OK;
    }

    ngx_memzero(&rec, sizeof(ngx_campaign_rec_t));

    rec.account = account;
    rec.name = *ngx_campaign_webhook_event_name(event);

    h->webhook = 0;
    h->dirty = 0;

    rc = ngx_campaign_lmdb_record_name_find(t, NGX_CAMPAIGN_WEBHOOK, &rec, &h->webhook);

    if (rc == NGX_CAMPAIGN_NOT_FOUND) {
        h->open = 1;
        return NGX_CAMPAIGN_OK;
    }

    if (rc == NGX_CAMPAIGN_OK) {
        rc = ngx_campaign_queue_get(t, h->webhook, &h->queue);
    }

    if (rc != NGX_CAMPAIGN_OK) {
        return rc == NGX_CAMPAIGN_NOT_FOUND ? ngx_campaign_lmdb_failed(t, MDB_CORRUPTED, "queue of a webhook") : rc;
    }

    if (h->queue.status != NGX_CAMPAIGN_A_ACTIVE) {
        h->webhook = 0;
    }

    h->open = 1;

    return NGX_CAMPAIGN_OK;
}


ngx_campaign_rc_e
ngx_campaign_hears_add(ngx_campaign_txn_t *t, ngx_campaign_hears_t *h, ngx_campaign_event_t *e)
{
    ngx_campaign_rc_e  rc;

    e->webhook = h->webhook;
    e->no = h->queue.last + 1;
    e->created = t->now;
    e->due = t->now;

    rc = ngx_campaign_event_write(t, e);

    if (rc == NGX_CAMPAIGN_OK) {
        rc = ngx_campaign_event_due(t, e, e->due, 1);
    }

    h->queue.last++;
    h->queue.waiting++;
    h->dirty = 1;

    if (rc == NGX_CAMPAIGN_OK && h->queue.waiting + h->queue.failed > NGX_CAMPAIGN_EVENTS_MAX) {
        rc = ngx_campaign_event_oldest(t, h);
    }

    return rc;
}


ngx_campaign_rc_e
ngx_campaign_hears_close(ngx_campaign_txn_t *t, ngx_campaign_hears_t *h)
{
    if (!h->open || !h->dirty) {
        return NGX_CAMPAIGN_OK;
    }

    h->dirty = 0;

    return ngx_campaign_queue_put(t, h->webhook, &h->queue);
}


ngx_campaign_rc_e
ngx_campaign_queue_get(ngx_campaign_txn_t *t, uint64_t webhook, ngx_campaign_queue_t *queue)
{
    int      rc;
    u_char   key[8];
    MDB_val  value;

    ngx_campaign_be64_put(key, webhook);

    rc = ngx_campaign_lmdb_get(t, NGX_CAMPAIGN_DB_HOOK, key, 8, &value);

    if (rc == MDB_NOTFOUND) {
        return NGX_CAMPAIGN_NOT_FOUND;
    }

    ngx_memzero(queue, sizeof(ngx_campaign_queue_t));

    if (rc != 0 || ngx_campaign_codec_unpack(value.mv_data, value.mv_size, ngx_campaign_queue_fields, queue) != NGX_OK) {
        return ngx_campaign_lmdb_failed(t, rc ? rc : MDB_CORRUPTED, "queue of a webhook");
    }

    return NGX_CAMPAIGN_OK;
}


ngx_campaign_rc_e
ngx_campaign_queue_put(ngx_campaign_txn_t *t, uint64_t webhook, const ngx_campaign_queue_t *queue)
{
    int      rc;
    u_char  *p, key[8], value[NGX_CAMPAIGN_QUEUE_MAX];

    ngx_campaign_be64_put(key, webhook);
    p = ngx_campaign_codec_pack(value, ngx_campaign_queue_fields, queue);

    rc = ngx_campaign_lmdb_put(t, NGX_CAMPAIGN_DB_HOOK, key, 8, value, p - value);

    return rc == 0 ? NGX_CAMPAIGN_OK : ngx_campaign_lmdb_failed(t, rc, "queue of a webhook");
}


ngx_campaign_rc_e
ngx_campaign_event_get(ngx_campaign_txn_t *t, uint64_t webhook, uint64_t no, ngx_pool_t *pool, ngx_campaign_event_t *e)
{
    int      rc;
    u_char   key[NGX_CAMPAIGN_EVENT_KEY];
    MDB_val  value;

    ngx_campaign_be64_put(ngx_campaign_be64_put(key, webhook), no);

    rc = ngx_campaign_lmdb_get(t, NGX_CAMPAIGN_DB_EVENT, key, NGX_CAMPAIGN_EVENT_KEY, &value);

    if (rc == MDB_NOTFOUND) {
        return NGX_CAMPAIGN_NOT_FOUND;
    }

    ngx_memzero(e, sizeof(ngx_campaign_event_t));

    if (rc != 0 || ngx_campaign_codec_unpack(value.mv_data, value.mv_size, ngx_campaign_event_fields, e) != NGX_OK) {
        return ngx_campaign_lmdb_failed(t, rc ? rc : MDB_CORRUPTED, "event of a webhook");
    }

    e->webhook = webhook;
    e->no = no;

    ngx_campaign_event_id(t, e, e->id);

    return pool ? ngx_campaign_event_copy(t, pool, e) : NGX_CAMPAIGN_OK;
}


/* events have a number each, webhooks are few: ids of the one kind are never those of the other, whose b is 0 */

void
ngx_campaign_event_id(ngx_campaign_txn_t *t, const ngx_campaign_event_t *e, u_char *id)
{
    ngx_campaign_id_make(t->store->secret, NGX_CAMPAIGN_WEBHOOK, e->no, (uint32_t) e->webhook, id);
}


static ngx_campaign_rc_e
ngx_campaign_event_copy(ngx_campaign_txn_t *t, ngx_pool_t *pool, ngx_campaign_event_t *e)
{
    u_char                            *p;
    size_t                             len;
    ngx_str_t                         *s;
    const ngx_campaign_codec_field_t  *f;

    len = e->channel.len + e->from.len + e->to.len + e->text.len;

    p = ngx_pnalloc(pool, len + 1);
    if (p == NULL) {
        return ngx_campaign_lmdb_failed(t, ENOMEM, "copy of an event");
    }

    for (f = ngx_campaign_event_fields; f->type != NGX_CAMPAIGN_CODEC_END; f++) {
        if (f->type == NGX_CAMPAIGN_CODEC_STR) {
            s = (ngx_str_t *) ((u_char *) e + f->offset);

            if (s->len) {
                ngx_memcpy(p, s->data, s->len);
            }

            s->data = p;
            p += s->len;
        }
    }

    return NGX_CAMPAIGN_OK;
}


static ngx_campaign_rc_e
ngx_campaign_event_write(ngx_campaign_txn_t *t, const ngx_campaign_event_t *e)
{
    int      rc;
    u_char  *p, key[NGX_CAMPAIGN_EVENT_KEY], value[NGX_CAMPAIGN_EVENT_MAX];

    if (ngx_campaign_codec_size(ngx_campaign_event_fields, e) > NGX_CAMPAIGN_EVENT_MAX) {
        return ngx_campaign_lmdb_failed(t, MDB_BAD_VALSIZE, "event of a webhook");
    }

    ngx_campaign_be64_put(ngx_campaign_be64_put(key, e->webhook), e->no);
    p = ngx_campaign_codec_pack(value, ngx_campaign_event_fields, e);

    rc = ngx_campaign_lmdb_put(t, NGX_CAMPAIGN_DB_EVENT, key, NGX_CAMPAIGN_EVENT_KEY, value, p - value);

    return rc == 0 ? NGX_CAMPAIGN_OK : ngx_campaign_lmdb_failed(t, rc, "event of a webhook");
}


ngx_campaign_rc_e
ngx_campaign_event_move(ngx_campaign_txn_t *t, ngx_campaign_queue_t *queue, ngx_campaign_event_t *e, int64_t due)
{
    ngx_campaign_rc_e  rc;

    rc = ngx_campaign_event_due(t, e, e->due, 0);

    if (rc == NGX_CAMPAIGN_OK) {
        rc = ngx_campaign_event_hold(t, e, due != NGX_CAMPAIGN_EVENT_NEVER && e->attempts);
    }

    if (e->due == NGX_CAMPAIGN_EVENT_NEVER) {
        queue->failed--;
        queue->waiting++;
    }

    if (due == NGX_CAMPAIGN_EVENT_NEVER) {
        queue->waiting--;
        queue->failed++;
    }

    e->due = due;

    if (rc == NGX_CAMPAIGN_OK) {
        rc = ngx_campaign_event_due(t, e, due, 1);
    }

    return rc == NGX_CAMPAIGN_OK ? ngx_campaign_event_write(t, e) : rc;
}


ngx_campaign_rc_e
ngx_campaign_event_drop(ngx_campaign_txn_t *t, ngx_campaign_queue_t *queue, const ngx_campaign_event_t *e)
{
    int                rc;
    u_char             key[NGX_CAMPAIGN_EVENT_KEY];
    ngx_campaign_rc_e  result;

    result = ngx_campaign_event_due(t, e, e->due, 0);

    if (result == NGX_CAMPAIGN_OK) {
        result = ngx_campaign_event_hold(t, e, 0);
    }

    if (result != NGX_CAMPAIGN_OK) {
        return result;
    }

    if (e->due == NGX_CAMPAIGN_EVENT_NEVER) {
        queue->failed--;
    } else {
        queue->waiting--;
    }

    ngx_campaign_be64_put(ngx_campaign_be64_put(key, e->webhook), e->no);

    rc = ngx_campaign_lmdb_del(t, NGX_CAMPAIGN_DB_EVENT, key, NGX_CAMPAIGN_EVENT_KEY);

    return rc == 0 ? NGX_CAMPAIGN_OK : ngx_campaign_lmdb_failed(t, rc == MDB_NOTFOUND ? MDB_CORRUPTED : rc, "event of a webhook");
}


static ngx_campaign_rc_e
ngx_campaign_event_oldest(ngx_campaign_txn_t *t, ngx_campaign_hears_t *h)
{
    int                    rc;
    u_char                 start[NGX_CAMPAIGN_EVENT_KEY];
    MDB_val                key, none;
    uint64_t               no;
    MDB_cursor            *cursor;
    ngx_campaign_rc_e      result;
    ngx_campaign_event_t   e;

    rc = mdb_cursor_open(t->txn, t->store->dbi[NGX_CAMPAIGN_DB_EVENT], &cursor);
    if (rc != 0) {
        return ngx_campaign_lmdb_failed(t, rc, "cursor of event");
    }

    ngx_campaign_be64_put(ngx_campaign_be64_put(start, h->webhook), 0);
    key.mv_size = NGX_CAMPAIGN_EVENT_KEY;
    key.mv_data = start;

    rc = mdb_cursor_get(cursor, &key, &none, MDB_SET_RANGE);
    mdb_cursor_close(cursor);

    if (rc != 0 || key.mv_size != NGX_CAMPAIGN_EVENT_KEY || ngx_memcmp(key.mv_data, start, 8) != 0) {
        return ngx_campaign_lmdb_failed(t, rc && rc != MDB_NOTFOUND ? rc : MDB_CORRUPTED, "oldest event");
    }

    no = ngx_campaign_be64_get((u_char *) key.mv_data + 8);

    result = ngx_campaign_event_get(t, h->webhook, no, NULL, &e);

    if (result == NGX_CAMPAIGN_OK) {
        result = ngx_campaign_event_drop(t, &h->queue, &e);
    }

    h->queue.dropped++;

    return result;
}


static ngx_campaign_rc_e
ngx_campaign_event_due(ngx_campaign_txn_t *t, const ngx_campaign_event_t *e, int64_t due, ngx_uint_t add)
{
    int     rc;
    u_char  key[NGX_CAMPAIGN_DUE_KEY];

    ngx_campaign_be64_put(ngx_campaign_be64_put(ngx_campaign_be64_put(key, e->webhook), (uint64_t) due), e->no);

    rc = add ? ngx_campaign_lmdb_put(t, NGX_CAMPAIGN_DB_DUE, key, NGX_CAMPAIGN_DUE_KEY, "", 0)
             : ngx_campaign_lmdb_del(t, NGX_CAMPAIGN_DB_DUE, key, NGX_CAMPAIGN_DUE_KEY);

    return rc == 0 ? NGX_CAMPAIGN_OK : ngx_campaign_lmdb_failed(t, rc == MDB_NOTFOUND ? MDB_CORRUPTED : rc, "due time of an event");
}


ngx_campaign_rc_e
ngx_campaign_event_held(ngx_campaign_txn_t *t, const ngx_campaign_event_t *e, uint64_t *no)
{
    u_char  key[NGX_CAMPAIGN_HOLD_KEY];

    if (!ngx_campaign_event_hold_key(key, e)) {
        *no = 0;
        return NGX_CAMPAIGN_OK;
    }

    return ngx_campaign_lmdb_counter_get(t, NGX_CAMPAIGN_DB_HOLD, key, NGX_CAMPAIGN_HOLD_KEY, no);
}


/* e waits for a repeat, or not any more; an earlier one that holds up its message stays */

static ngx_campaign_rc_e
ngx_campaign_event_hold(ngx_campaign_txn_t *t, const ngx_campaign_event_t *e, ngx_uint_t hold)
{
    int                rc;
    u_char             key[NGX_CAMPAIGN_HOLD_KEY], value[8];
    uint64_t           no;
    ngx_campaign_rc_e  result;

    if (!ngx_campaign_event_hold_key(key, e)) {
        return NGX_CAMPAIGN_OK;
    }

    result = ngx_campaign_event_held(t, e, &no);

    if (result != NGX_CAMPAIGN_OK || (hold ? no && no <= e->no : no != e->no)) {
        return result;
    }

    ngx_campaign_be64_put(value, e->no);

    rc = hold ? ngx_campaign_lmdb_put(t, NGX_CAMPAIGN_DB_HOLD, key, NGX_CAMPAIGN_HOLD_KEY, value, 8)
              : ngx_campaign_lmdb_del(t, NGX_CAMPAIGN_DB_HOLD, key, NGX_CAMPAIGN_HOLD_KEY);

    return rc == 0 ? NGX_CAMPAIGN_OK : ngx_campaign_lmdb_failed(t, rc, "event that holds others");
}


static ngx_uint_t
ngx_campaign_event_hold_key(u_char *key, const ngx_campaign_event_t *e)
{
    if (e->campaign == 0) {
        return 0;
    }

    ngx_campaign_be32_put(ngx_campaign_be64_put(ngx_campaign_be64_put(key, e->webhook), e->campaign), e->seq);

    return 1;
}
