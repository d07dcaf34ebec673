/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/base/sandbox.h"

/**
 * SECTION:procfun-sandbox
 * @title: Sandboxes
 * @short_description: what a function can reach
 *
 * A process of its own keeps a function out of the program's memory. A sandbox takes away what the
 * process could do otherwise: the rights of the user, the network, the files. One line shuts a
 * function in:
 *
 * |[<!-- language="C" -->
 * procfun_call_set_sandbox (call, PROCFUN_SANDBOX_PURE_COMPUTE);
 * ]|
 *
 * procfun_process_executor_set_sandbox() does so for all calls of an executor; the workers of a
 * #ProcfunPool are shut in once, when their initializer has run. The macros
 * PROCFUN_DEFINE_SANDBOXED_FUNCTION() do so for a function, wherever it is called from. Where
 * several are set, see procfun_call_set_sandbox().
 *
 * A sandbox is whole, or the call fails before the function runs, with %PROCFUN_ERROR_SANDBOX and a
 * message that names the part which cannot be had here. With
 * procfun_sandbox_rules_set_best_effort() the function runs with what there is, and
 * procfun_call_get_sandbox() and procfun_call_get_sandbox_parts() tell what that was.
 *
 * A refused system call fails with `EPERM` or `EACCES`, as the system would do it. At
 * %PROCFUN_SANDBOX_PURE_COMPUTE its name is in the error of the call, if the call fails; and a
 * system call that no harmless program makes, such as `ptrace`, ends the process.
 *
 * Open descriptors stay open: standard output and error, descriptors among the arguments, and those
 * that constructors and the initializer of a pool have opened.
 *
 * Since: 0.1
 */

struct _ProcfunSandboxRules
{
  gboolean best_effort;
  GPtrArray *writable; /* (element-type filename): ends with NULL */
  GPtrArray *readable; /* likewise */
};

G_DEFINE_ENUM_TYPE (ProcfunSandbox, procfun_sandbox,
                    G_DEFINE_ENUM_VALUE (PROCFUN_SANDBOX_NONE, "none"),
                    G_DEFINE_ENUM_VALUE (PROCFUN_SANDBOX_NO_NEW_PRIVS, "no-new-privs"),
                    G_DEFINE_ENUM_VALUE (PROCFUN_SANDBOX_NO_NETWORK, "no-network"),
                    G_DEFINE_ENUM_VALUE (PROCFUN_SANDBOX_READ_ONLY, "read-only"),
                    G_DEFINE_ENUM_VALUE (PROCFUN_SANDBOX_PURE_COMPUTE, "pure-compute"))

G_DEFINE_FLAGS_TYPE (ProcfunSandboxParts, procfun_sandbox_parts,
                     G_DEFINE_ENUM_VALUE (PROCFUN_SANDBOX_PART_NO_NEW_PRIVS, "no-new-privs"),
                     G_DEFINE_ENUM_VALUE (PROCFUN_SANDBOX_PART_CAPABILITIES, "capabilities"),
                     G_DEFINE_ENUM_VALUE (PROCFUN_SANDBOX_PART_SECCOMP, "seccomp"),
                     G_DEFINE_ENUM_VALUE (PROCFUN_SANDBOX_PART_FILES, "files"),
                     G_DEFINE_ENUM_VALUE (PROCFUN_SANDBOX_PART_TCP, "tcp"),
                     G_DEFINE_ENUM_VALUE (PROCFUN_SANDBOX_PART_SCOPE, "scope"))

G_DEFINE_BOXED_TYPE (ProcfunSandboxRules, procfun_sandbox_rules, procfun_sandbox_rules_copy,
                     procfun_sandbox_rules_free)

static GPtrArray *
new_list (void)
{
  GPtrArray *list = g_ptr_array_new_with_free_func (g_free);

  g_ptr_array_add (list, NULL);
  return list;
}

static void
add_path (GPtrArray *list, const char *path)
{
  g_ptr_array_insert (list, (gint)list->len - 1, g_canonicalize_filename (path, NULL));
}

static const char *const *
get_paths (GPtrArray *list)
{
  return (const char *const *)list->pdata;
}

static GPtrArray *
copy_list (GPtrArray *list)
{
  GPtrArray *copy = new_list ();

  for (const char *const *path = get_paths (list); *path != NULL; path++)
    add_path (copy, *path);
  return copy;
}

/**
 * procfun_sandbox_rules_new:
 *
 * Makes rules that leave nothing writable and everything readable, for a sandbox that must be
 * whole.
 *
 * Returns: (transfer full): the rules; free them with procfun_sandbox_rules_free()
 *
 * Since: 0.1
 */
ProcfunSandboxRules *
procfun_sandbox_rules_new (void)
{
  ProcfunSandboxRules *self = g_new0 (ProcfunSandboxRules, 1);

  self->writable = new_list ();
  self->readable = new_list ();
  return self;
}

/**
 * procfun_sandbox_rules_copy:
 * @self: rules
 *
 * Copies rules.
 *
 * Returns: (transfer full): the copy; free it with procfun_sandbox_rules_free()
 *
 * Since: 0.1
 */
ProcfunSandboxRules *
procfun_sandbox_rules_copy (const ProcfunSandboxRules *self)
{
  ProcfunSandboxRules *copy;

  g_return_val_if_fail (self != NULL, NULL);

  copy = g_new (ProcfunSandboxRules, 1);
  copy->best_effort = self->best_effort;
  copy->writable = copy_list (self->writable);
  copy->readable = copy_list (self->readable);
  return copy;
}

/**
 * procfun_sandbox_rules_free:
 * @self: (transfer full): rules
 *
 * Frees rules.
 *
 * Since: 0.1
 */
void
procfun_sandbox_rules_free (ProcfunSandboxRules *self)
{
  g_return_if_fail (self != NULL);

  g_ptr_array_unref (self->writable);
  g_ptr_array_unref (self->readable);
  g_free (self);
}

/**
 * procfun_sandbox_rules_set_best_effort:
 * @self: rules
 * @best_effort: whether the function may run although parts of the sandbox cannot be had here
 *
 * Lets a call go on with the parts of its sandbox that this system has. Otherwise it fails with
 * %PROCFUN_ERROR_SANDBOX. procfun_call_get_sandbox() tells what was achieved.
 *
 * Since: 0.1
 */
void
procfun_sandbox_rules_set_best_effort (ProcfunSandboxRules *self, gboolean best_effort)
{
  g_return_if_fail (self != NULL);

  self->best_effort = best_effort != FALSE;
}

/**
 * procfun_sandbox_rules_get_best_effort:
 * @self: rules
 *
 * Tells what procfun_sandbox_rules_set_best_effort() has set.
 *
 * Returns: whether the function may run although parts are missing
 *
 * Since: 0.1
 */
gboolean
procfun_sandbox_rules_get_best_effort (const ProcfunSandboxRules *self)
{
  g_return_val_if_fail (self != NULL, FALSE);

  return self->best_effort;
}

/**
 * procfun_sandbox_rules_add_writable:
 * @self: rules
 * @path: (type filename): a folder or a file
 *
 * Lets a function at %PROCFUN_SANDBOX_READ_ONLY change this file, or all in this folder, and read
 * it. A path that is not there when the function begins is an error. Other levels take no notice.
 *
 * Modes, owners, times and attributes of files stay as they are even there.
 *
 * Since: 0.1
 */
void
procfun_sandbox_rules_add_writable (ProcfunSandboxRules *self, const char *path)
{
  g_return_if_fail (self != NULL);
  g_return_if_fail (path != NULL);

  add_path (self->writable, path);
}

/**
 * procfun_sandbox_rules_get_writable:
 * @self: rules
 *
 * Gets what procfun_sandbox_rules_add_writable() has added.
 *
 * Returns: (transfer none) (array zero-terminated=1) (element-type filename): absolute paths
 *
 * Since: 0.1
 */
const char *const *
procfun_sandbox_rules_get_writable (const ProcfunSandboxRules *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return get_paths (self->writable);
}

/**
 * procfun_sandbox_rules_add_readable:
 * @self: rules
 * @path: (type filename): a folder or a file
 *
 * Lets a function at %PROCFUN_SANDBOX_READ_ONLY read this file, or all in this folder, and execute
 * it. As soon as one is added, what was not added cannot be opened: programs that are to be
 * executed, and libraries and tables that are loaded on demand, need folders such as `/usr` and
 * `/etc`. A path that is not there when the function begins is an error. Other levels take no
 * notice.
 *
 * The names, sizes and times of all files can still be asked for.
 *
 * Since: 0.1
 */
void
procfun_sandbox_rules_add_readable (ProcfunSandboxRules *self, const char *path)
{
  g_return_if_fail (self != NULL);
  g_return_if_fail (path != NULL);

  add_path (self->readable, path);
}

/**
 * procfun_sandbox_rules_get_readable:
 * @self: rules
 *
 * Gets what procfun_sandbox_rules_add_readable() has added.
 *
 * Returns: (transfer none) (array zero-terminated=1) (element-type filename): absolute paths; none
 * stands for all
 *
 * Since: 0.1
 */
const char *const *
procfun_sandbox_rules_get_readable (const ProcfunSandboxRules *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return get_paths (self->readable);
}

/* On the way to another machine */

GVariant *
sandbox_rules_to_variant (const ProcfunSandboxRules *self)
{
  return g_variant_new ("(b^aay^aay)", self->best_effort, get_paths (self->writable),
                        get_paths (self->readable));
}

ProcfunSandboxRules *
sandbox_rules_from_variant (GVariant *variant)
{
  ProcfunSandboxRules *self = procfun_sandbox_rules_new ();
  g_autofree const char **writable = NULL, **readable = NULL;

  g_variant_get (variant, "(b^a&ay^a&ay)", &self->best_effort, &writable, &readable);
  for (const char **path = writable; *path != NULL; path++)
    add_path (self->writable, *path);
  for (const char **path = readable; *path != NULL; path++)
    add_path (self->readable, *path);
  return self;
}

/* Plans */

SandboxPlan *
sandbox_plan_new (ProcfunSandbox level, const ProcfunSandboxRules *rules)
{
  SandboxPlan *self = g_new0 (SandboxPlan, 1);

  g_atomic_ref_count_init (&self->ref_count);
  self->level = level;
  if (rules == NULL)
    return self;
  self->best_effort = rules->best_effort;
  self->writable = g_strdupv ((char **)rules->writable->pdata);
  if (rules->readable->pdata[0] != NULL)
    self->readable = g_strdupv ((char **)rules->readable->pdata);
  return self;
}

SandboxPlan *
sandbox_plan_ref (SandboxPlan *self)
{
  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

void
sandbox_plan_unref (SandboxPlan *self)
{
  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;
  g_strfreev (self->writable);
  g_strfreev (self->readable);
  g_clear_pointer (&self->bytes, g_bytes_unref);
  g_free (self);
}

SandboxPlan *
sandbox_plan_of_level (ProcfunSandbox level)
{
  static SandboxPlan *plans[PROCFUN_SANDBOX_PURE_COMPUTE + 1];
  SandboxPlan *plan = g_atomic_pointer_get (&plans[level]);

  if (plan != NULL)
    return plan;
  plan = sandbox_plan_new (level, NULL);
  if (g_atomic_pointer_compare_and_exchange (&plans[level], NULL, plan))
    return plan;
  sandbox_plan_unref (plan);
  return g_atomic_pointer_get (&plans[level]);
}
