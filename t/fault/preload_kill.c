
/*
 * Kills a worker (SIGKILL) at the k-th of the system calls that all workers make, before the call or after it.
 */

#include "preload.h"

#include <stdio.h>


/* all little-endian u64: see t/fault/kill.t */

typedef struct {
    uint64_t   k;               /* 0: nobody is killed */
    uint64_t   after;           /* 1: the call is made first */
    uint64_t   count;           /* calls so far */
    uint64_t   killed;          /* process */
    uint64_t   killed_at;       /* ns */
    uint64_t   dispatcher;      /* who holds the lock of the dispatcher */
    uint64_t   locked_at;       /* ns: when the first one got that after the kill; 0 */
    uint64_t   was_dispatcher;  /* 1: the one who was killed held it */
    char       call[32];
} control_t;


static control_t  *control;


__attribute__((constructor)) static void
start(void)
{
    control = preload_map(sizeof(control_t));
}


static void
die(const char *call)
{
    control->killed = (uint64_t) getpid();
    control->was_dispatcher = (control->dispatcher == control->killed);
    strncpy(control->call, call, sizeof(control->call) - 1);
    control->killed_at = preload_now();

    kill(getpid(), SIGKILL);

    for ( ;; ) {
        pause();
    }
}


/* 1: the call is the last one */

static int
before(const char *call)
{
    uint64_t  n;

    if (control == NULL || !preload_worker()) {
        return 0;
    }

    n = __atomic_add_fetch(&control->count, 1, __ATOMIC_SEQ_CST);

    if (n != control->k) {
        return 0;
    }

    if (!control->after) {
        die(call);
    }

    return 1;
}


#define CALL(type, name, parameters, arguments)                                                                       \
                                                                                                                      \
type                                                                                                                  \
name parameters                                                                                                       \
{                                                                                                                     \
    int          last;                                                                                                \
    type         rc;                                                                                                  \
    static type  (*real) parameters;                                                                                  \
                                                                                                                      \
    preload_real(real, #name)                                                                                         \
                                                                                                                      \
    last = before(#name);                                                                                             \
    rc = real arguments;                                                                                              \
                                                                                                                      \
    if (last) {                                                                                                       \
        die(#name);                                                                                                   \
    }                                                                                                                 \
                                                                                                                      \
    return rc;                                                                                                        \
}


CALL(ssize_t, write, (int fd, const void *p, size_t n), (fd, p, n))
CALL(ssize_t, writev, (int fd, const struct iovec *v, int n), (fd, v, n))
CALL(ssize_t, pwrite, (int fd, const void *p, size_t n, off_t at), (fd, p, n, at))
CALL(ssize_t, pwrite64, (int fd, const void *p, size_t n, off64_t at), (fd, p, n, at))
CALL(ssize_t, pwritev, (int fd, const struct iovec *v, int n, off_t at), (fd, v, n, at))
CALL(ssize_t, pwritev64, (int fd, const struct iovec *v, int n, off64_t at), (fd, v, n, at))
CALL(int, fdatasync, (int fd), (fd))
CALL(int, fsync, (int fd), (fd))
CALL(int, ftruncate, (int fd, off_t size), (fd, size))
CALL(int, ftruncate64, (int fd, off64_t size), (fd, size))
CALL(int, fallocate, (int fd, int mode, off_t at, off_t size), (fd, mode, at, size))
CALL(int, fallocate64, (int fd, int mode, off64_t at, off64_t size), (fd, mode, at, size))
CALL(int, unlink, (const char *path), (path))
CALL(ssize_t, send, (int fd, const void *p, size_t n, int flags), (fd, p, n, flags))
CALL(ssize_t, sendto, (int fd, const void *p, size_t n, int flags, const struct sockaddr *a, socklen_t len), (fd, p, n, flags, a, len))
CALL(ssize_t, recv, (int fd, void *p, size_t n, int flags), (fd, p, n, flags))
CALL(ssize_t, readv, (int fd, const struct iovec *v, int n), (fd, v, n))
CALL(int, connect, (int fd, const struct sockaddr *a, socklen_t len), (fd, a, len))


/* 1: fd is the dispatcher's lock */

static int
dispatcher_lock(int fd)
{
    char     link[32], path[4096];
    ssize_t  n;

    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    n = readlink(link, path, sizeof(path) - 1);

    if (n < 0) {
        return 0;
    }

    path[n] = '\0';

    return strstr(path, "/dispatcher.lock") != NULL;
}


int
flock(int fd, int operation)
{
    int         last, rc, err;
    static int  (*real)(int fd, int operation);

    preload_real(real, "flock")

    last = before("flock");
    rc = real(fd, operation);
    err = errno;

    if (control && rc == 0 && dispatcher_lock(fd)) {
        control->dispatcher = (uint64_t) getpid();

        if (control->killed_at && control->locked_at == 0) {
            control->locked_at = preload_now();
        }
    }

    if (last) {
        die("flock");
    }

    errno = err;

    return rc;
}


void
exit(int status)
{
    static void  (*real)(int status) __attribute__((noreturn));

    preload_real(real, "exit")

    if (before("exit")) {
        die("exit");
    }

    real(status);
}
