/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/procfun-usage.h"

G_BEGIN_DECLS

/* Plain numbers: a child that crashes sends the struct as it is. Times in µs, sizes in bytes. */
struct _ProcfunUsage
{
  gint64 wall_time;
  gint64 user_time;
  gint64 system_time;
  guint64 peak_memory;
  guint64 minor_faults;
  guint64 major_faults;
  guint64 voluntary_switches;
  guint64 involuntary_switches;
  guint64 bytes_in;  /* size of the arguments */
  guint64 bytes_out; /* size of the result */
};

G_END_DECLS
