
/*
 * Contacts: blocks without a gap, as many as their list says; an audience's numbers, both ways.
 */

#include "ngx_campaign_ctl_check.h"


static ngx_uint_t ngx_campaign_check_block_contacts(ngx_campaign_check_t *c, const MDB_val *key, const MDB_val *value);
static void ngx_campaign_check_list_grow(ngx_campaign_check_list_t *list);


void
ngx_campaign_check_block(ngx_campaign_check_t *c, const MDB_val *key, const MDB_val *value)
{
    u_char                       *p;
    uint64_t                      list;
    ngx_campaign_check_blocks_t  *b;

    if (!ngx_campaign_check_form(c, NGX_CAMPAIGN_DB_BLOCK, key, 12, value, -1)) {
        return;
    }

    p = key->mv_data;
    b = &c->blocks;
    list = ngx_campaign_be64_get(p);

    if (!b->any || b->list != list) {
        ngx_campaign_check_block_finish(c);

        b->any = 1;
        b->list = list;
    }

    if (ngx_campaign_be32_get(p + 8) != b->blocks) {
        ngx_campaign_check_fault(c, NGX_CAMPAIGN_DB_BLOCK, key, "the block before it is missing");
        b->broken = 1;
    }

    b->blocks = ngx_campaign_be32_get(p + 8) + 1;

    if (b->short_block) {
        ngx_campaign_check_fault(c, NGX_CAMPAIGN_DB_BLOCK, key, "the block before it is not full");
        b->broken = 1;
    }

    if (!ngx_campaign_check_sum(c, NGX_CAMPAIGN_DB_BLOCK, key, value) || !ngx_campaign_check_block_contacts(c, key, value)) {
        b->broken = 1;
    }
}


static ngx_uint_t
ngx_campaign_check_block_contacts(ngx_campaign_check_t *c, const MDB_val *key, const MDB_val *value)
{
    uint32_t                 n;
    const u_char            *p, *end;
    ngx_campaign_contact_t   contact;

    p = value->mv_data;
    end = p + value->mv_size - 4;

    for (n = 0; p < end; n++) {
        p = ngx_campaign_contact_unpack(p, end, &contact);

        if (p == NULL) {
            ngx_campaign_check_fault(c, NGX_CAMPAIGN_DB_BLOCK, key, "contact %u of it is none", n);
            return 0;
        }

        c->blocks.living += (contact.deleted == 0);
    }

    if (n == 0 || n > NGX_CAMPAIGN_BLOCK) {
        ngx_campaign_check_fault(c, NGX_CAMPAIGN_DB_BLOCK, key, "holds %u contacts", n);
        return 0;
    }

    c->blocks.places += n;
    c->blocks.short_block = (n < NGX_CAMPAIGN_BLOCK);

    return 1;
}


/* a list has ended: does its owner know as many? */

void
ngx_campaign_check_block_finish(ngx_campaign_check_t *c)
{
    u_char                       name[8];
    MDB_val                      key;
    uint32_t                     account;
    ngx_campaign_kind_e          kind;
    ngx_campaign_audience_t     *a;
    ngx_campaign_campaign_t     *campaign;
    ngx_campaign_check_blocks_t  b;

    b = c->blocks;
    ngx_memzero(&c->blocks, sizeof(ngx_campaign_check_blocks_t));

    if (!b.any) {
        return;
    }

    ngx_campaign_be64_put(name, b.list);
    key.mv_size = 8;
    key.mv_data = name;

    kind = (b.list & 1) ? NGX_CAMPAIGN_CAMPAIGN : NGX_CAMPAIGN_AUDIENCE;

    if (kind == NGX_CAMPAIGN_AUDIENCE) {
        ngx_campaign_check_want(c, NGX_CAMPAIGN_DB_NUMBER, name, 8, b.living);
    }

    if (!ngx_campaign_check_owner(c, kind, b.list >> 1, &account)) {
        ngx_campaign_check_fault(c, NGX_CAMPAIGN_DB_BLOCK, &key, "its audience or campaign is not there");
        return;
    }

    if (b.broken || !ngx_campaign_check_record(c, kind, account, b.list >> 1, c->record)) {
        return;
    }

    a = c->record;
    campaign = c->record;

    if (kind == NGX_CAMPAIGN_AUDIENCE && (a->contacts != b.living || a->next != b.places)) {
        ngx_campaign_check_fault(c, NGX_CAMPAIGN_DB_BLOCK, &key, "%u contacts at %u places, its audience says %u at %u", b.living, b.places,
                                 a->contacts, a->next);
    }

    if (kind == NGX_CAMPAIGN_CAMPAIGN && (campaign->list != b.list || campaign->span != b.places)) {
        ngx_campaign_check_fault(c, NGX_CAMPAIGN_DB_BLOCK, &key, "%u recipients, its campaign says %u", b.places, campaign->span);
    }
}


void
ngx_campaign_check_number(ngx_campaign_check_t *c, const MDB_val *key, const MDB_val *value)
{
    uint32_t  seq;
    uint64_t  list;

    if (!ngx_campaign_check_form(c, NGX_CAMPAIGN_DB_NUMBER, key, 8, value, 12)) {
        return;
    }

    ngx_campaign_check_have(c, NGX_CAMPAIGN_DB_NUMBER, key->mv_data, 8, 1);

    list = ngx_campaign_be64_get(key->mv_data);
    seq = ngx_campaign_be32_get((u_char *) value->mv_data + 8);

    if (!ngx_campaign_check_list(c, list)) {
        if (!c->list.broken) {
            ngx_campaign_check_fault(c, NGX_CAMPAIGN_DB_NUMBER, key, "the list of place %u is not there", seq);
        }

        return;
    }

    if (seq >= c->list.n || c->list.number[seq] != ngx_campaign_be64_get(value->mv_data)) {
        ngx_campaign_check_fault(c, NGX_CAMPAIGN_DB_NUMBER, key, "place %u holds another number", seq);
    }
}


ngx_uint_t
ngx_campaign_check_list(ngx_campaign_check_t *c, uint64_t list)
{
    ngx_campaign_rc_e           rc;
    ngx_campaign_walk_t         walk;
    ngx_campaign_contact_t      contact;
    ngx_campaign_check_list_t  *l;

    l = &c->list;

    if (!l->loaded || l->list != list) {
        l->list = list;
        l->loaded = 1;
        l->n = 0;

        ngx_campaign_lmdb_walk_init(&walk, list, 0);

        while ((rc = ngx_campaign_lmdb_walk_next(&c->t, &walk, &contact)) == NGX_CAMPAIGN_OK) {

            if (l->n == l->size) {
                ngx_campaign_check_list_grow(l);
            }

            l->number[l->n] = contact.number;
            l->deleted[l->n] = contact.deleted;
            l->n++;
        }

        l->broken = (rc != NGX_CAMPAIGN_NOT_FOUND);
    }

    return l->n && !l->broken;
}


static void
ngx_campaign_check_list_grow(ngx_campaign_check_list_t *list)
{
    uint32_t   size;
    uint64_t  *number, *deleted;

    size = list->size ? list->size * 2 : 1024;

    number = ngx_campaign_check_alloc(size * sizeof(uint64_t));
    deleted = ngx_campaign_check_alloc(size * sizeof(uint64_t));

    if (list->n) {
        ngx_memcpy(number, list->number, list->n * sizeof(uint64_t));
        ngx_memcpy(deleted, list->deleted, list->n * sizeof(uint64_t));
    }

    free(list->number);
    free(list->deleted);

    list->number = number;
    list->deleted = deleted;
    list->size = size;
}
