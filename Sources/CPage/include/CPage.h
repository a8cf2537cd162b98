#pragma once
#include <stddef.h>

/// A file of the page as it lies in the program. Its bytes last as long as the program.
typedef struct {
  const char *name;
  const unsigned char *bytes;
  size_t count;
} fount_page_file;

/// How many files there are.
size_t fount_page_count(void);

/// One of them, 0 to `fount_page_count() - 1`.
fount_page_file fount_page_at(size_t index);
