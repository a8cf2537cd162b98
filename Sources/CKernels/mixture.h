// What every mixture comes to once its components have told what they give x.
#ifndef FOUNT_MIXTURE_H
#define FOUNT_MIXTURE_H

#include "functions.h"

// −ln p(x) of a mixture whose shares are the softmax of `logits`, in double precision. `posterior` holds each component's logit plus the
// logarithm of what it gives x, and is left with the components' shares given x; `prior` is left with those before.
INLINE double mixture_nats(const float *logits, long components, float *prior, float *posterior) {
  float most_logit = logits[0], most_joint = posterior[0];
  for (long k = 1; k < components; k++) {
    most_logit = logits[k] > most_logit ? logits[k] : most_logit;
    most_joint = posterior[k] > most_joint ? posterior[k] : most_joint;
  }
  for (long k = 0; k < components; k++) {
    prior[k] = exp_of(logits[k] - most_logit);
    posterior[k] = exp_of(posterior[k] - most_joint);
  }
  float all_logits = 0.0f, all_joint = 0.0f;
  for (long k = 0; k < components; k++) {
    all_logits += prior[k];
    all_joint += posterior[k];
  }
  for (long k = 0; k < components; k++) prior[k] /= all_logits, posterior[k] /= all_joint;
  return ((double)most_logit + (double)log_of(all_logits)) - ((double)most_joint + (double)log_of(all_joint));
}

#endif
