// libarchive's reader, with its macros as constants that Swift can see.
#pragma once
#include <archive.h>
#include <archive_entry.h>
#include <locale.h>

static const unsigned fount_archive_file = AE_IFREG;
static const unsigned fount_archive_folder = AE_IFDIR;

// Names in archives are turned into UTF-8 by way of the locale's characters.
static inline int fount_archive_use_utf8(void) { return setlocale(LC_CTYPE, "C.UTF-8") != 0; }
