
/*
 * The contract's errors, and the filter that gives nginx's own errors in our locations (413, 404, 503 …) the same form.  It keeps true: every error
 * that leaves a location of campaign_api or campaign_admin is the envelope, unless the operator's error_page took it elsewhere.
 */

#include "ngx_http_campaign_call.h"
#include "ngx_http_campaign_error.h"
#include "ngx_http_campaign_reply.h"

#include "ngx_campaign_sms.h"
#include "ngx_campaign_time.h"


#define NGX_CAMPAIGN_E_MESSAGE_MAX  512


typedef struct {
    ngx_uint_t   code;
    ngx_uint_t   status;
    ngx_str_t    message;       /* %V: the configured channels */
} ngx_http_campaign_error_row_t;


static const ngx_http_campaign_error_row_t *ngx_http_campaign_error_find(ngx_uint_t code);
static ngx_int_t ngx_http_campaign_error_note(ngx_http_campaign_call_t *call, ngx_uint_t code, ngx_uint_t status, u_char *text, size_t len);
static ngx_int_t ngx_http_campaign_error_cmp(const void *one, const void *two);
static void ngx_http_campaign_error_envelope(ngx_http_campaign_out_t *out, ngx_http_request_t *r, ngx_http_campaign_note_t *notes,
    ngx_uint_t n);
static void ngx_http_campaign_error_path(ngx_http_campaign_out_t *out, ngx_http_request_t *r);
static ngx_int_t ngx_http_campaign_error_header_filter(ngx_http_request_t *r);
static ngx_int_t ngx_http_campaign_error_body_filter(ngx_http_request_t *r, ngx_chain_t *in);
static ngx_uint_t ngx_http_campaign_error_of_status(ngx_uint_t status);


static ngx_http_output_header_filter_pt  ngx_http_next_header_filter;
static ngx_http_output_body_filter_pt    ngx_http_next_body_filter;


/* clang-format off */

/* sorted by code */

static const ngx_http_campaign_error_row_t  ngx_http_campaign_errors[] = {

    { 1000, 500, ngx_string("internal error") },
    { 1001, 401, ngx_string("missing API key: send it in the header X-Dexatel-Key") },
    { 1002, 401, ngx_string("API key is invalid") },
    { 1003, 403, ngx_string("account is disabled") },
    { 1004, 404, ngx_string("resource not found") },
    { 1005, 400, ngx_string("invalid JSON body") },
    { 1006, 415, ngx_string("unsupported media type: send application/json") },
    { 1007, 400, ngx_string("request data is missing: send {\"data\": {...}}") },
    { 1008, 413, ngx_string("request is too large") },
    { 1009, 400, ngx_string("invalid query parameter") },
    { 1010, 429, ngx_string("too many requests") },
    { 1011, 503, ngx_string("service unavailable") },
    { 1012, 409, ngx_string("idempotency key reused: it came with another request before") },
    { 1013, 405, ngx_string("method not allowed") },
    { 1014, 507, ngx_string("storage is full") },
    { 1015, 409, ngx_string("a request with this idempotency key is still running") },
    { 1016, 403, ngx_string("the scope of this API key does not allow this") },
    { 1017, 403, ngx_string("access is denied by the server's configuration") },
    { 1018, 401, ngx_string("authentication is required by the server's configuration") },
    { 1019, 400, ngx_string("request can not be processed") },
    { 1020, 403, ngx_string("secret or signature is missing or wrong") },

    { 1151, 404, ngx_string("sender is not found") },
    { 1152, 400, ngx_string("invalid sender identifier") },
    { 1153, 400, ngx_string("'data.name' is required") },
    { 1154, 400, ngx_string("'data.name' is invalid: up to 11 letters and digits, a number of 7 to 15 digits, or a short code of 5 or 6") },
    { 1155, 400, ngx_string("'data.channel' is required") },
    { 1156, 400, ngx_string("'data.channel' is invalid: should be one of [%V]") },
    { 1157, 409, ngx_string("sender already exists") },
    { 1158, 409, ngx_string("sender is in use: a campaign that is not finished sends from it") },

    { 1201, 404, ngx_string("webhook is not found") },
    { 1202, 400, ngx_string("invalid webhook identifier") },
    { 1203, 400, ngx_string("'data' is required") },
    { 1204, 400, ngx_string("'data.url' is required") },
    { 1206, 400, ngx_string("'data.event' is required") },
    { 1207, 400, ngx_string("'data.event' values should be in [delivery, message, campaign]") },
    { 1208, 400, ngx_string("'data.url' is too long: at most 2083 bytes") },
    { 1209, 400, ngx_string("'data.url' is invalid: http or https, a public host, no user, no fragment") },
    { 1210, 409, ngx_string("webhook already exists: one for each event") },
    { 1211, 400, ngx_string("'data.secret' is invalid: at most 255 characters, no control characters") },
    { 1212, 400, ngx_string("'data.signature' values should be in [base64, hex]") },
    { 1213, 400, ngx_string("'data.status' values should be in [active, disabled]") },
    { 1214, 400, ngx_string("'data.from' is required") },
    { 1215, 400, ngx_string("'data.from' is invalid: yyyy-MM-dd HH:mm:ss, or RFC 3339") },
    { 1216, 400, ngx_string("'data.to' is required") },
    { 1217, 400, ngx_string("'data.to' is invalid: yyyy-MM-dd HH:mm:ss, or RFC 3339") },

    { 1251, 404, ngx_string("template is not found") },
    { 1252, 400, ngx_string("invalid template identifier") },
    { 1253, 400, ngx_string("'data' is required: send {\"data\": {...}}") },
    { 1254, 400, ngx_string("'data.text' is required") },
    { 1255, 400, ngx_string("'data.text' is invalid") },
    { 1256, 400, ngx_string("'data.channel' is required") },
    { 1257, 400, ngx_string("'data.channel' value should be: [%V]") },
    { 1258, 409, ngx_string("'data.name' should be unique") },
    { 1259, 400, ngx_string("'data.name' is invalid") },
    { 1260, 400, ngx_string("'data.text' is too long: at most 1000 characters") },
    { 1263, 400, ngx_string("'data.name' is too long: at most 45 characters") },

    { 1301, 404, ngx_string("audience is not found") },
    { 1302, 400, ngx_string("invalid audience identifier") },
    { 1303, 400, ngx_string("'data.name' is required") },
    { 1304, 400, ngx_string("'data.name' is invalid: letters, digits, '-', '_' and space") },
    { 1305, 400, ngx_string("'data.name' is too long: at most 45 characters") },
    { 1306, 400, ngx_string("'data.channel' is missing") },
    { 1307, 400, ngx_string("'data.channel' should be one of [%V]") },
    { 1308, 400, ngx_string("'data.contacts' must be at most 1000 items in length") },
    { 1309, 409, ngx_string("audience already exists") },
    { 1310, 409, ngx_string("audience is in use: a campaign that is not finished sends to it") },
    { 1311, 409, ngx_string("audience is full: it holds at most 100000 contacts") },
    { 1351, 404, ngx_string("contact is not found") },
    { 1352, 400, ngx_string("invalid contact identifier") },
    { 1353, 400, ngx_string("'data.number' is required") },
    { 1354, 400, ngx_string("'data.number' is invalid: 7 to 15 digits, the first one not 0") },
    { 1355, 400, ngx_string("'data.number' is too long") },
    { 1359, 400, ngx_string("'data.tags' must be at most [10] items in length") },
    { 1360, 409, ngx_string("contact already exists") },
    { 1361, 400, ngx_string("first name is too long: at most 32 characters") },
    { 1362, 400, ngx_string("last name is too long: at most 32 characters") },
    { 1363, 400, ngx_string("custom1 is too long: at most 32 characters") },
    { 1364, 400, ngx_string("custom2 is too long: at most 70 characters") },
    { 1365, 400, ngx_string("contact is invalid") },

    { 1501, 404, ngx_string("message is not found") },
    { 1502, 400, ngx_string("invalid message identifier") },
    { 1503, 400, ngx_string("'data.from' is required") },
    { 1504, 400, ngx_string("'data.from' is invalid: no such sender of this account and channel") },
    { 1505, 400, ngx_string("'data.to' is required: a list of 1 to 10 numbers") },
    { 1506, 400, ngx_string("'data.to' is invalid: a list of numbers, each of 7 to 15 digits, the first one not 0") },
    { 1507, 400, ngx_string("'data.to' must be at most 10 items") },
    { 1508, 400, ngx_string("'data.text' is required, or 'data.template'") },
    { 1509, 400, ngx_string("'data.text' is invalid") },
    { 1510, 400, ngx_string("'data.text' is too long: at most 1000 characters") },
    { 1511, 400, ngx_string("'data.template' is invalid") },
    { 1512, 400, ngx_string("template does not exist for this channel") },
    { 1513, 409, ngx_string("message cannot be canceled: it is being sent, or was") },
    { 1515, 400, ngx_string("'data.channel' is invalid: should be one of [%V]") },
    { 1516, 400, ngx_string("'data.variables' is invalid: a list of texts in the placeholders' order, or an object by their names") },
    { 1521, 400, ngx_string("'data.schedule' is invalid: yyyy-MM-dd HH:mm:ss (UTC) or RFC 3339") },
    { 1522, 400, ngx_string("'data.schedule' is not in the future") },
    { 1526, 400, ngx_string("'data.variables' item is too long: at most 70 characters") },
    { 1530, 400, ngx_string("blocked number: it is suppressed") },
    { 1551, 400, ngx_string("receipt names no message: its identifier is missing") },
    { 1552, 400, ngx_string("receipt has no status") },
    { 1553, 400, ngx_string("status of the receipt is not known") },
    { 1601, 404, ngx_string("campaign is not found") },
    { 1602, 400, ngx_string("invalid campaign identifier") },
    { 1603, 400, ngx_string("'data.from' is required") },
    { 1604, 400, ngx_string("'data.from' is invalid: no such sender of this account and channel") },
    { 1605, 400, ngx_string("'data.audience' is required") },
    { 1606, 400, ngx_string("'data.audience' is invalid") },
    { 1607, 400, ngx_string("'data.template' is required") },
    { 1608, 400, ngx_string("'data.template' is invalid") },
    { 1609, 400, ngx_string("'data.schedule' is invalid: yyyy-MM-dd HH:mm:ss (UTC) or RFC 3339") },
    { 1611, 409, ngx_string("'data.status' can not be changed") },
    { 1612, 409, ngx_string("campaign cannot be deleted: cancel it first, and let its messages in flight finish") },
    { 1613, 400, ngx_string("campaign audience and template do not match: their channels differ, give 'data.channel'") },
    { 1614, 400, ngx_string("'data.name' is too long: at most 45 characters") },
    { 1615, 409, ngx_string("'data.name' should be unique") },
    { 1616, 400, ngx_string("template does not exist for this channel") },
    { 1617, 400, ngx_string("audience does not exist for this channel") },
    { 1618, 400, ngx_string("'data.to' is invalid") },
    { 1619, 400, ngx_string("'data.channel' is invalid: should be one of [%V]") },
    { 1620, 400, ngx_string("'data.text' is invalid") },
    { 1621, 400, ngx_string("'data.payload' is invalid: at most 500 characters") },
    { 1622, 400, ngx_string("'data.validity' is invalid: 1 to 604800 seconds") },
    { 1623, 400, ngx_string("'data.name' is invalid") },

    { 1850, 404, ngx_string("suppression is not found") },
    { 1851, 400, ngx_string("'data.number' is required") },
    { 1852, 400, ngx_string("'data.number' is invalid: 7 to 15 digits, the first one not 0") },
    { 1853, 400, ngx_string("'data.channel' is invalid: should be one of [%V]") },
    { 1854, 400, ngx_string("'data' must be at most 1000 items in length") },
    { 1855, 400, ngx_string("'data.from' is invalid: the name of a sender, or null for all") },
    { 1856, 400, ngx_string("'data.reason' is invalid: at most 70 characters") },
    { 1857, 400, ngx_string("'data.campaign_id' is invalid: a UUID") },
    { 1858, 400, ngx_string("'data.expire_date' is invalid: yyyy-MM-dd HH:mm:ss (UTC) or RFC 3339, in the future") },
    { 1859, 409, ngx_string("the number has 16 suppressions, each for another channel or sender: suppress it for all") },
    { 1860, 400, ngx_string("suppression is invalid") },
    { 1861, 400, ngx_string("more than 100000 lines: send the rest in another request") },
    { 1870, 404, ngx_string("inbound message is for nobody: no account has such a sender") },
    { 1871, 400, ngx_string("inbound message does not say who sent it") },
    { 1872, 400, ngx_string("inbound message does not say whom it was sent to") },

    { 1901, 404, ngx_string("account is not found") },
    { 1902, 400, ngx_string("invalid account identifier") },
    { 1903, 400, ngx_string("'data.name' is required") },
    { 1904, 400, ngx_string("'data.name' is invalid: at most 45 characters") },
    { 1905, 409, ngx_string("account already exists") },
    { 1906, 400, ngx_string("'data.rate' is required") },
    { 1907, 400, ngx_string("'data.rate' is invalid: messages a second, over 0 and at most 1000000") },
    { 1908, 400, ngx_string("'data.burst' is invalid: 1 to 1000000 messages") },
    { 1909, 400, ngx_string("'data.status' is invalid: active or disabled") },
    { 1910, 400, ngx_string("'data.scope' is invalid: full or read") },
    { 1911, 400, ngx_string("'data.expire_date' is invalid: yyyy-MM-dd HH:mm:ss (UTC) or RFC 3339, in the future") },
    { 1912, 404, ngx_string("key is not found") },
    { 1913, 400, ngx_string("invalid key identifier") },
    { 1914, 409, ngx_string("account is in use: delete its campaigns, audiences, templates, senders and webhooks first") }
};


/* what a status that nginx itself gives means here */

static const struct {
    ngx_uint_t  status, code;
} ngx_http_campaign_error_statuses[] = {
    { 401, 1018 },
    { 403, 1017 },
    { 404, NGX_CAMPAIGN_E_NO_RESOURCE },
    { 405, NGX_CAMPAIGN_E_METHOD },
    { 413, NGX_CAMPAIGN_E_TOO_LARGE },
    { 415, NGX_CAMPAIGN_E_MEDIA_TYPE },
    { 429, 1010 },
    { 503, NGX_CAMPAIGN_E_UNAVAILABLE },
    { 507, NGX_CAMPAIGN_E_FULL }
};

/* clang-format on */


ngx_int_t
ngx_http_campaign_error(ngx_http_campaign_call_t *call, ngx_uint_t code)
{
    return ngx_http_campaign_error_text(call, code, (const char *) ngx_http_campaign_error_find(code)->message.data,
                                        &call->cmcf->channels);
}


ngx_uint_t
ngx_http_campaign_error_noted(ngx_http_campaign_call_t *call, ngx_uint_t code)
{
    ngx_uint_t                 i;
    ngx_http_campaign_note_t  *notes;

    notes = call->notes.elts;

    for (i = 0; i < call->notes.nelts; i++) {
        if (notes[i].code == code) {
            return 1;
        }
    }

    return 0;
}


ngx_str_t *
ngx_http_campaign_error_message(ngx_uint_t code)
{
    return (ngx_str_t *) &ngx_http_campaign_error_find(code)->message;
}


ngx_int_t
ngx_http_campaign_error_text(ngx_http_campaign_call_t *call, ngx_uint_t code, const char *fmt, ...)
{
    u_char                               *p, text[NGX_CAMPAIGN_E_MESSAGE_MAX];
    va_list                               args;
    const ngx_http_campaign_error_row_t  *row;

    row = ngx_http_campaign_error_find(code);

    va_start(args, fmt);
    p = ngx_vslprintf(text, text + sizeof(text), fmt, args);
    va_end(args);

    return ngx_http_campaign_error_note(call, row->code, row->status, text, p - text);
}


static ngx_int_t
ngx_http_campaign_error_note(ngx_http_campaign_call_t *call, ngx_uint_t code, ngx_uint_t status, u_char *text, size_t len)
{
    ngx_http_campaign_note_t  *note;

    note = ngx_array_push(&call->notes);
    if (note == NULL) {
        return NGX_ERROR;
    }

    note->code = code;
    note->status = status;
    note->message.len = len;
    note->message.data = ngx_pnalloc(call->pool, len);

    if (note->message.data == NULL) {
        call->notes.nelts--;
        return NGX_ERROR;
    }

    ngx_memcpy(note->message.data, text, len);

    return NGX_DECLINED;
}


static const ngx_http_campaign_error_row_t *
ngx_http_campaign_error_find(ngx_uint_t code)
{
    ngx_uint_t  low, high, middle;

    low = 0;
    high = sizeof(ngx_http_campaign_errors) / sizeof(ngx_http_campaign_errors[0]);

    while (low < high) {
        middle = (low + high) / 2;

        if (ngx_http_campaign_errors[middle].code == code) {
            return &ngx_http_campaign_errors[middle];
        }

        if (ngx_http_campaign_errors[middle].code < code) {
            low = middle + 1;

        } else {
            high = middle;
        }
    }

    return &ngx_http_campaign_errors[0];
}


ngx_uint_t
ngx_http_campaign_error_print(ngx_http_campaign_call_t *call, ngx_http_campaign_out_t *out)
{
    ngx_http_campaign_note_t  *notes, internal;

    notes = call->notes.elts;
    ngx_sort(notes, call->notes.nelts, sizeof(ngx_http_campaign_note_t), ngx_http_campaign_error_cmp);

    if (call->notes.nelts == 0) {
        notes = &internal;
        internal.code = ngx_http_campaign_errors[0].code;
        internal.status = ngx_http_campaign_errors[0].status;
        internal.message = ngx_http_campaign_errors[0].message;
    }

    ngx_http_campaign_error_envelope(out, call->request, notes, ngx_max(call->notes.nelts, 1));

    return notes[0].status;
}


/* the order of the contract's tables */

static ngx_int_t
ngx_http_campaign_error_cmp(const void *one, const void *two)
{
    const ngx_http_campaign_note_t *a = one, *b = two;

    return (ngx_int_t) a->code - (ngx_int_t) b->code;
}


static void
ngx_http_campaign_error_envelope(ngx_http_campaign_out_t *out, ngx_http_request_t *r, ngx_http_campaign_note_t *notes, ngx_uint_t n)
{
    ngx_uint_t  i;

    ngx_http_campaign_out_lit(out, "{\"errors\":[");

    for (i = 0; i < n; i++) {
        if (i) {
            ngx_http_campaign_out_lit(out, ",");
        }

        ngx_http_campaign_out_lit(out, "{\"timestamp\":");
        ngx_http_campaign_out_date(out, (time_t) (ngx_campaign_now() / 1000000));
        ngx_http_campaign_out_lit(out, ",\"path\":");
        ngx_http_campaign_error_path(out, r);
        ngx_http_campaign_out_lit(out, ",\"method\":");
        ngx_http_campaign_out_string(out, &r->method_name);
        ngx_http_campaign_out_lit(out, ",\"status\":");
        ngx_http_campaign_out_uint(out, notes[i].status);
        ngx_http_campaign_out_lit(out, ",\"message\":");
        ngx_http_campaign_out_string(out, &notes[i].message);
        ngx_http_campaign_out_lit(out, ",\"code\":");
        ngx_http_campaign_out_uint(out, notes[i].code);
        ngx_http_campaign_out_lit(out, "}");
    }

    ngx_http_campaign_out_lit(out, "]}");
}


/* JSON is UTF-8: a path that is not is shown as a client would have to encode it */

static void
ngx_http_campaign_error_path(ngx_http_campaign_out_t *out, ngx_http_request_t *r)
{
    size_t     more;
    ngx_str_t  path;

    if (ngx_campaign_utf8_length(r->uri.data, r->uri.len) != NGX_ERROR) {
        ngx_http_campaign_out_string(out, &r->uri);
        return;
    }

    more = 2 * ngx_escape_uri(NULL, r->uri.data, r->uri.len, NGX_ESCAPE_URI);

    path.len = r->uri.len + more;
    path.data = ngx_pnalloc(r->pool, path.len);

    if (path.data == NULL) {
        out->failed = 1;
        return;
    }

    ngx_escape_uri(path.data, r->uri.data, r->uri.len, NGX_ESCAPE_URI);
    ngx_http_campaign_out_string(out, &path);
}


ngx_int_t
ngx_http_campaign_error_filter_init(ngx_conf_t *cf)
{
    ngx_http_next_header_filter = ngx_http_top_header_filter;
    ngx_http_top_header_filter = ngx_http_campaign_error_header_filter;

    ngx_http_next_body_filter = ngx_http_top_body_filter;
    ngx_http_top_body_filter = ngx_http_campaign_error_body_filter;

    return NGX_OK;
}


static ngx_int_t
ngx_http_campaign_error_header_filter(ngx_http_request_t *r)
{
    ngx_http_campaign_out_t               out;
    ngx_http_campaign_ctx_t              *ctx;
    ngx_http_campaign_note_t              note;
    ngx_http_campaign_loc_conf_t         *clocf;
    const ngx_http_campaign_error_row_t  *row;

    clocf = ngx_http_get_module_loc_conf(r, ngx_http_campaign_module);
    ctx = ngx_http_get_module_ctx(r, ngx_http_campaign_module);

    if (clocf->service == NGX_HTTP_CAMPAIGN_NONE
        || r != r->main
        || r->headers_out.status < 400
        || (ctx && ctx->call && ctx->call->replied))
    {
        return ngx_http_next_header_filter(r);
    }

    if (ctx == NULL) {
        ctx = ngx_pcalloc(r->pool, sizeof(ngx_http_campaign_ctx_t));
        if (ctx == NULL) {
            return NGX_ERROR;
        }

        ngx_http_set_ctx(r, ctx, ngx_http_campaign_module);
    }

    row = ngx_http_campaign_error_find(ngx_http_campaign_error_of_status(r->headers_out.status));

    note.code = row->code;
    note.status = r->headers_out.status;
    note.message = row->message;

    ngx_http_campaign_out_init(&out, r->pool);
    ngx_http_campaign_error_envelope(&out, r, &note, 1);

    if (out.failed || ngx_http_campaign_reply_head(r, r->headers_out.status, &out) != NGX_OK) {
        return NGX_ERROR;
    }

    ctx->error = out.first;

    return ngx_http_next_header_filter(r);
}


/* nginx's page is dropped; the envelope goes in its place, once */

static ngx_int_t
ngx_http_campaign_error_body_filter(ngx_http_request_t *r, ngx_chain_t *in)
{
    ngx_chain_t              *cl, *envelope;
    ngx_http_campaign_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_campaign_module);

    if (ctx == NULL || ctx->error == NULL || in == NULL) {
        return ngx_http_next_body_filter(r, in);
    }

    for (cl = in; cl; cl = cl->next) {
        cl->buf->pos = cl->buf->last;
        cl->buf->file_pos = cl->buf->file_last;
    }

    envelope = ctx->error;
    ctx->error = NULL;

    return ngx_http_next_body_filter(r, envelope);
}


static ngx_uint_t
ngx_http_campaign_error_of_status(ngx_uint_t status)
{
    ngx_uint_t  i;

    for (i = 0; i < sizeof(ngx_http_campaign_error_statuses) / sizeof(ngx_http_campaign_error_statuses[0]); i++) {
        if (ngx_http_campaign_error_statuses[i].status == status) {
            return ngx_http_campaign_error_statuses[i].code;
        }
    }

    return status < 500 ? 1019 : NGX_CAMPAIGN_E_INTERNAL;
}
