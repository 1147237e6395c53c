/*
 * Notes who opens and closes lock.mdb: a line each in the file CAMPAIGN_LOCK_LOG, "pid open" or "pid close".  Nothing else changes.  A process that
 * closes any descriptor of it loses the locks by which LMDB knows that it lives.
 */

#include "preload.h"

#include <stdarg.h>
#include <stdio.h>


static char           *lock_file;
static unsigned char   lock_open[65536 / 8];        /* descriptors of it, a bit each: a fork has its parent's */

#define lock_bit(fd)   (1 << ((fd) & 7))


/* a worker has none of the environment left */

__attribute__((constructor)) static void
lock_init(void)
{
    const char  *file;

    file = getenv("CAMPAIGN_LOCK_LOG");
    lock_file = file ? strdup(file) : NULL;
}


static void
lock_note(const char *what)
{
    int   n, fd, saved;
    char  line[64];

    static int  (*real_open)(const char *path, int flags, ...);
    static int  (*real_close)(int fd);

    if (lock_file == NULL) {
        return;
    }

    preload_real(real_open, "open");
    preload_real(real_close, "close");

    saved = errno;

    n = snprintf(line, sizeof(line), "%d %s\n", (int) getpid(), what);
    fd = real_open(lock_file, O_WRONLY|O_APPEND|O_CREAT|O_CLOEXEC, 0666);

    if (fd == -1 || write(fd, line, n) != n) {
        abort();                                    /* what is not noted would not be missed */
    }

    (void) real_close(fd);
    errno = saved;
}


static int
lock_opened(const char *path, int fd)
{
    size_t  n;

    n = strlen(path);

    if (fd >= 0 && n >= 9 && strcmp(path + n - 9, "/lock.mdb") == 0) {

        if (fd / 8 >= (int) sizeof(lock_open)) {
            abort();
        }

        (void) __atomic_or_fetch(&lock_open[fd / 8], lock_bit(fd), __ATOMIC_SEQ_CST);
        lock_note("open");
    }

    return fd;
}


#define OPEN(name, parameters, arguments)                                                                             \
                                                                                                                      \
int                                                                                                                   \
name parameters                                                                                                       \
{                                                                                                                     \
    int         mode;                                                                                                 \
    va_list     args;                                                                                                 \
    static int  (*real) parameters;                                                                                   \
                                                                                                                      \
    preload_real(real, #name)                                                                                         \
                                                                                                                      \
    va_start(args, flags);                                                                                            \
    mode = (flags & O_CREAT) ? va_arg(args, int) : 0;                                                                 \
    va_end(args);                                                                                                     \
                                                                                                                      \
    return lock_opened(path, real arguments);                                                                         \
}

OPEN(open, (const char *path, int flags, ...), (path, flags, mode))
OPEN(open64, (const char *path, int flags, ...), (path, flags, mode))
OPEN(openat, (int dir, const char *path, int flags, ...), (dir, path, flags, mode))
OPEN(openat64, (int dir, const char *path, int flags, ...), (dir, path, flags, mode))


int
close(int fd)
{
    static int  (*real)(int fd);

    preload_real(real, "close")

    if (fd >= 0 && fd / 8 < (int) sizeof(lock_open)
        && (__atomic_fetch_and(&lock_open[fd / 8], (unsigned char) ~lock_bit(fd), __ATOMIC_SEQ_CST) & lock_bit(fd)))
    {
        lock_note("close");
    }

    return real(fd);
}
