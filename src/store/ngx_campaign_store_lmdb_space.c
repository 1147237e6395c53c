
/*
 * Room in the map and on the disk.  It keeps true: what is new is refused while there is still room for what has to go on: outcomes of
 * messages sent, cancels, deletes.  LMDB copies each page that it changes, so on a full disk, or in a full map, even a delete fails.
 *
 * Of the map the last part is kept.  Of the disk some MiB behind the end of data.mdb are allocated and not used: as the file grows into them
 * they are allocated anew; when that fails the disk is full, and they are what is left.  So is data.mdb watched: who replaces it under a
 * process that has it open would find its writes nowhere.
 */

#ifndef _GNU_SOURCE
#define _GNU_SOURCE                             /* fallocate(), without nginx */
#endif

#include "ngx_campaign_store_lmdb.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>


#define NGX_CAMPAIGN_SPACE_RESERVE  (4 * 1024 * 1024)   /* bytes of the disk: 2.7 MB of commits were measured to go into so many */
#define NGX_CAMPAIGN_SPACE_LOW      (1024 * 1024)       /* of these: what outcomes need, claims leave */

#define NGX_CAMPAIGN_SPACE_NEW      20                  /* the last 1/20 of the map is not for what is new, */
#define NGX_CAMPAIGN_SPACE_CLAIM    50                  /* nor the last 1/50 for claims, */
#define NGX_CAMPAIGN_SPACE_PAGES    64                  /* nor so many pages, half of them: a transaction copies some of each table */


static ngx_campaign_rc_e ngx_campaign_space_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args);
static ngx_uint_t ngx_campaign_space_used(ngx_campaign_txn_t *t, size_t *used, size_t *page);
static void ngx_campaign_space_reserve(ngx_campaign_store_t *st, ngx_fd_t fd, struct stat *s);
static void ngx_campaign_space_level(ngx_campaign_store_t *st, ngx_uint_t level);


ngx_int_t
ngx_campaign_store_space(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_space_t *space)
{
    return ngx_campaign_lmdb_read(st, op, ngx_campaign_space_work, space);
}


static ngx_campaign_rc_e
ngx_campaign_space_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args)
{
    ngx_campaign_space_t *space = args;

    int          err;
    size_t       used, page;
    ngx_fd_t     fd;
    struct stat  s;
    MDB_envinfo  info;

    fd = NGX_INVALID_FILE;
    err = mdb_env_info(t->store->env, &info);

    if (err == 0) {
        err = mdb_env_get_fd(t->store->env, &fd);
    }

    if (err != 0 || fstat(fd, &s) == -1 || !ngx_campaign_space_used(t, &used, &page)) {
        return ngx_campaign_lmdb_failed(t, err ? err : EINVAL, "size of the store");
    }

    space->bytes = s.st_size;
    space->max = info.me_mapsize;
    space->page = page;
    space->used = used;
    space->free = info.me_last_pgno + 1 > used ? info.me_last_pgno + 1 - used : 0;
    space->readers = info.me_numreaders;
    space->disk = __atomic_load_n(&t->store->disk, __ATOMIC_RELAXED);

    return NGX_CAMPAIGN_OK;
}


ngx_campaign_rc_e
ngx_campaign_lmdb_room(ngx_campaign_txn_t *t, ngx_campaign_room_e room)
{
    size_t                 used, page, most, kept;
    MDB_envinfo            info;
    ngx_campaign_store_t  *st;

    st = t->store;

    if (__atomic_load_n(&st->disk, __ATOMIC_RELAXED) > NGX_CAMPAIGN_ROOM_NEW - room) {
        return ngx_campaign_lmdb_failed(t, ENOSPC, "room for what is new");
    }

    if (mdb_env_info(st->env, &info) != 0 || ngx_campaign_space_used(t, &used, &page) == 0) {
        return NGX_CAMPAIGN_OK;                         /* LMDB itself will say so */
    }

    most = ngx_min(info.me_mapsize, st->conf->size) / page;     /* the map may be larger than the configuration allows by now */
    kept = (room == NGX_CAMPAIGN_ROOM_NEW) ? ngx_max(most / NGX_CAMPAIGN_SPACE_NEW, NGX_CAMPAIGN_SPACE_PAGES)
                                           : ngx_max(most / NGX_CAMPAIGN_SPACE_CLAIM, NGX_CAMPAIGN_SPACE_PAGES / 2);

    if (used + kept > most) {
        return ngx_campaign_lmdb_failed(t, MDB_MAP_FULL, "room for what is new");
    }

    return NGX_CAMPAIGN_OK;
}


/* pages that the transaction would leave in use: those on LMDB's list of free ones are in no table.  0: not known */

static ngx_uint_t
ngx_campaign_space_used(ngx_campaign_txn_t *t, size_t *used, size_t *page)
{
    MDB_dbi   dbi;
    MDB_stat  stat;

    *used = 2;                                          /* meta pages */

    for (dbi = 0; dbi < NGX_CAMPAIGN_DB_MAX + 2; dbi++) {       /* LMDB's own two: 0 the free ones, 1 the tables */

        if (mdb_stat(t->txn, dbi < 2 ? dbi : t->store->dbi[dbi - 2], &stat) != 0) {
            return 0;
        }

        *used += stat.ms_branch_pages + stat.ms_leaf_pages + stat.ms_overflow_pages;
        *page = stat.ms_psize;
    }

    return 1;
}


ngx_uint_t
ngx_campaign_lmdb_replaced(ngx_campaign_store_t *st)
{
    struct stat  s;

    return stat((char *) st->data, &s) == -1 || s.st_ino != st->inode || s.st_dev != st->device;
}


void
ngx_campaign_lmdb_watch(ngx_campaign_store_t *st)
{
    ngx_fd_t     fd;
    ngx_uint_t   replaced;
    struct stat  s;

    if (st->env == NULL || mdb_env_get_fd(st->env, &fd) != 0 || fstat(fd, &s) == -1) {
        return;
    }

    replaced = ngx_campaign_lmdb_replaced(st);

    if (replaced && !st->replaced) {
        ngx_log_error(NGX_LOG_CRIT, st->log, 0, "campaign store: \"%s\" was replaced or removed while it is in use: nothing is written until "
                      "nginx is reloaded, or the old file is back", st->data);

    } else if (!replaced && st->replaced) {
        ngx_log_error(NGX_LOG_NOTICE, st->log, 0, "campaign store: \"%s\" is back", st->data);
    }

    st->replaced = replaced ? 1 : 0;

    if (!replaced) {
        ngx_campaign_space_reserve(st, fd, &s);
    }
}


ngx_int_t
ngx_campaign_lmdb_watch_init(ngx_campaign_store_t *st)
{
    ngx_fd_t     fd;
    struct stat  s;

    if (mdb_env_get_fd(st->env, &fd) != 0 || fstat(fd, &s) == -1) {
        return NGX_ERROR;
    }

    st->inode = s.st_ino;
    st->device = s.st_dev;
    st->replaced = 0;
    st->reserved = 0;

    ngx_campaign_space_reserve(st, fd, &s);

    return NGX_OK;
}


/* blocks behind the end of the file that are allocated already are known by st_blocks, whoever allocated them */

static void
ngx_campaign_space_reserve(ngx_campaign_store_t *st, ngx_fd_t fd, struct stat *s)
{
    off_t      left, want;
    ngx_err_t  err;

    want = ngx_min(NGX_CAMPAIGN_SPACE_RESERVE, (off_t) st->conf->size - s->st_size);

    if (st->no_reserve || want <= 0) {
        ngx_campaign_space_level(st, 0);
        return;
    }

    if (st->reserved == s->st_size && __atomic_load_n(&st->disk, __ATOMIC_RELAXED) == 0) {
        return;
    }

    if (fallocate(fd, FALLOC_FL_KEEP_SIZE, s->st_size, want) == 0) {
        st->reserved = s->st_size;
        ngx_campaign_space_level(st, 0);
        return;
    }

    err = ngx_errno;

    if (err == EINTR || err == EROFS || err == EIO) {
        return;                                         /* a file system that takes no writes may do so again */
    }

    if (err != ENOSPC && err != EDQUOT && err != EFBIG) {
        ngx_log_error(NGX_LOG_INFO, st->log, err, "campaign store \"%V\": its file system reserves no room", &st->conf->path);
        st->no_reserve = 1;
        return;
    }

    left = fstat(fd, s) == 0 ? (off_t) s->st_blocks * 512 - s->st_size : 0;

    ngx_campaign_space_level(st, left < NGX_CAMPAIGN_SPACE_LOW ? 2 : 1);
}


static void
ngx_campaign_space_level(ngx_campaign_store_t *st, ngx_uint_t level)
{
    ngx_uint_t  old;

    old = __atomic_exchange_n(&st->disk, level, __ATOMIC_RELAXED);

    if (level && old == 0) {
        ngx_log_error(NGX_LOG_CRIT, st->log, 0, "campaign store \"%V\" is full: make room on its disk; what is new is refused until there is, "
                      "what is under way goes on in a reserve", &st->conf->path);

    } else if (level == 0 && old) {
        ngx_log_error(NGX_LOG_NOTICE, st->log, 0, "campaign store \"%V\": there is room on its disk again", &st->conf->path);
    }
}
