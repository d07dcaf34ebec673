/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The tool: lists and calls the functions of programs and libraries. Each command is a file
 * cmd-NAME.c. */

#include "tools/commands.h"

#include "procfun/base/intl.h"
#include "procfun/platform/fds.h"
#include "tools/host-check.h"
#include <fcntl.h>
#include <locale.h>
#include <procfun.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct
{
  const char *name;
  int (*run) (int argc, char **argv);
  const char *summary;
} commands[] = {
  { "bench", command_bench, N_ ("measure how long calls of a function take") },
  { "call", command_call, N_ ("call a function in a process of its own") },
  { "engine", command_engine, N_ ("prepare where calls wait for other machines") },
  { "hosts", command_hosts, N_ ("check which hosts can be reached") },
  { "list", command_list, N_ ("list the functions of a program or library") },
  { "map", command_map, N_ ("call a function for each line of stdin") },
  { "monitor", command_monitor, N_ ("show what the executors of a running program do") },
  { "worker", command_worker, N_ ("take calls from another machine") },
};

static void
print_usage (FILE *to)
{
  fprintf (to, _ ("Usage: procfun COMMAND [ARGUMENT…]\n\nCommands:\n"));
  for (gsize i = 0; i < G_N_ELEMENTS (commands); i++)
    fprintf (to, "  %-8s %s\n", commands[i].name, _ (commands[i].summary));
  fprintf (to, _ ("\n“procfun COMMAND --help” says more, and so does procfun(1).\n"));
}

static void
replace_by_null (int fd, int flags)
{
  int null = open ("/dev/null", flags | O_CLOEXEC);

  dup2 (null, fd);
  close (null);
}

/* A closed stdin must not become an empty file, nor a closed stdout one that takes everything:
 * reading and writing fail. */
static void
fill_standard (void)
{
  const gboolean has_input = fcntl (STDIN_FILENO, F_GETFD) >= 0;
  const gboolean has_output = fcntl (STDOUT_FILENO, F_GETFD) >= 0;

  fds_fill_standard (); /* files opened later must not become a standard stream */
  if (!has_input)
    replace_by_null (STDIN_FILENO, O_WRONLY);
  if (!has_output)
    replace_by_null (STDOUT_FILENO, O_RDONLY);
}

int
main (int argc, char **argv)
{
  host_check_answer ();
  fill_standard ();
  signal (SIGCHLD, SIG_DFL); /* ignored signals are inherited, and exit statuses would be lost */
  g_log_writer_default_set_use_stderr (TRUE); /* stdout has results alone */
  setlocale (LC_ALL, "");
  if (argc < 2)
    {
      print_usage (stderr);
      return STATUS_USAGE;
    }
  for (gsize i = 0; i < G_N_ELEMENTS (commands); i++)
    if (strcmp (argv[1], commands[i].name) == 0)
      return commands[i].run (argc - 1, argv + 1);
  if (strcmp (argv[1], "--version") == 0 || strcmp (argv[1], "-V") == 0)
    return (int)command_print_version ();
  if (strcmp (argv[1], "--help") == 0 || strcmp (argv[1], "-h") == 0
      || strcmp (argv[1], "help") == 0)
    {
      print_usage (stdout);
      return STATUS_DONE;
    }
  fprintf (stderr, _ ("procfun: there is no command “%s”\n"), argv[1]);
  print_usage (stderr);
  return STATUS_USAGE;
}
