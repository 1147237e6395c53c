
/*
 * A stand-in for nginx's ngx_core.h.  What src/core may not have (a log, sorting by libc, which allocates) is hidden from it by
 * NGX_STUB_CORE (poison.h).
 *
 * A pool takes each allocation from malloc apart, at its exact size, so that AddressSanitizer sees every overrun; it can be told to
 * fail the n-th:
 *
 *     n = 0;
 *     do {
 *         ngx_stub_fail_at(++n);
 *         ... run; must survive a failure and leave things as they were ...
 *     } while (ngx_stub_fail_at(0));
 */

#ifndef _NGX_CORE_H_INCLUDED_
#define _NGX_CORE_H_INCLUDED_


#include <ngx_config.h>


#define NGX_OK          0
#define NGX_ERROR      -1
#define NGX_AGAIN      -2
#define NGX_BUSY       -3
#define NGX_DONE       -4
#define NGX_DECLINED   -5
#define NGX_ABORT      -6

#define LF     (u_char) '\n'
#define CR     (u_char) '\r'
#define CRLF   "\r\n"

#define ngx_abs(value)       (((value) >= 0) ? (value) : - (value))
#define ngx_max(val1, val2)  ((val1 < val2) ? (val2) : (val1))
#define ngx_min(val1, val2)  ((val1 > val2) ? (val2) : (val1))


typedef ngx_uint_t  ngx_msec_t;
typedef ngx_int_t   ngx_msec_int_t;
typedef int         ngx_fd_t;
typedef int         ngx_err_t;

#define NGX_INVALID_FILE  -1
#define ngx_errno         errno


/* strings */

typedef struct {
    size_t      len;
    u_char     *data;
} ngx_str_t;

#define ngx_string(str)     { sizeof(str) - 1, (u_char *) str }
#define ngx_null_string     { 0, NULL }
#define ngx_str_set(str, text)  (str)->len = sizeof(text) - 1; (str)->data = (u_char *) text
#define ngx_str_null(str)       (str)->len = 0; (str)->data = NULL

#define ngx_tolower(c)      (u_char) ((c >= 'A' && c <= 'Z') ? (c | 0x20) : c)
#define ngx_toupper(c)      (u_char) ((c >= 'a' && c <= 'z') ? (c & ~0x20) : c)

#define ngx_strncmp(s1, s2, n)  strncmp((const char *) s1, (const char *) s2, n)
#define ngx_strcmp(s1, s2)      strcmp((const char *) s1, (const char *) s2)
#define ngx_strstr(s1, s2)      strstr((const char *) s1, (const char *) s2)
#define ngx_strlen(s)           strlen((const char *) s)
#define ngx_strchr(s1, c)       strchr((const char *) s1, (int) c)

#define ngx_memzero(buf, n)       (void) memset(buf, 0, n)
#define ngx_memset(buf, c, n)     (void) memset(buf, c, n)
#define ngx_memcpy(dst, src, n)   (void) memcpy(dst, src, n)
#define ngx_cpymem(dst, src, n)   (((u_char *) memcpy(dst, src, n)) + (n))
#define ngx_copy                  ngx_cpymem
#define ngx_memmove(dst, src, n)  (void) memmove(dst, src, n)
#define ngx_movemem(dst, src, n)  (((u_char *) memmove(dst, src, n)) + (n))
#define ngx_memcmp(s1, s2, n)     memcmp(s1, s2, n)

static ngx_inline u_char *
ngx_strlchr(u_char *p, u_char *last, u_char c)
{
    for ( /* void */ ; p < last; p++) {
        if (*p == c) {
            return p;
        }
    }

    return NULL;
}

ngx_int_t ngx_strcasecmp(u_char *s1, u_char *s2);
ngx_int_t ngx_strncasecmp(u_char *s1, u_char *s2, size_t n);
void ngx_strlow(u_char *dst, u_char *src, size_t n);
ngx_int_t ngx_atoi(u_char *line, size_t n);
ngx_int_t ngx_hextoi(u_char *line, size_t n);
u_char *ngx_hex_dump(u_char *dst, u_char *src, size_t len);


/* log */

#define NGX_LOG_STDERR  0
#define NGX_LOG_EMERG   1
#define NGX_LOG_ALERT   2
#define NGX_LOG_CRIT    3
#define NGX_LOG_ERR     4
#define NGX_LOG_WARN    5
#define NGX_LOG_NOTICE  6
#define NGX_LOG_INFO    7
#define NGX_LOG_DEBUG   8

#define NGX_LOG_DEBUG_CORE   0x010
#define NGX_LOG_DEBUG_EVENT  0x080
#define NGX_LOG_DEBUG_HTTP   0x100

typedef struct {
    ngx_uint_t   log_level;
    ngx_uint_t   lines;         /* written so far, at any level up to log_level */
} ngx_log_t;


/* pools */

typedef struct ngx_pool_s          ngx_pool_t;
typedef struct ngx_pool_cleanup_s  ngx_pool_cleanup_t;

typedef void (*ngx_pool_cleanup_pt)(void *data);

struct ngx_pool_cleanup_s {
    ngx_pool_cleanup_pt   handler;
    void                 *data;
    ngx_pool_cleanup_t   *next;
};

struct ngx_pool_s {
    void                 *blocks;
    ngx_pool_cleanup_t   *cleanup;
    ngx_log_t            *log;
};

#define NGX_MIN_POOL_SIZE      128
#define NGX_DEFAULT_POOL_SIZE  (16 * 1024)

ngx_pool_t *ngx_create_pool(size_t size, ngx_log_t *log);
void ngx_destroy_pool(ngx_pool_t *pool);
void ngx_reset_pool(ngx_pool_t *pool);
void *ngx_palloc(ngx_pool_t *pool, size_t size);
void *ngx_pnalloc(ngx_pool_t *pool, size_t size);
void *ngx_pcalloc(ngx_pool_t *pool, size_t size);
ngx_int_t ngx_pfree(ngx_pool_t *pool, void *p);
ngx_pool_cleanup_t *ngx_pool_cleanup_add(ngx_pool_t *pool, size_t size);
u_char *ngx_pstrdup(ngx_pool_t *pool, ngx_str_t *src);

/* the n-th allocation from now fails, once (0: none does); returns 1 if the failure ordered before came about */
ngx_uint_t ngx_stub_fail_at(ngx_uint_t n);


/* arrays */

typedef struct {
    void        *elts;
    ngx_uint_t   nelts;
    size_t       size;
    ngx_uint_t   nalloc;
    ngx_pool_t  *pool;
} ngx_array_t;

ngx_array_t *ngx_array_create(ngx_pool_t *p, ngx_uint_t n, size_t size);
ngx_int_t ngx_array_init(ngx_array_t *array, ngx_pool_t *pool, ngx_uint_t n, size_t size);
void *ngx_array_push(ngx_array_t *a);
void *ngx_array_push_n(ngx_array_t *a, ngx_uint_t n);
void ngx_array_destroy(ngx_array_t *a);


/* queues */

typedef struct ngx_queue_s  ngx_queue_t;

struct ngx_queue_s {
    ngx_queue_t  *prev;
    ngx_queue_t  *next;
};

#define ngx_queue_init(q)         (q)->prev = q; (q)->next = q
#define ngx_queue_empty(h)        (h == (h)->prev)
#define ngx_queue_head(h)         (h)->next
#define ngx_queue_last(h)         (h)->prev
#define ngx_queue_sentinel(h)     (h)
#define ngx_queue_next(q)         (q)->next
#define ngx_queue_prev(q)         (q)->prev
#define ngx_queue_data(q, type, link)  (type *) ((u_char *) q - offsetof(type, link))

#define ngx_queue_insert_head(h, x)                                                                                   \
    (x)->next = (h)->next; (x)->next->prev = x; (x)->prev = h; (h)->next = x

#define ngx_queue_insert_after   ngx_queue_insert_head

#define ngx_queue_insert_tail(h, x)                                                                                   \
    (x)->prev = (h)->prev; (x)->prev->next = x; (x)->next = h; (h)->prev = x

#define ngx_queue_insert_before  ngx_queue_insert_tail

#define ngx_queue_remove(x)                                                                                           \
    (x)->next->prev = (x)->prev; (x)->prev->next = (x)->next; (x)->prev = NULL; (x)->next = NULL


#ifndef NGX_STUB_CORE

#include <errno.h>
#include <stdlib.h>

#define ngx_qsort  qsort

void *ngx_alloc(size_t size, ngx_log_t *log);
void *ngx_calloc(size_t size, ngx_log_t *log);
#define ngx_free   free

/* the last line that was logged; tests may empty it */
extern char  ngx_stub_log_line[2048];

/* a line on stderr if level is not above log->log_level; fmt is nginx's: %s %V %d %i %ui %uL %L %uD %uz %z %O %T %p %*s %% */
void ngx_log_error_core(ngx_uint_t level, ngx_log_t *log, ngx_err_t err, const char *fmt, ...);

#define ngx_log_error(level, log, ...)                                                                                \
    if ((log)->log_level >= level) ngx_log_error_core(level, log, __VA_ARGS__)

#define ngx_log_debug0(level, log, err, fmt)
#define ngx_log_debug1(level, log, err, fmt, a)
#define ngx_log_debug2(level, log, err, fmt, a, b)
#define ngx_log_debug3(level, log, err, fmt, a, b, c)
#define ngx_log_debug4(level, log, err, fmt, a, b, c, d)
#define ngx_log_debug5(level, log, err, fmt, a, b, c, d, e)

#endif


#endif /* _NGX_CORE_H_INCLUDED_ */
