// Diagonal Gaussians told by their means and the logarithms of their variances: draws that gradients go through, and the divergence to the
// standard normal in closed form (Kingma & Welling 2014, §2.4 and appendix B).
#include "functions.h"

enum { lanes = 16 };

CLONES void fount_gaussian(
    float *restrict z, const float *restrict parameters, long dims, uint32_t example, uint32_t step, uint32_t stream, uint64_t seed) {
  const float *mean = parameters, *log_variance = parameters + dims;
  fount_normal(z, dims, example, step, stream, seed);
  for (long d = 0; d < dims; d++) z[d] = exp_of(0.5f * log_variance[d]) * z[d] + mean[d];
}

CLONES void fount_gaussian_gradient(
    float *restrict dparameters, const float *restrict dz, const float *restrict parameters, long dims, int adds, uint32_t example,
    uint32_t step, uint32_t stream, uint64_t seed) {
  const float *log_variance = parameters + dims;
  float *dmean = dparameters, *dlog_variance = dparameters + dims;
  float *normals = fount_scratch(fount_scratch_image, dims);
  fount_normal(normals, dims, example, step, stream, seed);
  for (long d = 0; d < dims; d++) {
    float slope = 0.5f * (exp_of(0.5f * log_variance[d]) * normals[d]);
    float share = dz[d] * slope;
    dmean[d] = adds ? dmean[d] + dz[d] : dz[d];
    dlog_variance[d] = adds ? dlog_variance[d] + share : share;
  }
}

CLONES double fount_gaussian_divergence(const float *parameters, long dims) {
  const float *mean = parameters, *log_variance = parameters + dims;
  double sum[lanes] = {0};
  for (long d = 0; d < dims; d += lanes) {
    for (int l = 0; l < lanes && d + l < dims; l++) {
      double m = (double)mean[d + l], s = (double)log_variance[d + l];
      double square = m * m;
      sum[l] += 0.5 * (square + ((double)exp_of(log_variance[d + l]) - 1.0 - s));
    }
  }
  for (int width = lanes / 2; width > 0; width /= 2) {
    for (int l = 0; l < width; l++) sum[l] += sum[l + width];
  }
  return sum[0];
}

CLONES void fount_gaussian_divergence_gradient(
    float *restrict dparameters, const float *restrict parameters, float dnats, long dims, int adds) {
  const float *mean = parameters, *log_variance = parameters + dims;
  float *dmean = dparameters, *dlog_variance = dparameters + dims;
  for (long d = 0; d < dims; d++) {
    float by_mean = dnats * mean[d];
    float by_log_variance = dnats * (0.5f * (exp_of(log_variance[d]) - 1.0f));
    dmean[d] = adds ? dmean[d] + by_mean : by_mean;
    dlog_variance[d] = adds ? dlog_variance[d] + by_log_variance : by_log_variance;
  }
}
