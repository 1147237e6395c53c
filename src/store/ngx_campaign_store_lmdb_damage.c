
/*
 * Campaigns and accounts that turns pass over, for what is stored of them is damaged: a checksum is wrong, or something lacks.  It keeps true:
 * one of them stops no other; nothing of it is changed, so that all of it is there when a backup of its record is.  The list is this process's.
 */

#include "ngx_campaign_store_lmdb_turn.h"


#define ngx_campaign_damage_key(kind, no)  ((uint64_t) (kind) << 56 | (no))     /* numbers are less: see ngx_campaign_id.h */


static void ngx_campaign_damage_say(ngx_campaign_states_t *x);


void
ngx_campaign_damage_at(ngx_campaign_states_t *x, ngx_campaign_kind_e kind, uint64_t no)
{
    x->at = kind;
    x->at_no = no;
}


/* the writer adds, the event loop looks, too: an entry is there before it counts */

ngx_uint_t
ngx_campaign_damage_has(ngx_campaign_store_t *st, ngx_campaign_kind_e kind, uint64_t no)
{
    ngx_uint_t  i, n;

    n = __atomic_load_n(&st->ndamaged, __ATOMIC_ACQUIRE);

    for (i = 0; i < n; i++) {
        if (st->damaged[i] == ngx_campaign_damage_key(kind, no)) {
            return 1;
        }
    }

    return 0;
}


ngx_uint_t
ngx_campaign_damage_found(ngx_campaign_states_t *x)
{
    ngx_uint_t             n;
    ngx_campaign_store_t  *st;

    st = x->t->store;
    n = st->ndamaged;

    if ((x->t->err != MDB_CORRUPTED && x->t->err != MDB_PAGE_NOTFOUND) || x->at_no == 0 || n == NGX_CAMPAIGN_DAMAGED_MAX
        || ngx_campaign_damage_has(st, x->at, x->at_no))
    {
        return 0;
    }

    st->damaged[n] = ngx_campaign_damage_key(x->at, x->at_no);
    __atomic_store_n(&st->ndamaged, n + 1, __ATOMIC_RELEASE);

    ngx_campaign_damage_say(x);

    return 1;
}


static void
ngx_campaign_damage_say(ngx_campaign_states_t *x)
{
    u_char  id[NGX_CAMPAIGN_ID_LEN], uuid[NGX_CAMPAIGN_UUID_LEN];

    ngx_campaign_id_make(x->t->store->secret, x->at, x->at_no, 0, id);
    (void) ngx_campaign_uuid_print(uuid, id);

    ngx_log_error(NGX_LOG_CRIT, x->t->log, 0, "campaign store \"%V\": %s %*s is damaged: nothing of it is sent or recorded, others go on; "
                  "\"campaignctl check\" says what is wrong, reload nginx when it is mended", &x->t->store->conf->path,
                  x->at == NGX_CAMPAIGN_ACCOUNT ? "account" : "campaign", (size_t) NGX_CAMPAIGN_UUID_LEN, uuid);
}
