// A second implementation of the check of a signed statement (eddsa-jcs-2022, W3C Data Integrity EdDSA), on Node's
// crypto and nothing else: node verify.mjs STATEMENT LEDGER, two JSON files. Exit status 0 and "verified" when the key
// that stands in the ledger's own document made the statement's proof, else 1 and why not.
import { createHash, createPublicKey, verify } from "node:crypto";
import { readFileSync } from "node:fs";

const [statement, ledger] = process.argv.slice(2).map((file) => JSON.parse(readFileSync(file, "utf8")));

// RFC 8785 for what stands in such documents: JSON.stringify writes numbers and strings as JCS wants them.
function jcs(value) {
  if (Array.isArray(value)) return `[${value.map(jcs).join(",")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const members = Object.keys(value).sort().map((name) => `${JSON.stringify(name)}:${jcs(value[name])}`);
  return `{${members.join(",")}}`;
}

const sha256 = (text) => createHash("sha256").update(text, "utf8").digest();

const ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
function multibase(text) {
  if (text[0] !== "z") throw new Error("not base58btc");
  let number = 0n;
  for (const letter of text.slice(1)) number = number * 58n + BigInt(ALPHABET.indexOf(letter));
  const hex = number.toString(16);
  const zeros = text.slice(1).match(/^1*/)[0].length;
  return Buffer.concat([Buffer.alloc(zeros), Buffer.from(hex.length % 2 ? `0${hex}` : hex, "hex")]);
}

function publicKey(text) {
  const bytes = multibase(text);
  if (bytes.length !== 34 || bytes[0] !== 0xed || bytes[1] !== 0x01) throw new Error("not an Ed25519 key");
  const spki = Buffer.concat([Buffer.from("302a300506032b6570032100", "hex"), bytes.subarray(2)]);
  return createPublicKey({ key: spki, format: "der", type: "spki" });
}

function complaint() {
  const { proof, ...document } = statement;
  const { proofValue, ...options } = proof ?? {};
  if (document.attributedTo !== ledger.id) return "it is not of this ledger";
  if (options.type !== "DataIntegrityProof" || options.cryptosuite !== "eddsa-jcs-2022") return "no such proof";
  if (options.proofPurpose !== "assertionMethod") return "the proof is for something else";
  const key = [ledger.assertionMethod].flat().find((one) => one.id === options.verificationMethod);
  if (!key || key.controller !== ledger.id) return "the ledger shows no such key";
  const signed = Buffer.concat([sha256(jcs(options)), sha256(jcs(document))]);
  if (!verify(null, signed, publicKey(key.publicKeyMultibase), multibase(proofValue))) return "the proof does not verify";
  const moved = document["fa:transfers"].reduce((sum, one) => sum + one["fa:minutes"], 0);
  return document["fa:opening"] + moved === document["fa:closing"] ? "" : "the figures do not add up";
}

const wrong = complaint();
console.log(wrong || "verified");
process.exit(wrong ? 1 : 0);
