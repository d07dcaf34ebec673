/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/platform/default-context.h"

gboolean
default_context_push (GMainContext *context)
{
  const gboolean is_default = context == g_main_context_default ();

  if (g_main_context_get_thread_default () == (is_default ? NULL : context))
    return FALSE;
  g_main_context_push_thread_default (context);
  return TRUE;
}
