
/*
 * nginx's ngx_event.h for the simulator: events, timers and connections of virtual processes.  The queues are those of the process that
 * runs at the moment (loop.c).
 */

#ifndef _NGX_EVENT_H_INCLUDED_
#define _NGX_EVENT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


typedef struct ngx_event_s       ngx_event_t;
typedef struct ngx_connection_s  ngx_connection_t;

typedef void (*ngx_event_handler_pt)(ngx_event_t *ev);

struct ngx_event_s {
    void                  *data;
    ngx_event_handler_pt   handler;
    ngx_log_t             *log;
    ngx_queue_t            queue;
    ngx_queue_t            timer;           /* in the process's list of timers */
    ngx_msec_t             at;
    unsigned               active:1;
    unsigned               complete:1;
    unsigned               posted:1;
    unsigned               timedout:1;
    unsigned               timer_set:1;
    unsigned               cancelable:1;
    unsigned               channel:1;
};

struct ngx_connection_s {
    void                  *data;
    ngx_event_t           *read, *write;
    int                    fd;
    ngx_log_t             *log;
};


extern ngx_queue_t  *sim_posted, *sim_posted_next;

#define ngx_posted_events       (*sim_posted)
#define ngx_posted_next_events  (*sim_posted_next)

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


/* memory that a process got from ngx_alloc(): a crash gives it back */

#undef  ngx_free
#define ngx_free  sim_free

void sim_free(void *p);


#endif /* _NGX_EVENT_H_INCLUDED_ */
