
/*
 * What must be true of the store.  The model is a plain table of campaigns and their messages; each committed operation is applied to
 * it by its meaning alone, and then compared with what the store's reader says.  It finds: a message lost, a counter that is not the
 * number of its states, a claim of what may not be claimed, an outcome that no gateway gave, an epoch that is not the newest.
 */

#include "sim.h"


#define SIM_TAKEOVER  100000                    /* us */


static void sim_model_takeover(void);
static void sim_model_put(sim_call_t *call);
static void sim_model_create(sim_call_t *call);
static void sim_model_change(sim_call_t *call);
static void sim_model_delete(sim_call_t *call);
static void sim_model_message_cancel(sim_call_t *call);
static void sim_model_contact_delete(sim_call_t *call);
static void sim_model_suppress(sim_call_t *call);
static void sim_model_hinder(sim_campaign_t *c);
static void sim_model_status(sim_campaign_t *c, ngx_uint_t to);
static void sim_model_slots(void);


sim_account_t            sim_accounts[SIM_ACCOUNTS];
sim_audience_t           sim_audiences[SIM_AUDIENCES];
sim_campaign_t           sim_campaigns[SIM_CAMPAIGNS];
ngx_uint_t               sim_naccounts, sim_naudiences, sim_ncampaigns;
uint64_t                 sim_epoch;
int64_t                  sim_takeover;

static sim_hindrance_t   sim_hindrances[SIM_EVENTS];
static ngx_uint_t        sim_nhindrances;
static uint8_t           sim_touched[SIM_CAMPAIGNS];


void
sim_model_reset(void)
{
    ngx_uint_t  i;

    sim_alone = NULL;
    sim_hooks_reset();

    for (i = 0; i < SIM_CAMPAIGNS; i++) {
        free(sim_campaigns[i].messages);
    }

    for (i = 0; i < SIM_ACCOUNTS; i++) {
        free(sim_accounts[i].starts);
    }

    for (i = 0; i < SIM_AUDIENCES; i++) {
        free(sim_audiences[i].deleted);
    }

    ngx_memzero(sim_campaigns, sizeof(sim_campaigns));
    ngx_memzero(sim_accounts, sizeof(sim_accounts));
    ngx_memzero(sim_audiences, sizeof(sim_audiences));
    ngx_memzero(sim_touched, sizeof(sim_touched));

    sim_nhindrances = 0;
    sim_naccounts = 0;
    sim_naudiences = 0;
    sim_ncampaigns = 0;
    sim_epoch = 0;
}


sim_campaign_t *
sim_model_campaign(uint64_t no)
{
    ngx_uint_t  i;

    for (i = 0; i < SIM_CAMPAIGNS; i++) {
        if (sim_campaigns[i].known && sim_campaigns[i].c.rec.no == no) {
            return &sim_campaigns[i];
        }
    }

    return NULL;
}


void
sim_model_touch(sim_campaign_t *c)
{
    sim_touched[c - sim_campaigns] = 1;
}


void
sim_model_commit(sim_op_t *ops, ngx_uint_t n)
{
    uint64_t    epoch;
    ngx_uint_t  i;

    for (i = 0; i < n; i++) {

        if (ops[i].rc != NGX_CAMPAIGN_OK) {
            continue;
        }

        sim_trace_add(ops[i].kind);

        switch (ops[i].kind) {

        case SIM_OP_TURN:
            sim_model_turn(ops[i].args);
            break;

        case SIM_OP_LEASE:
            epoch = *(uint64_t *) ops[i].args;

            if (epoch != sim_epoch + 1) {
                sim_fail("epoch %" PRIu64 " follows epoch %" PRIu64, epoch, sim_epoch);
            }

            sim_epoch = epoch;
            sim_model_takeover();
            break;

        case SIM_OP_PUT:
        case SIM_OP_ACCOUNT:
            sim_model_put(ops[i].args);
            break;

        case SIM_OP_CREATE:
            sim_model_create(ops[i].args);
            break;

        case SIM_OP_CHANGE:
            sim_model_change(ops[i].args);
            break;

        case SIM_OP_DELETE:
            sim_model_delete(ops[i].args);
            break;

        case SIM_OP_MESSAGE_CANCEL:
            sim_model_message_cancel(ops[i].args);
            break;

        case SIM_OP_CONTACT_DELETE:
            sim_model_contact_delete(ops[i].args);
            break;

        case SIM_OP_SUPPRESS:
        case SIM_OP_LIFT:
            sim_model_suppress(ops[i].args);
            break;

        case SIM_OP_RECEIPTS:
            sim_model_receipts(ops[i].args);
            break;

        case SIM_OP_TELL:
            sim_model_tell(ops[i].args);
            break;

        case SIM_OP_WEBHOOK:
            sim_model_turn_hook(ops[i].args);
            break;

        case SIM_OP_TAKE:                               /* reads only */
            break;
        }
    }

    for (i = 0; i < SIM_CAMPAIGNS; i++) {
        if (sim_campaigns[i].known && (sim_touched[i] || sim_commits % 64 == 0)) {
            sim_touched[i] = 0;
            sim_model_look(&sim_campaigns[i]);
        }
    }

    sim_model_hooks(sim_commits % 64 == 0);
    sim_model_slots();
}


/* the dispatcher died: another one is there within 100 ms, and the commits that go before its own: two of each process, half longer than most */

static void
sim_model_takeover(void)
{
    int64_t     took, most;
    ngx_uint_t  i;

    took = sim_mono - sim_headless;

    if (sim_headless == 0 || sim_sick) {
        sim_headless = 0;
        return;
    }

    sim_headless = 0;

    for (most = SIM_TAKEOVER + sim_scenario.commit, i = 0; i < SIM_PROCESSES; i++) {
        most += sim_processes[i].life ? 3 * sim_scenario.commit : 0;
    }

    if (took > most) {
        sim_fail("the takeover took %" PRId64 " us", took);
    }

    sim_takeover = ngx_max(sim_takeover, took);
}


static void
sim_model_put(sim_call_t *call)
{
    sim_account_t   *a;
    sim_audience_t  *au;

    a = &sim_accounts[call->which];

    if (call->kind == SIM_OP_ACCOUNT) {
        a->rate = call->account.rate;
        a->burst = call->account.burst;
        a->disabled = (call->account.rec.status != NGX_CAMPAIGN_A_ACTIVE);
        a->changed = sim_mono;
        a->reported = 0;
        return;
    }

    if (call->account.rec.no) {
        a->known = 1;
        a->no = (uint32_t) call->account.rec.no;
        a->rate = call->account.rate;
        a->burst = call->account.burst;
        a->changed = -NGX_CAMPAIGN_NS;
        a->reported = a->changed;
        ngx_memcpy(a->id, call->account.rec.id, NGX_CAMPAIGN_ID_LEN);
    }

    if (call->sender.rec.no) {
        a->senders[call->seq] = 1;
    }

    if (call->webhook.rec.no) {
        sim_model_hook(call->which, &call->webhook);
    }

    if (call->audience.rec.no) {
        au = &sim_audiences[call->seq];
        au->known = 1;
        au->account = call->which;
        au->next = call->audience.next;
        au->list = (uint64_t) call->audience.rec.no << 1;
        au->deleted = calloc(au->next + 1, 1);
        ngx_memcpy(au->id, call->audience.rec.id, NGX_CAMPAIGN_ID_LEN);
    }
}


static void
sim_model_create(sim_call_t *call)
{
    uint32_t         seq;
    sim_audience_t  *au;
    sim_campaign_t  *c;

    c = &sim_campaigns[call->which];

    c->known = 1;
    c->c = call->campaign;
    c->status = NGX_CAMPAIGN_C_SCHEDULED;
    c->schedule = call->campaign.schedule ? call->campaign.schedule : call->campaign.rec.created;
    c->span = call->campaign.span;
    c->order = -1;
    c->messages = calloc(c->span, sizeof(sim_message_t));
    ngx_memcpy(c->id, call->campaign.rec.id, NGX_CAMPAIGN_ID_LEN);

    au = c->audience ? &sim_audiences[c->audience - 1] : NULL;

    for (seq = 0; seq < c->span; seq++) {
        c->messages[seq].seq = seq;
        c->messages[seq].state = (au && au->deleted[seq]) ? SIM_S_NONE : SIM_S_FRESH;
        c->total += (c->messages[seq].state == SIM_S_FRESH);
    }

    sim_model_hinder(c);
    sim_model_touch(c);
}


static void
sim_model_change(sim_call_t *call)
{
    sim_campaign_t  *c;

    c = &sim_campaigns[call->which];

    sim_model_status(c, call->seq);
    (void) sim_model_ended(c);
    sim_model_touch(c);
}


static void
sim_model_status(sim_campaign_t *c, ngx_uint_t to)
{
    uint32_t  seq;

    if (!ngx_campaign_status_allowed(c->status, to)) {
        sim_fail("campaign %" PRIu64 " was moved from status %d to %d", (uint64_t) c->c.rec.no, (int) c->status, (int) to);
    }

    c->status = to;
    c->told = 0;
    sim_model_moved(c);

    if (to == NGX_CAMPAIGN_C_IN_PROGRESS && c->started == 0) {
        c->started = (time_t) (ngx_campaign_now() / 1000000);
    }

    for (seq = 0; to == NGX_CAMPAIGN_C_CANCELED && seq < c->span; seq++) {
        if (c->messages[seq].state == SIM_S_FRESH || (c->messages[seq].state == SIM_S_AGAIN && !c->messages[seq].said)) {
            c->messages[seq].state = SIM_S_CANCELED;
            c->messages[seq].reason = NGX_CAMPAIGN_R_CANCELED;
        }
    }
}


void
sim_model_start(sim_campaign_t *c)
{
    sim_model_status(c, NGX_CAMPAIGN_C_IN_PROGRESS);
    (void) sim_model_ended(c);
    sim_model_touch(c);
}


/* a campaign in progress has a message that waits or is on its way: else it is over */

ngx_uint_t
sim_model_ended(sim_campaign_t *c)
{
    ngx_campaign_progress_t  p;

    if (c->status != NGX_CAMPAIGN_C_IN_PROGRESS) {
        return 0;
    }

    sim_model_count(c, &p);

    if (p.pending || p.enroute) {
        return 0;
    }

    c->status = p.sent + p.delivered ? NGX_CAMPAIGN_C_COMPLETED : NGX_CAMPAIGN_C_FAILED;
    sim_model_moved(c);

    return 1;
}


static void
sim_model_delete(sim_call_t *call)
{
    sim_campaign_t           *c;
    ngx_campaign_progress_t   p;

    c = &sim_campaigns[call->which];

    sim_model_count(c, &p);

    if (c->status == NGX_CAMPAIGN_C_IN_PROGRESS && p.enroute == 0 && p.pending && sim_model_ended_maybe(c) == p.pending) {
        c->gone = 1;                                    /* a turn of the same transaction passed over all that was left */
        sim_model_touch(c);
        return;
    }

    if (p.enroute || c->status == NGX_CAMPAIGN_C_IN_PROGRESS || c->status == NGX_CAMPAIGN_C_PAUSED) {
        sim_fail("campaign %" PRIu64 " was deleted in status %d, with %u messages in flight", (uint64_t) c->c.rec.no, (int) c->status,
                 p.enroute);
    }

    c->gone = 1;
    sim_model_touch(c);
}


static void
sim_model_message_cancel(sim_call_t *call)
{
    sim_message_t            *m;
    sim_campaign_t           *c;
    ngx_campaign_progress_t   p;

    c = &sim_campaigns[call->which];
    m = &c->messages[call->seq];

    switch (m->state) {

    case SIM_S_FRESH:
    case SIM_S_AGAIN:
        m->state = SIM_S_CANCELED;
        m->reason = NGX_CAMPAIGN_R_CANCELED;
        break;

    case SIM_S_CANCELED:
        break;

    default:
        sim_fail("message %u of campaign %" PRIu64 " was canceled in state %d", m->seq, (uint64_t) c->c.rec.no, m->state);
    }

    sim_model_count(c, &p);

    if (c->c.rec.apart && c->status == NGX_CAMPAIGN_C_SCHEDULED && p.pending == 0) {
        c->status = NGX_CAMPAIGN_C_CANCELED;            /* what was sent alone is over with its last message */
    }

    (void) sim_model_ended(c);
    sim_model_touch(c);
}


static void
sim_model_contact_delete(sim_call_t *call)
{
    ngx_uint_t       i;
    sim_audience_t  *au;
    sim_campaign_t  *c;

    au = &sim_audiences[call->which];
    au->deleted[call->seq] = 1;

    for (i = 0; i < SIM_CAMPAIGNS; i++) {
        c = &sim_campaigns[i];

        if (c->known && c->audience == call->which + 1 && call->seq < c->span) {
            c->messages[call->seq].deleted = 1;
        }
    }
}


ngx_uint_t
sim_poison(uint64_t campaign, uint32_t seq)
{
    return sim_scenario.poison && sim_random(46, campaign, seq) % 100 == 0;
}


uint64_t
sim_model_number(sim_campaign_t *c, uint32_t seq)
{
    return c->audience ? SIM_AUDIENCE_NUMBER(c->audience - 1) + seq : SIM_CAMPAIGN_NUMBER(c - sim_campaigns) + seq;
}


static void
sim_model_suppress(sim_call_t *call)
{
    ngx_uint_t        i;
    sim_hindrance_t  *h;

    for (i = 0; i < sim_nhindrances; i++) {
        h = &sim_hindrances[i];

        if (h->account == call->which && h->number == call->suppress.given.number && h->channel == call->seq) {
            break;
        }
    }

    if (call->kind == SIM_OP_LIFT) {
        if (i == sim_nhindrances) {
            sim_fail("a suppression was lifted that is not there");
        }

        sim_hindrances[i] = sim_hindrances[--sim_nhindrances];

    } else if (i == sim_nhindrances && i < SIM_EVENTS) {
        h = &sim_hindrances[sim_nhindrances++];
        h->account = call->which;
        h->number = call->suppress.given.number;
        h->channel = call->seq;
    }

    for (i = 0; i < SIM_CAMPAIGNS; i++) {
        if (sim_campaigns[i].known && !sim_campaigns[i].gone) {
            sim_model_hinder(&sim_campaigns[i]);
        }
    }
}


static void
sim_model_hinder(sim_campaign_t *c)
{
    uint32_t     seq;
    ngx_uint_t   i;

    for (seq = 0; seq < c->span; seq++) {
        c->messages[seq].hindered = 0;
    }

    for (i = 0; i < sim_nhindrances; i++) {
        if (sim_hindrances[i].account != c->account || (sim_hindrances[i].channel && sim_hindrances[i].channel != c->channel + 1)) {
            continue;
        }

        seq = (uint32_t) (sim_hindrances[i].number - sim_model_number(c, 0));

        if (sim_hindrances[i].number >= sim_model_number(c, 0) && seq < c->span) {
            c->messages[seq].hindered = 1;
        }
    }
}


/* a recount */

void
sim_model_count(sim_campaign_t *c, ngx_campaign_progress_t *p)
{
    uint32_t        seq;
    sim_message_t  *m;

    ngx_memzero(p, sizeof(ngx_campaign_progress_t));

    p->total = c->total;
    p->redelivered = c->redelivered;
    p->segments = c->segments;
    p->accepted = c->accepted;

    for (seq = 0; seq < c->span; seq++) {
        m = &c->messages[seq];

        p->pending += (m->state == SIM_S_FRESH || m->state == SIM_S_AGAIN);
        p->again += (m->state == SIM_S_AGAIN);
        p->enroute += (m->state == SIM_S_ENROUTE);
        p->sent += (m->state == SIM_S_SENT);
        p->delivered += (m->state == SIM_S_DELIVERED);
        p->failed += (m->state == SIM_S_FAILED);
        p->canceled += (m->state == SIM_S_CANCELED);
        p->skipped += (m->state == SIM_S_SKIPPED);

        if (m->state > SIM_S_ENROUTE && m->state < SIM_S_NONE) {
            p->reason[m->reason]++;
            p->uncertain += (m->reason == NGX_CAMPAIGN_R_UNCERTAIN);
        }
    }
}


/* what a crash would make uncertain is bounded: no more is claimed than the gateways take at once */

static void
sim_model_slots(void)
{
    uint32_t         n[SIM_CHANNELS], seq;
    ngx_uint_t       i;
    sim_campaign_t  *c;

    ngx_memzero(n, sizeof(n));

    for (i = 0; i < SIM_CAMPAIGNS; i++) {
        c = &sim_campaigns[i];

        if (!c->known || c->gone || c->status == NGX_CAMPAIGN_C_COMPLETED || c->status == NGX_CAMPAIGN_C_FAILED) {
            continue;
        }

        for (seq = 0; seq < c->span; seq++) {
            n[c->channel] += (c->messages[seq].state == SIM_S_ENROUTE
                              && (c->messages[seq].epoch == sim_epoch || c->messages[seq].left));
        }
    }

    for (i = 0; i < SIM_CHANNELS; i++) {
        if (n[i] > sim_scenario.concurrency[i]) {
            sim_fail("%u messages are claimed for a gateway that takes %u at once", n[i], (unsigned) sim_scenario.concurrency[i]);
        }
    }
}


ngx_uint_t
sim_model_left(void)
{
    uint32_t     seq;
    ngx_uint_t   i, left;
    sim_campaign_t  *c;

    for (left = 0, i = 0; i < SIM_CAMPAIGNS; i++) {
        c = &sim_campaigns[i];

        for (seq = 0; c->known && !c->gone && seq < c->span; seq++) {
            left += (c->messages[seq].state <= SIM_S_ENROUTE);
        }

        left += (c->known && !c->gone && (c->status == NGX_CAMPAIGN_C_SCHEDULED || c->status == NGX_CAMPAIGN_C_IN_PROGRESS));
    }

    return left;
}


/* all is settled */

void
sim_model_end(void)
{
    uint32_t         seq;
    ngx_uint_t       i;
    sim_message_t   *m;
    sim_campaign_t  *c;

    sim_model_hooks(1);

    for (i = 0; i < SIM_CAMPAIGNS; i++) {
        c = &sim_campaigns[i];

        if (!c->known || c->gone) {
            continue;
        }

        sim_model_look(c);

        for (seq = 0; seq < c->span; seq++) {
            m = &c->messages[seq];

            sim_model_receipt_end(c, m);

            if ((m->state == SIM_S_SENT || m->state == SIM_S_DELIVERED) && m->accepted == 0 && !m->vouched) {
                sim_fail("message %u of campaign %" PRIu64 " is sent, but no gateway accepted it", seq, (uint64_t) c->c.rec.no);
            }

            if (m->accepted > 1 && !sim_scenario.redelivery) {
                sim_fail("message %u of campaign %" PRIu64 " was accepted %u times without redelivery", seq, (uint64_t) c->c.rec.no,
                         (unsigned) m->accepted);
            }
        }
    }
}
