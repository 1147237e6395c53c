
/*
 * Campaigns that wait, in two classes.  It keeps true: urgent ones go first, but for one message in NGX_CAMPAIGN_PICK_URGENT while others
 * wait; others that come later have no claim to messages that went before.  Those that were given a slot stand at the head, in the order in
 * which they began to wait, whatever other line they stood in meanwhile: who waited longest goes first, has its share, and then waits behind the
 * others again, so that nobody has a part of a slot more.
 */

#include "ngx_campaign_pick.h"


void
ngx_campaign_pick_line_init(ngx_campaign_pick_line_t *line)
{
    ngx_queue_init(&line->of[0]);
    ngx_queue_init(&line->of[1]);

    line->given[0] = &line->of[0];
    line->given[1] = &line->of[1];

    line->row = 0;
}


ngx_uint_t
ngx_campaign_pick_line_empty(ngx_campaign_pick_line_t *line)
{
    return ngx_queue_empty(&line->of[0]) && ngx_queue_empty(&line->of[1]);
}


void
ngx_campaign_pick_line_add(ngx_campaign_pick_line_t *line, ngx_campaign_pick_campaign_t *c, ngx_uint_t first)
{
    ngx_queue_t                   *q, *of;
    ngx_campaign_pick_campaign_t  *other;

    of = &line->of[c->urgent];
    c->first = first ? 1 : 0;

    if (!first) {
        c->ticket = ++c->account->tickets;
        ngx_queue_insert_tail(of, &c->queue);
        return;
    }

    for (q = line->given[c->urgent]; q != of; q = ngx_queue_prev(q)) {
        other = ngx_queue_data(q, ngx_campaign_pick_campaign_t, queue);

        if (other->ticket < c->ticket) {
            break;
        }
    }

    ngx_queue_insert_after(q, &c->queue);

    if (q == line->given[c->urgent]) {
        line->given[c->urgent] = &c->queue;
    }
}


void
ngx_campaign_pick_line_remove(ngx_campaign_pick_line_t *line, ngx_campaign_pick_campaign_t *c)
{
    if (line->given[c->urgent] == &c->queue) {
        line->given[c->urgent] = ngx_queue_prev(&c->queue);
    }

    ngx_queue_remove(&c->queue);
}


ngx_campaign_pick_campaign_t *
ngx_campaign_pick_line_head(ngx_campaign_pick_line_t *line)
{
    ngx_uint_t  urgent;

    urgent = ngx_queue_empty(&line->of[0]) || (!ngx_queue_empty(&line->of[1]) && line->row < NGX_CAMPAIGN_PICK_URGENT - 1);

    return ngx_queue_data(ngx_queue_head(&line->of[urgent]), ngx_campaign_pick_campaign_t, queue);
}


void
ngx_campaign_pick_line_went(ngx_campaign_pick_line_t *line, ngx_campaign_pick_campaign_t *c, ngx_uint_t others)
{
    line->row = (c->urgent && (others || !ngx_queue_empty(&line->of[0]))) ? line->row + 1 : 0;
}
