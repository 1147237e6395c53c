
/*
 * CSV and NDJSON, byte by byte.  It keeps true: what comes out does not depend on where the stream is cut into slices; what stands inside
 * quotes is never taken for a record of its own, not even in a record that is passed over.
 */

#include "ngx_campaign_lines.h"


#define NGX_CAMPAIGN_LINES_NONE    0            /* between two records */
#define NGX_CAMPAIGN_LINES_START   1            /* at the start of a cell */
#define NGX_CAMPAIGN_LINES_PLAIN   2            /* in a cell without quotes */
#define NGX_CAMPAIGN_LINES_QUOTED  3            /* inside quotes */
#define NGX_CAMPAIGN_LINES_CLOSED  4            /* behind a quote: it closed the cell, or another one makes it a literal quote */


static void ngx_campaign_lines_begin(ngx_campaign_lines_t *l);
static void ngx_campaign_lines_byte(ngx_campaign_lines_t *l, u_char c);
static void ngx_campaign_lines_csv(ngx_campaign_lines_t *l, u_char c);
static void ngx_campaign_lines_keep(ngx_campaign_lines_t *l, u_char c);
static ngx_int_t ngx_campaign_lines_end(ngx_campaign_lines_t *l);


ngx_int_t
ngx_campaign_lines_init(ngx_campaign_lines_t *l, ngx_pool_t *pool, ngx_campaign_lines_form_e form)
{
    ngx_memzero(l, sizeof(ngx_campaign_lines_t));

    l->buf = ngx_pnalloc(pool, NGX_CAMPAIGN_LINE_MAX);
    if (l->buf == NULL) {
        return NGX_ERROR;
    }

    l->form = form;
    l->line = 1;
    l->next = 1;

    return NGX_OK;
}


ngx_int_t
ngx_campaign_lines_next(ngx_campaign_lines_t *l, u_char **p, u_char *end, ngx_uint_t last)
{
    u_char     c;
    ngx_int_t  rc;

    if (l->at == NGX_CAMPAIGN_LINES_NONE) {
        ngx_campaign_lines_begin(l);
    }

    while (*p < end) {
        c = *(*p)++;

        if (c == LF) {
            l->next++;

            if (l->at != NGX_CAMPAIGN_LINES_QUOTED) {
                rc = ngx_campaign_lines_end(l);
                if (rc != NGX_AGAIN) {
                    return rc;
                }

                ngx_campaign_lines_begin(l);
                continue;
            }
        }

        if (l->cr) {                            /* it ended no line */
            l->cr = 0;
            ngx_campaign_lines_byte(l, CR);
        }

        if (c == CR) {
            l->cr = 1;
            continue;
        }

        ngx_campaign_lines_byte(l, c);
    }

    if (!last) {
        return NGX_AGAIN;
    }

    if (l->at == NGX_CAMPAIGN_LINES_QUOTED) {
        l->skipping = 1;
    }

    rc = ngx_campaign_lines_end(l);

    return rc == NGX_AGAIN ? NGX_DONE : rc;
}


static void
ngx_campaign_lines_begin(ngx_campaign_lines_t *l)
{
    l->at = NGX_CAMPAIGN_LINES_START;
    l->line = l->next;
    l->len = 0;
    l->skipping = 0;
    l->cr = 0;

    l->n = 1;
    l->cell[0].data = l->buf;
    l->cell[0].len = 0;
}


/* a byte of the record, not of its end */

static void
ngx_campaign_lines_byte(ngx_campaign_lines_t *l, u_char c)
{
    if (c == '\0' || l->len == NGX_CAMPAIGN_LINE_MAX) {
        l->skipping = 1;

    } else {
        l->len++;
    }

    if (l->form == NGX_CAMPAIGN_LINES_CSV) {
        ngx_campaign_lines_csv(l, c);

    } else {
        ngx_campaign_lines_keep(l, c);
    }

    if (!l->begun && l->len == 3) {
        l->begun = 1;

        if (l->cell[0].len == 3 && ngx_memcmp(l->buf, "\xef\xbb\xbf", 3) == 0) {
            ngx_campaign_lines_begin(l);
        }
    }
}


static void
ngx_campaign_lines_csv(ngx_campaign_lines_t *l, u_char c)
{
    ngx_str_t  *cell;

    if (l->at == NGX_CAMPAIGN_LINES_QUOTED) {
        if (c == '"') {
            l->at = NGX_CAMPAIGN_LINES_CLOSED;

        } else {
            ngx_campaign_lines_keep(l, c);
        }

        return;
    }

    if (c == ',') {
        l->at = NGX_CAMPAIGN_LINES_START;

        if (l->n == NGX_CAMPAIGN_CELLS_MAX) {
            l->skipping = 1;
            return;
        }

        cell = &l->cell[l->n++];
        cell->data = cell[-1].data + cell[-1].len;
        cell->len = 0;

        return;
    }

    if (c == '"' && l->at != NGX_CAMPAIGN_LINES_PLAIN) {
        if (l->at == NGX_CAMPAIGN_LINES_CLOSED) {
            ngx_campaign_lines_keep(l, c);
        }

        l->at = NGX_CAMPAIGN_LINES_QUOTED;
        return;
    }

    if (c == '"' || l->at == NGX_CAMPAIGN_LINES_CLOSED) {
        l->skipping = 1;
    }

    l->at = NGX_CAMPAIGN_LINES_PLAIN;
    ngx_campaign_lines_keep(l, c);
}


/* a cell is never longer than what was read, so that len guards buf */

static void
ngx_campaign_lines_keep(ngx_campaign_lines_t *l, u_char c)
{
    ngx_str_t  *cell;

    if (!l->skipping) {
        cell = &l->cell[l->n - 1];
        cell->data[cell->len++] = c;
    }
}


/* NGX_AGAIN: the line is empty and makes no record.  A CR is dropped here, at the end of the stream too (half of its last CRLF) */

static ngx_int_t
ngx_campaign_lines_end(ngx_campaign_lines_t *l)
{
    l->begun = 1;
    l->at = NGX_CAMPAIGN_LINES_NONE;
    l->cr = 0;

    if (l->skipping) {
        l->n = 0;
        return NGX_DECLINED;
    }

    return l->len ? NGX_OK : NGX_AGAIN;
}
