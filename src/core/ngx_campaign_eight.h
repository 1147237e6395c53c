
/*
 * Eight bytes of a text at once.  Most texts have nothing that an escape, a header or a key cares about: those who walk them ask for eight
 * bytes whether there is anything at all, and go byte by byte only where there is.  The answers are exact: no byte is taken for another.
 */

#ifndef _NGX_CAMPAIGN_EIGHT_H_INCLUDED_
#define _NGX_CAMPAIGN_EIGHT_H_INCLUDED_


#include "ngx_campaign.h"


#define NGX_CAMPAIGN_EIGHT_LOW   0x0101010101010101ULL
#define NGX_CAMPAIGN_EIGHT_HIGH  0x8080808080808080ULL

/* the byte c eight times */
#define ngx_campaign_eight(c)  (NGX_CAMPAIGN_EIGHT_LOW * (c))

/* not 0 if a byte of x is less than n, n <= 128 */
#define ngx_campaign_eight_less(x, n)  (((x) - ngx_campaign_eight(n)) & ~(x) & NGX_CAMPAIGN_EIGHT_HIGH)

/* not 0 if a byte of x is c */
#define ngx_campaign_eight_has(x, c)  ngx_campaign_eight_less((x) ^ ngx_campaign_eight(c), 1)


static ngx_inline uint64_t
ngx_campaign_eight_get(const u_char *p)
{
    uint64_t  x;

    ngx_memcpy(&x, p, sizeof(uint64_t));

    return x;
}


/* not 0 if a byte is a control character, DEL among them */

static ngx_inline uint64_t
ngx_campaign_eight_control(uint64_t x)
{
    return ngx_campaign_eight_less(x, 0x20) | ngx_campaign_eight_has(x, 0x7f);
}


#endif /* _NGX_CAMPAIGN_EIGHT_H_INCLUDED_ */
