/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/core/definition.h"

#include "procfun/base/intl.h"
#include "procfun/core/call.h"
#include "procfun/core/context.h"
#include "procfun/core/function.h"
#include "procfun/core/registry.h"
#include "procfun/procfun-error.h"
#include "procfun/values/type.h"
#include <pthread.h>
#include <string.h>

/* Definitions register before main(), in a static program even before GLib's own constructor: the
 * list needs neither GLib nor memory. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static ProcfunDefinition *first;
static ProcfunDefinition **last = &first;
static ProcfunDefinition
    *buckets[256]; /* by name, to see duplicates without comparing all with all */
static guint generation;
static gint duplicates_suspected;

static ProcfunDefinition **
find_bucket (const char *name)
{
  guint32 hash = 2166136261U; /* FNV-1a */

  for (const char *c = name; *c != '\0'; c++)
    hash = (hash ^ (guint8)*c) * 16777619U;
  return &buckets[hash % G_N_ELEMENTS (buckets)];
}

void
procfun_definition_register (ProcfunDefinition *self)
{
  ProcfunDefinition **bucket = find_bucket (self->name);

  pthread_mutex_lock (&lock);
  for (ProcfunDefinition *other = *bucket; other != NULL; other = other->next_in_bucket)
    if (other->module == self->module && strcmp (other->name, self->name) == 0)
      g_atomic_int_set (&duplicates_suspected, TRUE);
  self->next_in_bucket = *bucket;
  *bucket = self;
  self->next = NULL;
  *last = self;
  last = &self->next;
  generation++;
  pthread_mutex_unlock (&lock);
}

static void
unlink_definition (ProcfunDefinition *self)
{
  ProcfunDefinition **link;

  for (link = &first; *link != NULL && *link != self; link = &(*link)->next)
    ;
  if (*link != NULL)
    *link = self->next;
  if (last == &self->next)
    last = link;
  for (link = find_bucket (self->name); *link != NULL && *link != self;
       link = &(*link)->next_in_bucket)
    ;
  if (*link != NULL)
    *link = self->next_in_bucket;
}

/* A library is unloaded. At the end of the program nobody needs it, and other threads may still
 * run. */
void
procfun_definition_unregister (ProcfunDefinition *self)
{
  ProcfunFunction *function;

  if (module_is_executable (self))
    return;
  pthread_mutex_lock (&lock);
  unlink_definition (self);
  generation++;
  function = g_steal_pointer (&self->function);
  pthread_mutex_unlock (&lock);
  if (function != NULL)
    {
      procfun_function_unload (function);
      procfun_registry_forget (function);
      g_object_unref (function);
    }
}

ProcfunFunction *
procfun_definition_get_function (ProcfunDefinition *self)
{
  ProcfunFunction *function = g_atomic_pointer_get (&self->function);

  if (function == NULL)
    {
      function = procfun_function_new_for_definition (self);
      if (!g_atomic_pointer_compare_and_exchange (&self->function, NULL, function))
        {
          g_object_unref (function);
          function = g_atomic_pointer_get (&self->function);
        }
    }
  procfun_definitions_report_duplicates ();
  return function;
}

static GPtrArray *
list_definitions (void)
{
  GPtrArray *all = g_ptr_array_new ();

  pthread_mutex_lock (&lock);
  for (ProcfunDefinition *definition = first; definition != NULL; definition = definition->next)
    g_ptr_array_add (all, definition);
  pthread_mutex_unlock (&lock);
  return all;
}

GPtrArray *
procfun_definitions_list_functions (void)
{
  g_autoptr (GPtrArray) all = list_definitions ();
  GPtrArray *functions = g_ptr_array_sized_new (all->len);

  for (guint i = 0; i < all->len; i++)
    g_ptr_array_add (functions, procfun_definition_get_function (all->pdata[i]));
  return functions;
}

guint
procfun_definitions_get_generation (void)
{
  guint value;

  pthread_mutex_lock (&lock);
  value = generation;
  pthread_mutex_unlock (&lock);
  return value;
}

/* Few have the name, and only theirs is the hash computed: a child starts in the time of one
 * function. */
ProcfunFunction *
procfun_definitions_find (const char *path, const char *name, const char *hash)
{
  g_autoptr (GPtrArray) all = list_definitions ();

  for (guint i = 0; i < all->len; i++)
    {
      ProcfunDefinition *definition = all->pdata[i];
      ProcfunFunction *function;

      if (name != NULL && strcmp (definition->name, name) != 0)
        continue;
      function = procfun_definition_get_function (definition);
      if ((hash == NULL || strcmp (procfun_function_get_hash (function), hash) == 0)
          && g_strcmp0 (procfun_function_get_module (function), path) == 0)
        return function;
    }
  return NULL;
}

void
procfun_definitions_report_duplicates (void)
{
  g_autoptr (GPtrArray) all = NULL;
  gboolean suspected;

  if (!g_atomic_int_get (&duplicates_suspected))
    return;
  pthread_mutex_lock (&lock);
  suspected = duplicates_suspected;
  g_atomic_int_set (&duplicates_suspected, FALSE);
  pthread_mutex_unlock (&lock);
  if (!suspected)
    return;

  all = procfun_definitions_list_functions ();
  for (guint i = 0; i < all->len; i++)
    for (guint k = 0; k < i; k++)
      if (procfun_function_get_hash_number (all->pdata[i])
              == procfun_function_get_hash_number (all->pdata[k])
          && g_strcmp0 (procfun_function_get_module (all->pdata[i]),
                        procfun_function_get_module (all->pdata[k]))
                 == 0)
        {
          procfun_function_set_ambiguous (all->pdata[i]);
          procfun_function_set_ambiguous (all->pdata[k]);
          g_critical ("%s is defined twice in %s: neither can be called in a process of its own",
                      procfun_function_get_signature (all->pdata[i]),
                      procfun_function_get_module (all->pdata[i]) != NULL
                          ? procfun_function_get_module (all->pdata[i])
                          : "the program");
        }
}

/* What the typed wrappers do */

ProcfunCall *
procfun_definition_call (ProcfunDefinition *self, gconstpointer const *values)
{
  ProcfunFunction *function = procfun_definition_get_function (self);
  g_autoptr (GUnixFDList) fds = NULL;
  GBytes *packed_args = type_arguments_to_bytes (self->args, self->n_args, values);
  GError *error = NULL;
  GVariant *args;
  ProcfunCall *call;

  if (packed_args != NULL)
    return procfun_call_new_packed (function, packed_args);
  args = type_arguments_to_variant (self->args, self->n_args, values, &fds, &error);
  if (args == NULL)
    {
      g_prefix_error (&error, _ ("%s() cannot be called with this: "), self->name);
      return procfun_call_new_failed (function, error);
    }
  call = procfun_call_new (function, args);
  if (fds != NULL)
    procfun_call_set_fd_list (call, fds);
  return call;
}

/* Takes @variant, which is NULL when the call failed, and at the end of a generator. */
static gboolean
finish (ProcfunDefinition *self, ProcfunCall *call, GVariant *variant, gpointer result,
        GError **error)
{
  gboolean ok = variant != NULL;

  type_init (&self->result, result);
  if (ok && self->result_size > 0)
    ok = type_from_variant (&self->result, variant, procfun_call_get_result_fd_list (call), result,
                            error);
  g_clear_pointer (&variant, g_variant_unref);
  return ok;
}

static gboolean
is_call_of (ProcfunDefinition *self, ProcfunCall *call)
{
  return PROCFUN_IS_CALL (call)
         && procfun_call_get_function (call) == procfun_definition_get_function (self);
}

gboolean
procfun_definition_run (ProcfunDefinition *self, ProcfunCall *call, GCancellable *cancellable,
                        gpointer result, GError **error)
{
  GVariant *variant = NULL;

  if (!is_call_of (self, call))
    g_critical ("%s_run() was given something else than a call of %s()", self->name, self->name);
  else
    variant = procfun_call_run (call, cancellable, error);
  return finish (self, call, variant, result, error);
}

gboolean
procfun_definition_process (ProcfunDefinition *self, gconstpointer const *values, gpointer result,
                            GError **error)
{
  g_autoptr (ProcfunCall) call = procfun_definition_call (self, values);

  return procfun_definition_run (self, call, NULL, result, error);
}

void
procfun_definition_process_async (ProcfunDefinition *self, gconstpointer const *values,
                                  GCancellable *cancellable, GAsyncReadyCallback callback,
                                  gpointer user_data)
{
  g_autoptr (ProcfunCall) call = procfun_definition_call (self, values);

  procfun_call_detach (call); /* nobody else has it */
  procfun_call_run_async (call, cancellable, callback, user_data);
}

gboolean
procfun_definition_process_finish (ProcfunDefinition *self, GAsyncResult *async_result,
                                   gpointer result, GError **error)
{
  g_autoptr (GObject) call = g_async_result_get_source_object (async_result);
  GVariant *variant = NULL;

  if (!is_call_of (self, (ProcfunCall *)call))
    g_critical ("%s_process_finish() was given something else than the result of %s()", self->name,
                self->name);
  else
    variant = procfun_call_run_finish (PROCFUN_CALL (call), async_result, error);
  return finish (self, (ProcfunCall *)call, variant, result, error);
}

/* Generators */

static GPrivate receivers; /* the innermost */

void
procfun_receiver_push (ProcfunReceiver *self)
{
  self->outer = g_private_get (&receivers);
  g_private_set (&receivers, self);
}

void
procfun_receiver_pop (ProcfunReceiver *self)
{
  g_private_set (&receivers, self->outer);
}

/* What is yielded meanwhile goes further out: who takes items may hand them on. */
static gboolean
give_to_receiver (ProcfunReceiver *receiver, gconstpointer item)
{
  ProcfunReceiver *innermost = g_private_get (&receivers);

  if (receiver->has_enough)
    return FALSE;
  g_private_set (&receivers, receiver->outer);
  receiver->has_enough = !receiver->take (item, receiver->user_data);
  g_private_set (&receivers, innermost);
  return !receiver->has_enough;
}

static gboolean
give_to_caller (ProcfunDefinition *self, gconstpointer item)
{
  g_autoptr (GUnixFDList) fds = NULL;
  g_autoptr (GVariant) variant = NULL;
  GError *error = NULL;

  if (!procfun_context_wants_item (procfun_definition_get_function (self)))
    return FALSE;
  variant = type_to_variant (&self->result, item, &fds, &error);
  if (variant == NULL)
    {
      g_prefix_error (&error, _ ("an item of %s() cannot be sent: "), self->name);
      procfun_context_fail_item (error);
      return FALSE;
    }
  g_variant_ref_sink (variant);
  return procfun_context_yield (variant, fds);
}

gboolean
procfun_definition_yield (ProcfunDefinition *self, gconstpointer item)
{
  ProcfunReceiver *receiver = g_private_get (&receivers);
  g_autoptr (GVariant) sunk = NULL;

  if (self->result.kind == PROCFUN_KIND_VARIANT && *(GVariant *const *)item != NULL)
    sunk = g_variant_ref_sink (*(GVariant *const *)item);
  while (receiver != NULL && receiver->definition != self)
    receiver = receiver->outer;
  return receiver != NULL ? give_to_receiver (receiver, item) : give_to_caller (self, item);
}

gboolean
procfun_definition_next (ProcfunDefinition *self, ProcfunCall *call, gpointer item,
                         GCancellable *cancellable, GError **error)
{
  GVariant *variant = NULL;

  if (!is_call_of (self, call))
    g_critical ("%s_next() was given something else than a call of %s()", self->name, self->name);
  else
    variant = procfun_call_next (call, cancellable, error);
  return finish (self, call, variant, item, error);
}

gboolean
procfun_definition_next_finish (ProcfunDefinition *self, ProcfunCall *call,
                                GAsyncResult *async_result, gpointer item, GError **error)
{
  GVariant *variant = NULL;

  if (!is_call_of (self, call))
    g_critical ("%s_next_finish() was given something else than a call of %s()", self->name,
                self->name);
  else
    variant = procfun_call_next_finish (call, async_result, error);
  return finish (self, call, variant, item, error);
}

void
procfun_value_clear (const ProcfunTypeInfo *info, gpointer value)
{
  const ProcfunMember member = { NULL, info, 0, info->kind };

  type_clear (&member, value);
}
