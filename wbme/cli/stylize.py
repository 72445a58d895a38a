"""``wbme stylize``: pictures, folders and videos drawn by a trained student."""

import time
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from wbme.base.errors import ModelError, ParameterError, StoreError, WbmeError

MODEL = "student"
SHIPPED = "shipped"
PICTURES = (".png", ".jpg", ".jpeg", ".webp")  # what can be written
VIDEOS = (".mp4", ".m4v", ".mov", ".mkv")


class Job(NamedTuple):
    """One file: where it is, where its drawing goes, what to call it, and whether it is a video."""

    source: Path
    target: Path
    name: str
    moving: bool


def stylize(
    inputs: Annotated[list[Path], typer.Argument(metavar="IMAGE|FOLDER|VIDEO...", help="What to draw.")],
    out: Annotated[str, typer.Option("-o", "--out", help="A file, whose suffix counts, or a folder.")],
    model: Annotated[
        str | None, typer.Option(help="Folder, name, or shipped; default: the promoted student.")
    ] = None,
    character: Annotated[
        str | None, typer.Option(help="As whom it is drawn; default: the model's first.")
    ] = None,
    strength: Annotated[float | None, typer.Option(min=0, max=1, help="Of the drawing, 0 to 1.")] = None,
    skin: Annotated[
        str | None, typer.Option(metavar="own|character", help="Whose skin colour it shows.")
    ] = None,
    style: Annotated[
        str | None,
        typer.Option(metavar="NAME|FILE", help="A saved setting, or a character's; see notebook 34."),
    ] = None,
    lines: Annotated[float | None, typer.Option(min=-1, max=1, help="-1 is thin, 1 is bold.")] = None,
    tones: Annotated[int | None, typer.Option(min=3, max=14, help="Steps of tone.")] = None,
    ink: Annotated[str | None, typer.Option(metavar="#RRGGBB", help="Colour of the lines.")] = None,
    softness: Annotated[float | None, typer.Option(min=0, max=1, help="Of the edges of tones.")] = None,
    saturation: Annotated[float | None, typer.Option(min=0, max=4, help="Factor on the colours.")] = None,
    deform: Annotated[
        str | None, typer.Option(metavar="CHARACTER", help="Give faces and limbs its proportions.")
    ] = None,
    deform_strength: Annotated[float, typer.Option(min=0, max=1, help="Of the proportions.")] = 0.7,
    backend: Annotated[str, typer.Option(help="openvino or onnxruntime.")] = "openvino",
    threads: Annotated[int | None, typer.Option(min=1, help="CPU threads; default: all.")] = None,
    no_faces: Annotated[bool, typer.Option("--no-faces", help="Draw all as it is, faces too.")] = False,
    skip_existing: Annotated[bool, typer.Option("--skip-existing", help="Leave out what is there.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say only what went wrong.")] = False,
) -> None:
    """Draw pictures and videos of people in webtoon style; exit 1 when some could not be drawn.

    A picture keeps its size and stands upright; a video keeps its times and its sound. A folder is walked and
    its names are kept. Existing files at the target are replaced, inputs never.
    """
    from wbme.lab.progress import Console

    console = Console(quiet=1e9 if quiet else 15.0)
    say = (lambda text: None) if quiet else console.line
    jobs = planned(inputs, out)
    todo = [job for job in jobs if not (skip_existing and job.target.exists())]
    if len(todo) < len(jobs):
        say(f"{len(jobs) - len(todo)} of {len(jobs)} are there already")
    if not todo:
        return
    from wbme.apps.stylizer import Stylizer

    wanted = {"levels": tones, "softness": softness, "saturation": saturation, "ink_colour": colour(ink)}
    controls = {name: value for name, value in wanted.items() if value is not None}
    if style is not None:
        from wbme.apps import styles

        setting = styles.find(style)
        controls = {**setting.controls, **controls}
        say(f"style {setting.name}")
    deformer = None
    if deform is not None:
        if no_faces:
            raise ParameterError(
                "--deform reshapes faces and limbs and --no-faces finds none: leave one of them out"
            )
        from wbme.apps.deforming import Deformer

        deformer = Deformer(deform, deform_strength)
    folder = found(model)
    if any(one is not None for one in (character, strength, skin)):
        from wbme.runtime import export

        if model is None and character is not None:
            folder = export.knowing(character, folder)
        folder = export.folded(folder, character, strength, skin)
    stylizer = Stylizer(folder, backend, threads=threads, lines=lines, controls=controls)
    say(f"model {described(stylizer.card)}, on {backend}")
    if older(model, stylizer.card):
        typer.echo(f"wbme: {model} was made of an earlier student: 'wbme run 60' makes it anew", err=True)
    failed = 0
    for job in todo:
        try:
            say(_drawn(job, stylizer, not no_faces, deformer, None if quiet else console))
        except WbmeError as error:
            failed += 1
            typer.echo(f"wbme: {error}", err=True)
        except KeyboardInterrupt:
            typer.echo("\nwbme: interrupted; what is written is whole", err=True)
            raise typer.Exit(130) from None
    if failed and len(jobs) > 1:
        typer.echo(f"wbme: {failed} of {len(jobs)} could not be drawn", err=True)
    raise typer.Exit(1 if failed else 0)


def planned(inputs: list[Path], out: str) -> list[Job]:
    """What is read and where it goes, folders made; WbmeError where that cannot be."""
    from wbme.data.clips import SUFFIXES as MOVING
    from wbme.media import files, images

    target = Path(out).expanduser()
    alone = len(inputs) == 1 and not inputs[0].is_dir() and not target.is_dir()
    folder = out.endswith(("/", "\\"))
    named = alone and target.suffix and not folder
    if not alone and not folder and not target.is_dir() and target.suffix.lower() in (*PICTURES, *VIDEOS):
        raise ParameterError(f"{target} is the name of one file, for several drawings: name a folder")
    jobs: dict[Path, Job] = {}
    if not out:
        raise ParameterError("--out is empty: name a file or a folder, such as . for the current one")
    for path in inputs:
        if not path.exists():
            raise ParameterError(f"there is no file or folder {path}: check the name")
        if path.is_dir() and target.resolve().is_relative_to(path.resolve()):
            raise ParameterError(
                f"{target} lies inside {path}, whose drawings would be inputs the next time: "
                "choose a folder beside it"
            )
        inside = sorted(files.below(path, images.SUFFIXES | MOVING)) if path.is_dir() else [path]
        # What keeps its name comes first, so that a.bmp takes none from a.png.
        inside.sort(key=lambda file: file.suffix.lower() not in (*PICTURES, *VIDEOS))
        if not inside:
            raise ParameterError(f"{path} holds no picture and no video that wbme reads: name another folder")
        for source in inside:
            moving = source.suffix.lower() in MOVING
            name = source.relative_to(path) if path.is_dir() else Path(source.name)
            place = target if named else _free(target / name, moving, jobs)
            if place.suffix.lower() not in (VIDEOS if moving else PICTURES):
                raise ParameterError(
                    f"cannot write {place}: a {'video' if moving else 'picture'} is written as "
                    f"{', '.join(VIDEOS if moving else PICTURES)}; choose one, or end a folder's name with /"
                )
            jobs[place] = Job(source, place, str(name), moving)
    sources = {job.source.resolve() for job in jobs.values()}
    for place in jobs:
        if place.is_dir() or place.resolve() in sources:
            raise ParameterError(f"{place} is an input or a folder and is not replaced: choose another --out")
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(
                f"cannot make the folder {place.parent}: {error.strerror}; choose another --out"
            ) from error
    return list(jobs.values())


def _free(place: Path, moving: bool, taken: dict[Path, Job]) -> Path:
    """``place`` with a suffix that can be written, and a name that no other input took."""
    if place.suffix.lower() not in (VIDEOS if moving else PICTURES):
        place = place.with_suffix(".mkv" if moving else ".png")
    first, number = place, 1
    while place in taken:
        number += 1
        place = first.with_stem(f"{first.stem}-{number}")
    return place


def colour(text: str | None) -> list[float] | None:
    """``#RRGGBB`` as three numbers in [0, 1]; ParameterError for anything else."""
    from wbme.apps import styles

    return None if text is None else styles.colour(text, "--ink")


def found(name: str | None) -> Path:
    """The folder of the model called so: a folder, a name of the store, a network that wbme ships."""
    if name is not None and (Path(name) / "model.json").is_file():
        return Path(name)
    from wbme.lab import refs, store

    if name == SHIPPED:
        from wbme.runtime.export import model_folder

        return model_folder(MODEL)
    wanted = MODEL if name is None else name.removeprefix("model/")
    try:
        return store.tree(refs.lookup(f"model/{wanted}", None).digest)
    except StoreError:
        raise
    except WbmeError:  # no project here, or no such name in its store: it may come with wbme
        from wbme.runtime.export import model_folder
    try:
        return model_folder(wanted)
    except ModelError as error:
        raise ModelError(
            f"{error}; train one with 'wbme run 41 --promote', or give --model a folder"
        ) from None


def older(name: str | None, card: dict[str, Any]) -> bool:
    """Whether the int8 model called so was made of another student than the one of that name today."""
    if name is None or "int8" not in card or not name.endswith("-int8"):
        return False
    from wbme.base.hashing import sha256_file

    try:
        return sha256_file(found(name.removesuffix("-int8")) / "model.onnx") != card["int8"]["of"]
    except (WbmeError, OSError):  # a folder of that name, or a student that is gone
        return False


def described(card: dict[str, Any]) -> str:
    """A model in half a line: its name, kind, and how long it was trained on how many views."""
    training = card.get("training", {})
    told = [
        f"{training[key]:,} {word}"
        for key, word in (("steps", "steps"), ("views", "views"))
        if key in training
    ]
    return f"{card['name']} ({', '.join([card['architecture'], *told])})"


def _drawn(job: Job, stylizer: Any, faces: bool, deformer: Any, console: Any) -> str:
    """Draw one file and return what to say about it."""
    start = time.monotonic()

    def progress(done: int, total: int) -> None:
        if console and (job.moving or total > 1):
            of = f" of {total}" if total else ""
            rate = f"{done / (time.monotonic() - start):.1f} a second"
            console.living(f"{job.name}: {done}{of} {'frames' if job.moving else 'tiles'}, {rate}")

    if job.moving:
        from wbme.apps import video as kind
    else:
        from wbme.apps import pictures as kind
    done = kind.convert(stylizer, job.source, job.target, faces=faces, deformer=deformer, progress=progress)
    told = [f"{done.width} x {done.height}"]
    if done.faces:
        told.append(f"{done.faces} face{'s' if done.faces > 1 else ''}")
    if job.moving:
        told.append(f"{done.frames} frames, {done.frames / done.seconds:.1f} a second")
    return f"{job.name}: {', '.join([*told, f'{done.seconds:.1f} s', *done.notes])} -> {job.target}"
