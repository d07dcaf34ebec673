/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* The stack of this thread, read in a signal handler: no memory is allocated and no lock taken. The
 * reader follows the content of the stack, and so may crash itself. */

/* Marks a function that StackIsOwn is to know: it stays one function, and begins where its name
 * says. */
#if __has_attribute(noipa)
#define STACK_BOUNDARY __attribute__ ((noipa))
#else
#define STACK_BOUNDARY __attribute__ ((noinline))
#endif

/* Whether the frames from the function that begins at @start on are of no interest. */
typedef gboolean (*StackIsOwn) (gconstpointer start);

typedef struct
{
  guint64 *frames;
  gsize max;
  gsize n;        /* grows while the stack is read, so that it can be interrupted */
  guintptr begin; /* the instruction whose frame is the first; 0: the one that the last signal
                     interrupted */
  gboolean begun;
  guint n_skipped;
  StackIsOwn is_own;
  gboolean met_own;
  gsize n_until_own;
} Stack;

/* Adds the addresses of the frames from that of @begin on; not that address itself. */
void stack_read (Stack *self);

/* Place of a module in memory. */
typedef struct
{
  guintptr bias; /* added to the addresses in the file */
  guintptr start;
  guintptr end;
  const char *path; /* "": the executable */
} StackModule;

/* FALSE: @pc is in none. */
gboolean stack_find_module (guintptr pc, StackModule *module);

/* The build-id of a module, in its loaded part, or NULL. May crash where that part is damaged. */
const guint8 *stack_find_build_id (const StackModule *module, gsize *size);
