/* Preloaded into a keeper, it moves two of its clocks: the one that goes on while the machine sleeps, and the wall's. The
 * one that timers go by stays as it is, as it does in a sleep.
 *
 * By how many milliseconds each is moved, the two numbers of 64 bits in the file $PILOTLIGHT_TEST_CLOCKS say, at any
 * time. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { BOOT, WALL, CLOCKS };

static int64_t moved(int clock) {
    static volatile int64_t *by;
    if (!by) {
        const char *path = getenv("PILOTLIGHT_TEST_CLOCKS");
        int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
        if (fd < 0) return 0;
        void *map = mmap(NULL, CLOCKS * sizeof *by, PROT_READ, MAP_SHARED, fd, 0);
        close(fd);
        if (map == MAP_FAILED) return 0;
        by = map;
    }
    return by[clock];
}

int clock_gettime(clockid_t id, struct timespec *at) {
    if (syscall(SYS_clock_gettime, id, at)) return -1;
    int is_wall = id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE;
    if (!is_wall && id != CLOCK_BOOTTIME) return 0;
    int64_t by = moved(is_wall ? WALL : BOOT);
    int64_t nanos = at->tv_nsec + by % 1000 * 1000000;
    at->tv_sec += by / 1000 + (nanos >= 1000000000) - (nanos < 0);
    at->tv_nsec = (nanos + 1000000000) % 1000000000;
    return 0;
}

int gettimeofday(struct timeval *at, void *zone) {
    struct timespec exact;
    (void)zone;
    if (clock_gettime(CLOCK_REALTIME, &exact)) return -1;
    at->tv_sec = exact.tv_sec;
    at->tv_usec = exact.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *to) {
    struct timespec exact;
    if (clock_gettime(CLOCK_REALTIME, &exact)) return -1;
    if (to) *to = exact.tv_sec;
    return exact.tv_sec;
}
