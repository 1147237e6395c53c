
/*
 * Webhooks as their owner sees them: changed, tested, their events listed and tried again.  It keeps true: a webhook has a record and a
 * queue, and both have its status; with it all of its events go.
 */

#include "ngx_campaign_store_lmdb_event.h"
#include "ngx_campaign_webhook.h"


#define NGX_CAMPAIGN_EVENTS_SCAN  2048          /* events that a page looks at */
#define NGX_CAMPAIGN_EVENTS_PAGE  100


typedef struct {
    ngx_campaign_webhook_t   given;             /* as the caller gave it */
    ngx_campaign_webhook_t  *out;
    ngx_uint_t               mask;
} ngx_campaign_webhook_change_t;

typedef struct {
    uint32_t                 account;
    u_char                   id[NGX_CAMPAIGN_ID_LEN];
    ngx_campaign_event_t    *out;
} ngx_campaign_webhook_test_t;

typedef struct {
    u_char                  *webhook;
    ngx_campaign_page_t     *page;
} ngx_campaign_events_args_t;

/* a walk over events by their number: all of a webhook, or those that failed */

typedef struct {
    ngx_campaign_txn_t      *t;
    uint64_t                 webhook;
    ngx_campaign_db_e        db;
    u_char                   key[NGX_CAMPAIGN_DUE_KEY];
    size_t                   len;               /* of the key without the number */
    ngx_uint_t               waiting;           /* 1: those that failed are passed over */
    uint64_t                 no[NGX_CAMPAIGN_EVENTS_PAGE + 1];
    ngx_uint_t               n;
    uint64_t                 cut;               /* the last one looked at by a walk that was ended; 0: it was not */
} ngx_campaign_events_walk_t;


static ngx_campaign_rc_e ngx_campaign_webhook_change_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args);
static ngx_campaign_rc_e ngx_campaign_webhook_test_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args);
static ngx_campaign_rc_e ngx_campaign_webhook_replay_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args);
static ngx_campaign_rc_e ngx_campaign_webhook_replay_find(ngx_campaign_txn_t *t, ngx_campaign_replay_t *replay, uint64_t webhook,
    uint64_t *no);
static ngx_campaign_rc_e ngx_campaign_events_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args);
static ngx_campaign_rc_e ngx_campaign_events_walk(ngx_campaign_events_walk_t *w, uint64_t from, ngx_uint_t back, ngx_uint_t most);
static ngx_campaign_rc_e ngx_campaign_events_items(ngx_campaign_events_walk_t *w, ngx_pool_t *pool, ngx_campaign_page_t *page);
static ngx_campaign_rc_e ngx_campaign_events_links(ngx_campaign_events_walk_t *w, ngx_pool_t *pool, ngx_campaign_page_t *page,
    const ngx_campaign_place_t *place, ngx_uint_t more);
static void ngx_campaign_events_turn(ngx_campaign_events_walk_t *w);


ngx_int_t
ngx_campaign_store_webhook(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_webhook_t *w, ngx_uint_t mask)
{
    ngx_campaign_webhook_change_t  *change;

    change = ngx_palloc(op->pool, sizeof(ngx_campaign_webhook_change_t));
    if (change == NULL) {
        op->rc = NGX_CAMPAIGN_FAILURE;
        return NGX_ERROR;
    }

    change->given = *w;
    change->out = w;
    change->mask = mask;

    return ngx_campaign_lmdb_write(st, op, ngx_campaign_webhook_change_work, change);
}


ngx_int_t
ngx_campaign_store_webhook_test(ngx_campaign_store_t *st, ngx_campaign_op_t *op, uint32_t account, u_char *id, ngx_campaign_event_t *out)
{
    ngx_campaign_webhook_test_t  *test;

    test = ngx_palloc(op->pool, sizeof(ngx_campaign_webhook_test_t));
    if (test == NULL) {
        op->rc = NGX_CAMPAIGN_FAILURE;
        return NGX_ERROR;
    }

    test->account = account;
    test->out = out;
    ngx_memcpy(test->id, id, NGX_CAMPAIGN_ID_LEN);

    return ngx_campaign_lmdb_write(st, op, ngx_campaign_webhook_test_work, test);
}


ngx_int_t
ngx_campaign_store_replay(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_replay_t *replay)
{
    return ngx_campaign_lmdb_write(st, op, ngx_campaign_webhook_replay_work, replay);
}


ngx_int_t
ngx_campaign_store_events(ngx_campaign_store_t *st, ngx_campaign_op_t *op, u_char *webhook, ngx_campaign_page_t *page)
{
    ngx_campaign_events_args_t  *args;

    args = ngx_palloc(op->pool, sizeof(ngx_campaign_events_args_t));

    if (args == NULL || page->size == 0 || page->size > NGX_CAMPAIGN_EVENTS_PAGE) {
        op->rc = NGX_CAMPAIGN_FAILURE;
        return NGX_ERROR;
    }

    args->webhook = webhook;
    args->page = page;

    return ngx_campaign_lmdb_read(st, op, ngx_campaign_events_work, args);
}


ngx_campaign_rc_e
ngx_campaign_lmdb_webhook_made(ngx_campaign_txn_t *t, const ngx_campaign_webhook_t *w)
{
    ngx_campaign_queue_t  queue;

    ngx_memzero(&queue, sizeof(ngx_campaign_queue_t));

    queue.account = w->rec.account;
    queue.status = w->rec.status;

    return ngx_campaign_queue_put(t, w->rec.no, &queue);
}


ngx_campaign_rc_e
ngx_campaign_lmdb_webhook_queue(ngx_campaign_txn_t *t, ngx_campaign_webhook_t *w)
{
    int                rc;
    u_char             start[NGX_CAMPAIGN_DUE_KEY];
    int64_t            due;
    MDB_val            key, none;
    MDB_cursor        *cursor;
    ngx_campaign_rc_e  result;

    result = ngx_campaign_queue_get(t, w->rec.no, &w->queue);
    if (result != NGX_CAMPAIGN_OK) {
        return result == NGX_CAMPAIGN_NOT_FOUND ? ngx_campaign_lmdb_failed(t, MDB_CORRUPTED, "queue of a webhook") : result;
    }

    rc = mdb_cursor_open(t->txn, t->store->dbi[NGX_CAMPAIGN_DB_DUE], &cursor);
    if (rc != 0) {
        return ngx_campaign_lmdb_failed(t, rc, "cursor of due");
    }

    ngx_campaign_be64_put(ngx_campaign_be64_put(ngx_campaign_be64_put(start, w->rec.no), 0), 0);
    key.mv_size = NGX_CAMPAIGN_DUE_KEY;
    key.mv_data = start;

    rc = mdb_cursor_get(cursor, &key, &none, MDB_SET_RANGE);
    mdb_cursor_close(cursor);

    if (rc != 0 && rc != MDB_NOTFOUND) {
        return ngx_campaign_lmdb_failed(t, rc, "first of due");
    }

    if (rc == 0 && key.mv_size == NGX_CAMPAIGN_DUE_KEY && ngx_memcmp(key.mv_data, start, 8) == 0) {
        due = (int64_t) ngx_campaign_be64_get((u_char *) key.mv_data + 8);
        w->queue.next = (due == NGX_CAMPAIGN_EVENT_NEVER) ? 0 : due;
    }

    return NGX_CAMPAIGN_OK;
}


ngx_campaign_rc_e
ngx_campaign_lmdb_webhook_drop(ngx_campaign_txn_t *t, uint64_t webhook)
{
    u_char             key[8];
    ngx_uint_t         i;
    ngx_campaign_rc_e  rc;

    static const ngx_campaign_db_e  tables[] = {
        NGX_CAMPAIGN_DB_HOOK, NGX_CAMPAIGN_DB_EVENT, NGX_CAMPAIGN_DB_DUE, NGX_CAMPAIGN_DB_HOLD
    };

    ngx_campaign_be64_put(key, webhook);

    for (i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        rc = ngx_campaign_lmdb_prefix_drop(t, tables[i], key, 8);
        if (rc != NGX_CAMPAIGN_OK) {
            return rc;
        }
    }

    return NGX_CAMPAIGN_OK;
}


static ngx_campaign_rc_e
ngx_campaign_webhook_change_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args)
{
    ngx_campaign_webhook_change_t *change = args;

    ngx_str_t                old;
    ngx_campaign_rc_e        rc;
    ngx_campaign_webhook_t   w, *given;

    given = &change->given;

    rc = ngx_campaign_lmdb_record_find(t, NGX_CAMPAIGN_WEBHOOK, given->rec.account, given->rec.id, op->pool, &w);

    if (rc == NGX_CAMPAIGN_OK) {
        rc = ngx_campaign_lmdb_webhook_queue(t, &w);
    }

    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    old = w.rec.name;
    w.rec.updated = (time_t) (t->now / 1000000);

    if (change->mask & NGX_CAMPAIGN_SET_EVENT) {
        w.event = given->event;
        w.rec.name = *ngx_campaign_webhook_event_name(w.event);
    }

    if (change->mask & NGX_CAMPAIGN_SET_URL) {
        w.url = given->url;
    }

    if (change->mask & NGX_CAMPAIGN_SET_SECRET) {
        w.secret = given->secret;
    }

    if (change->mask & NGX_CAMPAIGN_SET_HEX) {
        w.hex = given->hex;
    }

    if (change->mask & NGX_CAMPAIGN_SET_STATUS) {
        w.rec.status = given->rec.status;
        w.queue.status = given->rec.status;
    }

    rc = ngx_campaign_lmdb_record_fits(t, NGX_CAMPAIGN_WEBHOOK, &w.rec);

    if (rc == NGX_CAMPAIGN_OK) {
        rc = ngx_campaign_lmdb_record_name(t, NGX_CAMPAIGN_WEBHOOK, &w.rec);
    }

    if (rc == NGX_CAMPAIGN_OK) {
        rc = ngx_campaign_lmdb_record_rename(t, NGX_CAMPAIGN_WEBHOOK, &w.rec, &old);
    }

    if (rc == NGX_CAMPAIGN_OK) {
        rc = ngx_campaign_lmdb_record_update(t, NGX_CAMPAIGN_WEBHOOK, &w);
    }

    if (rc == NGX_CAMPAIGN_OK) {
        rc = ngx_campaign_queue_put(t, w.rec.no, &w.queue);
    }

    if (rc == NGX_CAMPAIGN_OK) {
        *change->out = w;
    }

    return rc;
}


static ngx_campaign_rc_e
ngx_campaign_webhook_test_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args)
{
    ngx_campaign_webhook_test_t *test = args;

    ngx_campaign_rc_e        rc;
    ngx_campaign_event_t     e;
    ngx_campaign_hears_t     h;
    ngx_campaign_webhook_t   w;

    rc = ngx_campaign_lmdb_record_find(t, NGX_CAMPAIGN_WEBHOOK, test->account, test->id, op->pool, &w);
    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    ngx_memzero(&h, sizeof(ngx_campaign_hears_t));
    ngx_memzero(&e, sizeof(ngx_campaign_event_t));

    h.open = 1;
    h.webhook = w.rec.no;
    e.event = NGX_CAMPAIGN_W_TEST;

    rc = ngx_campaign_queue_get(t, w.rec.no, &h.queue);

    if (rc == NGX_CAMPAIGN_NOT_FOUND) {
        return ngx_campaign_lmdb_failed(t, MDB_CORRUPTED, "queue of a webhook");
    }

    if (rc == NGX_CAMPAIGN_OK) {
        rc = ngx_campaign_hears_add(t, &h, &e);
    }

    if (rc == NGX_CAMPAIGN_OK) {
        rc = ngx_campaign_hears_close(t, &h);
    }

    return rc == NGX_CAMPAIGN_OK ? ngx_campaign_event_get(t, e.webhook, e.no, op->pool, test->out) : rc;
}


static ngx_campaign_rc_e
ngx_campaign_webhook_replay_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args)
{
    ngx_campaign_replay_t *replay = args;

    uint32_t                 i;
    uint64_t                *no;
    ngx_campaign_rc_e        rc;
    ngx_campaign_event_t     e;
    ngx_campaign_queue_t     queue;
    ngx_campaign_webhook_t   w;

    replay->n = 0;
    replay->more = 0;

    rc = ngx_campaign_lmdb_record_find(t, NGX_CAMPAIGN_WEBHOOK, replay->account, replay->webhook, op->pool, &w);

    if (rc == NGX_CAMPAIGN_OK) {
        rc = ngx_campaign_queue_get(t, w.rec.no, &queue);
    }

    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    no = ngx_palloc(op->pool, NGX_CAMPAIGN_REPLAY_MAX * sizeof(uint64_t));
    if (no == NULL) {
        return NGX_CAMPAIGN_FAILURE;
    }

    rc = ngx_campaign_webhook_replay_find(t, replay, w.rec.no, no);

    for (i = 0; i < replay->n && rc == NGX_CAMPAIGN_OK; i++) {
        rc = ngx_campaign_event_get(t, w.rec.no, no[i], op->pool, &e);

        if (rc == NGX_CAMPAIGN_OK) {
            e.attempts = 0;
            rc = ngx_campaign_event_move(t, &queue, &e, t->now);
        }
    }

    if (rc == NGX_CAMPAIGN_OK) {
        rc = ngx_campaign_queue_put(t, w.rec.no, &queue);
    }

    return rc == NGX_CAMPAIGN_NOT_FOUND ? ngx_campaign_lmdb_failed(t, MDB_CORRUPTED, "event that failed") : rc;
}


/* events have their numbers in the order of their dates */

static ngx_campaign_rc_e
ngx_campaign_webhook_replay_find(ngx_campaign_txn_t *t, ngx_campaign_replay_t *replay, uint64_t webhook, uint64_t *no)
{
    int                    rc;
    u_char                 start[NGX_CAMPAIGN_DUE_KEY];
    time_t                 date;
    MDB_val                key, none;
    uint64_t               found;
    MDB_cursor            *cursor;
    ngx_campaign_rc_e      result;
    ngx_campaign_event_t   e;

    rc = mdb_cursor_open(t->txn, t->store->dbi[NGX_CAMPAIGN_DB_DUE], &cursor);
    if (rc != 0) {
        return ngx_campaign_lmdb_failed(t, rc, "cursor of due");
    }

    ngx_campaign_be64_put(ngx_campaign_be64_put(ngx_campaign_be64_put(start, webhook), NGX_CAMPAIGN_EVENT_NEVER), 0);
    key.mv_size = NGX_CAMPAIGN_DUE_KEY;
    key.mv_data = start;
    result = NGX_CAMPAIGN_OK;

    for (rc = mdb_cursor_get(cursor, &key, &none, MDB_SET_RANGE);
         rc == 0 && result == NGX_CAMPAIGN_OK;
         rc = mdb_cursor_get(cursor, &key, &none, MDB_NEXT))
    {
        if (key.mv_size != NGX_CAMPAIGN_DUE_KEY || ngx_memcmp(key.mv_data, start, 16) != 0) {
            break;
        }

        found = ngx_campaign_be64_get((u_char *) key.mv_data + 16);

        result = ngx_campaign_event_get(t, webhook, found, NULL, &e);

        date = (time_t) (e.created / 1000000);

        if (result != NGX_CAMPAIGN_OK || date > replay->to) {
            break;
        }

        if (date < replay->from) {
            continue;
        }

        if (replay->n == NGX_CAMPAIGN_REPLAY_MAX) {
            replay->more = 1;
            break;
        }

        no[replay->n++] = found;
    }

    mdb_cursor_close(cursor);

    if (result != NGX_CAMPAIGN_OK || rc == 0 || rc == MDB_NOTFOUND) {
        return result;
    }

    return ngx_campaign_lmdb_failed(t, rc, "walk of due");
}


static ngx_campaign_rc_e
ngx_campaign_events_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args)
{
    ngx_campaign_events_args_t *ea = args;

    ngx_uint_t                   more;
    ngx_campaign_rc_e            rc;
    ngx_campaign_page_t         *page;
    ngx_campaign_place_t         place;
    ngx_campaign_webhook_t       w;
    ngx_campaign_events_walk_t   walk;

    page = ea->page;

    rc = ngx_campaign_lmdb_record_find(t, NGX_CAMPAIGN_WEBHOOK, page->account, ea->webhook, NULL, &w);

    if (rc == NGX_CAMPAIGN_OK) {
        rc = ngx_campaign_lmdb_webhook_queue(t, &w);
    }

    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    ngx_memzero(&walk, sizeof(ngx_campaign_events_walk_t));

    walk.t = t;
    walk.webhook = w.rec.no;
    walk.waiting = (page->status == NGX_CAMPAIGN_EVENTS_WAITING);
    walk.db = NGX_CAMPAIGN_DB_EVENT;
    walk.len = ngx_campaign_be64_put(walk.key, w.rec.no) - walk.key;

    if (page->status == NGX_CAMPAIGN_EVENTS_FAILED) {
        walk.db = NGX_CAMPAIGN_DB_DUE;
        walk.len = ngx_campaign_be64_put(&walk.key[walk.len], NGX_CAMPAIGN_EVENT_NEVER) - walk.key;
    }

    page->uncounted = 0;
    page->total = (page->status == NGX_CAMPAIGN_EVENTS_FAILED ? 0 : w.queue.waiting)
                  + (page->status == NGX_CAMPAIGN_EVENTS_WAITING ? 0 : w.queue.failed);

    place.back = 0;
    place.key = (1ULL << 54) - 1;
    place.number = 1;

    if (page->token.len && ngx_campaign_lmdb_token_open(t->store, page, w.rec.no, &place) != NGX_OK) {
        return NGX_CAMPAIGN_INVALID;
    }

    rc = ngx_campaign_events_walk(&walk, place.key, place.back, page->size + 1);

    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    more = walk.n > page->size || walk.cut;
    walk.n -= walk.n > page->size;

    if (place.back) {
        ngx_campaign_events_turn(&walk);
    }

    rc = ngx_campaign_events_items(&walk, op->pool, page);

    return rc == NGX_CAMPAIGN_OK ? ngx_campaign_events_links(&walk, op->pool, page, &place, more) : rc;
}


/* up to `most` numbers, older than from, or (back) newer */

static ngx_campaign_rc_e
ngx_campaign_events_walk(ngx_campaign_events_walk_t *w, uint64_t from, ngx_uint_t back, ngx_uint_t most)
{
    int                    rc;
    MDB_val                key, none;
    uint64_t               found;
    MDB_cursor            *cursor;
    ngx_uint_t             left;
    ngx_campaign_rc_e      result;
    ngx_campaign_event_t   e;

    w->n = 0;
    w->cut = 0;
    found = 0;
    left = NGX_CAMPAIGN_EVENTS_SCAN;
    result = NGX_CAMPAIGN_OK;

    rc = mdb_cursor_open(w->t->txn, w->t->store->dbi[w->db], &cursor);
    if (rc != 0) {
        return ngx_campaign_lmdb_failed(w->t, rc, "cursor of events");
    }

    ngx_campaign_be64_put(&w->key[w->len], back ? from + 1 : from);
    key.mv_size = w->len + 8;
    key.mv_data = w->key;

    rc = mdb_cursor_get(cursor, &key, &none, MDB_SET_RANGE);

    if (!back && (rc == 0 || rc == MDB_NOTFOUND)) {
        rc = mdb_cursor_get(cursor, &key, &none, rc == 0 ? MDB_PREV : MDB_LAST);
    }

    for ( /* void */ ; rc == 0 && w->n < most; rc = mdb_cursor_get(cursor, &key, &none, back ? MDB_NEXT : MDB_PREV)) {

        if (key.mv_size != w->len + 8 || ngx_memcmp(key.mv_data, w->key, w->len) != 0) {
            break;
        }

        if (left-- == 0) {
            w->cut = found;
            break;
        }

        found = ngx_campaign_be64_get((u_char *) key.mv_data + w->len);

        if (w->waiting) {
            result = ngx_campaign_event_get(w->t, w->webhook, found, NULL, &e);
            if (result != NGX_CAMPAIGN_OK) {
                break;
            }

            if (e.due == NGX_CAMPAIGN_EVENT_NEVER) {
                continue;
            }
        }

        w->no[w->n++] = found;
    }

    mdb_cursor_close(cursor);

    if (result != NGX_CAMPAIGN_OK || rc == 0 || rc == MDB_NOTFOUND) {
        return result;
    }

    return ngx_campaign_lmdb_failed(w->t, rc, "walk of events");
}


static void
ngx_campaign_events_turn(ngx_campaign_events_walk_t *w)
{
    uint64_t    other;
    ngx_uint_t  i;

    for (i = 0; i < w->n / 2; i++) {
        other = w->no[i];
        w->no[i] = w->no[w->n - 1 - i];
        w->no[w->n - 1 - i] = other;
    }
}


static ngx_campaign_rc_e
ngx_campaign_events_items(ngx_campaign_events_walk_t *w, ngx_pool_t *pool, ngx_campaign_page_t *page)
{
    ngx_uint_t             i;
    ngx_campaign_rc_e      rc;
    ngx_campaign_event_t  *e;

    page->items = ngx_array_create(pool, w->n ? w->n : 1, sizeof(ngx_campaign_event_t));
    if (page->items == NULL) {
        return NGX_CAMPAIGN_FAILURE;
    }

    for (i = 0; i < w->n; i++) {
        e = ngx_array_push(page->items);
        if (e == NULL) {
            return NGX_CAMPAIGN_FAILURE;
        }

        rc = ngx_campaign_event_get(w->t, w->webhook, w->no[i], pool, e);
        if (rc != NGX_CAMPAIGN_OK) {
            return rc == NGX_CAMPAIGN_NOT_FOUND ? ngx_campaign_lmdb_failed(w->t, MDB_CORRUPTED, "event of a list") : rc;
        }
    }

    return NGX_CAMPAIGN_OK;
}


static ngx_campaign_rc_e
ngx_campaign_events_links(ngx_campaign_events_walk_t *w, ngx_pool_t *pool, ngx_campaign_page_t *page, const ngx_campaign_place_t *place,
    ngx_uint_t more)
{
    uint64_t              first, last, cut;
    ngx_uint_t            newer, older;
    ngx_campaign_rc_e     rc;
    ngx_campaign_place_t  to;

    cut = w->cut;
    first = w->n ? w->no[0] : place->back ? place->key + 1 : place->key - 1;
    last = w->n ? w->no[w->n - 1] : first;

    /* the side that the page did not come from */

    newer = (page->token.len != 0);
    older = more;

    if (place->back) {
        newer = more;
        older = 1;

    } else if (newer) {
        rc = ngx_campaign_events_walk(w, first, 1, 1);
        if (rc != NGX_CAMPAIGN_OK) {
            return rc;
        }

        newer = w->n || w->cut;
    }

    page->number = newer ? place->number : 1;

    ngx_str_set(&page->first, "");
    ngx_str_null(&page->previous);
    ngx_str_null(&page->next);

    page->current = page->token;

    if (page->token.len == 0) {
        ngx_str_set(&page->current, "");
    }

    if (newer) {
        to.back = 1;
        to.key = (place->back && cut) ? cut : first;
        to.number = page->number > 1 ? page->number - 1 : 1;

        if (ngx_campaign_lmdb_token_make(w->t->store, pool, page, w->webhook, &to, &page->previous) != NGX_OK) {
            return NGX_CAMPAIGN_FAILURE;
        }
    }

    if (older) {
        to.back = 0;
        to.key = (!place->back && cut) ? cut : last;
        to.number = page->number + 1;

        if (ngx_campaign_lmdb_token_make(w->t->store, pool, page, w->webhook, &to, &page->next) != NGX_OK) {
            return NGX_CAMPAIGN_FAILURE;
        }
    }

    return NGX_CAMPAIGN_OK;
}
