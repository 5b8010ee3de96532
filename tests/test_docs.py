"""Documents are held to the code.

A ```python block runs as it stands. In a ```console block what follows `$ ` runs and must say
what is written below it (`...` stands for anything). Every line of a ```sh block must be a
command that exists, and what it asks of omnisim must parse. A ```yaml block whose first line
is a path is the file of that name in the commands of its page. All else is ```text.
"""

from __future__ import annotations

import importlib.util
import re
import runpy
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from omnisim import config
from omnisim.__main__ import main
from omnisim.cli import export as cli_export
from omnisim.cli import hypotheses, report, trace, validate, workshop
from omnisim.measures import LAST, OUTCOMES
from omnisim.spec import Words

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "experiments/**/*.md", "results/README.md")
    for path in ROOT.glob(pattern)
)
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
PARAMETERS = runpy.run_path(str(ROOT / "docs" / "parameters.py"))


def blocks(page: Path, kind: str) -> list[str]:
    """Return the code blocks of one kind on a page."""
    return [code for found, code in BLOCK.findall(page.read_text()) if found == kind]


def those_with(kind: str) -> list[Path]:
    """Return the pages that have such blocks."""
    return [page for page in PAGES if blocks(page, kind)]


def named(page: Path) -> str:
    """Return how a page is called in reports of tests."""
    return str(page.relative_to(ROOT))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty folder that is the working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


# Code


@pytest.mark.parametrize("page", those_with("python"), ids=named)
def test_python_on_a_page_runs(page: Path, folder: Path) -> None:
    for code in blocks(page, "python"):
        exec(compile(code, named(page), "exec"), {"__name__": named(page)})


@pytest.mark.parametrize("page", those_with("console"), ids=named)
def test_a_console_says_what_the_page_shows(
    page: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for block in blocks(page, "console"):
        for shown in block.removeprefix("$ ").split("\n$ "):
            command, _, expected = shown.partition("\n")
            main(shlex.split(command.removeprefix("python -m omnisim")))
            said = "".join(capsys.readouterr())
            pattern = ".*".join(map(re.escape, expected.strip().split("...")))
            assert re.fullmatch(pattern, said.strip()), said
    assert not list(folder.iterdir())


@pytest.mark.parametrize("page", those_with("sh"), ids=named)
def test_every_command_on_a_page_exists_and_parses(page: Path, folder: Path) -> None:
    for text in blocks(page, "yaml"):
        path, _, content = text.partition("\n")
        (folder / path.removeprefix("# ")).parent.mkdir(parents=True, exist_ok=True)
        (folder / path.removeprefix("# ")).write_text(content)
    for line in "".join(blocks(page, "sh")).splitlines():
        program, *words = shlex.split(line, comments=True)
        match Path(program).name, words:
            case "make", [target]:
                assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)
            case "python", ["-m", "omnisim", *asked]:
                _parse(asked)
            case "python", ["-m", module, *_]:
                assert importlib.util.find_spec(module), line
            case "python", [script, *_]:
                assert (ROOT / script).exists(), line
            case _:
                pytest.fail(line)


def _parse(words: list[str]) -> None:
    """Read a command as `run` does, without running it."""
    home = None
    if "--config-dir" in words:
        place = words.index("--config-dir")
        home, words = Path(words[place + 1]), words[:place] + words[place + 2 :]
    if words == ["configs"]:
        assert config.menu(home)
        return
    if words[:1] == ["inventory"]:
        words = words[1 : words.index("--html") if "--html" in words else None]
    if words[:1] == ["trace"]:
        words = trace.parser().read(words[1:]).overrides
    if words[:2] == ["validate", "hypotheses"]:
        hypotheses.parser().read(words[2:])
        return
    if words[:1] == ["workshop"]:
        words = ["experiment=workshop", *workshop.parser().read(words[1:]).overrides]
    if words[:1] == ["export"]:
        cli_export.parser().read(words[1:])
        return
    if words[:1] == ["validate"]:
        validate.parser().read(words[1:])
        return
    if words[:1] == ["report"]:
        report.parser().read(words[1:])
        return
    overrides = [word for word in words if word != "-m"]
    for point in config.expand(overrides, home) if "-m" in words else [overrides]:
        config.load(point, home)


# Links


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_links_lead_somewhere(page: Path) -> None:
    for link in LINK.findall(BLOCK.sub("", page.read_text())):
        if link.startswith(("https:", "http:")):
            continue
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        assert target.exists(), link
        assert not anchor or anchor in set(_anchors(target)), link


def _anchors(page: Path) -> Iterator[str]:
    for heading in HEADING.findall(BLOCK.sub("", page.read_text())):
        yield re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


# What must be named


def test_the_tables_of_parameters_are_current() -> None:
    page = PARAMETERS["PAGE"].read_text()
    assert page == PARAMETERS["written"](), "run: python docs/parameters.py"


def test_every_parameter_has_its_words_in_a_table() -> None:
    page = PARAMETERS["PAGE"].read_text()
    assert "no words for" not in page
    for kind in [kind for kind in _kinds(Words) if not kind.__subclasses__()]:
        rows = "".join(re.findall(rf"^### {kind.__name__}\b.*?(?=^### |\Z)", page, re.M | re.S))
        assert not [name for name in kind.model_fields if f"{name}` |" not in rows], kind


def test_no_words_are_left_of_what_is_gone() -> None:
    fields = {f"{kind.__name__}.{name}" for kind in _kinds(Words) for name in kind.model_fields}
    assert not set(PARAMETERS["WORDS"]) - fields


def _kinds(kind: type[Words]) -> Iterator[type[Words]]:
    """Yield all kinds of words below one."""
    for inner in kind.__subclasses__():
        yield inner
        yield from _kinds(inner)


def test_the_architecture_names_every_module_and_every_dependency() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text()
    modules = [path.stem for path in (ROOT / "omnisim").glob("[a-z_]*") if _is_module(path)]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    listed = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    packages = [re.split("[<>=]", package)[0] for package in listed]
    missing = [name for name in (*modules, *packages) if f"`{name}`" not in page]
    assert not missing


def _is_module(path: Path) -> bool:
    is_package = (path / "__init__.py").exists()
    return is_package or (path.suffix == ".py" and path.stem != "__init__")


def test_the_menu_s_groups_and_the_outcomes_stand_on_their_pages() -> None:
    groups = (ROOT / "docs" / "configuration.md").read_text()
    outcomes = (ROOT / "docs" / "results.md").read_text()
    assert not [group for group in config.defaults() if f"| `{group}` |" not in groups]
    assert not [name for name in OUTCOMES if f"`{name.removesuffix(LAST)}`" not in outcomes]
