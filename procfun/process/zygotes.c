/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/process/zygotes.h"

#include "procfun/core/function.h"
#include "procfun/platform/inherited-state.h"
#include "procfun/process/back-off.h"
#include "procfun/process/launch.h"

/* After a zygote that did not start. */
#define RETRY_US G_USEC_PER_SEC
#define RETRY_FACTOR 10 /* of the time that the start has taken */
#define RETRY_MAX_US (64 * G_USEC_PER_SEC)

typedef struct
{
  Zygote *zygote; /* (nullable) */
  BackOff back_off;
} Entry;

struct _Zygotes
{
  gint n_renewals;
  GMutex lock;
  GHashTable *entries; /* (element-type utf8 Entry): by module */
};

static void
entry_free (gpointer data)
{
  Entry *self = data;

  g_clear_pointer (&self->zygote, zygote_unref);
  g_free (self);
}

Zygotes *
zygotes_new (void)
{
  Zygotes *self = g_new0 (Zygotes, 1);

  g_mutex_init (&self->lock);
  self->entries = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, entry_free);
  return self;
}

void
zygotes_clear (Zygotes *self)
{
  g_mutex_lock (&self->lock);
  g_hash_table_remove_all (self->entries);
  g_mutex_unlock (&self->lock);
}

guint64
zygotes_get_state (Zygotes *self, gint64 now)
{
  return (guint64)g_atomic_int_get (&self->n_renewals) << 32 | inherited_state_get (now);
}

void
zygotes_renew (Zygotes *self)
{
  g_atomic_int_inc (&self->n_renewals);
  zygotes_clear (self);
}

void
zygotes_free (Zygotes *self)
{
  g_hash_table_unref (self->entries);
  g_mutex_clear (&self->lock);
  g_free (self);
}

/* Of the process that can run it: the script, the program, or one that loads the library, of which
 * another build may have been loaded since. */
const char *
zygotes_get_key (ProcfunFunction *function)
{
  const Module *module = procfun_function_get_loaded_module (function);

  if (module == NULL)
    return "script";
  return module->path != NULL ? module_get_key (module) : "program";
}

static Entry *
get_entry (Zygotes *self, ProcfunFunction *function)
{
  const char *key = zygotes_get_key (function);
  Entry *entry = g_hash_table_lookup (self->entries, key);

  if (entry == NULL)
    {
      entry = g_new0 (Entry, 1);
      g_hash_table_insert (self->entries, g_strdup (key), entry);
    }
  return entry;
}

static void
start (Entry *entry, ProcfunFunction *function, const ExchangeOptions *options, guint64 state)
{
  g_autoptr (GError) error = NULL;

  entry->zygote = zygote_new (function, options, state, &error);
  if (entry->zygote == NULL)
    back_off_fail (&entry->back_off, RETRY_US, RETRY_MAX_US);
  if (error != NULL)
    g_debug ("Each call of %s() executes a process: %s", procfun_function_get_name (function),
             error->message);
}

/* A zygote that started and never forked anything counts as one that did not start. */
static void
drop_zygote (Entry *entry, guint64 state)
{
  if (zygote_get_state (entry->zygote) != state || zygote_has_forked (entry->zygote))
    back_off_reset (&entry->back_off);
  else
    back_off_fail (&entry->back_off,
                   MAX (RETRY_FACTOR * zygote_get_time_lost (entry->zygote), RETRY_US),
                   RETRY_MAX_US);
  g_clear_pointer (&entry->zygote, zygote_unref);
}

/* (transfer full) (nullable) */
static Zygote *
get_zygote (Zygotes *self, ProcfunFunction *function, const ExchangeOptions *options, guint64 state)
{
  Zygote *zygote;
  Entry *entry;

  g_mutex_lock (&self->lock);
  entry = get_entry (self, function);
  if (entry->zygote != NULL
      && (zygote_get_state (entry->zygote) != state || zygote_has_ended (entry->zygote)))
    drop_zygote (entry, state);
  if (entry->zygote == NULL && back_off_get_rest (&entry->back_off) == 0)
    start (entry, function, options, state);
  zygote = entry->zygote != NULL ? zygote_ref (entry->zygote) : NULL;
  g_mutex_unlock (&self->lock);
  return zygote;
}

gboolean
zygotes_fork (Zygotes *self, ProcfunFunction *function, const ExchangeOptions *options, guint idle,
              const Patience *patience, Worker *worker, GError **error)
{
  guint64 state = zygotes_get_state (self, g_get_monotonic_time ());
  gboolean has_died = TRUE; /* since the call before */

  for (guint n_tries = 0; n_tries < 2 && has_died; n_tries++)
    {
      g_autoptr (Zygote) zygote = get_zygote (self, function, options, state);
      g_autoptr (GError) own_error = NULL;

      if (zygote != NULL && zygote_fork (zygote, worker, idle, patience, &own_error))
        {
          worker->inherited_state = state;
          return TRUE;
        }
      if (patience_set_error (patience, function, error))
        return FALSE;
      has_died = zygote != NULL && zygote_has_died (zygote);
      if (own_error != NULL)
        g_debug ("No process was forked for %s(): %s", procfun_function_get_name (function),
                 own_error->message);
    }
  worker->inherited_state = state;
  return launch (worker, function, NULL, NULL, error);
}
