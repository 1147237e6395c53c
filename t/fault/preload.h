
/*
 * What the libraries loaded before a server's own (LD_PRELOAD) share: a file that test and server map (CAMPAIGN_FAULT_CONTROL), and which
 * processes are workers.
 */

#ifndef _PRELOAD_H_INCLUDED_
#define _PRELOAD_H_INCLUDED_


#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>


/* nginx becomes a daemon with its first fork, workers come with the second */

#define PRELOAD_WORKER  2

static int  preload_depth;

#define preload_worker()  (preload_depth >= PRELOAD_WORKER)


static void
preload_child(void)
{
    preload_depth++;
}


__attribute__((unused)) static uint64_t
preload_now(void)
{
    struct timespec  t;

    clock_gettime(CLOCK_REALTIME, &t);

    return (uint64_t) t.tv_sec * 1000000000 + (uint64_t) t.tv_nsec;
}


/* the file of CAMPAIGN_FAULT_CONTROL; NULL: none, and nothing is done */

__attribute__((unused)) static void *
preload_map(size_t size)
{
    int          fd;
    void        *p;
    const char  *path;

    (void) pthread_atfork(NULL, NULL, preload_child);

    path = getenv("CAMPAIGN_FAULT_CONTROL");
    if (path == NULL) {
        return NULL;
    }

    fd = open(path, O_RDWR|O_CLOEXEC);
    if (fd == -1) {
        return NULL;
    }

    p = mmap(NULL, size, PROT_READ|PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);

    return p == MAP_FAILED ? NULL : p;
}


#define preload_real(real, name)                                                                                      \
    if (real == NULL) {                                                                                               \
        *(void **) &real = dlsym(RTLD_NEXT, name);                                                                    \
    }


#endif /* _PRELOAD_H_INCLUDED_ */
