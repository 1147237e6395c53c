
/*
 * Webhooks going out.
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
