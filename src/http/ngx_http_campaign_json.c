
/*
 * JSON read with an eye on memory.  jansson calls a text invalid when it could not take memory for it, which would be told the client as its
 * mistake; so its allocations are watched, on each thread apart.
 */

#include "ngx_http_campaign_call.h"
#include "ngx_http_campaign_field.h"


static void *ngx_http_campaign_json_alloc(size_t size);


static __thread ngx_uint_t  ngx_http_campaign_json_failed;


void
ngx_http_campaign_json_init(void)
{
    json_set_alloc_funcs(ngx_http_campaign_json_alloc, free);
}


static void *
ngx_http_campaign_json_alloc(size_t size)
{
    void  *p;

    p = malloc(size);

    if (p == NULL) {
        ngx_http_campaign_json_failed = 1;
    }

    return p;
}


ngx_int_t
ngx_http_campaign_json_load(const u_char *data, size_t len, json_error_t *error, json_t **value)
{
    ngx_http_campaign_json_failed = 0;

    *value = json_loadb((const char *) data, len, JSON_REJECT_DUPLICATES, error);

    if (*value) {
        return NGX_OK;
    }

    return ngx_http_campaign_json_failed ? NGX_ERROR : NGX_DECLINED;
}
