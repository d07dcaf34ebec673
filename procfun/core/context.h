/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/procfun-context.h"
#include "procfun/procfun-function.h"
#include <gio/gunixfdlist.h>

G_BEGIN_DECLS

/* A function that runs, as it can ask for it. */
typedef struct
{
  GCancellable *cancellable;
  gint64 deadline;                     /* monotonic time in µs; 0: none */
  void (*listen) (gpointer user_data); /* (nullable): the function asked for its cancellable, for
                                          the first time */
  void (*report_progress) (double fraction, const char *message, gpointer user_data);
  ProcfunFunction
      *generator; /* (nullable): whose items go to @yield, which says whether more are wanted */
  gboolean (*yield) (GVariant *item, GUnixFDList *fds, gpointer user_data);
  GError *item_error; /* (nullable): the first item that could not be sent: @generator has failed */
  gpointer user_data;
  gint listens;
  gint64 reported_at;
} Running;

/* In a child there is one at a time, which all threads see; in the process of the caller, each
 * thread may run one. Gives back the one before, which is to be set again in the end. */
Running *procfun_context_set_running (Running *running);

/* An item of @generator, or (%NULL) of whichever runs. FALSE: no more is wanted, or @generator is
 * not what runs.
 * @fds: (nullable) */
gboolean procfun_context_wants_item (ProcfunFunction *generator);
gboolean procfun_context_yield (GVariant *item, GUnixFDList *fds);

/* An item cannot be sent: takes @error. */
void procfun_context_fail_item (GError *error);

/* How deep calls are nested around this process: 0 in a program that nobody called. */
void procfun_context_set_depth (guint depth);
guint procfun_context_get_depth (void);

/* This process was started for a call. */
void procfun_context_set_child (void);

/* main() comes by procfun_registry_serve(), so that a child finds what is registered at run time.
 */
void procfun_context_set_serves (void);
gboolean procfun_context_serves (void);

G_END_DECLS
