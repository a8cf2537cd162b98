// Philox 4x32-10: random numbers by address (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3", SC 2011).
#include "functions.h"

INLINE void philox(uint32_t c0, uint32_t c1, uint32_t c2, uint32_t c3, uint32_t k0, uint32_t k1, uint32_t block[4]) {
#pragma clang loop unroll(full)
  for (int round = 0; round < 10; round++) {
    // The multipliers and the Weyl increments of the key are the paper's.
    uint64_t p0 = (uint64_t)0xD2511F53u * c0, p1 = (uint64_t)0xCD9E8D57u * c2;
    c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
    c1 = (uint32_t)p1;
    c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
    c3 = (uint32_t)p0;
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  block[0] = c0, block[1] = c1, block[2] = c2, block[3] = c3;
}

void fount_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t block[4]) {
  philox(counter[0], counter[1], counter[2], counter[3], key[0], key[1], block);
}

// The numbers of `count` sites from site 4 · `first` on; a block that is needed in part is computed whole.
INLINE void uniforms_of(float *uniforms, long first, long count, uint32_t example, uint32_t step, uint32_t stream, uint64_t seed) {
  long whole = count / 4;
  for (long i = 0; i < whole; i++) {
    uint32_t block[4];
    philox((uint32_t)(first + i), example, step, stream, (uint32_t)seed, (uint32_t)(seed >> 32), block);
    for (int j = 0; j < 4; j++) uniforms[4 * i + j] = (float)(int32_t)(block[j] >> 8) * 0x1p-24f;
  }
  if (count % 4) {
    uint32_t block[4];
    philox((uint32_t)(first + whole), example, step, stream, (uint32_t)seed, (uint32_t)(seed >> 32), block);
    for (int j = 0; j < count % 4; j++) uniforms[4 * whole + j] = (float)(int32_t)(block[j] >> 8) * 0x1p-24f;
  }
}

CLONES void fount_uniform(float *uniforms, long count, uint32_t example, uint32_t step, uint32_t stream, uint64_t seed) {
  uniforms_of(uniforms, 0, count, example, step, stream, seed);
}

CLONES void fount_bits(
    float *restrict bits, const float *restrict p, long first, long count, uint32_t example, uint32_t step, uint32_t stream,
    uint64_t seed) {
  enum { stretch = 64 };
  for (long at = 0; at < count; at += stretch) {
    float uniforms[stretch];
    long sites = count - at < stretch ? count - at : stretch;
    uniforms_of(uniforms, (first + at) / 4, sites, example, step, stream, seed);
    for (long i = 0; i < sites; i++) bits[at + i] = uniforms[i] < p[at + i] ? 1.0f : 0.0f;
  }
}

CLONES void fount_dropout(
    float *restrict y, const float *restrict x, long count, float keep, int adds, uint32_t example, uint32_t step, uint32_t stream,
    uint64_t seed) {
  enum { stretch = 256 };
  const float kept = 1.0f / keep;
  for (long at = 0; at < count; at += stretch) {
    float uniforms[stretch];
    long sites = count - at < stretch ? count - at : stretch;
    uniforms_of(uniforms, at / 4, sites, example, step, stream, seed);
    for (long i = 0; i < sites; i++) {
      float scale = uniforms[i] < keep ? kept : 0.0f;
      y[at + i] = x[at + i] * scale + (adds ? y[at + i] : 0.0f);
    }
  }
}

// cos and sin of 2π · turn for 0 ≤ turn < 1: the nearest quarter turn taken off, then Cephes' polynomials on −π/4…π/4.
INLINE void cos_sin(float turn, float *cosine, float *sine) {
  float quarters = 4.0f * turn;
  int32_t nearest = (int32_t)(quarters + 0.5f);
  float x = (quarters - (float)nearest) * 1.57079632679489662f;
  float square = x * x;
  float s = -1.9515295891e-4f;
  s = s * square + 8.3321608736e-3f;
  s = s * square + -1.6666654611e-1f;
  s = s * square;
  s = s * x + x;
  float c = 2.443315711809948e-5f;
  c = c * square + -1.388731625493765e-3f;
  c = c * square + 4.166664568298827e-2f;
  c = c * square + -0.5f;
  c = c * square + 1.0f;
  float across = nearest & 1 ? s : c, along = nearest & 1 ? c : s;
  *cosine = (nearest + 1) & 2 ? -across : across;
  *sine = nearest & 2 ? -along : along;
}

CLONES void fount_normal(float *normals, long count, uint32_t example, uint32_t step, uint32_t stream, uint64_t seed) {
  enum { pairs = 128 };
  for (long at = 0; at < count; at += 2 * pairs) {
    uint32_t first[pairs], second[pairs];
    float both[2 * pairs];
    long sites = count - at < 2 * pairs ? count - at : 2 * pairs;
    for (long i = 0; 4 * i < sites; i++) {
      uint32_t block[4];
      philox((uint32_t)(at / 4 + i), example, step, stream, (uint32_t)seed, (uint32_t)(seed >> 32), block);
      first[2 * i] = block[0], second[2 * i] = block[1];
      first[2 * i + 1] = block[2], second[2 * i + 1] = block[3];
    }
    for (long i = 0; 2 * i < sites; i++) {
      // In (0, 1], so that the logarithm is finite; the largest radius is 6.7.
      float radius_uniform = ((float)(int32_t)(first[i] >> 1) + 0.5f) * 0x1p-31f;
      float radius = __builtin_elementwise_sqrt(-2.0f * log_of(radius_uniform));
      float cosine, sine;
      cos_sin((float)(int32_t)(second[i] >> 8) * 0x1p-24f, &cosine, &sine);
      both[2 * i] = radius * cosine;
      both[2 * i + 1] = radius * sine;
    }
    memcpy(normals + at, both, (size_t)sites * sizeof(float));
  }
}
