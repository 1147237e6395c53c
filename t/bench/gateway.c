
/*
 * The gateway of tools/bench: the least that an HTTP server can do for a message.  One thread, epoll, connections that are kept; every request is
 * read to its end, counted and answered with 200.  It is to cost so little that what is measured is the sender.
 *
 *     gateway port file
 *
 * The file holds, as native 64 bit numbers: requests answered, monotonic ns of the first one since that field was set to 0, of the last one.
 */

#define _GNU_SOURCE

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>


#define GATEWAY_CONNECTIONS  8192
#define GATEWAY_REQUEST      65536              /* bytes; no request of a case is longer */
#define GATEWAY_EVENTS       256


typedef struct {
    volatile uint64_t   count, first, last;
} gateway_shared_t;

typedef struct {
    char               *in;
    size_t              len;
} gateway_connection_t;


static int gateway_listen(int port);
static gateway_shared_t *gateway_share(const char *file);
static void gateway_accept(int epoll, int listener);
static void gateway_read(int fd);
static size_t gateway_request(const char *in, size_t len);
static void gateway_answer(int fd);
static uint64_t gateway_clock(void);


/* each reply has an id of its own, as a gateway's has: its last twelve digits are what was counted */

static char gateway_reply[] =
    "HTTP/1.1 200 OK\r\n"
    "Server: gateway\r\n"
    "Content-Type: application/json\r\n"
    "Content-Length: 56\r\n"
    "\r\n"
    "{\"data\":[{\"id\":\"018f3b5e-7a3c-7c1e-9d3a-000000000000\"}]}";


static gateway_shared_t      *gateway_shared;
static gateway_connection_t   gateway_connections[GATEWAY_CONNECTIONS];         /* by descriptor */


int
main(int argc, char *const *argv)
{
    int                  i, n, epoll, listener;
    struct epoll_event   ev, events[GATEWAY_EVENTS];

    if (argc != 3) {
        (void) fprintf(stderr, "usage: gateway port file\n");
        return 2;
    }

    (void) signal(SIGPIPE, SIG_IGN);

    listener = gateway_listen(atoi(argv[1]));
    gateway_shared = gateway_share(argv[2]);
    epoll = epoll_create1(0);

    ev.events = EPOLLIN;
    ev.data.fd = listener;

    if (listener == -1 || gateway_shared == NULL || epoll == -1 || epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &ev) == -1) {
        perror("gateway");
        return 2;
    }

    for ( ;; ) {
        n = epoll_wait(epoll, events, GATEWAY_EVENTS, -1);

        if (n == -1 && errno != EINTR) {
            perror("gateway: epoll_wait");
            return 2;
        }

        for (i = 0; i < n; i++) {
            if (events[i].data.fd == listener) {
                gateway_accept(epoll, listener);

            } else {
                gateway_read(events[i].data.fd);
            }
        }
    }
}


static int
gateway_listen(int port)
{
    int                  fd, one;
    struct sockaddr_in   addr;

    memset(&addr, 0, sizeof(addr));
    addr.sin_family = AF_INET;
    addr.sin_port = htons((uint16_t) port);
    addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);

    one = 1;
    fd = socket(AF_INET, SOCK_STREAM|SOCK_NONBLOCK|SOCK_CLOEXEC, 0);

    if (fd == -1 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) == -1
        || bind(fd, (struct sockaddr *) &addr, sizeof(addr)) == -1 || listen(fd, 1024) == -1)
    {
        return -1;
    }

    return fd;
}


static gateway_shared_t *
gateway_share(const char *file)
{
    int    fd;
    void  *p;

    fd = open(file, O_RDWR|O_CREAT|O_TRUNC|O_CLOEXEC, 0600);

    if (fd == -1 || ftruncate(fd, sizeof(gateway_shared_t)) == -1) {
        return NULL;
    }

    p = mmap(NULL, sizeof(gateway_shared_t), PROT_READ|PROT_WRITE, MAP_SHARED, fd, 0);

    return p == MAP_FAILED ? NULL : p;
}


static void
gateway_accept(int epoll, int listener)
{
    int                 fd, one;
    struct epoll_event  ev;

    one = 1;

    for ( ;; ) {
        fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK|SOCK_CLOEXEC);
        if (fd == -1) {
            return;
        }

        if (fd >= GATEWAY_CONNECTIONS) {
            (void) close(fd);
            continue;
        }

        if (gateway_connections[fd].in == NULL) {
            gateway_connections[fd].in = malloc(GATEWAY_REQUEST);
        }

        gateway_connections[fd].len = 0;

        ev.events = EPOLLIN;
        ev.data.fd = fd;

        if (gateway_connections[fd].in == NULL
            || setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) == -1
            || epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &ev) == -1)
        {
            (void) close(fd);
        }
    }
}


static void
gateway_read(int fd)
{
    size_t                 size;
    ssize_t                n;
    gateway_connection_t  *c;

    c = &gateway_connections[fd];

    n = recv(fd, c->in + c->len, GATEWAY_REQUEST - c->len, 0);

    if (n <= 0) {
        if (n == 0 || errno != EAGAIN) {
            (void) close(fd);
        }

        return;
    }

    c->len += (size_t) n;

    while ((size = gateway_request(c->in, c->len)) != 0) {
        gateway_answer(fd);

        c->len -= size;
        memmove(c->in, c->in + size, c->len);
    }

    if (c->len == GATEWAY_REQUEST) {
        (void) close(fd);
    }
}


/* bytes of the request that stands first; 0: its end has not come */

static size_t
gateway_request(const char *in, size_t len)
{
    size_t       size;
    const char  *end, *p;

    end = memmem(in, len, "\r\n\r\n", 4);
    if (end == NULL) {
        return 0;
    }

    size = (size_t) (end + 4 - in);

    for (p = in; p < end; p++) {
        p = memchr(p, '\n', (size_t) (end - p));
        if (p == NULL) {
            break;
        }

        if (strncasecmp(p + 1, "content-length:", 15) == 0) {
            size += strtoul(p + 16, NULL, 10);
            break;
        }
    }

    return size <= len ? size : 0;
}


static void
gateway_answer(int fd)
{
    char      *digit;
    uint64_t   now, n;

    now = gateway_clock();

    if (gateway_shared->first == 0) {
        gateway_shared->first = now;
    }

    gateway_shared->last = now;
    gateway_shared->count++;

    digit = gateway_reply + sizeof(gateway_reply) - sizeof("0\"}]}");

    for (n = gateway_shared->count; n; n >>= 4) {
        *digit-- = "0123456789abcdef"[n & 15];
    }

    (void) !send(fd, gateway_reply, sizeof(gateway_reply) - 1, MSG_NOSIGNAL);
}


static uint64_t
gateway_clock(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_MONOTONIC, &ts);

    return (uint64_t) ts.tv_sec * 1000000000 + (uint64_t) ts.tv_nsec;
}
