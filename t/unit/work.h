
/*
 * Work that is counted, not timed, so that it is the same on each machine and each day: what of core and store is linked with these programs
 * (WORK of the Makefile) is compiled with -fsanitize-coverage=trace-pc, which calls this at each branch.
 */

#ifndef _WORK_H_INCLUDED_
#define _WORK_H_INCLUDED_


#include <stdint.h>


static uint64_t  work_steps;


void __sanitizer_cov_trace_pc(void);


void
__sanitizer_cov_trace_pc(void)
{
    work_steps++;
}


#endif /* _WORK_H_INCLUDED_ */
