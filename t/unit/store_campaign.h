
/*
 * What the tests of campaigns share: campaigns in a line, and the test as the dispatcher that claims, records and takes over.
 */

#ifndef _STORE_CAMPAIGN_H_INCLUDED_
#define _STORE_CAMPAIGN_H_INCLUDED_


#include "store_make.h"


#define MAKE_FIRST  15550000000ULL              /* number of the first recipient */


static uint64_t  make_epoch;


/* as one is given to the store; audience NULL: its numbers come with it */

STORE_UNUSED static void
make_campaign(ngx_campaign_campaign_t *c, uint32_t account, const char *name, const u_char *audience)
{
    ngx_memzero(c, sizeof(ngx_campaign_campaign_t));

    c->rec.account = account;
    c->rec.name = make_str(name);
    c->rec.channel = make_str("SMS");
    c->from = make_str("Acme");
    c->text = make_str("Hello");

    if (audience) {
        ngx_memcpy(c->audience, audience, NGX_CAMPAIGN_ID_LEN);
    }
}


/* to n numbers from first on, or (0) to its audience */

STORE_UNUSED static ngx_campaign_rc_e
make_create(ngx_campaign_campaign_t *c, uint64_t first, ngx_uint_t n)
{
    store_op_t         *so;
    ngx_campaign_rc_e   rc;

    so = store_op();
    rc = store_wait(so, ngx_campaign_store_create(st, &so->op, c, n ? make_pile(so->op.pool, first, 1, n, 0) : NULL));
    store_free(so);

    return rc;
}


STORE_UNUSED static void
make_created(ngx_campaign_campaign_t *c, uint64_t first, ngx_uint_t n)
{
    if (make_create(c, first, n) != NGX_CAMPAIGN_OK) {
        diag("no campaign");
        exit(2);
    }
}


/* c's counters and its status, as they are stored */

STORE_UNUSED static void
make_progress(ngx_campaign_campaign_t *c)
{
    ngx_campaign_rc_e        rc;
    ngx_campaign_campaign_t  found;

    rc = store_answer(ngx_campaign_store_get(st, store_begin(), NGX_CAMPAIGN_CAMPAIGN, c->rec.account, c->rec.id, &found));

    if (rc != NGX_CAMPAIGN_OK) {
        diag("the campaign is not found");
        exit(2);
    }

    c->progress = found.progress;
    c->rec.status = found.rec.status;
}


/* from: bits of statuses; c stays as it is */

STORE_UNUSED static ngx_campaign_rc_e
make_status(ngx_campaign_campaign_t *c, ngx_campaign_status_e to, ngx_uint_t from)
{
    ngx_campaign_campaign_t  changed;

    changed = *c;
    changed.rec.status = to;

    return store_answer(ngx_campaign_store_change(st, store_begin(), &changed, NGX_CAMPAIGN_SET_STATUS, from));
}


/* makes the test the dispatcher */

STORE_UNUSED static void
make_lease(void)
{
    (void) store_answer(ngx_campaign_store_lease(st, store_begin(), &make_epoch));
}


/* a turn of the test with one grant, whose claims are to be released at once */

STORE_UNUSED static void
make_grant(ngx_campaign_turn_t *turn, ngx_campaign_grant_t *grant, uint32_t account, ngx_campaign_claim_t *claims, ngx_uint_t n)
{
    ngx_memzero(turn, sizeof(ngx_campaign_turn_t));
    ngx_memzero(grant, sizeof(ngx_campaign_grant_t));

    grant->account = account;
    grant->claims = claims;
    grant->nclaims = n;
    grant->until = ngx_stub_now * 1000;

    turn->epoch = make_epoch;
    turn->grants = grant;
    turn->ngrants = 1;
}


/* what it claimed is in the operation's pool, and gone */

STORE_UNUSED static void
make_turned(ngx_campaign_turn_t *turn)
{
    if (store_answer(ngx_campaign_store_turn(st, store_begin(), turn)) != NGX_CAMPAIGN_OK) {
        diag("the turn fails");
        exit(2);
    }
}


/* a turn of the test that wants messages of c, repeats at most `again` of them, if there is a c */

STORE_UNUSED static void
make_ask(ngx_campaign_turn_t *turn, ngx_campaign_grant_t *grant, ngx_campaign_claim_t *claim, ngx_campaign_campaign_t *c, uint32_t want,
    uint32_t again)
{
    ngx_memzero(turn, sizeof(ngx_campaign_turn_t));
    ngx_memzero(claim, sizeof(ngx_campaign_claim_t));

    if (c) {
        make_grant(turn, grant, c->rec.account, claim, 1);
        grant->until = (ngx_stub_now + 1000000) * 1000;
        claim->campaign = c->rec.no;
        claim->want = want;
        claim->again = again;
    }

    turn->epoch = make_epoch;
}


/* one turn of the dispatcher: outcomes, and claims of c, if there is one.  Messages claimed */

STORE_UNUSED static ngx_uint_t
make_turn(ngx_campaign_campaign_t *c, uint32_t want, ngx_campaign_outcome_t *outcomes, ngx_uint_t n)
{
    ngx_campaign_turn_t   turn;
    ngx_campaign_claim_t  claim;
    ngx_campaign_grant_t  grant;

    make_ask(&turn, &grant, &claim, c, want, want);
    turn.outcomes = outcomes;
    turn.noutcomes = n;
    make_turned(&turn);

    return claim.n;
}


/* a turn that claims one message, fresh or a repeat; crashed: whoever was the dispatcher before died of itself */

STORE_UNUSED static ngx_uint_t
make_claim(ngx_campaign_campaign_t *c, uint32_t again, ngx_uint_t crashed)
{
    ngx_campaign_turn_t   turn;
    ngx_campaign_claim_t  claim;
    ngx_campaign_grant_t  grant;

    make_ask(&turn, &grant, &claim, c, 1, again);
    turn.crashed = crashed;

    is_uint(store_answer(ngx_campaign_store_turn(st, store_begin(), &turn)), NGX_CAMPAIGN_OK, "a turn");

    return claim.n;
}


/* of c message 0 is in flight: whoever sent it died, four times; it is to go alone, and all wait for that */

STORE_UNUSED static void
make_suspect(ngx_campaign_campaign_t *c)
{
    ngx_uint_t  i;

    for (i = 0; i < 4; i++) {
        make_lease();
        (void) make_claim(NULL, 0, 1);
        ngx_stub_now += 2 * NGX_CAMPAIGN_DEATHS_WAIT;

        if (i < 3) {
            (void) make_claim(c, 1, 0);
        }
    }

    is_uint(make_claim(c, 0, 0), 1, "another message goes");
    is_uint(make_claim(c, 1, 0), 0, "a suspect does not go beside it");
    is_uint(make_claim(c, 0, 0), 0, "and for its sake nothing else does");
}


STORE_UNUSED static ngx_campaign_outcome_t
make_outcome(ngx_campaign_campaign_t *c, uint32_t seq, ngx_uint_t kind, ngx_uint_t state)
{
    ngx_campaign_outcome_t  o;

    ngx_memzero(&o, sizeof(o));

    o.campaign = c->rec.no;
    o.seq = seq;
    o.kind = (uint8_t) kind;
    o.state = (uint8_t) state;
    o.reason = (state == NGX_CAMPAIGN_S_FAILED || kind == NGX_CAMPAIGN_OUTCOME_AGAIN) ? NGX_CAMPAIGN_R_GATEWAY_5XX : NGX_CAMPAIGN_R_NONE;
    o.attempt = 1;
    o.claim = 1;
    o.due = ngx_stub_now + 1000000;

    return o;
}


/* one in progress, to n numbers */

STORE_UNUSED static void
make_started(ngx_campaign_campaign_t *c, uint32_t account, const char *name, ngx_uint_t n)
{
    make_campaign(c, account, name, NULL);
    make_created(c, MAKE_FIRST, n);
    (void) make_turn(NULL, 0, NULL, 0);
}


#endif /* _STORE_CAMPAIGN_H_INCLUDED_ */
