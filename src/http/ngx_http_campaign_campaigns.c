
/*
 * Campaigns: one text to an audience, or to numbers given in the request.  What a campaign refers to is looked up first, so that a client hears of all its
 * mistakes in one reply; then one transaction creates it.
 */

#include "ngx_http_campaign_error.h"
#include "ngx_http_campaign_resource.h"

#include "ngx_campaign_state.h"
#include "ngx_campaign_template.h"


#define NGX_CAMPAIGN_VALIDITY_MAX  604800       /* seconds: a week */


static ngx_int_t ngx_http_campaign_campaigns_check(ngx_http_campaign_call_t *call);
static ngx_int_t ngx_http_campaign_campaigns_check_new(ngx_http_campaign_call_t *call, ngx_campaign_campaign_t *c);
static ngx_int_t ngx_http_campaign_campaigns_check_text(ngx_http_campaign_call_t *call, ngx_campaign_campaign_t *c);
static ngx_int_t ngx_http_campaign_campaigns_resolved(ngx_http_campaign_call_t *call);
static void ngx_http_campaign_campaigns_channels(ngx_http_campaign_call_t *call, ngx_campaign_refs_t *refs, ngx_str_t *channel);
static ngx_int_t ngx_http_campaign_campaigns_changed(ngx_http_campaign_call_t *call);

static ngx_int_t ngx_http_campaign_campaigns_to(ngx_http_campaign_call_t *call, const ngx_http_campaign_field_t *f, json_t *value,
    void *place);
static ngx_int_t ngx_http_campaign_campaigns_status_read(ngx_http_campaign_call_t *call, const ngx_http_campaign_field_t *f,
    json_t *value, void *place);
static void ngx_http_campaign_campaigns_status_print(ngx_http_campaign_call_t *call, ngx_http_campaign_out_t *out,
    const ngx_http_campaign_field_t *f, const void *place);
static void ngx_http_campaign_campaigns_links(ngx_http_campaign_call_t *call, ngx_http_campaign_out_t *out, const void *rec);


static const ngx_http_campaign_field_type_t
    ngx_http_campaign_campaigns_type_to       = { ngx_http_campaign_campaigns_to, NULL },
    ngx_http_campaign_campaigns_type_status   = { ngx_http_campaign_campaigns_status_read, ngx_http_campaign_campaigns_status_print },
    ngx_http_campaign_campaigns_type_messages = { NULL, ngx_http_campaign_campaigns_messages };


/* clang-format off */

#define NGX_CAMPAIGN_NEW  (NGX_CAMPAIGN_F_POST|NGX_CAMPAIGN_F_SHOW)

static const ngx_http_campaign_field_t  ngx_http_campaign_campaigns_fields[] = {
    { ngx_string("id"), NGX_CAMPAIGN_F_SHOW, &ngx_http_campaign_field_id, 0, 0, 0, { 0, 0, 0 } },
    { ngx_string("account_id"), NGX_CAMPAIGN_F_SHOW, &ngx_http_campaign_field_account, 0, 0, 0, { 0, 0, 0 } },
    { ngx_string("template_id"), NGX_CAMPAIGN_F_SHOW, &ngx_http_campaign_field_uuid,
      offsetof(ngx_campaign_campaign_t, template), 0, 0, { 0, 0, 0 } },
    { ngx_string("audience_id"), NGX_CAMPAIGN_F_SHOW, &ngx_http_campaign_field_uuid,
      offsetof(ngx_campaign_campaign_t, audience), 0, 0, { 0, 0, 0 } },
    { ngx_string("name"), NGX_CAMPAIGN_NEW|NGX_CAMPAIGN_F_PUT, &ngx_http_campaign_field_text,
      offsetof(ngx_campaign_campaign_t, rec.name), 0, NGX_CAMPAIGN_NAME_MAX, { 0, 1623, 1614 } },
    { ngx_string("from"), NGX_CAMPAIGN_NEW|NGX_CAMPAIGN_F_MUST, &ngx_http_campaign_field_text,
      offsetof(ngx_campaign_campaign_t, from), 1, 16, { 1603, 1604, 1604 } },
    { ngx_string("audience"), NGX_CAMPAIGN_F_POST, &ngx_http_campaign_field_uuid,
      offsetof(ngx_campaign_campaign_t, audience), 0, 0, { 1605, 1606, 1606 } },
    { ngx_string("to"), NGX_CAMPAIGN_F_POST, &ngx_http_campaign_campaigns_type_to, 0, 0, NGX_CAMPAIGN_RECIPIENTS_MAX, { 0, 1618, 1618 } },
    { ngx_string("template"), NGX_CAMPAIGN_F_POST, &ngx_http_campaign_field_uuid,
      offsetof(ngx_campaign_campaign_t, template), 0, 0, { 1607, 1608, 1608 } },
    { ngx_string("text"), NGX_CAMPAIGN_F_POST, &ngx_http_campaign_field_message,
      offsetof(ngx_campaign_campaign_t, text), 1, NGX_CAMPAIGN_TEXT_MAX, { 1607, 1620, 1620 } },
    { ngx_string("status"), NGX_CAMPAIGN_F_SHOW|NGX_CAMPAIGN_F_PUT, &ngx_http_campaign_campaigns_type_status,
      offsetof(ngx_campaign_campaign_t, rec.status), 0, 0, { 0, 1611, 1611 } },
    { ngx_string("schedule"), NGX_CAMPAIGN_NEW|NGX_CAMPAIGN_F_PUT, &ngx_http_campaign_field_date,
      offsetof(ngx_campaign_campaign_t, schedule), 0, 0, { 0, 1609, 1609 } },
    { ngx_string("channel"), NGX_CAMPAIGN_NEW, &ngx_http_campaign_field_channel,
      offsetof(ngx_campaign_campaign_t, rec.channel), 0, 0, { 0, 1619, 1619 } },
    { ngx_string("validity"), NGX_CAMPAIGN_F_POST, &ngx_http_campaign_field_uint,
      offsetof(ngx_campaign_campaign_t, validity), 1, NGX_CAMPAIGN_VALIDITY_MAX, { 0, 1622, 1622 } },
    { ngx_string("payload"), NGX_CAMPAIGN_NEW, &ngx_http_campaign_field_message,
      offsetof(ngx_campaign_campaign_t, payload), 0, NGX_CAMPAIGN_PAYLOAD_MAX, { 0, 1621, 1621 } },
    { ngx_string("create_date"), NGX_CAMPAIGN_F_SHOW, &ngx_http_campaign_field_date,
      offsetof(ngx_campaign_campaign_t, rec.created), 0, 0, { 0, 0, 0 } },
    { ngx_string("update_date"), NGX_CAMPAIGN_F_SHOW, &ngx_http_campaign_field_date,
      offsetof(ngx_campaign_campaign_t, rec.updated), 0, 0, { 0, 0, 0 } },
    { ngx_string("messages"), NGX_CAMPAIGN_F_SHOW, &ngx_http_campaign_campaigns_type_messages,
      offsetof(ngx_campaign_campaign_t, progress), 0, 0, { 0, 0, 0 } },
    { ngx_string("links"), NGX_CAMPAIGN_F_SHOW, &ngx_http_campaign_field_links, 0, 0, 0, { 0, 0, 0 } },
    { ngx_null_string, 0, NULL, 0, 0, 0, { 0, 0, 0 } }
};

static const ngx_http_campaign_filter_t  ngx_http_campaign_campaigns_filters[] = {
    { ngx_string("channel"), ngx_http_campaign_filter_channel, NULL },
    { ngx_string("status"), ngx_http_campaign_filter_status, NULL },
    { ngx_string("name"), ngx_http_campaign_filter_match, NULL },
    { ngx_null_string, NULL, NULL }
};

const ngx_http_campaign_resource_t  ngx_http_campaign_campaigns = {
    .name    = ngx_string("campaigns"),
    .kind    = NGX_CAMPAIGN_CAMPAIGN,
    .size    = sizeof(ngx_campaign_campaign_t),
    .fields  = ngx_http_campaign_campaigns_fields,
    .filters = ngx_http_campaign_campaigns_filters,
    .code    = { [NGX_CAMPAIGN_NOT_FOUND] = 1601, [NGX_CAMPAIGN_EXISTS] = 1615, [NGX_CAMPAIGN_CONFLICT] = 1611,
                 [NGX_CAMPAIGN_IN_USE] = 1612, [NGX_CAMPAIGN_INVALID] = NGX_CAMPAIGN_E_QUERY },
    .check   = ngx_http_campaign_campaigns_check,
    .links   = ngx_http_campaign_campaigns_links
};

/* clang-format on */


static ngx_int_t
ngx_http_campaign_campaigns_check(ngx_http_campaign_call_t *call)
{
    ngx_int_t                 rc;
    ngx_campaign_campaign_t  *c;

    c = call->rec;
    rc = NGX_OK;

    if (c->schedule && c->schedule <= (time_t) (ngx_campaign_now() / 1000000)) {
        rc = ngx_http_campaign_error(call, 1522);
    }

    if (rc != NGX_ERROR && call->route->status == NGX_HTTP_CREATED) {
        rc = ngx_http_campaign_campaigns_check_new(call, c);
    }

    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    return call->notes.nelts ? NGX_DECLINED : NGX_OK;
}


/* either a template or a text, either an audience or numbers; notes are looked at by the caller */

static ngx_int_t
ngx_http_campaign_campaigns_check_new(ngx_http_campaign_call_t *call, ngx_campaign_campaign_t *c)
{
    ngx_int_t   rc;
    ngx_uint_t  audience, to, template;

    audience = !ngx_campaign_uuid_none(c->audience);
    template = !ngx_campaign_uuid_none(c->template);
    to = (call->pile.n != 0);
    rc = NGX_OK;

    if (audience && to) {
        rc = ngx_http_campaign_error_text(call, 1606, "'data.audience' is invalid beside 'data.to': give one of them");

    } else if (!audience && !to && !ngx_http_campaign_error_noted(call, 1606) && !ngx_http_campaign_error_noted(call, 1618)) {
        rc = ngx_http_campaign_error(call, 1605);
    }

    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    if (template && c->text.len) {
        return ngx_http_campaign_error_text(call, 1608, "'data.template' is invalid beside 'data.text': give one of them");
    }

    if (c->text.len) {
        return ngx_http_campaign_error_noted(call, 1620) ? NGX_OK : ngx_http_campaign_campaigns_check_text(call, c);
    }

    if (!template && !ngx_http_campaign_error_noted(call, 1607) && !ngx_http_campaign_error_noted(call, 1608)
        && !ngx_http_campaign_error_noted(call, 1620))
    {
        return ngx_http_campaign_error(call, 1607);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_campaign_campaigns_check_text(ngx_http_campaign_call_t *call, ngx_campaign_campaign_t *c)
{
    ngx_int_t                rc;
    ngx_str_t                bad;
    ngx_campaign_template_t  parsed;

    rc = ngx_campaign_template_parse(call->pool, &c->text, &parsed, &bad);

    if (rc == NGX_DECLINED) {
        return ngx_http_campaign_error_text(call, 1620, "'data.text' is invalid at \"%V\": a placeholder is one of {first_name} {last_name} "
                                            "{number} {custom1} {custom2} {timestamp} {date}, a literal brace is doubled", &bad);
    }

    return rc;
}


ngx_int_t
ngx_http_campaign_campaigns_create(ngx_http_campaign_call_t *call)
{
    ngx_int_t                 rc;
    ngx_uint_t                dry;
    ngx_campaign_refs_t      *refs;
    ngx_campaign_campaign_t  *c;

    rc = ngx_http_campaign_preview_asked(call, &dry);
    if (rc != NGX_OK) {
        return rc;
    }

    refs = ngx_pcalloc(call->pool, sizeof(ngx_campaign_refs_t));
    if (refs == NULL) {
        return NGX_ERROR;
    }

    c = call->rec;
    call->data = refs;

    refs->account = ngx_http_campaign_call_owner(call);
    refs->channel = c->rec.channel;
    refs->from = c->from;
    refs->name = c->rec.name;
    refs->audience = ngx_campaign_uuid_none(c->audience) ? NULL : c->audience;
    refs->template = ngx_campaign_uuid_none(c->template) ? NULL : c->template;

    rc = ngx_campaign_store_resolve(call->store, ngx_http_campaign_call_op(call, ngx_http_campaign_campaigns_resolved), refs);

    return ngx_http_campaign_call_wait(call, rc);
}


static ngx_int_t
ngx_http_campaign_campaigns_resolved(ngx_http_campaign_call_t *call)
{
    ngx_int_t                 rc;
    ngx_uint_t                dry;
    ngx_campaign_refs_t      *refs;
    ngx_campaign_campaign_t  *c;

    rc = ngx_http_campaign_call_answer(call);
    if (rc != NGX_OK) {
        return rc;
    }

    c = call->rec;
    refs = call->data;

    if (refs->audience && refs->audience_rc != NGX_CAMPAIGN_OK) {
        (void) ngx_http_campaign_error_text(call, 1606, "'data.audience' is invalid: there is no such audience");

    } else if (refs->audience && refs->found_audience.contacts == 0) {
        (void) ngx_http_campaign_error_text(call, 1606, "'data.audience' is invalid: it has no contacts");
    }

    if (refs->template && refs->template_rc != NGX_CAMPAIGN_OK) {
        (void) ngx_http_campaign_error_text(call, 1608, "'data.template' is invalid: there is no such template");
    }

    if (call->notes.nelts == 0) {
        ngx_http_campaign_campaigns_channels(call, refs, &c->rec.channel);
    }

    if (call->notes.nelts == 0 && refs->from_rc != NGX_CAMPAIGN_OK) {
        (void) ngx_http_campaign_error(call, 1604);
    }

    if (refs->name_rc != NGX_CAMPAIGN_OK) {
        (void) ngx_http_campaign_error(call, 1615);
    }

    if (call->notes.nelts) {
        return NGX_DECLINED;
    }

    if (refs->template) {
        c->text = refs->found_template.text;
    }

    c->rec.account = refs->account;

    rc = ngx_http_campaign_preview_asked(call, &dry);

    if (rc != NGX_OK || dry) {
        return rc == NGX_OK ? ngx_http_campaign_preview(call, c, refs->audience) : rc;
    }

    rc = ngx_campaign_store_create(call->store, ngx_http_campaign_call_last(call, ngx_http_campaign_campaigns_changed,
                                   ngx_http_campaign_resource_show), c, refs->audience ? NULL : &call->pile);

    return ngx_http_campaign_call_wait(call, rc);
}


/* notes what does not fit; else *channel is the campaign's */

static void
ngx_http_campaign_campaigns_channels(ngx_http_campaign_call_t *call, ngx_campaign_refs_t *refs, ngx_str_t *channel)
{
    ngx_str_t  *audience, *template;

    audience = refs->audience ? &refs->found_audience.rec.channel : NULL;
    template = refs->template ? &refs->found_template.rec.channel : NULL;

    if (channel->len == 0) {

        if (audience && template
            && (audience->len != template->len || ngx_memcmp(audience->data, template->data, audience->len) != 0))
        {
            (void) ngx_http_campaign_error(call, 1613);

        } else if (audience || template) {
            *channel = audience ? *audience : *template;

        } else {
            (void) ngx_http_campaign_error_text(call, 1619, "'data.channel' is required: one of [%V]", &call->cmcf->channels);
        }

        return;
    }

    if (template && (template->len != channel->len || ngx_memcmp(template->data, channel->data, channel->len) != 0)) {
        (void) ngx_http_campaign_error(call, 1616);
    }

    if (audience && (audience->len != channel->len || ngx_memcmp(audience->data, channel->data, channel->len) != 0)) {
        (void) ngx_http_campaign_error(call, 1617);
    }
}


/* a campaign was created or changed: the dispatcher may have something to do */

static ngx_int_t
ngx_http_campaign_campaigns_changed(ngx_http_campaign_call_t *call)
{
    if (call->op.rc == NGX_CAMPAIGN_OK) {
        ngx_http_campaign_dispatch_wake();
    }

    if (call->op.rc == NGX_CAMPAIGN_INVALID) {
        return ngx_http_campaign_error_text(call, 1606, "'data.audience' is invalid: it has no contacts");
    }

    if (call->op.rc == NGX_CAMPAIGN_NOT_FOUND && call->route->status == NGX_HTTP_CREATED) {
        return ngx_http_campaign_error_text(call, 1606, "'data.audience' is invalid: it, or the sender, was deleted meanwhile");
    }

    return ngx_http_campaign_resource_show(call);
}


ngx_int_t
ngx_http_campaign_campaigns_change(ngx_http_campaign_call_t *call)
{
    ngx_int_t                 rc;
    ngx_uint_t                mask, from;
    ngx_campaign_campaign_t  *c;

    c = call->rec;
    mask = 0;
    from = ~(ngx_uint_t) 0;

    if (c->rec.name.len) {
        mask |= NGX_CAMPAIGN_SET_NAME;
    }

    if (c->schedule) {
        mask |= NGX_CAMPAIGN_SET_SCHEDULE;
        from &= (ngx_uint_t) 1 << NGX_CAMPAIGN_C_SCHEDULED;
    }

    if (c->rec.status) {
        mask |= NGX_CAMPAIGN_SET_STATUS;

        switch (c->rec.status) {

        case NGX_CAMPAIGN_C_CANCELED:
        case NGX_CAMPAIGN_C_PAUSED:
            from &= ngx_campaign_status_from(c->rec.status);
            break;

        case NGX_CAMPAIGN_C_IN_PROGRESS:
            from &= (ngx_uint_t) 1 << NGX_CAMPAIGN_C_PAUSED;     /* only the dispatcher starts a scheduled one */
            break;

        default:
            from = 0;
        }
    }

    if (mask == 0) {
        return ngx_http_campaign_resource_get(call);
    }

    c->rec.account = ngx_http_campaign_call_owner(call);
    ngx_memcpy(c->rec.id, call->id[0], NGX_CAMPAIGN_ID_LEN);

    rc = ngx_campaign_store_change(call->store, ngx_http_campaign_call_op(call, ngx_http_campaign_campaigns_changed), c, mask, from);

    return ngx_http_campaign_call_wait(call, rc);
}


/* numbers, or contacts with their fields; doubles are dropped */

static ngx_int_t
ngx_http_campaign_campaigns_to(ngx_http_campaign_call_t *call, const ngx_http_campaign_field_t *f, json_t *value, void *place)
{
    ngx_int_t  rc;

    if (!json_is_array(value) || json_array_size(value) == 0) {
        return ngx_http_campaign_error_text(call, f->code.wrong, "'data.to' is invalid: should be a list of numbers");
    }

    rc = ngx_http_campaign_contact_read_list(call, value, "data.to", f->most, f->code.size, f->code.wrong);

    return rc == NGX_OK ? ngx_campaign_pile_unique(&call->pile, &call->dropped) : rc;
}


static ngx_int_t
ngx_http_campaign_campaigns_status_read(ngx_http_campaign_call_t *call, const ngx_http_campaign_field_t *f, json_t *value, void *place)
{
    ngx_str_t   word;
    ngx_uint_t *status = place;

    word.data = (u_char *) json_string_value(value);
    word.len = json_string_length(value);

    *status = word.data ? ngx_campaign_status_find(&word) : 0;

    if (*status == 0) {
        return ngx_http_campaign_error(call, f->code.wrong);
    }

    return NGX_OK;
}


static void
ngx_http_campaign_campaigns_status_print(ngx_http_campaign_call_t *call, ngx_http_campaign_out_t *out, const ngx_http_campaign_field_t *f,
    const void *place)
{
    ngx_http_campaign_out_string(out, ngx_campaign_status_name(*(const ngx_uint_t *) place));
}


void
ngx_http_campaign_campaigns_messages(ngx_http_campaign_call_t *call, ngx_http_campaign_out_t *out, const ngx_http_campaign_field_t *f,
    const void *place)
{
    ngx_uint_t  i;

    /* clang-format off */

    static const struct {
        ngx_str_t  name;
        size_t     offset;
    } rows[] = {
        { ngx_string("total"),     offsetof(ngx_campaign_progress_t, total) },
        { ngx_string("pending"),   offsetof(ngx_campaign_progress_t, pending) },
        { ngx_string("enroute"),   offsetof(ngx_campaign_progress_t, enroute) },
        { ngx_string("sent"),      offsetof(ngx_campaign_progress_t, sent) },
        { ngx_string("delivered"), offsetof(ngx_campaign_progress_t, delivered) },
        { ngx_string("failed"),    offsetof(ngx_campaign_progress_t, failed) },
        { ngx_string("canceled"),  offsetof(ngx_campaign_progress_t, canceled) },
        { ngx_string("skipped"),   offsetof(ngx_campaign_progress_t, skipped) }
    };

    /* clang-format on */

    ngx_http_campaign_out_lit(out, "{");

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        ngx_http_campaign_out_name(out, &rows[i].name, i == 0);
        ngx_http_campaign_out_uint(out, *(const uint32_t *) ((const u_char *) place + rows[i].offset));
    }

    ngx_http_campaign_out_lit(out, "}");
}


static void
ngx_http_campaign_campaigns_links(ngx_http_campaign_call_t *call, ngx_http_campaign_out_t *out, const void *rec)
{
    const ngx_campaign_campaign_t *c = rec;

    ngx_http_campaign_out_link(call, out, "template", &ngx_http_campaign_templates.name, c->template, "");
    ngx_http_campaign_out_link(call, out, "audience", &ngx_http_campaign_audiences.name, c->audience, "");
    ngx_http_campaign_out_link(call, out, "contacts", &ngx_http_campaign_audiences.name, c->audience, "/contacts");
}
