
/*
 * What can be watched, in memory that all processes share, and that outlives a reload: the dispatcher counts, any worker answers.  Numbers
 * are read and written alone, without a lock; those of one answer may be of slightly different moments.  There are as many series as there
 * is room for: what comes later is counted in the last one.
 */

#ifndef _NGX_HTTP_CAMPAIGN_STATUS_H_INCLUDED_
#define _NGX_HTTP_CAMPAIGN_STATUS_H_INCLUDED_


#include "ngx_http_campaign_module.h"
#include "ngx_campaign_histogram.h"


#define NGX_HTTP_CAMPAIGN_STATUS_SERIES    512          /* pairs of account and channel */
#define NGX_HTTP_CAMPAIGN_STATUS_GATEWAYS  64
#define NGX_HTTP_CAMPAIGN_STATUS_SECONDS   16           /* of counts that rates are reckoned from; 10 of them are whole */


typedef struct {
    u_char                       channel[NGX_CAMPAIGN_CHANNEL_MAX + 1];     /* zero-terminated; empty: not in use */
    u_char                       account[NGX_CAMPAIGN_UUID_LEN + 1];        /* empty: all that found no room */
    uint32_t                     no;            /* of the account */

    uint64_t                     waiting, in_flight;
    uint64_t                     sent, delivered, failed, retried;
    uint64_t                     rate, burst;   /* configured; rate: millionths of a message a second */
    uint64_t                     since;         /* oldest waiting campaign's start, seconds since 1970; 0: nothing waits */
    uint64_t                     went[NGX_HTTP_CAMPAIGN_STATUS_SECONDS];    /* in a second; second << 24 | messages */

    uint64_t                     shown, shown_since;    /* waiting and since, while they are reckoned */
    uint64_t                     achieved, age; /* only in a copy: as rate; seconds */
} ngx_http_campaign_series_t;

typedef struct {
    u_char                       channel[NGX_CAMPAIGN_CHANNEL_MAX + 1];
    uint64_t                     slots, limit, in_flight;
    uint64_t                     held;          /* rests until then, us since 1970 */
    ngx_campaign_histogram_t     latency;
    uint64_t                     resting;       /* only in a copy: 1 */
} ngx_http_campaign_gateway_status_t;

typedef struct {
    uint64_t                     pid, epoch, since;     /* of the dispatcher; pid 0: there is none.  since: us since 1970 */
    uint64_t                     takeovers, turns, turns_failed, claims, outcomes;
    uint64_t                     campaigns;     /* that can be sent */
    uint64_t                     late[2];       /* us, the latest message of this second and the last; second << 32 | us */
    ngx_campaign_histogram_t     turn;
    ngx_campaign_store_stat_t    commits;       /* of all processes */
    uint64_t                     up, lag, age;  /* only in a copy: 1; us; us */
    ngx_http_campaign_gateway_status_t  gateways[NGX_HTTP_CAMPAIGN_STATUS_GATEWAYS];
    ngx_http_campaign_series_t          series[NGX_HTTP_CAMPAIGN_STATUS_SERIES];
} ngx_http_campaign_status_t;


/* ngx_http_campaign_status_zone.c */

/* in postconfiguration: asks for the memory */
ngx_int_t ngx_http_campaign_status_init(ngx_conf_t *cf, ngx_http_campaign_main_conf_t *cmcf);

/* ngx_http_campaign_status.c; which memory it is in: said before anything else */
void ngx_http_campaign_status_use(ngx_http_campaign_status_t *status);

/* the memory; there is some in every process that serves */
ngx_http_campaign_status_t *ngx_http_campaign_status(void);

/* found, or taken; for the dispatcher only */
ngx_http_campaign_series_t *ngx_http_campaign_status_series(uint32_t no, u_char *account, ngx_str_t *channel);
ngx_http_campaign_gateway_status_t *ngx_http_campaign_status_gateway(ngx_str_t *channel);

/* a new dispatcher: what it does not know yet is nothing */
void ngx_http_campaign_status_begin(uint64_t epoch);
void ngx_http_campaign_status_end(void);

/* a message went `late` us after its time */
void ngx_http_campaign_status_went(ngx_http_campaign_series_t *s, int64_t wall, int64_t late);

/* ngx_http_campaign_status_page.c: content handler of campaign_status */
ngx_int_t ngx_http_campaign_status_handler(ngx_http_request_t *r);


#define ngx_http_campaign_status_add(p, n)  (void) __atomic_fetch_add(p, n, __ATOMIC_RELAXED)
#define ngx_http_campaign_status_set(p, n)  __atomic_store_n(p, (uint64_t) (n), __ATOMIC_RELAXED)


#endif /* _NGX_HTTP_CAMPAIGN_STATUS_H_INCLUDED_ */
