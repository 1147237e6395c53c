
/*
 * Suppressions: added, looked at, lifted, and asked for by claims.  It keeps true: what an operation that was answered OK added holds back
 * every message claimed after it; an account's count is that of its entries; an entry that expired is as if it were not there, and those
 * of an account that is written to or claims are deleted in small steps.
 */

#include "ngx_campaign_store_lmdb_suppress.h"
#include "ngx_campaign_number.h"


#define NGX_CAMPAIGN_SUPPRESS_TIDY  64          /* expired ones deleted in one step */
#define NGX_CAMPAIGN_SUPPRESS_MAX   1024        /* bytes of a value; the longest that the wire contract allows has about 350 */


/* an entry at hand, of all those of one number */

typedef struct {
    u_char                      key[NGX_CAMPAIGN_SUPPRESS_KEY];
    ngx_campaign_suppression_t  s;              /* strings point into the map: until the next write */
} ngx_campaign_suppress_entry_t;

typedef struct {
    ngx_campaign_suppression_t  like;           /* number; channel and from: data NULL: any */
    ngx_campaign_suppression_t *out;            /* NULL: deletes */
} ngx_campaign_suppress_args_t;


static ngx_campaign_suppress_args_t *ngx_campaign_suppress_args(ngx_campaign_op_t *op, const ngx_campaign_suppression_t *like);
static ngx_campaign_rc_e ngx_campaign_suppress_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args);
static ngx_campaign_rc_e ngx_campaign_suppress_pile(ngx_campaign_txn_t *t, ngx_campaign_suppress_t *suppress);
static ngx_campaign_rc_e ngx_campaign_suppress_get_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args);
static ngx_campaign_rc_e ngx_campaign_suppress_lift_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args);

static ngx_campaign_rc_e ngx_campaign_suppress_all(ngx_campaign_txn_t *t, uint32_t account, uint64_t number,
    ngx_campaign_suppress_entry_t *e, ngx_uint_t *n);
static ngx_campaign_rc_e ngx_campaign_suppress_write(ngx_campaign_txn_t *t, const u_char *key, const ngx_campaign_suppression_t *s,
    time_t lapsed, ngx_int_t count);
static ngx_campaign_rc_e ngx_campaign_suppress_remove(ngx_campaign_txn_t *t, const u_char *key, time_t expires);
static ngx_campaign_rc_e ngx_campaign_suppress_recount(ngx_campaign_txn_t *t, uint32_t account, int64_t change);
static void ngx_campaign_suppress_lapse_key(u_char *lapse, const u_char *key, time_t expires);
static ngx_uint_t ngx_campaign_suppress_like(const ngx_campaign_suppression_t *like, const ngx_campaign_suppression_t *s);
static ngx_uint_t ngx_campaign_suppress_same(const ngx_str_t *one, const ngx_str_t *two);


#define ngx_campaign_suppress_field(type, field)                                                                      \
    { NGX_CAMPAIGN_CODEC_##type, offsetof(ngx_campaign_suppression_t, field), 0 }

static const ngx_campaign_codec_field_t  ngx_campaign_suppress_fields[] = {
    ngx_campaign_suppress_field(STR, channel),
    ngx_campaign_suppress_field(STR, from),
    ngx_campaign_suppress_field(UINT, source),
    ngx_campaign_suppress_field(STR, reason),
    { NGX_CAMPAIGN_CODEC_BYTES, offsetof(ngx_campaign_suppression_t, campaign), NGX_CAMPAIGN_ID_LEN },
    ngx_campaign_suppress_field(TIME, created),
    ngx_campaign_suppress_field(TIME, expires),
    { NGX_CAMPAIGN_CODEC_END, 0, 0 }
};

static const ngx_str_t  ngx_campaign_suppress_any = ngx_null_string;


ngx_int_t
ngx_campaign_store_suppress(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_suppress_t *suppress)
{
    return ngx_campaign_lmdb_write(st, op, ngx_campaign_suppress_work, suppress);
}


ngx_int_t
ngx_campaign_store_suppression(ngx_campaign_store_t *st, ngx_campaign_op_t *op, const ngx_campaign_suppression_t *like,
    ngx_campaign_suppression_t *out)
{
    ngx_campaign_suppress_args_t  *sa;

    sa = ngx_campaign_suppress_args(op, like);
    if (sa == NULL) {
        return NGX_ERROR;
    }

    sa->out = out;

    return ngx_campaign_lmdb_read(st, op, ngx_campaign_suppress_get_work, sa);
}


ngx_int_t
ngx_campaign_store_suppression_lift(ngx_campaign_store_t *st, ngx_campaign_op_t *op, const ngx_campaign_suppression_t *like)
{
    ngx_campaign_suppress_args_t  *sa;

    sa = ngx_campaign_suppress_args(op, like);

    return sa ? ngx_campaign_lmdb_write(st, op, ngx_campaign_suppress_lift_work, sa) : NGX_ERROR;
}


static ngx_campaign_suppress_args_t *
ngx_campaign_suppress_args(ngx_campaign_op_t *op, const ngx_campaign_suppression_t *like)
{
    ngx_campaign_suppress_args_t  *sa;

    sa = ngx_pcalloc(op->pool, sizeof(ngx_campaign_suppress_args_t));
    if (sa == NULL) {
        op->rc = NGX_CAMPAIGN_FAILURE;
        return NULL;
    }

    sa->like = *like;

    return sa;
}


static ngx_campaign_rc_e
ngx_campaign_suppress_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args)
{
    ngx_campaign_suppress_t *suppress = args;

    ngx_uint_t         made;
    ngx_campaign_rc_e  rc;

    suppress->created = 0;
    suppress->duplicates = 0;
    suppress->refused = 0;

    if (suppress->pile) {
        rc = ngx_campaign_suppress_pile(t, suppress);
        return rc == NGX_CAMPAIGN_OK ? ngx_campaign_suppress_tidy(t, suppress->account) : rc;
    }

    suppress->result = suppress->given;
    suppress->result.account = suppress->account;
    suppress->result.source = suppress->source;

    rc = ngx_campaign_suppress_put(t, &suppress->result, op->pool, &made);
    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    suppress->created = made;
    suppress->duplicates = !made;

    return ngx_campaign_suppress_tidy(t, suppress->account);
}


static ngx_campaign_rc_e
ngx_campaign_suppress_pile(ngx_campaign_txn_t *t, ngx_campaign_suppress_t *suppress)
{
    ngx_uint_t                   made;
    const u_char                *p;
    ngx_campaign_rc_e            rc;
    ngx_campaign_contact_t       contact;
    ngx_campaign_suppression_t   s;
    ngx_campaign_pile_chunk_t   *chunk;

    for (chunk = suppress->pile->first; chunk; chunk = chunk->next) {
        for (p = chunk->start; p < chunk->last; /* void */ ) {

            p = ngx_campaign_contact_unpack(p, chunk->last, &contact);
            if (p == NULL) {
                return ngx_campaign_lmdb_failed(t, MDB_CORRUPTED, "suppression of a pile");
            }

            ngx_campaign_suppression_read(&contact, &s);
            s.account = suppress->account;
            s.source = suppress->source;

            rc = ngx_campaign_suppress_put(t, &s, NULL, &made);

            if (rc == NGX_CAMPAIGN_TOO_MANY) {
                suppress->refused++;

            } else if (rc != NGX_CAMPAIGN_OK) {
                return rc;

            } else if (made) {
                suppress->created++;

            } else {
                suppress->duplicates++;
            }
        }
    }

    return NGX_CAMPAIGN_OK;
}


/* the first one in the order of keys that matches */

static ngx_campaign_rc_e
ngx_campaign_suppress_get_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args)
{
    ngx_campaign_suppress_args_t *sa = args;

    ngx_uint_t                      i, n;
    ngx_campaign_rc_e               rc;
    ngx_campaign_suppression_t     *s;
    ngx_campaign_suppress_entry_t   e[NGX_CAMPAIGN_SUPPRESSIONS_MAX];

    rc = ngx_campaign_suppress_all(t, sa->like.account, sa->like.number, e, &n);
    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    for (i = 0; i < n; i++) {
        s = &e[i].s;

        if (ngx_campaign_suppress_expired(t, s) || !ngx_campaign_suppress_like(&sa->like, s)) {
            continue;
        }

        *sa->out = *s;

        return ngx_campaign_suppress_copy(op->pool, sa->out) == NGX_OK ? NGX_CAMPAIGN_OK : NGX_CAMPAIGN_FAILURE;
    }

    return NGX_CAMPAIGN_NOT_FOUND;
}


static ngx_campaign_rc_e
ngx_campaign_suppress_lift_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args)
{
    ngx_campaign_suppress_args_t *sa = args;

    ngx_uint_t         n;
    ngx_campaign_rc_e  rc;

    rc = ngx_campaign_suppress_del(t, &sa->like, &n);
    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    return n ? ngx_campaign_suppress_tidy(t, sa->like.account) : NGX_CAMPAIGN_NOT_FOUND;
}


/* those of one number: all of them, expired ones too.  e has room for NGX_CAMPAIGN_SUPPRESSIONS_MAX */

static ngx_campaign_rc_e
ngx_campaign_suppress_all(ngx_campaign_txn_t *t, uint32_t account, uint64_t number, ngx_campaign_suppress_entry_t *e, ngx_uint_t *n)
{
    int                 rc;
    u_char              start[NGX_CAMPAIGN_SUPPRESS_NUMBER];
    MDB_val             key, value;
    MDB_cursor         *cursor;
    ngx_campaign_rc_e   result;

    *n = 0;
    result = NGX_CAMPAIGN_OK;

    rc = mdb_cursor_open(t->txn, t->store->dbi[NGX_CAMPAIGN_DB_SUPPRESS], &cursor);
    if (rc != 0) {
        return ngx_campaign_lmdb_failed(t, rc, "cursor of suppress");
    }

    ngx_campaign_be64_put(ngx_campaign_be32_put(start, account), ngx_campaign_suppress_digits(number));
    key.mv_size = NGX_CAMPAIGN_SUPPRESS_NUMBER;
    key.mv_data = start;

    for (rc = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
         rc == 0 && *n < NGX_CAMPAIGN_SUPPRESSIONS_MAX && result == NGX_CAMPAIGN_OK;
         rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT))
    {
        if (key.mv_size != NGX_CAMPAIGN_SUPPRESS_KEY || ngx_memcmp(key.mv_data, start, NGX_CAMPAIGN_SUPPRESS_NUMBER) != 0) {
            break;
        }

        result = ngx_campaign_suppress_unpack(t, &key, &value, &e[*n].s);
        ngx_memcpy(e[*n].key, key.mv_data, NGX_CAMPAIGN_SUPPRESS_KEY);
        (*n)++;
    }

    mdb_cursor_close(cursor);

    if (result == NGX_CAMPAIGN_OK && rc != 0 && rc != MDB_NOTFOUND) {
        result = ngx_campaign_lmdb_failed(t, rc, "walk of suppress");
    }

    return result;
}


ngx_campaign_rc_e
ngx_campaign_suppress_put(ngx_campaign_txn_t *t, ngx_campaign_suppression_t *s, ngx_pool_t *pool, ngx_uint_t *made)
{
    u_char                          key[NGX_CAMPAIGN_SUPPRESS_KEY];
    time_t                          expires;
    ngx_uint_t                      i, n, place;
    ngx_campaign_rc_e               rc;
    ngx_campaign_suppression_t     *old;
    ngx_campaign_suppress_entry_t   e[NGX_CAMPAIGN_SUPPRESSIONS_MAX];

    rc = ngx_campaign_suppress_all(t, s->account, s->number, e, &n);
    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    /* place 0 is kept for the one without a scope, so that it comes first */

    place = (s->channel.len || s->from.len) ? 1 : 0;

    for (i = 0; i < n; i++) {
        old = &e[i].s;

        if (e[i].key[NGX_CAMPAIGN_SUPPRESS_NUMBER] == place) {
            place++;
        }

        if (!ngx_campaign_suppress_same(&s->channel, &old->channel) || !ngx_campaign_suppress_same(&s->from, &old->from)) {
            continue;
        }

        *made = ngx_campaign_suppress_expired(t, old);
        expires = old->expires;

        if (*made) {
            s->created = (time_t) (t->now / 1000000);
            return ngx_campaign_suppress_write(t, e[i].key, s, expires, 0);
        }

        if (expires && (s->expires == 0 || s->expires > expires)) {
            old->expires = s->expires;                  /* longer only: nobody gets messages because of a repeat */
        }

        *s = *old;

        if (pool && ngx_campaign_suppress_copy(pool, s) != NGX_OK) {        /* before a write moves them */
            return NGX_CAMPAIGN_FAILURE;
        }

        return s->expires == expires ? NGX_CAMPAIGN_OK : ngx_campaign_suppress_write(t, e[i].key, s, expires, 0);
    }

    if (place == NGX_CAMPAIGN_SUPPRESSIONS_MAX) {
        return NGX_CAMPAIGN_TOO_MANY;
    }

    ngx_campaign_be64_put(ngx_campaign_be32_put(key, s->account), ngx_campaign_suppress_digits(s->number));
    key[NGX_CAMPAIGN_SUPPRESS_NUMBER] = (u_char) place;

    s->created = (time_t) (t->now / 1000000);
    *made = 1;

    return ngx_campaign_suppress_write(t, key, s, 0, 1);
}


/* lapsed: the date under which it stands in `lapse`, 0: none */

static ngx_campaign_rc_e
ngx_campaign_suppress_write(ngx_campaign_txn_t *t, const u_char *key, const ngx_campaign_suppression_t *s, time_t lapsed, ngx_int_t count)
{
    int      rc;
    u_char   value[NGX_CAMPAIGN_SUPPRESS_MAX], lapse[NGX_CAMPAIGN_LAPSE_KEY];
    size_t   len;

    if (ngx_campaign_codec_size(ngx_campaign_suppress_fields, s) > NGX_CAMPAIGN_SUPPRESS_MAX) {
        return ngx_campaign_lmdb_failed(t, MDB_BAD_VALSIZE, "suppression");
    }

    len = ngx_campaign_codec_pack(value, ngx_campaign_suppress_fields, s) - value;

    rc = ngx_campaign_lmdb_put(t, NGX_CAMPAIGN_DB_SUPPRESS, key, NGX_CAMPAIGN_SUPPRESS_KEY, value, len);

    if (rc == 0 && lapsed) {
        ngx_campaign_suppress_lapse_key(lapse, key, lapsed);
        rc = ngx_campaign_lmdb_del(t, NGX_CAMPAIGN_DB_LAPSE, lapse, NGX_CAMPAIGN_LAPSE_KEY);
    }

    if (rc == 0 && s->expires) {
        ngx_campaign_suppress_lapse_key(lapse, key, s->expires);
        rc = ngx_campaign_lmdb_put(t, NGX_CAMPAIGN_DB_LAPSE, lapse, NGX_CAMPAIGN_LAPSE_KEY, "", 0);
    }

    if (rc != 0) {
        return ngx_campaign_lmdb_failed(t, rc, "suppression");
    }

    return count ? ngx_campaign_suppress_recount(t, s->account, count) : NGX_CAMPAIGN_OK;
}


ngx_campaign_rc_e
ngx_campaign_suppress_del(ngx_campaign_txn_t *t, const ngx_campaign_suppression_t *s, ngx_uint_t *n)
{
    ngx_uint_t                      i, all, expired;
    ngx_campaign_rc_e               rc;
    ngx_campaign_suppression_t     *old;
    ngx_campaign_suppress_entry_t   e[NGX_CAMPAIGN_SUPPRESSIONS_MAX];

    *n = 0;

    rc = ngx_campaign_suppress_all(t, s->account, s->number, e, &all);

    /* a write moves what the strings point to: all are compared before it */

    for (i = 0; i < all; i++) {
        old = &e[i].s;
        expired = ngx_campaign_suppress_expired(t, old);

        if (!ngx_campaign_suppress_like(s, old)) {
            old->number = 0;

        } else if (!expired) {
            (*n)++;
        }
    }

    for (i = 0; i < all && *n && rc == NGX_CAMPAIGN_OK; i++) {
        if (e[i].s.number) {
            rc = ngx_campaign_suppress_remove(t, e[i].key, e[i].s.expires);
        }
    }

    return rc;
}


static ngx_campaign_rc_e
ngx_campaign_suppress_remove(ngx_campaign_txn_t *t, const u_char *key, time_t expires)
{
    int     rc;
    u_char  lapse[NGX_CAMPAIGN_LAPSE_KEY];

    rc = ngx_campaign_lmdb_del(t, NGX_CAMPAIGN_DB_SUPPRESS, key, NGX_CAMPAIGN_SUPPRESS_KEY);

    if (rc == 0 && expires) {
        ngx_campaign_suppress_lapse_key(lapse, key, expires);
        rc = ngx_campaign_lmdb_del(t, NGX_CAMPAIGN_DB_LAPSE, lapse, NGX_CAMPAIGN_LAPSE_KEY);
    }

    return rc == 0 ? ngx_campaign_suppress_recount(t, ngx_campaign_be32_get(key), -1)
                   : ngx_campaign_lmdb_failed(t, rc, "suppression that is deleted");
}


ngx_campaign_rc_e
ngx_campaign_suppress_count(ngx_campaign_txn_t *t, uint32_t account, uint64_t *n)
{
    u_char  key[NGX_CAMPAIGN_LIST_KEY];
    size_t  len;

    len = ngx_campaign_lmdb_record_list(key, NGX_CAMPAIGN_SUPPRESSION, account, &ngx_campaign_suppress_any, 0);

    return ngx_campaign_lmdb_counter_get(t, NGX_CAMPAIGN_DB_COUNT, key, len, n);
}


static ngx_campaign_rc_e
ngx_campaign_suppress_recount(ngx_campaign_txn_t *t, uint32_t account, int64_t change)
{
    int                rc;
    u_char             key[NGX_CAMPAIGN_LIST_KEY], value[8];
    size_t             len;
    uint64_t           n;
    ngx_campaign_rc_e  result;

    result = ngx_campaign_suppress_count(t, account, &n);
    if (result != NGX_CAMPAIGN_OK) {
        return result;
    }

    if (change < 0 && n == 0) {
        return ngx_campaign_lmdb_failed(t, MDB_CORRUPTED, "count of suppressions");
    }

    n += change;

    len = ngx_campaign_lmdb_record_list(key, NGX_CAMPAIGN_SUPPRESSION, account, &ngx_campaign_suppress_any, 0);
    ngx_campaign_be64_put(value, n);

    rc = n ? ngx_campaign_lmdb_put(t, NGX_CAMPAIGN_DB_COUNT, key, len, value, 8)
           : ngx_campaign_lmdb_del(t, NGX_CAMPAIGN_DB_COUNT, key, len);

    return rc == 0 ? NGX_CAMPAIGN_OK : ngx_campaign_lmdb_failed(t, rc, "count of suppressions");
}


ngx_campaign_rc_e
ngx_campaign_suppress_tidy(ngx_campaign_txn_t *t, uint32_t account)
{
    int                 rc;
    u_char              start[NGX_CAMPAIGN_LAPSE_KEY], key[NGX_CAMPAIGN_SUPPRESS_KEY];
    time_t              expires;
    MDB_val             found, none;
    MDB_cursor         *cursor;
    ngx_uint_t          i;
    ngx_campaign_rc_e   result;

    for (i = 0; i < NGX_CAMPAIGN_SUPPRESS_TIDY; i++) {

        rc = mdb_cursor_open(t->txn, t->store->dbi[NGX_CAMPAIGN_DB_LAPSE], &cursor);
        if (rc != 0) {
            return ngx_campaign_lmdb_failed(t, rc, "cursor of lapse");
        }

        ngx_campaign_be32_put(start, account);
        found.mv_size = 4;
        found.mv_data = start;

        rc = mdb_cursor_get(cursor, &found, &none, MDB_SET_RANGE);
        mdb_cursor_close(cursor);

        if (rc == MDB_NOTFOUND || (rc == 0 && ngx_campaign_be32_get(found.mv_data) != account)) {
            return NGX_CAMPAIGN_OK;
        }

        if (rc != 0 || found.mv_size != NGX_CAMPAIGN_LAPSE_KEY) {
            return ngx_campaign_lmdb_failed(t, rc ? rc : MDB_CORRUPTED, "first of lapse");
        }

        expires = (time_t) ngx_campaign_be64_get((u_char *) found.mv_data + 4);

        if ((int64_t) expires * 1000000 > t->now) {
            return NGX_CAMPAIGN_OK;
        }

        ngx_memcpy(key, found.mv_data, 4);
        ngx_memcpy(key + 4, (u_char *) found.mv_data + 12, 9);

        result = ngx_campaign_suppress_remove(t, key, expires);
        if (result != NGX_CAMPAIGN_OK) {
            return result;
        }
    }

    return NGX_CAMPAIGN_OK;
}


static void
ngx_campaign_suppress_lapse_key(u_char *lapse, const u_char *key, time_t expires)
{
    u_char  *p;

    p = ngx_cpymem(lapse, key, 4);
    p = ngx_campaign_be64_put(p, (uint64_t) expires);
    ngx_memcpy(p, key + 4, 9);
}


ngx_campaign_rc_e
ngx_campaign_suppress_drop(ngx_campaign_txn_t *t, uint32_t account)
{
    int                rc;
    u_char             key[NGX_CAMPAIGN_LIST_KEY];
    size_t             len;
    ngx_campaign_rc_e  result;

    ngx_campaign_be32_put(key, account);

    result = ngx_campaign_lmdb_prefix_drop(t, NGX_CAMPAIGN_DB_SUPPRESS, key, 4);

    if (result == NGX_CAMPAIGN_OK) {
        result = ngx_campaign_lmdb_prefix_drop(t, NGX_CAMPAIGN_DB_LAPSE, key, 4);
    }

    if (result != NGX_CAMPAIGN_OK) {
        return result;
    }

    len = ngx_campaign_lmdb_record_list(key, NGX_CAMPAIGN_SUPPRESSION, account, &ngx_campaign_suppress_any, 0);
    rc = ngx_campaign_lmdb_del(t, NGX_CAMPAIGN_DB_COUNT, key, len);

    return (rc == 0 || rc == MDB_NOTFOUND) ? NGX_CAMPAIGN_OK : ngx_campaign_lmdb_failed(t, rc, "count of suppressions");
}


ngx_campaign_rc_e
ngx_campaign_gate_open(ngx_campaign_gate_t *gate, ngx_campaign_txn_t *t, uint32_t account, const ngx_str_t *channel, const ngx_str_t *from)
{
    int                rc;
    uint64_t           n;
    ngx_campaign_rc_e  result;

    gate->t = t;
    gate->account = account;
    gate->channel = channel;
    gate->from = from;
    gate->cursor = NULL;

    result = ngx_campaign_suppress_count(t, account, &n);
    if (result != NGX_CAMPAIGN_OK || n == 0) {
        return result;
    }

    rc = mdb_cursor_open(t->txn, t->store->dbi[NGX_CAMPAIGN_DB_SUPPRESS], &gate->cursor);
    if (rc != 0) {
        gate->cursor = NULL;
        return ngx_campaign_lmdb_failed(t, rc, "cursor of suppress");
    }

    return NGX_CAMPAIGN_OK;
}


void
ngx_campaign_gate_close(ngx_campaign_gate_t *gate)
{
    if (gate->cursor) {
        mdb_cursor_close(gate->cursor);
        gate->cursor = NULL;
    }
}


ngx_campaign_rc_e
ngx_campaign_gate_pass(ngx_campaign_gate_t *gate, uint64_t number, ngx_uint_t *blocked)
{
    int                         rc;
    u_char                      start[NGX_CAMPAIGN_SUPPRESS_NUMBER];
    MDB_val                     key, value;
    ngx_campaign_rc_e           result;
    ngx_campaign_suppression_t  s;

    *blocked = 0;

    if (gate->cursor == NULL) {
        return NGX_CAMPAIGN_OK;
    }

    ngx_campaign_be64_put(ngx_campaign_be32_put(start, gate->account), ngx_campaign_suppress_digits(number));
    key.mv_size = NGX_CAMPAIGN_SUPPRESS_NUMBER;
    key.mv_data = start;

    for (rc = mdb_cursor_get(gate->cursor, &key, &value, MDB_SET_RANGE);
         rc == 0;
         rc = mdb_cursor_get(gate->cursor, &key, &value, MDB_NEXT))
    {
        if (key.mv_size != NGX_CAMPAIGN_SUPPRESS_KEY || ngx_memcmp(key.mv_data, start, NGX_CAMPAIGN_SUPPRESS_NUMBER) != 0) {
            return NGX_CAMPAIGN_OK;
        }

        result = ngx_campaign_suppress_unpack(gate->t, &key, &value, &s);
        if (result != NGX_CAMPAIGN_OK) {
            return result;
        }

        if (!ngx_campaign_suppress_expired(gate->t, &s)
            && (s.channel.len == 0 || ngx_campaign_suppress_same(&s.channel, gate->channel))
            && (s.from.len == 0 || ngx_campaign_suppress_same(&s.from, gate->from)))
        {
            *blocked = 1;
            return NGX_CAMPAIGN_OK;
        }
    }

    return rc == MDB_NOTFOUND ? NGX_CAMPAIGN_OK : ngx_campaign_lmdb_failed(gate->t, rc, "look into suppress");
}


ngx_campaign_rc_e
ngx_campaign_suppress_unpack(ngx_campaign_txn_t *t, const MDB_val *key, const MDB_val *value, ngx_campaign_suppression_t *s)
{
    ngx_int_t  rc;

    ngx_memzero(s, sizeof(ngx_campaign_suppression_t));

    rc = ngx_campaign_codec_unpack(value->mv_data, value->mv_size, ngx_campaign_suppress_fields, s);

    if (rc != NGX_OK || key->mv_size != NGX_CAMPAIGN_SUPPRESS_KEY) {
        return ngx_campaign_lmdb_failed(t, rc == NGX_DECLINED ? MDB_VERSION_MISMATCH : MDB_CORRUPTED, "suppression");
    }

    s->account = ngx_campaign_be32_get(key->mv_data);
    s->number = ngx_campaign_suppress_decimal(ngx_campaign_be64_get((u_char *) key->mv_data + 4));

    return NGX_CAMPAIGN_OK;
}


ngx_int_t
ngx_campaign_suppress_copy(ngx_pool_t *pool, ngx_campaign_suppression_t *s)
{
    u_char      *p;
    ngx_str_t   *text[3];
    ngx_uint_t   i;

    text[0] = &s->channel;
    text[1] = &s->from;
    text[2] = &s->reason;

    for (i = 0; i < 3; i++) {
        if (text[i]->len == 0) {
            continue;
        }

        p = ngx_pnalloc(pool, text[i]->len);
        if (p == NULL) {
            return NGX_ERROR;
        }

        ngx_memcpy(p, text[i]->data, text[i]->len);
        text[i]->data = p;
    }

    return NGX_OK;
}


uint64_t
ngx_campaign_suppress_digits(uint64_t number)
{
    u_char  text[NGX_CAMPAIGN_NUMBER_LEN + 5];

    return ngx_campaign_suppress_prefix(text, ngx_campaign_number_print(text, number) - text);
}


uint64_t
ngx_campaign_suppress_prefix(const u_char *text, size_t len)
{
    size_t    i;
    uint64_t  digits;

    for (digits = 0, i = 0; i < 16; i++) {
        digits = digits << 4 | (i < len ? (uint64_t) (text[i] - '0' + 1) : 0);
    }

    return digits;
}


uint64_t
ngx_campaign_suppress_decimal(uint64_t digits)
{
    uint64_t    number;
    ngx_int_t   shift;

    for (number = 0, shift = 60; shift >= 0 && (digits >> shift & 15); shift -= 4) {
        number = number * 10 + (digits >> shift & 15) - 1;
    }

    return number;
}


static ngx_uint_t
ngx_campaign_suppress_like(const ngx_campaign_suppression_t *like, const ngx_campaign_suppression_t *s)
{
    return (like->channel.data == NULL || ngx_campaign_suppress_same(&like->channel, &s->channel))
           && (like->from.data == NULL || ngx_campaign_suppress_same(&like->from, &s->from))
           && (like->source == 0 || like->source == s->source);
}


static ngx_uint_t
ngx_campaign_suppress_same(const ngx_str_t *one, const ngx_str_t *two)
{
    return one->len == two->len && (one->len == 0 || ngx_memcmp(one->data, two->data, one->len) == 0);
}
