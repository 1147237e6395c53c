
/*
 * Records and what leads to them: names, lists, counts, API keys, the numbers given; idempotency keys and their dates.
 */

#include "ngx_campaign_ctl_check.h"

#include <stddef.h>


#define NGX_CAMPAIGN_CHECK_REC   13             /* account u32, kind u8, no u64 */
#define NGX_CAMPAIGN_CHECK_KEPT  12             /* account u32, kept u64, before the idempotency key */
#define NGX_CAMPAIGN_CHECK_IDEM  42             /* bytes before the body */


static void ngx_campaign_check_rec_index(ngx_campaign_check_t *c, const MDB_val *key, ngx_campaign_kind_e kind, ngx_campaign_rec_t *rec);
static void ngx_campaign_check_rec_audience(ngx_campaign_check_t *c, const MDB_val *key, ngx_campaign_audience_t *a);
static void ngx_campaign_check_rec_campaign(ngx_campaign_check_t *c, const MDB_val *key, ngx_campaign_campaign_t *campaign);
static ngx_uint_t ngx_campaign_check_listed(ngx_campaign_check_t *c, ngx_campaign_kind_e kind, ngx_campaign_rec_t *rec);
static ngx_uint_t ngx_campaign_check_zero(const u_char *id);


void
ngx_campaign_check_rec(ngx_campaign_check_t *c, const MDB_val *key, const MDB_val *value)
{
    u_char               *p, owner[NGX_CAMPAIGN_CHECK_REC];
    uint32_t              account, zero;
    uint64_t              no, back;
    ngx_campaign_rec_t   *rec;
    ngx_campaign_kind_e   kind;

    if (!ngx_campaign_check_form(c, NGX_CAMPAIGN_DB_REC, key, NGX_CAMPAIGN_CHECK_REC, value, -1)) {
        return;
    }

    p = key->mv_data;
    account = ngx_campaign_be32_get(p);
    kind = p[4];
    no = ngx_campaign_be64_get(p + 5);
    rec = c->record;

    if (kind >= NGX_CAMPAIGN_KIND_MAX || ngx_campaign_lmdb_record_size(kind) == 0 || no == 0) {
        ngx_campaign_check_fault(c, NGX_CAMPAIGN_DB_REC, key, "no kind of record");
        return;
    }

    ngx_campaign_check_own(c, kind, no, account);

    c->objects[kind]++;
    c->last[kind] = ngx_max(c->last[kind], no);

    if (!ngx_campaign_check_record(c, kind, account, no, rec)) {
        ngx_campaign_check_fault(c, NGX_CAMPAIGN_DB_REC, key, c->t.err == MDB_VERSION_MISMATCH ? "written by a newer version"
                                                                                             : "wrong checksum or form");
        return;
    }

    if (ngx_campaign_id_open(c->store.secret, kind, rec->id, &back, &zero) != NGX_OK || back != no || zero != 0) {
        ngx_campaign_check_fault(c, NGX_CAMPAIGN_DB_REC, key, "its id does not lead back to it");
    }

    if (kind == NGX_CAMPAIGN_ACCOUNT ? account != 0 : account == 0) {
        ngx_campaign_check_fault(c, NGX_CAMPAIGN_DB_REC, key, "belongs to account %u", account);

    } else if (kind != NGX_CAMPAIGN_ACCOUNT) {
        ngx_campaign_be32_put(owner, 0);
        owner[4] = NGX_CAMPAIGN_ACCOUNT;
        ngx_campaign_be64_put(owner + 5, account);

        if (!ngx_campaign_check_get(c, NGX_CAMPAIGN_DB_REC, owner, NGX_CAMPAIGN_CHECK_REC, NULL)) {
            ngx_campaign_check_fault(c, NGX_CAMPAIGN_DB_REC, key, "its account %u is not there", account);
        }
    }

    ngx_campaign_check_rec_index(c, key, kind, rec);
}


static void
ngx_campaign_check_rec_index(ngx_campaign_check_t *c, const MDB_val *key, ngx_campaign_kind_e kind, ngx_campaign_rec_t *rec)
{
    u_char      name[NGX_CAMPAIGN_NAME_KEY], list[NGX_CAMPAIGN_LIST_KEY + 8];
    size_t      len;
    MDB_val     value;
    ngx_uint_t  facet;

    len = ngx_campaign_lmdb_record_name_key(name, kind, rec, &rec->name);

    if (len && (!ngx_campaign_check_get(c, NGX_CAMPAIGN_DB_NAME, name, len, &value) || value.mv_size != 8
                || ngx_campaign_be64_get(value.mv_data) != rec->no))
    {
        ngx_campaign_check_fault(c, NGX_CAMPAIGN_DB_REC, key, "its name does not lead to it");
    }

    if (kind == NGX_CAMPAIGN_KEY
        && (!ngx_campaign_check_get(c, NGX_CAMPAIGN_DB_KEY, ((ngx_campaign_key_t *) rec)->hash, 32, &value)))
    {
        ngx_campaign_check_fault(c, NGX_CAMPAIGN_DB_REC, key, "its API key does not lead to it");
    }

    if (kind == NGX_CAMPAIGN_AUDIENCE) {
        ngx_campaign_check_rec_audience(c, key, (ngx_campaign_audience_t *) rec);
    }

    if (kind == NGX_CAMPAIGN_CAMPAIGN) {
        ngx_campaign_check_rec_campaign(c, key, (ngx_campaign_campaign_t *) rec);
    }

    if (!ngx_campaign_check_listed(c, kind, rec)) {
        return;                                         /* no run: said */
    }

    for (facet = 0; facet < NGX_CAMPAIGN_FACETS; facet++) {
        len = ngx_campaign_lmdb_record_facet(list, kind, rec, facet);

        if (len == 0) {
            continue;
        }

        ngx_campaign_be64_put(list + len, rec->no);

        if (!ngx_campaign_check_get(c, NGX_CAMPAIGN_DB_LIST, list, len + 8, NULL)) {
            ngx_campaign_check_fault(c, NGX_CAMPAIGN_DB_REC, key, "not in its list of facet %u", (unsigned) facet);
        }
    }
}


static void
ngx_campaign_check_rec_audience(ngx_campaign_check_t *c, const MDB_val *key, ngx_campaign_audience_t *a)
{
    u_char  block[12];

    ngx_campaign_be32_put(ngx_campaign_be64_put(block, NGX_CAMPAIGN_LIST_AUDIENCE(a->rec.no)), 0);

    if (a->contacts > a->next || (a->next && !ngx_campaign_check_get(c, NGX_CAMPAIGN_DB_BLOCK, block, 12, NULL))) {
        ngx_campaign_check_fault(c, NGX_CAMPAIGN_DB_REC, key, "its contacts are not there");
    }
}


/* ids in it were made under the store's secret: they tell whether that is still the same */

static void
ngx_campaign_check_rec_campaign(ngx_campaign_check_t *c, const MDB_val *key, ngx_campaign_campaign_t *campaign)
{
    u_char    run[8];
    uint32_t  zero;
    uint64_t  no, list;

    ngx_campaign_be64_put(run, campaign->rec.no);

    if (!ngx_campaign_check_get(c, NGX_CAMPAIGN_DB_RUN, run, 8, NULL)) {
        ngx_campaign_check_fault(c, NGX_CAMPAIGN_DB_REC, key, "it has no run");
    }

    list = NGX_CAMPAIGN_LIST_CAMPAIGN(campaign->rec.no);

    if (!ngx_campaign_check_zero(campaign->audience)) {

        if (ngx_campaign_id_open(c->store.secret, NGX_CAMPAIGN_AUDIENCE, campaign->audience, &no, &zero) != NGX_OK) {
            ngx_campaign_check_fault(c, NGX_CAMPAIGN_DB_REC, key, "the id of its audience was not made by this store");
            return;
        }

        list = NGX_CAMPAIGN_LIST_AUDIENCE(no);
    }

    if (campaign->list != list) {
        ngx_campaign_check_fault(c, NGX_CAMPAIGN_DB_REC, key, "its list is not its audience's");
    }

    if (!ngx_campaign_check_zero(campaign->template)
        && ngx_campaign_id_open(c->store.secret, NGX_CAMPAIGN_TEMPLATE, campaign->template, &no, &zero) != NGX_OK)
    {
        ngx_campaign_check_fault(c, NGX_CAMPAIGN_DB_REC, key, "the id of its template was not made by this store");
    }
}


/* the status under which rec is listed; 0: not known */

static ngx_uint_t
ngx_campaign_check_listed(ngx_campaign_check_t *c, ngx_campaign_kind_e kind, ngx_campaign_rec_t *rec)
{
    ngx_campaign_run_t  run;

    if (kind != NGX_CAMPAIGN_CAMPAIGN) {
        return 1;
    }

    if (ngx_campaign_lmdb_run_get(&c->t, rec->no, &run) != NGX_CAMPAIGN_OK) {
        return 0;
    }

    rec->status = run.status;

    return 1;
}


static ngx_uint_t
ngx_campaign_check_zero(const u_char *id)
{
    static const u_char  zero[NGX_CAMPAIGN_ID_LEN];

    return ngx_memcmp(id, zero, NGX_CAMPAIGN_ID_LEN) == 0;
}


void
ngx_campaign_check_name(ngx_campaign_check_t *c, const MDB_val *key, const MDB_val *value)
{
    u_char              *p, name[NGX_CAMPAIGN_NAME_KEY];
    size_t               len;
    ngx_campaign_rec_t  *rec;

    p = key->mv_data;
    rec = c->record;

    if (key->mv_size < 7 || value->mv_size != 8) {
        (void) ngx_campaign_check_form(c, NGX_CAMPAIGN_DB_NAME, key, 7, value, 8);
        return;
    }

    if (!ngx_campaign_check_record(c, p[4], ngx_campaign_be32_get(p), ngx_campaign_be64_get(value->mv_data), rec)) {
        ngx_campaign_check_fault(c, NGX_CAMPAIGN_DB_NAME, key, "leads to no record");
        return;
    }

    len = ngx_campaign_lmdb_record_name_key(name, p[4], rec, &rec->name);

    if (len != key->mv_size || ngx_memcmp(name, p, len) != 0) {
        ngx_campaign_check_fault(c, NGX_CAMPAIGN_DB_NAME, key, "leads to a record of another name");
    }
}


void
ngx_campaign_check_in_list(ngx_campaign_check_t *c, const MDB_val *key, const MDB_val *value)
{
    u_char               *p, list[NGX_CAMPAIGN_LIST_KEY];
    size_t                len;
    ngx_uint_t            facet;
    ngx_campaign_rec_t   *rec;
    ngx_campaign_kind_e   kind;

    p = key->mv_data;
    rec = c->record;

    if (key->mv_size < 14 || value->mv_size != 0) {
        (void) ngx_campaign_check_form(c, NGX_CAMPAIGN_DB_LIST, key, 14, value, 0);
        return;
    }

    ngx_campaign_check_want(c, NGX_CAMPAIGN_DB_COUNT, p, key->mv_size - 8, 1);

    kind = (p[4] == NGX_CAMPAIGN_MESSAGE) ? NGX_CAMPAIGN_CAMPAIGN : p[4];

    if (!ngx_campaign_check_record(c, kind, ngx_campaign_be32_get(p), ngx_campaign_be64_get(p + key->mv_size - 8), rec)) {
        ngx_campaign_check_fault(c, NGX_CAMPAIGN_DB_LIST, key, "leads to no record");
        return;
    }

    if (!ngx_campaign_check_listed(c, kind, rec)) {
        return;
    }

    for (facet = 0; facet < NGX_CAMPAIGN_FACETS; facet++) {
        len = ngx_campaign_lmdb_record_facet(list, kind, rec, facet);

        if (len && len == key->mv_size - 8 && ngx_memcmp(list, p, len) == 0) {
            return;
        }
    }

    ngx_campaign_check_fault(c, NGX_CAMPAIGN_DB_LIST, key, "leads to a record that belongs into another list");
}


void
ngx_campaign_check_count(ngx_campaign_check_t *c, const MDB_val *key, const MDB_val *value)
{
    if (key->mv_size < 6 || value->mv_size != 8) {
        (void) ngx_campaign_check_form(c, NGX_CAMPAIGN_DB_COUNT, key, 6, value, 8);
        return;
    }

    ngx_campaign_check_have(c, NGX_CAMPAIGN_DB_COUNT, key->mv_data, key->mv_size, ngx_campaign_be64_get(value->mv_data));
}


void
ngx_campaign_check_key(ngx_campaign_check_t *c, const MDB_val *key, const MDB_val *value)
{
    u_char              *p;
    ngx_campaign_key_t   record;

    if (!ngx_campaign_check_form(c, NGX_CAMPAIGN_DB_KEY, key, 32, value, 12)) {
        return;
    }

    p = value->mv_data;

    if (!ngx_campaign_check_record(c, NGX_CAMPAIGN_KEY, ngx_campaign_be32_get(p), ngx_campaign_be64_get(p + 4), &record)
        || ngx_memcmp(record.hash, key->mv_data, 32) != 0)
    {
        ngx_campaign_check_fault(c, NGX_CAMPAIGN_DB_KEY, key, "does not lead to its record");
    }
}


/* schema and secret were looked at before all else */

void
ngx_campaign_check_meta(ngx_campaign_check_t *c, const MDB_val *key, const MDB_val *value)
{
    u_char      *p;
    uint64_t     last;
    ngx_uint_t   i;

    static const struct {
        const char  *name;
        size_t       len, size;
    } known[] = {
        { "schema", 6, 4 }, { "secret", 6, NGX_CAMPAIGN_SECRET_LEN }, { "epoch", 5, 8 }, { "suspect", 7, 33 }
    };

    p = key->mv_data;

    for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (key->mv_size == known[i].len && ngx_memcmp(p, known[i].name, known[i].len) == 0) {
            (void) ngx_campaign_check_form(c, NGX_CAMPAIGN_DB_META, key, known[i].len, value, known[i].size);
            return;
        }
    }

    if (!((key->mv_size == 2 && p[0] == 0) || (key->mv_size == 6 && p[0] == 1)) || p[1] == 0 || p[1] >= NGX_CAMPAIGN_KIND_MAX) {
        ngx_campaign_check_fault(c, NGX_CAMPAIGN_DB_META, key, "nobody knows what that is");
        return;
    }

    if (!ngx_campaign_check_form(c, NGX_CAMPAIGN_DB_META, key, key->mv_size, value, 8)) {
        return;
    }

    last = ngx_campaign_be64_get(value->mv_data);

    if (key->mv_size == 2 && last < c->last[p[1]]) {
        ngx_campaign_check_fault(c, NGX_CAMPAIGN_DB_META, key, "last number is %llu, and %llu is given", (unsigned long long) last,
                                 (unsigned long long) c->last[p[1]]);
    }
}


void
ngx_campaign_check_idem(ngx_campaign_check_t *c, const MDB_val *key, const MDB_val *value)
{
    u_char   *p, *data, kept[NGX_CAMPAIGN_CHECK_KEPT + NGX_CAMPAIGN_IDEM_KEY_MAX];
    size_t    len;

    p = key->mv_data;
    data = value->mv_data;

    if (key->mv_size < 5 || key->mv_size > 4 + NGX_CAMPAIGN_IDEM_KEY_MAX || value->mv_size < NGX_CAMPAIGN_CHECK_IDEM + 4) {
        (void) ngx_campaign_check_form(c, NGX_CAMPAIGN_DB_IDEM, key, 5, value, NGX_CAMPAIGN_CHECK_IDEM + 4);
        return;
    }

    if (!ngx_campaign_check_sum(c, NGX_CAMPAIGN_DB_IDEM, key, value)) {
        return;
    }

    ngx_memcpy(kept, p, 4);
    ngx_memcpy(kept + 4, data, 8);
    len = key->mv_size - 4;
    ngx_memcpy(kept + NGX_CAMPAIGN_CHECK_KEPT, p + 4, len);

    if (!ngx_campaign_check_get(c, NGX_CAMPAIGN_DB_KEPT, kept, NGX_CAMPAIGN_CHECK_KEPT + len, NULL)) {
        ngx_campaign_check_fault(c, NGX_CAMPAIGN_DB_IDEM, key, "its date is not in the order of dates");
    }
}


void
ngx_campaign_check_kept(ngx_campaign_check_t *c, const MDB_val *key, const MDB_val *value)
{
    u_char   *p, idem[4 + NGX_CAMPAIGN_IDEM_KEY_MAX];
    size_t    len;
    MDB_val   answer;

    p = key->mv_data;

    if (key->mv_size == 4 && value->mv_size == 8) {
        ngx_campaign_check_have(c, NGX_CAMPAIGN_DB_KEPT, p, 4, ngx_campaign_be64_get(value->mv_data));
        return;
    }

    len = key->mv_size - NGX_CAMPAIGN_CHECK_KEPT;

    if (key->mv_size <= NGX_CAMPAIGN_CHECK_KEPT || len > NGX_CAMPAIGN_IDEM_KEY_MAX || value->mv_size != 0) {
        (void) ngx_campaign_check_form(c, NGX_CAMPAIGN_DB_KEPT, key, 4, value, 8);
        return;
    }

    ngx_campaign_check_want(c, NGX_CAMPAIGN_DB_KEPT, p, 4, 1);

    ngx_memcpy(idem, p, 4);
    ngx_memcpy(idem + 4, p + NGX_CAMPAIGN_CHECK_KEPT, len);

    if (!ngx_campaign_check_get(c, NGX_CAMPAIGN_DB_IDEM, idem, 4 + len, &answer) || answer.mv_size < NGX_CAMPAIGN_CHECK_IDEM
        || ngx_memcmp(answer.mv_data, p + 4, 8) != 0)
    {
        ngx_campaign_check_fault(c, NGX_CAMPAIGN_DB_KEPT, key, "its answer is not there, or of another date");
    }
}
