
/*
 * CSV (RFC 4180) and NDJSON, one slice of the stream at a time: a record that a slice cuts off waits for the next.  Memory
 * is bounded: a line longer than NGX_CAMPAIGN_LINE_MAX is reported and passed over, whatever its length.
 */

#ifndef _NGX_CAMPAIGN_LINES_H_INCLUDED_
#define _NGX_CAMPAIGN_LINES_H_INCLUDED_


#include "ngx_campaign.h"


#define NGX_CAMPAIGN_LINE_MAX   8192            /* bytes of a record, quotes included */
#define NGX_CAMPAIGN_CELLS_MAX  64              /* cells of a record; more: a bad record */


typedef enum {
    NGX_CAMPAIGN_LINES_CSV = 0,
    NGX_CAMPAIGN_LINES_NDJSON                   /* each record has one cell: the line */
} ngx_campaign_lines_form_e;


typedef struct {
    ngx_campaign_lines_form_e  form;
    ngx_uint_t                 line;            /* line on which the record at hand starts, from 1 */
    ngx_uint_t                 n;               /* cells of the record at hand */
    ngx_str_t                  cell[NGX_CAMPAIGN_CELLS_MAX];   /* unquoted; they live until the next call */

    /* the rest is the reader's own */
    u_char                    *buf;             /* NGX_CAMPAIGN_LINE_MAX bytes: the cells, unquoted, one after the other */
    size_t                     len;             /* bytes of the record read so far, quotes included */
    ngx_uint_t                 next;            /* line number after the record at hand */
    unsigned                   at:3;            /* where in a record the next byte stands */
    unsigned                   skipping:1;      /* the record is bad: its rest is passed over */
    unsigned                   begun:1;         /* the byte order mark was looked for */
    unsigned                   cr:1;            /* the last byte was a CR that may belong to the end of the line */
} ngx_campaign_lines_t;


/* NGX_ERROR: no memory */
ngx_int_t ngx_campaign_lines_init(ngx_campaign_lines_t *l, ngx_pool_t *pool, ngx_campaign_lines_form_e form);

/*
 * Next record out of [*p, end); *p moves on.  last: nothing comes after end, so an unfinished record is one.  NGX_OK: a record
 * is at hand; NGX_AGAIN: all taken, give more; NGX_DONE: all taken and it was the last; NGX_DECLINED: a bad record was passed
 * over (too long, a quote in the wrong place or never closed, too many cells, a NUL byte): l->line says where.  Empty lines are passed over.  A UTF-8
 * byte order mark at the start is dropped.  Lines end in LF or CRLF.
 */
ngx_int_t ngx_campaign_lines_next(ngx_campaign_lines_t *l, u_char **p, u_char *end, ngx_uint_t last);


#endif /* _NGX_CAMPAIGN_LINES_H_INCLUDED_ */
