/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/base/error.h"

/**
 * SECTION:procfun-error
 * @title: Errors
 * @short_description: why a call did not bring back a result
 *
 * Calls fail with an error of the domain %PROCFUN_ERROR when something went wrong between the
 * caller and the function; see #ProcfunError for the causes that are told apart.
 */

typedef struct
{
  GType type; /* 0: there is none */
  gpointer boxed;
} Details;

/* Private data of an extended error domain, as G_DEFINE_EXTENDED_ERROR() lays it out. The macro
 * derives the name of the domain from that of a type, and ours goes over the wire. */
static Details *
get_details (const GError *error)
{
  const gsize alignment = 2 * sizeof (gsize);
  const gsize size = (sizeof (Details) + alignment - 1) & ~(alignment - 1);

  return (Details *)(gpointer)((guint8 *)error - size);
}

static void
init_details (GError *error)
{
  *get_details (error) = (Details){ 0 };
}

static void
copy_details (const GError *error, GError *copy)
{
  const Details *details = get_details (error);

  if (details->type != 0)
    error_set_boxed (copy, details->type, details->boxed);
}

static void
clear_details (GError *error)
{
  Details *details = get_details (error);

  if (details->type != 0)
    g_boxed_free (details->type, details->boxed);
  *details = (Details){ 0 };
}

GQuark
procfun_error_quark (void)
{
  static gsize quark;

  if (g_once_init_enter (&quark))
    g_once_init_leave (&quark,
                       g_error_domain_register_static ("procfun-error-quark", sizeof (Details),
                                                       init_details, copy_details, clear_details));
  return (GQuark)quark;
}

void
error_set_boxed (GError *error, GType type, gconstpointer boxed)
{
  g_return_if_fail (error != NULL && error->domain == PROCFUN_ERROR);

  clear_details (error);
  *get_details (error) = (Details){ .type = type, .boxed = g_boxed_copy (type, boxed) };
}

gpointer
error_get_boxed (const GError *error, GType type)
{
  const Details *details;

  if (error == NULL || error->domain != PROCFUN_ERROR)
    return NULL;
  details = get_details (error);
  return details->type == type ? details->boxed : NULL;
}

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
