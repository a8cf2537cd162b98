// Mixtures of Gaussians: the density of a real number, its derivatives, and draws (RNADE: Uria, Murray & Larochelle 2013, eqs. 9 to 13).
#include "mixture.h"

enum { components_max = fount_gaussians_max };
// A deviation of at least e^−7, about a thousandth of the data's own: a value that comes again and again has no density, and a narrower
// component would follow it without end.
static const float least_log_deviation = -7.0f;
// Farther off than so many deviations a value counts as just so far, so that no square overflows.
static const float farthest = 1e18f;
static const float log_root_2pi = 0.918938533204672742f;

// One number's −ln p, with the components' shares of the prior and of the posterior and what the derivatives need.
typedef struct {
  float prior[components_max], posterior[components_max], off[components_max], inverse[components_max];
} site;

INLINE double site_nats(const float *parameters, float x, long components, site *of) {
  const float *logits = parameters, *means = parameters + components, *log_deviations = means + components;
  for (long k = 0; k < components; k++) {
    float bounded = log_deviations[k] < least_log_deviation ? least_log_deviation : log_deviations[k];
    float inverse = exp_of(-bounded), off = (x - means[k]) * inverse;
    off = off > farthest ? farthest : off;
    off = off < -farthest ? -farthest : off;
    float log_density = -0.5f * off * off;
    log_density -= bounded + log_root_2pi;
    of->inverse[k] = inverse;
    of->off[k] = off;
    of->posterior[k] = logits[k] + log_density;
  }
  return mixture_nats(logits, components, of->prior, of->posterior);
}

CLONES double fount_gaussians_nats(const float *parameters, const float *x, long sites, long components) {
  double nats = 0.0;
  for (long s = 0; s < sites; s++) {
    site of;
    nats += site_nats(parameters + s * 3 * components, x[s], components, &of);
  }
  return nats;
}

CLONES void fount_gaussians_gradient(
    float *dparameters, const float *parameters, const float *x, float dnats, long sites, long components, int adds) {
  for (long s = 0; s < sites; s++) {
    site of;
    const float *log_deviations = parameters + (s * 3 + 2) * components;
    site_nats(parameters + s * 3 * components, x[s], components, &of);
    float *to = dparameters + s * 3 * components;
    for (long k = 0; k < components; k++) {
      float share = of.posterior[k] * dnats, off = of.off[k];
      float by_logit = (of.prior[k] - of.posterior[k]) * dnats;
      float by_mean = -share * (off * of.inverse[k]), by_log_deviation = share * (1.0f - off * off);
      by_log_deviation = log_deviations[k] < least_log_deviation ? 0.0f : by_log_deviation;
      to[k] = adds ? to[k] + by_logit : by_logit;
      to[components + k] = adds ? to[components + k] + by_mean : by_mean;
      to[2 * components + k] = adds ? to[2 * components + k] + by_log_deviation : by_log_deviation;
    }
  }
}

CLONES void fount_gaussians_draw(
    float *x, const float *parameters, const float *uniforms, const float *normals, long sites, long components, float temperature) {
  const float widening = __builtin_elementwise_sqrt(temperature);
  for (long s = 0; s < sites; s++) {
    const float *logits = parameters + s * 3 * components, *means = logits + components, *log_deviations = means + components;
    float scaled[components_max], drawn = 0.0f;
    for (long k = 0; k < components; k++) scaled[k] = logits[k] / temperature;
    fount_categorical(&drawn, scaled, uniforms + s, 1, components);
    long k = (long)drawn;
    float bounded = log_deviations[k] < least_log_deviation ? least_log_deviation : log_deviations[k];
    float deviation = exp_of(bounded) * widening;
    x[s] = deviation * normals[s] + means[k];
  }
}
