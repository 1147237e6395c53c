
/*
 * What the end of a background request says about its message.  It keeps true: only a status that the gateway gave, or that the location's
 * own words made of one, is an answer; a request that went out without an answer is uncertain; one that never went out is neither; an id is
 * taken of a message that was accepted, and of no other.
 */

#include "ngx_http_campaign_delivery.h"


static ngx_campaign_answer_e ngx_http_campaign_answer_kind(ngx_http_request_t *r, ngx_uint_t status);
static ngx_uint_t ngx_http_campaign_answer_short(void);
static void ngx_http_campaign_answer_theirs(ngx_http_campaign_delivery_t *d);
static ngx_int_t ngx_http_campaign_answer_place(ngx_http_campaign_delivery_t *d, ngx_campaign_reply_place_t *place, size_t *len);
static ngx_msec_t ngx_http_campaign_answer_after(ngx_http_request_t *r);
static ngx_table_elt_t *ngx_http_campaign_answer_header(ngx_list_t *headers, ngx_str_t *name);


void
ngx_http_campaign_answer_read(ngx_http_campaign_delivery_t *d)
{
    ngx_http_request_t  *r;

    r = d->request;

    d->status = r->headers_out.status;
    d->answer = ngx_http_campaign_answer_kind(r, d->status);

    if (d->answer != NGX_CAMPAIGN_ANSWER_STATUS) {
        d->status = 0;
        return;
    }

    if (d->status < NGX_HTTP_SPECIAL_RESPONSE && d->redirect && r->upstream->headers_in.x_accel_redirect) {
        ngx_log_error(NGX_LOG_ERR, &d->log, 0, "gateway sent \"X-Accel-Redirect: %V\", which is not followed: the message failed",
                      &r->upstream->headers_in.x_accel_redirect->value);

        d->status = NGX_HTTP_MOVED_TEMPORARILY;
    }

    if (d->status >= NGX_HTTP_SPECIAL_RESPONSE) {
        d->after = ngx_http_campaign_answer_after(r);

    } else {
        ngx_http_campaign_answer_theirs(d);
    }
}


/* what the gateway calls the message: the first of its places that has something, unless it is our own id */

static void
ngx_http_campaign_answer_theirs(ngx_http_campaign_delivery_t *d)
{
    size_t                        len;
    ngx_uint_t                    i;
    ngx_http_campaign_gateway_t  *gateway;

    gateway = d->origin->gateway;

    for (i = 0; i < gateway->nids; i++) {

        if (ngx_http_campaign_answer_place(d, &gateway->ids[i], &len) != NGX_OK) {
            continue;
        }

        if (len != NGX_CAMPAIGN_UUID_LEN || ngx_strncasecmp(d->theirs, d->id, len) != 0) {
            d->theirs_len = len;
        }

        return;
    }
}


static ngx_int_t
ngx_http_campaign_answer_place(ngx_http_campaign_delivery_t *d, ngx_campaign_reply_place_t *place, size_t *len)
{
    ngx_table_elt_t     *h;
    ngx_http_request_t  *r;

    if (place->kind != NGX_CAMPAIGN_REPLY_HEADER) {

        if (d->kept.len == 0) {
            return NGX_DECLINED;
        }

        return ngx_campaign_reply_id(place, d->kept.data, d->kept.data + d->kept.len, d->theirs, len);
    }

    r = d->request;

    if (r->upstream == NULL || r->upstream->headers_in.headers.part.elts == NULL) {
        return NGX_DECLINED;
    }

    h = ngx_http_campaign_answer_header(&r->upstream->headers_in.headers, &place->name);

    return h ? ngx_campaign_reply_value(h->value.data, h->value.data + h->value.len, d->theirs, len) : NGX_DECLINED;
}


/*
 * What the status says.  Every try of the upstream left its traces: whether a byte of the request went out, whether a header came back.  A
 * try that was sent and not answered may have been taken by the gateway, whatever a later one said, unless that one took the message.
 */

static ngx_campaign_answer_e
ngx_http_campaign_answer_kind(ngx_http_request_t *r, ngx_uint_t status)
{
    ngx_uint_t                  i, lost, answered;
    ngx_http_upstream_state_t  *state;

    if (r->upstream == NULL) {
        return NGX_CAMPAIGN_ANSWER_STATUS;
    }

    lost = 0;
    answered = 0;

    state = r->upstream_states ? r->upstream_states->elts : NULL;

    for (i = 0; state && i < r->upstream_states->nelts; i++) {

        if (state[i].peer == NULL) {                    /* between two locations, or nobody to ask */
            continue;
        }

        answered = (state[i].header_time != (ngx_msec_t) -1);

        if (!answered && state[i].bytes_sent) {
            lost = 1;
        }
    }

    if (r->upstream->peer.connection && r->upstream->peer.connection->sent && !answered) {
        lost = 1;                                       /* this try was cut off, and has not told of its bytes yet */
    }

    /* no status line at all (HTTP/0.9, to nginx) is 0; 1xx promises another answer, which nginx does not wait for */

    if (answered && status < NGX_HTTP_OK) {
        return NGX_CAMPAIGN_ANSWER_UNCERTAIN;
    }

    /* taken; or no answer, and the location says by "error_page … =200" that this is as good: its other words are only the failure */

    if (status >= NGX_HTTP_OK && status < NGX_HTTP_SPECIAL_RESPONSE) {
        return NGX_CAMPAIGN_ANSWER_STATUS;
    }

    if (lost) {
        return NGX_CAMPAIGN_ANSWER_UNCERTAIN;
    }

    if (answered) {
        return NGX_CAMPAIGN_ANSWER_STATUS;
    }

    return (status == NGX_HTTP_INTERNAL_SERVER_ERROR && ngx_http_campaign_answer_short()) ? NGX_CAMPAIGN_ANSWER_NONE
                                                                                          : NGX_CAMPAIGN_ANSWER_UNREACHABLE;
}


/* 1: there is no descriptor for a connection: that no gateway was reached says nothing about the gateway, nor is it a try of the message */

static ngx_uint_t
ngx_http_campaign_answer_short(void)
{
    ngx_socket_t  s;

    s = ngx_socket(AF_UNIX, SOCK_STREAM, 0);

    if (s == (ngx_socket_t) -1) {
        return 1;
    }

    if (ngx_close_socket(s) == -1) {
        ngx_log_error(NGX_LOG_ALERT, ngx_cycle->log, ngx_socket_errno, ngx_close_socket_n " failed");
    }

    return 0;
}


/* Retry-After, in the gateway's reply or set by its location */

static ngx_msec_t
ngx_http_campaign_answer_after(ngx_http_request_t *r)
{
    ngx_table_elt_t  *h;

    static ngx_str_t  name = ngx_string("Retry-After");

    h = NULL;

    if (r->upstream && r->upstream->headers_in.headers.part.elts) {
        h = ngx_http_campaign_answer_header(&r->upstream->headers_in.headers, &name);
    }

    if (h == NULL) {
        h = ngx_http_campaign_answer_header(&r->headers_out.headers, &name);
    }

    return h ? ngx_campaign_retry_after(&h->value, (time_t) (ngx_campaign_now() / 1000000)) : 0;
}


static ngx_table_elt_t *
ngx_http_campaign_answer_header(ngx_list_t *headers, ngx_str_t *name)
{
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    for (part = &headers->part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {
            if (h[i].hash && h[i].key.len == name->len && ngx_strncasecmp(h[i].key.data, name->data, name->len) == 0) {
                return &h[i];
            }
        }
    }

    return NULL;
}
