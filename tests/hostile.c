/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "tests/hostile.h"

#include "procfun/platform/landlock.h"
#include "tests/calls.h"
#include "tests/deaths.h"
#include "tests/fixture.h"
#include "tests/left-settings.h"

#include <fcntl.h>
#include <gio/gunixfdlist.h>
#include <string.h>
#include <unistd.h>

#define GRACE_US 20000
#define N_WORKERS 4

#define END HOSTILE_ENDS
#define RETURNS HOSTILE_RETURNS

/* The answer may still come, through shared memory. */
#define CLOSED_IN_POOL (END (EXITED) | END (PROTOCOL) | RETURNS)

static const Hostile table[] = {
  /* Crashes */
  { "read-null", "die_of", "('read_null', false)", END (CRASHED) },
  { "read-null-in-thread", "die_of", "('read_null', true)", END (CRASHED) },
  { "write-constant", "die_of", "('write_constant', false)", END (CRASHED) },
  { "call-null", "die_of", "('call_null', false)", END (CRASHED) },
  { "overflow-stack", "die_of", "('overflow_stack', false)", END (CRASHED) },
  { "overflow-stack-in-thread", "die_of", "('overflow_stack', true)", END (CRASHED) },
  { "crash-in-all-threads", "die_of", "('crash_in_all_threads', false)", END (CRASHED) },
  { "abort", "die_of", "('call_abort', false)", END (CRASHED) },
  { "g_assert", "die_of", "('fail_g_assert', false)", END (CRASHED) },
  { "g_error", "die_of", "('log_g_error', false)", END (CRASHED) },
  { "free-twice", "die_of", "('free_twice', false)", END (CRASHED) },
  { "smash-heap", "die_of", "('smash_heap', false)", END (CRASHED) },
  { "smash-stack", "die_of", "('smash_stack', false)", END (CRASHED) },
  { "read-behind-file", "die_of", "('read_behind_file', false)", END (CRASHED) },
  { "divide-by-zero", "die_of", "('divide_by_zero', false)", END (CRASHED) },
  { "no-instruction", "die_of", "('run_no_instruction', false)", END (CRASHED) },
  { "forbidden-call", "die_of", "('use_forbidden_call', false)", END (CRASHED) },
  { "throw", "die_of", "('throw_exception', false)", END (CRASHED) },
  { "replace-report", "die_of", "('replace_report', false)", END (CRASHED) },
  { "outlive-crash", "die_of", "('outlive_crash', false)", END (CRASHED) | END (TIMED_OUT) },
  { "raise-term", "do_raise", "(15,)", END (CRASHED) },
  { "raise-pipe", "do_raise", "(13,)", END (CRASHED) },
  { "raise-kill", "do_raise", "(9,)", END (KILLED) },
  { "kill-group", "do_kill_group", "()", END (KILLED) },
  { "alarm", "do_wait_for_alarm", "()", END (CRASHED) },
  { "jump-nowhere", "do_jump_nowhere", "()", END (CRASHED), .is_natural = TRUE },
  { "unmap-libraries", "do_unmap_libraries", "()", END (CRASHED), .is_natural = TRUE },
  { "huge-stack", "do_take_stack", "(uint64 1073741824,)", END (CRASHED), .is_natural = TRUE },

  /* Ends that are none of a function */
  { "exit", "do_exit", "(0,)", END (EXITED) },
  { "exit-at-once", "do_exit_at_once", "(0,)", END (EXITED) },
  { "exit-in-thread", "do_exit_in_thread", "(3,)", END (EXITED) },
  { "execute", "do_execute", "('/bin/true',)", END (EXITED) },
  { "end-thread", "do_end_thread", "()", END (EXITED) | END (CRASHED) },
  { "handle-crash", "die_of", "('handle_itself', false)", END (EXITED) },

  /* No end */
  { "spin", "die_of", "('spin', false)", END (TIMED_OUT) },
  { "spin-in-thread", "die_of", "('spin', true)", END (TIMED_OUT) },
  { "spin-with-cpu-limit", "die_of", "('spin', false)", END (CPU_LIMIT), .limits = "cpu=30ms" },
  { "three-threads", "die_of", "('take_long', false)", END (TIMED_OUT) },
  { "sleep", "do_stay", "(handle 0,)", END (TIMED_OUT) },
  { "stop-itself", "do_stop", "(handle 0,)", END (TIMED_OUT) },
  { "ignore-signals", "do_ignore_signals", "(handle 0,)", END (TIMED_OUT) },
  { "be-traced", "do_be_traced", "(19,)", END (TIMED_OUT) },
  { "be-traced-and-die", "do_be_traced", "(15,)", END (TIMED_OUT) },
  { "hide", "do_hide", "()", END (TIMED_OUT) },
  { "leave-lock", "do_leave_lock", "()", END (TIMED_OUT) },
  { "execute-for-ever", "do_execute", "('/usr/bin/yes',)", END (TIMED_OUT) },
  { "read-stdin", "do_read_stdin", "()", RETURNS },

  /* Processes and threads */
  { "leave-child", "do_leave_child", "()", RETURNS },
  { "leave-child-and-crash", "do_leave_child_and_crash", "()", END (CRASHED) },
  { "leave-program", "do_leave_program", "()", RETURNS },
  { "leave-orphan", "do_leave_orphan", "()", RETURNS },
  { "leave-daemon", "do_leave_daemon", "()", RETURNS },
  { "leave-printers", "do_leave_printers", "()", END (EXITED) },
  { "leave-printers-to-caller", "do_leave_printers", "()", END (EXITED), .captures = TRUE },
  { "hand-descriptors-on", "do_hand_descriptors_on", "()", RETURNS },
  { "crash-in-fork", "die_of", "('crash_in_fork', false)", END (EXITED) },
  { "exit-in-fork", "do_fork_and_exit", "(3,)", RETURNS },
  { "return-twice", "do_fork_and_return_twice", "()", RETURNS },
  { "vfork", "do_vfork_and_stay", "()", END (TIMED_OUT) },
  { "multiply", "do_multiply", "(5, false)", RETURNS },
  { "multiply-and-stay", "do_multiply", "(7, true)", END (TIMED_OUT) },
  { "fork-without-end", "do_fork_without_end", "(300,)", END (TIMED_OUT) },
  { "fork-over-limit", "do_fork_without_end", "(300,)", END (TIMED_OUT) | END (SANDBOX),
    .limits = "processes=20" },
  { "leave-thread", "do_leave_thread", "()", RETURNS },
  { "many-threads", "do_start_threads", "(500,)", END (TIMED_OUT) },
  { "stop-parent", "do_stop_parent", "(%d,)", RETURNS },
  { "kill-caller-in-sandbox", "do_kill", "(%d,)", RETURNS, .sandbox = PROCFUN_SANDBOX_NO_NETWORK },

  /* Memory and descriptors */
  { "malloc", "die_of", "('run_out_of_malloc', false)", END (MEMORY_LIMIT),
    .limits = "memory=64M" },
  { "g_malloc", "die_of", "('run_out_of_g_malloc', false)", END (MEMORY_LIMIT),
    .limits = "memory=64M" },
  { "malloc-little", "do_take_little", "()", END (MEMORY_LIMIT), .limits = "memory=64M",
    .is_natural = TRUE },
  { "mmap", "die_of", "('run_out_of_mmap', false)", END (MEMORY_LIMIT), .limits = "memory=64M" },
  { "own-memory-limit", "die_of", "('use_up_memory', false)", END (CRASHED), .is_natural = TRUE },
  { "memfd", "do_take_memfd", "(67108864,)", RETURNS },
  { "files", "die_of", "('run_out_of_files', false)", END (LIMIT), .limits = "files=32" },
  { "fill-descriptors", "do_fill_descriptors", "()", RETURNS },
  { "file-size", "die_of", "('write_large_file', false)", END (LIMIT), .limits = "file-size=100K" },
  { "own-cpu-limit", "die_of", "('write_beyond_limit', false)", END (CRASHED) },

  /* Floods */
  { "print", "do_print_for_ever", "(1, 0x0a)", END (TIMED_OUT) },
  { "print-to-caller", "do_print_for_ever", "(1, 0x0a)", END (TIMED_OUT), .captures = TRUE },
  { "print-one-line", "do_print_for_ever", "(1, 0x78)", END (TIMED_OUT), .captures = TRUE },
  { "print-one-line-of-zeros", "do_print_for_ever", "(2, 0x00)", END (TIMED_OUT),
    .captures = TRUE },
  { "print-over-limit", "die_of", "('print_for_ever', false)", END (LIMIT),
    .limits = "output=100K" },
  { "progress", "do_report_for_ever", "(10,)", END (TIMED_OUT) },
  { "progress-long", "do_report_for_ever", "(1000000,)", END (TIMED_OUT) },
  { "progress-forged", "do_send_for_ever", "(8, 0)", END (TIMED_OUT) | END (PROTOCOL) },
  { "wakes-forged", "do_send_for_ever", "(20, 0)", END (TIMED_OUT) | END (PROTOCOL) },
  { "answers-to-nobody", "do_send_for_ever", "(8, 4294967295)", END (TIMED_OUT) | END (PROTOCOL) },
  { "items", "do_yield_for_ever", "(10,)", END (TIMED_OUT), .generates = TRUE },
  { "items-large", "do_yield_for_ever", "(1000000,)", END (TIMED_OUT), .generates = TRUE },
  { "items-none", "do_yield_nothing", "()", END (TIMED_OUT), .generates = TRUE },
  { "items-and-crash", "misfortunes", "('crash', 3)", END (CRASHED), .generates = TRUE },
  { "error-huge", "do_fail_at_length", "(50000000,)", HOSTILE_FAILS },

  /* Results */
  { "result-over-limit", "make_bytes", "(10000000,)", END (LIMIT), .limits = "result=10K" },
  { "result-null", "do_return_null", "()", END (ENCODE) },
  { "result-latin1", "do_return_latin1", "()", END (ENCODE) },
  { "result-freed", "do_return_freed", "()", END (CRASHED) | END (ENCODE), .is_natural = TRUE },
  { "result-nan", "echo_double", "(nan,)", RETURNS },
  { "result-forged-short", "do_forge_result", "(0,)", END (DECODE) | END (PROTOCOL),
    END (DECODE) | END (PROTOCOL) | RETURNS },
  { "result-forged-long", "do_forge_result", "(1000,)", END (PROTOCOL) | END (DECODE),
    END (DECODE) | END (PROTOCOL) | RETURNS },

  /* The channel */
  { "garbage", "do_write_to_channel", "(b'this is no frame at all, of none of the types',)",
    END (PROTOCOL), .lingers = TRUE },
  { "garbage-and-crash", "do_write_to_channel_and_crash",
    "(b'this is no frame at all, of none of the types',)", END (PROTOCOL) },
  { "half-a-header", "do_write_to_channel", "([byte 0xf5, 0x01],)", END (PROTOCOL),
    .lingers = TRUE },
  { "half-a-header-and-crash", "do_write_to_channel_and_crash", "([byte 0xf5, 0x01],)",
    END (PROTOCOL) | END (CRASHED) },
  { "descriptors-in-frame", "do_send_descriptors", "()", END (PROTOCOL) },
  { "close-channel", "do_close_channel", "()", END (EXITED), CLOSED_IN_POOL },
  { "shut-channel-down", "do_shut_channel_down", "()", END (EXITED), CLOSED_IN_POOL },
  { "close-all", "do_close_all", "()", END (EXITED), CLOSED_IN_POOL },
  { "close-all-and-stay", "do_close_all_and_stay", "()", END (PROTOCOL) | END (TIMED_OUT) },
  { "close-all-and-crash", "do_close_all_and_crash", "()", END (CRASHED) },

  /* Others */
  { "interrupt-itself", "do_interrupt_itself", "()", RETURNS },
  { "leak", "do_leak", "(100000000,)", RETURNS },
};

static void
add_setting (GArray *list, const char *path, const char *function, gsize i)
{
  g_autofree char *arguments = g_strdup_printf ("(%d,)", (int)i);
  const Hostile hostile = {
    .name = path, .function = function, .arguments = g_intern_string (arguments), .ends = RETURNS
  };

  g_array_append_val (list, hostile);
}

GArray *
hostile_list (void)
{
  GArray *list = g_array_new (FALSE, FALSE, sizeof (Hostile));

  g_array_append_vals (list, table, G_N_ELEMENTS (table));
  for (gsize i = 0; i < n_restored_settings; i++)
    add_setting (list, restored_settings[i].path, "change_restored", i);
  for (gsize i = 0; i < n_found_settings; i++)
    if (!found_settings[i].needs_root || getuid () == 0)
      add_setting (list, found_settings[i].path, "change_found", i);
  return list;
}

/* Executors */

static ProcfunExecutor *
make_spawner (void)
{
  return PROCFUN_EXECUTOR (procfun_spawner_new ());
}

static ProcfunExecutor *
make_fork_server (void)
{
  return PROCFUN_EXECUTOR (procfun_fork_server_new ());
}

static ProcfunExecutor *
make_pool (void)
{
  return PROCFUN_EXECUTOR (procfun_pool_new (N_WORKERS));
}

static ProcfunExecutor *
make_pool_with_flights (void)
{
  ProcfunPool *pool = procfun_pool_new (N_WORKERS);

  procfun_pool_set_calls_in_flight (pool, 4);
  return PROCFUN_EXECUTOR (pool);
}

static const struct
{
  const char *name;
  ProcfunExecutor *(*make) (void);
  gboolean keeps; /* processes */
} executors[HOSTILE_N_EXECUTORS] = { { "spawner", make_spawner },
                                     { "fork-server", make_fork_server },
                                     { "pool", make_pool, TRUE },
                                     { "pool-in-flight", make_pool_with_flights, TRUE } };

const char *
hostile_get_executor_name (guint i)
{
  return executors[i].name;
}

ProcfunExecutor *
hostile_new_executor (guint i)
{
  return executors[i].make ();
}

guint
hostile_get_ends (const Hostile *self, guint i)
{
  return executors[i].keeps && self->ends_in_pool != 0 ? self->ends_in_pool : self->ends;
}

const char *
hostile_get_obstacle (const Hostile *self, guint i)
{
  g_autofree char *death = NULL;

  if (self->lingers && executors[i].keeps)
    return "the worker may answer otherwise, and then its next call meets this";
  if (self->sandbox != PROCFUN_SANDBOX_NONE && fixture_has_sanitizers ())
    return "sanitizers open files of their own in the process of the function";
  if (self->sandbox != PROCFUN_SANDBOX_NONE && landlock_get_version () < LANDLOCK_SCOPE_VERSION)
    return "this kernel keeps no process from killing others";
  if (self->is_natural && fixture_has_sanitizers ())
    return "the sanitizers see it first, or have memory and signals go through themselves";
  if (!g_str_equal (self->function, "die_of"))
    return NULL;
  death = g_strndup (self->arguments + 2, strcspn (self->arguments + 2, "'"));
  return deaths_get_obstacle (death);
}

/* Calls */

static ProcfunCall *
make_call (const Hostile *self, ProcfunExecutor *executor, gint64 timeout)
{
  g_auto (GStrv) parts = g_strsplit (self->arguments, "%d", -1);
  g_autofree char *pid = g_strdup_printf ("%d", (int)getpid ());
  g_autofree char *arguments = g_strjoinv (pid, parts);
  ProcfunCall *call = calls_new (self->function, arguments);
  g_autoptr (ProcfunLimits) limits = NULL;
  g_autoptr (GError) error = NULL;

  if (self->limits != NULL)
    limits = procfun_limits_new_from_string (self->limits, &error);
  g_assert_no_error (error);
  procfun_call_set_executor (call, executor);
  procfun_call_set_limits (call, limits);
  procfun_call_set_grace_period (call, GRACE_US);
  if (self->sandbox != PROCFUN_SANDBOX_NONE)
    procfun_call_set_sandbox (call, self->sandbox);
  if ((self->ends & END (TIMED_OUT)) != 0)
    procfun_call_set_timeout (call, timeout);
  for (ProcfunStream stream = PROCFUN_STREAM_STDOUT; stream <= PROCFUN_STREAM_STDERR; stream++)
    procfun_call_set_output_mode (call, stream,
                                  self->captures ? PROCFUN_OUTPUT_CAPTURE : PROCFUN_OUTPUT_DISCARD);
  return call;
}

/* The function writes to it when it is ready. */
static void
add_descriptor (ProcfunCall *call)
{
  g_autoptr (GUnixFDList) list = g_unix_fd_list_new ();
  const int fd = open ("/dev/null", O_WRONLY | O_CLOEXEC);

  g_assert_cmpint (g_unix_fd_list_append (list, fd, NULL), ==, 0);
  close (fd);
  procfun_call_set_fd_list (call, list);
}

static void
keep_result (GObject *source, GAsyncResult *result, gpointer user_data)
{
  *(GAsyncResult **)user_data = g_object_ref (result);
}

static GVariant *
await_item (ProcfunCall *call, GError **error)
{
  g_autoptr (GMainContext) context = g_main_context_ref_thread_default ();
  g_autoptr (GAsyncResult) result = NULL;

  procfun_call_next_async (call, NULL, keep_result, &result);
  while (result == NULL)
    g_main_context_iteration (context, TRUE);
  return procfun_call_next_finish (call, result, error);
}

static GVariant *
take_items (ProcfunCall *call, gboolean async, GError **error)
{
  GVariant *item;

  while ((item = async ? await_item (call, error) : procfun_call_next (call, NULL, error)) != NULL)
    g_variant_unref (item);
  return *error == NULL ? g_variant_ref_sink (g_variant_new ("()")) : NULL;
}

static GVariant *
await_result (ProcfunCall *call, GError **error)
{
  g_autoptr (GAsyncResult) result = calls_await (call, NULL);

  return procfun_call_run_finish (call, result, error);
}

guint
hostile_run (const Hostile *self, ProcfunExecutor *executor, gboolean async, gint64 timeout,
             char **text)
{
  g_autoptr (ProcfunCall) call = make_call (self, executor, timeout);
  g_autoptr (GVariant) result = NULL;
  g_autoptr (GError) error = NULL;

  if (strstr (self->arguments, "handle") != NULL)
    add_descriptor (call);
  if (self->generates)
    result = take_items (call, async, &error);
  else
    result = async ? await_result (call, &error) : procfun_call_run (call, NULL, &error);
  *text = error != NULL ? g_strndup (error->message, 200) : g_variant_print (result, FALSE);
  if (error == NULL)
    return HOSTILE_RETURNS;
  return error->domain == PROCFUN_ERROR ? 1u << error->code : HOSTILE_FAILS;
}
