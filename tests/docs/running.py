"""A page is run: all of its blocks, in order, in one place."""

from pathlib import Path

from tests.docs.languages import run
from tests.docs.page import Block, blocks
from tests.docs.place import TOP, Place

SCENES = Path(__file__).with_name("scenes")
"""What a page takes for granted, by its name: Python that runs before its first block."""
_INSTALLS = "pip install"


def read(page: str) -> list[Block]:
    return list(blocks(page, (TOP / page).read_text()))


def run_page(found: list[Block], place: Place) -> None:
    """Run the blocks of a page, after what its scene has set up; AssertionError names the first
    that is wrong."""
    name = Path(found[0].page).with_suffix("").as_posix().removeprefix("docs/").replace("/", "_")
    if any(_INSTALLS in block.text for block in found):
        place.offer_wheel()
    scene = SCENES / f"{name.lower().replace('-', '_')}.py"
    if scene.exists():
        place.python(scene=str(scene))
    for block in found:
        if block.not_run is None:
            run(block, place)
    left = [block.where for block in found if _waits_to_be_run(block) and not _is_run(block, found)]
    assert not left, f"written, and never run: {', '.join(left)}"


def _waits_to_be_run(block: Block) -> bool:
    """Whether it is a file that does nothing until something else runs it."""
    return block.file is not None and (
        block.language in ("php", "sh") or _is_for_pytest(block.file)
    )


def _is_for_pytest(file: str) -> bool:
    return Path(file).name == "conftest.py" or Path(file).name.startswith("test_")


def _is_run(block: Block, found: list[Block]) -> bool:
    """Whether another block names it, or pytest runs after it."""
    assert block.file is not None
    if _is_for_pytest(block.file):
        return any("pytest" in one.text for one in found if one.line > block.line)
    return any(Path(block.file).name in one.text for one in found if one is not block)
