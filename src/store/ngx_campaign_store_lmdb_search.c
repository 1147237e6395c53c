
/*
 * Pages of an audience's contacts, all of them or those that match.  A page is found by place, so that its cost is the same at any depth.
 * It keeps true: a walk looks at NGX_CAMPAIGN_PAGE_SEARCH places at most; what it has not looked at by then belongs to the next page, or to
 * the one before.
 */

#include "ngx_campaign_store_lmdb_contact.h"
#include "ngx_campaign_number.h"


typedef struct {
    u_char                     audience[NGX_CAMPAIGN_ID_LEN];
    ngx_campaign_page_t       *page;
} ngx_campaign_search_args_t;

typedef struct {
    ngx_campaign_txn_t        *t;
    ngx_pool_t                *pool;
    ngx_campaign_page_t       *page;
    uint64_t                   list;
    ngx_str_t                  digits;          /* of a number's prefix; empty: match is none */
    ngx_uint_t                 left;            /* places that this walk may still look at */
    unsigned                   cut:1;           /* it ran out of them */
} ngx_campaign_search_t;


static ngx_campaign_rc_e ngx_campaign_search_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args);
static void ngx_campaign_search_digits(ngx_campaign_search_t *s);
static ngx_campaign_rc_e ngx_campaign_search_count(ngx_campaign_search_t *s);
static ngx_campaign_rc_e ngx_campaign_search_from(ngx_campaign_search_t *s, ngx_campaign_place_t *place, uint32_t *from, uint32_t *to);
static ngx_campaign_rc_e ngx_campaign_search_fill(ngx_campaign_search_t *s, uint32_t from, uint32_t to, uint32_t *last, ngx_uint_t *more);
static ngx_campaign_rc_e ngx_campaign_search_links(ngx_campaign_search_t *s, uint32_t from, uint32_t last, ngx_uint_t more);
static ngx_campaign_rc_e ngx_campaign_search_back(ngx_campaign_search_t *s, uint32_t before, ngx_uint_t want, uint32_t *start,
    ngx_uint_t *found);
static void ngx_campaign_search_begin(ngx_campaign_search_t *s);
static ngx_uint_t ngx_campaign_search_wanted(ngx_campaign_search_t *s, const ngx_campaign_contact_t *contact);
static ngx_uint_t ngx_campaign_search_part(const ngx_str_t *text, const ngx_str_t *part);


ngx_int_t
ngx_campaign_store_contacts(ngx_campaign_store_t *st, ngx_campaign_op_t *op, u_char *audience, ngx_campaign_page_t *page)
{
    ngx_campaign_search_args_t  *args;

    args = ngx_palloc(op->pool, sizeof(ngx_campaign_search_args_t));
    if (args == NULL) {
        op->rc = NGX_CAMPAIGN_FAILURE;
        return NGX_ERROR;
    }

    ngx_memcpy(args->audience, audience, NGX_CAMPAIGN_ID_LEN);
    args->page = page;

    return ngx_campaign_lmdb_read(st, op, ngx_campaign_search_work, args);
}


static ngx_campaign_rc_e
ngx_campaign_search_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, void *args)
{
    ngx_campaign_search_args_t *sa = args;

    uint32_t                  from, to, last;
    ngx_uint_t                more;
    ngx_campaign_rc_e         rc;
    ngx_campaign_page_t      *page;
    ngx_campaign_place_t      place;
    ngx_campaign_search_t     s;
    ngx_campaign_audience_t   a;

    page = sa->page;

    rc = ngx_campaign_lmdb_record_find(t, NGX_CAMPAIGN_AUDIENCE, page->account, sa->audience, NULL, &a);
    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    s.t = t;
    s.pool = op->pool;
    s.page = page;
    s.list = NGX_CAMPAIGN_LIST_AUDIENCE(a.rec.no);
    ngx_campaign_search_digits(&s);

    rc = ngx_campaign_search_from(&s, &place, &from, &to);
    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    page->items = ngx_array_create(op->pool, page->size, sizeof(ngx_campaign_member_t));
    if (page->items == NULL) {
        return NGX_CAMPAIGN_FAILURE;
    }

    page->number = place.number;
    page->total = a.contacts;
    page->uncounted = (page->match.len && a.next > NGX_CAMPAIGN_PAGE_SEARCH);

    rc = ngx_campaign_search_fill(&s, from, to, &last, &more);

    if (rc == NGX_CAMPAIGN_OK) {
        rc = ngx_campaign_search_links(&s, from, last, more);
    }

    if (rc == NGX_CAMPAIGN_OK && page->match.len && !page->uncounted) {
        rc = ngx_campaign_search_count(&s);
    }

    return rc;
}


static void
ngx_campaign_search_digits(ngx_campaign_search_t *s)
{
    size_t  i;

    s->digits = s->page->match;

    if (s->digits.len > 1 && s->digits.data[0] == '+') {
        s->digits.data++;
        s->digits.len--;
    }

    for (i = 0; i < s->digits.len; i++) {
        if (s->digits.data[i] < '0' || s->digits.data[i] > '9') {
            s->digits.len = 0;
        }
    }
}


static ngx_campaign_rc_e
ngx_campaign_search_count(ngx_campaign_search_t *s)
{
    ngx_campaign_rc_e        rc;
    ngx_campaign_walk_t      walk;
    ngx_campaign_contact_t   contact;

    s->page->total = 0;

    ngx_campaign_lmdb_walk_init(&walk, s->list, 0);

    for ( ;; ) {
        rc = ngx_campaign_lmdb_walk_next(s->t, &walk, &contact);

        if (rc != NGX_CAMPAIGN_OK) {
            return rc == NGX_CAMPAIGN_NOT_FOUND ? NGX_CAMPAIGN_OK : rc;
        }

        s->page->total += ngx_campaign_search_wanted(s, &contact);
    }
}


/* the page's places are in [*from, *to) */

static ngx_campaign_rc_e
ngx_campaign_search_from(ngx_campaign_search_t *s, ngx_campaign_place_t *place, uint32_t *from, uint32_t *to)
{
    uint32_t           start;
    ngx_uint_t         found;
    ngx_campaign_rc_e  rc;

    *from = 0;
    *to = NGX_MAX_UINT32_VALUE;

    ngx_memzero(place, sizeof(ngx_campaign_place_t));
    place->number = 1;

    if (s->page->token.len == 0) {
        return NGX_CAMPAIGN_OK;
    }

    if (ngx_campaign_lmdb_token_open(s->t->store, s->page, s->list, place) != NGX_OK || place->key >= NGX_MAX_UINT32_VALUE) {
        return NGX_CAMPAIGN_INVALID;
    }

    if (!place->back) {
        *from = (uint32_t) place->key + 1;
        return NGX_CAMPAIGN_OK;
    }

    rc = ngx_campaign_search_back(s, (uint32_t) place->key, s->page->size, &start, &found);
    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    *from = start;
    *to = (uint32_t) place->key;

    return NGX_CAMPAIGN_OK;
}


/* *last: place of the page's last item, or the last one looked at by a walk that was cut; *more: there is another, or may be, behind it */

static ngx_campaign_rc_e
ngx_campaign_search_fill(ngx_campaign_search_t *s, uint32_t from, uint32_t to, uint32_t *last, ngx_uint_t *more)
{
    uint32_t                 seq;
    ngx_campaign_rc_e        rc;
    ngx_campaign_walk_t      walk;
    ngx_campaign_page_t     *page;
    ngx_campaign_member_t   *member;
    ngx_campaign_contact_t   contact;

    page = s->page;

    *last = from ? from - 1 : 0;
    *more = 0;

    ngx_campaign_search_begin(s);
    ngx_campaign_lmdb_walk_init(&walk, s->list, from);

    for ( ;; ) {
        seq = walk.seq;

        if (s->left-- == 0) {
            *last = page->items->nelts < page->size ? seq - 1 : *last;
            *more = 1;
            return NGX_CAMPAIGN_OK;
        }

        rc = ngx_campaign_lmdb_walk_next(s->t, &walk, &contact);

        if (rc == NGX_CAMPAIGN_NOT_FOUND) {
            return NGX_CAMPAIGN_OK;
        }

        if (rc != NGX_CAMPAIGN_OK) {
            return rc;
        }

        if (!ngx_campaign_search_wanted(s, &contact)) {
            continue;
        }

        if (page->items->nelts == page->size || seq >= to) {
            *more = 1;
            return NGX_CAMPAIGN_OK;
        }

        if (ngx_campaign_contact_copy(s->pool, &contact) != NGX_OK) {
            return NGX_CAMPAIGN_FAILURE;
        }

        member = ngx_array_push(page->items);           /* not NULL: made for page->size */
        member->contact = contact;
        ngx_campaign_id_make(s->t->store->secret, NGX_CAMPAIGN_CONTACT, s->list, seq, member->id);

        *last = seq;
    }
}


static ngx_campaign_rc_e
ngx_campaign_search_links(ngx_campaign_search_t *s, uint32_t from, uint32_t last, ngx_uint_t more)
{
    uint32_t              start;
    ngx_uint_t            found;
    ngx_campaign_rc_e     rc;
    ngx_campaign_page_t  *page;
    ngx_campaign_place_t  place;

    page = s->page;

    ngx_str_set(&page->first, "");
    page->current = page->token;

    if (page->token.len == 0) {
        ngx_str_set(&page->current, "");
    }

    ngx_str_null(&page->previous);
    ngx_str_null(&page->next);

    if (more) {
        place.back = 0;
        place.key = last;
        place.number = page->number + 1;

        if (ngx_campaign_lmdb_token_make(s->t->store, s->pool, page, s->list, &place, &page->next) != NGX_OK) {
            return NGX_CAMPAIGN_FAILURE;
        }
    }

    rc = ngx_campaign_search_back(s, from, 1, &start, &found);
    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    if (found == 0 && !s->cut) {
        page->number = 1;
        return NGX_CAMPAIGN_OK;
    }

    place.back = 1;
    place.key = from;
    place.number = page->number > 1 ? page->number - 1 : 1;

    return ngx_campaign_lmdb_token_make(s->t->store, s->pool, page, s->list, &place, &page->previous) == NGX_OK ? NGX_CAMPAIGN_OK
                                                                                                                 : NGX_CAMPAIGN_FAILURE;
}


/*
 * the last `want` wanted contacts before a place: *start is the place of the first of them; with *found < want, where the walk ended: 0, or
 * cut
 */

static ngx_campaign_rc_e
ngx_campaign_search_back(ngx_campaign_search_t *s, uint32_t before, ngx_uint_t want, uint32_t *start, ngx_uint_t *found)
{
    uint32_t                 block, seq, wanted[NGX_CAMPAIGN_BLOCK];
    ngx_uint_t               n;
    ngx_campaign_rc_e        rc;
    ngx_campaign_walk_t      walk;
    ngx_campaign_contact_t   contact;

    *found = 0;
    ngx_campaign_search_begin(s);

    for (block = (before + NGX_CAMPAIGN_BLOCK - 1) / NGX_CAMPAIGN_BLOCK; block > 0; block--) {

        if (s->left < NGX_CAMPAIGN_BLOCK) {
            s->cut = 1;
            *start = block * NGX_CAMPAIGN_BLOCK;
            return NGX_CAMPAIGN_OK;
        }

        s->left -= NGX_CAMPAIGN_BLOCK;
        ngx_campaign_lmdb_walk_init(&walk, s->list, (block - 1) * NGX_CAMPAIGN_BLOCK);

        for (n = 0, seq = walk.seq; seq < before && seq < block * NGX_CAMPAIGN_BLOCK; seq++) {

            rc = ngx_campaign_lmdb_walk_next(s->t, &walk, &contact);

            if (rc == NGX_CAMPAIGN_NOT_FOUND) {
                break;
            }

            if (rc != NGX_CAMPAIGN_OK) {
                return rc;
            }

            if (ngx_campaign_search_wanted(s, &contact)) {
                wanted[n++] = seq;
            }
        }

        if (*found + n >= want) {
            *start = wanted[n - (want - *found)];
            *found = want;
            return NGX_CAMPAIGN_OK;
        }

        *found += n;
    }

    *start = 0;

    return NGX_CAMPAIGN_OK;
}


static void
ngx_campaign_search_begin(ngx_campaign_search_t *s)
{
    s->left = NGX_CAMPAIGN_PAGE_SEARCH;
    s->cut = 0;
}


static ngx_uint_t
ngx_campaign_search_wanted(ngx_campaign_search_t *s, const ngx_campaign_contact_t *contact)
{
    u_char            number[NGX_CAMPAIGN_NUMBER_LEN];
    size_t            len;
    const ngx_str_t  *match;

    match = &s->page->match;

    if (contact->deleted || match->len == 0) {
        return contact->deleted == 0;
    }

    if (s->digits.len) {
        len = ngx_campaign_number_print(number, contact->number) - number;

        if (len >= s->digits.len && ngx_memcmp(number, s->digits.data, s->digits.len) == 0) {
            return 1;
        }
    }

    return ngx_campaign_search_part(&contact->field[NGX_CAMPAIGN_CONTACT_FIRST_NAME], match)
           || ngx_campaign_search_part(&contact->field[NGX_CAMPAIGN_CONTACT_LAST_NAME], match);
}


/* letters of ASCII in any case */

static ngx_uint_t
ngx_campaign_search_part(const ngx_str_t *text, const ngx_str_t *part)
{
    size_t  i, j;

    for (i = 0; i + part->len <= text->len; i++) {

        for (j = 0; j < part->len && ngx_tolower(text->data[i + j]) == ngx_tolower(part->data[j]); j++) {
            /* void */
        }

        if (j == part->len) {
            return 1;
        }
    }

    return 0;
}
