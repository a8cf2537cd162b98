// Conditionals that share one hidden layer, whose sums grow by one term as each input becomes known (NADE: Larochelle & Murray, AISTATS
// 2011, Algorithm 1).
//
// Most inputs of an image are 0: then the sums stay, and with them the units, and nothing of either is computed again. Real inputs cost
// a sigmoid each. A logit is 16 sums in lanes over the hidden units, added in a fixed order.
#include "functions.h"

// Rows that go through the weights together, measured; no bit depends on them, since gradients are one chain over all rows.
enum { rows_forward = fount_running_rows, rows_backward = fount_running_gradient_rows, lanes = fount_panel, tile_rows = 4 };

INLINE long min_of(long a, long b) { return a < b ? a : b; }
INLINE long panels_of(long columns) { return (columns + lanes - 1) / lanes; }
INLINE long dim_at(const fount_running *layer, long place) { return layer->order ? layer->order[place] : place; }

// 16 of a row's columns, 0 beyond its end.
INLINE void load(floats *to, const float *row, long panel, long columns) {
  long first = panel * lanes, width = min_of(lanes, columns - first);
  if (width == lanes) {
    *to = *(const floats_anywhere *)(row + first);
  } else {
    *to = 0.0f;
    memcpy(to, row + first, (size_t)width * sizeof(float));
  }
}

INLINE void store(float *row, const floats *from, long panel, long columns) {
  long first = panel * lanes, width = min_of(lanes, columns - first);
  if (width == lanes) {
    *(floats_anywhere *)(row + first) = *from;
  } else {
    memcpy(row + first, from, (size_t)width * sizeof(float));
  }
}

INLINE void sigmoid_into(float *h, const floats *sums) {
  float a[lanes];
  memcpy(a, sums, sizeof a);
  for (int l = 0; l < lanes; l++) h[l] = sigmoid_of(a[l]);
}

INLINE float total_of(const floats *sum) {
  float s[lanes];
  memcpy(s, sum, sizeof s);
  for (int width = lanes / 2; width > 0; width /= 2) {
    for (int l = 0; l < width; l++) s[l] += s[l + width];
  }
  return s[0];
}

// The running sums of one row after one more input, and the units that follow from them.
INLINE void take_in(float *a, float *h, float x, const float *w, long hidden) {
  long panels = panels_of(hidden);
  for (long p = 0; p < panels; p++) {
    floats row, sum = *(const floats *)(a + p * lanes);
    load(&row, w, p, hidden);
    sum = (floats)x * row + sum;
    *(floats *)(a + p * lanes) = sum;
    sigmoid_into(h + p * lanes, &sum);
  }
}

// z[r · z_row] = v · h[r] + bias.
INLINE void weigh(const int rows, float *z, long z_row, const float *h, const float *v, float bias, long hidden) {
  long panels = panels_of(hidden), whole = hidden / lanes, width = panels * lanes;
  floats sum[tile_rows];
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++) sum[r] = 0.0f;
#pragma clang loop unroll(disable)
  for (long p = 0; p < whole; p++) {
    floats factor = *(const floats_anywhere *)(v + p * lanes);
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) sum[r] = *(const floats *)(h + r * width + p * lanes) * factor + sum[r];
  }
  if (whole < panels) {
    floats factor;
    load(&factor, v, whole, hidden);
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) sum[r] = *(const floats *)(h + r * width + whole * lanes) * factor + sum[r];
  }
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++) z[r * z_row] = total_of(sum + r) + bias;
}

INLINE void weigh_all(long rows, float *z, long z_row, const float *h, const float *v, float bias, long hidden) {
  long width = panels_of(hidden) * lanes;
  for (long r = 0; r < rows; r += tile_rows) {
    float *to = z + r * z_row;
    const float *from = h + r * width;
    switch (min_of(tile_rows, rows - r)) {
      case 4: weigh(4, to, z_row, from, v, bias, hidden); break;
      case 3: weigh(3, to, z_row, from, v, bias, hidden); break;
      case 2: weigh(2, to, z_row, from, v, bias, hidden); break;
      case 1: weigh(1, to, z_row, from, v, bias, hidden); break;
    }
  }
}

// All rows' sums before any input, and their units.
INLINE void begin(float *a, float *h, const fount_running *layer, long rows) {
  long panels = panels_of(layer->hidden), width = panels * lanes;
  for (long p = 0; p < panels; p++) {
    floats bias;
    load(&bias, layer->c, p, layer->hidden);
    for (long r = 0; r < rows; r++) *(floats *)(a + r * width + p * lanes) = bias;
    sigmoid_into(h + p * lanes, &bias);
  }
  for (long r = 1; r < rows; r++) memcpy(h + r * width, h, (size_t)width * sizeof(float));
}

CLONES void fount_running_logits(const fount_running *layer, long block) {
  const long dims = layer->dims, hidden = layer->hidden, outputs = layer->outputs, width = panels_of(hidden) * lanes;
  const long first = block * rows_forward, rows = min_of(rows_forward, layer->batch - first);
  float *a = fount_scratch(fount_scratch_image, 2 * rows_forward * width), *h = a + rows_forward * width;
  begin(a, h, layer, rows);
  const float *x = layer->x + first * dims;
  float *z = layer->z + first * dims * outputs;
  for (long i = 0; i < dims; i++) {
    long d = dim_at(layer, i);
    for (long k = 0; k < outputs; k++) {
      long at = d * outputs + k;
      weigh_all(rows, z + at, dims * outputs, h, layer->v + at * hidden, layer->bias[at], hidden);
    }
    for (long r = 0; r < rows; r++) {
      float input = x[r * dims + d];
      if (input != 0.0f) take_in(a + r * width, h + r * width, input, layer->w + d * hidden, hidden);
    }
  }
}

// One number from what its outputs tell.
INLINE float drawn(const float *z, long outputs, int distribution, float uniform, float normal, float temperature) {
  float value = 0.0f;
  switch (distribution) {
    case fount_draw_bits: value = uniform < sigmoid_of(z[0] / temperature) ? 1.0f : 0.0f; break;
    case fount_draw_levels: {
      float *scaled = fount_scratch(fount_scratch_weights, outputs);
      for (long k = 0; k < outputs; k++) scaled[k] = z[k] / temperature;
      fount_categorical(&value, scaled, &uniform, 1, outputs);
      value *= 1.0f / (float)(outputs - 1);
      break;
    }
    case fount_draw_gaussians: fount_gaussians_draw(&value, z, &uniform, &normal, 1, outputs / 3, temperature); break;
  }
  return value;
}

CLONES void fount_running_draw(
    const fount_running *layer, float *x, int distribution, const uint32_t *examples, uint32_t step, uint32_t stream, uint64_t seed,
    float temperature, long block) {
  const long dims = layer->dims, hidden = layer->hidden, outputs = layer->outputs, width = panels_of(hidden) * lanes;
  const long first = block * rows_forward, rows = min_of(rows_forward, layer->batch - first);
  float *a = fount_scratch(fount_scratch_image, rows_forward * (2 * width + 2 * dims));
  float *h = a + rows_forward * width, *uniforms = h + rows_forward * width, *normals = uniforms + rows_forward * dims;
  begin(a, h, layer, rows);
  for (long r = 0; r < rows; r++) {
    fount_uniform(uniforms + r * dims, dims, examples[first + r], step, stream, seed);
    if (distribution == fount_draw_gaussians) fount_normal(normals + r * dims, dims, examples[first + r], step + 1, stream, seed);
  }
  x += first * dims;
  float *z = layer->z + first * dims * outputs;
  for (long i = 0; i < dims; i++) {
    long d = dim_at(layer, i);
    for (long k = 0; k < outputs; k++) {
      long at = d * outputs + k;
      weigh_all(rows, z + at, dims * outputs, h, layer->v + at * hidden, layer->bias[at], hidden);
    }
    for (long r = 0; r < rows; r++) {
      long at = r * dims + d;
      float normal = distribution == fount_draw_gaussians ? normals[at] : 0.0f;
      float value = drawn(z + at * outputs, outputs, distribution, uniforms[at], normal, temperature);
      x[at] = value;
      if (value != 0.0f) take_in(a + r * width, h + r * width, value, layer->w + d * hidden, hidden);
    }
  }
}

// MARK: Gradients

// For each place of a block: the rows' inputs, which of them are not 0, and the gradients by their logits.
CLONES void fount_running_pack(const fount_running *layer, float *packed, long block) {
  const long dims = layer->dims, outputs = layer->outputs;
  const long first = block * rows_backward, rows = min_of(rows_backward, layer->batch - first);
  float *to = packed + block * dims * (2 + outputs) * rows_backward;
  for (long i = 0; i < dims; i++) {
    long d = dim_at(layer, i);
    uint32_t live = 0;
    for (long r = 0; r < rows_backward; r++) {
      float x = r < rows ? layer->x[(first + r) * dims + d] : 0.0f;
      to[r] = x;
      live |= (uint32_t)(x != 0.0f) << r;
    }
    memcpy(to + rows_backward, &live, sizeof live);
    to += 2 * rows_backward;
    for (long k = 0; k < outputs; k++) {
      for (long r = 0; r < rows_backward; r++) to[r] = r < rows ? layer->dz[((first + r) * dims + d) * outputs + k] : 0.0f;
      to += rows_backward;
    }
  }
}

// A bit for each row whose input is not 0.
INLINE uint32_t live_of(const float *x) {
  uint32_t live;
  memcpy(&live, x + rows_backward, sizeof live);
  return live;
}

CLONES void fount_running_gradients(const fount_running *layer, const float *packed, long panel) {
  const long dims = layer->dims, hidden = layer->hidden, outputs = layer->outputs;
  const long blocks = (layer->batch + rows_backward - 1) / rows_backward;
  const long columns = (2 + outputs) * rows_backward;
  // Every state that the rows' units go through.
  float *states = fount_scratch(fount_scratch_image, rows_backward * (dims + 1) * lanes);
  floats bias, dc = 0.0f;
  load(&bias, layer->c, panel, hidden);
  if (layer->dc && layer->dc_adds) load(&dc, layer->dc, panel, hidden);
  for (long block = 0; block < blocks; block++) {
    const long rows = min_of(rows_backward, layer->batch - block * rows_backward);
    const float *inputs = packed + block * dims * columns;
    floats sum[rows_backward], share[rows_backward];
    const float *h[rows_backward];
    float *last[rows_backward];
    for (long r = 0; r < rows; r++) {
      sum[r] = bias;
      last[r] = states + r * (dims + 1) * lanes;
      sigmoid_into(last[r], &bias);
    }
    for (long i = 0; i < dims; i++) {
      floats row;
      const float *x = inputs + i * columns;
      load(&row, layer->w + dim_at(layer, i) * hidden, panel, hidden);
      for (uint32_t live = live_of(x); live; live &= live - 1) {
        int r = __builtin_ctz(live);
        sum[r] = (floats)x[r] * row + sum[r];
        last[r] += lanes;
        sigmoid_into(last[r], &sum[r]);
      }
    }
    // From here on `sum` is the gradient by the running sum, and `share` what the units' present state still owes it.
    for (long r = 0; r < rows; r++) {
      sum[r] = 0.0f;
      share[r] = 0.0f;
      h[r] = last[r];
    }
    for (long i = dims - 1; i >= 0; i--) {
      const long d = dim_at(layer, i);
      const float *x = inputs + i * columns;
      floats dw = 0.0f;
      if (layer->dw && (block > 0 || layer->dw_adds)) load(&dw, layer->dw + d * hidden, panel, hidden);
      for (uint32_t live = live_of(x); live; live &= live - 1) {
        int r = __builtin_ctz(live);
        floats state = *(const floats *)h[r];
        floats slope = state - state * state;
        sum[r] = share[r] * slope + sum[r];
        share[r] = 0.0f;
        h[r] -= lanes;
        dw = (floats)x[r] * sum[r] + dw;
      }
      if (layer->dw) store(layer->dw + d * hidden, &dw, panel, hidden);
      for (long k = 0; k < outputs; k++) {
        const long at = d * outputs + k;
        const float *dz = x + (2 + k) * rows_backward;
        floats v, dv = 0.0f;
        load(&v, layer->v + at * hidden, panel, hidden);
        if (layer->dv && (block > 0 || layer->dv_adds)) load(&dv, layer->dv + at * hidden, panel, hidden);
        for (long r = 0; r < rows; r++) {
          floats factor = dz[r];
          dv = factor * *(const floats *)h[r] + dv;
          share[r] = factor * v + share[r];
        }
        if (layer->dv) store(layer->dv + at * hidden, &dv, panel, hidden);
      }
    }
    for (long r = 0; r < rows; r++) {
      floats state = *(const floats *)h[r];
      floats slope = state - state * state;
      dc += share[r] * slope + sum[r];
    }
  }
  if (layer->dc) store(layer->dc, &dc, panel, hidden);
}
