
/*
 * Campaigns: their counters made anew from state bytes, repeats and contacts; what tells the dispatcher of them; accounts' limits.
 */

#include "ngx_campaign_ctl_check.h"

#include <stddef.h>


typedef struct {
    uint32_t                   seq;
    int64_t                    due;             /* us; 0: claimed */
} ngx_campaign_check_again_t;

typedef struct {
    ngx_campaign_check_t       *check;
    const MDB_val              *key;            /* of its run */
    uint64_t                    no;
    ngx_campaign_campaign_t     campaign;
    ngx_campaign_run_t          run;
    ngx_campaign_progress_t     want;
    uint32_t                    unknown;        /* fresh places whose contacts are gone with their audience */
    ngx_uint_t                  recipients;     /* c->list holds them */
    ngx_uint_t                  broken;         /* bytes cannot be read: said where chunks are looked at */
    ngx_campaign_check_again_t *again;
    size_t                      nagain, size;
} ngx_campaign_check_run_t;

typedef struct {
    const char                 *name;
    size_t                      offset;
} ngx_campaign_check_counter_t;


static ngx_uint_t ngx_campaign_check_run_open(ngx_campaign_check_run_t *r);
static void ngx_campaign_check_run_count(ngx_campaign_check_run_t *r);
static void ngx_campaign_check_run_recipients(ngx_campaign_check_run_t *r);
static void ngx_campaign_check_run_place(ngx_campaign_check_run_t *r, const ngx_campaign_run_t *run);
static void ngx_campaign_check_run_again(ngx_campaign_check_run_t *r);
static int ngx_libc_cdecl ngx_campaign_check_again_cmp(const void *one, const void *two);
static void ngx_campaign_check_run_bytes(ngx_campaign_check_run_t *r);
static void ngx_campaign_check_run_byte(ngx_campaign_check_run_t *r, uint32_t seq, u_char byte);
static void ngx_campaign_check_run_fresh(ngx_campaign_check_run_t *r, uint32_t seq);
static void ngx_campaign_check_run_retry(ngx_campaign_check_run_t *r, uint32_t seq);
static void ngx_campaign_check_run_settled(ngx_campaign_check_run_t *r, uint32_t seq, u_char byte);
static void ngx_campaign_check_run_compare(ngx_campaign_check_run_t *r);
static void ngx_campaign_check_message_fault(ngx_campaign_check_run_t *r, uint32_t seq, const char *what);


#define ngx_campaign_check_counter(field)  { #field, offsetof(ngx_campaign_progress_t, field) }

/* counters that state bytes tell; redelivered, segments and accepted are sums of what is not kept */

static const ngx_campaign_check_counter_t  ngx_campaign_check_counters[] = {
    ngx_campaign_check_counter(pending),
    ngx_campaign_check_counter(enroute),
    ngx_campaign_check_counter(sent),
    ngx_campaign_check_counter(delivered),
    ngx_campaign_check_counter(failed),
    ngx_campaign_check_counter(canceled),
    ngx_campaign_check_counter(skipped),
    ngx_campaign_check_counter(again),
    ngx_campaign_check_counter(uncertain),
    ngx_campaign_check_counter(total)
};


void
ngx_campaign_check_run_of(ngx_campaign_check_t *c, const MDB_val *key, const MDB_val *value)
{
    ngx_campaign_check_run_t  r;

    if (!ngx_campaign_check_form(c, NGX_CAMPAIGN_DB_RUN, key, 8, value, -1)) {
        return;
    }

    ngx_memzero(&r, sizeof(ngx_campaign_check_run_t));

    r.check = c;
    r.key = key;
    r.no = ngx_campaign_be64_get(key->mv_data);

    if (!ngx_campaign_check_run_open(&r)) {
        return;
    }

    ngx_campaign_check_run_count(&r);
    ngx_campaign_check_run_recipients(&r);
    ngx_campaign_check_run_place(&r, &r.run);
    ngx_campaign_check_run_again(&r);
    ngx_campaign_check_run_bytes(&r);
    ngx_campaign_check_run_compare(&r);

    free(r.again);
}


static ngx_uint_t
ngx_campaign_check_run_open(ngx_campaign_check_run_t *r)
{
    uint32_t               account;
    ngx_campaign_run_t    *run;
    ngx_campaign_check_t  *c;

    c = r->check;
    run = &r->run;

    if (ngx_campaign_lmdb_run_get(&c->t, r->no, run) != NGX_CAMPAIGN_OK) {
        ngx_campaign_check_fault(c, NGX_CAMPAIGN_DB_RUN, r->key, "wrong checksum or form");
        return 0;
    }

    if (!ngx_campaign_check_owner(c, NGX_CAMPAIGN_CAMPAIGN, r->no, &account) || account != run->account) {
        ngx_campaign_check_fault(c, NGX_CAMPAIGN_DB_RUN, r->key, "its campaign is not there, or another account's");
        return 0;
    }

    if (!ngx_campaign_check_record(c, NGX_CAMPAIGN_CAMPAIGN, account, r->no, &r->campaign)) {
        return 0;                                       /* said */
    }

    if (run->status == 0 || run->status >= NGX_CAMPAIGN_C_MAX || run->done > run->upto || run->upto > r->campaign.span
        || run->epoch > c->epoch)
    {
        ngx_campaign_check_fault(c, NGX_CAMPAIGN_DB_RUN, r->key, "status %u, done %u, upto %u, span %u, epoch %llu of %llu",
                                 (unsigned) run->status, run->done, run->upto, r->campaign.span, (unsigned long long) run->epoch,
                                 (unsigned long long) c->epoch);
        return 0;
    }

    return 1;
}


/* totals of its account and channel */

static void
ngx_campaign_check_run_count(ngx_campaign_check_run_t *r)
{
    u_char               key[NGX_CAMPAIGN_LIST_KEY];
    size_t               len;
    ngx_campaign_rec_t  *rec;

    static const ngx_str_t  any = ngx_null_string;

    rec = &r->campaign.rec;
    r->check->messages += r->run.progress.total;

    len = ngx_campaign_lmdb_record_list(key, NGX_CAMPAIGN_MESSAGE, rec->account, &any, 0);
    key[5] |= NGX_CAMPAIGN_FACET_MESSAGES;

    ngx_campaign_check_want(r->check, NGX_CAMPAIGN_DB_COUNT, key, len, r->run.progress.total);

    if (rec->channel.len == 0) {
        return;
    }

    len = ngx_campaign_lmdb_record_list(key, NGX_CAMPAIGN_MESSAGE, rec->account, &rec->channel, 0);
    key[5] |= NGX_CAMPAIGN_FACET_MESSAGES;

    ngx_campaign_check_want(r->check, NGX_CAMPAIGN_DB_COUNT, key, len, r->run.progress.total);
}


static void
ngx_campaign_check_run_recipients(ngx_campaign_check_run_t *r)
{
    ngx_uint_t             over;
    ngx_campaign_rec_t     sender;
    u_char                 name[NGX_CAMPAIGN_NAME_KEY];
    size_t                 len;
    ngx_campaign_check_t  *c;

    c = r->check;
    over = (r->run.status >= NGX_CAMPAIGN_C_COMPLETED);

    r->recipients = ngx_campaign_check_list(c, r->campaign.list);

    if (r->recipients && c->list.n < r->campaign.span) {
        ngx_campaign_check_fault(c, NGX_CAMPAIGN_DB_RUN, r->key, "%u recipients are there, and %u should be", c->list.n, r->campaign.span);
        r->recipients = 0;
        r->broken = 1;

    } else if (!r->recipients && c->list.broken) {
        r->broken = 1;                                  /* said */

    } else if (!r->recipients && (!over || r->run.progress.enroute)) {
        ngx_campaign_check_fault(c, NGX_CAMPAIGN_DB_RUN, r->key, "its recipients are not there");
        r->broken = 1;
    }

    if (over) {
        return;
    }

    sender = r->campaign.rec;
    sender.name = r->campaign.from;
    len = ngx_campaign_lmdb_record_name_key(name, NGX_CAMPAIGN_SENDER, &sender, &sender.name);

    if (len == 0 || !ngx_campaign_check_get(c, NGX_CAMPAIGN_DB_NAME, name, len, NULL)) {
        ngx_campaign_check_fault(c, NGX_CAMPAIGN_DB_RUN, r->key, "its sender is not there");
    }
}


/* in `sched` while scheduled, in `active` while it sends; what its dispatcher has not seen yet is in `feed` */

static void
ngx_campaign_check_run_place(ngx_campaign_check_run_t *r, const ngx_campaign_run_t *run)
{
    u_char                 key[16];
    time_t                 start;
    ngx_uint_t             scheduled, active;
    ngx_campaign_check_t  *c;

    c = r->check;

    start = run->schedule ? run->schedule : r->campaign.rec.created;

    ngx_campaign_be64_put(ngx_campaign_be64_put(key, start > 0 ? (uint64_t) start : 0), r->no);
    scheduled = ngx_campaign_check_get(c, NGX_CAMPAIGN_DB_SCHED, key, 16, NULL);

    if (scheduled != (run->status == NGX_CAMPAIGN_C_SCHEDULED)) {
        ngx_campaign_check_fault(c, NGX_CAMPAIGN_DB_RUN, r->key, "status %u, and %s", (unsigned) run->status,
                                 scheduled ? "will be started" : "will never start");
    }

    ngx_campaign_be64_put(ngx_campaign_be32_put(key, run->account), r->no);
    active = ngx_campaign_check_get(c, NGX_CAMPAIGN_DB_ACTIVE, key, 12, NULL);

    if (active != (run->status == NGX_CAMPAIGN_C_IN_PROGRESS || run->progress.enroute)) {
        ngx_campaign_check_fault(c, NGX_CAMPAIGN_DB_RUN, r->key, "status %u, %u in flight, and %s", (unsigned) run->status,
                                 run->progress.enroute, active ? "is active" : "is not active");
    }

    if (!active || run->epoch == c->epoch) {
        return;
    }

    key[0] = NGX_CAMPAIGN_CAMPAIGN;
    ngx_campaign_be64_put(ngx_campaign_be32_put(key + 1, run->account), r->no);

    if (!ngx_campaign_check_get(c, NGX_CAMPAIGN_DB_FEED, key, 13, NULL)) {
        ngx_campaign_check_fault(c, NGX_CAMPAIGN_DB_RUN, r->key, "is active, and no dispatcher will ever look at it");
    }
}


/* its entries of `again`, by place */

static void
ngx_campaign_check_run_again(ngx_campaign_check_run_t *r)
{
    int                          rc;
    size_t                       i;
    u_char                      *p;
    MDB_val                      key, none;
    MDB_cursor                  *cursor;
    ngx_campaign_check_t        *c;
    ngx_campaign_check_again_t  *again;

    c = r->check;

    if (c->absent[NGX_CAMPAIGN_DB_AGAIN]
        || mdb_cursor_open(c->t.txn, c->store.dbi[NGX_CAMPAIGN_DB_AGAIN], &cursor) != 0)
    {
        return;
    }

    key = *r->key;

    for (rc = mdb_cursor_get(cursor, &key, &none, MDB_SET_RANGE); rc == 0; rc = mdb_cursor_get(cursor, &key, &none, MDB_NEXT)) {
        p = key.mv_data;

        if (key.mv_size != 20 || ngx_memcmp(p, r->key->mv_data, 8) != 0) {
            break;
        }

        if (r->nagain == r->size) {
            r->size = r->size ? r->size * 2 : 64;
            again = ngx_campaign_check_alloc(r->size * sizeof(ngx_campaign_check_again_t));

            if (r->nagain) {
                ngx_memcpy(again, r->again, r->nagain * sizeof(ngx_campaign_check_again_t));
            }

            free(r->again);
            r->again = again;
        }

        r->again[r->nagain].due = (int64_t) ngx_campaign_be64_get(p + 8);
        r->again[r->nagain++].seq = ngx_campaign_be32_get(p + 16);
    }

    mdb_cursor_close(cursor);

    if (r->nagain) {
        ngx_qsort(r->again, r->nagain, sizeof(ngx_campaign_check_again_t), ngx_campaign_check_again_cmp);
    }

    for (i = 1; i < r->nagain; i++) {
        if (r->again[i].seq == r->again[i - 1].seq) {
            ngx_campaign_check_message_fault(r, r->again[i].seq, "waits twice in `again`");
        }
    }
}


static int ngx_libc_cdecl
ngx_campaign_check_again_cmp(const void *one, const void *two)
{
    const ngx_campaign_check_again_t *a = one, *b = two;

    return a->seq < b->seq ? -1 : a->seq > b->seq;
}


static void
ngx_campaign_check_run_bytes(ngx_campaign_check_run_t *r)
{
    u_char                 key[12];
    MDB_val                value;
    uint32_t               seq, end, chunk;
    const u_char          *bytes;
    ngx_campaign_check_t  *c;

    static const u_char  none[NGX_CAMPAIGN_CHUNK];

    c = r->check;

    for (seq = 0; seq < r->campaign.span; /* void */ ) {
        chunk = seq / NGX_CAMPAIGN_CHUNK;
        end = ngx_min(r->campaign.span, (chunk + 1) * NGX_CAMPAIGN_CHUNK);
        bytes = none;

        ngx_campaign_be32_put(ngx_campaign_be64_put(key, r->no), chunk);

        if (ngx_campaign_check_get(c, NGX_CAMPAIGN_DB_CHUNK, key, 12, &value)) {
            bytes = value.mv_data;

            if (value.mv_size != NGX_CAMPAIGN_CHUNK + 4
                || ngx_campaign_crc32c(0, bytes, NGX_CAMPAIGN_CHUNK) != ngx_campaign_be32_get(bytes + NGX_CAMPAIGN_CHUNK))
            {
                r->broken = 1;
                return;
            }
        }

        for ( /* void */ ; seq < end; seq++) {
            ngx_campaign_check_run_byte(r, seq, bytes[seq % NGX_CAMPAIGN_CHUNK]);
        }
    }
}


static void
ngx_campaign_check_run_byte(ngx_campaign_check_run_t *r, uint32_t seq, u_char byte)
{
    uint64_t  deleted;

    deleted = r->recipients ? r->check->list.deleted[seq] : 0;

    if (deleted && r->no > deleted - 1) {               /* no recipient: deleted before the campaign was made */

        if (byte && byte != ngx_campaign_state_byte(NGX_CAMPAIGN_S_SKIPPED, NGX_CAMPAIGN_R_NONE)) {
            ngx_campaign_check_message_fault(r, seq, "has a state, and is no recipient");
        }

        return;
    }

    if (byte == ngx_campaign_state_byte(NGX_CAMPAIGN_S_SKIPPED, NGX_CAMPAIGN_R_NONE)) {

        if (r->recipients) {
            ngx_campaign_check_message_fault(r, seq, "was passed over, and is a recipient");
        }

        return;
    }

    switch (ngx_campaign_byte_state(byte)) {

    case NGX_CAMPAIGN_S_PENDING:

        if (byte) {
            ngx_campaign_check_message_fault(r, seq, "is pending for a reason");
        }

        ngx_campaign_check_run_fresh(r, seq);
        return;

    case NGX_CAMPAIGN_S_RETRY:
        ngx_campaign_check_run_retry(r, seq);
        return;

    default:
        ngx_campaign_check_run_settled(r, seq, byte);
    }
}


/* in flight, or not claimed yet */

static void
ngx_campaign_check_run_fresh(ngx_campaign_check_run_t *r, uint32_t seq)
{
    ngx_campaign_run_t  *run;

    run = &r->run;

    if (seq < run->done) {
        ngx_campaign_check_message_fault(r, seq, "has no outcome, and counts as done");
        return;
    }

    if (seq < run->upto) {
        r->want.enroute++;

    } else if (run->status != NGX_CAMPAIGN_C_CANCELED) {
        r->want.pending++;

    } else if (r->recipients) {
        r->want.canceled++;
        r->want.reason[NGX_CAMPAIGN_R_CANCELED]++;

    } else {
        r->unknown++;
    }
}


static void
ngx_campaign_check_run_retry(ngx_campaign_check_run_t *r, uint32_t seq)
{
    u_char                       key[12];
    MDB_val                      value;
    ngx_campaign_check_again_t  *again, look;

    look.seq = seq;
    look.due = 0;
    again = NULL;

    if (r->nagain) {
        again = bsearch(&look, r->again, r->nagain, sizeof(ngx_campaign_check_again_t), ngx_campaign_check_again_cmp);
    }

    if (again == NULL) {
        ngx_campaign_check_message_fault(r, seq, "waits for a repeat, and is not in `again`");
        return;
    }

    if (again->due == 0) {
        r->want.enroute++;
        return;
    }

    ngx_campaign_be32_put(ngx_campaign_be64_put(key, r->no), seq);

    if (!ngx_campaign_check_get(r->check, NGX_CAMPAIGN_DB_TRIES, key, 12, &value) || value.mv_size != 10
        || (int64_t) ngx_campaign_be64_get((u_char *) value.mv_data + 2) != again->due)
    {
        ngx_campaign_check_message_fault(r, seq, "waits for a repeat of another time than its tries say");
    }

    if (r->run.status == NGX_CAMPAIGN_C_CANCELED) {
        r->want.canceled++;
        r->want.reason[NGX_CAMPAIGN_R_CANCELED]++;
        return;
    }

    r->want.pending++;
    r->want.again++;
}


static void
ngx_campaign_check_run_settled(ngx_campaign_check_run_t *r, uint32_t seq, u_char byte)
{
    ngx_campaign_state_e      state;
    ngx_campaign_reason_e     reason;
    ngx_campaign_progress_t  *p;

    p = &r->want;
    state = ngx_campaign_byte_state(byte);
    reason = ngx_campaign_byte_reason(byte);

    uint32_t  *counter[NGX_CAMPAIGN_S_MAX] = {
        [NGX_CAMPAIGN_S_SENT] = &p->sent,
        [NGX_CAMPAIGN_S_DELIVERED] = &p->delivered,
        [NGX_CAMPAIGN_S_FAILED] = &p->failed,
        [NGX_CAMPAIGN_S_CANCELED] = &p->canceled,
        [NGX_CAMPAIGN_S_SKIPPED] = &p->skipped
    };

    if (state >= NGX_CAMPAIGN_S_MAX || reason >= NGX_CAMPAIGN_R_MAX) {
        ngx_campaign_check_message_fault(r, seq, "has no state that there is");
        return;
    }

    if (seq >= r->run.upto && state != NGX_CAMPAIGN_S_CANCELED) {
        ngx_campaign_check_message_fault(r, seq, "has an outcome, and was never claimed");
    }

    (*counter[state])++;

    if (reason) {
        p->reason[reason]++;
    }

    p->uncertain += (reason == NGX_CAMPAIGN_R_UNCERTAIN);
}


static void
ngx_campaign_check_run_compare(ngx_campaign_check_run_t *r)
{
    uint32_t                 have, want;
    ngx_uint_t               i;
    ngx_campaign_progress_t  *p, *w;

    if (r->broken) {
        return;
    }

    p = &r->run.progress;
    w = &r->want;

    if (r->unknown && p->canceled >= w->canceled && p->canceled - w->canceled <= r->unknown) {
        w->reason[NGX_CAMPAIGN_R_CANCELED] += p->canceled - w->canceled;
        w->canceled = p->canceled;
    }

    w->total = w->pending + w->enroute + w->sent + w->delivered + w->failed + w->canceled + w->skipped;

    for (i = 0; i < sizeof(ngx_campaign_check_counters) / sizeof(ngx_campaign_check_counters[0]); i++) {
        have = *(uint32_t *) ((u_char *) p + ngx_campaign_check_counters[i].offset);
        want = *(uint32_t *) ((u_char *) w + ngx_campaign_check_counters[i].offset);

        if (have != want) {
            ngx_campaign_check_fault(r->check, NGX_CAMPAIGN_DB_RUN, r->key, "%s is %u, and %u were counted",
                                     ngx_campaign_check_counters[i].name, have, want);
        }
    }

    for (i = 1; i < NGX_CAMPAIGN_R_MAX; i++) {
        if (p->reason[i] != w->reason[i]) {
            ngx_campaign_check_fault(r->check, NGX_CAMPAIGN_DB_RUN, r->key, "reason %u is %u, and %u were counted", (unsigned) i,
                                     p->reason[i], w->reason[i]);
        }
    }

    if (r->run.status >= NGX_CAMPAIGN_C_COMPLETED && r->run.status != NGX_CAMPAIGN_C_CANCELED && (p->pending || p->enroute)) {
        ngx_campaign_check_fault(r->check, NGX_CAMPAIGN_DB_RUN, r->key, "is over, with %u pending and %u in flight", p->pending,
                                 p->enroute);
    }

    if (p->accepted > p->segments) {
        ngx_campaign_check_fault(r->check, NGX_CAMPAIGN_DB_RUN, r->key, "%u segments accepted of %u", p->accepted, p->segments);
    }
}


static void
ngx_campaign_check_message_fault(ngx_campaign_check_run_t *r, uint32_t seq, const char *what)
{
    ngx_campaign_check_fault(r->check, NGX_CAMPAIGN_DB_RUN, r->key, "message %u %s", seq, what);
}


/* bytes are counted with their run: here is what that does not see */

void
ngx_campaign_check_chunk(ngx_campaign_check_t *c, const MDB_val *key, const MDB_val *value)
{
    u_char                  *p, *bytes;
    uint32_t                 account, at;
    uint64_t                 no;
    ngx_campaign_campaign_t  campaign;

    if (!ngx_campaign_check_form(c, NGX_CAMPAIGN_DB_CHUNK, key, 12, value, NGX_CAMPAIGN_CHUNK + 4)
        || !ngx_campaign_check_sum(c, NGX_CAMPAIGN_DB_CHUNK, key, value))
    {
        return;
    }

    p = key->mv_data;
    bytes = value->mv_data;
    no = ngx_campaign_be64_get(p);

    if (!ngx_campaign_check_owner(c, NGX_CAMPAIGN_CAMPAIGN, no, &account)
        || !ngx_campaign_check_record(c, NGX_CAMPAIGN_CAMPAIGN, account, no, &campaign))
    {
        ngx_campaign_check_fault(c, NGX_CAMPAIGN_DB_CHUNK, key, "its campaign is not there");
        return;
    }

    for (at = 0; at < NGX_CAMPAIGN_CHUNK; at++) {
        if (bytes[at] && (uint64_t) ngx_campaign_be32_get(p + 8) * NGX_CAMPAIGN_CHUNK + at >= campaign.span) {
            ngx_campaign_check_fault(c, NGX_CAMPAIGN_DB_CHUNK, key, "holds states behind the campaign's last message");
            return;
        }
    }
}


void
ngx_campaign_check_again(ngx_campaign_check_t *c, const MDB_val *key, const MDB_val *value)
{
    u_char   *p, byte;

    if (!ngx_campaign_check_form(c, NGX_CAMPAIGN_DB_AGAIN, key, 20, value, 0)) {
        return;
    }

    p = key->mv_data;

    if (ngx_campaign_check_of_message(c, NGX_CAMPAIGN_DB_AGAIN, key, ngx_campaign_be64_get(p), ngx_campaign_be32_get(p + 16), &byte)
        && ngx_campaign_byte_state(byte) != NGX_CAMPAIGN_S_RETRY)
    {
        ngx_campaign_check_fault(c, NGX_CAMPAIGN_DB_AGAIN, key, "its message waits for no repeat");
    }
}


void
ngx_campaign_check_tries(ngx_campaign_check_t *c, const MDB_val *key, const MDB_val *value)
{
    u_char   *p, *data, byte;

    if (!ngx_campaign_check_form(c, NGX_CAMPAIGN_DB_TRIES, key, 12, value, 10)) {
        return;
    }

    p = key->mv_data;
    data = value->mv_data;

    if ((data[1] && !(data[1] & NGX_CAMPAIGN_TRY_UNCERTAIN)) || ngx_campaign_states_deaths(data[1]) >= NGX_CAMPAIGN_DEATHS_MAX) {
        ngx_campaign_check_fault(c, NGX_CAMPAIGN_DB_TRIES, key, "flags %u", data[1]);
    }

    if (ngx_campaign_check_of_message(c, NGX_CAMPAIGN_DB_TRIES, key, ngx_campaign_be64_get(p), ngx_campaign_be32_get(p + 8), &byte)
        && ngx_campaign_byte_state(byte) == NGX_CAMPAIGN_S_PENDING)
    {
        ngx_campaign_check_fault(c, NGX_CAMPAIGN_DB_TRIES, key, "its message was never tried");
    }
}


/* handed over: a repeat in flight, or a receipt came before its outcome */

void
ngx_campaign_check_leaving(ngx_campaign_check_t *c, const MDB_val *key, const MDB_val *value)
{
    u_char    *p, byte, again[20];
    uint64_t   epoch;

    if (!ngx_campaign_check_form(c, NGX_CAMPAIGN_DB_LEAVING, key, 12, value, 8)) {
        return;
    }

    p = key->mv_data;
    epoch = ngx_campaign_be64_get(value->mv_data);

    if (epoch == 0 || epoch > c->epoch) {
        ngx_campaign_check_fault(c, NGX_CAMPAIGN_DB_LEAVING, key, "epoch %llu of %llu", (unsigned long long) epoch,
                                 (unsigned long long) c->epoch);
    }

    if (!ngx_campaign_check_of_message(c, NGX_CAMPAIGN_DB_LEAVING, key, ngx_campaign_be64_get(p), ngx_campaign_be32_get(p + 8), &byte)) {
        return;
    }

    ngx_memcpy(again, p, 8);
    ngx_memzero(again + 8, 8);
    ngx_memcpy(again + 16, p + 8, 4);

    if (ngx_campaign_byte_state(byte) == NGX_CAMPAIGN_S_PENDING
        || (ngx_campaign_byte_state(byte) == NGX_CAMPAIGN_S_RETRY && !ngx_campaign_check_get(c, NGX_CAMPAIGN_DB_AGAIN, again, 20, NULL)))
    {
        ngx_campaign_check_fault(c, NGX_CAMPAIGN_DB_LEAVING, key, "its message is not in flight");
    }
}


ngx_uint_t
ngx_campaign_check_of_message(ngx_campaign_check_t *c, ngx_campaign_db_e db, const MDB_val *key, uint64_t no, uint32_t seq, u_char *byte)
{
    u_char                   chunk[12];
    MDB_val                  value;
    uint32_t                 account;
    ngx_campaign_campaign_t  campaign;

    if (!ngx_campaign_check_owner(c, NGX_CAMPAIGN_CAMPAIGN, no, &account)
        || !ngx_campaign_check_record(c, NGX_CAMPAIGN_CAMPAIGN, account, no, &campaign)
        || seq >= campaign.span)
    {
        ngx_campaign_check_fault(c, db, key, "its message is not there");
        return 0;
    }

    ngx_campaign_be32_put(ngx_campaign_be64_put(chunk, no), seq / NGX_CAMPAIGN_CHUNK);

    *byte = 0;

    if (ngx_campaign_check_get(c, NGX_CAMPAIGN_DB_CHUNK, chunk, 12, &value) && value.mv_size > seq % NGX_CAMPAIGN_CHUNK) {
        *byte = ((u_char *) value.mv_data)[seq % NGX_CAMPAIGN_CHUNK];
    }

    return 1;
}


void
ngx_campaign_check_sched(ngx_campaign_check_t *c, const MDB_val *key, const MDB_val *value)
{
    time_t                    start;
    uint32_t                  account;
    uint64_t                  no;
    ngx_campaign_run_t        run;
    ngx_campaign_campaign_t   campaign;

    if (!ngx_campaign_check_form(c, NGX_CAMPAIGN_DB_SCHED, key, 16, value, 4)) {
        return;
    }

    no = ngx_campaign_be64_get((u_char *) key->mv_data + 8);

    if (!ngx_campaign_check_owner(c, NGX_CAMPAIGN_CAMPAIGN, no, &account) || account != ngx_campaign_be32_get(value->mv_data)) {
        ngx_campaign_check_fault(c, NGX_CAMPAIGN_DB_SCHED, key, "its campaign is not there, or another account's");
        return;
    }

    if (ngx_campaign_lmdb_run_get(&c->t, no, &run) != NGX_CAMPAIGN_OK
        || !ngx_campaign_check_record(c, NGX_CAMPAIGN_CAMPAIGN, account, no, &campaign))
    {
        return;                                         /* said */
    }

    start = run.schedule ? run.schedule : campaign.rec.created;

    if (run.status != NGX_CAMPAIGN_C_SCHEDULED || (start > 0 ? (uint64_t) start : 0) != ngx_campaign_be64_get(key->mv_data)) {
        ngx_campaign_check_fault(c, NGX_CAMPAIGN_DB_SCHED, key, "its campaign is not scheduled, or for another time");
    }
}


/* whether a campaign has to be here is asked with its run */

void
ngx_campaign_check_active(ngx_campaign_check_t *c, const MDB_val *key, const MDB_val *value)
{
    uint32_t  account;

    if (!ngx_campaign_check_form(c, NGX_CAMPAIGN_DB_ACTIVE, key, 12, value, 0)) {
        return;
    }

    if (!ngx_campaign_check_owner(c, NGX_CAMPAIGN_CAMPAIGN, ngx_campaign_be64_get((u_char *) key->mv_data + 4), &account)
        || account != ngx_campaign_be32_get(key->mv_data))
    {
        ngx_campaign_check_fault(c, NGX_CAMPAIGN_DB_ACTIVE, key, "its campaign is not there, or another account's");
    }
}


/* may tell of what has gone since */

void
ngx_campaign_check_feed(ngx_campaign_check_t *c, const MDB_val *key, const MDB_val *value)
{
    u_char  *p;

    p = key->mv_data;

    if (ngx_campaign_check_form(c, NGX_CAMPAIGN_DB_FEED, key, 13, value, 0)
        && p[0] != NGX_CAMPAIGN_ACCOUNT && p[0] != NGX_CAMPAIGN_CAMPAIGN)
    {
        ngx_campaign_check_fault(c, NGX_CAMPAIGN_DB_FEED, key, "tells of no account or campaign");
    }
}


void
ngx_campaign_check_limit(ngx_campaign_check_t *c, const MDB_val *key, const MDB_val *value)
{
    if (ngx_campaign_check_form(c, NGX_CAMPAIGN_DB_LIMIT, key, 4, value, 8)
        && !ngx_campaign_check_owner(c, NGX_CAMPAIGN_ACCOUNT, ngx_campaign_be32_get(key->mv_data), NULL))
    {
        ngx_campaign_check_fault(c, NGX_CAMPAIGN_DB_LIMIT, key, "its account is not there");
    }
}
