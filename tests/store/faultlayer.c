/* Records what a process does to the files below FAULTLAYER_ROOT, in order, with the bytes.
 *
 * Loaded with LD_PRELOAD by test_durability.py. Every change of data, size or name and every sync is one entry of
 * FAULTLAYER_LOG; what the process writes to its standard output is an entry too, so the log knows which
 * acknowledgement came after which sync. One mutex is held over the call and its entry: the log's order is the order
 * in which it happened. A way to change a file that is not modelled here is logged as '?', and the test fails on it.
 *
 * Entry: u8 kind, u32 file, u64 offset, u32 length, length bytes. Little endian, as the machine has it.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#define MAX_FD 4096
#define REAL(name) ((__typeof__(&name))next(#name))

static pthread_mutex_t gate = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static char root[PATH_MAX];
static size_t root_length;
static int log_fd = -1;
static uint32_t file_of_fd[MAX_FD]; /* 0: not ours; else inode number */
static unsigned char append_fd[MAX_FD];
static char path_of_fd[MAX_FD][512];

static void *next(const char *name) {
    void *symbol = dlsym(RTLD_NEXT, name);
    if (!symbol) { fprintf(stderr, "faultlayer: no %s\n", name); abort(); }
    return symbol;
}

__attribute__((constructor)) static void begin(void) {
    const char *where = getenv("FAULTLAYER_ROOT"), *log = getenv("FAULTLAYER_LOG");
    if (!where || !log || !realpath(where, root)) return;
    root_length = strlen(root);
    log_fd = (int)syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    /* The process must not meet the log under a number that it closes or reuses. */
    if (log_fd >= 0) log_fd = (int)syscall(SYS_fcntl, log_fd, F_DUPFD_CLOEXEC, 3000);
}

static void put(const void *data, size_t size) {
    const char *at = data;
    while (size) {
        long done = syscall(SYS_write, log_fd, at, size);
        if (done < 0) { if (errno == EINTR) continue; abort(); }
        at += done; size -= (size_t)done;
    }
}

static void entry(char kind, uint32_t file, uint64_t offset, const void *data, size_t length) {
    if (log_fd < 0) return;
    int saved = errno;
    char head[17];
    uint32_t size = (uint32_t)length;
    head[0] = kind;
    memcpy(head + 1, &file, 4); memcpy(head + 5, &offset, 8); memcpy(head + 13, &size, 4);
    put(head, sizeof head);
    if (size) put(data, size);
    errno = saved;
}

/* The path relative to the root, or NULL for files that are not ours. */
static const char *ours(int folder, const char *path, char *buffer) {
    char joined[2 * PATH_MAX + 2], parent[PATH_MAX];
    if (log_fd < 0 || !path) return NULL;
    if (path[0] == '/' || folder == AT_FDCWD) snprintf(joined, sizeof joined, "%s", path);
    else {
        char link[64]; snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
        ssize_t n = readlink(link, parent, sizeof parent - 1);
        if (n < 0) return NULL;
        parent[n] = 0;
        snprintf(joined, sizeof joined, "%s/%s", parent, path);
    }
    char *slash = strrchr(joined, '/');
    const char *name = joined;
    char cut[2 * PATH_MAX + 2] = ".";
    if (slash) { name = slash + 1; snprintf(cut, sizeof cut, "%.*s", (int)(slash - joined), joined); if (!cut[0]) strcpy(cut, "/"); }
    if (!realpath(cut, parent)) return NULL;
    if (strncmp(parent, root, root_length) || (parent[root_length] && parent[root_length] != '/')) return NULL;
    if (parent[root_length]) snprintf(buffer, 2 * PATH_MAX, "%s/%s", parent + root_length + 1, name);
    else snprintf(buffer, 2 * PATH_MAX, "%s", name);
    return buffer;
}

static int tracked(int fd) { return fd >= 0 && fd < MAX_FD && file_of_fd[fd]; }

static void forget(int fd) { if (fd >= 0 && fd < MAX_FD) file_of_fd[fd] = 0; }

static int opened(int fd, int folder, const char *path, int flags, int existed) {
    char buffer[2 * PATH_MAX];
    struct stat status;
    forget(fd);
    if (fd < 0 || fd >= MAX_FD) return fd;
    const char *relative = ours(folder, path, buffer);
    if (fstat(fd, &status)) return fd;
    if (S_ISDIR(status.st_mode)) { /* a folder, opened to be synced */
        char full[PATH_MAX];
        if (log_fd < 0 || !realpath(path, full) || strncmp(full, root, root_length)) return fd;
        file_of_fd[fd] = (uint32_t)status.st_ino;
        snprintf(path_of_fd[fd], sizeof path_of_fd[fd], "/%s", full[root_length] ? full + root_length + 1 : "");
        return fd;
    }
    if (!relative || !S_ISREG(status.st_mode)) return fd;
    file_of_fd[fd] = (uint32_t)status.st_ino;
    append_fd[fd] = (flags & O_APPEND) != 0;
    snprintf(path_of_fd[fd], sizeof path_of_fd[fd], "%s", relative);
    if (!existed) entry('C', file_of_fd[fd], 0, relative, strlen(relative));
    else if (flags & O_TRUNC) entry('T', file_of_fd[fd], 0, NULL, 0);
    return fd;
}

static int open_any(const char *symbol, int folder, const char *path, int flags, mode_t mode) {
    (void)symbol;
    pthread_mutex_lock(&gate);
    struct stat status;
    int existed = fstatat(folder, path, &status, 0) == 0;
    int fd = (int)syscall(SYS_openat, folder, path, flags | O_LARGEFILE, mode);
    opened(fd, folder, path, flags, existed);
    pthread_mutex_unlock(&gate);
    return fd;
}

#define MODE_OF(last) mode_t mode = 0; if (flags & (O_CREAT | O_TMPFILE)) { va_list list; va_start(list, last); mode = va_arg(list, mode_t); va_end(list); }
int open(const char *path, int flags, ...) { MODE_OF(flags) return open_any("open", AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE_OF(flags) return open_any("open64", AT_FDCWD, path, flags, mode); }
int openat(int folder, const char *path, int flags, ...) { MODE_OF(flags) return open_any("openat", folder, path, flags, mode); }
int openat64(int folder, const char *path, int flags, ...) { MODE_OF(flags) return open_any("openat64", folder, path, flags, mode); }
int creat(const char *path, mode_t mode) { return open_any("creat", AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }
int creat64(const char *path, mode_t mode) { return open_any("creat", AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }

int close(int fd) {
    pthread_mutex_lock(&gate);
    forget(fd);
    int result = (int)syscall(SYS_close, fd);
    pthread_mutex_unlock(&gate);
    return result;
}

ssize_t write(int fd, const void *data, size_t size) {
    pthread_mutex_lock(&gate);
    uint64_t at = 0;
    if (tracked(fd)) at = (uint64_t)lseek(fd, 0, append_fd[fd] ? SEEK_END : SEEK_CUR);
    ssize_t done = (ssize_t)syscall(SYS_write, fd, data, size);
    if (done > 0 && tracked(fd)) entry('W', file_of_fd[fd], at, data, (size_t)done);
    if (done > 0 && fd == 1) entry('A', 0, 0, data, (size_t)done);
    pthread_mutex_unlock(&gate);
    return done;
}

static ssize_t write_at(int fd, const void *data, size_t size, off_t at) {
    pthread_mutex_lock(&gate);
    ssize_t done = (ssize_t)syscall(SYS_pwrite64, fd, data, size, at);
    if (done > 0 && tracked(fd)) entry('W', file_of_fd[fd], (uint64_t)at, data, (size_t)done);
    pthread_mutex_unlock(&gate);
    return done;
}
ssize_t pwrite(int fd, const void *data, size_t size, off_t at) { return write_at(fd, data, size, at); }
ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at) { return write_at(fd, data, size, at); }

static void vector_entries(int fd, const struct iovec *parts, int count, uint64_t at, ssize_t done) {
    for (int i = 0; i < count && done > 0; i++) {
        size_t size = parts[i].iov_len < (size_t)done ? parts[i].iov_len : (size_t)done;
        entry(tracked(fd) ? 'W' : 'A', tracked(fd) ? file_of_fd[fd] : 0, at, parts[i].iov_base, size);
        at += size; done -= (ssize_t)size;
    }
}
ssize_t writev(int fd, const struct iovec *parts, int count) {
    pthread_mutex_lock(&gate);
    uint64_t at = 0;
    if (tracked(fd)) at = (uint64_t)lseek(fd, 0, append_fd[fd] ? SEEK_END : SEEK_CUR);
    ssize_t done = (ssize_t)syscall(SYS_writev, fd, parts, count);
    if (tracked(fd) || fd == 1) vector_entries(fd, parts, count, at, done);
    pthread_mutex_unlock(&gate);
    return done;
}
static ssize_t write_vector_at(int fd, const struct iovec *parts, int count, off_t at) {
    pthread_mutex_lock(&gate);
    ssize_t done = (ssize_t)syscall(SYS_pwritev, fd, parts, count, at, 0);
    if (tracked(fd)) vector_entries(fd, parts, count, (uint64_t)at, done);
    pthread_mutex_unlock(&gate);
    return done;
}
ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t at) { return write_vector_at(fd, parts, count, at); }
ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t at) { return write_vector_at(fd, parts, count, at); }

static int truncate_fd(int fd, off_t size) {
    pthread_mutex_lock(&gate);
    int result = (int)syscall(SYS_ftruncate, fd, size);
    if (!result && tracked(fd)) entry('T', file_of_fd[fd], (uint64_t)size, NULL, 0);
    pthread_mutex_unlock(&gate);
    return result;
}
int ftruncate(int fd, off_t size) { return truncate_fd(fd, size); }
int ftruncate64(int fd, off64_t size) { return truncate_fd(fd, size); }

static int sync_fd(int fd, long call) {
    pthread_mutex_lock(&gate);
    int result = (int)syscall(call, fd);
    if (!result && tracked(fd)) {
        const char *path = path_of_fd[fd];
        if (path[0] == '/') entry('D', file_of_fd[fd], 0, path + 1, strlen(path + 1)); /* a folder's names */
        else entry('S', file_of_fd[fd], 0, NULL, 0);
    }
    pthread_mutex_unlock(&gate);
    return result;
}
int fsync(int fd) { return sync_fd(fd, SYS_fsync); }
int fdatasync(int fd) { return sync_fd(fd, SYS_fdatasync); }

static int rename_any(int from_folder, const char *from, int to_folder, const char *to) {
    char a[2 * PATH_MAX], b[2 * PATH_MAX], both[4 * PATH_MAX + 2];
    pthread_mutex_lock(&gate);
    const char *source = ours(from_folder, from, a), *target = ours(to_folder, to, b);
    int result = (int)syscall(SYS_renameat2, from_folder, from, to_folder, to, 0);
    if (!result && (source || target)) {
        int n = snprintf(both, sizeof both, "%s%c%s", source ? source : "", '\n', target ? target : "");
        entry(source && target ? 'R' : '?', 0, 0, both, (size_t)n);
    }
    pthread_mutex_unlock(&gate);
    return result;
}
int rename(const char *from, const char *to) { return rename_any(AT_FDCWD, from, AT_FDCWD, to); }
int renameat(int ff, const char *from, int tf, const char *to) { return rename_any(ff, from, tf, to); }

static int remove_any(int folder, const char *path, int flags) {
    char buffer[2 * PATH_MAX];
    pthread_mutex_lock(&gate);
    const char *relative = ours(folder, path, buffer);
    int result = (int)syscall(SYS_unlinkat, folder, path, flags);
    if (!result && relative) entry(flags & AT_REMOVEDIR ? 'r' : 'U', 0, 0, relative, strlen(relative));
    pthread_mutex_unlock(&gate);
    return result;
}
int unlink(const char *path) { return remove_any(AT_FDCWD, path, 0); }
int unlinkat(int folder, const char *path, int flags) { return remove_any(folder, path, flags); }
int rmdir(const char *path) { return remove_any(AT_FDCWD, path, AT_REMOVEDIR); }

static int make_folder(int folder, const char *path, mode_t mode) {
    char buffer[2 * PATH_MAX];
    pthread_mutex_lock(&gate);
    int result = (int)syscall(SYS_mkdirat, folder, path, mode);
    const char *relative = ours(folder, path, buffer);
    if (!result && relative) entry('M', 0, 0, relative, strlen(relative));
    pthread_mutex_unlock(&gate);
    return result;
}
int mkdir(const char *path, mode_t mode) { return make_folder(AT_FDCWD, path, mode); }
int mkdirat(int folder, const char *path, mode_t mode) { return make_folder(folder, path, mode); }

/* What is not modelled must not pass unseen. The shared-memory index of SQLite is rebuilt after a crash. */
static int is_index(int fd) {
    size_t n = tracked(fd) ? strlen(path_of_fd[fd]) : 0;
    return n > 4 && !strcmp(path_of_fd[fd] + n - 4, "-shm");
}
static void unknown(int fd, const char *what) { if (tracked(fd) && !is_index(fd)) entry('?', file_of_fd[fd], 0, what, strlen(what)); }

static void *map_any(void *address, size_t size, int protection, int flags, int fd, off_t at) {
    if ((flags & MAP_SHARED) && (protection & PROT_WRITE)) { pthread_mutex_lock(&gate); unknown(fd, "mmap"); pthread_mutex_unlock(&gate); }
    return (void *)syscall(SYS_mmap, address, size, protection, flags, fd, at);
}
void *mmap(void *a, size_t n, int p, int f, int fd, off_t at) { return map_any(a, n, p, f, fd, at); }
void *mmap64(void *a, size_t n, int p, int f, int fd, off64_t at) { return map_any(a, n, p, f, fd, at); }

#define NOT_MODELLED(fd, what) do { pthread_mutex_lock(&gate); unknown(fd, what); pthread_mutex_unlock(&gate); } while (0)
int fallocate(int fd, int mode, off_t at, off_t n) { NOT_MODELLED(fd, "fallocate"); return REAL(fallocate)(fd, mode, at, n); }
int fallocate64(int fd, int mode, off64_t at, off64_t n) { NOT_MODELLED(fd, "fallocate"); return REAL(fallocate64)(fd, mode, at, n); }
int posix_fallocate(int fd, off_t at, off_t n) { NOT_MODELLED(fd, "posix_fallocate"); return REAL(posix_fallocate)(fd, at, n); }
int posix_fallocate64(int fd, off64_t at, off64_t n) { NOT_MODELLED(fd, "posix_fallocate"); return REAL(posix_fallocate64)(fd, at, n); }
ssize_t copy_file_range(int in, off64_t *a, int out, off64_t *b, size_t n, unsigned f) { NOT_MODELLED(out, "copy_file_range"); return REAL(copy_file_range)(in, a, out, b, n, f); }
ssize_t sendfile(int out, int in, off_t *at, size_t n) { NOT_MODELLED(out, "sendfile"); return REAL(sendfile)(out, in, at, n); }
ssize_t sendfile64(int out, int in, off64_t *at, size_t n) { NOT_MODELLED(out, "sendfile"); return REAL(sendfile64)(out, in, at, n); }
int dup(int fd) { NOT_MODELLED(fd, "dup"); return REAL(dup)(fd); }
int truncate(const char *path, off_t n) { char b[2 * PATH_MAX]; if (ours(AT_FDCWD, path, b)) entry('?', 0, 0, "truncate", 8); return REAL(truncate)(path, n); }
int link(const char *a, const char *b) { char c[2 * PATH_MAX]; if (ours(AT_FDCWD, b, c)) entry('?', 0, 0, "link", 4); return REAL(link)(a, b); }
int symlink(const char *a, const char *b) { char c[2 * PATH_MAX]; if (ours(AT_FDCWD, b, c)) entry('?', 0, 0, "symlink", 7); return REAL(symlink)(a, b); }
FILE *fopen(const char *path, const char *mode) { char c[2 * PATH_MAX]; if (mode[0] != 'r' && ours(AT_FDCWD, path, c)) entry('?', 0, 0, "fopen", 5); return REAL(fopen)(path, mode); }
