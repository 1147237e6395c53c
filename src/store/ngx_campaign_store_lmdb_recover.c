
/*
 * Messages of a dispatcher that is no more.  It keeps true: what it claimed and did not record goes again with the same id, or fails; what a
 * receipt settled meanwhile does neither; what dispatchers die of is set aside.
 */

#include "ngx_campaign_store_lmdb_turn.h"


static ngx_campaign_rc_e ngx_campaign_turn_uncertain(ngx_campaign_states_t *x, uint32_t seq, ngx_uint_t claimed_again,
    ngx_uint_t repeat);
static ngx_uint_t ngx_campaign_turn_deaths(ngx_uint_t row, ngx_uint_t crashed);
static ngx_campaign_rc_e ngx_campaign_turn_uncertain_end(ngx_campaign_states_t *x, uint32_t seq, ngx_campaign_reason_e reason);


ngx_campaign_rc_e
ngx_campaign_turn_recover(ngx_campaign_states_t *x, ngx_str_t *channel)
{
    int                  rc;
    u_char              *byte, prefix[16];
    MDB_val              key, none;
    uint32_t             seq;
    ngx_uint_t           i, repeat;
    MDB_cursor          *cursor;
    ngx_campaign_rc_e    result;
    ngx_campaign_run_t  *run;

    run = &x->run;
    repeat = (run->status != NGX_CAMPAIGN_C_CANCELED);

    for (i = 0; i < x->turn->nuncertain; i++) {
        if (channel->len == x->turn->uncertain[i].len
            && ngx_memcmp(channel->data, x->turn->uncertain[i].data, channel->len) == 0)
        {
            repeat = 0;
        }
    }

    for (seq = run->done; seq < run->upto; seq++) {
        result = ngx_campaign_states_byte(x, seq, &byte);
        if (result != NGX_CAMPAIGN_OK) {
            return result;
        }

        if (ngx_campaign_byte_state(*byte) == NGX_CAMPAIGN_S_PENDING) {
            result = ngx_campaign_turn_uncertain(x, seq, 0, repeat);
            if (result != NGX_CAMPAIGN_OK) {
                return result;
            }
        }
    }

    run->done = run->upto;
    run->epoch = x->turn->epoch;

    for ( ;; ) {
        rc = mdb_cursor_open(x->t->txn, x->t->store->dbi[NGX_CAMPAIGN_DB_AGAIN], &cursor);
        if (rc != 0) {
            return ngx_campaign_lmdb_failed(x->t, rc, "cursor of again");
        }

        ngx_campaign_be64_put(ngx_campaign_be64_put(prefix, x->campaign), 0);
        key.mv_size = 16;
        key.mv_data = prefix;

        rc = mdb_cursor_get(cursor, &key, &none, MDB_SET_RANGE);
        mdb_cursor_close(cursor);

        if (rc == MDB_NOTFOUND || (rc == 0 && (key.mv_size != 20 || ngx_memcmp(key.mv_data, prefix, 16) != 0))) {
            return NGX_CAMPAIGN_OK;
        }

        if (rc != 0) {
            return ngx_campaign_lmdb_failed(x->t, rc, "claimed repeats");
        }

        result = ngx_campaign_turn_uncertain(x, ngx_campaign_be32_get((u_char *) key.mv_data + 16), 1, repeat);
        if (result != NGX_CAMPAIGN_OK) {
            return result;
        }
    }
}


static ngx_campaign_rc_e
ngx_campaign_turn_uncertain(ngx_campaign_states_t *x, uint32_t seq, ngx_uint_t claimed_again, ngx_uint_t repeat)
{
    u_char             *byte;
    int64_t             due;
    ngx_uint_t          attempts, flags, found, deaths;
    ngx_campaign_rc_e   rc;

    attempts = 0;
    flags = 0;

    if (claimed_again) {
        rc = ngx_campaign_states_again_del(x, seq, 0, &found);
        if (rc != NGX_CAMPAIGN_OK) {
            return rc;
        }

        rc = ngx_campaign_states_tries_get(x, seq, &attempts, &flags, NULL);
        if (rc != NGX_CAMPAIGN_OK) {
            return rc;
        }
    }

    rc = ngx_campaign_states_byte(x, seq, &byte);
    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    x->dirty = 1;
    x->run.progress.enroute--;

    if (!repeat) {
        return ngx_campaign_turn_uncertain_end(x, seq, NGX_CAMPAIGN_R_UNCERTAIN);
    }

    deaths = ngx_campaign_turn_deaths(ngx_campaign_states_deaths(flags), x->turn->crashed);

    if (deaths >= NGX_CAMPAIGN_DEATHS_MAX
        || (x->turn->crashed && x->suspect.alone && x->suspect.campaign == x->campaign && x->suspect.seq == seq && claimed_again))
    {
        ngx_log_error(NGX_LOG_ERR, x->t->log, 0, "message %uD of campaign %uL fails: whoever sends it dies", seq, x->campaign);

        return ngx_campaign_turn_uncertain_end(x, seq, NGX_CAMPAIGN_R_POISON);
    }

    *byte = ngx_campaign_state_byte(NGX_CAMPAIGN_S_RETRY, NGX_CAMPAIGN_R_UNCERTAIN);

    x->run.progress.pending++;
    x->run.progress.again++;

    flags = NGX_CAMPAIGN_TRY_UNCERTAIN | deaths << NGX_CAMPAIGN_TRY_DEATHS;
    due = x->t->now + (deaths < NGX_CAMPAIGN_DEATHS_SUSPECT ? 0 : NGX_CAMPAIGN_DEATHS_WAIT);

    rc = ngx_campaign_states_tries_put(x, seq, attempts + 1, flags, due);
    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    return ngx_campaign_states_again_put(x, seq, due);
}


/* weight of a row with one death more */

static ngx_uint_t
ngx_campaign_turn_deaths(ngx_uint_t row, ngx_uint_t crashed)
{
    if (!crashed) {
        return row + NGX_CAMPAIGN_DEATHS_KILL;
    }

    return ngx_max(row, ngx_min(row + NGX_CAMPAIGN_DEATHS_CRASH, NGX_CAMPAIGN_DEATHS_ALONE));
}


/* fails; as every message that may have gone to the gateway it counts in the campaign's segments */

static ngx_campaign_rc_e
ngx_campaign_turn_uncertain_end(ngx_campaign_states_t *x, uint32_t seq, ngx_campaign_reason_e reason)
{
    u_char             *byte;
    uint32_t            segments;
    ngx_campaign_rc_e   rc;

    rc = ngx_campaign_states_segments(x, seq, &segments);
    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    rc = ngx_campaign_states_byte(x, seq, &byte);
    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    x->run.progress.segments += segments;

    return ngx_campaign_states_settle(x, byte, NGX_CAMPAIGN_S_FAILED, reason);
}
