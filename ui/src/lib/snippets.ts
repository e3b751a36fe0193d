/** Ready-to-run code against this server, with its real address and, once there is one, a real key. */

export const LANGUAGES = ["curl", "python", "typescript"] as const;
export type Language = (typeof LANGUAGES)[number];

/** `check`: ask, do the work, record what it took. `track`: decided and recorded in one step. */
export const FLOWS = ["check", "track"] as const;
export type Flow = (typeof FLOWS)[number];

/** Where a program sends to, and with what. */
export interface Place {
  address: string;
  /** Null while none has been made for it. */
  key: string | null;
}

/** Stands where a key will. */
export const KEY_PLACEHOLDER = "weir_sk_…";

/** The code as it is copied. */
export function snippet(flow: Flow, language: Language, { address, key }: Place): string {
  return SNIPPETS[language][flow](address.replace(/\/$/, ""), key ?? KEY_PLACEHOLDER);
}

/** The code as it is shown: whoever looks over a shoulder does not read the key. */
export function shownSnippet(flow: Flow, language: Language, { address, key }: Place): string {
  return snippet(flow, language, { address, key: key === null ? null : masked(key) });
}

/** As much of a secret as tells it from others. */
export function masked(secret: string): string {
  return `${secret.slice(0, 12)}${"•".repeat(12)}`;
}

/** A name that none of these is: `My app`, `My app 2`. */
export function freeName(name: string, taken: readonly string[]): string {
  for (let i = 1; ; i++) {
    const tried = i === 1 ? name : `${name} ${i}`;
    if (!taken.includes(tried)) return tried;
  }
}

type Write = (address: string, key: string) => string;

const HEADERS = `-H "Authorization: Bearer $KEY" -H 'Content-Type: application/json'`;

const pythonHead = (address: string, key: string, modules: string) => `${modules}

WEIR = "${address}/v1"
KEY = "${key}"


def weir(path, body):
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    request = urllib.request.Request(WEIR + path, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=5) as answer:
        return json.load(answer)


call = {"customerId": "acme", "eventType": "llm.completion", "dimensions": {"model": "gpt-4"}}
`;

const typescriptHead = (address: string, key: string) => `import { randomUUID } from "node:crypto";

const WEIR = "${address}/v1";
const KEY = "${key}";

async function weir(path: string, body: object): Promise<any> {
  const response = await fetch(WEIR + path, {
    method: "POST",
    headers: { Authorization: \`Bearer \${KEY}\`, "Content-Type": "application/json" },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(5_000),
  });
  const answer: any = await response.json();
  if (!response.ok) throw Object.assign(new Error(answer.error.message), { status: response.status });
  return answer;
}

const call = { customerId: "acme", eventType: "llm.completion", dimensions: { model: "gpt-4" } };
`;

// No comments in what is pasted into a shell: not every one takes them there.
const SNIPPETS: Record<Language, Record<Flow, Write>> = {
  curl: {
    check: (address, key) => `WEIR=${address}/v1
KEY=${key}

echo "1. May acme use about 1,000 tokens?"
curl -sS "$WEIR/limits/check" ${HEADERS} \\
  -d '{"customerId": "acme", "eventType": "llm.completion",
       "dimensions": {"model": "gpt-4"}, "values": {"tokens": 1000}}'

echo; echo "2. Where allowed, the work is done here."

echo "3. It took 1,250: record them."
curl -sS "$WEIR/events/record" ${HEADERS} \\
  -d '{"customerId": "acme", "eventType": "llm.completion",
       "dimensions": {"model": "gpt-4"}, "values": {"tokens": 1250}}'
`,
    track: (address, key) => `WEIR=${address}/v1
KEY=${key}

curl -sS "$WEIR/track" ${HEADERS} \\
  -w '\\nStatus %{http_code}: 201 recorded, 429 refused\\n' \\
  -d '{"customerId": "acme", "eventType": "llm.completion",
       "dimensions": {"model": "gpt-4"}, "values": {"tokens": 1250}}'
`,
  },
  python: {
    check: (address, key) => `${pythonHead(address, key, "import json\nimport urllib.request\nimport uuid")}

def work():
    return 1250  # the tokens that it took


# Ask before the work.
checked = weir("/limits/check", {**call, "values": {"tokens": 1000}})
if checked["allowed"]:
    tokens = work()
    # Sent again under the same key it is recorded once.
    event = {**call, "values": {"tokens": tokens}, "idempotencyKey": str(uuid.uuid4())}
    print(weir("/events/record", event))
else:
    print("Refused by", checked["limits"][0]["name"])
`,
    track: (address, key) => `${pythonHead(address, key, "import json\nimport urllib.error\nimport urllib.request\nimport uuid")}
# Sent again under the same key it is recorded once.
event = {**call, "values": {"tokens": 1250}, "idempotencyKey": str(uuid.uuid4())}
try:
    print(weir("/track", event))
except urllib.error.HTTPError as refused:
    if refused.code != 429:
        raise
    print("Refused:", json.load(refused)["error"]["message"])
`,
  },
  typescript: {
    check: (address, key) => `${typescriptHead(address, key)}
async function work(): Promise<number> {
  return 1250; // the tokens that it took
}

// Ask before the work.
const checked = await weir("/limits/check", { ...call, values: { tokens: 1000 } });
if (checked.allowed) {
  const tokens = await work();
  // Sent again under the same key it is recorded once.
  console.log(await weir("/events/record", { ...call, values: { tokens }, idempotencyKey: randomUUID() }));
} else {
  console.log("Refused by", checked.limits[0].name);
}
`,
    track: (address, key) => `${typescriptHead(address, key)}
try {
  // Sent again under the same key it is recorded once.
  console.log(await weir("/track", { ...call, values: { tokens: 1250 }, idempotencyKey: randomUUID() }));
} catch (refused: any) {
  if (refused.status !== 429) throw refused;
  console.log("Refused:", refused.message);
}
`,
  },
};
