
/*
 * Records of accounts, keys, senders, templates, audiences, campaigns and webhooks, by a table of kinds.  It keeps true: every
 * record stands in each list of its kind and is counted in it; a name leads to one record; all in the transaction that changes it.
 */

#include "ngx_campaign_store_lmdb.h"
#include "ngx_campaign_number.h"


#define NGX_CAMPAIGN_FACET_CHANNEL     1        /* bits of a list's facet */
#define NGX_CAMPAIGN_FACET_STATUS      2

#define NGX_CAMPAIGN_UNIQUE_NOT        0        /* names are not looked up */
#define NGX_CAMPAIGN_UNIQUE_ACCOUNT    1
#define NGX_CAMPAIGN_UNIQUE_CHANNEL    2

#define NGX_CAMPAIGN_RECORD_KEY        13       /* account u32, kind u8, no u64 */
#define NGX_CAMPAIGN_RECORD_MAX        16384    /* bytes of a record; the longest that the wire contract allows has about 6 500 */
#define NGX_CAMPAIGN_RECORD_NAME_MAX   (NGX_CAMPAIGN_NAME_KEY - 6 - NGX_CAMPAIGN_CHANNEL_MAX)
#define NGX_CAMPAIGN_RECORD_NO_MAX     ((1ULL << 53) - 2)       /* an id holds 54 bits, a list is twice a number */
#define NGX_CAMPAIGN_RECORD_NAMED_MAX  99999999999999           /* in an assigned name */


typedef struct {
    const ngx_campaign_codec_field_t  *fields;
    size_t                             size;    /* of the kind's struct */
    ngx_uint_t                         facets;
    ngx_uint_t                         unique;
    ngx_str_t                          prefix;  /* of an assigned name */
} ngx_campaign_record_kind_t;


static ngx_campaign_rc_e ngx_campaign_record_write(ngx_campaign_txn_t *t, ngx_campaign_kind_e kind, const ngx_campaign_rec_t *rec);
static ngx_campaign_rc_e ngx_campaign_record_copy(ngx_campaign_txn_t *t, const ngx_campaign_record_kind_t *k, ngx_pool_t *pool,
    void *rec);
static ngx_campaign_rc_e ngx_campaign_record_assign(ngx_campaign_txn_t *t, ngx_campaign_kind_e kind, ngx_campaign_rec_t *rec,
    ngx_pool_t *pool);
static void ngx_campaign_record_keep(ngx_campaign_rec_t *kept, const ngx_campaign_rec_t *rec, u_char *channel);
static ngx_campaign_rc_e ngx_campaign_record_name_write(ngx_campaign_txn_t *t, const u_char *key, size_t len, uint64_t no);
static ngx_campaign_rc_e ngx_campaign_record_key_write(ngx_campaign_txn_t *t, const ngx_campaign_key_t *key);
static ngx_campaign_rc_e ngx_campaign_record_lists(ngx_campaign_txn_t *t, ngx_campaign_kind_e kind, const ngx_campaign_rec_t *rec,
    ngx_uint_t must, ngx_uint_t add);
static ngx_campaign_rc_e ngx_campaign_record_list(ngx_campaign_txn_t *t, u_char *key, size_t len, uint64_t no, ngx_uint_t add);
static ngx_campaign_kind_e ngx_campaign_record_listed(ngx_campaign_kind_e kind, const ngx_campaign_rec_t *rec);
static ngx_campaign_rc_e ngx_campaign_record_counter_put(ngx_campaign_txn_t *t, ngx_campaign_db_e db, const u_char *key, size_t len,
    uint64_t value);
static void ngx_campaign_record_key(u_char *key, ngx_campaign_kind_e kind, uint32_t account, uint64_t no);


#define ngx_campaign_record_field(type, tag, field)  { NGX_CAMPAIGN_CODEC_##type, offsetof(tag, field), 0 }
#define ngx_campaign_record_bytes(tag, field)        { NGX_CAMPAIGN_CODEC_BYTES, offsetof(tag, field), sizeof(((tag *) 0)->field) }
#define ngx_campaign_record_end                      { NGX_CAMPAIGN_CODEC_END, 0, 0 }

/* id, no and account are known from the key.  A campaign's status and dates are those of its creation: the true ones are in `run` */

#define ngx_campaign_record_head                                                                                      \
    ngx_campaign_record_field(STR, ngx_campaign_rec_t, name),                                                         \
    ngx_campaign_record_field(STR, ngx_campaign_rec_t, channel),                                                      \
    ngx_campaign_record_field(UINT, ngx_campaign_rec_t, status),                                                      \
    ngx_campaign_record_field(TIME, ngx_campaign_rec_t, created),                                                     \
    ngx_campaign_record_field(TIME, ngx_campaign_rec_t, updated)


static const ngx_campaign_codec_field_t  ngx_campaign_record_account[] = {
    ngx_campaign_record_head,
    ngx_campaign_record_field(U64, ngx_campaign_account_t, rate),
    ngx_campaign_record_field(U32, ngx_campaign_account_t, burst),
    ngx_campaign_record_end
};

static const ngx_campaign_codec_field_t  ngx_campaign_record_api_key[] = {
    ngx_campaign_record_head,
    ngx_campaign_record_field(UINT, ngx_campaign_key_t, scope),
    ngx_campaign_record_field(TIME, ngx_campaign_key_t, expires),
    ngx_campaign_record_bytes(ngx_campaign_key_t, hash),
    ngx_campaign_record_end
};

static const ngx_campaign_codec_field_t  ngx_campaign_record_sender[] = {
    ngx_campaign_record_head,
    ngx_campaign_record_field(UINT, ngx_campaign_sender_t, type),
    ngx_campaign_record_end
};

static const ngx_campaign_codec_field_t  ngx_campaign_record_template[] = {
    ngx_campaign_record_head,
    ngx_campaign_record_field(STR, ngx_campaign_text_t, text),
    ngx_campaign_record_end
};

static const ngx_campaign_codec_field_t  ngx_campaign_record_audience[] = {
    ngx_campaign_record_head,
    ngx_campaign_record_field(U32, ngx_campaign_audience_t, contacts),
    ngx_campaign_record_field(U32, ngx_campaign_audience_t, next),
    ngx_campaign_record_end
};

static const ngx_campaign_codec_field_t  ngx_campaign_record_campaign[] = {
    ngx_campaign_record_head,
    ngx_campaign_record_bytes(ngx_campaign_campaign_t, audience),
    ngx_campaign_record_bytes(ngx_campaign_campaign_t, template),
    ngx_campaign_record_field(STR, ngx_campaign_campaign_t, from),
    ngx_campaign_record_field(STR, ngx_campaign_campaign_t, text),
    ngx_campaign_record_field(STR, ngx_campaign_campaign_t, payload),
    ngx_campaign_record_field(TIME, ngx_campaign_campaign_t, schedule),
    ngx_campaign_record_field(U32, ngx_campaign_campaign_t, validity),
    ngx_campaign_record_field(U64, ngx_campaign_campaign_t, list),
    ngx_campaign_record_field(U32, ngx_campaign_campaign_t, span),
    ngx_campaign_record_field(UINT, ngx_campaign_campaign_t, rec.apart),
    ngx_campaign_record_end
};

/* status: its true one, as in `hook`; its name is the word of its event: an account has one of each */

static const ngx_campaign_codec_field_t  ngx_campaign_record_webhook[] = {
    ngx_campaign_record_head,
    ngx_campaign_record_field(UINT, ngx_campaign_webhook_t, event),
    ngx_campaign_record_field(STR, ngx_campaign_webhook_t, url),
    ngx_campaign_record_field(STR, ngx_campaign_webhook_t, secret),
    ngx_campaign_record_field(UINT, ngx_campaign_webhook_t, hex),
    ngx_campaign_record_end
};


static const ngx_campaign_record_kind_t  ngx_campaign_record_kinds[NGX_CAMPAIGN_KIND_MAX] = {

    [NGX_CAMPAIGN_ACCOUNT] = { ngx_campaign_record_account, sizeof(ngx_campaign_account_t),
        NGX_CAMPAIGN_FACET_STATUS, NGX_CAMPAIGN_UNIQUE_ACCOUNT, ngx_string("account-") },

    [NGX_CAMPAIGN_KEY] = { ngx_campaign_record_api_key, sizeof(ngx_campaign_key_t),
        NGX_CAMPAIGN_FACET_STATUS, NGX_CAMPAIGN_UNIQUE_NOT, ngx_null_string },

    [NGX_CAMPAIGN_SENDER] = { ngx_campaign_record_sender, sizeof(ngx_campaign_sender_t),
        NGX_CAMPAIGN_FACET_CHANNEL, NGX_CAMPAIGN_UNIQUE_CHANNEL, ngx_string("sender-") },

    [NGX_CAMPAIGN_TEMPLATE] = { ngx_campaign_record_template, sizeof(ngx_campaign_text_t),
        NGX_CAMPAIGN_FACET_CHANNEL, NGX_CAMPAIGN_UNIQUE_ACCOUNT, ngx_string("template-") },

    [NGX_CAMPAIGN_AUDIENCE] = { ngx_campaign_record_audience, sizeof(ngx_campaign_audience_t),
        NGX_CAMPAIGN_FACET_CHANNEL, NGX_CAMPAIGN_UNIQUE_ACCOUNT, ngx_string("audience-") },

    [NGX_CAMPAIGN_CAMPAIGN] = { ngx_campaign_record_campaign, sizeof(ngx_campaign_campaign_t),
        NGX_CAMPAIGN_FACET_CHANNEL|NGX_CAMPAIGN_FACET_STATUS, NGX_CAMPAIGN_UNIQUE_ACCOUNT, ngx_string("campaign-") },

    [NGX_CAMPAIGN_WEBHOOK] = { ngx_campaign_record_webhook, sizeof(ngx_campaign_webhook_t),
        0, NGX_CAMPAIGN_UNIQUE_ACCOUNT, ngx_string("webhook-") },
};


size_t
ngx_campaign_lmdb_record_size(ngx_campaign_kind_e kind)
{
    return kind < NGX_CAMPAIGN_KIND_MAX ? ngx_campaign_record_kinds[kind].size : 0;
}


ngx_campaign_rc_e
ngx_campaign_lmdb_number(ngx_campaign_txn_t *t, ngx_campaign_kind_e kind, uint64_t *no)
{
    u_char             key[2];
    uint64_t           last;
    ngx_campaign_rc_e  rc;

    key[0] = 0;
    key[1] = (u_char) kind;

    rc = ngx_campaign_lmdb_counter_get(t, NGX_CAMPAIGN_DB_META, key, 2, &last);
    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    if (last >= (kind == NGX_CAMPAIGN_ACCOUNT ? UINT32_MAX : NGX_CAMPAIGN_RECORD_NO_MAX)) {
        return ngx_campaign_lmdb_failed(t, MDB_CORRUPTED, "last number of a kind");
    }

    *no = last + 1;

    return ngx_campaign_record_counter_put(t, NGX_CAMPAIGN_DB_META, key, 2, *no);
}


ngx_campaign_rc_e
ngx_campaign_lmdb_record_get(ngx_campaign_txn_t *t, ngx_campaign_kind_e kind, uint32_t account, uint64_t no, ngx_pool_t *pool, void *out)
{
    int                                rc;
    u_char                             key[NGX_CAMPAIGN_RECORD_KEY];
    MDB_val                            value;
    ngx_int_t                          unpacked;
    ngx_campaign_rec_t                *rec;
    const ngx_campaign_record_kind_t  *k;

    ngx_campaign_record_key(key, kind, account, no);

    rc = ngx_campaign_lmdb_get(t, NGX_CAMPAIGN_DB_REC, key, NGX_CAMPAIGN_RECORD_KEY, &value);

    if (rc == MDB_NOTFOUND) {
        return NGX_CAMPAIGN_NOT_FOUND;
    }

    if (rc != 0) {
        return ngx_campaign_lmdb_failed(t, rc, "record");
    }

    k = &ngx_campaign_record_kinds[kind];
    ngx_memzero(out, k->size);

    unpacked = ngx_campaign_codec_unpack(value.mv_data, value.mv_size, k->fields, out);

    if (unpacked != NGX_OK) {
        return ngx_campaign_lmdb_failed(t, unpacked == NGX_DECLINED ? MDB_VERSION_MISMATCH : MDB_CORRUPTED, "record");
    }

    rec = out;
    rec->no = no;
    rec->account = account;

    ngx_campaign_id_make(t->store->secret, kind, no, 0, rec->id);

    return pool ? ngx_campaign_record_copy(t, k, pool, out) : NGX_CAMPAIGN_OK;
}


/* strings out of the map */

static ngx_campaign_rc_e
ngx_campaign_record_copy(ngx_campaign_txn_t *t, const ngx_campaign_record_kind_t *k, ngx_pool_t *pool, void *rec)
{
    size_t                             len;
    u_char                            *p;
    ngx_str_t                         *s;
    const ngx_campaign_codec_field_t  *f;

    for (len = 0, f = k->fields; f->type != NGX_CAMPAIGN_CODEC_END; f++) {
        if (f->type == NGX_CAMPAIGN_CODEC_STR) {
            len += ((ngx_str_t *) ((u_char *) rec + f->offset))->len;
        }
    }

    p = ngx_pnalloc(pool, len + 1);
    if (p == NULL) {
        return ngx_campaign_lmdb_failed(t, ENOMEM, "copy of a record");
    }

    for (f = k->fields; f->type != NGX_CAMPAIGN_CODEC_END; f++) {
        if (f->type == NGX_CAMPAIGN_CODEC_STR) {
            s = (ngx_str_t *) ((u_char *) rec + f->offset);

            if (s->len) {
                ngx_memcpy(p, s->data, s->len);
            }

            s->data = p;
            p += s->len;
        }
    }

    return NGX_CAMPAIGN_OK;
}


ngx_campaign_rc_e
ngx_campaign_lmdb_record_find(ngx_campaign_txn_t *t, ngx_campaign_kind_e kind, uint32_t account, const u_char *id, ngx_pool_t *pool,
    void *out)
{
    uint32_t           zero;
    uint64_t           no;
    ngx_campaign_rc_e  rc;

    if (ngx_campaign_id_open(t->store->secret, kind, id, &no, &zero) != NGX_OK || zero != 0) {
        return NGX_CAMPAIGN_NOT_FOUND;
    }

    rc = ngx_campaign_lmdb_record_get(t, kind, account, no, pool, out);

    return (rc == NGX_CAMPAIGN_OK && ((ngx_campaign_rec_t *) out)->apart) ? NGX_CAMPAIGN_NOT_FOUND : rc;
}


ngx_campaign_rc_e
ngx_campaign_lmdb_record_name(ngx_campaign_txn_t *t, ngx_campaign_kind_e kind, const ngx_campaign_rec_t *rec)
{
    uint64_t           no;
    ngx_campaign_rc_e  rc;

    rc = ngx_campaign_lmdb_record_name_find(t, kind, rec, &no);

    if (rc == NGX_CAMPAIGN_NOT_FOUND) {
        return NGX_CAMPAIGN_OK;
    }

    return (rc == NGX_CAMPAIGN_OK && no != rec->no) ? NGX_CAMPAIGN_EXISTS : rc;
}


ngx_campaign_rc_e
ngx_campaign_lmdb_record_name_find(ngx_campaign_txn_t *t, ngx_campaign_kind_e kind, const ngx_campaign_rec_t *rec, uint64_t *no)
{
    int      rc;
    u_char   key[NGX_CAMPAIGN_NAME_KEY];
    size_t   len;
    MDB_val  value;

    len = ngx_campaign_lmdb_record_name_key(key, kind, rec, &rec->name);
    if (len == 0) {
        return NGX_CAMPAIGN_NOT_FOUND;
    }

    rc = ngx_campaign_lmdb_get(t, NGX_CAMPAIGN_DB_NAME, key, len, &value);

    if (rc == MDB_NOTFOUND) {
        return NGX_CAMPAIGN_NOT_FOUND;
    }

    if (rc != 0 || value.mv_size != 8) {
        return ngx_campaign_lmdb_failed(t, rc ? rc : MDB_CORRUPTED, "name");
    }

    *no = ngx_campaign_be64_get(value.mv_data);

    return NGX_CAMPAIGN_OK;
}


ngx_campaign_rc_e
ngx_campaign_lmdb_record_fits(ngx_campaign_txn_t *t, ngx_campaign_kind_e kind, const ngx_campaign_rec_t *rec)
{
    if (rec->name.len > NGX_CAMPAIGN_RECORD_NAME_MAX
        || rec->channel.len > NGX_CAMPAIGN_CHANNEL_MAX
        || ngx_campaign_codec_size(ngx_campaign_record_kinds[kind].fields, rec) > NGX_CAMPAIGN_RECORD_MAX - NGX_CAMPAIGN_RECORD_NAME_MAX)
    {
        if (!t->quiet) {
            ngx_log_error(NGX_LOG_ALERT, t->log, 0, "record of kind %ui is too long for the store", (ngx_uint_t) kind);
        }

        return NGX_CAMPAIGN_FAILURE;
    }

    return NGX_CAMPAIGN_OK;
}


ngx_campaign_rc_e
ngx_campaign_lmdb_record_create(ngx_campaign_txn_t *t, ngx_campaign_kind_e kind, void *rec, ngx_pool_t *pool)
{
    u_char               key[NGX_CAMPAIGN_NAME_KEY];
    size_t               len;
    ngx_campaign_rc_e    rc;
    ngx_campaign_rec_t  *head;

    head = rec;
    head->no = 0;
    head->created = (time_t) (t->now / 1000000);
    head->updated = head->created;

    rc = ngx_campaign_lmdb_record_fits(t, kind, head);

    if (rc == NGX_CAMPAIGN_OK && head->name.len == 0 && !head->apart
        && ngx_campaign_record_kinds[kind].unique != NGX_CAMPAIGN_UNIQUE_NOT)
    {
        rc = ngx_campaign_record_assign(t, kind, head, pool);
    }

    if (rc == NGX_CAMPAIGN_OK) {
        rc = ngx_campaign_lmdb_number(t, kind, &head->no);
    }

    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    ngx_campaign_id_make(t->store->secret, kind, head->no, 0, head->id);

    rc = ngx_campaign_record_write(t, kind, head);

    if (rc == NGX_CAMPAIGN_OK) {
        len = ngx_campaign_lmdb_record_name_key(key, kind, head, &head->name);
        rc = ngx_campaign_record_name_write(t, key, len, head->no);
    }

    if (rc == NGX_CAMPAIGN_OK && kind == NGX_CAMPAIGN_KEY) {
        rc = ngx_campaign_record_key_write(t, rec);
    }

    return rc == NGX_CAMPAIGN_OK ? ngx_campaign_record_lists(t, kind, head, 0, 1) : rc;
}


/* numbers of assigned names count in each account apart: a record's own would tell how many others have */

static ngx_campaign_rc_e
ngx_campaign_record_assign(ngx_campaign_txn_t *t, ngx_campaign_kind_e kind, ngx_campaign_rec_t *rec, ngx_pool_t *pool)
{
    u_char             key[6], *p;
    uint64_t           last;
    const ngx_str_t   *prefix;
    ngx_campaign_rc_e  rc;

    prefix = &ngx_campaign_record_kinds[kind].prefix;

    p = ngx_pnalloc(pool, prefix->len + NGX_CAMPAIGN_NUMBER_LEN);
    if (p == NULL) {
        return ngx_campaign_lmdb_failed(t, ENOMEM, "name of a record");
    }

    key[0] = 1;
    key[1] = (u_char) kind;
    ngx_campaign_be32_put(&key[2], rec->account);

    rc = ngx_campaign_lmdb_counter_get(t, NGX_CAMPAIGN_DB_META, key, 6, &last);
    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    if (last >= NGX_CAMPAIGN_RECORD_NAMED_MAX) {
        return ngx_campaign_lmdb_failed(t, MDB_CORRUPTED, "last number in a name");
    }

    rec->name.data = p;
    p = ngx_cpymem(p, prefix->data, prefix->len);

    do {
        rec->name.len = ngx_campaign_number_print(p, ++last) - rec->name.data;
        rc = ngx_campaign_lmdb_record_name(t, kind, rec);

    } while (rc == NGX_CAMPAIGN_EXISTS);

    return rc == NGX_CAMPAIGN_OK ? ngx_campaign_record_counter_put(t, NGX_CAMPAIGN_DB_META, key, 6, last) : rc;
}


ngx_campaign_rc_e
ngx_campaign_lmdb_record_update(ngx_campaign_txn_t *t, ngx_campaign_kind_e kind, void *rec)
{
    ngx_campaign_rc_e  rc;

    rc = ngx_campaign_lmdb_record_fits(t, kind, rec);

    return rc == NGX_CAMPAIGN_OK ? ngx_campaign_record_write(t, kind, rec) : rc;
}


ngx_campaign_rc_e
ngx_campaign_lmdb_record_rename(ngx_campaign_txn_t *t, ngx_campaign_kind_e kind, const ngx_campaign_rec_t *rec, const ngx_str_t *old)
{
    int     rc;
    u_char  from[NGX_CAMPAIGN_NAME_KEY], to[NGX_CAMPAIGN_NAME_KEY];
    size_t  from_len, to_len;

    from_len = ngx_campaign_lmdb_record_name_key(from, kind, rec, old);
    to_len = ngx_campaign_lmdb_record_name_key(to, kind, rec, &rec->name);

    if (from_len == to_len && ngx_memcmp(from, to, to_len) == 0) {
        return NGX_CAMPAIGN_OK;
    }

    if (from_len) {
        rc = ngx_campaign_lmdb_del(t, NGX_CAMPAIGN_DB_NAME, from, from_len);
        if (rc != 0) {
            return ngx_campaign_lmdb_failed(t, rc == MDB_NOTFOUND ? MDB_CORRUPTED : rc, "old name");
        }
    }

    return ngx_campaign_record_name_write(t, to, to_len, rec->no);
}


ngx_campaign_rc_e
ngx_campaign_lmdb_record_move(ngx_campaign_txn_t *t, ngx_campaign_kind_e kind, const ngx_campaign_rec_t *rec, ngx_uint_t old,
    ngx_uint_t now)
{
    u_char              channel[NGX_CAMPAIGN_CHANNEL_MAX];
    ngx_campaign_rc_e   rc;
    ngx_campaign_rec_t  moved;

    if (old == now) {
        return NGX_CAMPAIGN_OK;
    }

    ngx_campaign_record_keep(&moved, rec, channel);
    moved.status = old;

    rc = ngx_campaign_record_lists(t, kind, &moved, NGX_CAMPAIGN_FACET_STATUS, 0);
    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    moved.status = now;

    return ngx_campaign_record_lists(t, kind, &moved, NGX_CAMPAIGN_FACET_STATUS, 1);
}


ngx_campaign_rc_e
ngx_campaign_lmdb_record_delete(ngx_campaign_txn_t *t, ngx_campaign_kind_e kind, const ngx_campaign_rec_t *rec)
{
    int                 rc;
    u_char              key[NGX_CAMPAIGN_RECORD_KEY], name[NGX_CAMPAIGN_NAME_KEY], channel[NGX_CAMPAIGN_CHANNEL_MAX];
    size_t              len;
    ngx_campaign_rec_t  gone;

    ngx_campaign_record_keep(&gone, rec, channel);
    ngx_campaign_record_key(key, kind, rec->account, rec->no);
    len = ngx_campaign_lmdb_record_name_key(name, kind, rec, &rec->name);

    rc = ngx_campaign_lmdb_del(t, NGX_CAMPAIGN_DB_REC, key, NGX_CAMPAIGN_RECORD_KEY);

    if (rc == 0 && len) {
        rc = ngx_campaign_lmdb_del(t, NGX_CAMPAIGN_DB_NAME, name, len);
    }

    if (rc == 0 && kind == NGX_CAMPAIGN_KEY) {
        rc = ngx_campaign_lmdb_del(t, NGX_CAMPAIGN_DB_KEY, ((const ngx_campaign_key_t *) rec)->hash, 32);
    }

    if (rc != 0) {
        return ngx_campaign_lmdb_failed(t, rc == MDB_NOTFOUND ? MDB_CORRUPTED : rc, "record to delete");
    }

    return ngx_campaign_record_lists(t, kind, &gone, 0, 0);
}


/* a head without its name whose channel does not point into the map: the first write may move that */

static void
ngx_campaign_record_keep(ngx_campaign_rec_t *kept, const ngx_campaign_rec_t *rec, u_char *channel)
{
    *kept = *rec;

    ngx_str_null(&kept->name);

    kept->channel.len = ngx_min(rec->channel.len, NGX_CAMPAIGN_CHANNEL_MAX);
    kept->channel.data = channel;

    if (kept->channel.len) {
        ngx_memcpy(channel, rec->channel.data, kept->channel.len);
    }
}


ngx_campaign_rc_e
ngx_campaign_lmdb_key_find(ngx_campaign_txn_t *t, const u_char *hash, uint32_t *account, uint64_t *no)
{
    int      rc;
    u_char  *p;
    MDB_val  value;

    rc = ngx_campaign_lmdb_get(t, NGX_CAMPAIGN_DB_KEY, hash, 32, &value);

    if (rc == MDB_NOTFOUND) {
        return NGX_CAMPAIGN_NOT_FOUND;
    }

    if (rc != 0 || value.mv_size != 12) {
        return ngx_campaign_lmdb_failed(t, rc ? rc : MDB_CORRUPTED, "API key");
    }

    p = value.mv_data;
    *account = ngx_campaign_be32_get(p);
    *no = ngx_campaign_be64_get(p + 4);

    return NGX_CAMPAIGN_OK;
}


static ngx_campaign_rc_e
ngx_campaign_record_write(ngx_campaign_txn_t *t, ngx_campaign_kind_e kind, const ngx_campaign_rec_t *rec)
{
    int      rc;
    u_char   key[NGX_CAMPAIGN_RECORD_KEY], value[NGX_CAMPAIGN_RECORD_MAX];
    u_char  *end;

    ngx_campaign_record_key(key, kind, rec->account, rec->no);
    end = ngx_campaign_codec_pack(value, ngx_campaign_record_kinds[kind].fields, rec);

    rc = ngx_campaign_lmdb_put(t, NGX_CAMPAIGN_DB_REC, key, NGX_CAMPAIGN_RECORD_KEY, value, end - value);

    return rc == 0 ? NGX_CAMPAIGN_OK : ngx_campaign_lmdb_failed(t, rc, "record");
}


static ngx_campaign_rc_e
ngx_campaign_record_name_write(ngx_campaign_txn_t *t, const u_char *key, size_t len, uint64_t no)
{
    return len ? ngx_campaign_record_counter_put(t, NGX_CAMPAIGN_DB_NAME, key, len, no) : NGX_CAMPAIGN_OK;
}


static ngx_campaign_rc_e
ngx_campaign_record_key_write(ngx_campaign_txn_t *t, const ngx_campaign_key_t *key)
{
    int     rc;
    u_char  value[12];

    ngx_campaign_be64_put(ngx_campaign_be32_put(value, key->rec.account), key->rec.no);

    rc = ngx_campaign_lmdb_put(t, NGX_CAMPAIGN_DB_KEY, key->hash, 32, value, 12);

    return rc == 0 ? NGX_CAMPAIGN_OK : ngx_campaign_lmdb_failed(t, rc, "API key");
}


/* into, or out of, every list of the kind whose facet has the bits of `must` */

static ngx_campaign_rc_e
ngx_campaign_record_lists(ngx_campaign_txn_t *t, ngx_campaign_kind_e kind, const ngx_campaign_rec_t *rec, ngx_uint_t must, ngx_uint_t add)
{
    u_char             key[NGX_CAMPAIGN_LIST_KEY];
    size_t             len;
    ngx_uint_t         facet;
    ngx_campaign_rc_e  rc;

    for (facet = 0; facet < NGX_CAMPAIGN_FACETS; facet++) {
        len = ((facet & must) == must) ? ngx_campaign_lmdb_record_facet(key, kind, rec, facet) : 0;

        if (len == 0) {
            continue;
        }

        rc = ngx_campaign_record_list(t, key, len, rec->no, add);
        if (rc != NGX_CAMPAIGN_OK) {
            return rc;
        }
    }

    return NGX_CAMPAIGN_OK;
}


size_t
ngx_campaign_lmdb_record_facet(u_char *key, ngx_campaign_kind_e kind, const ngx_campaign_rec_t *rec, ngx_uint_t facet)
{
    ngx_uint_t  facets;

    static const ngx_str_t  none = ngx_null_string;

    facets = ngx_campaign_record_kinds[kind].facets;

    if (rec->channel.len == 0) {
        facets &= ~(ngx_uint_t) NGX_CAMPAIGN_FACET_CHANNEL;
    }

    if (rec->status == 0) {
        facets &= ~(ngx_uint_t) NGX_CAMPAIGN_FACET_STATUS;
    }

    if (facet & ~facets) {
        return 0;
    }

    return ngx_campaign_lmdb_record_list(key, ngx_campaign_record_listed(kind, rec), rec->account,
                                         (facet & NGX_CAMPAIGN_FACET_CHANNEL) ? &rec->channel : &none,
                                         (facet & NGX_CAMPAIGN_FACET_STATUS) ? rec->status : 0);
}


static ngx_campaign_rc_e
ngx_campaign_record_list(ngx_campaign_txn_t *t, u_char *key, size_t len, uint64_t no, ngx_uint_t add)
{
    int                rc;
    uint64_t           count;
    ngx_campaign_rc_e  result;

    result = ngx_campaign_lmdb_counter_get(t, NGX_CAMPAIGN_DB_COUNT, key, len, &count);
    if (result != NGX_CAMPAIGN_OK) {
        return result;
    }

    if (!add && count == 0) {
        return ngx_campaign_lmdb_failed(t, MDB_CORRUPTED, "count of a list");
    }

    result = ngx_campaign_record_counter_put(t, NGX_CAMPAIGN_DB_COUNT, key, len, add ? count + 1 : count - 1);
    if (result != NGX_CAMPAIGN_OK) {
        return result;
    }

    ngx_campaign_be64_put(&key[len], no);

    rc = add ? ngx_campaign_lmdb_put(t, NGX_CAMPAIGN_DB_LIST, key, len + 8, "", 0)
             : ngx_campaign_lmdb_del(t, NGX_CAMPAIGN_DB_LIST, key, len + 8);

    return rc == 0 ? NGX_CAMPAIGN_OK : ngx_campaign_lmdb_failed(t, rc == MDB_NOTFOUND ? MDB_CORRUPTED : rc, "list");
}


static ngx_campaign_kind_e
ngx_campaign_record_listed(ngx_campaign_kind_e kind, const ngx_campaign_rec_t *rec)
{
    return (kind == NGX_CAMPAIGN_CAMPAIGN && rec->apart) ? NGX_CAMPAIGN_MESSAGE : kind;
}


ngx_campaign_rc_e
ngx_campaign_lmdb_counter_get(ngx_campaign_txn_t *t, ngx_campaign_db_e db, const u_char *key, size_t len, uint64_t *value)
{
    int      rc;
    MDB_val  stored;

    rc = ngx_campaign_lmdb_get(t, db, key, len, &stored);

    if (rc == MDB_NOTFOUND) {
        *value = 0;
        return NGX_CAMPAIGN_OK;
    }

    if (rc != 0 || stored.mv_size != 8) {
        return ngx_campaign_lmdb_failed(t, rc ? rc : MDB_CORRUPTED, "counter");
    }

    *value = ngx_campaign_be64_get(stored.mv_data);

    return NGX_CAMPAIGN_OK;
}


static ngx_campaign_rc_e
ngx_campaign_record_counter_put(ngx_campaign_txn_t *t, ngx_campaign_db_e db, const u_char *key, size_t len, uint64_t value)
{
    int     rc;
    u_char  bytes[8];

    ngx_campaign_be64_put(bytes, value);

    rc = ngx_campaign_lmdb_put(t, db, key, len, bytes, 8);

    return rc == 0 ? NGX_CAMPAIGN_OK : ngx_campaign_lmdb_failed(t, rc, "counter or name");
}


size_t
ngx_campaign_lmdb_record_list(u_char *key, ngx_campaign_kind_e kind, uint32_t account, const ngx_str_t *channel, ngx_uint_t status)
{
    u_char  *p;

    p = ngx_campaign_be32_put(key, account);
    *p++ = (u_char) kind;
    *p++ = (u_char) ((channel->len ? NGX_CAMPAIGN_FACET_CHANNEL : 0) | (status ? NGX_CAMPAIGN_FACET_STATUS : 0));

    if (channel->len) {
        *p++ = (u_char) channel->len;
        p = ngx_cpymem(p, channel->data, channel->len);
    }

    if (status) {
        *p++ = (u_char) status;
    }

    return p - key;
}


static void
ngx_campaign_record_key(u_char *key, ngx_campaign_kind_e kind, uint32_t account, uint64_t no)
{
    u_char  *p;

    p = ngx_campaign_be32_put(key, account);
    *p++ = (u_char) kind;
    ngx_campaign_be64_put(p, no);
}


size_t
ngx_campaign_lmdb_record_name_key(u_char *key, ngx_campaign_kind_e kind, const ngx_campaign_rec_t *rec, const ngx_str_t *name)
{
    u_char      *p;
    size_t       n;
    ngx_uint_t   unique;

    unique = ngx_campaign_record_kinds[kind].unique;
    n = unique == NGX_CAMPAIGN_UNIQUE_CHANNEL ? rec->channel.len : 0;

    if (unique == NGX_CAMPAIGN_UNIQUE_NOT
        || name->len == 0 || name->len > NGX_CAMPAIGN_RECORD_NAME_MAX || n > NGX_CAMPAIGN_CHANNEL_MAX)
    {
        return 0;
    }

    p = ngx_campaign_be32_put(key, rec->account);
    *p++ = (u_char) kind;
    *p++ = (u_char) n;

    if (n) {
        p = ngx_cpymem(p, rec->channel.data, n);
    }

    p = ngx_cpymem(p, name->data, name->len);

    return p - key;
}
