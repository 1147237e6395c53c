
/*
 * What a delivery receipt says, and which state it moves a message to.  It keeps true: whatever the order in which receipts and the
 * delivery's own answer come, the end is the same: delivered beats failed, failed beats sent.
 */

#ifndef _NGX_CAMPAIGN_RECEIPT_H_INCLUDED_
#define _NGX_CAMPAIGN_RECEIPT_H_INCLUDED_


#include "ngx_campaign.h"


typedef enum {
    NGX_CAMPAIGN_RECEIPT_NONE = 0,
    NGX_CAMPAIGN_RECEIPT_SENT,          /* the gateway has it, more will follow */
    NGX_CAMPAIGN_RECEIPT_DELIVERED,
    NGX_CAMPAIGN_RECEIPT_FAILED,
    NGX_CAMPAIGN_RECEIPT_EXPIRED,       /* the network gave up in time */
    NGX_CAMPAIGN_RECEIPT_REJECTED,      /* somebody on the way refused it */
    NGX_CAMPAIGN_RECEIPT_MAX
} ngx_campaign_receipt_e;


/* words of Dexatel's webhooks, of SMPP, and of what is common, in any case.  NONE: another one */
ngx_campaign_receipt_e ngx_campaign_receipt_word(const ngx_str_t *word);

ngx_campaign_state_e ngx_campaign_receipt_state(ngx_campaign_receipt_e receipt);
ngx_campaign_reason_e ngx_campaign_receipt_reason(ngx_campaign_receipt_e receipt);

/* 1: it moves a message on that is in this state and went to a gateway (PENDING, RETRY: is on its way, or waits for a repeat) */
ngx_uint_t ngx_campaign_receipt_moves(ngx_campaign_receipt_e receipt, ngx_campaign_state_e from);


#endif /* _NGX_CAMPAIGN_RECEIPT_H_INCLUDED_ */
