// An LSTM that goes through an image line by line (van den Oord, Kalchbrenner & Kavukcuoglu 2016, §3.1 and §3.2): over its rows, or over
// its diagonals from one corner or the other. The cells of a line see those of the line before, at their own place and beside it.
//
// In memory that is padded with zeros what a cell sees is contiguous, so that a line is one product, its rows overlapping. Diagonals are
// walked where they lie; no skewed copy of the image is made.
#include "tiles.h"

// Where a line's cells are: their places, and their pixels, `step` apart.
typedef struct {
  long from, count, pixel, step;
} line;

INLINE long max_of(long a, long b) { return a > b ? a : b; }

// How many places a line has at most, and how many lines there are.
INLINE long places_of(const fount_image_lstm *layer) { return layer->path == fount_rows ? layer->width : layer->height; }
INLINE long lines_of(const fount_image_lstm *layer) {
  return layer->path == fount_rows ? layer->height : layer->height + layer->width - 1;
}

INLINE line line_of(const fount_image_lstm *layer, long number) {
  const long width = layer->width;
  line at = {0, width, number * width, 1};
  if (layer->path == fount_rows) return at;
  // The cell of row r is in column `number` − r, counted from the left or from the right.
  at.from = max_of(0, number - width + 1);
  at.count = min_of(layer->height - 1, number) - at.from + 1;
  long column = number - at.from;
  int mirrored = layer->path == fount_mirrored_diagonals;
  at.pixel = at.from * width + (mirrored ? width - 1 - column : column);
  at.step = mirrored ? width + 1 : width - 1;
  return at;
}

INLINE long panels_of(long columns) { return (columns + fount_panel - 1) / fount_panel; }

// Of the places that a cell sees in the line before, how many come before its own.
enum { places_before = 1 };

CLONES void fount_image_lstm_pack(const fount_image_lstm *layer, float *packed, long panel) {
  const long gates = 4 * layer->units, depth = layer->taps * layer->units, first = panel * fount_panel;
  for (long k = 0; k < depth; k++) {
    for (long j = 0; j < fount_panel; j++)
      packed[(panel * depth + k) * fount_panel + j] = first + j < gates ? layer->w[k * gates + first + j] : 0.0f;
  }
}

CLONES void fount_image_lstm_pack_back(const fount_image_lstm *layer, float *packed, long panel) {
  const long units = layer->units, gates = 4 * units, first = panel * fount_panel;
  float *to = packed + panel * layer->taps * gates * fount_panel;
  // The last tap first: it is for the cell that comes first.
  for (long t = layer->taps - 1; t >= 0; t--) {
    for (long g = 0; g < gates; g++) {
      for (long j = 0; j < fount_panel; j++) to[j] = first + j < units ? layer->w[(t * units + first + j) * gates + g] : 0.0f;
      to += fount_panel;
    }
  }
}

// The sums of a line's gates, [count, 4, units], and its states after, [count, 2, units]. `seen` holds the line before's h with a border,
// `before` its states, and both get this line's.
INLINE void step_forward(
    const fount_image_lstm *layer, const line *at, const float *x, const float *packed, const float *seen, const float *before,
    float *gates, float *after) {
  const long units = layer->units, wide = 4 * units, depth = layer->taps * units;
  for (long panel = 0; panel < panels_of(wide); panel++) {
    long first = panel * fount_panel;
    panel_of(at->count, seen + at->from * units, units, 1, packed + first * depth, depth, gates + first, wide,
        min_of(fount_panel, wide - first), 0);
  }
  for (long i = 0; i < at->count; i++) {
    const float *add = x + (at->pixel + i * at->step) * wide;
    for (long g = 0; g < wide; g++) gates[i * wide + g] += add[g];
  }
  fount_lstm(after, gates, before + at->from * 2 * units, at->count, units);
}

INLINE void keep_line(const fount_image_lstm *layer, const line *at, const float *after, float *seen, float *before) {
  const long units = layer->units;
  for (long i = 0; i < at->count; i++) {
    long place = at->from + i;
    memcpy(seen + (places_before + place) * units, after + i * 2 * units, (size_t)units * sizeof(float));
    memcpy(before + place * 2 * units, after + i * 2 * units, (size_t)(2 * units) * sizeof(float));
  }
}

CLONES void fount_image_lstm_forward(const fount_image_lstm *layer, const float *packed, long image) {
  const long units = layer->units, places = places_of(layer), pixels = layer->height * layer->width;
  const long seen_count = (places + layer->taps - 1) * units, before_count = places * 2 * units;
  float *seen = fount_scratch(fount_scratch_image, seen_count + before_count + places * 6 * units), *before = seen + seen_count;
  float *gates = before + before_count, *after = gates + places * 4 * units;
  memset(seen, 0, (size_t)(seen_count + before_count) * sizeof(float));
  const float *x = layer->x + image * pixels * 4 * units;
  float *y = layer->y + image * pixels * units;
  for (long number = 0; number < lines_of(layer); number++) {
    line at = line_of(layer, number);
    step_forward(layer, &at, x, packed, seen, before, gates, after);
    keep_line(layer, &at, after, seen, before);
    for (long i = 0; i < at.count; i++)
      memcpy(y + (at.pixel + i * at.step) * units, after + i * 2 * units, (size_t)units * sizeof(float));
  }
}

// dw of the line, [panels, taps · units, 16]: what its cells saw times their gates' gradients.
INLINE void add_weight_gradient(
    const fount_image_lstm *layer, const line *at, const float *seen, const float *dgates, float *band, float *sums) {
  const long units = layer->units, wide = 4 * units, depth = layer->taps * units;
  for (long panel = 0; panel < panels_of(wide); panel++) {
    long first = panel * fount_panel, columns = min_of(fount_panel, wide - first);
    for (long i = 0; i < at->count; i++) {
      for (long j = 0; j < fount_panel; j++) band[i * fount_panel + j] = j < columns ? dgates[i * wide + first + j] : 0.0f;
    }
    panel_of(depth, seen + at->from * units, 1, units, band, at->count, sums + panel * depth * fount_panel, fount_panel, fount_panel, 1);
  }
}

// One image: dx, and its share of dw. Everything is computed once more on the way forward and kept.
INLINE void image_backward(
    const fount_image_lstm *layer, const float *packed, const float *packed_back, float *sums, float *scratch, long image) {
  const long units = layer->units, wide = 4 * units, places = places_of(layer), pixels = layer->height * layer->width;
  const long lines = lines_of(layer), border = (layer->taps - 1) * units;
  // Gates and states of all lines, one after the other.
  float *gates = scratch, *after = gates + pixels * wide, *seen = after + pixels * 2 * units;
  float *before = seen + places * units + border, *dstate = before + places * 2 * units, *dbefore = dstate + places * 2 * units;
  float *dgates = dbefore + places * 2 * units, *dseen = dgates + places * wide;
  float *dh = dseen + places * wide + 4 * border, *dc = dh + places * units, *band = dc + places * units;
  const float *x = layer->x + image * pixels * wide, *dy = layer->dy + image * pixels * units;
  memset(seen, 0, (size_t)(places * units + border + places * 2 * units) * sizeof(float));
  long done = 0;
  for (long number = 0; number < lines; number++) {
    line at = line_of(layer, number);
    step_forward(layer, &at, x, packed, seen, before, gates + done * wide, after + done * 2 * units);
    keep_line(layer, &at, after + done * 2 * units, seen, before);
    done += at.count;
  }
  memset(dh, 0, (size_t)(places * 2 * units) * sizeof(float));
  for (long number = lines - 1; number >= 0; number--) {
    line at = line_of(layer, number), last = {0, 0, 0, 0};
    done -= at.count;
    // What the line saw: the line before it, and zeros where that has no cells.
    memset(seen, 0, (size_t)(places * units + border + places * 2 * units) * sizeof(float));
    if (number > 0) {
      last = line_of(layer, number - 1);
      keep_line(layer, &last, after + (done - last.count) * 2 * units, seen, before);
    }
    for (long i = 0; i < at.count; i++) {
      const float *from = dy + (at.pixel + i * at.step) * units;
      float *d = dstate + i * 2 * units;
      for (long u = 0; u < units; u++) {
        d[u] = from[u] + dh[(at.from + i) * units + u];
        d[units + u] = dc[(at.from + i) * units + u];
      }
    }
    fount_lstm_gradient(dgates, dbefore, dstate, gates + done * wide, before + at.from * 2 * units, after + done * 2 * units, at.count,
        units, 0, 0);
    memset(dseen, 0, (size_t)(places * wide + 4 * border) * sizeof(float));
    for (long i = 0; i < at.count; i++) {
      const float *d = dgates + i * wide;
      memcpy(dseen + (layer->taps - 1 - places_before + at.from + i) * wide, d, (size_t)wide * sizeof(float));
      memcpy(dc + (at.from + i) * units, dbefore + i * 2 * units + units, (size_t)units * sizeof(float));
      if (!layer->dx) continue;
      float *to = layer->dx + (image * pixels + at.pixel + i * at.step) * wide;
      for (long g = 0; g < wide; g++) to[g] = layer->dx_adds ? to[g] + d[g] : d[g];
    }
    add_weight_gradient(layer, &at, seen, dgates, band, sums);
    for (long panel = 0; panel < panels_of(units); panel++) {
      long first = panel * fount_panel, depth = layer->taps * wide;
      panel_of(last.count, dseen + last.from * wide, wide, 1, packed_back + first * depth, depth, dh + last.from * units + first, units,
          min_of(fount_panel, units - first), 0);
    }
  }
}

CLONES void fount_image_lstm_backward(
    const fount_image_lstm *layer, const float *packed, const float *packed_back, float *partial, long block, long blocks) {
  const long units = layer->units, places = places_of(layer), pixels = layer->height * layer->width, border = (layer->taps - 1) * units;
  const long sums_count = panels_of(4 * units) * layer->taps * units * fount_panel;
  const long count = pixels * 6 * units + places * units * (1 + 2 + 2 + 2 + 4 + 4 + 2) + 5 * border + places * fount_panel;
  float *scratch = fount_scratch(fount_scratch_image, count), *sums = partial + block * sums_count;
  memset(sums, 0, (size_t)sums_count * sizeof(float));
  for (long image = block * layer->images / blocks; image < (block + 1) * layer->images / blocks; image++)
    image_backward(layer, packed, packed_back, sums, scratch, image);
}

CLONES void fount_image_lstm_sum_blocks(const fount_image_lstm *layer, const float *partial, long panel, long blocks) {
  const long gates = 4 * layer->units, depth = layer->taps * layer->units, panels = panels_of(gates), first = panel * fount_panel;
  const long columns = min_of(fount_panel, gates - first);
  for (long k = 0; k < depth; k++) {
    floats sum = 0.0f;
    for (long block = 0; block < blocks; block++)
      sum += *(const floats_anywhere *)(partial + ((block * panels + panel) * depth + k) * fount_panel);
    float *to = layer->dw + k * gates + first;
    for (long j = 0; j < columns; j++) to[j] = layer->dw_adds ? to[j] + sum[j] : sum[j];
  }
}
