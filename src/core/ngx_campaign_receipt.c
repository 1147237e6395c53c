
/*
 * Words of receipts, and their order.
 */

#include "ngx_campaign_receipt.h"


typedef struct {
    ngx_str_t               word;
    ngx_campaign_receipt_e  receipt;
} ngx_campaign_receipt_word_t;

/* clang-format off */

static const ngx_campaign_receipt_word_t  ngx_campaign_receipt_words[] = {
    { ngx_string("delivered"), NGX_CAMPAIGN_RECEIPT_DELIVERED },
    { ngx_string("failed"), NGX_CAMPAIGN_RECEIPT_FAILED },
    { ngx_string("undeliverable"), NGX_CAMPAIGN_RECEIPT_FAILED },
    { ngx_string("expired"), NGX_CAMPAIGN_RECEIPT_EXPIRED },
    { ngx_string("rejected"), NGX_CAMPAIGN_RECEIPT_REJECTED },
    { ngx_string("sent"), NGX_CAMPAIGN_RECEIPT_SENT },
    { ngx_string("enroute"), NGX_CAMPAIGN_RECEIPT_SENT },
    { ngx_string("scheduled"), NGX_CAMPAIGN_RECEIPT_SENT },

    { ngx_string("DELIVRD"), NGX_CAMPAIGN_RECEIPT_DELIVERED },           /* SMPP 3.4, appendix B */
    { ngx_string("UNDELIV"), NGX_CAMPAIGN_RECEIPT_FAILED },
    { ngx_string("DELETED"), NGX_CAMPAIGN_RECEIPT_FAILED },
    { ngx_string("REJECTD"), NGX_CAMPAIGN_RECEIPT_REJECTED },
    { ngx_string("ACCEPTD"), NGX_CAMPAIGN_RECEIPT_SENT },
    { ngx_string("UNKNOWN"), NGX_CAMPAIGN_RECEIPT_SENT },

    { ngx_string("undelivered"), NGX_CAMPAIGN_RECEIPT_FAILED },
    { ngx_string("error"), NGX_CAMPAIGN_RECEIPT_FAILED },
    { ngx_string("read"), NGX_CAMPAIGN_RECEIPT_DELIVERED },
    { ngx_string("seen"), NGX_CAMPAIGN_RECEIPT_DELIVERED },
    { ngx_string("accepted"), NGX_CAMPAIGN_RECEIPT_SENT },
    { ngx_string("queued"), NGX_CAMPAIGN_RECEIPT_SENT },
    { ngx_string("sending"), NGX_CAMPAIGN_RECEIPT_SENT },
    { ngx_string("submitted"), NGX_CAMPAIGN_RECEIPT_SENT },
    { ngx_string("buffered"), NGX_CAMPAIGN_RECEIPT_SENT },
    { ngx_string("pending"), NGX_CAMPAIGN_RECEIPT_SENT }
};

/* what beats what: the greater one */

static const u_char  ngx_campaign_receipt_ranks[NGX_CAMPAIGN_S_MAX] = {
    [NGX_CAMPAIGN_S_PENDING]   = 0,
    [NGX_CAMPAIGN_S_RETRY]     = 0,
    [NGX_CAMPAIGN_S_SENT]      = 1,
    [NGX_CAMPAIGN_S_FAILED]    = 2,
    [NGX_CAMPAIGN_S_CANCELED]  = 2,
    [NGX_CAMPAIGN_S_SKIPPED]   = 2,
    [NGX_CAMPAIGN_S_DELIVERED] = 3
};

static const ngx_campaign_state_e  ngx_campaign_receipt_states[NGX_CAMPAIGN_RECEIPT_MAX] = {
    [NGX_CAMPAIGN_RECEIPT_SENT]      = NGX_CAMPAIGN_S_SENT,
    [NGX_CAMPAIGN_RECEIPT_DELIVERED] = NGX_CAMPAIGN_S_DELIVERED,
    [NGX_CAMPAIGN_RECEIPT_FAILED]    = NGX_CAMPAIGN_S_FAILED,
    [NGX_CAMPAIGN_RECEIPT_EXPIRED]   = NGX_CAMPAIGN_S_FAILED,
    [NGX_CAMPAIGN_RECEIPT_REJECTED]  = NGX_CAMPAIGN_S_FAILED
};

static const ngx_campaign_reason_e  ngx_campaign_receipt_reasons[NGX_CAMPAIGN_RECEIPT_MAX] = {
    [NGX_CAMPAIGN_RECEIPT_FAILED]    = NGX_CAMPAIGN_R_RECEIPT_FAILED,
    [NGX_CAMPAIGN_RECEIPT_EXPIRED]   = NGX_CAMPAIGN_R_RECEIPT_EXPIRED,
    [NGX_CAMPAIGN_RECEIPT_REJECTED]  = NGX_CAMPAIGN_R_RECEIPT_REJECTED
};

/* clang-format on */


ngx_campaign_receipt_e
ngx_campaign_receipt_word(const ngx_str_t *word)
{
    ngx_uint_t                          i;
    const ngx_campaign_receipt_word_t  *w;

    for (i = 0; i < sizeof(ngx_campaign_receipt_words) / sizeof(ngx_campaign_receipt_words[0]); i++) {
        w = &ngx_campaign_receipt_words[i];

        if (w->word.len == word->len && ngx_strncasecmp(w->word.data, word->data, word->len) == 0) {
            return w->receipt;
        }
    }

    return NGX_CAMPAIGN_RECEIPT_NONE;
}


ngx_campaign_state_e
ngx_campaign_receipt_state(ngx_campaign_receipt_e receipt)
{
    return ngx_campaign_receipt_states[receipt];
}


ngx_campaign_reason_e
ngx_campaign_receipt_reason(ngx_campaign_receipt_e receipt)
{
    return ngx_campaign_receipt_reasons[receipt];
}


ngx_uint_t
ngx_campaign_receipt_moves(ngx_campaign_receipt_e receipt, ngx_campaign_state_e from)
{
    return ngx_campaign_receipt_ranks[ngx_campaign_receipt_states[receipt]] > ngx_campaign_receipt_ranks[from];
}
