/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* The command line of this process, where it is one of a child. */
typedef struct
{
  char **argv;
  const char *hash;
  const char *name;
  char *const *rest; /* arguments after the name, NULL-terminated */
  gboolean is_zygote;
  gboolean in_main; /* to be served by procfun_registry_serve() */
} Command;

/* Whether the first argument begins with the @size bytes of @prefix, of which the NUL at its end
 * may be one. Plain system calls, no memory. */
gboolean command_first_argument_begins (const char *prefix, gsize size);

/* Whether the environment says that the command line may ask for more than the program itself does.
 * Without that, a file name that looks like our option would have an effect. */
gboolean command_is_variable_set (void);

/* Whether this process was started for a call, as its command line and its descriptors say. The
 * first is served before main(), the second by a main() that says so; the second form ends a
 * process that has the argument alone. */
gboolean command_is_child (void);
gboolean command_is_child_in_main (void);

/* Whether the first argument is one of a call, but the descriptors are not there. */
gboolean command_has_lost_descriptors (void);

/* Whether a child, as the first of these tells, is there to fork others. */
gboolean command_is_zygote (void);

/* (nullable): NULL when the command line is not of that form. */
Command *command_new (void);
void command_free (Command *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Command, command_free)
