/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "procfun/platform/sandbox-apply.h"

#include "procfun/base/intl.h"
#include "procfun/platform/fds.h"
#include "procfun/platform/landlock.h"
#include "procfun/platform/leave.h"
#include "procfun/platform/proc.h"
#include "procfun/platform/syscall-filter.h"
#include "procfun/platform/syscall-refusal.h"
#include "procfun/platform/thread.h"
#include "procfun/procfun-error.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define HIGH_NUMBER 512

#define PRIVILEGES                                                                                 \
  (PROCFUN_SANDBOX_PART_NO_NEW_PRIVS | PROCFUN_SANDBOX_PART_CAPABILITIES                           \
   | PROCFUN_SANDBOX_PART_SECCOMP)

/* Parts without which a level is not whole. All others of the table below are had where they can
 * be. */
static const guint32 needed[]
    = { [PROCFUN_SANDBOX_NONE] = 0,
        [PROCFUN_SANDBOX_NO_NEW_PRIVS] = PRIVILEGES,
        [PROCFUN_SANDBOX_NO_NETWORK] = PRIVILEGES,
        [PROCFUN_SANDBOX_READ_ONLY] = PRIVILEGES | PROCFUN_SANDBOX_PART_FILES,
        [PROCFUN_SANDBOX_PURE_COMPUTE] = PRIVILEGES };

static const LandlockSets landlock_sets[]
    = { [PROCFUN_SANDBOX_NONE] = 0,
        [PROCFUN_SANDBOX_NO_NEW_PRIVS] = LANDLOCK_SCOPE,
        [PROCFUN_SANDBOX_NO_NETWORK] = LANDLOCK_SCOPE | LANDLOCK_TCP,
        [PROCFUN_SANDBOX_READ_ONLY] = LANDLOCK_SCOPE | LANDLOCK_TCP | LANDLOCK_FILES,
        [PROCFUN_SANDBOX_PURE_COMPUTE] = LANDLOCK_SCOPE | LANDLOCK_TCP | LANDLOCK_FILES };

/* @name is the nick of the part. */
static gboolean
fail (GError **error, const char *name, const char *why)
{
  g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_SANDBOX,
               _ ("the part “%s” of the sandbox cannot be had here: %s"), name, why);
  return FALSE;
}

static gboolean
fail_by_errno (GError **error, const char *name)
{
  return fail (error, name, g_strerror (errno));
}

/* The parts, in their order */

static gboolean
give_up_privileges (const SandboxOrder *order, SandboxState *state, GError **error)
{
  if (prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
    return fail_by_errno (error, "no-new-privs");
  state->parts |= PROCFUN_SANDBOX_PART_NO_NEW_PRIVS;
  return TRUE;
}

/* With no_new_privs an executed file gives none back, not to root either; and ambient ones go with
 * those that are permitted. */
static gboolean
drop_capabilities (const SandboxOrder *order, SandboxState *state, GError **error)
{
  struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
  const struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { 0 };

  if (syscall (SYS_capset, &header, none) != 0)
    return fail_by_errno (error, "capabilities");
  state->parts |= PROCFUN_SANDBOX_PART_CAPABILITIES;
  return TRUE;
}

static gboolean
add_rule (int ruleset_fd, const char *path, LandlockAccess access, GError **error)
{
  auto_fd int fd = open (path, O_PATH | O_CLOEXEC);

  if (fd >= 0 && landlock_add (ruleset_fd, fd, access))
    return TRUE;
  g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_SANDBOX,
               _ ("the sandbox cannot leave %s to the function: %s"), path, g_strerror (errno));
  return FALSE;
}

/* @error: NULL: what is not there is left out. */
static gboolean
add_rules (int ruleset_fd, const char *const *paths, LandlockAccess access, GError **error)
{
  for (; paths != NULL && *paths != NULL; paths++)
    if (!add_rule (ruleset_fd, *paths, access, error) && error != NULL)
      return FALSE;
  return TRUE;
}

/* The library reads the list of this process's children to end them. Landlock knows the folder as
 * long as it is open somewhere. */
static gboolean
leave_own_folder (int ruleset_fd, GError **error)
{
  static int fd = -1;

  fd_clear (&fd);
  fd = open ("/proc/self", O_PATH | O_CLOEXEC);
  return fd < 0 || !fds_move_up (&fd) || landlock_add (ruleset_fd, fd, LANDLOCK_READ)
         || fail_by_errno (error, "files");
}

static gboolean
add_file_rules (const SandboxOrder *order, int ruleset_fd, GError **error)
{
  static const char *const everything[] = { "/", NULL };
  const char *const *readable = order->readable != NULL ? order->readable : everything;

  if (order->level != PROCFUN_SANDBOX_READ_ONLY)
    return TRUE;
  if (access ("/dev/null", F_OK) == 0
      && !add_rule (ruleset_fd, "/dev/null", LANDLOCK_DEVICE, error))
    return FALSE;
  return add_rules (ruleset_fd, readable, LANDLOCK_READ, error)
         && add_rules (ruleset_fd, order->writable, LANDLOCK_WRITE, error)
         && (order->readable == NULL || leave_own_folder (ruleset_fd, error));
}

static guint32
get_landlock_parts (LandlockSets sets)
{
  const guint version = landlock_get_version ();

  return ((sets & LANDLOCK_FILES) != 0 ? PROCFUN_SANDBOX_PART_FILES : 0)
         | ((sets & LANDLOCK_TCP) != 0 && version >= LANDLOCK_TCP_VERSION ? PROCFUN_SANDBOX_PART_TCP
                                                                          : 0)
         | ((sets & LANDLOCK_SCOPE) != 0 && version >= LANDLOCK_SCOPE_VERSION
                ? PROCFUN_SANDBOX_PART_SCOPE
                : 0);
}

static gboolean
needs_landlock (const SandboxOrder *order)
{
  return (needed[order->level] & PROCFUN_SANDBOX_PART_FILES) != 0;
}

/* A limit on open files counts the free numbers below it, and this one will be free again. */
static void
move_away (int *fd)
{
  int moved = fcntl (*fd, F_DUPFD_CLOEXEC, HIGH_NUMBER);

  if (moved < 0)
    return;
  close (*fd);
  *fd = moved;
}

/* Where Landlock is a second wall, it may be missing. */
static gboolean
prepare_landlock (SandboxOrder *order, GError **error)
{
  const LandlockSets sets = landlock_sets[order->level];

  if (landlock_get_version () == 0)
    return !needs_landlock (order) || fail (error, "files", _ ("this kernel is without Landlock"));
  if (get_landlock_parts (sets) == 0)
    return TRUE;
  order->ruleset_fd = landlock_open (sets);
  if (order->ruleset_fd < 0)
    return !needs_landlock (order) || fail_by_errno (error, "files");
  move_away (&order->ruleset_fd);
  return add_file_rules (order, order->ruleset_fd, order->best_effort ? NULL : error);
}

static gboolean
enter_landlock (const SandboxOrder *order, SandboxState *state, GError **error)
{
  if (order->ruleset_fd < 0)
    return !needs_landlock (order);
  if (!landlock_enter (order->ruleset_fd))
    return !needs_landlock (order) || fail_by_errno (error, "files");
  state->parts |= get_landlock_parts (landlock_sets[order->level]);
  return TRUE;
}

static gboolean
install_filter (const SandboxOrder *order, SandboxState *state, GError **error)
{
  if (order->filter == NULL)
    return fail (error, "seccomp", _ ("this build of procfun is without libseccomp"));
  if (!syscall_filter_install (order->filter, order->filter_size))
    return fail_by_errno (error, "seccomp");
  state->parts |= PROCFUN_SANDBOX_PART_SECCOMP;
  return TRUE;
}

/* All of them */

/* All parts are of a thread and of those that it starts. Another one would be a way out. */
static gboolean
check_threads (GError **error)
{
  if (thread_count () <= 1)
    return TRUE;
  g_set_error_literal (error, PROCFUN_ERROR, PROCFUN_ERROR_SANDBOX,
                       _ ("the sandbox cannot be closed: the process has other threads already"));
  return FALSE;
}

/* Of the two highest, each has a part of its own. */
static ProcfunSandbox
find_whole_level (const SandboxOrder *order, const SandboxState *state)
{
  ProcfunSandbox level = order->level;

  if (level == PROCFUN_SANDBOX_READ_ONLY && (state->parts & needed[level]) != needed[level])
    level = PROCFUN_SANDBOX_NO_NETWORK;
  return (state->parts & needed[level]) == needed[level] ? level : PROCFUN_SANDBOX_NONE;
}

gboolean
sandbox_prepare (SandboxOrder *order, GError **error)
{
  order->ruleset_fd = -1;
  if (order->level == PROCFUN_SANDBOX_NONE)
    return TRUE;
  proc_keep_open ();
  return prepare_landlock (order, order->best_effort ? NULL : error) || order->best_effort;
}

gboolean
sandbox_apply (const SandboxOrder *order, SandboxState *state, GError **error)
{
  static gboolean (*const parts[]) (const SandboxOrder *order, SandboxState *state, GError **error)
      = { give_up_privileges, drop_capabilities, enter_landlock, install_filter };
  gboolean is_alone;

  *state = (SandboxState){ 0 };
  if (order->level == PROCFUN_SANDBOX_NONE)
    return TRUE;
  is_alone = check_threads (order->best_effort ? NULL : error);
  if (!is_alone && !order->best_effort)
    return FALSE;
  if (order->level == PROCFUN_SANDBOX_PURE_COMPUTE)
    syscall_refusal_begin ();
  if (order->level >= PROCFUN_SANDBOX_READ_ONLY)
    leave_write_last_counts ();
  for (gsize i = 0; i < G_N_ELEMENTS (parts); i++)
    if (!parts[i](order, state, order->best_effort ? NULL : error) && !order->best_effort)
      return FALSE;
  state->level = is_alone ? find_whole_level (order, state) : PROCFUN_SANDBOX_NONE;
  errno = 0;
  return TRUE;
}
