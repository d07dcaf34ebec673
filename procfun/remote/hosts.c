/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/remote/hosts.h"

#include "procfun/base/intl.h"
#include "procfun/core/failure.h"
#include "procfun/platform/process.h"
#include "procfun/procfun-error.h"
#include "procfun/remote/io-thread.h"
#include "procfun/remote/remote-host.h"
#include <signal.h>
#include <sys/wait.h>

/* How long a launcher may take to end once its host has no connection any more. */
#define END_WAIT_US (2 * G_USEC_PER_SEC)
#define END_STEP_US 10000
#define END_MAX_US (5 * G_USEC_PER_SEC)

/* A launcher that is to end. */
typedef struct
{
  Process *process;
  gint64 since; /* monotonic time in µs */
  gboolean was_killed;
} EndingLauncher;

typedef struct
{
  void (*func) (gpointer user_data);
  gpointer user_data;
} Closer;

typedef struct
{
  GSource source;
  Hosts *hosts;
} HostsSource;

struct _Hosts
{
  gatomicrefcount ref_count;
  HostsFunc func; /* (nullable) */
  gpointer user_data;
  GDestroyNotify destroy; /* (nullable) */

  GMutex lock;          /* for what other threads touch */
  GPtrArray *new_specs; /* (element-type HostSpec) */
  GQueue incoming;      /* (element-type RemoteCall) */
  GQueue noted;         /* (element-type RemoteCall) */
  GQueue waiters;       /* (element-type HostsWaiter) */
  GQueue closers;       /* (element-type Closer) */
  gboolean is_closing;
  HostsConfig next_config;
  gboolean has_settings; /* or specs, that are new */
  GMainContext *context; /* (nullable): the thread is not held */
  GSource *source;       /* (nullable): in that context */
  HostsCounts counts;

  /* Of the thread of the hosts */
  HostsConfig config;
  GPtrArray *hosts; /* (element-type RemoteHost) */
  Queue queue;      /* (element-type RemoteCall) */
  Heap deadlines;   /* (element-type RemoteCall): of these */
  GArray *ending;   /* (element-type EndingLauncher) */
  guint64 n_lost;
};

/* The object */

static void
config_clear (HostsConfig *self)
{
  g_clear_pointer (&self->program, g_free);
}

static void
config_copy (HostsConfig *self, const HostsConfig *other)
{
  config_clear (self);
  *self = *other;
  self->program = g_strdup (other->program);
}

Hosts *
hosts_new (GPtrArray *specs, HostsFunc func, gpointer user_data, GDestroyNotify destroy)
{
  Hosts *self = g_new0 (Hosts, 1);

  g_atomic_ref_count_init (&self->ref_count);
  g_mutex_init (&self->lock);
  self->func = func;
  self->user_data = user_data;
  self->destroy = destroy;
  self->new_specs = g_ptr_array_new_with_free_func ((GDestroyNotify)host_spec_unref);
  for (guint i = 0; i < specs->len; i++)
    g_ptr_array_add (self->new_specs, host_spec_ref (specs->pdata[i]));
  self->hosts = g_ptr_array_new_with_free_func ((GDestroyNotify)remote_host_free);
  self->ending = g_array_new (FALSE, FALSE, sizeof (EndingLauncher));
  queue_init (&self->queue);
  heap_init (&self->deadlines);
  return self;
}

Hosts *
hosts_ref (Hosts *self)
{
  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

void
hosts_unref (Hosts *self)
{
  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;
  if (self->destroy != NULL)
    self->destroy (self->user_data);
  g_ptr_array_unref (self->new_specs);
  g_ptr_array_unref (self->hosts);
  g_array_unref (self->ending);
  queue_clear (&self->queue);
  heap_clear (&self->deadlines);
  config_clear (&self->config);
  config_clear (&self->next_config);
  g_mutex_clear (&self->lock);
  g_free (self);
}

GMainContext *
hosts_get_context (Hosts *self)
{
  return self->context;
}

const HostsConfig *
hosts_get_config (Hosts *self)
{
  return &self->config;
}

/* From any thread */

/* With the lock held. */
static void
wake (Hosts *self)
{
  if (self->source != NULL)
    g_source_set_ready_time (self->source, 0);
}

void
hosts_wake (Hosts *self)
{
  g_mutex_lock (&self->lock);
  wake (self);
  g_mutex_unlock (&self->lock);
}

void
hosts_set_config (Hosts *self, HostsConfig *config)
{
  g_mutex_lock (&self->lock);
  config_copy (&self->next_config, config);
  self->has_settings = TRUE;
  wake (self);
  g_mutex_unlock (&self->lock);
}

void
hosts_add (Hosts *self, HostSpec *spec)
{
  g_mutex_lock (&self->lock);
  g_ptr_array_add (self->new_specs, host_spec_ref (spec));
  self->has_settings = TRUE;
  wake (self);
  g_mutex_unlock (&self->lock);
}

void
hosts_add_waiter (Hosts *self, HostsWaiter *waiter, GMainContext *context)
{
  waiter->link = (GList){ .data = waiter };
  waiter->owner = (Owner){ .thread = g_thread_self (), .context = context };
  g_mutex_lock (&self->lock);
  g_queue_push_tail_link (&self->waiters, &waiter->link);
  g_mutex_unlock (&self->lock);
}

void
hosts_remove_waiter (Hosts *self, HostsWaiter *waiter)
{
  g_mutex_lock (&self->lock);
  g_queue_unlink (&self->waiters, &waiter->link);
  g_mutex_unlock (&self->lock);
}

gboolean
hosts_has_own_calls (Hosts *self)
{
  gboolean found = FALSE;

  g_mutex_lock (&self->lock);
  for (GList *l = self->waiters.head; l != NULL && !found; l = l->next)
    found = owner_is_here (&((HostsWaiter *)l->data)->owner);
  g_mutex_unlock (&self->lock);
  return found;
}

void
hosts_count (Hosts *self, HostsCounts *counts)
{
  g_mutex_lock (&self->lock);
  *counts = self->counts;
  g_mutex_unlock (&self->lock);
}

/* The calls */

void
hosts_end_call (RemoteCall *remote, RemoteEvent *event)
{
  if (remote->has_ended)
    {
      remote_event_free (event);
      return;
    }
  remote->has_ended = TRUE;
  remote_call_post (remote, event);
  remote_call_unref (remote);
}

void
hosts_fail_call (RemoteCall *remote, ProcfunCause cause, const char *host, GError *error)
{
  RemoteEvent *event = g_new0 (RemoteEvent, 1);

  event->type = LINK_END;
  event->host = host;
  event->error = error;
  event->failure = procfun_failure_new (cause, remote->function_name);
  hosts_end_call (remote, event);
}

static void
cancel_queued (RemoteCall *remote)
{
  g_autoptr (GCancellable) cancelled = g_cancellable_new ();
  GError *error = NULL;

  g_cancellable_cancel (cancelled);
  g_cancellable_set_error_if_cancelled (cancelled, &error); /* the words are GLib's */
  hosts_fail_call (remote, PROCFUN_CAUSE_CANCELLED, NULL, error);
}

static RemoteCall *
get_call (QueueEntry *entry)
{
  return entry != NULL ? (gpointer)((guint8 *)entry - G_STRUCT_OFFSET (RemoteCall, entry)) : NULL;
}

static void
watch_deadline (Hosts *self, RemoteCall *remote)
{
  if (remote->deadline_at > 0)
    heap_add (&self->deadlines, &remote->deadline_node, remote->deadline_at);
}

void
hosts_return_call (Hosts *self, RemoteCall *remote)
{
  gboolean is_cancelled;

  remote->host = NULL;
  g_mutex_lock (&remote->lock);
  is_cancelled = remote->is_cancelled;
  g_mutex_unlock (&remote->lock);
  if (is_cancelled)
    {
      cancel_queued (remote);
      return;
    }
  queue_return (&self->queue, &remote->entry, remote->head.priority);
  watch_deadline (self, remote);
  hosts_wake (self);
}

static void
leave_queue (Hosts *self, RemoteCall *remote)
{
  queue_remove (&self->queue, &remote->entry);
  heap_remove (&self->deadlines, &remote->deadline_node);
}

static void
take_incoming (Hosts *self)
{
  RemoteCall *remote;

  for (;;)
    {
      g_mutex_lock (&self->lock);
      remote = g_queue_pop_head (&self->incoming);
      g_mutex_unlock (&self->lock);
      if (remote == NULL)
        return;
      queue_push (&self->queue, &remote->entry, remote->head.priority,
                  g_bytes_get_size (remote->args));
      watch_deadline (self, remote);
    }
}

static void
look_at_call (Hosts *self, RemoteCall *remote)
{
  gboolean is_cancelled, is_urgent;
  guint64 taken;

  g_mutex_lock (&remote->lock);
  remote->is_noted = FALSE;
  is_cancelled = remote->is_cancelled;
  is_urgent = remote->is_urgent;
  taken = remote->taken;
  remote->told = taken;
  g_mutex_unlock (&remote->lock);
  if (remote->has_ended)
    return;
  if (remote->host != NULL && is_cancelled)
    remote_host_cancel (remote->host, remote, is_urgent);
  else if (remote->host != NULL)
    remote_host_tell_taken (remote->host, remote, taken);
  else if (is_cancelled && queue_has (&remote->entry))
    {
      leave_queue (self, remote);
      cancel_queued (remote);
    }
}

static void
take_noted (Hosts *self)
{
  RemoteCall *remote;

  for (;;)
    {
      g_mutex_lock (&self->lock);
      remote = g_queue_pop_head (&self->noted);
      g_mutex_unlock (&self->lock);
      if (remote == NULL)
        return;
      look_at_call (self, remote);
      remote_call_unref (remote);
    }
}

/* Which host */

/* The one with the largest share of free slots. (nullable) */
static RemoteHost *
choose_host (Hosts *self, const RemoteCall *remote)
{
  RemoteHost *best = NULL;
  double best_load = 0;

  for (guint i = 0; i < self->hosts->len; i++)
    {
      RemoteHost *host = self->hosts->pdata[i];
      const guint room = remote_host_get_room (host);
      const guint n = remote_host_get_n_calls (host);
      const double load = (double)n / (n + room + 1);

      if (room > 0 && remote_host_may_run (host, remote->head.contract)
          && (best == NULL || load < best_load))
        {
          best = host;
          best_load = load;
        }
    }
  return best;
}

/* Why no host will run @remote, unless one may yet. (nullable) */
static const GError *
find_obstacle (Hosts *self, const RemoteCall *remote)
{
  const GError *why = NULL;

  for (guint i = 0; i < self->hosts->len; i++)
    {
      const RemoteHost *host = self->hosts->pdata[i];
      const GError *refusal = remote_host_get_refusal (host, remote->head.contract);

      if (refusal == NULL && (remote_host_is_there (host) || remote_host_get_error (host) == NULL))
        return NULL;
      if (why == NULL || refusal != NULL)
        why = refusal != NULL ? refusal : remote_host_get_error (host);
    }
  return why;
}

static void
fail_for_lack (RemoteCall *remote, const GError *why)
{
  GError *error = why != NULL ? g_error_copy (why)
                              : g_error_new_literal (PROCFUN_ERROR, PROCFUN_ERROR_ENGINE,
                                                     _ ("there are no hosts"));

  g_prefix_error (&error, _ ("%s() cannot be called: "), remote->function_name);
  hosts_fail_call (remote, PROCFUN_CAUSE_START, NULL, error);
}

static gboolean
has_room (QueueEntry *entry, gpointer hosts)
{
  return choose_host (hosts, get_call (entry)) != NULL;
}

static gboolean
has_no_hope (QueueEntry *entry, gpointer hosts)
{
  return find_obstacle (hosts, get_call (entry)) != NULL;
}

static gboolean
has_any_room (Hosts *self)
{
  for (guint i = 0; i < self->hosts->len; i++)
    if (remote_host_get_room (self->hosts->pdata[i]) > 0)
      return TRUE;
  return FALSE;
}

static void
start_hosts (Hosts *self)
{
  for (guint i = 0; i < self->hosts->len && self->queue.length > 0; i++)
    remote_host_start (self->hosts->pdata[i]);
}

static void
send_calls (Hosts *self)
{
  while (has_any_room (self))
    {
      RemoteCall *remote = get_call (queue_find (&self->queue, has_room, self));

      if (remote == NULL)
        return;
      leave_queue (self, remote);
      remote_host_send (choose_host (self, remote), remote);
    }
}

/* TRUE: some host runs all that comes, sooner or later. */
static gboolean
has_good_host (Hosts *self)
{
  for (guint i = 0; i < self->hosts->len; i++)
    {
      const RemoteHost *host = self->hosts->pdata[i];

      if (!remote_host_has_refused (host)
          && (remote_host_is_there (host) || remote_host_get_error (host) == NULL))
        return TRUE;
    }
  return FALSE;
}

static void
fail_hopeless (Hosts *self)
{
  QueueEntry *entry;

  if (has_good_host (self))
    return;
  while ((entry = self->hosts->len > 0 ? queue_find (&self->queue, has_no_hope, self)
                                       : queue_peek (&self->queue))
         != NULL)
    {
      RemoteCall *remote = get_call (entry);
      const GError *why = find_obstacle (self, remote);

      leave_queue (self, remote);
      fail_for_lack (remote, why);
    }
}

/* Returns when the next one is late. */
static gint64
fail_late (Hosts *self, gint64 now)
{
  HeapNode *node;

  while ((node = heap_peek (&self->deadlines)) != NULL && node->key <= now)
    {
      RemoteCall *remote = (gpointer)((guint8 *)node - G_STRUCT_OFFSET (RemoteCall, deadline_node));

      leave_queue (self, remote);
      hosts_fail_call (remote, PROCFUN_CAUSE_TIMED_OUT, NULL,
                       g_error_new (PROCFUN_ERROR, PROCFUN_ERROR_TIMED_OUT,
                                    _ ("%s() missed its deadline of %.6g s"), remote->function_name,
                                    (double)remote->deadline / G_USEC_PER_SEC));
    }
  return node != NULL ? node->key : G_MAXINT64;
}

/* Ends */

void
hosts_reap (Hosts *self, Process *process, gboolean is_hung)
{
  const EndingLauncher launcher
      = { .process = process, .since = g_get_monotonic_time (), .was_killed = is_hung };

  if (is_hung)
    process_signal (process, SIGKILL);
  g_array_append_val (self->ending, launcher);
  hosts_wake (self);
}

/* TRUE: it is gone, or nobody waits for it any more. */
static gboolean
advance_launcher (EndingLauncher *self, gint64 now)
{
  const pid_t pid = process_get_pid (self->process);

  if (process_has_died (self->process))
    {
      waitpid (pid, NULL, WNOHANG);
      return TRUE;
    }
  if (!self->was_killed && now - self->since >= END_WAIT_US)
    {
      process_signal (self->process, SIGKILL);
      self->was_killed = TRUE;
    }
  return now - self->since >= END_MAX_US;
}

static gint64
advance_launchers (Hosts *self, gint64 now)
{
  for (guint i = self->ending->len; i-- > 0;)
    {
      EndingLauncher *launcher = &g_array_index (self->ending, EndingLauncher, i);

      if (!advance_launcher (launcher, now))
        continue;
      process_free (launcher->process);
      g_array_remove_index_fast (self->ending, i);
    }
  return self->ending->len > 0 ? now + END_STEP_US : G_MAXINT64;
}

void
hosts_host_is_up (Hosts *self, const char *name, guint slots)
{
  if (self->func != NULL)
    self->func (name, slots, NULL, self->user_data);
  hosts_wake (self);
}

void
hosts_host_is_lost (Hosts *self, const char *name, const GError *error)
{
  self->n_lost++;
  if (self->func != NULL)
    self->func (name, 0, error, self->user_data);
}

/* The source */

static void
take_settings (Hosts *self)
{
  g_mutex_lock (&self->lock);
  if (self->has_settings)
    config_copy (&self->config, &self->next_config);
  self->has_settings = FALSE;
  while (self->new_specs->len > 0)
    {
      g_autoptr (HostSpec) spec = g_ptr_array_steal_index (self->new_specs, 0);

      g_ptr_array_add (self->hosts, remote_host_new (self, spec));
    }
  g_mutex_unlock (&self->lock);
}

static void
update_counts (Hosts *self)
{
  HostsCounts counts = { .n_queued = self->queue.length,
                         .n_queued_bytes = self->queue.n_bytes,
                         .n_lost = self->n_lost };

  for (guint i = 0; i < self->hosts->len; i++)
    {
      const RemoteHost *host = self->hosts->pdata[i];
      const guint n = remote_host_get_n_calls (host);

      if (!remote_host_is_up (host))
        continue;
      counts.n_hosts++;
      counts.n_slots += remote_host_get_slots (host);
      counts.n_busy += n;
    }
  g_mutex_lock (&self->lock);
  self->counts = counts;
  g_mutex_unlock (&self->lock);
}

/* TRUE: all has ended, and the thread is not held any more. */
static gboolean
try_to_end (Hosts *self)
{
  GMainContext *context = NULL;
  GQueue closers = G_QUEUE_INIT;
  GQueue noted = G_QUEUE_INIT;
  Closer *closer;

  for (guint i = 0; i < self->hosts->len; i++)
    remote_host_stop (self->hosts->pdata[i]);
  if (self->ending->len > 0)
    return FALSE;
  update_counts (self);
  g_mutex_lock (&self->lock);
  if (g_queue_is_empty (&self->incoming))
    {
      context = g_steal_pointer (&self->context);
      noted = self->noted;
      g_queue_init (&self->noted);
      g_source_destroy (self->source);
      g_clear_pointer (&self->source, g_source_unref);
      self->is_closing = FALSE;
      closers = self->closers;
      g_queue_init (&self->closers);
    }
  g_mutex_unlock (&self->lock);
  if (context == NULL)
    return FALSE;
  g_queue_clear_full (&noted, (GDestroyNotify)remote_call_unref);
  while ((closer = g_queue_pop_head (&closers)) != NULL)
    {
      closer->func (closer->user_data);
      g_free (closer);
    }
  io_thread_release (context);
  return TRUE;
}

static gint64
advance (Hosts *self)
{
  const gint64 now = g_get_monotonic_time ();
  gint64 next;

  take_settings (self);
  take_incoming (self);
  take_noted (self);
  next = fail_late (self, now);
  send_calls (self);
  start_hosts (self);
  fail_hopeless (self);
  for (guint i = 0; i < self->hosts->len; i++)
    {
      const gint64 due = remote_host_advance (self->hosts->pdata[i], now);

      next = due >= 0 ? MIN (next, due) : next;
    }
  next = MIN (next, advance_launchers (self, now));
  update_counts (self);
  return next;
}

static gboolean
hosts_source_dispatch (GSource *source, GSourceFunc func, gpointer user_data)
{
  Hosts *self = ((HostsSource *)source)->hosts;
  gboolean is_closing;
  gint64 next;

  g_source_set_ready_time (source, -1);
  next = advance (self);
  g_mutex_lock (&self->lock);
  is_closing = self->is_closing;
  if (next != G_MAXINT64
      && (g_source_get_ready_time (source) < 0 || next < g_source_get_ready_time (source)))
    g_source_set_ready_time (source, next);
  g_mutex_unlock (&self->lock);
  if (is_closing && self->queue.length == 0 && try_to_end (self))
    return G_SOURCE_REMOVE;
  return G_SOURCE_CONTINUE;
}

static void
hosts_source_finalize (GSource *source)
{
  hosts_unref (((HostsSource *)source)->hosts);
}

/* With the lock held. */
static gboolean
hold_thread (Hosts *self)
{
  static GSourceFuncs funcs
      = { .dispatch = hosts_source_dispatch, .finalize = hosts_source_finalize };

  if (self->context != NULL)
    return TRUE;
  self->context = io_thread_hold ();
  if (self->context == NULL)
    return FALSE;
  self->source = g_source_new (&funcs, sizeof (HostsSource));
  ((HostsSource *)self->source)->hosts = hosts_ref (self);
  g_source_set_static_name (self->source, "procfun hosts");
  g_source_attach (self->source, self->context);
  return TRUE;
}

gboolean
hosts_submit (Hosts *self, RemoteCall *remote, GError **error)
{
  gboolean is_held;

  g_mutex_lock (&self->lock);
  is_held = hold_thread (self);
  if (is_held)
    {
      g_queue_push_tail (&self->incoming, remote_call_ref (remote));
      wake (self);
    }
  g_mutex_unlock (&self->lock);
  if (!is_held)
    g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_ENGINE,
                 _ ("%s() cannot be called: there is no room for the thread of the hosts"),
                 remote->function_name);
  return is_held;
}

void
hosts_note (Hosts *self, RemoteCall *remote)
{
  g_mutex_lock (&self->lock);
  if (self->source != NULL)
    g_queue_push_tail (&self->noted, remote_call_ref (remote));
  wake (self);
  g_mutex_unlock (&self->lock);
}

void
hosts_close (Hosts *self, void (*func) (gpointer user_data), gpointer user_data)
{
  gboolean is_held;

  g_mutex_lock (&self->lock);
  is_held = self->context != NULL;
  if (is_held)
    {
      self->is_closing = TRUE;
      if (func != NULL)
        {
          Closer *closer = g_new (Closer, 1);

          *closer = (Closer){ func, user_data };
          g_queue_push_tail (&self->closers, closer);
        }
      wake (self);
    }
  g_mutex_unlock (&self->lock);
  if (!is_held && func != NULL)
    func (user_data);
}

typedef struct
{
  GMutex lock;
  GCond cond;
  gboolean is_over;
} Wait;

static void
end_wait (gpointer user_data)
{
  Wait *self = user_data;

  g_mutex_lock (&self->lock);
  self->is_over = TRUE;
  g_cond_signal (&self->cond);
  g_mutex_unlock (&self->lock);
}

void
hosts_close_and_wait (Hosts *self)
{
  Wait wait = { .is_over = FALSE };

  g_mutex_init (&wait.lock);
  g_cond_init (&wait.cond);
  hosts_close (self, end_wait, &wait);
  g_mutex_lock (&wait.lock);
  while (!wait.is_over)
    g_cond_wait (&wait.cond, &wait.lock);
  g_mutex_unlock (&wait.lock);
  g_mutex_clear (&wait.lock);
  g_cond_clear (&wait.cond);
}
