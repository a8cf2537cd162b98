// zlib, with its macros as functions that Swift can call.
#pragma once
#include <zlib.h>

static inline int fount_deflate_init(z_stream *stream, int level, int strategy) {
  return deflateInit2(stream, level, Z_DEFLATED, 15, 9, strategy);
}
// 15 + 16: gzip.
static inline int fount_gzip_init(z_stream *stream) {
  return deflateInit2(stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
}
// 15 + 32: zlib or gzip, told by the header (zlib.h, inflateInit2).
static inline int fount_inflate_init(z_stream *stream) { return inflateInit2(stream, 15 + 32); }
// 15 + 16: gzip alone.
static inline int fount_gunzip_init(z_stream *stream) { return inflateInit2(stream, 15 + 16); }
