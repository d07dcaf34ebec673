/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* procfun worker: a program or library as a host, which takes calls from somewhere else. */

#include "tools/commands.h"

#include "procfun/base/intl.h"
#include "tools/program.h"
#include <stdlib.h>
#include <string.h>

#define MAX_SLOTS 65535

static int slots;
static char *hosts; /* (nullable) */

static const GOptionEntry entries[]
    = { { "slots", 0, 0, G_OPTION_ARG_INT, &slots,
          N_ ("calls that it runs at once; without it, the number of processors"), N_ ("N") },
        { "on", 0, 0, G_OPTION_ARG_STRING, &hosts,
          N_ ("give the calls on to hosts of its own, as ssh:alpha,ssh:beta"), N_ ("HOSTS") },
        { NULL } };

/* Whether an engine is there for it, the program finds out. FALSE: calls cannot come from there. */
static gboolean
take_url (const char *url, GError **error)
{
  if (strchr (url, ':') == NULL)
    {
      g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_INVALID, _ ("“%s” is no URL"), url);
      return FALSE;
    }
  if (strcmp (url, "stdio:") != 0)
    g_setenv ("PROCFUN_HOST_ENGINE", url, TRUE);
  return TRUE;
}

static gboolean
check_options (GError **error)
{
  g_autoptr (ProcfunRemotePool) pool = NULL;

  if (slots < 0 || slots > MAX_SLOTS)
    {
      g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_INVALID,
                   _ ("--slots: %d is no number of calls"), slots);
      return FALSE;
    }
  if (hosts == NULL)
    return TRUE;
  pool = procfun_remote_pool_new (hosts, error);
  g_prefix_error (error, "--on: ");
  return pool != NULL;
}

int
command_worker (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (Program) program = NULL;

  if (!command_parse (&argc, &argv, entries, _ ("URL PROGRAM|LIBRARY.so"),
                      _ ("Takes calls from another machine, and runs them as that asks for. URL "
                         "says where they "
                         "come from;\n“stdio:” is the only one that is built in: standard input "
                         "and output, as of "
                         "ssh.\n\n"
                         "Example, a line of authorized_keys, which binds a key to one program:\n"
                         "  command=\"procfun worker stdio: /opt/bin/first\",restrict ssh-ed25519 "
                         "AAAA… render\n\n"
                         "Exit status: 0 its caller has gone, 1 its caller was silent, 2 something "
                         "is wrong with "
                         "the command."),
                      2, 2))
    return STATUS_USAGE;
  if (take_url (argv[1], &error) && check_options (&error)
      && (program = program_open (argv[2], &error)) != NULL)
    {
      if (hosts != NULL)
        g_setenv ("PROCFUN_HOST_EXECUTOR", hosts, TRUE);
      program_become_host (program, (guint)slots, &error);
    }
  return command_fail (error, STATUS_USAGE);
}
