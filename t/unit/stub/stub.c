
/*
 * The stand-in's code: see ngx_core.h beside this file.
 */

#include <ngx_core.h>

#include <stdarg.h>
#include <stdio.h>


typedef struct ngx_stub_block_s  ngx_stub_block_t;

struct ngx_stub_block_s {           /* apart from the memory it tells of, so that both ends of that are guarded */
    ngx_stub_block_t  *next;
    void              *data;
};


static void *ngx_stub_take(size_t size);
static int ngx_stub_format(char *buf, size_t size, const char *fmt, va_list args);


char               ngx_stub_log_line[2048];

static ngx_uint_t  ngx_stub_countdown;
static ngx_uint_t  ngx_stub_hit;


ngx_uint_t
ngx_stub_fail_at(ngx_uint_t n)
{
    ngx_uint_t  hit;

    hit = ngx_stub_hit;

    ngx_stub_hit = 0;
    ngx_stub_countdown = n;

    return hit;
}


static void *
ngx_stub_take(size_t size)
{
    if (ngx_stub_countdown && --ngx_stub_countdown == 0) {
        ngx_stub_hit = 1;
        return NULL;
    }

    return malloc(size);
}


ngx_pool_t *
ngx_create_pool(size_t size, ngx_log_t *log)
{
    ngx_pool_t  *pool;

    pool = ngx_stub_take(sizeof(ngx_pool_t));
    if (pool == NULL) {
        return NULL;
    }

    pool->blocks = NULL;
    pool->cleanup = NULL;
    pool->log = log;

    return pool;
}


void
ngx_destroy_pool(ngx_pool_t *pool)
{
    ngx_pool_cleanup_t  *c;

    for (c = pool->cleanup; c; c = c->next) {
        if (c->handler) {
            c->handler(c->data);
        }
    }

    ngx_reset_pool(pool);
    free(pool);
}


void
ngx_reset_pool(ngx_pool_t *pool)
{
    ngx_stub_block_t  *block, *next;

    for (block = pool->blocks; block; block = next) {
        next = block->next;
        free(block->data);
        free(block);
    }

    pool->blocks = NULL;
    pool->cleanup = NULL;
}


void *
ngx_palloc(ngx_pool_t *pool, size_t size)
{
    void              *p;
    ngx_stub_block_t  *block;

    p = ngx_stub_take(size);
    if (p == NULL) {
        return NULL;
    }

    block = malloc(sizeof(ngx_stub_block_t));
    if (block == NULL) {
        free(p);
        return NULL;
    }

    block->data = p;
    block->next = pool->blocks;
    pool->blocks = block;

    memset(p, 0xa5, size);

    return p;
}


void *
ngx_pnalloc(ngx_pool_t *pool, size_t size)
{
    return ngx_palloc(pool, size);
}


void *
ngx_pcalloc(ngx_pool_t *pool, size_t size)
{
    void  *p;

    p = ngx_palloc(pool, size);
    if (p) {
        memset(p, 0, size);
    }

    return p;
}


ngx_int_t
ngx_pfree(ngx_pool_t *pool, void *p)
{
    ngx_stub_block_t  *block, **prev;

    prev = (ngx_stub_block_t **) &pool->blocks;

    for (block = pool->blocks; block; block = block->next) {
        if (block->data == p) {
            *prev = block->next;
            free(block->data);
            free(block);
            return NGX_OK;
        }

        prev = &block->next;
    }

    return NGX_DECLINED;
}


ngx_pool_cleanup_t *
ngx_pool_cleanup_add(ngx_pool_t *pool, size_t size)
{
    ngx_pool_cleanup_t  *c;

    c = ngx_palloc(pool, sizeof(ngx_pool_cleanup_t));
    if (c == NULL) {
        return NULL;
    }

    c->data = NULL;

    if (size) {
        c->data = ngx_palloc(pool, size);
        if (c->data == NULL) {
            return NULL;
        }
    }

    c->handler = NULL;
    c->next = pool->cleanup;
    pool->cleanup = c;

    return c;
}


u_char *
ngx_pstrdup(ngx_pool_t *pool, ngx_str_t *src)
{
    u_char  *dst;

    dst = ngx_pnalloc(pool, src->len);

    if (dst && src->len) {
        memcpy(dst, src->data, src->len);
    }

    return dst;
}


void *
ngx_alloc(size_t size, ngx_log_t *log)
{
    return ngx_stub_take(size);
}


void *
ngx_calloc(size_t size, ngx_log_t *log)
{
    void  *p;

    p = ngx_stub_take(size);
    if (p) {
        memset(p, 0, size);
    }

    return p;
}


ngx_array_t *
ngx_array_create(ngx_pool_t *p, ngx_uint_t n, size_t size)
{
    ngx_array_t  *a;

    a = ngx_palloc(p, sizeof(ngx_array_t));
    if (a == NULL) {
        return NULL;
    }

    return ngx_array_init(a, p, n, size) == NGX_OK ? a : NULL;
}


ngx_int_t
ngx_array_init(ngx_array_t *array, ngx_pool_t *pool, ngx_uint_t n, size_t size)
{
    array->nelts = 0;
    array->size = size;
    array->nalloc = n;
    array->pool = pool;

    array->elts = ngx_palloc(pool, n * size);

    return array->elts ? NGX_OK : NGX_ERROR;
}


void *
ngx_array_push(ngx_array_t *a)
{
    return ngx_array_push_n(a, 1);
}


void *
ngx_array_push_n(ngx_array_t *a, ngx_uint_t n)
{
    void        *elts;
    ngx_uint_t   nalloc;

    if (a->nelts + n > a->nalloc) {
        nalloc = 2 * ngx_max(n, a->nalloc);

        elts = ngx_palloc(a->pool, nalloc * a->size);
        if (elts == NULL) {
            return NULL;
        }

        memcpy(elts, a->elts, a->nelts * a->size);

        a->elts = elts;
        a->nalloc = nalloc;
    }

    a->nelts += n;

    return (u_char *) a->elts + (a->nelts - n) * a->size;
}


void
ngx_array_destroy(ngx_array_t *a)
{
}


ngx_int_t
ngx_strcasecmp(u_char *s1, u_char *s2)
{
    return strcasecmp((char *) s1, (char *) s2);
}


ngx_int_t
ngx_strncasecmp(u_char *s1, u_char *s2, size_t n)
{
    return strncasecmp((char *) s1, (char *) s2, n);
}


void
ngx_strlow(u_char *dst, u_char *src, size_t n)
{
    size_t  i;

    for (i = 0; i < n; i++) {
        dst[i] = ngx_tolower(src[i]);
    }
}


ngx_int_t
ngx_atoi(u_char *line, size_t n)
{
    size_t     i;
    ngx_int_t  value;

    for (value = 0, i = 0; i < n; i++) {
        if (line[i] < '0' || line[i] > '9'
            || __builtin_mul_overflow(value, 10, &value)
            || __builtin_add_overflow(value, line[i] - '0', &value))
        {
            return NGX_ERROR;
        }
    }

    return n ? value : NGX_ERROR;
}


ngx_int_t
ngx_hextoi(u_char *line, size_t n)
{
    char       *end, buf[sizeof(ngx_int_t) * 2 + 1];
    ngx_int_t   value;

    if (n == 0 || n > sizeof(ngx_int_t) * 2 || strspn((char *) line, "0123456789abcdefABCDEF") < n) {
        return NGX_ERROR;
    }

    memcpy(buf, line, n);
    buf[n] = '\0';

    value = (ngx_int_t) strtoull(buf, &end, 16);

    return value < 0 ? NGX_ERROR : value;
}


u_char *
ngx_hex_dump(u_char *dst, u_char *src, size_t len)
{
    static const char  hex[] = "0123456789abcdef";

    while (len--) {
        *dst++ = (u_char) hex[*src >> 4];
        *dst++ = (u_char) hex[*src++ & 15];
    }

    return dst;
}


void
ngx_log_error_core(ngx_uint_t level, ngx_log_t *log, ngx_err_t err, const char *fmt, ...)
{
    char                buf[2048];
    va_list             args;
    static const char  *levels[] = { "", "emerg", "alert", "crit", "error", "warn", "notice", "info", "debug" };

    va_start(args, fmt);
    (void) ngx_stub_format(buf, sizeof(buf), fmt, args);
    va_end(args);

    if (err) {
        fprintf(stderr, "# [%s] %s (%d: %s)\n", levels[level], buf, err, strerror(err));

    } else {
        fprintf(stderr, "# [%s] %s\n", levels[level], buf);
    }

    memcpy(ngx_stub_log_line, buf, strlen(buf) + 1);
    log->lines++;
}


/* nginx's format letters into libc's; cut off at size */

static int
ngx_stub_format(char *buf, size_t size, const char *fmt, va_list args)
{
    int         width;
    char       *p, *end;
    ngx_uint_t  sign;
    ngx_str_t  *v;

    p = buf;
    end = buf + size - 1;

#define ngx_stub_put(...)                                                                                             \
    width = snprintf(p, end - p + 1, __VA_ARGS__);                                                                    \
    p = (width < 0 || width > end - p) ? end : p + width

    for ( /* void */ ; *fmt && p < end; fmt++) {

        if (*fmt != '%') {
            *p++ = *fmt;
            continue;
        }

        fmt++;

        while (*fmt >= '0' && *fmt <= '9') {
            fmt++;
        }

        sign = 1;

        if (*fmt == 'u') {
            sign = 0;
            fmt++;
        }

        switch (*fmt) {

        case 'V':
            v = va_arg(args, ngx_str_t *);
            ngx_stub_put("%.*s", (int) v->len, v->data ? (char *) v->data : "");
            break;

        case '*':
            width = (int) va_arg(args, size_t);
            fmt++;
            ngx_stub_put("%.*s", width, va_arg(args, char *));
            break;

        case 's':
            ngx_stub_put("%s", va_arg(args, char *));
            break;

        case 'p':
            ngx_stub_put("%p", va_arg(args, void *));
            break;

        case 'd':
        case 'D':
            if (sign) {
                ngx_stub_put("%d", va_arg(args, int));

            } else {
                ngx_stub_put("%u", va_arg(args, unsigned));
            }

            break;

        case 'i':
        case 'L':
        case 'z':
        case 'O':
        case 'T':
        case 'M':
            if (sign && *fmt != 'M') {
                ngx_stub_put("%lld", (long long) va_arg(args, int64_t));

            } else {
                ngx_stub_put("%llu", (unsigned long long) va_arg(args, uint64_t));
            }

            break;

        case '%':
            *p++ = '%';
            break;

        default:
            ngx_stub_put("%%%c?", *fmt);
            *p = '\0';
            return -1;
        }
    }

    *p = '\0';

    return (int) (p - buf);
}
