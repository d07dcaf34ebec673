/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "procfun/platform/cgroup-place.h"

#include "procfun/platform/fds.h"
#include "procfun/platform/proc.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

/* Statements here about control groups are from admin-guide/cgroup-v2.rst of the kernel, and those
 * about delegation from CGROUP_DELEGATION.md of systemd. */

/* Group of this process in the one that was delegated to it. */
#define HOST_NAME CGROUP_PREFIX "host"

/* Calls are nested less deep than this. */
#define GENERATIONS_MAX 100

static const struct
{
  CgroupControllers controller;
  const char *name;
} controllers[] = { { CGROUP_MEMORY, "memory" }, { CGROUP_PIDS, "pids" } };

static int flags_for_tests;

void
cgroup_make_files_for_tests (gboolean make)
{
  flags_for_tests = make ? O_CREAT | O_TRUNC : 0;
}

char *
cgroup_read (const char *folder, const char *name)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  char *text = NULL;

  g_file_get_contents (path, &text, NULL, NULL);
  return text;
}

/* In one write(), as the kernel wants it. */
gboolean
cgroup_write (const char *folder, const char *name, const char *text)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  auto_fd int fd = open (path, O_WRONLY | O_CLOEXEC | flags_for_tests, 0644);

  return fd >= 0 && write (fd, text, strlen (text)) == (gssize)strlen (text);
}

void
cgroup_place_free (CgroupPlace *self)
{
  g_free (self->folder);
  g_free (self);
}

/* Finding our own group */

/* proc(5), mountinfo: "ID PARENT DEVICE ROOT MOUNT-POINT OPTIONS FIELDS… - TYPE …". */
static gboolean
read_mount (const char *line, char **top, char **mount_point)
{
  g_auto (GStrv) words = g_strsplit (line, " ", -1);
  const char *dash = strstr (line, " - ");

  if (dash == NULL || !g_str_has_prefix (dash, " - cgroup2 ") || g_strv_length (words) < 5)
    return FALSE;
  *top = g_strcompress (words[3]); /* a space is \040 */
  *mount_point = g_strcompress (words[4]);
  return TRUE;
}

/* Where the tree can be seen, and which group is its top there. */
static gboolean
find_mount (const char *root, char **top, char **mount_point)
{
  g_autofree char *folder = g_strconcat (root, "/proc/self", NULL);
  g_autofree char *text = cgroup_read (folder, "mountinfo");
  g_auto (GStrv) lines = g_strsplit (text != NULL ? text : "", "\n", -1);

  for (gsize i = 0; lines[i] != NULL; i++)
    if (read_mount (lines[i], top, mount_point))
      return TRUE;
  return FALSE;
}

/* cgroups(7), /proc/PID/cgroup: "0::PATH" for v2, beside other lines where v1 is mounted, too. */
static char *
find_path (const char *root)
{
  g_autofree char *folder = g_strconcat (root, "/proc/self", NULL);
  g_autofree char *text = cgroup_read (folder, "cgroup");
  g_auto (GStrv) lines = g_strsplit (text != NULL ? text : "", "\n", -1);

  for (gsize i = 0; lines[i] != NULL; i++)
    if (g_str_has_prefix (lines[i], "0::/"))
      return g_strdup (lines[i] + strlen ("0::"));
  return NULL;
}

/* (nullable): NULL also when it lies outside of what can be seen. */
static char *
find_own (const char *root, gboolean *is_top)
{
  g_autofree char *path = find_path (root);
  g_autofree char *top = NULL;
  g_autofree char *mount_point = NULL;
  g_autofree char *whole = NULL;
  const char *below = path;

  if (path == NULL || !find_mount (root, &top, &mount_point))
    return NULL;
  if (strcmp (top, "/") != 0)
    below = g_str_has_prefix (path, top) ? path + strlen (top) : "..";
  if (strstr (below, "..") != NULL)
    return NULL;
  *is_top = below[strspn (below, "/")] == '\0';
  whole = g_build_filename (*root != '\0' ? root : "/", mount_point, below, NULL);
  return g_canonicalize_filename (whole, "/");
}

/* Whether a group is ours to use */

/* Being writable is not enough: a group made inside of those that a manager looks after is in the
 * manager's way. systemd marks a group that it delegates; where there is no systemd, write access
 * was given on purpose. */
static gboolean
is_delegated (const char *root, const char *folder)
{
  static const char *const marks[] = { "user.delegate", "trusted.delegate" };
  g_autofree char *manager = g_strconcat (root, "/run/systemd/system", NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (marks); i++)
    {
      char value[2];

      if (getxattr (folder, marks[i], value, sizeof value) == 1 && value[0] == '1')
        return TRUE;
    }
  return access (manager, F_OK) != 0;
}

static gboolean
is_writable (const char *folder)
{
  static const char *const names[] = { ".", "cgroup.procs", "cgroup.subtree_control" };

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *path = g_build_filename (folder, names[i], NULL);

      if (access (path, W_OK) != 0)
        return FALSE;
    }
  return TRUE;
}

static CgroupControllers
read_controllers (const char *folder, const char *name)
{
  g_autofree char *text = cgroup_read (folder, name);
  g_auto (GStrv) words = g_strsplit_set (text != NULL ? text : "", " \n", -1);
  CgroupControllers found = 0;

  for (gsize i = 0; i < G_N_ELEMENTS (controllers); i++)
    if (g_strv_contains ((const char *const *)words, controllers[i].name))
      found |= controllers[i].controller;
  return found;
}

/* Switches on all controllers for the groups in @folder, and returns those that they have. */
static CgroupControllers
enable_controllers (const char *folder)
{
  CgroupControllers missing = read_controllers (folder, "cgroup.controllers")
                              & ~read_controllers (folder, "cgroup.subtree_control");
  g_autoptr (GString) words = g_string_new (NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (controllers); i++)
    if ((missing & controllers[i].controller) != 0)
      g_string_append_printf (words, "+%s ", controllers[i].name);
  if (words->len > 0)
    cgroup_write (folder, "cgroup.subtree_control", words->str);
  return read_controllers (folder, "cgroup.subtree_control");
}

/* Moving out of the way: but for the top one, a group with processes has no controllers for groups
 * in it. */

static pid_t
get_parent (const char *root, pid_t pid)
{
  g_autofree char *path = g_strdup_printf ("%s/proc/%d/stat", root, (int)pid);
  char stat[PROC_STAT_SIZE];

  return proc_read_stat (path, stat) ? (pid_t)proc_get_field (stat, 4) : 0;
}

/* A process of ours may have ended meanwhile. */
static gboolean
is_ours (const char *root, const char *text)
{
  pid_t pid = (pid_t)atoi (text);
  gboolean is_gone = kill (pid, 0) != 0 && errno == ESRCH;

  for (guint i = 0; pid > 1 && i < GENERATIONS_MAX; i++)
    if (pid == getpid ())
      return TRUE;
    else
      pid = get_parent (root, pid);
  return pid == 0 && is_gone;
}

/* This process and its descendants; nobody, when there are other processes. */
static gboolean
move_to_host_group (const char *root, const char *folder)
{
  g_autofree char *host = g_build_filename (folder, HOST_NAME, NULL);
  g_autofree char *text = cgroup_read (folder, "cgroup.procs");
  g_auto (GStrv) pids = g_strsplit (g_strchomp (text != NULL ? text : g_strdup ("")), "\n", -1);

  for (gsize i = 0; pids[i] != NULL; i++)
    if (!is_ours (root, pids[i]))
      return FALSE;
  if (mkdir (host, 0755) != 0 && errno != EEXIST)
    return FALSE;
  for (gsize i = 0; pids[i] != NULL; i++)
    if (!cgroup_write (host, "cgroup.procs", pids[i]) && errno != ESRCH)
      return FALSE;
  return TRUE;
}

/* Other threads of this process may start children meanwhile. */
static CgroupControllers
make_room (const char *root, const char *folder)
{
  CgroupControllers found = 0;

  for (guint i = 0; found == 0 && i < 3 && move_to_host_group (root, folder); i++)
    found = enable_controllers (folder);
  return found;
}

static CgroupPlace *
try_place (const char *root, const char *folder, gboolean move)
{
  CgroupPlace *self;
  CgroupControllers found;

  if (!is_writable (folder) || !is_delegated (root, folder)
      || read_controllers (folder, "cgroup.controllers") == 0)
    return NULL;
  found = move ? make_room (root, folder) : enable_controllers (folder);
  if (found == 0)
    return NULL;
  self = g_new (CgroupPlace, 1);
  self->folder = g_strdup (folder);
  self->controllers = found;
  return self;
}

/* Processes that a call starts stay in the call's group. */
static gboolean
is_of_call (const char *folder)
{
  g_autofree char *name = g_path_get_basename (folder);

  return g_str_has_prefix (name, CGROUP_PREFIX) && strcmp (name, HOST_NAME) != 0;
}

/* The group above ours, when ours is a leaf of the delegated tree; the top one; and our own, which
 * we then have to leave. */
CgroupPlace *
cgroup_place_find (const char *root)
{
  gboolean is_top = FALSE;
  g_autofree char *own = find_own (root, &is_top);
  g_autofree char *above = own != NULL ? g_path_get_dirname (own) : NULL;
  g_autofree char *type = own != NULL ? cgroup_read (own, "cgroup.type") : NULL;
  CgroupPlace *self = NULL;

  if (own == NULL || is_of_call (own))
    return NULL;
  if (!is_top)
    self = try_place (root, above, FALSE);
  if (self == NULL)
    self = try_place (root, own, type != NULL); /* only the top one has no type */
  return self;
}

const CgroupPlace *
cgroup_place_get (void)
{
  static CgroupPlace *place;
  static gsize found;

  if (g_once_init_enter (&found))
    {
      place = cgroup_place_find ("");
      g_once_init_leave (&found, 1);
    }
  return place;
}
