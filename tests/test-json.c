/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "tests/fixture.h"

#include "procfun/codecs/json.h"
#include "procfun/procfun-error.h"
#include "procfun/values/schema.h"

#include <string.h>

/* The table of the reference, line by line. */

/* A schema by a name of ours, or by a GVariant type. */
static ProcfunSchema *
schema_new (const char *name)
{
  static const gint32 values[] = { 0, 1, -7, 1 };
  static const char *const nicks[] = { "red", "green", "dark-blue", "lime" };
  static const char *const xy[] = { "x", "y" };
  static const char *const names[] = { "a", "b", "title" };

  if (g_str_equal (name, "Colour"))
    return procfun_schema_new_enum (G_N_ELEMENTS (values), values, nicks);

  if (g_str_equal (name, "Point") || g_str_equal (name, "Pixel"))
    {
      g_autoptr (ProcfunSchema) number
          = procfun_schema_new (G_VARIANT_TYPE (name[1] == 'o' ? "d" : "y"));

      return procfun_schema_new_named (PROCFUN_SCHEMA_STRUCT, 2, xy,
                                       (ProcfunSchema *[]){ number, number });
    }

  if (g_str_equal (name, "Pixels"))
    {
      g_autoptr (ProcfunSchema) pixel = schema_new ("Pixel");

      return procfun_schema_new_array (pixel);
    }

  if (g_str_equal (name, "distance"))
    {
      g_autoptr (ProcfunSchema) pixel = schema_new ("Pixel");
      g_autoptr (ProcfunSchema) string = procfun_schema_new (G_VARIANT_TYPE_STRING);

      return procfun_schema_new_named (PROCFUN_SCHEMA_ARGUMENTS, 3, names,
                                       (ProcfunSchema *[]){ pixel, pixel, string });
    }

  if (g_str_equal (name, "nothing"))
    return procfun_schema_new_named (PROCFUN_SCHEMA_ARGUMENTS, 0, NULL, NULL);

  return procfun_schema_new (G_VARIANT_TYPE (name));
}

static GVariant *
variant_parse (ProcfunSchema *schema, const char *text)
{
  g_autoptr (GError) error = NULL;
  GVariant *value;

  value = g_variant_parse (procfun_schema_get_variant_type (schema), text, NULL, NULL, &error);
  g_assert_no_error (error);
  return value;
}

static void
assert_written (const char *name, const char *value, const char *json)
{
  g_autoptr (ProcfunSchema) schema = schema_new (name);
  g_autoptr (GVariant) variant = variant_parse (schema, value);
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = wire_json_write (schema, variant, &error);
  g_autofree char *text = NULL;

  g_assert_no_error (error);
  text = g_strndup (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
  g_assert_cmpstr (text, ==, json);
}

static void
assert_read (const char *name, const char *json, const char *value)
{
  g_autoptr (ProcfunSchema) schema = schema_new (name);
  g_autoptr (GVariant) expected = variant_parse (schema, value);
  g_autoptr (GVariant) normal = g_variant_get_normal_form (expected);
  g_autoptr (GVariant) found = NULL;
  g_autoptr (GVariant) untrusted = NULL;
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GError) error = NULL;

  found = wire_json_read (schema, json, strlen (json), &error);
  g_assert_no_error (error);
  g_assert_cmpvariant (found, expected);
  g_assert_cmpmem (g_variant_get_data (found), g_variant_get_size (found),
                   g_variant_get_data (normal), g_variant_get_size (normal));

  /* GLib is told to trust it; would it, if it looked? */
  bytes = g_variant_get_data_as_bytes (found);
  untrusted = g_variant_ref_sink (g_variant_new_from_bytes (schema->type, bytes, FALSE));
  g_assert_true (g_variant_is_normal_form (untrusted));
}

typedef struct
{
  const char *schema;
  const char *value; /* in GVariant's text format */
  const char *json;
} Case;

/* Written so, and read back. */
static const Case both[] = {
  { "b", "true", "true" },
  { "b", "false", "false" },
  { "y", "0x00", "0" },
  { "y", "0xff", "255" },
  { "n", "-32768", "-32768" },
  { "n", "32767", "32767" },
  { "q", "65535", "65535" },
  { "i", "-2147483648", "-2147483648" },
  { "i", "2147483647", "2147483647" },
  { "u", "4294967295", "4294967295" },
  { "x", "-5", "-5" },
  { "x", "9007199254740992", "9007199254740992" },
  { "x", "9007199254740993", "\"9007199254740993\"" },
  { "x", "-9007199254740992", "-9007199254740992" },
  { "x", "-9007199254740993", "\"-9007199254740993\"" },
  { "x", "-9223372036854775808", "\"-9223372036854775808\"" },
  { "x", "9223372036854775807", "\"9223372036854775807\"" },
  { "t", "9007199254740992", "9007199254740992" },
  { "t", "9007199254740993", "\"9007199254740993\"" },
  { "t", "18446744073709551615", "\"18446744073709551615\"" },
  { "d", "0.0", "0.0" },
  { "d", "-0.0", "-0.0" },
  { "d", "1.0", "1.0" },
  { "d", "0.1", "0.1" },
  { "d", "1e21", "1e21" },
  { "d", "1e22", "1e22" },
  { "d", "1e308", "1e308" },
  { "d", "2.2250738585072014e-308", "2.2250738585072014e-308" },
  { "d", "1e-7", "1e-7" },
  { "d", "nan", "\"NaN\"" },
  { "d", "inf", "\"Infinity\"" },
  { "d", "-inf", "\"-Infinity\"" },
  { "s", "''", "\"\"" },
  { "s", "'a\"b\\\\c/d'", "\"a\\\"b\\\\c/d\"" },
  { "s", "'\\b\\f\\n\\r\\t'", "\"\\b\\f\\n\\r\\t\"" },
  { "s", "'\\u0001\\u001f\\u007f'", "\"\\u0001\\u001f\x7f\"" },
  { "s", "'über 𝄞 \\u2028\\uffff'", "\"über 𝄞 \xe2\x80\xa8\xef\xbf\xbf\"" },
  { "o", "'/org/example'", "\"/org/example\"" },
  { "g", "'a{sv}'", "\"a{sv}\"" },
  { "ay", "[]", "\"\"" },
  { "ay", "b'f\\000'", "\"ZgA=\"" },
  { "ay", "[0xff]", "\"/w==\"" },
  { "ay", "[0xfb, 0xff, 0xfe]", "\"+//+\"" },
  { "as", "[]", "[]" },
  { "as", "['', 'a']", "[\"\",\"a\"]" },
  { "ai", "[1, -2]", "[1,-2]" },
  { "aai", "[[], [1], []]", "[[],[1],[]]" },
  { "aay", "[b'a', b'']", "[\"YQA=\",\"AA==\"]" },
  { "a{sv}", "{}", "{}" },
  { "a{sv}", "{'a': <1>, 'b': <'x'>}",
    "{\"a\":{\"type\":\"i\",\"value\":1},\"b\":{\"type\":\"s\",\"value\":\"x\"}}" },
  { "a{si}", "{'': 1, 'ü\"': 2}", "{\"\":1,\"ü\\\"\":2}" },
  { "a{oi}", "{'/a': 1, '/b': 2}", "{\"/a\":1,\"/b\":2}" },
  { "a{gs}", "{'ai': 'x', '': 'y'}", "{\"ai\":\"x\",\"\":\"y\"}" },
  { "a{si}", "[{'a', 1}, {'b', 2}, {'a', 3}]", "[[\"a\",1],[\"b\",2],[\"a\",3]]" },
  { "a{is}", "{1: 'a', -2: 'b'}", "[[1,\"a\"],[-2,\"b\"]]" },
  { "a{by}", "{true: 0x01}", "[[true,1]]" },
  { "a{dd}", "{1.5: 2.5}", "[[1.5,2.5]]" },
  { "a{sa{sai}}", "{'a': {'b': [1]}}", "{\"a\":{\"b\":[1]}}" },
  { "{sv}", "{'a', <1>}", "[\"a\",{\"type\":\"i\",\"value\":1}]" },
  { "mi", "nothing", "null" },
  { "mi", "5", "5" },
  { "ms", "nothing", "null" },
  { "ms", "'null'", "\"null\"" },
  { "mai", "@mai []", "[]" },
  { "mv", "<5>", "{\"type\":\"i\",\"value\":5}" },
  { "m()", "()", "[]" },
  { "mmi", "nothing", "null" },
  { "mmi", "just nothing", "[]" },
  { "mmi", "just just 5", "[5]" },
  { "mmmi", "nothing", "null" },
  { "mmmi", "just nothing", "[]" },
  { "mmmi", "just just nothing", "[[]]" },
  { "mmmi", "just just just 5", "[[5]]" },
  { "mms", "just just ''", "[\"\"]" },
  { "ammi", "[nothing, just nothing, just just 1]", "[null,[],[1]]" },
  { "m(mi)", "just (nothing,)", "[null]" },
  { "m(mi)", "nothing", "null" },
  { "mami", "[nothing, 1]", "[null,1]" },
  { "()", "()", "[]" },
  { "(i)", "(1,)", "[1]" },
  { "(yyi(d)y)", "(1, 2, 3, (4.5,), 5)", "[1,2,3,[4.5],5]" },
  { "(sas)", "('a', ['b', 'c'])", "[\"a\",[\"b\",\"c\"]]" },
  { "(asai)", "(['b', 'c'], [7])", "[[\"b\",\"c\"],[7]]" },
  { "v", "<5>", "{\"type\":\"i\",\"value\":5}" },
  { "v", "<byte 5>", "{\"type\":\"y\",\"value\":5}" },
  { "v", "<<5>>", "{\"type\":\"v\",\"value\":{\"type\":\"i\",\"value\":5}}" },
  { "v", "<(1, 2)>", "{\"type\":\"(ii)\",\"value\":[1,2]}" },
  { "v", "<objectpath '/a'>", "{\"type\":\"o\",\"value\":\"/a\"}" },
  { "v", "<uint64 18446744073709551615>", "{\"type\":\"t\",\"value\":\"18446744073709551615\"}" },
  { "v", "<@mmi just nothing>", "{\"type\":\"mmi\",\"value\":[]}" },
  { "v", "<{'a', 1}>", "{\"type\":\"{si}\",\"value\":[\"a\",1]}" },
  { "av", "[<1>, <'a'>]", "[{\"type\":\"i\",\"value\":1},{\"type\":\"s\",\"value\":\"a\"}]" },
  { "h", "0", "0" },
  { "h", "2147483647", "2147483647" },
  { "Colour", "0", "\"red\"" },
  { "Colour", "1", "\"green\"" },
  { "Colour", "-7", "\"dark-blue\"" },
  { "Colour", "42", "42" },
  { "Point", "(1.5, -0.0)", "{\"x\":1.5,\"y\":-0.0}" },
  { "Pixels", "[(1, 2), (3, 4)]", "[{\"x\":1,\"y\":2},{\"x\":3,\"y\":4}]" },
  { "distance", "((1, 2), (3, 4), 'x')", "[{\"x\":1,\"y\":2},{\"x\":3,\"y\":4},\"x\"]" },
  { "nothing", "()", "[]" },
};

/* Read, but not written so. */
static const Case also_read[] = {
  { "i", "5", " \t\r\n5 \n" },
  { "i", "100", "1e2" },
  { "i", "1", "1.0" },
  { "i", "0", "-0" },
  { "u", "0", "-0.0" },
  { "y", "15", "1500E-2" },
  { "x", "5", "\"5\"" },
  { "x", "-9223372036854775808", "-9223372036854775808" },
  { "x", "-9223372036854775808", "\"-9223372036854775808\"" },
  { "t", "18446744073709551615", "18446744073709551615" },
  { "t", "10000000000000000000", "1e19" },
  { "t", "0", "\"-0\"" },
  { "d", "1.0", "1" },
  { "d", "-0.0", "-0" },
  { "d", "0.1", "0.1000000000000000055511151231257827" },
  { "d", "0.0", "1e-400" },
  { "d", "9007199254740992", "9007199254740993" },
  { "s", "'/'", "\"\\/\"" },
  { "s", "'aé𝄞b'", "\"\\u0061\\u00e9\\uD834\\udd1eb\"" },
  { "s", "'\\uffff'", "\"\\uFFFF\"" },
  { "o", "'/a/b'", "\"\\/a\\/b\"" },
  { "ay", "[0xff]", "\"\\/w==\"" },
  { "ay", "[0xff, 0x00]", "[255, 0]" },
  { "ay", "[]", "[]" },
  { "ai", "[1, 2]", "[ 1 , 2 ]" },
  { "ai", "[]", "[ ]" },
  { "a{si}", "{'a': 1}", "[[\"a\", 1]]" },
  { "a{si}", "{}", "[]" },
  { "a{si}", "{'a': 1}", "{ \"\\u0061\" : 1 }" },
  { "a{is}", "{1: 'a', -2: 'b'}", "{\"1\": \"a\", \"-2\": \"b\"}" },
  { "a{is}", "{100: 'a'}", "{\"1e2\": \"a\"}" },
  { "a{ti}", "{18446744073709551615: 1}", "{\"18446744073709551615\": 1}" },
  { "a{bi}", "{true: 1, false: 0}", "{\"true\": 1, \"false\": 0}" },
  { "a{di}", "{1.5: 1, inf: 2, -inf: 3, -2.0: 4}",
    "{\"1.5\": 1, \"Infinity\": 2, \"-Infinity\": 3, \"-2\": 4}" },
  { "a{oi}", "{'/a': 1}", "{\"\\/a\": 1}" },
  { "v", "<5>", "{\"value\": 5, \"type\": \"i\"}" },
  { "v", "<5>", "{\"t\\u0079pe\": \"\\u0069\", \"value\": 5}" },
  { "v", "<<5>>", "{\"value\": {\"value\": 5, \"type\": \"i\"}, \"type\": \"v\"}" },
  { "Colour", "1", "1" },
  { "Colour", "1", "\"lime\"" },
  { "Colour", "1", "\"gr\\u0065en\"" },
  { "Point", "(1.5, 2.0)", "[1.5, 2]" },
  { "Point", "(1.5, 2.0)", "{\"y\": 2, \"x\": 1.5}" },
  { "Pixels", "[(1, 2), (3, 4)]", "[[1, 2], {\"y\": 4, \"x\": 3}]" },
  { "distance", "((1, 2), (3, 4), 'x')", "{\"a\": [1, 2], \"b\": [3, 4], \"title\": \"x\"}" },
  { "distance", "((1, 2), (3, 4), 'x')",
    "{\"title\": \"x\", \"b\": {\"y\": 4, \"x\": 3}, \"a\": [1, 2]}" },
  { "nothing", "()", "{}" },
};

static void
test_both (gconstpointer data)
{
  const Case *test = data;

  assert_written (test->schema, test->value, test->json);
  assert_read (test->schema, test->json, test->value);
}

static void
test_read (gconstpointer data)
{
  const Case *test = data;

  assert_read (test->schema, test->json, test->value);
}

/* Not read, and what is said then. */
static const struct
{
  const char *schema;
  const char *json;
  const char *message;
} errors[] = {
  /* out of range */
  { "y", "300", "/: 300 is out of range for a byte" },
  { "y", "-1", "/: -1 is out of range for a byte" },
  { "y", "256", "/: 256 is out of range for a byte" },
  { "n", "32768", "/: 32768 is out of range for an int16" },
  { "n", "-32769", "/: -32769 is out of range for an int16" },
  { "q", "65536", "/: 65536 is out of range for a uint16" },
  { "i", "2147483648", "/: 2147483648 is out of range for an int32" },
  { "i", "-2147483649", "/: -2147483649 is out of range for an int32" },
  { "u", "4294967296", "/: 4294967296 is out of range for a uint32" },
  { "u", "-1", "/: -1 is out of range for a uint32" },
  { "x", "9223372036854775808", "/: 9223372036854775808 is out of range for an int64" },
  { "x", "-9223372036854775809", "/: -9223372036854775809 is out of range for an int64" },
  { "x", "\"9223372036854775808\"", "/: 9223372036854775808 is out of range for an int64" },
  { "t", "18446744073709551616", "/: 18446744073709551616 is out of range for a uint64" },
  { "t", "\"18446744073709551616\"", "/: 18446744073709551616 is out of range for a uint64" },
  { "t", "\"-1\"", "/: -1 is out of range for a uint64" },
  { "i", "1e10", "/: 1e10 is out of range for an int32" },
  { "i", "1e999999999999", "/: 1e999999999999 is out of range for an int32" },
  { "d", "1e400", "/: 1e400 is out of range for a double" },
  { "d", "-1.8e308", "/: -1.8e308 is out of range for a double" },
  { "h", "-1", "/: -1 is out of range for a handle" },
  { "h", "2147483648", "/: 2147483648 is out of range for a handle" },

  /* places */
  { "distance", "[{\"x\": 300, \"y\": 0}, [0, 0], \"\"]", "/a/x: 300 is out of range for a byte" },
  { "distance", "{\"a\": [0, 300], \"b\": [0, 0], \"title\": \"\"}",
    "/a/y: 300 is out of range for a byte" },
  { "distance", "{\"b\": [0, 300], \"a\": [0, 0], \"title\": \"\"}",
    "/b/y: 300 is out of range for a byte" },
  { "Pixels", "[[0, 0], [0, 256]]", "/1/y: 256 is out of range for a byte" },
  { "aai", "[[1], [2, 3, true]]", "/1/2: expected an int32, found true" },
  { "a{sv}", "{\"a/b~c\": {\"type\": \"ay\", \"value\": [256]}}",
    "/a~1b~0c/value/0: 256 is out of range for a byte" },
  { "a{si}", "[[\"a\", true]]", "/0/1: expected an int32, found true" },
  { "a{is}", "{\"7\": 7}", "/7: expected a string, found a number" },
  { "(i(ss))", "[1, [\"\", 2]]", "/1/1: expected a string, found a number" },
  { "mmi", "[true]", "/0: expected an int32, found true" },

  /* types */
  { "b", "1", "/: expected true or false, found a number" },
  { "b", "\"true\"", "/: expected true or false, found a string" },
  { "i", "\"5\"", "/: expected an int32, found a string" },
  { "i", "null", "/: expected an int32, found null" },
  { "i", "[]", "/: expected an int32, found an array" },
  { "i", "{}", "/: expected an int32, found an object" },
  { "i", "1.5", "/: 1.5 is not an integer" },
  { "i", "1e-1", "/: 1e-1 is not an integer" },
  { "x", "\"1.0\"", "/: “1.0” is not an integer" },
  { "x", "\"1e2\"", "/: “1e2” is not an integer" },
  { "x", "\" 1\"", "/: “ 1” is not an integer" },
  { "x", "\"+1\"", "/: “+1” is not an integer" },
  { "x", "\"01\"", "/: “01” is not an integer" },
  { "x", "\"\"", "/: “” is not an integer" },
  { "x", "\"1x\"", "/: “1x” is not an integer" },
  { "d", "\"nan\"", "/: “nan” is not “NaN”, “Infinity”, “-Infinity” or a number" },
  { "d", "\"1.5\"", "/: “1.5” is not “NaN”, “Infinity”, “-Infinity” or a number" },
  { "d", "\"+Infinity\"", "/: “+Infinity” is not “NaN”, “Infinity”, “-Infinity” or a number" },
  { "s", "5", "/: expected a string, found a number" },
  { "s", "null", "/: expected a string, found null" },
  { "s", "\"a\\u0000b\"", "/: a string can't contain U+0000" },
  { "o", "\"a\"", "/: “a” is not an object path" },
  { "o", "\"/a/\"", "/: “/a/” is not an object path" },
  { "g", "\"(\"", "/: “(” is not a signature" },
  { "ay", "5", "/: expected a Base64 string or an array, found a number" },
  { "ay", "\"YQ\"", "/: the string is not Base64" },
  { "ay", "\"YQ=\"", "/: the string is not Base64" },
  { "ay", "\"YR==\"", "/: the string is not Base64" },
  { "ay", "\"YWJ=\"", "/: the string is not Base64" },
  { "ay", "\"YQ==YQ==\"", "/: the string is not Base64" },
  { "ay", "\"Y Q=\"", "/: the string is not Base64" },
  { "ay", "\"-_-_\"", "/: the string is not Base64" },
  { "ay", "\"====\"", "/: the string is not Base64" },
  { "ay", "\"A===\"", "/: the string is not Base64" },
  { "ay", "\"A\\u0000==\"", "/: the string is not Base64" },
  { "ay", "\"ü==\"", "/: the string is not Base64" },
  { "ai", "\"AA==\"", "/: expected an array, found a string" },
  { "ai", "{}", "/: expected an array, found an object" },
  { "a{sv}", "1", "/: expected an object or an array of pairs, found a number" },
  { "a{sv}", "{\"a\": 1}", "/a: expected an object with “type” and “value”, found a number" },
  { "a{si}", "[[\"a\"]]", "/0: 1 values instead of 2" },
  { "a{si}", "[[\"a\", 1, 2]]", "/0: more than 2 values" },
  { "a{si}", "[{\"a\": 1}]", "/0: expected an array, found an object" },
  { "mi", "\"\"", "/: expected an int32, found a string" },
  { "mmi", "5", "/: expected [] or [value], for a maybe in a maybe" },
  { "mmi", "[null]", "/0: expected an int32, found null" },
  { "(ii)", "[1]", "/: 1 values instead of 2" },
  { "(ii)", "[1, 2, 3]", "/: more than 2 values" },
  { "()", "[1]", "/: more than 0 values" },
  { "()", "null", "/: expected an array, found null" },
  { "(ii)", "{}", "/: expected an array, found an object" },
  { "Colour", "\"pink\"", "/: the enumeration has no “pink”" },
  { "Colour", "\"red\\u0000\"", "/: the enumeration has no “red\\u0000”" },
  { "Colour", "null", "/: expected a nick or a number, found null" },
  { "Colour", "2147483648", "/: 2147483648 is out of range for an int32" },

  /* names */
  { "Point", "{\"x\": 1, \"y\": 2, \"z\": 3}", "/: “z” is not known here" },
  { "Point", "{\"X\": 1}", "/: “X” is not known here" },
  { "Point", "{\"x\\u0000\": 1}", "/: “x\\u0000” is not known here" },
  { "Point", "{\"\": 1}", "/: “” is not known here" },
  { "Point", "{\"xx\": 1}", "/: “xx” is not known here" },
  { "Point", "{\"x\": 1}", "/: “y” is missing" },
  { "Point", "{\"y\": 1}", "/: “x” is missing" },
  { "Point", "{}", "/: “x” is missing" },
  { "Point", "[1]", "/: “y” is missing" },
  { "Point", "[1, 2, 3]", "/: more than 2 values" },
  { "Point", "{\"x\": 1, \"x\": 1, \"y\": 2}", "/: “x” is there twice" },
  { "Point", "{\"y\": 1, \"y\": 1, \"x\": 2}", "/: “y” is there twice" },
  { "Point", "{\"x\": 1, \"y\": 2, \"\\u0078\": 2}", "/: “\\u0078” is there twice" },
  { "distance", "[[0, 0]]", "/: “b” is missing" },
  { "distance", "{\"a\": [0, 0], \"title\": \"\"}", "/: “b” is missing" },
  { "a{si}", "{\"a\": 1, \"b\": 2, \"a\": 3}", "/: “a” is there twice" },
  { "a{si}", "{\"a\": 1, \"\\u0061\": 2}", "/: “a” is there twice" },
  { "(a{si})", "[{\"\": 1, \"\": 2}]", "/0: “” is there twice" },
  { "a{is}", "{\"1\": \"\", \"1.0\": \"\"}", "/: a key is there twice" },
  { "a{is}", "{\"\": \"\"}", "/: “” is not an int32" },
  { "a{is}", "{\"1x\": \"\"}", "/1x: “1x” is not an int32" },
  { "a{is}", "{\"300000000000\": \"\"}",
    "/300000000000: 300000000000 is out of range for an int32" },
  { "a{oi}", "{\"a\": 1}", "/a: “a” is not an object path" },
  { "a{si}", "{\"a\\u0000\": 1}", "/a\\u0000: a string can't contain U+0000" },

  /* variants */
  { "v", "5", "/: expected an object with “type” and “value”, found a number" },
  { "v", "{\"type\": \"i\"}", "/: “value” is missing" },
  { "v", "{\"value\": 5}", "/: “type” is missing" },
  { "v", "{\"type\": \"i\", \"value\": 5, \"x\": 1}", "/: “x” is not known here" },
  { "v", "{\"type\": \"i\", \"type\": \"i\", \"value\": 5}", "/: “type” is there twice" },
  { "v", "{\"type\": 5, \"value\": 5}", "/type: a type is given as a string" },
  { "v", "{\"type\": \"\", \"value\": 5}", "/type: “” is not a type" },
  { "v", "{\"type\": \"ii\", \"value\": 5}", "/type: “ii” is not a type" },
  { "v", "{\"type\": \"a\", \"value\": 5}", "/type: “a” is not a type" },
  { "v", "{\"type\": \"*\", \"value\": 5}", "/type: “*” is not a type" },
  { "v", "{\"type\": \"a?\", \"value\": 5}", "/type: “a?” is not a type" },
  { "v", "{\"type\": \"r\", \"value\": 5}", "/type: “r” is not a type" },
  { "v", "{\"type\": \"i\\u0000\", \"value\": 5}", "/type: “i\\u0000” is not a type" },
  { "v", "{\"type\": \"a{vs}\", \"value\": 5}", "/type: “a{vs}” is not a type" },

  /* syntax */
  { "i", "", "line 1, column 1: the text ends where an int32 should be" },
  { "i", "  ", "line 1, column 3: the text ends where an int32 should be" },
  { "i", "5 6", "line 1, column 3: “6” stands where the end of the text should be" },
  { "i", "5]", "line 1, column 2: “]” stands where the end of the text should be" },
  { "i", "01", "line 1, column 2: “1” stands where the end of the text should be" },
  { "i", "0x10", "line 1, column 2: “x” stands where the end of the text should be" },
  { "i", "+1", "line 1, column 1: “+” stands where an int32 should be" },
  { "i", "-", "line 1, column 1: not a number that JSON knows" },
  { "i", "1.", "line 1, column 1: not a number that JSON knows" },
  { "d", "1e", "line 1, column 1: not a number that JSON knows" },
  { "d", ".5", "line 1, column 1: “.” stands where a double should be" },
  { "d", "NaN", "line 1, column 1: “N” stands where a double should be" },
  { "d", "Infinity", "line 1, column 1: “I” stands where a double should be" },
  { "b", "tru", "line 1, column 1: this is not “true”" },
  { "b", "truee", "line 1, column 5: “e” stands where the end of the text should be" },
  { "mi", "nul", "line 1, column 1: this is not “null”" },
  { "ai", "[1,\n 2,\n x]", "line 3, column 2: “x” stands where an int32 should be" },
  { "ai", "[1, 2", "line 1, column 6: the text ends where “,” or “]” should be" },
  { "ai", "[1, ]", "line 1, column 5: “]” stands where an int32 should be" },
  { "ai", "[1 2]", "line 1, column 4: “2” stands where “,” or “]” should be" },
  { "ai", "[,1]", "line 1, column 2: “,” stands where an int32 should be" },
  { "ai", "[1}", "line 1, column 3: “}” stands where “,” or “]” should be" },
  { "ai", "\xef\xbb\xbf[1]", "line 1, column 1: U+FEFF stands where an array should be" },
  { "as", "[\"ü\",ü]", "line 1, column 6: “ü” stands where a string should be" },
  { "as", "[\"a]", "line 1, column 5: the text ends within a string" },
  { "as", "[\"a\nb\"]", "line 1, column 4: a control character within a string" },
  { "as", "[\"\\x\"]", "line 1, column 3: not an escape that JSON knows" },
  { "as", "[\"\\u12\"]", "line 1, column 3: not an escape that JSON knows" },
  { "as", "[\"\\u12g4\"]", "line 1, column 3: not an escape that JSON knows" },
  { "as", "[\"\\ud800\"]", "line 1, column 3: half of a surrogate pair" },
  { "as", "[\"\\ud800\\u0041\"]", "line 1, column 3: half of a surrogate pair" },
  { "as", "[\"\\udc00\"]", "line 1, column 3: half of a surrogate pair" },
  { "as", "[\"\xff\"]", "line 1, column 3: invalid UTF-8" },
  { "as", "[\"\xc0\xaf\"]", "line 1, column 3: invalid UTF-8" },
  { "as", "[\"\xed\xa0\x80\"]", "line 1, column 3: invalid UTF-8" },
  { "as", "[\"\xf4\x90\x80\x80\"]", "line 1, column 3: invalid UTF-8" },
  { "as", "[\"\xe2\x82\"]", "line 1, column 3: invalid UTF-8" },
  { "as", "[\xff]", "line 1, column 2: invalid UTF-8" },
  { "as", "['a']", "line 1, column 2: “'” stands where a string should be" },
  { "Point", "{x: 1}", "line 1, column 2: “x” stands where a name in quotes should be" },
  { "Point", "{\"x\" 1}", "line 1, column 6: “1” stands where “:” should be" },
  { "Point", "{\"x\": 1,}", "line 1, column 9: “}” stands where a name in quotes should be" },
  { "Point", "{\"x\": 1", "line 1, column 8: the text ends where “,” or “}” should be" },
  { "Point", "{\"y\": [1, {\"a\": nul}], \"x\": 1}", "line 1, column 17: this is not “null”" },
  { "a{si}", "{\"a\": 1,}", "line 1, column 9: “}” stands where a name in quotes should be" },
  { "mmi", "[1", "line 1, column 3: the text ends where “]” should be" },
  { "mmi", "[1, 2]", "line 1, column 3: “,” stands where “]” should be" },
};

static void
assert_refused (ProcfunSchema *schema, const char *json, gsize length, const char *message)
{
  g_autoptr (GError) error = NULL;
  /* of exactly this size, so that reading further is seen */
  g_autofree char *copy = g_memdup2 (json, length);
  g_autoptr (GVariant) value = wire_json_read (schema, copy != NULL ? copy : "", length, &error);

  g_assert_null (value);
  g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_DECODE);
  if (message != NULL)
    g_assert_cmpstr (error->message, ==, message);
}

static void
test_errors (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (errors); i++)
    {
      g_autoptr (ProcfunSchema) schema = schema_new (errors[i].schema);

      g_test_message ("%s: %s", errors[i].schema, errors[i].json);
      assert_refused (schema, errors[i].json, strlen (errors[i].json), errors[i].message);
    }
}

static void
test_nul (void)
{
  g_autoptr (ProcfunSchema) schema = schema_new ("as");

  assert_refused (schema, "[\0]", 3, "line 1, column 2: U+0000 stands where a string should be");
  assert_refused (schema, "[\"a\0b\"]", 7, "line 1, column 4: a control character within a string");
  assert_refused (schema, "[]\0", 3,
                  "line 1, column 3: U+0000 stands where the end of the text should be");
}

static char *
repeat (const char *open, const char *middle, const char *close, guint n)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < n; i++)
    g_string_append (text, open);
  g_string_append (text, middle);
  for (guint i = 0; i < n; i++)
    g_string_append (text, close);
  return g_string_free (text, FALSE);
}

static void
test_long_names (void)
{
  g_autoptr (ProcfunSchema) schema = schema_new ("a{si}");

  for (guint i = 0; i < 4; i++)
    {
      /* cut within any of the four bytes */
      g_autofree char *name = g_strnfill (i, 'a');
      g_autofree char *others = repeat ("𝄞", "", "", 1000);
      g_autofree char *json = g_strdup_printf ("{\"%s%s\": true}", name, others);
      g_autoptr (GError) error = NULL;

      g_assert_null (wire_json_read (schema, json, strlen (json), &error));
      g_assert_cmpuint (strlen (error->message), <, 150);
      g_assert_true (g_utf8_validate (error->message, -1, NULL));
    }
}

/* A message is one line of text, whatever the name. */
static void
test_control_names (void)
{
  g_autoptr (ProcfunSchema) schema = schema_new ("a{sh}");
  g_autoptr (GVariant) value = variant_parse (schema, "{'a\\n\\u007f': -1}");
  g_autoptr (GError) error = NULL;

  g_assert_null (wire_json_write (schema, value, &error));
  g_assert_cmpstr (error->message, ==, "/a\\u000a\\u007f: a handle can't be -1");
}

static void
test_brackets (void)
{
  static const char *const types[]
      = { "i", "ai", "aai", "v", "a{sv}", "mmi", "mai", "as", "ay", "(i)", "Point", "distance" };
  static const char *const opens[] = {
    "[",       "{\"\":", "{\"value\":", "{\"type\":\"v\",\"value\":", "{\"value\":[", "[{\"y\":",
    "{\"y\":", "\"",     "\\"
  };

  for (guint i = 0; i < G_N_ELEMENTS (types); i++)
    for (guint j = 0; j < G_N_ELEMENTS (opens); j++)
      {
        g_autoptr (ProcfunSchema) schema = schema_new (types[i]);
        g_autofree char *open = repeat (opens[j], "", "", 100000);

        assert_refused (schema, open, strlen (open), NULL);
      }
}

/* Values of up to 128 levels: what GVariant itself can hold. */
static void
test_levels (void)
{
  g_autoptr (ProcfunSchema) variant = schema_new ("v");
  static const char *const open = "{\"type\":\"v\",\"value\":";
  static const char *const inner = "{\"type\":\"i\",\"value\":5}";

  for (guint n = 120; n < 140; n++)
    {
      g_autofree char *variants = repeat (open, inner, "}", n - 1);
      g_autofree char *backwards
          = repeat ("{\"value\":", "{\"value\":5,\"type\":\"i\"}", ",\"type\":\"v\"}", n - 1);
      g_autofree char *array_type = repeat ("a", "i", "", n);
      g_autofree char *arrays = repeat ("[", "5", "]", n);
      g_autofree char *in_variant = g_strdup_printf ("{\"type\":\"a%s\",\"value\":[]}", array_type);
      g_autoptr (GVariant) value = NULL;
      g_autoptr (GVariant) backwards_value = NULL;
      g_autoptr (GBytes) text = NULL;
      g_autoptr (GError) error = NULL;

      value = wire_json_read (variant, variants, strlen (variants), &error);
      g_clear_error (&error);
      backwards_value = wire_json_read (variant, backwards, strlen (backwards), &error);

      /* n variants and a number are n + 1 levels */
      if (n + 1 > 128)
        {
          g_assert_null (value);
          g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_DECODE);
          g_assert_null (backwards_value);
        }
      else
        {
          g_assert_no_error (error);
          g_assert_cmpvariant (value, backwards_value);
          g_assert_true (g_variant_is_normal_form (value));
          text = wire_json_write (variant, value, &error);
          g_assert_no_error (error);
          g_assert_cmpmem (g_bytes_get_data (text, NULL), g_bytes_get_size (text), variants,
                           strlen (variants));
        }

      g_clear_error (&error);
      if (g_variant_type_string_is_valid (array_type))
        {
          g_autoptr (ProcfunSchema) schema = schema_new (array_type);
          g_autoptr (GVariant) array = wire_json_read (schema, arrays, strlen (arrays), &error);

          g_autoptr (GBytes) array_text = NULL;

          g_assert_true ((array != NULL) == (n + 1 <= 128));
          g_clear_error (&error);
          if (array != NULL)
            array_text = wire_json_write (schema, array, &error);
          g_assert_no_error (error);
        }

      /* the levels count although the array is empty, as for GVariant */
      if (n + 3 > 128)
        assert_refused (variant, in_variant, strlen (in_variant), NULL);
    }
}

static void
test_write_too_deep (void)
{
  g_autoptr (ProcfunSchema) schema = schema_new ("v");
  g_autoptr (GVariant) value = g_variant_ref_sink (g_variant_new_variant (g_variant_new_int32 (5)));
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < 150; i++)
    {
      GVariant *outer = g_variant_ref_sink (g_variant_new_variant (value));

      g_variant_unref (value);
      value = outer;
    }
  g_assert_null (wire_json_write (schema, value, &error));
  g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_ENCODE);
}

/* GVariant has types that are deeper than the values it can hold. */
static void
test_write_type_too_deep (void)
{
  g_autofree char *type = repeat ("a", "i", "", 128);
  g_autoptr (GVariant) value = NULL;
  g_autoptr (ProcfunSchema) schema = NULL;
  g_autoptr (GError) error = NULL;

  if (!g_variant_type_string_is_valid (type))
    {
      g_test_skip ("This GLib has no such types");
      return;
    }
  schema = schema_new (type);
  value = g_variant_ref_sink (
      g_variant_new_from_data (G_VARIANT_TYPE (type), NULL, 0, TRUE, NULL, NULL));
  g_assert_null (wire_json_write (schema, value, &error));
  g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_ENCODE);
}

static void
test_write_handle (void)
{
  static const Case cases[] = { { "h", "-1", "/: a handle can't be -1" },
                                { "(sah)", "('', [0, -1])", "/1/1: a handle can't be -1" },
                                { "aah", "[[], [-1]]", "/1/0: a handle can't be -1" },
                                { "a{sh}", "{'a': 0, 'b/c': -1}", "/b~1c: a handle can't be -1" },
                                { "a{ih}", "{7: -1}", "/0/1: a handle can't be -1" },
                                { "v", "<handle -1>", "/value: a handle can't be -1" },
                                { "mmh", "just just -1", "/0: a handle can't be -1" } };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (ProcfunSchema) schema = schema_new (cases[i].schema);
      g_autoptr (GVariant) value = variant_parse (schema, cases[i].value);
      g_autoptr (GError) error = NULL;

      g_assert_null (wire_json_write (schema, value, &error));
      g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_ENCODE);
      g_assert_cmpstr (error->message, ==, cases[i].json);
    }
}

/* More than are remembered, each twice, and one around all others. */
static void
test_many_types (void)
{
  g_autoptr (ProcfunSchema) schema = schema_new ("v");
  g_autoptr (GVariant) list = NULL;
  g_autoptr (GVariant) value = NULL;
  g_autoptr (GVariant) read = NULL;
  g_autoptr (GBytes) json = NULL;
  g_autoptr (GError) error = NULL;
  g_auto (GVariantBuilder) builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("av"));

  for (guint i = 0; i < 1000; i++)
    {
      GVariantBuilder tuple = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE_TUPLE);

      for (guint bit = 0; bit < 10; bit++)
        g_variant_builder_add (&tuple, i / 2 >> bit & 1 ? "y" : "b", TRUE);
      g_variant_builder_add (&builder, "v", g_variant_builder_end (&tuple));
    }
  list = g_variant_ref_sink (g_variant_builder_end (&builder));
  value = g_variant_ref_sink (g_variant_new ("v", g_variant_new ("(@avs)", list, "x")));
  json = wire_json_write (schema, value, &error);
  g_assert_no_error (error);
  read = wire_json_read (schema, g_bytes_get_data (json, NULL), g_bytes_get_size (json), &error);
  g_assert_no_error (error);
  g_assert_cmpvariant (read, value);
}

/* Bytes that are no value are written as the value that GLib makes of them. */
static void
test_write_not_normal (void)
{
  static const guint8 data[] = { 'a', 'b', 2, 99, 3 };
  g_autoptr (ProcfunSchema) schema = schema_new ("as");
  g_autoptr (GVariant) value = g_variant_ref_sink (
      g_variant_new_from_data (G_VARIANT_TYPE ("as"), data, sizeof data, FALSE, NULL, NULL));
  g_autoptr (GVariant) normal = g_variant_get_normal_form (value);
  g_autoptr (GBytes) text = wire_json_write (schema, value, NULL);
  g_autoptr (GVariant) read = NULL;

  g_assert_false (g_variant_is_normal_form (value));
  read = wire_json_read (schema, g_bytes_get_data (text, NULL), g_bytes_get_size (text), NULL);
  g_assert_cmpvariant (read, normal);
}

/* Many keys are compared in another way than few. */
static void
test_many_keys (void)
{
  g_autoptr (ProcfunSchema) schema = schema_new ("a{si}");

  for (guint n = 1; n < 2000; n = n * 2 + 1)
    {
      g_autoptr (GString) json = g_string_new ("{");
      g_autoptr (GVariant) value = NULL;
      g_autoptr (GVariant) twice = NULL;
      g_autoptr (GBytes) text = NULL;
      g_autoptr (GError) error = NULL;
      g_auto (GVariantBuilder) builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("a{si}"));

      for (guint i = 0; i < n; i++)
        {
          g_autofree char *key = g_strdup_printf ("k%u", i * 7919 % n);

          g_string_append_printf (json, "%s\"%s\":%u", i > 0 ? "," : "", key, i);
          g_variant_builder_add (&builder, "{si}", key, i);
        }
      g_string_append_c (json, '}');
      value = wire_json_read (schema, json->str, json->len, &error);
      g_assert_no_error (error);
      g_assert_cmpuint (g_variant_n_children (value), ==, n);
      text = wire_json_write (schema, value, NULL);
      g_assert_cmpmem (g_bytes_get_data (text, NULL), g_bytes_get_size (text), json->str,
                       json->len);

      g_string_truncate (json, json->len - 1);
      g_string_append (json, ",\"k0\":0}");
      assert_refused (schema, json->str, json->len, "/: “k0” is there twice");

      g_variant_builder_add (&builder, "{si}", "k0", 0);
      g_variant_unref (value);
      g_bytes_unref (text);
      value = g_variant_ref_sink (g_variant_builder_end (&builder));
      text = wire_json_write (schema, value, NULL);
      g_assert_true (g_str_has_prefix (g_bytes_get_data (text, NULL), "[[\"k"));
      twice
          = wire_json_read (schema, g_bytes_get_data (text, NULL), g_bytes_get_size (text), &error);
      g_assert_no_error (error);
      g_assert_cmpvariant (twice, value);
    }
}

/* Containers whose framing offsets are of each width. */
static void
test_offset_widths (void)
{
  static const char *const types[]
      = { "as", "aay", "(sss)", "a(sy)", "av", "a{ss}", "ams", "(asas)" };
  static const gsize lengths[]
      = { 0,     1,     82,    83,    84,    100,   124,   125,   126,   127,   250,   251,   252,
          253,   254,   255,   256,   300,   21830, 21840, 21844, 21845, 21846, 32700, 32760, 32764,
          32765, 32766, 32767, 32768, 65530, 65531, 65532, 65533, 65534, 65535, 65536, 70000 };

  for (guint i = 0; i < G_N_ELEMENTS (types); i++)
    for (guint j = 0; j < G_N_ELEMENTS (lengths); j++)
      {
        g_autoptr (ProcfunSchema) schema = schema_new (types[i]);
        g_autofree char *s = g_strnfill (lengths[j], 'x');
        g_autofree char *bytes = g_strdup_printf ("b'%s'", s);
        const char *string = bytes + 1;
        g_autofree char *text = NULL;
        g_autoptr (GVariant) value = NULL;
        g_autoptr (GVariant) read = NULL;
        g_autoptr (GBytes) json = NULL;
        g_autoptr (GError) error = NULL;

        switch (i)
          {
          case 0:
            text = g_strdup_printf ("[%s, %s, %s]", string, string, string);
            break;
          case 1:
            text = g_strdup_printf ("[%s, %s]", bytes, bytes);
            break;
          case 2:
            text = g_strdup_printf ("(%s, %s, %s)", string, string, string);
            break;
          case 3:
            text = g_strdup_printf ("[(%s, 1), (%s, 2)]", string, string);
            break;
          case 4:
            text = g_strdup_printf ("[<%s>, <1>, <%s>]", string, string);
            break;
          case 5:
            text = g_strdup_printf ("{'a': %s, 'b': %s}", string, string);
            break;
          case 6:
            text = g_strdup_printf ("[just %s, nothing, just %s]", string, string);
            break;
          default:
            text = g_strdup_printf ("([%s], [%s, ''])", string, string);
            break;
          }
        value = variant_parse (schema, text);
        json = wire_json_write (schema, value, &error);
        g_assert_no_error (error);
        read = wire_json_read (schema, g_bytes_get_data (json, NULL), g_bytes_get_size (json),
                               &error);
        g_assert_no_error (error);
        g_assert_cmpmem (g_variant_get_data (read), g_variant_get_size (read),
                         g_variant_get_data (value), g_variant_get_size (value));
      }
}

static void
add_cases (const char *prefix, const Case *cases, guint n, GTestDataFunc test)
{
  for (guint i = 0; i < n; i++)
    {
      g_autofree char *json = g_strndup (cases[i].json, 40);
      g_autofree char *path = NULL;

      /* a path is split at its slashes */
      for (char *p = json; *p != '\0'; p++)
        if (*p == '/' || (guchar)*p < 0x21 || (guchar)*p > 0x7e)
          *p = '_';
      path = g_strdup_printf ("/json/%s/%s/%u-%s", prefix, cases[i].schema, i, json);
      fixture_add_data_func (path, &cases[i], test);
    }
}

int
main (int argc, char *argv[])
{
  fixture_init (&argc, &argv);

  add_cases ("both", both, G_N_ELEMENTS (both), test_both);
  add_cases ("read", also_read, G_N_ELEMENTS (also_read), test_read);
  fixture_add_func ("/json/errors/name-the-place", test_errors);
  fixture_add_func ("/json/errors/nul-is-refused", test_nul);
  fixture_add_func ("/json/errors/long-names-are-cut", test_long_names);
  fixture_add_func ("/json/errors/control-characters-are-escaped", test_control_names);
  fixture_add_func ("/json/errors/open-brackets-are-refused", test_brackets);
  fixture_add_func ("/json/levels-are-bounded", test_levels);
  fixture_add_func ("/json/write/too-deep-is-refused", test_write_too_deep);
  fixture_add_func ("/json/write/too-deep-type-is-refused", test_write_type_too_deep);
  fixture_add_func ("/json/write/negative-handle-is-refused", test_write_handle);
  fixture_add_func ("/json/write/not-normal-is-normalised", test_write_not_normal);
  fixture_add_func ("/json/duplicate-among-many-keys-is-found", test_many_keys);
  fixture_add_func ("/json/many-types-survive", test_many_types);
  fixture_add_func ("/json/all-offset-widths-are-written", test_offset_widths);

  return fixture_run ();
}
