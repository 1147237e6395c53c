
/*
 * A stand-in for nginx's ngx_config.h: enough for src/core, so that the unit tests need no nginx.
 */

#ifndef _NGX_CONFIG_H_INCLUDED_
#define _NGX_CONFIG_H_INCLUDED_


#include <sys/types.h>
#include <stddef.h>
#include <stdint.h>
#include <limits.h>
#include <string.h>
#include <strings.h>
#include <time.h>


typedef intptr_t        ngx_int_t;
typedef uintptr_t       ngx_uint_t;
typedef intptr_t        ngx_flag_t;

#define ngx_inline      inline
#define ngx_cdecl
#define ngx_libc_cdecl

#define NGX_INT32_LEN   (sizeof("-2147483648") - 1)
#define NGX_INT64_LEN   (sizeof("-9223372036854775808") - 1)
#define NGX_INT_T_LEN   NGX_INT64_LEN

#define NGX_MAX_INT_T_VALUE   INTPTR_MAX
#define NGX_MAX_INT32_VALUE   INT32_MAX
#define NGX_MAX_UINT32_VALUE  UINT32_MAX

#define NGX_ALIGNMENT   sizeof(unsigned long)

#define ngx_align(d, a)      (((d) + (a - 1)) & ~(a - 1))


#endif /* _NGX_CONFIG_H_INCLUDED_ */
