
/*
 * Messages that kill who sends them: a worker aborts when it writes a request with the number of CAMPAIGN_POISON_SENT in it, and faults when
 * it reads an answer with the text of CAMPAIGN_POISON_READ.
 */

#include "preload.h"

#include <stdio.h>


static char  sent[64], answered[64];


__attribute__((constructor)) static void
start(void)
{
    (void) preload_map(0);                      /* knows workers from now on */

    snprintf(sent, sizeof(sent), "%s", getenv("CAMPAIGN_POISON_SENT") ? getenv("CAMPAIGN_POISON_SENT") : "");
    snprintf(answered, sizeof(answered), "%s", getenv("CAMPAIGN_POISON_READ") ? getenv("CAMPAIGN_POISON_READ") : "");
}


static int
has(const void *p, size_t n, const char *what)
{
    return what[0] != '\0' && memmem(p, n, what, strlen(what)) != NULL;
}


ssize_t
writev(int fd, const struct iovec *v, int n)
{
    int             i;
    static ssize_t  (*real)(int fd, const struct iovec *v, int n);

    preload_real(real, "writev")

    for (i = 0; preload_worker() && n && v[0].iov_len > 6 && memcmp(v[0].iov_base, "POST /", 6) == 0 && i < n; i++) {
        if (has(v[i].iov_base, v[i].iov_len, sent)) {
            abort();
        }
    }

    return real(fd, v, n);
}


ssize_t
recv(int fd, void *p, size_t n, int flags)
{
    ssize_t         got;
    static ssize_t  (*real)(int fd, void *p, size_t n, int flags);

    preload_real(real, "recv")

    got = real(fd, p, n, flags);

    if (preload_worker() && got > 5 && memcmp(p, "HTTP/", 5) == 0 && has(p, (size_t) got, answered)) {
        *(volatile int *) 8 = 1;
    }

    return got;
}
