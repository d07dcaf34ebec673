/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "procfun/platform/schedule.h"

#include <sched.h>

static gboolean is_giving_way;

void
schedule_go_to (int cpu)
{
  cpu_set_t allowed, one;

  if (cpu < 0 || cpu >= CPU_SETSIZE || sched_getaffinity (0, sizeof allowed, &allowed) != 0
      || !CPU_ISSET (cpu, &allowed))
    return;
  CPU_ZERO (&one);
  CPU_SET (cpu, &one);
  if (sched_setaffinity (0, sizeof one, &one) == 0)
    sched_setaffinity (0, sizeof allowed, &allowed);
}

gboolean
schedule_is_on (int cpu)
{
  return sched_getcpu () == cpu;
}

void
schedule_leave (int cpu)
{
  cpu_set_t allowed, others;

  if (cpu < 0 || cpu >= CPU_SETSIZE || sched_getaffinity (0, sizeof allowed, &allowed) != 0)
    return;
  others = allowed;
  CPU_CLR (cpu, &others);
  if (CPU_COUNT (&others) > 0 && sched_setaffinity (0, sizeof others, &others) == 0)
    sched_setaffinity (0, sizeof allowed, &allowed);
}

void
schedule_relax (void)
{
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause ();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

/* sched(7): SCHED_BATCH differs from SCHED_OTHER in that waking up preempts nobody. */
void
schedule_give_way (gboolean gives_way)
{
  const struct sched_param param = { 0 };
  static gboolean is_known, is_usual;

  if (gives_way == is_giving_way)
    return;
  if (!is_known)
    is_usual = sched_getscheduler (0) == SCHED_OTHER;
  is_known = TRUE;
  if (!is_usual)
    return;
  if (sched_setscheduler (0, gives_way ? SCHED_BATCH : SCHED_OTHER, &param) == 0)
    is_giving_way = gives_way;
}
