
/*
 * A message whose senders died, which is to go alone while all wait for it, by the store's public header: what may become of it before it goes.
 */

#include "store_campaign.h"


#define TEST_MESSAGES  10
#define TEST_VALIDITY  60                       /* s */


static void test_suppressed(void);
static void test_expired(void);

static void test_suspect(ngx_campaign_campaign_t *c, const char *name, uint64_t first, uint32_t validity);
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

    is_uint(make_claim(&c, 1, 0), 1, "another message goes in its place");

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
    is_uint(make_claim(&c, 1, 0), 0, "a minute later nothing goes any more");

    make_progress(&c);
    is_uint(c.progress.reason[NGX_CAMPAIGN_R_EXPIRED], TEST_MESSAGES - 1, "all that were not sent have expired, each once");
    is_uint(c.progress.failed, TEST_MESSAGES - 1, "and failed");
    is_uint(c.rec.status, NGX_CAMPAIGN_C_COMPLETED, "and the campaign has ended");
    ok(make_look(NULL), "the store is sound");
}


/* message 0 is to go alone; the one that went before is sent */

static void
test_suspect(ngx_campaign_campaign_t *c, const char *name, uint64_t first, uint32_t validity)
{
    make_campaign(c, mine, name, NULL);
    c->validity = validity;
    make_created(c, first, TEST_MESSAGES);
    make_lease();
    (void) make_claim(NULL, 0, 0);
    (void) make_claim(c, 1, 0);

    make_suspect(c);
    test_sent(c, 1);
}


static void
test_sent(ngx_campaign_campaign_t *c, uint32_t seq)
{
    ngx_campaign_outcome_t  o;

    o = make_outcome(c, seq, NGX_CAMPAIGN_OUTCOME_SETTLED, NGX_CAMPAIGN_S_SENT);
    (void) make_turn(NULL, 0, &o, 1);
}
