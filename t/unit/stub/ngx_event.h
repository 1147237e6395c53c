
/*
 * A stand-in for nginx's ngx_event.h: posted events and timers that a test runs by hand.
 */

#ifndef _NGX_EVENT_H_INCLUDED_
#define _NGX_EVENT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


typedef struct ngx_event_s  ngx_event_t;

typedef void (*ngx_event_handler_pt)(ngx_event_t *ev);

struct ngx_event_s {
    void                  *data;
    ngx_event_handler_pt   handler;
    ngx_log_t             *log;
    ngx_queue_t            queue;
    ngx_queue_t            timer;
    unsigned               active:1;
    unsigned               complete:1;
    unsigned               posted:1;
    unsigned               timedout:1;
    unsigned               timer_set:1;
    unsigned               cancelable:1;
};


extern ngx_queue_t  ngx_posted_events;

#define ngx_post_event(ev, q)                                                                                         \
    if (!(ev)->posted) {                                                                                              \
        (ev)->posted = 1;                                                                                             \
        ngx_queue_insert_tail(q, &(ev)->queue);                                                                       \
    }

#define ngx_delete_posted_event(ev)                                                                                   \
    (ev)->posted = 0;                                                                                                 \
    ngx_queue_remove(&(ev)->queue)

void ngx_add_timer(ngx_event_t *ev, ngx_msec_t timer);
void ngx_del_timer(ngx_event_t *ev);


/* runs posted events until there is none, and returns how many ran */
ngx_uint_t ngx_stub_run_posted(void);

/* runs every timer that is set once, whatever its time */
void ngx_stub_run_timers(void);

/* what ngx_campaign_now() returns, us; 0: the time of day */
extern int64_t  ngx_stub_now;


#endif /* _NGX_EVENT_H_INCLUDED_ */
