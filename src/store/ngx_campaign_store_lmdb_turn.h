
/*
 * What the files of a turn share: the states of a campaign's messages while a transaction changes them.  One campaign is open at a time,
 * and one chunk of it.
 */

#ifndef _NGX_CAMPAIGN_STORE_LMDB_TURN_H_INCLUDED_
#define _NGX_CAMPAIGN_STORE_LMDB_TURN_H_INCLUDED_


#include "ngx_campaign_store_lmdb_event.h"


/* meta's "suspect" */

typedef struct {
    uint64_t                 campaign;          /* the suspect that went last; 0: none */
    uint32_t                 seq;
    ngx_uint_t               alone;             /* with nothing else, so far */
    uint64_t                 want_campaign;     /* who waits to go alone, or gave up; 0: nobody */
    uint32_t                 want_seq;
    int64_t                  since;             /* us, that it waits or went */
} ngx_campaign_suspect_t;


typedef struct {
    ngx_campaign_txn_t      *t;
    ngx_campaign_turn_t     *turn;
    ngx_pool_t              *pool;              /* of the turn: for results */

    uint64_t                 campaign;          /* the open one */
    ngx_campaign_run_t       run;
    ngx_str_t                channel;           /* of the open one, once it was asked for; else empty */
    u_char                   channel_name[NGX_CAMPAIGN_CHANNEL_MAX];
    uint32_t                 chunk;
    unsigned                 loaded:1;          /* bytes hold chunk */
    unsigned                 dirty:1;           /* and it has to be written */
    u_char                   bytes[NGX_CAMPAIGN_CHUNK + 4];

    ngx_campaign_walk_t      walk;              /* of fresh claims: campaigns of one audience, which share a rate, are near each other */

    ngx_campaign_hears_t     hears;             /* who hears of deliveries: asked for by the first one */

    ngx_campaign_kind_e      at;                /* whose the work at hand is, CAMPAIGN or ACCOUNT; at_no 0: everybody's */
    uint64_t                 at_no;

    ngx_uint_t               handed;            /* are messages handed over?  0: not asked yet, 1: none, 2: some */
    ngx_campaign_suspect_t   suspect;           /* of a turn that claims */
    ngx_uint_t               quiet;             /* 1: only who wants to go alone is claimed, 2: nobody */
} ngx_campaign_states_t;


typedef struct {                                /* an entry of the schedule */
    int64_t                  at;                /* us */
    uint64_t                 no;
    uint32_t                 account;
} ngx_campaign_sched_t;


/* ngx_campaign_store_lmdb_turn.c */

/* as _states_open; NOT_FOUND also of a campaign that is damaged */
ngx_campaign_rc_e ngx_campaign_turn_open(ngx_campaign_states_t *x, uint64_t campaign);

/* the account's record; NOT_FOUND also of one that is damaged */
ngx_campaign_rc_e ngx_campaign_turn_account(ngx_campaign_states_t *x, uint32_t account, ngx_campaign_account_t *a);


/* ngx_campaign_store_lmdb_states.c */

/* NOT_FOUND: no such campaign.  What the last one left unwritten is lost: close it first */
ngx_campaign_rc_e ngx_campaign_states_open(ngx_campaign_states_t *x, uint64_t campaign);

/* moves `done` on, ends a campaign that is settled, writes chunk and run */
ngx_campaign_rc_e ngx_campaign_states_close(ngx_campaign_states_t *x);

/* the state byte of a message; valid until the next call; who changes it sets x->dirty */
ngx_campaign_rc_e ngx_campaign_states_byte(ngx_campaign_states_t *x, uint32_t seq, u_char **byte);

/*
 * Message seq, claimed for the first time, stands apart from now on, like one that was given back and claimed again: `done` can pass it.  byte
 * is its state's
 */
ngx_campaign_rc_e ngx_campaign_states_apart(ngx_campaign_states_t *x, uint32_t seq, u_char *byte);

/* x->channel is set */
ngx_campaign_rc_e ngx_campaign_states_channel(ngx_campaign_states_t *x);

/* a final state and its counters; the caller took the message out of pending or enroute */
ngx_campaign_rc_e ngx_campaign_states_settle(ngx_campaign_states_t *x, u_char *byte, ngx_campaign_state_e state,
    ngx_campaign_reason_e reason);

/* takes a settled message out of its state's counters: it will be settled anew */
void ngx_campaign_states_unsettle(ngx_campaign_states_t *x, u_char byte);

/* parts that the text of a message takes */
ngx_campaign_rc_e ngx_campaign_states_segments(ngx_campaign_states_t *x, uint32_t seq, uint32_t *segments);

/* earliest repeat that is not claimed: *due (us) is 0 if there is none; seq may be NULL */
ngx_campaign_rc_e ngx_campaign_states_again_next(ngx_campaign_states_t *x, int64_t *due, uint32_t *seq);

/* entries of `again`; due 0: claimed */
ngx_campaign_rc_e ngx_campaign_states_again_put(ngx_campaign_states_t *x, uint32_t seq, int64_t due);
ngx_campaign_rc_e ngx_campaign_states_again_has(ngx_campaign_states_t *x, uint32_t seq, int64_t due, ngx_uint_t *found);
ngx_campaign_rc_e ngx_campaign_states_again_del(ngx_campaign_states_t *x, uint32_t seq, int64_t due, ngx_uint_t *found);

/* a key of `again`, of whatever campaign */
#define NGX_CAMPAIGN_AGAIN_KEY  20              /* campaign u64, due u64, seq u32 */

void ngx_campaign_states_again_key(u_char *key, uint64_t campaign, int64_t due, uint32_t seq);

/* the first claimed repeat from place `from` on; NOT_FOUND */
ngx_campaign_rc_e ngx_campaign_states_again_claimed(ngx_campaign_states_t *x, uint32_t from, uint32_t *seq);

/* tries of a message; none: 0.  due (may be NULL): as its entry of `again`, if it waits for a repeat */
ngx_campaign_rc_e ngx_campaign_states_tries_get(ngx_campaign_states_t *x, uint32_t seq, ngx_uint_t *attempts, ngx_uint_t *flags,
    int64_t *due);
ngx_campaign_rc_e ngx_campaign_states_tries_put(ngx_campaign_states_t *x, uint32_t seq, ngx_uint_t attempts, ngx_uint_t flags, int64_t due);


/* ngx_campaign_store_lmdb_trace.c */

/* in a build with --with-debug: what the transaction makes of message seq of the open campaign, in a format as nginx's */
#if (NGX_DEBUG)

#define ngx_campaign_states_heard(x)            ((x)->t->log->log_level & NGX_LOG_DEBUG_HTTP)
#define ngx_campaign_states_trace(x, seq, ...)  if (ngx_campaign_states_heard(x)) ngx_campaign_states_say(x, seq, __VA_ARGS__)
#define ngx_campaign_states_trace_event(x, e)   if (ngx_campaign_states_heard(x)) ngx_campaign_states_say_event(x, e)

void ngx_campaign_states_say(ngx_campaign_states_t *x, uint32_t seq, const char *fmt, ...);
void ngx_campaign_states_say_event(ngx_campaign_states_t *x, const ngx_campaign_event_t *e);

#else

#define ngx_campaign_states_trace(x, seq, ...)
#define ngx_campaign_states_trace_event(x, e)

#endif


/* ngx_campaign_store_lmdb_damage.c */

/* the work that follows is that of a campaign or an account; no 0: everybody's */
void ngx_campaign_damage_at(ngx_campaign_states_t *x, ngx_campaign_kind_e kind, uint64_t no);

/* 1: it is to be passed over */
ngx_uint_t ngx_campaign_damage_has(ngx_campaign_store_t *st, ngx_campaign_kind_e kind, uint64_t no);

/* a turn failed: 1: for whose the work was is damaged, that is new, and the next turn passes it over */
ngx_uint_t ngx_campaign_damage_found(ngx_campaign_states_t *x);


/* ngx_campaign_store_lmdb_peek.c */

/* the newest; 0: there was no dispatcher yet */
ngx_campaign_rc_e ngx_campaign_turn_epoch(ngx_campaign_txn_t *t, uint64_t *epoch);

/* the next turn has something to do */
ngx_campaign_rc_e ngx_campaign_turn_more(ngx_campaign_txn_t *t, ngx_uint_t *any);

/* the scheduled campaign that starts first, of those that are not damaged; at 0: there is none */
ngx_campaign_rc_e ngx_campaign_turn_sched_first(ngx_campaign_txn_t *t, ngx_campaign_sched_t *first);


/* ngx_campaign_store_lmdb_message.c */

/* what has become of message seq of the open campaign; *status 0: place of a contact deleted before the campaign was made */
ngx_campaign_rc_e ngx_campaign_message_state(ngx_campaign_states_t *x, uint32_t seq, ngx_campaign_message_status_e *status,
    ngx_campaign_reason_e *reason);

/* fills m, all but its contact, from the open campaign and its record c, whose strings stay where they are */
ngx_campaign_rc_e ngx_campaign_message_fill(ngx_campaign_states_t *x, const ngx_campaign_campaign_t *c, uint32_t seq,
    ngx_campaign_message_status_e status, ngx_campaign_reason_e reason, ngx_campaign_message_t *m);

/* 1: a deleted contact was one of the campaign's recipients (the mark is the newest campaign when it was deleted) */
#define ngx_campaign_message_recipient(c, contact)  ((c)->rec.no <= (contact)->deleted - 1)

/* messages of an account in all, or (channel not empty) on a channel */
ngx_campaign_rc_e ngx_campaign_message_total(ngx_campaign_txn_t *t, uint32_t account, const ngx_str_t *channel, uint64_t *total);


/* ngx_campaign_store_lmdb_recover.c */

/* what an earlier dispatcher claimed of the open campaign and neither recorded nor handed over */
ngx_campaign_rc_e ngx_campaign_turn_recover(ngx_campaign_states_t *x, ngx_str_t *channel);

/* a message of the open campaign was handed over by a process that is no more: it is uncertain, if a receipt did not settle it */
ngx_campaign_rc_e ngx_campaign_turn_lost(ngx_campaign_states_t *x, uint32_t seq);


/* ngx_campaign_store_lmdb_leave.c */

/* hands turn->leaving over */
ngx_campaign_rc_e ngx_campaign_turn_leave(ngx_campaign_states_t *x);

/* turn->away is counted, what was handed over by processes that are no more is uncertain */
ngx_campaign_rc_e ngx_campaign_turn_look(ngx_campaign_states_t *x);

/* message seq of the open campaign: was it handed over; and, by this turn's epoch: not any more */
ngx_campaign_rc_e ngx_campaign_leaving_has(ngx_campaign_states_t *x, uint32_t seq, ngx_uint_t *found);
ngx_campaign_rc_e ngx_campaign_leaving_take(ngx_campaign_states_t *x, uint32_t seq, ngx_uint_t *found);


/* ngx_campaign_store_lmdb_suspect.c */

/* x->suspect, before anything is recovered */
ngx_campaign_rc_e ngx_campaign_suspect_load(ngx_campaign_states_t *x);

/* x->quiet, before the first grant, and when the one that wants to go alone, of the open campaign, is settled */
ngx_campaign_rc_e ngx_campaign_suspect_quiet(ngx_campaign_states_t *x);

/* as _again_next, in a campaign of which one message wants to go alone: that one, which waits (_quiet has looked) */
ngx_campaign_rc_e ngx_campaign_suspect_next(ngx_campaign_states_t *x, int64_t *due, uint32_t *seq);

/* may repeat seq of the open campaign be claimed?  It stays due, or is put off, if not */
ngx_campaign_rc_e ngx_campaign_suspect_may(ngx_campaign_states_t *x, uint32_t seq, int64_t due, ngx_uint_t attempts, ngx_uint_t flags,
    ngx_uint_t *may);

/* a message was claimed */
ngx_campaign_rc_e ngx_campaign_suspect_claimed(ngx_campaign_states_t *x, uint32_t seq, ngx_uint_t flags);


/* ngx_campaign_store_lmdb_claim.c */

/* an account's claims, as many as its rate allows; the limiter's state is committed with them */
ngx_campaign_rc_e ngx_campaign_turn_grant(ngx_campaign_states_t *x, ngx_campaign_grant_t *g);

/* the limiter's state, ns; 0: it never sent */
ngx_campaign_rc_e ngx_campaign_limit_get(ngx_campaign_txn_t *t, uint32_t account, int64_t *tat);

/* moves it on, never back; of an account that is gone: nothing */
ngx_campaign_rc_e ngx_campaign_limit_raise(ngx_campaign_txn_t *t, uint32_t account, int64_t tat);

/* the account, as it is stored, gets another rate or burst: what was sent counts on.  With the same: nothing */
ngx_campaign_rc_e ngx_campaign_limit_change(ngx_campaign_txn_t *t, const ngx_campaign_account_t *a, uint64_t rate, uint32_t burst);

/* messages of the account are uncertain: nobody knows when they went, so it has no burst now */
ngx_campaign_rc_e ngx_campaign_limit_spend(ngx_campaign_txn_t *t, uint32_t account);


#endif /* _NGX_CAMPAIGN_STORE_LMDB_TURN_H_INCLUDED_ */
