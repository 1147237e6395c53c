
/*
 * Fails the n-th allocation, or the n-th call that has to do with the store's files, of a worker: once, or from then on.
 */

#include "preload.h"

#include <stdarg.h>


#define FAIL_MEMORY    1
#define FAIL_IO        2                /* writes, syncs and sizes of the store's files */
#define FAIL_FILES     3                /* descriptors: open, socket */
#define FAIL_SYNC      4                /* syncs of the store's files only */

#define FAIL_SHORT     1000             /* in place of an errno: half of it is written */


/* all little-endian u64: see t/fault/inject.t */

typedef struct {
    uint64_t   what;
    uint64_t   n;                       /* 0: calls are counted only */
    uint64_t   on;                      /* 1: each from the n-th on fails */
    uint64_t   error;                   /* errno, or FAIL_SHORT */
    uint64_t   count;
    uint64_t   hits;
} control_t;


static control_t  *control;
static dev_t       store_dev;
static ino_t       store_ino;
static char       *store;

/* what dlsym() asks for before malloc() is known */

static char        early[65536];
static size_t      early_used;
static __thread int  resolving;


__attribute__((constructor)) static void
start(void)
{
    const char  *path;

    path = getenv("CAMPAIGN_FAULT_STORE");

    if (path) {
        store = strdup(path);
    }

    control = preload_map(sizeof(control_t));
}


static int
fails(uint64_t what)
{
    uint64_t  n;

    if (control == NULL || control->what != what || !preload_worker()) {
        return 0;
    }

    n = __atomic_add_fetch(&control->count, 1, __ATOMIC_SEQ_CST);

    if (control->n == 0 || n < control->n || (n > control->n && !control->on)) {
        return 0;
    }

    __atomic_add_fetch(&control->hits, 1, __ATOMIC_SEQ_CST);

    errno = control->error == FAIL_SHORT ? 0 : (int) control->error;

    return 1;
}


/* 1: a file of the store */

static int
ours(int fd)
{
    struct stat  s;

    if (control == NULL || (control->what != FAIL_IO && control->what != FAIL_SYNC) || store == NULL) {
        return 0;
    }

    if (store_ino == 0) {
        if (stat(store, &s) == -1) {
            return 0;
        }

        store_dev = s.st_dev;
        store_ino = s.st_ino;
    }

    return fstat(fd, &s) == 0 && s.st_ino == store_ino && s.st_dev == store_dev;
}


/* 1: a file of the store is opened to be written, and its file system is to be read-only */

static int
readonly(const char *path, int flags)
{
    size_t       n;
    const char  *end;

    if (control == NULL || control->what != FAIL_IO || control->error != EROFS || store == NULL || (flags & O_ACCMODE) == O_RDONLY) {
        return 0;
    }

    end = strrchr(store, '/');
    n = end ? (size_t) (end - store) + 1 : 0;

    return n && strncmp(path, store, n) == 0;
}


static void *
early_take(size_t size)
{
    void  *p;

    size = (size + 15) & ~(size_t) 15;

    if (size > sizeof(early) - early_used) {
        abort();
    }

    p = early + early_used;
    early_used += size;

    return p;
}


#define early_holds(p)  ((char *) (p) >= early && (char *) (p) < early + sizeof(early))


#define ALLOC(name, parameters, arguments, size)                                                                      \
                                                                                                                      \
void *                                                                                                                \
name parameters                                                                                                       \
{                                                                                                                     \
    static void  *(*real) parameters;                                                                                 \
                                                                                                                      \
    if (real == NULL) {                                                                                               \
        if (resolving) {                                                                                              \
            return early_take(size);                                                                                  \
        }                                                                                                             \
                                                                                                                      \
        resolving = 1;                                                                                                \
        preload_real(real, #name)                                                                                     \
        resolving = 0;                                                                                                \
    }                                                                                                                 \
                                                                                                                      \
    return fails(FAIL_MEMORY) ? NULL : real arguments;                                                                \
}

ALLOC(malloc, (size_t n), (n), n)
ALLOC(calloc, (size_t n, size_t m), (n, m), n * m)
ALLOC(memalign, (size_t a, size_t n), (a, n), n)
ALLOC(aligned_alloc, (size_t a, size_t n), (a, n), n)


void *
realloc(void *p, size_t n)
{
    static void  *(*real)(void *p, size_t n);

    preload_real(real, "realloc")

    return fails(FAIL_MEMORY) ? NULL : real(p, n);
}


void
free(void *p)
{
    static void  (*real)(void *p);

    if (early_holds(p)) {
        return;
    }

    preload_real(real, "free")

    real(p);
}


int
posix_memalign(void **p, size_t a, size_t n)
{
    static int  (*real)(void **p, size_t a, size_t n);

    preload_real(real, "posix_memalign")

    return fails(FAIL_MEMORY) ? ENOMEM : real(p, a, n);
}



#define WRITE(name, parameters, arguments, some)                                                                      \
                                                                                                                      \
ssize_t                                                                                                               \
name parameters                                                                                                       \
{                                                                                                                     \
    static ssize_t  (*real) parameters;                                                                               \
                                                                                                                      \
    preload_real(real, #name)                                                                                         \
                                                                                                                      \
    if (ours(fd) && fails(FAIL_IO)) {                                                                                 \
        return control->error == FAIL_SHORT ? real some : -1;                                                         \
    }                                                                                                                 \
                                                                                                                      \
    return real arguments;                                                                                            \
}

WRITE(pwrite, (int fd, const void *p, size_t n, off_t at), (fd, p, n, at), (fd, p, n / 2, at))
WRITE(pwrite64, (int fd, const void *p, size_t n, off64_t at), (fd, p, n, at), (fd, p, n / 2, at))
WRITE(write, (int fd, const void *p, size_t n), (fd, p, n), (fd, p, n / 2))
WRITE(writev, (int fd, const struct iovec *v, int n), (fd, v, n), (fd, v, n > 1 ? n / 2 : n))


#define OTHER(name, which, parameters, arguments)                                                                            \
                                                                                                                      \
int                                                                                                                   \
name parameters                                                                                                       \
{                                                                                                                     \
    static int  (*real) parameters;                                                                                   \
                                                                                                                      \
    preload_real(real, #name)                                                                                         \
                                                                                                                      \
    if (ours(fd) && (control->error != FAIL_SHORT) && fails(which)) {                                                 \
        return -1;                                                                                                    \
    }                                                                                                                 \
                                                                                                                      \
    return real arguments;                                                                                            \
}

OTHER(fdatasync, control->what, (int fd), (fd))
OTHER(fsync, control->what, (int fd), (fd))
OTHER(ftruncate, FAIL_IO, (int fd, off_t size), (fd, size))
OTHER(ftruncate64, FAIL_IO, (int fd, off64_t size), (fd, size))
OTHER(fallocate, FAIL_IO, (int fd, int mode, off_t at, off_t size), (fd, mode, at, size))
OTHER(fallocate64, FAIL_IO, (int fd, int mode, off64_t at, off64_t size), (fd, mode, at, size))


#define OPEN(name)                                                                                                    \
                                                                                                                      \
int                                                                                                                   \
name(const char *path, int flags, ...)                                                                                \
{                                                                                                                     \
    int         mode;                                                                                                 \
    va_list     args;                                                                                                 \
    static int  (*real)(const char *path, int flags, ...);                                                            \
                                                                                                                      \
    preload_real(real, #name)                                                                                         \
                                                                                                                      \
    va_start(args, flags);                                                                                            \
    mode = (flags & O_CREAT) ? va_arg(args, int) : 0;                                                                 \
    va_end(args);                                                                                                     \
                                                                                                                      \
    return fails(FAIL_FILES) || (readonly(path, flags) && fails(FAIL_IO)) ? -1 : real(path, flags, mode);             \
}

OPEN(open)
OPEN(open64)


int
socket(int domain, int type, int protocol)
{
    static int  (*real)(int domain, int type, int protocol);

    preload_real(real, "socket")

    return fails(FAIL_FILES) ? -1 : real(domain, type, protocol);
}
