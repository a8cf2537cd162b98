// libpng, called so that none of its jumps leaves C.
#pragma once
#include <stddef.h>

// Reads a whole PNG into height x width x channels bytes: 1 channel for grey, 3 for RGB and palettes. Narrower values are stretched to 8
// bits and wider ones rounded; alpha is dropped, and gamma is not looked at.
// Returns: 1, or 0 where the bytes are no whole picture of those sides and channels; then `message` has the reason, ended by 0.
int fount_png_read(
    const unsigned char *bytes, size_t count, unsigned height, unsigned width, unsigned channels, unsigned char *pixels,
    char message[80]);
