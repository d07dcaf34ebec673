/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Two NATS servers that are a cluster: clients of one of them go on with the other one. */

#include "tests/calls.h"
#include "tests/errands.h"
#include "tests/fixture.h"
#include "tests/functions.h"
#include "tests/remotes.h"

#include <string.h>

#define N 2
#define STEP_US 1000

static const char *const names[N] = { "one", "two" };

/* Servers of a cluster have to know where the others are before these are there. */
static guint16
find_free_port (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GSocketListener) listener = g_socket_listener_new ();
  const guint16 port = g_socket_listener_add_any_inet_port (listener, NULL, &error);

  g_assert_no_error (error);
  return port;
}

static Broker *
start_server (const char *name, guint16 port, const guint16 *ports)
{
  g_autofree char *config
      = g_strdup_printf ("server_name: %s\n"
                         "cluster { name: pair, listen: \"127.0.0.1:%u\",\n"
                         "  routes: [ \"nats://127.0.0.1:%u\", \"nats://127.0.0.1:%u\" ] }\n",
                         name, port, ports[0], ports[1]);

  return broker_new (config);
}

/* It takes some time until both agree who decides where streams are. */
static void
wait_for_cluster (Broker *broker)
{
  g_autofree char *url = g_strconcat (broker->url, "/pair", NULL);
  gboolean is_there = FALSE;

  while (!is_there)
    {
      g_autoptr (GError) error = NULL;

      is_there = brokers_set_up (url, &error);
      if (!is_there)
        g_usleep (STEP_US);
    }
}

/* The index of the server that has the stream. */
static guint
find_keeper (Broker *broker)
{
  g_autofree char *info = broker_ask (broker, "$JS.API.STREAM.INFO.PF_pair", "");
  g_autofree char *leader = g_strdup_printf ("\"leader\":\"%s\"", names[0]);

  return strstr (info, leader) != NULL ? 0 : 1;
}

/* The caller and the host know of the first server; of the other one they learn there. */
static void
test_other_server (void)
{
  const guint16 ports[N] = { find_free_port (), find_free_port () };
  Broker *servers[N];
  Place place;
  Errand errand;
  guint other;
  GPid host;

  for (guint i = 0; i < N; i++)
    servers[i] = start_server (names[i], ports[i], ports);
  wait_for_cluster (servers[0]);
  other = 1 - find_keeper (servers[0]);
  place_open (&place, servers[other], "pair", NULL);
  host = brokers_start_host (place.url, 1);
  errand_begin (&errand, &place, linger_call (place.begun, place.end));
  errands_await (place.begun);
  broker_kill (servers[other]);
  place_let_end (&place);
  errand_assert_result (&errand, 7);
  calls_assert_result (PROCFUN_EXECUTOR (place.hosts), add_call (2, 3), FALSE, "5");
  g_assert_cmpuint (place_count_runs (&place), ==, 1);
  place_close (&place);
  brokers_end_host (host);
  for (guint i = 0; i < N; i++)
    broker_free (servers[i]);
}

int
main (int argc, char **argv)
{
  Broker *broker;

  fixture_init (&argc, &argv);

  if (!brokers_are_there ())
    {
      fixture_add_func ("/nats/cluster/clients-go-on-with-the-other-server", brokers_skip);
      return fixture_run ();
    }
  broker = broker_new (NULL);
  brokers_warm_up (broker);
  broker_free (broker);
  fixture_add_func ("/nats/cluster/clients-go-on-with-the-other-server", test_other_server);

  return fixture_run ();
}
