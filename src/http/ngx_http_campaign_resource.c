
/*
 * What every resource can do by its tables alone: a page of its list, one object, a new object.
 */

#include "ngx_http_campaign_error.h"
#include "ngx_http_campaign_resource.h"

#include "ngx_campaign_state.h"


#define NGX_CAMPAIGN_PAGE_SIZE  20
#define NGX_CAMPAIGN_PAGE_MAX   100


static ngx_int_t ngx_http_campaign_resource_listed(ngx_http_campaign_call_t *call);
static ngx_int_t ngx_http_campaign_resource_filter(ngx_http_campaign_call_t *call, const char *name, ngx_campaign_page_t *page);


ngx_int_t
ngx_http_campaign_resource_list(ngx_http_campaign_call_t *call)
{
    ngx_int_t             rc;
    ngx_campaign_page_t  *page;

    page = ngx_pcalloc(call->pool, sizeof(ngx_campaign_page_t));
    if (page == NULL) {
        return NGX_ERROR;
    }

    rc = ngx_http_campaign_resource_query(call, call->route->resource, page);
    if (rc != NGX_OK) {
        return rc;
    }

    call->data = page;

    rc = ngx_campaign_store_page(call->store, ngx_http_campaign_call_op(call, ngx_http_campaign_resource_listed), page);

    return ngx_http_campaign_call_wait(call, rc);
}


static ngx_int_t
ngx_http_campaign_resource_listed(ngx_http_campaign_call_t *call)
{
    ngx_int_t  rc;

    rc = ngx_http_campaign_call_answer(call);
    if (rc != NGX_OK) {
        return rc;
    }

    return ngx_http_campaign_reply_page(call, call->route->resource, call->data);
}


ngx_int_t
ngx_http_campaign_resource_get(ngx_http_campaign_call_t *call)
{
    ngx_int_t                            rc;
    const ngx_http_campaign_resource_t  *resource;

    resource = call->route->resource;

    call->rec = ngx_pcalloc(call->pool, resource->size);
    if (call->rec == NULL) {
        return NGX_ERROR;
    }

    rc = ngx_campaign_store_get(call->store, ngx_http_campaign_call_op(call, ngx_http_campaign_resource_show), resource->kind,
                                ngx_http_campaign_call_owner(call), call->id[0], call->rec);

    return ngx_http_campaign_call_wait(call, rc);
}


ngx_int_t
ngx_http_campaign_resource_create(ngx_http_campaign_call_t *call)
{
    ngx_int_t                            rc;
    ngx_campaign_rec_t                  *rec;
    const ngx_http_campaign_resource_t  *resource;

    resource = call->route->resource;

    rec = call->rec;
    rec->account = ngx_http_campaign_call_owner(call);

    rc = ngx_campaign_store_put(call->store, ngx_http_campaign_call_last(call, ngx_http_campaign_resource_show,
                                ngx_http_campaign_resource_show), resource->kind, rec, call->pile.n ? &call->pile : NULL);

    return ngx_http_campaign_call_wait(call, rc);
}


ngx_int_t
ngx_http_campaign_resource_show(ngx_http_campaign_call_t *call)
{
    ngx_int_t  rc;

    rc = ngx_http_campaign_call_answer(call);
    if (rc != NGX_OK) {
        return rc;
    }

    return ngx_http_campaign_reply_object(call, call->route->resource, call->rec);
}


ngx_int_t
ngx_http_campaign_resource_query(ngx_http_campaign_call_t *call, const ngx_http_campaign_resource_t *resource, ngx_campaign_page_t *page)
{
    ngx_int_t           rc, size;
    ngx_str_t           value;
    const char *const  *filter;

    page->kind = resource->kind;
    page->account = ngx_http_campaign_call_owner(call);
    page->size = NGX_CAMPAIGN_PAGE_SIZE;

    rc = ngx_http_campaign_call_arg(call, "page_size", &value);
    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    if (rc == NGX_OK) {
        size = ngx_atoi(value.data, value.len);

        if (size < 1 || size > NGX_CAMPAIGN_PAGE_MAX) {
            rc = ngx_http_campaign_error_text(call, NGX_CAMPAIGN_E_QUERY, "'page_size' is invalid: 1 to %d", NGX_CAMPAIGN_PAGE_MAX);
            if (rc == NGX_ERROR) {
                return NGX_ERROR;
            }

        } else {
            page->size = size;
        }
    }

    if (ngx_http_campaign_call_arg(call, "page_token", &page->token) == NGX_ERROR) {
        return NGX_ERROR;
    }

    for (filter = resource->filters; filter && *filter; filter++) {
        if (ngx_http_campaign_resource_filter(call, *filter, page) == NGX_ERROR) {
            return NGX_ERROR;
        }
    }

    return call->notes.nelts ? NGX_DECLINED : NGX_OK;
}


static ngx_int_t
ngx_http_campaign_resource_filter(ngx_http_campaign_call_t *call, const char *name, ngx_campaign_page_t *page)
{
    u_char                        text[32];
    ngx_int_t                     rc;
    ngx_str_t                     value;
    ngx_http_campaign_gateway_t  *gateway;

    *ngx_snprintf(text, sizeof(text) - 1, "filter[%s]", name) = '\0';

    rc = ngx_http_campaign_call_arg(call, (char *) text, &value);

    if (rc != NGX_OK || value.len == 0) {
        return rc;
    }

    if (name[0] == 'c') {
        gateway = ngx_http_campaign_gateway(call->cmcf, &value);

        if (gateway == NULL) {
            return ngx_http_campaign_error_text(call, NGX_CAMPAIGN_E_QUERY, "'filter[channel]' is invalid: should be one of [%V]",
                                                &call->cmcf->channels);
        }

        page->channel = gateway->channel;

        return NGX_OK;
    }

    page->status = ngx_campaign_status_find(&value);

    if (page->status == 0) {
        return ngx_http_campaign_error_text(call, NGX_CAMPAIGN_E_QUERY, "'filter[status]' is invalid: should be one of [scheduled, "
                                            "in_progress, paused, completed, failed, canceled]");
    }

    return NGX_OK;
}
