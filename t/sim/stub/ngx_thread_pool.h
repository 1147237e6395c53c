
/*
 * nginx's ngx_thread_pool.h for the simulator: tasks of virtual processes, which take virtual time (loop.c).
 */

#ifndef _NGX_THREAD_POOL_H_INCLUDED_
#define _NGX_THREAD_POOL_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>


typedef struct ngx_thread_task_s  ngx_thread_task_t;
typedef struct ngx_thread_pool_s  ngx_thread_pool_t;

struct ngx_thread_task_s {
    ngx_thread_task_t  *next;
    ngx_uint_t          id;
    void               *ctx;
    void              (*handler)(void *data, ngx_log_t *log);
    ngx_event_t         event;
};


ngx_thread_task_t *ngx_thread_task_alloc(ngx_pool_t *pool, size_t size);
ngx_int_t ngx_thread_task_post(ngx_thread_pool_t *tp, ngx_thread_task_t *task);


#endif /* _NGX_THREAD_POOL_H_INCLUDED_ */
