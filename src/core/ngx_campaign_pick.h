
/*
 * The dispatcher's decisions: whose turn it is, how many messages, when to look again.  The picture is data in queues: a campaign that
 * could send stands in its account's ring, or is parked at a gateway that is full or rests; an account whose rate is spent, and a campaign
 * whose next repeat is not due, wait for their time.  What has nothing to do stands nowhere and costs nothing; a turn costs what it asks for.
 *
 * Fair: accounts go round and each gives one message, of its next campaign; so an account's campaigns share its rate.  Where it is fast a
 * campaign gives NGX_CAMPAIGN_PICK_SHARE before the next one's turn, a millisecond's worth at most: each campaign in a turn costs the store pages
 * of its own.  A free slot goes to the account that has waited longest at that gateway, so a full gateway holds up neither other gateways nor
 * other accounts; if its rate is spent just then, to the next, and it is first as soon as there is rate again.  While an account waits for a
 * slot there, it keeps a message of the rate that is booked ahead: its other campaigns do not take all.  A gateway that has too much to do is
 * given fewer slots, and gets them back one by one.
 *
 * A later rule is a reason to wait with a time to it, or a number beside those that are here, not a branch in the walk:
 *   own rate of a campaign   a second ngx_campaign_gcra_t, asked where the account's is; its time goes into `rest`
 *   sending window           `rest` until it opens
 *   canary                   a bound on `fresh`, raised when its outcomes are known
 *   share of a campaign      messages that it gives before the next one's turn: a factor of those that are here
 *
 * What is urgent goes before the account's other campaigns, wherever they wait; so that these are not forgotten, one of
 * NGX_CAMPAIGN_PICK_URGENT messages is theirs.
 *
 * All structs are the caller's memory, zeroed, and stay where they are while they are added.  Times are us since 1970; nothing can fail.
 */

#ifndef _NGX_CAMPAIGN_PICK_H_INCLUDED_
#define _NGX_CAMPAIGN_PICK_H_INCLUDED_


#include "ngx_campaign_gcra.h"
#include "ngx_campaign_heap.h"


#define NGX_CAMPAIGN_PICK_REST  20000           /* us that a campaign waits after a claim that got nothing */

#define NGX_CAMPAIGN_PICK_URGENT  8             /* of so many messages, all but one may be urgent while others wait */

#define NGX_CAMPAIGN_PICK_SHARE  16             /* messages that a campaign gives before the next one's turn, if its account is fast: */
#define NGX_CAMPAIGN_PICK_FAST   1600           /* from so many on in NGX_CAMPAIGN_PICK_PACE, until they are less than half; else it gives one */
#define NGX_CAMPAIGN_PICK_PACE   100000         /* us */

#define NGX_CAMPAIGN_PICK_NEVER ((int64_t) 0x7fffffffffffffffLL)


typedef struct ngx_campaign_pick_account_s   ngx_campaign_pick_account_t;
typedef struct ngx_campaign_pick_campaign_s  ngx_campaign_pick_campaign_t;

typedef struct {
    uint32_t                       slots;       /* deliveries at once */
    uint32_t                       used;        /* messages asked for or claimed, and not settled; those that are away, too */
    uint32_t                       away;        /* of these: claimed by somebody else */
    int64_t                        held;        /* rests until then */
    int64_t                        since;       /* when that was said */
    uint64_t                       few;         /* 65536ths of slots that it is given, while it has too much to do; 0: all */
    int64_t                        cut;         /* when these were last made less */
    int64_t                        pause;       /* us after each message, when one at a time is too much */
    ngx_queue_t                    lanes;       /* that wait for a slot, longest first */
    ngx_queue_t                    served;      /* lanes that were given one in this round */
    ngx_uint_t                     again;       /* another round has begun */
    void                          *data;
} ngx_campaign_pick_gateway_t;

/* campaigns that wait, in two classes */

typedef struct {
    ngx_queue_t                    of[2];       /* urgent ones: 1 */
    ngx_queue_t                   *given[2];    /* the last of those at the head that were given a slot, or the sentinel */
    ngx_uint_t                     row;         /* urgent ones that went since another did */
} ngx_campaign_pick_line_t;

/* an account at a gateway */

typedef struct {
    ngx_queue_t                    queue;       /* in gateway->lanes or ->served */
    ngx_campaign_pick_account_t   *account;
    uint32_t                       slots;       /* in a turn: that it was given, and has not used */
    ngx_campaign_pick_line_t       parked;      /* campaigns */
    unsigned                       waits:1;     /* is in lanes */
    unsigned                       served:1;    /* is in served */
    unsigned                       due:1;       /* is in neither: its turn came when the account's rate was spent */
} ngx_campaign_pick_lane_t;

struct ngx_campaign_pick_account_s {
    ngx_campaign_gcra_t            gcra;
    unsigned                       active:1;    /* may send */
    void                          *data;

    /* the rest is the picker's; lanes: memory by the caller, one a gateway */
    ngx_campaign_pick_lane_t      *lanes;
    ngx_campaign_heap_node_t       timer;        /* set: the rate is spent until then */
    ngx_queue_t                    queue;       /* in pick->ring */
    ngx_campaign_pick_line_t       ready;       /* campaigns */
    ngx_queue_t                    asked;       /* in pick->asked */
    ngx_queue_t                    claims;      /* result of a turn: campaigns asked for, by their `claim` */
    uint32_t                       allowed;     /* of this turn's messages, left */
    uint32_t                       spare;       /* of these, for a campaign that waits for a slot */
    uint32_t                       want;        /* result of a turn: messages asked for in all */
    uint64_t                       tickets;
    uint32_t                       went;        /* messages asked for since */
    int64_t                        since;
    unsigned                       fast:1;      /* so many went */
    unsigned                       saves:1;     /* with time set: its lanes wait on, there is rate for them */
    unsigned                       in_ring:1;
    unsigned                       in_turn:1;
};

struct ngx_campaign_pick_campaign_s {
    ngx_campaign_pick_account_t   *account;
    ngx_campaign_pick_gateway_t   *gateway;
    void                          *data;
    unsigned                       urgent:1;

    uint32_t                       want;        /* result of a turn: messages to claim */
    uint32_t                       again;       /* result of a turn: of these, repeats at most */
    ngx_queue_t                    claim;       /* in account->claims */

    /* the rest is the picker's */
    uint32_t                       fresh;       /* not claimed */
    uint32_t                       repeats;     /* asked for at once when some are due: their number is not known */
    int64_t                        again_at;    /* earliest repeat; 0: none */
    int64_t                        rest;        /* not before */
    ngx_campaign_heap_node_t       timer;
    ngx_queue_t                    queue;       /* in account->ready or a lane's parked */
    unsigned                       place:2;     /* in which of them */
    unsigned                       in_turn:1;
    unsigned                       first:1;     /* goes before those that are not: its turn has come */
    uint32_t                       given;       /* messages of its share */
    uint64_t                       ticket;      /* whose is lower has waited longer */
    unsigned                       odd:1;       /* a single message: fresh and repeat by turns */
};

typedef struct {
    ngx_campaign_pick_gateway_t   *gateways;
    ngx_uint_t                     ngateways;
    int64_t                        horizon;     /* us ahead that a turn releases messages */
    uint32_t                       most;        /* messages that a turn asks for, at most */
    uint32_t                       fast;        /* NGX_CAMPAIGN_PICK_FAST */

    ngx_queue_t                    asked;       /* result of a turn: accounts, by their `asked` */
    ngx_queue_t                    ring;        /* accounts with a ready campaign and rate left */
    ngx_campaign_heap_node_t      *accounts;    /* heaps by time: whose rate is spent, whose repeats are not due */
    ngx_campaign_heap_node_t      *campaigns;
    int64_t                        now;
} ngx_campaign_pick_t;


/* gateways (slots and data are set), ngateways, horizon, most and fast are set */
void ngx_campaign_pick_init(ngx_campaign_pick_t *pick);

/* adds an account: lanes, gcra and active are set */
void ngx_campaign_pick_account_add(ngx_campaign_pick_t *pick, ngx_campaign_pick_account_t *a);

/* gcra or active of the account have changed, or a turn's grant is known */
void ngx_campaign_pick_account_set(ngx_campaign_pick_t *pick, ngx_campaign_pick_account_t *a, int64_t now);

/* an account without campaigns, not in a turn */
void ngx_campaign_pick_account_remove(ngx_campaign_pick_t *pick, ngx_campaign_pick_account_t *a);

/*
 * What a campaign (account, gateway and urgent are set; added by the first call) has to send.  In a turn, between _turn and _claimed, it is
 * only noted.
 */
void ngx_campaign_pick_campaign_set(ngx_campaign_pick_t *pick, ngx_campaign_pick_campaign_t *c, uint32_t fresh, int64_t again_at,
    int64_t now);

/* a repeat that the campaign did not have: due then */
void ngx_campaign_pick_campaign_again(ngx_campaign_pick_t *pick, ngx_campaign_pick_campaign_t *c, int64_t due, int64_t now);

/* takes a campaign out of everything; not in a turn.  Its slots in use are given back by _settled */
void ngx_campaign_pick_campaign_remove(ngx_campaign_pick_t *pick, ngx_campaign_pick_campaign_t *c);

/*
 * What to claim now.  Returns the number of messages; accounts in pick->asked, each with its campaigns in account->claims.  The slots are
 * taken.  The caller answers with _claimed for each campaign, then _granted for each account, before the next call.
 */
uint32_t ngx_campaign_pick_turn(ngx_campaign_pick_t *pick, int64_t now);

/* n of c->want were claimed, and what the store says is left; slots of the others are free again.  failed: nothing is known, as before */
void ngx_campaign_pick_claimed(ngx_campaign_pick_t *pick, ngx_campaign_pick_campaign_t *c, uint32_t n, uint32_t fresh, int64_t again_at,
    int64_t now);
void ngx_campaign_pick_failed(ngx_campaign_pick_t *pick, ngx_campaign_pick_campaign_t *c, int64_t now);

/* the account's part of the turn is over; gcra.tat is as the store said */
void ngx_campaign_pick_granted(ngx_campaign_pick_t *pick, ngx_campaign_pick_account_t *a, int64_t now);

/* when _turn will have something to ask for: now or earlier, a time, or NEVER (until something is set or settled) */
int64_t ngx_campaign_pick_next(ngx_campaign_pick_t *pick, int64_t now);


/* ngx_campaign_pick_gateway.c */

/* n messages of the gateway are settled */
void ngx_campaign_pick_settled(ngx_campaign_pick_gateway_t *g, uint32_t n);

/* so many that others have claimed are with the gateway now: they take its slots */
void ngx_campaign_pick_away(ngx_campaign_pick_gateway_t *g, uint32_t n);

/* the gateway is to rest until then; an earlier time does not shorten it */
void ngx_campaign_pick_hold(ngx_campaign_pick_gateway_t *g, int64_t until, int64_t now);

/*
 * What the gateway said to a message that is not settled yet: it has too much to do (the message was sent at `sent`), or it has not.  1: from
 * now on it is given less than its slots, or all of them.
 */
ngx_uint_t ngx_campaign_pick_busy(ngx_campaign_pick_gateway_t *g, int64_t sent, int64_t now);
ngx_uint_t ngx_campaign_pick_fine(ngx_campaign_pick_gateway_t *g, int64_t now);

/* slots that it is given now */
uint32_t ngx_campaign_pick_open(const ngx_campaign_pick_gateway_t *g);

/* the picker's own: no slot is free, or it rests; the clock was set back */
ngx_uint_t ngx_campaign_pick_blocked(const ngx_campaign_pick_gateway_t *g, int64_t now);
void ngx_campaign_pick_gateway_back(ngx_campaign_pick_gateway_t *g, int64_t now);


/* the picker's own: where campaigns and accounts stand; first: as in _line_add */
void ngx_campaign_pick_ready(ngx_campaign_pick_t *pick, ngx_campaign_pick_campaign_t *c, ngx_uint_t first);
void ngx_campaign_pick_leave(ngx_campaign_pick_t *pick, ngx_campaign_pick_campaign_t *c);
void ngx_campaign_pick_account_place(ngx_campaign_pick_t *pick, ngx_campaign_pick_account_t *a);

/* no message of the account's rate is left now */
ngx_uint_t ngx_campaign_pick_account_spent(const ngx_campaign_pick_account_t *a);


/* ngx_campaign_pick_lane.c, the picker's own */

/* slots that are free go to lanes, and with each one that is parked becomes ready */
void ngx_campaign_pick_unpark(ngx_campaign_pick_t *pick, int64_t now);

/* slots that lanes did not use are free again */
void ngx_campaign_pick_unslot(ngx_campaign_pick_t *pick, ngx_campaign_pick_gateway_t *g);

/* the lane waits for a slot: behind the others, or before them if it is due; for none */
void ngx_campaign_pick_wait(ngx_campaign_pick_gateway_t *g, ngx_campaign_pick_lane_t *lane);
void ngx_campaign_pick_unwait(ngx_campaign_pick_lane_t *lane);


/* ngx_campaign_pick_line.c, the picker's own */

void ngx_campaign_pick_line_init(ngx_campaign_pick_line_t *line);
ngx_uint_t ngx_campaign_pick_line_empty(ngx_campaign_pick_line_t *line);

/* at the end; first: among those who stand at the head by that, as long as it has waited */
void ngx_campaign_pick_line_add(ngx_campaign_pick_line_t *line, ngx_campaign_pick_campaign_t *c, ngx_uint_t first);
void ngx_campaign_pick_line_remove(ngx_campaign_pick_line_t *line, ngx_campaign_pick_campaign_t *c);

/* of a line that is not empty: whose turn it is */
ngx_campaign_pick_campaign_t *ngx_campaign_pick_line_head(ngx_campaign_pick_line_t *line);

/* a message of c, which stands in the line, goes; others: some that are not urgent wait elsewhere */
void ngx_campaign_pick_line_went(ngx_campaign_pick_line_t *line, ngx_campaign_pick_campaign_t *c, ngx_uint_t others);


#endif /* _NGX_CAMPAIGN_PICK_H_INCLUDED_ */
