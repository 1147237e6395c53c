
/*
 * Directives are read and checked here; nothing is created and no store is opened, so that nginx -t leaves no trace.
 */

#include "ngx_http_campaign_conf.h"
#include "ngx_http_campaign_status.h"

#include <grp.h>
#include <pwd.h>


#define NGX_CAMPAIGN_STORE_SIZE       ((off_t) 16 * 1024 * 1024 * 1024)
#define NGX_CAMPAIGN_STORE_SIZE_MIN   ((off_t) 1024 * 1024)
#define NGX_CAMPAIGN_CONCURRENCY      64
#define NGX_CAMPAIGN_CONCURRENCY_MAX  65536
#define NGX_CAMPAIGN_ATTEMPTS_MAX     100
#define NGX_CAMPAIGN_GROUPS_MAX       64

#define NGX_CAMPAIGN_WEBHOOK_ATTEMPTS 10
#define NGX_CAMPAIGN_WEBHOOK_MIN      5000
#define NGX_CAMPAIGN_WEBHOOK_MAX      86400000


static ngx_int_t ngx_http_campaign_conf_gateway_id(ngx_http_campaign_gateway_t *gateway, ngx_str_t *value);
static void ngx_http_campaign_conf_gateway_ids(ngx_http_campaign_gateway_t *gateway);
static char *ngx_http_campaign_conf_channel(ngx_conf_t *cf, ngx_http_campaign_main_conf_t *cmcf, ngx_str_t *channel);
static char *ngx_http_campaign_conf_check_store(ngx_cycle_t *cycle, void *conf);
static ngx_uint_t ngx_http_campaign_conf_writable(ngx_cycle_t *cycle, ngx_file_info_t *fi, const char **user);
static ngx_int_t ngx_http_campaign_conf_check_webhook(ngx_conf_t *cf, ngx_http_campaign_webhook_conf_t *webhook);
static ngx_int_t ngx_http_campaign_conf_check_gateway(ngx_conf_t *cf, ngx_http_campaign_gateway_t *gateway);
static ngx_http_core_loc_conf_t *ngx_http_campaign_conf_location(ngx_http_core_loc_conf_t *clcf, ngx_str_t *uri);
static ngx_int_t ngx_http_campaign_conf_channels(ngx_conf_t *cf, ngx_http_campaign_main_conf_t *cmcf);


static ngx_core_module_t  ngx_http_campaign_check_module_ctx = {
    ngx_string("campaign_check"),
    NULL,
    ngx_http_campaign_conf_check_store
};


/* a core module, only to be asked after the whole configuration was read, and before it is used */

ngx_module_t  ngx_http_campaign_check_module = {
    NGX_MODULE_V1,
    &ngx_http_campaign_check_module_ctx,   /* module context */
    NULL,                                  /* module directives */
    NGX_CORE_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    NULL,                                  /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    NULL,                                  /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


/* the value of a parameter "name=…"; 0: another parameter */

ngx_uint_t
ngx_http_campaign_conf_param(ngx_str_t *arg, const char *name, ngx_str_t *value)
{
    size_t  len;

    len = ngx_strlen(name);

    if (arg->len <= len || ngx_strncmp(arg->data, name, len) != 0 || arg->data[len] != '=') {
        return 0;
    }

    value->data = arg->data + len + 1;
    value->len = arg->len - len - 1;

    return 1;
}


char *
ngx_http_campaign_conf_bad(ngx_conf_t *cf, ngx_command_t *cmd, ngx_str_t *arg, const char *mend)
{
    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "invalid parameter \"%V\" of \"%V\": %s", arg, &cmd->name, mend);

    return NGX_CONF_ERROR;
}


char *
ngx_http_campaign_conf_store(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_campaign_main_conf_t *cmcf = conf;

    off_t       size;
    ngx_str_t  *arg, value;
    ngx_uint_t  i;

    if (cmcf->store.path.data) {
        return "is duplicate: one store serves all of http{}, give it once";
    }

    arg = cf->args->elts;
    size = NGX_CAMPAIGN_STORE_SIZE;

    for (i = 2; i < cf->args->nelts; i++) {

        if (ngx_http_campaign_conf_param(&arg[i], "size", &value)) {
            size = ngx_parse_offset(&value);

            if (size < NGX_CAMPAIGN_STORE_SIZE_MIN) {
                return ngx_http_campaign_conf_bad(cf, cmd, &arg[i], "give the most that the store may take, 1m or more, such as size=16g");
            }

        } else if (ngx_http_campaign_conf_param(&arg[i], "durability", &value)) {

            if (value.len == 4 && ngx_strncmp(value.data, "full", 4) == 0) {
                cmcf->store.durability = NGX_CAMPAIGN_DURABILITY_FULL;

            } else if (value.len == 7 && ngx_strncmp(value.data, "relaxed", 7) == 0) {
                cmcf->store.durability = NGX_CAMPAIGN_DURABILITY_RELAXED;

            } else {
                return ngx_http_campaign_conf_bad(cf, cmd, &arg[i], "durability is \"full\" or \"relaxed\"");
            }

        } else {
            return ngx_http_campaign_conf_bad(cf, cmd, &arg[i], "size=… and durability=… are known");
        }
    }

    cmcf->store.path = arg[1];
    cmcf->store.size = (size_t) size;

    if (ngx_strlchr(arg[1].data, arg[1].data + arg[1].len, ':') && ngx_strstr(arg[1].data, "://")) {
        return ngx_http_campaign_conf_bad(cf, cmd, &arg[1], "the store is a directory of this machine");
    }

    if (ngx_conf_full_name(cf->cycle, &cmcf->store.path, 0) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    cmcf->store.threads = ngx_thread_pool_add(cf, NULL);

    return cmcf->store.threads ? NGX_CONF_OK : NGX_CONF_ERROR;
}


char *
ngx_http_campaign_conf_gateway(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_campaign_main_conf_t *cmcf = conf;

    char                         *rc;
    ngx_int_t                     n;
    ngx_str_t                    *arg, value;
    ngx_uint_t                    i;
    ngx_http_campaign_gateway_t  *gateway;

    arg = cf->args->elts;

    rc = ngx_http_campaign_conf_channel(cf, cmcf, &arg[1]);
    if (rc != NGX_CONF_OK) {
        return rc;
    }

    if (arg[2].data[0] != '/') {
        return ngx_http_campaign_conf_bad(cf, cmd, &arg[2], "name an internal location of this server, such as /_gateway/sms");
    }

    gateway = ngx_array_push(&cmcf->gateways);
    if (gateway == NULL) {
        return NGX_CONF_ERROR;
    }

    gateway->channel = arg[1];
    gateway->uri = arg[2];
    gateway->concurrency = NGX_CAMPAIGN_CONCURRENCY;
    gateway->receipts = 1;
    gateway->nids = NGX_CONF_UNSET_UINT;
    gateway->cscf = ngx_http_conf_get_module_srv_conf(cf, ngx_http_core_module);
    gateway->file = cf->conf_file->file.name.data;
    gateway->line = cf->conf_file->line;

    for (i = 3; i < cf->args->nelts; i++) {

        if (ngx_http_campaign_conf_param(&arg[i], "concurrency", &value)) {
            n = ngx_atoi(value.data, value.len);

            if (n < 1 || n > NGX_CAMPAIGN_CONCURRENCY_MAX) {
                return ngx_http_campaign_conf_bad(cf, cmd, &arg[i], "deliveries at once, 1 to 65536");
            }

            gateway->concurrency = n;

        } else if (ngx_http_campaign_conf_param(&arg[i], "receipts", &value)) {

            if (value.len == 2 && ngx_strncmp(value.data, "on", 2) == 0) {
                gateway->receipts = 1;

            } else if (value.len == 3 && ngx_strncmp(value.data, "off", 3) == 0) {
                gateway->receipts = 0;

            } else {
                return ngx_http_campaign_conf_bad(cf, cmd, &arg[i], "receipts is \"on\" or \"off\"");
            }

        } else if (ngx_http_campaign_conf_param(&arg[i], "id", &value)) {

            if (ngx_http_campaign_conf_gateway_id(gateway, &value) != NGX_OK) {
                return ngx_http_campaign_conf_bad(cf, cmd, &arg[i], "where the gateway's replies have its id: a path in their JSON such as "
                                                  "data[0].id, word:2, tag:messageId, header:X-Message-Id (up to 4 of them), or off");
            }

        } else {
            return ngx_http_campaign_conf_bad(cf, cmd, &arg[i], "concurrency=…, receipts=… and id=… are known");
        }
    }

    if (gateway->nids == NGX_CONF_UNSET_UINT) {
        ngx_http_campaign_conf_gateway_ids(gateway);
    }

    ngx_http_campaign_conf_user(cf, cmcf, "campaign_gateway");

    return NGX_CONF_OK;
}


/* "off" alone: none is looked for */

static ngx_int_t
ngx_http_campaign_conf_gateway_id(ngx_http_campaign_gateway_t *gateway, ngx_str_t *value)
{
    if (value->len == 3 && ngx_strncmp(value->data, "off", 3) == 0) {

        if (gateway->nids != NGX_CONF_UNSET_UINT) {
            return NGX_ERROR;
        }

        gateway->nids = 0;
        return NGX_OK;
    }

    if (gateway->nids == NGX_CONF_UNSET_UINT) {
        gateway->nids = 0;

    } else if (gateway->nids == 0 || gateway->nids == NGX_HTTP_CAMPAIGN_GATEWAY_IDS) {
        return NGX_ERROR;
    }

    return ngx_campaign_reply_place(value, &gateway->ids[gateway->nids++]);
}


/* the replies of the contract's own POST /v1/messages, and of what is like it */

static void
ngx_http_campaign_conf_gateway_ids(ngx_http_campaign_gateway_t *gateway)
{
    ngx_uint_t  i;

    static const ngx_str_t  paths[] = { ngx_string("data[0].id"), ngx_string("data.id"), ngx_string("data[0].message_id") };

    gateway->nids = sizeof(paths) / sizeof(paths[0]);

    for (i = 0; i < gateway->nids; i++) {
        (void) ngx_campaign_reply_place(&paths[i], &gateway->ids[i]);
    }
}


/* a new channel, in upper case */

static char *
ngx_http_campaign_conf_channel(ngx_conf_t *cf, ngx_http_campaign_main_conf_t *cmcf, ngx_str_t *channel)
{
    size_t                        i;
    ngx_http_campaign_gateway_t  *other;

    for (i = 0; i < channel->len; i++) {
        channel->data[i] = ngx_toupper(channel->data[i]);

        if (!((channel->data[i] >= 'A' && channel->data[i] <= 'Z') || (channel->data[i] >= '0' && channel->data[i] <= '9')
              || channel->data[i] == '_'))
        {
            break;
        }
    }

    if (channel->len == 0 || i < channel->len || channel->len > NGX_CAMPAIGN_CHANNEL_MAX) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "invalid channel \"%V\": up to %d letters, digits and underscores, such as SMS",
                           channel, NGX_CAMPAIGN_CHANNEL_MAX);
        return NGX_CONF_ERROR;
    }

    other = ngx_http_campaign_gateway(cmcf, channel);

    if (other) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "channel \"%V\" has a gateway already, in %s:%ui: a channel has one gateway, "
                           "use upstream{} to spread it over several servers", channel, other->file, other->line);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


char *
ngx_http_campaign_conf_webhook(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_campaign_main_conf_t *cmcf = conf;

    ngx_str_t                         *arg, value;
    ngx_uint_t                         i;
    ngx_campaign_cidr_t               *cidr;
    ngx_http_campaign_gateway_t       *gateway;
    ngx_http_campaign_webhook_conf_t  *webhook;

    arg = cf->args->elts;
    webhook = &cmcf->webhook;
    gateway = &webhook->gateway;

    if (gateway->uri.data) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "\"campaign_webhook\" is given already, in %s:%ui: one location serves all webhooks",
                           gateway->file, gateway->line);
        return NGX_CONF_ERROR;
    }

    if (arg[1].data[0] != '/') {
        return ngx_http_campaign_conf_bad(cf, cmd, &arg[1], "name an internal location of this server, such as /_webhook");
    }

    gateway->uri = arg[1];
    gateway->cscf = ngx_http_conf_get_module_srv_conf(cf, ngx_http_core_module);
    gateway->file = cf->conf_file->file.name.data;
    gateway->line = cf->conf_file->line;

    for (i = 2; i < cf->args->nelts; i++) {

        if (!ngx_http_campaign_conf_param(&arg[i], "allow", &value)) {
            return ngx_http_campaign_conf_bad(cf, cmd, &arg[i], "allow=… is known");
        }

        if (webhook->allow == NULL) {
            webhook->allow = ngx_array_create(cf->pool, 4, sizeof(ngx_campaign_cidr_t));
            if (webhook->allow == NULL) {
                return NGX_CONF_ERROR;
            }
        }

        cidr = ngx_array_push(webhook->allow);
        if (cidr == NULL) {
            return NGX_CONF_ERROR;
        }

        if (ngx_campaign_cidr_parse(&value, cidr) != NGX_OK) {
            return ngx_http_campaign_conf_bad(cf, cmd, &arg[i], "addresses that webhooks may be at besides public ones, such as "
                                              "allow=10.1.0.0/16 or allow=fd00::/8; what is behind the length is zero");
        }
    }

    ngx_http_campaign_conf_user(cf, cmcf, "campaign_webhook");

    return NGX_CONF_OK;
}


char *
ngx_http_campaign_conf_retry(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_campaign_srv_conf_t *cscf = conf;

    ngx_int_t                      n;
    ngx_str_t                     *arg, value;
    ngx_uint_t                     i;
    ngx_msec_t                    *wait;
    ngx_campaign_retry_t          *retry;
    ngx_http_campaign_loc_conf_t  *clocf;

    retry = &cscf->retry;

    if (cf->cmd_type == NGX_HTTP_LOC_CONF) {
        clocf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_campaign_module);
        retry = &clocf->retry;
    }

    if (retry->attempts != NGX_CONF_UNSET_UINT || retry->min != NGX_CONF_UNSET_MSEC || retry->max != NGX_CONF_UNSET_MSEC) {
        return "is duplicate";
    }

    arg = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        if (ngx_http_campaign_conf_param(&arg[i], "attempts", &value)) {
            n = ngx_atoi(value.data, value.len);

            if (n < 1 || n > NGX_CAMPAIGN_ATTEMPTS_MAX) {
                return ngx_http_campaign_conf_bad(cf, cmd, &arg[i], "tries in all, 1 to 100");
            }

            retry->attempts = n;
            continue;
        }

        if (ngx_http_campaign_conf_param(&arg[i], "min", &value)) {
            wait = &retry->min;

        } else if (ngx_http_campaign_conf_param(&arg[i], "max", &value)) {
            wait = &retry->max;

        } else {
            return ngx_http_campaign_conf_bad(cf, cmd, &arg[i], "attempts=…, min=… and max=… are known");
        }

        n = ngx_parse_time(&value, 0);

        if (n < 1) {
            return ngx_http_campaign_conf_bad(cf, cmd, &arg[i], "a time over 0, such as 500ms, 1s or 5m");
        }

        *wait = n;
    }

    if (cf->cmd_type != NGX_HTTP_LOC_CONF) {
        return NGX_CONF_OK;
    }

    ngx_conf_init_uint_value(retry->attempts, NGX_CAMPAIGN_WEBHOOK_ATTEMPTS);
    ngx_conf_init_msec_value(retry->min, NGX_CAMPAIGN_WEBHOOK_MIN);
    ngx_conf_init_msec_value(retry->max, NGX_CAMPAIGN_WEBHOOK_MAX);

    return retry->min <= retry->max ? NGX_CONF_OK : "has a \"min\" that is greater than its \"max\"";
}


char *
ngx_http_campaign_conf_service(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_campaign_loc_conf_t *clocf = conf;

    ngx_http_core_loc_conf_t       *clcf;
    ngx_http_campaign_main_conf_t  *cmcf;

    if (clocf->service != NGX_HTTP_CAMPAIGN_NONE) {
        return "is duplicate: a location serves either the API or the administration";
    }

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (clcf->exact_match || clcf->named
#if (NGX_PCRE)
        || clcf->regex
#endif
    ) {
        return "needs a location that is a prefix, such as \"location /v1/\"";
    }

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_campaign_module);

    clocf->service = (ngx_http_campaign_service_e) cmd->offset;
    clcf->handler = ngx_http_campaign_handler;

    ngx_http_campaign_conf_user(cf, cmcf, (const char *) cmd->name.data);

    return NGX_CONF_OK;
}


char *
ngx_http_campaign_conf_status(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_campaign_loc_conf_t *clocf = conf;

    ngx_http_core_loc_conf_t  *clcf;

    if (clocf->service != NGX_HTTP_CAMPAIGN_NONE) {
        return "cannot be in a location that serves the API or the administration: give it one of its own, such as \"location = /status\"";
    }

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    clcf->handler = ngx_http_campaign_status_handler;

    ngx_http_campaign_conf_user(cf, ngx_http_conf_get_module_main_conf(cf, ngx_http_campaign_module), "campaign_status");

    return NGX_CONF_OK;
}


void
ngx_http_campaign_conf_user(ngx_conf_t *cf, ngx_http_campaign_main_conf_t *cmcf, const char *directive)
{
    if (cmcf->user == NULL) {
        cmcf->user = directive;
        cmcf->user_file = cf->conf_file->file.name.data;
        cmcf->user_line = cf->conf_file->line;
    }
}


ngx_int_t
ngx_http_campaign_conf_check(ngx_conf_t *cf, ngx_http_campaign_main_conf_t *cmcf)
{
    ngx_uint_t                    i;
    ngx_http_campaign_gateway_t  *gateway;

    if (cmcf->store.path.data == NULL) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0, "\"%s\" in %s:%ui needs a store: add \"campaign_store <directory>;\" to http{}",
                      cmcf->user, cmcf->user_file, cmcf->user_line);
        return NGX_ERROR;
    }

    gateway = cmcf->gateways.elts;

    for (i = 0; i < cmcf->gateways.nelts; i++) {
        if (ngx_http_campaign_conf_check_gateway(cf, &gateway[i]) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    if (cmcf->webhook.gateway.uri.data && ngx_http_campaign_conf_check_webhook(cf, &cmcf->webhook) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ngx_http_campaign_conf_receipts_check(cf, cmcf) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_http_campaign_conf_channels(cf, cmcf);
}


/* is the directory usable?  As a core module's init_conf: `user` is known, wherever it stands */

static char *
ngx_http_campaign_conf_check_store(ngx_cycle_t *cycle, void *conf)
{
    const char                     *user;
    ngx_str_t                      *path;
    ngx_file_info_t                 fi;
    ngx_http_campaign_main_conf_t  *cmcf;

    if (ngx_get_conf(cycle->conf_ctx, ngx_http_module) == NULL) {
        return NGX_CONF_OK;
    }

    cmcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_campaign_module);
    path = &cmcf->store.path;

    if (path->data == NULL) {
        return NGX_CONF_OK;
    }

    if (ngx_file_info(path->data, &fi) == NGX_FILE_ERROR) {
        ngx_log_error(NGX_LOG_EMERG, cycle->log, ngx_errno, "\"campaign_store\" directory \"%V\" can not be used: create it, owned by the "
                      "user of the worker processes, with mode 0700", path);
        return NGX_CONF_ERROR;
    }

    if (!ngx_is_dir(&fi)) {
        ngx_log_error(NGX_LOG_EMERG, cycle->log, 0, "\"campaign_store\" \"%V\" is not a directory: name one", path);
        return NGX_CONF_ERROR;
    }

    if (!ngx_http_campaign_conf_writable(cycle, &fi, &user)) {
        ngx_log_error(NGX_LOG_EMERG, cycle->log, 0, "\"campaign_store\" directory \"%V\" is not writable by the worker processes: "
                      "give it to their user (chown %s, chmod 0700)", path, user);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/* may the workers' user create files there?  Only root becomes another user, for others it is asked about themselves */

static ngx_uint_t
ngx_http_campaign_conf_writable(ngx_cycle_t *cycle, ngx_file_info_t *fi, const char **user)
{
    int               i, n;
    gid_t             groups[NGX_CAMPAIGN_GROUPS_MAX];
    uid_t             uid;
    mode_t            mode;
    ngx_core_conf_t  *ccf;
    struct passwd    *pwd;

    ccf = (ngx_core_conf_t *) ngx_get_conf(cycle->conf_ctx, ngx_core_module);

    pwd = getpwuid(geteuid() == 0 ? ccf->user : geteuid());

    if (pwd == NULL) {
        *user = "nginx's user";
        return 1;                       /* the store's opening will tell */
    }

    *user = pwd->pw_name;
    uid = pwd->pw_uid;
    mode = fi->st_mode;

    if (uid == 0) {
        return 1;
    }

    if (fi->st_uid == uid) {
        return (mode & (S_IWUSR|S_IXUSR)) == (S_IWUSR|S_IXUSR);
    }

    n = NGX_CAMPAIGN_GROUPS_MAX;

    if (getgrouplist(pwd->pw_name, pwd->pw_gid, groups, &n) < 0) {
        n = NGX_CAMPAIGN_GROUPS_MAX;
    }

    for (i = 0; i < n; i++) {
        if (fi->st_gid == groups[i]) {
            return (mode & (S_IWGRP|S_IXGRP)) == (S_IWGRP|S_IXGRP);
        }
    }

    return (mode & (S_IWOTH|S_IXOTH)) == (S_IWOTH|S_IXOTH);
}


static ngx_int_t
ngx_http_campaign_conf_check_webhook(ngx_conf_t *cf, ngx_http_campaign_webhook_conf_t *webhook)
{
    ngx_http_campaign_gateway_t  *gateway;

    gateway = &webhook->gateway;

    webhook->clcf = ngx_http_campaign_conf_location(gateway->cscf->ctx->loc_conf[ngx_http_core_module.ctx_index], &gateway->uri);

    if (webhook->clcf == NULL || !webhook->clcf->internal) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0, "\"campaign_webhook\" in %s:%ui: there is no internal location for \"%V\" in its server{}: "
                      "add \"location %V { internal; resolver ...; proxy_pass $campaign_webhook_url; ... }\"", gateway->file,
                      gateway->line, &gateway->uri, &gateway->uri);
        return NGX_ERROR;
    }

    if (webhook->clcf->resolver == NULL || webhook->clcf->resolver->connections.nelts == 0) {
        ngx_log_error(NGX_LOG_WARN, cf->log, 0, "\"campaign_webhook\" in %s:%ui: webhooks with a host name will not be called, for "
                      "nothing tells its address: add \"resolver <address of a DNS server>;\" to location \"%V\"", gateway->file,
                      gateway->line, &gateway->uri);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_campaign_conf_check_gateway(ngx_conf_t *cf, ngx_http_campaign_gateway_t *gateway)
{
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_campaign_conf_location(gateway->cscf->ctx->loc_conf[ngx_http_core_module.ctx_index], &gateway->uri);

    if (clcf == NULL || !clcf->internal) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0, "\"campaign_gateway %V\" in %s:%ui: there is no internal location for \"%V\" in its server{}: "
                      "add \"location %V { internal; proxy_pass ...; }\"", &gateway->channel, gateway->file, gateway->line,
                      &gateway->uri, &gateway->uri);
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* the location that a request for uri finds, as ngx_http_core_find_location does it; NULL: none */

static ngx_http_core_loc_conf_t *
ngx_http_campaign_conf_location(ngx_http_core_loc_conf_t *clcf, ngx_str_t *uri)
{
    size_t                          len, n;
    u_char                         *p;
    ngx_int_t                       rc;
    ngx_http_core_loc_conf_t       *found, *inner;
    ngx_http_location_tree_node_t  *node;
#if (NGX_PCRE)
    ngx_http_core_loc_conf_t      **regex;
#endif

    found = NULL;
    node = clcf->static_locations;
    len = uri->len;
    p = uri->data;

    while (node) {
        n = ngx_min(len, (size_t) node->len);
        rc = ngx_filename_cmp(p, node->name, n);

        if (rc != 0) {
            node = (rc < 0) ? node->left : node->right;
            continue;
        }

        if (len < (size_t) node->len) {
            node = node->left;
            continue;
        }

        if (len == (size_t) node->len && node->exact) {
            return node->exact;
        }

        if (len == (size_t) node->len) {
            found = node->inclusive ? node->inclusive : found;
            break;
        }

        if (node->inclusive) {
            found = node->inclusive;
            p += n;
            len -= n;
            node = node->tree;
            continue;
        }

        node = node->right;                     /* an exact location, and the uri is longer */
    }

#if (NGX_PCRE)
    if (found == NULL || !found->noregex) {
        for (regex = clcf->regex_locations; regex && *regex; regex++) {
            if (ngx_regex_exec((*regex)->regex->regex, uri, NULL, 0) >= 0) {
                return *regex;
            }
        }
    }
#endif

    if (found == NULL) {
        return NULL;
    }

    inner = ngx_http_campaign_conf_location(found, uri);

    return inner ? inner : found;
}


/* "SMS, VIBER", for messages */

static ngx_int_t
ngx_http_campaign_conf_channels(ngx_conf_t *cf, ngx_http_campaign_main_conf_t *cmcf)
{
    u_char                       *p;
    size_t                        len;
    ngx_uint_t                    i;
    ngx_http_campaign_gateway_t  *gateway;

    gateway = cmcf->gateways.elts;

    for (len = 0, i = 0; i < cmcf->gateways.nelts; i++) {
        len += gateway[i].channel.len + 2;
    }

    p = ngx_pnalloc(cf->pool, len + 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    cmcf->channels.data = p;

    for (i = 0; i < cmcf->gateways.nelts; i++) {
        if (i) {
            *p++ = ',';
            *p++ = ' ';
        }

        p = ngx_cpymem(p, gateway[i].channel.data, gateway[i].channel.len);
    }

    cmcf->channels.len = p - cmcf->channels.data;

    return NGX_OK;
}
