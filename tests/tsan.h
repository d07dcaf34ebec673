/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

/* Makes the linker take tests/tsan.c. */
void tsan_init (void);
