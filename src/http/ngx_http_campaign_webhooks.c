
/*
 * Webhooks: where an account wants to hear of deliveries, inbound messages and campaigns.  It keeps true: a stored URL is the rebuilt one of
 * the strict parser, and led into the public Internet (or where the operator allows) when it was stored; a secret is never shown.
 */

#include "ngx_http_campaign_error.h"
#include "ngx_http_campaign_notify.h"
#include "ngx_http_campaign_resource.h"

#include "ngx_campaign_webhook.h"


static ngx_int_t ngx_http_campaign_webhooks_replayed(ngx_http_campaign_call_t *call);
static ngx_int_t ngx_http_campaign_webhooks_event(ngx_http_campaign_call_t *call);

static ngx_int_t ngx_http_campaign_webhooks_event_read(ngx_http_campaign_call_t *call, const ngx_http_campaign_field_t *f, json_t *value,
    void *place);
static void ngx_http_campaign_webhooks_event_print(ngx_http_campaign_call_t *call, ngx_http_campaign_out_t *out,
    const ngx_http_campaign_field_t *f, const void *place);
static ngx_int_t ngx_http_campaign_webhooks_url_read(ngx_http_campaign_call_t *call, const ngx_http_campaign_field_t *f, json_t *value,
    void *place);
static void ngx_http_campaign_webhooks_text_print(ngx_http_campaign_call_t *call, ngx_http_campaign_out_t *out,
    const ngx_http_campaign_field_t *f, const void *place);
static ngx_int_t ngx_http_campaign_webhooks_secret_read(ngx_http_campaign_call_t *call, const ngx_http_campaign_field_t *f, json_t *value,
    void *place);
static void ngx_http_campaign_webhooks_signed_print(ngx_http_campaign_call_t *call, ngx_http_campaign_out_t *out,
    const ngx_http_campaign_field_t *f, const void *place);
static void ngx_http_campaign_webhooks_told_print(ngx_http_campaign_call_t *call, ngx_http_campaign_out_t *out,
    const ngx_http_campaign_field_t *f, const void *place);
static void ngx_http_campaign_webhooks_code_print(ngx_http_campaign_call_t *call, ngx_http_campaign_out_t *out,
    const ngx_http_campaign_field_t *f, const void *place);
static void ngx_http_campaign_webhooks_count_print(ngx_http_campaign_call_t *call, ngx_http_campaign_out_t *out,
    const ngx_http_campaign_field_t *f, const void *place);
static void ngx_http_campaign_webhooks_due_print(ngx_http_campaign_call_t *call, ngx_http_campaign_out_t *out,
    const ngx_http_campaign_field_t *f, const void *place);
static void ngx_http_campaign_webhooks_state_print(ngx_http_campaign_call_t *call, ngx_http_campaign_out_t *out,
    const ngx_http_campaign_field_t *f, const void *place);
static void ngx_http_campaign_webhooks_id_print(ngx_http_campaign_call_t *call, ngx_http_campaign_out_t *out,
    const ngx_http_campaign_field_t *f, const void *place);
static ngx_int_t ngx_http_campaign_webhooks_filter_state(ngx_http_campaign_call_t *call, const ngx_http_campaign_filter_t *f,
    ngx_str_t *value, ngx_campaign_page_t *page);


static const ngx_str_t
    ngx_http_campaign_webhooks_signature[] = { ngx_string("base64"), ngx_string("hex"), ngx_null_string },     /* ngx_campaign_webhook_t's hex */
    ngx_http_campaign_webhooks_status[]    = { ngx_string("active"), ngx_string("disabled"), ngx_null_string };

static const ngx_http_campaign_field_word_t
    ngx_http_campaign_webhooks_field_signature = { NGX_CAMPAIGN_FIELD_WORD, 0, ngx_http_campaign_webhooks_signature },
    ngx_http_campaign_webhooks_field_status    = { NGX_CAMPAIGN_FIELD_WORD, NGX_CAMPAIGN_A_ACTIVE, ngx_http_campaign_webhooks_status };

static const ngx_http_campaign_field_type_t
    ngx_http_campaign_webhooks_field_event  = { ngx_http_campaign_webhooks_event_read,  ngx_http_campaign_webhooks_event_print },
    ngx_http_campaign_webhooks_field_url    = { ngx_http_campaign_webhooks_url_read,    ngx_http_campaign_webhooks_text_print },
    ngx_http_campaign_webhooks_field_secret = { ngx_http_campaign_webhooks_secret_read, NULL },
    ngx_http_campaign_webhooks_field_signed = { NULL, ngx_http_campaign_webhooks_signed_print },
    ngx_http_campaign_webhooks_field_told   = { NULL, ngx_http_campaign_webhooks_told_print },
    ngx_http_campaign_webhooks_field_code   = { NULL, ngx_http_campaign_webhooks_code_print },
    ngx_http_campaign_webhooks_field_count  = { NULL, ngx_http_campaign_webhooks_count_print },
    ngx_http_campaign_webhooks_field_due    = { NULL, ngx_http_campaign_webhooks_due_print },
    ngx_http_campaign_webhooks_field_state  = { NULL, ngx_http_campaign_webhooks_state_print },
    ngx_http_campaign_webhooks_field_ids    = { NULL, ngx_http_campaign_webhooks_id_print };


/* clang-format off */

enum {                                          /* rows of the table that a PUT may give, for call->given */
    NGX_HTTP_CAMPAIGN_WEBHOOKS_URL = 2,
    NGX_HTTP_CAMPAIGN_WEBHOOKS_EVENT,
    NGX_HTTP_CAMPAIGN_WEBHOOKS_SECRET,
    NGX_HTTP_CAMPAIGN_WEBHOOKS_SIGNATURE,
    NGX_HTTP_CAMPAIGN_WEBHOOKS_STATUS
};

static const ngx_http_campaign_field_t  ngx_http_campaign_webhooks_fields[] = {
    { ngx_string("id"), NGX_CAMPAIGN_F_SHOW, &ngx_http_campaign_field_id, 0, 0, 0, { 0, 0, 0 } },
    { ngx_string("account_id"), NGX_CAMPAIGN_F_SHOW, &ngx_http_campaign_field_account, 0, 0, 0, { 0, 0, 0 } },
    { ngx_string("url"), NGX_CAMPAIGN_F_POST|NGX_CAMPAIGN_F_PUT|NGX_CAMPAIGN_F_MUST|NGX_CAMPAIGN_F_SHOW,
      &ngx_http_campaign_webhooks_field_url, offsetof(ngx_campaign_webhook_t, url), 1, NGX_CAMPAIGN_URL_MAX, { 1204, 1209, 1208 } },
    { ngx_string("event"), NGX_CAMPAIGN_F_POST|NGX_CAMPAIGN_F_PUT|NGX_CAMPAIGN_F_MUST|NGX_CAMPAIGN_F_SHOW,
      &ngx_http_campaign_webhooks_field_event, offsetof(ngx_campaign_webhook_t, event), 0, 0, { 1206, 1207, 1207 } },
    { ngx_string("secret"), NGX_CAMPAIGN_F_POST|NGX_CAMPAIGN_F_PUT, &ngx_http_campaign_webhooks_field_secret,
      offsetof(ngx_campaign_webhook_t, secret), 0, NGX_CAMPAIGN_SECRET_MAX, { 0, 1211, 1211 } },
    { ngx_string("signature"), NGX_CAMPAIGN_F_POST|NGX_CAMPAIGN_F_PUT|NGX_CAMPAIGN_F_SHOW, &ngx_http_campaign_webhooks_field_signature.type,
      offsetof(ngx_campaign_webhook_t, hex), 0, 0, { 0, 1212, 1212 } },
    { ngx_string("status"), NGX_CAMPAIGN_F_PUT|NGX_CAMPAIGN_F_SHOW, &ngx_http_campaign_webhooks_field_status.type,
      offsetof(ngx_campaign_webhook_t, rec.status), 0, 0, { 0, 1213, 1213 } },
    { ngx_string("signed"), NGX_CAMPAIGN_F_SHOW, &ngx_http_campaign_webhooks_field_signed,
      offsetof(ngx_campaign_webhook_t, secret), 0, 0, { 0, 0, 0 } },
    { ngx_string("waiting"), NGX_CAMPAIGN_F_SHOW, &ngx_http_campaign_webhooks_field_count,
      offsetof(ngx_campaign_webhook_t, queue.waiting), 0, 0, { 0, 0, 0 } },
    { ngx_string("failed"), NGX_CAMPAIGN_F_SHOW, &ngx_http_campaign_webhooks_field_count,
      offsetof(ngx_campaign_webhook_t, queue.failed), 0, 0, { 0, 0, 0 } },
    { ngx_string("dropped"), NGX_CAMPAIGN_F_SHOW, &ngx_http_campaign_webhooks_field_count,
      offsetof(ngx_campaign_webhook_t, queue.dropped), 0, 0, { 0, 0, 0 } },
    { ngx_string("last_date"), NGX_CAMPAIGN_F_SHOW, &ngx_http_campaign_field_date,
      offsetof(ngx_campaign_webhook_t, queue.told_at), 0, 0, { 0, 0, 0 } },
    { ngx_string("last_result"), NGX_CAMPAIGN_F_SHOW, &ngx_http_campaign_webhooks_field_told,
      offsetof(ngx_campaign_webhook_t, queue.told), 0, 0, { 0, 0, 0 } },
    { ngx_string("last_code"), NGX_CAMPAIGN_F_SHOW, &ngx_http_campaign_webhooks_field_code,
      offsetof(ngx_campaign_webhook_t, queue.code), 0, 0, { 0, 0, 0 } },
    { ngx_string("next_date"), NGX_CAMPAIGN_F_SHOW, &ngx_http_campaign_webhooks_field_due,
      offsetof(ngx_campaign_webhook_t, queue.next), 0, 0, { 0, 0, 0 } },
    { ngx_string("create_date"), NGX_CAMPAIGN_F_SHOW, &ngx_http_campaign_field_date,
      offsetof(ngx_campaign_webhook_t, rec.created), 0, 0, { 0, 0, 0 } },
    { ngx_string("update_date"), NGX_CAMPAIGN_F_SHOW, &ngx_http_campaign_field_date,
      offsetof(ngx_campaign_webhook_t, rec.updated), 0, 0, { 0, 0, 0 } },
    { ngx_string("links"), NGX_CAMPAIGN_F_SHOW, &ngx_http_campaign_field_links, 0, 0, 0, { 0, 0, 0 } },
    { ngx_null_string, 0, NULL, 0, 0, 0, { 0, 0, 0 } }
};

static const ngx_http_campaign_field_t  ngx_http_campaign_deliveries_fields[] = {
    { ngx_string("id"), NGX_CAMPAIGN_F_SHOW, &ngx_http_campaign_field_uuid, offsetof(ngx_campaign_event_t, id), 0, 0, { 0, 0, 0 } },
    { ngx_string("event"), NGX_CAMPAIGN_F_SHOW, &ngx_http_campaign_webhooks_field_event,
      offsetof(ngx_campaign_event_t, event), 0, 0, { 0, 0, 0 } },
    { ngx_string("status"), NGX_CAMPAIGN_F_SHOW, &ngx_http_campaign_webhooks_field_state,
      offsetof(ngx_campaign_event_t, due), 0, 0, { 0, 0, 0 } },
    { ngx_string("attempts"), NGX_CAMPAIGN_F_SHOW, &ngx_http_campaign_field_uint,
      offsetof(ngx_campaign_event_t, attempts), 0, 0, { 0, 0, 0 } },
    { ngx_string("last_result"), NGX_CAMPAIGN_F_SHOW, &ngx_http_campaign_webhooks_field_told,
      offsetof(ngx_campaign_event_t, told), 0, 0, { 0, 0, 0 } },
    { ngx_string("last_code"), NGX_CAMPAIGN_F_SHOW, &ngx_http_campaign_webhooks_field_code,
      offsetof(ngx_campaign_event_t, code), 0, 0, { 0, 0, 0 } },
    { ngx_string("next_date"), NGX_CAMPAIGN_F_SHOW, &ngx_http_campaign_webhooks_field_due,
      offsetof(ngx_campaign_event_t, due), 0, 0, { 0, 0, 0 } },
    { ngx_string("campaign_id"), NGX_CAMPAIGN_F_SHOW, &ngx_http_campaign_webhooks_field_ids, 0,
      NGX_CAMPAIGN_CAMPAIGN, 0, { 0, 0, 0 } },
    { ngx_string("message_id"), NGX_CAMPAIGN_F_SHOW, &ngx_http_campaign_webhooks_field_ids, 0,
      NGX_CAMPAIGN_MESSAGE, 0, { 0, 0, 0 } },
    { ngx_string("create_date"), NGX_CAMPAIGN_F_SHOW, &ngx_http_campaign_webhooks_field_due,
      offsetof(ngx_campaign_event_t, created), 0, 0, { 0, 0, 0 } },
    { ngx_null_string, 0, NULL, 0, 0, 0, { 0, 0, 0 } }
};

static const ngx_http_campaign_field_t  ngx_http_campaign_replays_fields[] = {
    { ngx_string("from"), NGX_CAMPAIGN_F_POST|NGX_CAMPAIGN_F_MUST, &ngx_http_campaign_field_date,
      offsetof(ngx_campaign_replay_t, from), 0, 0, { 1214, 1215, 1215 } },
    { ngx_string("to"), NGX_CAMPAIGN_F_POST|NGX_CAMPAIGN_F_MUST, &ngx_http_campaign_field_date,
      offsetof(ngx_campaign_replay_t, to), 0, 0, { 1216, 1217, 1217 } },
    { ngx_null_string, 0, NULL, 0, 0, 0, { 0, 0, 0 } }
};

static const ngx_str_t  ngx_http_campaign_deliveries_words[] = { ngx_string("waiting"), ngx_string("failed"), ngx_null_string };

static const ngx_http_campaign_filter_t  ngx_http_campaign_deliveries_filters[] = {
    { ngx_string("status"), ngx_http_campaign_webhooks_filter_state, ngx_http_campaign_deliveries_words },
    { ngx_null_string, NULL, NULL }
};

const ngx_http_campaign_resource_t  ngx_http_campaign_webhooks = {
    .name   = ngx_string("webhooks"),
    .kind   = NGX_CAMPAIGN_WEBHOOK,
    .size   = sizeof(ngx_campaign_webhook_t),
    .fields = ngx_http_campaign_webhooks_fields,
    .no_data = 1203,
    .code   = { [NGX_CAMPAIGN_NOT_FOUND] = 1201, [NGX_CAMPAIGN_EXISTS] = 1210, [NGX_CAMPAIGN_INVALID] = NGX_CAMPAIGN_E_QUERY },
    .check  = ngx_http_campaign_webhooks_event
};

const ngx_http_campaign_resource_t  ngx_http_campaign_deliveries = {
    .name    = ngx_string("deliveries"),
    .kind    = NGX_CAMPAIGN_WEBHOOK,
    .size    = sizeof(ngx_campaign_event_t),
    .fields  = ngx_http_campaign_deliveries_fields,
    .filters = ngx_http_campaign_deliveries_filters,
    .code    = { [NGX_CAMPAIGN_NOT_FOUND] = 1201, [NGX_CAMPAIGN_INVALID] = NGX_CAMPAIGN_E_QUERY }
};

const ngx_http_campaign_resource_t  ngx_http_campaign_replays = {
    .name   = ngx_string("replay"),
    .kind   = NGX_CAMPAIGN_WEBHOOK,
    .size   = sizeof(ngx_campaign_replay_t),
    .fields = ngx_http_campaign_replays_fields,
    .code   = { [NGX_CAMPAIGN_NOT_FOUND] = 1201 }
};

/* clang-format on */


/* its event's word is its name: an account has one webhook for each */

static ngx_int_t
ngx_http_campaign_webhooks_event(ngx_http_campaign_call_t *call)
{
    ngx_campaign_webhook_t  *w;

    w = call->rec;
    w->rec.name = *ngx_campaign_webhook_event_name(w->event);

    return NGX_OK;
}


/* fields that were not given keep what is stored */

ngx_int_t
ngx_http_campaign_webhooks_change(ngx_http_campaign_call_t *call)
{
    ngx_int_t                rc;
    ngx_uint_t               i, mask;
    ngx_campaign_webhook_t  *w;

    static const ngx_uint_t  set[][2] = {
        { NGX_HTTP_CAMPAIGN_WEBHOOKS_URL, NGX_CAMPAIGN_SET_URL },
        { NGX_HTTP_CAMPAIGN_WEBHOOKS_EVENT, NGX_CAMPAIGN_SET_EVENT },
        { NGX_HTTP_CAMPAIGN_WEBHOOKS_SECRET, NGX_CAMPAIGN_SET_SECRET },
        { NGX_HTTP_CAMPAIGN_WEBHOOKS_SIGNATURE, NGX_CAMPAIGN_SET_HEX },
        { NGX_HTTP_CAMPAIGN_WEBHOOKS_STATUS, NGX_CAMPAIGN_SET_STATUS }
    };

    mask = 0;

    for (i = 0; i < sizeof(set) / sizeof(set[0]); i++) {
        if (call->given & ((ngx_uint_t) 1 << set[i][0])) {
            mask |= set[i][1];
        }
    }

    if (mask == 0) {
        return ngx_http_campaign_resource_get(call);
    }

    w = call->rec;
    w->rec.account = ngx_http_campaign_call_owner(call);
    ngx_memcpy(w->rec.id, call->id[0], NGX_CAMPAIGN_ID_LEN);

    rc = ngx_campaign_store_webhook(call->store, ngx_http_campaign_call_op(call, ngx_http_campaign_resource_show), w, mask);

    return ngx_http_campaign_call_wait(call, rc);
}


ngx_int_t
ngx_http_campaign_webhooks_test(ngx_http_campaign_call_t *call)
{
    ngx_int_t  rc;

    call->rec = ngx_pcalloc(call->pool, sizeof(ngx_campaign_event_t));
    if (call->rec == NULL) {
        return NGX_ERROR;
    }

    rc = ngx_campaign_store_webhook_test(call->store, ngx_http_campaign_call_last(call, ngx_http_campaign_resource_show,
                                         ngx_http_campaign_resource_show), ngx_http_campaign_call_owner(call), call->id[0], call->rec);

    return ngx_http_campaign_call_wait(call, rc);
}


ngx_int_t
ngx_http_campaign_webhooks_deliveries(ngx_http_campaign_call_t *call)
{
    ngx_int_t             rc;
    ngx_campaign_page_t  *page;

    rc = ngx_http_campaign_resource_page(call, &page);
    if (rc != NGX_OK) {
        return rc;
    }

    rc = ngx_campaign_store_events(call->store, ngx_http_campaign_call_op(call, ngx_http_campaign_resource_listed), call->id[0], page);

    return ngx_http_campaign_call_wait(call, rc);
}


ngx_int_t
ngx_http_campaign_webhooks_replay(ngx_http_campaign_call_t *call)
{
    ngx_int_t               rc;
    ngx_campaign_replay_t  *replay;

    replay = call->rec;
    replay->account = ngx_http_campaign_call_owner(call);
    replay->webhook = call->id[0];

    rc = ngx_campaign_store_replay(call->store, ngx_http_campaign_call_last(call, ngx_http_campaign_webhooks_replayed,
                                   ngx_http_campaign_webhooks_replayed), replay);

    return ngx_http_campaign_call_wait(call, rc);
}


static ngx_int_t
ngx_http_campaign_webhooks_replayed(ngx_http_campaign_call_t *call)
{
    ngx_int_t                 rc;
    ngx_campaign_replay_t    *replay;
    ngx_http_campaign_out_t   out;

    rc = ngx_http_campaign_call_answer(call);
    if (rc != NGX_OK) {
        return rc;
    }

    replay = call->rec;

    ngx_http_campaign_out_init(&out, ngx_http_campaign_reply_pool(call));

    ngx_http_campaign_out_lit(&out, "{\"data\":{\"replayed\":");
    ngx_http_campaign_out_uint(&out, replay->n);
    ngx_http_campaign_out_lit(&out, ",\"more\":");

    if (replay->more) {
        ngx_http_campaign_out_lit(&out, "true}}");
    } else {
        ngx_http_campaign_out_lit(&out, "false}}");
    }

    return ngx_http_campaign_reply_send(call, call->route->status, &out);
}


static ngx_int_t
ngx_http_campaign_webhooks_event_read(ngx_http_campaign_call_t *call, const ngx_http_campaign_field_t *f, json_t *value, void *place)
{
    ngx_str_t    word;
    ngx_uint_t  *event = place;

    word.data = (u_char *) json_string_value(value);    /* NULL: not a string */
    word.len = json_string_length(value);

    *event = word.data ? ngx_campaign_webhook_event_find(&word) : 0;

    return *event ? NGX_OK : ngx_http_campaign_error(call, f->code.wrong);
}


static void
ngx_http_campaign_webhooks_event_print(ngx_http_campaign_call_t *call, ngx_http_campaign_out_t *out, const ngx_http_campaign_field_t *f,
    const void *place)
{
    ngx_http_campaign_out_string(out, ngx_campaign_webhook_event_name(*(const ngx_uint_t *) place));
}


static ngx_int_t
ngx_http_campaign_webhooks_url_read(ngx_http_campaign_call_t *call, const ngx_http_campaign_field_t *f, json_t *value, void *place)
{
    u_char              *buf;
    ngx_str_t            text, *stored = place;
    ngx_campaign_url_t   url;

    text.data = (u_char *) json_string_value(value);    /* NULL: not a string */
    text.len = json_string_length(value);

    if (text.data == NULL) {
        return ngx_http_campaign_error(call, f->code.wrong);
    }

    if (text.len < f->least) {
        return ngx_http_campaign_error(call, f->code.missing);
    }

    if (text.len > f->most) {
        return ngx_http_campaign_error(call, f->code.size);
    }

    buf = ngx_pnalloc(call->pool, NGX_CAMPAIGN_URL_MAX);
    if (buf == NULL) {
        return NGX_ERROR;
    }

    if (ngx_campaign_url_parse(&text, buf, &url) != NGX_OK || !ngx_http_campaign_notify_allowed(call->cmcf, &url)) {
        return ngx_http_campaign_error(call, f->code.wrong);
    }

    *stored = url.text;

    return NGX_OK;
}


static void
ngx_http_campaign_webhooks_text_print(ngx_http_campaign_call_t *call, ngx_http_campaign_out_t *out, const ngx_http_campaign_field_t *f,
    const void *place)
{
    ngx_http_campaign_out_string(out, place);
}


/* an empty one is none */

static ngx_int_t
ngx_http_campaign_webhooks_secret_read(ngx_http_campaign_call_t *call, const ngx_http_campaign_field_t *f, json_t *value, void *place)
{
    ngx_int_t   rc;
    ngx_uint_t  characters;

    rc = ngx_http_campaign_field_copy(call, value, 0, place, &characters);

    if (rc == NGX_DECLINED || (rc == NGX_OK && characters > f->most)) {
        return ngx_http_campaign_error(call, f->code.wrong);
    }

    return rc;
}


static void
ngx_http_campaign_webhooks_signed_print(ngx_http_campaign_call_t *call, ngx_http_campaign_out_t *out, const ngx_http_campaign_field_t *f,
    const void *place)
{
    if (((const ngx_str_t *) place)->len) {
        ngx_http_campaign_out_lit(out, "true");
    } else {
        ngx_http_campaign_out_lit(out, "false");
    }
}


static void
ngx_http_campaign_webhooks_told_print(ngx_http_campaign_call_t *call, ngx_http_campaign_out_t *out, const ngx_http_campaign_field_t *f,
    const void *place)
{
    const ngx_str_t  *word;

    word = ngx_campaign_webhook_told_name(*(const ngx_uint_t *) place);

    if (word->len) {
        ngx_http_campaign_out_string(out, word);
    } else {
        ngx_http_campaign_out_lit(out, "null");
    }
}


static void
ngx_http_campaign_webhooks_code_print(ngx_http_campaign_call_t *call, ngx_http_campaign_out_t *out, const ngx_http_campaign_field_t *f,
    const void *place)
{
    ngx_uint_t  code;

    code = *(const ngx_uint_t *) place;

    if (code) {
        ngx_http_campaign_out_uint(out, code);
    } else {
        ngx_http_campaign_out_lit(out, "null");
    }
}


static void
ngx_http_campaign_webhooks_count_print(ngx_http_campaign_call_t *call, ngx_http_campaign_out_t *out, const ngx_http_campaign_field_t *f,
    const void *place)
{
    ngx_http_campaign_out_uint(out, *(const uint64_t *) place);
}


/* place: int64_t, microseconds */

static void
ngx_http_campaign_webhooks_due_print(ngx_http_campaign_call_t *call, ngx_http_campaign_out_t *out, const ngx_http_campaign_field_t *f,
    const void *place)
{
    int64_t  due;

    due = *(const int64_t *) place;

    ngx_http_campaign_out_date(out, due == NGX_CAMPAIGN_EVENT_NEVER ? 0 : (time_t) (due / 1000000));
}


static void
ngx_http_campaign_webhooks_state_print(ngx_http_campaign_call_t *call, ngx_http_campaign_out_t *out, const ngx_http_campaign_field_t *f,
    const void *place)
{
    ngx_uint_t  failed;

    failed = (*(const int64_t *) place == NGX_CAMPAIGN_EVENT_NEVER);

    ngx_http_campaign_out_string(out, &ngx_http_campaign_deliveries_words[failed]);
}


/* `least`: the kind of what the event tells of */

static void
ngx_http_campaign_webhooks_id_print(ngx_http_campaign_call_t *call, ngx_http_campaign_out_t *out, const ngx_http_campaign_field_t *f,
    const void *place)
{
    u_char                       id[NGX_CAMPAIGN_ID_LEN];
    const ngx_campaign_event_t  *e = place;

    if (e->campaign == 0 || (f->least == NGX_CAMPAIGN_MESSAGE && e->event != NGX_CAMPAIGN_W_DELIVERY)) {
        ngx_http_campaign_out_lit(out, "null");
        return;
    }

    ngx_campaign_id_make(ngx_campaign_store_secret(call->store), f->least, e->campaign, f->least == NGX_CAMPAIGN_MESSAGE ? e->seq : 0, id);
    ngx_http_campaign_out_uuid(out, id);
}


static ngx_int_t
ngx_http_campaign_webhooks_filter_state(ngx_http_campaign_call_t *call, const ngx_http_campaign_filter_t *f, ngx_str_t *value,
    ngx_campaign_page_t *page)
{
    ngx_uint_t  i;

    for (i = 0; f->words[i].len; i++) {
        if (f->words[i].len == value->len && ngx_strncasecmp(f->words[i].data, value->data, value->len) == 0) {
            page->status = NGX_CAMPAIGN_EVENTS_WAITING + i;
            *value = f->words[i];
            return NGX_OK;
        }
    }

    return ngx_http_campaign_error_text(call, NGX_CAMPAIGN_E_QUERY, "'filter[%V]' is invalid: should be one of [waiting, failed]", &f->name);
}
