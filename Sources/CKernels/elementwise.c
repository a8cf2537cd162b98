// Activations, losses and moves: loops over elements, each the same operations whatever vector it falls into.
#include "functions.h"

CLONES void fount_finish_columns(
    float *y, const float *sums, long rows, long stride, const float *bias, long from, long to, int activation) {
  for (long r = 0; r < rows; r++) {
    float *at = y + r * stride;
    const float *sum = sums + r * stride;
    if (bias) {
      for (long c = from; c < to; c++) at[c] = sum[c] + bias[c];
    } else if (y != sums) {
      for (long c = from; c < to; c++) at[c] = sum[c];
    }
    switch (activation) {
      case fount_relu:
        for (long c = from; c < to; c++) at[c] = at[c] > 0.0f ? at[c] : 0.0f;
        break;
      case fount_sigmoid:
        for (long c = from; c < to; c++) at[c] = sigmoid_of(at[c]);
        break;
      case fount_tanh:
        for (long c = from; c < to; c++) at[c] = tanh_of(at[c]);
        break;
      case fount_leaky_relu:
        for (long c = from; c < to; c++) at[c] = at[c] > 0.0f ? at[c] : 0.2f * at[c];
        break;
    }
  }
}

CLONES void fount_activation_gradient(float *restrict dy, const float *restrict y, long count, int activation) {
  switch (activation) {
    case fount_relu:
      for (long i = 0; i < count; i++) dy[i] = y[i] > 0.0f ? dy[i] : 0.0f;
      break;
    case fount_sigmoid:
      for (long i = 0; i < count; i++) {
        float slope = y[i] * (1.0f - y[i]);
        dy[i] = dy[i] * slope;
      }
      break;
    case fount_tanh:
      for (long i = 0; i < count; i++) {
        float slope = 1.0f - y[i] * y[i];
        dy[i] = dy[i] * slope;
      }
      break;
    case fount_leaky_relu:
      for (long i = 0; i < count; i++) dy[i] = y[i] > 0.0f ? dy[i] : 0.2f * dy[i];
      break;
  }
}

CLONES void fount_add_activation_gradient(
    float *restrict dx, const float *restrict dy, const float *restrict y, long count, int activation) {
  switch (activation) {
    case fount_identity:
      for (long i = 0; i < count; i++) dx[i] += dy[i];
      break;
    case fount_relu:
      for (long i = 0; i < count; i++) dx[i] += y[i] > 0.0f ? dy[i] : 0.0f;
      break;
    case fount_sigmoid:
      for (long i = 0; i < count; i++) {
        float slope = y[i] * (1.0f - y[i]);
        dx[i] = dy[i] * slope + dx[i];
      }
      break;
    case fount_tanh:
      for (long i = 0; i < count; i++) {
        float slope = 1.0f - y[i] * y[i];
        dx[i] = dy[i] * slope + dx[i];
      }
      break;
    case fount_leaky_relu:
      for (long i = 0; i < count; i++) dx[i] = (y[i] > 0.0f ? 1.0f : 0.2f) * dy[i] + dx[i];
      break;
  }
}

CLONES void fount_map(float *restrict y, const float *restrict x, long count, int function) {
  switch (function) {
    case fount_map_exp:
      for (long i = 0; i < count; i++) y[i] = exp_of(x[i]);
      break;
    case fount_map_log:
      for (long i = 0; i < count; i++) y[i] = log_of(x[i]);
      break;
    case fount_map_sigmoid:
      for (long i = 0; i < count; i++) y[i] = sigmoid_of(x[i]);
      break;
    case fount_map_softplus:
      for (long i = 0; i < count; i++) y[i] = softplus_of(x[i]);
      break;
    case fount_map_tanh:
      for (long i = 0; i < count; i++) y[i] = tanh_of(x[i]);
      break;
  }
}

CLONES void fount_add(float *restrict y, const float *restrict x, long count, float scale, int adds) {
  if (adds) {
    for (long i = 0; i < count; i++) y[i] = scale * x[i] + y[i];
  } else {
    for (long i = 0; i < count; i++) y[i] = scale * x[i];
  }
}

CLONES void fount_sum(float *restrict y, const float *a, const float *b, long count) {
  for (long i = 0; i < count; i++) y[i] = a[i] + b[i];
}

CLONES void fount_average(float *restrict average, const float *restrict weights, long count, float decay) {
  const float fresh = 1.0f - decay;
  for (long i = 0; i < count; i++) average[i] = fresh * (weights[i] - average[i]) + average[i];
}

CLONES void fount_multiply(float *y, const float *a, const float *b, long count, int adds) {
  if (adds) {
    for (long i = 0; i < count; i++) y[i] = a[i] * b[i] + y[i];
  } else {
    for (long i = 0; i < count; i++) y[i] = a[i] * b[i];
  }
}

CLONES void fount_gather(
    float *y, const float *x, long rows, long columns, long x_columns, const int32_t *row_order, const int32_t *column_order) {
  for (long r = 0; r < rows; r++) {
    const float *from = x + (row_order ? row_order[r] : r) * x_columns;
    float *to = y + r * columns;
    if (column_order) {
      for (long c = 0; c < columns; c++) to[c] = from[column_order[c]];
    } else {
      memcpy(to, from, (size_t)columns * sizeof(float));
    }
  }
}

CLONES void fount_scatter_add(
    float *y, const float *x, long rows, long columns, long y_columns, const int32_t *row_order, const int32_t *column_order) {
  for (long r = 0; r < rows; r++) {
    float *to = y + (row_order ? row_order[r] : r) * y_columns;
    const float *from = x + r * columns;
    if (column_order) {
      for (long c = 0; c < columns; c++) to[column_order[c]] += from[c];
    } else {
      for (long c = 0; c < columns; c++) to[c] += from[c];
    }
  }
}

// −ln p(x) = log(1 + e^z) − x·z, with the part that cancels taken together first.
INLINE float bernoulli_nats_of(float z, float x) {
  float e = exp_of(-__builtin_fabsf(z));
  float positive = z < 0.0f ? 0.0f : z;
  float linear = positive - x * z;
  return linear + log1p_unit(e);
}

CLONES void fount_bernoulli_nats(double *restrict nats, const float *restrict logits, const float *restrict x, long rows, long columns) {
  enum { lanes = 16 };
  for (long r = 0; r < rows; r++) {
    const float *z = logits + r * columns, *bits = x + r * columns;
    double sum[lanes] = {0};
    long c = 0;
    for (; c + lanes <= columns; c += lanes) {
      float term[lanes];
      for (int l = 0; l < lanes; l++) term[l] = bernoulli_nats_of(z[c + l], bits[c + l]);
      for (int l = 0; l < lanes; l++) sum[l] += (double)term[l];
    }
    for (int l = 0; c + l < columns; l++) sum[l] += (double)bernoulli_nats_of(z[c + l], bits[c + l]);
    for (int width = lanes / 2; width > 0; width /= 2) {
      for (int l = 0; l < width; l++) sum[l] += sum[l + width];
    }
    nats[r] = sum[0];
  }
}

CLONES void fount_bernoulli_gradient(
    float *restrict dlogits, const float *restrict logits, const float *restrict x, const float *restrict dnats, long rows, long columns,
    int adds) {
  for (long r = 0; r < rows; r++) {
    const float *z = logits + r * columns, *bits = x + r * columns;
    float *dz = dlogits + r * columns;
    float scale = dnats[r];
    if (adds) {
      for (long c = 0; c < columns; c++) dz[c] = (sigmoid_of(z[c]) - bits[c]) * scale + dz[c];
    } else {
      for (long c = 0; c < columns; c++) dz[c] = (sigmoid_of(z[c]) - bits[c]) * scale;
    }
  }
}

CLONES void fount_map_gradient(
    float *restrict dx, const float *restrict dy, const float *restrict x, const float *restrict y, long count, int function) {
  switch (function) {
    case fount_map_exp:
      for (long i = 0; i < count; i++) dx[i] = dy[i] * y[i] + dx[i];
      break;
    case fount_map_log:
      for (long i = 0; i < count; i++) dx[i] += dy[i] / x[i];
      break;
    case fount_map_sigmoid:
      for (long i = 0; i < count; i++) {
        float slope = y[i] * (1.0f - y[i]);
        dx[i] = dy[i] * slope + dx[i];
      }
      break;
    case fount_map_softplus:
      for (long i = 0; i < count; i++) dx[i] = dy[i] * sigmoid_of(x[i]) + dx[i];
      break;
    case fount_map_tanh:
      for (long i = 0; i < count; i++) {
        float slope = 1.0f - y[i] * y[i];
        dx[i] = dy[i] * slope + dx[i];
      }
      break;
  }
}
