
/*
 * Webhooks: queues and their counts, events and their due times, events that hold up others.
 */

#include "ngx_campaign_ctl_check.h"
#include "ngx_campaign_store_lmdb_event.h"


#define NGX_CAMPAIGN_CHECK_HOLD  20             /* webhook u64, campaign u64, seq u32 */


static void ngx_campaign_check_event_count(u_char *key, uint64_t webhook, ngx_uint_t failed);


void
ngx_campaign_check_hook(ngx_campaign_check_t *c, const MDB_val *key, const MDB_val *value)
{
    u_char                   pair[9];
    uint32_t                 account;
    uint64_t                 webhook;
    ngx_campaign_queue_t     queue;
    ngx_campaign_webhook_t   w;

    if (!ngx_campaign_check_form(c, NGX_CAMPAIGN_DB_HOOK, key, 8, value, -1)) {
        return;
    }

    webhook = ngx_campaign_be64_get(key->mv_data);

    if (ngx_campaign_queue_get(&c->t, webhook, &queue) != NGX_CAMPAIGN_OK) {
        ngx_campaign_check_fault(c, NGX_CAMPAIGN_DB_HOOK, key, "wrong checksum or form");
        return;
    }

    if (!ngx_campaign_check_owner(c, NGX_CAMPAIGN_WEBHOOK, webhook, &account) || account != queue.account) {
        ngx_campaign_check_fault(c, NGX_CAMPAIGN_DB_HOOK, key, "no such webhook of account %u", queue.account);

    } else if (ngx_campaign_check_record(c, NGX_CAMPAIGN_WEBHOOK, account, webhook, &w) && w.rec.status != queue.status) {
        ngx_campaign_check_fault(c, NGX_CAMPAIGN_DB_HOOK, key, "status is %u, its record has %u", (unsigned) queue.status,
                                 (unsigned) w.rec.status);
    }

    ngx_campaign_check_event_count(pair, webhook, 0);
    ngx_campaign_check_have(c, NGX_CAMPAIGN_DB_HOOK, pair, 9, queue.waiting);

    ngx_campaign_check_event_count(pair, webhook, 1);
    ngx_campaign_check_have(c, NGX_CAMPAIGN_DB_HOOK, pair, 9, queue.failed);
}


void
ngx_campaign_check_event(ngx_campaign_check_t *c, const MDB_val *key, const MDB_val *value)
{
    u_char                *p, pair[9], due[NGX_CAMPAIGN_DUE_KEY];
    ngx_campaign_event_t   e;
    ngx_campaign_queue_t   queue;

    if (!ngx_campaign_check_form(c, NGX_CAMPAIGN_DB_EVENT, key, NGX_CAMPAIGN_EVENT_KEY, value, -1)) {
        return;
    }

    p = key->mv_data;

    if (ngx_campaign_event_get(&c->t, ngx_campaign_be64_get(p), ngx_campaign_be64_get(p + 8), NULL, &e) != NGX_CAMPAIGN_OK) {
        ngx_campaign_check_fault(c, NGX_CAMPAIGN_DB_EVENT, key, "wrong checksum or form");
        return;
    }

    ngx_campaign_check_event_count(pair, e.webhook, e.due == NGX_CAMPAIGN_EVENT_NEVER);
    ngx_campaign_check_want(c, NGX_CAMPAIGN_DB_HOOK, pair, 9, 1);

    ngx_campaign_be64_put(ngx_campaign_be64_put(ngx_campaign_be64_put(due, e.webhook), (uint64_t) e.due), e.no);

    if (!ngx_campaign_check_get(c, NGX_CAMPAIGN_DB_DUE, due, NGX_CAMPAIGN_DUE_KEY, NULL)) {
        ngx_campaign_check_fault(c, NGX_CAMPAIGN_DB_EVENT, key, "does not stand under its due time");
    }

    if (ngx_campaign_queue_get(&c->t, e.webhook, &queue) != NGX_CAMPAIGN_OK || e.no > queue.last) {
        ngx_campaign_check_fault(c, NGX_CAMPAIGN_DB_EVENT, key, "its webhook is not there, or has not come to its number");
    }
}


void
ngx_campaign_check_due(ngx_campaign_check_t *c, const MDB_val *key, const MDB_val *value)
{
    u_char                *p;
    ngx_campaign_event_t   e;

    if (!ngx_campaign_check_form(c, NGX_CAMPAIGN_DB_DUE, key, NGX_CAMPAIGN_DUE_KEY, value, 0)) {
        return;
    }

    p = key->mv_data;

    if (ngx_campaign_event_get(&c->t, ngx_campaign_be64_get(p), ngx_campaign_be64_get(p + 16), NULL, &e) != NGX_CAMPAIGN_OK
        || (uint64_t) e.due != ngx_campaign_be64_get(p + 8))
    {
        ngx_campaign_check_fault(c, NGX_CAMPAIGN_DB_DUE, key, "its event is not there, or due at another time");
    }
}


void
ngx_campaign_check_hold(ngx_campaign_check_t *c, const MDB_val *key, const MDB_val *value)
{
    u_char                *p;
    ngx_campaign_event_t   e;

    if (!ngx_campaign_check_form(c, NGX_CAMPAIGN_DB_HOLD, key, NGX_CAMPAIGN_CHECK_HOLD, value, 8)) {
        return;
    }

    p = key->mv_data;

    if (ngx_campaign_event_get(&c->t, ngx_campaign_be64_get(p), ngx_campaign_be64_get(value->mv_data), NULL, &e) != NGX_CAMPAIGN_OK
        || e.due == NGX_CAMPAIGN_EVENT_NEVER || e.campaign != ngx_campaign_be64_get(p + 8) || e.seq != ngx_campaign_be32_get(p + 16))
    {
        ngx_campaign_check_fault(c, NGX_CAMPAIGN_DB_HOLD, key, "its event does not wait, or is another message's");
    }
}


static void
ngx_campaign_check_event_count(u_char *key, uint64_t webhook, ngx_uint_t failed)
{
    *ngx_campaign_be64_put(key, webhook) = (u_char) failed;
}
