
/*
 * Campaigns that wait, in two classes.  It keeps true: urgent ones go first, but for one message in NGX_CAMPAIGN_PICK_URGENT while others
 * wait; others that come later have no claim to messages that went before.
 */

#include "ngx_campaign_pick.h"


void
ngx_campaign_pick_line_init(ngx_campaign_pick_line_t *line)
{
    ngx_queue_init(&line->of[0]);
    ngx_queue_init(&line->of[1]);

    line->row = 0;
}


ngx_uint_t
ngx_campaign_pick_line_empty(ngx_campaign_pick_line_t *line)
{
    return ngx_queue_empty(&line->of[0]) && ngx_queue_empty(&line->of[1]);
}


ngx_campaign_pick_campaign_t *
ngx_campaign_pick_line_head(ngx_campaign_pick_line_t *line)
{
    ngx_uint_t  urgent;

    urgent = ngx_queue_empty(&line->of[0]) || (!ngx_queue_empty(&line->of[1]) && line->row < NGX_CAMPAIGN_PICK_URGENT - 1);

    return ngx_queue_data(ngx_queue_head(&line->of[urgent]), ngx_campaign_pick_campaign_t, queue);
}


void
ngx_campaign_pick_line_went(ngx_campaign_pick_line_t *line, ngx_campaign_pick_campaign_t *c)
{
    line->row = (c->urgent && !ngx_queue_empty(&line->of[0])) ? line->row + 1 : 0;
}
