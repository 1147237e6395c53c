
/*
 * Where webhooks may be.  It keeps true: an address is called if it is public, or if the operator allows it, and for no other reason.
 */

#include "ngx_http_campaign_notify.h"


ngx_uint_t
ngx_http_campaign_notify_allowed(ngx_http_campaign_main_conf_t *cmcf, const ngx_campaign_url_t *url)
{
    if (url->literal) {
        return ngx_http_campaign_notify_address(cmcf, &url->address);
    }

    return cmcf->webhook.allow || ngx_campaign_url_public(url);
}


ngx_uint_t
ngx_http_campaign_notify_address(ngx_http_campaign_main_conf_t *cmcf, const ngx_campaign_address_t *a)
{
    ngx_uint_t            i;
    ngx_campaign_cidr_t  *cidr;

    if (cmcf->webhook.allow) {
        cidr = cmcf->webhook.allow->elts;

        for (i = 0; i < cmcf->webhook.allow->nelts; i++) {
            if (ngx_campaign_cidr_match(&cidr[i], a)) {
                return 1;
            }
        }
    }

    return ngx_campaign_address_public(a);
}


ngx_int_t
ngx_http_campaign_notify_choose(ngx_http_campaign_main_conf_t *cmcf, ngx_resolver_ctx_t *ctx, ngx_campaign_address_t *a)
{
    ngx_uint_t            i;
    struct sockaddr_in   *sin;
#if (NGX_HAVE_INET6)
    struct sockaddr_in6  *sin6;
#endif

    for (i = 0; i < ctx->naddrs; i++) {

        ngx_memzero(a, sizeof(ngx_campaign_address_t));

        switch (ctx->addrs[i].sockaddr->sa_family) {

        case AF_INET:
            sin = (struct sockaddr_in *) ctx->addrs[i].sockaddr;
            a->v4 = 1;
            a->bytes[10] = 0xff;
            a->bytes[11] = 0xff;
            ngx_memcpy(&a->bytes[12], &sin->sin_addr, 4);
            break;

#if (NGX_HAVE_INET6)
        case AF_INET6:
            sin6 = (struct sockaddr_in6 *) ctx->addrs[i].sockaddr;
            ngx_memcpy(a->bytes, &sin6->sin6_addr, 16);
            break;
#endif

        default:
            continue;
        }

        if (ngx_http_campaign_notify_address(cmcf, a)) {
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}
