
/*
 * Contacts of an audience: one, several in a list, or up to 100 000 lines of CSV or NDJSON as they stream in.  A contact's fields are a table, that JSON, the
 * header row of CSV and printing share.
 */

#include "ngx_http_campaign_error.h"
#include "ngx_http_campaign_export.h"
#include "ngx_http_campaign_resource.h"

#include "ngx_campaign_number.h"
#include "ngx_campaign_sms.h"


#define NGX_CAMPAIGN_CONTACTS_MAX    1000       /* in one JSON request */
#define NGX_CAMPAIGN_CONTACT_NUMBER  NGX_CAMPAIGN_CONTACT_FIELDS        /* a column that is the number */
#define NGX_CAMPAIGN_NUMBER_TEXT     45         /* characters of a number as it is written */
#define NGX_CAMPAIGN_TAG_MAX         45         /* characters */
#define NGX_CAMPAIGN_TAG_SEPARATOR   0x1f
#define NGX_CAMPAIGN_CONTACTS_TOLD   10         /* bad contacts of a list that are told of */


typedef struct {                                /* call->data while contacts go to the store */
    ngx_campaign_import_t       import;
    ngx_http_campaign_lines_t  *lines;          /* NULL: they came as JSON */
} ngx_http_campaign_upload_t;

typedef struct {
    ngx_str_t    name;
    ngx_int_t    field;         /* ngx_campaign_contact_field_e, or NGX_CAMPAIGN_CONTACT_NUMBER */
    ngx_uint_t   most;          /* characters */
    ngx_uint_t   code;          /* too long */
} ngx_http_campaign_contact_row_t;


static ngx_int_t ngx_http_campaign_contacts_read_page(ngx_http_campaign_call_t *call, ngx_campaign_op_t *op, ngx_campaign_page_t *page);
static void ngx_http_campaign_contacts_cell_number(ngx_http_campaign_call_t *call, const void *place, u_char *room, ngx_str_t *text);
static void ngx_http_campaign_contacts_cell_tags(ngx_http_campaign_call_t *call, const void *place, u_char *room, ngx_str_t *text);
static ngx_int_t ngx_http_campaign_contacts_body(ngx_http_campaign_call_t *call, json_t *data);
static ngx_int_t ngx_http_campaign_contacts_body_list(ngx_http_campaign_call_t *call, json_t *data);
static ngx_int_t ngx_http_campaign_contacts_number(const u_char *text, size_t len, ngx_campaign_contact_t *contact, ngx_uint_t *code);
static ngx_int_t ngx_http_campaign_contacts_tags(ngx_http_campaign_call_t *call, json_t *value, ngx_str_t *out, ngx_uint_t *code);
static ngx_int_t ngx_http_campaign_contacts_record(ngx_http_campaign_call_t *call, ngx_campaign_lines_t *l,
    ngx_http_campaign_lines_t *lines);
static ngx_int_t ngx_http_campaign_contacts_record_bad(ngx_http_campaign_call_t *call, ngx_http_campaign_lines_t *lines, ngx_uint_t line);
static ngx_int_t ngx_http_campaign_contacts_invalid(ngx_http_campaign_call_t *call, ngx_http_campaign_lines_t *lines, ngx_uint_t line,
    ngx_uint_t code);
static ngx_int_t ngx_http_campaign_contacts_header(ngx_http_campaign_call_t *call, ngx_campaign_lines_t *l,
    ngx_http_campaign_lines_t *lines);
static ngx_int_t ngx_http_campaign_contacts_cells(ngx_http_campaign_call_t *call, ngx_campaign_lines_t *l,
    ngx_http_campaign_lines_t *lines);
static ngx_uint_t ngx_http_campaign_contacts_cell(ngx_int_t column, ngx_str_t *cell, ngx_campaign_contact_t *contact);
static ngx_uint_t ngx_http_campaign_contacts_cell_tags_read(ngx_str_t *cell, ngx_campaign_contact_t *contact);
static ngx_int_t ngx_http_campaign_contacts_json(ngx_http_campaign_call_t *call, ngx_campaign_lines_t *l,
    ngx_http_campaign_lines_t *lines);
static ngx_int_t ngx_http_campaign_contacts_created(ngx_http_campaign_call_t *call);
static ngx_int_t ngx_http_campaign_contacts_count(ngx_http_campaign_call_t *call, ngx_http_campaign_upload_t *upload);
static ngx_int_t ngx_http_campaign_contacts_refuse(ngx_http_campaign_call_t *call, ngx_http_campaign_lines_t *lines);
static ngx_int_t ngx_http_campaign_contacts_found(ngx_http_campaign_call_t *call);
static ngx_int_t ngx_http_campaign_contacts_listed(ngx_http_campaign_call_t *call);

static void ngx_http_campaign_contacts_print_id(ngx_http_campaign_call_t *call, ngx_http_campaign_out_t *out,
    const ngx_http_campaign_field_t *f, const void *place);
static void ngx_http_campaign_contacts_print_number(ngx_http_campaign_call_t *call, ngx_http_campaign_out_t *out,
    const ngx_http_campaign_field_t *f, const void *place);
static void ngx_http_campaign_contacts_print_tags(ngx_http_campaign_call_t *call, ngx_http_campaign_out_t *out,
    const ngx_http_campaign_field_t *f, const void *place);
static void ngx_http_campaign_contacts_print_links(ngx_http_campaign_call_t *call, ngx_http_campaign_out_t *out,
    const ngx_http_campaign_field_t *f, const void *place);


static const ngx_http_campaign_field_type_t
    ngx_http_campaign_contacts_type_id     = { NULL, ngx_http_campaign_contacts_print_id },
    ngx_http_campaign_contacts_type_number = { NULL, ngx_http_campaign_contacts_print_number },
    ngx_http_campaign_contacts_type_tags   = { NULL, ngx_http_campaign_contacts_print_tags },
    ngx_http_campaign_contacts_type_links  = { NULL, ngx_http_campaign_contacts_print_links };


/* clang-format off */

/* fields as they come in; tags are a list in JSON, in a cell of CSV one a line */

static const ngx_http_campaign_contact_row_t  ngx_http_campaign_contacts_rows[] = {
    { ngx_string("number"),     NGX_CAMPAIGN_CONTACT_NUMBER,     NGX_CAMPAIGN_NUMBER_TEXT, 1355 },
    { ngx_string("first_name"), NGX_CAMPAIGN_CONTACT_FIRST_NAME, 32, 1361 },
    { ngx_string("last_name"),  NGX_CAMPAIGN_CONTACT_LAST_NAME,  32, 1362 },
    { ngx_string("custom1"),    NGX_CAMPAIGN_CONTACT_CUSTOM1,    32, 1363 },
    { ngx_string("timestamp"),  NGX_CAMPAIGN_CONTACT_CUSTOM1,    32, 1363 },
    { ngx_string("custom2"),    NGX_CAMPAIGN_CONTACT_CUSTOM2,    70, 1364 },
    { ngx_string("date"),       NGX_CAMPAIGN_CONTACT_CUSTOM2,    70, 1364 },
    { ngx_string("tags"),       NGX_CAMPAIGN_CONTACT_TAGS,       NGX_CAMPAIGN_TAG_MAX, 1365 },
    { ngx_null_string, 0, 0, 0 }
};

#define ngx_http_campaign_contacts_at(n)  offsetof(ngx_campaign_member_t, contact.field) + (n) * sizeof(ngx_str_t)

static const ngx_http_campaign_field_t  ngx_http_campaign_contacts_fields[] = {
    { ngx_string("id"), NGX_CAMPAIGN_F_SHOW, &ngx_http_campaign_contacts_type_id, 0, 0, 0, { 0, 0, 0 } },
    { ngx_string("number"), NGX_CAMPAIGN_F_SHOW, &ngx_http_campaign_contacts_type_number, 0, 0, 0, { 0, 0, 0 } },
    { ngx_string("first_name"), NGX_CAMPAIGN_F_SHOW, &ngx_http_campaign_field_text,
      ngx_http_campaign_contacts_at(NGX_CAMPAIGN_CONTACT_FIRST_NAME), 0, 0, { 0, 0, 0 } },
    { ngx_string("last_name"), NGX_CAMPAIGN_F_SHOW, &ngx_http_campaign_field_text,
      ngx_http_campaign_contacts_at(NGX_CAMPAIGN_CONTACT_LAST_NAME), 0, 0, { 0, 0, 0 } },
    { ngx_string("custom1"), NGX_CAMPAIGN_F_SHOW, &ngx_http_campaign_field_text,
      ngx_http_campaign_contacts_at(NGX_CAMPAIGN_CONTACT_CUSTOM1), 0, 0, { 0, 0, 0 } },
    { ngx_string("custom2"), NGX_CAMPAIGN_F_SHOW, &ngx_http_campaign_field_text,
      ngx_http_campaign_contacts_at(NGX_CAMPAIGN_CONTACT_CUSTOM2), 0, 0, { 0, 0, 0 } },
    { ngx_string("tags"), NGX_CAMPAIGN_F_SHOW, &ngx_http_campaign_contacts_type_tags,
      ngx_http_campaign_contacts_at(NGX_CAMPAIGN_CONTACT_TAGS), 0, 0, { 0, 0, 0 } },
    { ngx_string("links"), NGX_CAMPAIGN_F_SHOW, &ngx_http_campaign_contacts_type_links, 0, 0, 0, { 0, 0, 0 } },
    { ngx_null_string, 0, NULL, 0, 0, 0, { 0, 0, 0 } }
};

const ngx_http_campaign_resource_t  ngx_http_campaign_contacts = {
    .name   = ngx_string("contacts"),
    .kind   = NGX_CAMPAIGN_CONTACT,
    .size   = sizeof(ngx_campaign_member_t),
    .fields = ngx_http_campaign_contacts_fields,
    .code   = { [NGX_CAMPAIGN_NOT_FOUND] = 1301, [NGX_CAMPAIGN_EXISTS] = 1360, [NGX_CAMPAIGN_TOO_MANY] = 1311,
                [NGX_CAMPAIGN_INVALID] = NGX_CAMPAIGN_E_QUERY },
    .read   = ngx_http_campaign_contacts_body,
    .record = ngx_http_campaign_contacts_record,
    .record_bad = ngx_http_campaign_contacts_record_bad
};

/* the columns that an import takes, so that it reads an export back */

static const ngx_http_campaign_column_t  ngx_http_campaign_contacts_columns[] = {
    { ngx_string("number"), ngx_http_campaign_contacts_cell_number, offsetof(ngx_campaign_member_t, contact.number) },
    { ngx_string("first_name"), ngx_http_campaign_export_text, ngx_http_campaign_contacts_at(NGX_CAMPAIGN_CONTACT_FIRST_NAME) },
    { ngx_string("last_name"), ngx_http_campaign_export_text, ngx_http_campaign_contacts_at(NGX_CAMPAIGN_CONTACT_LAST_NAME) },
    { ngx_string("custom1"), ngx_http_campaign_export_text, ngx_http_campaign_contacts_at(NGX_CAMPAIGN_CONTACT_CUSTOM1) },
    { ngx_string("custom2"), ngx_http_campaign_export_text, ngx_http_campaign_contacts_at(NGX_CAMPAIGN_CONTACT_CUSTOM2) },
    { ngx_string("tags"), ngx_http_campaign_contacts_cell_tags, ngx_http_campaign_contacts_at(NGX_CAMPAIGN_CONTACT_TAGS) },
    { ngx_null_string, NULL, 0 }
};

static const ngx_http_campaign_export_source_t  ngx_http_campaign_contacts_source = {
    .resource = &ngx_http_campaign_contacts,
    .columns  = ngx_http_campaign_contacts_columns,
    .file     = ngx_string("contacts"),
    .read     = ngx_http_campaign_contacts_read_page
};

/* clang-format on */


ngx_int_t
ngx_http_campaign_contacts_list(ngx_http_campaign_call_t *call)
{
    ngx_int_t                         rc;
    ngx_campaign_page_t              *page;
    ngx_http_campaign_export_form_e   form;

    page = ngx_pcalloc(call->pool, sizeof(ngx_campaign_page_t));
    if (page == NULL) {
        return NGX_ERROR;
    }

    rc = ngx_http_campaign_resource_query(call, call->route->resource, page);
    if (rc != NGX_OK) {
        return rc;
    }

    form = ngx_http_campaign_export_form(call);

    if (form != NGX_CAMPAIGN_EXPORT_NOT) {
        return ngx_http_campaign_export(call, &ngx_http_campaign_contacts_source, form, page);
    }

    call->data = page;

    rc = ngx_campaign_store_contacts(call->store, ngx_http_campaign_call_op(call, ngx_http_campaign_contacts_listed), call->id[0], page);

    return ngx_http_campaign_call_wait(call, rc);
}


static ngx_int_t
ngx_http_campaign_contacts_read_page(ngx_http_campaign_call_t *call, ngx_campaign_op_t *op, ngx_campaign_page_t *page)
{
    return ngx_campaign_store_contacts(call->store, op, call->id[0], page);
}


static void
ngx_http_campaign_contacts_cell_number(ngx_http_campaign_call_t *call, const void *place, u_char *room, ngx_str_t *text)
{
    text->data = room;
    text->len = ngx_campaign_number_print(room, *(const uint64_t *) place) - room;
}


/* one a line: no tag has a line feed */

static void
ngx_http_campaign_contacts_cell_tags(ngx_http_campaign_call_t *call, const void *place, u_char *room, ngx_str_t *text)
{
    size_t           i;
    const ngx_str_t *tags = place;

    text->data = room;
    text->len = ngx_min(tags->len, NGX_CAMPAIGN_EXPORT_ROOM);

    for (i = 0; i < text->len; i++) {
        room[i] = tags->data[i] == NGX_CAMPAIGN_TAG_SEPARATOR ? LF : tags->data[i];
    }
}


static ngx_int_t
ngx_http_campaign_contacts_listed(ngx_http_campaign_call_t *call)
{
    ngx_int_t  rc;

    rc = ngx_http_campaign_call_answer(call);
    if (rc != NGX_OK) {
        return rc;
    }

    return ngx_http_campaign_reply_page(call, call->route->resource, call->data);
}


static ngx_int_t
ngx_http_campaign_contacts_found(ngx_http_campaign_call_t *call)
{
    if (call->op.rc == NGX_CAMPAIGN_NOT_FOUND) {
        return ngx_http_campaign_error(call, 1351);
    }

    return ngx_http_campaign_resource_show(call);
}


ngx_int_t
ngx_http_campaign_contacts_get(ngx_http_campaign_call_t *call)
{
    ngx_int_t  rc;

    call->rec = ngx_pcalloc(call->pool, sizeof(ngx_campaign_member_t));
    if (call->rec == NULL) {
        return NGX_ERROR;
    }

    rc = ngx_campaign_store_contact(call->store, ngx_http_campaign_call_op(call, ngx_http_campaign_contacts_found),
                                    ngx_http_campaign_call_owner(call), call->id[0], call->id[1], call->rec);

    return ngx_http_campaign_call_wait(call, rc);
}


/* the pile, whatever it was read from, goes in in one transaction */

ngx_int_t
ngx_http_campaign_contacts_create(ngx_http_campaign_call_t *call)
{
    ngx_int_t                    rc;
    ngx_str_t                    strict;
    ngx_http_campaign_upload_t  *upload;

    upload = ngx_pcalloc(call->pool, sizeof(ngx_http_campaign_upload_t));
    if (upload == NULL) {
        return NGX_ERROR;
    }

    upload->lines = call->data;
    upload->import.account = ngx_http_campaign_call_owner(call);
    upload->import.pile = &call->pile;
    upload->import.single = (call->rec != NULL);
    ngx_memcpy(upload->import.audience, call->id[0], NGX_CAMPAIGN_ID_LEN);

    if (upload->lines && upload->lines->invalid) {
        rc = ngx_http_campaign_call_arg(call, "strict", &strict);

        if (rc == NGX_ERROR) {
            return NGX_ERROR;
        }

        if (rc == NGX_OK && strict.len == 4 && ngx_strncasecmp(strict.data, (u_char *) "true", 4) == 0) {
            return ngx_http_campaign_contacts_refuse(call, upload->lines);
        }
    }

    call->data = upload;

    rc = ngx_campaign_store_import(call->store, ngx_http_campaign_call_last(call, ngx_http_campaign_contacts_created,
                                   ngx_http_campaign_contacts_created), &upload->import);

    return ngx_http_campaign_call_wait(call, rc);
}


static ngx_int_t
ngx_http_campaign_contacts_created(ngx_http_campaign_call_t *call)
{
    ngx_int_t                    rc;
    ngx_campaign_member_t       *member;
    ngx_http_campaign_upload_t  *upload;

    rc = ngx_http_campaign_call_answer(call);
    if (rc != NGX_OK) {
        return rc;
    }

    upload = call->data;

    if (call->rec == NULL) {
        return ngx_http_campaign_contacts_count(call, upload);
    }

    member = call->rec;
    ngx_memcpy(member->id, upload->import.id, NGX_CAMPAIGN_ID_LEN);

    return ngx_http_campaign_reply_object(call, call->route->resource, member);
}


/* what became of a bulk request */

static ngx_int_t
ngx_http_campaign_contacts_count(ngx_http_campaign_call_t *call, ngx_http_campaign_upload_t *upload)
{
    ngx_uint_t                       i;
    ngx_http_campaign_out_t          out;
    ngx_http_campaign_line_error_t  *e;

    ngx_http_campaign_out_init(&out, ngx_http_campaign_reply_pool(call));

    ngx_http_campaign_out_lit(&out, "{\"data\":{\"created\":");
    ngx_http_campaign_out_uint(&out, upload->import.created);
    ngx_http_campaign_out_lit(&out, ",\"duplicates\":");
    ngx_http_campaign_out_uint(&out, upload->import.duplicates);
    ngx_http_campaign_out_lit(&out, ",\"invalid\":");
    ngx_http_campaign_out_uint(&out, upload->lines ? upload->lines->invalid : 0);
    ngx_http_campaign_out_lit(&out, ",\"errors\":[");

    for (i = 0; upload->lines && i < upload->lines->errors.nelts; i++) {
        e = (ngx_http_campaign_line_error_t *) upload->lines->errors.elts + i;

        if (i) {
            ngx_http_campaign_out_lit(&out, ",");
        }

        ngx_http_campaign_out_lit(&out, "{\"line\":");
        ngx_http_campaign_out_uint(&out, e->line);
        ngx_http_campaign_out_lit(&out, ",\"code\":");
        ngx_http_campaign_out_uint(&out, e->code);
        ngx_http_campaign_out_lit(&out, ",\"message\":");
        ngx_http_campaign_out_string(&out, &e->message);
        ngx_http_campaign_out_lit(&out, "}");
    }

    ngx_http_campaign_out_lit(&out, "]}}");

    return ngx_http_campaign_reply_send(call, call->route->status, &out);
}


/* ?strict=true: one bad line refuses all of them */

static ngx_int_t
ngx_http_campaign_contacts_refuse(ngx_http_campaign_call_t *call, ngx_http_campaign_lines_t *lines)
{
    ngx_uint_t                       i;
    ngx_http_campaign_line_error_t  *e;

    for (i = 0; i < lines->errors.nelts; i++) {
        e = (ngx_http_campaign_line_error_t *) lines->errors.elts + i;

        if (ngx_http_campaign_error_text(call, e->code, "line %ui: %V", e->line, &e->message) == NGX_ERROR) {
            return NGX_ERROR;
        }
    }

    return NGX_DECLINED;
}


/* data of a POST: one contact (call->rec is set), or a list */

static ngx_int_t
ngx_http_campaign_contacts_body(ngx_http_campaign_call_t *call, json_t *data)
{
    ngx_int_t               rc;
    ngx_uint_t              i, n, codes[NGX_CAMPAIGN_CONTACT_ERRORS];
    ngx_campaign_member_t  *member;

    if (json_is_array(data)) {
        return ngx_http_campaign_contacts_body_list(call, data);
    }

    member = ngx_pcalloc(call->pool, sizeof(ngx_campaign_member_t));
    if (member == NULL) {
        return NGX_ERROR;
    }

    call->rec = member;

    rc = ngx_http_campaign_contacts_read(call, data, &member->contact, codes, &n);

    if (rc != NGX_DECLINED) {
        return rc == NGX_OK ? ngx_campaign_pile_add(&call->pile, &member->contact) : NGX_ERROR;
    }

    for (i = 0; i < n; i++) {
        if (ngx_http_campaign_error(call, codes[i]) == NGX_ERROR) {
            return NGX_ERROR;
        }
    }

    return NGX_DECLINED;
}


static ngx_int_t
ngx_http_campaign_contacts_body_list(ngx_http_campaign_call_t *call, json_t *data)
{
    call->rec = NULL;

    if (json_array_size(data) == 0) {
        return ngx_http_campaign_error(call, NGX_CAMPAIGN_E_NO_DATA);
    }

    return ngx_http_campaign_contacts_list_read(call, data, "data", NGX_CAMPAIGN_CONTACTS_MAX, 1308, 0);
}


ngx_int_t
ngx_http_campaign_contacts_list_read(ngx_http_campaign_call_t *call, json_t *list, const char *name, size_t most, ngx_uint_t too_many,
    ngx_uint_t code)
{
    size_t                  i;
    json_t                 *item;
    ngx_int_t               rc;
    ngx_uint_t              n, bad, codes[NGX_CAMPAIGN_CONTACT_ERRORS];
    ngx_campaign_contact_t  contact;

    if (json_array_size(list) > most) {
        return ngx_http_campaign_error_text(call, too_many, "'%s' must be at most %uz items in length", name, most);
    }

    bad = 0;

    json_array_foreach(list, i, item) {

        rc = ngx_http_campaign_contacts_read(call, item, &contact, codes, &n);

        if (rc == NGX_OK) {
            rc = ngx_campaign_pile_add(&call->pile, &contact);

        } else if (rc == NGX_DECLINED && bad++ < NGX_CAMPAIGN_CONTACTS_TOLD) {
            rc = ngx_http_campaign_error_text(call, code ? code : codes[0], "'%s[%uz]' is invalid: %V", name, i,
                                              ngx_http_campaign_error_message(codes[0]));
        }

        if (rc == NGX_ERROR) {
            return NGX_ERROR;
        }

        if (bad == NGX_CAMPAIGN_CONTACTS_TOLD) {
            break;
        }
    }

    return bad ? NGX_DECLINED : NGX_OK;
}


ngx_int_t
ngx_http_campaign_contacts_read(ngx_http_campaign_call_t *call, json_t *value, ngx_campaign_contact_t *contact, ngx_uint_t *codes,
    ngx_uint_t *n)
{
    json_t                                 *item;
    ngx_int_t                               rc;
    ngx_str_t                               text;
    ngx_uint_t                              characters, code;
    const ngx_http_campaign_contact_row_t  *row;

    *n = 0;
    ngx_memzero(contact, sizeof(ngx_campaign_contact_t));

    if (json_is_object(value)) {
        item = json_object_get(value, "number");

    } else {
        item = value;
    }

    if (item == NULL || json_is_null(item)) {
        codes[(*n)++] = 1353;

    } else if (ngx_http_campaign_contacts_number((const u_char *) json_string_value(item), json_string_length(item), contact, &code)
               != NGX_OK)
    {
        codes[(*n)++] = code;
    }

    for (row = &ngx_http_campaign_contacts_rows[1]; row->field != NGX_CAMPAIGN_CONTACT_TAGS && json_is_object(value); row++) {

        item = json_object_get(value, (const char *) row->name.data);

        if (item == NULL || json_is_null(item)) {
            continue;
        }

        characters = 0;
        rc = ngx_http_campaign_field_copy(call, item, 1, &text, &characters);

        if (rc == NGX_ERROR) {
            return NGX_ERROR;
        }

        if (rc == NGX_DECLINED || characters > row->most) {
            if (*n < NGX_CAMPAIGN_CONTACT_ERRORS - 1) {
                codes[(*n)++] = rc == NGX_DECLINED ? 1365 : row->code;
            }

        } else {
            contact->field[row->field] = text;
        }
    }

    if (json_is_object(value)) {
        rc = ngx_http_campaign_contacts_tags(call, json_object_get(value, "tags"), &contact->field[NGX_CAMPAIGN_CONTACT_TAGS], &code);

        if (rc == NGX_ERROR) {
            return NGX_ERROR;
        }

        if (rc == NGX_DECLINED) {
            codes[(*n)++] = code;
        }
    }

    return *n ? NGX_DECLINED : NGX_OK;
}


/* text NULL: not a string */

static ngx_int_t
ngx_http_campaign_contacts_number(const u_char *text, size_t len, ngx_campaign_contact_t *contact, ngx_uint_t *code)
{
    *code = 1354;

    if (text == NULL) {
        return NGX_DECLINED;
    }

    if (len == 0) {
        *code = 1353;
        return NGX_DECLINED;
    }

    if (len > NGX_CAMPAIGN_NUMBER_TEXT) {
        *code = 1355;
        return NGX_DECLINED;
    }

    return ngx_campaign_number_parse(text, len, &contact->number) == NGX_OK ? NGX_OK : NGX_DECLINED;
}


/* a list of strings, joined by a separator that none of them can hold */

static ngx_int_t
ngx_http_campaign_contacts_tags(ngx_http_campaign_call_t *call, json_t *value, ngx_str_t *out, ngx_uint_t *code)
{
    u_char      *p;
    size_t       i;
    json_t      *item;
    ngx_int_t    rc;
    ngx_str_t    tags[NGX_CAMPAIGN_TAGS_MAX];
    ngx_uint_t   characters;

    if (value == NULL || json_is_null(value)) {
        return NGX_OK;
    }

    *code = 1365;

    if (!json_is_array(value)) {
        return NGX_DECLINED;
    }

    if (json_array_size(value) > NGX_CAMPAIGN_TAGS_MAX) {
        *code = 1359;
        return NGX_DECLINED;
    }

    out->len = 0;

    json_array_foreach(value, i, item) {
        characters = 0;
        rc = ngx_http_campaign_field_copy(call, item, 0, &tags[i], &characters);

        if (rc != NGX_OK) {
            return rc;
        }

        if (characters == 0 || characters > NGX_CAMPAIGN_TAG_MAX) {
            return NGX_DECLINED;
        }

        out->len += tags[i].len + 1;
    }

    if (out->len == 0) {
        return NGX_OK;
    }

    p = ngx_pnalloc(call->pool, out->len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    out->data = p;
    out->len--;

    for (i = 0; i < json_array_size(value); i++) {
        if (i) {
            *p++ = NGX_CAMPAIGN_TAG_SEPARATOR;
        }

        p = ngx_cpymem(p, tags[i].data, tags[i].len);
    }

    return NGX_OK;
}


/* a record of an upload: the header row, a contact, or a bad line */

static ngx_int_t
ngx_http_campaign_contacts_record(ngx_http_campaign_call_t *call, ngx_campaign_lines_t *l, ngx_http_campaign_lines_t *lines)
{
    if (call->pile.n + lines->invalid >= NGX_CAMPAIGN_RECIPIENTS_MAX) {
        return ngx_http_campaign_error_text(call, 1311, "more than %d lines: send the rest to another audience",
                                            NGX_CAMPAIGN_RECIPIENTS_MAX);
    }

    if (l->form == NGX_CAMPAIGN_LINES_NDJSON) {
        return ngx_http_campaign_contacts_json(call, l, lines);
    }

    return lines->header ? ngx_http_campaign_contacts_cells(call, l, lines) : ngx_http_campaign_contacts_header(call, l, lines);
}


static ngx_int_t
ngx_http_campaign_contacts_header(ngx_http_campaign_call_t *call, ngx_campaign_lines_t *l, ngx_http_campaign_lines_t *lines)
{
    ngx_int_t                              *column;
    ngx_uint_t                              i, number;
    const ngx_http_campaign_contact_row_t  *row;

    number = 0;
    lines->header = 1;

    for (i = 0; i < l->n; i++) {

        column = ngx_array_push(&lines->columns);
        if (column == NULL) {
            return NGX_ERROR;
        }

        *column = NGX_DECLINED;

        for (row = ngx_http_campaign_contacts_rows; row->name.len; row++) {
            if (row->name.len == l->cell[i].len && ngx_strncasecmp(row->name.data, l->cell[i].data, l->cell[i].len) == 0) {
                *column = row - ngx_http_campaign_contacts_rows;
            }
        }

        number += (*column == 0);
    }

    if (number == 1) {
        return NGX_OK;
    }

    return ngx_http_campaign_error_text(call, 1353, "line %ui: the header row should name the column 'number' once, and may name first_name, "
                                        "last_name, custom1, custom2", l->line);
}


static ngx_int_t
ngx_http_campaign_contacts_cells(ngx_http_campaign_call_t *call, ngx_campaign_lines_t *l, ngx_http_campaign_lines_t *lines)
{
    ngx_int_t               *columns;
    ngx_uint_t               i, code;
    ngx_campaign_contact_t   contact;

    ngx_memzero(&contact, sizeof(ngx_campaign_contact_t));

    columns = lines->columns.elts;
    code = 1353;

    for (i = 0; i < l->n && i < lines->columns.nelts; i++) {
        if (columns[i] >= 0) {
            code = ngx_http_campaign_contacts_cell(columns[i], &l->cell[i], &contact);
            if (code) {
                break;
            }
        }
    }

    if (code == 0 && contact.number == 0) {
        code = 1353;
    }

    if (code) {
        return ngx_http_campaign_contacts_invalid(call, lines, l->line, code);
    }

    return ngx_campaign_pile_add(&call->pile, &contact);
}


/* 0: taken; else what is wrong.  A ' in front of a formula was put there by an export, or by who knows spreadsheets */

static ngx_uint_t
ngx_http_campaign_contacts_cell(ngx_int_t column, ngx_str_t *cell, ngx_campaign_contact_t *contact)
{
    size_t                                  i;
    ngx_int_t                               characters;
    ngx_uint_t                              code;
    const ngx_http_campaign_contact_row_t  *row;

    row = &ngx_http_campaign_contacts_rows[column];

    if (cell->len && cell->data[0] == '\'' && ngx_http_campaign_export_formula(cell)) {
        cell->data++;
        cell->len--;
    }

    if (row->field == NGX_CAMPAIGN_CONTACT_TAGS) {
        return ngx_http_campaign_contacts_cell_tags_read(cell, contact);
    }

    if (row->field == NGX_CAMPAIGN_CONTACT_NUMBER) {
        return ngx_http_campaign_contacts_number(cell->data, cell->len, contact, &code) == NGX_OK ? 0 : code;
    }

    characters = ngx_campaign_utf8_length(cell->data, cell->len);

    if (characters == NGX_ERROR) {
        return 1365;
    }

    if (characters > (ngx_int_t) row->most) {
        return row->code;
    }

    for (i = 0; i < cell->len; i++) {
        if ((cell->data[i] < 0x20 && cell->data[i] != LF && cell->data[i] != CR && cell->data[i] != '\t') || cell->data[i] == 0x7f) {
            return 1365;
        }
    }

    if (cell->len) {
        contact->field[row->field] = *cell;             /* the pile copies it */
    }

    return 0;
}


/* one a line, empty lines passed over; in place: the cell becomes the joined tags */

static ngx_uint_t
ngx_http_campaign_contacts_cell_tags_read(ngx_str_t *cell, ngx_campaign_contact_t *contact)
{
    u_char      *p, *end, *next, *to;
    size_t       i, len;
    ngx_int_t    characters;
    ngx_uint_t   n;

    n = 0;
    to = cell->data;
    end = cell->data + cell->len;

    for (p = cell->data; p < end; p = next + 1) {

        next = ngx_strlchr(p, end, LF);
        if (next == NULL) {
            next = end;
        }

        len = next - p;

        if (len && p[len - 1] == CR) {
            len--;
        }

        if (len == 0) {
            continue;
        }

        characters = ngx_campaign_utf8_length(p, len);

        if (characters == NGX_ERROR || characters > NGX_CAMPAIGN_TAG_MAX) {
            return 1365;
        }

        if (++n > NGX_CAMPAIGN_TAGS_MAX) {
            return 1359;
        }

        for (i = 0; i < len; i++) {
            if (p[i] < 0x20 || p[i] == 0x7f) {
                return 1365;
            }
        }

        if (n > 1) {
            *to++ = NGX_CAMPAIGN_TAG_SEPARATOR;
        }

        to = ngx_movemem(to, p, len);
    }

    contact->field[NGX_CAMPAIGN_CONTACT_TAGS].data = cell->data;
    contact->field[NGX_CAMPAIGN_CONTACT_TAGS].len = to - cell->data;

    return 0;
}


static ngx_int_t
ngx_http_campaign_contacts_json(ngx_http_campaign_call_t *call, ngx_campaign_lines_t *l, ngx_http_campaign_lines_t *lines)
{
    json_t                  *value;
    ngx_int_t                rc;
    ngx_uint_t               n, codes[NGX_CAMPAIGN_CONTACT_ERRORS];
    json_error_t             error;
    ngx_campaign_contact_t   contact;

    value = json_loadb((const char *) l->cell[0].data, l->cell[0].len, JSON_REJECT_DUPLICATES, &error);

    if (value == NULL) {
        return ngx_http_campaign_contacts_invalid(call, lines, l->line, NGX_CAMPAIGN_E_JSON);
    }

    rc = ngx_http_campaign_contacts_read(call, value, &contact, codes, &n);

    json_decref(value);

    if (rc == NGX_DECLINED) {
        return ngx_http_campaign_contacts_invalid(call, lines, l->line, codes[0]);
    }

    return rc == NGX_OK ? ngx_campaign_pile_add(&call->pile, &contact) : NGX_ERROR;
}


static ngx_int_t
ngx_http_campaign_contacts_record_bad(ngx_http_campaign_call_t *call, ngx_http_campaign_lines_t *lines, ngx_uint_t line)
{
    return ngx_http_campaign_contacts_invalid(call, lines, line, 1365);
}


/* counts a bad line, and notes it if it is one of the first */

static ngx_int_t
ngx_http_campaign_contacts_invalid(ngx_http_campaign_call_t *call, ngx_http_campaign_lines_t *lines, ngx_uint_t line, ngx_uint_t code)
{
    ngx_http_campaign_line_error_t  *e;

    lines->invalid++;

    if (lines->errors.nelts == NGX_CAMPAIGN_LINE_ERRORS) {
        return NGX_OK;
    }

    e = ngx_array_push(&lines->errors);
    if (e == NULL) {
        return NGX_ERROR;
    }

    e->line = line;
    e->code = code;
    e->message = *ngx_http_campaign_error_message(code);

    return NGX_OK;
}


static void
ngx_http_campaign_contacts_print_id(ngx_http_campaign_call_t *call, ngx_http_campaign_out_t *out, const ngx_http_campaign_field_t *f,
    const void *place)
{
    const ngx_campaign_member_t *member = place;

    ngx_http_campaign_out_uuid(out, member->id);
}


static void
ngx_http_campaign_contacts_print_number(ngx_http_campaign_call_t *call, ngx_http_campaign_out_t *out, const ngx_http_campaign_field_t *f,
    const void *place)
{
    u_char                       text[NGX_CAMPAIGN_NUMBER_LEN];
    ngx_str_t                    value;
    const ngx_campaign_member_t *member = place;

    value.data = text;
    value.len = ngx_campaign_number_print(text, member->contact.number) - text;

    ngx_http_campaign_out_string(out, &value);
}


static void
ngx_http_campaign_contacts_print_tags(ngx_http_campaign_call_t *call, ngx_http_campaign_out_t *out, const ngx_http_campaign_field_t *f,
    const void *place)
{
    u_char           *p, *end, *next;
    ngx_str_t         tag;
    const ngx_str_t  *tags = place;

    ngx_http_campaign_out_lit(out, "[");

    end = tags->data + tags->len;

    for (p = tags->data; p && p < end; p = next + 1) {

        next = ngx_strlchr(p, end, NGX_CAMPAIGN_TAG_SEPARATOR);
        if (next == NULL) {
            next = end;
        }

        if (p != tags->data) {
            ngx_http_campaign_out_lit(out, ",");
        }

        tag.data = p;
        tag.len = next - p;
        ngx_http_campaign_out_string(out, &tag);
    }

    ngx_http_campaign_out_lit(out, "]");
}


static void
ngx_http_campaign_contacts_print_links(ngx_http_campaign_call_t *call, ngx_http_campaign_out_t *out, const ngx_http_campaign_field_t *f,
    const void *place)
{
    u_char                       text[NGX_CAMPAIGN_UUID_LEN];
    ngx_uint_t                   i;
    const ngx_campaign_member_t *member = place;

    for (i = 0; i < 2; i++) {
        if (i == 0) {
            ngx_http_campaign_out_lit(out, "{\"self\":\"");
        } else {
            ngx_http_campaign_out_lit(out, "\",\"audience\":\"");
        }

        ngx_http_campaign_out_raw(out, call->prefix.data, call->prefix.len);
        ngx_http_campaign_out_lit(out, "/audiences/");
        ngx_campaign_uuid_print(text, call->id[0]);
        ngx_http_campaign_out_raw(out, text, sizeof(text));

        if (i == 0) {
            ngx_http_campaign_out_lit(out, "/contacts/");
            ngx_campaign_uuid_print(text, member->id);
            ngx_http_campaign_out_raw(out, text, sizeof(text));
        }
    }

    ngx_http_campaign_out_lit(out, "\"}");
}
