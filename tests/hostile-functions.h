/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <procfun.h>

/* More of what a function should not do, most of which stays until it is ended. Those that are not
 * declared here are for the table of tests/hostile.c, which finds functions by their names. */

/* 64 KiB at a time, all of them @byte. */
PROCFUN_DECLARE_FUNCTION (do_print_for_ever, void, (gint, fd), (guint8, byte))

/* Progress, words that wake a channel, or answers to a call that there is not. */
PROCFUN_DECLARE_FUNCTION (do_send_for_ever, void, (guint, type), (guint, call_id))

/* Within a frame, where they belong to none. */
PROCFUN_DECLARE_FUNCTION (do_send_descriptors, void)

/* Processes that survive the function have its streams. */
PROCFUN_DECLARE_FUNCTION (do_leave_printers, void)
