
/*
 * Power cuts, out of a recording (record.h): at a random moment the disk holds all that was synced before, and of what was written since, any
 * part.  Each such image is opened and checked (campaignctl's check), and what a client or a gateway had been told by then has to be in it.
 *
 *     powercut RECORDING DIR MODE SEED SECONDS [IMAGE]
 *
 *     full     any of the unsynced writes, each whole or not at all
 *     torn     any of their sectors of 512 bytes
 *     relaxed  as full; the newest transaction may be missing
 *     nosync   as torn, and no sync counts for the last 64 writes: the control, which has to be found broken
 *
 * Prints "images sound lost broken", then what was wrong with the first ones; an image is made again by its number.
 */

#include "ngx_campaign_ctl_check.h"
#include "record.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>


#define SECTOR    512
#define WINDOW    64            /* writes that nosync keeps in the air */
#define BIRTH     18            /* images that are of the first three records, the making of data.mdb: chance would rarely hit them */
#define ACKED     100000        /* highest number of an object */
#define SHOWN     3


typedef struct {
    const record_t  *head;
    const u_char    *data;
    int              meta;      /* 1: a write of a meta page */
} entry_t;

typedef enum { SOUND = 0, LOST, BROKEN } found_e;


static entry_t     *entries;
static size_t       nentries;
static u_char      *image;
static size_t       image_max;
static uint64_t     state;
static const char  *mode;
static char         dir[4096], file[4200], said[4200];


static uint64_t
next(void)
{
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;

    return (state * 0x2545f4914f6cdd1dULL) >> 16;
}


static void
fail(const char *what)
{
    perror(what);
    exit(2);
}


static void
load(const char *path)
{
    int              fd;
    size_t           n;
    u_char          *p, *end;
    struct stat      s;
    const record_t  *head;

    fd = open(path, O_RDONLY);

    if (fd == -1 || fstat(fd, &s) == -1 || s.st_size == 0) {
        fail(path);
    }

    p = mmap(NULL, (size_t) s.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (p == MAP_FAILED) {
        fail(path);
    }

    end = p + s.st_size;
    n = 0;

    while ((size_t) (end - p) >= sizeof(record_t)) {
        head = (record_t *) p;

        if (head->len > (size_t) (end - p) - sizeof(record_t)) {
            break;
        }

        if (nentries == n) {
            n = n ? 2 * n : 4096;
            entries = realloc(entries, n * sizeof(entry_t));
            if (entries == NULL) {
                fail("realloc");
            }
        }

        entries[nentries].head = head;
        entries[nentries].data = p + sizeof(record_t);
        entries[nentries].meta = (head->type == RECORD_WRITE && head->at < 8192 && head->len < 4096);
        nentries++;

        if (head->type == RECORD_WRITE && head->at + head->len > image_max) {
            image_max = head->at + head->len;
        }

        p += sizeof(record_t) + head->len;
    }

    image = calloc(1, image_max);

    if (image == NULL || nentries == 0) {
        fail("no records");
    }
}


/* of one write, the part that reached the disk; part 0: all of it */

static void
apply(const entry_t *e, int part)
{
    size_t  at, n;

    for (at = 0; at < e->head->len; at += n) {
        n = SECTOR - (e->head->at + at) % SECTOR;

        if (n > e->head->len - at) {
            n = e->head->len - at;
        }

        if (part && next() & 1) {
            continue;
        }

        memcpy(image + e->head->at + at, e->data + at, n);
    }
}


/* the disk when record `cut` was under way */

static void
make(size_t cut)
{
    int     torn, nosync;
    size_t  i, writes, durable;

    torn = strcmp(mode, "torn") == 0;
    nosync = strcmp(mode, "nosync") == 0;

    memset(image, 0, image_max);

    durable = 0;                                        /* records before it are on disk */

    if (nosync) {
        for (writes = 0, durable = cut + 1; durable && writes < WINDOW; durable--) {
            writes += (entries[durable - 1].head->type == RECORD_WRITE);
        }

    } else {
        for (i = 0; i < cut; i++) {
            if (entries[i].head->type == RECORD_SYNC) {
                durable = i + 1;
            }
        }
    }

    for (i = 0; i <= cut; i++) {

        if (entries[i].head->type != RECORD_WRITE) {
            continue;
        }

        if (i < durable || (i < cut && entries[i].head->synced && !nosync)) {
            apply(&entries[i], 0);

        } else if (torn || nosync) {
            apply(&entries[i], 1);

        } else if (next() & 1) {
            apply(&entries[i], 0);
        }
    }
}


/* image n of a seed */

static size_t
choose(uint64_t seed, uint64_t n)
{
    size_t  cut;

    state = (seed * 1000003 + n) * 0x9e3779b97f4a7c15ULL + 1;
    (void) next();
    (void) next();

    cut = next() % (n <= BIRTH && nentries > 3 ? 3 : nentries);
    make(cut);

    return cut;
}


static int
open_image(MDB_env **env, MDB_txn **txn)
{
    return mdb_env_create(env) == 0 && mdb_env_set_maxdbs(*env, 64) == 0 && mdb_env_open(*env, dir, MDB_RDONLY, 0600) == 0
           && mdb_txn_begin(*env, NULL, MDB_RDONLY, txn) == 0;
}


/* object n has a name that ends in "ack-" and n */

static void
read_names(MDB_txn *txn, u_char *names)
{
    char         digits[8];
    u_char      *p;
    MDB_dbi      dbi;
    MDB_val      key, value;
    MDB_cursor  *cursor;

    if (mdb_dbi_open(txn, "name", 0, &dbi) != 0 || mdb_cursor_open(txn, dbi, &cursor) != 0) {
        return;
    }

    while (mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == 0) {
        p = key.mv_data;

        if (key.mv_size > 10 && memcmp(p + key.mv_size - 10, "ack-", 4) == 0) {
            memcpy(digits, p + key.mv_size - 6, 6);
            digits[6] = '\0';
            names[strtoul(digits, NULL, 10) % ACKED] = 1;
        }
    }
}


/* a message that a gateway has got is claimed, or more */

static int
claimed(MDB_txn *txn, uint64_t message)
{
    u_char                      key[12];
    uint32_t                    seq;
    uint64_t                    no;
    MDB_val                     k, value;
    ngx_campaign_run_t          run;

    static ngx_log_t             log;
    static ngx_campaign_txn_t    t;
    static ngx_campaign_store_t  store;

    no = message / 100000;
    seq = (uint32_t) (message % 100000);

    t.store = &store;
    t.txn = txn;
    t.log = &log;
    t.quiet = 1;

    if (mdb_dbi_open(txn, "run", 0, &store.dbi[NGX_CAMPAIGN_DB_RUN]) != 0
        || ngx_campaign_lmdb_run_get(&t, no, &run) != NGX_CAMPAIGN_OK)
    {
        return 0;
    }

    if (seq < run.upto) {
        return 1;
    }

    ngx_campaign_be32_put(ngx_campaign_be64_put(key, no), seq / NGX_CAMPAIGN_CHUNK);
    k.mv_size = 12;
    k.mv_data = key;

    return mdb_dbi_open(txn, "chunk", 0, &store.dbi[NGX_CAMPAIGN_DB_CHUNK]) == 0
           && mdb_get(txn, store.dbi[NGX_CAMPAIGN_DB_CHUNK], &k, &value) == 0
           && ((u_char *) value.mv_data)[seq % NGX_CAMPAIGN_CHUNK] != 0;
}


/* in a process of its own: what was told before record `upto` has to be there */

static int
told(size_t upto)
{
    int             lost;
    size_t          i;
    MDB_env        *env;
    MDB_txn        *txn;

    static u_char   names[ACKED];

    for (i = 0; i < upto; i++) {
        if (entries[i].head->type == RECORD_ACKED || entries[i].head->type == RECORD_SENT) {
            break;
        }
    }

    if (i == upto) {
        return SOUND;                                   /* nothing was told yet: the store may not even be there */
    }

    if (!open_image(&env, &txn)) {
        return BROKEN;
    }

    read_names(txn, names);

    for (lost = 0, i = 0; i < upto; i++) {

        if (entries[i].head->type == RECORD_ACKED && !names[entries[i].head->at % ACKED]) {
            printf("object %" PRIu64 " was acknowledged and is lost\n", entries[i].head->at);
            lost++;
        }

        if (entries[i].head->type == RECORD_SENT && !claimed(txn, entries[i].head->at)) {
            printf("message %" PRIu64 " was sent and is not claimed\n", entries[i].head->at);
            lost++;
        }
    }

    return lost ? LOST : SOUND;
}


/* runs one look at the image; the child's status, or BROKEN */

static int
child(int look, size_t upto)
{
    int                         fd, status;
    pid_t                       pid;
    ngx_campaign_check_seen_t  *seen;

    (void) fflush(stdout);                              /* else both would write what waits */

    pid = fork();

    if (pid == -1) {
        fail("fork");
    }

    if (pid == 0) {
        fd = open(said, O_WRONLY|O_CREAT|O_APPEND, 0600);
        (void) dup2(fd, 1);
        (void) dup2(fd, 2);
        alarm(20);

        if (look == 0) {
            seen = calloc(1, sizeof(ngx_campaign_check_seen_t));
            status = ngx_campaign_check_run(dir, seen);

        } else {
            status = told(upto);
        }

        (void) fflush(stdout);
        _exit(status);
    }

    if (waitpid(pid, &status, 0) == -1) {
        fail("waitpid");
    }

    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}


/* how much of what was told has to be in the image */

static size_t
due(size_t cut)
{
    size_t  i, synced;

    if (strcmp(mode, "relaxed") != 0) {
        return cut;
    }

    for (synced = 0, i = 0; i < cut; i++) {
        if (entries[i].head->type == RECORD_SYNC) {
            synced = i;
        }
    }

    for (i = synced; i < cut && !entries[i].meta; i++) { /* void */ }

    return i;
}


static found_e
look(size_t cut)
{
    int     fd, rc;
    size_t  i;

    /* what is missing at its end reads as zeroes: a file that is cut short would be synced by ext4, each time */

    (void) unlink(said);
    (void) snprintf(file, sizeof(file), "%s/data.mdb", dir);

    fd = open(file, O_WRONLY|O_CREAT, 0600);

    if (fd == -1 || pwrite(fd, image, image_max, 0) != (ssize_t) image_max) {
        fail(file);
    }

    /* but one that had its first two pages only is known by that */

    for (i = 0; i < cut && (entries[i].head->type != RECORD_WRITE || entries[i].head->at + entries[i].head->len <= 8192); i++) {
        /* void */
    }

    if (i == cut && ftruncate(fd, 8192) == -1) {
        fail(file);
    }

    close(fd);

    rc = child(0, 0);

    if (rc == 2) {                                      /* no store yet: only while nothing was told */
        for (i = 0; i < cut; i++) {
            if (entries[i].head->type == RECORD_ACKED) {
                return BROKEN;
            }
        }

        return SOUND;
    }

    if (rc != 0) {
        return BROKEN;
    }

    rc = child(1, due(cut));

    return rc == SOUND ? SOUND : rc == LOST ? LOST : BROKEN;
}


static void
show(uint64_t n, size_t cut, found_e found)
{
    char   line[256];
    int    lines;
    FILE  *in;

    printf("image %" PRIu64 " at record %zu: %s\n", n, cut, found == LOST ? "lost" : "broken");

    in = fopen(said, "r");

    for (lines = 0; in && lines < 8 && fgets(line, sizeof(line), in); lines++) {
        printf("  %s", line);
    }

    if (in) {
        fclose(in);
    }
}


int
main(int argc, char **argv)
{
    size_t          cut;
    uint64_t        seed, n, counts[3], bad[SHOWN];
    unsigned        i, nbad;
    found_e         found;
    struct timespec begun, now;

    if (argc < 6) {
        fprintf(stderr, "usage: powercut RECORDING DIR MODE SEED SECONDS [IMAGE]\n");
        return 2;
    }

    mode = argv[3];
    seed = strtoull(argv[4], NULL, 10);
    (void) snprintf(dir, sizeof(dir), "%s", argv[2]);
    (void) snprintf(said, sizeof(said), "%s/said", argv[2]);

    load(argv[1]);

    memset(counts, 0, sizeof(counts));
    nbad = 0;

    (void) clock_gettime(CLOCK_MONOTONIC, &begun);

    for (n = argc > 6 ? strtoull(argv[6], NULL, 10) : 1; ; n++) {
        cut = choose(seed, n);
        found = look(cut);
        counts[found]++;

        if (found != SOUND && argc > 6) {
            show(n, cut, found);
        }

        if (found != SOUND && nbad < SHOWN) {
            bad[nbad++] = n;
        }

        (void) clock_gettime(CLOCK_MONOTONIC, &now);

        if (argc > 6 || now.tv_sec - begun.tv_sec + (now.tv_nsec - begun.tv_nsec) / 1e9 >= strtod(argv[5], NULL)) {
            break;
        }
    }

    printf("%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", counts[0] + counts[1] + counts[2], counts[0], counts[1], counts[2]);

    for (i = 0; i < nbad && argc <= 6; i++) {
        cut = choose(seed, bad[i]);
        show(bad[i], cut, look(cut));
    }

    return 0;
}
