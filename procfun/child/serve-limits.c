/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Limits in a child: those of the next call, and those of each call of a worker. */

#include "procfun/base/intl.h"
#include "procfun/base/limits.h"
#include "procfun/child/serve.h"
#include "procfun/platform/limits-apply.h"
#include "procfun/procfun-error.h"

/* Of a result, in bytes. */
guint64
server_get_max_result (Server *self)
{
  const ProcfunLimits *limits[] = { self->limits, self->worker_limits };
  guint64 size = self->max_payload;

  for (gsize i = 0; i < G_N_ELEMENTS (limits); i++)
    if (limits[i] != NULL && limits[i]->result_size > 0)
      size = MIN (size, limits[i]->result_size);
  return size;
}

gboolean
server_apply_limits (Server *self, GError **error)
{
  if (self->worker_limits != NULL)
    limits_count_for_call (self->worker_limits);
  return self->limits == NULL || limits_apply (self->limits, error);
}

/* For the next call. */
void
server_take_limits (Server *self, const ProcfunLimits *limits)
{
  g_clear_pointer (&self->limits, procfun_limits_free);
  self->limits = procfun_limits_copy (limits);
}

/* A limit that cannot be kept is the error of the calls. */
static void
take_worker_limits (Server *self, const ProcfunLimits *limits)
{
  GError *error = NULL;

  g_clear_pointer (&self->worker_limits, procfun_limits_free);
  self->worker_limits = procfun_limits_copy (limits);
  self->leftovers.limits = self->worker_limits;
  if (self->unprepared == NULL && !limits_apply_to_worker (limits, &error))
    server_set_unprepared (self, error);
}

gboolean
server_handle_limits (Server *self, const Frame *frame)
{
  g_autoptr (GError) error = NULL;
  gsize size;
  const ProcfunLimits *limits = g_bytes_get_data (frame->payload, &size);

  if (size == sizeof *limits)
    {
      if (frame->type == FRAME_WORKER_LIMITS)
        take_worker_limits (self, limits);
      else
        server_take_limits (self, limits);
      return TRUE;
    }
  error = g_error_new_literal (PROCFUN_ERROR, PROCFUN_ERROR_PROTOCOL,
                               _ ("the set-up of the process cannot be read"));
  server_send_error (self, frame->call_id, error);
  return FALSE;
}
