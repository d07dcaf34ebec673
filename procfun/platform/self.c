/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "procfun/platform/self.h"

#include "procfun/platform/fds.h"
#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#define START_STEP ((gsize)4096)

/* As it was when this library was loaded: a program may write over its command line, to show a
 * title in `ps`, and change its working directory. */
static struct
{
  char *command_line; /* (nullable): each argument with a NUL behind it */
  gsize size;
  char *folder; /* (nullable): it was out of reach */
  struct stat at;
} start;

static void procfun_keep_start (void) __attribute__ ((constructor (102)));

/* Plain system calls: in a static program GLib is not ready yet. */
static void
procfun_keep_start (void)
{
  auto_fd int fd = open ("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
  gsize room = 0;
  gssize n = fd >= 0 ? 1 : 0;

  while (n > 0)
    {
      char *larger = start.size == room ? realloc (start.command_line, room += START_STEP)
                                        : start.command_line;

      if (larger == NULL)
        return;
      start.command_line = larger;
      n = read (fd, larger + start.size, room - start.size);
      start.size += (gsize)MAX (n, 0);
    }
  if (stat (".", &start.at) == 0)
    start.folder = getcwd (NULL, 0);
}

char **
self_read_command_line (void)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  gsize size;

  for (gsize i = 0; i < start.size; i += size + 1)
    {
      g_autofree char *argument = g_strndup (start.command_line + i, start.size - i);

      size = strlen (argument);
      g_strv_builder_add (builder, argument);
    }
  return g_strv_builder_end (builder);
}

const char *
self_get_start_folder (void)
{
  struct stat now;

  if (start.folder == NULL
      || (stat (".", &now) == 0 && start.at.st_ino == now.st_ino && start.at.st_dev == now.st_dev))
    return NULL;
  return start.folder;
}

/* The file of the loader that this program names, where that file runs. */
static int
check_loader (struct dl_phdr_info *info, gsize size, gpointer by_loader)
{
  struct stat running, loader;

  for (int i = 0; i < info->dlpi_phnum; i++)
    if (info->dlpi_phdr[i].p_type == PT_INTERP)
      *(gboolean *)by_loader
          = stat ("/proc/self/exe", &running) == 0
            && stat ((const char *)(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr), &loader) == 0
            && running.st_ino == loader.st_ino && running.st_dev == loader.st_dev;
  return 1; /* the program comes first */
}

gboolean
self_is_run_by_loader (void)
{
  gboolean by_loader = FALSE;

  dl_iterate_phdr (check_loader, &by_loader);
  return by_loader;
}

/* Beginnings of the names of interpreters. */
static gboolean
is_interpreter (const char *program)
{
  static const char *const names[]
      = { "python", "pypy", "gjs", "perl", "ruby", "lua", "guile", "node", "php", "bash", "sh" };
  g_autofree char *base = g_path_get_basename (program);

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    if (g_str_has_prefix (base, names[i]))
      return TRUE;
  return FALSE;
}

/* By the first argument that is a script, or an option that has the code, or a module's name. */
gboolean
self_reads_standard_input (void)
{
  g_auto (GStrv) argv = self_read_command_line ();
  g_autofree char *program = g_file_read_link ("/proc/self/exe", NULL);

  if (program == NULL || argv[0] == NULL || !is_interpreter (program))
    return FALSE;
  for (gsize i = 1; argv[i] != NULL; i++)
    if (g_str_equal (argv[i], "-"))
      return TRUE;
    else if (argv[i][0] != '-' || argv[i][1] == '-' || strpbrk (argv[i] + 1, "cmeEr") != NULL)
      return FALSE;
  return TRUE;
}

/* By the open file, whose name may be out of reach, and which valgrind redirects to the program
 * that it runs; it need not be readable. */
static gboolean
is_running_file (const char *path)
{
  struct stat running, named;
  auto_fd int fd = open ("/proc/self/exe", O_PATH | O_CLOEXEC);

  return fd >= 0 && fstat (fd, &running) == 0 && stat (path, &named) == 0
         && running.st_ino == named.st_ino && running.st_dev == named.st_dev;
}

/* Its name where that still leads to the running file, for `ps` to show; else the kernel's own
 * link. Only processes that may look into this one may follow that link, and a process that changed
 * its user may not follow its own when it is named by its number. */
char *
self_get_executable (gboolean directly)
{
  g_autofree char *path = g_file_read_link ("/proc/self/exe", NULL);

  if (path != NULL && is_running_file (path))
    return g_steal_pointer (&path);
  return directly ? g_strdup ("/proc/self/exe") : g_strdup_printf ("/proc/%d/exe", (int)getpid ());
}

gboolean
self_hides (const char *name, gconstpointer function)
{
  Dl_info own, program;

  return dlsym (RTLD_DEFAULT, name) == NULL && dladdr (function, &own) != 0
         && dladdr ((gconstpointer)getauxval (AT_PHDR), &program) != 0
         && own.dli_fbase == program.dli_fbase;
}
