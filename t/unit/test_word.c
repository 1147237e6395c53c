
/*
 * Words of opt-out, folded.
 */

#include "tap.h"
#include "ngx_campaign_word.h"


static void test_fold(void);
static void test_in(void);


int
main(void)
{
    test_fold();
    test_in();

    return done_testing();
}


static void
test_fold(void)
{
    u_char              word[NGX_CAMPAIGN_WORD_MAX];
    size_t              i, len;
    ngx_int_t           rc;
    ngx_str_t           text;
    static const struct {
        const char     *text, *word;            /* NULL: it is none */
    } cases[] = {
        { "STOP", "STOP" }, { "stop", "STOP" }, { " Stop. \r\n", "STOP" }, { "\"stop\"!", "STOP" }, { "opt-out", "OPT-OUT" },
        { "arr\xc3\xaat", "ARRET" }, { "ARR\xc3\x8aT\xc2\xa0", "ARRET" }, { "\xef\xbc\xb3\xef\xbd\x94\xef\xbc\xaf\xef\xbc\xb0", "STOP" },
        { "\xef\xbb\xbfstop\xe3\x80\x82", "STOP" }, { "stop it", "STOP IT" }, { "nonstop", "NONSTOP" }, { "-stop-", "STOP" },
        { "", NULL }, { " ", NULL }, { "...", NULL }, { "\xf0\x9f\x9b\x91", NULL },
        { "12345678901234567890123456789012", "12345678901234567890123456789012" }, { "123456789012345678901234567890123", NULL },
        { "stop                                             ", "STOP" }, { "stop                                           x", NULL },
        { "\xd1\x81top", "\xff" "TOP" }, { "st\xc3", "ST" }, { "st\xe2\x82", "ST" }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        text.len = strlen(cases[i].text);
        text.data = malloc(text.len + 1);
        memcpy(text.data, cases[i].text, text.len);

        len = 0;
        rc = ngx_campaign_word_fold(&text, word, &len);

        if (cases[i].word == NULL) {
            is_int(rc, NGX_DECLINED, "case %u is no word", (unsigned) i);

        } else {
            ok(rc == NGX_OK && len == strlen(cases[i].word) && memcmp(word, cases[i].word, len) == 0, "case %u: %s", (unsigned) i,
               cases[i].word);
        }

        free(text.data);
    }
}


static void
test_in(void)
{
    ngx_str_t  list = ngx_string("STOP,STOPALL,END"), empty = ngx_null_string;

    ok(ngx_campaign_word_in((u_char *) "STOP", 4, &list), "the first");
    ok(ngx_campaign_word_in((u_char *) "STOPALL", 7, &list), "one in the middle");
    ok(ngx_campaign_word_in((u_char *) "END", 3, &list), "the last");
    ok(!ngx_campaign_word_in((u_char *) "STO", 3, &list), "the beginning of one");
    ok(!ngx_campaign_word_in((u_char *) "STOP,", 5, &list), "one with a comma");
    ok(!ngx_campaign_word_in((u_char *) "ALL", 3, &list), "the end of one");
    ok(!ngx_campaign_word_in((u_char *) "STOP", 4, &empty), "an empty list");
}
