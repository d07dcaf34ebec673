/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* procfun monitor: the executors of a running program, as it goes on. */

#include "tools/commands.h"

#include "procfun/base/intl.h"
#include "procfun/platform/fds.h"
#include "tools/live.h"
#include "tools/monitor-client.h"
#include "tools/monitor-view.h"
#include <gio/gio.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

static gboolean as_json;
static gboolean as_openmetrics;
static gboolean once;

static const GOptionEntry entries[]
    = { { "once", 'o', 0, G_OPTION_ARG_NONE, &once,
          N_ ("print it once, also when stdout is a terminal"), NULL },
        { "json", 0, 0, G_OPTION_ARG_NONE, &as_json, N_ ("print JSON, once"), NULL },
        { "openmetrics", 0, 0, G_OPTION_ARG_NONE, &as_openmetrics,
          N_ ("print the text format of OpenMetrics, once"), NULL },
        { NULL } };

static JsonNode *
ask (int fd, GError **error)
{
  g_autofree char *text = monitor_ask (fd, "json", "\n", error);
  g_autoptr (GError) own_error = NULL;
  JsonNode *node;

  if (text == NULL)
    return NULL;
  node = json_from_string (text, &own_error);
  if (node == NULL)
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                         _ ("what the process answers cannot be read"));
  return node;
}

/* Which process */

static int
list (GArray *pids)
{
  g_autoptr (GPtrArray) told = g_ptr_array_new_with_free_func ((GDestroyNotify)json_node_unref);
  g_autofree char *text = NULL;

  for (guint i = 0; i < pids->len; i++)
    {
      auto_fd int fd = monitor_connect (g_array_index (pids, int, i), NULL);
      JsonNode *node = fd >= 0 ? ask (fd, NULL) : NULL;

      if (node != NULL)
        g_ptr_array_add (told, node);
    }
  text = monitor_view_list (told);
  return command_print (text, strlen (text)) ? STATUS_DONE : STATUS_USAGE;
}

/* 0: something is wrong. */
static int
read_pid (const char *text, GError **error)
{
  guint64 pid;

  return g_ascii_string_to_unsigned (text, 10, 1, G_MAXINT, &pid, error) ? (int)pid : 0;
}

/* One process */

static int
print_once (int fd)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) told = NULL;
  g_autofree char *text = NULL;

  if (as_openmetrics)
    text = monitor_ask (fd, "openmetrics", "# EOF\n", &error);
  else if (as_json)
    text = monitor_ask (fd, "json", "\n", &error);
  else if ((told = ask (fd, &error)) != NULL)
    text = monitor_view_process (told);
  if (text == NULL)
    return command_fail (error, STATUS_USAGE);
  return command_print (text, strlen (text)) ? STATUS_DONE : STATUS_USAGE;
}

/* Until the user or the process ends. */
static int
print_live (int fd)
{
  g_autoptr (GError) error = NULL;
  int signum;

  live_begin ();
  do
    {
      g_autoptr (JsonNode) told = ask (fd, &error);
      g_autofree char *text = told != NULL ? monitor_view_process (told) : NULL;

      if (text == NULL)
        break;
      live_show (text);
    }
  while (live_wait ());
  signum = live_end ();
  if (error != NULL)
    return command_fail (
        error, g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CLOSED) ? STATUS_DONE : STATUS_USAGE);
  return signum == 0 || signum == SIGINT ? STATUS_DONE : STATUS_SIGNAL + signum;
}

static int
show (int pid)
{
  g_autoptr (GError) error = NULL;
  auto_fd int fd = monitor_connect (pid, &error);

  if (fd < 0)
    return command_fail (error, STATUS_USAGE);
  if (once || as_json || as_openmetrics || !isatty (STDOUT_FILENO))
    return print_once (fd);
  return print_live (fd);
}

static int
show_only_one (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GArray) pids = monitor_list_processes (&error);

  if (pids == NULL)
    return command_fail (error, STATUS_USAGE);
  if (pids->len == 1)
    return show (g_array_index (pids, int, 0));
  if (pids->len > 0 && !as_json && !as_openmetrics)
    return list (pids);
  fprintf (stderr, pids->len > 0
                       ? _ ("procfun: several processes have opened their monitor; give a PID\n")
                       : _ ("procfun: no process has opened its monitor; start one with "
                            "PROCFUN_MONITOR=1\n"));
  return STATUS_USAGE;
}

int
command_monitor (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  int pid;

  if (!command_parse (&argc, &argv, entries, _ ("[PID]"),
                      _ ("Shows what the executors of a program do that was started with "
                         "PROCFUN_MONITOR=1, and goes on until q or Ctrl-C. Without PID it shows "
                         "the only such program, or lists them."),
                      0, 1))
    return STATUS_USAGE;
  if (argc == 1)
    return show_only_one ();
  pid = read_pid (argv[1], &error);
  return pid > 0 ? show (pid) : command_fail (error, STATUS_USAGE);
}
