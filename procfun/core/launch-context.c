/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/core/launch-context.h"

#include "procfun/base/intl.h"
#include "procfun/platform/launch-context-apply.h"
#include "procfun/procfun-error.h"
#include <gio/gio.h>
#include <string.h>
#include <sys/resource.h>

/**
 * SECTION:procfun-launch-context
 * @title: ProcfunLaunchContext
 * @short_description: the launch context of a process
 *
 * The launch context of a process. May be used for any number of calls.
 */

/**
 * ProcfunLaunchContext:
 *
 * The launch context of a process. May be used for any number of calls.
 *
 * Properties of a call's process that differ from those of its caller: the
 * working directory, the environment, its nice value, the CPUs that it may use, and descriptors.
 * procfun_call_set_launch_context() sets it for a call,
 * procfun_process_executor_set_launch_context() for all that set none.
 *
 * The process applies it just before the function runs; libraries that look at the environment when
 * they are loaded have done so by then.
 *
 * Since: 0.1
 */
struct _ProcfunLaunchContext
{
  GObject parent_instance;

  GMutex lock;
  char *working_directory; /* (nullable) */
  gboolean clears_environment;
  GHashTable *variables; /* (element-type utf8 utf8): NULL for those to unset */
  GHashTable *passed;    /* (element-type utf8): a set */
  gboolean has_nice;
  int nice;
  char *cpus; /* (nullable) */
  GUnixFDList *fds;
  GArray *targets; /* (element-type gint32): the number that each gets */
};

G_DEFINE_FINAL_TYPE (ProcfunLaunchContext, procfun_launch_context, G_TYPE_OBJECT)

static void
procfun_launch_context_finalize (GObject *object)
{
  ProcfunLaunchContext *self = PROCFUN_LAUNCH_CONTEXT (object);

  g_free (self->working_directory);
  g_hash_table_unref (self->variables);
  g_hash_table_unref (self->passed);
  g_free (self->cpus);
  g_object_unref (self->fds);
  g_array_unref (self->targets);
  g_mutex_clear (&self->lock);

  G_OBJECT_CLASS (procfun_launch_context_parent_class)->finalize (object);
}

static void
procfun_launch_context_class_init (ProcfunLaunchContextClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = procfun_launch_context_finalize;
}

static void
procfun_launch_context_init (ProcfunLaunchContext *self)
{
  g_mutex_init (&self->lock);
  self->variables = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  self->passed = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->fds = g_unix_fd_list_new ();
  self->targets = g_array_new (FALSE, FALSE, sizeof (gint32));
}

/* A variable that is passed by name has the value of this moment. */
static GVariant *
list_variables (ProcfunLaunchContext *self)
{
  GVariantBuilder builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("a(aymay)"));
  GHashTableIter iter;
  const char *name;
  const char *value;

  g_hash_table_iter_init (&iter, self->passed);
  while (g_hash_table_iter_next (&iter, (gpointer *)&name, NULL))
    if (g_getenv (name) != NULL)
      g_variant_builder_add (&builder, "(^aym^ay)", name, g_getenv (name));
  g_hash_table_iter_init (&iter, self->variables);
  while (g_hash_table_iter_next (&iter, (gpointer *)&name, (gpointer *)&value))
    g_variant_builder_add (&builder, "(^aym^ay)", name, value);
  return g_variant_builder_end (&builder);
}

GVariant *
procfun_launch_context_to_variant (ProcfunLaunchContext *self, GUnixFDList **fds)
{
  g_auto (GVariantDict) dict = G_VARIANT_DICT_INIT (NULL);

  g_mutex_lock (&self->lock);
  if (self->working_directory != NULL)
    g_variant_dict_insert (&dict, "working-directory", "^ay", self->working_directory);
  if (self->clears_environment)
    g_variant_dict_insert (&dict, "clear-environment", "b", TRUE);
  g_variant_dict_insert_value (&dict, "variables", list_variables (self));
  if (self->has_nice)
    g_variant_dict_insert (&dict, "nice", "i", self->nice);
  if (self->cpus != NULL)
    g_variant_dict_insert (&dict, "cpus", "s", self->cpus);
  g_variant_dict_insert_value (&dict, "targets",
                               g_variant_new_fixed_array (G_VARIANT_TYPE_INT32, self->targets->data,
                                                          self->targets->len, sizeof (gint32)));
  *fds = self->targets->len > 0 ? g_object_ref (self->fds) : NULL;
  g_mutex_unlock (&self->lock);
  return g_variant_dict_end (&dict);
}

/**
 * procfun_launch_context_new:
 *
 * Makes launch context that are those of the caller, until something else is set.
 *
 * Returns: (transfer full): a new #ProcfunLaunchContext
 *
 * Since: 0.1
 */
ProcfunLaunchContext *
procfun_launch_context_new (void)
{
  return g_object_new (PROCFUN_TYPE_LAUNCH_CONTEXT, NULL);
}

/**
 * procfun_launch_context_set_working_directory:
 * @self: a #ProcfunLaunchContext
 * @path: (nullable) (type filename): a folder, or %NULL for that of the caller
 *
 * Sets the working directory. When the process cannot go there, the call fails with
 * %PROCFUN_ERROR_SPAWN.
 *
 * Since: 0.1
 */
void
procfun_launch_context_set_working_directory (ProcfunLaunchContext *self, const char *path)
{
  g_return_if_fail (PROCFUN_IS_LAUNCH_CONTEXT (self));

  g_mutex_lock (&self->lock);
  g_free (self->working_directory);
  self->working_directory = g_strdup (path);
  g_mutex_unlock (&self->lock);
}

/**
 * procfun_launch_context_get_working_directory:
 * @self: a #ProcfunLaunchContext
 *
 * Gets the working directory.
 *
 * Returns: (transfer none) (nullable) (type filename): a folder, or %NULL for that of the caller
 *
 * Since: 0.1
 */
const char *
procfun_launch_context_get_working_directory (ProcfunLaunchContext *self)
{
  g_return_val_if_fail (PROCFUN_IS_LAUNCH_CONTEXT (self), NULL);
  return self->working_directory;
}

/**
 * procfun_launch_context_clear_environment:
 * @self: a #ProcfunLaunchContext
 *
 * Leaves nothing of the caller's environment but what is set or passed by name.
 *
 * Since: 0.1
 */
void
procfun_launch_context_clear_environment (ProcfunLaunchContext *self)
{
  g_return_if_fail (PROCFUN_IS_LAUNCH_CONTEXT (self));

  g_mutex_lock (&self->lock);
  self->clears_environment = TRUE;
  g_mutex_unlock (&self->lock);
}

static gboolean
is_variable_name (const char *name)
{
  return name != NULL && name[0] != '\0' && strchr (name, '=') == NULL;
}

static void
set_or_unset (ProcfunLaunchContext *self, const char *name, const char *value)
{
  g_mutex_lock (&self->lock);
  g_hash_table_remove (self->passed, name);
  g_hash_table_replace (self->variables, g_strdup (name), g_strdup (value));
  g_mutex_unlock (&self->lock);
}

/**
 * procfun_launch_context_set_variable:
 * @self: a #ProcfunLaunchContext
 * @name: (type filename): a variable of the environment, without `=`
 * @value: (type filename): its value
 *
 * Sets a variable.
 *
 * Since: 0.1
 */
void
procfun_launch_context_set_variable (ProcfunLaunchContext *self, const char *name,
                                     const char *value)
{
  g_return_if_fail (PROCFUN_IS_LAUNCH_CONTEXT (self));
  g_return_if_fail (is_variable_name (name));
  g_return_if_fail (value != NULL);

  set_or_unset (self, name, value);
}

/**
 * procfun_launch_context_unset_variable:
 * @self: a #ProcfunLaunchContext
 * @name: (type filename): a variable of the environment, without `=`
 *
 * Removes a variable.
 *
 * Since: 0.1
 */
void
procfun_launch_context_unset_variable (ProcfunLaunchContext *self, const char *name)
{
  g_return_if_fail (PROCFUN_IS_LAUNCH_CONTEXT (self));
  g_return_if_fail (is_variable_name (name));

  set_or_unset (self, name, NULL);
}

/**
 * procfun_launch_context_pass_variable:
 * @self: a #ProcfunLaunchContext
 * @name: (type filename): a variable of the environment, without `=`
 *
 * Lets a variable keep the value that it has in the caller when a call starts, although the
 * environment is cleared.
 *
 * Since: 0.1
 */
void
procfun_launch_context_pass_variable (ProcfunLaunchContext *self, const char *name)
{
  g_return_if_fail (PROCFUN_IS_LAUNCH_CONTEXT (self));
  g_return_if_fail (is_variable_name (name));

  g_mutex_lock (&self->lock);
  g_hash_table_remove (self->variables, name);
  g_hash_table_add (self->passed, g_strdup (name));
  g_mutex_unlock (&self->lock);
}

/**
 * procfun_launch_context_set_nice:
 * @self: a #ProcfunLaunchContext
 * @nice: -20 to 19, see setpriority(2); lower than the caller's is for root only, and fails with
 * %PROCFUN_ERROR_SPAWN elsewhere
 *
 * Sets the nice value.
 *
 * Since: 0.1
 */
void
procfun_launch_context_set_nice (ProcfunLaunchContext *self, int nice)
{
  g_return_if_fail (PROCFUN_IS_LAUNCH_CONTEXT (self));
  g_return_if_fail (nice >= PRIO_MIN && nice < PRIO_MAX);

  g_mutex_lock (&self->lock);
  self->has_nice = TRUE;
  self->nice = nice;
  g_mutex_unlock (&self->lock);
}

/**
 * procfun_launch_context_get_nice:
 * @self: a #ProcfunLaunchContext
 *
 * Gets the nice value.
 *
 * Returns: what was set, or 0
 *
 * Since: 0.1
 */
int
procfun_launch_context_get_nice (ProcfunLaunchContext *self)
{
  g_return_val_if_fail (PROCFUN_IS_LAUNCH_CONTEXT (self), 0);
  return self->nice;
}

/**
 * procfun_launch_context_set_affinity:
 * @self: a #ProcfunLaunchContext
 * @cpus: (nullable): numbers of CPUs and ranges of them, like `0-3,6`, or %NULL for those of the
 * caller
 * @error: return location for a #GError
 *
 * Sets which CPUs the process may use. A call for which there is none of them fails with
 * %PROCFUN_ERROR_SPAWN.
 *
 * Returns: %TRUE, or %FALSE with @error set to %PROCFUN_ERROR_INVALID when @cpus is no such list
 *
 * Since: 0.1
 */
gboolean
procfun_launch_context_set_affinity (ProcfunLaunchContext *self, const char *cpus, GError **error)
{
  g_return_val_if_fail (PROCFUN_IS_LAUNCH_CONTEXT (self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  if (cpus != NULL && !launch_context_check_cpus (cpus, error))
    return FALSE;
  g_mutex_lock (&self->lock);
  g_free (self->cpus);
  self->cpus = g_strdup (cpus);
  g_mutex_unlock (&self->lock);
  return TRUE;
}

/**
 * procfun_launch_context_add_fd:
 * @self: a #ProcfunLaunchContext
 * @fd: an open descriptor, which is duplicated
 * @target: the number that it gets in the process: 0 for its standard input, or 10 and more
 * @error: return location for a #GError
 *
 * Gives the process a descriptor by number. Descriptors can also be arguments, as #ProcfunFd, and
 * mostly should.
 *
 * Returns: %TRUE, or %FALSE with @error set when @fd cannot be duplicated
 *
 * Since: 0.1
 */
gboolean
procfun_launch_context_add_fd (ProcfunLaunchContext *self, int fd, int target, GError **error)
{
  const gint32 number = target;
  gboolean ok;

  g_return_val_if_fail (PROCFUN_IS_LAUNCH_CONTEXT (self), FALSE);
  g_return_val_if_fail (fd >= 0, FALSE);
  g_return_val_if_fail (target == 0 || target >= 10, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  g_mutex_lock (&self->lock);
  ok = g_unix_fd_list_append (self->fds, fd, error) >= 0;
  if (ok)
    g_array_append_val (self->targets, number);
  g_mutex_unlock (&self->lock);
  return ok;
}

/* Of another machine */

static void
read_variables (ProcfunLaunchContext *self, GVariant *variables)
{
  GVariantIter iter;
  const char *name;
  const char *value;

  g_variant_iter_init (&iter, variables);
  while (g_variant_iter_next (&iter, "(^&aym^&ay)", &name, &value))
    if (is_variable_name (name))
      set_or_unset (self, name, value);
}

ProcfunLaunchContext *
procfun_launch_context_from_variant (GVariant *variant)
{
  ProcfunLaunchContext *self = procfun_launch_context_new ();
  g_autoptr (GVariant) variables
      = g_variant_lookup_value (variant, "variables", G_VARIANT_TYPE ("a(aymay)"));
  gboolean clears_environment = FALSE;
  const char *text;
  int nice;

  if (g_variant_lookup (variant, "working-directory", "^&ay", &text))
    procfun_launch_context_set_working_directory (self, text);
  if (g_variant_lookup (variant, "clear-environment", "b", &clears_environment)
      && clears_environment)
    procfun_launch_context_clear_environment (self);
  if (variables != NULL)
    read_variables (self, variables);
  if (g_variant_lookup (variant, "nice", "i", &nice) && nice >= PRIO_MIN && nice < PRIO_MAX)
    procfun_launch_context_set_nice (self, nice);
  if (g_variant_lookup (variant, "cpus", "&s", &text))
    procfun_launch_context_set_affinity (self, text, NULL);
  return self;
}
