
/*
 * Many seeds, each a run.  Runs are made in a child process, so that whatever happens to one there is a parent to say which it was; the
 * parent then leaves out one event after the other for as long as the run still fails, and prints those that are left.
 *
 *     sim                     random seeds for 30 seconds, as TAP
 *     sim --seed N            the run of seed N; --only 3,7: with these events only; --verbose: all that happens in it
 *     sim --seconds S --from N --runs R: R seeds from N on, for S seconds at most
 *     sim --seed N --compare, --twin: on the store, on its twin, with the faults that both have
 */

#include "sim.h"

#include <malloc.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>


#define SIM_STEPS  4000000                      /* of a run, at most */
#define SIM_ANSWERS  (1 << 20)                  /* of the store, kept to be compared with its twin's */
#define SIM_TWINS  4                            /* every so many seeds runs on both stores */


typedef struct {
    uint64_t        seed;
    sim_totals_t    totals;
    char            why[512];
    uint64_t        trace, trouble;             /* of the last run */
    uint64_t        answers[SIM_ANSWERS];
} sim_shared_t;

typedef struct {
    uint64_t        seed, from;
    unsigned        seconds;
    ngx_uint_t      runs;
    unsigned        one:1;
} sim_options_t;


static void sim_seed(uint64_t seed, const uint8_t *without);
static void sim_run(uint64_t seed, const uint8_t *without);
static int sim_child(uint64_t from, ngx_uint_t runs, int64_t until, const uint8_t *without);
static void sim_shrink(uint64_t seed, uint8_t *without);
static int64_t sim_now(void);
static void sim_only(const char *list, uint8_t *without);
static void sim_report(sim_options_t *o, int64_t took);

int __real_clock_gettime(clockid_t clock, struct timespec *ts);


ngx_uint_t            sim_verbose;
uint64_t              sim_trace;
uint64_t              sim_crashes, sim_steps;

static sim_shared_t  *sim_shared;
static uint64_t      *sim_answers;
static size_t         sim_nanswers;


void
sim_fail(const char *fmt, ...)
{
    va_list  args;

    va_start(args, fmt);
    (void) vsnprintf(sim_shared->why, sizeof(sim_shared->why), fmt, args);
    va_end(args);

    if (sim_verbose) {
        printf("# %12.6f  WRONG: %s\n", (double) sim_mono / 1000000, sim_shared->why);
    }

    fflush(stdout);
    _exit(1);
}


void
sim_say(const char *fmt, ...)
{
    va_list  args;

    if (!sim_verbose) {
        return;
    }

    printf("# %12.6f  ", (double) sim_mono / 1000000);

    va_start(args, fmt);
    vprintf(fmt, args);
    va_end(args);

    printf("\n");
    fflush(stdout);
}


void
sim_trace_add(uint64_t value)
{
    sim_say("answer %" PRIu64, value);

    if (sim_answers && sim_nanswers < SIM_ANSWERS) {
        if (!sim_twin) {
            sim_answers[sim_nanswers] = value;

        } else if (sim_answers[sim_nanswers] != value) {
            sim_fail("the store's answer %" PRIu64 " is %" PRIu64 ", its twin's %" PRIu64 " (see --compare and --twin, with --verbose)",
                     (uint64_t) sim_nanswers, sim_answers[sim_nanswers], value);
        }

        sim_nanswers++;
    }

    sim_trace = (sim_trace ^ value) * 0x100000001b3ULL;
    sim_trace ^= sim_trace >> 29;
}


static int64_t
sim_now(void)
{
    struct timespec  ts;

    (void) __real_clock_gettime(CLOCK_MONOTONIC, &ts);

    return (int64_t) ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}


static void
sim_run(uint64_t seed, const uint8_t *without)
{
    uint64_t       began, ended;
    sim_totals_t  *t;

    sim_scenario_make(seed, without);
    sim_loop_reset();
    sim_gateway_reset();
    sim_receipts_reset();
    sim_engine_reset();
    sim_model_reset();
    sim_worker_reset();

    sim_trace = 0;
    sim_crashes = 0;
    sim_set_aside = 0;
    sim_commits = 0;
    sim_deliveries = 0;
    sim_handed = 0;
    sim_lost = 0;
    began = (uint64_t) sim_mono;

    sim_scenario_begin();

    for (sim_steps = 1; !sim_scenario_over(); sim_steps++) {
        if (sim_steps > SIM_STEPS || !sim_step()) {
            sim_fail("it does not end");
        }
    }

    sim_model_end();
    ended = (uint64_t) sim_mono;
    sim_loop_reset();

    t = &sim_shared->totals;

    t->runs++;
    t->steps += sim_steps;
    t->crashes += sim_crashes;
    t->commits += sim_commits;
    t->deliveries += sim_deliveries;
    t->handed += sim_handed;
    t->lost += sim_lost;
    t->takeover = ngx_max(t->takeover, sim_takeover);
    t->unfair = ngx_max(t->unfair, sim_unfair);
    t->set_aside += sim_set_aside;
    t->virtual_us += ended - began;

    sim_shared->trace = sim_trace;
}


/* a run in a process of its own: nothing that an earlier one left in memory is there */

static void
sim_apart(uint64_t seed, const uint8_t *without)
{
    int    status;
    pid_t  pid;

    fflush(stdout);
    pid = fork();

    if (pid == -1) {
        perror("fork");
        _exit(2);
    }

    if (pid == 0) {
        sim_run(seed, without);
        sim_shared->trouble = sim_trouble;
        fflush(stdout);
        _exit(0);
    }

    while (waitpid(pid, &status, 0) == -1) { /* void */ }

    if (WIFSIGNALED(status)) {
        (void) snprintf(sim_shared->why, sizeof(sim_shared->why), "killed by signal %d", WTERMSIG(status));
    }

    if (status != 0) {
        _exit(1);
    }
}


/* the run of a seed on the store, and of some seeds on both stores, with the faults that both have: they have to answer the same */

static void
sim_seed(uint64_t seed, const uint8_t *without)
{
    uint64_t  trace;

    sim_shared->seed = seed;

    sim_apart(seed, without);

    if (sim_twin || sim_compare || seed % SIM_TWINS) {
        return;
    }

    sim_answers = sim_shared->answers;
    sim_compare = 1;

    sim_apart(seed, without);
    trace = sim_shared->trace;

    if (sim_shared->trouble == 0) {
        sim_twin = 1;
        sim_apart(seed, without);
        sim_twin = 0;

        sim_shared->totals.twins++;

        if (trace != sim_shared->trace) {
            sim_fail("the store and its twin answer differently (see --compare and --twin, with --verbose)");
        }
    }

    sim_compare = 0;
    sim_answers = NULL;
}


/* the exit status of a child that makes the runs */

static int
sim_child(uint64_t from, ngx_uint_t runs, int64_t until, const uint8_t *without)
{
    int         status;
    pid_t       pid;
    ngx_uint_t  i;

    fflush(stdout);
    sim_shared->why[0] = '\0';

    pid = fork();

    if (pid == -1) {
        perror("fork");
        exit(2);
    }

    if (pid == 0) {
        if (!sim_verbose && !getenv("SIM_STDERR") && freopen("/dev/null", "w", stderr) == NULL) {
            _exit(2);
        }

        for (i = 0; i < runs && sim_now() < until; i++) {
            sim_seed(from + i, without);
        }

        fflush(stdout);
        _exit(0);
    }

    while (waitpid(pid, &status, 0) == -1) { /* void */ }

    if (WIFSIGNALED(status)) {
        (void) snprintf(sim_shared->why, sizeof(sim_shared->why), "killed by signal %d", WTERMSIG(status));
    }

    return status;
}


static void
sim_shrink(uint64_t seed, uint8_t *without)
{
    ngx_uint_t  i, verbose;

    verbose = sim_verbose;
    sim_verbose = 0;

    sim_scenario_make(seed, NULL);

    for (i = 0; i < sim_scenario.nevents; i++) {
        if (without[i]) {
            continue;
        }

        without[i] = 1;

        if (sim_child(seed, 1, SIM_NEVER, without) == 0) {
            without[i] = 0;
        }
    }

    (void) sim_child(seed, 1, SIM_NEVER, without);

    sim_verbose = verbose;
}


static void
sim_report(sim_options_t *o, int64_t took)
{
    double          s, cpu;
    sim_totals_t   *t;
    struct rusage   used;

    t = &sim_shared->totals;
    s = (double) took / 1000000;
    cpu = s;

    if (getrusage(RUSAGE_CHILDREN, &used) == 0) {
        cpu = (double) (used.ru_utime.tv_sec + used.ru_stime.tv_sec) + (double) (used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1000000;
    }

    fprintf(stderr, "# %" PRIu64 " runs from seed %" PRIu64 " in %.1f s, %.0f a second of a core, %.0f virtual seconds, %" PRIu64
            " seeds on both stores\n", t->runs, o->from, s, (double) t->runs / ngx_max(cpu, 0.001), (double) t->virtual_us / 1000000,
            t->twins);

    fprintf(stderr, "# %" PRIu64 " crashes, %" PRIu64 " commits, %" PRIu64 " messages sent, %" PRIu64 " handed over (%" PRIu64
            " by who died then); the longest takeover took %" PRId64 " ms, no campaign was more than %u messages ahead of its share, %" PRIu64 " messages were set aside\n", t->crashes, t->commits,
            t->deliveries, t->handed, t->lost, t->takeover / 1000, t->unfair, t->set_aside);
}


/* leaves out all events but those of the list */

static void
sim_only(const char *list, uint8_t *without)
{
    char          *end;
    unsigned long  n;

    memset(without, 1, SIM_EVENTS);

    while (*list) {
        n = strtoul(list, &end, 10);

        if (n < SIM_EVENTS) {
            without[n] = 0;
        }

        list = (*end == ',') ? end + 1 : end + strlen(end);
    }
}


int
main(int argc, char **argv)
{
    int             i, failed;
    int64_t         began;
    uint8_t         without[SIM_EVENTS];
    char            why[512];
    sim_options_t   o;

    ngx_memzero(without, sizeof(without));
    ngx_memzero(&o, sizeof(sim_options_t));
    o.seconds = 30;
    o.runs = UINT32_MAX;
    o.from = (uint64_t) time(NULL) * 1000;

    for (i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc) {
            o.from = strtoull(argv[++i], NULL, 0);
            o.one = 1;

        } else if (strcmp(argv[i], "--from") == 0 && i + 1 < argc) {
            o.from = strtoull(argv[++i], NULL, 0);

        } else if (strcmp(argv[i], "--seconds") == 0 && i + 1 < argc) {
            o.seconds = (unsigned) strtoul(argv[++i], NULL, 10);

        } else if (strcmp(argv[i], "--runs") == 0 && i + 1 < argc) {
            o.runs = (ngx_uint_t) strtoul(argv[++i], NULL, 10);

        } else if (strcmp(argv[i], "--only") == 0 && i + 1 < argc) {
            sim_only(argv[++i], without);

        } else if (strcmp(argv[i], "--twin") == 0) {
            sim_twin = 1;
            sim_compare = 1;

        } else if (strcmp(argv[i], "--compare") == 0) {
            sim_compare = 1;

        } else if (strcmp(argv[i], "--verbose") == 0) {
            sim_verbose = 1;

        } else {
            fprintf(stderr, "usage: sim [--seconds n] [--from seed] [--runs n] [--seed n [--only n,n] [--verbose]]\n");
            return 2;
        }
    }

    sim_shared = mmap(NULL, sizeof(sim_shared_t), PROT_READ|PROT_WRITE, MAP_SHARED|MAP_ANONYMOUS, -1, 0);
    if (sim_shared == MAP_FAILED) {
        perror("mmap");
        return 2;
    }

    (void) mallopt(M_MMAP_THRESHOLD, 256 * 1024);       /* LMDB's tables of pages, in each environment, are zero without being written */

    fprintf(stderr, "# seed %" PRIu64 "\n", o.from);

    sim_engine_begin();
    began = sim_now();

    failed = sim_child(o.from, o.one ? 1 : o.runs, o.one ? SIM_NEVER : began + (int64_t) o.seconds * 1000000, without);

    sim_report(&o, sim_now() - began);

    if (o.one && !failed) {
        printf("# trace %016" PRIx64 "\n", sim_shared->trace);
    }

    if (failed) {
        ngx_memcpy(why, sim_shared->why, sizeof(why));
        fprintf(stderr, "# seed %" PRIu64 ": %s\n", sim_shared->seed, why);

        sim_shrink(sim_shared->seed, without);
        sim_scenario_make(sim_shared->seed, NULL);
        sim_scenario_print(stderr, without);
        fprintf(stderr, "# with these: %s\n", sim_shared->why);
    }

    sim_engine_end();

    printf("%sok 1 - nothing is lost, doubled or late, whatever breaks\n1..1\n", failed ? "not " : "");

    return failed ? 1 : 0;
}
