
/*
 * Pages of messages: a walk over the places of an account's campaigns, newest campaign first, filtered on the way.  There is no index of
 * messages: what is looked at is bounded, and a page that meets the bound is short and has a next one.  It keeps true: a page goes on
 * where the one before it stopped, so nothing is repeated or skipped whatever changes in between; a campaign none of whose messages
 * can match is passed by its counters alone.
 *
 * A place in the walk is a border between messages: before message seq of campaign no.
 */

#include "ngx_campaign_store_lmdb_turn.h"
#include "ngx_campaign_store_lmdb_contact.h"
#include "ngx_campaign_number.h"


#define NGX_CAMPAIGN_SCAN_WORK      40000       /* of one operation, in state bytes looked at: about 2 ms */
#define NGX_CAMPAIGN_SCAN_CAMPAIGN  100         /* of that: a campaign opened */
#define NGX_CAMPAIGN_SCAN_REPEAT    20          /* a message that is repeated: is it claimed? */
#define NGX_CAMPAIGN_SCAN_MESSAGE   20          /* a message of the page */

#define NGX_CAMPAIGN_SCAN_NEWEST    ((1ULL << 54) - 1)  /* above every campaign's number */
#define NGX_CAMPAIGN_SCAN_SLACK     86400       /* s by which the clock may have gone back: numbers do not */
#define NGX_CAMPAIGN_SCAN_PAGE_MAX  1000


typedef struct {
    uint64_t                   no;
    uint32_t                   seq;
} ngx_campaign_scan_place_t;

typedef struct {
    ngx_campaign_states_t      x;
    ngx_campaign_messages_t   *m;
    ngx_pool_t                *pool;
    uint64_t                   only;            /* number of the campaign asked for; 0: all */
    ngx_int_t                  work;            /* left */

    ngx_campaign_campaign_t    c;               /* the open campaign */
    ngx_uint_t                 match;           /* it may have messages that do */
    unsigned                   open:1;
    unsigned                   kept:1;          /* its strings are copies */
    unsigned                   loaded:1;        /* contacts are those of block */
    unsigned                   ended:1;         /* there is nothing left on this side */
    uint32_t                   block, n;
    ngx_campaign_contact_t     contacts[NGX_CAMPAIGN_BLOCK];
} ngx_campaign_scan_t;


static ngx_campaign_rc_e ngx_campaign_scan_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args);
static ngx_campaign_rc_e ngx_campaign_scan_begin(ngx_campaign_scan_t *s, ngx_campaign_scan_place_t *at, ngx_campaign_place_t *token);
static ngx_campaign_rc_e ngx_campaign_scan_page(ngx_campaign_scan_t *s, ngx_campaign_scan_place_t *start, ngx_campaign_place_t *token);
static ngx_campaign_rc_e ngx_campaign_scan_other(ngx_campaign_scan_t *s, ngx_uint_t back, ngx_campaign_scan_place_t at, ngx_uint_t *more);
static ngx_campaign_rc_e ngx_campaign_scan_token(ngx_campaign_scan_t *s, ngx_uint_t back, const ngx_campaign_scan_place_t *at,
    uint64_t number, ngx_str_t *token);
static ngx_campaign_rc_e ngx_campaign_scan_total(ngx_campaign_scan_t *s);
static uint64_t ngx_campaign_scan_count(const ngx_campaign_progress_t *p, ngx_uint_t statuses);
static uint64_t ngx_campaign_scan_filter(ngx_campaign_scan_t *s);

static ngx_campaign_rc_e ngx_campaign_scan(ngx_campaign_scan_t *s, ngx_uint_t back, ngx_campaign_scan_place_t *at, ngx_uint_t most,
    ngx_array_t *items, ngx_uint_t *found);
static ngx_campaign_rc_e ngx_campaign_scan_places(ngx_campaign_scan_t *s, ngx_uint_t back, ngx_campaign_scan_place_t *at,
    ngx_uint_t most, ngx_array_t *items, ngx_uint_t *found);
static ngx_campaign_rc_e ngx_campaign_scan_message(ngx_campaign_scan_t *s, uint32_t seq, ngx_array_t *items, ngx_uint_t *found);
static ngx_uint_t ngx_campaign_scan_number(ngx_campaign_scan_t *s, const ngx_campaign_contact_t *contact);
static ngx_campaign_rc_e ngx_campaign_scan_contact(ngx_campaign_scan_t *s, uint32_t seq, ngx_campaign_contact_t **contact);
static ngx_campaign_rc_e ngx_campaign_scan_open(ngx_campaign_scan_t *s, uint64_t no);
static ngx_campaign_rc_e ngx_campaign_scan_keep(ngx_campaign_scan_t *s);
static ngx_campaign_rc_e ngx_campaign_scan_next(ngx_campaign_scan_t *s, ngx_uint_t back, uint64_t *no);
static ngx_campaign_rc_e ngx_campaign_scan_jump(ngx_campaign_scan_t *s, uint64_t *no);


ngx_int_t
ngx_campaign_store_messages(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_messages_t *messages)
{
    ngx_campaign_page_t  *page;

    page = messages->page;

    if (page->size == 0 || page->size > NGX_CAMPAIGN_SCAN_PAGE_MAX || page->channel.len > NGX_CAMPAIGN_CHANNEL_MAX
        || messages->to.len > NGX_CAMPAIGN_NUMBER_LEN)
    {
        ngx_log_error(NGX_LOG_ALERT, op->log, 0, "page of %ui messages was asked for", page->size);
        op->rc = NGX_CAMPAIGN_FAILURE;
        return NGX_ERROR;
    }

    return ngx_campaign_lmdb_read(st, op, ngx_campaign_scan_work, messages);
}


static ngx_campaign_rc_e
ngx_campaign_scan_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args)
{
    ngx_campaign_messages_t *m = args;

    ngx_campaign_rc_e           rc;
    ngx_campaign_scan_t        *s;
    ngx_campaign_place_t        token;
    ngx_campaign_scan_place_t   start;

    s = ngx_pcalloc(op->pool, sizeof(ngx_campaign_scan_t));
    m->page->items = ngx_array_create(op->pool, m->page->size, sizeof(ngx_campaign_message_t));

    if (s == NULL || m->page->items == NULL) {
        return NGX_CAMPAIGN_FAILURE;
    }

    s->x.t = t;
    s->x.pool = op->pool;
    s->m = m;
    s->pool = op->pool;
    s->work = NGX_CAMPAIGN_SCAN_WORK;

    rc = ngx_campaign_scan_begin(s, &start, &token);

    if (rc == NGX_CAMPAIGN_OK) {
        rc = ngx_campaign_scan_total(s);
    }

    return rc == NGX_CAMPAIGN_OK ? ngx_campaign_scan_page(s, &start, &token) : rc;
}


/* where the page begins */

static ngx_campaign_rc_e
ngx_campaign_scan_begin(ngx_campaign_scan_t *s, ngx_campaign_scan_place_t *at, ngx_campaign_place_t *token)
{
    uint32_t                  zero;
    ngx_campaign_rc_e         rc;
    ngx_campaign_messages_t  *m;

    m = s->m;

    if (m->campaign) {
        if (ngx_campaign_id_open(s->x.t->store->secret, NGX_CAMPAIGN_CAMPAIGN, m->campaign, &s->only, &zero) != NGX_OK || zero != 0) {
            return NGX_CAMPAIGN_NOT_FOUND;
        }

        rc = ngx_campaign_scan_open(s, s->only);
        if (rc != NGX_CAMPAIGN_OK) {
            return rc;
        }

        if (s->c.rec.apart) {
            return NGX_CAMPAIGN_NOT_FOUND;
        }
    }

    if (m->page->token.len) {
        if (ngx_campaign_lmdb_token_open(s->x.t->store, m->page, ngx_campaign_scan_filter(s), token) != NGX_OK) {
            return NGX_CAMPAIGN_INVALID;
        }

        at->no = token->key;
        at->seq = (uint32_t) (token->number >> 32);
        token->number &= 0xffffffff;

        return NGX_CAMPAIGN_OK;
    }

    token->back = 0;
    token->number = 1;

    at->no = s->only ? s->only : NGX_CAMPAIGN_SCAN_NEWEST;
    at->seq = 0;

    return (m->until && !s->only) ? ngx_campaign_scan_jump(s, &at->no) : NGX_CAMPAIGN_OK;
}


/* the page's messages, and whether there are others on either side */

static ngx_campaign_rc_e
ngx_campaign_scan_page(ngx_campaign_scan_t *s, ngx_campaign_scan_place_t *start, ngx_campaign_place_t *token)
{
    ngx_uint_t                 i, n, back, newer, older;
    ngx_campaign_rc_e          rc;
    ngx_campaign_page_t       *page;
    ngx_campaign_message_t    *item, other;
    ngx_campaign_scan_place_t  end;

    page = s->m->page;
    back = token->back;
    end = *start;

    rc = ngx_campaign_scan(s, back, &end, page->size, page->items, &n);
    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    item = page->items->elts;

    for (i = 0; back && i < n / 2; i++) {
        other = item[i];
        item[i] = item[n - 1 - i];
        item[n - 1 - i] = other;
    }

    newer = 0;
    older = !s->ended;

    if (older) {
        rc = ngx_campaign_scan_other(s, back, end, &older);
    }

    if (rc == NGX_CAMPAIGN_OK && page->token.len) {
        rc = ngx_campaign_scan_other(s, !back, *start, &newer);
    }

    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    if (back) {
        i = newer;
        newer = older;
        older = i;
    }

    page->number = newer ? token->number : 1;

    ngx_str_set(&page->first, "");
    ngx_str_null(&page->previous);
    ngx_str_null(&page->next);

    page->current = page->token;

    if (page->token.len == 0) {
        ngx_str_set(&page->current, "");
    }

    if (newer) {
        rc = ngx_campaign_scan_token(s, 1, back ? &end : start, page->number > 1 ? page->number - 1 : 1, &page->previous);
    }

    if (rc == NGX_CAMPAIGN_OK && older) {
        rc = ngx_campaign_scan_token(s, 0, back ? start : &end, page->number + 1, &page->next);
    }

    return rc;
}


/* *more: there is a message on that side of the place; 1 as well if work is out before that is known */

static ngx_campaign_rc_e
ngx_campaign_scan_other(ngx_campaign_scan_t *s, ngx_uint_t back, ngx_campaign_scan_place_t at, ngx_uint_t *more)
{
    ngx_uint_t         n;
    ngx_campaign_rc_e  rc;

    *more = 1;

    if (s->work <= 0) {
        return NGX_CAMPAIGN_OK;
    }

    rc = ngx_campaign_scan(s, back, &at, 1, NULL, &n);

    if (rc == NGX_CAMPAIGN_OK) {
        *more = (n || !s->ended);
    }

    return rc;
}


static ngx_campaign_rc_e
ngx_campaign_scan_token(ngx_campaign_scan_t *s, ngx_uint_t back, const ngx_campaign_scan_place_t *at, uint64_t number, ngx_str_t *token)
{
    ngx_campaign_place_t  place;

    place.back = back;
    place.key = at->no;
    place.number = (uint64_t) at->seq << 32 | (number & 0xffffffff);

    return ngx_campaign_lmdb_token_make(s->x.t->store, s->pool, s->m->page, ngx_campaign_scan_filter(s), &place, token) == NGX_OK
           ? NGX_CAMPAIGN_OK : NGX_CAMPAIGN_FAILURE;
}


/* what is counted anyway: an account's messages, by channel; a campaign's, by status */

static ngx_campaign_rc_e
ngx_campaign_scan_total(ngx_campaign_scan_t *s)
{
    ngx_campaign_messages_t  *m;

    m = s->m;
    m->page->total = 0;
    m->page->uncounted = 0;

    if (m->from.len || m->to.len || m->since || m->until || (!s->only && m->statuses)) {
        m->page->uncounted = 1;
        return NGX_CAMPAIGN_OK;
    }

    if (!s->only) {
        return ngx_campaign_message_total(s->x.t, m->page->account, &m->page->channel, &m->page->total);
    }

    if (s->match) {
        m->page->total = m->statuses ? ngx_campaign_scan_count(&s->c.progress, m->statuses) : s->c.progress.total;
    }

    return NGX_CAMPAIGN_OK;
}


static uint64_t
ngx_campaign_scan_count(const ngx_campaign_progress_t *p, ngx_uint_t statuses)
{
    uint64_t    n;
    ngx_uint_t  i;

    const uint32_t  counts[NGX_CAMPAIGN_M_MAX] = {
        [NGX_CAMPAIGN_M_SCHEDULED] = p->pending,
        [NGX_CAMPAIGN_M_ENROUTE]   = p->enroute,
        [NGX_CAMPAIGN_M_SENT]      = p->sent,
        [NGX_CAMPAIGN_M_DELIVERED] = p->delivered,
        [NGX_CAMPAIGN_M_FAILED]    = p->failed,
        [NGX_CAMPAIGN_M_CANCELED]  = p->canceled,
        [NGX_CAMPAIGN_M_SKIPPED]   = p->skipped
    };

    for (n = 0, i = 0; i < NGX_CAMPAIGN_M_MAX; i++) {
        if (statuses & ((ngx_uint_t) 1 << i)) {
            n += counts[i];
        }
    }

    return n;
}


/* binds tokens to the filters that a page does not hold itself */

static uint64_t
ngx_campaign_scan_filter(ngx_campaign_scan_t *s)
{
    u_char                   *p, data[8 + 8 + 8 + 8 + 1 + NGX_CAMPAIGN_NUMBER_LEN + 1];
    uint64_t                  from;
    ngx_campaign_messages_t  *m;

    m = s->m;
    from = m->from.len ? ngx_campaign_siphash(s->x.t->store->secret, m->from.data, m->from.len) : 0;

    p = ngx_campaign_be64_put(data, s->only);
    p = ngx_campaign_be64_put(p, from);
    p = ngx_campaign_be64_put(p, (uint64_t) m->since);
    p = ngx_campaign_be64_put(p, (uint64_t) m->until);
    *p++ = (u_char) m->statuses;
    *p++ = (u_char) m->prefix;

    if (m->to.len) {
        p = ngx_cpymem(p, m->to.data, m->to.len);
    }

    return ngx_campaign_siphash(s->x.t->store->secret, data, p - data);
}


/*
 * Goes on from *at, to older messages or (back) to newer ones, until `most` are found, or work is out; items NULL: they are only counted.
 * *at moves on; s->ended: there are no more
 */

static ngx_campaign_rc_e
ngx_campaign_scan(ngx_campaign_scan_t *s, ngx_uint_t back, ngx_campaign_scan_place_t *at, ngx_uint_t most, ngx_array_t *items,
    ngx_uint_t *found)
{
    ngx_campaign_rc_e  rc;

    *found = 0;
    s->ended = 0;

    for ( ;; ) {
        rc = ngx_campaign_scan_open(s, at->no);

        if (rc == NGX_CAMPAIGN_OK && s->match) {
            rc = ngx_campaign_scan_places(s, back, at, most, items, found);

            if (rc == NGX_CAMPAIGN_OK && (*found == most || s->work <= 0)) {
                return NGX_CAMPAIGN_OK;
            }
        }

        if (rc != NGX_CAMPAIGN_OK && rc != NGX_CAMPAIGN_NOT_FOUND) {
            return rc;
        }

        /* older ones than the filter wants: numbers grow with the time, but for a clock that was set back */

        if (s->only
            || (rc == NGX_CAMPAIGN_OK && !back && s->c.rec.created + NGX_CAMPAIGN_SCAN_SLACK < s->m->since))
        {
            s->ended = 1;
            return NGX_CAMPAIGN_OK;
        }

        rc = ngx_campaign_scan_next(s, back, &at->no);

        if (rc == NGX_CAMPAIGN_NOT_FOUND) {
            s->ended = 1;
            return NGX_CAMPAIGN_OK;
        }

        if (rc != NGX_CAMPAIGN_OK) {
            return rc;
        }

        at->seq = back ? NGX_MAX_UINT32_VALUE : 0;

        if (s->work <= 0) {
            return NGX_CAMPAIGN_OK;
        }
    }
}


/* places of the open campaign, from at->seq on */

static ngx_campaign_rc_e
ngx_campaign_scan_places(ngx_campaign_scan_t *s, ngx_uint_t back, ngx_campaign_scan_place_t *at, ngx_uint_t most, ngx_array_t *items,
    ngx_uint_t *found)
{
    ngx_campaign_rc_e  rc;

    at->seq = ngx_min(at->seq, s->c.span);

    while (back ? at->seq > 0 : at->seq < s->c.span) {

        rc = ngx_campaign_scan_message(s, back ? at->seq - 1 : at->seq, items, found);
        if (rc != NGX_CAMPAIGN_OK) {
            return rc;
        }

        at->seq = back ? at->seq - 1 : at->seq + 1;

        if (*found == most || --s->work <= 0) {
            break;
        }
    }

    return NGX_CAMPAIGN_OK;
}


/* a place: is there a message, and does it match? */

static ngx_campaign_rc_e
ngx_campaign_scan_message(ngx_campaign_scan_t *s, uint32_t seq, ngx_array_t *items, ngx_uint_t *found)
{
    u_char                         *byte;
    ngx_campaign_rc_e               rc;
    ngx_campaign_reason_e           reason;
    ngx_campaign_contact_t         *contact;
    ngx_campaign_message_t         *item;
    ngx_campaign_message_status_e   status;

    status = 0;
    reason = NGX_CAMPAIGN_R_NONE;

    rc = ngx_campaign_states_byte(&s->x, seq, &byte);

    if (rc == NGX_CAMPAIGN_OK && ngx_campaign_byte_state(*byte) == NGX_CAMPAIGN_S_RETRY) {
        s->work -= NGX_CAMPAIGN_SCAN_REPEAT;
    }

    if (rc == NGX_CAMPAIGN_OK) {
        rc = ngx_campaign_message_state(&s->x, seq, &status, &reason);
    }

    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    if (status == 0 || (s->m->statuses && !(s->m->statuses & ((ngx_uint_t) 1 << status)))) {
        return NGX_CAMPAIGN_OK;
    }

    rc = ngx_campaign_scan_contact(s, seq, &contact);
    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    if ((contact->deleted && !ngx_campaign_message_recipient(&s->c, contact)) || !ngx_campaign_scan_number(s, contact)) {
        return NGX_CAMPAIGN_OK;
    }

    (*found)++;

    if (items == NULL) {
        return NGX_CAMPAIGN_OK;
    }

    s->work -= NGX_CAMPAIGN_SCAN_MESSAGE;

    rc = ngx_campaign_scan_keep(s);
    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    item = ngx_array_push(items);                       /* not NULL: made for the page */

    rc = ngx_campaign_message_fill(&s->x, &s->c, seq, status, reason, item);
    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    item->contact = *contact;

    return ngx_campaign_contact_copy(s->pool, &item->contact) == NGX_OK ? NGX_CAMPAIGN_OK : NGX_CAMPAIGN_FAILURE;
}


static ngx_uint_t
ngx_campaign_scan_number(ngx_campaign_scan_t *s, const ngx_campaign_contact_t *contact)
{
    u_char      text[NGX_CAMPAIGN_NUMBER_LEN];
    size_t      len;
    ngx_str_t  *to;

    to = &s->m->to;

    if (to->len == 0) {
        return 1;
    }

    if (contact->number == 0) {
        return 0;
    }

    len = ngx_campaign_number_print(text, contact->number) - text;

    return (s->m->prefix ? len >= to->len : len == to->len) && ngx_memcmp(text, to->data, to->len) == 0;
}


/* the contact at a place, its strings in the map; of a list that is gone: zeros */

static ngx_campaign_rc_e
ngx_campaign_scan_contact(ngx_campaign_scan_t *s, uint32_t seq, ngx_campaign_contact_t **contact)
{
    uint32_t             block;
    ngx_campaign_rc_e    rc;
    ngx_campaign_walk_t  walk;

    block = seq / NGX_CAMPAIGN_BLOCK;

    if (!s->loaded || s->block != block) {

        ngx_memzero(s->contacts, sizeof(s->contacts));
        ngx_campaign_lmdb_walk_init(&walk, s->c.list, block * NGX_CAMPAIGN_BLOCK);

        for (s->n = 0; s->n < NGX_CAMPAIGN_BLOCK && block * NGX_CAMPAIGN_BLOCK + s->n < s->c.span; s->n++) {
            rc = ngx_campaign_lmdb_walk_next(s->x.t, &walk, &s->contacts[s->n]);

            if (rc == NGX_CAMPAIGN_NOT_FOUND) {
                break;
            }

            if (rc != NGX_CAMPAIGN_OK) {
                return rc;
            }
        }

        s->block = block;
        s->loaded = 1;
        s->work -= s->n;
    }

    *contact = &s->contacts[seq % NGX_CAMPAIGN_BLOCK];

    return NGX_CAMPAIGN_OK;
}


/* NOT_FOUND: no such campaign, and none is open */

static ngx_campaign_rc_e
ngx_campaign_scan_open(ngx_campaign_scan_t *s, uint64_t no)
{
    ngx_campaign_rc_e         rc;
    ngx_campaign_messages_t  *m;

    if (s->open && s->c.rec.no == no) {
        return NGX_CAMPAIGN_OK;
    }

    m = s->m;
    s->open = 0;
    s->kept = 0;
    s->loaded = 0;
    s->work -= NGX_CAMPAIGN_SCAN_CAMPAIGN;

    rc = ngx_campaign_lmdb_campaign_get(s->x.t, m->page->account, no, NULL, &s->c);

    if (rc == NGX_CAMPAIGN_OK) {
        rc = ngx_campaign_states_open(&s->x, no);
    }

    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    s->open = 1;
    s->match = (m->statuses == 0 || ngx_campaign_scan_count(&s->c.progress, m->statuses) != 0)
               && (m->since == 0 || s->c.rec.created >= m->since)
               && (m->until == 0 || s->c.rec.created <= m->until)
               && (m->from.len == 0
                   || (m->from.len == s->c.from.len && ngx_memcmp(m->from.data, s->c.from.data, m->from.len) == 0))
               && (m->page->channel.len == 0
                   || (m->page->channel.len == s->c.rec.channel.len
                       && ngx_memcmp(m->page->channel.data, s->c.rec.channel.data, m->page->channel.len) == 0));

    return NGX_CAMPAIGN_OK;
}


/* strings of the open campaign out of the map, once for all its messages */

static ngx_campaign_rc_e
ngx_campaign_scan_keep(ngx_campaign_scan_t *s)
{
    ngx_uint_t   i;
    ngx_str_t   *strings[3];

    if (s->kept) {
        return NGX_CAMPAIGN_OK;
    }

    strings[0] = &s->c.rec.channel;
    strings[1] = &s->c.from;
    strings[2] = &s->c.text;

    for (i = 0; i < 3; i++) {
        if (strings[i]->len == 0) {
            continue;
        }

        strings[i]->data = ngx_pstrdup(s->pool, strings[i]);
        if (strings[i]->data == NULL) {
            return NGX_CAMPAIGN_FAILURE;
        }
    }

    s->kept = 1;

    return NGX_CAMPAIGN_OK;
}


/* the account's campaign next to *no, older or (back) newer, of either sort: they share their numbers.  NOT_FOUND: there is none */

static ngx_campaign_rc_e
ngx_campaign_scan_next(ngx_campaign_scan_t *s, ngx_uint_t back, uint64_t *no)
{
    int          rc;
    u_char       start[13];
    MDB_val      key, value;
    MDB_cursor  *cursor;

    rc = mdb_cursor_open(s->x.t->txn, s->x.t->store->dbi[NGX_CAMPAIGN_DB_REC], &cursor);
    if (rc != 0) {
        return ngx_campaign_lmdb_failed(s->x.t, rc, "cursor of rec");
    }

    start[4] = NGX_CAMPAIGN_CAMPAIGN;
    ngx_campaign_be32_put(start, s->m->page->account);
    ngx_campaign_be64_put(&start[5], back ? *no + 1 : *no);

    key.mv_size = sizeof(start);
    key.mv_data = start;

    rc = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);

    if (!back && (rc == 0 || rc == MDB_NOTFOUND)) {
        rc = mdb_cursor_get(cursor, &key, &value, rc == 0 ? MDB_PREV : MDB_LAST);
    }

    mdb_cursor_close(cursor);

    if (rc == MDB_NOTFOUND || (rc == 0 && (key.mv_size != sizeof(start) || ngx_memcmp(key.mv_data, start, 5) != 0))) {
        return NGX_CAMPAIGN_NOT_FOUND;
    }

    if (rc != 0) {
        return ngx_campaign_lmdb_failed(s->x.t, rc, "walk of campaigns");
    }

    *no = ngx_campaign_be64_get((u_char *) key.mv_data + 5);

    return NGX_CAMPAIGN_OK;
}


/* *no: at or above every campaign of the filter's last day and before; halves the numbers until it is known */

static ngx_campaign_rc_e
ngx_campaign_scan_jump(ngx_campaign_scan_t *s, uint64_t *no)
{
    uint64_t           low, high, middle, at;
    ngx_campaign_rc_e  rc;

    at = NGX_CAMPAIGN_SCAN_NEWEST;

    rc = ngx_campaign_scan_next(s, 0, &at);
    if (rc != NGX_CAMPAIGN_OK) {
        return rc == NGX_CAMPAIGN_NOT_FOUND ? NGX_CAMPAIGN_OK : rc;
    }

    for (low = 0, high = at + 1; low < high; /* void */ ) {
        middle = low + (high - low) / 2;
        at = middle;

        rc = ngx_campaign_scan_next(s, 1, &at);         /* the first one above middle */

        if (rc == NGX_CAMPAIGN_OK) {
            rc = ngx_campaign_scan_open(s, at);
        }

        if (rc == NGX_CAMPAIGN_OK && s->c.rec.created <= s->m->until + NGX_CAMPAIGN_SCAN_SLACK) {
            low = at;

        } else if (rc == NGX_CAMPAIGN_OK || rc == NGX_CAMPAIGN_NOT_FOUND) {
            high = middle;

        } else {
            return rc;
        }
    }

    *no = high + 1;

    return NGX_CAMPAIGN_OK;
}
