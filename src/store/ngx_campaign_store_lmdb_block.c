
/*
 * Lists of contacts in blocks, and the index of an audience's numbers.  It keeps true: every block but a list's last one is full, so
 * a place's block is known; what is in the index is in a block, and the other way round; packed contacts are copied, never rebuilt.
 */

#include "ngx_campaign_store_lmdb_contact.h"


#define NGX_CAMPAIGN_BLOCK_KEY     12           /* list u64, block u32 */
#define NGX_CAMPAIGN_BLOCK_MAX     (NGX_CAMPAIGN_BLOCK * NGX_CAMPAIGN_CONTACT_PACKED_MAX)
#define NGX_CAMPAIGN_NUMBER_VALUE  12           /* number u64, seq u32 */


/* the block at a list's end while it is filled */

typedef struct {
    ngx_campaign_txn_t        *t;
    uint64_t                   list;
    uint32_t                   block;
    uint32_t                   n;               /* contacts in it */
    u_char                    *start, *last, *end;
} ngx_campaign_blocks_t;


static ngx_campaign_rc_e ngx_campaign_contact_sift_read(ngx_campaign_txn_t *t, ngx_campaign_pile_t *pile, ngx_campaign_sift_t *sift);
static int ngx_libc_cdecl ngx_campaign_contact_sift_cmp(const void *one, const void *two);
static ngx_campaign_rc_e ngx_campaign_contact_sift_index(ngx_campaign_txn_t *t, uint64_t list, ngx_campaign_sift_t *sift);
static ngx_campaign_rc_e ngx_campaign_contact_index(ngx_campaign_txn_t *t, uint64_t list, const ngx_campaign_sift_t *sift);
static ngx_campaign_rc_e ngx_campaign_contact_blocks_open(ngx_campaign_blocks_t *b, uint32_t next);
static ngx_campaign_rc_e ngx_campaign_contact_blocks_add(ngx_campaign_blocks_t *b, const u_char *p, size_t len);
static ngx_campaign_rc_e ngx_campaign_contact_blocks_flush(ngx_campaign_blocks_t *b);
static ngx_campaign_rc_e ngx_campaign_contact_renumber(ngx_campaign_txn_t *t, uint64_t list, uint32_t seq, uint64_t old, uint64_t number);
static ngx_campaign_rc_e ngx_campaign_contact_block_get(ngx_campaign_txn_t *t, uint64_t list, uint32_t block, const u_char **p,
    const u_char **end);


ngx_campaign_rc_e
ngx_campaign_lmdb_contacts_add(ngx_campaign_txn_t *t, uint64_t list, uint32_t *next, ngx_campaign_pile_t *pile, ngx_uint_t unique,
    uint32_t *created, uint32_t *duplicates)
{
    uint32_t              n;
    ngx_campaign_rc_e     rc;
    ngx_campaign_sift_t   sift;

    n = pile->n;

    if (unique) {
        rc = ngx_campaign_contact_sift(t, list, *next, pile, &sift);
        if (rc != NGX_CAMPAIGN_OK) {
            return rc;
        }

        n = sift.fresh;
        rc = ngx_campaign_contact_store(t, list, *next, pile, &sift);

        ngx_campaign_contact_sift_free(&sift);

    } else {
        rc = ngx_campaign_contact_store(t, list, *next, pile, NULL);
    }

    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    *next += n;
    *created = n;
    *duplicates = pile->n - n;

    return NGX_CAMPAIGN_OK;
}


ngx_campaign_rc_e
ngx_campaign_contact_store(ngx_campaign_txn_t *t, uint64_t list, uint32_t next, ngx_campaign_pile_t *pile,
    const ngx_campaign_sift_t *sift)
{
    uint32_t                    i;
    uint64_t                    number;
    const u_char               *p, *contact;
    ngx_campaign_rc_e           rc;
    ngx_campaign_blocks_t       b;
    ngx_campaign_pile_chunk_t  *chunk;

    if (sift ? sift->fresh == 0 : pile->n == 0) {
        return NGX_CAMPAIGN_OK;
    }

    ngx_memzero(&b, sizeof(ngx_campaign_blocks_t));
    b.t = t;
    b.list = list;

    rc = sift ? ngx_campaign_contact_index(t, list, sift) : NGX_CAMPAIGN_OK;

    if (rc == NGX_CAMPAIGN_OK) {
        rc = ngx_campaign_contact_blocks_open(&b, next);
    }

    i = 0;

    for (chunk = pile->first; chunk && rc == NGX_CAMPAIGN_OK; chunk = chunk->next) {
        for (contact = chunk->start; contact < chunk->last && rc == NGX_CAMPAIGN_OK; contact = p, i++) {

            p = ngx_campaign_contact_skip(contact, chunk->last, &number);
            if (p == NULL) {
                rc = ngx_campaign_lmdb_failed(t, MDB_CORRUPTED, "contact of a pile");
                break;
            }

            if (sift == NULL || sift->seq[i] != NGX_CAMPAIGN_SIFT_DOUBLE) {
                rc = ngx_campaign_contact_blocks_add(&b, contact, p - contact);
            }
        }
    }

    if (rc == NGX_CAMPAIGN_OK && b.n) {
        rc = ngx_campaign_contact_blocks_flush(&b);
    }

    if (b.start) {
        ngx_free(b.start);
    }

    return rc;
}


ngx_campaign_rc_e
ngx_campaign_contact_sift(ngx_campaign_txn_t *t, uint64_t list, uint32_t next, ngx_campaign_pile_t *pile, ngx_campaign_sift_t *sift)
{
    uint32_t           i;
    ngx_campaign_rc_e  rc;

    ngx_memzero(sift, sizeof(ngx_campaign_sift_t));

    if (pile->n == 0) {
        return NGX_CAMPAIGN_OK;
    }

    /* neither a place nor a mark for doubles */

    if (pile->n >= NGX_MAX_UINT32_VALUE - next) {
        return NGX_CAMPAIGN_TOO_MANY;
    }

    rc = ngx_campaign_contact_sift_read(t, pile, sift);

    if (rc == NGX_CAMPAIGN_OK) {
        ngx_qsort(sift->sorted, sift->n, sizeof(ngx_campaign_sifted_t), ngx_campaign_contact_sift_cmp);

        rc = ngx_campaign_contact_sift_index(t, list, sift);
    }

    if (rc != NGX_CAMPAIGN_OK) {
        ngx_campaign_contact_sift_free(sift);
        return rc;
    }

    for (i = 0; i < sift->n; i++) {
        if (sift->seq[i] != NGX_CAMPAIGN_SIFT_DOUBLE) {
            sift->seq[i] = next + sift->fresh++;
        }
    }

    return NGX_CAMPAIGN_OK;
}


static ngx_campaign_rc_e
ngx_campaign_contact_sift_read(ngx_campaign_txn_t *t, ngx_campaign_pile_t *pile, ngx_campaign_sift_t *sift)
{
    uint64_t                    number;
    const u_char               *p;
    ngx_campaign_pile_chunk_t  *chunk;

    sift->sorted = ngx_alloc(pile->n * sizeof(ngx_campaign_sifted_t), t->log);
    sift->seq = ngx_alloc(pile->n * sizeof(uint32_t), t->log);

    if (sift->sorted == NULL || sift->seq == NULL) {
        return ngx_campaign_lmdb_failed(t, ENOMEM, "import of contacts");
    }

    ngx_memzero(sift->seq, pile->n * sizeof(uint32_t));

    for (chunk = pile->first; chunk; chunk = chunk->next) {
        for (p = chunk->start; p < chunk->last; /* void */ ) {

            p = ngx_campaign_contact_skip(p, chunk->last, &number);
            if (p == NULL || sift->n == pile->n) {
                return ngx_campaign_lmdb_failed(t, MDB_CORRUPTED, "contact of a pile");
            }

            sift->sorted[sift->n].number = number;
            sift->sorted[sift->n].at = sift->n;
            sift->n++;
        }
    }

    return NGX_CAMPAIGN_OK;
}


static int ngx_libc_cdecl
ngx_campaign_contact_sift_cmp(const void *one, const void *two)
{
    const ngx_campaign_sifted_t *a = one, *b = two;

    if (a->number != b->number) {
        return a->number < b->number ? -1 : 1;
    }

    return a->at < b->at ? -1 : a->at > b->at;
}


/* marks doubles.  Both sides are sorted: the index is asked again only when the pile has passed the last number found in it */

static ngx_campaign_rc_e
ngx_campaign_contact_sift_index(ngx_campaign_txn_t *t, uint64_t list, ngx_campaign_sift_t *sift)
{
    int                     rc;
    u_char                  name[8], start[NGX_CAMPAIGN_NUMBER_VALUE];
    MDB_val                 key, value;
    uint32_t                i;
    uint64_t                number, found;
    MDB_cursor             *cursor;
    ngx_campaign_sifted_t  *s;

    rc = mdb_cursor_open(t->txn, t->store->dbi[NGX_CAMPAIGN_DB_NUMBER], &cursor);
    if (rc != 0) {
        return ngx_campaign_lmdb_failed(t, rc, "cursor of number");
    }

    ngx_campaign_be64_put(name, list);

    s = sift->sorted;
    sift->tail = sift->n;

    for (found = 0, i = 0; i < sift->n; i++) {
        number = s[i].number;

        if (i && number == s[i - 1].number) {
            sift->seq[s[i].at] = NGX_CAMPAIGN_SIFT_DOUBLE;
            continue;
        }

        if (sift->tail < sift->n) {
            continue;
        }

        if (found < number) {
            ngx_campaign_be32_put(ngx_campaign_be64_put(start, number), 0);

            key.mv_size = 8;
            key.mv_data = name;
            value.mv_size = NGX_CAMPAIGN_NUMBER_VALUE;
            value.mv_data = start;

            rc = mdb_cursor_get(cursor, &key, &value, MDB_GET_BOTH_RANGE);

            if (rc == MDB_NOTFOUND) {
                sift->tail = i;
                continue;
            }

            if (rc != 0 || value.mv_size != NGX_CAMPAIGN_NUMBER_VALUE) {
                mdb_cursor_close(cursor);
                return ngx_campaign_lmdb_failed(t, rc ? rc : MDB_CORRUPTED, "number of an audience");
            }

            found = ngx_campaign_be64_get(value.mv_data);
        }

        if (found == number) {
            sift->seq[s[i].at] = NGX_CAMPAIGN_SIFT_DOUBLE;
        }
    }

    mdb_cursor_close(cursor);

    return NGX_CAMPAIGN_OK;
}


void
ngx_campaign_contact_sift_free(ngx_campaign_sift_t *sift)
{
    if (sift->sorted) {
        ngx_free(sift->sorted);
    }

    if (sift->seq) {
        ngx_free(sift->seq);
    }

    sift->sorted = NULL;
    sift->seq = NULL;
}


static ngx_campaign_rc_e
ngx_campaign_contact_index(ngx_campaign_txn_t *t, uint64_t list, const ngx_campaign_sift_t *sift)
{
    int           rc;
    u_char        name[8], entry[NGX_CAMPAIGN_NUMBER_VALUE];
    MDB_val       key, value;
    uint32_t      i, seq;
    MDB_cursor   *cursor;

    rc = mdb_cursor_open(t->txn, t->store->dbi[NGX_CAMPAIGN_DB_NUMBER], &cursor);
    if (rc != 0) {
        return ngx_campaign_lmdb_failed(t, rc, "cursor of number");
    }

    ngx_campaign_be64_put(name, list);

    for (i = 0; i < sift->n; i++) {
        seq = sift->seq[sift->sorted[i].at];

        if (seq == NGX_CAMPAIGN_SIFT_DOUBLE) {
            continue;
        }

        ngx_campaign_be32_put(ngx_campaign_be64_put(entry, sift->sorted[i].number), seq);

        key.mv_size = 8;
        key.mv_data = name;
        value.mv_size = NGX_CAMPAIGN_NUMBER_VALUE;
        value.mv_data = entry;

        rc = mdb_cursor_put(cursor, &key, &value, i >= sift->tail ? MDB_APPENDDUP : 0);
        if (rc != 0) {
            break;
        }
    }

    mdb_cursor_close(cursor);

    return rc == 0 ? NGX_CAMPAIGN_OK : ngx_campaign_lmdb_failed(t, rc, "number of an audience");
}


static ngx_campaign_rc_e
ngx_campaign_contact_blocks_open(ngx_campaign_blocks_t *b, uint32_t next)
{
    const u_char       *p, *end;
    ngx_campaign_rc_e   rc;

    b->start = ngx_alloc(NGX_CAMPAIGN_BLOCK_MAX + 4, b->t->log);
    if (b->start == NULL) {
        return ngx_campaign_lmdb_failed(b->t, ENOMEM, "block of contacts");
    }

    b->last = b->start;
    b->end = b->start + NGX_CAMPAIGN_BLOCK_MAX;
    b->block = next / NGX_CAMPAIGN_BLOCK;
    b->n = next % NGX_CAMPAIGN_BLOCK;

    if (b->n == 0) {
        return NGX_CAMPAIGN_OK;
    }

    rc = ngx_campaign_contact_block_get(b->t, b->list, b->block, &p, &end);

    if (rc == NGX_CAMPAIGN_NOT_FOUND || (rc == NGX_CAMPAIGN_OK && end - p > NGX_CAMPAIGN_BLOCK_MAX)) {
        return ngx_campaign_lmdb_failed(b->t, MDB_CORRUPTED, "last block of contacts");
    }

    if (rc != NGX_CAMPAIGN_OK) {
        return rc;
    }

    b->last = ngx_cpymem(b->last, p, end - p);

    return NGX_CAMPAIGN_OK;
}


static ngx_campaign_rc_e
ngx_campaign_contact_blocks_add(ngx_campaign_blocks_t *b, const u_char *p, size_t len)
{
    if (len > (size_t) (b->end - b->last)) {
        return ngx_campaign_lmdb_failed(b->t, MDB_BAD_VALSIZE, "block of contacts");
    }

    b->last = ngx_cpymem(b->last, p, len);
    b->n++;

    return b->n == NGX_CAMPAIGN_BLOCK ? ngx_campaign_contact_blocks_flush(b) : NGX_CAMPAIGN_OK;
}


static ngx_campaign_rc_e
ngx_campaign_contact_blocks_flush(ngx_campaign_blocks_t *b)
{
    int      rc;
    u_char   name[NGX_CAMPAIGN_BLOCK_KEY];
    MDB_dbi  dbi;
    MDB_val  key, value;

    b->last = ngx_campaign_be32_put(b->last, ngx_campaign_crc32c(0, b->start, b->last - b->start));

    ngx_campaign_be32_put(ngx_campaign_be64_put(name, b->list), b->block);

    key.mv_size = NGX_CAMPAIGN_BLOCK_KEY;
    key.mv_data = name;
    value.mv_size = b->last - b->start;
    value.mv_data = b->start;

    dbi = b->t->store->dbi[NGX_CAMPAIGN_DB_BLOCK];

    /* the newest list is the last of the table: appended, its pages are filled; elsewhere LMDB declines before it writes */

    rc = mdb_put(b->t->txn, dbi, &key, &value, MDB_APPEND);

    if (rc == MDB_KEYEXIST) {
        rc = mdb_put(b->t->txn, dbi, &key, &value, 0);
    }

    if (rc != 0) {
        return ngx_campaign_lmdb_failed(b->t, rc, "block of contacts");
    }

    b->block++;
    b->n = 0;
    b->last = b->start;

    return NGX_CAMPAIGN_OK;
}


static ngx_campaign_rc_e
ngx_campaign_contact_block_get(ngx_campaign_txn_t *t, uint64_t list, uint32_t block, const u_char **p, const u_char **end)
{
    int            rc;
    u_char         key[NGX_CAMPAIGN_BLOCK_KEY];
    size_t         len;
    const u_char  *data;
    MDB_val        value;

    ngx_campaign_be32_put(ngx_campaign_be64_put(key, list), block);

    rc = ngx_campaign_lmdb_get(t, NGX_CAMPAIGN_DB_BLOCK, key, NGX_CAMPAIGN_BLOCK_KEY, &value);

    if (rc == MDB_NOTFOUND) {
        return NGX_CAMPAIGN_NOT_FOUND;
    }

    if (rc != 0 || value.mv_size < 4) {
        return ngx_campaign_lmdb_failed(t, rc ? rc : MDB_CORRUPTED, "block of contacts");
    }

    data = value.mv_data;
    len = value.mv_size - 4;

    if (ngx_campaign_crc32c(0, data, len) != ngx_campaign_be32_get(data + len)) {
        return ngx_campaign_lmdb_failed(t, MDB_CORRUPTED, "checksum of a block of contacts");
    }

    *p = data;
    *end = data + len;

    return NGX_CAMPAIGN_OK;
}


ngx_campaign_rc_e
ngx_campaign_contact_number_find(ngx_campaign_txn_t *t, uint64_t list, uint64_t number)
{
    int          rc;
    u_char       name[8], start[NGX_CAMPAIGN_NUMBER_VALUE];
    MDB_val      key, value;
    MDB_cursor  *cursor;

    rc = mdb_cursor_open(t->txn, t->store->dbi[NGX_CAMPAIGN_DB_NUMBER], &cursor);
    if (rc != 0) {
        return ngx_campaign_lmdb_failed(t, rc, "cursor of number");
    }

    ngx_campaign_be64_put(name, list);
    ngx_campaign_be32_put(ngx_campaign_be64_put(start, number), 0);

    key.mv_size = 8;
    key.mv_data = name;
    value.mv_size = NGX_CAMPAIGN_NUMBER_VALUE;
    value.mv_data = start;

    rc = mdb_cursor_get(cursor, &key, &value, MDB_GET_BOTH_RANGE);
    mdb_cursor_close(cursor);

    if (rc == MDB_NOTFOUND) {
        return NGX_CAMPAIGN_NOT_FOUND;
    }

    if (rc != 0 || value.mv_size != NGX_CAMPAIGN_NUMBER_VALUE) {
        return ngx_campaign_lmdb_failed(t, rc ? rc : MDB_CORRUPTED, "number of an audience");
    }

    return ngx_campaign_be64_get(value.mv_data) == number ? NGX_CAMPAIGN_OK : NGX_CAMPAIGN_NOT_FOUND;
}


ngx_campaign_rc_e
ngx_campaign_contact_replace(ngx_campaign_txn_t *t, uint64_t list, uint32_t seq, const ngx_campaign_contact_t *contact)
{
    u_char                 *start;
    uint32_t                i;
    uint64_t                number;
    const u_char           *p, *at, *end;
    ngx_campaign_rc_e       rc;
    ngx_campaign_blocks_t   b;

    number = 0;

    rc = ngx_campaign_contact_block_get(t, list, seq / NGX_CAMPAIGN_BLOCK, &p, &end);

    start = (rc == NGX_CAMPAIGN_OK) ? ngx_alloc(end - p + ngx_campaign_contact_size(contact) + 4, t->log) : NULL;

    if (start == NULL) {
        return rc == NGX_CAMPAIGN_OK ? ngx_campaign_lmdb_failed(t, ENOMEM, "block of contacts") : rc;
    }

    for (at = p, i = 0; at && i < seq % NGX_CAMPAIGN_BLOCK; i++) {
        at = ngx_campaign_contact_skip(at, end, &number);
    }

    ngx_memzero(&b, sizeof(ngx_campaign_blocks_t));

    b.t = t;
    b.list = list;
    b.block = seq / NGX_CAMPAIGN_BLOCK;
    b.start = start;
    b.last = start;

    if (at) {
        b.last = ngx_campaign_contact_pack(ngx_cpymem(b.last, p, at - p), contact);
        at = ngx_campaign_contact_skip(at, end, &number);
    }

    if (at) {
        b.last = ngx_cpymem(b.last, at, end - at);
        rc = ngx_campaign_contact_renumber(t, list, seq, number, contact->number);      /* what points into the map is not used after it */

    } else {
        rc = ngx_campaign_lmdb_failed(t, MDB_CORRUPTED, "contact");
    }

    if (rc == NGX_CAMPAIGN_OK) {
        rc = ngx_campaign_contact_blocks_flush(&b);
    }

    ngx_free(start);

    return rc;
}


/* number 0: the contact is deleted */

static ngx_campaign_rc_e
ngx_campaign_contact_renumber(ngx_campaign_txn_t *t, uint64_t list, uint32_t seq, uint64_t old, uint64_t number)
{
    int      rc;
    u_char   name[8], entry[NGX_CAMPAIGN_NUMBER_VALUE];
    MDB_dbi  dbi;
    MDB_val  key, value;

    if (old == number) {
        return NGX_CAMPAIGN_OK;
    }

    ngx_campaign_be64_put(name, list);
    ngx_campaign_be32_put(ngx_campaign_be64_put(entry, old), seq);

    key.mv_size = 8;
    key.mv_data = name;
    value.mv_size = NGX_CAMPAIGN_NUMBER_VALUE;
    value.mv_data = entry;

    dbi = t->store->dbi[NGX_CAMPAIGN_DB_NUMBER];

    rc = mdb_del(t->txn, dbi, &key, &value);

    if (rc == 0 && number) {
        ngx_campaign_be32_put(ngx_campaign_be64_put(entry, number), seq);
        rc = mdb_put(t->txn, dbi, &key, &value, 0);
    }

    return rc == 0 ? NGX_CAMPAIGN_OK : ngx_campaign_lmdb_failed(t, rc == MDB_NOTFOUND ? MDB_CORRUPTED : rc, "number of an audience");
}


ngx_campaign_rc_e
ngx_campaign_lmdb_contacts_drop(ngx_campaign_txn_t *t, uint64_t list)
{
    int                rc;
    u_char             key[8];
    ngx_campaign_rc_e  result;

    ngx_campaign_be64_put(key, list);

    result = ngx_campaign_lmdb_prefix_drop(t, NGX_CAMPAIGN_DB_BLOCK, key, 8);
    if (result != NGX_CAMPAIGN_OK) {
        return result;
    }

    rc = ngx_campaign_lmdb_del(t, NGX_CAMPAIGN_DB_NUMBER, key, 8);

    return (rc == 0 || rc == MDB_NOTFOUND) ? NGX_CAMPAIGN_OK : ngx_campaign_lmdb_failed(t, rc, "numbers of an audience");
}


ngx_campaign_rc_e
ngx_campaign_lmdb_prefix_drop(ngx_campaign_txn_t *t, ngx_campaign_db_e db, const u_char *prefix, size_t len)
{
    int          rc;
    MDB_val      key, value;
    MDB_cursor  *cursor;

    rc = mdb_cursor_open(t->txn, t->store->dbi[db], &cursor);
    if (rc != 0) {
        return ngx_campaign_lmdb_failed(t, rc, "cursor of what is deleted");
    }

    for ( ;; ) {
        key.mv_size = len;
        key.mv_data = (void *) prefix;

        rc = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);

        if (rc != 0 || key.mv_size < len || ngx_memcmp(key.mv_data, prefix, len) != 0) {
            break;
        }

        rc = mdb_cursor_del(cursor, 0);
        if (rc != 0) {
            break;
        }
    }

    mdb_cursor_close(cursor);

    return (rc == 0 || rc == MDB_NOTFOUND) ? NGX_CAMPAIGN_OK : ngx_campaign_lmdb_failed(t, rc, "entries that are deleted");
}


void
ngx_campaign_lmdb_walk_init(ngx_campaign_walk_t *w, uint64_t list, uint32_t seq)
{
    w->list = list;
    w->seq = seq;
    w->in_block = 0;
    w->p = NULL;
    w->end = NULL;
}


void
ngx_campaign_lmdb_walk_to(ngx_campaign_walk_t *w, uint64_t list, uint32_t seq)
{
    if (w->p == NULL || w->list != list || seq / NGX_CAMPAIGN_BLOCK != (w->seq - 1) / NGX_CAMPAIGN_BLOCK) {
        ngx_campaign_lmdb_walk_init(w, list, seq);
        return;
    }

    if (seq < w->seq) {
        w->p = w->block;
        w->in_block = 0;
    }

    w->seq = seq;
}


ngx_campaign_rc_e
ngx_campaign_lmdb_walk_next(ngx_campaign_txn_t *t, ngx_campaign_walk_t *w, ngx_campaign_contact_t *contact)
{
    uint64_t            number;
    const u_char       *p;
    ngx_campaign_rc_e   rc;

    if (w->p == NULL || w->in_block == NGX_CAMPAIGN_BLOCK) {

        rc = ngx_campaign_contact_block_get(t, w->list, w->seq / NGX_CAMPAIGN_BLOCK, &w->p, &w->end);
        if (rc != NGX_CAMPAIGN_OK) {
            return rc;
        }

        w->block = w->p;
        w->in_block = 0;
    }

    for ( /* void */ ; w->in_block < w->seq % NGX_CAMPAIGN_BLOCK && w->p < w->end; w->in_block++) {
        w->p = ngx_campaign_contact_skip(w->p, w->end, &number);
        if (w->p == NULL) {
            return ngx_campaign_lmdb_failed(t, MDB_CORRUPTED, "contact");
        }
    }

    if (w->p == w->end) {
        return NGX_CAMPAIGN_NOT_FOUND;
    }

    p = ngx_campaign_contact_unpack(w->p, w->end, contact);
    if (p == NULL) {
        return ngx_campaign_lmdb_failed(t, MDB_CORRUPTED, "contact");
    }

    w->p = p;
    w->in_block++;
    w->seq++;

    return NGX_CAMPAIGN_OK;
}
