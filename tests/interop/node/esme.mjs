// A customer's application on the npm package `smpp`: binds as told on the command line, submits, and says what it hears.
// Standard output has one JSON line an event; standard input one an order: {submit: {fields of a submit_sm}}.

import { createInterface } from "node:readline";
import smpp from "smpp";

const say = (event, values) => process.stdout.write(JSON.stringify({ event, ...values }) + "\n");
const [port, system_id, password] = process.argv.slice(2);
const session = smpp.connect({ host: "127.0.0.1", port: Number(port) }, () => {
  session.bind_transceiver({ system_id, password }, (answer) => say("bound", { status: answer.command_status, centre: answer.system_id }));
});

session.on("error", (error) => say("error", { message: error.message }));
session.on("close", () => say("closed", {}));
session.on("enquire_link", (pdu) => session.send(pdu.response()));
session.on("unbind", (pdu) => { session.send(pdu.response()); session.close(); });
session.on("deliver_sm", (pdu) => {
  session.send(pdu.response());
  const { message, udh } = pdu.short_message;
  say("heard", {
    source: pdu.source_addr, destination: pdu.destination_addr, text: message.toString(), part: udh ? udh.length : 0,
    receipt: Boolean(pdu.esm_class & smpp.ESM_CLASS.MC_DELIVERY_RECEIPT),
    id: pdu.receipted_message_id, state: pdu.message_state,
  });
});

createInterface({ input: process.stdin }).on("line", (line) => {
  const { submit } = JSON.parse(line);
  session.submit_sm(submit, (answer) => say("answered", { status: answer.command_status, id: answer.message_id }));
}).on("close", () => process.exit(0));
