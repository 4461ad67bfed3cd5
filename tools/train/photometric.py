"""What cameras, lenses and codecs do to a picture, done to batches on the GPU: each effect hits some pictures only, at a
strength of its own. Pictures are [b, 3, H, W] RGB 0..1, half precision on a GPU; nothing here moves a box.

The purpose is domain randomisation (Tobin et al. 2017): the renderer's look must not be what the detector learns.
"""

import math

import torch
import torch.nn.functional as F


class Photometric:
    """All effects in the order in which a real camera applies them."""

    def __init__(self, generator, host, overlays):
        """host: a generator on the CPU for what decides about shapes; overlays [k, 4, H, W]: colour and opacity of
        burnt-in texts, bars and logos."""
        self.generator, self.host = generator, host
        self.overlays = overlays
        self.dct = dct_matrix(overlays.device)

    def rand(self, b, lo=0.0, hi=1.0):
        drawn = torch.rand(b, 1, 1, 1, generator=self.generator, device=self.overlays.device)
        return (drawn * (hi - lo) + lo).to(self.overlays.dtype)

    def normal(self, *shape):
        return torch.randn(shape, generator=self.generator, device=self.overlays.device, dtype=self.overlays.dtype)

    def hit(self, x, share, effect):
        """Applies the effect to that share of the pictures, in place."""
        b = len(x)
        chosen = torch.randperm(b, generator=self.generator, device=x.device)[:round(b * share)]
        if len(chosen):
            x[chosen] = effect(x[chosen]).clamp(0, 1)

    def __call__(self, x, clean):
        """[b, 3, H, W] of any float type -> the same shape in the overlays' type. The share `clean` stays as rendered."""
        x = x.to(self.overlays.dtype, copy=True)
        self.hit(x, 1 - clean, self.all_effects)
        return x

    def all_effects(self, x):
        self.hit(x, 0.12, self.filtered)
        self.hit(x, 0.35, self.shaded)
        self.hit(x, 0.3, self.vignetted)
        self.hit(x, 0.95, self.toned)
        self.hit(x, 0.08, self.grey)
        self.hit(x, 0.2, self.hazy)
        self.hit(x, 0.4, self.blurred)
        self.hit(x, 0.5, self.noisy)
        self.hit(x, 0.35, self.sharpened)
        for factor in torch.rand(4, generator=self.host).mul(0.55).add(0.35).tolist():
            self.hit(x, 0.1, lambda part, factor=factor: self.rescaled(part, factor))
        self.hit(x, 0.4, self.stamped)
        self.hit(x, 0.65, self.compressed)
        return x

    def filtered(self, x):
        """A random 3x3 filter across colours blended in (Xu et al., RandConv, 2021): texture changes, shape stays."""
        b = len(x)
        kernel = self.normal(b * 3, 3, 3, 3) / math.sqrt(27)
        mixed = F.conv2d(F.pad(x.reshape(1, b * 3, *x.shape[2:]), (1, 1, 1, 1), mode="replicate"), kernel, groups=b)
        mixed = mixed.reshape(x.shape)
        mixed = mixed - mixed.mean((1, 2, 3), keepdim=True)
        mixed = 0.5 + mixed * (x.std((1, 2, 3), keepdim=True) / (mixed.std((1, 2, 3), keepdim=True) + 1e-3))
        return torch.lerp(x, mixed, self.rand(b, 0, 0.7))

    def shaded(self, x):
        """Cloud shadows, stray light: a smooth field over the picture."""
        field = F.interpolate(self.normal(len(x), 1, 5, 5), size=x.shape[2:], mode="bilinear", align_corners=False)
        return x * (1 + field * self.rand(len(x), 0, 0.25)).clamp_(0.2, 2)

    def vignetted(self, x):
        y = torch.linspace(-1, 1, x.shape[2], device=x.device, dtype=x.dtype)[None, None, :, None]
        w = torch.linspace(-1, 1, x.shape[3], device=x.device, dtype=x.dtype)[None, None, None]
        return x * (1 - (y * y + w * w) * self.rand(len(x), 0, 0.35))

    def toned(self, x):
        """Exposure, white balance, gamma, contrast, saturation."""
        b = len(x)
        x = x * torch.exp(self.normal(b, 1, 1, 1) * 0.25 + self.normal(b, 3, 1, 1) * 0.06)
        x = x.clamp_(1e-3, 1.6) ** torch.exp(self.normal(b, 1, 1, 1) * 0.28)
        x = torch.lerp(x.mean((1, 2, 3), keepdim=True), x, torch.exp(self.normal(b, 1, 1, 1) * 0.25))
        return torch.lerp(self.luma(x), x, self.rand(b, 0.2, 1.5))

    @staticmethod
    def luma(x):
        return x[:, 0:1] * 0.299 + x[:, 1:2] * 0.587 + x[:, 2:3] * 0.114

    def grey(self, x):
        return self.luma(x).expand_as(x)

    def hazy(self, x):
        """Fog, a fogged lens, a washed-out picture."""
        b = len(x)
        tint = self.rand(b, 0.3, 0.9) + self.normal(b, 3, 1, 1) * 0.04
        return torch.lerp(x, tint, self.rand(b, 0, 0.65))

    def blurred(self, x):
        """Focus and motion: an oriented Gaussian of up to about 2 pixels."""
        b, r = len(x), 4
        along, across, angle = self.rand(b, 0.3, 2.2), self.rand(b, 0.3, 1.2), self.rand(b, 0, math.pi)
        at = torch.arange(-r, r + 1, device=x.device, dtype=x.dtype)
        dx, dy = at[None, None, None, :], at[None, None, :, None]
        u, v = dx * angle.cos() + dy * angle.sin(), dy * angle.cos() - dx * angle.sin()
        kernel = torch.exp(-0.5 * ((u / along) ** 2 + (v / across) ** 2))
        kernel = (kernel / kernel.sum((2, 3), keepdim=True)).repeat_interleave(3, 0)
        flat = F.pad(x.reshape(1, -1, *x.shape[2:]), (r, r, r, r), mode="replicate")
        return F.conv2d(flat, kernel, groups=b * 3).reshape(x.shape)

    def noisy(self, x):
        """Sensor noise, fine in brightness, coarse in colour as after a camera's own denoising."""
        b, _, h, w = x.shape
        coarse = F.interpolate(self.normal(b, 3, h // 4, w // 4), size=(h, w), mode="bilinear", align_corners=False)
        return x + self.normal(b, 1, h, w) * self.rand(b, 0, 0.05) + coarse * self.rand(b, 0, 0.03)

    def sharpened(self, x):
        """The halo that cameras put around edges."""
        soft = F.avg_pool2d(F.pad(x, (1, 1, 1, 1), mode="replicate"), 3, 1)
        return torch.lerp(soft, x, 1 + self.rand(len(x), 0, 2.0))

    def rescaled(self, x, factor):
        """A camera of lower resolution, scaled up. By sizes both ways: given a factor, interpolate() would sample by it
        and not by the rounded size, and what is right or low in the picture would move by up to 2 pixels."""
        size = [round(side * factor) for side in x.shape[2:]]
        small = F.interpolate(x, size=size, mode="bilinear", align_corners=False)
        return F.interpolate(small, size=x.shape[2:], mode="bilinear", align_corners=False)

    def stamped(self, x):
        """Burnt-in clocks, names, bars."""
        over = self.overlays[torch.randint(len(self.overlays), (len(x),), generator=self.generator, device=x.device)]
        return torch.lerp(x, over[:, :3], over[:, 3:])

    def compressed(self, x):
        """Blocks of a codec: an 8x8 DCT whose coefficients are rounded, colours at half size."""
        y = self.luma(x)
        step = torch.exp(self.rand(len(x), math.log(0.004), math.log(0.10)))
        colour = F.avg_pool2d(torch.cat(((x[:, 2:3] - y) * 0.564, (x[:, 0:1] - y) * 0.713), 1), 2)
        colour = F.interpolate(self.rounded(colour, step * 1.2), size=x.shape[2:], mode="bilinear", align_corners=False)
        y = self.rounded(y, step)
        blue, red = y + colour[:, 0:1] / 0.564, y + colour[:, 1:2] / 0.713
        return torch.cat((red, (y - 0.299 * red - 0.114 * blue) / 0.587, blue), 1)

    def rounded(self, x, step):
        b, c, h, w = x.shape
        d = self.dct.to(x.dtype)
        freq = d @ x.reshape(b, c, h // 8, 8, w // 8, 8).transpose(3, 4) @ d.T
        grow = torch.arange(8, device=x.device, dtype=x.dtype)
        quant = step[..., None, None] * (2 + grow[:, None] + grow[None, :])
        freq = torch.round(freq / quant) * quant
        return (d.T @ freq @ d).transpose(3, 4).reshape(b, c, h, w)


def dct_matrix(device):
    """The orthonormal 8-point DCT-II."""
    k = torch.arange(8, device=device, dtype=torch.float32)
    d = torch.cos((k[None] + 0.5) * k[:, None] * math.pi / 8) * 0.5
    d[0] *= math.sqrt(0.5)
    return d
