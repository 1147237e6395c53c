
/*
 * A recording of what happened to a data.mdb: records one after the other, in the order in which things were done.
 */

#ifndef _RECORD_H_INCLUDED_
#define _RECORD_H_INCLUDED_


#include <stdint.h>


#define RECORD_WRITE  'W'       /* len bytes at `at`, which follow; synced: the call itself returned when they were on disk */
#define RECORD_SYNC   'Y'       /* all writes before it are on disk */
#define RECORD_ACKED  'A'       /* a client was told that object `at` is kept */
#define RECORD_SENT   'S'       /* a gateway has got message `at` (campaign * 100000 + place) */

typedef struct {
    uint8_t   type;
    uint8_t   synced;
    uint8_t   none[2];
    uint32_t  len;
    uint64_t  at;
} record_t;


#endif /* _RECORD_H_INCLUDED_ */
