/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/process/patience.h"

#include "procfun/base/intl.h"
#include "procfun/core/call.h"
#include "procfun/procfun-error.h"

static gboolean
is_late (const Patience *self)
{
  gint64 deadline = self->call != NULL ? procfun_call_get_deadline_time (self->call) : 0;

  return deadline > 0 && g_get_monotonic_time () >= deadline;
}

gboolean
patience_is_over (const Patience *self)
{
  return g_cancellable_is_cancelled (self->cancellable) || is_late (self)
         || (self->call != NULL
             && canceller_is_cancelled (procfun_call_get_canceller (self->call)));
}

/* In seconds from the beginning of the call. */
static double
get_deadline (const Patience *self)
{
  gint64 us = self->call != NULL ? procfun_call_get_settings (self->call)->deadline : 0;

  return (double)us / G_USEC_PER_SEC;
}

gboolean
patience_set_error (const Patience *self, ProcfunFunction *function, GError **error)
{
  if (g_cancellable_set_error_if_cancelled (self->cancellable, error)
      || (self->call != NULL
          && canceller_set_error_if_cancelled (procfun_call_get_canceller (self->call), error)))
    return TRUE;
  if (!is_late (self))
    return FALSE;
  g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_TIMED_OUT,
               _ ("%s() missed its deadline of %.6g s while it waited for its process"),
               procfun_function_get_name (function), get_deadline (self));
  return TRUE;
}
