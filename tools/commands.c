/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Helpers of all commands. */

#include "tools/commands.h"

#include "procfun/base/intl.h"
#include <errno.h>
#include <procfun.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static gboolean wants_version;

static const GOptionEntry common_entries[]
    = { { "version", 'V', 0, G_OPTION_ARG_NONE, &wants_version, N_ ("print the version"), NULL },
        { NULL } };

Status
command_print_version (void)
{
  g_autofree char *text = g_strdup_printf ("procfun %d.%d.%d", PROCFUN_MAJOR_VERSION,
                                           PROCFUN_MINOR_VERSION, PROCFUN_MICRO_VERSION);

  return command_print (text, strlen (text)) ? STATUS_DONE : STATUS_USAGE;
}

gboolean
command_parse (int *argc, char ***argv, const GOptionEntry *entries, const char *usage,
               const char *description, int min, int max)
{
  g_autoptr (GOptionContext) context = g_option_context_new (usage);
  g_autofree char *name = g_strconcat ("procfun ", (*argv)[0], NULL);
  g_autoptr (GError) error = NULL;

  g_set_prgname (name);
  g_option_context_add_main_entries (context, entries, GETTEXT_PACKAGE);
  g_option_context_add_main_entries (context, common_entries, GETTEXT_PACKAGE);
  g_option_context_set_translation_domain (context, GETTEXT_PACKAGE);
  g_option_context_set_description (context, description);
  if (!g_option_context_parse (context, argc, argv, &error))
    fprintf (stderr, "procfun: %s\n", error->message);
  else if (wants_version)
    exit ((int)command_print_version ());
  else if (*argc - 1 < min || *argc - 1 > max)
    fprintf (stderr, _ ("Usage: %s %s\n“%s --help” says more.\n"), name, usage, name);
  else
    return TRUE;
  return FALSE;
}

int
command_fail (const GError *error, Status status)
{
  fprintf (stderr, "procfun: %s\n", error->message);
  return status;
}

gboolean
command_print (const char *text, gsize size)
{
  fwrite (text, 1, size, stdout);
  putchar ('\n');
  if (fflush (stdout) == 0 && !ferror (stdout))
    return TRUE;
  fprintf (stderr, _ ("procfun: stdout cannot be written: %s\n"), g_strerror (errno));
  return FALSE;
}
