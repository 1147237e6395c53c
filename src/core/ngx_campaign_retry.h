
/*
 * What a gateway's answer means (sent, again, failed), and how long to wait before a repeat.
 */

#ifndef _NGX_CAMPAIGN_RETRY_H_INCLUDED_
#define _NGX_CAMPAIGN_RETRY_H_INCLUDED_


#include "ngx_campaign.h"


typedef struct {
    ngx_uint_t   attempts;      /* tries in all, at least 1 */
    ngx_msec_t   min, max;      /* wait before the first repeat, longest wait */
} ngx_campaign_retry_t;


/* how an attempt ended, as far as HTTP tells; UNCERTAIN: the request went out and its answer never came */

typedef enum {
    NGX_CAMPAIGN_ANSWER_STATUS = 0,     /* the gateway answered: see status */
    NGX_CAMPAIGN_ANSWER_UNREACHABLE,    /* no byte of the request went out: refused, no live upstream, no connection */
    NGX_CAMPAIGN_ANSWER_UNCERTAIN,      /* timed out, reset or closed after it was sent */
    NGX_CAMPAIGN_ANSWER_NONE            /* never tried: given back */
} ngx_campaign_answer_e;


typedef struct {
    ngx_campaign_answer_e  answer;
    ngx_uint_t             status;          /* HTTP status, with ANSWER_STATUS */
    ngx_msec_t             after;           /* Retry-After, ms; 0: none */
    ngx_uint_t             attempt;         /* which try this was, from 1 */
    uint32_t               rnd;             /* random, for the jitter */
    unsigned               redeliver:1;     /* campaign_redelivery on: an uncertain one is tried again */
    unsigned               receipts:1;      /* receipts follow: accepted is sent, not yet delivered */
} ngx_campaign_try_t;


/* what an answer tells of the gateway */

typedef enum {
    NGX_CAMPAIGN_LOAD_UNKNOWN = 0,
    NGX_CAMPAIGN_LOAD_FINE,             /* it took the message, or had time to refuse it */
    NGX_CAMPAIGN_LOAD_BUSY              /* it has too much to do: 429, 503 */
} ngx_campaign_load_e;


typedef struct {
    ngx_campaign_state_e   state;           /* SENT, DELIVERED, FAILED or RETRY */
    ngx_campaign_reason_e  reason;          /* FAILED: why; RETRY: why the last try failed */
    ngx_msec_t             wait;            /* RETRY: before the next try */
    ngx_campaign_load_e    load;
    ngx_msec_t             hold;            /* the whole gateway is to rest this long (429, 503 with Retry-After); 0: not */
} ngx_campaign_verdict_t;


/* 2xx: accepted; 408, 425, 429, 5xx, unreachable: again until attempts are used up; other: failed.  Cannot fail. */
void ngx_campaign_retry_judge(const ngx_campaign_retry_t *rt, const ngx_campaign_try_t *t, ngx_campaign_verdict_t *v);

/* wait before repeat n (1: first repeat), ms: min doubled n - 1 times up to max, then full jitter in [min, that] by rnd */
ngx_msec_t ngx_campaign_retry_delay(const ngx_campaign_retry_t *rt, ngx_uint_t n, uint32_t rnd);

/* Retry-After (RFC 9110, 10.2.3): seconds or an HTTP date; ms from now, 0 if unreadable or past, at most one day */
ngx_msec_t ngx_campaign_retry_after(ngx_str_t *value, time_t now);


#endif /* _NGX_CAMPAIGN_RETRY_H_INCLUDED_ */
