/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "procfun/child/serve.h"

/* A process that was executed to fork others, each of which then serves calls like any child:
 * small, with one thread, and without anything that a fork would share with it. Ends with the
 * caller. */
void zygote_serve (Server *server) G_GNUC_NORETURN;
