
/*
 * What the dispatcher asks of the store.  One process at a time holds the lease; its epoch fences every turn.  The dispatcher keeps a
 * picture of all that can be sent (ngx_campaign_live_t) from the changes that each turn reports, and says what it wants to claim; a turn
 * records the outcomes of messages sent, takes the accounts' rates, claims messages and starts scheduled campaigns: one transaction, one
 * commit.  A message is claimed in a committed transaction before its first byte goes out.
 *
 * A part of ngx_campaign_store.h, which includes it: include that.
 */

#ifndef _NGX_CAMPAIGN_STORE_DISPATCH_H_INCLUDED_
#define _NGX_CAMPAIGN_STORE_DISPATCH_H_INCLUDED_


/*
 * What kills the dispatcher.  A message that was in flight at three crashes in a row is a suspect: it waits a while, and of all suspects of
 * the store one at a time is in flight.  One that was there at a crash again goes with nothing else in flight at all; if there is a crash
 * then, it is the one: set aside.  All others get through meanwhile, and with an outcome the row ends.  Nothing is claimed while somebody
 * waits to be alone, or is, but not for long.  Deaths that come from outside (SIGKILL, power) prove nothing, and weigh little.
 */

#define NGX_CAMPAIGN_DEATHS_KILL     1
#define NGX_CAMPAIGN_DEATHS_CRASH    16
#define NGX_CAMPAIGN_DEATHS_SUSPECT  (3 * NGX_CAMPAIGN_DEATHS_CRASH)
#define NGX_CAMPAIGN_DEATHS_ALONE    (4 * NGX_CAMPAIGN_DEATHS_CRASH)    /* more crashes weigh nothing */
#define NGX_CAMPAIGN_DEATHS_MAX      127        /* set aside without a proof: sixty kills in a row, and no outcome between them */

#define NGX_CAMPAIGN_DEATHS_WAIT     1000000    /* us from a death to a suspect's turn: who killed for the first time does so again before */
#define NGX_CAMPAIGN_DEATHS_TURN     20000      /* us until it asks again, while another one is in flight */
#define NGX_CAMPAIGN_DEATHS_QUIET    2000000    /* us that nothing is claimed for its sake, */
#define NGX_CAMPAIGN_DEATHS_LATER    30000000   /* if that was not enough from one time to the next */

/* us from which on nothing of a campaign may be sent, 0: none; its start was within that second */
#define ngx_campaign_expires(validity, started)  (((validity) && (started)) ? ((int64_t) (started) + (validity) + 1) * 1000000 : 0)

typedef struct {                                /* an account or campaign that changed; strings live in the turn's pool */
    ngx_campaign_kind_e      kind;              /* ACCOUNT or CAMPAIGN */
    uint32_t                 account;
    uint64_t                 no;
    unsigned                 gone:1;            /* not to be dispatched (any more): nothing else is set */

    uint64_t                 rate;              /* ACCOUNT */
    uint32_t                 burst;
    int64_t                  tat;               /* limiter's state, ns */

    ngx_campaign_campaign_t  campaign;          /* CAMPAIGN */
    uint32_t                 fresh;             /* places not yet claimed: at least the fresh messages left */
    int64_t                  again_at;          /* us, when the earliest repeat is due; 0: none waits */
} ngx_campaign_live_t;

typedef enum {
    NGX_CAMPAIGN_OUTCOME_SETTLED = 0,           /* state and reason are final (SENT too) */
    NGX_CAMPAIGN_OUTCOME_AGAIN,                 /* tried, to be repeated at `due` */
    NGX_CAMPAIGN_OUTCOME_BACK                   /* never tried: may be claimed again at `due`, no attempt is counted */
} ngx_campaign_outcome_kind_e;

typedef struct {
    uint64_t                 campaign;
    uint32_t                 seq;
    uint8_t                  kind;              /* ngx_campaign_outcome_kind_e */
    uint8_t                  state;             /* ngx_campaign_state_e */
    uint8_t                  reason;            /* ngx_campaign_reason_e */
    uint8_t                  attempt;           /* tries so far, this one included */
    uint8_t                  claim;             /* the try that it was claimed for: of a later claim this is no outcome */
    uint32_t                 segments;          /* of its text; 0: it never went to a gateway */
    int64_t                  due;               /* us */
    uint8_t                  named;             /* a receipt may name it by this: */
    uint8_t                  id_len;            /* what the gateway calls a message that it accepted; 0: nothing */
    u_char                   id[NGX_CAMPAIGN_GATEWAY_ID_MAX];
} ngx_campaign_outcome_t;

typedef struct {                                /* a message claimed */
    uint64_t                 campaign;
    uint32_t                 seq;
    uint8_t                  attempt;           /* of the try that comes, from 1 */
    uint8_t                  redelivery;        /* it may have gone out before */
    ngx_campaign_contact_t   contact;           /* strings live in the turn's pool */
} ngx_campaign_claimed_t;

typedef struct {                                /* what to claim of one campaign */
    uint64_t                 campaign;
    uint32_t                 want;              /* messages */
    uint32_t                 again;             /* of these, repeats at most (more, if fresh ones run out) */

    ngx_campaign_claimed_t  *messages;          /* result: n of them, repeats first */
    uint32_t                 n;
    uint32_t                 left;              /* result: as fresh and again_at of ngx_campaign_live_t */
    int64_t                  again_at;
    uint32_t                 repeats;           /* result: messages that wait for one */
    uint32_t                 expired;           /* result: messages that failed, since the campaign is no longer valid */
    unsigned                 gone:1;            /* result: nothing may be claimed of it any more */
    unsigned                 spent:1;           /* result: the account's rate had nothing for it; it may have as much as before */
} ngx_campaign_claim_t;

typedef struct {                                /* an account's claims in one turn */
    uint32_t                 account;
    ngx_campaign_claim_t    *claims;
    ngx_uint_t               nclaims;
    int64_t                  until;             /* ns: release nothing later than this */

    uint32_t                 granted;           /* result: messages claimed, in all its claims */
    int64_t                  first, step;       /* result, ns: message k of the grant goes at first + k * step */
    int64_t                  tat;
} ngx_campaign_grant_t;

/*
 * A dispatcher that leaves does not wait for its gateways.  Its last turn names the messages that are in flight, as `leaving`; from then on they
 * are nobody's but its own: others neither recover nor claim them.  What becomes of them it records by turns with `left`, which no newer epoch
 * fences; an outcome of a message that is not its own any more changes nothing.  It is on the post of its epoch (ngx_campaign_store_post) before
 * that last turn and for as long as it lives: when nobody is there any more, a turn with `look` takes what is left for uncertain.
 */

typedef struct {
    uint64_t                 campaign;
    uint32_t                 seq;
} ngx_campaign_leaving_t;

typedef struct {                                /* messages of a channel that are in flight with dispatchers that left */
    ngx_str_t                channel;           /* lives in the turn's pool */
    uint32_t                 n;
} ngx_campaign_away_t;

typedef struct {                                /* an account's messages went, or will go, later than they were claimed for */
    uint32_t                 account;
    int64_t                  tat;               /* ns: its limiter goes on from here, if it is not further on */
} ngx_campaign_limit_t;

typedef struct {
    uint64_t                 epoch;
    ngx_campaign_outcome_t  *outcomes;          /* the store sorts them */
    ngx_uint_t               noutcomes;
    ngx_campaign_limit_t    *limits;            /* before the grants, and in the last turn */
    ngx_uint_t               nlimits;
    ngx_campaign_grant_t    *grants;
    ngx_uint_t               ngrants;
    ngx_str_t               *uncertain;         /* channels whose uncertain messages fail; those of others go again */
    ngx_uint_t               nuncertain;
    unsigned                 crashed:1;         /* the dispatcher before this one died of itself, not by a signal from outside */
    ngx_campaign_leaving_t  *leaving;           /* after the outcomes: these are handed over.  The store sorts them */
    ngx_uint_t               nleaving;
    unsigned                 last:1;            /* starts nothing and reports no change: only records (shutdown) */
    unsigned                 left:1;            /* outcomes of messages that the epoch handed over; nothing else */
    unsigned                 look:1;            /* looks after what others handed over */

    ngx_array_t             *changes;           /* result: ngx_campaign_live_t */
    ngx_array_t             *finished;          /* result: uint64_t, numbers of campaigns that were settled by this turn */
    ngx_array_t             *away;              /* result, with `look`: ngx_campaign_away_t */
    int64_t                  next;              /* result, us: earliest scheduled start; 0: none; in the past: call again now */
} ngx_campaign_turn_t;

typedef struct {                                /* cheap look: is a turn worth while? */
    unsigned                 changed:1;
    int64_t                  next;              /* us, earliest scheduled start; 0: none */
    uint64_t                 epoch;             /* newest: another than the dispatcher's own means that it was fenced */
    ngx_array_t             *fresh;             /* NULL, or ngx_campaign_live_t of op->pool by twos, an account and a campaign of it of which
                                                   nothing was ever claimed, or that starts now: the first ones.  The next turn starts
                                                   them, and reports them with the time of their start */
} ngx_campaign_peek_t;


ngx_int_t ngx_campaign_store_peek(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_peek_t *peek);

/* makes the caller the dispatcher: a new epoch; every account and campaign that can be sent will be reported by the next turns */
ngx_int_t ngx_campaign_store_lease(ngx_campaign_store_t *st, ngx_campaign_op_t *op, uint64_t *epoch);

/*
 * Posts: one process at a time is on a post, until it leaves it or is no more.  Each epoch is one, and telling webhooks is.  At once, in the event
 * loop.  NGX_BUSY: another process is; NGX_ERROR: logged.
 */
#define NGX_CAMPAIGN_POST_NOTIFY  0

ngx_int_t ngx_campaign_store_post(ngx_campaign_store_t *st, uint64_t post);
void ngx_campaign_store_post_leave(ngx_campaign_store_t *st, uint64_t post);

/* FENCED: the epoch is not the newest (and nothing was handed over by it); nothing was recorded or claimed */
ngx_int_t ngx_campaign_store_turn(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_turn_t *turn);


#endif /* _NGX_CAMPAIGN_STORE_DISPATCH_H_INCLUDED_ */
