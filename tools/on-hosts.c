/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Other machines, where calls of a program run. */

#include "tools/on-hosts.h"

/* Hosts start the program itself, or load the library, which they have at the same path. */
void
on_hosts_set_program (ProcfunExecutor *executor, const Program *program)
{
  if (!PROCFUN_IS_REMOTE_POOL (executor))
    return;
  if (program->is_program)
    procfun_remote_pool_set_program (PROCFUN_REMOTE_POOL (executor), program->path);
  else
    procfun_remote_pool_set_library (PROCFUN_REMOTE_POOL (executor), program->path);
}

ProcfunExecutor *
on_hosts_new (const char *list, const Program *program, GError **error)
{
  g_autoptr (ProcfunRemotePool) hosts = procfun_remote_pool_new (list, error);

  if (hosts == NULL)
    {
      g_prefix_error (error, "--on: ");
      return NULL;
    }
  on_hosts_set_program (PROCFUN_EXECUTOR (hosts), program);
  return PROCFUN_EXECUTOR (g_steal_pointer (&hosts));
}
