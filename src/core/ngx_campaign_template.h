
/*
 * A message's text: placeholders are parsed once for a campaign and rendered for each contact.  Values are never
 * parsed again.  {first_name} {last_name} {number} {custom1} {custom2} {timestamp} {date} (the two older names of
 * custom1 and custom2), {first_name|friend} with a default for an empty value, {{ and }} literal braces.
 */

#ifndef _NGX_CAMPAIGN_TEMPLATE_H_INCLUDED_
#define _NGX_CAMPAIGN_TEMPLATE_H_INCLUDED_


#include "ngx_campaign_contact.h"


#define NGX_CAMPAIGN_PART_TEXT    -1
#define NGX_CAMPAIGN_PART_NUMBER  -2


typedef struct {
    ngx_int_t    what;          /* a field of the contact, or NGX_CAMPAIGN_PART_… */
    ngx_str_t    text;          /* literal text, or the default of a placeholder */
} ngx_campaign_part_t;


typedef struct {
    ngx_uint_t            n;
    ngx_campaign_part_t  *parts;    /* a text without a placeholder is one part */
} ngx_campaign_template_t;


/*
 * Parses text (UTF-8, checked before) into parts from pool; their strings point into text where they can.  NGX_DECLINED: an unknown or
 * broken placeholder, *bad is that piece of text; NGX_ERROR: no memory.
 */
ngx_int_t ngx_campaign_template_parse(ngx_pool_t *pool, ngx_str_t *text, ngx_campaign_template_t *t, ngx_str_t *bad);

/* bytes that _render will write for this contact */
size_t ngx_campaign_template_size(const ngx_campaign_template_t *t, const ngx_campaign_contact_t *c);

/* writes the text at p (room for _size bytes), returns the end */
u_char *ngx_campaign_template_render(u_char *p, const ngx_campaign_template_t *t, const ngx_campaign_contact_t *c);


#endif /* _NGX_CAMPAIGN_TEMPLATE_H_INCLUDED_ */
