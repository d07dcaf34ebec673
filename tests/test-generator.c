/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Items of generators, and their waiting for the reader. Ends of such calls are in test-generator-
 * ends.c. */

#include "tests/calls.h"
#include "tests/fixture.h"
#include "tests/generators.h"
#include "tests/readers.h"

#include <gio/gunixfdlist.h>
#include <glib-unix.h>
#include <string.h>
#include <unistd.h>

/* Values */

static const struct
{
  const char *function;
  const char *arguments;
  const char *items;
} cases[] = {
  { "numbers", "(0,)", "" },
  { "numbers", "(1,)", "0" },
  { "numbers", "(5,)", "0 1 2 3 4" },
  { "nothings", "()", "" },
  { "doubles", "(3,)", "0.0 0.125 0.25" },
  { "words", "(['', 'a b', 'Grüße'],)", "'' 'a b' 'Grüße'" },
  { "maybe_words", "(3,)", "@ms nothing @ms 'word' @ms nothing" },
  { "colours", "(2,)", "77 1" },
  { "shapes", "(2,)",
    "('shape 0', 77, (1.0, 0), [(0.0, 0), (0.5, 0)]) "
    "('shape 1', 77, (1.0, 1), [(1.0, 0), (0.5, 1)])" },
  { "variants", "(2,)", "<(0, 0.5)> <'held'>" },
  { "series", "(3,)", "[int64 0] [int64 0, 1] [int64 0, 1, 2]" },
  { "blobs", "(2, 3)", "[byte 0x00, 0x00, 0x00] [byte 0x01, 0x01, 0x01]" },
  { "blobs", "(3, 0)", "@ay [] @ay [] @ay []" },
  { "digits", "('x', 2)", "'x00' 'x01' 'x10' 'x11'" },
  { "multiples", "(10, 3)", "0 3 6 9" },
};

static void
test_values (gconstpointer mode)
{
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_auto (Reader) reader = reader_new (calls_new (cases[i].function, cases[i].arguments), mode);
      g_autoptr (GError) error = NULL;
      g_autofree char *items = reader_print_rest (&reader, &error);

      g_assert_no_error (error);
      g_assert_cmpstr (items, ==, cases[i].items);
      g_assert_cmpint (procfun_call_get_state (reader.call), ==, PROCFUN_CALL_SUCCEEDED);
      g_assert_null (reader_next (&reader, NULL, &error));
      g_assert_no_error (error);
    }
}

static gboolean
next_shape (Reader *reader, Shape *shape, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;

  if (reader->context == NULL)
    return shapes_next (reader->call, shape, NULL, error);
  result = reader_wait (reader, NULL);
  return shapes_next_finish (reader->call, result, shape, error);
}

/* By their C types, and the caller owns them. */
static void
test_types (gconstpointer mode)
{
  g_auto (Reader) reader = reader_new (shapes_call (3), mode);
  g_autoptr (GError) error = NULL;
  gint n = 0;
  Shape shape;

  while (next_shape (&reader, &shape, &error))
    {
      g_autofree char *name = g_strdup_printf ("shape %d", n);

      g_assert_cmpstr (shape.name, ==, name);
      g_assert_cmpint (shape.centre.y, ==, n);
      g_assert_cmpuint (shape.corners.length, ==, 2);
      g_assert_cmpint (shape.corners.data[1].y, ==, n++);
      Shape_clear (&shape);
    }
  g_assert_no_error (error);
  g_assert_cmpint (n, ==, 3);
  g_assert_null (shape.name);
}

static void
test_strings (void)
{
  char *words[] = { (char *)"one", (char *)"two", NULL };
  g_autoptr (ProcfunCall) call = words_call (words);
  g_autoptr (GError) error = NULL;
  gsize n = 0;
  char *word;

  while (words_next (call, &word, NULL, &error))
    {
      g_assert_cmpstr (word, ==, words[n++]);
      g_free (word);
    }
  g_assert_no_error (error);
  g_assert_null (word);
  g_assert_cmpuint (n, ==, 2);
}

/* Each item has its own. */
static void
test_descriptors (gconstpointer mode)
{
  char *texts[] = { (char *)"one", (char *)"two", (char *)"three", NULL };
  g_auto (Reader) reader = reader_new (openings_call (texts), mode);

  for (gsize i = 0; texts[i] != NULL; i++)
    {
      g_autoptr (GVariant) item = reader_next (&reader, NULL, NULL);
      GUnixFDList *list = procfun_call_get_result_fd_list (reader.call);
      g_autofree char *text = NULL;

      g_assert_cmpint (g_variant_get_handle (item), ==, 0);
      g_assert_cmpint (g_unix_fd_list_get_length (list), ==, 1);
      text = read_all (g_unix_fd_list_peek_fds (list, NULL)[0]);
      g_assert_cmpstr (text, ==, texts[i]);
    }
  g_assert_null (reader_next (&reader, NULL, NULL));
  g_assert_null (procfun_call_get_result_fd_list (reader.call));
}

static void
test_typed_descriptors (void)
{
  char *texts[] = { (char *)"one", (char *)"two", NULL };
  g_autoptr (ProcfunCall) call = openings_call (texts);
  ProcfunFd fd;

  for (gsize i = 0; openings_next (call, &fd, NULL, NULL); i++)
    {
      g_autofree char *text = read_all (fd);

      g_assert_cmpstr (text, ==, texts[i]);
      close (fd);
    }
  g_assert_cmpint (fd, ==, -1);
}

static void
test_description (void)
{
  ProcfunFunction *function = shapes_function ();

  g_assert_cmpstr (procfun_function_get_signature (function), ==, "shapes(i)(si(di)a(di))*");
  g_assert_cmpstr (procfun_function_get_signature (misfortunes_function ()), ==,
                   "misfortunes(si)i*");
  g_assert_cmpuint (procfun_function_get_flags (function), ==, PROCFUN_FUNCTION_GENERATOR);
  g_assert_cmpuint (procfun_function_get_flags (misfortunes_function ()), ==,
                    PROCFUN_FUNCTION_GENERATOR | PROCFUN_FUNCTION_WITH_ERROR);
  g_assert_cmpuint (procfun_function_get_flags (add_function ()), ==, PROCFUN_FUNCTION_NONE);
  g_assert_true (g_variant_type_equal (procfun_function_get_return_type (function),
                                       G_VARIANT_TYPE ("(si(di)a(di))")));
}

static void
test_usage (gconstpointer mode)
{
  g_auto (Reader) reader = reader_new (blobs_call (100, 1000), mode);

  reader_skip (&reader, 100);
  g_assert_null (procfun_call_get_usage (reader.call));
  g_assert_null (reader_next (&reader, NULL, NULL));
  g_assert_cmpuint (procfun_usage_get_bytes_out (procfun_call_get_usage (reader.call)), >=,
                    100 * 1000);
}

/* In this process */

typedef struct
{
  GString *text;
  gint wanted;
} Taken;

static gboolean
take_word (char *word, gpointer user_data)
{
  Taken *self = user_data;

  g_string_append (self->text, word);
  return --self->wanted > 0;
}

static gboolean
add_up (gint number, gpointer user_data)
{
  *(gint *)user_data += number;
  return TRUE;
}

static void
test_in_this_process (void)
{
  Taken all = { g_string_new (NULL), 100 };
  Taken some = { g_string_new (NULL), 3 };
  g_autoptr (GError) error = NULL;
  gint sum = 0;

  digits_each ("", 2, take_word, &all);
  digits_each ("", 2, take_word, &some);
  g_assert_cmpstr (all.text->str, ==, "00011011");
  g_assert_cmpstr (some.text->str, ==, "000110");
  multiples_each (10, 3, add_up, &sum);
  g_assert_cmpint (sum, ==, 18);
  misfortunes_each ("error", 3, add_up, &sum, &error);
  g_assert_cmpint (sum, ==, 21);
  g_assert_error (error, G_FILE_ERROR, G_FILE_ERROR_NOSPC);

  /* These are not taken. */
  numbers (3);
  g_assert_false (numbers_yield (3));
  g_assert_false (procfun_yield_item (g_variant_new_int32 (3)));
  g_string_free (all.text, TRUE);
  g_string_free (some.text, TRUE);
}

/* Waiting for who reads */

static void
test_many (gconstpointer mode)
{
  const gint all = fixture_has_sanitizers () ? 50000 : 1000000;
  g_auto (Reader) reader = reader_new (numbers_call (all), mode);
  g_autoptr (GError) error = NULL;
  gint item;
  gint n = 0;

  while (numbers_next (reader.call, &item, NULL, &error))
    g_assert_cmpint (item, ==, n++);
  g_assert_no_error (error);
  g_assert_cmpint (n, ==, all);
}

static void
test_many_async (gconstpointer mode)
{
  const gint all = fixture_has_sanitizers () ? 10000 : 100000;
  g_auto (Reader) reader = reader_new (numbers_call (all), mode);

  reader_skip (&reader, (guint)all);
  g_assert_null (reader_next (&reader, NULL, NULL));
}

static void
test_threads (gconstpointer mode)
{
  g_auto (Reader) reader = reader_new (pairs_call (10000), mode);
  gint next[] = { 0, 1 };
  GVariant *item;

  while ((item = reader_next (&reader, NULL, NULL)) != NULL)
    {
      gint number = g_variant_get_int32 (item);

      g_assert_cmpint (number, ==, next[number % 2]);
      next[number % 2] += 2;
      g_variant_unref (item);
    }
  g_assert_cmpint (next[0], ==, 20000);
  g_assert_cmpint (next[1], ==, 20001);
}

/* Number of items that steps() has begun, by its own count. */
static gint
count_begun (int fd, gint n)
{
  char bytes[4096];
  gssize size;

  while ((size = read (fd, bytes, sizeof bytes)) > 0)
    n += (gint)size;
  return n;
}

/* The function is ahead by a window at most, however slowly it is read: one that did not wait would
 * soon be far away. */
static void
test_waits (gconstpointer mode)
{
  Signal signal;
  gint begun = 0;

  signal_open (&signal);
  g_assert_true (g_unix_set_fd_nonblocking (signal.ends[0], TRUE, NULL));
  {
    g_auto (Reader) reader = reader_new (steps_call (signal.ends[1]), mode);

    for (gint taken = 1; taken < 3000; taken++)
      {
        reader_skip (&reader, 1);
        if (taken % 500 == 0)
          reader_wait_until_it_sleeps (&reader);
        begun = count_begun (signal.ends[0], begun);
        g_assert_cmpint (begun, >=, taken);
        g_assert_cmpint (begun - taken, <=, 256 + 1);
      }
  }
  signal_close (&signal);
}

/* In bytes. */
static guint64
get_memory (int pid)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/status", pid);
  g_autofree char *status = NULL;
  const char *line;

  g_assert_true (g_file_get_contents (path, &status, NULL, NULL));
  line = strstr (status, "VmRSS:");
  g_assert_nonnull (line);
  return g_ascii_strtoull (line + strlen ("VmRSS:"), NULL, 10) * 1024;
}

/* All of it would be 128 MiB, of which neither side ever has more than a part. */
static void
test_memory (gconstpointer mode)
{
  const guint64 bound = 24 * 1024 * 1024;
  guint64 before = get_memory (getpid ());
  guint64 before_there = 0;
  g_auto (Reader) reader = { NULL };

  if (fixture_has_sanitizers ())
    {
      g_test_skip ("sanitizers keep memory that was freed");
      return;
    }
  reader = reader_new (blobs_call (2000, 64 * 1024), mode);
  for (gint taken = 1; taken < 2000; taken++)
    {
      reader_skip (&reader, 1);
      if (taken % 200 != 1)
        continue;
      reader_wait_until_it_sleeps (&reader);
      if (before_there == 0)
        before_there = get_memory (procfun_call_get_pid (reader.call));
      g_assert_cmpuint (get_memory (getpid ()), <, before + bound);
      g_assert_cmpuint (get_memory (procfun_call_get_pid (reader.call)), <, before_there + bound);
    }
}

/* An item larger than any window comes all the same. */
static void
test_large_items (gconstpointer mode)
{
  g_auto (Reader) reader = reader_new (blobs_call (5, 3 * 1024 * 1024), mode);

  reader_skip (&reader, 5);
  g_assert_null (reader_next (&reader, NULL, NULL));
}

/* Registered at run time */

static GVariant *
handle_squares (GVariant *args, gpointer user_data, GError **error)
{
  gint n;

  g_variant_get (args, "(i)", &n);
  for (gint i = 0; i < n; i++)
    if (!procfun_yield_item (g_variant_new_int64 ((gint64)i * i)))
      break;
  return g_variant_new ("()");
}

static GVariant *
handle_mistake (GVariant *args, gpointer user_data, GError **error)
{
  procfun_yield_item (g_variant_new_int64 (1));
  g_assert_false (procfun_yield_item (g_variant_new_string ("one")));
  return g_variant_new ("()");
}

static ProcfunFunction *
register_generator (const char *name, ProcfunHandler handler)
{
  static const char *const names[] = { "n", NULL };
  g_autoptr (GError) error = NULL;
  ProcfunFunction *function = procfun_registry_register_generator (
      procfun_registry_get_default (), name, names, G_VARIANT_TYPE ("(i)"), G_VARIANT_TYPE_INT64,
      handler, NULL, NULL, &error);

  g_assert_no_error (error);
  return function;
}

static void
test_run_time (gconstpointer mode)
{
  ProcfunFunction *squares
      = procfun_registry_lookup_by_name (procfun_registry_get_default (), "squares");
  g_auto (Reader) reader = reader_new (procfun_call_new (squares, g_variant_new ("(i)", 5)), mode);
  g_autoptr (GError) error = NULL;
  g_autofree char *items = reader_print_rest (&reader, &error);

  g_assert_no_error (error);
  g_assert_cmpstr (items, ==, "int64 0 int64 1 int64 4 int64 9 int64 16");
  g_assert_cmpstr (procfun_function_get_signature (squares), ==, "squares(i)x*");
}

static void
test_run_time_mistake (gconstpointer mode)
{
  ProcfunFunction *mistake
      = procfun_registry_lookup_by_name (procfun_registry_get_default (), "mistake");
  g_auto (Reader) reader = reader_new (procfun_call_new (mistake, g_variant_new ("(i)", 5)), mode);
  g_autoptr (GError) error = NULL;
  g_autofree char *items = reader_print_rest (&reader, &error);

  calls_check_error (error, PROCFUN_ERROR, PROCFUN_ERROR_ENCODE, "mistake() yielded “s”*“x”*");
  g_assert_cmpstr (items, ==, "int64 1");
}

static const struct
{
  const char *name;
  GTestDataFunc func;
} tests[] = {
  { "values", test_values },           { "types", test_types },
  { "descriptors", test_descriptors }, { "usage", test_usage },
  { "threads", test_threads },         { "waits", test_waits },
  { "memory", test_memory },           { "large-items", test_large_items },
  { "run-time", test_run_time },       { "run-time/mistake", test_run_time_mistake },
};

static void
add_tests (const ReaderMode *mode)
{
  for (gsize i = 0; i < G_N_ELEMENTS (tests); i++)
    {
      g_autofree char *path = g_strdup_printf ("/generator/%s/%s", mode->name, tests[i].name);

      calls_add_data_func (path, mode, tests[i].func);
    }
}

int
main (int argc, char *argv[])
{
  register_generator ("squares", handle_squares);
  register_generator ("mistake", handle_mistake);
  procfun_registry_serve (procfun_registry_get_default ());
  fixture_init (&argc, &argv);

  calls_add_func ("/generator/strings-are-yielded", test_strings);
  calls_add_func ("/generator/descriptors-are-yielded", test_typed_descriptors);
  calls_add_func ("/generator/a-generator-describes-its-items", test_description);
  calls_add_func ("/generator/a-generator-runs-here", test_in_this_process);
  for (gsize i = 0; i < G_N_ELEMENTS (reader_modes); i++)
    add_tests (&reader_modes[i]);
  calls_add_data_func ("/generator/many/many-items-wait-for-the-reader-as-json", &reader_modes[0],
                       test_many);
  calls_add_data_func ("/generator/many/many-items-wait-for-the-reader-as-gvariant",
                       &reader_modes[2], test_many);
  calls_add_data_func ("/generator/many/many-items-come-in-a-main-loop", &reader_modes[3],
                       test_many_async);
  return fixture_run ();
}
