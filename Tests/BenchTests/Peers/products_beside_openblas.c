// The kernels' products beside OpenBLAS's, one thread each, in turn in one process, at the shapes of the families' layers.
//
//   apt-get install libopenblas-dev
//   clang -O2 -I Sources/CKernels/include Tests/BenchTests/Peers/products_beside_openblas.c Sources/CKernels/*.c \
//     -lopenblas -lm -lpthread -o products
//   env -u OPENBLAS_CORETYPE OPENBLAS_NUM_THREADS=1 ./products
//
// Prints, for a layer of [batch, inputs] by [inputs, outputs], the three products of a training step: GFLOP/s of the fastest of the rounds.
#include <cblas.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "CKernels.h"

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static float *numbers(long count, uint32_t index) {
  float *x = aligned_alloc(64, ((size_t)count * sizeof(float) + 63) / 64 * 64);
  fount_uniform(x, count, index, 0, 0, 7);
  return x;
}

typedef void work(fount_dense *layer);

static long panels(long columns) { return (columns + fount_panel - 1) / fount_panel; }

static void our_forward(fount_dense *l) {
  for (long panel = 0; panel < panels(l->outputs); panel++) fount_dense_forward(l, panel);
}
static void our_data(fount_dense *l) {
  for (long panel = 0; panel < panels(l->inputs); panel++) fount_dense_data_gradient(l, panel);
}
static void our_weights(fount_dense *l) {
  for (long panel = 0; panel < panels(l->outputs); panel++) fount_dense_weight_gradient(l, panel);
}

static void multiply(
    CBLAS_TRANSPOSE ta, CBLAS_TRANSPOSE tb, long m, long n, long k, const float *a, long lda, const float *b, long ldb, float *c) {
  cblas_sgemm(CblasRowMajor, ta, tb, (int)m, (int)n, (int)k, 1, a, (int)lda, b, (int)ldb, 0, c, (int)n);
}
static void their_forward(fount_dense *l) {
  multiply(CblasNoTrans, CblasNoTrans, l->batch, l->outputs, l->inputs, l->x, l->inputs, l->w, l->outputs, l->y);
}
static void their_data(fount_dense *l) {
  multiply(CblasNoTrans, CblasTrans, l->batch, l->inputs, l->outputs, l->dy, l->outputs, l->w, l->outputs, l->dx);
}
static void their_weights(fount_dense *l) {
  multiply(CblasTrans, CblasNoTrans, l->inputs, l->outputs, l->batch, l->x, l->inputs, l->dy, l->outputs, l->dw);
}

static void beside(const char *shape, const char *part, fount_dense *layer, work *ours, work *theirs) {
  double operations = 2.0 * (double)layer->batch * (double)layer->inputs * (double)layer->outputs, best[2] = {1e9, 1e9};
  work *works[] = {ours, theirs};
  int repeats = 1 + (int)(4e8 / operations);
  for (int round = 0; round < 12; round++) {
    for (int side = 0; side < 2; side++) {
      double start = seconds();
      for (int i = 0; i < repeats; i++) works[side](layer);
      double each = (seconds() - start) / repeats;
      if (each < best[side]) best[side] = each;
    }
  }
  printf("%-22s %-16s %6.1f %9.1f %6.2f\n", shape, part, operations / best[0] * 1e-9, operations / best[1] * 1e-9, best[1] / best[0]);
}

static void layer(long batch, long inputs, long outputs) {
  fount_dense layer = {
      .batch = batch, .inputs = inputs, .outputs = outputs, .x = numbers(batch * inputs, 1), .w = numbers(inputs * outputs, 2),
      .dy = numbers(batch * outputs, 3), .y = numbers(batch * outputs, 4), .dx = numbers(batch * inputs, 5),
      .dw = numbers(inputs * outputs, 6)};
  char shape[64];
  snprintf(shape, sizeof shape, "%ld x %ld x %ld", batch, inputs, outputs);
  beside(shape, "forward", &layer, our_forward, their_forward);
  beside(shape, "data gradient", &layer, our_data, their_data);
  beside(shape, "weight gradient", &layer, our_weights, their_weights);
}

int main(void) {
  printf("kernels %s, OpenBLAS %s\n", fount_kernel_set(), openblas_get_corename());
  printf("%-22s %-16s %6s %9s %6s\n", "batch x in x out", "product", "Fount", "OpenBLAS", "times");
  layer(100, 784, 500);    // MADE, RBM
  layer(100, 500, 784);
  layer(128, 784, 400);    // VAE
  layer(128, 400, 784);
  layer(128, 400, 40);
  layer(128, 20, 400);
  layer(64, 100, 6272);    // DCGAN's first
  layer(784, 64, 32);      // a residual block's 1x1, an image
  layer(784, 32, 64);
  return 0;
}
