/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bench/contender.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static double
get_time (clockid_t clock)
{
  struct timespec now;

  clock_gettime (clock, &now);
  return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

double
contender_get_ns (void)
{
  return get_time (CLOCK_MONOTONIC);
}

double
contender_get_cpu_ns (void)
{
  return get_time (CLOCK_THREAD_CPUTIME_ID);
}

void
contender_skip (const char *reason)
{
  printf ("skip %s\n", reason);
  exit (0);
}

int
contender_fork_server (void (*serve) (int fd))
{
  int fds[2];
  pid_t pid;

  if (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0 || (pid = fork ()) < 0)
    g_error ("there is no second process");
  if (pid == 0)
    {
      prctl (PR_SET_PDEATHSIG, SIGKILL);
      close (STDIN_FILENO);
      close (fds[0]);
      serve (fds[1]);
      _exit (0);
    }
  close (fds[1]);
  return fds[0];
}

static void
warm (const Contender *self, guint n)
{
  if (self->batch != NULL)
    self->batch (n);
  for (guint i = 0; self->batch == NULL && i < n; i++)
    if (self->call != NULL)
      self->call ();
    else
      self->sample ();
}

static double
take_sample (const Contender *self)
{
  double start;

  if (self->pause_us > 0)
    g_usleep (self->pause_us);
  if (self->sample != NULL)
    return self->sample ();
  start = contender_get_ns ();
  self->call ();
  return contender_get_ns () - start;
}

static void
run (const Contender *self, guint n)
{
  guint n_samples = self->batch != NULL ? 1 : n;
  g_autofree double *samples = g_new (double, n_samples);

  if (self->batch != NULL)
    samples[0] = self->batch (n);
  for (guint i = 0; self->batch == NULL && i < n; i++)
    samples[i] = take_sample (self);
  for (guint i = 0; i < n_samples; i++)
    printf (i == 0 ? "%.2f" : " %.2f", samples[i]);
}

static void
answer (const Contender *self)
{
  char line[64];

  while (fgets (line, sizeof line, stdin) != NULL)
    {
      guint n;

      if (sscanf (line, "warm %u", &n) == 1)
        warm (self, n);
      else if (sscanf (line, "run %u", &n) == 1)
        run (self, n);
      putchar ('\n');
      fflush (stdout);
    }
}

int
contend (const Contender *contenders, gsize n_contenders, int argc, char **argv)
{
  for (gsize i = 0; i < n_contenders; i++)
    if (argc == 2 && strcmp (argv[1], contenders[i].name) == 0)
      {
        if (contenders[i].set_up != NULL)
          contenders[i].set_up ();
        puts ("ready");
        fflush (stdout);
        answer (&contenders[i]);
        return 0;
      }
  fprintf (stderr, "Usage: %s CONTENDER, which is one of these:\n", argv[0]);
  for (gsize i = 0; i < n_contenders; i++)
    fprintf (stderr, "  %s\n", contenders[i].name);
  return 2;
}
