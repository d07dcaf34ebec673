/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Calls by way of a NATS server, with the module and the library as they are installed: nothing
 * here is linked with the library's objects. */

#include "tests/brokers.h"
#include "tests/calls.h"
#include "tests/fixture.h"
#include "tests/functions.h"
#include "tests/remotes.h"

#include <signal.h>
#include <string.h>

static Broker *broker; /* of most tests; each has a pool of its own */

PROCFUN_DEFINE_STATIC_FUNCTION (crash, void) { raise (SIGSEGV); }

/* Calls */

static void
test_results (void)
{
  g_autofree char *url = broker_make_pool (broker, "results", NULL);
  ProcfunRemotePool *hosts = remotes_new (url);
  const GPid host = brokers_start_host (url, 2);
  g_autoptr (ProcfunCall) call = add_call (1, 2);
  g_autoptr (GVariant) result = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *prefix = g_strdup (g_get_host_name ());

  for (gboolean async = FALSE; async <= TRUE; async++)
    {
      calls_assert_result (PROCFUN_EXECUTOR (hosts), add_call (2, 3), async, "5");
      calls_assert_error (PROCFUN_EXECUTOR (hosts), fail_void_call (3), async, G_FILE_ERROR, 3,
                          "failed with 3");
      calls_assert_error (PROCFUN_EXECUTOR (hosts), crash_call (), async, PROCFUN_ERROR,
                          PROCFUN_ERROR_CRASHED, "crash()*");
    }
  procfun_call_set_executor (call, PROCFUN_EXECUTOR (hosts));
  result = procfun_call_run (call, NULL, &error);
  g_assert_no_error (error);
  g_strcanon (prefix, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "-", '_');
  g_assert_true (g_str_has_prefix (procfun_call_get_host (call), prefix));
  g_assert_cmpuint (procfun_remote_pool_get_n_hosts (hosts), ==, 1);
  g_assert_cmpuint (procfun_remote_pool_get_n_slots (hosts), ==, 2);
  remotes_close (hosts);
  brokers_end_host (host);
}

static void
on_result (GObject *source, GAsyncResult *result, gpointer user_data)
{
  *(GAsyncResult **)user_data = g_object_ref (result);
}

/* Only when it is stored, there is a host for it. */
static void
test_waiting (void)
{
  g_autofree char *url = broker_make_pool (broker, "waiting", NULL);
  ProcfunRemotePool *hosts = remotes_new (url);
  g_autoptr (ProcfunCall) call = add_call (2, 3);
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GVariant) value = NULL;
  g_autoptr (GError) error = NULL;
  GPid host;

  procfun_call_set_executor (call, PROCFUN_EXECUTOR (hosts));
  procfun_call_run_async (call, NULL, on_result, &result);
  host = brokers_start_host (url, 1);
  while (result == NULL)
    g_main_context_iteration (NULL, TRUE);
  value = procfun_call_run_finish (call, result, &error);
  g_assert_no_error (error);
  g_assert_cmpint (g_variant_get_int32 (value), ==, 5);
  remotes_close (hosts);
  brokers_end_host (host);
}

/* Large ones */

static GBytes *
make_large (gsize size)
{
  guint8 *data = g_malloc (size);

  for (gsize i = 0; i < size; i++)
    data[i] = i % 251;
  return g_bytes_new_take (data, size);
}

/* A function that has a large argument and a large result. */
static void
assert_passes (Broker *on, const char *pool, gsize size)
{
  g_autofree char *url = broker_make_pool (on, pool, NULL);
  ProcfunRemotePool *hosts = remotes_new (url);
  const GPid host = brokers_start_host (url, 2);
  g_autoptr (GBytes) large = make_large (size);
  g_autoptr (ProcfunCall) call = pass_bytes_call (large);
  g_autoptr (GVariant) result = NULL;
  g_autoptr (GBytes) passed = NULL;
  g_autoptr (GError) error = NULL;

  procfun_call_set_executor (call, PROCFUN_EXECUTOR (hosts));
  result = procfun_call_run (call, NULL, &error);
  g_assert_no_error (error);
  passed = g_variant_get_data_as_bytes (result);
  g_assert_true (g_bytes_equal (passed, large));
  remotes_close (hosts);
  brokers_end_host (host);
}

static void
test_large (void)
{
  assert_passes (broker, "large-a", 256 * 1024 - 1);
  assert_passes (broker, "large-b", 300 * 1000);
  assert_passes (broker, "large-c", 8 * 1024 * 1024 + 1);
}

/* The broker takes no messages of 32 KiB, and none is sent. */
static void
test_small_broker (void)
{
  g_autoptr (Broker) small = broker_new ("max_payload: 32768\n");

  assert_passes (small, "small", 31 * 1000);
  assert_passes (small, "small", 33 * 1000);
  assert_passes (small, "small", 1000 * 1000);
}

/* A call is stored once, however often it is sent. */
static void
test_sent_twice (void)
{
  g_autofree char *url = broker_make_pool (broker, "sent-twice", NULL);
  ProcfunRemotePool *hosts = remotes_new (url);
  g_autoptr (ProcfunCall) call = add_call (2, 3);
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GVariant) value = NULL;
  g_autofree char *answer = NULL;
  g_autoptr (GError) error = NULL;
  GPid host;

  procfun_call_set_executor (call, PROCFUN_EXECUTOR (hosts));
  procfun_call_run_async (call, NULL, on_result, &result);
  while (broker_count_waiting (broker, "sent-twice") == 0)
    g_main_context_iteration (NULL, FALSE);
  answer = broker_send_again (broker, "sent-twice");
  g_assert_nonnull (strstr (answer, "\"duplicate\": true"));
  g_assert_cmpint (broker_count_waiting (broker, "sent-twice"), ==, 1);
  host = brokers_start_host (url, 1);
  while (result == NULL)
    g_main_context_iteration (NULL, TRUE);
  value = procfun_call_run_finish (call, result, &error);
  g_assert_no_error (error);
  remotes_close (hosts);
  brokers_end_host (host);
}

/* The second call has no room where there is room for one. */
static void
test_full (void)
{
  g_autofree char *url = broker_make_pool (broker, "full", "max-calls=1");
  g_autofree char *stored G_GNUC_UNUSED = broker_ask (broker, "pf.q.full.0", "x");
  ProcfunRemotePool *hosts = remotes_new (url);

  calls_assert_error (PROCFUN_EXECUTOR (hosts), add_call (1, 2), FALSE, PROCFUN_ERROR,
                      PROCFUN_ERROR_BUSY, "add() cannot be called: *maximum*");
  remotes_close (hosts);
}

/* The broker */

static void
test_no_pool (void)
{
  g_autofree char *url = g_strconcat (broker->url, "/nobody-made-this", NULL);
  ProcfunRemotePool *hosts = remotes_new (url);

  calls_assert_error (PROCFUN_EXECUTOR (hosts), add_call (1, 2), FALSE, PROCFUN_ERROR,
                      PROCFUN_ERROR_ENGINE, "*procfun engine setup*");
  remotes_close (hosts);
  g_assert_cmpint (brokers_wait_for_host (brokers_start_host (url, 1)), !=, 0);
}

static void
test_no_broker (void)
{
  ProcfunRemotePool *hosts = remotes_new ("nats://127.0.0.1:1/pool");

  calls_assert_error (PROCFUN_EXECUTOR (hosts), add_call (1, 2), FALSE, PROCFUN_ERROR,
                      PROCFUN_ERROR_ENGINE, "*127.0.0.1:1*");
  remotes_close (hosts);
}

static void
test_wrong_url (void)
{
  static const char *const urls[] = {
    "nats://h",           "nats://h/",          "nats://h/a.b",        "nats:///pool",
    "nats://h/p?lease=0", "nats://h/p?lease=x", "nats://h/p?name=a.b", "tls://h/p?colour=red"
  };

  for (gsize i = 0; i < G_N_ELEMENTS (urls); i++)
    {
      ProcfunRemotePool *hosts = remotes_new (urls[i]);

      calls_assert_error (PROCFUN_EXECUTOR (hosts), add_call (1, 2), FALSE, PROCFUN_ERROR,
                          PROCFUN_ERROR_INVALID, "*URL of a broker*");
      remotes_close (hosts);
    }
}

/* The defaults of the broker are for little. */
static void
assert_settings (const char *pool, const char *ack_wait, const char *waiting)
{
  g_autofree char *subject = g_strdup_printf ("$JS.API.CONSUMER.INFO.PF_%s.hosts", pool);
  g_autofree char *answer = broker_ask (broker, subject, "");

  g_assert_nonnull (strstr (answer, "\"max_ack_pending\":-1"));
  g_assert_null (strstr (answer, "\"max_deliver\":1")); /* it would drop calls */
  g_assert_nonnull (strstr (answer, ack_wait));
  g_assert_nonnull (strstr (answer, waiting));
}

static void
test_settings (void)
{
  g_autofree char *url G_GNUC_UNUSED
      = broker_make_pool (broker, "settings", "lease=3&max-hosts=700");

  assert_settings ("settings", "\"ack_wait\":3000000000", "\"max_waiting\":1400");
}

/* By default, one host would have the first 1000 of them and no more. */
static void
test_many_running (void)
{
  g_autofree char *url G_GNUC_UNUSED = broker_make_pool (broker, "many-running", NULL);
  g_autoptr (GHashTable) stored = NULL;
  g_autoptr (GHashTable) taken = NULL;

  stored = broker_ask_many (broker, "pf.q.many-running.0", "x", 1500, 1500);
  g_assert_cmpuint (GPOINTER_TO_UINT (g_hash_table_lookup (stored, "")), ==, 1500);
  taken = broker_ask_many (broker, "$JS.API.CONSUMER.MSG.NEXT.PF_many-running.hosts",
                           "{\"batch\":1500,\"expires\":20000000000}", 1, 1500);
  g_assert_cmpuint (GPOINTER_TO_UINT (g_hash_table_lookup (taken, "")), ==, 1500);
}

/* By default, 188 of 700 would be sent away. */
static void
test_many_waiting (void)
{
  g_autofree char *url G_GNUC_UNUSED = broker_make_pool (broker, "many-waiting", "max-hosts=700");
  g_autoptr (GHashTable) answers
      = broker_ask_many (broker, "$JS.API.CONSUMER.MSG.NEXT.PF_many-waiting.hosts",
                         "{\"batch\":2,\"expires\":300000000}", 1400, 1400);

  g_assert_cmpuint (GPOINTER_TO_UINT (g_hash_table_lookup (answers, "408")), ==, 1400);
}

/* A pool that is there stays, with all that waits in it. */
static void
test_setup (void)
{
  g_autofree char *url G_GNUC_UNUSED = broker_make_pool (broker, "twice", NULL);
  g_autofree char *stored G_GNUC_UNUSED = broker_ask (broker, "pf.q.twice.0", "x");
  g_autofree char *again G_GNUC_UNUSED = broker_make_pool (broker, "twice", "lease=3");
  g_autofree char *info = broker_ask (broker, "$JS.API.STREAM.INFO.PF_twice", "");

  assert_settings ("twice", "\"ack_wait\":3000000000", "\"max_waiting\":8192");
  g_assert_nonnull (strstr (info, "\"messages\":1,"));
}

int
main (int argc, char **argv)
{
  int status;

  fixture_init (&argc, &argv);

  if (!brokers_are_there ())
    {
      fixture_add_func ("/nats/calls/come-back", brokers_skip);
      return fixture_run ();
    }
  broker = broker_new (NULL);
  brokers_warm_up (broker);
  fixture_add_func ("/nats/calls/come-back", test_results);
  fixture_add_func ("/nats/calls/wait-for-a-host", test_waiting);
  fixture_add_func ("/nats/calls/large-ones-go-in-parts", test_large);
  fixture_add_func ("/nats/calls/larger-ones-than-the-broker-takes", test_small_broker);
  fixture_add_func ("/nats/calls/sent-twice-are-stored-once", test_sent_twice);
  fixture_add_func ("/nats/calls/fail-when-the-queue-is-full", test_full);
  fixture_add_func ("/nats/broker/has-no-such-pool", test_no_pool);
  fixture_add_func ("/nats/broker/is-not-there", test_no_broker);
  fixture_add_func ("/nats/broker/has-a-url-that-can-be-read", test_wrong_url);
  fixture_add_func ("/nats/setup/has-what-hosts-need", test_settings);
  fixture_add_func ("/nats/setup/lets-more-than-1000-calls-run", test_many_running);
  fixture_add_func ("/nats/setup/lets-more-than-512-hosts-wait", test_many_waiting);
  fixture_add_func ("/nats/setup/may-be-done-again", test_setup);
  status = fixture_run ();
  broker_free (broker);
  return status;
}
