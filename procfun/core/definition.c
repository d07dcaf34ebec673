/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/core/definition.h"

#include "procfun/core/function.h"
#include <pthread.h>
#include <string.h>

/* Definitions register before main(), and in a static program before the constructor of GLib: the
 * list needs neither GLib nor memory. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static ProcfunDefinition *first;
static ProcfunDefinition **last = &first;
static ProcfunDefinition *buckets[256]; /* by name, to find duplicates in linear time */
static guint generation;
static gint duplicates_suspected;
static void (*on_unload) (ProcfunFunction *function); /* (nullable) */

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

void
procfun_definitions_set_unload_hook (void (*hook) (ProcfunFunction *function))
{
  g_atomic_pointer_set (&on_unload, hook);
}

/* Called when a library is unloaded. At the end of the program the list is not needed, and other
 * threads may still run. */
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
      if (g_atomic_pointer_get (&on_unload) != NULL)
        on_unload (function);
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
  if (g_atomic_int_get (&duplicates_suspected))
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

/* Hashes only the functions of this name: a child computes one hash. */
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
      if (((ProcfunFunction *)all->pdata[i])->hash_number
              == ((ProcfunFunction *)all->pdata[k])->hash_number
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
