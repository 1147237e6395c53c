
/*
 * Packed contacts, and the pile of them.  A contact has exactly one packed form: a flag stands for a field that is not empty.
 */

#include "ngx_campaign_contact.h"
#include "ngx_campaign_codec.h"


#define NGX_CAMPAIGN_PILE_MIN  4096             /* bytes of a pile's first chunk; each further one is twice as long ... */
#define NGX_CAMPAIGN_PILE_MAX  (256 * 1024)     /* ... up to this */

#define NGX_CAMPAIGN_PILE_DIGIT  11             /* bits sorted by in one pass */


typedef struct {
    uint64_t     number;
    uint32_t     place;         /* in the pile, from 0 */
} ngx_campaign_pile_key_t;


static ngx_campaign_pile_chunk_t *ngx_campaign_pile_chunk(ngx_campaign_pile_t *pile, size_t size);
static ngx_int_t ngx_campaign_pile_keys(const ngx_campaign_pile_t *pile, ngx_campaign_pile_key_t *keys);
static ngx_campaign_pile_key_t *ngx_campaign_pile_sort(ngx_campaign_pile_key_t *keys, ngx_campaign_pile_key_t *spare, uint32_t n);
static void ngx_campaign_pile_sweep(ngx_campaign_pile_t *pile, const u_char *drop);


size_t
ngx_campaign_contact_size(const ngx_campaign_contact_t *c)
{
    size_t      size;
    ngx_uint_t  i;

    if (c->deleted) {
        return 1 + ngx_campaign_varint_size(c->deleted - 1);
    }

    size = 1 + ngx_campaign_varint_size(c->number);

    for (i = 0; i < NGX_CAMPAIGN_CONTACT_FIELDS; i++) {
        if (c->field[i].len) {
            size += ngx_campaign_varint_size(c->field[i].len) + c->field[i].len;
        }
    }

    return size;
}


u_char *
ngx_campaign_contact_pack(u_char *p, const ngx_campaign_contact_t *c)
{
    u_char      *flags;
    ngx_uint_t   i;

    flags = p++;

    if (c->deleted) {
        *flags = NGX_CAMPAIGN_CONTACT_DELETED;
        return ngx_campaign_varint_put(p, c->deleted - 1);
    }

    *flags = 0;
    p = ngx_campaign_varint_put(p, c->number);

    for (i = 0; i < NGX_CAMPAIGN_CONTACT_FIELDS; i++) {
        if (c->field[i].len) {
            *flags |= (u_char) (1 << i);
            p = ngx_campaign_varint_put(p, c->field[i].len);
            p = ngx_cpymem(p, c->field[i].data, c->field[i].len);
        }
    }

    return p;
}


const u_char *
ngx_campaign_contact_unpack(const u_char *p, const u_char *end, ngx_campaign_contact_t *c)
{
    u_char      flags;
    uint64_t    v;
    ngx_uint_t  i;

    if (p >= end) {
        return NULL;
    }

    flags = *p++;

    p = ngx_campaign_varint_get(p, end, &v);
    if (p == NULL) {
        return NULL;
    }

    ngx_memzero(c, sizeof(ngx_campaign_contact_t));

    if (flags == NGX_CAMPAIGN_CONTACT_DELETED) {
        c->deleted = v + 1;
        return c->deleted ? p : NULL;
    }

    if (flags >> NGX_CAMPAIGN_CONTACT_FIELDS || v == 0) {
        return NULL;
    }

    c->number = v;

    for (i = 0; i < NGX_CAMPAIGN_CONTACT_FIELDS; i++) {
        if (!(flags & 1 << i)) {
            continue;
        }

        p = ngx_campaign_varint_get(p, end, &v);
        if (p == NULL || v == 0 || v > (size_t) (end - p)) {
            return NULL;
        }

        c->field[i].len = (size_t) v;
        c->field[i].data = (u_char *) p;
        p += v;
    }

    return p;
}


const u_char *
ngx_campaign_contact_skip(const u_char *p, const u_char *end, uint64_t *number)
{
    ngx_campaign_contact_t  c;

    p = ngx_campaign_contact_unpack(p, end, &c);

    if (p) {
        *number = c.number;
    }

    return p;
}


void
ngx_campaign_pile_init(ngx_campaign_pile_t *pile, ngx_pool_t *pool)
{
    pile->pool = pool;
    pile->first = NULL;
    pile->tail = NULL;
    pile->n = 0;
}


ngx_int_t
ngx_campaign_pile_add(ngx_campaign_pile_t *pile, const ngx_campaign_contact_t *c)
{
    size_t                      size;
    ngx_campaign_pile_chunk_t  *chunk;

    size = ngx_campaign_contact_size(c);
    chunk = pile->tail;

    if (chunk == NULL || (size_t) (chunk->end - chunk->last) < size) {
        chunk = ngx_campaign_pile_chunk(pile, size);
        if (chunk == NULL) {
            return NGX_ERROR;
        }
    }

    chunk->last = ngx_campaign_contact_pack(chunk->last, c);
    pile->n++;

    return NGX_OK;
}


/* a new tail with room for at least size bytes */

static ngx_campaign_pile_chunk_t *
ngx_campaign_pile_chunk(ngx_campaign_pile_t *pile, size_t size)
{
    size_t                      room;
    ngx_campaign_pile_chunk_t  *chunk;

    room = NGX_CAMPAIGN_PILE_MIN;

    if (pile->tail) {
        room = ngx_min(2 * (size_t) (pile->tail->end - pile->tail->start), NGX_CAMPAIGN_PILE_MAX);
    }

    room = ngx_max(room, size);

    chunk = ngx_palloc(pile->pool, sizeof(ngx_campaign_pile_chunk_t) + room);
    if (chunk == NULL) {
        return NULL;
    }

    chunk->next = NULL;
    chunk->start = (u_char *) (chunk + 1);
    chunk->last = chunk->start;
    chunk->end = chunk->start + room;

    if (pile->tail) {
        pile->tail->next = chunk;

    } else {
        pile->first = chunk;
    }

    pile->tail = chunk;

    return chunk;
}


ngx_int_t
ngx_campaign_pile_unique(ngx_campaign_pile_t *pile, uint32_t *dropped)
{
    u_char                   *drop;
    uint32_t                  i, n;
    ngx_campaign_pile_key_t  *keys, *sorted;

    if (pile->n < 2) {
        *dropped = 0;
        return NGX_OK;
    }

    drop = ngx_pcalloc(pile->pool, pile->n);
    keys = ngx_palloc(pile->pool, 2 * (size_t) pile->n * sizeof(ngx_campaign_pile_key_t));

    if (drop == NULL || keys == NULL || ngx_campaign_pile_keys(pile, keys) != NGX_OK) {
        return NGX_ERROR;
    }

    sorted = ngx_campaign_pile_sort(keys, keys + pile->n, pile->n);

    for (n = 0, i = 1; i < pile->n; i++) {
        if (sorted[i].number == sorted[i - 1].number && sorted[i].number) {
            drop[sorted[i].place] = 1;
            n++;
        }
    }

    if (n) {
        ngx_campaign_pile_sweep(pile, drop);
    }

    (void) ngx_pfree(pile->pool, keys);     /* 3 MB for 100 000: given back early */
    (void) ngx_pfree(pile->pool, drop);

    *dropped = n;

    return NGX_OK;
}


static ngx_int_t
ngx_campaign_pile_keys(const ngx_campaign_pile_t *pile, ngx_campaign_pile_key_t *keys)
{
    uint32_t                          n;
    const u_char                     *p;
    const ngx_campaign_pile_chunk_t  *chunk;

    n = 0;

    for (chunk = pile->first; chunk; chunk = chunk->next) {
        for (p = chunk->start; p < chunk->last; n++) {

            p = ngx_campaign_contact_skip(p, chunk->last, &keys[n].number);
            if (p == NULL) {
                return NGX_ERROR;
            }

            keys[n].place = n;
        }
    }

    return NGX_OK;
}


/*
 * Sorts by number; equal ones stay in order.  By digits, least first: its cost is the same for every input (a hash could be made to
 * degenerate by who chooses the numbers) and, unlike libc's, it takes no memory of its own.  The result is in keys or in spare.
 */

static ngx_campaign_pile_key_t *
ngx_campaign_pile_sort(ngx_campaign_pile_key_t *keys, ngx_campaign_pile_key_t *spare, uint32_t n)
{
    uint32_t                  i, digit, sum, next, at[1 << NGX_CAMPAIGN_PILE_DIGIT];
    uint64_t                  any;
    ngx_uint_t                shift;
    ngx_campaign_pile_key_t  *swap;

    for (any = 0, i = 0; i < n; i++) {
        any |= keys[i].number;
    }

    for (shift = 0; shift < 64 && any >> shift; shift += NGX_CAMPAIGN_PILE_DIGIT) {

        ngx_memzero(at, sizeof(at));

        for (i = 0; i < n; i++) {
            at[(keys[i].number >> shift) & ((1 << NGX_CAMPAIGN_PILE_DIGIT) - 1)]++;
        }

        for (sum = 0, digit = 0; digit < 1 << NGX_CAMPAIGN_PILE_DIGIT; digit++) {
            next = sum + at[digit];
            at[digit] = sum;
            sum = next;
        }

        for (i = 0; i < n; i++) {
            digit = (keys[i].number >> shift) & ((1 << NGX_CAMPAIGN_PILE_DIGIT) - 1);
            spare[at[digit]++] = keys[i];
        }

        swap = keys;
        keys = spare;
        spare = swap;
    }

    return keys;
}


/* closes the gaps in each chunk; drop: a byte a contact */

static void
ngx_campaign_pile_sweep(ngx_campaign_pile_t *pile, const u_char *drop)
{
    u_char                     *to;
    uint32_t                    i, n;
    uint64_t                    number;
    const u_char               *p, *next;
    ngx_campaign_pile_chunk_t  *chunk;

    n = 0;
    i = 0;

    for (chunk = pile->first; chunk; chunk = chunk->next) {
        to = chunk->start;

        for (p = chunk->start; p < chunk->last; p = next) {

            next = ngx_campaign_contact_skip(p, chunk->last, &number);      /* not NULL: _keys has walked the same bytes */

            if (!drop[i++]) {
                to = ngx_movemem(to, p, next - p);
                n++;
            }
        }

        chunk->last = to;
    }

    pile->n = n;
}
