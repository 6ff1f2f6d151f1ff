"""The whole GAN steps of the recipes dcgan and stylegan2 in PyTorch, written from src/models and src/recipes.

Weights live in a dictionary under the names that our own files have, so that the same numbers can be put into both. What is
drawn, first weights and the noise of each step, comes from two functions: PyTorch's generator in the bench, a formula in
test/fixtures/gans.py.
"""
import math

import torch
import torch.nn.functional as F


class Store:
    """The weights of one network. `first(name, shape, std)` makes each when it is first asked for."""

    def __init__(self, key, first, layout):
        self.key, self.first, self.layout, self.weights = key, first, layout, {}

    def made(self, name, shape, value):
        first = self.first(f"{self.key}/{name}", shape, value)
        return first.to(memory_format=self.layout) if len(shape) == 4 else first

    def weight(self, name, *shape, std=None, bound=None, value=0.0):
        if name not in self.weights:
            drawn = ("normal", std) if std else ("uniform", bound) if bound else ("constant", value)
            self.weights[name] = self.made(name, shape, drawn).requires_grad_()
        return self.weights[name]

    def statistic(self, name, *shape, value=0.0):
        if name not in self.weights:
            self.weights[name] = self.made(name, shape, ("constant", value))
        return self.weights[name]

    def parameters(self):
        return [weight for weight in self.weights.values() if weight.requires_grad]


# DCGAN


def batch_norm(x, net, at, training):
    c = x.shape[1]
    mean, var = net.statistic(f"{at}.running_mean", c), net.statistic(f"{at}.running_var", c, value=1.0)
    weight, bias = net.weight(f"{at}.weight", c, value=1.0), net.weight(f"{at}.bias", c)
    return F.batch_norm(x, mean, var, weight, bias, training)


class Dcgan:
    """options: size 32 or 64, channels, width, latent, batch. Logistic loss, transposed convolutions, batch norm."""

    beta1, beta2, rate = 0.5, 0.999, 2e-4

    def __init__(self, options):
        self.o = {"latent": 100, **options}
        self.depth = int(math.log2(self.o["size"])) - 2

    def generator(self, net, codes, draw=None, training=True):
        o = self.o
        c = o["width"] << (self.depth - 1)
        y = F.linear(codes, net.weight("seed.weight", c * 16, o["latent"], std=0.02)).view(-1, c, 4, 4)
        y = F.relu_(batch_norm(y, net, "seed.norm", training))
        for at in range(self.depth - 1):
            w = net.weight(f"up.{at}.conv.weight", c, c // 2, 4, 4, std=0.02)
            c //= 2
            y = F.relu_(batch_norm(F.conv_transpose2d(y, w, None, 2, 1), net, f"up.{at}.norm", training))
        w, b = net.weight("picture.weight", c, o["channels"], 4, 4, std=0.02), net.weight("picture.bias", o["channels"])
        return torch.tanh(F.conv_transpose2d(y, w, b, 2, 1)) * 0.5 + 0.5

    def discriminator(self, net, x, training=True):
        y = x * 2 - 1
        for at in range(self.depth):
            c = self.o["width"] << at
            w = net.weight(f"down.{at}.conv.weight", c, y.shape[1], 4, 4, std=0.02)
            y = F.conv2d(y, w, None if at else net.weight("down.0.conv.bias", c), 2, 1)
            y = F.leaky_relu_(batch_norm(y, net, f"down.{at}.norm", training) if at else y, 0.2)
        flat = y.flatten(1)
        return F.linear(flat, net.weight("score.weight", 1, flat.shape[1], std=0.02), net.weight("score.bias", 1))

    def penalty(self, net, image):
        return None

    def path(self, net, draw):
        return None


# StyleGAN2


def rectify(x):
    return F.leaky_relu(x, 0.2) * math.sqrt(2)


def normalized(x):
    return x * torch.rsqrt(x.square().mean(1, keepdim=True) + 1e-8)


def equalized(net, name, *shape, rate=1.0):
    return net.weight(f"{name}.weight", *shape, std=1 / rate) * (rate / math.sqrt(math.prod(shape[1:])))


def dense(x, net, name, out, rate=1.0, bias=0.0):
    w = equalized(net, name, out, x.shape[1], rate=rate)
    return F.linear(x, w, net.weight(f"{name}.bias", out, value=bias) * rate)


def modulated(x, style, net, name, out, kernel, demodulate=True):
    """The input and the output scaled per picture: the same as scaled weights, and one convolution for all pictures."""
    scale = dense(style, net, f"{name}.style", x.shape[1], bias=1.0)
    w = equalized(net, name, out, x.shape[1], kernel, kernel)
    y = F.conv2d(x * scale[:, :, None, None], w, None, 1, (kernel - 1) // 2)
    if not demodulate:
        return y
    energy = F.linear(scale.square(), w.square().sum((2, 3)))
    return y * torch.rsqrt(energy + 1e-8)[:, :, None, None]


def doubled(x):
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)


def plain(x, net, name, out, kernel):
    return F.conv2d(x, equalized(net, name, out, x.shape[1], kernel, kernel), None, 1, (kernel - 1) // 2)


def biased(x, net, name):
    return rectify(x + net.weight(f"{name}.bias", x.shape[1])[:, None, None])


def blurred(x):
    """[1, 3, 3, 1] / 8 both ways: by channel, the fastest form there is in PyTorch."""
    k = torch.tensor([1.0, 3.0, 3.0, 1.0]) / 8
    return F.conv2d(x, torch.outer(k, k).expand(x.shape[1], 1, 4, 4).contiguous(), None, 1, 2, 1, x.shape[1])


def with_deviation(x):
    n, c, h, w = x.shape
    group = next(size for size in (4, 3, 2, 1) if n % size == 0)
    spread = x.reshape(group, n // group, c, h, w)
    spread = spread - spread.mean(0, keepdim=True)
    deviation = (spread.square().mean(0) + 1e-8).sqrt().mean((1, 2, 3))
    return torch.cat([x, deviation.repeat(group)[:, None, None, None].expand(n, 1, h, w)], 1)


class Stylegan2:
    """options: size, channels, width, most, latent, mapping, batch, r1, pathLength, lazy."""

    beta1, beta2, rate = 0.0, 0.99, 2e-3

    def __init__(self, options):
        self.o = {"r1": 0.1, "pathLength": 2, "lazy": 16, "mixing": 0.9, **options}
        size = self.o["size"]
        self.sides = [4 << at for at in range(int(math.log2(size)) - 1)]
        self.layers = 2 * len(self.sides)

    def channels_at(self, side):
        return min(self.o["most"], self.o["width"] * self.o["size"] // side)

    def mapped(self, net, codes):
        y = normalized(codes)
        for at in range(self.o["mapping"]):
            y = rectify(dense(y, net, f"mapping.layer.{at}", self.o["latent"], rate=0.01))
        return y

    def styles(self, net, codes, draw, training=True):
        """[N, layers, latent]; the later layers of most pictures take the style of a second code."""
        n, layers = codes.shape[0], self.layers
        style = self.mapped(net, codes)
        average = net.statistic("mapping.average", self.o["latent"])
        if not training:
            return (average + (style - average))[:, None].expand(n, layers, -1)
        average.lerp_(style.detach().mean(0), 0.005)
        other = self.mapped(net, draw("mapping.other code", codes.shape, "normal"))
        place = draw("mapping.from layer", (n, 1, 1), "uniform") * layers
        start = torch.where(draw("mapping.mixed", (n, 1, 1), "uniform") < self.o["mixing"], place, torch.tensor(float(layers)))
        layer = torch.arange(layers)[None, :, None] + 0.5
        return torch.where(layer < start, style[:, None], other[:, None])

    def synthesize(self, net, styles, draw, training=True):
        o = self.o
        still = getattr(self, "still", None) or [torch.randn(styles.shape[0], 1, side, side) for side in self.sides]
        self.still = still  # the noise of pictures made outside training, drawn beforehand

        def styled(y, style, name, out):
            y = modulated(y, style, net, f"{name}.conv", out, 3)
            side = y.shape[2]
            noise = draw(f"{name}.noise", (y.shape[0], 1, side, side), "normal") if training else still[self.sides.index(side)]
            y = torch.addcmul(y, noise, net.weight(f"{name}.strength", 1))
            return rectify(y + net.weight(f"{name}.bias", out)[:, None, None])

        y = net.weight("synthesis.start", 1, self.channels_at(4), 4, 4, std=1.0).expand(styles.shape[0], -1, -1, -1)
        picture = None
        for at, side in enumerate(self.sides):
            here, out = f"synthesis.{side}", self.channels_at(side)
            if at:
                y = styled(doubled(y), styles[:, 2 * at - 1], f"{here}.up", out)
            y = styled(y, styles[:, 2 * at], f"{here}.conv", out)
            shown = modulated(y, styles[:, 2 * at + 1], net, f"{here}.picture", o["channels"], 1, demodulate=False)
            shown = shown + net.weight(f"{here}.picture.bias", o["channels"])[:, None, None]
            picture = shown if picture is None else doubled(picture) + shown
        return picture * 0.5 + 0.5

    def generator(self, net, codes, draw=None, training=True):
        return self.synthesize(net, self.styles(net, codes, draw, training), draw, training)

    def discriminator(self, net, x, training=True):
        first, *sides = reversed(self.sides)
        y = biased(plain(x * 2 - 1, net, "picture", self.channels_at(first), 1), net, "picture")
        for side in sides:
            here, out = str(2 * side), self.channels_at(side)
            detail = biased(plain(y, net, f"{here}.conv", y.shape[1], 3), net, f"{here}.conv")
            w = equalized(net, f"{here}.down", out, y.shape[1], 3, 3)
            down = biased(F.conv2d(blurred(detail), w, None, 2), net, f"{here}.down")
            half = F.interpolate(y, scale_factor=0.5, mode="bilinear", align_corners=False, antialias=True)
            y = (down + plain(half, net, f"{here}.skip", out, 1)) * math.sqrt(0.5)
        c = y.shape[1]
        y = biased(plain(with_deviation(y), net, "4.conv", c, 3), net, "4.conv")
        return dense(rectify(dense(y.flatten(1), net, "4.dense", c)), net, "score", 1)

    def penalty(self, net, image):
        """R1 at the first pictures of the batch; pictures in −1…1 count."""
        if not self.o["r1"]:
            return None
        few = image[: max(1, image.shape[0] // self.o["lazy"])].detach().requires_grad_()
        (slope,) = torch.autograd.grad(self.discriminator(net, few).sum(), few, create_graph=True)
        return slope.square().sum((1, 2, 3)).mul(0.25).mean() * (self.o["r1"] / 2)

    def path(self, net, draw):
        o = self.o
        if not o["pathLength"]:
            return None
        count = max(1, int(o["batch"] / (o["lazy"] / 2)))
        styles = self.styles(net, draw.outside("path codes", (count, o["latent"]), "normal"), draw)
        picture = self.synthesize(net, styles, draw)
        direction = draw("path.direction", picture.shape, "normal") * (2 / o["size"])
        (slope,) = torch.autograd.grad((picture * direction).sum(), styles, create_graph=True)
        length = (slope.square().sum(2).mean(1) + 1e-12).sqrt()
        usual = net.statistic("path.usual", 1)
        penalty = (length - usual).square().mean() * o["pathLength"]
        usual.lerp_(length.detach().mean()[None], 0.01)
        return penalty


NETWORKS = {"dcgan": Dcgan, "stylegan2": Stylegan2}


class Draw:
    """The noise of one call of the generator; `source(name, shape, kind)` draws."""

    def __init__(self, source, call):
        self.outside, self.call = source, call

    def __call__(self, name, shape, kind):
        return self.outside(f"generator/{name}#{self.call}", shape, kind)


class Gan:
    """The step of a recipe: the discriminator moves, then the generator is judged by the one that moved."""

    def __init__(self, recipe, options, first, source, layout=torch.contiguous_format):
        self.nets, self.source, self.count = NETWORKS[recipe](options), source, 0
        self.batch, self.latent = options["batch"], self.nets.o["latent"]
        self.g, self.d = Store("generator", first, layout), Store("discriminator", first, layout)
        self.average = None

    def codes(self):
        return self.source("latent", (self.batch, self.latent), "normal")

    def prepare(self):
        """Makes every weight, then the optimizers and the moving average."""
        with torch.no_grad():
            fake = self.make(torch.zeros(self.batch, self.latent))
            self.nets.discriminator(self.d, fake, training=False)
        adam = lambda net: torch.optim.Adam(net.parameters(), self.nets.rate, (self.nets.beta1, self.nets.beta2))
        self.move_d, self.move_g = adam(self.d), adam(self.g)
        self.average = [weight.detach().clone() for weight in self.g.parameters()]
        return self

    def step(self, image):
        nets, d, g = self.nets, self.d, self.g
        self.count += 1
        fake = nets.generator(g, self.codes(), Draw(self.source, 0))

        self.move_d.zero_grad(set_to_none=True)
        real, made = nets.discriminator(d, image), nets.discriminator(d, fake.detach())
        d_loss = F.softplus(-real).mean() + F.softplus(made).mean()
        penalty = nets.penalty(d, image)
        d_loss = d_loss if penalty is None else d_loss + penalty
        d_loss.backward()
        self.move_d.step()

        judge = d.parameters()
        for weight in judge:
            weight.requires_grad_(False)  # their slopes are not needed
        self.move_g.zero_grad(set_to_none=True)
        g_loss = F.softplus(-nets.discriminator(d, fake)).mean()
        path = nets.path(g, Draw(self.source, 1))
        g_loss = g_loss if path is None else g_loss + path
        g_loss.backward()
        self.move_g.step()
        for weight in judge:
            weight.requires_grad_()

        decay = 0.5 ** (self.batch / min(10_000, 0.05 * self.count * self.batch))
        moved = [weight.detach() for weight in g.parameters()]
        torch._foreach_mul_(self.average, decay)
        torch._foreach_add_(self.average, moved, alpha=1 - decay)
        return d_loss.item(), g_loss.item()

    def make(self, codes):
        """Pictures as they are made outside training."""
        return self.nets.generator(self.g, codes, None, training=False)
