
/*
 * The engine below the operations: opening, reads, the writer.  Works of the tests put and get plain numbers in a table.
 */

#include "store.h"

#include <fcntl.h>
#include <dirent.h>
#include <sys/resource.h>
#include <sys/wait.h>


#if defined(__SANITIZE_ADDRESS__)
#define TEST_SANITIZED  1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TEST_SANITIZED  1
#endif
#endif


typedef struct {
    uint32_t            key;
    uint32_t            n;          /* put: as many keys from key on */
    size_t              bytes;      /* put: of each value, at least 4 */
    ngx_campaign_rc_e   rc;         /* put: answer in place of writing */
    unsigned            bad:1;      /* put: LMDB refuses what comes after the first write */
    uint32_t            runs;       /* how often work ran */
    uint32_t            found;      /* get */
} test_arg_t;


static void test_open(void);
static void test_refused(void);
static void test_refused_user(void);
static void test_schema(void);
static void test_read(void);
static void test_group(void);
static void test_group_answers(void);
static void test_group_culprit(void);
static void test_full(void);
static void test_cancel(void);
static void test_thread(void);
static void test_thread_pool_full(void);
static void test_stuck(void);
static void test_flush(void);
static void test_resized(void);
static void test_resized_thread(void);
static void test_panic(void);

static ngx_campaign_store_t *test_store(void);
static void test_open_refused(const char *mend, const char *name);
static ngx_campaign_rc_e test_put_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args);
static ngx_campaign_rc_e test_get_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args);
static test_arg_t *test_put(ngx_campaign_store_t *st, store_op_t *so, uint32_t key);
static ngx_uint_t test_has(ngx_campaign_store_t *st, uint32_t key);
static ngx_uint_t test_txnid(ngx_campaign_store_t *st);
static void test_resize(void);
static void test_break_meta(void);
static void test_gone(void *data);


static const char  *test_program;


int
main(int argc, char **argv)
{
    test_program = argv[0];

    test_open();
    test_refused();
    test_refused_user();
    test_schema();
    test_read();
    test_group();
    test_group_answers();
    test_group_culprit();
    test_full();
    test_cancel();
    test_thread();
    test_thread_pool_full();
    test_stuck();
    test_flush();
    test_resized();
    test_resized_thread();
    test_panic();

    store_remove();

    return done_testing();
}


static void
test_open(void)
{
    char                   path[600];
    u_char                 secret[NGX_CAMPAIGN_SECRET_LEN], zero[NGX_CAMPAIGN_SECRET_LEN];
    struct stat            s;
    ngx_campaign_store_t  *st;

    st = test_store();

    (void) snprintf(path, sizeof(path), "%s/data.mdb", store_dir);
    ok(stat(path, &s) == 0 && (s.st_mode & 0777) == 0600, "a new store's data belongs to its user alone");

    (void) snprintf(path, sizeof(path), "%s/lock.mdb", store_dir);
    ok(stat(path, &s) == 0 && (s.st_mode & 0777) == 0600, "and so do its locks");

    ngx_memzero(zero, sizeof(zero));
    ngx_memcpy(secret, ngx_campaign_store_secret(st), sizeof(secret));
    ok(ngx_memcmp(secret, zero, sizeof(zero)) != 0, "a new store has a secret");

    ngx_campaign_lmdb_close(st);

    st = ngx_campaign_store_open(&store_conf, &store_log);
    ok(st != NULL, "a store is opened again");
    is_bytes(ngx_campaign_store_secret(st), sizeof(secret), secret, sizeof(secret), "its secret stays");
    ngx_campaign_lmdb_close(st);

    st = test_store();
    ok(ngx_memcmp(ngx_campaign_store_secret(st), secret, sizeof(secret)) != 0, "another store has another secret");

    store_conf.durability = NGX_CAMPAIGN_DURABILITY_RELAXED;
    ngx_campaign_lmdb_close(st);
    st = ngx_campaign_store_open(&store_conf, &store_log);
    ok(st != NULL, "a store is opened with relaxed durability");
    ngx_campaign_lmdb_close(st);
}


static void
test_refused(void)
{
    int          fd;
    char         path[600], other[620];
    ngx_str_t    saved;

    store_fresh(test_program);

    saved = store_conf.path;

    ngx_str_set(&store_conf.path, "postgres://host/store");
    test_open_refused("no such engine", "a store of an engine that is not there is refused");

    (void) snprintf(path, sizeof(path), "%s/missing", store_dir);
    store_conf.path.data = (u_char *) path;
    store_conf.path.len = strlen(path);
    test_open_refused("mkdir -m 0700", "a directory that is not there is refused, with the mend");

    (void) snprintf(path, sizeof(path), "%s/file", store_dir);
    store_conf.path.len = strlen(path);
    fd = open(path, O_CREAT|O_WRONLY, 0600);
    ok(fd != -1 && close(fd) == 0, "a file is made");
    test_open_refused("it is a file", "a file in place of the directory is refused");

    store_conf.path = saved;

    ok(chmod(store_dir, 0777) == 0, "every user may write to the directory");
    test_open_refused("every user may write", "a directory in which every user may write is refused");
    ok(chmod(store_dir, 0700) == 0, "its user alone may again");

    (void) snprintf(other, sizeof(other), "%s/data.mdb", store_dir);
    ok(symlink(path, other) == 0, "a link stands in place of the data");
    test_open_refused("is a link", "a link in place of the data is refused");
    ok(unlink(other) == 0, "it is removed");

    fd = open(other, O_CREAT|O_WRONLY, 0600);
    ok(fd != -1 && ftruncate(fd, 65536) == 0 && close(fd) == 0, "data.mdb is zeroes");
    test_open_refused("no LMDB file", "a file that is not LMDB's is refused");
    ok(unlink(other) == 0, "it is removed");

#ifndef TEST_SANITIZED                                  /* which takes an address space of its own */
    {
        pid_t          pid;
        int            status;
        struct rlimit  limit;

        pid = fork();

        if (pid == 0) {
            limit.rlim_cur = limit.rlim_max = 1UL << 30;
            (void) setrlimit(RLIMIT_AS, &limit);

            store_conf.size = 16UL << 30;
            _exit(ngx_campaign_store_open(&store_conf, &store_log) == NULL && strstr(ngx_stub_log_line, "ulimit") ? 0 : 1);
        }

        ok(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0, "a map larger than the address space is refused, with the mend");
    }
#endif
}


static void
test_refused_user(void)
{
    int    status;
    pid_t  pid;

    if (geteuid() != 0) {
        ok(1, "a directory of another user is refused # SKIP needs root");
        return;
    }

    store_fresh(test_program);

    /* nobody has to find the way to it */

    ok(chmod(store_dir, 0755) == 0, "others may look into the directory");

    pid = fork();

    if (pid == 0) {
        if (chdir(store_dir) != 0 || setgid(65534) != 0 || setuid(65534) != 0) {
            _exit(2);
        }

        ngx_str_set(&store_conf.path, ".");

        _exit(ngx_campaign_store_open(&store_conf, &store_log) == NULL && strstr(ngx_stub_log_line, "user id 65534")
              && strstr(ngx_stub_log_line, "chown") ? 0 : 1);
    }

    ok(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0, "a directory of another user is refused, with the mend");
}


static ngx_campaign_rc_e
test_schema_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args)
{
    u_char  schema[4];

    ngx_campaign_be32_put(schema, NGX_CAMPAIGN_SCHEMA + 1);

    return ngx_campaign_lmdb_put(t, NGX_CAMPAIGN_DB_META, "schema", 6, schema, 4) == 0 ? NGX_CAMPAIGN_OK : NGX_CAMPAIGN_FAILURE;
}


static void
test_schema(void)
{
    ngx_campaign_store_t  *st;

    st = test_store();
    is_uint(ngx_campaign_lmdb_write_now(st, NULL, test_schema_work, NULL), NGX_CAMPAIGN_OK, "the schema is made newer");
    ngx_campaign_lmdb_close(st);

    test_open_refused("use the newer module", "a store with a newer schema is refused");
}


static void
test_read(void)
{
    test_arg_t             a;
    store_op_t            *so;
    ngx_campaign_store_t  *st;

    st = test_store();
    so = store_op();

    ngx_memzero(&a, sizeof(a));
    a.key = 1;

    is_int(ngx_campaign_lmdb_read(st, &so->op, test_get_work, &a), NGX_AGAIN, "a read is accepted");
    is_uint(so->rc, NGX_CAMPAIGN_RC_MAX, "done is not called from inside the starting call");
    is_uint(ngx_campaign_store_busy(st), 1, "the store is busy");

    (void) ngx_stub_run_posted();

    is_uint(so->rc, NGX_CAMPAIGN_NOT_FOUND, "done brings the answer");
    is_uint(ngx_campaign_store_busy(st), 0, "the store is at rest");

    store_free(so);
    ngx_campaign_lmdb_close(st);
}


static void
test_group(void)
{
    uint32_t               i;
    ngx_uint_t             dones, before;
    store_op_t            *so[10];
    ngx_campaign_store_t  *st;

    st = test_store();
    before = test_txnid(st);
    dones = 0;

    for (i = 0; i < 10; i++) {
        so[i] = store_op();
        so[i]->dones = &dones;
        (void) test_put(st, so[i], i);
    }

    is_uint(dones, 0, "no write is done before the event loop runs");

    (void) ngx_stub_run_posted();

    is_uint(dones, 10, "all that waits is done");
    is_uint(test_txnid(st), before + 1, "in one transaction");

    for (i = 0; i < 10; i++) {
        if (so[i]->rc != NGX_CAMPAIGN_OK || !test_has(st, i)) {
            break;
        }

        store_free(so[i]);
    }

    is_uint(i, 10, "and each is in the store");

    ngx_campaign_lmdb_close(st);
}


static void
test_group_answers(void)
{
    test_arg_t            *a;
    ngx_uint_t             before;
    store_op_t            *one, *two, *three;
    ngx_campaign_store_t  *st;

    st = test_store();
    before = test_txnid(st);

    one = store_op();
    two = store_op();
    three = store_op();

    (void) test_put(st, one, 1);

    a = test_put(st, two, 2);
    a->rc = NGX_CAMPAIGN_CONFLICT;

    (void) test_put(st, three, 3);

    (void) ngx_stub_run_posted();

    is_uint(two->rc, NGX_CAMPAIGN_CONFLICT, "an answer other than OK reaches its operation");
    ok(one->rc == NGX_CAMPAIGN_OK && three->rc == NGX_CAMPAIGN_OK && test_has(st, 1) && !test_has(st, 2) && test_has(st, 3),
       "the others of its group are written");
    is_uint(test_txnid(st), before + 1, "in the same transaction");
    is_uint(a->runs, 1, "nothing is repeated");

    store_free(one);
    store_free(two);
    store_free(three);
    ngx_campaign_lmdb_close(st);
}


static void
test_group_culprit(void)
{
    test_arg_t            *a, *last;
    ngx_uint_t             lines;
    store_op_t            *one, *two, *three;
    ngx_campaign_store_t  *st;

    st = test_store();
    lines = store_log.lines;

    one = store_op();
    two = store_op();
    three = store_op();

    (void) test_put(st, one, 1);

    a = test_put(st, two, 2);
    a->bad = 1;

    last = test_put(st, three, 3);

    (void) ngx_stub_run_posted();

    is_uint(two->rc, NGX_CAMPAIGN_FAILURE, "an operation that LMDB refuses fails");
    ok(!test_has(st, 2), "nothing of it stays, not even its first write");
    ok(one->rc == NGX_CAMPAIGN_OK && three->rc == NGX_CAMPAIGN_OK && test_has(st, 1) && test_has(st, 3), "it takes no other with it");
    is_uint(last->runs, 1, "one after the culprit runs once");
    is_uint(store_log.lines, lines + 1, "the error is logged once");

    store_free(one);
    store_free(two);
    store_free(three);
    ngx_campaign_lmdb_close(st);
}


static void
test_full(void)
{
    test_arg_t            *a;
    ngx_uint_t             lines;
    store_op_t            *one, *two, *three;
    ngx_campaign_store_t  *st;

    store_fresh(test_program);
    store_conf.size = 1024 * 1024;

    st = ngx_campaign_store_open(&store_conf, &store_log);
    lines = store_log.lines;

    one = store_op();
    two = store_op();
    three = store_op();

    (void) test_put(st, one, 1);

    a = test_put(st, two, 1000);
    a->n = 1000;
    a->bytes = 4096;

    (void) test_put(st, three, 3);

    (void) ngx_stub_run_posted();

    is_uint(two->rc, NGX_CAMPAIGN_FULL, "what does not fit into the map is FULL");
    ok(one->rc == NGX_CAMPAIGN_OK && three->rc == NGX_CAMPAIGN_OK && test_has(st, 1) && test_has(st, 3), "what fits is written");
    ok(!test_has(st, 1000), "nothing of what did not fit stays");
    ok(strstr(ngx_stub_log_line, "raise \"size=\"") != NULL, "the log names the mend");

    a = test_put(st, two, 1000);
    a->n = 1000;
    a->bytes = 4096;

    (void) ngx_stub_run_posted();

    is_uint(two->rc, NGX_CAMPAIGN_FULL, "it is FULL again");
    is_uint(store_log.lines, lines + 1, "which is not logged again");

    store_free(one);
    store_free(two);
    store_free(three);
    ngx_campaign_lmdb_close(st);
}


static void
test_gone(void *data)
{
    (*(ngx_uint_t *) data)++;
}


static void
test_cancel(void)
{
    test_arg_t             a;
    ngx_uint_t             gone, dones;
    store_op_t            *so;
    ngx_pool_cleanup_t    *cln;
    ngx_campaign_store_t  *st;

    st = test_store();
    gone = 0;
    dones = 0;

    so = store_op();
    so->dones = &dones;
    cln = ngx_pool_cleanup_add(so->op.pool, 0);
    cln->handler = test_gone;
    cln->data = &gone;

    (void) test_put(st, so, 1);
    ngx_campaign_store_cancel(&so->op);

    is_uint(gone, 0, "the pool of a canceled write stays while the store works in it");

    (void) ngx_stub_run_posted();

    is_uint(gone, 1, "it is destroyed when the write is over");
    is_uint(dones, 0, "done is not called");
    ok(test_has(st, 1), "the write stands");

    so = store_op();
    so->dones = &dones;
    cln = ngx_pool_cleanup_add(so->op.pool, 0);
    cln->handler = test_gone;
    cln->data = &gone;

    ngx_memzero(&a, sizeof(a));
    (void) ngx_campaign_lmdb_read(st, &so->op, test_get_work, &a);
    ngx_campaign_store_cancel(&so->op);
    (void) ngx_stub_run_posted();

    ok(gone == 2 && dones == 0, "a canceled read ends without done");
    is_uint(ngx_campaign_store_busy(st), 0, "the store is at rest");

    ngx_campaign_lmdb_close(st);
}


static void
test_thread(void)
{
    ngx_uint_t             before, dones, gone;
    store_op_t            *so[4];
    ngx_thread_pool_t      tp;
    ngx_pool_cleanup_t    *cln;
    ngx_campaign_store_t  *st;

    store_fresh(test_program);
    ngx_memzero(&tp, sizeof(tp));
    store_conf.threads = &tp;

    st = ngx_campaign_store_open(&store_conf, &store_log);
    before = test_txnid(st);
    dones = 0;
    gone = 0;

    for (uint32_t i = 0; i < 4; i++) {
        so[i] = store_op();
        so[i]->dones = &dones;
    }

    (void) test_put(st, so[0], 0);
    (void) ngx_stub_run_posted();

    is_uint(dones, 0, "a write waits for its thread");

    (void) test_put(st, so[1], 1);
    (void) test_put(st, so[2], 2);
    (void) test_put(st, so[3], 3);
    (void) ngx_stub_run_posted();

    cln = ngx_pool_cleanup_add(so[0]->op.pool, 0);
    cln->handler = test_gone;
    cln->data = &gone;
    ngx_campaign_store_cancel(&so[0]->op);

    is_uint(ngx_stub_run_threads(&tp), 1, "one task at a time is at work");
    ok(dones == 0 && gone == 0, "a thread neither calls done nor destroys a pool");
    is_uint(test_txnid(st), before + 1, "the first write is committed alone");

    is_uint(ngx_stub_complete_threads(&tp), 1, "the task completes");
    ok(dones == 0 && gone == 1, "a write that was canceled in the thread ends without done");

    (void) ngx_stub_run_posted();
    is_uint(ngx_stub_run_threads(&tp), 1, "what came meanwhile is the next task");
    is_uint(test_txnid(st), before + 2, "committed together");

    (void) ngx_stub_complete_threads(&tp);
    is_uint(dones, 3, "and done");

    for (uint32_t i = 1; i < 4; i++) {
        store_free(so[i]);
    }

    ngx_campaign_lmdb_close(st);
}


static void
test_thread_pool_full(void)
{
    store_op_t            *so;
    ngx_thread_pool_t      tp;
    ngx_campaign_store_t  *st;

    store_fresh(test_program);
    ngx_memzero(&tp, sizeof(tp));
    store_conf.threads = &tp;

    st = ngx_campaign_store_open(&store_conf, &store_log);
    so = store_op();

    tp.full = 1;
    (void) test_put(st, so, 1);
    is_uint(so->rc, NGX_CAMPAIGN_RC_MAX, "a write is accepted while the thread pool is full");
    (void) ngx_stub_run_posted();
    is_uint(so->rc, NGX_CAMPAIGN_UNAVAILABLE, "its answer is UNAVAILABLE");

    tp.full = 0;
    (void) test_put(st, so, 1);
    (void) ngx_stub_run_posted();
    (void) ngx_stub_run_threads(&tp);
    (void) ngx_stub_complete_threads(&tp);
    is_uint(so->rc, NGX_CAMPAIGN_OK, "with room in the thread pool it is written");

    store_free(so);
    ngx_campaign_lmdb_close(st);
}


static void
test_stuck(void)
{
    ngx_uint_t             i;
    test_arg_t             a;
    store_op_t            *one, *two, *three;
    ngx_thread_pool_t      tp;
    ngx_campaign_store_t  *st;

    store_fresh(test_program);
    ngx_memzero(&tp, sizeof(tp));
    store_conf.threads = &tp;

    st = ngx_campaign_store_open(&store_conf, &store_log);
    one = store_op();
    two = store_op();
    three = store_op();

    (void) test_put(st, one, 1);
    (void) ngx_stub_run_posted();
    (void) test_put(st, two, 2);

    for (i = 0; i < 5; i++) {
        ngx_stub_run_timers();
    }

    is_uint(two->rc, NGX_CAMPAIGN_RC_MAX, "a write waits five seconds for the one before it");

    ngx_stub_run_timers();
    is_uint(two->rc, NGX_CAMPAIGN_UNAVAILABLE, "then it is UNAVAILABLE");

    ngx_memzero(&a, sizeof(a));
    is_int(ngx_campaign_lmdb_write(st, &three->op, test_put_work, &a), NGX_ERROR, "and new ones are not accepted");
    is_uint(three->op.rc, NGX_CAMPAIGN_UNAVAILABLE, "with the same answer");
    ok(!test_has(st, 1), "reads go on");

    (void) ngx_stub_run_threads(&tp);
    (void) ngx_stub_complete_threads(&tp);
    is_uint(one->rc, NGX_CAMPAIGN_OK, "the write at work is done when it can");

    (void) test_put(st, three, 3);
    (void) ngx_stub_run_posted();
    (void) ngx_stub_run_threads(&tp);
    (void) ngx_stub_complete_threads(&tp);
    is_uint(three->rc, NGX_CAMPAIGN_OK, "then writes are accepted again");

    store_free(one);
    store_free(two);
    store_free(three);
    ngx_campaign_lmdb_close(st);
}


static void
test_flush(void)
{
    ngx_uint_t             dones;
    store_op_t            *so[3];
    ngx_thread_pool_t      tp;
    ngx_campaign_store_t  *st;

    store_fresh(test_program);
    ngx_memzero(&tp, sizeof(tp));
    store_conf.threads = &tp;

    st = ngx_campaign_store_open(&store_conf, &store_log);
    dones = 0;

    for (uint32_t i = 0; i < 3; i++) {
        so[i] = store_op();
        so[i]->dones = &dones;
        (void) test_put(st, so[i], i);

        if (i == 0) {
            (void) ngx_stub_run_posted();       /* handed to a thread that never ran */
        }
    }

    ngx_campaign_store_flush(st, 0);

    is_uint(dones, 0, "the flush at the end of a process calls no done");
    ok(test_has(st, 0), "a batch that was handed over and never ran is committed by it");
    ok(test_has(st, 1) && test_has(st, 2), "and so is what still waited");

    (void) ngx_stub_run_threads(&tp);
    is_uint(((test_arg_t *) so[0]->op.args)->runs, 1, "a thread that comes late finds nothing to do");

    ngx_campaign_lmdb_close(st);

    store_conf.threads = NULL;
    st = ngx_campaign_store_open(&store_conf, &store_log);
    ok(test_has(st, 0) && test_has(st, 1) && test_has(st, 2), "the next process finds all of it");
    ngx_campaign_lmdb_close(st);

    for (uint32_t i = 0; i < 3; i++) {
        store_free(so[i]);
    }
}


/* another process, with a larger size=, writes more than this process has mapped */

static void
test_resize(void)
{
    int                    status;
    pid_t                  pid;
    test_arg_t             a;
    ngx_campaign_store_t  *st;

    pid = fork();

    if (pid == 0) {
        store_conf.size = 64 * 1024 * 1024;
        store_conf.threads = NULL;

        ngx_memzero(&a, sizeof(a));
        a.key = 5000;
        a.n = 2000;
        a.bytes = 4096;

        st = ngx_campaign_store_open(&store_conf, &store_log);
        _exit(st && ngx_campaign_lmdb_write_now(st, NULL, test_put_work, &a) == NGX_CAMPAIGN_OK ? 0 : 1);
    }

    ok(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0, "another process grows the map and fills it");
}


static void
test_resized(void)
{
    store_op_t            *so;
    ngx_campaign_store_t  *st;

    store_fresh(test_program);
    store_conf.size = 1024 * 1024;
    st = ngx_campaign_store_open(&store_conf, &store_log);
    store_conf.size = 1024 * 1024;
    (void) test_has(st, 1);
    test_resize();

    ok(test_has(st, 5000) && test_has(st, 6999), "a read takes over the map that another process resized");
    ngx_campaign_lmdb_close(st);

    store_fresh(test_program);
    store_conf.size = 1024 * 1024;
    st = ngx_campaign_store_open(&store_conf, &store_log);
    (void) test_has(st, 1);
    test_resize();

    so = store_op();
    (void) test_put(st, so, 1);
    (void) ngx_stub_run_posted();
    is_uint(so->rc, NGX_CAMPAIGN_OK, "and so does a write");
    ok(test_has(st, 1) && test_has(st, 6999), "which loses nothing");

    store_free(so);
    ngx_campaign_lmdb_close(st);
}


static void
test_resized_thread(void)
{
    test_arg_t             a;
    store_op_t            *so, *two, *reader;
    ngx_thread_pool_t      tp;
    ngx_campaign_store_t  *st;

    store_fresh(test_program);
    ngx_memzero(&tp, sizeof(tp));
    store_conf.size = 1024 * 1024;
    store_conf.threads = &tp;
    st = ngx_campaign_store_open(&store_conf, &store_log);

    so = store_op();
    two = store_op();
    reader = store_op();

    (void) test_put(st, so, 1);
    (void) test_put(st, two, 2);
    (void) ngx_stub_run_posted();

    test_resize();

    ngx_memzero(&a, sizeof(a));
    a.key = 6999;
    (void) ngx_campaign_lmdb_read(st, &reader->op, test_get_work, &a);
    (void) ngx_stub_run_posted();
    is_uint(reader->rc, NGX_CAMPAIGN_RC_MAX, "a read of a resized map waits while a thread may be in a transaction");

    (void) ngx_stub_run_threads(&tp);
    (void) ngx_stub_complete_threads(&tp);
    (void) ngx_stub_run_posted();
    is_uint(reader->rc, NGX_CAMPAIGN_OK, "and is answered after it");

    (void) ngx_stub_run_threads(&tp);
    (void) ngx_stub_complete_threads(&tp);
    ok(so->rc == NGX_CAMPAIGN_OK && two->rc == NGX_CAMPAIGN_OK && test_has(st, 1) && test_has(st, 2), "writes of the thread are run again");

    store_free(so);
    store_free(two);
    store_free(reader);
    ngx_campaign_lmdb_close(st);
}


/* LMDB writes its meta page through a descriptor of its own: one that only reads in its place makes that write fail */

static void
test_break_meta(void)
{
    int             fd, null, flags;
    DIR            *dir;
    char            link[600], target[600];
    ssize_t         n;
    ngx_uint_t      broken;
    struct dirent  *d;

    broken = 0;
    null = open("/dev/null", O_RDONLY);
    dir = opendir("/proc/self/fd");

    while ((d = readdir(dir)) != NULL) {
        (void) snprintf(link, sizeof(link), "/proc/self/fd/%s", d->d_name);
        n = readlink(link, target, sizeof(target) - 1);
        fd = atoi(d->d_name);

        if (n < 9 || strncmp(target + n - 9, "/data.mdb", 9) != 0) {
            continue;
        }

        flags = fcntl(fd, F_GETFL);

        if (flags & O_DSYNC) {
            broken += dup2(null, fd) == fd;
        }
    }

    (void) closedir(dir);
    (void) close(null);

    is_uint(broken, 1, "the meta page cannot be written any more");
}


static void
test_panic(void)
{
    store_op_t            *one, *two;
    ngx_campaign_store_t  *st;

    st = test_store();
    one = store_op();
    two = store_op();

    (void) test_put(st, one, 1);
    (void) ngx_stub_run_posted();

    test_break_meta();

    (void) test_put(st, one, 2);
    (void) ngx_stub_run_posted();
    is_uint(one->rc, NGX_CAMPAIGN_UNKNOWN, "a commit whose meta page failed may stand or not");

    (void) test_put(st, one, 3);
    (void) ngx_stub_run_posted();
    is_uint(one->rc, NGX_CAMPAIGN_OK, "the next write finds the store opened again");
    ok(test_has(st, 1) && test_has(st, 3), "with all that was committed");

    test_break_meta();

    (void) test_put(st, one, 4);
    (void) test_put(st, two, 5);
    (void) ngx_stub_run_posted();
    ok(one->rc == NGX_CAMPAIGN_UNKNOWN && two->rc == NGX_CAMPAIGN_UNKNOWN, "of a group every one is UNKNOWN");

    ok(test_has(st, 3), "reads go on");

    (void) test_put(st, one, 4);
    (void) test_put(st, two, 5);
    (void) ngx_stub_run_posted();
    ok(one->rc == NGX_CAMPAIGN_OK && two->rc == NGX_CAMPAIGN_OK && test_has(st, 4) && test_has(st, 5), "a group is written again");

    store_free(one);
    store_free(two);
    ngx_campaign_lmdb_close(st);
}


static ngx_campaign_store_t *
test_store(void)
{
    ngx_campaign_store_t  *st;

    store_fresh(test_program);

    st = ngx_campaign_store_open(&store_conf, &store_log);

    if (!ok(st != NULL, "a new store is opened")) {
        exit(1);
    }

    return st;
}


static void
test_open_refused(const char *mend, const char *name)
{
    ngx_campaign_store_t  *st;

    ngx_stub_log_line[0] = '\0';

    st = ngx_campaign_store_open(&store_conf, &store_log);

    ok(st == NULL && strstr(ngx_stub_log_line, mend) != NULL, "%s", name);
}


static ngx_campaign_rc_e
test_put_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args)
{
    test_arg_t *a = args;

    int       err;
    u_char    key[4], *value;
    uint32_t  i;

    static u_char  zero[4096];

    a->runs++;

    if (a->rc != NGX_CAMPAIGN_OK) {
        return a->rc;
    }

    value = zero;

    for (i = 0; i < ngx_max(a->n, 1); i++) {
        ngx_campaign_be32_put(key, a->key + i);

        err = ngx_campaign_lmdb_put(t, NGX_CAMPAIGN_DB_LIMIT, key, 4, value, ngx_max(a->bytes, 4));
        if (err != 0) {
            return ngx_campaign_lmdb_failed(t, err, "put of a test");
        }
    }

    if (a->bad) {
        err = ngx_campaign_lmdb_put(t, NGX_CAMPAIGN_DB_LIMIT, zero, 4096, value, 4);
        return ngx_campaign_lmdb_failed(t, err, "put of a test with a long key");
    }

    return NGX_CAMPAIGN_OK;
}


static ngx_campaign_rc_e
test_get_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args)
{
    test_arg_t *a = args;

    int      err;
    u_char   key[4];
    MDB_val  value;

    ngx_campaign_be32_put(key, a->key);

    err = ngx_campaign_lmdb_get(t, NGX_CAMPAIGN_DB_LIMIT, key, 4, &value);
    if (err == MDB_NOTFOUND) {
        return NGX_CAMPAIGN_NOT_FOUND;
    }

    return err == 0 ? NGX_CAMPAIGN_OK : ngx_campaign_lmdb_failed(t, err, "get of a test");
}


static test_arg_t *
test_put(ngx_campaign_store_t *st, store_op_t *so, uint32_t key)
{
    test_arg_t  *a;

    a = ngx_pcalloc(so->op.pool, sizeof(test_arg_t));
    a->key = key;

    so->rc = NGX_CAMPAIGN_RC_MAX;

    if (ngx_campaign_lmdb_write(st, &so->op, test_put_work, a) != NGX_AGAIN) {
        so->rc = so->op.rc;
    }

    return a;
}


static ngx_uint_t
test_has(ngx_campaign_store_t *st, uint32_t key)
{
    test_arg_t          a;
    store_op_t         *so;
    ngx_campaign_rc_e   rc;

    ngx_memzero(&a, sizeof(a));
    a.key = key;

    so = store_op();
    rc = store_wait(so, ngx_campaign_lmdb_read(st, &so->op, test_get_work, &a));
    store_free(so);

    return rc == NGX_CAMPAIGN_OK;
}


static ngx_uint_t
test_txnid(ngx_campaign_store_t *st)
{
    MDB_envinfo  info;

    (void) mdb_env_info(st->env, &info);

    return info.me_last_txnid;
}
