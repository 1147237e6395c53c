
/*
 * Messages that may be what kills the dispatcher: it died with them in flight, time after time.  It keeps true: of all suspects of the store
 * one at a time is in flight; one that is marked as alone was claimed with nothing in flight, and nothing was claimed after it.
 */

#include "ngx_campaign_store_lmdb_turn.h"


#define NGX_CAMPAIGN_SUSPECT_LEN  33


static ngx_campaign_rc_e ngx_campaign_suspect_waits(ngx_campaign_states_t *x, ngx_uint_t *waits);
static ngx_campaign_rc_e ngx_campaign_suspect_save(ngx_campaign_states_t *x);
static ngx_campaign_rc_e ngx_campaign_suspect_busy(ngx_campaign_states_t *x, ngx_uint_t *busy);
static ngx_campaign_rc_e ngx_campaign_suspect_empty(ngx_campaign_states_t *x, ngx_uint_t *empty);
static ngx_campaign_rc_e ngx_campaign_suspect_postpone(ngx_campaign_states_t *x, uint32_t seq, int64_t due, int64_t later,
    ngx_uint_t attempts, ngx_uint_t flags);


ngx_campaign_rc_e
ngx_campaign_suspect_load(ngx_campaign_states_t *x)
{
    int                      rc;
    u_char                  *p;
    MDB_val                  value;
    ngx_campaign_suspect_t  *s;

    rc = ngx_campaign_lmdb_get(x->t, NGX_CAMPAIGN_DB_META, "suspect", 7, &value);

    if (rc == MDB_NOTFOUND) {
        return NGX_CAMPAIGN_OK;
    }

    if (rc != 0 || value.mv_size != NGX_CAMPAIGN_SUSPECT_LEN) {
        return ngx_campaign_lmdb_failed(x->t, rc ? rc : MDB_CORRUPTED, "suspect");
    }

    s = &x->suspect;
    p = value.mv_data;

    s->campaign = ngx_campaign_be64_get(p);
    s->seq = ngx_campaign_be32_get(p + 8);
    s->alone = p[12];
    s->want_campaign = ngx_campaign_be64_get(p + 13);
    s->want_seq = ngx_campaign_be32_get(p + 21);
    s->since = (int64_t) ngx_campaign_be64_get(p + 25);

    return NGX_CAMPAIGN_OK;
}


static ngx_campaign_rc_e
ngx_campaign_suspect_save(ngx_campaign_states_t *x)
{
    int                      rc;
    u_char                  *p, value[NGX_CAMPAIGN_SUSPECT_LEN];
    ngx_campaign_suspect_t  *s;

    s = &x->suspect;

    p = ngx_campaign_be32_put(ngx_campaign_be64_put(value, s->campaign), s->seq);
    *p++ = (u_char) s->alone;
    p = ngx_campaign_be32_put(ngx_campaign_be64_put(p, s->want_campaign), s->want_seq);
    ngx_campaign_be64_put(p, (uint64_t) s->since);

    rc = ngx_campaign_lmdb_put(x->t, NGX_CAMPAIGN_DB_META, "suspect", 7, value, NGX_CAMPAIGN_SUSPECT_LEN);

    return rc == 0 ? NGX_CAMPAIGN_OK : ngx_campaign_lmdb_failed(x->t, rc, "suspect");
}


ngx_campaign_rc_e
ngx_campaign_suspect_quiet(ngx_campaign_states_t *x)
{
    ngx_uint_t               busy, waits;
    ngx_campaign_rc_e        rc;
    ngx_campaign_suspect_t  *s;

    s = &x->suspect;
    x->quiet = 0;

    if ((s->want_campaign == 0 && !s->alone) || x->t->now < s->since || x->t->now >= s->since + NGX_CAMPAIGN_DEATHS_QUIET) {
        return NGX_CAMPAIGN_OK;
    }

    if (s->want_campaign) {
        rc = ngx_campaign_suspect_waits(x, &waits);

        if (rc != NGX_CAMPAIGN_OK || waits) {
            x->quiet = 1;
            return rc;
        }

        s->want_campaign = 0;

        rc = ngx_campaign_suspect_save(x);

        if (rc != NGX_CAMPAIGN_OK || !s->alone) {
            return rc;
        }
    }

    rc = ngx_campaign_suspect_busy(x, &busy);

    x->quiet = busy ? 2 : 0;

    return rc;
}


/* the one that is to go alone is still to be repeated: a receipt may have settled it, or a client canceled it.  No other campaign is open */

static ngx_campaign_rc_e
ngx_campaign_suspect_waits(ngx_campaign_states_t *x, ngx_uint_t *waits)
{
    int64_t            due;
    ngx_uint_t         attempts, flags;
    ngx_campaign_rc_e  rc;

    x->campaign = x->suspect.want_campaign;
    *waits = 0;

    ngx_campaign_damage_at(x, NGX_CAMPAIGN_CAMPAIGN, x->campaign);

    if (ngx_campaign_damage_has(x->t->store, NGX_CAMPAIGN_CAMPAIGN, x->campaign)) {
        return NGX_CAMPAIGN_OK;
    }

    rc = ngx_campaign_states_tries_get(x, x->suspect.want_seq, &attempts, &flags, &due);

    return (rc == NGX_CAMPAIGN_OK && due) ? ngx_campaign_states_again_has(x, x->suspect.want_seq, due, waits) : rc;
}


/* is the one that went last still in flight, of whatever campaign it is? */

static ngx_campaign_rc_e
ngx_campaign_suspect_busy(ngx_campaign_states_t *x, ngx_uint_t *busy)
{
    int      rc;
    u_char   key[NGX_CAMPAIGN_AGAIN_KEY];
    MDB_val  value;

    ngx_campaign_states_again_key(key, x->suspect.campaign, 0, x->suspect.seq);

    rc = ngx_campaign_lmdb_get(x->t, NGX_CAMPAIGN_DB_AGAIN, key, NGX_CAMPAIGN_AGAIN_KEY, &value);

    *busy = (rc == 0);

    return (rc == 0 || rc == MDB_NOTFOUND) ? NGX_CAMPAIGN_OK : ngx_campaign_lmdb_failed(x->t, rc, "repeat of a suspect");
}


/* nothing at all is in flight */

static ngx_campaign_rc_e
ngx_campaign_suspect_empty(ngx_campaign_states_t *x, ngx_uint_t *empty)
{
    int                  rc;
    MDB_val              key, none;
    uint64_t             no;
    MDB_cursor          *cursor;
    ngx_campaign_rc_e    result;
    ngx_campaign_run_t   run;

    *empty = (x->run.progress.enroute == 0);
    result = NGX_CAMPAIGN_OK;

    rc = mdb_cursor_open(x->t->txn, x->t->store->dbi[NGX_CAMPAIGN_DB_ACTIVE], &cursor);
    if (rc != 0) {
        return ngx_campaign_lmdb_failed(x->t, rc, "cursor of active");
    }

    for (rc = mdb_cursor_get(cursor, &key, &none, MDB_FIRST);
         rc == 0 && *empty && result == NGX_CAMPAIGN_OK;
         rc = mdb_cursor_get(cursor, &key, &none, MDB_NEXT))
    {
        no = ngx_campaign_be64_get((u_char *) key.mv_data + 4);

        if (no != x->campaign && !ngx_campaign_damage_has(x->t->store, NGX_CAMPAIGN_CAMPAIGN, no)) {
            ngx_campaign_damage_at(x, NGX_CAMPAIGN_CAMPAIGN, no);
            ngx_memzero(&run, sizeof(ngx_campaign_run_t));
            result = ngx_campaign_lmdb_run_get(x->t, no, &run);
            *empty = (run.progress.enroute == 0);
        }
    }

    mdb_cursor_close(cursor);

    if (rc != 0 && rc != MDB_NOTFOUND) {
        return ngx_campaign_lmdb_failed(x->t, rc, "walk of active");
    }

    if (result == NGX_CAMPAIGN_OK) {
        ngx_campaign_damage_at(x, NGX_CAMPAIGN_CAMPAIGN, x->campaign);
    }

    return result;
}


ngx_campaign_rc_e
ngx_campaign_suspect_next(ngx_campaign_states_t *x, int64_t *due, uint32_t *seq)
{
    ngx_uint_t  attempts, flags;

    *seq = x->suspect.want_seq;

    return ngx_campaign_states_tries_get(x, *seq, &attempts, &flags, due);
}


ngx_campaign_rc_e
ngx_campaign_suspect_may(ngx_campaign_states_t *x, uint32_t seq, int64_t due, ngx_uint_t attempts, ngx_uint_t flags, ngx_uint_t *may)
{
    ngx_uint_t               busy;
    ngx_campaign_rc_e        rc;
    ngx_campaign_suspect_t  *s;

    s = &x->suspect;
    *may = 1;

    if (ngx_campaign_states_deaths(flags) < NGX_CAMPAIGN_DEATHS_SUSPECT) {
        return NGX_CAMPAIGN_OK;
    }

    rc = ngx_campaign_suspect_busy(x, &busy);

    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    if (busy) {
        *may = 0;
        return ngx_campaign_suspect_postpone(x, seq, due, x->t->now + NGX_CAMPAIGN_DEATHS_TURN, attempts, flags);
    }

    if (ngx_campaign_states_deaths(flags) < NGX_CAMPAIGN_DEATHS_ALONE) {
        return NGX_CAMPAIGN_OK;
    }

    rc = ngx_campaign_suspect_empty(x, may);

    if (rc != NGX_CAMPAIGN_OK || *may || x->quiet) {
        return rc;
    }

    if (s->want_campaign && x->t->now >= s->since && x->t->now < s->since + NGX_CAMPAIGN_DEATHS_LATER) {
        return ngx_campaign_suspect_postpone(x, seq, due, s->since + NGX_CAMPAIGN_DEATHS_LATER, attempts, flags);
    }

    s->want_campaign = x->campaign;
    s->want_seq = seq;
    s->since = x->t->now;
    x->quiet = 1;

    return ngx_campaign_suspect_save(x);
}


static ngx_campaign_rc_e
ngx_campaign_suspect_postpone(ngx_campaign_states_t *x, uint32_t seq, int64_t due, int64_t later, ngx_uint_t attempts, ngx_uint_t flags)
{
    ngx_uint_t         found;
    ngx_campaign_rc_e  rc;

    ngx_campaign_states_trace(x, seq, "put off for %L ms, dispatchers died with it", (later - x->t->now) / 1000);

    rc = ngx_campaign_states_again_del(x, seq, due, &found);

    if (rc == NGX_CAMPAIGN_OK) {
        rc = ngx_campaign_states_again_put(x, seq, later);
    }

    return rc == NGX_CAMPAIGN_OK ? ngx_campaign_states_tries_put(x, seq, attempts, flags, later) : rc;
}


ngx_campaign_rc_e
ngx_campaign_suspect_claimed(ngx_campaign_states_t *x, uint32_t seq, ngx_uint_t flags)
{
    ngx_campaign_suspect_t  *s;

    s = &x->suspect;

    if (ngx_campaign_states_deaths(flags) < NGX_CAMPAIGN_DEATHS_SUSPECT) {

        if (!s->alone) {
            return NGX_CAMPAIGN_OK;
        }

        s->alone = 0;
        return ngx_campaign_suspect_save(x);
    }

    s->campaign = x->campaign;
    s->seq = seq;
    s->alone = (ngx_campaign_states_deaths(flags) >= NGX_CAMPAIGN_DEATHS_ALONE);

    if (s->alone) {
        s->want_campaign = 0;
        s->since = x->t->now;
        x->quiet = 2;
    }

    return ngx_campaign_suspect_save(x);
}
