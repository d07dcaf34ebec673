/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <procfun.h>

/* Runs the call to its end; @take gets each item of a generator, and says whether more are wanted.
 * SIGINT, SIGTERM and SIGHUP end it, the first of them by
 * procfun_call_abort(); a second one ends this process at once, and the library sees to it that
 * nothing of the call is left. What the function prints goes to stderr, so that stdout has the
 * result alone.
 *
 * @signum: which signal it was that ended the call; 0: none. (transfer full) (nullable) */
GVariant *run_call (ProcfunCall *call, gboolean (*take) (GVariant *item, gpointer user_data),
                    gpointer user_data, int *signum, GError **error);

/* Until it is put back, what functions print goes to stderr. */
int run_set_stdout_aside (void);
void run_put_stdout_back (int kept);
