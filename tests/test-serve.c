/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The child's side alone: this program starts itself as a caller would, and speaks to it frame by
 * frame, also as no caller would. */

#include "tests/calls.h"
#include "tests/fixture.h"
#include "tests/functions.h"
#include "tests/misdeeds.h"

#include "procfun/platform/fds.h"
#include "procfun/procfun-function-private.h"
#include "procfun/wire/channel.h"
#include "procfun/wire/error.h"
#include "procfun/wire/setup.h"
#include <gio/gunixfdlist.h>
#include <signal.h>
#include <string.h>

typedef struct
{
  GSubprocess *process;
  Channel *channel;
  int lifeline;
} Child;

static void
start_with (Child *child, const char *hash, const char *name, const char *arguments)
{
  g_autoptr (GSubprocessLauncher) launcher
      = g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_INHERIT_FDS);
  g_autofree char *program = g_file_read_link ("/proc/self/exe", NULL);
  g_autofree char *serve = g_strconcat (SETUP_ARGUMENT_PREFIX, hash, NULL);
  const char *const argv[] = { program, serve, name, arguments, NULL };
  g_autoptr (GError) error = NULL;
  int channel[2], lifeline[2];

  g_assert_true (fds_open_socketpair (channel, NULL) && fds_open_pipe (lifeline, NULL));
  g_subprocess_launcher_take_fd (launcher, channel[1], SETUP_CHANNEL_FD);
  g_subprocess_launcher_take_fd (launcher, lifeline[0], SETUP_LIFELINE_FD);
  child->process = g_subprocess_launcher_spawnv (launcher, argv, &error);
  g_assert_no_error (error);
  g_subprocess_launcher_close (launcher);
  child->channel = channel_new (channel[0], 1024 * 1024);
  child->lifeline = lifeline[1];
}

static void
start (Child *child, ProcfunFunction *function)
{
  start_with (child, procfun_function_get_hash (function), procfun_function_get_name (function),
              NULL);
}

/* What comes next: a frame of this type. (transfer full) */
static GBytes *
receive (Child *child, FrameType type, guint32 call_id)
{
  Frame frame = { 0 };
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (channel_receive_blocking (child->channel, &frame, &error), ==, CHANNEL_FRAME);
  g_assert_cmpint (frame.type, ==, type);
  g_assert_cmpuint (frame.call_id, ==, call_id);
  g_assert_null (frame.fds);
  return frame.payload;
}

static void
receive_hello (Child *child)
{
  g_autoptr (GBytes) identity = receive (child, FRAME_HELLO, 0);

  g_assert_cmpuint (g_bytes_get_size (identity), >, 0);
}

static void
receive_text (Child *child, guint32 call_id, const char *expected)
{
  g_autoptr (GBytes) bytes = receive (child, FRAME_RESULT, call_id);

  g_assert_cmpmem (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), expected,
                   strlen (expected));
}

static void
receive_error (Child *child, guint32 call_id, gint code, const char *pattern)
{
  g_autoptr (GBytes) bytes = receive (child, FRAME_ERROR, call_id);
  g_autoptr (GError) error = error_from_bytes (bytes);

  calls_check_error (error, PROCFUN_ERROR, code, pattern);
}

/* The process ends by itself, without another word. */
static void
assert_ends (Child *child)
{
  g_auto (Frame) frame = { 0 };
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (channel_receive_blocking (child->channel, &frame, NULL), ==, CHANNEL_END);
  g_subprocess_wait_check (child->process, NULL, &error);
  g_assert_no_error (error);
  g_object_unref (child->process);
  channel_free (child->channel);
  close (child->lifeline);
}

static void
end (Child *child)
{
  channel_end_output (child->channel);
  assert_ends (child);
}

static Setup
make_setup (void)
{
  const Module *module = procfun_function_get_loaded_module (add_function ());
  const Setup setup = { "json", module->identity, 1, FALSE, 1024, "C" };

  return setup;
}

static void
send_setup (Child *child, const Setup *setup)
{
  g_autoptr (GBytes) bytes = setup_to_bytes (setup);

  channel_send (child->channel, FRAME_SETUP, 0, NULL, 0, bytes, NULL);
  channel_flush_blocking (child->channel);
}

static void
send_call (Child *child, ProcfunFunction *function, guint32 call_id, const char *json)
{
  const FrameCall head = { .hash = procfun_function_get_hash_number (function) };
  g_autoptr (GBytes) arguments = g_bytes_new (json, strlen (json));

  channel_send (child->channel, FRAME_CALL, call_id, &head, sizeof head, arguments, NULL);
  channel_flush_blocking (child->channel);
}

/* Greeted and set up as by a caller. */
static void
start_properly (Child *child, ProcfunFunction *function)
{
  const Setup setup = make_setup ();

  start (child, function);
  receive_hello (child);
  send_setup (child, &setup);
}

static void
test_call (void)
{
  Child child;

  start_properly (&child, add_function ());
  send_call (&child, add_function (), 7, "[1, 2]");
  receive_text (&child, 7, "3");
  end (&child);
}

/* One after the other, with errors between them; each answer has its call's number. */
static void
test_calls (void)
{
  Child child;

  start_properly (&child, add_function ());
  for (guint32 i = 0; i < 20; i++)
    {
      g_autofree char *json = g_strdup_printf ("{\"b\": %u, \"a\": 0}", i);
      g_autofree char *expected = g_strdup_printf ("%u", i);

      send_call (&child, add_function (), i, json);
      receive_text (&child, i, expected);
      send_call (&child, add_function (), i, "[1, 2, 3]");
      receive_error (&child, i, PROCFUN_ERROR_DECODE, "*arguments of add()*");
    }
  end (&child);
}

/* All sent at once, and the end with it. */
static void
test_queued (void)
{
  Child child;

  start_properly (&child, add_function ());
  for (guint32 i = 0; i < 100; i++)
    send_call (&child, add_function (), i, "[1, 2]");
  channel_end_output (child.channel);
  for (guint32 i = 0; i < 100; i++)
    receive_text (&child, i, "3");
  assert_ends (&child);
}

static void
test_arguments_on_command_line (void)
{
  const Setup setup = make_setup ();
  Child child;

  start_with (&child, procfun_function_get_hash (add_function ()), "add", "[20, 3]");
  receive_hello (&child);
  send_setup (&child, &setup);
  send_call (&child, add_function (), 1, "");
  receive_text (&child, 1, "23");
  end (&child);
}

static void
test_nothing_asked (void)
{
  Child child;

  start (&child, add_function ());
  receive_hello (&child);
  end (&child);
}

/* What the caller takes for a function is none here, or another. */

static void
test_unknown (gconstpointer name)
{
  const Setup setup = make_setup ();
  Child child;

  start_with (&child, "0123456789abcdef", name, NULL);
  g_bytes_unref (receive (&child, FRAME_HELLO, 0));
  send_setup (&child, &setup);
  send_call (&child, add_function (), 1, "[1, 2]");
  receive_error (&child, 1, PROCFUN_ERROR_NOT_FOUND, "*()*0123456789abcdef*");
  end (&child);
}

static void
test_other_hash (void)
{
  Child child;

  start_properly (&child, add_function ());
  send_call (&child, nothing_function (), 1, "[]");
  receive_error (&child, 1, PROCFUN_ERROR_MISMATCH, "*add()*add(ii)i*");
  end (&child);
}

static void
test_other_build (void)
{
  Setup setup = make_setup ();
  Child child;

  setup.identity = "another";
  start (&child, add_function ());
  receive_hello (&child);
  send_setup (&child, &setup);
  receive_error (&child, 0, PROCFUN_ERROR_MISMATCH, "*add()*another build*");
  assert_ends (&child);
}

static void
test_unknown_codec (void)
{
  Setup setup = make_setup ();
  Child child;

  setup.codec = "morse";
  start (&child, add_function ());
  receive_hello (&child);
  send_setup (&child, &setup);
  receive_error (&child, 0, PROCFUN_ERROR_MISMATCH, "*morse*");
  assert_ends (&child);
}

/* Frames that no caller sends */

static void
test_no_setup (void)
{
  Child child;

  start (&child, add_function ());
  receive_hello (&child);
  send_call (&child, add_function (), 1, "[1, 2]");
  receive_error (&child, 1, PROCFUN_ERROR_PROTOCOL, "*cannot be read*");
  end (&child);
}

static void
test_short_call (void)
{
  g_autoptr (GBytes) few = g_bytes_new_static ("1234567", 7);
  Child child;

  start_properly (&child, add_function ());
  channel_send (child.channel, FRAME_CALL, 1, NULL, 0, NULL, NULL);
  channel_send (child.channel, FRAME_CALL, 2, NULL, 0, few, NULL);
  channel_flush_blocking (child.channel);
  receive_error (&child, 1, PROCFUN_ERROR_PROTOCOL, "*cannot be read*");
  receive_error (&child, 2, PROCFUN_ERROR_PROTOCOL, "*cannot be read*");
  end (&child);
}

/* Each beginning of a set-up, and something that was never one. */
static void
test_damaged_setup (void)
{
  const Setup setup = make_setup ();
  g_autoptr (GBytes) bytes = setup_to_bytes (&setup);

  for (gsize size = 0; size < g_bytes_get_size (bytes); size += 16)
    {
      g_autoptr (GBytes) part = g_bytes_new_from_bytes (bytes, 0, size);
      Child child;

      start (&child, add_function ());
      receive_hello (&child);
      channel_send (child.channel, FRAME_SETUP, 0, NULL, 0, part, NULL);
      channel_flush_blocking (child.channel);
      receive_error (&child, 0, PROCFUN_ERROR_PROTOCOL, "*set-up*");
      assert_ends (&child);
    }
}

static const char *const garbage[]
    = { "GET / HTTP/1.1\r\n\r\n", "\xf5\x63\x02", "\xf5\x01\xff\x00" };

static void
test_garbage (gconstpointer data)
{
  g_autofree char *text = g_strndup (data, 100);
  guint8 bytes[16] = { 0 };
  Child child;

  memcpy (bytes, text, MIN (strlen (text), sizeof bytes));
  start (&child, add_function ());
  receive_hello (&child);
  g_assert_cmpint (write (channel_get_fd (child.channel), bytes, sizeof bytes), ==, sizeof bytes);
  assert_ends (&child);
}

static void
test_answers_from_caller (void)
{
  Child child;

  start_properly (&child, add_function ());
  channel_send (child.channel, FRAME_RESULT, 0, NULL, 0, NULL, NULL);
  channel_flush_blocking (child.channel);
  assert_ends (&child);
}

/* The caller is gone while the function runs, and does not even read. */
static void
test_lifeline (void)
{
  g_autoptr (GUnixFDList) fds = g_unix_fd_list_new ();
  const FrameCall head = { .hash = procfun_function_get_hash_number (do_spin_function ()) };
  g_autoptr (GBytes) arguments = g_bytes_new_static ("[0]", 3);
  Child child;
  Signal signal;

  signal_open (&signal);
  g_unix_fd_list_append (fds, signal.ends[1], NULL);
  start_properly (&child, do_spin_function ());
  channel_send (child.channel, FRAME_CALL, 1, &head, sizeof head, arguments, fds);
  channel_flush_blocking (child.channel);
  signal_wait (&signal);
  close (child.lifeline);
  g_subprocess_wait (child.process, NULL, NULL);
  g_assert_true (g_subprocess_get_if_signaled (child.process));
  g_assert_cmpint (g_subprocess_get_term_sig (child.process), ==, SIGKILL);
  g_object_unref (child.process);
  channel_free (child.channel);
  signal_close (&signal);
}

int
main (int argc, char *argv[])
{
  fixture_init (&argc, &argv);

  fixture_add_func ("/serve/call", test_call);
  fixture_add_func ("/serve/calls", test_calls);
  fixture_add_func ("/serve/queued", test_queued);
  fixture_add_func ("/serve/arguments-on-command-line", test_arguments_on_command_line);
  fixture_add_func ("/serve/nothing-asked", test_nothing_asked);
  fixture_add_data_func ("/serve/unknown/hash", "add", test_unknown);
  fixture_add_data_func ("/serve/unknown/name", "no_such_function", test_unknown);
  fixture_add_func ("/serve/unknown/codec", test_unknown_codec);
  fixture_add_func ("/serve/other-hash", test_other_hash);
  fixture_add_func ("/serve/other-build", test_other_build);
  fixture_add_func ("/serve/no-setup", test_no_setup);
  fixture_add_func ("/serve/short-call", test_short_call);
  fixture_add_func ("/serve/damaged-setup", test_damaged_setup);
  for (gsize i = 0; i < G_N_ELEMENTS (garbage); i++)
    {
      g_autofree char *path = g_strdup_printf ("/serve/garbage/%" G_GSIZE_FORMAT, i);

      fixture_add_data_func (path, garbage[i], test_garbage);
    }
  fixture_add_func ("/serve/answers-from-caller", test_answers_from_caller);
  fixture_add_func ("/serve/lifeline", test_lifeline);
  return fixture_run ();
}
