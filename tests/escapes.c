/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "tests/escapes.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>
#include <ucontext.h>
#include <unistd.h>

/* Younger than the headers of Debian 12, and the same number on all architectures. */
#define CALL_FCHMODAT2 452

#define HIGH (1L << 40) /* bits that the kernel does not look at */

static const char *folder;
static int target;
static char path[512];
static sigjmp_buf way_out;

static long
sys (long number, long a, long b, long c, long d, long e)
{
  long result = syscall (number, a, b, c, d, e, 0);

  return result < 0 ? -errno : result;
}

#define P(pointer) ((long)(pointer))

static const char *
in_folder (const char *name)
{
  snprintf (path, sizeof path, "%s/%s", folder, name);
  return path;
}

static long
close_it (long fd)
{
  if (fd >= 0)
    close ((int)fd);
  return fd;
}

/* A child that should not be there. */
static long
end_child (long pid)
{
  if (pid == 0)
    _exit (0);
  if (pid > 0)
    waitpid ((pid_t)pid, NULL, 0);
  return pid;
}

#define TRY(name, expression)                                                                      \
  static long try_##name (void) { return expression; }

/* Rights */

TRY (mount, sys (SYS_mount, P ("none"), P (folder), P ("tmpfs"), 0, 0))
TRY (bind_mount, sys (SYS_mount, P (folder), P (folder), 0, 4096, 0))
TRY (umount, sys (SYS_umount2, P (folder), 0, 0, 0, 0))
TRY (pivot_root, sys (SYS_pivot_root, P (folder), P (folder), 0, 0, 0))
TRY (chroot, sys (SYS_chroot, P (folder), 0, 0, 0, 0))
TRY (unshare_user, sys (SYS_unshare, CLONE_NEWUSER, 0, 0, 0, 0))
TRY (unshare_mounts, sys (SYS_unshare, CLONE_NEWNS, 0, 0, 0, 0))
TRY (unshare_network, sys (SYS_unshare, CLONE_NEWNET, 0, 0, 0, 0))
TRY (unshare_high, sys (SYS_unshare, HIGH | CLONE_NEWUSER, 0, 0, 0, 0))
TRY (clone_user, end_child (sys (SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0)))
TRY (clone_network, end_child (sys (SYS_clone, CLONE_NEWNET | SIGCHLD, 0, 0, 0, 0)))
TRY (clone_pids, end_child (sys (SYS_clone, CLONE_NEWPID | SIGCHLD, 0, 0, 0, 0)))
TRY (clone_cgroup, end_child (sys (SYS_clone, CLONE_NEWCGROUP | SIGCHLD, 0, 0, 0, 0)))
TRY (setns, sys (SYS_setns, -1, CLONE_NEWNET, 0, 0, 0))
TRY (fsopen, close_it (sys (SYS_fsopen, P ("tmpfs"), 0, 0, 0, 0)))
TRY (open_tree, close_it (sys (SYS_open_tree, AT_FDCWD, P ("/"), 1, 0, 0)))
TRY (move_mount, sys (SYS_move_mount, -1, P (""), AT_FDCWD, P (folder), 0))
TRY (mount_setattr, sys (SYS_mount_setattr, AT_FDCWD, P (folder), 0, 0, 0))
TRY (ptrace_attach, sys (SYS_ptrace, 16, target, 0, 0, 0))
TRY (ptrace_seize, sys (SYS_ptrace, 0x4206, target, 0, 0, 0))
TRY (ptrace_traceme, sys (SYS_ptrace, 0, 0, 0, 0, 0))
TRY (kcmp, sys (SYS_kcmp, getpid (), target, 0, 0, 0))
TRY (pidfd_getfd, sys (SYS_pidfd_getfd, -1, 0, 0, 0, 0))
TRY (process_madvise, sys (SYS_process_madvise, -1, 0, 0, 0, 0))
TRY (bpf, close_it (sys (SYS_bpf, 0, 0, 0, 0, 0)))
TRY (perf_event_open, close_it (sys (SYS_perf_event_open, 0, 0, -1, -1, 0)))
TRY (userfaultfd, close_it (sys (SYS_userfaultfd, 1, 0, 0, 0, 0)))
TRY (keyctl, sys (SYS_keyctl, 0, -3, 1, 0, 0))
TRY (add_key, sys (SYS_add_key, P ("user"), P ("procfun"), P ("x"), 1, -3))
TRY (request_key, sys (SYS_request_key, P ("user"), P ("procfun"), 0, -3, 0))
TRY (personality, sys (SYS_personality, 0x0040000, 0, 0, 0, 0))
TRY (kexec_load, sys (SYS_kexec_load, 0, 0, 0, 0, 0))
TRY (init_module, sys (SYS_init_module, 0, 0, P (""), 0, 0))
TRY (finit_module, sys (SYS_finit_module, -1, P (""), 0, 0, 0))
TRY (delete_module, sys (SYS_delete_module, P ("procfun-none"), 0, 0, 0, 0))
TRY (reboot, sys (SYS_reboot, 0, 0, 0, 0, 0))
TRY (swapon, sys (SYS_swapon, P ("/procfun-none"), 0, 0, 0, 0))
TRY (acct, sys (SYS_acct, P ("/procfun-none"), 0, 0, 0, 0))
TRY (clock_settime, sys (SYS_clock_settime, 0, 0, 0, 0, 0))
TRY (sethostname, sys (SYS_sethostname, 0, -1, 0, 0, 0))
TRY (syslog, sys (SYS_syslog, 10, 0, 0, 0, 0))
TRY (quotactl, sys (SYS_quotactl, 0, 0, 0, 0, 0))
TRY (open_by_handle, sys (SYS_open_by_handle_at, AT_FDCWD, 0, 0, 0, 0))
TRY (fanotify, close_it (sys (SYS_fanotify_init, 0, 0, 0, 0, 0)))
TRY (tiocsti, sys (SYS_ioctl, 0, TIOCSTI, P ("x"), 0, 0))
TRY (tiocsti_high, sys (SYS_ioctl, 0, HIGH | TIOCSTI, P ("x"), 0, 0))
TRY (tioclinux, sys (SYS_ioctl, 0, TIOCLINUX, P ("\3"), 0, 0))

static long
try_clone3 (void)
{
  guint64 args[8] = { CLONE_NEWUSER, 0, 0, 0, SIGCHLD, 0, 0, 0 };

  return end_child (sys (SYS_clone3, P (args), sizeof args, 0, 0, 0));
}

static long
move_memory (long number)
{
  char byte;
  struct iovec local = { &byte, 1 }, remote = { (gpointer)(guintptr)&escapes, 1 };

  return sys (number, target, P (&local), 1, P (&remote), 1);
}

TRY (process_vm_readv, move_memory (SYS_process_vm_readv))
TRY (process_vm_writev, move_memory (SYS_process_vm_writev))

static long
open_of_target (const char *name, int flags)
{
  char name_of[64];

  snprintf (name_of, sizeof name_of, "/proc/%d/%s", target, name);
  return close_it (sys (SYS_openat, AT_FDCWD, P (name_of), flags, 0, 0));
}

static long
read_of_target (const char *name)
{
  char name_of[64], byte;
  long fd, n;

  snprintf (name_of, sizeof name_of, "/proc/%d/%s", target, name);
  fd = sys (SYS_openat, AT_FDCWD, P (name_of), O_RDONLY, 0, 0);
  if (fd < 0)
    return fd;
  n = sys (SYS_read, fd, P (&byte), 1, 0, 0);
  close ((int)fd);
  return n;
}

TRY (open_memory, open_of_target ("mem", O_RDWR))
TRY (read_environ, read_of_target ("environ"))
TRY (open_maps, read_of_target ("maps"))
TRY (open_root, open_of_target ("root/etc", O_RDONLY))
TRY (oom_score, open_of_target ("oom_score_adj", O_WRONLY))

static long
try_io_uring (void)
{
  guint32 parameters[30] = { 0 };

  return close_it (sys (SYS_io_uring_setup, 1, P (parameters), 0, 0, 0));
}

static long
try_prlimit (void)
{
  guint64 limit[2];

  return sys (SYS_prlimit64, target, 7, 0, P (limit), 0);
}

static long
try_capset (void)
{
  struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
  struct __user_cap_data_struct data[2]
      = { { .effective = 1U << CAP_SYS_ADMIN, .permitted = 1U << CAP_SYS_ADMIN } };

  return sys (SYS_capset, P (&header), P (data), 0, 0, 0);
}

/* EINVAL: there is no other user in this namespace. */
TRY (setuid,
     sys (SYS_setresuid, getuid () + 1, getuid () + 1, getuid () + 1, 0, 0) < 0 ? -EPERM : 0)
TRY (setgroups, sys (SYS_setgroups, 0, 0, 0, 0, 0))

#if defined(__x86_64__) && defined(__LP64__)
TRY (iopl, sys (SYS_iopl, 3, 0, 0, 0, 0))
TRY (ioperm, sys (SYS_ioperm, 0x80, 1, 1, 0, 0))
TRY (modify_ldt, sys (SYS_modify_ldt, 0, 0, 0, 0, 0))
TRY (x32, sys (0x40000000 | SYS_getpid, 0, 0, 0, 0, 0))

static long
try_int80 (void)
{
  long result;

  __asm__ volatile("int $0x80" : "=a"(result) : "a"(20L) : "memory", "r8", "r9", "r10", "r11");
  return (int)result;
}
#else
TRY (iopl, -ENOSYS)
TRY (ioperm, -ENOSYS)
TRY (modify_ldt, -ENOSYS)
TRY (x32, -ENOSYS)
TRY (int80, -ENOSYS)
#endif

/* Signals */

static long
try_pidfd_send_signal (void)
{
  long fd = sys (SYS_pidfd_open, target, 0, 0, 0, 0);
  long result = fd < 0 ? fd : sys (SYS_pidfd_send_signal, fd, SIGCONT, 0, 0, 0);

  close_it (fd);
  return result;
}

static long
queue (long number)
{
  siginfo_t info = { .si_signo = SIGCONT, .si_code = SI_QUEUE };

  return number == SYS_rt_sigqueueinfo ? sys (number, target, SIGCONT, P (&info), 0, 0)
                                       : sys (number, target, target, SIGCONT, P (&info), 0);
}

TRY (kill, sys (SYS_kill, target, SIGCONT, 0, 0, 0))
TRY (kill_parent, sys (SYS_kill, getppid (), SIGCONT, 0, 0, 0))
TRY (kill_all, sys (SYS_kill, -1, 0, 0, 0, 0))
TRY (tkill, sys (SYS_tkill, target, SIGCONT, 0, 0, 0))
TRY (tgkill, sys (SYS_tgkill, target, target, SIGCONT, 0, 0))
TRY (sigqueue, queue (SYS_rt_sigqueueinfo))
TRY (tgsigqueue, queue (SYS_rt_tgsigqueueinfo))

/* Sockets */

TRY (socket_inet, close_it (sys (SYS_socket, AF_INET, SOCK_STREAM, 0, 0, 0)))
TRY (socket_udp, close_it (sys (SYS_socket, AF_INET, SOCK_DGRAM, 0, 0, 0)))
TRY (socket_inet6, close_it (sys (SYS_socket, AF_INET6, SOCK_STREAM, 0, 0, 0)))
TRY (socket_unix, close_it (sys (SYS_socket, AF_UNIX, SOCK_STREAM, 0, 0, 0)))
TRY (socket_unix_dgram, close_it (sys (SYS_socket, AF_UNIX, SOCK_DGRAM, 0, 0, 0)))
TRY (socket_netlink, close_it (sys (SYS_socket, AF_NETLINK, SOCK_RAW, 0, 0, 0)))
TRY (socket_packet, close_it (sys (SYS_socket, AF_PACKET, SOCK_RAW, 0, 0, 0)))
TRY (socket_vsock, close_it (sys (SYS_socket, 40, SOCK_STREAM, 0, 0, 0)))
TRY (socket_alg, close_it (sys (SYS_socket, 38, SOCK_SEQPACKET, 0, 0, 0)))
TRY (socket_high, close_it (sys (SYS_socket, HIGH | AF_INET, SOCK_STREAM, 0, 0, 0)))

static long
pair (long type)
{
  int fds[2];
  long result = sys (SYS_socketpair, AF_UNIX, type, 0, P (fds), 0);

  if (result == 0)
    {
      close (fds[0]);
      close (fds[1]);
    }
  return result;
}

TRY (pair_dgram, pair (SOCK_DGRAM))
TRY (pair_dgram_high, pair (HIGH | SOCK_DGRAM | SOCK_CLOEXEC))
TRY (pair_raw, pair (SOCK_RAW))

static long
with_address (long number)
{
  const struct sockaddr_un address = { AF_UNIX, "\0procfun-none" };

  return sys (number, 3, P (&address), sizeof address, 0, 0);
}

TRY (connect, with_address (SYS_connect))
TRY (bind, with_address (SYS_bind))
TRY (listen, sys (SYS_listen, 3, 1, 0, 0, 0))

/* Files */

static long
open_there (const char *name, int flags)
{
  return close_it (sys (SYS_openat, AT_FDCWD, P (in_folder (name)), flags, 0600, 0));
}

TRY (open_write, open_there ("file", O_WRONLY))
TRY (open_append, open_there ("file", O_RDWR | O_APPEND))
TRY (open_create, open_there ("new", O_WRONLY | O_CREAT))
TRY (open_truncate, open_there ("file", O_RDONLY | O_TRUNC))
TRY (open_unnamed, open_there (".", O_WRONLY | O_TMPFILE))
TRY (truncate, sys (SYS_truncate, P (in_folder ("file")), 0, 0, 0, 0))
TRY (mkdir, sys (SYS_mkdirat, AT_FDCWD, P (in_folder ("new-folder")), 0700, 0, 0))
TRY (rmdir, sys (SYS_unlinkat, AT_FDCWD, P (in_folder ("folder")), AT_REMOVEDIR, 0, 0))
TRY (unlink, sys (SYS_unlinkat, AT_FDCWD, P (in_folder ("file-to-go")), 0, 0, 0))
TRY (mknod, sys (SYS_mknodat, AT_FDCWD, P (in_folder ("fifo")), S_IFIFO | 0600, 0, 0))
TRY (chmod, sys (SYS_fchmodat, AT_FDCWD, P (in_folder ("file")), 0600, 0, 0))
TRY (chmod2, sys (CALL_FCHMODAT2, AT_FDCWD, P (in_folder ("file")), 0600, 0, 0))
TRY (chown, sys (SYS_fchownat, AT_FDCWD, P (in_folder ("file")), -1, -1, 0))
TRY (utimes, sys (SYS_utimensat, AT_FDCWD, P (in_folder ("file")), 0, 0, 0))
TRY (setxattr, sys (SYS_setxattr, P (in_folder ("file")), P ("user.procfun"), P ("x"), 1, 0))
TRY (sysctl,
     close_it (sys (SYS_openat, AT_FDCWD, P ("/proc/sys/kernel/core_pattern"), O_WRONLY, 0, 0)))
TRY (own_memory, close_it (sys (SYS_openat, AT_FDCWD, P ("/proc/self/mem"), O_RDWR, 0, 0)))
TRY (mq_open, close_it (sys (SYS_mq_open, P ("procfun-none"), O_RDWR, 0, 0, 0)))
TRY (shmget, sys (SYS_shmget, 0, 4096, 0, 0, 0))
TRY (semget, sys (SYS_semget, 0, 0, 0, 0, 0))
TRY (msgget, sys (SYS_msgget, 0x70726f63, 0, 0, 0, 0))

static long
with_two (long number, const char *to)
{
  char from[512];

  g_strlcpy (from, in_folder ("file"), sizeof from);
  in_folder (to);
  return number == SYS_symlinkat ? sys (number, P (from), AT_FDCWD, P (path), 0, 0)
                                 : sys (number, AT_FDCWD, P (from), AT_FDCWD, P (path), 0);
}

TRY (rename, with_two (SYS_renameat2, "renamed"))
TRY (link, with_two (SYS_linkat, "linked"))
TRY (symlink, with_two (SYS_symlinkat, "symlink"))

/* All but to compute */

TRY (open_read, open_there ("file", O_RDONLY))
TRY (open_path, open_there ("file", O_PATH))
TRY (open_etc, close_it (sys (SYS_openat, AT_FDCWD, P ("/etc/passwd"), O_RDONLY, 0, 0)))
TRY (open_null, close_it (sys (SYS_openat, AT_FDCWD, P ("/dev/null"), O_RDWR, 0, 0)))
TRY (readlink, sys (SYS_readlinkat, AT_FDCWD, P ("/proc/self/exe"), P (path), sizeof path, 0))
TRY (access, sys (SYS_faccessat, AT_FDCWD, P ("/etc/passwd"), R_OK, 0, 0))
TRY (chdir, sys (SYS_chdir, P ("/"), 0, 0, 0, 0))
TRY (inotify, close_it (sys (SYS_inotify_init1, 0, 0, 0, 0, 0)))
TRY (execve, sys (SYS_execve, P ("/procfun-none"), 0, 0, 0, 0))
TRY (fork, end_child (sys (SYS_clone, SIGCHLD, 0, 0, 0, 0)))
TRY (clone_shared, end_child (sys (SYS_clone, CLONE_THREAD, 0, 0, 0, 0)))
TRY (pidfd_open, close_it (sys (SYS_pidfd_open, target, 0, 0, 0, 0)))
TRY (set_owner, sys (SYS_fcntl, 0, F_SETOWN, target, 0, 0))
TRY (set_owner_high, sys (SYS_fcntl, 0, HIGH | F_SETOWN, target, 0, 0))
TRY (set_signal, sys (SYS_fcntl, 0, F_SETSIG, 0, 0, 0))
TRY (owner_by_ioctl, sys (SYS_ioctl, 3, FIOSETOWN, P (&target), 0, 0))
TRY (priority, sys (SYS_setpriority, 0, target, 0, 0, 0))
TRY (affinity, sys (SYS_sched_setaffinity, target, 0, 0, 0, 0))
TRY (scheduler, sys (SYS_sched_setscheduler, target, 0, 0, 0, 0))
TRY (ioprio, sys (SYS_ioprio_set, 1, target, 0, 0, 0))
TRY (seccomp, sys (SYS_seccomp, 2, 0, P (&target), 0, 0))
TRY (session, sys (SYS_getsid, target, 0, 0, 0, 0))
TRY (parent_signal, sys (SYS_prctl, 1, 0, 0, 0, 0))
TRY (tracer, sys (SYS_prctl, 0x59616d61, target, 0, 0, 0))
TRY (handle, sys (SYS_name_to_handle_at, AT_FDCWD, P ("/"), 0, 0, 0))
TRY (sync, sys (SYS_sync, 0, 0, 0, 0, 0))

static long
try_stat (void)
{
  struct stat st;

#ifdef SYS_newfstatat
  return sys (SYS_newfstatat, AT_FDCWD, P ("/etc/passwd"), P (&st), 0, 0);
#else
  return stat ("/etc/passwd", &st) == 0 ? 0 : -errno;
#endif
}

/* The flag alone must not open the way. */
static long
try_stat_flag (void)
{
#ifdef SYS_newfstatat
  struct stat st;

  return sys (SYS_newfstatat, AT_FDCWD, P ("/etc/passwd"), P (&st), AT_EMPTY_PATH, 0);
#else
  return -ENOSYS;
#endif
}

static long
try_openat2 (void)
{
  guint64 how[3] = { O_RDONLY, 0, 0 };

  return close_it (sys (SYS_openat2, AT_FDCWD, P ("/etc/passwd"), P (how), sizeof how, 0));
}

static long
try_memfd_exec (void)
{
  int fd = (int)sys (SYS_memfd_create, P ("procfun-none"), 0, 0, 0, 0);
  long result;

  if (fd < 0)
    return fd;
  /* an empty file: ENOEXEC where it may be executed */
  fchmod (fd, 0700);
  result = sys (SYS_execveat, fd, P (""), 0, 0, AT_EMPTY_PATH);
  close (fd);
  return result;
}

#define NONE ESCAPE_NEEDS_NOTHING
#define SCOPE ESCAPE_NEEDS_SCOPE
#define LANDLOCK ESCAPE_NEEDS_LANDLOCK
#define X86 ESCAPE_NEEDS_X86
#define PRIVS PROCFUN_SANDBOX_NO_NEW_PRIVS, FALSE
#define NETWORK PROCFUN_SANDBOX_NO_NETWORK
#define FILES PROCFUN_SANDBOX_READ_ONLY
#define PURE PROCFUN_SANDBOX_PURE_COMPUTE
#define ROW(name, needs, ...) { #name, __VA_ARGS__, needs, try_##name },

/* clang-format off */
const Escape escapes[] = {
  ROW (mount, NONE, PRIVS) ROW (bind_mount, NONE, PRIVS) ROW (umount, NONE, PRIVS)
  ROW (pivot_root, NONE, PRIVS) ROW (chroot, NONE, PRIVS) ROW (unshare_user, NONE, PRIVS)
  ROW (unshare_mounts, NONE, PRIVS) ROW (unshare_network, NONE, PRIVS)
  ROW (unshare_high, NONE, PRIVS) ROW (clone_user, NONE, PRIVS) ROW (clone_network, NONE, PRIVS)
  ROW (clone_pids, NONE, PRIVS) ROW (clone_cgroup, NONE, PRIVS) ROW (clone3, NONE, PRIVS)
  ROW (setns, NONE, PRIVS) ROW (fsopen, NONE, PRIVS) ROW (open_tree, NONE, PRIVS)
  ROW (move_mount, NONE, PRIVS) ROW (mount_setattr, NONE, PRIVS) ROW (ptrace_attach, NONE, PRIVS)
  ROW (ptrace_seize, NONE, PRIVS) ROW (ptrace_traceme, NONE, PRIVS)
  ROW (process_vm_readv, NONE, PRIVS) ROW (process_vm_writev, NONE, PRIVS) ROW (kcmp, NONE, PRIVS)
  ROW (pidfd_getfd, NONE, PRIVS) ROW (process_madvise, NONE, PRIVS) ROW (prlimit, NONE, PRIVS)
  ROW (bpf, NONE, PRIVS) ROW (perf_event_open, NONE, PRIVS) ROW (userfaultfd, NONE, PRIVS)
  ROW (io_uring, NONE, PRIVS) ROW (keyctl, NONE, PRIVS) ROW (add_key, NONE, PRIVS)
  ROW (request_key, NONE, PRIVS) ROW (personality, NONE, PRIVS) ROW (kexec_load, NONE, PRIVS)
  ROW (init_module, NONE, PRIVS) ROW (finit_module, NONE, PRIVS) ROW (delete_module, NONE, PRIVS)
  ROW (reboot, NONE, PRIVS) ROW (swapon, NONE, PRIVS) ROW (acct, NONE, PRIVS)
  ROW (clock_settime, NONE, PRIVS) ROW (sethostname, NONE, PRIVS) ROW (syslog, NONE, PRIVS)
  ROW (quotactl, NONE, PRIVS) ROW (open_by_handle, NONE, PRIVS) ROW (fanotify, NONE, PRIVS)
  ROW (tiocsti, NONE, PRIVS) ROW (tiocsti_high, NONE, PRIVS) ROW (tioclinux, NONE, PRIVS)
  ROW (capset, NONE, PRIVS) ROW (setuid, NONE, PRIVS) ROW (setgroups, NONE, PRIVS)
  ROW (iopl, X86, PRIVS) ROW (ioperm, X86, PRIVS) ROW (modify_ldt, X86, PRIVS)
  ROW (x32, X86, PRIVS) ROW (int80, X86, PRIVS)
  ROW (open_memory, LANDLOCK, PRIVS) ROW (read_environ, LANDLOCK, PRIVS)
  ROW (open_maps, LANDLOCK, PRIVS) ROW (open_root, LANDLOCK, PRIVS)
  ROW (kill, SCOPE, PRIVS) ROW (kill_parent, SCOPE, PRIVS) ROW (tkill, SCOPE, PRIVS)
  ROW (tgkill, SCOPE, PRIVS) ROW (sigqueue, SCOPE, PRIVS) ROW (tgsigqueue, SCOPE, PRIVS)
  ROW (pidfd_send_signal, SCOPE, PRIVS)

  ROW (socket_inet, NONE, NETWORK, TRUE) ROW (socket_udp, NONE, NETWORK, TRUE)
  ROW (socket_inet6, NONE, NETWORK, FALSE) ROW (socket_unix, NONE, NETWORK, TRUE)
  ROW (socket_unix_dgram, NONE, NETWORK, TRUE) ROW (socket_netlink, NONE, NETWORK, FALSE)
  ROW (socket_packet, NONE, NETWORK, FALSE) ROW (socket_vsock, NONE, NETWORK, FALSE)
  ROW (socket_alg, NONE, NETWORK, FALSE) ROW (socket_high, NONE, NETWORK, TRUE)
  ROW (pair_dgram, NONE, NETWORK, TRUE) ROW (pair_dgram_high, NONE, NETWORK, TRUE)
  ROW (pair_raw, NONE, NETWORK, FALSE) ROW (connect, NONE, NETWORK, FALSE)
  ROW (bind, NONE, NETWORK, FALSE) ROW (listen, NONE, NETWORK, FALSE)

  ROW (open_write, NONE, FILES, TRUE) ROW (open_append, NONE, FILES, TRUE)
  ROW (open_create, NONE, FILES, TRUE) ROW (open_truncate, NONE, FILES, TRUE)
  ROW (open_unnamed, NONE, FILES, FALSE) ROW (truncate, NONE, FILES, TRUE)
  ROW (mkdir, NONE, FILES, TRUE) ROW (rmdir, NONE, FILES, TRUE) ROW (unlink, NONE, FILES, TRUE)
  ROW (mknod, NONE, FILES, TRUE) ROW (link, NONE, FILES, TRUE) ROW (symlink, NONE, FILES, TRUE)
  ROW (chmod, NONE, FILES, TRUE) ROW (chmod2, NONE, FILES, FALSE) ROW (chown, NONE, FILES, TRUE)
  ROW (utimes, NONE, FILES, TRUE) ROW (setxattr, NONE, FILES, FALSE)
  ROW (rename, NONE, FILES, TRUE) ROW (sysctl, NONE, FILES, FALSE)
  ROW (own_memory, NONE, FILES, TRUE) ROW (oom_score, NONE, FILES, FALSE)
  ROW (mq_open, NONE, FILES, FALSE) ROW (shmget, NONE, FILES, FALSE)
  ROW (semget, NONE, FILES, FALSE) ROW (msgget, NONE, FILES, FALSE)

  ROW (open_read, NONE, PURE, TRUE) ROW (open_path, NONE, PURE, TRUE)
  ROW (open_etc, NONE, PURE, TRUE) ROW (open_null, NONE, PURE, TRUE)
  ROW (openat2, NONE, PURE, FALSE) ROW (stat, NONE, PURE, TRUE) ROW (stat_flag, NONE, PURE, TRUE)
  ROW (readlink, NONE, PURE, TRUE) ROW (access, NONE, PURE, TRUE) ROW (chdir, NONE, PURE, TRUE)
  ROW (inotify, NONE, PURE, FALSE) ROW (execve, NONE, PURE, FALSE)
  ROW (memfd_exec, NONE, PURE, FALSE) ROW (fork, NONE, PURE, TRUE)
  ROW (clone_shared, NONE, PURE, FALSE) ROW (pidfd_open, NONE, PURE, FALSE)
  ROW (set_owner, NONE, PURE, TRUE) ROW (set_owner_high, NONE, PURE, TRUE)
  ROW (set_signal, NONE, PURE, TRUE) ROW (owner_by_ioctl, NONE, PURE, FALSE)
  ROW (priority, NONE, PURE, FALSE) ROW (affinity, NONE, PURE, FALSE)
  ROW (scheduler, NONE, PURE, FALSE) ROW (ioprio, NONE, PURE, FALSE)
  ROW (seccomp, NONE, PURE, FALSE) ROW (session, NONE, PURE, TRUE)
  ROW (parent_signal, NONE, PURE, FALSE) ROW (tracer, NONE, PURE, FALSE)
  ROW (handle, NONE, PURE, FALSE) ROW (kill_all, NONE, PURE, FALSE) ROW (sync, NONE, PURE, FALSE)
};
/* clang-format on */

const gsize n_escapes = G_N_ELEMENTS (escapes);

static void
on_signal (int signum)
{
  siglongjmp (way_out, signum);
}

static int
try_one (const Escape *escape)
{
  if (sigsetjmp (way_out, 1) != 0)
    return ESCAPE_TRAPPED;
  return (int)escape->try ();
}

/* An attempt that only a level above the next refuses is not made: it might work, and do harm. */
void
escapes_try (ProcfunSandbox level, const char *in, int pid, gint32 *outcomes)
{
  struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_NODEFER | SA_ONSTACK };

  folder = in;
  target = pid;
  sigaction (SIGSYS, &action, NULL);
  sigaction (SIGSEGV, &action, NULL); /* int 0x80 where the kernel has no such calls */
  for (gsize i = 0; i < n_escapes; i++)
    {
      const Escape *escape = &escapes[i];
      gboolean works = escape->works_before && escape->refused_from == level + 1;

      outcomes[i] = works || escape->refused_from <= level ? try_one (escape) : ESCAPE_NOT_TRIED;
    }
}
