
/*
 * Size of a text as an SMS: GSM 7-bit default alphabet and its extension table (3GPP TS 23.038, 6.2.1), else UCS-2;
 * one part holds 160 / 70 units, a part of several 153 / 67 (TS 23.040, 9.2.3.24.1).  A character that takes two
 * units (extension, surrogate pair) is never split over two parts.
 */

#ifndef _NGX_CAMPAIGN_SMS_H_INCLUDED_
#define _NGX_CAMPAIGN_SMS_H_INCLUDED_


#include "ngx_campaign.h"


typedef enum {
    NGX_CAMPAIGN_GSM7 = 0,
    NGX_CAMPAIGN_UCS2
} ngx_campaign_encoding_e;


typedef struct {
    ngx_campaign_encoding_e  encoding;
    uint32_t                 characters;    /* code points */
    uint32_t                 units;         /* septets, or UTF-16 code units */
    uint32_t                 segments;      /* an empty text is one */
} ngx_campaign_size_t;


/* units that a code point takes in the 7-bit alphabet: 1, 2 (extension table), 0: not in it */
ngx_uint_t ngx_campaign_sms_gsm(uint32_t code);

/*
 * What stands in the 7-bit alphabet for a code point that does not: quotes, dashes, spaces and letters that came out of a word processor
 * or another language.  NULL: nothing does; may be empty (a character that is not seen)
 */
const char *ngx_campaign_sms_instead(uint32_t code);

/* measures valid UTF-8; no allocation, cannot fail */
void ngx_campaign_sms_measure(const u_char *text, size_t len, ngx_campaign_size_t *size);

/* "GSM-7" or "UCS-2", a constant */
ngx_str_t *ngx_campaign_sms_name(ngx_campaign_encoding_e encoding);


/* code points of a strict UTF-8 text (RFC 3629: no surrogates, no overlong forms, no more than U+10FFFF); NGX_ERROR: it is none */
ngx_int_t ngx_campaign_utf8_length(const u_char *text, size_t len);

/* the code point at *p (p < end), which moves on; U+FFFD for a byte that is no UTF-8 */
uint32_t ngx_campaign_utf8_next(const u_char **p, const u_char *end);

/* UTF-8 of a code point at p (room for 4), returns the end */
u_char *ngx_campaign_utf8_put(u_char *p, uint32_t code);


#endif /* _NGX_CAMPAIGN_SMS_H_INCLUDED_ */
