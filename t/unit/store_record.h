
/*
 * What the tests of records and pages share: a store, operations that are waited for, objects made in a line.
 */

#ifndef _STORE_RECORD_H_INCLUDED_
#define _STORE_RECORD_H_INCLUDED_


#include "store.h"


#define NOW   (1795000000LL * 1000000)          /* us */


typedef struct {
    ngx_campaign_kind_e   kind;
    ngx_campaign_rec_t   *rec;
    ngx_uint_t            old, now;
} change_t;


static ngx_campaign_store_t  *st;
static ngx_campaign_op_t      op;
static ngx_pool_t            *pool;             /* of a test, its operations included */
static ngx_uint_t             done;


static void
op_done(ngx_campaign_op_t *o)
{
    done++;
}


STORE_UNUSED static ngx_campaign_op_t *
begin(void)
{
    done = 0;
    ngx_campaign_op_init(&op, pool, &store_log, op_done, NULL);

    return &op;
}


/* the answer of an operation that was started; RC_MAX: done was not called once */

STORE_UNUSED static ngx_campaign_rc_e
answer(ngx_int_t started)
{
    if (started != NGX_AGAIN) {
        return op.rc;
    }

    if (done) {
        return NGX_CAMPAIGN_RC_MAX;
    }

    ngx_stub_run_posted();

    return done == 1 ? op.rc : NGX_CAMPAIGN_RC_MAX;
}


STORE_UNUSED static ngx_str_t
str(const char *text)
{
    ngx_str_t  s;

    s.len = strlen(text);
    s.data = (u_char *) text;

    return s;
}


STORE_UNUSED static ngx_campaign_rc_e
put(ngx_campaign_kind_e kind, void *rec, uint32_t account, const char *name, const char *channel)
{
    ngx_campaign_rec_t  *head;

    head = rec;
    head->account = account;
    head->name = str(name);
    head->channel = str(channel);

    return answer(ngx_campaign_store_put(st, begin(), kind, rec, NULL));
}


STORE_UNUSED static uint32_t
account_new(const char *name, const char *key)
{
    ngx_campaign_account_t  a;

    ngx_memzero(&a, sizeof(a));
    a.rate = 1000 * NGX_CAMPAIGN_RATE_UNIT;
    a.burst = 100;

    if (key) {
        ngx_memcpy(a.key_hash, key, strlen(key));
    }

    if (put(NGX_CAMPAIGN_ACCOUNT, &a, 0, name, "") != NGX_CAMPAIGN_OK) {
        diag("account \"%s\" is not made", name);
        exit(2);
    }

    return (uint32_t) a.rec.no;
}


STORE_UNUSED static void
page_init(ngx_campaign_page_t *p, ngx_campaign_kind_e kind, uint32_t account, ngx_uint_t size)
{
    ngx_memzero(p, sizeof(ngx_campaign_page_t));

    p->kind = kind;
    p->account = account;
    p->size = size;
    p->channel = str("");
}


STORE_UNUSED static ngx_campaign_rc_e
page_get(ngx_campaign_page_t *p, ngx_str_t token)
{
    p->token = token;

    return answer(ngx_campaign_store_page(st, begin(), p));
}


STORE_UNUSED static uint64_t
total(ngx_campaign_kind_e kind, uint32_t account, const char *channel, ngx_uint_t status)
{
    ngx_campaign_page_t  p;

    page_init(&p, kind, account, 1);
    p.channel = str(channel);
    p.status = status;

    return page_get(&p, str("")) == NGX_CAMPAIGN_OK ? p.total : (uint64_t) -1;
}


STORE_UNUSED static ngx_campaign_rc_e
delete_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *o, void *args)
{
    change_t  *c;

    c = args;

    return ngx_campaign_lmdb_record_delete(t, c->kind, c->rec);
}


STORE_UNUSED static ngx_campaign_rc_e
now(ngx_campaign_work_pt work, void *args)
{
    return ngx_campaign_lmdb_write_now(st, &op, work, args);
}


/* runs tests, each with a pool of its own, on a fresh store */

STORE_UNUSED static int
record_run(const char *program, void (*const *tests)(void), ngx_uint_t n)
{
    ngx_uint_t  i;

    store_fresh(program);

    store_log.log_level = NGX_LOG_EMERG;        /* damage and misuse are part of the tests */
    ngx_stub_now = NOW;

    st = ngx_campaign_store_open(&store_conf, &store_log);
    if (st == NULL) {
        diag("the store does not open");
        exit(2);
    }

    for (i = 0; i < n; i++) {
        pool = ngx_create_pool(NGX_DEFAULT_POOL_SIZE, &store_log);
        tests[i]();
        ngx_destroy_pool(pool);
    }

    is_uint(ngx_campaign_store_busy(st), 0, "no operation is left");

    ngx_campaign_lmdb_close(st);
    store_remove();

    return done_testing();
}


#endif /* _STORE_RECORD_H_INCLUDED_ */
