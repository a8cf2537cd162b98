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
  for (long panel = 0; panel < panels(filters); panel++) fount_convolution_sum_blocks(&layer, partial, panel, blocks);
  char line[100];
  snprintf(line, sizeof line, "fount_convolution_forward %s", name), floats_of(line, y, y_count);
  snprintf(line, sizeof line, "fount_convolution_data_gradient %s", name), floats_of(line, dx, x_count);
  snprintf(line, sizeof line, "fount_convolution_weight_gradient %s", name), floats_of(line, dw, taps * channels * filters);
  snprintf(line, sizeof line, "fount_convolution_bias_gradient %s", name), floats_of(line, dbias, filters);
}

static void convolutions(void) {
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
  float *gates = numbers(rows * 4 * units, 1, -3, 3), *before = numbers(rows * 2 * units, 2, -2, 2), *dy = numbers(rows * 2 * units, 3, -1, 1);
  float *y = room(rows * 2 * units), *dgates = room(rows * 4 * units), *dbefore = room(rows * 2 * units);
  fount_lstm(y, gates, before, rows, units), floats_of("fount_lstm", y, rows * 2 * units);
  fount_lstm_gradient(dgates, dbefore, dy, gates, before, y, rows, units, 0, 0);
  floats_of("fount_lstm_gradient", dgates, rows * 4 * units), floats_of("fount_lstm_gradient before", dbefore, rows * 2 * units);
}

static void optimizers(void) {
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
  float classes[5], uniforms[5];
  fount_uniform(uniforms, 5, 4, 2, 1, 9);
  fount_categorical(classes, numbers(5 * 40, 5, -4, 4), uniforms, 5, 40), floats_of("fount_categorical", classes, 5);
  float *y = room(many);
  fount_dropout(y, x, many, 0.75f, 0, 3, 2, 1, 7), floats_of("fount_dropout", y, many);
}

int main(void) {
  printf("%s\n", fount_kernel_set());
  products();
  convolutions();
  elements();
  norms();
  reductions();
  pixels();
  image_lstm("rows", fount_rows, 3);
  image_lstm("diagonals", fount_diagonals, 2);
  image_lstm("mirrored", fount_mirrored_diagonals, 2);
  recurrence();
  optimizers();
  randomness();
  return 0;
}
