
/*
 * A simulator of the whole dispatcher: its real files, the real store (on LMDB, or a twin in memory), decisions, limiter and retry, in
 * virtual processes with virtual time, before a scripted gateway.  One integer is one run: it chooses accounts, campaigns, what clients
 * do, what breaks and when.  A plain model (model.c) follows every commit and every byte that goes out, and says what is wrong.
 *
 *   loop.c      virtual time: processes, events, timers, tasks of the thread pool, the store's write lock
 *   kernel.c    the lock's file, the hint's eventfd, memory
 *   worker.c    a worker's life, around the real ngx_http_campaign_dispatch.c
 *   engine.c    LMDB under the real store: no syncs, many environments in one process, faults; commits are told to the model
 *   twin.c      the store's twin in memory, twin_turn.c its turn, twin_claim.c its claims, twin_record.c its accounts and audiences,
 *               twin_campaign.c its campaigns, twin_receipt.c its receipts, twin_hook.c its webhooks, store.c the choice
 *   gateway.c   the seam ngx_http_campaign_delivery_start(): what a gateway does with a request
 *   receipts.c  what it says of a message later, or earlier; hooks.c who tells webhooks of their events
 *   model.c     what must be true of the store, model_look.c whether it is, model_turn.c of a turn, model_leave.c of what is handed over,
 *               model_gateway.c of what goes out, model_share.c of fairness, model_receipt.c of receipts, model_hook.c of what webhooks are
 *               to be told
 *   scenario.c  a seed as a list of events, clients.c what clients ask for
 *   main.c      many seeds; the seed of a failure, and the events it takes
 */

#ifndef _SIM_H_INCLUDED_
#define _SIM_H_INCLUDED_


#include "ngx_http_campaign_dispatch.h"
#include "ngx_campaign_state.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>


#define SIM_PROCESSES   24                      /* alive at once, old generations included */
#define SIM_CHANNELS    2
#define SIM_ACCOUNTS    4
#define SIM_AUDIENCES   4
#define SIM_CAMPAIGNS   16
#define SIM_EVENTS      96
#define SIM_SEGMENTS    1                       /* of every text, when it is measured by the store */

/* numbers of recipients: the first of an audience, and of those given with a campaign */
#define SIM_AUDIENCE_NUMBER(i)  (37060000000ULL + (i) * 100000)
#define SIM_CAMPAIGN_NUMBER(i)  (37070000000ULL + (i) * 100000)

#define SIM_NEVER       INT64_MAX

#define SIM_START       1795000000000000LL      /* wall clock at the beginning, us */


typedef struct sim_process_s   sim_process_t;
typedef struct sim_flight_s    sim_flight_t;
typedef struct sim_message_s   sim_message_t;
typedef struct sim_campaign_s  sim_campaign_t;
typedef struct sim_call_s      sim_call_t;


/* loop.c */

typedef void (*sim_thing_pt)(void *data, uint64_t life);

struct sim_process_s {
    ngx_uint_t                     id;
    uint64_t                       life;        /* of this process, 0: none; never given twice */
    unsigned                       stopped:1;
    unsigned                       exiting:1;
    unsigned                       doomed:1;    /* dies as soon as its code returns */
    unsigned                       poisoned:1;  /* of what it sent */
    unsigned                       completes:1; /* the task ran, its completion was not handled */
    int64_t                        halted, continued;   /* when it last was stopped, and went on */
    ngx_uint_t                     generation;  /* of the configuration */

    ngx_queue_t                    posted, next;
    ngx_queue_t                    timers;
    ngx_queue_t                    memory;
    ngx_queue_t                    answers;     /* flights that have their answer */
    ngx_thread_task_t             *task;        /* of the thread pool; one at a time */
    int64_t                        task_at;     /* when it got the write lock */
    int64_t                        ready;       /* busy until then */
    ngx_uint_t                     calls;       /* operations of clients under way */
    ngx_uint_t                     flights;
    ngx_uint_t                     air[SIM_CHANNELS];   /* of these, of its epoch */
    int64_t                        held[SIM_CHANNELS];  /* wall, us: gateways that asked for a rest */
    uint64_t                       air_epoch, held_epoch;
    int64_t                        held_at;     /* sim_mono */

    ngx_campaign_store_t          *store;
    ngx_http_campaign_dispatch_t   dispatcher;
    ngx_event_t                    opening;     /* a store that did not open is tried again */
    ngx_event_t                    cutting;     /* worker_shutdown_timeout */
    ngx_fd_t                       hint;
    ngx_log_t                      log;
    ngx_cycle_t                    cycle;
    ngx_connection_t               connections[4];
    ngx_event_t                    reads[4], writes[4];
};

extern int64_t         sim_mono;                /* us */
extern int64_t         sim_shift;               /* wall clock - sim_mono */
extern sim_process_t   sim_processes[SIM_PROCESSES];
extern sim_process_t  *sim_current;

void sim_loop_reset(void);

/* calls fn(data, life) at that time */
void sim_at(int64_t at, sim_thing_pt fn, void *data, uint64_t life);

/* runs the world for one instant; 0: nothing will ever happen */
ngx_uint_t sim_step(void);

void sim_enter(sim_process_t *p);
void sim_leave(void);

/* tasks of a process that ends: runs what was posted, without completion */
void sim_task_last(sim_process_t *p);
ngx_uint_t sim_task_hangs(sim_process_t *p);

/* all that belongs to a process: locks, memory, tasks */
void sim_process_free(sim_process_t *p);

/* the write lock is given to whoever waits: a process goes on */
void sim_task_wake(void);


/* kernel.c */

/* another file stands where the lock was */
void sim_lock_lost(void);

ngx_uint_t sim_hinted(sim_process_t *p);
void sim_hint_read(sim_process_t *p);
void sim_files_close(sim_process_t *p);
void sim_memory_free(sim_process_t *p);


/* worker.c */

sim_process_t *sim_worker_start(void);
void sim_worker_switch(sim_process_t *p);       /* the statics of the dispatcher are its */
void sim_worker_reset(void);

extern int64_t  sim_headless;                   /* when the dispatcher died, 0: it did not */
extern ngx_uint_t  sim_framed;                  /* its death looked as if a message had killed it, and that was the scenario's doing */
void sim_worker_crash(sim_process_t *p);
void sim_worker_quit(sim_process_t *p);
void sim_worker_exit(sim_process_t *p);
sim_process_t *sim_worker_any(uint64_t rnd);    /* one that runs and serves; NULL: none */
void sim_workers_reload(void);


/* engine.c */

typedef enum {
    SIM_FAULT_NONE = 0,
    SIM_FAULT_PUT,                              /* the n-th put: the map is full */
    SIM_FAULT_COMMIT_FULL,                      /* a commit: the disk is full */
    SIM_FAULT_COMMIT_EIO,
    SIM_FAULT_PANIC,                            /* a commit, and every begin until the environment is opened again: it does not stand */
    SIM_FAULT_PANIC_STANDS,                     /* the same, but it stands */
    SIM_FAULT_OPEN,                             /* the environment cannot be opened */
    SIM_FAULT_MAX
} sim_fault_e;

typedef enum {
    SIM_OP_TURN = 1, SIM_OP_LEASE, SIM_OP_CREATE, SIM_OP_CHANGE, SIM_OP_DELETE, SIM_OP_MESSAGE_CANCEL, SIM_OP_CONTACT_DELETE,
    SIM_OP_ACCOUNT, SIM_OP_PUT, SIM_OP_SUPPRESS, SIM_OP_LIFT, SIM_OP_RECEIPTS,
    SIM_OP_TAKE, SIM_OP_TELL, SIM_OP_WEBHOOK
} sim_op_e;

typedef struct {
    ngx_campaign_op_t    *op;
    sim_op_e              kind;
    void                 *args;                 /* turn, epoch, or a sim_call_t */
    ngx_campaign_rc_e     rc;
    uint64_t              life;
} sim_op_t;

extern ngx_uint_t       sim_twin;               /* 1: the store is the twin */
extern ngx_uint_t       sim_compare;            /* only faults that both have */
extern sim_fault_e      sim_fault;              /* while it holds */
extern ngx_uint_t       sim_unknown;            /* the commit at hand stands, and whoever made it is told that it may not */
extern uint64_t         sim_commits, sim_faults;
extern uint64_t         sim_trouble;            /* failures of LMDB that were not ordered */

void sim_engine_begin(void);
void sim_engine_reset(void);
void sim_engine_end(void);
void sim_engine_crash(sim_process_t *p);

/* tells what an operation is, so that the model can follow it */
void sim_op_note(ngx_campaign_op_t *op, sim_op_e kind, void *args);

/* one that is over, or only reads */
void sim_op_forget(ngx_campaign_op_t *op);

/* work of an operation was run in the transaction at hand; the transaction is over */
void sim_op_ran(ngx_campaign_op_t *op, ngx_campaign_rc_e rc);
void sim_op_commit(ngx_uint_t stands);

/* 1: a commit is to fail */
ngx_uint_t sim_fails(void);

/* twin.c */
void twin_reset(void);
ngx_int_t twin_post(uint64_t post);
void twin_post_leave(uint64_t post);


/* gateway.c */

typedef enum {
    SIM_MODE_FINE = 0, SIM_MODE_SLOW, SIM_MODE_ERRORS, SIM_MODE_BUSY, SIM_MODE_REFUSE, SIM_MODE_RESET, SIM_MODE_TIMEOUT, SIM_MODE_MIXED,
    SIM_MODE_NONE, SIM_MODE_MAX
} sim_mode_e;

typedef enum {
    SIM_FATE_ACCEPT = 0,
    SIM_FATE_STATUS,                            /* refused by a status */
    SIM_FATE_REFUSE,                            /* unreachable */
    SIM_FATE_RESET,                             /* after it was sent, before it was accepted */
    SIM_FATE_RESET_ACCEPTED,
    SIM_FATE_NONE                               /* never tried */
} sim_fate_e;

struct sim_flight_s {
    ngx_queue_t                     queue;      /* in process->answers */
    sim_flight_t                   *next;       /* all of the run */
    ngx_http_campaign_delivery_t   *delivery;
    sim_process_t                  *process;
    uint64_t                        life;
    sim_message_t                  *message;
    sim_campaign_t                 *campaign;
    ngx_uint_t                      channel;
    ngx_uint_t                      attempt;
    sim_fate_e                      fate;
    ngx_uint_t                      status;
    ngx_msec_t                      after;
    int64_t                         started;    /* sim_mono */
    uint64_t                        epoch;
    unsigned                        arrived:1;
    unsigned                        redelivery:1;
    unsigned                        stale:1;    /* of a dispatcher that is no more, and does not know it */
    unsigned                        answered:1; /* the dispatcher knows */
    unsigned                        cut:1;      /* its process went */
    unsigned                        ended:1;    /* its end is told, or will be at the process's next turn */
    unsigned                        given_up:1; /* so, before the gateway said anything */
};

extern sim_mode_e       sim_mode[SIM_CHANNELS];
extern ngx_uint_t       sim_no_connections;
extern uint64_t         sim_deliveries;

void sim_gateway_reset(void);
void sim_gateway_answer(sim_flight_t *f);       /* in its process */
void sim_gateway_cut(sim_process_t *p);


/* receipts.c */

typedef struct sim_receipt_s  sim_receipt_t;

struct sim_receipt_s {                          /* a receipt, until its gateway knows that it was taken */
    ngx_queue_t                     queue;      /* waits for others, to be sent with them */
    sim_receipt_t                  *next;       /* all of the run */
    ngx_uint_t                      which;      /* campaign of the scenario */
    uint32_t                        seq;
    uint32_t                        theirs;     /* what the gateway calls it; 0: nothing */
    ngx_uint_t                      ours;       /* 1: named by our id */
    ngx_uint_t                      channels;   /* bit mask: those that it is looked for in */
    ngx_campaign_receipt_e          receipt;
    ngx_uint_t                      tries;      /* left */
    ngx_uint_t                      sent;       /* so often */
    ngx_uint_t                      over;
};

/* what a gateway calls that message; 0: nothing */
uint32_t sim_receipt_name(sim_campaign_t *c, uint32_t seq);

void sim_receipts_reset(void);
void sim_receipts_arrived(sim_flight_t *f);
void sim_receipts_event(uint32_t a, uint32_t b, uint32_t c, uint32_t d);        /* of any message, whatever became of it */
void sim_receipts_done(sim_call_t *call);
ngx_uint_t sim_receipts_idle(void);



/* hooks.c */

#define SIM_HOOKS   (2 * SIM_ACCOUNTS)          /* of an account: of deliveries, of campaigns */
#define SIM_TELLS   64                          /* events taken at once, at most */

void sim_hooks_begin(void);                     /* they are there: events are told from now on */
void sim_hooks_taken(sim_call_t *call);


/* model.c */

typedef enum {
    SIM_S_FRESH = 0, SIM_S_AGAIN, SIM_S_ENROUTE, SIM_S_SENT, SIM_S_DELIVERED, SIM_S_FAILED, SIM_S_CANCELED, SIM_S_SKIPPED, SIM_S_NONE
} sim_state_e;

struct sim_message_s {
    uint32_t                        seq;
    uint8_t                         state;      /* sim_state_e, as of the last commit */
    uint8_t                         reason;
    uint8_t                         attempts;   /* tries that count */
    uint8_t                         uncertain;  /* its next try is a redelivery */
    uint8_t                         doubtful;   /* once nobody knew whether it went out */
    uint8_t                         deleted;    /* its contact was */
    uint8_t                         hindered;   /* its number is suppressed */
    uint8_t                         deaths;     /* weight of those in a row that it was in flight at */
    uint8_t                         started;    /* 1: its claim's request went out; 2: and was answered */
    uint8_t                         settled;    /* its claim has an outcome */
    uint8_t                         passed;     /* a claim of the transaction at hand may have skipped this repeat, for that reason */
    uint8_t                         vague;      /* whoever handed it over does not know that it did */
    uint8_t                         early;      /* a receipt settled it, and its claim has no outcome yet */
    uint8_t                         vouched;    /* a receipt says that its gateway had it */
    uint8_t                         said;       /* a receipt of the transaction at hand, which a skip may have been quicker than */
    uint8_t                         best;       /* rank of the best receipt that was taken */
    uint32_t                        theirs;     /* what its gateway calls it; 0: nothing */
    uint64_t                        named;      /* when that came to lead to it: a count; 0: never */
    int64_t                         due;        /* wall, us */
    uint64_t                        epoch;      /* that claimed it */
    uint64_t                        left;       /* that handed it over; 0: it did not */
    sim_flight_t                   *flight;     /* its last try */
    ngx_uint_t                      claims, arrived, accepted, cuts;
};

struct sim_campaign_s {
    ngx_uint_t                      known;      /* its creation was committed */
    ngx_uint_t                      gone;       /* its deletion was */
    ngx_campaign_campaign_t         c;          /* as created */
    u_char                          id[NGX_CAMPAIGN_ID_LEN];
    ngx_uint_t                      account, channel, audience;     /* audience: number + 1, 0: none */
    ngx_uint_t                      status;
    time_t                          schedule, started;
    uint64_t                        epoch;      /* as the store has it: who looked after it last */
    int64_t                         order;      /* seq of the last message that went out for the first time */
    uint32_t                        total, span;
    unsigned                        finished:1; /* a turn said so */
    unsigned                        either:1;   /* it may have ended before a receipt of the same transaction, or after it */
    uint64_t                        told;       /* commit by which its dispatcher knows that it may be sent; 0: it does not */
    uint32_t                        redelivered, segments, accepted;
    sim_message_t                  *messages;
};

typedef struct {
    ngx_uint_t                      known;
    uint32_t                        no;
    uint8_t                         senders[SIM_CHANNELS];      /* it has one */
    u_char                          id[NGX_CAMPAIGN_ID_LEN];
    uint64_t                        rate;
    uint32_t                        burst;
    ngx_uint_t                      disabled;
    int64_t                        *starts;     /* sim_mono of every request that went out */
    ngx_uint_t                      nstarts, room, window;      /* window: the first within a second of the last */
    int64_t                         changed;    /* rate, burst or status, or a message went by what was before, sim_mono */
    int64_t                         reported;   /* a turn told of that change, sim_mono; 0: none did */
    int64_t                         tat;        /* wall, ns: as far as is known its rate is spent until then */
} sim_account_t;

typedef struct {                                /* a suppression */
    ngx_uint_t                      account, channel;   /* channel: number + 1, 0: all */
    uint64_t                        number;
} sim_hindrance_t;

typedef struct {
    ngx_uint_t                      known;
    ngx_uint_t                      account, channel;
    u_char                          id[NGX_CAMPAIGN_ID_LEN];
    uint64_t                        list;
    uint32_t                        next;
    uint8_t                        *deleted;
} sim_audience_t;

extern sim_account_t    sim_accounts[SIM_ACCOUNTS];
extern sim_audience_t   sim_audiences[SIM_AUDIENCES];
extern sim_campaign_t   sim_campaigns[SIM_CAMPAIGNS];
extern ngx_uint_t       sim_naccounts, sim_naudiences, sim_ncampaigns;
extern uint64_t         sim_epoch;              /* newest committed */
extern int64_t          sim_takeover;           /* the longest of all runs, us */

void sim_model_reset(void);
void sim_model_commit(sim_op_t *ops, ngx_uint_t n);     /* of one transaction, in its order */
sim_campaign_t *sim_model_campaign(uint64_t no);
ngx_uint_t sim_model_left(void);                /* messages that are not settled */
void sim_model_end(void);

/* number of a campaign's recipient */
uint64_t sim_model_number(sim_campaign_t *c, uint32_t seq);

/* whoever sends that message dies */
ngx_uint_t sim_poison(uint64_t campaign, uint32_t seq);

/* to be compared after this commit */
void sim_model_touch(sim_campaign_t *c);

/* the model's own count of a campaign's messages */
void sim_model_count(sim_campaign_t *c, ngx_campaign_progress_t *p);

/* model_look.c: compares it now */
void sim_model_look(sim_campaign_t *c);

/* a scheduled campaign starts; 1: a campaign in progress is over */
void sim_model_start(sim_campaign_t *c);
ngx_uint_t sim_model_ended(sim_campaign_t *c);

/* a message came to its state, other than canceled or skipped: whoever asked for that is told */
void sim_model_settled(sim_campaign_t *c, sim_message_t *m);
void sim_model_expired_maybe(sim_campaign_t *c, sim_message_t *m);
uint32_t sim_model_ended_maybe(sim_campaign_t *c);      /* messages that may have been passed over in this transaction, told of as such */

/* model_receipt.c */
void sim_model_receipts(sim_call_t *call);
void sim_model_receipt_said(sim_campaign_t *c, sim_message_t *m);       /* what was put off */
void sim_model_receipt_end(sim_campaign_t *c, sim_message_t *m);
void sim_model_named(sim_message_t *m, ngx_campaign_outcome_t *o);      /* an outcome brings its gateway's name for it */

/* model_hook.c */

typedef struct {                                /* an event that is kept */
    uint64_t                        no, campaign;
    uint32_t                        seq;
    ngx_uint_t                      value, attempts;
    ngx_uint_t                      maybe;      /* 1: it is not known whether that happened */
    ngx_uint_t                      holds;      /* 1: it is to be repeated, and later ones of its message wait for it */
    int64_t                         due;        /* wall, us; or NGX_CAMPAIGN_EVENT_NEVER */
} sim_note_t;

typedef struct {
    ngx_uint_t                      known, account, event;
    uint64_t                        no, last;   /* of the webhook, of its newest event */
    sim_note_t                     *notes;      /* in the order of their numbers */
    ngx_uint_t                      n, room;
    sim_note_t                     *fresh;      /* of the transaction at hand, without numbers */
    ngx_uint_t                      nfresh, fresh_room;
    ngx_uint_t                      touched;
    ngx_uint_t                      off;        /* it is disabled, and hears nothing */
    ngx_uint_t                      turned;     /* in the transaction at hand: what else is in it, it may have heard, or not */
    u_char                          id[NGX_CAMPAIGN_ID_LEN];
} sim_hook_t;

extern sim_hook_t  sim_hooks[SIM_HOOKS];
extern uint64_t    sim_told;                    /* events, in this run */

void sim_hooks_reset(void);
void sim_model_hook(ngx_uint_t account, const ngx_campaign_webhook_t *w);
void sim_model_turn_hook(sim_call_t *call);
void sim_model_moved(sim_campaign_t *c);        /* a campaign came to its status */
void sim_model_unsure(sim_campaign_t *c);       /* so it did, but that was another one */
void sim_model_tell(sim_call_t *call);
void sim_model_hooks(ngx_uint_t all);           /* after a commit */
void sim_model_take(sim_call_t *call);          /* what it is to bring, as of now */
void sim_model_taken(sim_call_t *call);
ngx_uint_t sim_model_due(sim_hook_t *h);        /* 1: something is to be told */
ngx_uint_t sim_hooks_idle(void);

/* model_leave.c */
void sim_model_leave(ngx_campaign_turn_t *turn);
void sim_model_look_after(ngx_campaign_turn_t *turn);

extern uint64_t  sim_handed;                    /* messages handed over, in this run; of these, by a process that did not live to record them */
extern uint64_t  sim_lost;

/* model_turn.c */
void sim_model_turn(ngx_campaign_turn_t *turn);
void sim_model_wrong(sim_campaign_t *c, sim_message_t *m, const char *what) __attribute__((noreturn));


/* model_share.c */
void sim_model_shares(ngx_campaign_turn_t *turn);
void sim_model_waits(ngx_campaign_turn_t *turn);
void sim_model_spent(ngx_uint_t account);       /* nobody knows when its messages went */

/* nobody knows what became of it; crashed: who sent it died of itself */
void sim_model_uncertain(sim_campaign_t *c, sim_message_t *m, ngx_uint_t crashed);

extern sim_message_t  *sim_alone;               /* the one that was claimed last, with nothing else in flight */
extern uint64_t  sim_set_aside;                 /* messages, in all runs of a process */
extern uint32_t  sim_unfair;                    /* the most that one of two campaigns was ahead, in all runs */

/* the store's state, from its reader: fills what it has; engine.c or the twin */
typedef struct {
    ngx_uint_t                      found, status;
    ngx_campaign_progress_t         progress;
    uint8_t                        *states, *reasons, *attempts;    /* of span messages: ngx_campaign_message_status_e, 0: none */
} sim_look_t;

void sim_engine_look(sim_campaign_t *c, sim_look_t *look);
void twin_look(sim_campaign_t *c, sim_look_t *look);

/* the queue of a webhook; one of its events, 0: it is not there */
void sim_engine_hook(uint64_t hook, ngx_campaign_queue_t *queue);
ngx_uint_t sim_engine_note(uint64_t hook, uint64_t no, sim_note_t *note);
void twin_hook(uint64_t hook, ngx_campaign_queue_t *queue);
ngx_uint_t twin_note(uint64_t hook, uint64_t no, sim_note_t *note);

/* model_gateway.c */

#ifdef NGX_HTTP_CAMPAIGN_DISPATCH_SLACK         /* the dispatcher holds the pace at the moment of sending */
#define SIM_PACED  1
#else
#define SIM_PACED  0
#endif

extern int64_t  sim_disturbed;

void sim_model_started(sim_flight_t *f, ngx_http_campaign_delivery_t *d);
void sim_model_arrived(sim_flight_t *f);
void sim_model_answered(sim_flight_t *f);


/* scenario.c */

typedef enum {
    SIM_E_CREATE = 0, SIM_E_STATUS, SIM_E_DELETE, SIM_E_MESSAGE_CANCEL, SIM_E_CONTACT_DELETE, SIM_E_ACCOUNT,
    SIM_E_SUPPRESS, SIM_E_CRASH, SIM_E_CRASH_AT, SIM_E_STOP, SIM_E_RELOAD, SIM_E_LOCK, SIM_E_CLOCK, SIM_E_FAULT, SIM_E_DISK, SIM_E_GATEWAY,
    SIM_E_CONNECTIONS, SIM_E_DEAF, SIM_E_RECEIPT, SIM_E_WEBHOOK, SIM_E_MAX
} sim_event_e;

typedef struct {
    sim_event_e     kind;
    int64_t         at;                         /* after the beginning, us */
    int64_t         last;                       /* us, where it has an end */
    uint32_t        a, b, c, d, e;
} sim_event_t;

#define SIM_BATCH  8                            /* receipts in one operation, at most */

struct sim_call_s {                             /* an operation of a client */
    ngx_campaign_op_t          op;
    sim_op_e                   kind;
    sim_process_t             *process;
    uint64_t                   life;
    ngx_uint_t                 which;           /* campaign, account, audience */
    uint32_t                   seq;
    ngx_campaign_campaign_t    campaign;
    ngx_campaign_account_t     account;
    ngx_campaign_audience_t    audience;
    ngx_campaign_sender_t      sender;
    ngx_campaign_suppress_t    suppress;
    ngx_campaign_receipts_t    receipts;
    sim_receipt_t             *said[SIM_BATCH]; /* what these are */
    ngx_campaign_webhook_t     webhook;
    ngx_campaign_take_t        take;
    uint64_t                   due[SIM_TELLS];  /* events that it is to bring, twice their number; 1 more: held */
    ngx_uint_t                 ndue;
    ngx_campaign_tell_t       *tells;
    ngx_uint_t                 ntells;
    u_char                     id[NGX_CAMPAIGN_ID_LEN];
};

typedef struct {
    uint64_t                   seed;
    ngx_uint_t                 workers;
    ngx_uint_t                 redelivery;
    ngx_uint_t                 receipts;        /* the gateway is said to send some */
    ngx_uint_t                 talks;           /* and it does; 2: it calls messages by few names */
    ngx_uint_t                 named;           /* receipts may name a message as its gateway does */
    ngx_uint_t                 poison;          /* some messages kill who sends them */
    ngx_uint_t                 crowd;           /* accounts have rate, and much to send */
    ngx_uint_t                 fast;            /* NGX_CAMPAIGN_PICK_FAST of its dispatchers */
    ngx_campaign_retry_t       retry;
    ngx_uint_t                 concurrency[SIM_CHANNELS];
    int64_t                    latency;         /* of the gateway, us */
    int64_t                    commit;          /* us that a commit takes */
    int64_t                    troubles;        /* until then things break, us */
    ngx_uint_t                 nevents;
    sim_event_t                events[SIM_EVENTS];
} sim_scenario_t;

extern sim_scenario_t  sim_scenario;
extern ngx_uint_t      sim_is_calm;             /* nothing breaks any more */
extern ngx_uint_t      sim_deaf;                /* hints are lost */
extern ngx_uint_t      sim_gentle;              /* nobody dies or stands still in this run; 1: and the store works, 2: and nobody exits */
extern ngx_uint_t      sim_sick;                /* store or a process had trouble: alerts are due */
extern int64_t         sim_disk;                /* us that a commit takes more */

/* points at which a process may be told to die */
typedef enum {
    SIM_POINT_BEGIN = 0, SIM_POINT_COMMIT, SIM_POINT_START, SIM_POINT_ARRIVE, SIM_POINT_ANSWER, SIM_POINT_MAX
} sim_point_e;

void sim_point(sim_point_e point, sim_process_t *p);

/* clients.c */
void sim_clients_begin(void);
void sim_client_event(sim_event_t *e);

/* a call in a worker, and what became of its start; NULL: none serves */
sim_call_t *sim_call(sim_op_e kind, uint64_t rnd);
sim_call_t *sim_call_in(sim_process_t *p, sim_op_e kind);
void sim_call_started(sim_call_t *call, ngx_int_t rc);

ngx_str_t sim_text(ngx_pool_t *pool, const char *form, unsigned n);
extern const char *const  sim_channels[SIM_CHANNELS];
void sim_clients_resume(void);
ngx_uint_t sim_clients_idle(void);
int64_t sim_clients_patience(void);

/* scenario.c */

void sim_scenario_make(uint64_t seed, const uint8_t *without);
void sim_scenario_begin(void);
ngx_uint_t sim_scenario_over(void);
void sim_scenario_print(FILE *out, const uint8_t *without);


/* main.c */

typedef struct {
    uint64_t        runs, twins, crashes, commits, deliveries, handed, lost, faults, steps, set_aside;
    uint64_t        virtual_us;
    int64_t         takeover;
    uint32_t        unfair;
} sim_totals_t;

extern ngx_uint_t      sim_verbose;
extern uint64_t        sim_trace;               /* of all that the store answered */
void sim_trace_add(uint64_t value);
extern uint64_t        sim_crashes, sim_steps;

/* the run is over: wrong */
void sim_fail(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));
void sim_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* a number made of its arguments and the seed: so that an event less changes nothing else */
uint64_t sim_random(uint64_t a, uint64_t b, uint64_t c);
#define sim_chance(rnd, n)  ((rnd) % (n) == 0)


#endif /* _SIM_H_INCLUDED_ */
