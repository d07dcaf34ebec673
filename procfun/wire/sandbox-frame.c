/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "procfun/wire/sandbox-frame.h"

#include "procfun/base/intl.h"
#include "procfun/platform/fds.h"
#include "procfun/platform/syscall-filter.h"
#include "procfun/procfun-error.h"
#include <string.h>

/* Then come the filter, whose size is a multiple of 8, and the paths, each with its NUL. */
typedef struct
{
  guint32 level;
  guint32 best_effort;
  guint32 filter_size;
  guint32 n_writable;
  guint32 n_readable;
  guint32 has_readable;
} Head;

static void
append_paths (GByteArray *array, char **paths)
{
  for (; paths != NULL && *paths != NULL; paths++)
    g_byte_array_append (array, (const guint8 *)*paths, (guint)strlen (*paths) + 1);
}

static guint32
count_paths (char **paths)
{
  return paths != NULL ? g_strv_length (paths) : 0;
}

/* (nullable): a sandbox that need not be whole does without the filter. */
static GBytes *
make_bytes (SandboxPlan *plan, GError **error)
{
  g_autoptr (GError) own_error = NULL;
  GBytes *filter = syscall_filter_get (plan->level, &own_error);
  gsize size = 0;
  gconstpointer data = filter != NULL ? g_bytes_get_data (filter, &size) : NULL;
  const Head head = { .level = plan->level,
                      .best_effort = (guint32)plan->best_effort,
                      .filter_size = (guint32)size,
                      .n_writable = count_paths (plan->writable),
                      .n_readable = count_paths (plan->readable),
                      .has_readable = plan->readable != NULL };
  GByteArray *array;

  if (filter == NULL && !plan->best_effort)
    {
      g_propagate_error (error, g_steal_pointer (&own_error));
      return NULL;
    }
  array = g_byte_array_new ();
  g_byte_array_append (array, (const guint8 *)&head, sizeof head);
  if (size > 0)
    g_byte_array_append (array, data, (guint)size);
  append_paths (array, plan->writable);
  append_paths (array, plan->readable);
  return g_byte_array_free_to_bytes (array);
}

GBytes *
sandbox_to_bytes (SandboxPlan *plan, GError **error)
{
  GBytes *bytes = g_atomic_pointer_get (&plan->bytes);

  if (bytes != NULL)
    return bytes;
  bytes = make_bytes (plan, error);
  if (bytes == NULL || g_atomic_pointer_compare_and_exchange (&plan->bytes, NULL, bytes))
    return bytes;
  g_bytes_unref (bytes);
  return g_atomic_pointer_get (&plan->bytes);
}

/* (nullable): NULL when the text ends before. */
static const char *const *
read_paths (const char **at, const char *end, guint32 n)
{
  const char **paths;

  if (n > (gsize)(end - *at))
    return NULL;
  paths = g_new0 (const char *, (gsize)n + 1);
  for (guint32 i = 0; i < n; i++)
    {
      const char *nul = memchr (*at, '\0', (gsize)(end - *at));

      if (nul == NULL)
        {
          g_free (paths);
          return NULL;
        }
      paths[i] = *at;
      *at = nul + 1;
    }
  return (const char *const *)paths;
}

static gboolean
read_order (SandboxOrder *order, const guint8 *data, gsize size)
{
  const char *const end = (const char *)data + size;
  const char *at;
  Head head;

  if (size < sizeof head)
    return FALSE;
  memcpy (&head, data, sizeof head);
  if (head.level > PROCFUN_SANDBOX_PURE_COMPUTE || head.filter_size > size - sizeof head)
    return FALSE;
  order->level = (ProcfunSandbox)head.level;
  order->best_effort = head.best_effort != 0;
  order->filter = head.filter_size > 0 ? data + sizeof head : NULL;
  order->filter_size = head.filter_size;
  at = (const char *)data + sizeof head + head.filter_size;
  order->writable = read_paths (&at, end, head.n_writable);
  if (order->writable == NULL)
    return FALSE;
  if (head.has_readable == 0)
    return TRUE;
  order->readable = read_paths (&at, end, head.n_readable);
  return order->readable != NULL;
}

gboolean
sandbox_from_bytes (SandboxOrder *order, GBytes *bytes, GError **error)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (bytes, &size);

  *order = (SandboxOrder){ .ruleset_fd = -1 };
  if (data != NULL && read_order (order, data, size))
    return TRUE;
  sandbox_order_clear (order);
  g_set_error_literal (error, PROCFUN_ERROR, PROCFUN_ERROR_PROTOCOL,
                       _ ("the set-up of the process cannot be read"));
  return FALSE;
}

void
sandbox_order_clear (SandboxOrder *order)
{
  g_free ((gpointer)order->writable);
  g_free ((gpointer)order->readable);
  order->writable = order->readable = NULL;
  fd_clear (&order->ruleset_fd);
}
