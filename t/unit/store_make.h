
/*
 * What the tests of records, contacts and campaigns share: a store with an account or two, senders, audiences, piles of numbers; and a
 * look at the whole store: are lists, counts and tables what the campaigns' runs say?
 */

#ifndef _STORE_MAKE_H_INCLUDED_
#define _STORE_MAKE_H_INCLUDED_


#include "store.h"
#include "ngx_campaign_store_lmdb_turn.h"


#define MAKE_NOW  (1795000000LL * 1000000)      /* us */


typedef struct {
    ngx_uint_t   campaigns;
    ngx_uint_t   wrong;                         /* in how many ways something disagrees */
    size_t       entries[NGX_CAMPAIGN_DB_MAX];
} make_look_t;

typedef struct {
    ngx_campaign_audience_t  *audience;         /* NULL: its record stays as it is */
    uint64_t                  list;
    uint64_t                  mark;             /* the newest campaign at that time */
    uint32_t                  from, to;         /* places to erase, in block 0 */
} make_erase_t;


static ngx_campaign_store_t  *st;


STORE_UNUSED static void
make_store(const char *program)
{
    store_fresh(program);

    store_conf.size = 512 * 1024 * 1024;
    store_log.log_level = NGX_LOG_ERR;
    ngx_stub_now = MAKE_NOW;

    st = ngx_campaign_store_open(&store_conf, &store_log);
    if (st == NULL) {
        diag("the store does not open");
        exit(2);
    }
}


STORE_UNUSED static void
make_end(void)
{
    ngx_campaign_lmdb_close(st);
    store_remove();
}


STORE_UNUSED static ngx_str_t
make_str(const char *text)
{
    ngx_str_t  s;

    s.len = strlen(text);
    s.data = (u_char *) text;

    return s;
}


/* numbers first, first + step, …, n of them, each with its place as first name if named */

STORE_UNUSED static ngx_campaign_pile_t *
make_pile(ngx_pool_t *pool, uint64_t first, uint64_t step, ngx_uint_t n, ngx_uint_t named)
{
    char                     name[24];
    ngx_uint_t               i;
    ngx_campaign_pile_t     *pile;
    ngx_campaign_contact_t   c;

    pile = ngx_palloc(pool, sizeof(ngx_campaign_pile_t));
    ngx_campaign_pile_init(pile, pool);

    ngx_memzero(&c, sizeof(ngx_campaign_contact_t));

    for (i = 0; i < n; i++) {
        c.number = first + i * step;

        if (named) {
            (void) snprintf(name, sizeof(name), "n%lu", (unsigned long) i);
            c.field[NGX_CAMPAIGN_CONTACT_FIRST_NAME] = make_str(name);
        }

        if (ngx_campaign_pile_add(pile, &c) != NGX_OK) {
            exit(2);
        }
    }

    return pile;
}


static ngx_campaign_rc_e
make_put(ngx_campaign_kind_e kind, void *rec, uint32_t account, const char *name, const char *channel, ngx_campaign_pile_t *pile)
{
    ngx_campaign_rec_t  *head;

    head = rec;
    head->account = account;
    head->name = make_str(name);
    head->channel = make_str(channel);

    return store_answer(ngx_campaign_store_put(st, store_begin(), kind, rec, pile));
}


STORE_UNUSED static uint32_t
make_account(const char *name)
{
    ngx_campaign_account_t  a;

    ngx_memzero(&a, sizeof(ngx_campaign_account_t));

    a.rate = 1000ULL * NGX_CAMPAIGN_RATE_UNIT;
    a.burst = 1000;
    ngx_memcpy(a.key_hash, name, strlen(name));

    if (make_put(NGX_CAMPAIGN_ACCOUNT, &a, 0, name, "", NULL) != NGX_CAMPAIGN_OK) {
        diag("no account");
        exit(2);
    }

    return (uint32_t) a.rec.no;
}


STORE_UNUSED static void
make_sender(uint32_t account, const char *name, u_char *id)
{
    ngx_campaign_sender_t  s;

    ngx_memzero(&s, sizeof(ngx_campaign_sender_t));
    s.type = NGX_CAMPAIGN_T_ALPHANUMERIC;

    if (make_put(NGX_CAMPAIGN_SENDER, &s, account, name, "SMS", NULL) != NGX_CAMPAIGN_OK) {
        diag("no sender");
        exit(2);
    }

    if (id) {
        ngx_memcpy(id, s.rec.id, NGX_CAMPAIGN_ID_LEN);
    }
}


STORE_UNUSED static void
make_audience(uint32_t account, const char *name, u_char *id)
{
    ngx_campaign_audience_t  a;

    ngx_memzero(&a, sizeof(ngx_campaign_audience_t));

    if (make_put(NGX_CAMPAIGN_AUDIENCE, &a, account, name, "SMS", NULL) != NGX_CAMPAIGN_OK) {
        diag("no audience");
        exit(2);
    }

    ngx_memcpy(id, a.rec.id, NGX_CAMPAIGN_ID_LEN);
}


STORE_UNUSED static ngx_campaign_rc_e
make_import(uint32_t account, const u_char *audience, ngx_campaign_import_t *import, uint64_t first, uint64_t step, ngx_uint_t n)
{
    store_op_t         *so;
    ngx_campaign_rc_e   rc;

    so = store_op();

    import->account = account;
    import->pile = make_pile(so->op.pool, first, step, n, 0);
    ngx_memcpy(import->audience, audience, NGX_CAMPAIGN_ID_LEN);

    rc = store_wait(so, ngx_campaign_store_import(st, &so->op, import));
    store_free(so);

    return rc;
}


/* to an audience that has none of them */

STORE_UNUSED static void
make_add(uint32_t account, const u_char *audience, uint64_t first, ngx_uint_t n)
{
    ngx_campaign_import_t  import;

    ngx_memzero(&import, sizeof(ngx_campaign_import_t));

    if (make_import(account, audience, &import, first, 1, n) != NGX_CAMPAIGN_OK || import.created != n) {
        diag("no contacts");
        exit(2);
    }
}


STORE_UNUSED static ngx_campaign_rc_e
make_delete(ngx_campaign_kind_e kind, uint32_t account, u_char *id)
{
    return store_answer(ngx_campaign_store_delete(st, store_begin(), kind, account, id));
}


/* complains once a disagreement */

static void
make_wrong(make_look_t *look, const char *what, uint64_t campaign)
{
    diag("campaign %" PRIu64 ": %s", campaign, what);
    look->wrong++;
}


static ngx_uint_t
make_has(ngx_campaign_txn_t *t, ngx_campaign_db_e db, const u_char *key, size_t len)
{
    MDB_val  value;

    return ngx_campaign_lmdb_get(t, db, key, len, &value) == 0;
}


static void
make_look_campaign(ngx_campaign_txn_t *t, make_look_t *look, uint32_t account, uint64_t no, size_t *statuses, size_t *messages)
{
    u_char                     key[NGX_CAMPAIGN_LIST_KEY], sched[16];
    size_t                     len;
    time_t                     start;
    ngx_uint_t                 active, scheduled;
    ngx_campaign_progress_t   *p;
    ngx_campaign_campaign_t    c;

    static const ngx_str_t     any = ngx_null_string;

    if (ngx_campaign_lmdb_campaign_get(t, account, no, NULL, &c) != NGX_CAMPAIGN_OK) {
        make_wrong(look, "no record or run", no);
        return;
    }

    statuses[c.rec.status]++;
    p = &c.progress;
    *messages += p->total;

    if (p->pending + p->enroute + p->sent + p->delivered + p->failed + p->canceled + p->skipped != p->total) {
        make_wrong(look, "counters do not make the total", no);
    }

    len = ngx_campaign_lmdb_record_list(key, c.rec.apart ? NGX_CAMPAIGN_MESSAGE : NGX_CAMPAIGN_CAMPAIGN, account, &any, c.rec.status);
    ngx_campaign_be64_put(key + len, no);

    if (!make_has(t, NGX_CAMPAIGN_DB_LIST, key, len + 8)) {
        make_wrong(look, "not in the list of its status", no);
    }

    start = c.schedule ? c.schedule : c.rec.created;
    ngx_campaign_be64_put(ngx_campaign_be64_put(sched, start), no);
    scheduled = make_has(t, NGX_CAMPAIGN_DB_SCHED, sched, 16);

    if (scheduled != (c.rec.status == NGX_CAMPAIGN_C_SCHEDULED)) {
        make_wrong(look, "sched", no);
    }

    ngx_campaign_be64_put(ngx_campaign_be32_put(key, account), no);
    active = make_has(t, NGX_CAMPAIGN_DB_ACTIVE, key, 12);

    if (active != (c.rec.status == NGX_CAMPAIGN_C_IN_PROGRESS || p->enroute)) {
        make_wrong(look, "active", no);
    }
}


static ngx_campaign_rc_e
make_look_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args)
{
    make_look_t *look = args;

    u_char            *p, key[NGX_CAMPAIGN_LIST_KEY];
    size_t             len, messages, statuses[NGX_CAMPAIGN_C_MAX], all[NGX_CAMPAIGN_C_MAX];
    uint32_t           account;
    MDB_val            k, v;
    MDB_stat           stat;
    uint64_t           n, apart;
    ngx_uint_t         i, accounts;
    MDB_cursor        *cursor;

    static const ngx_str_t  any = ngx_null_string;

    for (i = 0; i < NGX_CAMPAIGN_DB_MAX; i++) {
        (void) mdb_stat(t->txn, t->store->dbi[i], &stat);
        look->entries[i] = stat.ms_entries;
    }

    ngx_memzero(all, sizeof(all));

    if (mdb_cursor_open(t->txn, t->store->dbi[NGX_CAMPAIGN_DB_REC], &cursor) != 0) {
        return NGX_CAMPAIGN_FAILURE;
    }

    for (accounts = 10, account = 1; account <= accounts; account++) {
        ngx_memzero(statuses, sizeof(statuses));
        messages = 0;

        ngx_campaign_be32_put(key, account);
        key[4] = NGX_CAMPAIGN_CAMPAIGN;
        ngx_campaign_be64_put(key + 5, 0);
        k.mv_size = 13;
        k.mv_data = key;

        for (i = mdb_cursor_get(cursor, &k, &v, MDB_SET_RANGE); i == 0; i = mdb_cursor_get(cursor, &k, &v, MDB_NEXT)) {
            p = k.mv_data;

            if (ngx_campaign_be32_get(p) != account || p[4] != NGX_CAMPAIGN_CAMPAIGN) {
                break;
            }

            look->campaigns++;
            make_look_campaign(t, look, account, ngx_campaign_be64_get(p + 5), statuses, &messages);
        }

        for (i = 1; i < NGX_CAMPAIGN_C_MAX; i++) {
            len = ngx_campaign_lmdb_record_list(key, NGX_CAMPAIGN_CAMPAIGN, account, &any, i);

            n = 0;
            apart = 0;
            (void) ngx_campaign_lmdb_counter_get(t, NGX_CAMPAIGN_DB_COUNT, key, len, &n);

            len = ngx_campaign_lmdb_record_list(key, NGX_CAMPAIGN_MESSAGE, account, &any, i);
            (void) ngx_campaign_lmdb_counter_get(t, NGX_CAMPAIGN_DB_COUNT, key, len, &apart);

            if (n + apart != statuses[i]) {
                make_wrong(look, "count of a status", i);
            }

            all[i] += statuses[i];
        }

        if (ngx_campaign_message_total(t, account, &any, &n) != NGX_CAMPAIGN_OK || n != messages) {
            make_wrong(look, "count of an account's messages", account);
        }
    }

    mdb_cursor_close(cursor);

    if (look->entries[NGX_CAMPAIGN_DB_RUN] != look->campaigns) {
        make_wrong(look, "a run without a campaign", 0);
    }

    if (look->entries[NGX_CAMPAIGN_DB_SCHED] != all[NGX_CAMPAIGN_C_SCHEDULED]) {
        make_wrong(look, "an entry of sched without a campaign", 0);
    }

    return NGX_CAMPAIGN_OK;
}


/* 1: all that is kept twice agrees */

STORE_UNUSED static ngx_uint_t
make_look(make_look_t *look)
{
    make_look_t        own;
    ngx_campaign_rc_e  rc;

    if (look == NULL) {
        look = &own;
    }

    ngx_memzero(look, sizeof(make_look_t));

    rc = store_answer(ngx_campaign_lmdb_read(st, store_begin(), make_look_work, look));

    return rc == NGX_CAMPAIGN_OK && look->wrong == 0;
}


/* of one table; -1 if the store does not agree with itself */

STORE_UNUSED static size_t
make_entries(ngx_campaign_db_e db)
{
    make_look_t  look;

    return make_look(&look) ? look.entries[db] : (size_t) -1;
}


/* what deletions of contacts write, with a mark of the test's choice */

STORE_UNUSED static ngx_campaign_rc_e
make_erase_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args)
{
    make_erase_t *erase = args;

    u_char                   key[12], *to, block[NGX_CAMPAIGN_BLOCK * 64];
    MDB_val                  value;
    uint32_t                 seq;
    const u_char            *p, *end;
    ngx_campaign_contact_t   c;

    ngx_campaign_be32_put(ngx_campaign_be64_put(key, erase->list), 0);

    if (ngx_campaign_lmdb_get(t, NGX_CAMPAIGN_DB_BLOCK, key, 12, &value) != 0) {
        return NGX_CAMPAIGN_FAILURE;
    }

    p = value.mv_data;
    end = p + value.mv_size - 4;
    to = block;

    for (seq = 0; p && p < end; seq++) {
        p = ngx_campaign_contact_unpack(p, end, &c);

        if (seq >= erase->from && seq < erase->to) {
            ngx_memzero(&c, sizeof(c));
            c.deleted = erase->mark + 1;
        }

        to = ngx_campaign_contact_pack(to, &c);
    }

    to = ngx_campaign_be32_put(to, ngx_campaign_crc32c(0, block, to - block));

    if (ngx_campaign_lmdb_put(t, NGX_CAMPAIGN_DB_BLOCK, key, 12, block, to - block) != 0) {
        return NGX_CAMPAIGN_FAILURE;
    }

    if (erase->audience == NULL) {
        return NGX_CAMPAIGN_OK;
    }

    erase->audience->contacts -= erase->to - erase->from;

    return ngx_campaign_lmdb_record_update(t, NGX_CAMPAIGN_AUDIENCE, erase->audience);
}


#endif /* _STORE_MAKE_H_INCLUDED_ */
