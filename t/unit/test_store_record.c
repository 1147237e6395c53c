
/*
 * Records through the operations of ngx_campaign_store.h.  What no operation does (deletions, moves, a bit turned in the file) goes through
 * the engine's own header.
 */

#include "store_record.h"


static void
hash(u_char *to, const char *key)
{
    ngx_memzero(to, 32);
    ngx_memcpy(to, key, strlen(key));
}


static ngx_campaign_rc_e
create_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *o, void *args)
{
    change_t  *c;

    c = args;

    return ngx_campaign_lmdb_record_create(t, c->kind, c->rec, pool);
}


static ngx_campaign_rc_e
move_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *o, void *args)
{
    change_t  *c;

    c = args;

    return ngx_campaign_lmdb_record_move(t, c->kind, c->rec, c->old, c->now);
}


/* the record is read in the transaction, so that its strings point into the map */

static ngx_campaign_rc_e
move_stored_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *o, void *args)
{
    change_t                 *c;
    ngx_campaign_rc_e         rc;
    ngx_campaign_campaign_t   stored;

    c = args;

    rc = ngx_campaign_lmdb_record_get(t, c->kind, c->rec->account, c->rec->no, NULL, &stored);

    return rc == NGX_CAMPAIGN_OK ? ngx_campaign_lmdb_record_move(t, c->kind, &stored.rec, c->old, c->now) : rc;
}


static ngx_campaign_rc_e
flip_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *o, void *args)
{
    u_char               *p, key[13], value[256];
    MDB_val               stored;
    ngx_campaign_rec_t   *rec;

    rec = args;

    p = ngx_campaign_be32_put(key, rec->account);
    *p++ = NGX_CAMPAIGN_TEMPLATE;
    ngx_campaign_be64_put(p, rec->no);

    if (ngx_campaign_lmdb_get(t, NGX_CAMPAIGN_DB_REC, key, 13, &stored) != 0 || stored.mv_size > sizeof(value)) {
        return NGX_CAMPAIGN_NOT_FOUND;
    }

    ngx_memcpy(value, stored.mv_data, stored.mv_size);
    value[stored.mv_size / 2] ^= 4;

    return ngx_campaign_lmdb_put(t, NGX_CAMPAIGN_DB_REC, key, 13, value, stored.mv_size) == 0 ? NGX_CAMPAIGN_OK : NGX_CAMPAIGN_FAILURE;
}


/* a campaign that is in progress, as far as the dispatcher knows */

static ngx_campaign_rc_e
active_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *o, void *args)
{
    u_char  key[12];

    ngx_campaign_be64_put(ngx_campaign_be32_put(key, *(uint32_t *) args), 4711);

    return ngx_campaign_lmdb_put(t, NGX_CAMPAIGN_DB_ACTIVE, key, 12, "", 0) == 0 ? NGX_CAMPAIGN_OK : NGX_CAMPAIGN_FAILURE;
}


/* takes it out of `active` and `feed`; NOT_FOUND: it was not fed */

static ngx_campaign_rc_e
active_fed_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *o, void *args)
{
    u_char  key[13];

    key[0] = NGX_CAMPAIGN_CAMPAIGN;
    ngx_campaign_be64_put(ngx_campaign_be32_put(&key[1], *(uint32_t *) args), 4711);

    if (ngx_campaign_lmdb_del(t, NGX_CAMPAIGN_DB_FEED, key, 13) != 0) {
        return NGX_CAMPAIGN_NOT_FOUND;
    }

    return ngx_campaign_lmdb_del(t, NGX_CAMPAIGN_DB_ACTIVE, &key[1], 12) == 0 ? NGX_CAMPAIGN_OK : NGX_CAMPAIGN_FAILURE;
}


static ngx_campaign_rc_e
fed_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *o, void *args)
{
    u_char   *p, key[13];
    MDB_val   value;

    p = key;
    *p++ = NGX_CAMPAIGN_ACCOUNT;
    p = ngx_campaign_be32_put(p, 0);
    ngx_campaign_be64_put(p, *(uint64_t *) args);

    if (ngx_campaign_lmdb_get(t, NGX_CAMPAIGN_DB_FEED, key, 13, &value) != 0) {
        return NGX_CAMPAIGN_NOT_FOUND;
    }

    return ngx_campaign_lmdb_del(t, NGX_CAMPAIGN_DB_FEED, key, 13) == 0 ? NGX_CAMPAIGN_OK : NGX_CAMPAIGN_FAILURE;
}


static void
test_account(void)
{
    u_char                  h[32];
    uint64_t                before;
    ngx_campaign_key_t      key, got;
    ngx_campaign_account_t  a, b, c;

    ngx_memzero(&a, sizeof(a));
    a.rate = 1500000;
    a.burst = 7;
    hash(a.key_hash, "first key");

    is_uint(put(NGX_CAMPAIGN_ACCOUNT, &a, 77, "Acme", ""), NGX_CAMPAIGN_OK, "an account is created");
    is_uint(a.rec.account, 0, "it is owned by account 0");
    is_int(a.rec.created, NOW / 1000000, "it has a date");
    is_uint(a.rec.status, NGX_CAMPAIGN_A_ACTIVE, "it is active if nothing else is said");
    is_uint(now(fed_work, &a.rec.no), NGX_CAMPAIGN_OK, "the dispatcher hears of it");

    hash(h, "first key");
    ngx_memset(&b, 0x5a, sizeof(b));
    is_uint(answer(ngx_campaign_store_auth(st, begin(), h, &b, &key)), NGX_CAMPAIGN_OK, "its first key is known");
    is_bytes(b.rec.id, 16, a.rec.id, 16, "the key leads to its account");
    is_str(&b.rec.name, "Acme", "with its name");
    is_uint(b.rate, 1500000, "with its rate");
    is_uint(b.burst, 7, "with its burst");
    is_uint(key.scope, NGX_CAMPAIGN_SCOPE_FULL, "the first key may do all");
    is_uint(key.rec.account, a.rec.no, "the key is the account's");
    is_bytes(key.rec.id, 16, a.key_id, 16, "the answer of the creation names the key");
    ngx_memzero(&c, sizeof(c));
    is_bytes(b.key_hash, 32, c.key_hash, 32, "the hash is not read back");

    is_uint(answer(ngx_campaign_store_get(st, begin(), NGX_CAMPAIGN_KEY, (uint32_t) a.rec.no, a.key_id, &got)), NGX_CAMPAIGN_OK,
            "the key is an object of the account");

    hash(h, "no key");
    is_uint(answer(ngx_campaign_store_auth(st, begin(), h, &b, &key)), NGX_CAMPAIGN_NOT_FOUND, "an unknown key is NOT_FOUND");

    before = total(NGX_CAMPAIGN_ACCOUNT, 0, "", 0);

    c = a;
    is_uint(put(NGX_CAMPAIGN_ACCOUNT, &c, 0, "Other", ""), NGX_CAMPAIGN_EXISTS, "a key that is taken is EXISTS");
    hash(c.key_hash, "second key");
    is_uint(put(NGX_CAMPAIGN_ACCOUNT, &c, 0, "Acme", ""), NGX_CAMPAIGN_EXISTS, "a name that is taken is EXISTS");
    is_uint(total(NGX_CAMPAIGN_ACCOUNT, 0, "", 0), before, "and neither left an account");

    is_uint(put(NGX_CAMPAIGN_ACCOUNT, &c, 0, "Other", ""), NGX_CAMPAIGN_OK, "the refused name and key are free");
    is_uint(answer(ngx_campaign_store_get(st, begin(), NGX_CAMPAIGN_ACCOUNT, 0, c.rec.id, &b)), NGX_CAMPAIGN_OK, "an account by its id");
    is_str(&b.rec.name, "Other", "is the right one");

    ngx_memzero(&c, sizeof(c));
    c.rate = c.burst = 1;
    c.rec.status = NGX_CAMPAIGN_A_DISABLED;
    is_uint(put(NGX_CAMPAIGN_ACCOUNT, &c, 0, "", ""), NGX_CAMPAIGN_OK, "an account without name and key is created");
    is_str(&c.rec.name, "account-1", "its name is assigned");
    is_uint(total(NGX_CAMPAIGN_KEY, (uint32_t) c.rec.no, "", 0), 0, "it has no key");
    is_uint(c.rec.status, NGX_CAMPAIGN_A_DISABLED, "it is disabled as was said");
}


static void
test_account_change(void)
{
    uint32_t                account, next;
    uint64_t                active, disabled;
    ngx_campaign_account_t  a, b, other;

    ngx_memzero(&a, sizeof(a));
    a.rate = a.burst = 1;
    is_uint(put(NGX_CAMPAIGN_ACCOUNT, &a, 0, "before", ""), NGX_CAMPAIGN_OK, "an account to change");
    (void) now(fed_work, &a.rec.no);

    active = total(NGX_CAMPAIGN_ACCOUNT, 0, "", NGX_CAMPAIGN_A_ACTIVE);
    disabled = total(NGX_CAMPAIGN_ACCOUNT, 0, "", NGX_CAMPAIGN_A_DISABLED);

    ngx_stub_now = NOW + 5000000;

    ngx_memzero(&b, sizeof(b));
    ngx_memcpy(b.rec.id, a.rec.id, 16);
    b.rec.name = str("after");
    b.rec.status = NGX_CAMPAIGN_A_DISABLED;
    b.rate = 42;
    b.burst = 3;
    is_uint(answer(ngx_campaign_store_account(st, begin(), &b)), NGX_CAMPAIGN_OK, "rate, burst, status and name are replaced");
    is_uint(b.rec.no, a.rec.no, "the answer is complete");
    is_int(b.rec.created, NOW / 1000000, "it was created when it was");
    is_int(b.rec.updated, NOW / 1000000 + 5, "and updated now");
    is_uint(now(fed_work, &a.rec.no), NGX_CAMPAIGN_OK, "the dispatcher hears of it");

    ngx_memzero(&b, sizeof(b));
    is_uint(answer(ngx_campaign_store_get(st, begin(), NGX_CAMPAIGN_ACCOUNT, 0, a.rec.id, &b)), NGX_CAMPAIGN_OK, "it is stored");
    is_str(&b.rec.name, "after", "name");
    is_uint(b.rec.status, NGX_CAMPAIGN_A_DISABLED, "status");
    is_uint(b.rate, 42, "rate");
    is_uint(b.burst, 3, "burst");

    is_uint(total(NGX_CAMPAIGN_ACCOUNT, 0, "", NGX_CAMPAIGN_A_ACTIVE), active - 1, "one active account less is listed");
    is_uint(total(NGX_CAMPAIGN_ACCOUNT, 0, "", NGX_CAMPAIGN_A_DISABLED), disabled + 1, "and one disabled more");

    ngx_memzero(&other, sizeof(other));
    other.rate = other.burst = 1;
    is_uint(put(NGX_CAMPAIGN_ACCOUNT, &other, 0, "before", ""), NGX_CAMPAIGN_OK, "the old name is free");

    b.rec.name = str("before");
    is_uint(answer(ngx_campaign_store_account(st, begin(), &b)), NGX_CAMPAIGN_EXISTS, "a name that is taken is EXISTS");
    is_uint(now(fed_work, &a.rec.no), NGX_CAMPAIGN_NOT_FOUND, "and nothing is changed");

    account = (uint32_t) a.rec.no;
    next = account + 1;

    ok(now(active_work, &account) == NGX_CAMPAIGN_OK && now(active_work, &next) == NGX_CAMPAIGN_OK, "campaigns of two accounts run");

    b.rec.name = str("after");
    b.rec.status = NGX_CAMPAIGN_A_ACTIVE;
    is_uint(answer(ngx_campaign_store_account(st, begin(), &b)), NGX_CAMPAIGN_OK, "an account may keep its name");
    is_uint(now(active_fed_work, &account), NGX_CAMPAIGN_OK, "when it is active again the dispatcher hears of its campaigns");
    is_uint(now(active_fed_work, &next), NGX_CAMPAIGN_NOT_FOUND, "and of nobody else's");

    ngx_memzero(&b, sizeof(b));
    ngx_memset(b.rec.id, 7, 16);
    b.rate = b.burst = 1;
    is_uint(answer(ngx_campaign_store_account(st, begin(), &b)), NGX_CAMPAIGN_NOT_FOUND, "an unknown account is NOT_FOUND");

    ngx_stub_now = NOW;
}


static void
test_key(void)
{
    u_char                  h[32];
    uint32_t                account;
    ngx_campaign_key_t      k, other, got;
    ngx_campaign_page_t     p;
    ngx_campaign_account_t  a;

    account = account_new("keys", "keys 1");

    ngx_memzero(&k, sizeof(k));
    k.scope = NGX_CAMPAIGN_SCOPE_READ;
    k.expires = NOW / 1000000 + 60;
    hash(k.hash, "keys 2");
    is_uint(put(NGX_CAMPAIGN_KEY, &k, account, "", ""), NGX_CAMPAIGN_OK, "a second key without a name is created");
    is_str(&k.rec.name, "", "it has none");

    hash(h, "keys 2");
    is_uint(answer(ngx_campaign_store_auth(st, begin(), h, &a, &got)), NGX_CAMPAIGN_OK, "it is known");
    is_uint(got.scope, NGX_CAMPAIGN_SCOPE_READ, "with its scope");
    is_uint(a.rec.no, account, "and its account");

    ngx_stub_now = NOW + 60 * 1000000LL - 1;
    is_uint(answer(ngx_campaign_store_auth(st, begin(), h, &a, &got)), NGX_CAMPAIGN_OK, "it is valid up to its last microsecond");
    ngx_stub_now = NOW + 60 * 1000000LL;
    is_uint(answer(ngx_campaign_store_auth(st, begin(), h, &a, &got)), NGX_CAMPAIGN_NOT_FOUND, "an expired key is NOT_FOUND");
    hash(h, "keys 1");
    is_uint(answer(ngx_campaign_store_auth(st, begin(), h, &a, &got)), NGX_CAMPAIGN_OK, "the account's other key goes on");
    ngx_stub_now = NOW;

    other = k;
    is_uint(put(NGX_CAMPAIGN_KEY, &other, account, "", ""), NGX_CAMPAIGN_EXISTS, "the same key again is EXISTS");
    hash(other.hash, "keys 3");
    is_uint(put(NGX_CAMPAIGN_KEY, &other, 4000000, "", ""), NGX_CAMPAIGN_NOT_FOUND, "a key for no account is NOT_FOUND");

    page_init(&p, NGX_CAMPAIGN_KEY, account, 10);
    is_uint(page_get(&p, str("")), NGX_CAMPAIGN_OK, "the account's keys are listed");
    is_uint(p.total, 2, "both");
    is_bytes(((ngx_campaign_key_t *) p.items->elts)->rec.id, 16, k.rec.id, 16, "newest first");

    is_uint(now(delete_work, &(change_t) { NGX_CAMPAIGN_KEY, &k.rec, 0, 0 }), NGX_CAMPAIGN_OK, "a key is deleted");
    hash(h, "keys 2");
    is_uint(answer(ngx_campaign_store_auth(st, begin(), h, &a, &got)), NGX_CAMPAIGN_NOT_FOUND, "and no longer known");
    is_uint(total(NGX_CAMPAIGN_KEY, account, "", 0), 1, "nor counted");
}


static void
test_sender(void)
{
    uint32_t               one, two;
    ngx_campaign_text_t    t;
    ngx_campaign_sender_t  s, other, got;

    one = account_new("senders 1", NULL);
    two = account_new("senders 2", NULL);

    ngx_memzero(&s, sizeof(s));
    s.type = NGX_CAMPAIGN_T_ALPHANUMERIC;
    is_uint(put(NGX_CAMPAIGN_SENDER, &s, one, "Acme", "SMS"), NGX_CAMPAIGN_OK, "a sender is created");

    other = s;
    is_uint(put(NGX_CAMPAIGN_SENDER, &other, one, "Acme", "SMS"), NGX_CAMPAIGN_EXISTS, "its name is taken in its channel");
    is_uint(put(NGX_CAMPAIGN_SENDER, &other, one, "Acme", "VIBER"), NGX_CAMPAIGN_OK, "and free in another");
    is_uint(put(NGX_CAMPAIGN_SENDER, &other, one, "cme", "SMSA"), NGX_CAMPAIGN_OK, "channel and name do not run together");
    is_uint(put(NGX_CAMPAIGN_SENDER, &other, two, "Acme", "SMS"), NGX_CAMPAIGN_OK, "and free in another account");

    is_uint(answer(ngx_campaign_store_get(st, begin(), NGX_CAMPAIGN_SENDER, one, s.rec.id, &got)), NGX_CAMPAIGN_OK,
            "it is found by its id");
    is_str(&got.rec.name, "Acme", "name");
    is_str(&got.rec.channel, "SMS", "channel");
    is_uint(got.type, NGX_CAMPAIGN_T_ALPHANUMERIC, "type");
    is_uint(got.rec.account, one, "account");
    is_bytes(got.rec.id, 16, s.rec.id, 16, "id");

    is_uint(answer(ngx_campaign_store_get(st, begin(), NGX_CAMPAIGN_SENDER, two, s.rec.id, &got)), NGX_CAMPAIGN_NOT_FOUND,
            "another account's sender is NOT_FOUND");
    is_uint(answer(ngx_campaign_store_get(st, begin(), NGX_CAMPAIGN_TEMPLATE, one, s.rec.id, &t)), NGX_CAMPAIGN_NOT_FOUND,
            "its id is none of a template");

    is_uint(total(NGX_CAMPAIGN_SENDER, one, "", 0), 3, "all of an account are counted");
    is_uint(total(NGX_CAMPAIGN_SENDER, one, "SMS", 0), 1, "those of a channel apart");
    is_uint(total(NGX_CAMPAIGN_SENDER, one, "SM", 0), 0, "a channel's name is not a prefix");
    is_uint(total(NGX_CAMPAIGN_SENDER, two, "VIBER", 0), 0, "other accounts count for themselves");

    is_uint(now(delete_work, &(change_t) { NGX_CAMPAIGN_SENDER, &s.rec, 0, 0 }), NGX_CAMPAIGN_OK, "a sender is deleted");
    is_uint(total(NGX_CAMPAIGN_SENDER, one, "SMS", 0), 0, "it is not counted any more");
    is_uint(put(NGX_CAMPAIGN_SENDER, &other, one, "Acme", "SMS"), NGX_CAMPAIGN_OK, "and its name is free");
}


static void
test_template(void)
{
    u_char               *text;
    uint32_t              account;
    ngx_campaign_text_t   t, got;

    account = account_new("templates", NULL);

    text = ngx_pnalloc(pool, 4000);
    ngx_memset(text, 'x', 4000);

    ngx_memzero(&t, sizeof(t));
    t.text.data = text;
    t.text.len = 4000;
    is_uint(put(NGX_CAMPAIGN_TEMPLATE, &t, account, "", "SMS"), NGX_CAMPAIGN_OK, "a template without a name is created");
    is_str(&t.rec.name, "template-1", "its name is assigned, counted in its account");

    is_uint(answer(ngx_campaign_store_get(st, begin(), NGX_CAMPAIGN_TEMPLATE, account, t.rec.id, &got)), NGX_CAMPAIGN_OK, "it is found");
    is_bytes(got.text.data, got.text.len, text, 4000, "with the longest text");
    is_str(&got.rec.name, "template-1", "and its name");

    is_uint(put(NGX_CAMPAIGN_TEMPLATE, &t, account, "template-2", "VIBER"), NGX_CAMPAIGN_OK, "the name that would come next is taken");
    is_uint(put(NGX_CAMPAIGN_TEMPLATE, &t, account, "", "SMS"), NGX_CAMPAIGN_OK, "another without a name");
    is_str(&t.rec.name, "template-3", "passes that name over");
    is_uint(put(NGX_CAMPAIGN_TEMPLATE, &t, account, "template-2", "SMS"), NGX_CAMPAIGN_EXISTS, "a name is taken in every channel");

    t.text.len = 0;
    is_uint(put(NGX_CAMPAIGN_TEMPLATE, &t, account, "empty", "SMS"), NGX_CAMPAIGN_OK, "an empty text");
    is_uint(answer(ngx_campaign_store_get(st, begin(), NGX_CAMPAIGN_TEMPLATE, account, t.rec.id, &got)), NGX_CAMPAIGN_OK, "is kept");
    is_uint(got.text.len, 0, "empty");

    is_uint(now(flip_work, &t.rec), NGX_CAMPAIGN_OK, "a bit of a record turns in the file");
    is_uint(answer(ngx_campaign_store_get(st, begin(), NGX_CAMPAIGN_TEMPLATE, account, t.rec.id, &got)), NGX_CAMPAIGN_FAILURE,
            "a damaged record is a failure, not an answer");
}


/* a group whose commit failed is repeated: the second run must not build on the first */

static void
test_again(void)
{
    uint32_t              account;
    ngx_campaign_txn_t    t;
    ngx_campaign_rec_t    id;
    ngx_campaign_text_t   text, other, got;

    account = account_new("again", NULL);

    ngx_memzero(&text, sizeof(text));
    text.rec.account = account;
    text.rec.channel = str("SMS");
    text.text = str("hello");

    is_int(ngx_campaign_store_put(st, begin(), NGX_CAMPAIGN_TEMPLATE, &text, NULL), NGX_AGAIN, "a template is on its way");

    ngx_memzero(&t, sizeof(t));
    t.store = st;
    t.log = &store_log;
    t.now = NOW;

    is_int(mdb_txn_begin(st->env, NULL, 0, &t.txn), 0, "its work");
    is_uint(((ngx_campaign_work_pt) op.work)(&t, &op, op.args), NGX_CAMPAIGN_OK, "runs");
    mdb_txn_abort(t.txn);
    id = text.rec;

    is_uint(answer(NGX_AGAIN), NGX_CAMPAIGN_OK, "was lost, and runs again");
    is_uint(text.rec.no, id.no, "with the same number");
    is_str(&text.rec.name, "template-1", "and the same name");
    is_uint(total(NGX_CAMPAIGN_TEMPLATE, account, "", 0), 1, "it is there once");
    is_uint(answer(ngx_campaign_store_get(st, begin(), NGX_CAMPAIGN_TEMPLATE, account, text.rec.id, &got)), NGX_CAMPAIGN_OK, "and found");

    /* the number of the lost run goes to another record, of the same name */

    ngx_memzero(&other, sizeof(other));
    other.rec.account = account;
    other.rec.name = str("twice");
    other.rec.channel = str("SMS");

    is_int(ngx_campaign_store_put(st, begin(), NGX_CAMPAIGN_TEMPLATE, &other, NULL), NGX_AGAIN, "another is on its way");
    is_int(mdb_txn_begin(st->env, NULL, 0, &t.txn), 0, "its work");
    is_uint(((ngx_campaign_work_pt) op.work)(&t, &op, op.args), NGX_CAMPAIGN_OK, "runs");
    mdb_txn_abort(t.txn);

    text.rec.no = 0;
    text.rec.name = str("twice");
    is_uint(now(create_work, &(change_t) { NGX_CAMPAIGN_TEMPLATE, &text.rec, 0, 0 }), NGX_CAMPAIGN_OK,
            "was lost, one of that name comes between");
    is_uint(text.rec.no, other.rec.no, "under the number it had");
    is_uint(answer(NGX_AGAIN), NGX_CAMPAIGN_EXISTS, "so the second run is EXISTS");

    /* the name that the lost run assigned is given to another */

    ngx_memzero(&other, sizeof(other));
    other.rec.account = account;
    other.rec.channel = str("SMS");

    is_int(ngx_campaign_store_put(st, begin(), NGX_CAMPAIGN_TEMPLATE, &other, NULL), NGX_AGAIN, "one without a name is on its way");
    is_int(mdb_txn_begin(st->env, NULL, 0, &t.txn), 0, "its work");
    is_uint(((ngx_campaign_work_pt) op.work)(&t, &op, op.args), NGX_CAMPAIGN_OK, "runs");
    mdb_txn_abort(t.txn);
    is_str(&other.rec.name, "template-2", "and assigns a name");

    text.rec.no = 0;
    text.rec.name = str("template-2");
    is_uint(now(create_work, &(change_t) { NGX_CAMPAIGN_TEMPLATE, &text.rec, 0, 0 }), NGX_CAMPAIGN_OK, "which another takes meanwhile");
    is_uint(answer(NGX_AGAIN), NGX_CAMPAIGN_OK, "so the second run");
    is_str(&other.rec.name, "template-3", "assigns the next");
}


static void
test_audience(void)
{
    uint32_t                  account;
    ngx_uint_t                i;
    ngx_campaign_pile_t       pile;
    ngx_campaign_contact_t    c;
    ngx_campaign_audience_t   a, got;

    account = account_new("audiences", NULL);

    ngx_memzero(&a, sizeof(a));
    is_uint(put(NGX_CAMPAIGN_AUDIENCE, &a, account, "none", "SMS"), NGX_CAMPAIGN_OK, "an audience without contacts is created");
    is_uint(a.contacts, 0, "nobody is in it");

    ngx_campaign_pile_init(&pile, pool);
    ngx_memzero(&c, sizeof(c));

    for (i = 0; i < 300; i++) {
        c.number = 15550000000 + i % 290;
        if (ngx_campaign_pile_add(&pile, &c) != NGX_OK) {
            diag("no memory");
            exit(1);
        }
    }

    ngx_memzero(&a, sizeof(a));
    a.rec.account = account;
    a.rec.name = str("some");
    a.rec.channel = str("SMS");
    is_uint(answer(ngx_campaign_store_put(st, begin(), NGX_CAMPAIGN_AUDIENCE, &a, &pile)), NGX_CAMPAIGN_OK, "one with a pile is");
    is_uint(a.contacts, 290, "doubles in it are dropped");

    is_uint(answer(ngx_campaign_store_get(st, begin(), NGX_CAMPAIGN_AUDIENCE, account, a.rec.id, &got)), NGX_CAMPAIGN_OK, "it is found");
    is_uint(got.contacts, 290, "with its contacts");
    is_uint(got.next, a.next, "and the next place");

    pile.n = NGX_CAMPAIGN_RECIPIENTS_MAX + 1;
    a.rec.name = str("many");
    is_uint(answer(ngx_campaign_store_put(st, begin(), NGX_CAMPAIGN_AUDIENCE, &a, &pile)), NGX_CAMPAIGN_TOO_MANY,
            "more than an audience may hold is TOO_MANY");
    is_uint(total(NGX_CAMPAIGN_AUDIENCE, account, "", 0), 2, "and leaves nothing");
}


static void
test_resolve(void)
{
    uint32_t                  account, foreign;
    ngx_campaign_refs_t       r;
    ngx_campaign_text_t       t;
    ngx_campaign_sender_t     sms, viber;
    ngx_campaign_audience_t   a;

    account = account_new("resolve", NULL);
    foreign = account_new("resolve foreign", NULL);

    ngx_memzero(&a, sizeof(a));
    ngx_memzero(&t, sizeof(t));
    ngx_memzero(&sms, sizeof(sms));
    ngx_memzero(&viber, sizeof(viber));
    t.text = str("Hello {first_name}");

    ok(put(NGX_CAMPAIGN_AUDIENCE, &a, account, "a", "SMS") == NGX_CAMPAIGN_OK
       && put(NGX_CAMPAIGN_TEMPLATE, &t, account, "t", "VIBER") == NGX_CAMPAIGN_OK
       && put(NGX_CAMPAIGN_SENDER, &sms, account, "Acme", "SMS") == NGX_CAMPAIGN_OK
       && put(NGX_CAMPAIGN_SENDER, &viber, account, "Acme", "VIBER") == NGX_CAMPAIGN_OK, "things to refer to");

    ngx_memset(&r, 0x5a, sizeof(r));
    r.account = account;
    r.channel = str("");
    r.audience = a.rec.id;
    r.template = t.rec.id;
    r.from = str("Acme");
    r.name = str("");
    r.to = NULL;
    r.nto = 0;
    is_uint(answer(ngx_campaign_store_resolve(st, begin(), &r)), NGX_CAMPAIGN_OK, "they are resolved");
    ok(r.audience_rc == NGX_CAMPAIGN_OK && r.template_rc == NGX_CAMPAIGN_OK && r.from_rc == NGX_CAMPAIGN_OK, "all three");
    is_str(&r.found_template.text, "Hello {first_name}", "the text of the template");
    is_bytes(r.found_from.rec.id, 16, sms.rec.id, 16, "the sender in the audience's channel");

    r.audience = NULL;
    is_uint(answer(ngx_campaign_store_resolve(st, begin(), &r)), NGX_CAMPAIGN_OK, "without an audience");
    is_bytes(r.found_from.rec.id, 16, viber.rec.id, 16, "the template's channel counts");
    is_uint(r.audience_rc, NGX_CAMPAIGN_OK, "what was not asked for is no mistake");

    r.channel = str("SMS");
    is_uint(answer(ngx_campaign_store_resolve(st, begin(), &r)), NGX_CAMPAIGN_OK, "with a channel in the request");
    is_bytes(r.found_from.rec.id, 16, sms.rec.id, 16, "that one counts");

    r.audience = t.rec.id;
    r.template = a.rec.id;
    r.from = str("Nobody");
    is_uint(answer(ngx_campaign_store_resolve(st, begin(), &r)), NGX_CAMPAIGN_OK, "three mistakes");
    ok(r.audience_rc == NGX_CAMPAIGN_NOT_FOUND && r.template_rc == NGX_CAMPAIGN_NOT_FOUND && r.from_rc == NGX_CAMPAIGN_NOT_FOUND,
       "are all told");

    r.account = foreign;
    r.audience = a.rec.id;
    r.template = t.rec.id;
    r.from = str("Acme");
    is_uint(answer(ngx_campaign_store_resolve(st, begin(), &r)), NGX_CAMPAIGN_OK, "for another account");
    ok(r.audience_rc == NGX_CAMPAIGN_NOT_FOUND && r.template_rc == NGX_CAMPAIGN_NOT_FOUND && r.from_rc == NGX_CAMPAIGN_NOT_FOUND,
       "they are not there");
}


/* lists and counts of a campaign as its status moves */

static void
test_move(void)
{
    uint32_t                 account;
    ngx_uint_t               i;
    ngx_campaign_campaign_t  c[3];

    account = account_new("moves", NULL);

    for (i = 0; i < 3; i++) {
        ngx_memzero(&c[i], sizeof(ngx_campaign_campaign_t));
        c[i].rec.account = account;
        c[i].rec.status = NGX_CAMPAIGN_C_SCHEDULED;
        c[i].rec.channel = str(i ? "SMS" : "VIBER");

        is_uint(now(create_work, &(change_t) { NGX_CAMPAIGN_CAMPAIGN, &c[i].rec, 0, 0 }), NGX_CAMPAIGN_OK, "campaign %d", (int) i + 1);
    }

    is_str(&c[2].rec.name, "campaign-3", "campaigns are called so");

    is_uint(now(move_stored_work, &(change_t) { NGX_CAMPAIGN_CAMPAIGN, &c[1].rec, NGX_CAMPAIGN_C_SCHEDULED, NGX_CAMPAIGN_C_IN_PROGRESS }),
            NGX_CAMPAIGN_OK, "one starts");

    is_uint(now(move_work, &(change_t) { NGX_CAMPAIGN_CAMPAIGN, &c[1].rec, NGX_CAMPAIGN_C_PAUSED, NGX_CAMPAIGN_C_CANCELED }),
            NGX_CAMPAIGN_FAILURE, "a move from a status it does not have is damage");

    c[1].rec.status = NGX_CAMPAIGN_C_IN_PROGRESS;
    is_uint(now(delete_work, &(change_t) { NGX_CAMPAIGN_CAMPAIGN, &c[1].rec, 0, 0 }), NGX_CAMPAIGN_OK,
            "it is deleted under the status it is listed under");
    is_uint(now(delete_work, &(change_t) { NGX_CAMPAIGN_CAMPAIGN, &c[0].rec, 0, 0 }), NGX_CAMPAIGN_OK, "another");
    is_uint(now(delete_work, &(change_t) { NGX_CAMPAIGN_CAMPAIGN, &c[2].rec, 0, 0 }), NGX_CAMPAIGN_OK, "the last");

    is_uint(total(NGX_CAMPAIGN_CAMPAIGN, account, "", 0), 0, "none is left");
    is_uint(total(NGX_CAMPAIGN_CAMPAIGN, account, "SMS", 0), 0, "in a channel");
    is_uint(total(NGX_CAMPAIGN_CAMPAIGN, account, "", NGX_CAMPAIGN_C_IN_PROGRESS), 0, "in a status");
    is_uint(total(NGX_CAMPAIGN_CAMPAIGN, account, "SMS", NGX_CAMPAIGN_C_SCHEDULED), 0, "in both");
}


/* real campaigns, by the store's own operations */

static void
test_campaign(void)
{
    u_char                    id[16];
    uint32_t                  account;
    ngx_uint_t                i;
    ngx_campaign_page_t       p;
    ngx_campaign_pile_t       pile;
    ngx_campaign_contact_t    contact;
    ngx_campaign_campaign_t   c, got;

    account = account_new("campaigns", NULL);

    {
        ngx_campaign_sender_t  s;

        ngx_memzero(&s, sizeof(s));
        is_uint(put(NGX_CAMPAIGN_SENDER, &s, account, "Acme", "SMS"), NGX_CAMPAIGN_OK, "a sender");
        is_uint(put(NGX_CAMPAIGN_SENDER, &s, account, "Acme", "VIBER"), NGX_CAMPAIGN_OK, "in two channels");
    }

    for (i = 0; i < 6; i++) {
        ngx_campaign_pile_init(&pile, pool);
        ngx_memzero(&contact, sizeof(contact));
        contact.number = 15550000000 + i;
        ok(ngx_campaign_pile_add(&pile, &contact) == NGX_OK, "a recipient");

        ngx_memzero(&c, sizeof(c));
        c.rec.account = account;
        c.rec.channel = str(i % 3 ? "SMS" : "VIBER");
        c.from = str("Acme");
        c.text = str("Hello");
        c.schedule = NOW / 1000000 + 3600;
        is_uint(answer(ngx_campaign_store_create(st, begin(), &c, &pile)), NGX_CAMPAIGN_OK, "campaign %d", (int) i);

        if (i == 4) {
            ngx_memcpy(id, c.rec.id, 16);
        }
    }

    is_uint(answer(ngx_campaign_store_get(st, begin(), NGX_CAMPAIGN_CAMPAIGN, account, id, &got)), NGX_CAMPAIGN_OK,
            "one is found by its id");
    is_str(&got.rec.name, "campaign-5", "it is the one");
    is_uint(got.progress.total, 1, "complete with its counters");
    is_uint(answer(ngx_campaign_store_get(st, begin(), NGX_CAMPAIGN_CAMPAIGN, account + 1, id, &got)), NGX_CAMPAIGN_NOT_FOUND,
            "another account's campaign is NOT_FOUND");

    ngx_memzero(&c, sizeof(c));
    c.rec.account = account;
    ngx_memcpy(c.rec.id, id, 16);
    c.rec.status = NGX_CAMPAIGN_C_CANCELED;
    is_uint(answer(ngx_campaign_store_change(st, begin(), &c, NGX_CAMPAIGN_SET_STATUS, 1 << NGX_CAMPAIGN_C_SCHEDULED)), NGX_CAMPAIGN_OK,
            "it is canceled");

    is_uint(total(NGX_CAMPAIGN_CAMPAIGN, account, "", 0), 6, "all count");
    is_uint(total(NGX_CAMPAIGN_CAMPAIGN, account, "SMS", 0), 4, "by channel");
    is_uint(total(NGX_CAMPAIGN_CAMPAIGN, account, "", NGX_CAMPAIGN_C_SCHEDULED), 5, "by status");
    is_uint(total(NGX_CAMPAIGN_CAMPAIGN, account, "SMS", NGX_CAMPAIGN_C_SCHEDULED), 3, "by both");
    is_uint(total(NGX_CAMPAIGN_CAMPAIGN, account, "VIBER", NGX_CAMPAIGN_C_CANCELED), 0, "by both, none");

    page_init(&p, NGX_CAMPAIGN_CAMPAIGN, account, 10);
    p.status = NGX_CAMPAIGN_C_CANCELED;
    is_uint(page_get(&p, str("")), NGX_CAMPAIGN_OK, "a page of a status");
    is_uint(p.items->nelts, 1, "holds that one");
    is_uint(((ngx_campaign_campaign_t *) p.items->elts)->rec.status, NGX_CAMPAIGN_C_CANCELED, "with its status of now");
}


int
main(int argc, char **argv)
{
    static void (*const  tests[])(void) = {
        test_account, test_account_change, test_key, test_sender, test_template, test_again,
        test_audience, test_resolve, test_move, test_campaign
    };

    return record_run(argv[0], tests, sizeof(tests) / sizeof(tests[0]));
}
