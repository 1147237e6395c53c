
/*
 * Operations on an audience's contacts.  It keeps true: a number stands once in an audience; an audience's count is that of its
 * living contacts, at most NGX_CAMPAIGN_RECIPIENTS_MAX; a page is found by place, so that its cost is the same at any depth.
 */

#include "ngx_campaign_store_lmdb_contact.h"


typedef struct {
    u_char                     audience[NGX_CAMPAIGN_ID_LEN];
    ngx_campaign_page_t       *page;
} ngx_campaign_contacts_args_t;

typedef struct {
    u_char                     audience[NGX_CAMPAIGN_ID_LEN];
    u_char                     id[NGX_CAMPAIGN_ID_LEN];
    uint32_t                   account;
    ngx_campaign_member_t     *out;
} ngx_campaign_contact_args_t;


static ngx_campaign_rc_e ngx_campaign_contact_import_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args);
static ngx_campaign_rc_e ngx_campaign_contact_import_sifted(ngx_campaign_txn_t *t, ngx_campaign_import_t *import,
    ngx_campaign_audience_t *a, const ngx_campaign_sift_t *sift);
static ngx_campaign_rc_e ngx_campaign_contact_page_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args);
static ngx_campaign_rc_e ngx_campaign_contact_page_from(ngx_campaign_txn_t *t, uint64_t list, ngx_campaign_page_t *page,
    ngx_campaign_place_t *place, uint32_t *from, uint32_t *to);
static ngx_campaign_rc_e ngx_campaign_contact_page_fill(ngx_campaign_txn_t *t, uint64_t list, ngx_campaign_page_t *page,
    ngx_pool_t *pool, uint32_t from, uint32_t to, uint32_t *last, ngx_uint_t *more);
static ngx_campaign_rc_e ngx_campaign_contact_page_links(ngx_campaign_txn_t *t, uint64_t list, ngx_campaign_page_t *page,
    ngx_pool_t *pool, uint32_t from, uint32_t last, ngx_uint_t more);
static ngx_campaign_rc_e ngx_campaign_contact_back(ngx_campaign_txn_t *t, uint64_t list, uint32_t before, ngx_uint_t want,
    uint32_t *start, ngx_uint_t *found);
static ngx_campaign_rc_e ngx_campaign_contact_get_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args);
static ngx_int_t ngx_campaign_contact_copy(ngx_pool_t *pool, ngx_campaign_contact_t *contact);


ngx_int_t
ngx_campaign_store_import(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_import_t *import)
{
    return ngx_campaign_lmdb_write(st, op, ngx_campaign_contact_import_work, import);
}


ngx_int_t
ngx_campaign_store_contacts(ngx_campaign_store_t *st, ngx_campaign_op_t *op, u_char *audience, ngx_campaign_page_t *page)
{
    ngx_campaign_contacts_args_t  *args;

    args = ngx_palloc(op->pool, sizeof(ngx_campaign_contacts_args_t));
    if (args == NULL) {
        op->rc = NGX_CAMPAIGN_FAILURE;
        return NGX_ERROR;
    }

    ngx_memcpy(args->audience, audience, NGX_CAMPAIGN_ID_LEN);
    args->page = page;

    return ngx_campaign_lmdb_read(st, op, ngx_campaign_contact_page_work, args);
}


ngx_int_t
ngx_campaign_store_contact(ngx_campaign_store_t *st, ngx_campaign_op_t *op, uint32_t account, u_char *audience, u_char *id,
    ngx_campaign_member_t *out)
{
    ngx_campaign_contact_args_t  *args;

    args = ngx_palloc(op->pool, sizeof(ngx_campaign_contact_args_t));
    if (args == NULL) {
        op->rc = NGX_CAMPAIGN_FAILURE;
        return NGX_ERROR;
    }

    ngx_memcpy(args->audience, audience, NGX_CAMPAIGN_ID_LEN);
    ngx_memcpy(args->id, id, NGX_CAMPAIGN_ID_LEN);
    args->account = account;
    args->out = out;

    return ngx_campaign_lmdb_read(st, op, ngx_campaign_contact_get_work, args);
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
ngx_campaign_contact_page_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args)
{
    ngx_campaign_contacts_args_t *ca = args;

    uint32_t                  from, to, last;
    uint64_t                  list;
    ngx_uint_t                more;
    ngx_campaign_rc_e         rc;
    ngx_campaign_page_t      *page;
    ngx_campaign_place_t      place;
    ngx_campaign_audience_t   a;

    page = ca->page;

    rc = ngx_campaign_lmdb_record_find(t, NGX_CAMPAIGN_AUDIENCE, page->account, ca->audience, NULL, &a);
    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    list = NGX_CAMPAIGN_LIST_AUDIENCE(a.rec.no);

    rc = ngx_campaign_contact_page_from(t, list, page, &place, &from, &to);
    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    page->items = ngx_array_create(op->pool, page->size, sizeof(ngx_campaign_member_t));
    if (page->items == NULL) {
        return NGX_CAMPAIGN_FAILURE;
    }

    page->total = a.contacts;
    page->number = place.number;

    rc = ngx_campaign_contact_page_fill(t, list, page, op->pool, from, to, &last, &more);
    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    return ngx_campaign_contact_page_links(t, list, page, op->pool, from, last, more);
}


/* the page's places are in [*from, *to) */

static ngx_campaign_rc_e
ngx_campaign_contact_page_from(ngx_campaign_txn_t *t, uint64_t list, ngx_campaign_page_t *page, ngx_campaign_place_t *place,
    uint32_t *from, uint32_t *to)
{
    uint32_t           start;
    ngx_uint_t         found;
    ngx_campaign_rc_e  rc;

    *from = 0;
    *to = NGX_MAX_UINT32_VALUE;

    ngx_memzero(place, sizeof(ngx_campaign_place_t));
    place->number = 1;

    if (page->token.len == 0) {
        return NGX_CAMPAIGN_OK;
    }

    if (ngx_campaign_lmdb_token_open(t->store, page, list, place) != NGX_OK || place->key >= NGX_MAX_UINT32_VALUE) {
        return NGX_CAMPAIGN_INVALID;
    }

    if (!place->back) {
        *from = (uint32_t) place->key + 1;
        return NGX_CAMPAIGN_OK;
    }

    rc = ngx_campaign_contact_back(t, list, (uint32_t) place->key, page->size, &start, &found);
    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    *from = start;
    *to = (uint32_t) place->key;

    return NGX_CAMPAIGN_OK;
}


/* *last: place of the page's last item (with none: before its first place); *more: there is a living contact behind it */

static ngx_campaign_rc_e
ngx_campaign_contact_page_fill(ngx_campaign_txn_t *t, uint64_t list, ngx_campaign_page_t *page, ngx_pool_t *pool, uint32_t from,
    uint32_t to, uint32_t *last, ngx_uint_t *more)
{
    uint32_t                 seq;
    ngx_campaign_rc_e        rc;
    ngx_campaign_walk_t      walk;
    ngx_campaign_member_t   *member;
    ngx_campaign_contact_t   contact;

    *last = from ? from - 1 : 0;
    *more = 0;

    ngx_campaign_lmdb_walk_init(&walk, list, from);

    for ( ;; ) {
        seq = walk.seq;

        rc = ngx_campaign_lmdb_walk_next(t, &walk, &contact);

        if (rc == NGX_CAMPAIGN_NOT_FOUND) {
            return NGX_CAMPAIGN_OK;
        }

        if (rc != NGX_CAMPAIGN_OK) {
            return rc;
        }

        if (contact.deleted) {
            continue;
        }

        if (page->items->nelts == page->size || seq >= to) {
            *more = 1;
            return NGX_CAMPAIGN_OK;
        }

        if (ngx_campaign_contact_copy(pool, &contact) != NGX_OK) {
            return NGX_CAMPAIGN_FAILURE;
        }

        member = ngx_array_push(page->items);           /* not NULL: made for page->size */
        member->contact = contact;
        ngx_campaign_id_make(t->store->secret, NGX_CAMPAIGN_CONTACT, list, seq, member->id);

        *last = seq;
    }
}


static ngx_campaign_rc_e
ngx_campaign_contact_page_links(ngx_campaign_txn_t *t, uint64_t list, ngx_campaign_page_t *page, ngx_pool_t *pool, uint32_t from,
    uint32_t last, ngx_uint_t more)
{
    uint32_t              start;
    ngx_uint_t            found;
    ngx_campaign_rc_e     rc;
    ngx_campaign_place_t  place;

    ngx_str_set(&page->first, "");
    page->current = page->token;

    if (page->token.len == 0) {
        ngx_str_set(&page->current, "");
    }

    ngx_str_null(&page->previous);
    ngx_str_null(&page->next);

    if (more) {
        place.back = 0;
        place.key = last;
        place.number = page->number + 1;

        if (ngx_campaign_lmdb_token_make(t->store, pool, page, list, &place, &page->next) != NGX_OK) {
            return NGX_CAMPAIGN_FAILURE;
        }
    }

    rc = ngx_campaign_contact_back(t, list, from, 1, &start, &found);
    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    if (found == 0) {
        page->number = 1;
        return NGX_CAMPAIGN_OK;
    }

    place.back = 1;
    place.key = from;
    place.number = page->number > 1 ? page->number - 1 : 1;

    return ngx_campaign_lmdb_token_make(t->store, pool, page, list, &place, &page->previous) == NGX_OK ? NGX_CAMPAIGN_OK
                                                                                                     : NGX_CAMPAIGN_FAILURE;
}


/* the last `want` living contacts before a place: *start is the place of the first of them; with *found < want it is 0 */

static ngx_campaign_rc_e
ngx_campaign_contact_back(ngx_campaign_txn_t *t, uint64_t list, uint32_t before, ngx_uint_t want, uint32_t *start, ngx_uint_t *found)
{
    uint32_t                 block, seq, living[NGX_CAMPAIGN_BLOCK];
    ngx_uint_t               n;
    ngx_campaign_rc_e        rc;
    ngx_campaign_walk_t      walk;
    ngx_campaign_contact_t   contact;

    *found = 0;

    for (block = (before + NGX_CAMPAIGN_BLOCK - 1) / NGX_CAMPAIGN_BLOCK; block > 0; block--) {

        ngx_campaign_lmdb_walk_init(&walk, list, (block - 1) * NGX_CAMPAIGN_BLOCK);

        for (n = 0, seq = walk.seq; seq < before && seq < block * NGX_CAMPAIGN_BLOCK; seq++) {

            rc = ngx_campaign_lmdb_walk_next(t, &walk, &contact);

            if (rc == NGX_CAMPAIGN_NOT_FOUND) {
                break;
            }

            if (rc != NGX_CAMPAIGN_OK) {
                return rc;
            }

            if (!contact.deleted) {
                living[n++] = seq;
            }
        }

        if (*found + n >= want) {
            *start = living[n - (want - *found)];
            *found = want;
            return NGX_CAMPAIGN_OK;
        }

        *found += n;
    }

    *start = 0;

    return NGX_CAMPAIGN_OK;
}


static ngx_campaign_rc_e
ngx_campaign_contact_get_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args)
{
    ngx_campaign_contact_args_t *ca = args;

    uint32_t                  seq;
    uint64_t                  list;
    ngx_campaign_rc_e         rc;
    ngx_campaign_walk_t       walk;
    ngx_campaign_contact_t    contact;
    ngx_campaign_audience_t   a;

    rc = ngx_campaign_lmdb_record_find(t, NGX_CAMPAIGN_AUDIENCE, ca->account, ca->audience, NULL, &a);
    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    if (ngx_campaign_id_open(t->store->secret, NGX_CAMPAIGN_CONTACT, ca->id, &list, &seq) != NGX_OK
        || list != NGX_CAMPAIGN_LIST_AUDIENCE(a.rec.no))
    {
        return NGX_CAMPAIGN_NOT_FOUND;
    }

    ngx_campaign_lmdb_walk_init(&walk, list, seq);

    rc = ngx_campaign_lmdb_walk_next(t, &walk, &contact);
    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    if (contact.deleted) {
        return NGX_CAMPAIGN_NOT_FOUND;
    }

    if (ngx_campaign_contact_copy(op->pool, &contact) != NGX_OK) {
        return NGX_CAMPAIGN_FAILURE;
    }

    ca->out->contact = contact;
    ngx_memcpy(ca->out->id, ca->id, NGX_CAMPAIGN_ID_LEN);

    return NGX_CAMPAIGN_OK;
}


/* takes a contact's strings out of the map */

static ngx_int_t
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
