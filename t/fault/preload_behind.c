
/*
 * A thread stands still behind its commit, before it does what comes next: while `pid` is the worker's.
 */

#include "preload.h"

#include <sys/syscall.h>


/* all little-endian u64: see t/fault/fence.t */

typedef struct {
    uint64_t   pid;                     /* 0: no one */
    uint64_t   held;                    /* 1: a thread of it stands still */
} control_t;


static control_t  *control;


__attribute__((constructor)) static void
start(void)
{
    control = preload_map(sizeof(control_t));
}


int
mdb_txn_commit(void *txn)
{
    int                rc;
    static int       (*real)(void *);
    struct timespec    ms = { 0, 1000000 };

    preload_real(real, "mdb_txn_commit");

    rc = real(txn);

    if (rc != 0 || control == NULL || syscall(SYS_gettid) == getpid()) {
        return rc;
    }

    while (__atomic_load_n(&control->pid, __ATOMIC_SEQ_CST) == (uint64_t) getpid()) {
        __atomic_store_n(&control->held, 1, __ATOMIC_SEQ_CST);
        (void) nanosleep(&ms, NULL);
    }

    return rc;
}
