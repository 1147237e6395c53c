
/*
 * Suppressions: each belongs to an account that is there and is one of its count; those that expire stand in the order of their dates, and
 * nothing else does.
 */

#include "ngx_campaign_ctl_check.h"
#include "ngx_campaign_store_lmdb_suppress.h"


static void ngx_campaign_check_lapse_key(u_char *lapse, const u_char *key, time_t expires);


void
ngx_campaign_check_suppress(ngx_campaign_check_t *c, const MDB_val *key, const MDB_val *value)
{
    u_char                      count[NGX_CAMPAIGN_LIST_KEY], lapse[NGX_CAMPAIGN_LAPSE_KEY], owner[13];
    size_t                      len;
    ngx_campaign_suppression_t  s;

    static const ngx_str_t      any = ngx_null_string;

    if (!ngx_campaign_check_form(c, NGX_CAMPAIGN_DB_SUPPRESS, key, NGX_CAMPAIGN_SUPPRESS_KEY, value, -1)
        || !ngx_campaign_check_sum(c, NGX_CAMPAIGN_DB_SUPPRESS, key, value))
    {
        return;
    }

    if (ngx_campaign_suppress_unpack(&c->t, key, value, &s) != NGX_CAMPAIGN_OK) {
        ngx_campaign_check_fault(c, NGX_CAMPAIGN_DB_SUPPRESS, key, "no suppression that can be read");
        return;
    }

    len = ngx_campaign_lmdb_record_list(count, NGX_CAMPAIGN_SUPPRESSION, s.account, &any, 0);
    ngx_campaign_check_want(c, NGX_CAMPAIGN_DB_COUNT, count, len, 1);

    ngx_campaign_be32_put(owner, 0);
    owner[4] = NGX_CAMPAIGN_ACCOUNT;
    ngx_campaign_be64_put(&owner[5], s.account);

    if (!ngx_campaign_check_get(c, NGX_CAMPAIGN_DB_REC, owner, sizeof(owner), NULL)) {
        ngx_campaign_check_fault(c, NGX_CAMPAIGN_DB_SUPPRESS, key, "its account %u is not there", s.account);
    }

    if (ngx_campaign_suppress_digits(s.number) != ngx_campaign_be64_get((u_char *) key->mv_data + 4)
        || ((u_char *) key->mv_data)[NGX_CAMPAIGN_SUPPRESS_NUMBER] >= NGX_CAMPAIGN_SUPPRESSIONS_MAX)
    {
        ngx_campaign_check_fault(c, NGX_CAMPAIGN_DB_SUPPRESS, key, "its key is that of no number");
    }

    if (s.expires) {
        ngx_campaign_check_lapse_key(lapse, key->mv_data, s.expires);

        if (!ngx_campaign_check_get(c, NGX_CAMPAIGN_DB_LAPSE, lapse, sizeof(lapse), NULL)) {
            ngx_campaign_check_fault(c, NGX_CAMPAIGN_DB_SUPPRESS, key, "expires, and is not in the order of dates");
        }
    }
}


void
ngx_campaign_check_lapse(ngx_campaign_check_t *c, const MDB_val *key, const MDB_val *value)
{
    u_char                     *p, name[NGX_CAMPAIGN_SUPPRESS_KEY];
    MDB_val                     found, entry;
    ngx_campaign_suppression_t  s;

    if (!ngx_campaign_check_form(c, NGX_CAMPAIGN_DB_LAPSE, key, NGX_CAMPAIGN_LAPSE_KEY, value, 0)) {
        return;
    }

    p = key->mv_data;
    ngx_memcpy(name, p, 4);
    ngx_memcpy(&name[4], p + 12, 9);

    entry.mv_size = sizeof(name);
    entry.mv_data = name;

    if (!ngx_campaign_check_get(c, NGX_CAMPAIGN_DB_SUPPRESS, name, sizeof(name), &found)
        || ngx_campaign_suppress_unpack(&c->t, &entry, &found, &s) != NGX_CAMPAIGN_OK
        || (uint64_t) s.expires != ngx_campaign_be64_get(p + 4))
    {
        ngx_campaign_check_fault(c, NGX_CAMPAIGN_DB_LAPSE, key, "its suppression is not there, or of another date");
    }
}


static void
ngx_campaign_check_lapse_key(u_char *lapse, const u_char *key, time_t expires)
{
    ngx_memcpy(lapse, key, 4);
    ngx_campaign_be64_put(&lapse[4], (uint64_t) expires);
    ngx_memcpy(&lapse[12], key + 4, 9);
}
