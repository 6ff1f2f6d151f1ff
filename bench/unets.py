"""The whole steps of pix2pix and of denoising diffusion in PyTorch, written from src/models and src/tasks/*Work.ts.

As in gans.py, weights have the names of our own files, and what is drawn comes from two functions.
"""
import math

import torch
import torch.nn.functional as F
from gans import Store


def adam(net, betas=(0.9, 0.999)):
    return torch.optim.Adam(net.parameters(), 2e-4, betas)


# pix2pix


def patch_conv(x, net, at, out, stride=2, bias=False):
    w = net.weight(f"{at}.weight", out, x.shape[1], 4, 4, std=0.02)
    return F.conv2d(x, w, net.weight(f"{at}.bias", out) if bias else None, stride, 1)


def patch_grow(x, net, at, out, bias=False):
    w = net.weight(f"{at}.weight", x.shape[1], out, 4, 4, std=0.02)
    return F.conv_transpose2d(x, w, net.weight(f"{at}.bias", out) if bias else None, 2, 1)


def instance_norm(x, net, at):
    """At a batch of 1 it is batch norm, which PyTorch computes faster."""
    c = x.shape[1]
    weight, bias = net.weight(f"{at}.weight", c, value=1.0), net.weight(f"{at}.bias", c)
    if x.shape[0] == 1:
        return F.batch_norm(x, None, None, weight, bias, training=True)
    return F.instance_norm(x, weight=weight, bias=bias)


def unet(net, x, size, width, draw=None):
    """`draw(name, shape)` gives the uniform numbers of dropout while training."""
    depth = int(math.log2(size))
    channels = [width << min(level, 3) for level in range(depth)]
    maps = []
    y = x * 2 - 1
    for level in range(depth):
        y = patch_conv(y, net, f"down.{level}.conv", channels[level])
        if 0 < level < depth - 1:
            y = instance_norm(y, net, f"down.{level}.norm")
        if level < depth - 1:
            y = F.leaky_relu_(y, 0.2)  # the decoder's rectifier sees the same numbers after this one
            maps.append(y)
    for level in reversed(range(depth - 1)):
        y = patch_grow(F.relu_(y), net, f"up.{level}.conv", channels[level])
        y = instance_norm(y, net, f"up.{level}.norm")
        if draw and level > depth - 5:
            y = y * (draw(f"up.{level}.dropout", y.shape) >= 0.5) * 2
        y = torch.cat([maps[level], y], 1)
    return torch.tanh(patch_grow(F.relu_(y), net, "picture", x.shape[1], bias=True)) * 0.5 + 0.5


def patch_gan(net, x, width):
    y = x * 2 - 1
    for at, stride in enumerate((2, 2, 2, 1)):
        y = patch_conv(y, net, f"down.{at}.conv", width << at, stride, bias=at == 0)
        y = F.leaky_relu_(instance_norm(y, net, f"down.{at}.norm") if at else y, 0.2)
    return patch_conv(y, net, "score", 1, 1, bias=True)


class Pix2pix:
    """options: size, width, batch. The discriminator moves, then the generator is judged by the one that moved."""

    inputs = ("source", "target")

    def __init__(self, options, first, source, layout=torch.contiguous_format):
        self.size, self.width, self.drawn = options["size"], options["width"], source
        self.g, self.d = Store("generator", first, layout), Store("discriminator", first, layout)
        with torch.no_grad():
            blank = torch.zeros(1, 3, self.size, self.size)
            self.judge(blank, self.make(blank))
        self.move_g, self.move_d = adam(self.g, (0.5, 0.999)), adam(self.d, (0.5, 0.999))

    def judge(self, source, picture):
        return patch_gan(self.d, torch.cat([source, picture], 1), self.width)

    def make(self, source):
        return unet(self.g, source, self.size, self.width)

    def step(self, source, target):
        draw = lambda name, shape: self.drawn(f"generator/{name}#0", tuple(shape), "uniform")
        made = unet(self.g, source, self.size, self.width, draw)

        self.move_d.zero_grad(set_to_none=True)
        real, fake = self.judge(source, target), self.judge(source, made.detach())
        d_loss = 0.5 * (F.softplus(-real).mean() + F.softplus(fake).mean())
        d_loss.backward()
        self.move_d.step()

        for weight in self.d.parameters():
            weight.requires_grad_(False)  # their slopes are not needed
        self.move_g.zero_grad(set_to_none=True)
        g_loss = F.softplus(-self.judge(source, made)).mean() + 200 * F.l1_loss(made, target)
        g_loss.backward()
        self.move_g.step()
        for weight in self.d.weights.values():
            weight.requires_grad_()
        return {"discriminator": d_loss.item(), "generator": g_loss.item()}


# Diffusion


def bounded(out, into, kernel, quiet):
    return math.sqrt(6 / ((out + into) * kernel * kernel)) * (1e-5 if quiet else 1)


def conv(x, net, at, out, kernel=3, stride=1, quiet=False):
    into = x.shape[1]
    w = net.weight(f"{at}.weight", out, into, kernel, kernel, bound=bounded(out, into, kernel, quiet))
    return F.conv2d(x, w, net.weight(f"{at}.bias", out), stride, (kernel - 1) // 2)


def dense(x, net, at, out):
    into = x.shape[1]
    return F.linear(x, net.weight(f"{at}.weight", out, into, bound=bounded(out, into, 1, False)), net.weight(f"{at}.bias", out))


def silu(x):
    """In place where no gradient needs what came in."""
    return F.silu(x, inplace=not torch.is_grad_enabled())


def wave(time, width):
    half = width // 2
    angles = time[:, None] * 10000.0 ** (-torch.arange(half) / (half - 1))
    return torch.cat([angles.sin(), angles.cos()], 1)


class DiffusionUnet:
    def __init__(self, net, options):
        self.net = net
        self.o = {"width": 128, "multipliers": [1, 2, 2, 2], "blocks": 2, "attention": [16], **options}

    def norm(self, x, at):
        c = x.shape[1]
        weight, bias = self.net.weight(f"{at}.weight", c, value=1.0), self.net.weight(f"{at}.bias", c)
        return F.group_norm(x, min(32, self.o["width"] // 2), weight, bias, 1e-6)

    def residual(self, x, at, out, time):
        net = self.net
        y = conv(silu(self.norm(x, f"{at}.norm.0")), net, f"{at}.conv.0", out)
        y = y + dense(time, net, f"{at}.shift", out)[:, :, None, None]
        y = conv(silu(self.norm(y, f"{at}.norm.1")), net, f"{at}.conv.1", out, quiet=True)
        return y + (x if x.shape[1] == out else conv(x, net, f"{at}.shortcut", out, 1))

    def attend(self, x, at):
        n, c, h, w = x.shape
        y = self.norm(x, f"{at}.norm")
        q, k, v = (conv(y, self.net, f"{at}.{name}", c, 1).flatten(2) for name in ("query", "key", "value"))
        shares = torch.bmm(q.transpose(1, 2) * c**-0.5, k).softmax(2)
        seen = torch.bmm(v, shares.transpose(1, 2)).view(n, c, h, w)
        return x + conv(seen, self.net, f"{at}.out", c, 1, quiet=True)

    def block(self, x, at, out, time):
        y = self.residual(x, at, out, time)
        return self.attend(y, f"{at}.attention") if y.shape[2] in self.o["attention"] else y

    def __call__(self, x, time):
        net, o = self.net, self.o
        width, blocks = o["width"], o["blocks"]
        time = dense(wave(time, width), net, "time.0", 4 * width)
        time = F.silu(dense(F.silu(time), net, "time.1", 4 * width))
        maps = [conv(x, net, "first", width)]
        for level, multiplier in enumerate(o["multipliers"]):
            if level:
                maps.append(conv(maps[-1], net, f"down.{level}.halve", maps[-1].shape[1], stride=2))
            for at in range(blocks):
                maps.append(self.block(maps[-1], f"down.{level}.{at}", width * multiplier, time))
        y = self.residual(maps[-1], "middle.0", maps[-1].shape[1], time)
        y = self.residual(self.attend(y, "middle.attention"), "middle.1", y.shape[1], time)
        for level in reversed(range(len(o["multipliers"]))):
            for at in range(blocks + 1):
                y = self.block(torch.cat([y, maps.pop()], 1), f"up.{level}.{at}", width * o["multipliers"][level], time)
            if level:
                y = conv(F.interpolate(y, scale_factor=2, mode="nearest"), net, f"up.{level}.double", y.shape[1])
        return conv(silu(self.norm(y, "last.norm")), net, "last", x.shape[1], quiet=True)


class Diffusion:
    """options: size, batch, and those of the network. Mean squared error of the noise that is found, Adam."""

    inputs = ("image",)

    def __init__(self, options, first, source, layout=torch.contiguous_format):
        self.net, self.drawn = Store("diffusion", first, layout), source
        self.unet = DiffusionUnet(self.net, options)
        with torch.no_grad():
            self.make(torch.zeros(1, 3, options["size"], options["size"]))
        self.move = adam(self.net)

    def make(self, noisy):
        return self.unet(noisy, torch.full((noisy.shape[0],), 500.0))

    def step(self, image):
        time = self.drawn("time", (image.shape[0],), "uniform")
        noise = self.drawn("noise", tuple(image.shape), "normal").contiguous(memory_format=layout_of(image))
        kept = torch.exp(-0.5 * (0.1 * time + 0.5 * (20 - 0.1) * time.square()))[:, None, None, None]
        noisy = (image * 2 - 1) * kept + noise * (1 - kept.square()).sqrt()
        self.move.zero_grad(set_to_none=True)
        loss = F.mse_loss(self.unet(noisy, time * 1000), noise)
        loss.backward()
        self.move.step()
        return {"diffusion": loss.item()}


def layout_of(x):
    return torch.contiguous_format if x.is_contiguous() else torch.channels_last


STEPS = {"pix2pix": Pix2pix, "diffusion": Diffusion}
