/* A caller of the C library that says what its look-ups take.
 *
 * caller first USERS          the first look-up of a process: nanoseconds
 * caller cold USERS COUNT     as many users whom nobody has looked up before, one call each: median and 99th percentile
 * caller warm USERS OPERATION THREADS MILLISECONDS [MODULE]
 *                             calls over and over: median and 99th percentile of batches, nanoseconds a call
 *
 * User N of USERS is called userN and has the id 100000 + N; user0 is in group0 to group99. The status is 0 if every
 * look-up has found what is there, and nothing where nothing is. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <grp.h>
#include <pthread.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum { POOL = 1000, STEP = 7919, MOST = 200000, FIRST_UID = 100000 };

static int users;
static char hits[POOL][24], misses[POOL][24];
static uid_t ids[POOL];

typedef int module_call(const char *, struct passwd *, char *, size_t, int *);
static module_call *module;
typedef int groups_call(const char *, gid_t, long *, long *, gid_t **, long, int *);
static groups_call *module_of_groups;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1e9 + t.tv_nsec;
}

static void fail(const char *what) {
    fprintf(stderr, "%s: a wrong answer\n", what);
    exit(1);
}

static long picked(long n) { return n * STEP % users; }

static void by_name(int i) {
    char buffer[4096];
    struct passwd user, *found;
    if (getpwnam_r(hits[i], &user, buffer, sizeof buffer, &found) || !found || user.pw_uid != ids[i]) fail("getpwnam");
}

static void by_uid(int i) {
    char buffer[4096];
    struct passwd user, *found;
    if (getpwuid_r(ids[i], &user, buffer, sizeof buffer, &found) || !found || strcmp(user.pw_name, hits[i])) fail("getpwuid");
}

static void nobody(int i) {
    char buffer[4096];
    struct passwd user, *found;
    getpwnam_r(misses[i], &user, buffer, sizeof buffer, &found);
    if (found) fail("a miss");
}

static void group(int i) {
    char buffer[16384], name[16];
    struct group group, *found;
    snprintf(name, sizeof name, "group%d", i % 100);
    if (getgrnam_r(name, &group, buffer, sizeof buffer, &found) || !found || !group.gr_mem[9]) fail("getgrnam");
}

static void groups_of(int i) {
    gid_t gids[256];
    int count = 256;
    (void)i;
    if (getgrouplist("user0", 1, gids, &count) < 0 || count < 101) fail("getgrouplist");
}

static void module_hit(int i) {
    char buffer[4096];
    struct passwd user;
    int error;
    if (module(hits[i], &user, buffer, sizeof buffer, &error) != 1 || user.pw_uid != ids[i]) fail("the module");
}

static void module_miss(int i) {
    char buffer[4096];
    struct passwd user;
    int error;
    if (module(misses[i], &user, buffer, sizeof buffer, &error) != 0) fail("a miss of the module");
}

static void module_groups(int i) {
    long used = 1, room = 256;
    gid_t *gids = malloc(room * sizeof *gids);
    int error;
    (void)i;
    gids[0] = 1;
    if (module_of_groups("user0", 1, &used, &room, &gids, -1, &error) != 1 || used < 101) fail("groups by the module");
    free(gids);
}

static void configuration(int i) {
    struct stat file;
    (void)i;
    if (stat("/etc/nsswitch.conf", &file)) fail("stat");
}

static const struct operation {
    const char *name;
    void (*call)(int);
} operations[] = {
    {"getpwnam", by_name}, {"getpwuid", by_uid}, {"getpwnam-miss", nobody}, {"getgrnam", group},
    {"initgroups", groups_of}, {"module", module_hit}, {"module-miss", module_miss},
    {"module-groups", module_groups}, {"stat", configuration},
};

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void say(double *times, int count) {
    qsort(times, count, sizeof *times, ascending);
    printf("%.0f %.0f\n", times[count / 2], times[count - 1 - count / 100]);
}

static void (*call)(int);
static double length;
static pthread_barrier_t start_line;

struct worker {
    pthread_t thread;
    int seed, count;
    double *times;
};

/* Batches of about fifty microseconds, or one call where a call takes longer. */
static void *work(void *argument) {
    struct worker *worker = argument;
    int next = worker->seed, calls = 1;
    for (int i = 0; i < POOL; i++) call(i);
    double begin = now();
    for (int i = 0; i < 20; i++) call(i);
    double each = (now() - begin) / 20;
    if (each < 50000) calls = 50000 / (each + 1) + 1;
    pthread_barrier_wait(&start_line);
    begin = now();
    for (double last = begin; last - begin < length && worker->count < MOST;) {
        for (int i = 0; i < calls; i++) call(next = (next + 1) % POOL);
        double time = now();
        worker->times[worker->count++] = (time - last) / calls;
        last = time;
    }
    return NULL;
}

static void warm(int threads, double milliseconds) {
    static double all[2 * MOST];
    struct worker workers[2] = {0};
    int count = 0;
    if (threads < 1 || threads > 2) exit(2);
    length = milliseconds * 1e6;
    pthread_barrier_init(&start_line, NULL, threads);
    for (int i = 0; i < threads; i++) {
        workers[i].seed = i * POOL / 2;
        workers[i].times = calloc(MOST, sizeof(double));
        if (pthread_create(&workers[i].thread, NULL, work, &workers[i])) exit(2);
    }
    for (int i = 0; i < threads; i++) {
        pthread_join(workers[i].thread, NULL);
        memcpy(all + count, workers[i].times, workers[i].count * sizeof *all);
        count += workers[i].count;
    }
    say(all, count);
}

static void cold(int count) {
    static double times[MOST];
    char buffer[4096], name[24];
    struct passwd user, *found;
    /* Those of the pool are others. */
    for (int i = 0; i < count; i++) {
        snprintf(name, sizeof name, "user%ld", picked(POOL + i));
        double begin = now();
        if (getpwnam_r(name, &user, buffer, sizeof buffer, &found) || !found) fail("cold");
        times[i] = now() - begin;
    }
    say(times, count);
}

int main(int argc, char **argv) {
    if (argc < 3) return 2;
    users = atoi(argv[2]);
    for (int i = 0; i < POOL; i++) {
        snprintf(hits[i], sizeof hits[i], "user%ld", picked(i));
        snprintf(misses[i], sizeof misses[i], "nobody%d", i);
        ids[i] = FIRST_UID + picked(i);
    }
    if (!strcmp(argv[1], "first")) {
        double begin = now();
        by_name(1);
        double time = now() - begin;
        say(&time, 1);
        return 0;
    }
    if (!strcmp(argv[1], "cold") && argc > 3 && atoi(argv[3]) <= MOST) {
        cold(atoi(argv[3]));
        return 0;
    }
    if (strcmp(argv[1], "warm") || argc < 6) return 2;
    for (size_t i = 0; i < sizeof operations / sizeof *operations; i++)
        if (!strcmp(operations[i].name, argv[3])) call = operations[i].call;
    if (!call) return 2;
    if (argc > 6) {
        char name[64];
        snprintf(name, sizeof name, "libnss_%s.so.2", argv[6]);
        void *library = dlopen(name, RTLD_NOW);
        snprintf(name, sizeof name, "_nss_%s_getpwnam_r", argv[6]);
        module = library ? (module_call *)dlsym(library, name) : NULL;
        snprintf(name, sizeof name, "_nss_%s_initgroups_dyn", argv[6]);
        module_of_groups = library ? (groups_call *)dlsym(library, name) : NULL;
        if (!module || !module_of_groups) return 2;
    }
    warm(atoi(argv[4]), atof(argv[5]));
    return 0;
}
