// Stochastic gradient descent with momentum (Polyak 1964) and RMSProp (Tieleman & Hinton 2012), with decoupled weight decay and a running
// average of the weights; and the sum of squares that clipping by the global norm asks for.
#include "clones.h"

INLINE void average_one(float *restrict average, long i, float w, float keep) {
  float a = (1.0f - keep) * w;
  average[i] = keep * average[i] + a;
}

INLINE void sgd(
    float *restrict weights, float *restrict velocity, float *restrict average, const float *restrict gradient, long count,
    const fount_adam_settings *settings, const int has_velocity, const int averages) {
  const float momentum = settings->beta1, rate = settings->rate, shrink = settings->shrink, keep = settings->average_decay;
  const float gradient_scale = settings->gradient_scale;
  for (long i = 0; i < count; i++) {
    float step = gradient[i] * gradient_scale;
    if (has_velocity) {
      step = momentum * velocity[i] + step;
      // Numbers below the normal range, which many processors are slow at, would otherwise stay.
      step = __builtin_fabsf(step) < 1e-30f ? 0.0f : step;
      velocity[i] = step;
    }
    float w = weights[i] * shrink;
    w = rate * -step + w;
    weights[i] = w;
    if (averages) average_one(average, i, w, keep);
  }
}

CLONES void fount_sgd(
    float *weights, float *velocity, float *average, const float *gradient, long count, const fount_adam_settings *settings) {
  if (velocity && average) {
    sgd(weights, velocity, average, gradient, count, settings, 1, 1);
  } else if (velocity) {
    sgd(weights, velocity, weights, gradient, count, settings, 1, 0);
  } else if (average) {
    sgd(weights, weights, average, gradient, count, settings, 0, 1);
  } else {
    sgd(weights, weights, weights, gradient, count, settings, 0, 0);
  }
}

INLINE void rmsprop(
    float *restrict weights, float *restrict square, float *restrict average, const float *restrict gradient, long count,
    const fount_adam_settings *settings, const int averages) {
  const float decay = settings->beta2, rate = settings->rate, epsilon = settings->epsilon, shrink = settings->shrink;
  const float keep = settings->average_decay, fresh = 1.0f - decay, gradient_scale = settings->gradient_scale;
  for (long i = 0; i < count; i++) {
    float g = gradient[i] * gradient_scale;
    float v = g * g;
    v = fresh * v;
    v = decay * square[i] + v;
    v = v < 1e-36f ? 0.0f : v;
    square[i] = v;
    float below = __builtin_elementwise_sqrt(v) + epsilon;
    float step = g / below;
    float w = weights[i] * shrink;
    w = rate * -step + w;
    weights[i] = w;
    if (averages) average_one(average, i, w, keep);
  }
}

CLONES void fount_rmsprop(
    float *weights, float *square, float *average, const float *gradient, long count, const fount_adam_settings *settings) {
  if (average) {
    rmsprop(weights, square, average, gradient, count, settings, 1);
  } else {
    rmsprop(weights, square, weights, gradient, count, settings, 0);
  }
}

CLONES double fount_sum_of_squares(const float *x, long count) {
  enum { lanes = 16 };
  double sum[lanes] = {0};
  long i = 0;
  for (; i + lanes <= count; i += lanes) {
    for (int l = 0; l < lanes; l++) sum[l] = (double)x[i + l] * (double)x[i + l] + sum[l];
  }
  for (int l = 0; i + l < count; l++) sum[l] = (double)x[i + l] * (double)x[i + l] + sum[l];
  for (int width = lanes / 2; width > 0; width /= 2) {
    for (int l = 0; l < width; l++) sum[l] += sum[l + width];
  }
  return sum[0];
}
