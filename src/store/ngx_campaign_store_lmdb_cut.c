
/*
 * A data.mdb that somebody cut off.  Who reads behind its end dies of SIGBUS, and so would each worker that the master starts in its place.  It
 * keeps true: the first that dies notes the file in data.mdb.cut, and no other opens it until it is another file, or longer.
 */

#include "ngx_campaign_store_lmdb.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>


#define NGX_CAMPAIGN_CUT_STORES  16             /* of a process */
#define NGX_CAMPAIGN_CUT_FILE    ".cut"         /* behind the path of data.mdb */


/* what the note says */

typedef struct {
    uint64_t   inode, size;
} ngx_campaign_cut_t;


static void ngx_campaign_cut_signal(int signo, siginfo_t *info, void *context);
static uint64_t ngx_campaign_cut_inode(uintptr_t address);
static uint64_t ngx_campaign_cut_line(const char *line, const char *end, uintptr_t address);
static const char *ngx_campaign_cut_number(const char *p, const char *end, unsigned base, uint64_t *n);


static ngx_campaign_store_t  *ngx_campaign_cut_stores[NGX_CAMPAIGN_CUT_STORES];     /* of this process; NULL: no more */


ngx_int_t
ngx_campaign_lmdb_cut_check(ngx_campaign_store_t *st)
{
    u_char             *p;
    ssize_t             n;
    ngx_fd_t            fd;
    struct stat         s;
    ngx_campaign_cut_t  cut;

    if (st->cut == NULL) {
        st->cut = ngx_pnalloc(st->pool, ngx_strlen(st->data) + sizeof(NGX_CAMPAIGN_CUT_FILE));
        if (st->cut == NULL) {
            return NGX_ERROR;
        }

        p = ngx_cpymem(st->cut, st->data, ngx_strlen(st->data));
        ngx_memcpy(p, NGX_CAMPAIGN_CUT_FILE, sizeof(NGX_CAMPAIGN_CUT_FILE));
    }

    fd = open((char *) st->cut, O_RDONLY|O_CLOEXEC|O_NOFOLLOW);
    if (fd == NGX_INVALID_FILE) {
        return NGX_OK;
    }

    n = read(fd, &cut, sizeof(ngx_campaign_cut_t));
    (void) close(fd);

    if (n == sizeof(ngx_campaign_cut_t) && stat((char *) st->data, &s) == 0 && (uint64_t) s.st_ino == cut.inode
        && (uint64_t) s.st_size <= cut.size)
    {
        ngx_log_error(NGX_LOG_EMERG, st->log, 0, "campaign store \"%V\" is not opened: data.mdb was cut off, what was behind its %O bytes is "
                      "lost: restore it from a backup", &st->conf->path, s.st_size);
        return NGX_ERROR;
    }

    if (unlink((char *) st->cut) == -1 && ngx_errno != ENOENT) {
        ngx_log_error(NGX_LOG_WARN, st->log, ngx_errno, "campaign store \"%V\": unlink() \"%s\" failed", &st->conf->path, st->cut);
    }

    return NGX_OK;
}


/* the handler runs in the thread that reads: what it needs is ready before */

void
ngx_campaign_lmdb_cut_watch(ngx_campaign_store_t *st)
{
    ngx_uint_t        i;
    struct sigaction  sa;

    for (i = 0; i < NGX_CAMPAIGN_CUT_STORES && ngx_campaign_cut_stores[i]; i++) {
        if (ngx_campaign_cut_stores[i] == st) {
            return;                                     /* opened again */
        }
    }

    if (i == NGX_CAMPAIGN_CUT_STORES) {
        return;
    }

    ngx_campaign_cut_stores[i] = st;

    ngx_memzero(&sa, sizeof(struct sigaction));
    sa.sa_sigaction = ngx_campaign_cut_signal;
    sa.sa_flags = SA_SIGINFO|SA_RESETHAND;              /* the second time, right after it, it kills */
    (void) sigemptyset(&sa.sa_mask);

    if (sigaction(SIGBUS, &sa, NULL) == -1) {
        ngx_log_error(NGX_LOG_WARN, st->log, ngx_errno, "campaign store \"%V\": sigaction(SIGBUS) failed", &st->conf->path);
    }
}


void
ngx_campaign_lmdb_cut_leave(ngx_campaign_store_t *st)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_CAMPAIGN_CUT_STORES && ngx_campaign_cut_stores[i] != st; i++) { /* void */ }

    for (; i < NGX_CAMPAIGN_CUT_STORES; i++) {
        ngx_campaign_cut_stores[i] = (i + 1 < NGX_CAMPAIGN_CUT_STORES) ? ngx_campaign_cut_stores[i + 1] : NULL;
    }
}


/* only what is safe in a handler (POSIX.1-2008, 2.4.3) */

static void
ngx_campaign_cut_signal(int signo, siginfo_t *info, void *context)
{
    uint64_t               inode;
    ngx_fd_t               fd;
    ngx_uint_t             i;
    struct stat            s;
    ngx_campaign_cut_t     cut;
    ngx_campaign_store_t  *st;

    inode = ngx_campaign_cut_inode((uintptr_t) info->si_addr);

    for (i = 0; inode && i < NGX_CAMPAIGN_CUT_STORES && ngx_campaign_cut_stores[i]; i++) {
        st = ngx_campaign_cut_stores[i];

        if ((uint64_t) st->inode != inode || stat((char *) st->data, &s) == -1 || (uint64_t) s.st_ino != inode) {
            continue;
        }

        fd = open((char *) st->cut, O_WRONLY|O_CREAT|O_TRUNC|O_CLOEXEC|O_NOFOLLOW, 0600);
        if (fd == NGX_INVALID_FILE) {
            continue;
        }

        cut.inode = inode;
        cut.size = (uint64_t) s.st_size;

        if (write(fd, &cut, sizeof(ngx_campaign_cut_t)) != sizeof(ngx_campaign_cut_t)) {
            (void) unlink((char *) st->cut);
        }

        (void) close(fd);
    }
}


/* of the file that is mapped there; 0: none, or not known */

static uint64_t
ngx_campaign_cut_inode(uintptr_t address)
{
    size_t       kept;
    ssize_t      n;
    uint64_t     inode;
    ngx_fd_t     fd;
    const char  *p, *end, *line;

    static char  buf[8192];                             /* longer than a line: PATH_MAX and some */

    fd = open("/proc/self/maps", O_RDONLY|O_CLOEXEC);
    if (fd == NGX_INVALID_FILE) {
        return 0;
    }

    inode = 0;
    kept = 0;

    while (inode == 0 && kept < sizeof(buf) && (n = read(fd, buf + kept, sizeof(buf) - kept)) > 0) {
        line = buf;
        end = buf + kept + n;

        for (p = line; inode == 0 && p < end; p++) {
            if (*p == LF) {
                inode = ngx_campaign_cut_line(line, p, address);
                line = p + 1;
            }
        }

        kept = (size_t) (end - line);
        ngx_memmove(buf, line, kept);
    }

    (void) close(fd);

    return inode;
}


/* proc(5): start-end perms offset device inode path */

static uint64_t
ngx_campaign_cut_line(const char *line, const char *end, uintptr_t address)
{
    uint64_t     from, to, inode;
    ngx_uint_t   field;
    const char  *p;

    p = ngx_campaign_cut_number(line, end, 16, &from);

    if (p == end || *p != '-') {
        return 0;
    }

    p = ngx_campaign_cut_number(p + 1, end, 16, &to);

    if (address < from || address >= to) {
        return 0;
    }

    for (field = 0; field < 4; field++) {
        while (p < end && *p == ' ') {
            p++;
        }

        if (field == 3) {
            break;
        }

        while (p < end && *p != ' ') {
            p++;
        }
    }

    (void) ngx_campaign_cut_number(p, end, 10, &inode);

    return inode;
}


static const char *
ngx_campaign_cut_number(const char *p, const char *end, unsigned base, uint64_t *n)
{
    unsigned  digit;

    for (*n = 0; p < end; p++) {
        digit = (*p >= '0' && *p <= '9') ? (unsigned) (*p - '0') : (*p >= 'a' && *p <= 'f') ? (unsigned) (*p - 'a' + 10) : 16;

        if (digit >= base) {
            break;
        }

        *n = *n * base + digit;
    }

    return p;
}
