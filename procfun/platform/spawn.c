/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/platform/spawn.h"

#include "procfun/base/intl.h"
#include "procfun/procfun-error.h"
#include <spawn.h>
#include <string.h>
#include <unistd.h>

/* Signals as in a fresh program. */
static void
set_signals (posix_spawnattr_t *attributes)
{
  sigset_t none, all;

  sigemptyset (&none);
  sigfillset (&all);
  posix_spawnattr_setsigmask (attributes, &none);
  posix_spawnattr_setsigdefault (attributes, &all);
  posix_spawnattr_setflags (attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF
                                            | POSIX_SPAWN_SETSID | POSIX_SPAWN_USEVFORK);
}

gboolean
spawn_command (const char *const *argv, const int streams[3], pid_t *pid, GError **error)
{
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  int result;

  posix_spawn_file_actions_init (&actions);
  posix_spawnattr_init (&attributes);
  for (int i = STDIN_FILENO; i <= STDERR_FILENO; i++)
    posix_spawn_file_actions_adddup2 (&actions, streams[i], i);
  posix_spawn_file_actions_addclosefrom_np (&actions, STDERR_FILENO + 1);
  set_signals (&attributes);
  result = posix_spawnp (pid, argv[0], &actions, &attributes, (char *const *)argv, environ);
  posix_spawnattr_destroy (&attributes);
  posix_spawn_file_actions_destroy (&actions);
  if (result == 0)
    return TRUE;
  g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_ENGINE, _ ("%s cannot be started: %s"), argv[0],
               g_strerror (result));
  return FALSE;
}
