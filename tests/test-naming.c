/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Names in the report of a crash come from a process of the library's own. Here it is given files
 * that no linker has made, or is not what it should be. */

#include "procfun/platform/confine.h"
#include "procfun/platform/known-files.h"
#include "procfun/platform/memfd.h"
#include "procfun/platform/worker-path.h"
#include "procfun/process/naming.h"
#include "procfun/process/places.h"
#include "procfun/wire/names.h"
#include "tests/deaths.h"
#include "tests/fixture.h"
#include <fcntl.h>
#include <link.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define START ((guint64)0x100000000)
#define MODULE_SIZE ((guint64)0x10000000)

static char *folder;

static char *
make_path (const char *name)
{
  return g_build_filename (folder, name, NULL);
}

/* Children of this test that take its place as procfun-worker. */
static void
use_script (const char *text)
{
  g_autofree char *path = make_path ("worker");
  g_autofree char *script = g_strdup_printf ("#!/bin/sh\n%s\n", text);
  g_autoptr (GError) error = NULL;

  g_file_set_contents (path, script, -1, &error);
  g_assert_no_error (error);
  g_assert_cmpint (chmod (path, 0755), ==, 0);
  g_setenv ("PROCFUN_WORKER", path, TRUE);
}

static gint64
get_cpu_time_of_children (void)
{
  struct rusage usage;

  getrusage (RUSAGE_CHILDREN, &usage);
  return (gint64)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * G_USEC_PER_SEC
         + usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
}

/* Requests */

static void
fill_module (CrashModule *module, guint i, const char *path)
{
  *module = (CrashModule){ .bias = START + i * MODULE_SIZE };
  module->start = module->bias;
  module->end = module->start + MODULE_SIZE;
  g_strlcpy (module->path, path, sizeof module->path);
}

/* About @n addresses in each of @n_modules, which all are loaded from @path. */
static GBytes *
make_request (const char *path, guint n_modules, guint n)
{
  g_autoptr (Places) places = places_new ();
  g_autoptr (KnownFiles) known = known_files_new ();

  known_files_add (known, path);
  for (guint i = 0; i < n_modules; i++)
    {
      CrashModule module;

      fill_module (&module, i, path);
      places_add_module (places, &module, path);
      for (guint j = 0; j < n; j++)
        places_add_address (places, module.start + j);
    }
  return places_make_request (places, known);
}

/* The text of the first place at an address, by @answer. */
static char *
find_text (GBytes *answer, guint64 address, const char *path)
{
  g_autoptr (Places) places = places_new ();
  CrashModule module;

  fill_module (&module, 0, path);
  places_add_module (places, &module, path);
  places_read_answer (places, answer);
  return g_strdup (((CodePlace *)places_find (places, address)->pdata[0])->text);
}

/* Hostile files */

typedef struct
{
  ElfW (Ehdr) header;
  ElfW (Shdr) sections[3];
} Head;

/* A file with a table of @size bytes of symbols, of which none takes room on the disk. */
static char *
write_sparse (const char *name, guint64 size)
{
  char *path = make_path (name);
  int own = open ("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  int fd = open (path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  Head head = { 0 };

  g_assert_cmpint (pread (own, &head.header, sizeof head.header, 0), ==, sizeof head.header);
  head.header.e_shoff = G_STRUCT_OFFSET (Head, sections);
  head.header.e_shnum = G_N_ELEMENTS (head.sections);
  head.header.e_shentsize = sizeof head.sections[0];
  head.sections[1] = (ElfW (Shdr)){ .sh_type = SHT_SYMTAB,
                                    .sh_link = 2,
                                    .sh_offset = 4096,
                                    .sh_size = size,
                                    .sh_entsize = sizeof (ElfW (Sym)) };
  head.sections[2] = (ElfW (Shdr)){ .sh_type = SHT_STRTAB, .sh_offset = 1024, .sh_size = 64 };
  g_assert_cmpint (pwrite (fd, &head, sizeof head, 0), ==, sizeof head);
  g_assert_cmpint (ftruncate (fd, (off_t)(4096 + size)), ==, 0);
  close (fd);
  close (own);
  return path;
}

static void
test_sparse (void)
{
  g_autofree char *path = write_sparse ("sparse", (guint64)1 << 40);
  g_autoptr (GBytes) request = make_request (path, 40, 1);
  const gint64 before = get_cpu_time_of_children ();
  g_autoptr (GBytes) answer = naming_run (request);
  g_autofree char *text = find_text (answer, START, path);

  g_assert_cmpstr (text, ==, "sparse+0x0");
  g_assert_cmpint (get_cpu_time_of_children () - before, <, G_USEC_PER_SEC);
}

/* Each address takes a walk through millions of symbols, and each module another table. */
static void
test_endless (void)
{
  g_autofree char *path = write_sparse ("endless", (guint64)100 << 20);
  g_autoptr (GBytes) request = make_request (path, 60, 30);
  const gint64 before = get_cpu_time_of_children ();
  g_autoptr (GBytes) answer = naming_run (request);
  g_autofree char *text = find_text (answer, START + 7, path);

  g_assert_cmpstr (text, ==, "endless+0x7");
  g_assert_cmpint (get_cpu_time_of_children () - before, <, 3 * G_USEC_PER_SEC / 2);
}

static void
test_no_file (void)
{
  static const char *const paths[] = { "/dev/zero", "/proc/self/mem", "/", "/nowhere" };
  g_autofree char *fifo = make_path ("fifo");

  g_assert_cmpint (mkfifo (fifo, 0600), ==, 0);
  for (guint i = 0; i <= G_N_ELEMENTS (paths); i++)
    {
      const char *path = i < G_N_ELEMENTS (paths) ? paths[i] : fifo;
      g_autoptr (GBytes) request = make_request (path, 1, 1);
      g_autoptr (GBytes) answer = naming_run (request);
      NamesEntry entry = { 0 };

      memcpy (&entry, g_bytes_get_data (answer, NULL),
              MIN (sizeof entry, g_bytes_get_size (answer)));
      g_assert_cmphex (entry.address, ==, START);
      g_assert_cmpuint (entry.size, ==, 0);
    }
}

/* Files that are looked at */

static void
test_unknown (void)
{
  g_autoptr (Places) places = places_new ();
  g_autoptr (KnownFiles) known = known_files_new ();
  g_autofree char *path = write_sparse ("unknown", 240);
  CrashModule module;

  fill_module (&module, 0, path);
  places_add_module (places, &module, path);
  places_add_address (places, START);
  g_assert_null (places_make_request (places, known));
  known_files_add (known, path);
  {
    g_autoptr (GBytes) request = places_make_request (places, known);

    g_assert_nonnull (request);
  }
}

/* The callee says what its build is; the file that is opened is one of this process. */
static void
test_by_build (void)
{
  g_autoptr (KnownFiles) known = known_files_new ();
  g_autofree char *own = known_files_find (known, NULL, 0, "/nowhere/test-naming");
  g_autofree char *link = g_file_read_link ("/proc/self/exe", NULL);
  g_autofree char *by_path = known_files_find (known, NULL, 0, link);

  g_assert_null (own);
  g_assert_cmpstr (by_path, ==, link);
}

static void
test_of_process (void)
{
  g_autoptr (KnownFiles) known = known_files_new ();
  g_autoptr (GSubprocess) other = NULL;
  g_autofree char *path = g_test_build_filename (G_TEST_BUILT, "crasher", NULL);
  g_autofree char *program = realpath (path, NULL);
  g_autofree char *found = NULL;
  char ready[6];

  other = g_subprocess_new (G_SUBPROCESS_FLAGS_STDOUT_PIPE, NULL, program, "1", "take_long_alone",
                            NULL);
  g_input_stream_read_all (g_subprocess_get_stdout_pipe (other), ready, sizeof ready, NULL, NULL,
                           NULL);
  g_assert_null (known_files_find (known, NULL, 0, program));
  known_files_add_process (known, (pid_t)atoi (g_subprocess_get_identifier (other)));
  found = known_files_find (known, NULL, 0, program);
  g_assert_cmpstr (found, ==, program);
  g_subprocess_force_exit (other);
  g_subprocess_wait (other, NULL, NULL);
}

/* Processes that are not what they should be */

static void
run_to_end (Naming *naming)
{
  while (!naming_advance (naming))
    {
      struct pollfd poll_fd = { .fd = naming_get_fd (naming), .events = POLLIN };

      poll (&poll_fd, 1, 10);
    }
}

static void
test_signalled (gconstpointer data)
{
  g_autoptr (GBytes) request = make_request ("/proc/self/exe", 1, 1);
  g_autoptr (Naming) naming = naming_new (request);
  const gint64 begin = g_get_monotonic_time ();

  g_assert_true (naming_start (naming));
  g_assert_cmpint (kill (naming_get_pid (naming), GPOINTER_TO_INT (data)), ==, 0);
  run_to_end (naming);
  g_assert_cmpint (g_get_monotonic_time () - begin, <, 5 * G_USEC_PER_SEC);
}

static const char *const strangers[] = { "true",
                                         "exit 3",
                                         "kill -9 $$",
                                         "exec sleep 60",
                                         "exec cat",
                                         "exec cat /dev/zero",
                                         "exec yes",
                                         "while :; do :; done",
                                         "printf '1PFN'; exec sleep 60" };

static void
assert_crashes (void)
{
  g_autoptr (GError) error = NULL;
  ProcfunFailure *failure;
  const char *const *lines;

  g_assert_false (die_of_process ("read_null", FALSE, &error));
  g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_CRASHED);
  failure = procfun_error_get_failure (error);
  lines = procfun_failure_get_backtrace (failure);
  g_assert_true (g_str_has_prefix (lines[0], "test-naming+0x"));
  g_assert_cmpint (procfun_failure_get_signal (failure), ==, SIGSEGV);
}

static void
test_strangers (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (strangers); i++)
    {
      use_script (strangers[i]);
      assert_crashes ();
    }
  g_setenv ("PROCFUN_WORKER", "/nowhere/procfun-worker", TRUE);
  assert_crashes ();
}

/* Nobody's answer is taken without end. */
static void
test_long_answer (void)
{
  g_autoptr (GBytes) request = make_request ("/proc/self/exe", 1, 1);
  g_autoptr (GBytes) answer = NULL;

  use_script ("exec cat /dev/zero");
  answer = naming_run (request);
  g_assert_nonnull (answer);
  g_assert_cmpuint (g_bytes_get_size (answer), >=, NAMES_ANSWER_MAX);
  g_assert_cmpuint (g_bytes_get_size (answer), <, NAMES_ANSWER_MAX + 65536);
}

/* The process bounds its CPU time itself. */
static void
test_cpu_time (void)
{
  const pid_t pid = fork ();
  int status;

  if (pid == 0)
    {
      confine_begin (20000);
      for (;;)
        ;
    }
  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  g_assert_true (WIFSIGNALED (status));
  g_assert_cmpint (WTERMSIG (status), ==, SIGPROF);
}

static gboolean
count (gpointer n)
{
  ++*(guint *)n;
  return G_SOURCE_CONTINUE;
}

static void
on_end (GObject *source, GAsyncResult *result, gpointer user_data)
{
  *(GAsyncResult **)user_data = g_object_ref (result);
}

/* The process sleeps for a time in which the main loop has many turns. */
static void
test_main_loop (void)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;
  guint n = 0;
  guint timer = g_timeout_add (5, count, &n);

  use_script ("exec sleep 60");
  die_of_process_async ("read_null", FALSE, NULL, on_end, &result);
  while (result == NULL)
    g_main_context_iteration (NULL, TRUE);
  g_source_remove (timer);
  g_assert_false (die_of_process_finish (result, &error));
  g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_CRASHED);
  g_assert_cmpuint (n, >, 10);
}

/* Lines */

static void
test_lines (gconstpointer data)
{
  const gboolean with_lines = data != NULL;
  g_autofree char *broken = make_path ("libdw.so.1");
  g_autofree char *worker = g_strdup (worker_path_get ());
  g_autofree char *text = g_strdup_printf ("LD_LIBRARY_PATH=%s exec %s \"$@\"", folder, worker);
  g_autoptr (GError) error = NULL;
  const char *line;

  if (!with_lines)
    {
      g_file_set_contents (broken, "", 0, NULL);
      use_script (text);
    }
  g_assert_false (die_of_process ("read_null", FALSE, &error));
  line = procfun_failure_get_backtrace (procfun_error_get_failure (error))[0];
  if (!with_lines)
    g_assert_cmpstr (line, ==, "read_null");
  else if (strchr (line, '(') == NULL)
    g_test_skip ("there are no debugging data, or nothing to read them");
  else
    g_assert_true (g_str_has_prefix (line, "read_null (deaths.c:"));
}

typedef struct
{
  GTestFunc func;
  GTestDataFunc data_func;
  gconstpointer data;
} Test;

static void
remove_folder (void)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;

  while ((name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = make_path (name);

      g_assert_cmpint (unlink (path), ==, 0);
    }
  g_assert_cmpint (rmdir (folder), ==, 0);
}

static void
run_test (gconstpointer data)
{
  const Test *test = data;
  g_autofree char *worker = g_strdup (g_getenv ("PROCFUN_WORKER"));

  folder = g_dir_make_tmp ("procfun-naming-XXXXXX", NULL);
  if (test->func != NULL)
    test->func ();
  else
    test->data_func (test->data);
  if (worker != NULL)
    g_setenv ("PROCFUN_WORKER", worker, TRUE);
  else
    g_unsetenv ("PROCFUN_WORKER");
  remove_folder ();
  g_clear_pointer (&folder, g_free);
}

int
main (int argc, char *argv[])
{
  static const struct
  {
    const char *path;
    Test test;
  } tests[] = {
    { "sparse-files-cost-little", { test_sparse } },
    { "files-that-take-long-are-left", { test_endless } },
    { "special-files-have-no-names", { test_no_file } },
    { "files-that-the-callee-alone-names-are-not-opened", { test_unknown } },
    { "own-program-is-found-by-its-path", { test_by_build } },
    { "files-of-a-trusted-process-are-found", { test_of_process } },
    { "ends-when-its-process-is-killed", { NULL, test_signalled, GINT_TO_POINTER (SIGKILL) } },
    { "ends-when-its-process-is-stopped", { NULL, test_signalled, GINT_TO_POINTER (SIGSTOP) } },
    { "other-programs-cost-the-names-and-nothing-else", { test_strangers } },
    { "answer-has-a-bound", { test_long_answer } },
    { "cpu-time-has-a-bound", { test_cpu_time } },
    { "main-loop-goes-on-meanwhile", { test_main_loop } },
    { "backtrace-has-lines-with-libdw", { NULL, test_lines, "" } },
    { "backtrace-has-names-without-libdw", { NULL, test_lines, NULL } },
  };

  fixture_init (&argc, &argv);
  for (gsize i = 0; i < G_N_ELEMENTS (tests); i++)
    {
      g_autofree char *path = g_strconcat ("/naming/", tests[i].path, NULL);

      fixture_add_data_func (path, &tests[i].test, run_test);
    }
  return fixture_run ();
}
