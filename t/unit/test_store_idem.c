
/*
 * Idempotency keys at the store: a key, its object and its answer are one commit; who carries one out holds it, in this process or another.
 */

#include "store_make.h"

#include <sys/wait.h>


#define HOUR  (3600LL * 1000000)


static uint32_t    mine, other;
static ngx_uint_t  prints;
static ngx_int_t   print_rc;


/* prints the object's name, as the reply of a creation would */

static ngx_int_t
test_print(ngx_campaign_op_t *op, ngx_campaign_idem_t *idem)
{
    ngx_campaign_rec_t *rec = idem->data;

    prints++;

    idem->status = 201;
    idem->body.data = ngx_pnalloc(op->pool, rec->name.len);
    idem->body.len = rec->name.len;
    ngx_memcpy(idem->body.data, rec->name.data, rec->name.len);

    return print_rc;
}


static void
test_idem(ngx_campaign_idem_t *idem, uint32_t account, const char *key, u_char digest)
{
    ngx_memzero(idem, sizeof(ngx_campaign_idem_t));

    idem->account = account;
    idem->key = make_str(key);
    ngx_memset(idem->digest, digest, 32);
    idem->print = test_print;
}


/* a template is created under a key */

static ngx_campaign_rc_e
test_put(store_op_t *so, ngx_campaign_idem_t *idem, ngx_campaign_text_t *text, const char *name)
{
    ngx_memzero(text, sizeof(ngx_campaign_text_t));

    text->rec.account = idem->account;
    text->rec.name = make_str(name);
    text->rec.channel = make_str("SMS");
    text->text = make_str("Hello");

    idem->data = text;
    so->op.idem = idem;

    return store_wait(so, ngx_campaign_store_put(st, &so->op, NGX_CAMPAIGN_TEMPLATE, text, NULL));
}


static ngx_campaign_rc_e
test_hold(store_op_t *so, ngx_campaign_idem_t *idem)
{
    return store_wait(so, ngx_campaign_store_hold(st, &so->op, idem));
}


static void
test_once(void)
{
    store_op_t           *one, *two;
    ngx_uint_t            records;
    ngx_campaign_idem_t   idem, again;
    ngx_campaign_text_t   text, twin;

    one = store_op();
    two = store_op();
    prints = 0;

    test_idem(&idem, mine, "order-1", 7);
    is_uint(test_hold(one, &idem), NGX_CAMPAIGN_OK, "an unknown key is held");
    is_uint(test_put(one, &idem, &text, "first"), NGX_CAMPAIGN_OK, "and carried out");
    ngx_campaign_store_release(st, &idem);

    records = make_entries(NGX_CAMPAIGN_DB_REC);

    test_idem(&again, mine, "order-1", 7);
    is_uint(test_hold(two, &again), NGX_CAMPAIGN_REPEAT, "then it is known");
    is_uint(again.status, 201, "its status was kept");
    is_str(&again.body, "first", "and its body");
    ok(!again.held, "it is not held");

    test_idem(&again, mine, "order-1", 7);
    is_uint(test_put(two, &again, &twin, "second"), NGX_CAMPAIGN_REPEAT, "a twin that did not look changes nothing");
    is_str(&again.body, "first", "it gets the answer of the first");
    ok(!again.other, "the request is the same");
    is_uint(prints, 1, "nothing was printed for it");

    test_idem(&again, mine, "order-1", 8);
    is_uint(test_put(two, &again, &twin, "second"), NGX_CAMPAIGN_REPEAT, "nor does another request with this key");
    ok(again.other, "that it is another one is told");

    is_uint(make_entries(NGX_CAMPAIGN_DB_REC), records, "one object was made");

    test_idem(&again, other, "order-1", 8);
    is_uint(test_put(two, &again, &twin, "second"), NGX_CAMPAIGN_OK, "another account's key of the same name is another key");

    store_free(one);
    store_free(two);
}


static void
test_not_kept(void)
{
    store_op_t           *so;
    ngx_campaign_idem_t   idem;
    ngx_campaign_text_t   text;

    so = store_op();

    test_idem(&idem, mine, "order-2", 1);
    is_uint(test_put(so, &idem, &text, "first"), NGX_CAMPAIGN_EXISTS, "a request that is refused");
    is_uint(test_put(so, &idem, &text, "third"), NGX_CAMPAIGN_OK, "keeps nothing by itself");

    test_idem(&idem, mine, "order-3", 1);
    print_rc = NGX_ERROR;
    is_uint(test_put(so, &idem, &text, "fourth"), NGX_CAMPAIGN_FAILURE, "no memory for the answer");
    print_rc = NGX_OK;
    is_uint(test_put(so, &idem, &text, "fourth"), NGX_CAMPAIGN_OK, "leaves neither object nor key");

    test_idem(&idem, mine, "order-4", 1);
    idem.print = NULL;
    idem.status = 400;
    idem.body = make_str("no");
    so->op.idem = &idem;
    is_uint(store_wait(so, ngx_campaign_store_keep(st, &so->op)), NGX_CAMPAIGN_OK, "a refusal is kept when it is asked for");

    test_idem(&idem, mine, "order-4", 1);
    is_uint(test_hold(so, &idem), NGX_CAMPAIGN_REPEAT, "and known");
    is_uint(idem.status, 400, "with its status");

    store_free(so);
}


/* two that wait for the same commit: each is run in it, in turn */

static void
test_twins_in_a_group(void)
{
    store_op_t           *one, *two;
    ngx_uint_t            records;
    ngx_campaign_idem_t   a, b;
    ngx_campaign_text_t   text[2];

    one = store_op();
    two = store_op();
    records = make_entries(NGX_CAMPAIGN_DB_REC);

    test_idem(&a, mine, "twins", 1);
    test_idem(&b, mine, "twins", 1);
    ngx_memzero(text, sizeof(text));
    a.data = &text[0];
    b.data = &text[1];
    one->op.idem = &a;
    two->op.idem = &b;
    text[0].rec.account = text[1].rec.account = mine;
    text[0].text = text[1].text = make_str("Hello");

    (void) ngx_campaign_store_put(st, &one->op, NGX_CAMPAIGN_TEMPLATE, &text[0], NULL);
    (void) ngx_campaign_store_put(st, &two->op, NGX_CAMPAIGN_TEMPLATE, &text[1], NULL);
    (void) ngx_stub_run_posted();

    is_uint(one->rc, NGX_CAMPAIGN_OK, "the first of two twins in a group is carried out");
    is_uint(two->rc, NGX_CAMPAIGN_REPEAT, "the second gets its answer");
    is_bytes(b.body.data, b.body.len, a.body.data, a.body.len, "the very same bytes");
    is_uint(make_entries(NGX_CAMPAIGN_DB_REC), records + 1, "one object was made");

    store_free(one);
    store_free(two);
}


static void
test_held(const char *program)
{
    int                   status;
    pid_t                 pid;
    store_op_t           *so;
    ngx_campaign_idem_t   idem, twin;

    so = store_op();

    test_idem(&idem, mine, "held", 1);
    test_idem(&twin, mine, "held", 1);

    is_uint(test_hold(so, &idem), NGX_CAMPAIGN_OK, "a key is held");
    is_uint(test_hold(so, &twin), NGX_CAMPAIGN_IN_USE, "by one in a process");

    pid = fork();
    if (pid == 0) {
        ngx_campaign_lmdb_held_close(st);               /* a process that opens the store for itself */
        (void) ngx_campaign_lmdb_held_init(st);

        status = (test_hold(so, &twin) == NGX_CAMPAIGN_IN_USE);
        test_idem(&twin, mine, "free", 1);
        status = status && test_hold(so, &twin) == NGX_CAMPAIGN_OK;
        _exit(status ? 0 : 1);                          /* it dies with a key held */
    }

    (void) waitpid(pid, &status, 0);
    ok(WIFEXITED(status) && WEXITSTATUS(status) == 0, "and by one process");

    test_idem(&twin, mine, "free", 1);
    is_uint(test_hold(so, &twin), NGX_CAMPAIGN_OK, "what a process held that died is free");
    ngx_campaign_store_release(st, &twin);

    ngx_campaign_store_release(st, &idem);
    ngx_campaign_store_release(st, &idem);
    test_idem(&twin, mine, "held", 1);
    is_uint(test_hold(so, &twin), NGX_CAMPAIGN_OK, "what was released is free");
    ngx_campaign_store_release(st, &twin);

    store_free(so);
}


static void
test_age(void)
{
    char                  key[16];
    make_look_t           look;
    store_op_t           *so;
    ngx_uint_t            i;
    ngx_campaign_idem_t   idem;
    ngx_campaign_text_t   text;

    so = store_op();

    ngx_stub_now += 24 * HOUR - 1;
    test_idem(&idem, mine, "order-1", 7);
    is_uint(test_hold(so, &idem), NGX_CAMPAIGN_REPEAT, "an answer is known for 24 hours");

    ngx_stub_now += HOUR;
    test_idem(&idem, mine, "order-1", 9);
    is_uint(test_hold(so, &idem), NGX_CAMPAIGN_OK, "and not any longer");
    is_uint(test_put(so, &idem, &text, "anew"), NGX_CAMPAIGN_OK, "its key may come with another request");
    ngx_campaign_store_release(st, &idem);

    for (i = 0; i < 4; i++) {
        (void) snprintf(key, sizeof(key), "new-%lu", (unsigned long) i);
        test_idem(&idem, mine, key, 9);
        (void) test_put(so, &idem, &text, "");
    }

    (void) make_look(&look);
    is_uint(look.entries[NGX_CAMPAIGN_DB_IDEM], 5, "old answers of all accounts went, a few with each new one");
    is_uint(look.entries[NGX_CAMPAIGN_DB_KEPT], 5 + 1, "and their entries; one account has any");

    test_idem(&idem, mine, "new-3", 9);
    is_uint(test_hold(so, &idem), NGX_CAMPAIGN_REPEAT, "new ones stay");

    ok(make_look(NULL), "the store agrees with itself");

    store_free(so);
}


/* an account's count, as if it had sent more keys than are kept */

static ngx_campaign_rc_e
test_many_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args)
{
    u_char  key[4], value[8];

    ngx_campaign_be32_put(key, mine);
    ngx_campaign_be64_put(value, NGX_CAMPAIGN_IDEM_MAX + 2);

    return ngx_campaign_lmdb_put(t, NGX_CAMPAIGN_DB_KEPT, key, 4, value, 8) == 0 ? NGX_CAMPAIGN_OK : NGX_CAMPAIGN_FAILURE;
}


static void
test_most(void)
{
    make_look_t           look;
    store_op_t           *so;
    ngx_campaign_idem_t   idem;
    ngx_campaign_text_t   text;

    so = store_op();

    is_uint(ngx_campaign_lmdb_write_now(st, NULL, test_many_work, NULL), NGX_CAMPAIGN_OK, "an account with more answers than are kept");

    test_idem(&idem, mine, "one more", 1);
    is_uint(test_put(so, &idem, &text, ""), NGX_CAMPAIGN_OK, "and one more");

    (void) make_look(&look);
    is_uint(look.entries[NGX_CAMPAIGN_DB_IDEM], 5 + 1 - 3, "the oldest go, until as many are left as are kept");

    test_idem(&idem, mine, "new-0", 9);
    is_uint(test_hold(so, &idem), NGX_CAMPAIGN_OK, "the oldest is unknown");
    ngx_campaign_store_release(st, &idem);

    test_idem(&idem, mine, "one more", 1);
    is_uint(test_hold(so, &idem), NGX_CAMPAIGN_REPEAT, "the newest is known");

    store_free(so);
}


int
main(int argc, char **argv)
{
    make_store(argv[0]);

    mine = make_account("mine");
    other = make_account("other");
    print_rc = NGX_OK;

    test_once();
    test_not_kept();
    test_twins_in_a_group();
    test_held(argv[0]);
    test_age();
    test_most();

    make_end();

    return done_testing();
}
