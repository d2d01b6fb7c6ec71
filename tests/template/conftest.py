"""One template repository for all tests of a process, untouched by the user's own git settings."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.template.rendering import Template

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session", autouse=True)
def no_git_settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An empty global git configuration."""
    settings = tmp_path_factory.mktemp("home") / "gitconfig"
    settings.touch()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GIT_CONFIG_GLOBAL", str(settings))
        patch.setenv("GIT_CONFIG_SYSTEM", os.devnull)
        yield settings


@pytest.fixture
def as_on_windows(no_git_settings: Path) -> Iterator[None]:
    """Line endings and links as git sets them on Windows."""
    no_git_settings.write_text("[core]\n\tautocrlf = true\n\tsymlinks = false\n", encoding="utf-8")
    yield
    no_git_settings.write_text("", encoding="utf-8")


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory, no_git_settings: Path) -> Template:  # first
    return Template.from_checkout(tmp_path_factory.mktemp("template"))
