/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "procfun/child/confinement.h"

#include "procfun/base/intl.h"
#include "procfun/child/crash.h"
#include "procfun/core/function.h"
#include "procfun/procfun-error.h"
#include "procfun/wire/sandbox-frame.h"

void
confinement_take_order (Confinement *self, GBytes *bytes)
{
  g_clear_pointer (&self->bytes, g_bytes_unref);
  self->bytes = g_bytes_ref (bytes);
}

gboolean
confinement_prepare (Confinement *self, GError **error)
{
  if (self->bytes == NULL)
    return TRUE;
  if (!sandbox_from_bytes (&self->order, self->bytes, error))
    return FALSE;
  if (sandbox_prepare (&self->order, error))
    return TRUE;
  sandbox_order_clear (&self->order);
  return FALSE;
}

/* An order that was not carried out is tried again before the next call. */
gboolean
confinement_enter (Confinement *self, Channel *channel, GError **error)
{
  SandboxState state;
  gboolean ok;

  if (self->bytes == NULL)
    return TRUE;
  if (self->order.level == PROCFUN_SANDBOX_PURE_COMPUTE)
    crash_take_refusals ();
  ok = sandbox_apply (&self->order, &state, error);
  sandbox_order_clear (&self->order);
  if (!ok)
    return FALSE;
  g_clear_pointer (&self->bytes, g_bytes_unref);
  self->state.level = MAX (self->state.level, state.level);
  self->state.parts |= state.parts;
  channel_send (channel, FRAME_CONFINED, 0, &self->state, sizeof self->state, NULL, NULL);
  channel_out_flush (&channel->out); /* the function may crash */
  return TRUE;
}

gboolean
confinement_check (const Confinement *self, ProcfunFunction *function, GError **error)
{
  if (self->state.level >= function_get_sandbox (function))
    return TRUE;
  g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_SANDBOX,
               _ ("%s() cannot be called: it is for a sandbox, and its process is in none"),
               procfun_function_get_name (function));
  return FALSE;
}
