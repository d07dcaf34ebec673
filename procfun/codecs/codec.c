/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/procfun-codec.h"

#include "procfun/base/intl.h"
#include "procfun/codecs/gvariant.h"
#include "procfun/codecs/json.h"
#include "procfun/procfun-error.h"

/**
 * SECTION:procfun-codec
 * @title: ProcfunCodec
 * @short_description: how values become bytes and back
 *
 * How values become bytes and back.
 */

/**
 * ProcfunCodec:
 *
 * How values become bytes and back.
 *
 * Arguments and results travel between processes as bytes. A #ProcfunCodec makes these from a
 * #GVariant, and the other side must have the same codec. The library has two:
 *
 * - `json`, text that people can read and write: exact, and described by the #ProcfunSchema, so
 * that structs have names and enumerations nicks. procfun_codec_get_json() lists the forms of all
 * types.
 * - `gvariant`, the serialised form of GVariant, for processes on one machine.
 *
 * A program can add classes that implement the interface; procfun_codec_register() makes one known
 * by its name.
 *
 * Since: 0.1
 */
G_DEFINE_INTERFACE (ProcfunCodec, procfun_codec, G_TYPE_OBJECT)

static GMutex registered_lock;
static GHashTable *registered = NULL; /* (element-type utf8 ProcfunCodec), by name */

static void
procfun_codec_default_init (ProcfunCodecInterface *iface)
{
}

/**
 * procfun_codec_get_name:
 * @self: a #ProcfunCodec
 *
 * Gets the name under which both sides know the codec.
 *
 * Returns: (transfer none): the name
 *
 * Since: 0.1
 */
const char *
procfun_codec_get_name (ProcfunCodec *self)
{
  g_return_val_if_fail (PROCFUN_IS_CODEC (self), NULL);

  return PROCFUN_CODEC_GET_IFACE (self)->get_name (self);
}

static gboolean
check_type (ProcfunSchema *schema, GVariant *value, int code, GError **error)
{
  g_autofree char *expected = NULL;

  if (g_variant_is_of_type (value, procfun_schema_get_variant_type (schema)))
    return TRUE;

  expected = g_variant_type_dup_string (procfun_schema_get_variant_type (schema));
  g_set_error (error, PROCFUN_ERROR, code, _ ("The value is of type “%s”, not “%s”"),
               g_variant_get_type_string (value), expected);
  return FALSE;
}

/**
 * procfun_codec_encode:
 * @self: a #ProcfunCodec
 * @schema: the schema of @value
 * @value: the value; a floating one is consumed
 * @error: (nullable): return location for an error
 *
 * Makes bytes of a value.
 *
 * Fails with %PROCFUN_ERROR_ENCODE if the value has another type than the schema, or is one that
 * the codec can't express; the message names the place in the value.
 *
 * Returns: (transfer full): the bytes, or %NULL on failure
 *
 * Since: 0.1
 */
GBytes *
procfun_codec_encode (ProcfunCodec *self, ProcfunSchema *schema, GVariant *value, GError **error)
{
  g_autoptr (GVariant) held = NULL;

  g_return_val_if_fail (PROCFUN_IS_CODEC (self), NULL);
  g_return_val_if_fail (schema != NULL, NULL);
  g_return_val_if_fail (value != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  held = g_variant_ref_sink (value);
  if (!check_type (schema, held, PROCFUN_ERROR_ENCODE, error))
    return NULL;
  return PROCFUN_CODEC_GET_IFACE (self)->encode (self, schema, held, error);
}

/**
 * procfun_codec_decode:
 * @self: a #ProcfunCodec
 * @schema: the schema of the value
 * @data: bytes of procfun_codec_encode(), or any others
 * @error: (nullable): return location for an error
 *
 * Makes a value of bytes. The bytes need not be trusted.
 *
 * Fails with %PROCFUN_ERROR_DECODE if the bytes are not a value of the schema; the message names
 * the place.
 *
 * Returns: (transfer full): the value, not floating, of the schema's type and in normal form, or
 *   %NULL on failure
 *
 * Since: 0.1
 */
GVariant *
procfun_codec_decode (ProcfunCodec *self, ProcfunSchema *schema, GBytes *data, GError **error)
{
  g_autoptr (GVariant) value = NULL;

  g_return_val_if_fail (PROCFUN_IS_CODEC (self), NULL);
  g_return_val_if_fail (schema != NULL, NULL);
  g_return_val_if_fail (data != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  value = PROCFUN_CODEC_GET_IFACE (self)->decode (self, schema, data, error);
  if (value == NULL || !check_type (schema, value, PROCFUN_ERROR_DECODE, error))
    return NULL;
  return g_steal_pointer (&value);
}

/**
 * procfun_codec_get_json:
 *
 * Gets the codec named `json`, which writes RFC 8259 in UTF-8, on one line:
 *
 * - `b y n q i u`: true or false, a number.
 * - `x t`: a number, outside ±2⁵³ a string of decimal digits. Either is read.
 * - `d`: the shortest number that reads back to the same bits; `"NaN"`, `"Infinity"` and
 *   `"-Infinity"`. The payload of a NaN is not kept.
 * - `s o g`: a string. One that contains U+0000 can't be a value and is refused.
 * - `ay`: a string in Base64. An array of numbers is read, too.
 * - `a?`: an array.
 * - `a{s?}`, `a{o?}`, `a{g?}`: an object, or an array of pairs if a key is there twice.
 * Dictionaries with other keys: an array of pairs. Either is read for any dictionary; the keys of
 * an object are then numbers in quotes.
 * - `m?`: null or the value. A maybe directly within a maybe is `[]` or `[value]`.
 * - `(…)`: an array. The fields of a struct: an object by field name; an array is read, too. The
 *   arguments of a function: an array; an object by argument name is read, too.
 * - `v`: `{"type":"i","value":5}`.
 * - `h`: its index, which is not negative.
 * - enumerations: the nick, or a number if the value has none. Either is read.
 *
 * An integer may be written in any way that has an integral value: `1e2` and `100.0` are read as
 * 100. Text that does not fit is an error, and never cut: numbers out of range, wrong types,
 * unknown, missing and duplicate names, invalid UTF-8, text after the end, more than 128 levels.
 *
 * Returns: (transfer none): the codec
 *
 * Since: 0.1
 */
ProcfunCodec *
procfun_codec_get_json (void)
{
  static ProcfunCodec *codec = NULL;

  if (g_once_init_enter (&codec))
    g_once_init_leave (&codec, wire_json_codec_new ());
  return codec;
}

/**
 * procfun_codec_get_gvariant:
 *
 * Gets the codec named `gvariant`: the serialised form of GVariant, in the byte order of this
 * machine.
 *
 * Decoding refuses bytes that are not in normal form. It does not copy: the value refers to the
 * bytes.
 *
 * Returns: (transfer none): the codec
 *
 * Since: 0.1
 */
ProcfunCodec *
procfun_codec_get_gvariant (void)
{
  static ProcfunCodec *codec = NULL;

  if (g_once_init_enter (&codec))
    g_once_init_leave (&codec, wire_variant_codec_new ());
  return codec;
}

/**
 * procfun_codec_lookup:
 * @name: the name of a codec
 *
 * Finds a codec: `json`, `gvariant`, or one that procfun_codec_register() made known.
 *
 * Returns: (transfer none) (nullable): the codec, or %NULL if there is none of that name
 *
 * Since: 0.1
 */
ProcfunCodec *
procfun_codec_lookup (const char *name)
{
  g_autoptr (GMutexLocker) locker = NULL;

  g_return_val_if_fail (name != NULL, NULL);

  if (g_str_equal (name, "json"))
    return procfun_codec_get_json ();
  if (g_str_equal (name, "gvariant"))
    return procfun_codec_get_gvariant ();

  locker = g_mutex_locker_new (&registered_lock);
  return registered != NULL ? g_hash_table_lookup (registered, name) : NULL;
}

/**
 * procfun_codec_register:
 * @codec: a #ProcfunCodec
 *
 * Makes a codec known by its name, for as long as the process runs.
 *
 * Returns: %FALSE if there is another codec of that name already
 *
 * Since: 0.1
 */
gboolean
procfun_codec_register (ProcfunCodec *codec)
{
  g_autoptr (GMutexLocker) locker = NULL;
  const char *name;
  ProcfunCodec *known;

  g_return_val_if_fail (PROCFUN_IS_CODEC (codec), FALSE);

  name = procfun_codec_get_name (codec);
  known = procfun_codec_lookup (name);
  if (known != NULL)
    return known == codec;

  locker = g_mutex_locker_new (&registered_lock);
  if (registered == NULL)
    registered = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  if (g_hash_table_contains (registered, name))
    return g_hash_table_lookup (registered, name) == codec;
  return g_hash_table_insert (registered, g_strdup (name), g_object_ref (codec));
}
