
/*
 * POST /v1/campaigns?dry_run=true: what a campaign that passed all checks would send and cost.  It keeps true: nothing is stored; texts
 * are rendered on a thread.
 */

#include "ngx_http_campaign_error.h"
#include "ngx_http_campaign_resource.h"

#include "ngx_campaign_preview.h"


typedef struct {
    ngx_campaign_preview_t  preview;
    ngx_campaign_visit_t    visit;
} ngx_http_campaign_preview_t;


static ngx_int_t ngx_http_campaign_preview_contact(void *data, const ngx_campaign_contact_t *contact);
static ngx_int_t ngx_http_campaign_preview_visited(ngx_http_campaign_call_t *call);
static ngx_int_t ngx_http_campaign_preview_reply(ngx_http_campaign_call_t *call, ngx_campaign_preview_t *pv, uint32_t suppressed);
static void ngx_http_campaign_preview_chars(ngx_http_campaign_out_t *out, const ngx_campaign_preview_t *pv);
static void ngx_http_campaign_preview_missing(ngx_http_campaign_out_t *out, const ngx_campaign_preview_t *pv);
static void ngx_http_campaign_preview_samples(ngx_http_campaign_out_t *out, const ngx_campaign_preview_t *pv);
static void ngx_http_campaign_preview_number(ngx_http_campaign_out_t *out, const char *name, uint64_t value);


ngx_int_t
ngx_http_campaign_preview_asked(ngx_http_campaign_call_t *call, ngx_uint_t *asked)
{
    ngx_int_t  rc;
    ngx_str_t  value;

    *asked = 0;

    rc = ngx_http_campaign_call_arg(call, "dry_run", &value);

    if (rc != NGX_OK) {
        return rc == NGX_ERROR ? NGX_ERROR : NGX_OK;
    }

    if (value.len == 4 && ngx_strncasecmp(value.data, (u_char *) "true", 4) == 0) {
        *asked = 1;
        return NGX_OK;
    }

    if (value.len == 5 && ngx_strncasecmp(value.data, (u_char *) "false", 5) == 0) {
        return NGX_OK;
    }

    return ngx_http_campaign_error_text(call, NGX_CAMPAIGN_E_QUERY, "'dry_run' is invalid: true or false");
}


ngx_int_t
ngx_http_campaign_preview(ngx_http_campaign_call_t *call, ngx_campaign_campaign_t *c, u_char *audience)
{
    ngx_int_t                     rc;
    ngx_str_t                     bad;
    ngx_http_campaign_preview_t  *x;

    x = ngx_pcalloc(call->pool, sizeof(ngx_http_campaign_preview_t));
    if (x == NULL) {
        return NGX_ERROR;
    }

    if (ngx_campaign_preview_init(&x->preview, call->pool, &c->text, &bad) != NGX_OK) {
        return NGX_ERROR;                               /* its placeholders were checked: no memory */
    }

    call->data = x;

    x->visit.account = ngx_http_campaign_call_owner(call);
    x->visit.audience = audience;
    x->visit.pile = audience ? NULL : &call->pile;
    x->visit.channel = c->rec.channel;
    x->visit.from = c->from;
    x->visit.visit = ngx_http_campaign_preview_contact;
    x->visit.data = &x->preview;

    rc = ngx_campaign_store_visit(call->store, ngx_http_campaign_call_op(call, ngx_http_campaign_preview_visited), &x->visit);

    return ngx_http_campaign_call_wait(call, rc);
}


static ngx_int_t
ngx_http_campaign_preview_contact(void *data, const ngx_campaign_contact_t *contact)
{
    return ngx_campaign_preview_add(data, contact);
}


static ngx_int_t
ngx_http_campaign_preview_visited(ngx_http_campaign_call_t *call)
{
    ngx_http_campaign_preview_t  *x;

    x = call->data;

    if (call->op.rc == NGX_CAMPAIGN_NOT_FOUND || (call->op.rc == NGX_CAMPAIGN_OK && x->preview.recipients + x->visit.suppressed == 0)) {
        return ngx_http_campaign_error_text(call, 1606, "'data.audience' is invalid: it was deleted or emptied meanwhile");
    }

    if (call->op.rc != NGX_CAMPAIGN_OK) {
        return ngx_http_campaign_call_answer(call);
    }

    return ngx_http_campaign_preview_reply(call, &x->preview, x->visit.suppressed);
}


static ngx_int_t
ngx_http_campaign_preview_reply(ngx_http_campaign_call_t *call, ngx_campaign_preview_t *pv, uint32_t suppressed)
{
    uint64_t                  rate;
    ngx_http_campaign_out_t   out;

    ngx_campaign_preview_end(pv);
    ngx_http_campaign_out_init(&out, call->request->pool);

    rate = ngx_max(call->account.rate, 1);

    ngx_http_campaign_out_lit(&out, "{\"data\":{");
    ngx_http_campaign_preview_number(&out, "\"recipients\":", pv->recipients);
    ngx_http_campaign_preview_number(&out, ",\"duplicates\":", call->dropped);
    ngx_http_campaign_preview_number(&out, ",\"suppressed\":", suppressed);
    ngx_http_campaign_preview_number(&out, ",\"invalid\":", 0);
    ngx_http_campaign_preview_number(&out, ",\"segments\":{\"total\":", pv->segments);
    ngx_http_campaign_preview_number(&out, ",\"min\":", pv->least);
    ngx_http_campaign_preview_number(&out, ",\"max\":", pv->most);
    ngx_http_campaign_preview_number(&out, "},\"encodings\":{\"GSM-7\":", pv->encodings[NGX_CAMPAIGN_GSM7]);
    ngx_http_campaign_preview_number(&out, ",\"UCS-2\":", pv->encodings[NGX_CAMPAIGN_UCS2]);
    ngx_http_campaign_out_lit(&out, "},");

    ngx_http_campaign_preview_chars(&out, pv);
    ngx_http_campaign_preview_missing(&out, pv);

    ngx_http_campaign_preview_number(&out, "\"duration\":", ((uint64_t) pv->recipients * NGX_CAMPAIGN_RATE_UNIT + rate - 1) / rate);

    ngx_http_campaign_preview_samples(&out, pv);
    ngx_http_campaign_out_lit(&out, "}}");

    return ngx_http_campaign_reply_send(call, NGX_HTTP_OK, &out);
}


static void
ngx_http_campaign_preview_chars(ngx_http_campaign_out_t *out, const ngx_campaign_preview_t *pv)
{
    u_char                      text[sizeof("U+10FFFF")];
    ngx_str_t                   value;
    ngx_uint_t                  i;
    const char                 *instead;
    const ngx_campaign_char_t  *c;

    ngx_http_campaign_out_lit(out, "\"non_gsm\":[");

    for (i = 0; i < pv->nchars; i++) {
        c = &pv->chars[i];

        value.data = text;
        value.len = ngx_campaign_utf8_put(text, c->code) - text;

        if (i) {
            ngx_http_campaign_out_lit(out, ",");
        }

        ngx_http_campaign_out_lit(out, "{\"char\":");
        ngx_http_campaign_out_string(out, &value);

        value.len = ngx_sprintf(text, "U+%04XD", c->code) - text;

        ngx_http_campaign_out_lit(out, ",\"code\":");
        ngx_http_campaign_out_string(out, &value);
        ngx_http_campaign_preview_number(out, ",\"count\":", c->count);
        ngx_http_campaign_out_lit(out, ",\"replacement\":");

        instead = ngx_campaign_sms_instead(c->code);

        if (instead) {
            value.data = (u_char *) instead;
            value.len = ngx_strlen(instead);
            ngx_http_campaign_out_string(out, &value);

        } else {
            ngx_http_campaign_out_lit(out, "null");
        }

        ngx_http_campaign_out_lit(out, "}");
    }

    ngx_http_campaign_out_lit(out, "],");
}


static void
ngx_http_campaign_preview_missing(ngx_http_campaign_out_t *out, const ngx_campaign_preview_t *pv)
{
    ngx_uint_t  i, first;

    static const ngx_str_t  names[NGX_CAMPAIGN_CONTACT_FIELDS] = {
        [NGX_CAMPAIGN_CONTACT_FIRST_NAME] = ngx_string("first_name"),
        [NGX_CAMPAIGN_CONTACT_LAST_NAME]  = ngx_string("last_name"),
        [NGX_CAMPAIGN_CONTACT_CUSTOM1]    = ngx_string("custom1"),
        [NGX_CAMPAIGN_CONTACT_CUSTOM2]    = ngx_string("custom2"),
        [NGX_CAMPAIGN_CONTACT_TAGS]       = ngx_string("tags")
    };

    ngx_http_campaign_out_lit(out, "\"missing\":{");

    for (first = 1, i = 0; i < NGX_CAMPAIGN_CONTACT_FIELDS; i++) {
        if (pv->missing[i]) {
            ngx_http_campaign_out_name(out, &names[i], first);
            ngx_http_campaign_out_uint(out, pv->missing[i]);
            first = 0;
        }
    }

    ngx_http_campaign_out_lit(out, "},");
}


static void
ngx_http_campaign_preview_samples(ngx_http_campaign_out_t *out, const ngx_campaign_preview_t *pv)
{
    u_char                        text[NGX_CAMPAIGN_NUMBER_LEN];
    ngx_str_t                     to;
    ngx_uint_t                    i;
    const ngx_campaign_sample_t  *sample;

    ngx_http_campaign_out_lit(out, ",\"samples\":[");

    for (i = 0; i < pv->nsamples; i++) {
        sample = &pv->samples[i];

        to.data = text;
        to.len = ngx_campaign_number_print(text, sample->number) - text;

        if (i) {
            ngx_http_campaign_out_lit(out, ",");
        }

        ngx_http_campaign_out_lit(out, "{\"to\":");
        ngx_http_campaign_out_string(out, &to);
        ngx_http_campaign_out_lit(out, ",\"text\":");
        ngx_http_campaign_out_string(out, &sample->text);
        ngx_http_campaign_preview_number(out, ",\"segments\":", sample->size.segments);
        ngx_http_campaign_out_lit(out, ",\"encoding\":");
        ngx_http_campaign_out_string(out, ngx_campaign_sms_name(sample->size.encoding));
        ngx_http_campaign_out_lit(out, "}");
    }

    ngx_http_campaign_out_lit(out, "]");
}


static void
ngx_http_campaign_preview_number(ngx_http_campaign_out_t *out, const char *name, uint64_t value)
{
    ngx_http_campaign_out_raw(out, (const u_char *) name, ngx_strlen(name));
    ngx_http_campaign_out_uint(out, value);
}
