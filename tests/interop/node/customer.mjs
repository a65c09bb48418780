// A customer's program with the official SDK for Node: `node customer.mjs` reads a step as JSON and prints what the step saw, as JSON.
//
// Each step is what an application does; what must be true of it is said in test_node.py.

import { stdin } from "node:process";
import { text } from "node:stream/consumers";
import twilio from "twilio";

const given = JSON.parse(await text(stdin));
const client = twilio(given.account, given.token);
client.api.baseUrl = client.messaging.baseUrl = client.accounts.baseUrl = client.lookups.baseUrl = given.url;

/** What an application sees of a request that fails. */
async function failure(request) {
  try {
    await request;
  } catch (error) {
    return { name: error.constructor.name, status: error.status, code: error.code, message: error.message, more: error.moreInfo };
  }
  throw new Error("the request was to fail, and did not");
}

const shown = (message) => ({
  sid: message.sid,
  accountSid: message.accountSid,
  from: message.from,
  to: message.to,
  body: message.body,
  status: message.status,
  direction: message.direction,
  numSegments: message.numSegments,
  service: message.messagingServiceSid,
  createdIsDate: message.dateCreated instanceof Date && !Number.isNaN(message.dateCreated.getTime()),
});

const steps = {
  async send({ order }) {
    return shown(await client.messages.create(order));
  },

  async refused({ order }) {
    return failure(client.messages.create(order));
  },

  async fetch({ sid }) {
    return shown(await client.messages(sid).fetch());
  },

  async list({ to, pageSize }) {
    const whole = await client.messages.list({ to, pageSize });
    const page = await client.messages.page({ to, pageSize });
    const next = await page.nextPage();
    const back = await next.previousPage();
    const limited = await client.messages.list({ to, pageSize, limit: 1 });
    const sids = (messages) => messages.map((message) => message.sid);
    return { whole: sids(whole), first: sids(page.instances), second: sids(next.instances), back: sids(back.instances), limited: sids(limited) };
  },

  async redact({ sid }) {
    await client.messages(sid).update({ body: "" });
    return shown(await client.messages(sid).fetch());
  },

  async cancel({ order }) {
    const scheduled = await client.messages.create({ ...order, sendAt: new Date(Date.now() + 3600_000), scheduleType: "fixed" });
    const canceled = await client.messages(scheduled.sid).update({ status: "canceled" });
    return { before: scheduled.status, after: canceled.status };
  },

  async remove({ sid }) {
    const removed = await client.messages(sid).remove();
    return { removed, then: await failure(client.messages(sid).fetch()) };
  },

  async feedback({ sid }) {
    return (await client.messages(sid).feedback.create({ outcome: "confirmed" })).outcome;
  },

  async service({ number }) {
    const made = await client.messaging.v1.services.create({ friendlyName: "From Node", inboundRequestUrl: "https://example.com/in", stickySender: false });
    const service = client.messaging.v1.services(made.sid);
    const member = await service.phoneNumbers.create({ phoneNumberSid: number });
    const members = await service.phoneNumbers.list();
    const renamed = await service.update({ friendlyName: "Renamed", inboundRequestUrl: "" });
    const listed = await client.messaging.v1.services.list({ pageSize: 1 });
    const removedMember = await service.phoneNumbers(member.sid).remove();
    const left = await service.phoneNumbers.list();
    const removed = await service.remove();
    return {
      made: { sid: made.sid, name: made.friendlyName, url: made.inboundRequestUrl, sticky: made.stickySender },
      member: member.phoneNumber,
      members: members.map((each) => each.sid),
      renamed: { name: renamed.friendlyName, url: renamed.inboundRequestUrl },
      listed: listed.map((each) => each.sid),
      removedMember,
      left: left.length,
      removed,
      then: await failure(service.fetch()),
    };
  },

  async numbers() {
    const [free] = await client.availablePhoneNumbers("US").local.list({ areaCode: 415, limit: 1 });
    const bought = await client.incomingPhoneNumbers.create({ phoneNumber: free.phoneNumber });
    const number = client.incomingPhoneNumbers(bought.sid);
    const updated = await number.update({ smsUrl: "https://example.com/sms", smsMethod: "GET" });
    const found = await client.incomingPhoneNumbers.list({ phoneNumber: free.phoneNumber });
    const all = await client.incomingPhoneNumbers.list({ pageSize: 3 });
    const released = await number.remove();
    return {
      free: free.phoneNumber,
      bought: bought.phoneNumber,
      capabilities: bought.capabilities,
      updated: [updated.smsUrl, updated.smsMethod],
      found: found.map((each) => each.sid),
      sid: bought.sid,
      all: all.length,
      released,
      then: await failure(number.fetch()),
    };
  },

  async shortCodes() {
    return (await client.shortCodes.list()).map((each) => each.shortCode);
  },

  async consents({ items }) {
    return (await client.accounts.v1.bulkConsents.create({ items })).items;
  },

  async lookup({ number }) {
    const found = await client.lookups.v2.phoneNumbers(number).fetch();
    return { number: found.phoneNumber, valid: found.valid, country: found.countryCode };
  },

  async keys({ order }) {
    const made = await client.newKeys.create({ friendlyName: "node" });
    const other = twilio(made.sid, made.secret, { accountSid: given.account });
    other.api.baseUrl = given.url;
    const sent = await other.messages.create(order);
    await client.keys(made.sid).remove();
    return { sent: sent.to, then: await failure(other.messages.list({ limit: 1 })) };
  },

  async wrongToken() {
    const stranger = twilio(given.account, "0".repeat(32));
    stranger.api.baseUrl = given.url;
    return failure(stranger.messages.list({ limit: 1 }));
  },

  async validate({ signature, asked, params }) {
    return {
      ours: twilio.validateRequest(given.token, signature, asked, params),
      anotherToken: twilio.validateRequest("0".repeat(32), signature, asked, params),
      anotherUrl: twilio.validateRequest(given.token, signature, `${asked}x`, params),
      anotherBody: twilio.validateRequest(given.token, signature, asked, { ...params, Body: "START" }),
    };
  },

  async reply({ words }) {
    const response = new twilio.twiml.MessagingResponse();
    response.message(words);
    return response.toString();
  },
};

console.log(JSON.stringify(await steps[given.step](given)));
