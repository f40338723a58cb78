// A Z-Wave network on one simulated stick: network.mjs PORT FOLDER [named|id]
//
// The driver is the real one, on a simulated serial port with a simulated stick behind it, and two devices of Fibaro:
// a wall plug (FGWP102, node 2) and a door sensor (FGK101, node 3). What the driver says goes to the broker at PORT as
// Z-Wave JS UI says it (gateway.mjs); FOLDER keeps what the driver remembers of its nodes.
//
// Each line on standard input is one thing that happens, answered by "done" when it has:
//   open, close           the door                    press              the button of the plug
//   warm C, battery PCT   the door sensor says so     power W, energy KWH   the plug says so
//   sleep, wake           the door sensor             unplug, plug       the plug
//   stuck, free           whether the plug only says that it obeys
//   poll                  the driver asks the plug how it is, as it does with a node that it thinks dead
//   again                 the last value is published once more, as it was
//   late TOPIC VALUE MS   a value that is so many milliseconds old
//   say TOPIC PAYLOAD     any payload
//   rename NODE NAME, repair ID (the plug leaves the network and joins it as this node)
//   restart, crash        of the gateway: in order, or not
import { createInterface } from "node:readline";
import { setTimeout as wait } from "node:timers/promises";
import { RemoveNodeFromNetworkRequest, RemoveNodeFromNetworkRequestStatusReport } from "@zwave-js/serial/serialapi";
import { RemoveNodeStatus, RemoveNodeType } from "@zwave-js/serial/serialapi";
import { MockController } from "@zwave-js/testing";
import { InclusionStrategy, NodeStatus } from "zwave-js";
import { createAndStartDriverWithMockPort, createDefaultMockControllerBehaviors } from "zwave-js/Testing";
import { DoorSensor, WallPlug } from "./devices.mjs";
import { Gateway } from "./gateway.mjs";

const SETTLES_MS = 150; // in which the driver has taken in what the stick told it
const [port, folder, type = "named"] = process.argv.slice(2);
const names = new Map();
const [plug, door] = [new WallPlug(2), new DoorSensor(3)];
let driver, controller, gateway;

async function start() {
  gateway = new Gateway(port, type, names);
  const started = await createAndStartDriverWithMockPort({
    testingHooks: { skipFirmwareIdentification: true },
    features: { softReset: false },
    storage: { cacheDir: folder, throttle: "fast" },
    attempts: { sendData: 1 },
  });
  driver = started.driver;
  controller = await MockController.create({ homeId: 0x7e571000, ownNodeId: 1, mockPort: started.mockPort, serial: started.serial });
  controller.defineBehavior(...createDefaultMockControllerBehaviors());
  controller.defineBehavior({ onHostMessage: (_, message) => letLeave(message) });
  for (const device of [plug, door]) await device.join(controller);
  driver.on("error", (error) => console.error(String(error)));
  const ready = new Promise((resolve) => driver.once("driver ready", resolve));
  started.continueStartup();
  await ready;
  gateway.serve(driver);
}

const nodeOf = (device) => driver.controller.nodes.getOrThrow(device.id);

async function until(true_) {
  while (!true_()) await wait(20);
}

// Until the driver knows both, or takes one for dead; it asks a device that sleeps when that wakes up.
async function known() {
  const found = (one) => nodeOf(one).ready || nodeOf(one).status === NodeStatus.Dead;
  while (![plug, door].every(found)) {
    if (nodeOf(door).status === NodeStatus.Asleep && !nodeOf(door).ready) await door.wake();
    await wait(100);
  }
}

// Have the stick report, as the plug's button is pressed while it takes nodes out: the simulated one never does.
function letLeave(message) {
  if (!(message instanceof RemoveNodeFromNetworkRequest)) return false;
  if (message.removeNodeType === RemoveNodeType.Stop) return true;
  const { Ready, NodeFound, RemovingSlave, Done } = RemoveNodeStatus;
  const { id: nodeId, node } = plug;
  controller.removeNode(node);
  const report = async () => {
    for (const status of [Ready, NodeFound, RemovingSlave, Done]) {
      const { callbackId } = message;
      await controller.sendMessageToHost(new RemoveNodeFromNetworkRequestStatusReport({ callbackId, status, nodeId }));
      await wait(20);
    }
  };
  report();
  return true;
}

async function repair(id) {
  const removed = new Promise((resolve) => driver.controller.once("node removed", resolve));
  await driver.controller.beginExclusion();
  await removed;
  plug.id = id;
  controller.nodePendingInclusion = { id, capabilities: plug.capabilities, setup: (node) => plug.live(node) };
  await driver.controller.beginInclusion({ strategy: InclusionStrategy.Insecure });
  await until(() => driver.controller.nodes.get(id)?.ready);
}

async function restart(end) {
  await end();
  await driver.destroy();
  controller.destroy();
  await start();
  await known();
}

const happens = {
  open: () => door.move(true),
  close: () => door.move(false),
  warm: (celsius) => door.warm(Number(celsius)),
  battery: (percent) => door.drain(Number(percent)),
  wake: () => door.wake(),
  sleep: () => nodeOf(door).markAsAsleep(),
  press: () => plug.press(),
  power: (watt) => plug.draw(Number(watt)),
  energy: (kwh) => plug.count(Number(kwh)),
  unplug: () => plug.plug(false),
  plug: () => plug.plug(true),
  stuck: () => void (plug.stuck = true),
  free: () => void (plug.stuck = false),
  poll: () => nodeOf(plug).ping(),
  again: () => gateway.publish(gateway.last.topic, gateway.last.payload),
  late: (topic, value, ms) => gateway.publish(topic, { time: Date.now() - Number(ms), value: JSON.parse(value) }),
  say: (topic, payload) => gateway.publish(topic, JSON.parse(payload)),
  rename: (id, name) => gateway.rename(driver.controller.nodes.getOrThrow(Number(id)), name),
  repair: (id) => repair(Number(id)),
  restart: () => restart(() => gateway.close()),
  crash: () => restart(() => gateway.vanish()),
};

// Until whatever came of it has been published.
async function settle() {
  await wait(SETTLES_MS);
  await gateway.settled();
}

await start();
await known();
await settle();
console.log("ready");
for await (const line of createInterface({ input: process.stdin })) {
  const [what, ...more] = line.split(" ");
  try {
    await happens[what](...more);
    await settle();
    console.log("done");
  } catch (error) {
    console.log(`failed: ${error.message}`);
  }
}
process.exit(0);
