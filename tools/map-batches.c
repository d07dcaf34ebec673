/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Many elements at a time go to a worker, and nothing is allocated for one of them. */

#include "procfun/map/mapping-wait.h"
#include "tools/map-run.h"

/* So many elements may wait for a worker. */
#define MAX_WAITING 20000

/* An array of elements has so many, or so many bytes, at most. */
#define ARRAY_ELEMENTS 8192
#define ARRAY_BYTES 262144

/* A record that could not be read, before the element with this index. */
typedef struct
{
  guint64 before;
  MapRecord record;
  GError *error;
} BadRecord;

typedef struct
{
  MapRun *run;
  MapInput *input; /* (unowned): the mapping has it */
  Mapping *mapping;
  GArray *records; /* (element-type MapRecord): of elements from @first on; number 0: has ended */
  guint64 first;
  guint n_front; /* of these have ended */
  guint64 n_added;
  guint64 n_ended;
  GQueue bad; /* (element-type BadRecord): waiting for their turn */
} Batches;

static void
bad_record_free (gpointer data)
{
  BadRecord *self = data;

  map_record_clear (&self->record);
  g_error_free (self->error);
  g_free (self);
}

static Batches *
get_batches (MapRun *run)
{
  return run->engine;
}

/* Those in front of the element with this index. */
static void
print_bad (Batches *self, guint64 index)
{
  BadRecord *bad;

  while ((bad = g_queue_peek_head (&self->bad)) != NULL
         && (self->run->options->is_unordered || bad->before <= index)
         && !g_cancellable_is_cancelled (self->run->cancellable))
    {
      map_run_fail (self->run, &bad->record, bad->error, map_output_get_buffer (self->run->output));
      bad_record_free (g_queue_pop_head (&self->bad));
    }
}

/* Results */

static MapRecord *
get_record (Batches *self, guint64 index)
{
  return &g_array_index (self->records, MapRecord, index - self->first);
}

/* Forgets one, and the memory of many that have ended at once. */
static void
end_record (Batches *self, MapRecord *record)
{
  map_record_clear (record);
  record->number = 0;
  self->n_ended++;
  while (self->n_front < self->records->len
         && g_array_index (self->records, MapRecord, self->n_front).number == 0)
    self->n_front++;
  if (self->n_front < MAX_WAITING && self->n_front < self->records->len)
    return;
  g_array_remove_range (self->records, 0, self->n_front);
  self->first += self->n_front;
  self->n_front = 0;
}

static void
take_results (Batches *self, const MapBatch *batch)
{
  MapRun *run = self->run;
  Buffer *to = map_output_get_buffer (run->output);

  map_output_begin (run->output, batch->results);
  for (gsize i = 0; i < batch->n && !g_cancellable_is_cancelled (run->cancellable); i++)
    {
      MapRecord *record = get_record (self, batch->first + i);
      g_autoptr (GError) error = NULL;

      if (self->bad.head != NULL)
        print_bad (self, batch->first + i);
      if (map_output_next (run->output, record->text, to, &error))
        map_run_note_done (run, record);
      else
        map_run_fail (run, record, error, to);
      end_record (self, record);
    }
}

static void
take_batch (Batches *self, const MapBatch *batch)
{
  MapRecord *record;

  if (batch->error == NULL)
    {
      take_results (self, batch);
      map_run_push (self->run);
      return;
    }
  print_bad (self, batch->first);
  if (g_cancellable_is_cancelled (self->run->cancellable))
    return;
  record = get_record (self, batch->first);
  map_run_fail (self->run, record, batch->error, map_output_get_buffer (self->run->output));
  end_record (self, record);
}

static void
end (Batches *self, const GError *error)
{
  self->run->is_done = TRUE;
  if (error == NULL)
    print_bad (self, G_MAXUINT64);
  else if (!g_cancellable_is_cancelled (self->run->cancellable))
    map_run_break (self->run, "%s", error->message);
}

static void
on_ready (gpointer user_data)
{
  Batches *self = user_data;
  const GError *error = NULL;
  MapBatch batch;

  while (!g_cancellable_is_cancelled (self->run->cancellable)
         && mapping_take (self->mapping, &batch))
    {
      take_batch (self, &batch);
      map_batch_clear (&batch);
    }
  mapping_check_cancelled (self->mapping, self->run->cancellable);
  if (mapping_has_ended (self->mapping, &error))
    {
      end (self, error);
      return;
    }
  if (map_input_get_n_pushed (self->input) < MAX_WAITING / 2 && self->bad.length < MAX_WAITING)
    record_reader_go_on (self->run->records);
  if (self->n_ended == self->n_added)
    map_run_flush (self->run);
  mapping_wait_async (self->mapping, self->run->cancellable, on_ready, self);
}

/* Input */

static void
push (Batches *self)
{
  g_autoptr (GVariant) array = NULL;

  if (self->bad.length >= MAX_WAITING)
    record_reader_pause (self->run->records);
  if (map_arguments_get_n (self->run->arguments) == 0)
    return;
  array = map_arguments_steal (self->run->arguments);
  map_input_push (self->input, array);
  mapping_wake (self->mapping);
  if (map_input_get_n_pushed (self->input) >= MAX_WAITING)
    record_reader_pause (self->run->records);
}

static void
add (MapRun *run, MapRecord record, GError *error)
{
  Batches *self = get_batches (run);

  if (error != NULL)
    {
      const BadRecord bad = { self->n_added, record, error };

      g_queue_push_tail (&self->bad, g_memdup2 (&bad, sizeof bad));
      print_bad (self, self->n_ended);
      return;
    }
  g_array_append_val (self->records, record);
  self->n_added++;
  if (map_arguments_get_n (run->arguments) >= ARRAY_ELEMENTS
      || map_arguments_get_size (run->arguments) >= ARRAY_BYTES)
    push (self);
}

static void
end_block (MapRun *run)
{
  push (get_batches (run));
}

static void
end_input (MapRun *run)
{
  Batches *self = get_batches (run);

  push (self);
  map_input_close (self->input);
  mapping_wake (self->mapping);
}

static void
cut (MapRun *run)
{
  Batches *self = get_batches (run);

  map_input_cut (self->input);
  mapping_wake (self->mapping);
}

/* The engine */

static void
record_clear (gpointer record)
{
  map_record_clear (record);
}

static gpointer
start (MapRun *run)
{
  const MapConfig config
      = { .executor = run->executor,
          .pool = PROCFUN_IS_POOL (run->executor) ? PROCFUN_POOL (run->executor) : NULL,
          .function = run->function,
          .is_ordered = !run->options->is_unordered,
          .goes_on = TRUE,
          .timeout = run->options->timeout,
          .limits = run->options->limits };
  Batches *self = g_new0 (Batches, 1);

  self->run = run;
  self->input = map_input_new_open ();
  self->mapping = mapping_new (&config, self->input);
  self->records = g_array_new (FALSE, FALSE, sizeof (MapRecord));
  g_array_set_clear_func (self->records, record_clear);
  mapping_wait_async (self->mapping, run->cancellable, on_ready, self);
  return self;
}

static void
batches_free (gpointer engine)
{
  Batches *self = engine;

  mapping_free (self->mapping);
  g_array_unref (self->records);
  g_queue_clear_full (&self->bad, bad_record_free);
  g_free (self);
}

const MapEngine map_batches_engine = { .start = start,
                                       .add = add,
                                       .end_block = end_block,
                                       .end_input = end_input,
                                       .cut = cut,
                                       .free = batches_free };
