
/*
 * Messages that a dispatcher hands over: they were sent, they are nobody else's, and who died has recorded nothing.
 */

#include "sim.h"


uint64_t  sim_handed, sim_lost;


void
sim_model_leave(ngx_campaign_turn_t *turn)
{
    ngx_uint_t       i;
    sim_message_t   *m;
    sim_campaign_t  *c;

    for (i = 0; i < turn->nleaving; i++) {
        c = sim_model_campaign(turn->leaving[i].campaign);

        if (c == NULL || c->gone) {
            continue;
        }

        m = &c->messages[turn->leaving[i].seq];

        if (m->state != SIM_S_ENROUTE && !m->early) {           /* a receipt may have been quicker than its answer */
            continue;
        }

        if (m->epoch != turn->epoch || !m->started) {
            sim_model_wrong(c, m, "is handed over, and is not in flight");
        }

        sim_say("message %u of campaign %" PRIu64 " is handed over", m->seq, (uint64_t) c->c.rec.no);

        m->left = turn->epoch;
        m->vague = sim_unknown;
        sim_handed++;
        sim_model_touch(c);
    }
}


/*
 * Messages whose process lives are away, those of one that does not are uncertain; so are those of one that never learned that it had handed
 * them over, and was fenced: it is not on its post.
 */

void
sim_model_look_after(ngx_campaign_turn_t *turn)
{
    uint32_t              n[SIM_CHANNELS], seq;
    ngx_uint_t            i, lost;
    sim_message_t        *m;
    sim_campaign_t       *c;
    ngx_campaign_away_t  *away;

    ngx_memzero(n, sizeof(n));

    for (i = 0; i < SIM_CAMPAIGNS; i++) {
        c = &sim_campaigns[i];

        for (lost = 0, seq = 0; c->known && !c->gone && seq < c->span; seq++) {
            m = &c->messages[seq];

            if (m->left == 0) {
                continue;
            }

            if (m->flight->process->life == m->flight->life && (!m->vague || m->flight->process->dispatcher.posted)) {
                n[c->channel]++;
                continue;
            }

            m->left = 0;
            lost++;
            sim_lost++;

            if (m->state == SIM_S_ENROUTE) {
                sim_model_uncertain(c, m, 0);
            }
        }

        if (lost) {
            sim_model_touch(c);
            (void) sim_model_ended(c);
        }
    }

    away = turn->away->elts;

    for (i = 0; i < turn->away->nelts; i++) {
        sim_trace_add(away[i].n);
        n[away[i].channel.data[0] == 'S' ? 0 : 1] -= away[i].n;
    }

    if (n[0] || n[1]) {
        sim_fail("the messages that are away are not as many as is said: %d, %d more", (int) n[0], (int) n[1]);
    }
}
