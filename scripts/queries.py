"""The panels' queries in the languages of the two databases: InfluxQL, and VictoriaMetrics' PromQL."""

from dataclasses import dataclass
from typing import ClassVar

from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models.dashboard import DataSourceRef
from grafana_foundation_sdk.models.prometheus import Dataquery as PromQuery
from grafana_foundation_sdk.models.prometheus import PromQueryFormat, QueryEditorMode

from bootstrap.contract.liveness import GRACE_S, MISSED
from bootstrap.history.influx.line_protocol import TEXT
from bootstrap.history.points import READING

KEPT = "30d"  # how old a heartbeat may be to be shown as the last one
EVER = "366d"  # long, because a state is published only when it changes
WHO = "$tag_group/$tag_sensor"
NUMBERS = ("uptime_s", "reads", "faults", "invalid", "queued", "on_disk", "dropped", "reconnects", "rss_mb")


class InfluxQuery(Dataquery):
    """A query as Grafana's InfluxDB data source has it, which the SDK lacks."""

    def __init__(self, query: str, ref_id: str, alias: str, result_format: str) -> None:
        self.query, self.ref_id, self.alias, self.result_format = query, ref_id, alias, result_format

    def to_json(self) -> dict[str, object]:
        """Return the query for the SDK's encoder."""
        source = {"type": InfluxQL.source.type_val, "uid": InfluxQL.source.uid}
        shape = {"rawQuery": True, "resultFormat": self.result_format, "alias": self.alias}
        return {"refId": self.ref_id, "datasource": source, "query": self.query, **shape}


@dataclass(frozen=True)
class InfluxQL:
    """InfluxDB 1, and InfluxDB 2 and 3 by their support for InfluxQL."""

    name: ClassVar = "influxdb"
    source: ClassVar = DataSourceRef(type_val="influxdb", uid="penates-influxdb")
    state: ClassVar = "state"

    @staticmethod
    def variable(name: str, measurement: str) -> tuple[str, str]:
        """Return the query and the regex of the variable `group`, `sensor` or `measure`."""
        if name == "measure":
            return f'SHOW FIELD KEYS FROM "{measurement}"', ""
        chosen = ' WHERE "group" =~ /^$group$/' if name == "sensor" else ""
        also = f', "{TEXT}"' if measurement == READING else ""
        return f'SHOW TAG VALUES FROM "{measurement}"{also} WITH KEY = "{name}"{chosen}', ""

    def measure(self) -> list[Dataquery]:
        """Query the chosen measure of each sensor over time, by a regex, which leaves out texts instead of failing."""
        return [self._over_time("mean(/^$measure$/)", "reading", f"{WHO} $measure")]

    def measures(self) -> list[Dataquery]:
        """Query all measures of the chosen sensors over time."""
        return [self._over_time("mean(/./)", "reading", "$col")]

    def newest(self, measure: str = "$measure") -> list[Dataquery]:
        """Query the newest value of each measure within the period shown."""
        pattern = f"^{measure}$" if measure else "."
        return [self._table(f"last(/{pattern}/)", "reading", "$timeFilter")]

    def text(self) -> list[Dataquery]:
        """Query the newest text of each measure within the period shown."""
        return [self._table("last(/./)", TEXT, "$timeFilter")]

    def state_now(self) -> list[Dataquery]:
        """Query the state of each sensor, and since when it lasts."""
        return [self._table('last("state") AS "state"', "state", f"time > now() - {EVER}")]

    def states(self) -> list[Dataquery]:
        """Query each change of state."""
        query = f'SELECT "state" FROM "state" WHERE {_chosen()} AND $timeFilter GROUP BY "group", "sensor"'
        return [InfluxQuery(query, "A", WHO, "time_series")]

    def heartbeats_now(self) -> list[Dataquery]:
        """Query the last heartbeat of each sensor; the time of the row gives its age."""
        first, *rest = (f'"{name}"' for name in NUMBERS)
        return [self._table(", ".join([f"last({first}) AS {first}", *rest]), "heartbeat", f"time > now() - {KEPT}")]

    def gauges(self, *names: str) -> list[Dataquery]:
        """Query the highest value of each interval."""
        return [self._numbered(name, f'max("{name}")', number) for number, name in enumerate(names)]

    def counters(self, *names: str) -> list[Dataquery]:
        """Query the growth of each counter in each interval; never below 0, as it would be after a restart."""
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
        """Return the query and the regex of the variable `group`, `sensor` or `measure`."""
        if name == "measure":
            return f'label_values({{__name__=~"{measurement}_.*"}}, __name__)', f"/^{measurement}_(.*)$/"
        chosen = ', group=~"$group"' if name == "sensor" else ""
        return f'label_values({{__name__=~"{measurement}_.*"{chosen}}}, {name})', ""

    def measure(self) -> list[Dataquery]:
        """Query the chosen measure of each sensor over time."""
        query = f"avg_over_time({_metric('reading_$measure')}[$__interval])"
        return [self._over_time(query, "{{group}}/{{sensor}} $measure")]

    def measures(self) -> list[Dataquery]:
        """Query all measures of the chosen sensors over time."""
        query = f"avg_over_time({_metric('reading_.*')}[$__interval]) keep_metric_names"
        return [self._over_time(query, "{{__name__}}")]

    def newest(self, measure: str = "$measure") -> list[Dataquery]:
        """Query the newest value of each measure within the period shown."""
        metric = _metric(f"reading_{measure or '.*'}")
        return [self._now(f"last_over_time({metric}[$__range])")]

    def text(self) -> list[Dataquery]:
        """Return nothing, because this database stores no texts."""
        return []

    def state_now(self) -> list[Dataquery]:
        """Query whether each sensor is online, because this database stores no texts."""
        return [self._now(f"max(last_over_time({_metric('state_online')}[{EVER}])) by (group, sensor)")]

    def states(self) -> list[Dataquery]:
        """Query whether each sensor was online, over time."""
        return [self._over_time(f"last_over_time({_metric('state_online')}[{EVER}])", "{{group}}/{{sensor}}")]

    def heartbeats_now(self) -> list[Dataquery]:
        """Query the age in seconds and the numbers of each sensor's last heartbeat, and whether it is silent (1)."""
        by = "by (group, sensor)"  # leaves out the metrics' names, in which the rows of one sensor would differ
        queries = [f"min(time() - tlast_over_time({_metric('heartbeat_uptime_s')}[{KEPT}])) {by}"]
        queries += [f"max(last_over_time({_metric(f'heartbeat_{name}')}[{KEPT}])) {by}" for name in NUMBERS]
        period = f"max(last_over_time({_metric('heartbeat_heartbeat_s')}[{KEPT}])) {by}"
        queries.append(f"{queries[0]} > bool ({MISSED} * {period} + {GRACE_S:g})")
        return [self._now(query, chr(ord("A") + number)) for number, query in enumerate(queries)]

    def gauges(self, *names: str) -> list[Dataquery]:
        """Query the highest value of each interval."""
        return [self._numbered(name, "max_over_time", number) for number, name in enumerate(names)]

    def counters(self, *names: str) -> list[Dataquery]:
        """Query the growth of each counter in each interval; after a restart it counts from 0."""
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
