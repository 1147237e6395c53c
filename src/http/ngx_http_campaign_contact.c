
/*
 * Reads a contact: from an object of JSON, from a row of CSV (by its header row) or a line of NDJSON.  It keeps true: whatever the form, a
 * field has the same limits and its mistakes the same codes.  May run on a thread.
 */

#include "ngx_http_campaign_error.h"
#include "ngx_http_campaign_export.h"
#include "ngx_http_campaign_resource.h"

#include "ngx_campaign_number.h"
#include "ngx_campaign_sms.h"


#define NGX_CAMPAIGN_CONTACT_NUMBER  NGX_CAMPAIGN_CONTACT_FIELDS        /* a column that is the number */
#define NGX_CAMPAIGN_NUMBER_TEXT     45         /* characters of a number as it is written */
#define NGX_CAMPAIGN_TAG_MAX         45         /* characters */
#define NGX_CAMPAIGN_CONTACTS_TOLD   10         /* bad contacts of a list that are told of */
#define NGX_CAMPAIGN_CONTACT_TEXT    128        /* bytes of what is wrong with a field */

#define NGX_CAMPAIGN_CONTACT_ROW_NUMBER  0      /* rows of the table */
#define NGX_CAMPAIGN_CONTACT_ROW_TAGS    7


typedef struct {
    ngx_str_t    name;
    ngx_int_t    field;         /* ngx_campaign_contact_field_e, or NGX_CAMPAIGN_CONTACT_NUMBER */
    ngx_uint_t   most;          /* characters */
    ngx_uint_t   code;          /* too long */
} ngx_http_campaign_contact_row_t;


static ngx_int_t ngx_http_campaign_contact_note(ngx_http_campaign_call_t *call, const char *name, size_t i, json_t *item, ngx_uint_t code,
    const ngx_http_campaign_contact_wrong_t *wrong);
static void ngx_http_campaign_contact_text(u_char *text, const ngx_http_campaign_contact_wrong_t *wrong);
static void ngx_http_campaign_contact_wrong(ngx_http_campaign_contact_wrong_t *wrong, ngx_uint_t *n, ngx_uint_t code, ngx_uint_t row);
static ngx_int_t ngx_http_campaign_contact_number(const u_char *text, size_t len, ngx_campaign_contact_t *contact, ngx_uint_t *code);
static ngx_int_t ngx_http_campaign_contact_tags(ngx_http_campaign_call_t *call, json_t *value, ngx_str_t *out, ngx_uint_t *code);
static ngx_int_t ngx_http_campaign_contact_header_bad(ngx_http_campaign_call_t *call, ngx_uint_t line);
static ngx_int_t ngx_http_campaign_contact_cells(ngx_http_campaign_call_t *call, ngx_campaign_lines_t *l,
    ngx_http_campaign_lines_t *lines);
static ngx_int_t ngx_http_campaign_contact_invalid(ngx_http_campaign_lines_t *lines, ngx_uint_t line, ngx_uint_t code, ngx_uint_t row);
static ngx_uint_t ngx_http_campaign_contact_cell(ngx_int_t column, ngx_str_t *cell, ngx_campaign_contact_t *contact);
static ngx_uint_t ngx_http_campaign_contact_cell_tags(ngx_str_t *cell, ngx_campaign_contact_t *contact);
static ngx_int_t ngx_http_campaign_contact_json(ngx_http_campaign_call_t *call, ngx_campaign_lines_t *l,
    ngx_http_campaign_lines_t *lines);


/* clang-format off */

/* fields as they come in; tags are a list in JSON, in a cell of CSV one a line */

static const ngx_http_campaign_contact_row_t  ngx_http_campaign_contact_rows[] = {
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

/* clang-format on */


ngx_int_t
ngx_http_campaign_contact_read_list(ngx_http_campaign_call_t *call, json_t *list, const char *name, size_t most, ngx_uint_t too_many,
    ngx_uint_t code)
{
    size_t                  i;
    json_t                 *item;
    ngx_int_t               rc;
    ngx_uint_t              n, bad;
    ngx_campaign_contact_t  contact;

    ngx_http_campaign_contact_wrong_t  wrong[NGX_CAMPAIGN_CONTACT_ERRORS];

    if (json_array_size(list) > most) {
        return ngx_http_campaign_error_text(call, too_many, "'%s' must be at most %uz items in length", name, most);
    }

    bad = 0;

    json_array_foreach(list, i, item) {

        rc = ngx_http_campaign_contact_read(call, item, &contact, NULL, wrong, &n);

        if (rc == NGX_OK) {
            rc = ngx_campaign_pile_add(&call->pile, &contact);

        } else if (rc == NGX_DECLINED && bad++ < NGX_CAMPAIGN_CONTACTS_TOLD) {
            rc = ngx_http_campaign_contact_note(call, name, i, item, code ? code : wrong[0].code, &wrong[0]);
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


/* item i of the list: a contact whose field is wrong, or a number */

static ngx_int_t
ngx_http_campaign_contact_note(ngx_http_campaign_call_t *call, const char *name, size_t i, json_t *item, ngx_uint_t code,
    const ngx_http_campaign_contact_wrong_t *wrong)
{
    u_char            text[NGX_CAMPAIGN_CONTACT_TEXT];
    const ngx_str_t  *field;

    ngx_http_campaign_contact_text(text, wrong);

    if (!json_is_object(item)) {
        return ngx_http_campaign_error_text(call, code, "'%s[%uz]' %s", name, i, text);
    }

    field = &ngx_http_campaign_contact_rows[wrong->row].name;

    return ngx_http_campaign_error_text(call, code, "'%s[%uz].%V' %s", name, i, field, text);
}


ngx_int_t
ngx_http_campaign_contact_error(ngx_http_campaign_call_t *call, const ngx_http_campaign_contact_wrong_t *wrong)
{
    u_char  text[NGX_CAMPAIGN_CONTACT_TEXT];

    ngx_http_campaign_contact_text(text, wrong);

    return ngx_http_campaign_error_text(call, wrong->code, "'data.%V' %s", &ngx_http_campaign_contact_rows[wrong->row].name, text);
}


/* what is wrong with a field and what it should be, to stand behind its name; with a zero at the end */

static void
ngx_http_campaign_contact_text(u_char *text, const ngx_http_campaign_contact_wrong_t *wrong)
{
    const ngx_http_campaign_contact_row_t  *row;

    row = &ngx_http_campaign_contact_rows[wrong->row];

    switch (wrong->code) {

    case 1353:
        ngx_sprintf(text, "is required%Z");
        return;

    case 1354:
        ngx_sprintf(text, "is invalid: 7 to 15 digits, the first one not 0%Z");
        return;

    case 1359:
        ngx_sprintf(text, "must be at most %d items in length%Z", NGX_CAMPAIGN_TAGS_MAX);
        return;

    case 1365:
        if (row->field == NGX_CAMPAIGN_CONTACT_TAGS) {
            ngx_sprintf(text, "is invalid: up to %d texts of 1 to %ui characters%Z", NGX_CAMPAIGN_TAGS_MAX, row->most);

        } else {
            ngx_sprintf(text, "is invalid: a text of up to %ui characters, none of them a control character%Z", row->most);
        }

        return;

    default:
        ngx_sprintf(text, "is too long: at most %ui characters%Z", row->most);
    }
}


static void
ngx_http_campaign_contact_wrong(ngx_http_campaign_contact_wrong_t *wrong, ngx_uint_t *n, ngx_uint_t code, ngx_uint_t row)
{
    wrong[*n].code = code;
    wrong[*n].row = row;
    (*n)++;
}


ngx_int_t
ngx_http_campaign_contact_read(ngx_http_campaign_call_t *call, json_t *value, ngx_campaign_contact_t *contact, ngx_uint_t *given,
    ngx_http_campaign_contact_wrong_t *wrong, ngx_uint_t *n)
{
    json_t                                 *item;
    ngx_int_t                               rc;
    ngx_str_t                               text;
    ngx_uint_t                              characters, code, set;
    const ngx_http_campaign_contact_row_t  *row;

    *n = 0;
    set = 0;
    ngx_memzero(contact, sizeof(ngx_campaign_contact_t));

    if (json_is_object(value)) {
        item = json_object_get(value, "number");

    } else {
        item = value;
    }

    set |= item ? NGX_CAMPAIGN_SET_NUMBER : 0;

    if (item == NULL && given) {
        /* void */

    } else if (item == NULL || json_is_null(item)) {
        ngx_http_campaign_contact_wrong(wrong, n, 1353, NGX_CAMPAIGN_CONTACT_ROW_NUMBER);

    } else if (ngx_http_campaign_contact_number((const u_char *) json_string_value(item), json_string_length(item), contact, &code)
               != NGX_OK)
    {
        ngx_http_campaign_contact_wrong(wrong, n, code, NGX_CAMPAIGN_CONTACT_ROW_NUMBER);
    }

    for (row = &ngx_http_campaign_contact_rows[1]; row->field != NGX_CAMPAIGN_CONTACT_TAGS && json_is_object(value); row++) {

        item = json_object_get(value, (const char *) row->name.data);

        set |= item ? (ngx_uint_t) 1 << row->field : 0;

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
                ngx_http_campaign_contact_wrong(wrong, n, rc == NGX_DECLINED ? 1365 : row->code, row - ngx_http_campaign_contact_rows);
            }

        } else {
            contact->field[row->field] = text;
        }
    }

    if (json_is_object(value)) {
        item = json_object_get(value, "tags");

        set |= item ? (ngx_uint_t) 1 << NGX_CAMPAIGN_CONTACT_TAGS : 0;

        rc = ngx_http_campaign_contact_tags(call, item, &contact->field[NGX_CAMPAIGN_CONTACT_TAGS], &code);

        if (rc == NGX_ERROR) {
            return NGX_ERROR;
        }

        if (rc == NGX_DECLINED) {
            ngx_http_campaign_contact_wrong(wrong, n, code, NGX_CAMPAIGN_CONTACT_ROW_TAGS);
        }
    }

    if (given) {
        *given = set;
    }

    return *n ? NGX_DECLINED : NGX_OK;
}


/* text NULL: not a string */

static ngx_int_t
ngx_http_campaign_contact_number(const u_char *text, size_t len, ngx_campaign_contact_t *contact, ngx_uint_t *code)
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
ngx_http_campaign_contact_tags(ngx_http_campaign_call_t *call, json_t *value, ngx_str_t *out, ngx_uint_t *code)
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

ngx_int_t
ngx_http_campaign_contact_record(ngx_http_campaign_call_t *call, ngx_campaign_lines_t *l, ngx_http_campaign_lines_t *lines)
{
    ngx_int_t  rc;

    if (call->pile.n + lines->invalid >= NGX_CAMPAIGN_RECIPIENTS_MAX) {
        return ngx_http_campaign_error_text(call, 1311, "more than %d lines: send the rest to another audience",
                                            NGX_CAMPAIGN_RECIPIENTS_MAX);
    }

    if (l->form == NGX_CAMPAIGN_LINES_NDJSON) {
        return ngx_http_campaign_contact_json(call, l, lines);
    }

    if (lines->header) {
        return ngx_http_campaign_contact_cells(call, l, lines);
    }

    rc = ngx_http_campaign_upload_header(l, lines, ngx_http_campaign_contact_rows, sizeof(ngx_http_campaign_contact_row_t));

    return rc == NGX_DECLINED ? ngx_http_campaign_contact_header_bad(call, l->line) : rc;
}


static ngx_int_t
ngx_http_campaign_contact_header_bad(ngx_http_campaign_call_t *call, ngx_uint_t line)
{
    return ngx_http_campaign_error_text(call, 1353, "line %ui: the header row should name the column 'number' once, and may "
                                        "name first_name, last_name, custom1, custom2, tags", line);
}


static ngx_int_t
ngx_http_campaign_contact_cells(ngx_http_campaign_call_t *call, ngx_campaign_lines_t *l, ngx_http_campaign_lines_t *lines)
{
    ngx_int_t               *columns;
    ngx_uint_t               i, code, row;
    ngx_campaign_contact_t   contact;

    ngx_memzero(&contact, sizeof(ngx_campaign_contact_t));

    columns = lines->columns.elts;
    code = 1353;
    row = NGX_CAMPAIGN_CONTACT_ROW_NUMBER;

    for (i = 0; i < l->n && i < lines->columns.nelts; i++) {
        if (columns[i] >= 0) {
            code = ngx_http_campaign_contact_cell(columns[i], &l->cell[i], &contact);
            if (code) {
                row = columns[i];
                break;
            }
        }
    }

    if (code == 0 && contact.number == 0) {
        code = 1353;
    }

    if (code) {
        return ngx_http_campaign_contact_invalid(lines, l->line, code, row);
    }

    return ngx_campaign_pile_add(&call->pile, &contact);
}


/* a bad line: if it is one of those that are told of, which field and what it should be */

static ngx_int_t
ngx_http_campaign_contact_invalid(ngx_http_campaign_lines_t *lines, ngx_uint_t line, ngx_uint_t code, ngx_uint_t row)
{
    u_char                            *p;
    ngx_int_t                          rc;
    ngx_str_t                         *message;
    const ngx_str_t                   *field;
    ngx_http_campaign_contact_wrong_t  wrong;

    rc = ngx_http_campaign_upload_invalid(lines, line, code, &message);
    if (rc != NGX_OK || message == NULL) {
        return rc;
    }

    field = &ngx_http_campaign_contact_rows[row].name;

    p = ngx_pnalloc(lines->errors.pool, field->len + NGX_CAMPAIGN_CONTACT_TEXT + 3);
    if (p == NULL) {
        return NGX_ERROR;
    }

    message->data = p;

    wrong.code = code;
    wrong.row = row;

    p = ngx_sprintf(p, "'%V' ", field);
    ngx_http_campaign_contact_text(p, &wrong);

    message->len = p + ngx_strlen(p) - message->data;

    return NGX_OK;
}


/* 0: taken; else what is wrong.  A ' in front of a formula was put there by an export, or by who knows spreadsheets */

static ngx_uint_t
ngx_http_campaign_contact_cell(ngx_int_t column, ngx_str_t *cell, ngx_campaign_contact_t *contact)
{
    size_t                                  i;
    ngx_int_t                               characters;
    ngx_uint_t                              code;
    const ngx_http_campaign_contact_row_t  *row;

    row = &ngx_http_campaign_contact_rows[column];

    if (cell->len && cell->data[0] == '\'' && ngx_http_campaign_export_formula(cell)) {
        cell->data++;
        cell->len--;
    }

    if (row->field == NGX_CAMPAIGN_CONTACT_TAGS) {
        return ngx_http_campaign_contact_cell_tags(cell, contact);
    }

    if (row->field == NGX_CAMPAIGN_CONTACT_NUMBER) {
        return ngx_http_campaign_contact_number(cell->data, cell->len, contact, &code) == NGX_OK ? 0 : code;
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
ngx_http_campaign_contact_cell_tags(ngx_str_t *cell, ngx_campaign_contact_t *contact)
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
ngx_http_campaign_contact_json(ngx_http_campaign_call_t *call, ngx_campaign_lines_t *l, ngx_http_campaign_lines_t *lines)
{
    json_t                  *value;
    ngx_int_t                rc;
    ngx_uint_t               n;
    json_error_t             error;
    ngx_campaign_contact_t   contact;

    ngx_http_campaign_contact_wrong_t  wrong[NGX_CAMPAIGN_CONTACT_ERRORS];

    rc = ngx_http_campaign_json_load(l->cell[0].data, l->cell[0].len, &error, &value);

    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    if (rc == NGX_DECLINED) {
        return ngx_http_campaign_upload_invalid(lines, l->line, NGX_CAMPAIGN_E_JSON, NULL);
    }

    rc = ngx_http_campaign_contact_read(call, value, &contact, NULL, wrong, &n);

    json_decref(value);

    if (rc == NGX_DECLINED) {
        return ngx_http_campaign_contact_invalid(lines, l->line, wrong[0].code, wrong[0].row);
    }

    return rc == NGX_OK ? ngx_campaign_pile_add(&call->pile, &contact) : NGX_ERROR;
}


ngx_int_t
ngx_http_campaign_contact_record_bad(ngx_http_campaign_call_t *call, ngx_http_campaign_lines_t *lines, ngx_uint_t line)
{
    ngx_int_t   rc;
    ngx_str_t  *message;

    if (lines->reader.form == NGX_CAMPAIGN_LINES_CSV && !lines->header) {
        return ngx_http_campaign_contact_header_bad(call, line);
    }

    rc = ngx_http_campaign_upload_invalid(lines, line, 1365, &message);

    if (rc == NGX_OK && message) {

        if (lines->reader.form == NGX_CAMPAIGN_LINES_CSV) {
            ngx_str_set(message, "line can not be read: longer than 8 KB, more than 64 cells, or with a quote out of place");

        } else {
            ngx_str_set(message, "line can not be read: longer than 8 KB");
        }
    }

    return rc;
}
