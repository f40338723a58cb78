"""What was said on a Z-Wave network while all sorts of things happened, and the readings that may come of it."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from typing import Any, TypeAlias

import pytest

from bootstrap.adapter.adopted_device import AdoptedDevice
from bootstrap.contract.topic_filters import covers
from penates.testing import Bench
from support.recorded import RecordedDevice, dated
from support.zwave_run import DOOR, PLUG, REFUSED, SECTIONS, Step, recording, section, steps

QUICK_S = 0.01
Found: TypeAlias = dict[str, tuple[AdoptedDevice, Bench]]
AGO_S = 300  # when it began: longer ago than it took


@contextmanager
def at_work(profile: str) -> Iterator[Found]:
    """Both devices, each at work."""
    with ExitStack() as stack:
        found: Found = {}
        for sensor in (DOOR, PLUG):
            device = RecordedDevice(profile, section(profile, sensor), ()).made()
            device.says = replace(device.says, answer_s=QUICK_S)
            found[sensor] = device, stack.enter_context(Bench(device))
        yield found


@pytest.mark.parametrize("profile", SECTIONS)
def test_only_what_happened_is_a_reading(profile: str) -> None:
    (_, stored), *rows = recording(profile)
    began = time.time() - AGO_S
    with at_work(profile) as found:
        hear(found, stored, began, retained=True)
        assert not any(bench.readings for _, bench in found.values())
        happened = steps(profile)
        assert [does for does, _ in rows] == [step.does for step in happened]
        for step, (_, messages) in zip(happened, rows, strict=True):
            take(found, step, messages, began)


def take(found: Found, step: Step, messages: list[tuple[str, bytes]], began: float) -> None:
    """Have a step happen once more."""
    for _, bench in found.values():
        bench.readings.clear()
        bench.ended.clear()
    plug = found[PLUG][1]
    if step.does.startswith("set "):
        plug.act(*step.does.split())
    hear(found, messages, began)
    if step.answer == REFUSED:
        plug.until(lambda: plug.ended)
    why = f"no answer in {QUICK_S:g} s" if step.answer == REFUSED else step.answer
    assert plug.ended == ([why] if step.does.startswith("set ") else []), step
    for sensor, (device, bench) in found.items():
        assert bench.readings == [values for one, values in step.readings if one == sensor], step
        assert bool(device.trouble) == (sensor in step.absent), step


def hear(found: Found, messages: list[tuple[str, bytes]], began: float, **more: Any) -> None:
    """Have each hear what it listens to."""
    for topic, payload in messages:
        for device, bench in found.values():
            if any(covers(one, topic) for one in device.topics.heard):
                with suppress(OSError):
                    bench.hear(topic, dated(payload, began), **more)
