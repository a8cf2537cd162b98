// exp, log, log(1 + u), sigmoid, softplus and tanh of single floats, at most 2 floats away from the true value rounded: the same few
// operations in every clone, written without branches so that loops over them become vectors.
// Polynomials and reductions are those of Cephes' single precision library (S. Moshier), but for `log1p_unit`.
#ifndef FOUNT_FUNCTIONS_H
#define FOUNT_FUNCTIONS_H

#include "clones.h"

INLINE float from_bits(int32_t bits) {
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

INLINE int32_t bits_of(float x) {
  int32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

// 2^n for −126 ≤ n ≤ 127. Unsigned, because of a NaN any n may come, whose result is multiplied by NaN.
INLINE float power_of_2(int32_t n) { return from_bits((int32_t)((uint32_t)(n + 127) << 23)); }

INLINE float exp_of(float x) {
  // Beyond these the result is infinite or 0; NaN stays.
  x = x > 89.0f ? 89.0f : x;
  x = x < -104.0f ? -104.0f : x;
  // n = x / ln 2 to the nearest integer, which the addition of 1.5·2^23 leaves in the low bits.
  float shifted = x * 1.44269504088896341f + 0x1.8p23f;
  float n = shifted - 0x1.8p23f;
  int32_t whole = bits_of(shifted) - 0x4B400000;
  // ln 2 in two parts, the first with few bits so that its multiple is exact.
  float r = n * -0.693359375f + x;
  r = n * 2.12194440e-4f + r;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  // 1 + r, what that rounding lost, and the rest, which is small.
  float square = r * r;
  float sum = 1.0f + r;
  float lost = r - (sum - 1.0f);
  p = p * square + lost;
  p = sum + p;
  // Scaled in two steps, so that results below the normal range round once.
  int32_t half = whole >> 1;
  float scaled = p * power_of_2(half);
  return scaled * power_of_2(whole - half);
}

// e^x for x ≤ 0: the same reduction with fewer operations, since a result is at most 1.
INLINE float exp_of_negative(float x) {
  x = x < -104.0f ? -104.0f : x;
  float shifted = x * 1.44269504088896341f + 0x1.8p23f;
  float n = shifted - 0x1.8p23f;
  float r = n * -0.693359375f + x;
  r = n * 2.12194440e-4f + r;
  // Neighbours first, so that fewer operations wait for each other.
  float square = r * r;
  float high = 1.9875691500e-4f * r + 1.3981999507e-3f, middle = 8.3334519073e-3f * r + 4.1665795894e-2f;
  float low = 1.6666665459e-1f * r + 5.0000001201e-1f;
  float p = high * square + middle;
  p = p * square + low;
  p = p * square + r;
  p = 1.0f + p;
  // 2^(n + 64) and then 2^−64, so that results below the normal range round once. Shifting leaves n alone of what `shifted` holds.
  int32_t scale = (int32_t)(((uint32_t)bits_of(shifted) << 23) + ((uint32_t)(127 + 64) << 23));
  return p * from_bits(scale) * 0x1p-64f;
}

INLINE float log_of(float x) {
  // Numbers below the normal range are brought into it.
  int tiny = x < 0x1p-126f;
  float normal = tiny ? x * 0x1p23f : x;
  // x = m · 2^e with m in [√½, √2).
  int32_t bits = bits_of(normal);
  int32_t e = (bits - 0x3F3504F3) >> 23;
  float m = from_bits(bits - (e << 23)) - 1.0f;
  float exponent = (float)(e - (tiny ? 23 : 0));
  float square = m * m;
  float p = 7.0376836292e-2f;
  p = p * m + -1.1514610310e-1f;
  p = p * m + 1.1676998740e-1f;
  p = p * m + -1.2420140846e-1f;
  p = p * m + 1.4249322787e-1f;
  p = p * m + -1.6668057665e-1f;
  p = p * m + 2.0000714765e-1f;
  p = p * m + -2.4999993993e-1f;
  p = p * m + 3.3333331174e-1f;
  p = p * m;
  p = p * square;
  p = exponent * -2.12194440e-4f + p;
  p = square * -0.5f + p;
  float y = m + p;
  y = exponent * 0.693359375f + y;
  y = x == __builtin_inff() ? x : y;
  y = x == 0.0f ? -__builtin_inff() : y;
  return x >= 0.0f ? y : __builtin_nanf("");
}

// log(1 + u) for 0 ≤ u ≤ 1: 2·artanh(s) with s = u / (2 + u) ≤ 1/3, and artanh(s) = s + s³·p(s²), p fitted to within 1.2e-10.
INLINE float log1p_unit(float u) {
  float below = 2.0f + u;
  float lost = u - (below - 2.0f);
  float s = u / below;
  // What the rounding of 2 + u lost: 1 / (2 + u) is (1 − s) / 2.
  float correction = s * lost;
  float half = 0.5f - 0.5f * s;
  s = correction * -half + s;
  float square = s * s;
  float p = 0.12150470167f;
  p = p * square + 0.10713828355f;
  p = p * square + 0.14308442175f;
  p = p * square + 0.19999438524f;
  p = p * square + 0.33333337307f;
  p = p * square;
  float twice = s + s;
  return twice * p + twice;
}

// sigmoid(z) = 1 / (1 + e^−z), with e raised to −|z| alone, so that nothing overflows and small results keep their digits.
INLINE float sigmoid_of(float z) {
  float e = exp_of_negative(-__builtin_fabsf(z));
  float above = z < 0.0f ? e : 1.0f;
  return above / (1.0f + e);
}

// log(1 + e^z).
INLINE float softplus_of(float z) {
  float e = exp_of_negative(-__builtin_fabsf(z));
  float positive = z < 0.0f ? 0.0f : z;
  return positive + log1p_unit(e);
}

INLINE float tanh_of(float x) {
  float magnitude = __builtin_fabsf(x);
  float e = exp_of_negative(-2.0f * magnitude);
  float far = (1.0f - e) / (1.0f + e);
  float square = x * x;
  float p = -5.70498872745e-3f;
  p = p * square + 2.06390887954e-2f;
  p = p * square + -5.37397155531e-2f;
  p = p * square + 1.33314422036e-1f;
  p = p * square + -3.33332819422e-1f;
  p = p * square;
  float near = p * x + x;
  float signed_far = __builtin_copysignf(far, x);
  return magnitude < 0.625f ? near : signed_far;
}

#endif
