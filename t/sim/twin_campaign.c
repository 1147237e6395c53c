
/*
 * The twin's campaigns and messages, as clients make, change and see them.
 */

#include "twin.h"


static ngx_uint_t twin_shown(twin_campaign_t *c, uint32_t seq);


static ngx_str_t  twin_channels[SIM_CHANNELS] = { ngx_string("SMS"), ngx_string("VIBER") };
static ngx_str_t  twin_from = ngx_string("SHOP");
static ngx_str_t  twin_text = ngx_string("Hello {first_name}");


static ngx_campaign_rc_e
twin_create_work(ngx_campaign_op_t *op, void *args, int64_t now)
{
    twin_args_t *ta = args;

    uint32_t                  zero;
    uint64_t                  no;
    twin_audience_t          *au;
    twin_campaign_t          *c;
    ngx_campaign_campaign_t   given;

    given = ta->given;
    au = NULL;

    if (ta->pile == NULL) {
        if (ngx_campaign_id_open(twin_secret, NGX_CAMPAIGN_AUDIENCE, given.audience, &no, &zero) != NGX_OK) {
            return NGX_CAMPAIGN_NOT_FOUND;
        }

        au = &twin->audiences[no];

        if (au->living == 0) {
            return NGX_CAMPAIGN_INVALID;
        }
    }

    c = &twin->campaigns[++twin->ncampaigns];

    c->no = twin->ncampaigns;
    c->account = given.rec.account;
    c->audience = au ? (ngx_uint_t) (au - twin->audiences) : 0;
    c->which = au ? 0 : twin_which(ta->pile);
    c->channel = twin_channel(&given.rec.channel);
    c->apart = given.rec.apart;
    c->span = au ? au->next : ta->pile->n;
    c->p.total = au ? au->living : ta->pile->n;
    c->p.pending = c->p.total;
    c->status = NGX_CAMPAIGN_C_SCHEDULED;
    c->schedule = given.schedule ? given.schedule : (time_t) (now / 1000000);
    c->fed = 1;

    given.rec.no = c->no;
    given.rec.created = (time_t) (now / 1000000);
    given.span = c->span;
    given.progress = c->p;
    ngx_campaign_id_make(twin_secret, NGX_CAMPAIGN_CAMPAIGN, c->no, 0, given.rec.id);

    c->record = given;
    c->record.rec.channel = twin_channels[c->channel];
    c->record.from = twin_from;
    c->record.text = twin_text;

    *(ngx_campaign_campaign_t *) ta->rec = given;

    return NGX_CAMPAIGN_OK;
}


ngx_int_t
twin_store_create(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_campaign_t *c, ngx_campaign_pile_t *pile)
{
    twin_args_t  *ta;

    ta = twin_args(op);
    ta->rec = c;
    ta->given = *c;
    ta->pile = pile;

    return twin_write(st, op, twin_create_work, ta);
}


/* by id; apart: those of messages sent alone, too */

twin_campaign_t *
twin_campaign(ngx_campaign_kind_e kind, const u_char *id, uint32_t *seq)
{
    uint64_t  no;

    if (ngx_campaign_id_open(twin_secret, kind, id, &no, seq) != NGX_OK || no > twin->ncampaigns || twin->campaigns[no].no == 0
        || (kind == NGX_CAMPAIGN_CAMPAIGN && twin->campaigns[no].apart))
    {
        return NULL;
    }

    return &twin->campaigns[no];
}


static ngx_campaign_rc_e
twin_change_work(ngx_campaign_op_t *op, void *args, int64_t now)
{
    twin_args_t *ta = args;

    uint32_t                seq;
    twin_campaign_t        *c;
    ngx_campaign_status_e   to;

    c = twin_campaign(NGX_CAMPAIGN_CAMPAIGN, ta->given.rec.id, &seq);
    to = (ngx_campaign_status_e) ta->given.rec.status;

    if (c == NULL) {
        return NGX_CAMPAIGN_NOT_FOUND;
    }

    if (!(ta->from & ((ngx_uint_t) 1 << c->status)) || !ngx_campaign_status_allowed(c->status, to)) {
        return NGX_CAMPAIGN_CONFLICT;
    }

    twin_move(c, to, now);

    if (to == NGX_CAMPAIGN_C_IN_PROGRESS && c->p.pending == 0 && c->p.enroute == 0) {
        twin_move(c, ngx_campaign_status_settled(c->p.sent + c->p.delivered), now);
    }

    return NGX_CAMPAIGN_OK;
}


ngx_int_t
twin_store_change(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_campaign_t *c, ngx_uint_t mask, ngx_uint_t from)
{
    twin_args_t  *ta;

    ta = twin_args(op);
    ta->given = *c;
    ta->mask = mask;
    ta->from = from;

    return twin_write(st, op, twin_change_work, ta);
}


static ngx_campaign_rc_e
twin_delete_work(ngx_campaign_op_t *op, void *args, int64_t now)
{
    twin_args_t *ta = args;

    uint32_t          seq;
    twin_campaign_t  *c;

    c = twin_campaign(NGX_CAMPAIGN_CAMPAIGN, ta->id, &seq);

    if (c == NULL) {
        return NGX_CAMPAIGN_NOT_FOUND;
    }

    if (c->status == NGX_CAMPAIGN_C_IN_PROGRESS || c->status == NGX_CAMPAIGN_C_PAUSED || c->p.enroute) {
        return NGX_CAMPAIGN_IN_USE;
    }

    c->no = 0;
    c->active = 0;
    c->fed = 1;
    c->going = (c->names != 0);

    return NGX_CAMPAIGN_OK;
}


ngx_int_t
twin_store_delete(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_kind_e kind, uint32_t account, u_char *id)
{
    twin_args_t  *ta;

    ta = twin_args(op);
    ta->id = id;

    return twin_write(st, op, twin_delete_work, ta);
}


static ngx_uint_t
twin_shown(twin_campaign_t *c, uint32_t seq)
{
    ngx_uint_t       flying;
    twin_message_t  *m;

    static const uint8_t  settled[NGX_CAMPAIGN_S_MAX] = {
        [NGX_CAMPAIGN_S_SENT]      = NGX_CAMPAIGN_M_SENT,
        [NGX_CAMPAIGN_S_DELIVERED] = NGX_CAMPAIGN_M_DELIVERED,
        [NGX_CAMPAIGN_S_FAILED]    = NGX_CAMPAIGN_M_FAILED,
        [NGX_CAMPAIGN_S_CANCELED]  = NGX_CAMPAIGN_M_CANCELED,
        [NGX_CAMPAIGN_S_SKIPPED]   = NGX_CAMPAIGN_M_SKIPPED
    };

    m = &c->m[seq];

    if (m->state > NGX_CAMPAIGN_S_RETRY) {
        return settled[m->state];
    }

    flying = (m->state == NGX_CAMPAIGN_S_RETRY) ? m->claimed : (seq >= c->done && seq < c->upto);

    if (flying) {
        return NGX_CAMPAIGN_M_ENROUTE;
    }

    return c->status == NGX_CAMPAIGN_C_CANCELED ? NGX_CAMPAIGN_M_CANCELED : NGX_CAMPAIGN_M_SCHEDULED;
}


static ngx_campaign_rc_e
twin_message_cancel_work(ngx_campaign_op_t *op, void *args, int64_t now)
{
    twin_args_t *ta = args;

    uint32_t          seq;
    uint64_t          deleted;
    twin_message_t   *m;
    twin_campaign_t  *c;

    c = twin_campaign(NGX_CAMPAIGN_MESSAGE, ta->id, &seq);
    if (c == NULL) {
        return NGX_CAMPAIGN_NOT_FOUND;
    }

    deleted = c->audience ? twin->audiences[c->audience].deleted[seq] : 0;
    m = &c->m[seq];

    if (deleted && c->no > deleted - 1) {
        return NGX_CAMPAIGN_NOT_FOUND;
    }

    if (twin_shown(c, seq) == NGX_CAMPAIGN_M_CANCELED) {
        return NGX_CAMPAIGN_OK;
    }

    if (twin_shown(c, seq) != NGX_CAMPAIGN_M_SCHEDULED) {
        return NGX_CAMPAIGN_CONFLICT;
    }

    c->p.pending--;
    c->p.again -= (m->state == NGX_CAMPAIGN_S_RETRY);
    twin_settle(c, m, NGX_CAMPAIGN_S_CANCELED, NGX_CAMPAIGN_R_CANCELED);

    if (c->apart && c->status == NGX_CAMPAIGN_C_SCHEDULED && c->p.pending == 0) {
        twin_move(c, NGX_CAMPAIGN_C_CANCELED, now);
    }

    (void) twin_close(c, now);

    return NGX_CAMPAIGN_OK;
}


ngx_int_t
twin_store_message_cancel(ngx_campaign_store_t *st, ngx_campaign_op_t *op, uint32_t account, u_char *id)
{
    twin_args_t  *ta;

    ta = twin_args(op);
    ta->id = id;

    return twin_write(st, op, twin_message_cancel_work, ta);
}


/* for the model */

void
twin_look(sim_campaign_t *model, sim_look_t *look)
{
    uint32_t          seq;
    twin_campaign_t  *c;

    c = &twin->campaigns[model->c.rec.no];

    look->found = (c->no != 0);
    look->status = c->status;
    look->progress = c->p;

    for (seq = 0; seq < c->span; seq++) {
        look->states[seq] = (uint8_t) twin_shown(c, seq);
        look->reasons[seq] = c->m[seq].reason;
        look->attempts[seq] = c->m[seq].attempts;

        if (look->states[seq] == NGX_CAMPAIGN_M_CANCELED) {
            look->reasons[seq] = NGX_CAMPAIGN_R_CANCELED;
        }
    }
}
