
/*
 * A twin of the store in memory, behind the same header: the operations that the dispatcher and the scenario use.  It shares nothing with
 * src/store but the life of an operation, so that the same seed has to bring the same answers from both.
 */

#ifndef _TWIN_H_INCLUDED_
#define _TWIN_H_INCLUDED_


#include "sim.h"
#include "ngx_campaign_store_op.h"


typedef struct {
    uint8_t                    state, reason;   /* as of ngx_campaign.h */
    uint8_t                    attempts;
    uint8_t                    uncertain;       /* its repeat is a redelivery */
    uint8_t                    claimed;         /* a repeat in flight */
    uint8_t                    deaths;          /* weight of those in a row that it was in flight at */
    int64_t                    due;
    uint64_t                   left;            /* epoch that handed it over; 0: none */
    uint32_t                   theirs;          /* what its gateway calls it; 0: nothing */
    uint32_t                   named;           /* when that came to lead to it: a count; 0: never */
} twin_message_t;

typedef struct {
    uint32_t                   living, next;
    uint64_t                   list;
    uint64_t                   deleted[1200];   /* newest campaign when it was, + 1 */
    ngx_uint_t                 account, which;
} twin_audience_t;

typedef struct {
    uint64_t                   no;              /* 0: none (any more) */
    uint32_t                   account, span;
    ngx_uint_t                 which;           /* of the scenario */
    ngx_uint_t                 audience;        /* number + 1; 0: none */
    ngx_uint_t                 channel, apart;
    ngx_campaign_campaign_t    record;          /* strings are constants */
    ngx_uint_t                 status, active, fed;
    uint32_t                   names;           /* of its messages; of a deleted one those that are still to be removed */
    ngx_uint_t                 going;           /* deleted, and has names */
    time_t                     schedule;
    uint64_t                   epoch;
    uint32_t                   done, upto;
    ngx_campaign_progress_t    p;
    twin_message_t             m[1200];
} twin_campaign_t;

typedef struct {
    uint64_t                   rate;
    uint32_t                   burst;
    ngx_uint_t                 status, fed;
    int64_t                    tat;
    ngx_uint_t                 senders;         /* bit mask of channels */
} twin_account_t;

typedef struct {
    uint32_t                   account;
    ngx_uint_t                 event, status;
    uint64_t                   last, waiting, failed;
} twin_hook_t;

typedef struct {
    uint64_t                   no, campaign;
    int64_t                    due;
    uint32_t                   seq;
    uint8_t                    hook, value, attempts, holds;
} twin_event_t;

/* of an operation of clients */

typedef struct {
    ngx_campaign_kind_e        kind;
    void                      *rec;
    ngx_campaign_pile_t       *pile;
    uint32_t                   account;
    u_char                    *id;
    ngx_uint_t                 mask, from;
    ngx_campaign_campaign_t    given;
} twin_args_t;

#define TWIN_EVENTS  16384

/* all that is on disk; numbers of accounts and audiences begin at 1 */

typedef struct {
    uint64_t                   epoch;
    uint64_t                   naccounts, naudiences, ncampaigns;
    twin_account_t             accounts[SIM_ACCOUNTS + 1];
    twin_audience_t            audiences[SIM_AUDIENCES + 1];
    twin_campaign_t            campaigns[SIM_CAMPAIGNS + 1];
    sim_hindrance_t            hindrances[SIM_EVENTS];
    ngx_uint_t                 nhindrances;
    uint64_t                   suspect, want;   /* campaigns of the suspect that went last, and of the one that wants to go alone */
    uint32_t                   suspect_seq, want_seq;
    ngx_uint_t                 alone;           /* so it went, and so it is */
    int64_t                    since;
    uint64_t                   nhooks;
    twin_hook_t                hooks[SIM_HOOKS + 1];
    ngx_uint_t                 nevents;
    twin_event_t               events[TWIN_EVENTS];     /* in no order */
    uint32_t                   names;           /* that led to a message when they were given */
} twin_disk_t;


extern twin_disk_t  *twin;
extern int64_t       twin_now;                  /* us, of the transaction at hand */

/* twin.c: a living process is on that post */
ngx_uint_t twin_there(uint64_t post);

/* twin_turn.c: works of a transaction at that time, us */
ngx_campaign_rc_e twin_turn(ngx_campaign_turn_t *turn, ngx_pool_t *pool, int64_t now);
ngx_campaign_rc_e twin_lease(uint64_t *epoch);
void twin_peek(ngx_campaign_peek_t *peek, ngx_pool_t *pool);
void twin_move(twin_campaign_t *c, ngx_campaign_status_e to, int64_t now);
void twin_settle(twin_campaign_t *c, twin_message_t *m, ngx_campaign_state_e state, ngx_campaign_reason_e reason);
ngx_uint_t twin_close(twin_campaign_t *c, int64_t now);         /* 1: it is finished */

twin_campaign_t *twin_find(uint64_t no);
void twin_finished(ngx_campaign_turn_t *turn, uint64_t no);

/* twin_claim.c */
void twin_grant(ngx_campaign_turn_t *turn, ngx_campaign_grant_t *g, ngx_pool_t *pool, int64_t now);
void twin_unwant(int64_t now);
twin_message_t *twin_again(twin_campaign_t *c);         /* the repeat that is due first */

/* twin.c, for the others */
extern u_char  twin_secret[NGX_CAMPAIGN_SECRET_LEN];

typedef ngx_campaign_rc_e (*twin_work_pt)(ngx_campaign_op_t *op, void *args, int64_t now);
ngx_int_t twin_write(ngx_campaign_store_t *st, ngx_campaign_op_t *op, twin_work_pt work, void *args);
twin_args_t *twin_args(ngx_campaign_op_t *op);

u_char *twin_store_secret(void);

/* twin_record.c */
ngx_uint_t twin_channel(const ngx_str_t *channel);
ngx_uint_t twin_which(ngx_campaign_pile_t *pile);

/* twin_campaign.c */
twin_campaign_t *twin_campaign(ngx_campaign_kind_e kind, const u_char *id, uint32_t *seq);

/* twin_hook.c */
void twin_hook_made(ngx_campaign_webhook_t *w);
void twin_tell(uint32_t account, ngx_uint_t event, uint64_t campaign, uint32_t seq, ngx_uint_t value);

/* twin_receipt.c */
void twin_names_step(void);
ngx_uint_t twin_names_left(void);
void twin_named(twin_campaign_t *c, twin_message_t *m, const ngx_campaign_outcome_t *o);


#endif /* _TWIN_H_INCLUDED_ */
