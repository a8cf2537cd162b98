// The cell of a long short-term memory (Hochreiter & Schmidhuber 1997; with the forget gate of Gers, Schmidhuber & Cummins 2000).
#include "functions.h"

CLONES void fount_lstm(float *restrict y, const float *restrict gates, const float *restrict before, long rows, long units) {
  for (long r = 0; r < rows; r++) {
    const float *in = gates + r * 4 * units, *forget = in + units, *candidate = forget + units, *out = candidate + units;
    const float *cell_before = before + r * 2 * units + units;
    float *h = y + r * 2 * units, *cell = h + units;
    for (long u = 0; u < units; u++) {
      float fresh = sigmoid_of(in[u]) * tanh_of(candidate[u]);
      float c = sigmoid_of(forget[u]) * cell_before[u] + fresh;
      cell[u] = c;
      h[u] = sigmoid_of(out[u]) * tanh_of(c);
    }
  }
}

CLONES void fount_lstm_gradient(
    float *restrict dgates, float *restrict dbefore, const float *restrict dy, const float *restrict gates, const float *restrict before,
    const float *restrict y, long rows, long units, int gates_add, int before_adds) {
  for (long r = 0; r < rows; r++) {
    const float *in = gates + r * 4 * units, *forget = in + units, *candidate = forget + units, *out = candidate + units;
    const float *cell_before = before + r * 2 * units + units, *cell = y + r * 2 * units + units;
    const float *dh = dy + r * 2 * units, *dcell = dh + units;
    float *din = dgates + r * 4 * units, *dh_before = dbefore ? dbefore + r * 2 * units : NULL;
    for (long u = 0; u < units; u++) {
      float i = sigmoid_of(in[u]), f = sigmoid_of(forget[u]), g = tanh_of(candidate[u]), o = sigmoid_of(out[u]), t = tanh_of(cell[u]);
      // The cell's gradient: its own, and what comes through h.
      float slope = 1.0f - t * t;
      float through = dh[u] * o;
      float dc = through * slope + dcell[u];
      float d[4];
      d[0] = dc * g * (i * (1.0f - i));
      d[1] = dc * cell_before[u] * (f * (1.0f - f));
      float g_slope = 1.0f - g * g;
      d[2] = dc * i * g_slope;
      d[3] = dh[u] * t * (o * (1.0f - o));
      for (int k = 0; k < 4; k++) din[k * units + u] = gates_add ? din[k * units + u] + d[k] : d[k];
      if (dh_before) {
        float back = dc * f;
        if (!before_adds) dh_before[u] = 0.0f;
        dh_before[units + u] = before_adds ? dh_before[units + u] + back : back;
      }
    }
  }
}
