
/*
 * Errors of the wire contract: a table of codes, notes of a call, the envelope.  A user's mistake is noted with its code, and the step returns what
 * noting returned; the reply carries all notes of the call in the order of their codes.  Safe on a thread (memory is call->pool).
 */

#ifndef _NGX_HTTP_CAMPAIGN_ERROR_H_INCLUDED_
#define _NGX_HTTP_CAMPAIGN_ERROR_H_INCLUDED_


#include "ngx_http_campaign_call.h"
#include "ngx_http_campaign_reply.h"


#define NGX_CAMPAIGN_E_INTERNAL       1000
#define NGX_CAMPAIGN_E_KEY_MISSING    1001
#define NGX_CAMPAIGN_E_KEY_INVALID    1002
#define NGX_CAMPAIGN_E_DISABLED       1003
#define NGX_CAMPAIGN_E_NO_RESOURCE    1004
#define NGX_CAMPAIGN_E_JSON           1005
#define NGX_CAMPAIGN_E_MEDIA_TYPE     1006
#define NGX_CAMPAIGN_E_NO_DATA        1007
#define NGX_CAMPAIGN_E_TOO_LARGE      1008
#define NGX_CAMPAIGN_E_QUERY          1009
#define NGX_CAMPAIGN_E_UNAVAILABLE    1011
#define NGX_CAMPAIGN_E_REUSED         1012
#define NGX_CAMPAIGN_E_METHOD         1013
#define NGX_CAMPAIGN_E_FULL           1014
#define NGX_CAMPAIGN_E_RUNNING        1015
#define NGX_CAMPAIGN_E_SCOPE          1016
#define NGX_CAMPAIGN_E_SECRET         1020


/* notes an error with the table's message.  NGX_DECLINED, or NGX_ERROR: no memory */
ngx_int_t ngx_http_campaign_error(ngx_http_campaign_call_t *call, ngx_uint_t code);

/* the same with a message of its own (ngx_sprintf's formats; at most 512 bytes) */
ngx_int_t ngx_http_campaign_error_text(ngx_http_campaign_call_t *call, ngx_uint_t code, const char *fmt, ...);

/* 1: an error of that code was noted already */
ngx_uint_t ngx_http_campaign_error_noted(ngx_http_campaign_call_t *call, ngx_uint_t code);

/* the table's message, a constant; %V in it stands for the channels */
ngx_str_t *ngx_http_campaign_error_message(ngx_uint_t code);

/* prints the envelope of the call's notes; without any, of code 1000.  Returns the status of the reply */
ngx_uint_t ngx_http_campaign_error_print(ngx_http_campaign_call_t *call, ngx_http_campaign_out_t *out);


#endif /* _NGX_HTTP_CAMPAIGN_ERROR_H_INCLUDED_ */
