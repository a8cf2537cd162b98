// A convolution whose pixels come one after the other, as sampling needs them: what its taps see is gathered into a row for each image,
// and the rows are multiplied by the packed weights in the order of the whole image's convolution, taps and then channels.
#include "tiles.h"

INLINE float *kept_at(const fount_pixels *layer, long image, long row, long column) {
  long place = ((row % layer->rows) + layer->rows) % layer->rows;
  return layer->kept + ((image * layer->rows + place) * layer->columns + column) * layer->channels;
}

void fount_pixels_put(const fount_pixels *layer, const float *x, long row, long column) {
  const long channels = layer->channels;
  for (long i = 0; i < layer->images; i++)
    memcpy(kept_at(layer, i, row, layer->left + column), x + i * channels, (size_t)channels * sizeof(float));
}

CLONES void fount_pixels_forward(const fount_pixels *layer, float *y, long row, long column) {
  const long images = layer->images, channels = layer->channels, filters = layer->filters, depth = layer->taps * channels;
  float *seen = fount_scratch(fount_scratch_image, images * depth);
  for (long i = 0; i < images; i++) {
    for (long t = 0; t < layer->taps; t++) {
      const float *from = kept_at(layer, i, row - layer->top + layer->tap_y[t], column + layer->tap_x[t]);
      memcpy(seen + i * depth + t * channels, from, (size_t)channels * sizeof(float));
    }
  }
  for (long first = 0; first < filters; first += fount_panel) {
    long width = min_of(fount_panel, filters - first);
    panel_of(images, seen, depth, 1, layer->packed + first * depth, depth, y + first, filters, width, 0);
  }
  fount_finish_columns(y, y, images, filters, layer->bias, 0, filters, layer->activation);
}
