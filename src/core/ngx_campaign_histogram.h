
/*
 * Times in buckets, in memory that processes may share: who counts and who reads need no lock.  Zeroed, it is empty.
 */

#ifndef _NGX_CAMPAIGN_HISTOGRAM_H_INCLUDED_
#define _NGX_CAMPAIGN_HISTOGRAM_H_INCLUDED_


#include "ngx_campaign.h"


#define NGX_CAMPAIGN_HISTOGRAM_BOUNDS  14


typedef struct {
    uint64_t     bucket[NGX_CAMPAIGN_HISTOGRAM_BOUNDS + 1];     /* each alone, not what is below it; the last: longer than all bounds */
    uint64_t     us;                                            /* their sum */
} ngx_campaign_histogram_t;


/* upper bounds, us */
extern const uint32_t  ngx_campaign_histogram_bound[NGX_CAMPAIGN_HISTOGRAM_BOUNDS];

void ngx_campaign_histogram_add(ngx_campaign_histogram_t *h, int64_t us);


#endif /* _NGX_CAMPAIGN_HISTOGRAM_H_INCLUDED_ */
