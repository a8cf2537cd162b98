// Units of a Boltzmann machine on its way from a simple one (Salakhutdinov & Murray 2008, §3.1): each draws itself at one temperature, and
// its sum over both states tells how far apart two temperatures are.
#include "functions.h"

enum { lanes = 16, stretch = 64 };

CLONES double fount_annealed_units(
    float *restrict bits, const float *restrict sums, const float *restrict base, long count, float from, float to, uint32_t example,
    uint32_t step, uint32_t stream, uint64_t seed) {
  double ratio[lanes] = {0};
  for (long at = 0; at < count; at += stretch) {
    float p[stretch], difference[stretch] = {0};
    long sites = count - at < stretch ? count - at : stretch;
    for (long i = 0; i < sites; i++) {
      float simple = base ? base[at + i] : 0.0f, far = sums[at + i] - simple;
      float now = to * far + simple;
      p[i] = sigmoid_of(now);
      difference[i] = softplus_of(now) - softplus_of(from * far + simple);
    }
    fount_bits(bits + at, p, at, sites, example, step, stream, seed);
    for (long i = 0; i < sites; i++) bits[at + i] *= to;
    for (long i = 0; i < stretch; i += lanes) {
      for (int l = 0; l < lanes; l++) ratio[l] += (double)difference[i + l];
    }
  }
  for (int width = lanes / 2; width > 0; width /= 2) {
    for (int l = 0; l < width; l++) ratio[l] += ratio[l + width];
  }
  return ratio[0];
}
