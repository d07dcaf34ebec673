/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The default executor, and executors by name. Apart from core/executor.c, which does not know
 * them. */

#include "procfun/run/default-executor.h"

#include "procfun/base/environment.h"
#include "procfun/base/intl.h"
#include "procfun/base/readable.h"
#include "procfun/child/command-line.h"
#include "procfun/core/call.h"
#include "procfun/core/executor.h"
#include "procfun/procfun-error.h"
#include "procfun/procfun-fork-server.h"
#include "procfun/procfun-inline.h"
#include "procfun/procfun-pool.h"
#include "procfun/procfun-remote-pool.h"
#include "procfun/procfun-spawner.h"

#include "procfun/remote/host-serve.h"
#include "procfun/remote/host-spec.h"
#include "procfun/run/unknown-executor.h"
#include "procfun/statistics/monitor.h"
#include <string.h>

G_LOCK_DEFINE_STATIC (default_executor);
static ProcfunExecutor *default_executor;

#define POOL_PREFIX "pool:"

/* “pool:4”. (nullable) */
static ProcfunExecutor *
make_pool (const char *name)
{
  guint64 n;

  if (!g_str_has_prefix (name, POOL_PREFIX)
      || !g_ascii_string_to_unsigned (name + strlen (POOL_PREFIX), 10, 1, G_MAXINT, &n, NULL))
    return NULL;
  return PROCFUN_EXECUTOR (procfun_pool_new ((guint)n));
}

ProcfunExecutor *
procfun_executor_new_by_name (const char *name, GError **error)
{
  static const struct
  {
    const char *name;
    GType (*get_type) (void);
  } executors[] = { { "spawn", procfun_spawner_get_type },
                    { "fork", procfun_fork_server_get_type },
                    { "pool", procfun_pool_get_type },
                    { "inline", procfun_inline_get_type } };
  ProcfunExecutor *pool;
  g_autofree char *line = NULL;

  for (gsize i = 0; i < G_N_ELEMENTS (executors); i++)
    if (g_str_equal (name, executors[i].name))
      return g_object_new (executors[i].get_type (), NULL);
  pool = make_pool (name);
  if (pool != NULL)
    return pool;
  if (!g_str_has_prefix (name, POOL_PREFIX) && host_spec_is_list (name))
    return (ProcfunExecutor *)procfun_remote_pool_new (name, error);
  line = readable_line (name, -1);
  g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_INVALID,
               _ ("“%s”: the executors are spawn, fork, pool and inline"), line);
  return NULL;
}

static ProcfunExecutor *
make_default (void)
{
  const char *wanted = environment_get ("PROCFUN_EXECUTOR");
  GError *error = NULL;
  ProcfunExecutor *executor;

  if (wanted == NULL || wanted[0] == '\0')
    return PROCFUN_EXECUTOR (procfun_fork_server_new ());
  executor = procfun_executor_new_by_name (wanted, &error);
  return executor != NULL ? executor : unknown_executor_new (error);
}

ProcfunExecutor *
procfun_executor_ref_default (void)
{
  ProcfunExecutor *executor;

  G_LOCK (default_executor);
  if (default_executor == NULL)
    default_executor = make_default ();
  executor = g_object_ref (default_executor);
  G_UNLOCK (default_executor);
  return executor;
}

ProcfunExecutor *
procfun_call_ref_executor (ProcfunCall *call)
{
  ProcfunExecutor *executor = procfun_call_get_settings (call)->executor;

  return executor != NULL ? g_object_ref (executor) : procfun_executor_ref_default ();
}

/* Registered in this file because every program that calls contains it, static ones included. */
__attribute__ ((constructor (102))) static void
offer (void)
{
  procfun_executor_set_first_hook (monitor_open_if_asked);
  command_line_set_host (host_serve);
}

/**
 * procfun_executor_get_default:
 *
 * Gets the executor of calls that name none: what procfun_executor_set_default() set, or what the
 * environment variable `PROCFUN_EXECUTOR` names, or a #ProcfunForkServer. Where the variable names
 * none that exists, each call fails with %PROCFUN_ERROR_INVALID.
 *
 * Returns: (transfer none): the default executor
 *
 * Since: 0.1
 */
ProcfunExecutor *
procfun_executor_get_default (void)
{
  g_autoptr (ProcfunExecutor) executor = procfun_executor_ref_default ();

  return executor;
}

/**
 * procfun_executor_set_default:
 * @self: (nullable): an executor, or %NULL to go back to the one that a program has which sets none
 *
 * Sets where calls run that name no executor. Do this at the beginning of a program: a call that
 * another thread makes meanwhile may still go to the one before.
 *
 * Since: 0.1
 */
void
procfun_executor_set_default (ProcfunExecutor *self)
{
  ProcfunExecutor *before;

  g_return_if_fail (self == NULL || PROCFUN_IS_EXECUTOR (self));

  if (self != NULL)
    g_object_ref (self);
  G_LOCK (default_executor);
  before = default_executor;
  default_executor = self;
  G_UNLOCK (default_executor);
  g_clear_object (&before);
}
