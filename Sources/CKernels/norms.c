// Normalization over the columns of a row (layer norm) and over the rows of a column (batch norm). Variances are sums of squared distances
// from the mean, which is taken first, so that nothing cancels.
#include "clones.h"

enum { lanes = 16 };

// Σ (x − mean)^power of a row, power 1 or 2: 16 sums in lanes, added in a fixed order.
INLINE double row_sum(const float *x, long columns, float mean, const int squares) {
  double sum[lanes] = {0};
  long c = 0;
  for (; c + lanes <= columns; c += lanes) {
    for (int l = 0; l < lanes; l++) {
      double d = (double)(x[c + l] - mean);
      sum[l] = squares ? d * d + sum[l] : sum[l] + d;
    }
  }
  for (int l = 0; c + l < columns; l++) {
    double d = (double)(x[c + l] - mean);
    sum[l] = squares ? d * d + sum[l] : sum[l] + d;
  }
  for (int width = lanes / 2; width > 0; width /= 2) {
    for (int l = 0; l < width; l++) sum[l] += sum[l + width];
  }
  return sum[0];
}

// A row's mean and 1 over its deviation.
INLINE void moments(const float *x, long columns, float epsilon, float *mean, float *inverse) {
  *mean = (float)(row_sum(x, columns, 0.0f, 0) / (double)columns);
  double variance = row_sum(x, columns, *mean, 1) / (double)columns;
  *inverse = (float)(1.0 / __builtin_elementwise_sqrt(variance + (double)epsilon));
}

CLONES void fount_layer_norm(
    float *restrict y, const float *restrict x, const float *restrict gain, const float *restrict shift, float epsilon, long rows,
    long columns) {
  for (long r = 0; r < rows; r++) {
    const float *from = x + r * columns;
    float *to = y + r * columns;
    float mean, inverse;
    moments(from, columns, epsilon, &mean, &inverse);
    for (long c = 0; c < columns; c++) {
      float normal = (from[c] - mean) * inverse;
      to[c] = normal * gain[c] + shift[c];
    }
  }
}

CLONES void fount_layer_norm_gradient(
    float *restrict dx, const float *restrict dy, const float *restrict x, const float *restrict gain, float epsilon, long rows,
    long columns, int adds) {
  for (long r = 0; r < rows; r++) {
    const float *from = x + r * columns, *given = dy + r * columns;
    float *to = dx + r * columns;
    float mean, inverse;
    moments(from, columns, epsilon, &mean, &inverse);
    // Σ of the gradient by the normalized row, and of its product with that row.
    double plain[lanes] = {0}, along[lanes] = {0};
    for (long c = 0; c < columns; c += lanes) {
      long count = columns - c < lanes ? columns - c : lanes;
      for (long l = 0; l < count; l++) {
        float normal = (from[c + l] - mean) * inverse;
        float d = given[c + l] * gain[c + l];
        plain[l] += (double)d;
        along[l] = (double)d * (double)normal + along[l];
      }
    }
    for (int width = lanes / 2; width > 0; width /= 2) {
      for (int l = 0; l < width; l++) plain[l] += plain[l + width], along[l] += along[l + width];
    }
    float mean_plain = (float)(plain[0] / (double)columns), mean_along = (float)(along[0] / (double)columns);
    for (long c = 0; c < columns; c++) {
      float normal = (from[c] - mean) * inverse;
      float d = given[c] * gain[c];
      d = d - mean_plain;
      d = normal * -mean_along + d;
      to[c] = adds ? d * inverse + to[c] : d * inverse;
    }
  }
}

CLONES void fount_layer_norm_sums(
    float *restrict dgain, float *restrict dshift, const float *restrict dy, const float *restrict x, float epsilon, long rows,
    long columns) {
  for (long c = 0; c < columns; c++) dgain[c] = 0.0f, dshift[c] = 0.0f;
  for (long r = 0; r < rows; r++) {
    const float *from = x + r * columns, *given = dy + r * columns;
    float mean, inverse;
    moments(from, columns, epsilon, &mean, &inverse);
    for (long c = 0; c < columns; c++) {
      float normal = (from[c] - mean) * inverse;
      dgain[c] = given[c] * normal + dgain[c];
      dshift[c] += given[c];
    }
  }
}

// MARK: Columns

CLONES void fount_sum_columns(
    float *restrict sums, const float *restrict x, const float *restrict mean, const float *restrict dy, const float *restrict inverse,
    long rows, long columns) {
  for (long c = 0; c < columns; c++) sums[c] = 0.0f;
  for (long r = 0; r < rows; r++) {
    const float *from = x + r * columns;
    if (dy) {
      const float *given = dy + r * columns;
      for (long c = 0; c < columns; c++) {
        float normal = (from[c] - mean[c]) * inverse[c];
        sums[c] = given[c] * normal + sums[c];
      }
    } else if (mean) {
      for (long c = 0; c < columns; c++) {
        float d = from[c] - mean[c];
        sums[c] = d * d + sums[c];
      }
    } else {
      for (long c = 0; c < columns; c++) sums[c] += from[c];
    }
  }
}

CLONES void fount_normalize_columns(
    float *restrict y, const float *restrict x, const float *restrict mean, const float *restrict scale, const float *restrict shift,
    long rows, long columns) {
  for (long r = 0; r < rows; r++) {
    for (long c = 0; c < columns; c++) y[r * columns + c] = (x[r * columns + c] - mean[c]) * scale[c] + shift[c];
  }
}

CLONES void fount_batch_norm_gradient(
    float *restrict dx, const float *restrict dy, const float *restrict x, const float *restrict mean, const float *restrict inverse,
    const float *restrict scale, const float *restrict mean_plain, const float *restrict mean_along, long rows, long columns, int adds) {
  for (long r = 0; r < rows; r++) {
    const float *from = x + r * columns, *given = dy + r * columns;
    float *to = dx + r * columns;
    for (long c = 0; c < columns; c++) {
      float normal = (from[c] - mean[c]) * inverse[c];
      float d = given[c] - mean_plain[c];
      d = normal * -mean_along[c] + d;
      to[c] = adds ? d * scale[c] + to[c] : d * scale[c];
    }
  }
}
