/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Preloaded into a program and the processes that it starts, makes one system call of the library
 * fail, or all from one on: PROCFUN_INJECT=ROLE:CALL:NUMBER:ERRNO:once|onward. The role is that of
 * the process: caller, zygote, child or host. Calls of other libraries are left alone, but for
 * those that start a process. PROCFUN_INJECT_FILE is memory that tests/inject.py shares with all of
 * them. */

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <poll.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

/* In each, ANY says that other libraries' calls count, too. */
#define CALLS(CALL)                                                                                \
  CALL (open, 0)                                                                                   \
  CALL (openat, 0)                                                                                 \
  CALL (read, 0)                                                                                   \
  CALL (pread, 0)                                                                                  \
  CALL (write, 0)                                                                                  \
  CALL (pwrite, 0)                                                                                 \
  CALL (readlink, 0)                                                                               \
  CALL (socketpair, 0)                                                                             \
  CALL (pipe2, 0)                                                                                  \
  CALL (memfd_create, 0)                                                                           \
  CALL (eventfd, 0)                                                                                \
  CALL (signalfd, 0)                                                                               \
  CALL (dup2, 0)                                                                                   \
  CALL (dup3, 0)                                                                                   \
  CALL (fcntl, 0)                                                                                  \
  CALL (sendmsg, 0)                                                                                \
  CALL (send, 0)                                                                                   \
  CALL (recvmsg, 0)                                                                                \
  CALL (recv, 0)                                                                                   \
  CALL (poll, 0)                                                                                   \
  CALL (ppoll, 0)                                                                                  \
  CALL (mmap, 0)                                                                                   \
  CALL (mprotect, 0)                                                                               \
  CALL (madvise, 0)                                                                                \
  CALL (ftruncate, 0)                                                                              \
  CALL (fallocate, 0)                                                                              \
  CALL (fstat, 0)                                                                                  \
  CALL (stat, 0)                                                                                   \
  CALL (fork, 1)                                                                                   \
  CALL (posix_spawn, 1)                                                                            \
  CALL (posix_spawnp, 1)                                                                           \
  CALL (waitid, 0)                                                                                 \
  CALL (waitpid, 0)                                                                                \
  CALL (kill, 0)                                                                                   \
  CALL (prctl, 0)                                                                                  \
  CALL (setrlimit, 0)                                                                              \
  CALL (getrlimit, 0)                                                                              \
  CALL (getrusage, 0)                                                                              \
  CALL (setsid, 0)                                                                                 \
  CALL (setsockopt, 0)                                                                             \
  CALL (getsockopt, 0)                                                                             \
  CALL (sigaltstack, 0)                                                                            \
  CALL (syscall, 0)                                                                                \
  CALL (malloc, 1)

#define INDEX(name, any) CALL_##name,
enum
{
  CALLS (INDEX) N_CALLS
};

#define NAME(name, any) #name,
static const char *const names[] = { CALLS (NAME) };
#define IS_ANY(name, any) any,
static const char is_any[] = { CALLS (IS_ANY) };

/* Shared with inject.py, which knows this layout. */
typedef struct
{
  uint32_t is_active;
  uint32_t n_failed;
  struct
  {
    char name[24];
    uint32_t most; /* in one process of the role */
    uint32_t unused;
  } calls[N_CALLS];
} Shared;

static struct
{
  Shared *shared; /* NULL: nothing is injected */
  char role;      /* first letter of that which is meant */
  char own_role;
  int call; /* -1: all are only counted */
  unsigned number;
  int error;
  int onward;
  pid_t pid;   /* of the process whose calls are counted */
  pid_t first; /* that was executed */
  unsigned counts[N_CALLS];
  uintptr_t start, end; /* of the program's own code */
} self;

static int
find_program (struct dl_phdr_info *info, size_t size, void *unused)
{
  for (int i = 0; i < info->dlpi_phnum; i++)
    if (info->dlpi_phdr[i].p_type == PT_LOAD && (info->dlpi_phdr[i].p_flags & PF_X) != 0)
      {
        self.start = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
        self.end = self.start + info->dlpi_phdr[i].p_memsz;
      }
  return 1;
}

static char
find_role (void)
{
  char text[4096] = "";
  int fd = (int)syscall (SYS_openat, AT_FDCWD, "/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
  long n = syscall (SYS_read, fd, text, sizeof text - 1);
  const char *first = text + strlen (text) + 1;

  syscall (SYS_close, fd);
  if (n <= 0 || strncmp (first, "--procfun-", 10) != 0)
    return 'c';
  if (strcmp (first, "--procfun-serve=zygote") == 0)
    return 'z';
  if (strcmp (first, "--procfun-host") == 0)
    return 'h';
  return strncmp (first, "--procfun-serve=", 16) == 0 ? 'C' : 'n';
}

static int
read_plan (const char *plan)
{
  char role[8], call[24], how[8];

  if (plan == NULL
      || sscanf (plan, "%7[^:]:%23[^:]:%u:%d:%7s", role, call, &self.number, &self.error, how) != 5)
    return 0;
  self.role = strcmp (role, "child") == 0 ? 'C' : role[0];
  self.onward = strcmp (how, "onward") == 0;
  self.call = -1;
  for (int i = 0; i < N_CALLS; i++)
    if (strcmp (names[i], call) == 0)
      self.call = i;
  return 1;
}

static void begin (void) __attribute__ ((constructor));

static void
begin (void)
{
  const char *file = getenv ("PROCFUN_INJECT_FILE");
  int fd = -1;
  void *shared;

  if (file == NULL || !read_plan (getenv ("PROCFUN_INJECT")))
    return;
  fd = (int)syscall (SYS_openat, AT_FDCWD, file, O_RDWR | O_CLOEXEC);
  shared = (void *)syscall (SYS_mmap, NULL, sizeof (Shared), PROT_READ | PROT_WRITE, MAP_SHARED, fd,
                            0);
  syscall (SYS_close, fd);
  dl_iterate_phdr (find_program, NULL);
  self.own_role = find_role ();
  self.first = self.pid = getpid ();
  if (shared == MAP_FAILED)
    return;
  self.shared = shared;
  for (int i = 0; i < N_CALLS; i++)
    strcpy (self.shared->calls[i].name, names[i]);
}

/* For the program, which is the caller. */
void inject_set_active (int is_active);

void
inject_set_active (int is_active)
{
  if (self.shared != NULL)
    __atomic_store_n (&self.shared->is_active, (uint32_t)is_active, __ATOMIC_SEQ_CST);
}

/* A zygote's children count anew, and so are found out. */
static char
get_role (void)
{
  const pid_t pid = getpid ();

  if (pid != self.pid)
    {
      self.pid = pid;
      memset (self.counts, 0, sizeof self.counts);
    }
  return self.own_role == 'z' && pid != self.first ? 'C' : self.own_role;
}

static int
is_failing (int call, unsigned count)
{
  if (call != self.call || count < self.number)
    return 0;
  if (!self.onward && (count > self.number || self.shared->n_failed > 0))
    return 0;
  __atomic_fetch_add (&self.shared->n_failed, 1, __ATOMIC_SEQ_CST);
  return 1;
}

/* An errno, or 0. */
static int
find_error (int call, const void *from)
{
  const int saved = errno;
  unsigned count;
  int error;

  if (self.shared == NULL || !self.shared->is_active
      || (!is_any[call] && ((uintptr_t)from < self.start || (uintptr_t)from >= self.end))
      || get_role () != self.role)
    return 0;
  count = __atomic_add_fetch (&self.counts[call], 1, __ATOMIC_SEQ_CST);
  if (count > self.shared->calls[call].most)
    self.shared->calls[call].most = count;
  error = is_failing (call, count) ? self.error : 0;
  errno = saved;
  return error;
}

#define FROM __builtin_return_address (0)

static int
fails (int call, const void *from)
{
  const int error = find_error (call, from);

  if (error != 0)
    errno = error;
  return error != 0;
}

#define REAL(name) ((__typeof__ (&name))dlsym (RTLD_NEXT, #name))

/* WRAP (TYPE, NAME, FAILURE, PARAMETERS, ARGUMENTS) */
#define WRAP(type, name, failure, parameters, arguments)                                           \
  type name parameters                                                                             \
  {                                                                                                \
    static __typeof__ (&name) real;                                                                \
                                                                                                   \
    if (fails (CALL_##name, FROM))                                                                 \
      return failure;                                                                              \
    if (real == NULL)                                                                              \
      real = REAL (name);                                                                          \
    return real arguments;                                                                         \
  }

WRAP (ssize_t, read, -1, (int fd, void *data, size_t size), (fd, data, size))
WRAP (ssize_t, pread, -1, (int fd, void *data, size_t size, off_t at), (fd, data, size, at))
WRAP (ssize_t, write, -1, (int fd, const void *data, size_t size), (fd, data, size))
WRAP (ssize_t, pwrite, -1, (int fd, const void *data, size_t size, off_t at), (fd, data, size, at))
WRAP (ssize_t, readlink, -1, (const char *path, char *text, size_t size), (path, text, size))
WRAP (int, socketpair, -1, (int domain, int type, int protocol, int fds[2]),
      (domain, type, protocol, fds))
WRAP (int, pipe2, -1, (int fds[2], int flags), (fds, flags))
WRAP (int, memfd_create, -1, (const char *name, unsigned flags), (name, flags))
WRAP (int, eventfd, -1, (unsigned value, int flags), (value, flags))
WRAP (int, signalfd, -1, (int fd, const sigset_t *mask, int flags), (fd, mask, flags))
WRAP (int, dup2, -1, (int from, int to), (from, to))
WRAP (int, dup3, -1, (int from, int to, int flags), (from, to, flags))
WRAP (ssize_t, sendmsg, -1, (int fd, const struct msghdr *message, int flags), (fd, message, flags))
WRAP (ssize_t, send, -1, (int fd, const void *data, size_t size, int flags),
      (fd, data, size, flags))
WRAP (ssize_t, recvmsg, -1, (int fd, struct msghdr *message, int flags), (fd, message, flags))
WRAP (ssize_t, recv, -1, (int fd, void *data, size_t size, int flags), (fd, data, size, flags))
WRAP (int, poll, -1, (struct pollfd * fds, nfds_t n, int timeout), (fds, n, timeout))
WRAP (int, ppoll, -1,
      (struct pollfd * fds, nfds_t n, const struct timespec *timeout, const sigset_t *mask),
      (fds, n, timeout, mask))
WRAP (void *, mmap, MAP_FAILED, (void *at, size_t size, int rights, int flags, int fd, off_t from),
      (at, size, rights, flags, fd, from))
WRAP (int, mprotect, -1, (void *at, size_t size, int rights), (at, size, rights))
WRAP (int, madvise, -1, (void *at, size_t size, int advice), (at, size, advice))
WRAP (int, ftruncate, -1, (int fd, off_t size), (fd, size))
WRAP (int, fallocate, -1, (int fd, int mode, off_t at, off_t size), (fd, mode, at, size))
WRAP (int, fstat, -1, (int fd, struct stat *st), (fd, st))
WRAP (int, stat, -1, (const char *path, struct stat *st), (path, st))
WRAP (pid_t, fork, -1, (void), ())
WRAP (int, waitid, -1, (idtype_t type, id_t id, siginfo_t *info, int options),
      (type, id, info, options))
WRAP (pid_t, waitpid, -1, (pid_t pid, int *status, int options), (pid, status, options))
WRAP (int, kill, -1, (pid_t pid, int signum), (pid, signum))
WRAP (int, setrlimit, -1, (__rlimit_resource_t resource, const struct rlimit *limit),
      (resource, limit))
WRAP (int, getrlimit, -1, (__rlimit_resource_t resource, struct rlimit *limit), (resource, limit))
WRAP (int, getrusage, -1, (__rusage_who_t who, struct rusage *usage), (who, usage))
WRAP (pid_t, setsid, -1, (void), ())
WRAP (int, setsockopt, -1, (int fd, int level, int name, const void *value, socklen_t size),
      (fd, level, name, value, size))
WRAP (int, getsockopt, -1, (int fd, int level, int name, void *value, socklen_t *size),
      (fd, level, name, value, size))
WRAP (int, sigaltstack, -1, (const stack_t *stack, stack_t *before), (stack, before))

/* These return the errno. */
#define WRAP_SPAWN(name)                                                                           \
  int name (pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,               \
            const posix_spawnattr_t *attributes, char *const argv[], char *const envp[])           \
  {                                                                                                \
    const int error = find_error (CALL_##name, FROM);                                              \
                                                                                                   \
    return error != 0 ? error : REAL (name) (pid, path, actions, attributes, argv, envp);          \
  }

WRAP_SPAWN (posix_spawn)
WRAP_SPAWN (posix_spawnp)

/* These take more arguments, or fewer. */
#define REST(n)                                                                                    \
  va_list list;                                                                                    \
  long rest[n];                                                                                    \
                                                                                                   \
  va_start (list, last);                                                                           \
  for (int i = 0; i < n; i++)                                                                      \
    rest[i] = va_arg (list, long);                                                                 \
  va_end (list);

int
open (const char *path, int last, ...)
{
  REST (1)

  return fails (CALL_open, FROM) ? -1 : REAL (open) (path, last, (mode_t)rest[0]);
}

int
openat (int folder, const char *path, int last, ...)
{
  REST (1)

  return fails (CALL_openat, FROM) ? -1 : REAL (openat) (folder, path, last, (mode_t)rest[0]);
}

int
fcntl (int fd, int last, ...)
{
  static __typeof__ (&fcntl) real;
  REST (1)

  if (fails (CALL_fcntl, FROM))
    return -1;
  if (real == NULL)
    real = REAL (fcntl);
  return real (fd, last, rest[0]);
}

int
prctl (int last, ...)
{
  REST (4)

  return fails (CALL_prctl, FROM) ? -1 : REAL (prctl) (last, rest[0], rest[1], rest[2], rest[3]);
}

long
syscall (long last, ...)
{
  static __typeof__ (&syscall) real;
  REST (6)

  /* GLib's locks jump to this from their ends, as if the library had called it: they cannot fail.
   */
  if (last != SYS_futex && fails (CALL_syscall, FROM))
    return -1;
  if (real == NULL)
    real = REAL (syscall);
  return real (last, rest[0], rest[1], rest[2], rest[3], rest[4], rest[5]);
}

/* Only in children: GLib ends a program that has no memory left. */
void *__libc_malloc (size_t size);

void *
malloc (size_t size)
{
  if (self.role == 'C' && self.shared != NULL && self.own_role != 'c' && fails (CALL_malloc, FROM))
    return NULL;
  return __libc_malloc (size);
}
