/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* procfun list: the functions of a program or library, as a table or as JSON. */

#include "tools/commands.h"

#include "procfun/base/intl.h"
#include "tools/elf.h"
#include "tools/program.h"
#include "tools/table.h"

#define N_COLUMNS 3

static gboolean as_json;
static gboolean names_only;

static const GOptionEntry entries[]
    = { { "json", 0, 0, G_OPTION_ARG_NONE, &as_json,
          N_ ("print JSON, with the names of fields and enumerators"), NULL },
        { "names", 0, 0, G_OPTION_ARG_NONE, &names_only,
          N_ ("print names, and do not execute the program"), NULL },
        { NULL } };

static char **
make_row (ProcfunFunction *function)
{
  const GVariantType *type = procfun_function_get_return_type (function);
  g_autofree char *args = program_describe_arguments (function);
  ProcfunFunctionFlags flags = procfun_function_get_flags (function);
  gboolean fails = (flags & PROCFUN_FUNCTION_WITH_ERROR) != 0;
  gboolean yields = (flags & PROCFUN_FUNCTION_GENERATOR) != 0;
  g_autofree char *result = g_strdup_printf ("%.*s%s", (int)g_variant_type_get_string_length (type),
                                             g_variant_type_peek_string (type), yields ? "*" : "");
  char **row = g_new0 (char *, N_COLUMNS + 1);

  row[0] = g_strdup (procfun_function_get_hash (function));
  row[1] = g_strdup_printf ("%s (%s)", procfun_function_get_name (function), args);
  row[2] = fails ? g_strdup_printf (_ ("%s or an error"), result) : g_steal_pointer (&result);
  return row;
}

static char **
make_heading (void)
{
  char **row = g_new0 (char *, N_COLUMNS + 1);

  row[0] = g_strdup (_ ("HASH"));
  row[1] = g_strdup (_ ("FUNCTION"));
  row[2] = g_strdup (_ ("RESULT"));
  return row;
}

static GString *
make_table (GPtrArray *functions)
{
  g_autoptr (GPtrArray) rows = g_ptr_array_new_with_free_func ((GDestroyNotify)g_strfreev);

  g_ptr_array_add (rows, make_heading ());
  for (guint i = 0; i < functions->len; i++)
    g_ptr_array_add (rows, make_row (functions->pdata[i]));
  return table_make (rows, N_COLUMNS, 0);
}

static int
list_names (const char *path)
{
  g_auto (Elf) elf = { 0 };
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;

  if (!elf_read (&elf, path, &error))
    return command_fail (error, STATUS_USAGE);
  text = g_strjoinv ("\n", elf.functions);
  return command_print (text, strlen (text)) ? STATUS_DONE : STATUS_USAGE;
}

static int
list_all (const char *path)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (Program) program = program_open (path, &error);
  g_autoptr (GString) text = NULL;

  if (program == NULL)
    return command_fail (error, STATUS_USAGE);
  if (as_json)
    {
      g_autofree char *json = json_to_string (program->list, TRUE);

      text = g_string_new (json);
    }
  else
    text = make_table (program->functions);
  return command_print (text->str, text->len) ? STATUS_DONE : STATUS_USAGE;
}

int
command_list (int argc, char **argv)
{
  if (!command_parse (&argc, &argv, entries, _ ("PROGRAM|LIBRARY.so"),
                      _ ("Lists the functions that the program or library defines with procfun. "
                         "Types are GVariant's."),
                      1, 1))
    return STATUS_USAGE;
  return names_only ? list_names (argv[1]) : list_all (argv[1]);
}
