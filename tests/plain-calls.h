/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/core/plain-call.h"
#include <procfun.h>

/* Calls that ask for nothing special: functions for them, and what is the same for all executors.
 * They go to the default executor. */

PROCFUN_DECLARE_FUNCTION (get_nothing, void)
PROCFUN_DECLARE_FUNCTION (give_int, gint, (gint, value))
PROCFUN_DECLARE_FUNCTION (give_string, char *, (const char *, value))
PROCFUN_DECLARE_FUNCTION (report_half, gint)
PROCFUN_DECLARE_FUNCTION (stay_for_ever, void)
PROCFUN_DECLARE_FUNCTION_WITH_ERROR (fail_so, gint, (gint, code))

/* For plain_call_run(): the macros keep it in one file. */
extern ProcfunDefinition *const give_int_definition;

/* Calls, and says whether that took an object. */
PlainCallStatus plain_call_run (ProcfunDefinition *definition, gconstpointer const *values,
                                gpointer result);

/* Calls until a call took no object: on a busy machine an answer may take longer than anybody looks
 * for it. */
void assert_needs_no_object (ProcfunDefinition *definition, gint value);

/* The call as an object fails in the same way. Takes both. */
void assert_same_error (GError *error, ProcfunCall *call);

/* Errors of the function, and results that cannot be sent. */
void assert_same_errors (gint n_times);

/* Four threads make @n_calls calls each, and each gets its own results. */
void assert_right_from_threads (gint n_calls);
