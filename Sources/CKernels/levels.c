// Levels of 0…255, each under a softmax of its own.
#include "functions.h"

enum { levels = 256, sites_at_once = 64 };

// A level of 0…1 as a class; whatever comes, it is one of the 256.
INLINE float class_of_level(float x) {
  float scaled = x * 255.0f + 0.5f;
  return scaled >= 255.0f ? 255.0f : scaled > 0.0f ? (float)(int)scaled : 0.0f;
}

CLONES double fount_level_nats(const float *logits, const float *x, long sites) {
  double nats = 0.0;
  for (long from = 0; from < sites; from += sites_at_once) {
    float classes[sites_at_once];
    double each[sites_at_once];
    long count = sites - from < sites_at_once ? sites - from : sites_at_once;
    for (long s = 0; s < count; s++) classes[s] = class_of_level(x[from + s]);
    fount_softmax_nats(each, logits + from * levels, classes, count, levels);
    for (long s = 0; s < count; s++) nats += each[s];
  }
  return nats;
}

CLONES void fount_level_gradient(float *dlogits, const float *logits, const float *x, float dnats, long sites, int adds) {
  for (long from = 0; from < sites; from += sites_at_once) {
    float classes[sites_at_once], scales[sites_at_once];
    long count = sites - from < sites_at_once ? sites - from : sites_at_once;
    for (long s = 0; s < count; s++) classes[s] = class_of_level(x[from + s]), scales[s] = dnats;
    fount_softmax_gradient(dlogits + from * levels, logits + from * levels, classes, scales, count, levels, adds);
  }
}
