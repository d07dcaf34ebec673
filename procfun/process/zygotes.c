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

/* So many modules that were called last have processes that were forked ahead. */
#define SPARES_MODULES 4

typedef struct
{
  GList link;     /* in the list of those that were used last */
  Zygote *zygote; /* (nullable) */
  BackOff back_off;
} Entry;

struct _Zygotes
{
  gint n_renewals;
  GMutex lock;
  GHashTable *entries; /* (element-type utf8 Entry): by module */
  GQueue recent;       /* (element-type Entry): all of them, the one that was used last first */
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
  g_queue_init (&self->recent);
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
      entry->link.data = entry;
      g_hash_table_insert (self->entries, g_strdup (key), entry);
      g_queue_push_head_link (&self->recent, &entry->link);
    }
  return entry;
}

/* Modules that are not called any more give back what is forked ahead for them. */
static void
note_use (Zygotes *self, Entry *entry)
{
  const GList *other;

  if (self->recent.head == &entry->link && self->recent.length <= SPARES_MODULES)
    return;
  g_queue_unlink (&self->recent, &entry->link);
  g_queue_push_head_link (&self->recent, &entry->link);
  other = g_queue_peek_nth_link (&self->recent, SPARES_MODULES);
  if (other != NULL && ((const Entry *)other->data)->zygote != NULL)
    zygote_drop_spares (((const Entry *)other->data)->zygote);
}

static void
start (Entry *entry, ProcfunFunction *function, const ExchangeOptions *options, guint64 state)
{
  g_autoptr (GError) error = NULL;
  gboolean was_refused = FALSE;

  entry->zygote = zygote_new (function, options, state, &was_refused, &error);
  if (entry->zygote == NULL && !was_refused)
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
                   MAX (RETRY_FACTOR * zygote_get_failed_time (entry->zygote), RETRY_US),
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
  note_use (self, entry);
  if (entry->zygote != NULL
      && (zygote_get_state (entry->zygote) != state || zygote_has_ended (entry->zygote)))
    drop_zygote (entry, state);
  if (entry->zygote == NULL && back_off_get_rest (&entry->back_off) == 0)
    start (entry, function, options, state);
  zygote = entry->zygote != NULL ? zygote_ref (entry->zygote) : NULL;
  g_mutex_unlock (&self->lock);
  return zygote;
}

/* Two that have died since the call before, or did not start: then each call has a process
 * executed.
 */
#define TRIES_MAX 2

static void
note_failure (ProcfunFunction *function, const GError *error)
{
  g_debug ("No process was forked for %s(): %s", procfun_function_get_name (function),
           error->message);
}

gboolean
zygotes_fork (Zygotes *self, ProcfunFunction *function, const ExchangeOptions *options, guint idle,
              const Patience *patience, Worker *worker, GError **error)
{
  guint64 state = zygotes_get_state (self, g_get_monotonic_time ());
  gboolean has_died = TRUE; /* since the call before */

  for (guint n_tries = 0; n_tries < TRIES_MAX && has_died; n_tries++)
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
        note_failure (function, own_error);
    }
  worker->inherited_state = state;
  return launch (worker, function, NULL, NULL, error);
}

/* Without waiting */

static void
leave (ZygotesFork *self)
{
  if (self->zygote != NULL)
    zygote_remove_watcher (self->zygote, self->source);
  g_clear_pointer (&self->zygote, zygote_unref);
}

/* FALSE: there is none, and a process has to be executed. */
static gboolean
join (ZygotesFork *self, guint64 state)
{
  if (self->n_tries >= TRIES_MAX)
    return FALSE;
  self->n_tries++;
  self->asked_at = 0;
  self->zygote = get_zygote (self->zygotes, self->function, self->options, state);
  if (self->zygote == NULL)
    return FALSE;
  zygote_add_watcher (self->zygote, self->source);
  return TRUE;
}

ZygoteStatus
zygotes_try_fork (ZygotesFork *self, Worker *worker, GError **error)
{
  guint64 state = zygotes_get_state (self->zygotes, g_get_monotonic_time ());

  while (self->zygote != NULL || join (self, state))
    {
      g_autoptr (GError) own_error = NULL;
      ZygoteStatus status = zygote_try_fork (self->zygote, worker, self->idle, &self->asked_at,
                                             &self->end, &own_error);

      if (status == ZYGOTE_FORKED)
        worker->inherited_state = zygote_get_state (self->zygote);
      if (status == ZYGOTE_FAILED)
        {
          note_failure (self->function, own_error);
          if (!zygote_has_died (self->zygote))
            self->n_tries = TRIES_MAX;
        }
      if (status == ZYGOTE_WAITS)
        return status;
      leave (self);
      if (status == ZYGOTE_FORKED)
        return status;
    }
  worker->inherited_state = state;
  return launch (worker, self->function, NULL, NULL, error) ? ZYGOTE_FORKED : ZYGOTE_FAILED;
}

void
zygotes_fork_clear (ZygotesFork *self)
{
  leave (self);
}

gboolean
zygotes_drop_spares (Zygotes *self)
{
  gboolean were_some = FALSE;

  g_mutex_lock (&self->lock);
  for (GList *l = self->recent.head; l != NULL; l = l->next)
    if (((const Entry *)l->data)->zygote != NULL)
      were_some = zygote_drop_spares (((const Entry *)l->data)->zygote) || were_some;
  g_mutex_unlock (&self->lock);
  return were_some;
}
