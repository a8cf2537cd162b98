// Adam (Kingma & Ba 2015, Algorithm 1, with the bias corrections taken into two factors) with decoupled weight decay (Loshchilov & Hutter
// 2019) and a running average of the weights.
#include "clones.h"

INLINE void adam(
    float *restrict weights, float *restrict mean, float *restrict square, float *restrict average, const float *restrict gradient,
    long count, const fount_adam_settings *settings, const int averages) {
  const float beta1 = settings->beta1, beta2 = settings->beta2, epsilon = settings->epsilon, rate = settings->rate;
  const float gradient_scale = settings->gradient_scale;
  const float root_scale = settings->root_scale, shrink = settings->shrink, keep = settings->average_decay;
  const float new1 = 1.0f - beta1, new2 = 1.0f - beta2, new_average = 1.0f - keep;
  for (long i = 0; i < count; i++) {
    float g = gradient[i] * gradient_scale;
    float m = new1 * g;
    m = beta1 * mean[i] + m;
    // A mean that no gradient feeds would fade into numbers below the normal range, which many processors are slow at.
    m = __builtin_fabsf(m) < 1e-30f ? 0.0f : m;
    float v = g * g;
    v = new2 * v;
    v = beta2 * square[i] + v;
    v = v < 1e-36f ? 0.0f : v;
    mean[i] = m;
    square[i] = v;
    float root = __builtin_elementwise_sqrt(v);
    float below = root * root_scale + epsilon;
    float step = m / below;
    float w = weights[i] * shrink;
    w = rate * -step + w;
    weights[i] = w;
    if (averages) {
      float a = new_average * w;
      average[i] = keep * average[i] + a;
    }
  }
}

CLONES void fount_adam(
    float *weights, float *mean, float *square, float *average, const float *gradient, long count, const fount_adam_settings *settings) {
  if (average) {
    adam(weights, mean, square, average, gradient, count, settings, 1);
  } else {
    adam(weights, mean, square, weights, gradient, count, settings, 0);
  }
}
