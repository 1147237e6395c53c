
/*
 * What the files of suppressions share, and the gate that a claim passes its messages through.
 *
 * key: account u32 | digits u64 (4 bits each, from the left, 1 to 10, 0 behind the last: so a prefix is a range) | place u8, below
 * NGX_CAMPAIGN_SUPPRESSIONS_MAX.  Those that expire stand in `lapse`, too: account u32 | expires u64 | digits u64 | place u8.
 */

#ifndef _NGX_CAMPAIGN_STORE_LMDB_SUPPRESS_H_INCLUDED_
#define _NGX_CAMPAIGN_STORE_LMDB_SUPPRESS_H_INCLUDED_


#include "ngx_campaign_store_lmdb.h"


#define NGX_CAMPAIGN_SUPPRESS_NUMBER  12        /* key without its place */
#define NGX_CAMPAIGN_SUPPRESS_KEY     13
#define NGX_CAMPAIGN_LAPSE_KEY        21


typedef struct {
    ngx_campaign_txn_t        *t;
    uint32_t                   account;
    const ngx_str_t           *channel, *from;  /* of the messages; they outlive the gate */
    MDB_cursor                *cursor;          /* NULL: nobody is suppressed in this account */
} ngx_campaign_gate_t;


/* costs one look at the account's count; closed before its transaction ends, after a failure as well */
ngx_campaign_rc_e ngx_campaign_gate_open(ngx_campaign_gate_t *gate, ngx_campaign_txn_t *t, uint32_t account, const ngx_str_t *channel,
    const ngx_str_t *from);
void ngx_campaign_gate_close(ngx_campaign_gate_t *gate);

/* *blocked: the number is suppressed for such messages.  One look into the table, and a step for each of the number's own */
ngx_campaign_rc_e ngx_campaign_gate_pass(ngx_campaign_gate_t *gate, uint64_t number, ngx_uint_t *blocked);

/* deletes some of an account's that expired; a write */
ngx_campaign_rc_e ngx_campaign_suppress_tidy(ngx_campaign_txn_t *t, uint32_t account);

/* all of an account */
ngx_campaign_rc_e ngx_campaign_suppress_drop(ngx_campaign_txn_t *t, uint32_t account);

/* as many as there are, expired ones too */
ngx_campaign_rc_e ngx_campaign_suppress_count(ngx_campaign_txn_t *t, uint32_t account, uint64_t *n);

/*
 * adds s, or extends the one with its number and scope (s becomes that one, its strings in pool; pool NULL: s is not wanted); *made: it was
 * not there.  TOO_MANY: nothing was changed
 */
ngx_campaign_rc_e ngx_campaign_suppress_put(ngx_campaign_txn_t *t, ngx_campaign_suppression_t *s, ngx_pool_t *pool, ngx_uint_t *made);

/* deletes those of s's number that have its channel, sender and source (data NULL, 0: any); *n: how many lived */
ngx_campaign_rc_e ngx_campaign_suppress_del(ngx_campaign_txn_t *t, const ngx_campaign_suppression_t *s, ngx_uint_t *n);

/* reads a stored one (account and number from key); strings point into the map */
ngx_campaign_rc_e ngx_campaign_suppress_unpack(ngx_campaign_txn_t *t, const MDB_val *key, const MDB_val *value,
    ngx_campaign_suppression_t *s);

/* copies its strings to pool.  NGX_ERROR: no memory */
ngx_int_t ngx_campaign_suppress_copy(ngx_pool_t *pool, ngx_campaign_suppression_t *s);

/* digits of a key, of the first n of a number that is as long as it may be, and the number of such digits */
uint64_t ngx_campaign_suppress_digits(uint64_t number);
uint64_t ngx_campaign_suppress_prefix(const u_char *text, size_t len);
uint64_t ngx_campaign_suppress_decimal(uint64_t digits);

#define ngx_campaign_suppress_expired(t, s)  ((s)->expires && (int64_t) (s)->expires * 1000000 <= (t)->now)


#endif /* _NGX_CAMPAIGN_STORE_LMDB_SUPPRESS_H_INCLUDED_ */
