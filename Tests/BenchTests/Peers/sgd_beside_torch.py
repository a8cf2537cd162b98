"""Compares ten steps of plain gradient descent with PyTorch's, from the same weights, batch and noise.

    python3 -m venv venv && venv/bin/pip install torch numpy
    .build/release/fount bench CASE --trace FILE      # made_784_500_b100, vae_..., nade_..., pixelcnn_b32, dcgan_28_b64
    venv/bin/python Tests/BenchTests/Peers/sgd_beside_torch.py FILE...

FILE is safetensors: `input.*`, what a step reads; `before.*`, weights; `gradient.*`, of the first step; `after.*`, weights after the last
step. For each tensor: the norm of the difference over the norm of PyTorch's. A bias before batch norm has no gradient but rounding's: one
below a millionth of all gradients together has to be so on both sides. Ends with 1 where something is above 1e-5.

PyTorch computes in single precision, too: in double precision some of millions of rectified sums near 0 fall on the other side of it,
which changes a PixelCNN's first gradient by 1e-4, that of PyTorch's own single precision as much as ours.
"""
import json
import struct
import sys

import numpy
import torch
import torch.nn.functional as F

BOUND = 1e-5


def read(path):
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
        data = file.read()
    metadata = header.pop("__metadata__")
    tensors = {}
    for name, entry in header.items():
        start, end = entry["data_offsets"]
        assert entry["dtype"] == "F32", entry
        values = numpy.frombuffer(data[start:end], dtype="<f4").reshape(entry["shape"])
        tensors[name] = torch.tensor(values)
    return metadata, tensors


def part(tensors, prefix):
    return {name[len(prefix):]: tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def nats(logits, x):
    """Mean over examples of the Bernoullis' nats."""
    return F.binary_cross_entropy_with_logits(logits, x, reduction="sum") / x.shape[0]


def kernel(w, height, width):
    """[live taps, channels, filters], in raster order, as [filters, channels, height, width]; dead taps are 0."""
    taps, channels, filters = w.shape
    dead = torch.zeros(height * width - taps, channels, filters, dtype=w.dtype)
    return torch.cat([w, dead]).permute(2, 1, 0).reshape(filters, channels, height, width)


def images(x):
    return x.permute(0, 3, 1, 2)


def made(p, given, step):
    x = given["x"]
    W, V = p["hidden.0.weight"], p["output.weight"]
    # Inputs have the degrees 1 to D, units the same share of 1 to D - 1 each (eqs. 8 and 9).
    inputs = torch.arange(1, W.shape[0] + 1)
    units = 1 + torch.arange(W.shape[1]) * (W.shape[0] - 1) // W.shape[1]
    h = torch.relu(x @ (W * (units[None, :] >= inputs[:, None])) + p["hidden.0.bias"])
    return nats(h @ (V * (inputs[None, :] > units[:, None])) + p["output.bias"], x)


def nade(p, given, step):
    x = given["x"]
    sums, logits = p["W.bias"].expand(x.shape[0], -1), []
    for d in range(x.shape[1]):
        logits.append(torch.sigmoid(sums) @ p["V"][d] + p["V.bias"][d])
        sums = sums + x[:, d : d + 1] * p["W"][d]
    return nats(torch.stack(logits, 1), x)


def vae(p, given, step):
    x, noise = given["x"], given[f"noise.{step}"]
    moments = torch.relu(x @ p["encoder"] + p["encoder.bias"]) @ p["moments"] + p["moments.bias"]
    mean, log_variance = moments.chunk(2, dim=1)
    z = mean + noise * torch.exp(log_variance / 2)
    logits = torch.relu(z @ p["decoder"] + p["decoder.bias"]) @ p["logits"] + p["logits.bias"]
    divergence = (mean**2 + torch.exp(log_variance) - 1 - log_variance).sum() / 2
    return nats(logits, x) + divergence / x.shape[0]


def pixelcnn(p, given, step):
    x = images(given["x"])

    def layer(h, name, size):
        return F.conv2d(h, kernel(p[name], size, size), p[name + ".bias"], padding=size // 2)

    h = layer(x, "first", 7)
    for block in range(6):
        g = torch.relu(layer(torch.relu(h), f"{block}.a", 1))
        g = torch.relu(layer(g, f"{block}.b", 3))
        h = h + layer(g, f"{block}.c", 1)
    h = torch.relu(layer(torch.relu(h), "last", 1))
    return nats(layer(h, "logits", 1), x)


def norm(h, p, name):
    return F.batch_norm(h, None, None, p[name], p[name + ".bias"], training=True)


def generated(p, z):
    # The linear layer's numbers are [7, 7, 128].
    h = images((z @ p["linear"] + p["linear.bias"]).reshape(-1, 7, 7, 128))
    h = torch.relu(norm(h, p, "norm.0"))
    for name in ("convolution.0", "convolution.1"):
        # PyTorch's transposed kernel is [filters of the convolution, channels, height, width].
        w = kernel(p[name], 4, 4)
        h = F.conv_transpose2d(h, w, p[name + ".bias"], stride=2, padding=1)
        h = torch.relu(norm(h, p, "norm.1")) if name.endswith("0") else torch.tanh(h)
    return h


def judged(p, x, answer):
    h = F.leaky_relu(F.conv2d(x, kernel(p["convolution.0"], 4, 4), p["convolution.0.bias"], stride=2, padding=1), 0.2)
    h = F.conv2d(h, kernel(p["convolution.1"], 4, 4), p["convolution.1.bias"], stride=2, padding=1)
    h = F.leaky_relu(norm(h, p, "norm"), 0.2).permute(0, 2, 3, 1).reshape(x.shape[0], -1)
    z = h @ p["linear"] + p["linear.bias"]
    return F.binary_cross_entropy_with_logits(z, torch.full_like(z, answer))


def dcgan_step(p, given, step, descend):
    generator, judge = part(p, "generator."), part(p, "discriminator.")
    x, fake = images(given["x"]), generated(generator, given[f"noise.{step}"])
    descend(judged(judge, x, 1.0) + judged(judge, fake.detach(), 0.0), "discriminator.")
    # The judge as it is after its own step.
    settled = {name: tensor.detach() for name, tensor in part(p, "discriminator.").items()}
    descend(judged(settled, fake, 1.0), "generator.")


LOSSES = {"made": made, "nade": nade, "vae": vae, "pixelcnn": pixelcnn}


def compare(path):
    metadata, tensors = read(path)
    case, rate, steps = metadata["case"], float(metadata["learning_rate"]), int(metadata["steps"])
    given = part(tensors, "input.")
    p = {name: tensor.clone().requires_grad_() for name, tensor in part(tensors, "before.").items()}
    first = {}

    def descend(loss, prefix=""):
        wanted = [name for name in p if name.startswith(prefix)]
        for name, gradient in zip(wanted, torch.autograd.grad(loss, [p[name] for name in wanted])):
            first.setdefault(name, gradient)
            with torch.no_grad():
                p[name] -= rate * gradient

    family = case.split("_")[0]
    for step in range(steps):
        if family == "dcgan":
            dcgan_step(p, given, step, descend)
        else:
            descend(LOSSES[family](p, given, step))
    worst = {"gradient": (0.0, ""), "after": (0.0, "")}
    for kind, theirs in (("gradient", first), ("after", p)):
        ours = part(tensors, kind + ".")
        assert ours.keys() == theirs.keys(), (ours.keys(), theirs.keys())
        norms = {name: torch.linalg.norm(tensor.double()).item() for name, tensor in theirs.items()}
        nothing = 1e-6 * sum(norm**2 for norm in norms.values()) ** 0.5
        for name, expected in theirs.items():
            if norms[name] < nothing and torch.linalg.norm(ours[name]).item() < nothing:
                continue
            difference = torch.linalg.norm(ours[name].double() - expected.double()).item() / norms[name]
            worst[kind] = max(worst[kind], (difference, name))
    print(json.dumps({"case": case, "tensors": len(p), "steps": steps, "learning_rate": rate, "torch": torch.__version__, **{
        kind + "_relative_norm": {"largest": float(f"{value:.2e}"), "of": name} for kind, (value, name) in worst.items()}}))
    return all(value <= BOUND for value, _ in worst.values())


if __name__ == "__main__":
    results = [compare(path) for path in sys.argv[1:]]
    sys.exit(0 if results and all(results) else 1)
