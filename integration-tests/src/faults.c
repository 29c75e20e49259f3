/* Makes a disk fail for one program (LD_PRELOAD): while the file that FAULTS names holds the number of an
 * error, calls that write to a file whose path ends in ".redb" fail with it; with an "s" before the number,
 * only those that make what was written durable do. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

static int fault(int fd, int syncs) {
    char text[16] = {0}, link[64], path[4096];
    const char *name = getenv("FAULTS");
    int file = name ? syscall(SYS_openat, AT_FDCWD, name, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0)
        return 0;
    ssize_t len = syscall(SYS_read, file, text, sizeof text - 1);
    syscall(SYS_close, file);
    const char *number = text[0] == 's' ? text + 1 : text;
    if (len <= 0 || (text[0] == 's' && !syncs))
        return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t octets = readlink(link, path, sizeof path);
    if (octets < 5 || memcmp(path + octets - 5, ".redb", 5) != 0)
        return 0;
    errno = atoi(number);
    return 1;
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t pwrite64(int fd, const void *octets, size_t count, off64_t at) {
    return fault(fd, 0) ? -1 : NEXT(pwrite64)(fd, octets, count, at);
}

ssize_t write(int fd, const void *octets, size_t count) {
    return fault(fd, 0) ? -1 : NEXT(write)(fd, octets, count);
}

int ftruncate64(int fd, off64_t length) {
    return fault(fd, 0) ? -1 : NEXT(ftruncate64)(fd, length);
}

int fsync(int fd) {
    return fault(fd, 1) ? -1 : NEXT(fsync)(fd);
}

int fdatasync(int fd) {
    return fault(fd, 1) ? -1 : NEXT(fdatasync)(fd);
}
