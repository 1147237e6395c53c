
/*
 * What a kernel and nginx's core are to a process: the lock on a file, the eventfd of the hint, memory that a crash gives back.
 */

#include "sim.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>


#define SIM_FD    (1 << 20)                     /* files of virtual processes: the lock's */
#define SIM_HINT  (1 << 21)                     /* eventfds */
#define SIM_FDS   256
#define SIM_HINTS 64

typedef struct {
    sim_process_t  *process;                    /* NULL: closed */
    ino_t           ino;                        /* of the lock that it opened */
    unsigned        locked:1;
} sim_fd_t;

typedef struct {
    ngx_queue_t     queue;
    union {
        ngx_pool_t *pool;                       /* of a pool; NULL: memory follows */
        max_align_t align;
    } u;
} sim_block_t;


int __real_open(const char *path, int flags, ...);
int __real_close(int fd);
int __real_fstat(int fd, struct stat *s);
int __real_stat(const char *path, struct stat *s);
ssize_t __real_read(int fd, void *buf, size_t n);
ssize_t __real_write(int fd, const void *buf, size_t n);
ngx_pool_t *__real_ngx_create_pool(size_t size, ngx_log_t *log);

static ngx_uint_t sim_is_lock(const char *path);
static ngx_connection_t *sim_hint_connection(sim_process_t *p);
static void sim_pool_gone(void *data);


static sim_fd_t   sim_fds[SIM_FDS];
static uint64_t   sim_hints[SIM_HINTS];
static ngx_uint_t sim_nhints;
static ino_t      sim_lock_ino = 1;


void
sim_lock_lost(void)
{
    sim_lock_ino++;
}


static ngx_uint_t
sim_is_lock(const char *path)
{
    size_t  len;

    len = strlen(path);

    return len >= sizeof(NGX_HTTP_CAMPAIGN_DISPATCH_LOCK)
           && strcmp(path + len + 1 - sizeof(NGX_HTTP_CAMPAIGN_DISPATCH_LOCK), NGX_HTTP_CAMPAIGN_DISPATCH_LOCK) == 0;
}


int
__wrap_open(const char *path, int flags, ...)
{
    int         mode;
    va_list     args;
    ngx_uint_t  i;

    va_start(args, flags);
    mode = (flags & O_CREAT) ? va_arg(args, int) : 0;
    va_end(args);

    if (!sim_is_lock(path)) {
        return __real_open(path, flags, mode);
    }

    for (i = 0; i < SIM_FDS; i++) {
        if (sim_fds[i].process == NULL) {
            sim_fds[i].process = sim_current;
            sim_fds[i].ino = sim_lock_ino;
            sim_fds[i].locked = 0;
            return SIM_FD + (int) i;
        }
    }

    sim_fail("files are left open");
}


int
__wrap_flock(int fd, int op)
{
    ngx_uint_t  i;
    sim_fd_t   *f;

    f = &sim_fds[fd - SIM_FD];

    for (i = 0; i < SIM_FDS; i++) {
        if (&sim_fds[i] != f && sim_fds[i].process && sim_fds[i].locked && sim_fds[i].ino == f->ino) {
            errno = EAGAIN;
            return -1;
        }
    }

    f->locked = 1;

    return 0;
}


int
__wrap_close(int fd)
{
    if (fd < SIM_FD) {
        return __real_close(fd);
    }

    if (fd < SIM_HINT) {
        if (sim_fds[fd - SIM_FD].process != sim_current) {
            sim_fail("a file of another process is closed");
        }

        sim_fds[fd - SIM_FD].process = NULL;
    }

    return 0;
}


int
__wrap_fstat(int fd, struct stat *s)
{
    if (fd < SIM_FD) {
        return __real_fstat(fd, s);
    }

    s->st_ino = sim_fds[fd - SIM_FD].ino;
    s->st_dev = 1;

    return 0;
}


int
__wrap_stat(const char *path, struct stat *s)
{
    if (!sim_is_lock(path)) {
        return __real_stat(path, s);
    }

    s->st_ino = sim_lock_ino;
    s->st_dev = 1;

    return 0;
}


void
sim_files_close(sim_process_t *p)
{
    ngx_uint_t  i;

    for (i = 0; i < SIM_FDS; i++) {
        if (sim_fds[i].process == p) {
            sim_fds[i].process = NULL;
        }
    }
}


/* the hint */

int
__wrap_eventfd(unsigned count, int flags)
{
    sim_nhints = (sim_nhints + 1) % SIM_HINTS;
    sim_hints[sim_nhints] = count;

    return SIM_HINT + (int) sim_nhints;
}


ssize_t
__wrap_write(int fd, const void *buf, size_t n)
{
    if (fd < SIM_HINT) {
        return __real_write(fd, buf, n);
    }

    if (!sim_deaf) {
        sim_hints[fd - SIM_HINT] += *(const uint64_t *) buf;
    }

    return (ssize_t) n;
}


ssize_t
__wrap_read(int fd, void *buf, size_t n)
{
    if (fd < SIM_HINT) {
        return __real_read(fd, buf, n);
    }

    if (sim_hints[fd - SIM_HINT] == 0) {
        errno = EAGAIN;
        return -1;
    }

    *(uint64_t *) buf = sim_hints[fd - SIM_HINT];
    sim_hints[fd - SIM_HINT] = 0;

    return sizeof(uint64_t);
}


static ngx_connection_t *
sim_hint_connection(sim_process_t *p)
{
    ngx_uint_t         i;
    ngx_connection_t  *c;

    for (i = 0; i < 4; i++) {
        c = &p->connections[i];

        if (c->fd >= SIM_HINT && c->read->active && sim_hints[c->fd - SIM_HINT]) {
            return c;
        }
    }

    return NULL;
}


ngx_uint_t
sim_hinted(sim_process_t *p)
{
    return sim_hint_connection(p) != NULL;
}


void
sim_hint_read(sim_process_t *p)
{
    ngx_connection_t  *c;

    c = sim_hint_connection(p);

    if (c) {
        c->read->handler(c->read);
    }
}


ngx_connection_t *
ngx_get_connection(ngx_socket_t s, ngx_log_t *log)
{
    ngx_uint_t         i;
    ngx_connection_t  *c;

    for (i = 0; i < 4; i++) {
        c = &sim_current->connections[i];

        if (c->fd <= 0) {
            ngx_memzero(&sim_current->reads[i], sizeof(ngx_event_t));
            ngx_memzero(&sim_current->writes[i], sizeof(ngx_event_t));
            ngx_memzero(c, sizeof(ngx_connection_t));

            c->fd = s;
            c->read = &sim_current->reads[i];
            c->write = &sim_current->writes[i];
            c->read->data = c;
            c->write->data = c;
            c->log = log;

            return c;
        }
    }

    return NULL;
}


void
ngx_free_connection(ngx_connection_t *c)
{
    c->read->active = 0;
    c->fd = 0;
}


ngx_int_t
ngx_add_event(ngx_event_t *ev, ngx_int_t event, ngx_uint_t flags)
{
    ev->active = 1;

    return NGX_OK;
}


ngx_int_t
ngx_del_event(ngx_event_t *ev, ngx_int_t event, ngx_uint_t flags)
{
    ev->active = 0;

    return NGX_OK;
}


/* "%V/%s%Z" is all that is asked for */

u_char *
ngx_sprintf(u_char *buf, const char *fmt, ...)
{
    char       *s;
    va_list     args;
    ngx_str_t  *v;

    if (strcmp(fmt, "%V/%s%Z") != 0) {
        abort();
    }

    va_start(args, fmt);
    v = va_arg(args, ngx_str_t *);
    s = va_arg(args, char *);
    va_end(args);

    return buf + sprintf((char *) buf, "%.*s/%s", (int) v->len, v->data, s) + 1;
}


/* memory */

static void
sim_pool_gone(void *data)
{
    sim_block_t *b = *(sim_block_t **) data;

    ngx_queue_remove(&b->queue);
    free(b);
}


ngx_pool_t *
__wrap_ngx_create_pool(size_t size, ngx_log_t *log)
{
    ngx_pool_t          *pool;
    sim_block_t         *b;
    ngx_pool_cleanup_t  *c;

    pool = __real_ngx_create_pool(size, log);

    if (pool == NULL || sim_current == NULL) {
        return pool;
    }

    b = malloc(sizeof(sim_block_t));
    c = ngx_pool_cleanup_add(pool, sizeof(sim_block_t *));

    if (b == NULL || c == NULL) {
        abort();
    }

    c->handler = sim_pool_gone;
    *(sim_block_t **) c->data = b;

    b->u.pool = pool;
    ngx_queue_insert_tail(&sim_current->memory, &b->queue);

    return pool;
}


void *
__wrap_ngx_alloc(size_t size, ngx_log_t *log)
{
    sim_block_t  *b;

    b = malloc(sizeof(sim_block_t) + size);
    if (b == NULL) {
        return NULL;
    }

    b->u.pool = NULL;
    ngx_queue_insert_tail(&sim_current->memory, &b->queue);

    return b + 1;
}


void *
__wrap_ngx_calloc(size_t size, ngx_log_t *log)
{
    void  *p;

    p = __wrap_ngx_alloc(size, log);
    if (p) {
        ngx_memzero(p, size);
    }

    return p;
}


void
sim_free(void *p)
{
    sim_block_t  *b;

    b = (sim_block_t *) p - 1;

    ngx_queue_remove(&b->queue);
    free(b);
}


/* as the kernel does it: no cleanup of a pool runs */

void
sim_memory_free(sim_process_t *p)
{
    ngx_pool_t   *pool;
    ngx_queue_t  *q;
    sim_block_t  *b;

    while (!ngx_queue_empty(&p->memory)) {
        q = ngx_queue_head(&p->memory);
        b = ngx_queue_data(q, sim_block_t, queue);
        pool = b->u.pool;

        ngx_queue_remove(q);
        free(b);

        if (pool) {
            pool->cleanup = NULL;
            ngx_destroy_pool(pool);
        }
    }
}


/* red-black trees, as lists in the order of their keys */

void
ngx_rbtree_insert(ngx_rbtree_t *tree, ngx_rbtree_node_t *node)
{
    ngx_rbtree_node_t  **p;

    for (p = &tree->root; *p != tree->sentinel && (*p)->key <= node->key; p = &(*p)->right) { /* void */ }

    node->left = tree->sentinel;
    node->right = *p;
    *p = node;
}


void
ngx_rbtree_delete(ngx_rbtree_t *tree, ngx_rbtree_node_t *node)
{
    ngx_rbtree_node_t  **p;

    for (p = &tree->root; *p != node; p = &(*p)->right) {
        if (*p == tree->sentinel) {
            sim_fail("a node is deleted that is not in its tree");
        }
    }

    *p = node->right;
}
