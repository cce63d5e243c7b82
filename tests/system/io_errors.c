/* Preloaded into a keeper, it has a disk fail: what the keeper does with some of its files ends with EIO.
 *
 * Which files and what, the links in the directory $PILOTLIGHT_TEST_EIO say: one that is called `read`, `write` or
 * `sync` points to what is in the names of the files with which that fails. It is looked at each time, so a test breaks
 * the disk and mends it while the keeper runs. Once it has failed, there is a directory `read.met`, and so on. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static int fails(const char *act, int fd) {
    char link[PATH_MAX], broken[NAME_MAX + 1], path[PATH_MAX];
    const char *dir = getenv("PILOTLIGHT_TEST_EIO");
    if (!dir) return 0;
    snprintf(link, sizeof link, "%s/%s", dir, act);
    ssize_t size = readlink(link, broken, sizeof broken - 1);
    if (size <= 0) return 0;
    broken[size] = 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    size = readlink(link, path, sizeof path - 1);
    if (size <= 0) return 0;
    path[size] = 0;
    const char *name = strrchr(path, '/');
    if (!name || !strstr(name, broken)) return 0;
    snprintf(link, sizeof link, "%s/%s.met", dir, act);
    mkdir(link, 0700);
    return 1;
}

#define FAILS(act, type, name, parameters, ...)                       \
    type name parameters {                                            \
        static type(*real) parameters;                                \
        if (!real) real = (type(*) parameters)dlsym(RTLD_NEXT, #name); \
        if (fails(act, fd)) {                                         \
            errno = EIO;                                              \
            return -1;                                                \
        }                                                             \
        return real(__VA_ARGS__);                                     \
    }

FAILS("read", ssize_t, read, (int fd, void *to, size_t size), fd, to, size)
FAILS("read", ssize_t, readv, (int fd, const struct iovec *to, int count), fd, to, count)
FAILS("read", ssize_t, pread, (int fd, void *to, size_t size, off_t at), fd, to, size, at)
FAILS("read", ssize_t, pread64, (int fd, void *to, size_t size, off64_t at), fd, to, size, at)
FAILS("write", ssize_t, write, (int fd, const void *from, size_t size), fd, from, size)
FAILS("write", ssize_t, writev, (int fd, const struct iovec *from, int count), fd, from, count)
FAILS("write", ssize_t, pwrite, (int fd, const void *from, size_t size, off_t at), fd, from, size, at)
FAILS("write", ssize_t, pwrite64, (int fd, const void *from, size_t size, off64_t at), fd, from, size, at)
FAILS("sync", int, fsync, (int fd), fd)
FAILS("sync", int, fdatasync, (int fd), fd)
