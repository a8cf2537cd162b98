// How fast the machine multiplies and adds when nothing else is in the way. Chains enough to hide an instruction's latency, few enough for
// the registers: 6 of 16 lanes fill those of x86-64-v3, 12 those of x86-64-v4.
#include "clones.h"

INLINE float peak(const int chains, long rounds, float start) {
  enum { chains_max = 12 };
  floats sum[chains_max];
  floats factor = start;
#pragma clang loop unroll(full)
  for (int c = 0; c < chains; c++) sum[c] = start + (float)c;
#pragma clang loop unroll(disable)
  for (long i = 0; i < rounds; i++) {
#pragma clang loop unroll(full)
    for (int c = 0; c < chains; c++) sum[c] = sum[c] * factor + factor;
  }
  float all = 0.0f;
  for (int c = 0; c < chains; c++) {
    for (int l = 0; l < 16; l++) all += sum[c][l];
  }
  return all;
}

CLONES float fount_peak_of_6_chains(long rounds, float start) { return peak(6, rounds, start); }
CLONES float fount_peak_of_12_chains(long rounds, float start) { return peak(12, rounds, start); }
