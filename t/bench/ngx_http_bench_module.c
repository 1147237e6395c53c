
/*
 * Deliveries without store and dispatcher, for the case `queue` of tools/bench: a request for /bare?n messages makes so many background requests to
 * the gateway of SMS, `concurrency` of them at once, each as a message of the dispatcher is one, and is answered when the last is done.
 */

#include "ngx_http_campaign_delivery.h"


#define NGX_HTTP_BENCH_TEXT  "Hello {first_name|friend}, our sale starts today."


typedef struct {
    ngx_http_campaign_delivery_t   delivery;
    ngx_campaign_claimed_t         message;
} ngx_http_bench_flight_t;

typedef struct {
    ngx_http_request_t            *request;
    ngx_http_campaign_origin_t     origin;
    ngx_uint_t                     left;        /* not yet started */
    ngx_uint_t                     flying;
    uint32_t                       seq;
} ngx_http_bench_run_t;


static char *ngx_http_bench_bare(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
static ngx_int_t ngx_http_bench_handler(ngx_http_request_t *r);
static ngx_int_t ngx_http_bench_origin(ngx_http_bench_run_t *run, ngx_http_request_t *r);
static ngx_int_t ngx_http_bench_start(ngx_http_bench_run_t *run, ngx_http_bench_flight_t *f);
static void ngx_http_bench_done(ngx_http_campaign_delivery_t *d);


static ngx_command_t  ngx_http_bench_commands[] = {

    { ngx_string("bench_bare"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_http_bench_bare,
      0, 0, NULL },

      ngx_null_command
};

static ngx_http_module_t  ngx_http_bench_module_ctx = { NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL };

ngx_module_t  ngx_http_bench_module = {
    NGX_MODULE_V1,
    &ngx_http_bench_module_ctx,
    ngx_http_bench_commands,
    NGX_HTTP_MODULE,
    NULL, NULL, NULL, NULL, NULL, NULL, NULL,
    NGX_MODULE_V1_PADDING
};

/* what configure would have made */

ngx_module_t  *ngx_modules[] = { &ngx_http_bench_module, NULL };
char          *ngx_module_names[] = { "ngx_http_bench_module", NULL };
char          *ngx_module_order[] = { NULL };


static char *
ngx_http_bench_bare(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    clcf->handler = ngx_http_bench_handler;

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_bench_handler(ngx_http_request_t *r)
{
    ngx_int_t                 n;
    ngx_uint_t                i;
    ngx_http_bench_run_t     *run;
    ngx_http_bench_flight_t  *flights;

    n = ngx_atoi(r->args.data, r->args.len);

    run = ngx_pcalloc(r->pool, sizeof(ngx_http_bench_run_t));

    if (n <= 0 || run == NULL || ngx_http_bench_origin(run, r) != NGX_OK) {
        return NGX_HTTP_BAD_REQUEST;
    }

    run->request = r;
    run->left = (ngx_uint_t) n;

    flights = ngx_palloc(r->pool, run->origin.gateway->concurrency * sizeof(ngx_http_bench_flight_t));
    if (flights == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    r->main->count++;

    for (i = 0; i < run->origin.gateway->concurrency && run->left; i++) {
        if (ngx_http_bench_start(run, &flights[i]) != NGX_OK) {
            run->left = 0;
        }
    }

    if (run->flying == 0) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return NGX_DONE;
}


static ngx_int_t
ngx_http_bench_origin(ngx_http_bench_run_t *run, ngx_http_request_t *r)
{
    u_char                         id[NGX_CAMPAIGN_ID_LEN];
    ngx_str_t                      bad;
    ngx_http_campaign_origin_t    *o;
    ngx_http_campaign_main_conf_t *cmcf;

    static ngx_str_t  text = ngx_string(NGX_HTTP_BENCH_TEXT);

    cmcf = ngx_http_get_module_main_conf(r, ngx_http_campaign_module);
    o = &run->origin;

    ngx_str_set(&o->channel, "SMS");
    ngx_str_set(&o->from, "Acme");

    o->no = 1;
    o->gateway = ngx_http_campaign_gateway(cmcf, &o->channel);

    ngx_memset(id, 0x81, sizeof(id));
    (void) ngx_campaign_uuid_print(o->id, id);
    (void) ngx_campaign_uuid_print(o->account, id);

    if (o->gateway == NULL) {
        return NGX_ERROR;
    }

    return ngx_campaign_template_parse(r->pool, &text, &o->text, &bad);
}


static ngx_int_t
ngx_http_bench_start(ngx_http_bench_run_t *run, ngx_http_bench_flight_t *f)
{
    ngx_memzero(f, sizeof(ngx_http_bench_flight_t));

    f->message.campaign = run->origin.no;
    f->message.seq = run->seq++;
    f->message.attempt = 1;
    f->message.contact.number = 33199000000 + f->message.seq;
    ngx_str_set(&f->message.contact.field[0], "Chloe");

    f->delivery.origin = &run->origin;
    f->delivery.message = &f->message;
    f->delivery.done = ngx_http_bench_done;
    f->delivery.data = run;

    if (ngx_http_campaign_delivery_start(&f->delivery, ngx_cycle->log) != NGX_OK) {
        return NGX_ERROR;
    }

    run->left--;
    run->flying++;

    return NGX_OK;
}


static void
ngx_http_bench_done(ngx_http_campaign_delivery_t *d)
{
    ngx_connection_t         *c;
    ngx_http_request_t       *r;
    ngx_http_bench_run_t     *run;
    ngx_http_bench_flight_t  *f;

    run = d->data;
    r = run->request;
    f = (ngx_http_bench_flight_t *) d;

    run->flying--;

    if (d->answer != NGX_CAMPAIGN_ANSWER_STATUS || d->status != NGX_HTTP_OK) {
        run->left = 0;
    }

    if (run->left && ngx_http_bench_start(run, f) == NGX_OK) {
        return;
    }

    if (run->flying) {
        return;
    }

    c = r->connection;

    r->headers_out.status = run->left || d->status != NGX_HTTP_OK ? NGX_HTTP_BAD_GATEWAY : NGX_HTTP_OK;
    r->headers_out.content_length_n = 0;
    r->header_only = 1;

    ngx_http_finalize_request(r, ngx_http_send_header(r));
    ngx_http_run_posted_requests(c);
}
