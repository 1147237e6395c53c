
/*
 * Moves between statuses, and words.  It keeps true: completed, failed and canceled are ends, nothing leads out of them.
 */

#include "ngx_campaign_state.h"


#define ngx_campaign_bit(status)  (1 << (status))


static ngx_str_t *ngx_campaign_word(ngx_str_t *words, ngx_uint_t n, ngx_uint_t i);
static ngx_uint_t ngx_campaign_word_find(ngx_str_t *words, ngx_uint_t n, ngx_uint_t canceled, ngx_str_t *word);


/* clang-format off */

/* where a campaign may go from a status */

static const ngx_uint_t  ngx_campaign_status_moves[NGX_CAMPAIGN_C_MAX] = {
    [NGX_CAMPAIGN_C_SCHEDULED]   = ngx_campaign_bit(NGX_CAMPAIGN_C_IN_PROGRESS) | ngx_campaign_bit(NGX_CAMPAIGN_C_CANCELED),
    [NGX_CAMPAIGN_C_IN_PROGRESS] = ngx_campaign_bit(NGX_CAMPAIGN_C_PAUSED) | ngx_campaign_bit(NGX_CAMPAIGN_C_CANCELED)
                                   | ngx_campaign_bit(NGX_CAMPAIGN_C_COMPLETED) | ngx_campaign_bit(NGX_CAMPAIGN_C_FAILED),
    [NGX_CAMPAIGN_C_PAUSED]      = ngx_campaign_bit(NGX_CAMPAIGN_C_IN_PROGRESS) | ngx_campaign_bit(NGX_CAMPAIGN_C_CANCELED)
};


static ngx_str_t  ngx_campaign_status_words[NGX_CAMPAIGN_C_MAX] = {
    [NGX_CAMPAIGN_C_SCHEDULED]   = ngx_string("scheduled"),
    [NGX_CAMPAIGN_C_IN_PROGRESS] = ngx_string("in_progress"),
    [NGX_CAMPAIGN_C_PAUSED]      = ngx_string("paused"),
    [NGX_CAMPAIGN_C_COMPLETED]   = ngx_string("completed"),
    [NGX_CAMPAIGN_C_FAILED]      = ngx_string("failed"),
    [NGX_CAMPAIGN_C_CANCELED]    = ngx_string("canceled")
};


static ngx_str_t  ngx_campaign_state_words[NGX_CAMPAIGN_S_MAX] = {
    [NGX_CAMPAIGN_S_PENDING]   = ngx_string("scheduled"),
    [NGX_CAMPAIGN_S_RETRY]     = ngx_string("scheduled"),
    [NGX_CAMPAIGN_S_SENT]      = ngx_string("sent"),
    [NGX_CAMPAIGN_S_DELIVERED] = ngx_string("delivered"),
    [NGX_CAMPAIGN_S_FAILED]    = ngx_string("failed"),
    [NGX_CAMPAIGN_S_CANCELED]  = ngx_string("canceled"),
    [NGX_CAMPAIGN_S_SKIPPED]   = ngx_string("skipped")
};


static ngx_str_t  ngx_campaign_message_words[NGX_CAMPAIGN_M_MAX] = {
    [NGX_CAMPAIGN_M_SCHEDULED] = ngx_string("scheduled"),
    [NGX_CAMPAIGN_M_ENROUTE]   = ngx_string("enroute"),
    [NGX_CAMPAIGN_M_SENT]      = ngx_string("sent"),
    [NGX_CAMPAIGN_M_DELIVERED] = ngx_string("delivered"),
    [NGX_CAMPAIGN_M_FAILED]    = ngx_string("failed"),
    [NGX_CAMPAIGN_M_CANCELED]  = ngx_string("canceled"),
    [NGX_CAMPAIGN_M_SKIPPED]   = ngx_string("skipped")
};


static ngx_str_t  ngx_campaign_reason_words[NGX_CAMPAIGN_R_MAX] = {
    [NGX_CAMPAIGN_R_NONE]                = ngx_null_string,
    [NGX_CAMPAIGN_R_EXPIRED]             = ngx_string("expired"),
    [NGX_CAMPAIGN_R_GATEWAY_4XX]         = ngx_string("gateway_4xx"),
    [NGX_CAMPAIGN_R_GATEWAY_5XX]         = ngx_string("gateway_5xx"),
    [NGX_CAMPAIGN_R_GATEWAY_TIMEOUT]     = ngx_string("gateway_timeout"),
    [NGX_CAMPAIGN_R_GATEWAY_UNREACHABLE] = ngx_string("gateway_unreachable"),
    [NGX_CAMPAIGN_R_RECEIPT_FAILED]      = ngx_string("receipt_failed"),
    [NGX_CAMPAIGN_R_RECEIPT_EXPIRED]     = ngx_string("receipt_expired"),
    [NGX_CAMPAIGN_R_RECEIPT_REJECTED]    = ngx_string("receipt_rejected"),
    [NGX_CAMPAIGN_R_UNCERTAIN]           = ngx_string("uncertain"),
    [NGX_CAMPAIGN_R_SUPPRESSED]          = ngx_string("suppressed"),
    [NGX_CAMPAIGN_R_DELETED]             = ngx_string("deleted"),
    [NGX_CAMPAIGN_R_CANCELED]            = ngx_string("canceled"),
    [NGX_CAMPAIGN_R_POISON]              = ngx_string("poison")
};

/* clang-format on */


static ngx_str_t  ngx_campaign_word_none = ngx_null_string;
static ngx_str_t  ngx_campaign_word_cancelled = ngx_string("cancelled");


ngx_uint_t
ngx_campaign_status_allowed(ngx_campaign_status_e from, ngx_campaign_status_e to)
{
    if (from >= NGX_CAMPAIGN_C_MAX || to >= NGX_CAMPAIGN_C_MAX) {
        return 0;
    }

    return (ngx_campaign_status_moves[from] & ngx_campaign_bit(to)) ? 1 : 0;
}


ngx_uint_t
ngx_campaign_status_from(ngx_campaign_status_e to)
{
    ngx_uint_t             mask;
    ngx_campaign_status_e  from;

    mask = 0;

    for (from = NGX_CAMPAIGN_C_SCHEDULED; from < NGX_CAMPAIGN_C_MAX; from++) {
        if (ngx_campaign_status_allowed(from, to)) {
            mask |= ngx_campaign_bit(from);
        }
    }

    return mask;
}


ngx_campaign_status_e
ngx_campaign_status_settled(uint32_t accepted)
{
    return accepted ? NGX_CAMPAIGN_C_COMPLETED : NGX_CAMPAIGN_C_FAILED;
}


ngx_campaign_status_e
ngx_campaign_status_find(ngx_str_t *word)
{
    return ngx_campaign_word_find(ngx_campaign_status_words, NGX_CAMPAIGN_C_MAX, NGX_CAMPAIGN_C_CANCELED, word);
}


ngx_campaign_message_status_e
ngx_campaign_message_status_find(ngx_str_t *word)
{
    return ngx_campaign_word_find(ngx_campaign_message_words, NGX_CAMPAIGN_M_MAX, NGX_CAMPAIGN_M_CANCELED, word);
}


/* any case; the word of `canceled` has two spellings.  0: none */

static ngx_uint_t
ngx_campaign_word_find(ngx_str_t *words, ngx_uint_t n, ngx_uint_t canceled, ngx_str_t *word)
{
    ngx_str_t   *name;
    ngx_uint_t   i;

    for (i = 1; i < n; i++) {
        name = &words[i];

        if (name->len == word->len && ngx_strncasecmp(name->data, word->data, name->len) == 0) {
            return i;
        }
    }

    name = &ngx_campaign_word_cancelled;

    if (name->len == word->len && ngx_strncasecmp(name->data, word->data, name->len) == 0) {
        return canceled;
    }

    return 0;
}


ngx_str_t *
ngx_campaign_status_name(ngx_campaign_status_e status)
{
    return ngx_campaign_word(ngx_campaign_status_words, NGX_CAMPAIGN_C_MAX, status);
}


ngx_str_t *
ngx_campaign_state_name(ngx_campaign_state_e state)
{
    return ngx_campaign_word(ngx_campaign_state_words, NGX_CAMPAIGN_S_MAX, state);
}


ngx_str_t *
ngx_campaign_message_status_name(ngx_campaign_message_status_e status)
{
    return ngx_campaign_word(ngx_campaign_message_words, NGX_CAMPAIGN_M_MAX, status);
}


ngx_str_t *
ngx_campaign_reason_name(ngx_campaign_reason_e reason)
{
    return ngx_campaign_word(ngx_campaign_reason_words, NGX_CAMPAIGN_R_MAX, reason);
}


static ngx_str_t *
ngx_campaign_word(ngx_str_t *words, ngx_uint_t n, ngx_uint_t i)
{
    return i < n ? &words[i] : &ngx_campaign_word_none;
}
