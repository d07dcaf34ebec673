/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "tests/functions.h"

#include "tests/calls.h"

#include <fcntl.h>
#include <gio/gunixfdlist.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* Arguments are borrowed and results are owned: copy() makes the one of the other. */
#define ECHO(name, Argument, Result, copy)                                                         \
  PROCFUN_DEFINE_STATIC_FUNCTION (echo_##name, Result, (Argument, value)) { return copy (value); }

#define ITSELF(value) (value)
#define DUP_FD(value) fcntl (value, F_DUPFD_CLOEXEC, 3)

static Shape
shape_copy (Shape shape)
{
  const Shape copy = { g_strdup (shape.name),
                       shape.colour,
                       shape.centre,
                       { g_memdup2 (shape.corners.data, shape.corners.length * sizeof (Spot)),
                         shape.corners.length } };

  return copy;
}

static ShapeArray
shapes_copy (ShapeArray shapes)
{
  const ShapeArray copy = { g_new (Shape, shapes.length), shapes.length };

  for (gsize i = 0; i < shapes.length; i++)
    copy.data[i] = shape_copy (shapes.data[i]);
  return copy;
}

static ColourArray
colours_copy (ColourArray colours)
{
  const ColourArray copy
      = { g_memdup2 (colours.data, colours.length * sizeof (Colour)), colours.length };

  return copy;
}

#define NUMBERS_COPY(value, make) make (value.data, value.length)
#define COPY_INT16S(value) NUMBERS_COPY (value, procfun_int16s_new)
#define COPY_UINT16S(value) NUMBERS_COPY (value, procfun_uint16s_new)
#define COPY_INT32S(value) NUMBERS_COPY (value, procfun_int32s_new)
#define COPY_UINT32S(value) NUMBERS_COPY (value, procfun_uint32s_new)
#define COPY_INT64S(value) NUMBERS_COPY (value, procfun_int64s_new)
#define COPY_UINT64S(value) NUMBERS_COPY (value, procfun_uint64s_new)
#define COPY_DOUBLES(value) NUMBERS_COPY (value, procfun_doubles_new)

ECHO (boolean, gboolean, gboolean, ITSELF)
ECHO (byte, guint8, guint8, ITSELF)
ECHO (int16, gint16, gint16, ITSELF)
ECHO (uint16, guint16, guint16, ITSELF)
ECHO (int32, gint32, gint32, ITSELF)
ECHO (uint32, guint32, guint32, ITSELF)
ECHO (int64, gint64, gint64, ITSELF)
ECHO (uint64, guint64, guint64, ITSELF)
ECHO (double, double, double, ITSELF)
ECHO (float, float, float, ITSELF)
ECHO (string, const char *, char *, g_strdup)
ECHO (maybe_string, ProcfunMaybeString, ProcfunMaybeString, g_strdup)
ECHO (strv, GStrv, GStrv, g_strdupv)
ECHO (bytes, GBytes *, GBytes *, g_bytes_ref)
ECHO (variant, GVariant *, GVariant *, g_variant_ref)
ECHO (fd, ProcfunFd, ProcfunFd, DUP_FD)
ECHO (fd_list, GUnixFDList *, GUnixFDList *, g_object_ref)
ECHO (int16s, ProcfunInt16s, ProcfunInt16s, COPY_INT16S)
ECHO (uint16s, ProcfunUint16s, ProcfunUint16s, COPY_UINT16S)
ECHO (int32s, ProcfunInt32s, ProcfunInt32s, COPY_INT32S)
ECHO (uint32s, ProcfunUint32s, ProcfunUint32s, COPY_UINT32S)
ECHO (int64s, ProcfunInt64s, ProcfunInt64s, COPY_INT64S)
ECHO (uint64s, ProcfunUint64s, ProcfunUint64s, COPY_UINT64S)
ECHO (doubles, ProcfunDoubles, ProcfunDoubles, COPY_DOUBLES)
ECHO (colour, Colour, Colour, ITSELF)
ECHO (colours, ColourArray, ColourArray, colours_copy)
ECHO (spot, Spot, Spot, ITSELF)
ECHO (shape, Shape, Shape, shape_copy)
ECHO (shapes, ShapeArray, ShapeArray, shapes_copy)

PROCFUN_DEFINE_FUNCTION (nothing, void) {}

PROCFUN_DEFINE_FUNCTION (add, gint, (gint, a), (gint, b)) { return a + b; }

PROCFUN_DEFINE_FUNCTION (sum_of_twelve, gint, (gint, a), (gint, b), (gint, c), (gint, d), (gint, e),
                         (gint, f), (gint, g), (gint, h), (gint, i), (gint, j), (gint, k),
                         (gint, l))
{
  return a + b + c + d + e + f + g + h + i + j + k + l;
}

PROCFUN_DEFINE_FUNCTION (make_bytes, GBytes *, (guint64, length))
{
  guint8 *data = g_malloc (length);

  for (gsize i = 0; i < length; i++)
    data[i] = (guint8)(i % 251);
  return g_bytes_new_take (data, length);
}

PROCFUN_DEFINE_FUNCTION (are_those_bytes, gboolean, (GBytes *, bytes))
{
  gsize length;
  const guint8 *data = g_bytes_get_data (bytes, &length);

  for (gsize i = 0; i < length; i++)
    if (data[i] != i % 251)
      return FALSE;
  return TRUE;
}

PROCFUN_DEFINE_FUNCTION (pass_bytes, GBytes *, (GBytes *, bytes)) { return g_bytes_ref (bytes); }

PROCFUN_DEFINE_FUNCTION (string_length, guint64, (const char *, text)) { return strlen (text); }

PROCFUN_DEFINE_FUNCTION_WITH_ERROR (fail, gint, (const char *, domain), (gint, code),
                                    (const char *, message))
{
  g_set_error_literal (error, g_quark_from_string (domain), code, message);
  return 0;
}

PROCFUN_DEFINE_FUNCTION_WITH_ERROR (fail_void, void, (gint, code))
{
  g_set_error (error, G_FILE_ERROR, code, "failed with %d", code);
}

/* Beside an error, what is returned means nothing, and need not be anything that can be freed. */
PROCFUN_DEFINE_FUNCTION_WITH_ERROR (fail_with_result, char *, (gint, code))
{
  g_set_error (error, G_FILE_ERROR, code, "failed with %d", code);
  return (char *)"constant";
}

PROCFUN_DEFINE_FUNCTION (in_child, gboolean) { return procfun_is_child (); }

PROCFUN_DEFINE_FUNCTION (get_process_id, gint) { return (gint)getpid (); }

PROCFUN_DEFINE_FUNCTION (get_parent_id, gint) { return (gint)getppid (); }

PROCFUN_DEFINE_FUNCTION (get_session_id, gint) { return (gint)getsid (0); }

PROCFUN_DEFINE_FUNCTION (get_nice, gint) { return getpriority (PRIO_PROCESS, 0); }

PROCFUN_DEFINE_FUNCTION (get_variable, ProcfunMaybeString, (const char *, name))
{
  return g_strdup (g_getenv (name));
}

PROCFUN_DEFINE_FUNCTION (get_command_line, GStrv)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_autofree char *text = NULL;
  gsize size = 0;

  g_file_get_contents ("/proc/self/cmdline", &text, &size, NULL);
  for (const char *at = text; at < text + size; at += strlen (at) + 1)
    g_strv_builder_add (builder, at);
  return g_strv_builder_end (builder);
}

/* Numbers alone: those that are open, but for the one that reads the folder. */
PROCFUN_DEFINE_FUNCTION (get_descriptors, GStrv)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();

  for (int fd = 0; fd < 1024; fd++)
    if (fcntl (fd, F_GETFD) >= 0)
      {
        g_autofree char *number = g_strdup_printf ("%d", fd);

        g_strv_builder_add (builder, number);
      }
  return g_strv_builder_end (builder);
}

/* Those that are not handled by default, or blocked. */
PROCFUN_DEFINE_FUNCTION (get_changed_signals, GStrv)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  struct sigaction action;
  sigset_t mask;

  sigprocmask (SIG_SETMASK, NULL, &mask);
  for (int signum = 1; signum < NSIG; signum++)
    if ((sigaction (signum, NULL, &action) == 0 && action.sa_handler != SIG_DFL)
        || sigismember (&mask, signum) == 1)
      g_strv_builder_add (builder, g_strsignal (signum));
  return g_strv_builder_end (builder);
}

PROCFUN_DEFINE_FUNCTION (get_folder, char *) { return g_get_current_dir (); }

PROCFUN_DEFINE_FUNCTION (read_all, char *, (ProcfunFd, fd))
{
  GString *text = g_string_new (NULL);
  char buffer[4096];
  gssize n;

  while ((n = read (fd, buffer, sizeof buffer)) > 0)
    g_string_append_len (text, buffer, n);
  return g_string_free (text, FALSE);
}

PROCFUN_DEFINE_FUNCTION (open_text, ProcfunFd, (const char *, text))
{
  int ends[2];

  if (pipe2 (ends, O_CLOEXEC) != 0)
    return -1;
  if (write (ends[1], text, strlen (text)) != (gssize)strlen (text))
    g_warning ("a pipe does not take %s", text);
  close (ends[1]);
  return ends[0];
}

PROCFUN_DEFINE_FUNCTION (open_many, GUnixFDList *, (guint, n))
{
  GUnixFDList *list = g_unix_fd_list_new ();

  for (guint i = 0; i < n; i++)
    g_unix_fd_list_append (list, STDERR_FILENO, NULL);
  return list;
}

PROCFUN_DEFINE_FUNCTION (count_many, guint, (GUnixFDList *, fds))
{
  return (guint)g_unix_fd_list_get_length (fds);
}

PROCFUN_DEFINE_FUNCTION_WITH_ERROR (nest, gint, (gint, more))
{
  GError *own_error = NULL;
  gint deeper = more > 0 ? nest_process (more - 1, &own_error) : 0;

  if (own_error == NULL)
    return deeper + 1;
  g_propagate_error (error, own_error);
  return 0;
}

PROCFUN_DEFINE_FUNCTION_WITH_ERROR (relay, char *, (const char *, function),
                                    (const char *, arguments))
{
  g_autoptr (ProcfunCall) call = calls_new (function, arguments);
  g_autoptr (GVariant) result = procfun_call_run (call, NULL, error);

  return result != NULL ? g_variant_print (result, TRUE) : NULL;
}
