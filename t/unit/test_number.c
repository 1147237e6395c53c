
/*
 * E.164 numbers and kinds of sender.
 */

#include "tap.h"
#include "ngx_campaign_number.h"


static void test_numbers(void);
static void test_round_trip(void);
static void test_senders(void);


int
main(void)
{
    test_numbers();
    test_round_trip();
    test_senders();

    return done_testing();
}


static void
test_numbers(void)
{
    u_char                *copy;
    size_t                 i, len;
    uint64_t               number;
    static const struct {
        const char        *text;
        uint64_t           number;          /* 0: it is none */
    } cases[] = {
        { "15551234567", 15551234567 }, { "+15551234567", 15551234567 }, { "1234567", 1234567 }, { "+1234567", 1234567 },
        { "123456789012345", 123456789012345 }, { "+999999999999999", 999999999999999 },
        { "", 0 }, { "+", 0 }, { "123456", 0 }, { "+123456", 0 }, { "1234567890123456", 0 }, { "18446744073709551617", 0 },
        { "0123456789", 0 }, { "+0123456789", 0 }, { "0000000", 0 }, { "++15551234567", 0 }, { "15551234567+", 0 }, { "-15551234567", 0 },
        { " 15551234567", 0 }, { "15551234567 ", 0 }, { "1555 1234567", 0 }, { "1555-1234567", 0 }, { "1555123456x", 0 },
        { "0x15551234", 0 }, { "1.5551234e7", 0 }, { "1555123456/", 0 }, { "1555123456:", 0 }, { "\xd9\xa1\xd9\xa2\xd9\xa3\xd9\xa4", 0 }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        len = strlen(cases[i].text);
        copy = malloc(len);
        memcpy(copy, cases[i].text, len);

        number = 77;

        if (cases[i].number) {
            is_int(ngx_campaign_number_parse(copy, len, &number), NGX_OK, "\"%s\" is a number", cases[i].text);
            is_uint(number, cases[i].number, "\"%s\" is read", cases[i].text);

        } else {
            is_int(ngx_campaign_number_parse(copy, len, &number), NGX_ERROR, "\"%s\" is no number", cases[i].text);
            is_uint(number, 77, "\"%s\" leaves the result untouched", cases[i].text);
        }

        free(copy);
    }

    number = 77;
    is_int(ngx_campaign_number_parse((u_char *) "1555\0001234567", 12, &number), NGX_ERROR, "a NUL inside is no number");
}


static void
test_round_trip(void)
{
    u_char      *end, text[NGX_CAMPAIGN_NUMBER_LEN];
    uint64_t     n, back, most;
    ngx_uint_t   i, wrong;

    tap_seed();

    for (wrong = 0, i = 0; i < 20000; i++) {
        for (most = 10000000; most < 1000000000000000 && tap_below(3); most *= 10) { /* void */ }

        n = most / 10 + tap_below(most - most / 10);
        end = ngx_campaign_number_print(text, n);

        if (ngx_campaign_number_parse(text, end - text, &back) != NGX_OK || back != n) {
            wrong++;
        }
    }

    is_uint(wrong, 0, "20 000 numbers are printed and read back");

    end = ngx_campaign_number_print(text, 999999999999999);
    is_text(text, end - text, "999999999999999", "the longest number fills its room");

    end = ngx_campaign_number_print(text, UINT64_MAX);
    is_uint(end - text, NGX_CAMPAIGN_NUMBER_LEN, "what is no number does not overrun it");

    end = ngx_campaign_number_print(text, 0);
    is_text(text, end - text, "0", "zero is one digit");
}


static void
test_senders(void)
{
    size_t                           i;
    ngx_str_t                        name;
    static const struct {
        const char                  *name;
        ngx_campaign_sender_type_e   type;
    } cases[] = {
        { "Acme", NGX_CAMPAIGN_T_ALPHANUMERIC }, { "A", NGX_CAMPAIGN_T_ALPHANUMERIC }, { "z", NGX_CAMPAIGN_T_ALPHANUMERIC },
        { "Acme Shop 1", NGX_CAMPAIGN_T_ALPHANUMERIC }, { "Marks&Co", NGX_CAMPAIGN_T_ALPHANUMERIC },
        { "a-b_c.d e&f", NGX_CAMPAIGN_T_ALPHANUMERIC }, { "1234567890a", NGX_CAMPAIGN_T_ALPHANUMERIC }, { "Acme Shop 12", 0 },
        { "12345", NGX_CAMPAIGN_T_SHORT_CODE }, { "123456", NGX_CAMPAIGN_T_SHORT_CODE }, { "+12345", NGX_CAMPAIGN_T_SHORT_CODE },
        { "1234567", NGX_CAMPAIGN_T_LONG_CODE }, { "+15551234567", NGX_CAMPAIGN_T_LONG_CODE },
        { "123456789012345", NGX_CAMPAIGN_T_LONG_CODE }, { "+123456789012345", NGX_CAMPAIGN_T_LONG_CODE },
        { "1234567890123456", 0 }, { "1234", 0 }, { "1", 0 }, { "", 0 }, { "+", 0 }, { "12-34", 0 }, { "12 34 567", 0 }, { " ", 0 },
        { "-_.&", 0 }, { "+Acme", 0 }, { "Acme!", 0 }, { "Acme\n", 0 }, { "Ac\tme", 0 }, { "Acm\xc3\xa9", 0 }, { "\"Acme\"", 0 },
        { "Acme@", 0 }, { "[Acme]", 0 }, { "Acme`", 0 }, { "Acme{", 0 }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        name.data = (u_char *) cases[i].name;
        name.len = strlen(cases[i].name);

        is_uint(ngx_campaign_number_sender(&name), cases[i].type, "sender %u has its kind", (unsigned) i);
    }

    name.data = (u_char *) "Ac\0me";
    name.len = 5;
    is_uint(ngx_campaign_number_sender(&name), 0, "a name with a NUL is none");

    is_str(ngx_campaign_number_sender_name(NGX_CAMPAIGN_T_ALPHANUMERIC), "ALPHANUMERIC", "word of an alphanumeric sender");
    is_str(ngx_campaign_number_sender_name(NGX_CAMPAIGN_T_LONG_CODE), "LONG_CODE", "word of a long code");
    is_str(ngx_campaign_number_sender_name(NGX_CAMPAIGN_T_SHORT_CODE), "SHORT_CODE", "word of a short code");
    is_str(ngx_campaign_number_sender_name(0), "", "no kind has no word");
    is_str(ngx_campaign_number_sender_name(4), "", "a kind out of range has no word");
}
