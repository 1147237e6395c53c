
/*
 * A message whose senders died, which is to go alone while all wait for it, by the store's public header: what may become of it before it goes.
 */

#include "store_campaign.h"


#define TEST_MESSAGES  10
#define TEST_VALIDITY  60                       /* s */


static void test_suppressed(void);
static void test_expired(void);

static void test_suspect(ngx_campaign_campaign_t *c, const char *name, uint64_t first, uint32_t validity);
static ngx_uint_t test_claims(ngx_campaign_campaign_t *c, uint32_t again, ngx_uint_t crashed);
static void test_sent(ngx_campaign_campaign_t *c, uint32_t seq);


static uint32_t  mine;


int
main(int argc, char **argv)
{
    make_store(argv[0]);

    mine = make_account("mine");
    make_sender(mine, "Acme", NULL);

    test_suppressed();
    test_expired();

    make_end();

    return done_testing();
}


static void
test_suppressed(void)
{
    ngx_campaign_suppress_t  s;
    ngx_campaign_campaign_t  c;

    test_suspect(&c, "suppressed", MAKE_FIRST, 0);

    ngx_memzero(&s, sizeof(s));
    s.account = mine;
    s.source = NGX_CAMPAIGN_SOURCE_API;
    s.given.number = MAKE_FIRST;
    is_uint(store_answer(ngx_campaign_store_suppress(st, store_begin(), &s)), NGX_CAMPAIGN_OK, "its number is suppressed");

    is_uint(test_claims(&c, 1, 0), 1, "another message goes in its place");

    make_progress(&c);
    is_uint(c.progress.skipped, 1, "it is skipped, once");
    is_uint(c.progress.pending, TEST_MESSAGES - 3, "the others wait");
    ok(make_look(NULL), "the store is sound");

    test_sent(&c, 2);
}


static void
test_expired(void)
{
    ngx_campaign_campaign_t  c;

    test_suspect(&c, "expired", MAKE_FIRST + TEST_MESSAGES, TEST_VALIDITY);

    ngx_stub_now += (TEST_VALIDITY + 1) * 1000000LL;
    is_uint(test_claims(&c, 1, 0), 0, "a minute later nothing goes any more");

    make_progress(&c);
    is_uint(c.progress.reason[NGX_CAMPAIGN_R_EXPIRED], TEST_MESSAGES - 1, "all that were not sent have expired, each once");
    is_uint(c.progress.failed, TEST_MESSAGES - 1, "and failed");
    is_uint(c.rec.status, NGX_CAMPAIGN_C_COMPLETED, "and the campaign has ended");
    ok(make_look(NULL), "the store is sound");
}


/* whoever sent message 0 died, four times; all wait for it, and the one that went before is sent */

static void
test_suspect(ngx_campaign_campaign_t *c, const char *name, uint64_t first, uint32_t validity)
{
    ngx_uint_t  i;

    make_campaign(c, mine, name, NULL);
    c->validity = validity;
    make_created(c, first, TEST_MESSAGES);
    make_lease();
    (void) test_claims(NULL, 0, 0);
    (void) test_claims(c, 1, 0);

    for (i = 0; i < 4; i++) {
        make_lease();
        (void) test_claims(NULL, 0, 1);
        ngx_stub_now += 2 * NGX_CAMPAIGN_DEATHS_WAIT;

        if (i < 3) {
            (void) test_claims(c, 1, 0);
        }
    }

    is_uint(test_claims(c, 0, 0), 1, "another message goes");
    is_uint(test_claims(c, 1, 0), 0, "a suspect does not go beside it");
    is_uint(test_claims(c, 0, 0), 0, "and for its sake nothing else does");

    test_sent(c, 1);
}


/* a turn that claims one message, fresh or a repeat */

static ngx_uint_t
test_claims(ngx_campaign_campaign_t *c, uint32_t again, ngx_uint_t crashed)
{
    ngx_campaign_turn_t   turn;
    ngx_campaign_claim_t  claim;
    ngx_campaign_grant_t  grant;

    ngx_memzero(&turn, sizeof(turn));
    ngx_memzero(&claim, sizeof(claim));

    if (c) {
        make_grant(&turn, &grant, mine, &claim, 1);
        grant.until = (ngx_stub_now + 1000000) * 1000;
        claim.campaign = c->rec.no;
        claim.want = 1;
        claim.again = again;
    }

    turn.epoch = make_epoch;
    turn.crashed = crashed;
    make_turned(&turn);

    return claim.n;
}


static void
test_sent(ngx_campaign_campaign_t *c, uint32_t seq)
{
    ngx_campaign_outcome_t  o;

    o = make_outcome(c, seq, NGX_CAMPAIGN_OUTCOME_SETTLED, NGX_CAMPAIGN_S_SENT);
    (void) make_turn(NULL, 0, &o, 1);
}
