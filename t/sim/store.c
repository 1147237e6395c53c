
/*
 * Which store is behind the header: the real one, or its twin.
 */

#include "sim.h"


ngx_int_t __real_ngx_campaign_store_turn(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_turn_t *turn);
ngx_int_t twin_store_turn(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_turn_t *turn);
ngx_int_t __real_ngx_campaign_store_lease(ngx_campaign_store_t *st, ngx_campaign_op_t *op, uint64_t *epoch);
ngx_int_t twin_store_lease(ngx_campaign_store_t *st, ngx_campaign_op_t *op, uint64_t *epoch);
ngx_int_t __real_ngx_campaign_store_peek(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_peek_t *peek);
ngx_int_t twin_store_peek(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_peek_t *peek);
ngx_int_t __real_ngx_campaign_store_post(ngx_campaign_store_t *st, uint64_t post);
void __real_ngx_campaign_store_post_leave(ngx_campaign_store_t *st, uint64_t post);
ngx_int_t __real_ngx_campaign_store_put(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_kind_e kind, void *rec,
    ngx_campaign_pile_t *pile);
ngx_int_t twin_store_put(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_kind_e kind, void *rec,
    ngx_campaign_pile_t *pile);
ngx_int_t __real_ngx_campaign_store_account(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_account_t *account);
ngx_int_t twin_store_account(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_account_t *account);
ngx_int_t __real_ngx_campaign_store_create(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_campaign_t *c,
    ngx_campaign_pile_t *pile);
ngx_int_t twin_store_create(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_campaign_t *c,
    ngx_campaign_pile_t *pile);
ngx_int_t __real_ngx_campaign_store_change(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_campaign_t *c, ngx_uint_t mask,
    ngx_uint_t from);
ngx_int_t twin_store_change(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_campaign_t *c, ngx_uint_t mask,
    ngx_uint_t from);
ngx_int_t __real_ngx_campaign_store_delete(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_kind_e kind, uint32_t account,
    u_char *id);
ngx_int_t twin_store_delete(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_kind_e kind, uint32_t account,
    u_char *id);
ngx_int_t __real_ngx_campaign_store_message_cancel(ngx_campaign_store_t *st, ngx_campaign_op_t *op, uint32_t account, u_char *id);
ngx_int_t twin_store_message_cancel(ngx_campaign_store_t *st, ngx_campaign_op_t *op, uint32_t account, u_char *id);
ngx_int_t __real_ngx_campaign_store_contact_delete(ngx_campaign_store_t *st, ngx_campaign_op_t *op, uint32_t account, u_char *audience,
    u_char *id);
ngx_int_t twin_store_contact_delete(ngx_campaign_store_t *st, ngx_campaign_op_t *op, uint32_t account, u_char *audience,
    u_char *id);
ngx_int_t __real_ngx_campaign_store_suppress(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_suppress_t *suppress);
ngx_int_t twin_store_suppress(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_suppress_t *suppress);
ngx_int_t __real_ngx_campaign_store_suppression_lift(ngx_campaign_store_t *st, ngx_campaign_op_t *op,
    const ngx_campaign_suppression_t *like);
ngx_int_t twin_store_suppression_lift(ngx_campaign_store_t *st, ngx_campaign_op_t *op,
    const ngx_campaign_suppression_t *like);
ngx_int_t __real_ngx_campaign_store_receipts(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_receipts_t *receipts);
ngx_int_t twin_store_receipts(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_receipts_t *receipts);
ngx_int_t __real_ngx_campaign_store_take(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_take_t *take);
ngx_int_t twin_store_take(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_take_t *take);
ngx_int_t __real_ngx_campaign_store_tell(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_tell_t *tells, ngx_uint_t n);
ngx_int_t twin_store_tell(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_tell_t *tells, ngx_uint_t n);
ngx_int_t __real_ngx_campaign_store_webhook(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_webhook_t *w, ngx_uint_t mask);
ngx_int_t twin_store_webhook(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_webhook_t *w, ngx_uint_t mask);

ngx_campaign_store_t *__real_ngx_campaign_store_open(ngx_campaign_store_conf_t *conf, ngx_log_t *log);
void __real_ngx_campaign_store_flush(ngx_campaign_store_t *st, ngx_msec_t limit);
ngx_msec_t __real_ngx_campaign_store_waits(ngx_campaign_store_t *st);
u_char *__real_ngx_campaign_store_secret(ngx_campaign_store_t *st);
ngx_campaign_store_t *twin_open(ngx_log_t *log);
void twin_flush(ngx_campaign_store_t *st);
ngx_msec_t twin_waits(ngx_campaign_store_t *st);
u_char *twin_store_secret(void);


ngx_uint_t  sim_twin;


ngx_int_t
__wrap_ngx_campaign_store_post(ngx_campaign_store_t *st, uint64_t post)
{
    return sim_twin ? twin_post(post) : __real_ngx_campaign_store_post(st, post);
}


void
__wrap_ngx_campaign_store_post_leave(ngx_campaign_store_t *st, uint64_t post)
{
    if (sim_twin) {
        twin_post_leave(post);

    } else {
        __real_ngx_campaign_store_post_leave(st, post);
    }
}


ngx_campaign_store_t *
__wrap_ngx_campaign_store_open(ngx_campaign_store_conf_t *conf, ngx_log_t *log)
{
    return sim_twin ? twin_open(log) : __real_ngx_campaign_store_open(conf, log);
}


void
__wrap_ngx_campaign_store_flush(ngx_campaign_store_t *st, ngx_msec_t limit)
{
    if (sim_twin) {
        twin_flush(st);

    } else {
        __real_ngx_campaign_store_flush(st, limit);
    }
}


ngx_msec_t
__wrap_ngx_campaign_store_waits(ngx_campaign_store_t *st)
{
    return sim_twin ? twin_waits(st) : __real_ngx_campaign_store_waits(st);
}


u_char *
__wrap_ngx_campaign_store_secret(ngx_campaign_store_t *st)
{
    return sim_twin ? twin_store_secret() : __real_ngx_campaign_store_secret(st);
}


ngx_int_t
__wrap_ngx_campaign_store_turn(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_turn_t *turn)
{
    sim_op_note(op, SIM_OP_TURN, turn);

    return sim_twin ? twin_store_turn(st, op, turn) : __real_ngx_campaign_store_turn(st, op, turn);
}


ngx_int_t
__wrap_ngx_campaign_store_lease(ngx_campaign_store_t *st, ngx_campaign_op_t *op, uint64_t *epoch)
{
    sim_op_note(op, SIM_OP_LEASE, epoch);

    return sim_twin ? twin_store_lease(st, op, epoch) : __real_ngx_campaign_store_lease(st, op, epoch);
}


ngx_int_t
__wrap_ngx_campaign_store_peek(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_peek_t *peek)
{
    return sim_twin ? twin_store_peek(st, op, peek) : __real_ngx_campaign_store_peek(st, op, peek);
}


ngx_int_t
__wrap_ngx_campaign_store_put(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_kind_e kind, void *rec,
    ngx_campaign_pile_t *pile)
{
    return sim_twin ? twin_store_put(st, op, kind, rec, pile) : __real_ngx_campaign_store_put(st, op, kind, rec, pile);
}


ngx_int_t
__wrap_ngx_campaign_store_account(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_account_t *account)
{
    return sim_twin ? twin_store_account(st, op, account) : __real_ngx_campaign_store_account(st, op, account);
}


ngx_int_t
__wrap_ngx_campaign_store_create(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_campaign_t *c,
    ngx_campaign_pile_t *pile)
{
    return sim_twin ? twin_store_create(st, op, c, pile) : __real_ngx_campaign_store_create(st, op, c, pile);
}


ngx_int_t
__wrap_ngx_campaign_store_change(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_campaign_t *c, ngx_uint_t mask,
    ngx_uint_t from)
{
    return sim_twin ? twin_store_change(st, op, c, mask, from) : __real_ngx_campaign_store_change(st, op, c, mask, from);
}


ngx_int_t
__wrap_ngx_campaign_store_delete(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_kind_e kind, uint32_t account,
    u_char *id)
{
    return sim_twin ? twin_store_delete(st, op, kind, account, id) : __real_ngx_campaign_store_delete(st, op, kind, account, id);
}


ngx_int_t
__wrap_ngx_campaign_store_message_cancel(ngx_campaign_store_t *st, ngx_campaign_op_t *op, uint32_t account, u_char *id)
{
    return sim_twin ? twin_store_message_cancel(st, op, account, id) : __real_ngx_campaign_store_message_cancel(st, op, account, id);
}


ngx_int_t
__wrap_ngx_campaign_store_contact_delete(ngx_campaign_store_t *st, ngx_campaign_op_t *op, uint32_t account, u_char *audience,
    u_char *id)
{
    return sim_twin ? twin_store_contact_delete(st, op, account, audience, id) : __real_ngx_campaign_store_contact_delete(st, op, account, audience, id);
}


ngx_int_t
__wrap_ngx_campaign_store_suppress(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_suppress_t *suppress)
{
    return sim_twin ? twin_store_suppress(st, op, suppress) : __real_ngx_campaign_store_suppress(st, op, suppress);
}


ngx_int_t
__wrap_ngx_campaign_store_suppression_lift(ngx_campaign_store_t *st, ngx_campaign_op_t *op,
    const ngx_campaign_suppression_t *like)
{
    return sim_twin ? twin_store_suppression_lift(st, op, like) : __real_ngx_campaign_store_suppression_lift(st, op, like);
}


ngx_int_t
__wrap_ngx_campaign_store_receipts(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_receipts_t *receipts)
{
    return sim_twin ? twin_store_receipts(st, op, receipts) : __real_ngx_campaign_store_receipts(st, op, receipts);
}


ngx_int_t
__wrap_ngx_campaign_store_take(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_take_t *take)
{
    return sim_twin ? twin_store_take(st, op, take) : __real_ngx_campaign_store_take(st, op, take);
}


ngx_int_t
__wrap_ngx_campaign_store_tell(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_tell_t *tells, ngx_uint_t n)
{
    return sim_twin ? twin_store_tell(st, op, tells, n) : __real_ngx_campaign_store_tell(st, op, tells, n);
}


ngx_int_t
__wrap_ngx_campaign_store_webhook(ngx_campaign_store_t *st, ngx_campaign_op_t *op, ngx_campaign_webhook_t *w, ngx_uint_t mask)
{
    return sim_twin ? twin_store_webhook(st, op, w, mask) : __real_ngx_campaign_store_webhook(st, op, w, mask);
}
