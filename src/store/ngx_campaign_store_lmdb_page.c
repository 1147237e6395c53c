
/*
 * Pages of lists, newest first.  A page goes on strictly after the last item of the one before it (or strictly before the first of the one
 * after it), by key: what is created or deleted in between is neither repeated nor skipped, and a page costs the same at any depth.  A walk
 * that looks into records ends after NGX_CAMPAIGN_PAGE_SCAN of them; the place where it ended is where the next page goes on.
 *
 * A token is three numbers of 8 bytes, 32 characters of base64url: direction and key, number of the page, MAC.
 */

#include "ngx_campaign_store_lmdb.h"


#define NGX_CAMPAIGN_PAGE_MAX    100            /* items */
#define NGX_CAMPAIGN_TOKEN_LEN   24             /* bytes: a multiple of three, so that each character counts */
#define NGX_CAMPAIGN_TOKEN_TEXT  32
#define NGX_CAMPAIGN_TOKEN_KEY   ((1ULL << 56) - 1)


typedef struct {
    ngx_campaign_place_t     place;             /* where the page begins */
    u_char                   prefix[NGX_CAMPAIGN_LIST_KEY];
    size_t                   len;
    uint64_t                 no[NGX_CAMPAIGN_PAGE_MAX + 1];     /* of its items, and one beyond it */
    ngx_uint_t               n;
    const ngx_campaign_page_t  *like;           /* records are looked into; NULL: all in the list are wanted */
    uint64_t                 cut;               /* the last number looked at by a walk that was ended; 0: it was not */
    uint64_t                 end;               /* the same of the walk of the page itself */
    unsigned                 newer:1;           /* there are items before the page, after it */
    unsigned                 older:1;
} ngx_campaign_page_walk_t;


static ngx_campaign_rc_e ngx_campaign_page_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args);
static ngx_campaign_rc_e ngx_campaign_page_find(ngx_campaign_txn_t *t, ngx_campaign_page_t *page, ngx_campaign_page_walk_t *w);
static ngx_campaign_rc_e ngx_campaign_page_walk(ngx_campaign_txn_t *t, ngx_campaign_page_walk_t *w, uint64_t from, ngx_uint_t back,
    uint64_t *no, ngx_uint_t most, ngx_uint_t *n);
static ngx_campaign_rc_e ngx_campaign_page_wanted(ngx_campaign_txn_t *t, const ngx_campaign_page_t *page, uint64_t no, ngx_uint_t *wanted);
static ngx_campaign_rc_e ngx_campaign_page_items(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, ngx_campaign_page_t *page,
    ngx_campaign_page_walk_t *w);
static ngx_campaign_rc_e ngx_campaign_page_fetch(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, ngx_campaign_page_t *page,
    ngx_campaign_page_walk_t *w);
static ngx_campaign_rc_e ngx_campaign_page_tokens(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, ngx_campaign_page_t *page,
    ngx_campaign_page_walk_t *w);
static uint64_t ngx_campaign_token_mac(ngx_campaign_store_t *st, const ngx_campaign_page_t *page, uint64_t list, const u_char *token);


ngx_int_t
ngx_campaign_store_page(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_page_t *page)
{
    if (ngx_campaign_lmdb_record_size(page->kind) == 0
        || page->size == 0 || page->size > NGX_CAMPAIGN_PAGE_MAX || page->channel.len > NGX_CAMPAIGN_CHANNEL_MAX)
    {
        ngx_log_error(NGX_LOG_ALERT, op->log, 0, "page of %ui items of kind %ui was asked for", page->size, (ngx_uint_t) page->kind);
        op->rc = NGX_CAMPAIGN_FAILURE;
        return NGX_ERROR;
    }

    return ngx_campaign_lmdb_read(st, op, ngx_campaign_page_work, page);
}


static ngx_campaign_rc_e
ngx_campaign_page_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args)
{
    ngx_campaign_page_t *page = args;

    ngx_uint_t                n;
    ngx_campaign_rc_e         rc;
    ngx_campaign_page_walk_t  w;

    ngx_memzero(&w, sizeof(ngx_campaign_page_walk_t));

    if (page->token.len == 0) {
        w.place.key = NGX_CAMPAIGN_TOKEN_KEY;
        w.place.number = 1;

    } else if (ngx_campaign_lmdb_token_open(t->store, page, 0, &w.place) != NGX_OK) {
        return NGX_CAMPAIGN_INVALID;
    }

    w.len = ngx_campaign_lmdb_record_list(w.prefix, page->kind, page->account, &page->channel, page->status);

    rc = ngx_campaign_lmdb_counter_get(t, NGX_CAMPAIGN_DB_COUNT, w.prefix, w.len, &page->total);

    page->uncounted = 0;

    if (rc == NGX_CAMPAIGN_OK && (page->match.len || page->type)) {
        w.like = page;
        page->uncounted = (page->total > NGX_CAMPAIGN_PAGE_SCAN);

        if (!page->uncounted) {
            rc = ngx_campaign_page_walk(t, &w, NGX_CAMPAIGN_TOKEN_KEY, 0, NULL, NGX_CAMPAIGN_PAGE_SCAN, &n);
            page->total = n;
        }
    }

    if (rc == NGX_CAMPAIGN_OK) {
        rc = ngx_campaign_page_find(t, page, &w);
    }

    if (rc == NGX_CAMPAIGN_OK) {
        rc = ngx_campaign_page_items(t, op, page, &w);
    }

    return rc == NGX_CAMPAIGN_OK ? ngx_campaign_page_tokens(t, op, page, &w) : rc;
}


/* numbers of the page's items, and whether there are others on either side */

static ngx_campaign_rc_e
ngx_campaign_page_find(ngx_campaign_txn_t *t, ngx_campaign_page_t *page, ngx_campaign_page_walk_t *w)
{
    uint64_t           other, from;
    ngx_uint_t         i, n, back, more;
    ngx_campaign_rc_e  rc;

    back = w->place.back;

    rc = ngx_campaign_page_walk(t, w, w->place.key, back, w->no, page->size + 1, &w->n);
    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    w->end = w->n > page->size ? 0 : w->cut;
    more = w->n > page->size || w->cut;
    w->n -= w->n > page->size;

    for (i = 0; back && i < w->n / 2; i++) {
        other = w->no[i];
        w->no[i] = w->no[w->n - 1 - i];
        w->no[w->n - 1 - i] = other;
    }

    if (w->like && page->token.len == 0) {
        w->older = more;
        return NGX_CAMPAIGN_OK;
    }

    /*
     * the other side: from the near end of the page, or from the place of an empty one, whose key's item may still be there; of records
     * that are looked into, this one is the nearest that may be wanted
     */

    if (w->n && w->like == NULL) {
        from = back ? w->no[w->n - 1] : w->no[0];
    } else {
        from = back ? w->place.key + 1 : w->place.key - 1;
    }

    rc = ngx_campaign_page_walk(t, w, from, !back, &other, 1, &n);
    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    n |= (w->cut != 0);                         /* there may be one */

    w->newer = back ? more : n;
    w->older = back ? n : more;

    return NGX_CAMPAIGN_OK;
}


/* up to `most` numbers (no NULL: they are only counted), away from `from`: older ones, or (back) newer ones */

static ngx_campaign_rc_e
ngx_campaign_page_walk(ngx_campaign_txn_t *t, ngx_campaign_page_walk_t *w, uint64_t from, ngx_uint_t back, uint64_t *no,
    ngx_uint_t most, ngx_uint_t *n)
{
    int                rc;
    MDB_val            key, none;
    uint64_t           found;
    MDB_cursor        *cursor;
    ngx_uint_t         left, wanted;
    ngx_campaign_rc_e  result;

    *n = 0;
    w->cut = 0;
    found = 0;
    wanted = 1;
    left = NGX_CAMPAIGN_PAGE_SCAN;
    result = NGX_CAMPAIGN_OK;

    rc = mdb_cursor_open(t->txn, t->store->dbi[NGX_CAMPAIGN_DB_LIST], &cursor);
    if (rc != 0) {
        return ngx_campaign_lmdb_failed(t, rc, "cursor of list");
    }

    ngx_campaign_be64_put(&w->prefix[w->len], back ? from + 1 : from);
    key.mv_size = w->len + 8;
    key.mv_data = w->prefix;

    rc = mdb_cursor_get(cursor, &key, &none, MDB_SET_RANGE);

    if (!back && (rc == 0 || rc == MDB_NOTFOUND)) {
        rc = mdb_cursor_get(cursor, &key, &none, rc == 0 ? MDB_PREV : MDB_LAST);
    }

    while (rc == 0 && *n < most) {
        if (key.mv_size != w->len + 8 || ngx_memcmp(key.mv_data, w->prefix, w->len) != 0) {
            break;
        }

        if (w->like && left-- == 0) {
            w->cut = found;
            break;
        }

        found = ngx_campaign_be64_get((u_char *) key.mv_data + w->len);

        if (w->like) {
            result = ngx_campaign_page_wanted(t, w->like, found, &wanted);
            if (result != NGX_CAMPAIGN_OK) {
                break;
            }
        }

        if (wanted) {
            if (no) {
                no[*n] = found;
            }

            (*n)++;
        }

        rc = mdb_cursor_get(cursor, &key, &none, back ? MDB_NEXT : MDB_PREV);
    }

    mdb_cursor_close(cursor);

    if (result != NGX_CAMPAIGN_OK) {
        return result;
    }

    return (rc == 0 || rc == MDB_NOTFOUND) ? NGX_CAMPAIGN_OK : ngx_campaign_lmdb_failed(t, rc, "walk of list");
}


static ngx_campaign_rc_e
ngx_campaign_page_wanted(ngx_campaign_txn_t *t, const ngx_campaign_page_t *page, uint64_t no, ngx_uint_t *wanted)
{
    ngx_campaign_rc_e  rc;

    union {
        ngx_campaign_rec_t       head;
        ngx_campaign_account_t   account;
        ngx_campaign_key_t       key;
        ngx_campaign_sender_t    sender;
        ngx_campaign_text_t      template;
        ngx_campaign_audience_t  audience;
        ngx_campaign_campaign_t  campaign;
        ngx_campaign_webhook_t   webhook;
    } u;

    rc = ngx_campaign_lmdb_record_get(t, page->kind, page->account, no, NULL, &u);
    if (rc != NGX_CAMPAIGN_OK) {
        return rc == NGX_CAMPAIGN_NOT_FOUND ? ngx_campaign_lmdb_failed(t, MDB_CORRUPTED, "item of a list") : rc;
    }

    *wanted = (page->match.len == 0
               || (u.head.name.len >= page->match.len && ngx_memcmp(u.head.name.data, page->match.data, page->match.len) == 0))
              && (page->type == 0 || page->kind != NGX_CAMPAIGN_SENDER || page->type == u.sender.type);

    return NGX_CAMPAIGN_OK;
}


static ngx_campaign_rc_e
ngx_campaign_page_items(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, ngx_campaign_page_t *page, ngx_campaign_page_walk_t *w)
{
    int                 err;
    MDB_cursor         *near[NGX_CAMPAIGN_DB_MAX];
    ngx_campaign_rc_e   rc;

    page->items = ngx_array_create(op->pool, w->n ? w->n : 1, ngx_campaign_lmdb_record_size(page->kind));
    if (page->items == NULL) {
        return NGX_CAMPAIGN_FAILURE;
    }

    err = ngx_campaign_lmdb_near(t, near);                  /* items of a page are neighbours */

    rc = (err == 0) ? ngx_campaign_page_fetch(t, op, page, w) : ngx_campaign_lmdb_failed(t, err, "cursors of a page");

    ngx_campaign_lmdb_far(t);

    return rc;
}


static ngx_campaign_rc_e
ngx_campaign_page_fetch(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, ngx_campaign_page_t *page, ngx_campaign_page_walk_t *w)
{
    void               *item;
    ngx_uint_t          i;
    ngx_campaign_rc_e   rc;

    for (i = 0; i < w->n; i++) {
        item = ngx_array_push(page->items);
        if (item == NULL) {
            return NGX_CAMPAIGN_FAILURE;
        }

        if (page->kind == NGX_CAMPAIGN_CAMPAIGN) {
            rc = ngx_campaign_lmdb_campaign_get(t, page->account, w->no[i], op->pool, item);
        } else {
            rc = ngx_campaign_lmdb_record_get(t, page->kind, page->account, w->no[i], op->pool, item);
        }

        if (rc == NGX_CAMPAIGN_OK && page->kind == NGX_CAMPAIGN_WEBHOOK) {
            rc = ngx_campaign_lmdb_webhook_queue(t, item);
        }

        if (rc != NGX_CAMPAIGN_OK) {
            return rc == NGX_CAMPAIGN_NOT_FOUND ? ngx_campaign_lmdb_failed(t, MDB_CORRUPTED, "item of a list") : rc;
        }
    }

    return NGX_CAMPAIGN_OK;
}


static ngx_campaign_rc_e
ngx_campaign_page_tokens(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, ngx_campaign_page_t *page, ngx_campaign_page_walk_t *w)
{
    ngx_campaign_place_t  place;

    page->number = w->newer ? w->place.number : 1;

    ngx_str_set(&page->first, "");
    ngx_str_null(&page->previous);
    ngx_str_null(&page->next);

    page->current = page->token;

    if (page->token.len == 0) {
        ngx_str_set(&page->current, "");
    }

    if (w->newer) {
        place.back = 1;
        place.key = (w->place.back && w->end) ? w->end : w->n ? w->no[0] : w->place.key - 1;
        place.number = page->number > 1 ? page->number - 1 : 1;

        if (ngx_campaign_lmdb_token_make(t->store, op->pool, page, 0, &place, &page->previous) != NGX_OK) {
            return NGX_CAMPAIGN_FAILURE;
        }
    }

    if (w->older) {
        place.back = 0;
        place.key = (!w->place.back && w->end) ? w->end : w->n ? w->no[w->n - 1] : w->place.key + 1;
        place.number = page->number + 1;

        if (ngx_campaign_lmdb_token_make(t->store, op->pool, page, 0, &place, &page->next) != NGX_OK) {
            return NGX_CAMPAIGN_FAILURE;
        }
    }

    return NGX_CAMPAIGN_OK;
}


ngx_int_t
ngx_campaign_lmdb_token_make(ngx_campaign_store_t *st, ngx_pool_t *pool, const ngx_campaign_page_t *page, uint64_t list,
    const ngx_campaign_place_t *place, ngx_str_t *token)
{
    u_char     bytes[NGX_CAMPAIGN_TOKEN_LEN], *p;
    uint32_t   bits;
    ngx_uint_t i, j;

    static const u_char  digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

    p = ngx_pnalloc(pool, NGX_CAMPAIGN_TOKEN_TEXT);
    if (p == NULL) {
        return NGX_ERROR;
    }

    token->len = NGX_CAMPAIGN_TOKEN_TEXT;
    token->data = p;

    ngx_campaign_be64_put(bytes, ((uint64_t) (place->back ? 1 : 0) << 56) | place->key);
    ngx_campaign_be64_put(&bytes[8], place->number);
    ngx_campaign_be64_put(&bytes[16], ngx_campaign_token_mac(st, page, list, bytes));

    for (i = 0; i < NGX_CAMPAIGN_TOKEN_LEN; i += 3) {
        bits = (uint32_t) bytes[i] << 16 | (uint32_t) bytes[i + 1] << 8 | bytes[i + 2];

        for (j = 0; j < 4; j++) {
            *p++ = digits[bits >> (18 - 6 * j) & 63];
        }
    }

    return NGX_OK;
}


ngx_int_t
ngx_campaign_lmdb_token_open(ngx_campaign_store_t *st, const ngx_campaign_page_t *page, uint64_t list, ngx_campaign_place_t *place)
{
    u_char      bytes[NGX_CAMPAIGN_TOKEN_LEN], *b, ch;
    uint32_t    bits;
    uint64_t    head;
    ngx_uint_t  i, v;

    if (page->token.len != NGX_CAMPAIGN_TOKEN_TEXT) {
        return NGX_DECLINED;
    }

    for (b = bytes, bits = 0, i = 0; i < NGX_CAMPAIGN_TOKEN_TEXT; i++) {
        ch = page->token.data[i];

        if (ch >= 'A' && ch <= 'Z') {
            v = ch - 'A';
        } else if (ch >= 'a' && ch <= 'z') {
            v = ch - 'a' + 26;
        } else if (ch >= '0' && ch <= '9') {
            v = ch - '0' + 52;
        } else if (ch == '-' || ch == '_') {
            v = ch == '-' ? 62 : 63;
        } else {
            return NGX_DECLINED;
        }

        bits = bits << 6 | (uint32_t) v;

        if (i % 4 == 3) {
            *b++ = (u_char) (bits >> 16);
            *b++ = (u_char) (bits >> 8);
            *b++ = (u_char) bits;
        }
    }

    if (ngx_campaign_be64_get(&bytes[16]) != ngx_campaign_token_mac(st, page, list, bytes)) {
        return NGX_DECLINED;
    }

    head = ngx_campaign_be64_get(bytes);

    place->back = head >> 56 ? 1 : 0;
    place->key = head & NGX_CAMPAIGN_TOKEN_KEY;
    place->number = ngx_campaign_be64_get(&bytes[8]);

    return NGX_OK;
}


/* under a key of its own, made of the store's secret; over place, account, kind, list and filters */

static uint64_t
ngx_campaign_token_mac(ngx_campaign_store_t *st, const ngx_campaign_page_t *page, uint64_t list, const u_char *token)
{
    u_char  key[16], data[16 + 4 + 1 + 8 + 8 + 8 + 8 + NGX_CAMPAIGN_CHANNEL_MAX], *p;

    static const u_char  use[] = "token of a page";

    ngx_campaign_be64_put(key, ngx_campaign_siphash(st->secret, use, sizeof(use)));
    ngx_campaign_be64_put(&key[8], ngx_campaign_siphash(&st->secret[16], use, sizeof(use)));

    p = ngx_cpymem(data, token, 16);
    p = ngx_campaign_be32_put(p, page->account);
    *p++ = (u_char) page->kind;
    p = ngx_campaign_be64_put(p, list);
    p = ngx_campaign_be64_put(p, page->status);
    p = ngx_campaign_be64_put(p, page->type);
    p = ngx_campaign_be64_put(p, page->match.len ? ngx_campaign_siphash(key, page->match.data, page->match.len) : 0);

    if (page->channel.len) {
        p = ngx_cpymem(p, page->channel.data, ngx_min(page->channel.len, NGX_CAMPAIGN_CHANNEL_MAX));
    }

    return ngx_campaign_siphash(key, data, p - data);
}
