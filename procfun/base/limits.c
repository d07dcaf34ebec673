/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/base/limits.h"

#include "procfun/base/intl.h"
#include "procfun/procfun-error.h"
#include <errno.h>
#include <string.h>

/**
 * SECTION:procfun-limits
 * @title: ProcfunLimits
 * @short_description: what a call may use
 *
 * The resources that a call may use. 0 stands for no limit.
 */

/**
 * ProcfunLimits:
 *
 * The resources that a call may use. 0 stands for no limit.
 *
 * The limits of a call are set with procfun_call_set_limits(). A call that goes over one of them
 * ends, and fails with %PROCFUN_ERROR_MEMORY_LIMIT, %PROCFUN_ERROR_CPU_LIMIT or
 * %PROCFUN_ERROR_LIMIT, whose message names the limit. A limit that cannot be kept on this system
 * is an error before the function runs, %PROCFUN_ERROR_SANDBOX.
 *
 * |[<!-- language="C" -->
 * g_autoptr (ProcfunLimits) limits
 *     = procfun_limits_new_from_string ("memory=200M cpu=300ms", NULL);
 *
 * procfun_call_set_limits (call, limits);
 * ]|
 *
 * In text each limit is a word, and the words stand in any order, with white space between them.
 * Numbers are whole. Sizes are in bytes or, with K, M and G, in units of 1024, 1024² and 1024³
 * bytes; times have one of the units us, ms, s and min.
 *
 * - memory=200M: procfun_limits_set_memory()
 * - cpu=300ms: procfun_limits_set_cpu_time()
 * - files=32: procfun_limits_set_open_files()
 * - file-size=10M: procfun_limits_set_file_size()
 * - processes=4: procfun_limits_set_processes()
 * - result=1M: procfun_limits_set_result_size()
 * - output=64K: procfun_limits_set_output_size()
 *
 * Limits are counted from where the function begins: what its process has used before is not the
 * function's.
 *
 * In a #ProcfunPool a call with limits on memory, open files, the size of files or processes has a
 * worker of its own, which ends with it, because the kernel keeps these for the whole life of a
 * process. Limits on CPU time, result and output cost nothing there: the call has a worker like any
 * other.
 *
 * Since: 0.1
 */

G_DEFINE_BOXED_TYPE (ProcfunLimits, procfun_limits, procfun_limits_copy, procfun_limits_free)

/**
 * procfun_limits_new:
 *
 * Makes limits that limit nothing yet.
 *
 * Returns: (transfer full): the limits; free them with procfun_limits_free()
 *
 * Since: 0.1
 */
ProcfunLimits *
procfun_limits_new (void)
{
  return g_new0 (ProcfunLimits, 1);
}

/**
 * procfun_limits_copy:
 * @self: limits
 *
 * Copies limits.
 *
 * Returns: (transfer full): the copy; free it with procfun_limits_free()
 *
 * Since: 0.1
 */
ProcfunLimits *
procfun_limits_copy (const ProcfunLimits *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return g_memdup2 (self, sizeof *self);
}

/**
 * procfun_limits_free:
 * @self: (transfer full): limits
 *
 * Frees limits.
 *
 * Since: 0.1
 */
void
procfun_limits_free (ProcfunLimits *self)
{
  g_return_if_fail (self != NULL);

  g_free (self);
}

/**
 * procfun_limits_equal:
 * @self: limits
 * @other: other limits
 *
 * Tells whether two limits are the same in everything.
 *
 * Returns: whether they are
 *
 * Since: 0.1
 */
gboolean
procfun_limits_equal (const ProcfunLimits *self, const ProcfunLimits *other)
{
  g_return_val_if_fail (self != NULL, FALSE);
  g_return_val_if_fail (other != NULL, FALSE);

  return memcmp (self, other, sizeof *self) == 0;
}

/**
 * procfun_limits_set_memory:
 * @self: limits
 * @bytes: bytes of memory, or 0 for no limit
 *
 * Limits the memory that the function may take beside what its process has when the function
 * begins; encoding the result is part of it. What is over it is refused: malloc() returns %NULL and
 * g_malloc() ends the process; then the call fails with %PROCFUN_ERROR_MEMORY_LIMIT.
 *
 * Counted is private memory, whether it has been touched or not. Where the system lets this process
 * make control groups that count memory, shared memory counts, too, and so does what further
 * processes take that the function starts; otherwise each of them has this limit for itself.
 *
 * The main stack has the same limit once more, but 1 MiB at least: a function that recurses more
 * deeply crashes. A mapping with `MAP_GROWSDOWN` counts only when it grows, except in such a
 * control group.
 *
 * Since: 0.1
 */
void
procfun_limits_set_memory (ProcfunLimits *self, guint64 bytes)
{
  g_return_if_fail (self != NULL);

  self->memory = bytes;
}

/**
 * procfun_limits_get_memory:
 * @self: limits
 *
 * Gets the limit on memory: see procfun_limits_set_memory().
 *
 * Returns: the limit in bytes, or 0 for none
 *
 * Since: 0.1
 */
guint64
procfun_limits_get_memory (const ProcfunLimits *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return self->memory;
}

/**
 * procfun_limits_set_cpu_time:
 * @self: limits
 * @us: microseconds of CPU time, or 0 for no limit
 *
 * Limits the CPU time that all threads of the function's process use together, while the function
 * runs. Then the process is ended, and the call fails with %PROCFUN_ERROR_CPU_LIMIT. The time that
 * a function waits does not count: see procfun_call_set_timeout().
 *
 * Since: 0.1
 */
void
procfun_limits_set_cpu_time (ProcfunLimits *self, gint64 us)
{
  g_return_if_fail (self != NULL);
  g_return_if_fail (us >= 0);

  self->cpu_time = (guint64)us;
}

/**
 * procfun_limits_get_cpu_time:
 * @self: limits
 *
 * Gets the limit on CPU time: see procfun_limits_set_cpu_time().
 *
 * Returns: the limit in microseconds, or 0 for none
 *
 * Since: 0.1
 */
gint64
procfun_limits_get_cpu_time (const ProcfunLimits *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return (gint64)self->cpu_time;
}

/**
 * procfun_limits_set_open_files:
 * @self: limits
 * @n: a number of file descriptors, or 0 for no limit
 *
 * Limits how many file descriptors the function may have open at a time, beside those that its
 * process has when the function begins. What opens one more fails with %EMFILE, which the function
 * sees; a program that cannot go on and ends itself for it fails with %PROCFUN_ERROR_LIMIT.
 *
 * Since: 0.1
 */
void
procfun_limits_set_open_files (ProcfunLimits *self, guint n)
{
  g_return_if_fail (self != NULL);

  self->open_files = n;
}

/**
 * procfun_limits_get_open_files:
 * @self: limits
 *
 * Gets the limit on open files: see procfun_limits_set_open_files().
 *
 * Returns: the limit, or 0 for none
 *
 * Since: 0.1
 */
guint
procfun_limits_get_open_files (const ProcfunLimits *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return (guint)self->open_files;
}

/**
 * procfun_limits_set_file_size:
 * @self: limits
 * @bytes: bytes, or 0 for no limit
 *
 * Limits how large the function can make a file: it cannot write behind this place in any file.
 * A function that tries is ended, and the call fails with %PROCFUN_ERROR_LIMIT.
 *
 * Since: 0.1
 */
void
procfun_limits_set_file_size (ProcfunLimits *self, guint64 bytes)
{
  g_return_if_fail (self != NULL);

  self->file_size = bytes;
}

/**
 * procfun_limits_get_file_size:
 * @self: limits
 *
 * Gets the limit on the size of files: see procfun_limits_set_file_size().
 *
 * Returns: the limit in bytes, or 0 for none
 *
 * Since: 0.1
 */
guint64
procfun_limits_get_file_size (const ProcfunLimits *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return self->file_size;
}

/**
 * procfun_limits_set_processes:
 * @self: limits
 * @n: a number of processes and threads, or 0 for no limit
 *
 * Limits how many processes and threads there may be, the function's own first one among them: with
 * 1, it can start none. To start one more fails with %EAGAIN, which the function sees; a program
 * that cannot go on and ends itself for it fails with %PROCFUN_ERROR_LIMIT.
 *
 * Where the system does not let this process make control groups that count processes, those of the
 * whole user are counted, so that others of the same user that begin or end while the function runs
 * take from this number or add to it. For the superuser this does not work, and the call fails with
 * %PROCFUN_ERROR_SANDBOX.
 *
 * Since: 0.1
 */
void
procfun_limits_set_processes (ProcfunLimits *self, guint n)
{
  g_return_if_fail (self != NULL);

  self->processes = n;
}

/**
 * procfun_limits_get_processes:
 * @self: limits
 *
 * Gets the limit on processes: see procfun_limits_set_processes().
 *
 * Returns: the limit, or 0 for none
 *
 * Since: 0.1
 */
guint
procfun_limits_get_processes (const ProcfunLimits *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return (guint)self->processes;
}

/**
 * procfun_limits_set_result_size:
 * @self: limits
 * @bytes: bytes, or 0 for no limit of the call's own
 *
 * Limits how large the encoded result may be, or each item of a generator. If it is larger, the
 * call fails with %PROCFUN_ERROR_LIMIT. The contents of a #ProcfunBuffer do not count.
 *
 * Since: 0.1
 */
void
procfun_limits_set_result_size (ProcfunLimits *self, guint64 bytes)
{
  g_return_if_fail (self != NULL);

  self->result_size = bytes;
}

/**
 * procfun_limits_get_result_size:
 * @self: limits
 *
 * Gets the limit on the size of the result: see procfun_limits_set_result_size().
 *
 * Returns: the limit in bytes, or 0 for none
 *
 * Since: 0.1
 */
guint64
procfun_limits_get_result_size (const ProcfunLimits *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return self->result_size;
}

/**
 * procfun_limits_set_output_size:
 * @self: limits
 * @bytes: bytes, or 0 for no limit
 *
 * Limits how much the function may write to its standard output and standard error together,
 * wherever that goes. With one byte more the call ends and fails with %PROCFUN_ERROR_LIMIT.
 *
 * Since: 0.1
 */
void
procfun_limits_set_output_size (ProcfunLimits *self, guint64 bytes)
{
  g_return_if_fail (self != NULL);

  self->output_size = bytes;
}

/**
 * procfun_limits_get_output_size:
 * @self: limits
 *
 * Gets the limit on the size of the output: see procfun_limits_set_output_size().
 *
 * Returns: the limit in bytes, or 0 for none
 *
 * Since: 0.1
 */
guint64
procfun_limits_get_output_size (const ProcfunLimits *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return self->output_size;
}

/* As text, and for the wire */

typedef struct
{
  const char *suffix;
  guint64 factor;
} Unit;

typedef struct
{
  const Unit *units; /* rising; the last has no suffix */
  guint64 max;
  const char *expected; /* to be translated */
} Kind;

static const Unit size_units[]
    = { { "", 1 }, { "K", 1 << 10 }, { "M", 1 << 20 }, { "G", 1 << 30 }, { NULL, 0 } };
static const Unit time_units[] = { { "us", 1 },
                                   { "ms", G_TIME_SPAN_MILLISECOND },
                                   { "s", G_TIME_SPAN_SECOND },
                                   { "min", G_TIME_SPAN_MINUTE },
                                   { NULL, 0 } };
static const Unit count_units[] = { { "", 1 }, { NULL, 0 } };

static const Kind size_kind
    = { size_units, G_MAXUINT64, N_ ("a size is a whole number with K, M, G or nothing, as 200M") };
static const Kind time_kind
    = { time_units, G_MAXINT64, N_ ("a time is a whole number with us, ms, s or min, as 300ms") };
static const Kind count_kind = { count_units, G_MAXUINT, N_ ("a whole number is expected") };

typedef struct
{
  const char *name;
  gsize offset;
  const Kind *kind;
} Key;

static const Key keys[] = {
  { "memory", G_STRUCT_OFFSET (ProcfunLimits, memory), &size_kind },
  { "cpu", G_STRUCT_OFFSET (ProcfunLimits, cpu_time), &time_kind },
  { "files", G_STRUCT_OFFSET (ProcfunLimits, open_files), &count_kind },
  { "file-size", G_STRUCT_OFFSET (ProcfunLimits, file_size), &size_kind },
  { "processes", G_STRUCT_OFFSET (ProcfunLimits, processes), &count_kind },
  { "result", G_STRUCT_OFFSET (ProcfunLimits, result_size), &size_kind },
  { "output", G_STRUCT_OFFSET (ProcfunLimits, output_size), &size_kind },
};

static const Key *
find_key (const char *name, gsize length)
{
  for (gsize i = 0; i < G_N_ELEMENTS (keys); i++)
    if (strlen (keys[i].name) == length && memcmp (keys[i].name, name, length) == 0)
      return &keys[i];
  return NULL;
}

static guint64 *
get_value (const ProcfunLimits *self, const Key *key)
{
  return G_STRUCT_MEMBER_P (self, key->offset);
}

/* Text */

static char *
list_keys (void)
{
  GString *text = g_string_new (NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (keys); i++)
    g_string_append_printf (text, "%s%s", i > 0 ? ", " : "", keys[i].name);
  return g_string_free (text, FALSE);
}

static const Unit *
find_unit (const Kind *kind, const char *suffix)
{
  for (const Unit *unit = kind->units; unit->suffix != NULL; unit++)
    if (strcmp (unit->suffix, suffix) == 0)
      return unit;
  return NULL;
}

/* The problem, or NULL. */
static const char *
read_value (const Kind *kind, const char *text, guint64 *value)
{
  const Unit *unit;
  guint64 number;
  char *end;

  if (!g_ascii_isdigit (text[0]))
    return _ (kind->expected);
  errno = 0;
  number = g_ascii_strtoull (text, &end, 10);
  unit = find_unit (kind, end);
  if (unit == NULL && !(number == 0 && *end == '\0'))
    return _ (kind->expected);
  if (errno == ERANGE || (unit != NULL && number > kind->max / unit->factor))
    return _ ("this is too large");
  *value = unit != NULL ? number * unit->factor : 0;
  return NULL;
}

/* Takes @problem; @place counts from 0. */
static gboolean
fail (GError **error, gsize place, const char *word, char *problem)
{
  g_autofree char *owned = problem;
  g_autofree char *valid = g_utf8_make_valid (word, -1);

  g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_INVALID, _ ("limits, character %zu: “%s”: %s"),
               place + 1, valid, owned);
  return FALSE;
}

/* @seen has a bit for each key. */
static gboolean
read_word (ProcfunLimits *self, const char *word, gsize place, guint *seen, GError **error)
{
  gsize length = strcspn (word, "=");
  const Key *key = find_key (word, length);
  g_autofree char *known = list_keys ();
  const char *problem;
  guint bit;

  if (key == NULL)
    return fail (error, place, word, g_strdup_printf (_ ("the limits are %s"), known));
  if (word[length] == '\0')
    return fail (error, place, word, g_strdup (_ ("“=” and a value are missing")));
  bit = 1u << (key - keys);
  if ((*seen & bit) != 0)
    return fail (error, place, word, g_strdup_printf (_ ("%s is there twice"), key->name));
  *seen |= bit;
  problem = read_value (key->kind, word + length + 1, get_value (self, key));
  if (problem != NULL)
    return fail (error, place + length + 1, word + length + 1, g_strdup (problem));
  return TRUE;
}

/* The shortest exact form; of equal ones that with the largest unit. */
static void
append_value (GString *text, const Kind *kind, guint64 value)
{
  g_autofree char *best = NULL;

  for (const Unit *unit = kind->units; unit->suffix != NULL; unit++)
    {
      g_autofree char *candidate
          = g_strdup_printf ("%" G_GUINT64_FORMAT "%s", value / unit->factor, unit->suffix);

      if (value % unit->factor == 0 && (best == NULL || strlen (candidate) <= strlen (best)))
        {
          g_free (best);
          best = g_steal_pointer (&candidate);
        }
    }
  g_string_append (text, best);
}

char *
limits_describe (const ProcfunLimits *self, const char *name)
{
  const Key *key = find_key (name, strlen (name));
  GString *text;

  if (key == NULL || *get_value (self, key) == 0)
    return NULL;
  text = g_string_new (NULL);
  append_value (text, key->kind, *get_value (self, key));
  return g_string_free (text, FALSE);
}

gboolean
limits_need_process (const ProcfunLimits *self)
{
  return self->memory != 0 || self->open_files != 0 || self->file_size != 0 || self->processes != 0;
}

static guint64
get_stricter (guint64 value, guint64 other)
{
  return value == 0 || (other != 0 && other < value) ? other : value;
}

ProcfunLimits *
limits_merge (const ProcfunLimits *self, const ProcfunLimits *other)
{
  ProcfunLimits *merged;

  if (self == NULL || other == NULL)
    return self != NULL    ? procfun_limits_copy (self)
           : other != NULL ? procfun_limits_copy (other)
                           : NULL;
  merged = procfun_limits_new ();
  for (gsize i = 0; i < G_N_ELEMENTS (keys); i++)
    *get_value (merged, &keys[i])
        = get_stricter (*get_value (self, &keys[i]), *get_value (other, &keys[i]));
  return merged;
}

/* The wire */

GVariant *
limits_to_variant (const ProcfunLimits *self)
{
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a{st}"));
  for (gsize i = 0; i < G_N_ELEMENTS (keys); i++)
    if (*get_value (self, &keys[i]) != 0)
      g_variant_builder_add (&builder, "{st}", keys[i].name, *get_value (self, &keys[i]));
  return g_variant_builder_end (&builder);
}

ProcfunLimits *
limits_from_variant (GVariant *variant)
{
  g_autoptr (ProcfunLimits) self = procfun_limits_new ();
  GVariantIter iter;
  const char *name;
  guint64 value;

  if (!g_variant_is_of_type (variant, G_VARIANT_TYPE ("a{st}")))
    return NULL;
  g_variant_iter_init (&iter, variant);
  while (g_variant_iter_next (&iter, "{&st}", &name, &value))
    {
      const Key *key = find_key (name, strlen (name));

      if (key == NULL || value > key->kind->max)
        return NULL;
      *get_value (self, key) = value;
    }
  return g_steal_pointer (&self);
}

/* Public */

/**
 * procfun_limits_new_from_string:
 * @text: limits in their text form, as `memory=200M cpu=300ms files=32`
 * @error: (nullable): where to put an error
 *
 * Makes limits from text. A limit of 0 is no limit, as one that is not there.
 *
 * Fails with %PROCFUN_ERROR_INVALID, and says where: an unknown limit or one that is there twice, a
 * number or unit that is none, or a number that is too large.
 *
 * Returns: (transfer full): the limits; free them with procfun_limits_free()
 *
 * Since: 0.1
 */
ProcfunLimits *
procfun_limits_new_from_string (const char *text, GError **error)
{
  g_autoptr (ProcfunLimits) self = NULL;
  guint seen = 0;

  g_return_val_if_fail (text != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  self = procfun_limits_new ();
  for (const char *at = text + strspn (text, " \t\n"); *at != '\0'; at += strspn (at, " \t\n"))
    {
      g_autofree char *word = g_strndup (at, strcspn (at, " \t\n"));

      if (!read_word (self, word, (gsize)(at - text), &seen, error))
        return NULL;
      at += strlen (word);
    }
  return g_steal_pointer (&self);
}

/**
 * procfun_limits_to_string:
 * @self: limits
 *
 * Gives limits as text, the shortest that is exact; procfun_limits_new_from_string() makes the same
 * limits of it. Without any limit the text is empty.
 *
 * Returns: (transfer full): the text
 *
 * Since: 0.1
 */
char *
procfun_limits_to_string (const ProcfunLimits *self)
{
  GString *text;

  g_return_val_if_fail (self != NULL, NULL);

  text = g_string_new (NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (keys); i++)
    if (*get_value (self, &keys[i]) != 0)
      {
        g_string_append_printf (text, "%s%s=", text->len > 0 ? " " : "", keys[i].name);
        append_value (text, keys[i].kind, *get_value (self, &keys[i]));
      }
  return g_string_free (text, FALSE);
}
