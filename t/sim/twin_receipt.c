
/*
 * The twin's receipts, and what gateways call its messages.
 */

#include "twin.h"
#include "ngx_campaign_receipt.h"


#define TWIN_NAMES  500                         /* removed in a turn, as by the store */


static ngx_campaign_rc_e twin_receipts_work(ngx_campaign_op_t *op, void *args, int64_t now);
static ngx_campaign_rc_e twin_receipt(const ngx_campaign_receipts_t *rs, const ngx_campaign_receipt_t *r, int64_t now);
static twin_campaign_t *twin_theirs(uint32_t theirs, ngx_uint_t channel, uint32_t *seq);
static ngx_uint_t twin_hears(const ngx_campaign_receipts_t *rs, const twin_campaign_t *c, uint32_t seq);
static ngx_campaign_rc_e twin_receipt_take(twin_campaign_t *c, twin_message_t *m, ngx_campaign_receipt_e receipt, int64_t now);
static void twin_unsettle(twin_campaign_t *c, const twin_message_t *m, ngx_uint_t state);
static uint32_t twin_name(const u_char *text, size_t len);


ngx_int_t
twin_store_receipts(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_receipts_t *receipts)
{
    return twin_write(st, op, twin_receipts_work, receipts);
}


static uint32_t
twin_name(const u_char *text, size_t len)
{
    size_t    i;
    uint32_t  name;

    for (name = 0, i = 2; i < len; i++) {
        name = name * 10 + text[i] - '0';
    }

    return name;
}


void
twin_named(twin_campaign_t *c, twin_message_t *m, const ngx_campaign_outcome_t *o)
{
    if (o->id_len && m->theirs == 0) {
        m->theirs = twin_name(o->id, o->id_len);
        m->named = o->named ? ++twin->names : 0;
        c->names++;
    }
}


/* names of deleted campaigns go with the turns, so many in each */

void
twin_names_step(void)
{
    uint32_t          left, n;
    ngx_uint_t        i;
    twin_campaign_t  *c;

    for (left = TWIN_NAMES, i = 1; i <= twin->ncampaigns && left; i++) {
        c = &twin->campaigns[i];

        if (c->going) {
            n = ngx_min(left, c->names);
            left -= n;
            c->names -= n;
            c->going = (left == 0);             /* there may be more */
        }
    }
}


ngx_uint_t
twin_names_left(void)
{
    ngx_uint_t  i, n;

    for (n = 0, i = 1; i <= twin->ncampaigns; i++) {
        n += twin->campaigns[i].going;
    }

    return n;
}


static ngx_campaign_rc_e
twin_receipts_work(ngx_campaign_op_t *op, void *args, int64_t now)
{
    ngx_campaign_receipts_t *rs = args;

    ngx_uint_t  i;

    for (i = 0; i < rs->nreceipts; i++) {
        rs->receipts[i].rc = twin_receipt(rs, &rs->receipts[i], now);
    }

    return NGX_CAMPAIGN_OK;
}


static ngx_campaign_rc_e
twin_receipt(const ngx_campaign_receipts_t *rs, const ngx_campaign_receipt_t *r, int64_t now)
{
    uint32_t          seq;
    ngx_uint_t        i;
    twin_campaign_t  *c;

    c = r->ours ? twin_campaign(NGX_CAMPAIGN_MESSAGE, r->id, &seq) : NULL;

    for (i = 0; ; i++) {
        if (c && twin_hears(rs, c, seq)) {
            return twin_receipt_take(c, &c->m[seq], r->receipt, now);
        }

        if (r->theirs.len == 0 || i == rs->nchannels) {
            return NGX_CAMPAIGN_NOT_FOUND;
        }

        c = twin_theirs(twin_name(r->theirs.data, r->theirs.len), twin_channel(&rs->channels[i]), &seq);
    }
}


static ngx_uint_t
twin_hears(const ngx_campaign_receipts_t *rs, const twin_campaign_t *c, uint32_t seq)
{
    ngx_uint_t  i;

    for (i = 0; i < rs->nchannels; i++) {
        if (c->no && seq < c->upto && twin_channel(&rs->channels[i]) == c->channel) {
            return 1;
        }
    }

    return 0;
}


/* of those that were given a name the last, also of a campaign that is no more: then it leads to nobody */

static twin_campaign_t *
twin_theirs(uint32_t theirs, ngx_uint_t channel, uint32_t *seq)
{
    uint32_t          i, named;
    ngx_uint_t        n;
    twin_campaign_t  *c, *last;

    for (last = NULL, named = 0, n = 1; n <= twin->ncampaigns; n++) {
        c = &twin->campaigns[n];

        for (i = 0; c->channel == channel && i < c->upto; i++) {
            if (c->m[i].theirs == theirs && c->m[i].named > named) {
                named = c->m[i].named;
                last = c;
                *seq = i;
            }
        }
    }

    return last;
}


static ngx_campaign_rc_e
twin_receipt_take(twin_campaign_t *c, twin_message_t *m, ngx_campaign_receipt_e receipt, int64_t now)
{
    ngx_uint_t  state, unsent, refused;

    state = m->state;
    unsent = 1;
    refused = 1;

    switch (state) {

    case NGX_CAMPAIGN_S_PENDING:
        break;

    case NGX_CAMPAIGN_S_SENT:
    case NGX_CAMPAIGN_S_DELIVERED:
        unsent = 0;
        refused = 0;
        break;

    case NGX_CAMPAIGN_S_FAILED:
        unsent = (m->reason == NGX_CAMPAIGN_R_EXPIRED);
        refused = (m->reason != NGX_CAMPAIGN_R_RECEIPT_FAILED && m->reason != NGX_CAMPAIGN_R_RECEIPT_EXPIRED
                   && m->reason != NGX_CAMPAIGN_R_RECEIPT_REJECTED);
        break;

    case NGX_CAMPAIGN_S_RETRY:
        if (!m->claimed && c->status == NGX_CAMPAIGN_C_CANCELED) {
            state = NGX_CAMPAIGN_S_CANCELED;
        }
        break;

    default:
        break;
    }

    if (unsent && state != NGX_CAMPAIGN_S_PENDING && !m->claimed && m->attempts == 0) {
        return NGX_CAMPAIGN_NOT_FOUND;
    }

    if (!ngx_campaign_receipt_moves(receipt, (ngx_campaign_state_e) state)) {
        return NGX_CAMPAIGN_OK;
    }

    twin_unsettle(c, m, state);

    m->claimed = 0;
    c->p.segments += unsent ? SIM_SEGMENTS : 0;
    c->p.accepted += refused ? SIM_SEGMENTS : 0;

    twin_settle(c, m, ngx_campaign_receipt_state(receipt), ngx_campaign_receipt_reason(receipt));
    (void) twin_close(c, now);

    return NGX_CAMPAIGN_OK;
}


/* out of the counters of where it stands */

static void
twin_unsettle(twin_campaign_t *c, const twin_message_t *m, ngx_uint_t state)
{
    ngx_uint_t  reason;

    if (state == NGX_CAMPAIGN_S_PENDING || m->claimed) {
        c->p.enroute--;
        return;
    }

    if (state == NGX_CAMPAIGN_S_RETRY) {
        c->p.pending--;
        c->p.again--;
        return;
    }

    reason = (state == NGX_CAMPAIGN_S_CANCELED) ? NGX_CAMPAIGN_R_CANCELED : m->reason;

    c->p.sent -= (state == NGX_CAMPAIGN_S_SENT);
    c->p.failed -= (state == NGX_CAMPAIGN_S_FAILED);
    c->p.canceled -= (state == NGX_CAMPAIGN_S_CANCELED);
    c->p.skipped -= (state == NGX_CAMPAIGN_S_SKIPPED);
    c->p.reason[reason] -= (reason != NGX_CAMPAIGN_R_NONE);
    c->p.uncertain -= (reason == NGX_CAMPAIGN_R_UNCERTAIN);
}
