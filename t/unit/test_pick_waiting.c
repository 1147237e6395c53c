
/*
 * Repeats that wait: the dispatcher's decisions cost the same with a million of them as with ten.  The picker is told of each, one after the
 * other, and knows of a campaign the earliest.  Branches are counted.
 */

#include "pick.h"
#include "work.h"


#define TEST_CAMPAIGNS  10
#define TEST_HOUR       (3600 * SECOND)


typedef enum {
    TEST_SOONER = 0,                            /* each is due before the one before it: the campaign gets another place in the heap */
    TEST_LATER,
    TEST_ORDERS
} test_order_e;

typedef struct {
    uint64_t  told, waited, due;                /* branches: until all were told of, of ten seconds in which none is due, of one when all are */
    uint64_t  sent, repeated;                   /* in these */
} test_work_t;


static void
test_run(test_work_t *w, uint32_t each, test_order_e order)
{
    uint32_t    i;
    uint64_t    from;
    ngx_uint_t  k;

    begin(64, 1000);
    account(0, 1000, 1);
    campaign(0, 0, 0, 100000, 0, 0);

    for (k = 1; k <= TEST_CAMPAIGNS; k++) {
        campaign(k, 0, 0, 0, 0, 0);
        campaigns[k].due = START + TEST_HOUR + (int64_t) k;
    }

    from = work_steps;

    for (i = each; i; i--) {
        for (k = 1; k <= TEST_CAMPAIGNS; k++) {
            campaigns[k].again++;
            ngx_campaign_pick_campaign_again(&pick, &campaigns[k].pick,
                                             campaigns[k].due + (order == TEST_SOONER ? i - 1 : each - i) * (int64_t) TEST_CAMPAIGNS, now);
        }
    }

    w->told = work_steps - from;

    from = work_steps;
    run(START + 10 * SECOND);
    w->waited = work_steps - from;
    w->sent = campaigns[0].sent;

    run(START + TEST_HOUR - SECOND);            /* by now campaign 0 is sent, and nothing else is looked for */
    is_int(ngx_campaign_pick_next(&pick, now) - START, TEST_HOUR + 1, "the next look is when the first repeat is due");

    now = START + TEST_HOUR + SECOND;
    from = work_steps;
    ok(tick() > 0, "then a turn asks for repeats");
    w->due = work_steps - from;

    for (w->repeated = 0, k = 1; k <= TEST_CAMPAIGNS; k++) {
        w->repeated += campaigns[k].repeated;
    }
}


int
main(void)
{
    ngx_uint_t           i;
    test_work_t          few, many;
    static const char   *order[TEST_ORDERS] = { "sooner", "later" };

    for (i = 0; i < TEST_ORDERS; i++) {
        test_run(&few, 10, i);
        test_run(&many, 100000, i);

        ok(few.told && few.waited && few.due, "each due %s: branches are counted: %" PRIu64 ", %" PRIu64 ", %" PRIu64, order[i], few.told,
           few.waited, few.due);
        ok(many.told <= (few.told + few.told / 8) * 10000, "each due %s: to hear of a million costs 10000 times as much: %" PRIu64,
           order[i], many.told);
        is_uint(many.waited, few.waited, "each due %s: ten seconds beside a million that wait cost the same", order[i]);
        is_uint(many.sent, few.sent, "each due %s: and as much is sent", order[i]);
        is_uint(many.due, few.due, "each due %s: the first turn when they are due, too", order[i]);
        is_uint(many.repeated, few.repeated, "each due %s: it asks for as many", order[i]);
        is_uint(wrong, 0, "each due %s: never more than rate and slots allow", order[i]);
    }

    return done_testing();
}
