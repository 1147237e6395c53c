
/*
 * The resources of the API, a file each, and the handlers of their routes.  All handlers are steps: see ngx_http_campaign_call.h.
 */

#ifndef _NGX_HTTP_CAMPAIGN_RESOURCE_H_INCLUDED_
#define _NGX_HTTP_CAMPAIGN_RESOURCE_H_INCLUDED_


#include "ngx_http_campaign_call.h"
#include "ngx_http_campaign_field.h"


extern const ngx_http_campaign_resource_t
    ngx_http_campaign_campaigns,
    ngx_http_campaign_audiences,
    ngx_http_campaign_contacts,
    ngx_http_campaign_templates,
    ngx_http_campaign_senders,
    ngx_http_campaign_messages,
    ngx_http_campaign_campaign_messages,
    ngx_http_campaign_suppressions,
    ngx_http_campaign_webhooks,
    ngx_http_campaign_deliveries,
    ngx_http_campaign_replays,
    ngx_http_campaign_accounts,
    ngx_http_campaign_keys;


/* ngx_http_campaign_resource.c: what every resource can do, by its tables */
ngx_int_t ngx_http_campaign_resource_list(ngx_http_campaign_call_t *call);
ngx_int_t ngx_http_campaign_resource_get(ngx_http_campaign_call_t *call);
ngx_int_t ngx_http_campaign_resource_create(ngx_http_campaign_call_t *call);
ngx_int_t ngx_http_campaign_resource_change(ngx_http_campaign_call_t *call);        /* audiences, templates */
ngx_int_t ngx_http_campaign_resource_delete(ngx_http_campaign_call_t *call);

/* last steps after ngx_campaign_store_page and its kin with the page in call->data, and after an operation that deletes */
ngx_int_t ngx_http_campaign_resource_listed(ngx_http_campaign_call_t *call);
ngx_int_t ngx_http_campaign_resource_deleted(ngx_http_campaign_call_t *call);

/* a last step after an operation that filled call->rec: the object, or the operation's error */
ngx_int_t ngx_http_campaign_resource_show(ngx_http_campaign_call_t *call);

/* the page that a list's query asks for, call->data too.  NGX_DECLINED: noted */
ngx_int_t ngx_http_campaign_resource_page(ngx_http_campaign_call_t *call, ngx_campaign_page_t **page);

/* fills page (zeroed) from the query: page_size, page_token, filters of the resource.  NGX_DECLINED: noted */
ngx_int_t ngx_http_campaign_resource_query(ngx_http_campaign_call_t *call, const ngx_http_campaign_resource_t *resource,
    ngx_campaign_page_t *page);


ngx_int_t ngx_http_campaign_campaigns_create(ngx_http_campaign_call_t *call);
ngx_int_t ngx_http_campaign_campaigns_change(ngx_http_campaign_call_t *call);

/* {…} of the counts of its messages; place: ngx_campaign_progress_t */
void ngx_http_campaign_campaigns_messages(ngx_http_campaign_call_t *call, ngx_http_campaign_out_t *out,
    const ngx_http_campaign_field_t *f, const void *place);

/* ngx_http_campaign_report.c */
ngx_int_t ngx_http_campaign_campaigns_report(ngx_http_campaign_call_t *call);

/* ngx_http_campaign_preview.c: is ?dry_run=true there, and what campaign c would send to audience (NULL: to call->pile) */
ngx_int_t ngx_http_campaign_preview_asked(ngx_http_campaign_call_t *call, ngx_uint_t *asked);
ngx_int_t ngx_http_campaign_preview(ngx_http_campaign_call_t *call, ngx_campaign_campaign_t *c, u_char *audience);

ngx_int_t ngx_http_campaign_contacts_list(ngx_http_campaign_call_t *call);
ngx_int_t ngx_http_campaign_contacts_get(ngx_http_campaign_call_t *call);
ngx_int_t ngx_http_campaign_contacts_create(ngx_http_campaign_call_t *call);
ngx_int_t ngx_http_campaign_contacts_change(ngx_http_campaign_call_t *call);
ngx_int_t ngx_http_campaign_contacts_delete(ngx_http_campaign_call_t *call);


/*
 * ngx_http_campaign_contact.c.  Reads a contact of a JSON body: an object, or a string that is its number.  given: which fields stood in
 * it, null ones too (NGX_CAMPAIGN_SET_NUMBER, bit n: field n), and none is required; NULL: the number is.  wrong (room for
 * NGX_CAMPAIGN_CONTACT_ERRORS) and *n: what is wrong with it.  Its strings live in call->pool.  NGX_DECLINED: *n is not 0; NGX_ERROR: no
 * memory.
 */
#define NGX_CAMPAIGN_CONTACT_ERRORS  8
#define NGX_CAMPAIGN_TAG_SEPARATOR   0x1f

typedef struct {
    ngx_uint_t   code;
    ngx_uint_t   row;           /* of the table of its fields */
} ngx_http_campaign_contact_wrong_t;

ngx_int_t ngx_http_campaign_contact_read(ngx_http_campaign_call_t *call, json_t *value, ngx_campaign_contact_t *contact,
    ngx_uint_t *given, ngx_http_campaign_contact_wrong_t *wrong, ngx_uint_t *n);

/* notes that of the contact which is `data`; NGX_DECLINED, or NGX_ERROR: no memory */
ngx_int_t ngx_http_campaign_contact_error(ngx_http_campaign_call_t *call, const ngx_http_campaign_contact_wrong_t *wrong);

/* a record of an upload (the header row, a contact, a bad one), and a line that is none: see ngx_http_campaign_resource_t */
ngx_int_t ngx_http_campaign_contact_record(ngx_http_campaign_call_t *call, ngx_campaign_lines_t *l, ngx_http_campaign_lines_t *lines);
ngx_int_t ngx_http_campaign_contact_record_bad(ngx_http_campaign_call_t *call, ngx_http_campaign_lines_t *lines, ngx_uint_t line);

/*
 * Reads a list of contacts onto call->pile; name is the list's, for messages; too_many, code: the errors' codes (code 0: that of the contact's own error).
 * The first ten bad ones are noted.
 */
ngx_int_t ngx_http_campaign_contact_read_list(ngx_http_campaign_call_t *call, json_t *list, const char *name, size_t most,
    ngx_uint_t too_many, ngx_uint_t code);

/*
 * ngx_http_campaign_upload.c.  The header row: which row of a table each cell names (rows, of size bytes, begin with a name; the last one's
 * is empty).  NGX_DECLINED: the table's first row is not named once; NGX_ERROR: no memory.
 */
ngx_int_t ngx_http_campaign_upload_header(ngx_campaign_lines_t *l, ngx_http_campaign_lines_t *lines, const void *rows, size_t size);

/*
 * Counts a bad line, and keeps it if it is one of the first.  *message (message may be NULL): what is said of it, to be replaced at once;
 * NULL: it is not kept.  NGX_ERROR: no memory
 */
ngx_int_t ngx_http_campaign_upload_invalid(ngx_http_campaign_lines_t *lines, ngx_uint_t line, ngx_uint_t code, ngx_str_t **message);

/* ?strict=true: one bad line refuses all of them: NGX_DECLINED, noted.  lines NULL: there are none */
ngx_int_t ngx_http_campaign_upload_strict(ngx_http_campaign_call_t *call, ngx_http_campaign_lines_t *lines);

/* the answer to a bulk request; refused: invalid as well, but the store said so.  lines NULL: it was JSON */
ngx_int_t ngx_http_campaign_upload_count(ngx_http_campaign_call_t *call, ngx_http_campaign_lines_t *lines, uint32_t created,
    uint32_t duplicates, uint32_t refused);

ngx_int_t ngx_http_campaign_suppressions_list(ngx_http_campaign_call_t *call);
ngx_int_t ngx_http_campaign_suppressions_create(ngx_http_campaign_call_t *call);
ngx_int_t ngx_http_campaign_suppressions_get(ngx_http_campaign_call_t *call);
ngx_int_t ngx_http_campaign_suppressions_delete(ngx_http_campaign_call_t *call);

ngx_int_t ngx_http_campaign_messages_list(ngx_http_campaign_call_t *call);
ngx_int_t ngx_http_campaign_messages_get(ngx_http_campaign_call_t *call);
ngx_int_t ngx_http_campaign_messages_cancel(ngx_http_campaign_call_t *call);
ngx_int_t ngx_http_campaign_single_create(ngx_http_campaign_call_t *call);

ngx_int_t ngx_http_campaign_accounts_create(ngx_http_campaign_call_t *call);
ngx_int_t ngx_http_campaign_accounts_change(ngx_http_campaign_call_t *call);
ngx_int_t ngx_http_campaign_keys_list(ngx_http_campaign_call_t *call);
ngx_int_t ngx_http_campaign_keys_create(ngx_http_campaign_call_t *call);
ngx_int_t ngx_http_campaign_keys_delete(ngx_http_campaign_call_t *call);

ngx_int_t ngx_http_campaign_webhooks_change(ngx_http_campaign_call_t *call);
ngx_int_t ngx_http_campaign_webhooks_test(ngx_http_campaign_call_t *call);
ngx_int_t ngx_http_campaign_webhooks_deliveries(ngx_http_campaign_call_t *call);
ngx_int_t ngx_http_campaign_webhooks_replay(ngx_http_campaign_call_t *call);

/* ngx_http_campaign_openapi.c: the description of the API, without a key */
ngx_int_t ngx_http_campaign_openapi(ngx_http_campaign_call_t *call);


#endif /* _NGX_HTTP_CAMPAIGN_RESOURCE_H_INCLUDED_ */
