/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "procfun/child/command.h"

#include "procfun/wire/setup.h"
#include <fcntl.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "procfun/child/setup.h"

#define PREFIX_SIZE (sizeof SETUP_ARGUMENT_PREFIX - 1)

gboolean
command_first_argument_begins (const char *prefix, gsize size)
{
  char text[4096];
  int fd = open ("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
  gssize n = fd >= 0 ? read (fd, text, sizeof text - 1) : 0;
  const char *first;

  if (fd >= 0)
    close (fd);
  text[MAX (n, 0)] = '\0';
  first = text + strlen (text) + 1;
  return first + size <= text + n && memcmp (first, prefix, size) == 0;
}

gboolean
command_is_child (gboolean only_first)
{
  g_autoptr (Command) command = NULL;

  if (getauxval (AT_SECURE) != 0 || !setup_has_descriptors ())
    return FALSE;
  if (only_first)
    return command_first_argument_begins (SETUP_ARGUMENT_PREFIX, PREFIX_SIZE);
  command = command_new ();
  return command != NULL;
}

char **
command_read_argv (void)
{
  g_autofree char *text = NULL;
  gsize size;
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();

  if (g_file_get_contents ("/proc/self/cmdline", &text, &size, NULL))
    for (const char *at = text; at < text + size; at += strlen (at) + 1)
      g_strv_builder_add (builder, at);
  return g_strv_builder_end (builder);
}

Command *
command_new (void)
{
  g_auto (GStrv) argv = command_read_argv ();

  for (gsize i = 0; argv[i] != NULL; i++)
    if (i > 0 && g_str_has_prefix (argv[i], SETUP_ARGUMENT_PREFIX) && argv[i + 1] != NULL)
      {
        Command *self = g_new0 (Command, 1);

        self->hash = argv[i] + PREFIX_SIZE;
        self->name = argv[i + 1];
        self->rest = argv + i + 2;
        self->argv = g_steal_pointer (&argv);
        return self;
      }
  return NULL;
}

void
command_free (Command *self)
{
  g_strfreev (self->argv);
  g_free (self);
}
