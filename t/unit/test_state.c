
/*
 * Moves between statuses, and words.
 */

#include "tap.h"
#include "ngx_campaign_state.h"


static void test_moves(void);
static void test_words(void);
static void test_find(void);


static const char *const  test_statuses[] = { "", "scheduled", "in_progress", "paused", "completed", "failed", "canceled", "", "" };

/* rows: from; columns: to; both in the order above */

static const char *const  test_allowed[] = {
    ".........",
    "..X...X..",
    "...XXXX..",
    "..X...X..",
    ".........",
    ".........",
    ".........",
    ".........",
    "........."
};


int
main(void)
{
    test_moves();
    test_words();
    test_find();

    return done_testing();
}


static void
test_moves(void)
{
    ngx_uint_t  from, to, mask;

    for (from = 0; from < 9; from++) {
        for (to = 0; to < 9; to++) {
            is_uint(ngx_campaign_status_allowed(from, to), test_allowed[from][to] == 'X', "%u (%s) to %u (%s): %s", (unsigned) from,
                    test_statuses[from], (unsigned) to, test_statuses[to], test_allowed[from][to] == 'X' ? "allowed" : "refused");
        }
    }

    for (to = 0; to < 9; to++) {
        for (mask = 0, from = 0; from < 9; from++) {
            if (test_allowed[from][to] == 'X') {
                mask |= (ngx_uint_t) 1 << from;
            }
        }

        is_uint(ngx_campaign_status_from(to), mask, "statuses that lead to %u (%s)", (unsigned) to, test_statuses[to]);
    }

    is_uint(ngx_campaign_status_allowed(1000, NGX_CAMPAIGN_C_PAUSED), 0, "from a status far out of range nothing is allowed");
    is_uint(ngx_campaign_status_allowed(NGX_CAMPAIGN_C_PAUSED, 1000), 0, "nor to one");

    is_uint(ngx_campaign_status_settled(0), NGX_CAMPAIGN_C_FAILED, "all settled, none accepted: failed");
    is_uint(ngx_campaign_status_settled(1), NGX_CAMPAIGN_C_COMPLETED, "one accepted: completed");
    is_uint(ngx_campaign_status_settled(UINT32_MAX), NGX_CAMPAIGN_C_COMPLETED, "many accepted: completed");
}


static void
test_words(void)
{
    ngx_str_t                 word;
    ngx_uint_t                i;
    static const char *const  messages[] = { "", "scheduled", "enroute", "sent", "delivered", "failed", "canceled", "skipped", "" };
    static const char *const  states[] = { "scheduled", "scheduled", "sent", "delivered", "failed", "canceled", "skipped", "", "" };
    static const char *const  reasons[] = { "", "expired", "gateway_4xx", "gateway_5xx", "gateway_timeout", "gateway_unreachable",
        "receipt_failed", "receipt_expired", "receipt_rejected", "uncertain", "suppressed", "deleted", "canceled", "poison", "", "" };

    for (i = 0; i < sizeof(test_statuses) / sizeof(test_statuses[0]); i++) {
        is_str(ngx_campaign_status_name(i), test_statuses[i], "word of status %u", (unsigned) i);
    }

    for (i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        is_str(ngx_campaign_state_name(i), states[i], "word of state %u", (unsigned) i);
    }

    for (i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
        is_str(ngx_campaign_reason_name(i), reasons[i], "word of reason %u", (unsigned) i);
    }

    for (i = 0; i < sizeof(messages) / sizeof(messages[0]); i++) {
        is_str(ngx_campaign_message_status_name(i), messages[i], "word of a message's status %u", (unsigned) i);

        word.data = (u_char *) messages[i];
        word.len = strlen(messages[i]);

        is_uint(ngx_campaign_message_status_find(&word), word.len ? i : 0, "\"%s\" leads back to it", messages[i]);
    }

    word = (ngx_str_t) ngx_string("Cancelled");
    is_uint(ngx_campaign_message_status_find(&word), NGX_CAMPAIGN_M_CANCELED, "a message is cancelled with two l as well");

    ok(NGX_CAMPAIGN_S_MAX <= 8 && NGX_CAMPAIGN_R_MAX <= 32, "states and reasons fit into a state byte");
}


static void
test_find(void)
{
    ngx_uint_t                i;
    ngx_str_t                 word;
    static const char *const  none[] = { "", "cancel", "cancele", "canceledx", "cancelledx", "in progress", "in-progress", "in_progres",
        " paused", "paused ", "enroute", "sent", "1" };

    for (i = NGX_CAMPAIGN_C_SCHEDULED; i < NGX_CAMPAIGN_C_MAX; i++) {
        word.data = (u_char *) test_statuses[i];
        word.len = strlen(test_statuses[i]);

        is_uint(ngx_campaign_status_find(&word), i, "\"%s\" is found", test_statuses[i]);
    }

    word = (ngx_str_t) ngx_string("CANCELED");
    is_uint(ngx_campaign_status_find(&word), NGX_CAMPAIGN_C_CANCELED, "in capitals");

    word = (ngx_str_t) ngx_string("In_Progress");
    is_uint(ngx_campaign_status_find(&word), NGX_CAMPAIGN_C_IN_PROGRESS, "in mixed case");

    word = (ngx_str_t) ngx_string("Cancelled");
    is_uint(ngx_campaign_status_find(&word), NGX_CAMPAIGN_C_CANCELED, "with two l");

    for (i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
        word.data = (u_char *) none[i];
        word.len = strlen(none[i]);

        is_uint(ngx_campaign_status_find(&word), 0, "\"%s\" is no status", none[i]);
    }
}
