
/*
 * Fairness: what a campaign gets while another one of its account waits at the same gateway, and an account while another one waits there.
 */

#include "sim.h"


/*
 * Messages that one of two campaigns may have more than the other while both wait at one gateway: they go round by ones, so one; where a
 * round ended its gateway may be blocked, and who comes last in it is first in the next, so one more.  A turn that failed, or in which the
 * store gave less than was asked for (the account was changed, the limiter is ahead after a takeover), does not turn the round back: one
 * each.  How many repeats of a campaign are due is not known when they are asked for: what it leaves goes to who comes after it.
 *
 * Of a fast account they go round by NGX_CAMPAIGN_PICK_SHARE, and so much it is each time; where that begins or ends one may have had its
 * share, when the other's is one.  After a rest both may be in the midst of one: what they asked for and did not get is a part of it.
 */
#define SIM_SHARE  2

#define SIM_PATIENCE  24                        /* messages of others, beside two rounds of a gateway's slots, while an account waits */

/*
 * Messages that one of two accounts may have more than the other at a gateway: they go round by ones, but a turn may begin with slots that nobody
 * waits for, which who comes first takes.  That in which both begin to have messages and rate does not count.
 */
#define SIM_PART(gateway)  ((int) sim_scenario.concurrency[gateway] + 4)

/* us: a campaign of which nothing could be claimed is asked again before, by a turn that may wait for others' commits */
#define SIM_REST   (200000 + 8 * sim_scenario.commit)


static void sim_model_fast(void);
static void sim_model_parts(ngx_campaign_turn_t *turn, uint32_t n[SIM_ACCOUNTS][SIM_CHANNELS]);
static ngx_uint_t sim_model_keen(ngx_uint_t account, ngx_uint_t channel, ngx_campaign_turn_t *turn);
static ngx_uint_t sim_model_eager(ngx_uint_t account, ngx_uint_t channel, uint64_t epoch);
static ngx_uint_t sim_model_sends(ngx_uint_t account, ngx_uint_t channel, uint64_t epoch);
static ngx_uint_t sim_model_lonely(sim_campaign_t *c, uint64_t epoch);
static ngx_uint_t sim_model_rests(ngx_uint_t campaign);
static uint64_t sim_short(sim_campaign_t *c);
static ngx_uint_t sim_model_fresh(sim_campaign_t *c, uint64_t epoch);


static int32_t   sim_ahead[SIM_CAMPAIGNS][SIM_CAMPAIGNS];       /* messages claimed of one more than of the other, while both had some */
static uint64_t  sim_since[SIM_CAMPAIGNS][SIM_CAMPAIGNS];       /* sim_short() when they began */
static uint8_t   sim_rested[SIM_CAMPAIGNS][SIM_CAMPAIGNS];      /* one of them rested before they began */
static int64_t   sim_rests[SIM_CAMPAIGNS];                      /* until then its dispatcher asks for nothing, sim_mono */
static ngx_uint_t  sim_fast[SIM_ACCOUNTS];
static uint64_t  sim_cuts[SIM_ACCOUNTS];                        /* messages that the account got less than was asked for, in some measure */
static uint32_t  sim_passed[SIM_ACCOUNTS][SIM_CHANNELS];        /* messages that others had at a gateway where the account waited */
static int32_t   sim_part[SIM_ACCOUNTS][SIM_ACCOUNTS][SIM_CHANNELS];     /* messages of one more than of the other, while both were keen */
static uint8_t   sim_keen[SIM_ACCOUNTS][SIM_CHANNELS];                  /* since the turn before, at least */
static uint64_t  sim_passed_faults;
uint32_t         sim_unfair;


/* fairness: campaigns of an account at one gateway that both have fresh messages get as much as the other */

void
sim_model_shares(ngx_campaign_turn_t *turn)
{
    int32_t                n[SIM_CAMPAIGNS];
    uint8_t                ends[SIM_CAMPAIGNS];
    int64_t                most;
    ngx_uint_t             i, k;
    sim_campaign_t        *a, *b;
    ngx_campaign_claim_t  *claim;

    ngx_memzero(n, sizeof(n));
    ngx_memzero(ends, sizeof(ends));

    sim_model_fast();

    for (i = 0; i < turn->ngrants; i++) {
        for (k = 0; k < turn->grants[i].nclaims; k++) {
            claim = &turn->grants[i].claims[k];
            a = sim_model_campaign(claim->campaign);

            if (a) {
                n[a - sim_campaigns] += (int32_t) claim->n;
                sim_cuts[a->account] += (claim->n == claim->want) ? 0 : (claim->left == 0) ? claim->want - claim->n
                                        : sim_fast[a->account] ? NGX_CAMPAIGN_PICK_SHARE : 1;

                /* a message goes alone, or is to, and the claim ends with it: the campaign rests, and its share, too */

                if ((claim->want && claim->n == 0 && !claim->spent) || (claim->n < claim->want && sim_model_lonely(a, turn->epoch))) {
                    sim_rests[a - sim_campaigns] = sim_mono + SIM_REST;
                }

                ends[a - sim_campaigns] = (claim->left < claim->want);  /* it may have asked for all; how many repeats, is not known */
            }
        }
    }

    for (i = 0; i < SIM_CAMPAIGNS; i++) {
        for (k = 0; k < i; k++) {
            a = &sim_campaigns[i];
            b = &sim_campaigns[k];

            if (ends[i] || ends[k] || a->account != b->account || a->channel != b->channel || !sim_model_fresh(a, turn->epoch)
                || !sim_model_fresh(b, turn->epoch) || sim_model_rests(i) || sim_model_rests(k))
            {
                sim_ahead[i][k] = 0;
                sim_since[i][k] = sim_short(a);
                sim_rested[i][k] = (sim_model_rests(i) || sim_model_rests(k));
                continue;
            }

            sim_ahead[i][k] += n[i] - n[k];

            if (n[i] || n[k]) {
                sim_say("campaigns %" PRIu64 " and %" PRIu64 " get %d and %d, the one is %d ahead", (uint64_t) a->c.rec.no,
                        (uint64_t) b->c.rec.no, n[i], n[k], sim_ahead[i][k]);
            }

            most = SIM_SHARE + (int64_t) (sim_short(a) - sim_since[i][k])
                   + (sim_fast[a->account] ? NGX_CAMPAIGN_PICK_SHARE * (1 + sim_rested[i][k]) : 0);

            if (abs(sim_ahead[i][k]) > most) {
                sim_fail("of campaigns %" PRIu64 " and %" PRIu64 " of one account one got %d messages more than the other, not %d at most",
                         (uint64_t) a->c.rec.no, (uint64_t) b->c.rec.no, abs(sim_ahead[i][k]), (int) most);
            }

            if (!sim_fast[a->account]) {
                sim_unfair = ngx_max(sim_unfair, (uint32_t) abs(sim_ahead[i][k]));
            }
        }
    }
}


static void
sim_model_fast(void)
{
    ngx_uint_t                         i, fast;
    ngx_http_campaign_live_account_t  *a;

    for (i = 0; i < sim_naccounts; i++) {
        a = ngx_http_campaign_picture_find_account(&sim_current->dispatcher, sim_accounts[i].no);
        fast = a && a->pick.fast;

        if (fast != sim_fast[i]) {
            sim_fast[i] = fast;
            sim_cuts[i] += NGX_CAMPAIGN_PICK_SHARE;
        }
    }
}


/* accounts: who has something to send, and rate for it, is not passed over at a gateway for long */

void
sim_model_waits(ngx_campaign_turn_t *turn)
{
    uint32_t               n[SIM_ACCOUNTS][SIM_CHANNELS], all[SIM_CHANNELS];
    ngx_uint_t             i, k;
    sim_campaign_t        *c;
    ngx_campaign_claim_t  *claim;

    ngx_memzero(n, sizeof(n));
    ngx_memzero(all, sizeof(all));

    for (i = 0; i < turn->nlimits; i++) {                       /* its messages went late, and so the next ones do */
        for (k = 0; k < sim_naccounts; k++) {
            if (sim_accounts[k].no == turn->limits[i].account) {
                sim_accounts[k].tat = ngx_max(sim_accounts[k].tat, turn->limits[i].tat);
            }
        }
    }

    for (i = 0; i < turn->ngrants; i++) {
        for (k = 0; k < turn->grants[i].nclaims; k++) {
            claim = &turn->grants[i].claims[k];
            c = sim_model_campaign(claim->campaign);

            if (c) {
                n[c->account][c->channel] += claim->n;
                all[c->channel] += claim->n;
            }
        }
    }

    sim_model_parts(turn, n);

    for (i = 0; i < sim_naccounts; i++) {
        for (k = 0; k < SIM_CHANNELS; k++) {

            if (n[i][k] || sim_passed_faults != sim_faults || !sim_model_eager(i, k, turn->epoch)) {
                sim_passed[i][k] = 0;
                continue;
            }

            sim_passed[i][k] += all[k];

            if (sim_passed[i][k] > 2 * sim_scenario.concurrency[k] + SIM_PATIENCE) {
                sim_fail("account %u waits for a slot while others are given %u", (unsigned) i, (unsigned) sim_passed[i][k]);
            }
        }
    }

    sim_passed_faults = sim_faults;
}


/* accounts that both have fresh messages for a gateway, and rate for them all the time, get as much as the other */

static void
sim_model_parts(ngx_campaign_turn_t *turn, uint32_t n[SIM_ACCOUNTS][SIM_CHANNELS])
{
    uint8_t     keen[SIM_ACCOUNTS][SIM_CHANNELS];
    ngx_uint_t  i, k, g;

    for (g = 0; g < SIM_CHANNELS; g++) {
        for (i = 0; i < sim_naccounts; i++) {
            keen[i][g] = (sim_passed_faults == sim_faults && sim_model_keen(i, g, turn));

            for (k = 0; k < i; k++) {
                if (!keen[i][g] || !keen[k][g] || !sim_keen[i][g] || !sim_keen[k][g]) {
                    sim_part[i][k][g] = 0;
                    continue;
                }

                sim_part[i][k][g] += (int32_t) n[i][g] - (int32_t) n[k][g];

                if (abs(sim_part[i][k][g]) > SIM_PART(g)) {
                    sim_fail("of accounts %u and %u one got %d messages more than the other at a gateway, not %d at most", (unsigned) i,
                             (unsigned) k, abs(sim_part[i][k][g]), SIM_PART(g));
                }
            }
        }
    }

    ngx_memcpy(sim_keen, keen, sizeof(keen));
}


/* it had more to send than the turn asked for, and rate for that; a claim that got less says nothing about its part */

static ngx_uint_t
sim_model_keen(ngx_uint_t account, ngx_uint_t channel, ngx_campaign_turn_t *turn)
{
    int64_t                until;
    ngx_uint_t             i, k;
    sim_account_t         *a;
    ngx_campaign_claim_t  *claim;

    a = &sim_accounts[account];
    until = ngx_campaign_now() * 1000;

    if (a->disabled || a->rate == 0 || a->reported == 0 || a->reported == sim_mono) {       /* its dispatcher does not know yet */
        return 0;
    }

    for (i = 0; i < turn->ngrants; i++) {
        if (turn->grants[i].account != a->no) {
            continue;
        }

        until = turn->grants[i].until;

        for (k = 0; k < turn->grants[i].nclaims; k++) {
            claim = &turn->grants[i].claims[k];

            if (claim->n < claim->want) {
                return 0;
            }
        }
    }

    if (a->tat + ngx_campaign_gcra_step(a->rate) > until) {     /* or the clock was set back, and how much is left is not known */
        return 0;
    }

    return sim_model_sends(account, channel, turn->epoch);
}


static ngx_uint_t
sim_model_eager(ngx_uint_t account, ngx_uint_t channel, uint64_t epoch)
{
    sim_account_t  *a;

    a = &sim_accounts[account];

    return !a->disabled && a->tat <= ngx_campaign_now() * 1000 && sim_model_sends(account, channel, epoch);
}


static ngx_uint_t
sim_model_sends(ngx_uint_t account, ngx_uint_t channel, uint64_t epoch)
{
    ngx_uint_t       i;
    sim_campaign_t  *c;

    for (i = 0; i < SIM_CAMPAIGNS; i++) {
        c = &sim_campaigns[i];

        if (c->known && c->account == account && c->channel == channel && sim_model_fresh(c, epoch) && !sim_model_rests(i)) {
            return 1;
        }
    }

    return 0;
}


void
sim_model_spent(ngx_uint_t account)
{
    int64_t         tat;
    sim_account_t  *a;

    a = &sim_accounts[account];
    tat = ngx_campaign_now() * 1000 + (int64_t) (a->burst * (1000000000ULL * NGX_CAMPAIGN_RATE_UNIT / a->rate));

    a->tat = ngx_max(a->tat, tat);
}


/* the campaign has a message in flight, or due, that goes with nothing beside it */

static ngx_uint_t
sim_model_lonely(sim_campaign_t *c, uint64_t epoch)
{
    uint32_t        seq;
    sim_message_t  *m;

    for (seq = 0; seq < c->span; seq++) {
        m = &c->messages[seq];

        if (m->deaths >= NGX_CAMPAIGN_DEATHS_ALONE
            && ((m->state == SIM_S_ENROUTE && m->epoch == epoch) || (m->state == SIM_S_AGAIN && m->due <= ngx_campaign_now())))
        {
            return 1;
        }
    }

    return 0;
}


static ngx_uint_t
sim_model_rests(ngx_uint_t campaign)
{
    return sim_mono < sim_rests[campaign];
}


/* turns of its account that may have cost a campaign its place in the round */

static uint64_t
sim_short(sim_campaign_t *c)
{
    return sim_cuts[c->account] + sim_faults;
}


static ngx_uint_t
sim_model_fresh(sim_campaign_t *c, uint64_t epoch)
{
    return c->known && !c->gone && !c->c.rec.apart && c->status == NGX_CAMPAIGN_C_IN_PROGRESS && c->epoch == epoch && c->told && c->told < sim_commits
           && c->messages[c->span - 1].state == SIM_S_FRESH;
}
