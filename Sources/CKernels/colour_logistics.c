// Mixtures of logistics over the three channels of a pixel (Salimans, Karpathy, Chen & Kingma 2017, §2.2): a component's mean of green
// depends on red, that of blue on red and green, linearly; the share of a component is one for all three.
#include "logistic_mass.h"
#include "mixture.h"

enum { components_max = fount_logistics_max, channels = 3 };

// One component's ln of the mass in the pixel's bins, with what its derivatives are made of.
typedef struct {
  float log_mass, by_mean[channels], by_log_scale[channels], coefficient[channels];
} component;

// `at` is the component's first number; its ten stand `step` apart: share, three means, three scales, and before their tanh the
// coefficients of red in green, red in blue and green in blue.
INLINE void mass_of(component *of, const float *at, long step, const float *x) {
  float red = 2.0f * x[0] - 1.0f, green = 2.0f * x[1] - 1.0f;
  for (int i = 0; i < channels; i++) of->coefficient[i] = tanh_of(at[(7 + i) * step]);
  float mean[channels];
  mean[0] = at[step];
  mean[1] = of->coefficient[0] * red + at[2 * step];
  mean[2] = of->coefficient[1] * red + at[3 * step];
  mean[2] = of->coefficient[2] * green + mean[2];
  of->log_mass = 0.0f;
  for (int c = 0; c < channels; c++) of->log_mass += log_mass(x[c], mean[c], at[(4 + c) * step], of->by_mean + c, of->by_log_scale + c);
}

INLINE double pixel_nats(const float *parameters, const float *x, long components, component *of, float *prior, float *posterior) {
  for (long k = 0; k < components; k++) {
    mass_of(of + k, parameters + k, components, x);
    posterior[k] = parameters[k] + of[k].log_mass;
  }
  return mixture_nats(parameters, components, prior, posterior);
}

CLONES double fount_colour_logistics_nats(const float *parameters, const float *x, long pixels, long components) {
  component of[components_max];
  float prior[components_max], posterior[components_max];
  double nats = 0.0;
  for (long p = 0; p < pixels; p++)
    nats += pixel_nats(parameters + p * 10 * components, x + p * channels, components, of, prior, posterior);
  return nats;
}

CLONES void fount_colour_logistics_gradient(
    float *dparameters, const float *parameters, const float *x, float dnats, long pixels, long components, int adds) {
  component of[components_max];
  float prior[components_max], posterior[components_max];
  for (long p = 0; p < pixels; p++) {
    const float *pixel = x + p * channels;
    pixel_nats(parameters + p * 10 * components, pixel, components, of, prior, posterior);
    float red = 2.0f * pixel[0] - 1.0f, green = 2.0f * pixel[1] - 1.0f;
    for (long k = 0; k < components; k++) {
      float share = posterior[k] * dnats, d[10];
      d[0] = (prior[k] - posterior[k]) * dnats;
      for (int c = 0; c < channels; c++) d[1 + c] = -share * of[k].by_mean[c], d[4 + c] = -share * of[k].by_log_scale[c];
      for (int i = 0; i < channels; i++) {
        float slope = 1.0f - of[k].coefficient[i] * of[k].coefficient[i];
        d[7 + i] = d[i == 0 ? 2 : 3] * (i == 2 ? green : red) * slope;
      }
      float *to = dparameters + p * 10 * components + k;
      for (int i = 0; i < 10; i++) to[i * components] = adds ? to[i * components] + d[i] : d[i];
    }
  }
}

// The level whose bin holds v of −1…1, as 0…1: multiples of 1/255 rounded as a dataset's are. A NaN is black.
INLINE float level_of(float v) {
  float scaled = 127.5f * v + 128.0f;
  int level = scaled >= 255.0f ? 255 : scaled > 0.0f ? (int)scaled : 0;
  return (float)level * (1.0f / 255.0f);
}

CLONES void fount_logistics_draw(
    float *x, const float *parameters, const float *uniforms, long rows, long depth, long components, float temperature) {
  for (long r = 0; r < rows; r++) {
    const float *at = parameters + r * (depth == 1 ? 3 : 10) * components, *u = uniforms + r * (1 + depth);
    float most = at[0];
    for (long k = 1; k < components; k++) most = at[k] > most ? at[k] : most;
    double whole = 0.0, running = 0.0;
    for (long k = 0; k < components; k++) whole += (double)exp_of((at[k] - most) / temperature);
    double bound = (double)u[0] * whole;
    long drawn = components - 1;
    for (long k = 0; k < components; k++) {
      running += (double)exp_of((at[k] - most) / temperature);
      if (running > bound) {
        drawn = k;
        break;
      }
    }
    at += drawn;
    float *pixel = x + r * depth;
    for (long c = 0; c < depth; c++) {
      float mean = at[(1 + c) * components], log_scale = at[(1 + depth + c) * components];
      float bounded = log_scale < least_log_scale ? least_log_scale : log_scale;
      if (c > 0) mean = tanh_of(at[(c == 1 ? 7 : 8) * components]) * (2.0f * pixel[0] - 1.0f) + mean;
      if (c > 1) mean = tanh_of(at[9 * components]) * (2.0f * pixel[1] - 1.0f) + mean;
      float logit = log_of(u[1 + c]) - log_of(1.0f - u[1 + c]);
      float scale = exp_of(bounded) * temperature;
      pixel[c] = level_of(scale * logit + mean);
    }
  }
}
