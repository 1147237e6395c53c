
/*
 * Places of an id in the replies of gateways.
 */

#include "ngx_campaign_reply.h"
#include "ngx_campaign_json.h"


#define NGX_CAMPAIGN_REPLY_WORDS  64


static ngx_int_t ngx_campaign_reply_word(ngx_uint_t n, const u_char *p, const u_char *end, u_char *id, size_t *len);
static ngx_int_t ngx_campaign_reply_tag(const ngx_str_t *name, const u_char *p, const u_char *end, u_char *id, size_t *len);
static ngx_uint_t ngx_campaign_reply_quote(u_char c);


typedef struct {
    ngx_str_t                  prefix;
    ngx_campaign_reply_kind_e  kind;
} ngx_campaign_reply_prefix_t;

static const ngx_campaign_reply_prefix_t  ngx_campaign_reply_prefixes[] = {
    { ngx_string("word:"), NGX_CAMPAIGN_REPLY_WORD },
    { ngx_string("tag:"), NGX_CAMPAIGN_REPLY_TAG },
    { ngx_string("header:"), NGX_CAMPAIGN_REPLY_HEADER }
};


ngx_int_t
ngx_campaign_reply_place(const ngx_str_t *text, ngx_campaign_reply_place_t *place)
{
    ngx_int_t         n;
    ngx_uint_t        i;
    const ngx_str_t  *prefix;

    ngx_memzero(place, sizeof(ngx_campaign_reply_place_t));

    place->name = *text;

    for (i = 0; i < sizeof(ngx_campaign_reply_prefixes) / sizeof(ngx_campaign_reply_prefixes[0]); i++) {
        prefix = &ngx_campaign_reply_prefixes[i].prefix;

        if (text->len >= prefix->len && ngx_strncmp(text->data, prefix->data, prefix->len) == 0) {
            place->kind = ngx_campaign_reply_prefixes[i].kind;
            place->name.data += prefix->len;
            place->name.len -= prefix->len;
            break;
        }
    }

    if (place->kind == NGX_CAMPAIGN_REPLY_WORD) {
        n = ngx_atoi(place->name.data, place->name.len);
        place->n = n;

        return (n < 1 || n > NGX_CAMPAIGN_REPLY_WORDS) ? NGX_ERROR : NGX_OK;
    }

    if (place->kind != NGX_CAMPAIGN_REPLY_JSON) {
        return (place->name.len == 0 || place->name.len > NGX_CAMPAIGN_JSON_PATH_MAX) ? NGX_ERROR : NGX_OK;
    }

    return ngx_campaign_json_path(&place->name);
}


ngx_int_t
ngx_campaign_reply_id(const ngx_campaign_reply_place_t *place, const u_char *p, const u_char *end, u_char *id, size_t *len)
{
    ngx_str_t  value;

    switch (place->kind) {

    case NGX_CAMPAIGN_REPLY_JSON:
        if (ngx_campaign_json_find(p, end, &place->name, &value) != NGX_OK) {
            return NGX_DECLINED;
        }

        if (ngx_campaign_json_text(&value, id, NGX_CAMPAIGN_GATEWAY_ID_MAX, len) != NGX_OK) {
            return NGX_DECLINED;
        }

        return memchr(id, ' ', *len) ? NGX_DECLINED : NGX_OK;

    case NGX_CAMPAIGN_REPLY_WORD:
        return ngx_campaign_reply_word(place->n, p, end, id, len);

    case NGX_CAMPAIGN_REPLY_TAG:
        return ngx_campaign_reply_tag(&place->name, p, end, id, len);

    default:
        return NGX_DECLINED;
    }
}


/* word n of a text: what stands between spaces, without the quotes and signs around it */

static ngx_int_t
ngx_campaign_reply_word(ngx_uint_t n, const u_char *p, const u_char *end, u_char *id, size_t *len)
{
    const u_char  *last;

    for ( ;; ) {
        while (p < end && *p <= 0x20) {
            p++;
        }

        if (p == end) {
            return NGX_DECLINED;
        }

        for (last = p; last < end && *last > 0x20; last++) { /* void */ }

        if (--n == 0) {
            break;
        }

        p = last;
    }

    while (p < last && ngx_campaign_reply_quote(*p)) {
        p++;
    }

    while (p < last && ngx_campaign_reply_quote(last[-1])) {
        last--;
    }

    return ngx_campaign_reply_value(p, last, id, len);
}


/* text of the first element of that name, in whatever name space: up to the next '<' */

static ngx_int_t
ngx_campaign_reply_tag(const ngx_str_t *name, const u_char *p, const u_char *end, u_char *id, size_t *len)
{
    const u_char  *tag, *last;

    for ( ;; ) {
        p = ngx_strlchr((u_char *) p, (u_char *) end, '<');
        if (p == NULL) {
            return NGX_DECLINED;
        }

        tag = ++p;

        while (p < end && *p != '>' && *p != '/' && *p != ' ') {
            p++;

            if (p[-1] == ':') {
                tag = p;
            }
        }

        if (p < end && (size_t) (p - tag) == name->len && ngx_memcmp(tag, name->data, name->len) == 0) {
            break;
        }
    }

    p = ngx_strlchr((u_char *) p, (u_char *) end, '>');
    last = p ? ngx_strlchr((u_char *) p, (u_char *) end, '<') : NULL;

    if (last == NULL) {
        return NGX_DECLINED;
    }

    for (p++; p < last && *p <= 0x20; p++) { /* void */ }

    while (p < last && last[-1] <= 0x20) {
        last--;
    }

    return ngx_campaign_reply_value(p, last, id, len);
}


ngx_int_t
ngx_campaign_reply_value(const u_char *p, const u_char *end, u_char *id, size_t *len)
{
    const u_char  *c;

    if (p == end || end - p > NGX_CAMPAIGN_GATEWAY_ID_MAX) {
        return NGX_DECLINED;
    }

    for (c = p; c < end; c++) {
        if (*c <= 0x20 || *c >= 0x7f) {
            return NGX_DECLINED;
        }
    }

    ngx_memcpy(id, p, end - p);
    *len = end - p;

    return NGX_OK;
}


static ngx_uint_t
ngx_campaign_reply_quote(u_char c)
{
    return c == '"' || c == '\'' || c == ',' || c == ';' || c == ':' || c == '(' || c == ')' || c == '<' || c == '>';
}
