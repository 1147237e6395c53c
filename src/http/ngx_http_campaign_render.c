
/*
 * A message in the words of its recipient.  In any thread: the writer's renders what it has claimed once that is committed, so that the event
 * loop has only to send it.
 */

#include "ngx_http_campaign_delivery.h"
#include "ngx_campaign_escape.h"


ngx_http_campaign_rendered_t *
ngx_http_campaign_render(ngx_pool_t *pool, const u_char *secret, const ngx_http_campaign_origin_t *o, const ngx_campaign_claimed_t *m)
{
    size_t                         len;
    u_char                         id[NGX_CAMPAIGN_ID_LEN];
    ngx_http_campaign_rendered_t  *r;

    len = ngx_campaign_template_size(&o->text, &m->contact);

    r = ngx_palloc(pool, sizeof(ngx_http_campaign_rendered_t) + len + 1);
    if (r == NULL) {
        return NULL;
    }

    ngx_campaign_id_make(secret, NGX_CAMPAIGN_MESSAGE, m->campaign, m->seq, id);
    (void) ngx_campaign_uuid_print(r->id, id);

    r->to_len = ngx_campaign_number_print(r->to, m->contact.number) - r->to;

    r->text.data = (u_char *) r + sizeof(ngx_http_campaign_rendered_t);
    r->text.len = len;

    (void) ngx_campaign_template_render(r->text.data, &o->text, &m->contact);
    ngx_campaign_sms_measure(r->text.data, len, &r->size);

    ngx_str_null(&r->body);

    return r;
}


ngx_int_t
ngx_http_campaign_render_body(ngx_pool_t *pool, const ngx_http_campaign_origin_t *o, const ngx_http_campaign_rendered_t *r, ngx_str_t *body)
{
    u_char  *p;
    size_t   len;

    static const ngx_str_t  from = ngx_string("{\"data\":{\"from\":\"");
    static const ngx_str_t  to = ngx_string("\",\"to\":[\"");
    static const ngx_str_t  text = ngx_string("\"],\"text\":\"");
    static const ngx_str_t  channel = ngx_string("\",\"channel\":\"");
    static const ngx_str_t  id = ngx_string("\",\"id\":\"");
    static const ngx_str_t  end = ngx_string("\"}}");

    len = from.len + ngx_campaign_escape_json_size(o->from.data, o->from.len)
          + to.len + r->to_len
          + text.len + ngx_campaign_escape_json_size(r->text.data, r->text.len)
          + channel.len + ngx_campaign_escape_json_size(o->channel.data, o->channel.len)
          + id.len + NGX_CAMPAIGN_UUID_LEN
          + end.len;

    p = ngx_pnalloc(pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    body->data = p;
    body->len = len;

    p = ngx_cpymem(p, from.data, from.len);
    p = ngx_campaign_escape_json(p, o->from.data, o->from.len);
    p = ngx_cpymem(p, to.data, to.len);
    p = ngx_cpymem(p, r->to, r->to_len);
    p = ngx_cpymem(p, text.data, text.len);
    p = ngx_campaign_escape_json(p, r->text.data, r->text.len);
    p = ngx_cpymem(p, channel.data, channel.len);
    p = ngx_campaign_escape_json(p, o->channel.data, o->channel.len);
    p = ngx_cpymem(p, id.data, id.len);
    p = ngx_cpymem(p, r->id, NGX_CAMPAIGN_UUID_LEN);
    (void) ngx_cpymem(p, end.data, end.len);

    return NGX_OK;
}
