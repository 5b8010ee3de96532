"""Configuration: what a person typed or wrote in YAML becomes one checked ExperimentSpec."""

from __future__ import annotations

import difflib
import itertools
import json
import re
import types
import typing
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from pydantic import ValidationError

from omnisim.language import LANGUAGES
from omnisim.spec import ExperimentSpec, Fault, Strategy, Words

# Hydra takes a third of a second to import, which the menu does without.
if TYPE_CHECKING:
    from hydra.core.override_parser.types import Override
    from omegaconf import DictConfig
    from omegaconf.errors import OmegaConfBaseException

FOLDERS = ("hydra.run.dir", "hydra.sweep.dir")

_PACKAGE = Path(__file__).resolve().parent
OWN = next(path for path in (_PACKAGE / "configs", _PACKAGE.parent / "configs") if path.is_dir())
_DECISIONS = sorted(Strategy.model_fields)
_HEADER = "# @package _global_"
_TOLD = {"language": str, "robustness": bool}
_TOP: dict[str, Any] = _TOLD | {
    name: field.annotation
    for fields in (ExperimentSpec.model_fields, Strategy.model_fields)
    for name, field in fields.items()
    if name != "status_quo"
}


class ConfigError(Exception):
    """A person's mistake in one line: which key, what was found, what is allowed."""

    def __init__(self, key: str, found: str, allowed: str, nearest: str = "") -> None:
        hint = f"; nearest: {nearest}" if nearest else ""
        super().__init__(" ".join(f"{key}: found {found}; allowed: {allowed}{hint}".split()))
        self.key = key


@dataclass(frozen=True)
class Run:
    """What was asked beside the question: where results go and how they are told."""

    folder: Path
    sweep_folder: Path
    language: str
    robustness: bool


@dataclass(frozen=True)
class Option:
    """One YAML file of the menu, with its purpose in one line."""

    group: str
    name: str
    purpose: str
    path: Path


# The menu


def menu(config_dir: Path | None = None) -> dict[str, dict[str, Option]]:
    """Return every group's options by name: omnisim's own and those in `config_dir`."""
    options: dict[str, dict[str, Option]] = {group: {} for group in reversed(defaults())}
    for folder in _folders(config_dir):
        for path in sorted(folder.glob("*/**/*.yaml")):
            group, *inner = path.relative_to(folder).with_suffix("").parts
            if group not in options:
                continue
            option = Option(group, "/".join(inner), _purpose(path), path)
            known = options[group].setdefault(option.name, option)
            if known.path.read_bytes() != path.read_bytes():
                raise ConfigError("--config-dir", f"'{path}', which omnisim has", "another name")
    return options


def defaults() -> dict[str, str]:
    """Return the option at which each group stands when nothing is typed."""
    lines = yaml.safe_load((OWN / "config.yaml").read_text(encoding="utf-8"))["defaults"]
    return {group: name for line in lines if line != "_self_" for group, name in line.items()}


def _folders(config_dir: Path | None) -> Iterator[Path]:
    yield OWN
    if config_dir is not None:
        if not config_dir.is_dir():
            raise ConfigError("--config-dir", f"'{config_dir}'", "a folder that exists")
        yield config_dir.absolute()


def _purpose(path: Path) -> str:
    """Return a file's first comment that is no instruction to Hydra."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError:
        raise ConfigError(str(path), "bytes that are no text", "UTF-8") from None
    for line in lines:
        text = line.strip("# \t")
        if text and not line.startswith("#"):
            break
        if text and not text.startswith("@"):
            return text
    return ""


# From words to a spec


def load(
    overrides: Sequence[str] = (), config_dir: Path | None = None
) -> tuple[ExperimentSpec, Run]:
    """Return the spec and the run that `key=value` words ask for.

    Raises ConfigError; writes nothing.
    """
    options = menu(config_dir)
    parsed = [_single(override) for override in _parsed(overrides)]
    choices = [_choice(o, options) for o in parsed if o.key_or_group in options]
    try:
        config = _composed(choices, config_dir)
        for override in parsed:
            if override.key_or_group not in options:
                _set(override, config)
        return _spec(_document(config)), _run(config)
    except RecursionError:
        raise ConfigError("YAML", "what holds itself", "files and anchors that end") from None


def again(path: Path, overrides: Sequence[str] = ()) -> tuple[ExperimentSpec, Run]:
    """Return what the `spec.yaml` of a results folder asks; overrides say where results go."""
    spec = read(path)
    config = _composed((), None)
    config.experiment = spec.experiment
    allowed = (*FOLDERS, *_TOLD)
    for override in _parsed(overrides):
        if override.key_or_group not in allowed:
            raise ConfigError(override.key_or_group, "it beside --spec", _listed(allowed))
        _set(_single(override), config)
    return spec, _run(config)


def expand(overrides: Sequence[str], config_dir: Path | None = None) -> list[tuple[str, ...]]:
    """Return the overrides of every point of a sweep, in Hydra's order."""
    from hydra.core.override_parser.types import Glob

    options = menu(config_dir)
    columns: dict[str, list[str]] = {}
    for override in _parsed(overrides):
        key = override.get_key_element()
        value: Any = override.value()
        columns[key] = [override.input_line or ""]
        if isinstance(value, Glob):
            columns[key] = [f"{key}={name}" for name in value.filter(list(options.get(key, {})))]
        elif override.is_discrete_sweep():
            columns[key] = [f"{key}={text}" for text in override.sweep_string_iterator()]
        elif override.is_sweep_override():
            raise ConfigError(key, f"'{override.input_line}'", "a,b,c or range() or choice()")
        if not columns[key]:
            raise ConfigError(key, f"no value in '{override.input_line}'", "at least one")
    return list(itertools.product(*columns.values()))


def read(path: Path) -> ExperimentSpec:
    """Return the spec that the `spec.yaml` of a results folder holds."""
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise _broken(error) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError("--spec", f"'{path}' ({_first_line(error)})", "a spec.yaml") from None
    if not isinstance(document, dict):
        raise ConfigError("--spec", f"'{path}'", "the spec.yaml of a results folder")
    return _validated(document)


def _parsed(overrides: Sequence[str]) -> list[Override]:
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException

    parsed = []
    parser = OverridesParser.create()
    for text in overrides:
        key = text.partition("=")[0].lstrip("+~")
        try:
            if key:
                parsed += parser.parse_overrides([text])
                continue
        except HydraException:
            pass
        allowed = "key=value, the value in quotes if it holds more than letters, digits, -_./"
        raise ConfigError(key or "a word", f"'{text}'", allowed)
    return parsed


def _single(override: Override) -> Override:
    """Return the override unless it holds several values."""
    if override.is_sweep_override():
        allowed = "one value, a text in quotes, a list in [], or -m to run each"
        raise ConfigError(_key(override), f"several values '{override.input_line}'", allowed)
    return override


def _choice(override: Override, options: Mapping[str, Mapping[str, Option]]) -> str:
    """Return the words that pick an option, after a look at the menu."""
    group, name = override.key_or_group, override.value()
    names = list(options[group])
    if override.is_delete():
        raise ConfigError(group, f"'{override.input_line}'", _listed(names))
    if name not in names:
        raise ConfigError(_key(override), _short(name), _listed(names), _nearest(str(name), names))
    return f"{_key(override)}={name}"


def _key(override: Override) -> str:
    return override.key_or_group + (f"@{override.package}" if override.package else "")


def _composed(choices: Sequence[str], config_dir: Path | None) -> DictConfig:
    """Return what Hydra composes out of the menu, before any single value is set."""
    from hydra import compose, initialize_config_dir
    from hydra.errors import HydraException
    from omegaconf.errors import OmegaConfBaseException

    theirs = [f"file://{folder}" for folder in _folders(config_dir)][1:]
    overrides = [f"hydra.searchpath={json.dumps(theirs, ensure_ascii=False)}", *choices]
    try:
        with initialize_config_dir(str(OWN), version_base="1.3", job_name="omnisim"):
            return compose("config", overrides, return_hydra_config=True)
    except yaml.YAMLError as error:
        raise _broken(error) from None
    except (HydraException, OmegaConfBaseException, OSError, ValueError) as error:
        raise _not_composed(error, config_dir) from None


def _set(override: Override, config: DictConfig) -> None:
    """Set, add or delete one value, after its key was held against the spec."""
    from omegaconf import OmegaConf, open_dict
    from omegaconf.errors import OmegaConfBaseException

    key, value = override.key_or_group, override.value()
    _check_key(_key(override), config, adds=override.is_add() or override.is_force_add())
    if not override.is_delete():
        try:
            OmegaConf.update(config, key, value, merge=True, force_add=True)
        except (OmegaConfBaseException, LookupError, TypeError, ValueError):
            raise ConfigError(key, _short(value), "a value that fits there") from None
        return
    parent, _, name = key.rpartition(".")
    node = OmegaConf.select(config, parent) if parent else config
    if not OmegaConf.is_dict(node) or name not in node:
        raise ConfigError(key, f"nothing to delete by '{override.input_line}'", "a key that is set")
    with open_dict(node):
        del node[name]


def _document(config: DictConfig) -> dict[str, Any]:
    """Return the composed YAML as plain values, all references followed."""
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    document: dict[str, Any] = {}
    try:
        for key in config:
            if key not in ("hydra", *_TOLD):
                node = config[key]
                if OmegaConf.is_config(node):
                    node = OmegaConf.to_container(node, resolve=True, throw_on_missing=True)
                document[str(key)] = node
    except OmegaConfBaseException as error:
        raise _unresolved(error) from None
    return document


def _run(config: DictConfig) -> Run:
    from omegaconf.errors import OmegaConfBaseException

    try:
        folder, sweep_folder = config.hydra.run.dir, config.hydra.sweep.dir
        language, robustness = config.language, config.robustness
    except OmegaConfBaseException as error:
        raise _unresolved(error) from None
    check_language(language)
    if not isinstance(robustness, bool):
        raise ConfigError("robustness", _short(robustness), "true or false")
    return Run(
        folder=_folder("hydra.run.dir", folder),
        sweep_folder=_folder("hydra.sweep.dir", sweep_folder),
        language=language,
        robustness=robustness,
    )


def check_language(code: str) -> None:
    """Raise ConfigError unless there is such a language."""
    if code not in LANGUAGES:
        raise ConfigError(
            "language", _short(code), _listed(LANGUAGES), _nearest(str(code), LANGUAGES)
        )


def _folder(key: str, value: str) -> Path:
    if not value.strip():
        raise ConfigError(key, f"'{value}'", "a folder that can be written")
    return Path(value).expanduser().absolute()


def _spec(document: dict[str, Any]) -> ExperimentSpec:
    """Return the checked spec: decisions become the status quo, arms are patches on it."""
    for group in ("experiment", "strategy"):
        if isinstance(document.get(group), dict):
            raise ConfigError(group, "a file without its first line", f"'{_HEADER}' on top")
    _check_names(document)
    for key in document:
        if key not in _TOP:
            raise _unknown((), key, document)
    document["experiment"] = str(document["experiment"]).replace("/", "_")
    status_quo = {name: document.pop(name) for name in _DECISIONS if name in document}
    arms = document.get("arms")
    if isinstance(arms, dict):
        document["arms"] = {
            name: _patched(status_quo, {} if patch is None else patch)
            for name, patch in arms.items()
        }
    return _validated(document | {"status_quo": status_quo})


def _patched(base: Any, patch: Any) -> Any:
    """Return a merge patch applied (RFC 7396): mappings merge, null removes, all else replaces."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(base) if isinstance(base, dict) else {}
    for name, value in patch.items():
        merged[name] = _patched(merged.get(name), value)
    return {name: value for name, value in merged.items() if value is not None}


def _validated(document: dict[str, Any]) -> ExperimentSpec:
    """Return the spec; by way of JSON, so that a boolean or a text is never taken for a number."""
    try:
        return ExperimentSpec.model_validate_json(
            json.dumps(_whole(document), default=str), strict=True
        )
    except ValidationError as error:
        raise _explained(error, document) from None


def _whole(value: Any) -> Any:
    """Return the value with 1e5 as 100000, which a strict reader takes for a whole number."""
    if isinstance(value, dict):
        return {name: _whole(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_whole(inner) for inner in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


# What is wrong, in a person's words

_TYPES = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "string_type": "a text",
    "tuple_type": "a list",
    "dict_type": "names with their values",
    "model_type": "keys with their values",
    "model_attributes_type": "keys with their values",
    "union_tag_not_found": "keys with their values",
    "too_short": "at least one entry",
    "string_pattern_mismatch": "lower-case letters, digits and _, a letter first",
}
_BOUNDS = {
    "ge": "at least",
    "gt": "more than",
    "le": "at most",
    "lt": "less than",
    "multiple_of": "a multiple of",
}
_BOUNDS |= {"max_length": "at most"}
_ORDER = {"extra_forbidden": 0, "missing": 2}


def told(fault: Fault, path: tuple[str, ...] = ()) -> ConfigError:
    """Return a fault of the spec, or of a part of it, in one line."""
    found = str(fault.found)
    allowed = f"{fault.allowed} ({_listed(fault.choices)})" if fault.choices else fault.allowed
    near = _nearest(found.strip("'"), fault.choices)
    return ConfigError(".".join((*path, fault.key)), found, allowed, near)


def _unresolved(error: OmegaConfBaseException) -> ConfigError:
    """Return in one line that a reference leads nowhere."""
    return ConfigError(error.full_key or "YAML", f"'{_first_line(error)}'", "a value")


def _explained(error: ValidationError, document: Mapping[str, Any]) -> ConfigError:
    """Return the most telling of pydantic's findings."""
    worst = min(error.errors(include_url=False), key=lambda found: _ORDER.get(found["type"], 1))
    path = _path(worst["loc"], document)
    context: dict[str, Any] = worst.get("ctx", {})
    if isinstance(fault := context.get("error"), Fault):
        return told(fault, path)
    key, found = ".".join(path), _short(worst["input"])
    match worst["type"]:
        case "extra_forbidden":
            return _unknown(path[:-1], path[-1], document)
        case "missing":
            return _missing(path, document)
        case "union_tag_invalid" | "union_tag_not_found" if isinstance(worst["input"], dict):
            kinds, chosen = _kinds(_type(path, document)), worst["input"].get("kind")
            near = _nearest(str(chosen), kinds)
            return ConfigError(f"{key}.kind", _short(chosen), _listed(kinds), near)
        case "literal_error":
            names = re.findall(r"'([^']*)'", context["expected"])
            return ConfigError(key, found, _listed(names), _nearest(str(worst["input"]), names))
    bounds = [f"{word} {context[name]:g}" for name, word in _BOUNDS.items() if name in context]
    allowed = _TYPES.get(worst["type"]) or (bounds or [worst["msg"]])[0]
    return ConfigError(key, found, allowed)


def _path(loc: Iterable[str | int], document: Any) -> tuple[str, ...]:
    """Return where pydantic found something, in the words of the YAML.

    Pydantic also marks keys, and names the status quo and the kind that was chosen.
    """
    path: tuple[str, ...] = ()
    parts = iter([str(part) for part in loc if part != "[key]"])
    for part in parts:
        path += (part,) if path or part != "status_quo" else ()
        if _kinds(_type(path, document)):
            next(parts, None)
    return path


def _missing(path: tuple[str, ...], document: Any) -> ConfigError:
    """Return what to say of a key that must be there: perhaps it lies in a misspelt entry."""
    entries = dict(_entries(_at(path[:-2], document)))
    entry = path[-2] if len(path) > 1 else ""
    names = _names(_kind(path[:-1], document)) or {}
    home = _kind(path[:-2], document)
    free = all(typing.get_origin(one) is not typing.Literal for one in typing.get_args(home))
    if free and _items(home) and (near := _nearest(entry, entries.keys() - {entry})):
        allowed = f"{_listed(entries)}, each with {_listed(names)}"
        return ConfigError(".".join(path[:-1]), f"'{entry}' without {path[-1]}", allowed, near)
    return ConfigError(".".join(path), "nothing", _wanted(_kind(path, document)))


def _unknown(path: tuple[str, ...], name: str, document: Any) -> ConfigError:
    """Return what to say of a key that the spec does not have."""
    names = _names(_kind(path, document)) or {}
    key = ".".join((*path, name))
    if path[:1] == ("arms",) and len(path) == 2 and not _nearest(name, _DECISIONS):
        return ConfigError(key, f"'{name}'", f"in an arm, decisions only: {_listed(_DECISIONS)}")
    near = _nearest(name, names)
    nearest = ".".join((*path, near)) if near else _elsewhere(name, document)
    return ConfigError(key, "an unknown key", _listed(names) or "one value", nearest)


def _check_key(key: str, config: DictConfig, adds: bool) -> None:
    """Refuse a typed key that the spec does not have, before Hydra gives misleading advice."""
    from omegaconf import OmegaConf

    if re.split("[./]", key)[0] == "hydra":
        if key not in FOLDERS:
            raise ConfigError(key, "an unknown key", _listed(FOLDERS), _nearest(key, FOLDERS))
        return
    document: Any = OmegaConf.to_container(config)
    path: tuple[str, ...] = ()
    for name in key.split("."):
        _check_callable(path, name)
        kind = _kind(path, document)
        names = _names(kind)
        if name not in (names if names is not None else [name]) or not (names or _items(kind)):
            raise _unknown(path, name, document)
        entries = dict(_entries(_at(path, document)))
        if name not in entries and _names(_items(kind)) and not adds:
            _check_new(path, name, entries)
        path += (name,)


def _check_new(path: tuple[str, ...], name: str, present: Iterable[str]) -> None:
    """Refuse a name that nothing bears: a new arm may be typed plainly, if it looks like none."""
    near = _nearest(name, present)
    if path != ("arms",) or near:
        key = ".".join((*path, name))
        allowed = ", or ".join(filter(None, (_listed(present), f"+{key} for a new one")))
        raise ConfigError(key, f"'{name}'", allowed, near)


def _check_names(node: Any, path: tuple[str, ...] = ()) -> None:
    """Refuse what YAML must never hold: names that are no text, and Python to be called."""
    for name in node if isinstance(node, dict) else ():
        if not isinstance(name, str):
            allowed = "a text (YAML reads on, off, yes and no as true and false: quote them)"
            raise ConfigError(".".join((*path, str(name))), f"the name {_short(name)}", allowed)
        _check_callable(path, name)
    for name, inner in _entries(node):
        _check_names(inner, (*path, name))


def _check_callable(path: tuple[str, ...], name: str) -> None:
    if re.fullmatch(r"_\w+_", name):
        allowed = "kinds by their names, never Python to call"
        raise ConfigError(".".join((*path, name)), f"'{name}'", allowed)


def _entries(node: Any) -> Iterator[tuple[str, Any]]:
    """Yield what a mapping or a list holds, by the names that keys are made of."""
    entries = dict(enumerate(node)) if isinstance(node, list) else node
    for name, inner in entries.items() if isinstance(entries, dict) else ():
        yield str(name), inner


def _not_composed(error: Exception, config_dir: Path | None) -> ConfigError:
    """Return in one line what Hydra says in many."""
    text = str(error) or str(error.__cause__)
    if found := re.search(r"Could not find '([^'/]+)/([^']+)'", text):
        group, name = found.groups()
        names = list(menu(config_dir).get(group, ()))
        return ConfigError(group, f"'{name}'", _listed(names), _nearest(name, names))
    if found := re.search(r"In '([^']+)': Could not override '([^'@]+)(@[^']+)?'", text):
        file, group, package = found.groups()
        if package and group in defaults():
            return ConfigError(f"{file}.yaml", f"'{group}{package}'", f"'{_HEADER}' as first line")
        near = _nearest(group, defaults())
        return ConfigError(f"{file}.yaml", f"'override /{group}'", _listed(defaults()), near)
    if found := re.search(r"Could not override '([^']+)'", text):
        return ConfigError(found[1], "an unknown key", _listed(defaults()))
    file = re.search(r"[Ii]n '([^' ]+)'", text)
    detail = re.sub(r"^In '[^']+': |\w+ raised while composing config:\n", "", text)
    place = f"{file[1]}.yaml" if file else "YAML"
    return ConfigError(place, f"'{detail.splitlines()[0]}'", "what fits the menu and its keys")


def _broken(error: yaml.YAMLError) -> ConfigError:
    mark = getattr(error, "problem_mark", None)
    place = f"{mark.name}, line {mark.line + 1}" if mark else getattr(error, "name", "YAML")
    problem = getattr(error, "problem", None) or _first_line(error)
    return ConfigError(place, f"broken YAML ({problem})", "YAML")


def _at(path: tuple[str, ...], document: Any) -> Any:
    """Return what a document holds under a key, None if nothing."""
    for name in path:
        document = dict(_entries(document)).get(name)
    return document


def _type(path: tuple[str, ...], document: Any) -> Any:
    """Return the type that the spec gives to a key; None for a key that it does not have."""
    if not path:
        return _TOP
    parent = _kind(path[:-1], document)
    names = _names(parent)
    return names.get(path[-1]) if names is not None else _items(parent)


def _kind(path: tuple[str, ...], document: Any) -> Any:
    """Return the type of a key; where there is a choice, the one of the document's `kind`."""
    kind = _type(path, document)
    kinds = _kinds(kind)
    chosen = str(dict(_entries(_at(path, document))).get("kind"))
    return kinds.get(chosen, next(iter(kinds.values()), kind))


def _kinds(kind: Any) -> dict[str, type[Words]]:
    """Return the types between which a `kind` chooses, by that kind; nothing for all else."""
    found: dict[str, type[Words]] = {}
    if typing.get_origin(kind) not in (typing.Union, types.UnionType):
        return found
    for one in typing.get_args(kind):
        one = typing.get_args(one)[0] if typing.get_origin(one) is typing.Annotated else one
        if isinstance(one, type) and issubclass(one, Words) and "kind" in one.model_fields:
            (name,) = typing.get_args(one.model_fields["kind"].annotation)
            found[name] = one
    return found


def _names(kind: Any) -> dict[str, Any] | None:
    """Return the fixed keys of a type with their types, or None if it has none."""
    if isinstance(kind, type) and issubclass(kind, Words):
        return {name: field.annotation for name, field in kind.model_fields.items()}
    return kind if isinstance(kind, dict) else None


def _items(kind: Any) -> Any:
    """Return the type of what a mapping or a list holds, or None for all else."""
    position = {dict: 1, tuple: 0}.get(typing.get_origin(kind))
    return None if position is None else typing.get_args(kind)[position]


def _wanted(kind: Any) -> str:
    if names := _names(kind):
        return f"the keys {_listed(names)}"
    kinds = {int: "int_type", float: "float_type", str: "string_type", bool: "bool_type"}
    kinds |= {dict: "dict_type", tuple: "tuple_type"}
    kind = typing.get_origin(kind) or kind
    return _TYPES[kinds[kind]] if kind in kinds else "a value"


def _elsewhere(name: str, document: Any) -> str:
    """Return the key that ends in this name, or nearly so, if it only lies somewhere else."""
    keys = dict(_leaves((), document))
    return keys.get(_nearest(name, keys, 0.8), "")


def _leaves(path: tuple[str, ...], document: Any) -> Iterator[tuple[str, str]]:
    for name in reversed(_names(_kind(path, document)) or {}):
        yield name, ".".join((*path, name))
        yield from _leaves((*path, name), document)


def _nearest(name: str, choices: Iterable[str], likeness: float = 0.6) -> str:
    return next(iter(difflib.get_close_matches(name, list(choices), 1, likeness)), "")


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))


def _short(value: Any) -> str:
    """Return a value as a person would name it."""
    match value:
        case None:
            return "nothing"
        case bool():
            return "true" if value else "false"
        case float():
            return f"{value:g}"
        case dict():
            return "keys with their values"
        case list() | tuple():
            return "a list"
        case int():
            return str(value)
    text = str(value)
    return f"'{text[:57]}...'" if len(text) > 60 else f"'{text}'"


def _first_line(error: BaseException) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)
