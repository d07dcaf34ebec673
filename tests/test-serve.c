/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The callee's side of a channel whose caller goes away: however much of what it was to say has
 * come, the process ends by itself, and without a crash. */

#include "tests/calls.h"
#include "tests/fixture.h"
#include "tests/functions.h"

#include "procfun/process/request.h"
#include "procfun/wire/frame.h"
#include "procfun/wire/setup.h"
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void
open_socket (int ends[2])
{
  g_assert_no_errno (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends));
}

static GByteArray *
read_to_end (int fd)
{
  GByteArray *bytes = g_byte_array_new ();
  guint8 buffer[4096];
  gssize n;

  while ((n = read (fd, buffer, sizeof buffer)) > 0)
    g_byte_array_append (bytes, buffer, (guint)n);
  return bytes;
}

/* A caller's frames for add (1, 2): SETUP and CALL. */
static GByteArray *
record_request (void)
{
  const ExchangeOptions options = { .codec = procfun_codec_get_json (), .max_payload = 1 << 20 };
  g_autoptr (ProcfunCall) call = add_call (1, 2);
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) arguments = exchange_encode_arguments (call, &options, &error);
  g_auto (Worker) worker = WORKER_INIT;
  GByteArray *bytes;
  int ends[2];

  g_assert_no_error (error);
  open_socket (ends);
  worker.channel = channel_new (ends[0], 1 << 20);
  request_send (&worker, call, &options, FRAME_CALL_LAST, arguments);
  channel_out_flush (&worker.channel->out);
  worker_clear (&worker);
  bytes = read_to_end (ends[1]);
  close (ends[1]);
  return bytes;
}

static GSubprocess *
start_child (int channel_fd, int lifeline_fd, int report_fd)
{
  g_autoptr (GSubprocessLauncher) launcher
      = g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_STDERR_PIPE);
  g_autofree char *serve
      = g_strconcat (SETUP_ARGUMENT_PREFIX, procfun_function_get_hash (add_function ()), NULL);
  g_autofree char *path = g_file_read_link ("/proc/self/exe", NULL);
  g_autoptr (GError) error = NULL;
  GSubprocess *child;

  g_subprocess_launcher_take_fd (launcher, channel_fd, SETUP_CHANNEL_FD);
  g_subprocess_launcher_take_fd (launcher, lifeline_fd, SETUP_LIFELINE_FD);
  g_subprocess_launcher_take_fd (launcher, report_fd, SETUP_REPORT_FD);
  child = g_subprocess_launcher_spawn (launcher, &error, path, serve, "add", NULL);
  g_assert_no_error (error);
  return child;
}

/* The caller has said the first @n bytes, and no more comes: what does the child say? */
static GByteArray *
converse (const GByteArray *request, guint n)
{
  g_autoptr (GSubprocess) child = NULL;
  g_autoptr (GByteArray) report = NULL;
  g_autoptr (GError) error = NULL;
  GByteArray *answer;
  int channel[2], lifeline[2], reports[2];
  char words[256];
  gsize n_words;

  open_socket (channel);
  g_assert_no_errno (pipe2 (lifeline, O_CLOEXEC));
  g_assert_no_errno (pipe2 (reports, O_CLOEXEC));
  g_assert_cmpint (write (channel[0], request->data, n), ==, n);
  g_assert_no_errno (shutdown (channel[0], SHUT_WR));
  child = start_child (channel[1], lifeline[0], reports[1]);
  answer = read_to_end (channel[0]);
  report = read_to_end (reports[0]);
  g_input_stream_read_all (g_subprocess_get_stderr_pipe (child), words, sizeof words, &n_words,
                           NULL, &error);
  g_assert_no_error (error);
  g_subprocess_wait (child, NULL, &error);
  g_assert_no_error (error);
  g_assert_true (g_subprocess_get_if_exited (child));
  g_assert_cmpint (g_subprocess_get_exit_status (child), ==, 0);
  g_assert_cmpuint (report->len, ==, 0);
  g_assert_cmpuint (n_words, ==, 0);
  close (channel[0]);
  close (lifeline[1]);
  close (reports[0]);
  return answer;
}

/* Number of frames, the last of which is of @type. */
static guint
count_frames (const GByteArray *bytes, FrameType *type)
{
  guint n = 0;

  for (gsize at = 0; at < bytes->len; n++)
    {
      FrameHeader header;

      g_assert_cmpuint (bytes->len - at, >=, sizeof header);
      memcpy (&header, bytes->data + at, sizeof header);
      *type = (FrameType)header.type;
      at += sizeof header + header.size;
      g_assert_cmpuint (at, <=, bytes->len);
    }
  return n;
}

/* All lengths with -m slow; else some, and those around whole frames. */
static void
test_death_of_caller (void)
{
  g_autoptr (GByteArray) request = record_request ();
  guint step = g_test_slow () ? 1 : 11;

  for (guint n = 0; n <= request->len; n += n + step >= request->len ? 1 : step)
    {
      g_autoptr (GByteArray) answer = converse (request, n);
      FrameType type = FRAME_CALL;
      guint n_frames = count_frames (answer, &type);

      g_assert_cmpuint (n_frames, ==, n < request->len ? 1 : 2);
      g_assert_cmpint (type, ==, n < request->len ? FRAME_HELLO : FRAME_RESULT);
    }
}

int
main (int argc, char *argv[])
{
  fixture_init (&argc, &argv);

  fixture_add_func ("/serve/child-ends-wherever-its-caller-stops", test_death_of_caller);
  return fixture_run ();
}
