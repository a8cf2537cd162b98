// Convolutions as products that are never written out: in [height, width, channels] the taps of one row are contiguous, so a result's
// inputs are a few runs of memory, the same for every pixel but for where they begin. A mask's dead taps are in no run.
#ifndef FOUNT_CONVOLUTION_H
#define FOUNT_CONVOLUTION_H

#include "clones.h"

INLINE long min_of(long a, long b) { return a < b ? a : b; }
INLINE long max_of(long a, long b) { return a > b ? a : b; }
INLINE long panels_of(long columns) { return (columns + fount_panel - 1) / fount_panel; }

// Where a result's inputs lie, from where its first tap's would.
typedef struct {
  int count;
  long offset[fount_taps_max], length[fount_taps_max];
} fount_runs;

// The pixels of an image, or every n-th of them: where the first begins, and how far rows and columns are apart, in floats.
typedef struct {
  float *first;
  long row, step;
} fount_pixels;

// The products' places: `rows` by `columns` pixels, each with its inputs and its results.
typedef struct {
  long rows, columns;
  const float *source;
  long source_row, source_step;
  // Sums that are cut for the cache are kept here, too. NULL first where `stream` is all that is written, and then sums are never cut.
  fount_pixels result;
  // Whether a sum begins with what the result holds.
  int adds;
  // What is done to a complete sum, in this order. `bias` is added, NULL for none; what `slopes` gave under `slopes_of` turns a gradient
  // by it into one by what it was given; what `stream` holds is added, and takes the sum; the activation gives the result.
  const float *bias;
  fount_pixels slopes;
  int slopes_of;  // fount_identity: none
  fount_pixels stream;
  int stream_adds, stream_stays;
  int activation;
  // Memory that is wanted next, `ahead_count` floats, fetched on the way: to be read, or to be written.
  const float *ahead;
  long ahead_count;
  int ahead_writes;
} fount_grid;

// All panels of results: packed [panels, depth, 16], `columns` of the results being there.
void fount_correlate(const fount_grid *over, const fount_runs *inputs, const float *packed, long depth, long columns);

// sums [panels, depth + 1, 16] += Σ over pixels of source ⊗ dy, and in the last row dy alone. `dy` has `columns` columns, `band` room for
// 16 floats a pixel.
void fount_correlate_weights(
    long rows, long columns, fount_pixels source, fount_pixels dy, const fount_runs *inputs, long depth, long filters, float *band,
    float *sums);

INLINE void add_run(fount_runs *all, long offset, long length) {
  int last = all->count - 1;
  if (last >= 0 && all->offset[last] + all->length[last] == offset) {
    all->length[last] += length;
  } else {
    all->offset[all->count] = offset;
    all->length[all->count] = length;
    all->count++;
  }
}

// MARK: The steps of a layer over one image, its borders being there already

// The results of one image, `source` being where its first pixel's first tap would be. What is done to sums is told by `over`, whose
// extents and inputs this function fills in.
void fount_convolve(const fount_convolution *layer, const float *packed, const float *source, long source_row, fount_grid *over);
// The data's gradient of one image, `dy` being where the zeros around it begin. Of `over` its results are pixel by pixel of dx.
void fount_convolve_back(const fount_convolution *layer, const float *packed, const float *dy, long dy_row, const fount_grid *over);
// One image's share of the weights' gradient.
void fount_convolve_weights(
    const fount_convolution *layer, const float *source, long source_row, fount_pixels dy, float *band, float *sums);

#endif
