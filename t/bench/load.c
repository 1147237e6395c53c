
/*
 * Fills a new store for tools/bench, by the store's operations alone: an account with senders, audiences of one contact and so many
 * campaigns, scheduled for 2100.  Over HTTP a million of them would take minutes.
 *
 *     load directory campaigns key     (key: SHA-256 of the account's API key, 64 hexadecimal digits)
 *
 * The campaigns are made so that a list filtered by channel and status has no short way: the oldest twentieth is canceled ones of VIBER, after them
 * come canceled ones of SMS and scheduled ones of VIBER by turns.
 */

#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_campaign_store.h"

#include <stdio.h>


#define LOAD_BATCH     4000                     /* operations a commit */
#define LOAD_SIZE      (4096ULL * 1024 * 1024)
#define LOAD_SCHEDULE  4102444800               /* 2100-01-01 */
#define LOAD_CHANNELS  2


typedef struct {
    ngx_campaign_op_t        op;
    ngx_campaign_campaign_t  campaign;
    char                     name[32];
} load_campaign_t;


static void load_account(const u_char *hash);
static void load_owned(ngx_campaign_kind_e kind, void *rec, const char *name, ngx_uint_t channel, ngx_campaign_pile_t *pile);
static void load_senders(void);
static void load_audiences(void);
static void load_campaigns(ngx_uint_t from, ngx_uint_t to, ngx_uint_t all);
static void load_create(load_campaign_t *l, ngx_uint_t i, ngx_uint_t channel);
static void load_op(ngx_campaign_op_t *op);
static void load_started(ngx_int_t rc, ngx_campaign_op_t *op);
static void load_wait(void);
static void load_done(ngx_campaign_op_t *op);
static ngx_str_t load_str(const char *text);


static const char            *load_channels[LOAD_CHANNELS] = { "SMS", "VIBER" };

static ngx_log_t              load_log;
static ngx_campaign_store_t  *load_store;
static uint32_t               load_no;                                          /* the account's */
static u_char                 load_audience[LOAD_CHANNELS][NGX_CAMPAIGN_ID_LEN];
static ngx_uint_t             load_failed;
static load_campaign_t        load_batch[LOAD_BATCH];


int
main(int argc, char *const *argv)
{
    u_char                     hash[32];
    ngx_uint_t                 i, n;
    ngx_campaign_store_conf_t  conf;

    if (argc != 4 || strlen(argv[3]) != 2 * sizeof(hash)) {
        (void) fprintf(stderr, "usage: load directory campaigns key\n");
        return 2;
    }

    for (i = 0; i < sizeof(hash); i++) {
        if (sscanf(&argv[3][2 * i], "%2hhx", &hash[i]) != 1) {
            (void) fprintf(stderr, "load: the key's hash is not hexadecimal\n");
            return 2;
        }
    }

    ngx_memzero(&conf, sizeof(conf));

    conf.path = load_str(argv[1]);
    conf.size = LOAD_SIZE;
    conf.durability = NGX_CAMPAIGN_DURABILITY_RELAXED;
    load_log.log_level = NGX_LOG_NOTICE;

    load_store = ngx_campaign_store_open(&conf, &load_log);
    if (load_store == NULL) {
        (void) fprintf(stderr, "load: the store in %s does not open\n", argv[1]);
        return 2;
    }

    load_account(hash);
    load_senders();
    load_audiences();

    n = strtoul(argv[2], NULL, 10);

    for (i = 0; i < n; i += LOAD_BATCH) {
        load_campaigns(i, ngx_min(i + LOAD_BATCH, n), n);
    }

    ngx_campaign_store_flush(load_store);

    return 0;
}


static void
load_account(const u_char *hash)
{
    ngx_campaign_op_t       op;
    ngx_campaign_account_t  a;

    ngx_memzero(&a, sizeof(a));

    a.rec.name = load_str("bench");
    a.rate = 1000ULL * NGX_CAMPAIGN_RATE_UNIT;
    a.burst = 100;
    ngx_memcpy(a.key_hash, hash, sizeof(a.key_hash));

    load_op(&op);
    load_started(ngx_campaign_store_put(load_store, &op, NGX_CAMPAIGN_ACCOUNT, &a, NULL), &op);
    load_wait();
    ngx_destroy_pool(op.pool);

    load_no = (uint32_t) a.rec.no;
}


static void
load_owned(ngx_campaign_kind_e kind, void *rec, const char *name, ngx_uint_t channel, ngx_campaign_pile_t *pile)
{
    ngx_campaign_op_t    op;
    ngx_campaign_rec_t  *head;

    head = rec;
    head->account = load_no;
    head->name = load_str(name);
    head->channel = load_str(load_channels[channel]);

    load_op(&op);
    load_started(ngx_campaign_store_put(load_store, &op, kind, rec, pile), &op);
    load_wait();
    ngx_destroy_pool(op.pool);
}


static void
load_senders(void)
{
    ngx_uint_t             i;
    ngx_campaign_sender_t  s;

    for (i = 0; i < LOAD_CHANNELS; i++) {
        ngx_memzero(&s, sizeof(s));
        s.type = NGX_CAMPAIGN_T_ALPHANUMERIC;
        load_owned(NGX_CAMPAIGN_SENDER, &s, "Acme", i, NULL);
    }
}


static void
load_audiences(void)
{
    ngx_uint_t                i;
    ngx_pool_t               *pool;
    ngx_campaign_pile_t       pile;
    ngx_campaign_contact_t    c;
    ngx_campaign_audience_t   a;

    for (i = 0; i < LOAD_CHANNELS; i++) {
        pool = ngx_create_pool(NGX_DEFAULT_POOL_SIZE, &load_log);
        ngx_campaign_pile_init(&pile, pool);

        ngx_memzero(&c, sizeof(c));
        c.number = 15555550100;                         /* kept for fiction */

        if (ngx_campaign_pile_add(&pile, &c) != NGX_OK) {
            (void) fprintf(stderr, "load: no memory\n");
            exit(2);
        }

        ngx_memzero(&a, sizeof(a));
        load_owned(NGX_CAMPAIGN_AUDIENCE, &a, load_channels[i], i, &pile);
        ngx_memcpy(load_audience[i], a.rec.id, NGX_CAMPAIGN_ID_LEN);
        ngx_destroy_pool(pool);
    }
}


/* those of one batch: made in a commit, then canceled, as far as they are to be, in another */

static void
load_campaigns(ngx_uint_t from, ngx_uint_t to, ngx_uint_t all)
{
    ngx_uint_t        i;
    load_campaign_t  *l;

    for (i = from; i < to; i++) {
        l = &load_batch[i - from];
        load_create(l, i, i < all / 20 || i % 2);
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

    for (i = from; i < to; i++) {
        ngx_destroy_pool(load_batch[i - from].op.pool);
    }
}


static void
load_create(load_campaign_t *l, ngx_uint_t i, ngx_uint_t channel)
{
    ngx_campaign_campaign_t  *c;

    c = &l->campaign;

    (void) snprintf(l->name, sizeof(l->name), "campaign %07lu", (unsigned long) i);

    ngx_memzero(c, sizeof(ngx_campaign_campaign_t));

    c->rec.account = load_no;
    c->rec.name = load_str(l->name);
    c->rec.channel = load_str(load_channels[channel]);
    c->from = load_str("Acme");
    c->text = load_str("Hello {first_name|friend}, our sale starts today.");
    c->schedule = LOAD_SCHEDULE;
    ngx_memcpy(c->audience, load_audience[channel], NGX_CAMPAIGN_ID_LEN);

    load_op(&l->op);
    load_started(ngx_campaign_store_create(load_store, &l->op, c, NULL), &l->op);
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
