/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "procfun/platform/syscall-refusal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

static gboolean is_on;
static int last = -1; /* by any thread */

/* Registers */

#if defined(__x86_64__) && defined(__LP64__)

#define ARCHITECTURE AUDIT_ARCH_X86_64
#define X32_CALLS 0x40000000

static gint64
get_argument (const ucontext_t *context, guint i)
{
  static const int registers[] = { REG_RDI, REG_RSI, REG_RDX, REG_R10 };

  return context->uc_mcontext.gregs[registers[i]];
}

static void
set_result (ucontext_t *context, gint64 result)
{
  context->uc_mcontext.gregs[REG_RAX] = result;
}

#elif defined(__aarch64__)

#define ARCHITECTURE AUDIT_ARCH_AARCH64

static gint64
get_argument (const ucontext_t *context, guint i)
{
  return (gint64)context->uc_mcontext.regs[i];
}

static void
set_result (ucontext_t *context, gint64 result)
{
  context->uc_mcontext.regs[0] = (guint64)result;
}

#else

/* Each refused system call is a crash. */
#define ARCHITECTURE 0

G_GNUC_UNUSED static gint64
get_argument (const ucontext_t *context, guint i)
{
  return 0;
}

static void
set_result (ucontext_t *context, gint64 result)
{
}

#endif

#ifndef X32_CALLS
#define X32_CALLS G_MAXINT
#endif

gboolean
syscall_refusal_is_native (const siginfo_t *info)
{
  return info->si_arch == ARCHITECTURE && info->si_syscall < X32_CALLS;
}

/* Errors. Libraries have a way without a call that is not there (ENOSYS). */

/* Calls with higher numbers are younger than this list, and so not needed. */
#define NEWEST_KNOWN 450

static const struct
{
  int number;
  int error_number;
} errors[] = {
  { SYS_openat2, ENOSYS },        { SYS_faccessat2, ENOSYS },    { SYS_statx, ENOSYS },
  { SYS_io_uring_setup, ENOSYS }, { SYS_ioctl, ENOTTY },         { SYS_fcntl, EPERM },
  { SYS_prctl, EPERM },           { SYS_sched_setattr, EPERM },  { SYS_sched_setparam, EPERM },
  { SYS_getpgid, EPERM },         { SYS_getsid, EPERM },         { SYS_setsid, EPERM },
  { SYS_mlockall, EPERM },        { SYS_flock, EPERM },          { SYS_signalfd4, EPERM },
  { SYS_get_mempolicy, EPERM },   { SYS_set_mempolicy, EPERM },  { SYS_mbind, EPERM },
  { SYS_openat, EACCES },         { SYS_readlinkat, EACCES },    { SYS_faccessat, EACCES },
  { SYS_fchmod, EACCES },         { SYS_fchmodat, EACCES },      { SYS_fchown, EACCES },
  { SYS_fchownat, EACCES },       { SYS_statfs, EACCES },        { SYS_mkdirat, EACCES },
  { SYS_mknodat, EACCES },        { SYS_unlinkat, EACCES },      { SYS_symlinkat, EACCES },
  { SYS_linkat, EACCES },         { SYS_renameat2, EACCES },     { SYS_truncate, EACCES },
  { SYS_utimensat, EACCES },      { SYS_chdir, EACCES },         { SYS_fchdir, EACCES },
  { SYS_getxattr, EACCES },       { SYS_lgetxattr, EACCES },     { SYS_fgetxattr, EACCES },
  { SYS_setxattr, EACCES },       { SYS_inotify_init1, EACCES }, { SYS_inotify_add_watch, EACCES },
  { SYS_socket, EACCES },         { SYS_socketpair, EACCES },    { SYS_connect, EACCES },
  { SYS_bind, EACCES },           { SYS_listen, EACCES },        { SYS_accept4, EACCES },
  { SYS_execve, EACCES },         { SYS_execveat, EACCES },
#ifdef SYS_accept
  { SYS_accept, EACCES },
#endif
#ifdef SYS_newfstatat
  { SYS_newfstatat, EACCES },
#endif
#ifdef SYS_renameat
  { SYS_renameat, EACCES },
#endif
#ifdef SYS_open /* and others that young architectures do not have */
  { SYS_open, EACCES },           { SYS_creat, EACCES },         { SYS_stat, EACCES },
  { SYS_lstat, EACCES },          { SYS_access, EACCES },        { SYS_readlink, EACCES },
  { SYS_mkdir, EACCES },          { SYS_rmdir, EACCES },         { SYS_mknod, EACCES },
  { SYS_unlink, EACCES },         { SYS_rename, EACCES },        { SYS_link, EACCES },
  { SYS_symlink, EACCES },        { SYS_chmod, EACCES },         { SYS_chown, EACCES },
  { SYS_lchown, EACCES },         { SYS_utime, EACCES },         { SYS_utimes, EACCES },
  { SYS_inotify_init, EACCES },
#endif
#ifdef SYS_arch_prctl
  { SYS_arch_prctl, EINVAL },
#endif
};

/* 0: it is a crash. */
static int
find_error (int number)
{
  if (number > NEWEST_KNOWN)
    return ENOSYS;
  for (gsize i = 0; i < G_N_ELEMENTS (errors); i++)
    if (errors[i].number == number)
      return errors[i].error_number;
  return 0;
}

/* The C library asks so about a descriptor, which is allowed. The path is in the memory of the
 * program, so that the filter cannot see that there is none. TRUE: @context has the answer. */
static gboolean
look_at_descriptor (int number, ucontext_t *context)
{
#if defined(SYS_newfstatat) && defined(SYS_fstat)
  const char *path = (const char *)(guintptr)get_argument (context, 1);
  int error_number = errno;
  long result;

  if (number != SYS_newfstatat || (get_argument (context, 3) & AT_EMPTY_PATH) == 0
      || (path != NULL && path[0] != '\0'))
    return FALSE;
  result = syscall (SYS_fstat, (int)get_argument (context, 0), get_argument (context, 2));
  set_result (context, result == 0 ? 0 : -errno);
  errno = error_number;
  return TRUE;
#else
  return FALSE;
#endif
}

void
syscall_refusal_begin (void)
{
  is_on = TRUE;
}

gboolean
syscall_refusal_handle (const siginfo_t *info, gpointer context)
{
  int error_number;

  if (!is_on || info->si_code <= 0 || ARCHITECTURE == 0 || !syscall_refusal_is_native (info))
    return FALSE;
  if (look_at_descriptor (info->si_syscall, context))
    return TRUE;
  error_number = find_error (info->si_syscall);
  if (error_number == 0)
    return FALSE;
  if (error_number == EACCES)
    __atomic_store_n (&last, info->si_syscall, __ATOMIC_RELAXED);
  set_result (context, -error_number);
  return TRUE;
}

int
syscall_refusal_get_last (void)
{
  return __atomic_load_n (&last, __ATOMIC_RELAXED);
}

void
syscall_refusal_forget (void)
{
  __atomic_store_n (&last, -1, __ATOMIC_RELAXED);
}
