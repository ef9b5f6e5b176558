/* Callers of the C library of all kinds. The first argument says which; the status is 0 if all is well. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netdb.h>
#include <nss.h>
#include <pthread.h>
#include <pwd.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NEED(condition)                                                                                     \
    do {                                                                                                    \
        if (!(condition)) {                                                                                 \
            dprintf(report, "line %d: %s (errno %d)\n", __LINE__, #condition, errno);                       \
            _exit(1);                                                                                       \
        }                                                                                                   \
    } while (0)

/* Where failures are reported: standard error may be closed. */
static int report;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

/* User alice has the id 501 and is in staff, which has the id 20; nobody is carol. */
static void look_up(void) {
    char buffer[4096];
    struct passwd user, *found_user;
    struct group group, *found_group;
    NEED(getpwnam_r("alice", &user, buffer, sizeof buffer, &found_user) == 0 && found_user);
    NEED(user.pw_uid == 501 && !strcmp(user.pw_name, "alice") && !strcmp(user.pw_shell, "/s"));
    NEED(getpwuid_r(501, &user, buffer, sizeof buffer, &found_user) == 0 && found_user);
    NEED(!strcmp(user.pw_name, "alice") && !strcmp(user.pw_dir, "/h"));
    NEED(getpwnam_r("carol", &user, buffer, sizeof buffer, &found_user) == 0 && !found_user);
    NEED(getgrnam_r("staff", &group, buffer, sizeof buffer, &found_group) == 0 && found_group);
    NEED(group.gr_gid == 20 && !strcmp(group.gr_mem[0], "alice") && !strcmp(group.gr_mem[1], "bob"));
    NEED(!group.gr_mem[2]);
}

static double until;

static void *look_up_for_a_while(void *unused) {
    (void)unused;
    do {
        for (int i = 0; i < 100; i++) look_up();
        /* Each thread enumerates on its own. */
        char buffer[4096];
        struct passwd user, *found;
        NEED(getpwent_r(&user, buffer, sizeof buffer, &found) == 0 || errno == ENOENT);
    } while (now() < until);
    return NULL;
}

static void threads(double seconds) {
    pthread_t all[4];
    until = now() + seconds;
    for (int i = 0; i < 4; i++) NEED(pthread_create(&all[i], NULL, look_up_for_a_while, NULL) == 0);
    for (int i = 0; i < 4; i++) NEED(pthread_join(all[i], NULL) == 0);
}

/* Children are forked while other threads look up. */
static void forks(double seconds) {
    pthread_t all[3];
    int children = 0;
    until = now() + seconds;
    for (int i = 0; i < 3; i++) NEED(pthread_create(&all[i], NULL, look_up_for_a_while, NULL) == 0);
    while (now() < until) {
        pid_t child = fork();
        NEED(child >= 0);
        if (child == 0) {
            alarm(20);
            for (int i = 0; i < 10; i++) look_up();
            _exit(0);
        }
        int status;
        NEED(waitpid(child, &status, 0) == child);
        if (status) dprintf(report, "child %x\n", status);
        NEED(status == 0);
        children++;
    }
    for (int i = 0; i < 3; i++) NEED(pthread_join(all[i], NULL) == 0);
    NEED(children > 2);
}

/* Asks with buffers of every length: ERANGE until it fits, and nothing written outside. */
#define GROW(call)                                                                                          \
    do {                                                                                                    \
        size_t length = 0;                                                                                  \
        int error;                                                                                          \
        for (;; length++) {                                                                                 \
            memset(memory, 0xa5, sizeof memory);                                                            \
            buffer = memory + 64 + length % 8;                                                              \
            found = NULL;                                                                                   \
            error = (call);                                                                                 \
            for (size_t i = 0; i < 64; i++) NEED(memory[i] == (char)0xa5);                                  \
            for (char *end = buffer + length; end < memory + sizeof memory; end++) NEED(*end == (char)0xa5);\
            if (error != ERANGE) break;                                                                     \
            NEED(!found && length < 1024);                                                                  \
        }                                                                                                   \
        NEED(error == 0 && found && length > 4);                                                            \
    } while (0)

static void small(void) {
    static char memory[4096];
    char *buffer;
    void *found;
    struct passwd user;
    struct group group;
    struct servent service;
    struct hostent host;
    int herror;
    GROW(getpwnam_r("alice", &user, buffer, length, (struct passwd **)&found));
    NEED(!strcmp(user.pw_name, "alice") && !strcmp(user.pw_shell, "/s"));
    GROW(getpwuid_r(501, &user, buffer, length, (struct passwd **)&found));
    GROW(getgrnam_r("staff", &group, buffer, length, (struct group **)&found));
    NEED(!strcmp(group.gr_mem[1], "bob") && !group.gr_mem[2]);
    GROW(getservbyname_r("dns", "udp", &service, buffer, length, (struct servent **)&found));
    NEED(!strcmp(service.s_aliases[0], "dns") && service.s_port == htons(53));
    GROW(gethostbyname_r("ada", &host, buffer, length, (struct hostent **)&found, &herror));
    NEED(!strcmp(host.h_name, "ada") && !memcmp(host.h_addr_list[0], "\x0a\0\0\x07", 4) && !host.h_addr_list[1]);

    /* An entry that does not fit is the next one again. */
    int users = 0;
    setpwent();
    for (;;) {
        int error = ERANGE;
        size_t length = 0;
        for (; error == ERANGE; length++) error = getpwent_r(&user, memory, length, (struct passwd **)&found);
        if (error == ENOENT) break;
        NEED(error == 0 && length > 4);
        users++;
        NEED(users != 1 || !strcmp(user.pw_name, "alice"));
        NEED(users != 2 || !strcmp(user.pw_name, "bob"));
    }
    endpwent();
    NEED(users == 2);
    int hosts = 0;
    struct hostent *each;
    sethostent(1);
    while ((each = gethostent())) hosts++;
    endhostent();
    NEED(hosts == 2);
}

static int descriptors_open(void) {
    int open = 0;
    for (int fd = 0; fd < 256; fd++) open += fcntl(fd, F_GETFD) >= 0;
    return open;
}

/* No descriptor stays, none is taken away, and the standard streams stay closed. */
static void descriptors(void) {
    look_up();
    int before = descriptors_open();
    for (int i = 0; i < 300; i++) look_up();
    NEED(descriptors_open() == before);
    int own = open("/dev/null", O_RDWR);
    for (int fd = 0; fd < 256; fd++)
        if (fd != report && fd != own) close(fd);
    for (int i = 0; i < 300; i++) look_up();
    NEED(descriptors_open() == 2);
    NEED(fcntl(0, F_GETFD) < 0 && fcntl(1, F_GETFD) < 0 && fcntl(own, F_GETFD) >= 0);
    struct stat found;
    NEED(fstat(own, &found) == 0 && S_ISCHR(found.st_mode));
}

/* Kills this process at the next system call but those that it is to end with, and those of glibc itself: it looks at every
   look-up whether /etc/nsswitch.conf has changed, and at some whether there is an nscd to connect to. */
static void leave_kernel(void) {
#define ALLOW(call) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
    struct sock_filter steps[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        ALLOW(SYS_newfstatat),
        ALLOW(SYS_socket),
        ALLOW(SYS_connect),
        ALLOW(SYS_close),
        ALLOW(SYS_write),
        ALLOW(SYS_exit_group),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
    };
    struct sock_fprog filter = {sizeof steps / sizeof *steps, steps};
    NEED(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    NEED(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0);
}

/* Once the module and the table are there, look-ups do without the kernel. */
static void alone(void) {
    char buffer[4096];
    struct servent service, *found;
    gid_t gids[16];
    for (int round = 0; round < 1000; round++) {
        int count = 16;
        look_up();
        NEED(getgrouplist("alice", 1, gids, &count) == 3 && gids[0] == 1 && gids[1] == 20 && gids[2] == 21);
        NEED(getservbyname_r("dns", "udp", &service, buffer, sizeof buffer, &found) == 0 && found);
        NEED(getservbyport_r(htons(53), NULL, &service, buffer, sizeof buffer, &found) == 0 && found);
        NEED(getservbyname_r("nothing", NULL, &service, buffer, sizeof buffer, &found) == 0 && !found);
        if (round == 0) leave_kernel();
    }
    puts("done");
}

/* Says how long one look-up takes, in seconds, and what came of it. */
static void once(void) {
    char buffer[4096];
    struct passwd user, *found;
    double start = now();
    int error = getpwnam_r("alice", &user, buffer, sizeof buffer, &found);
    printf("%.3f %d %d\n", now() - start, error, found != NULL);
}

static void ignore(int signal) { (void)signal; }

/* The same, interrupted all the time. */
static void interrupted(void) {
    struct sigaction action = {.sa_handler = ignore};
    NEED(sigaction(SIGALRM, &action, NULL) == 0);
    struct itimerval often = {{0, 1000}, {0, 1000}};
    NEED(setitimer(ITIMER_REAL, &often, NULL) == 0);
    once();
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

typedef enum nss_status by_name(const char *, struct passwd *, char *, size_t, int *);

/* Nanoseconds per call of each kind: the median of batches that take about a fifth of a second together. */
static void speed(int users) {
    enum { BATCHES = 101, LONGEST = 2000 };
    char buffer[16384];
    struct passwd user, *found;
    struct group group, *found_group;
    struct stat file;
    double start, times[BATCHES];
    int calls;
#define MEASURE(what, call)                                                                                 \
    do {                                                                                                    \
        start = now();                                                                                      \
        for (calls = 0; calls < LONGEST && now() - start < 0.002; calls++) { int i = calls; (void)i; call; }\
        for (int batch = 0; batch < BATCHES; batch++) {                                                     \
            start = now();                                                                                  \
            for (int i = 0; i < calls; i++) call;                                                           \
            times[batch] = (now() - start) / calls * 1e9;                                                   \
        }                                                                                                   \
        qsort(times, BATCHES, sizeof *times, ascending);                                                    \
        printf("%-32s %9.0f ns\n", what, times[BATCHES / 2]);                                               \
    } while (0)
    start = now();
    NEED(getpwnam_r("user77", &user, buffer, sizeof buffer, &found) == 0 && found);
    printf("%-32s %9.0f ns\n", "the first look-up of a process", (now() - start) * 1e9);
    static char names[4096][16];
    for (int i = 0; i < 4096; i++) snprintf(names[i], 16, "user%d", (int)((long)i * 7919 % users));
    MEASURE("getpwnam_r, one user", getpwnam_r("user77", &user, buffer, sizeof buffer, &found));
    NEED(found);
    MEASURE("getpwnam_r, many users", getpwnam_r(names[i % 4096], &user, buffer, sizeof buffer, &found));
    NEED(found);
    MEASURE("getpwuid_r, many users", getpwuid_r((long)(i % 4096) * 7919 % users, &user, buffer, sizeof buffer, &found));
    NEED(found);
    MEASURE("getpwnam_r, miss", getpwnam_r("nobody-is-called-so", &user, buffer, sizeof buffer, &found));
    NEED(!found);
    MEASURE("getgrnam_r, 10 members", getgrnam_r("group1", &group, buffer, sizeof buffer, &found_group));
    NEED(found_group);
    MEASURE("getgrgid_r, 10 members", getgrgid_r(10001, &group, buffer, sizeof buffer, &found_group));
    NEED(found_group);
    gid_t gids[256];
    int count;
    MEASURE("getgrouplist, 100 groups", (count = 256, getgrouplist("busy", 1, gids, &count)));
    NEED(count >= 100);
    void *module = dlopen("libnss_netinfo.so.2", RTLD_NOW);
    NEED(module);
    by_name *direct = (by_name *)dlsym(module, "_nss_netinfo_getpwnam_r");
    int error;
    MEASURE("the module alone, many users", direct(names[i % 4096], &user, buffer, sizeof buffer, &error));
    MEASURE("the module alone, miss", direct("nobody-is-called-so", &user, buffer, sizeof buffer, &error));
    MEASURE("stat of /etc/nsswitch.conf", stat("/etc/nsswitch.conf", &file));
}

int main(int argc, char **argv) {
    if (argc < 2) return 2;
    report = fcntl(2, F_DUPFD_CLOEXEC, 200);
    alarm(60);
    double seconds = argc > 2 ? atof(argv[2]) : 1;
    if (!strcmp(argv[1], "threads")) threads(seconds);
    else if (!strcmp(argv[1], "forks")) forks(seconds);
    else if (!strcmp(argv[1], "small")) small();
    else if (!strcmp(argv[1], "descriptors")) descriptors();
    else if (!strcmp(argv[1], "alone")) alone();
    else if (!strcmp(argv[1], "once")) once();
    else if (!strcmp(argv[1], "interrupted")) interrupted();
    else if (!strcmp(argv[1], "speed")) speed((int)seconds);
    else return 2;
    return 0;
}
