
/*
 * The shared memory of status.  It keeps true: one process (the dispatcher) takes series; any may read; a reload keeps all counters.
 */

#include "ngx_http_campaign_status.h"


static ngx_int_t ngx_http_campaign_status_zone(ngx_shm_zone_t *zone, void *data);


static ngx_http_campaign_status_t  *ngx_http_campaign_status_memory;


ngx_int_t
ngx_http_campaign_status_init(ngx_conf_t *cf, ngx_http_campaign_main_conf_t *cmcf)
{
    size_t           size;
    ngx_shm_zone_t  *zone;

    static ngx_str_t  name = ngx_string("campaign_status");

    size = ngx_align(sizeof(ngx_http_campaign_status_t), ngx_pagesize) + 16 * ngx_pagesize;

    zone = ngx_shared_memory_add(cf, &name, size, &ngx_http_campaign_module);
    if (zone == NULL) {
        return NGX_ERROR;
    }

    zone->init = ngx_http_campaign_status_zone;
    zone->data = cmcf;

    return NGX_OK;
}


static ngx_int_t
ngx_http_campaign_status_zone(ngx_shm_zone_t *zone, void *data)
{
    ngx_slab_pool_t                *pool;
    ngx_http_campaign_status_t     *status;
    ngx_http_campaign_main_conf_t  *cmcf;

    cmcf = zone->data;
    pool = (ngx_slab_pool_t *) zone->shm.addr;

    status = (data || zone->shm.exists) ? pool->data : NULL;

    if (status == NULL) {
        status = ngx_slab_calloc(pool, sizeof(ngx_http_campaign_status_t));
        if (status == NULL) {
            return NGX_ERROR;
        }

        pool->data = status;
    }

    ngx_http_campaign_status_memory = status;
    cmcf->store.stat = &status->commits;

    return NGX_OK;
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
ngx_http_campaign_status_begin(uint64_t epoch)
{
    ngx_uint_t                   i;
    ngx_http_campaign_status_t  *s;

    s = ngx_http_campaign_status_memory;

    for (i = 0; i < NGX_HTTP_CAMPAIGN_STATUS_SERIES; i++) {
        ngx_http_campaign_status_set(&s->series[i].in_flight, 0);
        ngx_http_campaign_status_set(&s->series[i].waiting, 0);
        ngx_http_campaign_status_set(&s->series[i].since, 0);
    }

    for (i = 0; i < NGX_HTTP_CAMPAIGN_STATUS_GATEWAYS; i++) {
        ngx_http_campaign_status_set(&s->gateways[i].in_flight, 0);
        ngx_http_campaign_status_set(&s->gateways[i].slots, 0);
        ngx_http_campaign_status_set(&s->gateways[i].limit, 0);
        ngx_http_campaign_status_set(&s->gateways[i].held, 0);
    }

    ngx_http_campaign_status_set(&s->epoch, epoch);
    ngx_http_campaign_status_set(&s->since, ngx_campaign_now());
    ngx_http_campaign_status_set(&s->pid, ngx_pid);
    ngx_http_campaign_status_add(&s->takeovers, 1);
}


/* unless another one was quicker */

void
ngx_http_campaign_status_end(void)
{
    uint64_t  pid;

    pid = ngx_pid;

    (void) __atomic_compare_exchange_n(&ngx_http_campaign_status_memory->pid, &pid, 0, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
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
