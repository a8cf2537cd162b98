#!/usr/bin/env python3
"""From data to a model in numpy: trains a MADE over HTTP, takes its weights along, and draws and scores with them here.

  train.py [URL [KEY]]      the server (http://127.0.0.1:8080), and a key of scope train where it asks for one

It needs numpy and safetensors, and ends with status 1 where numpy's numbers are not the server's.
"""
import io
import json
import sys
import urllib.error
import urllib.request

import numpy as np
import safetensors.numpy

URL = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8080"
KEY = {"Authorization": f"Bearer {sys.argv[2]}"} if len(sys.argv) > 2 else {}


def ask(path, body=None, **headers):
    """The bytes of an answer; a refusal is shown as the server words it."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        with urllib.request.urlopen(urllib.request.Request(URL + path, body, KEY | named)) as answer:
            return answer.read()
    except urllib.error.HTTPError as refusal:
        sys.exit(f"{path}: {refusal.read().decode()}")


def npy(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def train(pictures):
    """Uploads `pictures`, [count, height, width] of 0 and 1, and returns the id of a model that has learned them."""
    dataset = json.loads(ask("/v1/datasets?name=crosses", npy(pictures)))["id"]
    request = {
        "kind": "train", "dataset": dataset, "family": "made", "name": "crosses", "seed": 1,
        "configuration": {"hidden_layers": [64, 48]},
        "training": {"epochs": 12, "batch_size": 50, "learning_rate": 0.005},
    }
    job = json.loads(ask("/v1/jobs", json.dumps(request).encode(), Content_Type="application/json"))
    while job["status"] not in ("succeeded", "failed", "cancelled"):
        job = json.loads(ask(f"/v1/jobs/{job['id']}", Prefer="wait=10"))
        print(job["status"], "epoch", (job["progress"] or {}).get("epoch"), job["metrics"])
    if job["status"] != "succeeded":
        sys.exit(f"the job ended as {job['status']}: {job['error']}")
    return job["model"]


class MADE:
    """Germain et al. 2015, eqs. 8 to 11: a unit of degree m sees the first m inputs, an output those before its own."""

    def __init__(self, weights):
        self.biases, self.matrices = [], []
        dims = len(weights["output.bias"])
        before = np.arange(dims) + 1  # Input d counts from unit degree d + 1 on.
        for layer in range(sum(name.startswith("hidden.") and name.endswith(".bias") for name in weights)):
            width = len(weights[f"hidden.{layer}.bias"])
            degrees = 1 + np.arange(width) * (dims - 1) // width  # Spread evenly over 1 to dims − 1.
            self.matrices.append(weights[f"hidden.{layer}.weight"] * (before[:, None] <= degrees))
            self.biases.append(weights[f"hidden.{layer}.bias"])
            before = degrees
        self.output = weights["output.weight"] * (before[:, None] <= np.arange(dims))
        self.direct = np.triu(weights["direct.weight"], 1)
        self.bias = weights["output.bias"]

    def logits(self, x):
        """Of each pixel's probability given those before it, [count, dims]."""
        h = x
        for matrix, bias in zip(self.matrices, self.biases):
            h = np.maximum(h @ matrix + bias, 0)
        return h @ self.output + x @ self.direct + self.bias

    def nats(self, x):
        """−ln p of each row: ln(1 + e^z) for a 0, ln(1 + e^−z) for a 1."""
        return np.logaddexp(0, self.logits(x) * (1 - 2 * x)).sum(1)

    def draw(self, count, random):
        """Pixel after pixel, each from its probability given those before it."""
        x = np.zeros((count, len(self.bias)))
        for d in range(x.shape[1]):
            x[:, d] = random.random(count) < 1 / (1 + np.exp(-self.logits(x)[:, d]))
        return x


def crosses(count, side, random):
    """A row and a column of each picture are full, and a pixel in 50 is turned over."""
    pictures = np.zeros((count, side, side), np.uint8)
    pictures[np.arange(count), random.integers(side, size=count), :] = 1
    pictures[np.arange(count), :, random.integers(side, size=count)] = 1
    return pictures ^ (random.random(pictures.shape) < 0.02).astype(np.uint8)


def main():
    random = np.random.default_rng(1)
    side = 7
    model = train(crosses(2000, side, random))
    weights = safetensors.numpy.load(ask(f"/v1/models/{model}/weights.safetensors"))
    made = MADE({name: tensor.astype(np.float64) for name, tensor in weights.items()})

    # The server computes in 32 bits, so that 49 terms agree to some six digits.
    def check(what, pictures):
        told = np.array(json.loads(ask(f"/v1/models/{model}/score", npy(pictures)))["nats"])
        ours = made.nats(pictures.reshape(len(pictures), -1).astype(np.float64))
        print(f"{what}: {told.mean():.4f} nats by the server, {ours.mean():.4f} by numpy, {abs(told - ours).max():.1e} apart at most")
        return np.allclose(told, ours, rtol=1e-5, atol=1e-4)

    unseen = crosses(500, side, random)
    theirs = np.load(io.BytesIO(ask(f"/v1/models/{model}/samples?count=500&seed=1", Accept="application/x-npy")))
    ours = made.draw(500, random).reshape(-1, side, side).astype(np.uint8)
    theirs = (theirs.reshape(-1, side, side) > 127).astype(np.uint8)
    agree = [check("unseen pictures", unseen), check("the server's samples", theirs), check("numpy's samples", ours)]
    # Both draw from one distribution: the means of 500 pixels differ by more than five deviations once in a million.
    deviation = np.sqrt(ours.mean(0) * (1 - ours.mean(0)) * 2 / 500) + 1e-3
    agree.append(bool((abs(ours.mean(0) - theirs.mean(0)) < 5 * deviation).all()))
    for row in np.hstack(ours[:8]):
        print("".join("█" if pixel else "·" for pixel in row))
    sys.exit(0 if all(agree) else 1)


if __name__ == "__main__":
    main()
