
/*
 * Room: the last of the map is for what is under way; a directory is open once in a process; a data.mdb that was replaced is not written.
 */

#include "store_campaign.h"

#include <unistd.h>


static void test_map(void);
static void test_once(void);
static void test_replaced(void);
static void test_torn(void);

static ngx_campaign_rc_e test_template(ngx_uint_t n, u_char *id);


static uint32_t  mine;


int
main(int argc, char **argv)
{
    make_store(argv[0]);
    ngx_campaign_lmdb_close(st);

    store_conf.size = 4 * 1024 * 1024;
    store_log.log_level = NGX_LOG_EMERG;
    st = ngx_campaign_store_open(&store_conf, &store_log);

    mine = make_account("mine");
    make_sender(mine, "Acme", NULL);
    make_lease();

    test_map();
    test_once();
    test_replaced();
    test_torn();

    make_end();

    return done_testing();
}


static void
test_map(void)
{
    u_char                   id[NGX_CAMPAIGN_ID_LEN];
    ngx_uint_t               n, claims;
    ngx_campaign_outcome_t   o[200];
    ngx_campaign_campaign_t  c;

    make_campaign(&c, mine, "under way", NULL);
    is_uint(make_create(&c, MAKE_FIRST, 1000), NGX_CAMPAIGN_OK, "a campaign is made while there is room");

    (void) make_turn(NULL, 0, NULL, 0);
    claims = make_turn(&c, 100, NULL, 0);
    is_uint(claims, 100, "a hundred are in flight");

    for (n = 0; n < 5000 && test_template(n, id) == NGX_CAMPAIGN_OK; n++) { /* void */ }

    ok(n > 500 && n < 5000, "templates are made until there is no room");
    is_uint(test_template(n, id), NGX_CAMPAIGN_FULL, "and no more");

    for (n = 0; n < 100; n++) {
        o[n] = make_outcome(&c, n, NGX_CAMPAIGN_OUTCOME_SETTLED, NGX_CAMPAIGN_S_SENT);
    }

    (void) make_turn(NULL, 0, o, 100);
    ok(1, "outcomes are recorded");
    is_uint(make_turn(&c, 100, NULL, 0), 100, "claims go on: their outcomes will have room");

    for (n = 0; n < 100; n++) {
        o[n] = make_outcome(&c, 100 + n, NGX_CAMPAIGN_OUTCOME_SETTLED, NGX_CAMPAIGN_S_SENT);
    }

    (void) make_turn(NULL, 0, o, 100);

    is_uint(make_status(&c, NGX_CAMPAIGN_C_CANCELED, 1 << NGX_CAMPAIGN_C_IN_PROGRESS), NGX_CAMPAIGN_OK, "it is canceled");
    is_uint(make_delete(NGX_CAMPAIGN_CAMPAIGN, mine, c.rec.id), NGX_CAMPAIGN_OK, "and deleted");

    for (n = 0; n < 4 && test_template(6000 + n, id) != NGX_CAMPAIGN_OK; n++) {
        (void) make_turn(NULL, 0, NULL, 0);             /* what a commit freed, the one after the next can use */
    }

    ok(n < 4, "so there is room for what is new");
    ok(make_look(NULL), "the store is sound");
}


static void
test_once(void)
{
    ok(ngx_campaign_store_open(&store_conf, &store_log) == NULL, "a process opens a directory once");
    is_uint(make_delete(NGX_CAMPAIGN_TEMPLATE, mine, (u_char *) "0123456789abcdef"), NGX_CAMPAIGN_NOT_FOUND, "the first one works on");
}


static void
test_replaced(void)
{
    char    data[600], kept[600];
    u_char  id[NGX_CAMPAIGN_ID_LEN];
    FILE   *out;

    (void) snprintf(data, sizeof(data), "%s/data.mdb", store_dir);
    (void) snprintf(kept, sizeof(kept), "%s/kept", store_dir);

    (void) rename(data, kept);
    out = fopen(data, "w");
    (void) fclose(out);

    is_uint(test_template(7000, id), NGX_CAMPAIGN_UNAVAILABLE, "nothing is written to a file that was replaced");
    is_uint(test_template(7001, id), NGX_CAMPAIGN_UNAVAILABLE, "nor later");

    (void) rename(kept, data);
    ngx_campaign_lmdb_watch(st);
    (void) make_delete(NGX_CAMPAIGN_TEMPLATE, mine, id);
    is_uint(test_template(7002, id), NGX_CAMPAIGN_OK, "until it is back");
}


static void
test_torn(void)
{
    char    data[600];
    FILE   *out;

    ngx_campaign_lmdb_close(st);

    (void) snprintf(data, sizeof(data), "%s/data.mdb", store_dir);

    out = fopen(data, "w");
    (void) fprintf(out, "%08191u", 0U);
    (void) fclose(out);

    st = ngx_campaign_store_open(&store_conf, &store_log);
    ok(st != NULL, "a data.mdb of which the power left half of its first pages is made anew");

    if (st) {
        mine = make_account("anew");
        ok(mine != 0, "and written");
        ngx_campaign_lmdb_close(st);
    }

    out = fopen(data, "r+");
    (void) fprintf(out, "%08191u", 0U);
    (void) fclose(out);

    ok(ngx_campaign_store_open(&store_conf, &store_log) == NULL, "one that was written to is left as it is");

    (void) unlink(data);
    st = ngx_campaign_store_open(&store_conf, &store_log);
}


static ngx_campaign_rc_e
test_template(ngx_uint_t n, u_char *id)
{
    char                 name[24];
    ngx_campaign_rc_e    rc;
    ngx_campaign_text_t  text;

    static u_char  long_text[900];

    ngx_memset(long_text, 'x', sizeof(long_text));
    ngx_memzero(&text, sizeof(ngx_campaign_text_t));

    text.text.data = long_text;
    text.text.len = sizeof(long_text);

    (void) snprintf(name, sizeof(name), "template %lu", (unsigned long) n);

    rc = make_put(NGX_CAMPAIGN_TEMPLATE, &text, mine, name, "SMS", NULL);
    ngx_memcpy(id, text.rec.id, NGX_CAMPAIGN_ID_LEN);

    return rc;
}
