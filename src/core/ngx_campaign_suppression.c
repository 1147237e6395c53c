
/*
 * Suppressions as contacts of a pile, and the words for where they came from.
 */

#include "ngx_campaign_suppression.h"
#include "ngx_campaign_codec.h"


/* what a contact's fields hold */

#define NGX_CAMPAIGN_SUPPRESSION_CHANNEL   NGX_CAMPAIGN_CONTACT_FIRST_NAME
#define NGX_CAMPAIGN_SUPPRESSION_SENDER    NGX_CAMPAIGN_CONTACT_LAST_NAME
#define NGX_CAMPAIGN_SUPPRESSION_EXPIRES   NGX_CAMPAIGN_CONTACT_CUSTOM1     /* u64, big-endian */
#define NGX_CAMPAIGN_SUPPRESSION_WHY       NGX_CAMPAIGN_CONTACT_CUSTOM2
#define NGX_CAMPAIGN_SUPPRESSION_CAMPAIGN  NGX_CAMPAIGN_CONTACT_TAGS


static ngx_str_t  ngx_campaign_sources[NGX_CAMPAIGN_SOURCE_MAX] = {
    ngx_null_string,
    ngx_string("api"),
    ngx_string("import"),
    ngx_string("stop"),
    ngx_string("receipt")
};

static u_char  ngx_campaign_suppression_zero[NGX_CAMPAIGN_ID_LEN];


ngx_str_t *
ngx_campaign_source_name(ngx_uint_t source)
{
    return &ngx_campaign_sources[source < NGX_CAMPAIGN_SOURCE_MAX ? source : 0];
}


ngx_campaign_source_e
ngx_campaign_source_find(const ngx_str_t *name)
{
    ngx_uint_t  i;

    for (i = 1; i < NGX_CAMPAIGN_SOURCE_MAX; i++) {
        if (ngx_campaign_sources[i].len == name->len && ngx_strncasecmp(ngx_campaign_sources[i].data, name->data, name->len) == 0) {
            return i;
        }
    }

    return 0;
}


ngx_int_t
ngx_campaign_suppression_pile(ngx_campaign_pile_t *pile, const ngx_campaign_suppression_t *s)
{
    u_char                  expires[8];
    ngx_campaign_contact_t  contact;

    ngx_memzero(&contact, sizeof(ngx_campaign_contact_t));

    contact.number = s->number;
    contact.field[NGX_CAMPAIGN_SUPPRESSION_CHANNEL] = s->channel;
    contact.field[NGX_CAMPAIGN_SUPPRESSION_SENDER] = s->from;
    contact.field[NGX_CAMPAIGN_SUPPRESSION_WHY] = s->reason;

    if (s->expires) {
        ngx_campaign_be64_put(expires, (uint64_t) s->expires);
        contact.field[NGX_CAMPAIGN_SUPPRESSION_EXPIRES].len = 8;
        contact.field[NGX_CAMPAIGN_SUPPRESSION_EXPIRES].data = expires;
    }

    if (ngx_memcmp(s->campaign, ngx_campaign_suppression_zero, NGX_CAMPAIGN_ID_LEN) != 0) {
        contact.field[NGX_CAMPAIGN_SUPPRESSION_CAMPAIGN].len = NGX_CAMPAIGN_ID_LEN;
        contact.field[NGX_CAMPAIGN_SUPPRESSION_CAMPAIGN].data = (u_char *) s->campaign;
    }

    return ngx_campaign_pile_add(pile, &contact);
}


void
ngx_campaign_suppression_read(const ngx_campaign_contact_t *contact, ngx_campaign_suppression_t *s)
{
    const ngx_str_t  *field;

    field = contact->field;

    ngx_memzero(s, sizeof(ngx_campaign_suppression_t));

    s->number = contact->number;
    s->channel = field[NGX_CAMPAIGN_SUPPRESSION_CHANNEL];
    s->from = field[NGX_CAMPAIGN_SUPPRESSION_SENDER];
    s->reason = field[NGX_CAMPAIGN_SUPPRESSION_WHY];

    if (field[NGX_CAMPAIGN_SUPPRESSION_EXPIRES].len == 8) {
        s->expires = (time_t) ngx_campaign_be64_get(field[NGX_CAMPAIGN_SUPPRESSION_EXPIRES].data);
    }

    if (field[NGX_CAMPAIGN_SUPPRESSION_CAMPAIGN].len == NGX_CAMPAIGN_ID_LEN) {
        ngx_memcpy(s->campaign, field[NGX_CAMPAIGN_SUPPRESSION_CAMPAIGN].data, NGX_CAMPAIGN_ID_LEN);
    }
}
