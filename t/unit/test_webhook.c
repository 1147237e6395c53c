
/*
 * Words of webhooks, and the times of their tries.
 */

#include "tap.h"
#include "ngx_campaign_webhook.h"


int
main(void)
{
    ngx_str_t               word;
    ngx_uint_t              i, event;
    ngx_msec_t              wait;
    ngx_campaign_retry_t    rt = { 3, 100, 400 };
    static const ngx_uint_t seconds[] = { 5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400 };

    for (event = NGX_CAMPAIGN_W_DELIVERY; event <= NGX_CAMPAIGN_W_CAMPAIGN; event++) {
        is_uint(ngx_campaign_webhook_event_find(ngx_campaign_webhook_event_name(event)), event, "event %d is found by its word", (int) event);
    }

    ngx_str_set(&word, "DeLiVeRy");
    is_uint(ngx_campaign_webhook_event_find(&word), NGX_CAMPAIGN_W_DELIVERY, "in any case");
    ngx_str_set(&word, "test");
    is_uint(ngx_campaign_webhook_event_find(&word), 0, "a test is no event that a webhook is for");
    ngx_str_set(&word, "");
    is_uint(ngx_campaign_webhook_event_find(&word), 0, "nor is nothing");
    is_uint(ngx_campaign_webhook_event_name(0)->len + ngx_campaign_webhook_event_name(77)->len, 0, "numbers out of range have no word");

    for (i = 0; i < 9; i++) {
        is_int(ngx_campaign_webhook_wait(NULL, i + 1, 0, 0, &wait), NGX_OK, "after try %d there is another", (int) i + 1);
        is_uint(wait, seconds[i] * 1000, "it waits as the contract says");
        (void) ngx_campaign_webhook_wait(NULL, i + 1, 0, 0xffffffff, &wait);
        ok(wait > seconds[i] * 1000 && wait <= seconds[i] * 1100, "or a tenth longer");
    }

    is_int(ngx_campaign_webhook_wait(NULL, 10, 0, 0, &wait), NGX_DECLINED, "the tenth try is the last");
    is_int(ngx_campaign_webhook_wait(NULL, 1, 7000, 0, &wait), NGX_OK, "Retry-After");
    is_uint(wait, 7000, "is obeyed if it is longer");
    (void) ngx_campaign_webhook_wait(NULL, 2, 7000, 0, &wait);
    is_uint(wait, 300000, "and not if it is shorter");

    is_int(ngx_campaign_webhook_wait(&rt, 1, 0, 0, &wait), NGX_OK, "campaign_retry");
    is_uint(wait, 100, "has its own waits");
    is_int(ngx_campaign_webhook_wait(&rt, 3, 0, 0, &wait), NGX_DECLINED, "and its own number of tries");

    return done_testing();
}
