
/*
 * Records what is written to a store's data.mdb, and when it was synced: appended to the file CAMPAIGN_FAULT_RECORD, each record at once, after
 * the call that it tells of.  CAMPAIGN_FAULT_STORE names data.mdb.  Tests append marks of their own: see t/fault/record.h.
 */

#include "preload.h"
#include "record.h"

#include <limits.h>
#include <stdio.h>


#define RECORD_IOV  (IOV_MAX - 1)


static int          out = -1;
static const char  *store;


__attribute__((constructor)) static void
start(void)
{
    const char  *path;

    store = getenv("CAMPAIGN_FAULT_STORE");
    path = getenv("CAMPAIGN_FAULT_RECORD");

    if (store && path) {
        store = strdup(store);                  /* nginx writes its title over the environment */
        out = open(path, O_WRONLY|O_APPEND|O_CLOEXEC);
    }
}


/* 1: fd is data.mdb */

static int
ours(int fd)
{
    struct stat  s, named;

    return out != -1 && fstat(fd, &s) == 0 && S_ISREG(s.st_mode) && stat(store, &named) == 0
           && s.st_ino == named.st_ino && s.st_dev == named.st_dev;
}


static void
record(char type, int fd, off_t at, const struct iovec *v, int n, size_t len)
{
    int             i, err;
    ssize_t         rc;
    record_t        head;
    struct iovec    all[RECORD_IOV + 1];

    static ssize_t  (*real)(int fd, const struct iovec *v, int n);

    preload_real(real, "writev")

    err = errno;

    memset(&head, 0, sizeof(head));

    head.type = type;
    head.synced = (type == RECORD_WRITE && fcntl(fd, F_GETFL) & O_DSYNC) ? 1 : 0;
    head.len = (uint32_t) len;
    head.at = (uint64_t) at;

    all[0].iov_base = &head;
    all[0].iov_len = sizeof(head);

    for (i = 0; i < n && i < RECORD_IOV; i++) {
        all[i + 1] = v[i];
    }

    rc = real(out, all, i + 1);

    if (rc != (ssize_t) (sizeof(head) + len)) {
        fprintf(stderr, "record: a record was not written\n");
        abort();                                /* a short write of the store itself is not expected either */
    }

    errno = err;
}


static void
record_plain(int fd, const void *p, ssize_t n, off_t at)
{
    struct iovec  v;

    v.iov_base = (void *) p;
    v.iov_len = (size_t) n;

    record(RECORD_WRITE, fd, at, &v, 1, (size_t) n);
}


#define PWRITE(name, offset)                                                                                          \
                                                                                                                      \
ssize_t                                                                                                               \
name(int fd, const void *p, size_t n, offset at)                                                                      \
{                                                                                                                     \
    ssize_t         rc;                                                                                               \
    static ssize_t  (*real)(int fd, const void *p, size_t n, offset at);                                              \
                                                                                                                      \
    preload_real(real, #name)                                                                                         \
                                                                                                                      \
    rc = real(fd, p, n, at);                                                                                          \
                                                                                                                      \
    if (rc > 0 && ours(fd)) {                                                                                         \
        record_plain(fd, p, rc, at);                                                                                  \
    }                                                                                                                 \
                                                                                                                      \
    return rc;                                                                                                        \
}

PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)


ssize_t
write(int fd, const void *p, size_t n)
{
    ssize_t         rc;
    static ssize_t  (*real)(int fd, const void *p, size_t n);

    preload_real(real, "write")

    rc = real(fd, p, n);

    if (rc > 0 && ours(fd)) {
        record_plain(fd, p, rc, lseek(fd, 0, SEEK_CUR) - rc);
    }

    return rc;
}


ssize_t
writev(int fd, const struct iovec *v, int n)
{
    ssize_t         rc;
    static ssize_t  (*real)(int fd, const struct iovec *v, int n);

    preload_real(real, "writev")

    rc = real(fd, v, n);

    if (rc > 0 && ours(fd)) {
        record(RECORD_WRITE, fd, lseek(fd, 0, SEEK_CUR) - rc, v, n, (size_t) rc);
    }

    return rc;
}


#define SYNC(name)                                                                                                    \
                                                                                                                      \
int                                                                                                                   \
name(int fd)                                                                                                          \
{                                                                                                                     \
    int         rc;                                                                                                   \
    static int  (*real)(int fd);                                                                                      \
                                                                                                                      \
    preload_real(real, #name)                                                                                         \
                                                                                                                      \
    rc = real(fd);                                                                                                    \
                                                                                                                      \
    if (rc == 0 && ours(fd)) {                                                                                        \
        record(RECORD_SYNC, fd, 0, NULL, 0, 0);                                                                       \
    }                                                                                                                 \
                                                                                                                      \
    return rc;                                                                                                        \
}

SYNC(fdatasync)
SYNC(fsync)
