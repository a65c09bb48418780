// A message centre on the npm package `smpp`: takes messages, reports on them, and sends texts that it is told to.
// Standard output has one JSON line an event; standard input one an order: {deliver: {source, destination, text}}.

import { createInterface } from "node:readline";
import smpp from "smpp";

const say = (event, values) => process.stdout.write(JSON.stringify({ event, ...values }) + "\n");
const sessions = new Set();
let ids = 0xab00;

const server = smpp.createServer((session) => {
  session.on("error", () => sessions.delete(session));
  session.on("close", () => sessions.delete(session));
  session.on("bind_transceiver", (pdu) => {
    sessions.add(session);
    session.send(pdu.response({ system_id: "node" }));
    say("bound", { system_id: pdu.system_id, password: pdu.password });
  });
  session.on("enquire_link", (pdu) => session.send(pdu.response()));
  session.on("unbind", (pdu) => { session.send(pdu.response()); session.close(); });
  session.on("submit_sm", (pdu) => {
    const id = (ids++).toString(16);
    const { message, udh } = pdu.short_message;
    say("submitted", {
      source: pdu.source_addr, destination: pdu.destination_addr, text: message.toString(),
      concatenated: Boolean(udh), coding: pdu.data_coding,
    });
    session.send(pdu.response({ message_id: id }));
    // Its receipts write in decimal what its answers write in hexadecimal.
    session.deliver_sm({
      source_addr: pdu.destination_addr, source_addr_ton: 1, source_addr_npi: 1,
      destination_addr: pdu.source_addr, dest_addr_ton: 1, dest_addr_npi: 1,
      esm_class: smpp.ESM_CLASS.MC_DELIVERY_RECEIPT,
      short_message: `id:${parseInt(id, 16)} sub:001 dlvrd:001 submit date:2401011200 done date:2401011200 stat:DELIVRD err:000 text:`,
    }, (answer) => say("reported", { status: answer.command_status }));
  });
});
server.listen(0, "127.0.0.1", () => say("listening", { port: server.address().port }));

createInterface({ input: process.stdin }).on("line", (line) => {
  const { deliver } = JSON.parse(line);
  const [session] = sessions;
  session.deliver_sm({
    source_addr: deliver.source, source_addr_ton: 1, source_addr_npi: 1,
    destination_addr: deliver.destination, dest_addr_ton: 1, dest_addr_npi: 1,
    short_message: deliver.text,
  }, (answer) => say("delivered", { status: answer.command_status }));
}).on("close", () => process.exit(0));
