
/*
 * What uploads of CSV and NDJSON share, whatever their lines are: the header row, bad lines, the answer.  It keeps true: every line is
 * counted once, as created, as a duplicate or as invalid.
 */

#include "ngx_http_campaign_error.h"
#include "ngx_http_campaign_resource.h"


ngx_int_t
ngx_http_campaign_upload_header(ngx_campaign_lines_t *l, ngx_http_campaign_lines_t *lines, const void *rows, size_t size)
{
    size_t            i;
    ngx_int_t        *column, n;
    ngx_uint_t        first;
    const u_char     *row;
    const ngx_str_t  *name;

    first = 0;
    lines->header = 1;

    for (i = 0; i < l->n; i++) {

        column = ngx_array_push(&lines->columns);
        if (column == NULL) {
            return NGX_ERROR;
        }

        *column = NGX_DECLINED;

        for (row = rows, n = 0; ((const ngx_str_t *) row)->len; row += size, n++) {
            name = (const ngx_str_t *) row;

            if (name->len == l->cell[i].len && ngx_strncasecmp(name->data, l->cell[i].data, l->cell[i].len) == 0) {
                *column = n;
            }
        }

        first += (*column == 0);
    }

    return first == 1 ? NGX_OK : NGX_DECLINED;
}


ngx_int_t
ngx_http_campaign_upload_invalid(ngx_http_campaign_lines_t *lines, ngx_uint_t line, ngx_uint_t code, ngx_str_t **message)
{
    ngx_http_campaign_line_error_t  *e;

    lines->invalid++;

    if (message) {
        *message = NULL;
    }

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

    if (message) {
        *message = &e->message;
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_campaign_upload_strict(ngx_http_campaign_call_t *call, ngx_http_campaign_lines_t *lines)
{
    ngx_int_t                        rc;
    ngx_str_t                        strict;
    ngx_uint_t                       i;
    ngx_http_campaign_line_error_t  *e;

    if (lines == NULL || lines->invalid == 0) {
        return NGX_OK;
    }

    rc = ngx_http_campaign_call_arg(call, "strict", &strict);

    if (rc != NGX_OK || strict.len != 4 || ngx_strncasecmp(strict.data, (u_char *) "true", 4) != 0) {
        return rc == NGX_ERROR ? NGX_ERROR : NGX_OK;
    }

    for (i = 0; i < lines->errors.nelts; i++) {
        e = (ngx_http_campaign_line_error_t *) lines->errors.elts + i;

        if (ngx_http_campaign_error_text(call, e->code, "line %ui: %V", e->line, &e->message) == NGX_ERROR) {
            return NGX_ERROR;
        }
    }

    return NGX_DECLINED;
}


ngx_int_t
ngx_http_campaign_upload_count(ngx_http_campaign_call_t *call, ngx_http_campaign_lines_t *lines, uint32_t created, uint32_t duplicates,
    uint32_t refused)
{
    ngx_uint_t                       i;
    ngx_http_campaign_out_t          out;
    ngx_http_campaign_line_error_t  *e;

    ngx_http_campaign_out_init(&out, ngx_http_campaign_reply_pool(call));

    ngx_http_campaign_out_lit(&out, "{\"data\":{\"created\":");
    ngx_http_campaign_out_uint(&out, created);
    ngx_http_campaign_out_lit(&out, ",\"duplicates\":");
    ngx_http_campaign_out_uint(&out, duplicates);
    ngx_http_campaign_out_lit(&out, ",\"invalid\":");
    ngx_http_campaign_out_uint(&out, (lines ? lines->invalid : 0) + refused);
    ngx_http_campaign_out_lit(&out, ",\"errors\":[");

    for (i = 0; lines && i < lines->errors.nelts; i++) {
        e = (ngx_http_campaign_line_error_t *) lines->errors.elts + i;

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
