// Layers of convolutions, image by image: an image gets the zeros around it that its taps want, and `correlate.c` does the rest.
#include "convolution.h"

// The image with zeros around it, in memory of its own; itself where it needs none.
static const float *bordered(
    float *scratch, const float *image, long height, long width, long depth, long top, long left, long all_height, long all_width) {
  if (top == 0 && left == 0 && all_height == height && all_width == width) return image;
  memset(scratch, 0, (size_t)(all_height * all_width * depth) * sizeof(float));
  // Rows and columns that no tap reaches are left out.
  long rows = min_of(height, all_height - top), columns = min_of(width, all_width - left);
  for (long r = 0; r < rows; r++)
    memcpy(scratch + ((top + r) * all_width + left) * depth, image + r * width * depth, (size_t)(columns * depth) * sizeof(float));
  return scratch;
}

void fount_convolution_extents(const fount_convolution *layer, long *height, long *width) {
  long last_y = 0, last_x = 0;
  for (long t = 0; t < layer->taps; t++) {
    last_y = max_of(last_y, layer->tap_y[t]);
    last_x = max_of(last_x, layer->tap_x[t]);
  }
  *height = max_of(layer->top + 1, (layer->y_height - 1) * layer->stride + last_y + 1);
  *width = max_of(layer->left + 1, (layer->y_width - 1) * layer->stride + last_x + 1);
}

static void runs_of(fount_runs *all, const fount_convolution *layer, long source_row) {
  all->count = 0;
  for (long t = 0; t < layer->taps; t++)
    add_run(all, layer->tap_y[t] * source_row + layer->tap_x[t] * layer->channels, layer->channels);
}

CLONES void fount_convolution_pack(const fount_convolution *layer, float *packed, long panel) {
  const long depth = layer->taps * layer->channels, filters = layer->filters, first = panel * fount_panel;
  const long width = min_of(fount_panel, filters - first);
  float *to = packed + panel * depth * fount_panel;
  for (long k = 0; k < depth; k++) {
    for (long j = 0; j < fount_panel; j++) to[k * fount_panel + j] = j < width ? layer->w[k * filters + first + j] : 0.0f;
  }
}

void fount_convolve(const fount_convolution *layer, const float *packed, const float *source, long source_row, fount_grid *over) {
  fount_runs inputs;
  runs_of(&inputs, layer, source_row);
  over->rows = layer->y_height, over->columns = layer->y_width;
  over->source = source, over->source_row = layer->stride * source_row, over->source_step = layer->stride * layer->channels;
  fount_correlate(over, &inputs, packed, layer->taps * layer->channels, layer->filters);
}

static int is_fused(int activation) { return activation <= fount_relu || activation == fount_leaky_relu; }

void fount_convolution_forward(const fount_convolution *layer, const float *packed, long image) {
  const long channels = layer->channels, filters = layer->filters, pixels = layer->y_height * layer->y_width;
  long height, width;
  fount_convolution_extents(layer, &height, &width);
  const float *x = bordered(
      fount_scratch(fount_scratch_image, height * width * channels), layer->x + image * layer->height * layer->width * channels,
      layer->height, layer->width, channels, layer->top, layer->left, height, width);
  float *y = layer->y + image * pixels * filters;
  fount_grid over = {.result = {y, layer->y_width * filters, filters}, .adds = layer->y_adds, .bias = layer->bias};
  over.activation = is_fused(layer->activation) ? layer->activation : fount_identity;
  fount_convolve(layer, packed, x, width * channels, &over);
  if (!is_fused(layer->activation)) fount_finish_columns(y, y, pixels, filters, NULL, 0, filters, layer->activation);
}

// MARK: The data's gradient. With a stride, the pixels of dx whose places leave the same remainders see the same taps: each such class is a
// convolution of dy without stride.

// The pixels of one remainder, along one axis: the first, how many, and which element of dy the first pixel's tap `remainder` is for.
typedef struct {
  long start, count, from;
} remainder_class;

static remainder_class class_of(long remainder, long length, long before, long stride) {
  remainder_class all;
  all.start = (remainder - before % stride + stride) % stride;
  all.count = length > all.start ? (length - all.start + stride - 1) / stride : 0;
  all.from = (all.start + before - remainder) / stride;
  return all;
}

// How many zeros dy needs before and behind it along one axis.
static void borders_of(
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

fount_borders fount_convolution_borders(const fount_convolution *layer) {
  fount_borders all;
  borders_of(layer->height, layer->top, layer->stride, layer->y_height, layer->taps, layer->tap_y, &all.top, &all.bottom);
  borders_of(layer->width, layer->left, layer->stride, layer->y_width, layer->taps, layer->tap_x, &all.left, &all.right);
  return all;
}

// Few channels would leave most of a panel empty: then dy is multiplied by the weights of all taps at once, and the products are added to
// the pixels that they are for.
enum { few_channels = 4, band_pixels = 96 };

static int has_few_channels(const fount_convolution *layer) { return layer->channels <= few_channels; }

long fount_convolution_transposed_panels(const fount_convolution *layer) {
  return panels_of(has_few_channels(layer) ? layer->taps * layer->channels : layer->channels);
}

CLONES void fount_convolution_pack_back(const fount_convolution *layer, float *packed, long panel) {
  const long channels = layer->channels, filters = layer->filters, first = panel * fount_panel, stride = layer->stride;
  const long width = min_of(fount_panel, channels - first);
  // Class by class, and panel by panel within one; the later tap comes first, which is where dy's memory begins.
  float *to = packed;
  for (long remainder = 0; remainder < stride * stride; remainder++) {
    long depth = 0;
    for (long t = 0; t < layer->taps; t++)
      depth += layer->tap_y[t] % stride == remainder / stride && layer->tap_x[t] % stride == remainder % stride ? filters : 0;
    float *at = to + panel * depth * fount_panel;
    for (long t = layer->taps - 1; t >= 0; t--) {
      if (layer->tap_y[t] % stride != remainder / stride || layer->tap_x[t] % stride != remainder % stride) continue;
      for (long f = 0; f < filters; f++) {
        for (long j = 0; j < fount_panel; j++) at[j] = j < width ? layer->w[(t * channels + first + j) * filters + f] : 0.0f;
        at += fount_panel;
      }
    }
    to += panels_of(channels) * depth * fount_panel;
  }
}

CLONES void fount_convolution_pack_transposed(const fount_convolution *layer, float *packed, long panel) {
  const long channels = layer->channels, filters = layer->filters, first = panel * fount_panel;
  if (!has_few_channels(layer)) {
    fount_convolution_pack_back(layer, packed, panel);
    return;
  }
  const long columns = min_of(fount_panel, layer->taps * channels - first);
  for (long f = 0; f < filters; f++) {
    for (long j = 0; j < fount_panel; j++)
      packed[(panel * filters + f) * fount_panel + j] = j < columns ? layer->w[(first + j) * filters + f] : 0.0f;
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

CLONES static void data_gradient_of_few(const fount_convolution *layer, const float *packed, long image) {
  const long channels = layer->channels, filters = layer->filters, columns = layer->y_width;
  const long count = layer->height * layer->width * channels;
  const long panels = panels_of(layer->taps * channels), width = panels * fount_panel;
  const long band_rows = max_of(1, band_pixels / columns);
  float *dx = layer->dx + image * count, *products = fount_scratch(fount_scratch_image, band_rows * columns * width);
  if (!layer->dx_adds) memset(dx, 0, (size_t)count * sizeof(float));
  fount_runs all;
  all.count = 0;
  add_run(&all, 0, filters);
  for (long y = 0; y < layer->y_height; y += band_rows) {
    long rows = min_of(band_rows, layer->y_height - y);
    fount_grid over = {rows, columns, layer->dy + (image * layer->y_height + y) * columns * filters, columns * filters, filters};
    over.result = (fount_pixels){products, columns * width, width};
    fount_correlate(&over, &all, packed, filters, width);
    for (long p = 0; p < rows * columns; p++) add_products(layer, dx, products + p * width, y + p / columns, p % columns);
  }
  if (layer->bias) {
    for (long i = 0; i < count; i++) dx[i] += layer->bias[i % channels];
  }
  if (layer->activation != fount_identity) fount_finish_columns(dx, dx, 1, count, NULL, 0, count, layer->activation);
}

static fount_pixels every(const fount_pixels *all, long stride, long row, long column) {
  fount_pixels part = *all;
  if (part.first) part.first += row * all->row + column * all->step;
  part.row *= stride, part.step *= stride;
  return part;
}

void fount_convolve_back(const fount_convolution *layer, const float *packed, const float *dy, long dy_row, const fount_grid *over) {
  const long filters = layer->filters, stride = layer->stride;
  const fount_borders zeros = fount_convolution_borders(layer);
  for (long remainder = 0; remainder < stride * stride; remainder++) {
    long ry = remainder / stride, rx = remainder % stride, depth = 0;
    remainder_class rows = class_of(ry, layer->height, layer->top, stride), columns = class_of(rx, layer->width, layer->left, stride);
    fount_runs inputs;
    inputs.count = 0;
    for (long t = layer->taps - 1; t >= 0; t--) {
      if (layer->tap_y[t] % stride != ry || layer->tap_x[t] % stride != rx) continue;
      long row = rows.from - layer->tap_y[t] / stride + zeros.top, column = columns.from - layer->tap_x[t] / stride + zeros.left;
      add_run(&inputs, row * dy_row + column * filters, filters);
      depth += filters;
    }
    fount_grid part = *over;
    part.rows = rows.count, part.columns = columns.count;
    part.source = dy, part.source_row = dy_row, part.source_step = filters;
    part.result = every(&over->result, stride, rows.start, columns.start);
    part.slopes = every(&over->slopes, stride, rows.start, columns.start);
    part.stream = every(&over->stream, stride, rows.start, columns.start);
    if (rows.count > 0 && columns.count > 0) fount_correlate(&part, &inputs, packed, depth, layer->channels);
    packed += panels_of(layer->channels) * depth * fount_panel;
  }
}

void fount_convolution_data_gradient(const fount_convolution *layer, const float *packed, long image) {
  if (has_few_channels(layer)) {
    data_gradient_of_few(layer, packed, image);
    return;
  }
  const long channels = layer->channels, filters = layer->filters;
  const fount_borders zeros = fount_convolution_borders(layer);
  const long height = zeros.top + layer->y_height + zeros.bottom, width = zeros.left + layer->y_width + zeros.right;
  const float *dy = bordered(
      fount_scratch(fount_scratch_image, height * width * filters), layer->dy + image * layer->y_height * layer->y_width * filters,
      layer->y_height, layer->y_width, filters, zeros.top, zeros.left, height, width);
  float *dx = layer->dx + image * layer->height * layer->width * channels;
  fount_grid over = {.result = {dx, layer->width * channels, channels}, .adds = layer->dx_adds, .bias = layer->bias};
  over.activation = is_fused(layer->activation) ? layer->activation : fount_identity;
  fount_convolve_back(layer, packed, dy, width * filters, &over);
  if (!is_fused(layer->activation))
    fount_finish_columns(dx, dx, layer->height * layer->width, channels, NULL, 0, channels, layer->activation);
}

// MARK: The weights' gradient

void fount_convolve_weights(
    const fount_convolution *layer, const float *source, long source_row, fount_pixels dy, float *band, float *sums) {
  fount_runs inputs;
  runs_of(&inputs, layer, source_row);
  const fount_pixels x = {(float *)source, layer->stride * source_row, layer->stride * layer->channels};
  fount_correlate_weights(
      layer->y_height, layer->y_width, x, dy, &inputs, layer->taps * layer->channels, layer->filters, band, sums);
}

void fount_convolution_weight_gradient(const fount_convolution *layer, float *partial, long block, long blocks) {
  const long channels = layer->channels, filters = layer->filters, depth = layer->taps * channels;
  long height, width;
  fount_convolution_extents(layer, &height, &width);
  const long band_count = fount_convolution_band(layer), count = panels_of(filters) * (depth + 1) * fount_panel;
  float *band = fount_scratch(fount_scratch_image, height * width * channels + band_count), *image_scratch = band + band_count;
  float *sums = partial + block * count;
  memset(sums, 0, (size_t)count * sizeof(float));
  for (long image = block * layer->images / blocks; image < (block + 1) * layer->images / blocks; image++) {
    const float *x = bordered(
        image_scratch, layer->x + image * layer->height * layer->width * channels, layer->height, layer->width, channels, layer->top,
        layer->left, height, width);
    const float *dy = layer->dy + image * layer->y_height * layer->y_width * filters;
    fount_convolve_weights(layer, x, width * channels, (fount_pixels){(float *)dy, layer->y_width * filters, filters}, band, sums);
  }
}

CLONES void fount_convolution_sum_blocks(const fount_convolution *layer, const float *partial, long stride, long panel, long blocks) {
  const long filters = layer->filters, depth = layer->taps * layer->channels, first = panel * fount_panel;
  const long width = min_of(fount_panel, filters - first);
  for (long k = 0; k <= depth; k++) {
    float *to = k < depth ? layer->dw : layer->dbias;
    if (!to) continue;
    to += (k < depth ? k * filters : 0) + first;
    floats sum = 0.0f;
    for (long block = 0; block < blocks; block++)
      sum += *(const floats *)(partial + block * stride + (panel * (depth + 1) + k) * fount_panel);
    if (k < depth ? layer->dw_adds : layer->dbias_adds) {
      floats there = 0.0f;
      memcpy(&there, to, (size_t)width * sizeof(float));
      sum += there;
    }
    memcpy(to, &sum, (size_t)width * sizeof(float));
  }
}
