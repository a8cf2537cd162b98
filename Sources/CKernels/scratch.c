// Memory that a thread keeps from call to call and gives back when it ends, so that kernels which copy and pack allocate nothing in the
// steady state.
#include <pthread.h>
#include <stdlib.h>

#include "CKernels.h"

typedef struct {
  float *floats;
  long count;
} stretch_of_memory;

static _Thread_local stretch_of_memory kept[fount_scratch_slots];
static pthread_key_t ending;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void forget(void *all) {
  stretch_of_memory *slots = all;
  for (int slot = 0; slot < fount_scratch_slots; slot++) {
    free(slots[slot].floats);
    slots[slot].floats = NULL;
    slots[slot].count = 0;
  }
}

static void make_key(void) {
  if (pthread_key_create(&ending, forget)) abort();
}

float *fount_scratch(int slot, long count) {
  stretch_of_memory *memory = kept + slot;
  if (memory->count >= count) return memory->floats;
  if (pthread_once(&once, make_key) || pthread_setspecific(ending, kept)) abort();
  free(memory->floats);
  // A line of the cache, and the widest vector.
  enum { line = 64 };
  size_t bytes = ((size_t)count * sizeof(float) + line - 1) / line * line;
  memory->floats = aligned_alloc(line, bytes);
  // Out of memory: as Swift does for its own.
  if (!memory->floats) abort();
  memory->count = count;
  return memory->floats;
}
