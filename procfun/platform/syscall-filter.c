/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "procfun/platform/syscall-filter.h"

#include "procfun/base/intl.h"
#include "procfun/platform/fds.h"
#include "procfun/platform/landlock.h"
#include "procfun/platform/module.h"
#include "procfun/procfun-error.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

static gboolean
fail (GError **error, const char *why)
{
  g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_SANDBOX,
               _ ("the part “%s” of the sandbox cannot be had here: %s"), "seccomp", why);
  return FALSE;
}

#ifdef HAVE_SECCOMP

#include <dlfcn.h>
#include <seccomp.h>
#include <stdlib.h>

/* Not linked, so that only programs that ask for a sandbox load it, and no process of a call. */
#define FUNCTIONS(f)                                                                               \
  f (seccomp_init) f (seccomp_release) f (seccomp_attr_set) f (seccomp_rule_add_array)             \
      f (seccomp_export_bpf) f (seccomp_syscall_resolve_name) f (seccomp_syscall_resolve_num_arch)

#define DECLARE(name) __typeof__ (name) *name;
#define LOOK_UP(name) &&(lib.name = (__typeof__ (name) *)dlsym (library, #name)) != NULL

static struct
{
  FUNCTIONS (DECLARE)
} lib;

static gboolean
load (void)
{
  static gsize state;

  if (g_once_init_enter (&state))
    {
      gpointer library = module_open_library ("libseccomp.so.2");
      gboolean found = library != NULL FUNCTIONS (LOOK_UP);

      g_once_init_leave (&state, found ? 1 : 2);
    }
  return state == 1;
}

/* The kernel looks at 32 bits of most arguments, and programs decide what is in the others. */
#define LOW ((scmp_datum_t)0xffffffff)
#define ALWAYS                                                                                     \
  {                                                                                                \
    0                                                                                              \
  }
#define IF(number, is, mask, value)                                                                \
  {                                                                                                \
    number, is, mask, value                                                                        \
  }
#define IF_EQUAL(number, value) IF (number, SCMP_CMP_MASKED_EQ, LOW, (scmp_datum_t)(value))
#define IF_HAS(number, bits)                                                                       \
  IF (number, SCMP_CMP_MASKED_EQ, (scmp_datum_t)(bits), (scmp_datum_t)(bits))

typedef struct
{
  const char *name;
  struct scmp_arg_cmp condition; /* of op 0: none */
} Rule;

/* Before PURE_COMPUTE: what is refused, and with which error */

typedef struct
{
  ProcfunSandbox level; /* and all above it */
  guint16 error_number;
  Rule rule;
} Refusal;

#define PRIVS PROCFUN_SANDBOX_NO_NEW_PRIVS, EPERM
#define NETWORK PROCFUN_SANDBOX_NO_NETWORK, EACCES
#define CHANGE PROCFUN_SANDBOX_READ_ONLY, EPERM

static const Refusal refusals[] = {
  /* clone3() has its flags in memory, where a filter cannot look. */
  { PROCFUN_SANDBOX_NO_NEW_PRIVS, ENOSYS, { "clone3", ALWAYS } },
  { PRIVS, { "clone", IF_HAS (0, CLONE_NEWUSER) } },
  { PRIVS, { "clone", IF_HAS (0, CLONE_NEWNS) } },
  { PRIVS, { "clone", IF_HAS (0, CLONE_NEWPID) } },
  { PRIVS, { "clone", IF_HAS (0, CLONE_NEWNET) } },
  { PRIVS, { "clone", IF_HAS (0, CLONE_NEWIPC) } },
  { PRIVS, { "clone", IF_HAS (0, CLONE_NEWUTS) } },
  { PRIVS, { "clone", IF_HAS (0, CLONE_NEWCGROUP) } },
  { PRIVS, { "unshare", ALWAYS } },
  { PRIVS, { "setns", ALWAYS } },
  { PRIVS, { "mount", ALWAYS } },
  { PRIVS, { "umount2", ALWAYS } },
  { PRIVS, { "umount", ALWAYS } },
  { PRIVS, { "pivot_root", ALWAYS } },
  { PRIVS, { "chroot", ALWAYS } },
  { PRIVS, { "fsopen", ALWAYS } },
  { PRIVS, { "fsconfig", ALWAYS } },
  { PRIVS, { "fsmount", ALWAYS } },
  { PRIVS, { "fspick", ALWAYS } },
  { PRIVS, { "move_mount", ALWAYS } },
  { PRIVS, { "open_tree", ALWAYS } },
  { PRIVS, { "mount_setattr", ALWAYS } },
  { PRIVS, { "swapon", ALWAYS } },
  { PRIVS, { "swapoff", ALWAYS } },
  { PRIVS, { "reboot", ALWAYS } },
  { PRIVS, { "kexec_load", ALWAYS } },
  { PRIVS, { "kexec_file_load", ALWAYS } },
  { PRIVS, { "init_module", ALWAYS } },
  { PRIVS, { "finit_module", ALWAYS } },
  { PRIVS, { "delete_module", ALWAYS } },
  { PRIVS, { "acct", ALWAYS } },
  { PRIVS, { "quotactl", ALWAYS } },
  { PRIVS, { "quotactl_fd", ALWAYS } },
  { PRIVS, { "iopl", ALWAYS } },
  { PRIVS, { "ioperm", ALWAYS } },
  { PRIVS, { "vhangup", ALWAYS } },
  { PRIVS, { "syslog", ALWAYS } },
  { PRIVS, { "settimeofday", ALWAYS } },
  { PRIVS, { "clock_settime", ALWAYS } },
  { PRIVS, { "sethostname", ALWAYS } },
  { PRIVS, { "setdomainname", ALWAYS } },
  { PRIVS, { "ptrace", ALWAYS } },
  { PRIVS, { "process_vm_readv", ALWAYS } },
  { PRIVS, { "process_vm_writev", ALWAYS } },
  { PRIVS, { "process_madvise", ALWAYS } },
  { PRIVS, { "pidfd_getfd", ALWAYS } },
  { PRIVS, { "kcmp", ALWAYS } },
  { PRIVS, { "move_pages", ALWAYS } },
  { PRIVS, { "migrate_pages", ALWAYS } },
  { PRIVS, { "prlimit64", IF (0, SCMP_CMP_NE, 0, 0) } },
  { PRIVS, { "bpf", ALWAYS } },
  { PRIVS, { "perf_event_open", ALWAYS } },
  { PRIVS, { "userfaultfd", ALWAYS } },
  { PRIVS, { "io_uring_setup", ALWAYS } },
  { PRIVS, { "io_uring_enter", ALWAYS } },
  { PRIVS, { "io_uring_register", ALWAYS } },
  { PRIVS, { "add_key", ALWAYS } },
  { PRIVS, { "request_key", ALWAYS } },
  { PRIVS, { "keyctl", ALWAYS } },
  { PRIVS, { "open_by_handle_at", ALWAYS } },
  { PRIVS, { "fanotify_init", ALWAYS } },
  { PRIVS, { "lookup_dcookie", ALWAYS } },
  { PRIVS, { "nfsservctl", ALWAYS } },
  { PRIVS, { "uselib", ALWAYS } },
  { PRIVS, { "modify_ldt", ALWAYS } },
  { PRIVS, { "vm86", ALWAYS } },
  { PRIVS, { "vm86old", ALWAYS } },
  /* 0 is what it is, and 0xffffffff asks. */
  { PRIVS, { "personality", IF_HAS (0, 0x0040000) } }, /* no randomized addresses */
  { PRIVS, { "personality", IF_HAS (0, 0x0400000) } }, /* readable means executable */
  { PRIVS, { "ioctl", IF_EQUAL (1, TIOCSTI) } },
  { PRIVS, { "ioctl", IF_EQUAL (1, TIOCLINUX) } },

  { NETWORK, { "socket", ALWAYS } },
  { NETWORK, { "socketpair", IF (0, SCMP_CMP_NE, 0, AF_UNIX) } },
  /* One of these can send to any address. */
  { NETWORK, { "socketpair", IF (1, SCMP_CMP_MASKED_EQ, 0xf, SOCK_DGRAM) } },
  { NETWORK, { "socketpair", IF (1, SCMP_CMP_MASKED_EQ, 0xf, SOCK_RAW) } },
  { NETWORK, { "connect", ALWAYS } },
  { NETWORK, { "bind", ALWAYS } },
  { NETWORK, { "listen", ALWAYS } },
  { NETWORK, { "socketcall", ALWAYS } },

  { CHANGE, { "chmod", ALWAYS } },
  { CHANGE, { "fchmod", ALWAYS } },
  { CHANGE, { "fchmodat", ALWAYS } },
  { CHANGE, { "chown", ALWAYS } },
  { CHANGE, { "fchown", ALWAYS } },
  { CHANGE, { "lchown", ALWAYS } },
  { CHANGE, { "fchownat", ALWAYS } },
  { CHANGE, { "utime", ALWAYS } },
  { CHANGE, { "utimes", ALWAYS } },
  { CHANGE, { "futimesat", ALWAYS } },
  { CHANGE, { "utimensat", ALWAYS } },
  { CHANGE, { "setxattr", ALWAYS } },
  { CHANGE, { "lsetxattr", ALWAYS } },
  { CHANGE, { "fsetxattr", ALWAYS } },
  { CHANGE, { "removexattr", ALWAYS } },
  { CHANGE, { "lremovexattr", ALWAYS } },
  { CHANGE, { "fremovexattr", ALWAYS } },
  { CHANGE, { "mq_open", ALWAYS } },
  { CHANGE, { "mq_unlink", ALWAYS } },
  { CHANGE, { "shmget", ALWAYS } },
  { CHANGE, { "shmat", ALWAYS } },
  { CHANGE, { "semget", ALWAYS } },
  { CHANGE, { "semop", ALWAYS } },
  { CHANGE, { "msgget", ALWAYS } },
  { CHANGE, { "msgsnd", ALWAYS } },
  { CHANGE, { "ipc", ALWAYS } },
};

/* Numbers that libseccomp of Debian 12 has no name for, the same on all architectures. They are
 * younger than any program that cannot do without. */
static const struct
{
  ProcfunSandbox level;
  int number;
} young[] = {
  { PROCFUN_SANDBOX_READ_ONLY, 452 },    /* fchmodat2 */
  { PROCFUN_SANDBOX_READ_ONLY, 463 },    /* setxattrat */
  { PROCFUN_SANDBOX_READ_ONLY, 466 },    /* removexattrat */
  { PROCFUN_SANDBOX_NO_NEW_PRIVS, 467 }, /* open_tree_attr */
  { PROCFUN_SANDBOX_READ_ONLY, 469 },    /* file_setattr */
};

/* Before Linux 6.2 Landlock does not see that a file is truncated. */
static const Refusal truncations[]
    = { { PROCFUN_SANDBOX_READ_ONLY, EACCES, { "truncate", ALWAYS } },
        { PROCFUN_SANDBOX_READ_ONLY, EACCES, { "truncate64", ALWAYS } },
        { PROCFUN_SANDBOX_READ_ONLY, EACCES, { "open", IF_HAS (1, O_TRUNC) } },
        { PROCFUN_SANDBOX_READ_ONLY, EACCES, { "openat", IF_HAS (2, O_TRUNC) } },
        { PROCFUN_SANDBOX_READ_ONLY, ENOSYS, { "openat2", ALWAYS } } };

/* At PURE_COMPUTE: what is allowed */

#define IF_ITSELF(number) IF_EQUAL (number, SYSCALL_FILTER_PID)

static const char *const harmless[] = {
  /* memory */
  "brk", "mmap", "mmap2", "munmap", "mremap", "mprotect", "madvise", "msync", "mincore", "mlock",
  "mlock2", "munlock", "membarrier", "memfd_create", "pkey_alloc", "pkey_free", "pkey_mprotect",
  /* descriptors that are there */
  "read", "write", "readv", "writev", "pread64", "pwrite64", "preadv", "pwritev", "preadv2",
  "pwritev2", "close", "close_range", "lseek", "_llseek", "fstat", "fstat64", "fstatfs", "dup",
  "dup2", "dup3", "pipe", "pipe2", "eventfd", "eventfd2", "ftruncate", "ftruncate64", "fallocate",
  "fsync", "fdatasync", "fadvise64", "sendfile", "sendfile64", "splice", "tee", "vmsplice",
  "copy_file_range", "getdents64", "sendmsg", "recvmsg", "sendto", "recvfrom", "send", "recv",
  "sendmmsg", "recvmmsg", "getsockopt", "setsockopt", "getsockname", "getpeername", "shutdown",
  "poll", "ppoll", "select", "pselect6", "_newselect", "epoll_create", "epoll_create1", "epoll_ctl",
  "epoll_wait", "epoll_pwait", "epoll_pwait2", "timerfd_create", "timerfd_settime",
  "timerfd_gettime", "umask", "getcwd",
  /* threads and signals */
  "futex", "futex_waitv", "set_robust_list", "get_robust_list", "set_tid_address", "rseq", "gettid",
  "exit", "exit_group", "sched_yield", "sched_getaffinity", "sched_getattr", "sched_getparam",
  "sched_getscheduler", "sched_get_priority_max", "sched_get_priority_min", "sched_rr_get_interval",
  "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "rt_sigpending", "rt_sigtimedwait",
  "rt_sigsuspend", "sigaltstack", "sigreturn", "restart_syscall", "getcpu", "wait4", "waitid",
  "waitpid", "pause",
  /* clocks */
  "clock_gettime", "clock_getres", "clock_nanosleep", "nanosleep", "gettimeofday", "time", "times",
  "clock_gettime64", "clock_nanosleep_time64", "futex_time64", "timer_create", "timer_settime",
  "timer_gettime", "timer_getoverrun", "timer_delete", "setitimer", "getitimer", "alarm",
  /* about itself */
  "getpid", "getppid", "getpgrp", "getuid", "geteuid", "getgid", "getegid", "getresuid",
  "getresgid", "getgroups", "getrusage", "getrlimit", "ugetrlimit", "setrlimit", "capget", "uname",
  "sysinfo", "getrandom", "getpriority", "arm_fadvise64_64", "riscv_flush_icache"
};

static const Rule allowed[] = {
  { "clone", IF_HAS (0, CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD) },
  { "tgkill", IF_ITSELF (0) },
  { "kill", IF_ITSELF (0) },
  { "rt_tgsigqueueinfo", IF_ITSELF (0) },
  { "rt_sigqueueinfo", IF_ITSELF (0) },
  { "prlimit64", IF_EQUAL (0, 0) },
  { "setpriority", IF_EQUAL (1, 0) },
  { "sched_setaffinity", IF_EQUAL (0, 0) },
  { "sched_setscheduler", IF_EQUAL (0, 0) },
  { "getpgid", IF_EQUAL (0, 0) },
  { "getsid", IF_EQUAL (0, 0) },
  { "socketpair", IF (1, SCMP_CMP_MASKED_EQ, 0xf, SOCK_STREAM) },
  { "ioctl", IF_EQUAL (1, FIONREAD) },
  { "ioctl", IF_EQUAL (1, FIONBIO) },
  { "fcntl", IF_EQUAL (1, F_DUPFD) },
  { "fcntl", IF_EQUAL (1, F_DUPFD_CLOEXEC) },
  { "fcntl", IF_EQUAL (1, F_GETFD) },
  { "fcntl", IF_EQUAL (1, F_SETFD) },
  { "fcntl", IF_EQUAL (1, F_GETFL) },
  { "fcntl", IF_EQUAL (1, F_SETFL) },
  { "fcntl", IF_EQUAL (1, F_GET_SEALS) },
  { "fcntl", IF_EQUAL (1, F_ADD_SEALS) },
  { "fcntl", IF_EQUAL (1, F_GETPIPE_SZ) },
  { "prctl", IF_EQUAL (0, PR_SET_NAME) },
  { "prctl", IF_EQUAL (0, PR_GET_NAME) },
  { "prctl", IF_EQUAL (0, PR_GET_DUMPABLE) },
  { "prctl", IF_EQUAL (0, PR_SET_DUMPABLE) },
  { "prctl", IF_EQUAL (0, PR_GET_NO_NEW_PRIVS) },
  { "prctl", IF_EQUAL (0, PR_GET_SECCOMP) },
  { "prctl", IF_EQUAL (0, PR_SET_CHILD_SUBREAPER) },
  { "prctl", IF_EQUAL (0, PR_SET_TIMERSLACK) },
  { "prctl", IF_EQUAL (0, 0x53564d41) }, /* PR_SET_VMA: names of memory */
};

static int
add (scmp_filter_ctx filter, guint32 action, const Rule *rule)
{
  const int number = lib.seccomp_syscall_resolve_name (rule->name);

  if (number == __NR_SCMP_ERROR) /* of another architecture, or younger than this libseccomp */
    return 0;
  return rule->condition.op == 0
             ? lib.seccomp_rule_add_array (filter, action, number, 0, NULL)
             : lib.seccomp_rule_add_array (filter, action, number, 1, &rule->condition);
}

static int
add_refusals (scmp_filter_ctx filter, ProcfunSandbox level, const Refusal *rows, gsize n)
{
  int result = 0;

  for (gsize i = 0; i < n && result == 0; i++)
    if (rows[i].level <= level)
      result = add (filter, SCMP_ACT_ERRNO (rows[i].error_number), &rows[i].rule);
  return result;
}

static int
refuse (scmp_filter_ctx filter, ProcfunSandbox level)
{
  int result = add_refusals (filter, level, refusals, G_N_ELEMENTS (refusals));

  if (result == 0 && landlock_get_version () < LANDLOCK_FILES_VERSION)
    result = add_refusals (filter, level, truncations, G_N_ELEMENTS (truncations));
  for (gsize i = 0; i < G_N_ELEMENTS (young) && result == 0; i++)
    if (young[i].level <= level)
      result
          = lib.seccomp_rule_add_array (filter, SCMP_ACT_ERRNO (ENOSYS), young[i].number, 0, NULL);
  return result;
}

static int
allow (scmp_filter_ctx filter)
{
  int result = 0;

  for (gsize i = 0; i < G_N_ELEMENTS (harmless) && result == 0; i++)
    result = add (filter, SCMP_ACT_ALLOW, &(Rule){ harmless[i], ALWAYS });
  for (gsize i = 0; i < G_N_ELEMENTS (allowed) && result == 0; i++)
    result = add (filter, SCMP_ACT_ALLOW, &allowed[i]);
  /* The C library makes it while it blocks all signals, and then uses clone(). */
  return result == 0 ? add (filter, SCMP_ACT_ERRNO (ENOSYS), &(Rule){ "clone3", ALWAYS }) : result;
}

/* (transfer full) (nullable): NULL with errno set */
static GBytes *export(scmp_filter_ctx filter)
{
  auto_fd int fd = memfd_create ("procfun-filter", MFD_CLOEXEC);
  off_t size;
  g_autofree gpointer program = NULL;
  int result = fd >= 0 ? lib.seccomp_export_bpf (filter, fd) : -errno;

  errno = -result;
  if (result != 0)
    return NULL;
  size = lseek (fd, 0, SEEK_END);
  program = g_malloc ((gsize)MAX (size, 1));
  if (size <= 0 || pread (fd, program, (gsize)size, 0) != size)
    return NULL;
  return g_bytes_new_take (g_steal_pointer (&program), (gsize)size);
}

/* A call of another architecture, such as by int 0x80, ends the process. The program is a tree and
 * no list, so that it is short for each number. */
static GBytes *
make_filter (ProcfunSandbox level, GError **error)
{
  const gboolean is_pure = level == PROCFUN_SANDBOX_PURE_COMPUTE;
  scmp_filter_ctx filter;
  GBytes *bytes = NULL;
  int result;

  if (!load ())
    {
      fail (error, _ ("libseccomp is not installed"));
      return NULL;
    }
  filter = lib.seccomp_init (is_pure ? SCMP_ACT_TRAP : SCMP_ACT_ALLOW);
  errno = ENOMEM;
  if (filter != NULL)
    {
      lib.seccomp_attr_set (filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_TRAP);
      lib.seccomp_attr_set (filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
      result = is_pure ? allow (filter) : refuse (filter, level);
      errno = -result;
      if (result == 0)
        bytes = export(filter);
      lib.seccomp_release (filter);
    }
  if (bytes == NULL)
    fail (error, g_strerror (errno));
  return bytes;
}

char *
syscall_filter_name (int number)
{
  char *found = load () ? lib.seccomp_syscall_resolve_num_arch (SCMP_ARCH_NATIVE, number) : NULL;
  char *name = found != NULL ? g_strdup (found) : g_strdup_printf ("%d", number);

  free (found);
  return name;
}

#else

static GBytes *
make_filter (ProcfunSandbox level, GError **error)
{
  fail (error, _ ("this build of procfun is without libseccomp"));
  return NULL;
}

char *
syscall_filter_name (int number)
{
  return g_strdup_printf ("%d", number);
}

#endif

GBytes *
syscall_filter_get (ProcfunSandbox level, GError **error)
{
  static GBytes *filters[PROCFUN_SANDBOX_PURE_COMPUTE + 1];
  GBytes *filter = g_atomic_pointer_get (&filters[level]);

  if (filter != NULL)
    return filter;
  filter = make_filter (level, error);
  if (filter == NULL || g_atomic_pointer_compare_and_exchange (&filters[level], NULL, filter))
    return filter;
  g_bytes_unref (filter);
  return g_atomic_pointer_get (&filters[level]);
}

/* The program is loaded over the copy of its own number. */
gboolean
syscall_filter_install (gconstpointer program, gsize size)
{
  g_autofree struct sock_filter *code = g_memdup2 (program, size);
  const struct sock_fprog whole = { .len = (unsigned short)(size / sizeof *code), .filter = code };

  for (gsize i = 0; i < whole.len; i++)
    if (BPF_CLASS (code[i].code) == BPF_JMP && code[i].k == SYSCALL_FILTER_PID)
      code[i].k = (guint32)getpid ();
  return syscall (SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &whole) == 0;
}
