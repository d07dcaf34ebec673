/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "tests/fixture.h"
#include "tests/functions.h"
#include "tests/pools.h"

#include <gio/gunixfdmessage.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#ifdef HAVE_SYSPROF
#include <sysprof-capture.h>

#define CONTROL_FD 9
#define RINGS_MAX 16
#define RING_SIZE (64 * 1024)

/* A thread of the program asks by this for memory to write its marks to. */
#define REQUEST "CreatRing"

/* The reader's side, which the collector's library has, but its headers have not. */
typedef struct _MappedRingBuffer MappedRingBuffer;
MappedRingBuffer *mapped_ring_buffer_new_reader (size_t size);
int mapped_ring_buffer_get_fd (MappedRingBuffer *self);
bool mapped_ring_buffer_drain (MappedRingBuffer *self,
                               bool (*take) (const void *data, size_t *size, void *user_data),
                               void *user_data);
void mapped_ring_buffer_unref (MappedRingBuffer *self);

/* Started by a profiler: two calls that succeed, and one that fails. */
static void
make_marks (void)
{
  g_autoptr (ProcfunPool) pool = procfun_pool_new (1);
  g_autoptr (ProcfunCall) call = fail_void_call (3);
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (add_process_with (1, 2, PROCFUN_EXECUTOR (pool), NULL, &error), ==, 3);
  g_assert_no_error (error);
  g_assert_cmpint (add_process_with (3, 4, PROCFUN_EXECUTOR (pool), NULL, &error), ==, 7);
  g_assert_no_error (error);
  procfun_call_set_executor (call, PROCFUN_EXECUTOR (pool));
  fail_void_run (call, NULL, &error);
  g_assert_nonnull (error);
  g_clear_error (&error);
  procfun_executor_close (PROCFUN_EXECUTOR (pool), NULL, &error);
  g_assert_no_error (error);
}

typedef struct
{
  guint n_queue;
  guint n_calls;
  guint n_failed;
  guint n_workers;
} Marks;

static void
note_mark (Marks *marks, const SysprofCaptureMark *mark)
{
  g_assert_cmpint (mark->duration, >=, 0);
  if (g_str_equal (mark->name, "queue"))
    marks->n_queue++;
  else if (g_str_equal (mark->name, "worker"))
    marks->n_workers++;
  else if (g_str_equal (mark->name, "call") && g_str_has_prefix (mark->message, "add() in process"))
    marks->n_calls++;
  else if (g_str_equal (mark->name, "call") && strstr (mark->message, "fail_void()") != NULL)
    marks->n_failed++;
}

static bool
take_frame (const void *data, size_t *size, void *user_data)
{
  const SysprofCaptureFrame *frame = data;

  if (frame->type == SYSPROF_CAPTURE_FRAME_MARK
      && g_str_equal (((const SysprofCaptureMark *)data)->group, "procfun"))
    note_mark (user_data, data);
  *size = frame->len;
  return TRUE;
}

/* Answers requests until the program has ended. */
static guint
serve_rings (int fd, MappedRingBuffer **rings)
{
  g_autoptr (GSocket) socket = g_socket_new_from_fd (fd, NULL);
  char request[sizeof REQUEST];
  guint n_rings = 0;

  g_assert_nonnull (socket);
  while (g_socket_receive (socket, request, sizeof request, NULL, NULL) == sizeof request)
    {
      g_autoptr (GSocketControlMessage) message = g_unix_fd_message_new ();
      g_autoptr (GError) error = NULL;
      GOutputVector vector = { "", 1 };

      g_assert_cmpstr (request, ==, REQUEST);
      g_assert_cmpuint (n_rings, <, RINGS_MAX);
      rings[n_rings] = mapped_ring_buffer_new_reader (RING_SIZE);
      g_unix_fd_message_append_fd (G_UNIX_FD_MESSAGE (message),
                                   mapped_ring_buffer_get_fd (rings[n_rings]), &error);
      g_assert_no_error (error);
      g_socket_send_message (socket, NULL, &vector, 1, &message, 1, G_SOCKET_MSG_NONE, NULL,
                             &error);
      g_assert_no_error (error);
      n_rings++;
    }
  return n_rings;
}

static void
test_calls (void)
{
  g_autoptr (GSubprocessLauncher) launcher = g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_NONE);
  g_autofree char *program = g_file_read_link ("/proc/self/exe", NULL);
  g_autoptr (GSubprocess) subprocess = NULL;
  g_autoptr (GError) error = NULL;
  static MappedRingBuffer *rings[RINGS_MAX]; /* kept: sysprof 3.46 never frees what it unmaps */
  Marks marks = { 0 };
  int fds[2];

  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), ==, 0);
  g_subprocess_launcher_take_fd (launcher, fds[1], CONTROL_FD);
  g_subprocess_launcher_setenv (launcher, "SYSPROF_CONTROL_FD", G_STRINGIFY (CONTROL_FD), TRUE);
  subprocess = g_subprocess_launcher_spawn (launcher, &error, program, "--make-marks", NULL);
  g_assert_no_error (error);
  g_subprocess_launcher_close (launcher);
  for (guint n = serve_rings (fds[0], rings); n > 0; n--)
    {
      mapped_ring_buffer_drain (rings[n - 1], take_frame, &marks);
      mapped_ring_buffer_unref (rings[n - 1]);
    }
  g_subprocess_wait_check (subprocess, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (marks.n_queue, ==, 3);
  g_assert_cmpuint (marks.n_calls, ==, 2);
  g_assert_cmpuint (marks.n_failed, ==, 1);
  g_assert_cmpuint (marks.n_workers, ==, 1);
}
#else
static void
make_marks (void)
{
}

static void
test_calls (void)
{
  g_test_skip ("this build is without sysprof");
}
#endif

int
main (int argc, char *argv[])
{
  if (argc == 2 && strcmp (argv[1], "--make-marks") == 0)
    {
      make_marks ();
      return 0;
    }
  fixture_init (&argc, &argv);
  fixture_add_func ("/marks/sysprof-is-told-of-calls-and-workers", test_calls);
  return fixture_run ();
}
