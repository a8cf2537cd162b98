// The gated unit of van den Oord et al. 2016 (Conditional Image Generation with PixelCNN Decoders), eq. 2.
#include "functions.h"

CLONES void fount_gate(float *restrict y, const float *restrict x, long rows, long units) {
  for (long r = 0; r < rows; r++) {
    const float *value = x + r * 2 * units, *gate = value + units;
    for (long u = 0; u < units; u++) y[r * units + u] = tanh_of(value[u]) * sigmoid_of(gate[u]);
  }
}

CLONES void fount_gate_gradient(
    float *restrict dx, const float *restrict dy, const float *restrict x, long rows, long units, int adds) {
  for (long r = 0; r < rows; r++) {
    const float *value = x + r * 2 * units, *gate = value + units;
    float *dvalue = dx + r * 2 * units, *dgate = dvalue + units;
    for (long u = 0; u < units; u++) {
      float t = tanh_of(value[u]), s = sigmoid_of(gate[u]), d = dy[r * units + u];
      float t_slope = 1.0f - t * t;
      float by_value = d * s * t_slope;
      float by_gate = d * t * (s * (1.0f - s));
      dvalue[u] = adds ? dvalue[u] + by_value : by_value;
      dgate[u] = adds ? dgate[u] + by_gate : by_gate;
    }
  }
}
