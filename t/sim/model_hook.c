
/*
 * What webhooks are to be told.  It finds: a settled message, or a move of a campaign, of which not exactly one event is kept in the same
 * transaction; events of one message out of their order; one that is lost before it was told; a repeat that does not hold up later ones.
 */

#include "sim.h"


static sim_hook_t *sim_hook_of(ngx_uint_t account, ngx_uint_t event);
static void sim_note_add(sim_hook_t *h, uint64_t campaign, uint32_t seq, ngx_uint_t value, ngx_uint_t maybe);
static sim_note_t *sim_note_room(sim_note_t **notes, ngx_uint_t *n, ngx_uint_t *room);
static sim_note_t *sim_note_find(sim_hook_t *h, uint64_t no);
static void sim_note_came(sim_hook_t *h, uint64_t no);
static void sim_note_hold(sim_hook_t *h, sim_note_t *note, ngx_uint_t hold);
static sim_note_t *sim_note_holder(sim_hook_t *h, const sim_note_t *note);
static void sim_note_tell(sim_hook_t *h, sim_note_t *note, ngx_campaign_tell_t *tell);


sim_hook_t  sim_hooks[SIM_HOOKS];
uint64_t    sim_told;


void
sim_hooks_reset(void)
{
    ngx_uint_t  i;

    for (i = 0; i < SIM_HOOKS; i++) {
        free(sim_hooks[i].notes);
        free(sim_hooks[i].fresh);
    }

    ngx_memzero(sim_hooks, sizeof(sim_hooks));
}


void
sim_model_hook(ngx_uint_t account, const ngx_campaign_webhook_t *w)
{
    sim_hook_t  *h;

    h = sim_hook_of(account, w->event);

    h->known = 1;
    h->account = account;
    h->event = w->event;
    h->no = w->rec.no;
    ngx_memcpy(h->id, w->rec.id, NGX_CAMPAIGN_ID_LEN);
}


void
sim_model_turn_hook(sim_call_t *call)
{
    sim_hook_t  *h;

    h = &sim_hooks[call->which];

    h->off = (call->webhook.rec.status != NGX_CAMPAIGN_A_ACTIVE);
    h->turned = 1;
    h->touched = 1;
}


static sim_hook_t *
sim_hook_of(ngx_uint_t account, ngx_uint_t event)
{
    return &sim_hooks[2 * account + (event == NGX_CAMPAIGN_W_CAMPAIGN)];
}


static sim_note_t *
sim_note_room(sim_note_t **notes, ngx_uint_t *n, ngx_uint_t *room)
{
    if (*n == *room) {
        *room = *room ? *room * 2 : 64;
        *notes = realloc(*notes, *room * sizeof(sim_note_t));

        if (*notes == NULL) {
            abort();
        }
    }

    ngx_memzero(&(*notes)[*n], sizeof(sim_note_t));

    return &(*notes)[(*n)++];
}


static void
sim_note_add(sim_hook_t *h, uint64_t campaign, uint32_t seq, ngx_uint_t value, ngx_uint_t maybe)
{
    sim_note_t  *note;

    if (!h->known || (h->off && !h->turned)) {
        return;
    }

    note = sim_note_room(&h->fresh, &h->nfresh, &h->fresh_room);

    note->campaign = campaign;
    note->seq = seq;
    note->value = value;
    note->maybe = maybe;
}


void
sim_model_settled(sim_campaign_t *c, sim_message_t *m)
{
    ngx_uint_t  state;

    state = (m->state == SIM_S_SENT) ? NGX_CAMPAIGN_S_SENT : (m->state == SIM_S_DELIVERED) ? NGX_CAMPAIGN_S_DELIVERED : NGX_CAMPAIGN_S_FAILED;

    sim_note_add(sim_hook_of(c->account, NGX_CAMPAIGN_W_DELIVERY), c->c.rec.no, m->seq, ngx_campaign_state_byte(state, m->reason), 0);
}


/* before a receipt of the same transaction */

void
sim_model_expired_maybe(sim_campaign_t *c, sim_message_t *m)
{
    sim_note_add(sim_hook_of(c->account, NGX_CAMPAIGN_W_DELIVERY), c->c.rec.no, m->seq,
                 ngx_campaign_state_byte(NGX_CAMPAIGN_S_FAILED, NGX_CAMPAIGN_R_EXPIRED), 1);
}


uint32_t
sim_model_ended_maybe(sim_campaign_t *c)
{
    uint32_t        seq, n;
    sim_hook_t     *h;
    sim_message_t  *m;

    for (n = 0, seq = 0; seq < c->span; seq++) {
        m = &c->messages[seq];

        if (m->state == SIM_S_AGAIN && m->passed) {
            n++;
            sim_model_expired_maybe(c, m);

            if (m->said) {
                sim_note_add(sim_hook_of(c->account, NGX_CAMPAIGN_W_DELIVERY), c->c.rec.no, seq,
                             ngx_campaign_state_byte(ngx_campaign_receipt_state((ngx_campaign_receipt_e) m->said),
                                                     ngx_campaign_receipt_reason((ngx_campaign_receipt_e) m->said)), 1);
            }
        }
    }

    if (n && !c->c.rec.apart) {
        h = sim_hook_of(c->account, NGX_CAMPAIGN_W_CAMPAIGN);
        sim_note_add(h, c->c.rec.no, UINT32_MAX, NGX_CAMPAIGN_C_COMPLETED, 1);
        sim_note_add(h, c->c.rec.no, UINT32_MAX, NGX_CAMPAIGN_C_FAILED, 1);
    }

    return n;
}


void
sim_model_moved(sim_campaign_t *c)
{
    if (!c->c.rec.apart) {
        sim_note_add(sim_hook_of(c->account, NGX_CAMPAIGN_W_CAMPAIGN), c->c.rec.no, UINT32_MAX, c->status, 0);
    }
}


void
sim_model_unsure(sim_campaign_t *c)
{
    ngx_uint_t   i;
    sim_hook_t  *h;

    h = sim_hook_of(c->account, NGX_CAMPAIGN_W_CAMPAIGN);

    for (i = h->nfresh; i > 0; i--) {
        if (h->fresh[i - 1].campaign == c->c.rec.no) {
            h->fresh[i - 1].value = c->status;
            return;
        }
    }
}


static sim_note_t *
sim_note_find(sim_hook_t *h, uint64_t no)
{
    ngx_uint_t  low, high, i;

    for (low = 0, high = h->n; low < high; /* void */ ) {
        i = (low + high) / 2;

        if (h->notes[i].no == no) {
            return &h->notes[i];
        }

        if (h->notes[i].no < no) {
            low = i + 1;

        } else {
            high = i;
        }
    }

    return NULL;
}


void
sim_model_hooks(ngx_uint_t all)
{
    uint64_t               no;
    ngx_uint_t             i, n, waiting;
    sim_hook_t            *h;
    sim_note_t             note;
    ngx_campaign_queue_t   queue;

    for (i = 0; i < SIM_HOOKS; i++) {
        h = &sim_hooks[i];

        if (!h->known || (!all && !h->touched && h->nfresh == 0)) {
            continue;
        }

        h->touched = 0;

        ngx_memzero(&note, sizeof(sim_note_t));
        sim_engine_hook(h->no, &queue);

        for (no = h->last + 1; no <= queue.last; no++) {
            sim_note_came(h, no);
        }

        for (n = 0; n < h->nfresh; n++) {
            if (h->fresh[n].no == 0 && !h->fresh[n].maybe && !h->turned) {
                sim_fail("webhook %" PRIu64 " got %" PRIu64 " events where %u things happened, none of message %u of campaign %" PRIu64, h->no,
                         queue.last - h->last, (unsigned) h->nfresh, h->fresh[n].seq, h->fresh[n].campaign);
            }
        }

        if ((queue.status != NGX_CAMPAIGN_A_ACTIVE) != h->off) {
            sim_fail("webhook %" PRIu64 " has status %u", h->no, (unsigned) queue.status);
        }

        h->last = queue.last;
        h->nfresh = 0;
        h->turned = 0;

        for (waiting = 0, n = 0; n < h->n; n++) {
            waiting += (h->notes[n].due != NGX_CAMPAIGN_EVENT_NEVER);

            if (all && (!sim_engine_note(h->no, h->notes[n].no, &note) || memcmp(&note, &h->notes[n], sizeof(sim_note_t)) != 0)) {
                sim_fail("event %" PRIu64 " of webhook %" PRIu64 " is lost, or another one", h->notes[n].no, h->no);
            }
        }

        if (queue.waiting != waiting || queue.failed != h->n - waiting || queue.dropped) {
            sim_fail("webhook %" PRIu64 " counts %" PRIu64 " events that wait and %" PRIu64 " that failed, there are %u and %u", h->no,
                     queue.waiting, queue.failed, (unsigned) waiting, (unsigned) (h->n - waiting));
        }
    }
}


/* of one message they come in the order of what happened */

static void
sim_note_came(sim_hook_t *h, uint64_t no)
{
    ngx_uint_t   i;
    sim_note_t   came, *note;

    ngx_memzero(&came, sizeof(sim_note_t));

    if (!sim_engine_note(h->no, no, &came)) {
        sim_fail("event %" PRIu64 " of webhook %" PRIu64 " is not there", no, h->no);
    }

    for (i = 0; i < h->nfresh; i++) {
        note = &h->fresh[i];

        if (note->no == 0 && note->campaign == came.campaign && note->seq == came.seq
            && ((!note->maybe && !h->turned) || note->value == came.value))
        {
            break;
        }
    }

    if (i == h->nfresh || h->fresh[i].value != came.value || came.attempts || came.holds) {
        sim_fail("event %" PRIu64 " of webhook %" PRIu64 " tells of message %u of campaign %" PRIu64 " that its state is %u, not %u", no, h->no,
                 came.seq, came.campaign, (unsigned) came.value, i == h->nfresh ? 0 : (unsigned) h->fresh[i].value);
    }

    h->fresh[i].no = no;

    *sim_note_room(&h->notes, &h->n, &h->room) = came;
}


/* who has to be repeated holds up later ones of its message; the earliest of them does */

static sim_note_t *
sim_note_holder(sim_hook_t *h, const sim_note_t *note)
{
    ngx_uint_t  i;

    for (i = 0; i < h->n; i++) {
        if (h->notes[i].holds && h->notes[i].campaign == note->campaign && h->notes[i].seq == note->seq) {
            return &h->notes[i];
        }
    }

    return NULL;
}


static void
sim_note_hold(sim_hook_t *h, sim_note_t *note, ngx_uint_t hold)
{
    sim_note_t  *holder;

    holder = sim_note_holder(h, note);

    if (!hold) {
        note->holds = 0;
        return;
    }

    if (holder == NULL || holder->no > note->no) {
        if (holder) {
            holder->holds = 0;
        }

        note->holds = 1;
    }
}


void
sim_model_tell(sim_call_t *call)
{
    ngx_uint_t            i;
    sim_hook_t           *h;
    sim_note_t           *note;
    ngx_campaign_tell_t  *tell;

    h = &sim_hooks[call->which];
    h->touched = 1;

    for (i = 0; i < call->ntells; i++) {
        tell = &call->tells[i];
        note = sim_note_find(h, tell->no);

        if (note && note->attempts + 1 == tell->attempt && note->due != NGX_CAMPAIGN_EVENT_NEVER) {
            sim_note_tell(h, note, tell);
        }
    }
}


static void
sim_note_tell(sim_hook_t *h, sim_note_t *note, ngx_campaign_tell_t *tell)
{
    ngx_uint_t   i;
    sim_note_t  *holder;

    switch (tell->kind) {

    case NGX_CAMPAIGN_TELL_DONE:
        sim_told++;
        i = note - h->notes;
        h->n--;
        memmove(&h->notes[i], &h->notes[i + 1], (h->n - i) * sizeof(sim_note_t));
        break;

    case NGX_CAMPAIGN_TELL_AGAIN:
        note->attempts++;
        note->due = tell->due;
        sim_note_hold(h, note, 1);
        break;

    case NGX_CAMPAIGN_TELL_HELD:
        holder = sim_note_holder(h, note);

        if (holder && holder->no < note->no) {
            note->due = holder->due + 1;
            sim_note_hold(h, note, note->attempts);
        }
        break;

    default:
        if (tell->kind == NGX_CAMPAIGN_TELL_GONE) {
            h->off = 1;
            h->turned = 1;
        }

        note->attempts++;
        note->due = NGX_CAMPAIGN_EVENT_NEVER;
        note->holds = 0;
    }
}


/* what is due, in the order of its time */

void
sim_model_take(sim_call_t *call)
{
    int64_t      now;
    ngx_uint_t   i, n;
    sim_hook_t  *h;
    sim_note_t  *note, *first, *last, *holder;

    h = &sim_hooks[call->which];
    now = ngx_campaign_now();
    last = NULL;

    for (n = 0; n < call->take.most; n++) {

        for (first = NULL, i = 0; i < h->n; i++) {
            note = &h->notes[i];

            if (note->due <= now && (last == NULL || note->due > last->due || (note->due == last->due && note->no > last->no))
                && (first == NULL || note->due < first->due))
            {
                first = note;
            }
        }

        if (first == NULL) {
            break;
        }

        holder = sim_note_holder(h, first);

        call->due[n] = 2 * first->no + (holder && holder->no < first->no);
        last = first;
    }

    call->ndue = n;
}


void
sim_model_taken(sim_call_t *call)
{
    ngx_uint_t              i;
    ngx_campaign_notice_t  *notice;

    notice = call->take.notices->elts;

    if (call->take.notices->nelts != call->ndue) {
        sim_fail("webhook %" PRIu64 " is to be told %u events, not %u", call->take.webhook, (unsigned) call->take.notices->nelts,
                 (unsigned) call->ndue);
    }

    for (i = 0; i < call->ndue; i++) {
        sim_trace_add(2 * notice[i].event.no + notice[i].held);

        if (2 * notice[i].event.no + notice[i].held != call->due[i]) {
            sim_fail("webhook %" PRIu64 " is to be told event %" PRIu64 "%s, not %" PRIu64 "%s", call->take.webhook, notice[i].event.no,
                     notice[i].held ? " later" : "", call->due[i] / 2, call->due[i] % 2 ? " later" : "");
        }
    }
}


ngx_uint_t
sim_model_due(sim_hook_t *h)
{
    ngx_uint_t  i;

    for (i = 0; h->known && !h->off && i < h->n; i++) {
        if (h->notes[i].due <= ngx_campaign_now()) {
            return 1;
        }
    }

    return 0;
}


/* all is told but what waits for long, or for ever */

ngx_uint_t
sim_hooks_idle(void)
{
    ngx_uint_t  i, n;

    for (i = 0; i < SIM_HOOKS; i++) {
        for (n = 0; n < sim_hooks[i].n && !sim_hooks[i].off; n++) {
            if (sim_hooks[i].notes[n].due < ngx_campaign_now() + 10000000) {
                return 0;
            }
        }
    }

    return 1;
}
