/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/process/zygote.h"

/* The nurseries of an executor: one for each module whose functions it has run. Any thread may ask.
 */
typedef struct _Nurseries Nurseries;

Nurseries *nurseries_new (void);

/* Ends them. The second is for going on later. */
void nurseries_free (Nurseries *self);
void nurseries_clear (Nurseries *self);

/* What has one nursery: the script, the program, or the file of a library. */
const char *nurseries_get_key (ProcfunFunction *function);

/* A process for @function, as nursery_fork() gives it; where no nursery can be had, one that is
 * executed. Fails as launch() does. */
gboolean nurseries_fork (Nurseries *self, ProcfunFunction *function, const ExchangeOptions *options,
                         guint idle, Worker *worker, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Nurseries, nurseries_free)
