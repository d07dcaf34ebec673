/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "procfun/platform/landlock.h"

#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The same numbers on all architectures. */
#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule 445
#define SYS_landlock_restrict_self 446
#endif

#define CREATE_RULESET_VERSION (1U << 0)
#define RULE_PATH_BENEATH 1

/* linux/landlock.h. Each version of the structure is longer than the one before it. */
typedef struct
{
  guint64 files;
  guint64 network;
  guint64 scope;
} Attributes;

typedef struct
{
  guint64 allowed;
  gint32 fd;
} __attribute__ ((packed)) PathRule;

/* Rights for files. */
#define EXECUTE (1U << 0)
#define WRITE_FILE (1U << 1)
#define READ_FILE (1U << 2)
#define READ_DIR (1U << 3)
#define FIRST_FILES ((1U << 13) - 1)
#define REFER (1U << 13)     /* version 2 */
#define TRUNCATE (1U << 14)  /* 3 */
#define IOCTL_DEV (1U << 15) /* 5 */

#define BIND_TCP (1U << 0) /* 4 */
#define CONNECT_TCP (1U << 1)

#define ABSTRACT_SOCKETS (1U << 0) /* 6 */
#define SIGNALS (1U << 1)

#define NEWEST_KNOWN 7

/* Those that a rule for something else than a folder may have. */
#define OF_FILES (EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV)

guint
landlock_get_version (void)
{
  static gint known = -1;
  gint version = g_atomic_int_get (&known);

  if (version >= 0)
    return (guint)version;
  version = (gint)syscall (SYS_landlock_create_ruleset, NULL, 0, CREATE_RULESET_VERSION);
  version = CLAMP (version, 0, NEWEST_KNOWN);
  g_atomic_int_set (&known, version);
  return (guint)version;
}

static guint64
get_known_files (void)
{
  const guint version = landlock_get_version ();

  return FIRST_FILES | (version >= 2 ? REFER : 0) | (version >= 3 ? TRUNCATE : 0)
         | (version >= 5 ? IOCTL_DEV : 0);
}

static gsize
get_attributes_size (void)
{
  const guint version = landlock_get_version ();

  if (version < LANDLOCK_TCP_VERSION)
    return G_STRUCT_OFFSET (Attributes, network);
  return version < LANDLOCK_SCOPE_VERSION ? G_STRUCT_OFFSET (Attributes, scope)
                                          : sizeof (Attributes);
}

int
landlock_open (LandlockSets sets)
{
  const guint version = landlock_get_version ();
  Attributes attributes = { 0 };

  if ((sets & LANDLOCK_FILES) != 0)
    attributes.files = get_known_files ();
  if ((sets & LANDLOCK_TCP) != 0 && version >= LANDLOCK_TCP_VERSION)
    attributes.network = BIND_TCP | CONNECT_TCP;
  if ((sets & LANDLOCK_SCOPE) != 0 && version >= LANDLOCK_SCOPE_VERSION)
    attributes.scope = ABSTRACT_SOCKETS | SIGNALS;
  return (int)syscall (SYS_landlock_create_ruleset, &attributes, get_attributes_size (), 0);
}

gboolean
landlock_add (int ruleset_fd, int fd, LandlockAccess access)
{
  static const guint64 allowed[] = { [LANDLOCK_READ] = EXECUTE | READ_FILE | READ_DIR,
                                     [LANDLOCK_WRITE] = ~(guint64)0,
                                     [LANDLOCK_DEVICE] = READ_FILE | WRITE_FILE | TRUNCATE };
  PathRule rule = { .allowed = allowed[access] & get_known_files (), .fd = fd };
  struct stat st;

  if (fstat (fd, &st) != 0)
    return FALSE;
  if (!S_ISDIR (st.st_mode))
    rule.allowed &= OF_FILES;
  return syscall (SYS_landlock_add_rule, ruleset_fd, RULE_PATH_BENEATH, &rule, 0) == 0;
}

gboolean
landlock_enter (int ruleset_fd)
{
  return syscall (SYS_landlock_restrict_self, ruleset_fd, 0) == 0;
}
