
/*
 * The page of campaign_status, as JSON or as Prometheus text.  It keeps true: a figure is a row of a table, and both forms have it.
 */

#include "ngx_http_campaign_status.h"

#include <stdarg.h>


#define NGX_HTTP_CAMPAIGN_PAGE_BLOCK  16384
#define NGX_HTTP_CAMPAIGN_PAGE_ROW    1024      /* the longest thing that is printed at once */
#define NGX_HTTP_CAMPAIGN_PAGE_WHOLE  10        /* seconds that a rate is reckoned from */


typedef enum {
    NGX_HTTP_CAMPAIGN_NUMBER = 0,
    NGX_HTTP_CAMPAIGN_MILLIONTHS                /* us as seconds, too */
} ngx_http_campaign_unit_e;

typedef struct {
    const char                *name;
    const char                *metric;
    const char                *type;
    const char                *help;
    size_t                     offset;
    ngx_http_campaign_unit_e   unit;
} ngx_http_campaign_figure_t;

typedef struct {
    ngx_http_request_t         *request;
    ngx_campaign_op_t          *op;             /* under way; NULL: none */
    ngx_http_campaign_status_t *status;         /* a copy */
    ngx_campaign_space_t        space;
    ngx_uint_t                  spaced;         /* space is known */
    ngx_chain_t                *first, *last;
    off_t                       length;
    ngx_uint_t                  failed;
} ngx_http_campaign_page_t;


static ngx_int_t ngx_http_campaign_page_ask(ngx_http_campaign_page_t *page, ngx_campaign_store_t *st);
static void ngx_http_campaign_page_told(ngx_campaign_op_t *op);
static void ngx_http_campaign_page_gone(void *data);
static ngx_int_t ngx_http_campaign_page_send(ngx_http_campaign_page_t *page);
static ngx_uint_t ngx_http_campaign_page_prometheus(ngx_http_request_t *r);
static ngx_int_t ngx_http_campaign_page_copy(ngx_http_campaign_page_t *page);
static void ngx_http_campaign_page_text(ngx_http_campaign_page_t *page);
static void ngx_http_campaign_page_json(ngx_http_campaign_page_t *page);
static void ngx_http_campaign_page_print(ngx_http_campaign_page_t *page, const char *fmt, ...);


#define S(f)  offsetof(ngx_http_campaign_status_t, f)
#define A(f)  offsetof(ngx_http_campaign_series_t, f)
#define G(f)  offsetof(ngx_http_campaign_gateway_status_t, f)
#define P(f)  offsetof(ngx_campaign_space_t, f)

/* clang-format off */

static const ngx_http_campaign_figure_t  ngx_http_campaign_figures[] = {
    { "up", "campaign_dispatcher_up", "gauge", "Whether there is a dispatcher.", S(up), 0 },
    { "pid", "campaign_dispatcher_pid", "gauge", "Process that dispatches, 0: none.", S(pid), 0 },
    { "epoch", "campaign_dispatcher_epoch", "gauge", "Number of the dispatcher.", S(epoch), 0 },
    { "uptime", "campaign_dispatcher_uptime_seconds", "gauge", "Time since the dispatcher took over.", S(age), NGX_HTTP_CAMPAIGN_MILLIONTHS },
    { "takeovers", "campaign_dispatcher_takeovers_total", "counter", "Dispatchers that took over.", S(takeovers), 0 },
    { "turns", "campaign_dispatcher_turns_total", "counter", "Turns with the store.", S(turns), 0 },
    { "turns_failed", "campaign_dispatcher_turns_failed_total", "counter", "Turns that the store did not take.", S(turns_failed), 0 },
    { "claims", "campaign_dispatcher_claims_total", "counter", "Messages claimed.", S(claims), 0 },
    { "outcomes", "campaign_dispatcher_outcomes_total", "counter", "Outcomes recorded.", S(outcomes), 0 },
    { "campaigns", "campaign_dispatcher_campaigns", "gauge", "Campaigns that can be sent.", S(campaigns), 0 },
    { "lag", "campaign_schedule_lag_seconds", "gauge", "Latest message of the last second, after its time.", S(lag), NGX_HTTP_CAMPAIGN_MILLIONTHS },
    { "commits", "campaign_store_commits_total", "counter", "Commits of all processes.", S(commits.commits), 0 },
    { "commits_failed", "campaign_store_commits_failed_total", "counter", "Commits that failed.", S(commits.failed), 0 },
    { NULL, NULL, NULL, NULL, 0, 0 }
};

static const ngx_http_campaign_figure_t  ngx_http_campaign_space_figures[] = {
    { "size", "campaign_store_size_bytes", "gauge", "Size of data.mdb.", P(bytes), 0 },
    { "max", "campaign_store_max_bytes", "gauge", "What it may grow to (size=).", P(max), 0 },
    { "pages", "campaign_store_pages", "gauge", "Pages that hold data.", P(used), 0 },
    { "free_pages", "campaign_store_free_pages", "gauge", "Pages of the file that are free.", P(free), 0 },
    { "page_size", "campaign_store_page_bytes", "gauge", "Size of a page.", P(page), 0 },
    { "readers", "campaign_store_readers", "gauge", "Slots of readers in use.", P(readers), 0 },
    { "disk", "campaign_store_disk_full", "gauge", "0: room; 1: only the reserve; 2: not even that.", P(disk), 0 },
    { NULL, NULL, NULL, NULL, 0, 0 }
};

static const ngx_http_campaign_figure_t  ngx_http_campaign_gateway_figures[] = {
    { "in_flight", "campaign_gateway_in_flight", "gauge", "Deliveries under way.", G(in_flight), 0 },
    { "concurrency", "campaign_gateway_concurrency", "gauge", "Deliveries at once, configured.", G(slots), 0 },
    { "limit", "campaign_gateway_limit", "gauge", "Deliveries at once, at the moment.", G(limit), 0 },
    { "resting", "campaign_gateway_resting", "gauge", "Whether it rests, as it asked for.", G(resting), 0 },
    { NULL, NULL, NULL, NULL, 0, 0 }
};

static const ngx_http_campaign_figure_t  ngx_http_campaign_series_figures[] = {
    { "waiting", "campaign_messages_waiting", "gauge", "Messages to be sent, for the first time or once more, that are not in flight.", A(waiting), 0 },
    { "in_flight", "campaign_messages_in_flight", "gauge", "Messages on their way to the gateway.", A(in_flight), 0 },
    { "sent", "campaign_messages_sent_total", "counter", "Messages that the gateway accepted.", A(sent), 0 },
    { "delivered", "campaign_messages_delivered_total", "counter", "Of these, those that need no receipt.", A(delivered), 0 },
    { "failed", "campaign_messages_failed_total", "counter", "Messages that failed.", A(failed), 0 },
    { "retried", "campaign_messages_retried_total", "counter", "Tries that are repeated.", A(retried), 0 },
    { "rate", "campaign_rate_limit", "gauge", "Messages a second, configured.", A(rate), NGX_HTTP_CAMPAIGN_MILLIONTHS },
    { "achieved", "campaign_rate_achieved", "gauge", "Messages a second, of the last ten seconds.", A(achieved), NGX_HTTP_CAMPAIGN_MILLIONTHS },
    { "oldest", "campaign_waiting_oldest_seconds", "gauge", "Time since the start of the oldest campaign that waits.", A(age), 0 },
    { NULL, NULL, NULL, NULL, 0, 0 }
};

/* clang-format on */


ngx_int_t
ngx_http_campaign_status_handler(ngx_http_request_t *r)
{
    ngx_int_t                  rc;
    ngx_http_cleanup_t        *cln;
    ngx_campaign_store_t      *st;
    ngx_http_campaign_page_t  *page;

    if (!(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))) {
        return NGX_HTTP_NOT_ALLOWED;
    }

    rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) {
        return rc;
    }

    page = ngx_pcalloc(r->pool, sizeof(ngx_http_campaign_page_t));
    cln = ngx_http_cleanup_add(r, 0);

    if (page == NULL || cln == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    page->request = r;
    cln->handler = ngx_http_campaign_page_gone;
    cln->data = page;

    st = ngx_http_campaign_store();

    if (st && ngx_http_campaign_page_ask(page, st) == NGX_AGAIN) {
        r->main->count++;
        return NGX_DONE;
    }

    return ngx_http_campaign_page_send(page);           /* a store that is closed does not hide the rest */
}


static ngx_int_t
ngx_http_campaign_page_ask(ngx_http_campaign_page_t *page, ngx_campaign_store_t *st)
{
    ngx_pool_t            *pool;
    ngx_campaign_op_t     *op;
    ngx_campaign_space_t  *space;

    pool = ngx_create_pool(1024, page->request->connection->log);
    if (pool == NULL) {
        return NGX_ERROR;
    }

    op = ngx_palloc(pool, sizeof(ngx_campaign_op_t) + sizeof(ngx_campaign_space_t));
    if (op == NULL) {
        ngx_destroy_pool(pool);
        return NGX_ERROR;
    }

    space = (ngx_campaign_space_t *) &op[1];

    ngx_campaign_op_init(op, pool, page->request->connection->log, ngx_http_campaign_page_told, page);

    if (ngx_campaign_store_space(st, op, space) == NGX_ERROR) {
        ngx_destroy_pool(pool);
        return NGX_ERROR;
    }

    page->op = op;

    return NGX_AGAIN;
}


static void
ngx_http_campaign_page_told(ngx_campaign_op_t *op)
{
    ngx_connection_t          *c;
    ngx_http_request_t        *r;
    ngx_http_campaign_page_t  *page;

    page = op->data;
    r = page->request;
    c = r->connection;

    page->spaced = (op->rc == NGX_CAMPAIGN_OK);
    page->space = *(ngx_campaign_space_t *) &op[1];
    page->op = NULL;

    ngx_destroy_pool(op->pool);

    ngx_http_finalize_request(r, ngx_http_campaign_page_send(page));
    ngx_http_run_posted_requests(c);
}


static void
ngx_http_campaign_page_gone(void *data)
{
    ngx_http_campaign_page_t *page = data;

    if (page->op) {
        ngx_campaign_store_cancel(page->op);
        page->op = NULL;
    }
}


static ngx_int_t
ngx_http_campaign_page_send(ngx_http_campaign_page_t *page)
{
    ngx_int_t            rc;
    ngx_http_request_t  *r;

    r = page->request;

    if (ngx_http_campaign_page_copy(page) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ngx_http_campaign_page_prometheus(r)) {
        ngx_http_campaign_page_text(page);
        ngx_str_set(&r->headers_out.content_type, "text/plain; version=0.0.4; charset=utf-8");

    } else {
        ngx_http_campaign_page_json(page);
        ngx_str_set(&r->headers_out.content_type, "application/json");
    }

    if (page->failed) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    r->headers_out.content_type_len = r->headers_out.content_type.len;
    r->headers_out.status = NGX_HTTP_OK;
    r->headers_out.content_length_n = page->length;

    page->last->buf->last_buf = (r == r->main) ? 1 : 0;
    page->last->buf->last_in_chain = 1;

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    return ngx_http_output_filter(r, page->first);
}


/* asked for by argument, or by the Accept of a scraper */

static ngx_uint_t
ngx_http_campaign_page_prometheus(ngx_http_request_t *r)
{
    ngx_str_t         format;
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    if (ngx_http_arg(r, (u_char *) "format", 6, &format) == NGX_OK) {
        return format.len == 10 && ngx_strncmp(format.data, "prometheus", 10) == 0;
    }

    for (part = &r->headers_in.headers.part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {
            if (h[i].key.len == 6 && ngx_strncasecmp(h[i].key.data, (u_char *) "Accept", 6) == 0
                && (ngx_strstr(h[i].value.data, "text/plain") || ngx_strstr(h[i].value.data, "openmetrics")))
            {
                return 1;
            }
        }
    }

    return 0;
}


/* a copy, with what is reckoned from it */

static ngx_int_t
ngx_http_campaign_page_copy(ngx_http_campaign_page_t *page)
{
    int64_t                              now;
    uint64_t                             second, at;
    ngx_uint_t                           i, n;
    ngx_http_campaign_status_t          *s;
    ngx_http_campaign_series_t          *a;
    ngx_http_campaign_gateway_status_t  *g;

    s = ngx_palloc(page->request->pool, sizeof(ngx_http_campaign_status_t));
    if (s == NULL) {
        return NGX_ERROR;
    }

    *s = *ngx_http_campaign_status();
    page->status = s;

    now = ngx_campaign_now();
    second = (uint64_t) now / 1000000;

    if (s->pid && kill((ngx_pid_t) s->pid, 0) == -1 && ngx_errno == ESRCH) {
        s->pid = 0;                                     /* killed, and nobody took over yet */
    }

    s->up = (s->pid != 0);
    s->age = s->pid ? (uint64_t) ngx_max(now - (int64_t) s->since, 0) : 0;

    for (s->lag = 0, i = 0; i < 2; i++) {
        at = s->late[i] >> 32;

        if (at == (second & 0xffffffff) || at == ((second - 1) & 0xffffffff)) {
            s->lag = ngx_max(s->lag, (s->late[i] & 0xffffffff));
        }
    }

    for (g = s->gateways; g < s->gateways + NGX_HTTP_CAMPAIGN_STATUS_GATEWAYS && g->channel[0]; g++) {
        g->resting = ((int64_t) g->held > now);
    }

    for (a = s->series; a < s->series + NGX_HTTP_CAMPAIGN_STATUS_SERIES && a->channel[0]; a++) {
        a->age = (a->since && a->since < second) ? second - a->since : 0;
        a->achieved = 0;

        for (n = 0, i = 0; i < NGX_HTTP_CAMPAIGN_STATUS_SECONDS; i++) {
            at = second - (a->went[i] >> 24);

            if (at >= 1 && at <= NGX_HTTP_CAMPAIGN_PAGE_WHOLE) {
                n += a->went[i] & 0xffffff;
            }
        }

        a->achieved = (uint64_t) n * 1000000 / NGX_HTTP_CAMPAIGN_PAGE_WHOLE;
    }

    return NGX_OK;
}


static uint64_t
ngx_http_campaign_figure(const ngx_http_campaign_figure_t *f, const void *of)
{
    return *(const uint64_t *) ((const u_char *) of + f->offset);
}


static void
ngx_http_campaign_page_value(ngx_http_campaign_page_t *page, const ngx_http_campaign_figure_t *f, const void *of)
{
    uint64_t  n;

    n = ngx_http_campaign_figure(f, of);

    if (f->unit == NGX_HTTP_CAMPAIGN_MILLIONTHS) {
        ngx_http_campaign_page_print(page, "%uL.%06uL", n / 1000000, n % 1000000);

    } else {
        ngx_http_campaign_page_print(page, "%uL", n);
    }
}


static void
ngx_http_campaign_page_head(ngx_http_campaign_page_t *page, const char *metric, const char *type, const char *help)
{
    ngx_http_campaign_page_print(page, "# HELP %s %s\n# TYPE %s %s\n", metric, help, metric, type);
}


/* channels have letters, digits and underscores, accounts are UUIDs: no label needs to be escaped */

static void
ngx_http_campaign_page_histogram(ngx_http_campaign_page_t *page, const char *metric, const u_char *channel,
    const ngx_campaign_histogram_t *h)
{
    uint64_t    n;
    ngx_uint_t  i;

    for (n = 0, i = 0; i <= NGX_CAMPAIGN_HISTOGRAM_BOUNDS; i++) {
        n += h->bucket[i];

        ngx_http_campaign_page_print(page, "%s_bucket{", metric);

        if (channel) {
            ngx_http_campaign_page_print(page, "channel=\"%s\",", channel);
        }

        if (i < NGX_CAMPAIGN_HISTOGRAM_BOUNDS) {
            ngx_http_campaign_page_print(page, "le=\"%d.%04d\"} %uL\n", (int) (ngx_campaign_histogram_bound[i] / 1000000),
                                         (int) (ngx_campaign_histogram_bound[i] % 1000000 / 100), n);
        } else {
            ngx_http_campaign_page_print(page, "le=\"+Inf\"} %uL\n", n);
        }
    }

    if (channel) {
        ngx_http_campaign_page_print(page, "%s_sum{channel=\"%s\"} %uL.%06uL\n%s_count{channel=\"%s\"} %uL\n", metric, channel,
                                     h->us / 1000000, h->us % 1000000, metric, channel, n);
    } else {
        ngx_http_campaign_page_print(page, "%s_sum %uL.%06uL\n%s_count %uL\n", metric, h->us / 1000000, h->us % 1000000, metric, n);
    }
}


static void
ngx_http_campaign_page_text(ngx_http_campaign_page_t *page)
{
    ngx_http_campaign_status_t          *s;
    ngx_http_campaign_series_t          *a;
    const ngx_http_campaign_figure_t    *f;
    ngx_http_campaign_gateway_status_t  *g;

    s = page->status;

    for (f = ngx_http_campaign_figures; f->name; f++) {
        ngx_http_campaign_page_head(page, f->metric, f->type, f->help);
        ngx_http_campaign_page_print(page, "%s ", f->metric);
        ngx_http_campaign_page_value(page, f, s);
        ngx_http_campaign_page_print(page, "\n");
    }

    for (f = ngx_http_campaign_space_figures; f->name && page->spaced; f++) {
        ngx_http_campaign_page_head(page, f->metric, f->type, f->help);
        ngx_http_campaign_page_print(page, "%s ", f->metric);
        ngx_http_campaign_page_value(page, f, &page->space);
        ngx_http_campaign_page_print(page, "\n");
    }

    for (f = ngx_http_campaign_gateway_figures; f->name; f++) {
        ngx_http_campaign_page_head(page, f->metric, f->type, f->help);

        for (g = s->gateways; g < s->gateways + NGX_HTTP_CAMPAIGN_STATUS_GATEWAYS && g->channel[0]; g++) {
            ngx_http_campaign_page_print(page, "%s{channel=\"%s\"} ", f->metric, g->channel);
            ngx_http_campaign_page_value(page, f, g);
            ngx_http_campaign_page_print(page, "\n");
        }
    }

    for (f = ngx_http_campaign_series_figures; f->name; f++) {
        ngx_http_campaign_page_head(page, f->metric, f->type, f->help);

        for (a = s->series; a < s->series + NGX_HTTP_CAMPAIGN_STATUS_SERIES && a->channel[0]; a++) {
            ngx_http_campaign_page_print(page, "%s{account=\"%s\",channel=\"%s\"} ", f->metric, a->account, a->channel);
            ngx_http_campaign_page_value(page, f, a);
            ngx_http_campaign_page_print(page, "\n");
        }
    }

    ngx_http_campaign_page_head(page, "campaign_turn_seconds", "histogram", "Time of the dispatcher's turns with the store.");
    ngx_http_campaign_page_histogram(page, "campaign_turn_seconds", NULL, &s->turn);

    ngx_http_campaign_page_head(page, "campaign_store_commit_seconds", "histogram", "Time of commits, of all processes.");
    ngx_http_campaign_page_histogram(page, "campaign_store_commit_seconds", NULL, &s->commits.time);

    ngx_http_campaign_page_head(page, "campaign_gateway_latency_seconds", "histogram", "Time until the gateway's answer.");

    for (g = s->gateways; g < s->gateways + NGX_HTTP_CAMPAIGN_STATUS_GATEWAYS && g->channel[0]; g++) {
        ngx_http_campaign_page_histogram(page, "campaign_gateway_latency_seconds", g->channel, &g->latency);
    }
}


static void
ngx_http_campaign_page_fields(ngx_http_campaign_page_t *page, const ngx_http_campaign_figure_t *f, const void *of)
{
    ngx_uint_t  n;

    for (n = 0; f->name; f++, n++) {
        ngx_http_campaign_page_print(page, "%s\"%s\":", n ? "," : "", f->name);
        ngx_http_campaign_page_value(page, f, of);
    }
}


/* upper bounds in seconds, and how many were not longer */

static void
ngx_http_campaign_page_buckets(ngx_http_campaign_page_t *page, const char *name, const ngx_campaign_histogram_t *h)
{
    uint64_t    n;
    ngx_uint_t  i;

    ngx_http_campaign_page_print(page, ",\"%s\":{", name);

    for (n = 0, i = 0; i < NGX_CAMPAIGN_HISTOGRAM_BOUNDS; i++) {
        n += h->bucket[i];
        ngx_http_campaign_page_print(page, "\"%d.%04d\":%uL,", (int) (ngx_campaign_histogram_bound[i] / 1000000),
                                     (int) (ngx_campaign_histogram_bound[i] % 1000000 / 100), n);
    }

    ngx_http_campaign_page_print(page, "\"count\":%uL,\"sum\":%uL.%06uL}", n + h->bucket[i], h->us / 1000000, h->us % 1000000);
}


static void
ngx_http_campaign_page_json(ngx_http_campaign_page_t *page)
{
    ngx_http_campaign_status_t          *s;
    ngx_http_campaign_series_t          *a;
    ngx_http_campaign_gateway_status_t  *g;

    s = page->status;

    ngx_http_campaign_page_print(page, "{\"data\":{\"dispatcher\":{");
    ngx_http_campaign_page_fields(page, ngx_http_campaign_figures, s);
    ngx_http_campaign_page_buckets(page, "turn_seconds", &s->turn);
    ngx_http_campaign_page_buckets(page, "commit_seconds", &s->commits.time);
    ngx_http_campaign_page_print(page, "},\"store\":");

    if (page->spaced) {
        ngx_http_campaign_page_print(page, "{");
        ngx_http_campaign_page_fields(page, ngx_http_campaign_space_figures, &page->space);
        ngx_http_campaign_page_print(page, "}");

    } else {
        ngx_http_campaign_page_print(page, "null");
    }

    ngx_http_campaign_page_print(page, ",\"gateways\":[");

    for (g = s->gateways; g < s->gateways + NGX_HTTP_CAMPAIGN_STATUS_GATEWAYS && g->channel[0]; g++) {
        ngx_http_campaign_page_print(page, "%s{\"channel\":\"%s\",", g == s->gateways ? "" : ",", g->channel);
        ngx_http_campaign_page_fields(page, ngx_http_campaign_gateway_figures, g);
        ngx_http_campaign_page_buckets(page, "latency_seconds", &g->latency);
        ngx_http_campaign_page_print(page, "}");
    }

    ngx_http_campaign_page_print(page, "],\"accounts\":[");

    for (a = s->series; a < s->series + NGX_HTTP_CAMPAIGN_STATUS_SERIES && a->channel[0]; a++) {
        ngx_http_campaign_page_print(page, "%s{\"account_id\":\"%s\",\"channel\":\"%s\",", a == s->series ? "" : ",", a->account,
                                     a->channel);
        ngx_http_campaign_page_fields(page, ngx_http_campaign_series_figures, a);
        ngx_http_campaign_page_print(page, "}");
    }

    ngx_http_campaign_page_print(page, "]}}\n");
}


static void
ngx_http_campaign_page_print(ngx_http_campaign_page_t *page, const char *fmt, ...)
{
    u_char       *p;
    va_list       args;
    ngx_buf_t    *b;
    ngx_chain_t  *cl;

    if (page->failed) {
        return;
    }

    if (page->last == NULL || page->last->buf->end - page->last->buf->last < NGX_HTTP_CAMPAIGN_PAGE_ROW) {
        cl = ngx_alloc_chain_link(page->request->pool);
        b = ngx_create_temp_buf(page->request->pool, NGX_HTTP_CAMPAIGN_PAGE_BLOCK);

        if (cl == NULL || b == NULL) {
            page->failed = 1;
            return;
        }

        cl->buf = b;
        cl->next = NULL;

        if (page->last) {
            page->last->next = cl;
        } else {
            page->first = cl;
        }

        page->last = cl;
    }

    b = page->last->buf;

    va_start(args, fmt);
    p = ngx_vslprintf(b->last, b->end, fmt, args);
    va_end(args);

    page->length += p - b->last;
    b->last = p;
}
