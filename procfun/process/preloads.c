/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/process/preloads.h"

#include "procfun/base/intl.h"
#include "procfun/core/call.h"
#include "procfun/core/function.h"
#include "procfun/process/verdict.h"
#include "procfun/procfun-error.h"
#include <poll.h>

/* Loading may take long, but not for ever. */
#define RUN_MAX_US (600 * G_USEC_PER_SEC)

/* Its channel ends a moment before the process does. */
#define DEATH_WAIT_MS 50

void
preloads_init (Preloads *self, GPtrArray *calls)
{
  *self = (Preloads){ .calls = calls != NULL ? g_ptr_array_ref (calls) : NULL };
}

void
preloads_clear (Preloads *self)
{
  g_clear_pointer (&self->calls, g_ptr_array_unref);
}

gboolean
preloads_are_none (const Preloads *self)
{
  return self->calls == NULL;
}

gboolean
preloads_are_done (const Preloads *self)
{
  return self->calls == NULL || self->n_done >= self->calls->len;
}

static const char *
get_name (const Preloads *self)
{
  const guint n = MIN (self->n_done, self->calls->len - 1);

  return procfun_function_get_name (procfun_call_peek_function (self->calls->pdata[n]));
}

static gboolean
send_one (ProcfunCall *call, Channel *channel, const ExchangeOptions *options, GError **error)
{
  g_autoptr (GBytes) arguments = NULL;
  const FrameCall head
      = { .hash = procfun_call_peek_function (call)->hash_number, .flags = FRAME_CALL_INITIAL };

  if (!function_check_callable (procfun_call_peek_function (call), error)
      || !procfun_call_check_arguments (call, error))
    return FALSE;
  arguments = exchange_encode_arguments (call, options, error);
  if (arguments == NULL)
    return FALSE;
  channel_send (channel, FRAME_CALL, 0, &head, sizeof head, arguments, NULL);
  return TRUE;
}

gboolean
preloads_send (Preloads *self, Channel *channel, const ExchangeOptions *options, GError **error)
{
  for (guint i = 0; self->calls != NULL && i < self->calls->len; i++)
    if (!send_one (self->calls->pdata[i], channel, options, error))
      return FALSE;
  return TRUE;
}

void
preloads_begin (Preloads *self)
{
  self->until = g_get_monotonic_time () + RUN_MAX_US;
}

void
preloads_note_done (Preloads *self)
{
  self->n_done++;
  preloads_begin (self);
}

static char *
describe_end (Process *process)
{
  struct pollfd poll_fd = { .fd = process_get_pidfd (process), .events = POLLIN };
  int status = 0;
  gboolean has_status;

  if (poll_fd.fd >= 0)
    poll (&poll_fd, 1, DEATH_WAIT_MS);
  has_status = process_has_died (process) && process_get_status (process, &status);
  return verdict_describe_start (has_status, status);
}

GError *
preloads_make_error (const Preloads *self, Process *process)
{
  g_autofree char *how = g_get_monotonic_time () >= self->until
                             ? g_strdup (_ ("it has not ended for ten minutes"))
                             : describe_end (process);

  return g_error_new (PROCFUN_ERROR, PROCFUN_ERROR_SPAWN,
                      _ ("the process for calls could not be prepared by %s(): %s"),
                      get_name (self), how);
}

GError *
preloads_make_timeout (const Preloads *self, ProcfunFunction *function, gint64 timeout)
{
  return g_error_new (PROCFUN_ERROR, PROCFUN_ERROR_TIMED_OUT,
                      _ ("%s() timed out after %.6g s, in which %s() has not prepared its process"),
                      procfun_function_get_name (function), (double)timeout / G_USEC_PER_SEC,
                      get_name (self));
}
