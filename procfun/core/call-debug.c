/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/core/call-debug.h"

#include "procfun/base/marks.h"
#include "procfun/core/call.h"
#include "procfun/core/function.h"
#include "procfun/platform/self.h"
#include "procfun/platform/worker-path.h"
#include "procfun/procfun-codec.h"
#include <string.h>

/* Longest arguments that are printed: people do not read a longer line. */
#define ARGUMENTS_MAX 4096

/* Characters that a shell takes as they are. */
#define PLAIN_CHARACTERS G_CSET_a_2_z G_CSET_A_2_Z G_CSET_DIGITS "/._-+:@%"

static char *
quote (const char *text)
{
  if (text[0] != '\0' && strspn (text, PLAIN_CHARACTERS) == strlen (text))
    return g_strdup (text);
  return g_shell_quote (text);
}

/* The name where it is unique, else the hash. */
static const char *
get_name_or_hash (ProcfunFunction *function)
{
  GListModel *registry = G_LIST_MODEL (procfun_registry_get_default ());
  const char *name = procfun_function_get_name (function);
  guint n_namesakes = 0;
  ProcfunFunction *other;

  for (guint i = 0; (other = g_list_model_get_item (registry, i)) != NULL; i++)
    {
      n_namesakes += g_str_equal (procfun_function_get_name (other), name);
      g_object_unref (other);
    }
  return n_namesakes == 1 ? name : procfun_function_get_hash (function);
}

static void
append_arguments (GString *line, ProcfunCall *call)
{
  ProcfunSchema *schema = procfun_function_get_arguments_schema (call->function);
  g_autoptr (GBytes) bytes = NULL;
  g_autofree char *json = NULL;
  g_autofree char *quoted = NULL;
  GVariant *args = procfun_call_get_arguments (call);
  gsize size;

  if (args != NULL
      && g_variant_is_of_type (args, procfun_function_get_arguments_type (call->function)))
    bytes = procfun_codec_encode (procfun_codec_get_json (), schema, args, NULL);
  if (bytes == NULL)
    {
      g_string_append (line, " # its arguments cannot be written");
      return;
    }
  size = g_bytes_get_size (bytes);
  json = g_strndup (g_bytes_get_data (bytes, NULL), MIN (size, ARGUMENTS_MAX));
  if (size > ARGUMENTS_MAX)
    {
      g_autofree char *valid = g_utf8_make_valid (json, -1); /* the cut may be within a character */

      g_string_append_printf (line, " - # %" G_GSIZE_FORMAT " bytes of JSON, which begin: %s…",
                              size, valid);
      return;
    }
  quoted = g_shell_quote (json);
  g_string_append_printf (line, " %s", quoted);
}

/* (nullable): a function of a running main() has no command line. */
static char *
make_command_line (ProcfunCall *call)
{
  const Module *module = call->function->module;
  gboolean is_library = module != NULL && module->path != NULL && !module->is_program;
  g_autofree char *program = NULL;
  g_autofree char *quoted = NULL;
  GString *line;

  if (module == NULL)
    return NULL;
  program = is_library             ? g_strdup (worker_path_get ())
            : module->path != NULL ? g_strdup (module->path)
                                   : self_get_executable (FALSE);
  quoted = quote (program);
  line = g_string_new (NULL);
  g_string_printf (line, "PROCFUN_COMMAND_LINE=1 %s --procfun-call=%s", quoted,
                   get_name_or_hash (call->function));
  if (is_library)
    {
      g_autofree char *library = quote (module->path);

      g_string_append_printf (line, " %s", library);
    }
  append_arguments (line, call);
  return g_string_free (line, FALSE);
}

static DebugSubject
get_subject (ProcfunCall *self)
{
  return (DebugSubject){ .function = procfun_function_get_name (self->function),
                         .call_id = self->debug_id,
                         .pid = g_atomic_int_get (&self->pid) };
}

void
call_debug_begin (ProcfunCall *self)
{
  static gint last_id;
  g_autofree char *line = NULL;
  DebugSubject subject;

  self->debug_id = (guint)g_atomic_int_add (&last_id, 1) + 1;
  if (!debug_has (DEBUG_CALLS))
    return;
  line = make_command_line (self);
  subject = get_subject (self);
  if (line != NULL)
    debug_log (&subject, "call %u: %s() starts: %s", subject.call_id, subject.function, line);
  else
    debug_log (&subject,
               "call %u: %s() starts; registered at run time, it cannot be called by hand",
               subject.call_id, subject.function);
}

static const char *
get_cause (ProcfunFailure *failure)
{
  g_autoptr (GEnumClass) class = g_type_class_ref (PROCFUN_TYPE_CAUSE);
  const GEnumValue *value = g_enum_get_value (class, (gint)procfun_failure_get_cause (failure));

  return value != NULL ? g_intern_string (value->value_nick) : "";
}

/* The time in the queue and in the process. A call may fail before it has one. */
static void
add_marks (ProcfunCall *self, const GError *error)
{
  const char *name = procfun_function_get_name (self->function);
  const gint64 started_at = self->started_at > 0 ? self->started_at : g_get_monotonic_time ();

  marks_add ("queue", self->submitted_at, started_at, "%s()", name);
  if (self->started_at > 0)
    marks_add ("call", started_at, g_get_monotonic_time (), "%s() in process %d%s%s", name,
               g_atomic_int_get (&self->pid), error != NULL ? ": " : "",
               error != NULL ? error->message : "");
}

void
call_debug_end (ProcfunCall *self, const GError *error)
{
  double ms = (double)(g_get_monotonic_time () - self->submitted_at) / 1000;
  DebugSubject subject = get_subject (self);

  if (debug_has (DEBUG_MARKS))
    add_marks (self, error);
  if (!debug_has (DEBUG_CALLS))
    return;
  if (error != NULL)
    subject.cause = get_cause (self->failure);
  if (error != NULL)
    debug_log (&subject, "call %u: %s() failed after %.3f ms, %s: %s", subject.call_id,
               subject.function, ms, subject.cause, error->message);
  else
    debug_log (&subject, "call %u: %s() succeeded after %.3f ms", subject.call_id, subject.function,
               ms);
}

void
call_debug_log (ProcfunCall *self, int pid, const char *format, ...)
{
  DebugSubject subject = get_subject (self);
  g_autofree char *text = NULL;
  va_list args;

  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  if (pid != 0)
    subject.pid = pid;
  debug_log (&subject, "call %u: %s(): %s", subject.call_id, subject.function, text);
}
