
/*
 * What the tests of a campaign's life share: two accounts, one with a sender and audiences; operations after which the strings of a
 * campaign are there.
 */

#ifndef _STORE_LIFE_H_INCLUDED_
#define _STORE_LIFE_H_INCLUDED_


#include "store_campaign.h"


#define LIFE_NOW  (MAKE_NOW / 1000000)


static u_char    audience[NGX_CAMPAIGN_ID_LEN], empty[NGX_CAMPAIGN_ID_LEN];
static uint32_t  mine, other;
static u_char    sender[NGX_CAMPAIGN_ID_LEN];

/* strings of the campaigns at hand live as long as the program */

static ngx_pool_t  *pool;


STORE_UNUSED static void
life_begin(const char *program)
{
    make_store(program);

    pool = ngx_create_pool(NGX_DEFAULT_POOL_SIZE, &store_log);

    mine = make_account("mine");
    other = make_account("other");

    make_sender(mine, "Acme", sender);
    make_audience(mine, "people", audience);
    make_audience(mine, "nobody", empty);

    make_add(mine, audience, 15550000000, 300);

    make_lease();
}


STORE_UNUSED static int
life_end(void)
{
    ngx_destroy_pool(pool);
    make_end();

    return done_testing();
}


/* name NULL: c was made before; on NULL: n numbers are given with it */

STORE_UNUSED static ngx_campaign_rc_e
life_create(ngx_campaign_campaign_t *c, const char *name, const u_char *on, ngx_uint_t n)
{
    store_op_t           *so;
    ngx_campaign_rc_e     rc;
    ngx_campaign_pile_t  *pile;

    so = store_op();
    pile = NULL;

    if (name) {
        make_campaign(c, mine, name, NULL);
    }

    if (on) {
        ngx_memcpy(c->audience, on, NGX_CAMPAIGN_ID_LEN);

    } else {
        pile = make_pile(so->op.pool, 15550000000, 1, n, 0);
    }

    rc = store_wait(so, ngx_campaign_store_create(st, &so->op, c, pile));

    if (c->rec.name.len) {
        c->rec.name.data = ngx_pstrdup(pool, &c->rec.name);
    }

    store_free(so);

    return rc;
}


STORE_UNUSED static ngx_campaign_rc_e
life_change(ngx_campaign_campaign_t *c, ngx_uint_t mask, ngx_uint_t from)
{
    store_op_t         *so;
    ngx_campaign_rc_e   rc;

    so = store_op();
    rc = store_wait(so, ngx_campaign_store_change(st, &so->op, c, mask, from));

    if (rc == NGX_CAMPAIGN_OK) {
        c->text.data = ngx_pstrdup(pool, &c->text);
        c->from.data = ngx_pstrdup(pool, &c->from);
    }

    store_free(so);

    return rc;
}


STORE_UNUSED static ngx_campaign_rc_e
life_status(ngx_campaign_campaign_t *c, ngx_campaign_status_e to)
{
    c->rec.status = to;

    return life_change(c, NGX_CAMPAIGN_SET_STATUS, ~(ngx_uint_t) 0);
}


STORE_UNUSED static ngx_campaign_rc_e
life_get(ngx_campaign_campaign_t *c)
{
    u_char              id[NGX_CAMPAIGN_ID_LEN];
    store_op_t         *so;
    ngx_campaign_rc_e   rc;

    ngx_memcpy(id, c->rec.id, NGX_CAMPAIGN_ID_LEN);

    so = store_op();
    rc = store_wait(so, ngx_campaign_store_get(st, &so->op, NGX_CAMPAIGN_CAMPAIGN, c->rec.account, id, c));

    if (rc == NGX_CAMPAIGN_OK) {
        c->rec.name.data = ngx_pstrdup(pool, &c->rec.name);
        c->rec.channel.data = ngx_pstrdup(pool, &c->rec.channel);
        c->text.data = ngx_pstrdup(pool, &c->text);
        c->from.data = ngx_pstrdup(pool, &c->from);
    }

    store_free(so);

    return rc;
}


STORE_UNUSED static ngx_campaign_rc_e
life_peek(ngx_campaign_peek_t *peek)
{
    return store_answer(ngx_campaign_store_peek(st, store_begin(), peek));
}


#endif /* _STORE_LIFE_H_INCLUDED_ */
