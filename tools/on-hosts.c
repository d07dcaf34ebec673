/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Other machines, where calls of a program run. */

#include "tools/on-hosts.h"

#include "procfun/base/intl.h"

/* Hosts start the program itself, which they have at the same path. */
gboolean
on_hosts_set_program (ProcfunExecutor *executor, const Program *program, GError **error)
{
  if (!PROCFUN_IS_REMOTE_POOL (executor))
    return TRUE;
  procfun_remote_pool_set_program (PROCFUN_REMOTE_POOL (executor), program->path);
  if (!program->is_program)
    g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_INVALID,
                 _ ("“%s” is a library, but hosts run programs"), program->name);
  return program->is_program;
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
  if (!on_hosts_set_program (PROCFUN_EXECUTOR (hosts), program, error))
    return NULL;
  return PROCFUN_EXECUTOR (g_steal_pointer (&hosts));
}
