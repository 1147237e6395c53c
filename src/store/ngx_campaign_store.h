
/*
 * ngx_campaign_store.h: all that the module asks of its store, as domain operations.  No key, cursor or transaction of an engine
 * shows; nothing above may assume that an operation is local, immediate, or the only writer.
 *
 * Rules of every operation
 *  - the caller makes an op (ngx_campaign_op_init) in a pool that is the op's own: arguments and results live in it, and
 *    from the start of the operation until `done` the pool is the store's alone (a thread may work in it);
 *  - a starting call returns NGX_AGAIN (accepted: `done` will be called exactly once, in this process's event loop, never
 *    from inside the starting call) or NGX_ERROR (nothing was started, op->rc says why, `done` is not called);
 *  - in `done`, op->rc is the answer.  OK means durable as configured; every write is one transaction, counters included; with any other
 *    rc nothing was changed (but UNKNOWN: the change may stand);
 *  - reads see the last committed state or newer; results are copies in op->pool;
 *  - a caller who goes away calls ngx_campaign_store_cancel(op): `done` is not called any more, the store destroys op->pool when
 *    nothing works in it, and the change may stand.
 */

#ifndef _NGX_CAMPAIGN_STORE_H_INCLUDED_
#define _NGX_CAMPAIGN_STORE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_thread_pool.h>

#include "ngx_campaign.h"
#include "ngx_campaign_id.h"
#include "ngx_campaign_contact.h"
#include "ngx_campaign_histogram.h"
#include "ngx_campaign_reply.h"
#include "ngx_campaign_suppression.h"
#include "ngx_campaign_receipt.h"
#include "ngx_campaign_word.h"


typedef enum {
    NGX_CAMPAIGN_OK = 0,
    NGX_CAMPAIGN_NOT_FOUND,
    NGX_CAMPAIGN_EXISTS,            /* unique name, number or key is taken */
    NGX_CAMPAIGN_CONFLICT,          /* status is not what the caller expected */
    NGX_CAMPAIGN_IN_USE,
    NGX_CAMPAIGN_FENCED,            /* a newer dispatcher took over: claim and send nothing more */
    NGX_CAMPAIGN_TOO_MANY,          /* an audience would hold more than NGX_CAMPAIGN_RECIPIENTS_MAX */
    NGX_CAMPAIGN_FULL,              /* map or disk: 507 */
    NGX_CAMPAIGN_UNAVAILABLE,       /* not open, waited too long for its turn, or its disk takes no writes: 503, nothing was changed */
    NGX_CAMPAIGN_UNKNOWN,
    NGX_CAMPAIGN_INVALID,           /* page token */
    NGX_CAMPAIGN_FAILURE,           /* ours; logged; 500 */
    NGX_CAMPAIGN_DAMAGED,           /* a turn: what is stored of a campaign or an account is; nothing was changed, the next turn passes it over */
    NGX_CAMPAIGN_REPEAT,            /* the answer of an idempotency key was kept before: see ngx_campaign_idem_t */
    NGX_CAMPAIGN_RC_MAX
} ngx_campaign_rc_e;


typedef enum {
    NGX_CAMPAIGN_DURABILITY_FULL = 0,
    NGX_CAMPAIGN_DURABILITY_RELAXED     /* a power cut may take the newest transactions, never the store */
} ngx_campaign_durability_e;


typedef struct ngx_campaign_store_s  ngx_campaign_store_t;
typedef struct ngx_campaign_op_s     ngx_campaign_op_t;

typedef void (*ngx_campaign_done_pt)(ngx_campaign_op_t *op);


/*
 * Idempotency.  A key is carried out once per account and NGX_CAMPAIGN_IDEM_AGE.
 *
 * An operation that writes with op->idem set does three things in its one transaction: is the key known already (REPEAT, nothing is
 * changed, the answer that was kept is the result); its work; and, if that is OK, `print` makes the answer's body out of the operation's
 * results and both are kept with the key.  So key, object and the very bytes of the reply are on disk together or not at all: a crash
 * after the commit leaves an answer that a repeat gets, one before it leaves nothing.  An operation that is not OK keeps nothing; who
 * wants its answer kept (a client's mistake) calls ngx_campaign_store_keep, who does not (our failure) has nothing to free.
 *
 * That a key is being carried out at the moment is no record but a lock (ngx_campaign_store_hold): it ends with its process, whatever
 * that dies of, and costs no commit.  It gives the answer "still running"; that a key is carried out once is the transaction's doing
 * alone.
 */

#define NGX_CAMPAIGN_IDEM_AGE      86400        /* seconds that an answer is kept */
#define NGX_CAMPAIGN_IDEM_KEY_MAX  255          /* bytes */
#define NGX_CAMPAIGN_IDEM_MAX      100000       /* answers kept for an account; the oldest go first */

typedef struct ngx_campaign_idem_s  ngx_campaign_idem_t;

/* sets status and body, from op->pool.  Called on the thread that writes, perhaps more than once.  NGX_ERROR: no memory */
typedef ngx_int_t (*ngx_campaign_print_pt)(ngx_campaign_op_t *op, ngx_campaign_idem_t *idem);

struct ngx_campaign_idem_s {
    uint32_t                 account;
    ngx_str_t                key;
    u_char                   digest[32];        /* of the request, any; a result, too */
    ngx_campaign_print_pt    print;             /* NULL: status and body are set already */
    void                    *data;              /* the caller's */

    ngx_uint_t               status;            /* the answer: to be kept, or (REPEAT) that was kept */
    ngx_str_t                body;
    unsigned                 other:1;           /* result, with REPEAT of a write: it was kept with another digest */

    ngx_queue_t              queue;             /* the store's, while the key is held */
    uint64_t                 place;
    unsigned                 held:1;
};


struct ngx_campaign_op_s {
    ngx_campaign_done_pt     done;
    void                    *data;      /* the caller's */
    ngx_pool_t              *pool;
    ngx_log_t               *log;
    ngx_campaign_rc_e        rc;
    ngx_campaign_idem_t     *idem;      /* NULL: none; set after ngx_campaign_op_init, for one operation that writes */

    /* the rest is the store's */
    ngx_campaign_store_t    *store;
    void                    *work;      /* engine's function and its arguments */
    void                    *args;
    ngx_queue_t              queue;
    ngx_event_t              event;
    ngx_uint_t               room;      /* what kind of room it may take; no bit beside the next two: the thread that writes reads it */
    unsigned                 busy:1;    /* begun and not done */
    unsigned                 canceled:1;
};


/*
 * Head of every record; each kind's struct starts with it.  id, no, created and updated are set by the store at creation.
 * Strings are not zero-terminated.
 */

typedef struct {
    u_char                   id[NGX_CAMPAIGN_ID_LEN];
    uint64_t                 no;            /* number within its kind, from 1; never shown */
    uint32_t                 account;       /* number of the owner's account; 0: the server's own (accounts) */
    ngx_uint_t               status;        /* ngx_campaign_status_e of a campaign, ..account_status_e of an account, 0 */
    ngx_uint_t               apart;         /* 1: a campaign of messages sent alone: no name, in no list, found by their ids only */
    ngx_str_t                name;
    ngx_str_t                channel;       /* upper case; empty where a kind has none */
    time_t                   created;
    time_t                   updated;
} ngx_campaign_rec_t;

typedef struct {
    ngx_campaign_rec_t       rec;
    uint64_t                 rate;          /* millionths of a message a second */
    uint32_t                 burst;
    u_char                   key_hash[32];  /* at creation only: SHA-256 of its first key, never read back */
    u_char                   key_id[NGX_CAMPAIGN_ID_LEN];   /* result of creation */
} ngx_campaign_account_t;

typedef struct {
    ngx_campaign_rec_t       rec;
    ngx_uint_t               scope;         /* ngx_campaign_scope_e */
    time_t                   expires;       /* 0: never */
    u_char                   hash[32];      /* SHA-256 of the key */
} ngx_campaign_key_t;

typedef struct {
    ngx_campaign_rec_t       rec;
    ngx_uint_t               type;          /* ngx_campaign_sender_type_e */
} ngx_campaign_sender_t;

typedef struct {
    ngx_campaign_rec_t       rec;
    ngx_str_t                text;
} ngx_campaign_text_t;                      /* a template as an object; ngx_campaign_template_t is its parsed text */


/*
 * Webhooks.  An event is kept in the transaction of the change that it tells of, and only if the account has an active webhook for it; it
 * waits until it is told, has failed for good, or is the oldest of more than NGX_CAMPAIGN_EVENTS_MAX.  Events of one message are told in
 * their order: a later one waits for an earlier one that has to be repeated.
 */

#define NGX_CAMPAIGN_EVENTS_MAX  100000         /* kept for a webhook; the oldest goes first */
#define NGX_CAMPAIGN_EVENT_NEVER 0x7fffffffffffffffLL   /* due: failed for good, kept for a replay */

#define NGX_CAMPAIGN_EVENTS_WAITING  1          /* page->status of ngx_campaign_store_events; 0: all */
#define NGX_CAMPAIGN_EVENTS_FAILED   2

/* what waits for a webhook, and how the last try ended */

typedef struct {
    uint32_t                 account;
    ngx_uint_t               status;        /* as its record's: 410 Gone disables it */
    uint64_t                 last;          /* number of its newest event */
    uint64_t                 waiting, failed, dropped;
    time_t                   told_at;       /* last try; 0: none */
    ngx_uint_t               told;          /* ngx_campaign_told_e */
    ngx_uint_t               code;          /* HTTP status; 0: none came */
    int64_t                  next;          /* result, us: when the next event is due; 0: none waits */
} ngx_campaign_queue_t;

typedef struct {
    ngx_campaign_rec_t       rec;           /* name: its event's word; status: ngx_campaign_account_status_e */
    ngx_uint_t               event;         /* DELIVERY, MESSAGE or CAMPAIGN */
    ngx_str_t                url;           /* rebuilt: see ngx_campaign_url.h */
    ngx_str_t                secret;
    ngx_uint_t               hex;           /* 1: signature in hex, 0: base64 */
    ngx_campaign_queue_t     queue;         /* result */
} ngx_campaign_webhook_t;

typedef struct {
    uint64_t                 webhook, no;
    u_char                   id[NGX_CAMPAIGN_ID_LEN];   /* result: the same in every try */
    ngx_uint_t               event;         /* ngx_campaign_webhook_event_e */
    int64_t                  created;       /* us */
    int64_t                  due;           /* us; or EVENT_NEVER */
    uint32_t                 attempts;      /* tries so far */
    ngx_uint_t               told, code;    /* how the last one ended */
    uint64_t                 campaign;      /* DELIVERY, CAMPAIGN */
    uint32_t                 seq;           /* DELIVERY: place of the message */
    ngx_uint_t               value;         /* DELIVERY: state byte; CAMPAIGN: status */
    ngx_str_t                channel, from, to, text;   /* MESSAGE */
} ngx_campaign_event_t;

/* an event, and what else its payload is made of */

typedef struct {
    ngx_campaign_event_t     event;
    ngx_uint_t               held;          /* 1: an earlier event of its message waits: tell the store so (OUTCOME HELD) */
    ngx_str_t                channel;       /* of its campaign; empty: it was deleted */
    ngx_str_t                payload, name;
    ngx_uint_t               apart;         /* 1: the message was sent alone */
    uint64_t                 number;        /* the message's recipient; 0: was deleted */
} ngx_campaign_notice_t;

typedef struct {
    uint64_t                 webhook;
    ngx_uint_t               most;
    ngx_campaign_webhook_t   hook;          /* result; its account is rec.account */
    ngx_array_t             *notices;       /* result: ngx_campaign_notice_t, `most` of those that are due, in the order of their due time */
} ngx_campaign_take_t;

#define NGX_CAMPAIGN_DUE_MAX  64

typedef struct {
    uint64_t                 after;         /* looks at webhooks behind this one; result: where to go on, 0: from the start */
    uint64_t                 webhooks[NGX_CAMPAIGN_DUE_MAX];
    ngx_uint_t               n;             /* result: so many have an event that is due */
} ngx_campaign_due_t;

typedef enum {
    NGX_CAMPAIGN_TELL_DONE = 0,
    NGX_CAMPAIGN_TELL_AGAIN,                /* at `due` */
    NGX_CAMPAIGN_TELL_FAILED,
    NGX_CAMPAIGN_TELL_GONE,                 /* failed, and its webhook is disabled */
    NGX_CAMPAIGN_TELL_HELD                  /* not tried: waits for an earlier one */
} ngx_campaign_tell_e;

typedef struct {                            /* how a try ended */
    uint64_t                 webhook, no;
    ngx_campaign_tell_e      kind;
    uint32_t                 attempt;       /* which it was, from 1: the store knows a repeated outcome by it */
    ngx_uint_t               told, code;
    int64_t                  due;           /* us */
} ngx_campaign_tell_t;

typedef struct {
    uint32_t                 account;
    u_char                  *webhook;       /* id */
    time_t                   from, to;      /* date of the event, both inclusive */
    uint32_t                 n;             /* result: events that will be tried again, NGX_CAMPAIGN_REPLAY_MAX at most */
    ngx_uint_t               more;          /* result: 1: there are more of them */
} ngx_campaign_replay_t;

#define NGX_CAMPAIGN_REPLAY_MAX  10000

typedef struct {
    ngx_campaign_rec_t       rec;
    uint32_t                 contacts;      /* living ones */
    uint32_t                 next;          /* sequence number of the next contact */
} ngx_campaign_audience_t;

/* what changes while a campaign runs.  total = the sum of count[] = all recipients, in every committed state */

typedef struct {
    uint32_t                 total;
    uint32_t                 pending;       /* not claimed, or waiting for a repeat */
    uint32_t                 enroute;       /* claimed, outcome not recorded */
    uint32_t                 sent, delivered, failed, canceled, skipped;
    uint32_t                 again;         /* of pending: those that wait for a repeat */
    uint32_t                 redelivered;   /* sent once more because their fate was uncertain */
    uint32_t                 uncertain;     /* failed for that reason */
    uint32_t                 reason[NGX_CAMPAIGN_R_MAX];    /* settled messages by reason */
    time_t                   started;       /* 0: not yet */
    time_t                   finished;
    uint32_t                 segments;      /* of the settled messages that went to a gateway: each once */
    uint32_t                 accepted;      /* of these, of messages that the gateway accepted */
} ngx_campaign_progress_t;

typedef struct {
    ngx_campaign_rec_t       rec;
    u_char                   audience[NGX_CAMPAIGN_ID_LEN];     /* zero: numbers were given in the request */
    u_char                   template[NGX_CAMPAIGN_ID_LEN];     /* zero: text was given in the request */
    ngx_str_t                from;          /* sender's name, copied */
    ngx_str_t                text;          /* template's text, copied */
    ngx_str_t                payload;
    time_t                   schedule;      /* 0: at once */
    uint32_t                 validity;      /* seconds from its start; 0: no limit */
    uint64_t                 list;          /* the store's: where its recipients are, and how many places */
    uint32_t                 span;
    ngx_campaign_progress_t  progress;
} ngx_campaign_campaign_t;


/*
 * A page of a list: by key, never by offset; newest first.  Filters by channel and status have lists of their own and cost nothing.  match
 * and type are looked for in the records: a read looks at NGX_CAMPAIGN_PAGE_SCAN of them at most (about 1 us each), so a page may be short,
 * even empty, and have a next one, and total is known only if no more are in the list (counting them is a second look at each).
 */

#define NGX_CAMPAIGN_PAGE_SCAN    2048          /* records */
#define NGX_CAMPAIGN_PAGE_SEARCH  10240         /* places of contacts, which cost less; deleted ones count too, without match as well */

typedef struct {
    ngx_campaign_kind_e      kind;          /* ACCOUNT, KEY, SENDER, TEMPLATE, AUDIENCE, CAMPAIGN, WEBHOOK */
    uint32_t                 account;
    ngx_str_t                channel;       /* filters; empty, 0: none */
    ngx_uint_t               status;
    ngx_uint_t               type;          /* of senders: ngx_campaign_sender_type_e */
    ngx_str_t                match;         /* prefix of the name; of contacts: prefix of the number, or part of a name */
    ngx_str_t                token;         /* of an earlier page; empty: the first */
    ngx_uint_t               size;          /* 1 .. 100 */

    ngx_array_t             *items;         /* result: structs of the kind (ngx_campaign_sender_t, …), not pointers */
    uint64_t                 total;         /* all that match, unless `uncounted` */
    uint64_t                 number;        /* of this page, from 1 */
    ngx_str_t                first, current, previous, next;    /* tokens; data NULL: no such page; empty: without token */
    unsigned                 uncounted:1;   /* total is not known: too many to look at */
} ngx_campaign_page_t;

/* offsets of the strings that a page is asked for by */

#define NGX_CAMPAIGN_PAGE_STRINGS                                                                                     \
    { offsetof(ngx_campaign_page_t, channel), offsetof(ngx_campaign_page_t, match), offsetof(ngx_campaign_page_t, token) }


/* a message as it is now.  Its dates, channel and sender are its campaign's */

typedef struct {
    ngx_campaign_rec_t       rec;           /* id: its own; no: its campaign's; status: ngx_campaign_message_status_e */
    uint32_t                 seq;
    ngx_uint_t               reason;        /* ngx_campaign_reason_e; of one that waits for a repeat: of the try before it */
    ngx_uint_t               attempts;      /* tries, one under way included */
    ngx_str_t                gateway_id;    /* what the gateway that accepted it calls it; empty: not known */
    u_char                   campaign[NGX_CAMPAIGN_ID_LEN];     /* zero: it was sent alone */
    u_char                   template[NGX_CAMPAIGN_ID_LEN];
    ngx_str_t                from;
    ngx_str_t                text;          /* its template's: for its contact to be rendered */
    time_t                   schedule;
    ngx_campaign_contact_t   contact;       /* number 0: was deleted */
} ngx_campaign_message_t;

/*
 * A page of messages: newest campaign first, those of a campaign in the order of its recipients.  A page may be short, or empty, and have
 * a next one: an operation looks at so many messages only.
 */

typedef struct {
    ngx_campaign_page_t     *page;          /* kind MESSAGE, account, channel, token, size (up to 1000); items: ngx_campaign_message_t */
    u_char                  *campaign;      /* id: of this one; NULL: of all, and those sent alone */
    ngx_uint_t               statuses;      /* mask (1 << ngx_campaign_message_status_e); 0: any */
    ngx_str_t                from;
    ngx_str_t                to;            /* digits */
    ngx_uint_t               prefix;        /* 1: `to` is how numbers begin */
    time_t                   since, until;  /* date of creation, both inclusive; 0: any */
} ngx_campaign_messages_t;


/*
 * Numbers that an account's messages do not go to.  From the commit that adds one, no message to it is claimed: it is skipped instead, for
 * the reason `suppressed`, as the campaign comes to it.  One that was there already (same number, channel and sender) is left as it is,
 * but may be made to last longer.
 */

typedef struct {
    uint32_t                    account;
    ngx_uint_t                  source;         /* ngx_campaign_source_e */
    ngx_campaign_pile_t        *pile;           /* many: see ngx_campaign_suppression.h; NULL: `given` */
    ngx_campaign_suppression_t  given;

    ngx_campaign_suppression_t  result;         /* of `given`: as it is stored */
    uint32_t                    created, duplicates;        /* result */
    uint32_t                    refused;        /* result, of a pile: the number has NGX_CAMPAIGN_SUPPRESSIONS_MAX others */
} ngx_campaign_suppress_t;


/*
 * Delivery receipts of a gateway.  Each names its message by our id, by what the gateway calls it, or by both (ours first).  A receipt may
 * come before the delivery's own answer, late, twice, or against another one: see ngx_campaign_receipt.h for which counts.  One that comes
 * early ends the message's way: it is not repeated, whatever the delivery's answer is.
 */

#define NGX_CAMPAIGN_RECEIPTS_MAX  1000         /* of one operation */

typedef struct {
    ngx_uint_t               ours;          /* 1: id is set */
    u_char                   id[NGX_CAMPAIGN_ID_LEN];
    ngx_str_t                theirs;        /* up to NGX_CAMPAIGN_GATEWAY_ID_MAX bytes; empty: not asked */
    ngx_campaign_receipt_e   receipt;

    ngx_campaign_rc_e        rc;            /* result: OK; NOT_FOUND: no message of these channels is called so, or it never went out */
} ngx_campaign_receipt_t;

typedef struct {
    ngx_str_t               *channels;      /* of these only; what the gateway calls a message is looked for in this order */
    ngx_uint_t               nchannels;
    ngx_campaign_receipt_t  *receipts;
    ngx_uint_t               nreceipts;
} ngx_campaign_receipts_t;


/*
 * Suppressions that expired are as if they were not there, but take room until they are purged: an account's own writes and claims do that, and, for
 * accounts that rest, _lapsed and _purge, again and again.
 */

typedef struct {
    uint32_t                 account;       /* _lapsed: where to look from, 0: the first; result: the account that has some, or where to go on */
    ngx_uint_t               more;          /* result of _purge: it has more */
} ngx_campaign_purge_t;


#define NGX_CAMPAIGN_INBOUND_TEXT  4096

/*
 * An inbound message: somebody wrote to a sender of ours.  Its owner is every account that has a sender of that name, on whatever channel, or
 * (channel not empty) on this one.
 */

typedef struct {
    ngx_str_t                   channel;
    ngx_str_t                   from;           /* as it was written */
    uint64_t                    number;         /* that it is; 0: none: nothing is suppressed or lifted */
    ngx_str_t                   to;             /* name of the sender */
    ngx_str_t                   text;           /* UTF-8, NGX_CAMPAIGN_INBOUND_TEXT bytes at most, `from` 64 */
    ngx_uint_t                  word;           /* ngx_campaign_word_e: STOP suppresses the number, START lifts what a STOP did */
    ngx_str_t                   reason;         /* of STOP */
    ngx_str_t                  *channels;       /* all that senders can have */
    ngx_uint_t                  nchannels;

    uint32_t                    owners;         /* result */
} ngx_campaign_inbound_t;


/* what a new campaign refers to; the answers are apart, so that a client hears of all its mistakes at once */

typedef struct {
    uint32_t                 account;
    ngx_str_t                channel;       /* of the request; empty: the audience's or template's */
    u_char                  *audience;      /* ids; NULL: not asked */
    u_char                  *template;
    ngx_str_t                from;          /* empty: not asked */
    ngx_str_t                name;          /* of the new campaign; empty: not asked */
    const uint64_t          *to;            /* numbers that may be suppressed */
    ngx_uint_t               nto;           /* 32 at most */

    uint32_t                 blocked;       /* result: bit n: to[n] is, for messages from this sender */
    ngx_campaign_rc_e        audience_rc, template_rc, from_rc;     /* result: OK or NOT_FOUND; from: in the resolved channel */
    ngx_campaign_rc_e        name_rc;                               /* result: OK or EXISTS */
    ngx_campaign_audience_t  found_audience;
    ngx_campaign_text_t      found_template;
    ngx_campaign_sender_t    found_from;
} ngx_campaign_refs_t;


/* contacts into an audience */

typedef struct {
    uint32_t                 account;
    u_char                   audience[NGX_CAMPAIGN_ID_LEN];
    ngx_campaign_pile_t     *pile;
    unsigned                 single:1;      /* one contact: a number that stands there already is EXISTS */

    uint32_t                 created, duplicates;       /* result */
    u_char                   id[NGX_CAMPAIGN_ID_LEN];   /* result: of the last contact created */
} ngx_campaign_import_t;

/* a stored contact; results of ngx_campaign_store_contacts */

typedef struct {
    u_char                   id[NGX_CAMPAIGN_ID_LEN];
    ngx_campaign_contact_t   contact;
} ngx_campaign_member_t;


/* a walk over many contacts, on a thread */

typedef struct {
    uint32_t                 account;
    u_char                  *audience;      /* id: its contacts.  Read in slices: what changes meanwhile may be seen or not */
    u_char                  *campaign;      /* or (audience NULL) the recipients of this one whose message will be sent, or is in flight */
    ngx_campaign_pile_t     *pile;          /* or these */
    ngx_str_t                channel;       /* not empty: those whose numbers are suppressed on it for messages from `from` are not shown */
    ngx_str_t                from;

    /* NGX_ERROR ends the walk: FAILURE.  contact's strings last until it returns; op->pool is its memory, the event loop's is not */
    ngx_int_t              (*visit)(void *data, const ngx_campaign_contact_t *contact);
    void                    *data;

    uint32_t                 suppressed;    /* result: not shown for that reason */
    ngx_campaign_campaign_t  found;         /* result: the campaign, of the same moment as its recipients */
} ngx_campaign_visit_t;


/* change of a campaign or a record: the fields of mask, in one transaction */

#define NGX_CAMPAIGN_SET_STATUS    1
#define NGX_CAMPAIGN_SET_NAME      2
#define NGX_CAMPAIGN_SET_SCHEDULE  4            /* only while scheduled: else CONFLICT */
#define NGX_CAMPAIGN_SET_TEXT      8            /* of a template; campaigns have their copy of the old one */
#define NGX_CAMPAIGN_SET_EVENT     16           /* these four, and STATUS: of a webhook */
#define NGX_CAMPAIGN_SET_URL       32
#define NGX_CAMPAIGN_SET_SECRET    64
#define NGX_CAMPAIGN_SET_HEX       128

/* change of a contact: bit n is field n */

#define NGX_CAMPAIGN_SET_NUMBER    (1 << NGX_CAMPAIGN_CONTACT_FIELDS)


/* in memory that processes may share; counted without a lock */

typedef struct {
    uint64_t                    commits, failed;
    ngx_campaign_histogram_t    time;           /* of commits */
} ngx_campaign_store_stat_t;

typedef struct {
    uint64_t                    bytes, max;     /* size of the file, and what it may grow to */
    uint64_t                    page;           /* bytes */
    uint64_t                    used, free;     /* pages with data, pages of the file without */
    uint64_t                    readers;        /* slots */
    uint64_t                    disk;           /* 1: full, but for a reserve; 2: that is used, too */
} ngx_campaign_space_t;


/*
 * Opens the store in a directory; called in a worker, after the fork.  conf lives as long as the process.  NULL: failed, logged (what and
 * the mend); the caller may try again later.
 */
typedef struct {
    ngx_str_t                   path;           /* zero-terminated */
    size_t                      size;           /* bytes of the map */
    ngx_campaign_durability_e   durability;
    ngx_thread_pool_t          *threads;
    ngx_campaign_store_stat_t  *stat;           /* NULL: nothing is counted */
} ngx_campaign_store_conf_t;

ngx_campaign_store_t *ngx_campaign_store_open(ngx_campaign_store_conf_t *conf, ngx_log_t *log);

/* of tries that fail one after the other, a second apart: 1: what keeps the n-th (from 0) is told of, at first often, then each minute */
#define ngx_campaign_store_tells(n)  (((n) & ((n) - 1)) == 0 || (n) % 64 == 0)


/* ms that the writer has waited so far to begin, since another process keeps the write lock; 0: it does not wait */
ngx_msec_t ngx_campaign_store_waits(ngx_campaign_store_t *st);

/*
 * The end of a process.  _rest, before its threads end: waits for the writer to be at rest.  NGX_BUSY: another process has kept the write lock for
 * `limit` ms, which is logged; a thread hangs in LMDB, nothing is written any more, and what is under way must not be touched.
 *
 * _flush, when they have ended: commits what still waits, and waits no longer than `limit` ms for the lock, either (0: as long as it takes).
 * Calls no `done`.  Does not close LMDB's environment.
 */
ngx_int_t ngx_campaign_store_rest(ngx_campaign_store_t *st, ngx_msec_t limit);
void ngx_campaign_store_flush(ngx_campaign_store_t *st, ngx_msec_t limit);

/* 1: operations are under way (a worker that exits waits for them) */
ngx_uint_t ngx_campaign_store_busy(ngx_campaign_store_t *st);

/* the secret behind ids and tokens (NGX_CAMPAIGN_SECRET_LEN bytes) */
u_char *ngx_campaign_store_secret(ngx_campaign_store_t *st);

/* microseconds since 1970; the one clock of store and dispatcher */
int64_t ngx_campaign_now(void);


/* prepares op in pool, which becomes its own; done may be set later */
void ngx_campaign_op_init(ngx_campaign_op_t *op, ngx_pool_t *pool, ngx_log_t *log, ngx_campaign_done_pt done, void *data);
void ngx_campaign_store_cancel(ngx_campaign_op_t *op);

/* reads */

/* hash: SHA-256 of the key.  NOT_FOUND: unknown or expired */
ngx_int_t ngx_campaign_store_auth(ngx_campaign_store_t *st, ngx_campaign_op_t *op, u_char *hash, ngx_campaign_account_t *account,
    ngx_campaign_key_t *key);

/* out: the struct of the kind; another account's object is NOT_FOUND */
ngx_int_t ngx_campaign_store_get(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_kind_e kind, uint32_t account,
    u_char *id, void *out);

/* INVALID: the token is not one of this account, kind and filter */
ngx_int_t ngx_campaign_store_page(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_page_t *page);

ngx_int_t ngx_campaign_store_resolve(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_refs_t *refs);

/* contacts of an audience in page->items (ngx_campaign_member_t), oldest first; page->kind is CONTACT; NOT_FOUND: no such audience */
ngx_int_t ngx_campaign_store_contacts(ngx_campaign_store_t *st, ngx_campaign_op_t *op, u_char *audience, ngx_campaign_page_t *page);

/* one contact, op->rc NOT_FOUND as above */
ngx_int_t ngx_campaign_store_contact(ngx_campaign_store_t *st, ngx_campaign_op_t *op, uint32_t account, u_char *audience, u_char *id,
    ngx_campaign_member_t *out);

/*
 * Suppressions of an account in page->items (ngx_campaign_suppression_t), in the order of their digits; page->kind is SUPPRESSION, match the
 * first digits, type the source.
 */
ngx_int_t ngx_campaign_store_suppressions(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_page_t *page);

/* like: account, number, and channel, sender, source, which have to be the same (data NULL, 0: any).  The widest; NOT_FOUND */
ngx_int_t ngx_campaign_store_suppression(ngx_campaign_store_t *st, ngx_campaign_op_t *op, const ngx_campaign_suppression_t *like,
    ngx_campaign_suppression_t *out);

/* an account that has suppressions which expired: see ngx_campaign_purge_t.  NOT_FOUND: none of those looked at has */
ngx_int_t ngx_campaign_store_lapsed(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_purge_t *purge);

/* NOT_FOUND: no such audience or campaign */
ngx_int_t ngx_campaign_store_visit(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_visit_t *visit);

/*
 * Holds idem's key, and looks whether it is known.  OK: held, until _release; IN_USE: somebody carries it out, in whatever process;
 * REPEAT: not held, digest, status and body are those that were kept.
 */
ngx_int_t ngx_campaign_store_hold(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_idem_t *idem);

/* event loop only; of a key that is not held: nothing */
void ngx_campaign_store_release(ngx_campaign_store_t *st, ngx_campaign_idem_t *idem);

/* NOT_FOUND: the campaign asked for; INVALID: token */
ngx_int_t ngx_campaign_store_messages(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_messages_t *messages);

ngx_int_t ngx_campaign_store_message(ngx_campaign_store_t *st, ngx_campaign_op_t *op, uint32_t account, u_char *id,
    ngx_campaign_message_t *out);

/* what the store takes, and how much is left */
ngx_int_t ngx_campaign_store_space(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_space_t *space);

/*
 * A webhook's events in page->items (ngx_campaign_event_t), newest first; page->kind is WEBHOOK, page->status 0 or one of EVENTS_…
 * NOT_FOUND: no such webhook; INVALID: token
 */
ngx_int_t ngx_campaign_store_events(ngx_campaign_store_t *st, ngx_campaign_op_t *op, u_char *webhook, ngx_campaign_page_t *page);

/* which webhooks have something to be told.  Looks at so many only: called again and again it comes to all of them */
ngx_int_t ngx_campaign_store_due(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_due_t *due);

/* what a webhook is to be told.  Changes nothing: the caller knows what it is telling.  NOT_FOUND: it was deleted, or is disabled */
ngx_int_t ngx_campaign_store_take(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_take_t *take);

/* writes */

/*
 * Creates a record of kind ACCOUNT (and its first key), KEY, SENDER, TEMPLATE, WEBHOOK or AUDIENCE (pile: its first contacts, or NULL; doubles in it are
 * dropped).  An empty name is assigned ("template-12").  EXISTS: the name is taken (senders: in their channel), or the key.
 */
ngx_int_t ngx_campaign_store_put(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_kind_e kind, void *rec,
    ngx_campaign_pile_t *pile);

/* writes nothing but what op->idem asks for */
ngx_int_t ngx_campaign_store_keep(ngx_campaign_store_t *st, ngx_campaign_op_t *op);

/* account: rate, burst, status and name replace the stored ones.  Campaigns of a disabled account rest until it is active again */
ngx_int_t ngx_campaign_store_account(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_account_t *account);

/*
 * Changes name (AUDIENCE, TEMPLATE) or text (TEMPLATE) of a record; rec's head says which by id and account.  rec is complete in `done`.
 * EXISTS: the name is taken; NOT_FOUND
 */
ngx_int_t ngx_campaign_store_update(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_kind_e kind, void *rec, ngx_uint_t mask);

/*
 * Changes the fields of mask of a webhook (EVENT, URL, SECRET, HEX, STATUS); its head says which by id and account.  w is complete in
 * `done`.  EXISTS: the account has one for that event; NOT_FOUND
 */
ngx_int_t ngx_campaign_store_webhook(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_webhook_t *w, ngx_uint_t mask);

/* an event of kind TEST for a webhook; out is complete in `done`.  NOT_FOUND */
ngx_int_t ngx_campaign_store_webhook_test(ngx_campaign_store_t *st, ngx_campaign_op_t *op, uint32_t account, u_char *id,
    ngx_campaign_event_t *out);

/* events that failed are tried again, as if they were new.  NOT_FOUND */
ngx_int_t ngx_campaign_store_replay(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_replay_t *replay);

/* outcomes of what was taken; those that the store knows, or whose event or webhook is gone, change nothing */
ngx_int_t ngx_campaign_store_tell(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_tell_t *tells, ngx_uint_t n);

ngx_int_t ngx_campaign_store_import(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_import_t *import);

/*
 * Changes the fields of mask of the contact member->id where it stands: it keeps its id, and campaigns that have not claimed it yet send to
 * what it is then.  member is complete in `done`.  EXISTS: the number stands in the audience; NOT_FOUND: no such audience or contact
 */
ngx_int_t ngx_campaign_store_contact_change(ngx_campaign_store_t *st, ngx_campaign_op_t *op, uint32_t account, u_char *audience,
    ngx_campaign_member_t *member, ngx_uint_t mask);

/* campaigns that have not claimed it yet skip it; its number is free again.  NOT_FOUND as above */
ngx_int_t ngx_campaign_store_contact_delete(ngx_campaign_store_t *st, ngx_campaign_op_t *op, uint32_t account, u_char *audience,
    u_char *id);

/* TOO_MANY: the number of `given` has NGX_CAMPAIGN_SUPPRESSIONS_MAX others, each with its own channel and sender */
ngx_int_t ngx_campaign_store_suppress(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_suppress_t *suppress);

/* deletes all that are like it.  NOT_FOUND: there is none */
ngx_int_t ngx_campaign_store_suppression_lift(ngx_campaign_store_t *st, ngx_campaign_op_t *op, const ngx_campaign_suppression_t *like);

/* deletes some of purge->account's that expired */
ngx_int_t ngx_campaign_store_purge(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_purge_t *purge);

/* NOT_FOUND: nobody has such a sender.  Owners' webhooks are told of it.  All of it is one transaction */
ngx_int_t ngx_campaign_store_inbound(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_inbound_t *inbound);

/*
 * Creates a campaign: on c->audience, or on pile (no doubles in it).  rec.channel, from, text and schedule are set; status becomes scheduled, and
 * the dispatcher starts it.  c is complete in `done`.  EXISTS: name; NOT_FOUND: audience or sender went away meanwhile; INVALID: nobody in it.
 * rec.apart: messages sent alone, that go ahead of campaigns; message n of them is place n of the pile.
 */
ngx_int_t ngx_campaign_store_create(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_campaign_t *c,
    ngx_campaign_pile_t *pile);

/* c->rec.account and .id say which; from: mask (1 << status) of statuses in which it may be changed, else CONFLICT; c is complete in `done` */
ngx_int_t ngx_campaign_store_change(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_campaign_t *c, ngx_uint_t mask,
    ngx_uint_t from);

/* a message that is not claimed; CONFLICT: it is, or was.  One canceled before is OK */
ngx_int_t ngx_campaign_store_message_cancel(ngx_campaign_store_t *st, ngx_campaign_op_t *op, uint32_t account, u_char *id);

/* op->rc is OK, whatever each receipt's is */
ngx_int_t ngx_campaign_store_receipts(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_receipts_t *receipts);

/*
 * CAMPAIGN with all its messages: IN_USE while it is in progress or paused or a message of it is in flight.  AUDIENCE with its contacts,
 * SENDER: IN_USE while a scheduled, running or paused campaign needs it.  ACCOUNT with its keys and suppressions: IN_USE while it owns anything else.
 * TEMPLATE, KEY, WEBHOOK with its events
 */
ngx_int_t ngx_campaign_store_delete(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_kind_e kind, uint32_t account,
    u_char *id);


#include "ngx_campaign_store_dispatch.h"        /* claims and outcomes: the dispatcher's part */


#endif /* _NGX_CAMPAIGN_STORE_H_INCLUDED_ */
