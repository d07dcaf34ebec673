/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <procfun.h>

/* An executor of somebody else's, which keeps what it is told, and runs each call when it is told.
 */
#define TEST_TYPE_MANUAL_EXECUTOR (test_manual_executor_get_type ())
G_DECLARE_FINAL_TYPE (TestManualExecutor, test_manual_executor, TEST, MANUAL_EXECUTOR,
                      ProcfunExecutor)

void test_manual_executor_answer_all (TestManualExecutor *self);
