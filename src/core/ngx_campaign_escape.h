
/*
 * Text in the clothes that a place wants: between the quotes of a JSON string, in a URI, in XML, in a header.  Each form has a length pass and a
 * write pass; both walk the same bytes by the same table, so that a buffer of exactly that size is always enough.  The text is valid UTF-8
 * (checked on input); with any other bytes the passes still agree.
 */

#ifndef _NGX_CAMPAIGN_ESCAPE_H_INCLUDED_
#define _NGX_CAMPAIGN_ESCAPE_H_INCLUDED_


#include "ngx_campaign.h"


/*
 * What stands between the quotes of a JSON string (RFC 8259, 7); read back, it is the same text.  Escaped are " and \, control characters,
 * and what is harmless in JSON but not where JSON is pasted: DEL, U+2028 and U+2029.  _size: bytes that the write pass writes at p; it
 * returns the end.
 */
size_t ngx_campaign_escape_json_size(const u_char *text, size_t len);
u_char *ngx_campaign_escape_json(u_char *p, const u_char *text, size_t len);

/* all but the unreserved characters of RFC 3986, 2.3 becomes %XX */
size_t ngx_campaign_escape_uri_size(const u_char *text, size_t len);
u_char *ngx_campaign_escape_uri(u_char *p, const u_char *text, size_t len);

/*
 * Character data or a quoted attribute of XML 1.0: & < > " ' and line ends are references; what XML cannot hold (other control characters,
 * U+FFFE, U+FFFF) becomes a space
 */
size_t ngx_campaign_escape_xml_size(const u_char *text, size_t len);
u_char *ngx_campaign_escape_xml(u_char *p, const u_char *text, size_t len);

/* UTF-16, big-endian, in hexadecimal: what gateways take for UCS-2 */
size_t ngx_campaign_escape_utf16_size(const u_char *text, size_t len);
u_char *ngx_campaign_escape_utf16(u_char *p, const u_char *text, size_t len);

/*
 * For a header or a log: each control character (0x00-0x1f, 0x7f) becomes a space, so that no text can end a line.  _count: how many there
 * are; the length stays.
 */
size_t ngx_campaign_escape_plain_count(const u_char *text, size_t len);
u_char *ngx_campaign_escape_plain(u_char *p, const u_char *text, size_t len);


#endif /* _NGX_CAMPAIGN_ESCAPE_H_INCLUDED_ */
