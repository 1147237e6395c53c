
/*
 * The sums of a preview.  It keeps true: what is measured is, byte for byte, what a delivery would render; one buffer serves all texts.
 */

#include "ngx_campaign_preview.h"


static ngx_int_t ngx_campaign_preview_measure(ngx_campaign_preview_t *pv, const ngx_campaign_contact_t *contact, ngx_campaign_size_t *size,
    ngx_str_t *text);
static ngx_int_t ngx_campaign_preview_render(ngx_campaign_preview_t *pv, const ngx_campaign_contact_t *contact, ngx_str_t *text);
static ngx_int_t ngx_campaign_preview_sample(ngx_campaign_preview_t *pv, const ngx_campaign_contact_t *contact,
    const ngx_campaign_size_t *size, const ngx_str_t *text);
static void ngx_campaign_preview_missing(ngx_campaign_preview_t *pv, const ngx_campaign_contact_t *contact);
static void ngx_campaign_preview_chars(ngx_campaign_preview_t *pv, const ngx_str_t *text);
static void ngx_campaign_preview_char(ngx_campaign_preview_t *pv, uint32_t code);


ngx_int_t
ngx_campaign_preview_init(ngx_campaign_preview_t *pv, ngx_pool_t *pool, ngx_str_t *text, ngx_str_t *bad)
{
    ngx_int_t   rc;
    ngx_uint_t  i;

    ngx_memzero(pv, sizeof(ngx_campaign_preview_t));

    pv->pool = pool;

    rc = ngx_campaign_template_parse(pool, text, &pv->text, bad);
    if (rc != NGX_OK) {
        return rc;
    }

    for (i = 0; i < pv->text.n && pv->text.parts[i].what == NGX_CAMPAIGN_PART_TEXT; i++) { /* void */ }

    pv->plain = (i == pv->text.n);

    return NGX_OK;
}


ngx_int_t
ngx_campaign_preview_add(ngx_campaign_preview_t *pv, const ngx_campaign_contact_t *contact)
{
    ngx_str_t            text;
    ngx_campaign_size_t  size;

    if (pv->sized && pv->nsamples == NGX_CAMPAIGN_PREVIEW_SAMPLES) {
        size = pv->same;

    } else {
        if (ngx_campaign_preview_measure(pv, contact, &size, &text) != NGX_OK
            || ngx_campaign_preview_sample(pv, contact, &size, &text) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    if (!pv->plain) {
        ngx_campaign_preview_missing(pv, contact);
    }

    if (pv->recipients == 0 || size.segments < pv->least) {
        pv->least = size.segments;
    }

    pv->most = ngx_max(pv->most, size.segments);
    pv->segments += size.segments;
    pv->encodings[size.encoding]++;
    pv->recipients++;

    return NGX_OK;
}


/* the characters of a text that is the same for all are counted once, for all of them */

void
ngx_campaign_preview_end(ngx_campaign_preview_t *pv)
{
    ngx_uint_t           i, j;
    ngx_campaign_char_t  c;

    for (i = 0; i < pv->nchars; i++) {
        if (pv->plain) {
            pv->chars[i].count *= pv->recipients;
        }

        c = pv->chars[i];

        for (j = i; j > 0 && pv->chars[j - 1].count < c.count; j--) {
            pv->chars[j] = pv->chars[j - 1];
        }

        pv->chars[j] = c;
    }
}


static ngx_int_t
ngx_campaign_preview_measure(ngx_campaign_preview_t *pv, const ngx_campaign_contact_t *contact, ngx_campaign_size_t *size, ngx_str_t *text)
{
    if (ngx_campaign_preview_render(pv, contact, text) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_campaign_sms_measure(text->data, text->len, size);

    if (size->encoding == NGX_CAMPAIGN_UCS2 && !pv->sized) {
        ngx_campaign_preview_chars(pv, text);
    }

    if (pv->plain) {
        pv->sized = 1;
        pv->same = *size;
    }

    return NGX_OK;
}


/* text is in the buffer: until the next one */

static ngx_int_t
ngx_campaign_preview_render(ngx_campaign_preview_t *pv, const ngx_campaign_contact_t *contact, ngx_str_t *text)
{
    size_t  size;

    size = ngx_campaign_template_size(&pv->text, contact);

    if (size > pv->room || pv->buffer == NULL) {
        pv->room = 0;

        pv->buffer = ngx_pnalloc(pv->pool, 2 * size + 1);
        if (pv->buffer == NULL) {
            return NGX_ERROR;
        }

        pv->room = 2 * size + 1;
    }

    text->data = pv->buffer;
    text->len = ngx_campaign_template_render(pv->buffer, &pv->text, contact) - pv->buffer;

    return NGX_OK;
}


static ngx_int_t
ngx_campaign_preview_sample(ngx_campaign_preview_t *pv, const ngx_campaign_contact_t *contact, const ngx_campaign_size_t *size,
    const ngx_str_t *text)
{
    ngx_campaign_sample_t  *sample;

    if (pv->nsamples == NGX_CAMPAIGN_PREVIEW_SAMPLES) {
        return NGX_OK;
    }

    sample = &pv->samples[pv->nsamples];

    sample->text.data = ngx_pnalloc(pv->pool, text->len + 1);
    if (sample->text.data == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(sample->text.data, text->data, text->len);

    sample->text.len = text->len;
    sample->number = contact->number;
    sample->size = *size;

    pv->nsamples++;

    return NGX_OK;
}


/* a field that stands in the text twice is missing once */

static void
ngx_campaign_preview_missing(ngx_campaign_preview_t *pv, const ngx_campaign_contact_t *contact)
{
    ngx_uint_t                  i, seen;
    const ngx_campaign_part_t  *part;

    seen = 0;

    for (i = 0; i < pv->text.n; i++) {
        part = &pv->text.parts[i];

        if (part->what >= 0 && part->text.len == 0 && contact->field[part->what].len == 0 && !(seen & ((ngx_uint_t) 1 << part->what))) {
            seen |= (ngx_uint_t) 1 << part->what;
            pv->missing[part->what]++;
        }
    }
}


static void
ngx_campaign_preview_chars(ngx_campaign_preview_t *pv, const ngx_str_t *text)
{
    uint32_t       code;
    const u_char  *p, *end;

    p = text->data;
    end = p + text->len;

    while (p < end) {
        if (*p < 0x80) {
            code = *p++;

        } else {
            code = ngx_campaign_utf8_next(&p, end);
        }

        if (ngx_campaign_sms_gsm(code) == 0) {
            ngx_campaign_preview_char(pv, code);
        }
    }
}


static void
ngx_campaign_preview_char(ngx_campaign_preview_t *pv, uint32_t code)
{
    ngx_uint_t  i;

    for (i = 0; i < pv->nchars; i++) {
        if (pv->chars[i].code == code) {
            pv->chars[i].count++;
            return;
        }
    }

    if (pv->nchars < NGX_CAMPAIGN_PREVIEW_CHARS) {
        pv->chars[pv->nchars].code = code;
        pv->chars[pv->nchars].count = 1;
        pv->nchars++;
    }
}
