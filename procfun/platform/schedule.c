/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "procfun/platform/schedule.h"

#include <sched.h>

static gboolean is_giving_way;

/* sched(7): SCHED_BATCH differs from SCHED_OTHER in that waking up preempts nobody. */
void
schedule_give_way (gboolean gives_way)
{
  const struct sched_param param = { 0 };

  if (gives_way == is_giving_way
      || sched_getscheduler (0) != (gives_way ? SCHED_OTHER : SCHED_BATCH))
    return;
  if (sched_setscheduler (0, gives_way ? SCHED_BATCH : SCHED_OTHER, &param) == 0)
    is_giving_way = gives_way;
}
