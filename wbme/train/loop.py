"""Training of a student: losses by its head, perceptual features, a critic for the finish."""

import copy
import functools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from wbme.base.seeds import generator
from wbme.data import planes
from wbme.data.pairs import Pairs
from wbme.metrics import perceptual
from wbme.nets import mobilenet
from wbme.nets.discriminator import PatchGAN
from wbme.nets.student import MULTIPLE, SKINS, Student
from wbme.runtime.export import fill
from wbme.train import held_out
from wbme.train.loader import Batch, Crops
from wbme.train.losses import LOSSES, colour_loss, consistency_loss
from wbme.train.settings import Settings
from wbme.train.steps import Loop

_NOISE = 0.01  # deviation of what a camera adds from frame to frame
_BORDER = 4  # pixels at the edge of a crop whose surroundings are not seen


def device_and_type() -> tuple[torch.device, torch.dtype]:
    """A GPU where there is one; bfloat16 where the hardware computes in it, else float32."""
    if torch.cuda.is_available():
        return torch.device("cuda"), torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float32
    capable = torch.cpu.get_capabilities()
    fast = capable.get("avx512_bf16") or capable.get("amx_bf16")
    return torch.device("cpu"), torch.bfloat16 if fast else torch.float32


class Training(Loop):
    """A training of ``settings`` on ``pairs`` whose checkpoint and held-out drawings live in ``folder``.

    Made anew from the checkpoint there, it goes on as if it had never stopped. ``start`` gives the first
    weights, those of a student of the same architecture, whose other characters are left out; ``controls``
    by character are those with which the held-out pairs are drawn (``export.make_card``). Each pair is
    learned under the character, strength and skin that its row tells. Raises ModelError for a foreign
    checkpoint or a start that does not fit, ParameterError where a split of the pairs is empty.
    """

    def __init__(
        self,
        pairs: Pairs,
        settings: Settings,
        folder: Path,
        start: Student | None = None,
        controls: Mapping[str, Mapping[str, Any]] | None = None,
    ):
        self.checks = held_out.HeldOut(pairs, controls)
        device, self.dtype = device_and_type()
        torch.manual_seed(settings.seed)
        net = Student(settings.architecture, settings.head, settings.characters, settings.branches)
        if start:
            fill(net, start.recast(settings.characters).state_dict(), "the model to start from")
        size = {"crop": settings.crop, "size": settings.batch, "seed": settings.seed}
        self.crops = Crops(pairs, "train", **size, condition=functools.partial(held_out.condition, net))
        super().__init__(net, settings, folder, device)
        self.optimizer = torch.optim.AdamW(self.net.parameters(), settings.lr, weight_decay=1e-4, fused=True)
        self.critic = PatchGAN().to(self.device) if settings.critic else None
        self.critic_optimizer = (
            torch.optim.AdamW(self.critic.parameters(), 4e-4, (0.0, 0.99), weight_decay=0.0)
            if self.critic
            else None
        )
        self.features = mobilenet.pretrained().folded().to(self.device) if settings.perceptual else None
        self._identity["characters"] = list(settings.characters)
        self._identity["pairs"] = pairs.digest
        self._started(start)
        self._restore()

    def _parts(self) -> dict[str, Any]:
        parts = super()._parts()
        if self.critic:
            parts |= {"critic": self.critic, "critic_optimizer": self.critic_optimizer}
        return parts

    def _batches(self) -> Iterator[Batch]:
        return self.crops.batches(self.step, self.settings.steps)

    def _about(self) -> dict[str, Any]:
        rows, skins = self.crops.rows, dict[str, set[str]]()
        for row in rows:
            skins.setdefault(row["character"], set()).add(row["skin"])
        return {
            **{key: self._identity[key] for key in ("pairs", "start", "crop", "batch", "lr", "seed")},
            "steps": self.step,
            "views": len(rows),
            "identities": len({row["identity"] for row in rows}),
            "strengths": sorted({row["strength"] for row in rows}),
            "skins": {name: sorted(found & set(SKINS)) for name, found in skins.items()},
            "device": str(self.device),
        }

    def _check(self) -> None:
        drawings = self.checks.drawings(copy.deepcopy(self.average).cpu())
        for name, value in self.checks.scores(drawings).items():
            self._report(f"held_out/{name}", value)
        planes.write(self.folder / f"held-out-{self.step:06d}.png", self.checks.sheet(drawings))

    def _learn(self, batch: Batch) -> None:
        given, batch = self.settings, batch.to(self.device)
        for group in self.optimizer.param_groups:
            group["lr"] = self._rate()
        self.net.train()
        out = self._drawn(batch.photo, batch.cond)
        parts, drawn, wanted = LOSSES[given.head](out, batch, given.flat, given.ramp)
        if given.colour:
            parts["colour"] = given.colour * colour_loss(drawn, wanted, batch.labels)
        if given.consistency and self.step % given.consistency_every == 0:
            parts["consistency"] = given.consistency * self._inconsistency(batch)
        if self.features is not None and self.step % given.perceptual_every == 0:
            both = (x.contiguous(memory_format=torch.channels_last) for x in (drawn, wanted))
            far = perceptual.compare(self.features, *both).mean()
            parts["perceptual"] = given.perceptual * far
        if self.critic is not None and self._progress() >= 1 - given.finish:
            self._criticise(batch.photo, drawn, wanted, parts)
        self._descend(parts)

    def _drawn(self, photo: Tensor, cond: Tensor) -> Tensor:
        with torch.autocast(self.device.type, self.dtype, enabled=self.dtype != torch.float32):
            return self.forward(photo, cond).float()

    def _inconsistency(self, batch: Batch) -> Tensor:
        """How differently half of the crops are drawn when they lie a few pixels apart, each with noise of
        its own: what flickers in a video."""
        rng = generator(self.settings.seed, "consistency", self.step)
        half, side = len(batch.photo) // 2, self.settings.crop - MULTIPLE
        x, y = (int(one) for one in rng.integers(1, MULTIPLE + 1, 2))
        here, there = batch.photo[:half, :, :side, :side], batch.photo[:half, :, y : y + side, x : x + side]
        both = torch.cat([here, there])
        noise = torch.from_numpy(rng.standard_normal(both.shape, np.float32)).to(both)
        first, second = self._drawn(both + _NOISE * noise, batch.cond[:half].repeat(2, 1)).chunk(2)
        # What lies at the border is guessed in one of the two.
        first, second = first[..., y:, x:], second[..., : side - y, : side - x]
        inner = slice(_BORDER, -_BORDER)
        return consistency_loss(first[..., inner, inner], second[..., inner, inner])

    def _criticise(self, photo: Tensor, drawn: Tensor, wanted: Tensor, parts: dict[str, Tensor]) -> None:
        """One hinge step of the critic, then its verdict as a part of the student's loss."""
        real, fake = self.critic(photo, wanted), self.critic(photo, drawn.detach())
        hinge = torch.relu(1 - real).mean() + torch.relu(1 + fake).mean()
        self.critic_optimizer.zero_grad(set_to_none=True)
        hinge.backward()
        self.critic_optimizer.step()
        self.critic.requires_grad_(False)
        parts["critic"] = -self.settings.critic * self.critic(photo, drawn).mean()
        self.critic.requires_grad_(True)
