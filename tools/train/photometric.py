"""What cameras, lenses and codecs do to a picture, done to batches on the GPU: each effect hits some pictures only, at a
strength of its own. Pictures are [b, 3, H, W] RGB 0..1, float; nothing here moves a box.

The purpose is domain randomisation (Tobin et al. 2017): the renderer's look must not be what the detector learns.
"""

import math

import torch
import torch.nn.functional as F

GREY = (0.299, 0.587, 0.114)


class Photometric:
    """All effects in the order in which a real camera applies them."""

    def __init__(self, generator, overlays):
        """overlays [k, 4, H, W]: colour and opacity of burnt-in texts, bars and logos."""
        self.generator = generator
        self.overlays = overlays
        self.dct = dct_matrix(overlays.device)

    def rand(self, b, lo=0.0, hi=1.0):
        return torch.rand(b, 1, 1, 1, generator=self.generator, device=self.overlays.device) * (hi - lo) + lo

    def some(self, b, share):
        """1 for about `share` of the pictures, else 0."""
        return (self.rand(b) < share).float()

    def normal(self, shape):
        return torch.randn(shape, generator=self.generator, device=self.overlays.device)

    def __call__(self, x):
        x = self.filtered(x)
        x = self.shaded(x)
        x = self.toned(x)
        x = self.blurred(x)
        x = self.noisy(x)
        x = self.sharpened(x)
        x = self.rescaled(x)
        x = self.stamped(x)
        x = self.compressed(x.clamp(0, 1))
        return x.clamp(0, 1)

    def filtered(self, x):
        """A random 3x3 filter across colours blended in (Xu et al., RandConv, 2021): texture changes, shape stays."""
        b = x.shape[0]
        kernel = self.normal((b * 3, 3, 3, 3)) / math.sqrt(27)
        mixed = F.conv2d(F.pad(x.reshape(1, b * 3, *x.shape[2:]), (1, 1, 1, 1), mode="replicate"), kernel, groups=b)
        mixed = mixed.reshape(x.shape)
        mixed = mixed - mixed.mean((1, 2, 3), keepdim=True)
        mixed = 0.5 + mixed * (x.std((1, 2, 3), keepdim=True) / (mixed.std((1, 2, 3), keepdim=True) + 1e-4))
        part = self.rand(b, 0, 0.7) * self.some(b, 0.12)
        return (x * (1 - part) + mixed * part).clamp(0, 1)

    def field(self, b, size, cells):
        """A smooth random field around 0, spread 1: [b, 1, H, W]."""
        return F.interpolate(self.normal((b, 1, cells, cells)), size=size, mode="bicubic", align_corners=False)

    def shaded(self, x):
        """Cloud shadows, stray light, a lens that darkens its corners."""
        b, size = x.shape[0], x.shape[2:]
        x = x * (1 + self.field(b, size, 5) * self.rand(b, 0, 0.25) * self.some(b, 0.35)).clamp(0.2, 2)
        y = torch.linspace(-1, 1, size[0], device=x.device)[None, None, :, None]
        w = torch.linspace(-1, 1, size[1], device=x.device)[None, None, None]
        return x * (1 - (y * y + w * w) * self.rand(b, 0, 0.3) * self.some(b, 0.3))

    def toned(self, x):
        """Exposure, gamma, contrast, white balance, saturation, haze; some cameras are grey."""
        b = x.shape[0]
        x = x * torch.exp(self.normal((b, 1, 1, 1)) * 0.28)
        x = x * torch.exp(self.normal((b, 3, 1, 1)) * 0.07)
        x = x.clamp(0, 1.6).clamp_min(1e-4) ** torch.exp(self.normal((b, 1, 1, 1)) * 0.28)
        mean = x.mean((1, 2, 3), keepdim=True)
        x = (x - mean) * torch.exp(self.normal((b, 1, 1, 1)) * 0.25) + mean
        grey = (x * torch.tensor(GREY, device=x.device)[None, :, None, None]).sum(1, keepdim=True)
        vivid = self.rand(b, 0.2, 1.5) * (1 - self.some(b, 0.1))
        x = grey + (x - grey) * vivid
        haze = self.rand(b, 0, 0.6) * self.some(b, 0.2)
        tint = (self.rand(b, 0.3, 0.9) + self.normal((b, 3, 1, 1)) * 0.04)
        return (x * (1 - haze) + tint * haze).clamp(0, 1)

    def blurred(self, x):
        """Focus and motion: an oriented Gaussian of up to about 2 pixels."""
        b, r = x.shape[0], 4
        along, across = self.rand(b, 0.3, 2.2), self.rand(b, 0.3, 1.2)
        angle = self.rand(b, 0, math.pi)
        at = torch.arange(-r, r + 1, device=x.device, dtype=torch.float32)
        dx, dy = at[None, None, None, :], at[None, None, :, None]
        u, v = dx * angle.cos() + dy * angle.sin(), dy * angle.cos() - dx * angle.sin()
        kernel = torch.exp(-0.5 * ((u / along) ** 2 + (v / across) ** 2))
        kernel = (kernel / kernel.sum((2, 3), keepdim=True)).repeat_interleave(3, 0)
        soft = F.conv2d(F.pad(x.reshape(1, -1, *x.shape[2:]), (r, r, r, r), mode="replicate"), kernel.to(x.dtype),
                        groups=b * 3).reshape(x.shape)
        part = self.some(b, 0.4)
        return x * (1 - part) + soft * part

    def noisy(self, x):
        """Sensor noise, fine in brightness, coarse in colour as after a camera's own denoising."""
        b, (h, w) = x.shape[0], x.shape[2:]
        fine = self.normal((b, 1, h, w)) * self.rand(b, 0, 0.05)
        coarse = F.interpolate(self.normal((b, 3, h // 4, w // 4)), size=(h, w), mode="bilinear") * self.rand(b, 0, 0.03)
        return x + (fine + coarse) * self.some(b, 0.5)

    def sharpened(self, x):
        """The halo that cameras put around edges."""
        soft = F.avg_pool2d(F.pad(x, (1, 1, 1, 1), mode="replicate"), 3, 1)
        b = x.shape[0]
        return x + (x - soft) * self.rand(b, 0, 2.0) * self.some(b, 0.35)

    def rescaled(self, x):
        """A camera of lower resolution, scaled up: one factor for each eighth of the batch."""
        out = []
        for chunk in x.chunk(8):
            factor = 1.0
            draw = torch.rand(2, generator=self.generator, device=x.device).tolist()
            if draw[0] < 0.4:
                factor = 0.4 + 0.5 * draw[1]
            if factor < 1:
                small = F.interpolate(chunk, scale_factor=factor, mode="bilinear", antialias=True)
                chunk = F.interpolate(small, size=x.shape[2:], mode="bilinear")
            out.append(chunk)
        return torch.cat(out)

    def stamped(self, x):
        """Burnt-in clocks, names, bars."""
        b = x.shape[0]
        which = torch.randint(len(self.overlays), (b,), generator=self.generator, device=x.device)
        over = self.overlays[which].to(x.dtype)
        opacity = over[:, 3:] * self.some(b, 0.4)
        return x * (1 - opacity) + over[:, :3] * opacity

    def compressed(self, x):
        """Blocks of a codec: an 8x8 DCT whose coefficients are rounded, colours at half size."""
        b, _, h, w = x.shape
        y = 0.299 * x[:, 0:1] + 0.587 * x[:, 1:2] + 0.114 * x[:, 2:3]
        cb, cr = (x[:, 2:3] - y) * 0.564, (x[:, 0:1] - y) * 0.713
        step = torch.exp(self.rand(b, math.log(0.004), math.log(0.10)))
        y = self.rounded(y, step)
        colour = F.interpolate(self.rounded(F.avg_pool2d(torch.cat((cb, cr), 1), 2), step * 1.2), size=(h, w),
                               mode="bilinear")
        cb, cr = colour[:, 0:1], colour[:, 1:2]
        again = torch.cat((y + cr / 0.713, y - 0.344 * cb / 0.564 - 0.714 * cr / 0.713, y + cb / 0.564), 1)
        part = self.some(b, 0.7)
        return x * (1 - part) + again * part

    def rounded(self, x, step):
        b, c, h, w = x.shape
        blocks = x.reshape(b, c, h // 8, 8, w // 8, 8).permute(0, 1, 2, 4, 3, 5)
        d = self.dct.to(x.dtype)
        freq = d @ blocks @ d.T
        grow = torch.arange(8, device=x.device)
        quant = step[..., None, None] * (1 + 0.5 * (grow[:, None] + grow[None, :])) * 2
        freq = torch.round(freq / quant) * quant
        return (d.T @ freq @ d).permute(0, 1, 2, 4, 3, 5).reshape(b, c, h, w)


def dct_matrix(device):
    """The orthonormal 8-point DCT-II."""
    k = torch.arange(8, device=device, dtype=torch.float32)
    d = torch.cos((k[None] + 0.5) * k[:, None] * math.pi / 8) * 0.5
    d[0] *= math.sqrt(0.5)
    return d
