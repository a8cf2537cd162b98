// The two loops that convolutions spend their time in.
//
// A panel is 16 columns of the result, its weights packed into rows of 16; tiles of 6 pixels by 16 columns are summed in registers. Each
// element is one chain of fused multiply-adds over taps and channels in a fixed order, wherever its pixel falls into a tile: so tiles may
// be cut as it suits the machine.
#include "convolution.h"

// 6 by 16 fill the registers of x86-64-v3. `stretch` and `group_floats`: a panel's stretch, or the panels that take turns over a tile, stay
// in the first-level cache beside the pixels; `band_pixels`: so do the pixels of a band. All by measurement.
enum { tile_pixels = 6, stretch_max = 256, group_floats = 5120, band_pixels = 112, short_row = 13, cache_line = 64 };

// How many of `left` are taken next, so that none is left with a tile of few sums, whose multiply-adds would wait for each other.
INLINE long next_tile(long left) { return left > 15 ? 6 : left > 12 ? (left + 2) / 3 : left > 6 ? (left + 1) / 2 : left; }

// The part of `all` from its float `from` on, `count` long.
INLINE void cut(fount_runs *part, const fount_runs *all, long from, long count) {
  part->count = 0;
  for (int i = 0; i < all->count && count > 0; i++) {
    long length = all->length[i];
    if (from >= length) {
      from -= length;
      continue;
    }
    long taken = min_of(length - from, count);
    part->offset[part->count] = all->offset[i] + from;
    part->length[part->count] = taken;
    part->count++;
    count -= taken;
    from = 0;
  }
  if (part->count == 0) part->offset[0] = 0, part->length[0] = 0, part->count = 1;
}

// MARK: Finishing sums

INLINE void activate(const int count, floats *sum, int activation) {
  if (activation == fount_relu) {
#pragma clang loop unroll(full)
    for (int r = 0; r < count; r++) sum[r] = sum[r] > 0.0f ? sum[r] : (floats)0.0f;
  } else if (activation == fount_leaky_relu) {
#pragma clang loop unroll(full)
    for (int r = 0; r < count; r++) sum[r] = sum[r] > 0.0f ? sum[r] : 0.2f * sum[r];
  }
}

// Where a tile's pixels are: the first, and where tiles cross rows every one. Those that a grid lacks are NULL.
typedef struct {
  const float *source[tile_pixels];
  float *result[tile_pixels], *slopes[tile_pixels], *stream[tile_pixels];
} places;

INLINE float *place(float *const *all, long step, int r, const int scattered) { return scattered ? all[r] : all[0] + r * step; }

// As fount_activation_gradient.
INLINE void slope(const int count, const int scattered, floats *sum, const places *at, long step, long column, int activation) {
#define EACH_SLOPE(...)                                                                                \
  for (int r = 0; r < count; r++) {                                                                    \
    const floats y = *(const floats_anywhere *)(place(at->slopes, step, r, scattered) + column);       \
    __VA_ARGS__                                                                                        \
  }
  if (activation == fount_relu) {
#pragma clang loop unroll(full)
    EACH_SLOPE(sum[r] = y > 0.0f ? sum[r] : (floats)0.0f;)
  } else if (activation == fount_leaky_relu) {
#pragma clang loop unroll(full)
    EACH_SLOPE(sum[r] = y > 0.0f ? sum[r] : 0.2f * sum[r];)
  } else if (activation == fount_sigmoid) {
#pragma clang loop unroll(full)
    EACH_SLOPE(floats factor = y * (1.0f - y); sum[r] = sum[r] * factor;)
  } else if (activation == fount_tanh) {
#pragma clang loop unroll(full)
    EACH_SLOPE(floats factor = 1.0f - y * y; sum[r] = sum[r] * factor;)
  }
#undef EACH_SLOPE
}

// MARK: Results

// What is wanted next, and how many lines of it are fetched at a time.
typedef struct {
  const char *at, *end;
  long lines;
  int writes;
} look;

INLINE void look_ahead(look *all) {
  const char *at = all->at, *end = min_of((long)(all->end - at), all->lines * cache_line) + at;
  if (all->writes) {
    for (; at < end; at += cache_line) __builtin_prefetch(at, 1, 2);
  } else {
    for (; at < end; at += cache_line) __builtin_prefetch(at, 0, 2);
  }
  all->at = at;
}

// A tile's panels from `column` on, `panels` of them, their packed weights `depth` rows apart. With `scattered` the pixels lie anywhere,
// else they are `step` apart. `ends`: the sums are complete.
INLINE void tile(
    const int count, const int scattered, const places *at, const fount_grid *over, const fount_runs *inputs, const float *packed,
    long depth, long column, long panels, int adds, int ends, look *ahead) {
  const long step = over->source_step, end = column + panels * fount_panel;
#pragma clang loop unroll(disable)
  for (; column < end; column += fount_panel, packed += depth * fount_panel) {
    floats sum[tile_pixels];
    const float *panel = packed;
    look_ahead(ahead);
    if (adds) {
#pragma clang loop unroll(full)
      for (int r = 0; r < count; r++) sum[r] = *(const floats_anywhere *)(place(at->result, over->result.step, r, scattered) + column);
    } else {
#pragma clang loop unroll(full)
      for (int r = 0; r < count; r++) sum[r] = 0.0f;
    }
    int i = 0;
#pragma clang loop unroll(disable)
    do {
      const long offset = inputs->offset[i], length = inputs->length[i];
      const float *from = at->source[0] + offset;
      const float *each[tile_pixels];
      if (scattered) {
#pragma clang loop unroll(full)
        for (int r = 0; r < count; r++) each[r] = at->source[r] + offset;
      }
#pragma clang loop unroll_count(4)
      for (long k = 0; k < length; k++) {
        floats b = *(const floats *)(panel + k * fount_panel);
#pragma clang loop unroll(full)
        for (int r = 0; r < count; r++) sum[r] = (floats)(scattered ? each[r][k] : from[r * step + k]) * b + sum[r];
      }
      panel += length * fount_panel;
    } while (++i < inputs->count);
    if (ends) {
      if (over->bias) {
        floats bias = *(const floats_anywhere *)(over->bias + column);
#pragma clang loop unroll(full)
        for (int r = 0; r < count; r++) sum[r] = sum[r] + bias;
      }
      if (over->slopes_of != fount_identity) slope(count, scattered, sum, at, over->slopes.step, column, over->slopes_of);
      if (over->stream_adds) {
#pragma clang loop unroll(full)
        for (int r = 0; r < count; r++)
          sum[r] = sum[r] + *(const floats_anywhere *)(place(at->stream, over->stream.step, r, scattered) + column);
      }
      if (over->stream_stays) {
#pragma clang loop unroll(full)
        for (int r = 0; r < count; r++) *(floats_anywhere *)(place(at->stream, over->stream.step, r, scattered) + column) = sum[r];
      }
      activate(count, sum, over->activation);
    }
    if (at->result[0]) {
#pragma clang loop unroll(full)
      for (int r = 0; r < count; r++) *(floats_anywhere *)(place(at->result, over->result.step, r, scattered) + column) = sum[r];
    }
  }
}

#define TILE_OF(SCATTERED, ...)                    \
  switch (count) {                                 \
    case 6: tile(6, SCATTERED, __VA_ARGS__); break; \
    case 5: tile(5, SCATTERED, __VA_ARGS__); break; \
    case 4: tile(4, SCATTERED, __VA_ARGS__); break; \
    case 3: tile(3, SCATTERED, __VA_ARGS__); break; \
    case 2: tile(2, SCATTERED, __VA_ARGS__); break; \
    case 1: tile(1, SCATTERED, __VA_ARGS__); break; \
  }

enum { wide_row = fount_panel };

// Fewer than 16 columns: each pixel's numbers are carried to and from rows of 16. `wide` is that grid, `kept` its memory.
typedef struct {
  _Alignas(64) float result[tile_pixels][wide_row], slopes[tile_pixels][wide_row], stream[tile_pixels][wide_row], bias[wide_row];
} narrow_memory;

INLINE void carry(float (*to)[wide_row], float *const *from, long count, long column, long width) {
  if (!from[0]) return;
  for (long r = 0; r < count; r++) memcpy(to[r], from[r] + column, (size_t)width * sizeof(float));
}

INLINE void carry_back(float *const *to, float (*from)[wide_row], long count, long column, long width) {
  if (!to[0]) return;
  for (long r = 0; r < count; r++) memcpy(to[r] + column, from[r], (size_t)width * sizeof(float));
}

INLINE void narrow_tile(
    long count, const places *at, const fount_grid *over, const fount_runs *inputs, const float *panel, long column, long width, int adds,
    int ends, look *ahead) {
  narrow_memory memory;
  memset(&memory, 0, sizeof memory);
  fount_grid wide = *over;
  places there = *at;
  for (long r = 0; r < count; r++) {
    if (at->result[0]) there.result[r] = memory.result[r];
    if (at->slopes[0]) there.slopes[r] = memory.slopes[r];
    if (at->stream[0]) there.stream[r] = memory.stream[r];
  }
  carry(memory.result, at->result, count, column, width);
  carry(memory.slopes, at->slopes, count, column, width);
  carry(memory.stream, at->stream, count, column, width);
  if (over->bias) {
    memcpy(memory.bias, over->bias + column, (size_t)width * sizeof(float));
    wide.bias = memory.bias;
  }
  TILE_OF(1, &there, &wide, inputs, panel, 0, 0, 1, adds, ends, ahead)
  carry_back(at->result, memory.result, count, column, width);
  if (ends && over->stream_stays) carry_back(at->stream, memory.stream, count, column, width);
}

INLINE float *pixel(const fount_pixels *all, long row, long column) {
  return all->first ? all->first + row * all->row + column * all->step : NULL;
}

INLINE int is_one_row(const fount_pixels *all, long columns) { return !all->first || all->row == columns * all->step; }

CLONES void fount_correlate(const fount_grid *grid, const fount_runs *inputs, const float *packed, long depth, long columns) {
  fount_grid over = *grid;
  if (over.source_row == over.columns * over.source_step && is_one_row(&over.result, over.columns) &&
      is_one_row(&over.slopes, over.columns) && is_one_row(&over.stream, over.columns)) {
    over.columns *= over.rows;
    over.rows = 1;
  }
  // Tiles that end with their row are simpler, but short rows would leave them small.
  const int crosses = over.rows > 1 && over.columns < short_row, is_scattered = crosses || columns % fount_panel != 0;
  const long pixels = over.rows * over.columns, panels = panels_of(columns), stretch = over.result.first ? stretch_max : max_of(depth, 1);
  int adds = over.adds;
  look ahead = {(const char *)over.ahead, (const char *)(over.ahead + over.ahead_count), 0, over.ahead_writes};
  ahead.lines = over.ahead_count / (panels * max_of(1, pixels / tile_pixels) * (cache_line / (long)sizeof(float))) + 1;
  for (long from = 0; from < depth || from == 0; from += stretch) {
    fount_runs part;
    const long count_here = min_of(stretch, depth - from);
    const int ends = from + stretch >= depth;
    cut(&part, inputs, from, count_here);
    const long group = max_of(1, group_floats / (count_here * fount_panel));
    for (long first = 0; first < panels; first += group) {
      const long beyond = min_of(first + group, panels), whole = min_of(beyond, columns / fount_panel);
      long row = 0, column = 0;
      for (long p = 0; p < pixels;) {
        const long count = next_tile(crosses ? pixels - p : over.columns - column);
        places at;
        for (long r = 0; r < count; r++) {
          if (r == 0 || is_scattered) {
            at.source[r] = over.source + row * over.source_row + column * over.source_step;
            at.result[r] = pixel(&over.result, row, column);
            at.slopes[r] = pixel(&over.slopes, row, column);
            at.stream[r] = pixel(&over.stream, row, column);
          }
          if (++column == over.columns) column = 0, row++;
        }
        p += count;
        const float *weights = packed + (first * depth + from) * fount_panel;
        if (crosses) {
          TILE_OF(1, &at, &over, &part, weights, depth, first * fount_panel, whole - first, adds, ends, &ahead)
        } else {
          TILE_OF(0, &at, &over, &part, weights, depth, first * fount_panel, whole - first, adds, ends, &ahead)
        }
        if (whole < beyond) {
          weights = packed + (whole * depth + from) * fount_panel;
          narrow_tile(count, &at, &over, &part, weights, whole * fount_panel, columns % fount_panel, adds, ends, &ahead);
        }
      }
    }
    adds = 1;
  }
}

// MARK: The weights' gradient

// sums[r] += Σ_pixel source[pixel + r] · dy[pixel], over a band of whole rows; with `biased`, bias += Σ_pixel dy[pixel].
INLINE void weight_tile(
    const int count, const int biased, long rows, long columns, const fount_pixels *source, const fount_pixels *dy, float *sums,
    float *bias) {
  floats sum[tile_pixels], all = 0.0f;
#pragma clang loop unroll(full)
  for (int r = 0; r < count; r++) sum[r] = *(const floats *)(sums + r * fount_panel);
  if (biased) all = *(const floats *)bias;
#pragma clang loop unroll(disable)
  for (long y = 0; y < rows; y++) {
    const float *a = source->first + y * source->row, *b = dy->first + y * dy->row;
#pragma clang loop unroll_count(4)
    for (long c = 0; c < columns; c++) {
      floats wide = *(const floats_anywhere *)b;
#pragma clang loop unroll(full)
      for (int r = 0; r < count; r++) sum[r] = (floats)a[r] * wide + sum[r];
      if (biased) all = all + wide;
      a += source->step;
      b += dy->step;
    }
  }
#pragma clang loop unroll(full)
  for (int r = 0; r < count; r++) *(floats *)(sums + r * fount_panel) = sum[r];
  if (biased) *(floats *)bias = all;
}

static long band_rows_of(long columns) { return max_of(1, band_pixels / max_of(columns, 1)); }

long fount_convolution_band(const fount_convolution *layer) {
  return layer->filters % fount_panel ? band_rows_of(layer->y_width) * layer->y_width * fount_panel : 0;
}

CLONES void fount_correlate_weights(
    long rows, long columns, fount_pixels source, fount_pixels dy, const fount_runs *inputs, long depth, long filters, float *band,
    float *sums) {
  const long band_rows = band_rows_of(columns);
  for (long y = 0; y < rows; y += band_rows) {
    const long count_rows = min_of(band_rows, rows - y);
    for (long first = 0; first < filters; first += fount_panel) {
      const long width = min_of(fount_panel, filters - first);
      fount_pixels from = dy;
      from.first += y * dy.row + first;
      if (width < fount_panel) {
        for (long r = 0; r < count_rows; r++) {
          for (long c = 0; c < columns; c++) {
            floats wide = 0.0f;
            memcpy(&wide, from.first + r * dy.row + c * dy.step, (size_t)width * sizeof(float));
            *(floats *)(band + (r * columns + c) * fount_panel) = wide;
          }
        }
        from.first = band, from.row = columns * fount_panel, from.step = fount_panel;
      }
      float *at = sums + first * (depth + 1), *bias = at + depth * fount_panel;
      int biased = 1;
      for (int i = 0; i < inputs->count; i++) {
        fount_pixels to = source;
        to.first += y * source.row + inputs->offset[i];
        for (long left = inputs->length[i], count; left > 0; left -= count) {
          // The bias needs registers, too.
          count = !biased ? next_tile(left) : left > 10 ? 5 : left > 5 ? (left + 1) / 2 : left;
          if (biased) {
            switch (count) {
              case 5: weight_tile(5, 1, count_rows, columns, &to, &from, at, bias); break;
              case 4: weight_tile(4, 1, count_rows, columns, &to, &from, at, bias); break;
              case 3: weight_tile(3, 1, count_rows, columns, &to, &from, at, bias); break;
              case 2: weight_tile(2, 1, count_rows, columns, &to, &from, at, bias); break;
              case 1: weight_tile(1, 1, count_rows, columns, &to, &from, at, bias); break;
            }
          } else {
            switch (count) {
              case 6: weight_tile(6, 0, count_rows, columns, &to, &from, at, bias); break;
              case 5: weight_tile(5, 0, count_rows, columns, &to, &from, at, bias); break;
              case 4: weight_tile(4, 0, count_rows, columns, &to, &from, at, bias); break;
              case 3: weight_tile(3, 0, count_rows, columns, &to, &from, at, bias); break;
              case 2: weight_tile(2, 0, count_rows, columns, &to, &from, at, bias); break;
              case 1: weight_tile(1, 0, count_rows, columns, &to, &from, at, bias); break;
            }
          }
          biased = 0;
          to.first += count;
          at += count * fount_panel;
        }
      }
    }
  }
}
