/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The properties of a remote pool, and its counts. */

#include "procfun/remote/remote-pool.h"

/* Gives what has changed, if that is so, to the hosts. */
static void
set (ProcfunRemotePool *self, const char *name, gboolean has_changed)
{
  if (has_changed)
    hosts_set_config (self->hosts, &self->config);
  g_mutex_unlock (&self->lock);
  if (has_changed)
    g_object_notify (G_OBJECT (self), name);
}

static void
set_time (ProcfunRemotePool *self, const char *name, gint64 *where, gint64 us)
{
  gboolean has_changed;

  g_mutex_lock (&self->lock);
  has_changed = *where != us;
  *where = us;
  set (self, name, has_changed);
}

static gint64
get_time (ProcfunRemotePool *self, const gint64 *where)
{
  gint64 us;

  g_mutex_lock (&self->lock);
  us = *where;
  g_mutex_unlock (&self->lock);
  return us;
}

static void
set_number (ProcfunRemotePool *self, const char *name, guint *where, guint n)
{
  gboolean has_changed;

  g_mutex_lock (&self->lock);
  has_changed = *where != n;
  *where = n;
  set (self, name, has_changed);
}

static guint
get_number (ProcfunRemotePool *self, const guint *where)
{
  guint n;

  g_mutex_lock (&self->lock);
  n = *where;
  g_mutex_unlock (&self->lock);
  return n;
}

static void
set_size (ProcfunRemotePool *self, const char *name, guint64 *where, guint64 bytes)
{
  gboolean has_changed;

  g_mutex_lock (&self->lock);
  has_changed = *where != bytes;
  *where = bytes;
  set (self, name, has_changed);
}

static guint64
get_size (ProcfunRemotePool *self, const guint64 *where)
{
  guint64 bytes;

  g_mutex_lock (&self->lock);
  bytes = *where;
  g_mutex_unlock (&self->lock);
  return bytes;
}

static void
set_path (ProcfunRemotePool *self, const char *name, char **where, const char *path)
{
  gboolean has_changed;

  g_mutex_lock (&self->lock);
  has_changed = g_strcmp0 (*where, path) != 0;
  if (has_changed)
    {
      g_free (*where);
      *where = g_strdup (path);
    }
  set (self, name, has_changed);
}

static char *
get_path (ProcfunRemotePool *self, char *const *where)
{
  char *path;

  g_mutex_lock (&self->lock);
  path = g_strdup (*where);
  g_mutex_unlock (&self->lock);
  return path;
}

/**
 * procfun_remote_pool_set_program:
 * @self: a #ProcfunRemotePool
 * @path: (nullable): a path on the hosts, or %NULL for that of this program
 *
 * Sets #ProcfunRemotePool:program, for hosts that are started from now on.
 *
 * Since: 0.1
 */
void
procfun_remote_pool_set_program (ProcfunRemotePool *self, const char *path)
{
  g_return_if_fail (PROCFUN_IS_REMOTE_POOL (self));

  set_path (self, "program", &self->config.program, path);
}

/**
 * procfun_remote_pool_get_program:
 * @self: a #ProcfunRemotePool
 *
 * Gets #ProcfunRemotePool:program.
 *
 * Returns: (transfer full) (nullable): a path, or %NULL for that of this program
 *
 * Since: 0.1
 */
char *
procfun_remote_pool_get_program (ProcfunRemotePool *self)
{
  g_return_val_if_fail (PROCFUN_IS_REMOTE_POOL (self), NULL);

  return get_path (self, &self->config.program);
}

/**
 * procfun_remote_pool_set_library:
 * @self: a #ProcfunRemotePool
 * @path: (nullable): a path on the hosts, or %NULL for the functions of the program
 *
 * Sets #ProcfunRemotePool:library, for hosts that are started from now on.
 *
 * Since: 0.1
 */
void
procfun_remote_pool_set_library (ProcfunRemotePool *self, const char *path)
{
  g_return_if_fail (PROCFUN_IS_REMOTE_POOL (self));

  set_path (self, "library", &self->config.library, path);
}

/**
 * procfun_remote_pool_get_library:
 * @self: a #ProcfunRemotePool
 *
 * Gets #ProcfunRemotePool:library.
 *
 * Returns: (transfer full) (nullable): a path, or %NULL for the functions of the program
 *
 * Since: 0.1
 */
char *
procfun_remote_pool_get_library (ProcfunRemotePool *self)
{
  g_return_val_if_fail (PROCFUN_IS_REMOTE_POOL (self), NULL);

  return get_path (self, &self->config.library);
}

/**
 * procfun_remote_pool_set_heartbeat:
 * @self: a #ProcfunRemotePool
 * @us: how often, in µs; 0: never
 *
 * Sets #ProcfunRemotePool:heartbeat.
 *
 * Since: 0.1
 */
void
procfun_remote_pool_set_heartbeat (ProcfunRemotePool *self, gint64 us)
{
  g_return_if_fail (PROCFUN_IS_REMOTE_POOL (self));
  g_return_if_fail (us >= 0 && us <= G_MAXINT64 / 4);

  set_time (self, "heartbeat", &self->config.heartbeat, us);
}

/**
 * procfun_remote_pool_get_heartbeat:
 * @self: a #ProcfunRemotePool
 *
 * Gets #ProcfunRemotePool:heartbeat.
 *
 * Returns: a time in µs; 0: none
 *
 * Since: 0.1
 */
gint64
procfun_remote_pool_get_heartbeat (ProcfunRemotePool *self)
{
  g_return_val_if_fail (PROCFUN_IS_REMOTE_POOL (self), 0);

  return get_time (self, &self->config.heartbeat);
}

/**
 * procfun_remote_pool_set_connect_timeout:
 * @self: a #ProcfunRemotePool
 * @us: how long, in µs; 0: for ever
 *
 * Sets #ProcfunRemotePool:connect-timeout.
 *
 * Since: 0.1
 */
void
procfun_remote_pool_set_connect_timeout (ProcfunRemotePool *self, gint64 us)
{
  g_return_if_fail (PROCFUN_IS_REMOTE_POOL (self));
  g_return_if_fail (us >= 0 && us <= G_MAXINT64 / 4);

  set_time (self, "connect-timeout", &self->config.connect_timeout, us);
}

/**
 * procfun_remote_pool_get_connect_timeout:
 * @self: a #ProcfunRemotePool
 *
 * Gets #ProcfunRemotePool:connect-timeout.
 *
 * Returns: a time in µs; 0: none
 *
 * Since: 0.1
 */
gint64
procfun_remote_pool_get_connect_timeout (ProcfunRemotePool *self)
{
  g_return_val_if_fail (PROCFUN_IS_REMOTE_POOL (self), 0);

  return get_time (self, &self->config.connect_timeout);
}

/**
 * procfun_remote_pool_set_idle_timeout:
 * @self: a #ProcfunRemotePool
 * @us: how long, in µs; 0: until the executor is closed
 *
 * Sets #ProcfunRemotePool:idle-timeout.
 *
 * Since: 0.1
 */
void
procfun_remote_pool_set_idle_timeout (ProcfunRemotePool *self, gint64 us)
{
  g_return_if_fail (PROCFUN_IS_REMOTE_POOL (self));
  g_return_if_fail (us >= 0 && us <= G_MAXINT64 / 4);

  set_time (self, "idle-timeout", &self->config.idle_timeout, us);
}

/**
 * procfun_remote_pool_get_idle_timeout:
 * @self: a #ProcfunRemotePool
 *
 * Gets #ProcfunRemotePool:idle-timeout.
 *
 * Returns: a time in µs; 0: none
 *
 * Since: 0.1
 */
gint64
procfun_remote_pool_get_idle_timeout (ProcfunRemotePool *self)
{
  g_return_val_if_fail (PROCFUN_IS_REMOTE_POOL (self), 0);

  return get_time (self, &self->config.idle_timeout);
}

/**
 * procfun_remote_pool_set_min_hosts:
 * @self: a #ProcfunRemotePool
 * @n: how many hosts stay without a call
 *
 * Sets #ProcfunRemotePool:min-hosts.
 *
 * Since: 0.1
 */
void
procfun_remote_pool_set_min_hosts (ProcfunRemotePool *self, guint n)
{
  g_return_if_fail (PROCFUN_IS_REMOTE_POOL (self));

  set_number (self, "min-hosts", &self->config.min_hosts, n);
}

/**
 * procfun_remote_pool_get_min_hosts:
 * @self: a #ProcfunRemotePool
 *
 * Gets #ProcfunRemotePool:min-hosts.
 *
 * Returns: a number of hosts
 *
 * Since: 0.1
 */
guint
procfun_remote_pool_get_min_hosts (ProcfunRemotePool *self)
{
  g_return_val_if_fail (PROCFUN_IS_REMOTE_POOL (self), 0);

  return get_number (self, &self->config.min_hosts);
}

/**
 * procfun_remote_pool_set_max_hosts:
 * @self: a #ProcfunRemotePool
 * @n: how many hosts there may be; 0: all
 *
 * Sets #ProcfunRemotePool:max-hosts.
 *
 * Since: 0.1
 */
void
procfun_remote_pool_set_max_hosts (ProcfunRemotePool *self, guint n)
{
  g_return_if_fail (PROCFUN_IS_REMOTE_POOL (self));

  set_number (self, "max-hosts", &self->config.max_hosts, n);
}

/**
 * procfun_remote_pool_get_max_hosts:
 * @self: a #ProcfunRemotePool
 *
 * Gets #ProcfunRemotePool:max-hosts.
 *
 * Returns: a number of hosts; 0: all
 *
 * Since: 0.1
 */
guint
procfun_remote_pool_get_max_hosts (ProcfunRemotePool *self)
{
  g_return_val_if_fail (PROCFUN_IS_REMOTE_POOL (self), 0);

  return get_number (self, &self->config.max_hosts);
}

/**
 * procfun_remote_pool_set_calls_in_flight:
 * @self: a #ProcfunRemotePool
 * @n: how many
 *
 * Sets #ProcfunRemotePool:calls-in-flight.
 *
 * Since: 0.1
 */
void
procfun_remote_pool_set_calls_in_flight (ProcfunRemotePool *self, guint n)
{
  g_return_if_fail (PROCFUN_IS_REMOTE_POOL (self));
  g_return_if_fail (n >= 1 && n <= 65536);

  set_number (self, "calls-in-flight", &self->config.calls_in_flight, n);
}

/**
 * procfun_remote_pool_get_calls_in_flight:
 * @self: a #ProcfunRemotePool
 *
 * Gets #ProcfunRemotePool:calls-in-flight.
 *
 * Returns: a number of calls
 *
 * Since: 0.1
 */
guint
procfun_remote_pool_get_calls_in_flight (ProcfunRemotePool *self)
{
  g_return_val_if_fail (PROCFUN_IS_REMOTE_POOL (self), 0);

  return get_number (self, &self->config.calls_in_flight);
}

/**
 * procfun_remote_pool_set_max_payload:
 * @self: a #ProcfunRemotePool
 * @bytes: how many
 *
 * Sets #ProcfunRemotePool:max-payload.
 *
 * Since: 0.1
 */
void
procfun_remote_pool_set_max_payload (ProcfunRemotePool *self, guint64 bytes)
{
  g_return_if_fail (PROCFUN_IS_REMOTE_POOL (self));
  g_return_if_fail (bytes >= 1 && bytes <= G_MAXINT64);

  set_size (self, "max-payload", &self->config.max_payload, bytes);
}

/**
 * procfun_remote_pool_get_max_payload:
 * @self: a #ProcfunRemotePool
 *
 * Gets #ProcfunRemotePool:max-payload.
 *
 * Returns: a number of bytes
 *
 * Since: 0.1
 */
guint64
procfun_remote_pool_get_max_payload (ProcfunRemotePool *self)
{
  g_return_val_if_fail (PROCFUN_IS_REMOTE_POOL (self), 0);

  return get_size (self, &self->config.max_payload);
}

/**
 * procfun_remote_pool_set_max_queue_calls:
 * @self: a #ProcfunRemotePool
 * @n: how many calls may wait; 0: any number
 *
 * Sets #ProcfunRemotePool:max-queue-calls.
 *
 * Since: 0.1
 */
void
procfun_remote_pool_set_max_queue_calls (ProcfunRemotePool *self, guint n)
{
  g_return_if_fail (PROCFUN_IS_REMOTE_POOL (self));

  set_number (self, "max-queue-calls", &self->config.max_queue_calls, n);
}

/**
 * procfun_remote_pool_get_max_queue_calls:
 * @self: a #ProcfunRemotePool
 *
 * Gets #ProcfunRemotePool:max-queue-calls.
 *
 * Returns: a number of calls; 0: any number
 *
 * Since: 0.1
 */
guint
procfun_remote_pool_get_max_queue_calls (ProcfunRemotePool *self)
{
  g_return_val_if_fail (PROCFUN_IS_REMOTE_POOL (self), 0);

  return get_number (self, &self->config.max_queue_calls);
}

/**
 * procfun_remote_pool_set_max_queue_bytes:
 * @self: a #ProcfunRemotePool
 * @bytes: how many the arguments of waiting calls may take; 0: any number
 *
 * Sets #ProcfunRemotePool:max-queue-bytes.
 *
 * Since: 0.1
 */
void
procfun_remote_pool_set_max_queue_bytes (ProcfunRemotePool *self, guint64 bytes)
{
  g_return_if_fail (PROCFUN_IS_REMOTE_POOL (self));

  set_size (self, "max-queue-bytes", &self->config.max_queue_bytes, bytes);
}

/**
 * procfun_remote_pool_get_max_queue_bytes:
 * @self: a #ProcfunRemotePool
 *
 * Gets #ProcfunRemotePool:max-queue-bytes.
 *
 * Returns: a number of bytes; 0: any number
 *
 * Since: 0.1
 */
guint64
procfun_remote_pool_get_max_queue_bytes (ProcfunRemotePool *self)
{
  g_return_val_if_fail (PROCFUN_IS_REMOTE_POOL (self), 0);

  return get_size (self, &self->config.max_queue_bytes);
}

/**
 * procfun_remote_pool_set_max_retries:
 * @self: a #ProcfunRemotePool
 * @n: how often a call may be run again; 0: never
 *
 * Sets #ProcfunRemotePool:max-retries.
 *
 * Since: 0.1
 */
void
procfun_remote_pool_set_max_retries (ProcfunRemotePool *self, guint n)
{
  g_return_if_fail (PROCFUN_IS_REMOTE_POOL (self));
  g_return_if_fail (n < G_MAXINT);

  if (g_atomic_int_get (&self->retry.max) == (gint)n)
    return;
  g_atomic_int_set (&self->retry.max, (gint)n);
  g_object_notify (G_OBJECT (self), "max-retries");
}

/**
 * procfun_remote_pool_get_max_retries:
 * @self: a #ProcfunRemotePool
 *
 * Gets #ProcfunRemotePool:max-retries.
 *
 * Returns: how often a call may be run again
 *
 * Since: 0.1
 */
guint
procfun_remote_pool_get_max_retries (ProcfunRemotePool *self)
{
  g_return_val_if_fail (PROCFUN_IS_REMOTE_POOL (self), 0);

  return (guint)g_atomic_int_get (&self->retry.max);
}

/**
 * procfun_remote_pool_set_retry_on:
 * @self: a #ProcfunRemotePool
 * @reasons: for which reasons calls are run again
 *
 * Sets #ProcfunRemotePool:retry-on.
 *
 * Since: 0.1
 */
void
procfun_remote_pool_set_retry_on (ProcfunRemotePool *self, ProcfunRetryFlags reasons)
{
  g_return_if_fail (PROCFUN_IS_REMOTE_POOL (self));

  if (g_atomic_int_get (&self->retry.reasons) == (gint)reasons)
    return;
  g_atomic_int_set (&self->retry.reasons, (gint)reasons);
  g_object_notify (G_OBJECT (self), "retry-on");
}

/**
 * procfun_remote_pool_get_retry_on:
 * @self: a #ProcfunRemotePool
 *
 * Gets #ProcfunRemotePool:retry-on.
 *
 * Returns: the reasons
 *
 * Since: 0.1
 */
ProcfunRetryFlags
procfun_remote_pool_get_retry_on (ProcfunRemotePool *self)
{
  g_return_val_if_fail (PROCFUN_IS_REMOTE_POOL (self), PROCFUN_RETRY_NONE);

  return (ProcfunRetryFlags)g_atomic_int_get (&self->retry.reasons);
}

/**
 * procfun_remote_pool_get_n_hosts:
 * @self: a #ProcfunRemotePool
 *
 * Counts the hosts that can run calls now.
 *
 * Returns: how many there are
 *
 * Since: 0.1
 */
guint
procfun_remote_pool_get_n_hosts (ProcfunRemotePool *self)
{
  HostsCounts counts;

  g_return_val_if_fail (PROCFUN_IS_REMOTE_POOL (self), 0);

  hosts_count (self->hosts, &counts);
  return counts.n_hosts;
}

/**
 * procfun_remote_pool_get_n_slots:
 * @self: a #ProcfunRemotePool
 *
 * Counts the calls that these hosts can run at once.
 *
 * Returns: how many there are
 *
 * Since: 0.1
 */
guint
procfun_remote_pool_get_n_slots (ProcfunRemotePool *self)
{
  HostsCounts counts;

  g_return_val_if_fail (PROCFUN_IS_REMOTE_POOL (self), 0);

  hosts_count (self->hosts, &counts);
  return counts.n_slots;
}
