
/*
 * campaign_inbound: messages that people send to our senders.  A text that is a word of STOP, and nothing else, puts its number on the list of
 * every account that has that sender; a word of START takes it off again.  It keeps true: it is answered 2xx once that is committed.
 */

#include "ngx_http_campaign_conf.h"
#include "ngx_http_campaign_incoming.h"
#include "ngx_campaign_json.h"
#include "ngx_campaign_number.h"
#include "ngx_campaign_sms.h"
#include "ngx_campaign_word.h"

#include <jansson.h>


#define NGX_CAMPAIGN_INBOUND_FIELDS  4          /* names of a field */

#define NGX_CAMPAIGN_INBOUND_STOP    "STOP,STOPALL,UNSUBSCRIBE,CANCEL,END,QUIT,ARRET,OPTOUT,OPT-OUT,REMOVE"
#define NGX_CAMPAIGN_INBOUND_START   "START,YES,UNSTOP"


typedef struct {
    ngx_uint_t                         n;
    ngx_str_t                          name[NGX_CAMPAIGN_INBOUND_FIELDS];
} ngx_http_campaign_inbound_field_t;

typedef struct {
    ngx_http_campaign_incoming_conf_t  incoming;        /* stands first */
    ngx_http_campaign_inbound_field_t  from, to, text;
    ngx_str_t                          stop, start;     /* folded words, with commas between them */
    ngx_str_t                          channel;         /* of the senders; empty: any */
} ngx_http_campaign_inbound_conf_t;

typedef struct {
    ngx_http_campaign_incoming_t       incoming;        /* stands first */
    ngx_campaign_inbound_t             inbound;
    u_char                             word[NGX_CAMPAIGN_WORD_MAX];
} ngx_http_campaign_inbound_t;


static ngx_int_t ngx_http_campaign_inbound_begin(ngx_http_campaign_call_t *call);
static ngx_int_t ngx_http_campaign_inbound_take(ngx_http_campaign_call_t *call);
static ngx_int_t ngx_http_campaign_inbound_read(ngx_http_campaign_call_t *call, const ngx_http_campaign_inbound_conf_t *conf,
    ngx_http_campaign_inbound_t *x);
static ngx_int_t ngx_http_campaign_inbound_field(ngx_http_campaign_call_t *call, const ngx_http_campaign_inbound_field_t *field,
    ngx_str_t *text);
static ngx_int_t ngx_http_campaign_inbound_json(ngx_http_campaign_call_t *call, ngx_str_t *text);
static void ngx_http_campaign_inbound_word(const ngx_http_campaign_inbound_conf_t *conf, ngx_http_campaign_inbound_t *x);
static ngx_int_t ngx_http_campaign_inbound_stored(ngx_http_campaign_call_t *call);

static char *ngx_http_campaign_inbound_param(ngx_conf_t *cf, ngx_command_t *cmd, ngx_http_campaign_inbound_conf_t *conf, ngx_str_t *arg);
static ngx_int_t ngx_http_campaign_inbound_param_words(ngx_conf_t *cf, const ngx_str_t *value, ngx_str_t *list);
static void ngx_http_campaign_inbound_default(ngx_http_campaign_inbound_conf_t *conf);


typedef struct {
    const char                        *name;
    size_t                             offset;
    const char                        *usual[NGX_CAMPAIGN_INBOUND_FIELDS];
} ngx_http_campaign_inbound_field_name_t;

/* clang-format off */

static const ngx_http_campaign_step_pt  ngx_http_campaign_inbound_steps[] = {
    ngx_http_campaign_inbound_begin,
    ngx_http_campaign_body_read,
    ngx_http_campaign_incoming_prove,
    ngx_http_campaign_inbound_take
};

static const ngx_http_campaign_inbound_field_name_t  ngx_http_campaign_inbound_fields[] = {
    { "from", offsetof(ngx_http_campaign_inbound_conf_t, from), { "data.from", "from", NULL } },
    { "to",   offsetof(ngx_http_campaign_inbound_conf_t, to),   { "data.to", "to", NULL } },
    { "text", offsetof(ngx_http_campaign_inbound_conf_t, text), { "data.text", "text", NULL } }
};

/* clang-format on */

#define NGX_CAMPAIGN_INBOUND_N  (sizeof(ngx_http_campaign_inbound_fields) / sizeof(ngx_http_campaign_inbound_fields[0]))


static ngx_int_t
ngx_http_campaign_inbound_begin(ngx_http_campaign_call_t *call)
{
    return ngx_http_campaign_incoming_begin(call, sizeof(ngx_http_campaign_inbound_t));
}


static ngx_int_t
ngx_http_campaign_inbound_take(ngx_http_campaign_call_t *call)
{
    ngx_int_t                      rc;
    ngx_uint_t                     i;
    ngx_http_campaign_gateway_t   *gateway;
    ngx_http_campaign_inbound_t   *x;
    ngx_http_campaign_loc_conf_t  *clocf;

    clocf = ngx_http_get_module_loc_conf(call->request, ngx_http_campaign_module);
    x = call->data;

    rc = ngx_http_campaign_inbound_read(call, (ngx_http_campaign_inbound_conf_t *) clocf->incoming, x);
    if (rc != NGX_OK) {
        return rc;
    }

    gateway = call->cmcf->gateways.elts;

    x->inbound.nchannels = call->cmcf->gateways.nelts;
    x->inbound.channels = ngx_palloc(call->pool, (x->inbound.nchannels + 1) * sizeof(ngx_str_t));

    if (x->inbound.channels == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < x->inbound.nchannels; i++) {
        x->inbound.channels[i] = gateway[i].channel;
    }

    rc = ngx_campaign_store_inbound(call->store, ngx_http_campaign_call_op(call, ngx_http_campaign_inbound_stored), &x->inbound);

    return ngx_http_campaign_call_wait(call, rc);
}


/* without a text it is a message all the same, without a sender of ours, or nobody who sent it, it is none */

static ngx_int_t
ngx_http_campaign_inbound_read(ngx_http_campaign_call_t *call, const ngx_http_campaign_inbound_conf_t *conf,
    ngx_http_campaign_inbound_t *x)
{
    size_t      i;
    ngx_int_t   rc;
    ngx_str_t  *from, *text;

    from = &x->inbound.from;
    text = &x->inbound.text;

    rc = ngx_http_campaign_inbound_field(call, &conf->from, from);

    if (rc == NGX_DECLINED) {
        rc = ngx_http_campaign_error(call, 1871);
    }

    if (rc != NGX_ERROR) {
        rc = ngx_http_campaign_inbound_field(call, &conf->to, &x->inbound.to);

        if (rc == NGX_DECLINED) {
            rc = ngx_http_campaign_error(call, 1872);
        }
    }

    if (rc != NGX_ERROR) {
        rc = ngx_http_campaign_inbound_field(call, &conf->text, text);
    }

    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    if (call->notes.nelts) {
        return NGX_DECLINED;
    }

    if (ngx_campaign_number_parse(from->data, from->len, &x->inbound.number) != NGX_OK) {
        x->inbound.number = 0;                          /* a name or a short code: nobody sends to it */
    }

    if (from->len > NGX_CAMPAIGN_INCOMING_WORD || ngx_campaign_utf8_length(from->data, from->len) == NGX_ERROR) {
        return ngx_http_campaign_error(call, 1871);
    }

    if (text->len > NGX_CAMPAIGN_INBOUND_TEXT) {
        for (text->len = NGX_CAMPAIGN_INBOUND_TEXT; text->len && (text->data[text->len] & 0xc0) == 0x80; text->len--) { /* void */ }
    }

    if (ngx_campaign_utf8_length(text->data, text->len) == NGX_ERROR) {
        for (i = 0; i < text->len; i++) {
            text->data[i] = text->data[i] < 0x80 ? text->data[i] : '?';
        }
    }

    if (x->inbound.to.data[0] == '+' && x->inbound.to.len > 1) {
        x->inbound.to.data++;
        x->inbound.to.len--;
    }

    x->inbound.channel = conf->channel;

    ngx_http_campaign_inbound_word(conf, x);

    return NGX_OK;
}


/* the first of its names that has a value, trimmed.  NGX_DECLINED: none has, *text is empty */

static ngx_int_t
ngx_http_campaign_inbound_field(ngx_http_campaign_call_t *call, const ngx_http_campaign_inbound_field_t *field, ngx_str_t *text)
{
    ngx_int_t   rc;
    ngx_uint_t  i, json;

    for (i = 0; i < field->n; i++) {

        rc = ngx_http_campaign_incoming_field(call, &field->name[i], text, &json);

        if (rc == NGX_OK && json) {
            rc = ngx_http_campaign_inbound_json(call, text);
        }

        if (rc == NGX_ERROR) {
            return NGX_ERROR;
        }

        if (rc != NGX_OK) {
            continue;
        }

        while (text->len && text->data[0] <= ' ') {
            text->data++;
            text->len--;
        }

        while (text->len && text->data[text->len - 1] <= ' ') {
            text->len--;
        }

        if (text->len) {
            return NGX_OK;
        }
    }

    ngx_str_set(text, "");

    return NGX_DECLINED;
}


/* what stood in JSON, without its quotes.  NGX_DECLINED: its escapes are none */

static ngx_int_t
ngx_http_campaign_inbound_json(ngx_http_campaign_call_t *call, ngx_str_t *text)
{
    u_char        *p, *quoted;
    json_t        *value;
    json_error_t   error;

    quoted = ngx_pnalloc(call->pool, text->len + 2);
    if (quoted == NULL) {
        return NGX_ERROR;
    }

    quoted[0] = '"';
    p = ngx_cpymem(&quoted[1], text->data, text->len);
    *p++ = '"';

    value = json_loadb((const char *) quoted, p - quoted, JSON_DECODE_ANY, &error);
    if (value == NULL) {
        return NGX_DECLINED;
    }

    text->len = json_string_length(value);          /* no longer than with its escapes */
    text->data = quoted;
    ngx_memcpy(quoted, json_string_value(value), text->len);

    json_decref(value);

    return NGX_OK;
}


static void
ngx_http_campaign_inbound_word(const ngx_http_campaign_inbound_conf_t *conf, ngx_http_campaign_inbound_t *x)
{
    size_t  len;

    x->inbound.word = NGX_CAMPAIGN_WORD_NONE;

    if (ngx_campaign_word_fold(&x->inbound.text, x->word, &len) != NGX_OK) {
        return;
    }

    if (ngx_campaign_word_in(x->word, len, &conf->stop)) {
        x->inbound.word = NGX_CAMPAIGN_WORD_STOP;
        x->inbound.reason.len = len;
        x->inbound.reason.data = x->word;

    } else if (ngx_campaign_word_in(x->word, len, &conf->start)) {
        x->inbound.word = NGX_CAMPAIGN_WORD_START;
    }
}


static ngx_int_t
ngx_http_campaign_inbound_stored(ngx_http_campaign_call_t *call)
{
    ngx_int_t  rc;

    if (call->op.rc == NGX_CAMPAIGN_NOT_FOUND) {
        return ngx_http_campaign_error(call, 1870);
    }

    rc = ngx_http_campaign_call_answer(call);

    return rc == NGX_OK ? ngx_http_campaign_incoming_reply(call) : rc;
}


char *
ngx_http_campaign_conf_inbound(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_campaign_loc_conf_t *clocf = conf;

    char                              *rc;
    ngx_str_t                         *arg;
    ngx_uint_t                         i;
    ngx_http_campaign_inbound_conf_t  *icf;

    if (clocf->service != NGX_HTTP_CAMPAIGN_NONE) {
        return "is duplicate: a location serves one directive of the module";
    }

    icf = ngx_pcalloc(cf->pool, sizeof(ngx_http_campaign_inbound_conf_t));
    if (icf == NULL) {
        return NGX_CONF_ERROR;
    }

    arg = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {
        rc = ngx_http_campaign_inbound_param(cf, cmd, icf, &arg[i]);
        if (rc != NGX_CONF_OK) {
            return rc;
        }
    }

    ngx_http_campaign_inbound_default(icf);

    return ngx_http_campaign_incoming_serve(cf, cmd, clocf, &icf->incoming, ngx_http_campaign_inbound_steps);
}


static char *
ngx_http_campaign_inbound_param(ngx_conf_t *cf, ngx_command_t *cmd, ngx_http_campaign_inbound_conf_t *conf, ngx_str_t *arg)
{
    size_t                              n;
    ngx_int_t                           rc;
    ngx_str_t                           value;
    ngx_uint_t                          i;
    const char                         *mend;
    ngx_http_campaign_inbound_field_t  *field;

    rc = ngx_http_campaign_incoming_param(arg, &conf->incoming, &mend);

    if (rc != NGX_DECLINED) {
        return rc == NGX_OK ? NGX_CONF_OK : ngx_http_campaign_conf_bad(cf, cmd, arg, mend);
    }

    for (i = 0; i < NGX_CAMPAIGN_INBOUND_N; i++) {

        if (!ngx_http_campaign_conf_param(arg, ngx_http_campaign_inbound_fields[i].name, &value)) {
            continue;
        }

        field = (ngx_http_campaign_inbound_field_t *) ((u_char *) conf + ngx_http_campaign_inbound_fields[i].offset);

        if (field->n == NGX_CAMPAIGN_INBOUND_FIELDS || ngx_campaign_json_path(&value) != NGX_OK) {
            return ngx_http_campaign_conf_bad(cf, cmd, arg, "name a field, such as data.from or From; up to 4 of them");
        }

        field->name[field->n++] = value;

        return NGX_CONF_OK;
    }

    if (ngx_http_campaign_conf_param(arg, "stop", &value) || ngx_http_campaign_conf_param(arg, "start", &value)) {

        rc = ngx_http_campaign_inbound_param_words(cf, &value, arg->data[2] == 'o' ? &conf->stop : &conf->start);

        return rc == NGX_OK ? NGX_CONF_OK : ngx_http_campaign_conf_bad(cf, cmd, arg, "words of up to 32 letters and digits, with commas "
                                                                       "between them");
    }

    if (ngx_http_campaign_conf_param(arg, "channel", &value) && value.len && value.len <= NGX_CAMPAIGN_CHANNEL_MAX) {

        for (n = 0; n < value.len; n++) {
            value.data[n] = ngx_toupper(value.data[n]);
        }

        conf->channel = value;

        return NGX_CONF_OK;
    }

    return ngx_http_campaign_conf_bad(cf, cmd, arg, "from=…, to=…, text=…, stop=…, start=…, channel=…, secret=…, secret_in=…, hmac=…, "
                                      "hmac_in=…, twilio=…, twilio_url=… and reply=… are known");
}


/* the words, folded, behind those that are in the list */

static ngx_int_t
ngx_http_campaign_inbound_param_words(ngx_conf_t *cf, const ngx_str_t *value, ngx_str_t *list)
{
    u_char     *p, *end, *comma, *to;
    size_t      len;
    ngx_str_t   text;

    to = ngx_pnalloc(cf->pool, list->len + 1 + value->len + NGX_CAMPAIGN_WORD_MAX);
    if (to == NULL) {
        return NGX_ERROR;
    }

    if (list->len) {
        ngx_memcpy(to, list->data, list->len);
    }

    list->data = to;
    to += list->len;
    end = value->data + value->len;

    for (p = value->data; /* void */; p = comma + 1) {

        comma = ngx_strlchr(p, end, ',');
        comma = comma ? comma : end;

        text.data = p;
        text.len = comma - p;

        if (to != list->data) {
            *to++ = ',';
        }

        if (ngx_campaign_word_fold(&text, to, &len) != NGX_OK) {
            return NGX_ERROR;
        }

        to += len;

        if (comma == end) {
            list->len = to - list->data;
            return NGX_OK;
        }
    }
}


static void
ngx_http_campaign_inbound_default(ngx_http_campaign_inbound_conf_t *conf)
{
    ngx_uint_t                          i, n;
    const char                        **usual;
    ngx_http_campaign_inbound_field_t  *field;

    for (i = 0; i < NGX_CAMPAIGN_INBOUND_N; i++) {

        field = (ngx_http_campaign_inbound_field_t *) ((u_char *) conf + ngx_http_campaign_inbound_fields[i].offset);
        usual = (const char **) ngx_http_campaign_inbound_fields[i].usual;

        if (field->n) {
            continue;
        }

        for (n = 0; usual[n]; n++) {
            field->name[n].data = (u_char *) usual[n];
            field->name[n].len = ngx_strlen(usual[n]);
        }

        field->n = n;
    }

    if (conf->stop.len == 0) {
        ngx_str_set(&conf->stop, NGX_CAMPAIGN_INBOUND_STOP);
    }

    if (conf->start.len == 0) {
        ngx_str_set(&conf->start, NGX_CAMPAIGN_INBOUND_START);
    }
}
