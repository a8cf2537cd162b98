// Discretized mixtures of logistics (Salimans, Karpathy, Chen & Kingma 2017, §2.1): the mass that a mixture of logistics, on −1…1, puts
// into the bin of one of 256 levels, the outermost bins reaching to infinity.
//
// With a and b the bin's upper and lower edge in units of the scale, σ(a) − σ(b) = σ(a) · σ(−b) · (1 − e^(b−a)): three factors whose
// logarithms are sums without cancellation, however far away the bin or narrow the logistic is.
#include "functions.h"

enum { components_max = fount_logistics_max };
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

// One site's −ln p, with the components' shares of the prior and of the posterior and their derivatives.
typedef struct {
  float prior[components_max], posterior[components_max], by_mean[components_max], by_log_scale[components_max];
} site;

INLINE double site_nats(const float *parameters, float x, long components, site *of) {
  const float *logits = parameters, *means = parameters + components, *log_scales = means + components;
  float joint[components_max];
  for (long k = 0; k < components; k++)
    joint[k] = logits[k] + log_mass(x, means[k], log_scales[k], of->by_mean + k, of->by_log_scale + k);
  float most_logit = logits[0], most_joint = joint[0];
  for (long k = 1; k < components; k++) {
    most_logit = logits[k] > most_logit ? logits[k] : most_logit;
    most_joint = joint[k] > most_joint ? joint[k] : most_joint;
  }
  float all_logits = 0.0f, all_joint = 0.0f;
  for (long k = 0; k < components; k++) {
    of->prior[k] = exp_of(logits[k] - most_logit);
    of->posterior[k] = exp_of(joint[k] - most_joint);
    all_logits += of->prior[k];
    all_joint += of->posterior[k];
  }
  for (long k = 0; k < components; k++) of->prior[k] /= all_logits, of->posterior[k] /= all_joint;
  double prior = (double)most_logit + (double)log_of(all_logits);
  return prior - ((double)most_joint + (double)log_of(all_joint));
}

CLONES double fount_logistics_nats(const float *parameters, const float *x, long sites, long components) {
  double nats = 0.0;
  for (long s = 0; s < sites; s++) {
    site of;
    nats += site_nats(parameters + s * 3 * components, x[s], components, &of);
  }
  return nats;
}

CLONES void fount_logistics_gradient(
    float *dparameters, const float *parameters, const float *x, float dnats, long sites, long components, int adds) {
  for (long s = 0; s < sites; s++) {
    site of;
    site_nats(parameters + s * 3 * components, x[s], components, &of);
    float *to = dparameters + s * 3 * components;
    for (long k = 0; k < components; k++) {
      float share = of.posterior[k] * dnats;
      float by_logit = (of.prior[k] - of.posterior[k]) * dnats;
      float by_mean = -share * of.by_mean[k], by_log_scale = -share * of.by_log_scale[k];
      to[k] = adds ? to[k] + by_logit : by_logit;
      to[components + k] = adds ? to[components + k] + by_mean : by_mean;
      to[2 * components + k] = adds ? to[2 * components + k] + by_log_scale : by_log_scale;
    }
  }
}
