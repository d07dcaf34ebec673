/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/procfun-usage.h"

G_BEGIN_DECLS

/* Plain numbers, so that a child, even one that crashes, sends it as it is. Times in µs, sizes in
 * bytes. */
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
  guint64 bytes_in;  /* what the function was given */
  guint64 bytes_out; /* what it gave */
};

G_END_DECLS
