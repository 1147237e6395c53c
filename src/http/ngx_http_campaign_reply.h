
/*
 * Replies: JSON written straight into buffers of r->pool, envelopes, links, pagination.  A failed allocation is remembered in the out and told once, by
 * ngx_http_campaign_reply_send.
 */

#ifndef _NGX_HTTP_CAMPAIGN_REPLY_H_INCLUDED_
#define _NGX_HTTP_CAMPAIGN_REPLY_H_INCLUDED_


#include "ngx_http_campaign_call.h"


typedef struct {
    ngx_pool_t    *pool;
    ngx_chain_t   *first;
    ngx_chain_t  **last;
    ngx_buf_t     *buf;             /* the one being written */
    off_t          size;            /* bytes in all */
    size_t         least;           /* bytes of a new buffer */
    ngx_chain_t  **free;            /* buffers to take first, tagged as the module's; NULL: none are kept */
    unsigned       failed:1;
} ngx_http_campaign_out_t;


void ngx_http_campaign_out_init(ngx_http_campaign_out_t *out, ngx_pool_t *pool);

/* bytes as they are */
void ngx_http_campaign_out_raw(ngx_http_campaign_out_t *out, const u_char *data, size_t len);
#define ngx_http_campaign_out_lit(out, text)  ngx_http_campaign_out_raw(out, (u_char *) text, sizeof(text) - 1)

/* a JSON string with its quotes */
void ngx_http_campaign_out_string(ngx_http_campaign_out_t *out, const ngx_str_t *value);
void ngx_http_campaign_out_uint(ngx_http_campaign_out_t *out, uint64_t value);

/* strings with quotes; null for an id of zeros, for time 0 */
void ngx_http_campaign_out_uuid(ngx_http_campaign_out_t *out, const u_char *id);
void ngx_http_campaign_out_date(ngx_http_campaign_out_t *out, time_t t);

/* "path" of an object below the location, a string with its quotes: segment/id and what follows it ("") */
void ngx_http_campaign_out_path(ngx_http_campaign_call_t *call, ngx_http_campaign_out_t *out, const ngx_str_t *segment, const u_char *id,
    const char *tail);

/* ,"name":"path"; nothing for an id of zeros */
void ngx_http_campaign_out_link(ngx_http_campaign_call_t *call, ngx_http_campaign_out_t *out, const char *name, const ngx_str_t *segment,
    const u_char *id, const char *tail);

/* "name": (with a comma before it unless first) */
void ngx_http_campaign_out_name(ngx_http_campaign_out_t *out, const ngx_str_t *name, ngx_uint_t first);


/* memory of a reply: see ngx_http_campaign_call_last */
#define ngx_http_campaign_reply_pool(call)  ngx_http_campaign_idempotency_pool(call)
ngx_pool_t *ngx_http_campaign_idempotency_pool(ngx_http_campaign_call_t *call);

/* {"data": {…}} of rec by the fields of the route's resource, with the route's status.  A handler's last step */
ngx_int_t ngx_http_campaign_reply_object(ngx_http_campaign_call_t *call, const ngx_http_campaign_resource_t *resource, void *rec);

/* {"data": [ … ]} of recs, with the route's status */
ngx_int_t ngx_http_campaign_reply_list(ngx_http_campaign_call_t *call, const ngx_http_campaign_resource_t *resource, ngx_array_t *recs);

/* {"data": [ … ], "pagination": { … }} */
ngx_int_t ngx_http_campaign_reply_page(ngx_http_campaign_call_t *call, const ngx_http_campaign_resource_t *resource,
    ngx_campaign_page_t *page);

/* a status without a body: 204 */
ngx_int_t ngx_http_campaign_reply_empty(ngx_http_campaign_call_t *call, ngx_uint_t status);

/* the errors noted */
ngx_int_t ngx_http_campaign_reply_errors(ngx_http_campaign_call_t *call);

/* sends out as JSON; NGX_DONE; NGX_AGAIN: it is kept first, for an idempotency key; NGX_ERROR: no memory */
ngx_int_t ngx_http_campaign_reply_send(ngx_http_campaign_call_t *call, ngx_uint_t status, ngx_http_campaign_out_t *out);

/* a reply of a call with an idempotency key: as ngx_http_campaign_reply_send; NGX_OK: it is to be sent as it is */
ngx_int_t ngx_http_campaign_idempotency_reply(ngx_http_campaign_call_t *call, ngx_uint_t status, ngx_http_campaign_out_t *out);

/* status, length and type of a JSON reply (out is complete), Retry-After where the status asks for one.  NGX_ERROR: no memory */
ngx_int_t ngx_http_campaign_reply_head(ngx_http_request_t *r, ngx_uint_t status, ngx_http_campaign_out_t *out);

/* adds a header line; value lives in r->pool.  NGX_ERROR: no memory */
ngx_int_t ngx_http_campaign_reply_header(ngx_http_request_t *r, const char *name, ngx_str_t *value);


#endif /* _NGX_HTTP_CAMPAIGN_REPLY_H_INCLUDED_ */
