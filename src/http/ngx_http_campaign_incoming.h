
/*
 * What other servers tell us: receipts, inbound messages.  A GET or POST whose fields stand in the query, in a form or in JSON, by names
 * that the directive gives; it may have to prove itself by a shared secret or a signature.  No API key, no account: whom it concerns is
 * found by what it says.
 */

#ifndef _NGX_HTTP_CAMPAIGN_INCOMING_H_INCLUDED_
#define _NGX_HTTP_CAMPAIGN_INCOMING_H_INCLUDED_


#include "ngx_http_campaign_error.h"


#define NGX_CAMPAIGN_INCOMING_WORD  64          /* bytes of a word */


/* stands first in the configuration of each such location */

struct ngx_http_campaign_incoming_conf_s {
    ngx_uint_t   proof;                         /* ngx_http_campaign_incoming_proof_e */
    ngx_str_t    secret;
    u_char       digest[32];                    /* its SHA-256 */
    ngx_str_t    header, field;                 /* where the secret is; empty: not there */
    ngx_str_t    signature;                     /* header */
    ngx_str_t    url;                           /* that Twilio calls */
    ngx_http_complex_value_t  url_value;
    ngx_str_t    reply;                         /* text of a 200; data NULL: {"data":{}} */
};

typedef enum {
    NGX_CAMPAIGN_INCOMING_OPEN = 0,
    NGX_CAMPAIGN_INCOMING_SECRET,
    NGX_CAMPAIGN_INCOMING_HMAC,
    NGX_CAMPAIGN_INCOMING_TWILIO
} ngx_http_campaign_incoming_proof_e;

/* call->data of such a call starts with it */

typedef struct {
    ngx_str_t    query;
    ngx_str_t    body;
    unsigned     json:1;                        /* the body is JSON; else a form */
} ngx_http_campaign_incoming_t;


/*
 * Reads a parameter that these directives have in common: secret=, secret_in=, hmac=, hmac_in=, twilio=, twilio_url=, reply=.  NGX_DECLINED: another one; NGX_ERROR: *mend
 * says what is wrong
 */
ngx_int_t ngx_http_campaign_incoming_param(ngx_str_t *arg, ngx_http_campaign_incoming_conf_t *conf, const char **mend);

/* the directive's last step, once all of them are read: conf and the steps serve this location.  NGX_CONF_ERROR: logged */
char *ngx_http_campaign_incoming_serve(ngx_conf_t *cf, ngx_command_t *cmd, ngx_http_campaign_loc_conf_t *clocf,
    ngx_http_campaign_incoming_conf_t *conf, const ngx_http_campaign_step_pt *steps);


/* the first steps of such a call: method, body (ngx_http_campaign_body_read comes between them), proof.  _begin allocates call->data, size bytes */
ngx_int_t ngx_http_campaign_incoming_begin(ngx_http_campaign_call_t *call, size_t size);
ngx_int_t ngx_http_campaign_incoming_prove(ngx_http_campaign_call_t *call);

/*
 * A field as text: of the query or a form decoded, of JSON as it stands there, *json is 1 (a string's escapes are not resolved).  NGX_DECLINED:
 * there is none
 */
ngx_int_t ngx_http_campaign_incoming_field(ngx_http_campaign_call_t *call, const ngx_str_t *name, ngx_str_t *value, ngx_uint_t *json);

/* the same as printable ASCII, NGX_CAMPAIGN_INCOMING_WORD bytes at most.  NGX_DECLINED: there is none, or it is something else */
ngx_int_t ngx_http_campaign_incoming_word(ngx_http_campaign_call_t *call, const ngx_str_t *name, ngx_str_t *word);

/* the answer of success, a step's last */
ngx_int_t ngx_http_campaign_incoming_reply(ngx_http_campaign_call_t *call);

/*
 * ngx_http_campaign_incoming_twilio.c.  1: X-Twilio-Signature proves that Twilio sent this to this URL.  A query that the URL does not end with
 * is not proven, and emptied.
 */
ngx_uint_t ngx_http_campaign_incoming_twilio(ngx_http_campaign_call_t *call, ngx_http_campaign_incoming_conf_t *conf);


#endif /* _NGX_HTTP_CAMPAIGN_INCOMING_H_INCLUDED_ */
