/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "tests/map-functions.h"

#include "tests/functions.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void
note (const char *path, gint n)
{
  char line[32];
  int length = g_snprintf (line, sizeof line, "%d\n", n);
  int fd;

  if (*path == '\0')
    return;
  fd = open (path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  if (write (fd, line, (gsize)length) != length)
    abort ();
  close (fd);
}

/* By hand: for each comma that the C library finds, sanitizers read the text to its end. */
static const char *
find_death (const char *deaths, gint n)
{
  const char *at = deaths;

  for (gint i = 0; i < n && *at != '\0'; at++)
    if (*at == ',')
      i++;
  return at;
}

static gboolean
is_named (const char *at, const char *death)
{
  gsize length = strlen (death);

  return strncmp (at, death, length) == 0 && (at[length] == ',' || at[length] == '\0');
}

static void
wait_to_go (const char *path)
{
  g_autofree char *go = g_strconcat (path, ".go", NULL);

  while (access (go, F_OK) != 0)
    g_usleep (1000);
}

PROCFUN_DEFINE_FUNCTION_WITH_ERROR (ten_times, gint, (gint, n), (const char *, deaths),
                                    (const char *, path))
{
  const char *death = find_death (deaths, n);

  note (path, n);
  if (is_named (death, "crash"))
    raise (SIGSEGV);
  else if (is_named (death, "kill"))
    raise (SIGKILL);
  else if (is_named (death, "exit"))
    exit (7);
  else if (is_named (death, "hang"))
    for (;;)
      pause ();
  else if (is_named (death, "wait"))
    wait_to_go (path);
  else if (is_named (death, "nap"))
    g_usleep (1000);
  else if (is_named (death, "cancel"))
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED, "%d is cancelled", n);
  else if (is_named (death, "fail"))
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_BUSY, "%d is busy", n);
  return 10 * n;
}

PROCFUN_DEFINE_FUNCTION (take_time, gint64, (gint64, us))
{
  g_usleep ((gulong)us);
  return us;
}

PROCFUN_DEFINE_FUNCTION (make_text, char *, (guint64, length)) { return g_strnfill (length, 'x'); }

PROCFUN_DEFINE_FUNCTION_WITH_ERROR (sum_by_map, gint, (gint, n))
{
  g_autoptr (ProcfunPool) pool = procfun_pool_new (1);
  g_autoptr (GVariant) sums = NULL;
  GVariantBuilder builder;
  gint sum = 0;

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a(ii)"));
  for (gint i = 0; i < n; i++)
    g_variant_builder_add (&builder, "(ii)", i, 1);
  sums = procfun_pool_map (pool, add_function (), g_variant_builder_end (&builder), NULL, error);
  for (gsize i = 0; sums != NULL && i < g_variant_n_children (sums); i++)
    {
      gint one;

      g_variant_get_child (sums, i, "i", &one);
      sum += one;
    }
  procfun_executor_close (PROCFUN_EXECUTOR (pool), NULL, NULL);
  return sum;
}

/* The journal of the map that calls, and the number of its file. */
static guint64 *
find_journal (char *inode, gsize size)
{
  g_autofree char *maps = NULL;
  g_auto (GStrv) lines = NULL;

  if (!g_file_get_contents ("/proc/self/maps", &maps, NULL, NULL))
    abort ();
  lines = g_strsplit (maps, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++)
    if (strstr (lines[i], "/memfd:procfun ") != NULL)
      {
        guint64 start = g_ascii_strtoull (lines[i], NULL, 16);
        g_autofree char *tail = g_strdup (strstr (lines[i], " 00:"));
        char *number = strchr (tail + 1, ' ') + 1;

        g_strlcpy (inode, number, MIN (size, strcspn (number, " ") + 1));
        return (guint64 *)(gpointer)(gsize)start;
      }
  return NULL;
}

PROCFUN_DEFINE_FUNCTION (scribble, char *, (gint, n))
{
  static char own[32];
  static guint64 *kept;
  char inode[32] = "none";
  guint64 *journal = find_journal (inode, sizeof inode);

  if (kept != NULL && strcmp (own, inode) != 0)
    memset (kept + 8, 'X', 4096);
  if (kept == NULL && journal != NULL)
    {
      kept = mremap (journal, 0, 8192, MREMAP_MAYMOVE);
      g_strlcpy (own, inode, sizeof own);
    }
  return g_strdup_printf ("%s %d %d", inode, (int)getpid (), n);
}

/* Numbers for the head of the journal: begun, done, bytes. */
static guint64 *
claim (guint64 begun, guint64 done, guint64 bytes)
{
  char inode[32];
  guint64 *journal = find_journal (inode, sizeof inode);

  journal[1] = begun;
  journal[2] = done;
  journal[3] = bytes;
  return journal;
}

PROCFUN_DEFINE_FUNCTION (cheat_in_number, gint, (gint, n), (const char *, how))
{
  if (strcmp (how, "many") == 0)
    claim (1u << 30, 1u << 30, 0);
  else if (strcmp (how, "unbegun") == 0)
    claim (0, 1, 4);
  else if (strcmp (how, "bytes") == 0)
    claim (1, 1, 400u << 20);
  else if (strcmp (how, "return") == 0)
    {
      claim (0, 1u << 30, 0);
      return n;
    }
  else
    return n;
  _exit (0);
}

PROCFUN_DEFINE_FUNCTION (cheat_in_text, char *, (gint, n), (const char *, how))
{
  if (strcmp (how, "bytes") == 0)
    {
      claim (1, 1, 400u << 20);
      _exit (0);
    }
  if (strcmp (how, "end") == 0)
    {
      claim (3, 3, 64);
      _exit (0);
    }
  if (strcmp (how, "filled") == 0) /* the memory is there, and no result takes so much of it */
    {
      memset (claim (1, 1, 200u << 20) + 8, 0, 200u << 20);
      _exit (0);
    }
  return g_strdup (how);
}
