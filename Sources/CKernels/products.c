// Matrix products for layers, dense or with a staircase mask.
//
// A panel is 16 columns of the result. Its factor is packed into a stretch of rows of 16 that stays in the first-level cache, and tiles of
// 6 rows by 16 columns are summed in registers, so that each element is one chain of fused multiply-adds over the inner axis in its
// order: where the sum is cut into stretches it goes on from what was stored, which changes no bit. Where a mask ends inside a panel the
// packed factor is 0, and beyond it nothing is computed: adding 0 changes no bit either.
#include "tiles.h"

enum { stretch = 256 };

// packed[k, j] = b[k, j] for j < width, 0 beyond.
INLINE void pack(float *packed, const float *b, long b_row, long depth, long width) {
  if (width == fount_panel) {
    for (long k = 0; k < depth; k++) *(floats *)(packed + k * fount_panel) = *(const floats_anywhere *)(b + k * b_row);
  } else {
    for (long k = 0; k < depth; k++) {
      for (long j = 0; j < fount_panel; j++) packed[k * fount_panel + j] = j < width ? b[k * b_row + j] : 0.0f;
    }
  }
}

CLONES void fount_dense_forward(const fount_dense *layer, long panel) {
  _Alignas(64) float packed[stretch * fount_panel];
  const long outputs = layer->outputs, first = panel * fount_panel, width = min_of(fount_panel, outputs - first);
  const int32_t *live = layer->live ? layer->live + first : NULL;
  const long depth = live ? live[width - 1] : layer->inputs;
  float *y = layer->y + first;
  for (long k = 0; k < depth || k == 0; k += stretch) {
    long count = min_of(stretch, depth - k);
    pack(packed, layer->w + k * outputs + first, outputs, count, width);
    // Only the rows between the panel's shallowest output and its deepest hold what no output may see.
    if (live && live[0] < k + count) {
      for (long j = 0; j < width; j++) {
        for (long i = live[j] > k ? live[j] - k : 0; i < count; i++) packed[i * fount_panel + j] = 0.0f;
      }
    }
    panel_of(layer->batch, layer->x + k, layer->inputs, 1, packed, count, y, outputs, width, k > 0);
  }
  fount_finish_columns(y, y, layer->batch, outputs, layer->bias ? layer->bias + first : NULL, 0, width, layer->activation);
}

CLONES void fount_dense_weight_gradient(const fount_dense *layer, long panel) {
  _Alignas(64) float packed[stretch * fount_panel];
  const long inputs = layer->inputs, outputs = layer->outputs, first = panel * fount_panel, width = min_of(fount_panel, outputs - first);
  const int32_t *live = layer->live ? layer->live + first : NULL;
  const long rows = live ? live[width - 1] : inputs;
  const float *dy = layer->dy + first;
  float *dw = layer->dw ? layer->dw + first : NULL, *dbias = layer->dbias ? layer->dbias + first : NULL;
  for (long b = 0; b < layer->batch; b += stretch) {
    long count = min_of(stretch, layer->batch - b);
    pack(packed, dy + b * outputs, outputs, count, width);
    if (dw) panel_of(rows, layer->x + b * inputs, 1, inputs, packed, count, dw, outputs, width, b > 0 || layer->dw_adds);
    if (dbias) {
      floats sum = 0.0f;
      if (b > 0 || layer->dbias_adds) memcpy(&sum, dbias, (size_t)width * sizeof(float));
      for (long i = 0; i < count; i++) sum += *(const floats *)(packed + i * fount_panel);
      memcpy(dbias, &sum, (size_t)width * sizeof(float));
    }
  }
  if (dw && live) {
    for (long j = 0; j < width; j++) {
      for (long i = live[j]; i < rows; i++) dw[i * outputs + j] = 0.0f;
    }
    for (long i = rows; i < inputs; i++) memset(dw + i * outputs, 0, (size_t)width * sizeof(float));
  }
}

CLONES void fount_dense_data_gradient(const fount_dense *layer, long panel) {
  _Alignas(64) float packed[stretch * fount_panel];
  const long inputs = layer->inputs, outputs = layer->outputs, first = panel * fount_panel, width = min_of(fount_panel, inputs - first);
  const int32_t *live = layer->live;
  // The first output that sees the panel's first input: outputs before it see none of the panel.
  long start = 0;
  if (live)
    while (start < outputs && live[start] <= first) start++;
  int adds = layer->dx_adds;
  for (long c = start; c < outputs || c == start; c += stretch) {
    long count = min_of(stretch, outputs - c);
    for (long j = 0; j < fount_panel; j++) {
      const float *row = layer->w + (first + j) * outputs + c;
      if (j < width) {
        for (long i = 0; i < count; i++) packed[i * fount_panel + j] = row[i];
      } else {
        for (long i = 0; i < count; i++) packed[i * fount_panel + j] = 0.0f;
      }
    }
    if (live) {
      for (long i = 0; i < count && live[c + i] < first + width; i++) {
        for (long j = live[c + i] - first; j < width; j++) packed[i * fount_panel + j] = 0.0f;
      }
    }
    panel_of(layer->batch, layer->dy + c, outputs, 1, packed, count, layer->dx + first, inputs, width, adds);
    adds = 1;
  }
}

CLONES void fount_add_scaled_row(
    float *y, long rows, long stride, const float *scalars, long scalars_stride, const float *row, long from, long to) {
  for (long r = 0; r < rows; r++) {
    float scalar = scalars[r * scalars_stride];
    // Bits are often 0, and adding 0 changes nothing.
    if (scalar == 0.0f) continue;
    float *at = y + r * stride;
    for (long c = from; c < to; c++) at[c] = scalar * row[c] + at[c];
  }
}
