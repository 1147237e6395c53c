
/*
 * Fields: one table a resource says how each is read from a body, checked, and printed.  Reading copies into call->pool and may run on a thread.
 */

#ifndef _NGX_HTTP_CAMPAIGN_FIELD_H_INCLUDED_
#define _NGX_HTTP_CAMPAIGN_FIELD_H_INCLUDED_


#include <jansson.h>

#include "ngx_http_campaign_call.h"
#include "ngx_http_campaign_error.h"
#include "ngx_http_campaign_reply.h"

#include "ngx_campaign_lines.h"


#define NGX_CAMPAIGN_F_POST  0x01               /* taken from a POST */
#define NGX_CAMPAIGN_F_PUT   0x02               /* taken from a PUT */
#define NGX_CAMPAIGN_F_MUST  0x04               /* required in a POST; null is as if left out */
#define NGX_CAMPAIGN_F_SHOW  0x08               /* printed */
#define NGX_CAMPAIGN_F_ONCE  0x10               /* printed in the reply to a POST only */


/* place: rec + the field's offset */

typedef struct {
    /* NGX_OK; NGX_DECLINED: wrong, noted; NGX_ERROR: no memory.  NULL: never read */
    ngx_int_t  (*read)(ngx_http_campaign_call_t *call, const ngx_http_campaign_field_t *f, json_t *value, void *place);

    /* prints the value.  NULL: never printed */
    void       (*print)(ngx_http_campaign_call_t *call, ngx_http_campaign_out_t *out, const ngx_http_campaign_field_t *f, const void *place);
} ngx_http_campaign_field_type_t;


/* a word of a table: ngx_uint_t, its place in it and `first`.  A field of it has type &….type */

typedef struct {
    ngx_http_campaign_field_type_t         type;                /* NGX_CAMPAIGN_FIELD_WORD */
    ngx_uint_t                             first;               /* number of the first word; lower ones are null */
    const ngx_str_t                       *words;               /* ends with an empty one */
} ngx_http_campaign_field_word_t;

#define NGX_CAMPAIGN_FIELD_WORD  { ngx_http_campaign_field_word_read, ngx_http_campaign_field_word_print }


struct ngx_http_campaign_field_s {
    ngx_str_t                              name;
    ngx_uint_t                             flags;
    const ngx_http_campaign_field_type_t  *type;
    size_t                                 offset;
    ngx_uint_t                             least, most;         /* text: characters; numbers: value */
    struct {
        ngx_uint_t                         missing, wrong, size;
    } code;
};


/* what became of the lines of a body; call->data while and after they are read */

#define NGX_CAMPAIGN_LINE_ERRORS  100

typedef struct {
    ngx_uint_t     line, code;
    ngx_str_t      message;
} ngx_http_campaign_line_error_t;

typedef struct {
    ngx_campaign_lines_t  reader;
    ngx_array_t           columns;          /* ngx_int_t a cell of the header row: which field; negative: ignored */
    uint32_t              invalid;
    ngx_array_t           errors;           /* ngx_http_campaign_line_error_t, the first NGX_CAMPAIGN_LINE_ERRORS */
    unsigned              header:1;         /* the header row was read */
} ngx_http_campaign_lines_t;


/* a filter of a list: `filter[name]`; tables end with an empty name */

typedef struct ngx_http_campaign_filter_s  ngx_http_campaign_filter_t;

struct ngx_http_campaign_filter_s {
    ngx_str_t         name;

    /* sets the filter in page; *value becomes what links repeat.  NGX_OK; NGX_DECLINED: wrong, noted; NGX_ERROR: no memory */
    ngx_int_t       (*read)(ngx_http_campaign_call_t *call, const ngx_http_campaign_filter_t *f, ngx_str_t *value,
                            ngx_campaign_page_t *page);
    const ngx_str_t  *words;    /* of _filter_word; ends with an empty one */
};


/*
 * What a resource is.  Its struct starts with ngx_campaign_rec_t (all but a contact).  fields and filters (of a list) end with an empty
 * name
 */

struct ngx_http_campaign_resource_s {
    ngx_str_t                          name;            /* segment of its path */
    ngx_campaign_kind_e                kind;
    size_t                             size;            /* of its struct */
    const ngx_http_campaign_field_t   *fields;
    const ngx_http_campaign_filter_t  *filters;
    ngx_uint_t                         code[NGX_CAMPAIGN_RC_MAX];   /* what an answer of the store means here; 0: general */
    ngx_uint_t                         no_data;         /* code for a JSON body without `data`; 0: general */

    /* all perhaps on a thread; NGX_OK, NGX_DECLINED (noted), NGX_ERROR */

    /* reads `data` in place of the walk over fields; NULL: by the fields */
    ngx_int_t                        (*read)(ngx_http_campaign_call_t *call, json_t *data);

    /* after the fields were read; NULL: nothing to check */
    ngx_http_campaign_step_pt          check;

    /* a record of CSV or NDJSON, at hand in l; NULL: no route takes lines */
    ngx_int_t                        (*record)(ngx_http_campaign_call_t *call, ngx_campaign_lines_t *l, ngx_http_campaign_lines_t *lines);

    /* a line that is no record */
    ngx_int_t                        (*record_bad)(ngx_http_campaign_call_t *call, ngx_http_campaign_lines_t *lines, ngx_uint_t line);

    /* further links, each `,"name":"path"`; NULL: none but self and account */
    void                             (*links)(ngx_http_campaign_call_t *call, ngx_http_campaign_out_t *out, const void *rec);
};


/*
 * ngx_http_campaign_json.c: reads a text; on any thread.  NGX_DECLINED: it is no JSON, error says why; NGX_ERROR: no memory.  The caller frees
 * *value (json_decref)
 */
ngx_int_t ngx_http_campaign_json_load(const u_char *data, size_t len, json_error_t *error, json_t **value);

/* fills rec from object by the fields that have flag (F_POST, F_PUT); notes every wrong one; call->given says which were there */
ngx_int_t ngx_http_campaign_field_read(ngx_http_campaign_call_t *call, const ngx_http_campaign_field_t *fields, ngx_uint_t flag,
    json_t *object, void *rec);

/* {…} of all fields that are shown */
void ngx_http_campaign_field_print(ngx_http_campaign_call_t *call, ngx_http_campaign_out_t *out,
    const ngx_http_campaign_resource_t *resource, const void *rec);

/*
 * Copies a JSON string to call->pool and counts its characters.  No control characters but, if lines is set, line feed, carriage return and tab.
 * NGX_DECLINED: no such string, nothing noted; NGX_ERROR: no memory.
 */
ngx_int_t ngx_http_campaign_field_copy(ngx_http_campaign_call_t *call, json_t *value, ngx_uint_t lines, ngx_str_t *out,
    ngx_uint_t *characters);


/* of NGX_CAMPAIGN_FIELD_WORD; case does not matter */
ngx_int_t ngx_http_campaign_field_word_read(ngx_http_campaign_call_t *call, const ngx_http_campaign_field_t *f, json_t *value, void *place);
void ngx_http_campaign_field_word_print(ngx_http_campaign_call_t *call, ngx_http_campaign_out_t *out, const ngx_http_campaign_field_t *f,
    const void *place);


/* the types */

extern const ngx_http_campaign_field_type_t
    ngx_http_campaign_field_text,           /* ngx_str_t, one line */
    ngx_http_campaign_field_message,        /* ngx_str_t, line feeds allowed */
    ngx_http_campaign_field_channel,        /* ngx_str_t, upper case, configured; code.wrong's %V is the list of channels */
    ngx_http_campaign_field_uuid,           /* u_char[16]; zeros are null */
    ngx_http_campaign_field_id,             /* the record's own id, shown only (offset 0) */
    ngx_http_campaign_field_account,        /* account_id of a record, shown only */
    ngx_http_campaign_field_date,           /* time_t; 0 is null */
    ngx_http_campaign_field_uint,           /* uint32_t, least .. most */
    ngx_http_campaign_field_rate,           /* uint64_t, millionths; over 0 .. most messages a second, fractions too */
    ngx_http_campaign_field_links;          /* shown only (offset 0): self, account, and the resource's own */

/*
 * ngx_http_campaign_filter.c: sets page's filters from the query, and call->filters for the links.  NGX_DECLINED: noted; filters may be
 * NULL
 */
ngx_int_t ngx_http_campaign_filter_read(ngx_http_campaign_call_t *call, const ngx_http_campaign_filter_t *filters,
    ngx_campaign_page_t *page);


/* the types of filters */

ngx_int_t ngx_http_campaign_filter_channel(ngx_http_campaign_call_t *call, const ngx_http_campaign_filter_t *f, ngx_str_t *value,
    ngx_campaign_page_t *page);
ngx_int_t ngx_http_campaign_filter_status(ngx_http_campaign_call_t *call, const ngx_http_campaign_filter_t *f, ngx_str_t *value,
    ngx_campaign_page_t *page);                     /* of campaigns */
ngx_int_t ngx_http_campaign_filter_type(ngx_http_campaign_call_t *call, const ngx_http_campaign_filter_t *f, ngx_str_t *value,
    ngx_campaign_page_t *page);                     /* of senders */
ngx_int_t ngx_http_campaign_filter_word(ngx_http_campaign_call_t *call, const ngx_http_campaign_filter_t *f, ngx_str_t *value,
    ngx_campaign_page_t *page);                     /* any of f->words: what every item has, so that nothing is left out */
ngx_int_t ngx_http_campaign_filter_match(ngx_http_campaign_call_t *call, const ngx_http_campaign_filter_t *f, ngx_str_t *value,
    ngx_campaign_page_t *page);                     /* page->match */


#endif /* _NGX_HTTP_CAMPAIGN_FIELD_H_INCLUDED_ */
