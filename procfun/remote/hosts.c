/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/remote/hosts.h"

#include "procfun/base/intl.h"
#include "procfun/base/wake-source.h"
#include "procfun/core/context.h"
#include "procfun/core/failure.h"
#include "procfun/platform/process.h"
#include "procfun/procfun-error.h"
#include "procfun/remote/io-thread.h"
#include "procfun/remote/placement.h"
#include "procfun/remote/reaper.h"
#include "procfun/remote/remote-host.h"

typedef struct
{
  void (*func) (gpointer user_data);
  gpointer user_data;
} Closer;

typedef struct
{
  WakeSource base;
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
  gboolean drops;   /* what waits */
  gboolean cancels; /* what runs, once */
  HostsConfig next_config;
  gboolean has_settings; /* or specs, that are new */
  GMainContext *context; /* (nullable): the thread is not held */
  WakeSource *source;    /* (nullable): in that context */
  HostsCounts counts;
  guint64 incoming_bytes; /* of arguments */
  gint n_unfinished;      /* atomic: calls whose callers wait */

  /* Of the thread of the hosts */
  HostsConfig config;
  Placement placement;
  Reaper reaper;
  UploadFile *upload_file; /* (nullable) */
  char *upload_path;       /* (nullable): of that file; NULL: of this program */
  guint64 n_lost;
};

/* The object */

static void
config_clear (HostsConfig *self)
{
  g_clear_pointer (&self->program, g_free);
  g_clear_pointer (&self->library, g_free);
}

static void
config_copy (HostsConfig *self, const HostsConfig *other)
{
  config_clear (self);
  *self = *other;
  self->program = g_strdup (other->program);
  self->library = g_strdup (other->library);
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
  placement_init (&self->placement);
  reaper_init (&self->reaper);
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
  placement_clear (&self->placement);
  reaper_clear (&self->reaper);
  g_clear_pointer (&self->upload_file, upload_file_free);
  g_free (self->upload_path);
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

const UploadFile *
hosts_get_upload_file (Hosts *self, GError **error)
{
  const char *path = self->config.library != NULL ? self->config.library : self->config.program;

  if (path == NULL && procfun_context_serves ())
    {
      g_set_error_literal (error, PROCFUN_ERROR, PROCFUN_ERROR_INVALID,
                           _ ("only programs and libraries can be sent to hosts, and not scripts"));
      return NULL;
    }
  if (self->upload_file != NULL && g_strcmp0 (self->upload_path, path) == 0)
    return self->upload_file;
  g_clear_pointer (&self->upload_file, upload_file_free);
  g_free (self->upload_path);
  self->upload_path = g_strdup (path);
  self->upload_file = upload_file_new (path, error);
  return self->upload_file;
}

guint
hosts_count_there (Hosts *self)
{
  return placement_count_there (&self->placement);
}

/* From any thread */

/* With the lock held. */
static void
wake (Hosts *self)
{
  if (self->source == NULL)
    return;
  wake_source_wake (self->source);
  io_thread_nudge ();
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
hosts_end_calls (Hosts *self, gboolean drops, gboolean cancels)
{
  g_mutex_lock (&self->lock);
  self->drops = self->drops || drops;
  self->cancels = cancels;
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
hosts_return_call (Hosts *self, RemoteCall *remote)
{
  placement_return (&self->placement, remote);
  hosts_wake (self);
}

static void
take_incoming (Hosts *self)
{
  RemoteCall *remote;

  for (;;)
    {
      g_mutex_lock (&self->lock);
      remote = g_queue_pop_head (&self->incoming);
      self->incoming_bytes -= remote != NULL ? g_bytes_get_size (remote->args) : 0;
      g_mutex_unlock (&self->lock);
      if (remote == NULL)
        return;
      placement_push (&self->placement, remote);
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
    {
      remote_host_tell_taken (remote->host, remote, taken);
      remote_host_cancel_elements (remote->host, remote);
    }
  else if (is_cancelled)
    placement_cancel (&self->placement, remote);
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

static void
end_calls (Hosts *self)
{
  gboolean drops, cancels;

  g_mutex_lock (&self->lock);
  drops = self->drops;
  cancels = self->cancels;
  self->cancels = FALSE;
  g_mutex_unlock (&self->lock);
  if (drops)
    placement_drop (&self->placement);
  if (cancels)
    placement_cancel_running (&self->placement);
}

/* News of hosts */

void
hosts_reap (Hosts *self, Process *process, gboolean is_hung)
{
  reaper_take (&self->reaper, process, is_hung);
  hosts_wake (self);
}

void
hosts_host_is_up (Hosts *self, const char *name, guint slots, GVariant *contracts)
{
  const HostNews news = { .name = name, .slots = slots, .contracts = contracts };

  if (self->func != NULL)
    self->func (&news, self->user_data);
  hosts_wake (self);
}

void
hosts_host_is_lost (Hosts *self, const char *name, const GError *error)
{
  const HostNews news = { .name = name, .error = error };

  self->n_lost++;
  if (self->func != NULL)
    self->func (&news, self->user_data);
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

      g_ptr_array_add (self->placement.hosts, remote_host_new (self, spec));
    }
  g_mutex_unlock (&self->lock);
}

static void
update_counts (Hosts *self)
{
  HostsCounts counts = { .n_queued = self->placement.queue.length,
                         .n_queued_bytes = self->placement.queue.n_bytes,
                         .n_lost = self->n_lost };

  for (guint i = 0; i < self->placement.hosts->len; i++)
    {
      const RemoteHost *host = self->placement.hosts->pdata[i];
      const guint n = remote_host_get_n_calls (host);

      counts.n_starting += remote_host_is_starting (host) ? 1 : 0;
      counts.n_down += remote_host_is_there (host) ? 0 : 1;
      if (remote_host_get_n_hosts (host) == 0)
        continue;
      counts.n_hosts += remote_host_get_n_hosts (host);
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

  for (guint i = 0; i < self->placement.hosts->len; i++)
    remote_host_stop (self->placement.hosts->pdata[i]);
  if (reaper_has_any (&self->reaper))
    return FALSE;
  update_counts (self);
  g_mutex_lock (&self->lock);
  if (g_queue_is_empty (&self->incoming))
    {
      context = g_steal_pointer (&self->context);
      noted = self->noted;
      g_queue_init (&self->noted);
      g_source_destroy (&self->source->source);
      g_source_unref (&g_steal_pointer (&self->source)->source);
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
  end_calls (self);
  next = placement_advance (&self->placement, self->config.max_hosts, now);
  next = MIN (next, reaper_advance (&self->reaper, now));
  update_counts (self);
  return next;
}

static gboolean
hosts_source_dispatch (GSource *source, GSourceFunc func, gpointer user_data)
{
  Hosts *self = ((HostsSource *)source)->hosts;
  gboolean is_closing;
  gint64 next;

  wake_source_begin ((WakeSource *)source);
  next = advance (self);
  if (next != G_MAXINT64)
    ((WakeSource *)source)->next = MAX (next, 1);
  g_mutex_lock (&self->lock);
  is_closing = self->is_closing;
  g_mutex_unlock (&self->lock);
  if (is_closing && self->placement.queue.length == 0 && try_to_end (self))
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
  static GSourceFuncs funcs = { .prepare = wake_source_prepare,
                                .check = wake_source_check,
                                .dispatch = hosts_source_dispatch,
                                .finalize = hosts_source_finalize };
  GSource *source;

  if (self->context != NULL)
    return TRUE;
  self->context = io_thread_hold ();
  if (self->context == NULL)
    return FALSE;
  source = wake_source_new (&funcs, sizeof (HostsSource));
  ((HostsSource *)source)->hosts = hosts_ref (self);
  g_source_set_static_name (source, "procfun hosts");
  self->source = (WakeSource *)source;
  wake_source_attach (self->source, self->context);
  return TRUE;
}

/* Whether it would have to wait in a queue that is full, which a chunk of a map may. With the lock
 * held. */
static gboolean
is_full (Hosts *self, const RemoteCall *remote)
{
  const HostsConfig *config = &self->next_config;
  const guint64 n_running = (guint64)self->counts.n_slots * MAX (config->calls_in_flight, 1);
  const guint64 n = (guint)g_atomic_int_get (&self->n_unfinished);
  const guint64 n_bytes = self->counts.n_queued_bytes + self->incoming_bytes;

  if ((config->max_queue_calls == 0 && config->max_queue_bytes == 0) || n < n_running
      || remote->head.n_elements > 0)
    return FALSE;
  return (config->max_queue_calls > 0 && n - n_running >= config->max_queue_calls)
         || (config->max_queue_bytes > 0
             && n_bytes + g_bytes_get_size (remote->args) > config->max_queue_bytes);
}

gboolean
hosts_submit (Hosts *self, RemoteCall *remote, GError **error)
{
  gboolean is_held;

  g_mutex_lock (&self->lock);
  if (is_full (self, remote))
    {
      g_mutex_unlock (&self->lock);
      g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_BUSY,
                   _ ("%s() cannot be called now: the queue is full"), remote->function_name);
      return FALSE;
    }
  is_held = hold_thread (self);
  if (is_held)
    {
      io_thread_add_call ();
      g_queue_push_tail (&self->incoming, remote_call_ref (remote));
      self->incoming_bytes += g_bytes_get_size (remote->args);
      g_atomic_int_inc (&self->n_unfinished);
      wake_source_wake (self->source); /* who waits may do the work */
    }
  g_mutex_unlock (&self->lock);
  if (!is_held)
    g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_ENGINE,
                 _ ("%s() cannot be called: there is no room for the thread of the hosts"),
                 remote->function_name);
  return is_held;
}

void
hosts_forget (Hosts *self)
{
  g_atomic_int_dec_and_test (&self->n_unfinished);
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
