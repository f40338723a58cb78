"""A real Home Assistant without its pages, at a broker: live.py FOLDER PORT [recorder], by a Python with its package.

With `recorder` it has its recorder, the statistics and the energy dashboard's part too, which take a second to start.

It answers one JSON object a line on standard input by one on standard output:

  {"do": "entities"}                     each entity: its state, attributes and what the registry knows of it
  {"do": "devices"}                      each device
  {"do": "call", "service": "switch.turn_on", "entity": "switch.lamp", "data": {}}
  {"do": "enable", "unique": "penates/cm/…"}
  {"do": "socket", "type": "energy/validate"}   what its websocket answers, as its pages ask
  {"do": "statistics"}                   compiles the statistics of all 5 minutes up to now
  {"do": "stop"}                         in order, as its own restart does
"""

import asyncio
import json
import logging
import sys
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from homeassistant import auth, bootstrap, config_entries, loader
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry, entity_registry, recorder
from homeassistant.util import dt

LOG = "home-assistant.log"
MQTT = "mqtt"
PERIOD = timedelta(minutes=5)  # of its short-term statistics


async def start(folder: Path, port: int, *, records: bool) -> HomeAssistant:
    """With what an earlier run has stored in the folder, and its MQTT integration at this broker."""
    (folder / "configuration.yaml").touch()
    assistant = HomeAssistant(str(folder))
    assistant.config.skip_pip = True  # our venv has what it needs
    assistant.config.components.add("http")  # which MQTT names as a dependency, for pages that nobody looks at
    assistant.config.components.add("file_upload")
    loader.async_setup(assistant)
    assistant.config_entries = config_entries.ConfigEntries(assistant, {})
    await bootstrap.async_load_base_functionality(assistant)
    await bootstrap.async_setup_component(assistant, "homeassistant", {})
    if records:
        await record(assistant, folder)
    entries = assistant.config_entries.async_entries(MQTT)
    if not entries:
        await add(assistant, port)
    else:
        assistant.config_entries.async_update_entry(entries[0], data={**entries[0].data, "port": port})
        await bootstrap.async_setup_component(assistant, MQTT, {})
    await assistant.async_start()
    return assistant


async def record(assistant: HomeAssistant, folder: Path) -> None:
    """With its recorder, and what the energy dashboard asks, in place of the pages themselves."""
    assistant.http = SimpleNamespace(register_view=lambda _: None)
    assistant.auth = await auth.auth_manager_from_config(assistant, [{"type": "homeassistant"}], [])
    assistant.config.components.add("history")
    recorder.async_initialize_recorder(assistant)
    kept = {"db_url": f"sqlite:///{folder / 'home-assistant.db'}", "commit_interval": 0}
    for name, settings in (("recorder", kept), ("websocket_api", {}), ("energy", {})):
        assert await bootstrap.async_setup_component(assistant, name, {name: settings}), name


async def recorded(assistant: HomeAssistant, question: dict[str, Any]) -> Any:
    """What was asked of what it has recorded."""
    match question:
        case {"do": "socket", **asked}:
            return await on_socket(assistant, asked)
        case _:
            return await compile_statistics(assistant)


async def on_socket(assistant: HomeAssistant, question: dict[str, Any]) -> dict[str, Any]:
    """By the handlers of the websocket, as an administrator."""
    from homeassistant.components.websocket_api.connection import ActiveConnection  # noqa: PLC0415

    user = await assistant.auth.async_create_system_user("asks", group_ids=["system-admin"])
    token = await assistant.auth.async_create_refresh_token(user)
    answered: asyncio.Future[Any] = assistant.loop.create_future()
    connection = ActiveConnection(logging.getLogger("asks"), assistant, answered.set_result, user, token)
    connection.async_handle({"id": 1, **question})
    found = await answered
    return found if isinstance(found, dict) else json.loads(found)


async def compile_statistics(assistant: HomeAssistant) -> None:
    """Those of each period since the last that is compiled, and of at least one, even if it is not over yet."""
    from homeassistant.components.recorder.db_schema import StatisticsRuns  # noqa: PLC0415
    from homeassistant.components.recorder.tasks import StatisticsTask, SynchronizeTask  # noqa: PLC0415

    instance = recorder.get_instance(assistant)

    async def done() -> None:
        event = asyncio.Event()
        instance.queue_task(SynchronizeTask(event))
        await event.wait()

    def last() -> datetime:
        with recorder.session_scope(hass=assistant, read_only=True) as session:
            newest = session.query(StatisticsRuns.start).order_by(StatisticsRuns.start.desc()).first()
            found: datetime = dt.as_utc(newest[0])
            return found

    await done()  # all states are recorded
    start = await instance.async_add_executor_job(last)
    while True:
        start += PERIOD
        instance.queue_task(StatisticsTask(start, fire_events=False))
        await done()
        if start + PERIOD > dt.utcnow():
            return


async def add(assistant: HomeAssistant, port: int) -> None:
    """By the dialogue that a person goes through."""
    flow = await assistant.config_entries.flow.async_init(MQTT, context={"source": "user"})
    said = {"broker": "127.0.0.1", "port": port}
    done = await assistant.config_entries.flow.async_configure(flow["flow_id"], said)
    assert done["type"] == "create_entry", done


def entities(assistant: HomeAssistant) -> dict[str, Any]:
    """By unique id, those that are disabled or no longer provided too."""
    found = {}
    for known in entity_registry.async_get(assistant).entities.values():
        state = assistant.states.get(known.entity_id)
        found[known.unique_id] = {
            "id": known.entity_id,
            "device": known.device_id,
            "category": known.entity_category,
            "disabled": known.disabled_by is not None,
            "state": state and state.state,
            "attributes": dict(state.attributes) if state else {},
            "digits": known.options.get("sensor", {}).get("suggested_display_precision"),
        }
    return found


def devices(assistant: HomeAssistant) -> dict[str, Any]:
    """By their ids in the registry."""
    return {
        known.id: {
            "ids": sorted(identifier for _, identifier in known.identifiers),
            "name": known.name,
            "model": known.model,
            "version": known.sw_version,
            "via": known.via_device_id,
        }
        for known in device_registry.async_get(assistant).devices.values()
    }


async def answer(assistant: HomeAssistant, question: dict[str, Any]) -> Any:
    """What was asked for."""
    match question:
        case {"do": "entities"}:
            return entities(assistant)
        case {"do": "devices"}:
            return devices(assistant)
        case {"do": "connected"}:
            entry = assistant.config_entries.async_entries(MQTT)[0]
            return entry.state is ConfigEntryState.LOADED and assistant.data[MQTT].client.connected
        case {"do": "call", "service": service, "entity": entity, **more}:
            domain, _, name = service.partition(".")
            data = {"entity_id": entity, **more.get("data", {})}
            await assistant.services.async_call(domain, name, data, blocking=True)
            return None
        case {"do": "socket" | "statistics"}:
            return await recorded(assistant, question)
        case {"do": "enable", "unique": unique}:
            registry = entity_registry.async_get(assistant)
            known = next(one for one in registry.entities.values() if one.unique_id == unique)
            registry.async_update_entity(known.entity_id, disabled_by=None)
            await assistant.config_entries.async_reload(assistant.config_entries.async_entries(MQTT)[0].entry_id)
            return None
    raise ValueError(f"nothing is known of {question}")


async def main(folder: Path, port: int, *more: str) -> None:
    """Until it is told to stop, or nobody asks any more."""
    logging.basicConfig(filename=folder / LOG, level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    assistant = await start(folder, port, records="recorder" in more)
    print(json.dumps("ready"), flush=True)
    while line := await assistant.async_add_executor_job(sys.stdin.readline):
        question = json.loads(line)
        if question["do"] == "stop":
            break
        await assistant.async_block_till_done()
        print(json.dumps(await answer(assistant, question), default=str), flush=True)
    await assistant.async_stop(force=True)
    print(json.dumps("stopped"), flush=True)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:]))
