// A Zigbee stick without a radio, for the real Zigbee2MQTT: node -r ./stick.js …/zigbee2mqtt/index.js
// Its devices are those in Zigbee2MQTT's database. Each line of JSON on standard input is a report of one of them:
//   {"nwk": 101, "ep": 1, "cluster": "genOnOff", "attrs": [[attribute, type, value], …]}
//   {"nwk": 107, "cluster": "genOnOff", "command": "on", "down": true, "payload": {}}
// Every command is acknowledged; reading an attribute answers that there is none.
const {Adapter} = require("zigbee-herdsman/dist/adapter/adapter.js");
const Zcl = require("zigbee-herdsman/dist/zspec/zcl");
const readline = require("node:readline");

const {GLOBAL, SPECIFIC} = Zcl.FrameType;
const {SERVER_TO_CLIENT, CLIENT_TO_SERVER} = Zcl.Direction;
const UNSUPPORTED = 0x86;
let sequence = 0;

const frame = (kind, direction, number, command, cluster, payload) =>
    Zcl.Frame.create(kind, direction, true, undefined, number, command, cluster, payload, {});

class Stick extends Adapter {
    async start() {
        readline.createInterface({input: process.stdin}).on("line", (line) => this.report(JSON.parse(line)));
        return "resumed";
    }

    heard(address, endpoint, said) {
        const more = {linkquality: 100, groupID: 0, wasBroadcast: false, destinationEndpoint: 1};
        return {clusterID: said.cluster.ID, address, header: said.header, data: said.toBuffer(), endpoint, ...more};
    }

    report({nwk, ep = 1, cluster, attrs, command, down, payload = {}}) {
        sequence = (sequence + 1) % 256;
        const fields = (attrs ?? []).map(([attrId, dataType, attrData]) => ({attrId, dataType, attrData}));
        const said = attrs
            ? frame(GLOBAL, SERVER_TO_CLIENT, sequence, "report", cluster, fields)
            : frame(SPECIFIC, down ? CLIENT_TO_SERVER : SERVER_TO_CLIENT, sequence, command, cluster, payload);
        this.emit("zclPayload", this.heard(nwk, ep, said));
    }

    async sendZclFrameToEndpoint(ieee, nwk, endpoint, told) {
        const number = told.header.transactionSequenceNumber, reads = told.header.isGlobal && told.command.name === "read";
        const answer = reads
            ? ["readRsp", told.payload.map(({attrId}) => ({attrId, status: UNSUPPORTED}))]
            : ["defaultRsp", {cmdId: told.command.ID, statusCode: 0}];
        const said = frame(GLOBAL, SERVER_TO_CLIENT, number, answer[0], told.cluster.name, answer[1]);
        return this.heard(nwk, endpoint, said);
    }

    async getCoordinatorIEEE() { return "0x00124b00deadbeef"; }
    async getCoordinatorVersion() { return {type: "simulated", meta: {revision: 1}}; }
    async getNetworkParameters() {
        return {panID: 6754, extendedPanID: "0xdddddddddddddddd", channel: 11, nwkUpdateID: 0};
    }
    async supportsBackup() { return false; }
    async sendZdo(_ieee, _nwk, cluster) { throw new Error(`nothing answers ${cluster}`); }
    waitFor() { return {promise: new Promise(() => {}), cancel: () => {}}; }
}
for (const name of ["stop", "reset", "backup", "addInstallCode", "permitJoin", "sendZclFrameToGroup",
    "sendZclFrameToAll", "setChannelInterPAN", "sendZclFrameInterPANToIeeeAddr", "sendZclFrameInterPANBroadcast",
    "restoreChannelInterPAN"]) Stick.prototype[name] = async () => undefined;
Adapter.create = async (...settings) => new Stick(...settings);
