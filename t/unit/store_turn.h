
/*
 * What the tests of turns share: a store with an account and an audience, campaigns of which the test knows each message, turns of a
 * dispatcher on a clock of the test's.  Every claim is compared with what the test knows, and the campaign's counters with the states of
 * its messages.
 */

#ifndef _STORE_TURN_H_INCLUDED_
#define _STORE_TURN_H_INCLUDED_


#include "store.h"
#include "ngx_campaign_store_lmdb_turn.h"


#define TURN_START     1790000000000000LL       /* us */
#define TURN_MS        1000
#define TURN_CONTACTS  3000
#define TURN_FIRST     380500000000ULL          /* number of the first contact */
#define TURN_RATE      1000                     /* messages a second */
#define TURN_BURST     100
#define TURN_MOST      200                      /* claims of one turn */


typedef enum {
    TURN_WAITS = 0,
    TURN_IN_FLIGHT,
    TURN_SETTLED
} turn_fate_e;

/* a campaign as the test knows it */

typedef struct {
    ngx_campaign_campaign_t  c;
    ngx_uint_t               n;
    u_char                   fate[TURN_CONTACTS];
    u_char                   tries[TURN_CONTACTS];      /* that counted */
    u_char                   unsure[TURN_CONTACTS];     /* the next claim is a redelivery */
    int64_t                  due[TURN_CONTACTS];
    uint32_t                 claims, bad;               /* bad: claims that should not have been */
    ngx_uint_t               over;                      /* the store said that it ended */
} turn_campaign_t;

/* a turn and its answers; it lives until the next */

typedef struct {
    store_op_t              *so;
    ngx_campaign_turn_t      turn;
    ngx_campaign_grant_t     grant;
    ngx_campaign_claim_t     claim;
} turn_call_t;

typedef struct {
    uint64_t                 campaign;
    uint32_t                 span;
    ngx_campaign_run_t       run;
    ngx_campaign_progress_t  counted;
} turn_count_t;


static const char              *turn_program;
static ngx_campaign_store_t    *st;
static ngx_campaign_account_t   turn_account;
static ngx_campaign_audience_t  turn_audience;
static uint64_t                 turn_epoch;
static ngx_str_t                turn_uncertain[1] = { ngx_string("SMS") };
static ngx_uint_t               turn_fail_uncertain;


STORE_UNUSED static uint64_t
turn_lease(void)
{
    uint64_t  epoch;

    is_uint(store_answer(ngx_campaign_store_lease(st, store_begin(), &epoch)), NGX_CAMPAIGN_OK, "a dispatcher takes the lease");

    return epoch;
}


STORE_UNUSED static ngx_campaign_pile_t *
turn_pile(ngx_pool_t *pool, ngx_uint_t n)
{
    ngx_uint_t              i;
    ngx_campaign_pile_t    *pile;
    ngx_campaign_contact_t  contact;

    pile = ngx_pcalloc(pool, sizeof(ngx_campaign_pile_t));
    ngx_campaign_pile_init(pile, pool);

    for (i = 0; i < n; i++) {
        ngx_memzero(&contact, sizeof(contact));
        contact.number = TURN_FIRST + i;

        if (i % 3 == 0) {
            ngx_str_set(&contact.field[NGX_CAMPAIGN_CONTACT_FIRST_NAME], "Olha");
        }

        if (ngx_campaign_pile_add(pile, &contact) != NGX_OK) {
            exit(1);
        }
    }

    return pile;
}


/* a store with an account, a sender, a template and an audience */

STORE_UNUSED static void
turn_open(void)
{
    store_op_t              *so;
    ngx_campaign_key_t       key;
    ngx_campaign_text_t      text;
    ngx_campaign_sender_t    sender;
    ngx_campaign_account_t   found;

    if (st) {
        ngx_campaign_lmdb_close(st);
    }

    store_fresh(turn_program);
    ngx_stub_now = TURN_START;
    turn_fail_uncertain = 0;

    st = ngx_campaign_store_open(&store_conf, &store_log);
    so = store_op();

    ngx_memzero(&turn_account, sizeof(turn_account));
    ngx_str_set(&turn_account.rec.name, "first");
    turn_account.rec.status = NGX_CAMPAIGN_A_ACTIVE;
    turn_account.rate = (uint64_t) TURN_RATE * NGX_CAMPAIGN_RATE_UNIT;
    turn_account.burst = TURN_BURST;
    ngx_memset(turn_account.key_hash, 7, 32);

    is_uint(store_wait(so, ngx_campaign_store_put(st, &so->op, NGX_CAMPAIGN_ACCOUNT, &turn_account, NULL)), NGX_CAMPAIGN_OK,
            "an account is created");
    is_uint(store_wait(so, ngx_campaign_store_auth(st, &so->op, turn_account.key_hash, &found, &key)), NGX_CAMPAIGN_OK,
            "its key leads to it");
    is_uint(found.rec.no, turn_account.rec.no, "and to no other");

    ngx_memzero(&sender, sizeof(sender));
    sender.rec.account = (uint32_t) turn_account.rec.no;
    ngx_str_set(&sender.rec.name, "SHOP");
    ngx_str_set(&sender.rec.channel, "SMS");
    sender.type = NGX_CAMPAIGN_T_ALPHANUMERIC;
    is_uint(store_wait(so, ngx_campaign_store_put(st, &so->op, NGX_CAMPAIGN_SENDER, &sender, NULL)), NGX_CAMPAIGN_OK,
            "a sender is created");

    ngx_memzero(&text, sizeof(text));
    text.rec.account = (uint32_t) turn_account.rec.no;
    ngx_str_set(&text.rec.channel, "SMS");
    ngx_str_set(&text.text, "Hello {first_name}");
    is_uint(store_wait(so, ngx_campaign_store_put(st, &so->op, NGX_CAMPAIGN_TEMPLATE, &text, NULL)), NGX_CAMPAIGN_OK,
            "a template is created");

    ngx_memzero(&turn_audience, sizeof(turn_audience));
    turn_audience.rec.account = (uint32_t) turn_account.rec.no;
    ngx_str_set(&turn_audience.rec.channel, "SMS");
    is_uint(store_wait(so, ngx_campaign_store_put(st, &so->op, NGX_CAMPAIGN_AUDIENCE, &turn_audience,
                                                  turn_pile(so->op.pool, TURN_CONTACTS))), NGX_CAMPAIGN_OK,
            "an audience is created");
    is_uint(turn_audience.contacts, TURN_CONTACTS, "with all its contacts");

    store_free(so);

    turn_epoch = turn_lease();
}


/* n: 0 is the audience, else as many numbers given with it */

STORE_UNUSED static void
turn_create(turn_campaign_t *tc, const char *name, ngx_uint_t n)
{
    store_op_t  *so;

    so = store_op();

    ngx_memzero(tc, sizeof(turn_campaign_t));

    tc->c.rec.account = (uint32_t) turn_account.rec.no;
    tc->c.rec.name.data = (u_char *) name;
    tc->c.rec.name.len = strlen(name);
    ngx_str_set(&tc->c.rec.channel, "SMS");
    ngx_str_set(&tc->c.from, "SHOP");
    ngx_str_set(&tc->c.text, "Hello {first_name}");
    ngx_memcpy(tc->c.audience, turn_audience.rec.id, NGX_CAMPAIGN_ID_LEN);
    tc->n = n ? n : TURN_CONTACTS;

    is_uint(store_wait(so, ngx_campaign_store_create(st, &so->op, &tc->c, n ? turn_pile(so->op.pool, n) : NULL)), NGX_CAMPAIGN_OK,
            "campaign %s is created", name);
    ok(tc->c.rec.status == NGX_CAMPAIGN_C_SCHEDULED && tc->c.progress.total == tc->n && tc->c.progress.pending == tc->n,
       "all its %u messages are pending", (unsigned) tc->n);

    store_free(so);                             /* strings of tc->c are gone with it */
}


/* a turn; tc NULL: one that claims nothing */

STORE_UNUSED static ngx_campaign_rc_e
turn_make(turn_call_t *tt, turn_campaign_t *tc, uint32_t want, ngx_campaign_outcome_t *outcomes, ngx_uint_t n)
{
    ngx_memzero(tt, sizeof(turn_call_t));

    tt->so = store_op();
    tt->turn.epoch = turn_epoch;
    tt->turn.outcomes = outcomes;
    tt->turn.noutcomes = n;

    if (turn_fail_uncertain) {
        tt->turn.uncertain = turn_uncertain;
        tt->turn.nuncertain = 1;
    }

    if (tc) {
        tt->claim.campaign = tc->c.rec.no;
        tt->claim.want = want;
        tt->claim.again = want;

        tt->grant.account = tc->c.rec.account;
        tt->grant.claims = &tt->claim;
        tt->grant.nclaims = 1;
        tt->grant.until = ngx_stub_now * 1000;

        tt->turn.grants = &tt->grant;
        tt->turn.ngrants = 1;
    }

    return store_wait(tt->so, ngx_campaign_store_turn(st, &tt->so->op, &tt->turn));
}


STORE_UNUSED static void
turn_free(turn_call_t *tt)
{
    store_free(tt->so);
}


/* the campaign among a turn's changes; strings live as long as the turn */

STORE_UNUSED static ngx_uint_t
turn_live(turn_call_t *tt, turn_campaign_t *tc, ngx_campaign_live_t *out)
{
    ngx_uint_t            i, found;
    ngx_campaign_live_t  *live;

    found = 0;
    live = tt->turn.changes->elts;

    for (i = 0; i < tt->turn.changes->nelts; i++) {
        if (live[i].kind == NGX_CAMPAIGN_CAMPAIGN && live[i].no == tc->c.rec.no) {
            *out = live[i];
            found++;
        }
    }

    return found;
}


STORE_UNUSED static void
turn_start(turn_campaign_t *tc)
{
    turn_call_t          tt;
    ngx_campaign_live_t  live;

    (void) turn_make(&tt, NULL, 0, NULL, 0);
    ok(turn_live(&tt, tc, &live) && !live.gone, "the dispatcher hears of the campaign");
    turn_free(&tt);
}


/* checks each claim against what is known of its message; returns their number */

STORE_UNUSED static ngx_uint_t
turn_claimed(turn_call_t *tt, turn_campaign_t *tc, uint32_t *seqs)
{
    uint32_t                 i, seq;
    uint64_t                *over;
    ngx_campaign_claimed_t  *m;

    for (i = 0; i < tt->claim.n; i++) {
        m = &tt->claim.messages[i];
        seq = m->seq;
        seqs[i] = seq;

        if (m->campaign != tc->c.rec.no || seq >= tc->n || tc->fate[seq] != TURN_WAITS || tc->due[seq] > ngx_stub_now
            || m->attempt != tc->tries[seq] + 1 || m->redelivery != tc->unsure[seq] || m->contact.number != TURN_FIRST + seq)
        {
            tc->bad++;
            continue;
        }

        tc->fate[seq] = TURN_IN_FLIGHT;
        tc->claims++;
    }

    over = tt->turn.finished->elts;

    for (i = 0; i < tt->turn.finished->nelts; i++) {
        tc->over |= (over[i] == tc->c.rec.no);
    }

    return tt->claim.n;
}


STORE_UNUSED static ngx_campaign_outcome_t
turn_outcome(turn_campaign_t *tc, uint32_t seq, ngx_uint_t kind, ngx_uint_t state, ngx_uint_t reason, int64_t wait)
{
    ngx_campaign_outcome_t  o;

    ngx_memzero(&o, sizeof(o));

    o.campaign = tc->c.rec.no;
    o.seq = seq;
    o.kind = (uint8_t) kind;
    o.state = (uint8_t) state;
    o.reason = (uint8_t) reason;
    o.attempt = tc->tries[seq] + 1;
    o.claim = o.attempt;
    o.due = ngx_stub_now + wait;

    tc->fate[seq] = (kind == NGX_CAMPAIGN_OUTCOME_SETTLED) ? TURN_SETTLED : TURN_WAITS;
    tc->due[seq] = o.due;

    if (kind == NGX_CAMPAIGN_OUTCOME_AGAIN) {
        tc->tries[seq]++;
        tc->unsure[seq] = (reason == NGX_CAMPAIGN_R_GATEWAY_TIMEOUT);
    }

    return o;
}


STORE_UNUSED static ngx_campaign_rc_e
turn_change(turn_campaign_t *tc, ngx_uint_t status, ngx_uint_t from)
{
    ngx_campaign_campaign_t  c;

    c = tc->c;
    c.rec.status = status;

    return store_answer(ngx_campaign_store_change(st, store_begin(), &c, NGX_CAMPAIGN_SET_STATUS, (ngx_uint_t) 1 << from));
}


/* strings of c are gone */

STORE_UNUSED static ngx_campaign_rc_e
turn_get(turn_campaign_t *tc, ngx_campaign_campaign_t *c)
{
    u_char  id[NGX_CAMPAIGN_ID_LEN];

    ngx_memcpy(id, tc->c.rec.id, NGX_CAMPAIGN_ID_LEN);

    return store_answer(ngx_campaign_store_get(st, store_begin(), NGX_CAMPAIGN_CAMPAIGN, tc->c.rec.account, id, c));
}


static ngx_campaign_rc_e
turn_count_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args)
{
    turn_count_t *count = args;

    int                       rc;
    u_char                   *byte, key[20];
    MDB_val                   value;
    uint32_t                  seq;
    ngx_uint_t                canceled;
    ngx_campaign_rc_e         result;
    ngx_campaign_states_t    *x;
    ngx_campaign_progress_t  *p;

    p = &count->counted;

    x = ngx_pcalloc(op->pool, sizeof(ngx_campaign_states_t));
    x->t = t;
    x->pool = op->pool;

    result = ngx_campaign_states_open(x, count->campaign);
    if (result != NGX_CAMPAIGN_OK) {
        return result;
    }

    count->run = x->run;
    canceled = (x->run.status == NGX_CAMPAIGN_C_CANCELED);

    for (seq = 0; seq < count->span; seq++) {
        result = ngx_campaign_states_byte(x, seq, &byte);
        if (result != NGX_CAMPAIGN_OK) {
            return result;
        }

        switch (ngx_campaign_byte_state(*byte)) {

        case NGX_CAMPAIGN_S_PENDING:
        case NGX_CAMPAIGN_S_RETRY:
            ngx_campaign_be32_put(ngx_campaign_be64_put(ngx_campaign_be64_put(key, count->campaign), 0), seq);
            rc = ngx_campaign_lmdb_get(t, NGX_CAMPAIGN_DB_AGAIN, key, 20, &value);

            if (ngx_campaign_byte_state(*byte) == NGX_CAMPAIGN_S_PENDING ? seq >= x->run.done && seq < x->run.upto : rc == 0) {
                p->enroute++;

            } else if (canceled) {
                p->canceled++;
                p->reason[NGX_CAMPAIGN_R_CANCELED]++;

            } else {
                p->pending++;
                p->again += (ngx_campaign_byte_state(*byte) == NGX_CAMPAIGN_S_RETRY);
            }

            continue;

        case NGX_CAMPAIGN_S_SENT:
            p->sent++;
            break;

        case NGX_CAMPAIGN_S_DELIVERED:
            p->delivered++;
            break;

        case NGX_CAMPAIGN_S_FAILED:
            p->failed++;
            break;

        case NGX_CAMPAIGN_S_CANCELED:
            p->canceled++;
            break;

        case NGX_CAMPAIGN_S_SKIPPED:
            if (ngx_campaign_byte_reason(*byte) != NGX_CAMPAIGN_R_NONE) {
                p->skipped++;
            }
            break;

        default:
            return NGX_CAMPAIGN_FAILURE;
        }

        if (ngx_campaign_byte_reason(*byte) != NGX_CAMPAIGN_R_NONE) {
            p->reason[ngx_campaign_byte_reason(*byte)]++;
        }
    }

    return NGX_CAMPAIGN_OK;
}


/* 1: the campaign's counters are the states of its messages */

STORE_UNUSED static ngx_uint_t
turn_counters(turn_campaign_t *tc)
{
    ngx_uint_t                i, fine;
    turn_count_t              count;
    ngx_campaign_progress_t  *a, *b;

    ngx_memzero(&count, sizeof(count));
    count.campaign = tc->c.rec.no;
    count.span = (uint32_t) tc->n;

    fine = (store_answer(ngx_campaign_lmdb_read(st, store_begin(), turn_count_work, &count)) == NGX_CAMPAIGN_OK);

    a = &count.run.progress;
    b = &count.counted;

    for (i = 0; i < NGX_CAMPAIGN_R_MAX; i++) {
        fine = fine && a->reason[i] == b->reason[i];
    }

    fine = fine && a->pending == b->pending && a->enroute == b->enroute && a->sent == b->sent && a->delivered == b->delivered
           && a->failed == b->failed && a->canceled == b->canceled && a->skipped == b->skipped && a->again == b->again
           && a->total == a->pending + a->enroute + a->sent + a->delivered + a->failed + a->canceled + a->skipped;

    if (!fine) {
        diag("stored:  pending %u enroute %u sent %u delivered %u failed %u canceled %u skipped %u again %u", a->pending, a->enroute,
             a->sent, a->delivered, a->failed, a->canceled, a->skipped, a->again);
        diag("counted: pending %u enroute %u sent %u delivered %u failed %u canceled %u skipped %u again %u", b->pending, b->enroute,
             b->sent, b->delivered, b->failed, b->canceled, b->skipped, b->again);
    }

    return fine;
}


/* the end of a program */

STORE_UNUSED static int
turn_end(void)
{
    ngx_campaign_lmdb_close(st);
    store_remove();

    return done_testing();
}


#endif /* _STORE_TURN_H_INCLUDED_ */
