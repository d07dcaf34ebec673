/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Calls that may have begun, for all that a broker knows which was killed: none of them runs twice,
 * and the others run. */

#include "tests/calls.h"
#include "tests/errands.h"
#include "tests/fixture.h"
#include "tests/functions.h"
#include "tests/remotes.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

/* Functions */

/* Leaves a line, and kills its host before that has said a word of the call. */
PROCFUN_DEFINE_STATIC_FUNCTION (strike, gint, (const char *, begun))
{
  FILE *file = fopen (begun, "a");

  fprintf (file, "%d\n", remotes_get_host_process ());
  fclose (file);
  kill (remotes_get_host_process (), SIGKILL);
  for (;;)
    pause ();
  return 0;
}

/* A host that has had a call asks the broker for the next one, and is known to callers. */
static GPid
start_host (Place *place, guint slots)
{
  const GPid host = brokers_start_host (place->url, slots);

  calls_assert_result (PROCFUN_EXECUTOR (place->hosts), add_call (2, 3), FALSE, "5");
  return host;
}

/* Tests */

/* Nobody is left who knows that it has run: not the host, not the broker. */
static void
test_killed_both (void)
{
  Broker *broker = broker_new (NULL);
  Place place;
  Errand errand;
  GPid host;

  place_open (&place, broker, "both", NULL);
  host = start_host (&place, 1);
  errand_begin (&errand, &place, strike_call (place.begun));
  brokers_wait_for_host (host);
  broker_forget (broker, "both");
  host = brokers_start_host (place.url, 1);
  errand_assert_lost (&errand);
  calls_assert_result (PROCFUN_EXECUTOR (place.hosts), add_call (2, 3), FALSE, "5");
  g_assert_cmpuint (place_count_runs (&place), ==, 1);
  place_close (&place);
  brokers_end_host (host);
  broker_free (broker);
}

/* As many calls as the host had slots for are told to be lost, and all that wait behind them run.
 */
static void
test_long_queue (void)
{
  enum
  {
    N = 12,
    N_SLOTS = 2
  };
  Broker *broker = broker_new (NULL);
  Place place;
  Errand striker, errands[N];
  guint n_lost = 1;
  GPid host;

  place_open (&place, broker, "queue", NULL);
  host = start_host (&place, N_SLOTS);
  errand_begin (&striker, &place, strike_call (place.begun));
  for (guint i = 0; i < N; i++)
    errand_begin (&errands[i], &place, linger_call (place.begun, place.end));
  brokers_wait_for_host (host);
  place_let_end (&place);
  broker_forget (broker, "queue");
  host = brokers_start_host (place.url, N_SLOTS);
  errand_assert_lost (&striker);
  for (guint i = 0; i < N; i++)
    n_lost += errand_is_lost (&errands[i], 7) ? 1 : 0;
  g_assert_cmpuint (n_lost, <=, N_SLOTS);
  g_assert_cmpuint (place_count_runs (&place), <=, N + 1);
  place_close (&place);
  brokers_end_host (host);
  broker_free (broker);
}

/* A host that was killed has taken the call out of the stream: it has run. */
static void
test_gone_from_stream (void)
{
  Broker *broker = broker_new (NULL);
  Place place;
  Errand errand;
  GPid host;

  place_open (&place, broker, "gone", "lease=1");
  place_let_end (&place);
  errand_begin (&errand, &place, linger_call (place.begun, place.end));
  while (broker_count_waiting (broker, "gone") == 0)
    g_main_context_iteration (NULL, FALSE);
  g_free (broker_ask (broker, "$JS.API.STREAM.MSG.DELETE.PF_gone", "{\"seq\":1}"));
  broker_kill (broker);
  broker_start (broker);
  host = brokers_start_host (place.url, 1);
  errand_assert_lost (&errand);
  g_assert_cmpuint (place_count_runs (&place), ==, 0);
  place_close (&place);
  brokers_end_host (host);
  broker_free (broker);
}

static gboolean
has_first (Broker *broker, const char *first)
{
  g_autofree char *info = broker_ask (broker, "$JS.API.STREAM.INFO.PF_kept", "");

  return strstr (info, first) != NULL;
}

/* A broker that takes what it has for done with never gives it away. */
static void
test_kept_in_stream (void)
{
  Broker *broker = broker_new (NULL);
  Place place;
  Errand errand;
  GPid host;

  place_open (&place, broker, "kept", "lease=1");
  errand_begin (&errand, &place, linger_call (place.begun, place.end));
  while (broker_count_waiting (broker, "kept") == 0)
    g_main_context_iteration (NULL, FALSE);
  broker_kill (broker);
  broker_start (broker);
  while (!has_first (broker, "\"first_seq\":2,"))
    g_main_context_iteration (NULL, FALSE);
  host = brokers_start_host (place.url, 1);
  place_let_end (&place);
  errand_assert_result (&errand, 7);
  g_assert_cmpuint (place_count_runs (&place), ==, 1);
  place_close (&place);
  brokers_end_host (host);
  broker_free (broker);
}

/* It gives away once more what hosts are running. They see that it counts anew, and ask. */
static void
test_new_consumer (void)
{
  Broker *broker = broker_new (NULL);
  g_autofree char *begun = NULL;
  g_autofree char *end = NULL;
  Place place;
  Errand first, second;
  GPid hosts[2];

  place_open (&place, broker, "anew", NULL);
  begun = g_build_filename (place.folder, "first", NULL);
  end = g_build_filename (place.folder, "first-end", NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (hosts); i++)
    hosts[i] = start_host (&place, 1);
  errand_begin (&first, &place, linger_call (begun, end));
  errands_await (begun);
  errand_begin (&second, &place, linger_call (place.begun, place.end));
  errands_await (place.begun);
  broker_renew_consumer (broker, "anew", NULL);
  g_file_set_contents (end, "", 0, NULL);
  errand_assert_result (&first, 7);
  calls_assert_result (PROCFUN_EXECUTOR (place.hosts), add_call (2, 3), FALSE, "5");
  g_assert_cmpuint (place_count_runs (&place), ==, 1);
  place_let_end (&place);
  errand_assert_result (&second, 7);
  g_remove (begun);
  g_remove (end);
  place_close (&place);
  for (gsize i = 0; i < G_N_ELEMENTS (hosts); i++)
    brokers_end_host (hosts[i]);
  broker_free (broker);
}

int
main (int argc, char **argv)
{
  Broker *broker;

  fixture_init (&argc, &argv);

  if (!brokers_are_there ())
    {
      fixture_add_func ("/nats/losses/calls-of-killed-hosts-run-once", brokers_skip);
      return fixture_run ();
    }
  broker = broker_new (NULL);
  brokers_warm_up (broker);
  broker_free (broker);
  fixture_add_func ("/nats/losses/calls-of-killed-hosts-run-once", test_killed_both);
  fixture_add_func ("/nats/losses/others-wait-and-run", test_long_queue);
  fixture_add_func ("/nats/losses/call-that-is-gone-from-the-stream-is-lost",
                    test_gone_from_stream);
  fixture_add_func ("/nats/losses/call-that-is-never-given-away-is-submitted-again",
                    test_kept_in_stream);
  fixture_add_func ("/nats/losses/new-consumer-gives-nothing-to-two", test_new_consumer);

  return fixture_run ();
}
