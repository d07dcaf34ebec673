/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Other things that programs do around their calls. */

#include "tests/hosts.h"

#include <string.h>
#include <unistd.h>

static void
large_argument (char **args)
{
  g_autofree char *text = g_strnfill (200 * 1024, 'x');
  g_autoptr (GError) error = NULL;

  g_assert_cmpuint (length_process (text, &error), ==, 200 * 1024);
  g_assert_no_error (error);
}

/* Strings that the kernel takes singly, and together not. */
static void
fill_environment (gsize n_variables)
{
  g_autofree char *value = g_strnfill (100 * 1000, 'x');

  for (gsize i = 0; i < n_variables; i++)
    {
      g_autofree char *name = g_strdup_printf ("HOSTS_%" G_GSIZE_FORMAT, i);

      g_setenv (name, value, TRUE);
    }
}

/* A child of a process that was executed before needs less. */
static void
large_environment (char **args)
{
  g_autoptr (ProcfunExecutor) executor = PROCFUN_EXECUTOR (procfun_spawner_new ());

  fill_environment (15);
  host_assert_works ();
  fill_environment (1000);
  host_assert_fails (executor, PROCFUN_ERROR_SPAWN);
}

static gint stop;

static gpointer
keep_busy (gpointer user_data)
{
  while (!g_atomic_int_get (&stop))
    {
      g_autoptr (GObject) object = g_object_new (G_TYPE_OBJECT, NULL);
      g_autofree char *memory = g_strnfill ((gsize)g_random_int_range (1, 100000), 'x');

      g_object_set_data_full (object, "memory", g_steal_pointer (&memory), g_free);
    }
  return NULL;
}

static void
busy_threads (char **args)
{
  GThread *threads[4];

  for (gsize i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("busy", keep_busy, NULL);
  for (int i = 0; i < 20; i++)
    host_assert_works ();
  g_atomic_int_set (&stop, TRUE);
  for (gsize i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
}

/* Some ties between processes are ties to a thread. */
static void
thread_that_ends (char **args)
{
  Held held;

  held_begin (&held);
  held_end (&held);
}

/* Constructors of this program call at each start of it, where the environment says so. */
static void
constructors (char **args)
{
  g_autofree char *here = what_constructors_got ();
  g_autofree char *there = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_cmpstr (here, ==, "first: 3 \nlater: 3 \n");
  there = what_constructors_got_process (&error);
  g_assert_no_error (error);
  g_assert_nonnull (strstr (there, "first: 0 add() cannot be called"));
  g_assert_nonnull (strstr (there, "later: 0 add() cannot be called"));
}

const Host hosts_calls[]
    = { { "large-argument", large_argument }, { "large-environment", large_environment },
        { "busy-threads", busy_threads },     { "thread-that-ends", thread_that_ends },
        { "constructors", constructors },     { NULL, NULL } };
