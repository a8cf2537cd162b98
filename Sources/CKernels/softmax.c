// Distributions over classes, told by logits.
#include "functions.h"

enum { lanes = 16 };

INLINE float largest(const float *z, long columns) {
  float most = z[0];
  for (long c = 1; c < columns; c++) most = z[c] > most ? z[c] : most;
  return most;
}

// Σ e^(z − most), 16 sums in lanes, added in a fixed order.
INLINE double sum_of_exp(const float *z, long columns, float most) {
  double sum[lanes] = {0};
  long c = 0;
  for (; c + lanes <= columns; c += lanes) {
    float term[lanes];
    for (int l = 0; l < lanes; l++) term[l] = exp_of(z[c + l] - most);
    for (int l = 0; l < lanes; l++) sum[l] += (double)term[l];
  }
  for (int l = 0; c + l < columns; l++) sum[l] += (double)exp_of(z[c + l] - most);
  for (int width = lanes / 2; width > 0; width /= 2) {
    for (int l = 0; l < width; l++) sum[l] += sum[l + width];
  }
  return sum[0];
}

CLONES void fount_softmax_nats(double *nats, const float *logits, const float *classes, long rows, long columns) {
  for (long r = 0; r < rows; r++) {
    const float *z = logits + r * columns;
    float most = largest(z, columns);
    double sum = sum_of_exp(z, columns, most);
    nats[r] = (double)log_of((float)sum) + ((double)most - (double)z[(long)classes[r]]);
  }
}

CLONES void fount_softmax_gradient(
    float *restrict dlogits, const float *restrict logits, const float *restrict classes, const float *restrict dnats, long rows,
    long columns, int adds) {
  for (long r = 0; r < rows; r++) {
    const float *z = logits + r * columns;
    float *dz = dlogits + r * columns;
    float most = largest(z, columns), scale = dnats[r];
    float share = (float)((double)scale / sum_of_exp(z, columns, most));
    if (adds) {
      for (long c = 0; c < columns; c++) dz[c] = exp_of(z[c] - most) * share + dz[c];
    } else {
      for (long c = 0; c < columns; c++) dz[c] = exp_of(z[c] - most) * share;
    }
    dz[(long)classes[r]] -= scale;
  }
}

CLONES void fount_categorical(float *classes, const float *logits, const float *uniforms, long rows, long columns) {
  for (long r = 0; r < rows; r++) {
    const float *z = logits + r * columns;
    float most = largest(z, columns);
    double whole = 0.0, running = 0.0;
    for (long c = 0; c < columns; c++) whole += (double)exp_of(z[c] - most);
    double bound = (double)uniforms[r] * whole;
    // The running sum ends in the whole, which is above the bound; with logits that are no numbers the last class is taken.
    long drawn = columns - 1;
    for (long c = 0; c < columns; c++) {
      running += (double)exp_of(z[c] - most);
      if (running > bound) {
        drawn = c;
        break;
      }
    }
    classes[r] = (float)drawn;
  }
}
