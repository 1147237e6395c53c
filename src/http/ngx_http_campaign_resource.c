
/*
 * What every resource can do by its tables alone: a page of its list, one object, a new object, a changed one, none any more.
 */

#include "ngx_http_campaign_error.h"
#include "ngx_http_campaign_resource.h"


#define NGX_CAMPAIGN_PAGE_SIZE  20
#define NGX_CAMPAIGN_PAGE_MAX   100


ngx_int_t
ngx_http_campaign_resource_list(ngx_http_campaign_call_t *call)
{
    ngx_int_t             rc;
    ngx_campaign_page_t  *page;

    rc = ngx_http_campaign_resource_page(call, &page);
    if (rc != NGX_OK) {
        return rc;
    }

    rc = ngx_campaign_store_page(call->store, ngx_http_campaign_call_op(call, ngx_http_campaign_resource_listed), page);

    return ngx_http_campaign_call_wait(call, rc);
}


ngx_int_t
ngx_http_campaign_resource_page(ngx_http_campaign_call_t *call, ngx_campaign_page_t **page)
{
    *page = ngx_pcalloc(call->pool, sizeof(ngx_campaign_page_t));
    if (*page == NULL) {
        return NGX_ERROR;
    }

    call->data = *page;

    return ngx_http_campaign_resource_query(call, call->route->resource, *page);
}


ngx_int_t
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
ngx_http_campaign_resource_change(ngx_http_campaign_call_t *call)
{
    ngx_int_t                            rc;
    ngx_uint_t                           mask;
    ngx_campaign_rec_t                  *rec;
    const ngx_http_campaign_resource_t  *resource;

    resource = call->route->resource;
    rec = call->rec;

    mask = rec->name.len ? NGX_CAMPAIGN_SET_NAME : 0;

    if (resource->kind == NGX_CAMPAIGN_TEMPLATE && ((ngx_campaign_text_t *) rec)->text.len) {
        mask |= NGX_CAMPAIGN_SET_TEXT;
    }

    if (mask == 0) {
        return ngx_http_campaign_resource_get(call);
    }

    rec->account = ngx_http_campaign_call_owner(call);
    ngx_memcpy(rec->id, call->id[0], NGX_CAMPAIGN_ID_LEN);

    rc = ngx_campaign_store_update(call->store, ngx_http_campaign_call_op(call, ngx_http_campaign_resource_show), resource->kind, rec,
                                   mask);

    return ngx_http_campaign_call_wait(call, rc);
}


ngx_int_t
ngx_http_campaign_resource_delete(ngx_http_campaign_call_t *call)
{
    ngx_int_t  rc;

    rc = ngx_campaign_store_delete(call->store, ngx_http_campaign_call_op(call, ngx_http_campaign_resource_deleted),
                                   call->route->resource->kind, ngx_http_campaign_call_owner(call), call->id[0]);

    return ngx_http_campaign_call_wait(call, rc);
}


ngx_int_t
ngx_http_campaign_resource_deleted(ngx_http_campaign_call_t *call)
{
    ngx_int_t  rc;

    rc = ngx_http_campaign_call_answer(call);
    if (rc != NGX_OK) {
        return rc;
    }

    return ngx_http_campaign_reply_empty(call, call->route->status);
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
    ngx_int_t  rc, size;
    ngx_str_t  value;

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

    return ngx_http_campaign_filter_read(call, resource->filters, page);
}
