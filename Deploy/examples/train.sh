#!/bin/bash
# From data to samples with curl (and jq, to read answers): makes pictures of stripes, trains a MADE on them, and leaves what comes of it in
# the current folder: data.png, curve.png, samples.png, weights.safetensors.
#
#   train.sh [URL [KEY]]      the server (http://127.0.0.1:8080), and a key of scope train where it asks for one
set -euo pipefail
url="${1:-http://127.0.0.1:8080}"
headers=()
if (($# > 1)); then headers=(-H "Authorization: Bearer $2"); fi

# ask PATH CURL'S ARGUMENTS...: an answer that is no success is shown, and ends the script.
ask() {
  local path="$1"
  shift
  curl -sS --fail-with-body "${headers[@]}" "$@" "$url$path" || {
    printf '\nerror: %s was refused\n' "$path" >&2
    exit 1
  }
}

# 6 by 6 pixels, each row full or empty: all 64 pictures, ten times. IDX is a magic number, the sides (big-endian), and a byte a pixel.
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT
{
  printf '\0\0\x08\x03\0\0\x02\x80\0\0\0\x06\0\0\0\x06'
  for ((copy = 0; copy < 10; copy++)); do
    for ((picture = 0; picture < 64; picture++)); do
      for ((row = 0; row < 6; row++)); do
        if ((picture >> row & 1)); then printf '\xff\xff\xff\xff\xff\xff'; else printf '\0\0\0\0\0\0'; fi
      done
    done
  done
} > "$scratch/stripes.idx"

dataset="$(ask '/v1/datasets?name=stripes' --data-binary "@$scratch/stripes.idx" | jq -r .id)"
ask "/v1/datasets/$dataset/preview.png?count=36&scale=8" -o data.png

job="$(ask /v1/jobs --json '{
  "kind": "train", "dataset": "'"$dataset"'", "family": "made", "name": "stripes", "seed": 1,
  "configuration": {"hidden_layers": [64]},
  "data": {"binarize": "threshold"},
  "training": {"epochs": 60, "batch_size": 32, "learning_rate": 0.01}
}')"
model="$(jq -r .model <<< "$job")"

# Each request waits until something changes, at most ten seconds.
until [[ "$(jq -r .status <<< "$job")" =~ ^(succeeded|failed|cancelled)$ ]]; do
  job="$(ask "/v1/jobs/$(jq -r .id <<< "$job")" -H 'Prefer: wait=10')"
  jq -r '"\(.status), epoch \(.progress.epoch // 0): \(.metrics.validation_nats // "?") nats"' <<< "$job"
done
[[ "$(jq -r .status <<< "$job")" == succeeded ]] || {
  jq .error <<< "$job" >&2
  exit 1
}

ask "/v1/jobs/$(jq -r .id <<< "$job")/curve.png" -o curve.png
ask "/v1/models/$model/samples?count=36&seed=1&scale=8" -o samples.png
ask "/v1/models/$model/weights.safetensors" -o weights.safetensors

# There are 64 pictures, so that none is told in less than ln 64 = 4.16 nats on average.
ask "/v1/models/$model/score" --data-binary "@$scratch/stripes.idx" |
  jq '{estimator, nats: (.nats | add / length), bits_per_dim: (.bits_per_dim | add / length)}'
