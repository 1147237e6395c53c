
/*
 * nginx's ngx_http.h for the simulator: what the dispatcher's files use of it, and the types that their headers name.
 */

#ifndef _NGX_HTTP_H_INCLUDED_
#define _NGX_HTTP_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>


#define NGX_LINUX  1

#define NGX_PROCESS_SINGLE  0
#define NGX_PROCESS_WORKER  3

#define NGX_EAGAIN  EAGAIN
#define NGX_EINTR   EINTR

#define NGX_FILE_ERROR    -1
#define ngx_close_file    close
#define ngx_close_file_n  "close()"

#define NGX_READ_EVENT   1
#define NGX_LEVEL_EVENT  0


typedef struct ngx_resolver_ctx_s  ngx_resolver_ctx_t;       /* named by a header, not used */


/* red-black tree: here a plain list is enough of one, kept in the order of its keys */

typedef ngx_uint_t                ngx_rbtree_key_t;
typedef struct ngx_rbtree_node_s  ngx_rbtree_node_t;

struct ngx_rbtree_node_s {
    ngx_rbtree_key_t       key;
    ngx_rbtree_node_t     *left;            /* always the sentinel */
    ngx_rbtree_node_t     *right;           /* the next */
    ngx_rbtree_node_t     *parent;
    u_char                 color, data;
};

typedef struct {
    ngx_rbtree_node_t     *root;
    ngx_rbtree_node_t     *sentinel;
} ngx_rbtree_t;

#define ngx_rbtree_insert_value  NULL

#define ngx_rbtree_init(tree, s, i)                                                                                   \
    (s)->left = (s)->right = NULL; (tree)->root = s; (tree)->sentinel = s; (void) (i)

#define ngx_rbtree_data(node, type, link)  (type *) ((u_char *) (node) - offsetof(type, link))

void ngx_rbtree_insert(ngx_rbtree_t *tree, ngx_rbtree_node_t *node);
void ngx_rbtree_delete(ngx_rbtree_t *tree, ngx_rbtree_node_t *node);


typedef int  ngx_socket_t;

typedef struct {
    ngx_uint_t             ctx_index;
} ngx_module_t;

typedef struct {
    ngx_log_t             *log;
    void                  *main;            /* main configuration of the one module */
} ngx_cycle_t;

typedef struct {
    void                 **srv_conf;
} ngx_http_conf_ctx_t;

typedef struct {
    ngx_http_conf_ctx_t   *ctx;
} ngx_http_core_srv_conf_t;

#define ngx_http_cycle_get_module_main_conf(cycle, module)  (cycle)->main


/* members of a delivery that the dispatcher does not touch */

typedef struct { int dummy; } ngx_http_connection_t, ngx_http_log_ctx_t, ngx_http_post_subrequest_t, ngx_buf_t;

typedef struct ngx_http_request_s   ngx_http_request_t;
typedef struct ngx_http_upstream_s  ngx_http_upstream_t;
typedef struct ngx_chain_s          ngx_chain_t;
typedef struct ngx_http_core_loc_conf_s  ngx_http_core_loc_conf_t;
typedef struct ngx_conf_s           ngx_conf_t;

typedef ngx_int_t (*ngx_http_handler_pt)(ngx_http_request_t *r);


extern ngx_uint_t   ngx_process, ngx_exiting;
extern ngx_cycle_t *ngx_cycle;

time_t ngx_time(void);
long ngx_random(void);
u_char *ngx_sprintf(u_char *buf, const char *fmt, ...);

ngx_connection_t *ngx_get_connection(ngx_socket_t s, ngx_log_t *log);
void ngx_free_connection(ngx_connection_t *c);
ngx_int_t ngx_add_event(ngx_event_t *ev, ngx_int_t event, ngx_uint_t flags);
ngx_int_t ngx_del_event(ngx_event_t *ev, ngx_int_t event, ngx_uint_t flags);


#endif /* _NGX_HTTP_H_INCLUDED_ */
