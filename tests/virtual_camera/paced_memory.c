/* What the virtual camera needs of a kernel that has no DMA-BUF heaps, and of a sensor that sets the pace.
 *
 * libcamera's "virtual" pipeline takes its memory from /dev/dma_heap and makes pictures as fast as it is asked for them.
 * Preloaded, this gives it memory files for buffers, lets it make 30 pictures a second, as a sensor does, and none at
 * all while FROZEN exists. The pace is kept where the pipeline maps the buffer of a picture's largest stream; two
 * streams of one size share it, so the door, which has two, gets 15 a second. A frozen camera cannot be stopped: who
 * closes it waits until it thaws.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define FROZEN "/tmp/the-camera-is-frozen"
#define HEAP "virtual-heap"
#define BUFFER "virtual-buffer"
#define PERIOD_NS (1000000000LL / 30)
#define LATE_NS 200000000LL /* further behind than this, the sensor begins anew instead of hurrying after */

struct allocation { /* linux/dma-heap.h */
    uint64_t len;
    uint32_t fd, fd_flags;
    uint64_t heap_flags;
};
#define ALLOCATE _IOWR('H', 0, struct allocation)

static void *next_of(const char *name) { return dlsym(RTLD_NEXT, name); }

static int is_named(int fd, const char *name) {
    char link[64], target[64], wanted[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, target, sizeof target - 1);
    if (length < 0) return 0;
    target[length] = 0;
    snprintf(wanted, sizeof wanted, "/memfd:%s", name);
    return strncmp(target, wanted, strlen(wanted)) == 0;
}

static int opened(const char *name, const char *path, int flags, mode_t mode) {
    int (*real)(const char *, int, ...) = next_of(name);
    if (path && strncmp(path, "/dev/dma_heap/", 14) == 0) return memfd_create(HEAP, MFD_CLOEXEC);
    return real(path, flags, mode);
}

#define MODE_OF(flags, mode)               \
    mode_t mode = 0;                       \
    if (flags & (O_CREAT | O_TMPFILE)) {   \
        va_list more;                      \
        va_start(more, flags);             \
        mode = va_arg(more, mode_t);       \
        va_end(more);                      \
    }

int open(const char *path, int flags, ...) {
    MODE_OF(flags, mode)
    return opened("open", path, flags, mode);
}

int open64(const char *path, int flags, ...) {
    MODE_OF(flags, mode)
    return opened("open64", path, flags, mode);
}

int __open_2(const char *path, int flags) { return opened("open", path, flags, 0); }
int __open64_2(const char *path, int flags) { return opened("open64", path, flags, 0); }

int ioctl(int fd, unsigned long request, ...) {
    int (*real)(int, unsigned long, ...) = next_of("ioctl");
    va_list more;
    va_start(more, request);
    void *argument = va_arg(more, void *);
    va_end(more);
    if ((uint32_t)request == (uint32_t)ALLOCATE && is_named(fd, HEAP)) {
        struct allocation *wanted = argument;
        int made = memfd_create(BUFFER, MFD_CLOEXEC);
        if (made < 0) return -1;
        if (ftruncate(made, (off_t)wanted->len) < 0) {
            close(made);
            return -1;
        }
        wanted->fd = (uint32_t)made;
        return 0;
    }
    if (_IOC_TYPE(request) == 'b' && is_named(fd, BUFFER)) return 0; /* DMA_BUF_IOCTL_SYNC, ..._SET_NAME */
    return real(fd, request, argument);
}

static int is_sensor(void) {
    static __thread int known = -1;
    char name[16];
    if (known < 0) known = pthread_getname_np(pthread_self(), name, sizeof name) == 0 && strncmp(name, "VirtualCamera", 13) == 0;
    return known;
}

static void wait_for_next_picture(size_t len) { /* one thread only calls this */
    static size_t largest;
    static long long due_ns;
    struct timespec at;
    while (access(FROZEN, F_OK) == 0) usleep(20000);
    if (len < largest) return; /* a smaller stream of the same picture */
    largest = len;
    clock_gettime(CLOCK_MONOTONIC, &at);
    long long now_ns = at.tv_sec * 1000000000LL + at.tv_nsec;
    if (due_ns < now_ns - LATE_NS) due_ns = now_ns;
    at.tv_sec = due_ns / 1000000000LL;
    at.tv_nsec = due_ns % 1000000000LL;
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
    due_ns += PERIOD_NS;
}

static void *mapped(const char *name, void *at, size_t len, int protection, int flags, int fd, off_t offset) {
    void *(*real)(void *, size_t, int, int, int, off_t) = next_of(name);
    if (fd >= 0 && (flags & MAP_SHARED) && is_sensor() && is_named(fd, BUFFER)) wait_for_next_picture(len);
    return real(at, len, protection, flags, fd, offset);
}

void *mmap(void *at, size_t len, int protection, int flags, int fd, off_t offset) {
    return mapped("mmap", at, len, protection, flags, fd, offset);
}

void *mmap64(void *at, size_t len, int protection, int flags, int fd, off_t offset) {
    return mapped("mmap64", at, len, protection, flags, fd, offset);
}
