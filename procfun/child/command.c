/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "procfun/child/command.h"

#include "procfun/platform/self.h"
#include "procfun/wire/setup.h"
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "procfun/child/setup.h"

gboolean
command_first_argument_begins (const char *prefix, gsize size)
{
  char text[2 * PATH_MAX]; /* the name of the program comes first */
  int fd = open ("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
  gssize n = fd >= 0 ? read (fd, text, sizeof text - 1) : 0;
  const char *first;

  if (fd >= 0)
    close (fd);
  text[MAX (n, 0)] = '\0';
  first = text + strlen (text) + 1;
  return first + size <= text + n && memcmp (first, prefix, size) == 0;
}

static gboolean
may_be_child (void)
{
  return getauxval (AT_SECURE) == 0 && setup_has_descriptors ();
}

gboolean
command_is_child (void)
{
  return may_be_child ()
         && command_first_argument_begins (SETUP_ARGUMENT_PREFIX, sizeof SETUP_ARGUMENT_PREFIX - 1);
}

gboolean
command_is_zygote (void)
{
  static const char prefix[] = SETUP_ARGUMENT_PREFIX SETUP_ZYGOTE;

  return command_first_argument_begins (prefix, sizeof prefix);
}

static gboolean
begins_command (char **argv, gsize i)
{
  return (i == 1 && g_str_has_prefix (argv[i], SETUP_ARGUMENT_PREFIX))
         || (i > 0 && g_str_has_prefix (argv[i], SETUP_MAIN_ARGUMENT_PREFIX));
}

Command *
command_new (void)
{
  g_auto (GStrv) argv = self_read_command_line ();

  for (gsize i = 0; argv[i] != NULL; i++)
    if (begins_command (argv, i) && argv[i + 1] != NULL)
      {
        Command *self = g_new0 (Command, 1);

        self->in_main = g_str_has_prefix (argv[i], SETUP_MAIN_ARGUMENT_PREFIX);
        self->hash = strchr (argv[i], '=') + 1;
        self->is_zygote = strcmp (self->hash, SETUP_ZYGOTE) == 0;
        self->name = argv[i + 1];
        self->rest = argv + i + 2;
        self->argv = g_steal_pointer (&argv);
        return self;
      }
  return NULL;
}

gboolean
command_is_child_in_main (void)
{
  g_autoptr (Command) command = may_be_child () ? command_new () : NULL;

  return command != NULL && command->in_main;
}

void
command_free (Command *self)
{
  g_strfreev (self->argv);
  g_free (self);
}
