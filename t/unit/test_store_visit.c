
/*
 * Walks over many contacts: of an audience, and of the messages of a campaign that are not settled; one at a time in a process.
 */

#include "store_campaign.h"


#define TEST_NOW  (MAKE_NOW / 1000000)


typedef struct {
    ngx_uint_t  n;
    uint64_t    first, last;
    ngx_uint_t  fail_at;                        /* 0: never */
} test_seen_t;


static uint32_t  mine, other;
static u_char    audience[NGX_CAMPAIGN_ID_LEN];


static ngx_int_t
test_visit(void *data, const ngx_campaign_contact_t *contact)
{
    test_seen_t *seen = data;

    if (seen->n++ == 0) {
        seen->first = contact->number;
    }

    seen->last = contact->number;

    return seen->n == seen->fail_at ? NGX_ERROR : NGX_OK;
}


static ngx_campaign_visit_t *
test_make(store_op_t *so, test_seen_t *seen, uint32_t account, u_char *list, u_char *campaign)
{
    ngx_campaign_visit_t  *visit;

    ngx_memzero(seen, sizeof(test_seen_t));

    visit = ngx_pcalloc(so->op.pool, sizeof(ngx_campaign_visit_t));
    visit->account = account;
    visit->audience = list;
    visit->campaign = campaign;
    visit->visit = test_visit;
    visit->data = seen;

    return visit;
}


static void
test_audience(void)
{
    u_char                 none[NGX_CAMPAIGN_ID_LEN];
    store_op_t            *so;
    test_seen_t            seen;
    ngx_campaign_visit_t  *visit;

    make_audience(mine, "many", audience);
    make_add(mine, audience, 15550000000, 10000);

    so = store_op();

    visit = test_make(so, &seen, mine, audience, NULL);
    is_uint(store_wait(so, ngx_campaign_store_visit(st, &so->op, visit)), NGX_CAMPAIGN_OK, "an audience of more than a slice");
    is_uint(seen.n, 10000, "each contact is shown once");
    is_uint(seen.first, 15550000000, "the first");
    is_uint(seen.last, 15550009999, "to the last");

    visit = test_make(so, &seen, mine, audience, NULL);
    seen.fail_at = 5000;
    is_uint(store_wait(so, ngx_campaign_store_visit(st, &so->op, visit)), NGX_CAMPAIGN_FAILURE, "who has no memory");
    is_uint(seen.n, 5000, "is shown no more");

    visit = test_make(so, &seen, other, audience, NULL);
    is_uint(store_wait(so, ngx_campaign_store_visit(st, &so->op, visit)), NGX_CAMPAIGN_NOT_FOUND, "another account's audience is none");

    ngx_memzero(none, sizeof(none));
    visit = test_make(so, &seen, mine, none, NULL);
    is_uint(store_wait(so, ngx_campaign_store_visit(st, &so->op, visit)), NGX_CAMPAIGN_NOT_FOUND, "nor is one that never was");
    is_uint(seen.n, 0, "nothing of it is shown");

    store_free(so);
}


static void
test_one_at_a_time(void)
{
    ngx_uint_t              i;
    store_op_t             *so[3];
    test_seen_t             seen[3];
    ngx_thread_pool_t       threads;

    ngx_memzero(&threads, sizeof(threads));
    store_conf.threads = &threads;

    for (i = 0; i < 3; i++) {
        so[i] = store_op();
        (void) ngx_campaign_store_visit(st, &so[i]->op, test_make(so[i], &seen[i], mine, audience, NULL));
    }

    ngx_campaign_store_cancel(&so[1]->op);

    is_uint(ngx_stub_run_threads(&threads), 1, "of three walks one takes a thread");
    is_uint(seen[1].n + seen[2].n, 0, "the others wait");

    (void) ngx_stub_complete_threads(&threads);
    is_uint(so[0]->rc, NGX_CAMPAIGN_OK, "it ends");
    is_uint(seen[0].n, 10000, "having seen all");

    is_uint(ngx_stub_run_threads(&threads), 1, "then the next takes it");
    (void) ngx_stub_complete_threads(&threads);
    (void) ngx_stub_run_posted();

    is_uint(seen[2].n, 10000, "which has not been given up");
    is_uint(so[2]->rc, NGX_CAMPAIGN_OK, "and ends, too");
    ok(!ngx_campaign_store_busy(st), "nothing is left under way");

    threads.full = 1;
    is_uint(store_wait(so[2], ngx_campaign_store_visit(st, &so[2]->op, test_make(so[2], &seen[2], mine, audience, NULL))),
            NGX_CAMPAIGN_UNAVAILABLE, "without a thread it is told so");

    store_conf.threads = NULL;

    store_free(so[0]);
    store_free(so[2]);
}


static ngx_campaign_rc_e
test_turn(store_op_t *so, ngx_campaign_grant_t *grant, ngx_campaign_outcome_t *outcomes, ngx_uint_t n)
{
    ngx_campaign_turn_t  *turn;

    turn = ngx_pcalloc(so->op.pool, sizeof(ngx_campaign_turn_t));
    turn->epoch = make_epoch;
    turn->grants = grant;
    turn->ngrants = grant ? 1 : 0;
    turn->outcomes = outcomes;
    turn->noutcomes = n;

    return store_wait(so, ngx_campaign_store_turn(st, &so->op, turn));
}


static void
test_campaign(void)
{
    ngx_uint_t                i;
    store_op_t               *so;
    test_seen_t               seen;
    ngx_campaign_claim_t      claim;
    ngx_campaign_grant_t      grant;
    ngx_campaign_visit_t     *visit;
    ngx_campaign_outcome_t    outcomes[300];
    ngx_campaign_campaign_t   c;

    so = store_op();

    make_campaign(&c, mine, "", audience);
    is_uint(make_create(&c, 0, 0), NGX_CAMPAIGN_OK, "a campaign");

    visit = test_make(so, &seen, mine, NULL, c.rec.id);
    is_uint(store_wait(so, ngx_campaign_store_visit(st, &so->op, visit)), NGX_CAMPAIGN_OK, "its messages");
    is_uint(seen.n, 10000, "all wait before it starts");
    is_str(&visit->found.text, "Hello", "the campaign is told, too");

    make_lease();
    (void) make_turn(NULL, 0, NULL, 0);                 /* starts it */
    (void) make_turn(NULL, 0, NULL, 0);                 /* reports it */

    ngx_memzero(&claim, sizeof(claim));
    ngx_memzero(&grant, sizeof(grant));
    claim.campaign = c.rec.no;
    claim.want = 300;
    grant.account = mine;
    grant.claims = &claim;
    grant.nclaims = 1;

    is_uint(test_turn(so, &grant, NULL, 0), NGX_CAMPAIGN_OK, "messages are claimed");
    is_uint(claim.n, 300, "300 of them");

    ngx_memzero(outcomes, sizeof(outcomes));

    for (i = 0; i < 250; i++) {
        outcomes[i].campaign = c.rec.no;
        outcomes[i].seq = claim.messages[i].seq;
        outcomes[i].attempt = 1;
        outcomes[i].claim = 1;
        outcomes[i].segments = 2;
        outcomes[i].kind = NGX_CAMPAIGN_OUTCOME_SETTLED;
        outcomes[i].state = i < 100 ? NGX_CAMPAIGN_S_SENT : i < 150 ? NGX_CAMPAIGN_S_DELIVERED : NGX_CAMPAIGN_S_FAILED;
        outcomes[i].reason = i < 150 ? NGX_CAMPAIGN_R_NONE : NGX_CAMPAIGN_R_GATEWAY_4XX;

        if (i >= 200) {
            outcomes[i].kind = NGX_CAMPAIGN_OUTCOME_AGAIN;
            outcomes[i].due = ngx_stub_now + 1000000;
        }
    }

    is_uint(test_turn(so, NULL, outcomes, 250), NGX_CAMPAIGN_OK, "200 are settled, 50 wait for a repeat, 50 are in flight");
    is_uint(test_turn(so, NULL, outcomes, 250), NGX_CAMPAIGN_OK, "an outcome that comes twice");

    visit = test_make(so, &seen, mine, NULL, c.rec.id);
    (void) store_wait(so, ngx_campaign_store_visit(st, &so->op, visit));
    is_uint(seen.n, 9800, "what is settled is shown no more");
    is_uint(visit->found.progress.segments, 400, "segments of what went to the gateway and is settled");
    is_uint(visit->found.progress.accepted, 300, "segments of what it accepted");

    visit = test_make(so, &seen, other, NULL, c.rec.id);
    is_uint(store_wait(so, ngx_campaign_store_visit(st, &so->op, visit)), NGX_CAMPAIGN_NOT_FOUND, "another account's campaign is none");

    (void) make_status(&c, NGX_CAMPAIGN_C_CANCELED, ~(ngx_uint_t) 0);

    visit = test_make(so, &seen, mine, NULL, c.rec.id);
    is_uint(store_wait(so, ngx_campaign_store_visit(st, &so->op, visit)), NGX_CAMPAIGN_OK, "of a canceled campaign");
    is_uint(seen.n, 0, "nothing will be sent");
    ok(make_look(NULL), "the store agrees with itself");

    store_free(so);
}


int
main(int argc, char **argv)
{
    make_store(argv[0]);

    mine = make_account("mine");
    other = make_account("other");
    make_sender(mine, "Acme", NULL);

    test_audience();
    test_one_at_a_time();
    test_campaign();

    make_end();

    return done_testing();
}
