/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* libFuzzer's side of the targets. The program is built once, by ./dev fuzz, and copied under the
 * name of each target, fuzz-json and so on. */

#include "tests/fuzz-targets.h"

#include "procfun/platform/fds.h"
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* libFuzzer calls these. */
int LLVMFuzzerInitialize (int *argc, char ***argv);
int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

/* LeakSanitizer's name for what it is to pass over. */
const char *__lsan_default_suppressions (void);

/* GLib keeps names for ever, and does not keep a pointer to the beginning of each block of them. */
const char *
__lsan_default_suppressions (void)
{
  return "leak:g_intern_string\nleak:g_quark_from_string\nleak:call_init\n";
}

static const FuzzTarget *target;

/* Counts of what the code reaches, which clang puts into this section. */
extern guint8 __start___sancov_cntrs[] __attribute__ ((weak, visibility ("hidden")));
extern guint8 __stop___sancov_cntrs[] __attribute__ ((weak, visibility ("hidden")));

/* Makes processes that this one forks count with it, so that libFuzzer sees what they reach. Pages
 * that hold other data, too, stay as they are. */
static void
share_counts (void)
{
  const gsize page = (gsize)sysconf (_SC_PAGESIZE);
  guint8 *start = (guint8 *)(((gsize)__start___sancov_cntrs + page - 1) / page * page);
  guint8 *stop = (guint8 *)((gsize)__stop___sancov_cntrs / page * page);
  g_autofree guint8 *before = NULL;

  if (__start___sancov_cntrs == NULL || stop <= start)
    return;
  before = g_memdup2 (start, (gsize)(stop - start));
  if (mmap (start, (gsize)(stop - start), PROT_READ | PROT_WRITE,
            MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0)
      != start)
    abort ();
  memcpy (start, before, (gsize)(stop - start));
}

static void
ignore (const char *domain, GLogLevelFlags level, const char *message, gpointer user_data)
{
}

int
LLVMFuzzerInitialize (int *argc, char ***argv)
{
  g_autofree char *name = g_path_get_basename ((*argv)[0]);
  const char *dash = strrchr (name, '-');

  target = fuzz_find_target (dash != NULL ? dash + 1 : name);
  if (target == NULL)
    g_error ("%s: the name of this program must end with that of a target, as in fuzz-json", name);
  g_log_set_always_fatal (G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_WARNING);
  g_log_set_handler ("procfun", G_LOG_LEVEL_DEBUG | G_LOG_LEVEL_INFO | G_LOG_LEVEL_MESSAGE, ignore,
                     NULL);
  if (strcmp (target->name, "caller") == 0)
    share_counts ();
  return 0;
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  target->run (data, size);
  return 0;
}
