
/*
 * LMDB as the store's engine: environment, tables and what its files share.  Only ngx_campaign_store_lmdb*.c include this.
 *
 * Tables (named databases) and their keys; numbers in keys are big-endian
 *   meta    "schema" "secret" "epoch", or 0x00 kind u8: last number given in that kind
 *   rec     account u32 | kind u8 | no u64                         -> record (codec); a campaign's part that never changes
 *   name    account u32 | kind u8 | n u8, channel | name           -> no u64 (senders: channel; others: n = 0)
 *   list    account u32 | kind u8 | facet u8 | channel, status | no u64  -> nothing; records by channel, status, both
 *   count   the same without no; facet 0: all                      -> u64
 *   key     SHA-256 of an API key                                  -> account u32, no u64 of the key's record
 *   block   list u64 | block u32                                   -> packed contacts, NGX_CAMPAIGN_BLOCK a block; crc32c u32
 *   number  list u64                                               -> sorted doubles: number u64, seq u32 (audiences only)
 *   run     campaign u64                                           -> ngx_campaign_run_t (codec): what changes while it runs
 *   chunk   campaign u64 | chunk u32                               -> state bytes of NGX_CAMPAIGN_CHUNK messages; crc32c u32; absent: all zero
 *   again   campaign u64 | due u64 us | seq u32                    -> nothing; due 0: claimed
 *   tries   campaign u64 | seq u32                                 -> attempts u8, flags u8, due u64: of every message tried more than once
 *   sched   start u64 s | campaign u64                             -> account u32
 *   active  account u32 | campaign u64                             -> nothing: in progress, or a message of it is in flight
 *   feed    kind u8 | account u32 | no u64                         -> nothing: what the dispatcher has to look at again
 *   limit   account u32                                            -> tat i64 as u64
 *
 * A campaign's message seq is place seq of its list.  [0, done) is settled or waits in `again`; [done, upto) was claimed: a PENDING byte
 * there is a message in flight; [upto, span) is fresh.
 */

#ifndef _NGX_CAMPAIGN_STORE_LMDB_H_INCLUDED_
#define _NGX_CAMPAIGN_STORE_LMDB_H_INCLUDED_


#include <lmdb.h>

#include "ngx_campaign_store.h"
#include "ngx_campaign_codec.h"


#define NGX_CAMPAIGN_SCHEMA  1

#define NGX_CAMPAIGN_TRY_UNCERTAIN  1           /* flags of `tries` */


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
    NGX_CAMPAIGN_DB_MAX
} ngx_campaign_db_e;


/* a transaction at work, in the event loop (reads) or on the writer's thread */

typedef struct {
    ngx_campaign_store_t      *store;
    MDB_txn                   *txn;
    ngx_log_t                 *log;
    int64_t                    now;             /* us, the same for the whole transaction */
    int                        err;             /* LMDB's code behind NGX_CAMPAIGN_FAILURE or _FULL; 0 */
} ngx_campaign_txn_t;

/*
 * Work of an operation.  It may be run more than once (a group whose commit failed is repeated one by one), so it must set
 * its results anew each time and leave its arguments as they are.  Any rc but OK has to be found before its first write, unless it is an
 * error of LMDB (ngx_campaign_lmdb_failed), which ends the whole transaction.
 */
typedef ngx_campaign_rc_e (*ngx_campaign_work_pt)(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args);

typedef struct ngx_campaign_writer_s  ngx_campaign_writer_t;

struct ngx_campaign_store_s {
    ngx_campaign_store_conf_t *conf;
    ngx_log_t                 *log;
    MDB_env                   *env;
    MDB_dbi                    dbi[NGX_CAMPAIGN_DB_MAX];
    MDB_txn                   *read;            /* reset between uses; event loop only */
    ngx_campaign_writer_t     *writer;
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

/* 0, MDB_NOTFOUND or another code, as LMDB's own; key and value are plain bytes */
int ngx_campaign_lmdb_get(ngx_campaign_txn_t *t, ngx_campaign_db_e db, const void *key, size_t klen, MDB_val *value);
int ngx_campaign_lmdb_put(ngx_campaign_txn_t *t, ngx_campaign_db_e db, const void *key, size_t klen, const void *value, size_t vlen);
int ngx_campaign_lmdb_del(ngx_campaign_txn_t *t, ngx_campaign_db_e db, const void *key, size_t klen);

/* ngx_campaign_store_lmdb_write.c: the only file with threads */

ngx_int_t ngx_campaign_lmdb_writer_init(ngx_campaign_store_t *st);

/* hands work to the writer: all that waits is committed together; `done` runs in the event loop after the commit */
ngx_int_t ngx_campaign_lmdb_write(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_work_pt work, void *args);

/* runs one work in a transaction of its own at once, on this thread: opening and tests */
ngx_campaign_rc_e ngx_campaign_lmdb_write_now(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_work_pt work, void *args);

/* ngx_campaign_store.c: `done` is called from the event loop, or the pool destroyed if the caller went away */
void ngx_campaign_op_begin(ngx_campaign_store_t *st, ngx_campaign_op_t *op);
void ngx_campaign_op_post(ngx_campaign_op_t *op, ngx_campaign_rc_e rc);
void ngx_campaign_op_done(ngx_campaign_op_t *op);

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

/* ngx_campaign_store_lmdb_contact.c */

/* appends the pile to list from place *next on; *next moves on.  unique: number index; doubles are counted, not stored */
ngx_campaign_rc_e ngx_campaign_lmdb_contacts_add(ngx_campaign_txn_t *t, uint64_t list, uint32_t *next, ngx_campaign_pile_t *pile,
    ngx_uint_t unique, uint32_t *created, uint32_t *duplicates);

/* removes every block (and number) of list */
ngx_campaign_rc_e ngx_campaign_lmdb_contacts_drop(ngx_campaign_txn_t *t, uint64_t list);

/* walks places [seq, …) of a list; strings of a contact point into the map */

typedef struct {
    uint64_t                   list;
    uint32_t                   seq;             /* of the contact that _next gives */
    uint32_t                   in_block;
    const u_char              *p, *end;
} ngx_campaign_walk_t;

void ngx_campaign_lmdb_walk_init(ngx_campaign_walk_t *w, uint64_t list, uint32_t seq);

/* OK: the contact at w->seq, which moves on by one; NOT_FOUND: the list ends; others: failed */
ngx_campaign_rc_e ngx_campaign_lmdb_walk_next(ngx_campaign_txn_t *t, ngx_campaign_walk_t *w, ngx_campaign_contact_t *contact);

/* ngx_campaign_store_lmdb_campaign.c */

ngx_campaign_rc_e ngx_campaign_lmdb_run_get(ngx_campaign_txn_t *t, uint64_t campaign, ngx_campaign_run_t *run);
ngx_campaign_rc_e ngx_campaign_lmdb_run_put(ngx_campaign_txn_t *t, uint64_t campaign, const ngx_campaign_run_t *run);

/* a whole campaign: its record and what changes of it */
ngx_campaign_rc_e ngx_campaign_lmdb_campaign_get(ngx_campaign_txn_t *t, uint32_t account, uint64_t no, ngx_pool_t *pool,
    ngx_campaign_campaign_t *c);

/* status of a campaign moves on: lists, sched, active, feed, counters of what is canceled, dates; run is changed, not written */
ngx_campaign_rc_e ngx_campaign_lmdb_campaign_move(ngx_campaign_txn_t *t, const ngx_campaign_rec_t *rec, ngx_campaign_run_t *run,
    ngx_campaign_status_e to);

/* tells the dispatcher to look at an account or campaign again */
ngx_campaign_rc_e ngx_campaign_lmdb_feed(ngx_campaign_txn_t *t, ngx_campaign_kind_e kind, uint32_t account, uint64_t no);


#endif /* _NGX_CAMPAIGN_STORE_LMDB_H_INCLUDED_ */
