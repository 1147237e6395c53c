
/*
 * A message's text as parts.  It keeps true: parts of text and placeholders alternate as they stand in the template, two parts of text
 * are never neighbours, and no value of a contact is looked at for placeholders.
 */

#include "ngx_campaign_template.h"
#include "ngx_campaign_number.h"


typedef struct {
    ngx_str_t  name;
    ngx_int_t  what;
} ngx_campaign_placeholder_t;


static ngx_int_t ngx_campaign_template_text(ngx_pool_t *pool, u_char **pos, u_char *end, ngx_campaign_part_t *part, ngx_str_t *bad);
static ngx_int_t ngx_campaign_template_placeholder(u_char **pos, u_char *end, ngx_campaign_part_t *part, ngx_str_t *bad);
static ngx_uint_t ngx_campaign_template_single(const u_char *p, const u_char *end);
static void ngx_campaign_template_value(const ngx_campaign_part_t *part, const ngx_campaign_contact_t *c, u_char *number,
    ngx_str_t *value);


/* clang-format off */

static const ngx_campaign_placeholder_t  ngx_campaign_placeholders[] = {
    { ngx_string("first_name"), NGX_CAMPAIGN_CONTACT_FIRST_NAME },
    { ngx_string("last_name"),  NGX_CAMPAIGN_CONTACT_LAST_NAME },
    { ngx_string("number"),     NGX_CAMPAIGN_PART_NUMBER },
    { ngx_string("custom1"),    NGX_CAMPAIGN_CONTACT_CUSTOM1 },
    { ngx_string("custom2"),    NGX_CAMPAIGN_CONTACT_CUSTOM2 },
    { ngx_string("timestamp"),  NGX_CAMPAIGN_CONTACT_CUSTOM1 },
    { ngx_string("date"),       NGX_CAMPAIGN_CONTACT_CUSTOM2 },
    { ngx_null_string,          0 }
};

/* clang-format on */


ngx_int_t
ngx_campaign_template_parse(ngx_pool_t *pool, ngx_str_t *text, ngx_campaign_template_t *t, ngx_str_t *bad)
{
    u_char               *p, *end;
    ngx_int_t             rc;
    ngx_uint_t            n, most;
    ngx_campaign_part_t  *parts;

    end = text->data + text->len;

    for (most = 1, p = text->data; p < end; p++) {
        if (*p == '{') {
            most += 2;                          /* a placeholder and the text behind it */
        }
    }

    parts = ngx_palloc(pool, most * sizeof(ngx_campaign_part_t));
    if (parts == NULL) {
        return NGX_ERROR;
    }

    p = text->data;
    n = 0;

    do {
        if (p < end && *p == '{' && ngx_campaign_template_single(p, end)) {
            rc = ngx_campaign_template_placeholder(&p, end, &parts[n], bad);

        } else {
            rc = ngx_campaign_template_text(pool, &p, end, &parts[n], bad);
        }

        if (rc != NGX_OK) {
            return rc;
        }

        n++;

    } while (p < end);

    t->n = n;
    t->parts = parts;

    return NGX_OK;
}


/* literal text up to a placeholder; a copy only if a doubled brace must be made one */

static ngx_int_t
ngx_campaign_template_text(ngx_pool_t *pool, u_char **pos, u_char *end, ngx_campaign_part_t *part, ngx_str_t *bad)
{
    u_char  *p, *dst, *text;
    size_t   doubled;

    doubled = 0;

    for (p = *pos; p < end; p++) {
        if (*p != '{' && *p != '}') {
            continue;
        }

        if (!ngx_campaign_template_single(p, end)) {
            doubled++;
            p++;
            continue;
        }

        if (*p == '}') {
            bad->data = p;
            bad->len = 1;
            return NGX_DECLINED;
        }

        break;
    }

    text = *pos;
    *pos = p;
    end = p;

    part->what = NGX_CAMPAIGN_PART_TEXT;
    part->text.data = text;
    part->text.len = end - text - doubled;

    if (doubled == 0) {
        return NGX_OK;
    }

    dst = ngx_pnalloc(pool, part->text.len);
    if (dst == NULL) {
        return NGX_ERROR;
    }

    part->text.data = dst;

    for (p = text; p < end; p++) {
        *dst++ = *p;

        if (*p == '{' || *p == '}') {
            p++;
        }
    }

    return NGX_OK;
}


/* {name} or {name|default}; a default holds no braces */

static ngx_int_t
ngx_campaign_template_placeholder(u_char **pos, u_char *end, ngx_campaign_part_t *part, ngx_str_t *bad)
{
    u_char                            *p, *bar, *name;
    const ngx_campaign_placeholder_t  *ph;

    bar = NULL;
    name = *pos + 1;

    for (p = name; p < end && *p != '{' && *p != '}'; p++) {
        if (*p == '|' && bar == NULL) {
            bar = p;
        }
    }

    if (p < end && *p == '}') {
        if (bar == NULL) {
            bar = p;
        }

        for (ph = ngx_campaign_placeholders; ph->name.len; ph++) {
            if (ph->name.len == (size_t) (bar - name) && ngx_memcmp(ph->name.data, name, ph->name.len) == 0) {
                part->what = ph->what;
                part->text.data = bar < p ? bar + 1 : p;
                part->text.len = p - part->text.data;

                *pos = p + 1;

                return NGX_OK;
            }
        }

        p++;
    }

    bad->data = *pos;
    bad->len = p - *pos;

    return NGX_DECLINED;
}


/* 1: the brace at p stands for itself alone, not doubled */

static ngx_uint_t
ngx_campaign_template_single(const u_char *p, const u_char *end)
{
    return p + 1 == end || p[1] != p[0];
}


size_t
ngx_campaign_template_size(const ngx_campaign_template_t *t, const ngx_campaign_contact_t *c)
{
    u_char      number[NGX_CAMPAIGN_NUMBER_LEN];
    size_t      size;
    ngx_str_t   value;
    ngx_uint_t  i;

    for (size = 0, i = 0; i < t->n; i++) {
        ngx_campaign_template_value(&t->parts[i], c, number, &value);
        size += value.len;
    }

    return size;
}


u_char *
ngx_campaign_template_render(u_char *p, const ngx_campaign_template_t *t, const ngx_campaign_contact_t *c)
{
    u_char      number[NGX_CAMPAIGN_NUMBER_LEN];
    ngx_str_t   value;
    ngx_uint_t  i;

    for (i = 0; i < t->n; i++) {
        ngx_campaign_template_value(&t->parts[i], c, number, &value);

        if (value.len) {
            p = ngx_cpymem(p, value.data, value.len);
        }
    }

    return p;
}


/* what a part is for this contact; number is room for NGX_CAMPAIGN_NUMBER_LEN digits */

static void
ngx_campaign_template_value(const ngx_campaign_part_t *part, const ngx_campaign_contact_t *c, u_char *number, ngx_str_t *value)
{
    if (part->what == NGX_CAMPAIGN_PART_NUMBER) {
        value->data = number;
        value->len = ngx_campaign_number_print(number, c->number) - number;
        return;
    }

    *value = (part->what == NGX_CAMPAIGN_PART_TEXT || c->field[part->what].len == 0) ? part->text : c->field[part->what];
}
