
/*
 * What became of messages after they were sent: gateways' ids of them.
 */

#include "ngx_campaign_ctl_check.h"


static ngx_uint_t ngx_campaign_check_channel(ngx_campaign_check_t *c, uint64_t campaign, u_char *channel, size_t *len);


void
ngx_campaign_check_theirs(ngx_campaign_check_t *c, const MDB_val *key, const MDB_val *value)
{
    u_char  *p, byte, channel[NGX_CAMPAIGN_CHANNEL_MAX];
    size_t   len;

    if (!ngx_campaign_check_form(c, NGX_CAMPAIGN_DB_THEIRS, key, 12, value, -1)) {
        return;
    }

    p = key->mv_data;

    if (value->mv_size == 0 || value->mv_size > NGX_CAMPAIGN_GATEWAY_ID_MAX) {
        ngx_campaign_check_fault(c, NGX_CAMPAIGN_DB_THEIRS, key, "an id of %lu bytes", (unsigned long) value->mv_size);
    }

    if (ngx_campaign_check_get(c, NGX_CAMPAIGN_DB_GONE, p, 8, NULL)) {
        return;                                         /* a turn will remove it */
    }

    if (!ngx_campaign_check_channel(c, ngx_campaign_be64_get(p), channel, &len)) {
        ngx_campaign_check_fault(c, NGX_CAMPAIGN_DB_THEIRS, key, "its campaign is not there");
        return;
    }

    if (ngx_campaign_check_of_message(c, NGX_CAMPAIGN_DB_THEIRS, key, ngx_campaign_be64_get(p), ngx_campaign_be32_get(p + 8), &byte)
        && byte == 0)
    {
        ngx_campaign_check_fault(c, NGX_CAMPAIGN_DB_THEIRS, key, "its message has no outcome");
    }
}


/* under the hash of channel and id; the reverse need not be: a receipt may have come, or a newer message is called the same */

void
ngx_campaign_check_ours(ngx_campaign_check_t *c, const MDB_val *key, const MDB_val *value)
{
    u_char   *p, text[1 + NGX_CAMPAIGN_CHANNEL_MAX + NGX_CAMPAIGN_GATEWAY_ID_MAX];
    size_t    len;
    MDB_val   id;

    if (!ngx_campaign_check_form(c, NGX_CAMPAIGN_DB_OURS, key, 8, value, 12)) {
        return;
    }

    p = value->mv_data;

    if (!ngx_campaign_check_get(c, NGX_CAMPAIGN_DB_THEIRS, p, 12, &id)
        || id.mv_size > NGX_CAMPAIGN_GATEWAY_ID_MAX
        || !ngx_campaign_check_channel(c, ngx_campaign_be64_get(p), text + 1, &len))
    {
        ngx_campaign_check_fault(c, NGX_CAMPAIGN_DB_OURS, key, "its message has no such id, or is not there");
        return;
    }

    text[0] = (u_char) len;
    ngx_memcpy(text + 1 + len, id.mv_data, id.mv_size);

    if (ngx_campaign_siphash(c->store.secret, text, 1 + len + id.mv_size) != ngx_campaign_be64_get(key->mv_data)) {
        ngx_campaign_check_fault(c, NGX_CAMPAIGN_DB_OURS, key, "stands under another id");
    }
}


void
ngx_campaign_check_gone(ngx_campaign_check_t *c, const MDB_val *key, const MDB_val *value)
{
    if (!ngx_campaign_check_form(c, NGX_CAMPAIGN_DB_GONE, key, 8, value, -1)) {
        return;
    }

    if (value->mv_size > NGX_CAMPAIGN_CHANNEL_MAX
        || ngx_campaign_check_owner(c, NGX_CAMPAIGN_CAMPAIGN, ngx_campaign_be64_get(key->mv_data), NULL))
    {
        ngx_campaign_check_fault(c, NGX_CAMPAIGN_DB_GONE, key, "its campaign is still there, or its channel is none");
    }
}


/* of a campaign, or of one that was deleted; channel has room for NGX_CAMPAIGN_CHANNEL_MAX bytes */

static ngx_uint_t
ngx_campaign_check_channel(ngx_campaign_check_t *c, uint64_t campaign, u_char *channel, size_t *len)
{
    u_char               key[8];
    MDB_val              value;
    uint32_t             account;
    ngx_campaign_rec_t  *rec;

    rec = c->record;
    ngx_campaign_be64_put(key, campaign);

    if (ngx_campaign_check_owner(c, NGX_CAMPAIGN_CAMPAIGN, campaign, &account)
        && ngx_campaign_check_record(c, NGX_CAMPAIGN_CAMPAIGN, account, campaign, rec))
    {
        value.mv_size = rec->channel.len;
        value.mv_data = rec->channel.data;

    } else if (!ngx_campaign_check_get(c, NGX_CAMPAIGN_DB_GONE, key, 8, &value)) {
        return 0;
    }

    if (value.mv_size > NGX_CAMPAIGN_CHANNEL_MAX) {
        return 0;
    }

    *len = value.mv_size;
    ngx_memcpy(channel, value.mv_data, *len);

    return 1;
}
