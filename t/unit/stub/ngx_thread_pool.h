
/*
 * A stand-in for nginx's ngx_thread_pool.h: a pool of no threads, whose tasks a test runs by hand.
 */

#ifndef _NGX_THREAD_POOL_H_INCLUDED_
#define _NGX_THREAD_POOL_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>


typedef struct ngx_thread_task_s  ngx_thread_task_t;

struct ngx_thread_task_s {
    ngx_thread_task_t  *next;
    ngx_uint_t          id;
    void               *ctx;
    void              (*handler)(void *data, ngx_log_t *log);
    ngx_event_t         event;
};

typedef struct {
    ngx_thread_task_t  *queue;          /* posted, not run */
    ngx_thread_task_t  *done;           /* run, not completed */
    ngx_uint_t          full;           /* 1: takes no task */
} ngx_thread_pool_t;


ngx_thread_task_t *ngx_thread_task_alloc(ngx_pool_t *pool, size_t size);
ngx_int_t ngx_thread_task_post(ngx_thread_pool_t *tp, ngx_thread_task_t *task);

/* the thread's part, and the event loop's; both return how many tasks they saw */
ngx_uint_t ngx_stub_run_threads(ngx_thread_pool_t *tp);
ngx_uint_t ngx_stub_complete_threads(ngx_thread_pool_t *tp);


#endif /* _NGX_THREAD_POOL_H_INCLUDED_ */
