/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <procfun.h>

/* Functions that do to their process, and to their caller, what a function should not. Where one is
 * given a descriptor, it closes it, or writes a byte to it, when it has done what its name says;
 * then it stays. */

PROCFUN_DECLARE_FUNCTION (do_crash, gint)
PROCFUN_DECLARE_FUNCTION (do_abort, void)
PROCFUN_DECLARE_FUNCTION (do_raise, void, (gint, signum))
PROCFUN_DECLARE_FUNCTION (do_exit, void, (gint, code))
PROCFUN_DECLARE_FUNCTION (do_exit_at_once, void, (gint, code))
PROCFUN_DECLARE_FUNCTION (do_exit_in_thread, void, (gint, code))
PROCFUN_DECLARE_FUNCTION (do_execute, void, (const char *, path))

/* Ends that never come. */
PROCFUN_DECLARE_FUNCTION (do_stay, void, (ProcfunFd, fd))
PROCFUN_DECLARE_FUNCTION (do_spin, void, (ProcfunFd, fd))
PROCFUN_DECLARE_FUNCTION (do_stop, void, (ProcfunFd, fd))
PROCFUN_DECLARE_FUNCTION (do_ignore_signals, void, (ProcfunFd, fd))

/* Results that cannot be sent. */
PROCFUN_DECLARE_FUNCTION (do_return_null, char *)
PROCFUN_DECLARE_FUNCTION (do_return_latin1, char *)

/* Output, also what only a flush writes. */
PROCFUN_DECLARE_FUNCTION (do_print, gint, (const char *, to_stdout), (const char *, to_stderr))

/* The channel. */
PROCFUN_DECLARE_FUNCTION (do_write_to_channel, gint, (GBytes *, bytes))
PROCFUN_DECLARE_FUNCTION (do_write_to_channel_and_crash, gint, (GBytes *, bytes))
PROCFUN_DECLARE_FUNCTION (do_forge_result, void, (guint, size))
PROCFUN_DECLARE_FUNCTION (do_close_channel, gint)
PROCFUN_DECLARE_FUNCTION (do_shut_channel_down, gint)
PROCFUN_DECLARE_FUNCTION (do_close_all, gint)
PROCFUN_DECLARE_FUNCTION (do_close_all_and_stay, gint)
PROCFUN_DECLARE_FUNCTION (do_close_all_and_crash, gint)

/* Processes and threads beside the function's own: they stay, unless the name says otherwise. */
PROCFUN_DECLARE_FUNCTION (do_leave_child, gint)
PROCFUN_DECLARE_FUNCTION (do_leave_child_and_crash, gint)
PROCFUN_DECLARE_FUNCTION (do_leave_program, void)
PROCFUN_DECLARE_FUNCTION (do_leave_program_and_crash, void)
PROCFUN_DECLARE_FUNCTION (do_leave_orphan, void)
PROCFUN_DECLARE_FUNCTION (do_leave_thread, gint)
PROCFUN_DECLARE_FUNCTION (do_fork_and_exit, gint, (gint, code))
PROCFUN_DECLARE_FUNCTION (do_fork_and_return_twice, gint)

PROCFUN_DECLARE_FUNCTION (do_leak, guint64, (guint64, bytes))
PROCFUN_DECLARE_FUNCTION (do_change_folder, char *, (const char *, path))
PROCFUN_DECLARE_FUNCTION (do_log_critical, gint)
PROCFUN_DECLARE_FUNCTION (do_call_serve, gint)
