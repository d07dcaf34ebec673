/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/statistics/statistics.h"
#include "tests/calls.h"
#include "tests/fixture.h"
#include "tests/functions.h"
#include "tests/manual-executor.h"
#include "tests/openmetrics.h"

#include <json-glib/json-glib.h>
#include <unistd.h>

/* A manual executor that has done something: of three calls two have succeeded. */
static TestManualExecutor *
make_manual (void)
{
  TestManualExecutor *manual = g_object_new (TEST_TYPE_MANUAL_EXECUTOR, NULL);

  for (guint i = 0; i < 2; i++)
    calls_assert_result (PROCFUN_EXECUTOR (manual), add_call (2, 3), FALSE, "5");
  calls_assert_error (PROCFUN_EXECUTOR (manual), fail_with_result_call (1), FALSE, PROCFUN_ERROR,
                      PROCFUN_ERROR_PROTOCOL, "*");
  return manual;
}

/* The text must be read back as the values of the getters. */
static void
assert_equal_to (ProcfunStatistics *statistics, GVariant *dictionary)
{
  g_autoptr (GVariant) causes
      = g_variant_lookup_value (dictionary, "causes", G_VARIANT_TYPE ("a{st}"));
  g_autoptr (GVariant) latency
      = g_variant_lookup_value (dictionary, "latency", G_VARIANT_TYPE_VARDICT);
  g_autoptr (GVariant) workers
      = g_variant_lookup_value (dictionary, "workers", G_VARIANT_TYPE ("aa{sv}"));
  g_autoptr (GVariant) worker = g_variant_get_child_value (workers, 0);
  const char *text;
  guint64 number;
  gint64 time;
  int pid;

  g_assert_true (g_variant_lookup (dictionary, "executor", "&s", &text));
  g_assert_cmpstr (text, ==, procfun_statistics_get_executor_name (statistics));
  g_assert_true (g_variant_lookup (dictionary, "submitted", "t", &number));
  g_assert_cmpuint (number, ==, procfun_statistics_get_submitted (statistics));
  g_assert_true (g_variant_lookup (causes, "error", "t", &number));
  g_assert_cmpuint (number, ==, procfun_statistics_get_count (statistics, PROCFUN_CAUSE_ERROR));
  g_assert_true (g_variant_lookup (latency, "p99.9", "x", &time));
  g_assert_cmpint (time, ==, procfun_statistics_get_percentile (statistics, 99.9));
  g_assert_true (g_variant_lookup (latency, "max", "x", &time));
  g_assert_cmpint (time, ==, procfun_statistics_get_max (statistics));
  g_assert_true (g_variant_lookup (worker, "pid", "i", &pid));
  g_assert_cmpint (pid, ==, procfun_statistics_get_worker_pid (statistics, 0));
  g_assert_true (g_variant_lookup (worker, "state", "&s", &text));
  g_assert_cmpstr (text, ==, "busy");
}

static void
test_variant (void)
{
  g_autoptr (TestManualExecutor) manual = make_manual ();
  g_autoptr (ProcfunStatistics) statistics = procfun_statistics_new (PROCFUN_EXECUTOR (manual));
  g_autoptr (GVariant) dictionary = procfun_statistics_to_variant (statistics);

  g_assert_true (g_variant_is_of_type (dictionary, G_VARIANT_TYPE_VARDICT));
  g_assert_false (g_variant_is_floating (dictionary));
  assert_equal_to (statistics, dictionary);
}

static void
test_of_executor (void)
{
  g_autoptr (TestManualExecutor) manual = make_manual ();
  g_autoptr (GVariant) dictionary = procfun_executor_get_statistics (PROCFUN_EXECUTOR (manual));
  guint64 succeeded, failed;

  g_assert_true (g_variant_is_of_type (dictionary, G_VARIANT_TYPE_VARDICT));
  g_assert_false (g_variant_is_floating (dictionary));
  g_assert_true (g_variant_lookup (dictionary, "succeeded", "t", &succeeded));
  g_assert_true (g_variant_lookup (dictionary, "failed", "t", &failed));
  g_assert_cmpuint (succeeded, ==, 2);
  g_assert_cmpuint (failed, ==, 1);
}

/* JSON has the dictionary's members and numbers, whoever reads it. */
static void
test_json (void)
{
  g_autoptr (TestManualExecutor) manual = make_manual ();
  g_autoptr (ProcfunStatistics) statistics = procfun_statistics_new (PROCFUN_EXECUTOR (manual));
  g_autoptr (GVariant) dictionary = procfun_statistics_to_variant (statistics);
  g_autofree char *text = procfun_statistics_to_json (statistics);
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) read = json_from_string (text, &error);
  g_autoptr (JsonNode) expected = json_gvariant_serialize (dictionary);

  g_assert_no_error (error);
  g_assert_null (strchr (text, '\n'));
  g_assert_true (json_node_equal (read, expected));
}

/* OpenMetrics */

static void
test_openmetrics (void)
{
  g_autoptr (TestManualExecutor) manual = make_manual ();
  g_autoptr (ProcfunStatistics) statistics = procfun_statistics_new (PROCFUN_EXECUTOR (manual));
  g_autofree char *text = procfun_statistics_to_openmetrics (statistics);
  g_autoptr (GHashTable) samples = openmetrics_read (text);
  guint number = procfun_statistics_get_executor_number (statistics);
  const struct
  {
    const char *format; /* with room for the number of the executor */
    double value;
  } cases[] = {
    { "procfun_calls_submitted_total{executor=\"TestManualExecutor\",number=\"%u\"}", 3 },
    { "procfun_calls_succeeded_total{executor=\"TestManualExecutor\",number=\"%u\"}", 2 },
    { "procfun_calls_failed_total{executor=\"TestManualExecutor\",number=\"%u\",cause=\"error\"}",
      1 },
    { "procfun_calls_failed_total{executor=\"TestManualExecutor\",number=\"%u\",cause=\"crashed\"}",
      0 },
    { "procfun_calls_running{executor=\"TestManualExecutor\",number=\"%u\"}", 0 },
    { "procfun_call_duration_seconds_count{executor=\"TestManualExecutor\",number=\"%u\"}", 3 },
    { "procfun_call_wait_seconds_count{executor=\"TestManualExecutor\",number=\"%u\"}", 0 },
    { "procfun_workers{executor=\"TestManualExecutor\",number=\"%u\",state=\"busy\"}", 1 },
    { "procfun_workers{executor=\"TestManualExecutor\",number=\"%u\",state=\"idle\"}", 1 },
    { "procfun_workers{executor=\"TestManualExecutor\",number=\"%u\",state=\"starting\"}", 0 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_auto (GStrv) around = g_strsplit (cases[i].format, "%u", 2);
      g_autofree char *sample = g_strdup_printf ("%s%u%s", around[0], number, around[1]);

      g_assert_cmpfloat (openmetrics_get (samples, sample), ==, cases[i].value);
    }
}

/* Of several executors each family is still in one piece. */
static void
test_openmetrics_of_many (void)
{
  g_autoptr (TestManualExecutor) manual = make_manual ();
  g_autoptr (ProcfunExecutor) executor = PROCFUN_EXECUTOR (procfun_inline_new ());
  g_autoptr (ProcfunStatistics) first = procfun_statistics_new (PROCFUN_EXECUTOR (manual));
  g_autoptr (ProcfunStatistics) second = procfun_statistics_new (executor);
  ProcfunStatistics *both[] = { first, second };
  g_autofree char *text = statistics_list_to_openmetrics (both, 2);
  g_autofree char *none = statistics_list_to_openmetrics (NULL, 0);
  g_autofree char *sample
      = g_strdup_printf ("procfun_calls_submitted_total{executor=\"ProcfunInline\",number=\"%u\"}",
                         procfun_statistics_get_executor_number (second));
  g_autoptr (GHashTable) samples = openmetrics_read (text);
  g_autoptr (GHashTable) no_samples = openmetrics_read (none);

  g_assert_cmpfloat (openmetrics_get (samples, sample), ==, 0);
  g_assert_cmpuint (g_hash_table_size (no_samples), ==, 0);
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
  fixture_add_func ("/statistics-text/statistics-are-a-dictionary", test_variant);
  fixture_add_func ("/statistics-text/an-executor-gives-its-statistics", test_of_executor);
  fixture_add_func ("/statistics-text/json-has-the-same-numbers", test_json);
  fixture_add_func ("/statistics-text/openmetrics-has-the-same-numbers", test_openmetrics);
  fixture_add_func ("/statistics-text/families-stay-together", test_openmetrics_of_many);
  return fixture_run ();
}
