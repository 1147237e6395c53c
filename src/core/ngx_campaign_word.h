
/*
 * Words that somebody sends to be left alone, or to be let back in: a text is one if it is nothing else.  Texts are folded before they are
 * compared: ASCII letters to upper case, letters of Latin-1 to those without their marks, wide forms to ASCII; and trimmed of what is neither
 * a letter nor a digit.
 */

#ifndef _NGX_CAMPAIGN_WORD_H_INCLUDED_
#define _NGX_CAMPAIGN_WORD_H_INCLUDED_


#include "ngx_campaign.h"


#define NGX_CAMPAIGN_WORD_MAX  32               /* bytes of a folded word */


typedef enum {
    NGX_CAMPAIGN_WORD_NONE = 0,
    NGX_CAMPAIGN_WORD_STOP,
    NGX_CAMPAIGN_WORD_START
} ngx_campaign_word_e;


/* folds UTF-8 to word (room for NGX_CAMPAIGN_WORD_MAX), *len bytes.  NGX_DECLINED: nothing is left, or more than fits */
ngx_int_t ngx_campaign_word_fold(const ngx_str_t *text, u_char *word, size_t *len);

/* 1: the folded word is one of list, each folded, separated by single commas */
ngx_uint_t ngx_campaign_word_in(const u_char *word, size_t len, const ngx_str_t *list);


#endif /* _NGX_CAMPAIGN_WORD_H_INCLUDED_ */
