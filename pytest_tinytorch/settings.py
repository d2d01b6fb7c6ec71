"""What one run was asked for: options of the command line and ini values, checked, in one place."""

from __future__ import annotations

import os
import random
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from . import course
from .catalog import Catalog, CourseError, gather
from .selection import Asked, SelectionError, modules_named, select_checkpoints, select_milestones

if TYPE_CHECKING:
    from .course import Milestone, Module, Track
    from .drawn import Grey
    from .progress import Progress

DEFAULT_LIMIT = 10.0
BATCH = "TINYTORCH_BATCH"
NAME = "TINYTORCH_NAME"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One run's settings.

    `limit` is None where a debugger holds the clock. `seeded` says that somebody asked for the seed. `batch` is the
    size of a full milestone's batches, where somebody wants another than the script's, `entrant` the name under which a
    student enters the Olympics, where the environment has one.
    """

    root: Path
    package: Path
    catalog: Catalog
    isolated: bool
    full: bool
    hint: bool
    reports: tuple[Path, ...]
    limit: float | None
    seed: int
    seeded: bool
    batch: int | None
    entrant: str
    data: Path | None
    digit: Digit | None


@dataclass(frozen=True, slots=True)
class Digit:
    """A digit that the student drew: the file as it was named, and its ink."""

    file: str
    ink: Grey


def read(config: pytest.Config) -> Settings:
    """Check every option and ini value.

    Raises:
        pytest.UsageError: a value that cannot be used; the sentence says which and what to do.
    """
    root = config.rootpath
    seeded = config.option.tinytorch_seed is not None  # before a fresh one is drawn
    return Settings(
        root=root,
        package=_package(root, str(config.getini("tinytorch_package")), config.invocation_params.dir),
        catalog=_catalog(config),
        isolated=config.getoption("tinytorch_isolated"),
        full=config.getoption("tinytorch_full"),
        hint=config.getoption("tinytorch_hint"),
        reports=tuple(Path(path) for path in config.getoption("tinytorch_report")),
        limit=None if config.getoption("usepdb") or config.getoption("trace") else _limit(config),
        seed=_seed(config),
        seeded=seeded,
        batch=batch(),
        entrant=_entrant(),
        data=_data(config),
        digit=digit(config.getoption("tinytorch_digit"), config.invocation_params.dir),
    )


def _package(root: Path, name: str, here: Path) -> Path:
    if not name.isidentifier():
        raise pytest.UsageError(f"tinytorch_package = {name!r} in the configuration is no name of a Python package")
    package = root / name
    if not package.is_dir() and (here / name).is_dir():
        raise pytest.UsageError(
            f"pytest takes {root} for the folder of your course, because of a path on the command line: write options "
            "and paths in one, as in --digit=FILE or --report=FILE"
        )
    if not package.is_dir():
        raise pytest.UsageError(
            f"there is no package {name}/ in {root}: run pytest in the folder of your course, "
            "or say in its pyproject.toml what the package is called (tinytorch_package)"
        )
    if root.resolve() not in package.resolve().parents:
        raise pytest.UsageError(f"{package} leads out of {root}: the package must lie in the repository itself")
    return package


def _catalog(config: pytest.Config) -> Catalog:
    try:
        modules = [m for group in config.hook.pytest_tinytorch_modules() for m in group]
        milestones = [m for group in config.hook.pytest_tinytorch_milestones() for m in group]
        return gather(modules, milestones, _track(config))
    except CourseError as error:
        raise pytest.UsageError(str(error)) from None


def _track(config: pytest.Config) -> Track:
    name = str(config.getini("tinytorch_track"))
    provided = _modules(config, "tinytorch_provided")
    if name == "custom":
        try:
            return course.custom_track(_modules(config, "tinytorch_modules"), provided)
        except ValueError as error:
            raise pytest.UsageError(f"tinytorch_modules in the configuration: {error}") from None
    if name not in course.TRACKS:
        known = ", ".join([*course.TRACKS, "custom"])
        raise pytest.UsageError(f"tinytorch_track = {name!r} in the configuration is no track; there are {known}")
    return course.with_provided(course.TRACKS[name], provided)


def _modules(config: pytest.Config, key: str) -> tuple[Module, ...]:
    words = " ".join(config.getini(key)).replace(",", " ").split()
    try:
        return modules_named(words)
    except SelectionError as error:
        raise pytest.UsageError(f"{key} in the configuration: {error}") from None


def _limit(config: pytest.Config) -> float:
    text = str(config.getini("tinytorch_time_limit"))
    try:
        limit = float(text)
    except ValueError:
        limit = 0.0
    if not 0 < limit < float("inf"):
        raise pytest.UsageError(f"tinytorch_time_limit = {text!r} in the configuration is no number of seconds above 0")
    return limit


def _seed(config: pytest.Config) -> int:
    """The seed asked for, or a fresh one; fixed in the options, so that every xdist worker has the same."""
    if config.option.tinytorch_seed is None:
        config.option.tinytorch_seed = random.SystemRandom().randrange(2**32)
    seed: int = config.option.tinytorch_seed
    if not 0 <= seed < 2**63:
        raise pytest.UsageError(f"--tinytorch-seed {seed}: a seed is a whole number from 0 on")
    return seed


def batch() -> int | None:
    """The size of batches that the environment asks for.

    Raises:
        pytest.UsageError: it is no size; the sentence says what is.
    """
    text = os.environ.get(BATCH, "")
    if text and not (text.isascii() and text.isdigit() and int(text) >= 2):
        raise pytest.UsageError(f"{BATCH}={text} in the environment is no size of a batch: a whole number from 2 on is")
    return int(text) if text else None


def _entrant() -> str:
    name = os.environ.get(NAME, "")
    if name and not (name.strip() and name.isprintable() and len(name) <= 80):
        raise pytest.UsageError(f"{NAME} in the environment is no name: 1 to 80 characters that can be printed are")
    return name


def _data(config: pytest.Config) -> Path | None:
    text = str(config.getini("tinytorch_data"))
    return (config.rootpath / Path(text).expanduser()) if text else None


def digit(name: str | None, folder: Path) -> Digit | None:
    """The picture that `--digit` names, if it does; a name is meant from the folder where the command was given.

    Raises:
        pytest.UsageError: there is no digit to read in it.
    """
    if name is None:
        return None
    from . import drawn  # noqa: PLC0415 -- NumPy, and only where a picture is to be read

    try:
        return Digit(name, drawn.read(folder / Path(name).expanduser()))
    except drawn.PictureError as error:
        raise pytest.UsageError(f"--digit {name}: {error}") from None


def _refuse_digit(settings: Settings, milestones: list[Milestone]) -> None:
    readers = [m for m in settings.catalog.milestones if m.reads_digits]
    if settings.digit is not None and not any(m in readers for m in milestones):
        known = " or ".join(str(m.year) for m in readers)
        raise pytest.UsageError(f"--digit goes with --milestone {known}, which reads digits")


def _refuse_full(settings: Settings, milestones: list[Milestone]) -> None:
    small = [milestone.label for milestone in milestones if not milestone.full_claim]
    if settings.full and small:
        raise pytest.UsageError(f"{', '.join(small)} has no full benchmark: leave out --full")
    if settings.full and not milestones:
        raise pytest.UsageError("--full goes with --milestone")


def refuse_paths(config: pytest.Config) -> None:
    """The course's checks lie in the plugin; the user's own tests run by themselves."""
    if config.args_source is pytest.Config.ArgsSource.ARGS:
        paths = " ".join(str(arg) for arg in config.args)
        raise pytest.UsageError(f"checkpoints and milestones take no paths: run your own tests with pytest {paths}")


def chosen(
    config: pytest.Config, settings: Settings, progress: Progress
) -> tuple[list[Module], list[Milestone], list[str]]:
    """The checkpoints and milestones to run, in order, and sentences about what was left out.

    A milestone brings the checkpoints that it rests on and that are not proved yet. Nothing is taken from memory
    where the run is isolated.
    """
    asked = Asked(settings.catalog, is_proved=progress.is_proved, is_reached=progress.is_reached)
    specs = list(config.getoption("tinytorch_checkpoint"))
    wanted = list(config.getoption("tinytorch_milestone"))
    if settings.hint and not specs and not wanted:
        specs = ["next"]
    try:
        modules, notes = select_checkpoints(specs, asked)
        milestones, more = select_milestones(wanted, asked)
    except SelectionError as error:
        raise pytest.UsageError(str(error)) from None
    _refuse_full(settings, milestones)
    _refuse_digit(settings, milestones)
    trusted = set() if settings.isolated else {m for m in settings.catalog.checkpoints if progress.is_proved(m)}
    given = set(settings.catalog.track.provided)
    for milestone in milestones:
        modules += [m for m in milestone.needs if m not in modules and m not in trusted and m not in given]
    return sorted(modules, key=lambda m: m.number), milestones, notes + more
