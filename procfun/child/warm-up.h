/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Does once, for nothing, what a small call does: in a nursery all is then loaded and bound, and in
 * a process that was forked from it the memory is its own that the first call would have to copy. */
void warm_up (void);
