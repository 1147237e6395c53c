
/*
 * The walk to one value.  It keeps true: every step moves on, none looks behind the end, no depth costs memory.
 */

#include "ngx_campaign_json.h"
#include "ngx_campaign_eight.h"


typedef struct {
    const u_char  *p, *end;                     /* of the path: what is left */
    ngx_str_t      name;                        /* next step: a member */
    ngx_uint_t     index;                       /* or, name.data NULL, a place */
} ngx_campaign_json_step_t;


static const u_char *ngx_campaign_json_walk(const u_char *p, const u_char *end, const ngx_str_t *path);
static ngx_int_t ngx_campaign_json_step(ngx_campaign_json_step_t *s);
static const u_char *ngx_campaign_json_member(const u_char *p, const u_char *end, const ngx_str_t *name);
static const u_char *ngx_campaign_json_place(const u_char *p, const u_char *end, ngx_uint_t index);
static const u_char *ngx_campaign_json_space(const u_char *p, const u_char *end);
static const u_char *ngx_campaign_json_string(const u_char *p, const u_char *end);
static const u_char *ngx_campaign_json_skip(const u_char *p, const u_char *end);
static size_t ngx_campaign_json_plain(const u_char *p, const u_char *end);
static ngx_int_t ngx_campaign_json_escape(const u_char **p, const u_char *end, u_char *c);


#define ngx_campaign_json_is_space(c)  ((c) == ' ' || (c) == '\t' || (c) == CR || (c) == LF)

#define ngx_campaign_json_is_end(c)                                                                                   \
    ((c) == ',' || (c) == '}' || (c) == ']' || (c) == ':' || (c) == '{' || (c) == '[' || (c) == '"'                   \
     || ngx_campaign_json_is_space(c))


ngx_int_t
ngx_campaign_json_path(const ngx_str_t *path)
{
    ngx_int_t                 rc;
    ngx_campaign_json_step_t  s;

    if (path->len == 0 || path->len > NGX_CAMPAIGN_JSON_PATH_MAX) {
        return NGX_ERROR;
    }

    s.p = path->data;
    s.end = path->data + path->len;

    do {
        rc = ngx_campaign_json_step(&s);
    } while (rc == NGX_OK);

    return rc == NGX_DONE ? NGX_OK : NGX_ERROR;
}


ngx_int_t
ngx_campaign_json_find(const u_char *p, const u_char *end, const ngx_str_t *path, ngx_str_t *value)
{
    const u_char  *last;

    p = ngx_campaign_json_walk(p, end, path);

    if (p == NULL || *p == '{' || *p == '[') {
        return NGX_DECLINED;
    }

    last = ngx_campaign_json_skip(p, end);
    if (last == NULL || last == end) {                  /* a value at the very end may be cut off */
        return NGX_DECLINED;
    }

    value->data = (u_char *) p;
    value->len = last - p;

    if (*p == '"') {
        value->data++;
        value->len -= 2;
        return NGX_OK;
    }

    if (value->len == 4 && ngx_memcmp(p, "null", 4) == 0) {
        return NGX_DECLINED;
    }

    return value->len ? NGX_OK : NGX_DECLINED;
}


ngx_int_t
ngx_campaign_json_list(const u_char *p, const u_char *end, const ngx_str_t *path, ngx_str_t *rest)
{
    ngx_str_t  list, item;

    p = ngx_campaign_json_walk(p, end, path);

    if (p == NULL || *p != '[') {
        return NGX_DECLINED;
    }

    end = ngx_campaign_json_skip(p, end);
    if (end == NULL) {
        return NGX_DECLINED;
    }

    list.data = (u_char *) p;
    list.len = end - p;

    *rest = list;

    while (ngx_campaign_json_next(&list, &item) == NGX_OK) { /* void */ }

    return list.len == 1 ? NGX_OK : NGX_DECLINED;       /* nothing but its bracket is left */
}


/* *rest begins with what stands before an element: a bracket or a comma */

ngx_int_t
ngx_campaign_json_next(ngx_str_t *rest, ngx_str_t *item)
{
    const u_char  *p, *end, *last;

    end = rest->data + rest->len;

    p = ngx_campaign_json_space(rest->data + 1, end);

    if (p && *p == ']' && *rest->data == '[') {
        last = p;

    } else {
        last = p ? ngx_campaign_json_skip(p, end) : NULL;
        last = last ? ngx_campaign_json_space(last, end) : NULL;
    }

    if (last == NULL || (*last != ',' && *last != ']')) {
        return NGX_DONE;
    }

    rest->data = (u_char *) last;
    rest->len = end - last;

    if (*last == ']' && last == p) {
        return NGX_DONE;
    }

    for (end = last; ngx_campaign_json_is_space(end[-1]); end--) { /* void */ }

    item->data = (u_char *) p;
    item->len = end - p;

    return NGX_OK;
}


/* where the value of a path begins; NULL: there is none */

static const u_char *
ngx_campaign_json_walk(const u_char *p, const u_char *end, const ngx_str_t *path)
{
    ngx_campaign_json_step_t  s;

    s.p = path->data;
    s.end = path->data + path->len;

    p = ngx_campaign_json_space(p, end);

    while (p && ngx_campaign_json_step(&s) == NGX_OK) {
        p = s.name.data ? ngx_campaign_json_member(p, end, &s.name) : ngx_campaign_json_place(p, end, s.index);
        p = p ? ngx_campaign_json_space(p, end) : NULL;
    }

    return p;
}


/* the next step of a path: NGX_OK, NGX_DONE: it has ended, NGX_ERROR: no path */

static ngx_int_t
ngx_campaign_json_step(ngx_campaign_json_step_t *s)
{
    const u_char  *p;

    p = s->p;

    if (p == s->end) {
        return NGX_DONE;
    }

    if (*p == '[') {
        s->name.data = NULL;
        s->index = 0;

        for (p++; p < s->end && *p >= '0' && *p <= '9' && s->index < NGX_CAMPAIGN_RECIPIENTS_MAX; p++) {
            s->index = s->index * 10 + (*p - '0');
        }

        if (p == s->end || *p != ']' || p[-1] == '[') {
            return NGX_ERROR;
        }

        p++;

    } else {
        s->name.data = (u_char *) p;

        while (p < s->end && *p != '.' && *p != '[' && *p > 0x20 && *p != '"' && *p != '\\') {
            p++;
        }

        s->name.len = p - s->name.data;

        if (s->name.len == 0) {
            return NGX_ERROR;
        }
    }

    if (p < s->end && *p == '.') {
        p++;

        if (p == s->end || *p == '[') {
            return NGX_ERROR;
        }

    } else if (p < s->end && *p != '[') {
        return NGX_ERROR;
    }

    s->p = p;

    return NGX_OK;
}


/* where the value of a member begins; NULL: there is none */

static const u_char *
ngx_campaign_json_member(const u_char *p, const u_char *end, const ngx_str_t *name)
{
    ngx_uint_t     found;
    const u_char  *key;

    if (*p != '{') {
        return NULL;
    }

    for ( ;; ) {
        key = ngx_campaign_json_space(p + 1, end);
        if (key == NULL || *key != '"') {
            return NULL;
        }

        p = ngx_campaign_json_string(key, end);
        if (p == NULL) {
            return NULL;
        }

        found = ((size_t) (p - key) == name->len + 2 && ngx_memcmp(key + 1, name->data, name->len) == 0);

        p = ngx_campaign_json_space(p, end);
        if (p == NULL || *p != ':') {
            return NULL;
        }

        p++;

        if (found) {
            return p;
        }

        p = ngx_campaign_json_space(p, end);
        p = p ? ngx_campaign_json_skip(p, end) : NULL;
        p = p ? ngx_campaign_json_space(p, end) : NULL;

        if (p == NULL || *p != ',') {
            return NULL;
        }
    }
}


static const u_char *
ngx_campaign_json_place(const u_char *p, const u_char *end, ngx_uint_t index)
{
    if (*p != '[') {
        return NULL;
    }

    for ( ;; ) {
        p = ngx_campaign_json_space(p + 1, end);

        if (p == NULL || *p == ']' || index == 0) {
            return (p && *p != ']') ? p : NULL;
        }

        p = ngx_campaign_json_skip(p, end);
        p = p ? ngx_campaign_json_space(p, end) : NULL;

        if (p == NULL || *p != ',') {
            return NULL;
        }

        index--;
    }
}


/* the next byte that is no space; NULL: there is none */

static const u_char *
ngx_campaign_json_space(const u_char *p, const u_char *end)
{
    while (p < end && ngx_campaign_json_is_space(*p)) {
        p++;
    }

    return p < end ? p : NULL;
}


/* behind the string that begins at p; NULL: it does not end */

static const u_char *
ngx_campaign_json_string(const u_char *p, const u_char *end)
{
    for (p++; p < end; p++) {

        if (*p == '"') {
            return p + 1;
        }

        if (*p == '\\') {
            p++;
        }
    }

    return NULL;
}


/* behind the value that begins at p; NULL: it does not end, or there is none */

static const u_char *
ngx_campaign_json_skip(const u_char *p, const u_char *end)
{
    ngx_uint_t     depth;
    const u_char  *start;

    depth = 0;
    start = p;

    while (p < end) {

        switch (*p) {

        case '"':
            p = ngx_campaign_json_string(p, end);

            if (p == NULL) {
                return NULL;
            }

            break;

        case '{':
        case '[':
            depth++;
            p++;
            break;

        case '}':
        case ']':
            if (depth == 0) {
                return NULL;
            }

            depth--;
            p++;
            break;

        default:
            if (depth) {
                p++;
                continue;
            }

            for (start = p; p < end && !ngx_campaign_json_is_end(*p); p++) { /* void */ }

            return p == start ? NULL : p;
        }

        if (depth == 0) {
            return p;
        }
    }

    return NULL;
}


ngx_int_t
ngx_campaign_json_text(const ngx_str_t *value, u_char *out, size_t most, size_t *len)
{
    u_char         c;
    size_t         n;
    const u_char  *p, *end;

    p = value->data;
    end = p + value->len;

    n = ngx_campaign_json_plain(p, end);

    if (n <= most) {
        ngx_memcpy(out, p, n);
        p += n;

    } else {
        n = 0;
    }

    for ( /* void */ ; p < end; n++) {

        c = *p++;

        if (c == '\\' && ngx_campaign_json_escape(&p, end, &c) != NGX_OK) {
            return NGX_DECLINED;
        }

        if (n == most || c < 0x20 || c >= 0x7f) {
            return NGX_DECLINED;
        }

        out[n] = c;
    }

    if (n == 0) {
        return NGX_DECLINED;
    }

    *len = n;

    return NGX_OK;
}


/* bytes, a multiple of eight, that are ASCII without an escape */

static size_t
ngx_campaign_json_plain(const u_char *p, const u_char *end)
{
    uint64_t  x;
    size_t    n;

    for (n = 0; (size_t) (end - p) - n >= 8; n += 8) {
        x = ngx_campaign_eight_get(p + n);

        if ((x & NGX_CAMPAIGN_EIGHT_HIGH) | ngx_campaign_eight_control(x) | ngx_campaign_eight_has(x, '\\')) {
            break;
        }
    }

    return n;
}


/* what stands behind a backslash, if it is ASCII */

static ngx_int_t
ngx_campaign_json_escape(const u_char **p, const u_char *end, u_char *c)
{
    ngx_int_t  code;

    if (*p == end) {
        return NGX_DECLINED;
    }

    *c = *(*p)++;

    if (*c == '"' || *c == '\\' || *c == '/') {
        return NGX_OK;
    }

    if (*c != 'u' || end - *p < 4) {
        return NGX_DECLINED;                            /* a control character */
    }

    code = ngx_hextoi((u_char *) *p, 4);
    if (code < 0 || code > 0x7f) {
        return NGX_DECLINED;
    }

    *p += 4;
    *c = (u_char) code;

    return NGX_OK;
}
