
/*
 * Messages sent alone: POST /v1/messages, one text to 1 to 10 numbers.  They are stored as a campaign apart, so that they pass through the
 * same queue, rate and retries as all others, ahead of them.  A text is taken as it is; a template's placeholders get the values of
 * `variables`.
 */

#include "ngx_http_campaign_message.h"


static ngx_int_t ngx_http_campaign_single_to_read(ngx_http_campaign_call_t *call, const ngx_http_campaign_field_t *f, json_t *value,
    void *place);
static ngx_int_t ngx_http_campaign_single_number(ngx_http_campaign_call_t *call, json_t *value, ngx_http_campaign_single_t *single);
static void ngx_http_campaign_single_to_print(ngx_http_campaign_call_t *call, ngx_http_campaign_out_t *out,
    const ngx_http_campaign_field_t *f, const void *place);
static ngx_int_t ngx_http_campaign_single_variables_read(ngx_http_campaign_call_t *call, const ngx_http_campaign_field_t *f,
    json_t *value, void *place);
static ngx_int_t ngx_http_campaign_single_variable(ngx_http_campaign_call_t *call, const ngx_http_campaign_field_t *f,
    const char *name, json_t *value, ngx_http_campaign_single_t *single);
static ngx_int_t ngx_http_campaign_single_resolved(ngx_http_campaign_call_t *call);
static ngx_int_t ngx_http_campaign_single_blocked(ngx_http_campaign_call_t *call, ngx_campaign_refs_t *refs);
static ngx_int_t ngx_http_campaign_single_channel(ngx_http_campaign_call_t *call, ngx_campaign_refs_t *refs, ngx_str_t *channel);
static ngx_int_t ngx_http_campaign_single_store(ngx_http_campaign_call_t *call, ngx_campaign_refs_t *refs);
static ngx_int_t ngx_http_campaign_single_literal(ngx_pool_t *pool, ngx_str_t *text, ngx_str_t *out);
static ngx_int_t ngx_http_campaign_single_fill(ngx_http_campaign_call_t *call, ngx_str_t *text, ngx_campaign_contact_t *contact);
static ngx_int_t ngx_http_campaign_single_fill_list(ngx_http_campaign_call_t *call, ngx_campaign_template_t *t,
    ngx_campaign_contact_t *contact);
static ngx_int_t ngx_http_campaign_single_fill_named(ngx_http_campaign_call_t *call, ngx_http_campaign_variable_value_t *v,
    ngx_campaign_contact_t *contact);
static ngx_int_t ngx_http_campaign_single_created(ngx_http_campaign_call_t *call);
static ngx_int_t ngx_http_campaign_single_show(ngx_http_campaign_call_t *call);


const ngx_http_campaign_field_type_t
    ngx_http_campaign_single_to        = { ngx_http_campaign_single_to_read, ngx_http_campaign_single_to_print },
    ngx_http_campaign_single_variables = { ngx_http_campaign_single_variables_read, NULL };


/* a list of numbers, or one; a number given twice gets one message */

static ngx_int_t
ngx_http_campaign_single_to_read(ngx_http_campaign_call_t *call, const ngx_http_campaign_field_t *f, json_t *value, void *place)
{
    size_t      i;
    json_t     *item;
    ngx_int_t   rc;

    if (json_is_string(value)) {
        if (ngx_http_campaign_single_number(call, value, place) != NGX_OK) {
            return ngx_http_campaign_error(call, f->code.wrong);
        }

        return NGX_OK;
    }

    if (!json_is_array(value)) {
        return ngx_http_campaign_error(call, f->code.wrong);
    }

    if (json_array_size(value) < f->least) {
        return ngx_http_campaign_error(call, f->code.missing);
    }

    if (json_array_size(value) > f->most) {
        return ngx_http_campaign_error(call, f->code.size);
    }

    rc = NGX_OK;

    json_array_foreach(value, i, item) {

        if (ngx_http_campaign_single_number(call, item, place) == NGX_OK) {
            continue;
        }

        rc = ngx_http_campaign_error_text(call, f->code.wrong, "'data.to[%uz]' is invalid: 7 to 15 digits, the first one not 0", i);

        if (rc == NGX_ERROR) {
            return NGX_ERROR;
        }
    }

    return rc;
}


static ngx_int_t
ngx_http_campaign_single_number(ngx_http_campaign_call_t *call, json_t *value, ngx_http_campaign_single_t *single)
{
    uint64_t     number;
    ngx_uint_t   i;

    if (!json_is_string(value)
        || ngx_campaign_number_parse((u_char *) json_string_value(value), json_string_length(value), &number) != NGX_OK)
    {
        return NGX_DECLINED;
    }

    for (i = 0; i < single->n; i++) {
        if (single->to[i] == number) {
            return NGX_OK;
        }
    }

    single->to[single->n++] = number;

    return NGX_OK;
}


static void
ngx_http_campaign_single_to_print(ngx_http_campaign_call_t *call, ngx_http_campaign_out_t *out, const ngx_http_campaign_field_t *f,
    const void *place)
{
    u_char                        text[NGX_CAMPAIGN_NUMBER_LEN + 2], *p;
    const ngx_campaign_message_t *m = place;

    if (m->contact.number == 0) {
        ngx_http_campaign_out_lit(out, "null");
        return;
    }

    text[0] = '"';
    p = ngx_campaign_number_print(&text[1], m->contact.number);
    *p++ = '"';

    ngx_http_campaign_out_raw(out, text, p - text);
}


/* a list, in the order of the template's placeholders, or an object, by their names */

static ngx_int_t
ngx_http_campaign_single_variables_read(ngx_http_campaign_call_t *call, const ngx_http_campaign_field_t *f, json_t *value, void *place)
{
    size_t       i;
    json_t      *item;
    ngx_int_t    rc;
    const char  *name;

    if (json_is_array(value) && json_array_size(value) <= NGX_CAMPAIGN_VARIABLES_MAX) {

        json_array_foreach(value, i, item) {
            rc = ngx_http_campaign_single_variable(call, f, NULL, item, place);
            if (rc != NGX_OK) {
                return rc;
            }
        }

        return NGX_OK;
    }

    if (json_is_object(value) && json_object_size(value) <= NGX_CAMPAIGN_VARIABLES_MAX) {

        json_object_foreach(value, name, item) {
            rc = ngx_http_campaign_single_variable(call, f, name, item, place);
            if (rc != NGX_OK) {
                return rc;
            }
        }

        return NGX_OK;
    }

    return ngx_http_campaign_error(call, f->code.wrong);
}


static ngx_int_t
ngx_http_campaign_single_variable(ngx_http_campaign_call_t *call, const ngx_http_campaign_field_t *f, const char *name, json_t *value,
    ngx_http_campaign_single_t *single)
{
    ngx_int_t                            rc;
    ngx_str_t                            text;
    ngx_uint_t                           n;
    ngx_http_campaign_variable_value_t  *v;

    v = &single->variables[single->nvariables++];

    rc = ngx_http_campaign_field_copy(call, value, 1, &v->value, &n);

    if (rc == NGX_DECLINED) {
        return ngx_http_campaign_error(call, f->code.wrong);
    }

    if (rc == NGX_OK && n > f->most) {
        return ngx_http_campaign_error(call, f->code.size);
    }

    if (rc != NGX_OK || name == NULL) {
        return rc;
    }

    text.len = ngx_strlen(name);
    text.data = (u_char *) name;

    v->name.len = text.len;
    v->name.data = ngx_pstrdup(call->pool, &text);

    return v->name.data ? NGX_OK : NGX_ERROR;
}


ngx_int_t
ngx_http_campaign_single_check(ngx_http_campaign_call_t *call)
{
    ngx_int_t                    rc;
    ngx_uint_t                   template;
    ngx_campaign_message_t      *m;
    ngx_http_campaign_single_t  *single;

    single = call->rec;
    m = &single->shown.message;

    template = !ngx_campaign_uuid_none(m->template);
    rc = NGX_OK;

    if (m->from.len > 1 && m->from.data[0] == '+') {
        m->from.data++;
        m->from.len--;
    }

    if (m->schedule && m->schedule <= (time_t) (ngx_campaign_now() / 1000000)) {
        rc = ngx_http_campaign_error(call, 1522);
    }

    if (rc != NGX_ERROR && template && m->text.len) {
        rc = ngx_http_campaign_error_text(call, 1511, "'data.template' is invalid beside 'data.text': give one of them");

    } else if (rc != NGX_ERROR && !template && m->text.len == 0
               && !ngx_http_campaign_error_noted(call, 1508) && !ngx_http_campaign_error_noted(call, 1509)
               && !ngx_http_campaign_error_noted(call, 1510) && !ngx_http_campaign_error_noted(call, 1511))
    {
        rc = ngx_http_campaign_error(call, 1508);
    }

    if (rc != NGX_ERROR && !template && single->nvariables && !ngx_http_campaign_error_noted(call, 1511)) {
        rc = ngx_http_campaign_error_text(call, 1516, "'data.variables' is invalid without 'data.template': a text is taken as it is");
    }

    if (rc != NGX_ERROR && !template && m->rec.channel.len == 0
        && !ngx_http_campaign_error_noted(call, 1515) && !ngx_http_campaign_error_noted(call, 1511))
    {
        rc = ngx_http_campaign_error_text(call, 1515, "'data.channel' is required: one of [%V]", &call->cmcf->channels);
    }

    return rc;
}


ngx_int_t
ngx_http_campaign_single_create(ngx_http_campaign_call_t *call)
{
    ngx_int_t                    rc;
    ngx_campaign_refs_t         *refs;
    ngx_campaign_message_t      *m;
    ngx_http_campaign_single_t  *single;

    refs = ngx_pcalloc(call->pool, sizeof(ngx_campaign_refs_t));
    if (refs == NULL) {
        return NGX_ERROR;
    }

    single = call->rec;
    m = &single->shown.message;
    call->data = refs;

    refs->account = ngx_http_campaign_call_owner(call);
    refs->channel = m->rec.channel;
    refs->from = m->from;
    refs->template = m->text.len ? NULL : m->template;
    refs->to = single->to;
    refs->nto = single->n;

    rc = ngx_campaign_store_resolve(call->store, ngx_http_campaign_call_op(call, ngx_http_campaign_single_resolved), refs);

    return ngx_http_campaign_call_wait(call, rc);
}


static ngx_int_t
ngx_http_campaign_single_resolved(ngx_http_campaign_call_t *call)
{
    ngx_int_t                    rc;
    ngx_campaign_refs_t         *refs;
    ngx_http_campaign_single_t  *single;

    rc = ngx_http_campaign_call_answer(call);
    if (rc != NGX_OK) {
        return rc;
    }

    single = call->rec;
    refs = call->data;

    rc = ngx_http_campaign_single_channel(call, refs, &single->shown.message.rec.channel);

    if (rc == NGX_OK && refs->from_rc != NGX_CAMPAIGN_OK) {
        rc = ngx_http_campaign_error(call, 1504);
    }

    if (rc == NGX_OK && refs->blocked) {
        rc = ngx_http_campaign_single_blocked(call, refs);
    }

    return rc == NGX_OK ? ngx_http_campaign_single_store(call, refs) : rc;
}


/* one suppressed number refuses all of them: nobody takes a message that was not sent for one that was */

static ngx_int_t
ngx_http_campaign_single_blocked(ngx_http_campaign_call_t *call, ngx_campaign_refs_t *refs)
{
    u_char      text[NGX_CAMPAIGN_NUMBER_LEN];
    ngx_str_t   number;
    ngx_uint_t  i;

    for (i = 0; i < refs->nto; i++) {

        if (!(refs->blocked & (uint32_t) 1 << i)) {
            continue;
        }

        number.data = text;
        number.len = ngx_campaign_number_print(text, refs->to[i]) - text;

        if (ngx_http_campaign_error_text(call, 1530, "blocked number: %V is suppressed", &number) == NGX_ERROR) {
            return NGX_ERROR;
        }
    }

    return NGX_DECLINED;
}


/* the request's, else the template's */

static ngx_int_t
ngx_http_campaign_single_channel(ngx_http_campaign_call_t *call, ngx_campaign_refs_t *refs, ngx_str_t *channel)
{
    ngx_str_t  *template;

    if (refs->template == NULL) {
        return NGX_OK;
    }

    if (refs->template_rc != NGX_CAMPAIGN_OK) {
        return ngx_http_campaign_error_text(call, 1511, "'data.template' is invalid: there is no such template");
    }

    template = &refs->found_template.rec.channel;

    if (channel->len == 0) {
        *channel = *template;
        return NGX_OK;
    }

    if (channel->len != template->len || ngx_memcmp(channel->data, template->data, channel->len) != 0) {
        return ngx_http_campaign_error(call, 1512);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_campaign_single_store(ngx_http_campaign_call_t *call, ngx_campaign_refs_t *refs)
{
    ngx_int_t                    rc;
    ngx_uint_t                   i;
    ngx_campaign_message_t      *m;
    ngx_campaign_contact_t       contact;
    ngx_campaign_campaign_t     *c;
    ngx_http_campaign_single_t  *single;

    single = call->rec;
    m = &single->shown.message;
    c = &single->campaign;

    c->rec.account = refs->account;
    c->rec.apart = 1;
    c->rec.channel = m->rec.channel;
    c->from = m->from;
    c->schedule = m->schedule;

    ngx_memzero(&contact, sizeof(ngx_campaign_contact_t));

    if (refs->template) {
        c->text = refs->found_template.text;
        ngx_memcpy(c->template, m->template, NGX_CAMPAIGN_ID_LEN);

        rc = ngx_http_campaign_single_fill(call, &c->text, &contact);

    } else {
        rc = ngx_http_campaign_single_literal(call->pool, &m->text, &c->text);
    }

    if (rc != NGX_OK) {
        return rc;
    }

    m->contact = contact;

    for (i = 0; i < single->n; i++) {
        contact.number = single->to[i];

        if (ngx_campaign_pile_add(&call->pile, &contact) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    rc = ngx_campaign_store_create(call->store, ngx_http_campaign_call_last(call, ngx_http_campaign_single_created,
                                   ngx_http_campaign_single_show), c, &call->pile);

    return ngx_http_campaign_call_wait(call, rc);
}


/* a text without placeholders: its braces are doubled */

static ngx_int_t
ngx_http_campaign_single_literal(ngx_pool_t *pool, ngx_str_t *text, ngx_str_t *out)
{
    size_t   i;
    u_char  *p;

    p = ngx_pnalloc(pool, text->len * 2);
    if (p == NULL) {
        return NGX_ERROR;
    }

    out->data = p;

    for (i = 0; i < text->len; i++) {
        *p++ = text->data[i];

        if (text->data[i] == '{' || text->data[i] == '}') {
            *p++ = text->data[i];
        }
    }

    out->len = p - out->data;

    return NGX_OK;
}


/* values into the fields that the template's placeholders stand for */

static ngx_int_t
ngx_http_campaign_single_fill(ngx_http_campaign_call_t *call, ngx_str_t *text, ngx_campaign_contact_t *contact)
{
    ngx_int_t                    rc;
    ngx_str_t                    bad;
    ngx_uint_t                   i;
    ngx_campaign_template_t      t;
    ngx_http_campaign_single_t  *single;

    single = call->rec;

    if (single->nvariables == 0) {
        return NGX_OK;
    }

    if (ngx_campaign_template_parse(call->pool, text, &t, &bad) != NGX_OK) {
        return NGX_ERROR;
    }

    if (single->variables[0].name.data == NULL) {
        return ngx_http_campaign_single_fill_list(call, &t, contact);
    }

    for (i = 0; i < single->nvariables; i++) {
        rc = ngx_http_campaign_single_fill_named(call, &single->variables[i], contact);
        if (rc != NGX_OK) {
            return rc;
        }
    }

    return NGX_OK;
}


/* each placeholder once, as they come; {number} is the recipient's */

static ngx_int_t
ngx_http_campaign_single_fill_list(ngx_http_campaign_call_t *call, ngx_campaign_template_t *t, ngx_campaign_contact_t *contact)
{
    ngx_int_t                    what;
    ngx_uint_t                   i, n, seen;
    ngx_http_campaign_single_t  *single;

    single = call->rec;

    for (seen = 0, n = 0, i = 0; i < t->n && n < single->nvariables; i++) {
        what = t->parts[i].what;

        if (what < 0 || (seen & ((ngx_uint_t) 1 << what))) {
            continue;
        }

        seen |= (ngx_uint_t) 1 << what;
        contact->field[what] = single->variables[n++].value;
    }

    if (n < single->nvariables) {
        return ngx_http_campaign_error_text(call, 1516, "'data.variables' is invalid: the template has %ui placeholders", n);
    }

    return NGX_OK;
}


/* a name is what may stand between braces, and nothing more */

static ngx_int_t
ngx_http_campaign_single_fill_named(ngx_http_campaign_call_t *call, ngx_http_campaign_variable_value_t *v, ngx_campaign_contact_t *contact)
{
    ngx_int_t                rc;
    ngx_str_t                text, bad;
    ngx_campaign_template_t  t;

    text.len = v->name.len + 2;
    text.data = ngx_pnalloc(call->pool, text.len);

    if (text.data == NULL) {
        return NGX_ERROR;
    }

    text.data[0] = '{';
    *ngx_cpymem(&text.data[1], v->name.data, v->name.len) = '}';

    rc = ngx_campaign_template_parse(call->pool, &text, &t, &bad);

    if (rc == NGX_OK && t.n == 1 && t.parts[0].what >= 0 && t.parts[0].text.len == 0) {
        contact->field[t.parts[0].what] = v->value;
        return NGX_OK;
    }

    return rc == NGX_ERROR ? NGX_ERROR : ngx_http_campaign_error(call, 1516);
}


static ngx_int_t
ngx_http_campaign_single_created(ngx_http_campaign_call_t *call)
{
    ngx_int_t  rc;

    if (call->op.rc == NGX_CAMPAIGN_NOT_FOUND) {
        return ngx_http_campaign_error(call, 1504);     /* the sender was deleted meanwhile */
    }

    rc = ngx_http_campaign_call_answer(call);
    if (rc != NGX_OK) {
        return rc;
    }

    ngx_http_campaign_dispatch_wake();

    return ngx_http_campaign_single_show(call);
}


/* one object a number, as a look at it would show it now; perhaps on the writer's thread: see ngx_http_campaign_call_last */

static ngx_int_t
ngx_http_campaign_single_show(ngx_http_campaign_call_t *call)
{
    ngx_uint_t                   i;
    ngx_array_t                 *shown;
    ngx_campaign_message_t      *m, messages[NGX_CAMPAIGN_SINGLES_MAX];
    ngx_campaign_campaign_t     *c;
    ngx_http_campaign_single_t  *single;

    single = call->rec;
    c = &single->campaign;

    for (i = 0; i < single->n; i++) {
        m = &messages[i];
        *m = single->shown.message;

        m->rec = c->rec;
        m->rec.status = NGX_CAMPAIGN_M_SCHEDULED;
        m->seq = i;
        m->text = c->text;
        m->contact.number = single->to[i];

        ngx_campaign_id_make(ngx_campaign_store_secret(call->store), NGX_CAMPAIGN_MESSAGE, c->rec.no, i, m->rec.id);
    }

    shown = ngx_http_campaign_messages_render(ngx_http_campaign_reply_pool(call), messages, single->n);

    return shown ? ngx_http_campaign_reply_list(call, call->route->resource, shown) : NGX_ERROR;
}
