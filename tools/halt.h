/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* When a map ends before its input does. { 0 }: it does not. */
typedef struct
{
  enum
  {
    HALT_FAIL,
    HALT_SUCCESS,
    HALT_DONE
  } counts;
  guint64 number;  /* of these; 0: it is */
  double percent;  /* of those that are done, at least HALT_MIN of them; 0: never */
  gboolean is_now; /* what runs is ended */
} Halt;

#define HALT_MIN 3

/* "never", "soon,fail=1", "now,fail=3%", "now,success=1", "soon,done=100" */
gboolean halt_read (Halt *self, const char *text, GError **error);

gboolean halt_is_due (const Halt *self, guint64 n_done, guint64 n_failed);
