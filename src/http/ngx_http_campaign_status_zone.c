
/*
 * The memory of status, and its dispatcher.  It keeps true: a reload keeps all counters.
 */

#include "ngx_http_campaign_status.h"


static ngx_int_t ngx_http_campaign_status_zone(ngx_shm_zone_t *zone, void *data);


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

    ngx_http_campaign_status_use(status);
    cmcf->store.stat = &status->commits;

    return NGX_OK;
}


void
ngx_http_campaign_status_begin(uint64_t epoch)
{
    ngx_uint_t                   i;
    ngx_http_campaign_status_t  *s;

    s = ngx_http_campaign_status();

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

    (void) __atomic_compare_exchange_n(&ngx_http_campaign_status()->pid, &pid, 0, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}
