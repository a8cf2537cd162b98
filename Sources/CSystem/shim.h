// The calls of Linux that Foundation does not import. Declarations and `static inline` shims over macros; no logic.
#pragma once
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <spawn.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

// glibc declares these under _GNU_SOURCE alone. Defining it here would make types differ from those of the other modules.
int accept4(int fd, struct sockaddr *address, socklen_t *length, int flags);
int pipe2(int fds[2], int flags);
int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *actions, int from);

static inline int fount_pidfd_open(pid_t pid) { return (int)syscall(SYS_pidfd_open, pid, 0); }
static inline int fount_niceness(void) { return getpriority(PRIO_PROCESS, 0); }
static inline int fount_set_group_niceness(pid_t group, int niceness) { return setpriority(PRIO_PGRP, (id_t)group, niceness); }
