/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#if !defined(PROCFUN_INSIDE) && !defined(PROCFUN_COMPILATION)
#error "Only <procfun.h> can be included directly."
#endif

#include <glib-object.h>

#include <procfun/procfun-version-macros.h>

G_BEGIN_DECLS

/**
 * ProcfunError:
 * @PROCFUN_ERROR_SPAWN: The process could not be started.
 * @PROCFUN_ERROR_NOT_FOUND: There is no such function, or no such program or library.
 * @PROCFUN_ERROR_MISMATCH: The child is of another build, or its function has another signature.
 * @PROCFUN_ERROR_ENCODE: A value could not be written for the other process.
 * @PROCFUN_ERROR_DECODE: Bytes or text are not a value of the expected type.
 * @PROCFUN_ERROR_CRASHED: The function was ended by a signal of its own making.
 * @PROCFUN_ERROR_EXITED: The function ended its process instead of returning.
 * @PROCFUN_ERROR_KILLED: A SIGKILL from outside this library ended the process.
 * @PROCFUN_ERROR_TIMED_OUT: The timeout or the deadline of the call passed.
 * @PROCFUN_ERROR_MEMORY_LIMIT: The call needed more memory than its limits allow.
 * @PROCFUN_ERROR_CPU_LIMIT: The call needed more CPU time than its limits allow.
 * @PROCFUN_ERROR_LIMIT: The call went over another of its limits.
 * @PROCFUN_ERROR_SANDBOX: The sandbox that the call asks for could not be set up here.
 * @PROCFUN_ERROR_PROTOCOL: The other process broke the protocol.
 * @PROCFUN_ERROR_BUSY: The queue of the executor is full, or its session runs another call.
 * @PROCFUN_ERROR_CLOSED: The executor is closed.
 * @PROCFUN_ERROR_NESTED: Calls are nested too deep, or wait for each other.
 * @PROCFUN_ERROR_INVALID: The call, a setting or an argument is not valid.
 * @PROCFUN_ERROR_WORKER_LOST: The worker of a session, or the process or machine between caller and
 * function, is gone.
 * @PROCFUN_ERROR_ENGINE: The engine that connects several machines reported an error.
 *
 * Error codes of %PROCFUN_ERROR, for calls without an answer of the function.
 *
 * An error that the function itself returns keeps its own domain and code, and a cancelled call
 * fails with %G_IO_ERROR_CANCELLED.
 *
 * Since: 0.1
 */
typedef enum
{
  PROCFUN_ERROR_SPAWN,
  PROCFUN_ERROR_NOT_FOUND,
  PROCFUN_ERROR_MISMATCH,
  PROCFUN_ERROR_ENCODE,
  PROCFUN_ERROR_DECODE,
  PROCFUN_ERROR_CRASHED,
  PROCFUN_ERROR_EXITED,
  PROCFUN_ERROR_KILLED,
  PROCFUN_ERROR_TIMED_OUT,
  PROCFUN_ERROR_MEMORY_LIMIT,
  PROCFUN_ERROR_CPU_LIMIT,
  PROCFUN_ERROR_LIMIT,
  PROCFUN_ERROR_SANDBOX,
  PROCFUN_ERROR_PROTOCOL,
  PROCFUN_ERROR_BUSY,
  PROCFUN_ERROR_CLOSED,
  PROCFUN_ERROR_NESTED,
  PROCFUN_ERROR_INVALID,
  PROCFUN_ERROR_WORKER_LOST,
  PROCFUN_ERROR_ENGINE
} ProcfunError;

/**
 * PROCFUN_ERROR:
 *
 * The error domain of this library; its codes are those of #ProcfunError.
 *
 * Since: 0.1
 */
#define PROCFUN_ERROR (procfun_error_quark ())

PROCFUN_AVAILABLE_IN_0_1
GQuark procfun_error_quark (void);

#define PROCFUN_TYPE_ERROR (procfun_error_get_type ())

PROCFUN_AVAILABLE_IN_0_1
GType procfun_error_get_type (void);

G_END_DECLS
