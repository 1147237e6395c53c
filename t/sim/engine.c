
/*
 * LMDB under the real store: without syncs, and without its locks, since all processes live in this one and loop.c has its write lock.
 * Faults come in here.  Whatever is committed is told to the model in that moment, before anybody else can see it.
 */

#include "sim.h"
#include "ngx_campaign_store_lmdb_turn.h"
#include "ngx_campaign_store_lmdb_event.h"

#include <ftw.h>
#include <sys/statvfs.h>
#include <unistd.h>


#define SIM_OPS  4096                           /* hundreds wait for a slow commit when events are told */


static int sim_unlink(const char *path, const struct stat *s, int flag, struct FTW *ftw);
static void sim_op_shrink(void);
static int sim_real(int rc);
static ngx_uint_t sim_panics(MDB_env *env);
static ngx_campaign_txn_t *sim_look_begin(void);

int __real_mdb_env_open(MDB_env *env, const char *path, unsigned flags, mdb_mode_t mode);
void __real_mdb_env_close(MDB_env *env);
int __real_mdb_txn_begin(MDB_env *env, MDB_txn *parent, unsigned flags, MDB_txn **txn);
int __real_mdb_txn_commit(MDB_txn *txn);
int __real_mdb_put(MDB_txn *txn, MDB_dbi dbi, MDB_val *key, MDB_val *value, unsigned flags);
ngx_campaign_rc_e __real_ngx_campaign_lmdb_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, ngx_campaign_work_pt work, void *args);


sim_fault_e                   sim_fault;
uint64_t                      sim_commits, sim_faults, sim_trouble;
ngx_uint_t                    sim_unknown;
char                          sim_dir[256];

static sim_op_t               sim_ops[SIM_OPS];         /* known, not committed */
static sim_op_t               sim_ran[SIM_OPS];         /* in the transaction at hand */
static ngx_uint_t             sim_nops, sim_nran, sim_oldest;  /* nops: no operation stands behind that place */
static MDB_env               *sim_panicked[SIM_PROCESSES];
static MDB_txn               *sim_writing;

static ngx_campaign_store_t  *sim_eye;                  /* reads the store for the model */
static ngx_campaign_txn_t     sim_eye_txn;
static ngx_campaign_states_t  sim_eye_states;
static ngx_pool_t            *sim_eye_pool;
static ngx_log_t              sim_eye_log = { NGX_LOG_ALERT, 0 };
static ngx_campaign_store_conf_t  sim_eye_conf;
static char                   sim_eye_data[4096];


static int
sim_unlink(const char *path, const struct stat *s, int flag, struct FTW *ftw)
{
    return ftw->level ? remove(path) : 0;
}


void
sim_engine_reset(void)
{
    sim_fault = SIM_FAULT_NONE;
    sim_faults = 0;
    sim_trouble = 0;
    sim_nops = 0;
    sim_nran = 0;
    sim_writing = NULL;

    ngx_memzero(sim_ops, sizeof(sim_ops));
    ngx_memzero(sim_panicked, sizeof(sim_panicked));

    if (sim_eye) {
        ngx_campaign_lmdb_env_close(sim_eye);
        ngx_destroy_pool(sim_eye_pool);
        sim_eye = NULL;
    }

    if (sim_twin) {
        twin_reset();
        return;
    }

    (void) nftw(sim_dir, sim_unlink, 8, FTW_DEPTH|FTW_PHYS);
}


/* a directory for all stores of this program, in the parent: a child may die in any way */

void
sim_engine_begin(void)
{
    if (sim_dir[0] == '\0') {
        (void) snprintf(sim_dir, sizeof(sim_dir), "%s/campaign-sim.XXXXXX", getenv("SIM_DIR") ? getenv("SIM_DIR") : "/dev/shm");

        if (mkdtemp(sim_dir) == NULL) {
            perror(sim_dir);
            exit(2);
        }
    }
}


void
sim_engine_end(void)
{
    if (sim_dir[0]) {
        (void) nftw(sim_dir, sim_unlink, 8, FTW_DEPTH|FTW_PHYS);
        (void) rmdir(sim_dir);
        sim_dir[0] = '\0';
    }
}


/* the process is gone: so are its map and its files */

void
sim_engine_crash(sim_process_t *p)
{
    ngx_uint_t  i;

    for (i = 0; i < sim_nops; i++) {
        if (sim_ops[i].life == p->life) {
            sim_ops[i].op = NULL;
        }
    }

    sim_op_shrink();

    if (p->store && !sim_twin) {
        ngx_campaign_lmdb_held_close(p->store);
        ngx_campaign_lmdb_env_close(p->store);
    }

    p->store = NULL;
}


/* operations */

void
sim_op_note(ngx_campaign_op_t *op, sim_op_e kind, void *args)
{
    ngx_uint_t  i, free;

    for (free = SIM_OPS, i = 0; i < sim_nops; i++) {
        if (sim_ops[i].op == op) {
            free = i;
            break;
        }

        if (sim_ops[i].op == NULL) {
            free = i;
        }
    }

    if (free == SIM_OPS && sim_nops < SIM_OPS) {
        free = sim_nops++;
    }

    if (free == SIM_OPS) {
        free = sim_oldest++ % SIM_OPS;          /* of one that was refused, long ago */
    }

    sim_ops[free].op = op;
    sim_ops[free].kind = kind;
    sim_ops[free].args = args;
    sim_ops[free].life = sim_current->life;
}


void
sim_op_forget(ngx_campaign_op_t *op)
{
    ngx_uint_t  i;

    for (i = 0; i < sim_nops; i++) {
        if (sim_ops[i].op == op) {
            sim_ops[i].op = NULL;
        }
    }

    sim_op_shrink();
}


static void
sim_op_shrink(void)
{
    while (sim_nops && sim_ops[sim_nops - 1].op == NULL) {
        sim_nops--;
    }
}


void
sim_op_ran(ngx_campaign_op_t *op, ngx_campaign_rc_e rc)
{
    ngx_uint_t  i;

    for (i = 0; i < sim_nops; i++) {
        if (sim_ops[i].op == op && sim_nran < SIM_OPS) {
            sim_ran[sim_nran] = sim_ops[i];
            sim_ran[sim_nran++].rc = rc;
            return;
        }
    }
}


void
sim_op_commit(ngx_uint_t stands)
{
    ngx_uint_t  i, n;

    if (stands) {
        sim_commits++;
        sim_model_commit(sim_ran, sim_nran);
    }

    for (i = 0; stands && i < sim_nops; i++) {
        for (n = 0; n < sim_nran; n++) {
            if (sim_ops[i].op == sim_ran[n].op) {
                sim_ops[i].op = NULL;
            }
        }
    }

    sim_nran = 0;
    sim_op_shrink();
}


ngx_campaign_rc_e
__wrap_ngx_campaign_lmdb_work(ngx_campaign_txn_t *t, ngx_campaign_op_t *op, ngx_campaign_work_pt work, void *args)
{
    ngx_campaign_rc_e  rc;

    rc = __real_ngx_campaign_lmdb_work(t, op, work, args);

    sim_op_ran(op, rc);

    return rc;
}


/* all processes live in one: each has the directory open, none of them waits for another PID namespace, nor needs a reserve on the disk */

ngx_int_t
__wrap_ngx_campaign_lmdb_place_take(ngx_campaign_store_t *st)
{
    return NGX_OK;
}


void
__wrap_ngx_campaign_lmdb_place_leave(ngx_campaign_store_t *st)
{
}


int
__wrap_fstatvfs(int fd, struct statvfs *s)
{
    ngx_memzero(s, sizeof(struct statvfs));
    s->f_bfree = s->f_bavail = 1 << 20;
    s->f_frsize = 4096;

    return 0;
}


int
__wrap_fallocate(int fd, int mode, off_t at, off_t n)
{
    return 0;
}


/* LMDB */

int
__wrap_mdb_env_open(MDB_env *env, const char *path, unsigned flags, mdb_mode_t mode)
{
    if (sim_fault == SIM_FAULT_OPEN && sim_current) {
        sim_faults++;
        return EMFILE;
    }

    return sim_real(__real_mdb_env_open(env, path, flags|MDB_NOSYNC|MDB_NOLOCK, mode));
}


/* a failure that nobody ordered: the machine has no room, say */

static int
sim_real(int rc)
{
    if (rc != 0 && rc != MDB_KEYEXIST) {
        sim_trouble++;
        fprintf(stderr, "# LMDB: %s\n", mdb_strerror(rc));
    }

    return rc;
}


static ngx_uint_t
sim_panics(MDB_env *env)
{
    ngx_uint_t  i;

    for (i = 0; i < SIM_PROCESSES; i++) {
        if (sim_panicked[i] == env) {
            return i;
        }
    }

    return SIM_PROCESSES;
}


void
__wrap_mdb_env_close(MDB_env *env)
{
    ngx_uint_t  i;

    i = sim_panics(env);

    if (i < SIM_PROCESSES) {
        sim_panicked[i] = NULL;
    }

    __real_mdb_env_close(env);
}


int
__wrap_mdb_txn_begin(MDB_env *env, MDB_txn *parent, unsigned flags, MDB_txn **txn)
{
    int  rc;

    if (sim_panics(env) < SIM_PROCESSES) {
        return MDB_PANIC;
    }

    rc = __real_mdb_txn_begin(env, parent, flags, txn);

    if (rc == 0 && !(flags & MDB_RDONLY)) {
        sim_writing = *txn;
        sim_nran = 0;

    } else if (rc == 0 && *txn == sim_writing) {
        sim_writing = NULL;                             /* its process died, and this one is where it was */
    }

    return rc;
}


int
__wrap_mdb_put(MDB_txn *txn, MDB_dbi dbi, MDB_val *key, MDB_val *value, unsigned flags)
{
    if (sim_fault == SIM_FAULT_PUT && sim_current && sim_chance(sim_random(31, sim_commits, ++sim_faults), 16)) {
        return MDB_MAP_FULL;
    }

    return sim_real(__real_mdb_put(txn, dbi, key, value, flags));
}


int
__wrap_mdb_txn_commit(MDB_txn *txn)
{
    int          rc;
    ngx_uint_t   i;
    MDB_env     *env;

    if (txn != sim_writing || sim_current == NULL) {
        return __real_mdb_txn_commit(txn);
    }

    sim_writing = NULL;
    env = mdb_txn_env(txn);

    if (!sim_fails()) {
        rc = sim_real(__real_mdb_txn_commit(txn));
        if (rc == 0) {
            sim_op_commit(1);
        }

        return rc;
    }

    if (sim_fault == SIM_FAULT_PANIC || sim_fault == SIM_FAULT_PANIC_STANDS) {
        i = sim_panics(NULL);
        if (i < SIM_PROCESSES) {
            sim_panicked[i] = env;
        }
    }

    if (sim_fault == SIM_FAULT_PANIC_STANDS) {
        rc = __real_mdb_txn_commit(txn);
        sim_unknown = 1;
        sim_op_commit(rc == 0);
        sim_unknown = 0;
        return EIO;
    }

    mdb_txn_abort(txn);
    sim_op_commit(0);

    return sim_fault == SIM_FAULT_COMMIT_FULL ? ENOSPC : EIO;
}


/* whether a commit is to fail: most do, while the disk is full; a broken environment is a rare thing */

ngx_uint_t
sim_fails(void)
{
    uint64_t  rnd;

    switch (sim_fault) {

    case SIM_FAULT_COMMIT_FULL:
    case SIM_FAULT_COMMIT_EIO:
        rnd = sim_random(32, 0, ++sim_faults);
        return rnd % 4 != 0;

    case SIM_FAULT_PANIC:
    case SIM_FAULT_PANIC_STANDS:
        rnd = sim_random(32, 0, ++sim_faults);
        return rnd % 6 == 0;

    default:
        return 0;
    }
}


/* the model's eye */

static ngx_campaign_txn_t *
sim_look_begin(void)
{
    int             rc;
    sim_process_t  *p;

    if (sim_eye == NULL) {
        p = sim_current;
        sim_current = NULL;

        sim_eye_pool = ngx_create_pool(4096, &sim_eye_log);
        sim_eye = ngx_pcalloc(sim_eye_pool, sizeof(ngx_campaign_store_t));

        snprintf(sim_eye_data, sizeof(sim_eye_data), "%s/data.mdb", sim_dir);

        sim_eye_conf.path.data = (u_char *) sim_dir;
        sim_eye_conf.path.len = strlen(sim_dir);
        sim_eye_conf.size = 16 * 1024 * 1024;

        sim_eye->conf = &sim_eye_conf;
        sim_eye->log = &sim_eye_log;
        sim_eye->pool = sim_eye_pool;
        sim_eye->data = (u_char *) sim_eye_data;

        if (ngx_campaign_lmdb_env_open(sim_eye) != NGX_OK) {
            sim_fail("the model cannot open the store");
        }

        sim_current = p;
    }

    rc = sim_eye->read ? mdb_txn_renew(sim_eye->read) : __real_mdb_txn_begin(sim_eye->env, NULL, MDB_RDONLY, &sim_eye->read);

    if (rc != 0) {
        sim_fail("the model cannot read the store: %s", mdb_strerror(rc));
    }

    sim_eye_txn.store = sim_eye;
    sim_eye_txn.txn = sim_eye->read;
    sim_eye_txn.log = &sim_eye_log;
    sim_eye_txn.now = ngx_campaign_now();
    sim_eye_txn.err = 0;

    return &sim_eye_txn;
}


void
sim_engine_look(sim_campaign_t *c, sim_look_t *look)
{
    uint32_t                        seq;
    ngx_uint_t                      flags, attempts;
    ngx_campaign_rc_e               rc;
    ngx_campaign_reason_e           reason;
    ngx_campaign_states_t          *x;
    ngx_campaign_message_status_e   status;

    if (sim_twin) {
        twin_look(c, look);
        return;
    }

    x = &sim_eye_states;
    x->t = sim_look_begin();

    rc = ngx_campaign_states_open(x, c->c.rec.no);

    look->found = (rc == NGX_CAMPAIGN_OK);
    look->status = x->run.status;
    look->progress = x->run.progress;

    for (seq = 0; rc == NGX_CAMPAIGN_OK && seq < c->span; seq++) {
        rc = ngx_campaign_message_state(x, seq, &status, &reason);

        look->states[seq] = (uint8_t) status;
        look->reasons[seq] = (uint8_t) reason;

        if (rc == NGX_CAMPAIGN_OK && (c->messages[seq].state == SIM_S_AGAIN || c->messages[seq].state == SIM_S_ENROUTE)) {
            rc = ngx_campaign_states_tries_get(x, seq, &attempts, &flags, NULL);
            look->attempts[seq] = (uint8_t) attempts;
        }
    }

    mdb_txn_reset(sim_eye->read);

    if (rc != NGX_CAMPAIGN_OK && rc != NGX_CAMPAIGN_NOT_FOUND) {
        sim_fail("campaign %" PRIu64 " cannot be read", (uint64_t) c->c.rec.no);
    }
}


void
sim_engine_hook(uint64_t hook, ngx_campaign_queue_t *queue)
{
    if (sim_twin) {
        twin_hook(hook, queue);
        return;
    }

    if (ngx_campaign_queue_get(sim_look_begin(), hook, queue) != NGX_CAMPAIGN_OK) {
        sim_fail("the queue of webhook %" PRIu64 " cannot be read", hook);
    }

    mdb_txn_reset(sim_eye->read);
}


ngx_uint_t
sim_engine_note(uint64_t hook, uint64_t no, sim_note_t *note)
{
    uint64_t               holder;
    ngx_campaign_rc_e      rc;
    ngx_campaign_txn_t    *t;
    ngx_campaign_event_t   e;

    if (sim_twin) {
        return twin_note(hook, no, note);
    }

    t = sim_look_begin();
    holder = 0;

    rc = ngx_campaign_event_get(t, hook, no, NULL, &e);

    if (rc == NGX_CAMPAIGN_OK && ngx_campaign_event_held(t, &e, &holder) != NGX_CAMPAIGN_OK) {
        rc = NGX_CAMPAIGN_FAILURE;
    }

    mdb_txn_reset(sim_eye->read);

    if (rc != NGX_CAMPAIGN_OK && rc != NGX_CAMPAIGN_NOT_FOUND) {
        sim_fail("event %" PRIu64 " of webhook %" PRIu64 " cannot be read", no, hook);
    }

    if (rc == NGX_CAMPAIGN_NOT_FOUND) {
        return 0;
    }

    note->no = no;
    note->campaign = e.campaign;
    note->seq = e.seq;
    note->value = e.value;
    note->attempts = e.attempts;
    note->holds = (holder == no);
    note->due = e.due;

    return 1;
}
