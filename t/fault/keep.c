
/*
 * Keeps the write lock of a store until its standard input ends: no transaction of a server goes on meanwhile.
 */

#include <lmdb.h>
#include <stdio.h>


int
main(int argc, char **argv)
{
    int       err;
    MDB_env  *env;
    MDB_txn  *txn;

    if (argc != 2) {
        fprintf(stderr, "usage: keep STORE\n");
        return 2;
    }

    if ((err = mdb_env_create(&env)) != 0 || (err = mdb_env_open(env, argv[1], 0, 0600)) != 0
        || (err = mdb_txn_begin(env, NULL, 0, &txn)) != 0)
    {
        fprintf(stderr, "keep: %s: %s\n", argv[1], mdb_strerror(err));
        return 2;
    }

    printf("held\n");
    fflush(stdout);

    while (getchar() != EOF) { /* void */ }

    mdb_txn_abort(txn);

    return 0;
}
