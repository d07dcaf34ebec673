/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* crasher FD DEATH [HOW]: reports its end to FD, and comes to it by DEATH: in its main thread, or
 * "in-thread", "in-gthread", "blocking" all signals, or as a "function" that is called. */

#include "tests/deaths.h"

#include "procfun/child/crash.h"
#include "procfun/core/function.h"
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static DeathFunc death;

static void *
run_in_thread (void *unused)
{
  death ();
  return NULL;
}

static void
do_it (const char *how, const char *name)
{
  sigset_t all;
  pthread_t thread;

  if (strcmp (how, "in-thread") == 0 && pthread_create (&thread, NULL, run_in_thread, NULL) == 0)
    pthread_join (thread, NULL);
  else if (strcmp (how, "in-gthread") == 0)
    g_thread_join (g_thread_new ("worker", run_in_thread, NULL));
  else if (strcmp (how, "function") == 0)
    procfun_function_invoke (die_of_function (),
                             g_variant_ref_sink (g_variant_new ("(sb)", name, FALSE)), NULL, NULL,
                             NULL);
  else if (strcmp (how, "blocking") == 0)
    {
      sigfillset (&all);
      sigprocmask (SIG_SETMASK, &all, NULL);
      death ();
    }
  else
    death ();
}

int
main (int argc, char **argv)
{
  const struct rlimit no_core = { 0, 0 };
  static UsageMark mark;

  setrlimit (RLIMIT_CORE, &no_core);
  if (argc < 3)
    return 2;
  death = deaths_find (argv[2]);
  if (death == NULL)
    return 2;
  fcntl (atoi (argv[1]), F_SETFD, FD_CLOEXEC);
  crash_install (atoi (argv[1]));
  usage_begin (&mark);
  crash_set_usage_mark (&mark);
  do_it (argc > 3 ? argv[3] : "", argv[2]);
  return 0;
}
