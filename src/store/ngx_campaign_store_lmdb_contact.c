
/*
 * Operations on an audience's contacts: import, and one of them looked at, changed, deleted.  It keeps true: a number stands once in an
 * audience; an audience's count is that of its living contacts, at most NGX_CAMPAIGN_RECIPIENTS_MAX; a contact keeps its place for ever.
 */

#include "ngx_campaign_store_lmdb_contact.h"


typedef struct {
    u_char                     audience[NGX_CAMPAIGN_ID_LEN];
    u_char                     id[NGX_CAMPAIGN_ID_LEN];
    uint32_t                   account;
    ngx_uint_t                 mask;
    ngx_campaign_contact_t     given;           /* as the caller gave it: out is the result */
    ngx_campaign_member_t     *out;
} ngx_campaign_contact_args_t;


static ngx_campaign_contact_args_t *ngx_campaign_contact_args(ngx_campaign_op_t *op, uint32_t account, u_char *audience, u_char *id);
static ngx_campaign_rc_e ngx_campaign_contact_import_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args);
static ngx_campaign_rc_e ngx_campaign_contact_import_sifted(ngx_campaign_txn_t *t, ngx_campaign_import_t *import,
    ngx_campaign_audience_t *a, const ngx_campaign_sift_t *sift);
static ngx_campaign_rc_e ngx_campaign_contact_get_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args);
static ngx_campaign_rc_e ngx_campaign_contact_find(ngx_campaign_txn_t *t, ngx_campaign_contact_args_t *ca, ngx_pool_t *pool,
    ngx_campaign_audience_t *a, uint32_t *seq, ngx_campaign_contact_t *contact);
static ngx_campaign_rc_e ngx_campaign_contact_change_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args);
static ngx_campaign_rc_e ngx_campaign_contact_delete_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args);


ngx_int_t
ngx_campaign_store_import(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_import_t *import)
{
    return ngx_campaign_lmdb_write_room(st, op, ngx_campaign_contact_import_work, import, NGX_CAMPAIGN_ROOM_NEW);
}


ngx_int_t
ngx_campaign_store_contact(ngx_campaign_store_t *st, ngx_campaign_op_t *op, uint32_t account, u_char *audience, u_char *id,
    ngx_campaign_member_t *out)
{
    ngx_campaign_contact_args_t  *ca;

    ca = ngx_campaign_contact_args(op, account, audience, id);
    if (ca == NULL) {
        return NGX_ERROR;
    }

    ca->out = out;

    return ngx_campaign_lmdb_read(st, op, ngx_campaign_contact_get_work, ca);
}


ngx_int_t
ngx_campaign_store_contact_change(ngx_campaign_store_t *st, ngx_campaign_op_t *op, uint32_t account, u_char *audience,
    ngx_campaign_member_t *member, ngx_uint_t mask)
{
    ngx_campaign_contact_args_t  *ca;

    ca = ngx_campaign_contact_args(op, account, audience, member->id);
    if (ca == NULL) {
        return NGX_ERROR;
    }

    ca->mask = mask;
    ca->given = member->contact;
    ca->out = member;

    return ngx_campaign_lmdb_write_room(st, op, ngx_campaign_contact_change_work, ca, NGX_CAMPAIGN_ROOM_NEW);
}


ngx_int_t
ngx_campaign_store_contact_delete(ngx_campaign_store_t *st, ngx_campaign_op_t *op, uint32_t account, u_char *audience, u_char *id)
{
    ngx_campaign_contact_args_t  *ca;

    ca = ngx_campaign_contact_args(op, account, audience, id);
    if (ca == NULL) {
        return NGX_ERROR;
    }

    return ngx_campaign_lmdb_write(st, op, ngx_campaign_contact_delete_work, ca);
}


static ngx_campaign_contact_args_t *
ngx_campaign_contact_args(ngx_campaign_op_t *op, uint32_t account, u_char *audience, u_char *id)
{
    ngx_campaign_contact_args_t  *ca;

    ca = ngx_pcalloc(op->pool, sizeof(ngx_campaign_contact_args_t));
    if (ca == NULL) {
        op->rc = NGX_CAMPAIGN_FAILURE;
        return NULL;
    }

    ca->account = account;
    ngx_memcpy(ca->audience, audience, NGX_CAMPAIGN_ID_LEN);
    ngx_memcpy(ca->id, id, NGX_CAMPAIGN_ID_LEN);

    return ca;
}


static ngx_campaign_rc_e
ngx_campaign_contact_import_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args)
{
    ngx_campaign_import_t *import = args;

    ngx_campaign_rc_e        rc;
    ngx_campaign_sift_t      sift;
    ngx_campaign_audience_t  a;

    import->created = 0;
    import->duplicates = 0;
    ngx_memzero(import->id, NGX_CAMPAIGN_ID_LEN);

    rc = ngx_campaign_lmdb_record_find(t, NGX_CAMPAIGN_AUDIENCE, import->account, import->audience, op->pool, &a);
    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    rc = ngx_campaign_contact_sift(t, NGX_CAMPAIGN_LIST_AUDIENCE(a.rec.no), a.next, import->pile, &sift);
    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    rc = ngx_campaign_contact_import_sifted(t, import, &a, &sift);

    ngx_campaign_contact_sift_free(&sift);

    return rc;
}


static ngx_campaign_rc_e
ngx_campaign_contact_import_sifted(ngx_campaign_txn_t *t, ngx_campaign_import_t *import, ngx_campaign_audience_t *a,
    const ngx_campaign_sift_t *sift)
{
    uint64_t           list;
    ngx_campaign_rc_e  rc;

    list = NGX_CAMPAIGN_LIST_AUDIENCE(a->rec.no);

    import->duplicates = sift->n - sift->fresh;

    if (import->single && import->duplicates) {
        return NGX_CAMPAIGN_EXISTS;
    }

    if (sift->fresh == 0) {
        return NGX_CAMPAIGN_OK;
    }

    if (a->contacts > NGX_CAMPAIGN_RECIPIENTS_MAX || sift->fresh > NGX_CAMPAIGN_RECIPIENTS_MAX - a->contacts) {
        return NGX_CAMPAIGN_TOO_MANY;
    }

    rc = ngx_campaign_contact_store(t, list, a->next, import->pile, sift);
    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    a->contacts += sift->fresh;
    a->next += sift->fresh;
    a->rec.updated = (time_t) (t->now / 1000000);

    rc = ngx_campaign_lmdb_record_update(t, NGX_CAMPAIGN_AUDIENCE, a);
    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    import->created = sift->fresh;
    ngx_campaign_id_make(t->store->secret, NGX_CAMPAIGN_CONTACT, list, a->next - 1, import->id);

    return NGX_CAMPAIGN_OK;
}


static ngx_campaign_rc_e
ngx_campaign_contact_get_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args)
{
    ngx_campaign_contact_args_t *ca = args;

    uint32_t                  seq;
    ngx_campaign_rc_e         rc;
    ngx_campaign_contact_t    contact;
    ngx_campaign_audience_t   a;

    rc = ngx_campaign_contact_find(t, ca, op->pool, &a, &seq, &contact);

    if (rc == NGX_CAMPAIGN_OK) {
        ca->out->contact = contact;
        ngx_memcpy(ca->out->id, ca->id, NGX_CAMPAIGN_ID_LEN);
    }

    return rc;
}


/* a living contact and its audience, their strings in pool */

static ngx_campaign_rc_e
ngx_campaign_contact_find(ngx_campaign_txn_t *t, ngx_campaign_contact_args_t *ca, ngx_pool_t *pool, ngx_campaign_audience_t *a,
    uint32_t *seq, ngx_campaign_contact_t *contact)
{
    uint64_t             list;
    ngx_campaign_rc_e    rc;
    ngx_campaign_walk_t  walk;

    rc = ngx_campaign_lmdb_record_find(t, NGX_CAMPAIGN_AUDIENCE, ca->account, ca->audience, pool, a);
    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    if (ngx_campaign_id_open(t->store->secret, NGX_CAMPAIGN_CONTACT, ca->id, &list, seq) != NGX_OK
        || list != NGX_CAMPAIGN_LIST_AUDIENCE(a->rec.no))
    {
        return NGX_CAMPAIGN_NOT_FOUND;
    }

    ngx_campaign_lmdb_walk_init(&walk, list, *seq);

    rc = ngx_campaign_lmdb_walk_next(t, &walk, contact);
    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    if (contact->deleted) {
        return NGX_CAMPAIGN_NOT_FOUND;
    }

    return ngx_campaign_contact_copy(pool, contact) == NGX_OK ? NGX_CAMPAIGN_OK : NGX_CAMPAIGN_FAILURE;
}


static ngx_campaign_rc_e
ngx_campaign_contact_change_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args)
{
    ngx_campaign_contact_args_t *ca = args;

    uint32_t                  seq;
    uint64_t                  list;
    ngx_uint_t                i;
    ngx_campaign_rc_e         rc;
    ngx_campaign_contact_t    contact;
    ngx_campaign_audience_t   a;

    rc = ngx_campaign_contact_find(t, ca, op->pool, &a, &seq, &contact);
    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    list = NGX_CAMPAIGN_LIST_AUDIENCE(a.rec.no);

    for (i = 0; i < NGX_CAMPAIGN_CONTACT_FIELDS; i++) {
        if (ca->mask & (ngx_uint_t) 1 << i) {
            contact.field[i] = ca->given.field[i];
        }
    }

    if ((ca->mask & NGX_CAMPAIGN_SET_NUMBER) && ca->given.number != contact.number) {

        rc = ngx_campaign_contact_number_find(t, list, ca->given.number);
        if (rc != NGX_CAMPAIGN_NOT_FOUND) {
            return rc == NGX_CAMPAIGN_OK ? NGX_CAMPAIGN_EXISTS : rc;
        }

        contact.number = ca->given.number;
    }

    a.rec.updated = (time_t) (t->now / 1000000);

    rc = ngx_campaign_contact_replace(t, list, seq, &contact);

    if (rc == NGX_CAMPAIGN_OK) {
        rc = ngx_campaign_lmdb_record_update(t, NGX_CAMPAIGN_AUDIENCE, &a);
    }

    if (rc == NGX_CAMPAIGN_OK) {
        ca->out->contact = contact;
    }

    return rc;
}


static ngx_campaign_rc_e
ngx_campaign_contact_delete_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args)
{
    ngx_campaign_contact_args_t *ca = args;

    u_char                    key[2];
    uint32_t                  seq;
    uint64_t                  newest;
    ngx_campaign_rc_e         rc;
    ngx_campaign_contact_t    contact;
    ngx_campaign_audience_t   a;

    rc = ngx_campaign_contact_find(t, ca, op->pool, &a, &seq, &contact);
    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    key[0] = 0;
    key[1] = NGX_CAMPAIGN_CAMPAIGN;

    rc = ngx_campaign_lmdb_counter_get(t, NGX_CAMPAIGN_DB_META, key, 2, &newest);
    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    if (a.contacts == 0) {
        return ngx_campaign_lmdb_failed(t, MDB_CORRUPTED, "count of contacts");
    }

    ngx_memzero(&contact, sizeof(ngx_campaign_contact_t));
    contact.deleted = newest + 1;

    a.contacts--;
    a.rec.updated = (time_t) (t->now / 1000000);

    rc = ngx_campaign_contact_replace(t, NGX_CAMPAIGN_LIST_AUDIENCE(a.rec.no), seq, &contact);

    return rc == NGX_CAMPAIGN_OK ? ngx_campaign_lmdb_record_update(t, NGX_CAMPAIGN_AUDIENCE, &a) : rc;
}


ngx_int_t
ngx_campaign_contact_copy(ngx_pool_t *pool, ngx_campaign_contact_t *contact)
{
    u_char      *p;
    size_t       len;
    ngx_uint_t   i;

    for (len = 0, i = 0; i < NGX_CAMPAIGN_CONTACT_FIELDS; i++) {
        len += contact->field[i].len;
    }

    if (len == 0) {
        return NGX_OK;
    }

    p = ngx_pnalloc(pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < NGX_CAMPAIGN_CONTACT_FIELDS; i++) {
        if (contact->field[i].len) {
            ngx_memcpy(p, contact->field[i].data, contact->field[i].len);
            contact->field[i].data = p;
            p += contact->field[i].len;
        }
    }

    return NGX_OK;
}
