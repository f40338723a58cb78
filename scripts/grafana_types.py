"""A check of the dashboards against Grafana's own types, @grafana/schema, with TypeScript. Needs node and npm."""

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

PACKAGES = ("@grafana/schema@11.6.0", "typescript@5.7.3")
PLUGINS = {"timeseries": "TimeSeries", "table": "Table", "state-timeline": "StateTimeline"}
COMPOSABLE = "@grafana/schema/dist/esm/raw/composable/{folder}/panelcfg/x/{name}PanelCfg_types.gen"
# JSON has the text of an enum's member, such as "table", where TypeScript expects the enum; no other text may pass.
PLAIN = """
type Plain<T> = T extends string ? `${T}` : T extends number | boolean | null | undefined ? T
  : T extends (infer U)[] ? Plain<U>[] : T extends object ? { [K in keyof T]: Plain<T[K]> } : T;
"""


def program(board: dict[str, Any], panels: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Yield the text of a TypeScript file in which each part of a dashboard must have its type."""
    yield "import type { Dashboard, FieldConfig, Panel } from '@grafana/schema';"
    for plugin, name in PLUGINS.items():
        yield f"import type * as {name} from '{COMPOSABLE.format(folder=plugin.replace('-', ''), name=name)}';"
    yield PLAIN
    yield f"export const board: Plain<Omit<Dashboard, 'panels'>> = {json.dumps(board)};"
    for number, panel in enumerate(panels):
        name = PLUGINS[str(panel["type"])]
        defaults = panel["fieldConfig"]["defaults"]
        yield f"export const panel{number}: Plain<Panel> = {json.dumps(panel)};"
        yield f"export const options{number}: Plain<Partial<{name}.Options>> = {json.dumps(panel.get('options', {}))};"
        yield f"export const custom{number}: Plain<{name}.FieldConfig> = {json.dumps(defaults.get('custom', {}))};"
        changed = {change["id"] for one in panel["fieldConfig"]["overrides"] for change in one["properties"]}
        custom = {change.removeprefix("custom.") for change in changed if change.startswith("custom.")}
        yield f"export const own{number}: (keyof {name}.FieldConfig)[] = {json.dumps(sorted(custom))};"
        common = {change for change in changed if not change.startswith("custom.")}
        yield f"export const common{number}: (keyof FieldConfig)[] = {json.dumps(sorted(common))};"


def check(files: Sequence[Path]) -> int:
    """Print what is wrong, or that nothing is; return the exit code."""
    if not shutil.which("npm"):
        sys.exit("scripts/dashboards: please install what Debian calls 'npm', then run this again")
    with tempfile.TemporaryDirectory() as folder:
        install = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", folder, *PACKAGES]
        subprocess.run(install, check=True, stdin=subprocess.DEVNULL)
        for number, file in enumerate(files):
            board = json.loads(file.read_text())
            panels = board.pop("panels")
            Path(folder, f"{number}-{file.stem}.ts").write_text("\n".join(program(board, panels)))
        sources = [str(path) for path in Path(folder).glob("*.ts")]
        options = ["--noEmit", "--strict", "--skipLibCheck", "--target", "es2022", "--module", "esnext"]
        compiler = [f"{folder}/node_modules/.bin/tsc", *options, "--moduleResolution", "node10", *sources]
        code = subprocess.run(compiler, check=False, stdin=subprocess.DEVNULL).returncode
    print(f"{len(files)} dashboards: {'all types are right' if code == 0 else 'see above'}")
    return code
