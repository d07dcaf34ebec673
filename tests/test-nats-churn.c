/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Many calls by way of a NATS server, while hosts and another caller are killed and frozen at
 * random; and the server, too, when PROCFUN_CHURN_CALLS asks for a long run. After some of its
 * deaths nats-server 2.9 gives nothing more away, also when it is started again. When there was no
 * strike for some time, the long run does as an operator would, and makes the consumer anew: it
 * then gives away once more all that is left in the stream. What hosts had asked the old one for
 * they ask the new one for half a minute later. */

#include "tests/brokers.h"
#include "tests/churn.h"
#include "tests/fixture.h"
#include "tests/remotes.h"

#include <signal.h>

#define N_CALLS 400
#define N_HOSTS 2
#define N_SLOTS 2
#define STALLED_S 10
#define RENEWED_S 45
#define WORDS "lease=2"

typedef struct
{
  Broker *broker;
  const char *pool;
  char *url;
  GPid hosts[N_HOSTS];
  ChurnCaller other;
  ChurnFrozen frozen;
  guint stalled_id; /* 0: in a short run */
  guint n_stalled;
} Strikes;

static void
renew_host (Strikes *self, guint i)
{
  kill (self->hosts[i], SIGKILL);
  brokers_wait_for_host (self->hosts[i]);
  self->hosts[i] = brokers_start_host (self->url, N_SLOTS);
}

static gboolean
on_stalled (gpointer user_data)
{
  Strikes *self = user_data;

  broker_renew_consumer (self->broker, self->pool, WORDS);
  self->n_stalled++;
  self->stalled_id = g_timeout_add_seconds (RENEWED_S, on_stalled, self);
  return G_SOURCE_REMOVE;
}

static void
watch_for_stalls (Strikes *self)
{
  g_clear_handle_id (&self->stalled_id, g_source_remove);
  self->stalled_id = g_timeout_add_seconds (STALLED_S, on_stalled, self);
}

static void
strike (gpointer user_data)
{
  Strikes *self = user_data;
  const gboolean is_long = self->stalled_id != 0;
  const guint i = (guint)g_test_rand_int_range (0, N_HOSTS);

  switch (g_test_rand_int_range (is_long ? 0 : 1, 4))
    {
    case 0:
      broker_kill (self->broker);
      broker_start (self->broker);
      break;
    case 1:
      churn_caller_renew (&self->other);
      break;
    case 2:
      churn_freeze (&self->frozen, self->hosts[i]);
      break;
    default:
      renew_host (self, i);
      break;
    }
  if (is_long)
    watch_for_stalls (self);
}

static void
end (gpointer user_data)
{
  Strikes *self = user_data;

  g_clear_handle_id (&self->stalled_id, g_source_remove);
  if (self->n_stalled > 0)
    g_test_message ("the consumer was made anew %u times, because it stalled", self->n_stalled);
  churn_caller_end (&self->other);
  churn_thaw (&self->frozen);
  for (guint i = 0; i < N_HOSTS; i++)
    {
      kill (self->hosts[i], SIGKILL);
      brokers_wait_for_host (self->hosts[i]);
    }
}

static void
run (const char *pool, void (*churn) (ProcfunRemotePool *hosts, guint n, const ChurnEvents *events))
{
  Strikes self = { .broker = broker_new (NULL), .pool = pool };
  const ChurnEvents events = { strike, end, &self };

  self.url = broker_make_pool (self.broker, pool, WORDS);
  for (guint i = 0; i < N_HOSTS; i++)
    self.hosts[i] = brokers_start_host (self.url, N_SLOTS);
  churn_caller_init (&self.other, self.url);
  churn_caller_renew (&self.other);
  if (g_getenv ("PROCFUN_CHURN_CALLS") != NULL)
    watch_for_stalls (&self);
  churn (remotes_new (self.url), N_CALLS, &events);
  g_free (self.url);
  broker_free (self.broker);
}

static void
test_at_most_once (void)
{
  run ("once", churn_run_once);
}

static void
test_at_least_once (void)
{
  run ("again", churn_run_again);
}

int
main (int argc, char **argv)
{
  Broker *broker;

  churn_be_caller (argc, argv);
  fixture_init (&argc, &argv);

  if (!brokers_are_there ())
    {
      fixture_add_func ("/nats-churn/calls-are-answered-once-and-run-at-most-once", brokers_skip);
      return fixture_run ();
    }
  broker = broker_new (NULL);
  brokers_warm_up (broker);
  broker_free (broker);
  fixture_add_func ("/nats-churn/calls-are-answered-once-and-run-at-most-once", test_at_most_once);
  fixture_add_func ("/nats-churn/idempotent-calls-succeed-all-the-same", test_at_least_once);

  return fixture_run ();
}
