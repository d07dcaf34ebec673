/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Each target of the fuzzers takes its seeds: bytes that lead far into it, and those that once
 * broke something. */

#include "tests/fixture.h"
#include "tests/fuzz-targets.h"

#include <string.h>

static char *
get_folder (const char *name)
{
  return g_test_build_filename (G_TEST_DIST, "fuzz", name, NULL);
}

static gint
compare (gconstpointer a, gconstpointer b)
{
  return strcmp (*(char *const *)a, *(char *const *)b);
}

/* (element-type utf8): in the same order each time. */
static GPtrArray *
list_files (const char *folder)
{
  GPtrArray *names = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    g_ptr_array_add (names, g_build_filename (folder, name, NULL));
  g_ptr_array_sort (names, compare);
  return names;
}

/* In memory of its own size, so that tools see who reads behind it. */
static void
run_file (const FuzzTarget *target, const char *path)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;
  g_autofree guint8 *data = NULL;
  gsize size;

  g_test_message ("%s", path);
  g_file_get_contents (path, &text, &size, &error);
  g_assert_no_error (error);
  data = g_memdup2 (text, size);
  target->run (data, size);
}

static void
test_target (gconstpointer user_data)
{
  const FuzzTarget *target = user_data;
  g_autofree char *all = get_folder ("");
  g_autofree char *folder = get_folder (target->name);
  g_autoptr (GPtrArray) files = NULL;

  if (!g_file_test (all, G_FILE_TEST_IS_DIR))
    {
      g_test_skip ("the seeds are in the source tree alone");
      return;
    }
  files = list_files (folder);
  g_assert_cmpuint (files->len, >, 0);
  for (guint i = 0; i < files->len; i++)
    run_file (target, files->pdata[i]);
  target->run ((const guint8 *)"", 0);
  if (target->clear != NULL)
    target->clear ();
  g_test_message ("%s: %u seeds", target->name, files->len);
}

int
main (int argc, char *argv[])
{
  fixture_init (&argc, &argv);
  for (gsize i = 0; i < fuzz_n_targets; i++)
    {
      g_autofree char *path = g_strdup_printf ("/fuzz/%s/takes-each-seed", fuzz_targets[i].name);

      fixture_add_data_func (path, &fuzz_targets[i], test_target);
    }
  return fixture_run ();
}
