
/*
 * Claims of a turn: how many messages an account's rate allows, and which of each campaign.  It keeps true: the limiter's state is
 * committed with the claims it was taken for; contacts deleted and numbers suppressed before their turn are skipped, messages of a campaign
 * that is no longer valid fail, and neither costs rate.
 */

#include "ngx_campaign_store_lmdb_turn.h"
#include "ngx_campaign_store_lmdb_contact.h"
#include "ngx_campaign_store_lmdb_suppress.h"
#include "ngx_campaign_gcra.h"


#ifndef NGX_CAMPAIGN_CLAIM_SPAN
#define NGX_CAMPAIGN_CLAIM_SPAN  8192           /* places between done and upto: recovery walks them; tests make it less */
#endif
#define NGX_CAMPAIGN_CLAIM_GONE  4096           /* places of contacts that get no message, passed in one claim */


static ngx_campaign_rc_e ngx_campaign_limit_put(ngx_campaign_txn_t *t, uint32_t account, int64_t tat);
static uint32_t ngx_campaign_turn_share(ngx_campaign_grant_t *g, uint32_t *left);
static ngx_campaign_rc_e ngx_campaign_turn_claim(ngx_campaign_states_t *x, ngx_campaign_claim_t *c, uint32_t account, uint32_t allowed);
static ngx_campaign_rc_e ngx_campaign_turn_claim_some(ngx_campaign_states_t *x, ngx_campaign_claim_t *c,
    ngx_campaign_campaign_t *campaign, uint32_t want);
static ngx_campaign_rc_e ngx_campaign_turn_claim_again(ngx_campaign_states_t *x, ngx_campaign_claim_t *c,
    ngx_campaign_campaign_t *campaign, ngx_campaign_gate_t *gate, uint32_t most);
static ngx_campaign_rc_e ngx_campaign_turn_claim_due(ngx_campaign_states_t *x, const ngx_campaign_campaign_t *campaign, uint32_t seq,
    int64_t due, ngx_campaign_contact_t *contact);
static ngx_campaign_rc_e ngx_campaign_turn_claim_fresh(ngx_campaign_states_t *x, ngx_campaign_claim_t *c,
    ngx_campaign_campaign_t *campaign, ngx_campaign_gate_t *gate, uint32_t most);
static ngx_campaign_rc_e ngx_campaign_turn_claim_pass(ngx_campaign_states_t *x);
static ngx_uint_t ngx_campaign_turn_expired(ngx_campaign_states_t *x, const ngx_campaign_campaign_t *campaign);
static ngx_campaign_rc_e ngx_campaign_turn_hindered(ngx_campaign_gate_t *gate, const ngx_campaign_contact_t *contact,
    ngx_uint_t expired, ngx_campaign_reason_e *reason);
static ngx_campaign_rc_e ngx_campaign_turn_skip(ngx_campaign_states_t *x, ngx_campaign_claim_t *c, uint32_t seq, ngx_uint_t recipient,
    ngx_campaign_reason_e reason);
static ngx_campaign_rc_e ngx_campaign_turn_message(ngx_campaign_states_t *x, ngx_campaign_claim_t *c, uint32_t seq, ngx_uint_t attempt,
    ngx_uint_t flags, ngx_campaign_contact_t *contact);


ngx_campaign_rc_e
ngx_campaign_limit_get(ngx_campaign_txn_t *t, uint32_t account, int64_t *tat)
{
    int      rc;
    u_char   key[4];
    MDB_val  value;

    ngx_campaign_be32_put(key, account);

    rc = ngx_campaign_lmdb_get(t, NGX_CAMPAIGN_DB_LIMIT, key, 4, &value);

    if (rc == MDB_NOTFOUND) {
        *tat = 0;
        return NGX_CAMPAIGN_OK;
    }

    if (rc != 0 || value.mv_size != 8) {
        return ngx_campaign_lmdb_failed(t, rc ? rc : MDB_CORRUPTED, "limit of account");
    }

    *tat = (int64_t) ngx_campaign_be64_get(value.mv_data);

    return NGX_CAMPAIGN_OK;
}


static ngx_campaign_rc_e
ngx_campaign_limit_put(ngx_campaign_txn_t *t, uint32_t account, int64_t tat)
{
    int     rc;
    u_char  key[4], value[8];

    ngx_campaign_be32_put(key, account);
    ngx_campaign_be64_put(value, (uint64_t) tat);

    rc = ngx_campaign_lmdb_put(t, NGX_CAMPAIGN_DB_LIMIT, key, 4, value, 8);

    return rc == 0 ? NGX_CAMPAIGN_OK : ngx_campaign_lmdb_failed(t, rc, "limit of account");
}


ngx_campaign_rc_e
ngx_campaign_limit_raise(ngx_campaign_txn_t *t, uint32_t account, int64_t tat)
{
    int64_t                 old;
    ngx_campaign_rc_e       rc;
    ngx_campaign_account_t  a;

    ngx_memzero(&a, sizeof(ngx_campaign_account_t));

    rc = ngx_campaign_lmdb_record_get(t, NGX_CAMPAIGN_ACCOUNT, 0, account, NULL, &a);
    if (rc != NGX_CAMPAIGN_OK) {
        return rc == NGX_CAMPAIGN_NOT_FOUND ? NGX_CAMPAIGN_OK : rc;
    }

    rc = ngx_campaign_limit_get(t, account, &old);
    if (rc != NGX_CAMPAIGN_OK || tat <= old) {
        return rc;
    }

    return ngx_campaign_limit_put(t, account, tat);
}


ngx_campaign_rc_e
ngx_campaign_limit_change(ngx_campaign_txn_t *t, const ngx_campaign_account_t *a, uint64_t rate, uint32_t burst)
{
    int64_t              old;
    ngx_campaign_rc_e    rc;
    ngx_campaign_gcra_t  gcra;

    if (a->rate == rate && a->burst == burst) {
        return NGX_CAMPAIGN_OK;
    }

    rc = ngx_campaign_limit_get(t, (uint32_t) a->rec.no, &old);
    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    gcra.rate = a->rate;
    gcra.burst = a->burst;
    gcra.tat = old;

    ngx_campaign_gcra_change(&gcra, rate, burst, t->now * 1000);

    return gcra.tat == old ? NGX_CAMPAIGN_OK : ngx_campaign_limit_put(t, (uint32_t) a->rec.no, gcra.tat);
}


ngx_campaign_rc_e
ngx_campaign_limit_spend(ngx_campaign_txn_t *t, uint32_t account)
{
    ngx_campaign_rc_e       rc;
    ngx_campaign_gcra_t     gcra;
    ngx_campaign_account_t  a;

    ngx_memzero(&a, sizeof(ngx_campaign_account_t));

    rc = ngx_campaign_lmdb_record_get(t, NGX_CAMPAIGN_ACCOUNT, 0, account, NULL, &a);
    if (rc != NGX_CAMPAIGN_OK) {
        return rc == NGX_CAMPAIGN_NOT_FOUND ? NGX_CAMPAIGN_OK : rc;
    }

    gcra.rate = a.rate;
    gcra.burst = a.burst;
    gcra.tat = 0;

    return ngx_campaign_limit_raise(t, account, ngx_campaign_gcra_spent(&gcra, t->now * 1000));
}


/* an account's claims, as many as its rate allows; the limiter's state is committed with them */

ngx_campaign_rc_e
ngx_campaign_turn_grant(ngx_campaign_states_t *x, ngx_campaign_grant_t *g)
{
    int64_t                 now, until;
    uint32_t                want, allowed, level, left, later;
    ngx_uint_t              i;
    ngx_campaign_rc_e       result;
    ngx_campaign_gcra_t     gcra;
    ngx_campaign_account_t  a;

    g->granted = 0;
    g->first = 0;
    g->step = 0;
    g->tat = 0;

    now = x->t->now * 1000;
    until = ngx_max(g->until, now);                     /* the turn may have waited for the writer */

    ngx_memzero(&a, sizeof(ngx_campaign_account_t));

    result = ngx_campaign_turn_account(x, g->account, &a);
    if (result != NGX_CAMPAIGN_OK && result != NGX_CAMPAIGN_NOT_FOUND) {
        return result;
    }

    for (want = 0, i = 0; i < g->nclaims; i++) {
        g->claims[i].n = 0;
        g->claims[i].left = 0;
        g->claims[i].again_at = 0;
        g->claims[i].repeats = 0;
        g->claims[i].gone = 0;
        g->claims[i].spent = 0;
        g->claims[i].expired = 0;
        want += g->claims[i].want;
    }

    if (result == NGX_CAMPAIGN_NOT_FOUND || a.rec.status != NGX_CAMPAIGN_A_ACTIVE) {

        for (i = 0; i < g->nclaims; i++) {
            g->claims[i].gone = 1;                      /* its campaigns are reported anew when it is active again */
        }

        return ngx_campaign_lmdb_feed(x->t, NGX_CAMPAIGN_ACCOUNT, 0, g->account);
    }

    result = ngx_campaign_limit_get(x->t, g->account, &g->tat);
    if (result != NGX_CAMPAIGN_OK) {
        return result;
    }

    gcra.rate = a.rate;
    gcra.burst = a.burst;
    gcra.tat = g->tat;

    allowed = (uint32_t) ngx_campaign_gcra_peek(&gcra, now, until, want);

    result = ngx_campaign_suppress_tidy(x->t, g->account);
    if (result != NGX_CAMPAIGN_OK) {
        return result;
    }

    left = allowed;
    level = ngx_campaign_turn_share(g, &left);
    later = allowed;

    for (i = 0; i < g->nclaims; i++) {
        later -= ngx_min(g->claims[i].want, level);

        if (left && g->claims[i].want > level) {
            left--;
            later--;
        }

        result = ngx_campaign_turn_claim(x, &g->claims[i], g->account, allowed - g->granted - later);
        if (result != NGX_CAMPAIGN_OK) {
            return result;
        }

        g->granted += g->claims[i].n;
    }

    (void) ngx_campaign_gcra_take(&gcra, now, until, g->granted, &g->first, &g->step);

    if (g->granted == 0) {
        return NGX_CAMPAIGN_OK;
    }

    g->tat = gcra.tat;

    return ngx_campaign_limit_put(x->t, g->account, gcra.tat);
}


/*
 * Less may be allowed than was asked for: the account was changed, say.  Campaigns get the same then: no more than the returned number of
 * messages each; of those that want more the first get one of *left, too.
 */

static uint32_t
ngx_campaign_turn_share(ngx_campaign_grant_t *g, uint32_t *left)
{
    uint32_t    level, step;
    ngx_uint_t  i, n;

    for (level = 0; /* void */ ; level += step) {
        step = *left;

        for (n = 0, i = 0; i < g->nclaims; i++) {
            if (g->claims[i].want > level) {
                step = ngx_min(step, g->claims[i].want - level);
                n++;
            }
        }

        step = n ? ngx_min(step, *left / (uint32_t) n) : 0;

        if (step == 0) {
            return level;
        }

        *left -= step * (uint32_t) n;
    }
}


static ngx_campaign_rc_e
ngx_campaign_turn_claim(ngx_campaign_states_t *x, ngx_campaign_claim_t *c, uint32_t account, uint32_t allowed)
{
    uint32_t                 want;
    ngx_campaign_rc_e        rc;
    ngx_campaign_campaign_t  campaign;

    rc = ngx_campaign_turn_open(x, c->campaign);

    if (rc == NGX_CAMPAIGN_NOT_FOUND || (rc == NGX_CAMPAIGN_OK && x->run.status != NGX_CAMPAIGN_C_IN_PROGRESS)) {
        c->gone = 1;
        return NGX_CAMPAIGN_OK;
    }

    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    ngx_memzero(&campaign, sizeof(ngx_campaign_campaign_t));

    rc = ngx_campaign_lmdb_record_get(x->t, NGX_CAMPAIGN_CAMPAIGN, account, c->campaign, NULL, &campaign);
    if (rc != NGX_CAMPAIGN_OK) {
        return rc == NGX_CAMPAIGN_NOT_FOUND ? ngx_campaign_lmdb_failed(x->t, MDB_CORRUPTED, "campaign") : rc;
    }

    want = ngx_min(c->want, allowed);
    c->spent = (want == 0);

    if (x->run.epoch != x->turn->epoch) {
        want = 0;                                       /* not reported yet: what was in flight has to be recovered first */
    }

    if (x->quiet == 2 || (x->quiet && c->campaign != x->suspect.want_campaign)) {
        want = 0;
    }

    if (want) {
        rc = ngx_campaign_turn_claim_some(x, c, &campaign, want);
        if (rc != NGX_CAMPAIGN_OK) {
            return rc;
        }
    }

    c->left = campaign.span - x->run.upto;
    c->repeats = x->run.progress.again;

    rc = ngx_campaign_states_again_next(x, &c->again_at, NULL);
    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    if (want == 0) {
        return NGX_CAMPAIGN_OK;
    }

    rc = ngx_campaign_states_close(x);

    if (x->run.status != NGX_CAMPAIGN_C_IN_PROGRESS) {
        c->gone = 1;                                    /* nobody left in it gets a message */
    }

    return rc;
}


/* repeats and fresh messages of the open campaign, `want` at most */

static ngx_campaign_rc_e
ngx_campaign_turn_claim_some(ngx_campaign_states_t *x, ngx_campaign_claim_t *c, ngx_campaign_campaign_t *campaign, uint32_t want)
{
    uint32_t             again;
    ngx_campaign_rc_e    rc;
    ngx_campaign_gate_t  gate;

    c->messages = ngx_pcalloc(x->pool, want * sizeof(ngx_campaign_claimed_t));
    if (c->messages == NULL) {
        return NGX_CAMPAIGN_FAILURE;
    }

    again = (x->run.upto < campaign->span) ? ngx_min(c->again, want) : want;

    rc = ngx_campaign_gate_open(&gate, x->t, campaign->rec.account, &campaign->rec.channel, &campaign->from);

    if (rc == NGX_CAMPAIGN_OK && x->run.progress.again) {
        rc = ngx_campaign_turn_claim_again(x, c, campaign, &gate, again);
    }

    if (rc == NGX_CAMPAIGN_OK && !x->quiet) {
        rc = ngx_campaign_turn_claim_fresh(x, c, campaign, &gate, want);
    }

    ngx_campaign_gate_close(&gate);

    x->run.epoch = x->turn->epoch;

    return rc;
}


/* repeats whose time has come, earliest first, until c holds `most` messages */

static ngx_campaign_rc_e
ngx_campaign_turn_claim_again(ngx_campaign_states_t *x, ngx_campaign_claim_t *c, ngx_campaign_campaign_t *campaign,
    ngx_campaign_gate_t *gate, uint32_t most)
{
    int64_t                  due;
    uint32_t                 seq;
    ngx_uint_t               attempts, flags, gone, may, expired;
    ngx_campaign_rc_e        rc;
    ngx_campaign_reason_e    reason;
    ngx_campaign_contact_t   contact;

    expired = ngx_campaign_turn_expired(x, campaign);

    for (gone = 0; c->n < most && gone < NGX_CAMPAIGN_CLAIM_GONE && x->quiet < 2; /* void */ ) {
        rc = x->quiet ? ngx_campaign_suspect_next(x, &due, &seq) : ngx_campaign_states_again_next(x, &due, &seq);
        if (rc != NGX_CAMPAIGN_OK) {
            return rc;
        }

        if (due == 0 || due > x->t->now) {
            break;
        }

        rc = ngx_campaign_states_tries_get(x, seq, &attempts, &flags, NULL);
        if (rc != NGX_CAMPAIGN_OK) {
            return rc;
        }

        rc = ngx_campaign_suspect_may(x, seq, due, attempts, flags, &may);
        if (rc != NGX_CAMPAIGN_OK) {
            return rc;
        }

        if (!may) {
            gone++;

            if (x->quiet) {
                break;
            }

            continue;
        }

        rc = ngx_campaign_turn_claim_due(x, campaign, seq, due, &contact);
        if (rc != NGX_CAMPAIGN_OK) {
            return rc;
        }

        rc = ngx_campaign_turn_hindered(gate, &contact, expired, &reason);

        if (rc == NGX_CAMPAIGN_OK && reason != NGX_CAMPAIGN_R_NONE) {
            gone++;
            rc = ngx_campaign_turn_skip(x, c, seq, 1, reason);

            if (rc == NGX_CAMPAIGN_OK && x->quiet) {
                rc = ngx_campaign_suspect_quiet(x);     /* it was the one that wants to go alone: nobody waits for it any more */
            }

            if (rc == NGX_CAMPAIGN_OK) {
                continue;
            }
        }

        if (rc != NGX_CAMPAIGN_OK) {
            return rc;
        }

        x->run.progress.pending--;

        rc = ngx_campaign_states_again_put(x, seq, 0);
        if (rc != NGX_CAMPAIGN_OK) {
            return rc;
        }

        if (flags & NGX_CAMPAIGN_TRY_UNCERTAIN) {
            x->run.progress.redelivered++;
        }

        rc = ngx_campaign_turn_message(x, c, seq, attempts + 1, flags, &contact);
        if (rc != NGX_CAMPAIGN_OK) {
            return rc;
        }
    }

    return NGX_CAMPAIGN_OK;
}


/* a repeat no longer waits; its contact */

static ngx_campaign_rc_e
ngx_campaign_turn_claim_due(ngx_campaign_states_t *x, const ngx_campaign_campaign_t *campaign, uint32_t seq, int64_t due,
    ngx_campaign_contact_t *contact)
{
    ngx_uint_t           found;
    ngx_campaign_rc_e    rc;
    ngx_campaign_walk_t  walk;

    rc = ngx_campaign_states_again_del(x, seq, due, &found);
    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    if (!found) {
        return ngx_campaign_lmdb_failed(x->t, MDB_CORRUPTED, "repeat that is due");
    }

    x->run.progress.again--;

    ngx_campaign_lmdb_walk_init(&walk, campaign->list, seq);

    rc = ngx_campaign_lmdb_walk_next(x->t, &walk, contact);

    return rc == NGX_CAMPAIGN_NOT_FOUND ? ngx_campaign_lmdb_failed(x->t, MDB_CORRUPTED, "contact of a repeat") : rc;
}


/* fresh messages in the order of their contacts, until c holds `most` messages */

static ngx_campaign_rc_e
ngx_campaign_turn_claim_fresh(ngx_campaign_states_t *x, ngx_campaign_claim_t *c, ngx_campaign_campaign_t *campaign,
    ngx_campaign_gate_t *gate, uint32_t most)
{
    u_char                  *byte;
    uint32_t                 seq;
    ngx_uint_t               gone, canceled, expired;
    ngx_campaign_rc_e        rc;
    ngx_campaign_reason_e    reason;
    ngx_campaign_run_t      *run;
    ngx_campaign_contact_t   contact;

    run = &x->run;
    expired = ngx_campaign_turn_expired(x, campaign);

    ngx_campaign_lmdb_walk_to(&x->walk, campaign->list, run->upto);

    for (gone = 0; c->n < most && run->upto < campaign->span && gone < NGX_CAMPAIGN_CLAIM_GONE; run->upto++) {

        if (run->upto - run->done >= NGX_CAMPAIGN_CLAIM_SPAN) {
            rc = ngx_campaign_turn_claim_pass(x);
            if (rc != NGX_CAMPAIGN_OK) {
                return rc;
            }
        }

        seq = run->upto;

        rc = ngx_campaign_states_byte(x, seq, &byte);
        if (rc != NGX_CAMPAIGN_OK) {
            return rc;
        }

        canceled = *byte;                               /* by itself: nothing else is written before its claim */

        rc = ngx_campaign_lmdb_walk_next(x->t, &x->walk, &contact);
        if (rc != NGX_CAMPAIGN_OK) {
            return rc == NGX_CAMPAIGN_NOT_FOUND ? ngx_campaign_lmdb_failed(x->t, MDB_CORRUPTED, "contact of a message") : rc;
        }

        if (canceled) {
            gone++;                                     /* and counted then */
            continue;
        }

        rc = ngx_campaign_turn_hindered(gate, &contact, expired, &reason);

        if (rc == NGX_CAMPAIGN_OK && reason != NGX_CAMPAIGN_R_NONE) {
            gone++;
            rc = ngx_campaign_turn_skip(x, c, seq, !contact.deleted || ngx_campaign_message_recipient(campaign, &contact), reason);

            if (rc == NGX_CAMPAIGN_OK) {
                continue;
            }
        }

        if (rc != NGX_CAMPAIGN_OK) {
            return rc;
        }

        run->progress.pending--;

        rc = ngx_campaign_turn_message(x, c, seq, 1, 0, &contact);
        if (rc != NGX_CAMPAIGN_OK) {
            return rc;
        }
    }

    return NGX_CAMPAIGN_OK;
}


/* messages still in flight in the oldest of the places: they stand apart, so that a slow one holds up no other */

static ngx_campaign_rc_e
ngx_campaign_turn_claim_pass(ngx_campaign_states_t *x)
{
    u_char             *byte;
    uint32_t            end;
    ngx_campaign_rc_e   rc;

    for (end = x->run.done + NGX_CAMPAIGN_CLAIM_SPAN / 8; x->run.done < end; x->run.done++) {

        rc = ngx_campaign_states_byte(x, x->run.done, &byte);

        if (rc == NGX_CAMPAIGN_OK && ngx_campaign_byte_state(*byte) == NGX_CAMPAIGN_S_PENDING) {
            rc = ngx_campaign_states_apart(x, x->run.done, byte);
        }

        if (rc != NGX_CAMPAIGN_OK) {
            return rc;
        }
    }

    return NGX_CAMPAIGN_OK;
}


/* its messages may be handed to the gateway no more */

static ngx_uint_t
ngx_campaign_turn_expired(ngx_campaign_states_t *x, const ngx_campaign_campaign_t *campaign)
{
    int64_t  expires;

    expires = ngx_campaign_expires(campaign->validity, x->run.progress.started);

    return expires && x->t->now >= expires;
}


/* why a contact gets no message; NGX_CAMPAIGN_R_NONE: it gets one */

static ngx_campaign_rc_e
ngx_campaign_turn_hindered(ngx_campaign_gate_t *gate, const ngx_campaign_contact_t *contact, ngx_uint_t expired,
    ngx_campaign_reason_e *reason)
{
    ngx_uint_t         blocked;
    ngx_campaign_rc_e  rc;

    if (contact->deleted) {
        *reason = NGX_CAMPAIGN_R_DELETED;
        return NGX_CAMPAIGN_OK;
    }

    rc = ngx_campaign_gate_pass(gate, contact->number, &blocked);

    *reason = blocked ? NGX_CAMPAIGN_R_SUPPRESSED : expired ? NGX_CAMPAIGN_R_EXPIRED : NGX_CAMPAIGN_R_NONE;

    return rc;
}


/* a message skipped or expired, or (its contact was deleted before the campaign was made) none at all */

static ngx_campaign_rc_e
ngx_campaign_turn_skip(ngx_campaign_states_t *x, ngx_campaign_claim_t *c, uint32_t seq, ngx_uint_t recipient,
    ngx_campaign_reason_e reason)
{
    u_char             *byte;
    ngx_campaign_rc_e   rc;

    rc = ngx_campaign_states_byte(x, seq, &byte);
    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    x->dirty = 1;

    if (!recipient) {
        *byte = ngx_campaign_state_byte(NGX_CAMPAIGN_S_SKIPPED, NGX_CAMPAIGN_R_NONE);
        return NGX_CAMPAIGN_OK;
    }

    x->run.progress.pending--;

    if (reason == NGX_CAMPAIGN_R_EXPIRED) {
        c->expired++;
        return ngx_campaign_states_settle(x, byte, NGX_CAMPAIGN_S_FAILED, reason);
    }

    return ngx_campaign_states_settle(x, byte, NGX_CAMPAIGN_S_SKIPPED, reason);
}


static ngx_campaign_rc_e
ngx_campaign_turn_message(ngx_campaign_states_t *x, ngx_campaign_claim_t *c, uint32_t seq, ngx_uint_t attempt, ngx_uint_t flags,
    ngx_campaign_contact_t *contact)
{
    ngx_campaign_rc_e        rc;
    ngx_campaign_claimed_t  *m;

    rc = ngx_campaign_suspect_claimed(x, seq, flags);
    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    m = &c->messages[c->n++];

    m->campaign = c->campaign;
    m->seq = seq;
    m->attempt = (uint8_t) ngx_min(attempt, 255);
    m->redelivery = (flags & NGX_CAMPAIGN_TRY_UNCERTAIN) ? 1 : 0;
    m->contact = *contact;

    x->run.progress.enroute++;

    ngx_campaign_states_trace(x, seq, "claimed, try %ui", attempt);

    return ngx_campaign_contact_copy(x->pool, &m->contact) == NGX_OK ? NGX_CAMPAIGN_OK : NGX_CAMPAIGN_FAILURE;
}
