
/*
 * For tests: holds the write lock of a store, as a process does that is stopped while it writes.  Each line of its input is a number of
 * milliseconds; it says "held" when it has the lock, and "done" when it let it go.
 */

#include <lmdb.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>


static int
hold_open(const char *dir, MDB_env **env)
{
    int  rc;

    rc = mdb_env_create(env);
    if (rc != 0) {
        return rc;
    }

    if ((rc = mdb_env_set_maxdbs(*env, 64)) != 0 || (rc = mdb_env_set_mapsize(*env, 1024 * 1024)) != 0) {
        return rc;
    }

    return mdb_env_open(*env, dir, MDB_NOTLS, 0600);
}


int
main(int argc, char **argv)
{
    int       rc;
    char      line[32];
    MDB_env  *env;
    MDB_txn  *txn;

    if (argc != 2 || (rc = hold_open(argv[1], &env)) != 0) {
        fprintf(stderr, "hold: %s\n", argc == 2 ? mdb_strerror(rc) : "no directory");
        return 1;
    }

    setvbuf(stdout, NULL, _IOLBF, 0);

    while (fgets(line, sizeof(line), stdin)) {
        rc = mdb_txn_begin(env, NULL, 0, &txn);

        if (rc == MDB_MAP_RESIZED && (rc = mdb_env_set_mapsize(env, 0)) == 0) {
            rc = mdb_txn_begin(env, NULL, 0, &txn);
        }

        if (rc != 0) {
            fprintf(stderr, "hold: %s\n", mdb_strerror(rc));
            return 1;
        }

        puts("held");
        usleep(1000 * (unsigned) atoi(line));
        mdb_txn_abort(txn);
        puts("done");
    }

    return 0;
}
