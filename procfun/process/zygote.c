/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/process/zygote-state.h"

#include "procfun/base/intl.h"
#include "procfun/core/call.h"
#include "procfun/core/function.h"
#include "procfun/platform/fds.h"
#include "procfun/platform/inherited-state.h"
#include "procfun/process/launch.h"
#include "procfun/process/request.h"
#include "procfun/procfun-error.h"
#include "procfun/wire/error-frame.h"
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

/* Programs may do much before main(); one that takes longer is not waited for, and its calls are
 * executed one by one. */
#define START_MAX_MS 10000

/* Its end is not waited for longer than this. */
#define END_MAX_MS 5000

/* When calls follow each other faster than this, all processors are wanted, and each spare at once.
 * Else they are asked for when half of them are used, because that wakes the zygote less often,
 * and to wait on the processor of the caller, which need not wake another one for its call. */
#define BUSY_US 500

/* How long a status may be under way that the kernel does not tell. */
#define STATUS_MAX_US G_USEC_PER_SEC

#define FRAME_LIMIT ((gsize)1 << 20)

/* How often threads that wait for what another one reads look whether they were cancelled, and how
 * long the one that reads sleeps without the descriptor that tells so. */
#define LOOK_MS 20

gboolean
zygote_is_own (Zygote *self)
{
  return self->owner == inherited_state_get_process ();
}

guint64
zygote_get_state (Zygote *self)
{
  return self->state;
}

Zygote *
zygote_ref (Zygote *self)
{
  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

/* The zygote first ends what it has forked. It is told to end, because a process that the program
 * has forked may hold the channel open; and to go on, because somebody may have stopped it. */
static void
end_process (Worker *worker, int ms)
{
  struct pollfd poll_fd = { .events = POLLIN };

  if (worker->channel != NULL)
    channel_shut_down (worker->channel);
  g_clear_pointer (&worker->channel, channel_free);
  if (worker->process == NULL)
    return;
  process_signal_alone (worker->process, SIGCONT);
  poll_fd.fd = process_get_pidfd (worker->process);
  if (poll_fd.fd < 0 || poll (&poll_fd, 1, ms) <= 0)
    process_kill_all (worker->process);
}

/* And has prepared itself. */
gboolean
zygote_has_greeted (Zygote *self)
{
  return self->process.has_greeted && preloads_are_done (&self->preloads);
}

gboolean
zygote_can_fork_with (Zygote *self, const ExchangeOptions *options)
{
  gboolean greeted;

  g_mutex_lock (&self->lock);
  greeted = zygote_has_greeted (self);
  g_mutex_unlock (&self->lock);
  return greeted && self->options.codec == options->codec
         && self->options.max_payload == options->max_payload && options->context == NULL;
}

void
zygote_unref (Zygote *self)
{
  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;
  spares_clear (&self->spares);
  if (zygote_is_own (self))
    end_process (&self->process, self->is_stuck || !zygote_has_greeted (self) ? 0 : END_MAX_MS);
  worker_clear (&self->process);
  g_clear_object (&self->options.codec);
  g_clear_error (&self->error);
  preloads_clear (&self->preloads);
  g_clear_error (&self->start_error);
  g_free (self->identity);
  deaths_free (self->deaths);
  g_cond_clear (&self->news);
  g_mutex_clear (&self->lock);
  g_free (self);
}

/* Frames of the zygote */

/* The caller holds the worker, which holds the zygote. */
typedef struct
{
  Zygote *zygote; /* unowned */
  pid_t pid;
} Child;

static gboolean
ask_for_status (gpointer user_data, int *wait_status)
{
  const Child *self = user_data;

  return zygote_get_status (self->zygote, self->pid, wait_status);
}

/* A zygote has one namespace for all its children, so only the number of the first is looked up. */
static pid_t
find_number (Zygote *self, pid_t pid, int pidfd)
{
  if (!self->has_forked)
    self->has_own_numbers = process_find_number (pidfd) != pid;
  return self->has_own_numbers ? process_find_number (pidfd) : pid;
}

static void
take_child (Zygote *self, Frame *frame)
{
  const int *fds = frame->child_fds;
  Worker child = WORKER_INIT;
  Child *who;
  gint32 pid;

  if (frame->n_child_fds != FRAME_CHILD_N_FDS || g_bytes_get_size (frame->payload) != sizeof pid)
    return;
  memcpy (&pid, g_bytes_get_data (frame->payload, NULL), sizeof pid);
  frame->n_child_fds = 0; /* they are the worker's */
  who = g_new (Child, 1);
  *who = (Child){ self, pid };
  child.process = process_new_for_pidfd (find_number (self, pid, fds[FRAME_CHILD_PIDFD]),
                                         fds[FRAME_CHILD_PIDFD], ask_for_status, who, g_free);
  child.channel_fd = fds[FRAME_CHILD_CHANNEL];
  child.report_fd = fds[FRAME_CHILD_REPORT];
  child.output_fds[0] = fds[FRAME_CHILD_STDOUT];
  child.output_fds[1] = fds[FRAME_CHILD_STDERR];
  child.has_greeted = TRUE;
  worker_set_codec (&child, self->options.codec);
  child.max_payload = self->options.max_payload;
  self->has_forked = TRUE;
  spares_push (&self->spares, &child);
}

/* The zygote has checked itself that it is of this build, if it has functions at all. */
static void
take_hello (Zygote *self, const Frame *frame)
{
  gsize size;
  const char *identity = g_bytes_get_data (frame->payload, &size);

  if (self->process.has_greeted)
    preloads_note_done (&self->preloads);
  else if (size == strlen (self->identity) && memcmp (identity, self->identity, size) == 0)
    {
      self->process.has_greeted = TRUE;
      preloads_begin (&self->preloads);
    }
  else if (self->error == NULL)
    self->error = g_error_new_literal (PROCFUN_ERROR, PROCFUN_ERROR_MISMATCH,
                                       _ ("the process that forks others has other functions"));
}

static void
handle_frame (Zygote *self, Frame *frame)
{
  switch (frame->type)
    {
    case FRAME_HELLO:
      take_hello (self, frame);
      break;
    case FRAME_CHILD:
      self->n_wanted -= MIN (self->n_wanted, 1);
      take_child (self, frame);
      break;
    case FRAME_ERROR:
      self->n_wanted -= MIN (self->n_wanted, 1);
      g_clear_error (&self->error);
      self->error = error_from_bytes (frame->payload);
      break;
    case FRAME_EXITED:
      deaths_note (self->deaths, frame);
      break;
    default:
      break;
    }
}

static void
set_ended (Zygote *self)
{
  self->has_ended = TRUE;
  if (self->error == NULL)
    self->error = g_error_new_literal (PROCFUN_ERROR, PROCFUN_ERROR_WORKER_LOST,
                                       _ ("the process that forks others has ended"));
}

/* FALSE: there is nothing to be read. */
static gboolean
receive_one (Zygote *self)
{
  g_auto (Frame) frame = { 0 };
  ChannelStatus status = CHANNEL_END;

  if (!self->has_ended)
    status = channel_receive (self->process.channel, &frame, NULL);
  if (status == CHANNEL_FRAME)
    handle_frame (self, &frame);
  else if (status != CHANNEL_AGAIN)
    set_ended (self);
  return status == CHANNEL_FRAME;
}

/* With the lock held. */
static void
tell_others (Zygote *self)
{
  if (self->n_sleeping > 0)
    g_cond_broadcast (&self->news);
  for (GList *l = self->watchers.head; l != NULL; l = l->next)
    g_source_set_ready_time (l->data, 0);
}

void
zygote_receive (Zygote *self)
{
  gboolean is_new = FALSE;

  while (!self->has_reader && receive_one (self))
    is_new = TRUE;
  if (is_new || self->has_ended)
    tell_others (self);
}

void
zygote_continue (Zygote *self)
{
  if (zygote_has_greeted (self))
    process_signal_alone (self->process.process, SIGCONT);
}

/* The lock is not held while it sleeps. */
static void
sleep_on_channel (Zygote *self, int ms, Canceller *canceller, int *cancel_fd)
{
  GPollFD fds[] = { { .fd = self->process.channel->fd, .events = G_IO_IN },
                    { .fd = *cancel_fd, .events = G_IO_IN } };
  int n_ready;

  channel_out_flush (&self->process.channel->out);
  if (!channel_out_is_empty (&self->process.channel->out))
    fds[0].events |= G_IO_OUT;
  self->has_reader = TRUE;
  g_mutex_unlock (&self->lock);
  n_ready = fds_poll (fds, G_N_ELEMENTS (fds), MIN (ms, *cancel_fd < 0 ? LOOK_MS : ZYGOTE_FORK_MS));
  if (n_ready == 0 && *cancel_fd < 0 && canceller != NULL)
    *cancel_fd = canceller_open_fd (canceller);
  g_mutex_lock (&self->lock);
  if (n_ready == 0)
    zygote_continue (self);
  self->has_reader = FALSE;
}

static void
sleep_for_news (Zygote *self)
{
  self->n_sleeping++;
  g_cond_wait_until (&self->news, &self->lock,
                     g_get_monotonic_time () + LOOK_MS * G_TIME_SPAN_MILLISECOND);
  self->n_sleeping--;
}

static Canceller *
get_canceller (const Patience *patience)
{
  return patience->call != NULL ? procfun_call_get_canceller (patience->call) : NULL;
}

/* Cancellables that are no call's are looked at now and then. */
static int
get_sleep_ms (const Patience *patience, gint64 left)
{
  return (int)MIN (left / 1000 + 1, patience->cancellable != NULL ? LOOK_MS : G_MAXINT);
}

/* Programs may do much before main(), and what a program asks for besides may take longer. */
gint64
zygote_get_start_end (Zygote *self)
{
  if (self->process.has_greeted && !preloads_are_done (&self->preloads))
    return self->preloads.until;
  return self->started_at + START_MAX_MS * G_TIME_SPAN_MILLISECOND;
}

/* Until @is_there, @end, or the end of @patience. One thread reads, the others are told. */
static gboolean
wait_until (Zygote *self, gboolean (*is_there) (Zygote *self), gint64 end, const Patience *patience)
{
  gboolean goes_on = TRUE;
  int cancel_fd = -1;
  gint64 deadline = patience->call != NULL ? procfun_call_get_deadline_time (patience->call) : 0;

  if (deadline > 0)
    end = MIN (end, deadline);
  for (zygote_receive (self); !is_there (self) && goes_on; zygote_receive (self))
    {
      gint64 left = (zygote_has_greeted (self) ? end : MIN (end, zygote_get_start_end (self)))
                    - g_get_monotonic_time ();

      goes_on = !self->has_ended && self->error == NULL && left > 0 && !patience_is_over (patience);
      if (goes_on && self->has_reader)
        sleep_for_news (self);
      else if (goes_on)
        sleep_on_channel (self, get_sleep_ms (patience, left), get_canceller (patience),
                          &cancel_fd);
    }
  if (cancel_fd >= 0)
    canceller_close_fd (get_canceller (patience));
  if (self->n_sleeping > 0) /* one of them reads now */
    g_cond_broadcast (&self->news);
  return is_there (self);
}

/* One of its children has died, and the kernel does not tell how: it has said so, or will at once.
 */
gboolean
zygote_get_status (Zygote *self, pid_t pid, int *wait_status)
{
  gint64 end = g_get_monotonic_time () + STATUS_MAX_US;
  gboolean found = FALSE;

  if (!zygote_is_own (self))
    return FALSE;
  g_mutex_lock (&self->lock);
  for (zygote_receive (self); !(found = deaths_get_status (self->deaths, pid, wait_status));
       zygote_receive (self))
    {
      struct pollfd poll_fd = { .fd = self->process.channel->fd, .events = POLLIN };

      if (self->has_ended || g_get_monotonic_time () > end)
        break;
      if (self->has_reader)
        sleep_for_news (self);
      else
        poll (&poll_fd, 1, 1);
    }
  g_mutex_unlock (&self->lock);
  return found;
}

static gboolean
has_spare (Zygote *self)
{
  return !g_queue_is_empty (&self->spares);
}

/* A process may have gone to another thread: then one more is asked for. An error ends the wait. */
static gboolean
has_spare_or_must_ask (Zygote *self)
{
  return has_spare (self) || (self->error == NULL && self->n_wanted < self->n_waiting);
}

/* Why the zygote gives none. Nobody else shall wait for one that does not answer. */
void
zygote_give_up (Zygote *self, GError **error)
{
  if (self->start_error != NULL && error != &self->start_error)
    {
      g_propagate_error (error, g_error_copy (self->start_error));
      return;
    }
  if (self->error != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&self->error));
      return;
    }
  self->is_stuck = self->is_stuck || !self->has_ended;
  self->has_ended = TRUE;
  g_set_error_literal (error, PROCFUN_ERROR, PROCFUN_ERROR_SPAWN,
                       self->is_stuck ? _ ("the process that forks others does not answer")
                                      : _ ("the process that forks others has ended"));
  tell_others (self);
}

/* Starting it */

Zygote *
zygote_new (ProcfunFunction *function, const ExchangeOptions *options, guint64 state,
            GPtrArray *preloads, gboolean *was_refused, GError **error)
{
  const Worker nothing = WORKER_INIT;
  g_autoptr (Zygote) self = g_new0 (Zygote, 1);

  g_atomic_ref_count_init (&self->ref_count);
  g_mutex_init (&self->lock);
  g_cond_init (&self->news);
  g_queue_init (&self->spares);
  self->deaths = deaths_new ();
  self->process = nothing;
  self->options = (ExchangeOptions){ .codec = g_object_ref (options->codec),
                                     .max_payload = options->max_payload };
  self->state = state;
  self->owner = inherited_state_get_process ();
  self->identity = g_strdup (request_get_identity (function));
  self->started_at = g_get_monotonic_time ();
  preloads_init (&self->preloads, preloads);
  if (!launch_zygote (&self->process, function, error))
    {
      *was_refused = self->process.was_refused;
      return NULL;
    }
  self->process.channel = channel_new (g_steal_fd (&self->process.channel_fd), FRAME_LIMIT);
  request_send_setup (self->process.channel, function, &self->options, SETUP_ARENA_IDLE_MS);
  if (!preloads_send (&self->preloads, self->process.channel, &self->options, error))
    return NULL;
  channel_out_flush (&self->process.channel->out);
  return g_steal_pointer (&self);
}

/* There will be none. Who asked for what it was to run first is told why. */
void
zygote_fail_to_start (Zygote *self, GError **error)
{
  self->failed_at = g_get_monotonic_time ();
  if (!preloads_are_none (&self->preloads) && self->start_error == NULL)
    {
      if (g_error_matches (self->error, PROCFUN_ERROR, PROCFUN_ERROR_WORKER_LOST))
        g_clear_error (&self->error); /* it has not said why */
      if (self->error == NULL && self->process.has_greeted)
        self->error = preloads_make_error (&self->preloads, self->process.process);
      zygote_give_up (self, &self->start_error);
    }
  zygote_give_up (self, error);
  self->has_ended = TRUE;
  process_signal (self->process.process, SIGKILL);
  tell_others (self);
}

GError *
zygote_get_start_error (Zygote *self)
{
  GError *error;

  g_mutex_lock (&self->lock);
  if (!preloads_are_none (&self->preloads) && !zygote_has_greeted (self)
      && self->start_error == NULL)
    zygote_fail_to_start (self, NULL);
  error = self->start_error != NULL ? g_error_copy (self->start_error) : NULL;
  g_mutex_unlock (&self->lock);
  return error;
}

gboolean
zygote_has_preloads (const Zygote *self)
{
  return !preloads_are_none (&self->preloads);
}

gint64
zygote_get_failed_time (Zygote *self)
{
  gint64 time;

  g_mutex_lock (&self->lock);
  time = self->failed_at > 0 ? MAX (self->failed_at - self->started_at, 1) : 0;
  g_mutex_unlock (&self->lock);
  return time;
}

/* Asking it */

static void
ask (Zygote *self, guint n, guint idle, gboolean is_ahead, int cpu)
{
  const FrameFork fork = { n, idle, is_ahead, cpu };

  if (n == 0)
    return;
  if (!self->has_ended)
    g_clear_error (&self->error); /* of an earlier one */
  self->n_wanted += n;
  channel_out_send_now (&self->process.channel->out, FRAME_FORK, 0, &fork, sizeof fork, NULL, 0);
  channel_out_flush (&self->process.channel->out);
}

/* As many as wait, and none twice. */
void
zygote_ask_for_those_who_wait (Zygote *self, guint idle)
{
  if (self->n_wanted < self->n_waiting)
    ask (self, self->n_waiting - self->n_wanted, idle, FALSE, -1);
}

static gboolean
get_child (Zygote *self, Worker *worker, guint idle, const Patience *patience, GError **error)
{
  gboolean ok;

  if (spares_take (&self->spares, self->process.process, worker))
    return TRUE;
  self->n_waiting++;
  while (!(ok = spares_take (&self->spares, self->process.process, worker)))
    {
      zygote_ask_for_those_who_wait (self, idle);
      if (!wait_until (self, has_spare_or_must_ask,
                       g_get_monotonic_time () + ZYGOTE_FORK_MAX_MS * G_TIME_SPAN_MILLISECOND,
                       patience))
        break;
    }
  self->n_waiting--;
  if (!ok && !patience_is_over (patience))
    zygote_give_up (self, error);
  return ok;
}

/* The time of a call limits what runs in its process before it, too. */
gint64
zygote_get_timeout (const Zygote *self, ProcfunCall *call)
{
  return call != NULL && !preloads_are_none (&self->preloads)
             ? procfun_call_get_effective_timeout (call)
             : 0;
}

static gboolean
wait_for_greeting (Zygote *self, const Patience *patience, GError **error)
{
  const gint64 timeout = zygote_get_timeout (self, patience->call);
  const gint64 end = timeout > 0 ? g_get_monotonic_time () + timeout : G_MAXINT64;

  if (zygote_has_greeted (self) || wait_until (self, zygote_has_greeted, end, patience))
    return TRUE;
  if (patience_is_over (patience))
    return FALSE;
  if (!self->has_ended && self->error == NULL && timeout > 0 && g_get_monotonic_time () >= end)
    g_propagate_error (error, preloads_make_timeout (&self->preloads,
                                                     procfun_call_peek_function (patience->call),
                                                     timeout));
  else
    zygote_fail_to_start (self, error);
  return FALSE;
}

gboolean
zygote_has_died (Zygote *self)
{
  return process_has_died (self->process.process);
}

/* Until there are @n spares: one for each that is used or, where calls do not follow each other
 * closely, several at once. */
static void
fork_ahead (gpointer parent, guint idle, guint n)
{
  Zygote *self = parent;
  gint64 now = g_get_monotonic_time ();
  gboolean is_busy;
  guint n_there;

  if (!zygote_is_own (self))
    return;
  g_mutex_lock (&self->lock);
  is_busy = now - self->used_at < BUSY_US;
  n_there = self->spares.length + self->n_wanted;
  if (n_there < n && (is_busy || n_there <= n / 2))
    ask (self, n - n_there, idle, TRUE, is_busy ? -1 : sched_getcpu ());
  self->used_at = now;
  g_mutex_unlock (&self->lock);
}

static gboolean
has_died (gpointer parent)
{
  return zygote_has_died (parent);
}

static pid_t
get_pid (gpointer parent)
{
  Zygote *self = parent;

  return zygote_has_died (self) ? 0 : process_get_pid (self->process.process);
}

static void
unref (gpointer parent)
{
  zygote_unref (parent);
}

static const WorkerParentFuncs parent_funcs = { has_died, get_pid, fork_ahead, unref };

void
zygote_become_parent (Zygote *self, Worker *worker)
{
  worker->parent = zygote_ref (self);
  worker->parent_funcs = &parent_funcs;
}

gboolean
zygote_fork (Zygote *self, Worker *worker, guint idle, const Patience *patience, GError **error)
{
  GError *own_error = NULL;
  gboolean ok;

  g_mutex_lock (&self->lock);
  ok = wait_for_greeting (self, patience, &own_error)
       && get_child (self, worker, idle, patience, &own_error);
  g_mutex_unlock (&self->lock);
  if (ok)
    zygote_become_parent (self, worker);
  else if (own_error != NULL)
    g_propagate_error (error, own_error);
  return ok;
}

gboolean
zygote_drop_spares (Zygote *self)
{
  Spares spares;
  gboolean were_some;

  g_mutex_lock (&self->lock);
  spares = self->spares;
  g_queue_init (&self->spares);
  g_mutex_unlock (&self->lock);
  were_some = !g_queue_is_empty (&spares);
  spares_clear (&spares);
  return were_some;
}

void
zygote_listen (Zygote *self)
{
  g_mutex_lock (&self->lock);
  while (self->n_wanted > 0 && !self->has_reader && receive_one (self))
    tell_others (self);
  g_mutex_unlock (&self->lock);
}

gboolean
zygote_has_forked (Zygote *self)
{
  gboolean forked;

  g_mutex_lock (&self->lock);
  forked = self->has_forked;
  g_mutex_unlock (&self->lock);
  return forked;
}

/* A process that it has just forked may still hold its channel open. */
static gboolean
is_over (Zygote *self)
{
  zygote_receive (self);
  return self->has_ended || process_has_died (self->process.process);
}

/* A process that the program has forked must not read what is meant for that. As long as there are
 * spares, which end with it, what it says can wait. */
gboolean
zygote_has_ended (Zygote *self)
{
  gboolean ended;

  if (!zygote_is_own (self))
    return TRUE;
  g_mutex_lock (&self->lock);
  ended = g_queue_is_empty (&self->spares) && is_over (self);
  g_mutex_unlock (&self->lock);
  return ended;
}
