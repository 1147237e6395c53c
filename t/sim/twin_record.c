
/*
 * The twin's accounts, audiences and suppressions, as clients make and change them.
 */

#include "twin.h"


static ngx_uint_t twin_hindrance(const ngx_campaign_suppression_t *s, sim_hindrance_t *h);


ngx_uint_t
twin_channel(const ngx_str_t *channel)
{
    return channel->data[0] == 'S' ? 0 : 1;
}


/* whose numbers they are: of which audience, or campaign, of the scenario */

ngx_uint_t
twin_which(ngx_campaign_pile_t *pile)
{
    ngx_campaign_contact_t  c;

    (void) ngx_campaign_contact_unpack(pile->first->start, pile->first->last, &c);

    return c.number % 10000000 / 100000;
}


static ngx_campaign_rc_e
twin_put_work(ngx_campaign_op_t *op, void *args, int64_t now)
{
    twin_args_t *ta = args;

    twin_account_t           *ta_account;
    twin_audience_t          *au;
    ngx_campaign_rec_t       *rec;
    ngx_campaign_account_t   *account;
    ngx_campaign_audience_t  *audience;

    rec = ta->rec;

    switch (ta->kind) {

    case NGX_CAMPAIGN_ACCOUNT:
        account = ta->rec;
        rec->no = ++twin->naccounts;
        ta_account = &twin->accounts[rec->no];
        ta_account->rate = account->rate;
        ta_account->burst = account->burst;
        ta_account->status = NGX_CAMPAIGN_A_ACTIVE;
        ta_account->fed = 1;
        break;

    case NGX_CAMPAIGN_AUDIENCE:
        audience = ta->rec;
        rec->no = ++twin->naudiences;
        au = &twin->audiences[rec->no];
        au->account = rec->account;
        au->which = twin_which(ta->pile);
        au->living = ta->pile->n;
        au->next = ta->pile->n;
        au->list = rec->no << 1;
        audience->contacts = au->living;
        audience->next = au->next;
        break;

    case NGX_CAMPAIGN_WEBHOOK:
        twin_hook_made(ta->rec);
        break;

    default:
        twin->accounts[rec->account].senders |= (ngx_uint_t) 1 << twin_channel(&rec->channel);
        rec->no = 1;
        break;
    }

    ngx_campaign_id_make(twin_secret, ta->kind, rec->no, 0, rec->id);

    return NGX_CAMPAIGN_OK;
}


ngx_int_t
twin_store_put(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_kind_e kind, void *rec, ngx_campaign_pile_t *pile)
{
    twin_args_t  *ta;

    ta = twin_args(op);
    ta->kind = kind;
    ta->rec = rec;
    ta->pile = pile;

    return twin_write(st, op, twin_put_work, ta);
}


static ngx_campaign_rc_e
twin_account_work(ngx_campaign_op_t *op, void *args, int64_t now)
{
    ngx_campaign_account_t *given = args;

    uint32_t         zero;
    uint64_t         no;
    ngx_uint_t       i, old;
    twin_account_t  *a;

    ngx_campaign_gcra_t  gcra;

    if (ngx_campaign_id_open(twin_secret, NGX_CAMPAIGN_ACCOUNT, given->rec.id, &no, &zero) != NGX_OK) {
        return NGX_CAMPAIGN_NOT_FOUND;
    }

    a = &twin->accounts[no];
    old = a->status;

    if (a->rate != given->rate || a->burst != given->burst) {
        gcra.rate = a->rate;
        gcra.burst = a->burst;
        gcra.tat = a->tat;

        ngx_campaign_gcra_change(&gcra, given->rate, given->burst, now * 1000);

        a->tat = gcra.tat;
    }

    a->rate = given->rate;
    a->burst = given->burst;
    a->status = given->rec.status;
    a->fed = 1;

    for (i = 1; old != a->status && a->status == NGX_CAMPAIGN_A_ACTIVE && i <= twin->ncampaigns; i++) {
        if (twin->campaigns[i].no && twin->campaigns[i].account == no) {
            twin->campaigns[i].fed |= twin->campaigns[i].active;
        }
    }

    return NGX_CAMPAIGN_OK;
}


ngx_int_t
twin_store_account(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_account_t *account)
{
    return twin_write(st, op, twin_account_work, account);
}


static ngx_campaign_rc_e
twin_contact_delete_work(ngx_campaign_op_t *op, void *args, int64_t now)
{
    twin_args_t *ta = args;

    uint32_t          seq;
    uint64_t          list;
    twin_audience_t  *au;

    if (ngx_campaign_id_open(twin_secret, NGX_CAMPAIGN_CONTACT, ta->id, &list, &seq) != NGX_OK) {
        return NGX_CAMPAIGN_NOT_FOUND;
    }

    au = &twin->audiences[list >> 1];

    if (seq >= au->next || au->deleted[seq]) {
        return NGX_CAMPAIGN_NOT_FOUND;
    }

    au->deleted[seq] = twin->ncampaigns + 1;
    au->living--;

    return NGX_CAMPAIGN_OK;
}


ngx_int_t
twin_store_contact_delete(ngx_campaign_store_t *st, ngx_campaign_op_t *op, uint32_t account, u_char *audience, u_char *id)
{
    twin_args_t  *ta;

    ta = twin_args(op);
    ta->id = id;

    return twin_write(st, op, twin_contact_delete_work, ta);
}


static ngx_uint_t
twin_hindrance(const ngx_campaign_suppression_t *s, sim_hindrance_t *h)
{
    ngx_uint_t  i;

    h->account = s->account;
    h->number = s->number;
    h->channel = s->channel.len ? twin_channel(&s->channel) + 1 : 0;

    for (i = 0; i < twin->nhindrances && memcmp(&twin->hindrances[i], h, sizeof(sim_hindrance_t)) != 0; i++) { /* void */ }

    return i;
}


static ngx_campaign_rc_e
twin_suppress_work(ngx_campaign_op_t *op, void *args, int64_t now)
{
    ngx_uint_t       i;
    sim_hindrance_t  h;

    i = twin_hindrance(&((ngx_campaign_suppress_t *) args)->given, &h);

    if (i == twin->nhindrances) {
        twin->hindrances[twin->nhindrances++] = h;
    }

    return NGX_CAMPAIGN_OK;
}


static ngx_campaign_rc_e
twin_lift_work(ngx_campaign_op_t *op, void *args, int64_t now)
{
    ngx_uint_t       i;
    sim_hindrance_t  h;

    i = twin_hindrance(args, &h);

    if (i == twin->nhindrances) {
        return NGX_CAMPAIGN_NOT_FOUND;
    }

    twin->hindrances[i] = twin->hindrances[--twin->nhindrances];

    return NGX_CAMPAIGN_OK;
}


ngx_int_t
twin_store_suppress(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_suppress_t *suppress)
{
    return twin_write(st, op, twin_suppress_work, suppress);
}


ngx_int_t
twin_store_suppression_lift(ngx_campaign_store_t *st, ngx_campaign_op_t *op, const ngx_campaign_suppression_t *like)
{
    return twin_write(st, op, twin_lift_work, (void *) like);
}
