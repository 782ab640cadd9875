#!/usr/bin/env node
/**
 * A small ActivityPub peer server on Fedify, driven over loopback by tests.
 *
 *   node peer.mjs --port 8101 --state ./state-a [--origin http://127.0.0.1:8101]
 *                 [--actors alice:Person,board:Group] [--first-knock rfc9421|cavage]
 *                 [--no-proof] [--require-signed-fetch] [--manual-accept] [--quiet]
 *                 [--verify-all] [--webfinger-scheme http|https]
 *                 [--tls-cert cert.pem --tls-key key.pem]
 *
 * State (keys, followers, following, sent objects) is one JSON file, the
 * transcript one JSONL file, both under --state; delete the folder to reset.
 *
 * POST /control {"cmd": ...} answers JSON {"ok": true, ...} or {"ok": false, "error"}:
 *   state                                       actors, followers, following, counts
 *   log      [since] [kind] [type]              transcript entries from index `since`
 *   webfinger resource                          the JRD
 *   nodeinfo url
 *   lookup   target [as]                        actor/object by URL or handle, parsed
 *   fetch    url [as] [spec] [accept]           one raw GET; spec rfc9421|cavage|none
 *   follow   target [as]      unfollow target [as]
 *   accept   follow [as]      reject   follow [as]      a pending Follow (--manual-accept)
 *   send     content [as] [to] [cc] [inReplyTo] [tag] [public=true]   Create(Note)
 *   update   object content   delete   object           of a Note sent before
 *   like     object [as]      announce object [as]      undo activity [as]
 *   activity activity [as] [to]                 any JSON-LD activity; id/actor filled in
 *   raw      inbox body [as] [spec] [ld] [proof] [date] [tamper] [headers]
 *                                               one POST, signed as told, answer returned
 * `target`: an actor URL or @user@host. `to`: actor URLs, or omitted for followers.
 */
import { createServer as createHttpServer } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { appendFileSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { randomUUID } from "node:crypto";
import { Temporal } from "@js-temporal/polyfill";
import {
  createExponentialBackoffPolicy, createFederation, encodeMultibase, exportJwk, generateCryptoKeyPair, getDocumentLoader,
  importJwk, InProcessMessageQueue, MemoryKvStore, signJsonLd, signRequest, verifyJsonLd,
  verifyObject, verifyRequestDetailed,
} from "@fedify/fedify";
import * as vocab from "@fedify/fedify/vocab";

const { values: opt } = parseArgs({
  options: {
    port: { type: "string", default: "8101" },
    host: { type: "string", default: "127.0.0.1" },
    origin: { type: "string" },
    state: { type: "string", default: "./state" },
    actors: { type: "string", default: "alice:Person,board:Group" },
    "first-knock": { type: "string", default: "rfc9421" },
    "no-proof": { type: "boolean", default: false },
    "require-signed-fetch": { type: "boolean", default: false },
    "manual-accept": { type: "boolean", default: false },
    "verify-all": { type: "boolean", default: false },
    "webfinger-scheme": { type: "string" },
    "tls-cert": { type: "string" },
    "tls-key": { type: "string" },
    quiet: { type: "boolean", default: false },
  },
});
const SPECS = { rfc9421: "rfc9421", cavage: "draft-cavage-http-signatures-12" };
const AS = "https://www.w3.org/ns/activitystreams";
const PUBLIC = `${AS}#Public`;
const ACCEPT = `application/activity+json, application/ld+json; profile="${AS}"`;
const tls = opt["tls-cert"] != null;
const origin = new URL(opt.origin ?? `${tls ? "https" : "http"}://${opt.host}:${opt.port}`);
const webfingerScheme = opt["webfinger-scheme"] ?? origin.protocol.slice(0, -1);
const actors = new Map(opt.actors.split(",").map((pair) => pair.split(":")));
const defaultActor = actors.keys().next().value;

// ---- state and transcript -------------------------------------------------
mkdirSync(opt.state, { recursive: true });
const stateFile = join(opt.state, "state.json");
const logFile = join(opt.state, "log.jsonl");
const state = existsSync(stateFile)
  ? JSON.parse(readFileSync(stateFile, "utf8"))
  : { keys: {}, followers: {}, following: {}, pending: {}, objects: {} };
let saveTimer = null;
function save() {
  saveTimer ??= setTimeout(() => {
    saveTimer = null;
    writeFileSync(`${stateFile}.new`, JSON.stringify(state, null, 1));
    renameSync(`${stateFile}.new`, stateFile);
  }, 50);
}
const transcript = [];
function log(kind, entry) {
  const record = { n: transcript.length, at: new Date().toISOString(), kind, ...entry };
  transcript.push(record);
  appendFileSync(logFile, JSON.stringify(record) + "\n");
  return record;
}

// Every request that leaves this process is written down with its answer.
const realFetch = globalThis.fetch;
globalThis.fetch = async (input, init) => {
  const request = new Request(input, init);
  const body = request.body == null ? undefined : await request.clone().text();
  const entry = { method: request.method, url: request.url, headers: Object.fromEntries(request.headers), body };
  try {
    const response = await realFetch(request, { redirect: init?.redirect ?? request.redirect });
    log("http_out", { ...entry, status: response.status, answer: await excerpt(response) });
    return response;
  } catch (error) {
    log("http_out", { ...entry, error: String(error.cause ?? error) });
    throw error;
  }
};
async function excerpt(response) {
  return response.status >= 400 ? (await response.clone().text()).slice(0, 500) : undefined;
}

// ---- the federation -------------------------------------------------------
const federation = createFederation({
  kv: new MemoryKvStore(),
  queue: new InProcessMessageQueue({ pollInterval: { milliseconds: 50 } }),
  origin: origin.origin,
  allowPrivateAddress: true,
  firstKnock: SPECS[opt["first-knock"]],
  userAgent: { software: "fedaid-test-peer/1" },
  outboxRetryPolicy: createExponentialBackoffPolicy({ initialDelay: { seconds: 1 }, maxAttempts: 5 }),
  onOutboxError: (error, activity) => { log("outbox_error", { error: String(error), id: activity?.id?.href }); },
});

federation
  .setActorDispatcher("/users/{identifier}", async (ctx, identifier) => {
    if (!actors.has(identifier)) return null;
    const keys = await ctx.getActorKeyPairs(identifier);
    return new vocab[actors.get(identifier)]({
      id: ctx.getActorUri(identifier),
      preferredUsername: identifier,
      name: `${identifier} at ${origin.host}`,
      summary: "A test peer",
      url: new URL(`/@${identifier}`, origin),
      inbox: ctx.getInboxUri(identifier),
      outbox: ctx.getOutboxUri(identifier),
      followers: ctx.getFollowersUri(identifier),
      following: ctx.getFollowingUri(identifier),
      endpoints: new vocab.Endpoints({ sharedInbox: ctx.getInboxUri() }),
      manuallyApprovesFollowers: opt["manual-accept"],
      discoverable: true,
      publicKey: keys.find((key) => key.publicKey.algorithm.name.startsWith("RSA")).cryptographicKey,
      assertionMethods: keys.map((key) => key.multikey),
    });
  })
  .setKeyPairsDispatcher(async (_ctx, identifier) => {
    if (!actors.has(identifier)) return [];
    const kinds = opt["no-proof"] ? ["RSASSA-PKCS1-v1_5"] : ["RSASSA-PKCS1-v1_5", "Ed25519"];
    const stored = (state.keys[identifier] ??= {});
    const pairs = [];
    for (const kind of kinds) {
      if (stored[kind] == null) {
        const pair = await generateCryptoKeyPair(kind);
        stored[kind] = { privateKey: await exportJwk(pair.privateKey), publicKey: await exportJwk(pair.publicKey) };
        save();
      }
      pairs.push({
        privateKey: await importJwk(stored[kind].privateKey, "private"),
        publicKey: await importJwk(stored[kind].publicKey, "public"),
      });
    }
    return pairs;
  })
  .authorize(signedFetchOnly);

/** With --require-signed-fetch, GETs must carry a good HTTP signature. The last
 * actor is left open, so that two such servers can fetch each other's keys. */
async function signedFetchOnly(ctx, identifier) {
  if (!opt["require-signed-fetch"] || identifier === [...actors.keys()].at(-1)) return true;
  return (await ctx.getSignedKey()) != null;
}

const listOf = (box, identifier) => Object.entries((state[box][identifier] ??= {}));
federation
  .setFollowersDispatcher("/users/{identifier}/followers", (_ctx, identifier) => ({
    items: listOf("followers", identifier).map(([id, follower]) => ({
      id: new URL(id),
      inboxId: new URL(follower.inbox),
      endpoints: follower.sharedInbox == null ? null : { sharedInbox: new URL(follower.sharedInbox) },
    })),
  }))
  .setCounter((_ctx, identifier) => listOf("followers", identifier).length);
federation
  .setFollowingDispatcher("/users/{identifier}/following", (_ctx, identifier) => ({
    items: listOf("following", identifier).map(([id]) => new URL(id)),
  }))
  .setCounter((_ctx, identifier) => listOf("following", identifier).length);
federation
  .setOutboxDispatcher("/users/{identifier}/outbox", async (ctx, identifier, cursor) => {
    if (cursor == null) return null;
    const sent = Object.values(state.objects).filter((o) => o.as === identifier && o.public && o.json.type === "Create");
    const items = await Promise.all(sent.reverse().map((o) => vocab.Activity.fromJsonLd(o.json, ctx)));
    return { items };
  })
  .setFirstCursor(() => "0")
  .setCounter((_ctx, identifier) => Object.values(state.objects).filter((o) => o.as === identifier && o.public && o.json.type === "Create").length);

federation.setNodeInfoDispatcher("/nodeinfo/2.1", () => ({
  software: { name: "fedaid-test-peer", version: "1.0.0" },
  protocols: ["activitypub"],
  usage: { users: { total: actors.size }, localPosts: Object.keys(state.objects).length, localComments: 0 },
}));

federation
  .setInboxListeners("/users/{identifier}/inbox", "/inbox")
  .setSharedKeyDispatcher(() => ({ identifier: defaultActor }))
  .onError((_ctx, error) => { log("inbox_error", { error: String(error?.stack ?? error).slice(0, 800) }); })
  .onUnverifiedActivity((_ctx, activity, reason) => {
    log("inbox_refused", { reason: reason.type, keyId: reason.keyId?.href, id: activity.id?.href });
  })
  .on(vocab.Follow, async (ctx, follow) => {
    await note(ctx, follow);
    const parsed = ctx.parseUri(follow.objectId);
    if (parsed?.type !== "actor" || !actors.has(parsed.identifier) || follow.id == null) return;
    const follower = await follow.getActor(ctx);
    if (follower?.inboxId == null) return;
    (state.pending[parsed.identifier] ??= {})[follow.id.href] = {
      actor: follower.id.href, inbox: follower.inboxId.href, sharedInbox: follower.endpoints?.sharedInbox?.href,
      follow: await follow.toJsonLd(ctx),
    };
    save();
    if (!opt["manual-accept"]) await answerFollow(ctx, parsed.identifier, follow.id.href, vocab.Accept);
  })
  .on(vocab.Accept, async (ctx, accept) => {
    await note(ctx, accept);
    const sent = state.objects[(accept.objectId ?? (await accept.getObject(ctx))?.id)?.href];
    if (sent?.json.type !== "Follow") return;
    const target = typeof sent.json.object === "string" ? sent.json.object : sent.json.object.id;
    if (accept.actorId?.href !== target) return;
    (state.following[sent.as] ??= {})[target] = { since: new Date().toISOString() };
    save();
  })
  .on(vocab.Undo, async (ctx, undo) => {
    await note(ctx, undo);
    const object = await undo.getObject(ctx);
    if (!(object instanceof vocab.Follow)) return;
    const parsed = ctx.parseUri(object.objectId);
    if (parsed?.type !== "actor") return;
    delete state.followers[parsed.identifier]?.[undo.actorId?.href];
    save();
  })
  .on(vocab.Activity, note);

/** Writes down an activity that passed Fedify's authentication. */
async function note(ctx, activity) {
  log("inbox", {
    type: activity.constructor.name,
    id: activity.id?.href,
    actor: activity.actorId?.href,
    object: activity.objectId?.href,
    recipient: ctx.recipient,
    json: await activity.toJsonLd({ ...ctx, format: "compact" }),
  });
}

async function answerFollow(ctx, identifier, followId, Answer) {
  const asked = state.pending[identifier]?.[followId];
  if (asked == null) throw new Error(`no pending follow ${followId}`);
  if (Answer === vocab.Accept) {
    (state.followers[identifier] ??= {})[asked.actor] = { inbox: asked.inbox, sharedInbox: asked.sharedInbox, follow: followId };
  }
  delete state.pending[identifier][followId];
  const answer = new Answer({
    id: new URL(`/activities/${randomUUID()}`, origin),
    actor: ctx.getActorUri(identifier),
    to: new URL(asked.actor),
    object: await vocab.Follow.fromJsonLd(asked.follow, ctx),
  });
  await keep(ctx, identifier, answer, false);
  await ctx.sendActivity({ identifier }, { id: new URL(asked.actor), inboxId: new URL(asked.inbox) }, answer);
  return answer.id.href;
}

async function keep(ctx, as, object, isPublic) {
  const json = await object.toJsonLd({ ...ctx, format: "compact" });
  state.objects[object.id.href] = { as, public: isPublic, json };
  save();
  return json;
}

// ---- control --------------------------------------------------------------
const context = () => federation.createContext(origin, undefined);

async function rsaKey(ctx, identifier) {
  const pairs = await ctx.getActorKeyPairs(identifier);
  return pairs.find((pair) => pair.privateKey.algorithm.name.startsWith("RSA"));
}
async function resolve(target) {
  if (/^https?:/.test(target)) return target;
  const handle = target.replace(/^@|^acct:/g, "");
  const host = handle.split("@")[1];
  const response = await fetch(`${webfingerScheme}://${host}/.well-known/webfinger?resource=${encodeURIComponent(`acct:${handle}`)}`);
  if (!response.ok) throw new Error(`webfinger ${handle}: ${response.status}`);
  const link = (await response.json()).links.find((l) => l.rel === "self" && /activity\+json|ld\+json/.test(l.type ?? ""));
  if (link == null) throw new Error(`webfinger ${handle}: no self link`);
  return link.href;
}
async function look(ctx, as, target) {
  const documentLoader = await ctx.getDocumentLoader({ identifier: as });
  const object = await ctx.lookupObject(await resolve(target), { documentLoader });
  if (object == null) throw new Error(`not found: ${target}`);
  return object;
}
async function deliver(ctx, as, activity, to) {
  if (to == null) await ctx.sendActivity({ identifier: as }, "followers", activity, { immediate: true, preferSharedInbox: true });
  else {
    const recipients = await Promise.all([to].flat().map((target) => look(ctx, as, target)));
    await ctx.sendActivity({ identifier: as }, recipients, activity, { immediate: true });
  }
}
/** Sends an activity given as JSON-LD; whatever it lacks of id, actor and @context is filled in. */
async function dispatch(ctx, as, json, to) {
  const activity = await vocab.Activity.fromJsonLd({
    "@context": AS, id: new URL(`/activities/${randomUUID()}`, origin).href, actor: ctx.getActorUri(as).href, ...json,
  }, ctx);
  const isPublic = [json.to, json.cc].flat().includes(PUBLIC);
  const sent = await keep(ctx, as, activity, isPublic);
  if (json.object?.id?.startsWith(origin.origin) && json.type !== "Undo") {
    state.objects[json.object.id] = { as, public: isPublic, json: { "@context": sent["@context"], ...json.object } };
  }
  await deliver(ctx, as, activity, to);
  return { id: activity.id.href, activity: sent };
}
function mine(id) {
  const kept = state.objects[id];
  if (kept == null) throw new Error(`not mine: ${id}`);
  return kept;
}
/** FEP-8b32 (eddsa-jcs-2022) over exactly this JSON, its @context widened to define `proof`. */
async function withProof(body, pair) {
  const integrity = "https://w3id.org/security/data-integrity/v1";
  const contexts = [body["@context"] ?? AS].flat();
  const json = { ...body, "@context": contexts.includes(integrity) ? contexts : [...contexts, integrity] };
  const config = {
    "@context": json["@context"], type: "DataIntegrityProof", cryptosuite: "eddsa-jcs-2022",
    verificationMethod: pair.multikey.id.href, proofPurpose: "assertionMethod", created: new Date().toISOString(),
  };
  const hash = async (value) => new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(canonical(value))));
  const data = new Uint8Array([...(await hash(config)), ...(await hash(json))]);
  const signature = new Uint8Array(await crypto.subtle.sign("Ed25519", pair.privateKey, data));
  const proofValue = new TextDecoder().decode(encodeMultibase("base58btc", signature));
  return { ...json, proof: { ...config, proofValue } };
}
/** RFC 8785 for what JSON-LD documents hold: objects, lists, strings, integers, booleans. */
function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const keys = Object.keys(value).filter((key) => value[key] !== undefined).sort();
  return `{${keys.map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`).join(",")}}`;
}
const bare = ({ "@context": _context, ...json }) => json;

const commands = {
  state: () => ({
    origin: origin.origin, actors: Object.fromEntries(actors), followers: state.followers, following: state.following,
    pending: state.pending, objects: Object.keys(state.objects), log: transcript.length,
  }),
  log: ({ since = 0, kind, type }) => ({
    next: transcript.length,
    entries: transcript.slice(since).filter((e) => (kind == null || e.kind === kind) && (type == null || e.type === type)),
  }),
  object: ({ id }) => mine(id),
  webfinger: async ({ resource }) => ({
    jrd: await (await fetch(`${webfingerScheme}://${resource.split("@").at(-1)}/.well-known/webfinger?resource=${encodeURIComponent(resource)}`)).json(),
  }),
  nodeinfo: async ({ ctx, url }) => ({ nodeinfo: await ctx.lookupNodeInfo(url, { parse: "none", direct: false }) }),
  lookup: async ({ ctx, as, target }) => {
    const object = await look(ctx, as, target);
    return { type: object.constructor.name, json: await object.toJsonLd({ ...ctx, format: "compact" }) };
  },
  fetch: async ({ ctx, as, url, spec = "rfc9421", accept = ACCEPT }) => {
    let request = new Request(url, { headers: { accept } });
    if (spec !== "none") {
      const key = await rsaKey(ctx, as);
      request = await signRequest(request, key.privateKey, key.keyId, { spec: SPECS[spec] });
    }
    return answer(await fetch(request, { redirect: "manual" }));
  },
  follow: async ({ ctx, as, target }) => {
    const actor = await look(ctx, as, target);
    return dispatch(ctx, as, { type: "Follow", object: actor.id.href, to: actor.id.href }, actor.id.href);
  },
  unfollow: async ({ ctx, as, target }) => {
    const actor = await look(ctx, as, target);
    const sent = Object.values(state.objects).findLast((o) => o.as === as && o.json.type === "Follow" && o.json.object === actor.id.href);
    delete state.following[as]?.[actor.id.href];
    return dispatch(ctx, as, { type: "Undo", object: bare(sent.json), to: actor.id.href }, actor.id.href);
  },
  accept: async ({ ctx, as, follow }) => ({ id: await answerFollow(ctx, as, follow, vocab.Accept) }),
  reject: async ({ ctx, as, follow }) => ({ id: await answerFollow(ctx, as, follow, vocab.Reject) }),
  send: async ({ ctx, as, content, to, cc, inReplyTo, tag, public: isPublic = true, note: extra = {} }) => {
    const addressed = to == null ? [] : await Promise.all([to].flat().map(resolve));
    const followers = ctx.getFollowersUri(as).href;
    const audience = {
      to: isPublic ? [PUBLIC, ...addressed] : addressed.length ? addressed : [followers],
      cc: [...(isPublic ? [followers] : []), ...[cc ?? []].flat()],
    };
    const published = new Date().toISOString();
    const object = {
      type: "Note", id: new URL(`/notes/${randomUUID()}`, origin).href, attributedTo: ctx.getActorUri(as).href,
      content, published, inReplyTo, tag, ...audience, ...extra,
    };
    const sent = await dispatch(ctx, as, { type: "Create", published, object, ...audience }, to && addressed);
    return { ...sent, object: object.id };
  },
  update: async ({ ctx, object, content, to }) => {
    const { as, json } = mine(object);
    const changed = { ...bare(json), content, updated: new Date().toISOString() };
    return dispatch(ctx, as, { type: "Update", object: changed, to: json.to, cc: json.cc }, to);
  },
  delete: async ({ ctx, object, to }) => {
    const { as, json } = mine(object);
    const sent = await dispatch(ctx, as, { type: "Delete", object: { type: "Tombstone", id: object }, to: json.to, cc: json.cc }, to);
    return sent;
  },
  like: async ({ ctx, as, object }) => {
    const author = (await look(ctx, as, object)).attributionId.href;
    return dispatch(ctx, as, { type: "Like", object, to: author }, author);
  },
  announce: async ({ ctx, as, object, to }) =>
    dispatch(ctx, as, { type: "Announce", object, to: PUBLIC, cc: ctx.getFollowersUri(as).href, published: new Date().toISOString() }, to),
  undo: async ({ ctx, as, activity, to }) => dispatch(ctx, as, { type: "Undo", object: bare(mine(activity).json), to: mine(activity).json.to }, to),
  activity: async ({ ctx, as, activity, to }) => dispatch(ctx, as, activity, to),
  raw: async ({ ctx, as, inbox, body, spec = "rfc9421", ld = false, proof = false, date, tamper, headers = {} }) => {
    const pairs = await ctx.getActorKeyPairs(as);
    const rsa = await rsaKey(ctx, as);
    const ed = pairs.find((pair) => pair.privateKey.algorithm.name === "Ed25519");
    let json = body;
    if (proof) json = await withProof(json, ed);
    if (ld) json = await signJsonLd(json, rsa.privateKey, rsa.keyId, ctx);
    let text = typeof json === "string" ? json : JSON.stringify(json);
    let request = new Request(inbox, {
      method: "POST", body: text,
      headers: { "content-type": "application/activity+json", ...(date == null ? {} : { date }), ...headers },
    });
    // A date is when the signature says it was made: Date in draft-cavage, created in RFC 9421.
    const currentTime = date == null ? undefined : Temporal.Instant.from(new Date(date).toISOString());
    if (spec !== "none") request = await signRequest(request, rsa.privateKey, rsa.keyId, { spec: SPECS[spec], currentTime });
    if (tamper === "body") {
      text = text.replace(/}\s*$/, ',"tampered":true}');
      request = new Request(inbox, { method: "POST", headers: request.headers, body: text });
    } else if (tamper === "signature") {
      const changed = new Headers(request.headers);
      // Early in the signature: the last letter of base64 holds bits that count for nothing.
      const letter = /[A-Za-z](?=[A-Za-z0-9+/]{80})/;
      changed.set("signature", changed.get("signature").replace(letter, (c) => (c === "A" ? "B" : "A")));
      request = new Request(inbox, { method: "POST", headers: changed, body: text });
    }
    return { sent: Object.fromEntries(request.headers), ...(await answer(await fetch(request, { redirect: "manual" }))) };
  },
};
async function answer(response) {
  const text = await response.text();
  let json;
  try { json = JSON.parse(text); } catch { /* not JSON */ }
  return { status: response.status, headers: Object.fromEntries(response.headers), ...(json === undefined ? { text } : { json }) };
}
async function control(request) {
  try {
    const { cmd, as = defaultActor, ...args } = await request.json();
    if (!Object.hasOwn(commands, cmd)) throw new Error(`unknown cmd ${cmd}; known: ${Object.keys(commands).join(" ")}`);
    return Response.json({ ok: true, ...(await commands[cmd]({ ctx: context(), as, ...args })) });
  } catch (error) {
    return Response.json({ ok: false, error: String(error), status: error?.statusCode, body: error?.responseBody }, { status: 500 });
  }
}

// ---- which authentication does a delivery carry, and which of it holds? ---
async function examine(request, text) {
  const seen = {};
  let json;
  try { json = JSON.parse(text); } catch { return { json: false }; }
  if (request.headers.has("signature")) seen.http = request.headers.has("signature-input") ? "rfc9421" : "cavage";
  if (json.signature != null) seen.ld = json.signature.type;
  if (json.proof != null) seen.proof = [json.proof].flat().map((p) => p.cryptosuite);
  if (!opt["verify-all"]) return seen;
  const options = { documentLoader: getDocumentLoader({ allowPrivateAddress: true }), contextLoader: context().contextLoader };
  const attempt = async (check) => { try { return await check(); } catch (error) { return String(error); } };
  if (seen.http) seen.httpValid = await attempt(async () => { const r = await verifyRequestDetailed(request.clone(), options); return r.verified || r.reason.type; });
  if (seen.ld) seen.ldValid = await attempt(() => verifyJsonLd(json, options));
  if (seen.proof) {
    const { signature: _signature, ...unsigned } = json;
    seen.proofValid = await attempt(async () => (await verifyObject(vocab.Activity, unsigned, options)) != null);
  }
  return seen;
}

// ---- HTTP server ----------------------------------------------------------
async function handle(request, body) {
  const url = new URL(request.url);
  if (url.pathname === "/control" && request.method === "POST") return control(request);
  const entry = { method: request.method, path: url.pathname + url.search, headers: Object.fromEntries(request.headers), body: body || undefined };
  if (request.method === "POST") entry.auth = await examine(request, body);
  let response;
  const kept = state.objects[origin.origin + url.pathname];
  if (request.method === "GET" && kept?.public) {
    const gone = kept.json.type === "Tombstone";
    response = new Response(JSON.stringify(kept.json), { status: gone ? 410 : 200, headers: { "content-type": "application/activity+json", vary: "Accept" } });
  } else {
    response = await federation.fetch(request, {
      contextData: undefined,
      onNotFound: () => new Response("Not Found", { status: 404 }),
      onNotAcceptable: () => new Response(`<!doctype html><title>${origin.host}</title><p>test peer`, { headers: { "content-type": "text/html", vary: "Accept" } }),
      onUnauthorized: () => new Response("Unauthorized", { status: 401 }),
    });
  }
  log("http_in", { ...entry, status: response.status, answer: await excerpt(response) });
  return response;
}
async function listener(req, res) {
  try {
    const chunks = [];
    for await (const chunk of req) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    const request = new Request(new URL(req.url, origin), {
      method: req.method,
      headers: Object.entries(req.headersDistinct).map(([name, values]) => [name, values.join(", ")]),
      body: ["GET", "HEAD"].includes(req.method) ? undefined : body,
    });
    const response = await handle(request, body.toString("utf8"));
    res.writeHead(response.status, Object.fromEntries(response.headers));
    res.end(Buffer.from(await response.arrayBuffer()));
  } catch (error) {
    log("crash", { error: String(error?.stack ?? error) });
    res.writeHead(500).end(String(error));
  }
}
const server = tls
  ? createHttpsServer({ cert: readFileSync(opt["tls-cert"]), key: readFileSync(opt["tls-key"]) }, listener)
  : createHttpServer(listener);
server.listen(Number(opt.port), opt.host, () => {
  if (!opt.quiet) console.log(JSON.stringify({ ready: true, origin: origin.origin, pid: process.pid, actors: Object.fromEntries(actors) }));
});
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(0));
