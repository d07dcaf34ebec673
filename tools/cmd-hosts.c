/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* procfun hosts: which of the hosts in a list can be reached, and what they are. */

#include "tools/commands.h"

#include "procfun/base/intl.h"
#include "tools/host-check.h"
#include "tools/table.h"
#include "tools/values.h"
#include <json-glib/json-glib.h>
#include <string.h>

#define N_COLUMNS 5
#define RIGHT_COLUMNS (1U << 2 | 1U << 3)

static gboolean as_json;
static gint64 timeout = 10 * G_USEC_PER_SEC;

static gboolean
on_time (const char *option, const char *value, gpointer data, GError **error)
{
  return value_read_time (option, value, &timeout, error);
}

static const GOptionEntry entries[]
    = { { "timeout", 't', 0, G_OPTION_ARG_CALLBACK, (gpointer)on_time,
          N_ ("give up a host that does not answer within this time (10s if not given)"),
          N_ ("TIME") },
        { "json", 0, 0, G_OPTION_ARG_NONE, &as_json, N_ ("print JSON"), NULL },
        { NULL } };

/* As a table */

static char **
make_heading (void)
{
  const char *const cells[]
      = { _ ("HOST"), _ ("STATE"), _ ("SLOTS"), _ ("ROUND TRIP"), _ ("FUNCTIONS"), NULL };

  return g_strdupv ((char **)cells);
}

static char *
describe_functions (const HostCheck *check)
{
  if (check->n_functions == 0)
    return g_strdup ("");
  return g_strdup_printf (_ ("%u of %u"), check->n_functions - check->missing->len,
                          check->n_functions);
}

static char **
make_row (const HostCheck *check)
{
  char **row = g_new0 (char *, N_COLUMNS + 1);

  row[0] = g_strdup (check->name);
  row[1] = g_strdup (check->error == NULL ? _ ("up") : _ ("down"));
  row[2] = check->error == NULL ? g_strdup_printf ("%u", check->slots) : g_strdup ("");
  row[3] = check->error == NULL ? value_describe_time (check->round_trip) : g_strdup ("");
  row[4] = check->error == NULL ? describe_functions (check) : g_strdup ("");
  return row;
}

static void
explain (const HostCheck *check, GString *text)
{
  if (check->error != NULL)
    g_string_append_printf (text, "\n%s", check->error->message);
  for (guint i = 0; check->error == NULL && i < check->missing->len; i++)
    g_string_append_printf (text, _ ("\n%s has no such %s()"), check->name,
                            (const char *)check->missing->pdata[i]);
}

static GString *
make_table (GPtrArray *checks)
{
  g_autoptr (GPtrArray) rows = g_ptr_array_new_with_free_func ((GDestroyNotify)g_strfreev);
  GString *text;

  g_ptr_array_add (rows, make_heading ());
  for (guint i = 0; i < checks->len; i++)
    g_ptr_array_add (rows, make_row (checks->pdata[i]));
  text = table_make (rows, N_COLUMNS, RIGHT_COLUMNS);
  for (guint i = 0; i < checks->len; i++)
    explain (checks->pdata[i], text);
  return text;
}

/* As JSON */

static void
build_functions (JsonBuilder *builder, const HostCheck *check)
{
  json_builder_set_member_name (builder, "functions");
  json_builder_add_int_value (builder, check->n_functions);
  json_builder_set_member_name (builder, "missing");
  json_builder_begin_array (builder);
  for (guint i = 0; i < check->missing->len; i++)
    json_builder_add_string_value (builder, check->missing->pdata[i]);
  json_builder_end_array (builder);
}

static void
build_host (JsonBuilder *builder, const HostCheck *check)
{
  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "host");
  json_builder_add_string_value (builder, check->name);
  json_builder_set_member_name (builder, "up");
  json_builder_add_boolean_value (builder, check->error == NULL);
  if (check->error != NULL)
    {
      json_builder_set_member_name (builder, "error");
      json_builder_add_string_value (builder, check->error->message);
    }
  else
    {
      json_builder_set_member_name (builder, "slots");
      json_builder_add_int_value (builder, check->slots);
      json_builder_set_member_name (builder, "round-trip");
      json_builder_add_double_value (builder, check->round_trip);
      if (check->n_functions > 0)
        build_functions (builder, check);
    }
  json_builder_end_object (builder);
}

static GString *
make_json (GPtrArray *checks)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (JsonNode) list = NULL;
  g_autofree char *text = NULL;

  json_builder_begin_array (builder);
  for (guint i = 0; i < checks->len; i++)
    build_host (builder, checks->pdata[i]);
  json_builder_end_array (builder);
  list = json_builder_get_root (builder);
  text = json_to_string (list, TRUE);
  return g_string_new (text);
}

static gboolean
are_all_well (GPtrArray *checks)
{
  for (guint i = 0; i < checks->len; i++)
    {
      const HostCheck *check = checks->pdata[i];

      if (check->error != NULL || check->missing->len > 0)
        return FALSE;
    }
  return TRUE;
}

int
command_hosts (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (Program) program = NULL;
  g_autoptr (GPtrArray) checks = NULL;
  g_autoptr (GString) text = NULL;

  if (!command_parse (
          &argc, &argv, entries, _ ("HOSTS [PROGRAM]"),
          _ ("Starts each of the hosts, and prints whether that succeeds, how many calls it runs "
             "at "
             "once, and how\nlong a message takes to it and back. With PROGRAM the hosts run that, "
             "and it is compared which of\nits functions they have; otherwise they run procfun "
             "itself.\n\n"
             "Example:\n"
             "  procfun hosts ssh:alpha*16,ssh:beta ./first\n\n"
             "Exit status: 0 all hosts can be used, 1 one of them cannot, 2 something is wrong "
             "with the command."),
          1, 2))
    return STATUS_USAGE;
  if (argc > 2)
    program = program_open (argv[2], &error);
  if (error == NULL)
    checks = host_check_all (argv[1], program, timeout, &error);
  if (checks == NULL)
    return command_fail (error, STATUS_USAGE);
  text = as_json ? make_json (checks) : make_table (checks);
  if (!command_print (text->str, text->len))
    return STATUS_USAGE;
  return are_all_well (checks) ? STATUS_DONE : STATUS_FUNCTION_FAILED;
}
