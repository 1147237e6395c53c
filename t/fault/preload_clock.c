/*
 * Moves the date of a server: what the file of CAMPAIGN_FAULT_CONTROL says is added to the time of day, in seconds.  Timers, which go by
 * the monotonic clock, are left alone.
 */

#include "preload.h"

#include <sys/time.h>


typedef struct {
    uint64_t   seconds;
} control_t;


static control_t  *control;


__attribute__((constructor)) static void
start(void)
{
    control = preload_map(sizeof(control_t));
}


static time_t
ahead(void)
{
    return control ? (time_t) __atomic_load_n(&control->seconds, __ATOMIC_SEQ_CST) : 0;
}


int
clock_gettime(clockid_t id, struct timespec *t)
{
    int  rc;

    static int  (*real)(clockid_t, struct timespec *);

    preload_real(real, "clock_gettime");

    rc = real(id, t);

    if (rc == 0 && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)) {
        t->tv_sec += ahead();
    }

    return rc;
}


int
gettimeofday(struct timeval *restrict t, void *restrict zone)
{
    int  rc;

    static int  (*real)(struct timeval *, void *);

    preload_real(real, "gettimeofday");

    rc = real(t, zone);

    if (rc == 0) {
        t->tv_sec += ahead();
    }

    return rc;
}


time_t
time(time_t *t)
{
    time_t  now;

    static time_t  (*real)(time_t *);

    preload_real(real, "time");

    now = real(NULL) + ahead();

    if (t) {
        *t = now;
    }

    return now;
}
