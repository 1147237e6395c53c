
/*
 * GET /v1/campaigns/{id}/report.  Counters are those of one committed state.  Segments of messages that went to a gateway are counted
 * when their outcome is recorded; of those that are still to be settled each text is rendered now, on a thread: `total` is what was sent
 * and will be, of the same moment as the counters; canceled, skipped and expired messages have none.
 */

#include "ngx_http_campaign_error.h"
#include "ngx_http_campaign_resource.h"

#include "ngx_campaign_preview.h"
#include "ngx_campaign_state.h"


#define NGX_CAMPAIGN_REPORT_STEADY  10          /* seconds after which the rate that was reached says more than the limit */


typedef struct {
    ngx_campaign_visit_t     visit;
    ngx_campaign_preview_t   preview;
    ngx_pool_t              *pool;
    unsigned                 begun:1;
} ngx_http_campaign_report_t;


static ngx_int_t ngx_http_campaign_report_found(ngx_http_campaign_call_t *call);
static ngx_int_t ngx_http_campaign_report_contact(void *data, const ngx_campaign_contact_t *contact);
static ngx_int_t ngx_http_campaign_report_visited(ngx_http_campaign_call_t *call);
static ngx_int_t ngx_http_campaign_report_reply(ngx_http_campaign_call_t *call, const ngx_campaign_campaign_t *c, uint64_t unsettled);
static void ngx_http_campaign_report_reasons(ngx_http_campaign_out_t *out, const ngx_campaign_progress_t *p);
static uint64_t ngx_http_campaign_report_rate(const ngx_campaign_progress_t *p, time_t now);
static time_t ngx_http_campaign_report_finish(const ngx_campaign_campaign_t *c, uint64_t limit, uint64_t actual, time_t now);


/* which state a reason leads to; those that lead to none only say why a message waits */

static const u_char  ngx_http_campaign_report_state[NGX_CAMPAIGN_R_MAX] = {
    [NGX_CAMPAIGN_R_EXPIRED]             = NGX_CAMPAIGN_S_FAILED,
    [NGX_CAMPAIGN_R_GATEWAY_4XX]         = NGX_CAMPAIGN_S_FAILED,
    [NGX_CAMPAIGN_R_GATEWAY_5XX]         = NGX_CAMPAIGN_S_FAILED,
    [NGX_CAMPAIGN_R_GATEWAY_TIMEOUT]     = NGX_CAMPAIGN_S_FAILED,
    [NGX_CAMPAIGN_R_GATEWAY_UNREACHABLE] = NGX_CAMPAIGN_S_FAILED,
    [NGX_CAMPAIGN_R_RECEIPT_FAILED]      = NGX_CAMPAIGN_S_FAILED,
    [NGX_CAMPAIGN_R_RECEIPT_EXPIRED]     = NGX_CAMPAIGN_S_FAILED,
    [NGX_CAMPAIGN_R_RECEIPT_REJECTED]    = NGX_CAMPAIGN_S_FAILED,
    [NGX_CAMPAIGN_R_UNCERTAIN]           = NGX_CAMPAIGN_S_FAILED,
    [NGX_CAMPAIGN_R_SUPPRESSED]          = NGX_CAMPAIGN_S_SKIPPED,
    [NGX_CAMPAIGN_R_DELETED]             = NGX_CAMPAIGN_S_SKIPPED,
    [NGX_CAMPAIGN_R_CANCELED]            = NGX_CAMPAIGN_S_CANCELED,
    [NGX_CAMPAIGN_R_POISON]              = NGX_CAMPAIGN_S_FAILED
};


ngx_int_t
ngx_http_campaign_campaigns_report(ngx_http_campaign_call_t *call)
{
    ngx_int_t                    rc;
    ngx_http_campaign_report_t  *x;

    x = ngx_pcalloc(call->pool, sizeof(ngx_http_campaign_report_t));
    if (x == NULL) {
        return NGX_ERROR;
    }

    call->data = x;

    x->pool = call->pool;
    x->visit.account = ngx_http_campaign_call_owner(call);
    x->visit.campaign = call->id[0];
    x->visit.visit = ngx_http_campaign_report_contact;
    x->visit.data = x;

    rc = ngx_campaign_store_get(call->store, ngx_http_campaign_call_op(call, ngx_http_campaign_report_found), NGX_CAMPAIGN_CAMPAIGN,
                                x->visit.account, call->id[0], &x->visit.found);

    return ngx_http_campaign_call_wait(call, rc);
}


static ngx_int_t
ngx_http_campaign_report_found(ngx_http_campaign_call_t *call)
{
    ngx_int_t                    rc;
    ngx_campaign_progress_t     *p;
    ngx_http_campaign_report_t  *x;

    rc = ngx_http_campaign_call_answer(call);
    if (rc != NGX_OK) {
        return rc;
    }

    x = call->data;
    p = &x->visit.found.progress;

    if (p->pending + p->enroute == 0 || x->visit.found.rec.status == NGX_CAMPAIGN_C_CANCELED) {
        return ngx_http_campaign_report_reply(call, &x->visit.found, 0);
    }

    rc = ngx_campaign_store_visit(call->store, ngx_http_campaign_call_op(call, ngx_http_campaign_report_visited), &x->visit);

    return ngx_http_campaign_call_wait(call, rc);
}


/* on a thread */

static ngx_int_t
ngx_http_campaign_report_contact(void *data, const ngx_campaign_contact_t *contact)
{
    ngx_http_campaign_report_t *x = data;

    ngx_str_t  bad;

    if (!x->begun) {
        if (ngx_campaign_preview_init(&x->preview, x->pool, &x->visit.found.text, &bad) != NGX_OK) {
            return NGX_ERROR;
        }

        x->begun = 1;
    }

    return ngx_campaign_preview_add(&x->preview, contact);
}


static ngx_int_t
ngx_http_campaign_report_visited(ngx_http_campaign_call_t *call)
{
    ngx_int_t                    rc;
    ngx_http_campaign_report_t  *x;

    rc = ngx_http_campaign_call_answer(call);
    if (rc != NGX_OK) {
        return rc;
    }

    x = call->data;

    return ngx_http_campaign_report_reply(call, &x->visit.found, x->preview.segments);
}


static ngx_int_t
ngx_http_campaign_report_reply(ngx_http_campaign_call_t *call, const ngx_campaign_campaign_t *c, uint64_t unsettled)
{
    time_t                          now;
    uint64_t                        actual;
    ngx_http_campaign_out_t         out;
    const ngx_campaign_progress_t  *p;

    p = &c->progress;
    now = (time_t) (ngx_campaign_now() / 1000000);
    actual = ngx_http_campaign_report_rate(p, now);

    ngx_http_campaign_out_init(&out, call->request->pool);

    ngx_http_campaign_out_lit(&out, "{\"data\":{\"campaign_id\":");
    ngx_http_campaign_out_uuid(&out, c->rec.id);
    ngx_http_campaign_out_lit(&out, ",\"status\":");
    ngx_http_campaign_out_string(&out, ngx_campaign_status_name(c->rec.status));
    ngx_http_campaign_out_lit(&out, ",\"messages\":");
    ngx_http_campaign_campaigns_messages(call, &out, NULL, p);

    ngx_http_campaign_report_reasons(&out, p);

    ngx_http_campaign_out_lit(&out, ",\"segments\":{\"total\":");
    ngx_http_campaign_out_uint(&out, p->segments + unsettled);
    ngx_http_campaign_out_lit(&out, ",\"accepted\":");
    ngx_http_campaign_out_uint(&out, p->accepted);
    ngx_http_campaign_out_lit(&out, "},\"rate\":{\"limit\":");
    ngx_http_campaign_field_rate.print(call, &out, NULL, &call->account.rate);
    ngx_http_campaign_out_lit(&out, ",\"actual\":");
    ngx_http_campaign_field_rate.print(call, &out, NULL, &actual);
    ngx_http_campaign_out_lit(&out, "},\"start_date\":");
    ngx_http_campaign_out_date(&out, p->started);
    ngx_http_campaign_out_lit(&out, ",\"finish_date\":");
    ngx_http_campaign_out_date(&out, ngx_http_campaign_report_finish(c, call->account.rate, actual, now));
    ngx_http_campaign_out_lit(&out, ",\"redelivered\":");
    ngx_http_campaign_out_uint(&out, p->redelivered);
    ngx_http_campaign_out_lit(&out, ",\"uncertain\":");
    ngx_http_campaign_out_uint(&out, p->uncertain);
    ngx_http_campaign_out_lit(&out, "}}");

    return ngx_http_campaign_reply_send(call, NGX_HTTP_OK, &out);
}


static void
ngx_http_campaign_report_reasons(ngx_http_campaign_out_t *out, const ngx_campaign_progress_t *p)
{
    ngx_uint_t  i, first;

    ngx_http_campaign_out_lit(out, ",\"reasons\":[");

    for (first = 1, i = 1; i < NGX_CAMPAIGN_R_MAX; i++) {

        if (p->reason[i] == 0) {
            continue;
        }

        if (!first) {
            ngx_http_campaign_out_lit(out, ",");
        }

        first = 0;

        ngx_http_campaign_out_lit(out, "{\"status\":");
        ngx_http_campaign_out_string(out, ngx_campaign_state_name(ngx_http_campaign_report_state[i]));
        ngx_http_campaign_out_lit(out, ",\"reason\":");
        ngx_http_campaign_out_string(out, ngx_campaign_reason_name(i));
        ngx_http_campaign_out_lit(out, ",\"count\":");
        ngx_http_campaign_out_uint(out, p->reason[i]);
        ngx_http_campaign_out_lit(out, "}");
    }

    ngx_http_campaign_out_lit(out, "]");
}


/* messages settled by a gateway, millionths a second, from the start to the end or to now, pauses included; a second at least */

static uint64_t
ngx_http_campaign_report_rate(const ngx_campaign_progress_t *p, time_t now)
{
    time_t    elapsed;
    uint64_t  settled;

    if (p->started == 0) {
        return 0;
    }

    elapsed = (p->finished ? p->finished : now) - p->started;
    settled = (uint64_t) p->sent + p->delivered + p->failed - ngx_min(p->failed, p->reason[NGX_CAMPAIGN_R_EXPIRED]);

    return settled * NGX_CAMPAIGN_RATE_UNIT / (uint64_t) ngx_max(elapsed, 1);
}


/* 0: nobody knows: it has not started, or it is paused */

static time_t
ngx_http_campaign_report_finish(const ngx_campaign_campaign_t *c, uint64_t limit, uint64_t actual, time_t now)
{
    uint64_t                        rate, left;
    const ngx_campaign_progress_t  *p;

    p = &c->progress;

    if (p->finished || c->rec.status != NGX_CAMPAIGN_C_IN_PROGRESS) {
        return p->finished;
    }

    rate = (actual && actual < limit && now - p->started >= NGX_CAMPAIGN_REPORT_STEADY) ? actual : limit;
    left = (uint64_t) p->pending + p->enroute;

    return now + (time_t) ((left * NGX_CAMPAIGN_RATE_UNIT + rate - 1) / ngx_max(rate, 1));
}
