/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/process/zygotes.h"

#include "procfun/base/intl.h"
#include "procfun/core/call.h"
#include "procfun/core/function.h"
#include "procfun/platform/inherited-state.h"
#include "procfun/process/back-off.h"
#include "procfun/process/launch.h"
#include "procfun/procfun-error.h"

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
  GError *error; /* (nullable): why there is none, where calls are told so */
} Entry;

struct _Zygotes
{
  gint n_renewals;
  GMutex lock;
  GPtrArray *preloads; /* (nullable) (element-type ProcfunCall): of all modules; is not changed, but
                          replaced */
  GHashTable *entries; /* (element-type utf8 Entry): by module */
  GQueue recent;       /* (element-type Entry): all of them, the one that was used last first */
};

static void
entry_free (gpointer data)
{
  Entry *self = data;

  g_clear_pointer (&self->zygote, zygote_unref);
  g_clear_error (&self->error);
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

/* Of a process that starts now, and has all of it. */
static guint64
look_at_state (Zygotes *self)
{
  return (guint64)g_atomic_int_get (&self->n_renewals) << 32
         | inherited_state_look (g_get_monotonic_time ());
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
  g_clear_pointer (&self->preloads, g_ptr_array_unref);
  g_mutex_clear (&self->lock);
  g_free (self);
}

/* Of the process that can run it: the script, the program, or one that loads the library, of which
 * another build may have been loaded since. */
const char *
zygotes_get_key (ProcfunFunction *function)
{
  const Module *module = function->module;

  if (module == NULL)
    return "script";
  return module->path != NULL ? module_get_key (module) : "program";
}

/* Preloaded functions */

static GPtrArray *
copy_array (GPtrArray *calls)
{
  GPtrArray *copy = g_ptr_array_new_with_free_func (g_object_unref);

  for (guint i = 0; calls != NULL && i < calls->len; i++)
    g_ptr_array_add (copy, g_object_ref (calls->pdata[i]));
  return copy;
}

void
zygotes_add_preload (Zygotes *self, ProcfunCall *call)
{
  GPtrArray *before;

  g_mutex_lock (&self->lock);
  before = self->preloads;
  self->preloads = copy_array (before);
  g_ptr_array_add (self->preloads, call);
  g_mutex_unlock (&self->lock);
  g_clear_pointer (&before, g_ptr_array_unref);
}

void
zygotes_copy_preloads (Zygotes *self, Zygotes *other)
{
  self->preloads = other->preloads != NULL ? copy_array (other->preloads) : NULL;
}

/* (transfer full) (nullable): those of the module of @function. With the lock held. */
static GPtrArray *
find_preloads (Zygotes *self, ProcfunFunction *function)
{
  const char *key = self->preloads != NULL ? zygotes_get_key (function) : NULL;
  GPtrArray *found = NULL;

  for (guint i = 0; key != NULL && i < self->preloads->len; i++)
    if (g_str_equal (zygotes_get_key (procfun_call_peek_function (self->preloads->pdata[i])), key))
      {
        if (found == NULL)
          found = g_ptr_array_new_with_free_func (g_object_unref);
        g_ptr_array_add (found, g_object_ref (self->preloads->pdata[i]));
      }
  return found;
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
start (Entry *entry, ProcfunFunction *function, const ExchangeOptions *options, guint64 state,
       GPtrArray *preloads, gboolean *was_refused)
{
  g_autoptr (GError) error = NULL;

  entry->zygote = zygote_new (function, options, state, preloads, was_refused, &error);
  if (entry->zygote == NULL && !*was_refused)
    back_off_fail (&entry->back_off, RETRY_US, RETRY_MAX_US);
  g_clear_error (&entry->error);
  if (error != NULL && preloads != NULL)
    entry->error = g_steal_pointer (&error);
  else if (error != NULL)
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
    {
      g_clear_error (&entry->error);
      entry->error = zygote_get_start_error (entry->zygote);
      back_off_fail (&entry->back_off,
                     MAX (RETRY_FACTOR * zygote_get_failed_time (entry->zygote), RETRY_US),
                     RETRY_MAX_US);
    }
  g_clear_pointer (&entry->zygote, zygote_unref);
}

/* Answer to a request for a zygote. */
typedef struct
{
  Zygote *zygote;       /* (nullable) */
  gboolean is_needed;   /* a process that is executed would not be as good */
  gboolean was_refused; /* the machine has no room for another process now */
  GError *error;        /* (nullable): why there is none, if it is needed */
} Found;

static void
found_clear (Found *self)
{
  g_clear_pointer (&self->zygote, zygote_unref);
  g_clear_error (&self->error);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Found, found_clear)

static void
find_zygote (Zygotes *self, ProcfunFunction *function, const ExchangeOptions *options,
             guint64 state, Found *found)
{
  g_autoptr (GPtrArray) preloads = NULL;
  Entry *entry;

  g_mutex_lock (&self->lock);
  preloads = find_preloads (self, function);
  entry = get_entry (self, function);
  note_use (self, entry);
  if (entry->zygote != NULL
      && (zygote_get_state (entry->zygote) != state || zygote_has_ended (entry->zygote)))
    drop_zygote (entry, state);
  if (entry->zygote == NULL && back_off_get_rest (&entry->back_off) == 0)
    start (entry, function, options, look_at_state (self), preloads, &found->was_refused);
  found->is_needed = preloads != NULL;
  found->zygote = entry->zygote != NULL ? zygote_ref (entry->zygote) : NULL;
  if (entry->zygote == NULL && entry->error != NULL)
    found->error = g_error_copy (entry->error);
  else if (entry->zygote == NULL && preloads != NULL)
    found->error = g_error_new_literal (PROCFUN_ERROR, PROCFUN_ERROR_SPAWN,
                                        _ ("the process that forks others has ended"));
  g_mutex_unlock (&self->lock);
}

gboolean
zygotes_can_fork (Zygotes *self, ProcfunFunction *function, const ExchangeOptions *options)
{
  const Entry *entry;
  gboolean can;

  g_mutex_lock (&self->lock);
  entry = g_hash_table_lookup (self->entries, zygotes_get_key (function));
  can = entry != NULL && entry->zygote != NULL && zygote_can_fork_with (entry->zygote, options);
  g_mutex_unlock (&self->lock);
  return can;
}

/* Two that have died since the call before, or did not start: then each call has a process
 * executed.
 */
#define TRIES_MAX 2

/* One that has not come so far as to fork would fail in the same way again. */
static gboolean
may_try_again (const Found *found)
{
  return found->zygote != NULL && zygote_has_died (found->zygote)
         && (!found->is_needed || zygote_get_failed_time (found->zygote) == 0);
}

/* Takes @error (nullable). */
static void
note_failure (ProcfunFunction *function, GError *error)
{
  if (error == NULL)
    return;
  g_debug ("No process was forked for %s(): %s", procfun_function_get_name (function),
           error->message);
  g_error_free (error);
}

gboolean
zygotes_fork (Zygotes *self, ProcfunFunction *function, const ExchangeOptions *options, guint idle,
              const Patience *patience, Worker *worker, GError **error)
{
  guint64 state = zygotes_get_state (self, g_get_monotonic_time ());
  gboolean has_died = TRUE; /* since the call before */

  for (guint n_tries = 1; has_died; n_tries++)
    {
      g_auto (Found) found = { NULL };
      GError *own_error = NULL;

      find_zygote (self, function, options, state, &found);
      if (found.zygote != NULL && zygote_fork (found.zygote, worker, idle, patience, &own_error))
        {
          worker->inherited_state = zygote_get_state (found.zygote);
          return TRUE;
        }
      if (own_error == NULL)
        own_error = g_steal_pointer (&found.error);
      if (patience_set_error (patience, function, error))
        {
          g_clear_error (&own_error);
          return FALSE;
        }
      has_died = n_tries < TRIES_MAX && may_try_again (&found);
      if (!has_died && found.is_needed)
        {
          worker->was_refused = found.was_refused;
          g_propagate_error (error, own_error);
          return FALSE;
        }
      note_failure (function, own_error);
    }
  worker->inherited_state = look_at_state (self);
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

/* FALSE: there is none. */
static gboolean
join (ZygotesFork *self, guint64 state, Found *found)
{
  if (self->n_tries >= TRIES_MAX)
    return FALSE;
  self->n_tries++;
  self->wait.asked_at = 0;
  find_zygote (self->zygotes, self->function, self->options, state, found);
  if (found->zygote == NULL)
    return FALSE;
  self->zygote = g_steal_pointer (&found->zygote);
  zygote_add_watcher (self->zygote, self->source);
  return TRUE;
}

/* Takes @own_error. TRUE: another one may give a process, or it can be executed. */
static gboolean
go_on_after (ZygotesFork *self, GError *own_error, GError **error)
{
  const gboolean is_needed = zygote_has_preloads (self->zygote);
  const gboolean has_died = zygote_has_died (self->zygote);

  if (is_needed
      && (!has_died || zygote_get_failed_time (self->zygote) > 0 || self->n_tries >= TRIES_MAX))
    {
      g_propagate_error (error, own_error);
      return FALSE;
    }
  note_failure (self->function, own_error);
  if (!has_died)
    self->n_tries = TRIES_MAX;
  return TRUE;
}

ZygoteStatus
zygotes_try_fork (ZygotesFork *self, Worker *worker, GError **error)
{
  guint64 state = zygotes_get_state (self->zygotes, g_get_monotonic_time ());
  g_auto (Found) found = { NULL };

  while (self->zygote != NULL || join (self, state, &found))
    {
      GError *own_error = NULL;
      ZygoteStatus status = zygote_try_fork (self->zygote, worker, &self->wait, &own_error);
      gboolean goes_on;

      if (status == ZYGOTE_WAITS)
        return status;
      if (status == ZYGOTE_FORKED)
        worker->inherited_state = zygote_get_state (self->zygote);
      goes_on = status == ZYGOTE_FAILED && go_on_after (self, own_error, error);
      leave (self);
      if (!goes_on)
        return status;
    }
  if (found.is_needed)
    {
      worker->was_refused = found.was_refused;
      g_propagate_error (error, g_steal_pointer (&found.error));
      return ZYGOTE_FAILED;
    }
  worker->inherited_state = look_at_state (self->zygotes);
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
