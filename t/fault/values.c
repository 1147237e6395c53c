
/*
 * Where the values of a store are in its data.mdb: a line "database offset length" each, offset in the file; and keys, with the database's name
 * in parentheses.  For tests that damage them.
 */

#include <inttypes.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>


static uintptr_t  map;


static void
fail(const char *what, int err)
{
    fprintf(stderr, "values: %s: %s\n", what, mdb_strerror(err));
    exit(2);
}


/* the first address at which this process has the file */

static void
find_map(void)
{
    char   line[4096];
    FILE  *maps;

    maps = fopen("/proc/self/maps", "r");

    while (maps && fgets(line, sizeof(line), maps)) {
        if (strstr(line, "/data.mdb")) {
            map = (uintptr_t) strtoull(line, NULL, 16);
            break;
        }
    }

    if (map == 0) {
        fprintf(stderr, "values: no map of data.mdb\n");
        exit(2);
    }

    fclose(maps);
}


static void
place(const char *name, const MDB_val *v, int is_key)
{
    if (v->mv_size) {
        printf(is_key ? "(%s) %" PRIuPTR " %zu\n" : "%s %" PRIuPTR " %zu\n", name, (uintptr_t) v->mv_data - map, v->mv_size);
    }
}


int
main(int argc, char **argv)
{
    int          err;
    char         name[64];
    MDB_env     *env;
    MDB_txn     *txn;
    MDB_dbi      all, dbi;
    MDB_val      table, none, key, value;
    MDB_cursor  *tables, *cursor;

    if (argc != 2) {
        fprintf(stderr, "usage: values STORE\n");
        return 2;
    }

    if ((err = mdb_env_create(&env)) != 0 || (err = mdb_env_set_maxdbs(env, 64)) != 0
        || (err = mdb_env_open(env, argv[1], MDB_RDONLY, 0600)) != 0
        || (err = mdb_txn_begin(env, NULL, MDB_RDONLY, &txn)) != 0
        || (err = mdb_dbi_open(txn, NULL, 0, &all)) != 0
        || (err = mdb_cursor_open(txn, all, &tables)) != 0)
    {
        fail(argv[1], err);
    }

    find_map();

    while (mdb_cursor_get(tables, &table, &none, MDB_NEXT) == 0) {
        snprintf(name, sizeof(name), "%.*s", (int) table.mv_size, (char *) table.mv_data);

        if ((err = mdb_dbi_open(txn, name, 0, &dbi)) != 0 || (err = mdb_cursor_open(txn, dbi, &cursor)) != 0) {
            fail(name, err);
        }

        while (mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == 0) {
            place(name, &key, 1);
            place(name, &value, 0);
        }

        mdb_cursor_close(cursor);
    }

    return 0;
}
