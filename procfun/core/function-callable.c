/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Whether a function can be called in another process. */

#include "procfun/base/environment.h"
#include "procfun/base/intl.h"
#include "procfun/core/context.h"
#include "procfun/core/function.h"
#include "procfun/platform/self.h"
#include "procfun/procfun-error.h"
#include "procfun/wire/setup.h"

/* This process */

enum
{
  MARK_FIRST = 2,
  MARK_ANYWHERE = 4
};

/* Marks of a child's command line that this one has. */
static gsize
find_own_marks (void)
{
  g_auto (GStrv) argv = self_read_command_line ();
  gsize n = g_strv_length (argv);
  gsize marks = n >= 2 && g_str_has_prefix (argv[1], SETUP_ARGUMENT_PREFIX) ? MARK_FIRST : 0;

  for (gsize i = 1; i < n; i++)
    if (g_str_has_prefix (argv[i], SETUP_MAIN_ARGUMENT_PREFIX))
      marks |= MARK_ANYWHERE;
  return marks;
}

/* TRUE: a process that was started for a call and does not know it, because it got the command line
 * without the descriptors. It must not start another one like it. */
static gboolean
is_astray (void)
{
  static gsize state; /* a command line does not change */

  if (procfun_is_child ())
    return FALSE;
  if (g_once_init_enter (&state))
    g_once_init_leave (&state, 1 + find_own_marks ());
  return (state & MARK_FIRST) != 0 || ((state & MARK_ANYWHERE) != 0 && procfun_context_serves ());
}

gboolean
function_check_process (ProcfunFunction *self, GError **error)
{
  guint depth = procfun_context_get_depth ();

  if (procfun_is_child () && depth == 0)
    g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_NESTED,
                 _ ("%s() cannot be called while a process for another call starts"), self->name);
  else if (is_astray ())
    g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_NESTED,
                 _ ("%s() cannot be called in a process that was started for another call, but "
                    "without its descriptors"),
                 self->name);
  else if (depth >= SETUP_MAX_DEPTH)
    g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_NESTED,
                 _ ("%s() cannot be called: calls are nested %u deep"), self->name, depth);
  else
    return TRUE;
  return FALSE;
}

/* The program of the function */

enum
{
  AGAIN_CHECKED = 1,
  AGAIN_BY_LOADER = 2,
  AGAIN_FROM_INPUT = 4
};

/* Reasons why this program cannot be started again. They do not change. */
static gsize
find_obstacles (void)
{
  static gsize obstacles;

  if (g_once_init_enter (&obstacles))
    g_once_init_leave (&obstacles, AGAIN_CHECKED | (self_is_run_by_loader () ? AGAIN_BY_LOADER : 0)
                                       | (self_reads_standard_input () ? AGAIN_FROM_INPUT : 0));
  return obstacles;
}

static gboolean
check_own_program (ProcfunFunction *self, GError **error)
{
  gsize obstacles = find_obstacles ();

  if (environment_is_secure ())
    g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_SPAWN,
                 _ ("%s() cannot be called: a program with more rights than who runs it is not "
                    "started for calls"),
                 self->name);
  else if ((obstacles & AGAIN_BY_LOADER) != 0)
    g_set_error (
        error, PROCFUN_ERROR, PROCFUN_ERROR_SPAWN,
        _ ("%s() cannot be called: the dynamic loader runs this program, so that it cannot "
           "be started again: start it by its own name"),
        self->name);
  else if ((obstacles & AGAIN_FROM_INPUT) != 0 && self->module == NULL)
    g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_SPAWN,
                 _ ("%s() cannot be called: the script was read from standard input, so that it "
                    "cannot be started again: start it from a file"),
                 self->name);
  else
    return TRUE;
  return FALSE;
}

static gboolean
check_function (ProcfunFunction *self, GError **error)
{
  gboolean in_own_program = self->module == NULL || self->module->path == NULL;

  if (!procfun_function_check_loaded (self, error))
    return FALSE;
  if (procfun_function_is_ambiguous (self))
    g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_INVALID,
                 _ ("%s() cannot be called: %s is defined twice"), self->name, self->signature);
  else if (self->module == NULL && !procfun_context_serves ())
    g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_INVALID,
                 _ ("%s() was registered at run time, but the program does not call "
                    "procfun_registry_serve()"),
                 self->name);
  else
    return !in_own_program || check_own_program (self, error);
  return FALSE;
}

gboolean
function_check_callable (ProcfunFunction *self, GError **error)
{
  if (g_atomic_int_get (&self->state) != FUNCTION_CALLABLE)
    {
      if (!check_function (self, error))
        return FALSE;
      g_atomic_int_or (&self->state, FUNCTION_CALLABLE);
    }
  return function_check_process (self, error);
}
