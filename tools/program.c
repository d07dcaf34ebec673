/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tools/program.h"

#include "procfun/base/intl.h"
#include "procfun/child/command-line.h"
#include "procfun/core/function.h"
#include "procfun/platform/worker-path.h"
#include "tools/elf.h"
#include "tools/map-arguments.h"
#include "tools/schema.h"
#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

void
program_free (Program *self)
{
  g_free (self->path);
  g_free (self->name);
  g_clear_pointer (&self->functions, g_ptr_array_unref);
  g_clear_pointer (&self->list, json_node_unref);
  g_free (self);
}

/* Asking */

static gboolean
check_end (GSubprocess *process, const char *path, GError **error)
{
  int status = g_subprocess_get_status (process);

  if (WIFSIGNALED (status))
    g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_CRASHED,
                 _ ("%s cannot list its functions: it crashed: %s"), path,
                 g_strsignal (WTERMSIG (status)));
  else if (WEXITSTATUS (status) != 0)
    g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_EXITED,
                 _ ("%s cannot list its functions: it ended with exit code %d"), path,
                 WEXITSTATUS (status));
  else
    return TRUE;
  return FALSE;
}

/* Output of the program: one line, maybe after what its constructors printed. */
static char *
ask (const char *path, gboolean is_program, GError **error)
{
  const char *program_argv[] = { path, COMMAND_LINE_LIST, NULL };
  const char *library_argv[] = { worker_path_get (), COMMAND_LINE_LIST, path, NULL };
  g_autoptr (GSubprocessLauncher) launcher
      = g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_STDOUT_PIPE);
  g_autoptr (GSubprocess) process = NULL;
  g_autofree char *text = NULL;

  g_subprocess_launcher_setenv (launcher, COMMAND_LINE_VARIABLE, "1", TRUE);
  process
      = g_subprocess_launcher_spawnv (launcher, is_program ? program_argv : library_argv, error);
  if (process == NULL || !g_subprocess_communicate_utf8 (process, NULL, NULL, &text, NULL, error)
      || !check_end (process, path, error))
    return NULL;
  return g_steal_pointer (&text);
}

/* Reading the answer */

static const char *
get_string (JsonObject *object, const char *member)
{
  JsonNode *node = json_object_get_member (object, member);

  return node != NULL && json_node_get_value_type (node) == G_TYPE_STRING
             ? json_node_get_string (node)
             : NULL;
}

static ProcfunFunctionFlags
read_flags (JsonNode *node)
{
  JsonArray *array
      = node != NULL && JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;
  ProcfunFunctionFlags flags = PROCFUN_FUNCTION_NONE;

  for (guint i = 0; array != NULL && i < json_array_get_length (array); i++)
    {
      JsonNode *element = json_array_get_element (array, i);
      const char *name = json_node_get_value_type (element) == G_TYPE_STRING
                             ? json_node_get_string (element)
                             : NULL;

      if (g_strcmp0 (name, "with-error") == 0)
        flags |= PROCFUN_FUNCTION_WITH_ERROR;
      else if (g_strcmp0 (name, "generator") == 0)
        flags |= PROCFUN_FUNCTION_GENERATOR;
      else if (g_strcmp0 (name, "idempotent") == 0)
        flags |= PROCFUN_FUNCTION_IDEMPOTENT;
    }
  return flags;
}

static ProcfunSandbox
read_sandbox (JsonNode *node)
{
  gint64 level = node != NULL && json_node_get_value_type (node) == G_TYPE_INT64
                     ? json_node_get_int (node)
                     : PROCFUN_SANDBOX_NONE;

  return (ProcfunSandbox)CLAMP (level, PROCFUN_SANDBOX_NONE, PROCFUN_SANDBOX_PURE_COMPUTE);
}

static ProcfunFunction *
read_function (JsonNode *node, Module *module, GError **error)
{
  JsonObject *object = JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
  g_autoptr (ProcfunSchema) args = NULL;
  g_autoptr (ProcfunSchema) result = NULL;
  const char *name = object != NULL ? get_string (object, "name") : NULL;
  ProcfunFunction *function;

  if (name == NULL)
    {
      g_set_error_literal (error, PROCFUN_ERROR, PROCFUN_ERROR_PROTOCOL,
                           _ ("a function has no name"));
      return NULL;
    }
  args = schema_from_json_members (PROCFUN_SCHEMA_ARGUMENTS,
                                   json_object_get_member (object, "arguments"), error);
  if (args != NULL)
    result = schema_from_json (json_object_get_member (object, "result"), error);
  if (result == NULL)
    return NULL;
  function = procfun_function_new_for_module (
      name, args, result, read_flags (json_object_get_member (object, "flags")),
      module_new_for_file (module->path, module->is_program, module->identity));
  procfun_function_set_sandbox (function,
                                read_sandbox (json_object_get_member (object, "sandbox")));
  return function;
}

static gboolean
read_functions (Program *self, JsonObject *answer, gboolean is_program, GError **error)
{
  const char *build = get_string (answer, "build");
  JsonNode *list = json_object_get_member (answer, "functions");
  g_autoptr (Module) module = module_new_for_file (self->path, is_program, build);
  JsonArray *array;

  if (build == NULL || list == NULL || !JSON_NODE_HOLDS_ARRAY (list))
    {
      g_set_error_literal (error, PROCFUN_ERROR, PROCFUN_ERROR_PROTOCOL,
                           _ ("this is no list of functions"));
      return FALSE;
    }
  self->list = json_node_ref (list);
  array = json_node_get_array (list);
  for (guint i = 0; i < json_array_get_length (array); i++)
    {
      ProcfunFunction *function = read_function (json_array_get_element (array, i), module, error);

      if (function == NULL)
        return FALSE;
      g_ptr_array_add (self->functions, function);
    }
  return TRUE;
}

static gboolean
read_answer (Program *self, char *text, gboolean is_program, GError **error)
{
  g_autoptr (JsonNode) node = NULL;
  char *line;

  g_strchomp (text);
  line = strrchr (text, '\n');
  node = json_from_string (line != NULL ? line : text, error);
  if (node == NULL && *error == NULL)
    g_set_error_literal (error, PROCFUN_ERROR, PROCFUN_ERROR_PROTOCOL, _ ("it said nothing"));
  if (node == NULL)
    return FALSE;
  if (!JSON_NODE_HOLDS_OBJECT (node))
    {
      g_set_error_literal (error, PROCFUN_ERROR, PROCFUN_ERROR_PROTOCOL,
                           _ ("this is no list of functions"));
      return FALSE;
    }
  return read_functions (self, json_node_get_object (node), is_program, error);
}

Program *
program_open (const char *path, GError **error)
{
  g_autoptr (Program) self = g_new0 (Program, 1);
  g_auto (Elf) elf = { 0 };
  g_autofree char *text = NULL;
  GError *own_error = NULL;

  if (!elf_read (&elf, path, error))
    return NULL;
  self->name = g_strdup (path);
  self->path = g_canonicalize_filename (path, NULL);
  self->functions = g_ptr_array_new_with_free_func (g_object_unref);
  self->is_program = elf.is_program;
  text = ask (self->path, elf.is_program, error);
  if (text == NULL)
    return NULL;
  if (!read_answer (self, text, elf.is_program, &own_error))
    {
      g_propagate_prefixed_error (error, own_error, _ ("%s cannot list its functions: "), path);
      return NULL;
    }
  return g_steal_pointer (&self);
}

/* Finding */

/* Number of letters to insert, remove or replace (Levenshtein's distance), at most @limit. */
static guint
get_distance (const char *a, const char *b, guint limit)
{
  guint row[64];
  gsize length = strlen (b);

  if (length >= G_N_ELEMENTS (row) || strlen (a) >= G_N_ELEMENTS (row))
    return limit;
  for (guint k = 0; k <= length; k++)
    row[k] = k;
  for (guint i = 1; a[i - 1] != '\0'; i++)
    {
      guint diagonal = row[0];

      row[0] = i;
      for (guint k = 1; k <= length; k++)
        {
          guint replaced = diagonal + (g_ascii_tolower (a[i - 1]) != g_ascii_tolower (b[k - 1]));

          diagonal = row[k];
          row[k] = MIN (replaced, MIN (row[k], row[k - 1]) + 1);
        }
    }
  return MIN (row[length], limit);
}

/* The most similar name; (nullable): none is similar */
static const char *
find_similar (Program *self, const char *name)
{
  const char *best = NULL;
  guint limit = (guint)strlen (name) / 3 + 2;

  for (guint i = 0; i < self->functions->len; i++)
    {
      const char *other = procfun_function_get_name (self->functions->pdata[i]);
      guint distance = get_distance (name, other, limit);

      if (distance < limit)
        {
          best = other;
          limit = distance;
        }
    }
  return best;
}

/* (transfer full) */
static char *
join_names (Program *self)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();

  for (guint i = 0; i < self->functions->len; i++)
    g_ptr_array_add (names, (char *)procfun_function_get_name (self->functions->pdata[i]));
  g_ptr_array_add (names, NULL);
  return g_strjoinv (", ", (char **)names->pdata);
}

#define LISTED_AT_MOST 5

static void
set_not_found (Program *self, const char *name, GError **error)
{
  const char *similar = find_similar (self, name);
  g_autofree char *all = join_names (self);

  if (similar != NULL)
    g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_NOT_FOUND,
                 _ ("no function “%s” in %s; did you mean “%s”?"), name, self->name, similar);
  else if (self->functions->len <= LISTED_AT_MOST)
    g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_NOT_FOUND,
                 _ ("no function “%s” in %s, which has %s"), name, self->name, all);
  else
    g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_NOT_FOUND,
                 _ ("no function “%s” in %s: “procfun list” shows those that there are"), name,
                 self->name);
}

ProcfunFunction *
program_find (Program *self, const char *name_or_hash, GError **error)
{
  ProcfunFunction *found = NULL;

  for (guint i = 0; i < self->functions->len; i++)
    {
      ProcfunFunction *function = self->functions->pdata[i];

      if (strcmp (procfun_function_get_hash (function), name_or_hash) != 0
          && strcmp (procfun_function_get_name (function), name_or_hash) != 0)
        continue;
      if (found != NULL)
        {
          g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_NOT_FOUND,
                       _ ("%s has several functions “%s”: give the hash of one"), self->path,
                       name_or_hash);
          return NULL;
        }
      found = function;
    }
  if (found == NULL)
    set_not_found (self, name_or_hash, error);
  return found;
}

/* @more: (nullable): the last argument. */
static void
become (Program *self, const char *command, const char *more, GError **error)
{
  const char *program_argv[] = { self->path, command, more, NULL };
  const char *library_argv[] = { worker_path_get (), command, self->path, more, NULL };
  const char **argv = self->is_program ? program_argv : library_argv;

  g_setenv (COMMAND_LINE_VARIABLE, "1", TRUE);
  execv (argv[0], (char **)argv);
  g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_SPAWN, _ ("%s cannot be executed: %s"), argv[0],
               g_strerror (errno));
}

void
program_become (Program *self, ProcfunFunction *function, const char *json, GError **error)
{
  g_autofree char *command
      = g_strconcat (COMMAND_LINE_CALL_PREFIX, procfun_function_get_hash (function), NULL);

  become (self, command, json, error);
}

void
program_become_host (Program *self, guint slots, GError **error)
{
  g_autofree char *option = g_strdup_printf (COMMAND_LINE_SLOTS_PREFIX "%u", slots);

  become (self, COMMAND_LINE_HOST, option, error);
}

char *
program_describe_arguments (ProcfunFunction *function)
{
  ProcfunSchema *args = procfun_function_get_arguments_schema (function);
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < procfun_schema_get_n_children (args); i++)
    {
      const GVariantType *type
          = procfun_schema_get_variant_type (procfun_schema_get_child (args, i));

      g_string_append_printf (
          text, "%s%.*s %s", i > 0 ? ", " : "", (int)g_variant_type_get_string_length (type),
          g_variant_type_peek_string (type), procfun_schema_get_child_name (args, i));
    }
  return g_string_free (text, FALSE);
}

/* (transfer full) */
static GBytes *
read_text (ProcfunFunction *function, const char *text, gboolean is_raw, GError **error)
{
  if (!is_raw || g_strcmp0 (text, "-") == 0)
    return command_line_read_json (text, error);
  if (text != NULL)
    return g_bytes_new (text, strlen (text));
  g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_INVALID,
               _ ("--raw-input: %s() takes a string, and none is given"),
               procfun_function_get_name (function));
  return NULL;
}

GVariant *
program_read_arguments (ProcfunFunction *function, const char *text, gboolean is_raw,
                        GError **error)
{
  const RecordFormat format = { .is_raw = is_raw };
  g_autoptr (MapArguments) arguments = map_arguments_new (function, &format, error);
  g_autoptr (GBytes) bytes = arguments != NULL ? read_text (function, text, is_raw, error) : NULL;
  g_autofree char *description = NULL;
  g_autoptr (GVariant) array = NULL;
  gsize size;
  const char *data;

  if (bytes == NULL)
    return NULL;
  data = g_bytes_get_data (bytes, &size);
  if (map_arguments_add (arguments, data != NULL ? data : "", size, error))
    {
      array = map_arguments_steal (arguments);
      return g_variant_get_child_value (array, 0);
    }
  description = program_describe_arguments (function);
  g_prefix_error (error, _ ("the arguments of %s (%s) cannot be read: "),
                  procfun_function_get_name (function), description);
  return NULL;
}
