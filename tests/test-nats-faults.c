/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Calls by way of a NATS server, when hosts, callers and the server itself are lost: a call is run
 * once, and its caller hears of its end. */

#include "tests/brokers.h"
#include "tests/calls.h"
#include "tests/errands.h"
#include "tests/fixture.h"
#include "tests/functions.h"
#include "tests/remotes.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#define STEP_US 1000

static Broker *broker;

/* Functions */

static gboolean
is_there (const char *path)
{
  return g_file_test (path, G_FILE_TEST_EXISTS);
}

/* So long after its host a call comes to it. */
#define OLD_US (4 * G_USEC_PER_SEC)

/* It may run twice: the second time it does not wait. */
PROCFUN_DEFINE_IDEMPOTENT_FUNCTION (linger_once, gint, (const char *, begun), (const char *, end))
{
  if (!is_there (begun))
    return linger (begun, end);
  return 8;
}

/* It may run again, and kills each host that runs it, when its caller has been told that it runs: a
 * host says so after a millisecond. */
PROCFUN_DEFINE_IDEMPOTENT_FUNCTION (strike, gint)
{
  g_usleep (G_USEC_PER_SEC / 2);
  kill (remotes_get_host_process (), SIGKILL);
  for (;;)
    pause ();
  return 0;
}

/* Cancelling */

static void
errand_assert_cancelled (Errand *self)
{
  g_autoptr (GError) error = NULL;

  g_cancellable_cancel (self->cancellable);
  errand_end (self, &error);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

static void
test_cancel_running (void)
{
  Place place;
  Errand errand;
  GPid host;

  place_open (&place, broker, "cancel-running", NULL);
  host = brokers_start_host (place.url, 1);
  errand_begin (&errand, &place, linger_call (place.begun, place.end));
  errands_await (place.begun);
  errand_assert_cancelled (&errand);
  calls_assert_result (PROCFUN_EXECUTOR (place.hosts), add_call (2, 3), FALSE, "5");
  g_assert_cmpuint (place_count_runs (&place), ==, 1);
  place_close (&place);
  brokers_end_host (host);
}

/* No host ever has it. */
static void
test_cancel_waiting (void)
{
  Place place;
  Errand errand;
  GPid host;

  place_open (&place, broker, "cancel-waiting", NULL);
  errand_begin (&errand, &place, linger_call (place.begun, place.end));
  while (broker_count_waiting (broker, "cancel-waiting") == 0)
    g_main_context_iteration (NULL, FALSE);
  errand_assert_cancelled (&errand);
  g_assert_cmpint (broker_count_waiting (broker, "cancel-waiting"), ==, 0);
  host = brokers_start_host (place.url, 1);
  calls_assert_result (PROCFUN_EXECUTOR (place.hosts), add_call (2, 3), FALSE, "5");
  g_assert_cmpuint (place_count_runs (&place), ==, 0);
  place_close (&place);
  brokers_end_host (host);
}

/* Its deadline is over before there is a host. */
static void
test_late (void)
{
  Place place;
  g_autoptr (ProcfunCall) call = NULL;

  place_open (&place, broker, "late", NULL);
  call = linger_call (place.begun, place.end);
  procfun_call_set_deadline (call, 300000);
  calls_assert_error (PROCFUN_EXECUTOR (place.hosts), g_steal_pointer (&call), FALSE, PROCFUN_ERROR,
                      PROCFUN_ERROR_TIMED_OUT, "linger()*deadline*");
  g_assert_cmpint (broker_count_waiting (broker, "late"), ==, 0);
  place_close (&place);
}

/* Hosts that are lost */

/* Killed or frozen: this is told although no other host has a slot. */
static void
test_lost_host (gconstpointer data)
{
  const int signum = GPOINTER_TO_INT (data);
  Place place;
  Errand errand;
  gint64 since;
  GPid host;

  place_open (&place, broker, signum == SIGKILL ? "killed" : "frozen", "lease=60");
  host = brokers_start_host (place.url, 1);
  errand_begin (&errand, &place, linger_call (place.begun, place.end));
  while (procfun_call_get_pid (errand.call) == 0)
    g_main_context_iteration (NULL, TRUE);
  since = g_get_monotonic_time ();
  kill (host, signum);
  errand_assert_lost (&errand);
  g_test_message ("told after %.3f s", (double)(g_get_monotonic_time () - since) / G_USEC_PER_SEC);
  while (procfun_remote_pool_get_n_hosts (place.hosts) > 0)
    g_usleep (STEP_US);
  place_let_end (&place);
  kill (host, SIGKILL);
  brokers_wait_for_host (host);
  place_close (&place);
}

/* No host waits for a call. */
static gboolean
asks_nobody (const char *pool)
{
  g_autofree char *subject = g_strdup_printf ("$JS.API.CONSUMER.INFO.PF_%s.hosts", pool);
  g_autofree char *answer = broker_ask (broker, subject, "");

  return strstr (answer, "\"num_waiting\":0") != NULL;
}

/* A host that took a call and said nothing may have begun it. Another one reports it, when its
 * lease is over, and does not run it; nor does the silent one, when it goes on. */
static void
test_second_delivery (void)
{
  Place place;
  Errand errand;
  GPid silent, host;

  place_open (&place, broker, "second-delivery", "lease=1");
  silent = brokers_start_host (place.url, 1);
  calls_assert_result (PROCFUN_EXECUTOR (place.hosts), add_call (2, 3), FALSE, "5");
  while (procfun_remote_pool_get_n_hosts (place.hosts) == 0 || asks_nobody ("second-delivery"))
    g_usleep (STEP_US);
  kill (silent, SIGSTOP);
  errand_begin (&errand, &place, linger_call (place.begun, place.end));
  while (broker_count_waiting (broker, "second-delivery") == 0)
    g_main_context_iteration (NULL, FALSE);
  host = brokers_start_host (place.url, 1);
  errand_assert_lost (&errand);
  brokers_end_host (host);
  kill (silent, SIGCONT);
  calls_assert_result (PROCFUN_EXECUTOR (place.hosts), add_call (2, 3), FALSE, "5");
  g_assert_cmpuint (place_count_runs (&place), ==, 0);
  place_close (&place);
  brokers_end_host (silent);
}

static void
test_idempotent (void)
{
  Place place;
  Errand errand;
  GPid first, second;

  place_open (&place, broker, "idempotent", NULL);
  procfun_remote_pool_set_retry_on (place.hosts, PROCFUN_RETRY_LOST);
  first = brokers_start_host (place.url, 1);
  errand_begin (&errand, &place, linger_once_call (place.begun, place.end));
  errands_await (place.begun);
  second = brokers_start_host (place.url, 1);
  kill (first, SIGKILL);
  brokers_wait_for_host (first);
  errand_assert_result (&errand, 8);
  place_close (&place);
  brokers_end_host (second);
}

static void
test_poison (void)
{
  Place place;
  Errand errand;
  GPid hosts[2];

  place_open (&place, broker, "poison", NULL);
  procfun_remote_pool_set_retry_on (place.hosts, PROCFUN_RETRY_LOST);
  procfun_remote_pool_set_max_retries (place.hosts, 1);
  for (gsize i = 0; i < G_N_ELEMENTS (hosts); i++)
    hosts[i] = brokers_start_host (place.url, 1);
  errand_begin (&errand, &place, strike_call ());
  errand_assert_lost (&errand);
  for (gsize i = 0; i < G_N_ELEMENTS (hosts); i++)
    brokers_wait_for_host (hosts[i]);
  place_close (&place);
}

/* A host that ends runs what it has, and takes nothing more: another one does. */
static void
test_drain (void)
{
  Place place;
  Errand running, next;
  g_autofree char *begun = NULL;
  GPid first, second;

  place_open (&place, broker, "drain", NULL);
  begun = g_build_filename (place.folder, "second", NULL);
  first = brokers_start_host (place.url, 2);
  errand_begin (&running, &place, linger_call (place.begun, place.end));
  errands_await (place.begun);
  kill (first, SIGTERM);
  while (!asks_nobody ("drain"))
    g_usleep (STEP_US);
  errand_begin (&next, &place, linger_call (begun, place.end));
  second = brokers_start_host (place.url, 1);
  errands_await (begun);
  place_let_end (&place);
  errand_assert_result (&running, 7);
  errand_assert_result (&next, 7);
  g_assert_cmpint (brokers_wait_for_host (first), ==, 0);
  g_assert_cmpuint (place_count_runs (&place), ==, 1);
  g_remove (begun);
  place_close (&place);
  brokers_end_host (second);
}

/* Callers that are lost */

/* This program, which makes a call that leaves a line in @begun: see be_caller(). */
static GPid
start_caller (Place *place, const char *begun)
{
  const char *const argv[] = { "/proc/self/exe", "--call", place->url, begun, place->end, NULL };
  g_autoptr (GError) error = NULL;
  GPid pid;

  g_spawn_async (NULL, (char **)argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL, &pid, &error);
  g_assert_no_error (error);
  return pid;
}

static void
test_lost_caller (void)
{
  Place place;
  GPid host, caller;

  place_open (&place, broker, "lost-caller", NULL);
  host = brokers_start_host (place.url, 1);
  caller = start_caller (&place, place.begun);
  errands_await (place.begun);
  kill (caller, SIGKILL);
  brokers_wait_for_host (caller);
  calls_assert_result (PROCFUN_EXECUTOR (place.hosts), add_call (2, 3), FALSE, "5");
  place_close (&place);
  brokers_end_host (host);
}

static void
await_waiting (guint n)
{
  while (broker_count_waiting (broker, "old") < n)
    g_main_context_iteration (NULL, FALSE);
}

/* A call that was stored before the host came may have run elsewhere, for all that a broker knows
 * that was killed. However late the host gets it, it asks its caller first, who is not there any
 * more. */
static void
test_old (void)
{
  Place place;
  Errand errand;
  GPid host, caller;
  g_autofree char *other = NULL;

  place_open (&place, broker, "old", NULL);
  other = g_build_filename (place.folder, "other", NULL);
  errand_begin (&errand, &place, linger_call (place.begun, place.end));
  await_waiting (1);
  caller = start_caller (&place, other);
  await_waiting (2);
  kill (caller, SIGKILL);
  brokers_wait_for_host (caller);
  host = brokers_start_host (place.url, 1);
  errands_await (place.begun);
  g_usleep (OLD_US);
  place_let_end (&place);
  errand_assert_result (&errand, 7);
  calls_assert_result (PROCFUN_EXECUTOR (place.hosts), add_call (2, 3), FALSE, "5");
  g_assert_false (is_there (other));
  place_close (&place);
  brokers_end_host (host);
}

static gboolean
is_listening (guint16 port)
{
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  g_autoptr (GSocketConnection) connection
      = g_socket_client_connect_to_host (client, "127.0.0.1", port, NULL, NULL);

  return connection != NULL;
}

/* A link to the broker, on a port of its own, which is this program: see be_link(). */
static GPid
start_link (guint16 port)
{
  g_autofree char *own = g_strdup_printf ("%u", port);
  g_autofree char *other = g_strdup_printf ("%d", broker->port);
  const char *const argv[] = { "/proc/self/exe", "--link", own, other, NULL };
  g_autoptr (GError) error = NULL;
  GPid pid;

  g_spawn_async (NULL, (char **)argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL, &pid, &error);
  g_assert_no_error (error);
  while (!is_listening (port))
    g_usleep (STEP_US);
  return pid;
}

static void
cut_link (GPid link)
{
  kill (link, SIGKILL);
  brokers_wait_for_host (link);
}

/* Its host hears that nobody is there, and gives the call up. It still has another one, so it does
 * not fall silent. */
static void
test_cut_caller (void)
{
  g_autoptr (GSocketListener) listener = g_socket_listener_new ();
  const guint16 port = g_socket_listener_add_any_inet_port (listener, NULL, NULL);
  g_autofree char *url = g_strdup_printf ("nats://127.0.0.1:%u/cut", port);
  g_autofree char *begun = NULL;
  Place place;
  Errand first, second;
  GPid host, link;
  int worker;

  g_socket_listener_close (listener);
  link = start_link (port);
  place_open (&place, broker, "cut", NULL);
  host = brokers_start_host (place.url, 2);
  remotes_close (place.hosts);
  place.hosts = remotes_new (url);
  procfun_remote_pool_set_heartbeat (place.hosts, ERRANDS_HEARTBEAT);
  begun = g_build_filename (place.folder, "second", NULL);
  errand_begin (&first, &place, linger_call (place.begun, place.end));
  while ((worker = procfun_call_get_pid (first.call)) == 0)
    g_main_context_iteration (NULL, TRUE);
  cut_link (link);
  while (kill (worker, 0) == 0)
    g_usleep (STEP_US);
  link = start_link (port);
  errand_begin (&second, &place, linger_call (begun, place.end));
  errand_assert_lost (&first);
  errands_await (begun);
  place_let_end (&place);
  errand_assert_result (&second, 7);
  g_assert_cmpuint (place_count_runs (&place), ==, 1);
  g_remove (begun);
  place_close (&place);
  cut_link (link);
  brokers_end_host (host);
}

static void
pass_on (GSocketConnection *one, GSocketConnection *other)
{
  g_output_stream_splice_async (g_io_stream_get_output_stream (G_IO_STREAM (other)),
                                g_io_stream_get_input_stream (G_IO_STREAM (one)),
                                G_OUTPUT_STREAM_SPLICE_NONE, G_PRIORITY_DEFAULT, NULL, NULL, NULL);
}

static gboolean
on_incoming (GSocketService *service, GSocketConnection *one, GObject *source, gpointer port)
{
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  GSocketConnection *other = g_socket_client_connect_to_host (
      client, "127.0.0.1", (guint16)GPOINTER_TO_UINT (port), NULL, NULL);

  if (other == NULL)
    return TRUE;
  pass_on (g_object_ref (one), other);
  pass_on (other, one);
  return TRUE;
}

/* Until it is killed. */
static int
be_link (char **arguments)
{
  GSocketService *service = g_socket_service_new ();

  prctl (PR_SET_PDEATHSIG, SIGKILL);
  if (!g_socket_listener_add_inet_port (G_SOCKET_LISTENER (service), (guint16)atoi (arguments[0]),
                                        NULL, NULL))
    return 1;
  g_signal_connect (service, "incoming", G_CALLBACK (on_incoming),
                    GUINT_TO_POINTER ((guint)atoi (arguments[1])));
  for (;;)
    g_main_context_iteration (NULL, TRUE);
  return 0;
}

/* Another caller, which is this program. */
static int
be_caller (char **arguments)
{
  ProcfunRemotePool *hosts = remotes_new (arguments[0]);
  g_autoptr (ProcfunCall) call = linger_call (arguments[1], arguments[2]);
  g_autoptr (GVariant) result = NULL;

  procfun_remote_pool_set_heartbeat (hosts, ERRANDS_HEARTBEAT);
  procfun_call_set_executor (call, PROCFUN_EXECUTOR (hosts));
  result = procfun_call_run (call, NULL, NULL);
  return result == NULL;
}

/* The broker is lost */

/* A broker that comes back may have given calls away before its host can hear it again. It gives
 * them away once more, and nobody knows that they were not begun: as many as the host asks for are
 * told to be lost, and not run. */
static void
test_lost_broker (void)
{
  enum
  {
    N = 16,
    N_SLOTS = 2
  };
  guint n_lost = 0;
  Broker *other = broker_new (NULL);
  Broker *before = broker;
  Errand errands[N];
  Place place;
  GPid host;

  broker = other;
  place_open (&place, broker, "lost-broker", NULL);
  host = brokers_start_host (place.url, N_SLOTS);
  for (guint i = 0; i < N; i++)
    errand_begin (&errands[i], &place, linger_call (place.begun, place.end));
  while (place_count_runs (&place) < N_SLOTS)
    g_main_context_iteration (NULL, FALSE);
  broker_kill (other);
  place_let_end (&place);
  broker_start (other);
  for (guint i = 0; i < N; i++)
    n_lost += errand_is_lost (&errands[i], 7) ? 1 : 0;
  g_assert_cmpuint (place_count_runs (&place), ==, N - n_lost);
  g_assert_cmpuint (n_lost, <=, N_SLOTS);
  place_close (&place);
  brokers_end_host (host);
  broker_free (other);
  broker = before;
}

static void
test_broker_stays_away (void)
{
  Broker *other = broker_new (NULL);
  Broker *before = broker;
  Errand errand;
  Place place;
  GPid host;

  broker = other;
  place_open (&place, broker, "away", "lease=1");
  host = brokers_start_host (place.url, 1);
  errand_begin (&errand, &place, linger_call (place.begun, place.end));
  errands_await (place.begun);
  broker_kill (other);
  errand_assert_lost (&errand);
  place_close (&place);
  kill (host, SIGKILL);
  brokers_wait_for_host (host);
  broker_free (other);
  broker = before;
}

int
main (int argc, char **argv)
{
  int status;

  if (argc == 5 && strcmp (argv[1], "--call") == 0)
    return be_caller (argv + 2);
  if (argc == 4 && strcmp (argv[1], "--link") == 0)
    return be_link (argv + 2);
  fixture_init (&argc, &argv);

  if (!brokers_are_there ())
    {
      fixture_add_func ("/nats/hosts/killed-ones-are-told", brokers_skip);
      return fixture_run ();
    }
  broker = broker_new (NULL);
  brokers_warm_up (broker);
  fixture_add_func ("/nats/cancel/running-call-ends", test_cancel_running);
  fixture_add_func ("/nats/cancel/waiting-call-is-never-run", test_cancel_waiting);
  fixture_add_func ("/nats/cancel/late-call-is-never-run", test_late);
  fixture_add_data_func ("/nats/hosts/killed-ones-are-told", GINT_TO_POINTER (SIGKILL),
                         test_lost_host);
  fixture_add_data_func ("/nats/hosts/frozen-ones-are-told", GINT_TO_POINTER (SIGSTOP),
                         test_lost_host);
  fixture_add_func ("/nats/hosts/silent-ones-are-reported-by-others", test_second_delivery);
  fixture_add_func ("/nats/hosts/idempotent-call-goes-to-another", test_idempotent);
  fixture_add_func ("/nats/hosts/poison-is-not-tried-for-ever", test_poison);
  fixture_add_func ("/nats/hosts/drain", test_drain);
  fixture_add_func ("/nats/callers/lost-ones-leave-nothing", test_lost_caller);
  fixture_add_func ("/nats/callers/are-asked-about-old-calls", test_old);
  fixture_add_func ("/nats/callers/cut-off-ones-hear-of-their-calls", test_cut_caller);
  fixture_add_func ("/nats/broker/comes-back-and-all-are-answered", test_lost_broker);
  fixture_add_func ("/nats/broker/stays-away", test_broker_stays_away);
  status = fixture_run ();
  broker_free (broker);
  return status;
}
