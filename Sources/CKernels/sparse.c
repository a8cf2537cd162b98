// Products with inputs of which many are 0, as bits are: x·w takes the rows of w that an input is there for, and leaves out the rest. Every
// sum has the order of the dense products and, since adding 0 changes nothing, their bits.
//
// A block is a panel of 64 columns of the result: so many that the additions hide their own latency. What they add is packed, a stretch
// at a time, to stay in the nearest cache.
#include "functions.h"

enum { panel_columns = fount_wide_panel, lanes = 16, vectors = panel_columns / lanes, word = 64, stretch = word };

INLINE long min_of(long a, long b) { return a < b ? a : b; }

void fount_live(uint64_t *live, const float *x, long count, long step) {
  for (long k = 0; k < count; k += word) {
    uint64_t bits = 0;
    long end = min_of(word, count - k);
    for (long i = 0; i < end; i++) bits |= (uint64_t)(x[(k + i) * step] != 0.0f) << i;
    live[k / word] = bits;
  }
}

// packed[k, j] = b[k, j] for j < width, 0 beyond.
INLINE void pack(float *packed, const float *b, long b_row, long depth, long width) {
  for (long k = 0; k < depth; k++) {
    float *to = packed + k * panel_columns;
    memcpy(to, b + k * b_row, (size_t)width * sizeof(float));
    if (width < panel_columns) memset(to + width, 0, (size_t)(panel_columns - width) * sizeof(float));
  }
}

// packed[k, j] = b[j, k] for j < width, 0 beyond.
INLINE void pack_transposed(float *packed, const float *b, long b_row, long depth, long width) {
  for (long j = 0; j < width; j++) {
    for (long k = 0; k < depth; k++) packed[k * panel_columns + j] = b[j * b_row + k];
  }
  for (long j = width; j < panel_columns; j++) {
    for (long k = 0; k < depth; k++) packed[k * panel_columns + j] = 0.0f;
  }
}

// sum += Σ x[k · x_step] · scale · packed[k] over the k that are live.
INLINE void add_live(float *sums, const float *x, long x_step, float scale, const uint64_t *live, long words, const float *packed) {
  floats sum[vectors];
#pragma clang loop unroll(full)
  for (int v = 0; v < vectors; v++) sum[v] = *(const floats *)(sums + v * lanes);
  for (long w = 0; w < words; w++) {
    for (uint64_t bits = live[w]; bits; bits &= bits - 1) {
      long k = w * word + __builtin_ctzll(bits);
      floats factor = scale * x[k * x_step];
      const float *row = packed + k * panel_columns;
#pragma clang loop unroll(full)
      for (int v = 0; v < vectors; v++) sum[v] = factor * *(const floats *)(row + v * lanes) + sum[v];
    }
  }
#pragma clang loop unroll(full)
  for (int v = 0; v < vectors; v++) *(floats *)(sums + v * lanes) = sum[v];
}

CLONES void fount_sparse_forward(const fount_sparse *layer, long panel) {
  _Alignas(64) float packed[stretch * panel_columns];
  const long rows = layer->batch, inputs = layer->inputs, outputs = layer->outputs, words = (inputs + word - 1) / word;
  const long first = panel * panel_columns, width = min_of(panel_columns, outputs - first);
  float *sums = fount_scratch(fount_scratch_image, rows * panel_columns);
  memset(sums, 0, (size_t)(rows * panel_columns) * sizeof(float));
  for (long k = 0; k < inputs; k += stretch) {
    long depth = min_of(stretch, inputs - k);
    if (layer->transposed) {
      pack_transposed(packed, layer->w + first * inputs + k, inputs, depth, width);
    } else {
      pack(packed, layer->w + k * outputs + first, outputs, depth, width);
    }
    for (long r = 0; r < rows; r++)
      add_live(sums + r * panel_columns, layer->x + r * inputs + k, 1, 1.0f, layer->live + r * words + k / word, 1, packed);
  }
  for (long r = 0; r < rows; r++) {
    const float *sum = sums + r * panel_columns;
    float *y = layer->y + r * outputs + first;
    fount_finish_columns(y, sum, 1, width, layer->bias ? layer->bias + first : NULL, 0, width, layer->activation);
    if (layer->bits)
      fount_bits(layer->bits + r * outputs + first, y, first, width, layer->examples[r], layer->step, layer->stream, layer->seed);
  }
}

CLONES void fount_sparse_weight_gradient(const fount_sparse *layer, long panel) {
  const long rows = layer->batch, inputs = layer->inputs, outputs = layer->outputs, words = (rows + word - 1) / word;
  const long first = panel * panel_columns, width = min_of(panel_columns, outputs - first);
  float *packed = fount_scratch(fount_scratch_image, rows * panel_columns);
  pack(packed, layer->dy + first, outputs, rows, width);
  for (long k = 0; k < inputs; k++) {
    _Alignas(64) float sums[panel_columns] = {0};
    float *dw = layer->dw + k * outputs + first;
    if (layer->dw_adds) memcpy(sums, dw, (size_t)width * sizeof(float));
    add_live(sums, layer->x + k, inputs, layer->scale, layer->live + k * words, words, packed);
    memcpy(dw, sums, (size_t)width * sizeof(float));
  }
}
