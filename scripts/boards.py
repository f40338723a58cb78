"""The dashboards House, Fleet and Device, for either database."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from grafana_foundation_sdk.builders import common, dashboard, statetimeline, table, timeseries
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models.common import (
    FieldTextAlignment,
    LegendDisplayMode,
    LegendPlacement,
    TableAutoCellOptions,
)
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    DashboardLinkType,
    DataTransformerConfig,
    DynamicConfigValue,
    MatcherConfig,
    ValueMap,
    ValueMappingResult,
    VariableOption,
    VariableRefresh,
    VariableSort,
)

from bootstrap.config import kinds
from queries import NUMBERS, InfluxQL, Language

AnyPanel = timeseries.Panel | table.Panel | statetimeline.Panel
Panel = TypeVar("Panel", timeseries.Panel, table.Panel, statetimeline.Panel)
ROOT = Path(__file__).parent.parent
SHORTEST = "1m"  # the shortest interval: sensors read and send heartbeats this often by default
GAP_MS = 600_000  # points further apart are not joined
WIDE, HALF, THIRD = 24, 12, 8
TAG = "penates"
UNITS = {"°C": "celsius", "%": "percent", "s": "s", "hPa": "pressurehpa", "Pa": "pressurepa", "lx": "lux"}
UNITS |= {"V": "volt", "A": "amp", "W": "watt", "Hz": "hertz", "m": "lengthm", "ppm": "ppm", "Ω": "ohm"}
UNITS |= {"ppb": "conppb", "Wh": "watth", "g": "massg", "°": "degree"}
HEARTBEAT_UNITS = {"uptime_s": "dtdurations", "rss_mb": "decmbytes"}
STATES = {
    "online": "green",
    "starting": "blue",
    "fault": "orange",
    "stopped": "text",
    "lost": "red",
    "unreachable": "purple",
}
COLOURED = {"type": "color-text"}
ONLINE = {"1": ("online", "green"), "0": ("not online", "red")}


def measures() -> dict[str, str | None]:
    """Return each measure's unit as `about` has it, None for a truth value; left out if two kinds disagree."""
    found: dict[str, set[str | None]] = {}
    for kind in kinds.names():
        for name, measure in kinds.find(kind, ROOT).measures.items():
            unit = None if measure.unit is bool else measure.unit if isinstance(measure.unit, str) else "1"
            found.setdefault(name, set()).add(unit)
    return {name: units.pop() for name, units in sorted(found.items()) if len(units) == 1}


def value(name: str, what: object) -> DynamicConfigValue:
    """Return one property of an override."""
    return DynamicConfigValue(id_val=name, value=what)


def looks(*, lines: bool) -> Iterator[tuple[MatcherConfig, list[DynamicConfigValue]]]:
    """Yield how each measure is shown, with any prefix to its name; `lines` if it is over time."""
    alike: dict[str | None, list[str]] = {}
    for name, unit in measures().items():
        alike.setdefault(unit, []).append(name)
    for unit, names in alike.items():
        matcher = MatcherConfig(id_val="byRegexp", options=f"/(^|mean_|last_|reading_| )({'|'.join(names)})$/")
        if unit is None:
            steps = [value("custom.lineInterpolation", "stepAfter")] if lines else []
            yield matcher, [value("min", 0), value("max", 1), *steps]
        elif unit != "1":
            yield matcher, [value("unit", UNITS.get(unit, f"suffix: {unit}"))]


def graph(title: str, targets: list[Dataquery], span: int = HALF, unit: str = "none") -> timeseries.Panel:
    """Return a panel of lines over time, with a table of their last, lowest and highest values."""
    legend = common.VizLegendOptions().display_mode(LegendDisplayMode.TABLE).placement(LegendPlacement.BOTTOM)
    panel = timeseries.Panel().title(title).span(span).height(9).unit(unit).interval(SHORTEST)
    panel.legend(legend.show_legend(True).calcs(["lastNotNull", "min", "max"])).span_nulls(GAP_MS).fill_opacity(10)
    return aim(panel, targets)


def aim(panel: Panel, targets: list[Dataquery]) -> Panel:
    """Give a panel its queries."""
    for target in targets:
        panel.with_target(Built(target))
    return panel.datasource(targets[0].datasource if hasattr(targets[0], "datasource") else InfluxQL.source)


class Built(Builder[Dataquery]):
    """A query that needs no building."""

    def __init__(self, query: Dataquery) -> None:
        self._query = query

    def build(self) -> Dataquery:
        """Return the query itself."""
        return self._query


def by_measure(panel: Panel) -> Panel:
    """Have a panel show each measure in its unit."""
    for matcher, properties in looks(lines=isinstance(panel, timeseries.Panel)):
        panel.with_override(matcher, properties)
    return panel


def colours(language: Language) -> ValueMap:
    """Return the text and colour of each state."""
    if language.state == "state":
        return ValueMap({name: ValueMappingResult(text=name, color=colour) for name, colour in STATES.items()})
    return ValueMap({key: ValueMappingResult(text=text, color=colour) for key, (text, colour) in ONLINE.items()})


def rows(title: str, targets: list[Dataquery], span: int = WIDE) -> table.Panel:
    """Return a table."""
    panel = table.Panel().title(title).span(span).height(9).show_header(True)
    return aim(panel.align(FieldTextAlignment.AUTO).cell_options(TableAutoCellOptions()).inspect(False), targets)


def newest(language: Language, title: str, measure: str = "$measure") -> table.Panel:
    """Return a table of the newest values."""
    return by_measure(rows(title, language.newest(measure)).override_by_name("Time", [value("custom.hidden", True)]))


def text(language: Language) -> list[table.Panel]:
    """Return a table of the newest texts, if the database stores any."""
    return [rows("Text", [query]).override_by_name("Time", [value("custom.hidden", True)]) for query in language.text()]


def state_now(language: Language) -> table.Panel:
    """Return a table of each sensor's state, with a link to its dashboard."""
    panel = rows("State", language.state_now(), THIRD).mappings([colours(language)])
    painted = value("custom.cellOptions", {"type": "color-text"})
    for name in ("state", "Value"):
        panel.override_by_name(name, [painted, value("displayName", "state")])
    panel.override_by_name("Time", [value("displayName", "since"), value("unit", "dateTimeFromNow")])
    if language.state != "state":
        panel.override_by_name("Time", [value("custom.hidden", True)])
    return linked(panel, language)


def linked(panel: table.Panel, language: Language) -> table.Panel:
    """Link the names of the sensors in a table to their dashboards."""
    url = f"/d/{uid('device', language)}?var-group=${{__data.fields.group}}&var-sensor=${{__data.fields.sensor}}"
    return panel.override_by_name("sensor", [value("links", [{"title": "Device", "url": url}])])


def heartbeats_now(language: Language) -> table.Panel:
    """Return a table of the last heartbeat of each sensor: its age and its numbers."""
    panel = rows("Heartbeats", language.heartbeats_now(), WIDE - THIRD)
    if language.state == "state":
        panel.override_by_name("Time", [value("displayName", "received"), value("unit", "dateTimeFromNow")])
        named = {name: name for name in NUMBERS}
    else:
        panel.with_transformation(DataTransformerConfig(id_val="merge", options={}))
        panel.override_by_name("Time", [value("custom.hidden", True)])
        panel.override_by_name("Value #A", [value("displayName", "age"), value("unit", "dtdurations")])
        named = {f"Value #{chr(ord('B') + number)}": name for number, name in enumerate(NUMBERS)}
        silent = ValueMap({"0": ValueMappingResult(text=""), "1": ValueMappingResult(text="yes", color="red")})
        last = f"Value #{chr(ord('B') + len(NUMBERS))}"
        shown = [value("displayName", "silent"), value("mappings", [silent]), value("custom.cellOptions", COLOURED)]
        panel.override_by_name(last, shown)
    for column, name in named.items():
        panel.override_by_name(column, [value("displayName", name), value("unit", HEARTBEAT_UNITS.get(name, "none"))])
    return linked(panel, language)


def states(language: Language) -> statetimeline.Panel:
    """Return a panel of the changes of state."""
    panel = statetimeline.Panel().title("State").span(WIDE).height(5).mappings([colours(language)])
    return aim(panel.no_value("no change in this period; Fleet shows the present state"), language.states())


def health(language: Language) -> list[timeseries.Panel]:
    """Return panels of the numbers in heartbeats, over time."""
    wanted: list[tuple[str, Callable[..., list[Dataquery]], tuple[str, ...], str]] = [
        ("Faults", language.counters, ("faults", "invalid"), "none"),
        ("Queue", language.gauges, ("queued", "on_disk"), "none"),
        ("Dropped", language.counters, ("dropped",), "none"),
        ("Reconnects", language.counters, ("reconnects",), "none"),
        ("Memory", language.gauges, ("rss_mb",), "decmbytes"),
    ]
    return [graph(title, query(*names), THIRD, unit) for title, query, names, unit in wanted]


def recorders(language: Language) -> list[timeseries.Panel]:
    """Return panels of the recorders' progress."""
    late = graph("Recorder: age of the newest reading stored", language.gauges("lag_s"), HALF, "s")
    return [late, graph("Recorder: not stored yet, and missed", language.gauges("waiting", "missed"), HALF)]


def uid(name: str, language: Language) -> str:
    """Return the uid of a dashboard."""
    return f"penates-{name}" if language.name == "influxdb" else f"penates-{name}-{language.name}"


def board(name: str, language: Language, since: str, about: str) -> dashboard.Dashboard:
    """Return an empty dashboard with links to the others."""
    others = dashboard.DashboardLink(TAG).type(DashboardLinkType.DASHBOARDS).tags([TAG, language.name])
    made = dashboard.Dashboard(name.title()).uid(uid(name, language)).description(about).tags([TAG, language.name])
    made.time(since, "now").refresh("1m").timezone("browser").tooltip(DashboardCursorSync.CROSSHAIR).editable()
    return made.link(others.keep_time(True))


def variables(made: dashboard.Dashboard, language: Language, measurement: str, *names: str, many: bool = True) -> None:
    """Add the variables that are chosen above the panels; all values are chosen at first."""
    for name in names:
        query, regex = language.variable(name, measurement)
        one = dashboard.QueryVariable(name).label(name).datasource(language.source).query(query).regex(regex)
        one.multi(many).include_all(many).sort(VariableSort.ALPHABETICAL_ASC)
        if many:
            one.current(VariableOption(selected=True, text=["All"], value=["$__all"]))
        made.with_variable(one.refresh(VariableRefresh.ON_TIME_RANGE_CHANGED))


def filled(made: dashboard.Dashboard, *panels: AnyPanel) -> dashboard.Dashboard:
    """Add panels to a dashboard, from left to right and downwards."""
    for number, panel in enumerate(panels, 1):
        made.with_panel(panel.id(number))
    return made


def house(language: Language) -> dashboard.Dashboard:
    """Return the dashboard of every measure of every sensor."""
    made = board("house", language, "now-24h", "Every measure of every sensor.")
    variables(made, language, "reading", "group", "sensor", "measure")
    repeated = graph("$measure", language.measure(), WIDE).repeat("measure").repeat_direction("h").max_per_row(2)
    return filled(made, newest(language, "Newest"), *text(language), by_measure(repeated))


def fleet(language: Language) -> dashboard.Dashboard:
    """Return the dashboard of the sensors' states."""
    made = board("fleet", language, "now-24h", "The sensors' states, heartbeats, faults, queues and memory.")
    variables(made, language, "heartbeat", "group", "sensor")
    return filled(made, state_now(language), heartbeats_now(language), *health(language), *recorders(language))


def device(language: Language) -> dashboard.Dashboard:
    """Return the dashboard of one sensor in detail."""
    made = board("device", language, "now-6h", "One sensor: its measures, its state and its heartbeats.")
    variables(made, language, "heartbeat", "group", "sensor", many=False)
    uptime = graph("Uptime", language.gauges("uptime_s"), THIRD, "dtdurations")
    measured = by_measure(graph("Measures", language.measures(), WIDE))
    tables = (newest(language, "Newest", ""), *text(language))
    return filled(made, states(language), measured, *tables, uptime, *health(language))


BOARDS: dict[str, Callable[[Language], dashboard.Dashboard]] = {"house": house, "fleet": fleet, "device": device}
