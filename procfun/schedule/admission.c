/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How one waits until the queue has room: in a thread, and in a main context. */

#include "procfun/schedule/crew-private.h"

#include "procfun/base/intl.h"
#include "procfun/platform/waker.h"
#include "procfun/procfun-error.h"

/* How many bytes somebody brings who is on the way is not known yet. */
static gboolean
has_room (Crew *self)
{
  const CrewConfig *config = &self->config;

  return (config->max_queue_calls == 0
          || self->queue.entries.length + self->n_entering < config->max_queue_calls)
         && (config->max_queue_bytes == 0
             || (self->queue.n_bytes < config->max_queue_bytes && self->n_entering == 0));
}

void
crew_announce_room (Crew *self)
{
  if (self->n_in_thread > 0) /* to wake nobody is a system call, too */
    g_cond_broadcast (&self->room);
  if (self->newcomers.length > 0 && has_room (self))
    g_source_set_ready_time (self->newcomers.head->data, 0);
}

void
crew_leave_entrance (Crew *self)
{
  g_mutex_lock (&self->lock);
  self->n_entering--;
  crew_announce_room (self);
  g_mutex_unlock (&self->lock);
}

gboolean
crew_try_enter (Crew *self, ProcfunFunction *function, GError **error)
{
  gboolean ok;

  g_mutex_lock (&self->lock);
  ok = has_room (self);
  if (ok)
    self->n_entering++;
  g_mutex_unlock (&self->lock);
  if (!ok)
    g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_BUSY,
                 _ ("%s() cannot be called now: the queue is full"),
                 procfun_function_get_name (function));
  return ok;
}

/* With the lock held. */
static gboolean
wait_for_room (Crew *self, ProcfunFunction *function, GCancellable *cancellable, GError **error)
{
  gboolean ok;

  crew_begin_wait (self);
  while (!(ok = has_room (self)) && !self->is_closing && !crew_is_deadlocked (self)
         && !g_cancellable_is_cancelled (cancellable))
    {
      self->n_in_thread++;
      g_cond_wait (&self->room, &self->lock);
      self->n_in_thread--;
    }
  crew_end_wait (self);
  if (ok || g_cancellable_set_error_if_cancelled (cancellable, error))
    return ok;
  if (self->is_closing)
    crew_set_closed (function, error);
  else
    crew_set_nested (function, error);
  return FALSE;
}

gboolean
crew_enter (Crew *self, ProcfunFunction *function, GCancellable *cancellable, GError **error)
{
  CrewAlarm alarm;
  gboolean ok;

  crew_alarm_set (&alarm, self, &self->room, cancellable);
  g_mutex_lock (&self->lock);
  ok = has_room (self) || wait_for_room (self, function, cancellable, error);
  if (ok)
    self->n_entering++;
  g_mutex_unlock (&self->lock);
  crew_alarm_clear (&alarm);
  return ok;
}

typedef struct
{
  GSource source;
  Crew *crew;
  GList link; /* in the crew's newcomers, until it has room or gives up */
  gboolean is_waiting;
  GCancellable *cancellable; /* (nullable) */
  Waker *waker;              /* (nullable) */
  CrewRoomFunc callback;     /* (nullable): it has been called */
  gpointer user_data;
} RoomSource;

/* With the lock held. FALSE: it waits on. A call that is too late is told so when it is run. */
static gboolean
leave_newcomers (RoomSource *self, GError **error)
{
  Crew *crew = self->crew;
  gboolean enters = has_room (crew) || crew->is_closing;

  if (!enters && !g_cancellable_set_error_if_cancelled (self->cancellable, error))
    return FALSE;
  g_queue_unlink (&crew->newcomers, &self->link);
  self->is_waiting = FALSE;
  crew->n_entering += enters ? 1 : 0;
  crew_announce_room (crew); /* to the next one */
  return TRUE;
}

static gboolean
room_source_dispatch (GSource *source, GSourceFunc func, gpointer user_data)
{
  RoomSource *self = (RoomSource *)source;
  CrewRoomFunc callback;
  GError *error = NULL;
  gboolean has_left;

  g_mutex_lock (&self->crew->lock);
  g_source_set_ready_time (source, -1);
  has_left = leave_newcomers (self, &error);
  g_mutex_unlock (&self->crew->lock);
  if (!has_left)
    return G_SOURCE_CONTINUE;
  callback = g_steal_pointer (&self->callback);
  callback (error, self->user_data);
  return G_SOURCE_REMOVE;
}

static void
room_source_dispose (GSource *source)
{
  RoomSource *self = (RoomSource *)source;
  CrewRoomFunc callback = g_steal_pointer (&self->callback);

  g_clear_pointer (&self->waker, waker_free);
  if (callback == NULL)
    return;
  g_mutex_lock (&self->crew->lock);
  if (self->is_waiting)
    g_queue_unlink (&self->crew->newcomers, &self->link);
  crew_announce_room (self->crew);
  g_mutex_unlock (&self->crew->lock);
  callback (g_error_new_literal (G_IO_ERROR, G_IO_ERROR_CANCELLED,
                                 _ ("the main context of the call is gone")),
            self->user_data);
}

static void
room_source_finalize (GSource *source)
{
  RoomSource *self = (RoomSource *)source;

  g_clear_object (&self->cancellable);
  crew_unref (self->crew);
}

static GSourceFuncs room_source_funcs
    = { .dispatch = room_source_dispatch, .finalize = room_source_finalize };

void
crew_enter_async (Crew *self, GCancellable *cancellable, CrewRoomFunc callback, gpointer user_data)
{
  g_autoptr (GMainContext) context = g_main_context_ref_thread_default ();
  g_autoptr (GSource) source = g_source_new (&room_source_funcs, sizeof (RoomSource));
  RoomSource *room = (RoomSource *)source;

  room->crew = g_atomic_rc_box_acquire (self);
  room->link.data = source;
  room->callback = callback;
  room->user_data = user_data;
  if (cancellable != NULL)
    {
      room->cancellable = g_object_ref (cancellable);
      room->waker = waker_new (cancellable, source);
    }
  g_source_set_dispose_function (source, room_source_dispose);
  g_source_set_static_name (source, "procfun room");
  g_mutex_lock (&self->lock);
  room->is_waiting = TRUE;
  g_queue_push_tail_link (&self->newcomers, &room->link);
  if (self->is_closing || g_cancellable_is_cancelled (cancellable))
    g_source_set_ready_time (source, 0);
  crew_announce_room (self);
  g_mutex_unlock (&self->lock);
  g_source_attach (source, context);
}
