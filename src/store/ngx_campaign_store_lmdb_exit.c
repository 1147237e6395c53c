
/*
 * The end of a process: what waits is committed before it goes, but LMDB's write lock has no time limit, and its holder may be stopped.  It
 * keeps true: no process waits for ever; once it was said that something is not written, it is not.
 */

#include "ngx_campaign_store_lmdb.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>


#define NGX_CAMPAIGN_EXIT_STEP  1000            /* us between two looks at the thread */


typedef struct {
    ngx_campaign_store_t   *store;
    int                     done;               /* atomic */
} ngx_campaign_exit_t;


static ngx_int_t ngx_campaign_exit_wait(ngx_campaign_store_t *st, ngx_msec_t limit, int *done);
static void ngx_campaign_exit_complain(ngx_campaign_store_t *st, ngx_msec_t waited);
static ngx_int_t ngx_campaign_exit_start(ngx_campaign_exit_t *e);
static void *ngx_campaign_exit_thread(void *data);


ngx_msec_t
ngx_campaign_store_waits(ngx_campaign_store_t *st)
{
    return ngx_campaign_lmdb_writer_waits(st);
}


ngx_int_t
ngx_campaign_store_rest(ngx_campaign_store_t *st, ngx_msec_t limit)
{
    return ngx_campaign_exit_wait(st, limit, NULL);
}


/* on a thread of its own, which can be left behind: all that it looks at lives as long as the process */

void
ngx_campaign_store_flush(ngx_campaign_store_t *st, ngx_msec_t limit)
{
    static ngx_campaign_exit_t  e;

    e.store = st;
    e.done = 0;

    if (limit == 0 || ngx_campaign_lmdb_writer_rests(st) || ngx_campaign_exit_start(&e) != NGX_OK) {
        ngx_campaign_lmdb_writer_flush(st);
        return;
    }

    (void) ngx_campaign_exit_wait(st, limit, &e.done);
}


/* until *done, or (NULL) until the writer does not work.  Only for the lock there is a limit: what was begun comes to its end */

static ngx_int_t
ngx_campaign_exit_wait(ngx_campaign_store_t *st, ngx_msec_t limit, int *done)
{
    int64_t     from;
    ngx_msec_t  waits;

    from = ngx_campaign_lmdb_clock();

    while (done ? !__atomic_load_n(done, __ATOMIC_ACQUIRE) : ngx_campaign_lmdb_writer_works(st)) {
        waits = ngx_campaign_lmdb_writer_waits(st);

        if (waits && (ngx_msec_t) (ngx_campaign_lmdb_clock() - from) >= limit) {
            ngx_campaign_lmdb_writer_give_up(st);
            ngx_campaign_exit_complain(st, waits);
            return NGX_BUSY;
        }

        (void) usleep(NGX_CAMPAIGN_EXIT_STEP);
    }

    return NGX_OK;
}


static void
ngx_campaign_exit_complain(ngx_campaign_store_t *st, ngx_msec_t waited)
{
    pid_t  pid;

    pid = ngx_campaign_lmdb_holder(st);

    if (pid && pid != getpid()) {
        ngx_log_error(NGX_LOG_ALERT, st->log, 0, "campaign store \"%V\": the process ends without its last writes, it has waited %M ms: process %d "
                      "holds the lock, is it stopped?", &st->conf->path, waited, (int) pid);
        return;
    }

    ngx_log_error(NGX_LOG_ALERT, st->log, 0, "campaign store \"%V\": the process ends without its last writes, it has waited %M ms: is another "
                  "process that has it open stopped, or its disk?", &st->conf->path, waited);
}


/* signals are the main thread's, but for its own faults (SIGBUS: see _cut.c) */

static ngx_int_t
ngx_campaign_exit_start(ngx_campaign_exit_t *e)
{
    int        err;
    sigset_t   all, old;
    pthread_t  thread;

    (void) sigfillset(&all);
    (void) sigdelset(&all, SIGILL);
    (void) sigdelset(&all, SIGFPE);
    (void) sigdelset(&all, SIGSEGV);
    (void) sigdelset(&all, SIGBUS);

    (void) pthread_sigmask(SIG_BLOCK, &all, &old);

    err = pthread_create(&thread, NULL, ngx_campaign_exit_thread, e);

    (void) pthread_sigmask(SIG_SETMASK, &old, NULL);

    if (err != 0) {
        return NGX_ERROR;                               /* the flush has no limit then */
    }

    (void) pthread_detach(thread);

    return NGX_OK;
}


static void *
ngx_campaign_exit_thread(void *data)
{
    ngx_campaign_exit_t  *e = data;

    ngx_campaign_lmdb_writer_flush(e->store);

    __atomic_store_n(&e->done, 1, __ATOMIC_RELEASE);

    return NULL;
}
