/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/base/limits.h"
#include "procfun/procfun-error.h"
#include "tests/fixture.h"

#define MAX_64 "18446744073709551615"

static const struct
{
  const char *text;
  ProcfunLimits limits;
  const char *shortest;
} texts[] = {
  { "", { 0 }, "" },
  { " \t\n ", { 0 }, "" },
  { "memory=200M cpu=300ms files=32",
    { .memory = 200 << 20, .cpu_time = 300000, .open_files = 32 },
    "memory=200M cpu=300ms files=32" },
  { "\toutput=64K  result=1M\nprocesses=4 file-size=10M ",
    { .output_size = 65536, .result_size = 1 << 20, .processes = 4, .file_size = 10 << 20 },
    "file-size=10M processes=4 result=1M output=64K" },
  { "memory=1", { .memory = 1 }, "memory=1" },
  { "memory=1023", { .memory = 1023 }, "memory=1023" },
  { "memory=1024", { .memory = 1024 }, "memory=1K" },
  { "memory=1025", { .memory = 1025 }, "memory=1025" },
  { "memory=1536K", { .memory = 1536 << 10 }, "memory=1536K" },
  { "memory=1024K", { .memory = 1 << 20 }, "memory=1M" },
  { "memory=9G", { .memory = G_GUINT64_CONSTANT (9) << 30 }, "memory=9G" },
  { "memory=" MAX_64, { .memory = G_MAXUINT64 }, "memory=" MAX_64 },
  { "memory=17179869183G", { .memory = G_MAXUINT64 << 30 }, "memory=17179869183G" },
  { "memory=00200M", { .memory = 200 << 20 }, "memory=200M" },
  { "memory=0 cpu=0 files=0", { 0 }, "" },
  { "memory=0K cpu=0ms", { 0 }, "" },
  { "cpu=1us", { .cpu_time = 1 }, "cpu=1us" },
  { "cpu=1500us", { .cpu_time = 1500 }, "cpu=1500us" },
  { "cpu=1000us", { .cpu_time = 1000 }, "cpu=1ms" },
  { "cpu=2500ms", { .cpu_time = 2500000 }, "cpu=2500ms" },
  { "cpu=60s", { .cpu_time = 60000000 }, "cpu=60s" },
  { "cpu=3600s", { .cpu_time = G_GINT64_CONSTANT (3600000000) }, "cpu=60min" },
  { "cpu=90s", { .cpu_time = 90000000 }, "cpu=90s" },
  { "cpu=9223372036854775807us", { .cpu_time = G_MAXINT64 }, "cpu=9223372036854775807us" },
  { "files=4294967295", { .open_files = G_MAXUINT }, "files=4294967295" },
};

static void
test_limits_text (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (ProcfunLimits) limits = procfun_limits_new_from_string (texts[i].text, &error);
      g_autoptr (ProcfunLimits) again = NULL;
      g_autofree char *text = NULL;

      g_assert_no_error (error);
      g_assert_true (procfun_limits_equal (limits, &texts[i].limits));
      text = procfun_limits_to_string (limits);
      g_assert_cmpstr (text, ==, texts[i].shortest);
      again = procfun_limits_new_from_string (text, &error);
      g_assert_no_error (error);
      g_assert_true (procfun_limits_equal (limits, again));
    }
}

static const struct
{
  const char *text;
  const char *message; /* what it ends with */
} mistakes[] = {
  { "memory", "character 1: “memory”: “=” and a value are missing" },
  { "memory=1M cpu", "character 11: “cpu”: “=” and a value are missing" },
  { "memroy=1M",
    "“memroy=1M”: the limits are memory, cpu, files, file-size, processes, result, output" },
  { "Memory=1M", "processes, result, output" },
  { "memor=1M", "processes, result, output" },
  { "memory-=1M", "processes, result, output" },
  { "=1M", "processes, result, output" },
  { "memory =1M", "character 1: “memory”: “=” and a value are missing" },
  { "memory=1M,cpu=1s", "as 200M" },
  { "files=1  files=1", "character 10: “files=1”: files is there twice" },
  { "files=0 files=0", "files is there twice" },
  { "memory=", "character 8: “”: a size is a whole number with K, M, G or nothing, as 200M" },
  { "memory=M", "“M”: a size is a whole number with K, M, G or nothing, as 200M" },
  { "memory=-1", "as 200M" },
  { "memory=+1", "as 200M" },
  { "memory=1.5G", "as 200M" },
  { "memory=1e3", "as 200M" },
  { "memory=0x10", "as 200M" },
  { "memory=1k", "as 200M" },
  { "memory=1MB", "as 200M" },
  { "memory=1=2", "as 200M" },
  { "memory=1s", "as 200M" },
  { "memory=0s", "as 200M" },
  { "memory=\xff", "as 200M" },
  { "\xff\xfe", "processes, result, output" },
  { "cpu=300", "“300”: a time is a whole number with us, ms, s or min, as 300ms" },
  { "cpu=1h", "as 300ms" },
  { "cpu=1M", "as 300ms" },
  { "files=1K", "a whole number is expected" },
  { "memory=18446744073709551616", "character 8: “18446744073709551616”: this is too large" },
  { "memory=17179869184G", "this is too large" },
  { "memory=99999999999999999999999G", "this is too large" },
  { "cpu=9223372036854775808us", "this is too large" },
  { "cpu=9223372036855s", "this is too large" },
  { "files=4294967296", "this is too large" },
  { "processes=4294967296", "this is too large" },
};

static void
test_limits_mistakes (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (mistakes); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (ProcfunLimits) limits = procfun_limits_new_from_string (mistakes[i].text, &error);

      g_assert_null (limits);
      g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_INVALID);
      g_assert_true (g_utf8_validate (error->message, -1, NULL));
      if (!g_str_has_suffix (error->message, mistakes[i].message))
        g_error ("“%s” gives “%s”", mistakes[i].text, error->message);
    }
}

/* Any number survives. */
static void
test_limits_round_trip (void)
{
  for (guint i = 0; i < 20000; i++)
    {
      guint64 bits = (guint64)g_test_rand_int () << 32 | (guint32)g_test_rand_int ();
      guint64 value = bits >> g_test_rand_int_range (0, 64);
      g_autoptr (GError) error = NULL;
      g_autoptr (ProcfunLimits) limits = procfun_limits_new ();
      g_autoptr (ProcfunLimits) again = NULL;
      g_autofree char *text = NULL;

      procfun_limits_set_memory (limits, value);
      procfun_limits_set_file_size (limits, value & ~G_GUINT64_CONSTANT (1023));
      procfun_limits_set_cpu_time (limits, (gint64)(value & G_MAXINT64) / 1000 * 1000);
      procfun_limits_set_processes (limits, (guint)value);
      text = procfun_limits_to_string (limits);
      again = procfun_limits_new_from_string (text, &error);
      g_assert_no_error (error);
      g_assert_true (procfun_limits_equal (limits, again));
    }
}

static void
test_limits_members (void)
{
  g_autoptr (ProcfunLimits) limits = procfun_limits_new ();
  g_autoptr (ProcfunLimits) copy = NULL;

  procfun_limits_set_memory (limits, 1);
  procfun_limits_set_cpu_time (limits, 2);
  procfun_limits_set_open_files (limits, 3);
  procfun_limits_set_file_size (limits, 4);
  procfun_limits_set_processes (limits, 5);
  procfun_limits_set_result_size (limits, 6);
  procfun_limits_set_output_size (limits, 7);
  copy = g_boxed_copy (PROCFUN_TYPE_LIMITS, limits);
  g_assert_true (procfun_limits_equal (limits, copy));
  procfun_limits_set_output_size (limits, 8);
  g_assert_false (procfun_limits_equal (limits, copy));
  g_assert_cmpuint (procfun_limits_get_memory (copy), ==, 1);
  g_assert_cmpint (procfun_limits_get_cpu_time (copy), ==, 2);
  g_assert_cmpuint (procfun_limits_get_open_files (copy), ==, 3);
  g_assert_cmpuint (procfun_limits_get_file_size (copy), ==, 4);
  g_assert_cmpuint (procfun_limits_get_processes (copy), ==, 5);
  g_assert_cmpuint (procfun_limits_get_result_size (copy), ==, 6);
  g_assert_cmpuint (procfun_limits_get_output_size (copy), ==, 7);
}

static void
test_limits_wire (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_autoptr (GVariant) variant = g_variant_ref_sink (limits_to_variant (&texts[i].limits));
      g_autoptr (ProcfunLimits) limits = limits_from_variant (variant);

      g_assert_nonnull (limits);
      g_assert_true (procfun_limits_equal (limits, &texts[i].limits));
    }
}

static void
test_limits_wire_refused (void)
{
  static const char *const refused[] = { "{'memory': 1, 'colour': 2}", "{'files': 4294967296}",
                                         "{'cpu': 9223372036854775808}", "{'': 1}" };
  g_autoptr (GVariant) other = g_variant_ref_sink (g_variant_new_string ("memory=1M"));

  for (gsize i = 0; i < G_N_ELEMENTS (refused); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GVariant) variant
          = g_variant_parse (G_VARIANT_TYPE ("a{st}"), refused[i], NULL, NULL, &error);

      g_assert_no_error (error);
      g_assert_null (limits_from_variant (variant));
    }
  g_assert_null (limits_from_variant (other));
}

static void
test_limits_describe (void)
{
  g_autoptr (ProcfunLimits) limits = procfun_limits_new_from_string ("memory=2048K cpu=1s", NULL);
  g_autofree char *memory = limits_describe (limits, "memory");
  g_autofree char *cpu = limits_describe (limits, "cpu");

  g_assert_cmpstr (memory, ==, "2M");
  g_assert_cmpstr (cpu, ==, "1s");
  g_assert_null (limits_describe (limits, "files"));
  g_assert_null (limits_describe (limits, "colour"));
}

int
main (int argc, char *argv[])
{
  fixture_init (&argc, &argv);

  fixture_add_func ("/limits/limits-are-text", test_limits_text);
  fixture_add_func ("/limits/mistakes-are-named", test_limits_mistakes);
  fixture_add_func ("/limits/any-number-survives", test_limits_round_trip);
  fixture_add_func ("/limits/members-are-read-and-written", test_limits_members);
  fixture_add_func ("/limits/limits-survive-the-wire", test_limits_wire);
  fixture_add_func ("/limits/wrong-limits-from-the-wire-are-refused", test_limits_wire_refused);
  fixture_add_func ("/limits/limits-are-described", test_limits_describe);

  return fixture_run ();
}
