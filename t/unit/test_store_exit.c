
/*
 * The end of a process that has something to write, while another one keeps the store's write lock.
 */

#include "store.h"

#include <sys/wait.h>
#include <time.h>


#define LIMIT  200                              /* ms */
#define BOUND  5000


static int64_t
test_clock(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_MONOTONIC, &ts);

    return (int64_t) ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}


static ngx_campaign_rc_e
test_put_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args)
{
    return ngx_campaign_lmdb_put(t, NGX_CAMPAIGN_DB_META, args, strlen(args), "x", 1) == 0 ? NGX_CAMPAIGN_OK : NGX_CAMPAIGN_FAILURE;
}


static ngx_campaign_rc_e
test_get_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args)
{
    MDB_val  value;

    return ngx_campaign_lmdb_get(t, NGX_CAMPAIGN_DB_META, args, strlen(args), &value) == 0 ? NGX_CAMPAIGN_OK : NGX_CAMPAIGN_NOT_FOUND;
}


static ngx_campaign_rc_e
test_has(const char *key)
{
    store_op_t            *so;
    ngx_campaign_rc_e      rc;
    ngx_campaign_store_t  *st;

    st = ngx_campaign_store_open(&store_conf, &store_log);
    so = store_op();

    (void) ngx_campaign_lmdb_read(st, &so->op, test_get_work, (void *) key);
    (void) ngx_stub_run_posted();

    rc = so->rc;

    store_free(so);
    ngx_campaign_lmdb_close(st);

    return rc;
}


/* a process that has the lock until the pipe ends, or (ms) so long */

static pid_t
test_hold(int *to, useconds_t ms)
{
    int       from[2], until[2];
    char      c;
    pid_t     pid;
    MDB_env  *env;
    MDB_txn  *txn;

    if (pipe(from) == -1 || pipe(until) == -1) {
        exit(2);
    }

    pid = fork();

    if (pid == 0) {
        (void) close(until[1]);

        if (mdb_env_create(&env) != 0 || mdb_env_open(env, store_dir, MDB_NOTLS, 0600) != 0 || mdb_txn_begin(env, NULL, 0, &txn) != 0
            || write(from[1], "h", 1) != 1)
        {
            _exit(1);
        }

        if (ms) {
            (void) usleep(ms * 1000);

        } else {
            (void) !read(until[0], &c, 1);
        }

        mdb_txn_abort(txn);
        _exit(0);
    }

    (void) close(from[1]);
    (void) close(until[0]);

    ok(pid > 0 && read(from[0], &c, 1) == 1, "another process has the write lock");

    (void) close(from[0]);
    *to = until[1];

    return pid;
}


/*
 * A process that ends with something to write.  handed: a thread of its pool has it, which does not come to it.  1: it did not wait for ever, and
 * the operation says OK only if it was written.
 */

static int
test_life(ngx_uint_t handed, pid_t holder, int busy)
{
    int                    ended;
    char                   held[64];
    int64_t                from;
    store_op_t            *so;
    ngx_thread_pool_t      tp;
    ngx_campaign_store_t  *st;

    ngx_memzero(&tp, sizeof(tp));
    store_conf.threads = &tp;

    st = ngx_campaign_store_open(&store_conf, &store_log);
    so = store_op();

    (void) ngx_campaign_lmdb_write(st, &so->op, test_put_work, "key");

    if (handed) {
        (void) ngx_stub_run_posted();
    }

    (void) snprintf(held, sizeof(held), "process %d holds the lock", (int) holder);

    from = test_clock();

    if (handed) {
        ended = (ngx_campaign_store_waits(st) > 0 && ngx_campaign_store_rest(st, LIMIT) == (busy ? NGX_BUSY : NGX_OK));

    } else {
        ended = (ngx_campaign_store_waits(st) == 0 && ngx_campaign_store_rest(st, LIMIT) == NGX_OK);
        ngx_campaign_store_flush(st, LIMIT * (busy ? 1 : 20));
    }

    return ended && test_clock() - from < BOUND && (so->op.rc == NGX_CAMPAIGN_OK) == (busy == 0)
           && (busy == 0 || strstr(ngx_stub_log_line, held) != NULL);
}


static void
test_exit(ngx_uint_t handed, useconds_t ms, ngx_campaign_rc_e then, const char *name)
{
    int    to, status;
    pid_t  holder, pid;

    holder = test_hold(&to, ms);
    pid = fork();

    if (pid == 0) {
        _exit(test_life(handed, holder, ms == 0) ? 0 : 1);
    }

    ok(waitpid(pid, &status, 0) == pid && status == 0, "%s", name);

    (void) close(to);

    ok(waitpid(holder, &status, 0) == holder && status == 0, "the lock is free");
    is_uint(test_has("key"), then, "what was to be written is %s", then == NGX_CAMPAIGN_OK ? "there" : "not there");
}


int
main(int argc, char **argv)
{
    char  *full;

    store_fresh(argv[0]);

    full = realpath(store_dir, NULL);                   /* as in a configuration: a holder is known by the files that it has mapped */
    if (full == NULL) {
        exit(2);
    }

    store_conf.path.data = (u_char *) full;
    store_conf.path.len = strlen(full);

    is_uint(test_has("key"), NGX_CAMPAIGN_NOT_FOUND, "an empty store");

    test_exit(1, 0, NGX_CAMPAIGN_NOT_FOUND, "a process whose thread does not come to its batch ends, and says who holds the lock");
    test_exit(0, 0, NGX_CAMPAIGN_NOT_FOUND, "so does one that writes at its end");
    test_exit(0, LIMIT, NGX_CAMPAIGN_OK, "a lock that becomes free is waited for");

    store_remove();
    free(full);

    return done_testing();
}
