
/*
 * Words and times of webhooks.
 */

#include "ngx_campaign_webhook.h"


static ngx_str_t  ngx_campaign_webhook_none = ngx_null_string;

static ngx_str_t  ngx_campaign_webhook_events[NGX_CAMPAIGN_W_MAX] = {
    [NGX_CAMPAIGN_W_DELIVERY] = ngx_string("delivery"),
    [NGX_CAMPAIGN_W_MESSAGE]  = ngx_string("message"),
    [NGX_CAMPAIGN_W_CAMPAIGN] = ngx_string("campaign"),
    [NGX_CAMPAIGN_W_TEST]     = ngx_string("test")
};

static ngx_str_t  ngx_campaign_webhook_told[NGX_CAMPAIGN_TOLD_MAX] = {
    [NGX_CAMPAIGN_TOLD_DELIVERED]   = ngx_string("delivered"),
    [NGX_CAMPAIGN_TOLD_STATUS]      = ngx_string("status"),
    [NGX_CAMPAIGN_TOLD_TIMEOUT]     = ngx_string("timeout"),
    [NGX_CAMPAIGN_TOLD_UNREACHABLE] = ngx_string("unreachable"),
    [NGX_CAMPAIGN_TOLD_UNRESOLVED]  = ngx_string("unresolved"),
    [NGX_CAMPAIGN_TOLD_FORBIDDEN]   = ngx_string("forbidden")
};

/* seconds before the second, third, … try */

static const ngx_msec_t  ngx_campaign_webhook_waits[] = { 5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400 };


ngx_str_t *
ngx_campaign_webhook_event_name(ngx_uint_t event)
{
    return event < NGX_CAMPAIGN_W_MAX ? &ngx_campaign_webhook_events[event] : &ngx_campaign_webhook_none;
}


ngx_str_t *
ngx_campaign_webhook_told_name(ngx_uint_t told)
{
    return told < NGX_CAMPAIGN_TOLD_MAX ? &ngx_campaign_webhook_told[told] : &ngx_campaign_webhook_none;
}


ngx_uint_t
ngx_campaign_webhook_event_find(const ngx_str_t *word)
{
    ngx_str_t   *name;
    ngx_uint_t   event;

    for (event = NGX_CAMPAIGN_W_DELIVERY; event <= NGX_CAMPAIGN_W_CAMPAIGN; event++) {
        name = &ngx_campaign_webhook_events[event];

        if (name->len == word->len && ngx_strncasecmp(name->data, word->data, name->len) == 0) {
            return event;
        }
    }

    return 0;
}


ngx_int_t
ngx_campaign_webhook_wait(const ngx_campaign_retry_t *rt, ngx_uint_t n, ngx_msec_t after, uint32_t rnd, ngx_msec_t *wait)
{
    uint64_t  ms;

    if (rt) {
        if (n >= rt->attempts) {
            return NGX_DECLINED;
        }

        ms = ngx_campaign_retry_delay(rt, n, rnd);

    } else {
        if (n > sizeof(ngx_campaign_webhook_waits) / sizeof(ngx_campaign_webhook_waits[0])) {
            return NGX_DECLINED;
        }

        ms = ngx_campaign_webhook_waits[ngx_max(n, 1) - 1] * 1000;
        ms += (ms / 10 * rnd) >> 32;
    }

    *wait = (ngx_msec_t) ngx_max(ms, (uint64_t) after);

    return NGX_OK;
}
