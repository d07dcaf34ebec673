/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tools/monitor-view.h"

#include "procfun/base/intl.h"
#include "procfun/base/readable.h"
#include "tools/table.h"

/* It is another program that told all this, so nothing need be there. */

static JsonObject *
get_object (JsonObject *object, const char *member)
{
  JsonNode *node = object != NULL ? json_object_get_member (object, member) : NULL;

  return node != NULL && JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
}

static gint64
get_int (JsonObject *object, const char *member)
{
  JsonNode *node = object != NULL ? json_object_get_member (object, member) : NULL;

  return node != NULL && JSON_NODE_HOLDS_VALUE (node) ? json_node_get_int (node) : 0;
}

static double
get_double (JsonObject *object, const char *member)
{
  JsonNode *node = object != NULL ? json_object_get_member (object, member) : NULL;

  return node != NULL && JSON_NODE_HOLDS_VALUE (node) ? json_node_get_double (node) : 0;
}

/* Without what would steer the terminal. */
static char *
get_text (JsonObject *object, const char *member)
{
  JsonNode *node = json_object_get_member (object, member);
  const char *text = node != NULL && json_node_get_value_type (node) == G_TYPE_STRING
                         ? json_node_get_string (node)
                         : "";

  return readable_line (text, -1);
}

/* Those elements that are objects. (element-type JsonObject) */
static GPtrArray *
get_objects (JsonObject *object, const char *member)
{
  GPtrArray *objects = g_ptr_array_new ();
  JsonNode *node = object != NULL ? json_object_get_member (object, member) : NULL;
  JsonArray *array
      = node != NULL && JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;

  for (guint i = 0; array != NULL && i < json_array_get_length (array); i++)
    {
      JsonNode *element = json_array_get_element (array, i);

      if (JSON_NODE_HOLDS_OBJECT (element))
        g_ptr_array_add (objects, json_node_get_object (element));
    }
  return objects;
}

static JsonObject *
get_root (JsonNode *told)
{
  return JSON_NODE_HOLDS_OBJECT (told) ? json_node_get_object (told) : NULL;
}

/* Quantities */

static char *
format_time (gint64 us)
{
  if (us < G_TIME_SPAN_MILLISECOND)
    return g_strdup_printf (_ ("%d µs"), (int)us);
  if (us < G_TIME_SPAN_SECOND)
    return g_strdup_printf (_ ("%.1f ms"), (double)us / G_TIME_SPAN_MILLISECOND);
  return g_strdup_printf (_ ("%.2f s"), (double)us / G_TIME_SPAN_SECOND);
}

static char *
format_age (gint64 us)
{
  gint64 seconds = us / G_TIME_SPAN_SECOND;

  return g_strdup_printf ("%" G_GINT64_FORMAT ":%02d:%02d", seconds / 3600,
                          (int)(seconds / 60 % 60), (int)(seconds % 60));
}

static char *
format_count (gint64 count)
{
  return g_strdup_printf ("%" G_GINT64_FORMAT, count);
}

/* Tables */

#define ALL_BUT(first, last) (((1u << (last)) - 1) & ~((1u << (first)) - 1))

static GPtrArray *
make_rows (char **heading)
{
  GPtrArray *rows = g_ptr_array_new_with_free_func ((GDestroyNotify)g_strfreev);

  g_ptr_array_add (rows, heading);
  return rows;
}

#define N_EXECUTOR_COLUMNS 12

static char **
make_executor_heading (void)
{
  const char *const cells[N_EXECUTOR_COLUMNS + 1]
      = { _ ("EXECUTOR"), _ ("AGE"),    _ ("RUNNING"), _ ("QUEUED"), _ ("DONE"), _ ("FAILED"),
          _ ("CALLS/S"),  _ ("MEDIAN"), "P90",         "P99",        _ ("MAX"),  _ ("FAILURES") };

  return g_strdupv ((char **)cells);
}

static char *
describe_failures (JsonObject *executor)
{
  JsonObject *causes = get_object (executor, "causes");
  GString *text = g_string_new (NULL);
  JsonObjectIter iter;
  const char *cause;
  JsonNode *node;

  if (causes == NULL)
    return g_string_free (text, FALSE);
  json_object_iter_init_ordered (&iter, causes);
  while (json_object_iter_next_ordered (&iter, &cause, &node))
    if (get_int (causes, cause) > 0 && g_utf8_strlen (cause, -1) < 40)
      g_string_append_printf (text, "%s%" G_GINT64_FORMAT " %s", text->len > 0 ? ", " : "",
                              get_int (causes, cause), cause);
  return g_string_free (text, FALSE);
}

static char *
name_executor (JsonObject *executor)
{
  g_autofree char *type = get_text (executor, "executor");

  return g_strdup_printf ("%s %" G_GINT64_FORMAT, type, get_int (executor, "number"));
}

static char **
make_executor_row (JsonObject *executor)
{
  JsonObject *latency = get_object (executor, "latency");
  char **row = g_new0 (char *, N_EXECUTOR_COLUMNS + 1);

  row[0] = name_executor (executor);
  row[1] = format_age (get_int (executor, "age"));
  row[2] = format_count (get_int (executor, "running"));
  row[3] = format_count (get_int (executor, "queued"));
  row[4] = format_count (get_int (executor, "succeeded"));
  row[5] = format_count (get_int (executor, "failed"));
  row[6] = g_strdup_printf ("%.1f", get_double (executor, "rate"));
  row[7] = format_time (get_int (latency, "p50"));
  row[8] = format_time (get_int (latency, "p90"));
  row[9] = format_time (get_int (latency, "p99"));
  row[10] = format_time (get_int (latency, "max"));
  row[11] = describe_failures (executor);
  return row;
}

#define N_WORKER_COLUMNS 6

static char **
make_worker_heading (void)
{
  const char *const cells[N_WORKER_COLUMNS + 1]
      = { _ ("PID"), _ ("STATE"), _ ("AGE"), _ ("CALLS"), _ ("MEMORY"), _ ("EXECUTOR") };

  return g_strdupv ((char **)cells);
}

static char **
make_worker_row (JsonObject *executor, JsonObject *worker)
{
  char **row = g_new0 (char *, N_WORKER_COLUMNS + 1);

  row[0] = format_count (get_int (worker, "pid"));
  row[1] = get_text (worker, "state");
  row[2] = format_age (get_int (worker, "age"));
  row[3] = format_count (get_int (worker, "calls"));
  row[4] = g_format_size_full ((guint64)get_int (worker, "memory"), G_FORMAT_SIZE_IEC_UNITS);
  row[5] = name_executor (executor);
  return row;
}

static void
append_table (GString *text, GPtrArray *rows, guint n_columns, guint right)
{
  g_autoptr (GString) table = table_make (rows, n_columns, right);

  g_string_append_printf (text, "\n\n%s", table->str);
}

char *
monitor_view_process (JsonNode *told)
{
  JsonObject *root = get_root (told);
  g_autoptr (GPtrArray) executors = get_objects (root, "executors");
  g_autoptr (GPtrArray) executor_rows = make_rows (make_executor_heading ());
  g_autoptr (GPtrArray) worker_rows = make_rows (make_worker_heading ());
  g_autofree char *program = root != NULL ? get_text (root, "program") : g_strdup ("");
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < executors->len; i++)
    {
      JsonObject *executor = executors->pdata[i];
      g_autoptr (GPtrArray) workers = get_objects (executor, "workers");

      g_ptr_array_add (executor_rows, make_executor_row (executor));
      for (guint k = 0; k < workers->len; k++)
        g_ptr_array_add (worker_rows, make_worker_row (executor, workers->pdata[k]));
    }
  g_string_append_printf (text, "%s (%" G_GINT64_FORMAT ")", program, get_int (root, "pid"));
  append_table (text, executor_rows, N_EXECUTOR_COLUMNS, ALL_BUT (1, N_EXECUTOR_COLUMNS - 1));
  if (worker_rows->len > 1)
    append_table (text, worker_rows, N_WORKER_COLUMNS, ALL_BUT (2, N_WORKER_COLUMNS - 1) | 1);
  return g_string_free (text, FALSE);
}

static char **
make_process_row (JsonNode *told)
{
  JsonObject *root = get_root (told);
  g_autoptr (GPtrArray) executors = get_objects (root, "executors");
  char **row = g_new0 (char *, 4);

  row[0] = format_count (get_int (root, "pid"));
  row[1] = format_count (executors->len);
  row[2] = root != NULL ? get_text (root, "program") : g_strdup ("");
  return row;
}

char *
monitor_view_list (GPtrArray *told)
{
  const char *const heading[] = { _ ("PID"), _ ("EXECUTORS"), _ ("PROGRAM"), NULL };
  g_autoptr (GPtrArray) rows = make_rows (g_strdupv ((char **)heading));

  for (guint i = 0; i < told->len; i++)
    g_ptr_array_add (rows, make_process_row (told->pdata[i]));
  return g_string_free (table_make (rows, 3, ALL_BUT (0, 2)), FALSE);
}
