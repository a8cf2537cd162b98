// libpng reports errors by a jump (its simplified API does not, and reads interlaced pictures of 16 bits wrongly in 1.6.39). Here the
// jump goes from libpng to this function and no farther: there is no frame of Swift between.
#include "png_read.h"

#include <png.h>
#include <setjmp.h>
#include <string.h>

struct source {
  const unsigned char *bytes;
  size_t left;
  char *message;
};

static void take(png_structp png, png_bytep into, size_t count) {
  struct source *source = png_get_io_ptr(png);
  if (count > source->left) png_error(png, "the data ends too early");
  memcpy(into, source->bytes, count);
  source->bytes += count;
  source->left -= count;
}

static void fail(png_structp png, png_const_charp text) {
  struct source *source = png_get_error_ptr(png);
  strncpy(source->message, text, 79);
  source->message[79] = 0;
  png_longjmp(png, 1);
}

// Warnings are of what is left aside.
static void ignore(png_structp png, png_const_charp text) {
  (void)png;
  (void)text;
}

int fount_png_read(
    const unsigned char *bytes, size_t count, unsigned height, unsigned width, unsigned channels, unsigned char *pixels,
    char message[80]) {
  struct source source = {bytes, count, message};
  strcpy(message, "no memory");
  png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &source, fail, ignore);
  png_infop info = png ? png_create_info_struct(png) : NULL;
  if (!info || setjmp(png_jmpbuf(png))) {
    if (png) png_destroy_read_struct(&png, info ? &info : NULL, NULL);
    return 0;
  }
  png_set_read_fn(png, &source, take);
  png_read_info(png, info);
  if (png_get_image_height(png, info) != height || png_get_image_width(png, info) != width) png_error(png, "the sides are others");
  png_set_expand(png);
  png_set_scale_16(png);
  png_set_strip_alpha(png);
  int passes = png_set_interlace_handling(png);
  png_read_update_info(png, info);
  size_t row_bytes = (size_t)width * channels;
  if (png_get_rowbytes(png, info) != row_bytes) png_error(png, "the channels are others");
  for (int pass = 0; pass < passes; ++pass)
    for (unsigned row = 0; row < height; ++row) png_read_row(png, pixels + row * row_bytes, NULL);
  png_read_end(png, NULL);
  png_destroy_read_struct(&png, &info, NULL);
  return 1;
}
