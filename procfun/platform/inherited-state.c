/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "procfun/platform/inherited-state.h"

#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The dearer half of the state is looked at again only after this time, of which the thread's waits
 * for calls count only beyond the second one. */
#define LOOK_US 1000
#define WAITS_MAX_US 100000

/* Compared as bytes, so all of it is set, and the padding is zero. */
typedef struct
{
  guint process;
  uid_t users[3]; /* real, effective, saved */
  gid_t groups[3];
  guint64 folder[3]; /* mount, device and inode of the working directory */
  guint64 path;      /* a hash of its path from the root */
} CheapState;

typedef struct
{
  guint32 capabilities[_LINUX_CAPABILITY_U32S_3][3];
  gint no_new_privs;
  gint seccomp;
  guint groups; /* a hash of the supplementary ones */
  guint64 namespaces[4];
} DearState;

typedef struct
{
  CheapState cheap;
  DearState dear;
} State;

/* Processes */

/* The kernel clears this page in a child. */
static gint *
map_mark (void)
{
  gint *mark = mmap (NULL, (gsize)sysconf (_SC_PAGESIZE), PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

  if (mark == MAP_FAILED)
    return NULL;
  if (madvise (mark, (gsize)sysconf (_SC_PAGESIZE), MADV_WIPEONFORK) == 0)
    return mark;
  munmap (mark, (gsize)sysconf (_SC_PAGESIZE));
  return NULL;
}

/* (nullable): NULL where the kernel, or valgrind, has no such pages. Without a lock, which another
 * thread may have had when this process was forked. */
static gint *
get_mark (void)
{
  static gint none;
  static gint *mark;
  gint *now = g_atomic_pointer_get (&mark);

  if (G_UNLIKELY (now == NULL))
    {
      gint *mapped = map_mark ();

      if (!g_atomic_pointer_compare_and_exchange (&mark, NULL, mapped != NULL ? mapped : &none)
          && mapped != NULL)
        munmap (mapped, (gsize)sysconf (_SC_PAGESIZE));
      now = g_atomic_pointer_get (&mark);
    }
  return now != &none ? now : NULL;
}

/* The number is one more than that of the parent. */
static gint n_forks;

static guint
count_by_pid (void)
{
  static gint last;
  gint pid = getpid (), before = g_atomic_int_get (&last);

  if (before != pid && g_atomic_int_compare_and_exchange (&last, before, pid))
    g_atomic_int_inc (&n_forks);
  return (guint)g_atomic_int_get (&n_forks);
}

guint
inherited_state_get_process (void)
{
  gint *mark = get_mark ();
  gint number;

  if (mark == NULL)
    return count_by_pid ();
  number = g_atomic_int_get (mark);
  if (G_LIKELY (number != 0))
    return (guint)number;
  number = g_atomic_int_add (&n_forks, 1) + 1;
  if (!g_atomic_int_compare_and_exchange (mark, 0, number))
    number = g_atomic_int_get (mark);
  return (guint)number;
}

/* Looking */

static void
read_folder (guint64 folder[3])
{
  struct statx st = { 0 };

  statx (AT_FDCWD, "", AT_EMPTY_PATH, STATX_INO | STATX_MNT_ID, &st);
  folder[0] = st.stx_mnt_id;
  folder[1] = ((guint64)st.stx_dev_major << 32) | st.stx_dev_minor;
  folder[2] = st.stx_ino;
}

/* FNV-1a: the folder is the same, so that equal hashes of its paths mean an equal root. */
static guint64
hash_path (void)
{
  char path[PATH_MAX];
  const long length = syscall (SYS_getcwd, path, sizeof path);
  guint64 hash = 14695981039346656037U;

  for (long i = 0; i < length; i++)
    hash = (hash ^ (guint8)path[i]) * 1099511628211U;
  return hash;
}

/* The root is that many folders above the working directory as the path has, so that both tell of
 * it, in less time than a look at the root takes. */
static void
read_cheap (CheapState *self)
{
  self->process = inherited_state_get_process ();
  getresuid (&self->users[0], &self->users[1], &self->users[2]);
  getresgid (&self->groups[0], &self->groups[1], &self->groups[2]);
  read_folder (self->folder);
  self->path = hash_path ();
}

static guint
hash_groups (void)
{
  int n = getgroups (0, NULL);
  g_autofree gid_t *groups = g_new0 (gid_t, MAX (n, 0) + 1);
  guint hash = 5381;

  n = getgroups (MAX (n, 0), groups);
  for (int i = 0; i < n; i++)
    hash = hash * 33 + groups[i];
  return hash;
}

static void
read_capabilities (guint32 capabilities[_LINUX_CAPABILITY_U32S_3][3])
{
  struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
  struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };

  syscall (SYS_capget, &header, data);
  for (gsize i = 0; i < _LINUX_CAPABILITY_U32S_3; i++)
    {
      capabilities[i][0] = data[i].effective;
      capabilities[i][1] = data[i].permitted;
      capabilities[i][2] = data[i].inheritable;
    }
}

static void
read_dear (DearState *self)
{
  static const char *const namespaces[]
      = { "/proc/thread-self/ns/user", "/proc/thread-self/ns/mnt", "/proc/thread-self/ns/net",
          "/proc/thread-self/ns/pid_for_children" };

  read_capabilities (self->capabilities);
  self->no_new_privs = prctl (PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
  self->seccomp = prctl (PR_GET_SECCOMP, 0, 0, 0, 0);
  self->groups = hash_groups ();
  for (gsize i = 0; i < G_N_ELEMENTS (namespaces); i++)
    {
      struct stat st = { 0 };

      stat (namespaces[i], &st);
      self->namespaces[i] = st.st_ino;
    }
}

/* Numbers */

/* The process whose thread has the lock, or 0: a parent may have forked while another thread had
 * it. */
static gint lock;

static void
take_lock (gint process)
{
  for (;;)
    {
      gint owner = g_atomic_int_get (&lock);

      if (owner != process && g_atomic_int_compare_and_exchange (&lock, owner, process))
        return;
      sched_yield ();
    }
}

/* A state that comes back, as when a function restores the directory, has its number again. */
#define N_KNOWN 4

static guint
get_number (const State *state)
{
  static struct
  {
    State state;
    guint number; /* 0: there is none yet */
  } known[N_KNOWN];
  static guint n_states;
  guint number = 0;

  take_lock ((gint)state->cheap.process);
  for (gsize i = 0; i < N_KNOWN && number == 0; i++)
    if (memcmp (&known[i].state, state, sizeof *state) == 0)
      number = known[i].number;
  if (number == 0)
    {
      gsize oldest = n_states % N_KNOWN;

      number = ++n_states;
      memcpy (&known[oldest].state, state, sizeof *state);
      known[oldest].number = number;
    }
  g_atomic_int_set (&lock, 0);
  return number;
}

/* State that the calling thread has seen last. */
static __thread State seen;
static __thread guint number;
static __thread gint64 looked_at;
static __thread gint64 waited; /* since then, in µs */

/* Without capabilities, also in reserve, one can only exchange real, effective and saved numbers,
 * and change neither the root nor mounts (credentials(7), capabilities(7)), unless in a new user
 * namespace, which is looked at now and then. */
static gboolean
is_powerless (const State *state)
{
  const CheapState *cheap = &state->cheap;

  for (gsize i = 0; i < _LINUX_CAPABILITY_U32S_3; i++)
    if (state->dear.capabilities[i][1] != 0) /* permitted */
      return FALSE;
  return cheap->users[0] == cheap->users[1] && cheap->users[0] == cheap->users[2]
         && cheap->groups[0] == cheap->groups[1] && cheap->groups[0] == cheap->groups[2];
}

/* The path is for the root's sake. It is not enough: another folder can have it by now. */
static void
read_what_may_change (CheapState *self)
{
  if (number == 0 || !is_powerless (&seen))
    {
      read_cheap (self);
      return;
    }
  memcpy (self, &seen.cheap, sizeof *self);
  self->process = inherited_state_get_process ();
  read_folder (self->folder);
}

guint
inherited_state_look (gint64 now)
{
  State state;

  memset (&state, 0, sizeof state);
  read_cheap (&state.cheap);
  read_dear (&state.dear);
  looked_at = now;
  waited = 0;
  if (number != 0 && memcmp (&state, &seen, sizeof state) == 0)
    return number;
  memcpy (&seen, &state, sizeof state);
  number = get_number (&state);
  return number;
}

void
inherited_state_note_wait (gint64 began_at, gint64 ended_at)
{
  waited += MAX (ended_at - MAX (began_at, looked_at), 0);
}

/* inherited_state_get_process() of the one that has settled. */
static guint settled;

void
inherited_state_settle (void)
{
  settled = inherited_state_get_process ();
}

guint
inherited_state_get (gint64 now)
{
  CheapState cheap;

  if (number != 0 && settled != 0 && settled == inherited_state_get_process ())
    return number;
  memset (&cheap, 0, sizeof cheap);
  read_what_may_change (&cheap);
  if (number != 0 && now - looked_at < LOOK_US + MIN (waited, WAITS_MAX_US)
      && memcmp (&cheap, &seen.cheap, sizeof cheap) == 0)
    return number;
  return inherited_state_look (now);
}
