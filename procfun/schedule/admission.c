/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How one waits until the queue has room: in a thread, and in a main context. */

#include "procfun/schedule/admission.h"

#include "procfun/base/intl.h"
#include "procfun/platform/waker.h"
#include "procfun/procfun-error.h"

void
scheduler_leave_admission (Scheduler *self)
{
  g_mutex_lock (&self->lock);
  self->n_entering--;
  scheduler_announce_room (self);
  g_mutex_unlock (&self->lock);
}

gboolean
scheduler_try_admit (Scheduler *self, ProcfunFunction *function, GError **error)
{
  gboolean ok;

  g_mutex_lock (&self->lock);
  ok = scheduler_has_room (self);
  if (ok)
    self->n_entering++;
  g_mutex_unlock (&self->lock);
  if (!ok)
    g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_BUSY,
                 _ ("%s() cannot be called now: the queue is full"),
                 procfun_function_get_name (function));
  return ok;
}

void
scheduler_announce_room (Scheduler *self)
{
  if ((self->in_admission.length == 0 && self->submitters.length == 0)
      || !scheduler_has_room (self))
    return;
  if (self->in_admission.length > 0)
    g_cond_signal (self->in_admission.head->data);
  if (self->submitters.length > 0)
    g_source_set_ready_time (self->submitters.head->data, 0);
}

void
scheduler_wake_submitters (Scheduler *self)
{
  for (GList *l = self->in_admission.head; l != NULL; l = l->next)
    g_cond_signal (l->data);
  for (GList *l = self->submitters.head; l != NULL; l = l->next)
    g_source_set_ready_time (l->data, 0);
}

/* In a thread. With the lock held. */
static gboolean
wait_for_room (Scheduler *self, GCond *cond, GCancellable *cancellable)
{
  GList link = { .data = cond };
  Blocked blocked;
  gboolean ok;

  g_queue_push_tail_link (&self->in_admission, &link);
  scheduler_begin_wait (self, &blocked, cond);
  while (!(ok = scheduler_has_room (self)) && !self->is_closing
         && !(blocked.cond != NULL && scheduler_is_deadlocked (self))
         && !g_cancellable_is_cancelled (cancellable))
    g_cond_wait (cond, &self->lock);
  scheduler_end_wait (self, &blocked);
  g_queue_unlink (&self->in_admission, &link);
  return ok;
}

gboolean
scheduler_admit (Scheduler *self, ProcfunFunction *function, GCancellable *cancellable,
                 GError **error)
{
  gboolean ok, is_closing;
  CondWaker waker;
  GCond cond;

  g_cond_init (&cond);
  cond_waker_init (&waker, &self->lock, &cond, cancellable);
  g_mutex_lock (&self->lock);
  ok = scheduler_has_room (self) || wait_for_room (self, &cond, cancellable);
  if (ok)
    self->n_entering++;
  is_closing = self->is_closing;
  scheduler_announce_room (self); /* to the next one */
  g_mutex_unlock (&self->lock);
  cond_waker_clear (&waker);
  g_cond_clear (&cond);
  if (ok || g_cancellable_set_error_if_cancelled (cancellable, error))
    return ok;
  if (is_closing)
    scheduler_set_closed (function, error);
  else
    scheduler_set_nested (function, error);
  return FALSE;
}

/* In a main context */

typedef struct
{
  GSource source;
  Scheduler *scheduler;
  GList link; /* in the scheduler's submitters, until it has room or gives up */
  gboolean is_waiting;
  GCancellable *cancellable; /* (nullable) */
  Waker *waker;              /* (nullable) */
  AdmissionFunc callback;    /* (nullable): it has been called */
  gpointer user_data;
} AdmissionSource;

/* With the lock held. FALSE: it waits on. A call that is too late is told so when it is run. */
static gboolean
leave_submitters (AdmissionSource *self, GError **error)
{
  Scheduler *scheduler = self->scheduler;
  gboolean enters = scheduler_has_room (scheduler) || scheduler->is_closing;

  if (!enters && !g_cancellable_set_error_if_cancelled (self->cancellable, error))
    return FALSE;
  g_queue_unlink (&scheduler->submitters, &self->link);
  self->is_waiting = FALSE;
  scheduler->n_entering += enters ? 1 : 0;
  scheduler_announce_room (scheduler); /* to the next one */
  return TRUE;
}

static gboolean
admission_source_dispatch (GSource *source, GSourceFunc func, gpointer user_data)
{
  AdmissionSource *self = (AdmissionSource *)source;
  AdmissionFunc callback;
  GError *error = NULL;
  gboolean has_left;

  g_mutex_lock (&self->scheduler->lock);
  g_source_set_ready_time (source, -1);
  has_left = leave_submitters (self, &error);
  g_mutex_unlock (&self->scheduler->lock);
  if (!has_left)
    return G_SOURCE_CONTINUE;
  callback = g_steal_pointer (&self->callback);
  callback (error, self->user_data);
  return G_SOURCE_REMOVE;
}

static void
admission_source_dispose (GSource *source)
{
  AdmissionSource *self = (AdmissionSource *)source;
  AdmissionFunc callback = g_steal_pointer (&self->callback);

  g_clear_pointer (&self->waker, waker_free);
  if (callback == NULL)
    return;
  g_mutex_lock (&self->scheduler->lock);
  if (self->is_waiting)
    g_queue_unlink (&self->scheduler->submitters, &self->link);
  scheduler_announce_room (self->scheduler);
  g_mutex_unlock (&self->scheduler->lock);
  callback (g_error_new_literal (G_IO_ERROR, G_IO_ERROR_CANCELLED,
                                 _ ("the main context of the call is gone")),
            self->user_data);
}

static void
admission_source_finalize (GSource *source)
{
  AdmissionSource *self = (AdmissionSource *)source;

  g_clear_object (&self->cancellable);
  scheduler_unref (self->scheduler);
}

static GSourceFuncs admission_source_funcs
    = { .dispatch = admission_source_dispatch, .finalize = admission_source_finalize };

void
scheduler_admit_async (Scheduler *self, GCancellable *cancellable, AdmissionFunc callback,
                       gpointer user_data)
{
  g_autoptr (GMainContext) context = g_main_context_ref_thread_default ();
  g_autoptr (GSource) source = g_source_new (&admission_source_funcs, sizeof (AdmissionSource));
  AdmissionSource *admission = (AdmissionSource *)source;

  admission->scheduler = scheduler_ref (self);
  admission->link.data = source;
  admission->callback = callback;
  admission->user_data = user_data;
  if (cancellable != NULL)
    {
      admission->cancellable = g_object_ref (cancellable);
      admission->waker = waker_new (cancellable, source);
    }
  g_source_set_dispose_function (source, admission_source_dispose);
  g_source_set_static_name (source, "procfun admission");
  g_mutex_lock (&self->lock);
  admission->is_waiting = TRUE;
  g_queue_push_tail_link (&self->submitters, &admission->link);
  if (self->is_closing || g_cancellable_is_cancelled (cancellable))
    g_source_set_ready_time (source, 0);
  scheduler_announce_room (self);
  g_mutex_unlock (&self->lock);
  g_source_attach (source, context);
}
