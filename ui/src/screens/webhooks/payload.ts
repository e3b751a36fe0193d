/** A message's body as it is sent, for reading. */

/**
 * What the engine sends as numbers. To the console every number comes as a text of its digits, so that none is lost; the names
 * tell which texts those were.
 */
const NUMBERS = new Set([
  "threshold",
  "limit",
  "currentUsage",
  "percentage",
  "remaining",
  "currentBalance",
  "topUpAmount",
  "value",
  "events",
  "activeCustomers",
  "alerts",
  "customers",
]);

const NUMBER = /^-?\d+(\.\d+)?$/;

/** The body over several lines, numbers bare and with every digit. */
export function pretty(payload: unknown): string {
  return write(payload, "", "");
}

function write(value: unknown, name: string, indent: string): string {
  const inner = `${indent}  `;
  if (Array.isArray(value)) {
    if (value.length === 0) return "[]";
    return `[\n${value.map((each) => inner + write(each, name, inner)).join(",\n")}\n${indent}]`;
  }
  if (typeof value === "object" && value !== null) {
    const members = Object.entries(value);
    if (members.length === 0) return "{}";
    return `{\n${members.map(([key, each]) => `${inner}${JSON.stringify(key)}: ${write(each, key, inner)}`).join(",\n")}\n${indent}}`;
  }
  if (typeof value === "string" && NUMBERS.has(name) && NUMBER.test(value)) return value;
  return JSON.stringify(value);
}
