/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/child/listener.h"

#include <string.h>

/* A generator that never has to wait for its caller still hears it now and then. */
#define LOOK_STEP_US 1000

void
listener_init (Listener *self, Channel *channel)
{
  *self = (Listener){ .channel = channel };
  g_mutex_init (&self->lock);
  g_cond_init (&self->heard);
  g_queue_init (&self->frames);
}

/* Frames for a call that runs, and not for the thread that serves. */
static gboolean
is_word (const Frame *frame)
{
  return frame->type == FRAME_CANCEL || frame->type == FRAME_CREDIT;
}

static void
free_frame (Frame *frame)
{
  frame_clear (frame);
  g_free (frame);
}

static void
hear_word (Listener *self, const Frame *frame)
{
  if (frame->type == FRAME_CANCEL)
    g_cancellable_cancel (self->cancellable);
  else if (g_bytes_get_size (frame->payload) == sizeof self->credit)
    memcpy (&self->credit, g_bytes_get_data (frame->payload, NULL), sizeof self->credit);
}

/* Takes the content of @frame. A word may come before its call begins. */
static void
handle_frame (Listener *self, Frame *frame)
{
  if (!is_word (frame) || self->cancellable == NULL || frame->call_id != self->call_id)
    {
      g_queue_push_tail (&self->frames, g_memdup2 (frame, sizeof *frame));
      return;
    }
  hear_word (self, frame);
  frame_clear (frame);
}

void
listener_begin_call (Listener *self, guint32 call_id, GCancellable *cancellable)
{
  g_mutex_lock (&self->lock);
  self->call_id = call_id;
  self->cancellable = cancellable;
  self->credit = self->used = (FrameCredit){ 0 };
  for (GList *l = self->frames.head; l != NULL; l = l->next)
    {
      const Frame *frame = l->data;

      if (is_word (frame) && frame->call_id == call_id)
        hear_word (self, frame);
    }
  g_mutex_unlock (&self->lock);
}

void
listener_end_call (Listener *self)
{
  g_mutex_lock (&self->lock);
  self->cancellable = NULL;
  g_mutex_unlock (&self->lock);
}

/* With the lock held, which is open meanwhile. */
static ChannelStatus
read_with (Listener *self, int ms)
{
  Frame frame = { 0 };
  ChannelStatus status;

  self->is_reading = TRUE;
  g_mutex_unlock (&self->lock);
  status = channel_receive_within (self->channel, &frame, ms, NULL);
  g_mutex_lock (&self->lock);
  if (status == CHANNEL_FRAME)
    handle_frame (self, &frame);
  self->is_reading = FALSE;
  self->has_ended = status == CHANNEL_END || status == CHANNEL_FAILED;
  self->looked_at = g_get_monotonic_time ();
  if (self->n_waiting > 0)
    g_cond_broadcast (&self->heard);
  return status;
}

/* Waits for one frame, whoever reads it. */
static ChannelStatus
hear (Listener *self, int ms)
{
  gint64 end = ms >= 0 ? g_get_monotonic_time () + ms * G_TIME_SPAN_MILLISECOND : G_MAXINT64;
  ChannelStatus status;

  if (!self->is_reading)
    return read_with (self, ms);
  self->n_waiting++;
  status = g_cond_wait_until (&self->heard, &self->lock, end) ? CHANNEL_FRAME : CHANNEL_AGAIN;
  self->n_waiting--;
  return status;
}

/* Words were heard when their call began, or came too late. (transfer full) (nullable) */
static Frame *
pop_frame (Listener *self)
{
  Frame *frame;

  while ((frame = g_queue_pop_head (&self->frames)) != NULL && is_word (frame))
    free_frame (frame);
  return frame;
}

/* Where no other thread may read, and nothing was kept, the next frame is the one that comes. */
static gboolean
is_alone (Listener *self)
{
  return !self->has_thread && !self->is_reading && !self->has_ended
         && g_queue_is_empty (&self->frames);
}

static ChannelStatus
next_alone (Listener *self, Frame *frame, int ms)
{
  ChannelStatus status = channel_receive_within (self->channel, frame, ms, NULL);

  while (status == CHANNEL_FRAME && is_word (frame))
    {
      frame_clear (frame);
      status = channel_receive_within (self->channel, frame, ms, NULL);
    }
  self->has_ended = status == CHANNEL_END || status == CHANNEL_FAILED;
  return status;
}

ChannelStatus
listener_next (Listener *self, Frame *frame, int ms)
{
  ChannelStatus status = CHANNEL_FRAME;
  Frame *next;

  g_mutex_lock (&self->lock);
  if (is_alone (self))
    {
      status = next_alone (self, frame, ms);
      g_mutex_unlock (&self->lock);
      return status;
    }
  while ((next = pop_frame (self)) == NULL && !self->has_ended && status != CHANNEL_AGAIN)
    status = hear (self, ms);
  g_mutex_unlock (&self->lock);
  if (next == NULL)
    return status == CHANNEL_AGAIN ? CHANNEL_AGAIN : CHANNEL_END;
  *frame = *next;
  g_free (next);
  return CHANNEL_FRAME;
}

static gpointer
listen (gpointer user_data)
{
  Listener *self = user_data;

  g_mutex_lock (&self->lock);
  while (!self->has_ended)
    hear (self, -1);
  g_mutex_unlock (&self->lock);
  return NULL;
}

gboolean
listener_start (Listener *self)
{
  GThread *thread;

  if (self->has_thread)
    return TRUE;
  thread = g_thread_try_new ("procfun", listen, self, NULL);
  if (thread == NULL)
    return FALSE;
  self->has_thread = TRUE;
  g_thread_unref (thread);
  return TRUE;
}

static gboolean
is_wanted (Listener *self)
{
  return !self->has_ended && !g_cancellable_is_cancelled (self->cancellable);
}

static gboolean
has_credit (Listener *self)
{
  return self->used.n_items < self->credit.n_items && self->used.n_bytes < self->credit.n_bytes;
}

gboolean
listener_take_credit (Listener *self, gsize size)
{
  gboolean wanted;

  g_mutex_lock (&self->lock);
  if (!self->is_reading && g_get_monotonic_time () - self->looked_at >= LOOK_STEP_US)
    read_with (self, 0);
  while (is_wanted (self) && !has_credit (self))
    hear (self, -1);
  wanted = is_wanted (self);
  if (wanted)
    {
      self->used.n_items++;
      self->used.n_bytes += size;
    }
  g_mutex_unlock (&self->lock);
  return wanted;
}

gboolean
listener_is_cut_off (Listener *self)
{
  gboolean is_cut_off;

  g_mutex_lock (&self->lock);
  is_cut_off = self->has_ended && !g_cancellable_is_cancelled (self->cancellable);
  g_mutex_unlock (&self->lock);
  return is_cut_off;
}
