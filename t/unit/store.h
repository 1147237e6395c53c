
/*
 * What the store's tests share: a directory of their own, a log, operations that note how they ended.
 */

#ifndef _STORE_H_INCLUDED_
#define _STORE_H_INCLUDED_


#define _GNU_SOURCE                             /* nftw(), as nginx's own headers have it */

#include "tap.h"
#include "ngx_campaign_store_lmdb.h"

#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>


#define STORE_UNUSED  __attribute__((unused))


typedef struct {
    ngx_campaign_op_t   op;                     /* in a pool of its own, as every operation */
    ngx_uint_t         *dones;                  /* where calls of `done` are counted */
    ngx_campaign_rc_e   rc;
} store_op_t;


static ngx_log_t                  store_log = { NGX_LOG_NOTICE, 0 };
static ngx_campaign_store_conf_t  store_conf;
static char                       store_dir[512];
static ngx_uint_t                 store_dones;
static store_op_t                *store_begun;


static int
store_unlink(const char *path, const struct stat *s, int flag, struct FTW *ftw)
{
    return remove(path);
}


STORE_UNUSED static void
store_remove(void)
{
    if (store_dir[0]) {
        (void) nftw(store_dir, store_unlink, 8, FTW_DEPTH|FTW_PHYS);
        store_dir[0] = '\0';
    }
}


/* an empty directory under $TMPDIR, or beside the test program */

STORE_UNUSED static void
store_fresh(const char *program)
{
    char        *p;
    const char  *base;

    store_remove();

    base = getenv("TMPDIR");

    if (base) {
        (void) snprintf(store_dir, sizeof(store_dir), "%s/store.XXXXXX", base);

    } else {
        (void) snprintf(store_dir, sizeof(store_dir) - 16, "%s", program);

        p = strrchr(store_dir, '/');
        (void) strcpy(p ? p + 1 : store_dir, "store.XXXXXX");
    }

    if (mkdtemp(store_dir) == NULL) {
        perror(store_dir);
        exit(2);
    }

    ngx_memzero(&store_conf, sizeof(ngx_campaign_store_conf_t));

    store_conf.path.data = (u_char *) store_dir;
    store_conf.path.len = strlen(store_dir);
    store_conf.size = 64 * 1024 * 1024;
}


static void
store_done(ngx_campaign_op_t *op)
{
    store_op_t *so = op->data;

    so->rc = op->rc;
    store_dones++;

    if (so->dones) {
        (*so->dones)++;
    }
}


STORE_UNUSED static store_op_t *
store_op(void)
{
    ngx_pool_t  *pool;
    store_op_t  *so;

    pool = ngx_create_pool(NGX_DEFAULT_POOL_SIZE, &store_log);
    so = ngx_pcalloc(pool, sizeof(store_op_t));

    so->rc = NGX_CAMPAIGN_RC_MAX;
    ngx_campaign_op_init(&so->op, pool, &store_log, store_done, so);

    return so;
}


/* the answer of a starting call, once it came; the operation may be used again */

STORE_UNUSED static ngx_campaign_rc_e
store_wait(store_op_t *so, ngx_int_t rc)
{
    if (rc != NGX_AGAIN) {
        return so->op.rc;
    }

    so->rc = NGX_CAMPAIGN_RC_MAX;

    (void) ngx_stub_run_posted();

    return so->rc;
}


STORE_UNUSED static void
store_free(store_op_t *so)
{
    ngx_destroy_pool(so->op.pool);
}


/*
 * One operation from its beginning to its end: rc = store_answer(ngx_campaign_store_…(st, store_begin(), …)).  What the answer has in the
 * operation's pool is gone with it.
 */

STORE_UNUSED static ngx_campaign_op_t *
store_begin(void)
{
    store_begun = store_op();

    return &store_begun->op;
}


STORE_UNUSED static ngx_campaign_rc_e
store_answer(ngx_int_t started)
{
    ngx_campaign_rc_e  rc;

    rc = store_wait(store_begun, started);
    store_free(store_begun);

    return rc;
}


#endif /* _STORE_H_INCLUDED_ */
