
/*
 * A message as it is shown, shared by the files of messages: list and object, messages sent alone.
 */

#ifndef _NGX_HTTP_CAMPAIGN_MESSAGE_H_INCLUDED_
#define _NGX_HTTP_CAMPAIGN_MESSAGE_H_INCLUDED_


#include "ngx_http_campaign_error.h"
#include "ngx_http_campaign_resource.h"

#include "ngx_campaign_number.h"
#include "ngx_campaign_sms.h"
#include "ngx_campaign_template.h"


#define NGX_CAMPAIGN_SINGLES_MAX    10          /* numbers of a request */
#define NGX_CAMPAIGN_VARIABLES_MAX  10
#define NGX_CAMPAIGN_VARIABLE_MAX   70          /* characters */


typedef struct {
    ngx_campaign_message_t       message;       /* stands first: the resource's fields are in it */
    ngx_str_t                    text;          /* rendered; data NULL: cannot be known, its contact was deleted */
    ngx_campaign_size_t          size;
} ngx_http_campaign_message_t;

typedef struct {
    ngx_str_t                    name;          /* placeholder; empty: they were given as a list */
    ngx_str_t                    value;
} ngx_http_campaign_variable_value_t;

/* what a POST asks for: the struct of the resource */

typedef struct {
    ngx_http_campaign_message_t  shown;         /* from, text, template, channel, schedule are read into it */
    ngx_uint_t                   n;
    uint64_t                     to[NGX_CAMPAIGN_SINGLES_MAX];
    ngx_uint_t                   nvariables;
    ngx_http_campaign_variable_value_t  variables[NGX_CAMPAIGN_VARIABLES_MAX];
    ngx_campaign_campaign_t      campaign;      /* what is stored */
} ngx_http_campaign_single_t;


/* ngx_http_campaign_messages.c */

/* n messages as they are shown (ngx_http_campaign_message_t), in pool.  NULL: no memory */
ngx_array_t *ngx_http_campaign_messages_render(ngx_pool_t *pool, ngx_campaign_message_t *messages, ngx_uint_t n);


/* ngx_http_campaign_messages_list.c */

extern const ngx_http_campaign_filter_t  ngx_http_campaign_messages_filters[];


/* ngx_http_campaign_single.c */

extern const ngx_http_campaign_field_type_t
    ngx_http_campaign_single_to,                /* 1 to 10 numbers; shown: the message's own */
    ngx_http_campaign_single_variables;

/* after the body's fields were read */
ngx_int_t ngx_http_campaign_single_check(ngx_http_campaign_call_t *call);


#endif /* _NGX_HTTP_CAMPAIGN_MESSAGE_H_INCLUDED_ */
