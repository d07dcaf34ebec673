/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "procfun/base/usage.h"
#include "procfun/core/failure.h"
#include "procfun/process/naming.h"

/* Report that a child wrote into its pipe. It is read as untrusted bytes. */

/* All that is ever worth reading from the pipe, in bytes. */
#define CRASH_REPORT_MAX (256 * 1024)

/* Facts for a verdict that the failure has no fields for. */
typedef struct
{
  gboolean died; /* it reported a death: signum and so on of the failure are set */
  int error_number;
  gboolean memory_exhausted;
  gboolean files_exhausted;
  gboolean has_usage;
  ProcfunUsage usage;
} CrashFacts;

/* Whether all stacks that were asked for by CRASH_STACKS_SIGNAL have come. */
gboolean crash_report_has_stacks (const guint8 *data, gsize size);

/* Whether it says that the process is about to die, and of what. */
gboolean crash_report_has_death (const guint8 *data, gsize size);

/* To find the names of its places: of the thread that has died, or of all. Files that the report
 * alone names are not looked at: they are of this process, of its child @parent (0: none), or the
 * @program (nullable). (transfer full) (nullable): there is nothing that could be found out. */
Naming *crash_report_new_naming (GBytes *bytes, pid_t parent, const char *program);

/* Fills in what @bytes say of @failure: signal, addresses, message, backtrace. @names: (nullable):
 * answer to @request (nullable). A backtrace whose names were not asked for, or one of all threads,
 * as there is without a death, is made when somebody reads it. FALSE when they say nothing. */
gboolean crash_report_parse (GBytes *bytes, GBytes *request, GBytes *names, ProcfunFailure *failure,
                             CrashFacts *facts);

/* Takes the message of g_error(), which is nowhere but in @last_words (nullable), the end of what
 * the process has written to stderr. */
void crash_report_read_words (const char *last_words, ProcfunFailure *failure);
