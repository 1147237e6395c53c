/*
 * Notes where a process connects to: each address that connect() or sendto() is given goes to the file CAMPAIGN_CONNECT_LOG, a line each:
 * "address:port", "[address]:port" or "unix:path".  Nothing else changes.
 */

#include "preload.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/un.h>


static void connect_note(const struct sockaddr *sa, socklen_t len);


static char  *connect_file;


/* a worker has none of the environment left */

__attribute__((constructor)) static void
connect_init(void)
{
    const char  *file;

    file = getenv("CAMPAIGN_CONNECT_LOG");
    connect_file = file ? strdup(file) : NULL;
}


int
connect(int fd, const struct sockaddr *sa, socklen_t len)
{
    static int  (*real)(int, const struct sockaddr *, socklen_t);

    preload_real(real, "connect");

    connect_note(sa, len);

    return real(fd, sa, len);
}


ssize_t
sendto(int fd, const void *data, size_t size, int flags, const struct sockaddr *sa, socklen_t len)
{
    static ssize_t  (*real)(int, const void *, size_t, int, const struct sockaddr *, socklen_t);

    preload_real(real, "sendto");

    if (sa) {
        connect_note(sa, len);
    }

    return real(fd, data, size, flags, sa, len);
}


static void
connect_note(const struct sockaddr *sa, socklen_t len)
{
    int                         n, fd, saved;
    char                        text[INET6_ADDRSTRLEN], line[sizeof(struct sockaddr_un) + 16];
    const struct sockaddr_in   *in;
    const struct sockaddr_in6  *in6;

    saved = errno;

    if (sa->sa_family == AF_INET) {
        in = (const struct sockaddr_in *) sa;
        n = snprintf(line, sizeof(line), "%s:%d\n", inet_ntop(AF_INET, &in->sin_addr, text, sizeof(text)), ntohs(in->sin_port));

    } else if (sa->sa_family == AF_INET6) {
        in6 = (const struct sockaddr_in6 *) sa;
        n = snprintf(line, sizeof(line), "[%s]:%d\n", inet_ntop(AF_INET6, &in6->sin6_addr, text, sizeof(text)), ntohs(in6->sin6_port));

    } else if (sa->sa_family == AF_UNIX) {
        n = snprintf(line, sizeof(line), "unix:%.*s\n", (int) (len - offsetof(struct sockaddr_un, sun_path)),
                     ((const struct sockaddr_un *) sa)->sun_path);

    } else {
        n = snprintf(line, sizeof(line), "family %d\n", sa->sa_family);
    }

    fd = connect_file ? open(connect_file, O_WRONLY|O_APPEND|O_CREAT|O_CLOEXEC, 0666) : -1;

    if (fd >= 0) {
        if (write(fd, line, n) != n) {
            abort();                                /* what is not noted would not be missed */
        }
        close(fd);
    }

    errno = saved;
}
