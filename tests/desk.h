/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <procfun.h>

/* An executor of somebody else's, which keeps what it is told, and runs each call when it is told.
 */
#define TEST_TYPE_DESK (test_desk_get_type ())
G_DECLARE_FINAL_TYPE (TestDesk, test_desk, TEST, DESK, ProcfunExecutor)

void test_desk_answer_all (TestDesk *self);
