
/*
 * Times in buckets.  It keeps true: what one process counts no other can lose.
 */

#include "ngx_campaign_histogram.h"


const uint32_t  ngx_campaign_histogram_bound[NGX_CAMPAIGN_HISTOGRAM_BOUNDS] = {
    500, 1000, 2000, 5000, 10000, 25000, 50000, 100000, 250000, 500000, 1000000, 2500000, 5000000, 10000000
};


void
ngx_campaign_histogram_add(ngx_campaign_histogram_t *h, int64_t us)
{
    ngx_uint_t  i;

    us = ngx_max(us, 0);

    for (i = 0; i < NGX_CAMPAIGN_HISTOGRAM_BOUNDS && us > ngx_campaign_histogram_bound[i]; i++) { /* void */ }

    (void) __atomic_fetch_add(&h->bucket[i], 1, __ATOMIC_RELAXED);
    (void) __atomic_fetch_add(&h->us, (uint64_t) us, __ATOMIC_RELAXED);
}
