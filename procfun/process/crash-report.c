/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "procfun/process/crash-report.h"

#include "procfun/base/intl.h"
#include "procfun/platform/known-files.h"
#include "procfun/process/places.h"
#include "procfun/wire/frame.h"
#include <string.h>

/* Function that PROCFUN_DEFINE_FUNCTION() makes to call the user's function. */
#define THUNK_PREFIX "procfun_thunk_of_"

typedef struct
{
  const guint8 *at;
  gsize left;
} Reader;

/* The next record, which is then at least as long as its head says; or FALSE. */
static gboolean
read_head (Reader *self, CrashHead *head)
{
  if (self->left < sizeof *head)
    return FALSE;
  memcpy (head, self->at, sizeof *head);
  return head->magic == CRASH_MAGIC && head->size >= sizeof *head && head->size <= self->left;
}

static void
skip (Reader *self, const CrashHead *head)
{
  self->at += head->size;
  self->left -= head->size;
}

/* Missing bytes become 0. FALSE: fewer than @needed bytes have come. */
static gboolean
copy_record (const Reader *self, const CrashHead *head, gpointer record, gsize size, gsize needed)
{
  if (head->size < needed)
    return FALSE;
  memset (record, 0, size);
  memcpy (record, self->at, MIN (size, head->size));
  return TRUE;
}

static gboolean
has_record (const guint8 *data, gsize size, CrashRecordType type)
{
  Reader reader = { data, size };
  CrashHead head;

  for (; read_head (&reader, &head); skip (&reader, &head))
    if (head.type == type)
      return TRUE;
  return FALSE;
}

gboolean
crash_report_has_stacks (const guint8 *data, gsize size)
{
  return has_record (data, size, CRASH_RECORD_STACKS_END);
}

gboolean
crash_report_has_death (const guint8 *data, gsize size)
{
  return has_record (data, size, CRASH_RECORD_DEATH);
}

/* Text by somebody who may not have meant well. */
static char *
read_text (const char *text, gsize size)
{
  g_autofree char *copy = g_strndup (text, size);
  char *valid = g_utf8_make_valid (copy, -1);

  for (char *at = valid; *at != '\0'; at++)
    if (g_ascii_iscntrl (*at))
      *at = ' ';
  return g_strstrip (valid);
}

/* (nullable): NULL where it is empty. */
static char *
read_optional_text (const char *text, gsize size)
{
  g_autofree char *copy = read_text (text, size);

  return copy[0] != '\0' ? g_steal_pointer (&copy) : NULL;
}

static void
fill_failure (ProcfunFailure *failure, const CrashDeath *death)
{
  if (failure->pid == 0)
    failure->pid = death->pid;
  failure->signum = CLAMP (death->signum, 1, SIGRTMAX);
  failure->signal_code = death->code;
  failure->sender = death->sender == death->pid ? failure->pid : MAX (death->sender, 0);
  failure->system_call = death->system_call;
  failure->is_foreign_call = (death->flags & CRASH_FOREIGN_SYSTEM_CALL) != 0;
  failure->refused_call = death->refused > 0 ? death->refused : -1;
  failure->fault_address = death->address;
  failure->has_address = (death->flags & CRASH_HAS_ADDRESS) != 0;
  failure->access = death->access <= FAULT_EXECUTE ? (FaultAccess)death->access : FAULT_UNKNOWN;
  failure->stack_overflow = (death->flags & CRASH_STACK_OVERFLOW) != 0;
  failure->program_counter = death->pc;
  failure->thread_id = death->tid == death->pid ? failure->pid : MAX (death->tid, 0);
  failure->thread_name = read_text (death->thread_name, sizeof death->thread_name);
  failure->abort_message = read_optional_text (death->message, sizeof death->message);
}

static void
fill_facts (CrashFacts *facts, const CrashDeath *death)
{
  facts->died = TRUE;
  facts->error_number = death->error_number;
  facts->memory_exhausted = (death->flags & CRASH_MEMORY_EXHAUSTED) != 0;
  facts->files_exhausted = (death->flags & CRASH_FILES_EXHAUSTED) != 0;
  facts->has_usage = (death->flags & CRASH_HAS_USAGE) != 0;
  facts->usage = death->usage;
}

/* The first death is the one that counts. */
static gboolean
find_death (GBytes *bytes, CrashDeath *death)
{
  Reader reader = { g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes) };
  CrashHead head;

  for (; read_head (&reader, &head); skip (&reader, &head))
    if (head.type == CRASH_RECORD_DEATH
        && copy_record (&reader, &head, death, sizeof *death, sizeof *death))
      return TRUE;
  return FALSE;
}

/* Stacks */

static void
add_module (Places *places, const Reader *reader, const CrashHead *head)
{
  CrashModule module;
  g_autofree char *path = NULL;

  if (!copy_record (reader, head, &module, sizeof module, G_STRUCT_OFFSET (CrashModule, path)))
    return;
  path = read_text (module.path, sizeof module.path);
  places_add_module (places, &module, path);
}

typedef void (*StackFunc) (const CrashStack *stack, gpointer user_data);

/* Gives the modules to @places, and the stacks to @func: that of a @thread, or, where it is 0, of
 * all. */
static void
foreach_stack (GBytes *bytes, int thread, Places *places, StackFunc func, gpointer user_data)
{
  Reader reader = { g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes) };
  guint left = thread != 0 ? 1 : CRASH_MAX_THREADS;
  CrashHead head;
  CrashStack stack;

  for (; read_head (&reader, &head); skip (&reader, &head))
    if (head.type == CRASH_RECORD_MODULE)
      add_module (places, &reader, &head);
    else if (head.type == CRASH_RECORD_STACK && left > 0
             && copy_record (&reader, &head, &stack, sizeof stack,
                             G_STRUCT_OFFSET (CrashStack, frames))
             && (thread == 0 || stack.tid == thread))
      {
        left--;
        func (&stack, user_data);
      }
}

static gsize
count_frames (const CrashStack *stack)
{
  gsize n = (stack->head.size - G_STRUCT_OFFSET (CrashStack, frames)) / sizeof stack->frames[0];

  return MIN (n, MIN (stack->n_frames, CRASH_MAX_FRAMES));
}

/* The frames after the first are where calls return to. */
static guint64
get_address (const CrashStack *stack, gsize i)
{
  return stack->frames[i] - (i > 0);
}

static void
add_addresses (const CrashStack *stack, gpointer user_data)
{
  for (gsize i = 0; i < count_frames (stack); i++)
    places_add_address (user_data, get_address (stack, i));
}

static GBytes *
make_request (GBytes *bytes, KnownFiles *known)
{
  g_autoptr (Places) places = places_new ();
  CrashDeath death = { .tid = 0 };

  find_death (bytes, &death);
  foreach_stack (bytes, death.tid, places, add_addresses, places);
  return places_make_request (places, known);
}

Naming *
crash_report_new_naming (GBytes *bytes, pid_t parent, const char *program)
{
  g_autoptr (KnownFiles) known = known_files_new ();
  g_autoptr (GBytes) request = NULL;

  if (parent > 0)
    known_files_add_process (known, parent);
  if (program != NULL)
    known_files_add (known, program);
  request = make_request (bytes, known);
  return request != NULL ? naming_new (request) : NULL;
}

/* Backtraces */

/* Removes the frame of the thunk that called the function. It is not there if the compiler put the
 * function into the thunk, or let what the function called return to it. */
static void
cut_thunk (GPtrArray *places)
{
  for (guint i = places->len; i > 0; i--)
    {
      CodePlace *place = places->pdata[i - 1];
      const CodePlace *inner = i > 1 ? places->pdata[i - 2] : NULL;
      const char *name = place->function != NULL ? place->function : "";

      if (!g_str_has_prefix (name, THUNK_PREFIX))
        continue;
      name += strlen (THUNK_PREFIX);
      g_ptr_array_set_size (places,
                            (int)i - (inner != NULL && g_strcmp0 (inner->function, name) == 0));
      return;
    }
}

/* Then it stands for the function. */
static const char *
get_text (const CodePlace *place)
{
  return g_str_has_prefix (place->text, THUNK_PREFIX) ? place->text + strlen (THUNK_PREFIX)
                                                      : place->text;
}

/* (element-type CodePlace) (transfer container) */
static GPtrArray *
find_places (Places *all, const CrashStack *stack)
{
  GPtrArray *places = g_ptr_array_new ();

  for (gsize i = 0; i < count_frames (stack); i++)
    {
      GPtrArray *found = places_find (all, get_address (stack, i));

      for (guint j = 0; j < found->len; j++)
        g_ptr_array_add (places, found->pdata[j]);
    }
  cut_thunk (places);
  return places;
}

/* The line of the function's own code, where its author would look first. */
static const char *
choose_place (GPtrArray *places)
{
  const char *second_best = NULL;

  for (guint i = 0; i < places->len; i++)
    {
      const CodePlace *place = places->pdata[i];

      if (place->function != NULL && !place->is_runtime)
        return get_text (place);
      if (place->function != NULL && second_best == NULL)
        second_best = get_text (place);
    }
  return second_best;
}

static char *
describe_thread (const CrashStack *stack)
{
  g_autofree char *name = read_text (stack->thread_name, sizeof stack->thread_name);

  return g_strdup_printf (_ ("thread %d “%s”:"), stack->tid, name);
}

typedef struct
{
  ProcfunFailure *failure;
  Places *places;
  int thread; /* whose stack is wanted; 0: all */
  guint n;
  GPtrArray *lines; /* (element-type utf8) */
} Backtrace;

static void
add_stack (const CrashStack *stack, gpointer user_data)
{
  Backtrace *self = user_data;
  g_autoptr (GPtrArray) places = find_places (self->places, stack);

  if (self->thread == 0)
    g_ptr_array_add (self->lines, describe_thread (stack));
  for (guint i = 0; i < places->len; i++)
    g_ptr_array_add (self->lines, g_strdup (get_text (places->pdata[i])));
  if (self->n++ == 0)
    self->failure->place = g_strdup (choose_place (places));
}

/* Of a process with one thread nobody needs to be told its name. */
static void
finish_backtrace (Backtrace *self)
{
  if (self->n == 0)
    return;
  if (self->thread == 0 && self->n == 1)
    g_ptr_array_remove_index (self->lines, 0);
  g_ptr_array_add (self->lines, NULL);
  self->failure->backtrace = (char **)g_ptr_array_steal (self->lines, NULL);
}

/* @names: (nullable) */
static void
read_backtrace (GBytes *bytes, GBytes *names, ProcfunFailure *failure, int thread)
{
  g_autoptr (Places) places = places_new ();
  g_autoptr (GPtrArray) lines = g_ptr_array_new_with_free_func (g_free);
  Backtrace self = { .failure = failure, .places = places, .thread = thread, .lines = lines };

  if (names != NULL)
    places_read_answer (places, names);
  foreach_stack (bytes, thread, places, add_stack, &self);
  finish_backtrace (&self);
}

static void
look_up (ProcfunFailure *failure, GBytes *stacks, GBytes *request)
{
  g_autoptr (GBytes) names = request != NULL ? naming_run (request) : NULL;
  CrashDeath death = { .tid = 0 };

  find_death (stacks, &death);
  read_backtrace (stacks, names, failure, death.tid);
}

static void
look_up_later (ProcfunFailure *failure, GBytes *stacks, GBytes *request)
{
  failure->stacks = g_bytes_ref (stacks);
  failure->names_request = request != NULL ? g_bytes_ref (request) : NULL;
  failure->look_up = look_up;
}

gboolean
crash_report_parse (GBytes *bytes, GBytes *request, GBytes *names, ProcfunFailure *failure,
                    CrashFacts *facts)
{
  CrashDeath death = { .tid = 0 };

  *facts = (CrashFacts){ 0 };
  if (bytes == NULL)
    return FALSE;
  if (find_death (bytes, &death))
    {
      fill_failure (failure, &death);
      fill_facts (facts, &death);
      if (names != NULL || request == NULL)
        {
          read_backtrace (bytes, names, failure, death.tid);
          return TRUE;
        }
    }
  look_up_later (failure, bytes, request);
  return g_bytes_get_size (bytes) > 0;
}

/* As GLib writes it, behind the name of the process and the domain: “ERROR **: 18:48:32.743: ”. */
#define ERROR_MARK "ERROR **: "
#define TIME_SHAPE "00:00:00.000: "

/* Older versions of GLib write no time. */
static const char *
skip_time (const char *text)
{
  const char *shape = TIME_SHAPE;
  gsize i = 0;

  while (shape[i] != '\0' && (shape[i] == '0' ? g_ascii_isdigit (text[i]) : text[i] == shape[i]))
    i++;
  return shape[i] == '\0' ? text + i : text;
}

void
crash_report_read_words (const char *last_words, ProcfunFailure *failure)
{
  const char *mark = last_words != NULL ? g_strrstr (last_words, ERROR_MARK) : NULL;
  const char *message;

  if (mark == NULL || failure->abort_message != NULL
      || (failure->signum != SIGTRAP && failure->signum != SIGABRT))
    return;
  message = skip_time (mark + strlen (ERROR_MARK));
  failure->abort_message = g_strchomp (frame_cut_text (message, CRASH_MESSAGE_SIZE));
}
