
/*
 * Operations on one object: whose key it is, get, what a new campaign refers to, create, change.  It keeps true: an account
 * is created with its first key or not at all; a contact given with an audience is in it from its first moment; the dispatcher hears of
 * every change of an account.
 */

#include "ngx_campaign_store_lmdb_suppress.h"
#include "ngx_campaign_store_lmdb_turn.h"


typedef struct {
    u_char                            *hash;
    ngx_campaign_account_t            *account;
    ngx_campaign_key_t                *key;
} ngx_campaign_object_auth_t;

typedef struct {
    ngx_campaign_kind_e                kind;
    uint32_t                           account;
    u_char                            *id;
    void                              *out;
} ngx_campaign_object_get_t;

typedef struct {
    ngx_campaign_kind_e                kind;
    void                              *rec;
    ngx_str_t                          name;    /* as the caller gave it: a run assigns one to rec */
    ngx_campaign_pile_t               *pile;
} ngx_campaign_object_put_t;

typedef struct {
    ngx_campaign_account_t            *account;
    ngx_campaign_account_t             given;   /* as the caller gave it: account is the result, too */
} ngx_campaign_object_change_t;

typedef struct {
    ngx_campaign_kind_e                kind;
    ngx_uint_t                         mask;
    uint32_t                           account;
    u_char                             id[NGX_CAMPAIGN_ID_LEN];
    ngx_str_t                          name, text;
    void                              *rec;     /* the result, too */
} ngx_campaign_object_update_t;


static ngx_campaign_rc_e ngx_campaign_object_auth_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args);
static ngx_campaign_rc_e ngx_campaign_object_get_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args);
static ngx_campaign_rc_e ngx_campaign_object_resolve_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args);
static ngx_campaign_rc_e ngx_campaign_object_resolve_to(ngx_campaign_txn_t *t, ngx_campaign_refs_t *refs);
static ngx_campaign_rc_e ngx_campaign_object_resolve_from(ngx_campaign_txn_t *t, ngx_campaign_refs_t *refs, ngx_pool_t *pool);
static ngx_campaign_rc_e ngx_campaign_object_put_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args);
static ngx_campaign_rc_e ngx_campaign_object_put_check(ngx_campaign_txn_t *t, ngx_campaign_object_put_t *put);
static ngx_campaign_rc_e ngx_campaign_object_put_first_key(ngx_campaign_txn_t *t, ngx_campaign_account_t *account, ngx_pool_t *pool);
static ngx_campaign_rc_e ngx_campaign_object_put_contacts(ngx_campaign_txn_t *t, ngx_campaign_audience_t *audience,
    ngx_campaign_pile_t *pile);
static ngx_campaign_rc_e ngx_campaign_object_update_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args);
static ngx_campaign_rc_e ngx_campaign_object_account_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args);
static ngx_campaign_rc_e ngx_campaign_object_account_wake(ngx_campaign_txn_t *t, uint32_t account);


ngx_int_t
ngx_campaign_store_auth(ngx_campaign_store_t *st, ngx_campaign_op_t *op, u_char *hash, ngx_campaign_account_t *account,
    ngx_campaign_key_t *key)
{
    ngx_campaign_object_auth_t  *auth;

    auth = ngx_palloc(op->pool, sizeof(ngx_campaign_object_auth_t));
    if (auth == NULL) {
        op->rc = NGX_CAMPAIGN_FAILURE;
        return NGX_ERROR;
    }

    auth->hash = hash;
    auth->account = account;
    auth->key = key;

    return ngx_campaign_lmdb_read(st, op, ngx_campaign_object_auth_work, auth);
}


ngx_int_t
ngx_campaign_store_get(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_kind_e kind, uint32_t account, u_char *id,
    void *out)
{
    ngx_campaign_object_get_t  *get;

    get = ngx_palloc(op->pool, sizeof(ngx_campaign_object_get_t));

    if (get == NULL || ngx_campaign_lmdb_record_size(kind) == 0) {
        op->rc = NGX_CAMPAIGN_FAILURE;
        return NGX_ERROR;
    }

    get->kind = kind;
    get->account = account;
    get->id = id;
    get->out = out;

    return ngx_campaign_lmdb_read(st, op, ngx_campaign_object_get_work, get);
}


ngx_int_t
ngx_campaign_store_resolve(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_refs_t *refs)
{
    return ngx_campaign_lmdb_read(st, op, ngx_campaign_object_resolve_work, refs);
}


ngx_int_t
ngx_campaign_store_put(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_kind_e kind, void *rec, ngx_campaign_pile_t *pile)
{
    ngx_campaign_rec_t         *head;
    ngx_campaign_object_put_t  *put;

    put = ngx_palloc(op->pool, sizeof(ngx_campaign_object_put_t));

    if (put == NULL || kind == NGX_CAMPAIGN_CAMPAIGN || ngx_campaign_lmdb_record_size(kind) == 0) {
        op->rc = NGX_CAMPAIGN_FAILURE;
        return NGX_ERROR;
    }

    head = rec;

    put->kind = kind;
    put->rec = rec;
    put->name = head->name;
    put->pile = pile;

    return ngx_campaign_lmdb_write_room(st, op, ngx_campaign_object_put_work, put, NGX_CAMPAIGN_ROOM_NEW);
}


ngx_int_t
ngx_campaign_store_account(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_account_t *account)
{
    ngx_campaign_object_change_t  *change;

    change = ngx_palloc(op->pool, sizeof(ngx_campaign_object_change_t));
    if (change == NULL) {
        op->rc = NGX_CAMPAIGN_FAILURE;
        return NGX_ERROR;
    }

    change->account = account;
    change->given = *account;

    return ngx_campaign_lmdb_write(st, op, ngx_campaign_object_account_work, change);
}


ngx_int_t
ngx_campaign_store_update(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_kind_e kind, void *rec, ngx_uint_t mask)
{
    ngx_campaign_rec_t            *head;
    ngx_campaign_object_update_t  *update;

    update = ngx_pcalloc(op->pool, sizeof(ngx_campaign_object_update_t));

    if (update == NULL || (kind != NGX_CAMPAIGN_AUDIENCE && kind != NGX_CAMPAIGN_TEMPLATE)) {
        op->rc = NGX_CAMPAIGN_FAILURE;
        return NGX_ERROR;
    }

    head = rec;

    update->kind = kind;
    update->mask = mask;
    update->account = head->account;
    update->name = head->name;
    update->rec = rec;
    ngx_memcpy(update->id, head->id, NGX_CAMPAIGN_ID_LEN);

    if (kind == NGX_CAMPAIGN_TEMPLATE) {
        update->text = ((ngx_campaign_text_t *) rec)->text;
    }

    return ngx_campaign_lmdb_write_room(st, op, ngx_campaign_object_update_work, update, NGX_CAMPAIGN_ROOM_NEW);
}


static ngx_campaign_rc_e
ngx_campaign_object_auth_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args)
{
    ngx_campaign_object_auth_t *auth = args;

    uint32_t                 account;
    uint64_t                 no;
    ngx_campaign_rc_e        rc;
    ngx_campaign_key_t       key;
    ngx_campaign_account_t   owner;

    ngx_memzero(&owner, sizeof(ngx_campaign_account_t));

    rc = ngx_campaign_lmdb_key_find(t, auth->hash, &account, &no);
    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    rc = ngx_campaign_lmdb_record_get(t, NGX_CAMPAIGN_KEY, account, no, op->pool, &key);

    if (rc == NGX_CAMPAIGN_OK) {

        if (key.rec.status != NGX_CAMPAIGN_A_ACTIVE || (key.expires && key.expires <= t->now / 1000000)) {
            return NGX_CAMPAIGN_NOT_FOUND;
        }

        rc = ngx_campaign_lmdb_record_get(t, NGX_CAMPAIGN_ACCOUNT, 0, account, op->pool, &owner);
    }

    if (rc != NGX_CAMPAIGN_OK) {
        return rc == NGX_CAMPAIGN_NOT_FOUND ? ngx_campaign_lmdb_failed(t, MDB_CORRUPTED, "record of an API key or its account") : rc;
    }

    *auth->key = key;
    *auth->account = owner;

    return NGX_CAMPAIGN_OK;
}


static ngx_campaign_rc_e
ngx_campaign_object_get_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args)
{
    ngx_campaign_object_get_t *get = args;

    ngx_campaign_rc_e    rc;
    ngx_campaign_rec_t  *rec;

    rec = get->out;

    rc = ngx_campaign_lmdb_record_find(t, get->kind, get->account, get->id, op->pool, get->out);

    if (rc == NGX_CAMPAIGN_OK && get->kind == NGX_CAMPAIGN_WEBHOOK) {
        return ngx_campaign_lmdb_webhook_queue(t, get->out);
    }

    if (rc != NGX_CAMPAIGN_OK || get->kind != NGX_CAMPAIGN_CAMPAIGN) {
        return rc;
    }

    return ngx_campaign_lmdb_campaign_get(t, get->account, rec->no, op->pool, get->out);
}


static ngx_campaign_rc_e
ngx_campaign_object_resolve_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args)
{
    ngx_campaign_refs_t *refs = args;

    ngx_campaign_rec_t  rec;

    refs->audience_rc = NGX_CAMPAIGN_OK;
    refs->template_rc = NGX_CAMPAIGN_OK;
    refs->from_rc = NGX_CAMPAIGN_OK;
    refs->name_rc = NGX_CAMPAIGN_OK;
    refs->blocked = 0;

    ngx_memzero(&refs->found_audience, sizeof(ngx_campaign_audience_t));
    ngx_memzero(&refs->found_template, sizeof(ngx_campaign_text_t));
    ngx_memzero(&refs->found_from, sizeof(ngx_campaign_sender_t));

    if (refs->name.len) {
        ngx_memzero(&rec, sizeof(ngx_campaign_rec_t));

        rec.account = refs->account;
        rec.name = refs->name;

        refs->name_rc = ngx_campaign_lmdb_record_name(t, NGX_CAMPAIGN_CAMPAIGN, &rec);
        if (refs->name_rc != NGX_CAMPAIGN_OK && refs->name_rc != NGX_CAMPAIGN_EXISTS) {
            return refs->name_rc;
        }
    }

    if (refs->audience) {
        refs->audience_rc = ngx_campaign_lmdb_record_find(t, NGX_CAMPAIGN_AUDIENCE, refs->account, refs->audience, op->pool,
                                                          &refs->found_audience);
        if (refs->audience_rc != NGX_CAMPAIGN_OK && refs->audience_rc != NGX_CAMPAIGN_NOT_FOUND) {
            return refs->audience_rc;
        }
    }

    if (refs->template) {
        refs->template_rc = ngx_campaign_lmdb_record_find(t, NGX_CAMPAIGN_TEMPLATE, refs->account, refs->template, op->pool,
                                                          &refs->found_template);
        if (refs->template_rc != NGX_CAMPAIGN_OK && refs->template_rc != NGX_CAMPAIGN_NOT_FOUND) {
            return refs->template_rc;
        }
    }

    if (refs->from.len == 0) {
        return NGX_CAMPAIGN_OK;
    }

    refs->from_rc = ngx_campaign_object_resolve_from(t, refs, op->pool);

    if (refs->from_rc != NGX_CAMPAIGN_OK) {
        return refs->from_rc == NGX_CAMPAIGN_NOT_FOUND ? NGX_CAMPAIGN_OK : refs->from_rc;
    }

    return ngx_campaign_object_resolve_to(t, refs);
}


static ngx_campaign_rc_e
ngx_campaign_object_resolve_to(ngx_campaign_txn_t *t, ngx_campaign_refs_t *refs)
{
    ngx_uint_t           i, blocked;
    ngx_campaign_rc_e    rc;
    ngx_campaign_gate_t  gate;

    if (refs->nto == 0) {
        return NGX_CAMPAIGN_OK;
    }

    rc = ngx_campaign_gate_open(&gate, t, refs->account, &refs->found_from.rec.channel, &refs->found_from.rec.name);

    for (i = 0; i < refs->nto && rc == NGX_CAMPAIGN_OK; i++) {
        rc = ngx_campaign_gate_pass(&gate, refs->to[i], &blocked);
        refs->blocked |= (uint32_t) blocked << i;
    }

    ngx_campaign_gate_close(&gate);

    return rc;
}


/* the sender's channel: of the request, else of the audience, else of the template */

static ngx_campaign_rc_e
ngx_campaign_object_resolve_from(ngx_campaign_txn_t *t, ngx_campaign_refs_t *refs, ngx_pool_t *pool)
{
    uint64_t            no;
    ngx_campaign_rc_e   rc;
    ngx_campaign_rec_t  rec;

    ngx_memzero(&rec, sizeof(ngx_campaign_rec_t));

    rec.account = refs->account;
    rec.name = refs->from;
    rec.channel = refs->channel;

    if (rec.channel.len == 0) {
        rec.channel = refs->found_audience.rec.channel;
    }

    if (rec.channel.len == 0) {
        rec.channel = refs->found_template.rec.channel;
    }

    rc = ngx_campaign_lmdb_record_name_find(t, NGX_CAMPAIGN_SENDER, &rec, &no);
    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    rc = ngx_campaign_lmdb_record_get(t, NGX_CAMPAIGN_SENDER, refs->account, no, pool, &refs->found_from);

    return rc == NGX_CAMPAIGN_NOT_FOUND ? ngx_campaign_lmdb_failed(t, MDB_CORRUPTED, "record of a sender's name") : rc;
}


static ngx_campaign_rc_e
ngx_campaign_object_put_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args)
{
    ngx_campaign_object_put_t *put = args;

    ngx_campaign_rc_e         rc;
    ngx_campaign_rec_t       *head;
    ngx_campaign_account_t   *account;
    ngx_campaign_audience_t  *audience;

    head = put->rec;
    head->no = 0;
    head->name = put->name;
    head->account = put->kind == NGX_CAMPAIGN_ACCOUNT ? 0 : head->account;

    rc = ngx_campaign_object_put_check(t, put);
    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    switch (put->kind) {

    case NGX_CAMPAIGN_ACCOUNT:
        account = put->rec;
        head->status = head->status ? head->status : NGX_CAMPAIGN_A_ACTIVE;

        rc = ngx_campaign_lmdb_record_create(t, put->kind, put->rec, op->pool);

        if (rc == NGX_CAMPAIGN_OK) {
            rc = ngx_campaign_object_put_first_key(t, account, op->pool);
        }

        return rc == NGX_CAMPAIGN_OK ? ngx_campaign_lmdb_feed(t, NGX_CAMPAIGN_ACCOUNT, 0, head->no) : rc;

    case NGX_CAMPAIGN_AUDIENCE:
        audience = put->rec;
        audience->contacts = 0;
        audience->next = 0;

        rc = ngx_campaign_lmdb_record_create(t, put->kind, put->rec, op->pool);

        if (rc == NGX_CAMPAIGN_OK && put->pile && put->pile->n) {
            rc = ngx_campaign_object_put_contacts(t, audience, put->pile);
        }

        return rc;

    case NGX_CAMPAIGN_KEY:
        head->status = head->status ? head->status : NGX_CAMPAIGN_A_ACTIVE;
        return ngx_campaign_lmdb_record_create(t, put->kind, put->rec, op->pool);

    case NGX_CAMPAIGN_WEBHOOK:
        head->status = NGX_CAMPAIGN_A_ACTIVE;

        rc = ngx_campaign_lmdb_record_create(t, put->kind, put->rec, op->pool);

        return rc == NGX_CAMPAIGN_OK ? ngx_campaign_lmdb_webhook_made(t, put->rec) : rc;

    default:
        return ngx_campaign_lmdb_record_create(t, put->kind, put->rec, op->pool);
    }
}


/* all that may refuse a new record; reads only */

static ngx_campaign_rc_e
ngx_campaign_object_put_check(ngx_campaign_txn_t *t, ngx_campaign_object_put_t *put)
{
    u_char                   hash[32];
    uint32_t                 account;
    uint64_t                 no;
    ngx_campaign_rc_e        rc;
    ngx_campaign_rec_t      *head;
    ngx_campaign_account_t   owner;

    head = put->rec;

    rc = ngx_campaign_lmdb_record_fits(t, put->kind, head);
    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    rc = ngx_campaign_lmdb_record_name(t, put->kind, head);
    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    if (put->kind == NGX_CAMPAIGN_AUDIENCE) {
        return put->pile && put->pile->n > NGX_CAMPAIGN_RECIPIENTS_MAX ? NGX_CAMPAIGN_TOO_MANY : NGX_CAMPAIGN_OK;
    }

    if (put->kind == NGX_CAMPAIGN_KEY) {
        rc = ngx_campaign_lmdb_record_get(t, NGX_CAMPAIGN_ACCOUNT, 0, head->account, NULL, &owner);
        if (rc != NGX_CAMPAIGN_OK) {
            return rc;
        }

        ngx_memcpy(hash, ((ngx_campaign_key_t *) put->rec)->hash, 32);

    } else if (put->kind == NGX_CAMPAIGN_ACCOUNT) {
        ngx_memcpy(hash, ((ngx_campaign_account_t *) put->rec)->key_hash, 32);

    } else {
        return NGX_CAMPAIGN_OK;
    }

    rc = ngx_campaign_lmdb_key_find(t, hash, &account, &no);

    return rc == NGX_CAMPAIGN_OK ? NGX_CAMPAIGN_EXISTS : rc == NGX_CAMPAIGN_NOT_FOUND ? NGX_CAMPAIGN_OK : rc;
}


static ngx_campaign_rc_e
ngx_campaign_object_put_first_key(ngx_campaign_txn_t *t, ngx_campaign_account_t *account, ngx_pool_t *pool)
{
    ngx_campaign_rc_e   rc;
    ngx_campaign_key_t  key;

    ngx_memzero(&key, sizeof(ngx_campaign_key_t));
    ngx_memzero(account->key_id, NGX_CAMPAIGN_ID_LEN);

    if (ngx_memcmp(account->key_hash, key.hash, 32) == 0) {
        return NGX_CAMPAIGN_OK;
    }

    key.rec.account = (uint32_t) account->rec.no;
    key.rec.status = NGX_CAMPAIGN_A_ACTIVE;
    key.scope = NGX_CAMPAIGN_SCOPE_FULL;
    ngx_memcpy(key.hash, account->key_hash, 32);

    rc = ngx_campaign_lmdb_record_create(t, NGX_CAMPAIGN_KEY, &key, pool);

    if (rc == NGX_CAMPAIGN_OK) {
        ngx_memcpy(account->key_id, key.rec.id, NGX_CAMPAIGN_ID_LEN);
    }

    return rc;
}


static ngx_campaign_rc_e
ngx_campaign_object_put_contacts(ngx_campaign_txn_t *t, ngx_campaign_audience_t *audience, ngx_campaign_pile_t *pile)
{
    uint32_t           duplicates;
    ngx_campaign_rc_e  rc;

    rc = ngx_campaign_lmdb_contacts_add(t, NGX_CAMPAIGN_LIST_AUDIENCE(audience->rec.no), &audience->next, pile, 1,
                                        &audience->contacts, &duplicates);
    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    return ngx_campaign_lmdb_record_update(t, NGX_CAMPAIGN_AUDIENCE, audience);
}


static ngx_campaign_rc_e
ngx_campaign_object_update_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args)
{
    ngx_campaign_object_update_t *update = args;

    ngx_str_t           old_name;
    ngx_campaign_rc_e   rc;

    union {
        ngx_campaign_rec_t       head;
        ngx_campaign_text_t      template;
        ngx_campaign_audience_t  audience;
    } u;

    rc = ngx_campaign_lmdb_record_find(t, update->kind, update->account, update->id, op->pool, &u);
    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    old_name = u.head.name;
    u.head.updated = (time_t) (t->now / 1000000);

    if (update->mask & NGX_CAMPAIGN_SET_NAME) {
        u.head.name = update->name;
    }

    if (update->mask & NGX_CAMPAIGN_SET_TEXT) {
        u.template.text = update->text;
    }

    rc = ngx_campaign_lmdb_record_fits(t, update->kind, &u.head);

    if (rc == NGX_CAMPAIGN_OK) {
        rc = ngx_campaign_lmdb_record_name(t, update->kind, &u.head);
    }

    if (rc == NGX_CAMPAIGN_OK) {
        rc = ngx_campaign_lmdb_record_rename(t, update->kind, &u.head, &old_name);
    }

    if (rc == NGX_CAMPAIGN_OK) {
        rc = ngx_campaign_lmdb_record_update(t, update->kind, &u);
    }

    if (rc == NGX_CAMPAIGN_OK) {
        ngx_memcpy(update->rec, &u, ngx_campaign_lmdb_record_size(update->kind));
    }

    return rc;
}


static ngx_campaign_rc_e
ngx_campaign_object_account_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args)
{
    ngx_campaign_object_change_t *change = args;

    ngx_str_t                old_name;
    ngx_uint_t               old_status;
    ngx_campaign_rc_e        rc;
    ngx_campaign_rec_t      *rec;
    ngx_campaign_account_t   a, *given;

    given = &change->given;

    rc = ngx_campaign_lmdb_record_find(t, NGX_CAMPAIGN_ACCOUNT, 0, given->rec.id, op->pool, &a);
    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    rec = &a.rec;
    old_name = rec->name;
    old_status = rec->status;

    if (given->rec.name.len) {
        rec->name = given->rec.name;
    }

    if (given->rec.status) {
        rec->status = given->rec.status;
    }

    rec->updated = (time_t) (t->now / 1000000);

    rc = ngx_campaign_lmdb_record_fits(t, NGX_CAMPAIGN_ACCOUNT, rec);

    if (rc == NGX_CAMPAIGN_OK) {
        rc = ngx_campaign_lmdb_record_name(t, NGX_CAMPAIGN_ACCOUNT, rec);
    }

    if (rc == NGX_CAMPAIGN_OK) {
        rc = ngx_campaign_lmdb_record_rename(t, NGX_CAMPAIGN_ACCOUNT, rec, &old_name);
    }

    if (rc == NGX_CAMPAIGN_OK) {
        rc = ngx_campaign_lmdb_record_move(t, NGX_CAMPAIGN_ACCOUNT, rec, old_status, rec->status);
    }

    if (rc == NGX_CAMPAIGN_OK) {
        rc = ngx_campaign_limit_change(t, &a, given->rate, given->burst);
    }

    if (rc == NGX_CAMPAIGN_OK) {
        a.rate = given->rate;
        a.burst = given->burst;

        rc = ngx_campaign_lmdb_record_update(t, NGX_CAMPAIGN_ACCOUNT, &a);
    }

    if (rc == NGX_CAMPAIGN_OK) {
        rc = ngx_campaign_lmdb_feed(t, NGX_CAMPAIGN_ACCOUNT, 0, rec->no);
    }

    if (rc == NGX_CAMPAIGN_OK && old_status != rec->status && rec->status == NGX_CAMPAIGN_A_ACTIVE) {
        rc = ngx_campaign_object_account_wake(t, (uint32_t) rec->no);
    }

    if (rc == NGX_CAMPAIGN_OK) {
        *change->account = a;
    }

    return rc;
}


/* an account is active again: its dispatcher, who forgot it, has to hear of its campaigns too */

static ngx_campaign_rc_e
ngx_campaign_object_account_wake(ngx_campaign_txn_t *t, uint32_t account)
{
    int                rc;
    u_char            *p, start[12];
    MDB_val            key, none;
    MDB_cursor        *cursor;
    ngx_campaign_rc_e  result;

    rc = mdb_cursor_open(t->txn, t->store->dbi[NGX_CAMPAIGN_DB_ACTIVE], &cursor);
    if (rc != 0) {
        return ngx_campaign_lmdb_failed(t, rc, "cursor of active");
    }

    ngx_campaign_be64_put(ngx_campaign_be32_put(start, account), 0);
    key.mv_size = 12;
    key.mv_data = start;
    result = NGX_CAMPAIGN_OK;

    for (rc = mdb_cursor_get(cursor, &key, &none, MDB_SET_RANGE);
         rc == 0 && result == NGX_CAMPAIGN_OK;
         rc = mdb_cursor_get(cursor, &key, &none, MDB_NEXT))
    {
        p = key.mv_data;

        if (key.mv_size != 12 || ngx_campaign_be32_get(p) != account) {
            break;
        }

        result = ngx_campaign_lmdb_feed(t, NGX_CAMPAIGN_CAMPAIGN, account, ngx_campaign_be64_get(p + 4));
    }

    mdb_cursor_close(cursor);

    if (result == NGX_CAMPAIGN_OK && rc != 0 && rc != MDB_NOTFOUND) {
        result = ngx_campaign_lmdb_failed(t, rc, "walk of active");
    }

    return result;
}
