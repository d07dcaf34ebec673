/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Bytes around the size from which a signed number of 32 bits is too small. They take their time,
 * so that only "-m slow" runs them, and only where there is memory for them. */

#include "tests/calls.h"
#include "tests/fixture.h"
#include "tests/remotes.h"

#include <string.h>
#include <unistd.h>

#define TWO_GIB ((gsize)1 << 31)
#define MEMORY_NEEDED (8 * TWO_GIB)
#define WATCHDOG_SECONDS 1200

static const gsize sizes[] = { TWO_GIB / 2, TWO_GIB - 1, TWO_GIB, TWO_GIB + 1 };

/* Places that a wrong size would miss, and their values. */
static gsize
get_place (gsize size, guint i)
{
  const gsize places[] = { 0, 4097, size / 2, size - 2, size - 1 };

  return i < G_N_ELEMENTS (places) ? places[i] : G_MAXSIZE;
}

static void
mark (guint8 *data, gsize size)
{
  for (guint i = 0; get_place (size, i) != G_MAXSIZE; i++)
    data[get_place (size, i)] = (guint8)(i + 1);
}

static gboolean
is_marked (GBytes *bytes, gsize expected)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (bytes, &size);

  for (guint i = 0; size == expected && get_place (size, i) != G_MAXSIZE; i++)
    if (data[get_place (size, i)] == 0)
      return FALSE;
  return size == expected;
}

static GBytes *
make (gsize size, gboolean is_shared)
{
  gpointer data = NULL;
  GBytes *bytes = is_shared ? procfun_bytes_new (size, &data) : NULL;

  if (!is_shared)
    data = g_malloc0 (size);
  mark (data, size);
  return bytes != NULL ? bytes : g_bytes_new_take (data, size);
}

PROCFUN_DEFINE_STATIC_FUNCTION (check, gboolean, (GBytes *, bytes), (guint64, size))
{
  return is_marked (bytes, size);
}

PROCFUN_DEFINE_STATIC_FUNCTION (make_huge, GBytes *, (guint64, size), (gboolean, is_shared))
{
  return make (size, is_shared);
}

static gboolean
has_room (void)
{
  const gsize available = (gsize)sysconf (_SC_AVPHYS_PAGES) * (gsize)sysconf (_SC_PAGESIZE);

  if (g_test_slow () && available >= MEMORY_NEEDED && !fixture_has_sanitizers ())
    {
      alarm (WATCHDOG_SECONDS); /* instead of that of the fixture */
      return TRUE;
    }
  g_test_skip ("only with -m slow and 16 GiB of free memory");
  return FALSE;
}

/* One size in one way, each a test of its own for the sake of time. */
typedef struct
{
  const char *name;
  ProcfunExecutor *(*new_executor) (void);
  gboolean is_shared;
} Way;

static ProcfunExecutor *
new_pool (void)
{
  return PROCFUN_EXECUTOR (procfun_pool_new (1));
}

static ProcfunExecutor *
new_fork_server (void)
{
  return PROCFUN_EXECUTOR (procfun_fork_server_new ());
}

static ProcfunExecutor *
new_hosts (void)
{
  return PROCFUN_EXECUTOR (remotes_new ("local*1"));
}

static const Way ways[] = {
  { "copied/pool", new_pool, FALSE },
  { "mapped/pool", new_pool, TRUE },
  { "copied/fork-server", new_fork_server, FALSE },
  { "mapped/fork-server", new_fork_server, TRUE },
  { "copied/host", new_hosts, FALSE },
  { "mapped/host", new_hosts, TRUE },
};

static ProcfunExecutor *
new_executor (const Way *way)
{
  ProcfunExecutor *executor = way->new_executor ();

  g_object_set (executor, "max-payload", (guint64)(2 * TWO_GIB), NULL);
  if (PROCFUN_IS_PROCESS_EXECUTOR (executor))
    procfun_process_executor_set_codec (PROCFUN_PROCESS_EXECUTOR (executor),
                                        procfun_codec_get_gvariant ());
  return executor;
}

static void
try_argument (const Way *way, gsize size)
{
  g_autoptr (ProcfunExecutor) executor = NULL;
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GError) error = NULL;
  gboolean ok;

  if (!has_room ())
    return;
  executor = new_executor (way);
  bytes = make (size, way->is_shared);
  ok = check_process_with (bytes, size, executor, NULL, &error);
  g_assert_no_error (error);
  g_assert_true (ok);
}

static void
try_result (const Way *way, gsize size)
{
  g_autoptr (ProcfunExecutor) executor = NULL;
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GError) error = NULL;

  if (!has_room ())
    return;
  executor = new_executor (way);
  bytes = make_huge_process_with (size, way->is_shared, executor, NULL, &error);
  g_assert_no_error (error);
  g_assert_true (is_marked (bytes, size));
}

static void
test_argument (gconstpointer number)
{
  const guint n = GPOINTER_TO_UINT (number);

  try_argument (&ways[n / G_N_ELEMENTS (sizes)], sizes[n % G_N_ELEMENTS (sizes)]);
}

static void
test_result (gconstpointer number)
{
  const guint n = GPOINTER_TO_UINT (number);

  try_result (&ways[n / G_N_ELEMENTS (sizes)], sizes[n % G_N_ELEMENTS (sizes)]);
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
  for (guint i = 0; i < G_N_ELEMENTS (ways) * G_N_ELEMENTS (sizes); i++)
    {
      const Way *way = &ways[i / G_N_ELEMENTS (sizes)];
      const gsize size = sizes[i % G_N_ELEMENTS (sizes)];
      g_autofree char *argument
          = g_strdup_printf ("/huge/argument/%zu-bytes-are-%s", size, way->name);
      g_autofree char *result = g_strdup_printf ("/huge/result/%zu-bytes-are-%s", size, way->name);

      fixture_add_data_func (argument, GUINT_TO_POINTER (i), test_argument);
      fixture_add_data_func (result, GUINT_TO_POINTER (i), test_result);
    }
  return fixture_run ();
}
