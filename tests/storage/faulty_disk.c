// SPDX-License-Identifier: Apache-2.0
//
// A disk whose syncs fail or never return, for a process started with
// LD_PRELOAD. Only files below FAULTY_DISK_FOLDER are touched. The state is
// shared memory, the file FAULTY_DISK_CONTROL, so that a test can turn the
// fault on and off while the process runs.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { HEALTHY = 0, FAILING = 1, HANGING = 2 };

struct control {
    atomic_int mode;
    atomic_int syncs;   // begun, whatever became of them
    atomic_int hanging; // begun and not yet returned because of HANGING
};

static struct control *control;
static char folder[PATH_MAX];
static int (*real_fsync)(int);
static int (*real_fdatasync)(int);

__attribute__((constructor)) static void start(void) {
    real_fsync = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
    real_fdatasync = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    const char *wanted = getenv("FAULTY_DISK_FOLDER");
    const char *path = getenv("FAULTY_DISK_CONTROL");
    if (wanted == NULL || path == NULL || realpath(wanted, folder) == NULL) return;
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0) return;
    void *memory = mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (memory != MAP_FAILED) control = memory;
}

static int concerned(int fd) {
    if (control == NULL) return 0;
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = '\0';
    size_t prefix = strlen(folder);
    return strncmp(path, folder, prefix) == 0 && (path[prefix] == '/' || path[prefix] == '\0');
}

static int sync_file(int fd, int (*real)(int)) {
    if (!concerned(fd)) return real(fd);
    atomic_fetch_add(&control->syncs, 1);
    if (atomic_load(&control->mode) == HANGING) {
        const struct timespec millisecond = {0, 1000000};
        atomic_fetch_add(&control->hanging, 1);
        while (atomic_load(&control->mode) == HANGING) nanosleep(&millisecond, NULL);
        atomic_fetch_sub(&control->hanging, 1);
    }
    if (atomic_load(&control->mode) == FAILING) {
        errno = EIO;
        return -1;
    }
    return real(fd);
}

int fsync(int fd) { return sync_file(fd, real_fsync); }

int fdatasync(int fd) { return sync_file(fd, real_fdatasync); }
