// Prints the kernel set that it runs, then the results of every kernel on small inputs, one line each: the kernel's name, then the
// numbers in hexadecimal, floats of 8 digits and doubles of 16. KernelBitsTests builds this together with the kernels for several
// processors and compares what is printed.
//
// Shapes are such that tiles, panels and lanes all have their tails: multiples of nothing, above 16 and above 6.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "CKernels.h"

// The inputs are the same on every processor.
#pragma STDC FP_CONTRACT OFF

static void floats_of(const char *name, const float *x, long count) {
  printf("%s", name);
  for (long i = 0; i < count; i++) {
    uint32_t bits;
    memcpy(&bits, x + i, sizeof bits);
    // Processors differ in the sign and the payload of a NaN, which mean nothing.
    printf(" %08x", x[i] != x[i] ? 0x7FC00000u : bits);
  }
  printf("\n");
}

static void doubles_of(const char *name, const double *x, long count) {
  printf("%s", name);
  for (long i = 0; i < count; i++) {
    uint64_t bits;
    memcpy(&bits, x + i, sizeof bits);
    printf(" %016llx", (unsigned long long)(x[i] != x[i] ? 0x7FF8000000000000u : bits));
  }
  printf("\n");
}

// Numbers between `from` and `to` that depend on `index` alone.
static float *numbers(long count, uint32_t index, float from, float to) {
  float *x = malloc(sizeof(float) * (size_t)count);
  fount_uniform(x, count, index, 0, 0, 7);
  for (long i = 0; i < count; i++) x[i] = from + (to - from) * x[i];
  return x;
}

// Room for results, filled with what no kernel gives, so that a hole shows.
static float *room(long count) {
  float *x = malloc(sizeof(float) * (size_t)count);
  for (long i = 0; i < count; i++) x[i] = -123.0f;
  return x;
}

static float *packed_room(long count) { return aligned_alloc(64, ((size_t)count * sizeof(float) + 63) / 64 * 64); }

static long panels(long columns) { return (columns + fount_panel - 1) / fount_panel; }

// MARK: Products

static void dense(const char *name, long batch, long inputs, long outputs, const int32_t *live, int activation) {
  float *y = room(batch * outputs), *dx = room(batch * inputs), *dw = room(inputs * outputs), *dbias = room(outputs);
  fount_dense layer = {
      .batch = batch, .inputs = inputs, .outputs = outputs, .live = live, .activation = activation,
      .x = numbers(batch * inputs, 1, -1, 1), .w = numbers(inputs * outputs, 2, -1, 1), .bias = numbers(outputs, 3, -1, 1),
      .dy = numbers(batch * outputs, 4, -1, 1), .y = y, .dx = dx, .dw = dw, .dbias = dbias};
  for (long panel = 0; panel < panels(outputs); panel++) fount_dense_forward(&layer, panel);
  for (long panel = 0; panel < panels(outputs); panel++) fount_dense_weight_gradient(&layer, panel);
  for (long panel = 0; panel < panels(inputs); panel++) fount_dense_data_gradient(&layer, panel);
  char line[100];
  snprintf(line, sizeof line, "fount_dense_forward %s", name), floats_of(line, y, batch * outputs);
  snprintf(line, sizeof line, "fount_dense_weight_gradient %s", name), floats_of(line, dw, inputs * outputs);
  snprintf(line, sizeof line, "fount_dense_bias_gradient %s", name), floats_of(line, dbias, outputs);
  snprintf(line, sizeof line, "fount_dense_data_gradient %s", name), floats_of(line, dx, batch * inputs);
}

static void products(void) {
  enum { inputs = 293, outputs = 37 };
  int32_t live[outputs];
  for (int c = 0; c < outputs; c++) live[c] = c * inputs / (outputs - 1);
  dense("identity", 11, inputs, outputs, NULL, fount_identity);
  dense("relu,staircase", 11, inputs, outputs, live, fount_relu);
  dense("sigmoid", 7, 19, 21, NULL, fount_sigmoid);
  dense("tanh", 1, 5, 3, NULL, fount_tanh);
  dense("leaky_relu", 6, 16, 16, NULL, fount_leaky_relu);

  float *y = numbers(5 * 37, 5, -1, 1);
  fount_add_scaled_row(y, 5, 37, numbers(10, 6, -1, 1), 2, numbers(37, 7, -1, 1), 3, 35);
  floats_of("fount_add_scaled_row", y, 5 * 37);
  float *finished = room(5 * 37);
  fount_finish_columns(finished, y, 5, 37, numbers(37, 8, -1, 1), 0, 37, fount_sigmoid);
  floats_of("fount_finish_columns", finished, 5 * 37);
}

static void sparse_products(int transposed) {
  enum { batch = 11, inputs = 293, outputs = 75 };
  const uint32_t examples[batch] = {5, 2, 9};
  float *x = numbers(batch * inputs, 1, -1, 1), *y = room(batch * outputs), *bits = room(batch * outputs), *dw = room(inputs * outputs);
  for (int i = 0; i < batch * inputs; i++) x[i] = x[i] > 0 ? 1 : 0;
  uint64_t live[batch * ((inputs + 63) / 64)], live_columns[inputs];
  for (int r = 0; r < batch; r++) fount_live(live + r * ((inputs + 63) / 64), x + r * inputs, inputs, 1);
  for (int c = 0; c < inputs; c++) fount_live(live_columns + c, x + c, batch, inputs);
  fount_sparse layer = {
      .batch = batch, .inputs = inputs, .outputs = outputs, .x = x, .w = numbers(inputs * outputs, 2, -0.2f, 0.2f),
      .transposed = transposed, .bias = numbers(outputs, 3, -1, 1), .y = y, .activation = fount_sigmoid, .bits = bits,
      .examples = examples, .step = 2, .stream = 4, .seed = 7, .dy = numbers(batch * outputs, 4, -1, 1), .dw = dw, .scale = 0.1f,
      .live = live};
  for (long first = 0; first < outputs; first += fount_wide_panel) fount_sparse_forward(&layer, first / fount_wide_panel);
  floats_of("fount_sparse_forward", y, batch * outputs), floats_of("fount_sparse_forward drawn", bits, batch * outputs);
  layer.live = live_columns;
  for (long first = 0; first < outputs; first += fount_wide_panel) fount_sparse_weight_gradient(&layer, first / fount_wide_panel);
  floats_of("fount_sparse_weight_gradient", dw, inputs * outputs);
}

// MARK: Convolutions

static void convolution(
    const char *name, long kernel, long stride, long border, int causal, long channels, long filters, long height, long width) {
  int32_t tap_y[64], tap_x[64];
  long taps = 0, images = 3;
  for (long at = 0; at < kernel * kernel; at++) {
    if (causal && at > kernel * kernel / 2) break;
    tap_y[taps] = (int32_t)(at / kernel), tap_x[taps] = (int32_t)(at % kernel), taps++;
  }
  long y_height = (height + 2 * border - kernel) / stride + 1, y_width = (width + 2 * border - kernel) / stride + 1;
  long x_count = images * height * width * channels, y_count = images * y_height * y_width * filters;
  float *y = room(y_count), *dx = room(x_count), *dw = room(taps * channels * filters), *dbias = room(filters);
  fount_convolution layer = {
      .images = images, .height = height, .width = width, .channels = channels, .y_height = y_height, .y_width = y_width,
      .filters = filters, .stride = stride, .top = border, .left = border, .taps = taps, .tap_y = tap_y, .tap_x = tap_x,
      .x = numbers(x_count, 1, -1, 1), .w = numbers(taps * channels * filters, 2, -1, 1), .bias = numbers(filters, 3, -1, 1),
      .dy = numbers(y_count, 4, -1, 1), .y = y, .dx = dx, .dw = dw, .dbias = dbias, .activation = fount_relu};
  float *packed = packed_room(panels(filters) * taps * channels * fount_panel);
  for (long panel = 0; panel < panels(filters); panel++) fount_convolution_pack(&layer, packed, panel);
  for (long image = 0; image < images; image++) fount_convolution_forward(&layer, packed, image);

  float *turned = packed_room(panels(channels) * taps * filters * fount_panel);
  layer.bias = NULL, layer.activation = fount_identity;
  for (long panel = 0; panel < fount_convolution_transposed_panels(&layer); panel++)
    fount_convolution_pack_transposed(&layer, turned, panel);
  for (long image = 0; image < images; image++) fount_convolution_data_gradient(&layer, turned, image);

  long blocks = 2;
  float *partial = packed_room(blocks * panels(filters) * (taps * channels + 1) * fount_panel);
  for (long block = 0; block < blocks; block++) fount_convolution_weight_gradient(&layer, partial, block, blocks);
  long apart = panels(filters) * (taps * channels + 1) * fount_panel;
  for (long panel = 0; panel < panels(filters); panel++) fount_convolution_sum_blocks(&layer, partial, apart, panel, blocks);
  char line[100];
  snprintf(line, sizeof line, "fount_convolution_forward %s", name), floats_of(line, y, y_count);
  snprintf(line, sizeof line, "fount_convolution_data_gradient %s", name), floats_of(line, dx, x_count);
  snprintf(line, sizeof line, "fount_convolution_weight_gradient %s", name), floats_of(line, dw, taps * channels * filters);
  snprintf(line, sizeof line, "fount_convolution_bias_gradient %s", name), floats_of(line, dbias, filters);
}

static void pixel_by_pixel(void) {
  enum { images = 2, channels = 19, filters = 21, height = 3, width = 4, rows = 2, columns = width + 2 };
  const int32_t tap_y[] = {0, 0, 0, 1}, tap_x[] = {0, 1, 2, 0};
  float *kept = calloc(images * rows * columns * channels, sizeof(float)), *y = room(images * filters);
  fount_convolution whole = {.taps = 4, .channels = channels, .filters = filters, .w = numbers(4 * channels * filters, 2, -1, 1)};
  float *packed = packed_room(panels(filters) * 4 * channels * fount_panel);
  for (long panel = 0; panel < panels(filters); panel++) fount_convolution_pack(&whole, packed, panel);
  fount_pixelwise layer = {
      .images = images, .channels = channels, .filters = filters, .rows = rows, .columns = columns, .top = 1, .left = 1, .taps = 4,
      .tap_y = tap_y, .tap_x = tap_x, .kept = kept, .packed = packed, .bias = numbers(filters, 3, -1, 1), .activation = fount_tanh};
  for (int at = 0; at < height * width; at++) {
    fount_pixels_forward(&layer, y, at / width, at % width), floats_of("fount_pixels_forward", y, images * filters);
    fount_pixels_put(&layer, numbers(images * channels, (uint32_t)at, -1, 1), at / width, at % width);
  }
}

// Where the next `count` floats are; places are multiples of a cache line.
static long take(long *all, long count) {
  long at = *all;
  *all += (count + 15) / 16 * 16;
  return at;
}

// A causal 3x3 layer, a 1x1 layer, and a causal 3x3 layer that the first one's sums are added to.
static void stack(void) {
  enum { images = 3, height = 5, width = 6, count = 3, blocks = 2 };
  static const int32_t tap_y[] = {0, 0, 0, 1, 1}, tap_x[] = {0, 1, 2, 0, 1}, zero[] = {0};
  const long channels[] = {3, 20, 9, 20}, sizes[] = {3, 1, 3};
  fount_stacked layers[count] = {0};
  fount_borders borders[count];
  long kept = 0, gradients = 0, sums = 0, band = 0, y_count = images * height * width * 20;
  for (int i = 0; i < count; i++) {
    const long border = sizes[i] / 2, taps = sizes[i] == 3 ? 5 : 1, filters = channels[i + 1];
    fount_convolution layer = {
        .images = images, .height = height, .width = width, .channels = channels[i], .y_height = height, .y_width = width,
        .filters = filters, .stride = 1, .top = border, .left = border, .taps = taps, .tap_y = taps == 5 ? tap_y : zero,
        .tap_x = taps == 5 ? tap_x : zero, .w = numbers(taps * channels[i] * filters, 10u + (uint32_t)i, -0.3f, 0.3f),
        .activation = i < 2 ? fount_relu : fount_identity};
    float *packed = packed_room(panels(filters) * taps * channels[i] * fount_panel), *bias = packed_room(panels(filters) * fount_panel);
    float *back = packed_room(panels(channels[i]) * taps * filters * fount_panel);
    for (long panel = 0; panel < panels(filters); panel++) fount_convolution_pack(&layer, packed, panel);
    for (long panel = 0; panel < panels(channels[i]); panel++) fount_convolution_pack_back(&layer, back, panel);
    memset(bias, 0, sizeof(float) * (size_t)(panels(filters) * fount_panel));
    memcpy(bias, numbers(filters, 20u + (uint32_t)i, -0.3f, 0.3f), sizeof(float) * (size_t)filters);
    fount_stacked *one = layers + i;
    *one = (fount_stacked){.layer = layer, .packed = packed, .bias = bias, .packed_back = back};
    fount_convolution_extents(&layer, &one->source_height, &one->source_width);
    // The layer before writes its whole result.
    if (one->source_height < border + height) one->source_height = border + height;
    if (one->source_width < border + width) one->source_width = border + width;
    one->source_row = one->source_width * channels[i];
    one->source_at = take(&kept, one->source_height * one->source_row);
    if (i > 0) {
      layers[i - 1].result_at = one->source_at + border * one->source_row + border * channels[i];
      layers[i - 1].result_row = one->source_row;
    }
    one->sums_at = take(&sums, panels(filters) * (taps * channels[i] + 1) * fount_panel);
    borders[i] = fount_convolution_borders(&layer);
    if (fount_convolution_band(&layer) > band) band = fount_convolution_band(&layer);
  }
  // The first and the last share their sums, and so their gradient; their borders are the same.
  layers[0].stream_stays = 1, layers[2].stream_adds = 1;
  for (int i = 0; i < count; i++) {
    const long filters = channels[i + 1];
    fount_borders zeros = borders[i];
    layers[i].gradient_row = (zeros.left + width + zeros.right) * filters;
    layers[i].gradient_source_at =
        i == 2 ? layers[0].gradient_source_at : take(&gradients, (zeros.top + height + zeros.bottom) * layers[i].gradient_row);
    layers[i].gradient_at = layers[i].gradient_source_at + zeros.top * layers[i].gradient_row + zeros.left * filters;
  }
  float *y = room(y_count), *dx = room(images * height * width * 3), *shares = packed_room(blocks * sums);
  fount_stack all = {
      .layers = count, .images = images, .all = layers, .x = numbers(images * height * width * 3, 1, -1, 1), .y = y,
      .kept = calloc((size_t)(images * kept), sizeof(float)), .kept_count = kept, .streams_count = height * width * 20,
      .gradients_count = gradients, .band_count = band, .sums_count = sums, .dy = numbers(y_count, 2, -1, 1), .dx = dx, .sums = shares};
  for (long image = 0; image < images; image++) fount_stack_forward(&all, image);
  floats_of("fount_stack_forward", y, y_count);
  for (long block = 0; block < blocks; block++) fount_stack_backward(&all, block, blocks);
  floats_of("fount_stack_backward", dx, images * height * width * 3);
  for (int i = 0; i < count; i++) {
    fount_convolution layer = layers[i].layer;
    const long filters = channels[i + 1];
    layer.dw = room(layer.taps * channels[i] * filters), layer.dbias = room(filters);
    for (long panel = 0; panel < panels(filters); panel++)
      fount_convolution_sum_blocks(&layer, shares + layers[i].sums_at, sums, panel, blocks);
    floats_of("fount_stack_backward weights", layer.dw, layer.taps * channels[i] * filters);
    floats_of("fount_stack_backward bias", layer.dbias, filters);
  }
}

static void convolutions(void) {
  stack();
  pixel_by_pixel();
  convolution("7x7,causal", 7, 1, 3, 1, 1, 24, 9, 9);
  convolution("3x3,causal", 3, 1, 1, 1, 19, 21, 7, 8);
  convolution("1x1", 1, 1, 0, 0, 33, 17, 5, 5);
  convolution("4x4,strided", 4, 2, 1, 0, 16, 20, 8, 10);
  convolution("4x4,strided,few", 4, 2, 1, 0, 3, 20, 8, 8);
}

// MARK: Element by element

enum { many = 203 };

static void elements(void) {
  // What a function must bear: its whole range, both ends, and what is no number.
  float *x = numbers(many, 1, -12, 12), *positive = numbers(many, 2, 1e-3f, 9), *dy = numbers(many, 3, -1, 1);
  const float hard[] = {0, -0.0f, 1e-40f, -1e-40f, 88.8f, -103.9f, 1e30f, -1e30f, __builtin_inff(), -__builtin_inff(), __builtin_nanf("")};
  memcpy(x, hard, sizeof hard), memcpy(positive, hard, sizeof hard);
  static const char *names[] = {"exp", "log", "sigmoid", "softplus", "tanh"};
  for (int function = fount_map_exp; function <= fount_map_tanh; function++) {
    const float *from = function == fount_map_log ? positive : x;
    float *y = room(many), *dx = numbers(many, 4, -1, 1);
    char line[100];
    fount_map(y, from, many, function);
    snprintf(line, sizeof line, "fount_map %s", names[function]), floats_of(line, y, many);
    fount_map_gradient(dx, dy, from, y, many, function);
    snprintf(line, sizeof line, "fount_map_gradient %s", names[function]), floats_of(line, dx, many);
  }
  float *units = numbers(many, 5, 0.01f, 0.99f);
  for (int activation = fount_identity; activation <= fount_leaky_relu; activation++) {
    float *gradient = numbers(many, 6, -1, 1), *sum = numbers(many, 7, -1, 1);
    fount_activation_gradient(gradient, units, many, activation), floats_of("fount_activation_gradient", gradient, many);
    fount_add_activation_gradient(sum, dy, units, many, activation), floats_of("fount_add_activation_gradient", sum, many);
  }
  float *y = numbers(many, 8, -1, 1);
  fount_add(y, dy, many, 0.3f, 1), floats_of("fount_add", y, many);
  fount_multiply(y, dy, units, many, 1), floats_of("fount_multiply", y, many);
  fount_sum(y, dy, units, many), floats_of("fount_sum", y, many);
  const int32_t rows[] = {2, 0, 1}, columns[] = {4, 4, 1, 0};
  float *gathered = room(12), *scattered = numbers(15, 9, -1, 1);
  fount_gather(gathered, dy, 3, 4, 5, rows, columns), floats_of("fount_gather", gathered, 12);
  fount_scatter_add(scattered, dy, 3, 4, 5, rows, columns), floats_of("fount_scatter_add", scattered, 15);
}

static void norms(void) {
  enum { rows = 9, columns = 37 };
  float *x = numbers(rows * columns, 1, -2, 3), *dy = numbers(rows * columns, 2, -1, 1), *gain = numbers(columns, 3, 0.5f, 2);
  float *shift = numbers(columns, 4, -1, 1), *y = room(rows * columns), *dx = room(rows * columns);
  float *dgain = numbers(columns, 5, 0, 1), *dshift = numbers(columns, 6, 0, 1);
  fount_layer_norm(y, x, gain, shift, 1e-5f, rows, columns), floats_of("fount_layer_norm", y, rows * columns);
  fount_layer_norm_gradient(dx, dy, x, gain, 1e-5f, rows, columns, 0), floats_of("fount_layer_norm_gradient", dx, rows * columns);
  fount_layer_norm_sums(dgain, dshift, dy, x, 1e-5f, rows, columns), floats_of("fount_layer_norm_sums", dgain, columns);
  float *mean = room(columns), *inverse = numbers(columns, 7, 0.5f, 2);
  fount_sum_columns(mean, x, NULL, NULL, NULL, rows, columns), floats_of("fount_sum_columns", mean, columns);
  float *sums = room(columns);
  fount_sum_columns(sums, x, mean, NULL, NULL, rows, columns), floats_of("fount_sum_columns squares", sums, columns);
  fount_sum_columns(sums, x, mean, dy, inverse, rows, columns), floats_of("fount_sum_columns along", sums, columns);
  fount_normalize_columns(y, x, mean, gain, shift, rows, columns), floats_of("fount_normalize_columns", y, rows * columns);
  fount_batch_norm_gradient(dx, dy, x, mean, inverse, gain, shift, sums, rows, columns, 0);
  floats_of("fount_batch_norm_gradient", dx, rows * columns);
}

static void reductions(void) {
  enum { rows = 7, columns = 37, components = 5, sites = 23 };
  float *logits = numbers(rows * columns, 1, -9, 9), *x = numbers(rows * columns, 2, 0, 1), *dnats = numbers(rows, 3, 0.5f, 2);
  float *dlogits = room(rows * columns), classes[rows];
  double nats[rows];
  for (int r = 0; r < rows; r++) classes[r] = (float)(r * 6);
  fount_bernoulli_nats(nats, logits, x, rows, columns), doubles_of("fount_bernoulli_nats", nats, rows);
  fount_bernoulli_gradient(dlogits, logits, x, dnats, rows, columns, 0), floats_of("fount_bernoulli_gradient", dlogits, rows * columns);
  fount_softmax_nats(nats, logits, classes, rows, columns), doubles_of("fount_softmax_nats", nats, rows);
  fount_softmax_gradient(dlogits, logits, classes, dnats, rows, columns, 0);
  floats_of("fount_softmax_gradient", dlogits, rows * columns);
  long count = sites * 3 * components;
  float *parameters = numbers(count, 4, -3, 1), levels[sites], *dparameters = room(count);
  for (int s = 0; s < sites; s++) levels[s] = (float)(s == 0 ? 0 : s == 1 ? 255 : s * 11) / 255;
  double sum = fount_logistics_nats(parameters, levels, sites, components);
  doubles_of("fount_logistics_nats", &sum, 1);
  fount_logistics_gradient(dparameters, parameters, levels, 0.7f, sites, components, 0);
  floats_of("fount_logistics_gradient", dparameters, count);
  // Some deviations beyond their bound, and a number that is far off.
  float *mixture = numbers(count, 5, -9, 3), *reals = numbers(sites, 6, -3, 3), *normals = numbers(sites, 7, -3, 3), drawn[sites];
  reals[3] = 40.0f;
  sum = fount_gaussians_nats(mixture, reals, sites, components);
  doubles_of("fount_gaussians_nats", &sum, 1);
  fount_gaussians_gradient(dparameters, mixture, reals, 0.7f, sites, components, 0);
  floats_of("fount_gaussians_gradient", dparameters, count);
  fount_gaussians_draw(drawn, mixture, levels, normals, sites, components, 0.7f), floats_of("fount_gaussians_draw", drawn, sites);
  double squares = fount_sum_of_squares(logits, rows * columns);
  doubles_of("fount_sum_of_squares", &squares, 1);
}

static void pixels(void) {
  enum { rows = 3, units = 21, sites = 67, components = 5 };
  float *x = numbers(rows * 2 * units, 1, -3, 3), *y = room(rows * units), *dx = room(rows * 2 * units);
  fount_gate(y, x, rows, units), floats_of("fount_gate", y, rows * units);
  fount_gate_gradient(dx, numbers(rows * units, 2, -1, 1), x, rows, units, 0), floats_of("fount_gate_gradient", dx, rows * 2 * units);
  float levels[sites * 3], *logits = numbers(sites * 256, 3, -4, 4), *dlogits = room(sites * 256);
  for (int s = 0; s < sites * 3; s++) levels[s] = (float)(s * 37 % 256) / 255;
  double nats = fount_level_nats(logits, levels, sites);
  doubles_of("fount_level_nats", &nats, 1);
  fount_level_gradient(dlogits, logits, levels, 0.7f, sites, 0), floats_of("fount_level_gradient", dlogits, sites * 256);
  long count = sites * 10 * components;
  float *parameters = numbers(count, 4, -3, 1), *dparameters = room(count);
  nats = fount_colour_logistics_nats(parameters, levels, sites, components), doubles_of("fount_colour_logistics_nats", &nats, 1);
  fount_colour_logistics_gradient(dparameters, parameters, levels, 0.7f, sites, components, 0);
  floats_of("fount_colour_logistics_gradient", dparameters, count);
  float drawn[sites * 3], *uniforms = numbers(sites * 4, 5, 0, 1);
  fount_logistics_draw(drawn, parameters, uniforms, sites, 3, components, 0.8f), floats_of("fount_logistics_draw", drawn, sites * 3);
  fount_logistics_draw(drawn, parameters, uniforms, sites, 1, components, 1), floats_of("fount_logistics_draw grey", drawn, sites);
}

static void image_lstm(const char *name, int path, long taps) {
  enum { images = 3, height = 5, width = 7, units = 19 };
  const long pixels = images * height * width, gates = 4 * units, blocks = 2, packed_count = panels(gates) * taps * units * fount_panel;
  float *y = room(pixels * units), *dx = room(pixels * gates), *dw = room(taps * units * gates);
  fount_image_lstm layer = {
      .images = images, .height = height, .width = width, .units = units, .taps = taps, .path = path,
      .x = numbers(pixels * gates, 1, -2, 2), .w = numbers(taps * units * gates, 2, -1, 1), .y = y,
      .dy = numbers(pixels * units, 3, -1, 1), .dx = dx, .dw = dw};
  float *packed = packed_room(packed_count), *back = packed_room(panels(units) * taps * gates * fount_panel);
  float *partial = packed_room(blocks * packed_count);
  for (long panel = 0; panel < panels(gates); panel++) fount_image_lstm_pack(&layer, packed, panel);
  for (long panel = 0; panel < panels(units); panel++) fount_image_lstm_pack_back(&layer, back, panel);
  for (long image = 0; image < images; image++) fount_image_lstm_forward(&layer, packed, image);
  for (long block = 0; block < blocks; block++) fount_image_lstm_backward(&layer, packed, back, partial, block, blocks);
  for (long panel = 0; panel < panels(gates); panel++) fount_image_lstm_sum_blocks(&layer, partial, panel, blocks);
  char line[100];
  snprintf(line, sizeof line, "fount_image_lstm_forward %s", name), floats_of(line, y, pixels * units);
  snprintf(line, sizeof line, "fount_image_lstm_backward %s", name), floats_of(line, dx, pixels * gates);
  snprintf(line, sizeof line, "fount_image_lstm_sum_blocks %s", name), floats_of(line, dw, taps * units * gates);
}

static void recurrence(void) {
  enum { rows = 3, units = 21 };
  float *gates = numbers(rows * 4 * units, 1, -3, 3), *before = numbers(rows * 2 * units, 2, -2, 2);
  float *dy = numbers(rows * 2 * units, 3, -1, 1);
  float *y = room(rows * 2 * units), *dgates = room(rows * 4 * units), *dbefore = room(rows * 2 * units);
  fount_lstm(y, gates, before, rows, units), floats_of("fount_lstm", y, rows * 2 * units);
  fount_lstm_gradient(dgates, dbefore, dy, gates, before, y, rows, units, 0, 0);
  floats_of("fount_lstm_gradient", dgates, rows * 4 * units), floats_of("fount_lstm_gradient before", dbefore, rows * 2 * units);
}

static void gaussians(void) {
  enum { dims = 21 };
  float *parameters = numbers(2 * dims, 1, -2, 2), *dz = numbers(dims, 2, -1, 1), *z = room(dims), *dparameters = room(2 * dims);
  fount_gaussian(z, parameters, dims, 3, 2, 1, 7), floats_of("fount_gaussian", z, dims);
  fount_gaussian_gradient(dparameters, dz, parameters, dims, 0, 3, 2, 1, 7);
  floats_of("fount_gaussian_gradient", dparameters, 2 * dims);
  double nats = fount_gaussian_divergence(parameters, dims);
  doubles_of("fount_gaussian_divergence", &nats, 1);
  fount_gaussian_divergence_gradient(dparameters, parameters, 0.7f, dims, 0);
  floats_of("fount_gaussian_divergence_gradient", dparameters, 2 * dims);
}

static void running_sum(const char *name, int distribution, long outputs) {
  enum { rows = 21, dims = 5, hidden = 19 };
  const int32_t order[] = {3, 0, 4, 1, 2};
  const uint32_t examples[rows] = {7, 3, 9};
  float *x = numbers(rows * dims, 1, -1, 1), *z = room(rows * dims * outputs), *dz = numbers(rows * dims * outputs, 2, -1, 1);
  for (int i = 0; distribution == fount_draw_bits && i < rows * dims; i++) x[i] = x[i] > 0 ? 1 : 0;
  float *dw = room(dims * hidden), *dc = room(hidden), *dv = room(dims * outputs * hidden);
  fount_running layer = {
      .batch = rows, .dims = dims, .hidden = hidden, .outputs = outputs, .order = order, .x = x, .w = numbers(dims * hidden, 3, -1, 1),
      .c = numbers(hidden, 4, -1, 1), .v = numbers(dims * outputs * hidden, 5, -1, 1), .bias = numbers(dims * outputs, 6, -1, 1), .z = z,
      .dz = dz, .dw = dw, .dc = dc, .dv = dv};
  long blocks = (rows + fount_running_rows - 1) / fount_running_rows;
  long packs = (rows + fount_running_gradient_rows - 1) / fount_running_gradient_rows;
  float *packed = packed_room(packs * dims * (2 + outputs) * fount_running_gradient_rows), *drawn = room(rows * dims);
  char line[100];
  for (long block = 0; block < blocks; block++) fount_running_logits(&layer, block);
  snprintf(line, sizeof line, "fount_running_logits %s", name), floats_of(line, z, rows * dims * outputs);
  for (long block = 0; block < packs; block++) fount_running_pack(&layer, packed, block);
  for (long panel = 0; panel < panels(hidden); panel++) fount_running_gradients(&layer, packed, panel);
  snprintf(line, sizeof line, "fount_running_gradients %s", name), floats_of(line, dw, dims * hidden);
  floats_of(line, dc, hidden), floats_of(line, dv, dims * outputs * hidden);
  for (long block = 0; block < blocks; block++) fount_running_draw(&layer, drawn, distribution, examples, 2, 4, 7, 0.8f, block);
  snprintf(line, sizeof line, "fount_running_draw %s", name), floats_of(line, drawn, rows * dims);
}

static void running_sums(void) {
  running_sum("bits", fount_draw_bits, 1);
  running_sum("levels", fount_draw_levels, 4);
  running_sum("gaussians", fount_draw_gaussians, 6);
}

static void optimizers(void) {
  float *average = numbers(many, 1, -1, 1);
  fount_average(average, numbers(many, 2, -1, 1), many, 0.99f), floats_of("fount_average", average, many);
  fount_adam_settings settings = {
      .beta1 = 0.9f, .beta2 = 0.999f, .epsilon = 1e-8f, .rate = 1e-2f, .root_scale = 1.5f, .shrink = 0.999f, .average_decay = 0.99f,
      .gradient_scale = 0.7f};
  for (int method = 0; method < 3; method++) {
    float *weights = numbers(many, 1, -1, 1), *mean = numbers(many, 2, -1, 1), *square = numbers(many, 3, 0, 1);
    float *average = numbers(many, 4, -1, 1), *gradient = numbers(many, 5, -1, 1);
    static const char *names[] = {"fount_adam", "fount_sgd", "fount_rmsprop"};
    if (method == 0) fount_adam(weights, mean, square, average, gradient, many, &settings);
    if (method == 1) fount_sgd(weights, mean, average, gradient, many, &settings);
    if (method == 2) fount_rmsprop(weights, square, average, gradient, many, &settings);
    floats_of(names[method], weights, many), floats_of(names[method], average, many);
    floats_of(names[method], mean, many), floats_of(names[method], square, many);
  }
}

static void randomness(void) {
  const uint32_t counter[] = {1, 2, 3, 4}, key[] = {5, 6};
  uint32_t block[4];
  float words[4];
  fount_philox(counter, key, block);
  memcpy(words, block, sizeof words), floats_of("fount_philox", words, 4);
  float *x = room(many);
  fount_uniform(x, many, 3, 2, 1, 0x123456789ABCDEFu), floats_of("fount_uniform", x, many);
  fount_normal(x, many, 3, 2, 1, 0x123456789ABCDEFu), floats_of("fount_normal", x, many);
  float *bits = room(many);
  fount_bits(bits, numbers(many, 6, 0, 1), 4, many, 3, 2, 1, 7), floats_of("fount_bits", bits, many);
  float classes[5], uniforms[5];
  fount_uniform(uniforms, 5, 4, 2, 1, 9);
  fount_categorical(classes, numbers(5 * 40, 5, -4, 4), uniforms, 5, 40), floats_of("fount_categorical", classes, 5);
  float *y = room(many);
  fount_dropout(y, x, many, 0.75f, 0, 3, 2, 1, 7), floats_of("fount_dropout", y, many);
  float *units = room(many), *sums = numbers(many, 7, -4, 4), *base = numbers(many, 8, -2, 2);
  double ratio = fount_annealed_units(units, sums, base, many, 0.25f, 0.5f, 3, 2, 1, 7);
  floats_of("fount_annealed_units", units, many), doubles_of("fount_annealed_units", &ratio, 1);
}

int main(void) {
  printf("%s\n", fount_kernel_set());
  products();
  sparse_products(0), sparse_products(1);
  convolutions();
  elements();
  norms();
  reductions();
  pixels();
  image_lstm("rows", fount_rows, 3);
  image_lstm("diagonals", fount_diagonals, 2);
  image_lstm("mirrored", fount_mirrored_diagonals, 2);
  recurrence();
  gaussians();
  running_sums();
  optimizers();
  randomness();
  return 0;
}
