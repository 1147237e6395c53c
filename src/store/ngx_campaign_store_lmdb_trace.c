
/*
 * The way of a message in the debugging log: a line each time that a transaction changes it, under its id, whoever asked for the change.
 * Lines of a transaction that came to nothing are told by its own line.
 */

#include "ngx_campaign_store_lmdb_turn.h"


#if (NGX_DEBUG)

#define NGX_CAMPAIGN_TRACE_LEN  512


void
ngx_campaign_states_say(ngx_campaign_states_t *x, uint32_t seq, const char *fmt, ...)
{
    u_char   *p, id[NGX_CAMPAIGN_ID_LEN], uuid[NGX_CAMPAIGN_UUID_LEN], what[NGX_CAMPAIGN_TRACE_LEN];
    va_list   args;

    va_start(args, fmt);
    p = ngx_vslprintf(what, what + sizeof(what), fmt, args);
    va_end(args);

    ngx_campaign_id_make(x->t->store->secret, NGX_CAMPAIGN_MESSAGE, x->campaign, seq, id);
    (void) ngx_campaign_uuid_print(uuid, id);

    ngx_log_debug5(NGX_LOG_DEBUG_HTTP, x->t->log, 0, "campaign message %*s: %*s (transaction %uz)", (size_t) NGX_CAMPAIGN_UUID_LEN, uuid,
                   (size_t) (p - what), what, (size_t) mdb_txn_id(x->t->txn));
}


void
ngx_campaign_states_say_event(ngx_campaign_states_t *x, const ngx_campaign_event_t *e)
{
    u_char  id[NGX_CAMPAIGN_ID_LEN], uuid[NGX_CAMPAIGN_UUID_LEN];

    ngx_campaign_event_id(x->t, e, id);
    (void) ngx_campaign_uuid_print(uuid, id);

    ngx_campaign_states_say(x, e->seq, "event %*s of its webhook", (size_t) NGX_CAMPAIGN_UUID_LEN, uuid);
}

#endif
