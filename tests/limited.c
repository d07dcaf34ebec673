/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* limited LIMITS DEATH [NUMBER]: does something under limits that it has applied to itself. The
 * exit code says what came of it, and deaths that measure print a line. With LIMITED_AS in the
 * environment it becomes that user first. */

#include "procfun/platform/limits-apply.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum
{
  DONE = 0,
  REFUSED = 1,
  NOT_APPLIED = 2
};

/* The compiler must not see that nothing is done with memory. */
static void *volatile kept;

static int
take_at_once (gsize size)
{
  kept = malloc (size);
  if (kept == NULL)
    return errno == ENOMEM ? REFUSED : 99;
  memset (kept, 1, size);
  return DONE;
}

static int
take_piecemeal (gsize size)
{
  for (gsize i = 0; i < size; i += 1024)
    if ((kept = malloc (1024 - 16)) == NULL)
      return REFUSED;
  return DONE;
}

static int
take_by_recursing (gsize size)
{
  volatile char frame[4096] = { 0 };

  if (size > sizeof frame && take_by_recursing (size - sizeof frame) != DONE)
    frame[0] = 1;
  return frame[0] + DONE;
}

static int
take_by_growing (gsize size)
{
  for (gsize i = 4096; i <= size; i += 4096)
    {
      void *grown = realloc (kept, i);

      if (grown == NULL)
        return REFUSED;
      kept = grown;
    }
  return DONE;
}

static int
take_by_mapping (gsize size)
{
  kept = mmap (NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return kept == MAP_FAILED ? REFUSED : DONE;
}

/* From a page downwards, through room that is free for it. */
static int
take_by_growing_down (gsize size)
{
  const gsize page = 4096, room = size + 16 * 1024 * 1024;
  guint8 *start = mmap (NULL, room, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  guint8 *top = start + room - page;

  if (start == MAP_FAILED || munmap (start, room) != 0
      || mmap (top, page, PROT_READ | PROT_WRITE,
               MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN | MAP_FIXED_NOREPLACE, -1, 0)
             != top)
    return REFUSED;
  for (gsize i = 0; i < size; i += page)
    *(volatile guint8 *)(top - i) = 1;
  return DONE;
}

static int
take_by_g_malloc (gsize size)
{
  kept = g_malloc (size);
  return DONE;
}

static int
take_and_write (gsize size)
{
  kept = malloc (size);
  memset (kept, 1, size);
  return DONE;
}

/* In pieces of @size until there is no more, and then what a crash handler would do. */
static int
exhaust (gsize size)
{
  LimitsExhausted exhausted;

  while ((kept = malloc (size)) != NULL)
    ;
  exhausted = limits_probe ();
  limits_release_reserve ();
  kept = mmap (NULL, 512 * 1024, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  limits_release_reserve ();
  printf ("memory %s, reserve %s\n", (exhausted & LIMITS_MEMORY_EXHAUSTED) != 0 ? "out" : "left",
          kept != MAP_FAILED ? "there" : "gone");
  return DONE;
}

static gint64
get_cpu_time (void)
{
  struct timespec now;

  clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &now);
  return (gint64)now.tv_sec * G_USEC_PER_SEC + now.tv_nsec / 1000;
}

static void *
spin (void *data)
{
  const gsize *ms = data;

  while (get_cpu_time () < (gint64)*ms * 1000)
    ;
  return NULL;
}

static int
spin_alone (gsize ms)
{
  spin (&ms);
  return DONE;
}

static int
spin_on_deaf_ears (gsize ms)
{
  signal (SIGXCPU, SIG_IGN);
  return spin_alone (ms);
}

static int
spin_together (gsize ms)
{
  pthread_t thread;

  pthread_create (&thread, NULL, spin, &ms);
  spin (&ms);
  pthread_join (thread, NULL);
  return DONE;
}

/* The attempts of limits_apply() leave no trace that a verdict could take for the function's. */
static int
check_errno (gsize number)
{
  return errno == 0 ? DONE : REFUSED;
}

/* As many as there can be, @at_most. */
static int
open_files (gsize at_most)
{
  gsize n = 0;
  LimitsExhausted exhausted;

  while (n < at_most && open ("/dev/null", O_RDONLY | O_CLOEXEC) >= 0)
    n++;
  exhausted = limits_probe ();
  limits_release_reserve ();
  printf ("%d files, then %s, reserve %s\n", (int)n,
          (exhausted & LIMITS_FILES_EXHAUSTED) != 0 ? "none" : "more",
          open ("/", O_PATH | O_CLOEXEC) >= 0 ? "there" : "gone");
  return DONE;
}

/* The reserve is known by what it is, not by its number. */
static int
replace_files (gsize n)
{
  int fds[2];

  closefrom (3);
  if (pipe (fds) != 0 || open ("/", O_PATH) < 0)
    return REFUSED;
  limits_release_reserve ();
  return fcntl (fds[0], F_GETFD) >= 0 && fcntl (fds[1], F_GETFD) >= 0 ? DONE : REFUSED;
}

static int
write_file (gsize size)
{
  FILE *file = tmpfile ();
  static const char block[1024];

  for (gsize i = 0; i < size; i += sizeof block)
    if (fwrite (block, sizeof block, 1, file) != 1)
      return REFUSED;
  return fclose (file) == 0 ? DONE : REFUSED;
}

/* As many as there can be, @at_most; they end with this one. */
static int
start_processes (gsize at_most)
{
  gsize n = 0;
  pid_t pid = 0;

  while (n < at_most && (pid = fork ()) > 0)
    n++;
  if (pid == 0)
    {
      prctl (PR_SET_PDEATHSIG, SIGKILL);
      pause ();
    }
  printf ("%d more%s\n", (int)n, pid < 0 && errno == EAGAIN ? ", then EAGAIN" : "");
  fflush (stdout);
  signal (SIGTERM, SIG_IGN);
  kill (0, SIGTERM);
  while (wait (NULL) > 0)
    ;
  return DONE;
}

static int
show_limits (gsize n)
{
  static const struct
  {
    int resource;
    const char *name;
  } resources[]
      = { { RLIMIT_STACK, "stack" }, { RLIMIT_CORE, "core" }, { RLIMIT_NOFILE, "files" } };

  for (gsize i = 0; i < G_N_ELEMENTS (resources); i++)
    {
      struct rlimit limit;

      getrlimit ((__rlimit_resource_t)resources[i].resource, &limit);
      printf ("%s %lld %lld\n", resources[i].name, (long long)limit.rlim_cur,
              (long long)limit.rlim_max);
    }
  return DONE;
}

static const struct
{
  const char *name;
  int (*death) (gsize number);
} deaths[] = {
  { "take-at-once", take_at_once },
  { "take-piecemeal", take_piecemeal },
  { "take-by-recursing", take_by_recursing },
  { "take-by-growing", take_by_growing },
  { "take-by-mapping", take_by_mapping },
  { "take-by-growing-down", take_by_growing_down },
  { "take-by-g_malloc", take_by_g_malloc },
  { "take-and-write", take_and_write },
  { "exhaust", exhaust },
  { "spin", spin_alone },
  { "spin-on-deaf-ears", spin_on_deaf_ears },
  { "spin-together", spin_together },
  { "check-errno", check_errno },
  { "open-files", open_files },
  { "replace-files", replace_files },
  { "write-file", write_file },
  { "start-processes", start_processes },
  { "show-limits", show_limits },
};

/* To become another user makes a process undumpable, and its /proc root's. */
static gboolean
become (const char *uid)
{
  static const struct rlimit no_core;
  uid_t id = (uid_t)(uid != NULL ? atoi (uid) : 0);

  setrlimit (RLIMIT_CORE, &no_core);
  return uid == NULL
         || (setgroups (0, NULL) == 0 && setgid (id) == 0 && setuid (id) == 0
             && prctl (PR_SET_DUMPABLE, 1) == 0);
}

int
main (int argc, char *argv[])
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ProcfunLimits) limits = procfun_limits_new_from_string (argv[1], &error);
  gsize number = argc > 3 ? (gsize)g_ascii_strtoull (argv[3], NULL, 10) : 0;

  g_assert_no_error (error);
  setsid ();
  g_assert_true (become (g_getenv ("LIMITED_AS")));
  if (!limits_apply (limits, &error))
    {
      printf ("%s\n", error->message);
      return NOT_APPLIED;
    }
  for (gsize i = 0; i < G_N_ELEMENTS (deaths); i++)
    if (strcmp (deaths[i].name, argv[2]) == 0)
      return deaths[i].death (number);
  return 98;
}
