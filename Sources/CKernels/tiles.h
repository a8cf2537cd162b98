// The tile of a product: 6 rows by 16 columns, each element one chain of fused multiply-adds over the inner axis in its order.
#ifndef FOUNT_TILES_H
#define FOUNT_TILES_H

#include "clones.h"

enum { tile_rows = 6 };

INLINE long min_of(long a, long b) { return a < b ? a : b; }

// c[r, 0..<16] (+)= Σ_k a[r·a_row + k·a_step] · panel[k, 0..<16], for a number of rows that the compiler knows.
INLINE void tile(const int rows, const float *a, long a_row, long a_step, const float *panel, long depth, float *c, long c_row, int adds) {
  floats sum[tile_rows];
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++) sum[r] = adds ? *(const floats_anywhere *)(c + r * c_row) : (floats)0.0f;
#pragma clang loop unroll(disable)
  for (long k = 0; k < depth; k++) {
    floats b = *(const floats_anywhere *)(panel + k * fount_panel);
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) sum[r] = (floats)a[r * a_row + k * a_step] * b + sum[r];
  }
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++) *(floats_anywhere *)(c + r * c_row) = sum[r];
}

INLINE void tile_of(long rows, const float *a, long a_row, long a_step, const float *panel, long depth, float *c, long c_row, int adds) {
  switch (rows) {
    case 6: tile(6, a, a_row, a_step, panel, depth, c, c_row, adds); break;
    case 5: tile(5, a, a_row, a_step, panel, depth, c, c_row, adds); break;
    case 4: tile(4, a, a_row, a_step, panel, depth, c, c_row, adds); break;
    case 3: tile(3, a, a_row, a_step, panel, depth, c, c_row, adds); break;
    case 2: tile(2, a, a_row, a_step, panel, depth, c, c_row, adds); break;
    case 1: tile(1, a, a_row, a_step, panel, depth, c, c_row, adds); break;
  }
}

// All rows of a panel that may be narrower than 16, over one stretch of the inner axis.
INLINE void panel_of(
    long rows, const float *a, long a_row, long a_step, const float *panel, long depth, float *c, long c_row, long width, int adds) {
  for (long r = 0; r < rows; r += tile_rows) {
    long count = min_of(tile_rows, rows - r);
    float *at = c + r * c_row;
    if (width == fount_panel) {
      tile_of(count, a + r * a_row, a_row, a_step, panel, depth, at, c_row, adds);
    } else {
      _Alignas(64) float wide[tile_rows * fount_panel] = {0};
      if (adds)
        for (long i = 0; i < count; i++) memcpy(wide + i * fount_panel, at + i * c_row, (size_t)width * sizeof(float));
      tile_of(count, a + r * a_row, a_row, a_step, panel, depth, wide, fount_panel, adds);
      for (long i = 0; i < count; i++) memcpy(at + i * c_row, wide + i * fount_panel, (size_t)width * sizeof(float));
    }
  }
}

#endif
