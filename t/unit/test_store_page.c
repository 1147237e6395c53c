
/*
 * Pages of lists and their tokens, through ngx_campaign_store_page.
 */

#include "store_record.h"


/* number of item i of a page of templates */

static uint64_t
item(ngx_campaign_page_t *p, ngx_uint_t i)
{
    ngx_campaign_text_t  *t;

    t = p->items->elts;

    return i < p->items->nelts ? t[i].rec.no : 0;
}


static void
test_page(void)
{
    uint32_t              account;
    uint64_t              no[57];
    ngx_str_t             second;
    ngx_uint_t            i;
    ngx_campaign_page_t   p;
    ngx_campaign_text_t   t;

    account = account_new("pages", NULL);

    page_init(&p, NGX_CAMPAIGN_TEMPLATE, account, 20);
    is_uint(page_get(&p, str("")), NGX_CAMPAIGN_OK, "a page of nothing");
    ok(p.items->nelts == 0 && p.total == 0 && p.number == 1, "is empty");
    ok(p.first.data && p.first.len == 0 && p.current.data && p.current.len == 0, "it is the first and current one");
    ok(p.previous.data == NULL && p.next.data == NULL, "there is no other");

    for (i = 0; i < 57; i++) {
        ngx_memzero(&t, sizeof(t));
        if (put(NGX_CAMPAIGN_TEMPLATE, &t, account, "", i % 2 ? "SMS" : "VIBER") != NGX_CAMPAIGN_OK) {
            ok(0, "template %d", (int) i);
        }
        no[56 - i] = t.rec.no;
    }

    is_uint(page_get(&p, str("")), NGX_CAMPAIGN_OK, "the first page");
    ok(p.items->nelts == 20 && item(&p, 0) == no[0] && item(&p, 19) == no[19], "holds the newest, in order");
    ok(p.total == 57 && p.number == 1 && p.previous.data == NULL && p.next.len, "of 57, more follow");
    second = p.next;

    is_uint(page_get(&p, second), NGX_CAMPAIGN_OK, "the second page");
    ok(p.items->nelts == 20 && item(&p, 0) == no[20] && item(&p, 19) == no[39] && p.number == 2, "goes on");
    is_bytes(p.current.data, p.current.len, second.data, second.len, "its token is the one it was asked by");

    is_uint(page_get(&p, p.next), NGX_CAMPAIGN_OK, "the third page");
    ok(p.items->nelts == 17 && item(&p, 0) == no[40] && item(&p, 16) == no[56] && p.number == 3, "is the rest");
    ok(p.next.data == NULL && p.previous.len, "none follows");

    is_uint(page_get(&p, p.previous), NGX_CAMPAIGN_OK, "back to the second page");
    ok(p.items->nelts == 20 && item(&p, 0) == no[20] && item(&p, 19) == no[39] && p.number == 2, "which is the same");
    ok(p.next.len && p.previous.len, "between two others");

    is_uint(page_get(&p, p.previous), NGX_CAMPAIGN_OK, "back to the first page");
    ok(p.items->nelts == 20 && item(&p, 0) == no[0] && p.number == 1 && p.previous.data == NULL, "none is before it");

    p.size = 7;
    is_uint(page_get(&p, second), NGX_CAMPAIGN_OK, "a page of another size");
    ok(p.items->nelts == 7 && item(&p, 0) == no[20] && item(&p, 6) == no[26], "starts at the same place");
    p.size = 100;
    is_uint(page_get(&p, str("")), NGX_CAMPAIGN_OK, "the longest page");
    ok(p.items->nelts == 57 && p.next.data == NULL, "holds all");

    p.size = 57;
    is_uint(page_get(&p, str("")), NGX_CAMPAIGN_OK, "a page of just their number");
    ok(p.items->nelts == 57 && p.next.data == NULL, "holds all, none follows");

    page_init(&p, NGX_CAMPAIGN_TEMPLATE, account, 20);
    p.channel = str("SMS");
    is_uint(page_get(&p, str("")), NGX_CAMPAIGN_OK, "a page by channel");
    ok(p.total == 28 && p.items->nelts == 20 && item(&p, 0) == no[1] && item(&p, 19) == no[39], "holds that channel's only");
    is_uint(page_get(&p, p.next), NGX_CAMPAIGN_OK, "and so does its second");
    ok(p.items->nelts == 8 && item(&p, 0) == no[41] && item(&p, 7) == no[55], "to the end");
}


/* everybody who was there from start to end is met once, whatever comes and goes meanwhile */

static void
test_page_changes(void)
{
    uint32_t              account;
    ngx_str_t             token, place;
    ngx_uint_t            i, j, n, round, back, wrong;
    ngx_campaign_page_t   p;
    ngx_campaign_text_t   t[400];
    u_char                gone[400], late[400], met[400];

    account = account_new("changes", NULL);
    n = 0;
    wrong = 0;

    ngx_memzero(t, sizeof(t));
    ngx_memzero(gone, sizeof(gone));

    for ( /* void */ ; n < 40; n++) {
        if (put(NGX_CAMPAIGN_TEMPLATE, &t[n], account, "", "SMS") != NGX_CAMPAIGN_OK) {
            wrong++;
        }
    }

    place = str("");

    for (round = 0; round < 12; round++) {
        back = round % 2;
        token = back ? place : str("");
        ngx_memzero(met, sizeof(met));
        ngx_memzero(late, sizeof(late));

        page_init(&p, NGX_CAMPAIGN_TEMPLATE, account, 5);

        for ( ;; ) {
            p.size = 1 + (ngx_uint_t) tap_below(9);

            if (page_get(&p, token) != NGX_CAMPAIGN_OK) {
                wrong++;
                break;
            }

            for (i = 0; i < p.items->nelts; i++) {
                wrong += i && item(&p, i) >= item(&p, i - 1);

                for (j = 0; j < n && t[j].rec.no != item(&p, i); j++) { /* void */ }

                wrong += j == n || gone[j];

                if (j < n) {
                    met[j]++;
                }
            }

            for (i = 0; i < 2 && n < 400 && tap_below(2); i++, n++) {
                late[n] = 1;
                wrong += put(NGX_CAMPAIGN_TEMPLATE, &t[n], account, "", "SMS") != NGX_CAMPAIGN_OK;
            }

            if (tap_below(3) == 0) {
                j = (ngx_uint_t) tap_below(n);

                if (!gone[j]) {
                    gone[j] = 1;
                    late[j] = 1;
                    wrong += now(delete_work, &(change_t) { NGX_CAMPAIGN_TEMPLATE, &t[j].rec, 0, 0 }) != NGX_CAMPAIGN_OK;
                }
            }

            token = back ? p.previous : p.next;

            if (token.data == NULL) {
                break;
            }

            if (!back) {
                place = token;
            }
        }

        /* the way back begins where the last page did, so it owes only what is newer */

        for (j = 0; j < n; j++) {
            wrong += met[j] > 1;
            wrong += !back && !gone[j] && !late[j] && met[j] != 1;
        }

        if (back) {
            for (j = 0; j < n && met[j] == 0; j++) { /* void */ }

            for ( /* void */ ; j < n; j++) {
                wrong += !gone[j] && !late[j] && met[j] != 1;
            }
        }
    }

    is_uint(wrong, 0, "pages neither repeat nor skip while templates come and go (%d made)", (int) n);
    ok(n > 60, "some did come");
}


static void
test_page_gone(void)
{
    uint32_t              account;
    ngx_str_t             next;
    ngx_uint_t            i;
    ngx_campaign_page_t   p;
    ngx_campaign_text_t   t[6];

    account = account_new("gone", NULL);
    ngx_memzero(t, sizeof(t));

    for (i = 0; i < 6; i++) {
        (void) put(NGX_CAMPAIGN_TEMPLATE, &t[i], account, "", "SMS");
    }

    page_init(&p, NGX_CAMPAIGN_TEMPLATE, account, 3);
    is_uint(page_get(&p, str("")), NGX_CAMPAIGN_OK, "a first page of 3 of 6");
    next = p.next;

    for (i = 0; i < 3; i++) {
        (void) now(delete_work, &(change_t) { NGX_CAMPAIGN_TEMPLATE, &t[i].rec, 0, 0 });
    }

    is_uint(page_get(&p, next), NGX_CAMPAIGN_OK, "all behind it are deleted: the second");
    ok(p.items->nelts == 0 && p.total == 3 && p.next.data == NULL && p.previous.len, "is empty, and leads back");

    is_uint(page_get(&p, p.previous), NGX_CAMPAIGN_OK, "to a page");
    ok(p.items->nelts == 3 && item(&p, 0) == t[5].rec.no && item(&p, 2) == t[3].rec.no, "with all that the first one held");

    is_uint(page_get(&p, next), NGX_CAMPAIGN_OK, "once more the empty one");
    for (i = 4; i < 6; i++) {
        (void) now(delete_work, &(change_t) { NGX_CAMPAIGN_TEMPLATE, &t[i].rec, 0, 0 });
    }

    is_uint(page_get(&p, next), NGX_CAMPAIGN_OK, "when only the last of the first page is left");
    ok(p.items->nelts == 0 && p.previous.len, "it still leads back");
    is_uint(page_get(&p, p.previous), NGX_CAMPAIGN_OK, "to a page");
    ok(p.items->nelts == 1 && item(&p, 0) == t[3].rec.no && p.next.data == NULL && p.previous.data == NULL, "of that one");

    is_uint(page_get(&p, next), NGX_CAMPAIGN_OK, "once more the empty one");
    for (i = 3; i < 4; i++) {
        (void) now(delete_work, &(change_t) { NGX_CAMPAIGN_TEMPLATE, &t[i].rec, 0, 0 });
    }

    is_uint(page_get(&p, p.previous), NGX_CAMPAIGN_OK, "when nothing is left at all");
    ok(p.items->nelts == 0 && p.number == 1 && p.next.data == NULL && p.previous.data == NULL, "there is no other page");

    for (i = 0; i < 6; i++) {
        (void) put(NGX_CAMPAIGN_TEMPLATE, &t[i], account, "", "SMS");
    }

    is_uint(page_get(&p, str("")), NGX_CAMPAIGN_OK, "a first page of 3 of 6");
    is_uint(page_get(&p, p.next), NGX_CAMPAIGN_OK, "and the second");
    next = p.current;

    for (i = 3; i < 6; i++) {
        (void) now(delete_work, &(change_t) { NGX_CAMPAIGN_TEMPLATE, &t[i].rec, 0, 0 });
    }

    is_uint(page_get(&p, next), NGX_CAMPAIGN_OK, "when all before it are deleted");
    ok(p.items->nelts == 3 && p.number == 1 && p.previous.data == NULL, "it is the first");
}


static void
test_token(void)
{
    u_char                forged[64];
    uint32_t              account, other;
    ngx_str_t             token, f;
    ngx_uint_t            i, j, accepted;
    ngx_campaign_page_t   p;
    ngx_campaign_text_t   t;
    ngx_campaign_place_t  place;

    static const char     chars[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/=.% ";

    account = account_new("tokens", NULL);
    other = account_new("tokens of another", NULL);

    for (i = 0; i < 6; i++) {
        ngx_memzero(&t, sizeof(t));
        (void) put(NGX_CAMPAIGN_TEMPLATE, &t, i % 2 ? account : other, "", "SMS");
    }

    page_init(&p, NGX_CAMPAIGN_TEMPLATE, account, 1);
    is_uint(page_get(&p, str("")), NGX_CAMPAIGN_OK, "a page with a token");
    token = p.next;

    for (i = 0, accepted = 0; i < token.len; i++) {
        for (j = 0; j < sizeof(chars) - 1; j++) {
            ngx_memcpy(forged, token.data, token.len);
            forged[i] = (u_char) chars[j];

            f.data = forged;
            f.len = token.len;

            accepted += chars[j] != token.data[i] && page_get(&p, f) != NGX_CAMPAIGN_INVALID;
        }

        for (j = 0; j < 8; j++) {
            ngx_memcpy(forged, token.data, token.len);
            forged[i] ^= (u_char) (1 << j);
            accepted += page_get(&p, f) != NGX_CAMPAIGN_INVALID;
        }
    }

    is_uint(accepted, 0, "no character of a token can be changed");

    for (i = 1, accepted = 0; i < token.len; i++) {
        f.data = token.data;
        f.len = i;
        accepted += page_get(&p, f) != NGX_CAMPAIGN_INVALID;
    }

    is_uint(accepted, 0, "nor can one be left out at the end");

    ngx_memcpy(forged, token.data, token.len);
    ngx_memset(&forged[token.len], 'A', 4);
    f.data = forged;
    f.len = token.len + 4;
    is_uint(page_get(&p, f), NGX_CAMPAIGN_INVALID, "nor some be added");
    is_uint(page_get(&p, token), NGX_CAMPAIGN_OK, "the token itself is good");

    for (i = 0, accepted = 0; i < token.len; i++) {
        accepted += strchr(chars, token.data[i]) - chars >= 64;
    }

    is_uint(accepted, 0, "it needs no escaping in a URL");

    p.channel = str("SMS");
    is_uint(page_get(&p, token), NGX_CAMPAIGN_INVALID, "with another channel it is INVALID");
    p.channel = str("");
    p.status = 1;
    is_uint(page_get(&p, token), NGX_CAMPAIGN_INVALID, "with another status");
    p.status = 0;
    p.kind = NGX_CAMPAIGN_AUDIENCE;
    is_uint(page_get(&p, token), NGX_CAMPAIGN_INVALID, "for another kind");
    p.kind = NGX_CAMPAIGN_TEMPLATE;
    p.account = other;
    is_uint(page_get(&p, token), NGX_CAMPAIGN_INVALID, "of another account");
    p.account = account;
    p.token = token;
    ok(ngx_campaign_lmdb_token_open(st, &p, 0, &place) == NGX_OK && place.number == 2 && !place.back, "its place is read");
    is_int(ngx_campaign_lmdb_token_open(st, &p, 1, &place), NGX_DECLINED, "not for another list");

    page_init(&p, NGX_CAMPAIGN_MESSAGE, account, 1);
    is_int(ngx_campaign_store_page(st, begin(), &p), NGX_ERROR, "a page of what has no records is not started");
    page_init(&p, NGX_CAMPAIGN_TEMPLATE, account, 101);
    is_int(ngx_campaign_store_page(st, begin(), &p), NGX_ERROR, "nor one too long");
}


int
main(int argc, char **argv)
{
    static void (*const  tests[])(void) = {
        test_page, test_page_changes, test_page_gone, test_token
    };

    return record_run(argv[0], tests, sizeof(tests) / sizeof(tests[0]));
}
