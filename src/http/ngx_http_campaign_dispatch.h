
/*
 * The dispatcher, shared by its files: lease (lock, epoch, hint), dispatch (tick, life), turn (outcomes and claims), picture (accounts
 * and campaigns), window (claimed messages until they are settled), leave (hands over what is in flight when its process exits).  One in
 * a process, at work in one process at a time.  All runs in the event loop.
 */

#ifndef _NGX_HTTP_CAMPAIGN_DISPATCH_H_INCLUDED_
#define _NGX_HTTP_CAMPAIGN_DISPATCH_H_INCLUDED_


#include "ngx_http_campaign_module.h"
#include "ngx_http_campaign_delivery.h"
#include "ngx_http_campaign_status.h"
#include "ngx_campaign_heap.h"
#include "ngx_campaign_pick.h"


#define NGX_HTTP_CAMPAIGN_DISPATCH_LOCK   "dispatcher.lock"

#define NGX_HTTP_CAMPAIGN_DISPATCH_TRY    30            /* ms between two tries for the lock; reloads may follow each other quickly */
#define NGX_HTTP_CAMPAIGN_DISPATCH_PEEK   100000        /* us without a turn after which the store is looked at: a hint may be lost */
#define NGX_HTTP_CAMPAIGN_DISPATCH_SHOW   500000        /* us between two pictures in status */
#define NGX_HTTP_CAMPAIGN_DISPATCH_SURE   25000         /* us after which nothing is sent before the store was asked for the epoch */
#define NGX_HTTP_CAMPAIGN_DISPATCH_SLACK  5000000LL     /* ns that a message may be late without effect on the next: see gcra_pace_ */
#define NGX_HTTP_CAMPAIGN_DISPATCH_LOOK   100000        /* us between two looks at what earlier dispatchers have in flight */
#define NGX_HTTP_CAMPAIGN_DISPATCH_NEVER  NGX_CAMPAIGN_PICK_NEVER


typedef struct ngx_http_campaign_dispatch_s  ngx_http_campaign_dispatch_t;
typedef struct ngx_http_campaign_turn_s      ngx_http_campaign_turn_t;


/* an account of which a campaign can be sent */

typedef struct {
    ngx_rbtree_node_t             node;         /* key: its number */
    ngx_campaign_pick_account_t   pick;
    ngx_uint_t                    campaigns;    /* that stand in the picture */
    ngx_queue_t                   queue;        /* in dispatch->idle, if it has none */
    ngx_queue_t                   windows;      /* in the order of their claims; the first is in dispatch->windows */
    ngx_uint_t                    unsent;       /* messages in them */
    int64_t                       tat;          /* pace of what really goes, monotonic ns */
    ngx_queue_t                   late;         /* in dispatch->late */
    unsigned                      is_late:1;
    unsigned                      idle:1;
} ngx_http_campaign_live_account_t;

/*
 * A campaign that can be sent, or of which a message is claimed: the picture holds one reference while it stands in it, and each turn
 * one a claim until its memory is freed.
 */

typedef struct {
    ngx_rbtree_node_t                  node;    /* key: its number */
    ngx_pool_t                        *pool;
    ngx_uint_t                         refs;
    ngx_http_campaign_live_account_t  *account; /* while it stands in the picture */
    ngx_http_campaign_series_t        *series;  /* of its account and channel */
    time_t                             started;
    ngx_http_campaign_origin_t         origin;
    ngx_campaign_pick_campaign_t       pick;
    int64_t                            expires; /* us; 0: never */
    int64_t                            behind;  /* us after its schedule that it was started; 0 from its first message on */
    uint32_t                           repeats; /* messages that wait for one, for status */
    unsigned                           gone:1;  /* claimed messages that did not start are given back */
} ngx_http_campaign_live_t;


/* a grant: its messages, each with a time to start */

typedef struct {
    ngx_campaign_heap_node_t      node;         /* in dispatch->windows by the next start, monotonic us */
    ngx_queue_t                   queue;        /* in account->windows */
    ngx_http_campaign_live_account_t  *account; /* NULL: it left the picture, and its messages are given back */
    ngx_uint_t                    left;         /* messages that did not start */
    ngx_http_campaign_turn_t     *turn;
    ngx_campaign_grant_t         *grant;
    ngx_http_campaign_live_t    **lives;        /* one a claim */
    ngx_uint_t                    claim;        /* next message: of which claim, and which of its messages */
    uint32_t                      message;
    int64_t                       next, step;   /* its start, monotonic ns */
} ngx_http_campaign_window_t;

/* lives in its own pool until the store is done with it and all messages claimed by it are settled */

struct ngx_http_campaign_turn_s {
    ngx_campaign_op_t             op;
    ngx_campaign_turn_t           turn;
    ngx_http_campaign_dispatch_t *dispatch;
    ngx_http_campaign_window_t   *windows;      /* one a grant */
    ngx_campaign_pick_account_t **accounts;     /* one a grant */
    ngx_uint_t                    messages;     /* claimed and not settled */
    int64_t                       started;      /* monotonic us */
};


typedef enum {
    NGX_HTTP_CAMPAIGN_DISPATCH_OFF = 0,
    NGX_HTTP_CAMPAIGN_DISPATCH_TRYING,
    NGX_HTTP_CAMPAIGN_DISPATCH_LEASING,         /* has the lock, not yet an epoch */
    NGX_HTTP_CAMPAIGN_DISPATCH_RUNNING,
    NGX_HTTP_CAMPAIGN_DISPATCH_LEFT             /* another one may be at work: only records what becomes of what it handed over */
} ngx_http_campaign_dispatch_state_e;

struct ngx_http_campaign_dispatch_s {
    ngx_http_campaign_main_conf_t      *cmcf;
    ngx_log_t                          *log;
    ngx_pool_t                         *pool;       /* lives as long as the process */
    ngx_http_campaign_dispatch_state_e  state;
    ngx_event_t                         tick;       /* timer, and posted */
    ngx_str_t                          *uncertain;  /* channels with campaign_redelivery off */
    ngx_uint_t                          nuncertain;

    /* lease */
    ngx_event_t                         retry;
    u_char                             *path;       /* of the lock */
    ngx_fd_t                            lock;
    ngx_connection_t                   *hint;
    ngx_campaign_op_t                  *leasing, *peeking;
    ngx_msec_t                          wait;       /* between two tries for a lease that failed */
    uint64_t                            epoch;      /* 0: none */
    int64_t                             peeked;     /* monotonic us */

    /* picture */
    ngx_campaign_pick_t                 pick;
    ngx_rbtree_t                        accounts, campaigns;
    ngx_rbtree_node_t                   no_account, no_campaign;
    ngx_queue_t                         idle;       /* accounts without a campaign */
    ngx_http_campaign_gateway_status_t **statuses;  /* one a gateway */
    int64_t                             showed;     /* when the picture was last put into status, monotonic us */
    int64_t                             start;      /* us, next scheduled start; 0: none */

    /* turns */
    ngx_http_campaign_turn_t           *turn;       /* under way */
    ngx_http_campaign_turn_t           *last;       /* at exit: the store's flush takes it */
    int64_t                             turned;     /* when the last began, monotonic us */
    int64_t                             landed;     /* when the last was done */
    int64_t                             lag;        /* us that turns take */
    int64_t                             answered;   /* draining: when the last answer came, monotonic us */
    int64_t                             failed_at;  /* first of a row of turns that failed; 0: all is well */
    int64_t                             again_at;   /* next try after one that failed */
    ngx_msec_t                          backoff;

    /* windows */
    ngx_campaign_heap_node_t           *windows;
    ngx_queue_t                         late;       /* accounts whose messages go later than they were claimed for */
    int64_t                             sure;       /* monotonic us: when the store was last asked whether the epoch is the newest */
    ngx_campaign_outcome_t             *outcomes;   /* not yet in a turn; there is room for one of every claimed message */
    ngx_uint_t                          noutcomes, room;
    ngx_uint_t                          claimed;    /* messages claimed and not settled, of this epoch */
    ngx_uint_t                          flying;     /* of these, deliveries under way */
    int64_t                             busy;       /* no connections: starts nothing until then, monotonic us */
    void                               *free;       /* deliveries */
    ngx_queue_t                         flights;    /* deliveries under way, of whatever epoch */

    /* leave */
    int64_t                             look_at;    /* next look at what others handed over, monotonic us; NEVER: nothing is away */

    unsigned                            crashed:1;  /* the dispatcher before this one died of itself */
    unsigned                            looked:1;   /* once: before that nothing is claimed, for it is not known which slots are free */
    unsigned                            posted:1;   /* on the post of its epoch: may hand over */
    unsigned                            hinted:1;
    unsigned                            changed:1;  /* the store has something to tell */
    unsigned                            draining:1; /* claims and starts nothing more, then lets the lease go */
};


/* ngx_http_campaign_dispatch.c */

/* monotonic us */
int64_t ngx_http_campaign_dispatch_clock(void);

/* descriptor of the hint, NGX_INVALID_FILE if there is none */
ngx_fd_t ngx_http_campaign_dispatch_hint(void);

/* runs a tick in this turn of the event loop */
void ngx_http_campaign_dispatch_soon(ngx_http_campaign_dispatch_t *d);

/* the lease is taken: starts to work */
void ngx_http_campaign_dispatch_run(ngx_http_campaign_dispatch_t *d);

/* forgets all that was claimed, and stops; what is in flight ends on its own, unrecorded unless it was drained before */
void ngx_http_campaign_dispatch_stop(ngx_http_campaign_dispatch_t *d);

/* at exit: tells of outcomes that were not recorded, if there are some */
void ngx_http_campaign_dispatch_uncertain(ngx_http_campaign_dispatch_t *d, ngx_uint_t n);


/* ngx_http_campaign_show.c: into status */
void ngx_http_campaign_dispatch_show(ngx_http_campaign_dispatch_t *d, int64_t now);


/* ngx_http_campaign_turn.c */

/* when a turn is worth while, monotonic us; NEVER: one is under way, or nothing is to be done */
int64_t ngx_http_campaign_turn_at(ngx_http_campaign_dispatch_t *d, int64_t now);

/* starts one, if there is something to record or to claim, or the store has something to tell */
void ngx_http_campaign_turn_start(ngx_http_campaign_dispatch_t *d, int64_t now);

/* at exit, without an event loop: what is left goes to the store's flush */
void ngx_http_campaign_turn_last(ngx_http_campaign_dispatch_t *d, ngx_campaign_store_t *st);

/* frees a turn of which no message is left */
void ngx_http_campaign_turn_free(ngx_http_campaign_turn_t *t);


/* ngx_http_campaign_lease.c */

/* begins to try for the lock; NGX_ERROR: no memory */
ngx_int_t ngx_http_campaign_lease_init(ngx_http_campaign_dispatch_t *d);

/* gives lease and lock back, and tries for them again after `wait` ms (unless the process ends) */
void ngx_http_campaign_lease_release(ngx_http_campaign_dispatch_t *d, ngx_msec_t wait);

/* a newer epoch: stops at once */
void ngx_http_campaign_lease_fenced(ngx_http_campaign_dispatch_t *d);

/* looks at the store: changed, start, or fenced */
void ngx_http_campaign_lease_peek(ngx_http_campaign_dispatch_t *d);

/* takes the hint's descriptor out of the event loop */
void ngx_http_campaign_lease_deaf(ngx_http_campaign_dispatch_t *d);

/* lets the lock go */
void ngx_http_campaign_lease_unlock(ngx_http_campaign_dispatch_t *d);


/* ngx_http_campaign_crash.c */

/* from now on a crash of this process leaves a mark in the lock's file; fd NGX_INVALID_FILE: no more */
void ngx_http_campaign_crash_watch(ngx_fd_t fd, ngx_log_t *log);

/* 1: there was one, left by the last holder of the lock; it is taken away */
ngx_uint_t ngx_http_campaign_crash_take(ngx_fd_t fd, ngx_log_t *log);


/* ngx_http_campaign_picture.c */

/* empty picture; NGX_ERROR: no memory */
ngx_int_t ngx_http_campaign_picture_init(ngx_http_campaign_dispatch_t *d);
void ngx_http_campaign_picture_reset(ngx_http_campaign_dispatch_t *d);
void ngx_http_campaign_picture_clear(ngx_http_campaign_dispatch_t *d);

/* what a turn reports; NGX_ERROR: no memory, the picture lacks something */
ngx_int_t ngx_http_campaign_picture_change(ngx_http_campaign_dispatch_t *d, ngx_campaign_turn_t *turn, int64_t wall);

/* what a peek found between two turns: the next one can claim of it.  What is known, or finds no memory, waits for the turn's report */
void ngx_http_campaign_picture_fresh(ngx_http_campaign_dispatch_t *d, ngx_array_t *fresh, int64_t wall);

/* accounts whose last campaign went */
void ngx_http_campaign_picture_sweep(ngx_http_campaign_dispatch_t *d);

/* NULL: it does not stand in the picture */
ngx_http_campaign_live_account_t *ngx_http_campaign_picture_find_account(ngx_http_campaign_dispatch_t *d, uint32_t no);
ngx_http_campaign_live_t *ngx_http_campaign_picture_find(ngx_http_campaign_dispatch_t *d, uint64_t campaign);
void ngx_http_campaign_picture_remove(ngx_http_campaign_dispatch_t *d, ngx_http_campaign_live_t *live);
void ngx_http_campaign_live_unref(ngx_http_campaign_live_t *live);


/* ngx_http_campaign_window.c */

/* room for the outcomes of n messages more; NGX_ERROR: no memory */
ngx_int_t ngx_http_campaign_window_reserve(ngx_http_campaign_dispatch_t *d, ngx_uint_t n);

/* queues what a grant of the turn has claimed */
void ngx_http_campaign_window_open(ngx_http_campaign_dispatch_t *d, ngx_http_campaign_window_t *w, int64_t now, int64_t wall);

/* starts what is due; NGX_DECLINED: not before the store was asked for the epoch */
ngx_int_t ngx_http_campaign_window_send(ngx_http_campaign_dispatch_t *d, int64_t now);

/* the account's rate and burst are these from now on, also for what is claimed and has not started */
void ngx_http_campaign_window_change(ngx_http_campaign_dispatch_t *d, ngx_http_campaign_live_account_t *a, uint64_t rate, uint32_t burst);

/* the account goes: its windows are on their own */
void ngx_http_campaign_window_orphan(ngx_http_campaign_dispatch_t *d, ngx_http_campaign_live_account_t *a);

/* gives back all that did not start.  record 0: forgets it */
void ngx_http_campaign_window_close(ngx_http_campaign_dispatch_t *d, ngx_uint_t record);

/* waits for no answer any longer, of whatever epoch */
void ngx_http_campaign_window_cut(ngx_http_campaign_dispatch_t *d);

/* the n messages of this epoch whose deliveries are under way */
void ngx_http_campaign_window_leaving(ngx_http_campaign_dispatch_t *d, ngx_campaign_leaving_t *leaving, ngx_uint_t n);

/* outcome of a message that is never tried */
void ngx_http_campaign_window_back(ngx_http_campaign_dispatch_t *d, ngx_campaign_claimed_t *m, int64_t due);


/* ngx_http_campaign_leave.c */

/* a new epoch: may hand over, has not looked */
void ngx_http_campaign_leave_begin(ngx_http_campaign_dispatch_t *d);

/* 1: the process exits, and nothing is left to do but to wait for answers: the next turn hands over */
ngx_uint_t ngx_http_campaign_leave_due(ngx_http_campaign_dispatch_t *d);

/* that turn; NGX_ERROR: no memory */
ngx_int_t ngx_http_campaign_leave_turn(ngx_http_campaign_dispatch_t *d, ngx_http_campaign_turn_t *t);

/* it was taken, or there was nothing to hand over: lets the lock go */
void ngx_http_campaign_leave_go(ngx_http_campaign_dispatch_t *d);

/* a look was taken: slots of messages that are away */
void ngx_http_campaign_leave_looked(ngx_http_campaign_dispatch_t *d, ngx_array_t *away);

/* nothing is handed over any more */
void ngx_http_campaign_leave_end(ngx_http_campaign_dispatch_t *d);


#endif /* _NGX_HTTP_CAMPAIGN_DISPATCH_H_INCLUDED_ */
