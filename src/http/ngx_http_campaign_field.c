
/*
 * Types of fields, and the two walks over a table of fields: reading notes every wrong field in the order of the table, printing shows what is shown.
 */

#include "ngx_http_campaign_call.h"
#include "ngx_http_campaign_error.h"
#include "ngx_http_campaign_field.h"
#include "ngx_http_campaign_reply.h"

#include "ngx_campaign_sms.h"
#include "ngx_campaign_time.h"


static void ngx_http_campaign_field_owner(ngx_http_campaign_call_t *call, const ngx_campaign_rec_t *rec, u_char *id);
static ngx_int_t ngx_http_campaign_field_one(ngx_http_campaign_call_t *call, const ngx_http_campaign_field_t *f, ngx_uint_t flag,
    json_t *value, void *rec);
static ngx_int_t ngx_http_campaign_field_string(ngx_http_campaign_call_t *call, const ngx_http_campaign_field_t *f, json_t *value,
    ngx_uint_t lines, ngx_str_t *out);


ngx_int_t
ngx_http_campaign_field_read(ngx_http_campaign_call_t *call, const ngx_http_campaign_field_t *fields, ngx_uint_t flag, json_t *object,
    void *rec)
{
    json_t                           *value;
    ngx_int_t                         rc;
    ngx_uint_t                        n, wrong;
    const ngx_http_campaign_field_t  *f;

    wrong = 0;
    call->given = 0;

    for (f = fields, n = 0; f->name.len; f++, n++) {

        if (!(f->flags & flag)) {
            continue;
        }

        value = json_object_get(object, (const char *) f->name.data);

        rc = ngx_http_campaign_field_one(call, f, flag, json_is_null(value) ? NULL : value, rec);

        if (rc == NGX_ERROR) {
            return NGX_ERROR;
        }

        if (rc == NGX_DECLINED) {
            wrong = 1;

        } else if (value && !json_is_null(value)) {
            call->given |= (ngx_uint_t) 1 << n;
        }
    }

    return wrong ? NGX_DECLINED : NGX_OK;
}


static ngx_int_t
ngx_http_campaign_field_one(ngx_http_campaign_call_t *call, const ngx_http_campaign_field_t *f, ngx_uint_t flag, json_t *value, void *rec)
{
    if (value) {
        return f->type->read(call, f, value, (u_char *) rec + f->offset);
    }

    if (flag == NGX_CAMPAIGN_F_POST && (f->flags & NGX_CAMPAIGN_F_MUST)) {
        return ngx_http_campaign_error(call, f->code.missing);
    }

    return NGX_OK;
}


void
ngx_http_campaign_field_print(ngx_http_campaign_call_t *call, ngx_http_campaign_out_t *out, const ngx_http_campaign_resource_t *resource,
    const void *rec)
{
    ngx_uint_t                        first;
    const ngx_http_campaign_field_t  *f;

    first = 1;
    ngx_http_campaign_out_lit(out, "{");

    for (f = resource->fields; f->name.len; f++) {
        if ((f->flags & NGX_CAMPAIGN_F_SHOW)
            || ((f->flags & NGX_CAMPAIGN_F_ONCE) && call->route->method == NGX_HTTP_POST))
        {
            ngx_http_campaign_out_name(out, &f->name, first);
            f->type->print(call, out, f, (const u_char *) rec + f->offset);
            first = 0;
        }
    }

    ngx_http_campaign_out_lit(out, "}");
}


ngx_int_t
ngx_http_campaign_field_copy(ngx_http_campaign_call_t *call, json_t *value, ngx_uint_t lines, ngx_str_t *out, ngx_uint_t *characters)
{
    u_char        ch;
    size_t        i, len;
    ngx_int_t     n;
    const u_char  *text;

    if (!json_is_string(value)) {
        return NGX_DECLINED;
    }

    text = (const u_char *) json_string_value(value);
    len = json_string_length(value);

    n = ngx_campaign_utf8_length(text, len);
    if (n == NGX_ERROR) {
        return NGX_DECLINED;
    }

    for (i = 0; i < len; i++) {
        ch = text[i];

        if ((ch < 0x20 || ch == 0x7f) && !(lines && (ch == LF || ch == CR || ch == '\t'))) {
            return NGX_DECLINED;
        }
    }

    out->data = ngx_pnalloc(call->pool, len ? len : 1);
    if (out->data == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(out->data, text, len);
    out->len = len;
    *characters = n;

    return NGX_OK;
}


/* a string within the field's limits; too short counts as missing */

static ngx_int_t
ngx_http_campaign_field_string(ngx_http_campaign_call_t *call, const ngx_http_campaign_field_t *f, json_t *value, ngx_uint_t lines,
    ngx_str_t *out)
{
    ngx_int_t   rc;
    ngx_uint_t  n;

    n = 0;
    rc = ngx_http_campaign_field_copy(call, value, lines, out, &n);

    if (rc == NGX_DECLINED) {
        return ngx_http_campaign_error(call, f->code.wrong);
    }

    if (rc == NGX_OK && n < f->least) {
        return ngx_http_campaign_error(call, f->code.missing);
    }

    if (rc == NGX_OK && n > f->most) {
        return ngx_http_campaign_error(call, f->code.size);
    }

    return rc;
}


static ngx_int_t
ngx_http_campaign_field_text_read(ngx_http_campaign_call_t *call, const ngx_http_campaign_field_t *f, json_t *value, void *place)
{
    return ngx_http_campaign_field_string(call, f, value, 0, place);
}


static ngx_int_t
ngx_http_campaign_field_message_read(ngx_http_campaign_call_t *call, const ngx_http_campaign_field_t *f, json_t *value, void *place)
{
    return ngx_http_campaign_field_string(call, f, value, 1, place);
}


static void
ngx_http_campaign_field_text_print(ngx_http_campaign_call_t *call, ngx_http_campaign_out_t *out, const ngx_http_campaign_field_t *f,
    const void *place)
{
    const ngx_str_t *text = place;

    if (text->len == 0) {
        ngx_http_campaign_out_lit(out, "null");
        return;
    }

    ngx_http_campaign_out_string(out, text);
}


static ngx_int_t
ngx_http_campaign_field_channel_read(ngx_http_campaign_call_t *call, const ngx_http_campaign_field_t *f, json_t *value, void *place)
{
    ngx_str_t                     name, *channel = place;
    ngx_http_campaign_gateway_t  *gateway;

    if (!json_is_string(value)) {
        return ngx_http_campaign_error(call, f->code.wrong);
    }

    name.data = (u_char *) json_string_value(value);
    name.len = json_string_length(value);

    gateway = ngx_http_campaign_gateway(call->cmcf, &name);
    if (gateway == NULL) {
        return ngx_http_campaign_error(call, f->code.wrong);
    }

    *channel = gateway->channel;

    return NGX_OK;
}


static ngx_int_t
ngx_http_campaign_field_uuid_read(ngx_http_campaign_call_t *call, const ngx_http_campaign_field_t *f, json_t *value, void *place)
{
    ngx_str_t  text;

    if (!json_is_string(value)) {
        return ngx_http_campaign_error(call, f->code.wrong);
    }

    text.data = (u_char *) json_string_value(value);
    text.len = json_string_length(value);

    if (ngx_campaign_uuid_parse(&text, place) != NGX_OK) {
        return ngx_http_campaign_error(call, f->code.wrong);
    }

    return NGX_OK;
}


static void
ngx_http_campaign_field_uuid_print(ngx_http_campaign_call_t *call, ngx_http_campaign_out_t *out, const ngx_http_campaign_field_t *f,
    const void *place)
{
    ngx_http_campaign_out_uuid(out, place);
}


static void
ngx_http_campaign_field_id_print(ngx_http_campaign_call_t *call, ngx_http_campaign_out_t *out, const ngx_http_campaign_field_t *f,
    const void *place)
{
    const ngx_campaign_rec_t *rec = place;

    ngx_http_campaign_out_uuid(out, rec->id);
}


static void
ngx_http_campaign_field_account_print(ngx_http_campaign_call_t *call, ngx_http_campaign_out_t *out, const ngx_http_campaign_field_t *f,
    const void *place)
{
    u_char                    id[NGX_CAMPAIGN_ID_LEN];
    const ngx_campaign_rec_t *rec = place;

    ngx_http_campaign_field_owner(call, rec, id);
    ngx_http_campaign_out_uuid(out, id);
}


/* id of a record's account: most often the one that asks, whose id is known */

static void
ngx_http_campaign_field_owner(ngx_http_campaign_call_t *call, const ngx_campaign_rec_t *rec, u_char *id)
{
    if (rec->account && rec->account == call->account.rec.no) {
        ngx_memcpy(id, call->account.rec.id, NGX_CAMPAIGN_ID_LEN);
        return;
    }

    ngx_campaign_id_make(ngx_campaign_store_secret(call->store), NGX_CAMPAIGN_ACCOUNT, rec->account, 0, id);
}


static ngx_int_t
ngx_http_campaign_field_date_read(ngx_http_campaign_call_t *call, const ngx_http_campaign_field_t *f, json_t *value, void *place)
{
    ngx_str_t  text;

    if (!json_is_string(value)) {
        return ngx_http_campaign_error(call, f->code.wrong);
    }

    text.data = (u_char *) json_string_value(value);
    text.len = json_string_length(value);

    if (ngx_campaign_time_parse(&text, place) != NGX_OK) {
        return ngx_http_campaign_error(call, f->code.wrong);
    }

    return NGX_OK;
}


static void
ngx_http_campaign_field_date_print(ngx_http_campaign_call_t *call, ngx_http_campaign_out_t *out, const ngx_http_campaign_field_t *f,
    const void *place)
{
    ngx_http_campaign_out_date(out, *(const time_t *) place);
}


static ngx_int_t
ngx_http_campaign_field_uint_read(ngx_http_campaign_call_t *call, const ngx_http_campaign_field_t *f, json_t *value, void *place)
{
    json_int_t  n;

    if (!json_is_integer(value)) {
        return ngx_http_campaign_error(call, f->code.wrong);
    }

    n = json_integer_value(value);

    if (n < (json_int_t) f->least || n > (json_int_t) f->most) {
        return ngx_http_campaign_error(call, f->code.size);
    }

    *(uint32_t *) place = (uint32_t) n;

    return NGX_OK;
}


static void
ngx_http_campaign_field_uint_print(ngx_http_campaign_call_t *call, ngx_http_campaign_out_t *out, const ngx_http_campaign_field_t *f,
    const void *place)
{
    ngx_http_campaign_out_uint(out, *(const uint32_t *) place);
}


static ngx_int_t
ngx_http_campaign_field_rate_read(ngx_http_campaign_call_t *call, const ngx_http_campaign_field_t *f, json_t *value, void *place)
{
    double  rate;

    if (!json_is_number(value)) {
        return ngx_http_campaign_error(call, f->code.wrong);
    }

    rate = json_number_value(value) * NGX_CAMPAIGN_RATE_UNIT;

    if (!(rate >= 1 && rate <= (double) f->most * NGX_CAMPAIGN_RATE_UNIT)) {
        return ngx_http_campaign_error(call, f->code.size);
    }

    *(uint64_t *) place = (uint64_t) (rate + 0.5);

    return NGX_OK;
}


/* messages a second, with as many decimals as needed */

static void
ngx_http_campaign_field_rate_print(ngx_http_campaign_call_t *call, ngx_http_campaign_out_t *out, const ngx_http_campaign_field_t *f,
    const void *place)
{
    u_char    *p, text[NGX_INT64_LEN + sizeof(".000000")];
    uint64_t   rate;

    rate = *(const uint64_t *) place;

    p = ngx_sprintf(text, "%uL.%06uL", rate / NGX_CAMPAIGN_RATE_UNIT, rate % NGX_CAMPAIGN_RATE_UNIT);

    while (p[-1] == '0') {
        p--;
    }

    if (p[-1] == '.') {
        p--;
    }

    ngx_http_campaign_out_raw(out, text, p - text);
}


ngx_int_t
ngx_http_campaign_field_word_read(ngx_http_campaign_call_t *call, const ngx_http_campaign_field_t *f, json_t *value, void *place)
{
    size_t                                 len;
    u_char                                *text;
    ngx_uint_t                             i, *number = place;
    const ngx_http_campaign_field_word_t  *type;

    type = (const ngx_http_campaign_field_word_t *) f->type;
    text = (u_char *) json_string_value(value);         /* NULL: not a string */
    len = json_string_length(value);

    for (i = 0; text && type->words[i].len; i++) {
        if (type->words[i].len == len && ngx_strncasecmp(type->words[i].data, text, len) == 0) {
            *number = type->first + i;
            return NGX_OK;
        }
    }

    return ngx_http_campaign_error(call, f->code.wrong);
}


void
ngx_http_campaign_field_word_print(ngx_http_campaign_call_t *call, ngx_http_campaign_out_t *out, const ngx_http_campaign_field_t *f,
    const void *place)
{
    ngx_uint_t                             i, number;
    const ngx_http_campaign_field_word_t  *type;

    type = (const ngx_http_campaign_field_word_t *) f->type;
    number = *(const ngx_uint_t *) place;

    for (i = 0; number >= type->first && type->words[i].len; i++) {
        if (type->first + i == number) {
            ngx_http_campaign_out_string(out, &type->words[i]);
            return;
        }
    }

    ngx_http_campaign_out_lit(out, "null");
}


static void
ngx_http_campaign_field_links_print(ngx_http_campaign_call_t *call, ngx_http_campaign_out_t *out, const ngx_http_campaign_field_t *f,
    const void *place)
{
    u_char                               id[NGX_CAMPAIGN_ID_LEN];
    const ngx_campaign_rec_t            *rec = place;
    const ngx_http_campaign_resource_t  *resource;

    static const ngx_str_t  accounts = ngx_string("accounts");

    resource = call->route->resource;

    ngx_http_campaign_out_lit(out, "{\"self\":");
    ngx_http_campaign_out_path(call, out, &resource->name, rec->id, "");

    if (rec->account) {
        ngx_http_campaign_field_owner(call, rec, id);
        ngx_http_campaign_out_link(call, out, "account", &accounts, id, "");
    }

    if (resource->links) {
        resource->links(call, out, rec);
    }

    ngx_http_campaign_out_lit(out, "}");
}


/* clang-format off */

const ngx_http_campaign_field_type_t
    ngx_http_campaign_field_text    = { ngx_http_campaign_field_text_read,    ngx_http_campaign_field_text_print },
    ngx_http_campaign_field_message = { ngx_http_campaign_field_message_read, ngx_http_campaign_field_text_print },
    ngx_http_campaign_field_channel = { ngx_http_campaign_field_channel_read, ngx_http_campaign_field_text_print },
    ngx_http_campaign_field_uuid    = { ngx_http_campaign_field_uuid_read,    ngx_http_campaign_field_uuid_print },
    ngx_http_campaign_field_id      = { NULL,                                 ngx_http_campaign_field_id_print },
    ngx_http_campaign_field_account = { NULL,                                 ngx_http_campaign_field_account_print },
    ngx_http_campaign_field_date    = { ngx_http_campaign_field_date_read,    ngx_http_campaign_field_date_print },
    ngx_http_campaign_field_uint    = { ngx_http_campaign_field_uint_read,    ngx_http_campaign_field_uint_print },
    ngx_http_campaign_field_rate    = { ngx_http_campaign_field_rate_read,    ngx_http_campaign_field_rate_print },
    ngx_http_campaign_field_links   = { NULL,                                 ngx_http_campaign_field_links_print };
