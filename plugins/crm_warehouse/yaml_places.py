"""Reading YAML that people write: the content, and the line on which each part of it stands."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from crm_warehouse.errors import SettingsError

Place = tuple[str | int, ...]


@dataclass(frozen=True)
class Places:
    """The line of each key and item by its path, and what YAML would have swallowed in silence."""

    lines: dict[Place, int] = field(default_factory=dict)
    surprises: list[tuple[Place, str]] = field(default_factory=list)

    def line_of(self, place: Place) -> int:
        """The line of a place, or of the nearest one around it."""
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place, 1)


class _Loader(yaml.SafeLoader):
    """YAML as is, but a date that does not exist stays text: then it can be named instead of breaking the reading off."""


def _date_or_text(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> date | str:
    try:
        return loader.construct_yaml_timestamp(node)
    except ValueError:
        return node.value


_Loader.add_constructor("tag:yaml.org,2002:timestamp", _date_or_text)


def read_yaml(path: Path) -> tuple[Any, Places]:
    """Content and places of a YAML file. Raises SettingsError, with the line, when it is not YAML at all."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise SettingsError(
            f"{path} is missing: write it, or let `crm-warehouse profile new` write a first one"
        ) from None
    except UnicodeDecodeError as problem:
        raise SettingsError(f"{path} is not UTF-8 (byte {problem.start}): save it as UTF-8") from None
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        places = Places()
        if node is None:
            return None, places
        _walk(node, (), places)
        return loader.construct_document(node), places
    except yaml.MarkedYAMLError as problem:
        mark = problem.problem_mark or problem.context_mark
        line = mark.line + 1 if mark else 1
        reason = problem.problem or problem.context or "cannot be read"
        raise SettingsError(
            f"{path}, line {line}: it is not valid YAML: {reason}; mend the line or the one before"
        ) from None
    except (yaml.YAMLError, TypeError, ValueError) as problem:
        raise SettingsError(f"{path} is not valid YAML: {problem}; mend it") from None
    finally:
        loader.dispose()


def _walk(node: yaml.Node, place: Place, places: Places) -> None:
    places.lines.setdefault(place, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            name = key.value if isinstance(key, yaml.ScalarNode) else str(key.value)
            inner = (*place, name)
            if name in seen:
                places.surprises.append((inner, "is written twice: YAML keeps the last one in silence; leave one"))
            elif key.tag != "tag:yaml.org,2002:str" and key.tag != "tag:yaml.org,2002:merge":
                places.surprises.append(
                    (inner, f'is no text for YAML (it reads yes, no, on, off and numbers otherwise): write "{name}"')
                )
            seen.add(name)
            places.lines[inner] = key.start_mark.line + 1
            _walk(value, inner, places)
    elif isinstance(node, yaml.SequenceNode):
        for number, item in enumerate(node.value):
            _walk(item, (*place, number), places)
