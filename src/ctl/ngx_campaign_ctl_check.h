
/*
 * campaignctl check: a second book-keeping of a store, made from what cannot be wrong twice.  It reads one snapshot, writes nothing, and says
 * each disagreement in a line of its own: database, key, what is wrong.
 *
 * How a database is added.  Records of a new kind (a row in the engine's table of kinds) need nothing: their checksum, name, lists, counts, id and
 * owner are looked at by that table.  A new named database gets a row in ngx_campaign_check_tables (ngx_campaign_ctl_check.c; without one the
 * check says so, and t/fault/check.t fails), with two functions:
 *
 *     visit    is called for each entry, in the order of keys.  Looks at the entry's form (ngx_campaign_check_form), its checksum
 *              (ngx_campaign_check_sum), and whether what it points at is there and points back (ngx_campaign_check_get).  What is kept as a
 *              number elsewhere is added up with ngx_campaign_check_want, under the key it is stored at; the visit of that number says
 *              ngx_campaign_check_have.  Each pair that differs at the end is a fault
 *     finish   after the last entry of its database; NULL if there is nothing to be done
 *
 * Databases are read in the order of the table: an object's owner and number are known once `rec` was read.
 */

#ifndef _NGX_CAMPAIGN_CTL_CHECK_H_INCLUDED_
#define _NGX_CAMPAIGN_CTL_CHECK_H_INCLUDED_


#include "ngx_campaign_store_lmdb.h"


#define NGX_CAMPAIGN_CHECK_LINES  1000          /* faults shown; the rest is counted */


typedef struct ngx_campaign_check_s       ngx_campaign_check_t;
typedef struct ngx_campaign_check_pair_s  ngx_campaign_check_pair_t;

typedef void (*ngx_campaign_check_visit_pt)(ngx_campaign_check_t *c, const MDB_val *key, const MDB_val *value);
typedef void (*ngx_campaign_check_finish_pt)(ngx_campaign_check_t *c);

typedef struct {
    ngx_campaign_check_visit_pt    visit;
    ngx_campaign_check_finish_pt   finish;
} ngx_campaign_check_table_t;

/* what the parent process tells of if the one that reads dies */

typedef struct {
    ngx_campaign_db_e              db;
    uint64_t                       faults;
    uint64_t                       bytes, cut_off;  /* data.mdb has `bytes`, and had `cut_off`; 0: as many as it should */
} ngx_campaign_check_seen_t;

/* contacts of one list, by place */

typedef struct {
    uint64_t                       list;
    uint32_t                       n, size;
    uint64_t                      *number;      /* 0: deleted */
    uint64_t                      *deleted;     /* as in ngx_campaign_contact_t */
    ngx_uint_t                     loaded;
    ngx_uint_t                     broken;      /* could not be read to its end: said once, where its blocks are looked at */
} ngx_campaign_check_list_t;

/* blocks of one list as they come */

typedef struct {
    uint64_t                       list;
    uint32_t                       blocks, places, living;
    ngx_uint_t                     any, broken, short_block;
} ngx_campaign_check_blocks_t;

struct ngx_campaign_check_s {
    ngx_campaign_store_t           store;       /* environment and tables: for the engine's reading functions */
    ngx_campaign_txn_t             t;
    ngx_campaign_check_seen_t     *seen;
    const char                    *name[NGX_CAMPAIGN_DB_MAX];
    u_char                         absent[NGX_CAMPAIGN_DB_MAX];    /* a store from before this database */
    void                          *record;      /* room for a record of any kind */

    ngx_campaign_check_pair_t    **pairs;
    size_t                         npairs, buckets;

    ngx_campaign_check_list_t      list;
    ngx_campaign_check_blocks_t    blocks;

    uint64_t                       epoch;
    uint64_t                       last[NGX_CAMPAIGN_KIND_MAX];    /* highest number that a record of the kind has */
    uint64_t                       objects[NGX_CAMPAIGN_KIND_MAX];
    uint64_t                       messages, entries;
};


/* ngx_campaign_ctl_check.c */

/* 0: sound, 1: faults were found and said, 2: the store could not be looked at.  May be killed by LMDB, if pages are damaged */
int ngx_campaign_check_run(const char *path, ngx_campaign_check_seen_t *seen);

/* says a fault; key may be NULL; fmt as in printf */
void ngx_campaign_check_fault(ngx_campaign_check_t *c, ngx_campaign_db_e db, const MDB_val *key, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* 1: the sizes are these; 0: said that they are not.  vlen -1: any */
ngx_uint_t ngx_campaign_check_form(ngx_campaign_check_t *c, ngx_campaign_db_e db, const MDB_val *key, size_t klen, const MDB_val *value,
    ssize_t vlen);

/* 1: the value's last four bytes are the checksum of those before */
ngx_uint_t ngx_campaign_check_sum(ngx_campaign_check_t *c, ngx_campaign_db_e db, const MDB_val *key, const MDB_val *value);

/* 1: it is there */
ngx_uint_t ngx_campaign_check_get(ngx_campaign_check_t *c, ngx_campaign_db_e db, const void *key, size_t len, MDB_val *value);

/* a number stored at a key, added up from elsewhere; and as it is stored */
void ngx_campaign_check_want(ngx_campaign_check_t *c, ngx_campaign_db_e db, const void *key, size_t len, uint64_t n);
void ngx_campaign_check_have(ngx_campaign_check_t *c, ngx_campaign_db_e db, const void *key, size_t len, uint64_t n);

/* whose record (kind, no) is; 0: there is none.  Its record at c->record or out, strings in the map */
ngx_uint_t ngx_campaign_check_owner(ngx_campaign_check_t *c, ngx_campaign_kind_e kind, uint64_t no, uint32_t *account);
ngx_uint_t ngx_campaign_check_record(ngx_campaign_check_t *c, ngx_campaign_kind_e kind, uint32_t account, uint64_t no, void *out);
void ngx_campaign_check_own(ngx_campaign_check_t *c, ngx_campaign_kind_e kind, uint64_t no, uint32_t account);

/* memory, or the end with status 2 */
void *ngx_campaign_check_alloc(size_t size);

/* ngx_campaign_ctl_check_record.c */

void ngx_campaign_check_rec(ngx_campaign_check_t *c, const MDB_val *key, const MDB_val *value);
void ngx_campaign_check_name(ngx_campaign_check_t *c, const MDB_val *key, const MDB_val *value);
void ngx_campaign_check_in_list(ngx_campaign_check_t *c, const MDB_val *key, const MDB_val *value);
void ngx_campaign_check_count(ngx_campaign_check_t *c, const MDB_val *key, const MDB_val *value);
void ngx_campaign_check_key(ngx_campaign_check_t *c, const MDB_val *key, const MDB_val *value);
void ngx_campaign_check_meta(ngx_campaign_check_t *c, const MDB_val *key, const MDB_val *value);
void ngx_campaign_check_idem(ngx_campaign_check_t *c, const MDB_val *key, const MDB_val *value);
void ngx_campaign_check_kept(ngx_campaign_check_t *c, const MDB_val *key, const MDB_val *value);

/* ngx_campaign_ctl_check_contact.c */

void ngx_campaign_check_block(ngx_campaign_check_t *c, const MDB_val *key, const MDB_val *value);
void ngx_campaign_check_block_finish(ngx_campaign_check_t *c);
void ngx_campaign_check_number(ngx_campaign_check_t *c, const MDB_val *key, const MDB_val *value);

/* the list's contacts; 0: there are none, or they are damaged */
ngx_uint_t ngx_campaign_check_list(ngx_campaign_check_t *c, uint64_t list);

/* ngx_campaign_ctl_check_suppress.c */

void ngx_campaign_check_suppress(ngx_campaign_check_t *c, const MDB_val *key, const MDB_val *value);
void ngx_campaign_check_lapse(ngx_campaign_check_t *c, const MDB_val *key, const MDB_val *value);

/* ngx_campaign_ctl_check_campaign.c */

void ngx_campaign_check_run_of(ngx_campaign_check_t *c, const MDB_val *key, const MDB_val *value);
void ngx_campaign_check_chunk(ngx_campaign_check_t *c, const MDB_val *key, const MDB_val *value);
void ngx_campaign_check_again(ngx_campaign_check_t *c, const MDB_val *key, const MDB_val *value);
void ngx_campaign_check_tries(ngx_campaign_check_t *c, const MDB_val *key, const MDB_val *value);
void ngx_campaign_check_leaving(ngx_campaign_check_t *c, const MDB_val *key, const MDB_val *value);
void ngx_campaign_check_sched(ngx_campaign_check_t *c, const MDB_val *key, const MDB_val *value);
void ngx_campaign_check_active(ngx_campaign_check_t *c, const MDB_val *key, const MDB_val *value);
void ngx_campaign_check_feed(ngx_campaign_check_t *c, const MDB_val *key, const MDB_val *value);
void ngx_campaign_check_limit(ngx_campaign_check_t *c, const MDB_val *key, const MDB_val *value);

/* 1: message seq of campaign no is there, with this state byte; 0: said, as a fault of db's key */
ngx_uint_t ngx_campaign_check_of_message(ngx_campaign_check_t *c, ngx_campaign_db_e db, const MDB_val *key, uint64_t no, uint32_t seq,
    u_char *byte);

/* ngx_campaign_ctl_check_event.c */

void ngx_campaign_check_theirs(ngx_campaign_check_t *c, const MDB_val *key, const MDB_val *value);
void ngx_campaign_check_ours(ngx_campaign_check_t *c, const MDB_val *key, const MDB_val *value);
void ngx_campaign_check_gone(ngx_campaign_check_t *c, const MDB_val *key, const MDB_val *value);
/* ngx_campaign_ctl_check_webhook.c */

void ngx_campaign_check_hook(ngx_campaign_check_t *c, const MDB_val *key, const MDB_val *value);
void ngx_campaign_check_event(ngx_campaign_check_t *c, const MDB_val *key, const MDB_val *value);
void ngx_campaign_check_due(ngx_campaign_check_t *c, const MDB_val *key, const MDB_val *value);
void ngx_campaign_check_hold(ngx_campaign_check_t *c, const MDB_val *key, const MDB_val *value);


#endif /* _NGX_CAMPAIGN_CTL_CHECK_H_INCLUDED_ */
