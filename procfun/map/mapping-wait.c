/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "procfun/map/mapping-wait.h"

#include "procfun/process/exchange-drive.h"
#include "procfun/map/mapping-private.h"
#include "procfun/base/intl.h"
#include "procfun/procfun-error.h"
#include <poll.h>

gboolean
mapping_is_over (Mapping *self)
{
  return mapping_has_piece (self) || mapping_has_ended (self, NULL);
}

void
mapping_check_cancelled (Mapping *self, GCancellable *cancellable)
{
  GError *error = NULL;

  if (g_cancellable_set_error_if_cancelled (cancellable, &error))
    mapping_fail (self, error);
}

/* In a thread */

/* Backwards: those that have ended leave the list. */
void
mapping_advance (Mapping *self)
{
  for (guint i = self->lanes->len; i-- > 0;)
    {
      MapLane *lane = self->lanes->pdata[i];

      if (exchange_advance (lane->exchange))
        mapping_finish_lane (self, lane);
    }
}

static void
on_cancelled (GCancellable *cancellable, gpointer other)
{
  g_cancellable_cancel (other);
}

/* Waits for its turn; who closes the pool can end that, too. */
static CrewMember *
wait_for_worker (Crew *crew, const CrewRequest *request, GCancellable *cancellable,
                 GCancellable *own_cancellable, GError **error)
{
  gulong handler = cancellable != NULL
                       ? g_cancellable_connect (cancellable, G_CALLBACK (on_cancelled),
                                                g_object_ref (own_cancellable), g_object_unref)
                       : 0;
  CrewMember *member = crew_acquire (crew, request, error);

  g_cancellable_disconnect (cancellable, handler);
  return member;
}

/* FALSE: no worker is to be had now. */
static gboolean
start_lane (Mapping *self, GCancellable *cancellable)
{
  Crew *crew = self->config.pool->crew;
  CrewRequest request;
  MapLane *lane = mapping_prepare_lane (self, &request);
  CrewMember *member = NULL;
  GError *error = NULL;

  if (lane == NULL)
    return FALSE;
  if (self->lanes->len > 0) /* whose ends can be waited for */
    member = crew_try_acquire (crew, &request, &error);
  else
    member = wait_for_worker (crew, &request, cancellable, map_lane_get_cancellable (lane), &error);
  mapping_start_lane (self, lane, member);
  if (error != NULL)
    mapping_fail (self, error);
  return member != NULL;
}

static int
get_timeout_ms (Mapping *self)
{
  gint64 wake_time = -1;

  for (guint i = 0; i < self->lanes->len; i++)
    {
      const MapLane *lane = self->lanes->pdata[i];
      gint64 time
          = exchange_fall_asleep (lane->exchange) ? 0 : exchange_get_wake_time (lane->exchange);

      if (time >= 0 && (wake_time < 0 || time < wake_time))
        wake_time = time;
    }
  return wake_time < 0
             ? -1
             : (int)CLAMP ((wake_time - g_get_monotonic_time () + 999) / 1000, 0, G_MAXINT);
}

#define N_FDS (EXCHANGE_N_FDS + 1)

static void
wait_for_something (Mapping *self, int cancel_fd)
{
  const guint n = self->lanes->len;
  g_autofree GPollFD *fds = g_new0 (GPollFD, n * N_FDS + 1);

  for (guint i = 0; i < n; i++)
    {
      MapLane *lane = self->lanes->pdata[i];
      int lane_fd = g_cancellable_get_fd (map_lane_get_cancellable (lane));

      exchange_get_fds (lane->exchange, fds + i * N_FDS);
      fds[i * N_FDS + EXCHANGE_N_FDS]
          = (GPollFD){ .fd = exchange_is_ending (lane->exchange) ? -1 : lane_fd,
                       .events = G_IO_IN };
    }
  fds[n * N_FDS] = (GPollFD){ .fd = self->error != NULL ? -1 : cancel_fd, .events = G_IO_IN };
  g_poll (fds, n * N_FDS + 1, get_timeout_ms (self));
  for (guint i = 0; i < n; i++)
    {
      MapLane *lane = self->lanes->pdata[i];

      g_cancellable_release_fd (map_lane_get_cancellable (lane));
      exchange_note_ready (lane->exchange, fds + i * N_FDS);
    }
}

void
mapping_wait (Mapping *self, GCancellable *cancellable)
{
  int cancel_fd = cancellable != NULL ? g_cancellable_get_fd (cancellable) : -1;

  mapping_stop_source (self);
  for (;;)
    {
      mapping_check_cancelled (self, cancellable);
      mapping_advance (self);
      while (mapping_wants_worker (self) && start_lane (self, cancellable))
        ;
      if (mapping_is_over (self))
        break;
      if (self->lanes->len > 0)
        wait_for_something (self, cancel_fd);
      else if (map_input_is_waiting (self->input))
        mapping_fail (self, g_error_new (PROCFUN_ERROR, PROCFUN_ERROR_INVALID,
                                         _ ("the map of %s() waits for elements that only this "
                                            "thread could add"),
                                         procfun_function_get_name (self->config.function)));
    }
  if (cancel_fd >= 0)
    g_cancellable_release_fd (cancellable);
}
