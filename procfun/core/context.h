/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/procfun-context.h"
#include "procfun/procfun-function.h"
#include <gio/gunixfdlist.h>

G_BEGIN_DECLS

/* Report of the running function to its caller. */
typedef struct
{
  const char *name; /* static, of at most 15 bytes */
  double number;
  const char *text;  /* (nullable) */
  gboolean may_wait; /* where several come quickly, the first and the last are enough */
} Event;

/* Running function, as it sees itself through <procfun-context.h>. */
typedef struct
{
  GCancellable *cancellable;
  gint64 deadline;                     /* monotonic time in µs; 0: none */
  void (*listen) (gpointer user_data); /* (nullable): the function asked for its cancellable, for
                                          the first time */
  void (*report) (const Event *event, gpointer user_data); /* (nullable) */
  ProcfunFunction
      *generator; /* (nullable): its items go to @yield, which returns whether more are wanted */
  gboolean (*yield) (GVariant *item, GUnixFDList *fds, gpointer user_data);
  GError *item_error; /* (nullable): the first item that could not be sent: @generator has failed */
  gpointer user_data;
  gint listens;
  gint64 reported_at;
} Running;

/* Sets the running function: one for all threads of a child, one for each thread in the process of
 * the caller. Returns the one before, to be set again at the end. */
Running *procfun_context_set_running (Running *running);

/* Gives an item of @generator, or of the running function (%NULL). FALSE: no more are wanted, or
 * @generator does not run. @fds: (nullable) */
gboolean procfun_context_wants_item (ProcfunFunction *generator);
gboolean procfun_context_yield (GVariant *item, GUnixFDList *fds);

/* Makes the generator fail: an item could not be sent. Takes @error. */
void procfun_context_fail_item (GError *error);

/* Depth of nested calls around this process: 0 in a program that nobody called. */
void procfun_context_set_depth (guint depth);
guint procfun_context_get_depth (void);

/* Marks this process as one that was started for a call. */
void procfun_context_set_child (void);

/* Marks this program as one that calls procfun_registry_serve(), so that a child finds functions
 * that are registered at run time. */
void procfun_context_set_serves (void);
gboolean procfun_context_serves (void);

G_END_DECLS
