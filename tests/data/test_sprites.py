"""The sprites of a published visual novel (Debian's renpy-thequestion, MIT), read as a character."""

import shutil
import subprocess

import pytest

from wbme.data import candidates, drawings

pytestmark = pytest.mark.slow
PACKAGE = "renpy-thequestion"


@pytest.fixture(scope="module")
def sprites(tmp_path_factory):
    """Her eight drawings, out of the package that apt has: it is fetched for this test, not installed."""
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        pytest.skip("no apt-get here: the sprites are in a Debian package")
    place = tmp_path_factory.mktemp("apt")
    fetched = subprocess.run(
        ["apt-get", "download", PACKAGE], cwd=place, capture_output=True, text=True, check=False, timeout=120
    )
    archive = next(place.glob(f"{PACKAGE}_*.deb"), None)
    if fetched.returncode or archive is None:
        pytest.skip(f"apt-get has no {PACKAGE} here: run apt-get update first")
    subprocess.run(["dpkg-deb", "-x", str(archive), str(place / "out")], check=True)
    folder = place / "sylvie"
    folder.mkdir()
    for path in place.glob("out/**/images/sylvie*.png"):
        shutil.copy(path, folder)
    return folder


def test_sprites_are_read_as_a_character_with_face_skin_and_sheet(sprites, tmp_path):
    made = drawings.write(tmp_path / "out", candidates.below(sprites, "sylvie", "MIT"), "sylvie")
    assert len(made.pictures) == 8 and not made.rejected
    assert [row["faces"] for row in made.pictures] == [1] * 8
    # Her head is in the upper quarter of a figure that is drawn whole, about 90 pixels wide.
    for face in made.faces:
        x0, _, x1, y1 = face["box"]
        picture = next(row for row in made.pictures if row["id"] == face["picture"])
        assert y1 < 0.45 * picture["height"] and 0.3 < (x0 + x1) / 2 / picture["width"] < 0.7
    lightness = [row["skin"]["colour"]["lab"][0] for row in made.pictures]
    assert all(90 < value < 97 for value in lightness)  # one painted skin, in all eight
    assert (tmp_path / "out" / "sheet.yaml").is_file()
