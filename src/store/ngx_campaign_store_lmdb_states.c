
/*
 * States of a campaign's messages: a byte each in chunks, repeats in the order of their time, tries of those tried more than once.  It
 * keeps true: counters equal bytes when a campaign is closed; a campaign all of whose messages are settled is ended in the same
 * transaction.
 */

#include "ngx_campaign_store_lmdb_turn.h"
#include "ngx_campaign_sms.h"
#include "ngx_campaign_state.h"
#include "ngx_campaign_template.h"


#define NGX_CAMPAIGN_TRIES_KEY  12              /* campaign u64, seq u32 */
#define NGX_CAMPAIGN_TRIES_LEN  10              /* attempts u8, flags u8, due u64 */

/* the message of a byte of x */
#define ngx_campaign_states_seq(x, byte)  ((x)->chunk * NGX_CAMPAIGN_CHUNK + (uint32_t) ((byte) - (x)->bytes))


static ngx_campaign_rc_e ngx_campaign_states_end(ngx_campaign_states_t *x);
static ngx_campaign_rc_e ngx_campaign_states_done(ngx_campaign_states_t *x);
static ngx_campaign_rc_e ngx_campaign_states_load(ngx_campaign_states_t *x, uint32_t chunk);
static ngx_campaign_rc_e ngx_campaign_states_flush(ngx_campaign_states_t *x);
static ngx_campaign_rc_e ngx_campaign_states_tell(ngx_campaign_states_t *x, const u_char *byte);


ngx_campaign_rc_e
ngx_campaign_states_open(ngx_campaign_states_t *x, uint64_t campaign)
{
    ngx_campaign_damage_at(x, NGX_CAMPAIGN_CAMPAIGN, campaign);

    x->campaign = campaign;
    x->loaded = 0;
    x->dirty = 0;
    x->channel.len = 0;

    ngx_memzero(&x->hears, sizeof(ngx_campaign_hears_t));
    ngx_memzero(&x->run, sizeof(ngx_campaign_run_t));

    return ngx_campaign_lmdb_run_get(x->t, campaign, &x->run);
}


ngx_campaign_rc_e
ngx_campaign_states_close(ngx_campaign_states_t *x)
{
    ngx_campaign_rc_e  rc;

    rc = ngx_campaign_states_done(x);
    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    rc = ngx_campaign_states_flush(x);
    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    rc = ngx_campaign_hears_close(x->t, &x->hears);
    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    if (x->run.progress.enroute == 0) {
        rc = ngx_campaign_states_end(x);
        if (rc != NGX_CAMPAIGN_OK) {
            return rc;
        }
    }

    return ngx_campaign_lmdb_run_put(x->t, x->campaign, &x->run);
}


/* nothing is in flight: a campaign in progress may be finished, one that was stopped needs its dispatcher no more */

static ngx_campaign_rc_e
ngx_campaign_states_end(ngx_campaign_states_t *x)
{
    int                       rc;
    u_char                    key[12];
    uint64_t                 *no;
    ngx_campaign_rc_e         result;
    ngx_campaign_run_t       *run;
    ngx_campaign_campaign_t   c;

    run = &x->run;

    if (run->status != NGX_CAMPAIGN_C_IN_PROGRESS) {
        ngx_campaign_be64_put(ngx_campaign_be32_put(key, run->account), x->campaign);

        rc = ngx_campaign_lmdb_del(x->t, NGX_CAMPAIGN_DB_ACTIVE, key, 12);

        return (rc == 0 || rc == MDB_NOTFOUND) ? NGX_CAMPAIGN_OK : ngx_campaign_lmdb_failed(x->t, rc, "active");
    }

    if (run->progress.pending != 0) {
        return NGX_CAMPAIGN_OK;
    }

    ngx_memzero(&c, sizeof(ngx_campaign_campaign_t));

    result = ngx_campaign_lmdb_record_get(x->t, NGX_CAMPAIGN_CAMPAIGN, run->account, x->campaign, x->pool, &c);
    if (result != NGX_CAMPAIGN_OK) {
        return result == NGX_CAMPAIGN_NOT_FOUND ? ngx_campaign_lmdb_failed(x->t, MDB_CORRUPTED, "campaign that ends") : result;
    }

    no = ngx_array_push(x->turn->finished);
    if (no == NULL) {
        return NGX_CAMPAIGN_FAILURE;
    }

    *no = x->campaign;

    return ngx_campaign_lmdb_campaign_move(x->t, &c.rec, run,
                                           ngx_campaign_status_settled(run->progress.sent + run->progress.delivered));
}


static ngx_campaign_rc_e
ngx_campaign_states_done(ngx_campaign_states_t *x)
{
    u_char              *byte;
    ngx_campaign_rc_e    rc;
    ngx_campaign_run_t  *run;

    run = &x->run;

    while (run->done < run->upto) {
        rc = ngx_campaign_states_byte(x, run->done, &byte);
        if (rc != NGX_CAMPAIGN_OK) {
            return rc;
        }

        if (ngx_campaign_byte_state(*byte) == NGX_CAMPAIGN_S_PENDING) {
            break;
        }

        run->done++;
    }

    return NGX_CAMPAIGN_OK;
}


ngx_campaign_rc_e
ngx_campaign_states_apart(ngx_campaign_states_t *x, uint32_t seq, u_char *byte)
{
    ngx_campaign_rc_e  rc;

    *byte = ngx_campaign_state_byte(NGX_CAMPAIGN_S_RETRY, NGX_CAMPAIGN_R_NONE);
    x->dirty = 1;

    rc = ngx_campaign_states_again_put(x, seq, 0);

    return rc == NGX_CAMPAIGN_OK ? ngx_campaign_states_tries_put(x, seq, 0, 0, x->t->now) : rc;
}


ngx_campaign_rc_e
ngx_campaign_states_byte(ngx_campaign_states_t *x, uint32_t seq, u_char **byte)
{
    uint32_t           chunk;
    ngx_campaign_rc_e  rc;

    chunk = seq / NGX_CAMPAIGN_CHUNK;

    if (!x->loaded || x->chunk != chunk) {
        rc = ngx_campaign_states_flush(x);

        if (rc == NGX_CAMPAIGN_OK) {
            rc = ngx_campaign_states_load(x, chunk);
        }

        if (rc != NGX_CAMPAIGN_OK) {
            return rc;
        }
    }

    *byte = &x->bytes[seq % NGX_CAMPAIGN_CHUNK];

    return NGX_CAMPAIGN_OK;
}


static ngx_campaign_rc_e
ngx_campaign_states_load(ngx_campaign_states_t *x, uint32_t chunk)
{
    int      rc;
    u_char   key[12];
    MDB_val  value;

    ngx_campaign_be32_put(ngx_campaign_be64_put(key, x->campaign), chunk);

    rc = ngx_campaign_lmdb_get(x->t, NGX_CAMPAIGN_DB_CHUNK, key, 12, &value);

    if (rc == MDB_NOTFOUND) {
        ngx_memzero(x->bytes, sizeof(x->bytes));

    } else if (rc != 0) {
        return ngx_campaign_lmdb_failed(x->t, rc, "chunk");

    } else if (value.mv_size != sizeof(x->bytes)
               || ngx_campaign_crc32c(0, value.mv_data, NGX_CAMPAIGN_CHUNK)
                  != ngx_campaign_be32_get((u_char *) value.mv_data + NGX_CAMPAIGN_CHUNK))
    {
        return ngx_campaign_lmdb_failed(x->t, MDB_CORRUPTED, "checksum of a chunk");

    } else {
        ngx_memcpy(x->bytes, value.mv_data, sizeof(x->bytes));
    }

    x->chunk = chunk;
    x->loaded = 1;
    x->dirty = 0;

    return NGX_CAMPAIGN_OK;
}


static ngx_campaign_rc_e
ngx_campaign_states_flush(ngx_campaign_states_t *x)
{
    int     rc;
    u_char  key[12];

    if (!x->loaded || !x->dirty) {
        return NGX_CAMPAIGN_OK;
    }

    ngx_campaign_be32_put(&x->bytes[NGX_CAMPAIGN_CHUNK], ngx_campaign_crc32c(0, x->bytes, NGX_CAMPAIGN_CHUNK));
    ngx_campaign_be32_put(ngx_campaign_be64_put(key, x->campaign), x->chunk);

    rc = ngx_campaign_lmdb_put(x->t, NGX_CAMPAIGN_DB_CHUNK, key, 12, x->bytes, sizeof(x->bytes));
    if (rc != 0) {
        return ngx_campaign_lmdb_failed(x->t, rc, "chunk");
    }

    x->dirty = 0;

    return NGX_CAMPAIGN_OK;
}


ngx_campaign_rc_e
ngx_campaign_states_channel(ngx_campaign_states_t *x)
{
    ngx_campaign_rc_e        rc;
    ngx_campaign_campaign_t  c;

    if (x->channel.len) {
        return NGX_CAMPAIGN_OK;
    }

    ngx_memzero(&c, sizeof(ngx_campaign_campaign_t));

    rc = ngx_campaign_lmdb_record_get(x->t, NGX_CAMPAIGN_CAMPAIGN, x->run.account, x->campaign, NULL, &c);

    if (rc != NGX_CAMPAIGN_OK || c.rec.channel.len > NGX_CAMPAIGN_CHANNEL_MAX) {
        return (rc == NGX_CAMPAIGN_OK || rc == NGX_CAMPAIGN_NOT_FOUND)
               ? ngx_campaign_lmdb_failed(x->t, MDB_CORRUPTED, "channel of a campaign") : rc;
    }

    ngx_memcpy(x->channel_name, c.rec.channel.data, c.rec.channel.len);

    x->channel.data = x->channel_name;
    x->channel.len = c.rec.channel.len;

    return NGX_CAMPAIGN_OK;
}


ngx_campaign_rc_e
ngx_campaign_states_settle(ngx_campaign_states_t *x, u_char *byte, ngx_campaign_state_e state, ngx_campaign_reason_e reason)
{
    ngx_campaign_progress_t  *p;

    p = &x->run.progress;

    switch (state) {

    case NGX_CAMPAIGN_S_SENT:
        p->sent++;
        break;

    case NGX_CAMPAIGN_S_DELIVERED:
        p->delivered++;
        break;

    case NGX_CAMPAIGN_S_FAILED:
        p->failed++;
        break;

    case NGX_CAMPAIGN_S_CANCELED:
        p->canceled++;
        break;

    case NGX_CAMPAIGN_S_SKIPPED:
        p->skipped++;
        break;

    default:
        ngx_log_error(NGX_LOG_ALERT, x->t->log, 0, "message of campaign %uL settled in state %ui", x->campaign, (ngx_uint_t) state);
        return NGX_CAMPAIGN_FAILURE;
    }

    if (reason >= NGX_CAMPAIGN_R_MAX) {
        ngx_log_error(NGX_LOG_ALERT, x->t->log, 0, "message of campaign %uL settled for reason %ui", x->campaign, (ngx_uint_t) reason);
        return NGX_CAMPAIGN_FAILURE;
    }

    if (reason != NGX_CAMPAIGN_R_NONE) {
        p->reason[reason]++;
    }

    if (reason == NGX_CAMPAIGN_R_UNCERTAIN) {
        p->uncertain++;
    }

    *byte = ngx_campaign_state_byte(state, reason);
    x->dirty = 1;

    ngx_campaign_states_trace(x, ngx_campaign_states_seq(x, byte), "%V%s%V", ngx_campaign_state_name(state),
                              reason == NGX_CAMPAIGN_R_NONE ? "" : ", ", ngx_campaign_reason_name(reason));

    if (state == NGX_CAMPAIGN_S_CANCELED || state == NGX_CAMPAIGN_S_SKIPPED) {
        return NGX_CAMPAIGN_OK;                         /* it was never sent */
    }

    return ngx_campaign_states_tell(x, byte);
}


/* the account's webhook hears what became of a message */

static ngx_campaign_rc_e
ngx_campaign_states_tell(ngx_campaign_states_t *x, const u_char *byte)
{
    ngx_campaign_rc_e     rc;
    ngx_campaign_event_t  e;

    rc = ngx_campaign_hears_open(x->t, &x->hears, x->run.account, NGX_CAMPAIGN_W_DELIVERY);

    if (rc != NGX_CAMPAIGN_OK || x->hears.webhook == 0) {
        return rc;
    }

    ngx_memzero(&e, sizeof(ngx_campaign_event_t));

    e.event = NGX_CAMPAIGN_W_DELIVERY;
    e.campaign = x->campaign;
    e.seq = ngx_campaign_states_seq(x, byte);
    e.value = *byte;

    rc = ngx_campaign_hears_add(x->t, &x->hears, &e);

    ngx_campaign_states_trace_event(x, &e);

    return rc;
}


void
ngx_campaign_states_unsettle(ngx_campaign_states_t *x, u_char byte)
{
    ngx_campaign_reason_e     reason;
    ngx_campaign_progress_t  *p;

    p = &x->run.progress;
    reason = ngx_campaign_byte_reason(byte);

    switch (ngx_campaign_byte_state(byte)) {

    case NGX_CAMPAIGN_S_SENT:
        p->sent--;
        break;

    case NGX_CAMPAIGN_S_DELIVERED:
        p->delivered--;
        break;

    case NGX_CAMPAIGN_S_FAILED:
        p->failed--;
        break;

    case NGX_CAMPAIGN_S_SKIPPED:
        p->skipped--;
        break;

    default:                                            /* a cancel writes no byte: RETRY of a canceled campaign */
        p->canceled--;
        reason = NGX_CAMPAIGN_R_CANCELED;
    }

    if (reason != NGX_CAMPAIGN_R_NONE) {
        p->reason[reason]--;
    }

    if (reason == NGX_CAMPAIGN_R_UNCERTAIN) {
        p->uncertain--;
    }
}


ngx_campaign_rc_e
ngx_campaign_states_segments(ngx_campaign_states_t *x, uint32_t seq, uint32_t *segments)
{
    u_char                   *text;
    size_t                    len;
    ngx_str_t                 bad;
    ngx_campaign_rc_e         rc;
    ngx_campaign_size_t       size;
    ngx_campaign_walk_t       walk;
    ngx_campaign_contact_t    contact;
    ngx_campaign_campaign_t   c;
    ngx_campaign_template_t   parsed;

    ngx_memzero(&c, sizeof(ngx_campaign_campaign_t));

    rc = ngx_campaign_lmdb_record_get(x->t, NGX_CAMPAIGN_CAMPAIGN, x->run.account, x->campaign, NULL, &c);
    if (rc != NGX_CAMPAIGN_OK) {
        return rc == NGX_CAMPAIGN_NOT_FOUND ? ngx_campaign_lmdb_failed(x->t, MDB_CORRUPTED, "campaign of a message") : rc;
    }

    ngx_campaign_lmdb_walk_init(&walk, c.list, seq);

    rc = ngx_campaign_lmdb_walk_next(x->t, &walk, &contact);

    if (rc == NGX_CAMPAIGN_NOT_FOUND) {
        ngx_memzero(&contact, sizeof(ngx_campaign_contact_t));  /* deleted with its audience */

    } else if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    if (ngx_campaign_template_parse(x->pool, &c.text, &parsed, &bad) != NGX_OK) {
        return NGX_CAMPAIGN_FAILURE;
    }

    len = ngx_campaign_template_size(&parsed, &contact);

    text = ngx_pnalloc(x->pool, len + 1);
    if (text == NULL) {
        return NGX_CAMPAIGN_FAILURE;
    }

    (void) ngx_campaign_template_render(text, &parsed, &contact);
    ngx_campaign_sms_measure(text, len, &size);

    *segments = size.segments;

    return NGX_CAMPAIGN_OK;
}


ngx_campaign_rc_e
ngx_campaign_states_again_next(ngx_campaign_states_t *x, int64_t *due, uint32_t *seq)
{
    int      rc;
    u_char  *p, start[NGX_CAMPAIGN_AGAIN_KEY];
    MDB_val  key, none;

    ngx_campaign_states_again_key(start, x->campaign, 1, 0);
    key.mv_size = NGX_CAMPAIGN_AGAIN_KEY;
    key.mv_data = start;

    rc = ngx_campaign_lmdb_first(x->t, NGX_CAMPAIGN_DB_AGAIN, &key, &none);

    if (rc == MDB_NOTFOUND || (rc == 0 && ngx_memcmp(key.mv_data, start, 8) != 0)) {
        *due = 0;
        return NGX_CAMPAIGN_OK;
    }

    if (rc != 0 || key.mv_size != NGX_CAMPAIGN_AGAIN_KEY) {
        return ngx_campaign_lmdb_failed(x->t, rc ? rc : MDB_CORRUPTED, "first of again");
    }

    p = key.mv_data;
    *due = (int64_t) ngx_campaign_be64_get(p + 8);

    if (seq) {
        *seq = ngx_campaign_be32_get(p + 16);
    }

    return NGX_CAMPAIGN_OK;
}


ngx_campaign_rc_e
ngx_campaign_states_again_put(ngx_campaign_states_t *x, uint32_t seq, int64_t due)
{
    int     rc;
    u_char  key[NGX_CAMPAIGN_AGAIN_KEY];

    ngx_campaign_states_again_key(key, x->campaign, due, seq);

    rc = ngx_campaign_lmdb_put(x->t, NGX_CAMPAIGN_DB_AGAIN, key, NGX_CAMPAIGN_AGAIN_KEY, "", 0);

    return rc == 0 ? NGX_CAMPAIGN_OK : ngx_campaign_lmdb_failed(x->t, rc, "again");
}


ngx_campaign_rc_e
ngx_campaign_states_again_has(ngx_campaign_states_t *x, uint32_t seq, int64_t due, ngx_uint_t *found)
{
    int      rc;
    u_char   key[NGX_CAMPAIGN_AGAIN_KEY];
    MDB_val  none;

    ngx_campaign_states_again_key(key, x->campaign, due, seq);

    rc = ngx_campaign_lmdb_get(x->t, NGX_CAMPAIGN_DB_AGAIN, key, NGX_CAMPAIGN_AGAIN_KEY, &none);

    if (rc != 0 && rc != MDB_NOTFOUND) {
        return ngx_campaign_lmdb_failed(x->t, rc, "again");
    }

    *found = (rc == 0);

    return NGX_CAMPAIGN_OK;
}


ngx_campaign_rc_e
ngx_campaign_states_again_del(ngx_campaign_states_t *x, uint32_t seq, int64_t due, ngx_uint_t *found)
{
    int     rc;
    u_char  key[NGX_CAMPAIGN_AGAIN_KEY];

    ngx_campaign_states_again_key(key, x->campaign, due, seq);

    rc = ngx_campaign_lmdb_del(x->t, NGX_CAMPAIGN_DB_AGAIN, key, NGX_CAMPAIGN_AGAIN_KEY);

    if (rc != 0 && rc != MDB_NOTFOUND) {
        return ngx_campaign_lmdb_failed(x->t, rc, "again");
    }

    *found = (rc == 0);

    return NGX_CAMPAIGN_OK;
}


ngx_campaign_rc_e
ngx_campaign_states_again_claimed(ngx_campaign_states_t *x, uint32_t from, uint32_t *seq)
{
    int      rc;
    u_char   start[NGX_CAMPAIGN_AGAIN_KEY];
    MDB_val  key, none;

    ngx_campaign_states_again_key(start, x->campaign, 0, from);
    key.mv_size = NGX_CAMPAIGN_AGAIN_KEY;
    key.mv_data = start;

    rc = ngx_campaign_lmdb_first(x->t, NGX_CAMPAIGN_DB_AGAIN, &key, &none);

    if (rc == MDB_NOTFOUND || (rc == 0 && (key.mv_size != NGX_CAMPAIGN_AGAIN_KEY || ngx_memcmp(key.mv_data, start, 16) != 0))) {
        return NGX_CAMPAIGN_NOT_FOUND;
    }

    if (rc != 0) {
        return ngx_campaign_lmdb_failed(x->t, rc, "claimed repeats");
    }

    *seq = ngx_campaign_be32_get((u_char *) key.mv_data + 16);

    return NGX_CAMPAIGN_OK;
}


void
ngx_campaign_states_again_key(u_char *key, uint64_t campaign, int64_t due, uint32_t seq)
{
    ngx_campaign_be32_put(ngx_campaign_be64_put(ngx_campaign_be64_put(key, campaign), (uint64_t) due), seq);
}


ngx_campaign_rc_e
ngx_campaign_states_tries_get(ngx_campaign_states_t *x, uint32_t seq, ngx_uint_t *attempts, ngx_uint_t *flags, int64_t *due)
{
    int      rc;
    u_char  *p, key[NGX_CAMPAIGN_TRIES_KEY];
    MDB_val  value;

    *attempts = 0;
    *flags = 0;

    if (due) {
        *due = 0;
    }

    ngx_campaign_be32_put(ngx_campaign_be64_put(key, x->campaign), seq);

    rc = ngx_campaign_lmdb_get(x->t, NGX_CAMPAIGN_DB_TRIES, key, NGX_CAMPAIGN_TRIES_KEY, &value);

    if (rc == MDB_NOTFOUND) {
        return NGX_CAMPAIGN_OK;
    }

    if (rc != 0 || value.mv_size != NGX_CAMPAIGN_TRIES_LEN) {
        return ngx_campaign_lmdb_failed(x->t, rc ? rc : MDB_CORRUPTED, "tries");
    }

    p = value.mv_data;
    *attempts = p[0];
    *flags = p[1];

    if (due) {
        *due = (int64_t) ngx_campaign_be64_get(p + 2);
    }

    return NGX_CAMPAIGN_OK;
}


ngx_campaign_rc_e
ngx_campaign_states_tries_put(ngx_campaign_states_t *x, uint32_t seq, ngx_uint_t attempts, ngx_uint_t flags, int64_t due)
{
    int     rc;
    u_char  key[NGX_CAMPAIGN_TRIES_KEY], value[NGX_CAMPAIGN_TRIES_LEN];

    ngx_campaign_be32_put(ngx_campaign_be64_put(key, x->campaign), seq);

    value[0] = (u_char) ngx_min(attempts, 255);
    value[1] = (u_char) flags;
    ngx_campaign_be64_put(&value[2], (uint64_t) due);

    rc = ngx_campaign_lmdb_put(x->t, NGX_CAMPAIGN_DB_TRIES, key, NGX_CAMPAIGN_TRIES_KEY, value, NGX_CAMPAIGN_TRIES_LEN);

    return rc == 0 ? NGX_CAMPAIGN_OK : ngx_campaign_lmdb_failed(x->t, rc, "tries");
}
