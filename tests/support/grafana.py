"""What Grafana makes of a dashboard's file before it asks the database: variables, macros, intervals, names."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from support.stores import DATABASE, Influx, Victoria

INTERVAL_S = 600  # what $__interval is
Values = dict[str, list[str]]
Answer = dict[str, dict[int, Any]] | list[dict[str, Any]]  # series by name, of time in ms; or rows of a table


def escaped(value: str) -> str:
    return re.sub(r"[\\^$*+?.()|\[\]{}/]", lambda found: "\\" + found[0], value)


def interpolated(text: str, values: Values) -> str:
    """Variables as both data sources write them into a query: a regex of what was chosen."""
    for name, chosen in values.items():
        words = [escaped(word) for word in chosen]
        pattern = words[0] if len(words) == 1 else f"({'|'.join(words)})"
        text = re.sub(rf"\${name}\b|\$\{{{name}\}}", lambda _, said=pattern: said, text)
    return text


@dataclass
class Grafana:
    """One dashboard and the database behind it, from and until a time in seconds."""

    file: Path
    database: Influx | Victoria
    start: int
    end: int
    values: Values = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.board = json.loads(self.file.read_text())
        for variable in self.board["templating"]["list"]:
            found = self._options(variable)
            assert found, f"{self.file}: no value for {variable['name']}"
            self.values[variable["name"]] = found if variable["multi"] else found[:1]

    def answers(self) -> dict[str, Answer]:
        """By title, what each panel's queries bring; a repeated panel is one for each value."""
        return {interpolated(panel["title"], values): self._answer(panel, values) for panel, values in self._panels()}

    def _panels(self) -> Iterator[tuple[dict[str, Any], Values]]:
        for panel in self.board["panels"]:
            for chosen in self.values[panel["repeat"]] if "repeat" in panel else [""]:
                yield panel, self.values | ({panel["repeat"]: [chosen]} if chosen else {})

    def _answer(self, panel: dict[str, Any], values: Values) -> Answer:
        found = [self._ask(target, values) for target in panel["targets"]]
        if isinstance(found[0], dict):
            return {name: points for one in found for name, points in one.items()}
        return [row for one in found for row in one]

    # The macros.

    def _query(self, text: str, values: Values) -> str:
        times = f"time >= {self.start * 1000}ms and time <= {self.end * 1000}ms"
        macros = {"$timeFilter": times, "$__interval": f"{INTERVAL_S // 60}m", "$__range": f"{self.end - self.start}s"}
        text = interpolated(text, values)
        for name, said in macros.items():
            text = text.replace(name, said)
        assert not re.search(r"\$[a-z_{]", text), f"nobody replaces what is left in {text}"
        return text

    def _options(self, variable: dict[str, Any]) -> list[str]:
        query = self._query(variable["query"], self.values)
        found = self._keys(query) if isinstance(self.database, Influx) else self._labels(query)
        if variable["regex"]:
            matches = [re.search(variable["regex"].strip("/"), word) for word in found]
            found = [match[1] for match in matches if match]
        return sorted(set(found))

    def _ask(self, target: dict[str, Any], values: Values) -> Answer:
        query = self._query(target.get("query") or target["expr"], values)
        alias = interpolated(target.get("alias", target.get("legendFormat", "")), values)
        if isinstance(self.database, Victoria):
            return self._now(query) if target.get("instant") else self._over_time(query, alias)
        found = self._influx(query)
        return named(found, alias) if target["resultFormat"] == "time_series" else tabled(found)

    # InfluxDB.

    def _influx(self, query: str) -> list[dict[str, Any]]:
        status, said = self.database.ask("POST", "/query", db=DATABASE, epoch="ms", q=query)
        result = json.loads(said)["results"][0]
        assert status == 200, said
        assert "error" not in result, f"{result} of {query}"
        return result.get("series", [])

    def _keys(self, query: str) -> list[str]:
        """The keys of fields stand first, the values of tags second."""
        column = 0 if "FIELD KEYS" in query else 1
        return [row[column] for series in self._influx(query) for row in series["values"]]

    # VictoriaMetrics, by the Prometheus source.

    def _labels(self, query: str) -> list[str]:
        metric, label = re.fullmatch(r"label_values\((.*), (\w+)\)", query).groups()
        parameters = {"match[]": metric, "start": str(self.start), "end": str(self.end)}
        return json.loads(self.database.ask("GET", f"/api/v1/label/{label}/values", **parameters)[1])["data"]

    def _prometheus(self, path: str, **parameters: str) -> list[dict[str, Any]]:
        status, said = self.database.ask("POST", path, **parameters)
        assert status == 200, said
        return json.loads(said)["data"]["result"]

    def _now(self, query: str) -> list[dict[str, Any]]:
        found = self._prometheus("/api/v1/query", query=query, time=str(self.end))
        return [{**one["metric"], "Value": float(one["value"][1])} for one in found]

    def _over_time(self, query: str, alias: str) -> dict[str, dict[int, Any]]:
        times = {"start": str(self.start), "end": str(self.end), "step": str(INTERVAL_S)}
        found = self._prometheus("/api/v1/query_range", query=query, **times)
        name = lambda one: re.sub(r"{{(\w+)}}", lambda label: one["metric"].get(label[1], ""), alias)  # noqa: E731
        return {name(one): {time * 1000: float(value) for time, value in one["values"]} for one in found}


def named(found: list[dict[str, Any]], alias: str) -> dict[str, dict[int, Any]]:
    """A series for each column, under the name that its alias makes."""
    series = {}
    for one in found:
        for number, column in enumerate(one["columns"][1:], 1):
            words = {"col": column, **{f"tag_{tag}": value for tag, value in one.get("tags", {}).items()}}
            name = re.sub(r"\$(\w+)", lambda word, known=words: known[word[1]], alias)
            points = {row[0]: row[number] for row in one["values"] if row[number] is not None}
            if points:
                series[name] = points
    return series


def tabled(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A row for each, with the tags as columns."""
    return [
        {**one.get("tags", {}), **{name: value for name, value in zip(one["columns"], row, strict=True) if value != ""}}
        for one in found
        for row in one["values"]
    ]
