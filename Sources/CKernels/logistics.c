// Discretized mixtures of logistics (Salimans, Karpathy, Chen & Kingma 2017, §2.1): the mass that a mixture of logistics, on −1…1, puts
// into the bin of one of 256 levels, the outermost bins reaching to infinity.
#include "logistic_mass.h"
#include "mixture.h"

enum { components_max = fount_logistics_max };

// One site's −ln p, with the components' shares of the prior and of the posterior and their derivatives.
typedef struct {
  float prior[components_max], posterior[components_max], by_mean[components_max], by_log_scale[components_max];
} site;

INLINE double site_nats(const float *parameters, float x, long components, site *of) {
  const float *logits = parameters, *means = parameters + components, *log_scales = means + components;
  for (long k = 0; k < components; k++)
    of->posterior[k] = logits[k] + log_mass(x, means[k], log_scales[k], of->by_mean + k, of->by_log_scale + k);
  return mixture_nats(logits, components, of->prior, of->posterior);
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
