extension PreloadedLibrary {
  /// Every change under the folder `SHIM_ROOT` fails with EROFS while the file `SHIM_CONTROL` is there: as when a kernel has made a disk
  /// read-only under those who have files of it open for writing, which a remount by hand is refused for.
  static func readOnly() throws -> String { try library("read-only", readOnlySource) }

  private static let readOnlySource = #"""
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
    #include <unistd.h>

    #define REAL(result, name, ...) ((result (*)(__VA_ARGS__))dlsym(RTLD_NEXT, name))

    static int refused(const char *path) {
      const char *root = getenv("SHIM_ROOT"), *control = getenv("SHIM_CONTROL");
      if (!root || !control || strncmp(path, root, strlen(root)) != 0 || access(control, F_OK) != 0) return 0;
      errno = EROFS;
      return 1;
    }
    static int refused_fd(int fd) {
      char link[64], path[PATH_MAX];
      snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
      ssize_t length = readlink(link, path, sizeof path - 1);
      if (length < 0) return 0;
      path[length] = 0;
      return refused(path);
    }
    static int opened(const char *name, const char *path, int flags, mode_t mode) {
      if ((flags & (O_WRONLY | O_RDWR | O_CREAT | O_TRUNC)) && refused(path)) return -1;
      return REAL(int, name, const char *, int, ...)(path, flags, mode);
    }
    static mode_t mode_of(int flags, va_list list) { return flags & (O_CREAT | O_TMPFILE) ? va_arg(list, mode_t) : 0; }
    int open(const char *path, int flags, ...) {
      va_list list;
      va_start(list, flags);
      mode_t mode = mode_of(flags, list);
      va_end(list);
      return opened("open", path, flags, mode);
    }
    int open64(const char *path, int flags, ...) {
      va_list list;
      va_start(list, flags);
      mode_t mode = mode_of(flags, list);
      va_end(list);
      return opened("open64", path, flags, mode);
    }
    ssize_t write(int fd, const void *bytes, size_t count) {
      if (refused_fd(fd)) return -1;
      return REAL(ssize_t, "write", int, const void *, size_t)(fd, bytes, count);
    }
    ssize_t pwrite(int fd, const void *bytes, size_t count, off_t offset) {
      if (refused_fd(fd)) return -1;
      return REAL(ssize_t, "pwrite", int, const void *, size_t, off_t)(fd, bytes, count, offset);
    }
    ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t offset) { return pwrite(fd, bytes, count, offset); }
    int ftruncate(int fd, off_t length) {
      if (refused_fd(fd)) return -1;
      return REAL(int, "ftruncate", int, off_t)(fd, length);
    }
    int ftruncate64(int fd, off64_t length) { return ftruncate(fd, length); }
    int rename(const char *old, const char *new) {
      if (refused(new)) return -1;
      return REAL(int, "rename", const char *, const char *)(old, new);
    }
    int link(const char *old, const char *new) {
      if (refused(new)) return -1;
      return REAL(int, "link", const char *, const char *)(old, new);
    }
    int unlink(const char *path) {
      if (refused(path)) return -1;
      return REAL(int, "unlink", const char *)(path);
    }
    int mkdir(const char *path, mode_t mode) {
      if (refused(path)) return -1;
      return REAL(int, "mkdir", const char *, mode_t)(path, mode);
    }
    """#
}
