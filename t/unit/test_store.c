
/*
 * The engine below the operations: reads, and the writer with its groups and its thread.
 */

#include "store_item.h"


static void test_read(void);
static void test_group(void);
static void test_group_answers(void);
static void test_group_culprit(void);
static void test_full(void);
static void test_cancel(void);
static void test_thread(void);
static void test_thread_pool_full(void);
static void test_stuck(void);
static void test_flush(void);
static void test_flush_fails(void);

static void test_gone(void *data);


int
main(int argc, char **argv)
{
    item_program = argv[0];

    test_read();
    test_group();
    test_group_answers();
    test_group_culprit();
    test_full();
    test_cancel();
    test_thread();
    test_thread_pool_full();
    test_stuck();
    test_flush();
    test_flush_fails();

    store_remove();

    return done_testing();
}


static void
test_read(void)
{
    item_arg_t             a;
    store_op_t            *so;
    ngx_campaign_store_t  *st;

    st = item_store();
    so = store_op();

    ngx_memzero(&a, sizeof(a));
    a.key = 1;

    is_int(ngx_campaign_lmdb_read(st, &so->op, item_get_work, &a), NGX_AGAIN, "a read is accepted");
    is_uint(so->rc, NGX_CAMPAIGN_RC_MAX, "done is not called from inside the starting call");
    is_uint(ngx_campaign_store_busy(st), 1, "the store is busy");

    (void) ngx_stub_run_posted();

    is_uint(so->rc, NGX_CAMPAIGN_NOT_FOUND, "done brings the answer");
    is_uint(ngx_campaign_store_busy(st), 0, "the store is at rest");

    store_free(so);
    ngx_campaign_lmdb_close(st);
}


static void
test_group(void)
{
    uint32_t               i;
    ngx_uint_t             dones, before;
    store_op_t            *so[10];
    ngx_campaign_store_t  *st;

    st = item_store();
    before = item_txnid(st);
    dones = 0;

    for (i = 0; i < 10; i++) {
        so[i] = store_op();
        so[i]->dones = &dones;
        (void) item_put(st, so[i], i);
    }

    is_uint(dones, 0, "no write is done before the event loop runs");

    (void) ngx_stub_run_posted();

    is_uint(dones, 10, "all that waits is done");
    is_uint(item_txnid(st), before + 1, "in one transaction");

    for (i = 0; i < 10; i++) {
        if (so[i]->rc != NGX_CAMPAIGN_OK || !item_has(st, i)) {
            break;
        }

        store_free(so[i]);
    }

    is_uint(i, 10, "and each is in the store");

    ngx_campaign_lmdb_close(st);
}


static void
test_group_answers(void)
{
    item_arg_t            *a;
    ngx_uint_t             before;
    store_op_t            *one, *two, *three;
    ngx_campaign_store_t  *st;

    st = item_store();
    before = item_txnid(st);

    one = store_op();
    two = store_op();
    three = store_op();

    (void) item_put(st, one, 1);

    a = item_put(st, two, 2);
    a->rc = NGX_CAMPAIGN_CONFLICT;

    (void) item_put(st, three, 3);

    (void) ngx_stub_run_posted();

    is_uint(two->rc, NGX_CAMPAIGN_CONFLICT, "an answer other than OK reaches its operation");
    ok(one->rc == NGX_CAMPAIGN_OK && three->rc == NGX_CAMPAIGN_OK && item_has(st, 1) && !item_has(st, 2) && item_has(st, 3),
       "the others of its group are written");
    is_uint(item_txnid(st), before + 1, "in the same transaction");
    is_uint(a->runs, 1, "nothing is repeated");

    store_free(one);
    store_free(two);
    store_free(three);
    ngx_campaign_lmdb_close(st);
}


static void
test_group_culprit(void)
{
    item_arg_t            *a, *last;
    ngx_uint_t             lines;
    store_op_t            *one, *two, *three;
    ngx_campaign_store_t  *st;

    st = item_store();
    lines = store_log.lines;

    one = store_op();
    two = store_op();
    three = store_op();

    (void) item_put(st, one, 1);

    a = item_put(st, two, 2);
    a->bad = 1;

    last = item_put(st, three, 3);

    (void) ngx_stub_run_posted();

    is_uint(two->rc, NGX_CAMPAIGN_FAILURE, "an operation that LMDB refuses fails");
    ok(!item_has(st, 2), "nothing of it stays, not even its first write");
    ok(one->rc == NGX_CAMPAIGN_OK && three->rc == NGX_CAMPAIGN_OK && item_has(st, 1) && item_has(st, 3), "it takes no other with it");
    is_uint(last->runs, 1, "one after the culprit runs once");
    is_uint(store_log.lines, lines + 1, "the error is logged once");

    store_free(one);
    store_free(two);
    store_free(three);
    ngx_campaign_lmdb_close(st);
}


static void
test_full(void)
{
    item_arg_t            *a;
    ngx_uint_t             lines;
    store_op_t            *one, *two, *three;
    ngx_campaign_store_t  *st;

    store_fresh(item_program);
    store_conf.size = 1024 * 1024;

    st = ngx_campaign_store_open(&store_conf, &store_log);
    lines = store_log.lines;

    one = store_op();
    two = store_op();
    three = store_op();

    (void) item_put(st, one, 1);

    a = item_put(st, two, 1000);
    a->n = 1000;
    a->bytes = 4096;

    (void) item_put(st, three, 3);

    (void) ngx_stub_run_posted();

    is_uint(two->rc, NGX_CAMPAIGN_FULL, "what does not fit into the map is FULL");
    ok(one->rc == NGX_CAMPAIGN_OK && three->rc == NGX_CAMPAIGN_OK && item_has(st, 1) && item_has(st, 3), "what fits is written");
    ok(!item_has(st, 1000), "nothing of what did not fit stays");
    ok(strstr(ngx_stub_log_line, "raise \"size=\"") != NULL, "the log names the mend");

    a = item_put(st, two, 1000);
    a->n = 1000;
    a->bytes = 4096;

    (void) ngx_stub_run_posted();

    is_uint(two->rc, NGX_CAMPAIGN_FULL, "it is FULL again");
    is_uint(store_log.lines, lines + 1, "which is not logged again");

    store_free(one);
    store_free(two);
    store_free(three);
    ngx_campaign_lmdb_close(st);
}


static void
test_cancel(void)
{
    item_arg_t             a;
    ngx_uint_t             gone, dones;
    store_op_t            *so;
    ngx_pool_cleanup_t    *cln;
    ngx_campaign_store_t  *st;

    st = item_store();
    gone = 0;
    dones = 0;

    so = store_op();
    so->dones = &dones;
    cln = ngx_pool_cleanup_add(so->op.pool, 0);
    cln->handler = test_gone;
    cln->data = &gone;

    (void) item_put(st, so, 1);
    ngx_campaign_store_cancel(&so->op);

    is_uint(gone, 0, "the pool of a canceled write stays while the store works in it");

    (void) ngx_stub_run_posted();

    is_uint(gone, 1, "it is destroyed when the write is over");
    is_uint(dones, 0, "done is not called");
    ok(item_has(st, 1), "the write stands");

    so = store_op();
    so->dones = &dones;
    cln = ngx_pool_cleanup_add(so->op.pool, 0);
    cln->handler = test_gone;
    cln->data = &gone;

    ngx_memzero(&a, sizeof(a));
    (void) ngx_campaign_lmdb_read(st, &so->op, item_get_work, &a);
    ngx_campaign_store_cancel(&so->op);
    (void) ngx_stub_run_posted();

    ok(gone == 2 && dones == 0, "a canceled read ends without done");
    is_uint(ngx_campaign_store_busy(st), 0, "the store is at rest");

    ngx_campaign_lmdb_close(st);
}


static void
test_thread(void)
{
    ngx_uint_t             before, dones, gone;
    store_op_t            *so[4];
    ngx_thread_pool_t      tp;
    ngx_pool_cleanup_t    *cln;
    ngx_campaign_store_t  *st;

    store_fresh(item_program);
    ngx_memzero(&tp, sizeof(tp));
    store_conf.threads = &tp;

    st = ngx_campaign_store_open(&store_conf, &store_log);
    before = item_txnid(st);
    dones = 0;
    gone = 0;

    for (uint32_t i = 0; i < 4; i++) {
        so[i] = store_op();
        so[i]->dones = &dones;
    }

    (void) item_put(st, so[0], 0);
    (void) ngx_stub_run_posted();

    is_uint(dones, 0, "a write waits for its thread");

    (void) item_put(st, so[1], 1);
    (void) item_put(st, so[2], 2);
    (void) item_put(st, so[3], 3);
    (void) ngx_stub_run_posted();

    cln = ngx_pool_cleanup_add(so[0]->op.pool, 0);
    cln->handler = test_gone;
    cln->data = &gone;
    ngx_campaign_store_cancel(&so[0]->op);

    is_uint(ngx_stub_run_threads(&tp), 1, "one task at a time is at work");
    ok(dones == 0 && gone == 0, "a thread neither calls done nor destroys a pool");
    is_uint(item_txnid(st), before + 1, "the first write is committed alone");

    is_uint(ngx_stub_complete_threads(&tp), 1, "the task completes");
    ok(dones == 0 && gone == 1, "a write that was canceled in the thread ends without done");

    (void) ngx_stub_run_posted();
    is_uint(ngx_stub_run_threads(&tp), 1, "what came meanwhile is the next task");
    is_uint(item_txnid(st), before + 2, "committed together");

    (void) ngx_stub_complete_threads(&tp);
    is_uint(dones, 3, "and done");

    for (uint32_t i = 1; i < 4; i++) {
        store_free(so[i]);
    }

    ngx_campaign_lmdb_close(st);
}


static void
test_thread_pool_full(void)
{
    store_op_t            *so;
    ngx_thread_pool_t      tp;
    ngx_campaign_store_t  *st;

    store_fresh(item_program);
    ngx_memzero(&tp, sizeof(tp));
    store_conf.threads = &tp;

    st = ngx_campaign_store_open(&store_conf, &store_log);
    so = store_op();

    tp.full = 1;
    (void) item_put(st, so, 1);
    is_uint(so->rc, NGX_CAMPAIGN_RC_MAX, "a write is accepted while the thread pool is full");
    (void) ngx_stub_run_posted();
    is_uint(so->rc, NGX_CAMPAIGN_UNAVAILABLE, "its answer is UNAVAILABLE");

    tp.full = 0;
    (void) item_put(st, so, 1);
    (void) ngx_stub_run_posted();
    (void) ngx_stub_run_threads(&tp);
    (void) ngx_stub_complete_threads(&tp);
    is_uint(so->rc, NGX_CAMPAIGN_OK, "with room in the thread pool it is written");

    store_free(so);
    ngx_campaign_lmdb_close(st);
}


static void
test_stuck(void)
{
    ngx_uint_t             i;
    item_arg_t             a;
    store_op_t            *one, *two, *three;
    ngx_thread_pool_t      tp;
    ngx_campaign_store_t  *st;

    store_fresh(item_program);
    ngx_memzero(&tp, sizeof(tp));
    store_conf.threads = &tp;

    st = ngx_campaign_store_open(&store_conf, &store_log);
    one = store_op();
    two = store_op();
    three = store_op();

    (void) item_put(st, one, 1);
    (void) ngx_stub_run_posted();
    (void) item_put(st, two, 2);

    for (i = 0; i < 5; i++) {
        ngx_stub_run_timers();
    }

    is_uint(two->rc, NGX_CAMPAIGN_RC_MAX, "a write waits five seconds for the one before it");

    ngx_stub_run_timers();
    is_uint(two->rc, NGX_CAMPAIGN_UNAVAILABLE, "then it is UNAVAILABLE");

    ngx_memzero(&a, sizeof(a));
    is_int(ngx_campaign_lmdb_write(st, &three->op, item_put_work, &a), NGX_ERROR, "and new ones are not accepted");
    is_uint(three->op.rc, NGX_CAMPAIGN_UNAVAILABLE, "with the same answer");
    ok(!item_has(st, 1), "reads go on");

    (void) ngx_stub_run_threads(&tp);
    (void) ngx_stub_complete_threads(&tp);
    is_uint(one->rc, NGX_CAMPAIGN_OK, "the write at work is done when it can");

    (void) item_put(st, three, 3);
    (void) ngx_stub_run_posted();
    (void) ngx_stub_run_threads(&tp);
    (void) ngx_stub_complete_threads(&tp);
    is_uint(three->rc, NGX_CAMPAIGN_OK, "then writes are accepted again");

    store_free(one);
    store_free(two);
    store_free(three);
    ngx_campaign_lmdb_close(st);
}


static void
test_flush(void)
{
    ngx_uint_t             dones;
    store_op_t            *so[3];
    ngx_thread_pool_t      tp;
    ngx_campaign_store_t  *st;

    store_fresh(item_program);
    ngx_memzero(&tp, sizeof(tp));
    store_conf.threads = &tp;

    st = ngx_campaign_store_open(&store_conf, &store_log);
    dones = 0;

    for (uint32_t i = 0; i < 3; i++) {
        so[i] = store_op();
        so[i]->dones = &dones;
        (void) item_put(st, so[i], i);

        if (i == 0) {
            (void) ngx_stub_run_posted();       /* handed to a thread that never ran */
        }
    }

    ngx_campaign_store_flush(st, 0);

    is_uint(dones, 0, "the flush at the end of a process calls no done");
    ok(item_has(st, 0), "a batch that was handed over and never ran is committed by it");
    ok(item_has(st, 1) && item_has(st, 2), "and so is what still waited");

    (void) ngx_stub_run_threads(&tp);
    is_uint(((item_arg_t *) so[0]->op.args)->runs, 1, "a thread that comes late finds nothing to do");

    ngx_campaign_lmdb_close(st);

    store_conf.threads = NULL;
    st = ngx_campaign_store_open(&store_conf, &store_log);
    ok(item_has(st, 0) && item_has(st, 1) && item_has(st, 2), "the next process finds all of it");
    ngx_campaign_lmdb_close(st);

    for (uint32_t i = 0; i < 3; i++) {
        store_free(so[i]);
    }
}


/* works of one group; the second takes data.mdb away, so that no transaction begins after it */

static ngx_campaign_rc_e
test_vanish_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args)
{
    char  path[1024];

    (void) snprintf(path, sizeof(path), "%s/data.mdb", store_dir);
    ok(unlink(path) == 0, "data.mdb vanishes while a group is at work");

    return NGX_CAMPAIGN_FAILURE;
}


static void
test_flush_fails(void)
{
    store_op_t            *so[3];
    ngx_campaign_store_t  *st;

    store_fresh(item_program);

    st = ngx_campaign_store_open(&store_conf, &store_log);

    for (uint32_t i = 0; i < 3; i++) {
        so[i] = store_op();

        if (i == 1) {
            (void) ngx_campaign_lmdb_write(st, &so[i]->op, test_vanish_work, NULL);

        } else {
            (void) item_put(st, so[i], i);
        }
    }

    ngx_campaign_store_flush(st, 0);

    is_uint(((item_arg_t *) so[0]->op.args)->runs, 1, "the first of them had run");
    ok(so[0]->op.rc != NGX_CAMPAIGN_OK && so[1]->op.rc != NGX_CAMPAIGN_OK && so[2]->op.rc != NGX_CAMPAIGN_OK,
       "after a flush no operation says OK that was not written, whether it ran or not");

    ngx_campaign_lmdb_close(st);

    for (uint32_t i = 0; i < 3; i++) {
        store_free(so[i]);
    }
}


static void
test_gone(void *data)
{
    (*(ngx_uint_t *) data)++;
}
