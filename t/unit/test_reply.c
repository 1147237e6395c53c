
/*
 * Gateways' ids out of the replies that real gateways give.
 */

#include "tap.h"
#include "ngx_campaign_reply.h"


typedef struct {
    const char  *place;
    const char  *reply;
    const char  *id;                            /* NULL: none */
} test_reply_t;

static const test_reply_t  test_reply[] = {
    { "data[0].id", "{\"data\":[{\"id\":\"7c1f0a52-93be-8d04-a6e1-5b2c8f40d901\"}]}", "7c1f0a52-93be-8d04-a6e1-5b2c8f40d901" },
    { "data.id", "{\"data\":{\"id\":4711}}", "4711" },
    { "sid", "{\"account_sid\": \"AC1\", \"sid\": \"SM2\", \"status\": \"queued\"}", "SM2" },
    { "messages[0].message-id", "{\"message-count\":\"1\",\"messages\":[{\"to\":\"4\",\"message-id\":\"0A0000000123ABCD1\"}]}", "0A0000000123ABCD1" },
    { "word:2", "Success \"07033084-5cfd-4812-90a4-e4d24ffb6e3d\"", "07033084-5cfd-4812-90a4-e4d24ffb6e3d" },
    { "word:2", "Error \"No route found\"", "No" },
    { "word:3", "ID: 0; abc123\r\n", "abc123" },
    { "word:1", "  one", "one" },
    { "word:2", "one", NULL },
    { "word:1", "", NULL },
    { "word:1", "\"\"", NULL },
    { "tag:messageId", "<?xml version=\"1.0\"?><s:Envelope><s:Body><m:messageId> 17 </m:messageId></s:Body></s:Envelope>", "17" },
    { "tag:MessageId", "<PublishResult><MessageId>9467</MessageId></PublishResult>", "9467" },
    { "tag:id", "<id a=\"1\">x</id>", "x" },
    { "tag:id", "<id/><id>x</id>", NULL },
    { "tag:id", "<id></id>", NULL },
    { "tag:id", "<id>x", NULL },
    { "tag:id", "<id", NULL },
    { "tag:id", "<idx>1</idx><a:b:id>2</a:b:id>", "2" },
    { "tag:id", "<id>two words</id>", NULL },
    { "header:X-Id", "X-Id: 1", NULL },
    { "id", "{\"id\":\"1234567890123456789012345678901234567890123456789012345678901234\"}",
      "1234567890123456789012345678901234567890123456789012345678901234" },
    { "id", "{\"id\":\"12345678901234567890123456789012345678901234567890123456789012345\"}", NULL },
    { "id", "{\"id\":\"a\\u0000b\"}", NULL },
    { "id", "{\"id\":\"a\\r\\nX: y\"}", NULL }
};

static const char  *test_wrong[] = { "", "word:", "word:0", "word:65", "word:x", "a..b", "tag:", ".header" };


int
main(void)
{
    u_char                       id[NGX_CAMPAIGN_GATEWAY_ID_MAX], *copy;
    size_t                       len;
    ngx_str_t                    text;
    ngx_int_t                    rc;
    ngx_uint_t                   i;
    const test_reply_t          *r;
    ngx_campaign_reply_place_t   place;

    for (i = 0; i < sizeof(test_reply) / sizeof(test_reply[0]); i++) {
        r = &test_reply[i];

        text.data = (u_char *) r->place;
        text.len = strlen(r->place);

        is_int(ngx_campaign_reply_place(&text, &place), NGX_OK, "%s is a place", r->place);

        len = strlen(r->reply);
        copy = malloc(len + 1);
        memcpy(copy, r->reply, len);

        rc = ngx_campaign_reply_id(&place, copy, copy + len, id, &len);

        if (r->id == NULL) {
            is_int(rc, NGX_DECLINED, "%s has no id", r->reply);
        } else if (is_int(rc, NGX_OK, "%s has one", r->reply)) {
            is_text(id, len, r->id, "which is this");
        }

        free(copy);
    }

    for (i = 0; i < sizeof(test_wrong) / sizeof(test_wrong[0]); i++) {
        text.data = (u_char *) test_wrong[i];
        text.len = strlen(test_wrong[i]);

        is_int(ngx_campaign_reply_place(&text, &place), NGX_ERROR, "\"%s\" is no place", test_wrong[i]);
    }

    return done_testing();
}
