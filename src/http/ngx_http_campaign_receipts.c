
/*
 * campaign_receipts: delivery receipts of gateways, one or an array of them in a request.  It keeps true: 2xx is answered once every
 * receipt of the request is committed; those of an array that are right are committed whatever the others are, so that a gateway may
 * repeat all of them until it is answered 2xx; one that names a message by the gateway's own id may come before that id is known, and
 * waits for it a while.
 */

#include "ngx_http_campaign_conf.h"
#include "ngx_http_campaign_incoming.h"
#include "ngx_campaign_json.h"


#define NGX_CAMPAIGN_RECEIPTS_FIELDS  4         /* names of a field */
#define NGX_CAMPAIGN_RECEIPTS_FIRST   20        /* ms until a gateway's id is looked for again, doubled each time */
#define NGX_CAMPAIGN_RECEIPTS_WAIT    2000      /* ms in all */
#define NGX_CAMPAIGN_RECEIPTS_HELD    512       /* requests of a worker that wait */
#define NGX_CAMPAIGN_RECEIPTS_TOLD    10        /* bad receipts of an array that are told of */


typedef struct {
    ngx_str_t                          word;
    ngx_campaign_receipt_e             receipt;
} ngx_http_campaign_receipts_word_t;

typedef struct {
    ngx_uint_t                         n;
    ngx_str_t                          name[NGX_CAMPAIGN_RECEIPTS_FIELDS];
} ngx_http_campaign_receipts_field_t;

typedef struct {
    ngx_http_campaign_incoming_conf_t  incoming;        /* stands first */
    ngx_array_t                        channels;        /* ngx_str_t; none given: all that have a gateway */
    ngx_http_campaign_receipts_field_t id, status, reason;
    ngx_http_campaign_receipts_field_t each;            /* where an array of receipts is; "": the body is one */
    ngx_array_t                        words;           /* ngx_http_campaign_receipts_word_t */
    unsigned                           ours:1;          /* identifiers may be ours, the gateway's */
    unsigned                           theirs:1;
    u_char                            *file;
    ngx_uint_t                         line;
} ngx_http_campaign_receipts_conf_t;

typedef struct {
    ngx_http_campaign_incoming_t       incoming;        /* stands first */
    ngx_campaign_receipts_t            receipts;        /* those to be stored */
    ngx_uint_t                        *place;           /* of each in its array */
    ngx_str_t                         *each;            /* the array's path; NULL: there is one receipt */
    ngx_uint_t                         bad;
    ngx_event_t                        event;           /* looks again */
    ngx_msec_t                         wait, waited;
    unsigned                           held:1;
} ngx_http_campaign_receipts_t;


static ngx_int_t ngx_http_campaign_receipts_begin(ngx_http_campaign_call_t *call);
static ngx_int_t ngx_http_campaign_receipts_take(ngx_http_campaign_call_t *call);
static ngx_int_t ngx_http_campaign_receipts_list(ngx_http_campaign_call_t *call, ngx_http_campaign_receipts_conf_t *conf, ngx_str_t *list);
static ngx_int_t ngx_http_campaign_receipts_read(ngx_http_campaign_call_t *call, ngx_http_campaign_receipts_conf_t *conf,
    ngx_uint_t place);
static ngx_int_t ngx_http_campaign_receipts_wrong(ngx_http_campaign_call_t *call, ngx_uint_t place, ngx_uint_t code);
static ngx_int_t ngx_http_campaign_receipts_id(ngx_http_campaign_call_t *call, ngx_http_campaign_receipts_conf_t *conf, ngx_uint_t place,
    ngx_campaign_receipt_t *r);
static ngx_int_t ngx_http_campaign_receipts_status(ngx_http_campaign_call_t *call, ngx_http_campaign_receipts_conf_t *conf, ngx_uint_t place,
    ngx_campaign_receipt_t *r);
static ngx_campaign_receipt_e ngx_http_campaign_receipts_word(ngx_http_campaign_receipts_conf_t *conf, ngx_str_t *word);
static ngx_int_t ngx_http_campaign_receipts_store(ngx_http_campaign_call_t *call);
static ngx_int_t ngx_http_campaign_receipts_stored(ngx_http_campaign_call_t *call);
static ngx_int_t ngx_http_campaign_receipts_missing(ngx_http_campaign_call_t *call, ngx_uint_t wait);
static ngx_int_t ngx_http_campaign_receipts_hold(ngx_http_campaign_call_t *call);
static void ngx_http_campaign_receipts_again(ngx_event_t *ev);
static void ngx_http_campaign_receipts_let(void *data);

static char *ngx_http_campaign_receipts_param(ngx_conf_t *cf, ngx_command_t *cmd, ngx_http_campaign_receipts_conf_t *conf, ngx_str_t *arg);
static ngx_int_t ngx_http_campaign_receipts_param_words(ngx_http_campaign_receipts_conf_t *conf, ngx_campaign_receipt_e receipt,
    ngx_str_t *value);
static void ngx_http_campaign_receipts_default(ngx_http_campaign_receipts_conf_t *conf);


typedef struct {
    const char              *name;
    size_t                   offset;
} ngx_http_campaign_receipts_field_name_t;

typedef struct {
    const char              *name;
    ngx_campaign_receipt_e   receipt;
} ngx_http_campaign_receipts_word_name_t;

/* clang-format off */

static const ngx_http_campaign_step_pt  ngx_http_campaign_receipts_steps[] = {
    ngx_http_campaign_receipts_begin,
    ngx_http_campaign_body_read,
    ngx_http_campaign_incoming_prove,
    ngx_http_campaign_receipts_take
};

static const ngx_http_campaign_receipts_field_name_t  ngx_http_campaign_receipts_fields[] = {
    { "id", offsetof(ngx_http_campaign_receipts_conf_t, id) },
    { "status", offsetof(ngx_http_campaign_receipts_conf_t, status) },
    { "reason", offsetof(ngx_http_campaign_receipts_conf_t, reason) },
    { "each", offsetof(ngx_http_campaign_receipts_conf_t, each) }
};

static const ngx_http_campaign_receipts_word_name_t  ngx_http_campaign_receipts_words[] = {
    { "delivered", NGX_CAMPAIGN_RECEIPT_DELIVERED },
    { "failed", NGX_CAMPAIGN_RECEIPT_FAILED },
    { "expired", NGX_CAMPAIGN_RECEIPT_EXPIRED },
    { "rejected", NGX_CAMPAIGN_RECEIPT_REJECTED },
    { "sent", NGX_CAMPAIGN_RECEIPT_SENT }
};

/* clang-format on */


static ngx_uint_t  ngx_http_campaign_receipts_held;     /* of this worker */


static ngx_int_t
ngx_http_campaign_receipts_begin(ngx_http_campaign_call_t *call)
{
    return ngx_http_campaign_incoming_begin(call, sizeof(ngx_http_campaign_receipts_t));
}


static ngx_int_t
ngx_http_campaign_receipts_take(ngx_http_campaign_call_t *call)
{
    ngx_int_t                           rc;
    ngx_str_t                           list;
    ngx_uint_t                          i, n;
    ngx_http_campaign_loc_conf_t       *clocf;
    ngx_http_campaign_receipts_t       *rt;
    ngx_http_campaign_receipts_conf_t  *conf;

    clocf = ngx_http_get_module_loc_conf(call->request, ngx_http_campaign_module);
    conf = (ngx_http_campaign_receipts_conf_t *) clocf->incoming;
    rt = call->data;

    rc = ngx_http_campaign_receipts_list(call, conf, &list);
    if (rc < 0) {
        return rc;
    }

    n = (ngx_uint_t) rc;

    rt->place = ngx_palloc(call->pool, n * sizeof(ngx_uint_t));
    rt->receipts.receipts = ngx_pcalloc(call->pool, n * sizeof(ngx_campaign_receipt_t));

    if (rt->place == NULL || rt->receipts.receipts == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < n; i++) {

        if (rt->each) {
            (void) ngx_campaign_json_next(&list, &rt->incoming.body);
        }

        if (ngx_http_campaign_receipts_read(call, conf, i) == NGX_ERROR) {
            return NGX_ERROR;
        }
    }

    if (rt->receipts.nreceipts == 0) {
        return NGX_DECLINED;
    }

    rt->receipts.channels = conf->channels.elts;
    rt->receipts.nchannels = conf->channels.nelts;
    rt->wait = NGX_CAMPAIGN_RECEIPTS_FIRST;

    return ngx_http_campaign_receipts_store(call);
}


/* how many receipts there are: 1 if there is no array, rt->each is NULL then.  NGX_DECLINED: noted */

static ngx_int_t
ngx_http_campaign_receipts_list(ngx_http_campaign_call_t *call, ngx_http_campaign_receipts_conf_t *conf, ngx_str_t *list)
{
    ngx_int_t                      n;
    ngx_str_t                      rest, item, *body;
    ngx_uint_t                     i;
    ngx_http_campaign_receipts_t  *rt;

    rt = call->data;
    body = &rt->incoming.body;

    for (i = 0; i < conf->each.n && rt->incoming.json && rt->each == NULL; i++) {
        if (ngx_campaign_json_list(body->data, body->data + body->len, &conf->each.name[i], list) == NGX_OK) {
            rt->each = &conf->each.name[i];
        }
    }

    if (rt->each == NULL) {
        return 1;
    }

    rest = *list;

    for (n = 0; n <= NGX_CAMPAIGN_RECEIPTS_MAX && ngx_campaign_json_next(&rest, &item) == NGX_OK; n++) { /* void */ }

    if (n > NGX_CAMPAIGN_RECEIPTS_MAX) {
        return ngx_http_campaign_error_text(call, NGX_CAMPAIGN_E_TOO_LARGE, "request is too large: at most %d receipts in one",
                                            NGX_CAMPAIGN_RECEIPTS_MAX);
    }

    return n ? n : ngx_http_campaign_error_text(call, NGX_CAMPAIGN_E_NO_DATA, "request data is missing: there is no receipt in it");
}


/* NGX_DECLINED: noted, it is passed over */

static ngx_int_t
ngx_http_campaign_receipts_read(ngx_http_campaign_call_t *call, ngx_http_campaign_receipts_conf_t *conf, ngx_uint_t place)
{
    ngx_int_t                      id, status;
    ngx_campaign_receipt_t        *r;
    ngx_http_campaign_receipts_t  *rt;

    rt = call->data;
    r = &rt->receipts.receipts[rt->receipts.nreceipts];
    ngx_memzero(r, sizeof(ngx_campaign_receipt_t));

    id = ngx_http_campaign_receipts_id(call, conf, place, r);
    status = (id == NGX_ERROR) ? NGX_ERROR : ngx_http_campaign_receipts_status(call, conf, place, r);

    if (id == NGX_OK && status == NGX_OK) {
        rt->place[rt->receipts.nreceipts++] = place;
        return NGX_OK;
    }

    return status == NGX_ERROR ? NGX_ERROR : NGX_DECLINED;
}


static ngx_int_t
ngx_http_campaign_receipts_wrong(ngx_http_campaign_call_t *call, ngx_uint_t place, ngx_uint_t code)
{
    ngx_http_campaign_receipts_t  *rt;

    rt = call->data;

    if (rt->each == NULL) {
        return ngx_http_campaign_error(call, code);
    }

    if (rt->bad++ >= NGX_CAMPAIGN_RECEIPTS_TOLD) {
        return NGX_DECLINED;
    }

    return ngx_http_campaign_error_text(call, code, "'%V[%ui]': %V", rt->each, place, ngx_http_campaign_error_message(code));
}


/* what opens under the store's secret is ours, and nobody else's */

static ngx_int_t
ngx_http_campaign_receipts_id(ngx_http_campaign_call_t *call, ngx_http_campaign_receipts_conf_t *conf, ngx_uint_t place,
    ngx_campaign_receipt_t *r)
{
    uint32_t    seq;
    uint64_t    no;
    ngx_int_t   rc;
    ngx_str_t   word;
    ngx_uint_t  i, any;

    any = 0;

    for (i = 0; i < conf->id.n && !r->ours; i++) {

        rc = ngx_http_campaign_incoming_word(call, &conf->id.name[i], &word);

        if (rc == NGX_ERROR) {
            return NGX_ERROR;
        }

        if (rc != NGX_OK) {
            continue;
        }

        any = 1;

        if (conf->ours && ngx_campaign_uuid_parse(&word, r->id) == NGX_OK
            && ngx_campaign_id_open(ngx_campaign_store_secret(call->store), NGX_CAMPAIGN_MESSAGE, r->id, &no, &seq) == NGX_OK)
        {
            r->ours = 1;

        } else if (conf->theirs && r->theirs.len == 0) {
            r->theirs = word;
        }
    }

    return any ? NGX_OK : ngx_http_campaign_receipts_wrong(call, place, 1551);
}


static ngx_int_t
ngx_http_campaign_receipts_status(ngx_http_campaign_call_t *call, ngx_http_campaign_receipts_conf_t *conf, ngx_uint_t place,
    ngx_campaign_receipt_t *r)
{
    ngx_int_t               rc;
    ngx_str_t               word;
    ngx_uint_t              i;
    ngx_campaign_receipt_e  reason;

    rc = NGX_DECLINED;

    for (i = 0; i < conf->status.n && rc == NGX_DECLINED; i++) {
        rc = ngx_http_campaign_incoming_word(call, &conf->status.name[i], &word);
    }

    if (rc != NGX_OK) {
        return rc == NGX_ERROR ? NGX_ERROR : ngx_http_campaign_receipts_wrong(call, place, 1552);
    }

    r->receipt = ngx_http_campaign_receipts_word(conf, &word);

    if (r->receipt == NGX_CAMPAIGN_RECEIPT_NONE) {
        return ngx_http_campaign_receipts_wrong(call, place, 1553);
    }

    for (i = 0; i < conf->reason.n && r->receipt == NGX_CAMPAIGN_RECEIPT_FAILED; i++) {
        rc = ngx_http_campaign_incoming_word(call, &conf->reason.name[i], &word);

        if (rc == NGX_ERROR) {
            return NGX_ERROR;
        }

        reason = (rc == NGX_OK) ? ngx_http_campaign_receipts_word(conf, &word) : NGX_CAMPAIGN_RECEIPT_NONE;

        if (reason == NGX_CAMPAIGN_RECEIPT_EXPIRED || reason == NGX_CAMPAIGN_RECEIPT_REJECTED) {
            r->receipt = reason;
        }
    }

    return NGX_OK;
}


/* the directive's words go before the common ones */

static ngx_campaign_receipt_e
ngx_http_campaign_receipts_word(ngx_http_campaign_receipts_conf_t *conf, ngx_str_t *word)
{
    ngx_uint_t                          i;
    ngx_http_campaign_receipts_word_t  *w;

    w = conf->words.elts;

    for (i = 0; i < conf->words.nelts; i++) {
        if (w[i].word.len == word->len && ngx_strncasecmp(w[i].word.data, word->data, word->len) == 0) {
            return w[i].receipt;
        }
    }

    return ngx_campaign_receipt_word(word);
}


static ngx_int_t
ngx_http_campaign_receipts_store(ngx_http_campaign_call_t *call)
{
    ngx_int_t                      rc;
    ngx_http_campaign_receipts_t  *rt;

    rt = call->data;

    rc = ngx_campaign_store_receipts(call->store, ngx_http_campaign_call_op(call, ngx_http_campaign_receipts_stored), &rt->receipts);

    return ngx_http_campaign_call_wait(call, rc);
}


static ngx_int_t
ngx_http_campaign_receipts_stored(ngx_http_campaign_call_t *call)
{
    ngx_int_t                      rc;
    ngx_http_campaign_receipts_t  *rt;

    rc = ngx_http_campaign_call_answer(call);
    if (rc != NGX_OK) {
        return rc;
    }

    rt = call->data;

    if (ngx_http_campaign_receipts_missing(call, rt->waited < NGX_CAMPAIGN_RECEIPTS_WAIT) == NGX_ERROR) {
        return NGX_ERROR;
    }

    if (rt->receipts.nreceipts) {
        return ngx_http_campaign_receipts_hold(call);
    }

    return call->notes.nelts ? NGX_DECLINED : ngx_http_campaign_incoming_reply(call);
}


/* keeps those that are not there yet; if that is not worth waiting for, and of those that never will be, it is noted */

static ngx_int_t
ngx_http_campaign_receipts_missing(ngx_http_campaign_call_t *call, ngx_uint_t wait)
{
    ngx_uint_t                     i, n;
    ngx_campaign_receipt_t        *r;
    ngx_http_campaign_receipts_t  *rt;

    rt = call->data;
    r = rt->receipts.receipts;
    n = 0;

    for (i = 0; i < rt->receipts.nreceipts; i++) {

        if (r[i].rc == NGX_CAMPAIGN_OK) {
            continue;
        }

        if (wait && !r[i].ours && r[i].theirs.len) {
            r[n] = r[i];
            rt->place[n++] = rt->place[i];
            continue;
        }

        if (ngx_http_campaign_receipts_wrong(call, rt->place[i], 1501) == NGX_ERROR) {
            return NGX_ERROR;
        }
    }

    rt->receipts.nreceipts = n;

    return NGX_OK;
}


/* the answer that gives the id may be on its way to us, or to the disk */

static ngx_int_t
ngx_http_campaign_receipts_hold(ngx_http_campaign_call_t *call)
{
    ngx_pool_cleanup_t            *cln;
    ngx_http_campaign_receipts_t  *rt;

    rt = call->data;

    if (!rt->held) {
        if (ngx_http_campaign_receipts_held == NGX_CAMPAIGN_RECEIPTS_HELD || ngx_exiting) {
            return ngx_http_campaign_receipts_missing(call, 0) == NGX_ERROR ? NGX_ERROR : NGX_DECLINED;
        }

        cln = ngx_pool_cleanup_add(call->request->pool, 0);     /* runs before the call's own, which was added earlier */
        if (cln == NULL) {
            return NGX_ERROR;
        }

        cln->handler = ngx_http_campaign_receipts_let;
        cln->data = rt;

        rt->event.handler = ngx_http_campaign_receipts_again;
        rt->event.data = call;
        rt->event.log = call->request->connection->log;
        rt->held = 1;

        ngx_http_campaign_receipts_held++;
    }

    call->then = ngx_http_campaign_receipts_store;

    ngx_add_timer(&rt->event, rt->wait);

    rt->waited += rt->wait;
    rt->wait *= 2;

    return NGX_AGAIN;
}


static void
ngx_http_campaign_receipts_again(ngx_event_t *ev)
{
    ngx_connection_t          *c;
    ngx_http_campaign_call_t  *call = ev->data;

    c = call->request->connection;

    ngx_http_campaign_call_run(call);

    ngx_http_run_posted_requests(c);
}


static void
ngx_http_campaign_receipts_let(void *data)
{
    ngx_http_campaign_receipts_t *rt = data;

    if (rt->event.timer_set) {
        ngx_del_timer(&rt->event);
    }

    ngx_http_campaign_receipts_held--;
}


char *
ngx_http_campaign_conf_receipts(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_campaign_loc_conf_t *clocf = conf;

    char                                *rc;
    ngx_str_t                           *arg;
    ngx_uint_t                           i;
    ngx_http_campaign_main_conf_t       *cmcf;
    ngx_http_campaign_receipts_conf_t   *rcf, **all;

    if (clocf->service != NGX_HTTP_CAMPAIGN_NONE) {
        return "is duplicate: a location serves one directive of the module";
    }

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_campaign_module);

    rcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_campaign_receipts_conf_t));
    all = ngx_array_push(&cmcf->receipts);

    if (rcf == NULL || all == NULL
        || ngx_array_init(&rcf->channels, cf->pool, 1, sizeof(ngx_str_t)) != NGX_OK
        || ngx_array_init(&rcf->words, cf->pool, 8, sizeof(ngx_http_campaign_receipts_word_t)) != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    *all = rcf;

    rcf->file = cf->conf_file->file.name.data;
    rcf->line = cf->conf_file->line;

    arg = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {
        rc = ngx_http_campaign_receipts_param(cf, cmd, rcf, &arg[i]);
        if (rc != NGX_CONF_OK) {
            return rc;
        }
    }

    ngx_http_campaign_receipts_default(rcf);

    return ngx_http_campaign_incoming_serve(cf, cmd, clocf, &rcf->incoming, ngx_http_campaign_receipts_steps);
}


static char *
ngx_http_campaign_receipts_param(ngx_conf_t *cf, ngx_command_t *cmd, ngx_http_campaign_receipts_conf_t *conf, ngx_str_t *arg)
{
    ngx_int_t                            rc;
    ngx_str_t                            value, *channel;
    ngx_uint_t                           i, whole;
    const char                          *mend;
    ngx_http_campaign_receipts_field_t  *field;

    rc = ngx_http_campaign_incoming_param(arg, &conf->incoming, &mend);

    if (rc != NGX_DECLINED) {
        return rc == NGX_OK ? NGX_CONF_OK : ngx_http_campaign_conf_bad(cf, cmd, arg, mend);
    }

    for (i = 0; i < sizeof(ngx_http_campaign_receipts_fields) / sizeof(ngx_http_campaign_receipts_fields[0]); i++) {

        if (!ngx_http_campaign_conf_param(arg, ngx_http_campaign_receipts_fields[i].name, &value)) {
            continue;
        }

        field = (ngx_http_campaign_receipts_field_t *) ((u_char *) conf + ngx_http_campaign_receipts_fields[i].offset);

        whole = (field == &conf->each && value.len == 2 && ngx_strncmp(value.data, "[]", 2) == 0);

        if (field->n == NGX_CAMPAIGN_RECEIPTS_FIELDS || (!whole && ngx_campaign_json_path(&value) != NGX_OK)) {
            return ngx_http_campaign_conf_bad(cf, cmd, arg, "name a field, such as data.message_id or MessageSid; up to 4 of them");
        }

        value.len = whole ? 0 : value.len;
        field->name[field->n++] = value;

        return NGX_CONF_OK;
    }

    for (i = 0; i < sizeof(ngx_http_campaign_receipts_words) / sizeof(ngx_http_campaign_receipts_words[0]); i++) {

        if (!ngx_http_campaign_conf_param(arg, ngx_http_campaign_receipts_words[i].name, &value)) {
            continue;
        }

        if (ngx_http_campaign_receipts_param_words(conf, ngx_http_campaign_receipts_words[i].receipt, &value) != NGX_OK) {
            return ngx_http_campaign_conf_bad(cf, cmd, arg, "values of the status, with commas between them");
        }

        return NGX_CONF_OK;
    }

    if (ngx_http_campaign_conf_param(arg, "channel", &value)) {

        channel = ngx_array_push(&conf->channels);
        if (channel == NULL) {
            return NGX_CONF_ERROR;
        }

        for (i = 0; i < value.len; i++) {
            value.data[i] = ngx_toupper(value.data[i]);
        }

        *channel = value;

        return NGX_CONF_OK;
    }

    if (ngx_http_campaign_conf_param(arg, "by", &value)) {

        if (value.len == 2 && ngx_strncmp(value.data, "id", 2) == 0 && !conf->theirs) {
            conf->ours = 1;
            return NGX_CONF_OK;
        }

        if (value.len == 10 && ngx_strncmp(value.data, "gateway_id", 10) == 0 && !conf->ours) {
            conf->theirs = 1;
            return NGX_CONF_OK;
        }

        return ngx_http_campaign_conf_bad(cf, cmd, arg, "by is \"id\" (ours) or \"gateway_id\" (the gateway's own); without it both are looked for");
    }

    return ngx_http_campaign_conf_bad(cf, cmd, arg, "id=…, status=…, reason=…, each=…, by=…, channel=…, delivered=…, failed=…, expired=…, "
                                      "rejected=…, sent=…, secret=…, secret_in=…, hmac=…, hmac_in=…, twilio=…, twilio_url=… and reply=… are known");
}


static ngx_int_t
ngx_http_campaign_receipts_param_words(ngx_http_campaign_receipts_conf_t *conf, ngx_campaign_receipt_e receipt, ngx_str_t *value)
{
    u_char                             *p, *end, *comma;
    ngx_http_campaign_receipts_word_t  *w;

    end = value->data + value->len;

    for (p = value->data; /* void */; p = comma + 1) {
        comma = ngx_strlchr(p, end, ',');
        comma = comma ? comma : end;

        if (comma == p || comma - p > NGX_CAMPAIGN_INCOMING_WORD) {
            return NGX_ERROR;
        }

        w = ngx_array_push(&conf->words);
        if (w == NULL) {
            return NGX_ERROR;
        }

        w->receipt = receipt;
        w->word.data = p;
        w->word.len = comma - p;

        if (comma == end) {
            return NGX_OK;
        }
    }
}


/* the form of Dexatel's webhooks, and plain names */

static void
ngx_http_campaign_receipts_default(ngx_http_campaign_receipts_conf_t *conf)
{
    ngx_uint_t  i, placed;

    for (placed = 0, i = 0; i < conf->id.n; i++) {
        placed |= (ngx_strlchr(conf->id.name[i].data, conf->id.name[i].data + conf->id.name[i].len, '[') != NULL);
    }

    if (conf->each.n == 0 && !placed) {
        conf->each.n = 2;
        ngx_str_set(&conf->each.name[0], "");
        ngx_str_set(&conf->each.name[1], "data");
    }

    if (conf->id.n == 0) {
        conf->id.n = 4;
        ngx_str_set(&conf->id.name[0], "data.message_id");
        ngx_str_set(&conf->id.name[1], "data.id");
        ngx_str_set(&conf->id.name[2], "message_id");
        ngx_str_set(&conf->id.name[3], "id");
    }

    if (conf->status.n == 0) {
        conf->status.n = 2;
        ngx_str_set(&conf->status.name[0], "data.status");
        ngx_str_set(&conf->status.name[1], "status");
    }

    if (!conf->ours && !conf->theirs) {
        conf->ours = 1;
        conf->theirs = 1;
    }
}


ngx_int_t
ngx_http_campaign_conf_receipts_check(ngx_conf_t *cf, ngx_http_campaign_main_conf_t *cmcf)
{
    ngx_str_t                           *channel;
    ngx_uint_t                           i, n;
    ngx_http_campaign_gateway_t         *gateway, *named;
    ngx_http_campaign_receipts_conf_t  **all;

    all = cmcf->receipts.elts;
    gateway = cmcf->gateways.elts;

    for (i = 0; i < cmcf->receipts.nelts; i++) {

        if (all[i]->channels.nelts == 0) {

            for (n = 0; n < cmcf->gateways.nelts; n++) {
                channel = ngx_array_push(&all[i]->channels);
                if (channel == NULL) {
                    return NGX_ERROR;
                }

                *channel = gateway[n].channel;
            }
        }

        channel = all[i]->channels.elts;

        for (n = 0; n < all[i]->channels.nelts; n++) {
            named = ngx_http_campaign_gateway(cmcf, &channel[n]);

            if (named == NULL) {
                ngx_log_error(NGX_LOG_EMERG, cf->log, 0, "channel \"%V\" of \"campaign_receipts\" in %s:%ui has no gateway: add "
                              "\"campaign_gateway %V <uri>;\"", &channel[n], all[i]->file, all[i]->line, &channel[n]);
                return NGX_ERROR;
            }

            named->named |= all[i]->theirs;
        }
    }

    return NGX_OK;
}
