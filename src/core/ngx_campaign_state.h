
/*
 * Which change of status is allowed, and the words of each status, state and reason as the contract prints them.
 */

#ifndef _NGX_CAMPAIGN_STATE_H_INCLUDED_
#define _NGX_CAMPAIGN_STATE_H_INCLUDED_


#include "ngx_campaign.h"


/* 1: a client or the dispatcher may move a campaign from one status to the other; staying in the same is no move */
ngx_uint_t ngx_campaign_status_allowed(ngx_campaign_status_e from, ngx_campaign_status_e to);

/* bit mask (1 << status) of the statuses from which `to` may be reached */
ngx_uint_t ngx_campaign_status_from(ngx_campaign_status_e to);

/* lower-case word ("in_progress"); a constant; empty for a number out of range */
ngx_str_t *ngx_campaign_status_name(ngx_campaign_status_e status);
ngx_str_t *ngx_campaign_state_name(ngx_campaign_state_e state);         /* retry and pending: "scheduled" */
ngx_str_t *ngx_campaign_message_status_name(ngx_campaign_message_status_e status);
ngx_str_t *ngx_campaign_reason_name(ngx_campaign_reason_e reason);

/* the status that a word (any case, "cancelled" too) names; 0: none */
ngx_campaign_status_e ngx_campaign_status_find(ngx_str_t *word);
ngx_campaign_message_status_e ngx_campaign_message_status_find(ngx_str_t *word);

/* final status of a campaign whose messages are all settled: completed if the gateway accepted one, else failed */
ngx_campaign_status_e ngx_campaign_status_settled(uint32_t accepted);


#endif /* _NGX_CAMPAIGN_STATE_H_INCLUDED_ */
