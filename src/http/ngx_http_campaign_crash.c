
/*
 * How a dispatcher died.  Its process marks the lock's file when it crashes (a fault, abort()), so that who takes over knows it from one that
 * was killed from outside: a message may be to blame.  It keeps true: the process ends by its signal as if nobody had looked.
 */

#include "ngx_http_campaign_dispatch.h"

#include <signal.h>


#define NGX_HTTP_CAMPAIGN_CRASH_STACK  16384


static void ngx_http_campaign_crash_handler(int signo);


static const int              ngx_http_campaign_crash_signals[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT };
static u_char                 ngx_http_campaign_crash_stack[NGX_HTTP_CAMPAIGN_CRASH_STACK];     /* the event loop's own may be used up */
static volatile sig_atomic_t  ngx_http_campaign_crash_fd = NGX_INVALID_FILE;


static void
ngx_http_campaign_crash_handler(int signo)
{
    if (ngx_http_campaign_crash_fd != NGX_INVALID_FILE && pwrite(ngx_http_campaign_crash_fd, "c", 1, 0) == -1) {
        /* it counts as killed */
    }

    (void) raise(signo);                                /* SA_RESETHAND: the default action, when this one returns */
}


void
ngx_http_campaign_crash_watch(ngx_fd_t fd, ngx_log_t *log)
{
    size_t            i;
    stack_t           stack;
    struct sigaction  sa, old;

    static ngx_uint_t  set;

    ngx_http_campaign_crash_fd = fd;

    if (set || fd == NGX_INVALID_FILE) {
        return;
    }

    set = 1;

    ngx_memzero(&stack, sizeof(stack_t));
    stack.ss_sp = ngx_http_campaign_crash_stack;
    stack.ss_size = NGX_HTTP_CAMPAIGN_CRASH_STACK;

    ngx_memzero(&sa, sizeof(struct sigaction));
    sa.sa_handler = ngx_http_campaign_crash_handler;
    sa.sa_flags = SA_RESETHAND;
    sigemptyset(&sa.sa_mask);

    if (sigaltstack(&stack, NULL) == 0) {
        sa.sa_flags |= SA_ONSTACK;
    }

    for (i = 0; i < sizeof(ngx_http_campaign_crash_signals) / sizeof(ngx_http_campaign_crash_signals[0]); i++) {

        if (sigaction(ngx_http_campaign_crash_signals[i], NULL, &old) == -1 || old.sa_handler != SIG_DFL) {
            continue;                                   /* a sanitizer has it, say */
        }

        if (sigaction(ngx_http_campaign_crash_signals[i], &sa, NULL) == -1) {
            ngx_log_error(NGX_LOG_ALERT, log, ngx_errno, "sigaction() of a crash failed");
        }
    }
}


ngx_uint_t
ngx_http_campaign_crash_take(ngx_fd_t fd, ngx_log_t *log)
{
    u_char  mark;

    mark = 0;

    if (pread(fd, &mark, 1, 0) != 1 || mark != 'c') {
        return 0;
    }

    if (ftruncate(fd, 0) == -1) {
        ngx_log_error(NGX_LOG_ALERT, log, ngx_errno, "ftruncate() of the dispatcher's lock failed");
    }

    return 1;
}
