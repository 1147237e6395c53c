
/*
 * Where a store is opened.  It keeps true: one process has a directory open once (LMDB's locks are the process's, and the first close would
 * take those of the second away); all processes that have it open see each other's ids (by these LMDB tells living readers from dead ones).
 */

#include "ngx_campaign_store_lmdb.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>


#define NGX_CAMPAIGN_PLACE_FILE  "place.lock"
#define NGX_CAMPAIGN_PLACE_LEN   64
#define NGX_CAMPAIGN_PLACE_TRIES 500            /* 1 ms each */


static ngx_int_t ngx_campaign_place_once(ngx_campaign_store_t *st);
static size_t ngx_campaign_place_name(u_char *place);
static ngx_int_t ngx_campaign_place_shared(ngx_campaign_store_t *st, const u_char *place, size_t len);
static void ngx_campaign_place_clear(ngx_campaign_store_t *st);


static ngx_queue_t  ngx_campaign_places;        /* stores of this process; zeroed: none yet */


ngx_int_t
ngx_campaign_lmdb_place_take(ngx_campaign_store_t *st)
{
    size_t       len;
    u_char      *p, *path, place[NGX_CAMPAIGN_PLACE_LEN];
    ngx_int_t    rc;
    ngx_uint_t   i;

    st->place = NGX_INVALID_FILE;

    if (ngx_campaign_place_once(st) != NGX_OK) {
        return NGX_ERROR;
    }

    path = ngx_pnalloc(st->pool, st->conf->path.len + sizeof("/" NGX_CAMPAIGN_PLACE_FILE));
    if (path == NULL) {
        return NGX_ERROR;
    }

    p = ngx_cpymem(path, st->conf->path.data, st->conf->path.len);
    ngx_memcpy(p, "/" NGX_CAMPAIGN_PLACE_FILE, sizeof("/" NGX_CAMPAIGN_PLACE_FILE));

    st->place = open((char *) path, O_RDWR|O_CREAT|O_CLOEXEC|O_NOFOLLOW, 0600);

    if (st->place == NGX_INVALID_FILE) {
        ngx_log_error(NGX_LOG_EMERG, st->log, ngx_errno, "campaign store \"%V\" cannot be opened: open() \"%s\" failed%s", &st->conf->path,
                      path, ngx_campaign_lmdb_mend_text(ngx_errno));
        return NGX_ERROR;
    }

    len = ngx_campaign_place_name(place);

    for (rc = NGX_AGAIN, i = 0; rc == NGX_AGAIN && i < NGX_CAMPAIGN_PLACE_TRIES; i++) {
        rc = ngx_campaign_place_shared(st, place, len);
    }

    if (rc == NGX_OK) {
        return NGX_OK;
    }

    if (rc == NGX_AGAIN) {
        ngx_log_error(NGX_LOG_EMERG, st->log, ngx_errno, "campaign store \"%V\" is not opened: \"%s\" cannot be locked", &st->conf->path,
                      path);
        return NGX_ERROR;
    }

    ngx_log_error(NGX_LOG_EMERG, st->log, 0, "campaign store \"%V\" is not opened: processes of another PID namespace (another container) have "
                  "it open; LMDB would take theirs for dead: use one container, or let them share the namespace", &st->conf->path);

    return NGX_ERROR;
}


void
ngx_campaign_lmdb_place_leave(ngx_campaign_store_t *st)
{
    if (st->placed) {
        ngx_queue_remove(&st->places);
        st->placed = 0;
    }

    if (st->place != NGX_INVALID_FILE) {
        (void) close(st->place);
        st->place = NGX_INVALID_FILE;
    }
}


static ngx_int_t
ngx_campaign_place_once(ngx_campaign_store_t *st)
{
    struct stat            s;
    ngx_queue_t           *q;
    ngx_campaign_store_t  *other;

    if (stat((char *) st->conf->path.data, &s) == -1) {
        ngx_log_error(NGX_LOG_EMERG, st->log, ngx_errno, "campaign store: stat() \"%V\" failed", &st->conf->path);
        return NGX_ERROR;
    }

    if (ngx_campaign_places.next == NULL) {
        ngx_queue_init(&ngx_campaign_places);
    }

    for (q = ngx_queue_head(&ngx_campaign_places); q != ngx_queue_sentinel(&ngx_campaign_places); q = ngx_queue_next(q)) {
        other = ngx_queue_data(q, ngx_campaign_store_t, places);

        if (other->dir_inode == s.st_ino && other->dir_device == s.st_dev && other->owner == getpid()) {
            ngx_log_error(NGX_LOG_EMERG, st->log, 0, "campaign store \"%V\" is not opened: this process has it open already",
                          &st->conf->path);
            return NGX_ERROR;
        }
    }

    st->dir_inode = s.st_ino;
    st->dir_device = s.st_dev;
    st->owner = getpid();                               /* a child's are its own */
    st->placed = 1;

    ngx_queue_insert_tail(&ngx_campaign_places, &st->places);

    return NGX_OK;
}


/* this boot and this PID namespace; 0: not known, all such are the same */

static size_t
ngx_campaign_place_name(u_char *place)
{
    ssize_t      n;
    ngx_fd_t     fd;
    struct stat  s;

    n = -1;
    fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY|O_CLOEXEC);

    if (fd != NGX_INVALID_FILE) {
        n = read(fd, place, 36);
        (void) close(fd);
    }

    if (n != 36 || stat("/proc/self/ns/pid", &s) == -1) {
        return 0;
    }

    return n + snprintf((char *) place + n, NGX_CAMPAIGN_PLACE_LEN - n, " %llu", (unsigned long long) s.st_ino);
}


/* NGX_AGAIN: others came or went meanwhile; NGX_DECLINED: they are in another place */

static ngx_int_t
ngx_campaign_place_shared(ngx_campaign_store_t *st, const u_char *place, size_t len)
{
    u_char   theirs[NGX_CAMPAIGN_PLACE_LEN];
    ssize_t  n;

    if (flock(st->place, LOCK_EX|LOCK_NB) == 0) {       /* nobody else is here: it is ours to name */

        if (ftruncate(st->place, 0) == -1 || pwrite(st->place, place, len, 0) != (ssize_t) len) {
            ngx_log_error(NGX_LOG_WARN, st->log, ngx_errno, "campaign store \"%V\": its \"%s\" cannot be written", &st->conf->path,
                          NGX_CAMPAIGN_PLACE_FILE);
        }

        ngx_campaign_place_clear(st);
    }

    if (flock(st->place, LOCK_SH|LOCK_NB) == -1) {
        usleep(1000);                                   /* somebody names it */
        return NGX_AGAIN;
    }

    n = pread(st->place, theirs, NGX_CAMPAIGN_PLACE_LEN, 0);

    if (n <= 0 || len == 0 || ((size_t) n == len && ngx_memcmp(theirs, place, len) == 0)) {
        return NGX_OK;
    }

    return NGX_DECLINED;
}


/* the power went while data.mdb was made: half of its first pages would be no file of LMDB for ever, an empty file is made again */

static void
ngx_campaign_place_clear(ngx_campaign_store_t *st)
{
    char         path[4096];
    struct stat  s;

    if (snprintf(path, sizeof(path), "%s/data.mdb", (char *) st->conf->path.data) >= (int) sizeof(path)
        || lstat(path, &s) == -1 || !S_ISREG(s.st_mode) || s.st_size == 0 || !ngx_campaign_lmdb_blank(s.st_size))
    {
        return;
    }

    if (truncate(path, 0) == -1) {
        ngx_log_error(NGX_LOG_WARN, st->log, ngx_errno, "campaign store \"%V\": its data.mdb holds nothing and cannot be made anew",
                      &st->conf->path);
    }
}
