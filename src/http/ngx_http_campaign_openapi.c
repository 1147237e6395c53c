
/*
 * The API's description of itself, OpenAPI 3.1: openapi.json beside this file, byte for byte.  The module's `config` makes it a C string.
 */

#include "ngx_http_campaign_error.h"
#include "ngx_http_campaign_resource.h"


static void ngx_http_campaign_openapi_tag(ngx_str_t *tag);


static const u_char  ngx_http_campaign_openapi_text[] =
#include "ngx_http_campaign_openapi.h"
;


ngx_int_t
ngx_http_campaign_openapi(ngx_http_campaign_call_t *call)
{
    ngx_int_t            rc;
    ngx_buf_t           *b;
    ngx_chain_t          out;
    ngx_table_elt_t     *etag;
    ngx_http_request_t  *r;

    r = call->request;

    if (ngx_http_discard_request_body(r) != NGX_OK) {
        r->keepalive = 0;
    }

    b = ngx_calloc_buf(r->pool);
    etag = ngx_list_push(&r->headers_out.headers);

    if (b == NULL || etag == NULL) {
        return NGX_ERROR;
    }

    b->pos = (u_char *) ngx_http_campaign_openapi_text;
    b->last = b->pos + sizeof(ngx_http_campaign_openapi_text) - 1;
    b->memory = 1;
    b->last_buf = 1;
    b->last_in_chain = 1;

    out.buf = b;
    out.next = NULL;

    ngx_memzero(etag, sizeof(ngx_table_elt_t));
    etag->hash = 1;
    ngx_str_set(&etag->key, "ETag");
    ngx_http_campaign_openapi_tag(&etag->value);

    r->headers_out.etag = etag;
    r->headers_out.status = NGX_HTTP_OK;
    r->headers_out.content_length_n = b->last - b->pos;
    ngx_str_set(&r->headers_out.content_type, "application/json");
    r->headers_out.content_type_len = r->headers_out.content_type.len;

    call->replied = 1;

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc == NGX_ERROR ? NGX_ERROR : NGX_DONE;
    }

    return ngx_http_output_filter(r, &out) == NGX_ERROR ? NGX_ERROR : NGX_DONE;
}


/* the same for the same text; reckoned once a process */

static void
ngx_http_campaign_openapi_tag(ngx_str_t *tag)
{
    uint32_t  sum;

    static size_t  len;
    static u_char  text[sizeof("\"01234567\"")];

    if (len == 0) {
        sum = ngx_crc32_long((u_char *) ngx_http_campaign_openapi_text, sizeof(ngx_http_campaign_openapi_text) - 1);
        len = ngx_sprintf(text, "\"%08xD\"", sum) - text;
    }

    tag->data = text;
    tag->len = len;
}
