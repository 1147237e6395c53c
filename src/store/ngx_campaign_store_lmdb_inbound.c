
/*
 * Inbound messages.  It keeps true: a STOP is on the list of every account that owns the sender it was sent to, or of none; a START lifts only
 * what a STOP put there.  Owners are looked for account by account: about a microsecond each.
 */

#include "ngx_campaign_store_lmdb_event.h"
#include "ngx_campaign_store_lmdb_suppress.h"


static ngx_campaign_rc_e ngx_campaign_inbound_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args);
static ngx_campaign_rc_e ngx_campaign_inbound_owners(ngx_campaign_txn_t *t, const ngx_campaign_inbound_t *in, ngx_array_t *owners);
static ngx_campaign_rc_e ngx_campaign_inbound_owns(ngx_campaign_txn_t *t, const ngx_campaign_inbound_t *in, uint32_t account);
static ngx_campaign_rc_e ngx_campaign_inbound_take(ngx_campaign_txn_t *t, const ngx_campaign_inbound_t *in, uint32_t account);
static ngx_campaign_rc_e ngx_campaign_inbound_tell(ngx_campaign_txn_t *t, const ngx_campaign_inbound_t *in, uint32_t account);


ngx_int_t
ngx_campaign_store_inbound(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_inbound_t *inbound)
{
    return ngx_campaign_lmdb_write(st, op, ngx_campaign_inbound_work, inbound);
}


static ngx_campaign_rc_e
ngx_campaign_inbound_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args)
{
    ngx_campaign_inbound_t *in = args;

    uint32_t           *account;
    ngx_uint_t          i;
    ngx_array_t         owners;
    ngx_campaign_rc_e   rc;

    if (ngx_array_init(&owners, op->pool, 4, sizeof(uint32_t)) != NGX_OK) {
        return NGX_CAMPAIGN_FAILURE;
    }

    rc = ngx_campaign_inbound_owners(t, in, &owners);
    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    in->owners = (uint32_t) owners.nelts;
    account = owners.elts;

    if (in->owners == 0) {
        return NGX_CAMPAIGN_NOT_FOUND;
    }

    for (i = 0; i < owners.nelts; i++) {
        rc = in->number ? ngx_campaign_inbound_take(t, in, account[i]) : NGX_CAMPAIGN_OK;

        if (rc == NGX_CAMPAIGN_OK) {
            rc = ngx_campaign_inbound_tell(t, in, account[i]);
        }

        if (rc != NGX_CAMPAIGN_OK) {
            return rc;
        }
    }

    return NGX_CAMPAIGN_OK;
}


static ngx_campaign_rc_e
ngx_campaign_inbound_owners(ngx_campaign_txn_t *t, const ngx_campaign_inbound_t *in, ngx_array_t *owners)
{
    int                 rc;
    u_char              list[NGX_CAMPAIGN_LIST_KEY];
    size_t              len;
    MDB_val             key, none;
    uint32_t            account, *owner;
    MDB_cursor         *cursor;
    ngx_campaign_rc_e   result;

    static const ngx_str_t  any = ngx_null_string;

    rc = mdb_cursor_open(t->txn, t->store->dbi[NGX_CAMPAIGN_DB_LIST], &cursor);
    if (rc != 0) {
        return ngx_campaign_lmdb_failed(t, rc, "cursor of list");
    }

    len = ngx_campaign_lmdb_record_list(list, NGX_CAMPAIGN_ACCOUNT, 0, &any, 0);
    result = NGX_CAMPAIGN_NOT_FOUND;
    key.mv_size = len;
    key.mv_data = list;

    for (rc = mdb_cursor_get(cursor, &key, &none, MDB_SET_RANGE); rc == 0; rc = mdb_cursor_get(cursor, &key, &none, MDB_NEXT)) {

        if (key.mv_size != len + 8 || ngx_memcmp(key.mv_data, list, len) != 0) {
            break;
        }

        account = (uint32_t) ngx_campaign_be64_get((u_char *) key.mv_data + len);
        result = ngx_campaign_inbound_owns(t, in, account);

        if (result == NGX_CAMPAIGN_OK) {
            owner = ngx_array_push(owners);
            if (owner == NULL) {
                result = NGX_CAMPAIGN_FAILURE;
                break;
            }

            *owner = account;

        } else if (result != NGX_CAMPAIGN_NOT_FOUND) {
            break;
        }
    }

    mdb_cursor_close(cursor);

    if (result != NGX_CAMPAIGN_OK && result != NGX_CAMPAIGN_NOT_FOUND) {
        return result;
    }

    return (rc == 0 || rc == MDB_NOTFOUND) ? NGX_CAMPAIGN_OK : ngx_campaign_lmdb_failed(t, rc, "walk of accounts");
}


/* OK or NOT_FOUND */

static ngx_campaign_rc_e
ngx_campaign_inbound_owns(ngx_campaign_txn_t *t, const ngx_campaign_inbound_t *in, uint32_t account)
{
    uint64_t            no;
    ngx_uint_t          i;
    ngx_campaign_rc_e   rc;
    ngx_campaign_rec_t  rec;

    ngx_memzero(&rec, sizeof(ngx_campaign_rec_t));

    rec.account = account;
    rec.name = in->to;

    if (in->channel.len) {
        rec.channel = in->channel;
        return ngx_campaign_lmdb_record_name_find(t, NGX_CAMPAIGN_SENDER, &rec, &no);
    }

    for (rc = NGX_CAMPAIGN_NOT_FOUND, i = 0; i < in->nchannels && rc == NGX_CAMPAIGN_NOT_FOUND; i++) {
        rec.channel = in->channels[i];
        rc = ngx_campaign_lmdb_record_name_find(t, NGX_CAMPAIGN_SENDER, &rec, &no);
    }

    return rc;
}


static ngx_campaign_rc_e
ngx_campaign_inbound_take(ngx_campaign_txn_t *t, const ngx_campaign_inbound_t *in, uint32_t account)
{
    ngx_uint_t                  n;
    ngx_campaign_suppression_t  s;

    ngx_memzero(&s, sizeof(ngx_campaign_suppression_t));

    s.account = account;
    s.number = in->number;
    s.source = NGX_CAMPAIGN_SOURCE_STOP;

    switch (in->word) {

    case NGX_CAMPAIGN_WORD_STOP:
        s.reason = in->reason;
        return ngx_campaign_suppress_put(t, &s, NULL, &n);      /* there is always room for one without a scope */

    case NGX_CAMPAIGN_WORD_START:
        return ngx_campaign_suppress_del(t, &s, &n);

    default:
        return NGX_CAMPAIGN_OK;
    }
}


/* an event for the account's webhook, if it has one */

static ngx_campaign_rc_e
ngx_campaign_inbound_tell(ngx_campaign_txn_t *t, const ngx_campaign_inbound_t *in, uint32_t account)
{
    ngx_campaign_rc_e      rc;
    ngx_campaign_event_t   e;
    ngx_campaign_hears_t   hears;

    ngx_memzero(&hears, sizeof(ngx_campaign_hears_t));

    rc = ngx_campaign_hears_open(t, &hears, account, NGX_CAMPAIGN_W_MESSAGE);

    if (rc != NGX_CAMPAIGN_OK || hears.webhook == 0) {
        return rc;
    }

    ngx_memzero(&e, sizeof(ngx_campaign_event_t));

    e.event = NGX_CAMPAIGN_W_MESSAGE;
    e.channel = in->channel;
    e.from = in->from;
    e.to = in->to;
    e.text = in->text;

    rc = ngx_campaign_hears_add(t, &hears, &e);

    return rc == NGX_CAMPAIGN_OK ? ngx_campaign_hears_close(t, &hears) : rc;
}
