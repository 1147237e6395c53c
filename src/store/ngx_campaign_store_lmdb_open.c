
/*
 * LMDB's environment: opened in a worker after the fork, its tables once.  It keeps true: files belong to the worker's user alone; a
 * file of another schema is left alone; lock.mdb is opened by LMDB only (who else closes it takes the process's locks away).
 */

#include "ngx_campaign_store_lmdb.h"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>


#define NGX_CAMPAIGN_LMDB_READERS  1024
#define NGX_CAMPAIGN_LMDB_MODE     0600
#define NGX_CAMPAIGN_LMDB_SLACK    (4 * 1024 * 1024)
#define NGX_CAMPAIGN_LMDB_TRIES    10           /* start and end of processes race in LMDB 0.9.26 to 0.9.31 */


typedef struct {
    const char    *name;
    unsigned       flags;
} ngx_campaign_lmdb_table_t;

typedef struct {
    int            err;
    const char    *mend;
} ngx_campaign_lmdb_hint_t;

typedef struct {
    unsigned long  type;                        /* f_type of statfs(2) */
    const char    *name;
    const char    *mend;
} ngx_campaign_lmdb_fs_t;


static ngx_int_t ngx_campaign_lmdb_check_file(ngx_campaign_store_t *st, const char *name);
static void ngx_campaign_lmdb_check_fs(ngx_campaign_store_t *st);
static int ngx_campaign_lmdb_env_try(ngx_campaign_store_t *st, const char **what);
static int ngx_campaign_lmdb_env_own(MDB_env *env);
static int ngx_campaign_lmdb_tables(ngx_campaign_store_t *st, unsigned flags);
static ngx_int_t ngx_campaign_lmdb_schema(ngx_campaign_store_t *st, int *err);
static ngx_campaign_rc_e ngx_campaign_lmdb_schema_read(ngx_campaign_txn_t *t);
static ngx_campaign_rc_e ngx_campaign_lmdb_schema_new(ngx_campaign_txn_t *t);


static const ngx_campaign_lmdb_table_t  ngx_campaign_lmdb_table[NGX_CAMPAIGN_DB_MAX] = {
    [NGX_CAMPAIGN_DB_META]   = { "meta", 0 },
    [NGX_CAMPAIGN_DB_REC]    = { "rec", 0 },
    [NGX_CAMPAIGN_DB_NAME]   = { "name", 0 },
    [NGX_CAMPAIGN_DB_LIST]   = { "list", 0 },
    [NGX_CAMPAIGN_DB_COUNT]  = { "count", 0 },
    [NGX_CAMPAIGN_DB_KEY]    = { "key", 0 },
    [NGX_CAMPAIGN_DB_BLOCK]  = { "block", 0 },
    [NGX_CAMPAIGN_DB_NUMBER] = { "number", MDB_DUPSORT|MDB_DUPFIXED },
    [NGX_CAMPAIGN_DB_RUN]    = { "run", 0 },
    [NGX_CAMPAIGN_DB_CHUNK]  = { "chunk", 0 },
    [NGX_CAMPAIGN_DB_AGAIN]  = { "again", 0 },
    [NGX_CAMPAIGN_DB_TRIES]  = { "tries", 0 },
    [NGX_CAMPAIGN_DB_SCHED]  = { "sched", 0 },
    [NGX_CAMPAIGN_DB_ACTIVE] = { "active", 0 },
    [NGX_CAMPAIGN_DB_FEED]   = { "feed", 0 },
    [NGX_CAMPAIGN_DB_LIMIT]  = { "limit", 0 },
    [NGX_CAMPAIGN_DB_IDEM]   = { "idem", 0 },
    [NGX_CAMPAIGN_DB_KEPT]   = { "kept", 0 },
    [NGX_CAMPAIGN_DB_THEIRS] = { "theirs", 0 },
    [NGX_CAMPAIGN_DB_OURS]   = { "ours", 0 },
    [NGX_CAMPAIGN_DB_GONE]   = { "gone", 0 },
    [NGX_CAMPAIGN_DB_SUPPRESS] = { "suppress", 0 },
    [NGX_CAMPAIGN_DB_LAPSE]  = { "lapse", 0 },
    [NGX_CAMPAIGN_DB_HOOK]   = { "hook", 0 },
    [NGX_CAMPAIGN_DB_EVENT]  = { "event", 0 },
    [NGX_CAMPAIGN_DB_DUE]    = { "due", 0 },
    [NGX_CAMPAIGN_DB_HOLD]   = { "hold", 0 },
    [NGX_CAMPAIGN_DB_LEAVING] = { "leaving", 0 }
};


static const ngx_campaign_lmdb_hint_t  ngx_campaign_lmdb_hint[] = {
    { EACCES, "; make the directory and its files belong to the user of the worker processes (\"chown\", \"chmod 0700\")" },
    { EPERM, "; make the directory and its files belong to the user of the worker processes (\"chown\", \"chmod 0700\")" },
    { EROFS, "; its file system is read-only: the kernel's log may say why, check it and mount it anew" },
    { ENOMEM, "; \"size=\" does not fit into the address space of the process: lower it, or raise the limit (\"ulimit -v\")" },
    { EMFILE, "; raise \"worker_rlimit_nofile\"" },
    { ENOSPC, "; its disk is full: make room" },
    { EDQUOT, "; the disk quota is used up: make room" },
    { MDB_VERSION_MISMATCH, "; its files were written by another version of LMDB: open it with that one, and move it with \"mdb_dump\" and "
                            "\"mdb_load\"" },
    { MDB_INVALID, "; data.mdb is no LMDB file: restore it from a backup, or name another directory" },
    { MDB_CORRUPTED, "; data.mdb is damaged: restore it from a backup" },
    { MDB_READERS_FULL, "; too many processes have it open" },
    { MDB_DBS_FULL, "; data.mdb belongs to another program: name another directory" },
    { MDB_INCOMPATIBLE, "; data.mdb belongs to another program: name another directory" }
};


/* where a store does not last; numbers from statfs(2).  Over a network neither locks nor the map work as LMDB needs them */

#define NGX_CAMPAIGN_LMDB_NETWORK    "use a local disk, data is lost when two machines open it"
#define NGX_CAMPAIGN_LMDB_CONTAINER  "a container's own layer, which is gone with the container: put it on a volume"

static const ngx_campaign_lmdb_fs_t  ngx_campaign_lmdb_fs[] = {
    { 0x6969, "NFS", NGX_CAMPAIGN_LMDB_NETWORK },
    { 0x01021997, "9p", NGX_CAMPAIGN_LMDB_NETWORK },
    { 0xff534d42, "CIFS", NGX_CAMPAIGN_LMDB_NETWORK },
    { 0xfe534d42, "SMB", NGX_CAMPAIGN_LMDB_NETWORK },
    { 0x517b, "SMB", NGX_CAMPAIGN_LMDB_NETWORK },
    { 0x5346414f, "AFS", NGX_CAMPAIGN_LMDB_NETWORK },
    { 0x00c36400, "Ceph", NGX_CAMPAIGN_LMDB_NETWORK },
    { 0x794c7630, "overlayfs", NGX_CAMPAIGN_LMDB_CONTAINER }
};


ngx_int_t
ngx_campaign_lmdb_check(ngx_campaign_store_t *st)
{
    ngx_str_t    *path;
    ngx_uint_t    user;
    struct stat   s;

    path = &st->conf->path;
    user = (ngx_uint_t) geteuid();

    if (stat((char *) path->data, &s) == -1) {
        ngx_log_error(NGX_LOG_EMERG, st->log, ngx_errno, "campaign store \"%V\" cannot be opened: make that directory (\"mkdir -m 0700\") "
                      "and give it to the user of the worker processes (\"chown\", user id %ui)", path, user);
        return NGX_ERROR;
    }

    if (!S_ISDIR(s.st_mode)) {
        ngx_log_error(NGX_LOG_EMERG, st->log, 0, "campaign store \"%V\" cannot be opened: it is a file, give the path of a directory",
                      path);
        return NGX_ERROR;
    }

    if (s.st_mode & S_IWOTH) {
        ngx_log_error(NGX_LOG_EMERG, st->log, 0, "campaign store \"%V\" is not opened: every user may write to that directory, "
                      "\"chmod 0700\" it", path);
        return NGX_ERROR;
    }

    if (access((char *) path->data, R_OK|W_OK|X_OK) == -1) {
        ngx_log_error(NGX_LOG_EMERG, st->log, ngx_errno, "campaign store \"%V\" cannot be opened: the user of the worker processes "
                      "(user id %ui) may not write there%s", path, user, ngx_campaign_lmdb_mend_text(ngx_errno));
        return NGX_ERROR;
    }

    if (ngx_campaign_lmdb_check_file(st, "data.mdb") != NGX_OK || ngx_campaign_lmdb_check_file(st, "lock.mdb") != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_campaign_lmdb_check_fs(st);

    return NGX_OK;
}


/* LMDB would follow a link that somebody put in place of its file */

static ngx_int_t
ngx_campaign_lmdb_check_file(ngx_campaign_store_t *st, const char *name)
{
    u_char       *p, *file;
    size_t        len;
    struct stat   s;

    len = ngx_strlen(name);

    file = ngx_pnalloc(st->pool, st->conf->path.len + 1 + len + 1);
    if (file == NULL) {
        return NGX_ERROR;
    }

    p = ngx_cpymem(file, st->conf->path.data, st->conf->path.len);
    *p++ = '/';
    p = ngx_cpymem(p, name, len);
    *p = '\0';

    if (st->data == NULL) {
        st->data = file;                                /* data.mdb is the first */
    }

    if (lstat((char *) file, &s) == -1) {
        return NGX_OK;                                  /* not there yet; any other trouble is LMDB's to find */
    }

    if (!S_ISREG(s.st_mode)) {
        ngx_log_error(NGX_LOG_EMERG, st->log, 0, "campaign store \"%V\" is not opened: \"%s\" in it is a link or no file, remove it",
                      &st->conf->path, name);
        return NGX_ERROR;
    }

    if (s.st_mode & (S_IRWXG|S_IRWXO)) {
        ngx_log_error(NGX_LOG_WARN, st->log, 0, "campaign store \"%V\": other users may open \"%s\", \"chmod 0600\" it",
                      &st->conf->path, name);
    }

    return NGX_OK;
}


static void
ngx_campaign_lmdb_check_fs(ngx_campaign_store_t *st)
{
    ngx_uint_t     i;
    struct statfs  fs;

    if (statfs((char *) st->conf->path.data, &fs) == -1) {
        ngx_log_error(NGX_LOG_WARN, st->log, ngx_errno, "campaign store \"%V\": statfs() failed", &st->conf->path);
        return;
    }

    for (i = 0; i < sizeof(ngx_campaign_lmdb_fs) / sizeof(ngx_campaign_lmdb_fs[0]); i++) {
        if ((uint32_t) fs.f_type == ngx_campaign_lmdb_fs[i].type) {
            ngx_log_error(NGX_LOG_WARN, st->log, 0, "campaign store \"%V\" is on %s: %s", &st->conf->path, ngx_campaign_lmdb_fs[i].name,
                          ngx_campaign_lmdb_fs[i].mend);
        }
    }
}


ngx_int_t
ngx_campaign_lmdb_env_open(ngx_campaign_store_t *st)
{
    int          err;
    ngx_int_t    rc;
    ngx_uint_t   i;
    const char  *what;

    if (ngx_campaign_lmdb_cut_check(st) != NGX_OK) {
        return NGX_ERROR;
    }

    what = "";
    err = 0;

    for (i = 0; i < NGX_CAMPAIGN_LMDB_TRIES; i++) {

        err = ngx_campaign_lmdb_env_try(st, &what);

        if (err == 0) {
            rc = ngx_campaign_lmdb_schema(st, &err);
            if (rc == NGX_OK) {
                return NGX_OK;
            }

            what = "schema";

            if (err == 0) {                             /* logged */
                ngx_campaign_lmdb_env_close(st);
                return NGX_ERROR;
            }
        }

        ngx_campaign_lmdb_env_close(st);

        if (err != EINVAL && err != ENOENT && err != EAGAIN) {
            break;
        }
    }

    ngx_log_error(NGX_LOG_EMERG, st->log, 0, "campaign store \"%V\" (user id %ui) cannot be opened: %s: %s%s", &st->conf->path,
                  (ngx_uint_t) geteuid(), what, mdb_strerror(err), ngx_campaign_lmdb_mend_text(err));

    return NGX_ERROR;
}


static int
ngx_campaign_lmdb_env_try(ngx_campaign_store_t *st, const char **what)
{
    int          err, dead;
    size_t       size;
    unsigned     flags;
    struct stat  s;

    *what = "environment";

    err = mdb_env_create(&st->env);
    if (err != 0) {
        st->env = NULL;
        return err;
    }

    /* random keys of a file that does not fit into memory: reading ahead would read what nobody asked for */

    flags = MDB_NOTLS|MDB_NORDAHEAD;

    if (st->conf->durability == NGX_CAMPAIGN_DURABILITY_RELAXED) {
        flags |= MDB_NOMETASYNC;
    }

    size = st->conf->size;

    /* "size=" below what the store takes already: deletes and cancels go on behind it, nothing new does */

    if (stat((char *) st->data, &s) == 0 && (size_t) s.st_size > size) {
        size = (size_t) s.st_size + NGX_CAMPAIGN_LMDB_SLACK;
    }

    size = ngx_align(size, (size_t) 65536);             /* a multiple of any page */

    if ((err = mdb_env_set_mapsize(st->env, size)) != 0
        || (err = mdb_env_set_maxdbs(st->env, NGX_CAMPAIGN_DB_MAX)) != 0
        || (err = mdb_env_set_maxreaders(st->env, NGX_CAMPAIGN_LMDB_READERS)) != 0)
    {
        return err;
    }

    *what = "files";

    err = mdb_env_open(st->env, (char *) st->conf->path.data, flags, NGX_CAMPAIGN_LMDB_MODE);
    if (err != 0) {
        return err;
    }

    (void) mdb_reader_check(st->env, &dead);

    *what = "data.mdb";

    err = ngx_campaign_lmdb_env_own(st->env);
    if (err != 0) {
        return err;
    }

    if (ngx_campaign_lmdb_watch_init(st) != NGX_OK) {
        return EIO;
    }

    ngx_campaign_lmdb_cut_watch(st);

    *what = "tables";

    /* a store that exists needs no write lock, which another process may hold for long */

    err = ngx_campaign_lmdb_tables(st, MDB_RDONLY);
    if (err != MDB_NOTFOUND) {
        return err;
    }

    /* LMDB has not synced the first two pages of a file that it made: after a power cut, pages of a table could be there without them */

    err = mdb_env_sync(st->env, 1);

    return err == 0 ? ngx_campaign_lmdb_tables(st, 0) : err;
}


/* LMDB leaves data.mdb to programs that another module executes (of its other descriptors it does not) */

static int
ngx_campaign_lmdb_env_own(MDB_env *env)
{
    int       err;
    ngx_fd_t  fd;

    err = mdb_env_get_fd(env, &fd);

    if (err == 0 && fcntl(fd, F_SETFD, FD_CLOEXEC) == -1) {
        err = ngx_errno;
    }

    return err;
}


void
ngx_campaign_lmdb_env_close(ngx_campaign_store_t *st)
{
    if (st->read) {
        mdb_txn_abort(st->read);
        st->read = NULL;
    }

    if (st->env) {
        mdb_env_close(st->env);
        st->env = NULL;
    }
}


const char *
ngx_campaign_lmdb_table_name(ngx_campaign_db_e db)
{
    return ngx_campaign_lmdb_table[db].name;
}


/* handles of tables last only if the transaction that opened them is committed, one that only read as well */

static int
ngx_campaign_lmdb_tables(ngx_campaign_store_t *st, unsigned flags)
{
    int          err;
    MDB_dbi      all;
    MDB_stat     stat;
    MDB_txn     *txn;
    ngx_uint_t   i;

    err = mdb_txn_begin(st->env, NULL, flags, &txn);
    if (err != 0) {
        return err;
    }

    for (i = 0; i < NGX_CAMPAIGN_DB_MAX; i++) {
        err = mdb_dbi_open(txn, ngx_campaign_lmdb_table[i].name,
                           ngx_campaign_lmdb_table[i].flags | (flags & MDB_RDONLY ? 0 : MDB_CREATE), &st->dbi[i]);

        if (err != 0) {
            mdb_txn_abort(txn);
            return err;
        }
    }

    err = mdb_dbi_open(txn, NULL, 0, &all);

    if (err == 0) {
        err = mdb_stat(txn, all, &stat);
    }

    if (err == 0 && stat.ms_entries > NGX_CAMPAIGN_DB_MAX) {
        err = MDB_INCOMPATIBLE;                         /* there are tables of another program */
    }

    if (err != 0) {
        mdb_txn_abort(txn);
        return err;
    }

    return mdb_txn_commit(txn);
}


/* NGX_ERROR: *err is the code with which a transaction did not begin, or 0 if the failure was logged */

static ngx_int_t
ngx_campaign_lmdb_schema(ngx_campaign_store_t *st, int *err)
{
    MDB_val             value;
    ngx_campaign_rc_e   rc;
    ngx_campaign_txn_t  t;

    t.store = st;
    t.log = st->log;
    t.now = ngx_campaign_now();
    t.err = 0;
    t.near = NULL;
    t.quiet = 0;

    *err = mdb_txn_begin(st->env, NULL, MDB_RDONLY, &t.txn);
    if (*err != 0) {
        return NGX_ERROR;
    }

    if (ngx_campaign_lmdb_get(&t, NGX_CAMPAIGN_DB_META, "schema", 6, &value) != MDB_NOTFOUND) {
        rc = ngx_campaign_lmdb_schema_read(&t);
        mdb_txn_abort(t.txn);

        return rc == NGX_CAMPAIGN_OK ? NGX_OK : NGX_ERROR;
    }

    mdb_txn_abort(t.txn);

    *err = mdb_txn_begin(st->env, NULL, 0, &t.txn);
    if (*err != 0) {
        return NGX_ERROR;
    }

    if (ngx_campaign_lmdb_schema_read(&t) != NGX_CAMPAIGN_OK) {
        mdb_txn_abort(t.txn);
        return NGX_ERROR;
    }

    *err = mdb_txn_commit(t.txn);

    return *err == 0 ? NGX_OK : NGX_ERROR;
}


/* reads schema and secret; in a write transaction they are made if they are not there: so the workers of a new store agree on one secret */

static ngx_campaign_rc_e
ngx_campaign_lmdb_schema_read(ngx_campaign_txn_t *t)
{
    int       err;
    MDB_val   value;
    uint32_t  schema;

    err = ngx_campaign_lmdb_get(t, NGX_CAMPAIGN_DB_META, "schema", 6, &value);

    if (err == MDB_NOTFOUND) {
        return ngx_campaign_lmdb_schema_new(t);
    }

    if (err != 0 || value.mv_size != 4) {
        return ngx_campaign_lmdb_failed(t, err ? err : MDB_CORRUPTED, "schema");
    }

    schema = ngx_campaign_be32_get(value.mv_data);

    if (schema > NGX_CAMPAIGN_SCHEMA) {
        ngx_log_error(NGX_LOG_EMERG, t->log, 0, "campaign store \"%V\" has schema %uD, this module knows schemas up to %uD: use the newer "
                      "module that wrote it, or another directory", &t->store->conf->path, schema, (uint32_t) NGX_CAMPAIGN_SCHEMA);
        return NGX_CAMPAIGN_UNAVAILABLE;
    }

    if (schema < NGX_CAMPAIGN_SCHEMA) {
        ngx_log_error(NGX_LOG_EMERG, t->log, 0, "campaign store \"%V\" has schema %uD, this module needs schema %uD: use the older module that "
                      "wrote it, or another directory", &t->store->conf->path, schema, (uint32_t) NGX_CAMPAIGN_SCHEMA);
        return NGX_CAMPAIGN_UNAVAILABLE;
    }

    err = ngx_campaign_lmdb_get(t, NGX_CAMPAIGN_DB_META, "secret", 6, &value);

    if (err != 0 || value.mv_size != NGX_CAMPAIGN_SECRET_LEN) {
        return ngx_campaign_lmdb_failed(t, err ? err : MDB_CORRUPTED, "secret");
    }

    ngx_memcpy(t->store->secret, value.mv_data, NGX_CAMPAIGN_SECRET_LEN);

    return NGX_CAMPAIGN_OK;
}


static ngx_campaign_rc_e
ngx_campaign_lmdb_schema_new(ngx_campaign_txn_t *t)
{
    int      err;
    u_char   schema[4];
    u_char  *secret;

    secret = t->store->secret;

    if (getrandom(secret, NGX_CAMPAIGN_SECRET_LEN, 0) != NGX_CAMPAIGN_SECRET_LEN) {     /* so few bytes are never cut short */
        ngx_log_error(NGX_LOG_EMERG, t->log, ngx_errno, "campaign store \"%V\": getrandom() failed", &t->store->conf->path);
        return NGX_CAMPAIGN_FAILURE;
    }

    ngx_campaign_be32_put(schema, NGX_CAMPAIGN_SCHEMA);

    err = ngx_campaign_lmdb_put(t, NGX_CAMPAIGN_DB_META, "schema", 6, schema, 4);

    if (err == 0) {
        err = ngx_campaign_lmdb_put(t, NGX_CAMPAIGN_DB_META, "secret", 6, secret, NGX_CAMPAIGN_SECRET_LEN);
    }

    return err == 0 ? NGX_CAMPAIGN_OK : ngx_campaign_lmdb_failed(t, err, "new schema");
}


const char *
ngx_campaign_lmdb_mend_text(int err)
{
    ngx_uint_t  i;

    for (i = 0; i < sizeof(ngx_campaign_lmdb_hint) / sizeof(ngx_campaign_lmdb_hint[0]); i++) {
        if (ngx_campaign_lmdb_hint[i].err == err) {
            return ngx_campaign_lmdb_hint[i].mend;
        }
    }

    return "";
}
