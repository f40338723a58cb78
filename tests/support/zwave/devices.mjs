// The devices on the simulated network, as they speak over the air: a door sensor that sleeps, and a plug that meters.
//
// What a device knows of itself outlives the program that has the stick, so it is kept beside its simulated node.
import { BatteryCCGet, BatteryCCReport } from "@zwave-js/cc/BatteryCC";
import { BinarySwitchCCGet, BinarySwitchCCReport, BinarySwitchCCSet } from "@zwave-js/cc/BinarySwitchCC";
import { MeterCCGet, MeterCCReport } from "@zwave-js/cc/MeterCC";
import { MultilevelSensorCCGet, MultilevelSensorCCReport } from "@zwave-js/cc/MultilevelSensorCC";
import { NotificationCCGet, NotificationCCReport } from "@zwave-js/cc/NotificationCC";
import { WakeUpCCIntervalGet, WakeUpCCIntervalReport, WakeUpCCIntervalSet } from "@zwave-js/cc/WakeUpCC";
import { WakeUpCCNoMoreInformation, WakeUpCCWakeUpNotification } from "@zwave-js/cc/WakeUpCC";
import { CommandClasses } from "@zwave-js/core";
import { createMockZWaveRequestFrame, MockNode } from "@zwave-js/testing";
import { createDefaultMockNodeBehaviors } from "zwave-js/Testing";

const FIBARO = 0x010f;
const ACCESS_CONTROL = 6;
const [OPENED, CLOSED] = [0x16, 0x17];
const [TEMPERATURE, POWER] = [1, 4]; // types of sensors
const ELECTRIC = 1;
const CONSUMED = 1;
const [KWH, WATT] = [0, 2];

const cc = (id, version, more = {}) => ({ ccId: CommandClasses[id], isSupported: true, version, ...more });

class FibaroDevice {
  constructor(id, capabilities, commandClasses) {
    this.id = id;
    this.unplugged = false;
    this.capabilities = { manufacturerId: FIBARO, ...capabilities };
    this.capabilities.commandClasses = [cc("Manufacturer Specific", 2), cc("Version", 2), cc("Z-Wave Plus Info", 2), ...commandClasses];
  }

  // Put it on the air, beside a stick.
  async join(controller) {
    const node = await MockNode.create({ id: this.id, controller, capabilities: this.capabilities });
    node.defineBehavior(...createDefaultMockNodeBehaviors());
    this.live(node);
    controller.addNode(node);
  }

  // Answer for a simulated node from now on.
  live(node) {
    this.node = node;
    const answer = (received) => (this.unplugged ? { action: "stop" } : this.answer(received));
    node.defineBehavior({ handleCC: (_controller, _node, received) => answer(received) });
    node.autoAckControllerFrames = !this.unplugged;
  }

  plug(isIn) {
    this.unplugged = !isIn;
    this.node.autoAckControllerFrames = isIn;
  }

  // Say something without being asked.
  async say(report) {
    await this.node.sendToController(createMockZWaveRequestFrame(report, { ackRequested: false }));
  }

  get to() {
    return { nodeId: this.node.controller.ownNodeId };
  }
}

const sent = (report) => ({ action: "sendCC", cc: report });

export class DoorSensor extends FibaroDevice {
  constructor(id) {
    super(id, { productType: 0x0701, productId: 0x2001, firmwareVersion: "3.2", isListening: false }, [
      cc("Battery", 1),
      cc("Wake Up", 2),
      cc("Notification", 5, { supportsV1Alarm: false, notificationTypesAndEvents: { [ACCESS_CONTROL]: [OPENED, CLOSED] } }),
      cc("Multilevel Sensor", 5, { sensors: { [TEMPERATURE]: { supportedScales: [0] } }, getValue: () => this.celsius }),
    ]);
    Object.assign(this, { open: false, battery: 88, celsius: 21.5, wakes_s: 21_600 });
  }

  answer(received) {
    if (received instanceof BatteryCCGet) return sent(this.batteryReport());
    if (received instanceof NotificationCCGet) return sent(this.doorReport());
    if (received instanceof MultilevelSensorCCGet) return sent(this.temperatureReport());
    if (received instanceof WakeUpCCIntervalGet) {
      return sent(new WakeUpCCIntervalReport({ ...this.to, wakeUpInterval: this.wakes_s, controllerNodeId: 1 }));
    }
    if (received instanceof WakeUpCCIntervalSet || received instanceof WakeUpCCNoMoreInformation) return { action: "ok" };
    return undefined;
  }

  doorReport() {
    return new NotificationCCReport({ ...this.to, notificationType: ACCESS_CONTROL, notificationEvent: this.open ? OPENED : CLOSED });
  }

  batteryReport() {
    return new BatteryCCReport({ ...this.to, level: this.battery, isLow: this.battery === 0 });
  }

  temperatureReport() {
    return new MultilevelSensorCCReport({ ...this.to, type: TEMPERATURE, scale: 0, value: this.celsius });
  }

  async move(open) {
    this.open = open;
    await this.say(this.doorReport());
  }

  async drain(percent) {
    this.battery = percent;
    await this.say(this.batteryReport());
  }

  async warm(celsius) {
    this.celsius = celsius;
    await this.say(this.temperatureReport());
  }

  async wake() {
    await this.say(new WakeUpCCWakeUpNotification(this.to));
  }
}

export class WallPlug extends FibaroDevice {
  constructor(id) {
    super(id, { productType: 0x0602, productId: 0x1001, firmwareVersion: "3.2", isListening: true }, [
      cc("Binary Switch", 1),
      cc("Meter", 3, { meterType: ELECTRIC, supportedScales: [KWH, WATT], supportedRateTypes: [CONSUMED], supportsReset: true }),
      cc("Multilevel Sensor", 5, { sensors: { [POWER]: { supportedScales: [0] } } }),
    ]);
    Object.assign(this, { on: false, watt: 0, kwh: 0.4, stuck: false });
  }

  answer(received) {
    if (received instanceof BinarySwitchCCGet) return sent(this.switchReport());
    if (received instanceof BinarySwitchCCSet) return this.obey(received.targetValue);
    if (received instanceof MeterCCGet) return sent(this.meterReport(received.scale ?? KWH));
    if (received instanceof MultilevelSensorCCGet) return sent(this.powerReport());
    return undefined;
  }

  obey(on) {
    if (!this.stuck) this.on = on;
    return { action: "ok" };
  }

  switchReport() {
    return new BinarySwitchCCReport({ ...this.to, currentValue: this.on });
  }

  meterReport(scale) {
    const value = scale === WATT ? this.watt : this.kwh;
    return new MeterCCReport({ ...this.to, type: ELECTRIC, scale, rateType: CONSUMED, value, deltaTime: 0 });
  }

  powerReport() {
    return new MultilevelSensorCCReport({ ...this.to, type: POWER, scale: 0, value: this.watt });
  }

  async press() {
    this.on = !this.on;
    await this.say(this.switchReport());
  }

  // A change of power is said in both of the classes that have it.
  async draw(watt) {
    this.watt = watt;
    await this.say(this.powerReport());
    await this.say(this.meterReport(WATT));
  }

  async count(kwh) {
    this.kwh = kwh;
    await this.say(this.meterReport(KWH));
  }
}
