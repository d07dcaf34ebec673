/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "tests/fixture.h"

#include <procfun/procfun.h>

#include "tests/tsan.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* A test takes seconds at most; instrumented and on a busy machine it may take longer. */
#define WATCHDOG_SECONDS 120

/* Things that end with a call may take moments longer: GLib's own thread reaps, and a thread that
 * was joined is listed until the kernel has forgotten it. */
#define PATIENCE_US (10 * G_USEC_PER_SEC)
#define STEP_US 500

/* In the environment of all that a test program starts, and so of what that starts, whoever its
 * parent is. */
#define MARK_VARIABLE "PROCFUN_TEST_PROGRAM"

#define THREAD_WORD "thread "
#define FILE_WORDS "temporary file "

typedef struct
{
  GTestFunc func;
  GTestDataFunc data_func;
  gconstpointer data;
} Test;

typedef struct
{
  GPtrArray *before; /* (element-type utf8) */
} Fixture;

static gint64 patience = PATIENCE_US;
static char *temporary_folder;
static char *mark;

/* Looking around: each kind of thing as text that also says what it is to a person. */

typedef char *(*DescribeFunc) (const char *folder, const char *name);

static void
look_into (GPtrArray *found, const char *folder, DescribeFunc describe)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      char *description = describe (folder, name);

      if (description != NULL)
        g_ptr_array_add (found, description);
    }
}

static char *
describe_descriptor (const char *folder, const char *name)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  g_autofree char *target = g_file_read_link (path, NULL);

  /* The folder that is being read is open, too. */
  if (target == NULL || (g_str_has_prefix (target, "/proc/") && g_str_has_suffix (target, "/fd")))
    return NULL;
  return g_strdup_printf ("descriptor %s: %s", name, target);
}

static char *
read_file (const char *folder, const char *name, const char *file, gsize *size)
{
  g_autofree char *path = g_build_filename (folder, name, file, NULL);
  char *text;

  return g_file_get_contents (path, &text, size, NULL) ? text : NULL;
}

static char *
describe_thread (const char *folder, const char *name)
{
  return g_strconcat (THREAD_WORD, name, NULL);
}

static char *
describe_file (const char *folder, const char *name)
{
  return g_strdup_printf (FILE_WORDS "%s/%s", folder, name);
}

static gboolean
has_mark (const char *name)
{
  gsize size;
  g_autofree char *environment = read_file ("/proc", name, "environ", &size);

  return environment != NULL && memmem (environment, size, mark, strlen (mark)) != NULL;
}

/* proc(5): "PID (NAME) STATE PARENT …", where NAME may hold anything. */
static gboolean
is_child (const char *name, char *state)
{
  gsize size;
  g_autofree char *stat = read_file ("/proc", name, "stat", &size);
  const char *rest = stat != NULL ? strrchr (stat, ')') : NULL;
  int parent;

  return rest != NULL && sscanf (rest, ") %c %d", state, &parent) == 2 && parent == getpid ();
}

static char *
describe_process (const char *folder, const char *name)
{
  g_autofree char *command_line = NULL;
  gsize size = 0;
  char state = 'R';

  if (!g_ascii_isdigit (name[0]) || atoi (name) == getpid ()
      || (!is_child (name, &state) && !has_mark (name)))
    return NULL;
  if (state == 'Z')
    return g_strdup_printf ("zombie %s", name);
  command_line = read_file (folder, name, "cmdline", &size);
  for (gsize i = 0; i + 1 < size; i++)
    if (command_line[i] == '\0')
      command_line[i] = ' ';
  return g_strdup_printf ("process %s: %s", name, command_line != NULL ? command_line : "");
}

static void
look_at_mappings (GPtrArray *found)
{
  gsize size;
  g_autofree char *text = read_file ("/proc", "self", "maps", &size);
  g_auto (GStrv) lines = g_strsplit (text != NULL ? text : "", "\n", -1);

  for (gsize i = 0; lines[i] != NULL; i++)
    if (strstr (lines[i], "/memfd:") != NULL || strstr (lines[i], "/dev/shm/") != NULL)
      g_ptr_array_add (found, g_strdup_printf ("shared memory %s", lines[i]));
}

static GPtrArray *
read_inherited_state (void)
{
  GPtrArray *found = g_ptr_array_new_with_free_func (g_free);

  look_into (found, "/proc/self/fd", describe_descriptor);
  look_into (found, "/proc/self/task", describe_thread);
  look_into (found, "/proc", describe_process);
  look_into (found, temporary_folder, describe_file);
  look_at_mappings (found);
  return found;
}

/* Things that are there now and were not before. */
static GPtrArray *
find_left (GPtrArray *before)
{
  GPtrArray *left = read_inherited_state ();

  for (guint i = left->len; i > 0; i--)
    if (g_ptr_array_find_with_equal_func (before, left->pdata[i - 1], g_str_equal, NULL))
      g_ptr_array_remove_index_fast (left, i - 1);
  return left;
}

static guint
count (const char *folder, DescribeFunc describe)
{
  g_autoptr (GPtrArray) found = g_ptr_array_new_with_free_func (g_free);

  look_into (found, folder, describe);
  return found->len;
}

guint
fixture_count_descriptors (void)
{
  return count ("/proc/self/fd", describe_descriptor);
}

GArray *
fixture_take_descriptors (guint n)
{
  GArray *taken = g_array_new (FALSE, FALSE, sizeof (int));
  int fd;

  while ((fd = fcntl (STDERR_FILENO, F_DUPFD_CLOEXEC, 0)) >= 0)
    g_array_append_val (taken, fd);
  for (; n > 0 && taken->len > 0; n--)
    {
      close (g_array_index (taken, int, taken->len - 1));
      g_array_set_size (taken, taken->len - 1);
    }
  return taken;
}

void
fixture_give_descriptors_back (GArray *taken)
{
  for (guint i = 0; i < taken->len; i++)
    close (g_array_index (taken, int, i));
  g_array_unref (taken);
}

guint
fixture_count_processes (void)
{
  return count ("/proc", describe_process);
}

/* Around each test */

static void
on_alarm (int signum)
{
  static const char text[] = "Bail out! The test hangs\n";

  if (write (STDOUT_FILENO, text, sizeof text - 1) > 0)
    abort ();
  _exit (1);
}

/* An emulated processor needs more time. */
static guint
get_watchdog_seconds (void)
{
  const char *text = g_getenv ("PROCFUN_TEST_SECONDS");

  return text != NULL ? (guint)g_ascii_strtoull (text, NULL, 10) : WATCHDOG_SECONDS;
}

static void
set_up (Fixture *fixture, gconstpointer test)
{
  alarm (get_watchdog_seconds ());
  fixture->before = read_inherited_state ();
}

static void
run (Fixture *fixture, gconstpointer user_data)
{
  const Test *test = user_data;

  if (test->func != NULL)
    test->func ();
  else
    test->data_func (test->data);
}

static GPtrArray *
wait_until_nothing_is_left (GPtrArray *before)
{
  gint64 end = g_get_monotonic_time () + patience;
  GPtrArray *left;

  while ((left = find_left (before))->len > 0 && g_get_monotonic_time () < end)
    {
      g_ptr_array_unref (left);
      g_usleep (STEP_US);
    }
  return left;
}

/* A thread gets its name after it has begun, so the name is not what it is known by. */
static void
report (const char *left)
{
  g_autofree char *name = NULL;
  gsize size;

  if (g_str_has_prefix (left, THREAD_WORD))
    name = read_file ("/proc/self/task", left + strlen (THREAD_WORD), "comm", &size);
  g_printerr ("# left behind: %s %s\n", left, name != NULL ? g_strchomp (name) : "");
  g_test_fail_printf ("left behind: %s %s", left, name != NULL ? name : "");
}

static void
remove_it (const char *left)
{
  int pid;

  if (sscanf (left, "process %d", &pid) == 1)
    kill (pid, SIGKILL);
  else if (g_str_has_prefix (left, FILE_WORDS))
    g_remove (left + strlen (FILE_WORDS));
}

/* It keeps a process between calls until it is closed. */
static void
close_default_executor (void)
{
  g_autoptr (GError) error = NULL;

  procfun_executor_close (procfun_executor_get_default (), NULL, &error);
  g_assert_no_error (error);
  procfun_executor_set_default (NULL);
}

/* On stderr, too: of a test that runs in a program of its own the rest is not seen. */
static void
tear_down (Fixture *fixture, gconstpointer test)
{
  g_autoptr (GPtrArray) left = NULL;

  close_default_executor ();
  left = wait_until_nothing_is_left (fixture->before);
  for (guint i = 0; i < left->len; i++)
    {
      report (left->pdata[i]);
      remove_it (left->pdata[i]);
    }
  g_clear_pointer (&fixture->before, g_ptr_array_unref);
  alarm (0);
}

static void
add (const char *path, const Test *test)
{
  /* g_test_add() cannot free it, and LeakSanitizer sees it through this list. */
  static GPtrArray *tests;

  if (tests == NULL)
    tests = g_ptr_array_new ();
  g_ptr_array_add (tests, g_memdup2 (test, sizeof *test));
  g_test_add (path, Fixture, tests->pdata[tests->len - 1], set_up, run, tear_down);
}

void
fixture_add_func (const char *path, GTestFunc func)
{
  const Test test = { .func = func };

  add (path, &test);
}

void
fixture_add_data_func (const char *path, gconstpointer data, GTestDataFunc func)
{
  const Test test = { .data_func = func, .data = data };

  add (path, &test);
}

void
fixture_set_patience (gint64 usec)
{
  patience = usec;
}

/* Around the program */

/* The sanitizers' own names for what they are to do. Functions that crash are to do so by their
 * signal, and more memory than there is must be an error of malloc(). */
#define LEAVE_SIGNALS "handle_segv=0:handle_abort=0:handle_sigill=0:handle_sigbus=0:handle_sigfpe=0"

const char *__asan_default_options (void);
const char *__tsan_default_options (void);
const char *__ubsan_default_options (void);

const char *
__asan_default_options (void)
{
  return LEAVE_SIGNALS ":allocator_may_return_null=1";
}

const char *
__tsan_default_options (void)
{
  return LEAVE_SIGNALS ":allocator_may_return_null=1:ignore_noninstrumented_modules=1";
}

const char *
__ubsan_default_options (void)
{
  return LEAVE_SIGNALS;
}

/* Forks */

pid_t
fixture_fork (void)
{
  pid_t pid = fork ();

  g_assert_cmpint (pid, >=, 0);
  if (pid == 0)
    alarm (60);
  return pid;
}

/* A leak checker would miss what other threads of the program had, which the fork has not. */
void
fixture_exit_fork (gboolean succeeded)
{
  if (succeeded)
    execlp ("true", "true", NULL);
  _exit (1);
}

void
fixture_wait_for_fork (pid_t pid)
{
  int status;

  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  g_assert_cmpint (status, ==, 0);
}

/* Functions of their runtimes, which are there or are not. */
extern void __sanitizer_print_stack_trace (void) __attribute__ ((weak));
extern void __asan_init (void) __attribute__ ((weak));
extern void __tsan_init (void) __attribute__ ((weak));

gboolean
fixture_has_sanitizers (void)
{
  return __sanitizer_print_stack_trace != NULL;
}

gboolean
fixture_has_address_sanitizer (void)
{
  return __asan_init != NULL;
}

gboolean
fixture_has_thread_sanitizer (void)
{
  return __tsan_init != NULL;
}

gboolean
fixture_has_pidfds (void)
{
  const int fd = (int)syscall (SYS_pidfd_open, getpid (), 0);

  if (fd >= 0)
    close (fd);
  return fd >= 0;
}

/* GLib keeps a thread and descriptors from its first GSubprocess on, and of the default main
 * context. */
static void
warm_up (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GSubprocess) subprocess
      = g_subprocess_new (G_SUBPROCESS_FLAGS_INHERIT_FDS, &error, "true", NULL);

  g_assert_no_error (error);
  g_subprocess_wait_check (subprocess, NULL, &error);
  g_assert_no_error (error);
  while (g_main_context_iteration (NULL, FALSE))
    ;
}

static void
make_temporary_folder (void)
{
  const char *base = g_getenv ("TMPDIR");

  temporary_folder = g_build_filename (base != NULL ? base : "/tmp", "procfun-test-XXXXXX", NULL);
  g_assert_nonnull (g_mkdtemp (temporary_folder));
  g_setenv ("TMPDIR", temporary_folder, TRUE);
}

static void
make_mark (void)
{
  mark = g_strdup_printf (MARK_VARIABLE "=%d.%" G_GINT64_FORMAT, (int)getpid (),
                          g_get_monotonic_time ());
  g_setenv (MARK_VARIABLE, mark + sizeof MARK_VARIABLE, TRUE);
}

/* Preferences of the person who runs the tests. A test that starts itself again keeps what it sets.
 * */
static void
forget_preferences (void)
{
  static const char *const names[]
      = { "PROCFUN_EXECUTOR", "PROCFUN_CODEC",        "PROCFUN_TIMEOUT",
          "PROCFUN_DEBUG",    "PROCFUN_COMMAND_LINE", "PROCFUN_MONITOR" };

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    g_unsetenv (names[i]);
}

/* A test in a program of its own has what the program that started it made, which looks after it.
 */
void
fixture_init (int *argc, char ***argv)
{
  tsan_init ();
  g_test_init (argc, argv, NULL);
  signal (SIGALRM, on_alarm);
  if (g_test_subprocess ())
    {
      temporary_folder = g_strdup (g_getenv ("TMPDIR"));
      mark = g_strconcat (MARK_VARIABLE "=", g_getenv (MARK_VARIABLE), NULL);
    }
  else
    {
      make_temporary_folder ();
      make_mark ();
      forget_preferences ();
    }
  g_setenv ("G_DEBUG", "fatal-warnings", FALSE);
  warm_up ();
}

int
fixture_run (void)
{
  int status = g_test_run ();

  if (!g_test_subprocess ())
    g_rmdir (temporary_folder);
  g_clear_pointer (&temporary_folder, g_free);
  g_clear_pointer (&mark, g_free);
  return status;
}
