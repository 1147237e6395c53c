
/*
 * Exports: all items of a list as CSV (RFC 4180) or NDJSON, in a reply of unknown length.  A source reads the next page of the list, its
 * columns or the resource's fields print the rows.  Each page is a read of its own in a pool of its own, so that no snapshot outlives a
 * page and memory is that of one page; the next one is read when the client has taken the last, after a turn of the event loop.  A page may
 * be short or empty and have a next one. A read that fails after the reply has begun cuts the reply off: the client misses its last chunk.
 */

#ifndef _NGX_HTTP_CAMPAIGN_EXPORT_H_INCLUDED_
#define _NGX_HTTP_CAMPAIGN_EXPORT_H_INCLUDED_


#include "ngx_http_campaign_call.h"
#include "ngx_http_campaign_field.h"


#define NGX_CAMPAIGN_EXPORT_PAGE  128           /* items read and printed in one turn; a source may ask for less */
#define NGX_CAMPAIGN_EXPORT_ROOM  2048          /* bytes that a cell may be made in */


typedef enum {
    NGX_CAMPAIGN_EXPORT_NOT = 0,                /* a page as JSON */
    NGX_CAMPAIGN_EXPORT_CSV,
    NGX_CAMPAIGN_EXPORT_NDJSON
} ngx_http_campaign_export_form_e;


typedef struct ngx_http_campaign_column_s  ngx_http_campaign_column_t;

struct ngx_http_campaign_column_s {
    ngx_str_t    name;

    /* *text: the cell's value, in the item or made in room.  place: item + offset */
    void       (*cell)(ngx_http_campaign_call_t *call, const void *place, u_char *room, ngx_str_t *text);
    size_t       offset;
};


typedef struct {
    const ngx_http_campaign_resource_t  *resource;      /* prints a row of NDJSON */
    const ngx_http_campaign_column_t    *columns;       /* of CSV; ends with an empty name */
    ngx_uint_t                           size;          /* items a page; 0: NGX_CAMPAIGN_EXPORT_PAGE */
    ngx_str_t                            file;          /* suggested name, without its extension */

    /*
     * starts the read of page (token and filters are set) with op, whose pool is page's too; returns what the store's starting call
     * returned
     */
    ngx_int_t                          (*read)(ngx_http_campaign_call_t *call, ngx_campaign_op_t *op, ngx_campaign_page_t *page);

    /* makes page->items, as the store gave them, what is printed; its memory is pool, which goes with the page.  NULL: they are */
    ngx_int_t                          (*render)(ngx_http_campaign_call_t *call, ngx_pool_t *pool, ngx_campaign_page_t *page);
} ngx_http_campaign_export_source_t;


/* what the request's Accept asks for; wildcards are JSON */
ngx_http_campaign_export_form_e ngx_http_campaign_export_form(ngx_http_campaign_call_t *call);

/*
 * a handler's last step: replies with all items that page (its filters; token and size do not count) selects.  `?raw=true`: no protection
 * of formulas
 */
ngx_int_t ngx_http_campaign_export(ngx_http_campaign_call_t *call, const ngx_http_campaign_export_source_t *source,
    ngx_http_campaign_export_form_e form, const ngx_campaign_page_t *page);


/* cells; zeros, an empty string, time 0 are an empty cell */
void ngx_http_campaign_export_text(ngx_http_campaign_call_t *call, const void *place, u_char *room, ngx_str_t *text);   /* ngx_str_t */
void ngx_http_campaign_export_uuid(ngx_http_campaign_call_t *call, const void *place, u_char *room, ngx_str_t *text);   /* u_char[16] */
void ngx_http_campaign_export_date(ngx_http_campaign_call_t *call, const void *place, u_char *room, ngx_str_t *text);   /* time_t */

/*
 * A spreadsheet takes a cell that begins with = + - @ TAB or CR for a formula, so an export puts a ' in front of it, and of one that begins
 * with quotation marks ' and then one of these.  1: value is such a cell; an import drops the first ' of it, if there is one
 */
ngx_uint_t ngx_http_campaign_export_formula(const ngx_str_t *value);


#endif /* _NGX_HTTP_CAMPAIGN_EXPORT_H_INCLUDED_ */
