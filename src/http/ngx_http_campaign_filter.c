
/*
 * Filters of lists, `filter[name]=value`: types that a resource's table names.  A value that selects nothing that there can be is the
 * client's mistake, so that a slip is not taken for an empty list.
 */

#include "ngx_http_campaign_error.h"
#include "ngx_http_campaign_field.h"

#include "ngx_campaign_number.h"
#include "ngx_campaign_sms.h"
#include "ngx_campaign_state.h"


static ngx_int_t ngx_http_campaign_filter_link(ngx_http_campaign_call_t *call, const ngx_http_campaign_filter_t *f, ngx_str_t *value);
static ngx_uint_t ngx_http_campaign_filter_is(const ngx_str_t *word, const ngx_str_t *value);


ngx_int_t
ngx_http_campaign_filter_read(ngx_http_campaign_call_t *call, const ngx_http_campaign_filter_t *filters, ngx_campaign_page_t *page)
{
    u_char                             text[64];
    ngx_int_t                          rc;
    ngx_str_t                          value;
    const ngx_http_campaign_filter_t  *f;

    for (f = filters; f && f->name.len; f++) {

        *ngx_snprintf(text, sizeof(text) - 1, "filter[%V]", &f->name) = '\0';

        rc = ngx_http_campaign_call_arg(call, (char *) text, &value);

        if (rc == NGX_OK && value.len) {
            rc = f->read(call, f, &value, page);

            if (rc == NGX_OK) {
                rc = ngx_http_campaign_filter_link(call, f, &value);
            }
        }

        if (rc == NGX_ERROR) {
            return NGX_ERROR;
        }
    }

    return call->notes.nelts ? NGX_DECLINED : NGX_OK;
}


/* what the links of the list repeat: &filter[name]=value, escaped */

static ngx_int_t
ngx_http_campaign_filter_link(ngx_http_campaign_call_t *call, const ngx_http_campaign_filter_t *f, ngx_str_t *value)
{
    u_char  *p, *start;

    start = ngx_pnalloc(call->pool, call->filters.len + sizeof("&filter%5B%5D=") + f->name.len + 3 * value->len);
    if (start == NULL) {
        return NGX_ERROR;
    }

    p = start;

    if (call->filters.len) {
        p = ngx_cpymem(p, call->filters.data, call->filters.len);
    }

    p = ngx_cpymem(p, "&filter%5B", sizeof("&filter%5B") - 1);
    p = ngx_cpymem(p, f->name.data, f->name.len);
    p = ngx_cpymem(p, "%5D=", sizeof("%5D=") - 1);
    p = (u_char *) ngx_escape_uri(p, value->data, value->len, NGX_ESCAPE_URI_COMPONENT);

    call->filters.data = start;
    call->filters.len = p - start;

    return NGX_OK;
}


ngx_int_t
ngx_http_campaign_filter_channel(ngx_http_campaign_call_t *call, const ngx_http_campaign_filter_t *f, ngx_str_t *value,
    ngx_campaign_page_t *page)
{
    ngx_http_campaign_gateway_t  *gateway;

    gateway = ngx_http_campaign_gateway(call->cmcf, value);

    if (gateway == NULL) {
        return ngx_http_campaign_error_text(call, NGX_CAMPAIGN_E_QUERY, "'filter[%V]' is invalid: should be one of [%V]", &f->name,
                                            &call->cmcf->channels);
    }

    page->channel = gateway->channel;
    *value = gateway->channel;

    return NGX_OK;
}


ngx_int_t
ngx_http_campaign_filter_status(ngx_http_campaign_call_t *call, const ngx_http_campaign_filter_t *f, ngx_str_t *value,
    ngx_campaign_page_t *page)
{
    page->status = ngx_campaign_status_find(value);

    if (page->status == 0) {
        return ngx_http_campaign_error_text(call, NGX_CAMPAIGN_E_QUERY, "'filter[%V]' is invalid: should be one of [scheduled, "
                                            "in_progress, paused, completed, failed, canceled]", &f->name);
    }

    *value = *ngx_campaign_status_name(page->status);

    return NGX_OK;
}


ngx_int_t
ngx_http_campaign_filter_type(ngx_http_campaign_call_t *call, const ngx_http_campaign_filter_t *f, ngx_str_t *value,
    ngx_campaign_page_t *page)
{
    ngx_uint_t  type;

    for (type = NGX_CAMPAIGN_T_ALPHANUMERIC; type <= NGX_CAMPAIGN_T_SHORT_CODE; type++) {

        if (ngx_http_campaign_filter_is(ngx_campaign_number_sender_name(type), value)) {
            page->type = type;
            *value = *ngx_campaign_number_sender_name(type);

            return NGX_OK;
        }
    }

    return ngx_http_campaign_error_text(call, NGX_CAMPAIGN_E_QUERY, "'filter[%V]' is invalid: should be one of [ALPHANUMERIC, LONG_CODE, "
                                        "SHORT_CODE]", &f->name);
}


ngx_int_t
ngx_http_campaign_filter_word(ngx_http_campaign_call_t *call, const ngx_http_campaign_filter_t *f, ngx_str_t *value,
    ngx_campaign_page_t *page)
{
    const ngx_str_t  *word;

    for (word = f->words; word->len; word++) {
        if (ngx_http_campaign_filter_is(word, value)) {
            *value = *word;
            return NGX_OK;
        }
    }

    return ngx_http_campaign_error_text(call, NGX_CAMPAIGN_E_QUERY, "'filter[%V]' is invalid: should be %V", &f->name, &f->words[0]);
}


ngx_int_t
ngx_http_campaign_filter_match(ngx_http_campaign_call_t *call, const ngx_http_campaign_filter_t *f, ngx_str_t *value,
    ngx_campaign_page_t *page)
{
    ngx_int_t  characters;

    characters = ngx_campaign_utf8_length(value->data, value->len);

    if (characters == NGX_ERROR || characters > NGX_CAMPAIGN_NAME_MAX) {
        return ngx_http_campaign_error_text(call, NGX_CAMPAIGN_E_QUERY, "'filter[%V]' is invalid: at most %d characters of UTF-8", &f->name,
                                            NGX_CAMPAIGN_NAME_MAX);
    }

    page->match = *value;

    return NGX_OK;
}


static ngx_uint_t
ngx_http_campaign_filter_is(const ngx_str_t *word, const ngx_str_t *value)
{
    return word->len == value->len && ngx_strncasecmp(word->data, value->data, value->len) == 0;
}
