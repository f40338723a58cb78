// A stand-in for Z-Wave JS UI between the real Z-Wave driver and a real broker.
//
// The program itself cannot be installed from a package registry. The forms of its topics and payloads, what it
// publishes of which event of the driver, and what it retains, were recorded from it (gateway of the type Named or
// ValueID, payload JSON Time-Value, the other settings as they are by default); nothing here was made up.
import mqtt from "mqtt";
import { CommandClasses } from "@zwave-js/core";
import { NodeStatus } from "zwave-js";

const PREFIX = "zwave";
const CLIENT = "ZWAVE_GATEWAY-x";
const STORED = { qos: 1, retain: true };
// What the type Named calls those classes of commands of which topics were recorded.
const NAMES = {
  [CommandClasses["Binary Switch"]]: "switch_binary",
  [CommandClasses["Multilevel Sensor"]]: "sensor_multilevel",
  [CommandClasses.Meter]: "meter",
  [CommandClasses.Notification]: "notification",
  [CommandClasses.Battery]: "battery",
};

const clean = (level) => String(level).replace(/\s/g, "_").replace(/[^A-Za-z0-9_-]/g, "");

export class Gateway {
  constructor(port, type, names) {
    Object.assign(this, { type, names, topics: new Map(), published: Promise.resolve() });
    const status = `${PREFIX}/_CLIENTS/${CLIENT}/status`;
    const will = { topic: status, payload: JSON.stringify({ value: false }), ...STORED };
    this.client = mqtt.connect(`mqtt://127.0.0.1:${port}`, { clientId: CLIENT, will });
    this.client.on("connect", () => this.publish(`_CLIENTS/${CLIENT}/status`, { value: true, time: Date.now() }));
    this.client.on("message", (topic, payload) => this.obey(topic, payload.toString()));
    this.client.subscribe(`${PREFIX}/+/+/+/+/set`, { qos: 1 });
  }

  publish(topic, payload, more = STORED) {
    this.published = this.client.publishAsync(`${PREFIX}/${topic}`, JSON.stringify(payload), more);
    return this.published;
  }

  // Until the broker has all that was published.
  async settled() {
    await this.published;
  }

  serve(driver) {
    this.driver = driver;
    this.publish("driver/status", true);
    for (const node of driver.controller.nodes.values()) this.bind(node);
    driver.controller.on("node added", (node) => this.bind(node));
    driver.controller.on("node removed", (node) => this.forget(node));
  }

  bind(node) {
    if (node.isControllerNode) return;
    const status = () => this.sayStatus(node);
    status();
    for (const event of ["interview stage completed", "interview completed", "wake up", "sleep", "alive", "dead"]) node.on(event, status);
    node.on("value added", (_, args) => node.ready && this.sayValue(node, args, args.newValue));
    node.on("value updated", (_, args) => this.sayValue(node, args, args.newValue));
    node.on("statistics updated", () => this.publish(`${this.called(node)}/lastActive`, { time: Date.now(), value: Date.now() }));
    node.on("ready", () => this.introduce(node));
    if (node.ready) this.introduce(node);
  }

  // Say everything that is known, however old: so it does for each node that is ready, after each of its starts.
  introduce(node) {
    for (const id of node.getDefinedValueIDs()) this.sayValue(node, id, node.getValue(id));
    this.sayStatus(node);
  }

  sayStatus(node) {
    const payload = { time: Date.now(), value: node.status !== NodeStatus.Dead, status: NodeStatus[node.status], nodeId: node.id };
    this.publish(`${this.called(node)}/status`, payload);
  }

  sayValue(node, id, value) {
    if (!(id.commandClass in NAMES)) return;
    const topic = this.listen(node, id);
    this.last = { topic, payload: { time: Date.now(), value } };
    this.publish(topic, this.last.payload);
  }

  listen(node, id) {
    const topic = this.topicOf(node, id);
    this.topics.set(`${PREFIX}/${topic}/set`, { node, id });
    return topic;
  }

  called(node) {
    const name = this.names.get(node.id);
    return this.type === "id" ? String(node.id) : clean(name || `nodeID_${node.id}`);
  }

  topicOf(node, id) {
    const key = id.propertyKey === undefined ? [] : [clean(id.propertyKey)];
    const endpoint = id.endpoint ?? 0;
    const levels = this.type === "id"
      ? [id.commandClass, endpoint, clean(id.property)]
      : [NAMES[id.commandClass], `endpoint_${endpoint}`, clean(id.propertyName)];
    return [this.called(node), ...levels, ...key].join("/");
  }

  obey(topic, payload) {
    const found = this.topics.get(topic);
    if (!found) return;
    const said = JSON.parse(payload);
    found.node.setValue(found.id, said?.value ?? said).catch(() => undefined); // a node that is dead
  }

  // Be told nothing any more on the topics of a node, of which the broker keeps what was published.
  forget(node) {
    for (const [topic, found] of this.topics) if (found.node === node) this.topics.delete(topic);
  }

  rename(node, name) {
    this.names.set(node.id, name);
    this.forget(node);
    for (const id of node.getDefinedValueIDs()) this.listen(node, id);
    this.sayStatus(node);
  }

  async close() {
    await this.publish("driver/status", false);
    await this.publish(`_CLIENTS/${CLIENT}/status`, { value: false, time: Date.now() });
    await this.client.endAsync();
  }

  // As when it is killed: the broker says what its last will is.
  async vanish() {
    await this.client.endAsync(true);
  }
}
