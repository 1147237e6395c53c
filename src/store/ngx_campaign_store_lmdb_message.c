
/*
 * One message: what has become of it, by its id, and canceled before its claim; how many messages an account has.  A message has no record:
 * its id holds its campaign and its place there, its state is a byte of a chunk.  It keeps true: what is shown of messages adds up to their
 * campaign's counters.
 */

#include "ngx_campaign_store_lmdb_turn.h"
#include "ngx_campaign_store_lmdb_contact.h"


typedef struct {
    uint32_t                 account;
    u_char                   id[NGX_CAMPAIGN_ID_LEN];
    ngx_campaign_message_t  *out;
} ngx_campaign_message_args_t;


static ngx_campaign_message_args_t *ngx_campaign_message_args(ngx_campaign_op_t *op, uint32_t account, u_char *id);
static ngx_campaign_rc_e ngx_campaign_message_get_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args);
static ngx_campaign_rc_e ngx_campaign_message_cancel_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args);
static ngx_campaign_rc_e ngx_campaign_message_cancel(ngx_campaign_states_t *x, const ngx_campaign_campaign_t *c, uint32_t seq);
static ngx_campaign_rc_e ngx_campaign_message_uncount(ngx_campaign_states_t *x, uint32_t seq);
static ngx_campaign_rc_e ngx_campaign_message_open(ngx_campaign_states_t *x, ngx_campaign_message_args_t *ma,
    ngx_campaign_campaign_t *c, uint32_t *seq, ngx_campaign_contact_t *contact, ngx_campaign_message_status_e *status,
    ngx_campaign_reason_e *reason);
static size_t ngx_campaign_message_count_key(u_char *key, uint32_t account, const ngx_str_t *channel);
static ngx_campaign_rc_e ngx_campaign_message_count(ngx_campaign_txn_t *t, const u_char *key, size_t len, uint32_t n, ngx_uint_t add);


ngx_int_t
ngx_campaign_store_message(ngx_campaign_store_t *st, ngx_campaign_op_t *op, uint32_t account, u_char *id, ngx_campaign_message_t *out)
{
    ngx_campaign_message_args_t  *ma;

    ma = ngx_campaign_message_args(op, account, id);
    if (ma == NULL) {
        return NGX_ERROR;
    }

    ma->out = out;

    return ngx_campaign_lmdb_read(st, op, ngx_campaign_message_get_work, ma);
}


ngx_int_t
ngx_campaign_store_message_cancel(ngx_campaign_store_t *st, ngx_campaign_op_t *op, uint32_t account, u_char *id)
{
    ngx_campaign_message_args_t  *ma;

    ma = ngx_campaign_message_args(op, account, id);
    if (ma == NULL) {
        return NGX_ERROR;
    }

    return ngx_campaign_lmdb_write(st, op, ngx_campaign_message_cancel_work, ma);
}


static ngx_campaign_message_args_t *
ngx_campaign_message_args(ngx_campaign_op_t *op, uint32_t account, u_char *id)
{
    ngx_campaign_message_args_t  *ma;

    ma = ngx_palloc(op->pool, sizeof(ngx_campaign_message_args_t));
    if (ma == NULL) {
        op->rc = NGX_CAMPAIGN_FAILURE;
        return NULL;
    }

    ma->account = account;
    ma->out = NULL;
    ngx_memcpy(ma->id, id, NGX_CAMPAIGN_ID_LEN);

    return ma;
}


static ngx_campaign_rc_e
ngx_campaign_message_get_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args)
{
    ngx_campaign_message_args_t *ma = args;

    uint32_t                        seq;
    ngx_campaign_rc_e               rc;
    ngx_campaign_reason_e           reason;
    ngx_campaign_states_t           x;
    ngx_campaign_contact_t          contact;
    ngx_campaign_campaign_t         c;
    ngx_campaign_message_status_e   status;

    ngx_memzero(&x, sizeof(ngx_campaign_states_t));

    x.t = t;
    x.pool = op->pool;

    rc = ngx_campaign_message_open(&x, ma, &c, &seq, &contact, &status, &reason);

    if (rc == NGX_CAMPAIGN_OK) {
        rc = ngx_campaign_message_fill(&x, &c, seq, status, reason, ma->out);
    }

    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    if (ngx_campaign_contact_copy(op->pool, &contact) != NGX_OK) {
        return NGX_CAMPAIGN_FAILURE;
    }

    ma->out->contact = contact;

    return NGX_CAMPAIGN_OK;
}


static ngx_campaign_rc_e
ngx_campaign_message_cancel_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args)
{
    ngx_campaign_message_args_t *ma = args;

    uint32_t                        seq;
    ngx_campaign_rc_e               rc;
    ngx_campaign_turn_t             turn;
    ngx_campaign_reason_e           reason;
    ngx_campaign_states_t           x;
    ngx_campaign_contact_t          contact;
    ngx_campaign_campaign_t         c;
    ngx_campaign_message_status_e   status;

    ngx_memzero(&x, sizeof(ngx_campaign_states_t));
    ngx_memzero(&turn, sizeof(ngx_campaign_turn_t));

    turn.finished = ngx_array_create(op->pool, 1, sizeof(uint64_t));
    if (turn.finished == NULL) {
        return NGX_CAMPAIGN_FAILURE;
    }

    x.t = t;
    x.turn = &turn;
    x.pool = op->pool;

    rc = ngx_campaign_message_open(&x, ma, &c, &seq, &contact, &status, &reason);
    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    if (status == NGX_CAMPAIGN_M_CANCELED) {
        return NGX_CAMPAIGN_OK;                         /* a repeated request, say */
    }

    return status == NGX_CAMPAIGN_M_SCHEDULED ? ngx_campaign_message_cancel(&x, &c, seq) : NGX_CAMPAIGN_CONFLICT;
}


/* one that waits; what was sent alone, and waits for its time, is over with its last message */

static ngx_campaign_rc_e
ngx_campaign_message_cancel(ngx_campaign_states_t *x, const ngx_campaign_campaign_t *c, uint32_t seq)
{
    u_char             *byte;
    ngx_campaign_rc_e   rc;

    byte = NULL;
    rc = ngx_campaign_message_uncount(x, seq);

    if (rc == NGX_CAMPAIGN_OK) {
        rc = ngx_campaign_states_byte(x, seq, &byte);
    }

    if (rc == NGX_CAMPAIGN_OK) {
        rc = ngx_campaign_states_settle(x, byte, NGX_CAMPAIGN_S_CANCELED, NGX_CAMPAIGN_R_CANCELED);
    }

    if (rc == NGX_CAMPAIGN_OK && c->rec.apart && x->run.status == NGX_CAMPAIGN_C_SCHEDULED && x->run.progress.pending == 0) {
        rc = ngx_campaign_lmdb_campaign_move(x->t, &c->rec, &x->run, NGX_CAMPAIGN_C_CANCELED);
    }

    return rc == NGX_CAMPAIGN_OK ? ngx_campaign_states_close(x) : rc;
}


/* out of the messages that wait, and of the repeats if it is one */

static ngx_campaign_rc_e
ngx_campaign_message_uncount(ngx_campaign_states_t *x, uint32_t seq)
{
    u_char             *byte;
    int64_t             due;
    ngx_uint_t          attempts, flags, found;
    ngx_campaign_rc_e   rc;

    x->run.progress.pending--;

    rc = ngx_campaign_states_byte(x, seq, &byte);

    if (rc != NGX_CAMPAIGN_OK || ngx_campaign_byte_state(*byte) != NGX_CAMPAIGN_S_RETRY) {
        return rc;
    }

    x->run.progress.again--;

    found = 0;
    rc = ngx_campaign_states_tries_get(x, seq, &attempts, &flags, &due);

    if (rc == NGX_CAMPAIGN_OK) {
        rc = ngx_campaign_states_again_del(x, seq, due, &found);
    }

    if (rc == NGX_CAMPAIGN_OK && !found) {
        return ngx_campaign_lmdb_failed(x->t, MDB_CORRUPTED, "repeat of a message");
    }

    return rc;
}


/* the campaign behind the id, if it is the account's, and the message in it.  c's strings are copies, the contact's point into the map */

static ngx_campaign_rc_e
ngx_campaign_message_open(ngx_campaign_states_t *x, ngx_campaign_message_args_t *ma, ngx_campaign_campaign_t *c, uint32_t *seq,
    ngx_campaign_contact_t *contact, ngx_campaign_message_status_e *status, ngx_campaign_reason_e *reason)
{
    uint64_t             no;
    ngx_campaign_rc_e    rc;
    ngx_campaign_walk_t  walk;

    if (ngx_campaign_id_open(x->t->store->secret, NGX_CAMPAIGN_MESSAGE, ma->id, &no, seq) != NGX_OK) {
        return NGX_CAMPAIGN_NOT_FOUND;
    }

    rc = ngx_campaign_lmdb_campaign_get(x->t, ma->account, no, x->pool, c);
    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    if (*seq >= c->span) {
        return NGX_CAMPAIGN_NOT_FOUND;
    }

    rc = ngx_campaign_states_open(x, no);

    if (rc == NGX_CAMPAIGN_OK) {
        rc = ngx_campaign_message_state(x, *seq, status, reason);
    }

    if (rc != NGX_CAMPAIGN_OK) {
        return rc == NGX_CAMPAIGN_NOT_FOUND ? ngx_campaign_lmdb_failed(x->t, MDB_CORRUPTED, "run of a campaign") : rc;
    }

    ngx_campaign_lmdb_walk_init(&walk, c->list, *seq);

    rc = ngx_campaign_lmdb_walk_next(x->t, &walk, contact);

    if (rc == NGX_CAMPAIGN_NOT_FOUND) {
        ngx_memzero(contact, sizeof(ngx_campaign_contact_t));   /* the audience was deleted after its campaign was over */

    } else if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    if (*status == 0 || (contact->deleted && !ngx_campaign_message_recipient(c, contact))) {
        return NGX_CAMPAIGN_NOT_FOUND;
    }

    return NGX_CAMPAIGN_OK;
}


ngx_campaign_rc_e
ngx_campaign_message_state(ngx_campaign_states_t *x, uint32_t seq, ngx_campaign_message_status_e *status, ngx_campaign_reason_e *reason)
{
    u_char                 *byte;
    ngx_uint_t              claimed;
    ngx_campaign_rc_e       rc;
    ngx_campaign_state_e    state;

    static const ngx_campaign_message_status_e  settled[NGX_CAMPAIGN_S_MAX] = {
        [NGX_CAMPAIGN_S_SENT]      = NGX_CAMPAIGN_M_SENT,
        [NGX_CAMPAIGN_S_DELIVERED] = NGX_CAMPAIGN_M_DELIVERED,
        [NGX_CAMPAIGN_S_FAILED]    = NGX_CAMPAIGN_M_FAILED,
        [NGX_CAMPAIGN_S_CANCELED]  = NGX_CAMPAIGN_M_CANCELED,
        [NGX_CAMPAIGN_S_SKIPPED]   = NGX_CAMPAIGN_M_SKIPPED
    };

    rc = ngx_campaign_states_byte(x, seq, &byte);
    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    state = ngx_campaign_byte_state(*byte);
    *reason = ngx_campaign_byte_reason(*byte);

    if (state != NGX_CAMPAIGN_S_PENDING && state != NGX_CAMPAIGN_S_RETRY) {
        *status = (state == NGX_CAMPAIGN_S_SKIPPED && *reason == NGX_CAMPAIGN_R_NONE) ? 0 : settled[state];
        return NGX_CAMPAIGN_OK;
    }

    claimed = (seq >= x->run.done && seq < x->run.upto);

    if (state == NGX_CAMPAIGN_S_RETRY) {
        rc = ngx_campaign_states_again_has(x, seq, 0, &claimed);
        if (rc != NGX_CAMPAIGN_OK) {
            return rc;
        }
    }

    if (claimed) {
        *status = NGX_CAMPAIGN_M_ENROUTE;

    } else if (x->run.status == NGX_CAMPAIGN_C_CANCELED) {
        *status = NGX_CAMPAIGN_M_CANCELED;              /* a cancel writes no bytes: see the key plan */
        *reason = NGX_CAMPAIGN_R_CANCELED;

    } else {
        *status = NGX_CAMPAIGN_M_SCHEDULED;
    }

    return NGX_CAMPAIGN_OK;
}


ngx_campaign_rc_e
ngx_campaign_message_fill(ngx_campaign_states_t *x, const ngx_campaign_campaign_t *c, uint32_t seq, ngx_campaign_message_status_e status,
    ngx_campaign_reason_e reason, ngx_campaign_message_t *m)
{
    ngx_uint_t         flags;
    ngx_campaign_rc_e  rc;

    m->rec = c->rec;
    m->rec.status = status;
    ngx_str_null(&m->rec.name);
    ngx_campaign_id_make(x->t->store->secret, NGX_CAMPAIGN_MESSAGE, c->rec.no, seq, m->rec.id);

    m->seq = seq;
    m->reason = reason;
    m->from = c->from;
    m->text = c->text;
    m->schedule = c->schedule;

    ngx_memcpy(m->template, c->template, NGX_CAMPAIGN_ID_LEN);

    if (c->rec.apart) {
        ngx_memzero(m->campaign, NGX_CAMPAIGN_ID_LEN);
    } else {
        ngx_memcpy(m->campaign, c->rec.id, NGX_CAMPAIGN_ID_LEN);
    }

    /* tries are noted when there is more than one, or when the one has to be repeated */

    rc = ngx_campaign_states_tries_get(x, seq, &m->attempts, &flags, NULL);
    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    ngx_str_null(&m->gateway_id);

    switch (status) {

    case NGX_CAMPAIGN_M_ENROUTE:
        m->attempts++;
        break;

    case NGX_CAMPAIGN_M_SENT:
    case NGX_CAMPAIGN_M_DELIVERED:
        m->attempts = ngx_max(m->attempts, 1);
        return ngx_campaign_lmdb_theirs_get(x->t, c->rec.no, seq, x->pool, &m->gateway_id);

    case NGX_CAMPAIGN_M_FAILED:
        if (reason != NGX_CAMPAIGN_R_EXPIRED) {
            m->attempts = ngx_max(m->attempts, 1);
        }

        return ngx_campaign_lmdb_theirs_get(x->t, c->rec.no, seq, x->pool, &m->gateway_id);

    default:
        break;
    }

    return NGX_CAMPAIGN_OK;
}


ngx_campaign_rc_e
ngx_campaign_message_total(ngx_campaign_txn_t *t, uint32_t account, const ngx_str_t *channel, uint64_t *total)
{
    u_char  key[NGX_CAMPAIGN_LIST_KEY];
    size_t  len;

    len = ngx_campaign_message_count_key(key, account, channel);

    return ngx_campaign_lmdb_counter_get(t, NGX_CAMPAIGN_DB_COUNT, key, len, total);
}


ngx_campaign_rc_e
ngx_campaign_lmdb_message_count(ngx_campaign_txn_t *t, const ngx_campaign_rec_t *campaign, uint32_t n, ngx_uint_t add)
{
    u_char             all[NGX_CAMPAIGN_LIST_KEY], channel[NGX_CAMPAIGN_LIST_KEY];
    size_t             all_len, channel_len;
    ngx_campaign_rc_e  rc;

    static const ngx_str_t  any = ngx_null_string;

    all_len = ngx_campaign_message_count_key(all, campaign->account, &any);
    channel_len = ngx_campaign_message_count_key(channel, campaign->account, &campaign->channel);

    rc = ngx_campaign_message_count(t, all, all_len, n, add);

    if (rc != NGX_CAMPAIGN_OK || channel_len == all_len) {
        return rc;
    }

    return ngx_campaign_message_count(t, channel, channel_len, n, add);
}


static size_t
ngx_campaign_message_count_key(u_char *key, uint32_t account, const ngx_str_t *channel)
{
    size_t  len;

    len = ngx_campaign_lmdb_record_list(key, NGX_CAMPAIGN_MESSAGE, account, channel, 0);
    key[5] |= NGX_CAMPAIGN_FACET_MESSAGES;

    return len;
}


static ngx_campaign_rc_e
ngx_campaign_message_count(ngx_campaign_txn_t *t, const u_char *key, size_t len, uint32_t n, ngx_uint_t add)
{
    int                rc;
    u_char             value[8];
    uint64_t           count;
    ngx_campaign_rc_e  result;

    result = ngx_campaign_lmdb_counter_get(t, NGX_CAMPAIGN_DB_COUNT, key, len, &count);
    if (result != NGX_CAMPAIGN_OK) {
        return result;
    }

    if (!add && count < n) {
        return ngx_campaign_lmdb_failed(t, MDB_CORRUPTED, "count of messages");
    }

    ngx_campaign_be64_put(value, add ? count + n : count - n);

    rc = ngx_campaign_lmdb_put(t, NGX_CAMPAIGN_DB_COUNT, key, len, value, 8);

    return rc == 0 ? NGX_CAMPAIGN_OK : ngx_campaign_lmdb_failed(t, rc, "count of messages");
}
