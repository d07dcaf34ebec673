/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/procfun-error.h"

/**
 * SECTION:procfun-error
 * @title: Errors
 * @short_description: why a call did not bring back a result
 *
 * Calls fail with an error of the domain %PROCFUN_ERROR when something went wrong between the
 * caller and the function; see #ProcfunError for the causes that are told apart.
 */

/* The formatter would put spaces round the dashes, and the string goes over the wire. */
/* clang-format off */
G_DEFINE_QUARK (procfun-error-quark, procfun_error)
/* clang-format on */

/* clang-format off */
G_DEFINE_ENUM_TYPE (ProcfunError, procfun_error,
  G_DEFINE_ENUM_VALUE (PROCFUN_ERROR_SPAWN, "spawn"),
  G_DEFINE_ENUM_VALUE (PROCFUN_ERROR_NOT_FOUND, "not-found"),
  G_DEFINE_ENUM_VALUE (PROCFUN_ERROR_MISMATCH, "mismatch"),
  G_DEFINE_ENUM_VALUE (PROCFUN_ERROR_ENCODE, "encode"),
  G_DEFINE_ENUM_VALUE (PROCFUN_ERROR_DECODE, "decode"),
  G_DEFINE_ENUM_VALUE (PROCFUN_ERROR_CRASHED, "crashed"),
  G_DEFINE_ENUM_VALUE (PROCFUN_ERROR_EXITED, "exited"),
  G_DEFINE_ENUM_VALUE (PROCFUN_ERROR_KILLED, "killed"),
  G_DEFINE_ENUM_VALUE (PROCFUN_ERROR_TIMED_OUT, "timed-out"),
  G_DEFINE_ENUM_VALUE (PROCFUN_ERROR_MEMORY_LIMIT, "memory-limit"),
  G_DEFINE_ENUM_VALUE (PROCFUN_ERROR_CPU_LIMIT, "cpu-limit"),
  G_DEFINE_ENUM_VALUE (PROCFUN_ERROR_LIMIT, "limit"),
  G_DEFINE_ENUM_VALUE (PROCFUN_ERROR_SANDBOX, "sandbox"),
  G_DEFINE_ENUM_VALUE (PROCFUN_ERROR_PROTOCOL, "protocol"),
  G_DEFINE_ENUM_VALUE (PROCFUN_ERROR_BUSY, "busy"),
  G_DEFINE_ENUM_VALUE (PROCFUN_ERROR_CLOSED, "closed"),
  G_DEFINE_ENUM_VALUE (PROCFUN_ERROR_NESTED, "nested"),
  G_DEFINE_ENUM_VALUE (PROCFUN_ERROR_INVALID, "invalid"),
  G_DEFINE_ENUM_VALUE (PROCFUN_ERROR_WORKER_LOST, "worker-lost"),
  G_DEFINE_ENUM_VALUE (PROCFUN_ERROR_ENGINE, "engine"))
/* clang-format on */
