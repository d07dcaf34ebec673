/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/map/map.h"

/**
 * SECTION:procfun-map
 * @title: ProcfunMap
 * @short_description: one function for many elements
 *
 * A function that is called for many elements.
 */

/**
 * ProcfunMap:
 *
 * A function that is called for many elements.
 *
 * Calls a function for each element of an array, of a #GListModel, or of what a callback gives one
 * after the other, in the workers of a #ProcfunPool or, by procfun_map_new_on(), on any other
 * executor.
 *
 * A worker of a pool is given a chunk of elements at a time, so that what it costs to send one does
 * not count: as many as take about 10 ms by what the last ones took, and fewer towards the end, so
 * that all workers end together. What a worker has not begun after twice that time it gives back.
 *
 * The function is called once for each element. When it fails or even crashes, it is known for
 * which element; what was done before in the same chunk is kept, and the rest is called for in
 * another worker. Only what a process leaves undone that ended between two elements, of whatever
 * cause, is tried again elsewhere.
 *
 * procfun_map_run() gives all results at once, procfun_map_next() one after the other. A map is
 * used by one thread at a time, and once. To the pool each chunk is a call: its statistics count it
 * so, and closing waits for those that run. A #ProcfunRemotePool gives chunks to its hosts: of
 * 20 round trips, where these take longer than 10 ms; a host that is lost fails all elements of its
 * chunks, unless they may be run again (#ProcfunRemotePool:retry-on). On another executor each
 * element is a call. When the map is dropped they are ended.
 *
 * Since: 0.1
 */

G_DEFINE_FINAL_TYPE (ProcfunMap, procfun_map, G_TYPE_OBJECT)

G_DEFINE_ENUM_TYPE (ProcfunMapOnError, procfun_map_on_error,
                    G_DEFINE_ENUM_VALUE (PROCFUN_MAP_STOP, "stop"),
                    G_DEFINE_ENUM_VALUE (PROCFUN_MAP_COLLECT, "collect"))

enum
{
  PROP_0,
  PROP_EXECUTOR,
  PROP_POOL,
  PROP_FUNCTION,
  PROP_ORDERED,
  PROP_ON_ERROR,
  PROP_CHUNK_SIZE,
  PROP_TIMEOUT,
  PROP_DEADLINE,
  PROP_LIMITS,
  N_PROPS
};

static GParamSpec *props[N_PROPS];
static guint progress_signal;

void
map_emit_progress (ProcfunMap *self)
{
  guint64 total = mapping_get_total (self->mapping);

  g_signal_emit (self, progress_signal, 0,
                 mapping_get_n_done (self->mapping) + mapping_get_n_failed (self->mapping),
                 total != MAP_INPUT_UNKNOWN ? total : 0);
}

/* The object */

static void
procfun_map_dispose (GObject *object)
{
  ProcfunMap *self = PROCFUN_MAP (object);

  g_clear_pointer (&self->mapping, mapping_free);
  map_clear_source (self);
  g_clear_object (&self->executor);
  g_clear_object (&self->function);

  G_OBJECT_CLASS (procfun_map_parent_class)->dispose (object);
}

static void
procfun_map_finalize (GObject *object)
{
  ProcfunMap *self = PROCFUN_MAP (object);

  g_clear_pointer (&self->limits, procfun_limits_free);
  map_batch_clear (&self->batch);
  g_hash_table_unref (self->errors);
  g_clear_error (&self->input_error);
  g_clear_pointer (&self->cancelled, g_array_unref);

  G_OBJECT_CLASS (procfun_map_parent_class)->finalize (object);
}

static void
procfun_map_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  ProcfunMap *self = PROCFUN_MAP (object);

  switch (id)
    {
    case PROP_EXECUTOR:
      g_value_set_object (value, self->executor);
      break;
    case PROP_POOL:
      g_value_set_object (value, procfun_map_get_pool (self));
      break;
    case PROP_FUNCTION:
      g_value_set_object (value, self->function);
      break;
    case PROP_ORDERED:
      g_value_set_boolean (value, self->ordered);
      break;
    case PROP_ON_ERROR:
      g_value_set_enum (value, (int)self->on_error);
      break;
    case PROP_CHUNK_SIZE:
      g_value_set_uint (value, self->chunk_size);
      break;
    case PROP_TIMEOUT:
      g_value_set_int64 (value, self->timeout);
      break;
    case PROP_DEADLINE:
      g_value_set_int64 (value, self->deadline);
      break;
    case PROP_LIMITS:
      g_value_set_boxed (value, self->limits);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
procfun_map_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  ProcfunMap *self = PROCFUN_MAP (object);

  switch (id)
    {
    case PROP_EXECUTOR:
    case PROP_POOL: /* the other one is NULL */
      if (self->executor == NULL)
        self->executor = g_value_dup_object (value);
      break;
    case PROP_FUNCTION:
      self->function = g_value_dup_object (value);
      break;
    case PROP_ORDERED:
      procfun_map_set_ordered (self, g_value_get_boolean (value));
      break;
    case PROP_ON_ERROR:
      procfun_map_set_on_error (self, (ProcfunMapOnError)g_value_get_enum (value));
      break;
    case PROP_CHUNK_SIZE:
      procfun_map_set_chunk_size (self, g_value_get_uint (value));
      break;
    case PROP_TIMEOUT:
      procfun_map_set_timeout (self, g_value_get_int64 (value));
      break;
    case PROP_DEADLINE:
      procfun_map_set_deadline (self, g_value_get_int64 (value));
      break;
    case PROP_LIMITS:
      procfun_map_set_limits (self, g_value_get_boxed (value));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
make_chunk_properties (GParamFlags flags)
{
  /**
   * ProcfunMap:chunk-size:
   *
   * Number of elements that a worker of a pool, or a host, is given at a time, if there are so
   * many; 0: the map chooses. Where it is set, nothing is given back because of the time.
   *
   * Since: 0.1
   */
  props[PROP_CHUNK_SIZE] = g_param_spec_uint ("chunk-size", NULL, NULL, 0, G_MAXUINT, 0, flags);
  /**
   * ProcfunMap:timeout:
   *
   * How long an element may take, in µs, kept to 20 ms; 0: any time. With #ProcfunMap:chunk-size it
   * is the time of a chunk.
   *
   * Since: 0.1
   */
  props[PROP_TIMEOUT] = g_param_spec_int64 ("timeout", NULL, NULL, 0, G_MAXINT64, 0, flags);
  /**
   * ProcfunMap:deadline:
   *
   * How long the map may take as a whole, from its first result being waited for, in microseconds;
   * 0: as long as it likes. Then it fails with %PROCFUN_ERROR_TIMED_OUT, and what runs is ended.
   *
   * Since: 0.1
   */
  props[PROP_DEADLINE] = g_param_spec_int64 ("deadline", NULL, NULL, 0, G_MAXINT64, 0, flags);
  /**
   * ProcfunMap:limits:
   *
   * Limits of a chunk. Its process ends with it then, so this is for functions that take their
   * time.
   *
   * Since: 0.1
   */
  props[PROP_LIMITS] = g_param_spec_boxed ("limits", NULL, NULL, PROCFUN_TYPE_LIMITS, flags);
}

static void
install_properties (GObjectClass *klass)
{
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS;
  const GParamFlags once = G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS;

  /**
   * ProcfunMap:executor:
   *
   * Where the function is called.
   *
   * Since: 0.1
   */
  props[PROP_EXECUTOR] = g_param_spec_object ("executor", NULL, NULL, PROCFUN_TYPE_EXECUTOR, once);
  /**
   * ProcfunMap:pool:
   *
   * The executor, if it is a #ProcfunPool.
   *
   * Since: 0.1
   */
  props[PROP_POOL] = g_param_spec_object ("pool", NULL, NULL, PROCFUN_TYPE_POOL, once);
  /**
   * ProcfunMap:function:
   *
   * The function that is called.
   *
   * Since: 0.1
   */
  props[PROP_FUNCTION] = g_param_spec_object ("function", NULL, NULL, PROCFUN_TYPE_FUNCTION, once);
  /**
   * ProcfunMap:ordered:
   *
   * Whether results come in the order of the elements, or as they are there.
   *
   * Since: 0.1
   */
  props[PROP_ORDERED] = g_param_spec_boolean ("ordered", NULL, NULL, TRUE, flags);
  /**
   * ProcfunMap:on-error:
   *
   * Treatment of the others when an element fails.
   *
   * Since: 0.1
   */
  props[PROP_ON_ERROR] = g_param_spec_enum ("on-error", NULL, NULL, PROCFUN_TYPE_MAP_ON_ERROR,
                                            PROCFUN_MAP_STOP, flags);
  make_chunk_properties (flags);
  g_object_class_install_properties (klass, N_PROPS, props);
}

static void
procfun_map_class_init (ProcfunMapClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->dispose = procfun_map_dispose;
  object_class->finalize = procfun_map_finalize;
  object_class->get_property = procfun_map_get_property;
  object_class->set_property = procfun_map_set_property;
  install_properties (object_class);

  /**
   * ProcfunMap::progress:
   * @self: the map
   * @n: how many elements are done or have failed
   * @n_total: how many there are; 0: nobody knows
   *
   * Emitted when results have come, by who waits for them.
   *
   * Since: 0.1
   */
  progress_signal = g_signal_new ("progress", PROCFUN_TYPE_MAP, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                  NULL, G_TYPE_NONE, 2, G_TYPE_UINT64, G_TYPE_UINT64);
}

static void
procfun_map_init (ProcfunMap *self)
{
  self->ordered = TRUE;
  self->errors
      = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, (GDestroyNotify)g_error_free);
}

/**
 * procfun_map_new:
 * @pool: a #ProcfunPool
 * @function: what is to be called
 *
 * Makes a map. What it is to call @function for is set by procfun_map_set_array(),
 * procfun_map_set_model(), procfun_map_set_iterator() or procfun_map_push(), and nothing else can
 * be set once it has begun.
 *
 * Returns: (transfer full): a new #ProcfunMap
 *
 * Since: 0.1
 */
ProcfunMap *
procfun_map_new (ProcfunPool *pool, ProcfunFunction *function)
{
  g_return_val_if_fail (PROCFUN_IS_POOL (pool), NULL);
  g_return_val_if_fail (PROCFUN_IS_FUNCTION (function), NULL);

  return g_object_new (PROCFUN_TYPE_MAP, "pool", pool, "function", function, NULL);
}

/**
 * procfun_map_new_on:
 * @executor: a #ProcfunExecutor
 * @function: what is to be called
 *
 * Makes a map on any executor. A #ProcfunPool and a #ProcfunRemotePool are given chunks of
 * elements; on other executors each element is a call. As many run at once as keep the executor
 * busy: #ProcfunProcessExecutor:max-processes, or twice the slots of all hosts.
 *
 * Returns: (transfer full): a new #ProcfunMap
 *
 * Since: 0.1
 */
ProcfunMap *
procfun_map_new_on (ProcfunExecutor *executor, ProcfunFunction *function)
{
  g_return_val_if_fail (PROCFUN_IS_EXECUTOR (executor), NULL);
  g_return_val_if_fail (PROCFUN_IS_FUNCTION (function), NULL);

  return g_object_new (PROCFUN_TYPE_MAP, "executor", executor, "function", function, NULL);
}

/**
 * procfun_map_get_executor:
 * @self: a #ProcfunMap
 *
 * Gets #ProcfunMap:executor.
 *
 * Returns: (transfer none): where the function is called
 *
 * Since: 0.1
 */
ProcfunExecutor *
procfun_map_get_executor (ProcfunMap *self)
{
  g_return_val_if_fail (PROCFUN_IS_MAP (self), NULL);

  return self->executor;
}

/**
 * procfun_map_get_pool:
 * @self: a #ProcfunMap
 *
 * Gets #ProcfunMap:pool.
 *
 * Returns: (transfer none) (nullable): whose workers call the function, or %NULL where the executor
 *   is no pool
 *
 * Since: 0.1
 */
ProcfunPool *
procfun_map_get_pool (ProcfunMap *self)
{
  g_return_val_if_fail (PROCFUN_IS_MAP (self), NULL);

  return PROCFUN_IS_POOL (self->executor) ? PROCFUN_POOL (self->executor) : NULL;
}

/**
 * procfun_map_get_function:
 * @self: a #ProcfunMap
 *
 * Gets #ProcfunMap:function.
 *
 * Returns: (transfer none): what is called
 *
 * Since: 0.1
 */
ProcfunFunction *
procfun_map_get_function (ProcfunMap *self)
{
  g_return_val_if_fail (PROCFUN_IS_MAP (self), NULL);

  return self->function;
}

/**
 * procfun_map_set_ordered:
 * @self: a #ProcfunMap that was not started
 * @ordered: whether results come in the order of the elements
 *
 * Sets #ProcfunMap:ordered.
 *
 * Since: 0.1
 */
void
procfun_map_set_ordered (ProcfunMap *self, gboolean ordered)
{
  g_return_if_fail (PROCFUN_IS_MAP (self));
  g_return_if_fail (self->mapping == NULL);

  if (self->ordered == ordered)
    return;
  self->ordered = ordered;
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_ORDERED]);
}

/**
 * procfun_map_get_ordered:
 * @self: a #ProcfunMap
 *
 * Gets #ProcfunMap:ordered.
 *
 * Returns: whether results come in the order of the elements
 *
 * Since: 0.1
 */
gboolean
procfun_map_get_ordered (ProcfunMap *self)
{
  g_return_val_if_fail (PROCFUN_IS_MAP (self), 0);

  return self->ordered;
}

/**
 * procfun_map_set_on_error:
 * @self: a #ProcfunMap that was not started
 * @on_error: what becomes of the others when an element fails
 *
 * Sets #ProcfunMap:on-error.
 *
 * Since: 0.1
 */
void
procfun_map_set_on_error (ProcfunMap *self, ProcfunMapOnError on_error)
{
  g_return_if_fail (PROCFUN_IS_MAP (self));
  g_return_if_fail (self->mapping == NULL);

  if (self->on_error == on_error)
    return;
  self->on_error = on_error;
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_ON_ERROR]);
}

/**
 * procfun_map_get_on_error:
 * @self: a #ProcfunMap
 *
 * Gets #ProcfunMap:on-error.
 *
 * Returns: what becomes of the others when an element fails
 *
 * Since: 0.1
 */
ProcfunMapOnError
procfun_map_get_on_error (ProcfunMap *self)
{
  g_return_val_if_fail (PROCFUN_IS_MAP (self), 0);

  return self->on_error;
}

/**
 * procfun_map_set_chunk_size:
 * @self: a #ProcfunMap that was not started
 * @n: how many elements a worker is given at a time; 0: as many as seems good
 *
 * Sets #ProcfunMap:chunk-size.
 *
 * Since: 0.1
 */
void
procfun_map_set_chunk_size (ProcfunMap *self, guint n)
{
  g_return_if_fail (PROCFUN_IS_MAP (self));
  g_return_if_fail (self->mapping == NULL);

  if (self->chunk_size == n)
    return;
  self->chunk_size = n;
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_CHUNK_SIZE]);
}

/**
 * procfun_map_get_chunk_size:
 * @self: a #ProcfunMap
 *
 * Gets #ProcfunMap:chunk-size.
 *
 * Returns: a number of elements, or 0
 *
 * Since: 0.1
 */
guint
procfun_map_get_chunk_size (ProcfunMap *self)
{
  g_return_val_if_fail (PROCFUN_IS_MAP (self), 0);

  return self->chunk_size;
}

/**
 * procfun_map_set_timeout:
 * @self: a #ProcfunMap that was not started
 * @us: how long an element may take, in µs; 0: any time
 *
 * Sets #ProcfunMap:timeout.
 *
 * Since: 0.1
 */
void
procfun_map_set_timeout (ProcfunMap *self, gint64 us)
{
  g_return_if_fail (PROCFUN_IS_MAP (self));
  g_return_if_fail (self->mapping == NULL);
  g_return_if_fail (us >= 0);

  if (self->timeout == us)
    return;
  self->timeout = us;
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_TIMEOUT]);
}

/**
 * procfun_map_get_timeout:
 * @self: a #ProcfunMap
 *
 * Gets #ProcfunMap:timeout.
 *
 * Returns: a time in µs, or 0
 *
 * Since: 0.1
 */
gint64
procfun_map_get_timeout (ProcfunMap *self)
{
  g_return_val_if_fail (PROCFUN_IS_MAP (self), 0);

  return self->timeout;
}

/**
 * procfun_map_set_deadline:
 * @self: a #ProcfunMap that was not started
 * @us: how long the map may take, in microseconds; 0: as long as it likes
 *
 * Sets #ProcfunMap:deadline.
 *
 * Since: 0.1
 */
void
procfun_map_set_deadline (ProcfunMap *self, gint64 us)
{
  g_return_if_fail (PROCFUN_IS_MAP (self));
  g_return_if_fail (us >= 0);
  g_return_if_fail (self->mapping == NULL);

  if (self->deadline == us)
    return;
  self->deadline = us;
  g_object_notify (G_OBJECT (self), "deadline");
}

/**
 * procfun_map_get_deadline:
 * @self: a #ProcfunMap
 *
 * Gets #ProcfunMap:deadline.
 *
 * Returns: how long the map may take, in microseconds; 0: as long as it likes
 *
 * Since: 0.1
 */
gint64
procfun_map_get_deadline (ProcfunMap *self)
{
  g_return_val_if_fail (PROCFUN_IS_MAP (self), 0);

  return self->deadline;
}

/**
 * procfun_map_set_limits:
 * @self: a #ProcfunMap that was not started
 * @limits: (nullable): what a chunk may use; copied
 *
 * Sets #ProcfunMap:limits.
 *
 * Since: 0.1
 */
void
procfun_map_set_limits (ProcfunMap *self, ProcfunLimits *limits)
{
  g_return_if_fail (PROCFUN_IS_MAP (self));
  g_return_if_fail (self->mapping == NULL);

  g_clear_pointer (&self->limits, procfun_limits_free);
  self->limits = limits != NULL ? procfun_limits_copy (limits) : NULL;
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_LIMITS]);
}

/**
 * procfun_map_get_limits:
 * @self: a #ProcfunMap
 *
 * Gets #ProcfunMap:limits.
 *
 * Returns: (transfer none) (nullable): what a chunk may use
 *
 * Since: 0.1
 */
ProcfunLimits *
procfun_map_get_limits (ProcfunMap *self)
{
  g_return_val_if_fail (PROCFUN_IS_MAP (self), NULL);

  return self->limits;
}
