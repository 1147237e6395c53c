
/*
 * ngx_campaign.h: the field's words.  Kinds of object, states, reasons and limits that every room shares.
 * Numbers given to enum members are part of the file format: add at the end, never renumber.
 */

#ifndef _NGX_CAMPAIGN_H_INCLUDED_
#define _NGX_CAMPAIGN_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* limits of the wire contract; lengths of text are in characters (code points), not bytes */

#define NGX_CAMPAIGN_RECIPIENTS_MAX   100000
#define NGX_CAMPAIGN_NAME_MAX         45
#define NGX_CAMPAIGN_TEXT_MAX         1000
#define NGX_CAMPAIGN_PAYLOAD_MAX      500
#define NGX_CAMPAIGN_TAGS_MAX         10
#define NGX_CAMPAIGN_SECRET_MAX       255           /* of a webhook */
#define NGX_CAMPAIGN_CHANNEL_MAX      16            /* bytes, A-Z 0-9 _ */
#define NGX_CAMPAIGN_RATE_MAX         1000000       /* messages a second */
#define NGX_CAMPAIGN_RATE_UNIT        1000000       /* a rate is kept in millionths of a message a second */

#define NGX_CAMPAIGN_BLOCK            256           /* contacts in one stored block */
#define NGX_CAMPAIGN_CHUNK            1024          /* messages whose states are stored together */

#define NGX_CAMPAIGN_NS               1000000000LL  /* nanoseconds in a second */


typedef enum {
    NGX_CAMPAIGN_ACCOUNT = 1,
    NGX_CAMPAIGN_KEY,
    NGX_CAMPAIGN_SENDER,
    NGX_CAMPAIGN_TEMPLATE,
    NGX_CAMPAIGN_AUDIENCE,
    NGX_CAMPAIGN_CONTACT,
    NGX_CAMPAIGN_CAMPAIGN,
    NGX_CAMPAIGN_MESSAGE,
    NGX_CAMPAIGN_WEBHOOK,
    NGX_CAMPAIGN_SUPPRESSION,
    NGX_CAMPAIGN_INBOUND,
    NGX_CAMPAIGN_KIND_MAX
} ngx_campaign_kind_e;


/* state of a message: three bits of its state byte (the other five: reason) */

typedef enum {
    NGX_CAMPAIGN_S_PENDING = 0,     /* not claimed yet, or in its campaign's window of claims */
    NGX_CAMPAIGN_S_RETRY,           /* tried, waits for its next try, or claimed again */
    NGX_CAMPAIGN_S_SENT,            /* accepted by the gateway, a receipt may follow */
    NGX_CAMPAIGN_S_DELIVERED,
    NGX_CAMPAIGN_S_FAILED,
    NGX_CAMPAIGN_S_CANCELED,
    NGX_CAMPAIGN_S_SKIPPED,
    NGX_CAMPAIGN_S_MAX
} ngx_campaign_state_e;


/* status of a message, as a client sees it: its state, and whether it is claimed; not stored */

typedef enum {
    NGX_CAMPAIGN_M_SCHEDULED = 1,   /* waits for its time, its turn or its repeat */
    NGX_CAMPAIGN_M_ENROUTE,         /* claimed */
    NGX_CAMPAIGN_M_SENT,
    NGX_CAMPAIGN_M_DELIVERED,
    NGX_CAMPAIGN_M_FAILED,
    NGX_CAMPAIGN_M_CANCELED,
    NGX_CAMPAIGN_M_SKIPPED,
    NGX_CAMPAIGN_M_MAX
} ngx_campaign_message_status_e;


/* why a message is in its state; the closed list of the report */

typedef enum {
    NGX_CAMPAIGN_R_NONE = 0,
    NGX_CAMPAIGN_R_EXPIRED,
    NGX_CAMPAIGN_R_GATEWAY_4XX,
    NGX_CAMPAIGN_R_GATEWAY_5XX,
    NGX_CAMPAIGN_R_GATEWAY_TIMEOUT,
    NGX_CAMPAIGN_R_GATEWAY_UNREACHABLE,
    NGX_CAMPAIGN_R_RECEIPT_FAILED,
    NGX_CAMPAIGN_R_RECEIPT_EXPIRED,
    NGX_CAMPAIGN_R_RECEIPT_REJECTED,
    NGX_CAMPAIGN_R_UNCERTAIN,
    NGX_CAMPAIGN_R_SUPPRESSED,
    NGX_CAMPAIGN_R_DELETED,
    NGX_CAMPAIGN_R_CANCELED,
    NGX_CAMPAIGN_R_POISON,
    NGX_CAMPAIGN_R_MAX
} ngx_campaign_reason_e;

#define ngx_campaign_state_byte(state, reason)  ((u_char) ((state) | ((reason) << 3)))
#define ngx_campaign_byte_state(byte)           ((ngx_campaign_state_e) ((byte) & 7))
#define ngx_campaign_byte_reason(byte)          ((ngx_campaign_reason_e) ((byte) >> 3))


/* status of a campaign */

typedef enum {
    NGX_CAMPAIGN_C_SCHEDULED = 1,
    NGX_CAMPAIGN_C_IN_PROGRESS,
    NGX_CAMPAIGN_C_PAUSED,
    NGX_CAMPAIGN_C_COMPLETED,
    NGX_CAMPAIGN_C_FAILED,
    NGX_CAMPAIGN_C_CANCELED,
    NGX_CAMPAIGN_C_MAX
} ngx_campaign_status_e;


/* status of an account (and of a key: the scope is apart) */

typedef enum {
    NGX_CAMPAIGN_A_ACTIVE = 1,
    NGX_CAMPAIGN_A_DISABLED,
    NGX_CAMPAIGN_A_MAX
} ngx_campaign_account_status_e;


typedef enum {
    NGX_CAMPAIGN_SCOPE_FULL = 1,
    NGX_CAMPAIGN_SCOPE_READ
} ngx_campaign_scope_e;


/* what a webhook hears of; TEST is an event only */

typedef enum {
    NGX_CAMPAIGN_W_DELIVERY = 1,    /* a message was accepted, delivered, or failed */
    NGX_CAMPAIGN_W_MESSAGE,         /* an inbound message */
    NGX_CAMPAIGN_W_CAMPAIGN,        /* a campaign changed its status */
    NGX_CAMPAIGN_W_TEST,
    NGX_CAMPAIGN_W_MAX
} ngx_campaign_webhook_event_e;


/* how a try to tell a webhook ended */

typedef enum {
    NGX_CAMPAIGN_TOLD_NOT = 0,      /* not tried yet */
    NGX_CAMPAIGN_TOLD_DELIVERED,    /* 2xx */
    NGX_CAMPAIGN_TOLD_STATUS,       /* any other answer */
    NGX_CAMPAIGN_TOLD_TIMEOUT,      /* the request went out, no answer came */
    NGX_CAMPAIGN_TOLD_UNREACHABLE,  /* no connection */
    NGX_CAMPAIGN_TOLD_UNRESOLVED,   /* its name has no address */
    NGX_CAMPAIGN_TOLD_FORBIDDEN,    /* its address may not be called */
    NGX_CAMPAIGN_TOLD_MAX
} ngx_campaign_told_e;


/* what a sender's name is: the type of the object in the contract */

typedef enum {
    NGX_CAMPAIGN_T_ALPHANUMERIC = 1,
    NGX_CAMPAIGN_T_LONG_CODE,
    NGX_CAMPAIGN_T_SHORT_CODE
} ngx_campaign_sender_type_e;


#endif /* _NGX_CAMPAIGN_H_INCLUDED_ */
