// Convolutions one after the other, image by image: what a layer leaves is still in the cache when the next one wants it, forward and
// back, and a gradient lives no longer than its image. Layers write into memory that has the zeros their followers want around it, and what
// else there is to do to a sum (activations and their slopes, sums of earlier layers) is done in registers.
#include "convolution.h"

// Zeros around `height` by `width` pixels that lie in rows of `row` floats, `all` floats from `memory` on.
static void clear_borders(float *memory, long all, long first, long row, long height, long width) {
  memset(memory, 0, (size_t)first * sizeof(float));
  for (long y = 0; y + 1 < height; y++) memset(memory + first + y * row + width, 0, (size_t)(row - width) * sizeof(float));
  const long end = first + (height - 1) * row + width;
  memset(memory + end, 0, (size_t)(all - end) * sizeof(float));
}

static void copy_rows(float *to, long to_row, const float *from, long from_row, long height, long width) {
  for (long y = 0; y < height; y++) memcpy(to + y * to_row, from + y * from_row, (size_t)width * sizeof(float));
}

static float *kept_of(const fount_stack *stack, long image) { return stack->kept + image * stack->kept_count; }

static fount_pixels packed_pixels(float *first, const fount_convolution *layer) {
  return (fount_pixels){first, layer->y_width * layer->filters, layer->filters};
}

void fount_stack_forward(const fount_stack *stack, long image) {
  float *kept = kept_of(stack, image), *streams = fount_scratch(fount_scratch_image, stack->streams_count);
  const fount_convolution *first = &stack->all[0].layer, *last = &stack->all[stack->layers - 1].layer;
  const long y_count = last->y_height * last->y_width * last->filters, row = first->width * first->channels;
  // Rows that no tap reaches are left out, and columns, too.
  const fount_stacked *opening = stack->all;
  const long rows = min_of(first->height, opening->source_height - first->top);
  const long columns = min_of(first->width, opening->source_width - first->left) * first->channels;
  const long inset = first->top * opening->source_row + first->left * first->channels;
  clear_borders(
      kept + opening->source_at, opening->source_height * opening->source_row, inset, opening->source_row, rows, columns);
  copy_rows(kept + opening->source_at + inset, opening->source_row, stack->x + image * first->height * row, row, rows, columns);
  for (long i = 0; i < stack->layers; i++) {
    const fount_stacked *at = stack->all + i;
    const fount_convolution *layer = &at->layer;
    const int is_last = i + 1 == stack->layers;
    const long width = layer->y_width * layer->filters;
    float *result = is_last ? stack->y + image * y_count : kept + at->result_at;
    const long result_row = is_last ? width : at->result_row;
    if (!is_last) {
      const fount_stacked *next = at + 1;
      clear_borders(
          kept + next->source_at, next->source_height * next->source_row, at->result_at - next->source_at, result_row, layer->y_height,
          width);
    }
    fount_grid over = {.result = {result, result_row, layer->filters}, .bias = at->bias, .activation = layer->activation};
    if (at->stream_adds || at->stream_stays) over.stream = packed_pixels(streams + at->stream_at, layer);
    over.stream_adds = at->stream_adds, over.stream_stays = at->stream_stays;
    if (i + 2 < stack->layers) {
      over.ahead = kept + at[2].source_at, over.ahead_count = at[2].source_height * at[2].source_row, over.ahead_writes = 1;
    }
    const int is_fused = layer->activation <= fount_relu || layer->activation == fount_leaky_relu;
    if (!is_fused) over.activation = fount_identity;
    fount_convolve(layer, at->packed, kept + at->source_at, at->source_row, &over);
    if (!is_fused) {
      for (long y = 0; y < layer->y_height; y++) {
        float *line = result + y * result_row;
        fount_finish_columns(line, line, 1, width, NULL, 0, width, layer->activation);
      }
    }
  }
}

// The gradients of one image. `gradients` is the thread's memory, `sums` the block's.
static void backward_of(const fount_stack *stack, long image, float *gradients, float *sums) {
  float *kept = kept_of(stack, image), *band = gradients + stack->gradients_count;
  const fount_stacked *end = stack->all + stack->layers - 1;
  const long width = end->layer.y_width * end->layer.filters, height = end->layer.y_height;
  for (long y = 0; y < height; y++) {
    float *line = gradients + end->gradient_at + y * end->gradient_row;
    memcpy(line, stack->dy + (image * height + y) * width, (size_t)width * sizeof(float));
    fount_activation_gradient(line, stack->y + (image * height + y) * width, width, end->layer.activation);
  }
  for (const fount_stacked *at = end; at >= stack->all; at--) {
    const fount_convolution *layer = &at->layer;
    const fount_pixels dy = {gradients + at->gradient_at, at->gradient_row, layer->filters};
    if (at->sums_at >= 0) fount_convolve_weights(layer, kept + at->source_at, at->source_row, dy, band, sums + at->sums_at);
    if (!at->packed_back) continue;
    fount_grid over = {0};
    if (at > stack->all) {
      const fount_stacked *before = at - 1;
      const fount_pixels to = {gradients + before->gradient_at, before->gradient_row, layer->channels};
      over.slopes = (fount_pixels){kept + before->result_at, before->result_row, layer->channels};
      over.slopes_of = before->layer.activation;
      if (at->joins_previous) copy_rows(to.first, to.row, dy.first, dy.row, layer->y_height, layer->y_width * layer->filters);
      // A later layer that adds this one's sums has left its own gradient there.
      if (before->stream_stays) over.stream = to, over.stream_adds = 1, over.stream_stays = 1; else over.result = to;
    } else {
      const long row = layer->width * layer->channels;
      over.result = (fount_pixels){stack->dx + image * layer->height * row, row, layer->channels};
      over.adds = stack->dx_adds;
    }
    // What the weights' gradient of the layer before looks at, and in the end that of the next image's last layer.
    const fount_stacked *next = at > stack->all + 1 ? at - 1 : end;
    over.ahead = kept + (next == end ? stack->kept_count : 0) + next->source_at;
    if (next != end || image + 1 < stack->images) over.ahead_count = next->source_height * next->source_row;
    fount_convolve_back(layer, at->packed_back, gradients + at->gradient_source_at, at->gradient_row, &over);
  }
}

void fount_stack_backward(const fount_stack *stack, long block, long blocks) {
  float *gradients = fount_scratch(fount_scratch_image, stack->gradients_count + stack->band_count);
  float *sums = stack->sums + block * stack->sums_count;
  // The borders stay 0 from image to image.
  memset(gradients, 0, (size_t)stack->gradients_count * sizeof(float));
  memset(sums, 0, (size_t)stack->sums_count * sizeof(float));
  for (long image = block * stack->images / blocks; image < (block + 1) * stack->images / blocks; image++)
    backward_of(stack, image, gradients, sums);
}
