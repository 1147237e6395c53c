
/*
 * JSON read with an eye on memory.  When jansson cannot take memory it calls the text invalid, which would be told the client as its mistake, or
 * leaves out a character of a string and goes on; so its allocations are watched, on each thread apart.
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

    if (ngx_http_campaign_json_failed) {
        json_decref(*value);
        return NGX_ERROR;
    }

    return *value ? NGX_OK : NGX_DECLINED;
}
