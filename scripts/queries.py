"""What the panels ask, in the languages of the two databases: InfluxQL, and PromQL as VictoriaMetrics has it."""

from dataclasses import dataclass
from typing import ClassVar

from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models.dashboard import DataSourceRef
from grafana_foundation_sdk.models.prometheus import Dataquery as PromQuery
from grafana_foundation_sdk.models.prometheus import PromQueryFormat, QueryEditorMode

KEPT = "30d"  # how old a heartbeat may be, and is still shown as the last one
EVER = "366d"  # a state is said only when it changes
WHO = "$tag_group/$tag_sensor"
NUMBERS = ("uptime_s", "reads", "faults", "invalid", "queued", "on_disk", "dropped", "reconnects", "rss_mb")


class InfluxQuery(Dataquery):
    """As Grafana's InfluxDB data source has it; the SDK knows none."""

    def __init__(self, query: str, ref_id: str, alias: str, result_format: str) -> None:
        self.query, self.ref_id, self.alias, self.result_format = query, ref_id, alias, result_format

    def to_json(self) -> dict[str, object]:
        """For the SDK's encoder."""
        source = {"type": InfluxQL.source.type_val, "uid": InfluxQL.source.uid}
        shape = {"rawQuery": True, "resultFormat": self.result_format, "alias": self.alias}
        return {"refId": self.ref_id, "datasource": source, "query": self.query, **shape}


@dataclass(frozen=True)
class InfluxQL:
    """InfluxDB 1, and 2 and 3 through their door for InfluxQL."""

    name: ClassVar = "influxdb"
    source: ClassVar = DataSourceRef(type_val="influxdb", uid="penates-influxdb")
    state: ClassVar = "state"

    @staticmethod
    def variable(name: str, measurement: str) -> tuple[str, str]:
        """Query and regex of the variable `group`, `sensor` or `measure`."""
        if name == "measure":
            return f'SHOW FIELD KEYS FROM "{measurement}"', ""
        chosen = ' WHERE "group" =~ /^$group$/' if name == "sensor" else ""
        return f'SHOW TAG VALUES FROM "{measurement}" WITH KEY = "{name}"{chosen}', ""

    def measure(self) -> list[Dataquery]:
        """The measure chosen, of each sensor, over time. By a regex, since that leaves out words instead of failing."""
        return [self._over_time("mean(/^$measure$/)", "reading", f"{WHO} $measure")]

    def measures(self) -> list[Dataquery]:
        """All measures of the sensors chosen, over time."""
        return [self._over_time("mean(/./)", "reading", "$col")]

    def newest(self, measure: str = "$measure") -> list[Dataquery]:
        """Each measure's newest value, within the time shown."""
        pattern = f"^{measure}$" if measure else "."
        return [self._table(f"last(/{pattern}/)", "reading", "$timeFilter")]

    def state_now(self) -> list[Dataquery]:
        """The state of each sensor, and since when."""
        return [self._table('last("state") AS "state"', "state", f"time > now() - {EVER}")]

    def states(self) -> list[Dataquery]:
        """Each change of state."""
        query = f'SELECT "state" FROM "state" WHERE {_chosen()} AND $timeFilter GROUP BY "group", "sensor"'
        return [InfluxQuery(query, "A", WHO, "time_series")]

    def heartbeats_now(self) -> list[Dataquery]:
        """The last heartbeat of each sensor; its age is the time of the row."""
        first, *rest = (f'"{name}"' for name in NUMBERS)
        return [self._table(", ".join([f"last({first}) AS {first}", *rest]), "heartbeat", f"time > now() - {KEPT}")]

    def gauges(self, *names: str) -> list[Dataquery]:
        """The highest of each interval."""
        return [self._numbered(name, f'max("{name}")', number) for number, name in enumerate(names)]

    def counters(self, *names: str) -> list[Dataquery]:
        """By how much each has grown in each interval; not below 0, as at a new start."""
        return [
            self._numbered(name, f'non_negative_difference(max("{name}"))', number) for number, name in enumerate(names)
        ]

    def _numbered(self, name: str, what: str, number: int) -> Dataquery:
        return self._over_time(what, "heartbeat", f"{WHO} {name}", "ABCD"[number])

    @staticmethod
    def _over_time(what: str, measurement: str, alias: str, ref_id: str = "A") -> Dataquery:
        groups = 'GROUP BY time($__interval), "group", "sensor" fill(null)'
        query = f'SELECT {what} FROM "{measurement}" WHERE {_chosen()} AND $timeFilter {groups}'
        return InfluxQuery(query, ref_id, alias, "time_series")

    @staticmethod
    def _table(what: str, measurement: str, when: str) -> Dataquery:
        query = f'SELECT {what} FROM "{measurement}" WHERE {_chosen()} AND {when} GROUP BY "group", "sensor"'
        return InfluxQuery(query, "A", "", "table")


def _chosen() -> str:
    return '"group" =~ /^$group$/ AND "sensor" =~ /^$sensor$/'


@dataclass(frozen=True)
class PromQL:
    """VictoriaMetrics: a metric for each measurement and field, such as `reading_temperature`."""

    name: ClassVar = "victoriametrics"
    source: ClassVar = DataSourceRef(type_val="prometheus", uid="penates-victoriametrics")
    state: ClassVar = "online"

    @staticmethod
    def variable(name: str, measurement: str) -> tuple[str, str]:
        """Query and regex of the variable `group`, `sensor` or `measure`."""
        if name == "measure":
            return f'label_values({{__name__=~"{measurement}_.*"}}, __name__)', f"/^{measurement}_(.*)$/"
        chosen = ', group=~"$group"' if name == "sensor" else ""
        return f'label_values({{__name__=~"{measurement}_.*"{chosen}}}, {name})', ""

    def measure(self) -> list[Dataquery]:
        """The measure chosen, of each sensor, over time."""
        query = f"avg_over_time({_metric('reading_$measure')}[$__interval])"
        return [self._over_time(query, "{{group}}/{{sensor}} $measure")]

    def measures(self) -> list[Dataquery]:
        """All measures of the sensors chosen, over time."""
        query = f"avg_over_time({_metric('reading_.*')}[$__interval]) keep_metric_names"
        return [self._over_time(query, "{{__name__}}")]

    def newest(self, measure: str = "$measure") -> list[Dataquery]:
        """Each measure's newest value, within the time shown."""
        metric = _metric(f"reading_{measure or '.*'}")
        return [self._now(f"last_over_time({metric}[$__range])")]

    def state_now(self) -> list[Dataquery]:
        """Whether each sensor is online: this database keeps no words."""
        return [self._now(f"max(last_over_time({_metric('state_online')}[{EVER}])) by (group, sensor)")]

    def states(self) -> list[Dataquery]:
        """Whether it was online."""
        return [self._over_time(f"last_over_time({_metric('state_online')}[{EVER}])", "{{group}}/{{sensor}}")]

    def heartbeats_now(self) -> list[Dataquery]:
        """The age in seconds and the numbers of each sensor's last heartbeat."""
        by = "by (group, sensor)"  # without the names, by which the rows of one sensor would differ
        asked = [f"min(time() - tlast_over_time({_metric('heartbeat_uptime_s')}[{KEPT}])) {by}"]
        asked += [f"max(last_over_time({_metric(f'heartbeat_{name}')}[{KEPT}])) {by}" for name in NUMBERS]
        return [self._now(query, chr(ord("A") + number)) for number, query in enumerate(asked)]

    def gauges(self, *names: str) -> list[Dataquery]:
        """The highest of each interval."""
        return [self._numbered(name, "max_over_time", number) for number, name in enumerate(names)]

    def counters(self, *names: str) -> list[Dataquery]:
        """By how much each has grown in each interval; a new start counts from 0."""
        return [self._numbered(name, "increase", number) for number, name in enumerate(names)]

    def _numbered(self, name: str, function: str, number: int) -> Dataquery:
        query = f"{function}({_metric(f'heartbeat_{name}')}[$__interval])"
        return self._over_time(query, f"{{{{group}}}}/{{{{sensor}}}} {name}", "ABCD"[number])

    @staticmethod
    def _over_time(query: str, legend: str, ref_id: str = "A") -> Dataquery:
        return PromQuery(
            expr=query,
            ref_id=ref_id,
            legend_format=legend,
            range_val=True,
            editor_mode=QueryEditorMode.CODE,
            datasource=PromQL.source,
        )

    @staticmethod
    def _now(query: str, ref_id: str = "A") -> Dataquery:
        return PromQuery(
            expr=query,
            ref_id=ref_id,
            instant=True,
            format_val=PromQueryFormat.TABLE,
            editor_mode=QueryEditorMode.CODE,
            datasource=PromQL.source,
        )


def _metric(name: str) -> str:
    return f'{{__name__=~"{name}", group=~"$group", sensor=~"$sensor"}}'


Language = InfluxQL | PromQL
