/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Rights at a NATS server: a certificate that is verified, and a key for each role. */

#include "tests/brokers.h"
#include "tests/calls.h"
#include "tests/fixture.h"
#include "tests/functions.h"
#include "tests/remotes.h"

#include <glib/gstdio.h>
#include <string.h>

static char *openssl; /* (nullable) */

/* Files of openssl */

typedef struct
{
  char *folder;
  GPtrArray *files;
} Keys;

static char *
keys_path (Keys *self, const char *name)
{
  char *path = g_build_filename (self->folder, name, NULL);

  if (!g_ptr_array_find_with_equal_func (self->files, path, g_str_equal, NULL))
    g_ptr_array_add (self->files, g_strdup (path));
  return path;
}

static void
keys_open (Keys *self)
{
  g_autoptr (GError) error = NULL;

  self->folder = g_dir_make_tmp ("procfun-keys-XXXXXX", &error);
  g_assert_no_error (error);
  self->files = g_ptr_array_new_with_free_func (g_free);
}

static void
keys_close (Keys *self)
{
  for (guint i = 0; i < self->files->len; i++)
    g_remove (self->files->pdata[i]);
  g_rmdir (self->folder);
  g_ptr_array_unref (self->files);
  g_free (self->folder);
}

/* Runs openssl with the words of @line, in the folder. */
static void
run (Keys *self, const char *line)
{
  g_autofree char *all = g_strconcat (openssl, " ", line, NULL);
  g_auto (GStrv) argv = g_strsplit (all, " ", -1);
  g_autofree char *errors = NULL;
  g_autoptr (GError) error = NULL;
  int status;

  g_spawn_sync (self->folder, argv, NULL, G_SPAWN_STDOUT_TO_DEV_NULL, NULL, NULL, NULL, &errors,
                &status, &error);
  g_assert_no_error (error);
  if (status != 0)
    g_error ("openssl %s: %s", line, errors);
}

/* An authority NAME.ca, and a certificate of it for @host: NAME.pem and NAME.key. */
static void
make_certificate (Keys *self, const char *name, const char *host)
{
  static const char *const ends[] = { "ca", "ca-key", "csr", "pem", "key", "ext", "srl" };
  g_autofree char *extension = g_strdup_printf ("%s/%s.ext", self->folder, name);
  g_autofree char *text = g_strdup_printf ("subjectAltName=DNS:%s\n", host);
  g_autofree char *authority = g_strdup_printf (
      "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=authority "
      "-keyout %s.ca-key -out %s.ca",
      name, name);
  g_autofree char *request = g_strdup_printf (
      "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=%s -keyout %s.key -out "
      "%s.csr",
      host, name, name);
  g_autofree char *certificate
      = g_strdup_printf ("x509 -req -in %s.csr -CA %s.ca -CAkey %s.ca-key -CAserial %s.srl "
                         "-CAcreateserial -days 2 -extfile %s.ext -out %s.pem",
                         name, name, name, name, name, name);

  for (gsize i = 0; i < G_N_ELEMENTS (ends); i++)
    {
      g_autofree char *file = g_strconcat (name, ".", ends[i], NULL);

      g_free (keys_path (self, file));
    }
  g_assert_true (g_file_set_contents (extension, text, -1, NULL));
  run (self, authority);
  run (self, request);
  run (self, certificate);
}

/* Nkeys: a kind, 32 bytes and their CRC, in base32. */

#define KIND_SEED (18 << 3)
#define KIND_USER (20 << 3)

static char *
encode (const guint8 *kind, gsize kind_size, const guint8 *key)
{
  static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  guint8 bytes[36];
  GString *text = g_string_new (NULL);
  gsize size = kind_size + 32;
  guint16 crc = 0;
  guint bits = 0, value = 0;

  memcpy (bytes, kind, kind_size);
  memcpy (bytes + kind_size, key, 32);
  for (gsize i = 0; i < size; i++)
    {
      crc ^= (guint16)(bytes[i] << 8);
      for (guint j = 0; j < 8; j++)
        crc = (guint16)((crc & 0x8000) != 0 ? crc << 1 ^ 0x1021 : crc << 1);
    }
  bytes[size++] = crc & 0xff;
  bytes[size++] = crc >> 8;
  for (gsize i = 0; i < size; i++)
    {
      value = value << 8 | bytes[i];
      for (bits += 8; bits >= 5; bits -= 5)
        g_string_append_c (text, letters[value >> (bits - 5) & 31]);
    }
  if (bits > 0)
    g_string_append_c (text, letters[value << (5 - bits) & 31]);
  return g_string_free (text, FALSE);
}

/* The last 32 bytes of a file are the key. */
static char *
read_key (Keys *self, const char *file, const guint8 *kind, gsize kind_size)
{
  g_autofree char *path = keys_path (self, file);
  g_autofree char *data = NULL;
  gsize size;

  g_assert_true (g_file_get_contents (path, &data, &size, NULL));
  g_assert_cmpuint (size, >, 32);
  return encode (kind, kind_size, (const guint8 *)data + size - 32);
}

/* Its public key, and a file with both in @path. */
static char *
make_nkey (Keys *self, const char *name, char **path)
{
  static const guint8 seed_kind[] = { KIND_SEED | KIND_USER >> 5, (KIND_USER & 31) << 3 };
  static const guint8 user_kind[] = { KIND_USER };
  g_autofree char *make
      = g_strdup_printf ("genpkey -algorithm ED25519 -outform DER -out %s.der", name);
  g_autofree char *show = g_strdup_printf (
      "pkey -inform DER -in %s.der -pubout -outform DER -out %s.pub", name, name);
  g_autofree char *der = g_strconcat (name, ".der", NULL);
  g_autofree char *pub = g_strconcat (name, ".pub", NULL);
  g_autofree char *nk = g_strconcat (name, ".nk", NULL);
  g_autofree char *seed = NULL;
  g_autofree char *text = NULL;
  char *public_key;

  run (self, make);
  run (self, show);
  seed = read_key (self, der, seed_kind, sizeof seed_kind);
  public_key = read_key (self, pub, user_kind, sizeof user_kind);
  text = g_strdup_printf ("%s\n%s\n", seed, public_key);
  *path = keys_path (self, nk);
  g_assert_true (g_file_set_contents (*path, text, -1, NULL));
  return public_key;
}

/* Tests */

static char *
make_tls_config (Keys *keys, const char *name)
{
  return g_strdup_printf ("tls { cert_file: \"%s/%s.pem\", key_file: \"%s/%s.key\" }\n",
                          keys->folder, name, keys->folder, name);
}

static char *
make_tls_url (Broker *broker, Keys *keys, const char *name)
{
  return g_strdup_printf ("tls://localhost:%d/tls?ca=%s/%s.ca", broker->port, keys->folder, name);
}

static void
test_tls (void)
{
  Keys keys;
  Broker *broker;
  g_autofree char *config = NULL;
  g_autofree char *url = NULL;
  g_autoptr (GError) error = NULL;
  ProcfunRemotePool *hosts;
  GPid host;

  keys_open (&keys);
  make_certificate (&keys, "good", "localhost");
  config = make_tls_config (&keys, "good");
  broker = broker_new (config);
  url = make_tls_url (broker, &keys, "good");
  brokers_set_up (url, &error);
  g_assert_no_error (error);
  hosts = remotes_new (url);
  host = brokers_start_host (url, 1);
  calls_assert_result (PROCFUN_EXECUTOR (hosts), add_call (2, 3), FALSE, "5");
  remotes_close (hosts);
  brokers_end_host (host);
  broker_free (broker);
  keys_close (&keys);
}

static void
assert_refused (const char *url)
{
  g_autoptr (GError) error = NULL;
  ProcfunRemotePool *hosts = remotes_new (url);

  g_assert_false (brokers_set_up (url, &error));
  g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_ENGINE);
  calls_assert_error (PROCFUN_EXECUTOR (hosts), add_call (2, 3), FALSE, PROCFUN_ERROR,
                      PROCFUN_ERROR_ENGINE, "*");
  remotes_close (hosts);
  g_assert_cmpint (brokers_wait_for_host (brokers_start_host (url, 1)), !=, 0);
}

/* The certificate of somebody else, or for somewhere else; and none at all. */
static void
test_wrong_certificate (void)
{
  Keys keys;
  Broker *other;
  g_autofree char *config = NULL;
  g_autofree char *stranger = NULL;
  g_autofree char *elsewhere = NULL;
  g_autofree char *plain = NULL;

  keys_open (&keys);
  make_certificate (&keys, "there", "elsewhere.example");
  make_certificate (&keys, "stranger", "localhost");
  config = make_tls_config (&keys, "there");
  other = broker_new (config);
  stranger = make_tls_url (other, &keys, "stranger");
  elsewhere = make_tls_url (other, &keys, "there");
  assert_refused (stranger);
  assert_refused (elsewhere);
  broker_free (other);
  other = broker_new (NULL);
  plain = make_tls_url (other, &keys, "stranger");
  assert_refused (plain);
  broker_free (other);
  keys_close (&keys);
}

/* The rights that the guide lists. */
static char *
make_roles (const char *admin, const char *caller, const char *host)
{
  return g_strdup_printf (
      "authorization { users: [\n"
      "  { nkey: %s }\n"
      "  { nkey: %s, permissions: {\n"
      "      publish: [\"pf.q.render.>\", \"pf.c.render.>\", \"pf.w.render\",\n"
      "        \"$JS.API.STREAM.INFO.PF_render\", \"$JS.API.STREAM.MSG.DELETE.PF_render\"]\n"
      "      subscribe: [\"pf.r.alice.>\", \"pf.h.render\"] } }\n"
      "  { nkey: %s, permissions: {\n"
      "      publish: [\"pf.r.>\", \"pf.h.render\", \"$JS.ACK.PF_render.>\",\n"
      "        \"$JS.API.STREAM.INFO.PF_render\",\n"
      "        \"$JS.API.CONSUMER.INFO.PF_render.hosts\",\n"
      "        \"$JS.API.CONSUMER.MSG.NEXT.PF_render.hosts\"]\n"
      "      subscribe: [\"pf.c.render.>\", \"pf.p.render.>\", \"pf.w.render\"] } }\n"
      "] }\n",
      admin, caller, host);
}

static void
test_roles (void)
{
  Keys keys;
  Broker *broker;
  g_autofree char *admin = NULL;
  g_autofree char *caller = NULL;
  g_autofree char *host = NULL;
  g_autofree char *admin_file = NULL;
  g_autofree char *caller_file = NULL;
  g_autofree char *host_file = NULL;
  g_autofree char *config = NULL;
  g_autofree char *admin_url = NULL;
  g_autofree char *caller_url = NULL;
  g_autofree char *host_url = NULL;
  g_autofree char *nobody_url = NULL;
  g_autofree char *bob_url = NULL;
  g_autoptr (GError) error = NULL;
  ProcfunRemotePool *hosts;
  GPid pid;

  keys_open (&keys);
  admin = make_nkey (&keys, "admin", &admin_file);
  caller = make_nkey (&keys, "caller", &caller_file);
  host = make_nkey (&keys, "host", &host_file);
  config = make_roles (admin, caller, host);
  broker = broker_new (config);
  admin_url = g_strdup_printf ("%s/render?nkey=%s", broker->url, admin_file);
  caller_url = g_strdup_printf ("%s/render?nkey=%s&name=alice", broker->url, caller_file);
  bob_url = g_strdup_printf ("%s/render?nkey=%s&name=bob", broker->url, caller_file);
  host_url = g_strdup_printf ("%s/render?nkey=%s", broker->url, host_file);
  nobody_url = g_strdup_printf ("%s/render", broker->url);

  g_assert_false (brokers_set_up (host_url, NULL));
  g_assert_false (brokers_set_up (caller_url, NULL));
  brokers_set_up (admin_url, &error);
  g_assert_no_error (error);
  hosts = remotes_new (caller_url);
  pid = brokers_start_host (host_url, 1);
  calls_assert_result (PROCFUN_EXECUTOR (hosts), add_call (2, 3), FALSE, "5");
  remotes_close (hosts);
  brokers_end_host (pid);

  /* A caller may not do the work of a host, and one caller is not the other. */
  assert_refused (nobody_url);
  g_assert_cmpint (brokers_wait_for_host (brokers_start_host (caller_url, 1)), !=, 0);
  hosts = remotes_new (bob_url);
  calls_assert_error (PROCFUN_EXECUTOR (hosts), add_call (2, 3), FALSE, PROCFUN_ERROR,
                      PROCFUN_ERROR_ENGINE, "*");
  remotes_close (hosts);
  broker_free (broker);
  keys_close (&keys);
}

int
main (int argc, char **argv)
{
  Broker *broker;

  fixture_init (&argc, &argv);

  openssl = g_find_program_in_path ("openssl");
  if (!brokers_are_there () || openssl == NULL)
    {
      fixture_add_func ("/nats/login/certificate-is-verified", brokers_skip);
      return fixture_run ();
    }
  broker = broker_new (NULL);
  brokers_warm_up (broker);
  broker_free (broker);
  fixture_add_func ("/nats/login/certificate-is-verified", test_tls);
  fixture_add_func ("/nats/login/wrong-certificate-is-refused", test_wrong_certificate);
  fixture_add_func ("/nats/login/each-role-has-its-rights", test_roles);
  return fixture_run ();
}
