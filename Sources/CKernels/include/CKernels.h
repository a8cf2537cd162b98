// The hot loops. Each has one Swift wrapper, in Tensors/Kernels.swift, whose preconditions make its pointers and counts right.
//
// Bits: every element of a result is computed by the same operations in the same order whatever the number of rows, its place among
// them, the threads and the width of the vectors. On a machine with fused multiply-add (x86-64-v3, v4, Arm) they are the same
// everywhere; the baseline clones round twice and are another kernel set.
#ifndef FOUNT_CKERNELS_H
#define FOUNT_CKERNELS_H

#include <stdint.h>

// The set that this machine runs: "x86-64-v4", "x86-64-v3", "x86-64" or "arm64"; v3, v4 and arm64 give the same bits.
const char *fount_kernel_set(void);

// Fused multiply-adds and nothing else, to learn the machine's peak: `rounds` of 6 or 12 independent chains, each of 16 lanes. The sum is
// told so that no compiler leaves the work out.
float fount_peak_of_6_chains(long rounds, float start);
float fount_peak_of_12_chains(long rounds, float start);

// A hint to the processor that the thread looks for another one's news.
void fount_pause(void);

// MARK: Products. A block is a panel of 16 columns of the result; blocks are independent of each other.

enum { fount_panel = 16 };

// The leaky one keeps a fifth below 0 (Radford et al. 2016).
enum { fount_identity, fount_relu, fount_sigmoid, fount_tanh, fount_leaky_relu };

// A layer y = f(x·w + bias) of `batch` rows. Row-major: x [batch, inputs], w [inputs, outputs], y [batch, outputs].
typedef struct {
  long batch, inputs, outputs;
  // How many of the inputs each output sees: output c sees inputs 0..<live[c], never fewer than output c - 1. NULL: all see all.
  const int32_t *live;
  const float *x, *w;
  const float *bias;  // NULL: none
  float *y;
  int activation;
  // The gradients; NULL where nobody wants one. Those with `adds` are added to what is there, the others are written.
  const float *dy;  // by the sum before the activation
  float *dx, *dw, *dbias;
  int dx_adds, dw_adds, dbias_adds;
} fount_dense;

// One panel of columns of y.
void fount_dense_forward(const fount_dense *layer, long panel);
// One panel of columns of dw and dbias; 0 where an output does not see an input.
void fount_dense_weight_gradient(const fount_dense *layer, long panel);
// One panel of columns of dx.
void fount_dense_data_gradient(const fount_dense *layer, long panel);

// y[r, from..<to] += scalars[r] · row[from..<to] for `rows` rows of y that are `stride` apart: one input's share of a product.
void fount_add_scaled_row(
    float *y, long rows, long stride, const float *scalars, long scalars_stride, const float *row, long from, long to);
// y[r, from..<to] = f(sums[r, from..<to] + bias[from..<to]), the end of a dense layer.
void fount_finish_columns(float *y, const float *sums, long rows, long stride, const float *bias, long from, long to, int activation);

// MARK: Products with inputs of which many are 0. A block is a panel of 64 columns of the result.

enum { fount_wide_panel = 64 };

// y = f(x·w + bias) as above, without a mask, or x·wᵀ; and bits drawn from y.
typedef struct {
  long batch, inputs, outputs;
  const float *x, *w;  // w [inputs, outputs]; [outputs, inputs] when transposed
  int transposed;
  const float *bias;  // NULL: none
  float *y;
  int activation;
  float *bits;  // y's like, by the uniform of site j of the row's example; NULL: none
  const uint32_t *examples;
  uint32_t step, stream;
  uint64_t seed;
  const float *dy;  // dw = scale · xᵀ·dy, or that added
  float *dw, scale;
  int dw_adds;
  // A bit for each x that is not 0, ⌈inputs / 64⌉ words a row; for dw ⌈batch / 64⌉ words a column.
  const uint64_t *live;
} fount_sparse;

// Which of `count` numbers, `step` apart, are not 0.
void fount_live(uint64_t *live, const float *x, long count, long step);
// One panel of columns of y and of bits.
void fount_sparse_forward(const fount_sparse *layer, long panel);
// One panel of columns of dw.
void fount_sparse_weight_gradient(const fount_sparse *layer, long panel);

// bits[i] = `to` where the uniform of site i is below sigmoid(s(to)), 0 elsewhere, with s(β) = base[i] + β · (sums[i] − base[i]),
// base being 0 where it is NULL. Returns Σ softplus(s(to)) − softplus(s(from)).
double fount_annealed_units(
    float *bits, const float *sums, const float *base, long count, float from, float to, uint32_t example, uint32_t step, uint32_t stream,
    uint64_t seed);

// MARK: A convolution at one pixel after another

// The pixel (row, column) of y as `fount_convolution_forward` gives it without a stride, from inputs that are put as they come to be
// known. As many rows of them are kept as the taps reach over, with zeros beside them: `kept` [images, rows, columns, channels].
typedef struct {
  long images, channels, filters, rows, columns, top, left, taps;
  const int32_t *tap_y, *tap_x;
  float *kept;
  const float *packed, *bias;  // of all panels, as for the whole image; bias NULL: none
  int activation;
} fount_pixelwise;

// Keeps x [images, channels]; at a row's beginning the oldest row makes room.
void fount_pixels_put(const fount_pixelwise *layer, const float *x, long row, long column);
// y [images, filters].
void fount_pixels_forward(const fount_pixelwise *layer, float *y, long row, long column);

// MARK: Convolutions over images [height, width, channels], the taps that a mask leaves alive alone

enum { fount_taps_max = 1024 };

// y[r, c, f] = g(bias[f] + Σ_tap Σ_channel x[r·stride + tap_y − top, c·stride + tap_x − left, channel] · w[tap, channel, f]), x being 0
// beyond its borders. w [taps, channels, filters]; taps in raster order, with tap_y and tap_x from 0.
typedef struct {
  long images, height, width, channels, y_height, y_width, filters;
  long stride, top, left, taps;
  const int32_t *tap_y, *tap_x;
  const float *x, *w, *bias;  // bias NULL: none
  float *y;
  const float *dy;
  float *dx, *dw, *dbias;  // dw and dbias NULL where nobody wants them
  int y_adds, dx_adds, dw_adds, dbias_adds;
  int activation;  // of y, or of dx where that is a transposed convolution's result
} fount_convolution;

// One panel of filters, packed for all images: taps · channels rows of 16.
void fount_convolution_pack(const fount_convolution *layer, float *packed, long panel);
// y of one image. `packed` holds all panels.
void fount_convolution_forward(const fount_convolution *layer, const float *packed, long image);
// One panel of channels, packed for all images: taps · filters rows of 16. With few channels, a panel is of (tap, channel) instead, and
// has `filters` rows; it never takes more room.
long fount_convolution_transposed_panels(const fount_convolution *layer);
void fount_convolution_pack_transposed(const fount_convolution *layer, float *packed, long panel);
// dx of one image, from dy; with `bias` (of channels) and `activation` it is the transposed convolution's result.
void fount_convolution_data_gradient(const fount_convolution *layer, const float *packed, long image);
// The gradients of one of `blocks` blocks of images: for each panel of filters, taps · channels rows of 16, and a row for the bias.
void fount_convolution_weight_gradient(const fount_convolution *layer, float *partial, long block, long blocks);
// One panel of dw and dbias: the blocks' shares, `stride` floats apart, summed in order.
void fount_convolution_sum_blocks(const fount_convolution *layer, const float *partial, long stride, long panel, long blocks);

// MARK: Stacks of convolutions, image by image

// A layer's image with the zeros around it that its taps reach, or the zeros that its dy needs for the data's gradient.
void fount_convolution_extents(const fount_convolution *layer, long *height, long *width);
typedef struct {
  long top, bottom, left, right;
} fount_borders;
fount_borders fount_convolution_borders(const fount_convolution *layer);
// As fount_convolution_pack_transposed, however few channels there are.
void fount_convolution_pack_back(const fount_convolution *layer, float *packed, long panel);
// How many floats a thread needs beside, for the weights' gradient.
long fount_convolution_band(const fount_convolution *layer);

// One layer of a stack. Places are counted in floats: those of `source` and `result` from where an image's kept memory begins, those of
// gradients and streams from where the thread's does.
typedef struct {
  fount_convolution layer;  // its extents, taps and activation
  const float *packed, *bias, *packed_back;  // packed_back NULL where nobody wants the gradient of what it is given
  // The layer's image with the zeros around it, and the first pixel of its result; the last layer's result is y.
  long source_at, source_row, source_height, source_width, result_at, result_row;
  // The gradient by its sums: the first pixel, and where the zeros around it begin.
  long gradient_at, gradient_row, gradient_source_at;
  // Sums before the activation that earlier and later layers share: whether this one's are added to them, and whether they take these.
  long stream_at;
  int stream_adds, stream_stays;
  int joins_previous;  // the layer before has a gradient of its own, which begins as this one's
  // Its weights' gradient within a block's sums, laid out as fount_convolution_weight_gradient has it; -1 where nobody wants it.
  long sums_at;
} fount_stacked;

typedef struct {
  long layers, images;
  const fount_stacked *all;
  const float *x;
  float *y;
  float *kept;  // [images, kept_count]: what the way back needs
  long kept_count, streams_count, gradients_count, band_count, sums_count;
  const float *dy;
  float *dx;
  int dx_adds;
  float *sums;  // [blocks, sums_count]
} fount_stack;

// y and `kept` of one image.
void fount_stack_forward(const fount_stack *stack, long image);
// Of one of `blocks` blocks of images: dx, and the shares of the weights' gradients.
void fount_stack_backward(const fount_stack *stack, long block, long blocks);

// Memory of the calling thread's own, aligned to 64 bytes, valid until it asks for more in the same slot.
enum { fount_scratch_image, fount_scratch_weights, fount_scratch_slots };
float *fount_scratch(int slot, long count);

// MARK: Element by element

// dy ·= f′, told by y = f(…).
void fount_activation_gradient(float *dy, const float *y, long count, int activation);
// dx += dy · f′.
void fount_add_activation_gradient(float *dx, const float *dy, const float *y, long count, int activation);
// y = f(x).
enum { fount_map_exp, fount_map_log, fount_map_sigmoid, fount_map_softplus, fount_map_tanh };
void fount_map(float *y, const float *x, long count, int function);
// dx += dy · f′(x), with y = f(x).
void fount_map_gradient(float *dx, const float *dy, const float *x, const float *y, long count, int function);
// y = (adds ? y : 0) + scale · x.
void fount_add(float *y, const float *x, long count, float scale, int adds);
// average += (1 − decay) · (weights − average).
void fount_average(float *average, const float *weights, long count, float decay);
// y = a + b.
void fount_sum(float *y, const float *a, const float *b, long count);
// y = a · b; y += a · b with `adds`.
void fount_multiply(float *y, const float *a, const float *b, long count, int adds);
// y[r, c] = x[row_order[r], column_order[c]]; NULL is the order as it is.
void fount_gather(
    float *y, const float *x, long rows, long columns, long x_columns, const int32_t *row_order, const int32_t *column_order);
// y[row_order[r], column_order[c]] += x[r, c].
void fount_scatter_add(
    float *y, const float *x, long rows, long columns, long y_columns, const int32_t *row_order, const int32_t *column_order);

// MARK: Normalization

// Layer norm: y[r] = (x[r] − mean) / √(variance + epsilon) · gain + shift, the moments being those of the row.
void fount_layer_norm(float *y, const float *x, const float *gain, const float *shift, float epsilon, long rows, long columns);
// Its dx, or that added.
void fount_layer_norm_gradient(
    float *dx, const float *dy, const float *x, const float *gain, float epsilon, long rows, long columns, int adds);
// These rows' shares of dgain and dshift.
void fount_layer_norm_sums(float *dgain, float *dshift, const float *dy, const float *x, float epsilon, long rows, long columns);

// sums[c] over these rows, in their order: of x; with `mean` of (x − mean[c])²; with `dy` of dy · (x − mean[c]) · inverse[c].
void fount_sum_columns(
    float *sums, const float *x, const float *mean, const float *dy, const float *inverse, long rows, long columns);
// Batch norm: y[r, c] = (x[r, c] − mean[c]) · scale[c] + shift[c].
void fount_normalize_columns(
    float *y, const float *x, const float *mean, const float *scale, const float *shift, long rows, long columns);
// Its dx, or that added: (dy − mean_plain − (x − mean) · inverse · mean_along) · scale, all of them by column.
void fount_batch_norm_gradient(
    float *dx, const float *dy, const float *x, const float *mean, const float *inverse, const float *scale, const float *mean_plain,
    const float *mean_along, long rows, long columns, int adds);

// MARK: Reductions: 16 sums in lanes, added in a fixed order.

// nats[r] = −ln p(x[r]) under independent Bernoullis with these logits, in double precision.
void fount_bernoulli_nats(double *nats, const float *logits, const float *x, long rows, long columns);
// dlogits[r] = (sigmoid(logits[r]) − x[r]) · dnats[r], or that added.
void fount_bernoulli_gradient(float *dlogits, const float *logits, const float *x, const float *dnats, long rows, long columns, int adds);

// nats[r] = −ln of what the softmax of logits[r] gives class classes[r], a whole number below `columns`, in double precision.
void fount_softmax_nats(double *nats, const float *logits, const float *classes, long rows, long columns);
// dlogits[r] = (softmax(logits[r]) − [class]) · dnats[r], or that added.
void fount_softmax_gradient(
    float *dlogits, const float *logits, const float *classes, const float *dnats, long rows, long columns, int adds);

// Σ over sites of −ln of what a discretized mixture of logistics gives the level x[s] · 255, in their order. parameters [sites, 3,
// components]: logits of the shares, means on −1…1, logarithms of the scales.
enum { fount_logistics_max = 64 };
double fount_logistics_nats(const float *parameters, const float *x, long sites, long components);
// dparameters: its gradient times dnats, or that added.
void fount_logistics_gradient(
    float *dparameters, const float *parameters, const float *x, float dnats, long sites, long components, int adds);

// MARK: Gaussians. parameters [2, dims] a row: means and logarithms of variances.

// z = mean + e^(log variance / 2) · normal of the site.
void fount_gaussian(float *z, const float *parameters, long dims, uint32_t example, uint32_t step, uint32_t stream, uint64_t seed);
// dparameters, or that added.
void fount_gaussian_gradient(
    float *dparameters, const float *dz, const float *parameters, long dims, int adds, uint32_t example, uint32_t step, uint32_t stream,
    uint64_t seed);
// The divergence from it to the standard normal, nats, in double precision.
double fount_gaussian_divergence(const float *parameters, long dims);
// dparameters, or that added.
void fount_gaussian_divergence_gradient(float *dparameters, const float *parameters, float dnats, long dims, int adds);

// Σ over sites of −ln of the density that a mixture of Gaussians has at x[s], in their order. parameters [sites, 3, components]: logits of
// the shares, means, logarithms of the deviations, which count as −7 where they are less.
enum { fount_gaussians_max = 64 };
double fount_gaussians_nats(const float *parameters, const float *x, long sites, long components);
// dparameters: its gradient times dnats, or that added.
void fount_gaussians_gradient(
    float *dparameters, const float *parameters, const float *x, float dnats, long sites, long components, int adds);
// x[s]: the component by uniforms[s] (`fount_categorical`) from logits over the temperature, then its mean and normals[s] times its
// deviation times the root of the temperature.
void fount_gaussians_draw(
    float *x, const float *parameters, const float *uniforms, const float *normals, long sites, long components, float temperature);

// The same with each of `sites` levels of 0…255, told as x · 255, under the softmax of its own 256 logits: the sum over sites, in order.
double fount_level_nats(const float *logits, const float *x, long sites);
// dlogits: its gradient times dnats, or that added.
void fount_level_gradient(float *dlogits, const float *logits, const float *x, float dnats, long sites, int adds);

// Pixels of three channels, x [pixels, 3], under mixtures whose components have one share for all channels: parameters [pixels, 10,
// components]: logits of the shares, means, logarithms of the scales, and what the tanh of is the part of red in green's mean, of red in
// blue's and of green in blue's.
double fount_colour_logistics_nats(const float *parameters, const float *x, long pixels, long components);
void fount_colour_logistics_gradient(
    float *dparameters, const float *parameters, const float *x, float dnats, long pixels, long components, int adds);
// Levels over 255 drawn from these mixtures, x [rows, depth]: of a single channel, or with a depth of 3 of a pixel. uniforms [rows,
// 1 + depth]: of the component and of each channel. The temperature divides the logits and multiplies the scales.
void fount_logistics_draw(
    float *x, const float *parameters, const float *uniforms, long rows, long depth, long components, float temperature);

// MARK: Gates

// y = tanh(x[r, 0, u]) · σ(x[r, 1, u]). x [rows, 2, units], y [rows, units].
void fount_gate(float *y, const float *x, long rows, long units);
// Its dx, or that added.
void fount_gate_gradient(float *dx, const float *dy, const float *x, long rows, long units, int adds);

// MARK: Recurrence

// y[r] = (h, c) of an LSTM cell: c = σ(forget) · c before + σ(in) · tanh(candidate), h = σ(out) · tanh(c). gates [rows, 4, units]: in,
// forget, candidate, out; before and y [rows, 2, units].
void fount_lstm(float *y, const float *gates, const float *before, long rows, long units);
// dgates and dbefore (NULL where nobody wants it), or those added; h before has no part in it.
void fount_lstm_gradient(
    float *dgates, float *dbefore, const float *dy, const float *gates, const float *before, const float *y, long rows, long units,
    int gates_add, int before_adds);

// An LSTM over the lines of images: rows, or diagonals from the upper left or the upper right corner. A cell sees the line before: over
// rows the places left of it, above it and right of it (three taps), over diagonals the pixels above and beside it (two taps).
enum { fount_rows, fount_diagonals, fount_mirrored_diagonals };
typedef struct {
  long images, height, width, units, taps;
  int path;
  const float *x, *w;  // [images, height, width, 4, units], the gates' sums without what a line adds; [taps, units, 4, units]
  float *y;            // h, [images, height, width, units]
  const float *dy;
  float *dx, *dw;  // NULL where nobody wants it
  int dx_adds, dw_adds;
} fount_image_lstm;

// One panel of gates: taps · units rows of 16; one of units: taps · 4 · units rows.
void fount_image_lstm_pack(const fount_image_lstm *layer, float *packed, long panel);
void fount_image_lstm_pack_back(const fount_image_lstm *layer, float *packed, long panel);
// y of one image.
void fount_image_lstm_forward(const fount_image_lstm *layer, const float *packed, long image);
// dx of one of `blocks` blocks of images, and its share of dw: for each panel of gates, taps · units rows of 16.
void fount_image_lstm_backward(
    const fount_image_lstm *layer, const float *packed, const float *packed_back, float *partial, long block, long blocks);
// One panel of dw: the blocks' shares, summed in order.
void fount_image_lstm_sum_blocks(const fount_image_lstm *layer, const float *partial, long panel, long blocks);

// MARK: Running sums

// Rows that `fount_running_logits` and `fount_running_draw` take at once.
enum { fount_running_rows = 8, fount_running_gradient_rows = 16 };

// z[r, d] = v[d] · sigmoid(c + Σ w[e] · x[r, e] over the e before d) + bias[d]: conditionals that share one hidden layer. `order` tells
// which dimension comes at each place; NULL: as they are.
typedef struct {
  long batch, dims, hidden, outputs;  // outputs: logits of each dimension
  const int32_t *order;
  const float *x, *w, *c, *v, *bias;  // [batch, dims], [dims, hidden], [hidden], [dims, outputs, hidden], [dims, outputs]
  float *z;                           // [batch, dims, outputs]
  // The gradients; NULL where nobody wants one.
  const float *dz;
  float *dw, *dc, *dv;
  int dw_adds, dc_adds, dv_adds;
} fount_running;

// z of one block of `fount_running_rows` rows.
void fount_running_logits(const fount_running *layer, long block);
// What a dimension's outputs tell: the logit of a bit, the logits of levels, whose value is level / (outputs − 1), or the parameters of a
// mixture of Gaussians.
enum { fount_draw_bits, fount_draw_levels, fount_draw_gaussians };
// Numbers drawn one after the other into x [batch, dims], with their outputs in z. Those of dimension d are drawn by the uniform of site d
// of the row's example, and for Gaussians by its normal number one step later.
void fount_running_draw(
    const fount_running *layer, float *x, int distribution, const uint32_t *examples, uint32_t step, uint32_t stream, uint64_t seed,
    float temperature, long block);
// What the gradients read of one block of `fount_running_gradient_rows` rows: dims · (2 + outputs) rows of as many numbers.
void fount_running_pack(const fount_running *layer, float *packed, long block);
// One panel of columns of dw, dc and dv, from all packed blocks.
void fount_running_gradients(const fount_running *layer, const float *packed, long panel);

// MARK: Optimizer

typedef struct {
  float beta1, beta2, epsilon;
  float rate;           // the learning rate over 1 − beta1^t
  float root_scale;     // 1 over the root of 1 − beta2^t
  float shrink;         // what weight decay leaves: 1 − learning rate · decay
  float average_decay;  // of the running average
  float gradient_scale; // what clipping leaves of the gradient
} fount_adam_settings;
// One step of Adam; `average` is NULL where none is kept.
void fount_adam(
    float *weights, float *mean, float *square, float *average, const float *gradient, long count, const fount_adam_settings *settings);

// The other methods; `beta1` is SGD's momentum, `beta2` RMSProp's decay; `rate` is the learning rate itself.
// SGD with momentum; `velocity` is NULL where there is none.
void fount_sgd(float *weights, float *velocity, float *average, const float *gradient, long count, const fount_adam_settings *settings);
// RMSProp.
void fount_rmsprop(float *weights, float *square, float *average, const float *gradient, long count, const fount_adam_settings *settings);

// Σ x², 16 sums in lanes, added in a fixed order, in double precision.
double fount_sum_of_squares(const float *x, long count);

// MARK: Random numbers

// Philox 4x32-10 (Salmon et al. 2011, §3.3): the block that `counter` and `key` address.
void fount_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t block[4]);
// uniforms[site], multiples of 2^-24 in [0, 1): word site % 4 of the block (site / 4, example, step, stream).
void fount_uniform(float *uniforms, long count, uint32_t example, uint32_t step, uint32_t stream, uint64_t seed);
// normals[site] (Box & Muller 1958): sites 2i and 2i + 1 share the pair of words (2i, 2i + 1).
void fount_normal(float *normals, long count, uint32_t example, uint32_t step, uint32_t stream, uint64_t seed);
// classes[r]: the first class at which the running sum of e^(logits[r] − max) is above uniforms[r] times the whole; in double precision.
void fount_categorical(float *classes, const float *logits, const float *uniforms, long rows, long columns);
// bits[i] = uniform of site first + i < p[i]; `first` is a multiple of 4.
void fount_bits(
    float *bits, const float *p, long first, long count, uint32_t example, uint32_t step, uint32_t stream, uint64_t seed);
// y[site] = uniforms[site] as above < keep ? x[site] / keep : 0, or that added to y.
void fount_dropout(
    float *y, const float *x, long count, float keep, int adds, uint32_t example, uint32_t step, uint32_t stream, uint64_t seed);

#endif
