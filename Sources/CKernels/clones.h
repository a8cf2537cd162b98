// What the kernels share: the clones that the loader picks from by processor, and the rules that make all of them give the same bits.
#ifndef FOUNT_CLONES_H
#define FOUNT_CLONES_H

#include <stddef.h>
#include <string.h>

#include "CKernels.h"

// The loader picks before a sanitizer has set itself up, which then crashes: under one there is the baseline alone.
#if defined(__x86_64__) && !__has_feature(thread_sanitizer) && !__has_feature(address_sanitizer) && !defined(FOUNT_BASELINE)
#define HAS_CLONES 1
#define CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define HAS_CLONES 0
#define CLONES
#endif

// A helper inside a clone must be inlined, or it would be compiled for the baseline; vectors go by pointer, since by value they would
// have another ABI in each clone.
#define INLINE static inline __attribute__((always_inline))

// `a * b + c` within one expression is one fused multiply-add wherever the processor has it, by the language's rule and not at the
// optimizer's choice; across statements nothing is fused.
#pragma STDC FP_CONTRACT ON

typedef float floats __attribute__((ext_vector_type(16)));
// The same, wherever it lies.
typedef float floats_anywhere __attribute__((ext_vector_type(16), aligned(4)));

#endif
