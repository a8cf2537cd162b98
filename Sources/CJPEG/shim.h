// libjpeg-turbo's TurboJPEG API, which gives codes where libjpeg's own jumps.
#pragma once
#include <turbojpeg.h>
