/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bench/pipeline.h"

#include "bench/contender.h"

static void (*send_one) (guint worker);
static guint to_send[PIPELINE_WORKERS];
static guint to_come;

static void
send_next (guint worker)
{
  if (to_send[worker] == 0)
    return;
  to_send[worker]--;
  send_one (worker);
}

void
pipeline_answered (guint worker)
{
  to_come--;
  send_next (worker);
}

double
pipeline_run (guint n, void (*send) (guint worker))
{
  double start = contender_get_ns ();

  send_one = send;
  to_come = n;
  for (guint worker = 0; worker < PIPELINE_WORKERS; worker++)
    to_send[worker] = (n + worker) / PIPELINE_WORKERS;
  for (guint i = 0; i < PIPELINE_IN_FLIGHT; i++)
    for (guint worker = 0; worker < PIPELINE_WORKERS; worker++)
      send_next (worker);
  while (to_come > 0)
    g_main_context_iteration (NULL, TRUE);
  return (contender_get_ns () - start) / n;
}
