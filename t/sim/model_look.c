
/*
 * What the store's reader says of a campaign, against the model: its status, each of its messages, and every counter.
 */

#include "sim.h"


static void sim_model_adopt(sim_campaign_t *c, sim_look_t *look);
static void sim_model_compare(sim_campaign_t *c, sim_look_t *look);


static sim_look_t  sim_look;
static uint32_t    sim_look_room;


void
sim_model_look(sim_campaign_t *c)
{
    if (c->span > sim_look_room) {
        sim_look_room = c->span;
        sim_look.states = realloc(sim_look.states, sim_look_room);
        sim_look.reasons = realloc(sim_look.reasons, sim_look_room);
        sim_look.attempts = realloc(sim_look.attempts, sim_look_room);

        if (sim_look.states == NULL || sim_look.reasons == NULL || sim_look.attempts == NULL) {
            abort();
        }
    }

    sim_engine_look(c, &sim_look);

    if (sim_look.found != !c->gone) {
        sim_fail("campaign %" PRIu64 " %s", (uint64_t) c->c.rec.no, c->gone ? "was deleted, and is there" : "is not there");
    }

    if (!c->gone) {
        sim_model_adopt(c, &sim_look);
        sim_model_compare(c, &sim_look);
    }
}


/*
 * A repeat whose contact was deleted, or suppressed, is skipped when its turn comes; when that is, the model leaves to the store.  What
 * comes after that turn in the same transaction may cancel what was left of the campaign, or lift the suppression: it is skipped all the same.
 * Expired it is by its reason: a turn may leave a repeat whose time is over, and a receipt that comes after it says failed, too.
 */

static void
sim_model_adopt(sim_campaign_t *c, sim_look_t *look)
{
    uint32_t        seq;
    sim_message_t  *m;

    for (seq = 0; seq < c->span; seq++) {
        m = &c->messages[seq];

        if (look->states[seq] == NGX_CAMPAIGN_M_SKIPPED) {

            if (m->passed && (m->state == SIM_S_AGAIN || m->state == SIM_S_CANCELED)) {
                m->state = SIM_S_SKIPPED;
                m->reason = m->passed;

            } else if (m->state == SIM_S_AGAIN && (m->deleted || m->hindered) && m->due <= ngx_campaign_now()) {
                m->state = SIM_S_SKIPPED;
                m->reason = m->deleted ? NGX_CAMPAIGN_R_DELETED : NGX_CAMPAIGN_R_SUPPRESSED;
            }

        } else if (look->states[seq] == NGX_CAMPAIGN_M_FAILED && look->reasons[seq] == NGX_CAMPAIGN_R_EXPIRED
                   && m->passed == NGX_CAMPAIGN_R_EXPIRED && (m->state == SIM_S_AGAIN || m->state == SIM_S_CANCELED))
        {
            m->state = SIM_S_FAILED;
            m->reason = NGX_CAMPAIGN_R_EXPIRED;
            sim_model_settled(c, m);
        }

        sim_model_receipt_said(c, m);

        m->passed = 0;
    }

    (void) sim_model_ended(c);                          /* or the receipt's operation has ended it */

    if (c->either && c->status != look->status
        && (c->status == NGX_CAMPAIGN_C_COMPLETED || c->status == NGX_CAMPAIGN_C_FAILED)
        && (look->status == NGX_CAMPAIGN_C_COMPLETED || look->status == NGX_CAMPAIGN_C_FAILED))
    {
        c->status = look->status;
        sim_model_unsure(c);
    }

    c->either = 0;
}


static void
sim_model_compare(sim_campaign_t *c, sim_look_t *look)
{
    uint32_t                  seq;
    ngx_uint_t                i;
    sim_message_t            *m;
    ngx_campaign_progress_t   p;

    static const uint8_t  shown[] = {
        [SIM_S_FRESH]     = NGX_CAMPAIGN_M_SCHEDULED,
        [SIM_S_AGAIN]     = NGX_CAMPAIGN_M_SCHEDULED,
        [SIM_S_ENROUTE]   = NGX_CAMPAIGN_M_ENROUTE,
        [SIM_S_SENT]      = NGX_CAMPAIGN_M_SENT,
        [SIM_S_DELIVERED] = NGX_CAMPAIGN_M_DELIVERED,
        [SIM_S_FAILED]    = NGX_CAMPAIGN_M_FAILED,
        [SIM_S_CANCELED]  = NGX_CAMPAIGN_M_CANCELED,
        [SIM_S_SKIPPED]   = NGX_CAMPAIGN_M_SKIPPED
    };

    static const struct {
        const char  *name;
        size_t       offset;
    } counters[] = {
        { "total", offsetof(ngx_campaign_progress_t, total) },
        { "pending", offsetof(ngx_campaign_progress_t, pending) },
        { "enroute", offsetof(ngx_campaign_progress_t, enroute) },
        { "sent", offsetof(ngx_campaign_progress_t, sent) },
        { "delivered", offsetof(ngx_campaign_progress_t, delivered) },
        { "failed", offsetof(ngx_campaign_progress_t, failed) },
        { "canceled", offsetof(ngx_campaign_progress_t, canceled) },
        { "skipped", offsetof(ngx_campaign_progress_t, skipped) },
        { "again", offsetof(ngx_campaign_progress_t, again) },
        { "redelivered", offsetof(ngx_campaign_progress_t, redelivered) },
        { "uncertain", offsetof(ngx_campaign_progress_t, uncertain) },
        { "segments", offsetof(ngx_campaign_progress_t, segments) },
        { "accepted", offsetof(ngx_campaign_progress_t, accepted) }
    };

    if (look->status != c->status) {
        sim_fail("campaign %" PRIu64 " is in status %d, not %d", (uint64_t) c->c.rec.no, (int) look->status, (int) c->status);
    }

    if (c->finished && c->status != NGX_CAMPAIGN_C_COMPLETED && c->status != NGX_CAMPAIGN_C_FAILED) {
        sim_fail("campaign %" PRIu64 " is said to be finished, and is in status %d", (uint64_t) c->c.rec.no, (int) c->status);
    }

    for (seq = 0; seq < c->span; seq++) {
        m = &c->messages[seq];

        if (m->state == SIM_S_NONE) {
            continue;                                   /* nobody's place: its state is nobody's business */
        }

        if (look->states[seq] != shown[m->state]) {
            sim_fail("message %u of campaign %" PRIu64 " is in status %d, not %d (state %d)", seq, (uint64_t) c->c.rec.no,
                     look->states[seq], shown[m->state], m->state);
        }

        if (m->state > SIM_S_ENROUTE && m->state < SIM_S_NONE && look->reasons[seq] != m->reason) {
            sim_fail("message %u of campaign %" PRIu64 " has reason %d, not %d", seq, (uint64_t) c->c.rec.no, look->reasons[seq], m->reason);
        }

        if ((m->state == SIM_S_AGAIN || m->state == SIM_S_ENROUTE) && look->attempts[seq] != ngx_min(m->attempts, 255)) {
            sim_fail("message %u of campaign %" PRIu64 " has %d tries, not %d", seq, (uint64_t) c->c.rec.no, look->attempts[seq],
                     m->attempts);
        }
    }

    sim_model_count(c, &p);

    for (i = 0; i < sizeof(counters) / sizeof(counters[0]); i++) {
        if (*(uint32_t *) ((u_char *) &p + counters[i].offset) != *(uint32_t *) ((u_char *) &look->progress + counters[i].offset)) {
            sim_fail("campaign %" PRIu64 " counts %u %s, there are %u", (uint64_t) c->c.rec.no,
                     *(uint32_t *) ((u_char *) &look->progress + counters[i].offset), counters[i].name,
                     *(uint32_t *) ((u_char *) &p + counters[i].offset));
        }
    }

    for (i = 1; i < NGX_CAMPAIGN_R_MAX; i++) {
        if (p.reason[i] != look->progress.reason[i]) {
            sim_fail("campaign %" PRIu64 " counts %u messages with reason %d, there are %u", (uint64_t) c->c.rec.no,
                     look->progress.reason[i], (int) i, p.reason[i]);
        }
    }
}
