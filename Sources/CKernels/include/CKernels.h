// The hot loops. Each has one Swift wrapper, in Tensors/Kernels.swift, whose preconditions make its pointers and counts right.
#ifndef FOUNT_CKERNELS_H
#define FOUNT_CKERNELS_H

#include <stdint.h>

// Philox 4x32-10 (Salmon et al. 2011, §3.3): the block that `counter` and `key` address.
void fount_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t block[4]);

#endif
