
/*
 * The engine opens a store, refuses what it cannot open, with the mend, and opens it again: when another process resized the map, and
 * after an error that LMDB does not recover from.
 */

#include "store_item.h"

#include <fcntl.h>
#include <dirent.h>
#include <sys/resource.h>
#include <sys/vfs.h>
#include <sys/wait.h>


#if defined(__SANITIZE_ADDRESS__)
#define TEST_SANITIZED  1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TEST_SANITIZED  1
#endif
#endif


static void test_open(void);
static void test_refused(void);
static void test_refused_user(void);
static void test_file_systems(void);
static void test_schema(void);
static void test_resized(void);
static void test_resized_thread(void);
static void test_panic(void);

static void test_open_refused(const char *mend, const char *name);
static void test_open_warns(unsigned long type, const char *name, const char *what, const char *mend);
static void test_schema_refused(uint32_t schema, const char *mend, const char *name);
static void test_resize(void);
static void test_break_meta(void);


#define TEST_EXT4  0xef53

static unsigned long  test_fs_type = TEST_EXT4;     /* what the store is on, 0: it cannot be known */


/* in place of libc's */

int
statfs(const char *path, struct statfs *fs)
{
    if (test_fs_type == 0) {
        errno = EIO;
        return -1;
    }

    ngx_memzero(fs, sizeof(struct statfs));
    fs->f_type = test_fs_type;

    return 0;
}


int
main(int argc, char **argv)
{
    item_program = argv[0];

    test_open();
    test_refused();
    test_refused_user();
    test_file_systems();
    test_schema();
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

    st = item_store();

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

    st = item_store();
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

    store_fresh(item_program);

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

    store_fresh(item_program);

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


static void
test_file_systems(void)
{
    ngx_uint_t  i;

    static const struct {
        unsigned long  type;
        const char    *name;
    } network[] = {
        { 0x6969, "NFS" }, { 0x01021997, "9p" }, { 0xff534d42, "CIFS" }, { 0xfe534d42, "SMB" }, { 0x517b, "SMB" }, { 0x5346414f, "AFS" },
        { 0x00c36400, "Ceph" }
    };

    static const unsigned long  local[] = { TEST_EXT4, 0x58465342, 0x9123683e, 0x01021994 };    /* XFS, btrfs, tmpfs */

    for (i = 0; i < sizeof(network) / sizeof(network[0]); i++) {
        test_open_warns(network[i].type, network[i].name, "on a network", "use a local disk");
    }

    test_open_warns(0x794c7630, "overlayfs", "in a container's own layer", "put it on a volume");

    for (i = 0; i < sizeof(local) / sizeof(local[0]); i++) {
        test_open_warns(local[i], NULL, "on a local file system", NULL);
    }

    test_open_warns(0, "statfs() failed", "on a file system that does not tell what it is", "");

    test_fs_type = TEST_EXT4;
}


static ngx_campaign_rc_e
test_schema_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args)
{
    u_char     schema[4];
    uint32_t  *n = args;

    ngx_campaign_be32_put(schema, *n);

    return ngx_campaign_lmdb_put(t, NGX_CAMPAIGN_DB_META, "schema", 6, schema, 4) == 0 ? NGX_CAMPAIGN_OK : NGX_CAMPAIGN_FAILURE;
}


static void
test_schema(void)
{
    test_schema_refused(NGX_CAMPAIGN_SCHEMA + 1, "use the newer module that wrote it", "a store with a newer schema is refused");
    test_schema_refused(NGX_CAMPAIGN_SCHEMA - 1, "use the older module that wrote it", "and so is one with an older schema");
}


static void
test_resized(void)
{
    store_op_t            *so;
    ngx_campaign_store_t  *st;

    store_fresh(item_program);
    store_conf.size = 1024 * 1024;
    st = ngx_campaign_store_open(&store_conf, &store_log);
    store_conf.size = 1024 * 1024;
    (void) item_has(st, 1);
    test_resize();

    ok(item_has(st, 5000) && item_has(st, 6999), "a read takes over the map that another process resized");
    ngx_campaign_lmdb_close(st);

    store_fresh(item_program);
    store_conf.size = 1024 * 1024;
    st = ngx_campaign_store_open(&store_conf, &store_log);
    (void) item_has(st, 1);
    test_resize();

    so = store_op();
    (void) item_put(st, so, 1);
    (void) ngx_stub_run_posted();
    is_uint(so->rc, NGX_CAMPAIGN_OK, "and so does a write");
    ok(item_has(st, 1) && item_has(st, 6999), "which loses nothing");

    store_free(so);
    ngx_campaign_lmdb_close(st);
}


static void
test_resized_thread(void)
{
    item_arg_t             a;
    store_op_t            *so, *two, *reader;
    ngx_thread_pool_t      tp;
    ngx_campaign_store_t  *st;

    store_fresh(item_program);
    ngx_memzero(&tp, sizeof(tp));
    store_conf.size = 1024 * 1024;
    store_conf.threads = &tp;
    st = ngx_campaign_store_open(&store_conf, &store_log);

    so = store_op();
    two = store_op();
    reader = store_op();

    (void) item_put(st, so, 1);
    (void) item_put(st, two, 2);
    (void) ngx_stub_run_posted();

    test_resize();

    ngx_memzero(&a, sizeof(a));
    a.key = 6999;
    (void) ngx_campaign_lmdb_read(st, &reader->op, item_get_work, &a);
    (void) ngx_stub_run_posted();
    is_uint(reader->rc, NGX_CAMPAIGN_RC_MAX, "a read of a resized map waits while a thread may be in a transaction");

    (void) ngx_stub_run_threads(&tp);
    (void) ngx_stub_complete_threads(&tp);
    (void) ngx_stub_run_posted();
    is_uint(reader->rc, NGX_CAMPAIGN_OK, "and is answered after it");

    (void) ngx_stub_run_threads(&tp);
    (void) ngx_stub_complete_threads(&tp);
    ok(so->rc == NGX_CAMPAIGN_OK && two->rc == NGX_CAMPAIGN_OK && item_has(st, 1) && item_has(st, 2), "writes of the thread are run again");

    store_free(so);
    store_free(two);
    store_free(reader);
    ngx_campaign_lmdb_close(st);
}


static void
test_panic(void)
{
    store_op_t            *one, *two;
    ngx_campaign_store_t  *st;

    st = item_store();
    one = store_op();
    two = store_op();

    (void) item_put(st, one, 1);
    (void) ngx_stub_run_posted();

    test_break_meta();

    (void) item_put(st, one, 2);
    (void) ngx_stub_run_posted();
    is_uint(one->rc, NGX_CAMPAIGN_UNKNOWN, "a commit whose meta page failed may stand or not");

    (void) item_put(st, one, 3);
    (void) ngx_stub_run_posted();
    is_uint(one->rc, NGX_CAMPAIGN_OK, "the next write finds the store opened again");
    ok(item_has(st, 1) && item_has(st, 3), "with all that was committed");

    test_break_meta();

    (void) item_put(st, one, 4);
    (void) item_put(st, two, 5);
    (void) ngx_stub_run_posted();
    ok(one->rc == NGX_CAMPAIGN_UNKNOWN && two->rc == NGX_CAMPAIGN_UNKNOWN, "of a group every one is UNKNOWN");

    ok(item_has(st, 3), "reads go on");

    (void) item_put(st, one, 4);
    (void) item_put(st, two, 5);
    (void) ngx_stub_run_posted();
    ok(one->rc == NGX_CAMPAIGN_OK && two->rc == NGX_CAMPAIGN_OK && item_has(st, 4) && item_has(st, 5), "a group is written again");

    store_free(one);
    store_free(two);
    ngx_campaign_lmdb_close(st);
}


static void
test_open_refused(const char *mend, const char *name)
{
    ngx_campaign_store_t  *st;

    ngx_stub_log_line[0] = '\0';

    st = ngx_campaign_store_open(&store_conf, &store_log);

    ok(st == NULL && strstr(ngx_stub_log_line, mend) != NULL, "%s", name);
}


/* mend NULL: it says nothing */

static void
test_open_warns(unsigned long type, const char *name, const char *what, const char *mend)
{
    ngx_uint_t             said;
    ngx_campaign_store_t  *st;

    store_fresh(item_program);

    ngx_stub_log_line[0] = '\0';
    test_fs_type = type;

    st = ngx_campaign_store_open(&store_conf, &store_log);

    if (mend) {
        said = strstr(ngx_stub_log_line, name) && strstr(ngx_stub_log_line, mend);
        ok(st != NULL && said, "a store %s is opened, and warned of: %s", what, name);

    } else {
        ok(st != NULL && ngx_stub_log_line[0] == '\0', "a store %s is opened without a word", what);
    }

    if (st) {
        ngx_campaign_lmdb_close(st);
    }
}


static void
test_schema_refused(uint32_t schema, const char *mend, const char *name)
{
    ngx_campaign_store_t  *st;

    st = item_store();
    is_uint(ngx_campaign_lmdb_write_now(st, NULL, test_schema_work, &schema), NGX_CAMPAIGN_OK, "a store has another schema");
    ngx_campaign_lmdb_close(st);

    test_open_refused(mend, name);
}


/* another process, with a larger size=, writes more than this process has mapped */

static void
test_resize(void)
{
    int                    status;
    pid_t                  pid;
    item_arg_t             a;
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
        _exit(st && ngx_campaign_lmdb_write_now(st, NULL, item_put_work, &a) == NGX_CAMPAIGN_OK ? 0 : 1);
    }

    ok(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0, "another process grows the map and fills it");
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
