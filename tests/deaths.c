/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "tests/deaths.h"
#include "tests/fixture.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Compilers must not see what is wrong, nor put one function into another; and sanitizers must not
 * find out first. */
#define UNSEEN __attribute__ ((noinline, no_sanitize ("address"), no_sanitize ("undefined")))
#define DEATH(name) static UNSEEN void name (void)
static volatile int sink;
static volatile gsize one = 1;
static int *volatile nowhere;
static volatile int zero;

DEATH (read_null) { sink = nowhere[4]; }

DEATH (write_null)
{
  nowhere[4] = 1;
  sink = 1;
}

DEATH (read_no_address) { sink = *(volatile int *)(one << 62); }

DEATH (write_constant)
{
  static const char text[] = "constant";

  *(volatile char *)text = 'C';
  sink = 1;
}

DEATH (call_nowhere)
{
  void (*volatile function) (void) = (void (*) (void)) (one << 20);

  function ();
  sink = 1;
}

DEATH (call_null)
{
  void (*volatile function) (void) = (void (*) (void))nowhere;

  function ();
  sink = 1;
}

static UNSEEN int
recurse (int n)
{
  volatile char room[512];

  room[0] = (char)n;
  return n < 0 ? 0 : recurse (n + 1) + room[0];
}

DEATH (overflow_stack) { sink = recurse (1); }

DEATH (call_abort) { abort (); }

DEATH (fail_assert) { assert (zero == 1); }

DEATH (fail_g_assert) { g_assert_cmpint (zero, ==, 1); }

DEATH (log_g_error) { g_error ("nothing goes"); }

DEATH (free_twice)
{
  void *volatile first = malloc (2000);
  void *volatile behind = malloc (2000);

  free (first);
  free (first);
  free (behind);
}

/* Against overwriting what lies behind a variable on the stack. */
#ifdef __clang__
#define GUARDED
#define UNGUARDED __attribute__ ((no_stack_protector))
#else
#define GUARDED __attribute__ ((optimize ("stack-protector-all")))
#define UNGUARDED __attribute__ ((optimize ("no-stack-protector")))
#endif

static UNSEEN UNGUARDED void
overwrite (volatile char *room, gsize size)
{
  for (gsize i = 0; i < size; i++)
    room[i] = 0x41;
}

DEATH (smash_heap)
{
  void *volatile blocks[16];

  for (int i = 0; i < 16; i++)
    blocks[i] = malloc (2000);
  overwrite (blocks[0], one * 20000);
  for (int i = 0; i < 16; i++)
    free (blocks[i]);
}

UNSEEN GUARDED static void
smash_guarded_stack (void)
{
  volatile char room[16];

  overwrite (room, one * 128);
  sink = room[1];
}

UNSEEN UNGUARDED static void
smash_stack (void)
{
  volatile char room[16];

  overwrite (room, one * 512);
  sink = room[1];
}

DEATH (read_behind_file)
{
  int fd = memfd_create ("short", MFD_CLOEXEC);
  volatile char *map;

  if (ftruncate (fd, 8192) != 0)
    return;
  map = mmap (NULL, 8192, PROT_READ, MAP_SHARED, fd, 0);
  if (ftruncate (fd, 0) == 0)
    sink = map[4096];
}

DEATH (divide_by_zero) { sink = sink / zero; }

DEATH (run_no_instruction) { __builtin_trap (); }

DEATH (hit_breakpoint) { G_BREAKPOINT (); }

static void
forbid (guint32 call, guint32 action)
{
  struct sock_filter filter[]
      = { BPF_STMT (BPF_LD | BPF_W | BPF_ABS, G_STRUCT_OFFSET (struct seccomp_data, nr)),
          BPF_JUMP (BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1), BPF_STMT (BPF_RET | BPF_K, action),
          BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_ALLOW) };
  struct sock_fprog program = { .len = G_N_ELEMENTS (filter), .filter = filter };

  prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  prctl (PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

DEATH (use_forbidden_call)
{
  forbid (SYS_getppid, SECCOMP_RET_TRAP);
  sink = getppid ();
}

DEATH (use_up_cpu)
{
  const struct rlimit limit = { .rlim_cur = 1, .rlim_max = 3 };

  setrlimit (RLIMIT_CPU, &limit);
  while (zero == 0)
    sink = 1;
}

DEATH (write_beyond_limit)
{
  const struct rlimit limit = { .rlim_cur = 10, .rlim_max = 10 };
  int fd = memfd_create ("small", MFD_CLOEXEC);

  setrlimit (RLIMIT_FSIZE, &limit);
  sink = (int)write (fd, "more than ten bytes", 19);
  sink = (int)write (fd, "more than ten bytes", 19);
}

DEATH (use_up_memory)
{
  const struct rlimit limit = { .rlim_cur = 64 * 1024 * 1024, .rlim_max = 64 * 1024 * 1024 };

  setrlimit (RLIMIT_DATA, &limit);
  for (;;)
    {
      volatile char *volatile block = malloc (4000);

      block[0] = 1;
    }
}

static int raised;

DEATH (raise_signal)
{
  raise (raised);
  sink = 1;
}

DEATH (throw_exception) { deaths_throw (); }

/* The number of the report's descriptor is that of another file by then. */
DEATH (replace_report)
{
  for (int fd = 3; fd < 64; fd++)
    if (dup2 (STDERR_FILENO, fd) != fd)
      abort ();
  read_null ();
}

/* Its end is not this process's. */
DEATH (crash_in_fork)
{
  if (fork () == 0)
    read_null ();
  wait (NULL);
  _exit (0);
}

DEATH (handle_itself)
{
  signal (SIGSEGV, _exit);
  read_null ();
}

static void *
crash_soon (void *barrier)
{
  pthread_barrier_wait (barrier);
  read_null ();
  return NULL;
}

DEATH (crash_in_all_threads)
{
  pthread_barrier_t barrier;
  pthread_t thread;

  pthread_barrier_init (&barrier, NULL, 8);
  for (int i = 0; i < 8; i++)
    pthread_create (&thread, NULL, crash_soon, &barrier);
  pthread_join (thread, NULL);
}

static __attribute__ ((noinline)) void *
spin_in_thread (void *unused)
{
  pthread_setname_np (pthread_self (), "spins");
  while (zero == 0)
    sink = 1;
  return NULL;
}

static __attribute__ ((noinline)) void *
sleep_in_thread (void *unused)
{
  pthread_setname_np (pthread_self (), "sleeps");
  for (;;)
    pause ();
  return NULL;
}

static void *
block_in_thread (void *unused)
{
  sigset_t all;

  pthread_setname_np (pthread_self (), "blocks");
  sigfillset (&all);
  pthread_sigmask (SIG_SETMASK, &all, NULL);
  for (;;)
    pause ();
  return NULL;
}

DEATH (take_long)
{
  pthread_t thread;

  pthread_create (&thread, NULL, spin_in_thread, NULL);
  pthread_create (&thread, NULL, sleep_in_thread, NULL);
  pthread_create (&thread, NULL, block_in_thread, NULL);
  puts ("ready");
  fflush (stdout);
  pthread_join (thread, NULL);
}

DEATH (take_long_alone)
{
  puts ("ready");
  fflush (stdout);
  spin_in_thread (NULL);
  sink = 1;
}

DEATH (spin) { spin_in_thread (NULL); }

/* The crash handler's last step seems to succeed and does nothing. */
DEATH (outlive_crash)
{
  forbid (SYS_rt_tgsigqueueinfo, SECCOMP_RET_ERRNO);
  kill (getpid (), SIGABRT);
  spin_in_thread (NULL);
  sink = 1;
}

DEATH (run_out_of_malloc)
{
  for (;;)
    *(volatile char *)malloc (100000) = 1;
}

DEATH (run_out_of_g_malloc)
{
  for (;;)
    *(volatile char *)g_malloc (100000) = 1;
}

DEATH (run_out_of_mmap)
{
  for (;;)
    *(volatile char *)mmap (NULL, 100000, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                            0)
        = 1;
}

DEATH (run_out_of_files)
{
  for (;;)
    if (open ("/dev/null", O_RDONLY | O_CLOEXEC) < 0)
      g_error ("/dev/null: %s", g_strerror (errno));
}

DEATH (write_large_file)
{
  int fd = memfd_create ("large", MFD_CLOEXEC);

  for (;;)
    sink = (int)write (fd, "text", 4);
}

DEATH (print_for_ever)
{
  for (;;)
    puts ("and so on");
}

DEATH (close_all)
{
  for (int fd = 0; fd < 1024; fd++)
    close (fd);
  sleep_in_thread (NULL);
}

#define NAMED(name)                                                                                \
  {                                                                                                \
#name, name                                                                                    \
  }

static const struct
{
  const char *name;
  DeathFunc death;
} deaths[] = {
  NAMED (call_abort),
  NAMED (call_nowhere),
  NAMED (call_null),
  NAMED (close_all),
  NAMED (crash_in_all_threads),
  NAMED (crash_in_fork),
  NAMED (divide_by_zero),
  NAMED (fail_assert),
  NAMED (fail_g_assert),
  NAMED (free_twice),
  NAMED (handle_itself),
  NAMED (hit_breakpoint),
  NAMED (log_g_error),
  NAMED (outlive_crash),
  NAMED (overflow_stack),
  NAMED (print_for_ever),
  NAMED (raise_signal),
  NAMED (read_behind_file),
  NAMED (read_no_address),
  NAMED (read_null),
  NAMED (replace_report),
  NAMED (run_no_instruction),
  NAMED (run_out_of_files),
  NAMED (run_out_of_g_malloc),
  NAMED (run_out_of_malloc),
  NAMED (run_out_of_mmap),
  NAMED (smash_guarded_stack),
  NAMED (smash_heap),
  NAMED (smash_stack),
  NAMED (spin),
  NAMED (take_long),
  NAMED (take_long_alone),
  NAMED (throw_exception),
  NAMED (use_forbidden_call),
  NAMED (use_up_cpu),
  NAMED (use_up_memory),
  NAMED (write_beyond_limit),
  NAMED (write_constant),
  NAMED (write_large_file),
  NAMED (write_null),
};

DeathFunc
deaths_find (const char *name)
{
  if (g_str_has_prefix (name, "raise-"))
    {
      raised = atoi (name + strlen ("raise-"));
      return raise_signal;
    }
  for (gsize i = 0; i < G_N_ELEMENTS (deaths); i++)
    if (strcmp (deaths[i].name, name) == 0)
      return deaths[i].death;
  return NULL;
}

static void *
run_death (void *death)
{
  (*(DeathFunc *)death) ();
  return NULL;
}

PROCFUN_DEFINE_FUNCTION (die_of, void, (const char *, name), (gboolean, in_thread))
{
  DeathFunc death = deaths_find (name);
  pthread_t thread;

  if (death == NULL)
    g_error ("there is no death %s", name);
  if (in_thread && pthread_create (&thread, NULL, run_death, &death) == 0)
    pthread_join (thread, NULL);
  else
    death ();
}

/* Options of the build */

/* gcc guards the stack of one function, clang those of all or of none. */
#if defined(__clang__) && !defined(__SSP_STRONG__) && !defined(__SSP_ALL__)
#define CAN_GUARD_STACK FALSE
#else
#define CAN_GUARD_STACK TRUE
#endif

const char *
deaths_get_obstacle (const char *name)
{
  static const char *const not_seen[] = { "free_twice",          "smash_heap",
                                          "smash_guarded_stack", "smash_stack",
                                          "overflow_stack",      "overflow_stack/in-thread",
                                          "run_out_of_malloc",   "run_out_of_g_malloc",
                                          "write_large_file",    NULL };
  static const char *const seen_first[] = { "free_twice", "smash_heap", NULL };
  static const char *const not_safe[] = { "smash_guarded_stack", "smash_stack", NULL };
  static const char *const needs_memory[]
      = { "run_out_of_malloc", "run_out_of_g_malloc", "run_out_of_mmap", NULL };

  if (!CAN_GUARD_STACK && g_str_equal (name, "smash_guarded_stack"))
    return "it was built without a guard of the stack";
  if (fixture_has_thread_sanitizer () && g_strv_contains (not_seen, name))
    return "the thread sanitizer has memory and signals go through itself";
  if (!fixture_has_address_sanitizer ())
    return NULL;
  if (g_strv_contains (seen_first, name))
    return "the address sanitizer sees it first";
  if (g_strv_contains (not_safe, name))
    return "a signal handler cannot read a broken stack with the address sanitizer, which makes "
           "siglongjmp() take locks";
  if (g_strv_contains (needs_memory, name))
    return "the address sanitizer needs memory, too, and ends the process when it gets none";
  return NULL;
}
