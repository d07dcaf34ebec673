/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/process/worker.h"

#include "procfun/base/usage.h"
#include "procfun/platform/fds.h"
#include <signal.h>
#include <string.h>

/* Frames without a payload of the user's may take some bytes, however low its limit is. */
#define FRAME_LIMIT_MIN ((guint64)64 * 1024)

void
worker_drop_source (Worker *self)
{
  if (self->source != NULL)
    g_source_destroy (self->source);
  g_clear_pointer (&self->source, g_source_unref);
  g_clear_pointer (&self->source_context, g_main_context_unref);
}

void
worker_keep_source (Worker *self, GSource *source)
{
  self->source = g_source_ref (source);
  self->source_context = g_main_context_ref (g_source_get_context (source));
}

GSource *
worker_take_source (Worker *self)
{
  g_clear_pointer (&self->source_context, g_main_context_unref);
  return g_steal_pointer (&self->source);
}

void
worker_clear (Worker *self)
{
  worker_drop_source (self);
  if (self->parent != NULL && self->process != NULL)
    process_signal_alone (self->process, SIGKILL);
  g_clear_pointer (&self->process, process_free);
  g_clear_pointer (&self->channel, channel_free);
  g_clear_object (&self->codec);
  g_clear_object (&self->context);
  g_clear_pointer (&self->sandbox, sandbox_plan_unref);
  g_clear_pointer (&self->initializer, g_free);
  g_clear_pointer (&self->trouble, g_free);
  fd_clear (&self->channel_fd);
  fd_clear (&self->lifeline_fd);
  fd_clear (&self->report_fd);
  fd_clear (&self->output_fds[0]);
  fd_clear (&self->output_fds[1]);
  fd_clear (&self->journal.fd);
  g_clear_pointer (&self->cgroup, cgroup_free);
  g_clear_pointer (&self->limits, g_atomic_rc_box_release);
  worker_fork_ahead (self);
  if (self->parent != NULL)
    self->parent_funcs->unref (g_steal_pointer (&self->parent));
}

void
worker_fork_ahead (Worker *self)
{
  guint n = self->n_spares;

  self->n_spares = 0;
  if (n > 0 && self->parent != NULL)
    self->parent_funcs->fork_ahead (self->parent, self->spare_idle, n);
}

Worker
worker_steal (Worker *self)
{
  const Worker nothing = WORKER_INIT;
  Worker worker = *self;

  *self = nothing;
  return worker;
}

void
worker_open_channel (Worker *self, guint64 max_result)
{
  const guint64 limit = MAX (max_result, FRAME_LIMIT_MIN) + sizeof (ProcfunUsage);

  if (self->channel != NULL)
    {
      channel_raise_limit (self->channel, limit); /* the answer of a call before may be due */
      self->call_id++;
      return;
    }
  self->channel = channel_new (g_steal_fd (&self->channel_fd), limit);
  channel_set_senders (self->channel, FRAME_FROM_CALLEE | FRAME_FROM_CHANNEL);
  channel_share (self->channel, self->is_kept ? SHARE_ARENA : SHARE_LARGE, FALSE);
  if (self->is_kept)
    channel_offer_ring (self->channel);
}

void
worker_set_codec (Worker *self, ProcfunCodec *codec)
{
  g_set_object (&self->codec, codec);
  self->is_packed = codec == procfun_codec_get_gvariant ();
}

gboolean
worker_ends_with_result (const Worker *self)
{
  return !self->is_kept && process_get_pidfd (self->process) >= 0 && self->cgroup == NULL;
}

guint64
worker_get_call_flags (const Worker *self)
{
  if (self->is_kept)
    return channel_is_patient () ? FRAME_CALL_PATIENT : 0;
  return FRAME_CALL_LAST | (worker_ends_with_result (self) ? FRAME_CALL_ENDED : 0);
}

void
worker_set_state (Worker *self, GBytes *bytes)
{
  if (g_bytes_get_size (bytes) == sizeof self->state)
    memcpy (&self->state, g_bytes_get_data (bytes, NULL), sizeof self->state);
  worker_count_memory_anew (self);
}

void
worker_count_memory_anew (Worker *self)
{
  if (self->cgroup != NULL && self->is_kept)
    cgroup_count_memory_anew (self->cgroup);
}

gboolean
worker_is_unprepared (const Worker *self)
{
  return (self->state.leftovers & FRAME_LEFT_UNPREPARED) != 0;
}

void
worker_note_error (Worker *self, const GError *error)
{
  if (worker_is_unprepared (self) && self->trouble == NULL)
    self->trouble = g_strdup (error->message);
}

gboolean
worker_is_lost (Worker *self)
{
  return self->parent != NULL && self->parent_funcs->has_died (self->parent);
}

void
worker_kill_family (Worker *self)
{
  process_signal (self->process, SIGKILL);
  process_kill_noted (self->process);
  if (self->cgroup != NULL)
    cgroup_kill (self->cgroup);
}

pid_t
worker_get_parent_pid (Worker *self)
{
  return self->parent != NULL ? self->parent_funcs->get_pid (self->parent) : 0;
}
