
/*
 * Method and path to a row.  A new route is a row of this table and a handler; 404, 405 with Allow, OPTIONS and HEAD follow from it.
 */

#include "ngx_http_campaign_call.h"
#include "ngx_http_campaign_error.h"
#include "ngx_http_campaign_reply.h"
#include "ngx_http_campaign_resource.h"

#include "ngx_campaign_number.h"


static ngx_uint_t ngx_http_campaign_route_rest(ngx_http_campaign_call_t *call, ngx_str_t *rest);
static ngx_uint_t ngx_http_campaign_route_match(const ngx_str_t *path, const ngx_str_t *rest, ngx_str_t *ids);
static ngx_int_t ngx_http_campaign_route_allow(ngx_http_campaign_call_t *call, ngx_uint_t methods);
static ngx_uint_t ngx_http_campaign_route_methods(ngx_http_campaign_call_t *call, const ngx_http_campaign_route_t **found, ngx_str_t *ids);


#define NGX_CAMPAIGN_POST  (NGX_CAMPAIGN_FULL_KEY|NGX_CAMPAIGN_BODY)

/* clang-format off */

static const ngx_http_campaign_route_t  ngx_http_campaign_api[] = {

    { ngx_string("campaigns"),      NGX_HTTP_GET,    0,                     &ngx_http_campaign_campaigns,
      ngx_http_campaign_resource_list, 200, { 0, 0 } },
    { ngx_string("campaigns"),      NGX_HTTP_POST,   NGX_CAMPAIGN_POST,     &ngx_http_campaign_campaigns,
      ngx_http_campaign_campaigns_create, 201, { 0, 0 } },
    { ngx_string("campaigns/{id}"), NGX_HTTP_GET,    0,                     &ngx_http_campaign_campaigns,
      ngx_http_campaign_resource_get, 200, { 1602, 0 } },
    { ngx_string("campaigns/{id}"), NGX_HTTP_PUT,    NGX_CAMPAIGN_POST,     &ngx_http_campaign_campaigns,
      ngx_http_campaign_campaigns_change, 200, { 1602, 0 } },
    { ngx_string("campaigns/{id}"), NGX_HTTP_PATCH,  NGX_CAMPAIGN_POST,     &ngx_http_campaign_campaigns,
      ngx_http_campaign_campaigns_change, 200, { 1602, 0 } },
    { ngx_string("campaigns/{id}"), NGX_HTTP_DELETE, NGX_CAMPAIGN_FULL_KEY, &ngx_http_campaign_campaigns,
      ngx_http_campaign_resource_delete, 204, { 1602, 0 } },
    { ngx_string("campaigns/{id}/report"), NGX_HTTP_GET, 0,                 &ngx_http_campaign_campaigns,
      ngx_http_campaign_campaigns_report, 200, { 1602, 0 } },
    { ngx_string("campaigns/{id}/messages"), NGX_HTTP_GET, 0,                 &ngx_http_campaign_campaign_messages,
      ngx_http_campaign_messages_list, 200, { 1602, 0 } },

    { ngx_string("messages"),         NGX_HTTP_GET,    0,                     &ngx_http_campaign_messages,
      ngx_http_campaign_messages_list, 200, { 0, 0 } },
    { ngx_string("messages"),         NGX_HTTP_POST,   NGX_CAMPAIGN_POST,     &ngx_http_campaign_messages,
      ngx_http_campaign_single_create, 201, { 0, 0 } },
    { ngx_string("messages/{id}"),    NGX_HTTP_GET,    0,                     &ngx_http_campaign_messages,
      ngx_http_campaign_messages_get, 200, { 1502, 0 } },
    { ngx_string("messages/{id}"),    NGX_HTTP_DELETE, NGX_CAMPAIGN_FULL_KEY, &ngx_http_campaign_messages,
      ngx_http_campaign_messages_cancel, 204, { 1502, 0 } },

    { ngx_string("audiences"),      NGX_HTTP_GET,    0,                     &ngx_http_campaign_audiences,
      ngx_http_campaign_resource_list, 200, { 0, 0 } },
    { ngx_string("audiences"),      NGX_HTTP_POST,   NGX_CAMPAIGN_POST,     &ngx_http_campaign_audiences,
      ngx_http_campaign_resource_create, 201, { 0, 0 } },
    { ngx_string("audiences/{id}"), NGX_HTTP_GET,    0,                     &ngx_http_campaign_audiences,
      ngx_http_campaign_resource_get, 200, { 1302, 0 } },
    { ngx_string("audiences/{id}"), NGX_HTTP_PUT,    NGX_CAMPAIGN_POST,     &ngx_http_campaign_audiences,
      ngx_http_campaign_resource_change, 200, { 1302, 0 } },
    { ngx_string("audiences/{id}"), NGX_HTTP_PATCH,  NGX_CAMPAIGN_POST,     &ngx_http_campaign_audiences,
      ngx_http_campaign_resource_change, 200, { 1302, 0 } },
    { ngx_string("audiences/{id}"), NGX_HTTP_DELETE, NGX_CAMPAIGN_FULL_KEY, &ngx_http_campaign_audiences,
      ngx_http_campaign_resource_delete, 204, { 1302, 0 } },

    { ngx_string("audiences/{id}/contacts"),      NGX_HTTP_GET,  0,         &ngx_http_campaign_contacts,
      ngx_http_campaign_contacts_list, 200, { 1302, 0 } },
    { ngx_string("audiences/{id}/contacts"),      NGX_HTTP_POST,
      NGX_CAMPAIGN_POST|NGX_CAMPAIGN_BODY_LIST|NGX_CAMPAIGN_BODY_LINES,     &ngx_http_campaign_contacts,
      ngx_http_campaign_contacts_create, 201, { 1302, 0 } },
    { ngx_string("audiences/{id}/contacts/{id}"), NGX_HTTP_GET,  0,         &ngx_http_campaign_contacts,
      ngx_http_campaign_contacts_get, 200, { 1302, 1352 } },
    { ngx_string("audiences/{id}/contacts/{id}"), NGX_HTTP_PUT,    NGX_CAMPAIGN_POST,     &ngx_http_campaign_contacts,
      ngx_http_campaign_contacts_change, 200, { 1302, 1352 } },
    { ngx_string("audiences/{id}/contacts/{id}"), NGX_HTTP_PATCH,  NGX_CAMPAIGN_POST,     &ngx_http_campaign_contacts,
      ngx_http_campaign_contacts_change, 200, { 1302, 1352 } },
    { ngx_string("audiences/{id}/contacts/{id}"), NGX_HTTP_DELETE, NGX_CAMPAIGN_FULL_KEY, &ngx_http_campaign_contacts,
      ngx_http_campaign_contacts_delete, 204, { 1302, 1352 } },

    { ngx_string("templates"),      NGX_HTTP_GET,    0,                     &ngx_http_campaign_templates,
      ngx_http_campaign_resource_list, 200, { 0, 0 } },
    { ngx_string("templates"),      NGX_HTTP_POST,   NGX_CAMPAIGN_POST,     &ngx_http_campaign_templates,
      ngx_http_campaign_resource_create, 201, { 0, 0 } },
    { ngx_string("templates/{id}"), NGX_HTTP_GET,    0,                     &ngx_http_campaign_templates,
      ngx_http_campaign_resource_get, 200, { 1252, 0 } },
    { ngx_string("templates/{id}"), NGX_HTTP_PUT,    NGX_CAMPAIGN_POST,     &ngx_http_campaign_templates,
      ngx_http_campaign_resource_change, 200, { 1252, 0 } },
    { ngx_string("templates/{id}"), NGX_HTTP_PATCH,  NGX_CAMPAIGN_POST,     &ngx_http_campaign_templates,
      ngx_http_campaign_resource_change, 200, { 1252, 0 } },
    { ngx_string("templates/{id}"), NGX_HTTP_DELETE, NGX_CAMPAIGN_FULL_KEY, &ngx_http_campaign_templates,
      ngx_http_campaign_resource_delete, 204, { 1252, 0 } },

    { ngx_string("senders"),        NGX_HTTP_GET,    0,                     &ngx_http_campaign_senders,
      ngx_http_campaign_resource_list, 200, { 0, 0 } },
    { ngx_string("senders"),        NGX_HTTP_POST,   NGX_CAMPAIGN_POST,     &ngx_http_campaign_senders,
      ngx_http_campaign_resource_create, 201, { 0, 0 } },
    { ngx_string("senders/{id}"),   NGX_HTTP_GET,    0,                     &ngx_http_campaign_senders,
      ngx_http_campaign_resource_get, 200, { 1152, 0 } },
    { ngx_string("senders/{id}"),     NGX_HTTP_DELETE, NGX_CAMPAIGN_FULL_KEY, &ngx_http_campaign_senders,
      ngx_http_campaign_resource_delete, 204, { 1152, 0 } },

    { ngx_string("suppressions"),      NGX_HTTP_GET,    0,                                           &ngx_http_campaign_suppressions,
      ngx_http_campaign_suppressions_list, 200, { 0, 0 } },
    { ngx_string("suppressions"),      NGX_HTTP_POST,
      NGX_CAMPAIGN_POST|NGX_CAMPAIGN_BODY_LIST|NGX_CAMPAIGN_BODY_LINES,                              &ngx_http_campaign_suppressions,
      ngx_http_campaign_suppressions_create, 201, { 0, 0 } },
    { ngx_string("suppressions/{id}"), NGX_HTTP_GET,    NGX_CAMPAIGN_BY_NUMBER,                      &ngx_http_campaign_suppressions,
      ngx_http_campaign_suppressions_get, 200, { 1852, 0 } },
    { ngx_string("suppressions/{id}"), NGX_HTTP_DELETE, NGX_CAMPAIGN_FULL_KEY|NGX_CAMPAIGN_BY_NUMBER, &ngx_http_campaign_suppressions,
      ngx_http_campaign_suppressions_delete, 204, { 1852, 0 } },
    { ngx_string("webhooks"),       NGX_HTTP_GET,    0,                     &ngx_http_campaign_webhooks,
      ngx_http_campaign_resource_list, 200, { 0, 0 } },
    { ngx_string("webhooks"),       NGX_HTTP_POST,   NGX_CAMPAIGN_POST,     &ngx_http_campaign_webhooks,
      ngx_http_campaign_resource_create, 201, { 0, 0 } },
    { ngx_string("webhooks/{id}"),  NGX_HTTP_GET,    0,                     &ngx_http_campaign_webhooks,
      ngx_http_campaign_resource_get, 200, { 1202, 0 } },
    { ngx_string("webhooks/{id}"),  NGX_HTTP_PUT,    NGX_CAMPAIGN_POST,     &ngx_http_campaign_webhooks,
      ngx_http_campaign_webhooks_change, 200, { 1202, 0 } },
    { ngx_string("webhooks/{id}"),  NGX_HTTP_PATCH,  NGX_CAMPAIGN_POST,     &ngx_http_campaign_webhooks,
      ngx_http_campaign_webhooks_change, 200, { 1202, 0 } },
    { ngx_string("webhooks/{id}"),  NGX_HTTP_DELETE, NGX_CAMPAIGN_FULL_KEY, &ngx_http_campaign_webhooks,
      ngx_http_campaign_resource_delete, 204, { 1202, 0 } },
    { ngx_string("webhooks/{id}/test"), NGX_HTTP_POST, NGX_CAMPAIGN_FULL_KEY, &ngx_http_campaign_deliveries,
      ngx_http_campaign_webhooks_test, 201, { 1202, 0 } },
    { ngx_string("webhooks/{id}/deliveries"), NGX_HTTP_GET, 0,              &ngx_http_campaign_deliveries,
      ngx_http_campaign_webhooks_deliveries, 200, { 1202, 0 } },
    { ngx_string("webhooks/{id}/replay"), NGX_HTTP_POST, NGX_CAMPAIGN_POST, &ngx_http_campaign_replays,
      ngx_http_campaign_webhooks_replay, 200, { 1202, 0 } },

    { ngx_string("openapi.json"),   NGX_HTTP_GET,    NGX_CAMPAIGN_OPEN,     NULL,
      ngx_http_campaign_openapi, 200, { 0, 0 } },

    { ngx_null_string, 0, 0, NULL, NULL, 0, { 0, 0 } }
};


static const ngx_http_campaign_route_t  ngx_http_campaign_admin[] = {

    { ngx_string("accounts"),       NGX_HTTP_GET,    0,                     &ngx_http_campaign_accounts,
      ngx_http_campaign_resource_list, 200, { 0, 0 } },
    { ngx_string("accounts"),       NGX_HTTP_POST,   NGX_CAMPAIGN_BODY,     &ngx_http_campaign_accounts,
      ngx_http_campaign_accounts_create, 201, { 0, 0 } },
    { ngx_string("accounts/{id}"),  NGX_HTTP_GET,    0,                     &ngx_http_campaign_accounts,
      ngx_http_campaign_resource_get, 200, { 1902, 0 } },
    { ngx_string("accounts/{id}"),  NGX_HTTP_PUT,    NGX_CAMPAIGN_BODY,     &ngx_http_campaign_accounts,
      ngx_http_campaign_accounts_change, 200, { 1902, 0 } },
    { ngx_string("accounts/{id}"),  NGX_HTTP_PATCH,  NGX_CAMPAIGN_BODY,     &ngx_http_campaign_accounts,
      ngx_http_campaign_accounts_change, 200, { 1902, 0 } },
    { ngx_string("accounts/{id}"),    NGX_HTTP_DELETE, 0,                     &ngx_http_campaign_accounts,
      ngx_http_campaign_resource_delete, 204, { 1902, 0 } },
    { ngx_string("accounts/{id}/keys"), NGX_HTTP_GET,    0,                     &ngx_http_campaign_keys,
      ngx_http_campaign_keys_list, 200, { 1902, 0 } },
    { ngx_string("accounts/{id}/keys"), NGX_HTTP_POST, NGX_CAMPAIGN_BODY,   &ngx_http_campaign_keys,
      ngx_http_campaign_keys_create, 201, { 1902, 0 } },
    { ngx_string("accounts/{id}/keys/{id}"), NGX_HTTP_DELETE, 0,                     &ngx_http_campaign_keys,
      ngx_http_campaign_keys_delete, 204, { 1902, 1913 } },

    { ngx_null_string, 0, 0, NULL, NULL, 0, { 0, 0 } }
};

/* clang-format on */


static const struct {
    ngx_uint_t  method;
    ngx_str_t   name;
} ngx_http_campaign_route_names[] = {
    { NGX_HTTP_GET,    ngx_string("GET, HEAD") },
    { NGX_HTTP_POST,   ngx_string("POST") },
    { NGX_HTTP_PUT,    ngx_string("PUT") },
    { NGX_HTTP_PATCH,  ngx_string("PATCH") },
    { NGX_HTTP_DELETE, ngx_string("DELETE") },
    { 0,               ngx_null_string }
};


ngx_int_t
ngx_http_campaign_route_open(ngx_http_campaign_call_t *call)
{
    ngx_str_t                         ids[NGX_CAMPAIGN_IDS_MAX];
    ngx_uint_t                        methods;
    const ngx_http_campaign_route_t  *row;

    methods = ngx_http_campaign_route_methods(call, &row, ids);

    if (row && (row->flags & NGX_CAMPAIGN_OPEN)) {
        return row->handler(call);
    }

    if (call->request->method != NGX_HTTP_OPTIONS) {
        return NGX_OK;
    }

    if (methods == 0) {
        return ngx_http_campaign_error(call, NGX_CAMPAIGN_E_NO_RESOURCE);
    }

    if (ngx_http_campaign_route_allow(call, methods) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_http_campaign_reply_empty(call, NGX_HTTP_NO_CONTENT);
}


ngx_int_t
ngx_http_campaign_route_find(ngx_http_campaign_call_t *call)
{
    ngx_str_t   ids[NGX_CAMPAIGN_IDS_MAX];
    ngx_uint_t  i, methods;

    methods = ngx_http_campaign_route_methods(call, &call->route, ids);

    if (methods == 0) {
        return ngx_http_campaign_error(call, NGX_CAMPAIGN_E_NO_RESOURCE);
    }

    if (call->route == NULL) {
        if (ngx_http_campaign_route_allow(call, methods) != NGX_OK) {
            return NGX_ERROR;
        }

        return ngx_http_campaign_error(call, NGX_CAMPAIGN_E_METHOD);
    }

    if ((call->route->flags & NGX_CAMPAIGN_FULL_KEY) && call->key.scope == NGX_CAMPAIGN_SCOPE_READ) {
        return ngx_http_campaign_error(call, NGX_CAMPAIGN_E_SCOPE);
    }

    if (call->route->flags & NGX_CAMPAIGN_BY_NUMBER) {
        return ngx_campaign_number_parse(ids[0].data, ids[0].len, &call->number) == NGX_OK ? NGX_OK
               : ngx_http_campaign_error(call, call->route->bad_id[0]);
    }

    for (i = 0; i < NGX_CAMPAIGN_IDS_MAX && call->route->bad_id[i]; i++) {
        if (ngx_campaign_uuid_parse(&ids[i], call->id[i]) != NGX_OK) {
            return ngx_http_campaign_error(call, call->route->bad_id[i]);
        }
    }

    return NGX_OK;
}


/* methods that the path knows (0: no such path), and the row of the request's own */

static ngx_uint_t
ngx_http_campaign_route_methods(ngx_http_campaign_call_t *call, const ngx_http_campaign_route_t **found, ngx_str_t *ids)
{
    ngx_str_t                         rest, at[NGX_CAMPAIGN_IDS_MAX];
    ngx_uint_t                        method, methods, same;
    const ngx_str_t                  *path;
    const ngx_http_campaign_route_t  *row;

    same = 0;
    path = NULL;
    methods = 0;
    *found = NULL;
    method = call->request->method == NGX_HTTP_HEAD ? NGX_HTTP_GET : call->request->method;

    if (!ngx_http_campaign_route_rest(call, &rest) || rest.len == 0) {
        return 0;
    }

    row = (call->service == NGX_HTTP_CAMPAIGN_ADMIN) ? ngx_http_campaign_admin : ngx_http_campaign_api;

    for ( /* void */ ; row->path.len; row++) {

        if (row->path.data[0] != rest.data[0]) {        /* every path begins with a name */
            continue;
        }

        if (path == NULL || path->len != row->path.len || ngx_memcmp(path->data, row->path.data, path->len) != 0) {
            path = &row->path;
            same = ngx_http_campaign_route_match(path, &rest, at);
        }

        if (!same) {
            continue;
        }

        methods |= row->method;

        if (row->method == method) {
            *found = row;
            ngx_memcpy(ids, at, sizeof(at));
        }
    }

    return methods;
}


/* what stands below the location, without slashes around it */

static ngx_uint_t
ngx_http_campaign_route_rest(ngx_http_campaign_call_t *call, ngx_str_t *rest)
{
    ngx_str_t  *uri;

    uri = &call->request->uri;

    if (uri->len < call->prefix.len || ngx_memcmp(uri->data, call->prefix.data, call->prefix.len) != 0) {
        return 0;
    }

    rest->data = uri->data + call->prefix.len;
    rest->len = uri->len - call->prefix.len;

    if (rest->len == 0 || rest->data[0] != '/') {
        return 0;
    }

    rest->data++;
    rest->len--;

    if (rest->len && rest->data[rest->len - 1] == '/') {
        rest->len--;
    }

    return 1;
}


static ngx_uint_t
ngx_http_campaign_route_match(const ngx_str_t *path, const ngx_str_t *rest, ngx_str_t *ids)
{
    u_char  *p, *end, *slash;
    u_char  *r, *rend, *rslash;

    p = path->data;
    end = p + path->len;
    r = rest->data;
    rend = r + rest->len;

    for ( ;; ) {
        slash = memchr(p, '/', end - p);
        rslash = memchr(r, '/', rend - r);

        if ((slash == NULL) != (rslash == NULL)) {
            return 0;
        }

        if (slash == NULL) {
            slash = end;
            rslash = rend;
        }

        if (*p == '{') {
            if (rslash == r) {
                return 0;
            }

            ids->data = r;
            ids->len = rslash - r;
            ids++;

        } else if (slash - p != rslash - r || ngx_memcmp(p, r, slash - p) != 0) {
            return 0;
        }

        if (slash == end) {
            return 1;
        }

        p = slash + 1;
        r = rslash + 1;
    }
}


static ngx_int_t
ngx_http_campaign_route_allow(ngx_http_campaign_call_t *call, ngx_uint_t methods)
{
    u_char      *p;
    ngx_str_t    value;
    ngx_uint_t   i;

    p = ngx_pnalloc(call->request->pool, sizeof("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"));
    if (p == NULL) {
        return NGX_ERROR;
    }

    value.data = p;

    for (i = 0; ngx_http_campaign_route_names[i].method; i++) {
        if (methods & ngx_http_campaign_route_names[i].method) {
            p = ngx_cpymem(p, ngx_http_campaign_route_names[i].name.data, ngx_http_campaign_route_names[i].name.len);
            *p++ = ',';
            *p++ = ' ';
        }
    }

    p = ngx_cpymem(p, "OPTIONS", sizeof("OPTIONS") - 1);
    value.len = p - value.data;

    return ngx_http_campaign_reply_header(call->request, "Allow", &value);
}
