"""Image to image with Stable Diffusion: the one file that knows diffusers.

Meng et al.: SDEdit (ICLR 2022): noise is added up to the time that ``strength`` says and taken away again;
Rombach et al.: High-Resolution Image Synthesis with Latent Diffusion Models (CVPR 2022); Zhang, Rao,
Agrawala: Adding Conditional Control to Text-to-Image Diffusion Models (ICCV 2023).
"""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from wbme.base.errors import ModelError, ParameterError
from wbme.base.hashing import digest_json, sha256_file
from wbme.base.seeds import generator
from wbme.synth import diffusion_files
from wbme.train.loop import device_and_type

F32 = NDArray[np.float32]
SCHEDULERS = {
    "ddim": "DDIMScheduler",
    "euler": "EulerDiscreteScheduler",
    "euler-ancestral": "EulerAncestralDiscreteScheduler",
    "dpm++": "DPMSolverMultistepScheduler",
    "unipc": "UniPCMultistepScheduler",
    "lcm": "LCMScheduler",
}


@dataclass(frozen=True)
class Refinement:
    """How a picture is redrawn.

    ``strength`` in (0, 1]: the share of ``steps`` that is run, and of the noise that is added; ``guidance``:
    weight of the prompt, 0 or 1 for turbo and LCM; ``scheduler``: one of ``SCHEDULERS`` or "own", the
    model's; ``size`` of the picture that the model sees, pixels; ``edge_weight``: that of the edges, where a
    ControlNet is given."""

    prompt: str = ""
    negative: str = ""
    strength: float = 0.35
    steps: int = 30
    guidance: float = 6.0
    scheduler: str = "own"
    size: int = 512
    edge_weight: float = 0.8
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 < self.strength <= 1:
            raise ParameterError(f"strength {self.strength} is out of range: choose above 0 and up to 1")
        if not 1 <= self.steps <= 1000 or int(self.steps * self.strength) < 1:
            raise ParameterError(
                f"strength {self.strength} of {self.steps} steps is less than one step: raise one of them, "
                "to 1000 steps at most"
            )
        if self.scheduler not in ("own", *SCHEDULERS):
            raise ParameterError(
                f"there is no scheduler {self.scheduler!r}: choose own, {', '.join(SCHEDULERS)}"
            )
        if self.size % 8 or not 64 <= self.size <= 2048:
            raise ParameterError(f"size {self.size} is no multiple of 8 from 64 to 2048: 512 suits SD 1.5")
        if not 0 <= self.guidance <= 50 or not 0 <= self.edge_weight <= 2:
            raise ParameterError(
                f"guidance {self.guidance} must lie in [0, 50], edge_weight {self.edge_weight} in [0, 2]"
            )


class Refiner:
    """A model, ready to redraw pictures: ``refiner(rgb, name)``."""

    def __init__(
        self,
        files: diffusion_files.ModelFiles,
        settings: Refinement,
        control: Path | None = None,
        *,
        trust_pickle: bool = False,
        sliced: bool = True,
        offload: bool = False,
    ):
        """Load the model that ``files`` names, and the ControlNet for edges in the folder ``control``.

        In bfloat16 where the GPU or processor computes in it. ``sliced`` computes attention in parts, which
        needs less memory; ``offload`` keeps on the GPU only the part at work. Raises ModelError where it
        cannot be loaded, ParameterError where the prompt is too long, memory does not suffice, or there is no
        GPU to offload from.
        """
        self.settings = settings
        self.device, dtype = device_and_type()
        if offload and self.device.type != "cuda":
            raise ParameterError(
                "offload moves a model between GPU and memory, and there is no GPU: leave it off"
            )
        about = {"model": files.place.name, "model_digest": files.digest(), "family": files.family}
        controlled = {"control": None, "control_digest": None}
        pickled = control is not None and diffusion_files.find_control(control, trust_pickle=trust_pickle)
        if control is not None:
            files_of = sorted(
                path for path in control.iterdir() if path.suffix in (".json", ".safetensors", ".bin")
            )
            rows = [[path.name, sha256_file(path)] for path in files_of]
            controlled = {"control": control.name, "control_digest": digest_json(rows)}
        with _in_memory(settings.size):
            self.pipe = _pipeline(files, control, dtype, pickled)
            self._schedule()
            if sliced:
                self.pipe.enable_attention_slicing()
                self.pipe.vae.enable_slicing()
            if offload:
                self.pipe.enable_model_cpu_offload()
            else:
                self.pipe.to(self.device)
        self.pipe.set_progress_bar_config(disable=True)
        for text in (settings.prompt, settings.negative):
            self._check_length(text)
        self.controlled = control is not None
        self.lineage = {**about, **controlled, **_versions(), "dtype": str(dtype).removeprefix("torch.")}
        self.lineage |= {**asdict(settings), "scheduler": type(self.pipe.scheduler).__name__}

    def _schedule(self) -> None:
        import diffusers

        if self.settings.scheduler != "own":
            kind = getattr(diffusers, SCHEDULERS[self.settings.scheduler])
            self.pipe.scheduler = kind.from_config(self.pipe.scheduler.config)

    def _check_length(self, text: str) -> None:
        for name in ("tokenizer", "tokenizer_2"):
            tokenizer = getattr(self.pipe, name, None)
            encoder = getattr(self.pipe, name.replace("tokenizer", "text_encoder"), None)
            if tokenizer is None or encoder is None:
                continue
            most = min(tokenizer.model_max_length, encoder.config.max_position_embeddings)
            count = len(tokenizer(text).input_ids)
            if count > most:
                raise ParameterError(
                    f"the prompt {text[:30]!r}... has {count - 2} tokens and the model reads {most - 2}: "
                    "shorten it"
                )

    def __call__(self, rgb: F32, name: str) -> F32 | None:
        """Redraw ``rgb``, S x S x 3 sRGB in [0, 1] with S = ``settings.size``; the same shape and range.

        ``name`` seeds the noise together with the seed. None where the model's own safety checker withheld
        the result. Raises ParameterError where memory does not suffice.
        """
        draw = torch.Generator("cpu").manual_seed(
            int(generator(self.settings.seed, "refine", name).integers(2**62))
        )
        given: dict[str, Any] = {"image": rgb[None], "strength": self.settings.strength}
        given |= {"num_inference_steps": self.settings.steps, "guidance_scale": self.settings.guidance}
        given |= {"prompt": self.settings.prompt, "negative_prompt": self.settings.negative or None}
        if self.controlled:
            given |= {
                "control_image": edges(rgb)[None],
                "controlnet_conditioning_scale": self.settings.edge_weight,
            }
        with _in_memory(self.settings.size):
            found = self.pipe(**given, generator=draw, output_type="np")
        flagged = getattr(found, "nsfw_content_detected", None)
        if flagged and flagged[0]:
            return None
        out = np.clip(np.asarray(found.images[0], np.float32), 0, 1)
        if not np.isfinite(out).all():
            raise ModelError(
                "the model gave no numbers: take its .safetensors in float32, or another scheduler"
            )
        return out


def edges(rgb: F32) -> F32:
    """Canny's edges of a drawing H x W x 3 in [0, 1], white on black, H x W x 3: what ControlNet reads."""
    grey = cv2.cvtColor(cv2.convertScaleAbs(rgb, alpha=255), cv2.COLOR_RGB2GRAY)
    return (cv2.Canny(grey, 100, 200).astype(np.float32) / 255)[..., None].repeat(3, 2)


def _pipeline(
    files: diffusion_files.ModelFiles, control: Path | None, dtype: torch.dtype, pickled: bool
) -> Any:
    import diffusers

    diffusers.utils.logging.set_verbosity_error()
    diffusers.utils.logging.disable_progress_bar()
    name = {"sd": "StableDiffusion", "sdxl": "StableDiffusionXL"}[files.family]
    kind = getattr(diffusers, f"{name}{'ControlNet' if control else ''}Img2ImgPipeline")
    local: dict[str, Any] = {"local_files_only": True, "dtype": dtype}
    given = dict(local)
    if files.family == "sdxl":
        given["add_watermarker"] = False
    try:
        if control is not None:
            safe = {"use_safetensors": not pickled}
            given["controlnet"] = diffusers.ControlNetModel.from_pretrained(str(control), **safe, **local)
        if files.place.is_file():
            pipe = kind.from_single_file(str(files.place), config=str(files.config), **given)
        else:
            given |= {"variant": files.variant, "use_safetensors": None if files.pickled else True}
            pipe = kind.from_pretrained(str(files.place), **given)
    except (torch.OutOfMemoryError, MemoryError):
        raise
    except Exception as error:  # diffusers, transformers and safetensors have no common base
        why = " ".join(str(error).split())[:160].rstrip(".")
        raise ModelError(
            f"{files.place} cannot be loaded ({why}): see that its files belong together"
        ) from error
    if control is not None:
        own, other = (net.config.cross_attention_dim for net in (pipe.unet, pipe.controlnet))
        if own != other:
            raise ModelError(
                f"the ControlNet {control} was made for another model (text of {other} numbers, not {own}): "
                f"bring one for {'SDXL' if files.family == 'sdxl' else 'Stable Diffusion of this version'}"
            )
    return pipe


def _versions() -> dict[str, str]:
    import diffusers
    import transformers

    return {"diffusers": diffusers.__version__, "transformers": transformers.__version__}


@contextmanager
def _in_memory(size: int) -> Iterator[None]:
    """Memory that does not suffice is one sentence."""
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
        lacking = isinstance(error, (torch.OutOfMemoryError, MemoryError)) or "not enough memory" in str(
            error
        )
        if not lacking:
            raise
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        raise ParameterError(
            f"memory does not suffice for pictures of {size} x {size}: lower size, or set sliced and, with a "
            "GPU, offload"
        ) from error


def replaced(refiner: Refiner, **changed: Any) -> Refiner:
    """The same loaded model with other settings of ``Refinement`` but prompt and scheduler."""
    other = copy.copy(refiner)
    other.settings = replace(refiner.settings, **changed)
    return other
