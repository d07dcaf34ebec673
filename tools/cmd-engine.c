/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* procfun engine: what an administrator does where calls to other machines meet. */

#include "tools/commands.h"

#include "procfun/base/intl.h"
#include "procfun/procfun-error.h"
#include "procfun/remote/engine.h"
#include <string.h>

static const GOptionEntry entries[] = { { NULL } };

static gboolean
set_up (const char *word, const char *url, GError **error)
{
  g_autoptr (ProcfunEngine) engine = NULL;

  if (strcmp (word, "setup") != 0)
    {
      g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_INVALID,
                   _ ("nothing can be done with an engine by the word “%s”"), word);
      return FALSE;
    }
  engine = engine_new (url, error);
  return engine != NULL && engine_set_up (engine, error);
}

int
command_engine (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;

  if (!command_parse (
          &argc, &argv, entries, "setup URL",
          _ ("Makes the place where calls wait for hosts, or changes it as URL says. What waits "
             "there stays.\nThat needs rights which callers and hosts need not have.\n\n"
             "Example:\n"
             "  procfun engine setup 'nats://broker:4222/render?lease=10'\n\n"
             "Exit status: 0 it is there, 2 it cannot be made."),
          2, 2))
    return STATUS_USAGE;
  return set_up (argv[1], argv[2], &error) ? STATUS_DONE : command_fail (error, STATUS_USAGE);
}
