
/*
 * What gateways call our messages.  It keeps true: an id leads to the newest message of its channel that was given it, and only while that
 * message exists; of a deleted campaign nothing stays, though it goes in steps, a few in each turn.
 *
 * `ours` is kept by a hash of channel and id (SipHash under the store's secret): ids are mostly random, and a small tree dirties fewer
 * pages.  What it says is compared with `theirs`, so that of two ids with one hash the older is not found, and never the wrong message.
 */

#include "ngx_campaign_store_lmdb.h"


#define NGX_CAMPAIGN_THEIRS_KEY   12            /* campaign u64, seq u32 */
#define NGX_CAMPAIGN_THEIRS_STEP  500           /* messages whose ids are removed in one turn: about 2 ms */


static void ngx_campaign_theirs_hash(ngx_campaign_txn_t *t, const ngx_str_t *channel, const u_char *id, size_t len, u_char *key);
static ngx_campaign_rc_e ngx_campaign_theirs_first(ngx_campaign_txn_t *t, uint64_t *campaign, u_char *channel, size_t *len);
static ngx_campaign_rc_e ngx_campaign_theirs_remove(ngx_campaign_txn_t *t, const ngx_str_t *channel, uint64_t campaign, ngx_uint_t *n);
static ngx_campaign_rc_e ngx_campaign_theirs_remove_ours(ngx_campaign_txn_t *t, const ngx_str_t *channel, const u_char *message,
    const MDB_val *id);


ngx_campaign_rc_e
ngx_campaign_lmdb_theirs_put(ngx_campaign_txn_t *t, const ngx_str_t *channel, uint64_t campaign, uint32_t seq, const ngx_str_t *id,
    ngx_uint_t found)
{
    int     rc;
    u_char  key[NGX_CAMPAIGN_THEIRS_KEY], hash[8];

    ngx_campaign_be32_put(ngx_campaign_be64_put(key, campaign), seq);

    rc = ngx_campaign_lmdb_add(t, NGX_CAMPAIGN_DB_THEIRS, key, NGX_CAMPAIGN_THEIRS_KEY, id->data, id->len);

    if (rc == MDB_KEYEXIST) {
        return NGX_CAMPAIGN_OK;
    }

    if (rc == 0 && found) {
        ngx_campaign_theirs_hash(t, channel, id->data, id->len, hash);

        rc = ngx_campaign_lmdb_put(t, NGX_CAMPAIGN_DB_OURS, hash, 8, key, NGX_CAMPAIGN_THEIRS_KEY);
    }

    return rc == 0 ? NGX_CAMPAIGN_OK : ngx_campaign_lmdb_failed(t, rc, "id of a gateway");
}


ngx_campaign_rc_e
ngx_campaign_lmdb_theirs_get(ngx_campaign_txn_t *t, uint64_t campaign, uint32_t seq, ngx_pool_t *pool, ngx_str_t *id)
{
    int      rc;
    u_char   key[NGX_CAMPAIGN_THEIRS_KEY];
    MDB_val  value;

    ngx_str_null(id);

    ngx_campaign_be32_put(ngx_campaign_be64_put(key, campaign), seq);

    rc = ngx_campaign_lmdb_get(t, NGX_CAMPAIGN_DB_THEIRS, key, NGX_CAMPAIGN_THEIRS_KEY, &value);

    if (rc == MDB_NOTFOUND) {
        return NGX_CAMPAIGN_OK;
    }

    if (rc != 0 || value.mv_size == 0 || value.mv_size > NGX_CAMPAIGN_GATEWAY_ID_MAX) {
        return ngx_campaign_lmdb_failed(t, rc ? rc : MDB_CORRUPTED, "id of a gateway");
    }

    id->data = value.mv_data;

    if (pool) {
        id->data = ngx_pnalloc(pool, value.mv_size);
        if (id->data == NULL) {
            return NGX_CAMPAIGN_FAILURE;
        }

        ngx_memcpy(id->data, value.mv_data, value.mv_size);
    }

    id->len = value.mv_size;

    return NGX_CAMPAIGN_OK;
}


ngx_campaign_rc_e
ngx_campaign_lmdb_ours_get(ngx_campaign_txn_t *t, const ngx_str_t *channel, const ngx_str_t *id, uint64_t *campaign, uint32_t *seq)
{
    int                 rc;
    u_char             *p, key[8];
    MDB_val             value;
    ngx_str_t           theirs;
    ngx_campaign_rc_e   result;

    ngx_campaign_theirs_hash(t, channel, id->data, id->len, key);

    rc = ngx_campaign_lmdb_get(t, NGX_CAMPAIGN_DB_OURS, key, 8, &value);

    if (rc == MDB_NOTFOUND) {
        return NGX_CAMPAIGN_NOT_FOUND;
    }

    if (rc != 0 || value.mv_size != NGX_CAMPAIGN_THEIRS_KEY) {
        return ngx_campaign_lmdb_failed(t, rc ? rc : MDB_CORRUPTED, "message of a gateway's id");
    }

    p = value.mv_data;
    *campaign = ngx_campaign_be64_get(p);
    *seq = ngx_campaign_be32_get(p + 8);

    result = ngx_campaign_lmdb_theirs_get(t, *campaign, *seq, NULL, &theirs);
    if (result != NGX_CAMPAIGN_OK) {
        return result;
    }

    return (theirs.len == id->len && ngx_memcmp(theirs.data, id->data, id->len) == 0) ? NGX_CAMPAIGN_OK : NGX_CAMPAIGN_NOT_FOUND;
}


ngx_campaign_rc_e
ngx_campaign_lmdb_theirs_drop(ngx_campaign_txn_t *t, const ngx_campaign_rec_t *campaign)
{
    int      rc;
    u_char   key[8];
    MDB_val  first, none;

    ngx_campaign_be64_put(key, campaign->no);

    first.mv_size = 8;
    first.mv_data = key;

    rc = ngx_campaign_lmdb_first(t, NGX_CAMPAIGN_DB_THEIRS, &first, &none);

    if (rc == MDB_NOTFOUND || (rc == 0 && ngx_memcmp(first.mv_data, key, 8) != 0)) {
        return NGX_CAMPAIGN_OK;
    }

    if (rc == 0) {
        rc = ngx_campaign_lmdb_put(t, NGX_CAMPAIGN_DB_GONE, key, 8, campaign->channel.data, campaign->channel.len);
    }

    return rc == 0 ? NGX_CAMPAIGN_OK : ngx_campaign_lmdb_failed(t, rc, "ids of a deleted campaign");
}


ngx_campaign_rc_e
ngx_campaign_lmdb_theirs_any(ngx_campaign_txn_t *t, ngx_uint_t *any)
{
    size_t             len;
    u_char             channel[NGX_CAMPAIGN_CHANNEL_MAX];
    uint64_t           campaign;
    ngx_campaign_rc_e  rc;

    rc = ngx_campaign_theirs_first(t, &campaign, channel, &len);

    *any = (rc == NGX_CAMPAIGN_OK);

    return rc == NGX_CAMPAIGN_NOT_FOUND ? NGX_CAMPAIGN_OK : rc;
}


ngx_campaign_rc_e
ngx_campaign_lmdb_theirs_step(ngx_campaign_txn_t *t)
{
    int                rc;
    u_char             key[8], name[NGX_CAMPAIGN_CHANNEL_MAX];
    uint64_t           campaign;
    ngx_str_t          channel;
    ngx_uint_t         n;
    ngx_campaign_rc_e  result;

    channel.data = name;

    for (n = NGX_CAMPAIGN_THEIRS_STEP; n; /* void */ ) {

        result = ngx_campaign_theirs_first(t, &campaign, name, &channel.len);
        if (result != NGX_CAMPAIGN_OK) {
            return result == NGX_CAMPAIGN_NOT_FOUND ? NGX_CAMPAIGN_OK : result;
        }

        result = ngx_campaign_theirs_remove(t, &channel, campaign, &n);
        if (result != NGX_CAMPAIGN_OK) {
            return result;
        }

        if (n == 0) {
            break;                                      /* there may be more */
        }

        ngx_campaign_be64_put(key, campaign);

        rc = ngx_campaign_lmdb_del(t, NGX_CAMPAIGN_DB_GONE, key, 8);
        if (rc != 0) {
            return ngx_campaign_lmdb_failed(t, rc, "deleted campaign");
        }
    }

    return NGX_CAMPAIGN_OK;
}


static void
ngx_campaign_theirs_hash(ngx_campaign_txn_t *t, const ngx_str_t *channel, const u_char *id, size_t len, u_char *key)
{
    u_char  *p, text[1 + NGX_CAMPAIGN_CHANNEL_MAX + NGX_CAMPAIGN_GATEWAY_ID_MAX];

    text[0] = (u_char) ngx_min(channel->len, NGX_CAMPAIGN_CHANNEL_MAX);

    p = ngx_cpymem(&text[1], channel->data, text[0]);
    p = ngx_cpymem(p, id, ngx_min(len, NGX_CAMPAIGN_GATEWAY_ID_MAX));

    ngx_campaign_be64_put(key, ngx_campaign_siphash(t->store->secret, text, p - text));
}


/* the first deleted campaign; channel has room for NGX_CAMPAIGN_CHANNEL_MAX bytes */

static ngx_campaign_rc_e
ngx_campaign_theirs_first(ngx_campaign_txn_t *t, uint64_t *campaign, u_char *channel, size_t *len)
{
    int      rc;
    MDB_val  key, value;

    key.mv_size = 0;
    rc = ngx_campaign_lmdb_first(t, NGX_CAMPAIGN_DB_GONE, &key, &value);

    if (rc == MDB_NOTFOUND) {
        return NGX_CAMPAIGN_NOT_FOUND;
    }

    if (rc != 0 || key.mv_size != 8 || value.mv_size > NGX_CAMPAIGN_CHANNEL_MAX) {
        return ngx_campaign_lmdb_failed(t, rc ? rc : MDB_CORRUPTED, "first of gone");
    }

    *campaign = ngx_campaign_be64_get(key.mv_data);
    *len = value.mv_size;
    ngx_memcpy(channel, value.mv_data, *len);

    return NGX_CAMPAIGN_OK;
}


/* ids of a campaign, *n of them at most; what is left of *n is how many were not needed */

static ngx_campaign_rc_e
ngx_campaign_theirs_remove(ngx_campaign_txn_t *t, const ngx_str_t *channel, uint64_t campaign, ngx_uint_t *n)
{
    int                 rc;
    u_char              prefix[8];
    MDB_val             key, id;
    MDB_cursor         *cursor;
    ngx_campaign_rc_e   result;

    rc = mdb_cursor_open(t->txn, t->store->dbi[NGX_CAMPAIGN_DB_THEIRS], &cursor);
    if (rc != 0) {
        return ngx_campaign_lmdb_failed(t, rc, "cursor of theirs");
    }

    ngx_campaign_be64_put(prefix, campaign);

    result = NGX_CAMPAIGN_OK;

    for ( /* void */ ; *n; (*n)--) {
        key.mv_size = 8;
        key.mv_data = prefix;

        rc = mdb_cursor_get(cursor, &key, &id, MDB_SET_RANGE);

        if (rc != 0 || key.mv_size != NGX_CAMPAIGN_THEIRS_KEY || ngx_memcmp(key.mv_data, prefix, 8) != 0) {
            break;
        }

        result = ngx_campaign_theirs_remove_ours(t, channel, key.mv_data, &id);
        if (result != NGX_CAMPAIGN_OK) {
            break;
        }

        rc = mdb_cursor_del(cursor, 0);
        if (rc != 0) {
            break;
        }
    }

    mdb_cursor_close(cursor);

    if (result != NGX_CAMPAIGN_OK) {
        return result;
    }

    return (rc == 0 || rc == MDB_NOTFOUND) ? NGX_CAMPAIGN_OK : ngx_campaign_lmdb_failed(t, rc, "ids of a deleted campaign");
}


/* the same id may lead to a newer message by now */

static ngx_campaign_rc_e
ngx_campaign_theirs_remove_ours(ngx_campaign_txn_t *t, const ngx_str_t *channel, const u_char *message, const MDB_val *id)
{
    int      rc;
    u_char   key[8];
    MDB_val  value;

    ngx_campaign_theirs_hash(t, channel, id->mv_data, id->mv_size, key);

    rc = ngx_campaign_lmdb_get(t, NGX_CAMPAIGN_DB_OURS, key, 8, &value);

    if (rc == MDB_NOTFOUND
        || (rc == 0 && (value.mv_size != NGX_CAMPAIGN_THEIRS_KEY
                        || ngx_memcmp(value.mv_data, message, NGX_CAMPAIGN_THEIRS_KEY) != 0)))
    {
        return NGX_CAMPAIGN_OK;
    }

    if (rc == 0) {
        rc = ngx_campaign_lmdb_del(t, NGX_CAMPAIGN_DB_OURS, key, 8);
    }

    return rc == 0 ? NGX_CAMPAIGN_OK : ngx_campaign_lmdb_failed(t, rc, "message of a gateway's id");
}
