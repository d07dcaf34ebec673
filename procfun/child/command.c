/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "procfun/child/command.h"

#include "procfun/child/command-line.h"
#include "procfun/platform/self.h"
#include "procfun/wire/setup.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "procfun/child/setup.h"

static gboolean
may_be_child (void)
{
  return getauxval (AT_SECURE) == 0 && setup_has_descriptors ();
}

gboolean
command_is_variable_set (void)
{
  const char *value = getenv (COMMAND_LINE_VARIABLE);

  return getauxval (AT_SECURE) == 0 && value != NULL && strcmp (value, "1") == 0;
}

/* -1: it is there, and cannot be read. */
static gssize
read_command_line (char *text, gsize size)
{
  int fd = open ("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
  gssize n;

  if (fd < 0)
    return errno == ENOENT ? 0 : -1;
  do
    n = read (fd, text, size);
  while (n < 0 && errno == EINTR);
  close (fd);
  return n;
}

/* The first argument in @text, which ends at *@end; empty where there is none. A child or a host
 * that took itself for the program would start others, without end. */
static const char *
read_first_argument (char *text, gsize size, const char **end)
{
  gssize n = read_command_line (text, size - 1);

  if (n < 0 && (may_be_child () || command_is_variable_set ()))
    setup_end_without_command_line ();
  text[MAX (n, 0)] = '\0';
  *end = text + MAX (n, 0);
  return MIN (text + strlen (text) + 1, *end);
}

/* The name of the program comes first. */
#define TEXT_SIZE (2 * PATH_MAX)

gboolean
command_first_argument_begins (const char *prefix, gsize size)
{
  char text[TEXT_SIZE];
  const char *end;
  const char *first = read_first_argument (text, sizeof text, &end);

  return first + size <= end && memcmp (first, prefix, size) == 0;
}

/* Of a function, as text. */
#define HASH_SIZE 16

gboolean
command_is_child (void)
{
  return may_be_child ()
         && command_first_argument_begins (SETUP_ARGUMENT_PREFIX, sizeof SETUP_ARGUMENT_PREFIX - 1);
}

gboolean
command_has_lost_descriptors (void)
{
  char text[TEXT_SIZE];
  const char *end;
  const char *first = read_first_argument (text, sizeof text, &end);
  const gsize prefix_size = sizeof SETUP_ARGUMENT_PREFIX - 1;

  if (strncmp (first, SETUP_ARGUMENT_PREFIX, prefix_size) != 0 || getauxval (AT_SECURE) != 0
      || setup_has_descriptors ())
    return FALSE;
  first += prefix_size;
  return strcmp (first, SETUP_ZYGOTE) == 0
         || (strlen (first) == HASH_SIZE && strspn (first, "0123456789abcdef") == HASH_SIZE);
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
  g_autoptr (Command) command = getauxval (AT_SECURE) == 0 ? command_new () : NULL;

  if (command == NULL || !command->in_main)
    return FALSE;
  if (!setup_has_descriptors ())
    setup_end_without_descriptors ();
  return TRUE;
}

void
command_free (Command *self)
{
  g_strfreev (self->argv);
  g_free (self);
}
