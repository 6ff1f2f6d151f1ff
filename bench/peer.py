"""The bench's networks in PyTorch, driven over standard input: one JSON command a line, one JSON answer a line."""
import json
import resource
import sys
import time

import torch
from gans import Gan
from torch import nn
from unets import STEPS


class Srresnet(nn.Module):
    def __init__(self):
        super().__init__()
        conv = lambda i, o, k=3: nn.Conv2d(i, o, k, padding=k // 2)
        self.head = nn.Sequential(conv(3, 64, 9), nn.PReLU())
        self.body = nn.ModuleList([nn.Sequential(conv(64, 64), nn.PReLU(), conv(64, 64)) for _ in range(16)])
        self.join = conv(64, 64)
        self.up = nn.Sequential(*[m for _ in range(2) for m in (conv(64, 256), nn.PixelShuffle(2), nn.PReLU())])
        self.tail = conv(64, 3, 9)

    def forward(self, x):
        head = self.head(x)
        y = head
        for block in self.body:
            y = y + block(y)
        return self.tail(self.up(head + self.join(y)))


def srcnn():
    return nn.Sequential(
        nn.Conv2d(1, 64, 9, padding=4), nn.ReLU(inplace=True),
        nn.Conv2d(64, 32, 5, padding=2), nn.ReLU(inplace=True),
        nn.Conv2d(32, 1, 5, padding=2))


def autoencoder():
    return nn.Sequential(nn.Linear(784, 32), nn.ReLU(inplace=True), nn.Linear(32, 784), nn.Sigmoid())


WORKLOADS = {
    "autoencoder": (autoencoder, [256, 784], [256, 784]),
    "srcnn": (srcnn, [16, 1, 96, 96], [16, 1, 96, 96]),
    "srresnet": (Srresnet, [16, 3, 24, 24], [16, 3, 96, 96]),
    "srresnet-remat": (Srresnet, [16, 3, 24, 24], [16, 3, 96, 96]),
}


STYLES = {"size": 32, "channels": 3, "width": 32, "most": 256, "latent": 128, "mapping": 8, "batch": 32}
GANS = {
    "dcgan": ("dcgan", {"size": 32, "channels": 3, "width": 64, "latent": 100, "batch": 64}),
    "stylegan2": ("stylegan2", {**STYLES, "r1": 0, "pathLength": 0}),
    "stylegan2-r1": ("stylegan2", STYLES),
}
UNETS = {
    "pix2pix": {"size": 256, "width": 32, "batch": 1},
    "diffusion": {"size": 32, "width": 64, "multipliers": [1, 2, 2], "batch": 32},
}
LAYOUTS = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}


def first(name, shape, kind_value):
    """First weights: how fast a network is does not depend on them."""
    kind, value = kind_value
    if kind == "uniform":
        return (torch.rand(shape) * 2 - 1) * value
    return torch.randn(shape) * value if kind == "normal" else torch.full(shape, value)


def drawn(name, shape, kind):
    return torch.randn(shape) if kind == "normal" else torch.rand(shape)


def prepare_gan(name, layout, kind):
    recipe, options = GANS[name]
    torch.manual_seed(0)
    gan = Gan(recipe, options, first, drawn, LAYOUTS[layout]).prepare()
    side = options["size"]
    image = torch.rand(options["batch"], options["channels"], side, side).to(memory_format=LAYOUTS[layout])
    if kind == "step":
        return lambda: gan.step(image)
    codes = gan.codes()

    def run():
        with torch.inference_mode():
            gan.make(codes)
    return run


def prepare_unet(name, layout, kind):
    options = UNETS[name]
    torch.manual_seed(0)
    work = STEPS[name](options, first, drawn, LAYOUTS[layout])
    shape = (options["batch"], 3, options["size"], options["size"])
    feeds = {leaf: torch.rand(shape).to(memory_format=LAYOUTS[layout]) for leaf in work.inputs}
    if kind == "step":
        return lambda: work.step(**feeds)

    def run():
        with torch.inference_mode():
            work.make(feeds[work.inputs[0]])
    return run


def prepare(name, layout, kind):
    if name in GANS:
        return prepare_gan(name, layout, kind)
    if name in UNETS:
        return prepare_unet(name, layout, kind)
    make, shape, target_shape = WORKLOADS[name]
    torch.manual_seed(0)
    model = make()
    x, target = torch.rand(shape), torch.rand(target_shape)
    if layout == "channels_last":
        model = model.to(memory_format=torch.channels_last)
        x, target = x.to(memory_format=torch.channels_last), target.to(memory_format=torch.channels_last)
    if kind == "inference":
        model.eval()

        def run():
            with torch.inference_mode():
                model(x)
        return run
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-4)

    def step():
        optimizer.zero_grad(set_to_none=True)
        loss = nn.functional.mse_loss(model(x), target)
        loss.backward()
        optimizer.step()
        return loss.item()
    return step


def blas():
    """The library that multiplies matrices: Debian's PyTorch takes whatever provides libblas.so.3."""
    with open("/proc/self/maps") as maps:
        loaded = maps.read()
    return next((name for name in ("openblas", "mkl", "blis", "atlas") if name in loaded), "reference")


def main():
    loaded = {}
    for line in sys.stdin:
        command = json.loads(line)
        if command["verb"] == "threads":
            torch.set_num_threads(command["threads"])
            answer = {"version": torch.__version__, "blas": blas()}
        else:
            key = (command["workload"], command["layout"], command["kind"])
            if key not in loaded:
                loaded[key] = prepare(*key)
                for _ in range(3):
                    loaded[key]()
            for _ in range(command["warm"]):
                loaded[key]()
            times = []
            for _ in range(command["repeat"]):
                start = time.perf_counter()
                loaded[key]()
                times.append((time.perf_counter() - start) * 1e3)
            answer = {"times": times, "peakMB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}
        print(json.dumps(answer), flush=True)


main()
