
/*
 * What clients of the API ask for, in a worker of their own choice: operations of the store, as the handlers of src/http start them.  A
 * request that failed, or whose worker died, is repeated where the scenario needs it.
 */

#include "sim.h"
#include "ngx_campaign_webhook.h"


#define SIM_S       ((int64_t) 1000000)
#define SIM_AGAIN   200000LL                    /* us until a request is repeated */


static void sim_call_done(ngx_campaign_op_t *op);
static ngx_campaign_pile_t *sim_pile(ngx_pool_t *pool, uint64_t first, uint32_t n);
static void sim_setup(void *data, uint64_t life);
static void sim_setup_hook(ngx_uint_t i);
static void sim_create(void *data, uint64_t life);
static void sim_status(ngx_uint_t which, ngx_uint_t to, uint64_t rnd);
static void sim_account(ngx_uint_t which, ngx_uint_t disabled, uint64_t rate, uint32_t burst, uint64_t rnd);
static sim_campaign_t *sim_some_campaign(uint32_t rnd);
static ngx_uint_t sim_asks(ngx_uint_t which);
static void sim_suppress(sim_campaign_t *c, sim_event_t *e);


const char *const         sim_channels[SIM_CHANNELS] = { "SMS", "VIBER" };

static sim_event_t       *sim_wanted[SIM_CAMPAIGNS];    /* campaigns to be created */
static uint64_t           sim_asked[SIM_CAMPAIGNS];     /* life of the process where a request for its creation is under way */
static uint8_t            sim_refused[SIM_CAMPAIGNS];   /* it will never be: nobody is left in its audience */
static ngx_uint_t         sim_ready;


/* a call in a worker; NULL: none serves */

sim_call_t *
sim_call(sim_op_e kind, uint64_t rnd)
{
    sim_process_t  *p;

    p = sim_worker_any(rnd);

    return p ? sim_call_in(p, kind) : NULL;
}


sim_call_t *
sim_call_in(sim_process_t *p, sim_op_e kind)
{
    ngx_pool_t  *pool;
    sim_call_t  *call;

    sim_enter(p);

    pool = ngx_create_pool(4096, &p->log);
    call = ngx_pcalloc(pool, sizeof(sim_call_t));

    call->kind = kind;
    call->process = p;
    call->life = p->life;

    ngx_campaign_op_init(&call->op, pool, &p->log, sim_call_done, call);

    if (kind != SIM_OP_TAKE) {
        sim_op_note(&call->op, kind, call);
    }

    return call;
}


void
sim_call_started(sim_call_t *call, ngx_int_t rc)
{
    if (rc == NGX_AGAIN) {
        call->process->calls++;

    } else {
        if (call->kind == SIM_OP_CREATE) {
            sim_asked[call->which] = 0;
        }

        sim_op_forget(&call->op);
        ngx_destroy_pool(call->op.pool);
    }

    sim_leave();
}


static void
sim_call_done(ngx_campaign_op_t *op)
{
    sim_call_t *call = op->data;

    sim_say("worker %u: operation %d of a client is done, %d", (unsigned) call->process->id, call->kind, op->rc);

    sim_trace_add((uint64_t) op->rc << 8 | call->kind);

    call->process->calls--;

    sim_op_forget(op);

    if (call->kind == SIM_OP_RECEIPTS) {
        sim_receipts_done(call);

    } else if (call->kind == SIM_OP_TAKE) {
        sim_hooks_taken(call);

    } else if (op->rc == NGX_CAMPAIGN_OK) {
        ngx_http_campaign_dispatch_wake();
    }

    if (call->kind == SIM_OP_CREATE) {
        sim_asked[call->which] = 0;
        sim_refused[call->which] = (op->rc == NGX_CAMPAIGN_INVALID);
    }

    ngx_destroy_pool(op->pool);
}


ngx_str_t
sim_text(ngx_pool_t *pool, const char *form, unsigned n)
{
    ngx_str_t  s;

    s.data = ngx_pnalloc(pool, 64);
    s.len = (size_t) snprintf((char *) s.data, 64, form, n);

    return s;
}


static ngx_campaign_pile_t *
sim_pile(ngx_pool_t *pool, uint64_t first, uint32_t n)
{
    uint32_t                 i;
    ngx_campaign_pile_t     *pile;
    ngx_campaign_contact_t   c;

    pile = ngx_palloc(pool, sizeof(ngx_campaign_pile_t));
    ngx_campaign_pile_init(pile, pool);

    ngx_memzero(&c, sizeof(ngx_campaign_contact_t));

    for (i = 0; i < n; i++) {
        c.number = first + i;

        if (ngx_campaign_pile_add(pile, &c) != NGX_OK) {
            abort();
        }
    }

    return pile;
}


/* accounts, senders, audiences: one after the other, before all else */

void
sim_clients_begin(void)
{
    ngx_uint_t  i;

    ngx_memzero(sim_wanted, sizeof(sim_wanted));
    ngx_memzero(sim_asked, sizeof(sim_asked));
    ngx_memzero(sim_refused, sizeof(sim_refused));

    sim_ready = 0;
    sim_naccounts = 1 + sim_random(50, 0, 0) % SIM_ACCOUNTS;
    sim_naudiences = 1 + sim_random(50, 1, 0) % SIM_AUDIENCES;

    for (i = 0; i < sim_naudiences; i++) {
        sim_audiences[i].account = i % sim_naccounts;
        sim_audiences[i].channel = sim_random(50, 2, i) % SIM_CHANNELS;
    }

    sim_setup(NULL, 0);
}


static uint32_t
sim_size(uint64_t rnd)
{
    if (rnd % 64 == 0) {
        return 1020 + (uint32_t) (rnd >> 8) % 60;       /* around the end of a chunk of states */
    }

    if (sim_scenario.crowd) {
        return 60 + (uint32_t) (rnd >> 8) % 120;
    }

    return 1 + (uint32_t) (rnd >> 8) % (rnd % 4 ? 30 : 120);
}


static void
sim_setup(void *data, uint64_t life)
{
    ngx_uint_t        i, n;
    sim_call_t       *call;
    ngx_pool_t       *pool;

    static const uint32_t  rates[] = { 2, 10, 50, 200, 1000, 5000 };
    static const uint32_t  bursts[] = { 1, 1, 3, 20, 100 };

    for (i = 0; i < SIM_PROCESSES; i++) {
        if (sim_processes[i].life && sim_processes[i].calls) {
            sim_at(sim_mono + 5000, sim_setup, NULL, 0);
            return;
        }
    }

    for (i = 0; i < sim_naccounts && sim_accounts[i].known; i++) { /* void */ }

    if (i < sim_naccounts) {
        call = sim_call(SIM_OP_PUT, i);

        if (call) {
            call->which = i;
            call->account.rec.name = sim_text(call->op.pool, "account %u", (unsigned) i);
            call->account.rec.status = NGX_CAMPAIGN_A_ACTIVE;
            call->account.rate = (sim_scenario.crowd ? 50000 : (uint64_t) rates[sim_random(51, i, 0) % 6]) * NGX_CAMPAIGN_RATE_UNIT;
            call->account.burst = bursts[sim_random(51, i, 1) % 5];
            ngx_memset(call->account.key_hash, 1 + (int) i, 32);

            sim_call_started(call, ngx_campaign_store_put(call->process->store, &call->op, NGX_CAMPAIGN_ACCOUNT, &call->account, NULL));
        }

        sim_at(sim_mono + 5000, sim_setup, NULL, 0);
        return;
    }

    for (i = 0; i < sim_naccounts; i++) {
        for (n = 0; n < SIM_CHANNELS; n++) {
            if (sim_accounts[i].senders[n]) {
                continue;
            }

            call = sim_call(SIM_OP_PUT, n);

            if (call) {
                call->which = i;
                call->seq = (uint32_t) n;
                call->sender.rec.account = sim_accounts[i].no;
                ngx_str_set(&call->sender.rec.name, "SHOP");
                call->sender.rec.channel = sim_text(call->op.pool, sim_channels[n], 0);
                call->sender.type = NGX_CAMPAIGN_T_ALPHANUMERIC;

                sim_call_started(call, ngx_campaign_store_put(call->process->store, &call->op, NGX_CAMPAIGN_SENDER, &call->sender, NULL));
            }

            sim_at(sim_mono + 5000, sim_setup, NULL, 0);
            return;
        }
    }

    for (i = 0; i < 2 * sim_naccounts && (sim_hooks[i].known || sim_random(58, i, 0) % 3 == 0); i++) { /* void */ }

    if (i < 2 * sim_naccounts) {
        sim_setup_hook(i);
        sim_at(sim_mono + 5000, sim_setup, NULL, 0);
        return;
    }

    for (i = 0; i < sim_naudiences && sim_audiences[i].known; i++) { /* void */ }

    if (i < sim_naudiences) {
        call = sim_call(SIM_OP_PUT, i);

        if (call) {
            pool = call->op.pool;
            call->which = sim_audiences[i].account;
            call->seq = (uint32_t) i;
            call->audience.rec.account = sim_accounts[call->which].no;
            call->audience.rec.name = sim_text(pool, "audience %u", (unsigned) i);
            call->audience.rec.channel = sim_text(pool, sim_channels[sim_audiences[i].channel], 0);

            sim_call_started(call, ngx_campaign_store_put(call->process->store, &call->op, NGX_CAMPAIGN_AUDIENCE, &call->audience,
                             sim_pile(pool, SIM_AUDIENCE_NUMBER(i), sim_size(sim_random(52, i, 0)))));
        }

        sim_at(sim_mono + 5000, sim_setup, NULL, 0);
        return;
    }

    sim_ready = 1;
    sim_hooks_begin();
}


static void
sim_setup_hook(ngx_uint_t i)
{
    sim_call_t              *call;
    ngx_campaign_webhook_t  *w;

    call = sim_call(SIM_OP_PUT, i);
    if (call == NULL) {
        return;
    }

    call->which = i / 2;
    w = &call->webhook;
    w->rec.account = sim_accounts[i / 2].no;
    w->event = i % 2 ? NGX_CAMPAIGN_W_CAMPAIGN : NGX_CAMPAIGN_W_DELIVERY;
    w->rec.name = *ngx_campaign_webhook_event_name(w->event);
    ngx_str_set(&w->url, "http://example.com/hook");
    ngx_str_set(&w->secret, "secret");

    sim_call_started(call, ngx_campaign_store_put(call->process->store, &call->op, NGX_CAMPAIGN_WEBHOOK, w, NULL));
}


/* campaigns */

static sim_campaign_t *
sim_some_campaign(uint32_t rnd)
{
    ngx_uint_t       i;
    sim_campaign_t  *c;

    for (i = 0; i < SIM_CAMPAIGNS; i++) {
        c = &sim_campaigns[(rnd + i) % SIM_CAMPAIGNS];

        if (c->known && !c->gone) {
            return c;
        }
    }

    return NULL;
}


static ngx_uint_t
sim_asks(ngx_uint_t which)
{
    ngx_uint_t  i;

    for (i = 0; i < SIM_PROCESSES; i++) {
        if (sim_asked[which] && sim_processes[i].life == sim_asked[which]) {
            return 1;
        }
    }

    return 0;
}


static void
sim_create(void *data, uint64_t life)
{
    uint32_t          n;
    ngx_uint_t        which;
    sim_call_t       *call;
    sim_event_t      *e;
    sim_campaign_t   *c;
    ngx_pool_t       *pool;
    ngx_campaign_pile_t  *pile;

    which = life;
    e = sim_wanted[which];
    c = &sim_campaigns[which];

    if (c->known || sim_refused[which]) {
        return;
    }

    sim_at(sim_mono + SIM_AGAIN, sim_create, NULL, which);

    if (!sim_ready || sim_asks(which)) {
        return;
    }

    call = sim_call(SIM_OP_CREATE, e->e + (uint64_t) sim_mono);
    if (call == NULL) {
        return;
    }

    sim_asked[which] = call->life;
    pool = call->op.pool;
    pile = NULL;

    if (e->b % 2) {
        c->audience = 1 + e->a % sim_naudiences;
        c->account = sim_audiences[c->audience - 1].account;
        c->channel = sim_audiences[c->audience - 1].channel;
        ngx_memcpy(call->campaign.audience, sim_audiences[c->audience - 1].id, NGX_CAMPAIGN_ID_LEN);

    } else {
        c->account = e->a % sim_naccounts;
        c->channel = e->a / 16 % SIM_CHANNELS;
        n = (e->b / 2 % 4 == 0) ? 1 + e->b / 8 % 3 : sim_size(sim_random(54, which, 0));
        pile = sim_pile(pool, SIM_CAMPAIGN_NUMBER(which), n);
        call->campaign.rec.apart = (e->b / 2 % 4 == 0);
    }

    call->which = which;
    call->campaign.rec.account = sim_accounts[c->account].no;
    call->campaign.rec.channel = sim_text(pool, sim_channels[c->channel], 0);

    if (!call->campaign.rec.apart) {
        call->campaign.rec.name = sim_text(pool, "campaign %u", (unsigned) which);
    }

    ngx_str_set(&call->campaign.from, "SHOP");
    ngx_str_set(&call->campaign.text, "Hello {first_name}");

    if (e->c % 4 == 0) {
        call->campaign.schedule = (time_t) (ngx_campaign_now() / SIM_S) + (time_t) (e->c / 4 % 12);
    }

    if (e->d % 4 == 0) {
        call->campaign.validity = 1 + e->d / 4 % 20;
    }

    sim_call_started(call, ngx_campaign_store_create(call->process->store, &call->op, &call->campaign, pile));
}


static void
sim_status(ngx_uint_t which, ngx_uint_t to, uint64_t rnd)
{
    sim_call_t      *call;
    sim_campaign_t  *c;

    c = &sim_campaigns[which];
    call = sim_call(SIM_OP_CHANGE, rnd);

    if (call == NULL) {
        return;
    }

    call->which = which;
    call->seq = (uint32_t) to;
    call->campaign.rec.account = sim_accounts[c->account].no;
    call->campaign.rec.status = to;
    ngx_memcpy(call->campaign.rec.id, c->id, NGX_CAMPAIGN_ID_LEN);

    sim_call_started(call, ngx_campaign_store_change(call->process->store, &call->op, &call->campaign, NGX_CAMPAIGN_SET_STATUS,
                                                     ngx_campaign_status_from((ngx_campaign_status_e) to)));
}


static void
sim_account(ngx_uint_t which, ngx_uint_t disabled, uint64_t rate, uint32_t burst, uint64_t rnd)
{
    sim_call_t     *call;
    sim_account_t  *a;

    a = &sim_accounts[which];
    call = sim_call(SIM_OP_ACCOUNT, rnd);

    if (call == NULL) {
        return;
    }

    call->which = which;
    call->account.rec.name = sim_text(call->op.pool, "account %u", (unsigned) which);
    call->account.rec.status = disabled ? NGX_CAMPAIGN_A_DISABLED : NGX_CAMPAIGN_A_ACTIVE;
    call->account.rec.no = a->no;
    call->account.rate = rate;
    call->account.burst = burst;
    ngx_memcpy(call->account.rec.id, a->id, NGX_CAMPAIGN_ID_LEN);

    sim_call_started(call, ngx_campaign_store_account(call->process->store, &call->op, &call->account));
}


static void
sim_suppress(sim_campaign_t *c, sim_event_t *e)
{
    sim_call_t               *call;
    ngx_campaign_suppress_t  *s;

    call = sim_call(e->d % 4 ? SIM_OP_SUPPRESS : SIM_OP_LIFT, e->c);
    if (call == NULL) {
        return;
    }

    s = &call->suppress;
    s->account = sim_accounts[c->account].no;
    s->source = NGX_CAMPAIGN_SOURCE_API;
    s->given.account = s->account;
    s->given.number = sim_model_number(c, e->b % ngx_min(c->span, 8));

    call->which = c->account;
    call->seq = (e->e % 2) ? (uint32_t) c->channel + 1 : 0;

    ngx_str_set(&s->given.channel, "");                 /* with data: that very scope is meant */
    ngx_str_set(&s->given.from, "");

    if (call->seq) {
        s->given.channel = sim_text(call->op.pool, sim_channels[c->channel], 0);
    }

    sim_call_started(call, call->kind == SIM_OP_LIFT
                           ? ngx_campaign_store_suppression_lift(call->process->store, &call->op, &s->given)
                           : ngx_campaign_store_suppress(call->process->store, &call->op, s));
}


void
sim_client_event(sim_event_t *e)
{
    uint32_t         seq;
    ngx_uint_t       i;
    sim_call_t      *call;
    sim_campaign_t  *c;
    sim_audience_t  *au;

    static const ngx_uint_t  moves[] = {
        NGX_CAMPAIGN_C_PAUSED, NGX_CAMPAIGN_C_IN_PROGRESS, NGX_CAMPAIGN_C_PAUSED, NGX_CAMPAIGN_C_IN_PROGRESS, NGX_CAMPAIGN_C_CANCELED
    };

    c = sim_some_campaign(e->a);

    switch (e->kind) {

    case SIM_E_CREATE:
        if (sim_ncampaigns < SIM_CAMPAIGNS) {
            sim_wanted[sim_ncampaigns] = e;
            sim_create(NULL, sim_ncampaigns++);
        }
        return;

    case SIM_E_STATUS:
        if (c) {
            sim_status(c - sim_campaigns, moves[e->b % 5], e->c);
        }
        return;

    case SIM_E_DELETE:
        if (c && (call = sim_call(SIM_OP_DELETE, e->c)) != NULL) {
            call->which = c - sim_campaigns;
            ngx_memcpy(call->id, c->id, NGX_CAMPAIGN_ID_LEN);
            sim_call_started(call, ngx_campaign_store_delete(call->process->store, &call->op, NGX_CAMPAIGN_CAMPAIGN,
                                                             sim_accounts[c->account].no, call->id));
        }
        return;

    case SIM_E_MESSAGE_CANCEL:
        if (c && (call = sim_call(SIM_OP_MESSAGE_CANCEL, e->c)) != NULL) {
            seq = e->b % c->span;
            call->which = c - sim_campaigns;
            call->seq = seq;
            ngx_campaign_id_make(ngx_campaign_store_secret(call->process->store), NGX_CAMPAIGN_MESSAGE, c->c.rec.no, seq, call->id);
            sim_call_started(call, ngx_campaign_store_message_cancel(call->process->store, &call->op, sim_accounts[c->account].no,
                                                                     call->id));
        }
        return;

    case SIM_E_SUPPRESS:
        if (c) {
            sim_suppress(c, e);
        }
        return;

    case SIM_E_WEBHOOK:
        i = e->a % SIM_HOOKS;

        if (sim_hooks[i].known && (call = sim_call(SIM_OP_WEBHOOK, e->c)) != NULL) {
            call->which = i;
            call->webhook.rec.account = sim_accounts[i / 2].no;
            call->webhook.rec.status = e->b % 3 ? NGX_CAMPAIGN_A_ACTIVE : NGX_CAMPAIGN_A_DISABLED;
            ngx_memcpy(call->webhook.rec.id, sim_hooks[i].id, NGX_CAMPAIGN_ID_LEN);
            sim_call_started(call, ngx_campaign_store_webhook(call->process->store, &call->op, &call->webhook, NGX_CAMPAIGN_SET_STATUS));
        }
        return;

    case SIM_E_RECEIPT:
        sim_receipts_event(e->a, e->b, e->c, e->d);
        return;

    case SIM_E_CONTACT_DELETE:
        au = &sim_audiences[e->a % sim_naudiences];

        if (au->known && (call = sim_call(SIM_OP_CONTACT_DELETE, e->c)) != NULL) {
            seq = e->b % au->next;
            call->which = au - sim_audiences;
            call->seq = seq;
            ngx_campaign_id_make(ngx_campaign_store_secret(call->process->store), NGX_CAMPAIGN_CONTACT, au->list, seq, call->id);
            sim_call_started(call, ngx_campaign_store_contact_delete(call->process->store, &call->op, sim_accounts[au->account].no, au->id,
                                                                     call->id));
        }
        return;

    default:
        i = e->a % sim_naccounts;

        if (sim_accounts[i].known) {
            sim_account(i, e->b % 3 == 0, (uint64_t) (2 + e->c % 400) * NGX_CAMPAIGN_RATE_UNIT, 1 + e->d % 20, e->e);
        }
        return;
    }
}


/* calm: whatever rests goes on */

void
sim_clients_resume(void)
{
    ngx_uint_t  i;

    for (i = 0; i < sim_naccounts; i++) {
        if (sim_accounts[i].known && sim_accounts[i].disabled) {
            sim_account(i, 0, sim_accounts[i].rate, sim_accounts[i].burst, (uint64_t) sim_mono);
        }
    }

    for (i = 0; i < SIM_CAMPAIGNS; i++) {
        if (sim_campaigns[i].known && !sim_campaigns[i].gone && sim_campaigns[i].status == NGX_CAMPAIGN_C_PAUSED) {
            sim_status(i, NGX_CAMPAIGN_C_IN_PROGRESS, (uint64_t) sim_mono);
        }
    }
}


ngx_uint_t
sim_clients_idle(void)
{
    ngx_uint_t  i;

    for (i = 0; i < sim_ncampaigns; i++) {
        if (!sim_campaigns[i].known && !sim_refused[i]) {
            return 0;
        }
    }

    for (i = 0; i < SIM_PROCESSES; i++) {
        if (sim_processes[i].life && sim_processes[i].calls) {
            return 0;
        }
    }

    return sim_ready && sim_receipts_idle();
}


/* how long all that there is may take, us: at the rates of the accounts, with every retry */

int64_t
sim_clients_patience(void)
{
    int64_t          wait;
    ngx_uint_t       i;
    sim_account_t   *a;
    sim_campaign_t  *c;

    wait = 90 * SIM_S + (int64_t) (sim_scenario.retry.max * 1000 * sim_scenario.retry.attempts);

    for (i = 0; i < SIM_CAMPAIGNS; i++) {
        c = &sim_campaigns[i];

        if (c->known) {
            a = &sim_accounts[c->account];
            wait += (int64_t) (2 * SIM_S * c->span * NGX_CAMPAIGN_RATE_UNIT / a->rate)
                    + (int64_t) (2 * c->span * (uint64_t) (sim_scenario.latency + 6 * sim_scenario.commit)
                                 / sim_scenario.concurrency[c->channel]);

            if (sim_scenario.poison) {          /* all may be suspects, which go one after the other */
                wait += c->span * (2 * sim_scenario.latency + SIM_AGAIN);
            }
        }
    }

    return wait;
}
