
/*
 * campaignctl: looks at a store from outside of nginx.  Reading is done in a child process: LMDB trusts the pages of its file, and damaged
 * ones may kill who reads them.
 */

#include "ngx_campaign_ctl_check.h"

#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>


static int ngx_campaign_ctl_check(const char *path);


static const char  ngx_campaign_ctl_usage[] =
    "usage: campaignctl check STORE\n"
    "\n"
    "Looks whether a store is sound: recounts each counter, compares each index with what it leads to and the other way round, checks the\n"
    "checksum of each record. STORE is the directory of `campaign_store`; a server may be running on it. Nothing is written.\n"
    "Prints a line a fault (database, key, what is wrong) and a summary.\n"
    "Exit status: 0 sound, 1 faults were found, 2 the store could not be looked at.\n";


int
main(int argc, char **argv)
{
    if (argc == 2 && (ngx_strcmp(argv[1], "--help") == 0 || ngx_strcmp(argv[1], "-h") == 0)) {
        (void) fputs(ngx_campaign_ctl_usage, stdout);
        return 0;
    }

    if (argc == 3 && ngx_strcmp(argv[1], "check") == 0) {
        return ngx_campaign_ctl_check(argv[2]);
    }

    (void) fputs(ngx_campaign_ctl_usage, stderr);

    return 2;
}


static int
ngx_campaign_ctl_check(const char *path)
{
    int                         status;
    pid_t                       pid;
    ngx_campaign_check_seen_t  *seen;

    seen = mmap(NULL, sizeof(ngx_campaign_check_seen_t), PROT_READ|PROT_WRITE, MAP_SHARED|MAP_ANONYMOUS, -1, 0);

    if (seen == MAP_FAILED) {
        perror("campaignctl: mmap");
        return 2;
    }

    pid = fork();

    if (pid == -1) {
        perror("campaignctl: fork");
        return 2;
    }

    if (pid == 0) {
        status = ngx_campaign_check_run(path, seen);
        (void) fflush(stdout);
        _exit(status);                                  /* without mdb_env_close(): it races with nginx's workers in LMDB 0.9.26 to 0.9.31 */
    }

    while (waitpid(pid, &status, 0) == -1) {
        if (errno != EINTR) {
            perror("campaignctl: waitpid");
            return 2;
        }
    }

    if (WIFEXITED(status)) {
        return WEXITSTATUS(status);
    }

    if (seen->cut_off) {
        (void) printf("%s: data.mdb was cut off: %llu bytes of %llu\n", ngx_campaign_lmdb_table_name(seen->db),
                      (unsigned long long) seen->bytes, (unsigned long long) seen->cut_off);
    }

    (void) printf("%s: data.mdb is damaged: reading it ended with \"%s\"\n", ngx_campaign_lmdb_table_name(seen->db),
                  strsignal(WTERMSIG(status)));
    (void) printf("campaignctl: %s: %llu faults and more, restore it from a backup\n", path,
                  (unsigned long long) seen->faults + 1);

    return 1;
}
