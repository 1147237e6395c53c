
/*
 * What is counted in status.  It keeps true: one process (the dispatcher) takes series and writes, any may read.
 */

#include "ngx_http_campaign_status.h"


static ngx_http_campaign_status_t  *ngx_http_campaign_status_memory;


void
ngx_http_campaign_status_use(ngx_http_campaign_status_t *status)
{
    ngx_http_campaign_status_memory = status;
}


ngx_http_campaign_status_t *
ngx_http_campaign_status(void)
{
    return ngx_http_campaign_status_memory;
}


ngx_http_campaign_series_t *
ngx_http_campaign_status_series(uint32_t no, u_char *account, ngx_str_t *channel)
{
    ngx_uint_t                   i;
    ngx_http_campaign_series_t  *s;

    s = ngx_http_campaign_status_memory->series;

    for (i = 0; i < NGX_HTTP_CAMPAIGN_STATUS_SERIES - 1 && s->channel[0]; i++, s++) {
        if (s->no == no && ngx_strlen(s->channel) == channel->len && ngx_memcmp(s->channel, channel->data, channel->len) == 0) {
            return s;
        }
    }

    s->no = no;

    if (i < NGX_HTTP_CAMPAIGN_STATUS_SERIES - 1) {
        ngx_memcpy(s->account, account, NGX_CAMPAIGN_UUID_LEN);
        ngx_memcpy(s->channel, channel->data, channel->len);

    } else {
        ngx_memcpy(s->channel, "other", 6);
    }

    return s;
}


ngx_http_campaign_gateway_status_t *
ngx_http_campaign_status_gateway(ngx_str_t *channel)
{
    ngx_uint_t                           i;
    ngx_http_campaign_gateway_status_t  *g;

    g = ngx_http_campaign_status_memory->gateways;

    for (i = 0; i < NGX_HTTP_CAMPAIGN_STATUS_GATEWAYS - 1 && g->channel[0]; i++, g++) {
        if (ngx_strlen(g->channel) == channel->len && ngx_memcmp(g->channel, channel->data, channel->len) == 0) {
            return g;
        }
    }

    if (i < NGX_HTTP_CAMPAIGN_STATUS_GATEWAYS - 1) {
        ngx_memcpy(g->channel, channel->data, channel->len);

    } else {
        ngx_memcpy(g->channel, "other", 6);
    }

    return g;
}


void
ngx_http_campaign_status_went(ngx_http_campaign_series_t *s, int64_t wall, int64_t late)
{
    uint64_t  second, *went, *last;

    second = (uint64_t) wall / 1000000;
    went = &s->went[second % NGX_HTTP_CAMPAIGN_STATUS_SECONDS];

    ngx_http_campaign_status_set(went, (*went >> 24 == (second & 0xffffffffff)) ? *went + 1 : (second << 24) + 1);

    last = &ngx_http_campaign_status_memory->late[second & 1];
    late = ngx_min(ngx_max(late, 0), 0xffffffffLL);

    if (*last >> 32 != (second & 0xffffffff) || (*last & 0xffffffff) < (uint64_t) late) {
        ngx_http_campaign_status_set(last, second << 32 | (uint64_t) late);
    }
}
