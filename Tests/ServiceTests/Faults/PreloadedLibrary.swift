import Foundation
import Testing

/// Libraries that a test preloads into a server and its children, to make disks and clocks do what real ones do.
enum PreloadedLibrary {
  /// Compiles a library with the C compiler that Swift itself needs, once a process.
  static func library(_ name: String, _ source: String) throws -> String {
    let path = "\(NSTemporaryDirectory())fount-\(name)-\(getpid()).so"
    if FileManager.default.fileExists(atPath: path) { return path }
    let file = "\(NSTemporaryDirectory())fount-\(name)-\(UUID().uuidString).c"
    try source.write(toFile: file, atomically: true, encoding: .utf8)
    defer { try? FileManager.default.removeItem(atPath: file) }  // A leftover harms nothing.
    let built = "\(path)-\(UUID().uuidString)"
    let compiled = try Program.run("/usr/bin/cc", ["-shared", "-fPIC", "-O1", "-Wall", "-o", built, file, "-ldl"])
    try #require(compiled.status == 0, "\(compiled.errors)")
    // Two suites may build it at once; the name changes whole.
    rename(built, path)
    return path
  }

  /// fsync and fdatasync fail with EIO for every file whose path contains what the control file says; nothing where there is none.
  static func failingSync() throws -> String { try library("failing-sync", failingSyncSource) }

  /// Writes a journal of every change under a folder, and of every sync, from which `PowerCut` takes back what was never synced.
  static func journal() throws -> String { try library("journal", journalSource) }

  /// The time of day is off by as many seconds as the file `SHIM_CLOCK` says. As on a machine whose clock is set, the other clocks and all
  /// timers go on.
  static func clock() throws -> String { try library("clock", clockSource) }

  private static let clockSource = #"""
    #define _GNU_SOURCE
    #include <dlfcn.h>
    #include <fcntl.h>
    #include <stdlib.h>
    #include <sys/time.h>
    #include <time.h>
    #include <unistd.h>

    static long offset(void) {
      const char *name = getenv("SHIM_CLOCK");
      char text[32] = "";
      int file = name ? open(name, O_RDONLY | O_CLOEXEC) : -1;
      if (file < 0) return 0;
      ssize_t count = read(file, text, sizeof text - 1);
      close(file);
      return count > 0 ? strtol(text, NULL, 10) : 0;
    }
    int clock_gettime(clockid_t clock, struct timespec *now) {
      static int (*real)(clockid_t, struct timespec *);
      if (!real) real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
      int result = real(clock, now);
      if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += offset();
      return result;
    }
    int gettimeofday(struct timeval *now, void *zone) {
      struct timespec exact;
      int result = clock_gettime(CLOCK_REALTIME, &exact);
      now->tv_sec = exact.tv_sec;
      now->tv_usec = exact.tv_nsec / 1000;
      return result;
    }
    time_t time(time_t *out) {
      struct timespec exact;
      clock_gettime(CLOCK_REALTIME, &exact);
      if (out) *out = exact.tv_sec;
      return exact.tv_sec;
    }
    """#

  private static let failingSyncSource = #"""
    #define _GNU_SOURCE
    #include <dlfcn.h>
    #include <errno.h>
    #include <fcntl.h>
    #include <stdio.h>
    #include <stdlib.h>
    #include <string.h>
    #include <unistd.h>

    static int fails(int fd) {
      const char *control = getenv("SHIM_CONTROL");
      char wanted[512] = "", link[64], path[4096];
      int file = control ? open(control, O_RDONLY | O_CLOEXEC) : -1;
      if (file < 0) return 0;
      ssize_t count = read(file, wanted, sizeof wanted - 1);
      close(file);
      if (count <= 0) return 0;
      wanted[count] = 0;
      snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
      ssize_t length = readlink(link, path, sizeof path - 1);
      if (length < 0) return 0;
      path[length] = 0;
      return strstr(path, wanted) != NULL;
    }

    static int sync_or_fail(const char *name, int fd) {
      if (fails(fd)) { errno = EIO; return -1; }
      int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
      return real(fd);
    }
    int fsync(int fd) { return sync_or_fail("fsync", fd); }
    int fdatasync(int fd) { return sync_or_fail("fdatasync", fd); }
    """#

  /// Records, each whole in one append: `W path offset oldsize count` and the old bytes; `T path oldsize count` and the bytes cut off;
  /// `S path` a file synced; `F path` a folder synced; `C path` made; `R old new saved`; `U path saved`; `K path` a folder made.
  private static let journalSource = #"""
    #define _GNU_SOURCE
    #include <dlfcn.h>
    #include <errno.h>
    #include <fcntl.h>
    #include <limits.h>
    #include <stdarg.h>
    #include <stdio.h>
    #include <stdlib.h>
    #include <string.h>
    #include <sys/stat.h>
    #include <sys/types.h>
    #include <time.h>
    #include <unistd.h>

    #define REAL(type, name, ...) ((type (*)(__VA_ARGS__))dlsym(RTLD_NEXT, name))

    static const char *root(void) { return getenv("SHIM_ROOT"); }

    static int inside(const char *path) {
      const char *r = root();
      if (!r || !path || strncmp(path, r, strlen(r)) != 0) return 0;
      size_t length = strlen(path);
      // Rebuilt from the log at every start, or only for people.
      if (length > 4 && (!strcmp(path + length - 4, "-shm") || !strcmp(path + length - 4, ".log"))) return 0;
      return strchr(path, ' ') == NULL;
    }

    static int path_of(int fd, char *path) {
      char link[64];
      snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
      ssize_t length = readlink(link, path, PATH_MAX - 1);
      if (length < 0) return 0;
      path[length] = 0;
      return inside(path);
    }

    static void append(const char *head, const void *bytes, size_t count) {
      const char *name = getenv("SHIM_JOURNAL");
      if (!name) return;
      size_t length = strlen(head);
      char *record = malloc(length + 1 + count + 1);
      memcpy(record, head, length);
      record[length] = '\n';
      if (count) memcpy(record + length + 1, bytes, count);
      size_t total = length + 1 + count;
      if (count) record[total++] = '\n';
      int file = REAL(int, "open", const char *, int, ...)(name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
      if (file >= 0) {
        ssize_t done = REAL(ssize_t, "write", int, const void *, size_t)(file, record, total);
        (void)done;
        close(file);
      }
      free(record);
    }

    static void note(const char *format, ...) {
      char head[3 * PATH_MAX];
      va_list list;
      va_start(list, format);
      vsnprintf(head, sizeof head, format, list);
      va_end(list);
      append(head, NULL, 0);
    }

    static void before_write(int fd, off_t offset, size_t count) {
      char path[PATH_MAX], head[2 * PATH_MAX];
      struct stat status;
      if (!path_of(fd, path) || fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) return;
      if (fcntl(fd, F_GETFL) & O_APPEND) offset = status.st_size;
      size_t old = offset >= status.st_size ? 0 : (size_t)(status.st_size - offset);
      if (old > count) old = count;
      char *bytes = malloc(old + 1);
      int reader = old ? REAL(int, "open", const char *, int, ...)(path, O_RDONLY | O_CLOEXEC) : -1;
      ssize_t got = old ? pread(reader, bytes, old, offset) : 0;
      if (reader >= 0) close(reader);
      snprintf(head, sizeof head, "W %s %lld %lld %zd", path, (long long)offset, (long long)status.st_size, got);
      append(head, bytes, got > 0 ? (size_t)got : 0);
      free(bytes);
    }

    ssize_t write(int fd, const void *bytes, size_t count) {
      before_write(fd, lseek(fd, 0, SEEK_CUR), count);
      return REAL(ssize_t, "write", int, const void *, size_t)(fd, bytes, count);
    }
    ssize_t pwrite(int fd, const void *bytes, size_t count, off_t offset) {
      before_write(fd, offset, count);
      return REAL(ssize_t, "pwrite", int, const void *, size_t, off_t)(fd, bytes, count, offset);
    }
    ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t offset) { return pwrite(fd, bytes, count, offset); }

    int ftruncate(int fd, off_t length) {
      struct stat status;
      if (fstat(fd, &status) == 0 && length < status.st_size) before_write(fd, length, (size_t)(status.st_size - length));
      return REAL(int, "ftruncate", int, off_t)(fd, length);
    }
    int ftruncate64(int fd, off64_t length) { return ftruncate(fd, length); }

    static int is_forgotten(const char *path) {
      const char *word = getenv("SHIM_FORGET");
      return word && strstr(path, word) != NULL;
    }
    static int synced(int fd, int result) {
      char path[PATH_MAX];
      struct stat status;
      if (result == 0 && path_of(fd, path) && fstat(fd, &status) == 0 && !is_forgotten(path))
        note(S_ISDIR(status.st_mode) ? "F %s" : "S %s", path);
      return result;
    }
    int fsync(int fd) { return synced(fd, REAL(int, "fsync", int)(fd)); }
    int fdatasync(int fd) { return synced(fd, REAL(int, "fdatasync", int)(fd)); }

    static int opened(const char *name, const char *path, int flags, mode_t mode) {
      struct stat status;
      if ((flags & O_CREAT) && inside(path) && lstat(path, &status) != 0) note("C %s", path);
      return REAL(int, name, const char *, int, ...)(path, flags, mode);
    }
    int open(const char *path, int flags, ...) {
      va_list list;
      va_start(list, flags);
      mode_t mode = (flags & O_CREAT) ? va_arg(list, mode_t) : 0;
      va_end(list);
      return opened("open", path, flags, mode);
    }
    int open64(const char *path, int flags, ...) {
      va_list list;
      va_start(list, flags);
      mode_t mode = (flags & O_CREAT) ? va_arg(list, mode_t) : 0;
      va_end(list);
      return opened("open64", path, flags, mode);
    }

    // Keeps what a name stood for by a second name beside the journal.
    static void save(const char *path, char *saved) {
      static unsigned counter;
      struct timespec now;
      clock_gettime(CLOCK_MONOTONIC, &now);
      snprintf(saved, PATH_MAX, "%s.saved-%d-%ld-%u", getenv("SHIM_JOURNAL"), getpid(), now.tv_nsec, __sync_fetch_and_add(&counter, 1));
      if (REAL(int, "link", const char *, const char *)(path, saved) != 0) strcpy(saved, "-");
    }
    int rename(const char *old, const char *new) {
      if (inside(new)) {
        char saved[PATH_MAX];
        save(new, saved);
        note("R %s %s %s", old, new, saved);
      }
      return REAL(int, "rename", const char *, const char *)(old, new);
    }
    int link(const char *old, const char *new) {
      if (inside(new)) note("C %s", new);
      return REAL(int, "link", const char *, const char *)(old, new);
    }
    int unlink(const char *path) {
      if (inside(path)) {
        char saved[PATH_MAX];
        save(path, saved);
        note("U %s %s", path, saved);
      }
      return REAL(int, "unlink", const char *)(path);
    }
    int mkdir(const char *path, mode_t mode) {
      struct stat status;
      if (inside(path) && lstat(path, &status) != 0) note("K %s", path);
      return REAL(int, "mkdir", const char *, mode_t)(path, mode);
    }
    """#
}
