
/*
 * Messages that a dispatcher hands over: in flight when it left, and its own until it has recorded what became of them.  It keeps true:
 * such a message stands in `again` as claimed, or a receipt has settled it; who is on the post of its epoch can record it, and if nobody
 * is, it is uncertain; whoever comes second, the outcome or the look, finds that it is not there any more.
 *
 * A post is a locked byte of the file of idempotency keys, behind their places: it is another process's to see, and ends with its holder.
 */

#include "ngx_campaign_store_lmdb_turn.h"


#define NGX_CAMPAIGN_LEAVE_POSTS  ((uint64_t) 1 << 62)  /* places of keys end there */
#define NGX_CAMPAIGN_LEAVE_KEY    12                    /* campaign u64, seq u32 */
#define NGX_CAMPAIGN_LEAVE_LOST   1024                  /* messages that one turn finds lost; the next one goes on */


typedef struct {
    uint64_t                 epoch;
    ngx_uint_t               there;
} ngx_campaign_leave_post_t;

typedef struct {
    ngx_campaign_states_t   *x;
    ngx_array_t             *posts;             /* ngx_campaign_leave_post_t: asked for once a turn */
    ngx_array_t             *lost;              /* ngx_campaign_leaving_t */
    ngx_campaign_away_t     *away;              /* of the open campaign; NULL: not known yet */
} ngx_campaign_leave_look_t;


static int ngx_libc_cdecl ngx_campaign_leave_cmp(const void *one, const void *two);
static ngx_campaign_rc_e ngx_campaign_leave_one(ngx_campaign_states_t *x, uint32_t seq);
static ngx_campaign_rc_e ngx_campaign_leave_walk(ngx_campaign_leave_look_t *look);
static ngx_campaign_rc_e ngx_campaign_leave_there(ngx_campaign_leave_look_t *look, uint64_t epoch, ngx_uint_t *there);
static ngx_campaign_rc_e ngx_campaign_leave_away(ngx_campaign_leave_look_t *look, uint64_t campaign);
static ngx_campaign_rc_e ngx_campaign_leave_lost(ngx_campaign_states_t *x, ngx_campaign_leaving_t *lost, ngx_uint_t n);
static ngx_campaign_rc_e ngx_campaign_leave_get(ngx_campaign_states_t *x, uint32_t seq, u_char *key, uint64_t *epoch);


ngx_int_t
ngx_campaign_store_post(ngx_campaign_store_t *st, uint64_t post)
{
    ngx_int_t  rc;

    rc = ngx_campaign_lmdb_held_lock(st, NGX_CAMPAIGN_HELD_LOCK, NGX_CAMPAIGN_LEAVE_POSTS + post);

    if (rc == NGX_ERROR) {
        ngx_log_error(NGX_LOG_CRIT, st->log, ngx_errno, "campaign store \"%V\": lock of post %uL failed", &st->conf->path, post);
    }

    return rc;
}


void
ngx_campaign_store_post_leave(ngx_campaign_store_t *st, uint64_t post)
{
    if (ngx_campaign_lmdb_held_lock(st, NGX_CAMPAIGN_HELD_UNLOCK, NGX_CAMPAIGN_LEAVE_POSTS + post) != NGX_OK) {
        ngx_log_error(NGX_LOG_ALERT, st->log, ngx_errno, "campaign store \"%V\": unlock of post %uL failed", &st->conf->path, post);
    }
}


ngx_campaign_rc_e
ngx_campaign_turn_leave(ngx_campaign_states_t *x)
{
    ngx_uint_t               i, n;
    ngx_campaign_rc_e        rc;
    ngx_campaign_leaving_t  *l;

    l = x->turn->leaving;
    n = x->turn->nleaving;

    if (n == 0) {
        return NGX_CAMPAIGN_OK;
    }

    ngx_qsort(l, n, sizeof(ngx_campaign_leaving_t), ngx_campaign_leave_cmp);

    for (i = 0; i < n; i++) {
        rc = NGX_CAMPAIGN_OK;

        if (i == 0 || l[i].campaign != l[i - 1].campaign) {
            rc = ngx_campaign_turn_open(x, l[i].campaign);

            if (rc == NGX_CAMPAIGN_NOT_FOUND) {         /* as with outcomes */
                while (i + 1 < n && l[i + 1].campaign == l[i].campaign) {
                    i++;
                }
                continue;
            }
        }

        if (rc == NGX_CAMPAIGN_OK) {
            rc = ngx_campaign_leave_one(x, l[i].seq);
        }

        if (rc == NGX_CAMPAIGN_OK && (i + 1 == n || l[i + 1].campaign != l[i].campaign)) {
            rc = ngx_campaign_states_close(x);
        }

        if (rc != NGX_CAMPAIGN_OK) {
            return rc;
        }
    }

    return NGX_CAMPAIGN_OK;
}


static int ngx_libc_cdecl
ngx_campaign_leave_cmp(const void *one, const void *two)
{
    const ngx_campaign_leaving_t *a = one, *b = two;

    if (a->campaign != b->campaign) {
        return a->campaign < b->campaign ? -1 : 1;
    }

    return a->seq < b->seq ? -1 : a->seq > b->seq;
}


/* one claimed for the first time stands apart then: the next dispatcher counts its place as done */

static ngx_campaign_rc_e
ngx_campaign_leave_one(ngx_campaign_states_t *x, uint32_t seq)
{
    int                 rc;
    u_char             *byte, key[NGX_CAMPAIGN_LEAVE_KEY], value[8];
    ngx_uint_t          found;
    ngx_campaign_rc_e   result;

    if (seq >= x->run.upto) {
        return NGX_CAMPAIGN_OK;
    }

    result = ngx_campaign_states_byte(x, seq, &byte);
    if (result != NGX_CAMPAIGN_OK) {
        return result;
    }

    switch (ngx_campaign_byte_state(*byte)) {

    case NGX_CAMPAIGN_S_PENDING:
        result = ngx_campaign_states_apart(x, seq, byte);
        break;

    case NGX_CAMPAIGN_S_RETRY:
        result = ngx_campaign_states_again_has(x, seq, 0, &found);

        if (result == NGX_CAMPAIGN_OK && !found) {
            return NGX_CAMPAIGN_OK;                     /* its outcome was recorded */
        }

        break;

    default:                                            /* a receipt was quicker: its answer is still to come */
        break;
    }

    if (result != NGX_CAMPAIGN_OK) {
        return result;
    }

    ngx_campaign_states_trace(x, seq, "handed over, its answer is still to come");

    ngx_campaign_be32_put(ngx_campaign_be64_put(key, x->campaign), seq);
    ngx_campaign_be64_put(value, x->turn->epoch);

    rc = ngx_campaign_lmdb_put(x->t, NGX_CAMPAIGN_DB_LEAVING, key, NGX_CAMPAIGN_LEAVE_KEY, value, 8);

    return rc == 0 ? NGX_CAMPAIGN_OK : ngx_campaign_lmdb_failed(x->t, rc, "leaving");
}


ngx_campaign_rc_e
ngx_campaign_turn_look(ngx_campaign_states_t *x)
{
    ngx_campaign_rc_e          rc;
    ngx_campaign_leave_look_t  look;

    look.x = x;
    look.away = NULL;
    look.posts = ngx_array_create(x->pool, 4, sizeof(ngx_campaign_leave_post_t));
    look.lost = ngx_array_create(x->pool, 4, sizeof(ngx_campaign_leaving_t));

    if (look.posts == NULL || look.lost == NULL) {
        return NGX_CAMPAIGN_FAILURE;
    }

    rc = ngx_campaign_leave_walk(&look);

    return rc == NGX_CAMPAIGN_OK ? ngx_campaign_leave_lost(x, look.lost->elts, look.lost->nelts) : rc;
}


static ngx_campaign_rc_e
ngx_campaign_leave_walk(ngx_campaign_leave_look_t *look)
{
    int                      rc;
    MDB_val                  key, value;
    uint64_t                 campaign, open;
    ngx_uint_t               there;
    MDB_cursor              *cursor;
    ngx_campaign_rc_e        result;
    ngx_campaign_txn_t      *t;
    ngx_campaign_leaving_t  *lost;

    t = look->x->t;
    open = 0;
    result = NGX_CAMPAIGN_OK;

    rc = mdb_cursor_open(t->txn, t->store->dbi[NGX_CAMPAIGN_DB_LEAVING], &cursor);
    if (rc != 0) {
        return ngx_campaign_lmdb_failed(t, rc, "cursor of leaving");
    }

    for (rc = mdb_cursor_get(cursor, &key, &value, MDB_FIRST); rc == 0; rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) {

        if (key.mv_size != NGX_CAMPAIGN_LEAVE_KEY || value.mv_size != 8) {
            rc = MDB_CORRUPTED;
            break;
        }

        campaign = ngx_campaign_be64_get(key.mv_data);

        if (ngx_campaign_damage_has(t->store, NGX_CAMPAIGN_CAMPAIGN, campaign)) {
            continue;
        }

        result = ngx_campaign_leave_there(look, ngx_campaign_be64_get(value.mv_data), &there);

        if (result == NGX_CAMPAIGN_OK && there) {
            if (look->away == NULL || campaign != open) {
                open = campaign;
                result = ngx_campaign_leave_away(look, campaign);
            }

            if (result == NGX_CAMPAIGN_OK) {
                look->away->n++;
            }

        } else if (result == NGX_CAMPAIGN_OK && look->lost->nelts < NGX_CAMPAIGN_LEAVE_LOST) {
            lost = ngx_array_push(look->lost);

            if (lost) {
                lost->campaign = campaign;
                lost->seq = ngx_campaign_be32_get((u_char *) key.mv_data + 8);
            }

            result = lost ? NGX_CAMPAIGN_OK : NGX_CAMPAIGN_FAILURE;
        }

        if (result != NGX_CAMPAIGN_OK) {
            break;
        }
    }

    mdb_cursor_close(cursor);

    return (result != NGX_CAMPAIGN_OK || rc == MDB_NOTFOUND) ? result : ngx_campaign_lmdb_failed(t, rc, "walk of leaving");
}


/* a post whose lock cannot be asked for counts as empty: nothing waits for ever, and what is uncertain is safe */

static ngx_campaign_rc_e
ngx_campaign_leave_there(ngx_campaign_leave_look_t *look, uint64_t epoch, ngx_uint_t *there)
{
    ngx_uint_t                  i;
    ngx_campaign_txn_t         *t;
    ngx_campaign_leave_post_t  *post;

    post = look->posts->elts;

    for (i = 0; i < look->posts->nelts; i++) {
        if (post[i].epoch == epoch) {
            *there = post[i].there;
            return NGX_CAMPAIGN_OK;
        }
    }

    post = ngx_array_push(look->posts);
    if (post == NULL) {
        return NGX_CAMPAIGN_FAILURE;
    }

    post->epoch = epoch;
    t = look->x->t;

    post->there = (ngx_campaign_lmdb_held_lock(t->store, NGX_CAMPAIGN_HELD_ASK, NGX_CAMPAIGN_LEAVE_POSTS + epoch) == NGX_BUSY);

    if (!post->there) {
        ngx_log_error(NGX_LOG_NOTICE, t->log, 0, "campaign dispatcher: that of epoch %uL is no more, and did not record all that it "
                      "handed over", epoch);
    }

    *there = post->there;

    return NGX_CAMPAIGN_OK;
}


/* where the messages of a campaign are counted */

static ngx_campaign_rc_e
ngx_campaign_leave_away(ngx_campaign_leave_look_t *look, uint64_t campaign)
{
    ngx_uint_t              i;
    ngx_campaign_rc_e       rc;
    ngx_campaign_away_t    *away;
    ngx_campaign_states_t  *x;

    x = look->x;

    rc = ngx_campaign_states_open(x, campaign);

    if (rc == NGX_CAMPAIGN_OK) {
        rc = ngx_campaign_states_channel(x);
    }

    if (rc != NGX_CAMPAIGN_OK) {
        return rc == NGX_CAMPAIGN_NOT_FOUND ? ngx_campaign_lmdb_failed(x->t, MDB_CORRUPTED, "campaign that was handed over") : rc;
    }

    away = x->turn->away->elts;

    for (i = 0; i < x->turn->away->nelts; i++) {
        if (away[i].channel.len == x->channel.len && ngx_memcmp(away[i].channel.data, x->channel.data, x->channel.len) == 0) {
            look->away = &away[i];
            return NGX_CAMPAIGN_OK;
        }
    }

    away = ngx_array_push(x->turn->away);
    if (away == NULL) {
        return NGX_CAMPAIGN_FAILURE;
    }

    away->n = 0;
    away->channel.len = x->channel.len;
    away->channel.data = ngx_pstrdup(x->pool, &x->channel);

    look->away = away;

    return away->channel.data ? NGX_CAMPAIGN_OK : NGX_CAMPAIGN_FAILURE;
}


/* they come in the order of their keys */

static ngx_campaign_rc_e
ngx_campaign_leave_lost(ngx_campaign_states_t *x, ngx_campaign_leaving_t *lost, ngx_uint_t n)
{
    int                rc;
    u_char             key[NGX_CAMPAIGN_LEAVE_KEY];
    ngx_uint_t         i;
    ngx_campaign_rc_e  result;

    for (i = 0; i < n; i++) {
        result = NGX_CAMPAIGN_OK;

        if (i == 0 || lost[i].campaign != lost[i - 1].campaign) {
            result = ngx_campaign_states_open(x, lost[i].campaign);
        }

        if (result == NGX_CAMPAIGN_OK) {
            result = ngx_campaign_turn_lost(x, lost[i].seq);
        }

        if (result != NGX_CAMPAIGN_OK) {
            return result == NGX_CAMPAIGN_NOT_FOUND ? ngx_campaign_lmdb_failed(x->t, MDB_CORRUPTED, "campaign that was handed over")
                                                    : result;
        }

        ngx_campaign_be32_put(ngx_campaign_be64_put(key, lost[i].campaign), lost[i].seq);

        rc = ngx_campaign_lmdb_del(x->t, NGX_CAMPAIGN_DB_LEAVING, key, NGX_CAMPAIGN_LEAVE_KEY);
        if (rc != 0) {
            return ngx_campaign_lmdb_failed(x->t, rc, "leaving");
        }

        if (i + 1 < n && lost[i + 1].campaign == lost[i].campaign) {
            continue;
        }

        result = ngx_campaign_states_close(x);

        if (result == NGX_CAMPAIGN_OK) {
            result = ngx_campaign_limit_spend(x->t, x->run.account);
        }

        if (result == NGX_CAMPAIGN_OK) {
            result = ngx_campaign_lmdb_feed(x->t, NGX_CAMPAIGN_CAMPAIGN, x->run.account, x->campaign);
        }

        if (result != NGX_CAMPAIGN_OK) {
            return result;
        }
    }

    return NGX_CAMPAIGN_OK;
}


ngx_campaign_rc_e
ngx_campaign_leaving_has(ngx_campaign_states_t *x, uint32_t seq, ngx_uint_t *found)
{
    u_char             key[NGX_CAMPAIGN_LEAVE_KEY];
    uint64_t           epoch;
    ngx_campaign_rc_e  rc;

    rc = ngx_campaign_leave_get(x, seq, key, &epoch);
    *found = (epoch != 0);

    return rc;
}


ngx_campaign_rc_e
ngx_campaign_leaving_take(ngx_campaign_states_t *x, uint32_t seq, ngx_uint_t *found)
{
    int                rc;
    u_char             key[NGX_CAMPAIGN_LEAVE_KEY];
    MDB_stat           stat;
    uint64_t           epoch;
    ngx_campaign_rc_e  result;

    *found = 0;

    if (x->handed == 0) {                               /* once: a turn's outcomes come before what it hands over itself */
        rc = mdb_stat(x->t->txn, x->t->store->dbi[NGX_CAMPAIGN_DB_LEAVING], &stat);
        if (rc != 0) {
            return ngx_campaign_lmdb_failed(x->t, rc, "leaving");
        }

        x->handed = stat.ms_entries ? 2 : 1;
    }

    if (x->handed == 1) {
        return NGX_CAMPAIGN_OK;
    }

    result = ngx_campaign_leave_get(x, seq, key, &epoch);
    *found = (epoch == x->turn->epoch);

    if (result != NGX_CAMPAIGN_OK || !*found) {
        return result;
    }

    rc = ngx_campaign_lmdb_del(x->t, NGX_CAMPAIGN_DB_LEAVING, key, NGX_CAMPAIGN_LEAVE_KEY);

    return rc == 0 ? NGX_CAMPAIGN_OK : ngx_campaign_lmdb_failed(x->t, rc, "leaving");
}


/* *epoch 0: it was not handed over */

static ngx_campaign_rc_e
ngx_campaign_leave_get(ngx_campaign_states_t *x, uint32_t seq, u_char *key, uint64_t *epoch)
{
    int      rc;
    MDB_val  value;

    *epoch = 0;

    ngx_campaign_be32_put(ngx_campaign_be64_put(key, x->campaign), seq);

    rc = ngx_campaign_lmdb_get(x->t, NGX_CAMPAIGN_DB_LEAVING, key, NGX_CAMPAIGN_LEAVE_KEY, &value);

    if (rc == MDB_NOTFOUND) {
        return NGX_CAMPAIGN_OK;
    }

    if (rc != 0 || value.mv_size != 8) {
        return ngx_campaign_lmdb_failed(x->t, rc ? rc : MDB_CORRUPTED, "leaving");
    }

    *epoch = ngx_campaign_be64_get(value.mv_data);

    return NGX_CAMPAIGN_OK;
}
