/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "procfun/child/command-line.h"

#include "procfun/base/intl.h"
#include "procfun/base/readable.h"
#include "procfun/child/command.h"
#include "procfun/child/setup.h"
#include "procfun/codecs/schema-json.h"
#include "procfun/core/context.h"
#include "procfun/core/definition.h"
#include "procfun/core/function.h"
#include "procfun/platform/fds.h"
#include "procfun/platform/inherited-state.h"
#include "procfun/platform/leave.h"
#include "procfun/platform/self.h"
#include "procfun/procfun-codec.h"
#include "procfun/procfun-error.h"
#include "procfun/wire/channel.h"
#include "procfun/wire/setup.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum
{
  STATUS_DONE = 0,
  STATUS_FAILED = 1,
  STATUS_REFUSED = 2,
  STATUS_EXITED = 3
};

static int answer_fd = -1;
static const char *running_name; /* of the function that runs */

gboolean
command_line_is_asked (void)
{
  return command_is_variable_set ()
         && (command_first_argument_begins (COMMAND_LINE_LIST, sizeof COMMAND_LINE_LIST)
             || command_first_argument_begins (COMMAND_LINE_HOST, sizeof COMMAND_LINE_HOST)
             || command_first_argument_begins (COMMAND_LINE_CALL_PREFIX,
                                               sizeof COMMAND_LINE_CALL_PREFIX - 1));
}

void
command_line_begin (void)
{
  unsetenv (COMMAND_LINE_VARIABLE); /* processes that the function starts were not asked */
  answer_fd = fcntl (STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
  fds_fill_standard ();
  dup2 (STDERR_FILENO, STDOUT_FILENO);
  procfun_context_set_child ();
}

static void G_GNUC_NORETURN
end (int status)
{
  fflush (NULL);
  leave_process (status);
}

/* Not g_printerr(), which spoils UTF-8 before a setlocale(). Takes @error. */
static void G_GNUC_NORETURN
end_with_error (int status, GError *error)
{
  g_autofree char *message = readable_text (error->message, -1);

  fprintf (stderr, "procfun: %s\n", message);
  end (status);
}

static void
write_answer (const char *json, gsize size)
{
  g_autoptr (GString) line = g_string_new_len (json, (gssize)size);
  gsize done = 0;

  g_string_append_c (line, '\n');
  while (done < line->len)
    {
      gssize n = write (answer_fd, line->str + done, line->len - done);

      if (n < 0 && errno != EINTR)
        end_with_error (STATUS_REFUSED,
                        g_error_new (PROCFUN_ERROR, PROCFUN_ERROR_ENCODE,
                                     _ ("the result cannot be written: %s"), g_strerror (errno)));
      done += (gsize)MAX (n, 0);
    }
}

static void G_GNUC_NORETURN
end_with_answer (const char *json, gsize size)
{
  write_answer (json, size);
  end (STATUS_DONE);
}

static GPtrArray *
list_functions_of (const char *path)
{
  g_autoptr (GPtrArray) all = procfun_definitions_list_functions ();
  GPtrArray *functions = g_ptr_array_new ();

  for (guint i = 0; i < all->len; i++)
    if (g_strcmp0 (procfun_function_get_module (all->pdata[i]), path) == 0)
      g_ptr_array_add (functions, all->pdata[i]);
  return functions;
}

/* --procfun-list */

static void
append_flags (ProcfunFunctionFlags flags, GString *json)
{
  static const struct
  {
    ProcfunFunctionFlags flag;
    const char *name;
  } names[] = { { PROCFUN_FUNCTION_WITH_ERROR, "with-error" },
                { PROCFUN_FUNCTION_GENERATOR, "generator" },
                { PROCFUN_FUNCTION_IDEMPOTENT, "idempotent" } };
  const char *separator = "";

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if ((flags & names[i].flag) != 0)
      {
        g_string_append_printf (json, "%s\"%s\"", separator, names[i].name);
        separator = ",";
      }
}

static void
append_function (ProcfunFunction *function, GString *json)
{
  g_string_append_printf (
      json, "{\"name\":\"%s\",\"hash\":\"%s\",\"signature\":\"%s\",\"arguments\":",
      procfun_function_get_name (function), procfun_function_get_hash (function),
      procfun_function_get_signature (function));
  schema_members_to_json (procfun_function_get_arguments_schema (function), json);
  g_string_append (json, ",\"result\":");
  schema_to_json (procfun_function_get_return_schema (function), json);
  g_string_append (json, ",\"flags\":[");
  append_flags (procfun_function_get_flags (function), json);
  g_string_append_printf (json, "],\"sandbox\":%d}", (int)procfun_function_get_sandbox (function));
}

static void G_GNUC_NORETURN
answer_list (GPtrArray *functions)
{
  GString *json = g_string_new ("{\"build\":");
  const Module *module
      = functions->len > 0 ? ((ProcfunFunction *)functions->pdata[0])->module : NULL;

  g_string_append_printf (json, "\"%s\",\"functions\":[", module != NULL ? module->identity : "");
  for (guint i = 0; i < functions->len; i++)
    {
      g_string_append (json, i > 0 ? "," : "");
      append_function (functions->pdata[i], json);
    }
  g_string_append (json, "]}");
  end_with_answer (json->str, json->len);
}

/* --procfun-call */

static ProcfunFunction *
find_function (GPtrArray *functions, const char *name_or_hash, GError **error)
{
  ProcfunFunction *found = NULL;

  for (guint i = 0; i < functions->len; i++)
    {
      ProcfunFunction *function = functions->pdata[i];

      if (strcmp (procfun_function_get_hash (function), name_or_hash) != 0
          && strcmp (procfun_function_get_name (function), name_or_hash) != 0)
        continue;
      if (found != NULL)
        {
          g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_NOT_FOUND,
                       _ ("there are several functions %s(): name one by its hash"), name_or_hash);
          return NULL;
        }
      found = function;
    }
  if (found == NULL)
    g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_NOT_FOUND, _ ("there is no function “%s”"),
                 name_or_hash);
  return found;
}

static GVariant *
read_arguments (ProcfunFunction *function, const char *text, GError **error)
{
  g_autoptr (GBytes) json = command_line_read_json (text, error);
  GVariant *args = NULL;

  if (json != NULL)
    args = procfun_codec_decode (procfun_codec_get_json (),
                                 procfun_function_get_arguments_schema (function), json, error);
  if (args == NULL)
    g_prefix_error (error, _ ("the arguments of %s() cannot be read: "),
                    procfun_function_get_name (function));
  return args;
}

static void
on_exit_called (int code, void *user_data)
{
  if (running_name == NULL)
    return;
  fprintf (stderr, _ ("procfun: %s() ended its process by exit (%d)\n"), running_name, code);
  end (STATUS_EXITED);
}

static GBytes *
encode (ProcfunFunction *function, GVariant *value, GError **error)
{
  return procfun_codec_encode (procfun_codec_get_json (),
                               procfun_function_get_return_schema (function), value, error);
}

/* Items of a generator are a line each, as they come. */
static gboolean
on_yield (GVariant *item, GUnixFDList *fds, gpointer user_data)
{
  GError *error = NULL;
  g_autoptr (GBytes) json = encode (user_data, item, &error);

  if (json != NULL)
    write_answer (g_bytes_get_data (json, NULL), g_bytes_get_size (json));
  else
    procfun_context_fail_item (error);
  return json != NULL;
}

static GVariant *
run_function (ProcfunFunction *function, GVariant *args, GError **error)
{
  gboolean yields = procfun_function_is_generator (function);
  Running running = { .cancellable = g_cancellable_new (),
                      .generator = yields ? function : NULL,
                      .yield = on_yield,
                      .user_data = function };
  g_autoptr (GVariant) result = NULL;
  g_autoptr (GUnixFDList) result_fds = NULL;

  on_exit (on_exit_called, NULL);
  procfun_context_set_depth (1);
  procfun_context_set_running (&running);
  running_name = procfun_function_get_name (function);
  result = procfun_function_invoke (function, args, NULL, &result_fds, error);
  running_name = NULL;
  procfun_context_set_running (NULL);
  if (running.item_error == NULL)
    return g_steal_pointer (&result);
  g_clear_error (error);
  g_propagate_error (error, running.item_error);
  return NULL;
}

static void G_GNUC_NORETURN
answer_call (GPtrArray *functions, const char *name_or_hash, const char *text)
{
  GError *error = NULL;
  ProcfunFunction *function = find_function (functions, name_or_hash, &error);
  GVariant *args = function != NULL ? read_arguments (function, text, &error) : NULL;
  GVariant *result;
  GBytes *json;

  if (args == NULL)
    end_with_error (STATUS_REFUSED, error);
  result = run_function (function, args, &error);
  if (result != NULL && procfun_function_is_generator (function))
    end (STATUS_DONE);
  json = result != NULL ? encode (function, result, &error) : NULL;
  if (json == NULL)
    {
      g_prefix_error (&error, _ ("%s() failed: "), procfun_function_get_name (function));
      end_with_error (STATUS_FAILED, error);
    }
  end_with_answer (g_bytes_get_data (json, NULL), g_bytes_get_size (json));
}

/* --procfun-host */

static CommandLineHostFunc host_func; /* (nullable) */

void
command_line_set_host (CommandLineHostFunc func)
{
  host_func = func;
}

/* Text that is no number counts as none. */
static guint
read_slots (char *const *rest)
{
  guint64 n = 0;

  if (*rest != NULL && g_str_has_prefix (*rest, COMMAND_LINE_SLOTS_PREFIX))
    g_ascii_string_to_unsigned (*rest + strlen (COMMAND_LINE_SLOTS_PREFIX), 10, 0, G_MAXUINT16, &n,
                                NULL);
  return (guint)n;
}

static gboolean
replace (int fd, int where)
{
  int result;

  do
    result = dup2 (fd, where);
  while (result < 0 && errno == EINTR);
  return result >= 0;
}

/* Functions and what they start get /dev/null for what is the host's. A host that cannot hear or
 * answer ends, so that its caller need not find out by its silence. */
static void G_GNUC_NORETURN
be_host (const char *path, ProcfunRegistry *registry, char *const *rest)
{
  const int in_fd = fcntl (STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
  const int null = open ("/dev/null", O_RDONLY | O_CLOEXEC);

  if (in_fd < 0 || answer_fd < 0 || null < 0 || !replace (null, STDIN_FILENO))
    end_with_error (STATUS_REFUSED, g_error_new_literal (G_IO_ERROR, g_io_error_from_errno (errno),
                                                         g_strerror (errno)));
  close (null);
  if (registry == NULL)
    inherited_state_settle (); /* main() has not begun any thread */
  if (host_func != NULL)
    host_func (in_fd, answer_fd, path, registry, read_slots (rest));
  end (STATUS_REFUSED);
}

/* Where it begins in a command line. (nullable) */
static char *const *
find_host_in_main (char *const *argv)
{
  for (char *const *at = argv; *at != NULL; at++)
    if (strcmp (*at, SETUP_HOST_IN_MAIN) == 0)
      return at;
  return NULL;
}

gboolean
command_line_is_host_in_main (void)
{
  g_auto (GStrv) argv = command_is_variable_set () ? self_read_command_line () : NULL;

  if (argv != NULL && argv[0] == NULL)
    setup_end_without_command_line ();
  return argv != NULL && find_host_in_main (argv) != NULL;
}

void
command_line_be_host_in_main (ProcfunRegistry *registry)
{
  char *const *at = find_host_in_main (self_read_command_line ());

  command_line_begin ();
  be_host (NULL, registry, at + 1);
}

void
command_line_answer (const char *path)
{
  char **argv = self_read_command_line ();
  GPtrArray *functions = list_functions_of (path);
  char *const *rest = argv + (path != NULL ? 3 : 2);

  if (g_str_equal (argv[1], COMMAND_LINE_HOST))
    be_host (path, NULL, rest);
  if (g_str_equal (argv[1], COMMAND_LINE_LIST))
    answer_list (functions);
  answer_call (functions, argv[1] + sizeof COMMAND_LINE_CALL_PREFIX - 1, *rest);
}

/* stdin may bring much more than any function takes. */
static GBytes *
read_stdin (GError **error)
{
  g_autoptr (GByteArray) all = g_byte_array_new ();
  guint8 part[16384];
  gssize n;

  while ((n = read (STDIN_FILENO, part, sizeof part)) != 0)
    {
      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        {
          g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_DECODE, _ ("stdin cannot be read: %s"),
                       g_strerror (errno));
          return NULL;
        }
      if (all->len + (gsize)n > CHANNEL_DEFAULT_LIMIT)
        {
          g_set_error_literal (error, PROCFUN_ERROR, PROCFUN_ERROR_LIMIT, _ ("stdin has too much"));
          return NULL;
        }
      g_byte_array_append (all, part, (guint)n);
    }
  return g_byte_array_free_to_bytes (g_steal_pointer (&all));
}

GBytes *
command_line_read_json (const char *text, GError **error)
{
  if (g_strcmp0 (text, "-") == 0)
    return read_stdin (error);
  return g_bytes_new (text != NULL ? text : "[]", text != NULL ? strlen (text) : 2);
}
