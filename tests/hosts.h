/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <procfun.h>

/* Programs that make life hard for the libraries in them, each a process of its own that test-hosts
 * starts by name. */

typedef struct
{
  const char *name;
  void (*run) (char **args);
} Host;

extern const Host hosts_calls[];
extern const Host hosts_descriptors[];
extern const Host hosts_identity[];
extern const Host hosts_processes[];
extern const Host hosts_signals[];

/* Ends the program: this host cannot be made here. */
void host_skip (const char *why) G_GNUC_NORETURN;

void host_assert_works (void);

/* A call of add() fails with @code, in words that name it. */
void host_assert_fails (ProcfunExecutor *executor, int code);

/* A call of hold() that runs while the host does something. The thread that started it has ended.
 */
typedef struct
{
  int ready[2], go[2];
  gboolean ended;
} Held;

void held_begin (Held *self);
void held_end (Held *self);

/* Report of a process about itself. */
PROCFUN_DECLARE_FUNCTION (add, gint32, (gint32, a), (gint32, b))
PROCFUN_DECLARE_FUNCTION (length, guint64, (const char *, text))
PROCFUN_DECLARE_FUNCTION (build, gint32)
PROCFUN_DECLARE_FUNCTION (user, gint32)
PROCFUN_DECLARE_FUNCTION (describe_signals, char *)
PROCFUN_DECLARE_FUNCTION (list_descriptors, char *)
PROCFUN_DECLARE_FUNCTION (what_constructors_got, char *)

/* Writes a byte to @ready, waits for one from @go, and returns 42. */
PROCFUN_DECLARE_FUNCTION (hold, gint32, (ProcfunFd, ready), (ProcfunFd, go))

/* Prints its process id, and runs until it is killed. */
PROCFUN_DECLARE_FUNCTION (spin, void)

PROCFUN_DECLARE_FUNCTION (crash, void)
PROCFUN_DECLARE_FUNCTION (close_all, void, (gboolean, stay))

PROCFUN_DEFINE_ENUM (Descendant, DESCENDANT_CHILD, DESCENDANT_SESSION, DESCENDANT_DAEMON)

/* Leaves a process behind, which holds @alive. */
PROCFUN_DECLARE_FUNCTION (leave_behind, void, (Descendant, kind), (ProcfunFd, alive),
                          (gboolean, crashes))

/* Two processes come to the end of the function, or one to exit(). */
PROCFUN_DECLARE_FUNCTION (return_twice, gint32)
PROCFUN_DECLARE_FUNCTION (exit_in_fork, gint32)
