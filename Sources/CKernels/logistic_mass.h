// The mass of a logistic, on −1…1, in the bin of one of 256 levels, the outermost bins reaching to infinity.
//
// With a and b the bin's upper and lower edge in units of the scale, σ(a) − σ(b) = σ(a) · σ(−b) · (1 − e^(b−a)): three factors whose
// logarithms are sums without cancellation, however far away the bin or narrow the logistic is.
#ifndef FOUNT_LOGISTIC_MASS_H
#define FOUNT_LOGISTIC_MASS_H

#include "functions.h"

// The paper's bound of the logarithm of a scale: narrower ones are as good as a point in one bin.
static const float least_log_scale = -7.0f;
static const float half_bin = 1.0f / 255.0f;

// 1 − e^−d for d > 0.
INLINE float complement_of_exp(float d) {
  float p = -1.0f / 720.0f;
  p = p * d + 1.0f / 120.0f;
  p = p * d + -1.0f / 24.0f;
  p = p * d + 1.0f / 6.0f;
  p = p * d + -0.5f;
  p = p * d + 1.0f;
  float near = p * d, far = 1.0f - exp_of(-d);
  return d < 0.25f ? near : far;
}

// ln of the mass in the bin of x (0…1), and its derivatives by the mean and by the logarithm of the scale.
INLINE float log_mass(float x, float mean, float log_scale, float *by_mean, float *by_log_scale) {
  float bounded = log_scale < least_log_scale ? least_log_scale : log_scale;
  float inverse = exp_of(-bounded);
  float centred = (2.0f * x - 1.0f) - mean;
  float a = (centred + half_bin) * inverse, b = (centred - half_bin) * inverse, d = 2.0f * half_bin * inverse;
  // Half a level from the ends.
  int has_upper = x < 1.0f - 0.5f / 255.0f, has_lower = x > 0.5f / 255.0f;
  float mass = complement_of_exp(d);
  float result = 0.0f, by_a = 0.0f, by_b = 0.0f, by_d = 0.0f;
  if (has_upper) {
    result -= softplus_of(-a);
    by_a = sigmoid_of(-a);
  }
  if (has_lower) {
    result -= softplus_of(b);
    by_b = -sigmoid_of(b);
  }
  if (has_upper && has_lower) {
    result += log_of(mass);
    by_d = exp_of(-d) / mass;
  }
  *by_mean = -inverse * (by_a + by_b);
  float along = a * by_a;
  along = b * by_b + along;
  along = d * by_d + along;
  *by_log_scale = log_scale < least_log_scale ? 0.0f : -along;
  return result;
}

#endif
