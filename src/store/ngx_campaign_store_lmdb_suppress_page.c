
/*
 * Pages of suppressions in the order of their digits: all of an account, or those whose numbers begin alike, which are neighbours; channel
 * and source are looked for.  It keeps true: a walk looks at NGX_CAMPAIGN_PAGE_SEARCH entries at most, and the next page goes on behind the
 * last one it looked at.
 */

#include "ngx_campaign_store_lmdb_suppress.h"
#include "ngx_campaign_number.h"


#define NGX_CAMPAIGN_SUPPRESS_PAGE   1000       /* items at most */
#define NGX_CAMPAIGN_SUPPRESS_PLACE  4          /* bits of a token's key; the rest is the number */


typedef struct {
    ngx_campaign_txn_t     *t;
    ngx_campaign_page_t    *page;
    uint64_t                first, last;        /* digits of the numbers that match */
    uint64_t                cut;                /* token's key of the last entry looked at by a walk that was ended; 0: it was not */
} ngx_campaign_suppress_walk_t;


static ngx_campaign_rc_e ngx_campaign_suppress_page_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args);
static ngx_campaign_rc_e ngx_campaign_suppress_page_range(ngx_campaign_suppress_walk_t *w);
static ngx_campaign_rc_e ngx_campaign_suppress_page_walk(ngx_campaign_suppress_walk_t *w, uint64_t from, ngx_uint_t back,
    ngx_array_t *items, ngx_uint_t most, ngx_uint_t *n);
static ngx_campaign_rc_e ngx_campaign_suppress_page_fill(ngx_campaign_suppress_walk_t *w, ngx_campaign_op_t *op,
    ngx_campaign_place_t *place);
static ngx_campaign_rc_e ngx_campaign_suppress_page_total(ngx_campaign_suppress_walk_t *w);
static ngx_campaign_rc_e ngx_campaign_suppress_page_lapsed(ngx_campaign_suppress_walk_t *w, uint64_t *n);
static ngx_campaign_rc_e ngx_campaign_suppress_page_links(ngx_campaign_suppress_walk_t *w, ngx_pool_t *pool, uint64_t before,
    uint64_t after, uint64_t number);


typedef struct {
    ngx_campaign_suppression_t  s;
    uint64_t                    key;
} ngx_campaign_suppress_item_t;


ngx_int_t
ngx_campaign_store_suppressions(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_page_t *page)
{
    if (page->size == 0 || page->size > NGX_CAMPAIGN_SUPPRESS_PAGE) {
        op->rc = NGX_CAMPAIGN_FAILURE;
        return NGX_ERROR;
    }

    return ngx_campaign_lmdb_read(st, op, ngx_campaign_suppress_page_work, page);
}


static ngx_campaign_rc_e
ngx_campaign_suppress_page_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args)
{
    ngx_campaign_page_t *page = args;

    ngx_campaign_rc_e             rc;
    ngx_campaign_place_t          place;
    ngx_campaign_suppress_walk_t  w;

    ngx_memzero(&place, sizeof(ngx_campaign_place_t));
    ngx_memzero(&w, sizeof(ngx_campaign_suppress_walk_t));

    w.t = t;
    w.page = page;
    place.number = 1;

    if (page->token.len && ngx_campaign_lmdb_token_open(t->store, page, 0, &place) != NGX_OK) {
        return NGX_CAMPAIGN_INVALID;
    }

    page->items = ngx_array_create(op->pool, page->size, sizeof(ngx_campaign_suppression_t));
    if (page->items == NULL) {
        return NGX_CAMPAIGN_FAILURE;
    }

    rc = ngx_campaign_suppress_page_range(&w);

    if (rc == NGX_CAMPAIGN_OK) {
        rc = ngx_campaign_suppress_page_total(&w);
    }

    return rc == NGX_CAMPAIGN_OK ? ngx_campaign_suppress_page_fill(&w, op, &place) : rc;
}


/* INVALID: match is not the beginning of a number: it selects nothing */

static ngx_campaign_rc_e
ngx_campaign_suppress_page_range(ngx_campaign_suppress_walk_t *w)
{
    size_t      i;
    ngx_str_t   match;

    match = w->page->match;

    if (match.len > NGX_CAMPAIGN_NUMBER_LEN) {
        return NGX_CAMPAIGN_INVALID;
    }

    for (i = 0; i < match.len; i++) {
        if (match.data[i] < '0' || match.data[i] > '9') {
            return NGX_CAMPAIGN_INVALID;
        }
    }

    w->first = ngx_campaign_suppress_prefix(match.data, match.len);
    w->last = w->first | (~(uint64_t) 0 >> (4 * match.len));

    return NGX_CAMPAIGN_OK;
}


/* living entries that the page wants behind key `from`, or (back) before it, nearest first; items NULL: they are only counted */

static ngx_campaign_rc_e
ngx_campaign_suppress_page_walk(ngx_campaign_suppress_walk_t *w, uint64_t from, ngx_uint_t back, ngx_array_t *items, ngx_uint_t most,
    ngx_uint_t *n)
{
    int                            rc;
    u_char                         start[NGX_CAMPAIGN_SUPPRESS_KEY];
    MDB_val                        key, value;
    uint64_t                       digits, at;
    MDB_cursor                    *cursor;
    ngx_uint_t                     left;
    ngx_campaign_rc_e              result;
    ngx_campaign_page_t           *page;
    ngx_campaign_suppression_t     s;
    ngx_campaign_suppress_item_t  *item;

    *n = 0;
    w->cut = 0;
    at = 0;
    page = w->page;
    result = NGX_CAMPAIGN_OK;

    rc = mdb_cursor_open(w->t->txn, w->t->store->dbi[NGX_CAMPAIGN_DB_SUPPRESS], &cursor);
    if (rc != 0) {
        return ngx_campaign_lmdb_failed(w->t, rc, "cursor of suppress");
    }

    digits = from ? ngx_campaign_suppress_digits(from >> NGX_CAMPAIGN_SUPPRESS_PLACE) : back ? w->last : w->first;

    if (digits < w->first || digits > w->last) {
        digits = back ? w->last : w->first;             /* a token of this list is not */
    }

    ngx_campaign_be64_put(ngx_campaign_be32_put(start, page->account), digits);
    start[NGX_CAMPAIGN_SUPPRESS_NUMBER] = (u_char) (from ? (from & ((1 << NGX_CAMPAIGN_SUPPRESS_PLACE) - 1)) + !back : back ? 255 : 0);

    key.mv_size = NGX_CAMPAIGN_SUPPRESS_KEY;
    key.mv_data = start;

    rc = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);

    if (back && (rc == 0 || rc == MDB_NOTFOUND)) {
        rc = mdb_cursor_get(cursor, &key, &value, rc == 0 ? MDB_PREV : MDB_LAST);
    }

    for (left = NGX_CAMPAIGN_PAGE_SEARCH; rc == 0 && *n < most; rc = mdb_cursor_get(cursor, &key, &value, back ? MDB_PREV : MDB_NEXT)) {

        if (ngx_campaign_be32_get(key.mv_data) != page->account) {
            break;
        }

        digits = ngx_campaign_be64_get((u_char *) key.mv_data + 4);

        if (digits < w->first || digits > w->last) {
            break;
        }

        if (left-- == 0) {
            w->cut = at;
            break;
        }

        result = ngx_campaign_suppress_unpack(w->t, &key, &value, &s);
        if (result != NGX_CAMPAIGN_OK) {
            break;
        }

        at = s.number << NGX_CAMPAIGN_SUPPRESS_PLACE | ((u_char *) key.mv_data)[NGX_CAMPAIGN_SUPPRESS_NUMBER];

        if (ngx_campaign_suppress_expired(w->t, &s) || (page->type && page->type != s.source)
            || (page->channel.len && (page->channel.len != s.channel.len
                                      || ngx_memcmp(page->channel.data, s.channel.data, s.channel.len) != 0)))
        {
            continue;
        }

        if (items) {
            item = ngx_array_push(items);
            if (item == NULL) {
                result = NGX_CAMPAIGN_FAILURE;
                break;
            }

            item->s = s;
            item->key = at;
        }

        (*n)++;
    }

    mdb_cursor_close(cursor);

    if (result == NGX_CAMPAIGN_OK && rc != 0 && rc != MDB_NOTFOUND) {
        result = ngx_campaign_lmdb_failed(w->t, rc, "walk of suppress");
    }

    return result;
}


static ngx_campaign_rc_e
ngx_campaign_suppress_page_fill(ngx_campaign_suppress_walk_t *w, ngx_campaign_op_t *op, ngx_campaign_place_t *place)
{
    uint64_t                       near, far, before, after, cut;
    ngx_uint_t                     i, n, more, other;
    ngx_array_t                    found;
    ngx_campaign_rc_e              rc;
    ngx_campaign_page_t           *page;
    ngx_campaign_suppression_t    *s;
    ngx_campaign_suppress_item_t  *item;

    page = w->page;

    if (ngx_array_init(&found, op->pool, page->size + 1, sizeof(ngx_campaign_suppress_item_t)) != NGX_OK) {
        return NGX_CAMPAIGN_FAILURE;
    }

    rc = ngx_campaign_suppress_page_walk(w, place->key, place->back, &found, page->size + 1, &n);
    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    cut = w->cut;
    more = n > page->size || cut;
    n -= n > page->size;
    item = found.elts;

    for (i = 0; i < n; i++) {
        s = ngx_array_push(page->items);                /* not NULL: made for page->size */
        *s = item[place->back ? n - 1 - i : i].s;

        if (ngx_campaign_suppress_copy(op->pool, s) != NGX_OK) {
            return NGX_CAMPAIGN_FAILURE;
        }
    }

    /* the ends of the page: far from where it was asked for, and near to it */

    far = !more ? 0 : n < page->size ? cut : item[n - 1].key;
    near = n ? item[0].key : place->key;
    other = 0;

    if (place->key) {
        rc = ngx_campaign_suppress_page_walk(w, n ? near : place->back ? place->key - 1 : place->key + 1, !place->back, NULL, 1, &other);
        if (rc != NGX_CAMPAIGN_OK) {
            return rc;
        }

        other |= (w->cut != 0);
    }

    before = place->back ? far : other ? near : 0;
    after = place->back ? (other ? near : 0) : far;

    return ngx_campaign_suppress_page_links(w, op->pool, before, after, place->number);
}


/* keys next to the pages before and after this one; 0: there is none */

static ngx_campaign_rc_e
ngx_campaign_suppress_page_links(ngx_campaign_suppress_walk_t *w, ngx_pool_t *pool, uint64_t before, uint64_t after, uint64_t number)
{
    ngx_campaign_page_t   *page;
    ngx_campaign_place_t   place;

    page = w->page;
    page->number = before ? number : 1;

    ngx_str_set(&page->first, "");
    ngx_str_null(&page->previous);
    ngx_str_null(&page->next);

    page->current = page->token;

    if (page->token.len == 0) {
        ngx_str_set(&page->current, "");
    }

    if (before) {
        place.back = 1;
        place.key = before;
        place.number = page->number > 1 ? page->number - 1 : 1;

        if (ngx_campaign_lmdb_token_make(w->t->store, pool, page, 0, &place, &page->previous) != NGX_OK) {
            return NGX_CAMPAIGN_FAILURE;
        }
    }

    if (after) {
        place.back = 0;
        place.key = after;
        place.number = page->number + 1;

        if (ngx_campaign_lmdb_token_make(w->t->store, pool, page, 0, &place, &page->next) != NGX_OK) {
            return NGX_CAMPAIGN_FAILURE;
        }
    }

    return NGX_CAMPAIGN_OK;
}


static ngx_campaign_rc_e
ngx_campaign_suppress_page_total(ngx_campaign_suppress_walk_t *w)
{
    uint64_t              lapsed;
    ngx_uint_t            n;
    ngx_campaign_rc_e     rc;
    ngx_campaign_page_t  *page;

    page = w->page;
    page->uncounted = 0;

    if (page->match.len || page->channel.len || page->type) {
        rc = ngx_campaign_suppress_page_walk(w, 0, 0, NULL, NGX_CAMPAIGN_PAGE_SEARCH, &n);

        page->total = n;
        page->uncounted = (w->cut || n == NGX_CAMPAIGN_PAGE_SEARCH);

        return rc;
    }

    lapsed = 0;
    rc = ngx_campaign_suppress_count(w->t, page->account, &page->total);

    if (rc == NGX_CAMPAIGN_OK) {
        rc = ngx_campaign_suppress_page_lapsed(w, &lapsed);
    }

    if (rc == NGX_CAMPAIGN_OK) {
        page->total -= ngx_min(lapsed, page->total);
    }

    return rc;
}


/* how many of the account's entries expired and are still there */

static ngx_campaign_rc_e
ngx_campaign_suppress_page_lapsed(ngx_campaign_suppress_walk_t *w, uint64_t *n)
{
    int          rc;
    u_char       start[4];
    MDB_val      key, none;
    MDB_cursor  *cursor;

    *n = 0;

    rc = mdb_cursor_open(w->t->txn, w->t->store->dbi[NGX_CAMPAIGN_DB_LAPSE], &cursor);
    if (rc != 0) {
        return ngx_campaign_lmdb_failed(w->t, rc, "cursor of lapse");
    }

    ngx_campaign_be32_put(start, w->page->account);
    key.mv_size = 4;
    key.mv_data = start;

    for (rc = mdb_cursor_get(cursor, &key, &none, MDB_SET_RANGE);
         rc == 0 && *n < NGX_CAMPAIGN_PAGE_SEARCH;
         rc = mdb_cursor_get(cursor, &key, &none, MDB_NEXT))
    {
        if (ngx_memcmp(key.mv_data, start, 4) != 0 || key.mv_size != NGX_CAMPAIGN_LAPSE_KEY
            || (int64_t) ngx_campaign_be64_get((u_char *) key.mv_data + 4) * 1000000 > w->t->now)
        {
            break;
        }

        (*n)++;
    }

    mdb_cursor_close(cursor);

    w->page->uncounted = (*n == NGX_CAMPAIGN_PAGE_SEARCH);

    return (rc == 0 || rc == MDB_NOTFOUND) ? NGX_CAMPAIGN_OK : ngx_campaign_lmdb_failed(w->t, rc, "walk of lapse");
}
