
/*
 * Messages of a dispatcher that is no more.  It keeps true: what it claimed and did not record goes again with the same id, or fails; what a
 * receipt settled meanwhile does neither; what dispatchers die of is set aside.
 */

#include "ngx_campaign_store_lmdb_turn.h"


static ngx_uint_t ngx_campaign_turn_repeats(ngx_campaign_states_t *x, const ngx_str_t *channel);
static ngx_campaign_rc_e ngx_campaign_turn_uncertain(ngx_campaign_states_t *x, uint32_t seq, ngx_uint_t claimed_again,
    ngx_uint_t repeat, ngx_uint_t crashed);
static ngx_uint_t ngx_campaign_turn_deaths(ngx_uint_t row, ngx_uint_t crashed);
static ngx_campaign_rc_e ngx_campaign_turn_uncertain_end(ngx_campaign_states_t *x, uint32_t seq, ngx_campaign_reason_e reason);


ngx_campaign_rc_e
ngx_campaign_turn_recover(ngx_campaign_states_t *x, ngx_str_t *channel)
{
    u_char              *byte;
    uint32_t             seq, from;
    ngx_uint_t           repeat, found;
    ngx_campaign_rc_e    rc;
    ngx_campaign_run_t  *run;

    run = &x->run;
    repeat = ngx_campaign_turn_repeats(x, channel);

    for (seq = run->done; seq < run->upto; seq++) {
        rc = ngx_campaign_states_byte(x, seq, &byte);

        if (rc == NGX_CAMPAIGN_OK && ngx_campaign_byte_state(*byte) == NGX_CAMPAIGN_S_PENDING) {
            rc = ngx_campaign_turn_uncertain(x, seq, 0, repeat, x->turn->crashed);
        }

        if (rc != NGX_CAMPAIGN_OK) {
            return rc;
        }
    }

    run->done = run->upto;
    run->epoch = x->turn->epoch;

    for (from = 0; /* void */ ; from = seq + 1) {
        rc = ngx_campaign_states_again_claimed(x, from, &seq);

        if (rc != NGX_CAMPAIGN_OK) {
            return rc == NGX_CAMPAIGN_NOT_FOUND ? NGX_CAMPAIGN_OK : rc;
        }

        rc = ngx_campaign_leaving_has(x, seq, &found);

        if (rc == NGX_CAMPAIGN_OK && !found) {          /* else whoever handed it over may still record it */
            rc = ngx_campaign_turn_uncertain(x, seq, 1, repeat, x->turn->crashed);
        }

        if (rc != NGX_CAMPAIGN_OK) {
            return rc;
        }
    }
}


ngx_campaign_rc_e
ngx_campaign_turn_lost(ngx_campaign_states_t *x, uint32_t seq)
{
    ngx_uint_t         found;
    ngx_campaign_rc_e  rc;

    rc = ngx_campaign_states_again_has(x, seq, 0, &found);

    if (rc == NGX_CAMPAIGN_OK && found) {
        rc = ngx_campaign_states_channel(x);
    }

    if (rc != NGX_CAMPAIGN_OK || !found) {
        return rc;
    }

    return ngx_campaign_turn_uncertain(x, seq, 1, ngx_campaign_turn_repeats(x, &x->channel), 0);
}


/* 1: uncertain messages of the open campaign go again */

static ngx_uint_t
ngx_campaign_turn_repeats(ngx_campaign_states_t *x, const ngx_str_t *channel)
{
    ngx_uint_t  i;

    for (i = 0; i < x->turn->nuncertain; i++) {
        if (channel->len == x->turn->uncertain[i].len
            && ngx_memcmp(channel->data, x->turn->uncertain[i].data, channel->len) == 0)
        {
            return 0;
        }
    }

    return x->run.status != NGX_CAMPAIGN_C_CANCELED;
}


static ngx_campaign_rc_e
ngx_campaign_turn_uncertain(ngx_campaign_states_t *x, uint32_t seq, ngx_uint_t claimed_again, ngx_uint_t repeat, ngx_uint_t crashed)
{
    u_char             *byte, id[NGX_CAMPAIGN_ID_LEN], uuid[NGX_CAMPAIGN_UUID_LEN];
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

    deaths = ngx_campaign_turn_deaths(ngx_campaign_states_deaths(flags), crashed);

    if (deaths >= NGX_CAMPAIGN_DEATHS_MAX
        || (crashed && x->suspect.alone && x->suspect.campaign == x->campaign && x->suspect.seq == seq && claimed_again))
    {
        ngx_campaign_id_make(x->t->store->secret, NGX_CAMPAIGN_MESSAGE, x->campaign, seq, id);
        (void) ngx_campaign_uuid_print(uuid, id);
        ngx_log_error(NGX_LOG_ERR, x->t->log, 0, "campaign message %*s fails: whoever sends it dies", (size_t) NGX_CAMPAIGN_UUID_LEN, uuid);

        return ngx_campaign_turn_uncertain_end(x, seq, NGX_CAMPAIGN_R_POISON);
    }

    *byte = ngx_campaign_state_byte(NGX_CAMPAIGN_S_RETRY, NGX_CAMPAIGN_R_UNCERTAIN);

    x->run.progress.pending++;
    x->run.progress.again++;

    ngx_campaign_states_trace(x, seq, "its dispatcher is gone, goes again");

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
