
/*
 * LMDB as the store's engine: environment, tables and what its files share.  Only ngx_campaign_store_lmdb*.c include this.
 *
 * Tables (named databases) and their keys; numbers in keys are big-endian
 *   meta    "schema" "secret" "epoch", or 0x00 kind u8: last number given in that kind, u64; or 0x01 kind u8, account u32: last number in a
 *           name assigned there, u64
 *   rec     account u32 | kind u8 | no u64                         -> record (codec); a campaign's part that never changes
 *   name    account u32 | kind u8 | n u8, channel | name           -> no u64 (senders: channel; others: n = 0)
 *   list    account u32 | kind u8 | facet u8 | n u8, channel | status u8 | no u64  -> nothing; facet: 0 all, 1 by channel, 2 by
 *           status, 3 both; what a facet does not name is left out.  kind MESSAGE: campaigns of messages sent alone (rec.apart)
 *   count   the same without no                                    -> u64; kind MESSAGE, facet + 4: messages of all campaigns
 *   key     SHA-256 of an API key                                  -> account u32, no u64 of the key's record
 *   block   list u64 | block u32                                   -> packed contacts, NGX_CAMPAIGN_BLOCK a block; crc32c u32
 *   number  list u64                                               -> sorted doubles: number u64, seq u32 (audiences only)
 *   run     campaign u64                                           -> ngx_campaign_run_t (codec): what changes while it runs
 *   chunk   campaign u64 | chunk u32                               -> state bytes of NGX_CAMPAIGN_CHUNK messages; crc32c u32; absent: all zero
 *   again   campaign u64 | due u64 us | seq u32                    -> nothing; due 0: claimed
 *   tries   campaign u64 | seq u32                                 -> attempts u8, flags u8, due u64: of every message tried more than once
 *   leaving campaign u64 | seq u32                                 -> epoch u64: in flight with that dispatcher, which handed it over
 *   theirs  campaign u64 | seq u32                                 -> what the gateway calls that message
 *   ours    hash u64 of channel and what the gateway calls it      -> campaign u64, seq u32: the newest, if a receipt may name it so
 *   gone    campaign u64                                           -> channel: it is deleted, its entries of the two above are not yet
 *   sched   start u64 s | campaign u64                             -> account u32
 *   active  account u32 | campaign u64                             -> nothing: in progress, or a message of it is in flight
 *   feed    kind u8 | account u32 | no u64                         -> nothing: what the dispatcher has to look at again
 *   limit   account u32                                            -> tat i64 as u64
 *   idem    account u32 | idempotency key                          -> kept u64 us, digest, status u16, body; crc32c u32
 *   kept    account u32 | kept u64 us | idempotency key            -> nothing
 *   kept    account u32                                            -> u64: how many
 *   hook    webhook u64                                            -> ngx_campaign_queue_t (codec)
 *   event   webhook u64 | event u64                                -> ngx_campaign_event_t (codec)
 *   due     webhook u64 | due u64 us | event u64                   -> nothing; due NEVER: failed for good
 *   hold    webhook u64 | campaign u64 | seq u32                   -> event u64: waits for a repeat, later ones of its message for it
 *
 * A campaign's message seq is place seq of its list.  [0, done) is settled or waits in `again`; [done, upto) was claimed: a PENDING byte
 * there is a message in flight; [upto, span) is fresh.  A message that is handed over waits in `again` with due 0, as a repeat in flight does,
 * until its outcome is recorded; or a receipt has settled it meanwhile, and its outcome will only take it out of `leaving`.
 *
 * Status, schedule and date of change of a campaign are in `run`; its record keeps those of its creation, its lists follow `run`.  A
 * cancel writes no state byte and leaves `again` as it is: in a canceled campaign each fresh message, and each RETRY byte without an entry
 * of due 0, is CANCELED (reason CANCELED) and counted so.
 */

#ifndef _NGX_CAMPAIGN_STORE_LMDB_H_INCLUDED_
#define _NGX_CAMPAIGN_STORE_LMDB_H_INCLUDED_


#include "ngx_campaign_store.h"
#include "ngx_campaign_store_op.h"
#include "ngx_campaign_codec.h"

#include <lmdb.h>                               /* after nginx's headers, which choose what the system's declare */


#define NGX_CAMPAIGN_SCHEMA  1

#define NGX_CAMPAIGN_DAMAGED_MAX  64            /* campaigns and accounts; with more of them a store is of no use */

#define NGX_CAMPAIGN_TRY_UNCERTAIN  1           /* flags of `tries` */
#define NGX_CAMPAIGN_TRY_DEATHS     1           /* with it, from this bit on: weight of the deaths in a row that it was there at */

#define ngx_campaign_states_deaths(flags)  (((flags) & NGX_CAMPAIGN_TRY_UNCERTAIN) ? (flags) >> NGX_CAMPAIGN_TRY_DEATHS : 0)

/* lists of contacts (keys of `block`): an audience's, and the recipients given with a campaign */

#define NGX_CAMPAIGN_LIST_AUDIENCE(no)  ((uint64_t) (no) << 1)
#define NGX_CAMPAIGN_LIST_CAMPAIGN(no)  ((uint64_t) (no) << 1 | 1)

#define NGX_CAMPAIGN_LIST_KEY  32               /* most bytes of a key of `list` */
#define NGX_CAMPAIGN_NAME_KEY  (6 + NGX_CAMPAIGN_CHANNEL_MAX + NGX_CAMPAIGN_NAME_MAX * 4)    /* of `name` */
#define NGX_CAMPAIGN_FACETS    4
#define NGX_CAMPAIGN_FACET_MESSAGES  4          /* in keys of `count`: messages, not campaigns */


typedef enum {
    NGX_CAMPAIGN_DB_META = 0,
    NGX_CAMPAIGN_DB_REC,
    NGX_CAMPAIGN_DB_NAME,
    NGX_CAMPAIGN_DB_LIST,
    NGX_CAMPAIGN_DB_COUNT,
    NGX_CAMPAIGN_DB_KEY,
    NGX_CAMPAIGN_DB_BLOCK,
    NGX_CAMPAIGN_DB_NUMBER,
    NGX_CAMPAIGN_DB_RUN,
    NGX_CAMPAIGN_DB_CHUNK,
    NGX_CAMPAIGN_DB_AGAIN,
    NGX_CAMPAIGN_DB_TRIES,
    NGX_CAMPAIGN_DB_SCHED,
    NGX_CAMPAIGN_DB_ACTIVE,
    NGX_CAMPAIGN_DB_FEED,
    NGX_CAMPAIGN_DB_LIMIT,
    NGX_CAMPAIGN_DB_IDEM,
    NGX_CAMPAIGN_DB_KEPT,
    NGX_CAMPAIGN_DB_THEIRS,
    NGX_CAMPAIGN_DB_OURS,
    NGX_CAMPAIGN_DB_GONE,
    NGX_CAMPAIGN_DB_SUPPRESS,
    NGX_CAMPAIGN_DB_LAPSE,
    NGX_CAMPAIGN_DB_HOOK,
    NGX_CAMPAIGN_DB_EVENT,
    NGX_CAMPAIGN_DB_DUE,
    NGX_CAMPAIGN_DB_HOLD,
    NGX_CAMPAIGN_DB_LEAVING,
    NGX_CAMPAIGN_DB_MAX
} ngx_campaign_db_e;


/* a transaction at work, in the event loop (reads) or on the writer's thread */

typedef struct {
    ngx_campaign_store_t      *store;
    MDB_txn                   *txn;
    ngx_log_t                 *log;
    int64_t                    now;             /* us, the same for the whole transaction */
    int                        err;             /* LMDB's code behind NGX_CAMPAIGN_FAILURE, _FULL or _UNAVAILABLE; 0 */
    MDB_cursor               **near;            /* NULL, or one a table, NULL or where its last entry was: see _near */
    unsigned                   quiet:1;         /* a group: who fails in it is run again alone, and logged then */
} ngx_campaign_txn_t;

/*
 * Work of an operation.  It may be run more than once (a group whose commit failed is repeated one by one), so it must set
 * its results anew each time and leave its arguments as they are.  Any rc but OK has to be found before its first write, unless it is an
 * error of LMDB (ngx_campaign_lmdb_failed), which ends the whole transaction.
 */
typedef ngx_campaign_rc_e (*ngx_campaign_work_pt)(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args);

/* which writes go into the last room of map and disk */

typedef enum {
    NGX_CAMPAIGN_ROOM_LAST = 0,                 /* outcomes, cancels, deletes: to the end */
    NGX_CAMPAIGN_ROOM_CLAIM,                    /* claims: as long as their outcomes will find room, too */
    NGX_CAMPAIGN_ROOM_NEW                       /* what is new */
} ngx_campaign_room_e;

typedef struct ngx_campaign_writer_s  ngx_campaign_writer_t;
typedef struct ngx_campaign_held_s    ngx_campaign_held_t;
typedef struct ngx_campaign_visits_s  ngx_campaign_visits_t;

struct ngx_campaign_store_s {
    ngx_campaign_store_life_t  life;            /* stands first: see ngx_campaign_store_op.h */
    ngx_campaign_store_conf_t *conf;
    ngx_log_t                 *log;
    ngx_pool_t                *pool;            /* the store's own memory */
    MDB_env                   *env;             /* NULL: closed, is being reopened */
    MDB_dbi                    dbi[NGX_CAMPAIGN_DB_MAX];
    MDB_txn                   *read;            /* reset between uses; event loop only */
    ngx_campaign_writer_t     *writer;
    ngx_campaign_held_t       *held;            /* idempotency keys that this process carries out */
    ngx_campaign_visits_t     *visits;          /* keeps the environment in place under walks */
    uint32_t                   swept;           /* account whose old answers were looked for last; by the writer */
    time_t                     full;            /* when a full disk or map was last logged; by the writer */
    time_t                     refused;         /* the same of one that takes no writes */
    ngx_uint_t                 closed;          /* tries to open the environment again that failed, in a row; one a second */
    ngx_uint_t                 refuses;         /* 1: that was logged, and nothing is committed since; by the writer */
    uint64_t                   damaged[NGX_CAMPAIGN_DAMAGED_MAX];  /* who turns pass over: see _damage.c */
    ngx_uint_t                 ndamaged;        /* atomic */
    ngx_uint_t                 disk;            /* 1: it has no room but the reserve; 2: the reserve is used, too; atomic */
    off_t                      reserved;        /* size of data.mdb when the room behind it was last reserved */
    u_char                    *data;            /* path of data.mdb */
    u_char                    *cut;             /* path of its note: see _cut.c */
    ino_t                      inode, dir_inode;        /* of data.mdb, and of the directory */
    dev_t                      device, dir_device;
    pid_t                      owner;
    ngx_fd_t                   place;           /* locked: see _place.c */
    ngx_queue_t                places;
    unsigned                   placed:1;        /* in places */
    unsigned                   replaced:1;      /* data.mdb is not the file that is open */
    unsigned                   no_reserve:1;    /* the file system cannot */
    ngx_queue_t                deferred;        /* reads that wait until the environment can be mended */
    ngx_event_t                tick;            /* each second: dead readers, an environment that has to be opened again */
    u_char                     secret[NGX_CAMPAIGN_SECRET_LEN];
};


/* what changes of a campaign; its codec table is in _campaign.c */

typedef struct {
    uint32_t                   account;
    ngx_uint_t                 status;
    uint64_t                   epoch;           /* of the dispatcher that claimed last */
    uint32_t                   done, upto;
    time_t                     updated;
    time_t                     schedule;        /* with the changes made by PUT */
    ngx_campaign_progress_t    progress;
} ngx_campaign_run_t;


/* ngx_campaign_store_lmdb.c */

/* begins a read in the event loop, runs work, copies are in op->pool; `done` is posted.  NGX_AGAIN or NGX_ERROR as a starting call */
ngx_int_t ngx_campaign_lmdb_read(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_work_pt work, void *args);

/* LMDB's code as ours: logs it once with what was being done; MAP_FULL, ENOSPC, EDQUOT: FULL.  Sets t->err */
ngx_campaign_rc_e ngx_campaign_lmdb_failed(ngx_campaign_txn_t *t, int err, const char *what);

/*
 * A reader that gets many entries which are neighbours: from _near to _far those of rec and run are looked for where the last one was, before
 * the tree is walked down anew.  LMDB's own codes
 */
int ngx_campaign_lmdb_near(ngx_campaign_txn_t *t, MDB_cursor **near);
void ngx_campaign_lmdb_far(ngx_campaign_txn_t *t);

/* 0, MDB_NOTFOUND or another code, as LMDB's own; key and value are plain bytes.  _add: MDB_KEYEXIST, what is there stays */
int ngx_campaign_lmdb_get(ngx_campaign_txn_t *t, ngx_campaign_db_e db, const void *key, size_t klen, MDB_val *value);
int ngx_campaign_lmdb_put(ngx_campaign_txn_t *t, ngx_campaign_db_e db, const void *key, size_t klen, const void *value, size_t vlen);
int ngx_campaign_lmdb_add(ngx_campaign_txn_t *t, ngx_campaign_db_e db, const void *key, size_t klen, const void *value, size_t vlen);
int ngx_campaign_lmdb_del(ngx_campaign_txn_t *t, ngx_campaign_db_e db, const void *key, size_t klen);

/* the first entry at *key or behind it, mv_size 0: of all; both are the entry's then, until the next write.  LMDB's own codes */
int ngx_campaign_lmdb_first(ngx_campaign_txn_t *t, ngx_campaign_db_e db, MDB_val *key, MDB_val *value);

/*
 * Heals the environment after LMDB's code err of a begin: takes over a map that another process resized, else closes and opens it
 * again.  In the event loop, while no transaction is under way in this process.  NGX_ERROR: nothing to be mended, or the store is closed
 * now and the tick tries again.
 */
ngx_int_t ngx_campaign_lmdb_mend(ngx_campaign_store_t *st, int err);

/* runs the reads that waited for the writer, so that the environment can be mended */
void ngx_campaign_lmdb_read_deferred(ngx_campaign_store_t *st);

/* closes the environment and frees the store: tests and tools.  A worker just exits (LMDB 0.9.26 to 0.9.31 races in mdb_env_close) */
void ngx_campaign_lmdb_close(ngx_campaign_store_t *st);

/* ngx_campaign_store_lmdb_open.c: NGX_ERROR was logged, with the mend */

/* whether directory and files may be used at all */
ngx_int_t ngx_campaign_lmdb_check(ngx_campaign_store_t *st);

/* of a named database, as in the key plan */
const char *ngx_campaign_lmdb_table_name(ngx_campaign_db_e db);

/* "; what to do", or nothing */
const char *ngx_campaign_lmdb_mend_text(int err);

/* environment, tables, schema and secret; nothing of a failed one stays open */
ngx_int_t ngx_campaign_lmdb_env_open(ngx_campaign_store_t *st);
void ngx_campaign_lmdb_env_close(ngx_campaign_store_t *st);

/* ngx_campaign_store_lmdb_space.c */

/* after the work of a transaction, before its commit: FULL, logged, if it takes room that is not for it */
ngx_campaign_rc_e ngx_campaign_lmdb_room(ngx_campaign_txn_t *t, ngx_campaign_room_e room);

/* 1: data.mdb is another file by now.  On any thread */
ngx_uint_t ngx_campaign_lmdb_replaced(ngx_campaign_store_t *st);

/* with a new environment; and each second, in the event loop: the reserve, and whether data.mdb was replaced */
ngx_int_t ngx_campaign_lmdb_watch_init(ngx_campaign_store_t *st);
void ngx_campaign_lmdb_watch(ngx_campaign_store_t *st);

/* ngx_campaign_store_lmdb_holder.c: the process that holds the write lock; 0: not known */
pid_t ngx_campaign_lmdb_holder(ngx_campaign_store_t *st);

/* data.mdb of this size holds LMDB's two meta pages at most: nothing was ever committed to it */
#define ngx_campaign_lmdb_blank(size)  ((size) <= 2 * (off_t) sysconf(_SC_PAGESIZE))

/* ngx_campaign_store_lmdb_place.c: NGX_ERROR: opened elsewhere, logged */

ngx_int_t ngx_campaign_lmdb_place_take(ngx_campaign_store_t *st);
void ngx_campaign_lmdb_place_leave(ngx_campaign_store_t *st);

/* ngx_campaign_store_lmdb_cut.c */

/* before the file is opened.  NGX_ERROR: it is known to be cut off, logged */
ngx_int_t ngx_campaign_lmdb_cut_check(ngx_campaign_store_t *st);

/* once it is: SIGBUS is this process's */
void ngx_campaign_lmdb_cut_watch(ngx_campaign_store_t *st);
void ngx_campaign_lmdb_cut_leave(ngx_campaign_store_t *st);

/* ngx_campaign_store_lmdb_write.c: the only file with threads */

ngx_int_t ngx_campaign_lmdb_writer_init(ngx_campaign_store_t *st);

/* 1: a transaction may be under way on the writer's thread, the environment must stay as it is */
ngx_uint_t ngx_campaign_lmdb_writing(ngx_campaign_store_t *st);

/* each second: a writer that waits too long for another process is told of, and what waits behind it is refused */
void ngx_campaign_lmdb_writer_tick(ngx_campaign_store_t *st);

/* commits all that waits, on this thread */
void ngx_campaign_lmdb_writer_flush(ngx_campaign_store_t *st);

/* monotonic ms, on any thread */
int64_t ngx_campaign_lmdb_clock(void);

/* _works: a batch is to be run, or runs, on a thread; _rests: nor does anything wait to be written */
ngx_uint_t ngx_campaign_lmdb_writer_works(ngx_campaign_store_t *st);
ngx_uint_t ngx_campaign_lmdb_writer_rests(ngx_campaign_store_t *st);

/* ms that it has waited for the write lock, 0: it does not; and not to wait any longer: whatever comes, nothing begins any more */
ngx_msec_t ngx_campaign_lmdb_writer_waits(ngx_campaign_store_t *st);
void ngx_campaign_lmdb_writer_give_up(ngx_campaign_store_t *st);

void ngx_campaign_lmdb_writer_close(ngx_campaign_store_t *st);

/* hands work to the writer: all that waits is committed together; `done` runs in the event loop after the commit */
ngx_int_t ngx_campaign_lmdb_write(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_work_pt work, void *args);

/* the same, of an operation that leaves the last room to others */
ngx_int_t ngx_campaign_lmdb_write_room(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_work_pt work, void *args,
    ngx_campaign_room_e room);

/* runs one work in a transaction of its own at once, on this thread: opening and tests */
ngx_campaign_rc_e ngx_campaign_lmdb_write_now(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_work_pt work, void *args);

/* ngx_campaign_store_lmdb_visit.c */

ngx_int_t ngx_campaign_lmdb_visits_init(ngx_campaign_store_t *st);

/* no slice of a walk is under way between the two */
void ngx_campaign_lmdb_visits_stop(ngx_campaign_store_t *st);
void ngx_campaign_lmdb_visits_go(ngx_campaign_store_t *st);

/* ngx_campaign_store_lmdb_idem.c */

ngx_int_t ngx_campaign_lmdb_held_init(ngx_campaign_store_t *st);
void ngx_campaign_lmdb_held_close(ngx_campaign_store_t *st);

/* a byte of the file whose locked bytes are keys that are carried out.  NGX_BUSY: another process has it locked; NGX_ERROR: errno */

typedef enum {
    NGX_CAMPAIGN_HELD_ASK = 0,
    NGX_CAMPAIGN_HELD_LOCK,
    NGX_CAMPAIGN_HELD_UNLOCK
} ngx_campaign_held_e;

ngx_int_t ngx_campaign_lmdb_held_lock(ngx_campaign_store_t *st, ngx_campaign_held_e what, uint64_t place);

/* what the writer runs: op->work, with op->idem's key */
ngx_campaign_rc_e ngx_campaign_lmdb_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, ngx_campaign_work_pt work, void *args);

/* ngx_campaign_store_lmdb_record.c: records of every kind, by a table of kinds */

/* the next number of a kind */
ngx_campaign_rc_e ngx_campaign_lmdb_number(ngx_campaign_txn_t *t, ngx_campaign_kind_e kind, uint64_t *no);

/* reads a record (strings copied to pool; pool NULL: they point into the map) */
ngx_campaign_rc_e ngx_campaign_lmdb_record_get(ngx_campaign_txn_t *t, ngx_campaign_kind_e kind, uint32_t account, uint64_t no,
    ngx_pool_t *pool, void *out);

/* by id; its number, too */
ngx_campaign_rc_e ngx_campaign_lmdb_record_find(ngx_campaign_txn_t *t, ngx_campaign_kind_e kind, uint32_t account, const u_char *id,
    ngx_pool_t *pool, void *out);

/* EXISTS: the name is taken.  Reads only */
ngx_campaign_rc_e ngx_campaign_lmdb_record_name(ngx_campaign_txn_t *t, ngx_campaign_kind_e kind, const ngx_campaign_rec_t *rec);

/* gives number, id, dates and an empty name a name (in pool), writes record, name, lists and counts */
ngx_campaign_rc_e ngx_campaign_lmdb_record_create(ngx_campaign_txn_t *t, ngx_campaign_kind_e kind, void *rec, ngx_pool_t *pool);

/* writes the record anew (head's name, channel, status must be as stored, but see _rename and _move) */
ngx_campaign_rc_e ngx_campaign_lmdb_record_update(ngx_campaign_txn_t *t, ngx_campaign_kind_e kind, void *rec);

/* the same record under another name: the index only */
ngx_campaign_rc_e ngx_campaign_lmdb_record_rename(ngx_campaign_txn_t *t, ngx_campaign_kind_e kind, const ngx_campaign_rec_t *rec,
    const ngx_str_t *old);

/* a record changed its status: lists and counts follow */
ngx_campaign_rc_e ngx_campaign_lmdb_record_move(ngx_campaign_txn_t *t, ngx_campaign_kind_e kind, const ngx_campaign_rec_t *rec,
    ngx_uint_t old, ngx_uint_t now);

/* record, name, lists and counts go; status: the one it is listed under */
ngx_campaign_rc_e ngx_campaign_lmdb_record_delete(ngx_campaign_txn_t *t, ngx_campaign_kind_e kind, const ngx_campaign_rec_t *rec);

/* the number behind rec's account, channel and name; NOT_FOUND */
ngx_campaign_rc_e ngx_campaign_lmdb_record_name_find(ngx_campaign_txn_t *t, ngx_campaign_kind_e kind, const ngx_campaign_rec_t *rec,
    uint64_t *no);

/* FAILURE: a string of rec is longer than the store can keep (the wire contract's limits are far below).  Reads only */
ngx_campaign_rc_e ngx_campaign_lmdb_record_fits(ngx_campaign_txn_t *t, ngx_campaign_kind_e kind, const ngx_campaign_rec_t *rec);

/* the key's record by its SHA-256; NOT_FOUND */
ngx_campaign_rc_e ngx_campaign_lmdb_key_find(ngx_campaign_txn_t *t, const u_char *hash, uint32_t *account, uint64_t *no);

/* bytes of the struct of a kind; 0: no kind of record */
size_t ngx_campaign_lmdb_record_size(ngx_campaign_kind_e kind);

/*
 * Key of `count`, and of `list` without its number, at key (room for NGX_CAMPAIGN_LIST_KEY); returns its length.  channel empty,
 * status 0: any.  channel has NGX_CAMPAIGN_CHANNEL_MAX bytes at most
 */
size_t ngx_campaign_lmdb_record_list(u_char *key, ngx_campaign_kind_e kind, uint32_t account, const ngx_str_t *channel, ngx_uint_t status);

/* the same of the list of this facet that rec stands in (status: the one it is listed under); 0: rec stands in no such list */
size_t ngx_campaign_lmdb_record_facet(u_char *key, ngx_campaign_kind_e kind, const ngx_campaign_rec_t *rec, ngx_uint_t facet);

/* key of `name` (room for NGX_CAMPAIGN_NAME_KEY); 0: names of its kind are not looked up, or nothing can be called that */
size_t ngx_campaign_lmdb_record_name_key(u_char *key, ngx_campaign_kind_e kind, const ngx_campaign_rec_t *rec, const ngx_str_t *name);

/* a number stored under a key; 0 if there is none */
ngx_campaign_rc_e ngx_campaign_lmdb_counter_get(ngx_campaign_txn_t *t, ngx_campaign_db_e db, const u_char *key, size_t len,
    uint64_t *value);

/* ngx_campaign_store_lmdb_page.c: tokens of pages, bound by a MAC to the page's account, kind, filters, and to `list` (0: not of contacts) */

typedef struct {
    ngx_uint_t                 back;            /* 0: the page after key, 1: the page before it, in the order of the list */
    uint64_t                   key;             /* of the item next to the page, not in it; < 2^54 */
    uint64_t                   number;          /* of the page, from 1 */
} ngx_campaign_place_t;

/* sets token (in pool); NGX_ERROR: no memory */
ngx_int_t ngx_campaign_lmdb_token_make(ngx_campaign_store_t *st, ngx_pool_t *pool, const ngx_campaign_page_t *page, uint64_t list,
    const ngx_campaign_place_t *place, ngx_str_t *token);

/* reads page->token, not empty.  NGX_DECLINED: not one of this list */
ngx_int_t ngx_campaign_lmdb_token_open(ngx_campaign_store_t *st, const ngx_campaign_page_t *page, uint64_t list,
    ngx_campaign_place_t *place);

/*
 * ngx_campaign_store_lmdb_event.c: an event for the account's webhook of that kind, if it has an active one, in the transaction that changes
 * what it tells of
 */

/* a campaign has a new status */
ngx_campaign_rc_e ngx_campaign_lmdb_event_campaign(ngx_campaign_txn_t *t, const ngx_campaign_rec_t *rec, ngx_campaign_status_e to);

/* an inbound message; strings are copied, any of them may be empty */
ngx_campaign_rc_e ngx_campaign_lmdb_event_message(ngx_campaign_txn_t *t, uint32_t account, const ngx_str_t *channel,
    const ngx_str_t *from, const ngx_str_t *to, const ngx_str_t *text);

/* ngx_campaign_store_lmdb_webhook.c */

/* a new webhook has an empty queue */
ngx_campaign_rc_e ngx_campaign_lmdb_webhook_made(ngx_campaign_txn_t *t, const ngx_campaign_webhook_t *w);

/* fills the queue of a webhook whose record was read */
ngx_campaign_rc_e ngx_campaign_lmdb_webhook_queue(ngx_campaign_txn_t *t, ngx_campaign_webhook_t *w);

/* its events go with it */
ngx_campaign_rc_e ngx_campaign_lmdb_webhook_drop(ngx_campaign_txn_t *t, uint64_t webhook);

/* ngx_campaign_store_lmdb_block.c: lists of contacts; the operations on them are in _contact.c and _search.c */

/* appends the pile to list from place *next on; *next moves on.  unique: number index; doubles are counted, not stored */
ngx_campaign_rc_e ngx_campaign_lmdb_contacts_add(ngx_campaign_txn_t *t, uint64_t list, uint32_t *next, ngx_campaign_pile_t *pile,
    ngx_uint_t unique, uint32_t *created, uint32_t *duplicates);

/* removes every block (and number) of list */
ngx_campaign_rc_e ngx_campaign_lmdb_contacts_drop(ngx_campaign_txn_t *t, uint64_t list);

/* removes every entry of a table (without doubles) whose key begins with prefix */
ngx_campaign_rc_e ngx_campaign_lmdb_prefix_drop(ngx_campaign_txn_t *t, ngx_campaign_db_e db, const u_char *prefix, size_t len);

/* walks places [seq, …) of a list; strings of a contact point into the map */

typedef struct {
    uint64_t                   list;
    uint32_t                   seq;             /* of the contact that _next gives */
    uint32_t                   in_block;
    const u_char              *block, *p, *end; /* verified: its first contact, the next one, behind the last */
} ngx_campaign_walk_t;

void ngx_campaign_lmdb_walk_init(ngx_campaign_walk_t *w, uint64_t list, uint32_t seq);

/* the same, with what w (zeroed before the first time) has read already: no block was written since */
void ngx_campaign_lmdb_walk_to(ngx_campaign_walk_t *w, uint64_t list, uint32_t seq);

/* OK: the contact at w->seq, which moves on by one; NOT_FOUND: the list ends; others: failed */
ngx_campaign_rc_e ngx_campaign_lmdb_walk_next(ngx_campaign_txn_t *t, ngx_campaign_walk_t *w, ngx_campaign_contact_t *contact);

/* ngx_campaign_store_lmdb_message.c */

/* n messages of a new campaign, or (add 0) of one that goes, in the totals of its account and channel */
ngx_campaign_rc_e ngx_campaign_lmdb_message_count(ngx_campaign_txn_t *t, const ngx_campaign_rec_t *campaign, uint32_t n, ngx_uint_t add);

/* ngx_campaign_store_lmdb_theirs.c: what gateways call our messages */

/* notes it for message seq of a campaign, if it has none; found: by it, too (ngx_campaign_lmdb_ours_get) */
ngx_campaign_rc_e ngx_campaign_lmdb_theirs_put(ngx_campaign_txn_t *t, const ngx_str_t *channel, uint64_t campaign, uint32_t seq,
    const ngx_str_t *id, ngx_uint_t found);

/* *id is empty if it is not known; else copied to pool (NULL: it points into the map) */
ngx_campaign_rc_e ngx_campaign_lmdb_theirs_get(ngx_campaign_txn_t *t, uint64_t campaign, uint32_t seq, ngx_pool_t *pool, ngx_str_t *id);

/* the message that the gateway of the channel calls so; NOT_FOUND */
ngx_campaign_rc_e ngx_campaign_lmdb_ours_get(ngx_campaign_txn_t *t, const ngx_str_t *channel, const ngx_str_t *id, uint64_t *campaign,
    uint32_t *seq);

/* a campaign goes: those of its messages are removed in steps.  Any: there is one that waits for it */
ngx_campaign_rc_e ngx_campaign_lmdb_theirs_drop(ngx_campaign_txn_t *t, const ngx_campaign_rec_t *campaign);
ngx_campaign_rc_e ngx_campaign_lmdb_theirs_step(ngx_campaign_txn_t *t);
ngx_campaign_rc_e ngx_campaign_lmdb_theirs_any(ngx_campaign_txn_t *t, ngx_uint_t *any);

/* ngx_campaign_store_lmdb_campaign.c */

ngx_campaign_rc_e ngx_campaign_lmdb_run_get(ngx_campaign_txn_t *t, uint64_t campaign, ngx_campaign_run_t *run);
ngx_campaign_rc_e ngx_campaign_lmdb_run_put(ngx_campaign_txn_t *t, uint64_t campaign, const ngx_campaign_run_t *run);

/* a whole campaign: its record and what changes of it */
ngx_campaign_rc_e ngx_campaign_lmdb_campaign_get(ngx_campaign_txn_t *t, uint32_t account, uint64_t no, ngx_pool_t *pool,
    ngx_campaign_campaign_t *c);

/* status of a campaign moves on: lists, sched, active, feed, counters of what is canceled, dates; run is changed, not written */
ngx_campaign_rc_e ngx_campaign_lmdb_campaign_move(ngx_campaign_txn_t *t, const ngx_campaign_rec_t *rec, ngx_campaign_run_t *run,
    ngx_campaign_status_e to);

/* takes a scheduled campaign out of `sched`; run->schedule is still what it was put there with */
ngx_campaign_rc_e ngx_campaign_lmdb_sched_del(ngx_campaign_txn_t *t, const ngx_campaign_rec_t *rec, const ngx_campaign_run_t *run);

/* tells the dispatcher to look at an account or campaign again */
ngx_campaign_rc_e ngx_campaign_lmdb_feed(ngx_campaign_txn_t *t, ngx_campaign_kind_e kind, uint32_t account, uint64_t no);


#endif /* _NGX_CAMPAIGN_STORE_LMDB_H_INCLUDED_ */
