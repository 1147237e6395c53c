
/*
 * Fills a new store for tools/bench, by the store's operations alone.  Over HTTP a million campaigns would take minutes.
 *
 *     load list directory n key        (key: SHA-256 of the first account's API key, 64 hexadecimal digits)
 *     load many directory n key
 *
 * list: an account with senders, audiences of one contact and n campaigns, scheduled for 2100, so made that a list filtered by channel and status has
 * no short way: the oldest twentieth is canceled ones of VIBER, after them come canceled ones of SMS and scheduled ones of VIBER by turns.
 *
 * many: n accounts that may send one message at once and then one in 100 000 seconds, each with an audience of ten, ten campaigns to it that run
 * and ten that are scheduled for 2100.
 */

#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_campaign_store.h"

#include <stdio.h>


#define LOAD_BATCH     4000                     /* campaigns a commit */
#define LOAD_SIZE      (4096ULL * 1024 * 1024)
#define LOAD_SCHEDULE  4102444800               /* 2100-01-01 */
#define LOAD_CHANNELS  2
#define LOAD_EACH      10                       /* of many: contacts of an audience, campaigns of either kind of an account */


typedef struct {
    ngx_campaign_op_t        op;
    ngx_campaign_account_t   account;
    char                     name[32];
} load_account_t;

typedef struct {                                /* of an account, in a channel */
    ngx_campaign_op_t        sender_op, audience_op;
    ngx_campaign_sender_t    sender;
    ngx_campaign_audience_t  audience;
    ngx_campaign_pile_t      pile;
} load_owned_t;

typedef struct {
    ngx_campaign_op_t        op;
    ngx_campaign_campaign_t  campaign;
    char                     name[32];
} load_campaign_t;


static void load_list(ngx_uint_t n, const u_char *hash);
static void load_list_batch(ngx_uint_t from, ngx_uint_t to, ngx_uint_t all, const load_account_t *a, load_owned_t *owned);
static void load_many(ngx_uint_t n, const u_char *hash);
static void load_account(load_account_t *l, ngx_uint_t i, const u_char *hash, uint64_t rate, uint32_t burst);
static void load_owned(load_owned_t *l, const load_account_t *a, ngx_uint_t channel, ngx_uint_t contacts);
static void load_campaign(load_campaign_t *l, ngx_uint_t i, const load_owned_t *owned, time_t schedule);
static void load_free(ngx_uint_t n);
static void *load_alloc(ngx_uint_t n, size_t size);
static void load_op(ngx_campaign_op_t *op);
static void load_started(ngx_int_t rc, ngx_campaign_op_t *op);
static void load_wait(void);
static void load_done(ngx_campaign_op_t *op);
static ngx_str_t load_str(const char *text);


static const char            *load_channels[LOAD_CHANNELS] = { "SMS", "VIBER" };

static ngx_log_t              load_log;
static ngx_campaign_store_t  *load_store;
static ngx_uint_t             load_failed;
static load_campaign_t        load_batch[LOAD_BATCH];


int
main(int argc, char *const *argv)
{
    u_char                     hash[32];
    ngx_uint_t                 i, many;
    ngx_campaign_store_conf_t  conf;

    if (argc != 5 || strlen(argv[4]) != 2 * sizeof(hash)) {
        (void) fprintf(stderr, "usage: load list|many directory n key\n");
        return 2;
    }

    for (i = 0; i < sizeof(hash); i++) {
        if (sscanf(&argv[4][2 * i], "%2hhx", &hash[i]) != 1) {
            (void) fprintf(stderr, "load: the key's hash is not hexadecimal\n");
            return 2;
        }
    }

    ngx_memzero(&conf, sizeof(conf));

    conf.path = load_str(argv[2]);
    conf.size = LOAD_SIZE;
    conf.durability = NGX_CAMPAIGN_DURABILITY_RELAXED;
    load_log.log_level = NGX_LOG_NOTICE;

    load_store = ngx_campaign_store_open(&conf, &load_log);
    if (load_store == NULL) {
        (void) fprintf(stderr, "load: the store in %s does not open\n", argv[2]);
        return 2;
    }

    many = (strcmp(argv[1], "many") == 0);

    (many ? load_many : load_list)(strtoul(argv[3], NULL, 10), hash);

    ngx_campaign_store_flush(load_store, 0);

    return 0;
}


static void
load_list(ngx_uint_t n, const u_char *hash)
{
    ngx_uint_t       i;
    load_owned_t    *owned;
    load_account_t  *a;

    a = load_alloc(1, sizeof(load_account_t));
    owned = load_alloc(LOAD_CHANNELS, sizeof(load_owned_t));

    load_account(a, 0, hash, 1000ULL * NGX_CAMPAIGN_RATE_UNIT, 100);
    load_wait();

    for (i = 0; i < LOAD_CHANNELS; i++) {
        load_owned(&owned[i], a, i, 1);
    }

    load_wait();

    for (i = 0; i < n; i += LOAD_BATCH) {
        load_list_batch(i, ngx_min(i + LOAD_BATCH, n), n, a, owned);
    }
}


/* made in a commit, then canceled, as far as they are to be, in another */

static void
load_list_batch(ngx_uint_t from, ngx_uint_t to, ngx_uint_t all, const load_account_t *a, load_owned_t *owned)
{
    ngx_uint_t        i;
    load_campaign_t  *l;

    for (i = from; i < to; i++) {
        load_campaign(&load_batch[i - from], i, &owned[i < all / 20 || i % 2], LOAD_SCHEDULE);
    }

    load_wait();

    for (i = from; i < to; i++) {
        l = &load_batch[i - from];

        if (i < all / 20 || i % 2 == 0) {
            l->campaign.rec.status = NGX_CAMPAIGN_C_CANCELED;
            load_started(ngx_campaign_store_change(load_store, &l->op, &l->campaign, NGX_CAMPAIGN_SET_STATUS,
                                                   (ngx_uint_t) 1 << NGX_CAMPAIGN_C_SCHEDULED), &l->op);
        }
    }

    load_wait();
    load_free(to - from);
}


static void
load_many(ngx_uint_t n, const u_char *hash)
{
    ngx_uint_t       i, k, full;
    load_owned_t    *owned;
    load_account_t  *accounts;

    accounts = load_alloc(n, sizeof(load_account_t));
    owned = load_alloc(n, sizeof(load_owned_t));

    for (i = 0; i < n; i++) {
        load_account(&accounts[i], i, hash, NGX_CAMPAIGN_RATE_UNIT / 100000, 1);
    }

    load_wait();

    for (i = 0; i < n; i++) {
        load_owned(&owned[i], &accounts[i], 0, LOAD_EACH);
    }

    load_wait();

    for (full = 0, i = 0; i < n; i++) {

        for (k = 0; k < 2 * LOAD_EACH; k++) {
            load_campaign(&load_batch[full++], k, &owned[i], k < LOAD_EACH ? 0 : LOAD_SCHEDULE);
        }

        if (full + 2 * LOAD_EACH > LOAD_BATCH || i == n - 1) {
            load_wait();
            load_free(full);
            full = 0;
        }
    }
}


/* account i, the hash of whose key is the first one's with so many added */

static void
load_account(load_account_t *l, ngx_uint_t i, const u_char *hash, uint64_t rate, uint32_t burst)
{
    ngx_campaign_account_t  *a;

    a = &l->account;

    (void) snprintf(l->name, sizeof(l->name), "bench %lu", (unsigned long) i);

    a->rec.name = load_str(l->name);
    a->rate = rate;
    a->burst = burst;

    ngx_memcpy(a->key_hash, hash, sizeof(a->key_hash));
    a->key_hash[0] += (u_char) i;
    a->key_hash[1] += (u_char) (i >> 8);

    load_op(&l->op);
    load_started(ngx_campaign_store_put(load_store, &l->op, NGX_CAMPAIGN_ACCOUNT, a, NULL), &l->op);
}


/* a sender and an audience */

static void
load_owned(load_owned_t *l, const load_account_t *a, ngx_uint_t channel, ngx_uint_t contacts)
{
    ngx_uint_t              i;
    ngx_campaign_contact_t  c;

    l->sender.rec.account = (uint32_t) a->account.rec.no;
    l->sender.rec.name = load_str("Acme");
    l->sender.rec.channel = load_str(load_channels[channel]);
    l->sender.type = NGX_CAMPAIGN_T_ALPHANUMERIC;

    load_op(&l->sender_op);
    load_started(ngx_campaign_store_put(load_store, &l->sender_op, NGX_CAMPAIGN_SENDER, &l->sender, NULL), &l->sender_op);

    l->audience.rec = l->sender.rec;
    l->audience.rec.name = l->sender.rec.channel;

    load_op(&l->audience_op);
    ngx_campaign_pile_init(&l->pile, l->audience_op.pool);

    for (i = 0; i < contacts; i++) {
        ngx_memzero(&c, sizeof(c));
        c.number = 15555550100 + i;                     /* kept for fiction */

        if (ngx_campaign_pile_add(&l->pile, &c) != NGX_OK) {
            (void) fprintf(stderr, "load: no memory\n");
            exit(2);
        }
    }

    load_started(ngx_campaign_store_put(load_store, &l->audience_op, NGX_CAMPAIGN_AUDIENCE, &l->audience, &l->pile), &l->audience_op);
}


static void
load_campaign(load_campaign_t *l, ngx_uint_t i, const load_owned_t *owned, time_t schedule)
{
    ngx_campaign_campaign_t  *c;

    c = &l->campaign;

    (void) snprintf(l->name, sizeof(l->name), "campaign %07lu", (unsigned long) i);

    ngx_memzero(c, sizeof(ngx_campaign_campaign_t));

    c->rec.account = owned->audience.rec.account;
    c->rec.name = load_str(l->name);
    c->rec.channel = owned->audience.rec.channel;
    c->from = load_str("Acme");
    c->text = load_str("Hello {first_name|friend}, our sale starts today.");
    c->schedule = schedule;
    ngx_memcpy(c->audience, owned->audience.rec.id, NGX_CAMPAIGN_ID_LEN);

    load_op(&l->op);
    load_started(ngx_campaign_store_create(load_store, &l->op, c, NULL), &l->op);
}


/* of the batch */

static void
load_free(ngx_uint_t n)
{
    ngx_uint_t  i;

    for (i = 0; i < n; i++) {
        ngx_destroy_pool(load_batch[i].op.pool);
    }
}


/* zeroed, until the process ends */

static void *
load_alloc(ngx_uint_t n, size_t size)
{
    void  *p;

    p = calloc(n, size);
    if (p == NULL) {
        (void) fprintf(stderr, "load: no memory\n");
        exit(2);
    }

    return p;
}


static void
load_op(ngx_campaign_op_t *op)
{
    ngx_pool_t  *pool;

    pool = ngx_create_pool(NGX_DEFAULT_POOL_SIZE, &load_log);
    if (pool == NULL) {
        (void) fprintf(stderr, "load: no memory\n");
        exit(2);
    }

    ngx_campaign_op_init(op, pool, &load_log, load_done, NULL);
}


static void
load_started(ngx_int_t rc, ngx_campaign_op_t *op)
{
    if (rc != NGX_AGAIN) {
        (void) fprintf(stderr, "load: an operation does not start: answer %d\n", (int) op->rc);
        exit(2);
    }
}


/* for all that was started: one commit */

static void
load_wait(void)
{
    (void) ngx_stub_run_posted();

    if (load_failed) {
        (void) fprintf(stderr, "load: %lu operations failed\n", (unsigned long) load_failed);
        exit(2);
    }
}


static void
load_done(ngx_campaign_op_t *op)
{
    if (op->rc != NGX_CAMPAIGN_OK) {
        load_failed++;
    }
}


static ngx_str_t
load_str(const char *text)
{
    ngx_str_t  s;

    s.len = strlen(text);
    s.data = (u_char *) text;

    return s;
}
