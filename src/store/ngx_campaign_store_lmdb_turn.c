
/*
 * One tick of the dispatcher in one transaction: outcomes of messages sent, starts of scheduled campaigns, what changed, the accounts'
 * rates and new claims.  It keeps true: a message is claimed in a committed state before its first byte goes out; the counters of a
 * campaign equal the states of its messages; only the newest epoch claims, or records what was not handed over.
 */

#include "ngx_campaign_store_lmdb_turn.h"
#include "ngx_campaign_state.h"


#define NGX_CAMPAIGN_TURN_STARTS   256          /* campaigns started in one turn */
#define NGX_CAMPAIGN_TURN_CHANGES  512          /* changes reported in one turn */


static ngx_campaign_rc_e ngx_campaign_turn_lease_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args);
static ngx_campaign_rc_e ngx_campaign_turn_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args);

static ngx_campaign_rc_e ngx_campaign_turn_steps(ngx_campaign_states_t *x);
static ngx_campaign_rc_e ngx_campaign_turn_outcomes(ngx_campaign_states_t *x);
static int ngx_libc_cdecl ngx_campaign_turn_outcome_cmp(const void *one, const void *two);
static ngx_campaign_rc_e ngx_campaign_turn_outcome(ngx_campaign_states_t *x, ngx_campaign_outcome_t *o);
static ngx_campaign_rc_e ngx_campaign_turn_unclaim(ngx_campaign_states_t *x, ngx_campaign_outcome_t *o, ngx_uint_t *claimed);
static ngx_campaign_rc_e ngx_campaign_turn_theirs(ngx_campaign_states_t *x, ngx_campaign_outcome_t *o);
static ngx_campaign_rc_e ngx_campaign_turn_tries(ngx_campaign_states_t *x, ngx_campaign_outcome_t *o, ngx_uint_t *attempts,
    ngx_uint_t *flags);
static ngx_campaign_rc_e ngx_campaign_turn_repeat(ngx_campaign_states_t *x, ngx_campaign_outcome_t *o);
static ngx_campaign_rc_e ngx_campaign_turn_starts(ngx_campaign_states_t *x);
static ngx_campaign_rc_e ngx_campaign_turn_changes(ngx_campaign_states_t *x);
static ngx_campaign_rc_e ngx_campaign_turn_change_account(ngx_campaign_states_t *x, uint32_t account);
static ngx_campaign_rc_e ngx_campaign_turn_change_campaign(ngx_campaign_states_t *x, uint32_t account, uint64_t no);


ngx_int_t
ngx_campaign_store_lease(ngx_campaign_store_t *st, ngx_campaign_op_t *op, uint64_t *epoch)
{
    return ngx_campaign_lmdb_write(st, op, ngx_campaign_turn_lease_work, epoch);
}


ngx_int_t
ngx_campaign_store_turn(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_turn_t *turn)
{
    return ngx_campaign_lmdb_write_room(st, op, ngx_campaign_turn_work, turn, turn->ngrants ? NGX_CAMPAIGN_ROOM_CLAIM : NGX_CAMPAIGN_ROOM_LAST);
}


/* a new epoch; whatever may be sent, or was being sent, is fed to its dispatcher */

static ngx_campaign_rc_e
ngx_campaign_turn_lease_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args)
{
    uint64_t *epoch = args;

    int                 rc;
    u_char              value[8];
    uint64_t            newest;
    MDB_val             key, none;
    MDB_cursor         *cursor;
    ngx_campaign_rc_e   result;

    result = ngx_campaign_turn_epoch(t, &newest);
    if (result != NGX_CAMPAIGN_OK) {
        return result;
    }

    newest++;
    ngx_campaign_be64_put(value, newest);

    rc = ngx_campaign_lmdb_put(t, NGX_CAMPAIGN_DB_META, "epoch", 5, value, 8);
    if (rc != 0) {
        return ngx_campaign_lmdb_failed(t, rc, "new epoch");
    }

    rc = mdb_cursor_open(t->txn, t->store->dbi[NGX_CAMPAIGN_DB_ACTIVE], &cursor);
    if (rc != 0) {
        return ngx_campaign_lmdb_failed(t, rc, "cursor of active");
    }

    for (rc = mdb_cursor_get(cursor, &key, &none, MDB_FIRST); rc == 0; rc = mdb_cursor_get(cursor, &key, &none, MDB_NEXT)) {
        result = ngx_campaign_lmdb_feed(t, NGX_CAMPAIGN_CAMPAIGN, ngx_campaign_be32_get(key.mv_data),
                                        ngx_campaign_be64_get((u_char *) key.mv_data + 4));
        if (result != NGX_CAMPAIGN_OK) {
            mdb_cursor_close(cursor);
            return result;
        }
    }

    mdb_cursor_close(cursor);

    if (rc != MDB_NOTFOUND) {
        return ngx_campaign_lmdb_failed(t, rc, "walk of active");
    }

    *epoch = newest;

    return NGX_CAMPAIGN_OK;
}


static ngx_campaign_rc_e
ngx_campaign_turn_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args)
{
    ngx_campaign_turn_t *turn = args;

    uint64_t                newest;
    ngx_campaign_rc_e       rc;
    ngx_campaign_states_t  *x;

    rc = ngx_campaign_turn_epoch(t, &newest);
    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    if (newest != turn->epoch && !turn->left) {
        return NGX_CAMPAIGN_FENCED;
    }

    x = ngx_pcalloc(op->pool, sizeof(ngx_campaign_states_t));
    if (x == NULL) {
        return NGX_CAMPAIGN_FAILURE;
    }

    x->t = t;
    x->turn = turn;
    x->pool = op->pool;

    turn->next = 0;
    turn->changes = ngx_array_create(op->pool, 8, sizeof(ngx_campaign_live_t));
    turn->finished = ngx_array_create(op->pool, 4, sizeof(uint64_t));
    turn->away = ngx_array_create(op->pool, 4, sizeof(ngx_campaign_away_t));

    if (turn->changes == NULL || turn->finished == NULL || turn->away == NULL) {
        return NGX_CAMPAIGN_FAILURE;
    }

    rc = ngx_campaign_turn_steps(x);

    return (rc == NGX_CAMPAIGN_FAILURE && ngx_campaign_damage_found(x)) ? NGX_CAMPAIGN_DAMAGED : rc;
}


static ngx_campaign_rc_e
ngx_campaign_turn_steps(ngx_campaign_states_t *x)
{
    ngx_uint_t             i, any;
    ngx_campaign_rc_e      rc;
    ngx_campaign_txn_t    *t;
    ngx_campaign_turn_t   *turn;
    ngx_campaign_sched_t   first;

    t = x->t;
    turn = x->turn;

    rc = ngx_campaign_turn_outcomes(x);

    for (i = 0; i < turn->nlimits && rc == NGX_CAMPAIGN_OK; i++) {
        if (!ngx_campaign_damage_has(t->store, NGX_CAMPAIGN_ACCOUNT, turn->limits[i].account)) {
            ngx_campaign_damage_at(x, NGX_CAMPAIGN_ACCOUNT, turn->limits[i].account);
            rc = ngx_campaign_limit_raise(t, turn->limits[i].account, turn->limits[i].tat);
        }
    }

    if (rc == NGX_CAMPAIGN_OK) {
        rc = ngx_campaign_turn_leave(x);
    }

    if (rc != NGX_CAMPAIGN_OK || turn->last || turn->left) {
        return rc;
    }

    ngx_campaign_damage_at(x, NGX_CAMPAIGN_CAMPAIGN, 0);

    rc = ngx_campaign_suspect_load(x);
    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    if (turn->look) {
        rc = ngx_campaign_turn_look(x);
        if (rc != NGX_CAMPAIGN_OK) {
            return rc;
        }
    }

    rc = ngx_campaign_turn_starts(x);
    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    rc = ngx_campaign_turn_changes(x);
    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    rc = ngx_campaign_suspect_quiet(x);

    for (i = 0; i < turn->ngrants && rc == NGX_CAMPAIGN_OK; i++) {
        rc = ngx_campaign_turn_grant(x, &turn->grants[i]);
    }

    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    ngx_campaign_damage_at(x, NGX_CAMPAIGN_CAMPAIGN, 0);

    rc = ngx_campaign_turn_sched_first(t, &first);
    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    turn->next = first.at;

    rc = ngx_campaign_lmdb_theirs_step(t);
    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    rc = ngx_campaign_turn_more(t, &any);
    if (rc == NGX_CAMPAIGN_OK && any) {
        turn->next = 1;
    }

    return rc;
}


static ngx_campaign_rc_e
ngx_campaign_turn_outcomes(ngx_campaign_states_t *x)
{
    ngx_uint_t               i, found;
    ngx_campaign_rc_e        rc;
    ngx_campaign_turn_t     *turn;
    ngx_campaign_outcome_t  *o;

    turn = x->turn;
    o = turn->outcomes;

    if (turn->noutcomes == 0) {
        return NGX_CAMPAIGN_OK;
    }

    ngx_qsort(o, turn->noutcomes, sizeof(ngx_campaign_outcome_t), ngx_campaign_turn_outcome_cmp);

    for (i = 0; i < turn->noutcomes; i++) {

        if (i == 0 || o[i].campaign != o[i - 1].campaign) {
            rc = ngx_campaign_turn_open(x, o[i].campaign);

            if (rc == NGX_CAMPAIGN_NOT_FOUND) {         /* deleted: an early receipt had settled the last of its messages; or damaged */
                ngx_log_error(NGX_LOG_INFO, x->t->log, 0, "campaign %uL of an outcome is not in the store, or damaged", o[i].campaign);
                while (i + 1 < turn->noutcomes && o[i + 1].campaign == o[i].campaign) {
                    i++;
                }
                continue;
            }

            if (rc != NGX_CAMPAIGN_OK) {
                return rc;
            }
        }

        rc = ngx_campaign_leaving_take(x, o[i].seq, &found);

        if (rc == NGX_CAMPAIGN_OK && (found || !turn->left)) {
            rc = ngx_campaign_turn_outcome(x, &o[i]);
        }

        if (rc == NGX_CAMPAIGN_OK && (i + 1 == turn->noutcomes || o[i + 1].campaign != o[i].campaign)) {
            rc = ngx_campaign_states_close(x);

            if (rc == NGX_CAMPAIGN_OK && turn->left) {  /* a repeat, a slot that is free: another dispatcher's by now */
                rc = ngx_campaign_lmdb_feed(x->t, NGX_CAMPAIGN_CAMPAIGN, x->run.account, x->campaign);
            }
        }

        if (rc != NGX_CAMPAIGN_OK) {
            return rc;
        }
    }

    return NGX_CAMPAIGN_OK;
}


ngx_campaign_rc_e
ngx_campaign_turn_open(ngx_campaign_states_t *x, uint64_t campaign)
{
    if (ngx_campaign_damage_has(x->t->store, NGX_CAMPAIGN_CAMPAIGN, campaign)) {
        return NGX_CAMPAIGN_NOT_FOUND;
    }

    return ngx_campaign_states_open(x, campaign);
}


static int ngx_libc_cdecl
ngx_campaign_turn_outcome_cmp(const void *one, const void *two)
{
    const ngx_campaign_outcome_t *a = one, *b = two;

    if (a->campaign != b->campaign) {
        return a->campaign < b->campaign ? -1 : 1;
    }

    return a->seq < b->seq ? -1 : a->seq > b->seq;
}


/*
 * An outcome of a message that is not in flight, or by another claim than this one's, was recorded before, and changes nothing; or a receipt
 * came before it, which knows more but for the gateway's id.
 */

static ngx_campaign_rc_e
ngx_campaign_turn_outcome(ngx_campaign_states_t *x, ngx_campaign_outcome_t *o)
{
    u_char              *byte;
    ngx_uint_t           claimed, attempts, flags;
    ngx_campaign_rc_e    rc;
    ngx_campaign_run_t  *run;

    run = &x->run;

    if (o->seq >= run->upto) {
        return NGX_CAMPAIGN_OK;
    }

    rc = ngx_campaign_states_byte(x, o->seq, &byte);
    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    switch (ngx_campaign_byte_state(*byte)) {

    case NGX_CAMPAIGN_S_PENDING:
        claimed = (o->seq >= run->done && o->claim == 1);
        break;

    case NGX_CAMPAIGN_S_RETRY:
        rc = ngx_campaign_turn_unclaim(x, o, &claimed);
        if (rc != NGX_CAMPAIGN_OK) {
            return rc;
        }
        break;

    default:
        return o->id_len ? ngx_campaign_turn_theirs(x, o) : NGX_CAMPAIGN_OK;
    }

    if (!claimed) {
        return NGX_CAMPAIGN_OK;
    }

    run->progress.enroute--;
    x->dirty = 1;

    if (o->kind != NGX_CAMPAIGN_OUTCOME_SETTLED && run->status != NGX_CAMPAIGN_C_CANCELED) {
        *byte = ngx_campaign_state_byte(NGX_CAMPAIGN_S_RETRY, o->reason);
        return ngx_campaign_turn_repeat(x, o);
    }

    if (o->kind != NGX_CAMPAIGN_OUTCOME_SETTLED) {
        rc = ngx_campaign_turn_tries(x, o, &attempts, &flags);

        if (rc == NGX_CAMPAIGN_OK) {
            rc = ngx_campaign_states_settle(x, byte, NGX_CAMPAIGN_S_CANCELED, NGX_CAMPAIGN_R_CANCELED);
        }

        return (rc == NGX_CAMPAIGN_OK && attempts) ? ngx_campaign_states_tries_put(x, o->seq, attempts, 0, 0) : rc;
    }

    rc = ngx_campaign_states_settle(x, byte, o->state, o->reason);

    run->progress.segments += o->segments;
    run->progress.accepted += (o->state == NGX_CAMPAIGN_S_SENT || o->state == NGX_CAMPAIGN_S_DELIVERED) ? o->segments : 0;

    if (rc == NGX_CAMPAIGN_OK && o->attempt > 1) {
        rc = ngx_campaign_states_tries_put(x, o->seq, o->attempt, 0, 0);
    }

    return (rc == NGX_CAMPAIGN_OK && o->id_len) ? ngx_campaign_turn_theirs(x, o) : rc;
}


/* a repeat is claimed no more; *claimed 0: it was not, or for another try */

static ngx_campaign_rc_e
ngx_campaign_turn_unclaim(ngx_campaign_states_t *x, ngx_campaign_outcome_t *o, ngx_uint_t *claimed)
{
    ngx_uint_t         attempts, flags;
    ngx_campaign_rc_e  rc;

    rc = ngx_campaign_states_tries_get(x, o->seq, &attempts, &flags, NULL);
    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    *claimed = (o->claim == ngx_min(attempts + 1, 255));

    return *claimed ? ngx_campaign_states_again_del(x, o->seq, 0, claimed) : NGX_CAMPAIGN_OK;
}


/* the first id that the gateway gave */

static ngx_campaign_rc_e
ngx_campaign_turn_theirs(ngx_campaign_states_t *x, ngx_campaign_outcome_t *o)
{
    ngx_str_t          id;
    ngx_campaign_rc_e  rc;

    id.data = o->id;
    id.len = ngx_min(o->id_len, NGX_CAMPAIGN_GATEWAY_ID_MAX);

    rc = ngx_campaign_states_channel(x);
    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    ngx_campaign_states_trace(x, o->seq, "its gateway's id is \"%V\"", &id);

    return ngx_campaign_lmdb_theirs_put(x->t, &x->channel, x->campaign, o->seq, &id, o->named);
}


/* one given back was never tried: its claim counts neither as an attempt nor as a redelivery, and what was uncertain stays so */

static ngx_campaign_rc_e
ngx_campaign_turn_tries(ngx_campaign_states_t *x, ngx_campaign_outcome_t *o, ngx_uint_t *attempts, ngx_uint_t *flags)
{
    ngx_campaign_rc_e  rc;

    *attempts = o->attempt;
    *flags = 0;

    if (o->kind != NGX_CAMPAIGN_OUTCOME_BACK) {
        if (o->reason == NGX_CAMPAIGN_R_GATEWAY_TIMEOUT || o->reason == NGX_CAMPAIGN_R_UNCERTAIN) {
            *flags = NGX_CAMPAIGN_TRY_UNCERTAIN;        /* it may have arrived: the repeat is a redelivery */
        }

        return NGX_CAMPAIGN_OK;
    }

    rc = ngx_campaign_states_tries_get(x, o->seq, attempts, flags, NULL);

    if (rc == NGX_CAMPAIGN_OK && *flags & NGX_CAMPAIGN_TRY_UNCERTAIN) {
        x->run.progress.redelivered--;
    }

    return rc;
}


static ngx_campaign_rc_e
ngx_campaign_turn_repeat(ngx_campaign_states_t *x, ngx_campaign_outcome_t *o)
{
    ngx_uint_t         attempts, flags;
    ngx_campaign_rc_e  rc;

    rc = ngx_campaign_turn_tries(x, o, &attempts, &flags);
    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    x->run.progress.pending++;
    x->run.progress.again++;

    ngx_campaign_states_trace(x, o->seq, "%s, goes again in %L ms", o->kind == NGX_CAMPAIGN_OUTCOME_BACK ? "given back"
                              : (char *) ngx_campaign_reason_name(o->reason)->data, ngx_max(o->due - x->t->now, 0) / 1000);

    rc = ngx_campaign_states_tries_put(x, o->seq, attempts, flags, o->due);
    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    return ngx_campaign_states_again_put(x, o->seq, o->due);
}


static ngx_campaign_rc_e
ngx_campaign_turn_starts(ngx_campaign_states_t *x)
{
    ngx_uint_t               i;
    ngx_campaign_rc_e        rc;
    ngx_campaign_txn_t      *t;
    ngx_campaign_sched_t     first;
    ngx_campaign_campaign_t  c;

    t = x->t;

    for (i = 0; i < NGX_CAMPAIGN_TURN_STARTS; i++) {

        /* a move deletes the entry that it starts: the first is always the next */

        ngx_campaign_damage_at(x, NGX_CAMPAIGN_CAMPAIGN, 0);

        rc = ngx_campaign_turn_sched_first(t, &first);

        if (rc != NGX_CAMPAIGN_OK || first.at == 0 || first.at > t->now) {
            return rc;
        }

        ngx_campaign_damage_at(x, NGX_CAMPAIGN_CAMPAIGN, first.no);

        ngx_memzero(&c, sizeof(ngx_campaign_campaign_t));

        rc = ngx_campaign_lmdb_record_get(t, NGX_CAMPAIGN_CAMPAIGN, first.account, first.no, x->pool, &c);
        if (rc == NGX_CAMPAIGN_OK) {
            rc = ngx_campaign_states_open(x, first.no);
        }

        if (rc == NGX_CAMPAIGN_OK) {
            rc = ngx_campaign_lmdb_campaign_move(t, &c.rec, &x->run, NGX_CAMPAIGN_C_IN_PROGRESS);
        }

        if (rc == NGX_CAMPAIGN_OK) {
            rc = ngx_campaign_states_close(x);
        }

        if (rc != NGX_CAMPAIGN_OK) {
            return rc == NGX_CAMPAIGN_NOT_FOUND ? ngx_campaign_lmdb_failed(t, MDB_CORRUPTED, "scheduled campaign") : rc;
        }
    }

    return NGX_CAMPAIGN_OK;
}


static ngx_campaign_rc_e
ngx_campaign_turn_changes(ngx_campaign_states_t *x)
{
    int                  rc;
    u_char              *p, entry[13];
    MDB_val              key, none;
    uint32_t             account;
    uint64_t             no;
    ngx_uint_t           i;
    ngx_campaign_rc_e    result;
    ngx_campaign_txn_t  *t;

    t = x->t;

    for (i = 0; i < NGX_CAMPAIGN_TURN_CHANGES; i++) {

        ngx_campaign_damage_at(x, NGX_CAMPAIGN_CAMPAIGN, 0);

        key.mv_size = 0;
        rc = ngx_campaign_lmdb_first(t, NGX_CAMPAIGN_DB_FEED, &key, &none);

        if (rc == MDB_NOTFOUND) {
            return NGX_CAMPAIGN_OK;
        }

        if (rc != 0 || key.mv_size != 13) {
            return ngx_campaign_lmdb_failed(t, rc ? rc : MDB_CORRUPTED, "first of feed");
        }

        ngx_memcpy(entry, key.mv_data, 13);

        p = entry;
        account = ngx_campaign_be32_get(p + 1);
        no = ngx_campaign_be64_get(p + 5);

        if (p[0] == NGX_CAMPAIGN_ACCOUNT) {
            result = ngx_campaign_turn_change_account(x, (uint32_t) no);
        } else {
            result = ngx_campaign_turn_change_account(x, account);

            if (result == NGX_CAMPAIGN_OK) {
                result = ngx_campaign_turn_change_campaign(x, account, no);
            }
        }

        if (result != NGX_CAMPAIGN_OK) {
            return result;
        }

        rc = ngx_campaign_lmdb_del(t, NGX_CAMPAIGN_DB_FEED, entry, 13);
        if (rc != 0 && rc != MDB_NOTFOUND) {            /* recovery may have taken the campaign out */
            return ngx_campaign_lmdb_failed(t, rc, "entry of feed");
        }
    }

    return NGX_CAMPAIGN_OK;
}


ngx_campaign_rc_e
ngx_campaign_turn_account(ngx_campaign_states_t *x, uint32_t account, ngx_campaign_account_t *a)
{
    ngx_campaign_damage_at(x, NGX_CAMPAIGN_ACCOUNT, account);

    if (ngx_campaign_damage_has(x->t->store, NGX_CAMPAIGN_ACCOUNT, account)) {
        return NGX_CAMPAIGN_NOT_FOUND;
    }

    return ngx_campaign_lmdb_record_get(x->t, NGX_CAMPAIGN_ACCOUNT, 0, account, NULL, a);
}


static ngx_campaign_rc_e
ngx_campaign_turn_change_account(ngx_campaign_states_t *x, uint32_t account)
{
    int64_t                 tat;
    ngx_campaign_rc_e       rc;
    ngx_campaign_live_t    *live;
    ngx_campaign_account_t  a;

    live = x->turn->changes->elts;

    if (x->turn->changes->nelts && live[x->turn->changes->nelts - 1].account == account) {
        return NGX_CAMPAIGN_OK;                         /* reported for the campaign before this one */
    }

    ngx_memzero(&a, sizeof(ngx_campaign_account_t));

    rc = ngx_campaign_turn_account(x, account, &a);
    if (rc != NGX_CAMPAIGN_OK && rc != NGX_CAMPAIGN_NOT_FOUND) {
        return rc;
    }

    live = ngx_array_push(x->turn->changes);
    if (live == NULL) {
        return NGX_CAMPAIGN_FAILURE;
    }

    ngx_memzero(live, sizeof(ngx_campaign_live_t));

    live->kind = NGX_CAMPAIGN_ACCOUNT;
    live->account = account;
    live->no = account;

    if (rc == NGX_CAMPAIGN_NOT_FOUND || a.rec.status != NGX_CAMPAIGN_A_ACTIVE) {
        live->gone = 1;
        return NGX_CAMPAIGN_OK;
    }

    rc = ngx_campaign_limit_get(x->t, account, &tat);

    live->rate = a.rate;
    live->burst = a.burst;
    live->tat = tat;

    return rc;
}


static ngx_campaign_rc_e
ngx_campaign_turn_change_campaign(ngx_campaign_states_t *x, uint32_t account, uint64_t no)
{
    uint32_t                  uncertain;
    ngx_campaign_rc_e         rc;
    ngx_campaign_live_t      *live;
    ngx_campaign_campaign_t   c;

    ngx_memzero(&c, sizeof(ngx_campaign_campaign_t));

    rc = ngx_campaign_turn_open(x, no);

    if (rc == NGX_CAMPAIGN_OK) {
        rc = ngx_campaign_lmdb_record_get(x->t, NGX_CAMPAIGN_CAMPAIGN, account, no, x->pool, &c);
    }

    if (rc == NGX_CAMPAIGN_OK && x->run.epoch != x->turn->epoch) {
        uncertain = x->run.progress.enroute;

        rc = ngx_campaign_turn_recover(x, &c.rec.channel);
        uncertain -= x->run.progress.enroute;           /* what was handed over still is */

        if (rc == NGX_CAMPAIGN_OK) {
            rc = ngx_campaign_states_close(x);
        }

        if (rc == NGX_CAMPAIGN_OK && uncertain) {
            rc = ngx_campaign_limit_spend(x->t, account);
        }
    }

    if (rc != NGX_CAMPAIGN_OK && rc != NGX_CAMPAIGN_NOT_FOUND) {
        return rc;
    }

    live = ngx_array_push(x->turn->changes);
    if (live == NULL) {
        return NGX_CAMPAIGN_FAILURE;
    }

    ngx_memzero(live, sizeof(ngx_campaign_live_t));

    live->kind = NGX_CAMPAIGN_CAMPAIGN;
    live->account = account;
    live->no = no;

    if (rc == NGX_CAMPAIGN_NOT_FOUND || x->run.status != NGX_CAMPAIGN_C_IN_PROGRESS) {
        live->gone = 1;
        return NGX_CAMPAIGN_OK;
    }

    live->campaign = c;
    live->campaign.rec.status = x->run.status;
    live->campaign.rec.updated = x->run.updated;
    live->campaign.schedule = x->run.schedule;
    live->campaign.progress = x->run.progress;
    live->fresh = c.span - x->run.upto;

    return ngx_campaign_states_again_next(x, &live->again_at, NULL);
}
