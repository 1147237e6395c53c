
/*
 * A value out of a JSON text by its path, without a tree: for texts of others, of which one or two values are wanted.  The text is walked
 * once and nothing is allocated; it may be cut off anywhere after the value.  What is passed on the way is not judged: its brackets are
 * counted, its strings skipped.  Of two members with one name the first counts.
 */

#ifndef _NGX_CAMPAIGN_JSON_H_INCLUDED_
#define _NGX_CAMPAIGN_JSON_H_INCLUDED_


#include "ngx_campaign.h"


#define NGX_CAMPAIGN_JSON_PATH_MAX  128         /* bytes */


/* NGX_ERROR: no path.  Names are parted by dots, places in arrays stand in brackets: data[0].id, [0].status */
ngx_int_t ngx_campaign_json_path(const ngx_str_t *path);

/*
 * The string, number, true or false that a valid path leads to, as text in the JSON (a string without its quotes, its escapes as they
 * are).  NGX_DECLINED: there is none, or another thing.
 */
ngx_int_t ngx_campaign_json_find(const u_char *p, const u_char *end, const ngx_str_t *path, ngx_str_t *value);

/*
 * The elements of an array, one after the other.  _list: *rest is what _next reads; an empty path is the text itself; NGX_DECLINED: no
 * array is there, or it does not end.  _next: an element as it stands, a string with its quotes; NGX_DONE: there is no more.
 */
ngx_int_t ngx_campaign_json_list(const u_char *p, const u_char *end, const ngx_str_t *path, ngx_str_t *rest);
ngx_int_t ngx_campaign_json_next(ngx_str_t *rest, ngx_str_t *item);

/*
 * What is found as printable ASCII, spaces too: escapes are resolved into out (room for most bytes), *len is set.  NGX_DECLINED: it is empty,
 * longer, or has other characters.
 */
ngx_int_t ngx_campaign_json_text(const ngx_str_t *value, u_char *out, size_t most, size_t *len);


#endif /* _NGX_CAMPAIGN_JSON_H_INCLUDED_ */
