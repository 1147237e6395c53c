
/*
 * Put before every source of src/core: libc's clock, memory and I/O are words that the compiler refuses.  System headers come first,
 * since they declare those words.
 */

#ifndef _NGX_STUB_POISON_H_INCLUDED_
#define _NGX_STUB_POISON_H_INCLUDED_


#define NGX_STUB_CORE  1

#include <sys/types.h>
#include <sys/time.h>
#include <sys/stat.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/random.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#pragma GCC poison malloc calloc realloc free reallocarray posix_memalign aligned_alloc strdup strndup asprintf vasprintf qsort
#pragma GCC poison time gettimeofday clock_gettime clock localtime localtime_r gmtime gmtime_r mktime timegm strftime strptime
#pragma GCC poison usleep sleep nanosleep
#pragma GCC poison printf fprintf vprintf vfprintf puts fputs putchar fopen fdopen fclose fread fwrite fgets getline perror
#pragma GCC poison open openat creat close read write pread pwrite lseek mmap munmap unlink rename stat fstat fsync
#pragma GCC poison socket bind listen accept connect send recv sendto recvfrom sendmsg recvmsg
#pragma GCC poison rand srand random srandom getrandom getentropy
#pragma GCC poison getenv setenv system popen fork execve exit _exit abort pthread_create pthread_mutex_lock


#endif /* _NGX_STUB_POISON_H_INCLUDED_ */
