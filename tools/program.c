/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tools/program.h"

#include "procfun/base/intl.h"
#include "procfun/child/command-line.h"
#include "procfun/core/function.h"
#include "procfun/platform/worker-path.h"
#include "tools/elf.h"
#include "tools/schema.h"
#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

void
program_free (Program *self)
{
  g_free (self->path);
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

static ProcfunFunction *
read_function (JsonNode *node, Module *module, GError **error)
{
  JsonObject *object = JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
  g_autoptr (ProcfunSchema) args = NULL;
  g_autoptr (ProcfunSchema) result = NULL;
  const char *name = object != NULL ? get_string (object, "name") : NULL;

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
  return procfun_function_new_for_module (
      name, args, result, read_flags (json_object_get_member (object, "flags")),
      module_new_for_file (module->path, module->is_program, module->identity));
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

#define SUGGESTED_AT_MOST 5

/* Those with a similar name; when there are few functions, all. (transfer full) (nullable) */
static char *
suggest (Program *self, const char *name)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  guint limit = (guint)strlen (name) / 3 + 2;
  gboolean all = self->functions->len <= SUGGESTED_AT_MOST;

  for (guint i = 0; i < self->functions->len && names->len < SUGGESTED_AT_MOST; i++)
    {
      const char *other = procfun_function_get_name (self->functions->pdata[i]);

      if (all || strstr (other, name) != NULL || get_distance (name, other, limit) < limit)
        g_ptr_array_add (names, (char *)other);
    }
  g_ptr_array_add (names, NULL);
  return names->len > 1 ? g_strjoinv (", ", (char **)names->pdata) : NULL;
}

static void
set_not_found (Program *self, const char *name, GError **error)
{
  g_autofree char *suggestions = suggest (self, name);

  if (suggestions == NULL)
    g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_NOT_FOUND, _ ("%s has no function “%s”"),
                 self->path, name);
  else
    g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_NOT_FOUND,
                 _ ("%s has no function “%s”, but has %s"), self->path, name, suggestions);
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

void
program_become (Program *self, ProcfunFunction *function, const char *json, GError **error)
{
  g_autofree char *command
      = g_strconcat (COMMAND_LINE_CALL_PREFIX, procfun_function_get_hash (function), NULL);
  const char *program_argv[] = { self->path, command, json, NULL };
  const char *library_argv[] = { worker_path_get (), command, self->path, json, NULL };
  const char **argv = self->is_program ? program_argv : library_argv;

  g_setenv (COMMAND_LINE_VARIABLE, "1", TRUE);
  execv (argv[0], (char **)argv);
  g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_SPAWN, _ ("%s cannot be executed: %s"), argv[0],
               g_strerror (errno));
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

/* The only argument; a tuple. */
static GVariant *
decode_only (ProcfunSchema *schema, GBytes *json, GError **error)
{
  g_autoptr (GVariant) value = procfun_codec_decode (
      procfun_codec_get_json (), procfun_schema_get_child (schema, 0), json, error);

  return value != NULL ? g_variant_ref_sink (g_variant_new_tuple (&value, 1)) : NULL;
}

static gboolean
looks_like_list (GBytes *json)
{
  gsize size;
  const char *text = g_bytes_get_data (json, &size);
  gsize i = 0;

  while (i < size && g_ascii_isspace (text[i]))
    i++;
  return i < size && (text[i] == '[' || text[i] == '{');
}

/* Whether a value can be an array or object in JSON itself. */
static gboolean
is_ambiguous (ProcfunSchema *schema)
{
  const GVariantType *type = procfun_schema_get_variant_type (procfun_schema_get_child (schema, 0));

  return !g_variant_type_is_basic (type);
}

GVariant *
program_decode_arguments (ProcfunSchema *schema, GBytes *json, GError **error)
{
  ProcfunCodec *codec = procfun_codec_get_json ();
  GVariant *args;

  if (procfun_schema_get_n_children (schema) != 1)
    return procfun_codec_decode (codec, schema, json, error);
  if (!looks_like_list (json))
    return decode_only (schema, json, error);
  if (!is_ambiguous (schema))
    return procfun_codec_decode (codec, schema, json, error);
  args = procfun_codec_decode (codec, schema, json, NULL);
  return args != NULL ? args : decode_only (schema, json, error);
}

GVariant *
program_read_arguments (ProcfunFunction *function, const char *text, GError **error)
{
  g_autoptr (GBytes) json = command_line_read_json (text, error);
  g_autofree char *description = NULL;
  GVariant *args;

  if (json == NULL)
    return NULL;
  args = program_decode_arguments (procfun_function_get_arguments_schema (function), json, error);
  if (args != NULL)
    return args;
  description = program_describe_arguments (function);
  g_prefix_error (error, _ ("the arguments of %s (%s) cannot be read: "),
                  procfun_function_get_name (function), description);
  return NULL;
}
