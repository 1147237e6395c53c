
/*
 * Who is the dispatcher.  The lock on a file beside the store gives liveness: the kernel frees it when its holder dies, and whoever
 * holds it next asks the store for a new epoch.  The epoch gives safety: whatever happens to the file, the store takes turns of the
 * newest one only.
 */

#include "ngx_http_campaign_dispatch.h"

#include <sys/file.h>


#define NGX_HTTP_CAMPAIGN_LEASE_WAIT      100           /* ms after a lease that failed, doubled each time */
#define NGX_HTTP_CAMPAIGN_LEASE_WAIT_MAX  5000

#define NGX_HTTP_CAMPAIGN_LEASE_FENCED    5000          /* ms: another lives that does not see our lock; two must not take turns at it */


typedef struct {
    ngx_campaign_op_t     op;
    uint64_t              epoch;
    ngx_campaign_peek_t   peek;
} ngx_http_campaign_lease_op_t;


static void ngx_http_campaign_lease_try(ngx_event_t *ev);
static ngx_int_t ngx_http_campaign_lease_lock(ngx_http_campaign_dispatch_t *d);
static ngx_int_t ngx_http_campaign_lease_same(ngx_http_campaign_dispatch_t *d);
static void ngx_http_campaign_lease_taken(ngx_campaign_op_t *op);
static void ngx_http_campaign_lease_later(ngx_http_campaign_dispatch_t *d, ngx_msec_t wait);
static ngx_http_campaign_lease_op_t *ngx_http_campaign_lease_op(ngx_http_campaign_dispatch_t *d, ngx_campaign_done_pt done);
static void ngx_http_campaign_lease_peeked(ngx_campaign_op_t *op);
static void ngx_http_campaign_lease_listen(ngx_http_campaign_dispatch_t *d);
static void ngx_http_campaign_lease_hinted(ngx_event_t *ev);


ngx_int_t
ngx_http_campaign_lease_init(ngx_http_campaign_dispatch_t *d)
{
    ngx_str_t  *dir;

    dir = &d->cmcf->store.path;

    d->path = ngx_pnalloc(d->pool, dir->len + sizeof("/" NGX_HTTP_CAMPAIGN_DISPATCH_LOCK));
    if (d->path == NULL) {
        return NGX_ERROR;
    }

    (void) ngx_sprintf(d->path, "%V/%s%Z", dir, NGX_HTTP_CAMPAIGN_DISPATCH_LOCK);

    d->lock = NGX_INVALID_FILE;
    d->state = NGX_HTTP_CAMPAIGN_DISPATCH_TRYING;

    d->retry.handler = ngx_http_campaign_lease_try;
    d->retry.data = d;
    d->retry.log = d->log;
    d->retry.cancelable = 1;

    ngx_add_timer(&d->retry, 1);

    return NGX_OK;
}


static void
ngx_http_campaign_lease_try(ngx_event_t *ev)
{
    ngx_http_campaign_dispatch_t *d = ev->data;

    ngx_campaign_store_t          *st;
    ngx_http_campaign_lease_op_t  *l;

    if (ngx_exiting) {
        ngx_http_campaign_exit_begin();                 /* one that was fenced may have deliveries */
        return;
    }

    if (d->state != NGX_HTTP_CAMPAIGN_DISPATCH_TRYING) {
        return;
    }

    st = ngx_http_campaign_store();

    if (st == NULL || ngx_http_campaign_lease_lock(d) != NGX_OK) {
        ngx_http_campaign_lease_later(d, NGX_HTTP_CAMPAIGN_DISPATCH_TRY);
        return;
    }

    ngx_log_debug0(NGX_LOG_DEBUG_HTTP, d->log, 0, "campaign dispatcher: has the lock");

    l = ngx_http_campaign_lease_op(d, ngx_http_campaign_lease_taken);
    if (l == NULL) {
        ngx_http_campaign_lease_unlock(d);
        ngx_http_campaign_lease_later(d, NGX_HTTP_CAMPAIGN_LEASE_WAIT_MAX);
        return;
    }

    d->state = NGX_HTTP_CAMPAIGN_DISPATCH_LEASING;
    d->leasing = &l->op;

    if (ngx_campaign_store_lease(st, &l->op, &l->epoch) == NGX_ERROR) {
        ngx_http_campaign_lease_taken(&l->op);
    }
}


/* NGX_DECLINED: another process has it */

static ngx_int_t
ngx_http_campaign_lease_lock(ngx_http_campaign_dispatch_t *d)
{
    ngx_err_t  err;

    static time_t  complained;

    if (d->lock == NGX_INVALID_FILE) {
        d->lock = open((char *) d->path, O_RDWR|O_CREAT|O_CLOEXEC|O_NOFOLLOW, 0600);

        if (d->lock == NGX_INVALID_FILE) {
            err = ngx_errno;

            if (ngx_time() - complained >= 60) {
                complained = ngx_time();
                ngx_log_error(NGX_LOG_CRIT, d->log, err, "open() \"%s\" failed, nothing is sent by this process", d->path);
            }

            return NGX_ERROR;
        }
    }

    if (flock(d->lock, LOCK_EX|LOCK_NB) == -1) {
        err = ngx_errno;

        if (err != NGX_EAGAIN && err != NGX_EINTR) {
            ngx_log_error(NGX_LOG_CRIT, d->log, err, "flock() \"%s\" failed", d->path);
            ngx_http_campaign_lease_unlock(d);
        }

        return NGX_DECLINED;
    }

    return ngx_http_campaign_lease_same(d);
}


/* the file that was locked has to be the one that the path names: it may have been removed meanwhile */

static ngx_int_t
ngx_http_campaign_lease_same(ngx_http_campaign_dispatch_t *d)
{
    struct stat  ours, named;

    if (fstat(d->lock, &ours) == 0 && stat((char *) d->path, &named) == 0
        && ours.st_ino == named.st_ino && ours.st_dev == named.st_dev)
    {
        return NGX_OK;
    }

    ngx_http_campaign_lease_unlock(d);

    return NGX_DECLINED;
}


static void
ngx_http_campaign_lease_taken(ngx_campaign_op_t *op)
{
    uint64_t                       epoch;
    ngx_campaign_rc_e              rc;
    ngx_http_campaign_dispatch_t  *d;
    ngx_http_campaign_lease_op_t  *l;

    d = op->data;
    l = (ngx_http_campaign_lease_op_t *) op;

    rc = op->rc;
    epoch = l->epoch;

    d->leasing = NULL;
    ngx_destroy_pool(op->pool);

    if (rc != NGX_CAMPAIGN_OK) {
        if (d->wait == 0) {
            ngx_log_error(NGX_LOG_ERR, d->log, 0, "campaign dispatcher: the store gives no lease (%ui), trying again", (ngx_uint_t) rc);
        }

        d->wait = ngx_min(ngx_max(d->wait * 2, NGX_HTTP_CAMPAIGN_LEASE_WAIT), NGX_HTTP_CAMPAIGN_LEASE_WAIT_MAX);
        ngx_http_campaign_lease_release(d, d->wait);
        return;
    }

    if (ngx_exiting) {
        ngx_http_campaign_lease_release(d, 0);
        return;
    }

    ngx_log_error(NGX_LOG_NOTICE, d->log, 0, "campaign dispatcher: took over, epoch %uL", epoch);

    d->wait = 0;
    d->epoch = epoch;
    d->crashed = ngx_http_campaign_crash_take(d->lock, d->log);
    d->peeked = ngx_http_campaign_dispatch_clock();
    d->sure = d->peeked;

    ngx_http_campaign_crash_watch(d->lock, d->log);
    ngx_http_campaign_lease_listen(d);
    ngx_http_campaign_dispatch_run(d);
}


void
ngx_http_campaign_lease_release(ngx_http_campaign_dispatch_t *d, ngx_msec_t wait)
{
    if (d->epoch) {
        ngx_http_campaign_dispatch_stop(d);
        ngx_http_campaign_leave_end(d);
        ngx_log_error(NGX_LOG_NOTICE, d->log, 0, "campaign dispatcher: let go, epoch %uL", d->epoch);
    }

    if (d->leasing) {
        ngx_campaign_store_cancel(d->leasing);
        d->leasing = NULL;
    }

    if (d->peeking) {
        ngx_campaign_store_cancel(d->peeking);
        d->peeking = NULL;
    }

    ngx_http_campaign_lease_deaf(d);
    ngx_http_campaign_lease_unlock(d);

    d->epoch = 0;
    d->state = NGX_HTTP_CAMPAIGN_DISPATCH_TRYING;

    if (!ngx_exiting) {
        ngx_http_campaign_lease_later(d, wait);
    }
}


void
ngx_http_campaign_lease_unlock(ngx_http_campaign_dispatch_t *d)
{
    if (d->lock == NGX_INVALID_FILE) {
        return;
    }

    ngx_http_campaign_crash_watch(NGX_INVALID_FILE, d->log);

    if (ngx_close_file(d->lock) == NGX_FILE_ERROR) {
        ngx_log_error(NGX_LOG_ALERT, d->log, ngx_errno, ngx_close_file_n " \"%s\" failed", d->path);
    }

    d->lock = NGX_INVALID_FILE;
}


static void
ngx_http_campaign_lease_later(ngx_http_campaign_dispatch_t *d, ngx_msec_t wait)
{
    if (d->retry.timer_set) {
        ngx_del_timer(&d->retry);
    }

    ngx_add_timer(&d->retry, wait);
}


void
ngx_http_campaign_lease_fenced(ngx_http_campaign_dispatch_t *d)
{
    ngx_log_error(NGX_LOG_WARN, d->log, 0, "campaign dispatcher: a newer one took over from epoch %uL, and %ui claimed messages",
                  d->epoch, d->claimed);

    ngx_http_campaign_lease_release(d, NGX_HTTP_CAMPAIGN_LEASE_FENCED);
}


static ngx_http_campaign_lease_op_t *
ngx_http_campaign_lease_op(ngx_http_campaign_dispatch_t *d, ngx_campaign_done_pt done)
{
    ngx_pool_t                    *pool;
    ngx_http_campaign_lease_op_t  *l;

    pool = ngx_create_pool(1024, d->log);
    if (pool == NULL) {
        return NULL;
    }

    l = ngx_pcalloc(pool, sizeof(ngx_http_campaign_lease_op_t));
    if (l == NULL) {
        ngx_destroy_pool(pool);
        return NULL;
    }

    ngx_campaign_op_init(&l->op, pool, d->log, done, d);

    return l;
}


void
ngx_http_campaign_lease_peek(ngx_http_campaign_dispatch_t *d)
{
    ngx_campaign_store_t          *st;
    ngx_http_campaign_lease_op_t  *l;

    d->peeked = ngx_http_campaign_dispatch_clock();
    d->hinted = 0;

    st = ngx_http_campaign_store();
    if (st == NULL) {
        return;
    }

    l = ngx_http_campaign_lease_op(d, ngx_http_campaign_lease_peeked);
    if (l == NULL) {
        return;
    }

    if (ngx_campaign_store_peek(st, &l->op, &l->peek) == NGX_ERROR) {
        ngx_destroy_pool(l->op.pool);
        return;
    }

    d->peeking = &l->op;
}


static void
ngx_http_campaign_lease_peeked(ngx_campaign_op_t *op)
{
    ngx_campaign_rc_e              rc;
    ngx_campaign_peek_t            peek;
    ngx_http_campaign_dispatch_t  *d;

    d = op->data;
    d->peeking = NULL;

    rc = op->rc;
    peek = ((ngx_http_campaign_lease_op_t *) op)->peek;

    if (rc == NGX_CAMPAIGN_OK && peek.epoch == d->epoch && peek.fresh && d->turn == NULL && !d->draining) {
        ngx_http_campaign_picture_fresh(d, peek.fresh, ngx_campaign_now());
    }

    ngx_destroy_pool(op->pool);

    if (rc != NGX_CAMPAIGN_OK) {
        return;                                         /* said by the store; the next is soon */
    }

    if (peek.epoch != d->epoch) {
        ngx_http_campaign_lease_fenced(d);
        return;
    }

    d->start = peek.next;
    d->sure = d->peeked;

    if (peek.changed) {
        d->changed = 1;
    }

    ngx_http_campaign_dispatch_soon(d);
}


/* without the hint the dispatcher only looks less often */

static void
ngx_http_campaign_lease_listen(ngx_http_campaign_dispatch_t *d)
{
    ngx_fd_t           fd;
    ngx_event_t       *rev;
    ngx_connection_t  *c;

    fd = ngx_http_campaign_dispatch_hint();

    if (fd == NGX_INVALID_FILE) {
        return;
    }

    c = ngx_get_connection(fd, d->log);
    if (c == NULL) {
        return;
    }

    c->data = d;

    rev = c->read;
    rev->log = d->log;
    rev->handler = ngx_http_campaign_lease_hinted;
    rev->channel = 1;                                   /* no socket of a client that exit would miss */

    c->write->log = d->log;
    c->write->channel = 1;

    if (ngx_add_event(rev, NGX_READ_EVENT, NGX_LEVEL_EVENT) != NGX_OK) {
        ngx_free_connection(c);
        c->fd = (ngx_socket_t) -1;
        return;
    }

    d->hint = c;
}


void
ngx_http_campaign_lease_deaf(ngx_http_campaign_dispatch_t *d)
{
    ngx_connection_t  *c;

    c = d->hint;

    if (c == NULL) {
        return;
    }

    d->hint = NULL;

    if (c->read->active) {
        (void) ngx_del_event(c->read, NGX_READ_EVENT, 0);
    }

    if (c->read->posted) {
        ngx_delete_posted_event(c->read);
    }

    ngx_free_connection(c);
    c->fd = (ngx_socket_t) -1;                          /* the descriptor stays: this process still writes to it */
}


static void
ngx_http_campaign_lease_hinted(ngx_event_t *ev)
{
    ssize_t                        n;
    uint64_t                       count;
    ngx_connection_t              *c;
    ngx_http_campaign_dispatch_t  *d;

    c = ev->data;
    d = c->data;

    n = read(c->fd, &count, sizeof(uint64_t));

    ngx_log_debug1(NGX_LOG_DEBUG_HTTP, d->log, 0, "campaign dispatcher: hint, %z", n);

    if (n == -1 && ngx_errno != NGX_EAGAIN && ngx_errno != NGX_EINTR) {
        ngx_log_error(NGX_LOG_ALERT, d->log, ngx_errno, "read() of the dispatcher's hint failed");
        ngx_http_campaign_lease_deaf(d);
        return;
    }

    d->hinted = 1;

    ngx_http_campaign_dispatch_soon(d);
}
