
/*
 * Delivery receipts.  It keeps true: counters equal states; a message with a final receipt is not sent again, also not after a crash;
 * whatever the order of receipts and answer, the end is the same; what never went to a gateway is not changed by a receipt.
 */

#include "ngx_campaign_store_lmdb_turn.h"
#include "ngx_campaign_state.h"


typedef struct {
    ngx_campaign_state_e   state;               /* of its byte */
    ngx_uint_t             claimed;             /* on its way: the delivery's answer will find it settled */
    ngx_uint_t             attempts;            /* made, one on its way included */
    int64_t                due;                 /* of its repeat, us; 0: none waits */
    unsigned               waits:1;             /* counted as pending */
    unsigned               fresh:1;             /* its segments are not counted */
    unsigned               refused:1;           /* nor are they counted as accepted */
} ngx_campaign_receipt_message_t;


static ngx_campaign_rc_e ngx_campaign_receipt_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args);
static ngx_campaign_rc_e ngx_campaign_receipt_find(ngx_campaign_states_t *x, const ngx_campaign_receipts_t *rs, ngx_campaign_receipt_t *r,
    uint32_t *seq);
static ngx_campaign_rc_e ngx_campaign_receipt_open(ngx_campaign_states_t *x, const ngx_campaign_receipts_t *rs, uint64_t no, uint32_t seq);
static ngx_campaign_rc_e ngx_campaign_receipt_take(ngx_campaign_states_t *x, ngx_campaign_receipt_e receipt, uint32_t seq);
static ngx_campaign_rc_e ngx_campaign_receipt_look(ngx_campaign_states_t *x, uint32_t seq, u_char byte, ngx_campaign_receipt_message_t *m);
static ngx_campaign_rc_e ngx_campaign_receipt_leave(ngx_campaign_states_t *x, uint32_t seq, u_char byte,
    const ngx_campaign_receipt_message_t *m);
static ngx_campaign_rc_e ngx_campaign_receipt_count(ngx_campaign_states_t *x, uint32_t seq, const ngx_campaign_receipt_message_t *m);


ngx_int_t
ngx_campaign_store_receipts(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_receipts_t *receipts)
{
    if (receipts->nreceipts > NGX_CAMPAIGN_RECEIPTS_MAX) {
        ngx_log_error(NGX_LOG_ALERT, op->log, 0, "%ui receipts in one operation", receipts->nreceipts);
        op->rc = NGX_CAMPAIGN_FAILURE;
        return NGX_ERROR;
    }

    return ngx_campaign_lmdb_write(st, op, ngx_campaign_receipt_work, receipts);
}


static ngx_campaign_rc_e
ngx_campaign_receipt_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args)
{
    ngx_campaign_receipts_t *rs = args;

    uint32_t                 seq;
    ngx_uint_t               i;
    ngx_campaign_rc_e        rc;
    ngx_campaign_turn_t      turn;
    ngx_campaign_states_t    x;
    ngx_campaign_receipt_t  *r;

    ngx_memzero(&x, sizeof(ngx_campaign_states_t));
    ngx_memzero(&turn, sizeof(ngx_campaign_turn_t));

    turn.finished = ngx_array_create(op->pool, 1, sizeof(uint64_t));
    if (turn.finished == NULL) {
        return NGX_CAMPAIGN_FAILURE;
    }

    x.t = t;
    x.turn = &turn;
    x.pool = op->pool;

    for (i = 0; i < rs->nreceipts; i++) {
        r = &rs->receipts[i];

        rc = ngx_campaign_receipt_find(&x, rs, r, &seq);

        if (rc == NGX_CAMPAIGN_OK) {
            rc = ngx_campaign_receipt_take(&x, r->receipt, seq);
        }

        if (rc != NGX_CAMPAIGN_OK && rc != NGX_CAMPAIGN_NOT_FOUND) {
            return rc;
        }

        r->rc = rc;
    }

    return NGX_CAMPAIGN_OK;
}


/* opens the campaign of the receipt's message */

static ngx_campaign_rc_e
ngx_campaign_receipt_find(ngx_campaign_states_t *x, const ngx_campaign_receipts_t *rs, ngx_campaign_receipt_t *r, uint32_t *seq)
{
    uint64_t           no;
    ngx_uint_t         i;
    ngx_campaign_rc_e  rc;

    if (r->ours && ngx_campaign_id_open(x->t->store->secret, NGX_CAMPAIGN_MESSAGE, r->id, &no, seq) == NGX_OK) {
        rc = ngx_campaign_receipt_open(x, rs, no, *seq);
        if (rc != NGX_CAMPAIGN_NOT_FOUND) {
            return rc;
        }
    }

    for (i = 0; r->theirs.len && i < rs->nchannels; i++) {
        rc = ngx_campaign_lmdb_ours_get(x->t, &rs->channels[i], &r->theirs, &no, seq);

        if (rc == NGX_CAMPAIGN_OK) {
            rc = ngx_campaign_receipt_open(x, rs, no, *seq);
        }

        if (rc != NGX_CAMPAIGN_NOT_FOUND) {
            return rc;
        }
    }

    return NGX_CAMPAIGN_NOT_FOUND;
}


/* NOT_FOUND: deleted, of another channel, or not claimed yet */

static ngx_campaign_rc_e
ngx_campaign_receipt_open(ngx_campaign_states_t *x, const ngx_campaign_receipts_t *rs, uint64_t no, uint32_t seq)
{
    ngx_uint_t         i;
    ngx_campaign_rc_e  rc;

    rc = ngx_campaign_states_open(x, no);

    if (rc == NGX_CAMPAIGN_OK && seq >= x->run.upto) {
        return NGX_CAMPAIGN_NOT_FOUND;
    }

    if (rc == NGX_CAMPAIGN_OK) {
        rc = ngx_campaign_states_channel(x);
    }

    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    for (i = 0; i < rs->nchannels; i++) {
        if (rs->channels[i].len == x->channel.len && ngx_memcmp(rs->channels[i].data, x->channel.data, x->channel.len) == 0) {
            return NGX_CAMPAIGN_OK;
        }
    }

    return NGX_CAMPAIGN_NOT_FOUND;
}


static ngx_campaign_rc_e
ngx_campaign_receipt_take(ngx_campaign_states_t *x, ngx_campaign_receipt_e receipt, uint32_t seq)
{
    u_char                          *byte;
    ngx_campaign_rc_e                rc;
    ngx_campaign_receipt_message_t   m;

    rc = ngx_campaign_states_byte(x, seq, &byte);

    if (rc == NGX_CAMPAIGN_OK) {
        rc = ngx_campaign_receipt_look(x, seq, *byte, &m);
    }

    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    ngx_campaign_states_trace(x, seq, "receipt: %V%s", ngx_campaign_state_name(ngx_campaign_receipt_state(receipt)),
                              ngx_campaign_receipt_moves(receipt, m.state) ? "" : ", changes nothing");

    if (!ngx_campaign_receipt_moves(receipt, m.state)) {
        return NGX_CAMPAIGN_OK;
    }

    rc = ngx_campaign_receipt_leave(x, seq, *byte, &m);

    if (rc == NGX_CAMPAIGN_OK) {
        rc = ngx_campaign_receipt_count(x, seq, &m);
    }

    if (rc == NGX_CAMPAIGN_OK) {
        rc = ngx_campaign_states_settle(x, byte, ngx_campaign_receipt_state(receipt), ngx_campaign_receipt_reason(receipt));
    }

    return rc == NGX_CAMPAIGN_OK ? ngx_campaign_states_close(x) : rc;
}


/* what is known of the message.  NOT_FOUND: it never went to a gateway */

static ngx_campaign_rc_e
ngx_campaign_receipt_look(ngx_campaign_states_t *x, uint32_t seq, u_char byte, ngx_campaign_receipt_message_t *m)
{
    ngx_uint_t             flags;
    ngx_campaign_rc_e      rc;
    ngx_campaign_reason_e  reason;

    ngx_memzero(m, sizeof(ngx_campaign_receipt_message_t));

    m->state = ngx_campaign_byte_state(byte);
    reason = ngx_campaign_byte_reason(byte);

    switch (m->state) {

    case NGX_CAMPAIGN_S_PENDING:
        m->claimed = 1;
        m->fresh = 1;
        m->refused = 1;
        m->attempts = 1;
        return NGX_CAMPAIGN_OK;

    case NGX_CAMPAIGN_S_SENT:
    case NGX_CAMPAIGN_S_DELIVERED:
        return NGX_CAMPAIGN_OK;

    case NGX_CAMPAIGN_S_FAILED:
        m->refused = (reason != NGX_CAMPAIGN_R_RECEIPT_FAILED && reason != NGX_CAMPAIGN_R_RECEIPT_EXPIRED
                      && reason != NGX_CAMPAIGN_R_RECEIPT_REJECTED);

        if (reason != NGX_CAMPAIGN_R_EXPIRED) {
            return NGX_CAMPAIGN_OK;
        }

        break;

    default:
        m->refused = 1;
    }

    /* not sent in the end; it may have been before */

    m->fresh = 1;

    rc = ngx_campaign_states_tries_get(x, seq, &m->attempts, &flags, &m->due);

    if (rc == NGX_CAMPAIGN_OK && m->state == NGX_CAMPAIGN_S_RETRY) {
        rc = ngx_campaign_states_again_has(x, seq, 0, &m->claimed);
    }

    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    if (m->claimed) {
        m->due = 0;
        m->attempts++;

    } else if (m->state == NGX_CAMPAIGN_S_RETRY) {
        m->waits = (x->run.status != NGX_CAMPAIGN_C_CANCELED);

        if (!m->waits) {
            m->state = NGX_CAMPAIGN_S_CANCELED;         /* a cancel writes no byte */
        }
    }

    return m->attempts ? NGX_CAMPAIGN_OK : NGX_CAMPAIGN_NOT_FOUND;
}


/* out of the counters and tables of where it stands */

static ngx_campaign_rc_e
ngx_campaign_receipt_leave(ngx_campaign_states_t *x, uint32_t seq, u_char byte, const ngx_campaign_receipt_message_t *m)
{
    ngx_uint_t         found;
    ngx_campaign_rc_e  rc;

    if (m->claimed) {
        x->run.progress.enroute--;

    } else if (m->waits) {
        x->run.progress.pending--;
        x->run.progress.again--;

    } else {
        ngx_campaign_states_unsettle(x, byte);
    }

    if (ngx_campaign_byte_state(byte) != NGX_CAMPAIGN_S_RETRY) {
        return NGX_CAMPAIGN_OK;
    }

    rc = ngx_campaign_states_again_del(x, seq, m->due, &found);

    if (rc == NGX_CAMPAIGN_OK && !found) {
        return ngx_campaign_lmdb_failed(x->t, MDB_CORRUPTED, "repeat of a message");
    }

    return rc == NGX_CAMPAIGN_OK ? ngx_campaign_states_tries_put(x, seq, m->attempts, 0, 0) : rc;
}


/* a receipt says that the gateway had it: its segments count, once */

static ngx_campaign_rc_e
ngx_campaign_receipt_count(ngx_campaign_states_t *x, uint32_t seq, const ngx_campaign_receipt_message_t *m)
{
    uint32_t           segments;
    ngx_campaign_rc_e  rc;

    if (!m->fresh && !m->refused) {
        return NGX_CAMPAIGN_OK;
    }

    rc = ngx_campaign_states_segments(x, seq, &segments);
    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    x->run.progress.segments += m->fresh ? segments : 0;
    x->run.progress.accepted += m->refused ? segments : 0;

    return NGX_CAMPAIGN_OK;
}
