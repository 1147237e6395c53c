
/*
 * Contacts of an audience: one, several in a list, or up to 100 000 lines of CSV or NDJSON as they stream in; listed, searched, exported,
 * changed.  How one is read is in ngx_http_campaign_contact.c.
 */

#include "ngx_http_campaign_error.h"
#include "ngx_http_campaign_export.h"
#include "ngx_http_campaign_resource.h"

#include "ngx_campaign_number.h"


#define NGX_CAMPAIGN_CONTACTS_MAX  1000         /* in one JSON request */


typedef struct {                                /* call->data while contacts go to the store */
    ngx_campaign_import_t       import;
    ngx_http_campaign_lines_t  *lines;          /* NULL: they came as JSON */
} ngx_http_campaign_upload_t;


static ngx_int_t ngx_http_campaign_contacts_read_page(ngx_http_campaign_call_t *call, ngx_campaign_op_t *op, ngx_campaign_page_t *page);
static void ngx_http_campaign_contacts_cell_number(ngx_http_campaign_call_t *call, const void *place, u_char *room, ngx_str_t *text);
static void ngx_http_campaign_contacts_cell_tags(ngx_http_campaign_call_t *call, const void *place, u_char *room, ngx_str_t *text);
static ngx_int_t ngx_http_campaign_contacts_body(ngx_http_campaign_call_t *call, json_t *data);
static ngx_int_t ngx_http_campaign_contacts_body_list(ngx_http_campaign_call_t *call, json_t *data);
static ngx_int_t ngx_http_campaign_contacts_created(ngx_http_campaign_call_t *call);
static ngx_int_t ngx_http_campaign_contacts_found(ngx_http_campaign_call_t *call);
static ngx_int_t ngx_http_campaign_contacts_gone(ngx_http_campaign_call_t *call);

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

static const ngx_http_campaign_filter_t  ngx_http_campaign_contacts_filters[] = {
    { ngx_string("search"), ngx_http_campaign_filter_match, NULL },
    { ngx_null_string, NULL, NULL }
};

const ngx_http_campaign_resource_t  ngx_http_campaign_contacts = {
    .name   = ngx_string("contacts"),
    .kind   = NGX_CAMPAIGN_CONTACT,
    .size   = sizeof(ngx_campaign_member_t),
    .fields = ngx_http_campaign_contacts_fields,
    .filters = ngx_http_campaign_contacts_filters,
    .code   = { [NGX_CAMPAIGN_NOT_FOUND] = 1301, [NGX_CAMPAIGN_EXISTS] = 1360, [NGX_CAMPAIGN_TOO_MANY] = 1311,
                [NGX_CAMPAIGN_INVALID] = NGX_CAMPAIGN_E_QUERY },
    .read   = ngx_http_campaign_contacts_body,
    .record = ngx_http_campaign_contact_record,
    .record_bad = ngx_http_campaign_contact_record_bad
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

    rc = ngx_http_campaign_resource_page(call, &page);
    if (rc != NGX_OK) {
        return rc;
    }

    form = ngx_http_campaign_export_form(call);

    if (form != NGX_CAMPAIGN_EXPORT_NOT) {
        return ngx_http_campaign_export(call, &ngx_http_campaign_contacts_source, form, page);
    }

    rc = ngx_campaign_store_contacts(call->store, ngx_http_campaign_call_op(call, ngx_http_campaign_resource_listed), call->id[0], page);

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


/* fields that were not given stay, null empties one */

ngx_int_t
ngx_http_campaign_contacts_change(ngx_http_campaign_call_t *call)
{
    ngx_int_t               rc;
    ngx_campaign_member_t  *member;

    if (call->given == 0) {
        return ngx_http_campaign_contacts_get(call);
    }

    member = call->rec;
    ngx_memcpy(member->id, call->id[1], NGX_CAMPAIGN_ID_LEN);

    rc = ngx_campaign_store_contact_change(call->store, ngx_http_campaign_call_op(call, ngx_http_campaign_contacts_found),
                                           ngx_http_campaign_call_owner(call), call->id[0], member, call->given);

    return ngx_http_campaign_call_wait(call, rc);
}


ngx_int_t
ngx_http_campaign_contacts_delete(ngx_http_campaign_call_t *call)
{
    ngx_int_t  rc;

    rc = ngx_campaign_store_contact_delete(call->store, ngx_http_campaign_call_op(call, ngx_http_campaign_contacts_gone),
                                           ngx_http_campaign_call_owner(call), call->id[0], call->id[1]);

    return ngx_http_campaign_call_wait(call, rc);
}


static ngx_int_t
ngx_http_campaign_contacts_gone(ngx_http_campaign_call_t *call)
{
    if (call->op.rc == NGX_CAMPAIGN_NOT_FOUND) {
        return ngx_http_campaign_error(call, 1351);
    }

    return ngx_http_campaign_resource_deleted(call);
}


/* the pile, whatever it was read from, goes in in one transaction */

ngx_int_t
ngx_http_campaign_contacts_create(ngx_http_campaign_call_t *call)
{
    ngx_int_t                    rc;
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

    rc = ngx_http_campaign_upload_strict(call, upload->lines);
    if (rc != NGX_OK) {
        return rc;
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
        return ngx_http_campaign_upload_count(call, upload->lines, upload->import.created, upload->import.duplicates, 0);
    }

    member = call->rec;
    ngx_memcpy(member->id, upload->import.id, NGX_CAMPAIGN_ID_LEN);

    return ngx_http_campaign_reply_object(call, call->route->resource, member);
}


/* data: one contact (call->rec is set), or, in a POST, a list */

static ngx_int_t
ngx_http_campaign_contacts_body(ngx_http_campaign_call_t *call, json_t *data)
{
    ngx_int_t               rc;
    ngx_uint_t              i, n, change;
    ngx_campaign_member_t  *member;

    ngx_http_campaign_contact_wrong_t  wrong[NGX_CAMPAIGN_CONTACT_ERRORS];

    if (json_is_array(data)) {
        return ngx_http_campaign_contacts_body_list(call, data);
    }

    member = ngx_pcalloc(call->pool, sizeof(ngx_campaign_member_t));
    if (member == NULL) {
        return NGX_ERROR;
    }

    call->rec = member;

    change = (call->route->method != NGX_HTTP_POST);

    rc = ngx_http_campaign_contact_read(call, data, &member->contact, change ? &call->given : NULL, wrong, &n);

    if (rc == NGX_OK && !change) {
        rc = ngx_campaign_pile_add(&call->pile, &member->contact);
    }

    if (rc != NGX_DECLINED) {
        return rc;
    }

    for (i = 0; i < n; i++) {
        if (ngx_http_campaign_contact_error(call, &wrong[i]) == NGX_ERROR) {
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

    return ngx_http_campaign_contact_read_list(call, data, "data", NGX_CAMPAIGN_CONTACTS_MAX, 1308, 0);
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
    u_char                      *p, path[sizeof("/contacts/") + NGX_CAMPAIGN_UUID_LEN];
    const ngx_campaign_member_t *member = place;

    p = ngx_campaign_uuid_print(ngx_cpymem(path, "/contacts/", sizeof("/contacts/") - 1), member->id);
    *p = '\0';

    ngx_http_campaign_out_lit(out, "{\"self\":");
    ngx_http_campaign_out_path(call, out, &ngx_http_campaign_audiences.name, call->id[0], (char *) path);
    ngx_http_campaign_out_link(call, out, "audience", &ngx_http_campaign_audiences.name, call->id[0], "");
    ngx_http_campaign_out_lit(out, "}");
}
