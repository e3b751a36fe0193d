/** Ready-to-run code that records one event, with the real address and, once there is one, the real key. */

export type Language = "curl" | "python" | "typescript";

export const LANGUAGES: { value: Language; label: string }[] = [
  { value: "curl", label: "curl" },
  { value: "python", label: "Python" },
  { value: "typescript", label: "TypeScript" },
];

export function snippet(language: Language, address: string, key: string): string {
  return SNIPPETS[language](`${address}/v1/events/record`, key);
}

const SNIPPETS: Record<Language, (url: string, key: string) => string> = {
  curl: (url, key) => `curl -X POST ${url} \\
  -H 'Authorization: Bearer ${key}' \\
  -H 'Content-Type: application/json' \\
  -d '{"customerId": "acme", "eventType": "llm.completion",
       "values": {"tokens": 1250}, "dimensions": {"model": "gpt-4"}}'
`,
  python: (url, key) => `import json, urllib.request

event = {
    "customerId": "acme",
    "eventType": "llm.completion",
    "values": {"tokens": 1250},
    "dimensions": {"model": "gpt-4"},
}
request = urllib.request.Request(
    "${url}",
    data=json.dumps(event).encode(),
    headers={
        "Authorization": "Bearer ${key}",
        "Content-Type": "application/json",
    },
)
print(json.load(urllib.request.urlopen(request)))
`,
  typescript: (url, key) => `const response = await fetch("${url}", {
  method: "POST",
  headers: {
    Authorization: "Bearer ${key}",
    "Content-Type": "application/json",
  },
  body: JSON.stringify({
    customerId: "acme",
    eventType: "llm.completion",
    values: { tokens: 1250 },
    dimensions: { model: "gpt-4" },
  }),
});
console.log(await response.json());
`,
};
