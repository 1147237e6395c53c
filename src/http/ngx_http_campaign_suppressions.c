
/*
 * Suppressions: numbers that an account's messages do not go to.  One, several in a list, or up to 100 000 lines of CSV or NDJSON; listed,
 * exported, lifted.  It keeps true: whatever the form, a field is read by the same table: a row of CSV and a line are objects, too.
 */

#include "ngx_http_campaign_error.h"
#include "ngx_http_campaign_export.h"
#include "ngx_http_campaign_resource.h"

#include "ngx_campaign_number.h"


#define NGX_CAMPAIGN_SUPPRESSIONS_LIST  1000    /* in one JSON request */
#define NGX_CAMPAIGN_SUPPRESSIONS_TOLD  10      /* bad ones of a list that are told of */


typedef struct {                                /* call->data while they go to the store */
    ngx_campaign_suppress_t     suppress;
    ngx_http_campaign_lines_t  *lines;          /* NULL: they came as JSON */
} ngx_http_campaign_suppressions_t;


static ngx_int_t ngx_http_campaign_suppressions_read_page(ngx_http_campaign_call_t *call, ngx_campaign_op_t *op,
    ngx_campaign_page_t *page);
static ngx_int_t ngx_http_campaign_suppressions_created(ngx_http_campaign_call_t *call);
static ngx_int_t ngx_http_campaign_suppressions_like(ngx_http_campaign_call_t *call, ngx_campaign_suppression_t *like);

static ngx_int_t ngx_http_campaign_suppressions_body(ngx_http_campaign_call_t *call, json_t *data);
static ngx_int_t ngx_http_campaign_suppressions_body_list(ngx_http_campaign_call_t *call, json_t *list);
static ngx_int_t ngx_http_campaign_suppressions_object(ngx_http_campaign_call_t *call, json_t *object, ngx_campaign_suppression_t *s);
static ngx_int_t ngx_http_campaign_suppressions_item(ngx_http_campaign_call_t *call, json_t *item, ngx_uint_t *code);
static ngx_int_t ngx_http_campaign_suppressions_record(ngx_http_campaign_call_t *call, ngx_campaign_lines_t *l,
    ngx_http_campaign_lines_t *lines);
static ngx_int_t ngx_http_campaign_suppressions_record_bad(ngx_http_campaign_call_t *call, ngx_http_campaign_lines_t *lines,
    ngx_uint_t line);
static ngx_int_t ngx_http_campaign_suppressions_header_bad(ngx_http_campaign_call_t *call, ngx_uint_t line);
static json_t *ngx_http_campaign_suppressions_row(ngx_campaign_lines_t *l, ngx_http_campaign_lines_t *lines);

static ngx_int_t ngx_http_campaign_suppressions_filter_number(ngx_http_campaign_call_t *call, const ngx_http_campaign_filter_t *f,
    ngx_str_t *value, ngx_campaign_page_t *page);
static ngx_int_t ngx_http_campaign_suppressions_filter_source(ngx_http_campaign_call_t *call, const ngx_http_campaign_filter_t *f,
    ngx_str_t *value, ngx_campaign_page_t *page);

static ngx_int_t ngx_http_campaign_suppressions_number_read(ngx_http_campaign_call_t *call, const ngx_http_campaign_field_t *f,
    json_t *value, void *place);
static void ngx_http_campaign_suppressions_number_print(ngx_http_campaign_call_t *call, ngx_http_campaign_out_t *out,
    const ngx_http_campaign_field_t *f, const void *place);
static void ngx_http_campaign_suppressions_source_print(ngx_http_campaign_call_t *call, ngx_http_campaign_out_t *out,
    const ngx_http_campaign_field_t *f, const void *place);
static void ngx_http_campaign_suppressions_links_print(ngx_http_campaign_call_t *call, ngx_http_campaign_out_t *out,
    const ngx_http_campaign_field_t *f, const void *place);
static void ngx_http_campaign_suppressions_cell_number(ngx_http_campaign_call_t *call, const void *place, u_char *room, ngx_str_t *text);
static void ngx_http_campaign_suppressions_cell_source(ngx_http_campaign_call_t *call, const void *place, u_char *room, ngx_str_t *text);


static const ngx_http_campaign_field_type_t
    ngx_http_campaign_suppressions_number = { ngx_http_campaign_suppressions_number_read, ngx_http_campaign_suppressions_number_print },
    ngx_http_campaign_suppressions_source = { NULL, ngx_http_campaign_suppressions_source_print },
    ngx_http_campaign_suppressions_links  = { NULL, ngx_http_campaign_suppressions_links_print };


/* clang-format off */

#define ngx_http_campaign_suppressions_at(field)  offsetof(ngx_campaign_suppression_t, field)

static const ngx_http_campaign_field_t  ngx_http_campaign_suppressions_fields[] = {
    { ngx_string("number"), NGX_CAMPAIGN_F_POST|NGX_CAMPAIGN_F_MUST|NGX_CAMPAIGN_F_SHOW, &ngx_http_campaign_suppressions_number,
      ngx_http_campaign_suppressions_at(number), 0, 0, { 1851, 1852, 1852 } },
    { ngx_string("channel"), NGX_CAMPAIGN_F_POST|NGX_CAMPAIGN_F_SHOW, &ngx_http_campaign_field_channel,
      ngx_http_campaign_suppressions_at(channel), 0, 0, { 1853, 1853, 1853 } },
    { ngx_string("from"), NGX_CAMPAIGN_F_POST|NGX_CAMPAIGN_F_SHOW, &ngx_http_campaign_field_text,
      ngx_http_campaign_suppressions_at(from), 1, 16, { 1855, 1855, 1855 } },
    { ngx_string("source"), NGX_CAMPAIGN_F_SHOW, &ngx_http_campaign_suppressions_source,
      ngx_http_campaign_suppressions_at(source), 0, 0, { 0, 0, 0 } },
    { ngx_string("reason"), NGX_CAMPAIGN_F_POST|NGX_CAMPAIGN_F_SHOW, &ngx_http_campaign_field_text,
      ngx_http_campaign_suppressions_at(reason), 0, NGX_CAMPAIGN_SUPPRESSION_REASON, { 1856, 1856, 1856 } },
    { ngx_string("campaign_id"), NGX_CAMPAIGN_F_POST|NGX_CAMPAIGN_F_SHOW, &ngx_http_campaign_field_uuid,
      ngx_http_campaign_suppressions_at(campaign), 0, 0, { 1857, 1857, 1857 } },
    { ngx_string("create_date"), NGX_CAMPAIGN_F_SHOW, &ngx_http_campaign_field_date,
      ngx_http_campaign_suppressions_at(created), 0, 0, { 0, 0, 0 } },
    { ngx_string("expire_date"), NGX_CAMPAIGN_F_POST|NGX_CAMPAIGN_F_SHOW, &ngx_http_campaign_field_date,
      ngx_http_campaign_suppressions_at(expires), 0, 0, { 1858, 1858, 1858 } },
    { ngx_string("links"), NGX_CAMPAIGN_F_SHOW, &ngx_http_campaign_suppressions_links, 0, 0, 0, { 0, 0, 0 } },
    { ngx_null_string, 0, NULL, 0, 0, 0, { 0, 0, 0 } }
};

static const ngx_http_campaign_filter_t  ngx_http_campaign_suppressions_filters[] = {
    { ngx_string("number"), ngx_http_campaign_suppressions_filter_number, NULL },
    { ngx_string("channel"), ngx_http_campaign_filter_channel, NULL },
    { ngx_string("source"), ngx_http_campaign_suppressions_filter_source, NULL },
    { ngx_null_string, NULL, NULL }
};

const ngx_http_campaign_resource_t  ngx_http_campaign_suppressions = {
    .name    = ngx_string("suppressions"),
    .kind    = NGX_CAMPAIGN_SUPPRESSION,
    .size    = sizeof(ngx_campaign_suppression_t),
    .fields  = ngx_http_campaign_suppressions_fields,
    .filters = ngx_http_campaign_suppressions_filters,
    .code    = { [NGX_CAMPAIGN_NOT_FOUND] = 1850, [NGX_CAMPAIGN_TOO_MANY] = 1859, [NGX_CAMPAIGN_INVALID] = NGX_CAMPAIGN_E_QUERY },
    .read    = ngx_http_campaign_suppressions_body,
    .record  = ngx_http_campaign_suppressions_record,
    .record_bad = ngx_http_campaign_suppressions_record_bad
};

/* an import takes those that are fields of a request, and passes over the others */

static const ngx_http_campaign_column_t  ngx_http_campaign_suppressions_columns[] = {
    { ngx_string("number"), ngx_http_campaign_suppressions_cell_number, ngx_http_campaign_suppressions_at(number) },
    { ngx_string("channel"), ngx_http_campaign_export_text, ngx_http_campaign_suppressions_at(channel) },
    { ngx_string("from"), ngx_http_campaign_export_text, ngx_http_campaign_suppressions_at(from) },
    { ngx_string("source"), ngx_http_campaign_suppressions_cell_source, ngx_http_campaign_suppressions_at(source) },
    { ngx_string("reason"), ngx_http_campaign_export_text, ngx_http_campaign_suppressions_at(reason) },
    { ngx_string("campaign_id"), ngx_http_campaign_export_uuid, ngx_http_campaign_suppressions_at(campaign) },
    { ngx_string("create_date"), ngx_http_campaign_export_date, ngx_http_campaign_suppressions_at(created) },
    { ngx_string("expire_date"), ngx_http_campaign_export_date, ngx_http_campaign_suppressions_at(expires) },
    { ngx_null_string, NULL, 0 }
};

static const ngx_http_campaign_export_source_t  ngx_http_campaign_suppressions_export = {
    .resource = &ngx_http_campaign_suppressions,
    .columns  = ngx_http_campaign_suppressions_columns,
    .file     = ngx_string("suppressions"),
    .read     = ngx_http_campaign_suppressions_read_page
};

/* clang-format on */


ngx_int_t
ngx_http_campaign_suppressions_list(ngx_http_campaign_call_t *call)
{
    ngx_int_t                         rc;
    ngx_campaign_page_t              *page;
    ngx_http_campaign_export_form_e   form;

    rc = ngx_http_campaign_resource_page(call, &page);
    if (rc != NGX_OK) {
        return rc;
    }

    form = ngx_http_campaign_export_form(call);

    if (form != NGX_CAMPAIGN_EXPORT_NOT) {
        return ngx_http_campaign_export(call, &ngx_http_campaign_suppressions_export, form, page);
    }

    rc = ngx_campaign_store_suppressions(call->store, ngx_http_campaign_call_op(call, ngx_http_campaign_resource_listed), page);

    return ngx_http_campaign_call_wait(call, rc);
}


static ngx_int_t
ngx_http_campaign_suppressions_read_page(ngx_http_campaign_call_t *call, ngx_campaign_op_t *op, ngx_campaign_page_t *page)
{
    return ngx_campaign_store_suppressions(call->store, op, page);
}


ngx_int_t
ngx_http_campaign_suppressions_create(ngx_http_campaign_call_t *call)
{
    ngx_int_t                          rc;
    ngx_campaign_suppression_t        *s;
    ngx_http_campaign_suppressions_t  *x;

    x = ngx_pcalloc(call->pool, sizeof(ngx_http_campaign_suppressions_t));
    if (x == NULL) {
        return NGX_ERROR;
    }

    x->lines = call->data;

    rc = ngx_http_campaign_upload_strict(call, x->lines);
    if (rc != NGX_OK) {
        return rc;
    }

    x->suppress.account = ngx_http_campaign_call_owner(call);
    x->suppress.source = x->lines ? NGX_CAMPAIGN_SOURCE_IMPORT : NGX_CAMPAIGN_SOURCE_API;

    s = call->rec;

    if (s) {
        x->suppress.given = *s;

    } else {
        x->suppress.pile = &call->pile;
    }

    call->data = x;

    rc = ngx_campaign_store_suppress(call->store, ngx_http_campaign_call_last(call, ngx_http_campaign_suppressions_created,
                                     ngx_http_campaign_suppressions_created), &x->suppress);

    return ngx_http_campaign_call_wait(call, rc);
}


/* one that was there already is 200 */

static ngx_int_t
ngx_http_campaign_suppressions_created(ngx_http_campaign_call_t *call)
{
    ngx_int_t                          rc;
    ngx_http_campaign_out_t            out;
    ngx_http_campaign_suppressions_t  *x;

    rc = ngx_http_campaign_call_answer(call);
    if (rc != NGX_OK) {
        return rc;
    }

    x = call->data;

    if (x->suppress.pile) {
        return ngx_http_campaign_upload_count(call, x->lines, x->suppress.created, x->suppress.duplicates, x->suppress.refused);
    }

    ngx_http_campaign_out_init(&out, ngx_http_campaign_reply_pool(call));

    ngx_http_campaign_out_lit(&out, "{\"data\":");
    ngx_http_campaign_field_print(call, &out, call->route->resource, &x->suppress.result);
    ngx_http_campaign_out_lit(&out, "}");

    return ngx_http_campaign_reply_send(call, x->suppress.created ? call->route->status : NGX_HTTP_OK, &out);
}


ngx_int_t
ngx_http_campaign_suppressions_get(ngx_http_campaign_call_t *call)
{
    ngx_int_t                    rc;
    ngx_campaign_suppression_t   like;

    call->rec = ngx_pcalloc(call->pool, sizeof(ngx_campaign_suppression_t));
    if (call->rec == NULL) {
        return NGX_ERROR;
    }

    rc = ngx_http_campaign_suppressions_like(call, &like);
    if (rc != NGX_OK) {
        return rc;
    }

    rc = ngx_campaign_store_suppression(call->store, ngx_http_campaign_call_op(call, ngx_http_campaign_resource_show), &like, call->rec);

    return ngx_http_campaign_call_wait(call, rc);
}


ngx_int_t
ngx_http_campaign_suppressions_delete(ngx_http_campaign_call_t *call)
{
    ngx_int_t                    rc;
    ngx_campaign_suppression_t   like;

    rc = ngx_http_campaign_suppressions_like(call, &like);
    if (rc != NGX_OK) {
        return rc;
    }

    rc = ngx_campaign_store_suppression_lift(call->store, ngx_http_campaign_call_op(call, ngx_http_campaign_resource_deleted), &like);

    return ngx_http_campaign_call_wait(call, rc);
}


/* those of the path's number; ?channel= and ?from= choose the one with that scope, empty ones the one without */

static ngx_int_t
ngx_http_campaign_suppressions_like(ngx_http_campaign_call_t *call, ngx_campaign_suppression_t *like)
{
    ngx_int_t                     rc;
    ngx_str_t                     channel;
    ngx_http_campaign_gateway_t  *gateway;

    ngx_memzero(like, sizeof(ngx_campaign_suppression_t));

    like->account = ngx_http_campaign_call_owner(call);
    like->number = call->number;

    rc = ngx_http_campaign_call_arg(call, "channel", &channel);

    if (rc == NGX_OK && channel.len == 0) {
        ngx_str_set(&like->channel, "");

    } else if (rc == NGX_OK) {
        gateway = ngx_http_campaign_gateway(call->cmcf, &channel);

        if (gateway == NULL) {
            return ngx_http_campaign_error_text(call, NGX_CAMPAIGN_E_QUERY, "'channel' is invalid: should be one of [%V]",
                                                &call->cmcf->channels);
        }

        like->channel = gateway->channel;
    }

    if (rc != NGX_ERROR) {
        rc = ngx_http_campaign_call_arg(call, "from", &like->from);
    }

    if (rc == NGX_DECLINED) {
        ngx_str_null(&like->from);

    } else if (rc == NGX_OK && like->from.len == 0) {
        ngx_str_set(&like->from, "");
    }

    return rc == NGX_ERROR ? NGX_ERROR : NGX_OK;
}


/* data: one (call->rec is set), or a list */

static ngx_int_t
ngx_http_campaign_suppressions_body(ngx_http_campaign_call_t *call, json_t *data)
{
    ngx_campaign_suppression_t  *s;

    if (json_is_array(data)) {
        return ngx_http_campaign_suppressions_body_list(call, data);
    }

    s = ngx_pcalloc(call->pool, sizeof(ngx_campaign_suppression_t));
    if (s == NULL) {
        return NGX_ERROR;
    }

    call->rec = s;

    return ngx_http_campaign_suppressions_object(call, data, s);
}


static ngx_int_t
ngx_http_campaign_suppressions_body_list(ngx_http_campaign_call_t *call, json_t *list)
{
    size_t       i;
    json_t      *item;
    ngx_int_t    rc;
    ngx_uint_t   bad, code;

    if (json_array_size(list) == 0) {
        return ngx_http_campaign_error(call, NGX_CAMPAIGN_E_NO_DATA);
    }

    if (json_array_size(list) > NGX_CAMPAIGN_SUPPRESSIONS_LIST) {
        return ngx_http_campaign_error(call, 1854);
    }

    bad = 0;

    json_array_foreach(list, i, item) {

        rc = ngx_http_campaign_suppressions_item(call, item, &code);

        if (rc == NGX_DECLINED && bad++ < NGX_CAMPAIGN_SUPPRESSIONS_TOLD) {
            rc = ngx_http_campaign_error_text(call, code, "'data[%uz]' is invalid: %V", i, ngx_http_campaign_error_message(code));
        }

        if (rc == NGX_ERROR) {
            return NGX_ERROR;
        }

        if (bad == NGX_CAMPAIGN_SUPPRESSIONS_TOLD) {
            break;
        }
    }

    return bad ? NGX_DECLINED : NGX_OK;
}


/* every mistake is noted */

static ngx_int_t
ngx_http_campaign_suppressions_object(ngx_http_campaign_call_t *call, json_t *object, ngx_campaign_suppression_t *s)
{
    ngx_int_t  rc;

    rc = ngx_http_campaign_field_read(call, ngx_http_campaign_suppressions_fields, NGX_CAMPAIGN_F_POST, object, s);

    if (rc != NGX_ERROR && s->from.len) {

        if (ngx_campaign_number_sender(&s->from) == 0 && !ngx_http_campaign_error_noted(call, 1855)) {
            rc = ngx_http_campaign_error(call, 1855);

        } else if (s->from.data[0] == '+') {
            s->from.data++;
            s->from.len--;
        }
    }

    if (rc != NGX_ERROR && s->expires && s->expires <= (time_t) (ngx_campaign_now() / 1000000)) {
        rc = ngx_http_campaign_error(call, 1858);
    }

    return rc;
}


/* one of many, an object or a number alone, onto the pile.  NGX_DECLINED: its first mistake is code, nothing is noted */

static ngx_int_t
ngx_http_campaign_suppressions_item(ngx_http_campaign_call_t *call, json_t *item, ngx_uint_t *code)
{
    ngx_int_t                    rc;
    ngx_uint_t                   noted;
    ngx_http_campaign_note_t    *note;
    ngx_campaign_suppression_t   s;

    ngx_memzero(&s, sizeof(ngx_campaign_suppression_t));

    if (json_is_string(item)) {
        *code = 1852;
        rc = ngx_campaign_number_parse((u_char *) json_string_value(item), json_string_length(item), &s.number);

        return rc == NGX_OK ? ngx_campaign_suppression_pile(&call->pile, &s) : NGX_DECLINED;
    }

    if (!json_is_object(item)) {
        *code = 1860;
        return NGX_DECLINED;
    }

    noted = call->notes.nelts;

    rc = ngx_http_campaign_suppressions_object(call, item, &s);

    if (rc == NGX_OK) {
        return ngx_campaign_suppression_pile(&call->pile, &s);
    }

    if (rc == NGX_DECLINED) {
        note = call->notes.elts;
        *code = note[noted].code;
        call->notes.nelts = noted;
    }

    return rc;
}


/* a record of an upload: the header row, a suppression, or a bad line */

static ngx_int_t
ngx_http_campaign_suppressions_record(ngx_http_campaign_call_t *call, ngx_campaign_lines_t *l, ngx_http_campaign_lines_t *lines)
{
    json_t        *item;
    ngx_int_t      rc;
    ngx_uint_t     code;
    json_error_t   error;

    if (call->pile.n + lines->invalid >= NGX_CAMPAIGN_RECIPIENTS_MAX) {
        return ngx_http_campaign_error(call, 1861);
    }

    if (l->form == NGX_CAMPAIGN_LINES_NDJSON) {
        code = NGX_CAMPAIGN_E_JSON;

        if (ngx_http_campaign_json_load(l->cell[0].data, l->cell[0].len, &error, &item) == NGX_ERROR) {
            return NGX_ERROR;
        }

    } else if (lines->header) {
        item = ngx_http_campaign_suppressions_row(l, lines);
        code = 1860;

    } else {
        rc = ngx_http_campaign_upload_header(l, lines, ngx_http_campaign_suppressions_fields, sizeof(ngx_http_campaign_field_t));
        return rc == NGX_DECLINED ? ngx_http_campaign_suppressions_header_bad(call, l->line) : rc;
    }

    if (item == NULL) {
        return ngx_http_campaign_upload_invalid(lines, l->line, code, NULL);
    }

    rc = ngx_http_campaign_suppressions_item(call, item, &code);

    json_decref(item);

    return rc == NGX_DECLINED ? ngx_http_campaign_upload_invalid(lines, l->line, code, NULL) : rc;
}


static ngx_int_t
ngx_http_campaign_suppressions_record_bad(ngx_http_campaign_call_t *call, ngx_http_campaign_lines_t *lines, ngx_uint_t line)
{
    if (lines->reader.form == NGX_CAMPAIGN_LINES_CSV && !lines->header) {
        return ngx_http_campaign_suppressions_header_bad(call, line);
    }

    return ngx_http_campaign_upload_invalid(lines, line, 1860, NULL);
}


static ngx_int_t
ngx_http_campaign_suppressions_header_bad(ngx_http_campaign_call_t *call, ngx_uint_t line)
{
    return ngx_http_campaign_error_text(call, 1851, "line %ui: the header row should name the column 'number' once, and may name channel, "
                                        "from, reason, campaign_id, expire_date", line);
}


/* the object that a row of CSV stands for, an empty cell left out.  A ' in front of a formula was put there by an export.  NULL: no text */

static json_t *
ngx_http_campaign_suppressions_row(ngx_campaign_lines_t *l, ngx_http_campaign_lines_t *lines)
{
    json_t      *object, *text;
    ngx_int_t   *columns;
    ngx_str_t    cell;
    ngx_uint_t   i;

    object = json_object();
    columns = lines->columns.elts;

    for (i = 0; object && i < l->n && i < lines->columns.nelts; i++) {

        cell = l->cell[i];

        if (cell.len && cell.data[0] == '\'' && ngx_http_campaign_export_formula(&cell)) {
            cell.data++;
            cell.len--;
        }

        if (columns[i] < 0 || cell.len == 0) {
            continue;
        }

        text = json_stringn((const char *) cell.data, cell.len);

        if (json_object_set_new(object, (const char *) ngx_http_campaign_suppressions_fields[columns[i]].name.data, text) != 0) {
            json_decref(object);
            return NULL;
        }
    }

    return object;
}


static ngx_int_t
ngx_http_campaign_suppressions_filter_number(ngx_http_campaign_call_t *call, const ngx_http_campaign_filter_t *f, ngx_str_t *value,
    ngx_campaign_page_t *page)
{
    size_t  i;

    if (value->data[0] == '+') {
        value->data++;
        value->len--;
    }

    for (i = 0; i < value->len && value->data[i] >= '0' && value->data[i] <= '9'; i++) {
        /* void */
    }

    if (i == 0 || i < value->len || i > NGX_CAMPAIGN_NUMBER_LEN) {
        return ngx_http_campaign_error_text(call, NGX_CAMPAIGN_E_QUERY, "'filter[%V]' is invalid: the first digits of a number", &f->name);
    }

    page->match = *value;

    return NGX_OK;
}


static ngx_int_t
ngx_http_campaign_suppressions_filter_source(ngx_http_campaign_call_t *call, const ngx_http_campaign_filter_t *f, ngx_str_t *value,
    ngx_campaign_page_t *page)
{
    page->type = ngx_campaign_source_find(value);

    if (page->type == 0) {
        return ngx_http_campaign_error_text(call, NGX_CAMPAIGN_E_QUERY, "'filter[%V]' is invalid: should be one of [api, import, stop, "
                                            "receipt]", &f->name);
    }

    *value = *ngx_campaign_source_name(page->type);

    return NGX_OK;
}


static ngx_int_t
ngx_http_campaign_suppressions_number_read(ngx_http_campaign_call_t *call, const ngx_http_campaign_field_t *f, json_t *value, void *place)
{
    if (json_is_string(value) && json_string_length(value) == 0) {
        return ngx_http_campaign_error(call, f->code.missing);
    }

    if (!json_is_string(value)
        || ngx_campaign_number_parse((u_char *) json_string_value(value), json_string_length(value), place) != NGX_OK)
    {
        return ngx_http_campaign_error(call, f->code.wrong);
    }

    return NGX_OK;
}


static void
ngx_http_campaign_suppressions_number_print(ngx_http_campaign_call_t *call, ngx_http_campaign_out_t *out,
    const ngx_http_campaign_field_t *f, const void *place)
{
    u_char     room[NGX_CAMPAIGN_NUMBER_LEN];
    ngx_str_t  text;

    ngx_http_campaign_suppressions_cell_number(call, place, room, &text);
    ngx_http_campaign_out_string(out, &text);
}


static void
ngx_http_campaign_suppressions_source_print(ngx_http_campaign_call_t *call, ngx_http_campaign_out_t *out,
    const ngx_http_campaign_field_t *f, const void *place)
{
    ngx_http_campaign_out_string(out, ngx_campaign_source_name(*(const ngx_uint_t *) place));
}


/* what has a scope is asked for by it */

static void
ngx_http_campaign_suppressions_links_print(ngx_http_campaign_call_t *call, ngx_http_campaign_out_t *out,
    const ngx_http_campaign_field_t *f, const void *place)
{
    u_char                            id[NGX_CAMPAIGN_ID_LEN], room[3 * NGX_CAMPAIGN_SUPPRESSION_FROM], *p;
    ngx_str_t                         number;
    const ngx_campaign_suppression_t *s = place;

    static const ngx_str_t            accounts = ngx_string("accounts");

    ngx_http_campaign_suppressions_cell_number(call, &s->number, room, &number);

    ngx_http_campaign_out_lit(out, "{\"self\":\"");
    ngx_http_campaign_out_raw(out, call->prefix.data, call->prefix.len);
    ngx_http_campaign_out_lit(out, "/suppressions/");
    ngx_http_campaign_out_raw(out, number.data, number.len);

    if (s->channel.len || s->from.len) {
        ngx_http_campaign_out_lit(out, "?channel=");
        ngx_http_campaign_out_raw(out, s->channel.data, s->channel.len);
        ngx_http_campaign_out_lit(out, "&from=");

        p = (u_char *) ngx_escape_uri(room, s->from.data, ngx_min(s->from.len, NGX_CAMPAIGN_SUPPRESSION_FROM), NGX_ESCAPE_URI_COMPONENT);
        ngx_http_campaign_out_raw(out, room, p - room);
    }

    ngx_http_campaign_out_lit(out, "\"");

    ngx_campaign_id_make(ngx_campaign_store_secret(call->store), NGX_CAMPAIGN_ACCOUNT, s->account, 0, id);
    ngx_http_campaign_out_link(call, out, "account", &accounts, id, "");
    ngx_http_campaign_out_lit(out, "}");
}


static void
ngx_http_campaign_suppressions_cell_number(ngx_http_campaign_call_t *call, const void *place, u_char *room, ngx_str_t *text)
{
    text->data = room;
    text->len = ngx_campaign_number_print(room, *(const uint64_t *) place) - room;
}


static void
ngx_http_campaign_suppressions_cell_source(ngx_http_campaign_call_t *call, const void *place, u_char *room, ngx_str_t *text)
{
    *text = *ngx_campaign_source_name(*(const ngx_uint_t *) place);
}
