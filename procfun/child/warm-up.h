/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/child/serve.h"

/* Lets @server, which does not serve yet, answer a call that nobody sees. So symbols are looked up
 * and bound, libraries loaded and pages written to before the first call, of this process or of
 * those that it forks. After the SETUP of the caller. */
void warm_up (Server *server);

/* The same in a process that was forked, unless its first call is there, or comes at once. */
void warm_up_unless_called (Server *server);
