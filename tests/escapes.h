/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <procfun.h>

G_BEGIN_DECLS

/* Ways out of a sandbox, tried by a function that means harm: it handles SIGSYS itself, so that one
 * call tries them all. */

typedef enum
{
  ESCAPE_NEEDS_NOTHING,
  ESCAPE_NEEDS_SCOPE,    /* refused by Landlock's scope, which kernels before Linux 6.12 lack */
  ESCAPE_NEEDS_LANDLOCK, /* refused in any domain of Landlock */
  ESCAPE_NEEDS_X86
} EscapeNeeds;

typedef struct
{
  const char *name;
  ProcfunSandbox refused_from; /* this level on */
  gboolean works_before;       /* and not at the level before it, on any system */
  EscapeNeeds needs;
  long (*try) (void); /* minus an error number, or 0 and more: it got out */
} Escape;

extern const Escape escapes[];
extern const gsize n_escapes;

/* Outcome of an attempt that ended in SIGSYS. */
#define ESCAPE_TRAPPED (-1000)

/* Tries those that are refused at @level, and those that work at it, and tells the outcome of each:
 * ESCAPE_NOT_TRIED for the others. @folder: where files are to be changed. @pid: a process to
 * attack. */
#define ESCAPE_NOT_TRIED (-1001)
void escapes_try (ProcfunSandbox level, const char *folder, int pid, gint32 *outcomes);

G_END_DECLS
