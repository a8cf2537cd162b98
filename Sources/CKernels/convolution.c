// Convolutions as products that are never written out: in [height, width, channels] the taps of one row are contiguous, so a result's
// inputs are a few runs of memory, the same for every pixel but for where they begin. A mask's dead taps are in no run.
//
// A panel is 16 columns of the result, its weights packed into rows of 16; tiles of 6 pixels by 16 columns are summed in registers. Each
// element is one chain of fused multiply-adds over taps and channels in a fixed order, wherever its pixel falls into a tile.
#include "functions.h"

enum { tile_pixels = 6, stretch = 256, band_pixels = 96 };

INLINE long min_of(long a, long b) { return a < b ? a : b; }
INLINE long max_of(long a, long b) { return a > b ? a : b; }

// Where a result's inputs lie, from where its first tap's would.
typedef struct {
  int count;
  long offset[fount_taps_max], length[fount_taps_max];
} runs;

// Results [rows, columns] and where their inputs begin, all in floats.
typedef struct {
  long rows, columns;
  const float *source;
  long source_row, source_step;
  float *result;
  long result_row, result_step;
} grid;

INLINE void add_run(runs *all, long offset, long length) {
  int last = all->count - 1;
  if (last >= 0 && all->offset[last] + all->length[last] == offset) {
    all->length[last] += length;
  } else {
    all->offset[all->count] = offset;
    all->length[all->count] = length;
    all->count++;
  }
}

// The part of `all` from its float `from` on, `count` long.
INLINE void cut(runs *part, const runs *all, long from, long count) {
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
}

// What is done to a sum once it is complete.
typedef struct {
  floats bias;
  int rectifies;
} finish;

INLINE void tile(
    const int count, const float *const *pixel, const runs *inputs, const float *panel, float *const *result, int adds, const finish *end) {
  floats sum[tile_pixels];
#pragma clang loop unroll(full)
  for (int r = 0; r < count; r++) sum[r] = adds ? *(const floats_anywhere *)result[r] : (floats)0.0f;
#pragma clang loop unroll(disable)
  for (int i = 0; i < inputs->count; i++) {
    const float *at[tile_pixels];
    long length = inputs->length[i];
#pragma clang loop unroll(full)
    for (int r = 0; r < count; r++) at[r] = pixel[r] + inputs->offset[i];
#pragma clang loop unroll(disable)
    for (long k = 0; k < length; k++) {
      floats b = *(const floats *)(panel + k * fount_panel);
#pragma clang loop unroll(full)
      for (int r = 0; r < count; r++) sum[r] = (floats)at[r][k] * b + sum[r];
    }
    panel += length * fount_panel;
  }
  if (end) {
    floats bias = end->bias;
#pragma clang loop unroll(full)
    for (int r = 0; r < count; r++) {
      sum[r] = sum[r] + bias;
      if (end->rectifies) sum[r] = sum[r] > 0.0f ? sum[r] : (floats)0.0f;
    }
  }
#pragma clang loop unroll(full)
  for (int r = 0; r < count; r++) *(floats_anywhere *)result[r] = sum[r];
}

INLINE void tile_of(
    long count, const float *const *pixel, const runs *inputs, const float *panel, float *const *result, int adds, const finish *end) {
  switch (count) {
    case 6: tile(6, pixel, inputs, panel, result, adds, end); break;
    case 5: tile(5, pixel, inputs, panel, result, adds, end); break;
    case 4: tile(4, pixel, inputs, panel, result, adds, end); break;
    case 3: tile(3, pixel, inputs, panel, result, adds, end); break;
    case 2: tile(2, pixel, inputs, panel, result, adds, end); break;
    case 1: tile(1, pixel, inputs, panel, result, adds, end); break;
  }
}

// One panel of all results of a grid. `end` is NULL where a sum is not finished by it.
INLINE void correlate(const grid *over, const runs *all, const float *packed, long depth, long width, int adds, const finish *end) {
  const long pixels = over->rows * over->columns;
  for (long from = 0; from < depth || from == 0; from += stretch) {
    runs part;
    long count = min_of(stretch, depth - from);
    cut(&part, all, from, count);
    const finish *last = from + stretch >= depth ? end : NULL;
    long row = 0, column = 0;
    for (long p = 0; p < pixels; p += tile_pixels) {
      _Alignas(64) float wide[tile_pixels * fount_panel] = {0};
      const float *source[tile_pixels];
      float *result[tile_pixels], *narrow[tile_pixels];
      long tile_count = min_of(tile_pixels, pixels - p);
      for (long r = 0; r < tile_count; r++) {
        source[r] = over->source + row * over->source_row + column * over->source_step;
        result[r] = over->result + row * over->result_row + column * over->result_step;
        narrow[r] = wide + r * fount_panel;
        if (++column == over->columns) column = 0, row++;
      }
      if (width == fount_panel) {
        tile_of(tile_count, source, &part, packed + from * fount_panel, result, adds, last);
      } else {
        if (adds)
          for (long r = 0; r < tile_count; r++) memcpy(narrow[r], result[r], (size_t)width * sizeof(float));
        tile_of(tile_count, source, &part, packed + from * fount_panel, narrow, adds, last);
        for (long r = 0; r < tile_count; r++) memcpy(result[r], narrow[r], (size_t)width * sizeof(float));
      }
    }
    adds = 1;
  }
}

// An image with zeros around it; itself where it needs none.
INLINE const float *bordered(
    float *scratch, const float *image, long height, long width, long depth, long top, long left, long all_height, long all_width) {
  if (top == 0 && left == 0 && all_height == height && all_width == width) return image;
  memset(scratch, 0, (size_t)(all_height * all_width * depth) * sizeof(float));
  // Rows and columns that no tap reaches are left out.
  long rows = min_of(height, all_height - top), columns = min_of(width, all_width - left);
  for (long r = 0; r < rows; r++)
    memcpy(scratch + ((top + r) * all_width + left) * depth, image + r * width * depth, (size_t)(columns * depth) * sizeof(float));
  return scratch;
}

// The image's extents with zeros around it, as far as taps reach.
INLINE void extents_of(const fount_convolution *layer, long *height, long *width) {
  long last_y = 0, last_x = 0;
  for (long t = 0; t < layer->taps; t++) {
    last_y = max_of(last_y, layer->tap_y[t]);
    last_x = max_of(last_x, layer->tap_x[t]);
  }
  *height = max_of(layer->top + 1, (layer->y_height - 1) * layer->stride + last_y + 1);
  *width = max_of(layer->left + 1, (layer->y_width - 1) * layer->stride + last_x + 1);
}

INLINE void set_finish(finish *end, const fount_convolution *layer, long first, long width) {
  end->bias = 0.0f;
  if (layer->bias) memcpy(&end->bias, layer->bias + first, (size_t)width * sizeof(float));
  end->rectifies = layer->activation == fount_relu;
}

CLONES void fount_convolution_pack(const fount_convolution *layer, float *packed, long panel) {
  const long depth = layer->taps * layer->channels, filters = layer->filters, first = panel * fount_panel;
  const long width = min_of(fount_panel, filters - first);
  float *to = packed + panel * depth * fount_panel;
  for (long k = 0; k < depth; k++) {
    for (long j = 0; j < fount_panel; j++) to[k * fount_panel + j] = j < width ? layer->w[k * filters + first + j] : 0.0f;
  }
}

CLONES void fount_convolution_forward(const fount_convolution *layer, const float *packed, long image) {
  const long channels = layer->channels, filters = layer->filters, depth = layer->taps * channels;
  const long pixels = layer->y_height * layer->y_width;
  long height, width;
  extents_of(layer, &height, &width);
  const float *x = bordered(
      fount_scratch(fount_scratch_image, height * width * channels), layer->x + image * layer->height * layer->width * channels,
      layer->height, layer->width, channels, layer->top, layer->left, height, width);
  runs all;
  all.count = 0;
  for (long t = 0; t < layer->taps; t++) add_run(&all, (layer->tap_y[t] * width + layer->tap_x[t]) * channels, channels);
  float *y = layer->y + image * pixels * filters;
  grid over = {layer->y_height, layer->y_width, x, layer->stride * width * channels, layer->stride * channels, NULL,
      layer->y_width * filters, filters};
  for (long first = 0; first < filters; first += fount_panel) {
    finish end;
    long columns = min_of(fount_panel, filters - first);
    set_finish(&end, layer, first, columns);
    over.result = y + first;
    correlate(&over, &all, packed + first * depth, depth, columns, layer->y_adds, &end);
  }
  if (layer->activation > fount_relu)
    fount_finish_columns(y, y, pixels, filters, NULL, 0, filters, layer->activation);
}

// MARK: The data's gradient. With a stride, the pixels of dx whose places leave the same remainders see the same taps: each such class is a
// convolution of dy without stride.

// The pixels of one remainder, along one axis: the first, how many, and which element of dy the first pixel's tap `remainder` is for.
typedef struct {
  long start, count, from;
} remainder_class;

INLINE remainder_class class_of(long remainder, long length, long before, long stride) {
  remainder_class all;
  all.start = (remainder - before % stride + stride) % stride;
  all.count = length > all.start ? (length - all.start + stride - 1) / stride : 0;
  all.from = (all.start + before - remainder) / stride;
  return all;
}

// How many zeros dy needs before and behind it along one axis.
INLINE void borders_of(
    long length, long before, long stride, long dy_length, long taps, const int32_t *tap, long *needs_before, long *needs_behind) {
  *needs_before = 0, *needs_behind = 0;
  for (long t = 0; t < taps; t++) {
    remainder_class all = class_of(tap[t] % stride, length, before, stride);
    if (all.count == 0) continue;
    long first = all.from - tap[t] / stride;
    *needs_before = max_of(*needs_before, -first);
    *needs_behind = max_of(*needs_behind, first + all.count - dy_length);
  }
}

// Few channels would leave most of a panel empty: then dy is multiplied by the weights of all taps at once, and the products are added to
// the pixels that they are for.
enum { few_channels = 4 };

INLINE long panels_of(long columns) { return (columns + fount_panel - 1) / fount_panel; }

long fount_convolution_transposed_panels(const fount_convolution *layer) {
  return panels_of(layer->channels <= few_channels ? layer->taps * layer->channels : layer->channels);
}

CLONES void fount_convolution_pack_transposed(const fount_convolution *layer, float *packed, long panel) {
  const long channels = layer->channels, filters = layer->filters, first = panel * fount_panel, stride = layer->stride;
  if (channels <= few_channels) {
    const long columns = min_of(fount_panel, layer->taps * channels - first);
    for (long f = 0; f < filters; f++) {
      for (long j = 0; j < fount_panel; j++)
        packed[(panel * filters + f) * fount_panel + j] = j < columns ? layer->w[(first + j) * filters + f] : 0.0f;
    }
    return;
  }
  const long width = min_of(fount_panel, channels - first);
  float *to = packed + panel * layer->taps * filters * fount_panel;
  // Class by class; within one the later tap comes first, which is where dy's memory begins.
  for (long remainder = 0; remainder < stride * stride; remainder++) {
    for (long t = layer->taps - 1; t >= 0; t--) {
      if (layer->tap_y[t] % stride != remainder / stride || layer->tap_x[t] % stride != remainder % stride) continue;
      for (long f = 0; f < filters; f++) {
        for (long j = 0; j < fount_panel; j++) to[j] = j < width ? layer->w[(t * channels + first + j) * filters + f] : 0.0f;
        to += fount_panel;
      }
    }
  }
}

// The products of one pixel of dy, [taps, channels], to where they belong.
INLINE void add_products(const fount_convolution *layer, float *dx, const float *product, long y, long x) {
  const long channels = layer->channels, top = y * layer->stride - layer->top, left = x * layer->stride - layer->left;
  for (long t = 0; t < layer->taps; t++) {
    long row = top + layer->tap_y[t], column = left + layer->tap_x[t];
    if (row < 0 || row >= layer->height || column < 0 || column >= layer->width) continue;
    float *to = dx + (row * layer->width + column) * channels;
    for (long c = 0; c < channels; c++) to[c] += product[t * channels + c];
  }
}

INLINE void data_gradient_of_few(const fount_convolution *layer, const float *packed, long image) {
  const long channels = layer->channels, filters = layer->filters, columns = layer->y_width;
  const long count = layer->height * layer->width * channels;
  const long panels = panels_of(layer->taps * channels), width = panels * fount_panel;
  const long band_rows = max_of(1, band_pixels / columns);
  float *dx = layer->dx + image * count, *products = fount_scratch(fount_scratch_image, band_rows * columns * width);
  if (!layer->dx_adds) memset(dx, 0, (size_t)count * sizeof(float));
  runs all;
  all.count = 0;
  add_run(&all, 0, filters);
  for (long y = 0; y < layer->y_height; y += band_rows) {
    long rows = min_of(band_rows, layer->y_height - y);
    const float *dy = layer->dy + (image * layer->y_height + y) * columns * filters;
    grid over = {rows, columns, dy, columns * filters, filters, NULL, columns * width, width};
    for (long panel = 0; panel < panels; panel++) {
      over.result = products + panel * fount_panel;
      correlate(&over, &all, packed + panel * filters * fount_panel, filters, fount_panel, 0, NULL);
    }
    for (long p = 0; p < rows * columns; p++) add_products(layer, dx, products + p * width, y + p / columns, p % columns);
  }
  if (layer->bias) {
    for (long i = 0; i < count; i++) dx[i] += layer->bias[i % channels];
  }
  if (layer->activation != fount_identity) fount_finish_columns(dx, dx, 1, count, NULL, 0, count, layer->activation);
}

CLONES void fount_convolution_data_gradient(const fount_convolution *layer, const float *packed, long image) {
  if (layer->channels <= few_channels) {
    data_gradient_of_few(layer, packed, image);
    return;
  }
  const long channels = layer->channels, filters = layer->filters, stride = layer->stride, panel_depth = layer->taps * filters;
  long top, bottom, left, right;
  borders_of(layer->height, layer->top, stride, layer->y_height, layer->taps, layer->tap_y, &top, &bottom);
  borders_of(layer->width, layer->left, stride, layer->y_width, layer->taps, layer->tap_x, &left, &right);
  const long height = top + layer->y_height + bottom, width = left + layer->y_width + right;
  const float *dy = bordered(
      fount_scratch(fount_scratch_image, height * width * filters), layer->dy + image * layer->y_height * layer->y_width * filters,
      layer->y_height, layer->y_width, filters, top, left, height, width);
  float *dx = layer->dx + image * layer->height * layer->width * channels;
  long before = 0;
  for (long remainder = 0; remainder < stride * stride; remainder++) {
    long ry = remainder / stride, rx = remainder % stride, depth = 0;
    remainder_class rows = class_of(ry, layer->height, layer->top, stride), columns = class_of(rx, layer->width, layer->left, stride);
    runs all;
    all.count = 0;
    for (long t = layer->taps - 1; t >= 0; t--) {
      if (layer->tap_y[t] % stride != ry || layer->tap_x[t] % stride != rx) continue;
      long row = rows.from - layer->tap_y[t] / stride + top, column = columns.from - layer->tap_x[t] / stride + left;
      add_run(&all, (row * width + column) * filters, filters);
      depth += filters;
    }
    grid over = {rows.count, columns.count, dy, width * filters, filters, NULL, stride * layer->width * channels, stride * channels};
    for (long first = 0; first < channels; first += fount_panel) {
      long panel_width = min_of(fount_panel, channels - first);
      finish end;
      set_finish(&end, layer, first, panel_width);
      over.result = dx + (rows.start * layer->width + columns.start) * channels + first;
      correlate(&over, &all, packed + first * panel_depth + before * fount_panel, depth, panel_width, layer->dx_adds, &end);
    }
    before += depth;
  }
  if (layer->activation > fount_relu)
    fount_finish_columns(dx, dx, layer->height * layer->width, channels, NULL, 0, channels, layer->activation);
}

// MARK: The weights' gradient

// sum[r] += Σ_pixel x[pixel + row[r]] · dy[pixel], over a band of whole rows of y.
INLINE void weight_tile(
    const int count, const float *const *row, long rows, long columns, long source_row, long source_step, const float *dy, float *sums) {
  floats sum[tile_pixels];
#pragma clang loop unroll(full)
  for (int r = 0; r < count; r++) sum[r] = *(const floats *)(sums + r * fount_panel);
#pragma clang loop unroll(disable)
  for (long y = 0; y < rows; y++) {
    const float *at[tile_pixels];
#pragma clang loop unroll(full)
    for (int r = 0; r < count; r++) at[r] = row[r] + y * source_row;
    long place = 0;
#pragma clang loop unroll(disable)
    for (long c = 0; c < columns; c++) {
      floats b = *(const floats *)dy;
#pragma clang loop unroll(full)
      for (int r = 0; r < count; r++) sum[r] = (floats)at[r][place] * b + sum[r];
      dy += fount_panel;
      place += source_step;
    }
  }
#pragma clang loop unroll(full)
  for (int r = 0; r < count; r++) *(floats *)(sums + r * fount_panel) = sum[r];
}

CLONES void fount_convolution_weight_gradient(const fount_convolution *layer, float *partial, long block, long blocks) {
  const long channels = layer->channels, filters = layer->filters, depth = layer->taps * channels;
  const long panels = (filters + fount_panel - 1) / fount_panel, columns = layer->y_width;
  const long band_rows = max_of(1, band_pixels / max_of(columns, 1));
  long height, width;
  extents_of(layer, &height, &width);
  const long source_row = layer->stride * width * channels, source_step = layer->stride * channels;
  float *scratch = fount_scratch(fount_scratch_image, height * width * channels + (band_rows * columns + 1) * fount_panel);
  // dy's band first: it is read in whole vectors.
  float *band = scratch, *image_scratch = scratch + band_rows * columns * fount_panel;
  float *sums = partial + block * panels * (depth + 1) * fount_panel;
  memset(sums, 0, (size_t)(panels * (depth + 1) * fount_panel) * sizeof(float));
  for (long image = block * layer->images / blocks; image < (block + 1) * layer->images / blocks; image++) {
    const float *x = bordered(
        image_scratch, layer->x + image * layer->height * layer->width * channels, layer->height, layer->width, channels, layer->top,
        layer->left, height, width);
    for (long y = 0; y < layer->y_height; y += band_rows) {
      long rows = min_of(band_rows, layer->y_height - y);
      for (long panel = 0; panel < panels; panel++) {
        long first = panel * fount_panel, panel_width = min_of(fount_panel, filters - first);
        const float *dy = layer->dy + ((image * layer->y_height + y) * columns) * filters + first;
        float *panel_sums = sums + panel * (depth + 1) * fount_panel;
        floats bias = *(floats *)(panel_sums + depth * fount_panel);
        for (long p = 0; p < rows * columns; p++) {
          floats wide = 0.0f;
          if (panel_width == fount_panel) {
            wide = *(const floats_anywhere *)(dy + p * filters);
          } else {
            memcpy(&wide, dy + p * filters, (size_t)panel_width * sizeof(float));
          }
          *(floats *)(band + p * fount_panel) = wide;
          bias += wide;
        }
        *(floats *)(panel_sums + depth * fount_panel) = bias;
        const float *start = x + y * source_row;
        long tap = 0, channel = 0;
        for (long k = 0; k < depth; k += tile_pixels) {
          const float *row[tile_pixels];
          long count = min_of(tile_pixels, depth - k);
          for (long r = 0; r < count; r++) {
            row[r] = start + (layer->tap_y[tap] * width + layer->tap_x[tap]) * channels + channel;
            if (++channel == channels) channel = 0, tap++;
          }
          float *at = panel_sums + k * fount_panel;
          switch (count) {
            case 6: weight_tile(6, row, rows, columns, source_row, source_step, band, at); break;
            case 5: weight_tile(5, row, rows, columns, source_row, source_step, band, at); break;
            case 4: weight_tile(4, row, rows, columns, source_row, source_step, band, at); break;
            case 3: weight_tile(3, row, rows, columns, source_row, source_step, band, at); break;
            case 2: weight_tile(2, row, rows, columns, source_row, source_step, band, at); break;
            case 1: weight_tile(1, row, rows, columns, source_row, source_step, band, at); break;
          }
        }
      }
    }
  }
}

CLONES void fount_convolution_sum_blocks(const fount_convolution *layer, const float *partial, long panel, long blocks) {
  const long filters = layer->filters, depth = layer->taps * layer->channels, first = panel * fount_panel;
  const long panels = (filters + fount_panel - 1) / fount_panel, width = min_of(fount_panel, filters - first);
  for (long k = 0; k <= depth; k++) {
    float *to = k < depth ? layer->dw : layer->dbias;
    if (!to) continue;
    to += (k < depth ? k * filters : 0) + first;
    floats sum = 0.0f;
    for (long block = 0; block < blocks; block++)
      sum += *(const floats *)(partial + ((block * panels + panel) * (depth + 1) + k) * fount_panel);
    if (k < depth ? layer->dw_adds : layer->dbias_adds) {
      floats there = 0.0f;
      memcpy(&there, to, (size_t)width * sizeof(float));
      sum += there;
    }
    memcpy(to, &sum, (size_t)width * sizeof(float));
  }
}
