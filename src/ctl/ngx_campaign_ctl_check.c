
/*
 * The frame of the check: opens the store for reading, walks its databases by their table, compares what was counted twice.
 */

#include "ngx_campaign_ctl_check.h"

#include <grp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>


#define NGX_CAMPAIGN_CHECK_DISORDER  16         /* a database with so many keys out of order is left */


struct ngx_campaign_check_pair_s {
    ngx_campaign_check_pair_t  *next;
    uint64_t                    want, have;
    size_t                      len;
    u_char                      key[];          /* db u8, key */
};


static int ngx_campaign_check_open(ngx_campaign_check_t *c, const char *path);
static ngx_int_t ngx_campaign_check_user(const char *path);
static int ngx_campaign_check_refuse(const char *path, const char *what, int err);
static int ngx_campaign_check_tables_open(ngx_campaign_check_t *c);
static int ngx_campaign_check_head(ngx_campaign_check_t *c, const char *path);
static void ngx_campaign_check_file(ngx_campaign_check_t *c);
static void ngx_campaign_check_unknown(ngx_campaign_check_t *c);
static void ngx_campaign_check_walk(ngx_campaign_check_t *c, ngx_campaign_db_e db);
static int ngx_campaign_check_compare(const MDB_val *a, const MDB_val *b);
static ngx_campaign_check_pair_t *ngx_campaign_check_pair(ngx_campaign_check_t *c, ngx_uint_t db, const void *key, size_t len,
    ngx_uint_t create);
static void ngx_campaign_check_pairs(ngx_campaign_check_t *c);
static void ngx_campaign_check_summary(ngx_campaign_check_t *c, const char *path, const struct timespec *begun);


#define NGX_CAMPAIGN_CHECK_OWNERS  0x80         /* pairs that are no counters: owner of kind db & 0x7f */

/* see ngx_campaign_ctl_check.h for how one is added */

static const struct {
    ngx_campaign_db_e           db;
    ngx_campaign_check_table_t  table;

} ngx_campaign_check_tables[] = {
    { NGX_CAMPAIGN_DB_REC,    { ngx_campaign_check_rec, NULL } },
    { NGX_CAMPAIGN_DB_META,   { ngx_campaign_check_meta, NULL } },
    { NGX_CAMPAIGN_DB_NAME,   { ngx_campaign_check_name, NULL } },
    { NGX_CAMPAIGN_DB_LIST,   { ngx_campaign_check_in_list, NULL } },
    { NGX_CAMPAIGN_DB_KEY,    { ngx_campaign_check_key, NULL } },
    { NGX_CAMPAIGN_DB_BLOCK,  { ngx_campaign_check_block, ngx_campaign_check_block_finish } },
    { NGX_CAMPAIGN_DB_NUMBER, { ngx_campaign_check_number, NULL } },
    { NGX_CAMPAIGN_DB_RUN,    { ngx_campaign_check_run_of, NULL } },
    { NGX_CAMPAIGN_DB_CHUNK,  { ngx_campaign_check_chunk, NULL } },
    { NGX_CAMPAIGN_DB_AGAIN,  { ngx_campaign_check_again, NULL } },
    { NGX_CAMPAIGN_DB_TRIES,  { ngx_campaign_check_tries, NULL } },
    { NGX_CAMPAIGN_DB_LEAVING, { ngx_campaign_check_leaving, NULL } },
    { NGX_CAMPAIGN_DB_THEIRS, { ngx_campaign_check_theirs, NULL } },
    { NGX_CAMPAIGN_DB_OURS,   { ngx_campaign_check_ours, NULL } },
    { NGX_CAMPAIGN_DB_GONE,   { ngx_campaign_check_gone, NULL } },
    { NGX_CAMPAIGN_DB_SCHED,  { ngx_campaign_check_sched, NULL } },
    { NGX_CAMPAIGN_DB_ACTIVE, { ngx_campaign_check_active, NULL } },
    { NGX_CAMPAIGN_DB_FEED,   { ngx_campaign_check_feed, NULL } },
    { NGX_CAMPAIGN_DB_LIMIT,  { ngx_campaign_check_limit, NULL } },
    { NGX_CAMPAIGN_DB_IDEM,   { ngx_campaign_check_idem, NULL } },
    { NGX_CAMPAIGN_DB_KEPT,   { ngx_campaign_check_kept, NULL } },
    { NGX_CAMPAIGN_DB_SUPPRESS, { ngx_campaign_check_suppress, NULL } },
    { NGX_CAMPAIGN_DB_LAPSE,  { ngx_campaign_check_lapse, NULL } },
    { NGX_CAMPAIGN_DB_HOOK,   { ngx_campaign_check_hook, NULL } },
    { NGX_CAMPAIGN_DB_EVENT,  { ngx_campaign_check_event, NULL } },
    { NGX_CAMPAIGN_DB_DUE,    { ngx_campaign_check_due, NULL } },
    { NGX_CAMPAIGN_DB_HOLD,   { ngx_campaign_check_hold, NULL } },
    { NGX_CAMPAIGN_DB_COUNT,  { ngx_campaign_check_count, NULL } }
};

#define NGX_CAMPAIGN_CHECK_TABLES  (sizeof(ngx_campaign_check_tables) / sizeof(ngx_campaign_check_tables[0]))


int
ngx_campaign_check_run(const char *path, ngx_campaign_check_seen_t *seen)
{
    int                           rc;
    size_t                        size;
    ngx_uint_t                    i, kind;
    struct timespec               begun;
    static ngx_log_t              log;
    static ngx_campaign_check_t   check;

    (void) setvbuf(stdout, NULL, _IOLBF, 0);            /* what was said is not lost when LMDB dies */
    (void) clock_gettime(CLOCK_MONOTONIC, &begun);

    check.seen = seen;
    check.t.store = &check.store;
    check.t.log = &log;                                 /* says nothing: the check does */
    check.t.quiet = 1;

    for (size = 0, kind = 0; kind < NGX_CAMPAIGN_KIND_MAX; kind++) {
        size = ngx_max(size, ngx_campaign_lmdb_record_size(kind));
    }

    check.record = ngx_campaign_check_alloc(size);

    rc = ngx_campaign_check_open(&check, path);
    if (rc != 0) {
        return rc;
    }

    ngx_campaign_check_unknown(&check);

    for (i = 0; i < NGX_CAMPAIGN_CHECK_TABLES; i++) {
        ngx_campaign_check_walk(&check, ngx_campaign_check_tables[i].db);

        if (ngx_campaign_check_tables[i].table.finish) {
            ngx_campaign_check_tables[i].table.finish(&check);
        }
    }

    ngx_campaign_check_pairs(&check);

    mdb_txn_abort(check.t.txn);

    ngx_campaign_check_summary(&check, path, &begun);

    return seen->faults ? 1 : 0;
}


/* 0, or the exit status; said */

static int
ngx_campaign_check_open(ngx_campaign_check_t *c, const char *path)
{
    int       err;
    MDB_env  *env;

    if (ngx_campaign_check_user(path) != NGX_OK) {
        return 2;
    }

    if ((err = mdb_env_create(&env)) != 0
        || (err = mdb_env_set_maxdbs(env, NGX_CAMPAIGN_DB_MAX)) != 0
        || (err = mdb_env_open(env, path, MDB_RDONLY|MDB_NOTLS|MDB_NORDAHEAD, 0600)) != 0)
    {
        return ngx_campaign_check_refuse(path, "cannot be opened", err);
    }

    c->store.env = env;

    ngx_campaign_check_file(c);

    err = mdb_txn_begin(env, NULL, MDB_RDONLY, &c->t.txn);

    if (err == MDB_MAP_RESIZED) {
        err = mdb_env_set_mapsize(env, 0);

        if (err == 0) {
            err = mdb_txn_begin(env, NULL, MDB_RDONLY, &c->t.txn);
        }
    }

    if (err == 0) {
        err = ngx_campaign_check_tables_open(c);
    }

    if (err != 0) {
        return ngx_campaign_check_refuse(path, "cannot be read", err);
    }

    return ngx_campaign_check_head(c, path);
}


/* root reads as the store's owner: a lock file made on the way belongs to who needs it */

static ngx_int_t
ngx_campaign_check_user(const char *path)
{
    char         file[4096];
    struct stat  s;

    if (snprintf(file, sizeof(file), "%s/data.mdb", path) >= (int) sizeof(file)) {
        errno = ENAMETOOLONG;

    } else if (stat(file, &s) == 0) {

        if (ngx_campaign_lmdb_blank(s.st_size)) {
            (void) fprintf(stderr, "campaignctl: %s: data.mdb holds nothing: no server has written to it yet\n", path);
            return NGX_ERROR;
        }

        if (geteuid() != 0 || s.st_uid == 0) {
            return NGX_OK;
        }

        if (setgroups(0, NULL) == 0 && setgid(s.st_gid) == 0 && setuid(s.st_uid) == 0) {
            return NGX_OK;
        }
    }

    (void) fprintf(stderr, "campaignctl: %s: data.mdb: %s\n", path, strerror(errno));

    return NGX_ERROR;
}


static int
ngx_campaign_check_refuse(const char *path, const char *what, int err)
{
    if (err == MDB_INVALID || err == MDB_CORRUPTED || err == MDB_PAGE_NOTFOUND) {
        (void) printf("campaignctl: %s: %s, data.mdb is damaged: %s\n", path, what, mdb_strerror(err));
        return 1;
    }

    (void) fprintf(stderr, "campaignctl: %s: %s: %s\n", path, what, mdb_strerror(err));

    return 2;
}


static int
ngx_campaign_check_tables_open(ngx_campaign_check_t *c)
{
    int         err;
    ngx_uint_t  db;

    for (db = 0; db < NGX_CAMPAIGN_DB_MAX; db++) {
        c->name[db] = ngx_campaign_lmdb_table_name(db);

        err = mdb_dbi_open(c->t.txn, c->name[db], 0, &c->store.dbi[db]);

        if (err == MDB_NOTFOUND) {
            c->absent[db] = 1;

        } else if (err != 0) {
            return err;
        }
    }

    return 0;
}


/* what nothing can be looked at without */

static int
ngx_campaign_check_head(ngx_campaign_check_t *c, const char *path)
{
    MDB_val   value;
    uint32_t  schema;

    if (c->absent[NGX_CAMPAIGN_DB_META] || !ngx_campaign_check_get(c, NGX_CAMPAIGN_DB_META, "schema", 6, &value)) {
        (void) fprintf(stderr, "campaignctl: %s: not a store of campaigns, or no server has used it yet\n", path);
        return 2;
    }

    schema = (value.mv_size == 4) ? ngx_campaign_be32_get(value.mv_data) : 0;

    if (schema > NGX_CAMPAIGN_SCHEMA && schema < 1000) {
        (void) fprintf(stderr, "campaignctl: %s: has schema %u, this program knows schemas up to %u\n", path, schema, NGX_CAMPAIGN_SCHEMA);
        return 2;
    }

    if (schema == 0 || schema > NGX_CAMPAIGN_SCHEMA) {
        ngx_campaign_check_fault(c, NGX_CAMPAIGN_DB_META, NULL, "no version of a schema");
    }

    if (!ngx_campaign_check_get(c, NGX_CAMPAIGN_DB_META, "secret", 6, &value) || value.mv_size != NGX_CAMPAIGN_SECRET_LEN) {
        ngx_campaign_check_fault(c, NGX_CAMPAIGN_DB_META, NULL, "no secret");
        return 1;
    }

    ngx_memcpy(c->store.secret, value.mv_data, NGX_CAMPAIGN_SECRET_LEN);

    if (ngx_campaign_check_get(c, NGX_CAMPAIGN_DB_META, "epoch", 5, &value) && value.mv_size == 8) {
        c->epoch = ngx_campaign_be64_get(value.mv_data);
    }

    return 0;
}


/*
 * A file that was cut off kills who reads behind its end.  One that is short need not be: pages that were taken and given back in one
 * transaction were never written
 */

static void
ngx_campaign_check_file(ngx_campaign_check_t *c)
{
    MDB_stat          stat;
    MDB_envinfo       info;
    struct stat       s;
    mdb_filehandle_t  fd;

    if (mdb_env_get_fd(c->store.env, &fd) != 0 || fstat(fd, &s) == -1
        || mdb_env_info(c->store.env, &info) != 0 || mdb_env_stat(c->store.env, &stat) != 0)
    {
        ngx_campaign_check_fault(c, NGX_CAMPAIGN_DB_META, NULL, "data.mdb tells nothing of itself");
        return;
    }

    if ((uint64_t) s.st_size < (uint64_t) (info.me_last_pgno + 1) * stat.ms_psize) {
        c->seen->bytes = (uint64_t) s.st_size;
        c->seen->cut_off = (uint64_t) (info.me_last_pgno + 1) * stat.ms_psize;
    }
}


/* databases that the engine has and the check does not */

static void
ngx_campaign_check_unknown(ngx_campaign_check_t *c)
{
    int          rc;
    MDB_dbi      all;
    MDB_val      key, value;
    ngx_uint_t   i, db, known;
    MDB_cursor  *cursor;

    for (db = 0; db < NGX_CAMPAIGN_DB_MAX; db++) {
        for (known = 0, i = 0; i < NGX_CAMPAIGN_CHECK_TABLES; i++) {
            known |= (ngx_campaign_check_tables[i].db == db);
        }

        if (!known) {
            (void) printf("%s: not checked, this program has no functions for it\n", c->name[db]);
        }
    }

    if (mdb_dbi_open(c->t.txn, NULL, 0, &all) != 0 || mdb_cursor_open(c->t.txn, all, &cursor) != 0) {
        ngx_campaign_check_fault(c, NGX_CAMPAIGN_DB_META, NULL, "the list of databases cannot be read");
        return;
    }

    while ((rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == 0) {
        for (db = 0; db < NGX_CAMPAIGN_DB_MAX; db++) {
            if (ngx_strlen(c->name[db]) == key.mv_size && ngx_memcmp(c->name[db], key.mv_data, key.mv_size) == 0) {
                break;
            }
        }

        if (db == NGX_CAMPAIGN_DB_MAX) {
            ngx_campaign_check_fault(c, NGX_CAMPAIGN_DB_META, &key, "a database that nobody knows");
        }
    }

    mdb_cursor_close(cursor);
}


static void
ngx_campaign_check_walk(ngx_campaign_check_t *c, ngx_campaign_db_e db)
{
    int                          rc;
    uint64_t                     n;
    MDB_val                      key, value, last_key, last_value;
    MDB_stat                     stat;
    ngx_uint_t                   i, disorder;
    MDB_cursor                  *cursor;
    ngx_campaign_check_visit_pt  visit;

    c->seen->db = db;

    if (c->absent[db]) {
        return;
    }

    for (visit = NULL, i = 0; i < NGX_CAMPAIGN_CHECK_TABLES; i++) {
        if (ngx_campaign_check_tables[i].db == db) {
            visit = ngx_campaign_check_tables[i].table.visit;
        }
    }

    rc = mdb_stat(c->t.txn, c->store.dbi[db], &stat);

    if (rc == 0) {
        rc = mdb_cursor_open(c->t.txn, c->store.dbi[db], &cursor);
    }

    if (rc != 0) {
        ngx_campaign_check_fault(c, db, NULL, "cannot be read: %s", mdb_strerror(rc));
        return;
    }

    disorder = 0;

    for (n = 0; (rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == 0; n++) {

        if (n) {
            rc = ngx_campaign_check_compare(&last_key, &key);

            if (rc > 0 || (rc == 0 && ngx_campaign_check_compare(&last_value, &value) >= 0)) {
                ngx_campaign_check_fault(c, db, &key, "stands out of order");

                if (++disorder == NGX_CAMPAIGN_CHECK_DISORDER) {
                    break;                              /* pages that lead in a circle would never end */
                }
            }
        }

        visit(c, &key, &value);

        last_key = key;
        last_value = value;
    }

    mdb_cursor_close(cursor);

    if (rc != 0 && rc != MDB_NOTFOUND) {
        ngx_campaign_check_fault(c, db, NULL, "cannot be read to its end: %s", mdb_strerror(rc));

    } else if (n != stat.ms_entries) {
        ngx_campaign_check_fault(c, db, NULL, "holds %llu entries, and says %llu", (unsigned long long) n,
                                 (unsigned long long) stat.ms_entries);
    }

    c->entries += n;
}


static int
ngx_campaign_check_compare(const MDB_val *a, const MDB_val *b)
{
    int     rc;
    size_t  n;

    n = ngx_min(a->mv_size, b->mv_size);
    rc = n ? ngx_memcmp(a->mv_data, b->mv_data, n) : 0;

    if (rc != 0) {
        return rc;
    }

    return a->mv_size < b->mv_size ? -1 : a->mv_size > b->mv_size;
}


void
ngx_campaign_check_fault(ngx_campaign_check_t *c, ngx_campaign_db_e db, const MDB_val *key, const char *fmt, ...)
{
    size_t   i;
    va_list  args;

    if (++c->seen->faults > NGX_CAMPAIGN_CHECK_LINES) {
        return;
    }

    (void) printf("%s", ngx_campaign_lmdb_table_name(db));

    if (key && key->mv_size) {
        (void) printf(" ");
    }

    for (i = 0; key && i < key->mv_size; i++) {
        (void) printf("%02x", ((u_char *) key->mv_data)[i]);
    }

    (void) printf(": ");

    va_start(args, fmt);
    (void) vprintf(fmt, args);
    va_end(args);

    (void) printf("\n");
}


ngx_uint_t
ngx_campaign_check_form(ngx_campaign_check_t *c, ngx_campaign_db_e db, const MDB_val *key, size_t klen, const MDB_val *value, ssize_t vlen)
{
    if (key->mv_size == klen && (vlen == -1 || value->mv_size == (size_t) vlen)) {
        return 1;
    }

    ngx_campaign_check_fault(c, db, key, "has a wrong size: key %lu bytes, value %lu", (unsigned long) key->mv_size,
                             (unsigned long) value->mv_size);
    return 0;
}


ngx_uint_t
ngx_campaign_check_sum(ngx_campaign_check_t *c, ngx_campaign_db_e db, const MDB_val *key, const MDB_val *value)
{
    size_t         len;
    const u_char  *data;

    data = value->mv_data;
    len = value->mv_size - 4;

    if (value->mv_size >= 4 && ngx_campaign_crc32c(0, data, len) == ngx_campaign_be32_get(data + len)) {
        return 1;
    }

    ngx_campaign_check_fault(c, db, key, "wrong checksum");

    return 0;
}


ngx_uint_t
ngx_campaign_check_get(ngx_campaign_check_t *c, ngx_campaign_db_e db, const void *key, size_t len, MDB_val *value)
{
    int      rc;
    MDB_val  none;

    if (c->absent[db]) {
        return 0;
    }

    rc = ngx_campaign_lmdb_get(&c->t, db, key, len, value ? value : &none);

    if (rc != 0 && rc != MDB_NOTFOUND) {
        ngx_campaign_check_fault(c, db, NULL, "look-up failed: %s", mdb_strerror(rc));
    }

    return rc == 0;
}


void
ngx_campaign_check_want(ngx_campaign_check_t *c, ngx_campaign_db_e db, const void *key, size_t len, uint64_t n)
{
    ngx_campaign_check_pair(c, db, key, len, 1)->want += n;
}


void
ngx_campaign_check_have(ngx_campaign_check_t *c, ngx_campaign_db_e db, const void *key, size_t len, uint64_t n)
{
    ngx_campaign_check_pair(c, db, key, len, 1)->have += n;
}


void
ngx_campaign_check_own(ngx_campaign_check_t *c, ngx_campaign_kind_e kind, uint64_t no, uint32_t account)
{
    u_char                      key[8];
    ngx_campaign_check_pair_t  *pair;

    ngx_campaign_be64_put(key, no);
    pair = ngx_campaign_check_pair(c, NGX_CAMPAIGN_CHECK_OWNERS|kind, key, 8, 1);

    if (pair->have) {
        ngx_campaign_check_fault(c, NGX_CAMPAIGN_DB_REC, NULL, "number %llu of kind %u is given twice", (unsigned long long) no, kind);
    }

    pair->want = account;
    pair->have = 1;
}


ngx_uint_t
ngx_campaign_check_owner(ngx_campaign_check_t *c, ngx_campaign_kind_e kind, uint64_t no, uint32_t *account)
{
    u_char                      key[8];
    ngx_campaign_check_pair_t  *pair;

    ngx_campaign_be64_put(key, no);
    pair = ngx_campaign_check_pair(c, NGX_CAMPAIGN_CHECK_OWNERS|kind, key, 8, 0);

    if (pair && account) {
        *account = (uint32_t) pair->want;
    }

    return pair != NULL;
}


ngx_uint_t
ngx_campaign_check_record(ngx_campaign_check_t *c, ngx_campaign_kind_e kind, uint32_t account, uint64_t no, void *out)
{
    return kind < NGX_CAMPAIGN_KIND_MAX && ngx_campaign_lmdb_record_size(kind)
           && ngx_campaign_lmdb_record_get(&c->t, kind, account, no, NULL, out) == NGX_CAMPAIGN_OK;
}


/* create 0: NULL if there is none */

static ngx_campaign_check_pair_t *
ngx_campaign_check_pair(ngx_campaign_check_t *c, ngx_uint_t db, const void *key, size_t len, ngx_uint_t create)
{
    size_t                       i, buckets;
    uint64_t                     hash;
    ngx_campaign_check_pair_t   *pair, *next, **pairs;

    if (create && c->npairs >= c->buckets) {
        buckets = c->buckets ? c->buckets * 4 : 1024;
        pairs = ngx_campaign_check_alloc(buckets * sizeof(ngx_campaign_check_pair_t *));

        for (i = 0; i < c->buckets; i++) {
            for (pair = c->pairs[i]; pair; pair = next) {
                next = pair->next;
                hash = ngx_campaign_siphash(c->store.secret, pair->key, pair->len) % buckets;
                pair->next = pairs[hash];
                pairs[hash] = pair;
            }
        }

        free(c->pairs);
        c->pairs = pairs;
        c->buckets = buckets;
    }

    if (c->buckets == 0) {
        return NULL;
    }

    next = ngx_campaign_check_alloc(sizeof(ngx_campaign_check_pair_t) + 1 + len);
    next->len = 1 + len;
    next->key[0] = (u_char) db;
    ngx_memcpy(next->key + 1, key, len);

    hash = ngx_campaign_siphash(c->store.secret, next->key, next->len) % c->buckets;

    for (pair = c->pairs[hash]; pair; pair = pair->next) {
        if (pair->len == next->len && ngx_memcmp(pair->key, next->key, next->len) == 0) {
            break;
        }
    }

    if (pair || !create) {
        free(next);
        return pair;
    }

    next->next = c->pairs[hash];
    c->pairs[hash] = next;
    c->npairs++;

    return next;
}


static void
ngx_campaign_check_pairs(ngx_campaign_check_t *c)
{
    size_t                      i;
    MDB_val                     key;
    ngx_campaign_check_pair_t  *pair;

    for (i = 0; i < c->buckets; i++) {
        for (pair = c->pairs[i]; pair; pair = pair->next) {

            if (pair->key[0] & NGX_CAMPAIGN_CHECK_OWNERS || pair->want == pair->have) {
                continue;
            }

            key.mv_size = pair->len - 1;
            key.mv_data = pair->key + 1;

            ngx_campaign_check_fault(c, pair->key[0], &key, "says %llu, and %llu were counted", (unsigned long long) pair->have,
                                     (unsigned long long) pair->want);
        }
    }
}


static void
ngx_campaign_check_summary(ngx_campaign_check_t *c, const char *path, const struct timespec *begun)
{
    struct timespec  now;

    (void) clock_gettime(CLOCK_MONOTONIC, &now);

    if (c->seen->faults > NGX_CAMPAIGN_CHECK_LINES) {
        (void) printf("(%llu more)\n", (unsigned long long) (c->seen->faults - NGX_CAMPAIGN_CHECK_LINES));
    }

    (void) printf("campaignctl: %s: ", path);

    if (c->seen->faults) {
        (void) printf("%llu faults", (unsigned long long) c->seen->faults);

    } else {
        (void) printf("sound");
    }

    (void) printf("; %llu accounts, %llu campaigns, %llu messages, %llu entries, %.3f s\n",
                  (unsigned long long) c->objects[NGX_CAMPAIGN_ACCOUNT], (unsigned long long) c->objects[NGX_CAMPAIGN_CAMPAIGN],
                  (unsigned long long) c->messages, (unsigned long long) c->entries,
                  (double) (now.tv_sec - begun->tv_sec) + (double) (now.tv_nsec - begun->tv_nsec) / 1e9);
}


void *
ngx_campaign_check_alloc(size_t size)
{
    void  *p;

    p = calloc(1, size ? size : 1);

    if (p == NULL) {
        (void) fputs("campaignctl: no memory\n", stderr);
        _exit(2);
    }

    return p;
}
