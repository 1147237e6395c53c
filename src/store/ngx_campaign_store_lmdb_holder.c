
/*
 * Who holds the write lock, for the log.  LMDB does not say; but its lock is a robust mutex in lock.mdb, which is mapped, and such a mutex
 * holds the id of the thread that has it.  Where it lies is LMDB's own affair, so what is found is believed only if a process with that thread
 * has lock.mdb mapped, too.  No file of the store is opened: who closes lock.mdb takes the process's locks away.
 */

#include "ngx_campaign_store_lmdb.h"

#include <stdio.h>


#define NGX_CAMPAIGN_HOLDER_TID    0x3fffffff           /* of a futex: the rest are flags */
#define NGX_CAMPAIGN_HOLDER_LINE   4352
#define NGX_CAMPAIGN_HOLDER_CACHE  64                   /* LMDB keeps its parts in cache lines of their own */
#define NGX_CAMPAIGN_HOLDER_LINES  4


static const u_char *ngx_campaign_holder_map(ngx_campaign_store_t *st, const char *maps, u_char *at);
static pid_t ngx_campaign_holder_process(uint32_t tid);


pid_t
ngx_campaign_lmdb_holder(ngx_campaign_store_t *st)
{
    u_char         at[32], none[32];
    char           maps[64];
    uint32_t       tid;
    pid_t      pid;
    ngx_uint_t     i;
    const u_char  *map;

    map = ngx_campaign_holder_map(st, "/proc/self/maps", at);
    if (map == NULL) {
        return 0;
    }

    for (i = 1; i < NGX_CAMPAIGN_HOLDER_LINES; i++) {
        ngx_memcpy(&tid, map + i * NGX_CAMPAIGN_HOLDER_CACHE, sizeof(uint32_t));

        pid = ngx_campaign_holder_process(tid & NGX_CAMPAIGN_HOLDER_TID);
        if (pid <= 0) {
            continue;
        }

        (void) snprintf(maps, sizeof(maps), "/proc/%d/maps", (int) pid);

        if (ngx_campaign_holder_map(st, maps, none) && ngx_strcmp(at, none) == 0) {
            return pid;
        }
    }

    return 0;
}


/* where a process has the store's lock.mdb; file: its device and inode, as text */

static const u_char *
ngx_campaign_holder_map(ngx_campaign_store_t *st, const char *maps, u_char *file)
{
    int            n;
    FILE          *in;
    char          *path, line[NGX_CAMPAIGN_HOLDER_LINE];
    unsigned long  start;
    const u_char  *found;

    in = fopen(maps, "re");
    if (in == NULL) {
        return NULL;
    }

    found = NULL;

    while (found == NULL && fgets(line, sizeof(line), in)) {
        path = strchr(line, '/');

        if (path == NULL || ngx_strncmp(path, st->conf->path.data, st->conf->path.len) != 0
            || ngx_strncmp(path + st->conf->path.len, "/lock.mdb", 9) != 0)
        {
            continue;
        }

        /* address-address rights offset device inode */

        if (sscanf(line, "%lx-%*x %*s %*s %n", &start, &n) == 1 && sscanf(line + n, "%31[0-9a-f: ]", (char *) file) == 1) {
            found = (const u_char *) start;
        }
    }

    (void) fclose(in);

    return found;
}


/* the process of a thread; 0: there is none */

static pid_t
ngx_campaign_holder_process(uint32_t tid)
{
    int    pid;
    FILE  *in;
    char   line[256];

    if (tid == 0) {
        return 0;
    }

    (void) snprintf(line, sizeof(line), "/proc/%u/status", tid);

    in = fopen(line, "re");
    if (in == NULL) {
        return 0;
    }

    pid = 0;

    while (pid == 0 && fgets(line, sizeof(line), in)) {
        (void) sscanf(line, "Tgid: %d", &pid);
    }

    (void) fclose(in);

    return pid;
}
