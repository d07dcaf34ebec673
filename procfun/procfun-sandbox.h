/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#if !defined(PROCFUN_INSIDE) && !defined(PROCFUN_COMPILATION)
#error "Only <procfun.h> can be included directly."
#endif

#include <glib-object.h>
#include <procfun/procfun-version-macros.h>

G_BEGIN_DECLS

/**
 * ProcfunSandbox:
 * @PROCFUN_SANDBOX_NONE: nothing is taken away
 * @PROCFUN_SANDBOX_NO_NEW_PRIVS: no rights can be gained: no effect of setuid files, no
 * capabilities, no mounts, no namespaces, no tracing of other processes, no io_uring, bpf or keys
 * of the kernel
 * @PROCFUN_SANDBOX_NO_NETWORK: and no sockets but connected pairs, so no network
 * @PROCFUN_SANDBOX_READ_ONLY: and no changes of files, except in folders that are listed
 * @PROCFUN_SANDBOX_PURE_COMPUTE: only memory, threads, the clock, and what was passed: no files, no
 *   processes
 *
 * The levels of a sandbox. Each includes those before it.
 *
 * Since: 0.1
 */
typedef enum
{
  PROCFUN_SANDBOX_NONE,
  PROCFUN_SANDBOX_NO_NEW_PRIVS,
  PROCFUN_SANDBOX_NO_NETWORK,
  PROCFUN_SANDBOX_READ_ONLY,
  PROCFUN_SANDBOX_PURE_COMPUTE
} ProcfunSandbox;

#define PROCFUN_TYPE_SANDBOX (procfun_sandbox_get_type ())

PROCFUN_AVAILABLE_IN_0_1
GType procfun_sandbox_get_type (void) G_GNUC_CONST;

/**
 * ProcfunSandboxParts:
 * @PROCFUN_SANDBOX_PART_NONE: nothing
 * @PROCFUN_SANDBOX_PART_NO_NEW_PRIVS: no_new_privs, see prctl(2)
 * @PROCFUN_SANDBOX_PART_CAPABILITIES: the process has no capabilities
 * @PROCFUN_SANDBOX_PART_SECCOMP: a filter of system calls
 * @PROCFUN_SANDBOX_PART_FILES: Landlock's rules for files
 * @PROCFUN_SANDBOX_PART_TCP: Landlock's rules for TCP
 * @PROCFUN_SANDBOX_PART_SCOPE: Landlock's scope: signals, tracing and abstract sockets only among
 *   processes of the sandbox
 *
 * The means of the system that make a sandbox.
 *
 * Since: 0.1
 */
typedef enum /*< flags >*/
{
  PROCFUN_SANDBOX_PART_NONE = 0,
  PROCFUN_SANDBOX_PART_NO_NEW_PRIVS = 1 << 0,
  PROCFUN_SANDBOX_PART_CAPABILITIES = 1 << 1,
  PROCFUN_SANDBOX_PART_SECCOMP = 1 << 2,
  PROCFUN_SANDBOX_PART_FILES = 1 << 3,
  PROCFUN_SANDBOX_PART_TCP = 1 << 4,
  PROCFUN_SANDBOX_PART_SCOPE = 1 << 5
} ProcfunSandboxParts;

#define PROCFUN_TYPE_SANDBOX_PARTS (procfun_sandbox_parts_get_type ())

PROCFUN_AVAILABLE_IN_0_1
GType procfun_sandbox_parts_get_type (void) G_GNUC_CONST;

#define PROCFUN_TYPE_SANDBOX_RULES (procfun_sandbox_rules_get_type ())

/**
 * ProcfunSandboxRules:
 *
 * Folders that a sandbox leaves open, and whether it must be whole.
 *
 * Since: 0.1
 */
typedef struct _ProcfunSandboxRules ProcfunSandboxRules;

PROCFUN_AVAILABLE_IN_0_1
GType procfun_sandbox_rules_get_type (void) G_GNUC_CONST;
PROCFUN_AVAILABLE_IN_0_1
ProcfunSandboxRules *procfun_sandbox_rules_new (void);
PROCFUN_AVAILABLE_IN_0_1
ProcfunSandboxRules *procfun_sandbox_rules_copy (const ProcfunSandboxRules *self);
PROCFUN_AVAILABLE_IN_0_1
void procfun_sandbox_rules_free (ProcfunSandboxRules *self);
PROCFUN_AVAILABLE_IN_0_1
void procfun_sandbox_rules_set_best_effort (ProcfunSandboxRules *self, gboolean best_effort);
PROCFUN_AVAILABLE_IN_0_1
gboolean procfun_sandbox_rules_get_best_effort (const ProcfunSandboxRules *self);
PROCFUN_AVAILABLE_IN_0_1
void procfun_sandbox_rules_add_writable (ProcfunSandboxRules *self, const char *path);
PROCFUN_AVAILABLE_IN_0_1
const char *const *procfun_sandbox_rules_get_writable (const ProcfunSandboxRules *self);
PROCFUN_AVAILABLE_IN_0_1
void procfun_sandbox_rules_add_readable (ProcfunSandboxRules *self, const char *path);
PROCFUN_AVAILABLE_IN_0_1
const char *const *procfun_sandbox_rules_get_readable (const ProcfunSandboxRules *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ProcfunSandboxRules, procfun_sandbox_rules_free)

G_END_DECLS
